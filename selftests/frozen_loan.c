// SPDX-License-Identifier: GPL-2.0
/*
 * LOAN that stands still when it says what was lent, and SEND that does when it reads which loan
 * is to be sent, or says what it has borrowed. See frozen.h for how; frozen_taking.c for those who
 * receive.
 */
#include "common_grant.h"
#include "common_loan.h"
#include "frozen.h"
#include "world.h"

FIXTURE(loan)
{
	int device;
	/* Has room for one message, and a region of two pages, which are lent. */
	int fd;
	__u64 page;
	__u64 mine;
	__u64 rest;
	struct usage usage;
};

FIXTURE_SETUP(loan)
{
	struct mailbox_create args = create_args();

	self->page = page_size();
	self->device = device_open();
	self->usage = usage_of_caller(self->device);
	args.max_messages = 1;
	self->fd = region_create(self->device, &args, 2 * self->page);
	ASSERT_LE(0, self->fd);
	self->mine = box_loan(self->fd, self->page).loan;
	self->rest = box_loan(self->fd, self->page).loan;
}

FIXTURE_TEARDOWN(loan)
{
	if (self->fd >= 0)
		close(self->fd);
	EXPECT_USAGE(self->device, self->usage);
	close(self->device);
}

/* The number that the next loan gets, which anybody can guess. */
#define NEXT(self) ((self)->rest + 1)

static struct actor *borrower_new(int fd, __u64 length, __u64 give_back)
{
	struct actor *actor = actor_new(fd, MAILBOX_IOC_LOAN);
	struct mailbox_loan *args = (void *)actor->trap;

	*args = loan_args(length);
	args->flags = 0;
	args->give_back = give_back;
	actor->args = args;
	return actor;
}

static void start_waiting(struct actor *actor)
{
	actor_start(actor);
	wait_sleeping(actor->pid, actor->pid);
}

/* It has waited for a piece and got it: the one page is free that was the rest. */
static struct actor *freeze_borrower(FIXTURE_DATA(loan) * self, int fd, __u64 length,
				     __u64 give_back)
{
	struct actor *borrower = borrower_new(fd, length, give_back);

	borrower->trapped = true;
	start_waiting(borrower);
	actor_empty(borrower);
	EXPECT_EQ(0, box_return(self->fd, self->rest));
	actor_await_frozen(borrower);
	EXPECT_EQ(2 * self->page, box_stat(self->fd).loaned);
	return borrower;
}

static void expect_told(const struct actor *borrower, __u64 loan, __u64 offset)
{
	const struct mailbox_loan *args = borrower->args;

	EXPECT_EQ(loan, args->loan);
	EXPECT_EQ(offset, args->offset);
}

TEST_F(loan, is_there_before_it_is_told)
{
	struct actor *borrower = freeze_borrower(self, self->fd, self->page, 0);

	EXPECT_LOANS(self->fd, 2, 2 * self->page);
	EXPECT_EQ(-EAGAIN, box_loan_error(self->fd, 1));
	EXPECT_EQ(0, actor_thaw(borrower));
	expect_told(borrower, NEXT(self), self->page);
	EXPECT_EQ(0, box_return(self->fd, NEXT(self)));
}

TEST_F(loan, that_cannot_be_told_is_none)
{
	EXPECT_EQ(-EFAULT, actor_fail(freeze_borrower(self, self->fd, self->page, 0)));
	EXPECT_LOANS(self->fd, 1, self->page);
	EXPECT_EQ(-ESTALE, box_return(self->fd, NEXT(self)));
	EXPECT_EQ(0, box_return(self->fd, self->mine));
	EXPECT_LOANS(self->fd, 0, 0);
}

/* Its handle stays: it is ours too. */
TEST_F(loan, of_one_that_is_killed_is_none)
{
	actor_kill(freeze_borrower(self, self->fd, self->page, 0));
	EXPECT_LOANS(self->fd, 1, self->page);
	EXPECT_EQ(0, box_return(self->fd, self->mine));
	EXPECT_LOANS(self->fd, 0, 0);
}

TEST_F(loan, that_cannot_be_told_is_lent_to_the_next_in_line)
{
	struct actor *borrower = freeze_borrower(self, self->fd, self->page, 0);
	struct actor *next = borrower_new(self->fd, self->page, 0);

	start_waiting(next);
	EXPECT_EQ(-EFAULT, actor_fail(borrower));
	EXPECT_EQ(0, actor_result(next));
	expect_told(next, NEXT(self) + 1, self->page);
}

/* What was given back for it cannot be had again: both are free then. */
TEST_F(loan, that_cannot_be_told_and_was_swapped)
{
	struct actor *borrower = freeze_borrower(self, self->fd, 2 * self->page, self->mine);

	EXPECT_EQ(0, actor_fail(borrower));
	EXPECT_LOANS(self->fd, 0, 0);
	EXPECT_EQ(-ESTALE, box_return(self->fd, self->mine));
	EXPECT_EQ(-ESTALE, box_return(self->fd, NEXT(self)));
}

