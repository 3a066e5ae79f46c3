/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Times: the module has nanoseconds of CLOCK_MONOTONIC, SysV seconds of the wall clock, and POSIX
 * deadlines by that. Deadlines are translated when the call begins: who sets the clock during the
 * wait does not move them.
 */
#ifndef COMPAT_CLOCK_H
#define COMPAT_CLOCK_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* Seconds since 1970 of that moment, by the clock as it is set now; 0 of 0. */
time_t compat_wall_clock(uint64_t moment);

/* Is this a time since 1970. */
static inline bool compat_deadline_valid(__s64 seconds, __s64 nanoseconds)
{
	return seconds >= 0 && nanoseconds >= 0 && nanoseconds < 1000000000;
}

/* A valid time of CLOCK_REALTIME as the module takes it; at least 1. */
__u64 compat_deadline(__s64 seconds, __s64 nanoseconds);

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

#endif /* COMPAT_CLOCK_H */
