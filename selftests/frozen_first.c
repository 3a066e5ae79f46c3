// SPDX-License-Identifier: GPL-2.0
/*
 * Receivers that take the first message, and stand still while they copy it. The module
 * has a shorter way for these than for those that choose, which are in frozen_queue.c.
 * See frozen.h for how.
 */
#include "frozen.h"
#include "world.h"

#define LENGTH_MAX 6000

FIXTURE(first)
{
	int device;
	/* Has room for three, and two are there. */
	int fd;
	struct usage usage;
	char data[LENGTH_MAX];
};

FIXTURE_VARIANT(first)
{
	size_t length;
};

/* One for each way to store a payload. */
FIXTURE_VARIANT_ADD(first, word_by_word)
{ .length = 30 };
FIXTURE_VARIANT_ADD(first, one_buffer)
{ .length = 3000 };
FIXTURE_VARIANT_ADD(first, pages)
{ .length = LENGTH_MAX };

FIXTURE_SETUP(first)
{
	unsigned int i;

	for (i = 0; i < sizeof(self->data); i++)
		self->data[i] = i * 7 + i / 256;
	self->device = device_open();
	self->usage = usage_of_caller(self->device);
	self->fd = box_new_limited(self->device, MAILBOX_ON_FULL_WAIT, 3);
	ASSERT_EQ(0, box_send_data(self->fd, self->data, variant->length));
	put(self->fd, "second", 2);
}

FIXTURE_TEARDOWN(first)
{
	if (self->fd >= 0)
		close(self->fd);
	EXPECT_USAGE(self->device, self->usage);
	close(self->device);
}

/* Has copied one third. */
static struct actor *freeze_first(int fd, size_t length, __u32 flags)
{
	struct actor *receiver = frozen_receiver_new(fd, 0);

	receiver->receive->select = MAILBOX_SELECT_FIRST;
	receiver->receive->flags |= flags;
	actor_straddle(receiver, length);
	actor_start_frozen(receiver);
	return receiver;
}

#define EXPECT_WHOLE(self, actor) \
	EXPECT_EQ(0, memcmp((self)->data, (void *)(uintptr_t)(actor)->receive->data, \
			    (actor)->receive->length))

static void expect_stat(int fd, unsigned int messages, unsigned int received)
{
	struct mailbox_stat stat = box_stat(fd);

	EXPECT_EQ(messages, stat.messages);
	EXPECT_EQ(received, stat.received);
}

static void expect_first(FIXTURE_DATA(first) * self, size_t length)
{
	char taken[LENGTH_MAX];
	struct mailbox_receive args = receive_args(taken, sizeof(taken));

	EXPECT_EQ(0, box_receive(self->fd, &args));
	EXPECT_EQ(1, args.sequence);
	EXPECT_EQ(length, args.length);
	EXPECT_EQ(0, memcmp(self->data, taken, length));
}

TEST_F(first, is_there_until_it_is_copied_but_for_nobody_else)
{
	struct actor *receiver = freeze_first(self->fd, variant->length, 0);

	expect_stat(self->fd, 2, 0);
	expect_next(self->fd, "second");
	expect_stat(self->fd, 1, 1);
	EXPECT_EQ(0, poll_now(self->fd, POLLIN));
	EXPECT_EQ(0, actor_thaw(receiver));
	EXPECT_EQ(variant->length, receiver->receive->length);
	EXPECT_WHOLE(self, receiver);
	expect_stat(self->fd, 0, 2);
	EXPECT_EQ(receiver->pid, box_stat(self->fd).last_receiver);
}

TEST_F(first, is_the_first_again_when_the_copy_fails)
{
	EXPECT_EQ(-EFAULT, actor_fail(freeze_first(self->fd, variant->length, 0)));
	expect_stat(self->fd, 2, 0);
	expect_first(self, variant->length);
	expect_next(self->fd, "second");
}

