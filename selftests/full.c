// SPDX-License-Identifier: GPL-2.0
/*
 * What happens when a mailbox is full, by capacity and by rule. Waiting itself is in
 * wait.c; here "would wait" is seen by EAGAIN.
 */
#include "common_notify.h"

FIXTURE(full)
{
	int device;
	struct mailbox_create args;
};

FIXTURE_SETUP(full)
{
	self->device = device_open();
	self->args = create_args();
}

FIXTURE_TEARDOWN(full)
{
	close(self->device);
}

static int create(FIXTURE_DATA(full) * self)
{
	int fd = box_create(self->device, &self->args);

	ASSERT_LE(0, fd);
	return fd;
}

static void expect_next(int fd, const char *expected)
{
	char text[32];

	EXPECT_EQ(strlen(expected), box_receive_text(fd, text, sizeof(text)));
	EXPECT_STREQ(expected, text);
}

TEST_F(full, by_messages)
{
	int fd, i;

	self->args.max_messages = 3;
	fd = create(self);
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, box_send_text(fd, "x", 0, 0));
	EXPECT_REFUSED(self->device, fd, EAGAIN, box_send_text(fd, "x", 0, 0));
	/* No priority buys room, and nothing takes up room too. */
	EXPECT_REFUSED(self->device, fd, EAGAIN, box_send_text(fd, "", 0, 9));
	expect_next(fd, "x");
	EXPECT_EQ(0, box_send_text(fd, "x", 0, 0));
	EXPECT_EQ(-EAGAIN, box_send_text(fd, "x", 0, 0));
	close(fd);
}

TEST_F(full, a_refused_send_uses_no_sequence_number)
{
	struct mailbox_send args = send_args("x", 1);
	int fd;

	self->args.max_messages = 1;
	fd = create(self);
	ASSERT_EQ(0, box_send(fd, &args));
	EXPECT_EQ(-EAGAIN, box_send(fd, &args));
	EXPECT_EQ(-EAGAIN, box_send(fd, &args));
	expect_next(fd, "x");
	EXPECT_EQ(0, box_send(fd, &args));
	EXPECT_EQ(2, args.sequence);
	close(fd);
}

TEST_F(full, by_bytes)
{
	char data[100] = { 0 };
	int fd;

	self->args.max_bytes = 100;
	fd = create(self);
	ASSERT_EQ(0, box_send_data(fd, data, 60));
	EXPECT_REFUSED(self->device, fd, EAGAIN, box_send_data(fd, data, 41));
	EXPECT_EQ(0, box_send_data(fd, data, 40));
	EXPECT_EQ(-EAGAIN, box_send_data(fd, data, 1));
	/* Nothing needs no bytes. */
	EXPECT_EQ(0, box_send_data(fd, data, 0));
	EXPECT_EQ(100, box_stat(fd).bytes);
	close(fd);
}

TEST_F(full, refuses_at_once_even_a_call_that_would_wait)
{
	struct mailbox_send args = send_args("x", 1);
	int fd;

	self->args.on_full = MAILBOX_ON_FULL_REFUSE;
	self->args.max_messages = 1;
	fd = create(self);
	ASSERT_EQ(0, box_send(fd, &args));
	args.flags = 0;
	EXPECT_REFUSED(self->device, fd, EAGAIN, box_send(fd, &args));
	args.flags = MAILBOX_DEADLINE;
	args.deadline = far_future();
	EXPECT_REFUSED(self->device, fd, EAGAIN, box_send(fd, &args));
	close(fd);
}

TEST_F(full, overwrites_the_oldest_whatever_its_priority)
{
	struct mailbox_stat stat;
	int fd;

	self->args.on_full = MAILBOX_ON_FULL_OVERWRITE;
	self->args.max_messages = 3;
	fd = create(self);
	ASSERT_EQ(0, box_send_text(fd, "oldest", 0, 9));
	ASSERT_EQ(0, box_send_text(fd, "older", 0, 5));
	ASSERT_EQ(0, box_send_text(fd, "old", 0, 1));
	ASSERT_EQ(0, box_send_text(fd, "new", 0, 0));
	ASSERT_EQ(0, box_send_text(fd, "newest", 0, 7));
	stat = box_stat(fd);
	EXPECT_EQ(3, stat.messages);
	EXPECT_EQ(5, stat.sent);
	EXPECT_EQ(2, stat.overwritten);
	expect_next(fd, "newest");
	expect_next(fd, "old");
	expect_next(fd, "new");
	close(fd);
}

