/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MBX_POLICY_H
#define MBX_POLICY_H

#include <linux/types.h>

#include "mailbox.h"

struct file;
struct mbx_call;
struct mbx_handle;

/**
 * DOC: policy
 *
 * Which processes may send to a mailbox and receive from it. A process is known by its
 * table of descriptors, its *holder*, as in lease.h: the kernel tells when a descriptor
 * is taken out of one, and then we look whether there is another.
 *
 * A mailbox for any process has none of this on the path of its messages: handles of
 * others have no @usual rights, so that their calls go the long way, which asks here.
 */

int mbx_policy_open(struct mbx_box *box, const struct mbx_handle *handle);
void mbx_policy_opened(struct mbx_box *box);
void mbx_policy_leave(struct mbx_box *box, void *holder);
void mbx_policy_revoked(struct mbx_box *box);
int mbx_policy_send(struct mbx_handle *handle);
int mbx_policy_receive(struct mbx_handle *handle, u64 deadline, bool nonblock);
int mbx_policy_yield(struct file *file, struct mbx_call *call);
bool mbx_policy_holds_locked(struct mbx_box *box);
bool mbx_policy_sends_locked(struct mbx_box *box);
bool mbx_policy_member_locked(const struct mbx_box *box, const void *holder);

/**
 * mbx_policy_is_asked() - does it depend on the process whether it may send or receive?
 * @box: the mailbox
 * Return: false where it may for certain.
 */
static inline bool mbx_policy_is_asked(const struct mbx_box *box)
{
	return unlikely(box->policy != MAILBOX_POLICY_ANY);
}

/**
 * mbx_policy_alone_locked() - has the other process of a pair left?
 * @box: the mailbox, its lock held
 * Return: true if so.
 */
static inline bool mbx_policy_alone_locked(const struct mbx_box *box)
{
	return unlikely(box->policy == MAILBOX_POLICY_PAIR) && box->was_pair &&
	       !(box->holders[0] && box->holders[1]);
}

#endif /* MBX_POLICY_H */
