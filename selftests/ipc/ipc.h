/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the programs share that are written from the manual pages of SysV IPC and POSIX queues.
 * They are ordinary programs: nothing in here knows of mailboxes.
 */
#ifndef SELFTESTS_IPC_IPC_H
#define SELFTESTS_IPC_IPC_H

#include "../kselftest_harness.h"

#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define SECOND	      1000000000ULL
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
/* Bound of the loops that wait for a state; reaching it fails the test. */
#define PATIENCE (30 * SECOND)
/* Two users that are nobody else. */
#define USER  1001
#define OTHER 1002

/* The negative errno of a call that fails, so that a check shows which. */
#define TRY(call) \
	({ \
		__typeof__(call) try_ret_ = (call); \
\
		try_ret_ < 0 ? (__typeof__(call))-errno : try_ret_; \
	})

static inline uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * SECOND + now.tv_nsec;
}

/* So often, or MAILBOX_EFFORT percent of it: kernels that look for faults are slow. */
static inline unsigned int effort(unsigned int times)
{
	const char *percent = getenv("MAILBOX_EFFORT");
	unsigned int some = percent && *percent ? times * strtoul(percent, NULL, 0) / 100 : times;

	return some ? some : 1;
}

#include "../common_sleep.h"

/* The child must _exit(). It dies with its parent, so that nothing is left of a failed test. */
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

/* An ordinary user without capabilities from here on, in a child. */
static inline void become(uid_t uid)
{
	ASSERT_EQ(0, setgroups(0, NULL));
	ASSERT_EQ(0, setresgid(uid, uid, uid));
	ASSERT_EQ(0, setresuid(uid, uid, uid));
	/* Both are forgotten when the user changes; /proc/self needs the second. */
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

/* A counter in memory that children share: one side raises, the other awaits. */
static inline unsigned int *flag_new(void)
{
	unsigned int *flag =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ASSERT_TRUE(flag != MAP_FAILED);
	return flag;
}

static inline void flag_raise(unsigned int *flag)
{
	__atomic_add_fetch(flag, 1, __ATOMIC_RELEASE);
}

static inline unsigned int flag_read(unsigned int *flag)
{
	return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
}

static inline void flag_await(unsigned int *flag, unsigned int value)
{
	uint64_t end = now_ns() + PATIENCE;

	while (flag_read(flag) < value) {
		ASSERT_LT(now_ns(), end);
		sched_yield();
	}
}

#endif /* SELFTESTS_IPC_IPC_H */
