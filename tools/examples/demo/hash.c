// SPDX-License-Identifier: GPL-2.0
/*
 * hash NUMBER [HALT]: what 'mailbox work' runs for each job. Standard input is a file with
 * its path before it; the hash goes to 'results'.
 *
 * With HALT it stands still at the first job whose number is at least that, unless another
 * had the job before, and says on standard output which file it holds: whoever kills the
 * worker then knows what the worker was at.
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

static void answer(int type, const char *path, const char *data, size_t length)
{
	int results = open_box("hash", "results", MAILBOX_RIGHT_SEND);
	struct mailbox_message message = { .type = type };
	char hash[SHA256_DIGEST_STRING_LENGTH], *line;
	int line_length;

	SHA256Data((const uint8_t *)data, length, hash);
	line_length = asprintf(&line, "%zu %s  %s", length, hash, path);
	if (line_length < 0)
		exit(1);

	message.data = line;
	message.length = line_length;
	check("hash", "send a result", mailbox_send_message(results, &message, 0, 0));
	free(line);
	close(results);
}

static unsigned long said(const char *name)
{
	const char *value = getenv(name);

	return value ? strtoul(value, NULL, 10) : 0;
}

int main(int argc, char **argv)
{
	int number = argc > 1 ? atoi(argv[1]) : 0;
	unsigned long halt = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
	size_t room = 1 << 16, length = 0, path_length;
	char *data = malloc(room);

	if (number < 1 || number > MAX_WORKERS) {
		fprintf(stderr, "Usage: hash NUMBER [HALT]\n");
		return 2;
	}

	while (data) {
		length += fread(data + length, 1, room - length, stdin);
		if (length < room)
			break;
		room *= 2;
		data = realloc(data, room);
	}
	path_length = data ? strnlen(data, length) + 1 : 0;
	if (!data || ferror(stdin) || path_length > length) {
		fprintf(stderr, "hash: this is no job\n");
		return 1;
	}

	if (halt && said("MAILBOX_SEQUENCE") >= halt && !said("MAILBOX_DELIVERIES"))
		hold(data);
	answer(number + (said("MAILBOX_DELIVERIES") ? REDONE : 0), data, data + path_length,
	       length - path_length);
	free(data);
	return 0;
}
