// SPDX-License-Identifier: GPL-2.0
/*
 * SysV messages: how much a queue holds, and what msgctl(2) says of all queues.
 */
#include "msg_queue.h"

static long kernel_limit(const char *name)
{
	char path[64];
	long limit = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/sys/kernel/%s", name);
	file = fopen(path, "r");
	ASSERT_TRUE(file);
	ASSERT_EQ(1, fscanf(file, "%ld", &limit));
	fclose(file);
	return limit;
}

TEST_F(queue, holds_so_many_bytes)
{
	struct message message = { .type = 1 };
	long limit = kernel_limit("msgmnb"), sent = 0;

	EXPECT_EQ(limit, queue_stat(self->id).msg_qbytes);
	while (!msgsnd(self->id, &message, 1024, IPC_NOWAIT))
		sent++;
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(limit / 1024, sent);
	EXPECT_EQ(sent, queue_stat(self->id).msg_qnum);
	EXPECT_EQ(sent * 1024, queue_stat(self->id).__msg_cbytes);
	ASSERT_EQ(1024, TRY(msgrcv(self->id, &message, 1024, 0, IPC_NOWAIT)));
	EXPECT_EQ(0, TRY(msgsnd(self->id, &message, 1024, IPC_NOWAIT)));
}

TEST_F(queue, holds_as_many_messages_as_bytes)
{
	struct message message = { .type = 1 };
	int sent = 0;

	queue_set_bytes(self->id, 10);
	while (!msgsnd(self->id, &message, 0, IPC_NOWAIT))
		sent++;
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(10, sent);
}

TEST_F(queue, fewer_bytes_hold_from_then_on)
{
	struct message message = { .type = 1 };

	ASSERT_EQ(0, TRY(msgsnd(self->id, &message, 500, 0)));
	queue_set_bytes(self->id, 100);
	EXPECT_EQ(100, queue_stat(self->id).msg_qbytes);
	EXPECT_EQ(1, queue_stat(self->id).msg_qnum);
	EXPECT_EQ(-EAGAIN, TRY(msgsnd(self->id, &message, 1, IPC_NOWAIT)));
	ASSERT_EQ(500, TRY(msgrcv(self->id, &message, 500, 0, IPC_NOWAIT)));
	EXPECT_EQ(0, TRY(msgsnd(self->id, &message, 100, IPC_NOWAIT)));
	EXPECT_EQ(-EAGAIN, TRY(msgsnd(self->id, &message, 1, IPC_NOWAIT)));
}

TEST_F(queue, longer_than_the_queue_has_no_room)
{
	struct message message = { .type = 1 };

	queue_set_bytes(self->id, 100);
	EXPECT_EQ(-EAGAIN, TRY(msgsnd(self->id, &message, 101, IPC_NOWAIT)));
	EXPECT_EQ(0, queue_stat(self->id).msg_qnum);
	queue_set_bytes(self->id, 200);
	EXPECT_EQ(0, TRY(msgsnd(self->id, &message, 101, IPC_NOWAIT)));
}

TEST_F(queue, more_bytes_let_a_sender_in)
{
	struct message message = { .type = 1 };
	pid_t pid;

	queue_set_bytes(self->id, 100);
	ASSERT_EQ(0, TRY(msgsnd(self->id, &message, 100, 0)));
	pid = child_fork();
	if (!pid)
		_exit(msgsnd(self->id, &message, 50, 0) ? 1 : 0);
	wait_sleeping(pid, pid);
	queue_set_bytes(self->id, 150);
	child_done(pid);
	EXPECT_EQ(2, queue_stat(self->id).msg_qnum);
}

TEST_F(queue, root_may_raise_the_bytes_beyond_the_limit)
{
	struct message message = { .type = 1 };
	long limit = kernel_limit("msgmnb"), sent = 0;

	queue_set_bytes(self->id, 2 * limit);
	while (!msgsnd(self->id, &message, 4096, IPC_NOWAIT))
		sent++;
	EXPECT_EQ(2 * limit / 4096, sent);
}

