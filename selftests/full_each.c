// SPDX-License-Identifier: GPL-2.0
/*
 * A full mailbox that lets each sender in as soon as its message fits. The others are in
 * full.c, wait.c and share.c.
 */
#include "common.h"

FIXTURE(full_each)
{
	int device;
	struct mailbox_create args;
};

FIXTURE_SETUP(full_each)
{
	self->device = device_open();
	self->args = create_args();
	self->args.on_full = MAILBOX_ON_FULL_WAIT_EACH;
}

FIXTURE_TEARDOWN(full_each)
{
	close(self->device);
}

static int create(FIXTURE_DATA(full_each) * self)
{
	int fd = box_create(self->device, &self->args);

	ASSERT_LE(0, fd);
	return fd;
}

/* A child that waits for room for so many bytes, all of them that letter. */
static pid_t sender(int fd, char letter, size_t length, int expected)
{
	__u32 waiting = box_stat(fd).senders;
	pid_t pid = child_fork();

	if (!pid) {
		struct mailbox_send args;
		char data[100];

		memset(data, letter, sizeof(data));
		args = send_args(data, length);
		args.flags = 0;
		EXPECT_EQ(expected, box_send(fd, &args));
		_exit(0);
	}
	wait_waiters(fd, -1, waiting + 1);
	wait_sleeping(pid, pid);
	return pid;
}

/* Its first letter. */
static char next(int fd)
{
	char data[100];

	EXPECT_LT(0, box_receive_text(fd, data, sizeof(data)));
	return data[0];
}

static void fill(int fd, unsigned int nr)
{
	while (nr--)
		ASSERT_EQ(0, box_send_text(fd, "x", 0, 0));
}

TEST_F(full_each, waits_as_the_usual_one_does)
{
	struct mailbox_send args = send_args("x", 1);
	pid_t pid;
	int fd;

	self->args.max_messages = 2;
	fd = create(self);
	EXPECT_EQ(MAILBOX_ON_FULL_WAIT_EACH, box_stat(fd).on_full);
	fill(fd, 2);
	EXPECT_EQ(0, poll_now(fd, POLLOUT));
	EXPECT_REFUSED(self->device, fd, EAGAIN, box_send_text(fd, "x", 0, 0));
	args.flags = MAILBOX_DEADLINE;
	args.deadline = 1;
	EXPECT_REFUSED(self->device, fd, ETIMEDOUT, box_send(fd, &args));
	pid = sender(fd, 'y', 1, -EIDRM);
	ASSERT_EQ(0, box_destroy(fd, 0, NULL));
	child_done(pid);
	close(fd);
}

/* Here the usual one would wait until a sixteenth is free. */
TEST_F(full_each, a_place_is_taken_at_once)
{
	pid_t pids[3];
	int fd, i;

	self->args.max_messages = 64;
	fd = create(self);
	fill(fd, 64);
	for (i = 0; i < 3; i++)
		pids[i] = sender(fd, 'y', 1, 0);
	for (i = 0; i < 3; i++) {
		EXPECT_EQ('x', next(fd));
		/* There is no moment at which it is not full. */
		EXPECT_EQ(64, box_stat(fd).messages);
		EXPECT_EQ(2 - i, box_stat(fd).senders);
		EXPECT_EQ(-EAGAIN, box_send_text(fd, "z", 0, 0));
		child_done(pids[i]);
	}
	close(fd);
}

TEST_F(full_each, those_that_fit_enter_in_the_order_they_came)
{
	pid_t pids[3];
	int fd, i;

	self->args.max_messages = 1;
	fd = create(self);
	fill(fd, 1);
	for (i = 0; i < 3; i++)
		pids[i] = sender(fd, 'a' + i, 1, 0);
	EXPECT_EQ('x', next(fd));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ('a' + i, next(fd));
		child_done(pids[i]);
	}
	close(fd);
}

TEST_F(full_each, a_long_message_holds_up_no_short_one)
{
	char data[100] = { 0 };
	pid_t longer, shorter;
	int fd;

	self->args.max_bytes = 100;
	fd = create(self);
	memset(data, 'x', sizeof(data));
	ASSERT_EQ(0, box_send_data(fd, data, 30));
	ASSERT_EQ(0, box_send_data(fd, data, 20));
	longer = sender(fd, 'l', 80, 0);
	/* Neither one that comes. */
	EXPECT_EQ(POLLOUT, poll_now(fd, POLLOUT));
	ASSERT_EQ(0, box_send_data(fd, data, 40));
	EXPECT_EQ(90, box_stat(fd).bytes);
	/* Nor one behind it. */
	shorter = sender(fd, 's', 35, 0);
	EXPECT_EQ('x', next(fd));
	child_done(shorter);
	EXPECT_EQ(95, box_stat(fd).bytes);
	EXPECT_EQ(1, box_stat(fd).senders);
	/* It enters when it fits. */
	EXPECT_EQ('x', next(fd));
	EXPECT_EQ(1, box_stat(fd).senders);
	EXPECT_EQ('x', next(fd));
	EXPECT_EQ(1, box_stat(fd).senders);
	EXPECT_EQ('s', next(fd));
	child_done(longer);
	EXPECT_EQ('l', next(fd));
	close(fd);
}

