// SPDX-License-Identifier: GPL-2.0-only
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <uapi/linux/mailbox.h>

#include "compat.h"
#include "domain.h"
#include "handle.h"
#include "mailbox.h"
#include "quota.h"
#include "region.h"
#include "region_map.h"

static int round_up_size(u64 size, u64 *rounded)
{
	if (size > MAILBOX_REGION_SIZE_MAX)
		return -EINVAL;
	*rounded = PAGE_ALIGN(size);
	return 0;
}

/**
 * mbx_region_init() - the region of a new mailbox
 * @region: filled in; zeroed before
 * @size: bytes as asked for, or 0 for none
 *
 * Context: Process context, may sleep.
 * Return: 0; -EINVAL; -EDQUOT; -ENOMEM; -ENFILE.
 */
int mbx_region_init(struct mbx_region *region, u64 size)
{
	struct mbx_maps *maps;
	struct mbx_user *user;
	int ret;

	ret = round_up_size(size, &size);
	if (ret || !size)
		return ret;
	user = mbx_user_get(current_euid());
	if (IS_ERR(user))
		return PTR_ERR(user);
	ret = mbx_bytes_take(user, size);
	if (ret)
		goto err_user;
	maps = mbx_maps_new(size);
	if (IS_ERR(maps)) {
		ret = PTR_ERR(maps);
		goto err_bytes;
	}
	region->maps = maps;
	region->user = user;
	region->size = size;
	return 0;

err_bytes:
	mbx_bytes_drop(user, size);
err_user:
	mbx_user_put(user);
	return ret;
}

/**
 * mbx_region_end() - let go of the region of a mailbox
 * @box: the mailbox, closed, or never published
 *
 * The pages stay for those who have them mapped, the quota is given back.
 *
 * Context: Process context; does not sleep.
 */
void mbx_region_end(struct mbx_box *box)
{
	struct mbx_region region;

	spin_lock(&box->lock);
	region = box->region;
	box->region = (struct mbx_region){ 0 };
	spin_unlock(&box->lock);

	if (!region.maps)
		return;
	mbx_maps_put(region.maps);
	mbx_bytes_drop(region.user, region.size);
	mbx_user_put(region.user);
}

/**
 * mbx_growth_prepare() - all that a region needs to grow and that may have to sleep
 * @growth: filled in; end it with mbx_growth_end(), also when this fails
 * @box: the mailbox
 * @size: bytes as asked for
 *
 * Context: Process context, may sleep.
 * Return: 0; -EINVAL; -ENOMEM; -ENFILE.
 */
int mbx_growth_prepare(struct mbx_growth *growth, struct mbx_box *box, u64 size)
{
	struct mbx_maps *maps;
	struct mbx_user *user;
	bool first;
	int ret;

	if (!size)
		return -EINVAL;
	ret = round_up_size(size, &growth->size);
	if (ret)
		return ret;
	user = mbx_user_get(current_euid());
	if (IS_ERR(user))
		return PTR_ERR(user);
	growth->user = user;

	/* Another may be faster; once there are pages they stay until the mailbox ends. */
	spin_lock(&box->lock);
	first = !box->region.maps;
	spin_unlock(&box->lock);
	if (!first)
		return 0;
	maps = mbx_maps_new(growth->size);
	if (IS_ERR(maps))
		return PTR_ERR(maps);
	growth->maps = maps;
	return 0;
}

/**
 * mbx_growth_charge_locked() - charge who lets a region grow
 * @growth: prepared
 * @box: the mailbox, published
 *
 * Who lets it grow pays for all of it from then on, so that there is one who pays.
 *
 * Context: The domain lock is held, the mailbox lock is not.
 * Return: 0; -EINVAL for a region that would shrink; -EDQUOT.
 */
int mbx_growth_charge_locked(struct mbx_growth *growth, const struct mbx_box *box)
{
	const struct mbx_region *region = &box->region;
	u64 more = growth->size;
	int ret;

	lockdep_assert_held(&box->domain->lock);
	if (growth->size < region->size)
		return -EINVAL;
	if (growth->size == region->size)
		return 0;
	if (growth->user == region->user)
		more -= region->size;
	ret = mbx_bytes_take(growth->user, more);
	if (!ret)
		growth->paid = more;
	return ret;
}

/**
 * mbx_growth_apply_locked() - let a region grow
 * @growth: charged; has what is to be given back afterwards
 * @box: the mailbox, published
 *
 * Context: The domain lock and the mailbox lock are held.
 */
