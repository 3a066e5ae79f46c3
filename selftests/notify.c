// SPDX-License-Identifier: GPL-2.0
/*
 * NOTIFY: each event is told when it happens, and none of the others with it. What the
 * call itself takes and refuses is in notify_call.c.
 */
#include "common_notify.h"

#define MESSAGE	    MAILBOX_EVENT_MESSAGE
#define ROOM	    MAILBOX_EVENT_ROOM
#define RECEIVER    MAILBOX_EVENT_RECEIVER
#define SENDER	    MAILBOX_EVENT_SENDER
#define NO_RECEIVER MAILBOX_EVENT_NO_RECEIVER
#define NO_SENDER   MAILBOX_EVENT_NO_SENDER

FIXTURE(notify)
{
	int device;
	int fd;
	__u64 id;
	struct ears ears;
};

FIXTURE_SETUP(notify)
{
	self->device = device_open();
	self->fd = box_new_limited(self->device, MAILBOX_ON_FULL_WAIT, 2);
	self->id = box_stat(self->fd).id;
	self->ears = ears_open(self->device, self->fd);
}

FIXTURE_TEARDOWN(notify)
{
	ears_close(&self->ears);
	close(self->fd);
	close(self->device);
}

static void put(int fd)
{
	ASSERT_EQ(0, box_send_text(fd, "x", 0, 0));
}

static void take(int fd)
{
	char text[64];

	ASSERT_LE(0, box_receive_text(fd, text, sizeof(text)));
}

/* A mailbox that meets nobody by chance, with ears; the fixture's own stay out of it. */
static int rendezvous_new(FIXTURE_DATA(notify) * self, struct ears *ears)
{
	int fd = box_new_capacity(self->device, MAILBOX_CAPACITY_RENDEZVOUS);

	*ears = ears_open(self->device, fd);
	return fd;
}

static void rendezvous_done(int fd, const struct ears *ears)
{
	ears_close(ears);
	close(fd);
}

/* A child that waits for a message, until there is one. */
static pid_t receiver(int fd)
{
	int receivers = box_stat(fd).receivers;
	pid_t pid = child_fork();

	if (!pid) {
		char byte;

		EXPECT_EQ(1, read(fd, &byte, 1));
		_exit(0);
	}
	wait_waiters(fd, receivers + 1, -1);
	return pid;
}

/* One that waits for room. */
static pid_t sender(int fd)
{
	int senders = box_stat(fd).senders;
	pid_t pid = child_fork();

	if (!pid) {
		EXPECT_EQ(1, write(fd, "x", 1));
		_exit(0);
	}
	wait_waiters(fd, -1, senders + 1);
	return pid;
}

TEST_F(notify, nothing_is_told_of_what_was_before)
{
	struct ears late;

	put(self->fd);
	late = ears_open(self->device, self->fd);
	EXPECT_EQ(0, heard(&late));
	ears_close(&late);
	/* Nor of looks at the mailbox, and of handles that come and go. */
	heard(&self->ears);
	box_stat(self->fd);
	poll_now(self->fd, POLLIN);
	close(box_open(self->device, self->id, NULL, RIGHTS_ALL));
	EXPECT_EQ(0, heard(&self->ears));
}

TEST_F(notify, message_when_one_is_sent)
{
	put(self->fd);
	EXPECT_EQ(MESSAGE, heard(&self->ears));
	EXPECT_EQ(0, heard(&self->ears));
	ASSERT_EQ(1, write(self->fd, "x", 1));
	EXPECT_EQ(MESSAGE, heard(&self->ears));
}

TEST_F(notify, nothing_when_a_send_fails)
{
	put(self->fd);
	put(self->fd);
	heard(&self->ears);
	EXPECT_EQ(-EAGAIN, box_send_text(self->fd, "x", 0, 0));
	EXPECT_EQ(-EFAULT, box_send_data(self->fd, hole_new(1), 1));
	EXPECT_EQ(0, heard(&self->ears));
}

TEST_F(notify, message_when_one_is_given_back)
{
	__u64 lease;

	put(self->fd);
	lease = box_lease(self->fd);
	heard(&self->ears);
	ASSERT_EQ(0, box_nack(self->fd, lease, 0));
	EXPECT_EQ(MESSAGE, heard(&self->ears));
}

TEST_F(notify, message_when_a_delay_is_over)
{
	__u64 lease;

	put(self->fd);
	lease = box_lease(self->fd);
	ASSERT_EQ(MESSAGE, heard(&self->ears));
	ASSERT_EQ(0, box_nack(self->fd, lease, SECOND / 20));
	wait_told(self->ears.eventfd[0]);
	EXPECT_EQ(MESSAGE, heard(&self->ears));
	take(self->fd);
}

