// SPDX-License-Identifier: GPL-2.0-only
#include <linux/minmax.h>
#include <linux/poll.h>
#include <linux/rbtree.h>
#include <linux/sched.h>

#include "broadcast.h"
#include "claim.h"
#include "deliver.h"
#include "mailbox.h"
#include "receipt.h"
#include "wait.h"

/* How many messages or subscribers are dealt with before the lock is given up for a moment. */
#define BROADCAST_STEP 32

#define subscriber_of(at) rb_entry_safe(at, struct mbx_subscriber, node)

static bool less(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct mbx_subscriber, node)->cursor <
	       rb_entry(b, struct mbx_subscriber, node)->cursor;
}

static struct rb_root_cached *among(struct mbx_box *box, const struct mbx_subscriber *subscriber)
{
	return subscriber->cut_off ? &box->strict : &box->lenient;
}

static u64 least_cursor(const struct rb_root_cached *subscribers)
{
	const struct mbx_subscriber *first = subscriber_of(rb_first_cached(subscribers));

	return first ? first->cursor : U64_MAX;
}

/* Is there nobody any more who is to get it? */
static bool all_have_locked(const struct mbx_box *box, const struct mbx_message *msg)
{
	return msg->entry.sequence < least_cursor(&box->lenient) &&
	       msg->entry.sequence < least_cursor(&box->strict);
}

/**
 * mbx_broadcast_join_locked() - a handle is to get what is sent from now on
 * @box: a mailbox of this policy, its lock held
 * @subscriber: of the handle
 */
void mbx_broadcast_join_locked(struct mbx_box *box, struct mbx_subscriber *subscriber)
{
	subscriber->cursor = box->last_sequence + 1;
	subscriber->joined = true;
	rb_add_cached(&subscriber->node, among(box, subscriber), less);
	box->subscribers++;
}

/**
 * mbx_broadcast_leave_locked() - a handle is to get nothing more
 * @box: a mailbox, its lock held
 * @subscriber: of the handle, which perhaps has never joined
 *
 * Messages that nobody needs then are left for mbx_broadcast_tidy().
 */
void mbx_broadcast_leave_locked(struct mbx_box *box, struct mbx_subscriber *subscriber)
{
	lockdep_assert_held(&box->lock);
	if (!subscriber->joined)
		return;
	rb_erase_cached(&subscriber->node, among(box, subscriber));
	subscriber->joined = false;
	box->subscribers--;
}

static void remove_locked(struct mbx_box *box, struct mbx_message *msg, struct mbx_message **spent)
{
	mbx_queue_remove(&box->queue, &msg->entry);
	mbx_box_uncount_locked(box, msg);
	mbx_box_drop_locked(box, msg, spent);
}

/* The end of a message that nobody needs any more. Those who have it are its copies. */
static void end_locked(struct mbx_box *box, struct mbx_message *msg, struct mbx_message **spent)
{
	if (msg->copies)
		box->received++;
	else
		box->dropped++;
	mbx_receipt_end_locked(box, msg, msg->copies ? MAILBOX_END_RECEIVED : MAILBOX_END_DROPPED,
			       spent);
	remove_locked(box, msg, spent);
}

/* The end of a message that some have not got. */
static void overwrite_locked(struct mbx_box *box, struct mbx_message *msg,
			     struct mbx_message **spent)
{
	box->overwritten++;
	mbx_receipt_end_locked(box, msg, MAILBOX_END_OVERWRITTEN, spent);
	remove_locked(box, msg, spent);
}

/* Return: true when there may be more. */
static bool tidy_some_locked(struct mbx_box *box, struct mbx_message **spent)
{
	struct mbx_message *msg;
	int nr;

	for (nr = 0; nr < BROADCAST_STEP; nr++) {
		msg = mbx_message_of(mbx_queue_first(&box->queue));
		if (!msg || !all_have_locked(box, msg))
			return false;
		end_locked(box, msg, spent);
	}
	return true;
}

/* The lock is given up for a moment after each step. */
static void tidy_locked(struct mbx_box *box) __must_hold(&box->lock)
{
	struct mbx_message *spent = NULL;
	bool more;

	do {
		more = tidy_some_locked(box, &spent);
		if (!more && !spent)
			break;
		mbx_spent_flush(box, &spent);
	} while (more);
}

/**
 * mbx_broadcast_tidy() - let messages go that nobody needs any more
 * @box: a mailbox of this policy that a subscriber has left
 *
 * Context: Process context, may sleep.
 */
void mbx_broadcast_tidy(struct mbx_box *box)
{
	spin_lock(&box->lock);
	tidy_locked(box);
	spin_unlock(&box->lock);
}

/* Return: true when one was cut off that has not got this message. */
static bool cut_one_off_locked(struct mbx_box *box, const struct mbx_message *msg)
{
	struct mbx_subscriber *slowest = subscriber_of(rb_first_cached(&box->strict));

	if (!slowest || slowest->cursor > msg->entry.sequence)
		return false;
	mbx_broadcast_leave_locked(box, slowest);
	return true;
}

/* Return: true when there may be more to overwrite. */
static bool make_room_locked(struct mbx_box *box, u32 length, bool *cut, struct mbx_message **spent)
{
	struct mbx_message *oldest;
	int nr;

	for (nr = 0; nr < BROADCAST_STEP; nr++) {
		if (box->messages < box->max_messages && box->bytes + length <= box->max_bytes)
			return false;
		oldest = mbx_message_of(mbx_queue_first(&box->queue));
		if (!oldest)
			return false;
		if (cut_one_off_locked(box, oldest)) {
			*cut = true;
			/* The message goes with the last of them, and is overwritten. */
			if (all_have_locked(box, oldest))
				overwrite_locked(box, oldest, spent);
		} else if (all_have_locked(box, oldest)) {
			end_locked(box, oldest, spent);
		} else {
			overwrite_locked(box, oldest, spent);
		}
	}
	return true;
}

