// SPDX-License-Identifier: GPL-2.0
/*
 * Where a stream of bytes ends: for who reads when nobody sends any more, and for who writes when
 * nobody reads any more. As with pipes, but that either may come first.
 */
#include "common_grant.h"
#include "common_notify.h"
#include "common_stream.h"

#include <sys/epoll.h>

FIXTURE(stream_end)
{
	int device;
	/* Neither sends nor receives. */
	int fd;
	__u64 id;
	int reader;
	int writer;
};

FIXTURE_SETUP(stream_end)
{
	struct mailbox_create args = create_args();

	self->device = device_open();
	args.max_messages = 4;
	self->fd = box_new_manage(self->device, &args);
	self->id = args.id;
	self->reader = stream_reader(self->device, self->id);
	self->writer = stream_writer(self->device, self->id);
}

FIXTURE_TEARDOWN(stream_end)
{
	close(self->writer);
	close(self->reader);
	close(self->fd);
	close(self->device);
}

static void put(int fd, const char *text)
{
	ASSERT_EQ((ssize_t)strlen(text), write(fd, text, strlen(text)));
}

/* What is closed here, the end of the test closes again; there may be another then. */
static void shut(int *fd)
{
	close(*fd);
	*fd = -1;
}

TEST_F(stream_end, comes_behind_the_last_byte)
{
	put(self->writer, "first");
	EXPECT_BYTES(self->reader, 64, "first");
	EXPECT_DRY(self->reader);
	put(self->writer, "second");
	shut(&self->writer);
	EXPECT_EQ(POLLIN, poll_now(self->reader, POLLIN));
	EXPECT_BYTES(self->reader, 3, "sec");
	EXPECT_EQ(POLLIN, poll_now(self->reader, POLLIN));
	EXPECT_BYTES(self->reader, 64, "ond");
	EXPECT_END(self->reader);
}

TEST_F(stream_end, comes_with_the_last_that_may_send)
{
	int other = box_open(self->device, self->id, NULL, RIGHTS_ALL);

	ASSERT_LE(0, other);
	shut(&self->writer);
	EXPECT_DRY(self->reader);
	close(other);
	EXPECT_END(self->reader);
	/* Who may not send is no matter. */
	other = box_open(self->device, self->id, NULL, MAILBOX_RIGHT_RECEIVE);
	ASSERT_LE(0, other);
	EXPECT_END(self->reader);
	close(other);
}

TEST_F(stream_end, is_over_when_another_comes)
{
	shut(&self->writer);
	EXPECT_END(self->reader);
	self->writer = stream_writer(self->device, self->id);
	EXPECT_DRY(self->reader);
	put(self->writer, "x");
	shut(&self->writer);
	EXPECT_BYTES(self->reader, 64, "x");
	EXPECT_END(self->reader);
}

TEST_F(stream_end, is_not_before_the_first_has_come)
{
	int early;

	shut(&self->writer);
	early = stream_reader(self->device, self->id);
	/* One that was there has met it, one that was not waits for the next. */
	EXPECT_END(self->reader);
	EXPECT_DRY(early);
	self->writer = stream_writer(self->device, self->id);
	EXPECT_DRY(early);
	shut(&self->writer);
	EXPECT_END(early);
	close(early);
}

TEST_F(stream_end, is_behind_what_was_sent_before_the_reader_came)
{
	int late;

	put(self->writer, "x");
	shut(&self->writer);
	late = stream_reader(self->device, self->id);
	EXPECT_BYTES(late, 64, "x");
	EXPECT_END(late);
	close(late);
}

TEST_F(stream_end, is_not_for_who_receives_messages)
{
	int fd = box_open(self->device, self->id, NULL, MAILBOX_RIGHT_RECEIVE);
	char text[8];

	ASSERT_LE(0, fd);
	shut(&self->writer);
	EXPECT_EQ(-EAGAIN, box_receive_text(fd, text, sizeof(text)));
	EXPECT_EQ(0, poll_now(fd, POLLIN));
	/* Nor when a stream does it. */
	EXPECT_EQ(-EAGAIN, box_receive_text(self->reader, text, sizeof(text)));
	close(fd);
}

TEST_F(stream_end, is_also_when_the_last_is_revoked)
{
	struct mailbox_restrict args = restrict_args(MAILBOX_RIGHT_SEND);
	int all = box_open(self->device, self->id, NULL, RIGHTS_ALL), owner;

	ASSERT_LE(0, all);
	ASSERT_EQ(0, call(all, MAILBOX_IOC_RESTRICT, &args));
	close(all);
	shut(&self->writer);
	EXPECT_DRY(self->reader);
	owner = box_open(self->device, self->id, NULL, MAILBOX_RIGHT_MANAGE);
	ASSERT_EQ(0, box_revoke(owner, args.grant));
	EXPECT_END(self->reader);
	close(args.fd);
	close(owner);
}

