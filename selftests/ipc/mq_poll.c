// SPDX-License-Identifier: GPL-2.0
/*
 * A descriptor of a queue in select(2), poll(2) and epoll(7), see mq_overview(7).
 */
#include "mq.h"

#include <sys/epoll.h>
#include <sys/select.h>

FIXTURE(poll)
{
	mqd_t queue;
	unsigned int *flag;
};

FIXTURE_SETUP(poll)
{
	self->queue = queue_new(O_RDWR);
	self->flag = flag_new();
}

FIXTURE_TEARDOWN(poll)
{
	queue_end(self->queue);
}

static int events_of(mqd_t queue)
{
	struct pollfd poller = { .fd = queue, .events = POLLIN | POLLOUT };

	ASSERT_LE(0, poll(&poller, 1, 0));
	return poller.revents;
}

TEST_F(poll, events)
{
	EXPECT_EQ(POLLOUT, events_of(self->queue));
	ASSERT_EQ(0, send_text(self->queue, "one", 0));
	EXPECT_EQ(POLLIN | POLLOUT, events_of(self->queue));
	drain(self->queue);
	fill(self->queue);
	EXPECT_EQ(POLLIN, events_of(self->queue));
	expect_message(self->queue, "fill", 0);
	EXPECT_EQ(POLLIN | POLLOUT, events_of(self->queue));
}

/* Each for what it is for. */
TEST_F(poll, of_one_access_mode)
{
	mqd_t reader = queue_open(O_RDONLY), writer = queue_open(O_WRONLY);

	EXPECT_EQ(0, events_of(reader) & POLLIN);
	EXPECT_EQ(POLLOUT, events_of(writer) & POLLOUT);
	fill(self->queue);
	EXPECT_EQ(POLLIN, events_of(reader) & POLLIN);
	EXPECT_EQ(0, events_of(writer) & POLLOUT);
}

TEST_F(poll, waits_for_a_message)
{
	pid_t child = asleep(child_fork(), self->flag);

	if (!child) {
		struct pollfd poller = { .fd = self->queue, .events = POLLIN };

		EXPECT_EQ(1, poll(&poller, 1, -1));
		EXPECT_EQ(POLLIN, poller.revents);
		expect_message(self->queue, "text", 0);
		_exit(0);
	}
	EXPECT_EQ(0, send_text(self->queue, "text", 0));
	child_done(child);
}

TEST_F(poll, waits_for_room)
{
	pid_t child;

	fill(self->queue);
	child = asleep(child_fork(), self->flag);
	if (!child) {
		struct pollfd poller = { .fd = self->queue, .events = POLLOUT };

		EXPECT_EQ(1, poll(&poller, 1, -1));
		EXPECT_EQ(POLLOUT, poller.revents);
		EXPECT_EQ(0, send_text(self->queue, "text", 0));
		_exit(0);
	}
	expect_message(self->queue, "fill", 0);
	child_done(child);
}

TEST_F(poll, select_of_both)
{
	struct timeval now = { 0 };
	fd_set reads, writes;

	FD_ZERO(&reads);
	FD_SET(self->queue, &reads);
	FD_ZERO(&writes);
	FD_SET(self->queue, &writes);
	EXPECT_EQ(1, select(self->queue + 1, &reads, &writes, NULL, &now));
	EXPECT_FALSE(FD_ISSET(self->queue, &reads));
	EXPECT_TRUE(FD_ISSET(self->queue, &writes));
	fill(self->queue);
	FD_SET(self->queue, &reads);
	EXPECT_EQ(1, select(self->queue + 1, &reads, &writes, NULL, &now));
	EXPECT_TRUE(FD_ISSET(self->queue, &reads));
	EXPECT_FALSE(FD_ISSET(self->queue, &writes));
}

TEST_F(poll, epoll_by_edge)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.u32 = 5 };
	int epoll = epoll_create1(0);

	ASSERT_LE(0, epoll);
	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, self->queue, &event));
	EXPECT_EQ(0, epoll_wait(epoll, &event, 1, 0));
	EXPECT_EQ(0, send_text(self->queue, "one", 0));
	EXPECT_EQ(1, epoll_wait(epoll, &event, 1, -1));
	EXPECT_EQ(5, event.data.u32);
	EXPECT_EQ(EPOLLIN, event.events);
	EXPECT_EQ(0, epoll_wait(epoll, &event, 1, 0));
	drain(self->queue);
	EXPECT_EQ(0, send_text(self->queue, "two", 0));
	EXPECT_EQ(1, epoll_wait(epoll, &event, 1, -1));
	close(epoll);
}

/* A sender that is let in may make the queue readable again: who polls is told. */
TEST_F(poll, told_of_a_sender_that_waited)
{
	struct pollfd poller = { .fd = self->queue, .events = POLLIN };
	pid_t child;

	fill(self->queue);
	child = asleep(child_fork(), self->flag);
	if (!child) {
		EXPECT_EQ(0, send_text(self->queue, "late", 0));
		_exit(0);
	}
	drain(self->queue);
	child_done(child);
	EXPECT_LE(0, poll(&poller, 1, 0));
	drain(self->queue);
}

TEST_HARNESS_MAIN
