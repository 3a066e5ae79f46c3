/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Deadlines: POSIX gives them by the clock on the wall, the module takes those of CLOCK_MONOTONIC.
 * They are translated when the call begins: who sets the clock during the wait does not move them.
 */
#ifndef COMPAT_DEADLINE_H
#define COMPAT_DEADLINE_H

#include <linux/types.h>
#include <stdbool.h>
#include <time.h>

/* Is this a time since 1970. */
static inline bool deadline_valid(__s64 seconds, __s64 nanoseconds)
{
	return seconds >= 0 && nanoseconds >= 0 && nanoseconds < 1000000000;
}

/* A valid time of CLOCK_REALTIME as the module takes it; at least 1. */
__u64 deadline_monotonic(__s64 seconds, __s64 nanoseconds);

#if __TIMESIZE == 32
/* What programs have that are ready for the year 2038; the library itself need not be. */
struct timespec64 {
	__s64 seconds;
#if __BYTE_ORDER == __BIG_ENDIAN
	__s32 unused;
	__s32 nanoseconds;
#else
	__s32 nanoseconds;
	__s32 unused;
#endif
};
#endif

#endif /* COMPAT_DEADLINE_H */