TEST_F(full, overwrites_as_many_as_the_bytes_take)
{
	struct mailbox_stat stat;
	char data[100] = { 0 };
	int fd, i;

	self->args.on_full = MAILBOX_ON_FULL_OVERWRITE;
	self->args.max_bytes = 100;
	fd = create(self);
	for (i = 0; i < 5; i++)
		ASSERT_EQ(0, box_send_data(fd, data, 20));
	/* 50 more need three of the 20. */
	ASSERT_EQ(0, box_send_data(fd, data, 50));
	stat = box_stat(fd);
	EXPECT_EQ(3, stat.overwritten);
	EXPECT_EQ(3, stat.messages);
	EXPECT_EQ(90, stat.bytes);
	ASSERT_EQ(0, box_send_data(fd, data, 100));
	stat = box_stat(fd);
	EXPECT_EQ(6, stat.overwritten);
	EXPECT_EQ(1, stat.messages);
	EXPECT_EQ(100, stat.bytes);
	close(fd);
}

TEST_F(full, a_send_that_fails_overwrites_nothing)
{
	char data[101] = { 0 };
	int fd;

	self->args.on_full = MAILBOX_ON_FULL_OVERWRITE;
	self->args.max_messages = 1;
	self->args.max_bytes = 100;
	fd = create(self);
	ASSERT_EQ(0, box_send_text(fd, "stays", 0, 0));
	EXPECT_REFUSED(self->device, fd, EMSGSIZE, box_send_data(fd, data, 101));
	EXPECT_REFUSED(self->device, fd, EFAULT, box_send_data(fd, hole_new(1), 10));
	expect_next(fd, "stays");
	close(fd);
}

TEST_F(full, overwrites_hundreds_in_one_go)
{
	char *data = calloc(1, 100000);
	int fd, i;

	self->args.on_full = MAILBOX_ON_FULL_OVERWRITE;
	self->args.max_messages = 10000;
	self->args.max_bytes = 100000;
	fd = create(self);
	for (i = 0; i < 1000; i++)
		ASSERT_EQ(0, box_send_data(fd, data, 100));
	ASSERT_EQ(0, box_send_data(fd, data, 100000));
	EXPECT_EQ(1000, box_stat(fd).overwritten);
	EXPECT_EQ(1, box_stat(fd).messages);
	close(fd);
	free(data);
}

TEST_F(full, senders_in_line_move_when_a_sixteenth_is_free)
{
	const int nr = 50, free = nr / 16;
	int fd = box_new_limited(self->device, MAILBOX_ON_FULL_WAIT, nr);
	pid_t pid;
	int i;

	for (i = 0; i < nr; i++)
		ASSERT_EQ(0, box_send_text(fd, "fills", 0, 0));
	pid = child_fork();
	if (!pid) {
		struct mailbox_send args = send_args("waits", 5);

		args.flags = 0;
		EXPECT_EQ(0, box_send(fd, &args));
		_exit(0);
	}
	wait_waiters(fd, 0, 1);
	for (i = 1; i < free; i++) {
		expect_next(fd, "fills");
		EXPECT_EQ(1, box_stat(fd).senders);
		EXPECT_EQ(-EAGAIN, box_send_text(fd, "pushes in", 0, 9));
	}
	expect_next(fd, "fills");
	EXPECT_EQ(0, box_stat(fd).senders);
	child_done(pid);
	/* With nobody in line each free place will do. */
	for (i = 1; i < free; i++)
		EXPECT_EQ(0, box_send_text(fd, "new", 0, 0));
	EXPECT_EQ(-EAGAIN, box_send_text(fd, "one too many", 0, 0));
	close(fd);
}

