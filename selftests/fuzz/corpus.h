/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Inputs that are kept: files in a folder, named after their contents. Those that once
 * found a defect are named "crash-" and something; they stay whatever they reach.
 */
#ifndef FUZZ_CORPUS_H
#define FUZZ_CORPUS_H

#include <stdbool.h>

#include "input.h"

struct kept {
	char name[64];
	struct input input;
};

struct corpus {
	struct kept *kept;
	unsigned int nr, room;
};

/* In the order of their names, or the shortest first. */
void corpus_load(struct corpus *corpus, const char *folder, bool shortest_first);
void corpus_load_file(struct corpus *corpus, const char *path, const char *name);
void corpus_add(struct corpus *corpus, const struct input *input);
/* A word and the input in hexadecimal, as one line. */
void say_input(const char *word, const struct input *input);

#endif
