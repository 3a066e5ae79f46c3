// SPDX-License-Identifier: GPL-2.0
/*
 * One round of a measurement, with marks around that show where it begins and ends.
 */
#include <stdio.h>

#include "bench.h"
#include "measure.h"
#include "profile.h"

/* Rounds before: buffers are there, and the scheduler has found its rhythm. */
#define WARM_UP 3

#define TEXT(...)   #__VA_ARGS__
#define MARK(bytes) __asm__ volatile(".byte " TEXT(bytes) : : : "memory")

bool profile_run(const char *name, const char *what, unsigned long x)
{
	const struct measure *measure = measure_find(what);
	const struct peer *peer = peer_find(name);
	double cost = 0;
	void *state;
	int i;

	if (!peer || !measure)
		return false;
	state = measure->setup(peer, x);
	if (!state)
		return false;
	for (i = 0; i < WARM_UP; i++)
		cost = measure->round(state);
	MARK(PROFILE_BEGIN);
	cost = measure->round(state);
	MARK(PROFILE_END);
	measure->teardown(state);
	printf("cost %f\n", cost);
	return true;
}
