// SPDX-License-Identifier: GPL-2.0
/*
 * Receivers of a broadcast that stand still while they copy, and what becomes of the message
 * meanwhile. See frozen.h for how.
 */
#include "frozen.h"
#include "world.h"

#include "common_broadcast.h"

FIXTURE(frozen)
{
	int device;
	int fd;
	__u64 id;
	struct usage usage;
};

FIXTURE_SETUP(frozen)
{
	self->device = device_open();
	self->usage = usage_of_caller(self->device);
	self->fd = broadcast_new(self->device, 2, &self->id);
}

FIXTURE_TEARDOWN(frozen)
{
	close(self->fd);
	EXPECT_USAGE(self->device, self->usage);
	close(self->device);
}

/* Copies the next message of a handle. */
static struct actor *freeze_subscriber(int fd)
{
	struct actor *receiver = frozen_receiver_new(fd, 0);

	receiver->receive->select = MAILBOX_SELECT_FIRST;
	actor_start_frozen(receiver);
	return receiver;
}

TEST_F(frozen, others_are_not_held_up)
{
	int a = subscribe(self->device, self->id), b = subscribe(self->device, self->id);
	struct actor *receiver;

	put(self->fd, "one", 1);
	receiver = freeze_subscriber(a);
	EXPECT_NEXT(b, 1, 0);
	put(self->fd, "two", 2);
	EXPECT_NEXT(b, 2, 0);
	EXPECT_EQ(0, box_stat(self->fd).received);
	EXPECT_EQ(0, actor_thaw(receiver));
	EXPECT_RECEIVED("one", receiver);
	EXPECT_EQ(1, box_stat(self->fd).received);
	EXPECT_NEXT(a, 2, 0);
	close(a);
	close(b);
}

TEST_F(frozen, a_copy_that_fails_is_as_if_it_had_not_been)
{
	int a = subscribe(self->device, self->id);
	struct actor *receiver;

	put(self->fd, "one", 1);
	receiver = freeze_subscriber(a);
	EXPECT_EQ(-EFAULT, actor_fail(receiver));
	actor_kill(freeze_subscriber(a));
	EXPECT_EQ(0, box_stat(self->fd).received);
	EXPECT_NEXT(a, 1, 0);
	close(a);
}

TEST_F(frozen, what_is_overwritten_meanwhile_is_received)
{
	int a = subscribe(self->device, self->id);
	struct actor *receiver;
	struct mailbox_stat stat;

	put(self->fd, "one", 1);
	receiver = freeze_subscriber(a);
	put(self->fd, "two", 2);
	put(self->fd, "three", 3);
	put(self->fd, "four", 4);
	EXPECT_EQ(2, box_stat(self->fd).overwritten);
	EXPECT_EQ(0, actor_thaw(receiver));
	EXPECT_RECEIVED("one", receiver);
	EXPECT_EQ(0, receiver->receive->missed);
	stat = box_stat(self->fd);
	EXPECT_EQ(2, stat.overwritten);
	EXPECT_EQ(0, stat.received);
	EXPECT_NEXT(a, 3, 1);
	EXPECT_NEXT(a, 4, 0);
	close(a);
}

TEST_F(frozen, what_is_overwritten_and_then_not_received_is_missed)
{
	int a = subscribe(self->device, self->id);
	struct actor *receiver;

	put(self->fd, "one", 1);
	receiver = freeze_subscriber(a);
	put(self->fd, "two", 2);
	put(self->fd, "three", 3);
	EXPECT_EQ(-EFAULT, actor_fail(receiver));
	EXPECT_NEXT(a, 2, 1);
	EXPECT_NEXT(a, 3, 0);
	close(a);
}

TEST_F(frozen, cut_off_in_the_middle_of_a_copy)
{
	int a = subscribe_with(self->device, self->id, MAILBOX_CUT_OFF);
	int b = subscribe(self->device, self->id);
	struct actor *receiver;

	put(self->fd, "one", 1);
	receiver = freeze_subscriber(a);
	put(self->fd, "two", 2);
	put(self->fd, "three", 3);
	EXPECT_EQ(POLLHUP | POLLERR, poll_now(a, POLLIN));
	EXPECT_EQ(-ENOBUFS, actor_thaw(receiver));
	EXPECT_NEXT(b, 2, 1);
	EXPECT_EQ(1, box_stat(self->fd).received);
	close(a);
	close(b);
}

