// SPDX-License-Identifier: GPL-2.0
/*
 * NOTIFY as a call: what it takes, how long it holds, and what ends it.
 */
#include "common_notify.h"

#include <limits.h>
#include <sys/epoll.h>

FIXTURE(notify_call)
{
	int device;
	int fd;
	int eventfd;
	__u64 id;
};

FIXTURE_SETUP(notify_call)
{
	self->device = device_open();
	self->fd = box_new(self->device);
	self->id = box_stat(self->fd).id;
	self->eventfd = eventfd_new();
}

FIXTURE_TEARDOWN(notify_call)
{
	close(self->eventfd);
	close(self->fd);
	close(self->device);
}

static void put(int fd)
{
	ASSERT_EQ(0, box_send_text(fd, "x", 0, 0));
}

TEST_F(notify_call, tells_until_it_is_ended)
{
	int i;

	box_notify(self->fd, MAILBOX_EVENT_MESSAGE, self->eventfd);
	EXPECT_EQ(0, told(self->eventfd));
	for (i = 0; i < 3; i++) {
		put(self->fd);
		EXPECT_EQ(1, told(self->eventfd));
	}
	/* What there is for an eventfd is of no interest then. */
	box_notify(self->fd, 0, -1);
	put(self->fd);
	EXPECT_EQ(0, told(self->eventfd));
	box_notify(self->fd, 0, -1);
}

TEST_F(notify_call, a_later_call_takes_the_place_of_an_earlier_one)
{
	int other = eventfd_new();

	box_notify(self->fd, MAILBOX_EVENT_MESSAGE, self->eventfd);
	box_notify(self->fd, MAILBOX_EVENT_MESSAGE, other);
	put(self->fd);
	EXPECT_EQ(0, told(self->eventfd));
	EXPECT_EQ(1, told(other));
	/* Also for other events, and for the same eventfd. */
	box_notify(self->fd, MAILBOX_EVENT_ROOM, other);
	put(self->fd);
	EXPECT_EQ(0, told(other));
	box_notify(self->fd, EVENTS_ALL, other);
	box_notify(self->fd, EVENTS_ALL, other);
	put(self->fd);
	EXPECT_EQ(1, told(other));
	close(other);
}

TEST_F(notify_call, several_events_of_one_handle)
{
	char text[8];

	box_notify(self->fd, MAILBOX_EVENT_MESSAGE | MAILBOX_EVENT_ROOM, self->eventfd);
	put(self->fd);
	EXPECT_EQ(1, told(self->eventfd));
	ASSERT_EQ(1, box_receive_text(self->fd, text, sizeof(text)));
	EXPECT_EQ(1, told(self->eventfd));
}

TEST_F(notify_call, each_handle_tells_for_itself)
{
	int fd = box_open(self->device, self->id, NULL, MAILBOX_RIGHT_SEND);
	int other = eventfd_new();

	ASSERT_LE(0, fd);
	box_notify(self->fd, MAILBOX_EVENT_MESSAGE, self->eventfd);
	box_notify(fd, MAILBOX_EVENT_MESSAGE, other);
	put(fd);
	EXPECT_EQ(1, told(self->eventfd));
	EXPECT_EQ(1, told(other));
	/* Two may tell the same one. */
	box_notify(fd, MAILBOX_EVENT_MESSAGE, self->eventfd);
	put(fd);
	EXPECT_EQ(2, told(self->eventfd));
	box_notify(fd, 0, -1);
	put(self->fd);
	EXPECT_EQ(1, told(self->eventfd));
	close(fd);
	close(other);
}

TEST_F(notify_call, no_right_is_needed)
{
	static const __u32 rights[] = { MAILBOX_RIGHT_SEND, MAILBOX_RIGHT_RECEIVE,
					MAILBOX_RIGHT_MANAGE };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rights); i++) {
		int fd = box_open(self->device, self->id, NULL, rights[i]);

		ASSERT_LE(0, fd);
		box_notify(fd, MAILBOX_EVENT_MESSAGE, self->eventfd);
		put(self->fd);
		EXPECT_EQ(1, told(self->eventfd));
		close(fd);
	}
}

TEST_F(notify_call, ends_with_the_handle)
{
	int fd = box_open(self->device, self->id, NULL, RIGHTS_ALL), copy = dup(fd);

	ASSERT_LE(0, copy);
	box_notify(fd, EVENTS_ALL, self->eventfd);
	close(fd);
	/* It is not closed yet. */
	put(self->fd);
	EXPECT_EQ(1, told(self->eventfd));
	close(copy);
	EXPECT_EQ(0, told(self->eventfd));
	put(self->fd);
	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	EXPECT_EQ(0, told(self->eventfd));
}

