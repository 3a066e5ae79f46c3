// SPDX-License-Identifier: GPL-2.0
/*
 * Queues in many threads of one process.
 */
#include "mq.h"

#define THREADS 8
#define EACH	200

struct crew {
	mqd_t queue;
	unsigned int next;
	unsigned int got[THREADS][EACH];
	pthread_barrier_t start;
};

static struct crew crew;

static void *send_all(void *unused)
{
	unsigned int me = __atomic_fetch_add(&crew.next, 1, __ATOMIC_RELAXED), i;

	pthread_barrier_wait(&crew.start);
	for (i = 0; i < EACH; i++) {
		unsigned int data[2] = { me, i };

		EXPECT_EQ(0, TRY(mq_send(crew.queue, (char *)data, sizeof(data), i % 5)));
	}
	return unused;
}

static void *receive_all(void *unused)
{
	unsigned int data[SIZE / 4], priority, i;

	pthread_barrier_wait(&crew.start);
	for (i = 0; i < EACH; i++) {
		ASSERT_EQ(8, TRY(mq_receive(crew.queue, (char *)data, SIZE, &priority)));
		ASSERT_LT(data[0], THREADS);
		ASSERT_LT(data[1], EACH);
		EXPECT_EQ(data[1] % 5, priority);
		__atomic_add_fetch(&crew.got[data[0]][data[1]], 1, __ATOMIC_RELAXED);
	}
	return unused;
}

TEST(many_send_and_receive)
{
	pthread_t threads[2 * THREADS];
	unsigned int i, j;

	crew.queue = queue_new(O_RDWR);
	ASSERT_EQ(0, pthread_barrier_init(&crew.start, NULL, 2 * THREADS));
	for (i = 0; i < 2 * THREADS; i++)
		ASSERT_EQ(0,
			  pthread_create(&threads[i], NULL, i & 1 ? send_all : receive_all, NULL));
	for (i = 0; i < 2 * THREADS; i++)
		ASSERT_EQ(0, pthread_join(threads[i], NULL));
	for (i = 0; i < THREADS; i++)
		for (j = 0; j < EACH; j++)
			EXPECT_EQ(1, crew.got[i][j]);
	EXPECT_EQ(0, queue_count(crew.queue));
	queue_end(crew.queue);
}

/* Each with queues of its own, of different limits under the same numbers. */
static void *open_and_close(void *argument)
{
	const long size = 8 + 8 * (long)argument;
	struct mq_attr attr = { .mq_maxmsg = 2, .mq_msgsize = size };
	char name[64], data[256];
	int i;

	snprintf(name, sizeof(name), "%s-%ld", queue_name(), size);
	pthread_barrier_wait(&crew.start);
	for (i = 0; i < EACH / 2; i++) {
		mqd_t queue = mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, &attr);

		ASSERT_LE(0, queue);
		EXPECT_EQ(0, TRY(mq_unlink(name)));
		EXPECT_EQ(0, TRY(mq_send(queue, name, 8, 0)));
		EXPECT_EQ(-EMSGSIZE, TRY(mq_receive(queue, data, size - 1, NULL)));
		EXPECT_EQ(8, TRY(mq_receive(queue, data, size, NULL)));
		EXPECT_EQ(0, TRY(mq_close(queue)));
	}
	return NULL;
}

TEST(many_open_and_close)
{
	pthread_t threads[THREADS];
	long i;

	/* Once, before the threads. */
	queue_name();
	ASSERT_EQ(0, pthread_barrier_init(&crew.start, NULL, THREADS));
	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, open_and_close, (void *)i));
	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_join(threads[i], NULL));
}

/* One tells, all others make queues and children: nobody is left with a lock. */
static unsigned int told;
static bool done;

static void count(union sigval value)
{
	(void)value;
	__atomic_add_fetch(&told, 1, __ATOMIC_RELEASE);
}

static void *notify_and_send(void *unused)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD, .sigev_notify_function = count };
	unsigned int i;
	char data[SIZE];

	for (i = 0; i < 50; i++) {
		ASSERT_EQ(0, TRY(mq_notify(crew.queue, &event)));
		ASSERT_EQ(0, TRY(mq_send(crew.queue, "text", 4, 0)));
		flag_await(&told, i + 1);
		ASSERT_EQ(4, TRY(mq_receive(crew.queue, data, SIZE, NULL)));
	}
	__atomic_store_n(&done, true, __ATOMIC_RELEASE);
	return unused;
}

TEST(notified_while_others_fork)
{
	pthread_t thread;
	int forks = 0;

	crew.queue = queue_new(O_RDWR);
	ASSERT_EQ(0, pthread_create(&thread, NULL, notify_and_send, NULL));
	while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE) && forks++ < 100) {
		pid_t child = child_fork();

		if (!child) {
			EXPECT_EQ(0, TRY(mq_notify(crew.queue, NULL)));
			_exit(0);
		}
		child_done(child);
	}
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(50, told);
	queue_end(crew.queue);
}

TEST_HARNESS_MAIN
