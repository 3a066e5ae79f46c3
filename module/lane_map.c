// SPDX-License-Identifier: GPL-2.0-only
#include <linux/anon_inodes.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/spinlock.h>

#include "compat.h"
#include "handle.h"
#include "lane.h"
#include "mailbox.h"

static vm_fault_t lane_fault(struct vm_fault *fault)
{
	const struct mbx_lane *lane = fault->vma->vm_file->private_data;

	if (fault->pgoff >= lane->nr_pages)
		return VM_FAULT_SIGBUS;
	fault->page = lane->pages[fault->pgoff];
	get_page(fault->page);
	return 0;
}

static const struct vm_operations_struct lane_vm_ops = {
	.fault = lane_fault,
};

/* The area in which a mapping lies as a whole, or -EINVAL. */
static int area_of(const struct mbx_lane *lane, struct vm_area_struct *vma)
{
	const unsigned long first = vma->vm_pgoff, pages = vma_pages(vma);
	const unsigned long area = min_t(unsigned long, first, MAILBOX_LANE_DATA);
	const unsigned long end = area == MAILBOX_LANE_DATA ? lane->nr_pages : area + 1;

	return first < end && pages <= end - first ? area : -EINVAL;
}

/*
 * Of the file that a mapping has, which is another for each side. Not only mmap(2) comes here: so
 * does remap_file_pages(2), with any part of the file, and with the rights of a mapping of another
 * part.
 */
static int map(const struct mbx_lane *lane, struct vm_area_struct *vma, bool may_write)
{
	if (vma->vm_flags & VM_EXEC)
		return -EACCES;
	if (!may_write) {
		if (vma->vm_flags & VM_WRITE)
			return -EACCES;
		/* Nor by mprotect(2), nor through /proc/self/mem. */
		vm_flags_clear(vma, VM_MAYWRITE);
	}
	vm_flags_clear(vma, VM_MAYEXEC);
	/* Or it would grow into what stands beside it, with its rights. */
	vm_flags_set(vma, VM_DONTEXPAND);
	vma->vm_ops = &lane_vm_ops;
	return 0;
}

static int sender_mmap(struct file *file, struct vm_area_struct *vma)
{
	const struct mbx_lane *lane = file->private_data;
	const int area = area_of(lane, vma);

	if (area < 0 || !(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	return map(lane, vma, area >= MAILBOX_LANE_PRODUCER);
}

static int receiver_mmap(struct file *file, struct vm_area_struct *vma)
{
	const struct mbx_lane *lane = file->private_data;
	const int area = area_of(lane, vma);

	if (area < 0 || !(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	return map(lane, vma, area == MAILBOX_LANE_CONSUMER);
}

static int lane_release(struct inode *inode, struct file *file)
{
	mbx_lane_put(file->private_data);
	return 0;
}

/* The owner stays loaded until the last mapping is gone: it is the file that keeps it. */
static const struct file_operations sender_fops = {
	.owner = THIS_MODULE,
	.release = lane_release,
	.mmap = sender_mmap,
};

static const struct file_operations receiver_fops = {
	.owner = THIS_MODULE,
	.release = lane_release,
	.mmap = receiver_mmap,
};

/**
 * mbx_lane_maps() - is an offset one of lanes?
 * @pgoff: in pages
 * Return: false where it is one of the region.
 */
bool mbx_lane_maps(unsigned long pgoff)
{
	return pgoff >= MBX_LANE_OFFSET >> PAGE_SHIFT;
}

/* The lane of a handle at an offset, with a reference. */
static struct mbx_lane *lane_at(const struct mbx_handle *handle, u64 offset)
{
	struct mbx_lanes *lanes = mbx_lanes_of(handle->box);
	const u64 place = (offset - MBX_LANE_OFFSET) / MBX_LANE_STRIDE;
	struct mbx_lane *lane = NULL;
	int ret;

	spin_lock(&handle->box->lock);
	ret = mbx_handle_refused_locked(handle);
	spin_unlock(&handle->box->lock);
	if (ret || !lanes)
		return ERR_PTR(ret ?: -EINVAL);

	spin_lock(&lanes->lock);
	if (offset & MBX_LANE_RECEIVER) {
		if (lanes->receiver == handle && place < MAILBOX_LANES_MAX)
			lane = lanes->places[place];
		if (lane && !lane->told)
			lane = NULL;
	} else if (handle->lane && handle->lane->place == place) {
		lane = handle->lane;
	}
	if (lane)
		refcount_inc(&lane->refs);
	spin_unlock(&lanes->lock);
	return lane ?: ERR_PTR(-EINVAL);
}

/**
 * mbx_lane_mmap() - mmap(2) of a handle at the offset of a lane
 * @file: the handle
 * @vma: the new mapping
 *
 * From here on it is one of a file of its own.
 *
 * Context: Process context, may sleep; mmap_lock of the process is held.
 * Return: 0; -EINVAL; -EACCES; -EIDRM; -ENOMEM; -ENFILE.
 */
int mbx_lane_mmap(struct file *file, struct vm_area_struct *vma)
{
	const u64 offset = (u64)vma->vm_pgoff << PAGE_SHIFT;
	const bool receiver = offset & MBX_LANE_RECEIVER;
	struct mbx_lane *lane = lane_at(file->private_data, offset);
	struct file *pages;
	int ret;

	if (IS_ERR(lane))
		return PTR_ERR(lane);
	pages = anon_inode_getfile("[mailbox-lane]", receiver ? &receiver_fops : &sender_fops, lane,
				   O_RDWR);
	if (IS_ERR(pages)) {
		mbx_lane_put(lane);
		return PTR_ERR(pages);
	}
	/* In the file of the lane: remap_file_pages(2) goes by it. */
	vma->vm_pgoff = (offset & (MBX_LANE_RECEIVER - 1)) >> PAGE_SHIFT;
	vma_set_file(vma, pages);
	ret = call_mmap(pages, vma);
	fput(pages);
	return ret;
}
