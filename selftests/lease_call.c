// SPDX-License-Identifier: GPL-2.0
/*
 * The calls about leases: arrays of numbers, what is refused, and memory that faults.
 * What holds for every call is in device.c and fault.c.
 */
#include "common.h"

#include <stddef.h>

#define NR 6

static const struct {
	const char *name;
	unsigned long number;
} calls[] = {
	{ "ACK", MAILBOX_IOC_ACK },
	{ "NACK", MAILBOX_IOC_NACK },
	{ "EXTEND", MAILBOX_IOC_EXTEND },
};

FIXTURE(lease_call)
{
	int device;
	int fd;
	__u64 id;
	/* Of the first three of NR messages. */
	__u64 leases[3];
};

static void prepare(FIXTURE_DATA(lease_call) * self)
{
	static const char *const texts[NR] = { "a", "b", "c", "d", "e", "f" };
	int i;

	self->fd = box_new(self->device);
	self->id = box_stat(self->fd).id;
	for (i = 0; i < NR; i++)
		ASSERT_EQ(0, box_send_text(self->fd, texts[i], 0, 0));
	for (i = 0; i < 3; i++)
		self->leases[i] = box_lease(self->fd);
}

FIXTURE_SETUP(lease_call)
{
	self->device = device_open();
	prepare(self);
}

FIXTURE_TEARDOWN(lease_call)
{
	close(self->fd);
	close(self->device);
}

static void renew(FIXTURE_DATA(lease_call) * self)
{
	close(self->fd);
	prepare(self);
}

/* The three leases are as they were. */
static void expect_leased(FIXTURE_DATA(lease_call) * self)
{
	struct mailbox_lease args = lease_args(self->leases, 3);

	EXPECT_EQ(0, call(self->fd, MAILBOX_IOC_EXTEND, &args));
	EXPECT_EQ(3, args.done);
	EXPECT_EQ(3, box_stat(self->fd).leased);
	EXPECT_EQ(0, box_stat(self->fd).redelivered);
}

TEST_F(lease_call, many_at_once)
{
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		struct mailbox_lease args = lease_args(self->leases, 3);
		struct mailbox_stat stat;

		EXPECT_EQ(0, call(self->fd, calls[i].number, &args));
		EXPECT_EQ(3, args.done);
		EXPECT_EQ(0, args.error);
		EXPECT_EQ(3, args.nr);
		EXPECT_EQ(user_pointer(self->leases), args.leases);
		stat = box_stat(self->fd);
		EXPECT_EQ(calls[i].number == MAILBOX_IOC_EXTEND ? 3 : 0, stat.leased);
		EXPECT_EQ(calls[i].number == MAILBOX_IOC_ACK ? 3 : 0, stat.received);
		EXPECT_EQ(calls[i].number == MAILBOX_IOC_NACK ? 3 : 0, stat.redelivered);
		renew(self);
	}
}

TEST_F(lease_call, as_many_as_a_batch_has)
{
	int fd = box_new_capacity(self->device, MAILBOX_CAPACITY_UNBOUNDED), i;
	__u64 leases[MAILBOX_BATCH_MAX];
	struct mailbox_lease args = lease_args(leases, MAILBOX_BATCH_MAX);

	for (i = 0; i < MAILBOX_BATCH_MAX; i++)
		ASSERT_EQ(0, box_send_text(fd, "x", 0, 0));
	for (i = 0; i < MAILBOX_BATCH_MAX; i++)
		leases[i] = box_lease(fd);
	EXPECT_EQ(0, call(fd, MAILBOX_IOC_NACK, &args));
	EXPECT_EQ(MAILBOX_BATCH_MAX, args.done);
	EXPECT_EQ(MAILBOX_BATCH_MAX, box_stat(fd).redelivered);
	for (i = 0; i < MAILBOX_BATCH_MAX; i++)
		leases[i] = box_lease(fd);
	EXPECT_EQ(0, call(fd, MAILBOX_IOC_ACK, &args));
	EXPECT_EQ(MAILBOX_BATCH_MAX, args.done);
	EXPECT_EQ(MAILBOX_BATCH_MAX, box_stat(fd).received);
	close(fd);
}

