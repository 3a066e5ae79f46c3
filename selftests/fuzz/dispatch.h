/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Gives the calls of an input to the workers, and afterwards puts everything back and
 * looks whether the module has forgotten all of it.
 */
#ifndef FUZZ_DISPATCH_H
#define FUZZ_DISPATCH_H

#include "shared.h"

void dispatch_init(void);
/* Returns whether all was well; else shared->failure says what was not. */
bool dispatch_run(const struct input *input);
/* Is there KCOV? */
bool dispatch_has_cover(void);

#endif
