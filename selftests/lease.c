// SPDX-License-Identifier: GPL-2.0
/*
 * Leases: a message that is leased is hidden, and is there again or gone when its lease
 * ends. Other ends of a lease are in lease_time.c and lease_holder.c, what the calls
 * refuse in lease_call.c.
 */
#include "common.h"

FIXTURE(lease)
{
	int device;
	int fd;
};

FIXTURE_SETUP(lease)
{
	self->device = device_open();
	self->fd = box_new(self->device);
}

FIXTURE_TEARDOWN(lease)
{
	close(self->fd);
	close(self->device);
}

static void expect_counts(int fd, __u64 messages, __u64 leased, __u64 received, __u64 redelivered)
{
	struct mailbox_stat stat = box_stat(fd);

	EXPECT_EQ(messages, stat.messages);
	EXPECT_EQ(leased, stat.leased);
	EXPECT_EQ(received, stat.received);
	EXPECT_EQ(redelivered, stat.redelivered);
}

TEST_F(lease, answers_what_any_receive_does)
{
	struct mailbox_send send = send_args("first", 5);
	char data[8] = { 0 };
	struct mailbox_receive args = leasing_args(data, sizeof(data));

	send.type = 11;
	send.priority = 22;
	send.flags |= MAILBOX_EXPIRES;
	send.expiry = far_future();
	ASSERT_EQ(0, box_send(self->fd, &send));
	ASSERT_EQ(0, box_receive(self->fd, &args));
	EXPECT_STREQ("first", data);
	EXPECT_EQ(5, args.length);
	EXPECT_EQ(22, args.priority);
	EXPECT_EQ(11, args.type);
	EXPECT_EQ(1, args.sequence);
	EXPECT_EQ(send.expiry, args.expiry);
	EXPECT_EQ(getpid(), args.pid);
	EXPECT_EQ(syscall(SYS_gettid), args.tid);
	EXPECT_EQ(geteuid(), args.uid);
	EXPECT_EQ(getegid(), args.gid);
	EXPECT_EQ(0, args.result);
	EXPECT_EQ(0, args.deliveries);
	EXPECT_GE(now_ns(), args.time);
	EXPECT_NE(POISON64, args.lease);
}

TEST_F(lease, hides_the_message_from_every_look)
{
	struct mailbox_receive peek = receive_args(NULL, 0);
	char data[8];
	struct mailbox_receive again = leasing_args(data, sizeof(data));

	ASSERT_EQ(0, box_send_text(self->fd, "x", 7, 0));
	EXPECT_EQ(POLLIN, poll_now(self->fd, POLLIN));
	box_lease(self->fd);
	EXPECT_EQ(0, poll_now(self->fd, POLLIN));
	expect_nothing(self->fd);
	EXPECT_EQ(-EAGAIN, box_receive(self->fd, &again));
	peek.flags |= MAILBOX_PEEK | MAILBOX_TRUNCATE;
	EXPECT_EQ(-EAGAIN, box_receive(self->fd, &peek));
	peek.select = MAILBOX_SELECT_INDEX;
	EXPECT_EQ(-EAGAIN, box_receive(self->fd, &peek));
	peek.select = MAILBOX_SELECT_TYPE;
	peek.match = 7;
	EXPECT_EQ(-EAGAIN, box_receive(self->fd, &peek));
	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(-1, read(self->fd, data, sizeof(data)));
	EXPECT_EQ(EAGAIN, errno);
	expect_counts(self->fd, 1, 1, 0, 0);
}

TEST_F(lease, of_others_does_not_count_for_an_index)
{
	struct mailbox_receive peek = receive_args(NULL, 0);
	int i;

	for (i = 0; i < 5; i++)
		ASSERT_EQ(0, box_send_text(self->fd, "x", i, 0));
	box_lease_type(self->fd, 0);
	box_lease_type(self->fd, 2);
	peek.flags |= MAILBOX_PEEK | MAILBOX_TRUNCATE;
	peek.select = MAILBOX_SELECT_INDEX;
	for (i = 0; i < 3; i++) {
		static const __u64 sequences[] = { 2, 4, 5 };

		peek.match = i;
		ASSERT_EQ(0, box_receive(self->fd, &peek));
		EXPECT_EQ(sequences[i], peek.sequence);
	}
	peek.match = 3;
	EXPECT_EQ(-EAGAIN, box_receive(self->fd, &peek));
}

TEST_F(lease, bytes_stay_until_it_is_acknowledged)
{
	__u64 lease;

	ASSERT_EQ(0, box_send_text(self->fd, "four", 0, 0));
	lease = box_lease(self->fd);
	EXPECT_EQ(4, box_stat(self->fd).bytes);
	ASSERT_EQ(0, box_ack(self->fd, lease));
	EXPECT_EQ(0, box_stat(self->fd).bytes);
}