TEST_F(lease_call, no_leases_and_too_many_are_einval)
{
	static const __u32 numbers[] = { 0, MAILBOX_BATCH_MAX + 1, 1U << 31, UINT32_MAX };
	__u64 leases[MAILBOX_BATCH_MAX + 1];
	unsigned int j;

	for (j = 0; j < ARRAY_SIZE(leases); j++)
		leases[j] = self->leases[j % 3];
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		for (j = 0; j < ARRAY_SIZE(numbers); j++) {
			struct mailbox_lease args = lease_args(leases, numbers[j]);

			EXPECT_REFUSED(self->device, self->fd, EINVAL,
				       call(self->fd, calls[i].number, &args));
		}
	}
	expect_leased(self);
}

/* Wherever the wrong one is, those before it are done and those behind it are not. */
TEST_F(lease_call, one_that_is_not_a_lease_stops_it)
{
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		unsigned int wrong;

		for (wrong = 1; wrong <= 3; wrong++) {
			__u64 leases[4] = { self->leases[0], self->leases[1], self->leases[2] };
			struct mailbox_lease args = lease_args(leases, 4);

			leases[3] = leases[wrong];
			leases[wrong] = UINT64_MAX - 1;
			EXPECT_EQ(0, call(self->fd, calls[i].number, &args));
			EXPECT_EQ(wrong, args.done) TH_LOG("%s", calls[i].name);
			EXPECT_EQ(ESTALE, args.error);
			EXPECT_EQ(calls[i].number == MAILBOX_IOC_EXTEND ? 3 : 3 - wrong,
				  box_stat(self->fd).leased);
			renew(self);
		}
	}
}

TEST_F(lease_call, a_first_one_that_is_not_a_lease_fails_it)
{
	__u64 leases[] = { UINT64_MAX - 1, self->leases[0], self->leases[1] };

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		struct mailbox_lease args = lease_args(leases, 3);

		EXPECT_REFUSED(self->device, self->fd, ESTALE,
			       call(self->fd, calls[i].number, &args));
	}
	expect_leased(self);
}

TEST_F(lease_call, the_same_one_twice_is_stale_the_second_time)
{
	__u64 leases[] = { self->leases[1], self->leases[1], self->leases[0] };
	struct mailbox_lease args = lease_args(leases, 3);

	EXPECT_EQ(0, call(self->fd, MAILBOX_IOC_ACK, &args));
	EXPECT_EQ(1, args.done);
	EXPECT_EQ(ESTALE, args.error);
	EXPECT_EQ(2, box_stat(self->fd).leased);
	EXPECT_EQ(1, box_stat(self->fd).received);
	leases[0] = self->leases[0];
	leases[1] = self->leases[0];
	args = lease_args(leases, 2);
	EXPECT_EQ(0, call(self->fd, MAILBOX_IOC_NACK, &args));
	EXPECT_EQ(1, args.done);
	EXPECT_EQ(ESTALE, args.error);
	EXPECT_EQ(1, box_stat(self->fd).redelivered);
	/* A lease that is extended goes on. */
	leases[0] = self->leases[2];
	leases[1] = self->leases[2];
	args = lease_args(leases, 2);
	EXPECT_EQ(0, call(self->fd, MAILBOX_IOC_EXTEND, &args));
	EXPECT_EQ(2, args.done);
}

TEST_F(lease_call, numbers_that_are_no_leases_are_estale)
{
	int fd = box_new(self->device);

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		static const __u64 numbers[] = { 0, 1, 1ULL << 32, 1ULL << 63, UINT64_MAX };
		unsigned int j;

		for (j = 0; j < ARRAY_SIZE(numbers); j++)
			EXPECT_REFUSED(self->device, fd, ESTALE,
				       box_end_timed(fd, calls[i].number, numbers[j], 0));
		EXPECT_REFUSED(self->device, self->fd, ESTALE,
			       box_end_timed(self->fd, calls[i].number, self->leases[2] + 100, 0));
	}
	expect_leased(self);
	close(fd);
}

TEST_F(lease_call, a_lease_of_another_handle_is_estale)
{
	int other = box_open(self->device, self->id, NULL, RIGHTS_ALL), copy;

	ASSERT_LE(0, other);
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		EXPECT_REFUSED(self->device, self->fd, ESTALE,
			       box_end_timed(other, calls[i].number, self->leases[0], 0));
	/* Another descriptor is not another handle. */
	copy = dup(self->fd);
	EXPECT_EQ(0, box_ack(copy, self->leases[0]));
	EXPECT_EQ(0, box_ack(self->fd, self->leases[1]));
	close(copy);
	close(other);
}

