// SPDX-License-Identifier: GPL-2.0-only
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "files.h"
#include "message.h"

/* A cgroup that is full makes a send fail; it does not have a process killed. */
#define MESSAGE_GFP (GFP_KERNEL_ACCOUNT | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)

static struct kmem_cache *message_cache;

static_assert(sizeof(struct mbx_message) + 64 <= MBX_MESSAGE_OBJECT,
	      "a payload of 64 bytes fits behind the message");

static u32 nr_pages(u32 room)
{
	return DIV_ROUND_UP(room, PAGE_SIZE);
}

/* The memory that a message of this room takes, and so its charge. */
static u32 footprint(u32 room)
{
	if (room <= MBX_INLINE)
		return MBX_MESSAGE_OBJECT;
	if (room <= PAGE_SIZE)
		return MBX_MESSAGE_OBJECT + room;
	return MBX_MESSAGE_OBJECT + room + nr_pages(room) * sizeof(struct page *);
}

static void free_payload(struct mbx_message *msg)
{
	u32 i;

	if (msg->room <= MBX_INLINE)
		return;
	if (msg->room <= PAGE_SIZE) {
		kfree(msg->buffer);
		return;
	}
	if (!msg->pages)
		return;
	for (i = 0; i < nr_pages(msg->room) && msg->pages[i]; i++)
		__free_page(msg->pages[i]);
	kvfree(msg->pages);
}

