// SPDX-License-Identifier: GPL-2.0-only
#include <linux/list.h>

#include "deliver.h"
#include "handle.h"
#include "line.h"
#include "mailbox.h"
#include "notify.h"
#include "policy.h"
#include "share.h"
#include "wait.h"

/* A waiter's result that is no errno. */
#define LOOK_AGAIN 1

/**
 * mbx_line_lets_pass_locked() - may somebody enter ahead of those in line?
 * @box: the mailbox, its lock held
 * @share: of the user that sends
 * Return: true when all in line are held up by the shares of their own users, or each
 * waits for itself.
 */
bool mbx_line_lets_pass_locked(const struct mbx_box *box, const struct mbx_share *share)
{
	struct mbx_waiter *waiter;

	if (box->on_full == MAILBOX_ON_FULL_WAIT_EACH)
		return true;
	list_for_each_entry(waiter, &box->senders, link)
		if (waiter->share == share ||
		    !mbx_box_share_full_locked(box, waiter->share, waiter->message->length))
			return false;
	return true;
}

/**
 * mbx_line_admit_locked() - let senders in that wait and no longer need to
 * @box: the mailbox, its lock held
 *
 * In the order they came. The first for whom there is no room holds up all others, so
 * that a long message is not starved by short ones; one whose user has used up its
 * share, those of the same user. With MAILBOX_ON_FULL_WAIT_EACH none holds up another:
 * whoever fits is let in.
 */
void mbx_line_admit_locked(struct mbx_box *box)
{
	const bool each = box->on_full == MAILBOX_ON_FULL_WAIT_EACH;
	u64 pass = ++box->admit_pass;
	struct mbx_waiter *waiter, *next;

	list_for_each_entry_safe(waiter, next, &box->senders, link) {
		struct mbx_message *msg = waiter->message;

		/* Then nobody fits, however short the message is. */
		if (box->messages >= box->room_messages)
			return;
		if (each && !mbx_box_has_room_locked(box, waiter->share, msg->length))
			continue;
		if (waiter->share->held_up == pass)
			continue;
		if (mbx_box_share_full_locked(box, waiter->share, msg->length)) {
			waiter->share->held_up = pass;
			continue;
		}
		if (!mbx_box_has_room_locked(box, waiter->share, msg->length))
			return;
		mbx_number_locked(box, msg);
		mbx_accept_locked(box, msg, waiter->share);
		waiter->sequence = msg->entry.sequence;
		mbx_deliver_locked(box, msg, false);
		mbx_waiter_finish_locked(waiter, 0);
	}
}

/**
 * mbx_line_find_locked() - the first sender in line with a message that is wanted
 * @box: the mailbox, its lock held
 * @select: what is wanted
 * @calls: also a call
 * Return: the sender, or NULL.
 */
struct mbx_waiter *mbx_line_find_locked(struct mbx_box *box, const struct mbx_select *select,
					bool calls)
{
	struct mbx_waiter *sender;

	list_for_each_entry(sender, &box->senders, link)
		if (mbx_may_be_received(sender->message) &&
		    mbx_select_matches(select, &sender->message->entry) &&
		    (calls || !(sender->message->state & MBX_IS_CALL)))
			return sender;
	return NULL;
}

/**
 * mbx_line_dismiss_locked() - end the wait of one that sends
 * @box: the mailbox, its lock held
 * @waiter: in line, at a rendezvous, or waiting for the end of its message
 * @error: negative errno
 *
 * It takes its message back, also from a receiver that is copying it.
 */
void mbx_line_dismiss_locked(struct mbx_box *box, struct mbx_waiter *waiter, int error)
{
	struct mbx_message *msg = waiter->message;

	if (msg && msg->sender) {
		if (!msg->claimed)
			mbx_queue_remove(&box->queue, &msg->entry);
		msg->sender = NULL;
	}
	mbx_waiter_finish_locked(waiter, error);
}

/**
 * mbx_line_take_locked() - claim the message of a sender in line
 * @box: the mailbox, its lock held
 * @sender: from now on as at a rendezvous: it may take the message back
 */
