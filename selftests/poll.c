// SPDX-License-Identifier: GPL-2.0
/*
 * poll and epoll say exactly what could be done.
 */
#include "common.h"

#include <sys/epoll.h>
#include <sys/select.h>

FIXTURE(poll)
{
	int device;
	int fd;
	__u64 id;
};

FIXTURE_SETUP(poll)
{
	self->device = device_open();
	self->fd = box_new_limited(self->device, MAILBOX_ON_FULL_WAIT, 2);
	self->id = box_stat(self->fd).id;
}

FIXTURE_TEARDOWN(poll)
{
	close(self->fd);
	close(self->device);
}

#define IN  (POLLIN | POLLRDNORM)
#define OUT (POLLOUT | POLLWRNORM)
/* A destroyed mailbox; the error is what ends a select() for writing. */
#define GONE (POLLHUP | POLLERR)
#define ALL  (IN | OUT | POLLPRI | POLLRDHUP)

static void take(int fd)
{
	char text[64];

	ASSERT_LE(0, box_receive_text(fd, text, sizeof(text)));
}

TEST_F(poll, an_empty_mailbox_is_writable_only)
{
	EXPECT_EQ(OUT, poll_now(self->fd, ALL));
}

TEST_F(poll, a_mailbox_with_a_message_is_readable_too)
{
	ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	EXPECT_EQ(IN | OUT, poll_now(self->fd, ALL));
	take(self->fd);
	EXPECT_EQ(OUT, poll_now(self->fd, ALL));
}

TEST_F(poll, an_empty_message_is_something_to_read)
{
	ASSERT_EQ(0, box_send_text(self->fd, "", 0, 0));
	EXPECT_EQ(IN | OUT, poll_now(self->fd, ALL));
}

TEST_F(poll, a_full_mailbox_is_readable_only)
{
	ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	EXPECT_EQ(IN, poll_now(self->fd, ALL));
	take(self->fd);
	EXPECT_EQ(IN | OUT, poll_now(self->fd, ALL));
}

TEST_F(poll, a_mailbox_full_of_bytes_is_not_writable)
{
	struct mailbox_create create = create_args();
	char data[100] = { 0 };
	int fd;

	create.max_bytes = 100;
	fd = box_create(self->device, &create);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, box_send_data(fd, data, 99));
	EXPECT_EQ(IN | OUT, poll_now(fd, ALL));
	ASSERT_EQ(0, box_send_data(fd, data, 1));
	EXPECT_EQ(IN, poll_now(fd, ALL));
	close(fd);
}

TEST_F(poll, a_fixed_size_needs_room_for_a_whole_message)
{
	struct mailbox_create create = create_args();
	char data[60] = { 0 };
	int fd;

	create.flags = MAILBOX_FIXED_SIZE;
	create.message_size = 60;
	create.max_bytes = 100;
	fd = box_create(self->device, &create);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, box_send_data(fd, data, 60));
	EXPECT_EQ(-EAGAIN, box_send_data(fd, data, 60));
	EXPECT_EQ(IN, poll_now(fd, ALL));
	close(fd);
}

TEST_F(poll, goes_by_the_rights_of_the_handle)
{
	static const struct {
		__u32 rights;
		short events;
	} cases[] = {
		{ MAILBOX_RIGHT_SEND, OUT }, { MAILBOX_RIGHT_RECEIVE, IN },
		{ MAILBOX_RIGHT_MANAGE, 0 }, { MAILBOX_RIGHT_SEND | MAILBOX_RIGHT_MANAGE, OUT },
		{ RIGHTS_ALL, IN | OUT },
	};
	unsigned int i;

	ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		int fd = box_open(self->device, self->id, NULL, cases[i].rights);

		ASSERT_LE(0, fd);
		EXPECT_EQ(cases[i].events, poll_now(fd, ALL));
		close(fd);
	}
}

TEST_F(poll, what_overwrites_is_always_writable)
{
	int fd = box_new_limited(self->device, MAILBOX_ON_FULL_OVERWRITE, 1);

	ASSERT_EQ(0, box_send_text(fd, "x", 0, 0));
	EXPECT_EQ(IN | OUT, poll_now(fd, ALL));
	close(fd);
}

TEST_F(poll, what_refuses_is_not_writable_while_full)
{
	int fd = box_new_limited(self->device, MAILBOX_ON_FULL_REFUSE, 1);

	ASSERT_EQ(0, box_send_text(fd, "x", 0, 0));
	EXPECT_EQ(IN, poll_now(fd, ALL));
	close(fd);
}

