// SPDX-License-Identifier: GPL-2.0
/*
 * Reports as JSON, for other programs and for comparison later.
 */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "result.h"

/* A tenth is beyond what the figures are good for. */
static json_t *json_rounded(double value)
{
	return json_real(round(value * 10) / 10);
}

static json_t *json_cell(const struct cell *cell)
{
	struct spread spread = cell_spread(cell);
	json_t *samples = json_array();
	unsigned int i;

	for (i = 0; i < cell->nr; i++)
		json_array_append_new(samples, json_rounded(cell->samples[i]));
	return json_pack("{ss, ss, sI, so, so, so, so, so}", "test", cell->test, "peer", cell->peer,
			 "x", (json_int_t)cell->x, "median", json_rounded(spread.median), "min",
			 json_rounded(spread.low), "max", json_rounded(spread.high), "deviation",
			 json_rounded(spread.deviation), "samples", samples);
}

static json_t *json_run(const struct run *run)
{
	json_t *cells = json_array();
	size_t i;

	for (i = 0; i < run->nr; i++)
		json_array_append_new(cells, json_cell(&run->cells[i]));
	return json_pack("{ss ss sb so}", "name", run->name, "unit", run->unit, "noisy", run->noisy,
			 "cells", cells);
}

bool report_save(const struct report *report, const char *path)
{
	json_t *runs = json_array(), *json;
	unsigned int i;
	int ret;

	for (i = 0; i < report->nr; i++)
		json_array_append_new(runs, json_run(&report->runs[i]));
	json = json_pack("{ss so}", "kernel", report->kernel, "runs", runs);
	if (!json)
		goto err;
	ret = json_dump_file(json, path, JSON_INDENT(1) | JSON_REAL_PRECISION(10));
	json_decref(json);
	if (!ret)
		return true;
err:
	fprintf(stderr, "mailbox-bench: cannot write %s\n", path);
	return false;
}

static bool cell_load(struct run *run, json_t *json)
{
	const char *test, *peer;
	json_t *samples, *sample;
	struct cell *cell;
	json_int_t x;
	size_t i;

	if (json_unpack(json, "{ss ss sI so}", "test", &test, "peer", &peer, "x", &x, "samples",
			&samples))
		return false;
	cell = run_add(run, test, peer, x);
	json_array_foreach(samples, i, sample)
	{
		if (cell->nr == ROUNDS_MAX || !json_is_number(sample))
			return false;
		cell->samples[cell->nr++] = json_number_value(sample);
	}
	return true;
}

static bool run_load(struct run *run, json_t *json)
{
	const char *name, *unit;
	json_t *cells, *cell;
	int noisy;
	size_t i;

	if (json_unpack(json, "{ss ss sb so}", "name", &name, "unit", &unit, "noisy", &noisy,
			"cells", &cells))
		return false;
	snprintf(run->name, sizeof(run->name), "%s", name);
	snprintf(run->unit, sizeof(run->unit), "%s", unit);
	run->noisy = noisy;
	json_array_foreach(cells, i, cell)
	{
		if (!cell_load(run, cell))
			return false;
	}
	return true;
}

/* Adds the runs of a file to those that the report has already. */
bool report_load(struct report *report, const char *path)
{
	json_error_t error;
	json_t *json = json_load_file(path, 0, &error), *runs, *run;
	const char *kernel;
	size_t i;

	if (!json) {
		fprintf(stderr, "mailbox-bench: %s: %s\n", path, error.text);
		return false;
	}
	if (json_unpack(json, "{ss so}", "kernel", &kernel, "runs", &runs))
		goto err;
	snprintf(report->kernel, sizeof(report->kernel), "%s", kernel);
	json_array_foreach(runs, i, run)
	{
		if (report->nr == RUNS_MAX || !run_load(&report->runs[report->nr++], run))
			goto err;
	}
	json_decref(json);
	return true;
err:
	json_decref(json);
	fprintf(stderr, "mailbox-bench: %s is no report of this program\n", path);
	return false;
}
