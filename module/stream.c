// SPDX-License-Identifier: GPL-2.0-only
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/poll.h>
#include <linux/sched.h>

#include "claim.h"
#include "expire.h"
#include "line.h"
#include "message.h"
#include "notify.h"
#include "policy.h"
#include "receive.h"
#include "spent.h"
#include "stream.h"
#include "wait.h"

/* What find() and read_locked() return that is no errno. */
#define LOOK_AGAIN 1
#define END	   2

static const struct mbx_select first = { .kind = MBX_SELECT_FIRST };

/* For all that read it; see mbx_hand_over_locked() for those to whom something is on its way. */
static bool is_over_locked(const struct mbx_box *box)
{
	return !box->queue.nr && !box->streaming &&
	       (!box->may_send || mbx_policy_alone_locked(box));
}

/* And for this one: it has been there when others sent, or has got what they had sent before. */
static bool has_ended_locked(const struct mbx_handle *handle)
{
	const struct mbx_box *box = handle->box;

	return is_over_locked(box) &&
	       (handle->got || box->senders_opened != handle->senders_before);
}

/**
 * mbx_stream_announce_locked() - note whom a handle has missed
 * @handle: the handle, just counted among those that may send and receive
 */
void mbx_stream_announce_locked(struct mbx_handle *handle)
{
	struct mbx_box *box = handle->box;

	lockdep_assert_held(&box->lock);
	box->senders_opened += !!(handle->rights & MAILBOX_RIGHT_SEND);
	if (handle->rights & MAILBOX_RIGHT_RECEIVE)
		WRITE_ONCE(box->receivers_opened, box->receivers_opened + 1);
	/* Those that are there it has not missed. */
	handle->senders_before = box->senders_opened - !!box->may_send;
	handle->receivers_before = box->receivers_opened - !!box->may_receive;
}

/**
 * mbx_stream_tell_end_locked() - tell those who read that there is nothing more, if so
 * @box: the mailbox, its lock held
 *
 * Those who wait for messages wait on; who waits for bytes looks again.
 */
void mbx_stream_tell_end_locked(struct mbx_box *box)
{
	struct mbx_waiter *waiter, *next;

	lockdep_assert_held(&box->lock);
	if (!is_over_locked(box))
		return;
	list_for_each_entry_safe(waiter, next, &box->receivers, link)
		if (waiter->stream)
			mbx_waiter_finish_locked(waiter, LOOK_AGAIN);
	/* No eventfd has this name. */
	mbx_box_wake_all_pollers_locked(box, EPOLLHUP);
}

/**
 * mbx_stream_poll_locked() - what poll(2) says of a stream besides
 * @handle: the handle, its mailbox's lock held
 * Return: the events that are so.
 */
__poll_t mbx_stream_poll_locked(const struct mbx_handle *handle)
{
	__poll_t events = 0;

	lockdep_assert_held(&handle->box->lock);
	if (!handle->stream)
		return 0;
	if ((handle->rights & MAILBOX_RIGHT_RECEIVE) && has_ended_locked(handle))
		events |= EPOLLIN | EPOLLRDNORM | EPOLLHUP;
	if ((handle->rights & MAILBOX_RIGHT_SEND) && mbx_stream_is_unheard_locked(handle))
		events |= EPOLLERR;
	return events;
}

/* Return: as find(). */
static int wait_for(struct mbx_handle *handle, bool nonblock, struct mbx_message **found)
	__must_hold(&handle->box->lock)
{
	struct mbx_box *box = handle->box;
	struct mbx_waiter waiter;
	int ret;

	if (nonblock)
		return -EAGAIN;
	mbx_waiter_init_locked(&waiter, &box->receivers, &box->nr_receivers, handle);
	waiter.select = first;
	waiter.stream = true;
	mbx_box_wake_pollers_locked(box, MBX_POLL_RECEIVER);
	if (box->capacity == MAILBOX_CAPACITY_RENDEZVOUS)
		mbx_box_wake_pollers_locked(box, EPOLLOUT | EPOLLWRNORM);
	ret = mbx_waiter_sleep(&waiter, &box->lock, MBX_FOREVER);
	*found = waiter.message;
	return ret;
}

/*
 * Claim the first message, or have one handed over. Called with the lock held and returns with
 * it held. Return: 0 with the message, and then the reader counts in @streaming of the mailbox;
 * LOOK_AGAIN; END; or a negative errno.
 */
