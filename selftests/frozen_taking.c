// SPDX-License-Identifier: GPL-2.0
/*
 * Receivers of loans that stand still when they are told of one, and have it not yet. See frozen.h
 * for how.
 */
#include "common_broadcast.h"
#include "common_grant.h"
#include "common_loan.h"
#include "frozen.h"
#include "world.h"

FIXTURE(taking)
{
	int device;
	/* Its first message is a page that begins at 0, its second one no loan. */
	int fd;
	__u64 page;
	/* A loan of ours, of the other page. */
	__u64 mine;
	struct usage usage;
};

FIXTURE_SETUP(taking)
{
	self->page = page_size();
	self->device = device_open();
	self->usage = usage_of_caller(self->device);
	self->fd = region_new(self->device, 2 * self->page);
	EXPECT_EQ(0, box_send_loan(self->fd, self->page));
	put(self->fd, "second", 2);
	self->mine = box_loan(self->fd, self->page).loan;
}

FIXTURE_TEARDOWN(taking)
{
	if (self->fd >= 0)
		close(self->fd);
	EXPECT_USAGE(self->device, self->usage);
	close(self->device);
}

/* Of its structure the number of the loan and what is behind that is in the trap. */
static struct actor *taker_new(int fd, __u32 flags, __u64 give_back)
{
	struct actor *actor = actor_new(fd, MAILBOX_IOC_RECEIVE);

	actor->receive = (void *)(actor->trap - offsetof(struct mailbox_receive, loan));
	*actor->receive = taking_args();
	actor->receive->flags |= flags;
	actor->receive->lease = 0;
	actor->receive->give_back = give_back;
	actor->args = actor->receive;
	actor->trapped = true;
	actor_empty(actor);
	return actor;
}

static struct actor *freeze_taker(int fd, __u32 flags, __u64 give_back)
{
	struct actor *actor = taker_new(fd, flags, give_back);

	actor_start_frozen(actor);
	return actor;
}

static void expect_got(int fd, struct actor *taker, __u64 sequence, __u32 length, __u64 offset)
{
	const struct mailbox_receive *args = taker->receive;

	EXPECT_EQ(sequence, args->sequence);
	EXPECT_EQ(MAILBOX_IS_LOAN, args->result);
	EXPECT_EQ(length, args->length);
	EXPECT_EQ(offset, args->offset);
	EXPECT_EQ(0, box_return(fd, args->loan));
}

/* Nothing has become of it. */
static void expect_first(FIXTURE_DATA(taking) * self)
{
	struct mailbox_receive args;

	EXPECT_EQ(2, box_stat(self->fd).messages);
	EXPECT_EQ(0, box_stat(self->fd).received);
	EXPECT_LOANS(self->fd, 2, 2 * self->page);
	args = box_take(self->fd);
	EXPECT_EQ(1, args.sequence);
	EXPECT_EQ(self->page, args.length);
	EXPECT_EQ(0, args.offset);
	EXPECT_EQ(0, box_return(self->fd, args.loan));
	expect_next(self->fd, "second");
}

TEST_F(taking, has_it_when_it_has_been_told)
{
	struct actor *taker = freeze_taker(self->fd, 0, self->mine);

	EXPECT_LOANS(self->fd, 2, 2 * self->page);
	EXPECT_EQ(0, actor_thaw(taker));
	EXPECT_LOANS(self->fd, 1, self->page);
	EXPECT_EQ(-ESTALE, box_return(self->fd, self->mine));
	expect_got(self->fd, taker, 1, self->page, 0);
	EXPECT_LOANS(self->fd, 0, 0);
}

/* The number is known before; it is no loan until then. */
TEST_F(taking, has_nothing_to_return_before)
{
	struct actor *taker = freeze_taker(self->fd, 0, 0);
	__u64 number = self->mine + 1;

	EXPECT_EQ(-ESTALE, box_return(self->fd, number));
	EXPECT_EQ(-ESTALE, box_lend(self->fd, number, 1));
	EXPECT_EQ(0, actor_thaw(taker));
	EXPECT_EQ(number, taker->receive->loan);
	EXPECT_EQ(0, box_return(self->fd, number));
}

