// SPDX-License-Identifier: GPL-2.0-only
#include <linux/cred.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/pid.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include <linux/uidgid.h>

#include "deliver.h"
#include "expire.h"
#include "handle.h"
#include "line.h"
#include "mailbox.h"
#include "receive.h"
#include "wait.h"

/* How many senders are looked at before the lock is given up for a moment. */
#define SENDERS_STEP 64

/**
 * struct receive - one receive on its way
 * @args: what was asked for
 * @select: which message, senders as the queue knows them
 * @peer: the process that is to be the sender, with a reference, or NULL
 * @spent: messages to be freed once the lock is dropped
 */
struct receive {
	const struct mbx_receive_args *args;
	struct mbx_select select;
	struct pid *peer;
	struct mbx_message *spent;
};

/* Write all of the report in one go: see "Speed" in Documentation/message-path.rst. */
static int put_report(const struct mbx_message *msg, u32 copied, struct mailbox_receive __user *to)
{
	struct user_namespace *ns = current_user_ns();
	u32 uid = from_kuid_munged(ns, msg->uid);
	u32 gid = from_kgid_munged(ns, msg->gid);
	s32 pid = pid_vnr(msg->process);
	s32 tid = pid_vnr(msg->thread);

	if (!user_access_begin(to, sizeof(*to)))
		return -EFAULT;
	unsafe_put_user(msg->length, &to->length, fault);
	unsafe_put_user(msg->entry.priority, &to->priority, fault);
	unsafe_put_user(msg->entry.type, &to->type, fault);
	unsafe_put_user(msg->entry.sequence, &to->sequence, fault);
	unsafe_put_user(msg->time, &to->time, fault);
	unsafe_put_user(msg->entry.expiry, &to->expiry, fault);
	unsafe_put_user(pid, &to->pid, fault);
	unsafe_put_user(tid, &to->tid, fault);
	unsafe_put_user(uid, &to->uid, fault);
	unsafe_put_user(gid, &to->gid, fault);
	unsafe_put_user(copied < msg->length ? MAILBOX_TRUNCATED : 0, &to->result, fault);
	unsafe_put_user(0, &to->reserved, fault);
	user_access_end();
	return 0;
fault:
	user_access_end();
	return -EFAULT;
}

static bool too_long(const struct receive *r, const struct mbx_message *msg)
{
	return msg->length > r->args->room && !r->args->truncate;
}

/* Copy a message that nobody changes or frees meanwhile. */
static int copy_out(const struct receive *r, const struct mbx_message *msg, u32 *copied)
{
	int ret;

	*copied = min(msg->length, r->args->room);
	ret = mbx_message_copy_out(msg, r->args->data, *copied);
	if (!ret && r->args->report)
		ret = put_report(msg, *copied, r->args->report);
	/* What a dying process takes is lost: somebody else shall have it. */
	if (!ret && fatal_signal_pending(current))
		ret = -EINTR;
	return ret;
}

static void commit_locked(struct mbx_box *box, struct mbx_message *msg, struct mbx_message **spent)
{
	struct pid *self = task_tgid(current);

	msg->claimed = false;
	if (unlikely(msg->sender)) {
		mbx_count_sent_locked(box, msg);
		msg->sender->sequence = msg->entry.sequence;
		mbx_waiter_finish_locked(msg->sender, 0);
		msg->sender = NULL;
	} else {
		mbx_box_uncount_locked(box, msg);
	}
	/* Those in line have moved up, even where there was no room to free. */
	if (likely(box->capacity != MAILBOX_CAPACITY_RENDEZVOUS))
		mbx_room_freed_locked(box);
	box->received++;
	box->last_received = ktime_get_ns();
	if (box->last_receiver != self) {
		put_pid(box->last_receiver);
		box->last_receiver = get_pid(self);
	}
	mbx_box_drop_locked(box, msg, spent);
}

/*
 * At a rendezvous, has the sender given up, or was it sent away? Then the message
 * stands in no book, and its sender has dropped it or is about to.
 */
static bool taken_back(const struct mbx_message *msg)
{
	return !msg->sender && !msg->counted;
}

static void return_locked(struct mbx_box *box, struct mbx_message *msg)
{
	if (!msg->sender) {
		mbx_deliver_locked(box, msg, true);
	} else if (box->capacity == MAILBOX_CAPACITY_RENDEZVOUS) {
		mbx_deliver_locked(box, msg, true);
		/* While we had it, others were told of changes. */
		mbx_look_again_locked(box);
	} else {
		mbx_line_return_locked(box, msg);
	}
}

static void unclaim_locked(struct mbx_box *box, struct mbx_message *msg, struct mbx_message **spent)
{
	msg->claimed = false;
	if (msg->dropped) {
		mbx_box_drop_locked(box, msg, spent);
	} else if (taken_back(msg)) {
		/* Its sender was woken, but has not run yet: the sender frees it. */
	} else if (!box->closed) {
		return_locked(box, msg);
	} else if (msg->sender) {
		mbx_waiter_finish_locked(msg->sender, -EIDRM);
		msg->sender = NULL;
	} else {
		mbx_box_uncount_locked(box, msg);
		mbx_box_drop_locked(box, msg, spent);
	}
}

/* A sender that waits for room may have what we want: to us it goes without. */
static struct mbx_message *take_from_line_locked(struct mbx_box *box, const struct receive *r)
{
	struct mbx_waiter *sender = mbx_line_find_locked(box, &r->select);

	if (!sender)
		return NULL;
	/* Too long for us: it stays where it is, and we say how long it is. */
	if (!too_long(r, sender->message))
		mbx_line_take_locked(box, sender);
	return sender->message;
}