TEST_F(lease_call, a_lease_of_another_process_is_estale)
{
	pid_t pid = child_fork();

	if (!pid) {
		for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
			EXPECT_REFUSED(self->device, self->fd, ESTALE,
				       box_end_timed(self->fd, calls[i].number, self->leases[0],
						     0));
		/* It may have its own, with the same handle. */
		EXPECT_EQ(0, box_ack(self->fd, box_lease(self->fd)));
		_exit(0);
	}
	child_done(pid);
	EXPECT_EQ(1, box_stat(self->fd).received);
	expect_leased(self);
}

TEST_F(lease_call, without_the_right_to_receive_is_eacces)
{
	static const __u32 rights[] = { MAILBOX_RIGHT_SEND, MAILBOX_RIGHT_MANAGE,
					MAILBOX_RIGHT_SEND | MAILBOX_RIGHT_MANAGE };
	unsigned int j;

	for (j = 0; j < ARRAY_SIZE(rights); j++) {
		int fd = box_open(self->device, self->id, NULL, rights[j]);
		char data[8];
		struct mailbox_receive receive = leasing_args(data, sizeof(data));

		ASSERT_LE(0, fd);
		for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
			EXPECT_REFUSED(self->device, self->fd, EACCES,
				       box_end_timed(fd, calls[i].number, self->leases[0], 0));
		EXPECT_REFUSED(self->device, self->fd, EACCES, box_receive(fd, &receive));
		close(fd);
	}
	expect_leased(self);
}

TEST_F(lease_call, a_time_is_not_for_ack)
{
	static const __u64 times[] = { 1, SECOND, 1ULL << 63, UINT64_MAX };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(times); i++)
		EXPECT_REFUSED(self->device, self->fd, EINVAL,
			       box_end_timed(self->fd, MAILBOX_IOC_ACK, self->leases[0], times[i]));
	expect_leased(self);
}

TEST_F(lease_call, of_a_destroyed_mailbox_is_eidrm)
{
	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		EXPECT_EQ(-EIDRM, box_end_timed(self->fd, calls[i].number, self->leases[0], 0));
}

TEST_F(lease_call, an_array_that_cannot_be_read)
{
	void *places[] = {
		NULL,	     hole_new(8), kernel_address(), (void *)-(uintptr_t)8,
		edge_new(7), edge_new(0),
	};
	unsigned int j;

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		for (j = 0; j < ARRAY_SIZE(places); j++) {
			struct mailbox_lease args = lease_args(places[j], 1);

			EXPECT_REFUSED(self->device, self->fd, EFAULT,
				       call(self->fd, calls[i].number, &args));
		}
	}
	expect_leased(self);
}

/* All of it first, or one after the other: nothing in between. */
TEST_F(lease_call, an_array_that_can_be_read_in_part)
{
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		__u64 *leases = edge_new(2 * sizeof(*leases));
		struct mailbox_lease args = lease_args(leases, 3);
		__u64 left = calls[i].number == MAILBOX_IOC_EXTEND ? 3 : 1;
		int ret;

		leases[0] = self->leases[0];
		leases[1] = self->leases[1];
		ret = call(self->fd, calls[i].number, &args);
		if (ret) {
			EXPECT_EQ(-EFAULT, ret);
			expect_leased(self);
		} else {
			EXPECT_EQ(2, args.done);
			EXPECT_EQ(EFAULT, args.error);
			EXPECT_EQ(left, box_stat(self->fd).leased);
		}
		renew(self);
	}
}

TEST_F(lease_call, an_array_that_ends_at_a_page_edge_is_fine)
{
	__u64 *leases = edge_new(sizeof(self->leases));
	struct mailbox_lease args = lease_args(leases, 3);

	memcpy(leases, self->leases, sizeof(self->leases));
	EXPECT_EQ(0, call(self->fd, MAILBOX_IOC_ACK, &args));
	EXPECT_EQ(3, args.done);
}

/* Nothing is written to it. */
TEST_F(lease_call, an_array_that_can_only_be_read_is_fine)
{
	struct mailbox_lease args = lease_args(readonly_new(self->leases, sizeof(self->leases)), 3);

	EXPECT_EQ(0, call(self->fd, MAILBOX_IOC_ACK, &args));
	EXPECT_EQ(3, args.done);
}

