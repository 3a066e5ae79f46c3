// SPDX-License-Identifier: GPL-2.0
/*
 * Lanes: both sides sleep, and are woken by each other, by deadlines, by signals, and when the
 * other one is gone.
 */
#include "common_grant.h"
#include "common_lane.h"

#include <signal.h>

FIXTURE(lane_wait)
{
	int device;
	/* The receiver, and a sender. */
	int fd;
	int sender;
	__u64 id;
	struct ring out;
	struct ring in;
	/* What the sleeper says when it has woken up. */
	unsigned int *flag;
};

FIXTURE_SETUP(lane_wait)
{
	self->device = device_open();
	self->fd = box_new(self->device);
	self->id = box_stat(self->fd).id;
	self->sender = box_open(self->device, self->id, NULL, SEND);
	ASSERT_LE(0, self->sender);
	self->out = ring_new(self->sender, 4096);
	self->in = ring_next(self->fd, 0);
	self->flag = flag_new();
}

FIXTURE_TEARDOWN(lane_wait)
{
	ring_unmap(&self->in);
	ring_unmap(&self->out);
	close(self->sender);
	close(self->fd);
	close(self->device);
}

static void fill(struct ring *ring)
{
	static const char data[4096];

	ASSERT_EQ(0, ring_put(ring, data, 4096 - 2 * sizeof(struct mailbox_lane_record)));
	ASSERT_EQ(-EAGAIN, ring_put(ring, data, 8));
}

/* A child that waits, until it must get that; it sleeps by now. */
static pid_t waiter(int fd, struct mailbox_lane_wait args, int expected, __u64 ready)
{
	pid_t pid = child_fork();

	if (!pid) {
		EXPECT_EQ(expected, lane_wait(fd, &args));
		if (!expected)
			EXPECT_EQ(ready, args.ready);
		_exit(KSFT_PASS);
	}
	wait_sleeping(pid, pid);
	return pid;
}

static pid_t receiver_waits(FIXTURE_DATA(lane_wait) * self, int expected)
{
	pid_t pid = waiter(self->fd, lane_wait_args(0, 1), expected, 1 << self->in.place);

	/* It may have slept for something else. */
	ASSERT_SOON(sleeps(&self->in.state->receiver_sleeps));
	return pid;
}

static pid_t sender_waits(FIXTURE_DATA(lane_wait) * self, int expected)
{
	pid_t pid = waiter(self->sender, lane_room_args(0, 64), expected, 1 << self->out.place);

	ASSERT_SOON(sleeps(&self->out.state->sender_sleeps));
	return pid;
}

TEST_F(lane_wait, a_sleeping_receiver_is_woken)
{
	pid_t pid = receiver_waits(self, 0);

	EXPECT_EQ(0, ring_put(&self->out, "text", 4));
	child_done(pid);
	EXPECT_EQ(0, sleeps(&self->in.state->receiver_sleeps));
	EXPECT_TEXT("text", &self->in);
}

TEST_F(lane_wait, a_sleeping_sender_is_woken)
{
	char data[4096];
	pid_t pid;

	fill(&self->out);
	pid = sender_waits(self, 0);
	EXPECT_LT(0, ring_get(&self->in, data, sizeof(data)));
	child_done(pid);
	EXPECT_EQ(0, sleeps(&self->out.state->sender_sleeps));
}

TEST_F(lane_wait, what_is_so_needs_no_wait)
{
	struct mailbox_lane_wait args = lane_room_args(0, 4096);

	EXPECT_EQ(0, lane_wait(self->sender, &args));
	EXPECT_EQ(1 << self->out.place, args.ready);
	EXPECT_EQ(0, ring_put(&self->out, "text", 4));
	args = lane_wait_args(0, 1);
	EXPECT_EQ(0, lane_wait(self->fd, &args));
	EXPECT_EQ(1 << self->in.place, args.ready);
	EXPECT_EQ(1, args.opened);
	EXPECT_EQ(0, args.lane);
	args = lane_wait_args(0, 1);
	args.lane = 1;
	EXPECT_EQ(0, lane_wait(self->fd, &args));
	EXPECT_EQ(1, args.lane);
	/* Nobody has said that it sleeps. */
	EXPECT_EQ(0, sleeps(&self->in.state->sender_sleeps));
}

