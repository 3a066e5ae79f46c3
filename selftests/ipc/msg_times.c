// SPDX-License-Identifier: GPL-2.0
/*
 * SysV messages: who did what last, and when.
 */
#include "msg_queue.h"

/* A second on either side: the clocks that are compared tick differently. */
#define EXPECT_NOW(moment, before) \
	do { \
		EXPECT_LE(before, (moment) + 1); \
		EXPECT_GE(time(NULL) + 1, moment); \
	} while (0)

TEST_F(queue, send_is_remembered)
{
	time_t before = time(NULL);
	struct msqid_ds queue;

	ASSERT_EQ(0, queue_send(self->id, 1, "x", 0));
	queue = queue_stat(self->id);
	EXPECT_EQ(getpid(), queue.msg_lspid);
	EXPECT_NOW(queue.msg_stime, before);
	EXPECT_EQ(0, queue.msg_lrpid);
	EXPECT_EQ(0, queue.msg_rtime);
}

TEST_F(queue, receive_is_remembered)
{
	time_t before = time(NULL);
	struct msqid_ds queue;
	pid_t pid = child_fork();

	if (!pid)
		_exit(queue_send(self->id, 1, "x", 0));
	child_done(pid);
	EXPECT_TAKEN(self->id, 0, 0, 1, "x");
	queue = queue_stat(self->id);
	EXPECT_EQ(getpid(), queue.msg_lrpid);
	EXPECT_NOW(queue.msg_rtime, before);
	EXPECT_EQ(pid, queue.msg_lspid);
	EXPECT_NOW(queue.msg_stime, before);
}

TEST_F(queue, failures_are_not_remembered)
{
	EXPECT_EQ(-ENOMSG, queue_take(self->id, 0, IPC_NOWAIT).length);
	EXPECT_EQ(-EINVAL, queue_send(self->id, 0, "x", 0));
	EXPECT_EQ(0, queue_stat(self->id).msg_stime);
	EXPECT_EQ(0, queue_stat(self->id).msg_rtime);
	EXPECT_EQ(0, queue_stat(self->id).msg_lspid);
	EXPECT_EQ(0, queue_stat(self->id).msg_lrpid);
}

TEST_F(queue, change_is_remembered)
{
	struct msqid_ds queue = queue_stat(self->id);
	time_t made = queue.msg_ctime, before;
	struct timespec pause = { .tv_nsec = 10000000 };

	/* The time is what the test is about: it has to go on. */
	while (time(NULL) < made + 2)
		nanosleep(&pause, NULL);
	ASSERT_EQ(0, queue_send(self->id, 1, "x", 0));
	EXPECT_EQ(made, queue_stat(self->id).msg_ctime);
	before = time(NULL);
	queue.msg_perm.mode = 0640;
	ASSERT_EQ(0, TRY(msgctl(self->id, IPC_SET, &queue)));
	EXPECT_NOW(queue_stat(self->id).msg_ctime, before);
	EXPECT_LT(made, queue_stat(self->id).msg_ctime);
}

TEST_HARNESS_MAIN
