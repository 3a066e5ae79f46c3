// SPDX-License-Identifier: GPL-2.0-only
#include <linux/err.h>
#include <linux/fdtable.h>
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/rbtree.h>
#include <linux/sched.h>
#include <linux/uaccess.h>

#include "dead_letter.h"
#include "deliver.h"
#include "expire.h"
#include "handle.h"
#include "ioctl.h"
#include "lease.h"
#include "line.h"
#include "mailbox.h"
#include "receipt.h"
#include "share.h"

/* How many are done before the lock is given up for a moment. */
#define LEASE_STEP 32

#define lease_message(node) rb_entry_safe(node, struct mbx_message, entry.order)

static bool before(const struct mbx_lease *a, const struct mbx_lease *b)
{
	if (a->handle != b->handle)
		return a->handle < b->handle;
	if (a->holder != b->holder)
		return a->holder < b->holder;
	return a->number < b->number;
}

static bool node_before(struct rb_node *a, const struct rb_node *b)
{
	return before(&lease_message(a)->entry.lease, &lease_message(b)->entry.lease);
}

/* The first lease that is not before @key, or NULL. */
static struct mbx_message *find_from_locked(const struct mbx_box *box, const struct mbx_lease *key)
{
	struct rb_node *node = box->leases.rb_node;
	struct mbx_message *found = NULL;

	while (node) {
		struct mbx_message *msg = lease_message(node);

		if (before(&msg->entry.lease, key)) {
			node = node->rb_right;
		} else {
			found = msg;
			node = node->rb_left;
		}
	}
	return found;
}

/**
 * mbx_lease_find_locked() - the message that the current process has under a lease
 * @handle: through which the lease was taken, the lock of its mailbox held
 * @number: of the lease
 * Return: the message; or NULL when there is no such lease, or it is another's.
 */
struct mbx_message *mbx_lease_find_locked(struct mbx_handle *handle, u64 number)
{
	const struct mbx_lease key = {
		.handle = handle,
		.holder = current->files,
		.number = number,
	};
	struct mbx_message *msg = find_from_locked(handle->box, &key);

	return msg && !before(&key, &msg->entry.lease) ? msg : NULL;
}

static u64 ends_at(u64 time)
{
	u64 now = ktime_get_ns();

	if (!time)
		return 0;
	return time > U64_MAX - now ? U64_MAX : now + time;
}

/* Not later than the message expires. */
static void watch_locked(struct mbx_box *box, struct mbx_message *msg, u64 end)
{
	struct mbx_entry *entry = &msg->entry;

	entry->expiry = min_not_zero(end, entry->lease.expiry);
	mbx_queue_watch(&box->queue, entry);
	if (entry->expiry && mbx_queue_next_expiry(&box->queue) == entry)
		mbx_expire_arm_locked(box);
}

static void put_under_locked(struct mbx_box *box, struct mbx_message *msg, struct mbx_lease lease,
			     u64 time)
{
	msg->leased = true;
	box->leased++;
	box->leased_bytes += msg->length;
	if (lease.handle)
		lease.handle->leases++;
	lease.expiry = msg->entry.expiry;
	msg->entry.lease = lease;
	rb_add(&msg->entry.order, &box->leases, node_before);
	watch_locked(box, msg, ends_at(time));
}

/**
 * mbx_lease_begin_locked() - put a message that has been copied out under a lease
 * @box: the mailbox, its lock held, not closed
 * @msg: a claimed message, counted
 * @lessee: who has it
 */
void mbx_lease_begin_locked(struct mbx_box *box, struct mbx_message *msg,
			    const struct mbx_lessee *lessee)
{
	const struct mbx_lease lease = {
		.handle = lessee->handle,
		.holder = current->files,
		.number = lessee->number,
	};

	lockdep_assert_held(&box->lock);
	msg->claimed = false;
	put_under_locked(box, msg, lease, lessee->time);
}

