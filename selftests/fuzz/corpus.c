// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "corpus.h"
#include "shared.h"

static struct kept *add(struct corpus *corpus)
{
	if (corpus->nr == corpus->room) {
		corpus->room = corpus->room * 2 + 64;
		corpus->kept = realloc(corpus->kept, corpus->room * sizeof(*corpus->kept));
		if (!corpus->kept)
			die("no memory");
	}
	return &corpus->kept[corpus->nr++];
}

static void name_after_contents(struct kept *kept)
{
	__u64 hash = 0xcbf29ce484222325;
	size_t i;

	for (i = 0; i < kept->input.length; i++)
		hash = (hash ^ kept->input.bytes[i]) * 0x100000001b3;
	snprintf(kept->name, sizeof(kept->name), "%012llx", hash >> 16);
}

void corpus_add(struct corpus *corpus, const struct input *input)
{
	struct kept *kept = add(corpus);

	kept->input = *input;
	name_after_contents(kept);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct kept *)a)->name, ((const struct kept *)b)->name);
}

static int by_length(const void *a, const void *b)
{
	const struct kept *one = a, *two = b;

	if (one->input.length != two->input.length)
		return one->input.length < two->input.length ? -1 : 1;
	return by_name(a, b);
}

void corpus_load_file(struct corpus *corpus, const char *path, const char *name)
{
	struct kept *kept = add(corpus);
	FILE *file;

	snprintf(kept->name, sizeof(kept->name), "%s", name);
	file = fopen(path, "r");
	if (!file)
		die("%s: %s", path, strerror(errno));
	kept->input.length = fread(kept->input.bytes, 1, INPUT_MAX, file);
	fclose(file);
}

void corpus_load(struct corpus *corpus, const char *folder, bool shortest_first)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	char path[512];

	if (!dir)
		die("%s: %s", folder, strerror(errno));
	while ((entry = readdir(dir))) {
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		if (entry->d_name[0] != '.')
			corpus_load_file(corpus, path, entry->d_name);
	}
	closedir(dir);
	if (corpus->nr)
		qsort(corpus->kept, corpus->nr, sizeof(*corpus->kept),
		      shortest_first ? by_length : by_name);
}

void say_input(const char *word, const struct input *input)
{
	static const char digits[] = "0123456789abcdef";
	char line[32 + 2 * INPUT_MAX];
	size_t at = snprintf(line, 32, "%s ", word), i;

	for (i = 0; i < input->length; i++) {
		line[at++] = digits[input->bytes[i] >> 4];
		line[at++] = digits[input->bytes[i] & 15];
	}
	line[at++] = '\n';
	/* As a whole, and at once: the machine may end with the next call. */
	fflush(stdout);
	if (write(STDOUT_FILENO, line, at) < 0)
		_exit(1);
}
