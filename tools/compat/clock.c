// SPDX-License-Identifier: LGPL-2.1-or-later
#include "clock.h"

#define SECOND 1000000000LL

/* Longer than any machine runs, and far from where sums of such numbers end. */
#define SECONDS_MAX 4000000000LL

static int64_t now(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return time.tv_sec * SECOND + time.tv_nsec;
}

time_t compat_wall_clock(uint64_t moment)
{
	if (!moment)
		return 0;
	return (now(CLOCK_REALTIME) - now(CLOCK_MONOTONIC) + (int64_t)moment) / SECOND;
}

__u64 compat_deadline(__s64 seconds, __s64 nanoseconds)
{
	const int64_t wall = now(CLOCK_REALTIME);
	int64_t left = seconds - wall / SECOND, then;

	if (left > SECONDS_MAX)
		left = SECONDS_MAX;
	if (left < -SECONDS_MAX)
		left = -SECONDS_MAX;
	then = now(CLOCK_MONOTONIC) + left * SECOND + nanoseconds - wall % SECOND;
	return then > 0 ? then : 1;
}
