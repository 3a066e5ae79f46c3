// SPDX-License-Identifier: GPL-2.0
/*
 * collector LIST TOTAL: writes what comes to 'results' to the file LIST, as sha256sum
 * would, shows how far things are, and at the end who did how much.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "demo.h"

struct tally {
	pid_t pid;
	uint64_t files;
	uint64_t bytes;
};

static struct tally workers[MAX_WORKERS + 1], all;

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
	struct tally *worker = &workers[message->type % (MAX_WORKERS + 1)];
	const char *line = message->data;
	int skip = 0;
	uint64_t bytes;

	/* The pid is the kernel's word, the number only what the worker says. */
	if (message->type > MAX_WORKERS || (worker->pid && worker->pid != message->pid) ||
	    sscanf(line, "%" SCNu64 " %n", &bytes, &skip) != 1) {
		fprintf(stderr, "collector: a result that no worker can have sent\n");
		exit(1);
	}

	fprintf(list, "%s\n", line + skip);
	worker->pid = message->pid;
	worker->files++;
	worker->bytes += bytes;
	all.files++;
	all.bytes += bytes;
}

static void print_table(void)
{
	int i;

	printf("%s\nworker      pid    files       KiB\n", isatty(STDOUT_FILENO) ? "\n" : "");
	for (i = 1; i <= MAX_WORKERS; i++) {
		if (workers[i].files)
			printf("%6d %8d %8" PRIu64 " %9" PRIu64 "\n", i, workers[i].pid,
			       workers[i].files, workers[i].bytes >> 10);
	}
	printf("   all          %8" PRIu64 " %9" PRIu64 "\n", all.files, all.bytes >> 10);
}

int main(int argc, char **argv)
{
	int results = open_box("collector", "results", MAILBOX_RIGHT_RECEIVE);
	char buffer[8192];
	struct mailbox_message message = { .data = buffer, .room = sizeof(buffer) - 1 };
	uint64_t total = argc > 2 ? strtoull(argv[2], NULL, 10) : 0, start = mailbox_now();
	FILE *list = argc > 1 ? fopen(argv[1], "we") : NULL;

	if (!list) {
		fprintf(stderr, "Usage: collector LIST TOTAL\n");
		return 2;
	}

	for (;;) {
		check("collector", "receive",
		      mailbox_receive_message(results, &message, NULL, 0, 0));
		if (!message.type)
			break;
		buffer[message.length] = 0;
		take(&message, list);
		progress(total, start);
	}
	if (fclose(list)) {
		perror("collector: the list");
		return 1;
	}
	print_table();
	return 0;
}