void mbx_line_take_locked(struct mbx_box *box, struct mbx_waiter *sender)
{
	struct mbx_message *msg = sender->message;

	list_move_tail(&sender->link, &box->meetings);
	mbx_number_locked(box, msg);
	msg->sender = sender;
	msg->claimed = true;
}

/**
 * mbx_line_return_locked() - undo mbx_line_take_locked()
 * @box: the mailbox, its lock held
 * @msg: the message, not claimed any more and not taken back
 *
 * Its number stays unused: the one that failed to receive it may have seen it.
 */
void mbx_line_return_locked(struct mbx_box *box, struct mbx_message *msg)
{
	struct mbx_waiter *sender = msg->sender, *next, *receiver;

	lockdep_assert_held(&box->lock);
	receiver = mbx_waiting_receiver_locked(box, msg);
	if (receiver) {
		mbx_hand_over_locked(box, msg, receiver);
		return;
	}
	list_for_each_entry(next, &box->senders, link)
		if (next->turn > sender->turn)
			break;
	/* Before the next; or last, where "next" stands for the head of the list. */
	list_move_tail(&sender->link, &next->link);
	msg->sender = NULL;
	/* While it was away, the others were told of changes, and let in. */
	mbx_look_again_locked(box);
	mbx_room_freed_locked(box);
}

/**
 * mbx_look_again_locked() - what a full mailbox does or may hold has changed
 * @box: the mailbox
 *
 * Senders that wait do what they would do if they came now.
 *
 * Context: The mailbox lock is held.
 */
void mbx_look_again_locked(struct mbx_box *box)
{
	const bool alone = mbx_policy_alone_locked(box);
	const bool waits = mbx_box_waits_when_full(box) && !alone;
	struct mbx_waiter *waiter, *next;

	lockdep_assert_held(&box->lock);
	list_for_each_entry_safe(waiter, next, &box->senders, link)
		if (!waits || waiter->message->length > box->message_size)
			mbx_waiter_finish_locked(waiter, LOOK_AGAIN);

	list_for_each_entry_safe(waiter, next, &box->meetings, link) {
		struct mbx_message *msg = waiter->message;
		bool fits = msg->length <= box->message_size;

		/* One that a receiver copies is as good as received. */
		if (msg->claimed || (waits && fits))
			continue;
		/* Nobody waits for it, or it would not be in the queue. */
		mbx_queue_remove(&box->queue, &msg->entry);
		msg->sender = NULL;
		mbx_waiter_finish_locked(waiter, alone ? -EPIPE : fits ? -EAGAIN : -EMSGSIZE);
	}
}

/**
 * mbx_line_wait() - stand in line until there is room for a message, or it is received
 * @box: the mailbox, its lock held
 * @msg: the message
 * @share: of the user that sends it
 * @handle: through which it is sent, not revoked
 * @deadline: when to give up, CLOCK_MONOTONIC ns, or MBX_FOREVER
 *
 * Context: Process context, sleeps; the lock is dropped meanwhile.
 * Return: the number of the message; 0 to look again, since the mailbox has changed; or
 * a negative errno, and in these two cases the message is the caller's.
 */
s64 mbx_line_wait(struct mbx_box *box, struct mbx_message *msg, struct mbx_share *share,
		  struct mbx_handle *handle, u64 deadline) __must_hold(&box->lock)
{
	struct mbx_waiter waiter;
	int ret;

	mbx_waiter_init_locked(&waiter, &box->senders, &box->nr_senders, handle);
	waiter.message = msg;
	waiter.share = share;
	waiter.turn = ++box->last_turn;
	mbx_box_wake_pollers_locked(box, MBX_POLL_SENDER);
	ret = mbx_waiter_sleep(&waiter, &box->lock, deadline);
	if (!ret)
		return waiter.sequence;
	if (ret == LOOK_AGAIN)
		return 0;
	if (!waiter.done)
		msg->sender = NULL; /* a receiver may be copying it */
	mbx_room_freed_locked(box); /* those behind us were waiting for us too */
	return ret;
}
