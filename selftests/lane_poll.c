// SPDX-License-Identifier: GPL-2.0
/*
 * Lanes: poll and epoll on the handle of the receiver, for lanes and messages together.
 */
#include "common_lane.h"

#include <sys/epoll.h>

#define IN  (POLLIN | POLLRDNORM)
#define OUT (POLLOUT | POLLWRNORM)

FIXTURE(lane_poll)
{
	int device;
	/* The receiver, and a sender. */
	int fd;
	int sender;
	__u64 id;
};

FIXTURE_SETUP(lane_poll)
{
	self->device = device_open();
	self->fd = box_new(self->device);
	self->id = box_stat(self->fd).id;
	self->sender = box_open(self->device, self->id, NULL, SEND);
	ASSERT_LE(0, self->sender);
}

FIXTURE_TEARDOWN(lane_poll)
{
	close(self->sender);
	close(self->fd);
	close(self->device);
}

static int epoll_of(int fd, __u32 events)
{
	struct epoll_event event = { .events = events };
	int set = epoll_create1(EPOLL_CLOEXEC);

	ASSERT_LE(0, set);
	ASSERT_EQ(0, epoll_ctl(set, EPOLL_CTL_ADD, fd, &event));
	return set;
}

/* What it says now. */
static __u32 epoll_now(int set)
{
	struct epoll_event event = { 0 };
	int nr = epoll_wait(set, &event, 1, 0);

	ASSERT_LE(0, nr);
	return nr ? event.events : 0;
}

/* A child that waits for the set, or for the handle itself; it sleeps by now. */
static pid_t poller(int set, int fd, __u32 expected)
{
	pid_t pid = child_fork();

	if (!pid) {
		struct pollfd entry = { .fd = fd, .events = POLLIN };
		struct epoll_event event = { 0 };

		if (set >= 0) {
			EXPECT_EQ(1, epoll_wait(set, &event, 1, -1));
			EXPECT_EQ(expected, event.events);
		} else {
			EXPECT_EQ(1, poll(&entry, 1, -1));
			EXPECT_EQ(expected, entry.revents);
		}
		_exit(KSFT_PASS);
	}
	wait_sleeping(pid, pid);
	return pid;
}

TEST_F(lane_poll, a_lane_with_something_in_it_is_readable)
{
	struct ring out = ring_new(self->sender, 4096), in;

	/* Nobody but the receiver is told. */
	EXPECT_EQ(0, ring_put(&out, "text", 4));
	EXPECT_EQ(OUT, poll_now(self->fd, IN | OUT));
	in = ring_next(self->fd, 0);
	EXPECT_EQ(IN | OUT, poll_now(self->fd, IN | OUT));
	EXPECT_EQ(OUT, poll_now(self->sender, IN | OUT));
	EXPECT_TEXT("text", &in);
	EXPECT_EQ(OUT, poll_now(self->fd, IN | OUT));
	EXPECT_EQ(0, box_send_text(self->sender, "message", 0, 0));
	EXPECT_EQ(IN | OUT, poll_now(self->fd, IN | OUT));
	ring_unmap(&in);
	ring_unmap(&out);
}

TEST_F(lane_poll, so_is_one_that_the_receiver_does_not_know_yet)
{
	struct ring out;

	EXPECT_EQ(0, lane_next(self->fd, 0).lane);
	out = ring_new(self->sender, 4096);
	EXPECT_EQ(OUT, poll_now(self->fd, IN | OUT));
	EXPECT_EQ(0, ring_put(&out, "text", 4));
	EXPECT_EQ(IN | OUT, poll_now(self->fd, IN | OUT));
	ring_unmap(&out);
}

TEST_F(lane_poll, one_that_its_sender_has_left_is_until_it_is_closed)
{
	lane_open(self->sender, 4096);
	lane_next(self->fd, 0);
	EXPECT_EQ(OUT, poll_now(self->fd, IN | OUT));
	ASSERT_EQ(0, lane_close(self->sender, 0, 0));
	EXPECT_EQ(IN | OUT, poll_now(self->fd, IN | OUT));
	ASSERT_EQ(0, lane_close(self->fd, MAILBOX_LANE_RECEIVE, 1));
	EXPECT_EQ(OUT, poll_now(self->fd, IN | OUT));
}

