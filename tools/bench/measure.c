// SPDX-License-Identifier: GPL-2.0
/*
 * Carries the measurements out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"

const struct measure *const measures[] = {
	&measure_pair,	 &measure_burst,       &measure_batch,	     &measure_trip,
	&measure_stream, &measure_four_to_one, &measure_one_to_four, &measure_priority,
	&measure_type,	 &measure_lowest,      &measure_idle,	     &measure_make,
	&measure_empty,	 &measure_queued,      &measure_paged,	     &measure_charged,
};

const size_t nr_measures = sizeof(measures) / sizeof(measures[0]);

const struct measure *measure_find(const char *name)
{
	size_t i;

	for (i = 0; i < nr_measures; i++) {
		if (!strcmp(measures[i]->name, name))
			return measures[i];
	}
	return NULL;
}

unsigned int repeats_of(size_t size)
{
	return size <= 4096 ? 256 : size <= 65536 ? 32 : 4;
}

unsigned int depth_of(size_t size)
{
	return size <= 4096 ? 256 : size <= 65536 ? 32 : 4;
}

uint32_t random_below(uint32_t end)
{
	static uint64_t state = UINT64_C(0x9e3779b97f4a7c15);

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 32) % end;
}

/* With the one that does not count. */
static unsigned int rounds_of(const struct plan *plan, const struct measure *measure)
{
	if (measure->flags & MEASURE_BYTES)
		return 1;
	if (measure->flags & MEASURE_LONG)
		return (plan->rounds + 2) / 3 + 1;
	return plan->rounds + 1;
}

static void measure_one(const struct plan *plan, const struct measure *measure, unsigned long x,
			struct run *run)
{
	unsigned int rounds = rounds_of(plan, measure);
	unsigned int round;
	void **states = calloc(nr_peers, sizeof(*states));
	struct cell *cell;
	double sample;
	size_t first = run->nr, i;

	if (!states)
		fail(measure->name, "allocate memory");
	for (i = 0; i < nr_peers; i++) {
		if (peers[i]->call && measure != &measure_trip)
			continue;
		states[i] = measure->setup(peers[i], x);
		if (states[i])
			run_add(run, measure->name, peers[i]->name, x);
	}
	for (round = 0; round < rounds; round++) {
		cell = &run->cells[first];
		for (i = 0; i < nr_peers; i++) {
			if (!states[i])
				continue;
			sample = measure->round(states[i]);
			/* The first round is for caches and page tables. */
			if (round || rounds == 1)
				cell->samples[cell->nr++] = sample;
			cell++;
		}
	}
	for (i = 0; i < nr_peers; i++) {
		if (states[i])
			measure->teardown(states[i]);
	}
	free(states);
}

static bool is_quick(unsigned long x)
{
	return x == 8 || x == 64 || x == 4096;
}

void measure_all(const struct plan *plan, struct run *run)
{
	const struct measure *measure;
	unsigned int j;
	size_t i;

	for (i = 0; i < nr_measures; i++) {
		measure = measures[i];
		if (plan->only && strcmp(plan->only, measure->name))
			continue;
		if (plan->quick && !plan->only && !(measure->flags & MEASURE_QUICK))
			continue;
		/* Bytes are the same by whatever clock. */
		if (run->noisy && measure->flags & MEASURE_BYTES)
			continue;
		fprintf(stderr, "  %s:", measure->title);
		for (j = 0; j < measure->nr_xs; j++) {
			if (plan->quick && !is_quick(measure->xs[j]))
				continue;
			fprintf(stderr, " %lu", measure->xs[j]);
			fflush(stderr);
			measure_one(plan, measure, measure->xs[j], run);
		}
		fputc('\n', stderr);
	}
}
