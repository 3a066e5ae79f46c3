// SPDX-License-Identifier: LGPL-2.1-or-later
#include "clock.h"

#define SECOND 1000000000LL

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
