/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MBX_DELIVER_H
#define MBX_DELIVER_H

#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/pid.h>
#include <linux/poll.h>
#include <linux/types.h>

#include "expire.h"
#include "mailbox.h"
#include "notify.h"

struct mbx_waiter;

/**
 * DOC: deliver
 *
 * A message that is accepted gets its number and is counted; then it is handed to the
 * receiver that has waited longest for such a message, or it is queued.
 */

struct mbx_waiter *mbx_choose_receiver_locked(const struct mbx_box *box,
					      const struct mbx_message *msg);
void mbx_hand_over_locked(struct mbx_box *box, struct mbx_message *msg,
			  struct mbx_waiter *receiver);
void mbx_deliver_to_waiters_locked(struct mbx_box *box, struct mbx_message *msg, bool returned);

/**
 * mbx_may_be_received() - has a message not expired?
 * @msg: the message
 * Return: true if so.
 */
static inline bool mbx_may_be_received(const struct mbx_message *msg)
{
	return likely(!msg->entry.expiry) || msg->entry.expiry > ktime_get_ns();
}

/**
 * mbx_waiting_receiver_locked() - who waits for a message?
 * @box: the mailbox, its lock held
 * @msg: the message
 * Return: the one that has waited longest, or NULL.
 */
static inline struct mbx_waiter *mbx_waiting_receiver_locked(const struct mbx_box *box,
							     const struct mbx_message *msg)
{
	return likely(!box->nr_receivers) ? NULL : mbx_choose_receiver_locked(box, msg);
}

/**
 * mbx_enqueue_locked() - put a message that no receiver waits for into the queue
 * @box: the mailbox, its lock held
 * @msg: a message that is neither queued nor claimed
 * @returned: it was in the queue before and goes back to its old place
 */
static inline void mbx_enqueue_locked(struct mbx_box *box, struct mbx_message *msg, bool returned)
{
	if (returned)
		mbx_queue_return(&box->queue, &msg->entry);
	else
		mbx_queue_push(&box->queue, &msg->entry);
	if (unlikely(msg->entry.expiry) && mbx_queue_next_expiry(&box->queue) == &msg->entry)
		mbx_expire_arm_locked(box);
	mbx_box_wake_pollers_locked(box, EPOLLIN | EPOLLRDNORM | MBX_POLL_FIRST);
}

/**
 * mbx_deliver_locked() - hand a message to a waiting receiver, or queue it
 * @box: the mailbox
 * @msg: a message that is neither queued nor claimed
 * @returned: it was claimed before and goes back to its old place
 *
 * Context: The mailbox lock is held.
 */
static inline void mbx_deliver_locked(struct mbx_box *box, struct mbx_message *msg, bool returned)
{
	lockdep_assert_held(&box->lock);
	if (likely(!box->nr_receivers))
		mbx_enqueue_locked(box, msg, returned);
	else
		mbx_deliver_to_waiters_locked(box, msg, returned);
}

/**
 * mbx_number_locked() - say which message of the mailbox it is, and when it came
 * @box: the mailbox, its lock held
 * @msg: a message not yet published
 */
static inline void mbx_number_locked(struct mbx_box *box, struct mbx_message *msg)
{
	msg->entry.sequence = ++box->last_sequence;
	/* Under the lock, so that the times are in the order of the numbers. */
	msg->time = ktime_get_ns();
}

/**
 * mbx_note_sender_locked() - note who sent the last message
 * @box: the mailbox, its lock held
 * @msg: the message
 */
static inline void mbx_note_sender_locked(struct mbx_box *box, const struct mbx_message *msg)
{
	if (unlikely(box->last_sender != msg->process)) {
		put_pid(box->last_sender);
		box->last_sender = get_pid(msg->process);
	}
}

/**
 * mbx_count_sent_locked() - a message was accepted
 * @box: the mailbox, its lock held
 * @msg: the message
 */
static inline void mbx_count_sent_locked(struct mbx_box *box, struct mbx_message *msg)
{
	box->sent++;
	mbx_note_sender_locked(box, msg);
}

/**
 * mbx_accept_locked() - count a message that is to be delivered
 * @box: the mailbox, its lock held
 * @msg: a message that has its number
 * @share: of the user that sends it
 */
static inline void mbx_accept_locked(struct mbx_box *box, struct mbx_message *msg,
				     struct mbx_share *share)
{
	box->last_sent = msg->time;
	mbx_box_count_locked(box, msg, share);
	mbx_count_sent_locked(box, msg);
}

#endif /* MBX_DELIVER_H */
