// SPDX-License-Identifier: GPL-2.0-only
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/ktime.h>
#include <linux/sched.h>

#include "deliver.h"
#include "expire.h"
#include "handle.h"
#include "line.h"
#include "mailbox.h"
#include "send.h"
#include "share.h"
#include "wait.h"

/* How many messages are overwritten before the lock is given up for a moment. */
#define OVERWRITE_STEP 32

/* The wait for room ends when nobody would want the message any more. */
static u64 wait_until(const struct mbx_send_args *args)
{
	return args->expires ? min(args->deadline, args->expiry) : args->deadline;
}

static u64 publish_locked(struct mbx_box *box, struct mbx_message *msg, struct mbx_share *share)
{
	u64 sequence;

	mbx_accept_locked(box, msg, share);
	sequence = msg->entry.sequence;
	mbx_deliver_locked(box, msg, false);
	return sequence;
}

/*
 * Nothing is stored: the message is published for receivers to see, and the sender
 * waits until one has it. Until then it belongs to the sender, who may take it back,
 * also from a receiver that is copying it: see taken_back() in receive.c.
 */
static int rendezvous(struct mbx_box *box, struct mbx_message *msg, struct mbx_share *share,
		      const struct mbx_send_args *args, u64 *sequence) __must_hold(&box->lock)
{
	struct mbx_waiter waiter;
	int ret;

	if (args->nonblock || box->on_full == MAILBOX_ON_FULL_REFUSE) {
		if (!mbx_waiting_receiver_locked(box, msg))
			return -EAGAIN;
		*sequence = publish_locked(box, msg, share);
		return 0;
	}

	mbx_waiter_init_locked(&waiter, &box->meetings, &box->nr_senders);
	waiter.message = msg;
	msg->sender = &waiter;
	mbx_number_locked(box, msg);
	*sequence = msg->entry.sequence;
	mbx_deliver_locked(box, msg, false);
	ret = mbx_waiter_sleep(&waiter, &box->lock, wait_until(args));
	if (ret && !waiter.done) {
		msg->sender = NULL;
		if (!msg->claimed)
			mbx_queue_remove(&box->queue, &msg->entry);
	}
	return ret;
}

/* Return: true when there is more to overwrite. */
static bool overwrite_some_locked(struct mbx_box *box, struct mbx_message *msg,
				  struct mbx_share *share, struct mbx_message **spent)
{
	struct mbx_message *oldest;
	int nr;

	for (nr = 0; nr < OVERWRITE_STEP; nr++) {
		if (mbx_box_has_room_locked(box, share, msg->length))
			return false;
		/* What receivers are copying right now is not there to be overwritten. */
		oldest = mbx_message_of(mbx_queue_oldest(&box->queue));
		if (!oldest)
			return false;
		mbx_queue_remove(&box->queue, &oldest->entry);
		box->overwritten++;
		mbx_box_uncount_locked(box, oldest);
		mbx_box_drop_locked(box, oldest, spent);
	}
	return true;
}

static int overwrite(struct mbx_box *box, struct mbx_message *msg, struct mbx_share *share,
		     u64 *sequence) __must_hold(&box->lock)
{
	struct mbx_message *spent = NULL;

	while (overwrite_some_locked(box, msg, share, &spent)) {
		spin_unlock(&box->lock);
		mbx_message_free_all(spent);
		spent = NULL;
		spin_lock(&box->lock);
		if (box->closed)
			return -EIDRM;
	}
	*sequence = publish_locked(box, msg, share);
	if (spent) {
		spin_unlock(&box->lock);
		mbx_message_free_all(spent);
		spin_lock(&box->lock);
	}
	return 0;
}

static int enter(struct mbx_box *box, struct mbx_message *msg, struct mbx_share *share,
		 const struct mbx_send_args *args, u64 *sequence) __must_hold(&box->lock)
{
	int ret;

	do {
		if (unlikely(box->closed))
			return -EIDRM;
		if (unlikely(msg->length > box->message_size))
			return -EMSGSIZE;
		if (box->capacity == MAILBOX_CAPACITY_RENDEZVOUS)
			return rendezvous(box, msg, share, args, sequence);
		/* A message that goes straight to a receiver needs no room. */
		if (likely(mbx_may_enter_locked(box, share, msg->length)) ||
		    mbx_waiting_receiver_locked(box, msg)) {
			*sequence = publish_locked(box, msg, share);
			return 0;
		}
		if (box->on_full == MAILBOX_ON_FULL_OVERWRITE)
			return overwrite(box, msg, share, sequence);
		if (args->nonblock || box->on_full == MAILBOX_ON_FULL_REFUSE)
			return -EAGAIN;
		ret = mbx_line_wait(box, msg, share, wait_until(args), sequence);
	} while (ret == MBX_LOOK_AGAIN);
	return ret;
}