/* Nor may it be missed by one that just begins to wait: then the child would never end. */
TEST_F(stream_end, wakes_who_reads)
{
	int i;

	for (i = 0; i < 20; i++) {
		pid_t pid = child_fork();

		if (!pid) {
			int fd = stream_open(self->device, self->id, MAILBOX_RIGHT_RECEIVE, 0);
			char byte;

			close(self->writer);
			EXPECT_EQ(0, result_of(read(fd, &byte, 1)));
			_exit(0);
		}
		if (i & 1)
			wait_waiters(self->fd, 1, -1);
		else
			while (box_stat(self->fd).handles < 4)
				sched_yield();
		shut(&self->writer);
		child_done(pid);
		self->writer = stream_writer(self->device, self->id);
	}
}

TEST_F(stream_end, wakes_not_who_receives_messages)
{
	char text[8];
	pid_t pid = child_fork();

	if (!pid) {
		struct mailbox_receive args = receive_args(text, sizeof(text));
		int fd = stream_open(self->device, self->id, MAILBOX_RIGHT_RECEIVE, 0);

		args.flags = 0;
		close(self->writer);
		EXPECT_EQ(0, box_receive(fd, &args));
		_exit(0);
	}
	wait_waiters(self->fd, 1, -1);
	shut(&self->writer);
	wait_waiters(self->fd, 1, -1);
	self->writer = stream_writer(self->device, self->id);
	put(self->writer, "x");
	child_done(pid);
}

TEST_F(stream_end, wakes_who_polls)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	pid_t pid = child_fork();

	if (!pid) {
		struct pollfd entry = { .fd = self->reader, .events = POLLIN };

		close(self->writer);
		EXPECT_EQ(1, poll(&entry, 1, -1));
		EXPECT_EQ(POLLIN | POLLHUP, entry.revents);
		_exit(0);
	}
	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, self->reader, &event));
	EXPECT_EQ(0, epoll_wait(epoll, &event, 1, 0));
	wait_sleeping(pid, pid);
	shut(&self->writer);
	child_done(pid);
	EXPECT_EQ(1, epoll_wait(epoll, &event, 1, 0));
	EXPECT_EQ(EPOLLIN | EPOLLHUP, event.events);
	close(epoll);
}

TEST_F(stream_end, comes_when_the_writer_is_killed)
{
	unsigned int *there = flag_new();
	pid_t pid = child_fork();

	if (!pid) {
		put(self->writer, "last");
		flag_raise(there);
		pause();
	}
	shut(&self->writer);
	flag_await(there, 1);
	EXPECT_BYTES(self->reader, 64, "last");
	EXPECT_DRY(self->reader);
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	EXPECT_END(self->reader);
}

TEST_F(stream_end, of_a_pair_when_the_other_leaves)
{
	struct mailbox_create args = create_args();
	unsigned int *there = flag_new(), *go = flag_new();
	int reader, fd;
	pid_t pid;

	args.policy = MAILBOX_POLICY_PAIR;
	args.flags = MAILBOX_STREAM | MAILBOX_NONBLOCK;
	fd = box_create(self->device, &args);
	ASSERT_LE(0, fd);
	pid = child_fork();
	if (!pid) {
		close(fd);
		fd = stream_open(self->device, args.id, RIGHTS_ALL, 0);
		put(fd, "hello");
		flag_raise(there);
		flag_await(go, 1);
		_exit(0);
	}
	flag_await(there, 1);
	EXPECT_BYTES(fd, 2, "he");
	EXPECT_BYTES(fd, 64, "llo");
	EXPECT_DRY(fd);
	flag_raise(go);
	child_done(pid);
	EXPECT_EQ(0, read(fd, &reader, 1));
	EXPECT_EQ(-EPIPE, result_of(write(fd, "x", 1)));
	close(fd);
}

/* The other direction. */