TEST_F(notify_call, a_handle_does_not_hear_its_own_end)
{
	box_notify(self->fd, EVENTS_ALL, self->eventfd);
	close(self->fd);
	EXPECT_EQ(0, told(self->eventfd));
	self->fd = dup(self->device);
}

TEST_F(notify_call, an_eventfd_may_be_closed)
{
	struct mailbox_info before = device_info(self->device);

	box_notify(self->fd, EVENTS_ALL, self->eventfd);
	close(self->eventfd);
	put(self->fd);
	put(self->fd);
	self->eventfd = eventfd_new();
	EXPECT_EQ(0, told(self->eventfd));
	box_notify(self->fd, EVENTS_ALL, self->eventfd);
	put(self->fd);
	EXPECT_EQ(1, told(self->eventfd));
	EXPECT_EQ(before.mailboxes, device_info(self->device).mailboxes);
}

TEST_F(notify_call, a_copy_of_the_eventfd_is_told)
{
	int copy = dup(self->eventfd);

	box_notify(self->fd, MAILBOX_EVENT_MESSAGE, self->eventfd);
	close(self->eventfd);
	put(self->fd);
	EXPECT_EQ(1, told(copy));
	self->eventfd = copy;
}

TEST_F(notify_call, an_eventfd_that_is_full_keeps_nobody_waiting)
{
	const __u64 most = UINT64_MAX - 1;

	box_notify(self->fd, MAILBOX_EVENT_MESSAGE, self->eventfd);
	ASSERT_EQ(sizeof(most), write(self->eventfd, &most, sizeof(most)));
	put(self->fd);
	put(self->fd);
	EXPECT_LE(most, told(self->eventfd));
	put(self->fd);
	EXPECT_EQ(1, told(self->eventfd));
}

TEST_F(notify_call, destruction_is_told_to_all)
{
	struct ears ears = ears_open(self->device, self->fd);

	ASSERT_EQ(0, box_destroy(self->device, self->id, NULL));
	EXPECT_EQ(EVENTS_ALL, heard(&ears));
	ears_close(&ears);
}

static int pair_new(int device)
{
	struct mailbox_create args = create_args();
	int fd;

	args.policy = MAILBOX_POLICY_PAIR;
	fd = box_create(device, &args);
	ASSERT_LE(0, fd);
	return fd;
}

TEST_F(notify_call, the_end_of_a_pair_is_told_to_all)
{
	unsigned int *there = flag_new(), *end = flag_new();
	int fd = pair_new(self->device);
	__u64 id = box_stat(fd).id;
	struct ears ears;
	pid_t pid = child_fork();

	if (!pid) {
		close(fd);
		ASSERT_LE(0, box_open(self->device, id, NULL, RIGHTS_ALL));
		flag_raise(there);
		flag_await(end, 1);
		_exit(0);
	}
	flag_await(there, 1);
	ears = ears_open(self->device, fd);
	EXPECT_EQ(0, heard(&ears));
	flag_raise(end);
	child_done(pid);
	EXPECT_EQ(EVENTS_ALL, heard(&ears));
	EXPECT_EQ(-EPIPE, box_send_text(fd, "x", 0, 0));
	ears_close(&ears);
	close(fd);
}

/* Nothing is told because of it, and what was to be told still is. */
static void expect_bad(FIXTURE_DATA(notify_call) * self, int error, struct mailbox_notify args)
{
	box_notify(self->fd, MAILBOX_EVENT_MESSAGE, self->eventfd);
	EXPECT_REFUSED(self->device, self->fd, error, call(self->fd, MAILBOX_IOC_NOTIFY, &args));
	EXPECT_EQ(0, told(self->eventfd));
	put(self->fd);
	EXPECT_EQ(1, told(self->eventfd));
}

TEST_F(notify_call, events_that_do_not_exist)
{
	struct mailbox_notify args = { .size = sizeof(args), .eventfd = self->eventfd };
	int i;

	for (i = EVENTS; i < 32; i++) {
		args.events = 1U << i;
		if (args.events == MAILBOX_EVENT_FIRST)
			continue;
		expect_bad(self, EINVAL, args);
		args.events |= EVENTS_ALL;
		expect_bad(self, EINVAL, args);
	}
}

TEST_F(notify_call, what_is_no_eventfd)
{
	int ends[2], epoll = epoll_create1(EPOLL_CLOEXEC), closed = dup(self->device);
	unsigned int i;

	ASSERT_EQ(0, pipe(ends));
	close(closed);
	{
		const int fds[] = { -1,	     INT_MIN, INT_MAX,	    closed,  ends[0],
				    ends[1], epoll,   self->device, self->fd };

		for (i = 0; i < ARRAY_SIZE(fds); i++)
			expect_bad(self, EINVAL,
				   (struct mailbox_notify){ .size = sizeof(struct mailbox_notify),
							    .events = EVENTS_ALL,
							    .eventfd = fds[i] });
	}
	close(ends[0]);
	close(ends[1]);
	close(epoll);
}

