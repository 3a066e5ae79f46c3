/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reports for people.
 */
#ifndef TABLE_H
#define TABLE_H

#include "result.h"

enum table_style {
	TABLE_PLAIN,
	TABLE_COLOUR,
	TABLE_RST,
};

/* --- table.c */
void table_print(const struct report *report, enum table_style style);
/* The median of the best competitor in this cell. False: there is none. */
bool best_peer(const struct report *report, bool noisy, const char *test, unsigned long x,
	       double *best, const char **name);

/* --- goals.c: false when one was missed */
bool goals_print(const struct report *report, enum table_style style);

/* --- compare.c: false when something got worse */
bool compare_print(const struct report *old, const struct report *new);

/* --- plot.c */
bool plot_data(const struct report *report, const char *folder);

#endif
