/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of broadcasts share.
 */
#ifndef SELFTESTS_COMMON_BROADCAST_H
#define SELFTESTS_COMMON_BROADCAST_H

#include "common.h"

#include <stddef.h>

static inline struct mailbox_create broadcast_args(__u64 max_messages)
{
	struct mailbox_create args = create_args();

	args.policy = MAILBOX_POLICY_BROADCAST;
	args.on_full = MAILBOX_ON_FULL_OVERWRITE;
	args.max_messages = max_messages;
	args.rights = MAILBOX_RIGHT_SEND | MAILBOX_RIGHT_MANAGE;
	return args;
}

/* A handle that sends; id says which mailbox it is. */
static inline int broadcast_new(int device, __u64 max_messages, __u64 *id)
{
	struct mailbox_create args = broadcast_args(max_messages);
	int fd = box_create(device, &args);

	ASSERT_LE(0, fd);
	*id = args.id;
	return fd;
}

static inline int subscribe_with(int device, __u64 id, __u32 flags)
{
	struct mailbox_open args = {
		.size = sizeof(args),
		.flags = flags,
		.rights = MAILBOX_RIGHT_RECEIVE,
		.fd = (__s32)POISON32,
		.id = id,
	};
	int ret = call(device, MAILBOX_IOC_OPEN, &args);

	return ret < 0 ? ret : args.fd;
}

static inline int subscribe(int device, __u64 id)
{
	int fd = subscribe_with(device, id, 0);

	ASSERT_LE(0, fd);
	return fd;
}

/* Messages whose type is their number, so that one sees which it is. */
static inline void broadcast_send(int fd, __u64 first, __u64 nr)
{
	for (; nr; nr--, first++)
		ASSERT_EQ(0, box_send_text(fd, "x", first, 0));
}

/* The type of the next message, or a negative errno. */
static inline long long broadcast_next(int fd, __u64 *missed)
{
	char data[128];
	struct mailbox_receive args = receive_args(data, sizeof(data));
	int ret = box_receive(fd, &args);

	if (missed)
		*missed = args.missed;
	return ret < 0 ? ret : (long long)args.type;
}

#define EXPECT_NEXT(fd, type_, missed_) \
	do { \
		__u64 told_; \
\
		EXPECT_EQ((long long)(type_), broadcast_next((fd), &told_)); \
		EXPECT_EQ((__u64)(missed_), told_); \
	} while (0)

#define EXPECT_NOTHING(fd) EXPECT_EQ(-EAGAIN, broadcast_next((fd), NULL))

#endif /* SELFTESTS_COMMON_BROADCAST_H */