TEST_F(loan, of_one_that_is_killed_and_was_swapped)
{
	actor_kill(freeze_borrower(self, self->fd, 2 * self->page, self->mine));
	EXPECT_LOANS(self->fd, 0, 0);
	EXPECT_EQ(-ESTALE, box_return(self->fd, self->mine));
}

/* As if that had been a moment later. */
TEST_F(loan, is_told_although_the_mailbox_is_destroyed)
{
	struct actor *borrower = freeze_borrower(self, self->fd, self->page, 0);

	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	EXPECT_EQ(0, actor_thaw(borrower));
	expect_told(borrower, NEXT(self), self->page);
	EXPECT_EQ(-EIDRM, box_return(self->fd, NEXT(self)));
}

TEST_F(loan, that_cannot_be_told_when_the_mailbox_is_destroyed)
{
	struct actor *borrower = freeze_borrower(self, self->fd, self->page, 0);

	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	EXPECT_EQ(-EFAULT, actor_fail(borrower));
}

TEST_F(loan, is_told_although_the_handle_is_revoked)
{
	__u64 grant;
	int fd = box_restrict(self->fd, RIGHTS_ALL, &grant);
	struct actor *borrower = freeze_borrower(self, fd, self->page, 0);

	ASSERT_EQ(0, box_revoke(self->fd, grant));
	EXPECT_LOANS(self->fd, 1, self->page);
	EXPECT_EQ(0, actor_thaw(borrower));
	expect_told(borrower, NEXT(self), self->page);
	EXPECT_EQ(-EACCES, box_return(fd, NEXT(self)));
	EXPECT_LOANS(self->fd, 1, self->page);
	close(fd);
}

TEST_F(loan, goes_with_the_last_descriptor)
{
	expect_ends_with(self->device, self->fd, freeze_borrower(self, self->fd, self->page, 0));
	self->fd = -1;
}

TEST_F(loan, that_another_thread_returns_before_it_is_told)
{
	struct actor *borrower = freeze_borrower(self, self->fd, self->page, 0);

	EXPECT_EQ(0, box_return(self->fd, NEXT(self)));
	EXPECT_LOANS(self->fd, 1, self->page);
	EXPECT_EQ(0, actor_thaw(borrower));
	expect_told(borrower, NEXT(self), self->page);
	EXPECT_EQ(-ESTALE, box_return(self->fd, NEXT(self)));
}

/* What was lent since is not taken away from who has it. */
TEST_F(loan, that_another_thread_returns_and_that_cannot_be_told)
{
	struct actor *borrower = freeze_borrower(self, self->fd, self->page, 0);
	__u64 other;

	EXPECT_EQ(0, box_return(self->fd, NEXT(self)));
	other = box_loan(self->fd, self->page).loan;
	EXPECT_EQ(-EFAULT, actor_fail(borrower));
	EXPECT_LOANS(self->fd, 2, 2 * self->page);
	EXPECT_EQ(0, box_return(self->fd, other));
}

TEST_F(loan, that_another_thread_sends_and_that_cannot_be_told)
{
	struct actor *borrower = freeze_borrower(self, self->fd, self->page, 0);
	struct mailbox_receive taken;

	EXPECT_EQ(0, box_lend(self->fd, NEXT(self), 5));
	EXPECT_EQ(-EFAULT, actor_fail(borrower));
	EXPECT_LOANS(self->fd, 2, 2 * self->page);
	taken = box_take(self->fd);
	EXPECT_EQ(5, taken.length);
	EXPECT_EQ(self->page, taken.offset);
	EXPECT_EQ(0, box_return(self->fd, taken.loan));
}

/* Its members that are about loans lie in the trap, and what is before them before it. */
static struct actor *lender_new(int fd, __u64 loan, __u64 borrow)
{
	struct actor *actor = actor_new(fd, MAILBOX_IOC_SEND);

	actor->send = (void *)(actor->trap - offsetof(struct mailbox_send, loan));
	*actor->send = lending_args(loan, 7);
	actor->send->flags = MAILBOX_LOAN;
	actor->send->borrow = borrow;
	actor->args = actor->send;
	actor->trapped = true;
	return actor;
}

/* Before it has read which loan it is to send. */
static struct actor *freeze_lender(int fd)
{
	struct actor *lender = lender_new(fd, 0, 0);

	actor_empty(lender);
	actor_start_frozen(lender);
	return lender;
}

/* This one. */
static int thaw_lender(struct actor *lender, __u64 loan)
{
	ASSERT_EQ(sizeof(loan), pwrite(lender->memory, &loan, sizeof(loan), page_size()));
	actor_wake(lender);
	return actor_result(lender);
}

TEST_F(loan, is_the_senders_until_it_is_sent)
{
	struct actor *lender = freeze_lender(self->fd);

	EXPECT_EQ(0, box_return(self->fd, self->mine));
	EXPECT_EQ(-ESTALE, thaw_lender(lender, self->mine));
	EXPECT_EQ(0, thaw_lender(freeze_lender(self->fd), self->rest));
	EXPECT_EQ(1, box_stat(self->fd).sent);
	EXPECT_EQ(7, box_take(self->fd).length);
}