TEST_F(poll, unbounded_is_always_writable)
{
	int fd = box_new_capacity(self->device, MAILBOX_CAPACITY_UNBOUNDED), i;

	for (i = 0; i < 2000; i++)
		ASSERT_EQ(0, box_send_text(fd, "x", 0, 0));
	EXPECT_EQ(IN | OUT, poll_now(fd, ALL));
	close(fd);
}

TEST_F(poll, a_rendezvous_is_writable_while_a_receiver_waits)
{
	int fd = box_new_capacity(self->device, MAILBOX_CAPACITY_RENDEZVOUS);
	pid_t pid;

	EXPECT_EQ(0, poll_now(fd, ALL));
	pid = child_fork();
	if (!pid) {
		char byte;

		EXPECT_EQ(1, read(fd, &byte, 1));
		_exit(0);
	}
	wait_waiters(fd, 1, 0);
	EXPECT_EQ(OUT, poll_now(fd, ALL));
	ASSERT_EQ(0, box_send_text(fd, "x", 0, 0));
	child_done(pid);
	EXPECT_EQ(0, poll_now(fd, ALL));
	close(fd);
}

TEST_F(poll, a_rendezvous_is_readable_while_a_sender_waits)
{
	int fd = box_new_capacity(self->device, MAILBOX_CAPACITY_RENDEZVOUS);
	pid_t pid = child_fork();

	if (!pid) {
		EXPECT_EQ(1, write(fd, "x", 1));
		_exit(0);
	}
	wait_waiters(fd, 0, 1);
	EXPECT_EQ(IN, poll_now(fd, ALL));
	take(fd);
	child_done(pid);
	EXPECT_EQ(0, poll_now(fd, ALL));
	close(fd);
}

TEST_F(poll, a_destroyed_mailbox_hangs_up)
{
	int fd = box_open(self->device, self->id, NULL, MAILBOX_RIGHT_MANAGE);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	/* Nothing can be read or written any more. */
	EXPECT_EQ(GONE, poll_now(self->fd, ALL));
	EXPECT_EQ(GONE, poll_now(fd, 0));
	close(fd);
}

TEST_F(poll, a_destroyed_mailbox_ends_a_select)
{
	struct timeval none = { 0 };
	fd_set in, out;

	ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_SET(self->fd, &out);
	EXPECT_EQ(0, select(self->fd + 1, NULL, &out, NULL, &none));
	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	FD_SET(self->fd, &in);
	FD_SET(self->fd, &out);
	EXPECT_EQ(2, select(self->fd + 1, &in, &out, NULL, &none));
}

/* A child that polls without end for one kind of event. */
static pid_t poller(int fd, short events, short expected)
{
	pid_t pid = child_fork();

	if (!pid) {
		struct pollfd entry = { .fd = fd, .events = events };

		EXPECT_EQ(1, poll(&entry, 1, -1));
		EXPECT_EQ(expected, entry.revents);
		_exit(0);
	}
	wait_sleeping(pid, pid);
	return pid;
}

TEST_F(poll, a_send_wakes_who_polls_for_messages)
{
	pid_t pid = poller(self->fd, POLLIN, POLLIN);

	ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	child_done(pid);
}

TEST_F(poll, a_receive_wakes_who_polls_for_room)
{
	pid_t pid;

	ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	pid = poller(self->fd, POLLOUT, POLLOUT);
	take(self->fd);
	child_done(pid);
}

TEST_F(poll, a_higher_limit_wakes_who_polls_for_room)
{
	struct mailbox_set set = { .size = sizeof(set),
				   .flags = MAILBOX_SET_MAX_MESSAGES,
				   .max_messages = 3 };
	pid_t pid;

	ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	pid = poller(self->fd, POLLOUT, POLLOUT);
	ASSERT_EQ(0, call(self->fd, MAILBOX_IOC_SET, &set));
	child_done(pid);
}

TEST_F(poll, an_expiry_wakes_who_polls_for_room)
{
	struct mailbox_send args = send_args("x", 1);
	pid_t pid;

	args.flags |= MAILBOX_EXPIRES;
	args.expiry = now_ns() + SECOND / 2;
	ASSERT_EQ(0, box_send(self->fd, &args));
	ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	pid = child_fork();
	if (!pid) {
		struct pollfd entry = { .fd = self->fd, .events = POLLOUT };

		EXPECT_EQ(1, poll(&entry, 1, -1));
		EXPECT_LE(args.expiry, now_ns());
		_exit(0);
	}
	child_done(pid);
}

TEST_F(poll, destruction_wakes_all)
{
	pid_t for_in = poller(self->fd, POLLIN, GONE);
	pid_t for_nothing = poller(self->fd, 0, GONE);

	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	child_done(for_in);
	child_done(for_nothing);
}

