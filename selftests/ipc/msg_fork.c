// SPDX-License-Identifier: GPL-2.0
/*
 * SysV messages among many processes, which inherit what their parents have used, or not.
 */
#include "msg_queue.h"

#define CHILDREN 8

struct numbered {
	long type;
	unsigned int sender;
	unsigned int number;
};

#define NUMBERED (sizeof(struct numbered) - sizeof(long))

static void send_numbers(int id, unsigned int sender, unsigned int count)
{
	struct numbered message = { .type = 1 + sender % 3, .sender = sender };

	for (message.number = 0; message.number < count; message.number++)
		ASSERT_EQ(0, TRY(msgsnd(id, &message, NUMBERED, 0)));
}

/* Each sender's come in its order, and none twice. */
static void take_numbers(int id, unsigned int senders, unsigned int count)
{
	unsigned int next[64] = { 0 }, i;
	struct numbered message;

	for (i = 0; i < senders * count; i++) {
		ASSERT_EQ(NUMBERED, TRY(msgrcv(id, &message, NUMBERED, 0, 0)));
		ASSERT_GT(senders, message.sender);
		ASSERT_EQ(next[message.sender], message.number);
		EXPECT_EQ(1 + message.sender % 3, message.type);
		next[message.sender]++;
	}
}

TEST_F(queue, many_senders_one_receiver)
{
	unsigned int count = effort(500), i;
	pid_t pids[CHILDREN];

	for (i = 0; i < CHILDREN; i++) {
		pids[i] = child_fork();
		if (!pids[i]) {
			send_numbers(self->id, i, count);
			_exit(0);
		}
	}
	take_numbers(self->id, CHILDREN, count);
	for (i = 0; i < CHILDREN; i++)
		child_done(pids[i]);
	EXPECT_EQ(0, queue_stat(self->id).msg_qnum);
}

/* Each generation uses the queue before it has the next one, and after. */
static void generation(int id, unsigned int left)
{
	pid_t pid;

	ASSERT_EQ(0, queue_send(id, 1, "before", 0));
	if (left) {
		pid = child_fork();
		if (!pid) {
			generation(id, left - 1);
			_exit(0);
		}
		child_done(pid);
	}
	EXPECT_EQ(0, queue_send(id, 2, "after", 0));
}

TEST_F(queue, children_of_children)
{
	generation(self->id, 20);
	EXPECT_EQ(42, queue_stat(self->id).msg_qnum);
}

TEST_F(queue, processes_that_come_and_go)
{
	unsigned int count = effort(200), i;

	for (i = 0; i < count; i++) {
		pid_t pid = child_fork();

		if (!pid)
			_exit(queue_send(self->id, i + 1, "child", 0));
		EXPECT_EQ(6, queue_take(self->id, i + 1, 0).length);
		child_done(pid);
	}
}

/* A request has the pid for its type, and so has its answer: as many programs do it. */
TEST_F(queue, server_and_clients)
{
	int answers = queue_new_mode(0600);
	unsigned int count = effort(100), i, k;
	pid_t pids[CHILDREN];

	for (i = 0; i < CHILDREN; i++) {
		pids[i] = child_fork();
		if (pids[i])
			continue;
		for (k = 0; k < count; k++) {
			ASSERT_EQ(0, queue_send(self->id, getpid(), "request", 0));
			ASSERT_EQ(7, queue_take(answers, getpid(), 0).length);
		}
		_exit(0);
	}
	for (i = 0; i < CHILDREN * count; i++) {
		struct taken request = queue_take(self->id, 0, 0);

		ASSERT_EQ(8, request.length);
		ASSERT_EQ(0, queue_send(answers, request.type, "answer", 0));
	}
	for (i = 0; i < CHILDREN; i++)
		child_done(pids[i]);
	queue_remove(answers);
}

/* All are there at once, and only one may make it. */
TEST(one_makes_it)
{
	unsigned int *flag = flag_new(), *makers = flag_new(), rounds = effort(20), round;
	pid_t pids[CHILDREN];
	int key = 0x6d620000, i;

	for (round = 0; round < rounds; round++, key++) {
		for (i = 0; i < CHILDREN; i++) {
			pids[i] = child_fork();
			if (pids[i])
				continue;
			flag_await(flag, round + 1);
			if (msgget(key, IPC_CREAT | IPC_EXCL | 0600) >= 0)
				flag_raise(makers);
			else
				EXPECT_EQ(EEXIST, errno);
			_exit(msgget(key, IPC_CREAT | 0600) < 0);
		}
		flag_raise(flag);
		for (i = 0; i < CHILDREN; i++)
			child_done(pids[i]);
		EXPECT_EQ(round + 1, flag_read(makers));
		queue_remove(msgget(key, 0));
	}
}

TEST_HARNESS_MAIN
