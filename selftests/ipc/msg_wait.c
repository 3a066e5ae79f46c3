// SPDX-License-Identifier: GPL-2.0
/*
 * SysV messages: calls that wait, and what ends the wait.
 */
#include "msg_queue.h"

static struct message message = { .type = 1 };

/* A child that receives, and ends with what came of it: 0, or the errno. */
static pid_t receiver(int id, long type, int flags)
{
	pid_t pid = child_fork();

	if (!pid)
		_exit(msgrcv(id, &message, sizeof(message.text), type, flags) < 0 ? errno : 0);
	wait_sleeping(pid, pid);
	return pid;
}

/* A queue that is full, and a child that sends to it. */
static void fill(int id)
{
	queue_set_bytes(id, 10);
	ASSERT_EQ(0, TRY(msgsnd(id, &message, 10, 0)));
}

static pid_t sender(int id)
{
	pid_t pid = child_fork();

	if (!pid)
		_exit(msgsnd(id, &message, 10, 0) ? errno : 0);
	wait_sleeping(pid, pid);
	return pid;
}

static int outcome(pid_t pid)
{
	int status = -1;

	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFEXITED(status));
	return WEXITSTATUS(status);
}

TEST_F(queue, receiver_waits_for_a_message)
{
	pid_t pid = receiver(self->id, 0, 0);

	ASSERT_EQ(0, queue_send(self->id, 3, "x", 0));
	EXPECT_EQ(0, outcome(pid));
	EXPECT_EQ(0, queue_stat(self->id).msg_qnum);
}

TEST_F(queue, receiver_waits_for_its_type)
{
	pid_t exact = receiver(self->id, 5, 0), below = receiver(self->id, -3, 0);
	pid_t others = receiver(self->id, 4, MSG_EXCEPT);

	ASSERT_EQ(0, queue_send(self->id, 4, "nobody's", 0));
	EXPECT_EQ(1, queue_stat(self->id).msg_qnum);
	ASSERT_EQ(0, queue_send(self->id, 5, "x", 0));
	EXPECT_EQ(0, outcome(exact));
	ASSERT_EQ(0, queue_send(self->id, 3, "x", 0));
	EXPECT_EQ(0, outcome(below));
	ASSERT_EQ(0, queue_send(self->id, 9, "x", 0));
	EXPECT_EQ(0, outcome(others));
	EXPECT_TAKEN(self->id, 0, 0, 4, "nobody's");
}

TEST_F(queue, sender_waits_for_room)
{
	pid_t pid;

	fill(self->id);
	pid = sender(self->id);
	EXPECT_EQ(1, queue_stat(self->id).msg_qnum);
	ASSERT_EQ(10, TRY(msgrcv(self->id, &message, 10, 0, 0)));
	EXPECT_EQ(0, outcome(pid));
	EXPECT_EQ(1, queue_stat(self->id).msg_qnum);
}

TEST_F(queue, senders_are_let_in_one_by_one)
{
	pid_t pids[3];
	int i;

	fill(self->id);
	for (i = 0; i < 3; i++)
		pids[i] = sender(self->id);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(10, TRY(msgrcv(self->id, &message, 10, 0, 0)));
		await_messages(self->id, 1);
	}
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, outcome(pids[i]));
}

TEST_F(queue, removal_ends_a_receive)
{
	pid_t pids[] = { receiver(self->id, 0, 0), receiver(self->id, 7, 0),
			 receiver(self->id, -7, 0), receiver(self->id, 7, MSG_EXCEPT) };
	size_t i;

	queue_remove(self->id);
	for (i = 0; i < ARRAY_SIZE(pids); i++)
		EXPECT_EQ(EIDRM, outcome(pids[i]));
}

TEST_F(queue, removal_ends_a_send)
{
	pid_t pid;

	fill(self->id);
	pid = sender(self->id);
	queue_remove(self->id);
	EXPECT_EQ(EIDRM, outcome(pid));
}

static void nothing(int signal)
{
	(void)signal;
}

static void handle(int flags)
{
	struct sigaction action = { .sa_handler = nothing, .sa_flags = flags };

	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
}

/* Neither is started again, also where the handler asks for it. */
TEST_F(queue, signal_ends_a_receive)
{
	pid_t pid;

	handle(0);
	pid = receiver(self->id, 0, 0);
	kill(pid, SIGUSR1);
	EXPECT_EQ(EINTR, outcome(pid));
	handle(SA_RESTART);
	pid = receiver(self->id, 0, 0);
	kill(pid, SIGUSR1);
	EXPECT_EQ(EINTR, outcome(pid));
}

TEST_F(queue, signal_ends_a_send)
{
	pid_t pid;

	fill(self->id);
	handle(0);
	pid = sender(self->id);
	kill(pid, SIGUSR1);
	EXPECT_EQ(EINTR, outcome(pid));
	handle(SA_RESTART);
	pid = sender(self->id);
	kill(pid, SIGUSR1);
	EXPECT_EQ(EINTR, outcome(pid));
	EXPECT_EQ(1, queue_stat(self->id).msg_qnum);
}

/* Nothing of the program's has to know of it. */
TEST_F(queue, stop_and_continue_do_not_end_a_receive)
{
	pid_t pid = receiver(self->id, 0, 0);
	int status;

	kill(pid, SIGSTOP);
	ASSERT_EQ(pid, waitpid(pid, &status, WUNTRACED));
	kill(pid, SIGCONT);
	ASSERT_EQ(0, queue_send(self->id, 1, "x", 0));
	EXPECT_EQ(0, outcome(pid));
}

TEST_F(queue, too_long_for_a_receiver_that_waits)
{
	pid_t pid = child_fork();

	if (!pid)
		_exit(msgrcv(self->id, &message, 3, 0, 0) < 0 ? errno : 0);
	wait_sleeping(pid, pid);
	ASSERT_EQ(0, queue_send(self->id, 1, "four", 0));
	EXPECT_EQ(E2BIG, outcome(pid));
	EXPECT_TAKEN(self->id, 0, 0, 1, "four");
}

TEST_F(queue, each_receiver_gets_one)
{
	pid_t pids[4];
	int i;

	for (i = 0; i < 4; i++)
		pids[i] = receiver(self->id, 0, 0);
	for (i = 0; i < 4; i++)
		ASSERT_EQ(0, queue_send(self->id, 1, "x", 0));
	for (i = 0; i < 4; i++)
		EXPECT_EQ(0, outcome(pids[i]));
	EXPECT_EQ(0, queue_stat(self->id).msg_qnum);
}

TEST_HARNESS_MAIN
