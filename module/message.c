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

#include "message.h"

/*
 * What a mailbox keeps at most, and short messages only: they stay on the quota of
 * their sender, and whoever owns many mailboxes must not be able to use that up.
 */
#define STASH_MAX_NR 8

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

static u32 room_for(u32 length)
{
	if (length <= MBX_INLINE)
		return MBX_INLINE;
	if (length <= PAGE_SIZE)
		return max_t(u32, roundup_pow_of_two(length), 256);
	return nr_pages(length) * PAGE_SIZE;
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
	u32 room = room_for(length);
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
 * Copying a few words in line saves what copy_from_user() spends on checking the
 * object it copies to (hardened usercopy): 150 instructions of some 1,800.
 */
static int copy_in_words(u8 *to, const u8 __user *from, u32 length)
{
	if (!user_access_begin(from, length))
		return -EFAULT;
	for (; length >= sizeof(long); length -= sizeof(long)) {
		unsafe_get_user(*(unsigned long *)to, (const unsigned long __user *)from, fault);
		to += sizeof(long);
		from += sizeof(long);
	}
	for (; length; length--, to++, from++)
		unsafe_get_user(*to, from, fault);
	user_access_end();
	return 0;
fault:
	user_access_end();
	return -EFAULT;
}

static int copy_out_words(u8 __user *to, const u8 *from, u32 length)
{
	if (!user_access_begin(to, length))
		return -EFAULT;
	for (; length >= sizeof(long); length -= sizeof(long)) {
		unsafe_put_user(*(const unsigned long *)from, (unsigned long __user *)to, fault);
		to += sizeof(long);
		from += sizeof(long);
	}
	for (; length; length--, to++, from++)
		unsafe_put_user(*from, to, fault);
	user_access_end();
	return 0;
fault:
	user_access_end();
	return -EFAULT;
}

/**
 * mbx_message_copy_in() - fill the payload
 * @msg: a message with room for it, not published
 * @from: user memory
 * @length: bytes
 *
 * Context: Process context, may sleep.
 * Return: 0; -EFAULT; -EINTR when killed.
 */
int mbx_message_copy_in(struct mbx_message *msg, const void __user *from, u32 length)
{
	u32 i, part, left = length;

	msg->length = length;
	if (!length)
		return 0;
	if (msg->room <= MBX_INLINE)
		return copy_in_words(msg->inline_data, from, length);
	if (msg->room <= PAGE_SIZE)
		return copy_from_user(msg->buffer, from, length) ? -EFAULT : 0;

	for (i = 0; left; i++, left -= part, from += part) {
		part = min_t(u32, left, PAGE_SIZE);
		if (copy_from_user(page_address(msg->pages[i]), from, part))
			return -EFAULT;
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	return 0;
}

/**
 * mbx_message_copy_out() - copy the payload, or its beginning
 * @msg: a message that the caller has claimed or peeks at
 * @to: user memory
 * @length: bytes, at most those of the payload
 *
 * Context: Process context, may sleep.
 * Return: 0; -EFAULT; -EINTR when killed.
 */
int mbx_message_copy_out(const struct mbx_message *msg, void __user *to, u32 length)
{
	u32 i, part, left = length;

	if (!length)
		return 0;
	if (msg->room <= MBX_INLINE)
		return copy_out_words(to, msg->inline_data, length);
	if (msg->room <= PAGE_SIZE)
		return copy_to_user(to, msg->buffer, length) ? -EFAULT : 0;

	for (i = 0; left; i++, left -= part, to += part) {
		part = min_t(u32, left, PAGE_SIZE);
		if (copy_to_user(to, page_address(msg->pages[i]), part))
			return -EFAULT;
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	return 0;
}

static void stamp_pid(struct pid **at, struct pid *pid)
{
	/* A reused message mostly has the same sender: no reference is touched. */
	if (likely(*at == pid))
		return;
	put_pid(*at);
	*at = get_pid(pid);
}

/**
 * mbx_message_stamp() - say on a message that current sent it
 * @msg: a message not yet published
 */
void mbx_message_stamp(struct mbx_message *msg)
{
	stamp_pid(&msg->process, task_tgid(current));
	stamp_pid(&msg->thread, task_pid(current));
	current_euid_egid(&msg->uid, &msg->gid);
	msg->entry.sender = (unsigned long)msg->process;
}

/**
 * mbx_stash_put() - keep a spent message
 * @stash: where
 * @msg: the message
 * Return: true if it was kept; else it is still the caller's.
 */
bool mbx_stash_put(struct mbx_stash *stash, struct mbx_message *msg)
{
	if (stash->nr == STASH_MAX_NR || msg->room > MBX_INLINE)
		return false;
	msg->next = stash->first;
	stash->first = msg;
	stash->nr++;
	return true;
}

/**
 * mbx_stash_take() - take a kept message that fits
 * @stash: where
 * @user: who must be charged for it already
 * @length: bytes of payload it must have room for
 * Return: the message, to be filled and stamped anew, or NULL.
 */
struct mbx_message *mbx_stash_take(struct mbx_stash *stash, struct mbx_user *user, u32 length)
{
	struct mbx_message **at, *msg;

	if (length > MBX_INLINE)
		return NULL;
	for (at = &stash->first; (msg = *at); at = &msg->next) {
		if (msg->charge.user == user) {
			*at = msg->next;
			stash->nr--;
			return msg;
		}
	}
	return NULL;
}

/**
 * mbx_stash_empty() - take all kept messages
 * @stash: where
 * Return: the first of them, chained by @next, or NULL.
 */
struct mbx_message *mbx_stash_empty(struct mbx_stash *stash)
{
	struct mbx_message *first = stash->first;

	*stash = (struct mbx_stash){};
	return first;
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
