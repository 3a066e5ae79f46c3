// SPDX-License-Identifier: GPL-2.0
/*
 * Sending with a receipt, with each allocation and copy made to fail in turn: nothing is
 * sent and nothing promised.
 */
#include "fail_nth.h"
#include "receipt.h"

static struct mailbox_receipt receipt;

static void prepare_answered(struct scene *scene)
{
	scene->fd = box_new(scene->device);
	scene->other = box_new(scene->device);
	scene->send = answered_args(scene->other, "a");
}

static int send_answered(struct scene *scene)
{
	return call(scene->fd, MAILBOX_IOC_SEND, &scene->send);
}

static void complete_answered(struct scene *scene)
{
	char text[8];

	EXPECT_EQ(1, box_stat(scene->fd).sent);
	EXPECT_EQ(1, box_stat(scene->other).promised);
	EXPECT_EQ(1, box_stat(scene->other).sent);
	ASSERT_EQ(1, box_receive_text(scene->fd, text, sizeof(text)));
	EXPECT_EQ(MAILBOX_END_RECEIVED, take_receipt(scene->other).end);
	expect_nothing(scene->other);
}

TEST_SWEEP(send_with_a_receipt, .prepare = prepare_answered, .call = send_answered,
	   .complete = complete_answered, .length = LENGTH_INLINE, .allocates = true, .keeps = 1,
	   .least = 2)

/* Somebody takes it, so the wait ends. */
static void prepare_waiting(struct scene *scene)
{
	scene->fd = box_new(scene->device);
	scene->helper = child_that_waits(scene->fd);
	scene->send = waiting_args(&receipt, "a");
}

static int send_waiting(struct scene *scene)
{
	return call(scene->fd, MAILBOX_IOC_SEND, &scene->send);
}

static void complete_waiting(struct scene *scene)
{
	EXPECT_EQ(1, box_stat(scene->fd).received);
	/* A fault in the last copy is not told: what could be written before is 0. */
	EXPECT_TRUE(!receipt.end || receipt.end == MAILBOX_END_RECEIVED);
	expect_nothing(scene->fd);
}

TEST_SWEEP(send_that_waits_for_a_receipt, .prepare = prepare_waiting, .call = send_waiting,
	   .length = LENGTH_INLINE, .allocates = true, .keeps = 2, .least = 2,
	   .complete = complete_waiting)

TEST_HARNESS_MAIN
