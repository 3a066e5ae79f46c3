/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The measurements. One prepares each peer for each x, then the peers take turns, round
 * after round: whatever drifts meanwhile drifts for all of them.
 */
#ifndef MEASURE_H
#define MEASURE_H

#include <stdint.h>
#include <time.h>

#include "bench.h"
#include "result.h"

enum measure_flag {
	/* Part of a quick run. */
	MEASURE_QUICK = 1 << 0,
	/* Its rounds are so long that a third of them is enough. */
	MEASURE_LONG = 1 << 2,
	/* Counts bytes, once. */
	MEASURE_BYTES = 1 << 1,
};

#define XS_MAX 8

/**
 * struct measure - one measurement
 * @name: in JSON
 * @title: in tables
 * @axis: what x is
 * @flags: of enum measure_flag
 * @nr_xs: length of @xs
 * @xs: sizes, backlogs, numbers of mailboxes
 * @setup: NULL when the peer cannot; what it returns is for the others
 * @round: cost of one operation
 * @teardown: undoes setup
 */
struct measure {
	const char *name;
	const char *title;
	const char *axis;
	unsigned int flags;
	unsigned int nr_xs;
	unsigned long xs[XS_MAX];
	void *(*setup)(const struct peer *peer, unsigned long x);
	double (*round)(void *state);
	void (*teardown)(void *state);
};

#define SIZES .axis = "bytes", .nr_xs = 6, .xs = { 8, 64, 1024, 4096, 65536, 1048576 }

extern const struct measure measure_pair, measure_burst, measure_batch, measure_trip,
	measure_stream, measure_four_to_one, measure_one_to_four, measure_priority, measure_type,
	measure_lowest, measure_idle, measure_make, measure_empty, measure_queued, measure_paged,
	measure_charged;

extern const struct measure *const measures[];
extern const size_t nr_measures;

/**
 * struct plan - what is to be measured
 * @quick: only what a change of the hot path shows in
 * @rounds: that count; one more goes before them
 * @only: name of one measurement, or NULL
 */
struct plan {
	bool quick;
	unsigned int rounds;
	const char *only;
};

/* --- measure.c */
void measure_all(const struct plan *plan, struct run *run);
const struct measure *measure_find(const char *name);
/* How often to do what moves a message of this size, for the work to stay the same. */
unsigned int repeats_of(size_t size);
/* Messages of this size that a channel holds when sender and receiver take turns. */
unsigned int depth_of(size_t size);
/* The same numbers in each run. */
uint32_t random_below(uint32_t end);

static inline uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * UINT64_C(1000000000) + time.tv_nsec;
}

#endif
