// SPDX-License-Identifier: GPL-2.0
/*
 * The calls that may wait are cancellation points, see pthreads(7).
 */
#include "mq.h"

FIXTURE(cancel)
{
	mqd_t queue;
};

FIXTURE_SETUP(cancel)
{
	self->queue = queue_new(O_RDWR);
}

FIXTURE_TEARDOWN(cancel)
{
	queue_end(self->queue);
}

struct work {
	mqd_t queue;
	int which;
	unsigned int begun;
	unsigned int go;
	pid_t tid;
	bool cleaned;
	bool returned;
};

static void clean(void *argument)
{
	struct work *work = argument;

	work->cleaned = true;
}

static void wait_in(const struct work *work)
{
	const struct timespec later = in_ms(3600 * 1000);
	char data[SIZE];

	switch (work->which) {
	case 0:
		mq_receive(work->queue, data, SIZE, NULL);
		break;
	case 1:
		mq_timedreceive(work->queue, data, SIZE, NULL, &later);
		break;
	case 2:
		mq_send(work->queue, "late", 4, 0);
		break;
	default:
		mq_timedsend(work->queue, "late", 4, 0, &later);
	}
}

static void *run(void *argument)
{
	struct work *work = argument;

	work->tid = syscall(SYS_gettid);
	pthread_cleanup_push(clean, work);
	__atomic_store_n(&work->begun, 1, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&work->go, __ATOMIC_ACQUIRE))
		;
	wait_in(work);
	work->returned = true;
	pthread_cleanup_pop(0);
	return NULL;
}

static void expect_cancelled(mqd_t queue, int which, bool waits)
{
	struct work work = { .queue = queue, .which = which, .go = waits };
	pthread_t thread;
	void *ret;

	ASSERT_EQ(0, pthread_create(&thread, NULL, run, &work));
	flag_await(&work.begun, 1);
	if (waits)
		wait_sleeping(getpid(), work.tid);
	ASSERT_EQ(0, pthread_cancel(thread));
	__atomic_store_n(&work.go, 1, __ATOMIC_RELEASE);
	ASSERT_EQ(0, pthread_join(thread, &ret));
	EXPECT_TRUE(ret == PTHREAD_CANCELED) TH_LOG("call %d", which);
	EXPECT_TRUE(work.cleaned);
	EXPECT_FALSE(work.returned);
}

TEST_F(cancel, while_it_waits)
{
	int i;

	for (i = 0; i < 4; i++) {
		if (i == 2)
			fill(self->queue);
		expect_cancelled(self->queue, i, true);
	}
	EXPECT_EQ(MESSAGES, queue_count(self->queue));
	drain(self->queue);
	EXPECT_EQ(0, send_text(self->queue, "text", 0));
	expect_message(self->queue, "text", 0);
}

/* Then it need not wait to be one. */
TEST_F(cancel, before_it_begins)
{
	int i;

	for (i = 0; i < 4; i++) {
		drain(self->queue);
		ASSERT_EQ(0, send_text(self->queue, "text", 0));
		expect_cancelled(self->queue, i, false);
		EXPECT_EQ(1, queue_count(self->queue));
	}
}

static void *disabled(void *argument)
{
	struct work *work = argument;
	int state;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	run(work);
	return NULL;
}

TEST_F(cancel, not_where_that_is_disabled)
{
	struct work work = { .queue = self->queue, .go = 1 };
	pthread_t thread;
	void *ret;

	ASSERT_EQ(0, pthread_create(&thread, NULL, disabled, &work));
	flag_await(&work.begun, 1);
	wait_sleeping(getpid(), work.tid);
	ASSERT_EQ(0, pthread_cancel(thread));
	EXPECT_EQ(0, send_text(self->queue, "text", 0));
	ASSERT_EQ(0, pthread_join(thread, &ret));
	EXPECT_TRUE(ret == NULL);
	EXPECT_TRUE(work.returned);
}

/* Deferred it was, deferred it is. */
TEST_F(cancel, type_is_as_it_was)
{
	int type = -1;
	char data[SIZE];

	EXPECT_EQ(0, send_text(self->queue, "text", 0));
	EXPECT_EQ(4, TRY(mq_receive(self->queue, data, SIZE, NULL)));
	EXPECT_EQ(-EMSGSIZE, TRY(mq_send(self->queue, data, SIZE + 1, 0)));
	EXPECT_EQ(0, pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &type));
	EXPECT_EQ(PTHREAD_CANCEL_DEFERRED, type);
}

TEST_HARNESS_MAIN
