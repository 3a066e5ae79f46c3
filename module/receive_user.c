// SPDX-License-Identifier: GPL-2.0-only
#include <linux/fs.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "claim.h"
#include "expire.h"
#include "files.h"
#include "handle.h"
#include "ioctl.h"
#include "line.h"
#include "loan.h"
#include "mailbox.h"
#include "receipt.h"
#include "receive.h"
#include "report.h"
#include "wait.h"

#define LEASE_FLAGS	    (MAILBOX_LEASE | MAILBOX_ANSWER)
#define RECEIVE_BATCH_FLAGS (MAILBOX_TRUNCATE | LEASE_FLAGS | MAILBOX_FILES)
#define ALONE_FLAGS	    (MBX_WAIT_FLAGS | MAILBOX_NO_RESTART | MAILBOX_PEEK | MAILBOX_LOAN)
#define RECEIVE_FLAGS	    (ALONE_FLAGS | RECEIVE_BATCH_FLAGS)
#define EXTRA_FLAGS	    (MAILBOX_FILES | MAILBOX_LOAN)

/* As long as it was before there were leases. */
#define RECEIVE_LEAST offsetofend(struct mailbox_receive, deliveries)

static __always_inline int copy_out_whole(const struct mbx_message *msg,
					  struct mailbox_receive __user *report, u8 __user *data)
{
	int ret;

	if (unlikely(msg->room > MBX_INLINE))
		return mbx_receive_copy(msg, report, data, 0, msg->length, 0);
	ret = mbx_report_put(msg, report, data, msg->length, true, 0);
	if (unlikely(!ret && fatal_signal_pending(current)))
		ret = -EINTR;
	return ret;
}

/* The end of receive_first() where it is not the usual one. */
static noinline int finish(struct mbx_box *box, struct mbx_message *msg, int result)
	__releases(&box->lock)
{
	struct mbx_message *spent = NULL;

	if (result)
		mbx_claim_undo_locked(box, msg, &spent);
	else
		mbx_claim_commit_locked(box, msg, &spent);
	spin_unlock(&box->lock);
	mbx_spent_free(spent);
	return result;
}

/* And where there is a spare already. */
static noinline int keep(struct mbx_box *box, struct mbx_message *msg) __releases(&box->lock)
{
	struct mbx_message *spent = NULL;

	if (!mbx_stash_add(&box->stash, msg, &spent)) {
		msg->next = spent;
		spent = msg;
	}
	spin_unlock(&box->lock);
	if (spent)
		mbx_spent_free(spent);
	return 0;
}

/*
 * The same as mbx_receive() for what is most often asked for, and is there: the first
 * message, which fits. Nothing is written down first for other cases; that saves 120
 * instructions of some 1,700 for a send and a receive. Return: 1 to go the long way.
 */
static __always_inline int receive_first(const struct mbx_handle *handle, u8 __user *data, u32 room,
					 struct mailbox_receive __user *report)
{
	struct mbx_box *box = handle->box;
	struct mbx_message *msg;
	struct mbx_entry *entry;
	int ret;

	/* data_race(): see struct mbx_handle. READ_ONCE() takes an instruction more. */
	if (unlikely(!(data_race(handle->usual) & MAILBOX_RIGHT_RECEIVE)))
		return 1;
	mbx_box_lock_fresh(box);
	entry = mbx_queue_first(&box->queue);
	msg = mbx_message_of(entry);
	/*
	 * What is not counted belongs to a sender that waits at a rendezvous; receipts, and
	 * messages that get one, want more said.
	 */
	if (unlikely(!entry || msg->length > room || box->closed || msg->state != MBX_COUNTED)) {
		spin_unlock(&box->lock);
		return 1;
	}
	mbx_queue_remove(&box->queue, entry);
	spin_unlock(&box->lock);

	ret = copy_out_whole(msg, report, data);
	spin_lock(&box->lock);
	if (unlikely(ret || msg->peekers || box->closed))
		return finish(box, msg, ret);
	box->received++;
	mbx_note_receiver_locked(box, msg);
	mbx_box_uncount_locked(box, msg);
	if (unlikely(box->nr_senders) && mbx_line_moves_locked(box))
		mbx_line_admit_locked(box);
	mbx_box_wake_pollers_locked(box, EPOLLOUT | EPOLLWRNORM);
	if (unlikely(!mbx_stash_lacks_spare(&box->stash, msg)))
		return keep(box, msg);
	mbx_stash_put_spare(&box->stash, msg);
	spin_unlock(&box->lock);
	return 0;
}