TEST_F(taking, not_what_it_cannot_be_told_of)
{
	EXPECT_EQ(-EFAULT, actor_fail(freeze_taker(self->fd, 0, self->mine)));
	expect_first(self);
	EXPECT_EQ(0, box_return(self->fd, self->mine));
}

TEST_F(taking, not_when_it_is_killed)
{
	actor_kill(freeze_taker(self->fd, 0, self->mine));
	expect_first(self);
	EXPECT_EQ(0, box_return(self->fd, self->mine));
}

TEST_F(taking, not_when_another_thread_has_given_back_what_it_was_to)
{
	struct actor *taker = freeze_taker(self->fd, 0, self->mine);

	EXPECT_EQ(0, box_return(self->fd, self->mine));
	EXPECT_EQ(-ESTALE, actor_thaw(taker));
	self->mine = box_loan(self->fd, self->page).loan;
	expect_first(self);
}

TEST_F(taking, not_when_another_thread_has_sent_what_it_was_to_give_back)
{
	struct actor *taker = freeze_taker(self->fd, 0, self->mine);

	EXPECT_EQ(0, box_lend(self->fd, self->mine, 1));
	EXPECT_EQ(-ESTALE, actor_thaw(taker));
	EXPECT_EQ(self->page, box_take(self->fd).length);
	expect_next(self->fd, "second");
	EXPECT_EQ(1, box_take(self->fd).length);
}

/* Nor is one that is no loan then received: it has not given anything back. */
TEST_F(taking, a_plain_message_stays_when_another_has_given_back)
{
	struct actor *taker;

	EXPECT_EQ(0, box_return(self->fd, box_take(self->fd).loan));
	taker = taker_new(self->fd, 0, self->mine);
	taker->receive->data = user_pointer(actor_text(taker) - ROOM);
	taker->receive->room = ROOM;
	actor_start_frozen(taker);
	EXPECT_EQ(0, box_return(self->fd, self->mine));
	EXPECT_EQ(-ESTALE, actor_thaw(taker));
	expect_next(self->fd, "second");
}

/* All loans end with it. */
TEST_F(taking, not_when_the_mailbox_is_destroyed)
{
	struct actor *taker = freeze_taker(self->fd, 0, self->mine);

	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	EXPECT_EQ(-EIDRM, actor_thaw(taker));
}

TEST_F(taking, not_when_the_mailbox_is_destroyed_and_it_cannot_be_told)
{
	struct actor *taker = freeze_taker(self->fd, 0, 0);

	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	EXPECT_EQ(-EFAULT, actor_fail(taker));
}

TEST_F(taking, not_when_its_handle_is_revoked)
{
	__u64 grant;
	int fd = box_restrict(self->fd, RIGHTS_ALL, &grant);
	struct actor *taker = freeze_taker(fd, 0, 0);

	ASSERT_EQ(0, box_revoke(self->fd, grant));
	EXPECT_EQ(-EACCES, actor_thaw(taker));
	expect_first(self);
	close(fd);
}

TEST_F(taking, goes_on_with_the_last_descriptor)
{
	struct actor *taker = freeze_taker(self->fd, 0, self->mine);

	expect_ends_with(self->device, self->fd, taker);
	self->fd = -1;
	EXPECT_EQ(self->page, taker->receive->length);
}

TEST_F(taking, the_first_in_line_gets_it_when_it_is_not_told)
{
	struct actor *taker = freeze_taker(self->fd, 0, 0);
	struct actor *other = taker_new(self->fd, 0, 0);

	EXPECT_EQ(0, box_return(self->fd, self->mine));
	expect_next(self->fd, "second");
	other->receive->flags = MAILBOX_LOAN;
	other->trapped = false;
	actor_start(other);
	wait_waiters(self->fd, 1, 0);
	EXPECT_EQ(-EFAULT, actor_fail(taker));
	EXPECT_EQ(0, actor_result(other));
	expect_got(self->fd, other, 1, self->page, 0);
	EXPECT_LOANS(self->fd, 0, 0);
}

