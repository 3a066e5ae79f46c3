/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MBX_REGION_H
#define MBX_REGION_H

#include <linux/types.h>

struct file;
struct mbx_box;
struct mbx_maps;
struct mbx_user;
struct vm_area_struct;

/**
 * DOC: region
 *
 * The shared pages of a mailbox: a file of shmem that has no name and that nobody has a
 * descriptor of. A mapping of a handle is a mapping of the same pages, so whatever can be done
 * with a mapping is done by the kernel's own code: pages come zeroed when they are touched,
 * are charged to the cgroup of who touches them, may be swapped out, and live as long as the
 * mailbox or any mapping. The module never reads or writes them.
 */

/**
 * struct mbx_region - the shared pages of a mailbox
 * @maps: the pages, with a reference; NULL where there are none, and once the mailbox is closed
 * @user: who pays, with a reference; NULL where there are no @maps
 * @size: bytes, whole pages; what is paid for, and the size of the file of the pages
 *
 * Written under the domain lock and the mailbox lock while the mailbox can be found, under the
 * latter when it is closed; read under one of them.
 */
struct mbx_region {
	struct mbx_maps *maps;
	struct mbx_user *user;
	u64 size;
};

/**
 * struct mbx_growth - a region on its way to be larger
 * @maps: pages that were made for it, with a reference, or NULL
 * @user: who is to pay, with a reference, or NULL
 * @size: bytes that the region is to have, whole pages
 * @paid: bytes that are charged to @user, and not for a region
 */
struct mbx_growth {
	struct mbx_maps *maps;
	struct mbx_user *user;
	u64 size;
	u64 paid;
};

int mbx_region_init(struct mbx_region *region, u64 size);
void mbx_region_end(struct mbx_box *box);

int mbx_growth_prepare(struct mbx_growth *growth, struct mbx_box *box, u64 size);
int mbx_growth_charge_locked(struct mbx_growth *growth, const struct mbx_box *box);
void mbx_growth_apply_locked(struct mbx_growth *growth, struct mbx_box *box);
void mbx_growth_extend_locked(struct mbx_box *box);
void mbx_growth_end(struct mbx_growth *growth);

int mbx_region_mmap(struct file *file, struct vm_area_struct *vma);
unsigned long mbx_region_area(struct file *file, unsigned long addr, unsigned long length,
			      unsigned long pgoff, unsigned long flags);

#endif /* MBX_REGION_H */
