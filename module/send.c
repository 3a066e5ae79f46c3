// SPDX-License-Identifier: GPL-2.0-only
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/ktime.h>
#include <linux/pid.h>
#include <linux/poll.h>
#include <linux/sched.h>

#include "expire.h"
#include "handle.h"
#include "mailbox.h"
#include "send.h"
#include "share.h"
#include "wait.h"

/* How many messages are overwritten before the lock is given up for a moment. */
#define OVERWRITE_STEP 32

/* A waiter's result that is no errno. */
#define LOOK_AGAIN 1

/**
 * mbx_may_be_received() - has a message not expired?
 * @msg: the message
 * Return: true if so.
 */
bool mbx_may_be_received(const struct mbx_message *msg)
{
	return likely(!msg->entry.expiry) || msg->entry.expiry > ktime_get_ns();
}

static struct mbx_waiter *waiting_receiver_locked(const struct mbx_box *box,
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

static void claim_locked(struct mbx_box *box, struct mbx_message *msg)
{
	/* It may come back, to a place before whatever arrives next. */
	mbx_queue_seal(&box->queue);
	msg->claimed = true;
}

static void enqueue_locked(struct mbx_box *box, struct mbx_message *msg, bool returned)
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
	struct mbx_waiter *waiter = waiting_receiver_locked(box, msg);

	lockdep_assert_held(&box->lock);
	if (!waiter) {
		enqueue_locked(box, msg, returned);
		return;
	}
	claim_locked(box, msg);
	waiter->message = msg;
	mbx_waiter_finish_locked(waiter, 0);
}

static void number_locked(struct mbx_box *box, struct mbx_message *msg)
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
	/* What has waited at a rendezvous was stamped earlier than others sent since. */
	box->last_sent = max(box->last_sent, msg->time);
	if (box->last_sender != msg->process) {
		put_pid(box->last_sender);
		box->last_sender = get_pid(msg->process);
	}
}

static u64 accept_locked(struct mbx_box *box, struct mbx_message *msg, struct mbx_share *share)
{
	number_locked(box, msg);
	mbx_box_count_locked(box, msg, share);
	mbx_count_sent_locked(box, msg);
	return msg->entry.sequence;
}

static u64 publish_locked(struct mbx_box *box, struct mbx_message *msg, struct mbx_share *share)
{
	u64 sequence = accept_locked(box, msg, share);

	mbx_deliver_locked(box, msg, false);
	return sequence;
}

/**
 * mbx_may_enter_locked() - may a new message of this length be queued at once?
 * @box: the mailbox, its lock held
 * @share: of the user that sends it
 * @length: bytes of payload
 *
 * There must be room, and nobody may stand in line for it: those in line who could
 * enter have done so. One whose user has used up its share holds up only those of
 * the same user.
 *
 * Return: true if so.
 */
bool mbx_may_enter_locked(const struct mbx_box *box, const struct mbx_share *share, u32 length)
{
	struct mbx_waiter *waiter;

	if (!mbx_box_has_room_locked(box, share, length))
		return false;
	list_for_each_entry(waiter, &box->senders, link)
		if (waiter->share == share ||
		    !mbx_box_share_full_locked(box, waiter->share, waiter->message->length))
			return false;
	return true;
}

/*
 * Let senders in that wait and no longer need to, in the order they came. The first
 * for whom there is no room holds up all others, so that a long message is not starved
 * by short ones; one whose user has used up its share, those of the same user.
 */
static void admit_locked(struct mbx_box *box)
{
	u64 pass = ++box->admit_pass;
	struct mbx_waiter *waiter, *next;

	list_for_each_entry_safe(waiter, next, &box->senders, link) {
		struct mbx_message *msg = waiter->message;

		if (waiter->share->held_up == pass)
			continue;
		if (mbx_box_share_full_locked(box, waiter->share, msg->length)) {
			waiter->share->held_up = pass;
			continue;
		}
		if (!mbx_box_has_room_locked(box, waiter->share, msg->length))
			return;
		waiter->sequence = accept_locked(box, msg, waiter->share);
		/* No receiver waits for it, see the DOC comment in send.h. */
		enqueue_locked(box, msg, false);
		mbx_waiter_finish_locked(waiter, 0);
	}
}

/**
 * mbx_enter_claimed_locked() - let a sender in whose message goes to the caller
 * @box: the mailbox
 * @waiter: a sender in line
 *
 * Context: The mailbox lock is held.
 */
void mbx_enter_claimed_locked(struct mbx_box *box, struct mbx_waiter *waiter)
{
	lockdep_assert_held(&box->lock);
	waiter->sequence = accept_locked(box, waiter->message, waiter->share);
	claim_locked(box, waiter->message);
	mbx_waiter_finish_locked(waiter, 0);
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
	const bool waits = box->on_full == MAILBOX_ON_FULL_WAIT;
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
		mbx_waiter_finish_locked(waiter, fits ? -EAGAIN : -EMSGSIZE);
	}
}

/**
 * mbx_room_freed_locked() - there is more room than before
 * @box: the mailbox
 *
 * Context: The mailbox lock is held.
 */
void mbx_room_freed_locked(struct mbx_box *box)
{
	lockdep_assert_held(&box->lock);
	if (box->closed)
		return;
	if (unlikely(!list_empty(&box->senders)))
		admit_locked(box);
	mbx_box_wake_pollers_locked(box, EPOLLOUT | EPOLLWRNORM);
}

/* The wait for room ends when nobody would want the message any more. */
static u64 wait_until(const struct mbx_send_args *args)
{
	return args->expires ? min(args->deadline, args->expiry) : args->deadline;
}

/* Return: 0, LOOK_AGAIN, or a negative errno. */
static int wait_for_room(struct mbx_box *box, struct mbx_message *msg, struct mbx_share *share,
			 const struct mbx_send_args *args, u64 *sequence) __must_hold(&box->lock)
{
	struct mbx_waiter waiter;
	int ret;

	mbx_waiter_init_locked(&waiter, &box->senders, &box->nr_senders);
	waiter.message = msg;
	waiter.share = share;
	ret = mbx_waiter_sleep(&waiter, &box->lock, wait_until(args));
	if (ret < 0)
		mbx_room_freed_locked(box); /* those behind us were waiting for us too */
	*sequence = waiter.sequence;
	return ret;
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
		if (!waiting_receiver_locked(box, msg))
			return -EAGAIN;
		*sequence = publish_locked(box, msg, share);
		return 0;
	}

	mbx_waiter_init_locked(&waiter, &box->meetings, &box->nr_senders);
	waiter.message = msg;
	msg->sender = &waiter;
	number_locked(box, msg);
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
		    waiting_receiver_locked(box, msg)) {
			*sequence = publish_locked(box, msg, share);
			return 0;
		}
		if (box->on_full == MAILBOX_ON_FULL_OVERWRITE)
			return overwrite(box, msg, share, sequence);
		if (args->nonblock || box->on_full == MAILBOX_ON_FULL_REFUSE)
			return -EAGAIN;
		ret = wait_for_room(box, msg, share, args, sequence);
	} while (ret == LOOK_AGAIN);
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
