// SPDX-License-Identifier: GPL-2.0
/*
 * Receivers that stand still while they copy a message of their choice out of the queue.
 * See frozen.h for how, frozen_first.c for those that take the first, and frozen.c for
 * messages whose senders wait.
 */
#include "frozen.h"
#include "world.h"

FIXTURE(queue)
{
	int device;
	int fd;
	struct usage usage;
};

FIXTURE_SETUP(queue)
{
	self->device = device_open();
	self->usage = usage_of_caller(self->device);
	self->fd = box_new_limited(self->device, MAILBOX_ON_FULL_WAIT, 3);
}

FIXTURE_TEARDOWN(queue)
{
	if (self->fd >= 0)
		close(self->fd);
	EXPECT_USAGE(self->device, self->usage);
	close(self->device);
}

TEST_F(queue, a_message_that_is_copied_is_there_but_nobody_elses)
{
	struct actor *receiver;

	put_three(self->fd);
	receiver = freeze_receiver(self->fd, 2);
	EXPECT_EQ(3, box_stat(self->fd).messages);
	EXPECT_EQ(0, box_stat(self->fd).received);
	EXPECT_EQ(-EAGAIN, take(self->fd, 2, ""));
	EXPECT_EQ(-EAGAIN, box_send_text(self->fd, "d", 4, 0));
	EXPECT_EQ(1, take(self->fd, 1, "a"));
	EXPECT_EQ(0, actor_thaw(receiver));
	EXPECT_RECEIVED("b", receiver);
	EXPECT_EQ(1, box_stat(self->fd).messages);
	EXPECT_EQ(receiver->pid, box_stat(self->fd).last_receiver);
}

TEST_F(queue, a_copy_that_fails_leaves_each_in_its_place)
{
	__u64 type;

	put_three(self->fd);
	for (type = 1; type <= 3; type++)
		EXPECT_EQ(-EFAULT, actor_fail(freeze_receiver(self->fd, type)));
	expect_three(self->fd);
}

TEST_F(queue, sigkill_of_the_receiver_leaves_each_in_its_place)
{
	__u64 type;

	put_three(self->fd);
	for (type = 1; type <= 3; type++)
		actor_kill(freeze_receiver(self->fd, type));
	expect_three(self->fd);
}

TEST_F(queue, what_was_taken_first_comes_back_before_what_came_later)
{
	struct actor *first, *second;

	put(self->fd, "a", 1);
	put(self->fd, "b", 1);
	first = freeze_receiver(self->fd, 1);
	second = freeze_receiver(self->fd, 1);
	put(self->fd, "c", 1);
	EXPECT_EQ(-EFAULT, actor_fail(first));
	EXPECT_EQ(-EFAULT, actor_fail(second));
	expect_three(self->fd);
}

/* It has never been in the queue. */
TEST_F(queue, what_was_handed_over_comes_back_before_what_came_later)
{
	struct actor *receiver = frozen_receiver_new(self->fd, 1);

	receiver->receive->flags = 0;
	actor_start(receiver);
	wait_waiters(self->fd, 1, 0);
	put(self->fd, "a", 1);
	actor_await_frozen(receiver);
	EXPECT_EQ(1, box_stat(self->fd).messages);
	put(self->fd, "b", 1);
	put(self->fd, "c", 1);
	EXPECT_EQ(-EFAULT, actor_fail(receiver));
	expect_three(self->fd);
}

TEST_F(queue, the_report_is_told_in_time_too)
{
	struct actor *receiver = frozen_reporter_new(self->fd, 2);

	put_three(self->fd);
	actor_start_frozen(receiver);
	EXPECT_EQ(3, box_stat(self->fd).messages);
	EXPECT_EQ(-EFAULT, actor_fail(receiver));
	receiver = frozen_reporter_new(self->fd, 2);
	actor_start_frozen(receiver);
	actor_kill(receiver);
	receiver = frozen_reporter_new(self->fd, 2);
	actor_start_frozen(receiver);
	EXPECT_EQ(0, box_stat(self->fd).received);
	EXPECT_EQ(0, actor_thaw(receiver));
	EXPECT_RECEIVED("b", receiver);
	EXPECT_EQ(2, receiver->receive->sequence);
	expect_next(self->fd, "a");
	expect_next(self->fd, "c");
}

/* Only its length is told: it stays where others find it. */
TEST_F(queue, a_message_that_is_too_long_is_not_claimed)
{
	struct actor *receiver = frozen_reporter_new(self->fd, 7);

	put(self->fd, "too long", 7);
	receiver->receive->room = 1;
	actor_start_frozen(receiver);
	EXPECT_LT(0, take(self->fd, 7, "too long"));
	EXPECT_EQ(-EMSGSIZE, actor_thaw(receiver));
	EXPECT_EQ(strlen("too long"), receiver->receive->length);
	EXPECT_EQ(1, box_stat(self->fd).received);
}

