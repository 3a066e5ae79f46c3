// SPDX-License-Identifier: GPL-2.0
/*
 * Leases and time: those that end by themselves, messages that are given back with a
 * delay, and messages that expire while they are leased.
 */
#include "common.h"

/* Short, and long enough for a slow machine to look in between. */
#define SOON (SECOND / 20)

FIXTURE(lease_time)
{
	int device;
	int fd;
};

FIXTURE_SETUP(lease_time)
{
	self->device = device_open();
	self->fd = box_new(self->device);
}

FIXTURE_TEARDOWN(lease_time)
{
	close(self->fd);
	close(self->device);
}

static void await_readable(int fd)
{
	struct pollfd entry = { .fd = fd, .events = POLLIN };

	ASSERT_EQ(1, poll(&entry, 1, PATIENCE / 1000000));
	EXPECT_EQ(POLLIN, entry.revents);
}

static int send_until(int fd, const char *text, __u64 expiry)
{
	struct mailbox_send args = send_args(text, strlen(text));

	args.flags |= MAILBOX_EXPIRES;
	args.expiry = expiry;
	return box_send(fd, &args);
}

TEST_F(lease_time, that_is_over_brings_it_back_and_not_early)
{
	__u64 before, lease;
	struct mailbox_stat stat;

	ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	before = now_ns();
	lease = box_lease_timed(self->fd, SOON);
	await_readable(self->fd);
	EXPECT_LE(before + SOON, now_ns());
	stat = box_stat(self->fd);
	EXPECT_EQ(0, stat.leased);
	EXPECT_EQ(1, stat.redelivered);
	EXPECT_EQ(-ESTALE, box_ack(self->fd, lease));
	EXPECT_EQ(-ESTALE, box_nack(self->fd, lease, 0));
	EXPECT_EQ(-ESTALE, box_extend(self->fd, lease, 0));
	expect_delivered(self->fd, "x", 1);
}

/* Nobody has to wait for that to happen: whoever looks finds it so. */
TEST_F(lease_time, that_is_over_is_so_for_every_call)
{
	struct mailbox_receive peek = receive_args(NULL, 0);
	char text[8];
	int i;

	peek.flags |= MAILBOX_PEEK | MAILBOX_TRUNCATE;
	for (i = 0; i < 6; i++) {
		__u64 lease, after;
		__u64 time = SOON;

		ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
		lease = box_lease_timed(self->fd, time);
		after = now_ns() + time;
		pass_time(after);
		switch (i) {
		case 0:
			EXPECT_EQ(-ESTALE, box_ack(self->fd, lease));
			break;
		case 1:
			EXPECT_EQ(-ESTALE, box_extend(self->fd, lease, 0));
			break;
		case 2:
			EXPECT_EQ(0, box_receive(self->fd, &peek));
			break;
		case 3:
			EXPECT_EQ(0, box_stat(self->fd).leased);
			break;
		case 4:
			EXPECT_EQ(POLLIN, poll_now(self->fd, POLLIN));
			break;
		default:
			break;
		}
		EXPECT_EQ(1, box_receive_text(self->fd, text, sizeof(text)));
	}
}

TEST_F(lease_time, that_is_over_serves_who_waits)
{
	static const __u32 flags[] = { 0, MAILBOX_LEASE, MAILBOX_PEEK };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		pid_t pid;

		ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
		box_lease_timed(self->fd, SOON);
		pid = child_fork();
		if (!pid) {
			char text[8];
			struct mailbox_receive args = leasing_args(text, sizeof(text));

			args.flags = flags[i] | MAILBOX_DEADLINE;
			args.deadline = now_ns() + PATIENCE;
			EXPECT_EQ(0, box_receive(self->fd, &args));
			EXPECT_EQ(1, args.deliveries);
			_exit(0);
		}
		child_done(pid);
		if (flags[i])
			expect_delivered(self->fd, "x", flags[i] & MAILBOX_LEASE ? 2 : 1);
	}
}

TEST_F(lease_time, of_several_ends_one_after_the_other)
{
	static const unsigned int tenths[] = { 3, 1, 4, 2 };
	__u64 begin = now_ns();
	unsigned int i;

	for (i = 0; i < 4; i++)
		ASSERT_EQ(0, box_send_text(self->fd, "x", i, 0));
	for (i = 0; i < 4; i++)
		box_lease_timed(self->fd, tenths[i] * SECOND / 10);
	for (i = 1; i <= 4; i++) {
		struct mailbox_receive args;
		char text[8];

		await_readable(self->fd);
		EXPECT_LE(begin + i * SECOND / 10, now_ns());
		args = receive_args(text, sizeof(text));
		ASSERT_EQ(0, box_receive(self->fd, &args));
		EXPECT_EQ(i, tenths[args.type]);
	}
}

