// SPDX-License-Identifier: GPL-2.0-only
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/sched.h>
#include <linux/uaccess.h>
#include <linux/uidgid.h>
#include <linux/user_namespace.h>

#include "answer.h"
#include "expire.h"
#include "handle.h"
#include "ioctl.h"
#include "line.h"
#include "mailbox.h"
#include "policy.h"
#include "receipt.h"
#include "send.h"
#include "share.h"
#include "wait.h"

static_assert(sizeof(struct mailbox_receipt) <= MBX_INLINE, "a receipt is behind its message");

/* What a receipt says. */
static struct mailbox_receipt *text_of(struct mbx_message *receipt)
{
	return (struct mailbox_receipt *)receipt->inline_data;
}

static int put_text(const struct mbx_receipt *receipt, const struct mailbox_receipt *text)
{
	return copy_to_user(receipt->data, text, sizeof(*text)) ? -EFAULT : 0;
}

/**
 * mbx_receipt_ask() - read what a send says of its receipt
 * @receipt: filled in
 * @arg: the send
 * @flags: of the send, MAILBOX_RECEIPT or MAILBOX_RECEIPT_WAIT among them
 *
 * Context: Process context, may sleep.
 * Return: 0, and then mbx_receipt_put() is due; -EINVAL; -EACCES; -E2BIG; -EFAULT.
 */
int mbx_receipt_ask(struct mbx_receipt *receipt, const struct mailbox_send __user *arg, u32 flags)
{
	struct mailbox_receipt empty = {};
	struct mbx_handle *handle;
	u32 reserved;
	s32 fd;
	u64 data;
	int ret;

	*receipt = (struct mbx_receipt){};
	if (get_user(fd, &arg->receipt) || get_user(reserved, &arg->reserved) ||
	    get_user(receipt->cookie, &arg->cookie) || get_user(data, &arg->receipt_data))
		return -EFAULT;
	if (reserved || !(flags & MAILBOX_RECEIPT) == !(flags & MAILBOX_RECEIPT_WAIT))
		return -EINVAL;

	if (flags & MAILBOX_RECEIPT_WAIT) {
		receipt->data = u64_to_user_ptr(data);
		if (get_user(receipt->size, &receipt->data->size))
			return -EFAULT;
		ret = mbx_call_check_size(receipt->data, receipt->size, sizeof(empty),
					  sizeof(empty), NULL);
		if (ret)
			return ret;
		/* Find out now whether it can be written: later the message is sent. */
		empty.size = receipt->size;
		return put_text(receipt, &empty);
	}

	receipt->file = fget(fd);
	handle = receipt->file ? mbx_handle_of(receipt->file) : NULL;
	if (!handle)
		ret = -EINVAL;
	else if (!(handle->rights & MAILBOX_RIGHT_SEND))
		ret = -EACCES;
	else if (handle->box->capacity == MAILBOX_CAPACITY_RENDEZVOUS)
		ret = -EINVAL;
	else
		return 0;
	mbx_receipt_put(receipt);
	return ret;
}

/**
 * mbx_receipt_put() - undo mbx_receipt_ask()
 * @receipt: the receipt
 */
void mbx_receipt_put(struct mbx_receipt *receipt)
{
	if (receipt->file)
		fput(receipt->file);
}

/* By the rules for an ordinary message, but for the line: a promise does not wait. */
static int promise_locked(struct mbx_box *to, struct mbx_message *receipt, struct mbx_share *share)
{
	if (to->closed)
		return -EIDRM;
	if (mbx_policy_alone_locked(to))
		return -EPIPE;
	if (to->on_full == MAILBOX_ON_FULL_OVERWRITE)
		return -EINVAL;
	if (receipt->length > to->message_size ||
	    (to->fixed_size && receipt->length != to->message_size))
		return -EMSGSIZE;
	if (!mbx_may_enter_locked(to, share, receipt->length))
		return -EAGAIN;
	mbx_box_count_locked(to, receipt, share);
	to->sent++;
	to->promised++;
	to->promised_bytes += receipt->length;
	return 0;
}

static int promise(struct mbx_handle *handle, struct mbx_message *receipt)
{
	struct mbx_box *to = handle->box;
	struct mbx_share *share;
	int ret;

	share = mbx_box_share_get(to, receipt->charge.user);
	if (IS_ERR(share))
		return PTR_ERR(share);
	mbx_box_lock_fresh(to);
	ret = handle->revoked ? -EACCES : promise_locked(to, receipt, share);
	spin_unlock(&to->lock);
	mbx_box_share_put(to, share);
	if (ret)
		return ret;
	refcount_inc(&to->refs);
	receipt->to = to;
	return 0;
}

/**
 * mbx_receipt_attach() - make the receipt of a message that is about to be sent
 * @receipt: what is asked for
 * @box: where the message is sent
 * @msg: the message, complete, not published
 * @user: who pays
 *
 * Context: Process context, may sleep.
 * Return: 0, and then mbx_receipt_undo() is due if the message is not sent; or a negative
 * errno as struct mailbox_send lists them.
 */
