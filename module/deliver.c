// SPDX-License-Identifier: GPL-2.0-only
#include <linux/list.h>

#include "deliver.h"
#include "mailbox.h"
#include "wait.h"

/* What has no room may not stay, and leased it would. */
static bool may_not_take(const struct mbx_box *box, const struct mbx_waiter *waiter,
			 const struct mbx_message *msg)
{
	return !(msg->state & MBX_COUNTED) && box->capacity != MAILBOX_CAPACITY_RENDEZVOUS &&
	       (waiter->lease == MBX_LEASE_ANY || (msg->state & MBX_IS_CALL));
}

/**
 * mbx_choose_receiver_locked() - mbx_waiting_receiver_locked() where any wait
 * @box: the mailbox, its lock held
 * @msg: the message
 * Return: the one that has waited longest, or NULL.
 */
struct mbx_waiter *mbx_choose_receiver_locked(const struct mbx_box *box,
					      const struct mbx_message *msg)
{
	struct mbx_waiter *waiter;

	if (!mbx_may_be_received(msg))
		return NULL;
	list_for_each_entry(waiter, &box->receivers, link) {
		if (waiter->lease && may_not_take(box, waiter, msg))
			continue;
		/* Most take the first there is. */
		if (likely(waiter->select.kind == MBX_SELECT_FIRST) ||
		    mbx_select_matches(&waiter->select, &msg->entry))
			return waiter;
	}
	return NULL;
}

/**
 * mbx_hand_over_locked() - give a message to a receiver that waits
 * @box: the mailbox, its lock held
 * @msg: a message that is not queued
 * @receiver: one whose choice it matches
 */
void mbx_hand_over_locked(struct mbx_box *box, struct mbx_message *msg, struct mbx_waiter *receiver)
{
	/* It may come back, to a place before whatever arrives next. */
	mbx_queue_seal(&box->queue);
	msg->claimed = true;
	receiver->message = msg;
	/* Before it runs others must not take the stream to have ended. */
	box->streaming += receiver->stream;
	/* The caller is about to wait for the answer. */
	if (unlikely(msg->state & MBX_IS_CALL))
		mbx_waiter_finish_sync_locked(receiver, 0);
	else
		mbx_waiter_finish_locked(receiver, 0);
}

/**
 * mbx_deliver_to_waiters_locked() - mbx_deliver_locked() where any receivers wait
 * @box: the mailbox, its lock held
 * @msg: the message
 * @returned: it goes back to its old place
 */
void mbx_deliver_to_waiters_locked(struct mbx_box *box, struct mbx_message *msg, bool returned)
{
	struct mbx_waiter *waiter = mbx_choose_receiver_locked(box, msg), *next;

	if (waiter) {
		mbx_hand_over_locked(box, msg, waiter);
		return;
	}
	mbx_enqueue_locked(box, msg, returned);
	/* Those who only look, look again; the message is there for the next one too. */
	list_for_each_entry_safe(waiter, next, &box->peekers, link)
		if (mbx_select_matches(&waiter->select, &msg->entry))
			mbx_waiter_finish_locked(waiter, 0);
}