TEST_F(stream_end, who_writes_when_all_readers_have_left)
{
	int other = box_open(self->device, self->id, NULL, MAILBOX_RIGHT_RECEIVE);

	ASSERT_LE(0, other);
	shut(&self->reader);
	put(self->writer, "x");
	EXPECT_EQ(POLLOUT, poll_now(self->writer, POLLOUT));
	close(other);
	EXPECT_REFUSED(self->device, self->fd, EPIPE, result_of(write(self->writer, "x", 1)));
	EXPECT_EQ(-EPIPE, box_send_text(self->writer, "x", 0, 0));
	EXPECT_EQ(POLLOUT | POLLERR, poll_now(self->writer, POLLOUT));
	/* What was there is there still, and all is well when one comes. */
	self->reader = stream_reader(self->device, self->id);
	EXPECT_EQ(POLLOUT, poll_now(self->writer, POLLOUT));
	put(self->writer, "y");
	EXPECT_BYTES(self->reader, 64, "x");
	EXPECT_BYTES(self->reader, 64, "y");
}

TEST_F(stream_end, who_writes_before_the_first_reader)
{
	int early;

	shut(&self->reader);
	early = stream_writer(self->device, self->id);
	EXPECT_EQ(POLLOUT, poll_now(early, POLLOUT));
	put(early, "x");
	self->reader = stream_reader(self->device, self->id);
	EXPECT_BYTES(self->reader, 64, "x");
	shut(&self->reader);
	EXPECT_EQ(-EPIPE, result_of(write(early, "x", 1)));
	close(early);
}

TEST_F(stream_end, who_sends_messages_is_not_concerned)
{
	int fd = box_open(self->device, self->id, NULL, MAILBOX_RIGHT_SEND);

	ASSERT_LE(0, fd);
	shut(&self->reader);
	put(fd, "x");
	ASSERT_EQ(0, box_send_text(fd, "x", 0, 0));
	EXPECT_EQ(POLLOUT, poll_now(fd, POLLOUT));
	close(fd);
}

TEST_F(stream_end, who_writes_nothing_may_always)
{
	shut(&self->reader);
	EXPECT_EQ(0, write(self->writer, "", 0));
}

/* In line for room, and at a rendezvous. */
static void expect_woken(FIXTURE_DATA(stream_end) * self, __u32 capacity, bool stream)
{
	struct mailbox_create args = create_args();
	int fd, reader, i;
	pid_t pid;

	args.capacity = capacity;
	if (capacity == MAILBOX_CAPACITY_BOUNDED)
		args.max_messages = 2;
	fd = box_new_manage(self->device, &args);
	reader = stream_reader(self->device, args.id);
	pid = child_fork();
	if (!pid) {
		int writer;

		close(reader);
		writer = stream ? stream_open(self->device, args.id, MAILBOX_RIGHT_SEND, 0) :
				  box_open(self->device, args.id, NULL, MAILBOX_RIGHT_SEND);
		for (i = 0; capacity == MAILBOX_CAPACITY_BOUNDED && i < 2; i++)
			put(writer, "x");
		_exit(write(writer, "y", 1) == 1 ? 0 : errno);
	}
	wait_waiters(fd, -1, 1);
	close(reader);
	if (stream) {
		int status;

		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_EQ(EPIPE, WEXITSTATUS(status));
		EXPECT_EQ(capacity == MAILBOX_CAPACITY_BOUNDED ? 2 : 0, box_stat(fd).messages);
	} else {
		char text[8];

		wait_waiters(fd, -1, 1);
		reader = stream_reader(self->device, args.id);
		EXPECT_EQ(1, read(reader, text, 1));
		child_done(pid);
		close(reader);
	}
	close(fd);
}

TEST_F(stream_end, wakes_who_waits_for_room)
{
	expect_woken(self, MAILBOX_CAPACITY_BOUNDED, true);
}

TEST_F(stream_end, wakes_who_waits_at_a_rendezvous)
{
	expect_woken(self, MAILBOX_CAPACITY_RENDEZVOUS, true);
}

TEST_F(stream_end, wakes_not_who_sends_messages)
{
	expect_woken(self, MAILBOX_CAPACITY_BOUNDED, false);
	expect_woken(self, MAILBOX_CAPACITY_RENDEZVOUS, false);
}

/* Who looks before it waits. */
TEST_F(stream_end, who_waits_to_write_after_the_last_has_left)
{
	pid_t pid;
	int i;

	for (i = 0; i < 4; i++)
		put(self->writer, "x");
	pid = child_fork();
	if (!pid) {
		struct pollfd entry = { .fd = self->writer, .events = POLLOUT };

		close(self->reader);
		EXPECT_EQ(1, poll(&entry, 1, -1));
		EXPECT_EQ(POLLERR, entry.revents);
		_exit(0);
	}
	wait_sleeping(pid, pid);
	shut(&self->reader);
	child_done(pid);
	EXPECT_EQ(-EPIPE, result_of(write(self->writer, "x", 1)));
}

TEST_HARNESS_MAIN