static int find(struct mbx_handle *handle, bool nonblock, struct mbx_message **found)
	__must_hold(&handle->box->lock)
{
	struct mbx_box *box = handle->box;
	struct mbx_waiter *sender;
	struct mbx_entry *entry;

	if (box->closed)
		return -EIDRM;
	entry = mbx_queue_first(&box->queue);
	if (!entry && !list_empty(&box->senders)) {
		/* There may be room, only not yet enough for mbx_line_moves_locked(). */
		mbx_line_admit_locked(box);
		mbx_box_wake_pollers_locked(box, EPOLLOUT | EPOLLWRNORM);
		entry = mbx_queue_first(&box->queue);
	}
	if (entry) {
		mbx_queue_remove(&box->queue, entry);
		*found = mbx_message_of(entry);
		(*found)->claimed = true;
		box->streaming++;
		return 0;
	}
	/* One that has no room for want of what others have under a lease. */
	sender = mbx_line_find_locked(box, &first, true);
	if (sender) {
		*found = sender->message;
		mbx_line_take_locked(box, sender);
		box->streaming++;
		return 0;
	}
	return has_ended_locked(handle) ? END : wait_for(handle, nonblock, found);
}

/* With the lock held again: what was copied is read. Return: as find(). */
static int commit_locked(struct mbx_handle *handle, struct mbx_message *msg, u32 part,
			 struct mbx_message **spent)
{
	struct mbx_box *box = handle->box;

	if (mbx_claim_taken_back(msg)) {
		/* What we copied never was. */
		mbx_claim_undo_locked(box, msg, spent);
		return LOOK_AGAIN;
	}
	if (part < msg->length)
		mbx_claim_part_locked(box, msg, part, spent);
	else
		mbx_claim_commit_locked(box, msg, spent);
	handle->got = true;
	return part ? 0 : LOOK_AGAIN;
}

/* Return: as find(). */
static int read_locked(struct mbx_handle *handle, bool nonblock, char __user *data, u32 room,
		       u32 *part, struct mbx_message **spent) __must_hold(&handle->box->lock)
{
	struct mbx_box *box = handle->box;
	struct mbx_message *msg;
	u32 offset;
	int ret;

	ret = find(handle, nonblock, &msg);
	if (ret)
		return ret;
	*part = min(msg->length, room);
	offset = mbx_message_offset_locked(msg);
	/* Who takes a loan without knowing of it would never return it. */
	if (msg->state & MBX_HAS_LOAN) {
		ret = -EOPNOTSUPP;
	} else {
		spin_unlock(&box->lock);
		ret = mbx_receive_copy(msg, NULL, data, offset, *part, 0);
		spin_lock(&box->lock);
	}
	if (ret)
		mbx_claim_undo_locked(box, msg, spent);
	else
		ret = commit_locked(handle, msg, *part, spent);
	box->streaming--;
	/* Others may have waited for what we could have put back. */
	mbx_stream_tell_end_locked(box);
	return ret;
}

/* As in receive.c. */
static int look_again_locked(const struct mbx_handle *handle)
{
	if (handle->revoked)
		return -EACCES;
	return mbx_policy_holds_locked(handle->box) ? 0 : LOOK_AGAIN;
}

/**
 * mbx_stream_read() - read bytes of the first message
 * @file: a handle
 * @data: where they go
 * @room: how many at most
 *
 * Context: Process context, may sleep.
 * Return: how many; 0 at the end; or, with nothing read, a negative errno as read(2) of any
 * handle.
 */
ssize_t mbx_stream_read(struct file *file, char __user *data, size_t room)
{
	struct mbx_handle *handle = file->private_data;
	const bool nonblock = file->f_flags & O_NONBLOCK;
	struct mbx_message *spent = NULL;
	struct mbx_box *box = handle->box;
	u32 part = 0;
	int ret;

	/* Written by REVOKE, which has returned before a call that must see it. */
	if (!(handle->rights & MAILBOX_RIGHT_RECEIVE) || READ_ONCE(handle->revoked))
		return -EACCES;
	if (!room)
		return 0;
	for (;;) {
		ret = mbx_policy_receive(handle, MBX_FOREVER, nonblock);
		if (ret)
			return ret;
		mbx_box_lock_fresh(box);
		ret = handle->usual ? 0 : look_again_locked(handle);
		if (!ret)
			ret = read_locked(handle, nonblock, data, min_t(size_t, room, U32_MAX),
					  &part, &spent);
		spin_unlock(&box->lock);
		mbx_spent_free(spent);
		spent = NULL;
		if (ret != LOOK_AGAIN)
			break;
		/* Messages without bytes may be many. */
		cond_resched();
	}
	if (ret == END)
		return 0;
	return ret ? ret : (ssize_t)part;
}
