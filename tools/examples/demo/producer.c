// SPDX-License-Identifier: GPL-2.0
/*
 * Reads paths from standard input and sends each file to the mailbox 'jobs'.
 *
 * The mailbox is much smaller than the tree: the kernel lets the producer wait while it
 * is full.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "demo.h"

/* Reads the file into the buffer, behind what is in it; returns the new length. */
static size_t read_file(const char *path, char **buffer, size_t *room, size_t length)
{
	FILE *file = fopen(path, "re");

	while (file) {
		length += fread(*buffer + length, 1, *room - length, file);
		if (length < *room)
			break;
		*room *= 2;
		*buffer = realloc(*buffer, *room);
		if (!*buffer)
			break;
	}
	if (!file || ferror(file) || !*buffer) {
		fprintf(stderr, "producer: %s: %s\n", path, strerror(errno));
		exit(1);
	}
	fclose(file);
	return length;
}

int main(void)
{
	int jobs = open_box("producer", "jobs", MAILBOX_RIGHT_SEND);
	struct mailbox_message message = { 0 };
	size_t room = 1 << 20, path_room = 0, path_length;
	char *buffer = malloc(room), *path = NULL;
	uint64_t start = mailbox_now(), bytes = 0, nr = 0, took;

	while (buffer && getline(&path, &path_room, stdin) > 0) {
		path[strcspn(path, "\n")] = 0;
		path_length = strlen(path) + 1;
		memcpy(buffer, path, path_length);
		message.length = read_file(path, &buffer, &room, path_length);
		message.data = buffer;
		check("producer", path, mailbox_send_message(jobs, &message, 0, 0));
		bytes += message.length - path_length;
		nr++;
	}

	took = (mailbox_now() - start) / 1000000 + 1;
	printf("%" PRIu64 " files, %" PRIu64 " KiB, sent in %" PRIu64 ".%03" PRIu64 " s: %" PRIu64
	       " messages/s, %" PRIu64 " KiB/s\n",
	       nr, bytes >> 10, took / 1000, took % 1000, nr * 1000 / took,
	       bytes * 1000 / took >> 10);
	free(path);
	free(buffer);
	return 0;
}
