/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MBX_QUOTA_H
#define MBX_QUOTA_H

#include <linux/atomic.h>
#include <linux/rbtree.h>
#include <linux/refcount.h>
#include <linux/uidgid.h>

/**
 * DOC: quota
 *
 * What one user makes the kernel hold, over all domains: a user who could have a
 * fresh quota in every network namespace would have none. The user is the kernel's
 * own uid (kuid_t), so the inhabitants of a user namespace pay with the ids they
 * are mapped to.
 *
 * A *charge* is taken as a whole or not at all, and is given back as it was taken.
 * Buffers carry the charge for as long as they live, also while a mailbox keeps
 * them for reuse: sending through one mailbox touches no counter that another one
 * touches.
 */

/* What one mailbox may keep for reuse, if it may; one message more does not matter. */
#define MBX_KEEP_NR    256
#define MBX_KEEP_BYTES (160 * 1024)

/**
 * struct mbx_user - one user's quota
 * @node: place in the table of users (guarded by the table's lock)
 * @refs: charges, handles and callers
 * @uid: the user; constant
 * @mailboxes: how many are charged; atomic
 * @messages: how many are charged; atomic
 * @bytes: how many are charged; atomic
 * @files: how many are in flight; atomic
 * @keeping: mailboxes that may keep many of this user's spent messages; atomic
 */
struct mbx_user {
	struct rb_node node;
	refcount_t refs;
	kuid_t uid;
	atomic_long_t mailboxes;
	atomic_long_t messages;
	atomic_long_t bytes;
	atomic_long_t files;
	atomic_long_t keeping;
};

/**
 * struct mbx_charge - one undoable charge
 * @user: who pays, with a reference; NULL when nothing is charged
 * @mailboxes: mailboxes charged
 * @files: files in flight charged
 * @messages: messages charged
 * @bytes: bytes of kernel memory charged
 */
struct mbx_charge {
	struct mbx_user *user;
	u8 mailboxes;
	u8 files;
	u16 messages;
	u32 bytes;
};

/**
 * struct mbx_limits - the limits in force
 * @message_size: bytes in a message without CAP_SYS_RESOURCE
 * @mailboxes: mailboxes of one user
 * @messages: messages of one user
 * @bytes: bytes of one user
 */
struct mbx_limits {
	u32 message_size;
	unsigned long mailboxes;
	unsigned long messages;
	unsigned long bytes;
};

struct mbx_user *mbx_user_get(kuid_t uid);
void mbx_user_put(struct mbx_user *user);
int mbx_charge_take(struct mbx_charge *charge, struct mbx_user *user, u8 mailboxes, u16 messages,
		    u32 bytes);
int mbx_charge_take_own(struct mbx_charge *charge, u32 bytes);
int mbx_charge_take_files(struct mbx_charge *charge, struct mbx_user *user, u8 files, u32 bytes);
void mbx_charge_drop(struct mbx_charge *charge);
int mbx_bytes_take(struct mbx_user *user, u64 bytes);
void mbx_bytes_drop(struct mbx_user *user, u64 bytes);
bool mbx_keep_begin(struct mbx_user *user);
bool mbx_keep_more(const struct mbx_user *user);
void mbx_keep_end(struct mbx_user *user);
void mbx_limits_read(struct mbx_limits *limits);

#endif /* MBX_QUOTA_H */
