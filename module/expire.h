/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MBX_EXPIRE_H
#define MBX_EXPIRE_H

#include <linux/spinlock.h>

#include "mailbox.h"

struct work_struct;

/**
 * DOC: expire
 *
 * A message past its expiry is never received: every call looks for such messages
 * before it looks at the queue (mbx_box_lock_fresh()). A timer, one for each
 * mailbox, does the same when nobody calls, so that waiting senders get the room. The
 * time of a lease ends in the same way.
 */

void mbx_expire_locked(struct mbx_box *box);
void mbx_expire_arm_locked(struct mbx_box *box);
void mbx_expire_work(struct work_struct *work);

/**
 * mbx_box_lock_fresh() - take the mailbox lock, with no expired message in the queue
 * @box: the mailbox
 *
 * Context: Process context, may sleep.
 */
static inline void mbx_box_lock_fresh(struct mbx_box *box) __acquires(&box->lock)
{
	spin_lock(&box->lock);
	if (unlikely(rb_first_cached(&box->queue.by_expiry)))
		mbx_expire_locked(box);
}

#endif /* MBX_EXPIRE_H */
