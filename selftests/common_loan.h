/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For tests of loans.
 */
#ifndef SELFTESTS_COMMON_LOAN_H
#define SELFTESTS_COMMON_LOAN_H

#include "common_region.h"

/* A nonblocking LOAN; what it returns is poisoned. */
static inline struct mailbox_loan loan_args(__u64 length)
{
	return (struct mailbox_loan){
		.size = sizeof(struct mailbox_loan),
		.flags = MAILBOX_NONBLOCK,
		.length = length,
		.loan = POISON64,
		.offset = POISON64,
	};
}

static inline int box_loan_try(int fd, struct mailbox_loan *args)
{
	return call(fd, MAILBOX_IOC_LOAN, args);
}

/* What it takes must be free. */
static inline struct mailbox_loan box_loan(int fd, __u64 length)
{
	struct mailbox_loan args = loan_args(length);

	ASSERT_EQ(0, box_loan_try(fd, &args));
	return args;
}

/* Only what it says. */
static inline int box_loan_error(int fd, __u64 length)
{
	struct mailbox_loan args = loan_args(length);

	return box_loan_try(fd, &args);
}

static inline int box_return(int fd, __u64 loan)
{
	struct mailbox_return args = { .size = sizeof(args), .loan = loan };

	return call(fd, MAILBOX_IOC_RETURN, &args);
}

/* A nonblocking send of so many bytes of a loan. */
static inline struct mailbox_send lending_args(__u64 loan, __u32 length)
{
	struct mailbox_send args = send_args(NULL, length);

	args.flags |= MAILBOX_LOAN;
	args.loan = loan;
	args.offset = POISON64;
	return args;
}

static inline int box_lend(int fd, __u64 loan, __u32 length)
{
	struct mailbox_send args = lending_args(loan, length);

	return box_send(fd, &args);
}

/* A message with a piece of its own: where it is. */
static inline __u64 box_send_loan(int fd, __u32 length)
{
	struct mailbox_loan loan = box_loan(fd, length);

	ASSERT_EQ(0, box_lend(fd, loan.loan, length));
	return loan.offset;
}

/* A nonblocking receive of the first message, also if it is a loan. */
static inline struct mailbox_receive taking_args(void)
{
	struct mailbox_receive args = receive_args(NULL, 0);

	args.flags |= MAILBOX_LOAN;
	args.give_back = 0;
	return args;
}

/* The first message must be a loan. */
static inline struct mailbox_receive box_take(int fd)
{
	struct mailbox_receive args = taking_args();

	ASSERT_EQ(0, box_receive(fd, &args));
	EXPECT_EQ(MAILBOX_IS_LOAN, args.result & MAILBOX_IS_LOAN);
	EXPECT_NE(0, args.loan);
	return args;
}

#define EXPECT_LOANS(fd, nr, bytes) \
	do { \
		struct mailbox_stat stat_ = box_stat(fd); \
\
		EXPECT_EQ((__u32)(nr), stat_.loans); \
		EXPECT_EQ((__u64)(bytes), stat_.loaned); \
	} while (0)

#endif /* SELFTESTS_COMMON_LOAN_H */
