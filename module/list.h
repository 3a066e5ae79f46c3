/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MBX_LIST_H
#define MBX_LIST_H

#include <linux/types.h>

/**
 * struct mbx_list - a walk over what the caller may see, into an array of the caller
 * @next: describes the next one after @after, in @entry. Returns 1; 0 at the end of the list;
 *	-EAGAIN to go on from @after, which moved; or another negative errno
 * @of: for @next
 * @entry: room for one entry; its first member is its size, __u32
 * @known: bytes of an entry as the module knows it
 * @entries: address of the array
 * @entry_size: bytes of an entry as the caller knows it
 * @nr: entries in the array; how many were written
 * @after: where the walk goes on
 */
struct mbx_list {
	int (*next)(void *of, u64 *after, void *entry);
	void *of;
	void *entry;
	u32 known;
	u64 entries;
	u32 entry_size;
	u32 nr;
	u64 after;
};

int mbx_list_fill(struct mbx_list *list);

#endif /* MBX_LIST_H */
