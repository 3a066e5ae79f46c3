/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MBX_MESSAGE_H
#define MBX_MESSAGE_H

#include <linux/types.h>
#include <linux/uidgid.h>

#include "queue.h"
#include "quota.h"

struct mbx_share;
struct mbx_waiter;
struct page;
struct pid;

/**
 * DOC: message
 *
 * A message is a payload with what the kernel stamps on it. It belongs to the
 * sending call until it is published, then to the mailbox, then to the receiving
 * call that has claimed it. A mailbox keeps a few short spent ones in a *stash*: the
 * next send takes one with its charge and its references to the sender's pids, and
 * in the steady state allocates and counts nothing.
 *
 * The payload is behind the message itself when it is short, in one buffer up to
 * a page, and in single pages beyond. Memory is never cleared: only bytes that a
 * sender wrote are ever copied out.
 */

/* Of a message of MBX_MESSAGE_OBJECT bytes, this much is left for the payload. */
#define MBX_MESSAGE_OBJECT 384
#define MBX_INLINE	   (MBX_MESSAGE_OBJECT - offsetof(struct mbx_message, inline_data))

/**
 * struct mbx_message - a message
 * @entry: place in the queue; sequence, type, priority, expiry, sender
 * @time: when it was accepted, CLOCK_MONOTONIC ns; constant once published
 * @process: sender's process, with a reference; constant once published
 * @thread: sender's thread, with a reference; constant once published
 * @uid: sender's effective user; constant once published
 * @gid: sender's effective group; constant once published
 * @length: bytes of payload; constant once published
 * @room: bytes of payload there is memory for; constant
 * @buffer: the payload when @room is more than MBX_INLINE and at most a page
 * @pages: the payload when @room is more than a page
 * @charge: what its sender is charged for it; owner only
 * @share: where it is counted in its mailbox, or NULL (guarded by the mailbox lock)
 * @sender: the sender that waits until it is received, or NULL (guarded by the
 *	mailbox lock)
 * @next: next of a stash or of a list to be freed; owner only
 * @peekers: calls that copy from it without having claimed it (guarded by the
 *	mailbox lock)
 * @counted: it counts against the room of the mailbox (guarded by the mailbox lock)
 * @claimed: a receiver has it, it is not in the queue (guarded by the mailbox lock)
 * @dropped: the last peeker frees it, or the receiver that has claimed it (guarded
 *	by the mailbox lock)
 * @inline_data: the payload when @room is at most MBX_INLINE
 */
struct mbx_message {
	struct mbx_entry entry;
	u64 time;
	struct pid *process;
	struct pid *thread;
	kuid_t uid;
	kgid_t gid;
	u32 length;
	u32 room;
	union {
		void *buffer;
		struct page **pages;
	};
	struct mbx_charge charge;
	struct mbx_share *share;
	struct mbx_waiter *sender;
	struct mbx_message *next;
	u32 peekers;
	bool counted;
	bool claimed;
	bool dropped;
	u8 inline_data[] __aligned(8);
};

/**
 * struct mbx_stash - spent messages kept for reuse
 * @first: the last one put in
 * @nr: how many there are
 *
 * Guarded by its owner's lock.
 */
struct mbx_stash {
	struct mbx_message *first;
	u32 nr;
};

struct mbx_message *mbx_message_new(struct mbx_user *user, u32 length);
void mbx_message_free(struct mbx_message *msg);
void mbx_message_free_all(struct mbx_message *first);
int mbx_message_copy_in(struct mbx_message *msg, const void __user *from, u32 length);
int mbx_message_copy_out(const struct mbx_message *msg, void __user *to, u32 length);
void mbx_message_stamp(struct mbx_message *msg);
bool mbx_stash_put(struct mbx_stash *stash, struct mbx_message *msg);
struct mbx_message *mbx_stash_empty(struct mbx_stash *stash);
struct mbx_message *mbx_stash_take(struct mbx_stash *stash, struct mbx_user *user, u32 length);

int mbx_message_cache_init(void);
void mbx_message_cache_fini(void);

#endif /* MBX_MESSAGE_H */