TEST_F(lease, ack_is_the_end_of_the_message)
{
	__u64 lease;

	ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	lease = box_lease(self->fd);
	expect_counts(self->fd, 1, 1, 0, 0);
	EXPECT_EQ(0, box_ack(self->fd, lease));
	expect_counts(self->fd, 0, 0, 1, 0);
	expect_nothing(self->fd);
	EXPECT_EQ(-ESTALE, box_ack(self->fd, lease));
}

TEST_F(lease, nack_brings_it_back_at_once)
{
	__u64 lease;

	ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	lease = box_lease(self->fd);
	EXPECT_EQ(0, box_nack(self->fd, lease, 0));
	expect_counts(self->fd, 1, 0, 0, 1);
	EXPECT_EQ(POLLIN, poll_now(self->fd, POLLIN));
	EXPECT_EQ(-ESTALE, box_nack(self->fd, lease, 0));
	EXPECT_EQ(-ESTALE, box_ack(self->fd, lease));
	EXPECT_EQ(-ESTALE, box_extend(self->fd, lease, 0));
	expect_delivered(self->fd, "x", 1);
	expect_counts(self->fd, 0, 0, 1, 1);
}

TEST_F(lease, each_delivery_is_counted_and_told)
{
	char data[8];
	struct mailbox_receive args = receive_args(data, sizeof(data));
	unsigned int i;

	ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	for (i = 0; i < 10; i++) {
		struct mailbox_receive leased =
			box_lease_select(self->fd, MAILBOX_SELECT_FIRST, 0, 0);

		EXPECT_EQ(i, leased.deliveries);
		EXPECT_EQ(1, leased.sequence);
		ASSERT_EQ(0, box_nack(self->fd, leased.lease, 0));
		/* To look at it is no delivery. */
		args.flags = MAILBOX_NONBLOCK | MAILBOX_PEEK;
		ASSERT_EQ(0, box_receive(self->fd, &args));
		EXPECT_EQ(i + 1, args.deliveries);
	}
	EXPECT_EQ(10, box_stat(self->fd).redelivered);
	expect_delivered(self->fd, "x", 10);
}

/* Mailboxes use again the memory of messages that are gone. */
TEST_F(lease, a_new_message_was_never_delivered)
{
	unsigned int i;

	for (i = 0; i < 20; i++) {
		struct mailbox_receive leased;

		ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
		leased = box_lease_select(self->fd, MAILBOX_SELECT_FIRST, 0, 0);
		ASSERT_EQ(0, leased.deliveries);
		ASSERT_EQ(0, box_nack(self->fd, leased.lease, 0));
		expect_delivered(self->fd, "x", 1);
		ASSERT_EQ(0, box_send_text(self->fd, "y", 0, 0));
		expect_delivered(self->fd, "y", 0);
	}
}

/* As exact beyond 16 bits as below. */
TEST_F_TIMEOUT(lease, deliveries_have_no_end, 60)
{
	const unsigned int nr = 65536 + 10;
	unsigned int i;

	ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	for (i = 0; i < nr; i++)
		ASSERT_EQ(0, box_nack(self->fd, box_lease(self->fd), 0));
	EXPECT_EQ(nr, box_stat(self->fd).redelivered);
	expect_delivered(self->fd, "x", nr);
}

TEST_F(lease, extend_keeps_it)
{
	__u64 lease;

	ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	lease = box_lease(self->fd);
	EXPECT_EQ(0, box_extend(self->fd, lease, 3600 * SECOND));
	expect_counts(self->fd, 1, 1, 0, 0);
	EXPECT_EQ(0, box_extend(self->fd, lease, UINT64_MAX));
	EXPECT_EQ(0, box_extend(self->fd, lease, 0));
	expect_counts(self->fd, 1, 1, 0, 0);
	EXPECT_EQ(0, box_ack(self->fd, lease));
}

TEST_F(lease, each_has_a_number_of_its_own_for_ever)
{
	enum { NR = 200, ROUNDS = 5 };
	__u64 all[NR * ROUNDS];
	int i, j, round;

	for (i = 0; i < NR; i++)
		ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	for (round = 0; round < ROUNDS; round++) {
		__u64 *leases = all + round * NR;

		for (i = 0; i < NR; i++)
			leases[i] = box_lease(self->fd);
		for (i = 0; i < NR; i++)
			ASSERT_EQ(0, box_nack(self->fd, leases[i], 0));
	}
	for (i = 0; i < NR * ROUNDS; i++)
		for (j = 0; j < i; j++)
			ASSERT_NE(all[i], all[j]);
	for (i = 0; i < NR; i++)
		box_lease(self->fd);
	for (i = 0; i < NR * ROUNDS; i++)
		ASSERT_EQ(-ESTALE, box_ack(self->fd, all[i]));
	EXPECT_EQ(NR, box_stat(self->fd).leased);
}

