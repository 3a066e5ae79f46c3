// SPDX-License-Identifier: GPL-2.0
/*
 * What measurements say, each the median of its rounds: tables in reStructuredText, and data for
 * gnuplot.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "measure.h"

#define ROUNDS_MAX 64

static const char bridge[] = "bridge", client[] = "client", bare[] = "client without ids";

static const int sizes[] = { 64, 1024, 16384 };
static const int routes[] = { 1, 10, 100 };

#define NR(array) (sizeof(array) / sizeof((array)[0]))

static json_t *load(const char *path)
{
	FILE *file = fopen(path, "re");
	json_t *results = json_array(), *result;
	json_error_t error;

	if (!file)
		fail(path, "cannot be opened");
	while ((result = json_loadf(file, JSON_DISABLE_EOF_CHECK, &error)))
		json_array_append_new(results, result);
	fclose(file);
	if (!json_array_size(results))
		fail(path, error.text);
	return results;
}

static json_int_t integer(const json_t *result, const char *key)
{
	return json_integer_value(json_object_get(result, key));
}

/* A figure of one of the processes where one is named, else of the whole. */
static double figure(const json_t *result, const char *process, const char *key)
{
	if (process)
		result = json_object_get(json_object_get(result, "processes"), process);
	return json_number_value(json_object_get(result, key));
}

static int by_value(const void *a, const void *b)
{
	const double one = *(const double *)a, other = *(const double *)b;

	return one < other ? -1 : one > other;
}

/* Which measurements. */
struct which {
	const char *by;
	int size;
	int routes;
	bool slow;
};

/* Return: the median, or 0 without any. */
static double median(const json_t *results, struct which which, const char *process,
		     const char *key)
{
	double values[ROUNDS_MAX];
	size_t nr = 0, i;
	json_t *result;

	json_array_foreach(results, i, result)
	{
		if (strcmp(json_string_value(json_object_get(result, "by")), which.by) ||
		    integer(result, "size") != which.size ||
		    integer(result, "routes") != which.routes ||
		    (integer(result, "interval") > 0) != which.slow || nr == ROUNDS_MAX)
			continue;
		values[nr++] = figure(result, process, key);
	}
	qsort(values, nr, sizeof(values[0]), by_value);
	return nr ? values[nr / 2] : 0;
}

/* Of the first measurement of all. */
static unsigned int rounds(const json_t *results)
{
	unsigned int nr = 0;
	json_t *result;
	size_t i;

	json_array_foreach(results, i, result)
	{
		nr += !strcmp(json_string_value(json_object_get(result, "by")), bridge) &&
		      integer(result, "size") == sizes[0] && integer(result, "routes") == 1 &&
		      !integer(result, "interval");
	}
	return nr;
}

static double rate(const json_t *results, const char *by, int size)
{
	return median(results, (struct which){ by, size, 1, false }, NULL, "rate");
}

static void head(const char *title, const char *rule, const char *names)
{
	printf("%s\n\n%s\n%s\n%s\n", title, rule, names, rule);
}

static void rates(const json_t *results)
{
	static const char rule[] = "=======  ========  ========  ===========  =======";
	size_t i;

	head("Messages per second, as fast as may be, and how often as long it takes with bridges\n"
	     "as with a client that gives its messages ids as they do:",
	     rule, "bytes      bridge    client   without ids    ratio");
	for (i = 0; i < NR(sizes); i++) {
		double ours = rate(results, bridge, sizes[i]);
		double theirs = rate(results, client, sizes[i]);

		printf("%7d  %8.0f  %8.0f  %11.0f  %7.2f\n", sizes[i], ours, theirs,
		       rate(results, bare, sizes[i]), ours > 0 ? theirs / ours : 0);
	}
	printf("%s\n\n", rule);
}

static void times(const json_t *results)
{
	static const char rule[] = "==================  ========  ========";
	static const char *const who[] = { bridge, client };
	size_t i;

	head("How long a message of 64 bytes takes when no other is on the way, milliseconds:",
	     rule, "by                    median      99 %");
	for (i = 0; i < NR(who); i++) {
		struct which which = { who[i], 64, 1, true };

		printf("%-18s  %8.2f  %8.2f\n", who[i], median(results, which, NULL, "median"),
		       median(results, which, NULL, "p99"));
	}
	printf("%s\n\n", rule);
}

static void processors(const json_t *results)
{
	static const char rule[] = "=======  ========  ========  ========  ===================";
	size_t i;

	head("Processor time for each message, microseconds:", rule,
	     "bytes    out       in        server    server, of a client");
	for (i = 0; i < NR(sizes); i++) {
		struct which ours = { bridge, sizes[i], 1, false };
		struct which theirs = { client, sizes[i], 1, false };

		printf("%7d  %8.0f  %8.0f  %8.0f  %19.0f\n", sizes[i],
		       median(results, ours, "out", "us"), median(results, ours, "in", "us"),
		       median(results, ours, "server", "us"),
		       median(results, theirs, "server", "us"));
	}
	printf("%s\n\n", rule);
}

static void many_routes(const json_t *results)
{
	static const char rule[] = "=======  ===================  ========  ========  ========";
	size_t i;

	head("Routes of one bridge, 64 bytes; memory in MiB of each bridge and of the server:",
	     rule, "routes   messages per second  out       in        server");
	for (i = 0; i < NR(routes); i++) {
		struct which which = { bridge, 64, routes[i], false };

		if (median(results, which, NULL, "rate") == 0)
			continue;
		printf("%7d  %19.0f  %8.1f  %8.1f  %8.1f\n", routes[i],
		       median(results, which, NULL, "rate"),
		       median(results, which, "out", "KiB") / 1024,
		       median(results, which, "in", "KiB") / 1024,
		       median(results, which, "server", "KiB") / 1024);
	}
	printf("%s\n", rule);
}

int report_tables(const char *path)
{
	json_t *results = load(path);

	puts(".. SPDX-License-"
	     "Identifier: GPL-2.0\n.. Made by 'bridge-measure --tables'.\n");
	printf("Rounds: %u.\n\n", rounds(results));
	rates(results);
	times(results);
	processors(results);
	many_routes(results);
	json_decref(results);
	return 0;
}

static FILE *create(const char *folder, const char *name)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "we");
	if (!file)
		fail(path, "cannot be written");
	return file;
}

int report_plots(const char *path, const char *folder)
{
	json_t *results = load(path);
	FILE *file = create(folder, "rate.data");
	size_t i;

	fprintf(file, "bytes\tbridge\tclient\tclient without ids\n");
	for (i = 0; i < NR(sizes); i++)
		fprintf(file, "%d\t%f\t%f\t%f\n", sizes[i], rate(results, bridge, sizes[i]),
			rate(results, client, sizes[i]), rate(results, bare, sizes[i]));
	fclose(file);

	file = create(folder, "routes.data");
	fprintf(file, "routes\tmessages per second\n");
	for (i = 0; i < NR(routes); i++)
		fprintf(file, "%d\t%f\n", routes[i],
			median(results, (struct which){ bridge, 64, routes[i], false }, NULL,
			       "rate"));
	fclose(file);
	json_decref(results);
	return 0;
}
