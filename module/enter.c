// SPDX-License-Identifier: GPL-2.0-only
#include <linux/ktime.h>
#include <linux/minmax.h>

#include "answer.h"
#include "broadcast.h"
#include "deliver.h"
#include "enter.h"
#include "handle.h"
#include "line.h"
#include "mailbox.h"
#include "notify.h"
#include "policy.h"
#include "receipt.h"
#include "stream.h"
#include "wait.h"

/* How many messages are overwritten before the lock is given up for a moment. */
#define OVERWRITE_STEP 32

/* Return: the number of the message. */
static s64 publish_locked(struct mbx_box *box, struct mbx_message *msg, struct mbx_share *share)
{
	s64 sequence;

	mbx_number_locked(box, msg);
	sequence = msg->entry.sequence;
	mbx_accept_locked(box, msg, share);
	mbx_deliver_locked(box, msg, false);
	return sequence;
}

/* The wait ends when nobody would want the message any more. */
static u64 wait_until(const struct mbx_message *msg, u64 deadline)
{
	return msg->entry.expiry ? min(deadline, msg->entry.expiry) : deadline;
}

/*
 * Nothing is stored: the message is published for receivers to see, and the sender
 * waits until one has it. Until then it belongs to the sender, who may take it back,
 * also from a receiver that is copying it: see mbx_claim_taken_back().
 */
static s64 rendezvous(struct mbx_box *box, struct mbx_message *msg, struct mbx_share *share,
		      struct mbx_handle *handle, u64 deadline, bool nonblock)
	__must_hold(&box->lock)
{
	struct mbx_waiter waiter;
	int ret;

	if (nonblock || box->on_full == MAILBOX_ON_FULL_REFUSE) {
		if (!mbx_waiting_receiver_locked(box, msg))
			return -EAGAIN;
		return publish_locked(box, msg, share);
	}

	if (mbx_answer_is_unheard_locked(box, msg) || mbx_stream_is_unheard_locked(handle))
		return -EPIPE;
	mbx_waiter_init_locked(&waiter, &box->meetings, &box->nr_senders, handle);
	waiter.message = msg;
	waiter.share = share;
	msg->sender = &waiter;
	mbx_box_wake_pollers_locked(box, MBX_POLL_SENDER);
	mbx_number_locked(box, msg);
	mbx_deliver_locked(box, msg, false);
	ret = mbx_waiter_sleep(&waiter, &box->lock, wait_until(msg, deadline));
	if (!ret)
		return waiter.sequence;
	if (!waiter.done) {
		msg->sender = NULL;
		if (!msg->claimed)
			mbx_queue_remove(&box->queue, &msg->entry);
	}
	return ret;
}

/* Return: true when there is more to overwrite. */
static bool overwrite_some_locked(struct mbx_box *box, struct mbx_message *msg,
				  struct mbx_message **spent)
{
	struct mbx_message *oldest;
	int nr;

	for (nr = 0; nr < OVERWRITE_STEP; nr++) {
		/* By the limits: there is no room at all once the other of a pair has left. */
		if (box->messages < box->max_messages && box->bytes + msg->length <= box->max_bytes)
			return false;
		/* What receivers are copying right now is not there to be overwritten. */
		oldest = mbx_message_of(mbx_queue_oldest(&box->queue));
		if (!oldest)
			return false;
		mbx_queue_remove(&box->queue, &oldest->entry);
		box->overwritten++;
		mbx_receipt_end_locked(box, oldest, MAILBOX_END_OVERWRITTEN, spent);
		mbx_box_uncount_locked(box, oldest);
		mbx_box_drop_locked(box, oldest, spent);
	}
	return true;
}

static s64 overwrite(struct mbx_box *box, struct mbx_message *msg, struct mbx_share *share)
	__must_hold(&box->lock)
{
	struct mbx_message *spent = NULL;
	s64 sequence;

	while (overwrite_some_locked(box, msg, &spent)) {
		mbx_spent_flush(box, &spent);
		if (box->closed)
			return -EIDRM;
	}
	sequence = publish_locked(box, msg, share);
	if (spent)
		mbx_spent_flush(box, &spent);
	return sequence;
}

/**
 * mbx_enter_locked() - send a message into a mailbox
 * @box: the mailbox, its lock held; dropped and taken again when there is need to wait
 * @msg: the message, its priority, type and expiry set, of the right size where one is
 * @share: of the user that sends it
 * @handle: through which it is sent; or NULL, and then it does not wait
 * @deadline: when to give up, CLOCK_MONOTONIC ns, or MBX_FOREVER
 * @nonblock: do not wait
 *
 * Context: Process context, may sleep.
 * Return: the number of the message; or a negative errno, and the message is the caller's.
 */
noinline s64 mbx_enter_locked(struct mbx_box *box, struct mbx_message *msg, struct mbx_share *share,
			      struct mbx_handle *handle, u64 deadline, bool nonblock)
	__must_hold(&box->lock)
{
	struct mbx_waiter *receiver;
	s64 ret;

	do {
		if (unlikely(handle && handle->revoked))
			return -EACCES;
		if (unlikely(box->closed))
			return -EIDRM;
		if (mbx_policy_is_asked(box) && mbx_policy_alone_locked(box))
			return -EPIPE;
		if (unlikely(msg->length > box->message_size))
			return -EMSGSIZE;
		if (mbx_policy_is_asked(box) && box->policy == MAILBOX_POLICY_BROADCAST)
			return mbx_broadcast_send(box, msg, share);
		if (box->capacity == MAILBOX_CAPACITY_RENDEZVOUS)
			return rendezvous(box, msg, share, handle, deadline, nonblock);
		if (mbx_may_enter_locked(box, share, msg->length))
			return publish_locked(box, msg, share);
		/* A message that goes straight to a receiver needs no room. */
		receiver = mbx_waiting_receiver_locked(box, msg);
		if (receiver) {
			mbx_number_locked(box, msg);
			mbx_accept_locked(box, msg, share);
			mbx_hand_over_locked(box, msg, receiver);
			return msg->entry.sequence;
		}
		if (box->on_full == MAILBOX_ON_FULL_OVERWRITE &&
		    mbx_box_would_have_room_locked(box, msg->length))
			return overwrite(box, msg, share);
		if (nonblock || !mbx_box_waits_when_full(box))
			return -EAGAIN;
		if (mbx_answer_is_unheard_locked(box, msg) || mbx_stream_is_unheard_locked(handle))
			return -EPIPE;
		ret = mbx_line_wait(box, msg, share, handle, wait_until(msg, deadline));
	} while (!ret);
	return ret;
}