TEST_F(frozen, what_expires_meanwhile_is_received)
{
	int a = subscribe(self->device, self->id), b = subscribe(self->device, self->id);
	struct mailbox_send args = send_args("one", 3);
	struct actor *receiver;

	args.flags |= MAILBOX_EXPIRES;
	args.expiry = now_ns() + SECOND;
	ASSERT_EQ(0, box_send(self->fd, &args));
	receiver = freeze_subscriber(a);
	pass_time(args.expiry);
	put(self->fd, "two", 2);
	EXPECT_EQ(1, box_stat(self->fd).expired);
	EXPECT_EQ(0, actor_thaw(receiver));
	EXPECT_RECEIVED("one", receiver);
	EXPECT_NEXT(a, 2, 0);
	EXPECT_NEXT(b, 2, 1);
	EXPECT_EQ(1, box_stat(self->fd).expired);
	EXPECT_EQ(1, box_stat(self->fd).received);
	close(a);
	close(b);
}

TEST_F(frozen, another_thread_takes_it_through_the_same_handle)
{
	int a = subscribe(self->device, self->id);
	struct actor *receiver;

	put(self->fd, "one", 1);
	receiver = freeze_subscriber(a);
	EXPECT_NEXT(a, 1, 0);
	EXPECT_EQ(1, box_stat(self->fd).received);
	put(self->fd, "two", 2);
	/* It goes on with the next. */
	EXPECT_EQ(0, actor_thaw(receiver));
	EXPECT_RECEIVED("two", receiver);
	EXPECT_EQ(2, receiver->receive->sequence);
	EXPECT_EQ(2, box_stat(self->fd).received);
	EXPECT_NOTHING(a);
	close(a);
}

TEST_F(frozen, two_copies_of_which_one_never_was)
{
	int a = subscribe(self->device, self->id);
	struct actor *first, *second;

	put(self->fd, "one", 1);
	first = freeze_subscriber(a);
	second = freeze_subscriber(a);
	EXPECT_EQ(0, actor_thaw(second));
	EXPECT_EQ(-EAGAIN, actor_thaw(first));
	EXPECT_EQ(1, box_stat(self->fd).received);
	close(a);
}

TEST_F(frozen, the_handle_is_closed_meanwhile)
{
	int a = subscribe(self->device, self->id);
	struct actor *receiver;

	put(self->fd, "one", 1);
	put(self->fd, "two", 2);
	receiver = freeze_subscriber(a);
	close(a);
	/* The call goes on with the file. */
	EXPECT_EQ(1, box_stat(self->fd).subscribers);
	EXPECT_EQ(0, actor_thaw(receiver));
	EXPECT_RECEIVED("one", receiver);
	EXPECT_EQ(0, box_stat(self->fd).subscribers);
	EXPECT_EQ(1, box_stat(self->fd).received);
	EXPECT_EQ(1, box_stat(self->fd).dropped);
}

TEST_F(frozen, killed_with_the_only_descriptor)
{
	int a = subscribe(self->device, self->id), b = subscribe(self->device, self->id);
	struct actor *receiver;

	put(self->fd, "one", 1);
	receiver = freeze_subscriber(a);
	close(a);
	EXPECT_NEXT(b, 1, 0);
	EXPECT_EQ(0, box_stat(self->fd).received);
	actor_kill(receiver);
	EXPECT_EQ(1, box_stat(self->fd).subscribers);
	EXPECT_EQ(1, box_stat(self->fd).received);
	close(b);
}

TEST_F(frozen, destroyed_meanwhile)
{
	int a = subscribe(self->device, self->id);
	struct actor *receiver, *other;

	put(self->fd, "one", 1);
	receiver = freeze_subscriber(a);
	other = freeze_subscriber(a);
	EXPECT_EQ(0, box_destroy(self->fd, 0, NULL));
	EXPECT_EQ(0, actor_thaw(receiver));
	EXPECT_RECEIVED("one", receiver);
	EXPECT_EQ(-EIDRM, actor_thaw(other));
	close(a);
}

FROZEN_MAIN
