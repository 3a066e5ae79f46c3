/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of direct communication share.
 */
#ifndef SELFTESTS_COMMON_DIRECT_H
#define SELFTESTS_COMMON_DIRECT_H

#include "common.h"

#include <linux/sched.h>
#include <pthread.h>
#include <sys/syscall.h>

static inline int direct_call(int device, unsigned long command, pid_t pid, void *message)
{
	struct mailbox_direct args = {
		.size = sizeof(args),
		.pid = pid,
		.message = user_pointer(message),
	};

	return call(device, command, &args);
}

static inline int direct_send(int device, pid_t pid, const char *text)
{
	struct mailbox_send args = send_args(text, strlen(text));

	return direct_call(device, MAILBOX_IOC_SEND_TO, pid, &args);
}

/* Waits for room. */
static inline int direct_send_wait(int device, pid_t pid, const char *text)
{
	struct mailbox_send args = send_args(text, strlen(text));

	args.flags = 0;
	return direct_call(device, MAILBOX_IOC_SEND_TO, pid, &args);
}

/* With these flags: the length, or a negative errno; who sent it, if that is asked for. */
static inline int direct_receive(int device, pid_t pid, __u32 flags, char *text, size_t size,
				 pid_t *sender)
{
	struct mailbox_receive args = receive_args(text, size - 1);
	int ret;

	args.flags = flags;
	ret = direct_call(device, MAILBOX_IOC_RECEIVE_FROM, pid, &args);
	text[ret < 0 ? 0 : args.length] = '\0';
	if (sender)
		*sender = ret < 0 ? -1 : args.pid;
	return ret < 0 ? ret : (int)args.length;
}

/* Nonblocking, and the text is to be this. */
#define EXPECT_DIRECT(device, from, text_) \
	do { \
		char got_[64]; \
\
		EXPECT_EQ((int)strlen(text_), direct_receive((device), (from), MAILBOX_NONBLOCK, \
							     got_, sizeof(got_), NULL)); \
		EXPECT_STREQ((text_), got_); \
	} while (0)

static inline int direct_nothing(int device, pid_t from)
{
	char text[64];

	return direct_receive(device, from, MAILBOX_NONBLOCK, text, sizeof(text), NULL);
}

static inline int direct_links(int device, struct mailbox_link *entries, __u32 nr, __u64 *after)
{
	struct mailbox_links args = {
		.size = sizeof(args),
		.entries = user_pointer(entries),
		.entry_size = sizeof(*entries),
		.nr = nr,
		.after = *after,
	};
	int ret = call(device, MAILBOX_IOC_LINKS, &args);

	if (ret < 0)
		return ret;
	*after = args.after;
	return args.nr;
}

/* How many links of a process are listed, and the last of them. */
static inline int direct_count(int device, pid_t pid, struct mailbox_link *link)
{
	struct mailbox_link entries[16];
	__u64 after = 0;
	int nr, i, found = 0;

	if (link)
		memset(link, 0, sizeof(*link));
	while ((nr = direct_links(device, entries, ARRAY_SIZE(entries), &after)) > 0)
		for (i = 0; i < nr; i++)
			if (entries[i].pid == pid || entries[i].peer == pid) {
				found++;
				if (link)
					*link = entries[i];
			}
	EXPECT_EQ(0, nr);
	return found;
}

static inline int direct_allow(int device, __u32 who)
{
	struct mailbox_allow args = { .size = sizeof(args), .who = who };

	return call(device, MAILBOX_IOC_ALLOW, &args);
}

/* A process that ends when its parent says so, or by a signal. */
static inline pid_t sleeper_fork(void)
{
	pid_t pid = child_fork();

	if (!pid)
		for (;;)
			pause();
	return pid;
}

/* A process with this number in the innermost pid namespace. */
static inline pid_t fork_as(pid_t pid)
{
	struct clone_args args = {
		.exit_signal = SIGCHLD,
		.set_tid = user_pointer(&pid),
		.set_tid_size = 1,
	};
	pid_t got = syscall(SYS_clone3, &args, sizeof(args));

	ASSERT_TRUE(!got || got == pid);
	return got;
}

/* Until it is a zombie; it is not yet waited for. */
static inline void kill_unreaped(pid_t pid)
{
	siginfo_t info;

	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(0, waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
}

/* Inboxes, links and messages go a moment after their process. */
static inline void wait_quota(int device, const struct mailbox_info *before)
{
	__u64 end = now_ns() + PATIENCE;
	struct mailbox_info now = device_info(device);

	while (now.mailboxes != before->mailboxes || now.messages != before->messages ||
	       now.bytes != before->bytes) {
		ASSERT_LT(now_ns(), end)
		TH_LOG("%llu mailboxes, %llu messages, %llu bytes were %llu, %llu, %llu",
		       now.mailboxes, now.messages, now.bytes, before->mailboxes, before->messages,
		       before->bytes);
		sched_yield();
		now = device_info(device);
	}
}

/* Until the user has so many, inboxes included: that of a process goes after the process. */
static inline void wait_mailboxes(int device, __u64 mailboxes)
{
	__u64 end = now_ns() + PATIENCE;

	while (device_info(device).mailboxes != mailboxes) {
		ASSERT_LT(now_ns(), end);
		sched_yield();
	}
}

/* What the user is charged for once all that earlier tests have left is gone: nothing. */
static inline struct mailbox_info settled_info(int device)
{
	struct mailbox_info before = device_info(device);

	before.mailboxes = 0;
	before.messages = 0;
	before.bytes = 0;
	wait_quota(device, &before);
	return before;
}

#endif /* SELFTESTS_COMMON_DIRECT_H */