TEST_F(lease_call, an_answer_that_cannot_be_written)
{
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		struct mailbox_lease args = lease_args(self->leases, 3);

		EXPECT_REFUSED(self->device, self->fd, EFAULT,
			       call(self->fd, calls[i].number, readonly_new(&args, sizeof(args))));
	}
	expect_leased(self);
}

TEST_F(lease_call, a_number_that_cannot_be_told_is_no_lease)
{
	char data[8];
	struct mailbox_receive args = leasing_args(data, sizeof(data));
	size_t page = sysconf(_SC_PAGESIZE);
	char *pages =
		mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *start = pages + page - offsetof(struct mailbox_receive, lease);

	ASSERT_TRUE(pages != MAP_FAILED);
	EXPECT_REFUSED(self->device, self->fd, EFAULT,
		       box_receive(self->fd, readonly_new(&args, sizeof(args))));
	memcpy(start, &args, sizeof(args));
	ASSERT_EQ(0, mprotect(pages + page, page, PROT_READ));
	EXPECT_REFUSED(self->device, self->fd, EFAULT, box_receive(self->fd, (void *)start));
	args.data = user_pointer(hole_new(8));
	EXPECT_REFUSED(self->device, self->fd, EFAULT, box_receive(self->fd, &args));
	expect_delivered(self->fd, "d", 0);
}

TEST_F(lease_call, a_peek_takes_no_lease)
{
	char data[8];
	struct mailbox_receive args = leasing_args(data, sizeof(data));

	args.flags |= MAILBOX_PEEK;
	EXPECT_REFUSED(self->device, self->fd, EINVAL, box_receive(self->fd, &args));
	/* Nor where there is nothing and it might wait. */
	args.flags &= ~MAILBOX_NONBLOCK;
	args.select = MAILBOX_SELECT_TYPE;
	args.match = 99;
	EXPECT_REFUSED(self->device, self->fd, EINVAL, box_receive(self->fd, &args));
	args.flags = MAILBOX_NONBLOCK | MAILBOX_LEASE;
	args.select = MAILBOX_SELECT_INDEX;
	args.match = 0;
	EXPECT_REFUSED(self->device, self->fd, EINVAL, box_receive(self->fd, &args));
}

TEST_F(lease_call, a_structure_without_the_member_takes_no_lease)
{
	const __u32 first = offsetof(struct mailbox_receive, lease);
	const __u32 end = offsetof(struct mailbox_receive, missed);
	char data[8];
	__u32 size;

	for (size = first; size < end; size++) {
		struct mailbox_receive args = leasing_args(data, sizeof(data));

		args.size = size;
		EXPECT_REFUSED(self->device, self->fd, EINVAL, box_receive(self->fd, &args));
		args.flags &= ~MAILBOX_NONBLOCK;
		EXPECT_REFUSED(self->device, self->fd, EINVAL, box_receive(self->fd, &args));
	}
	for (size = first; size < end; size += 4) {
		struct mailbox_receive args = receive_args(data, sizeof(data));

		args.size = size;
		EXPECT_EQ(0, box_receive(self->fd, &args));
		EXPECT_EQ(POISON64, args.lease);
		EXPECT_EQ(0, args.deliveries);
	}
	expect_leased(self);
}

TEST_F(lease_call, a_longer_structure_takes_one)
{
	struct {
		struct mailbox_receive args;
		__u64 more[4];
	} longer = { .args = { .size = 0 } };
	char data[8];

	longer.args = leasing_args(data, sizeof(data));
	longer.args.size = sizeof(longer);
	longer.more[3] = 1;
	EXPECT_REFUSED(self->device, self->fd, E2BIG, box_receive(self->fd, &longer.args));
	longer.more[3] = 0;
	ASSERT_EQ(0, box_receive(self->fd, &longer.args));
	EXPECT_EQ(0, box_ack(self->fd, longer.args.lease));
}

TEST_F(lease_call, a_flag_of_receive_and_nothing_else)
{
	struct mailbox_create create = create_args();
	struct mailbox_send send = send_args("x", 1);

	create.flags = MAILBOX_LEASE;
	send.flags |= MAILBOX_LEASE;
	EXPECT_REFUSED(self->device, self->fd, EOPNOTSUPP, box_create(self->device, &create));
	EXPECT_REFUSED(self->device, self->fd, EOPNOTSUPP, box_send(self->fd, &send));
}

TEST_HARNESS_MAIN