TEST_F(queue, one_that_began_to_wait_gets_it_when_the_copy_fails)
{
	struct actor *receiver, *other = receiver_new(self->fd, 1);

	put(self->fd, "a", 1);
	receiver = freeze_receiver(self->fd, 1);
	other->receive->flags = 0;
	actor_start(other);
	wait_waiters(self->fd, 1, 0);
	EXPECT_EQ(-EFAULT, actor_fail(receiver));
	EXPECT_EQ(0, actor_result(other));
	EXPECT_RECEIVED("a", other);
	EXPECT_EQ(0, box_stat(self->fd).messages);
}

TEST_F(queue, a_sender_waits_until_the_room_is_free)
{
	struct actor *receiver, *sender = sender_new(self->fd, "d", 4);

	put_three(self->fd);
	receiver = freeze_receiver(self->fd, 1);
	actor_start(sender);
	wait_waiters(self->fd, 0, 1);
	EXPECT_EQ(3, box_stat(self->fd).messages);
	EXPECT_EQ(0, actor_thaw(receiver));
	EXPECT_EQ(0, actor_result(sender));
	EXPECT_EQ(3, box_stat(self->fd).messages);
}

/* One length for each way to store a payload. */
TEST_F(queue, a_copy_that_ends_halfway_leaves_the_whole_message)
{
	static const size_t lengths[] = { 30, 3000, 6000 };
	char all[6000];
	unsigned int i;

	for (i = 0; i < sizeof(all); i++)
		all[i] = i * 7 + i / 256;
	for (i = 0; i < 3 * ARRAY_SIZE(lengths); i++) {
		struct actor *receiver = frozen_receiver_new(self->fd, 0);
		size_t length = lengths[i / 3];

		if (i % 3 == 0)
			ASSERT_EQ(0, box_send_data(self->fd, all, length));
		actor_straddle(receiver, length);
		actor_start_frozen(receiver);
		EXPECT_EQ(1, box_stat(self->fd).messages);
		if (i % 3 == 0) {
			EXPECT_EQ(-EFAULT, actor_fail(receiver));
		} else if (i % 3 == 1) {
			actor_kill(receiver);
		} else {
			EXPECT_EQ(0, actor_thaw(receiver));
			EXPECT_EQ(length, receiver->receive->length);
			EXPECT_EQ(0, memcmp(all, receiver->trap - length / 3, length));
		}
	}
}

TEST_F(queue, destruction_does_not_take_a_message_from_its_receiver)
{
	struct actor *receiver, *failing;

	put_three(self->fd);
	receiver = freeze_receiver(self->fd, 1);
	failing = freeze_receiver(self->fd, 2);
	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	EXPECT_EQ(0, actor_thaw(receiver));
	EXPECT_RECEIVED("a", receiver);
	EXPECT_EQ(-EFAULT, actor_fail(failing));
	EXPECT_EQ(-EIDRM, take(self->fd, 3, ""));
}

TEST_F(queue, what_is_copied_is_not_overwritten)
{
	struct actor *copied, *failing;

	ASSERT_EQ(0, box_set(self->fd, MAILBOX_SET_ON_FULL, MAILBOX_ON_FULL_OVERWRITE));
	put_three(self->fd);
	copied = freeze_receiver(self->fd, 1);
	failing = freeze_receiver(self->fd, 2);
	put(self->fd, "d", 4);
	put(self->fd, "e", 5);
	EXPECT_EQ(2, box_stat(self->fd).overwritten);
	EXPECT_EQ(3, box_stat(self->fd).messages);
	EXPECT_EQ(-EFAULT, actor_fail(failing));
	EXPECT_EQ(0, actor_thaw(copied));
	EXPECT_RECEIVED("a", copied);
	expect_next(self->fd, "b");
	expect_next(self->fd, "e");
	EXPECT_EQ(3, box_stat(self->fd).received);
}

/* Sends a message that expires soon, and freezes its receiver before: until it can. */
static struct actor *freeze_expiring(int fd, __u64 *expiry)
{
	__u64 patience = SECOND / 4;

	for (;; patience *= 2) {
		struct actor *receiver = frozen_receiver_new(fd, 1);
		struct mailbox_send args = send_args("expires", strlen("expires"));

		ASSERT_LT(patience, PATIENCE);
		args.type = 1;
		args.flags |= MAILBOX_EXPIRES;
		args.expiry = *expiry = now_ns() + patience;
		ASSERT_EQ(0, box_send(fd, &args));
		actor_start(receiver);
		if (actor_freezes(receiver, receiver))
			return receiver;
		EXPECT_EQ(-EAGAIN, actor_result(receiver));
	}
}

