// SPDX-License-Identifier: GPL-2.0
/*
 * Lanes: whoever is killed, at whatever moment: what was committed is received, what was half
 * written is not, and the next one follows.
 */
#include "world.h"

#include "common_lane.h"

#define LENGTH 56

FIXTURE(lane_kill)
{
	int device;
	int fd;
	__u64 id;
	struct usage before;
	/* How many the sender knows to be committed. */
	__u64 *committed;
};

FIXTURE_SETUP(lane_kill)
{
	self->device = device_open();
	self->before = usage_of_caller(self->device);
	self->fd = box_new(self->device);
	self->id = box_stat(self->fd).id;
	self->committed = mmap(NULL, sizeof(__u64), READ_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_TRUE(self->committed != MAP_FAILED);
}

FIXTURE_TEARDOWN(lane_kill)
{
	EXPECT_EQ(0, box_stat(self->fd).lanes);
	close(self->fd);
	await_usage(self->device, self->before);
	close(self->device);
}

/* A message says which it is, in every byte. */
static void compose(char *data, __u64 number)
{
	for (size_t i = 0; i < LENGTH / sizeof(number); i++)
		memcpy(data + i * sizeof(number), &number, sizeof(number));
}

/* Whatever is in it: from 0, one after the other, each whole. */
static __u64 drain(struct ring *in, __u64 next)
{
	char data[LENGTH], expected[LENGTH];
	int ret;

	while ((ret = ring_get(in, data, sizeof(data))) != -EAGAIN) {
		ASSERT_EQ(LENGTH, ret);
		compose(expected, next++);
		ASSERT_EQ(0, memcmp(expected, data, LENGTH));
	}
	return next;
}

enum moment {
	HALF_WRITTEN,
	WRITTEN,
	COMMITTED,
	WOKEN,
	NR_MOMENTS,
};

/* The child sends so many, and dies in the one after that. */
static void send_and_die(FIXTURE_DATA(lane_kill) * self, __u64 nr, enum moment moment)
{
	int fd = box_open(self->device, self->id, NULL, SEND);
	struct ring out = ring_new(fd, 4096);
	char data[LENGTH];

	for (__u64 i = 0; i < nr; i++) {
		compose(data, i);
		ASSERT_EQ(0, ring_send(&out, data, LENGTH));
	}
	compose(data, nr);
	ASSERT_EQ(0, ring_write(&out, data, moment == HALF_WRITTEN ? LENGTH / 2 : LENGTH));
	if (moment >= COMMITTED)
		__atomic_store_n(&out.producer->head, out.own, __ATOMIC_RELEASE);
	if (moment == WOKEN)
		lane_wake(fd, 0, 0);
	kill(getpid(), SIGKILL);
}

TEST_F(lane_kill, a_sender_at_each_step)
{
	for (enum moment moment = 0; moment < NR_MOMENTS; moment++) {
		pid_t pid = child_fork();
		struct ring in;
		int status;

		if (!pid)
			send_and_die(self, 10, moment);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_TRUE(WIFSIGNALED(status));
		in = ring_next(self->fd, 0);
		EXPECT_EQ(MAILBOX_LANE_SENDER_GONE, ring_ended(&in));
		EXPECT_EQ(moment >= COMMITTED ? 11 : 10, drain(&in, 0));
		EXPECT_EQ(0, lane_close(self->fd, MAILBOX_LANE_RECEIVE, in.number));
		ring_unmap(&in);
	}
	EXPECT_EQ(0, lane_close(self->fd, MAILBOX_LANE_RECEIVE, 0));
}

/* It says LANE_WAIT in between, since the ring is small: there, too, it is killed. */
static void send_for_ever(FIXTURE_DATA(lane_kill) * self)
{
	int fd = box_open(self->device, self->id, NULL, SEND);
	struct ring out = ring_new(fd, 4096);
	char data[LENGTH];

	for (__u64 i = 0;; i++) {
		compose(data, i);
		ASSERT_EQ(0, ring_send(&out, data, LENGTH));
		__atomic_store_n(self->committed, i + 1, __ATOMIC_RELEASE);
	}
}

TEST_F(lane_kill, a_sender_at_any_moment)
{
	const __u64 lives = effort(60);
	__u64 opened = 0;

	for (__u64 life = 0; life < lives; life++) {
		struct mailbox_lane_wait args = lane_wait_args(0, opened);
		__u64 next = 0, until = life * 7919 % 1000;
		struct ring in;
		pid_t pid;

		*self->committed = 0;
		pid = child_fork();
		if (!pid)
			send_for_ever(self);
		/* Perhaps the lane is there already. */
		if (!life)
			lane_next(self->fd, 0);
		ASSERT_EQ(0, lane_wait(self->fd, &args));
		ASSERT_EQ(opened + 1, args.opened);
		in = ring_next(self->fd, opened);
		opened = args.opened;
		while (next < until) {
			args = lane_wait_args(0, opened);
			ASSERT_EQ(0, lane_wait(self->fd, &args));
			next = drain(&in, next);
		}
		child_kill(pid);
		next = drain(&in, next);
		EXPECT_EQ(MAILBOX_LANE_SENDER_GONE, ring_ended(&in));
		/* All that it knew of, and at most one more. */
		EXPECT_LE(*self->committed, next);
		EXPECT_LE(next, *self->committed + 1);
		EXPECT_EQ(1 << in.place, lane_ready(self->fd, opened));
		ASSERT_EQ(0, lane_close(self->fd, MAILBOX_LANE_RECEIVE, in.number));
		ring_unmap(&in);
	}
	EXPECT_EQ(0, lane_close(self->fd, MAILBOX_LANE_RECEIVE, 0));
}

static void receive_for_ever(FIXTURE_DATA(lane_kill) * self)
{
	int fd = box_open(self->device, self->id, NULL, RECEIVE);
	struct ring in = ring_next(fd, 0);
	struct mailbox_lane_wait args;
	__u64 next = 0;

	for (;;) {
		args = lane_wait_args(0, in.number);
		ASSERT_EQ(0, lane_wait(fd, &args));
		next = drain(&in, next);
	}
}

TEST_F(lane_kill, a_receiver_at_any_moment)
{
	const __u64 lives = effort(40);
	int fd = box_open(self->device, self->id, NULL, SEND);
	char data[LENGTH];

	for (__u64 life = 0; life < lives; life++) {
		struct ring out = ring_new(fd, 4096);
		pid_t pid = child_fork();

		if (!pid) {
			close(fd);
			receive_for_ever(self);
		}
		for (__u64 i = 0; i < 100 + life * 7919 % 1000; i++) {
			compose(data, i);
			ASSERT_EQ(0, ring_send(&out, data, LENGTH));
		}
		child_kill(pid);
		EXPECT_EQ(MAILBOX_LANE_RECEIVER_GONE, ring_ended(&out));
		EXPECT_EQ(-EPIPE, lane_room(fd, 0));
		ASSERT_EQ(0, lane_close(fd, 0, 0));
		ring_unmap(&out);
	}
	close(fd);
}

TEST_HARNESS_MAIN
