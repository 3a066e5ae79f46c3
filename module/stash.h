/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MBX_STASH_H
#define MBX_STASH_H

#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/types.h>
#include <asm/barrier.h>

#include "message.h"

struct mbx_user;

/**
 * DOC: stash
 *
 * A mailbox keeps spent messages for its next senders. The next send takes one with its
 * buffer, its charge and its references to the sender's pids, and in the steady state
 * allocates and counts nothing: that halves the cost of a message of 64 bytes, and
 * there is no clearing of memory that is about to be overwritten.
 *
 * They stay on the quota of their senders, and whoever sends to many mailboxes must not
 * find it used up by that. So a mailbox keeps a few short ones. One that wants to keep
 * more, and long ones, asks the quota of the sender first, which lets so many mailboxes
 * do so that it comes to an eighth of the quota at most.
 *
 * One of them, the *spare*, is taken without a lock: that saves a send a lock round.
 */

/**
 * struct mbx_stash - spent messages kept for reuse
 * @spare: one, or NULL; set under the owner's lock, taken with xchg()
 * @first: the last one put in of the others
 * @nr: how many others there are
 * @bytes: what they are charged
 * @keeper: the user whose quota lets it keep more, or NULL
 *
 * All but @spare guarded by its owner's lock.
 */
struct mbx_stash {
	struct mbx_message *spare;
	struct mbx_message *first;
	u32 nr;
	u32 bytes;
	struct mbx_user *keeper;
};

bool mbx_stash_add(struct mbx_stash *stash, struct mbx_message *msg, struct mbx_message **spent);
struct mbx_message *mbx_stash_find(struct mbx_stash *stash, struct mbx_user *user, u32 room);
struct mbx_message *mbx_stash_empty(struct mbx_stash *stash);

/**
 * mbx_stash_lacks_spare() - can this message be the spare?
 * @stash: where, its owner's lock held
 * @msg: a spent message
 * Return: true if so.
 */
static inline bool mbx_stash_lacks_spare(const struct mbx_stash *stash,
					 const struct mbx_message *msg)
{
	return !READ_ONCE(stash->spare) &&
	       (likely(msg->room <= MBX_INLINE) || stash->keeper == msg->charge.user);
}

/**
 * mbx_stash_put_spare() - keep a spent message as the spare
 * @stash: one that lacks it, its owner's lock held since
 * @msg: the message
 */
static inline void mbx_stash_put_spare(struct mbx_stash *stash, struct mbx_message *msg)
{
	/* Who takes it sees what was written to it. */
	smp_store_release(&stash->spare, msg);
}

/**
 * mbx_stash_put() - keep a spent message
 * @stash: where, its owner's lock held
 * @msg: the message
 * @spent: list to which others are added that have to make way
 * Return: true if it was kept; else it is still the caller's.
 */
static inline bool mbx_stash_put(struct mbx_stash *stash, struct mbx_message *msg,
				 struct mbx_message **spent)
{
	if (!mbx_stash_lacks_spare(stash, msg))
		return mbx_stash_add(stash, msg, spent);
	mbx_stash_put_spare(stash, msg);
	return true;
}

/**
 * mbx_stash_take() - take the spare
 * @stash: where; no lock is needed
 * Return: a message, perhaps of another user or too short, or NULL.
 */
static inline struct mbx_message *mbx_stash_take(struct mbx_stash *stash)
{
	return xchg(&stash->spare, NULL);
}

/**
 * mbx_stash_pop() - take the message put in last
 * @stash: where, not empty, its owner's lock held
 * Return: the message.
 */
static inline struct mbx_message *mbx_stash_pop(struct mbx_stash *stash)
{
	struct mbx_message *msg = stash->first;

	stash->first = msg->next;
	stash->nr--;
	stash->bytes -= msg->charge.bytes;
	return msg;
}

/**
 * mbx_stash_refill() - have a spare, if there is one
 * @stash: where, its owner's lock held
 */
static inline void mbx_stash_refill(struct mbx_stash *stash)
{
	if (unlikely(stash->first) && !READ_ONCE(stash->spare))
		mbx_stash_put_spare(stash, mbx_stash_pop(stash));
}

#endif /* MBX_STASH_H */