TEST_F(lease_time, can_be_as_long_as_there_are_numbers)
{
	static const __u64 times[] = { 0,	   3600 * SECOND,  1ULL << 62,
				       1ULL << 63, UINT64_MAX - 1, UINT64_MAX };
	__u64 leases[ARRAY_SIZE(times)];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(times); i++) {
		ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
		leases[i] = box_lease_timed(self->fd, times[i]);
	}
	pass_time(now_ns() + SOON);
	EXPECT_EQ(ARRAY_SIZE(times), box_stat(self->fd).leased);
	for (i = 0; i < ARRAY_SIZE(times); i++)
		EXPECT_EQ(0, box_extend(self->fd, leases[i], times[i]));
	pass_time(now_ns() + SOON);
	EXPECT_EQ(ARRAY_SIZE(times), box_stat(self->fd).leased);
	/* Nor does a delay come around. */
	for (i = 1; i < ARRAY_SIZE(times); i++)
		EXPECT_EQ(0, box_nack(self->fd, leases[i], times[i]));
	pass_time(now_ns() + SOON);
	EXPECT_EQ(ARRAY_SIZE(times), box_stat(self->fd).leased);
	EXPECT_EQ(0, poll_now(self->fd, POLLIN));
}

TEST_F(lease_time, can_be_extended)
{
	__u64 lease, begin;

	ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	begin = now_ns();
	lease = box_lease_timed(self->fd, 2 * SECOND);
	ASSERT_EQ(0, box_extend(self->fd, lease, 3600 * SECOND));
	ASSERT_EQ(0, box_extend(self->fd, lease, 0));
	pass_time(begin + 2 * SECOND + SOON);
	EXPECT_EQ(1, box_stat(self->fd).leased);
	/* And to a shorter time: it counts from now on. */
	begin = now_ns();
	ASSERT_EQ(0, box_extend(self->fd, lease, SOON));
	await_readable(self->fd);
	EXPECT_LE(begin + SOON, now_ns());
	EXPECT_EQ(-ESTALE, box_ack(self->fd, lease));
	expect_delivered(self->fd, "x", 1);
}

TEST_F(lease_time, of_many_is_extended_at_once)
{
	__u64 leases[3];
	struct mailbox_lease args = lease_args(leases, 3);
	int i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
		leases[i] = box_lease(self->fd);
	}
	args.time = SOON;
	ASSERT_EQ(0, call(self->fd, MAILBOX_IOC_EXTEND, &args));
	EXPECT_EQ(0, wait_leased(self->fd, 0).leased);
	EXPECT_EQ(3, box_stat(self->fd).redelivered);
}

TEST_F(lease_time, a_delay_hides_it_and_then_wakes_poll)
{
	__u64 lease, begin;
	struct mailbox_stat stat;

	ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	lease = box_lease(self->fd);
	begin = now_ns();
	ASSERT_EQ(0, box_nack(self->fd, lease, 4 * SOON));
	if (now_ns() < begin + 2 * SOON) {
		stat = box_stat(self->fd);
		if (now_ns() < begin + 4 * SOON) {
			EXPECT_EQ(1, stat.leased);
			EXPECT_EQ(1, stat.messages);
			EXPECT_EQ(0, stat.received);
		}
	}
	EXPECT_EQ(-ESTALE, box_ack(self->fd, lease));
	EXPECT_EQ(-ESTALE, box_nack(self->fd, lease, 0));
	EXPECT_EQ(-ESTALE, box_extend(self->fd, lease, 0));
	await_readable(self->fd);
	EXPECT_LE(begin + 4 * SOON, now_ns());
	EXPECT_EQ(0, box_stat(self->fd).leased);
	EXPECT_EQ(1, box_stat(self->fd).redelivered);
	expect_delivered(self->fd, "x", 1);
}

/* It is nobody's: neither who had it nor anybody else ends the delay. */
TEST_F(lease_time, a_delay_goes_on_without_who_asked_for_it)
{
	int fd = box_open(self->device, box_stat(self->fd).id, NULL, MAILBOX_RIGHT_RECEIVE);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	ASSERT_EQ(0, box_nack(fd, box_lease(fd), 3600 * SECOND));
	close(fd);
	EXPECT_EQ(1, box_stat(self->fd).leased);
	EXPECT_EQ(0, poll_now(self->fd, POLLIN));
	expect_nothing(self->fd);
}

TEST_F(lease_time, a_delay_keeps_the_old_place)
{
	ASSERT_EQ(0, box_send_text(self->fd, "first", 0, 0));
	ASSERT_EQ(0, box_nack(self->fd, box_lease(self->fd), SOON));
	ASSERT_EQ(0, box_send_text(self->fd, "second", 0, 0));
	wait_leased(self->fd, 0);
	expect_delivered(self->fd, "first", 1);
	expect_delivered(self->fd, "second", 0);
}

