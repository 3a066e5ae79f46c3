/* SPDX-License-Identifier: GPL-2.0 */
/*
 * To wait until another thread sleeps, or has done something. For what includes the harness and has now_ns() and PATIENCE.
 */
#ifndef SELFTESTS_COMMON_SLEEP_H
#define SELFTESTS_COMMON_SLEEP_H

#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

static inline char thread_state(pid_t pid, pid_t tid)
{
	char path[64], text[512];
	char *end = NULL;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, tid);
	file = fopen(path, "r");
	if (!file)
		return 0;
	if (fgets(text, sizeof(text), file))
		end = strrchr(text, ')');
	fclose(file);
	return end && end[1] ? end[2] : 0;
}

/* Until the thread sleeps in the kernel; tid is pid for a process of one thread. */
static inline void wait_sleeping(pid_t pid, pid_t tid)
{
	uint64_t end = now_ns() + PATIENCE;

	while (thread_state(pid, tid) != 'S') {
		ASSERT_LT(now_ns(), end);
		sched_yield();
	}
}

/* Until it is so, which another process sees to. */
#define ASSERT_SOON(condition) \
	do { \
		const uint64_t end_ = now_ns() + PATIENCE; \
\
		while (!(condition)) { \
			ASSERT_LT(now_ns(), end_); \
			sched_yield(); \
		} \
	} while (0)

#endif /* SELFTESTS_COMMON_SLEEP_H */
