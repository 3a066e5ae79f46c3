/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MBX_EXPIRE_H
#define MBX_EXPIRE_H

struct mbx_box;
struct work_struct;

/**
 * DOC: expire
 *
 * A message past its expiry is never received: every call looks for such messages
 * before it looks at the queue (mbx_box_lock_fresh()). A timer, one for each
 * mailbox, does the same when nobody calls, so that waiting senders get the room.
 */

void mbx_box_lock_fresh(struct mbx_box *box) __acquires(&box->lock);
void mbx_expire_arm_locked(struct mbx_box *box);
void mbx_expire_work(struct work_struct *work);

#endif /* MBX_EXPIRE_H */
