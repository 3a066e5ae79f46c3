// SPDX-License-Identifier: GPL-2.0
/*
 * SysV messages: which message msgrcv(2) takes, and how much of it.
 */
#include "msg_queue.h"

#include <limits.h>

static void fill(int id)
{
	ASSERT_EQ(0, queue_send(id, 5, "five", 0));
	ASSERT_EQ(0, queue_send(id, 3, "three", 0));
	ASSERT_EQ(0, queue_send(id, 9, "nine", 0));
	ASSERT_EQ(0, queue_send(id, 3, "three again", 0));
}

TEST_F(queue, exact_type)
{
	fill(self->id);
	EXPECT_TAKEN(self->id, 3, 0, 3, "three");
	EXPECT_TAKEN(self->id, 3, 0, 3, "three again");
	EXPECT_EQ(-ENOMSG, queue_take(self->id, 3, IPC_NOWAIT).length);
	EXPECT_TAKEN(self->id, 9, 0, 9, "nine");
	EXPECT_EQ(1, queue_stat(self->id).msg_qnum);
}

TEST_F(queue, lowest_type_up_to)
{
	fill(self->id);
	EXPECT_EQ(-ENOMSG, queue_take(self->id, -2, IPC_NOWAIT).length);
	EXPECT_TAKEN(self->id, -7, 0, 3, "three");
	EXPECT_TAKEN(self->id, -3, 0, 3, "three again");
	EXPECT_TAKEN(self->id, -7, 0, 5, "five");
	EXPECT_EQ(-ENOMSG, queue_take(self->id, -7, IPC_NOWAIT).length);
	EXPECT_TAKEN(self->id, -9, 0, 9, "nine");
}

TEST_F(queue, any_type_but)
{
	fill(self->id);
	EXPECT_TAKEN(self->id, 5, MSG_EXCEPT, 3, "three");
	EXPECT_TAKEN(self->id, 3, MSG_EXCEPT, 5, "five");
	EXPECT_TAKEN(self->id, 3, MSG_EXCEPT, 9, "nine");
	EXPECT_EQ(-ENOMSG, queue_take(self->id, 3, MSG_EXCEPT | IPC_NOWAIT).length);
}

TEST_F(queue, except_counts_for_positive_types_only)
{
	fill(self->id);
	EXPECT_TAKEN(self->id, 0, MSG_EXCEPT, 5, "five");
	EXPECT_TAKEN(self->id, -4, MSG_EXCEPT, 3, "three");
}

TEST_F(queue, largest_types)
{
	ASSERT_EQ(0, queue_send(self->id, LONG_MAX, "most", 0));
	ASSERT_EQ(0, queue_send(self->id, LONG_MAX - 1, "less", 0));
	EXPECT_TAKEN(self->id, -LONG_MAX, 0, LONG_MAX - 1, "less");
	EXPECT_TAKEN(self->id, LONG_MIN, 0, LONG_MAX, "most");
	ASSERT_EQ(0, queue_send(self->id, LONG_MAX, "most", 0));
	EXPECT_TAKEN(self->id, LONG_MAX, 0, LONG_MAX, "most");
}

TEST_F(queue, too_long_stays)
{
	struct message message = { .type = -1 };

	ASSERT_EQ(0, queue_send(self->id, 2, "hello", 0));
	EXPECT_EQ(-E2BIG, TRY(msgrcv(self->id, &message, 5, 0, IPC_NOWAIT)));
	EXPECT_EQ(-E2BIG, TRY(msgrcv(self->id, &message, 0, 2, IPC_NOWAIT)));
	EXPECT_TAKEN(self->id, 0, 0, 2, "hello");
}

TEST_F(queue, noerror_cuts)
{
	struct message message = { .text = "......" };

	ASSERT_EQ(0, queue_send(self->id, 2, "hello", 0));
	ASSERT_EQ(3, TRY(msgrcv(self->id, &message, 3, 0, MSG_NOERROR)));
	EXPECT_EQ(2, message.type);
	EXPECT_STREQ("hel...", message.text);
	EXPECT_EQ(0, queue_stat(self->id).msg_qnum);
}

TEST_F(queue, noerror_cuts_to_nothing)
{
	struct message message = { .text = "." };

	ASSERT_EQ(0, queue_send(self->id, 2, "hello", 0));
	ASSERT_EQ(0, TRY(msgrcv(self->id, &message, 0, 0, MSG_NOERROR)));
	EXPECT_EQ(2, message.type);
	EXPECT_STREQ(".", message.text);
}

/* Kernels without it say so. */
static bool can_copy(int id)
{
	return queue_take(id, 0, MSG_COPY | IPC_NOWAIT).length != -ENOSYS;
}

TEST_F(queue, copy_leaves_it_there)
{
	if (!can_copy(self->id))
		SKIP(return, "this kernel has no MSG_COPY");
	fill(self->id);
	EXPECT_TAKEN(self->id, 0, MSG_COPY, 5, "five");
	EXPECT_TAKEN(self->id, 3, MSG_COPY, 3, "three again");
	EXPECT_TAKEN(self->id, 2, MSG_COPY, 9, "nine");
	EXPECT_EQ(-ENOMSG, queue_take(self->id, 4, MSG_COPY | IPC_NOWAIT).length);
	EXPECT_EQ(-ENOMSG, queue_take(self->id, -1, MSG_COPY | IPC_NOWAIT).length);
	EXPECT_EQ(4, queue_stat(self->id).msg_qnum);
	EXPECT_EQ(0, queue_stat(self->id).msg_rtime);
	EXPECT_EQ(0, queue_stat(self->id).msg_lrpid);
	EXPECT_TAKEN(self->id, 0, 0, 5, "five");
}

TEST_F(queue, copy_needs_nowait_and_no_except)
{
	if (!can_copy(self->id))
		SKIP(return, "this kernel has no MSG_COPY");
	fill(self->id);
	EXPECT_EQ(-EINVAL, queue_take(self->id, 0, MSG_COPY).length);
	EXPECT_EQ(-EINVAL, queue_take(self->id, 1, MSG_COPY | MSG_EXCEPT | IPC_NOWAIT).length);
}

TEST_F(queue, copy_is_not_cut)
{
	struct message message;

	if (!can_copy(self->id))
		SKIP(return, "this kernel has no MSG_COPY");
	fill(self->id);
	EXPECT_EQ(-E2BIG, TRY(msgrcv(self->id, &message, 2, 0, MSG_COPY | IPC_NOWAIT)));
	EXPECT_EQ(-EINVAL,
		  TRY(msgrcv(self->id, &message, 2, 0, MSG_COPY | MSG_NOERROR | IPC_NOWAIT)));
}

TEST_HARNESS_MAIN
