// SPDX-License-Identifier: GPL-2.0-only
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/minmax.h>
#include <linux/pid.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "answer.h"
#include "broadcast.h"
#include "claim.h"
#include "dead_letter.h"
#include "deliver.h"
#include "expire.h"
#include "files.h"
#include "handle.h"
#include "ioctl.h"
#include "lease.h"
#include "line.h"
#include "loan.h"
#include "mailbox.h"
#include "notify.h"
#include "peer.h"
#include "policy.h"
#include "receipt.h"
#include "receive.h"
#include "report.h"
#include "wait.h"

/**
 * struct receive - one receive on its way
 * @args: what was asked for
 * @select: which message, senders as the queue knows them
 * @peer: the process that is to be the sender, with a reference, or NULL
 * @lessee: through which handle; and of the lease that is wanted, if one is
 * @doubtful: the lease may have begun after its holder had left
 * @subscriber: whose next message it is, or NULL where it is no broadcast
 * @spent: messages to be freed once the lock is dropped
 * @dead: dead letters to be moved then
 */
struct receive {
	const struct mbx_receive_args *args;
	struct mbx_select select;
	struct pid *peer;
	struct mbx_lessee lessee;
	bool doubtful;
	struct mbx_subscriber *subscriber;
	struct mbx_message *spent;
	struct mbx_message *dead;
};

/**
 * mbx_receive_copy() - copy a message out
 * @msg: a message that nobody changes or frees meanwhile
 * @report: where all but the payload goes, or NULL
 * @data: where the payload goes
 * @offset: bytes of payload that were read already
 * @copied: bytes of payload to copy
 * @result: bits of enum mailbox_result
 *
 * What a dying process takes would be lost: somebody else shall have it.
 *
 * Context: Process context, may sleep.
 * Return: 0; -EFAULT; -EINTR when killed.
 */
noinline int mbx_receive_copy(const struct mbx_message *msg, struct mailbox_receive __user *report,
			      u8 __user *data, u32 offset, u32 copied, u32 result)
{
	int ret = 0;

	if (copied)
		ret = mbx_message_copy_out(msg, offset, data, copied);
	if (!ret && report)
		ret = mbx_report_put(msg, report, NULL, 0, false, result);
	if (!ret && fatal_signal_pending(current))
		ret = -EINTR;
	return ret;
}

/* For the payload, or for files. */
static __always_inline bool lacks_room(const struct receive *r, const struct mbx_message *msg,
				       const struct mbx_receive_extras *extras)
{
	if (msg->length > r->args->room)
		return true;
	/* A peek installs none. */
	return unlikely(extras) && extras->delivery && !r->args->peek &&
	       mbx_files_nr(msg) > extras->delivery->room;
}

/* States of a message of which a receiver is told. */
#define SAID (MBX_IS_RECEIPT | MBX_IS_DEAD_LETTER | MBX_IS_CALL | MBX_HAS_FILES | MBX_HAS_LOAN)

/* Before the lock is dropped: bits of enum mailbox_result. */
static __always_inline u32 result_locked(const struct mbx_message *msg, bool cut)
{
	const u32 result = cut ? MAILBOX_TRUNCATED : 0;

	if (likely(!(msg->state & SAID)))
		return result;
	return result | (msg->state & MBX_IS_RECEIPT ? MAILBOX_IS_RECEIPT : 0) |
	       (msg->state & MBX_IS_DEAD_LETTER ? MAILBOX_IS_DEAD_LETTER : 0) |
	       (msg->state & MBX_IS_CALL ? MAILBOX_IS_CALL : 0) |
	       (msg->state & MBX_HAS_FILES ? MAILBOX_HAS_FILES : 0) |
	       (msg->state & MBX_HAS_LOAN ? MAILBOX_IS_LOAN : 0);
}

static bool too_long(const struct receive *r, const struct mbx_message *msg)
{
	return lacks_room(r, msg, r->args->extras) && !r->args->truncate;
}

/* All but what the commit decides. */
static __always_inline int copy(const struct receive *r, const struct mbx_message *msg, u32 offset,
				u32 copied, u32 result, const struct mbx_receive_extras *extras)
{
	const struct mbx_receive_args *args = r->args;
	int ret = 0;

	if (unlikely(extras) && extras->delivery)
		ret = mbx_delivery_prepare(extras->delivery, msg, args->peek);
	if (!ret)
		ret = mbx_receive_copy(msg, args->report, args->data, offset, copied, result);
	if (unlikely(extras) && !ret && extras->taking)
		ret = mbx_taking_tell(extras->taking);
	return ret;
}

/* A sender that waits for room may have what we want: to us it goes without. */
static struct mbx_message *take_from_line_locked(struct mbx_box *box, const struct receive *r)
{
	struct mbx_waiter *sender = mbx_line_find_locked(box, &r->select, !r->args->lease);

