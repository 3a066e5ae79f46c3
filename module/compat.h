/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MBX_COMPAT_H
#define MBX_COMPAT_H

#include <linux/eventfd.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/version.h>

/**
 * DOC: compat
 *
 * What differs between the kernels that the module is built for, Linux 6.1 to 6.12.
 */

/**
 * mbx_eventfd_signal() - add 1 to an eventfd
 * @eventfd: the eventfd
 */
static inline void mbx_eventfd_signal(struct eventfd_ctx *eventfd)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
	eventfd_signal(eventfd);
#else
	eventfd_signal(eventfd, 1);
#endif
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
static inline void vm_flags_clear(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags &= ~flags;
}

static inline void vm_flags_set(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags |= flags;
}
#endif

/**
 * mbx_mm_area() - where a mapping goes of which nobody knows better
 * @file: what is mapped
 * @addr: where the caller wants it, or 0
 * @length: bytes
 * @pgoff: first page of the file
 * @flags: of mmap(2)
 * Return: the address, or a negative errno.
 */
static inline unsigned long mbx_mm_area(struct file *file, unsigned long addr, unsigned long length,
					unsigned long pgoff, unsigned long flags)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
	return mm_get_unmapped_area(current->mm, file, addr, length, pgoff, flags);
#else
	return current->mm->get_unmapped_area(file, addr, length, pgoff, flags);
#endif
}

#endif /* MBX_COMPAT_H */