static int alloc_payload(struct mbx_message *msg)
{
	u32 i;

	if (msg->room <= MBX_INLINE)
		return 0;
	if (msg->room <= PAGE_SIZE) {
		msg->buffer = kmalloc(msg->room, MESSAGE_GFP);
		return msg->buffer ? 0 : -ENOMEM;
	}
	/* At most 32 KiB of pointers, for 16 MiB. */
	msg->pages = kvcalloc(nr_pages(msg->room), sizeof(*msg->pages), MESSAGE_GFP);
	if (!msg->pages)
		return -ENOMEM;
	for (i = 0; i < nr_pages(msg->room); i++) {
		msg->pages[i] = alloc_page(MESSAGE_GFP);
		if (!msg->pages[i])
			return -ENOMEM;
		/* A killed sender is not to finish filling 16 MiB first. */
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	return 0;
}

/**
 * mbx_message_new() - an empty message, charged
 * @user: who pays
 * @length: bytes of payload it must have room for
 *
 * Context: Process context, may sleep.
 * Return: the message; or ERR_PTR: -EDQUOT, -ENOMEM, or -EINTR when killed.
 */
struct mbx_message *mbx_message_new(struct mbx_user *user, u32 length)
{
	u32 room = mbx_message_room(length);
	struct mbx_message *msg;
	struct mbx_charge charge;
	int ret;

	ret = mbx_charge_take(&charge, user, 0, 1, footprint(room));
	if (ret)
		return ERR_PTR(ret);

	msg = kmem_cache_alloc(message_cache, MESSAGE_GFP);
	if (!msg) {
		mbx_charge_drop(&charge);
		return ERR_PTR(-ENOMEM);
	}
	memset(msg, 0, sizeof(*msg));
	msg->room = room;
	msg->charge = charge;

	ret = alloc_payload(msg);
	if (ret) {
		mbx_message_free(msg);
		return ERR_PTR(ret);
	}
	return msg;
}

/**
 * mbx_message_free() - free a message and give its charge back
 * @msg: the message, or NULL
 *
 * Context: Process context, may sleep.
 */
void mbx_message_free(struct mbx_message *msg)
{
	if (!msg)
		return;
	free_payload(msg);
	if (unlikely(msg->files))
		mbx_files_free(msg->files);
	put_pid(msg->process);
	put_pid(msg->thread);
	mbx_charge_drop(&msg->charge);
	kmem_cache_free(message_cache, msg);
}

/**
 * mbx_message_free_all() - free a list of messages
 * @first: the first of those chained by @next, or NULL
 *
 * Context: Process context, may sleep.
 */
void mbx_message_free_all(struct mbx_message *first)
{
	while (first) {
		struct mbx_message *next = first->next;

		mbx_message_free(first);
		first = next;
		cond_resched();
	}
}

/*
 * What copy_from_user() does, less the check that the object it copies to is large enough
 * (hardened usercopy): here that is known. It saves 10 % of a message of 4 KiB.
 */
static unsigned long copy_from(void *to, const void __user *from, unsigned long length)
{
#ifdef INLINE_COPY_FROM_USER
	return copy_from_user(to, from, length);
#else
	return _copy_from_user(to, from, length);
#endif
}

static unsigned long copy_to(void __user *to, const void *from, unsigned long length)
{
#ifdef INLINE_COPY_TO_USER
	return copy_to_user(to, from, length);
#else
	return _copy_to_user(to, from, length);
#endif
}

/**
 * mbx_message_copy_in_long() - fill the payload
 * @msg: a message with room for it, not published, whose payload is not behind it
 * @from: user memory
 * @length: bytes
 *
 * Context: Process context, may sleep.
 * Return: 0; -EFAULT; -EINTR when killed.
 */
int mbx_message_copy_in_long(struct mbx_message *msg, const void __user *from, u32 length)
{
	u32 i, part, left = length;

	if (msg->room <= PAGE_SIZE)
		return copy_from(msg->buffer, from, length) ? -EFAULT : 0;

	for (i = 0; left; i++, left -= part, from += part) {
		part = min_t(u32, left, PAGE_SIZE);
		if (copy_from(page_address(msg->pages[i]), from, part))
			return -EFAULT;
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	return 0;
}

/**
 * mbx_message_copy_out() - copy the payload, or its beginning
 * @msg: a message that the caller has claimed or peeks at
 * @offset: bytes of the payload that are left out
 * @to: user memory
 * @length: bytes, at most those of the payload behind @offset
 *
 * Context: Process context, may sleep.
 * Return: 0; -EFAULT; -EINTR when killed.
 */
int mbx_message_copy_out(const struct mbx_message *msg, u32 offset, void __user *to, u32 length)
{
	u32 at = offset % PAGE_SIZE, left = length, part, i;

	if (!length)
		return 0;
	if (msg->room <= MBX_INLINE)
		return copy_to(to, msg->inline_data + offset, length) ? -EFAULT : 0;
	if (msg->room <= PAGE_SIZE)
		return copy_to(to, msg->buffer + offset, length) ? -EFAULT : 0;

	for (i = offset / PAGE_SIZE; left; i++, at = 0, left -= part, to += part) {
		part = min_t(u32, left, PAGE_SIZE - at);
		if (copy_to(to, page_address(msg->pages[i]) + at, part))
			return -EFAULT;
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	return 0;
}

/**
 * mbx_message_stamp_pids() - mbx_message_stamp() where another thread sent it before
 * @msg: a message not yet published
 *
 * A thread's pid is in one process for as long as it is anybody's: where it is the
 * same, so is the process.
 */
void mbx_message_stamp_pids(struct mbx_message *msg)
{
	struct pid *process = msg->process, *thread = msg->thread;

	msg->process = get_pid(task_tgid(current));
	msg->thread = get_pid(task_pid(current));
	msg->entry.sender = (unsigned long)msg->process;
	put_pid(process);
	put_pid(thread);
}

/**
 * mbx_message_cache_init() - before the first message
 * Return: 0 or -ENOMEM.
 */
int mbx_message_cache_init(void)
{
	message_cache = kmem_cache_create("mailbox_message", MBX_MESSAGE_OBJECT, 0,
					  SLAB_HWCACHE_ALIGN, NULL);
	return message_cache ? 0 : -ENOMEM;
}

/**
 * mbx_message_cache_fini() - after the last message
 */
void mbx_message_cache_fini(void)
{
	kmem_cache_destroy(message_cache);
}