	if (!sender)
		return NULL;
	/* Too long for us: it stays where it is, and we say how long it is. */
	if (!too_long(r, sender->message))
		mbx_line_take_locked(box, sender);
	return sender->message;
}

/* When there is none that matches in the queue. Return: as find(). */
static int wait_for(struct mbx_box *box, struct receive *r, struct mbx_message **found)
	__must_hold(&box->lock)
{
	const struct mbx_receive_args *args = r->args;
	struct mbx_waiter waiter;
	int ret;

	/* What is leased takes up room: it is taken from nobody who waits for that. */
	if (!args->peek && args->lease != MBX_LEASE_ANY && !list_empty(&box->senders)) {
		*found = take_from_line_locked(box, r);
		if (*found)
			return 0;
	}
	if (mbx_policy_alone_locked(box))
		return -EPIPE;
	if (args->nonblock)
		return r->peer && mbx_peer_has_ended(r->peer) ? -ESRCH : -EAGAIN;

	mbx_waiter_init_locked(&waiter, args->peek ? &box->peekers : &box->receivers,
			       &box->nr_receivers, r->lessee.handle);
	waiter.select = r->select;
	waiter.peer = r->peer;
	waiter.lease = args->lease;
	if (!args->peek) {
		mbx_box_wake_pollers_locked(box, MBX_POLL_RECEIVER);
		if (box->capacity == MAILBOX_CAPACITY_RENDEZVOUS)
			mbx_box_wake_pollers_locked(box, EPOLLOUT | EPOLLWRNORM);
	}
	ret = mbx_waiter_sleep(&waiter, &box->lock, args->deadline);
	*found = waiter.message;
	return !ret && args->peek ? 1 : ret;
}

/* Return: as find(). */
static int find_broadcast(struct mbx_box *box, struct receive *r, struct mbx_message **found)
	__must_hold(&box->lock)
{
	if (!r->subscriber->joined)
		return -ENOBUFS;
	*found = mbx_broadcast_find_locked(box, r->subscriber, &r->select);
	if (*found)
		return 0;
	/* Woken, it looks whether what came is what it waits for. */
	return wait_for(box, r, found);
}

/*
 * Find the message, or have one handed over. Called with the lock held and returns
 * with it held. Return: 0 with a message that is claimed, or that stays where it is
 * for a peek; 1 to look again.
 */
static int find(struct mbx_box *box, struct receive *r, struct mbx_message **found)
	__must_hold(&box->lock)
{
	struct mbx_entry *entry;

	if (unlikely(box->closed))
		return -EIDRM;
	if (r->subscriber)
		return find_broadcast(box, r, found);
	entry = mbx_queue_find(&box->queue, &r->select);
	if (unlikely(!entry && !list_empty(&box->senders))) {
		/* There may be room, only not yet enough for mbx_line_moves_locked(). */
		mbx_line_admit_locked(box);
		mbx_box_wake_pollers_locked(box, EPOLLOUT | EPOLLWRNORM);
		entry = mbx_queue_find(&box->queue, &r->select);
	}
	if (unlikely(!entry))
		return wait_for(box, r, found);
	*found = mbx_message_of(entry);
	if (likely(!r->args->peek && !too_long(r, *found))) {
		mbx_queue_remove(&box->queue, entry);
		(*found)->claimed = true;
	}
	return 0;
}

/* Or receive a broadcast, which stays for others. Return: as find(). */
static int peek(struct mbx_box *box, struct receive *r, struct mbx_message *msg, bool cut,
		u32 *copied) __must_hold(&box->lock)
{
	struct mbx_taking *taking = r->args->extras ? r->args->extras->taking : NULL;
	/* What is left of it may be read meanwhile, or a part of that. */
	const u32 length = mbx_loan_payload_locked(msg), offset = mbx_message_offset_locked(msg);
	/* Under a lease it says meanwhile when that ends. */
	const u64 expiry = msg->entry.expiry;
	const u32 result = result_locked(msg, cut);
	const u64 cursor = r->subscriber ? r->subscriber->cursor : 0;
	const u64 index = r->select.kind == MBX_SELECT_INDEX ? r->select.match : 0;
	const bool tell = r->subscriber && r->args->ask_missed;
	u64 missed = 0;
	int ret;

	/* It does not take what it does not know. */
	if ((result & MAILBOX_IS_LOAN) && !r->args->peek && !taking)
		return -EOPNOTSUPP;
	if (tell)
		missed = mbx_broadcast_missed_locked(box, r->subscriber, msg, index);
	if (taking)
		mbx_taking_look_locked(taking, msg, r->args->peek, false);
	msg->peekers++;
	*copied = min(msg->length, r->args->room);
	spin_unlock(&box->lock);
	ret = copy(r, msg, offset, *copied, result, r->args->extras);
	if (!ret && r->args->report && (r->args->peek || result & MAILBOX_IS_LOAN) &&
	    put_user(length, &r->args->report->length))
		ret = -EFAULT;
	if (!ret && r->args->report && put_user(expiry, &r->args->report->expiry))
		ret = -EFAULT;
	if (!ret && tell && put_user(missed, &r->args->report->missed))
		ret = -EFAULT;
	spin_lock(&box->lock);
	if (!ret && taking)
		ret = mbx_taking_check_locked(taking);
	if (!ret && r->subscriber && !r->args->peek)
		ret = mbx_broadcast_got_locked(box, r->subscriber, msg, cursor, tell, &r->spent);
	if (!ret && taking)
		mbx_taking_commit_locked(taking, msg);
	msg->peekers--;
	if (msg->dropped) {
		mbx_box_drop_locked(box, msg, &r->spent);
	} else if (msg->dead && !msg->peekers) {
		/* It has died while we looked at it: see bring_back_locked() in lease.c. */
		msg->dead = false;
		msg->next = r->dead;
		r->dead = msg;
	}
	return ret;
}