/**
 * mbx_lease_end_locked() - take a message out of its lease
 * @box: the mailbox, its lock held
 * @msg: a leased message; from now on neither leased nor queued, but counted
 */
void mbx_lease_end_locked(struct mbx_box *box, struct mbx_message *msg)
{
	struct mbx_lease *lease = &msg->entry.lease;

	rb_erase(&msg->entry.order, &box->leases);
	mbx_queue_unwatch(&box->queue, &msg->entry);
	msg->entry.expiry = lease->expiry;
	msg->leased = false;
	box->leased--;
	box->leased_bytes -= msg->length;
	if (lease->handle)
		lease->handle->leases--;
}

static void count_delivery_locked(struct mbx_box *box, struct mbx_message *msg)
{
	box->redelivered++;
	if (msg->deliveries < U32_MAX)
		msg->deliveries++;
}

static bool is_dead(const struct mbx_box *box, const struct mbx_message *msg)
{
	return box->max_deliveries && msg->deliveries >= box->max_deliveries;
}

static void free_room_locked(struct mbx_box *box, struct mbx_message *msg)
{
	mbx_box_uncount_locked(box, msg);
	mbx_room_freed_locked(box);
}

/* One that is over for good, and its room. */
static void let_go_locked(struct mbx_box *box, struct mbx_message *msg, u32 end,
			  struct mbx_message **spent)
{
	mbx_receipt_end_locked(box, msg, end, spent);
	free_room_locked(box, msg);
	mbx_box_drop_locked(box, msg, spent);
}

/* A dead letter is counted as moved, and listed for mbx_dead_letter_bury(). */
static void bring_back_locked(struct mbx_box *box, struct mbx_message *msg,
			      struct mbx_message **spent, struct mbx_message **dead)
{
	if (box->closed) {
		let_go_locked(box, msg, MAILBOX_END_DESTROYED, spent);
	} else if (is_dead(box, msg) && (msg->state & MBX_HAS_LOAN)) {
		/* Its piece is one of this region. */
		box->dropped++;
		let_go_locked(box, msg, MAILBOX_END_DROPPED, spent);
	} else if (is_dead(box, msg)) {
		box->dead++;
		mbx_receipt_set_apart_locked(box, msg);
		free_room_locked(box, msg);
		/* There it is another message: not while somebody still looks at this one. */
		msg->dead = msg->peekers;
		if (msg->dead)
			return;
		msg->next = *dead;
		*dead = msg;
	} else {
		mbx_deliver_locked(box, msg, true);
		/* From now on it can be overwritten. */
		if (box->on_full == MAILBOX_ON_FULL_OVERWRITE)
			mbx_room_freed_locked(box);
	}
}

/* What was taken to be answered is not done twice. Return: true if it was that. */
static bool drop_unanswered_locked(struct mbx_box *box, struct mbx_message *msg,
				   struct mbx_message **spent)
{
	if (!(msg->state & MBX_MUST_ANSWER))
		return false;
	box->dropped++;
	let_go_locked(box, msg, MAILBOX_END_DROPPED, spent);
	return true;
}

static void give_back_locked(struct mbx_box *box, struct mbx_message *msg,
			     struct mbx_message **spent, struct mbx_message **dead)
{
	const bool delayed = !msg->entry.lease.handle;

	mbx_lease_end_locked(box, msg);
	if (drop_unanswered_locked(box, msg, spent))
		return;
	/* What was given back with a delay was counted then. */
	if (!delayed)
		count_delivery_locked(box, msg);
	bring_back_locked(box, msg, spent, dead);
}

/**
 * mbx_lease_over_locked() - the time of a lease is over, or the message has expired
 * @box: the mailbox, its lock held
 * @msg: the message
 * @spent: list to which it is added when it is for the caller to free
 * @dead: list to which it is added when it is a dead letter
 */