TEST_F(notify_call, flags_that_do_not_exist)
{
	struct mailbox_notify args = { .size = sizeof(args),
				       .events = EVENTS_ALL,
				       .eventfd = self->eventfd };
	int i;

	for (i = 0; i < 32; i++) {
		args.flags = 1U << i;
		if (args.flags & (MAILBOX_NOTIFY_ONCE | MAILBOX_NOTIFY_EXCLUSIVE))
			continue;
		expect_bad(self, EOPNOTSUPP, args);
	}
}

TEST_F(notify_call, sizes)
{
	struct {
		struct mailbox_notify args;
		__u32 tail[3];
	} longer = { .args = { .events = EVENTS_ALL, .eventfd = self->eventfd } };
	__u32 size;

	for (size = 0; size < sizeof(longer.args); size++) {
		longer.args.size = size;
		expect_bad(self, EINVAL, longer.args);
	}
	longer.args.size = sizeof(longer);
	EXPECT_EQ(0, call(self->fd, MAILBOX_IOC_NOTIFY, &longer));
	longer.tail[2] = 1;
	EXPECT_REFUSED(self->device, self->fd, E2BIG, call(self->fd, MAILBOX_IOC_NOTIFY, &longer));
	longer.args.size = sysconf(_SC_PAGESIZE) + 1;
	EXPECT_REFUSED(self->device, self->fd, E2BIG, call(self->fd, MAILBOX_IOC_NOTIFY, &longer));
}

TEST_F(notify_call, the_device_has_no_events_of_mailboxes)
{
	EXPECT_EQ(-EINVAL, box_notify_try(self->device, EVENTS_ALL, self->eventfd));
	EXPECT_EQ(-EINVAL, box_notify_try(self->device, MAILBOX_EVENT_FIRST, self->eventfd));
}

TEST_F(notify_call, a_destroyed_mailbox)
{
	int fd = box_open(self->device, self->id, NULL, MAILBOX_RIGHT_MANAGE);

	ASSERT_LE(0, fd);
	box_notify(self->fd, EVENTS_ALL, self->eventfd);
	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	EXPECT_EQ(1, told(self->eventfd));
	EXPECT_EQ(-EIDRM, box_notify_try(self->fd, EVENTS_ALL, self->eventfd));
	EXPECT_EQ(-EIDRM, box_notify_try(fd, EVENTS_ALL, self->eventfd));
	EXPECT_EQ(-EIDRM, box_notify_try(fd, 0, -1));
	EXPECT_EQ(-EINVAL, box_notify_try(fd, EVENTS_ALL, -1));
	close(fd);
}

TEST_F(notify_call, an_eventfd_in_an_epoll_set)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	int epoll = epoll_create1(EPOLL_CLOEXEC), outer = epoll_create1(EPOLL_CLOEXEC);
	int i;

	box_notify(self->fd, MAILBOX_EVENT_MESSAGE, self->eventfd);
	/* With the handle itself beside it, in a set of a set: one wake-up within another. */
	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, self->eventfd, &event));
	event.data.u32 = 1;
	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, self->fd, &event));
	ASSERT_EQ(0, epoll_ctl(outer, EPOLL_CTL_ADD, epoll, &event));
	for (i = 0; i < 3; i++) {
		struct epoll_event events[3];

		EXPECT_EQ(0, epoll_wait(outer, events, 3, 0));
		put(self->fd);
		EXPECT_EQ(1, epoll_wait(outer, events, 3, 0));
		EXPECT_EQ(2, epoll_wait(epoll, events, 3, 0));
		EXPECT_EQ(0, epoll_wait(epoll, events, 3, 0));
	}
	close(outer);
	close(epoll);
}

TEST_F(notify_call, wakes_who_sleeps_in_epoll)
{
	struct epoll_event event = { .events = EPOLLIN };
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	pid_t pid;

	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, self->eventfd, &event));
	box_notify(self->fd, MAILBOX_EVENT_NO_SENDER, self->eventfd);
	pid = child_fork();
	if (!pid) {
		EXPECT_EQ(1, epoll_wait(epoll, &event, 1, -1));
		_exit(0);
	}
	wait_sleeping(pid, pid);
	put(self->fd);
	EXPECT_EQ(0, told(self->eventfd));
	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	child_done(pid);
	close(epoll);
}

TEST_HARNESS_MAIN
