// SPDX-License-Identifier: GPL-2.0
/*
 * collector [--once] LIST TOTAL: writes what comes to 'results' to the file LIST, as sha256sum
 * would, shows how far things are, and at the end who did how much. Ends after TOTAL
 * results, or when none has come for a minute. With --once a result that has come before is
 * counted only: a job that was given to another host may be done twice.
 */
#include <errno.h>
#include <inttypes.h>
#include <search.h>
#include <stdbool.h>
#include <string.h>

#include "demo.h"

#define PATIENCE_MS 60000

struct tally {
	uint64_t files;
	uint64_t redone;
	uint64_t bytes;
};

static struct tally workers[MAX_WORKERS + 1], all;
static bool once;
static uint64_t repeated;
static void *seen;

static int compare(const void *one, const void *other)
{
	return strcmp(one, other);
}

/* Whether this very line has come before. */
static bool has_come(const char *line)
{
	char *copy = strdup(line);
	char **node = copy ? tsearch(copy, &seen, compare) : NULL;

	if (!node) {
		fprintf(stderr, "collector: not enough memory\n");
		exit(1);
	}
	if (*node == copy)
		return false;
	free(copy);
	return true;
}

static void progress(uint64_t total, uint64_t start)
{
	uint64_t took = (mailbox_now() - start) / 1000000 + 1;
	bool terminal = isatty(STDOUT_FILENO);
	static uint64_t last;

	/* On a terminal one line that changes, ten times a second; else now and then one. */
	if (all.files != total && (terminal ? took < last + 100 : all.files % 1000))
		return;

	last = took;
	printf("%s%6" PRIu64 " of %" PRIu64 " files, %6" PRIu64 " KiB, %5" PRIu64
	       " files/s, %6" PRIu64 " KiB/s%s",
	       terminal ? "\r" : "", all.files, total, all.bytes >> 10, all.files * 1000 / took,
	       all.bytes * 1000 / took >> 10, terminal ? "" : "\n");
	fflush(stdout);
}

static void take(const struct mailbox_message *message, FILE *list)
{
	uint64_t number = message->type % REDONE, bytes;
	struct tally *worker = &workers[number % (MAX_WORKERS + 1)];
	const char *line = message->data;
	int skip = 0;

	if (!number || number > MAX_WORKERS || message->type >= 2 * REDONE ||
	    sscanf(line, "%" SCNu64 " %n", &bytes, &skip) != 1) {
		fprintf(stderr, "collector: a result that no worker can have sent\n");
		exit(1);
	}

	if (once && has_come(line + skip)) {
		repeated++;
		return;
	}
	fprintf(list, "%s\n", line + skip);
	worker->files++;
	worker->redone += message->type >= REDONE;
	worker->bytes += bytes;
	all.files++;
	all.redone += message->type >= REDONE;
	all.bytes += bytes;
}

static void print_line(const char *who, const struct tally *tally)
{
	printf("%6s %8" PRIu64 " %9" PRIu64 " %10" PRIu64 "\n", who, tally->files,
	       tally->bytes >> 10, tally->redone);
}

static void print_table(void)
{
	char who[16];
	int i;

	printf("%s\nworker    files       KiB  had before\n", isatty(STDOUT_FILENO) ? "\n" : "");
	for (i = 1; i <= MAX_WORKERS; i++) {
		snprintf(who, sizeof(who), "%d", i);
		if (workers[i].files)
			print_line(who, &workers[i]);
	}
	print_line("all", &all);
	if (once)
		printf("results that came a second time: %" PRIu64 "\n", repeated);
}

static void take_all(int results, uint64_t total, FILE *list)
{
	char buffer[8192];
	struct mailbox_message message = { .data = buffer, .room = sizeof(buffer) - 1 };
	uint64_t start = mailbox_now();
	int ret;

	while (all.files < total) {
		ret = mailbox_receive_message(results, &message, NULL, MAILBOX_DEADLINE,
					      mailbox_deadline_in_ms(PATIENCE_MS));
		if (ret == -ETIMEDOUT) {
			fprintf(stderr, "collector: no result for a minute\n");
			return;
		}
		check("collector", "receive", ret);
		buffer[message.length] = 0;
		take(&message, list);
		progress(total, start);
	}
}

int main(int argc, char **argv)
{
	int results = open_box("collector", "results", MAILBOX_RIGHT_RECEIVE);
	FILE *list;

	once = argc > 1 && !strcmp(argv[1], "--once");
	argv += once;
	argc -= once;
	list = argc > 1 ? fopen(argv[1], "we") : NULL;
	if (argc != 3 || !list) {
		fprintf(stderr, "Usage: collector [--once] LIST TOTAL\n");
		return 2;
	}

	take_all(results, strtoull(argv[2], NULL, 10), list);
	if (fclose(list)) {
		perror("collector: the list");
		return 1;
	}
	print_table();
	return 0;
}