/* Somebody who wants what is not there lets them in too, and then there may be more room. */
TEST_F(full, who_polls_for_room_is_woken_when_the_line_has_gone_in)
{
	int fd = box_new_limited(self->device, MAILBOX_ON_FULL_WAIT, 48), told = eventfd_new(), i;
	char text[8];
	struct mailbox_receive args = receive_args(text, sizeof(text));
	pid_t pid;

	for (i = 0; i < 48; i++)
		ASSERT_EQ(0, box_send_text(fd, "fills", 0, 0));
	pid = child_fork();
	if (!pid) {
		struct mailbox_send send = send_args("waits", 5);

		send.flags = 0;
		EXPECT_EQ(0, box_send(fd, &send));
		_exit(0);
	}
	wait_waiters(fd, 0, 1);
	expect_next(fd, "fills");
	expect_next(fd, "fills");
	EXPECT_EQ(1, box_stat(fd).senders);
	EXPECT_EQ(0, poll_now(fd, POLLOUT));
	box_notify(fd, MAILBOX_EVENT_ROOM, told);
	args.select = MAILBOX_SELECT_TYPE;
	args.match = 7;
	EXPECT_EQ(-EAGAIN, box_receive(fd, &args));
	child_done(pid);
	EXPECT_EQ(POLLOUT, poll_now(fd, POLLOUT));
	EXPECT_EQ(POLLIN, poll_now(told, POLLIN));
	close(told);
	close(fd);
}

static pid_t receiver_of_type(int fd, __u32 flags, int expected)
{
	pid_t pid = child_fork();

	if (!pid) {
		char text[8];
		struct mailbox_receive args = leasing_args(text, sizeof(text));

		args.flags = flags;
		args.select = MAILBOX_SELECT_TYPE;
		args.match = 2;
		EXPECT_EQ(expected, box_receive(fd, &args));
		_exit(0);
	}
	return pid;
}

/* It would stay; who takes it for good gets it, though the other has waited longer. */
TEST_F(full, what_there_is_no_room_for_is_not_for_a_lease)
{
	int fd = box_new_limited(self->device, MAILBOX_ON_FULL_WAIT, 1);
	pid_t leases, takes;

	ASSERT_EQ(0, box_send_text(fd, "fills", 1, 0));
	leases = receiver_of_type(fd, MAILBOX_LEASE, -EIDRM);
	wait_waiters(fd, 1, 0);
	takes = receiver_of_type(fd, 0, 0);
	wait_waiters(fd, 2, 0);
	EXPECT_EQ(0, box_send_text(fd, "handed", 2, 0));
	EXPECT_EQ(1, box_stat(fd).receivers);
	child_done(takes);
	EXPECT_EQ(1, box_stat(fd).messages);
	ASSERT_EQ(0, box_destroy(fd, 0, NULL));
	child_done(leases);
	close(fd);
}

TEST_F(full, unbounded_holds_more_than_any_default)
{
	int fd, i;

	self->args.capacity = MAILBOX_CAPACITY_UNBOUNDED;
	fd = create(self);
	for (i = 0; i < 3000; i++)
		ASSERT_EQ(0, box_send_text(fd, "x", 0, 0));
	EXPECT_EQ(3000, box_stat(fd).messages);
	close(fd);
}

TEST_F(full, rendezvous_without_a_receiver_is_eagain)
{
	int fd;

	self->args.capacity = MAILBOX_CAPACITY_RENDEZVOUS;
	fd = create(self);
	EXPECT_REFUSED(self->device, fd, EAGAIN, box_send_text(fd, "x", 0, 0));
	close(fd);
}

TEST_F(full, rendezvous_that_refuses_does_not_wait)
{
	struct mailbox_send args = send_args("x", 1);
	int fd;

	self->args.capacity = MAILBOX_CAPACITY_RENDEZVOUS;
	self->args.on_full = MAILBOX_ON_FULL_REFUSE;
	fd = create(self);
	args.flags = 0;
	EXPECT_REFUSED(self->device, fd, EAGAIN, box_send(fd, &args));
	close(fd);
}