/* The third message, our loan, is all there is, and has expired since it was told of. */
static struct actor *freeze_taker_until_expired(FIXTURE_DATA(taking) * self)
{
	struct mailbox_send args = lending_args(self->mine, 9);
	struct actor *taker;

	EXPECT_EQ(0, box_return(self->fd, box_take(self->fd).loan));
	expect_next(self->fd, "second");
	args.flags |= MAILBOX_EXPIRES;
	args.expiry = now_ns() + SECOND;
	ASSERT_EQ(0, box_send(self->fd, &args));
	taker = freeze_taker(self->fd, 0, 0);
	pass_time(args.expiry);
	return taker;
}

/* It was there when it was taken. */
TEST_F(taking, although_it_expires_meanwhile)
{
	struct actor *taker = freeze_taker_until_expired(self);

	EXPECT_EQ(1, box_stat(self->fd).messages);
	EXPECT_EQ(0, actor_thaw(taker));
	expect_got(self->fd, taker, 3, 9, self->page);
	EXPECT_EQ(0, box_stat(self->fd).expired);
}

/* And when it is not received, it has: its piece is free. */
TEST_F(taking, not_told_of_what_expires_meanwhile)
{
	EXPECT_EQ(-EFAULT, actor_fail(freeze_taker_until_expired(self)));
	EXPECT_EQ(1, box_stat(self->fd).expired);
	EXPECT_LOANS(self->fd, 0, 0);
}

/* A sender that waits for a receiver, and a loan of its handle. */
static struct actor *start_lender(int fd, __u64 loan)
{
	struct actor *lender = actor_new(fd, MAILBOX_IOC_SEND);

	lender->send = (void *)(lender->trap - page_size());
	*lender->send = lending_args(loan, 3);
	lender->send->flags = MAILBOX_LOAN;
	lender->args = lender->send;
	actor_start(lender);
	wait_waiters(fd, 0, 1);
	return lender;
}

static int rendezvous_new(FIXTURE_DATA(taking) * self)
{
	struct mailbox_create args = create_args();
	int fd;

	args.capacity = MAILBOX_CAPACITY_RENDEZVOUS;
	fd = region_create(self->device, &args, self->page);
	ASSERT_LE(0, fd);
	return fd;
}

/* Its handle is ours too, and has it again. */
TEST_F(taking, not_when_its_sender_is_killed)
{
	int fd = rendezvous_new(self);
	__u64 loan = box_loan(fd, self->page).loan;
	struct actor *lender = start_lender(fd, loan);
	struct actor *taker = freeze_taker(fd, 0, 0);

	EXPECT_EQ(-ESTALE, box_return(fd, loan));
	actor_kill(lender);
	EXPECT_EQ(-EAGAIN, actor_thaw(taker));
	EXPECT_LOANS(fd, 1, self->page);
	EXPECT_EQ(0, box_return(fd, loan));
	EXPECT_LOANS(fd, 0, 0);
	EXPECT_EQ(0, box_stat(fd).sent);
	close(fd);
}

/* What it was to give back it still has. */
TEST_F(taking, gives_nothing_back_when_its_sender_is_killed)
{
	int fd = rendezvous_new(self);
	__u64 other = box_loan(fd, 64).loan, loan = box_loan(fd, 64).loan;
	struct actor *lender = start_lender(fd, loan);
	struct actor *taker = freeze_taker(fd, 0, other);

	actor_kill(lender);
	EXPECT_EQ(-EAGAIN, actor_thaw(taker));
	EXPECT_EQ(0, box_return(fd, other));
	EXPECT_EQ(0, box_return(fd, loan));
	close(fd);
}