void mbx_growth_apply_locked(struct mbx_growth *growth, struct mbx_box *box)
{
	struct mbx_region *region = &box->region;

	lockdep_assert_held(&box->domain->lock);
	lockdep_assert_held(&box->lock);
	if (!growth->paid)
		return;
	growth->paid = 0;
	if (growth->user != region->user) {
		growth->paid = region->size;
		swap(growth->user, region->user);
	}
	if (!region->maps)
		swap(growth->maps, region->maps);
	region->size = growth->size;
}

/**
 * mbx_growth_extend_locked() - make the file as long as the region
 * @box: the mailbox, published
 *
 * Its mappings that reach further than it did have pages there from now on.
 *
 * Context: The domain lock is held, by which the mailbox stays open and the region as it is;
 * may sleep.
 */
void mbx_growth_extend_locked(struct mbx_box *box)
{
	struct inode *inode = file_inode(box->region.maps->pages);

	lockdep_assert_held(&box->domain->lock);
	inode_lock(inode);
	if (i_size_read(inode) < box->region.size)
		i_size_write(inode, box->region.size);
	inode_unlock(inode);
}

/**
 * mbx_growth_end() - give back what is left of a growth
 * @growth: prepared or zeroed, applied or not
 *
 * Context: Process context; does not sleep.
 */
void mbx_growth_end(struct mbx_growth *growth)
{
	mbx_maps_put(growth->maps);
	if (!growth->user)
		return;
	mbx_bytes_drop(growth->user, growth->paid);
	mbx_user_put(growth->user);
}

/* What is behind so many bytes of a handle, with a reference. */
static struct mbx_maps *maps_behind(struct mbx_handle *handle, u64 pgoff, u64 length)
{
	struct mbx_box *box = handle->box;
	const struct mbx_region *region = &box->region;
	struct mbx_maps *maps;
	u64 pages;
	int ret;

	spin_lock(&box->lock);
	maps = region->maps;
	pages = region->size >> PAGE_SHIFT;
	ret = mbx_handle_refused_locked(handle);
	if (ret)
		maps = ERR_PTR(ret);
	else if (!(handle->rights & (MAILBOX_RIGHT_SEND | MAILBOX_RIGHT_RECEIVE)))
		maps = ERR_PTR(-EACCES);
	else if (pgoff >= pages || PAGE_ALIGN(length) >> PAGE_SHIFT > pages - pgoff)
		maps = ERR_PTR(-EINVAL);
	else
		refcount_inc(&maps->refs);
	spin_unlock(&box->lock);
	return maps;
}

/**
 * mbx_region_mmap() - mmap(2) of a handle
 * @file: the handle
 * @vma: the new mapping
 *
 * From here on it is one of a file of its own: it keeps neither handle nor mailbox.
 *
 * Context: Process context, may sleep; mmap_lock of the process is held.
 * Return: 0; -EINVAL; -EACCES; -EIDRM; -ENOMEM; -ENFILE.
 */
int mbx_region_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct mbx_handle *handle = file->private_data;
	const bool may_write = handle->rights & MAILBOX_RIGHT_SEND;
	struct mbx_maps *maps;
	int ret;

	if (vma->vm_flags & VM_EXEC)
		return -EACCES;
	maps = maps_behind(handle, vma->vm_pgoff, vma->vm_end - vma->vm_start);
	if (IS_ERR(maps))
		return PTR_ERR(maps);
	/* What a private mapping writes goes to pages of its own. */
	if ((vma->vm_flags & VM_SHARED) && !may_write) {
		ret = -EACCES;
		if (vma->vm_flags & VM_WRITE)
			goto out;
		/* Nor by mprotect(2), nor through /proc/self/mem. */
		vm_flags_clear(vma, VM_MAYWRITE);
	}
	vm_flags_clear(vma, VM_MAYEXEC);
	ret = mbx_maps_mmap(maps, may_write, vma);
out:
	mbx_maps_put(maps);
	return ret;
}

/**
 * mbx_region_area() - where a mapping of a handle is to be
 * @file: the handle
 * @addr: where the caller wants it, or 0
 * @length: bytes
 * @pgoff: first page of the region
 * @flags: of mmap(2)
 *
 * Where there are huge pages, shmem knows an address at which they fit.
 *
 * Context: Process context, may sleep; mmap_lock of the process is held.
 * Return: the address; -EINVAL; -EACCES; -EIDRM; -ENOMEM.
 */
unsigned long mbx_region_area(struct file *file, unsigned long addr, unsigned long length,
			      unsigned long pgoff, unsigned long flags)
{
	struct mbx_maps *maps = maps_behind(file->private_data, pgoff, length);
	unsigned long area;

	if (IS_ERR(maps))
		return PTR_ERR(maps);
	area = maps->pages->f_op->get_unmapped_area(maps->pages, addr, length, pgoff, flags);
	mbx_maps_put(maps);
	return area;
}
