// SPDX-License-Identifier: GPL-2.0
/*
 * SIGKILL in every call that may wait, seen to be asleep in it: nothing stays behind.
 */
#include "mq.h"

#include <limits.h>
#include <sys/wait.h>

FIXTURE(kill)
{
	mqd_t queue;
	unsigned int *flag;
};

FIXTURE_SETUP(kill)
{
	self->queue = queue_new(O_RDWR);
	self->flag = flag_new();
}

FIXTURE_TEARDOWN(kill)
{
	/* All of it works as before: what was to be sent was not, and all places are free. */
	drain(self->queue);
	fill(self->queue);
	EXPECT_EQ(MESSAGES, queue_count(self->queue));
	expect_message(self->queue, "fill", 0);
	queue_end(self->queue);
	EXPECT_EQ(-ENOENT, TRY(mq_open(queue_name(), O_RDWR)));
}

FIXTURE_VARIANT(kill)
{
	bool full;
	void (*wait)(mqd_t queue, const struct timespec *until);
};

static void in_receive(mqd_t queue, const struct timespec *until)
{
	char data[SIZE];

	(void)until;
	mq_receive(queue, data, SIZE, NULL);
}

static void in_timedreceive(mqd_t queue, const struct timespec *until)
{
	char data[SIZE];

	mq_timedreceive(queue, data, SIZE, NULL, until);
}

static void in_send(mqd_t queue, const struct timespec *until)
{
	(void)until;
	mq_send(queue, "late", 4, 0);
}

static void in_timedsend(mqd_t queue, const struct timespec *until)
{
	mq_timedsend(queue, "late", 4, 0, until);
}

static void in_poll(mqd_t queue, const struct timespec *until)
{
	struct pollfd poller = { .fd = queue, .events = POLLIN };

	(void)until;
	poll(&poller, 1, -1);
}

/* Told of messages, if nobody else is, and waiting for one. */
static void in_pause(mqd_t queue, const struct timespec *until)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGURG };

	(void)until;
	mq_notify(queue, &event);
	pause();
}

FIXTURE_VARIANT_ADD(kill, receive)
{ false, in_receive };
FIXTURE_VARIANT_ADD(kill, timedreceive)
{ false, in_timedreceive };
FIXTURE_VARIANT_ADD(kill, send)
{ true, in_send };
FIXTURE_VARIANT_ADD(kill, timedsend)
{ true, in_timedsend };
FIXTURE_VARIANT_ADD(kill, poll)
{ false, in_poll };
FIXTURE_VARIANT_ADD(kill, notify)
{ false, in_pause };

TEST_F(kill, in_its_sleep)
{
	const struct timespec later = in_ms(3600 * 1000);
	struct sigevent event = { .sigev_notify = SIGEV_NONE };
	pid_t child;

	if (variant->full)
		fill(self->queue);
	child = asleep(child_fork(), self->flag);
	if (!child) {
		variant->wait(self->queue, &later);
		_exit(1);
	}
	child_kill(child);
	EXPECT_EQ(variant->full ? MESSAGES : 0, queue_count(self->queue));
	/* Nobody is registered. */
	EXPECT_EQ(0, TRY(mq_notify(self->queue, &event)));
}

/* A crowd that is killed at any moment: what was sent is there, what was not is not. */
TEST_F(kill, in_a_crowd)
{
	pid_t children[12];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(children); i++) {
		children[i] = child_fork();
		if (children[i])
			continue;
		flag_raise(self->flag);
		for (;;)
			variant->wait(self->queue, &(struct timespec){ .tv_sec = LONG_MAX });
	}
	flag_await(self->flag, ARRAY_SIZE(children));
	for (i = 0; i < 100; i++) {
		char data[SIZE];
		struct timespec soon = in_ms(1);

		mq_timedsend(self->queue, "text", 4, 0, &soon);
		soon = in_ms(1);
		mq_timedreceive(self->queue, data, SIZE, NULL, &soon);
		if (i % 8 == 7 && i / 8 < ARRAY_SIZE(children))
			child_kill(children[i / 8]);
	}
}

TEST_HARNESS_MAIN