/* Choose the number of the lease, 0 for none. Return: the room for the answer to a call. */
static u32 begin_lease_locked(struct mbx_box *box, struct receive *r, const struct mbx_message *msg)
{
	const bool call = msg->state & MBX_IS_CALL;

	r->lessee.number = call || r->args->lease == MBX_LEASE_ANY ? ++box->last_lease : 0;
	return call ? mbx_answer_room_locked(msg) : 0;
}

static int put_lease(const struct receive *r, u32 answer_room)
{
	if (put_user(r->lessee.number, &r->args->report->lease))
		return -EFAULT;
	if (r->args->lease == MBX_LEASE_CALLS &&
	    put_user(answer_room, &r->args->report->answer_room))
		return -EFAULT;
	return 0;
}

/* It stays: who takes a loan without knowing of it would never return it. */
static noinline int refuse_loan(struct mbx_box *box, struct receive *r, struct mbx_message *msg)
{
	mbx_claim_undo_locked(box, msg, &r->spent);
	return -EOPNOTSUPP;
}

/* Return: as find(). */
static __always_inline int take(struct mbx_box *box, struct receive *r, struct mbx_message *msg,
				bool cut, u32 *copied, const struct mbx_receive_extras *extras)
	__must_hold(&box->lock)
{
	struct mbx_taking *taking = extras ? extras->taking : NULL;
	const u32 result = result_locked(msg, cut);
	u32 answer_room = 0;
	int ret;

	if (unlikely(result & MAILBOX_IS_LOAN) && !taking)
		return refuse_loan(box, r, msg);
	if (r->args->lease)
		answer_room = begin_lease_locked(box, r, msg);
	if (taking)
		mbx_taking_look_locked(taking, msg, false, r->lessee.number);
	spin_unlock(&box->lock);
	*copied = min(msg->length, r->args->room);
	ret = copy(r, msg, mbx_message_offset_locked(msg), *copied, result, extras);
	if (!ret && r->args->lease)
		ret = put_lease(r, answer_room);
	spin_lock(&box->lock);
	if (taking && !ret)
		ret = mbx_taking_check_locked(taking);
	if (unlikely(ret)) {
		mbx_claim_undo_locked(box, msg, &r->spent);
		return ret;
	}
	if (unlikely(mbx_claim_taken_back(msg))) {
		/* What we copied never was. */
		mbx_claim_undo_locked(box, msg, &r->spent);
		return 1;
	}
	/* Nothing below fails then. */
	if (taking)
		mbx_taking_commit_locked(taking, msg);
	if (r->lessee.number) {
		ret = mbx_claim_lease_locked(box, msg, &r->lessee, &r->spent);
		if (!ret && r->args->lease == MBX_LEASE_CALLS)
			msg->state |= MBX_MUST_ANSWER;
		/* In the same round of the lock: see mbx_lease_check_holder(). */
		r->doubtful = r->lessee.handle->departures;
		return ret;
	}
	mbx_claim_commit_locked(box, msg, &r->spent);
	return 0;
}

static int say_how_long(struct mbx_box *box, struct receive *r, struct mbx_message *msg)
	__must_hold(&box->lock)
{
	struct mbx_delivery *delivery = r->args->extras ? r->args->extras->delivery : NULL;
	u32 needed = mbx_loan_payload_locked(msg), nr_files = mbx_files_nr(msg);
	int ret = -EMSGSIZE;

	if (msg->claimed)
		mbx_claim_undo_locked(box, msg, &r->spent);
	spin_unlock(&box->lock);
	if (r->args->report && put_user(needed, &r->args->report->length))
		ret = -EFAULT;
	if (delivery && put_user(nr_files, delivery->count))
		ret = -EFAULT;
	spin_lock(&box->lock);
	return ret;
}

