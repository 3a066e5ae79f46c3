// SPDX-License-Identifier: GPL-2.0-only
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/minmax.h>
#include <linux/pid_namespace.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "answer.h"
#include "expire.h"
#include "handle.h"
#include "lease.h"
#include "line.h"
#include "mailbox.h"
#include "notify.h"
#include "receipt.h"
#include "stream.h"
#include "send.h"
#include "wait.h"

/* How many calls are ended before the lock is given up for a moment. */
#define UNHEARD_STEP 32

/**
 * mbx_answer_init() - begin a call
 * @answer: filled in
 * @room: bytes that the caller has for the answer
 * @truncate: it takes that much of a longer one
 */
void mbx_answer_init(struct mbx_answer *answer, u32 room, bool truncate)
{
	answer->receipt.caller = answer;
	answer->pids = task_active_pid_ns(current);
	answer->room = room;
	answer->truncate = truncate;
	answer->message = NULL;
}

/**
 * mbx_answer_attach() - make a call of a message that is about to be sent
 * @answer: the call
 * @msg: the message, not published
 */
void mbx_answer_attach(struct mbx_answer *answer, struct mbx_message *msg)
{
	struct mbx_receipt *receipt = &answer->receipt;

	receipt->waiting = 0;
	mbx_waiter_init_alone(&receipt->waiter, &receipt->waiting);
	receipt->waiter.message = msg;
	msg->caller = answer;
	msg->state |= MBX_ANSWERED | MBX_IS_CALL;
}

/* The message and its caller are apart from now on. */
static struct mbx_answer *detach_locked(struct mbx_message *msg)
{
	struct mbx_answer *answer = msg->caller;

	msg->caller = NULL;
	msg->state &= ~(MBX_ANSWERED | MBX_IS_CALL | MBX_MUST_ANSWER);
	answer->receipt.waiter.message = NULL;
	return answer;
}

static int errno_of(u32 end)
{
	switch (end) {
	case MAILBOX_END_EXPIRED:
		return -ETIMEDOUT;
	case MAILBOX_END_DESTROYED:
		return -EIDRM;
	default:
		return -ECANCELED;
	}
}

/**
 * mbx_answer_end_locked() - a call ends without an answer
 * @msg: its message, the lock of its mailbox held
 * @end: one of enum mailbox_end: what becomes of the message
 */
void mbx_answer_end_locked(struct mbx_message *msg, u32 end)
{
	struct mbx_answer *answer = detach_locked(msg);

	mbx_waiter_finish_locked(&answer->receipt.waiter, errno_of(end));
}

/* The caller gives up: as if the message had never been sent, but that its number is used. */
static void take_back_locked(struct mbx_box *box, struct mbx_message *msg,
			     struct mbx_message **spent)
{
	detach_locked(msg);
	if (msg->leased)
		mbx_lease_end_locked(box, msg);
	else if (!msg->claimed)
		mbx_queue_remove(&box->queue, &msg->entry);
	box->sent--;
	/* By this a receiver that is copying it finds out: mbx_claim_taken_back(). */
	mbx_box_uncount_locked(box, msg);
	mbx_room_freed_locked(box);
	mbx_box_drop_locked(box, msg, spent);
}

static bool is_held_locked(const struct mbx_message *msg)
{
	return msg->leased && msg->entry.lease.handle;
}

/*
 * A call that somebody has is answered, or he ends. In a closed mailbox only receivers that
 * are still copying have any, and the caller does not wait for those. Return: 0; -EIDRM;
 * -EPIPE.
 */
static int is_over_locked(const struct mbx_box *box, const struct mbx_message *msg)
{
	if (box->closed)
		return msg->state & MBX_IS_CALL ? -EIDRM : 0;
	return !is_held_locked(msg) && mbx_answer_is_unheard_locked(box, msg) ? -EPIPE : 0;
}

/**
 * mbx_answer_wait() - wait until a call has ended
 * @answer: the call, its message sent
 * @handle: through which it was sent
 * @deadline: when to give up, CLOCK_MONOTONIC ns, or MBX_FOREVER
 *
 * Context: Process context, sleeps.
 * Return: 0 when it was answered; -ECANCELED, -EPIPE, -EIDRM when it will not be; or, with
 * the message taken back, -ETIMEDOUT, -EACCES, -EINTR, and -ERESTARTSYS where nobody had it.
 */
int mbx_answer_wait(struct mbx_answer *answer, struct mbx_handle *handle, u64 deadline)
{
	struct mbx_waiter *waiter = &answer->receipt.waiter;
	struct mbx_message *msg, *spent = NULL;
	struct mbx_box *box = handle->box;
	int ret;

	/*
	 * A server that was woken on this processor may answer before we have to sleep: then it
	 * takes one change of processes less to be woken again, and that is a fifth of a call.
	 */
	cond_resched();
	spin_lock(&box->lock);
	/* Who revokes the handle from now on, or the last that may receive, ends the wait. */
	waiter->handle = handle;
	if (!waiter->done) {
		list_add_tail(&waiter->link, &box->answered);
		ret = handle->revoked ? -EACCES : is_over_locked(box, waiter->message);
		if (ret)
			mbx_waiter_finish_locked(waiter, ret);
	}
	ret = mbx_waiter_sleep(waiter, &box->lock, deadline);
	msg = waiter->message;
	if (unlikely(msg)) {
		const bool taken = msg->leased;
		const bool held = is_held_locked(msg);

		take_back_locked(box, msg, &spent);
		if (held)
			mbx_box_wake_pollers_locked(box, MBX_POLL_ABANDONED);
		if (ret == -ERESTARTSYS && taken)
			ret = -EINTR;
	}
	spin_unlock(&box->lock);
	if (unlikely(spent))
		mbx_spent_free(spent);
	return ret;
}

