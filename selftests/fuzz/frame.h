/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A frame is the structure of one call with what surrounds it: built from the call's
 * changes, put into memory, and compared afterwards.
 */
#ifndef FUZZ_FRAME_H
#define FUZZ_FRAME_H

#include "describe.h"
#include "memory.h"

/* No structure is longer than a page; one step beyond it is refused. */
#define SPAN_MAX (PAGE + 64)

/* Changes that are none of a member, in this order before those of members. */
enum special { SPECIAL_WHERE, SPECIAL_COMMAND, SPECIAL_TAIL, SPECIAL_FAIL, SPECIALS };

struct frame {
	const struct call *call;
	const struct layout *layout;
	__u32 cmd;
	__u8 where;
	unsigned int fail_nth;
	__u8 image[SPAN_MAX];
	size_t span;
	/* Where it is for the kernel, and whether it lies in memory.args as a whole. */
	__u8 *at;
	bool whole;
	/* The array: what the structure says of it. */
	__u8 *entries;
	__u64 nr, entry_size;
};

/* How many different places a change can be for. */
unsigned int frame_places(const struct layout *layout);
/* That for the first member of this kind. */
unsigned int frame_place_of(const struct layout *layout, enum kind kind);
void frame_build(struct frame *frame, const struct call *call);
/* Write structure and array into memory. */
void frame_place(struct frame *frame);
/* After the call, which returned a negative errno or 0: has anything been written that must not? */
void frame_check(struct frame *frame, int ret);

#endif
