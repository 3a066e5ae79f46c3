/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For tests of CALL, REPLY and REPLY_RECEIVE.
 */
#ifndef SELFTESTS_COMMON_CALL_H
#define SELFTESTS_COMMON_CALL_H

#include "common.h"

/* A call that waits as long as it takes; what it returns is poisoned. */
static inline struct mailbox_call call_args(const void *data, size_t length, void *answer,
					    size_t room)
{
	struct mailbox_call args;

	poison(&args, sizeof(args));
	args.size = sizeof(args);
	args.flags = 0;
	args.data = user_pointer(data);
	args.length = length;
	args.priority = 0;
	args.type = 0;
	args.deadline = 0;
	args.answer = user_pointer(answer);
	args.room = room;
	return args;
}

static inline int box_call(int fd, struct mailbox_call *args)
{
	return call(fd, MAILBOX_IOC_CALL, args);
}

/* A receive that waits for something to answer. */
static inline struct mailbox_receive serve_args(void *data, size_t room)
{
	struct mailbox_receive args = receive_args(data, room);

	args.flags = MAILBOX_ANSWER;
	return args;
}

/* A call is there, or comes: its token. */
static inline __u64 box_serve(int fd)
{
	char data[64];
	struct mailbox_receive args = serve_args(data, sizeof(data));

	args.flags |= MAILBOX_TRUNCATE;
	ASSERT_EQ(0, box_receive(fd, &args));
	EXPECT_TRUE(args.result & MAILBOX_IS_CALL);
	EXPECT_NE(0, args.lease);
	return args.lease;
}

static inline struct mailbox_reply reply_args(__u64 token, const void *data, size_t length)
{
	return (struct mailbox_reply){
		.size = sizeof(struct mailbox_reply),
		.token = token,
		.data = user_pointer(data),
		.length = length,
		.error = (__s32)POISON32,
	};
}

static inline int box_reply_data(int fd, __u64 token, const void *data, size_t length)
{
	struct mailbox_reply args = reply_args(token, data, length);
	int ret = call(fd, MAILBOX_IOC_REPLY, &args);

	EXPECT_EQ(0, args.error);
	return ret;
}

static inline int box_reply(int fd, __u64 token, const char *text)
{
	return box_reply_data(fd, token, text, strlen(text));
}

/* What a child that calls tells of it, in shared memory. */
struct caller {
	struct mailbox_call args;
	int ret;
	unsigned int done;
	unsigned int signals;
	/* What the child is not to have, or 0. */
	int without;
	char answer[64];
};

static inline struct caller *caller_new(void)
{
	struct caller *caller = mmap(NULL, sizeof(*caller), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ASSERT_TRUE(caller != MAP_FAILED);
	return caller;
}

/* What it does is in caller->args, which it fills in; it sleeps, or has done, at the return. */
static inline pid_t caller_run(struct caller *caller, int fd)
{
	pid_t child;

	caller->done = 0;
	child = child_fork();
	if (!child) {
		if (caller->without)
			close(caller->without);
		caller->ret = box_call(fd, &caller->args);
		flag_raise(&caller->done);
		_exit(KSFT_PASS);
	}
	return child;
}

/* A child calls, with that text, and room for 63 bytes. */
static inline pid_t caller_start(struct caller *caller, int fd, const char *text)
{
	memset(caller->answer, 0, sizeof(caller->answer));
	caller->args = call_args(text, strlen(text), caller->answer, sizeof(caller->answer) - 1);
	return caller_run(caller, fd);
}

static inline void caller_ends(struct caller *caller, pid_t child, int ret)
{
	child_done(child);
	EXPECT_EQ(1, caller->done);
	EXPECT_EQ(ret, caller->ret);
}

/* Until so many messages are there. */
static inline void wait_queued(int fd, __u64 messages)
{
	__u64 end = now_ns() + PATIENCE;

	while (box_stat(fd).messages != messages) {
		ASSERT_LT(now_ns(), end);
		sched_yield();
	}
}

/* A child has called, sleeps, and its request is in the mailbox. */
static inline pid_t caller_queued(struct caller *caller, int fd, const char *text)
{
	__u64 before = box_stat(fd).messages;
	pid_t child = caller_start(caller, fd, text);

	wait_queued(fd, before + 1);
	wait_sleeping(child, child);
	return child;
}

/* The call has been answered so, by this process. */
static inline void expect_answer(const struct caller *caller, const char *text, __u64 type,
				 pid_t pid)
{
	const struct mailbox_call *args = &caller->args;

	EXPECT_EQ(0, caller->ret);
	EXPECT_STREQ(text, caller->answer);
	EXPECT_EQ(strlen(text), args->answer_length);
	EXPECT_EQ(type, args->answer_type);
	EXPECT_EQ(pid, args->pid);
	EXPECT_EQ(pid, args->tid);
	EXPECT_EQ(geteuid(), args->uid);
	EXPECT_EQ(getegid(), args->gid);
	EXPECT_EQ(0, args->result);
	EXPECT_EQ(0, args->reserved);
}

/* As if nothing had been sent, but for the number. */
static inline void expect_call_taken_back(int fd)
{
	struct mailbox_stat stat = box_stat(fd);

	EXPECT_EQ(0, stat.messages);
	EXPECT_EQ(0, stat.bytes);
	EXPECT_EQ(0, stat.leased);
	EXPECT_EQ(0, stat.sent);
	EXPECT_EQ(0, stat.received);
	EXPECT_EQ(0, stat.dropped);
}

#endif /* SELFTESTS_COMMON_CALL_H */
