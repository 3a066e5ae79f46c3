// SPDX-License-Identifier: GPL-2.0
/*
 * worker NUMBER [HALT]: takes files from 'jobs', sends their hashes to 'results'.
 *
 * With HALT it stands still when it has taken that many, and says on standard output
 * which file it holds: whoever kills it then knows what dies with it.
 */
#include <sha2.h>
#include <string.h>

#include "demo.h"

static void hold(const char *path)
{
	puts(path);
	fflush(stdout);
	for (;;)
		pause();
}

static void answer(int results, int number, const char *path, const char *data, size_t length)
{
	struct mailbox_message message = { .type = number };
	char hash[SHA256_DIGEST_STRING_LENGTH], *line;
	int line_length;

	SHA256Data((const uint8_t *)data, length, hash);
	line_length = asprintf(&line, "%zu %s  %s", length, hash, path);
	if (line_length < 0)
		exit(1);

	message.data = line;
	message.length = line_length;
	check("worker", "send a result", mailbox_send_message(results, &message, 0, 0));
	free(line);
}

int main(int argc, char **argv)
{
	int jobs = open_box("worker", "jobs", MAILBOX_RIGHT_SEND | MAILBOX_RIGHT_RECEIVE);
	int results = open_box("worker", "results", MAILBOX_RIGHT_SEND);
	int number = argc > 1 ? atoi(argv[1]) : 0;
	long halt = argc > 2 ? atol(argv[2]) : 0, nr = 0;
	struct mailbox_message message = { 0 };
	size_t path_length;

	if (number < 1 || number > MAX_WORKERS) {
		fprintf(stderr, "Usage: worker NUMBER [HALT]\n");
		return 2;
	}

	for (;;) {
		check("worker", "receive", mailbox_receive_alloc(jobs, &message, NULL, 0, 0));
		if (message.type == TYPE_END)
			break;

		if (++nr == halt)
			hold(message.data);

		path_length = strlen(message.data) + 1;
		answer(results, number, message.data, (char *)message.data + path_length,
		       message.length - path_length);
	}

	/* The others want to know too. */
	message.length = 0;
	check("worker", "pass the end on", mailbox_send_message(jobs, &message, 0, 0));
	free(message.data);
	return 0;
}