TEST_F(lease_time, a_delay_does_not_end_with_the_lease_before)
{
	__u64 lease;

	ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	lease = box_lease_timed(self->fd, 10 * SOON);
	if (box_nack(self->fd, lease, 3600 * SECOND))
		SKIP(return, "the machine is too slow");
	pass_time(now_ns() + 11 * SOON);
	EXPECT_EQ(1, box_stat(self->fd).leased);
	EXPECT_EQ(1, box_stat(self->fd).redelivered);
}

/* Sends what expires soon; a machine too slow for that tries again, with more time. */
static __u64 lease_soon_expired(int fd, __u64 time, __u64 *lease)
{
	__u64 delay, expiry;

	for (delay = SOON;; delay *= 2) {
		char data[8];
		struct mailbox_receive args = leasing_args(data, sizeof(data));

		expiry = now_ns() + delay;
		if (send_until(fd, "x", expiry))
			continue;
		args.lease = time;
		if (box_receive(fd, &args))
			continue;
		EXPECT_EQ(expiry, args.expiry);
		*lease = args.lease;
		return expiry;
	}
}

TEST_F(lease_time, expiry_ends_a_lease)
{
	static const __u64 times[] = { 0, 3600 * SECOND, UINT64_MAX };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(times); i++) {
		int fd = box_new(self->device);
		struct mailbox_stat stat;
		__u64 lease;

		pass_time(lease_soon_expired(fd, times[i], &lease));
		stat = box_stat(fd);
		EXPECT_LE(1, stat.expired);
		EXPECT_EQ(0, stat.leased);
		EXPECT_EQ(0, stat.messages);
		EXPECT_EQ(0, stat.bytes);
		EXPECT_EQ(0, stat.redelivered);
		EXPECT_EQ(-ESTALE, box_ack(fd, lease));
		EXPECT_EQ(-ESTALE, box_extend(fd, lease, 0));
		EXPECT_EQ(-ESTALE, box_nack(fd, lease, 0));
		expect_nothing(fd);
		close(fd);
	}
}

TEST_F(lease_time, extend_does_not_go_beyond_expiry)
{
	__u64 lease, expiry = lease_soon_expired(self->fd, SECOND, &lease);

	if (box_extend(self->fd, lease, 3600 * SECOND))
		SKIP(return, "the machine is too slow");
	pass_time(expiry);
	EXPECT_EQ(-ESTALE, box_ack(self->fd, lease));
	EXPECT_EQ(0, box_stat(self->fd).messages);
}

TEST_F(lease_time, expiry_ends_a_delay)
{
	__u64 lease, expiry = lease_soon_expired(self->fd, 0, &lease), expired;

	if (box_nack(self->fd, lease, 3600 * SECOND))
		SKIP(return, "the machine is too slow");
	expired = box_stat(self->fd).expired;
	pass_time(expiry);
	EXPECT_LE(expired, box_stat(self->fd).expired);
	EXPECT_LE(1, box_stat(self->fd).expired);
	EXPECT_EQ(0, box_stat(self->fd).messages);
}

TEST_F(lease_time, what_came_back_expires_as_before)
{
	__u64 lease, expiry = lease_soon_expired(self->fd, 0, &lease);

	if (box_nack(self->fd, lease, 0))
		SKIP(return, "the machine is too slow");
	pass_time(expiry);
	EXPECT_EQ(0, box_stat(self->fd).messages);
	EXPECT_EQ(1, box_stat(self->fd).redelivered);
	expect_nothing(self->fd);
}

/* A message that expires late is not held back by a lease that ends early, or the reverse. */
TEST_F(lease_time, and_expiry_do_not_mix)
{
	char data[8];
	struct mailbox_receive args = receive_args(data, sizeof(data));
	__u64 expiry = far_future();

	ASSERT_EQ(0, send_until(self->fd, "x", expiry));
	box_lease_timed(self->fd, SOON);
	wait_leased(self->fd, 0);
	ASSERT_EQ(0, box_receive(self->fd, &args));
	EXPECT_EQ(expiry, args.expiry);
	EXPECT_EQ(1, args.deliveries);
	EXPECT_EQ(0, box_stat(self->fd).expired);
}

/* Those who wait for room get it when what is leased expires. */
TEST_F(lease_time, expiry_of_what_is_leased_lets_a_sender_in)
{
	int fd = box_new_limited(self->device, MAILBOX_ON_FULL_WAIT, 1);
	__u64 lease;
	pid_t pid;

	lease_soon_expired(fd, 0, &lease);
	pid = child_fork();
	if (!pid) {
		EXPECT_EQ(1, write(fd, "y", 1));
		_exit(0);
	}
	child_done(pid);
	expect_delivered(fd, "y", 0);
	close(fd);
}

TEST_HARNESS_MAIN
