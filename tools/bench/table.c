// SPDX-License-Identifier: GPL-2.0
/*
 * The tables: a line for each peer, a column for each size, and beside each figure its
 * ratio to the best of the others.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "measure.h"
#include "table.h"

#define BOLD  "\033[1m"
#define RED   "\033[31m"
#define GREEN "\033[32m"
#define DIM   "\033[2m"
#define PLAIN "\033[0m"

static const char *colour(enum table_style style, const char *code)
{
	return style == TABLE_COLOUR ? code : "";
}

static const char *indent(enum table_style style)
{
	return style == TABLE_RST ? "  " : "";
}

static bool competes(const struct peer *peer)
{
	return !(peer->flags & (PEER_OURS | PEER_FLOOR));
}

bool best_peer(const struct report *report, bool noisy, const char *test, unsigned long x,
	       double *best, const char **name)
{
	bool batch = !strcmp(test, measure_batch.name), found = false;
	struct spread spread;
	size_t i;

	/* Who has no batches sends one by one. A stream has no messages in its batch. */
	if (batch)
		found = best_peer(report, noisy, measure_burst.name, x, best, name);
	for (i = 0; i < nr_peers; i++) {
		if (!competes(peers[i]) || (batch && peers[i]->flags & PEER_BYTES) ||
		    !report_find(report, noisy, test, peers[i]->name, x, &spread))
			continue;
		if (!found || spread.median < *best) {
			*best = spread.median;
			*name = peers[i]->name;
		}
		found = true;
	}
	return found;
}

static bool is_there(const struct report *report, bool noisy, const struct measure *measure,
		     const char *peer)
{
	struct spread spread;
	unsigned int i;

	for (i = 0; i < measure->nr_xs; i++) {
		if (report_find(report, noisy, measure->name, peer, measure->xs[i], &spread))
			return true;
	}
	return false;
}

/* A quick run has not all columns. */
static bool has_column(const struct report *report, const struct measure *measure, unsigned long x)
{
	struct spread spread;
	size_t i;

	for (i = 0; i < nr_peers; i++) {
		if (report_find(report, false, measure->name, peers[i]->name, x, &spread) ||
		    report_find(report, true, measure->name, peers[i]->name, x, &spread))
			return true;
	}
	return false;
}

static bool is_measured(const struct report *report, bool noisy, const struct measure *measure)
{
	size_t i;

	for (i = 0; i < nr_peers; i++) {
		if (is_there(report, noisy, measure, peers[i]->name))
			return true;
	}
	return false;
}

/* Green for what is ahead of all others and red for what is behind, if it is ours. */
static const char *judge(enum table_style style, const struct peer *peer, double ratio)
{
	if (!(peer->flags & PEER_OURS))
		return colour(style, ratio == 1 ? BOLD : "");
	return colour(style, ratio <= 1 ? GREEN : RED);
}

/*
 * @owed are the blanks between this cell and what was printed before: a line does not
 * end with any.
 */
static void print_cell(const struct report *report, bool noisy, const struct measure *measure,
		       const struct peer *peer, unsigned long x, enum table_style style, int *owed)
{
	struct spread spread;
	const char *name;
	double best;

	if (!has_column(report, measure, x))
		return;
	printf("%*s", *owed, "");
	*owed = 6;
	if (!report_find(report, noisy, measure->name, peer->name, x, &spread)) {
		printf("%9s", "-");
		return;
	}
	/* The figures of a noisy run say nothing. */
	if (noisy)
		printf("%9s", "");
	else
		printf("%9.0f", spread.median);
	if (!best_peer(report, noisy, measure->name, x, &best, &name))
		return;
	printf(" %s%5.2f%s", judge(style, peer, spread.median / best), spread.median / best,
	       colour(style, PLAIN));
	*owed = 0;
}

static void print_row(const struct report *report, bool noisy, const struct measure *measure,
		      const struct peer *peer, enum table_style style)
{
	unsigned int i;
	int owed = 0;

	if (!is_there(report, noisy, measure, peer->name))
		return;
	printf("%s  %-20s", indent(style), noisy ? "mailbox, noisy" : peer->name);
	for (i = 0; i < measure->nr_xs; i++)
		print_cell(report, noisy, measure, peer, measure->xs[i], style, &owed);
	putchar('\n');
}

/* The largest deviation of a cell, in percent. */
static double deviation(const struct report *report, const struct measure *measure)
{
	struct spread spread;
	double most = 0;
	unsigned int j;
	size_t i;

	for (i = 0; i < nr_peers; i++) {
		for (j = 0; j < measure->nr_xs; j++) {
			if (report_find(report, false, measure->name, peers[i]->name,
					measure->xs[j], &spread))
				most = fmax(most, spread.deviation / spread.median);
		}
	}
	return most * 100;
}

static void print_measure(const struct report *report, bool noisy, const struct measure *measure,
			  enum table_style style)
{
	unsigned int i;
	int owed = 0;
	size_t j;

	if (style == TABLE_RST)
		printf("%s::\n\n", measure->title);
	else
		printf("%s%s%s\n", colour(style, BOLD), measure->title, colour(style, PLAIN));
	printf("%s  %s%-20s", indent(style), colour(style, DIM), measure->axis);
	for (i = 0; i < measure->nr_xs; i++) {
		if (!has_column(report, measure, measure->xs[i]))
			continue;
		printf("%*s%9lu", owed, "", measure->xs[i]);
		owed = 6;
	}
	printf("%s\n", colour(style, PLAIN));
	for (j = 0; j < nr_peers; j++)
		print_row(report, noisy, measure, peers[j], style);
	if (!noisy) {
		print_row(report, true, measure, &peer_mailbox, style);
		if (!(measure->flags & MEASURE_BYTES))
			printf("%s  %shalf of the rounds are within %.2f %% of the median%s\n",
			       indent(style), colour(style, DIM), deviation(report, measure),
			       colour(style, PLAIN));
	}
	putchar('\n');
}

static void print_head(const struct report *report, enum table_style style)
{
	unsigned int i;

	if (style == TABLE_RST)
		puts(".. SPDX-License-"
		     "Identifier: GPL-2.0\n"
		     ".. Made by 'mailbox-bench --rst'.\n");

	printf("Linux %s, %s, and the ratio to the best of the other kinds.\nRuns:", report->kernel,
	       report_unit(report));
	for (i = 0; i < report->nr; i++)
		printf("%s %s", i ? "," : "", *report->runs[i].name ? report->runs[i].name : "one");
	puts(".\n");
}

void table_print(const struct report *report, enum table_style style)
{
	bool only_noisy = true;
	unsigned int i;
	size_t j;

	for (i = 0; i < report->nr; i++)
		only_noisy = only_noisy && report->runs[i].noisy;
	print_head(report, style);
	for (j = 0; j < nr_measures; j++) {
		if (is_measured(report, only_noisy, measures[j]))
			print_measure(report, only_noisy, measures[j], style);
	}
}
