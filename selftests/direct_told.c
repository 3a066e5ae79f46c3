// SPDX-License-Identifier: GPL-2.0
/*
 * Who is told of direct communication, and of what: an eventfd of NOTIFY on the device, and
 * POLLRDHUP, when a message has come or a process that one spoke with has ended.
 */
#include "common_direct.h"
#include "common_notify.h"

FIXTURE(direct_told)
{
	/* It is closed before the quota is looked at: it keeps an inbox. */
	int device;
	int other;
	int eventfd;
	struct mailbox_info before;
};

FIXTURE_SETUP(direct_told)
{
	self->other = device_open();
	self->before = settled_info(self->other);
	self->device = device_open();
	self->eventfd = eventfd_new();
}

FIXTURE_TEARDOWN(direct_told)
{
	close(self->device);
	wait_quota(self->other, &self->before);
	close(self->other);
	close(self->eventfd);
}

static short revents(int device)
{
	struct pollfd entry = { .fd = device, .events = POLLIN | POLLRDHUP };

	ASSERT_LE(0, poll(&entry, 1, 0));
	return entry.revents;
}

static pid_t sender_fork(int device, pid_t to)
{
	pid_t child = child_fork();

	if (!child)
		_exit(direct_send(device, to, "text") ? KSFT_FAIL : KSFT_PASS);
	return child;
}

/* Has a link with its parent, and ends when it is killed. */
static pid_t peer_fork(int device)
{
	pid_t peer = sleeper_fork();

	ASSERT_EQ(0, direct_send(device, peer, "text"));
	return peer;
}

TEST_F(direct_told, of_a_message)
{
	box_notify(self->device, MAILBOX_EVENT_MESSAGE, self->eventfd);
	EXPECT_EQ(0, told(self->eventfd));
	child_done(sender_fork(self->other, getpid()));
	EXPECT_LT(0, told(self->eventfd));
	EXPECT_DIRECT(self->device, 0, "text");
	EXPECT_EQ(0, told(self->eventfd));
}

TEST_F(direct_told, of_the_end_of_one_spoken_with)
{
	pid_t peer = peer_fork(self->other);

	box_notify(self->device, MAILBOX_EVENT_ENDED, self->eventfd);
	EXPECT_EQ(0, told(self->eventfd));
	child_kill(peer);
	wait_told(self->eventfd);
	/* So is the end of a second one. */
	EXPECT_LT(0, told(self->eventfd));
	peer = peer_fork(self->other);
	EXPECT_EQ(0, told(self->eventfd));
	child_kill(peer);
	wait_told(self->eventfd);
}

/* The answer to one event is not the answer to the other. */
TEST_F(direct_told, of_nothing_else)
{
	pid_t stranger = sleeper_fork(), peer;

	box_notify(self->device, MAILBOX_EVENT_ENDED, self->eventfd);
	child_kill(stranger);
	child_done(sender_fork(self->other, getpid()));
	EXPECT_DIRECT(self->device, 0, "text");
	/* The end of this one comes after that of the others. */
	wait_told(self->eventfd);
	EXPECT_LT(0, told(self->eventfd));

	box_notify(self->device, MAILBOX_EVENT_MESSAGE, self->eventfd);
	EXPECT_EQ(0, direct_count(self->other, getpid(), NULL));
	peer = peer_fork(self->other);
	child_kill(peer);
	while (!(revents(self->device) & POLLRDHUP))
		sched_yield();
	EXPECT_EQ(0, told(self->eventfd));
}