/* A handle may be used by another user than its opener, who then pays and shares. */
static struct mbx_share *share_of_current(struct mbx_handle *handle)
{
	struct mbx_share *share = handle->share;
	struct mbx_user *user;

	if (likely(uid_eq(share->user->uid, current_euid())))
		return share;
	user = mbx_user_get(current_euid());
	if (IS_ERR(user))
		return ERR_CAST(user);
	share = mbx_box_share_get(handle->box, user);
	mbx_user_put(user);
	return share;
}

static struct mbx_message *take_message(struct mbx_box *box, struct mbx_user *user, u32 length)
{
	struct mbx_message *msg, *spent;

	spin_lock(&box->lock);
	msg = mbx_stash_take(&box->stash, user, length);
	spin_unlock(&box->lock);
	if (likely(msg))
		return msg;

	msg = mbx_message_new(user, length);
	if (msg != ERR_PTR(-EDQUOT))
		return msg;

	/* What this mailbox keeps for reuse must not be what is missing. */
	spin_lock(&box->lock);
	spent = mbx_stash_empty(&box->stash);
	spin_unlock(&box->lock);
	if (!spent)
		return msg;
	mbx_message_free_all(spent);
	return mbx_message_new(user, length);
}

static int check(const struct mbx_handle *handle, const struct mbx_send_args *args)
{
	/* A hint: it may change at any time, and enter() looks again under the lock. */
	u32 size = READ_ONCE(handle->box->message_size);

	if (!(handle->rights & MAILBOX_RIGHT_SEND))
		return -EACCES;
	if (args->priority > MAILBOX_PRIORITY_MAX)
		return -EINVAL;
	/* A hint, to be EIDRM rather than EMSGSIZE; decided under the lock. */
	if (READ_ONCE(handle->box->closed))
		return -EIDRM;
	if (args->length > size || (handle->box->fixed_size && args->length != size))
		return -EMSGSIZE;
	if (args->expires && args->expiry <= ktime_get_ns())
		return -ETIMEDOUT;
	return 0;
}

/**
 * mbx_send() - send one message
 * @handle: an open handle
 * @args: what and how
 * @sequence: the number of the message; written on success
 *
 * Context: Process context, may sleep.
 * Return: 0 or, with nothing sent, a negative errno as struct mailbox_send lists
 * them; -ERESTARTSYS for a signal.
 */
int mbx_send(struct mbx_handle *handle, const struct mbx_send_args *args, u64 *sequence)
{
	struct mbx_message *msg, *spent = NULL;
	struct mbx_box *box = handle->box;
	struct mbx_share *share;
	int ret;

	ret = check(handle, args);
	if (ret)
		return ret;
	share = share_of_current(handle);
	if (IS_ERR(share))
		return PTR_ERR(share);
	msg = take_message(box, share->user, args->length);
	if (IS_ERR(msg)) {
		ret = PTR_ERR(msg);
		goto out_share;
	}

	ret = mbx_message_copy_in(msg, args->data, args->length);
	if (unlikely(ret)) {
		spin_lock(&box->lock);
		goto out_drop;
	}
	mbx_message_stamp(msg);
	msg->entry.priority = args->priority;
	msg->entry.type = args->type;
	msg->entry.expiry = args->expires ? args->expiry : 0;

	mbx_box_lock_fresh(box);
	ret = enter(box, msg, share, args, sequence);
out_drop:
	if (unlikely(ret))
		mbx_box_drop_locked(box, msg, &spent);
	spin_unlock(&box->lock);
	if (unlikely(spent))
		mbx_message_free_all(spent);
out_share:
	if (unlikely(share != handle->share))
		mbx_box_share_put(box, share);
	return ret;
}
