// SPDX-License-Identifier: GPL-2.0
/*
 * SysV messages: errno by errno.
 */
#include "msg_queue.h"

#include <limits.h>

#define KEY 0x6d626f79

/* One that was, and is no more. */
static int removed_queue(void)
{
	int id = queue_new_mode(0600);

	queue_remove(id);
	return id;
}

/* Where nothing is, and nothing can be. */
static void *nowhere(void)
{
	void *page = mmap(NULL, 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_TRUE(page != MAP_FAILED);
	return page;
}

TEST(no_queue_of_that_key)
{
	EXPECT_EQ(-ENOENT, TRY(msgget(KEY, 0)));
	EXPECT_EQ(-ENOENT, TRY(msgget(KEY, IPC_EXCL | 0600)));
}

TEST(no_queue_of_that_id)
{
	int ids[] = { -1, INT_MIN, INT_MAX, removed_queue() };
	struct msqid_ds queue = { 0 };
	struct message message;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		EXPECT_EQ(-EINVAL, queue_send(ids[i], 1, "x", 0));
		EXPECT_EQ(-EINVAL, queue_send(ids[i], 1, "x", IPC_NOWAIT));
		EXPECT_EQ(-EINVAL, TRY(msgrcv(ids[i], &message, 10, 0, 0)));
		EXPECT_EQ(-EINVAL, TRY(msgrcv(ids[i], &message, 10, 0, IPC_NOWAIT)));
		EXPECT_EQ(-EINVAL, TRY(msgctl(ids[i], IPC_STAT, &queue)));
		EXPECT_EQ(-EINVAL, TRY(msgctl(ids[i], IPC_SET, &queue)));
		EXPECT_EQ(-EINVAL, TRY(msgctl(ids[i], IPC_RMID, NULL)));
	}
}

/* Also where this process has used it before, and another has removed it. */
TEST_F(queue, removed_by_another)
{
	pid_t pid;

	ASSERT_EQ(0, queue_send(self->id, 1, "x", 0));
	pid = child_fork();
	if (!pid)
		_exit(msgctl(self->id, IPC_RMID, NULL) ? 1 : 0);
	child_done(pid);
	EXPECT_EQ(-EINVAL, queue_send(self->id, 1, "x", 0));
	EXPECT_EQ(-EINVAL, queue_take(self->id, 0, 0).length);
	EXPECT_EQ(-EINVAL, TRY(msgctl(self->id, IPC_RMID, NULL)));
}

TEST_F(queue, types_of_messages_are_positive)
{
	EXPECT_EQ(-EINVAL, queue_send(self->id, 0, "x", 0));
	EXPECT_EQ(-EINVAL, queue_send(self->id, -1, "x", 0));
	EXPECT_EQ(-EINVAL, queue_send(self->id, LONG_MIN, "x", 0));
	EXPECT_EQ(0, queue_stat(self->id).msg_qnum);
}

TEST_F(queue, lengths_out_of_range)
{
	struct message message = { .type = 1 };

	EXPECT_EQ(-EINVAL, TRY(msgsnd(self->id, &message, 8193, IPC_NOWAIT)));
	EXPECT_EQ(-EINVAL, TRY(msgsnd(self->id, &message, -1, IPC_NOWAIT)));
	EXPECT_EQ(-EINVAL, TRY(msgsnd(self->id, &message, (size_t)1 << 32, IPC_NOWAIT)));
	EXPECT_EQ(-EINVAL, TRY(msgrcv(self->id, &message, -1, 0, IPC_NOWAIT)));
	EXPECT_EQ(0, queue_stat(self->id).msg_qnum);
}

TEST_F(queue, nothing_there)
{
	EXPECT_EQ(-ENOMSG, queue_take(self->id, 0, IPC_NOWAIT).length);
	EXPECT_EQ(-ENOMSG, queue_take(self->id, 3, IPC_NOWAIT).length);
	EXPECT_EQ(-ENOMSG, queue_take(self->id, -3, IPC_NOWAIT).length);
	EXPECT_EQ(-ENOMSG, queue_take(self->id, 3, MSG_EXCEPT | IPC_NOWAIT).length);
}

TEST_F(queue, unreadable_message)
{
	EXPECT_EQ(-EFAULT, TRY(msgsnd(self->id, NULL, 1, IPC_NOWAIT)));
	EXPECT_EQ(-EFAULT, TRY(msgsnd(self->id, (void *)-1, 1, IPC_NOWAIT)));
	EXPECT_EQ(-EFAULT, TRY(msgsnd(self->id, nowhere(), 1, IPC_NOWAIT)));
	EXPECT_EQ(0, queue_stat(self->id).msg_qnum);
}

TEST_F(queue, half_readable_message)
{
	char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct message *message = (void *)(pages + 4096 - 16);

	ASSERT_EQ(0, mprotect(pages + 4096, 4096, PROT_NONE));
	message->type = 1;
	EXPECT_EQ(-EFAULT, TRY(msgsnd(self->id, message, 9, IPC_NOWAIT)));
	EXPECT_EQ(0, queue_stat(self->id).msg_qnum);
	EXPECT_EQ(0, TRY(msgsnd(self->id, message, 8, IPC_NOWAIT)));
}

TEST_F(queue, unwritable_room)
{
	char *page = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *places[] = { NULL, (void *)-1, nowhere(), page };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(places); i++) {
		ASSERT_EQ(0, queue_send(self->id, 1, "x", 0));
		EXPECT_EQ(-EFAULT, TRY(msgrcv(self->id, places[i], 10, 0, IPC_NOWAIT)));
	}
}

TEST_F(queue, unreadable_status)
{
	char *page = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	EXPECT_EQ(-EFAULT, TRY(msgctl(self->id, IPC_STAT, NULL)));
	EXPECT_EQ(-EFAULT, TRY(msgctl(self->id, IPC_STAT, (void *)-1)));
	EXPECT_EQ(-EFAULT, TRY(msgctl(self->id, IPC_STAT, nowhere())));
	EXPECT_EQ(-EFAULT, TRY(msgctl(self->id, IPC_STAT, (void *)page)));
	EXPECT_EQ(-EFAULT, TRY(msgctl(self->id, IPC_SET, NULL)));
	EXPECT_EQ(-EFAULT, TRY(msgctl(self->id, IPC_SET, nowhere())));
	EXPECT_EQ(-EFAULT, TRY(msgctl(0, IPC_INFO, NULL)));
}

TEST_F(queue, unknown_command)
{
	struct msqid_ds queue;

	EXPECT_EQ(-EINVAL, TRY(msgctl(self->id, 12345, &queue)));
	EXPECT_EQ(-EINVAL, TRY(msgctl(self->id, -1, &queue)));
}

TEST_HARNESS_MAIN
