// SPDX-License-Identifier: GPL-2.0
/*
 * The figures as gnuplot reads them: one file for each measurement, a column for each
 * peer that took part.
 */
#include <stdio.h>

#include "measure.h"
#include "table.h"

static bool took_part(const struct report *report, const struct measure *measure,
		      const struct peer *peer)
{
	struct spread spread;
	unsigned int i;

	for (i = 0; i < measure->nr_xs; i++) {
		if (report_find(report, false, measure->name, peer->name, measure->xs[i], &spread))
			return true;
	}
	return false;
}

static void write_rows(const struct report *report, const struct measure *measure, FILE *file)
{
	struct spread spread;
	unsigned int i;
	size_t j;

	fputs("x", file);
	for (j = 0; j < nr_peers; j++) {
		if (took_part(report, measure, peers[j]))
			fprintf(file, "\t%s", peers[j]->name);
	}
	for (i = 0; i < measure->nr_xs; i++) {
		fprintf(file, "\n%lu", measure->xs[i]);
		for (j = 0; j < nr_peers; j++) {
			if (!took_part(report, measure, peers[j]))
				continue;
			if (report_find(report, false, measure->name, peers[j]->name,
					measure->xs[i], &spread))
				fprintf(file, "\t%.1f", spread.median);
			else
				fputs("\t?", file);
		}
	}
	fputc('\n', file);
}

bool plot_data(const struct report *report, const char *folder)
{
	char path[4096];
	FILE *file;
	size_t i;

	for (i = 0; i < nr_measures; i++) {
		const struct measure *measure = measures[i];

		/* A curve takes more than one point. */
		if (measure->nr_xs < 2)
			continue;
		snprintf(path, sizeof(path), "%s/%s.data", folder, measure->name);
		file = fopen(path, "w");
		if (!file) {
			perror(path);
			return false;
		}
		fprintf(file, "# %s\n# %s\n# %s\n", measure->title, measure->axis,
			report_unit(report));
		write_rows(report, measure, file);
		if (fclose(file)) {
			perror(path);
			return false;
		}
	}
	return true;
}
