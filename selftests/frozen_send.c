// SPDX-License-Identifier: GPL-2.0
/*
 * Senders that stand still while their message is copied in: nothing has happened yet,
 * and anything may before it has. See frozen.h for how.
 */
#include "frozen.h"
#include "puppet.h"
#include "world.h"

FIXTURE(sender)
{
	int device;
	int fd;
	struct usage usage;
};

FIXTURE_SETUP(sender)
{
	self->device = device_open();
	self->usage = usage_of_caller(self->device);
	self->fd = box_new_limited(self->device, MAILBOX_ON_FULL_WAIT, 3);
}

FIXTURE_TEARDOWN(sender)
{
	if (self->fd >= 0)
		close(self->fd);
	EXPECT_USAGE(self->device, self->usage);
	close(self->device);
}

TEST_F(sender, a_sender_that_copies_has_changed_nothing_yet)
{
	struct mailbox_stat before = box_stat(self->fd), now;
	struct actor *sender = freeze_sender(self->fd, "late", 1);

	now = box_stat(self->fd);
	EXPECT_EQ(0, memcmp(&before, &now, sizeof(now)));
	EXPECT_EQ(0, poll_now(self->fd, POLLIN));
	actor_release_with(sender, "late");
	EXPECT_EQ(0, actor_result(sender));
	EXPECT_EQ(1, sender->send->sequence);
	EXPECT_EQ(1, take(self->fd, 1, "late"));
}

TEST_F(sender, a_sender_whose_copy_ends_early_has_sent_nothing)
{
	struct mailbox_stat before = box_stat(self->fd), after;

	EXPECT_EQ(-EFAULT, actor_fail(freeze_sender(self->fd, "never", 1)));
	actor_kill(freeze_sender(self->fd, "never", 1));
	after = box_stat(self->fd);
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(after)));
	put(self->fd, "x", 1);
	EXPECT_EQ(1, take(self->fd, 1, "x"));
}

/* One length for each way to store a payload. */
TEST_F(sender, of_any_length_whose_copy_ends_halfway_has_sent_nothing)
{
	static const size_t lengths[] = { 30, 3000, 6000 };
	struct mailbox_stat before = box_stat(self->fd), after;
	unsigned int i;

	for (i = 0; i < 2 * ARRAY_SIZE(lengths); i++) {
		struct actor *sender = frozen_sender_new(self->fd, 0, 0);

		actor_straddle(sender, lengths[i / 2]);
		actor_start_frozen(sender);
		if (i % 2 == 0)
			EXPECT_EQ(-EFAULT, actor_fail(sender));
		else
			actor_kill(sender);
	}
	after = box_stat(self->fd);
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(after)));
}

TEST_F(sender, messages_are_in_the_order_in_which_their_copies_ended)
{
	struct actor *first = freeze_sender(self->fd, "first", 1);
	struct actor *second = freeze_sender(self->fd, "second", 1);

	put(self->fd, "third", 1);
	actor_release_with(second, "second");
	EXPECT_EQ(0, actor_result(second));
	actor_release_with(first, "first");
	EXPECT_EQ(0, actor_result(first));
	EXPECT_EQ(1, take(self->fd, 1, "third"));
	EXPECT_EQ(2, take(self->fd, 1, "second"));
	EXPECT_EQ(3, take(self->fd, 1, "first"));
	EXPECT_EQ(2, second->send->sequence);
	EXPECT_EQ(3, first->send->sequence);
}

TEST_F(sender, destruction_before_a_sender_has_copied_is_eidrm)
{
	struct actor *sender = freeze_sender(self->fd, "late", 1);

	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	EXPECT_EQ(-EIDRM, actor_thaw(sender));
}

TEST_F(sender, a_smaller_message_size_before_a_sender_has_copied_is_emsgsize)
{
	struct actor *sender = freeze_sender(self->fd, "late", 1);

	ASSERT_EQ(0, box_set(self->fd, MAILBOX_SET_MESSAGE_SIZE, strlen("late") - 1));
	EXPECT_EQ(-EMSGSIZE, actor_thaw(sender));
	EXPECT_EQ(0, box_stat(self->fd).sent);
}

TEST_F(sender, room_is_not_kept_for_a_sender_that_copies)
{
	struct actor *sender = frozen_sender_new(self->fd, 4, 4);

	sender->send->flags = MAILBOX_NONBLOCK;
	actor_start_frozen(sender);
	put_three(self->fd);
	EXPECT_EQ(-EAGAIN, actor_thaw(sender));
	expect_three(self->fd);
}

TEST_F(sender, the_last_descriptor_is_closed_while_a_sender_copies)
{
	expect_ends_with(self->device, self->fd, freeze_sender(self->fd, "late", 1));
	self->fd = -1;
}

/* Its process has left, and another has its place. */
TEST_F(sender, one_that_has_left_the_pair_sends_nothing)
{
	int fd = box_new_policy(self->device, MAILBOX_POLICY_PAIR);
	struct puppet other = puppet_new(self->device), third = puppet_new(self->device);
	struct actor *sender;

	EXPECT_EQ(0, puppet_sends(&other, fd, "other"));
	sender = freeze_sender(fd, "late", 1);
	ASSERT_EQ(0, close(fd));
	EXPECT_EQ(0, puppet_sends(&third, fd, "third"));
	EXPECT_EQ(-EPERM, actor_thaw(sender));
	EXPECT_EQ(0, puppet_receives(&third, fd, "other"));
	EXPECT_EQ(0, puppet_receives(&third, fd, "third"));
	EXPECT_EQ(-EAGAIN, puppet_receives(&third, fd, ""));
	puppets_end();
}

FROZEN_MAIN
