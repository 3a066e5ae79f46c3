/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MBX_REGION_MAP_H
#define MBX_REGION_MAP_H

#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct file;
struct mailbox_stat;
struct pid;
struct vm_area_struct;

/**
 * DOC: mappings of a region
 *
 * Each mapping of a region is one of a file of its own over the same pages, which has no
 * descriptor. The file is the module's, so the module stays loaded while there is a mapping; what
 * is done with the pages is done by shmem. Only the begin and the end of each mapping, of each
 * part of one, and of each copy that a fork makes, come by here, to be counted.
 *
 * Why no file that all mappings share: Linux 6.4 and later melt two neighbours of one file into
 * one, also where the second has just begun, and say nothing of it.
 */

/**
 * struct mbx_maps - the pages of a region, and what is known of their mappings
 * @refs: of the region, and of the file of each mapping: it outlives mailbox and handles
 * @pages: file of shmem, with a reference; constant
 * @lock: guards all below; inside the mailbox lock, and inside mmap_lock
 * @nr: mappings
 * @last_mapped: time, or 0
 * @last_unmapped: time, or 0
 * @last_mapper: process that did either last, with a reference, or NULL
 */
struct mbx_maps {
	refcount_t refs;
	struct file *pages;
	spinlock_t lock;
	u32 nr;
	u64 last_mapped;
	u64 last_unmapped;
	struct pid *last_mapper;
};

struct mbx_maps *mbx_maps_new(u64 size);
void mbx_maps_put(struct mbx_maps *maps);
int mbx_maps_mmap(struct mbx_maps *maps, bool may_write, struct vm_area_struct *vma);
void mbx_maps_stat(struct mbx_maps *maps, struct mailbox_stat *stat);

#endif /* MBX_REGION_MAP_H */