TEST_F(taking, its_sender_has_it_again_when_it_is_not_told)
{
	int fd = rendezvous_new(self);
	__u64 loan = box_loan(fd, self->page).loan;
	struct actor *lender = start_lender(fd, loan);

	EXPECT_EQ(-EFAULT, actor_fail(freeze_taker(fd, 0, 0)));
	wait_waiters(fd, 0, 1);
	actor_kill(lender);
	EXPECT_EQ(0, box_return(fd, loan));
	close(fd);
}

/* It is free, though a receiver has been told where it is. */
TEST_F(taking, not_when_the_handle_of_its_sender_is_revoked)
{
	int fd = rendezvous_new(self), sending;
	struct actor *lender, *taker;
	__u64 grant;

	sending = box_restrict(fd, RIGHTS_ALL, &grant);
	lender = start_lender(sending, box_loan(sending, self->page).loan);
	taker = freeze_taker(fd, 0, 0);
	ASSERT_EQ(0, box_revoke(fd, grant));
	EXPECT_EQ(-EACCES, actor_result(lender));
	EXPECT_LOANS(fd, 0, 0);
	EXPECT_EQ(-EAGAIN, actor_thaw(taker));
	EXPECT_LOANS(fd, 0, 0);
	close(sending);
	close(fd);
}

TEST_F(taking, keeps_it_with_the_message_under_a_lease)
{
	struct actor *taker = freeze_taker(self->fd, MAILBOX_LEASE, self->mine);

	EXPECT_EQ(0, actor_thaw(taker));
	EXPECT_EQ(0, taker->receive->loan);
	EXPECT_EQ(self->page, taker->receive->length);
	EXPECT_EQ(1, box_stat(self->fd).leased);
	EXPECT_LOANS(self->fd, 1, self->page);
	EXPECT_EQ(-ESTALE, box_return(self->fd, self->mine));
	EXPECT_EQ(0, box_ack(self->fd, taker->receive->lease));
	EXPECT_LOANS(self->fd, 0, 0);
}

TEST_F(taking, no_lease_that_cannot_be_told)
{
	EXPECT_EQ(-EFAULT, actor_fail(freeze_taker(self->fd, MAILBOX_LEASE, self->mine)));
	actor_kill(freeze_taker(self->fd, MAILBOX_LEASE, self->mine));
	EXPECT_EQ(0, box_stat(self->fd).leased);
	expect_first(self);
	EXPECT_EQ(0, box_return(self->fd, self->mine));
}

TEST_F(taking, no_lease_when_another_thread_has_given_back_what_it_was_to)
{
	struct actor *taker = freeze_taker(self->fd, MAILBOX_LEASE, self->mine);

	EXPECT_EQ(0, box_return(self->fd, self->mine));
	EXPECT_EQ(-ESTALE, actor_thaw(taker));
	EXPECT_EQ(0, box_stat(self->fd).leased);
	self->mine = box_loan(self->fd, self->page).loan;
	expect_first(self);
}

TEST_F(taking, no_lease_when_its_handle_is_revoked)
{
	__u64 grant;
	int fd = box_restrict(self->fd, RIGHTS_ALL, &grant);
	struct actor *taker = freeze_taker(fd, MAILBOX_LEASE, 0);

	ASSERT_EQ(0, box_revoke(self->fd, grant));
	EXPECT_EQ(-EACCES, actor_thaw(taker));
	EXPECT_EQ(0, box_stat(self->fd).leased);
	expect_first(self);
	close(fd);
}

/* It only looks; what it gives back it gives back. */
TEST_F(taking, a_look_while_another_takes_it)
{
	struct actor *peeker = freeze_taker(self->fd, MAILBOX_PEEK, self->mine);

	EXPECT_EQ(0, box_return(self->fd, box_take(self->fd).loan));
	EXPECT_LOANS(self->fd, 1, self->page);
	EXPECT_EQ(0, actor_thaw(peeker));
	EXPECT_EQ(self->page, peeker->receive->length);
	EXPECT_EQ(0, peeker->receive->loan);
	EXPECT_EQ(0, peeker->receive->offset);
	EXPECT_LOANS(self->fd, 0, 0);
}

FROZEN_MAIN
