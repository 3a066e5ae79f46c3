/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Part of common.h: children, users, and knowing that somebody sleeps.
 */
#ifndef SELFTESTS_COMMON_PROCESS_H
#define SELFTESTS_COMMON_PROCESS_H

/* Bound of the loops that wait for a state; reaching it fails the test. */
#define PATIENCE (30 * SECOND)

#include "common_sleep.h"

/*
 * The child must _exit(). It dies with its parent, so that a test that is aborted
 * leaves nothing behind.
 */
static inline pid_t child_fork(void)
{
	pid_t parent = getpid(), pid = fork();

	ASSERT_LE(0, pid);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		if (getppid() != parent)
			_exit(KSFT_FAIL);
	}
	return pid;
}

/*
 * A child that only waits for its end, with the number of one that has ended: root may choose
 * that. Or a negative errno.
 */
static inline pid_t child_fork_as(pid_t number)
{
	/* A struct clone_args: exit_signal is the fifth, set_tid and its length come last. */
	__u64 args[10] = { [4] = SIGCHLD, [8] = (uintptr_t)&number, [9] = 1 };
	pid_t parent = getpid(), pid = syscall(SYS_clone3, args, sizeof(args));

	if (pid < 0)
		return -errno;
	while (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		if (getppid() != parent)
			_exit(KSFT_FAIL);
		pause();
	}
	return pid;
}

static inline void child_done(pid_t pid)
{
	int status = -1;

	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

static inline void child_kill(pid_t pid)
{
	int status = -1;

	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* An ordinary user without capabilities from here on. */
static inline void become(uid_t uid, gid_t gid)
{
	ASSERT_EQ(0, setgroups(0, NULL));
	ASSERT_EQ(0, setresgid(gid, gid, gid));
	ASSERT_EQ(0, setresuid(uid, uid, uid));
	/* Both are forgotten when the user changes; /proc/self needs the second. */
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static inline bool is_root(void)
{
	return geteuid() == 0;
}

/* Until so many receivers and senders wait at the mailbox; -1 for "does not matter". */
static inline void wait_waiters(int fd, int receivers, int senders)
{
	__u64 end = now_ns() + PATIENCE;
	struct mailbox_stat stat;

	do {
		ASSERT_LT(now_ns(), end);
		sched_yield();
		stat = box_stat(fd);
	} while ((receivers >= 0 && stat.receivers != (__u32)receivers) ||
		 (senders >= 0 && stat.senders != (__u32)senders));
}

/* A barrier in shared memory between processes: one side raises, the other awaits. */
static inline unsigned int *flag_new(void)
{
	unsigned int *flag = mmap(NULL, sizeof(*flag), PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ASSERT_TRUE(flag != MAP_FAILED);
	return flag;
}

static inline void flag_raise(unsigned int *flag)
{
	__atomic_add_fetch(flag, 1, __ATOMIC_RELEASE);
}

static inline void flag_await(unsigned int *flag, unsigned int value)
{
	__u64 end = now_ns() + PATIENCE;

	while (__atomic_load_n(flag, __ATOMIC_ACQUIRE) < value) {
		ASSERT_LT(now_ns(), end);
		sched_yield();
	}
}

#endif /* SELFTESTS_COMMON_PROCESS_H */
