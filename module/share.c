// SPDX-License-Identifier: GPL-2.0-only
#include <linux/slab.h>

#include "quota.h"
#include "share.h"

static int share_cmp(const void *key, const struct rb_node *node)
{
	const struct mbx_user *user = key, *other = rb_entry(node, struct mbx_share, node)->user;

	return user < other ? -1 : user > other;
}

static int share_cmp_nodes(struct rb_node *new, const struct rb_node *node)
{
	return share_cmp(rb_entry(new, struct mbx_share, node)->user, node);
}

/**
 * mbx_share_new() - an empty share in no mailbox
 * @user: the user; the share takes a reference
 *
 * Context: Process context, may sleep.
 * Return: the share, pinned once, or NULL.
 */
struct mbx_share *mbx_share_new(struct mbx_user *user)
{
	struct mbx_share *share = kzalloc(sizeof(*share), GFP_KERNEL_ACCOUNT);

	if (!share)
		return NULL;
	refcount_inc(&user->refs);
	share->user = user;
	share->pins = 1;
	return share;
}

/**
 * mbx_share_free() - free a share that is in no mailbox
 * @share: the share, or NULL
 */
void mbx_share_free(struct mbx_share *share)
{
	if (!share)
		return;
	mbx_user_put(share->user);
	kfree(share);
}

/**
 * mbx_share_find() - look a user up
 * @shares: those of the mailbox
 * @user: the user
 * Return: the share, or NULL.
 */
struct mbx_share *mbx_share_find(struct rb_root *shares, struct mbx_user *user)
{
	return rb_entry_safe(rb_find(user, shares, share_cmp), struct mbx_share, node);
}

/**
 * mbx_share_add() - add a share to a mailbox
 * @shares: those of the mailbox
 * @new: the share
 * Return: @new, or the one that the user has already.
 */
struct mbx_share *mbx_share_add(struct rb_root *shares, struct mbx_share *new)
{
	struct rb_node *old = rb_find_add(&new->node, shares, share_cmp_nodes);

	return old ? rb_entry(old, struct mbx_share, node) : new;
}