/* Return: true when there may be more. */
static bool end_some_locked(struct mbx_box *box, struct list_head *waiters)
{
	struct mbx_waiter *waiter, *next;
	int nr = 0;

	list_for_each_entry_safe(waiter, next, waiters, link) {
		int ret = waiter->message ? is_over_locked(box, waiter->message) : 0;

		/* What is in, and waits for its end, has been sent. */
		if (waiters != &box->answered && mbx_stream_is_unheard_locked(waiter->handle))
			ret = -EPIPE;
		if (!ret)
			continue;
		if (nr++ == UNHEARD_STEP)
			return true;
		mbx_line_dismiss_locked(box, waiter, ret);
	}
	return false;
}

/**
 * mbx_answer_end_unheard() - end the calls that nobody can receive any more, and waits to send
 *	bytes that nobody will read
 * @box: a mailbox where one has left that could, or that is closed
 *
 * Those that are sent later find out themselves: mbx_answer_wait().
 *
 * Context: Process context, may sleep.
 */
void mbx_answer_end_unheard(struct mbx_box *box)
{
	bool more;

	do {
		spin_lock(&box->lock);
		more = false;
		if (box->closed || !box->may_receive || mbx_policy_alone_locked(box)) {
			more = end_some_locked(box, &box->answered);
			more |= end_some_locked(box, &box->senders);
			more |= end_some_locked(box, &box->meetings);
		}
		spin_unlock(&box->lock);
		cond_resched();
	} while (more);
}

/* The call that an answer is for. */
static struct mbx_message *find_call_locked(struct mbx_handle *handle,
					    const struct mbx_reply *reply)
{
	const int refused = mbx_handle_refused_locked(handle);
	struct mbx_message *msg;

	if (unlikely(refused))
		return ERR_PTR(refused);
	msg = mbx_lease_find_locked(handle, reply->token);
	if (unlikely(!msg || !(msg->state & MBX_IS_CALL)))
		return ERR_PTR(-ESTALE);
	if (unlikely(reply->length > mbx_answer_room_locked(msg)))
		return ERR_PTR(-EMSGSIZE);
	return msg;
}

static int copy_in_short(struct mbx_reply *reply, u32 length)
{
	/* Where there is nothing to copy, from may be anything. */
	if (!user_access_begin(reply->from, length))
		return length ? -EFAULT : 0;
	mbx_unsafe_get_words(reply->data, reply->from, length, fault);
	user_access_end();
	return 0;
fault:
	user_access_end();
	return -EFAULT;
}

/* The caller pays, and may give up at any time: who pays stays there until the copy is made. */
static noinline int copy_in_long(struct mbx_handle *handle, struct mbx_reply *reply)
{
	struct mbx_box *box = handle->box;
	struct mbx_user *user = NULL;
	struct mbx_message *msg;
	u32 length = 0;
	int ret;

	if (reply->length > MAILBOX_MESSAGE_SIZE_MAX)
		return -EMSGSIZE;
	mbx_box_lock_fresh(box);
	msg = find_call_locked(handle, reply);
	if (!IS_ERR(msg)) {
		length = min(reply->length, msg->caller->room);
		user = msg->charge.user;
		refcount_inc(&user->refs);
	}
	spin_unlock(&box->lock);
	if (IS_ERR(msg))
		return PTR_ERR(msg);

	if (length <= MBX_INLINE) {
		ret = copy_in_short(reply, length);
	} else {
		reply->message = mbx_send_find(box, user, length, NULL);
		ret = PTR_ERR_OR_ZERO(reply->message);
		if (ret)
			reply->message = NULL;
		else
			ret = mbx_message_copy_in(reply->message, reply->from, length);
	}
	mbx_user_put(user);
	return ret;
}

static int copy_in(struct mbx_handle *handle, struct mbx_reply *reply)
{
	return likely(reply->length <= MBX_INLINE) ? copy_in_short(reply, reply->length) :
						     copy_in_long(handle, reply);
}

static void give_locked(struct mbx_answer *answer, struct mbx_reply *reply)
{
	answer->length = reply->length;
	answer->type = reply->type;
	answer->message = reply->message;
	if (!reply->message)
		memcpy(answer->data, reply->data, min_t(u32, reply->length, MBX_INLINE));
	reply->message = NULL;
	answer->pid = pid_nr_ns(task_tgid(current), answer->pids);
	answer->tid = pid_nr_ns(task_pid(current), answer->pids);
	current_euid_egid(&answer->uid, &answer->gid);
	mbx_waiter_finish_sync_locked(&answer->receipt.waiter, 0);
}

/**
 * mbx_answer_give() - answer a call
 * @handle: through which it was received
 * @reply: the answer, and which call
 *
 * Context: Process context, may sleep.
 * Return: 0; or, with nothing changed, a negative errno as struct mailbox_reply lists them.
 */
int mbx_answer_give(struct mbx_handle *handle, struct mbx_reply *reply)
{
	struct mbx_message *msg, *spent = NULL;
	struct mbx_box *box = handle->box;
	int ret;

	reply->message = NULL;
	ret = copy_in(handle, reply);
	mbx_box_lock_fresh(box);
	if (likely(!ret)) {
		msg = find_call_locked(handle, reply);
		ret = PTR_ERR_OR_ZERO(msg);
	}
	if (likely(!ret)) {
		struct mbx_answer *answer = detach_locked(msg);

		mbx_lease_done_locked(box, msg, &spent);
		give_locked(answer, reply);
	}
	if (unlikely(reply->message))
		mbx_box_drop_locked(box, reply->message, &spent);
	spin_unlock(&box->lock);
	if (unlikely(spent))
		mbx_spent_free(spent);
	return ret;
}