TEST_F(lane_poll, says_that_the_receiver_sleeps)
{
	struct ring out = ring_new(self->sender, 4096);

	lane_next(self->fd, 0);
	lane_wake(self->sender, 0, 0);
	EXPECT_EQ(0, sleeps(&out.state->receiver_sleeps));
	/* Not who asks for something else, nor another handle. */
	poll_now(self->fd, POLLOUT);
	poll_now(self->sender, POLLIN);
	EXPECT_EQ(0, sleeps(&out.state->receiver_sleeps));
	poll_now(self->fd, POLLIN);
	EXPECT_EQ(1, sleeps(&out.state->receiver_sleeps));
	ring_unmap(&out);
}

TEST_F(lane_poll, wakes_up)
{
	struct ring out = ring_new(self->sender, 4096), in = ring_next(self->fd, 0);
	pid_t pid = poller(-1, self->fd, POLLIN);

	EXPECT_EQ(0, ring_put(&out, "text", 4));
	child_done(pid);
	EXPECT_TEXT("text", &in);
	/* For the end of the sender, too. */
	pid = poller(-1, self->fd, POLLIN);
	ASSERT_EQ(0, lane_close(self->sender, 0, 0));
	child_done(pid);
	ring_unmap(&in);
	ring_unmap(&out);
}

TEST_F(lane_poll, who_began_before_there_was_a_lane_is_woken)
{
	int set = epoll_of(self->fd, EPOLLIN);
	struct ring out;
	pid_t pid;

	EXPECT_EQ(0, epoll_now(set));
	EXPECT_EQ(0, lane_next(self->fd, 0).lane);
	pid = poller(set, -1, EPOLLIN);
	out = ring_new(self->sender, 4096);
	EXPECT_EQ(0, ring_put(&out, "text", 4));
	child_done(pid);
	ring_unmap(&out);
	close(set);
}

TEST_F(lane_poll, who_began_before_the_handle_was_the_receiver_is_woken)
{
	int set = epoll_of(self->fd, EPOLLIN);
	struct ring out = ring_new(self->sender, 4096);
	pid_t pid = poller(set, -1, EPOLLIN);

	EXPECT_EQ(0, ring_put(&out, "text", 4));
	EXPECT_EQ(0, epoll_now(set));
	EXPECT_EQ(1, lane_next(self->fd, 0).lane);
	child_done(pid);
	ring_unmap(&out);
	close(set);
}

TEST_F(lane_poll, one_that_is_told_of_changes_only_is_told_of_each)
{
	struct ring out = ring_new(self->sender, 4096), in = ring_next(self->fd, 0);
	int set = epoll_of(self->fd, EPOLLIN | EPOLLET);

	EXPECT_EQ(0, epoll_now(set));
	for (int i = 0; i < 10; i++) {
		EXPECT_EQ(0, ring_put(&out, "text", 4));
		EXPECT_EQ(EPOLLIN, epoll_now(set));
		EXPECT_EQ(0, epoll_now(set));
		EXPECT_TEXT("text", &in);
	}
	close(set);
	ring_unmap(&in);
	ring_unmap(&out);
}

/* One receives, both from lanes and the queue, and sleeps in epoll alone. */
TEST_F(lane_poll, nothing_is_lost)
{
	const __u64 nr = effort(20000);
	struct ring out = ring_new(self->sender, 4096), in = ring_next(self->fd, 0);
	int set = epoll_of(self->fd, EPOLLIN);
	__u64 lane = 0, queue = 0, got;
	struct epoll_event event;
	pid_t pid = child_fork();

	if (!pid) {
		for (__u64 i = 0; i < nr; i++) {
			struct mailbox_send args = send_args(&i, sizeof(i));

			ASSERT_EQ(0, ring_send(&out, &i, sizeof(i)));
			if (i % 8)
				continue;
			args.flags = 0;
			ASSERT_EQ(0, box_send(self->sender, &args));
		}
		_exit(KSFT_PASS);
	}
	while (lane < nr || queue < nr) {
		struct mailbox_receive args = receive_args(&got, sizeof(got));

		ASSERT_EQ(1, epoll_wait(set, &event, 1, -1));
		while (ring_get(&in, &got, sizeof(got)) == sizeof(got)) {
			ASSERT_EQ(lane, got);
			lane++;
		}
		while (!box_receive(self->fd, &args)) {
			ASSERT_EQ(queue, got);
			queue += 8;
			args = receive_args(&got, sizeof(got));
		}
	}
	child_done(pid);
	close(set);
	ring_unmap(&in);
	ring_unmap(&out);
}

TEST_HARNESS_MAIN
