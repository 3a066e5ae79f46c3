// SPDX-License-Identifier: GPL-2.0
/*
 * Receipts of broadcasts: when all have it, and how many that is. And receipts through a
 * handle that is revoked.
 */
#include "common_broadcast.h"
#include "common_grant.h"
#include "receipt.h"

FIXTURE(receipt_broadcast)
{
	int device;
	int receipts;
	int sender;
	__u64 id;
};

FIXTURE_SETUP(receipt_broadcast)
{
	self->device = device_open();
	self->receipts = box_new(self->device);
	self->sender = broadcast_new(self->device, 2, &self->id);
}

FIXTURE_TEARDOWN(receipt_broadcast)
{
	close(self->sender);
	close(self->receipts);
	close(self->device);
}

static void expect_receipt(FIXTURE_DATA(receipt_broadcast) * self, __u32 end, __u32 copies)
{
	struct mailbox_receipt receipt = take_receipt(self->receipts);

	EXPECT_EQ(end, receipt.end);
	EXPECT_EQ(copies, receipt.copies);
	EXPECT_EQ(self->id, receipt.mailbox);
	/* Not one process has taken it. */
	EXPECT_EQ(0, receipt.pid);
	EXPECT_EQ(0, receipt.tid);
	EXPECT_EQ((__u32)-1, receipt.uid);
	EXPECT_EQ((__u32)-1, receipt.gid);
	expect_nothing(self->receipts);
}

TEST_F(receipt_broadcast, comes_when_all_have_it)
{
	int first = subscribe(self->device, self->id), second = subscribe(self->device, self->id);

	ASSERT_EQ(0, box_send_answered(self->sender, self->receipts, "x"));
	EXPECT_LE(0, broadcast_next(first, NULL));
	expect_nothing(self->receipts);
	EXPECT_LE(0, broadcast_next(second, NULL));
	expect_receipt(self, MAILBOX_END_RECEIVED, 2);
	close(first);
	close(second);
}

TEST_F(receipt_broadcast, comes_when_the_last_that_has_not_got_it_leaves)
{
	int first = subscribe(self->device, self->id), second = subscribe(self->device, self->id);

	ASSERT_EQ(0, box_send_answered(self->sender, self->receipts, "x"));
	EXPECT_LE(0, broadcast_next(first, NULL));
	close(second);
	expect_receipt(self, MAILBOX_END_RECEIVED, 1);
	close(first);
}

TEST_F(receipt_broadcast, of_what_nobody_was_there_to_get)
{
	int late;

	ASSERT_EQ(0, box_send_answered(self->sender, self->receipts, "x"));
	expect_receipt(self, MAILBOX_END_DROPPED, 0);
	late = subscribe(self->device, self->id);
	ASSERT_EQ(0, box_send_answered(self->sender, self->receipts, "x"));
	close(late);
	expect_receipt(self, MAILBOX_END_DROPPED, 0);
}

TEST_F(receipt_broadcast, of_what_was_overwritten_expired_or_destroyed)
{
	int quick = subscribe(self->device, self->id), slow = subscribe(self->device, self->id);
	struct mailbox_send args = answered_args(self->receipts, "x");

	ASSERT_EQ(0, box_send(self->sender, &args));
	EXPECT_LE(0, broadcast_next(quick, NULL));
	broadcast_send(self->sender, 1, 2);
	expect_receipt(self, MAILBOX_END_OVERWRITTEN, 1);

	ASSERT_EQ(0, box_send_soon_expired(self->sender, &args));
	/* Nobody calls: the timer does it. */
	ASSERT_EQ(1, poll(&(struct pollfd){ .fd = self->receipts, .events = POLLIN }, 1, 30000));
	expect_receipt(self, MAILBOX_END_EXPIRED, 0);

	ASSERT_EQ(0, box_send_answered(self->sender, self->receipts, "x"));
	ASSERT_EQ(0, box_destroy(self->sender, 0, NULL));
	expect_receipt(self, MAILBOX_END_DESTROYED, 0);
	close(quick);
	close(slow);
}