TEST_F(lease, a_plain_receive_of_what_came_back_is_the_end)
{
	char data[8];

	ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	ASSERT_EQ(0, box_nack(self->fd, box_lease(self->fd), 0));
	EXPECT_EQ(1, read(self->fd, data, sizeof(data)));
	expect_counts(self->fd, 0, 0, 1, 1);
}

TEST_F(lease, others_are_received_meanwhile)
{
	__u64 lease;

	ASSERT_EQ(0, box_send_text(self->fd, "first", 0, 0));
	ASSERT_EQ(0, box_send_text(self->fd, "second", 0, 0));
	lease = box_lease(self->fd);
	EXPECT_EQ(POLLIN, poll_now(self->fd, POLLIN));
	expect_delivered(self->fd, "second", 0);
	EXPECT_EQ(0, poll_now(self->fd, POLLIN));
	expect_counts(self->fd, 1, 1, 1, 0);
	ASSERT_EQ(0, box_ack(self->fd, lease));
	expect_counts(self->fd, 0, 0, 2, 0);
}

TEST_F(lease, goes_by_selection)
{
	struct mailbox_receive args;
	char data[8];
	pid_t pid = child_fork();

	if (!pid) {
		ASSERT_EQ(0, box_send_text(self->fd, "child", 4, 0));
		_exit(0);
	}
	child_done(pid);
	ASSERT_EQ(0, box_send_text(self->fd, "mine", 5, 0));
	ASSERT_EQ(0, box_send_text(self->fd, "urgent", 6, 9));
	EXPECT_EQ(1, box_lease_select(self->fd, MAILBOX_SELECT_SENDER, pid, 0).sequence);
	EXPECT_EQ(2, box_lease_select(self->fd, MAILBOX_SELECT_TYPE_NOT, 6, 0).sequence);
	args = leasing_args(data, sizeof(data));
	args.select = MAILBOX_SELECT_TYPE_UP_TO;
	args.match = 5;
	EXPECT_EQ(-EAGAIN, box_receive(self->fd, &args));
	EXPECT_EQ(3, box_lease_select(self->fd, MAILBOX_SELECT_PRIORITY, 9, 0).sequence);
	expect_counts(self->fd, 3, 3, 0, 0);
}

/* It is found again by whatever it could be found by before. */
TEST_F(lease, that_went_back_can_be_selected)
{
	static const struct {
		__u32 select;
		__u64 match;
	} cases[] = {
		{ MAILBOX_SELECT_TYPE, 5 },	{ MAILBOX_SELECT_TYPE_UP_TO, 6 },
		{ MAILBOX_SELECT_TYPE_NOT, 9 }, { MAILBOX_SELECT_PRIORITY, 3 },
		{ MAILBOX_SELECT_SENDER, 0 },
	};
	unsigned int i;

	ASSERT_EQ(0, box_send_text(self->fd, "other", 9, 3));
	ASSERT_EQ(0, box_nack(self->fd, box_lease(self->fd), 0));
	ASSERT_EQ(0, box_nack(self->fd, box_lease_type(self->fd, 9), 0));
	ASSERT_EQ(0, box_send_text(self->fd, "x", 5, 4));
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		__u64 match = cases[i].match;
		struct mailbox_receive args;

		if (cases[i].select == MAILBOX_SELECT_SENDER)
			match = getpid();
		args = box_lease_select(self->fd, cases[i].select, match, 0);
		EXPECT_EQ(2, args.sequence) TH_LOG("select %u", cases[i].select);
		EXPECT_EQ(i, args.deliveries);
		ASSERT_EQ(0, box_nack(self->fd, args.lease, 0));
	}
	expect_delivered(self->fd, "x", ARRAY_SIZE(cases));
	expect_delivered(self->fd, "other", 2);
}

TEST_F(lease, of_a_truncated_message_loses_nothing)
{
	char data[8] = { 0 };
	struct mailbox_receive args = leasing_args(data, 3);

	ASSERT_EQ(0, box_send_text(self->fd, "whole", 0, 0));
	EXPECT_EQ(-EMSGSIZE, box_receive(self->fd, &args));
	EXPECT_EQ(5, args.length);
	expect_counts(self->fd, 1, 0, 0, 0);
	args.flags |= MAILBOX_TRUNCATE;
	args.lease = 0;
	ASSERT_EQ(0, box_receive(self->fd, &args));
	EXPECT_EQ(MAILBOX_TRUNCATED, args.result);
	EXPECT_EQ(5, args.length);
	EXPECT_EQ(0, args.deliveries);
	EXPECT_STREQ("who", data);
	ASSERT_EQ(0, box_nack(self->fd, args.lease, 0));
	expect_delivered(self->fd, "whole", 1);
}

