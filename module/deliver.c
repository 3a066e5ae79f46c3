// SPDX-License-Identifier: GPL-2.0-only
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/pid.h>
#include <linux/poll.h>

#include "deliver.h"
#include "expire.h"
#include "mailbox.h"
#include "wait.h"

/**
 * mbx_may_be_received() - has a message not expired?
 * @msg: the message
 * Return: true if so.
 */
bool mbx_may_be_received(const struct mbx_message *msg)
{
	return likely(!msg->entry.expiry) || msg->entry.expiry > ktime_get_ns();
}

/**
 * mbx_waiting_receiver_locked() - who waits for a message?
 * @box: the mailbox, its lock held
 * @msg: the message
 * Return: the one that has waited longest, or NULL.
 */
struct mbx_waiter *mbx_waiting_receiver_locked(const struct mbx_box *box,
					       const struct mbx_message *msg)
{
	struct mbx_waiter *waiter;

	if (list_empty(&box->receivers) || !mbx_may_be_received(msg))
		return NULL;
	list_for_each_entry(waiter, &box->receivers, link)
		if (mbx_select_matches(&waiter->select, &msg->entry))
			return waiter;
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
	mbx_waiter_finish_locked(receiver, 0);
}

/**
 * mbx_enqueue_locked() - put a message that nobody waits for into the queue
 * @box: the mailbox, its lock held
 * @msg: a message that is neither queued nor claimed
 * @returned: it was in the queue before and goes back to its old place
 */
void mbx_enqueue_locked(struct mbx_box *box, struct mbx_message *msg, bool returned)
{
	struct mbx_waiter *waiter, *next;

	if (returned)
		mbx_queue_return(&box->queue, &msg->entry);
	else
		mbx_queue_push(&box->queue, &msg->entry);
	if (unlikely(msg->entry.expiry) && mbx_queue_next_expiry(&box->queue) == &msg->entry)
		mbx_expire_arm_locked(box);

	/* Those who only look, look again; the message is there for the next one too. */
	list_for_each_entry_safe(waiter, next, &box->peekers, link)
		if (mbx_select_matches(&waiter->select, &msg->entry))
			mbx_waiter_finish_locked(waiter, 0);
	mbx_box_wake_pollers_locked(box, EPOLLIN | EPOLLRDNORM);
}

/**
 * mbx_deliver_locked() - hand a message to a waiting receiver, or queue it
 * @box: the mailbox
 * @msg: a message that is neither queued nor claimed
 * @returned: it was claimed before and goes back to its old place
 *
 * Context: The mailbox lock is held.
 */
void mbx_deliver_locked(struct mbx_box *box, struct mbx_message *msg, bool returned)
{
	struct mbx_waiter *receiver = mbx_waiting_receiver_locked(box, msg);

	lockdep_assert_held(&box->lock);
	if (receiver)
		mbx_hand_over_locked(box, msg, receiver);
	else
		mbx_enqueue_locked(box, msg, returned);
}

/**
 * mbx_number_locked() - say which message of the mailbox it is, and when it came
 * @box: the mailbox, its lock held
 * @msg: a message not yet published
 */
void mbx_number_locked(struct mbx_box *box, struct mbx_message *msg)
{
	msg->entry.sequence = ++box->last_sequence;
	/* Under the lock, so that the times are in the order of the numbers. */
	msg->time = ktime_get_ns();
}

/**
 * mbx_count_sent_locked() - a message was accepted
 * @box: the mailbox, its lock held
 * @msg: the message
 */
void mbx_count_sent_locked(struct mbx_box *box, struct mbx_message *msg)
{
	box->sent++;
	/* What was received from a waiting sender was stamped before others sent since. */
	box->last_sent = max(box->last_sent, msg->time);
	if (box->last_sender != msg->process) {
		put_pid(box->last_sender);
		box->last_sender = get_pid(msg->process);
	}
}

/**
 * mbx_accept_locked() - number a message and count it
 * @box: the mailbox, its lock held
 * @msg: a message not yet published
 * @share: of the user that sends it
 */
void mbx_accept_locked(struct mbx_box *box, struct mbx_message *msg, struct mbx_share *share)
{
	mbx_number_locked(box, msg);
	mbx_box_count_locked(box, msg, share);
	mbx_count_sent_locked(box, msg);
}