TEST_F(receipt_broadcast, a_sender_may_wait_until_all_have_it)
{
	struct mailbox_receipt receipt;
	struct mailbox_send args = waiting_args(&receipt, "x");
	int first = subscribe(self->device, self->id), second = subscribe(self->device, self->id);
	unsigned int *begun = flag_new(), *ended = flag_new();
	pid_t pid = child_fork();

	if (!pid) {
		flag_raise(begun);
		EXPECT_EQ(0, box_send(self->sender, &args));
		flag_raise(ended);
		EXPECT_EQ(MAILBOX_END_RECEIVED, receipt.end);
		EXPECT_EQ(2, receipt.copies);
		EXPECT_EQ(0, receipt.pid);
		_exit(0);
	}
	flag_await(begun, 1);
	ASSERT_EQ(1, poll(&(struct pollfd){ .fd = first, .events = POLLIN }, 1, 30000));
	EXPECT_LE(0, broadcast_next(first, NULL));
	wait_sleeping(pid, pid);
	EXPECT_EQ(0, *ended);
	EXPECT_LE(0, broadcast_next(second, NULL));
	child_done(pid);
	close(first);
	close(second);
}

/* Some may have it, so it stays sent, and what is sent later has the next number. */
TEST_F(receipt_broadcast, is_not_taken_back_when_the_wait_ends)
{
	struct mailbox_receipt receipt;
	struct mailbox_send args = waiting_args(&receipt, "x");
	int subscriber = subscribe(self->device, self->id);
	__u64 missed;

	args.flags |= MAILBOX_DEADLINE;
	args.deadline = now_ns() + SECOND / 50;
	args.type = 5;
	EXPECT_EQ(0, box_send(self->sender, &args));
	EXPECT_EQ(MAILBOX_END_PENDING, receipt.end);
	EXPECT_EQ(0, receipt.copies);
	broadcast_send(self->sender, 6, 1);
	EXPECT_EQ(5, broadcast_next(subscriber, &missed));
	EXPECT_EQ(0, missed);
	EXPECT_EQ(6, broadcast_next(subscriber, &missed));
	EXPECT_EQ(0, missed);
	close(subscriber);
}

TEST_F(receipt_broadcast, receipts_are_not_broadcast)
{
	int box = box_new(self->device);

	EXPECT_EQ(-EINVAL, box_send_answered(box, self->sender, "x"));
	expect_nothing(box);
	close(box);
}

/* Who waits for a receipt through a handle that is revoked has sent nothing. */
TEST_F(receipt_broadcast, revoke_ends_the_wait_for_a_receipt)
{
	struct mailbox_receipt receipt;
	struct mailbox_send args = waiting_args(&receipt, "x");
	int box = box_new(self->device), derived;
	__u64 grant, lease, end;
	pid_t pid;

	derived = box_restrict(box, MAILBOX_RIGHT_SEND, &grant);
	pid = child_fork();
	if (!pid) {
		EXPECT_EQ(-EACCES, box_send(derived, &args));
		_exit(0);
	}
	ASSERT_EQ(1, poll(&(struct pollfd){ .fd = box, .events = POLLIN }, 1, 30000));
	wait_sleeping(pid, pid);
	EXPECT_EQ(0, box_revoke(box, grant));
	child_done(pid);
	expect_nothing(box);
	EXPECT_EQ(0, box_stat(box).sent);
	close(derived);

	/* Under a lease of somebody else it is sent, and stays so. */
	derived = box_restrict(box, MAILBOX_RIGHT_SEND, &grant);
	pid = child_fork();
	if (!pid) {
		EXPECT_EQ(0, box_send(derived, &args));
		EXPECT_EQ(MAILBOX_END_PENDING, receipt.end);
		_exit(0);
	}
	end = now_ns() + 30 * SECOND;
	while (!box_stat(box).messages)
		ASSERT_GT(end, now_ns());
	lease = box_lease(box);
	wait_sleeping(pid, pid);
	EXPECT_EQ(0, box_revoke(box, grant));
	child_done(pid);
	EXPECT_EQ(0, box_ack(box, lease));
	EXPECT_EQ(1, box_stat(box).received);
	close(derived);
	close(box);
}

TEST_F(receipt_broadcast, a_revoked_handle_gets_no_receipts)
{
	int box = box_new(self->device), derived;
	__u64 grant;

	derived = box_restrict(self->receipts, MAILBOX_RIGHT_SEND, &grant);
	ASSERT_EQ(0, box_send_answered(box, derived, "promised before"));
	ASSERT_EQ(0, box_revoke(self->receipts, grant));
	EXPECT_EQ(-EACCES, box_send_answered(box, derived, "x"));
	EXPECT_EQ(1, box_stat(box).messages);
	EXPECT_EQ(1, box_stat(self->receipts).promised);
	expect_delivered(box, "promised before", 0);
	EXPECT_EQ(MAILBOX_END_RECEIVED, take_receipt(self->receipts).end);
	close(derived);
	close(box);
}

TEST_HARNESS_MAIN