TEST_F(poll, a_receiver_that_comes_wakes_who_polls_a_rendezvous)
{
	int fd = box_new_capacity(self->device, MAILBOX_CAPACITY_RENDEZVOUS);
	pid_t waker = poller(fd, POLLOUT, POLLOUT), receiver = child_fork();
	char byte;

	if (!receiver) {
		EXPECT_EQ(1, read(fd, &byte, 1));
		_exit(0);
	}
	child_done(waker);
	EXPECT_EQ(0, box_send_text(fd, "x", 0, 0));
	child_done(receiver);
	close(fd);
}

static int epoll_add(int fd, __u32 events)
{
	struct epoll_event event = { .events = events };
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	ASSERT_LE(0, epoll);
	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
	return epoll;
}

/* What is there now, 0 for nothing. */
static __u32 epoll_now(int epoll)
{
	struct epoll_event event = { 0 };
	int nr = epoll_wait(epoll, &event, 1, 0);

	ASSERT_LE(0, nr);
	return nr ? event.events : 0;
}

/* Of who has both rights, and so counts as both, only the handle of one is deserted. */
TEST_F(poll, the_other_side_is_gone_while_nobody_can_send_or_receive)
{
	int receiver = box_open(self->device, self->id, NULL, MAILBOX_RIGHT_RECEIVE);
	int sender = box_open(self->device, self->id, NULL, MAILBOX_RIGHT_SEND);
	int epoll = epoll_add(receiver, EPOLLRDHUP | EPOLLET), again;

	EXPECT_EQ(OUT, poll_now(sender, ALL));
	EXPECT_EQ(0, poll_now(receiver, ALL));
	close(self->fd);
	EXPECT_EQ(0, epoll_now(epoll));
	again = box_open(self->device, self->id, NULL, MAILBOX_RIGHT_MANAGE);
	close(sender);
	EXPECT_EQ(EPOLLRDHUP, epoll_now(epoll));
	EXPECT_EQ(POLLRDHUP, poll_now(receiver, ALL));
	EXPECT_EQ(0, poll_now(receiver, IN | OUT));
	EXPECT_EQ(0, poll_now(again, ALL));

	sender = box_open(self->device, self->id, NULL, MAILBOX_RIGHT_SEND);
	EXPECT_EQ(0, poll_now(receiver, ALL));
	close(epoll);
	epoll = epoll_add(sender, EPOLLRDHUP | EPOLLET);
	EXPECT_EQ(0, epoll_now(epoll));
	close(receiver);
	EXPECT_EQ(EPOLLRDHUP, epoll_now(epoll));
	/* It may still send. */
	EXPECT_EQ(OUT | POLLRDHUP, poll_now(sender, ALL));
	ASSERT_EQ(0, box_send_text(sender, "x", 0, 0));
	self->fd = box_open(self->device, self->id, NULL, MAILBOX_RIGHT_RECEIVE);
	EXPECT_EQ(OUT, poll_now(sender, ALL));
	take(self->fd);
	close(again);
	close(sender);
	close(epoll);
}

TEST_F(poll, epoll_level_says_it_until_it_is_over)
{
	int epoll = epoll_add(self->fd, EPOLLIN);

	EXPECT_EQ(0, epoll_now(epoll));
	ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	EXPECT_EQ(EPOLLIN, epoll_now(epoll));
	EXPECT_EQ(EPOLLIN, epoll_now(epoll));
	take(self->fd);
	EXPECT_EQ(0, epoll_now(epoll));
	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	EXPECT_EQ(EPOLLHUP | EPOLLERR, epoll_now(epoll));
	close(epoll);
}

TEST_F(poll, epoll_edge_says_every_arrival_once)
{
	int epoll = epoll_add(self->fd, EPOLLIN | EPOLLET);

	EXPECT_EQ(0, epoll_now(epoll));
	ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	EXPECT_EQ(EPOLLIN, epoll_now(epoll));
	EXPECT_EQ(0, epoll_now(epoll));
	ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	EXPECT_EQ(EPOLLIN, epoll_now(epoll));
	EXPECT_EQ(0, epoll_now(epoll));
	close(epoll);
}

TEST_F(poll, epoll_edge_says_when_room_comes)
{
	int epoll = epoll_add(self->fd, EPOLLOUT | EPOLLET);

	EXPECT_EQ(EPOLLOUT, epoll_now(epoll));
	ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	epoll_now(epoll);
	EXPECT_EQ(0, epoll_now(epoll));
	take(self->fd);
	EXPECT_EQ(EPOLLOUT, epoll_now(epoll));
	EXPECT_EQ(0, epoll_now(epoll));
	close(epoll);
}

TEST_HARNESS_MAIN