/*
 * Find the message, or have one handed over. Called with the lock held and returns
 * with it held. Return: 0 with a message that is claimed, or that stays where it is
 * for a peek; 1 to look again.
 */
static int find(struct mbx_box *box, struct receive *r, struct mbx_message **found)
	__must_hold(&box->lock)
{
	const struct mbx_receive_args *args = r->args;
	struct mbx_waiter waiter;
	int ret;

	if (unlikely(box->closed))
		return -EIDRM;
	*found = mbx_message_of(mbx_queue_find(&box->queue, &r->select));
	if (likely(*found)) {
		if (!args->peek && !too_long(r, *found)) {
			mbx_queue_remove(&box->queue, &(*found)->entry);
			(*found)->claimed = true;
		}
		return 0;
	}
	if (!args->peek && unlikely(!list_empty(&box->senders))) {
		*found = take_from_line_locked(box, r);
		if (*found)
			return 0;
	}
	if (args->nonblock)
		return r->peer && mbx_peer_has_ended(r->peer) ? -ESRCH : -EAGAIN;

	mbx_waiter_init_locked(&waiter, args->peek ? &box->peekers : &box->receivers,
			       &box->nr_receivers);
	waiter.select = r->select;
	waiter.peer = r->peer;
	if (!args->peek && box->capacity == MAILBOX_CAPACITY_RENDEZVOUS)
		mbx_box_wake_pollers_locked(box, EPOLLOUT | EPOLLWRNORM);
	ret = mbx_waiter_sleep(&waiter, &box->lock, args->deadline);
	*found = waiter.message;
	return !ret && args->peek ? 1 : ret;
}

static int peek(struct mbx_box *box, struct receive *r, struct mbx_message *msg, u32 *copied)
	__must_hold(&box->lock)
{
	int ret;

	msg->peekers++;
	spin_unlock(&box->lock);
	ret = copy_out(r, msg, copied);
	spin_lock(&box->lock);
	msg->peekers--;
	if (msg->dropped)
		mbx_box_drop_locked(box, msg, &r->spent);
	return ret;
}

/* Return: as find(). */
static int take(struct mbx_box *box, struct receive *r, struct mbx_message *msg, u32 *copied)
	__must_hold(&box->lock)
{
	int ret;

	spin_unlock(&box->lock);
	ret = copy_out(r, msg, copied);
	spin_lock(&box->lock);
	if (unlikely(ret)) {
		unclaim_locked(box, msg, &r->spent);
	} else if (unlikely(taken_back(msg))) {
		/* What we copied never was. */
		unclaim_locked(box, msg, &r->spent);
		ret = 1;
	} else {
		commit_locked(box, msg, &r->spent);
	}
	return ret;
}

/* Return: as find(). */
static int receive_locked(struct mbx_box *box, struct receive *r, u32 *copied)
	__must_hold(&box->lock)
{
	struct mbx_message *msg;
	u32 needed;
	int ret;

	ret = find(box, r, &msg);
	if (ret)
		return ret;
	if (unlikely(too_long(r, msg))) {
		needed = msg->length;
		if (msg->claimed)
			unclaim_locked(box, msg, &r->spent);
		spin_unlock(&box->lock);
		ret = -EMSGSIZE;
		if (r->args->report && put_user(needed, &r->args->report->length))
			ret = -EFAULT;
		spin_lock(&box->lock);
		return ret;
	}
	return r->args->peek ? peek(box, r, msg, copied) : take(box, r, msg, copied);
}

/*
 * A process that was reaped has no number any more, but its messages know the one it
 * had. Looks at each sender in the queue once, in steps.
 */
static struct pid *find_reaped_sender(struct mbx_box *box, pid_t nr)
{
	struct pid *found = NULL;
	unsigned long after = 0;
	struct mbx_message *msg;
	int steps = 0;

	spin_lock(&box->lock);
	while (!found) {
		msg = mbx_message_of(mbx_queue_next_sender(&box->queue, after));
		if (!msg)
			break;
		after = msg->entry.sender;
		if (pid_vnr(msg->process) == nr)
			found = get_pid(msg->process);
		if (++steps % SENDERS_STEP == 0) {
			spin_unlock(&box->lock);
			cond_resched();
			spin_lock(&box->lock);
		}
	}
	spin_unlock(&box->lock);
	return found;
}

static int find_peer(struct mbx_box *box, struct receive *r)
{
	struct pid *peer;

	if (!r->select.match || r->select.match > INT_MAX)
		return -EINVAL;
	peer = find_get_pid(r->select.match);
	if (peer && !pid_has_task(peer, PIDTYPE_TGID)) {
		put_pid(peer);
		peer = NULL;
	}
	if (!peer)
		peer = find_reaped_sender(box, r->select.match);
	if (!peer)
		return READ_ONCE(box->closed) ? -EIDRM : -ESRCH;
	r->peer = peer;
	r->select.match = (unsigned long)peer;
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
	struct receive r = { .args = args, .select = args->select };
	struct mbx_box *box = handle->box;
	int ret;

	if (!(handle->rights & MAILBOX_RIGHT_RECEIVE))
		return -EACCES;
	if (r.select.kind >= MBX_SELECT_NR)
		return -EINVAL;
	if (r.select.kind == MBX_SELECT_INDEX && !args->peek)
		return -EINVAL;
	if (r.select.kind == MBX_SELECT_SENDER) {
		ret = find_peer(box, &r);
		if (ret)
			return ret;
	}

	do {
		mbx_box_lock_fresh(box);
		ret = receive_locked(box, &r, copied);
		spin_unlock(&box->lock);
		if (unlikely(r.spent)) {
			mbx_message_free_all(r.spent);
			r.spent = NULL;
		}
	} while (ret > 0);
	put_pid(r.peer);
	return ret;
}