TEST_F(full, rendezvous_waits_until_the_message_is_received)
{
	unsigned int *done = flag_new();
	char text[16];
	pid_t pid;
	int fd;

	self->args.capacity = MAILBOX_CAPACITY_RENDEZVOUS;
	fd = create(self);
	pid = child_fork();
	if (!pid) {
		struct mailbox_send args = send_args("met", 3);

		args.flags = 0;
		EXPECT_EQ(0, box_send(fd, &args));
		EXPECT_EQ(1, args.sequence);
		flag_raise(done);
		_exit(0);
	}
	wait_waiters(fd, 0, 1);
	wait_sleeping(pid, pid);
	EXPECT_EQ(0, __atomic_load_n(done, __ATOMIC_ACQUIRE));
	EXPECT_EQ(0, box_stat(fd).sent);
	expect_next(fd, "met");
	child_done(pid);
	EXPECT_EQ(1, box_stat(fd).sent);
	EXPECT_EQ(1, box_stat(fd).received);
	EXPECT_EQ(-EAGAIN, box_receive_text(fd, text, sizeof(text)));
	close(fd);
}

static __u64 number_seen(int fd, __u32 flags)
{
	char data[16];
	struct mailbox_receive args = receive_args(data, sizeof(data));

	args.flags |= flags;
	EXPECT_EQ(0, box_receive(fd, &args));
	return args.sequence;
}

/* Whoever looks knows a message by its number, also when its sender gives up. */
TEST_F(full, rendezvous_gives_no_number_twice)
{
	__u64 seen;
	pid_t pid;
	int fd, i;

	self->args.capacity = MAILBOX_CAPACITY_RENDEZVOUS;
	fd = create(self);
	for (i = 0; i < 2; i++) {
		pid = child_fork();
		if (!pid) {
			EXPECT_EQ(1, write(fd, "x", 1));
			_exit(0);
		}
		wait_waiters(fd, 0, 1);
		if (!i) {
			seen = number_seen(fd, MAILBOX_PEEK);
			child_kill(pid);
		}
	}
	EXPECT_NE(seen, number_seen(fd, 0));
	child_done(pid);
	close(fd);
}

TEST_F(full, rendezvous_does_not_wait_when_a_receiver_does)
{
	pid_t pid;
	int fd;

	self->args.capacity = MAILBOX_CAPACITY_RENDEZVOUS;
	fd = create(self);
	pid = child_fork();
	if (!pid) {
		char data[16];
		struct mailbox_receive args = receive_args(data, sizeof(data));

		args.flags = 0;
		args.select = MAILBOX_SELECT_TYPE;
		args.match = 7;
		EXPECT_EQ(0, box_receive(fd, &args));
		EXPECT_EQ(3, args.length);
		_exit(0);
	}
	wait_waiters(fd, 1, 0);
	/* It waits, but for something else. */
	EXPECT_EQ(-EAGAIN, box_send_text(fd, "no", 6, 0));
	EXPECT_EQ(0, box_send_text(fd, "yes", 7, 0));
	child_done(pid);
	close(fd);
}

TEST_F(full, a_waiting_receiver_needs_no_room)
{
	pid_t pid;
	int fd;

	self->args.max_messages = 1;
	fd = create(self);
	ASSERT_EQ(0, box_send_text(fd, "fills", 1, 0));
	pid = child_fork();
	if (!pid) {
		char data[16];
		struct mailbox_receive args = receive_args(data, sizeof(data));

		args.flags = 0;
		args.select = MAILBOX_SELECT_TYPE;
		args.match = 2;
		EXPECT_EQ(0, box_receive(fd, &args));
		_exit(0);
	}
	wait_waiters(fd, 1, 0);
	EXPECT_EQ(-EAGAIN, box_send_text(fd, "other", 3, 0));
	EXPECT_EQ(0, box_send_text(fd, "wanted", 2, 0));
	child_done(pid);
	EXPECT_EQ(1, box_stat(fd).messages);
	close(fd);
}

TEST_HARNESS_MAIN
