/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MBX_SHARE_H
#define MBX_SHARE_H

#include <linux/rbtree.h>
#include <linux/types.h>

struct mbx_user;

/**
 * DOC: share
 *
 * What the messages of one sending user take up in one mailbox, so that one user
 * cannot fill a mailbox that others send to. A share lives while a handle or a call
 * has it pinned or a message is counted in it. Shares of a mailbox are guarded by
 * the mailbox lock.
 */

/**
 * struct mbx_share - one sending user in one mailbox
 * @node: place among the shares of the mailbox
 * @user: the user, with a reference; constant
 * @pins: handles and calls that use it
 * @messages: messages counted
 * @bytes: payload bytes counted
 * @held_up: the last pass over the waiting senders that one of this user held up
 */
struct mbx_share {
	struct rb_node node;
	struct mbx_user *user;
	u64 pins;
	u64 messages;
	u64 bytes;
	u64 held_up;
};

/**
 * mbx_share_of() - how much of a limit a share is
 * @percent: 1 to 100
 * @limit: the limit
 * Return: that part of it, rounded up.
 */
static inline u64 mbx_share_of(u32 percent, u64 limit)
{
	return limit / 100 * percent + (limit % 100 * percent + 99) / 100;
}

struct mbx_share *mbx_share_new(struct mbx_user *user);
void mbx_share_free(struct mbx_share *share);
struct mbx_share *mbx_share_find(struct rb_root *shares, struct mbx_user *user);
struct mbx_share *mbx_share_add(struct rb_root *shares, struct mbx_share *new);

/**
 * mbx_share_unused() - can it go?
 * @share: the share
 * Return: true when nobody uses it and nothing is counted in it.
 */
static inline bool mbx_share_unused(const struct mbx_share *share)
{
	return !share->pins && !share->messages;
}

#endif /* MBX_SHARE_H */
