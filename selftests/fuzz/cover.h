/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What an input has reached: pairs of places in the module that ran one after the
 * other, as KCOV tells them, and for each kind of call the errors it returned. The
 * latter are there on any kernel.
 */
#ifndef FUZZ_COVER_H
#define FUZZ_COVER_H

#include <linux/types.h>
#include <stdbool.h>

#define FEATURES (64 * 1024)

/* Those of one input, each once. */
struct features {
	__u32 nr;
	__u16 list[FEATURES];
	__u8 seen[FEATURES];
};

struct cover {
	unsigned long *pcs; /* NULL without KCOV */
	unsigned long before;
};

/* Descriptor @fd becomes a buffer of KCOV. Returns false where there is none. */
bool cover_open(struct cover *cover, int fd);
/* Whatever the calling task does in the module is counted from now on. */
void cover_start(struct cover *cover, int fd);
void cover_begin_call(struct cover *cover, unsigned int op);
/* Also for a task that was killed within the call. */
void cover_end_call(struct cover *cover);
void cover_result(unsigned int op, int error);
void features_clear(void);
/* Different places in the module, of all inputs so far. */
unsigned int cover_places(void);

#endif
