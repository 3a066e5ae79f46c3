// SPDX-License-Identifier: GPL-2.0-only
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/sched.h>
#include <linux/workqueue.h>

#include "dead_letter.h"
#include "expire.h"
#include "lease.h"
#include "line.h"
#include "mailbox.h"
#include "receipt.h"
#include "wait.h"

/* How many are dropped before the lock is given up for a moment. */
#define EXPIRE_STEP 32

static void expire_some_locked(struct mbx_box *box, struct mbx_message **spent,
			       struct mbx_message **dead)
{
	u64 now = ktime_get_ns();
	struct mbx_message *msg;
	bool freed = false;
	int nr;

	for (nr = 0; nr < EXPIRE_STEP; nr++) {
		msg = mbx_message_of(mbx_queue_next_expiry(&box->queue));
		if (!msg || msg->entry.expiry > now)
			break;
		if (msg->leased) {
			mbx_lease_over_locked(box, msg, spent, dead);
			continue;
		}
		mbx_queue_remove(&box->queue, &msg->entry);
		if (msg->sender) {
			mbx_waiter_finish_locked(msg->sender, -ETIMEDOUT);
			msg->sender = NULL;
			continue;
		}
		box->expired++;
		mbx_receipt_end_locked(box, msg, MAILBOX_END_EXPIRED, spent);
		mbx_box_uncount_locked(box, msg);
		mbx_box_drop_locked(box, msg, spent);
		freed = true;
	}
	if (freed)
		mbx_room_freed_locked(box);
}

static bool anything_expired_locked(struct mbx_box *box)
{
	struct mbx_entry *next = mbx_queue_next_expiry(&box->queue);

	return unlikely(next) && next->expiry <= ktime_get_ns();
}

/**
 * mbx_expire_locked() - drop the messages that have expired, and end leases
 * @box: the mailbox, its lock held; dropped and taken again in between
 *
 * Context: Process context, may sleep.
 */
void mbx_expire_locked(struct mbx_box *box) __must_hold(&box->lock)
{
	struct mbx_message *spent, *dead;

	while (anything_expired_locked(box)) {
		spent = NULL;
		dead = NULL;
		expire_some_locked(box, &spent, &dead);
		spin_unlock(&box->lock);
		mbx_spent_free(spent);
		mbx_dead_letter_bury(box, dead);
		cond_resched();
		spin_lock(&box->lock);
	}
}

/**
 * mbx_expire_arm_locked() - set the timer for the message that expires first
 * @box: the mailbox, its lock held
 */
void mbx_expire_arm_locked(struct mbx_box *box)
{
	struct mbx_entry *next = mbx_queue_next_expiry(&box->queue);
	u64 now;

	lockdep_assert_held(&box->lock);
	if (!next || box->closed)
		return;
	now = ktime_get_ns();
	/* One jiffy more, so that it has expired when the timer fires. */
	mod_delayed_work(system_wq, &box->expire_work,
			 next->expiry > now ? nsecs_to_jiffies(next->expiry - now) + 1 : 0);
}

/**
 * mbx_expire_work() - the timer fired
 * @work: of a mailbox, which does not go before this has ended
 */
void mbx_expire_work(struct work_struct *work)
{
	struct mbx_box *box = container_of(to_delayed_work(work), struct mbx_box, expire_work);

	mbx_box_lock_fresh(box);
	mbx_expire_arm_locked(box);
	spin_unlock(&box->lock);
}