TEST_F(first, is_the_first_again_when_its_receiver_is_killed)
{
	actor_kill(freeze_first(self->fd, variant->length, 0));
	expect_stat(self->fd, 2, 0);
	expect_first(self, variant->length);
	expect_next(self->fd, "second");
}

TEST_F(first, goes_to_one_that_began_to_wait_when_the_copy_fails)
{
	struct actor *receiver = freeze_first(self->fd, variant->length, 0);
	struct actor *other = receiver_new(self->fd, 0);

	actor_straddle(other, variant->length);
	other->receive->flags = 0;
	actor_start(other);
	wait_waiters(self->fd, 1, 0);
	EXPECT_EQ(-EFAULT, actor_fail(receiver));
	EXPECT_EQ(0, actor_result(other));
	EXPECT_WHOLE(self, other);
	expect_next(self->fd, "second");
}

TEST_F(first, leaves_its_room_to_a_sender_when_it_is_copied)
{
	struct actor *receiver = freeze_first(self->fd, variant->length, 0);
	struct actor *sender = sender_new(self->fd, "fourth", 4);

	put(self->fd, "third", 3);
	EXPECT_EQ(0, poll_now(self->fd, POLLOUT));
	actor_start(sender);
	wait_waiters(self->fd, 0, 1);
	EXPECT_EQ(0, actor_thaw(receiver));
	EXPECT_EQ(0, actor_result(sender));
	expect_stat(self->fd, 3, 1);
	expect_next(self->fd, "second");
	expect_next(self->fd, "third");
	expect_next(self->fd, "fourth");
}

/* It has room for one, and that is with its receiver. */
TEST_F(first, is_not_overwritten_while_it_is_copied)
{
	struct actor *receiver = freeze_first(self->fd, variant->length, 0);

	ASSERT_EQ(0, box_set(self->fd, MAILBOX_SET_ON_FULL, MAILBOX_ON_FULL_OVERWRITE));
	ASSERT_EQ(0, box_set(self->fd, MAILBOX_SET_MAX_MESSAGES, 1));
	put(self->fd, "third", 3);
	EXPECT_EQ(1, box_stat(self->fd).overwritten);
	put(self->fd, "fourth", 4);
	EXPECT_EQ(2, box_stat(self->fd).overwritten);
	EXPECT_EQ(0, actor_thaw(receiver));
	EXPECT_WHOLE(self, receiver);
	expect_next(self->fd, "fourth");
	expect_stat(self->fd, 0, 2);
}

TEST_F(first, is_received_although_the_mailbox_is_destroyed)
{
	struct actor *receiver = freeze_first(self->fd, variant->length, 0);

	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	EXPECT_EQ(0, actor_thaw(receiver));
	EXPECT_WHOLE(self, receiver);
}

TEST_F(first, is_gone_when_the_mailbox_is_destroyed_and_the_copy_fails)
{
	struct actor *receiver = freeze_first(self->fd, variant->length, 0);

	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	EXPECT_EQ(-EFAULT, actor_fail(receiver));
}

TEST_F(first, is_received_although_the_last_descriptor_is_closed)
{
	struct actor *receiver = freeze_first(self->fd, variant->length, 0);

	expect_ends_with(self->device, self->fd, receiver);
	self->fd = -1;
	EXPECT_WHOLE(self, receiver);
}

/* What has been taken can be used again, but not what is looked at. */
TEST_F(first, can_be_taken_while_somebody_looks_at_it)
{
	struct actor *peeker = freeze_first(self->fd, variant->length, MAILBOX_PEEK);
	char zeros[LENGTH_MAX] = { 0 };

	expect_first(self, variant->length);
	ASSERT_EQ(0, box_send_data(self->fd, zeros, variant->length));
	EXPECT_EQ(0, actor_thaw(peeker));
	EXPECT_WHOLE(self, peeker);
	expect_stat(self->fd, 2, 1);
}

FROZEN_MAIN