TEST_F(lane_wait, who_may_not_wait_does_not)
{
	lane_wake(self->sender, 0, 0);
	EXPECT_EQ(-EAGAIN, lane_ready(self->fd, 1));
	EXPECT_EQ(0, sleeps(&self->in.state->receiver_sleeps));
	fill(&self->out);
	EXPECT_EQ(-EAGAIN, lane_room(self->sender, 64));
	EXPECT_EQ(0, sleeps(&self->in.state->sender_sleeps));
	ASSERT_EQ(0, fcntl(self->sender, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(-EAGAIN, ring_send(&self->out, "more", 4));
}

TEST_F(lane_wait, a_wake_up_for_nothing_ends_no_wait)
{
	pid_t pid = receiver_waits(self, 0);

	for (int i = 0; i < 100; i++)
		EXPECT_EQ(0, lane_wake(self->sender, 0, 0));
	/* It says so again, before it sleeps again. */
	while (!sleeps(&self->in.state->receiver_sleeps))
		sched_yield();
	wait_sleeping(pid, pid);
	EXPECT_EQ(0, ring_put(&self->out, "text", 4));
	child_done(pid);
}

TEST_F(lane_wait, a_deadline_ends_it)
{
	struct mailbox_lane_wait args = lane_wait_args(MAILBOX_DEADLINE, 1);
	const __u64 start = now_ns();

	args.deadline = start + SECOND / 20;
	EXPECT_EQ(-ETIMEDOUT, lane_wait(self->fd, &args));
	EXPECT_LE(start + SECOND / 20, now_ns());
	EXPECT_EQ(POISON64, args.ready);
	args.deadline = 1;
	EXPECT_EQ(-ETIMEDOUT, lane_wait(self->fd, &args));
	fill(&self->out);
	args = lane_room_args(MAILBOX_DEADLINE, 64);
	args.deadline = now_ns() + SECOND / 20;
	EXPECT_EQ(-ETIMEDOUT, lane_wait(self->sender, &args));
	/* What needs no wait is done however late it is. */
	args = lane_wait_args(MAILBOX_DEADLINE, 1);
	args.deadline = 1;
	EXPECT_EQ(0, lane_wait(self->fd, &args));
}

static void nothing(int signal)
{
	(void)signal;
}

static void handle_signal(int flags)
{
	struct sigaction action = { .sa_handler = nothing, .sa_flags = flags };

	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
}

TEST_F(lane_wait, a_signal_ends_it)
{
	pid_t pid;

	handle_signal(0);
	pid = receiver_waits(self, -EINTR);
	ASSERT_EQ(0, kill(pid, SIGUSR1));
	child_done(pid);
	fill(&self->out);
	pid = sender_waits(self, -EINTR);
	ASSERT_EQ(0, kill(pid, SIGUSR1));
	child_done(pid);
}

TEST_F(lane_wait, starts_again_after_a_signal_if_it_shall)
{
	pid_t pid;

	handle_signal(SA_RESTART);
	pid = receiver_waits(self, 0);
	ASSERT_EQ(0, kill(pid, SIGUSR1));
	EXPECT_EQ(0, ring_put(&self->out, "text", 4));
	child_done(pid);
}

TEST_F(lane_wait, the_end_of_the_sender_is_told)
{
	pid_t pid = receiver_waits(self, 0);

	/* It is the child's, too. */
	close(self->sender);
	EXPECT_EQ(0, ring_ended(&self->in));
	child_kill(pid);
	EXPECT_EQ(MAILBOX_LANE_SENDER_GONE, ring_ended(&self->in));
	self->sender = box_open(self->device, self->id, NULL, SEND);
	ASSERT_EQ(0, lane_close(self->fd, MAILBOX_LANE_RECEIVE, 1));
	EXPECT_EQ(2, lane_open(self->sender, 4096).lane);
	EXPECT_EQ(2, lane_next(self->fd, 1).lane);
	pid = waiter(self->fd, lane_wait_args(0, 2), 0, 1);
	ASSERT_EQ(0, lane_close(self->sender, 0, 0));
	child_done(pid);
}

TEST_F(lane_wait, the_end_of_the_receiver_is_told)
{
	struct mailbox_lane_open second = { .lane = 2, .bytes = 4096 };
	pid_t pid;

	fill(&self->out);
	pid = sender_waits(self, -EPIPE);
	ASSERT_EQ(0, lane_close(self->fd, MAILBOX_LANE_RECEIVE, 1));
	child_done(pid);
	/* That of all. */
	ASSERT_EQ(0, lane_close(self->sender, 0, 0));
	EXPECT_EQ(2, lane_open(self->sender, 4096).lane);
	EXPECT_EQ(2, lane_next(self->fd, 1).lane);
	ring_unmap(&self->out);
	second.offset = self->out.offset;
	self->out = ring_map(self->sender, &second, true);
	fill(&self->out);
	pid = sender_waits(self, -EPIPE);
	ASSERT_EQ(0, lane_close(self->fd, MAILBOX_LANE_RECEIVE, 0));
	child_done(pid);
}

TEST_F(lane_wait, a_receiver_that_gives_up_in_another_thread_is_none)
{
	pid_t pid = receiver_waits(self, -ENOENT);

	ASSERT_EQ(0, lane_close(self->fd, MAILBOX_LANE_RECEIVE, 0));
	child_done(pid);
}

TEST_F(lane_wait, a_lane_that_is_closed_by_another_thread_is_none)
{
	struct mailbox_lane_wait args = lane_wait_args(0, 1);
	pid_t pid;

	args.lane = 1;
	pid = waiter(self->fd, args, -ENOENT, 0);
	ASSERT_EQ(0, lane_close(self->fd, MAILBOX_LANE_RECEIVE, 1));
	child_done(pid);
	ASSERT_EQ(0, lane_close(self->sender, 0, 0));
	ring_unmap(&self->out);
	self->out = ring_new(self->sender, 4096);
	fill(&self->out);
	pid = sender_waits(self, -ENOENT);
	ASSERT_EQ(0, lane_close(self->sender, 0, 0));
	child_done(pid);
}

TEST_F(lane_wait, the_end_of_the_mailbox_ends_that_of_a_receiver)
{
	pid_t pid = receiver_waits(self, -EIDRM);

	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	child_done(pid);
}

TEST_F(lane_wait, the_end_of_the_mailbox_ends_that_of_a_sender)
{
	pid_t pid;

	fill(&self->out);
	pid = sender_waits(self, -EIDRM);
	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	child_done(pid);
}

TEST_F(lane_wait, revoked_handles_wait_no_more)
{
	__u64 receive = 0, send = 0;
	int receiver, sender;
	struct ring out;
	pid_t pid;

	ASSERT_EQ(0, lane_close(self->fd, MAILBOX_LANE_RECEIVE, 0));
	receiver = box_restrict(self->fd, RECEIVE, &receive);
	sender = box_restrict(self->fd, SEND, &send);
	out = ring_new(sender, 4096);
	EXPECT_EQ(2, lane_next(receiver, 0).lane);
	pid = waiter(receiver, lane_wait_args(0, 2), -EACCES, 0);
	ASSERT_EQ(0, box_revoke(self->fd, receive));
	child_done(pid);
	close(receiver);
	EXPECT_EQ(0, lane_close(sender, 0, 0));
	ring_unmap(&out);
	out = ring_new(sender, 4096);
	fill(&out);
	pid = waiter(sender, lane_room_args(0, 64), -EACCES, 0);
	ASSERT_EQ(0, box_revoke(self->fd, send));
	child_done(pid);
	ring_unmap(&out);
	close(sender);
}

TEST_F(lane_wait, a_new_lane_ends_the_wait)
{
	int second = box_open(self->device, self->id, NULL, SEND);
	pid_t pid = child_fork();

	if (!pid) {
		struct mailbox_lane_wait args = lane_wait_args(0, 1);

		EXPECT_EQ(0, lane_wait(self->fd, &args));
		EXPECT_EQ(0, args.ready);
		EXPECT_EQ(2, args.opened);
		_exit(KSFT_PASS);
	}
	wait_sleeping(pid, pid);
	lane_open(second, 4096);
	child_done(pid);
	/* Who knows of it waits for what is in it, and is told by its first message. */
	EXPECT_EQ(0, lane_ready(self->fd, 1));
	EXPECT_EQ(-EAGAIN, lane_ready(self->fd, 2));
	close(second);
}

TEST_F(lane_wait, one_lane_may_be_waited_for)
{
	int second = box_open(self->device, self->id, NULL, SEND);
	struct ring out = ring_new(second, 4096), in = ring_next(self->fd, 1);
	struct mailbox_lane_wait args = lane_wait_args(0, 2);
	pid_t pid;

	args.lane = 2;
	lane_wake(self->sender, 0, 0);
	pid = waiter(self->fd, args, 0, 1 << in.place);
	/* Of the other one it says nothing. */
	EXPECT_EQ(0, sleeps(&self->in.state->receiver_sleeps));
	EXPECT_EQ(1, sleeps(&in.state->receiver_sleeps));
	EXPECT_EQ(0, ring_put(&self->out, "not this", 8));
	EXPECT_EQ(0, lane_wake(self->sender, 0, 0));
	while (!sleeps(&in.state->receiver_sleeps))
		sched_yield();
	wait_sleeping(pid, pid);
	EXPECT_EQ(0, ring_put(&out, "this", 4));
	child_done(pid);
	EXPECT_EQ(3, lane_ready(self->fd, 2));
	args.lane = 3;
	EXPECT_EQ(-ENOENT, lane_wait(self->fd, &args));
	args = lane_room_args(0, 8);
	args.lane = 1;
	EXPECT_EQ(-ENOENT, lane_wait(second, &args));
	ring_unmap(&in);
	ring_unmap(&out);
	close(second);
}

TEST_F(lane_wait, without_lanes_there_is_nothing_to_wait_for)
{
	int second = box_open(self->device, self->id, NULL, SEND), fd = box_new(self->device);

	EXPECT_EQ(-ENOENT, lane_room(second, 8));
	EXPECT_EQ(-ENOENT, lane_wake(second, 0, 0));
	EXPECT_EQ(-ENOENT, lane_close(second, 0, 0));
	EXPECT_EQ(-ENOENT, lane_room(fd, 8));
	EXPECT_EQ(-ENOENT, lane_ready(fd, 8));
	EXPECT_EQ(-ENOENT, lane_wake(fd, MAILBOX_LANE_RECEIVE, 1));
	EXPECT_EQ(-ENOENT, lane_close(fd, MAILBOX_LANE_RECEIVE, 0));
	close(fd);
	close(second);
}

TEST_F(lane_wait, an_answer_that_cannot_be_written_loses_nothing)
{
	struct mailbox_lane_wait args = lane_wait_args(0, 1);
	void *bad = readonly_new(&args, sizeof(args));

	EXPECT_EQ(0, ring_put(&self->out, "text", 4));
	EXPECT_EQ(-EFAULT, call(self->fd, MAILBOX_IOC_LANE_WAIT, bad));
	EXPECT_EQ(1, lane_ready(self->fd, 1));
	EXPECT_TEXT("text", &self->in);
}

/* Both sides sleep as often as they can: a wake-up that is lost is a test that hangs. */
TEST_F(lane_wait, none_is_lost)
{
	const __u64 nr = effort(30000);
	pid_t pid = child_fork();
	__u64 got[8];

	if (!pid) {
		for (__u64 i = 0; i < nr; i++) {
			__u64 data[8] = { i, ~i, i * i };

			/* Sixty of them fill it. */
			ASSERT_EQ(0, ring_send(&self->out, data, 24 + i % 5 * 8));
		}
		_exit(KSFT_PASS);
	}
	for (__u64 i = 0; i < nr; i++) {
		struct mailbox_lane_wait args = lane_wait_args(0, 1);
		int ret;

		while ((ret = ring_get(&self->in, got, sizeof(got))) == -EAGAIN)
			ASSERT_EQ(0, lane_wait(self->fd, &args));
		ASSERT_EQ(24 + i % 5 * 8, ret);
		ASSERT_EQ(i, got[0]);
		ASSERT_EQ(~i, got[1]);
		ASSERT_EQ(i * i, got[2]);
	}
	child_done(pid);
}

TEST_HARNESS_MAIN
