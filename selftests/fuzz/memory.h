/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The memory that a worker shows to the kernel. Each area ends where a hole begins.
 * What the kernel may not write is poisoned and looked at again after each call.
 */
#ifndef FUZZ_MEMORY_H
#define FUZZ_MEMORY_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#define POISON 0xa5
/* Each byte that is sent is this, so each that is received must be. */
#define PAYLOAD 0x5a

#define PAGE	     4096
#define ARGS_SIZE    (2 * PAGE)
#define SINK_LOOK    (16 * 1024)
#define ENTRIES_SIZE (256 * 1024)
#define ENTRIES_LOOK (32 * 1024)

struct memory {
	__u8 *args; /* structures */
	__u8 *entries; /* arrays of batches and lists */
	__u8 *sink; /* what is received */
	__u8 *source; /* what is sent; it cannot be written */
	__u8 *given; /* descriptors that are sent */
	__u8 *files; /* those that are received */
	__u8 *receipt; /* of a message whose sender waits for it */
	__u8 *args_end, *entries_end, *sink_end, *source_end, *given_end, *files_end;
	__u8 *receipt_end;
	/* As they are expected to be after the call. */
	__u8 args_after[ARGS_SIZE];
	__u8 entries_after[ENTRIES_LOOK];
};

extern struct memory memory;

void memory_init(void);
/* An address for an array or a payload of @size bytes; 0 for @how is the good one. */
__u64 memory_address(__u8 *area, __u8 *end, unsigned int how, size_t size);
/* Is all of it @value? */
bool memory_is(const __u8 *at, __u8 value, size_t size);
/* Does the area lie within [at, at + size)? */
bool memory_within(const void *data, size_t length, const __u8 *at, const __u8 *end);

#endif
