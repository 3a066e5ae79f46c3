/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the programs about SysV messages share.
 */
#ifndef SELFTESTS_IPC_MSG_H
#define SELFTESTS_IPC_MSG_H

#include "ipc.h"

#include <sys/msg.h>

struct message {
	long type;
	char text[8192];
};

static inline int queue_new_mode(int mode)
{
	int id = msgget(IPC_PRIVATE, mode);

	ASSERT_LE(0, id) TH_LOG("msgget: %s", strerror(errno));
	return id;
}

static inline void queue_remove(int id)
{
	EXPECT_EQ(0, TRY(msgctl(id, IPC_RMID, NULL)));
}

static inline struct msqid_ds queue_stat(int id)
{
	struct msqid_ds queue;

	memset(&queue, 0xa5, sizeof(queue));
	ASSERT_EQ(0, TRY(msgctl(id, IPC_STAT, &queue)));
	return queue;
}

static inline void queue_set_bytes(int id, msglen_t bytes)
{
	struct msqid_ds queue = queue_stat(id);

	queue.msg_qbytes = bytes;
	ASSERT_EQ(0, TRY(msgctl(id, IPC_SET, &queue)));
}

/* A text, with its final NUL, as a message of that type. Returns a negative errno. */
static inline int queue_send(int id, long type, const char *text, int flags)
{
	struct message message = { .type = type };

	strcpy(message.text, text);
	return TRY(msgsnd(id, &message, strlen(text) + 1, flags));
}

/* What was received, or a negative errno in length. */
struct taken {
	long type;
	char text[256];
	ssize_t length;
};

static inline struct taken queue_take(int id, long type, int flags)
{
	struct message message = { .type = -1 };
	struct taken taken = { 0 };

	taken.length = TRY(msgrcv(id, &message, sizeof(message.text), type, flags));
	taken.type = message.type;
	memcpy(taken.text, message.text, sizeof(taken.text) - 1);
	return taken;
}

/* The next message, which has to be there, and is this one. */
#define EXPECT_TAKEN(id, wanted, flags, type_, text_) \
	do { \
		struct taken taken_ = queue_take(id, wanted, (flags) | IPC_NOWAIT); \
\
		EXPECT_EQ((ssize_t)strlen(text_) + 1, taken_.length); \
		EXPECT_EQ(type_, taken_.type); \
		EXPECT_STREQ(text_, taken_.text); \
	} while (0)

/* Until the queue holds so many. */
static inline void await_messages(int id, msgqnum_t number)
{
	uint64_t end = now_ns() + PATIENCE;

	while (queue_stat(id).msg_qnum != number) {
		ASSERT_LT(now_ns(), end);
		sched_yield();
	}
}

#endif /* SELFTESTS_IPC_MSG_H */
