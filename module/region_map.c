// SPDX-License-Identifier: GPL-2.0-only
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>
#include <uapi/linux/mailbox.h>

#include "compat.h"
#include "region_map.h"

#ifndef CONFIG_SHMEM
#error "Regions are files of shmem: the kernel needs CONFIG_SHMEM."
#endif

/*
 * What the file of a mapping has for its private_data.
 * @maps: with a reference; constant
 * @nr: mappings of this file: that of mmap(2), its parts and copies (guarded by @maps->lock)
 */
struct mapping {
	struct mbx_maps *maps;
	u32 nr;
};

/*
 * shmem's own but for what is ours. It exports neither, so they are taken from the first mapping;
 * they are constant once @theirs says so.
 */
static DEFINE_MUTEX(learn_lock);
static const struct vm_operations_struct *theirs;
static struct vm_operations_struct map_vm_ops;
static struct file_operations map_fops;

/**
 * mbx_maps_new() - pages for a region
 * @size: bytes, whole pages
 *
 * Nothing is reserved: a page costs memory when somebody touches it, as in a memfd.
 *
 * Context: Process context, may sleep.
 * Return: the pages, with a reference; ERR_PTR(-ENOMEM); ERR_PTR(-ENFILE).
 */
struct mbx_maps *mbx_maps_new(u64 size)
{
	struct mbx_maps *maps = kzalloc(sizeof(*maps), GFP_KERNEL_ACCOUNT);
	struct file *pages;

	if (!maps)
		return ERR_PTR(-ENOMEM);
	pages = shmem_file_setup("mailbox", size, VM_NORESERVE);
	if (IS_ERR(pages)) {
		kfree(maps);
		/* It has no room for inodes but memory. */
		return pages == ERR_PTR(-ENOSPC) ? ERR_PTR(-ENOMEM) : ERR_CAST(pages);
	}
	refcount_set(&maps->refs, 1);
	maps->pages = pages;
	spin_lock_init(&maps->lock);
	return maps;
}

/**
 * mbx_maps_put() - give a reference back
 * @maps: the pages, or NULL
 *
 * Context: Process context; does not sleep.
 */
void mbx_maps_put(struct mbx_maps *maps)
{
	if (!maps || !refcount_dec_and_test(&maps->refs))
		return;
	fput(maps->pages);
	put_pid(maps->last_mapper);
	kfree(maps);
}

static void count(struct mapping *mapping, u32 more, u32 less)
{
	struct mbx_maps *maps = mapping->maps;
	struct pid *pid = get_pid(task_tgid(current));
	const u64 now = ktime_get_ns();

	spin_lock(&maps->lock);
	mapping->nr += more - less;
	maps->nr += more - less;
	if (more)
		maps->last_mapped = now;
	else
		maps->last_unmapped = now;
	swap(pid, maps->last_mapper);
	spin_unlock(&maps->lock);
	put_pid(pid);
}

/* A copy for a child, or the second of two parts; the file is the same. */
static void map_open(struct vm_area_struct *vma)
{
	if (theirs->open)
		theirs->open(vma);
	count(vma->vm_file->private_data, 1, 0);
}

static void map_close(struct vm_area_struct *vma)
{
	count(vma->vm_file->private_data, 0, 1);
	if (theirs->close)
		theirs->close(vma);
}

/* Of a file that a mapping has: what remap_file_pages(2) does with it. */
static int map_again(struct file *file, struct vm_area_struct *vma)
{
	struct mapping *mapping = file->private_data;
	int ret;

	if (vma->vm_flags & VM_EXEC)
		return -EACCES;
	ret = call_mmap(mapping->maps->pages, vma);
	if (ret)
		return ret;
	vm_flags_clear(vma, VM_MAYEXEC);
	vma->vm_ops = &map_vm_ops;
	count(mapping, 1, 0);
	return 0;
}

static int map_release(struct inode *inode, struct file *file)
{
	struct mapping *mapping = file->private_data;

	/* What remap_file_pages(2) has made, and was melted into its neighbour unheard. */
	if (unlikely(mapping->nr))
		count(mapping, 0, mapping->nr);
	mbx_maps_put(mapping->maps);
	kfree(mapping);
	return 0;
}

/* A mapping as shmem has made it. */
static void learn(const struct file *pages, const struct vm_area_struct *vma)
{
	/* Pairs with the release below: who sees that it is set sees what was learnt. */
	if (likely(smp_load_acquire(&theirs)))
		return;
	mutex_lock(&learn_lock);
	if (!theirs) {
		map_vm_ops = *vma->vm_ops;
		map_vm_ops.open = map_open;
		map_vm_ops.close = map_close;
		map_fops = *pages->f_op;
		map_fops.owner = THIS_MODULE;
		map_fops.mmap = map_again;
		map_fops.release = map_release;
		/* Pairs with the acquire above. */
		smp_store_release(&theirs, vma->vm_ops);
	}
	mutex_unlock(&learn_lock);
}

static struct file *file_new(struct mbx_maps *maps, bool may_write)
{
	struct mapping *mapping = kzalloc(sizeof(*mapping), GFP_KERNEL_ACCOUNT);
	struct inode *inode = file_inode(maps->pages);
	struct file *file;

	if (!mapping)
		return ERR_PTR(-ENOMEM);
	/* Both are the file's own if it comes to be. */
	ihold(inode);
	__module_get(THIS_MODULE);
	file = alloc_file_pseudo(inode, maps->pages->f_path.mnt, "mailbox",
				 may_write ? O_RDWR : O_RDONLY, &map_fops);
	if (IS_ERR(file)) {
		module_put(THIS_MODULE);
		iput(inode);
		kfree(mapping);
		return file;
	}
	refcount_inc(&maps->refs);
	mapping->maps = maps;
	file->private_data = mapping;
	return file;
}

/**
 * mbx_maps_mmap() - begin a mapping
 * @maps: what is mapped; the mapping has a reference of its own
 * @may_write: the mapping may come to be one that can be written, by remap_file_pages(2) too
 * @vma: the mapping
 *
 * When this fails the kernel says no more of the mapping; when a later step of mmap(2) does it
 * ends as any other.
 *
 * Context: Process context, may sleep; mmap_lock of the process is held.
 * Return: 0; -ENOMEM; -ENFILE.
 */
int mbx_maps_mmap(struct mbx_maps *maps, bool may_write, struct vm_area_struct *vma)
{
	struct file *file;
	int ret;

	ret = call_mmap(maps->pages, vma);
	if (ret)
		return ret;
	learn(maps->pages, vma);
	file = file_new(maps, may_write);
	if (IS_ERR(file))
		return PTR_ERR(file);
	vma_set_file(vma, file);
	vma->vm_ops = &map_vm_ops;
	count(file->private_data, 1, 0);
	fput(file);
	return 0;
}

/**
 * mbx_maps_stat() - describe the mappings of a region
 * @maps: its pages, or NULL
 * @stat: where it is filled in; zeroed before
 *
 * Context: Does not sleep.
 */
void mbx_maps_stat(struct mbx_maps *maps, struct mailbox_stat *stat)
{
	if (!maps)
		return;
	spin_lock(&maps->lock);
	stat->maps = maps->nr;
	stat->last_mapped = maps->last_mapped;
	stat->last_unmapped = maps->last_unmapped;
	stat->last_mapper = pid_vnr(maps->last_mapper);
	spin_unlock(&maps->lock);
}
