// SPDX-License-Identifier: GPL-2.0
/*
 * What got worse from one report to another.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "measure.h"
#include "table.h"

/* In percent. Less than this is the noise of the measurement. */
#define WORSE 1.0

/* By how many percent a cell changed. False when there is nothing to compare. */
static bool change(const struct report *old, const struct report *new, const char *test,
		   const char *peer, unsigned long x, double *percent)
{
	struct spread before, after;

	if (!report_find(old, false, test, peer, x, &before) ||
	    !report_find(new, false, test, peer, x, &after) || before.median <= 0)
		return false;
	*percent = (after.median / before.median - 1) * 100;
	return true;
}

/* When the others moved too, it was not the module that moved. */
static void print_others(const struct report *old, const struct report *new)
{
	const char *peer = NULL, *test = NULL;
	double most = 0, percent;
	unsigned int k;
	size_t i, j;

	for (i = 0; i < nr_measures; i++) {
		for (j = 0; j < nr_peers; j++) {
			for (k = 0; k < measures[i]->nr_xs; k++) {
				if (peers[j] == &peer_mailbox ||
				    !change(old, new, measures[i]->name, peers[j]->name,
					    measures[i]->xs[k], &percent) ||
				    fabs(percent) <= fabs(most))
					continue;
				most = percent;
				peer = peers[j]->name;
				test = measures[i]->name;
			}
		}
	}
	if (peer)
		printf("The others changed by at most %+.2f %% (%s, %s).\n", most, test, peer);
}

bool compare_print(const struct report *old, const struct report *new)
{
	unsigned int compared = 0, worse = 0, better = 0, j;
	double percent;
	size_t i;

	if (strcmp(report_unit(old), report_unit(new))) {
		printf("One has %s, the other %s.\n", report_unit(old), report_unit(new));
		return false;
	}
	for (i = 0; i < nr_measures; i++) {
		const struct measure *measure = measures[i];

		for (j = 0; j < measure->nr_xs; j++) {
			if (!change(old, new, measure->name, peer_mailbox.name, measure->xs[j],
				    &percent))
				continue;
			compared++;
			worse += percent > WORSE;
			better += percent < -WORSE;
			if (fabs(percent) > WORSE)
				printf("%s %+7.1f %%  %s, %lu %s\n",
				       percent > 0 ? "worse " : "better", percent, measure->title,
				       measure->xs[j], measure->axis);
		}
	}
	print_others(old, new);
	printf("%u compared, %u worse, %u better\n", compared, worse, better);
	return compared && !worse;
}