/* Apart: it takes a large part of the stack. */
static noinline int receive_with_extras(struct file *file, struct mbx_receive_args *args, u32 size,
					u32 flags)
{
	struct mbx_receive_extras extras = {};
	struct mbx_delivery delivery;
	struct mbx_taking taking;
	u32 copied;
	int ret;

	if (flags & MAILBOX_FILES) {
		ret = mbx_delivery_ask(&delivery, args->report, size);
		if (ret)
			return ret;
		extras.delivery = &delivery;
	}
	if (flags & MAILBOX_LOAN) {
		ret = mbx_taking_begin(&taking, file->private_data, args->report, size, args->peek);
		if (ret)
			return ret;
		extras.taking = &taking;
	}
	args->extras = &extras;
	ret = mbx_receive(file->private_data, args, &copied);
	if (extras.taking)
		mbx_taking_end(&taking);
	return ret;
}

/* What is asked for by flags. */
static noinline int read_more(struct mbx_receive_args *args, u32 size, u32 flags)
{
	struct mailbox_receive __user *arg = args->report;

	if (flags & MAILBOX_ANSWER) {
		if (size < offsetofend(struct mailbox_receive, answer_room) ||
		    (flags & MAILBOX_LEASE))
			return -EINVAL;
		args->lease = MBX_LEASE_CALLS;
	} else if (flags & MAILBOX_LEASE) {
		if (size < offsetofend(struct mailbox_receive, lease))
			return -EINVAL;
		if (get_user(args->lease_time, &arg->lease))
			return -EFAULT;
		args->lease = MBX_LEASE_ANY;
	}
	if ((flags & MAILBOX_DEADLINE) && get_user(args->deadline, &arg->deadline))
		return -EFAULT;
	return 0;
}

static noinline int receive_any(struct file *file, struct mailbox_receive __user *arg, u32 size,
				u32 flags, u64 data, u32 room, u32 kind,
				const struct mbx_patience *batch)
{
	struct mbx_receive_args args = {
		.data = u64_to_user_ptr(data),
		.report = arg,
		.select.kind = kind,
		.deadline = MBX_FOREVER,
		.room = room,
		.peek = flags & MAILBOX_PEEK,
		.truncate = flags & MAILBOX_TRUNCATE,
		.nonblock = (file->f_flags & O_NONBLOCK) || (flags & MAILBOX_NONBLOCK),
		.ask_missed = size >= offsetofend(struct mailbox_receive, missed),
	};
	u32 copied;
	int ret;

	if (kind != MBX_SELECT_FIRST && get_user(args.select.match, &arg->match))
		return -EFAULT;
	if (unlikely(flags & (LEASE_FLAGS | MAILBOX_DEADLINE))) {
		ret = read_more(&args, size, flags);
		if (ret)
			return ret;
	}
	if (batch) {
		args.deadline = batch->deadline;
		args.nonblock = batch->nonblock;
	}
	if (unlikely(flags & EXTRA_FLAGS))
		ret = receive_with_extras(file, &args, size, flags);
	else
		ret = mbx_receive(file->private_data, &args, &copied);
	return mbx_wait_answer(ret, flags & MAILBOX_NO_RESTART);
}

static __always_inline long receive_user(struct file *file, struct mailbox_receive __user *arg,
					 const struct mbx_patience *batch)
{
	const u32 known = batch ? RECEIVE_BATCH_FLAGS : RECEIVE_FLAGS;
	const u32 usual = known & (MAILBOX_NONBLOCK | MAILBOX_NO_RESTART | MAILBOX_TRUNCATE);
	u32 size, flags, room, kind;
	u64 data;
	int ret;

	if (!user_access_begin(arg, RECEIVE_LEAST))
		return -EFAULT;
	unsafe_get_user(size, &arg->size, fault);
	unsafe_get_user(flags, &arg->flags, fault);
	unsafe_get_user(data, &arg->data, fault);
	unsafe_get_user(room, &arg->room, fault);
	unsafe_get_user(kind, &arg->select, fault);
	user_access_end();

	if (unlikely(size != sizeof(*arg))) {
		ret = mbx_call_check_size(arg, size, RECEIVE_LEAST, sizeof(*arg), batch);
		if (ret)
			return ret;
	}
	if (likely(kind == MBX_SELECT_FIRST && !(flags & ~usual))) {
		ret = receive_first(file->private_data, u64_to_user_ptr(data), room, arg);
		if (likely(ret <= 0))
			return ret;
	}
	if (unlikely(flags & ~known))
		return -EOPNOTSUPP;
	return receive_any(file, arg, size, flags, data, room, kind, batch);
fault:
	user_access_end();
	return -EFAULT;
}

/**
 * mbx_receive_user() - receive as a struct mailbox_receive in user memory says
 * @file: a handle
 * @arg: the structure
 * Return: 0 or a negative errno, see mbx_receive().
 */
long mbx_receive_user(struct file *file, struct mailbox_receive __user *arg)
{
	return receive_user(file, arg, NULL);
}

/**
 * mbx_receive_entry() - mbx_receive_user() for an entry of a batch
 * @file: a handle
 * @arg: the structure
 * @patience: how long to wait
 * Return: as mbx_receive_user().
 */
long mbx_receive_entry(struct file *file, struct mailbox_receive __user *arg,
		       const struct mbx_patience *patience)
{
	return receive_user(file, arg, patience);
}
