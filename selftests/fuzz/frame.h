/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A frame is the structure of one call with what surrounds it: built from the call's
 * changes, put into memory, and compared afterwards.
 */
#ifndef FUZZ_FRAME_H
#define FUZZ_FRAME_H

#include <sys/types.h>

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
/* That for the first member of this kind; the same of the first entry; that of this name. */
unsigned int frame_place_of(const struct layout *layout, enum kind kind);
unsigned int frame_place_of_entry(const struct layout *layout, enum kind kind);
unsigned int frame_place_named(const struct layout *layout, const char *name);
/* What was received is what was sent, or what the kernel makes. */
bool frame_is_payload(const __u8 *data, size_t length);
/* Is all of the array for the kernel to write? */
bool frame_is_list(const struct frame *frame);
/* Where a receipt goes that is waited for, if it can; or NULL. */
__u8 *frame_receipt(const struct frame *frame);
/* The process that a member names, or 0. */
pid_t frame_pid(const struct frame *frame);
void frame_build(struct frame *frame, const struct call *call);
/* Write structure and array into memory. */
void frame_place(struct frame *frame);
/* After the call, which returned a negative errno or 0: has anything been written that must not? */
void frame_check(struct frame *frame, int ret);

#endif
