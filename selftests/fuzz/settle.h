/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Puts back what an input has changed, and looks whether the module agrees.
 */
#ifndef FUZZ_SETTLE_H
#define FUZZ_SETTLE_H

#include <linux/types.h>
#include <stdbool.h>

void settle_init(void);
/* Sets a parameter of the module until the input ends. */
void settle_limit(unsigned int which, __u64 value);
void settle_all(void);

#endif
