// SPDX-License-Identifier: GPL-2.0
/*
 * Cells and their statistics.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "result.h"

struct cell *run_add(struct run *run, const char *test, const char *peer, unsigned long x)
{
	struct cell *cells = realloc(run->cells, (run->nr + 1) * sizeof(*cells));
	struct cell *cell;

	if (!cells) {
		perror("mailbox-bench");
		exit(1);
	}
	run->cells = cells;
	cell = &cells[run->nr++];
	memset(cell, 0, sizeof(*cell));
	snprintf(cell->test, sizeof(cell->test), "%s", test);
	snprintf(cell->peer, sizeof(cell->peer), "%s", peer);
	cell->x = x;
	return cell;
}

const struct cell *run_find(const struct run *run, const char *test, const char *peer,
			    unsigned long x)
{
	size_t i;

	for (i = 0; i < run->nr; i++) {
		const struct cell *cell = &run->cells[i];

		if (cell->x == x && !strcmp(cell->test, test) && !strcmp(cell->peer, peer))
			return cell;
	}
	return NULL;
}

static int compare(const void *one, const void *other)
{
	double a = *(const double *)one, b = *(const double *)other;

	return (a > b) - (a < b);
}

static double median_of(double *samples, size_t nr)
{
	qsort(samples, nr, sizeof(*samples), compare);
	return (samples[(nr - 1) / 2] + samples[nr / 2]) / 2;
}

/* Leaves distances from the median in @samples. */
static struct spread spread_of(double *samples, size_t nr)
{
	struct spread spread = { 0 };
	size_t i;

	if (!nr)
		return spread;
	spread.median = median_of(samples, nr);
	spread.low = samples[0];
	spread.high = samples[nr - 1];
	for (i = 0; i < nr; i++)
		samples[i] = fabs(samples[i] - spread.median);
	spread.deviation = median_of(samples, nr);
	return spread;
}

struct spread cell_spread(const struct cell *cell)
{
	double samples[ROUNDS_MAX];

	memcpy(samples, cell->samples, sizeof(samples));
	return spread_of(samples, cell->nr);
}

bool report_find(const struct report *report, bool noisy, const char *test, const char *peer,
		 unsigned long x, struct spread *spread)
{
	double samples[ROUNDS_MAX * RUNS_MAX];
	size_t nr = 0;
	unsigned int i;

	for (i = 0; i < report->nr; i++) {
		const struct run *run = &report->runs[i];
		const struct cell *cell;

		if (run->noisy != noisy)
			continue;
		cell = run_find(run, test, peer, x);
		if (!cell)
			continue;
		memcpy(samples + nr, cell->samples, cell->nr * sizeof(*samples));
		nr += cell->nr;
	}
	*spread = spread_of(samples, nr);
	return nr;
}

const char *report_unit(const struct report *report)
{
	unsigned int i;

	for (i = 0; i < report->nr; i++) {
		if (!report->runs[i].noisy)
			return report->runs[i].unit;
	}
	return report->nr ? report->runs[0].unit : "";
}
