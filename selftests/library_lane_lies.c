// SPDX-License-Identifier: GPL-2.0
/*
 * libmailbox: the receiver of lanes, where a sender does not keep to the rules.
 */
#include <errno.h>

#include "common_lane.h"

#if __has_include("mailbox.h")
#include <mailbox.h>

#define RING 4096

FIXTURE(lane_lies)
{
	int device;
	int box;
	int liar;
	struct mailbox_lane *lane;
	struct mailbox_lanes *lanes;
};

FIXTURE_SETUP(lane_lies)
{
	struct mailbox_create create;

	self->device = mailbox_device_open();
	ASSERT_LE(0, self->device);
	ASSERT_EQ(0, mailbox_create_init(&create, "lanes"));
	self->box = mailbox_create(self->device, &create);
	ASSERT_LE(0, self->box);
	self->liar = mailbox_open(self->device, "lanes", MAILBOX_RIGHT_SEND, 0);
	ASSERT_LE(0, self->liar);
	/* The handle that receives has an honest lane, too. */
	ASSERT_EQ(0, mailbox_lane_open(self->box, RING, &self->lane));
	ASSERT_EQ(0, mailbox_lanes_open(self->box, &self->lanes));
}

FIXTURE_TEARDOWN(lane_lies)
{
	mailbox_lane_close(self->lane);
	mailbox_lanes_close(self->lanes);
	close(self->liar);
	close(self->box);
	close(self->device);
}

TEST_F(lane_lies, a_sender_that_lies_harms_itself_alone)
{
	struct ring ring = ring_new(self->liar, RING);
	struct mailbox_lane_message message;
	struct mailbox_stat stat;
	int ret, broken = 0, good = 0, i;

	__atomic_store_n(&ring.producer->head, POISON64, __ATOMIC_RELEASE);
	ASSERT_EQ(0, mailbox_lane_send(self->lane, "one", 3));
	ASSERT_EQ(0, mailbox_lane_send(self->lane, "two", 3));
	for (i = 0; i < 3; i++) {
		ret = mailbox_lanes_next(self->lanes, &message, MAILBOX_NONBLOCK, 0);
		if (ret == -EBADMSG) {
			broken++;
			EXPECT_EQ(ring.number, message.lane);
		} else {
			ASSERT_EQ(0, ret);
			good++;
		}
	}
	EXPECT_EQ(1, broken);
	EXPECT_EQ(2, good);
	mailbox_lanes_release(self->lanes);
	EXPECT_EQ(-EAGAIN, mailbox_lanes_next(self->lanes, &message, MAILBOX_NONBLOCK, 0));
	ASSERT_EQ(0, mailbox_stat(self->box, &stat));
	EXPECT_EQ(1, stat.lanes);
}

/* One that is committed and not told of, so that it is the end that ends the wait. */
TEST_F(lane_lies, whatever_ends_a_wait_what_was_committed_comes_first)
{
	struct ring ring = ring_new(self->liar, RING);
	struct mailbox_lane_message message;
	pid_t pid = child_fork();

	if (!pid) {
		wait_sleeping(getppid(), getppid());
		ASSERT_EQ(0, ring_write(&ring, "one", 3));
		__atomic_store_n(&ring.producer->head, ring.own, __ATOMIC_RELEASE);
		_exit(mailbox_destroy(self->box) ? KSFT_FAIL : KSFT_PASS);
	}
	ASSERT_EQ(0, mailbox_lanes_next(self->lanes, &message, 0, 0));
	EXPECT_EQ(3, message.length);
	EXPECT_EQ(0, memcmp(message.data, "one", 3));
	mailbox_lanes_release(self->lanes);
	EXPECT_EQ(-EIDRM, mailbox_lanes_next(self->lanes, &message, 0, 0));
	child_done(pid);
}

/* Until it is killed: whatever it may write, as fast as it can; a new lane when one is closed. */
static void scribble(FIXTURE_DATA(lane_lies) * self)
{
	unsigned int seed = 1, i;
	struct ring ring;

	for (;;) {
		ring = ring_new(self->liar, RING);
		for (i = 0; !ring_ended(&ring); i++) {
			/* Mostly such that makes some sense, so that it is looked at. */
			((__u32 *)ring.data)[rand_r(&seed) % (RING / 4)] =
				rand_r(&seed) % (i % 64 ? 256 : RAND_MAX);
			if (i % 16 == 0)
				__atomic_store_n(&ring.producer->head,
						 rand_r(&seed) % (i % 1024 ? RING / 8 : RING) * 8,
						 __ATOMIC_RELEASE);
		}
		ring_unmap(&ring);
		ASSERT_EQ(0, lane_close(self->liar, 0, 0));
	}
}

TEST_F(lane_lies, a_sender_that_scribbles_harms_nobody)
{
	unsigned int number, broken = 0, others = 0, sum = 0;
	struct mailbox_lane_message message;
	__u64 end = now_ns() + PATIENCE;
	pid_t pid = child_fork();
	size_t i;
	int ret;

	if (!pid)
		scribble(self);
	for (number = 0; number < 1000 || broken < 10 || !others; number++) {
		ASSERT_LT(now_ns(), end);
		ASSERT_EQ(0, mailbox_lane_send(self->lane, &number, sizeof(number)));
		do {
			ret = mailbox_lanes_next(self->lanes, &message, 0, 0);
			broken += ret == -EBADMSG;
			if (ret == -EBADMSG)
				continue;
			ASSERT_EQ(0, ret);
			/* All of it is there to be read, whatever it is. */
			for (i = 0; i < message.length; i++)
				sum += ((const char *)message.data)[i];
			if (message.lane == mailbox_lane_number(self->lane))
				break;
			others++;
			mailbox_lanes_release(self->lanes);
		} while (true);
		ASSERT_EQ(sizeof(number), message.length);
		ASSERT_EQ(0, memcmp(message.data, &number, sizeof(number)));
		mailbox_lanes_release(self->lanes);
		sched_yield();
	}
	TH_LOG("%u broken, %u messages of it, which come to %u", broken, others, sum);
	child_kill(pid);
}

#else

TEST(lane_lies)
{
	SKIP(return, "the library is not there");
}

#endif

TEST_HARNESS_MAIN