TEST_F(notify, message_when_a_lease_ends)
{
	put(self->fd);
	ASSERT_EQ(MESSAGE, heard(&self->ears));
	box_lease_timed(self->fd, SECOND / 20);
	/* Nobody looks at the mailbox meanwhile. */
	wait_told(self->ears.eventfd[0]);
	EXPECT_EQ(MESSAGE, heard(&self->ears));
	take(self->fd);
}

TEST_F(notify, message_when_its_holder_closes_the_handle)
{
	int fd = box_open(self->device, self->id, NULL, MAILBOX_RIGHT_RECEIVE);

	ASSERT_LE(0, fd);
	put(self->fd);
	box_lease(fd);
	ASSERT_EQ(MESSAGE, heard(&self->ears));
	close(fd);
	EXPECT_EQ(MESSAGE, heard(&self->ears));
}

/* It was away, and whoever looked then has not seen it. */
TEST_F(notify, message_when_it_could_not_be_copied_out)
{
	struct mailbox_receive args = receive_args(hole_new(8), 8);

	put(self->fd);
	heard(&self->ears);
	EXPECT_EQ(-EFAULT, box_receive(self->fd, &args));
	EXPECT_EQ(MESSAGE, heard(&self->ears));
}

TEST_F(notify, message_when_one_is_let_in)
{
	pid_t pid;

	put(self->fd);
	put(self->fd);
	heard(&self->ears);
	pid = sender(self->fd);
	EXPECT_EQ(SENDER, heard(&self->ears));
	take(self->fd);
	child_done(pid);
	EXPECT_EQ(MESSAGE | ROOM, heard(&self->ears));
}

TEST_F(notify, no_message_when_a_receiver_waits_for_it)
{
	pid_t pid = receiver(self->fd);

	EXPECT_EQ(RECEIVER, heard(&self->ears));
	put(self->fd);
	child_done(pid);
	/* It took up room while it was copied. */
	EXPECT_EQ(ROOM, heard(&self->ears));
}

TEST_F(notify, room_when_one_is_received)
{
	char byte;

	put(self->fd);
	put(self->fd);
	heard(&self->ears);
	take(self->fd);
	EXPECT_EQ(ROOM, heard(&self->ears));
	ASSERT_EQ(1, read(self->fd, &byte, 1));
	EXPECT_EQ(ROOM, heard(&self->ears));
}

TEST_F(notify, nothing_when_one_is_looked_at)
{
	char data[8];
	struct mailbox_receive args = receive_args(data, sizeof(data));

	put(self->fd);
	heard(&self->ears);
	args.flags |= MAILBOX_PEEK;
	ASSERT_EQ(0, box_receive(self->fd, &args));
	EXPECT_EQ(0, heard(&self->ears));
}

TEST_F(notify, room_when_one_is_acknowledged_and_not_before)
{
	__u64 lease;

	put(self->fd);
	heard(&self->ears);
	lease = box_lease(self->fd);
	EXPECT_EQ(0, heard(&self->ears));
	ASSERT_EQ(0, box_extend(self->fd, lease, SECOND));
	EXPECT_EQ(0, heard(&self->ears));
	ASSERT_EQ(0, box_ack(self->fd, lease));
	EXPECT_EQ(ROOM, heard(&self->ears));
}

TEST_F(notify, room_when_one_expires)
{
	struct mailbox_send args = send_args("x", 1);

	ASSERT_EQ(0, box_send_soon_expired(self->fd, &args));
	ASSERT_EQ(MESSAGE, heard(&self->ears));
	wait_told(self->ears.eventfd[1]);
	EXPECT_EQ(ROOM, heard(&self->ears));
}

TEST_F(notify, room_when_the_limit_is_raised)
{
	struct mailbox_set set = { .size = sizeof(set),
				   .flags = MAILBOX_SET_MAX_MESSAGES,
				   .max_messages = 3 };

	ASSERT_EQ(0, call(self->fd, MAILBOX_IOC_SET, &set));
	EXPECT_EQ(ROOM, heard(&self->ears));
}

TEST_F(notify, receiver_when_one_begins_to_wait)
{
	pid_t first = receiver(self->fd), second;

	EXPECT_EQ(RECEIVER, heard(&self->ears));
	second = receiver(self->fd);
	EXPECT_EQ(RECEIVER, heard(&self->ears));
	child_kill(first);
	child_kill(second);
	EXPECT_EQ(0, heard(&self->ears));
}

TEST_F(notify, no_receiver_begins_who_need_not_wait_or_only_looks)
{
	char data[8];
	struct mailbox_receive args = receive_args(data, sizeof(data));
	pid_t pid;

	EXPECT_EQ(-EAGAIN, box_receive(self->fd, &args));
	EXPECT_EQ(0, heard(&self->ears));
	pid = child_fork();
	if (!pid) {
		args.flags = MAILBOX_PEEK;
		_exit(box_receive(self->fd, &args));
	}
	wait_waiters(self->fd, 1, 0);
	EXPECT_EQ(0, heard(&self->ears));
	/* It looked, and did not take. */
	put(self->fd);
	child_done(pid);
	EXPECT_EQ(MESSAGE, heard(&self->ears));
}

