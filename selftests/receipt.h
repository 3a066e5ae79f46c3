/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of receipts share: a mailbox, another for receipts, and one for dead
 * letters.
 */
#ifndef SELFTESTS_RECEIPT_H
#define SELFTESTS_RECEIPT_H

#include "common.h"

#define COOKIE 77

/* A nonblocking send whose receipt goes to that handle. */
static inline struct mailbox_send answered_args(int to, const char *text)
{
	struct mailbox_send args = send_args(text, strlen(text));

	args.flags |= MAILBOX_RECEIPT;
	args.receipt = to;
	args.cookie = COOKIE;
	args.receipt_data = POISON64;
	return args;
}

static inline int box_send_answered(int fd, int to, const char *text)
{
	struct mailbox_send args = answered_args(to, text);

	return box_send(fd, &args);
}

/* A send that waits for its receipt. */
static inline struct mailbox_send waiting_args(struct mailbox_receipt *receipt, const char *text)
{
	struct mailbox_send args = send_args(text, strlen(text));

	poison(receipt, sizeof(*receipt));
	receipt->size = sizeof(*receipt);
	args.flags = MAILBOX_RECEIPT_WAIT;
	args.receipt = -1;
	args.cookie = COOKIE;
	args.receipt_data = user_pointer(receipt);
	return args;
}

/* The first message is a receipt, and is gone now. */
static inline struct mailbox_receipt take_receipt(int fd)
{
	struct mailbox_receipt receipt;
	struct mailbox_receive args = receive_args(&receipt, sizeof(receipt));

	poison(&receipt, sizeof(receipt));
	ASSERT_EQ(0, box_receive(fd, &args));
	/* Or one that has been moved since. */
	EXPECT_EQ(MAILBOX_IS_RECEIPT, args.result & ~MAILBOX_IS_DEAD_LETTER);
	EXPECT_EQ(sizeof(receipt), args.length);
	EXPECT_EQ(sizeof(receipt), receipt.size);
	EXPECT_EQ(receipt.cookie, args.type);
	return receipt;
}

/* It is about that message, which nobody took. */
static inline void expect_untaken(const struct mailbox_receipt *receipt, int fd, __u64 sequence,
				  __u32 end)
{
	EXPECT_EQ(end, receipt->end);
	if (fd >= 0)
		EXPECT_EQ(box_stat(fd).id, receipt->mailbox);
	EXPECT_EQ(sequence, receipt->sequence);
	EXPECT_EQ(COOKIE, receipt->cookie);
	EXPECT_EQ(0, receipt->pid);
	EXPECT_EQ(0, receipt->tid);
	EXPECT_EQ((__u32)-1, receipt->uid);
	EXPECT_EQ((__u32)-1, receipt->gid);
	EXPECT_EQ(0, receipt->copies);
	EXPECT_LE(receipt->time, now_ns());
}

/* It is about that message, which that process, of one thread, took as root. */
static inline void expect_taken(const struct mailbox_receipt *receipt, int fd, __u64 sequence,
				__u32 end, pid_t pid)
{
	EXPECT_EQ(end, receipt->end);
	EXPECT_EQ(box_stat(fd).id, receipt->mailbox);
	EXPECT_EQ(sequence, receipt->sequence);
	EXPECT_EQ(COOKIE, receipt->cookie);
	EXPECT_EQ(pid, receipt->pid);
	EXPECT_EQ(pid, receipt->tid);
	EXPECT_EQ(0, receipt->uid);
	EXPECT_EQ(0, receipt->gid);
	EXPECT_EQ(end != MAILBOX_END_PENDING, receipt->copies);
	EXPECT_LE(receipt->time, now_ns());
}

/* A child that waits for a message already, and ends well when it has got it. */
static inline pid_t child_that_waits(int fd)
{
	pid_t child = child_fork();

	if (!child) {
		char text[8];
		struct mailbox_receive args = receive_args(text, sizeof(text));

		args.flags = 0;
		_exit(box_receive(fd, &args) ? KSFT_FAIL : KSFT_PASS);
	}
	wait_waiters(fd, 1, -1);
	return child;
}

/* Until so many messages are there. */
static inline void wait_messages(int fd, __u64 messages)
{
	__u64 end = now_ns() + PATIENCE;

	while (box_stat(fd).messages != messages) {
		ASSERT_LT(now_ns(), end);
		sched_yield();
	}
}

static inline int box_new_mortal(int device, __u32 deliveries, __u64 dead)
{
	struct mailbox_create args = create_args();
	int fd;

	args.max_deliveries = deliveries;
	args.dead_letter = dead;
	fd = box_create(device, &args);
	ASSERT_LE(0, fd);
	return fd;
}

#endif /* SELFTESTS_RECEIPT_H */
