// SPDX-License-Identifier: GPL-2.0
/*
 * Messages that are leased, or die, while somebody stands still in the middle of a look at
 * them; and a receive that has told the number of a lease which then does not begin.
 */
#include "frozen.h"
#include "world.h"

FIXTURE(lease)
{
	int device;
	int dead;
	/* One delivery, and then to the other one. */
	int fd;
	struct usage usage;
};

FIXTURE_SETUP(lease)
{
	struct mailbox_create args = create_args();

	self->device = device_open();
	self->usage = usage_of_caller(self->device);
	self->dead = box_new(self->device);
	args.max_deliveries = 1;
	args.dead_letter = box_stat(self->dead).id;
	self->fd = box_create(self->device, &args);
	ASSERT_LE(0, self->fd);
	/* Numbers of its own there. */
	put(self->dead, "other", 0);
	put(self->fd, "a", 1);
}

FIXTURE_TEARDOWN(lease)
{
	close(self->fd);
	close(self->dead);
	EXPECT_USAGE(self->device, self->usage);
	close(self->device);
}

static void die(int fd)
{
	ASSERT_EQ(0, box_nack(fd, box_lease(fd), 0));
	EXPECT_EQ(1, box_stat(fd).dead);
	EXPECT_EQ(0, box_stat(fd).messages);
}

TEST_F(lease, who_looks_is_not_told_of_it)
{
	struct actor *peeker = freeze_peeker(self->fd, 1);

	box_lease_timed(self->fd, 3600 * SECOND);
	EXPECT_EQ(0, actor_thaw(peeker));
	EXPECT_RECEIVED("a", peeker);
	EXPECT_EQ(0, peeker->receive->expiry);
}

/* Elsewhere it is another message: only when nobody looks at this one any more. */
TEST_F(lease, a_dead_letter_waits_for_who_looks_at_it)
{
	struct actor *first = freeze_peeker(self->fd, 1);
	struct actor *second = freeze_peeker(self->fd, 1);

	die(self->fd);
	EXPECT_EQ(1, box_stat(self->dead).sent);
	EXPECT_EQ(0, actor_thaw(first));
	EXPECT_RECEIVED("a", first);
	EXPECT_EQ(1, first->receive->sequence);
	EXPECT_EQ(1, box_stat(self->dead).sent);
	actor_kill(second);
	EXPECT_EQ(2, box_stat(self->dead).sent);
	expect_next(self->dead, "other");
	expect_next(self->dead, "a");
	EXPECT_EQ(1, box_stat(self->fd).dead);
}

TEST_F(lease, a_dead_letter_that_somebody_looks_at_is_dropped_if_it_cannot_be_moved)
{
	struct actor *peeker = freeze_peeker(self->fd, 1);

	die(self->fd);
	ASSERT_EQ(0, box_destroy(self->dead, 0, NULL));
	EXPECT_EQ(-EFAULT, actor_fail(peeker));
	EXPECT_EQ(0, box_stat(self->fd).dead);
	EXPECT_EQ(1, box_stat(self->fd).dropped);
}

TEST_F(lease, destruction_does_not_take_a_dead_letter_from_who_looks_at_it)
{
	struct actor *peeker = freeze_peeker(self->fd, 1);

	die(self->fd);
	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	EXPECT_EQ(0, actor_thaw(peeker));
	EXPECT_RECEIVED("a", peeker);
	EXPECT_EQ(1, peeker->receive->sequence);
	EXPECT_EQ(1, box_stat(self->dead).sent);
}

/* It starts again, by itself or not, with what the caller has asked for. */
TEST_F(lease, a_receive_that_waits_on_has_the_time_of_its_lease)
{
	int fd = box_new_capacity(self->device, MAILBOX_CAPACITY_RENDEZVOUS);
	struct actor *sender = sender_new(fd, "met", 1);
	struct actor *receiver = frozen_receiver_new(fd, 1);

	actor_start(sender);
	wait_waiters(fd, 0, 1);
	receiver->receive->flags = MAILBOX_LEASE;
	receiver->receive->lease = 3600 * SECOND;
	actor_start_frozen(receiver);
	actor_kill(sender);
	actor_release(receiver);
	wait_waiters(fd, 1, 0);
	wait_sleeping(receiver->pid, receiver->pid);
	ASSERT_EQ(0, kill(receiver->pid, SIGUSR1));
	EXPECT_EQ(-EINTR, actor_result(receiver));
	EXPECT_EQ(3600 * SECOND, receiver->receive->lease);
	close(fd);
}

FROZEN_MAIN