TEST(user_may_not)
{
	pid_t pid = child_fork();

	if (!pid) {
		struct msqid_ds queue;
		int id;

		become(USER);
		id = queue_new_mode(0600);
		queue = queue_stat(id);
		queue.msg_qbytes = kernel_limit("msgmnb") + 1;
		EXPECT_EQ(-EPERM, TRY(msgctl(id, IPC_SET, &queue)));
		queue.msg_qbytes = kernel_limit("msgmnb") / 2;
		EXPECT_EQ(0, TRY(msgctl(id, IPC_SET, &queue)));
		queue.msg_qbytes = kernel_limit("msgmnb");
		EXPECT_EQ(0, TRY(msgctl(id, IPC_SET, &queue)));
		queue_remove(id);
		_exit(0);
	}
	child_done(pid);
}

TEST_F(queue, limits_are_told)
{
	struct msginfo info;

	memset(&info, 0xa5, sizeof(info));
	ASSERT_LE(0, TRY(msgctl(0, IPC_INFO, (struct msqid_ds *)&info)));
	EXPECT_EQ(kernel_limit("msgmax"), info.msgmax);
	EXPECT_EQ(kernel_limit("msgmnb"), info.msgmnb);
	EXPECT_EQ(kernel_limit("msgmni"), info.msgmni);
	EXPECT_EQ(16, info.msgssz);
	EXPECT_EQ(65535, info.msgseg);
	EXPECT_EQ(16384, info.msgmap);
	EXPECT_EQ(16384, info.msgtql);
	EXPECT_EQ(512000, info.msgpool);
}

TEST_F(queue, use_is_told)
{
	struct msginfo before, after;
	int other;

	ASSERT_LE(0, TRY(msgctl(0, MSG_INFO, (struct msqid_ds *)&before)));
	EXPECT_LE(1, before.msgpool);
	other = queue_new_mode(0600);
	ASSERT_EQ(0, queue_send(self->id, 1, "four", 0));
	ASSERT_EQ(0, queue_send(other, 1, "four", 0));
	ASSERT_EQ(0, queue_send(other, 1, "four", 0));
	ASSERT_LE(1, TRY(msgctl(0, MSG_INFO, (struct msqid_ds *)&after)));
	EXPECT_EQ(before.msgpool + 1, after.msgpool);
	EXPECT_EQ(before.msgmap + 3, after.msgmap);
	EXPECT_EQ(before.msgtql + 15, after.msgtql);
	EXPECT_EQ(before.msgmax, after.msgmax);
	queue_remove(other);
}

/* As ipcs(1) does it. */
static bool walk_finds(int command, int id, msgqnum_t number)
{
	struct msginfo info;
	struct msqid_ds queue;
	int index, last = msgctl(0, MSG_INFO, (struct msqid_ds *)&info);
	bool found = false;

	ASSERT_LE(0, last);
	for (index = 0; index <= last; index++)
		if (msgctl(index, command, &queue) == id && queue.msg_qnum == number)
			found = true;
	return found;
}

TEST_F(queue, walk_over_all)
{
	int other = queue_new_mode(0600);
	struct msqid_ds queue;

	ASSERT_EQ(0, queue_send(other, 1, "x", 0));
	EXPECT_TRUE(walk_finds(MSG_STAT, self->id, 0));
	EXPECT_TRUE(walk_finds(MSG_STAT, other, 1));
	EXPECT_TRUE(walk_finds(MSG_STAT_ANY, self->id, 0));
	EXPECT_TRUE(walk_finds(MSG_STAT_ANY, other, 1));
	queue_remove(other);
	EXPECT_FALSE(walk_finds(MSG_STAT, other, 1));
	EXPECT_EQ(-EINVAL, TRY(msgctl(1000000, MSG_STAT, &queue)));
}

TEST(many_queues)
{
	int ids[300], nr = ARRAY_SIZE(ids), i, round;

	for (i = 0; i < nr; i++)
		ids[i] = queue_new_mode(0600);
	for (round = 0; round < 2; round++)
		for (i = 0; i < nr; i++)
			ASSERT_EQ(0, queue_send(ids[i], i + 1, round ? "two" : "one", IPC_NOWAIT));
	for (i = 0; i < nr; i++) {
		EXPECT_TAKEN(ids[i], 0, 0, i + 1, "one");
		EXPECT_TAKEN(ids[i], 0, 0, i + 1, "two");
	}
	for (i = 0; i < nr; i++)
		queue_remove(ids[i]);
}

TEST_HARNESS_MAIN