int mbx_receipt_attach(struct mbx_receipt *receipt, struct mbx_box *box, struct mbx_message *msg,
		       struct mbx_user *user)
{
	struct mbx_handle *handle = receipt->file ? mbx_handle_of(receipt->file) : NULL;
	const u32 length = sizeof(struct mailbox_receipt);
	struct mbx_message *new;
	int ret;

	if (receipt->caller) {
		mbx_answer_attach(receipt->caller, msg);
		return 0;
	}
	ret = handle ? mbx_policy_send(handle) : 0;
	if (ret)
		return ret;
	new = mbx_send_find(handle ? handle->box : box, user, length, NULL);
	if (IS_ERR(new))
		return PTR_ERR(new);
	mbx_message_stamp(new);
	new->length = length;
	new->entry.type = receipt->cookie;
	new->entry.priority = msg->entry.priority;
	new->entry.expiry = 0;
	new->deliveries = 0;
	new->state = MBX_IS_RECEIPT;
	new->to = NULL;
	new->viewer = get_user_ns(current_user_ns());
	*text_of(new) = (struct mailbox_receipt){
		.size = length,
		.cookie = receipt->cookie,
	};
	if (handle) {
		ret = promise(handle, new);
		if (ret) {
			mbx_receipt_free(new);
			return ret;
		}
	} else {
		mbx_waiter_init_alone(&receipt->waiter, &receipt->waiting);
		receipt->waiter.message = msg;
		new->sender = &receipt->waiter;
	}
	receipt->message = new;
	msg->receipt = new;
	msg->state |= MBX_ANSWERED;
	return 0;
}

/**
 * mbx_receipt_undo() - undo mbx_receipt_attach(), since the message was not sent
 * @receipt: one that was detached from it
 *
 * Context: Process context, may sleep.
 */
void mbx_receipt_undo(struct mbx_receipt *receipt)
{
	struct mbx_message *msg = receipt->message;
	struct mbx_box *to;

	if (receipt->caller)
		return;
	to = msg->to;
	if (to) {
		msg->to = NULL;
		spin_lock(&to->lock);
		mbx_receipt_fulfil_locked(to, msg);
		to->sent--;
		mbx_box_uncount_locked(to, msg);
		mbx_room_freed_locked(to);
		spin_unlock(&to->lock);
		mbx_box_put(to);
	}
	msg->sender = NULL;
	mbx_receipt_free(msg);
}

/* As the reader of the receipt sees the current process. */
static void name_current(struct mbx_message *receipt)
{
	struct pid_namespace *ns = ns_of_pid(receipt->process);
	struct mailbox_receipt *text = text_of(receipt);
	kuid_t uid;
	kgid_t gid;

	current_euid_egid(&uid, &gid);
	text->pid = pid_nr_ns(task_tgid(current), ns);
	text->tid = pid_nr_ns(task_pid(current), ns);
	text->uid = from_kuid_munged(receipt->viewer, uid);
	text->gid = from_kgid_munged(receipt->viewer, gid);
}

static void name_nobody(struct mbx_message *receipt)
{
	struct mailbox_receipt *text = text_of(receipt);

	text->pid = 0;
	text->tid = 0;
	text->uid = U32_MAX;
	text->gid = U32_MAX;
}

static void name_message(const struct mbx_box *box, const struct mbx_message *msg,
			 struct mbx_message *receipt)
{
	struct mailbox_receipt *text = text_of(receipt);

	text->mailbox = box->id;
	text->sequence = msg->entry.sequence;
	text->deliveries = msg->deliveries;
	text->copies = box->policy == MAILBOX_POLICY_BROADCAST ? msg->copies : 0;
}

/**
 * mbx_receipt_taken_locked() - somebody takes a message under a lease
 * @msg: the message, the lock of its mailbox held; current takes it
 */
void mbx_receipt_taken_locked(const struct mbx_message *msg)
{
	/* Of a call, who answers it says so. */
	if ((msg->state & MBX_ANSWERED) && !(msg->state & MBX_IS_CALL))
		name_current(msg->receipt);
}

/**
 * mbx_receipt_tell_locked() - say how a message has ended
 * @receipt: of the message, detached from it; the lock of the mailbox it was in is held
 * @end: one of enum mailbox_end; where somebody took it, current did
 * @spent: list to which the receipt is added unless its sender waits for it
 */
void mbx_receipt_tell_locked(struct mbx_message *receipt, u32 end, struct mbx_message **spent)
{
	const bool taken = end == MAILBOX_END_RECEIVED || end == MAILBOX_END_ACKNOWLEDGED;
	struct mbx_waiter *sender = receipt->sender;
	struct mailbox_receipt *text = text_of(receipt);

	text->end = end;
	text->time = ktime_get_ns();
	/* A broadcast was not taken by one: how many have it is told already. */
	if (!taken || text->copies) {
		name_nobody(receipt);
	} else {
		text->copies = 1;
		name_current(receipt);
	}
	if (sender) {
		receipt->sender = NULL;
		mbx_waiter_finish_locked(sender, 0);
		return;
	}
	receipt->next = *spent;
	*spent = receipt;
}

