/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MBX_GRANT_H
#define MBX_GRANT_H

#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/types.h>

struct file;
struct mbx_box;
struct mbx_call;

/**
 * DOC: grant
 *
 * A handle that was derived from another one has a grant: a number by which it can be
 * revoked, and a place in the tree of those derived from one another. Grants are part of
 * their handles. The memory of a handle that is closed stays for as long as there are
 * others that were derived from it, since revoking it is still to revoke them; chains are
 * no longer than MAILBOX_DERIVE_MAX, so that open handles keep only so much.
 *
 * A handle that was opened is nobody's grant, cannot be revoked, and is not in the tree.
 */

/**
 * struct mbx_grant - what can be revoked
 * @by_number: place among the grants of the mailbox, if it has a number
 * @parent: the grant of the handle that it was derived from, or NULL if that has none
 * @siblings: place among the @children of @parent, or among the tops of the mailbox; or alone
 * @children: grants of handles that were derived from this one, in the order they came
 * @number: never used twice in a mailbox; 0 for a handle that was opened; constant
 * @depth: how many grants there are from here to the top, this one included; constant
 * @refs: the open file, each of the @children, and a REVOKE that is here just now
 *
 * All guarded by the mailbox lock; what is constant since the descriptor was made.
 */
struct mbx_grant {
	struct rb_node by_number;
	struct mbx_grant *parent;
	struct list_head siblings;
	struct list_head children;
	u64 number;
	u32 depth;
	u32 refs;
};

void mbx_grant_init(struct mbx_grant *grant);
void mbx_grant_put_locked(struct mbx_box *box, struct mbx_grant *grant);

int mbx_grant_restrict(struct file *file, struct mbx_call *call);
int mbx_grant_revoke(struct file *file, struct mbx_call *call);

#endif /* MBX_GRANT_H */
