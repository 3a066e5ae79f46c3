// SPDX-License-Identifier: GPL-2.0
/*
 * LOAN that waits for a piece: who is served, in which order, and what ends the wait.
 */
#include "common_grant.h"
#include "common_loan.h"

#include <pthread.h>

#define PAGES 4

FIXTURE(loan_wait)
{
	int device;
	int fd;
	__u64 id;
	__u64 page;
	/* Of the whole region. */
	__u64 all;
};

FIXTURE_SETUP(loan_wait)
{
	self->page = page_size();
	self->device = device_open();
	self->fd = region_new(self->device, PAGES * self->page);
	self->id = box_stat(self->fd).id;
	self->all = box_loan(self->fd, PAGES * self->page).loan;
}

FIXTURE_TEARDOWN(loan_wait)
{
	close(self->fd);
	close(self->device);
}

/* A thread that borrows; @done once its call has returned. */
struct borrower {
	pthread_t thread;
	int fd;
	pid_t tid;
	int result;
	struct mailbox_loan args;
	unsigned int begun;
	unsigned int done;
};

static void *borrower_runs(void *data)
{
	struct borrower *borrower = data;

	borrower->tid = syscall(SYS_gettid);
	flag_raise(&borrower->begun);
	borrower->result = box_loan_try(borrower->fd, &borrower->args);
	flag_raise(&borrower->done);
	return NULL;
}

/* It sleeps when this returns. */
static struct borrower *borrower_start(int fd, struct mailbox_loan args)
{
	struct borrower *borrower = calloc(1, sizeof(*borrower));

	ASSERT_TRUE(borrower);
	borrower->fd = fd;
	borrower->args = args;
	borrower->args.flags &= ~MAILBOX_NONBLOCK;
	ASSERT_EQ(0, pthread_create(&borrower->thread, NULL, borrower_runs, borrower));
	flag_await(&borrower->begun, 1);
	wait_sleeping(getpid(), borrower->tid);
	return borrower;
}

static struct mailbox_loan borrower_end(struct borrower *borrower, int result)
{
	struct mailbox_loan args;

	ASSERT_EQ(0, pthread_join(borrower->thread, NULL));
	EXPECT_EQ(result, borrower->result);
	args = borrower->args;
	free(borrower);
	return args;
}

static bool is_done(struct borrower *borrower)
{
	return __atomic_load_n(&borrower->done, __ATOMIC_ACQUIRE);
}

TEST_F(loan_wait, until_there_is_a_piece)
{
	struct borrower *borrower = borrower_start(self->fd, loan_args(self->page));
	struct mailbox_loan args;

	EXPECT_EQ(0, box_return(self->fd, self->all));
	args = borrower_end(borrower, 0);
	EXPECT_EQ(self->all + 1, args.loan);
	EXPECT_EQ(0, args.offset);
}

TEST_F(loan_wait, in_the_order_they_came)
{
	struct borrower *large = borrower_start(self->fd, loan_args(PAGES * self->page));
	struct borrower *small = borrower_start(self->fd, loan_args(1));
	struct mailbox_loan first, second;

	/* Nobody comes in between, though there is no waiting for it. */
	EXPECT_EQ(0, box_return(self->fd, self->all));
	first = borrower_end(large, 0);
	EXPECT_EQ(-EAGAIN, box_loan_error(self->fd, 1));
	EXPECT_FALSE(is_done(small));
	EXPECT_EQ(0, box_return(self->fd, first.loan));
	second = borrower_end(small, 0);
	EXPECT_EQ(first.loan + 1, second.loan);
}

/* A large one is not starved by small ones. */
TEST_F(loan_wait, nobody_overtakes_who_needs_more)
{
	struct mailbox_loan small, other;
	struct mailbox_send args;
	struct borrower *large;

	EXPECT_EQ(0, box_return(self->fd, self->all));
	small = box_loan(self->fd, self->page);
	other = box_loan(self->fd, self->page);
	large = borrower_start(self->fd, loan_args(PAGES * self->page));
	EXPECT_EQ(-EAGAIN, box_loan_error(self->fd, 1));
	args = lending_args(other.loan, 1);
	args.borrow = 1;
	EXPECT_EQ(0, box_send(self->fd, &args));
	EXPECT_EQ(0, args.loan);
	/* Who gives back what it takes is in nobody's way. */
	other = loan_args(self->page);
	other.give_back = small.loan;
	EXPECT_EQ(0, box_loan_try(self->fd, &other));
	small = loan_args(self->page + 1);
	small.give_back = other.loan;
	EXPECT_EQ(-EAGAIN, box_loan_try(self->fd, &small));
	EXPECT_EQ(0, box_return(self->fd, other.loan));
	EXPECT_FALSE(is_done(large));
	/* It is received, and given back at once with what comes next. */
	EXPECT_EQ(0, box_return(self->fd, box_take(self->fd).loan));
	borrower_end(large, 0);
}

TEST_F(loan_wait, one_return_serves_many)
{
	struct borrower *borrower[40];
	int i;

	for (i = 0; i < 40; i++)
		borrower[i] = borrower_start(self->fd, loan_args(1));
	EXPECT_EQ(0, box_return(self->fd, self->all));
	for (i = 0; i < 40; i++)
		EXPECT_EQ(self->all + 1 + i, borrower_end(borrower[i], 0).loan);
	EXPECT_LOANS(self->fd, 40, 40 * 64);
}

static void on_signal(int number __attribute__((unused)))
{
}