void mbx_lease_over_locked(struct mbx_box *box, struct mbx_message *msg, struct mbx_message **spent,
			   struct mbx_message **dead)
{
	if (!msg->entry.lease.expiry || msg->entry.lease.expiry > ktime_get_ns()) {
		give_back_locked(box, msg, spent, dead);
		return;
	}
	mbx_lease_end_locked(box, msg);
	box->expired++;
	let_go_locked(box, msg, MAILBOX_END_EXPIRED, spent);
}

/**
 * mbx_lease_any_locked() - any leased message
 * @box: the mailbox, its lock held
 * Return: a message, or NULL when there is none.
 */
struct mbx_message *mbx_lease_any_locked(struct mbx_box *box)
{
	return lease_message(box->leases.rb_node);
}

/**
 * mbx_lease_leave() - give back what a holder has leased through a handle
 * @handle: the handle
 * @holder: the holder, or NULL for all of them
 *
 * Context: Process context, may sleep.
 */
void mbx_lease_leave(struct mbx_handle *handle, const void *holder)
{
	const struct mbx_lease key = { .handle = handle, .holder = holder };
	struct mbx_box *box = handle->box;
	struct mbx_message *msg, *spent, *dead;
	int nr;

	do {
		spent = NULL;
		dead = NULL;
		mbx_box_lock_fresh(box);
		for (nr = 0; nr < LEASE_STEP; nr++) {
			msg = find_from_locked(box, &key);
			if (!msg || msg->entry.lease.handle != handle ||
			    (holder && msg->entry.lease.holder != holder))
				break;
			give_back_locked(box, msg, &spent, &dead);
		}
		spin_unlock(&box->lock);
		mbx_spent_free(spent);
		mbx_dead_letter_bury(box, dead);
		cond_resched();
	} while (nr == LEASE_STEP);
}

/**
 * mbx_lease_flush() - a descriptor was taken out of a table
 * @handle: what it was for
 * @holder: the table
 *
 * Context: Process context, may sleep.
 */
void mbx_lease_flush(struct mbx_handle *handle, void *holder)
{
	struct files_struct *files = holder;
	struct mbx_box *box = handle->box;
	bool leases;

	if (!(handle->rights & MAILBOX_RIGHT_RECEIVE))
		return;
	spin_lock(&box->lock);
	leases = handle->leases;
	spin_unlock(&box->lock);
	/* Where nobody else has the table, no receive of it is at work. */
	if ((!leases && atomic_read(&files->count) <= 1) || mbx_handle_held(files, box, handle))
		return;
	spin_lock(&box->lock);
	handle->departures++;
	spin_unlock(&box->lock);
	mbx_lease_leave(handle, holder);
}

/**
 * mbx_lease_check_holder() - has a lease begun after its holder had left?
 * @handle: through which the current process has just got a lease, and whose departures
 *	were not 0 then
 *
 * Another thread may have closed the descriptor since the call began: then
 * mbx_lease_flush() came too early to see the lease, and has counted a departure::
 *
 *	this thread			the one that closes
 *
 *	(find the descriptor)		(take it out of the table)
 *	lock				lock
 *	the lease begins		departures++
 *	look at departures		unlock
 *	unlock				lock
 *	(look at the table)		end the leases there are
 *					unlock
 *
 * Whoever is the first to have the lock, one of the two sees what the other did.
 *
 * Context: Process context, may sleep.
 */
void mbx_lease_check_holder(struct mbx_handle *handle)
{
	if (!mbx_handle_held(current->files, handle->box, handle))
		mbx_lease_leave(handle, current->files);
}

/**
 * mbx_lease_done_locked() - a leased message is done with
 * @box: the mailbox, its lock held
 * @msg: the message
 * @spent: list to which it is added when it is for the caller to free
 */
void mbx_lease_done_locked(struct mbx_box *box, struct mbx_message *msg, struct mbx_message **spent)
{
	mbx_lease_end_locked(box, msg);
	box->received++;
	let_go_locked(box, msg, MAILBOX_END_ACKNOWLEDGED, spent);
}