TEST_F(queue, what_expires_while_it_is_copied_is_received)
{
	struct mailbox_stat before, after;
	struct actor *receiver;
	__u64 expiry;

	receiver = freeze_expiring(self->fd, &expiry);
	before = box_stat(self->fd);
	pass_time(expiry);
	EXPECT_EQ(1, box_stat(self->fd).messages);
	EXPECT_EQ(0, actor_thaw(receiver));
	EXPECT_RECEIVED("expires", receiver);
	EXPECT_EQ(expiry, receiver->receive->expiry);
	after = box_stat(self->fd);
	EXPECT_EQ(before.expired, after.expired);
	EXPECT_EQ(1, after.received);
}

TEST_F(queue, what_expires_while_it_is_copied_is_gone_when_that_fails)
{
	struct mailbox_stat before, after;
	struct actor *receiver, *other = receiver_new(self->fd, 1);
	__u64 expiry;

	receiver = freeze_expiring(self->fd, &expiry);
	before = box_stat(self->fd);
	other->receive->flags = 0;
	actor_start(other);
	wait_waiters(self->fd, 1, 0);
	pass_time(expiry);
	EXPECT_EQ(-EFAULT, actor_fail(receiver));
	EXPECT_EQ(-EAGAIN, take(self->fd, 1, ""));
	after = box_stat(self->fd);
	EXPECT_EQ(before.expired + 1, after.expired);
	EXPECT_EQ(0, after.messages);
	EXPECT_EQ(1, after.receivers);
	actor_kill(other);
}

TEST_F(queue, what_somebody_looks_at_can_be_taken)
{
	struct actor *peeker, *failing;

	put(self->fd, "a", 1);
	peeker = freeze_peeker(self->fd, 1);
	failing = freeze_peeker(self->fd, 1);
	EXPECT_EQ(1, take(self->fd, 1, "a"));
	/* What has been taken can be used again, but not what is looked at. */
	put(self->fd, "z", 1);
	EXPECT_EQ(0, actor_thaw(peeker));
	EXPECT_RECEIVED("a", peeker);
	EXPECT_EQ(1, peeker->receive->sequence);
	EXPECT_EQ(-EFAULT, actor_fail(failing));
	EXPECT_EQ(1, box_stat(self->fd).received);
	EXPECT_EQ(2, take(self->fd, 1, "z"));
}

TEST_F(queue, what_somebody_looks_at_can_be_overwritten)
{
	struct actor *peeker;

	ASSERT_EQ(0, box_set(self->fd, MAILBOX_SET_ON_FULL, MAILBOX_ON_FULL_OVERWRITE));
	put_three(self->fd);
	peeker = freeze_peeker(self->fd, 1);
	put(self->fd, "d", 4);
	EXPECT_EQ(1, box_stat(self->fd).overwritten);
	EXPECT_EQ(0, actor_thaw(peeker));
	EXPECT_RECEIVED("a", peeker);
	expect_next(self->fd, "b");
}

TEST_F(queue, what_somebody_looks_at_can_be_taken_and_come_back)
{
	struct actor *peeker, *receiver;

	put_three(self->fd);
	receiver = freeze_receiver(self->fd, 3);
	peeker = freeze_peeker(self->fd, 1);
	EXPECT_EQ(-EFAULT, actor_fail(freeze_receiver(self->fd, 1)));
	EXPECT_EQ(0, actor_thaw(peeker));
	EXPECT_RECEIVED("a", peeker);
	actor_kill(receiver);
	expect_three(self->fd);
}

TEST_F(queue, destruction_does_not_take_a_message_from_those_who_look)
{
	struct actor *peeker, *killed;

	put(self->fd, "a", 1);
	peeker = freeze_peeker(self->fd, 1);
	killed = freeze_peeker(self->fd, 1);
	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	EXPECT_EQ(0, actor_thaw(peeker));
	EXPECT_RECEIVED("a", peeker);
	actor_kill(killed);
}

TEST_F(queue, the_last_descriptor_is_closed_while_a_receiver_copies)
{
	struct actor *receiver;

	put(self->fd, "last", 1);
	put(self->fd, "never received", 1);
	receiver = freeze_receiver(self->fd, 1);
	expect_ends_with(self->device, self->fd, receiver);
	self->fd = -1;
	EXPECT_RECEIVED("last", receiver);
}

FROZEN_MAIN