static void publish_locked(struct mbx_box *box, struct mbx_message *msg, struct mbx_share *share,
			   struct mbx_message **spent)
{
	msg->copies = 0;
	mbx_number_locked(box, msg);
	mbx_accept_locked(box, msg, share);
	if (!box->subscribers) {
		box->dropped++;
		mbx_receipt_end_locked(box, msg, MAILBOX_END_DROPPED, spent);
		mbx_box_uncount_locked(box, msg);
		mbx_box_drop_locked(box, msg, spent);
		return;
	}
	mbx_enqueue_locked(box, msg, false);
}

/**
 * mbx_broadcast_send() - send a message to all subscribers
 * @box: the mailbox, its lock held; dropped and taken again in between
 * @msg: the message, its priority, type and expiry set, of the right size
 * @share: of the user that sends it
 *
 * Context: Process context, may sleep.
 * Return: the number of the message; or -EINVAL or -EIDRM, and the message is the caller's.
 */
s64 mbx_broadcast_send(struct mbx_box *box, struct mbx_message *msg, struct mbx_share *share)
	__must_hold(&box->lock)
{
	struct mbx_message *spent = NULL;
	bool cut = false;
	s64 sequence;

	if (msg->entry.priority)
		return -EINVAL;
	while (box->subscribers && make_room_locked(box, msg->length, &cut, &spent)) {
		mbx_spent_flush(box, &spent);
		if (box->closed)
			return -EIDRM;
	}
	/* By the time the lock is dropped, the message may have been received. */
	sequence = box->last_sequence + 1;
	publish_locked(box, msg, share, &spent);
	/* For the message, or since they are cut off. */
	mbx_waiters_stir_locked(&box->receivers);
	mbx_waiters_stir_locked(&box->peekers);
	if (cut)
		mbx_box_wake_pollers_locked(box, EPOLLHUP | EPOLLERR);
	if (spent)
		mbx_spent_flush(box, &spent);
	/* What only those needed who were cut off. */
	if (cut)
		tidy_locked(box);
	return sequence;
}

/**
 * mbx_broadcast_find_locked() - the next message of a subscriber
 * @box: the mailbox, its lock held
 * @subscriber: the subscriber
 * @select: the first, or one with so many before it
 * Return: the message, which stays where it is, or NULL.
 */
struct mbx_message *mbx_broadcast_find_locked(const struct mbx_box *box,
					      const struct mbx_subscriber *subscriber,
					      const struct mbx_select *select)
{
	const u64 behind = mbx_queue_rank(&box->queue, subscriber->cursor);
	struct mbx_select next = { .kind = MBX_SELECT_INDEX, .match = behind };

	lockdep_assert_held(&box->lock);
	if (select->kind == MBX_SELECT_INDEX) {
		if (select->match >= box->queue.nr - behind)
			return NULL;
		next.match += select->match;
	}
	return mbx_message_of(mbx_queue_find(&box->queue, &next));
}

/**
 * mbx_broadcast_missed_locked() - how many messages before this one a subscriber has not got
 * @box: the mailbox, its lock held
 * @subscriber: the subscriber
 * @msg: what mbx_broadcast_find_locked() has found
 * @index: how many messages that it can get are before this one
 * Return: how many, since it was told last.
 */
u64 mbx_broadcast_missed_locked(const struct mbx_box *box, const struct mbx_subscriber *subscriber,
				const struct mbx_message *msg, u64 index)
{
	lockdep_assert_held(&box->lock);
	return subscriber->missed + msg->entry.sequence - subscriber->cursor - index;
}

/**
 * mbx_broadcast_got_locked() - a subscriber has a copy of a message
 * @box: the mailbox, its lock held
 * @subscriber: the subscriber
 * @msg: the message, which the caller keeps in memory
 * @cursor: where the subscriber was when the caller began to copy
 * @told: it was told how many it has missed
 * @spent: list to which messages are added that are for the caller to free
 *
 * The message may have been overwritten or have expired since the copy began: that is as if
 * it had been received a moment earlier, but for how the message is counted. Another thread
 * may have received it through the same handle: then the copy never was.
 *
 * Return: 0; 1 to look for the next one; -ENOBUFS when it is cut off.
 */
int mbx_broadcast_got_locked(struct mbx_box *box, struct mbx_subscriber *subscriber,
			     struct mbx_message *msg, u64 cursor, bool told,
			     struct mbx_message **spent)
{
	lockdep_assert_held(&box->lock);
	if (!subscriber->joined)
		return -ENOBUFS;
	if (subscriber->cursor != cursor)
		return 1;
	subscriber->missed = told ? 0 : mbx_broadcast_missed_locked(box, subscriber, msg, 0);
	rb_erase_cached(&subscriber->node, among(box, subscriber));
	subscriber->cursor = msg->entry.sequence + 1;
	rb_add_cached(&subscriber->node, among(box, subscriber), less);
	msg->copies++;
	mbx_note_receiver_locked(box, msg);
	/* No more than this one, unless somebody is about to. */
	tidy_some_locked(box, spent);
	return 0;
}
