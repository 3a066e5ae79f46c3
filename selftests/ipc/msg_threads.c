// SPDX-License-Identifier: GPL-2.0
/*
 * SysV messages among many threads, and threads that are cancelled.
 */
#include "msg_queue.h"

#define THREADS 8

static int queue;
static unsigned int count;

static void *sender(void *number)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		ASSERT_EQ(0, queue_send(queue, 1 + (long)number, "from a thread", 0));
	return NULL;
}

static void *receiver(void *number)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		ASSERT_EQ(14, queue_take(queue, 1 + (long)number, 0).length);
	return NULL;
}

static pthread_t start(void *(*function)(void *), long number)
{
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, function, (void *)number));
	return thread;
}

TEST_F(queue, senders_and_receivers)
{
	pthread_t threads[2 * THREADS];
	int i;

	queue = self->id;
	count = effort(300);
	for (i = 0; i < THREADS; i++) {
		threads[2 * i] = start(sender, i);
		threads[2 * i + 1] = start(receiver, i);
	}
	for (i = 0; i < 2 * THREADS; i++)
		EXPECT_EQ(0, pthread_join(threads[i], NULL));
	EXPECT_EQ(0, queue_stat(self->id).msg_qnum);
}

/* Queues come and go while others are used: identifiers are not mixed up. */
static void *maker(void *number)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		int id = queue_new_mode(0600);

		ASSERT_EQ(0, queue_send(id, 100 + (long)number, "mine", 0));
		EXPECT_TAKEN(id, 0, 0, 100 + (long)number, "mine");
		queue_remove(id);
		EXPECT_EQ(-EINVAL, queue_send(id, 1, "x", IPC_NOWAIT));
	}
	return NULL;
}

TEST(queues_that_come_and_go)
{
	pthread_t threads[THREADS];
	int i;

	count = effort(100);
	for (i = 0; i < THREADS; i++)
		threads[i] = start(maker, i);
	for (i = 0; i < THREADS; i++)
		EXPECT_EQ(0, pthread_join(threads[i], NULL));
}

static pid_t waiting_tid;

static void *wait_for_ever(void *unused)
{
	struct message message;

	(void)unused;
	__atomic_store_n(&waiting_tid, (pid_t)syscall(SYS_gettid), __ATOMIC_RELEASE);
	msgrcv(queue, &message, sizeof(message.text), 7, 0);
	return NULL;
}

static void await_waiting(void)
{
	while (!__atomic_load_n(&waiting_tid, __ATOMIC_ACQUIRE))
		sched_yield();
	wait_sleeping(getpid(), waiting_tid);
}

TEST_F(queue, receive_is_a_cancellation_point)
{
	pthread_t thread;
	void *result;

	queue = self->id;
	thread = start(wait_for_ever, 0);
	await_waiting();
	ASSERT_EQ(0, pthread_cancel(thread));
	ASSERT_EQ(0, pthread_join(thread, &result));
	EXPECT_TRUE(result == PTHREAD_CANCELED);
	ASSERT_EQ(0, queue_send(self->id, 7, "still here", 0));
	EXPECT_TAKEN(self->id, 7, 0, 7, "still here");
}

static void *send_for_ever(void *unused)
{
	struct message message = { .type = 1 };

	(void)unused;
	for (;;) {
		if (msgsnd(queue, &message, 1000, 0))
			return NULL;
		__atomic_store_n(&waiting_tid, (pid_t)syscall(SYS_gettid), __ATOMIC_RELEASE);
	}
}

TEST_F(queue, send_is_a_cancellation_point)
{
	pthread_t thread;
	void *result;

	queue = self->id;
	thread = start(send_for_ever, 0);
	await_messages(self->id, 16);
	wait_sleeping(getpid(), waiting_tid);
	ASSERT_EQ(0, pthread_cancel(thread));
	ASSERT_EQ(0, pthread_join(thread, &result));
	EXPECT_TRUE(result == PTHREAD_CANCELED);
	EXPECT_EQ(16, queue_stat(self->id).msg_qnum);
}

static void *receive_what_is_there(void *unused)
{
	struct message message;

	(void)unused;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	pthread_cancel(pthread_self());
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	msgrcv(queue, &message, sizeof(message.text), 0, 0);
	return NULL;
}

/* Also where it would not have to wait; and nothing is taken then. */
TEST_F(queue, cancelled_before_the_call)
{
	void *result;

	queue = self->id;
	ASSERT_EQ(0, queue_send(self->id, 1, "x", 0));
	ASSERT_EQ(0, pthread_join(start(receive_what_is_there, 0), &result));
	EXPECT_TRUE(result == PTHREAD_CANCELED);
	EXPECT_EQ(1, queue_stat(self->id).msg_qnum);
}

static void *end_when_removed(void *unused)
{
	struct message message;

	(void)unused;
	__atomic_store_n(&waiting_tid, (pid_t)syscall(SYS_gettid), __ATOMIC_RELEASE);
	return msgrcv(queue, &message, 10, 0, 0) < 0 ? (void *)(long)errno : NULL;
}

TEST_F(queue, removed_by_another_thread)
{
	pthread_t thread;
	void *result;

	queue = self->id;
	thread = start(end_when_removed, 0);
	await_waiting();
	queue_remove(self->id);
	ASSERT_EQ(0, pthread_join(thread, &result));
	EXPECT_EQ(EIDRM, (long)result);
}

TEST_F(queue, fork_while_a_thread_waits)
{
	pthread_t thread;
	pid_t pid;
	int i;

	queue = self->id;
	thread = start(wait_for_ever, 0);
	await_waiting();
	for (i = 0; i < 20; i++) {
		pid = child_fork();
		if (!pid) {
			EXPECT_EQ(0, queue_send(self->id, 1, "x", 0));
			EXPECT_TAKEN(self->id, 1, 0, 1, "x");
			_exit(0);
		}
		child_done(pid);
	}
	ASSERT_EQ(0, queue_send(self->id, 7, "x", 0));
	EXPECT_EQ(0, pthread_join(thread, NULL));
}

TEST_HARNESS_MAIN