TEST_F(loan, that_cannot_be_read_is_not_sent)
{
	struct mailbox_stat before = box_stat(self->fd), after;

	EXPECT_EQ(-EFAULT, actor_fail(freeze_lender(self->fd)));
	actor_kill(freeze_lender(self->fd));
	after = box_stat(self->fd);
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(after)));
	EXPECT_EQ(0, box_return(self->fd, self->mine));
}

TEST_F(loan, is_not_sent_when_the_mailbox_is_destroyed)
{
	struct actor *lender = freeze_lender(self->fd);

	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	EXPECT_EQ(-EIDRM, thaw_lender(lender, self->mine));
}

TEST_F(loan, is_not_sent_when_the_handle_is_revoked)
{
	__u64 grant, loan;
	int fd = box_restrict(self->fd, RIGHTS_ALL, &grant);
	struct actor *lender;

	EXPECT_EQ(0, box_return(self->fd, self->mine));
	loan = box_loan(fd, 1).loan;
	lender = freeze_lender(fd);
	ASSERT_EQ(0, box_revoke(self->fd, grant));
	EXPECT_EQ(-EACCES, thaw_lender(lender, loan));
	EXPECT_EQ(0, box_stat(self->fd).sent);
	EXPECT_LOANS(self->fd, 1, self->page);
	close(fd);
}

/* Its message is sent, when there was room, and it has borrowed what was the rest. */
static struct actor *freeze_sent(FIXTURE_DATA(loan) * self, int fd, __u64 loan)
{
	struct actor *lender = lender_new(fd, loan, self->page);

	put(self->fd, "first", 1);
	actor_start(lender);
	wait_waiters(self->fd, 0, 1);
	actor_empty(lender);
	EXPECT_EQ(0, box_return(self->fd, self->rest));
	EXPECT_EQ(1, take(self->fd, 1, "first"));
	actor_await_frozen(lender);
	EXPECT_EQ(1, box_stat(self->fd).messages);
	EXPECT_LOANS(self->fd, 2, 2 * self->page);
	return lender;
}

TEST_F(loan, is_sent_before_the_next_is_told)
{
	struct actor *lender = freeze_sent(self, self->fd, self->mine);

	EXPECT_EQ(0, box_return(self->fd, box_take(self->fd).loan));
	EXPECT_EQ(0, actor_thaw(lender));
	EXPECT_EQ(2, lender->send->sequence);
	EXPECT_EQ(NEXT(self), lender->send->loan);
	EXPECT_EQ(self->page, lender->send->offset);
	EXPECT_EQ(0, box_return(self->fd, NEXT(self)));
	EXPECT_LOANS(self->fd, 0, 0);
}

TEST_F(loan, is_sent_although_the_next_cannot_be_told)
{
	EXPECT_EQ(0, actor_fail(freeze_sent(self, self->fd, self->mine)));
	EXPECT_LOANS(self->fd, 1, self->page);
	EXPECT_EQ(-ESTALE, box_return(self->fd, NEXT(self)));
	EXPECT_EQ(0, box_take(self->fd).offset);
}

TEST_F(loan, is_sent_although_the_sender_is_killed)
{
	actor_kill(freeze_sent(self, self->fd, self->mine));
	EXPECT_LOANS(self->fd, 1, self->page);
	EXPECT_EQ(0, box_take(self->fd).offset);
}

TEST_F(loan, is_sent_although_the_mailbox_is_destroyed_then)
{
	struct actor *lender = freeze_sent(self, self->fd, self->mine);

	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	EXPECT_EQ(0, actor_thaw(lender));
	EXPECT_EQ(NEXT(self), lender->send->loan);
}

TEST_F(loan, is_sent_although_the_handle_is_revoked_then)
{
	__u64 grant, loan;
	int fd = box_restrict(self->fd, RIGHTS_ALL, &grant);
	struct actor *lender;

	EXPECT_EQ(0, box_return(self->fd, self->mine));
	loan = box_loan(fd, self->page).loan;
	lender = freeze_sent(self, fd, loan);
	ASSERT_EQ(0, box_revoke(self->fd, grant));
	/* That of the message. */
	EXPECT_LOANS(self->fd, 1, self->page);
	EXPECT_EQ(0, actor_thaw(lender));
	EXPECT_EQ(7, box_take(self->fd).length);
	close(fd);
}

TEST_F(loan, is_sent_and_another_thread_returns_the_next)
{
	struct actor *lender = freeze_sent(self, self->fd, self->mine);
	__u64 other;

	EXPECT_EQ(0, box_return(self->fd, NEXT(self)));
	other = box_loan(self->fd, self->page).loan;
	EXPECT_EQ(0, actor_fail(lender));
	EXPECT_LOANS(self->fd, 2, 2 * self->page);
	EXPECT_EQ(0, box_return(self->fd, other));
}

FROZEN_MAIN