TEST_F(lease, of_a_message_of_many_pages)
{
	enum { LENGTH = 50000 };
	char *data = malloc(LENGTH), *seen = malloc(LENGTH);
	struct mailbox_receive args = leasing_args(seen, LENGTH);
	int i;

	for (i = 0; i < LENGTH; i++)
		data[i] = i * 7 + i / 256;
	ASSERT_EQ(0, box_send_data(self->fd, data, LENGTH));
	for (i = 0; i < 3; i++) {
		poison(seen, LENGTH);
		args.lease = 0;
		ASSERT_EQ(0, box_receive(self->fd, &args));
		EXPECT_EQ(0, memcmp(data, seen, LENGTH));
		EXPECT_EQ(LENGTH, box_stat(self->fd).bytes);
		ASSERT_EQ(0, i < 2 ? box_nack(self->fd, args.lease, 0) :
				     box_ack(self->fd, args.lease));
	}
	expect_counts(self->fd, 0, 0, 1, 2);
	free(data);
	free(seen);
}

/* A child that takes one message, with or without a lease, and must get this one. */
static pid_t receiver(int fd, __u32 flags, const char *expected, __u32 deliveries)
{
	pid_t pid = child_fork();

	if (!pid) {
		char data[32] = { 0 };
		struct mailbox_receive args = leasing_args(data, sizeof(data) - 1);

		args.flags = flags;
		EXPECT_EQ(0, box_receive(fd, &args));
		EXPECT_STREQ(expected, data);
		EXPECT_EQ(deliveries, args.deliveries);
		if (flags & MAILBOX_LEASE)
			EXPECT_EQ(0, box_ack(fd, args.lease));
		_exit(0);
	}
	return pid;
}

TEST_F(lease, that_goes_back_is_handed_to_who_waits)
{
	static const __u32 flags[] = { 0, MAILBOX_LEASE };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		__u64 lease;
		pid_t pid;

		ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
		lease = box_lease(self->fd);
		pid = receiver(self->fd, flags[i], "x", 1);
		wait_waiters(self->fd, 1, 0);
		ASSERT_EQ(0, box_nack(self->fd, lease, 0));
		child_done(pid);
		expect_counts(self->fd, 0, 0, i + 1, i + 1);
	}
}

TEST_F(lease, is_what_a_waiting_receiver_asked_for)
{
	pid_t first = receiver(self->fd, MAILBOX_LEASE, "one", 0), second;

	wait_waiters(self->fd, 1, 0);
	second = receiver(self->fd, 0, "two", 0);
	wait_waiters(self->fd, 2, 0);
	ASSERT_EQ(0, box_send_text(self->fd, "one", 0, 0));
	ASSERT_EQ(0, box_send_text(self->fd, "two", 0, 0));
	child_done(first);
	child_done(second);
	expect_counts(self->fd, 0, 0, 2, 0);
}

TEST_F(lease, that_goes_back_serves_peeks_and_then_who_takes)
{
	pid_t peeker, taker;
	__u64 lease;

	ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	lease = box_lease(self->fd);
	peeker = receiver(self->fd, MAILBOX_PEEK, "x", 1);
	wait_waiters(self->fd, 1, 0);
	ASSERT_EQ(0, box_nack(self->fd, lease, 0));
	child_done(peeker);
	expect_counts(self->fd, 1, 0, 0, 1);
	lease = box_lease(self->fd);
	taker = receiver(self->fd, 0, "x", 2);
	wait_waiters(self->fd, 1, 0);
	ASSERT_EQ(0, box_nack(self->fd, lease, 0));
	child_done(taker);
}

TEST_F(lease, that_goes_back_wakes_poll)
{
	unsigned int *started = flag_new();
	__u64 lease;
	pid_t pid;

	ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	lease = box_lease(self->fd);
	pid = child_fork();
	if (!pid) {
		struct pollfd entry = { .fd = self->fd, .events = POLLIN };

		flag_raise(started);
		EXPECT_EQ(1, poll(&entry, 1, PATIENCE / 1000000));
		EXPECT_EQ(POLLIN, entry.revents);
		_exit(0);
	}
	flag_await(started, 1);
	wait_sleeping(pid, pid);
	ASSERT_EQ(0, box_nack(self->fd, lease, 0));
	child_done(pid);
}

TEST_F(lease, is_a_receive_for_who_received_last)
{
	struct mailbox_stat stat;

	ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	ASSERT_EQ(0, box_ack(self->fd, box_lease(self->fd)));
	stat = box_stat(self->fd);
	EXPECT_EQ(getpid(), stat.last_receiver);
	EXPECT_LE(stat.last_sent, stat.last_received);
}

TEST_HARNESS_MAIN