/* Return: as find(). */
static noinline int receive_extras(struct mbx_box *box, struct receive *r, struct mbx_message *msg,
				   u32 *copied) __must_hold(&box->lock)
{
	const struct mbx_receive_extras *extras = r->args->extras;
	const bool cut = lacks_room(r, msg, extras);

	if (cut && !r->args->truncate)
		return say_how_long(box, r, msg);
	return r->args->peek || r->subscriber ? peek(box, r, msg, cut, copied) :
						take(box, r, msg, cut, copied, extras);
}

/* Return: as find(). */
static int receive_locked(struct mbx_box *box, struct receive *r, u32 *copied)
	__must_hold(&box->lock)
{
	struct mbx_message *msg;
	bool cut;
	int ret;

	ret = find(box, r, &msg);
	if (unlikely(ret))
		return ret;
	if (unlikely(r->args->extras))
		return receive_extras(box, r, msg, copied);
	cut = lacks_room(r, msg, NULL);
	if (unlikely(cut && !r->args->truncate))
		return say_how_long(box, r, msg);
	return unlikely(r->args->peek || r->subscriber) ? peek(box, r, msg, cut, copied) :
							  take(box, r, msg, cut, copied, NULL);
}

/* Before it waits: who revokes the handle ends waits that have begun. Return: as find(). */
static noinline int look_again_locked(const struct mbx_handle *handle)
{
	if (handle->revoked)
		return -EACCES;
	return mbx_policy_holds_locked(handle->box) ? 0 : 1;
}

/* What needs no check where the first message is asked for, by anybody, for good. */
static noinline int check_unusual(struct mbx_box *box, struct receive *r)
{
	const struct mbx_receive_args *args = r->args;

	if (r->select.kind >= MBX_SELECT_NR)
		return -EINVAL;
	if ((r->select.kind == MBX_SELECT_INDEX && !args->peek) || (args->lease && args->peek))
		return -EINVAL;
	if (box->policy == MAILBOX_POLICY_BROADCAST) {
		if (args->lease || (r->select.kind && r->select.kind != MBX_SELECT_INDEX))
			return -EINVAL;
		r->subscriber = &r->lessee.handle->subscriber;
	}
	if (r->select.kind == MBX_SELECT_SENDER) {
		r->peer = args->peer ? get_pid(args->peer) : mbx_peer_find(box, r->select.match);
		if (IS_ERR(r->peer))
			return PTR_ERR(r->peer);
		r->select.match = (unsigned long)r->peer;
	}
	return 0;
}

/**
 * mbx_receive() - receive one message, or look at one
 * @handle: an open handle
 * @args: which and how
 * @copied: bytes of payload copied; written on success
 *
 * Context: Process context, may sleep.
 * Return: 0 or, with nothing received, a negative errno as struct mailbox_receive
 * lists them; -ERESTARTSYS for a signal.
 */
int mbx_receive(struct mbx_handle *handle, const struct mbx_receive_args *args, u32 *copied)
{
	struct receive r = {
		.args = args,
		.select = args->select,
		.lessee = {
			.handle = handle,
			.time = args->lease_time,
		},
	};
	struct mbx_box *box = handle->box;
	int ret;

	/* Written by REVOKE, which has returned before a call that must see it. */
	if (!(handle->rights & MAILBOX_RIGHT_RECEIVE) || READ_ONCE(handle->revoked))
		return -EACCES;
	if (args->select.kind != MBX_SELECT_FIRST || args->lease || mbx_policy_is_asked(box)) {
		ret = check_unusual(box, &r);
		if (ret)
			return ret;
	}

	for (;;) {
		if (mbx_policy_is_asked(box)) {
			ret = mbx_policy_receive(handle, args->deadline, args->nonblock);
			if (ret)
				break;
		}
		mbx_box_lock_fresh(box);
		ret = likely(handle->usual) ? 0 : look_again_locked(handle);
		if (likely(!ret))
			ret = receive_locked(box, &r, copied);
		spin_unlock(&box->lock);
		if (unlikely(args->extras) && args->extras->delivery)
			mbx_delivery_end(args->extras->delivery, !ret);
		if (unlikely(r.spent)) {
			mbx_spent_free(r.spent);
			r.spent = NULL;
		}
		if (unlikely(r.dead)) {
			mbx_dead_letter_bury(box, r.dead);
			r.dead = NULL;
		}
		if (ret <= 0)
			break;
		/* A lease did not begin: should a signal have us called again, it is as it was. */
		if (unlikely(r.lessee.number))
			put_user(args->lease_time, &args->report->lease);
	}
	if (unlikely(r.doubtful && !ret))
		mbx_lease_check_holder(handle);
	if (unlikely(r.peer))
		put_pid(r.peer);
	return ret;
}
