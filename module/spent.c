// SPDX-License-Identifier: GPL-2.0-only
#include <linux/sched.h>
#include <linux/user_namespace.h>

#include "deliver.h"
#include "mailbox.h"
#include "receipt.h"
#include "spent.h"

/**
 * mbx_receipt_free() - free a receipt that nobody will read
 * @receipt: the receipt, made by mbx_receipt_attach()
 *
 * Context: Process context, may sleep.
 */
void mbx_receipt_free(struct mbx_message *receipt)
{
	put_user_ns(receipt->viewer);
	mbx_message_free(receipt);
}

/* The receiver does not wait, and nothing is allocated: the room was promised. */
static void deliver(struct mbx_message *receipt)
{
	struct mbx_box *to = receipt->to;
	bool closed;

	if (!to) {
		mbx_receipt_free(receipt);
		return;
	}
	receipt->to = NULL;
	put_user_ns(receipt->viewer);
	receipt->viewer = NULL;
	spin_lock(&to->lock);
	closed = to->closed;
	mbx_receipt_fulfil_locked(to, receipt);
	if (closed) {
		mbx_box_uncount_locked(to, receipt);
	} else {
		mbx_number_locked(to, receipt);
		to->last_sent = receipt->time;
		mbx_note_sender_locked(to, receipt);
		mbx_deliver_locked(to, receipt, false);
	}
	spin_unlock(&to->lock);
	if (closed)
		mbx_message_free(receipt);
	mbx_box_put(to);
}

/**
 * mbx_spent_free() - free messages that have ended, and deliver the receipts among them
 * @spent: the first of those chained by @next, or NULL
 *
 * Context: Process context, may sleep; no mailbox lock is held.
 */
void mbx_spent_free(struct mbx_message *spent)
{
	while (spent) {
		struct mbx_message *next = spent->next;

		if (unlikely(spent->state & MBX_IS_RECEIPT))
			deliver(spent);
		else
			mbx_message_free(spent);
		spent = next;
		cond_resched();
	}
}

/**
 * mbx_spent_flush() - mbx_spent_free() in the midst of work under a mailbox lock
 * @box: the mailbox, its lock held; dropped and taken again
 * @spent: the list; empty from now on
 *
 * Context: Process context, may sleep.
 */
void mbx_spent_flush(struct mbx_box *box, struct mbx_message **spent) __must_hold(&box->lock)
{
	spin_unlock(&box->lock);
	mbx_spent_free(*spent);
	*spent = NULL;
	cond_resched();
	spin_lock(&box->lock);
}