/**
 * mbx_receipt_fill_locked() - mbx_receipt_end_locked() where the message has a receipt
 * @box: its mailbox, the lock held
 * @msg: the message
 * @end: one of enum mailbox_end
 * @spent: list to which its receipt is added
 */
void mbx_receipt_fill_locked(const struct mbx_box *box, struct mbx_message *msg, u32 end,
			     struct mbx_message **spent)
{
	if (msg->state & MBX_IS_CALL) {
		mbx_answer_end_locked(msg, end);
		return;
	}
	name_message(box, msg, msg->receipt);
	mbx_receipt_tell_locked(mbx_receipt_detach(msg), end, spent);
}

/**
 * mbx_receipt_set_apart_locked() - a message leaves for the dead letters
 * @box: the mailbox it is in, the lock held
 * @msg: the message; whoever moves it tells its receipt how that went
 *
 * From here on the sender that waits must not look at it.
 */
void mbx_receipt_set_apart_locked(const struct mbx_box *box, struct mbx_message *msg)
{
	if (!(msg->state & MBX_ANSWERED))
		return;
	if (msg->state & MBX_IS_CALL) {
		mbx_answer_end_locked(msg, MAILBOX_END_DEAD);
		return;
	}
	name_message(box, msg, msg->receipt);
	if (msg->receipt->sender)
		msg->receipt->sender->message = NULL;
}

/* Nobody has it: it comes back. */
static void take_back_locked(struct mbx_box *box, struct mbx_message *msg,
			     struct mbx_message **spent)
{
	mbx_queue_remove(&box->queue, &msg->entry);
	box->sent--;
	mbx_box_uncount_locked(box, msg);
	mbx_room_freed_locked(box);
	mbx_box_drop_locked(box, msg, spent);
}

/* Return: true when the receipt is the sender's again; else who has it frees it. */
static bool stop_waiting_locked(struct mbx_box *box, struct mbx_receipt *receipt, int *ret,
				struct mbx_message **spent)
{
	struct mbx_message *msg = receipt->waiter.message, *mine = receipt->message;
	struct mailbox_receipt *text = text_of(mine);

	mine->sender = NULL;
	if (msg)
		mbx_receipt_detach(msg);
	/* What was broadcast is not taken back: others may have it, or are copying it. */
	if (msg && !msg->claimed && !msg->leased && box->policy != MAILBOX_POLICY_BROADCAST) {
		take_back_locked(box, msg, spent);
		return true;
	}
	*ret = 0;
	text->end = MAILBOX_END_PENDING;
	text->time = ktime_get_ns();
	if (msg)
		name_message(box, msg, mine);
	if (!msg || !msg->leased || !msg->entry.lease.handle)
		name_nobody(mine);
	return msg;
}

/**
 * mbx_receipt_wait() - wait until a message has ended
 * @receipt: of the message, attached with no mailbox to go to
 * @handle: through which the message was sent
 * @deadline: when to give up, CLOCK_MONOTONIC ns, or MBX_FOREVER
 *
 * Context: Process context, sleeps.
 * Return: 0, and the receipt is written; or, with the message taken back, -ETIMEDOUT,
 * -ERESTARTSYS, or -EACCES.
 */
int mbx_receipt_wait(struct mbx_receipt *receipt, struct mbx_handle *handle, u64 deadline)
{
	struct mbx_waiter *waiter = &receipt->waiter;
	struct mbx_box *box = handle->box;
	struct mbx_message *mine = receipt->message, *spent = NULL;
	struct user_namespace *viewer = NULL;
	struct mailbox_receipt text;
	bool back = true;
	int ret;

	spin_lock(&box->lock);
	/* Who revokes the handle from now on ends the wait. */
	waiter->handle = handle;
	if (!waiter->done)
		list_add_tail(&waiter->link, &box->answered);
	if (!waiter->done && handle->revoked)
		mbx_waiter_finish_locked(waiter, -EACCES);
	ret = mbx_waiter_sleep(waiter, &box->lock, deadline);
	if (ret)
		back = stop_waiting_locked(box, receipt, &ret, &spent);
	text = *text_of(mine);
	if (back) {
		viewer = mine->viewer;
		mine->viewer = NULL;
		mbx_box_drop_locked(box, mine, &spent);
	}
	spin_unlock(&box->lock);
	if (viewer)
		put_user_ns(viewer);
	mbx_spent_free(spent);
	if (ret)
		return ret;
	text.size = receipt->size;
	/* It could be written before, and the message is sent: the result is the same. */
	put_text(receipt, &text);
	return 0;
}