static void ack_locked(struct mbx_box *box, struct mbx_message *msg, u64 time,
		       struct mbx_message **spent, struct mbx_message **dead)
{
	mbx_lease_done_locked(box, msg, spent);
}

static void nack_locked(struct mbx_box *box, struct mbx_message *msg, u64 time,
			struct mbx_message **spent, struct mbx_message **dead)
{
	mbx_lease_end_locked(box, msg);
	if (drop_unanswered_locked(box, msg, spent))
		return;
	count_delivery_locked(box, msg);
	if (time && !is_dead(box, msg))
		put_under_locked(box, msg, (struct mbx_lease){ .number = ++box->last_lease }, time);
	else
		bring_back_locked(box, msg, spent, dead);
}

static void extend_locked(struct mbx_box *box, struct mbx_message *msg, u64 time,
			  struct mbx_message **spent, struct mbx_message **dead)
{
	mbx_queue_unwatch(&box->queue, &msg->entry);
	watch_locked(box, msg, ends_at(time));
}

typedef void lease_fn(struct mbx_box *box, struct mbx_message *msg, u64 time,
		      struct mbx_message **spent, struct mbx_message **dead);

static int do_one(struct mbx_handle *handle, u64 number, u64 time, lease_fn *fn)
{
	struct mbx_message *msg, *spent = NULL, *dead = NULL;
	struct mbx_box *box = handle->box;
	int ret;

	mbx_box_lock_fresh(box);
	msg = mbx_lease_find_locked(handle, number);
	ret = mbx_handle_refused_locked(handle) ?: (msg ? 0 : -ESTALE);
	if (!ret)
		fn(box, msg, time, &spent, &dead);
	spin_unlock(&box->lock);
	mbx_spent_free(spent);
	mbx_dead_letter_bury(box, dead);
	return ret;
}

static int do_all(struct file *file, struct mbx_call *call, lease_fn *fn)
{
	const u64 __user *numbers = u64_to_user_ptr(call->lease.leases);
	struct mbx_handle *handle = file->private_data;
	struct mailbox_lease *args = &call->lease;
	struct mbx_progress progress = {
		.known = sizeof(*args),
		.done = &args->done,
		.error = &args->error,
	};
	u64 number;
	int ret;
	u32 i;

	if (args->flags)
		return -EOPNOTSUPP;
	if (args->nr < 1 || args->nr > MAILBOX_BATCH_MAX || args->reserved)
		return -EINVAL;
	if (!(handle->rights & MAILBOX_RIGHT_RECEIVE))
		return -EACCES;
	ret = mbx_call_begin(call, &progress);
	if (ret)
		return ret;
	for (i = 0; i < args->nr; i++) {
		ret = get_user(number, numbers + i) ?: do_one(handle, number, args->time, fn);
		if (ret)
			break;
		cond_resched();
	}
	return mbx_call_end(call, &progress, i, ret);
}

/**
 * mbx_lease_ack() - MAILBOX_IOC_ACK
 * @file: a handle
 * @call: the call
 * Return: 0, or with nothing done the errno of the first lease.
 */
int mbx_lease_ack(struct file *file, struct mbx_call *call)
{
	return call->lease.time ? -EINVAL : do_all(file, call, ack_locked);
}

/**
 * mbx_lease_nack() - MAILBOX_IOC_NACK
 * @file: a handle
 * @call: the call
 * Return: as mbx_lease_ack().
 */
int mbx_lease_nack(struct file *file, struct mbx_call *call)
{
	return do_all(file, call, nack_locked);
}

/**
 * mbx_lease_extend() - MAILBOX_IOC_EXTEND
 * @file: a handle
 * @call: the call
 * Return: as mbx_lease_ack().
 */
int mbx_lease_extend(struct file *file, struct mbx_call *call)
{
	return do_all(file, call, extend_locked);
}
