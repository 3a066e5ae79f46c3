/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Part of common.h: leases.
 */
#ifndef SELFTESTS_COMMON_LEASE_H
#define SELFTESTS_COMMON_LEASE_H

/* A nonblocking receive of the first message with a lease that does not end by itself. */
static inline struct mailbox_receive leasing_args(void *data, size_t room)
{
	struct mailbox_receive args = receive_args(data, room);

	args.flags |= MAILBOX_LEASE;
	args.lease = 0;
	return args;
}

/* For ACK, NACK and EXTEND of these; what they return is poisoned. */
static inline struct mailbox_lease lease_args(const __u64 *leases, __u32 nr)
{
	return (struct mailbox_lease){
		.size = sizeof(struct mailbox_lease),
		.leases = user_pointer(leases),
		.nr = nr,
		.done = POISON32,
		.error = (__s32)POISON32,
	};
}

static inline int box_end_timed(int fd, unsigned long command, __u64 lease, __u64 time)
{
	struct mailbox_lease args = lease_args(&lease, 1);
	int ret;

	args.time = time;
	ret = call(fd, command, &args);
	if (!ret) {
		EXPECT_EQ(1, args.done);
		EXPECT_EQ(0, args.error);
	}
	return ret;
}

static inline int box_ack(int fd, __u64 lease)
{
	return box_end_timed(fd, MAILBOX_IOC_ACK, lease, 0);
}

static inline int box_nack(int fd, __u64 lease, __u64 delay)
{
	return box_end_timed(fd, MAILBOX_IOC_NACK, lease, delay);
}

static inline int box_extend(int fd, __u64 lease, __u64 time)
{
	return box_end_timed(fd, MAILBOX_IOC_EXTEND, lease, time);
}

/* What it takes must be there: the first that matches, under a lease of that time. */
static inline struct mailbox_receive box_lease_select(int fd, __u32 select, __u64 match, __u64 time)
{
	char data[64];
	struct mailbox_receive args = leasing_args(data, sizeof(data));

	args.flags |= MAILBOX_TRUNCATE;
	args.select = select;
	args.match = match;
	args.lease = time;
	ASSERT_EQ(0, box_receive(fd, &args));
	return args;
}

static inline __u64 box_lease_timed(int fd, __u64 time)
{
	return box_lease_select(fd, MAILBOX_SELECT_FIRST, 0, time).lease;
}

static inline __u64 box_lease(int fd)
{
	return box_lease_timed(fd, 0);
}

static inline __u64 box_lease_type(int fd, __u64 type)
{
	return box_lease_select(fd, MAILBOX_SELECT_TYPE, type, 0).lease;
}

/* Until so many are leased, or given back with a delay. */
static inline struct mailbox_stat wait_leased(int fd, __u64 leased)
{
	__u64 end = now_ns() + 30 * SECOND;
	struct mailbox_stat stat;

	for (;;) {
		stat = box_stat(fd);
		if (stat.leased == leased)
			return stat;
		ASSERT_LT(now_ns(), end);
		sched_yield();
	}
}

/* The first message is this one, was delivered so often, and is gone now. */
static inline void expect_delivered(int fd, const char *expected, __u32 deliveries)
{
	char text[64] = { 0 };
	struct mailbox_receive args = receive_args(text, sizeof(text) - 1);

	EXPECT_EQ(0, box_receive(fd, &args));
	EXPECT_STREQ(expected, text);
	EXPECT_EQ(deliveries, args.deliveries);
}

static inline void expect_nothing(int fd)
{
	char text[64];
	struct mailbox_receive args = receive_args(text, sizeof(text));

	EXPECT_EQ(-EAGAIN, box_receive(fd, &args));
}

#endif /* SELFTESTS_COMMON_LEASE_H */
