/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What was measured. A report holds runs of the same program on the same kernel: some
 * with the seed of a machine that counts instructions, perhaps one by the clock.
 */
#ifndef RESULT_H
#define RESULT_H

#include <stdbool.h>
#include <stddef.h>

/* More rounds would say nothing new. */
#define ROUNDS_MAX 64

/**
 * struct cell - one figure of the tables
 * @test: name of the measurement
 * @peer: of whom
 * @x: size, backlog or number of mailboxes
 * @nr: rounds
 * @samples: one of each round
 */
struct cell {
	char test[24];
	char peer[24];
	unsigned long x;
	unsigned int nr;
	double samples[ROUNDS_MAX];
};

/**
 * struct run - one run of the program
 * @name: says how it was run
 * @unit: of the times
 * @noisy: only ratios of it are worth showing
 * @nr: of cells
 * @cells: in the order of the measurements
 */
struct run {
	char name[64];
	char unit[24];
	bool noisy;
	size_t nr;
	struct cell *cells;
};

#define RUNS_MAX 8

/**
 * struct report - what a file holds
 * @kernel: its release
 * @nr: of runs
 * @runs: of one program on that kernel
 */
struct report {
	char kernel[128];
	unsigned int nr;
	struct run runs[RUNS_MAX];
};

/**
 * struct spread - all rounds of all runs of a cell
 * @median: the figure that counts
 * @low: the least
 * @high: the most
 * @deviation: half of the rounds are no farther from the median
 */
struct spread {
	double median;
	double low;
	double high;
	double deviation;
};

/* --- result.c */
struct cell *run_add(struct run *run, const char *test, const char *peer, unsigned long x);
const struct cell *run_find(const struct run *run, const char *test, const char *peer,
			    unsigned long x);
struct spread cell_spread(const struct cell *cell);
/* Over the runs that are noisy, or over those that are not. False: there is no such cell. */
bool report_find(const struct report *report, bool noisy, const char *test, const char *peer,
		 unsigned long x, struct spread *spread);
/* The unit of the runs that are not noisy, or of the first one. */
const char *report_unit(const struct report *report);

/* --- json.c: false after saying what is wrong */
bool report_save(const struct report *report, const char *path);
bool report_load(struct report *report, const char *path);

#endif
