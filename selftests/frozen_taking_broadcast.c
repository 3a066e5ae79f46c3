// SPDX-License-Identifier: GPL-2.0
/*
 * Receivers of a broadcast that is a loan, who stand still when they are told of it: each is to
 * have a loan of its own of the one piece. See frozen.h for how.
 */
#include "common_broadcast.h"
#include "common_loan.h"
#include "frozen.h"
#include "world.h"

FIXTURE(taking)
{
	int device;
	/* Sends; there is room for one message, which is there, and has the first of two pages. */
	int fd;
	__u64 id;
	__u64 page;
	/* Two that receive. */
	int a;
	int b;
	struct usage usage;
};

FIXTURE_SETUP(taking)
{
	struct mailbox_create args = broadcast_args(1);

	self->page = page_size();
	self->device = device_open();
	self->usage = usage_of_caller(self->device);
	self->fd = region_create(self->device, &args, 2 * self->page);
	ASSERT_LE(0, self->fd);
	self->id = args.id;
	self->a = subscribe(self->device, self->id);
	self->b = subscribe_with(self->device, self->id, MAILBOX_CUT_OFF);
	ASSERT_LE(0, self->b);
	EXPECT_EQ(0, box_send_loan(self->fd, self->page));
}

FIXTURE_TEARDOWN(taking)
{
	close(self->a);
	close(self->b);
	close(self->fd);
	EXPECT_USAGE(self->device, self->usage);
	close(self->device);
}

static struct actor *freeze_taker(int fd)
{
	struct actor *actor = actor_new(fd, MAILBOX_IOC_RECEIVE);

	actor->receive = (void *)(actor->trap - offsetof(struct mailbox_receive, loan));
	*actor->receive = taking_args();
	actor->args = actor->receive;
	actor->trapped = true;
	actor_empty(actor);
	actor_start_frozen(actor);
	return actor;
}

static void expect_got(int fd, struct actor *taker, __u64 sequence, __u64 offset)
{
	const struct mailbox_receive *args = taker->receive;

	EXPECT_EQ(sequence, args->sequence);
	EXPECT_EQ(MAILBOX_IS_LOAN, args->result);
	EXPECT_EQ(offset, args->offset);
	EXPECT_EQ(0, box_return(fd, args->loan));
}

TEST_F(taking, others_have_it_and_return_it_meanwhile)
{
	struct actor *taker = freeze_taker(self->a);

	EXPECT_EQ(0, box_return(self->b, box_take(self->b).loan));
	EXPECT_LOANS(self->fd, 1, self->page);
	EXPECT_EQ(0, actor_thaw(taker));
	EXPECT_LOANS(self->fd, 1, self->page);
	expect_got(self->a, taker, 1, 0);
	EXPECT_LOANS(self->fd, 0, 0);
}

TEST_F(taking, not_what_it_cannot_be_told_of)
{
	EXPECT_EQ(-EFAULT, actor_fail(freeze_taker(self->a)));
	actor_kill(freeze_taker(self->a));
	EXPECT_EQ(0, box_return(self->b, box_take(self->b).loan));
	EXPECT_LOANS(self->fd, 1, self->page);
	EXPECT_EQ(0, box_return(self->a, box_take(self->a).loan));
	EXPECT_LOANS(self->fd, 0, 0);
}

/* As if it had been received a moment earlier: its piece is not free. */
TEST_F(taking, although_it_is_overwritten_meanwhile)
{
	struct actor *taker = freeze_taker(self->a);

	EXPECT_EQ(self->page, box_send_loan(self->fd, self->page));
	EXPECT_EQ(1, box_stat(self->fd).overwritten);
	EXPECT_LOANS(self->fd, 2, 2 * self->page);
	EXPECT_EQ(0, actor_thaw(taker));
	EXPECT_LOANS(self->fd, 2, 2 * self->page);
	expect_got(self->a, taker, 1, 0);
	EXPECT_LOANS(self->fd, 1, self->page);
}

TEST_F(taking, not_told_of_what_is_overwritten_meanwhile)
{
	struct actor *taker = freeze_taker(self->a);

	box_send_loan(self->fd, self->page);
	EXPECT_EQ(-EFAULT, actor_fail(taker));
	EXPECT_LOANS(self->fd, 1, self->page);
	EXPECT_EQ(2, box_take(self->a).sequence);
}

TEST_F(taking, another_thread_takes_it_through_the_same_handle)
{
	struct actor *taker = freeze_taker(self->a);
	struct mailbox_receive taken = box_take(self->a);

	EXPECT_EQ(self->page, box_send_loan(self->fd, self->page));
	/* It goes on with the next. */
	EXPECT_EQ(0, actor_thaw(taker));
	expect_got(self->a, taker, 2, self->page);
	EXPECT_EQ(0, box_return(self->a, taken.loan));
}

TEST_F(taking, cut_off_in_the_middle)
{
	struct actor *taker = freeze_taker(self->b);

	box_send_loan(self->fd, self->page);
	EXPECT_EQ(-ENOBUFS, actor_thaw(taker));
	/* That of the second message. */
	EXPECT_LOANS(self->fd, 1, self->page);
}

TEST_F(taking, not_when_the_mailbox_is_destroyed)
{
	struct actor *taker = freeze_taker(self->a), *other = freeze_taker(self->b);

	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	EXPECT_EQ(-EIDRM, actor_thaw(taker));
	EXPECT_EQ(-EFAULT, actor_fail(other));
}

FROZEN_MAIN