TEST_F(loan_wait, who_gives_up_lets_others_go_on)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct borrower *large, *small;
	struct mailbox_loan part;

	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
	EXPECT_EQ(0, box_return(self->fd, self->all));
	part = box_loan(self->fd, self->page);
	large = borrower_start(self->fd, loan_args(PAGES * self->page));
	small = borrower_start(self->fd, loan_args(1));
	ASSERT_EQ(0, pthread_kill(large->thread, SIGUSR1));
	borrower_end(large, -EINTR);
	borrower_end(small, 0);
	EXPECT_EQ(0, box_return(self->fd, part.loan));
}

TEST_F(loan_wait, deadlines)
{
	struct mailbox_loan args = loan_args(1);

	args.flags = MAILBOX_DEADLINE;
	args.deadline = now_ns() + SECOND / 50;
	EXPECT_EQ(-ETIMEDOUT, box_loan_try(self->fd, &args));
	EXPECT_LE(args.deadline, now_ns());
	/* What can be done without waiting is done however late it is. */
	EXPECT_EQ(0, box_return(self->fd, self->all));
	EXPECT_EQ(0, box_loan_try(self->fd, &args));
}

TEST_F(loan_wait, signals)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct borrower *borrower;

	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
	borrower = borrower_start(self->fd, loan_args(1));
	ASSERT_EQ(0, pthread_kill(borrower->thread, SIGUSR1));
	borrower_end(borrower, -EINTR);
	action.sa_flags = SA_RESTART;
	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
	borrower = borrower_start(self->fd, loan_args(1));
	ASSERT_EQ(0, pthread_kill(borrower->thread, SIGUSR1));
	EXPECT_EQ(0, box_return(self->fd, self->all));
	borrower_end(borrower, 0);
}

TEST_F(loan_wait, ends_with_the_mailbox)
{
	struct borrower *one = borrower_start(self->fd, loan_args(1));
	struct borrower *two = borrower_start(self->fd, loan_args(PAGES * self->page));

	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	borrower_end(one, -EIDRM);
	borrower_end(two, -EIDRM);
}

TEST_F(loan_wait, ends_when_the_handle_is_revoked)
{
	__u64 grant;
	int fd = box_restrict(self->fd, MAILBOX_RIGHT_SEND, &grant);
	struct borrower *revoked = borrower_start(fd, loan_args(PAGES * self->page));
	struct borrower *stays = borrower_start(self->fd, loan_args(1));

	ASSERT_EQ(0, box_revoke(self->fd, grant));
	borrower_end(revoked, -EACCES);
	EXPECT_EQ(0, box_return(self->fd, self->all));
	borrower_end(stays, 0);
	close(fd);
}

/* What it is to give back is gone when its turn comes. */
TEST_F(loan_wait, give_back_is_looked_at_again)
{
	struct mailbox_loan args = loan_args(PAGES * self->page), mine;
	struct borrower *borrower;

	EXPECT_EQ(0, box_return(self->fd, self->all));
	mine = box_loan(self->fd, 1);
	self->all = box_loan(self->fd, (PAGES - 1) * self->page).loan;
	args.give_back = mine.loan;
	borrower = borrower_start(self->fd, args);
	EXPECT_LOANS(self->fd, 2, (PAGES - 1) * self->page + 64);
	EXPECT_EQ(0, box_return(self->fd, mine.loan));
	borrower_end(borrower, -ESTALE);
}

TEST_F(loan_wait, with_give_back_it_may_be_served_by_its_own)
{
	struct mailbox_loan args = loan_args(PAGES * self->page), mine;
	struct borrower *borrower;

	EXPECT_EQ(0, box_return(self->fd, self->all));
	mine = box_loan(self->fd, 1);
	self->all = box_loan(self->fd, (PAGES - 1) * self->page).loan;
	args.give_back = mine.loan;
	borrower = borrower_start(self->fd, args);
	EXPECT_EQ(0, box_return(self->fd, self->all));
	borrower_end(borrower, 0);
	EXPECT_EQ(-ESTALE, box_return(self->fd, mine.loan));
	EXPECT_LOANS(self->fd, 1, PAGES * self->page);
}

TEST_F(loan_wait, until_the_region_grows)
{
	struct borrower *borrower = borrower_start(self->fd, loan_args(self->page));

	ASSERT_EQ(0, region_set(self->fd, (PAGES + 1) * self->page));
	EXPECT_EQ(PAGES * self->page, borrower_end(borrower, 0).offset);
}

TEST_F(loan_wait, until_a_handle_is_closed)
{
	int fd = box_open(self->device, self->id, NULL, MAILBOX_RIGHT_SEND);
	struct borrower *borrower;

	EXPECT_EQ(0, box_return(self->fd, self->all));
	box_loan(fd, PAGES * self->page);
	borrower = borrower_start(self->fd, loan_args(1));
	close(fd);
	borrower_end(borrower, 0);
}

/* The receiver gives it back in the same entry. */
TEST_F(loan_wait, until_a_receive_gives_back)
{
	struct mailbox_receive args = taking_args();
	struct borrower *borrower;

	ASSERT_EQ(0, box_lend(self->fd, self->all, 1));
	args.give_back = box_take(self->fd).loan;
	borrower = borrower_start(self->fd, loan_args(1));
	EXPECT_EQ(-EAGAIN, box_receive(self->fd, &args));
	EXPECT_FALSE(is_done(borrower));
	ASSERT_EQ(0, box_send_text(self->fd, "", 0, 0));
	EXPECT_EQ(0, box_receive(self->fd, &args));
	borrower_end(borrower, 0);
}

TEST_HARNESS_MAIN
