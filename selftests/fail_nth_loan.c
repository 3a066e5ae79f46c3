// SPDX-License-Identifier: GPL-2.0
/*
 * Loans, with each allocation and copy made to fail in turn: what is not lent is free, what is
 * not sent is the sender's, and what is not received stays, with its piece. Only of a broadcast
 * does a receive allocate anything.
 */
#include "common_broadcast.h"
#include "common_loan.h"
#include "fail_nth.h"

#define PAGE page_size()

/* The whole region is lent: number 1. */
static void prepare_lent(struct scene *scene)
{
	scene->fd = region_new(scene->device, 2 * PAGE);
	ASSERT_EQ(1, box_loan(scene->fd, 2 * PAGE).loan);
}

static void prepare_free(struct scene *scene)
{
	scene->fd = region_new(scene->device, 2 * PAGE);
}

static int lend(struct scene *scene)
{
	scene->borrow = loan_args(PAGE);
	return call(scene->fd, MAILBOX_IOC_LOAN, &scene->borrow);
}

static void complete_lend(struct scene *scene)
{
	EXPECT_LOANS(scene->fd, 1, PAGE);
	EXPECT_EQ(0, box_return(scene->fd, scene->borrow.loan));
}

/* The mailbox may keep the record of a loan that ended, since it could not be told. */
static void failed_lend(struct scene *scene, const struct snapshot *before)
{
	struct state after = state_take(scene->device, scene->fd);

	EXPECT_TRUE(state_same(&before->state, &after));
	EXPECT_LOANS(scene->fd, 0, 0);
}

TEST_SWEEP(loan, .prepare = prepare_free, .call = lend, .complete = complete_lend,
	   .failed = failed_lend, .allocates = true, .least = 3)

static int lend_again(struct scene *scene)
{
	scene->borrow = loan_args(PAGE);
	scene->borrow.give_back = 1;
	return call(scene->fd, MAILBOX_IOC_LOAN, &scene->borrow);
}

/* What was given back is gone, also where there was no telling of the new one: that ends. */
static void complete_lend_again(struct scene *scene)
{
	if (scene->borrow.loan)
		complete_lend(scene);
	else
		EXPECT_LOANS(scene->fd, 0, 0);
}

TEST_SWEEP(loan_with_give_back, .prepare = prepare_lent, .call = lend_again,
	   .complete = complete_lend_again, .allocates = true, .least = 3)

static void prepare_half(struct scene *scene)
{
	scene->fd = region_new(scene->device, 2 * PAGE);
	ASSERT_EQ(1, box_loan(scene->fd, PAGE).loan);
}

static int send_loan(struct scene *scene)
{
	scene->send = lending_args(1, 5);
	scene->send.borrow = PAGE;
	return call(scene->fd, MAILBOX_IOC_SEND, &scene->send);
}

/* The next is lent, unless there was no telling it. */
static void complete_send(struct scene *scene)
{
	struct mailbox_stat stat = box_stat(scene->fd);

	EXPECT_EQ(1, stat.messages);
	EXPECT_EQ(scene->send.loan && scene->send.loan != 1 ? 2 : 1, stat.loans);
	EXPECT_EQ(5, box_take(scene->fd).length);
}

TEST_SWEEP(send_loan, .prepare = prepare_half, .call = send_loan, .complete = complete_send,
	   .length = LENGTH_INLINE, .allocates = true, .keeps = 1, .least = 3)

static int receive(struct scene *scene)
{
	scene->receive = taking_args();
	scene->receive.give_back = 2;
	return call(scene->fd, MAILBOX_IOC_RECEIVE, &scene->receive);
}

static void complete_receive(struct scene *scene)
{
	EXPECT_EQ(5, scene->receive.length);
	EXPECT_LOANS(scene->fd, 1, PAGE);
	EXPECT_EQ(0, box_return(scene->fd, scene->receive.loan));
}

static void prepare_broadcast(struct scene *scene)
{
	struct mailbox_create create = broadcast_args(4);

	create.rights = RIGHTS_ALL;
	scene->fd = region_create(scene->device, &create, 2 * PAGE);
	ASSERT_LE(0, scene->fd);
	ASSERT_EQ(1, box_loan(scene->fd, PAGE).loan);
	ASSERT_EQ(0, box_lend(scene->fd, 1, 5));
	ASSERT_EQ(2, box_loan(scene->fd, PAGE).loan);
}

TEST_SWEEP(receive_loan_of_a_broadcast, .prepare = prepare_broadcast, .call = receive,
	   .complete = complete_receive, .allocates = true, .least = 2)

TEST_HARNESS_MAIN
