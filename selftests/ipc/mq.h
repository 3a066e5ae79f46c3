/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of POSIX queues share. They are written from the manual pages, and run twice:
 * over the queues of the kernel, and over mailboxes.
 */
#ifndef SELFTESTS_IPC_MQ_H
#define SELFTESTS_IPC_MQ_H

#include "ipc.h"

#include <mqueue.h>
#include <poll.h>
#include <time.h>

/* Of a queue that a test makes where it does not matter. */
#define MESSAGES 4
#define SIZE	 16

/* A name that no other test has. */
static inline const char *queue_name(void)
{
	static char name[32];
	static pid_t owner;

	if (!owner) {
		owner = getpid();
		snprintf(name, sizeof(name), "/test-%d", owner);
	}
	return name;
}

static inline mqd_t queue_new_sized(int oflag, long messages, long size)
{
	struct mq_attr attr = { .mq_maxmsg = messages, .mq_msgsize = size };
	mqd_t queue = mq_open(queue_name(), O_CREAT | O_EXCL | oflag, 0600, &attr);

	ASSERT_LE(0, queue) TH_LOG("%s", strerror(errno));
	return queue;
}

static inline mqd_t queue_new(int oflag)
{
	return queue_new_sized(oflag, MESSAGES, SIZE);
}

/* The same again. */
static inline mqd_t queue_open(int oflag)
{
	mqd_t queue = mq_open(queue_name(), oflag);

	ASSERT_LE(0, queue) TH_LOG("%s", strerror(errno));
	return queue;
}

static inline void queue_end(mqd_t queue)
{
	EXPECT_EQ(0, TRY(mq_unlink(queue_name())));
	EXPECT_EQ(0, TRY(mq_close(queue)));
}

static inline long queue_count(mqd_t queue)
{
	struct mq_attr attr;

	ASSERT_EQ(0, TRY(mq_getattr(queue, &attr)));
	return attr.mq_curmsgs;
}

static inline bool is_root(void)
{
	return geteuid() == 0;
}

static inline int send_text(mqd_t queue, const char *text, unsigned int priority)
{
	return TRY(mq_send(queue, text, strlen(text), priority));
}

static inline void fill(mqd_t queue)
{
	int i;

	for (i = 0; i < MESSAGES; i++)
		ASSERT_EQ(0, send_text(queue, "fill", 0));
}

static inline void drain(mqd_t queue)
{
	char data[SIZE];

	while (queue_count(queue))
		ASSERT_LE(0, TRY(mq_receive(queue, data, sizeof(data), NULL)));
}

/* The next message is this one. */
#define expect_message(queue, text, priority) \
	do { \
		unsigned int priority_ = 77; \
		char data_[SIZE + 1] = ""; \
\
		EXPECT_EQ(strlen(text), TRY(mq_receive(queue, data_, SIZE, &priority_))); \
		EXPECT_STREQ(text, data_); \
		EXPECT_EQ((unsigned int)(priority), priority_); \
	} while (0)

/* So many milliseconds from now on, or before. */
static inline struct timespec in_ms(long ms)
{
	struct timespec time;

	clock_gettime(CLOCK_REALTIME, &time);
	time.tv_sec += ms / 1000;
	time.tv_nsec += ms % 1000 * 1000000;
	if (time.tv_nsec >= (long)SECOND) {
		time.tv_nsec -= SECOND;
		time.tv_sec++;
	} else if (time.tv_nsec < 0) {
		time.tv_nsec += SECOND;
		time.tv_sec--;
	}
	return time;
}

/* A child that says that it is about to make a call, and then waits in it. */
static inline pid_t asleep(pid_t child, unsigned int *flag)
{
	if (child) {
		flag_await(flag, 1);
		wait_sleeping(child, child);
	} else {
		flag_raise(flag);
	}
	return child;
}

#endif /* SELFTESTS_IPC_MQ_H */
