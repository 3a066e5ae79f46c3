/* SPDX-License-Identifier: GPL-2.0 */
/*
 * New inputs, from nothing or from others. All chance comes from one seed.
 */
#ifndef FUZZ_MUTATE_H
#define FUZZ_MUTATE_H

#include "input.h"

void chance_seed(__u64 seed);
/* 0 to @below - 1. */
__u32 chance(__u32 below);
void input_random(struct input *input);
/* A few changes of any kind; @other gives calls. */
void input_mutate(struct input *input, const struct input *other);
/* Without the call @nr. */
void input_remove(struct input *input, const struct program *program, unsigned int nr);
/* Without the change @change of the call @nr. */
void input_remove_change(struct input *input, const struct program *program, unsigned int nr,
			 unsigned int change);

#endif
