// SPDX-License-Identifier: GPL-2.0
/*
 * The goals: at most what ratio to the best of the others, or to itself elsewhere.
 */
#include <stdio.h>

#include "measure.h"
#include "table.h"

/**
 * struct goal - one of them
 * @measure: what is measured
 * @x: size, backlog, or number of mailboxes
 * @at_most: the ratio
 * @itself: to our own figure at @against, not to that of others
 * @against: size, backlog, or number of mailboxes
 * @peer: whose figure it is, NULL for that of mailboxes
 * @other: to whose figure, NULL for that of the best of the others
 */
struct goal {
	const struct measure *measure;
	unsigned long x;
	double at_most;
	bool itself;
	unsigned long against;
	const struct peer *peer;
	const struct peer *other;
};

static const struct goal goals[] = {
	{ &measure_pair, 8, 0.70, false, 0, NULL, NULL },
	{ &measure_pair, 64, 0.70, false, 0, NULL, NULL },
	{ &measure_pair, 1024, 0.85, false, 0, NULL, NULL },
	{ &measure_pair, 4096, 0.85, false, 0, NULL, NULL },
	{ &measure_pair, 65536, 0.85, false, 0, NULL, NULL },
	{ &measure_batch, 64, 0.20, false, 0, NULL, NULL },
	{ &measure_trip, 8, 0.95, false, 0, NULL, NULL },
	{ &measure_trip, 64, 0.95, false, 0, NULL, NULL },
	{ &measure_trip, 8, 0.75, false, 0, &peer_calls, NULL },
	{ &measure_trip, 64, 0.75, false, 0, &peer_calls, NULL },
	{ &measure_stream, 8, 0.80, false, 0, NULL, NULL },
	{ &measure_stream, 64, 0.80, false, 0, NULL, NULL },
	{ &measure_stream, 1024, 0.80, false, 0, NULL, NULL },
	{ &measure_stream, 4096, 0.80, false, 0, NULL, NULL },
	{ &measure_four_to_one, 8, 0.80, false, 0, NULL, NULL },
	{ &measure_four_to_one, 64, 0.80, false, 0, NULL, NULL },
	{ &measure_four_to_one, 1024, 0.80, false, 0, NULL, NULL },
	{ &measure_four_to_one, 4096, 0.80, false, 0, NULL, NULL },
	{ &measure_one_to_four, 8, 0.80, false, 0, NULL, NULL },
	{ &measure_one_to_four, 64, 0.80, false, 0, NULL, NULL },
	{ &measure_one_to_four, 1024, 0.80, false, 0, NULL, NULL },
	{ &measure_one_to_four, 4096, 0.80, false, 0, NULL, NULL },
	{ &measure_priority, 65536, 1.4, true, 16, NULL, NULL },
	{ &measure_type, 65536, 1.4, true, 16, NULL, NULL },
	{ &measure_lowest, 65536, 1.4, true, 16, NULL, NULL },
	{ &measure_idle, 10000, 1.01, true, 0, NULL, NULL },
	{ &measure_pair, 65536, 0.10, false, 0, &peer_loan, NULL },
	{ &measure_pair, 64, 0.05, false, 0, &peer_lane, NULL },
	{ &measure_pair, 64, 1.5, false, 0, &peer_lane, &peer_ring },
	/* At most 250 instructions for each of the two calls. */
	{ &measure_pair, 64, 1.31, false, 0, &peer_sysv_shim, &peer_mailbox },
	{ &measure_pair, 64, 1.0, false, 0, &peer_sysv_shim, &peer_sysv },
};

/* False when it was not measured. */
static bool goal_ratio(const struct report *report, const struct goal *goal, double *ratio,
		       const char **other)
{
	const char *name = goal->peer ? goal->peer->name : peer_mailbox.name;
	struct spread ours, theirs;

	if (!report_find(report, false, goal->measure->name, name, goal->x, &ours))
		return false;
	if (goal->itself) {
		if (!report_find(report, false, goal->measure->name, name, goal->against, &theirs))
			return false;
		*other = "itself";
	} else if (goal->other) {
		if (!report_find(report, false, goal->measure->name, goal->other->name, goal->x,
				 &theirs))
			return false;
		*other = goal->other->name;
	} else if (!best_peer(report, false, goal->measure->name, goal->x, &theirs.median, other)) {
		return false;
	}
	*ratio = ours.median / theirs.median;
	return true;
}

/* What kind of message, where it is not the usual one. */
static const char *kind_of(const struct goal *goal)
{
	if (goal->peer == &peer_calls)
		return "by calls, ";
	if (goal->peer == &peer_loan)
		return "by loans, ";
	if (goal->peer == &peer_sysv_shim)
		return "by SysV calls, ";
	return goal->peer == &peer_lane ? "by lanes, " : "";
}

bool goals_print(const struct report *report, enum table_style style)
{
	bool all = true, met;
	const char *other;
	double ratio;
	size_t i;

	printf("%-46s %8s  %6s  %8s  %-12s\n", "", "", "goal", "measured", "against");
	for (i = 0; i < sizeof(goals) / sizeof(goals[0]); i++) {
		const struct goal *goal = &goals[i];

		if (!goal_ratio(report, goal, &ratio, &other))
			continue;
		met = ratio <= goal->at_most;
		all = all && met;
		printf("%-46s %8lu  %6.2f  %8.3f  %-12s %s%s%s%s\n", goal->measure->title, goal->x,
		       goal->at_most, ratio, other, kind_of(goal),
		       style != TABLE_COLOUR ? "" :
		       met		     ? "\033[32m" :
					       "\033[31m",
		       met ? "met" : "missed", style == TABLE_COLOUR ? "\033[0m" : "");
	}
	return all;
}
