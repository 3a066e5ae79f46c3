/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An input as a person reads it.
 */
#ifndef FUZZ_SHOW_H
#define FUZZ_SHOW_H

#include "input.h"

void show_input(const struct input *input);

#endif