TEST_F(direct_told, by_poll_until_the_links_are_listed)
{
	struct mailbox_link entry;
	__u64 after = 0;
	pid_t peer;

	EXPECT_EQ(0, revents(self->device));
	peer = peer_fork(self->other);
	EXPECT_EQ(0, revents(self->device));
	child_kill(peer);
	while (!(revents(self->device) & POLLRDHUP))
		sched_yield();

	/* A walk that goes on, or fails, has not seen what is left. */
	after = 1;
	EXPECT_EQ(0, direct_links(self->other, &entry, 1, &after));
	EXPECT_EQ(POLLRDHUP, revents(self->device));
	peer = peer_fork(self->other);
	after = 0;
	EXPECT_EQ(-EFAULT, direct_links(self->other, NULL, 1, &after));
	EXPECT_EQ(POLLRDHUP, revents(self->device));

	EXPECT_EQ(1, direct_links(self->other, &entry, 1, &after));
	EXPECT_EQ(peer, entry.peer);
	EXPECT_EQ(0, revents(self->device));
	child_kill(peer);
}

TEST_F(direct_told, poll_that_waits)
{
	struct pollfd entry = { .fd = self->device, .events = POLLRDHUP };
	unsigned int *peer = flag_new();
	pid_t child = child_fork();

	if (!child) {
		pid_t pid = peer_fork(self->other);

		__atomic_store_n(peer, pid, __ATOMIC_RELEASE);
		EXPECT_EQ(1, poll(&entry, 1, PATIENCE / 1000000));
		EXPECT_EQ(POLLRDHUP, entry.revents);
		ASSERT_EQ(pid, waitpid(pid, NULL, 0));
		_exit(KSFT_PASS);
	}
	flag_await(peer, 1);
	wait_sleeping(child, child);
	ASSERT_EQ(0, kill(*peer, SIGKILL));
	child_done(child);
}

/* Whoever shares the open device hears of its own messages. */
TEST_F(direct_told, each_process_of_its_own)
{
	unsigned int *ready = flag_new(), *sent = flag_new();
	pid_t child;

	box_notify(self->device, MAILBOX_EVENT_MESSAGE, self->eventfd);
	child = child_fork();
	if (!child) {
		int eventfd = eventfd_new();

		box_notify(self->device, MAILBOX_EVENT_MESSAGE, eventfd);
		flag_raise(ready);
		flag_await(sent, 1);
		EXPECT_LT(0, told(eventfd));
		EXPECT_DIRECT(self->device, 0, "text");
		_exit(KSFT_PASS);
	}
	flag_await(ready, 1);
	ASSERT_EQ(0, direct_send(self->other, child, "text"));
	flag_raise(sent);
	child_done(child);
	EXPECT_EQ(0, told(self->eventfd));
}

TEST_F(direct_told, the_last_eventfd_until_zero)
{
	int second = eventfd_new();

	box_notify(self->device, MAILBOX_EVENT_MESSAGE, self->eventfd);
	box_notify(self->device, MAILBOX_EVENT_MESSAGE, second);
	child_done(sender_fork(self->other, getpid()));
	EXPECT_EQ(0, told(self->eventfd));
	EXPECT_LT(0, told(second));
	/* A call that fails leaves it as it was. */
	EXPECT_EQ(-EINVAL, box_notify_try(self->device, MAILBOX_EVENT_MESSAGE, self->device));
	EXPECT_EQ(-EINVAL, box_notify_try(self->device, MAILBOX_EVENT_ROOM, self->eventfd));
	child_done(sender_fork(self->other, getpid()));
	EXPECT_LT(0, told(second));
	box_notify(self->device, 0, -1);
	child_done(sender_fork(self->other, getpid()));
	EXPECT_EQ(0, told(second));
	close(second);
	EXPECT_DIRECT(self->device, 0, "text");
	EXPECT_DIRECT(self->device, 0, "text");
	EXPECT_DIRECT(self->device, 0, "text");
}

TEST_F(direct_told, nobody_has_asked_to_be)
{
	box_notify(self->device, 0, -1);
	EXPECT_EQ(self->before.mailboxes, device_info(self->other).mailboxes);
}

TEST_F(direct_told, on_a_handle_not_of_the_end)
{
	struct mailbox_create args = create_args();
	int fd = box_create(self->device, &args);

	ASSERT_LE(0, fd);
	EXPECT_EQ(-EINVAL, box_notify_try(fd, MAILBOX_EVENT_ENDED, self->eventfd));
	close(fd);
}

TEST_HARNESS_MAIN