TEST_F(notify, a_receiver_is_room_at_a_rendezvous)
{
	struct ears ears;
	int fd = rendezvous_new(self, &ears);
	pid_t pid = receiver(fd);

	EXPECT_EQ(RECEIVER | ROOM, heard(&ears));
	ASSERT_EQ(0, box_send_text(fd, "x", 0, 0));
	child_done(pid);
	EXPECT_EQ(0, heard(&ears));
	rendezvous_done(fd, &ears);
}

TEST_F(notify, a_sender_has_a_message_at_a_rendezvous)
{
	struct ears ears;
	int fd = rendezvous_new(self, &ears);
	pid_t pid = sender(fd);

	EXPECT_EQ(SENDER | MESSAGE, heard(&ears));
	take(fd);
	child_done(pid);
	EXPECT_EQ(0, heard(&ears));
	rendezvous_done(fd, &ears);
}

TEST_F(notify, no_receiver_and_no_sender_when_the_last_is_closed)
{
	int in = box_open(self->device, self->id, NULL, MAILBOX_RIGHT_RECEIVE);
	int out = box_open(self->device, self->id, NULL, MAILBOX_RIGHT_SEND);

	ASSERT_LE(0, in);
	ASSERT_LE(0, out);
	close(self->fd);
	EXPECT_EQ(0, heard(&self->ears));
	close(in);
	EXPECT_EQ(NO_RECEIVER, heard(&self->ears));
	close(out);
	EXPECT_EQ(NO_SENDER, heard(&self->ears));
	/* And again. */
	self->fd = box_open(self->device, self->id, NULL, RIGHTS_ALL);
	ASSERT_LE(0, self->fd);
	EXPECT_EQ(0, heard(&self->ears));
	close(self->fd);
	EXPECT_EQ(NO_RECEIVER | NO_SENDER, heard(&self->ears));
}

TEST_F(notify, nobody_leaves_who_never_was_there)
{
	struct mailbox_open args = { .size = sizeof(args), .rights = RIGHTS_ALL, .id = self->id };

	close(self->fd);
	ASSERT_EQ(NO_RECEIVER | NO_SENDER, heard(&self->ears));
	EXPECT_EQ(-EFAULT, call(self->device, MAILBOX_IOC_OPEN, readonly_new(&args, sizeof(args))));
	EXPECT_EQ(0, heard(&self->ears));
	self->fd = box_open(self->device, self->id, NULL, RIGHTS_ALL);
	ASSERT_LE(0, self->fd);
	close(self->fd);
	EXPECT_EQ(NO_RECEIVER | NO_SENDER, heard(&self->ears));
}

/* The only one that may receive, which waits to be killed, or ends by itself. */
static pid_t lone_receiver(FIXTURE_DATA(notify) * self, unsigned int *there, unsigned int *end)
{
	pid_t pid = child_fork();

	if (!pid) {
		int fd = box_open(self->device, self->id, NULL, MAILBOX_RIGHT_RECEIVE);

		ASSERT_LE(0, fd);
		close(self->fd);
		flag_raise(there);
		flag_await(end, 1);
		_exit(0);
	}
	flag_await(there, 1);
	close(self->fd);
	EXPECT_EQ(NO_SENDER, heard(&self->ears));
	return pid;
}

TEST_F(notify, no_receiver_when_the_last_ends)
{
	unsigned int *there = flag_new(), *end = flag_new();
	pid_t pid = lone_receiver(self, there, end);

	flag_raise(end);
	child_done(pid);
	EXPECT_EQ(NO_RECEIVER, heard(&self->ears));
}

TEST_F(notify, no_receiver_when_the_last_is_killed)
{
	unsigned int *there = flag_new(), *end = flag_new();
	pid_t pid = lone_receiver(self, there, end);

	child_kill(pid);
	EXPECT_EQ(NO_RECEIVER, heard(&self->ears));
}

TEST_F(notify, a_duplicate_keeps_the_last_handle)
{
	int copy = dup(self->fd);
	unsigned int *end = flag_new();
	pid_t pid = child_fork();

	if (!pid) {
		flag_await(end, 1);
		_exit(0);
	}
	close(self->fd);
	EXPECT_EQ(0, heard(&self->ears));
	close(copy);
	/* The child has it still. */
	EXPECT_EQ(0, heard(&self->ears));
	flag_raise(end);
	child_done(pid);
	EXPECT_EQ(NO_RECEIVER | NO_SENDER, heard(&self->ears));
}

TEST_HARNESS_MAIN
