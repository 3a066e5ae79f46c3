// SPDX-License-Identifier: LGPL-2.1-or-later
#include <time.h>

#include "deadline.h"

#define SECOND 1000000000LL

/* Longer than any machine runs, and far from where sums of such numbers end. */
#define SECONDS_MAX 4000000000LL

__u64 deadline_monotonic(__s64 seconds, __s64 nanoseconds)
{
	struct timespec wall, now;
	__s64 left, then;

	clock_gettime(CLOCK_REALTIME, &wall);
	clock_gettime(CLOCK_MONOTONIC, &now);
	left = seconds - wall.tv_sec;
	if (left > SECONDS_MAX)
		left = SECONDS_MAX;
	if (left < -SECONDS_MAX)
		left = -SECONDS_MAX;
	then = (now.tv_sec + left) * SECOND + now.tv_nsec + nanoseconds - wall.tv_nsec;
	return then > 0 ? then : 1;
}