TEST_F(full_each, nor_does_the_share_of_its_user)
{
	char data[100] = { 0 };
	pid_t longer;
	int fd;

	self->args.max_bytes = 100;
	self->args.share = 50;
	fd = create(self);
	ASSERT_EQ(0, box_send_data(fd, data, 30));
	longer = sender(fd, 'l', 40, 0);
	EXPECT_EQ(0, box_send_data(fd, data, 20));
	EXPECT_EQ(-EAGAIN, box_send_data(fd, data, 1));
	EXPECT_EQ(1, box_stat(fd).senders);
	next(fd);
	EXPECT_EQ(1, box_stat(fd).senders);
	next(fd);
	child_done(longer);
	close(fd);
}

TEST_F(full_each, who_gives_up_lets_nobody_down)
{
	pid_t first, second;
	char data[100] = { 0 };
	int fd;

	self->args.max_bytes = 100;
	fd = create(self);
	ASSERT_EQ(0, box_send_data(fd, data, 90));
	first = sender(fd, 'f', 20, 0);
	second = sender(fd, 's', 15, 0);
	child_kill(first);
	EXPECT_EQ(1, box_stat(fd).senders);
	next(fd);
	child_done(second);
	EXPECT_EQ('s', next(fd));
	close(fd);
}

TEST_F(full_each, expired_messages_make_room)
{
	struct mailbox_send args = send_args("x", 1);
	pid_t pid;
	int fd, i;

	self->args.max_messages = 32;
	fd = create(self);
	fill(fd, 31);
	ASSERT_EQ(0, box_send_soon_expired(fd, &args));
	pid = child_fork();
	if (!pid) {
		args = send_args("y", 1);
		args.flags = 0;
		EXPECT_EQ(0, box_send(fd, &args));
		_exit(0);
	}
	child_done(pid);
	EXPECT_EQ(32, box_stat(fd).messages);
	for (i = 0; i < 31; i++)
		EXPECT_EQ('x', next(fd));
	EXPECT_EQ('y', next(fd));
	close(fd);
}

static int set_on_full(int fd, __u32 on_full)
{
	struct mailbox_set args = { .size = sizeof(args),
				    .flags = MAILBOX_SET_ON_FULL,
				    .on_full = on_full };

	return call(fd, MAILBOX_IOC_SET, &args);
}

TEST_F(full_each, set_lets_in_who_fits)
{
	pid_t pid;
	int fd;

	self->args.max_messages = 32;
	self->args.on_full = MAILBOX_ON_FULL_WAIT;
	fd = create(self);
	fill(fd, 32);
	pid = sender(fd, 'y', 1, 0);
	EXPECT_EQ('x', next(fd));
	/* A sixteenth is not free yet. */
	EXPECT_EQ(1, box_stat(fd).senders);
	ASSERT_EQ(0, set_on_full(fd, MAILBOX_ON_FULL_WAIT_EACH));
	child_done(pid);
	EXPECT_EQ(32, box_stat(fd).messages);
	close(fd);
}

TEST_F(full_each, set_keeps_who_waits_unless_nobody_waits_any_more)
{
	pid_t pid;
	int fd;

	self->args.max_messages = 1;
	fd = create(self);
	fill(fd, 1);
	pid = sender(fd, 'y', 1, -EAGAIN);
	ASSERT_EQ(0, set_on_full(fd, MAILBOX_ON_FULL_WAIT));
	ASSERT_EQ(0, set_on_full(fd, MAILBOX_ON_FULL_WAIT_EACH));
	EXPECT_EQ(1, box_stat(fd).senders);
	ASSERT_EQ(0, set_on_full(fd, MAILBOX_ON_FULL_REFUSE));
	child_done(pid);
	close(fd);
}

TEST_F(full_each, a_rendezvous_waits_for_its_receiver)
{
	pid_t pid;
	int fd;

	self->args.capacity = MAILBOX_CAPACITY_RENDEZVOUS;
	fd = create(self);
	pid = sender(fd, 'm', 3, 0);
	EXPECT_EQ('m', next(fd));
	child_done(pid);
	close(fd);
}

TEST_F(full_each, is_not_for_a_broadcast)
{
	struct state before = state_take(self->device, -1);

	self->args.policy = MAILBOX_POLICY_BROADCAST;
	EXPECT_EQ(-EINVAL, box_create(self->device, &self->args));
	EXPECT_UNCHANGED(self->device, -1, before);
}

TEST_HARNESS_MAIN
