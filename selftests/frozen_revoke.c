// SPDX-License-Identifier: GPL-2.0
/*
 * REVOKE while a message is being copied through the handle, or from a sender that waits
 * through it: it is decided one way or the other, and never lost. See frozen.h for how calls
 * are stopped there.
 */
#include "frozen.h"

#include "common_grant.h"

FIXTURE(frozen)
{
	int device;
	int fd;
	int derived;
	__u64 grant;
};

FIXTURE_VARIANT(frozen)
{
	__u32 policy;
};

FIXTURE_VARIANT_ADD(frozen, any)
{
	.policy = MAILBOX_POLICY_ANY,
};

/* The long way, which looks for revoked handles in other places. */
FIXTURE_VARIANT_ADD(frozen, pair)
{
	.policy = MAILBOX_POLICY_PAIR,
};

static void create(FIXTURE_DATA(frozen) * self, const FIXTURE_VARIANT(frozen) * variant,
		   __u32 capacity)
{
	struct mailbox_create args = create_args();

	args.policy = variant->policy;
	args.capacity = capacity;
	if (capacity == MAILBOX_CAPACITY_BOUNDED)
		args.max_messages = 2;
	self->fd = box_create(self->device, &args);
	ASSERT_LE(0, self->fd);
	self->derived = box_restrict(self->fd, RIGHTS_ALL, &self->grant);
}

FIXTURE_SETUP(frozen)
{
	self->device = device_open();
	create(self, variant, MAILBOX_CAPACITY_BOUNDED);
}

FIXTURE_TEARDOWN(frozen)
{
	close(self->derived);
	close(self->fd);
	close(self->device);
}

static void take_back(FIXTURE_DATA(frozen) * self)
{
	ASSERT_EQ(0, box_revoke(self->fd, self->grant));
	EXPECT_TRUE(is_revoked(self->derived));
}

/* It was past the check, and has the message. */
TEST_F(frozen, a_receiver_that_copies)
{
	struct actor *receiver;

	put(self->fd, "x", 0);
	receiver = freeze_receiver(self->derived, 0);
	take_back(self);
	EXPECT_EQ(0, box_stat(self->fd).received);
	EXPECT_EQ(0, actor_thaw(receiver));
	EXPECT_EQ(1, box_stat(self->fd).received);
	EXPECT_EQ(0, box_stat(self->fd).messages);
}

TEST_F(frozen, a_receiver_that_fails_then)
{
	struct actor *receiver;

	put(self->fd, "x", 0);
	receiver = freeze_receiver(self->derived, 0);
	take_back(self);
	EXPECT_EQ(-EFAULT, actor_fail(receiver));
	expect_next(self->fd, "x");
}

TEST_F(frozen, a_receiver_that_is_killed_then)
{
	struct actor *receiver;

	put(self->fd, "x", 0);
	receiver = freeze_receiver(self->derived, 0);
	take_back(self);
	actor_kill(receiver);
	expect_next(self->fd, "x");
}

/* A lease would outlive the handle: the message goes back. */
TEST_F(frozen, a_receiver_with_a_lease)
{
	struct actor *receiver = frozen_receiver_new(self->derived, 0);

	receiver->receive->flags |= MAILBOX_LEASE;
	receiver->receive->lease = 0;
	put(self->fd, "x", 0);
	actor_start_frozen(receiver);
	take_back(self);
	EXPECT_EQ(-EACCES, actor_thaw(receiver));
	EXPECT_EQ(0, box_stat(self->fd).leased);
	EXPECT_EQ(0, box_stat(self->fd).redelivered);
	expect_delivered(self->fd, "x", 0);
}

TEST_F(frozen, a_peek)
{
	struct actor *receiver = frozen_receiver_new(self->derived, 0);

	receiver->receive->flags |= MAILBOX_PEEK;
	put(self->fd, "x", 0);
	actor_start_frozen(receiver);
	take_back(self);
	EXPECT_EQ(0, actor_thaw(receiver));
	expect_next(self->fd, "x");
}

/* Where it can go at once, it has been sent; where it would have to wait, not. */
TEST_F(frozen, a_sender_that_copies)
{
	struct actor *sender = freeze_sender(self->derived, "x", 0);

	take_back(self);
	actor_release_with(sender, "x");
	EXPECT_EQ(0, actor_result(sender));
	expect_next(self->fd, "x");
}

TEST_F(frozen, a_sender_that_copies_and_would_wait)
{
	struct actor *sender = freeze_sender(self->derived, "x", 0);

	put(self->fd, "a", 0);
	put(self->fd, "b", 0);
	take_back(self);
	actor_release_with(sender, "x");
	EXPECT_EQ(-EACCES, actor_result(sender));
	EXPECT_EQ(0, box_stat(self->fd).senders);
	EXPECT_EQ(2, box_stat(self->fd).sent);
}

/* The sender waits through it, the receiver has another one and is copying. */
static void meet(FIXTURE_DATA(frozen) * self, bool fails)
{
	struct actor *sender = sender_new(self->derived, "late", 7), *receiver;
	struct mailbox_stat before = box_stat(self->fd);

	actor_start(sender);
	wait_waiters(self->fd, 0, 1);
	receiver = freeze_receiver(self->fd, 7);
	take_back(self);
	/* At once: it does not wait for what becomes of the copy. */
	EXPECT_EQ(-EACCES, actor_result(sender));
	EXPECT_EQ(0, box_stat(self->fd).senders);
	/* There is no other message for the receiver. */
	if (fails)
		EXPECT_EQ(-EFAULT, actor_fail(receiver));
	else
		EXPECT_EQ(-EAGAIN, actor_thaw(receiver));
	EXPECT_EQ(before.sent, box_stat(self->fd).sent);
	EXPECT_EQ(before.received, box_stat(self->fd).received);
	EXPECT_EQ(-EAGAIN, take(self->fd, 7, "late"));
}

TEST_F(frozen, a_sender_in_line_whose_message_is_copied)
{
	put(self->fd, "a", 0);
	put(self->fd, "b", 0);
	meet(self, false);
	expect_next(self->fd, "a");
	expect_next(self->fd, "b");
}

TEST_F(frozen, a_sender_at_a_rendezvous_whose_message_is_copied)
{
	create(self, variant, MAILBOX_CAPACITY_RENDEZVOUS);
	meet(self, false);
}

TEST_F(frozen, a_sender_at_a_rendezvous_whose_copy_fails)
{
	create(self, variant, MAILBOX_CAPACITY_RENDEZVOUS);
	meet(self, true);
}

FROZEN_MAIN
