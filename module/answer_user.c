// SPDX-License-Identifier: GPL-2.0-only
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/uaccess.h>
#include <linux/uidgid.h>

#include "answer.h"
#include "answer_user.h"
#include "handle.h"
#include "ioctl.h"
#include "mailbox.h"
#include "receive.h"
#include "report.h"
#include "send.h"
#include "wait.h"

#define CALL_FLAGS (MBX_WAIT_FLAGS | MAILBOX_TRUNCATE)

/**
 * struct call - what the caller says
 * @flags: see struct mailbox_call
 * @room: bytes at @answer
 * @answer: where the answer goes
 * @send: the request
 */
struct call {
	u32 flags;
	u32 room;
	u8 __user *answer;
	struct mbx_send_args send;
};

/* And find out now whether the end can be written: later the message is sent. */
static int read_call(struct call *call, struct mailbox_call __user *arg)
{
	u64 data, answer;
	u32 size;
	int ret;

	if (get_user(size, &arg->size))
		return -EFAULT;
	if (unlikely(size != sizeof(*arg))) {
		ret = mbx_call_check_size(arg, size, sizeof(*arg), sizeof(*arg), NULL);
		if (ret)
			return ret;
	}
	if (!user_access_begin(arg, sizeof(*arg)))
		return -EFAULT;
	unsafe_get_user(call->flags, &arg->flags, fault);
	unsafe_get_user(data, &arg->data, fault);
	unsafe_get_user(call->send.length, &arg->length, fault);
	unsafe_get_user(call->send.priority, &arg->priority, fault);
	unsafe_get_user(call->send.type, &arg->type, fault);
	unsafe_get_user(call->send.deadline, &arg->deadline, fault);
	unsafe_get_user(answer, &arg->answer, fault);
	unsafe_get_user(call->room, &arg->room, fault);
	unsafe_put_user(0, &arg->answer_length, fault);
	unsafe_put_user(0, &arg->reserved, fault);
	user_access_end();
	call->answer = u64_to_user_ptr(answer);
	call->send.data = u64_to_user_ptr(data);
	call->send.expiry = 0;
	if (!(call->flags & MAILBOX_DEADLINE))
		call->send.deadline = MBX_FOREVER;
	return 0;
fault:
	user_access_end();
	return -EFAULT;
}

static int put_text(const struct mbx_answer *answer, u8 __user *to, u32 length)
{
	if (answer->message)
		return mbx_message_copy_out(answer->message, 0, to, length);
	/* Where there is nothing to copy, to may be anything. */
	if (!user_access_begin(to, length))
		return length ? -EFAULT : 0;
	mbx_unsafe_put_words(to, answer->data, length, fault);
	user_access_end();
	return 0;
fault:
	user_access_end();
	return -EFAULT;
}

static void put_report(const struct mbx_answer *answer, struct mailbox_call __user *arg,
		       u64 sequence, u32 result)
{
	u32 uid, gid;

	mbx_report_ids(answer->uid, answer->gid, &uid, &gid);
	if (!user_access_begin(arg, sizeof(*arg)))
		return;
	unsafe_put_user(answer->length, &arg->answer_length, fault);
	unsafe_put_user(answer->type, &arg->answer_type, fault);
	unsafe_put_user(sequence, &arg->sequence, fault);
	unsafe_put_user(answer->pid, &arg->pid, fault);
	unsafe_put_user(answer->tid, &arg->tid, fault);
	unsafe_put_user(uid, &arg->uid, fault);
	unsafe_put_user(gid, &arg->gid, fault);
	unsafe_put_user(result, &arg->result, fault);
fault:
	user_access_end();
}

static noinline void drop_message(struct mbx_box *box, struct mbx_message *msg)
{
	struct mbx_message *spent = NULL;

	spin_lock(&box->lock);
	mbx_box_drop_locked(box, msg, &spent);
	spin_unlock(&box->lock);
	mbx_message_free_all(spent);
}

/* Return: as send_for(). */
static s64 call_and_wait(struct file *file, const struct call *call, struct mbx_answer *answer)
{
	struct mbx_handle *handle = file->private_data;
	struct mbx_box *box = handle->box;
	s64 sequence;
	int ret;

	if (call->flags & ~CALL_FLAGS)
		return -EOPNOTSUPP;
	/* Written by REVOKE, which has returned before a call that must see it. */
	if (!(handle->rights & MAILBOX_RIGHT_SEND) || READ_ONCE(handle->revoked))
		return -EACCES;
	if (box->policy == MAILBOX_POLICY_BROADCAST)
		return -EINVAL;
	/* A hint: do not begin, and overwrite others, for what comes to nothing. */
	if (unlikely(!READ_ONCE(box->may_receive)))
		return READ_ONCE(box->closed) ? -EIDRM : -EPIPE;
	mbx_answer_init(answer, call->room, call->flags & MAILBOX_TRUNCATE);
	sequence = mbx_send_call(file, &call->send, &answer->receipt);
	if (unlikely(sequence < 0))
		return sequence;
	ret = mbx_answer_wait(answer, handle, call->send.deadline);
	return ret ?: sequence;
}

/**
 * mbx_answer_call() - MAILBOX_IOC_CALL
 * @file: a handle
 * @arg: its structure
 *
 * Context: Process context, sleeps.
 * Return: 0 or a negative errno as struct mailbox_call lists them; -ERESTARTSYS for a signal
 * while nobody had the request.
 */
long mbx_answer_call(struct file *file, struct mailbox_call __user *arg)
{
	struct mbx_handle *handle = file->private_data;
	struct mbx_answer answer;
	struct call call;
	s64 sequence;
	int ret;

	ret = read_call(&call, arg);
	if (unlikely(ret))
		return ret;
	call.send.nonblock = call.flags & MAILBOX_NONBLOCK;
	sequence = call_and_wait(file, &call, &answer);
	if (unlikely(sequence < 0))
		return sequence;
	ret = put_text(&answer, call.answer, min(answer.length, call.room));
	/* They could be written before, and the server has answered: the result is the same. */
	if (likely(!ret))
		put_report(&answer, arg, sequence,
			   answer.length > call.room ? MAILBOX_TRUNCATED : 0);
	if (unlikely(answer.message))
		drop_message(handle->box, answer.message);
	return ret;
}

static __always_inline long reply_user(struct file *file, struct mailbox_reply __user *arg,
				       bool receives)
{
	struct mbx_handle *handle = file->private_data;
	struct mbx_reply reply;
	u64 data, receive;
	u32 size, flags;
	long ret;

	if (get_user(size, &arg->size))
		return -EFAULT;
	if (unlikely(size != sizeof(*arg))) {
		ret = mbx_call_check_size(arg, size, sizeof(*arg), sizeof(*arg), NULL);
		if (ret)
			return ret;
	}
	if (!user_access_begin(arg, sizeof(*arg)))
		return -EFAULT;
	unsafe_get_user(flags, &arg->flags, fault);
	unsafe_get_user(reply.token, &arg->token, fault);
	unsafe_get_user(data, &arg->data, fault);
	unsafe_get_user(reply.length, &arg->length, fault);
	unsafe_get_user(reply.type, &arg->type, fault);
	unsafe_get_user(receive, &arg->receive, fault);
	unsafe_put_user(0, &arg->error, fault);
	user_access_end();

	if (flags)
		return -EOPNOTSUPP;
	if (!receives && receive)
		return -EINVAL;
	if (!(handle->rights & MAILBOX_RIGHT_RECEIVE) || READ_ONCE(handle->revoked))
		return -EACCES;
	if (receives && !reply.token)
		return mbx_receive_user(file, u64_to_user_ptr(receive));
	reply.from = u64_to_user_ptr(data);
	ret = mbx_answer_give(handle, &reply);
	if (ret || !receives)
		return ret;
	/* As in mbx_answer_wait(): the caller may call again before we have to sleep. */
	cond_resched();
	ret = mbx_receive_user(file, u64_to_user_ptr(receive));
	/* The answer has gone: the call does not start again. It could be written before. */
	if (unlikely(ret))
		put_user(-mbx_wait_said(ret), &arg->error);
	return 0;
fault:
	user_access_end();
	return -EFAULT;
}

/**
 * mbx_answer_reply() - MAILBOX_IOC_REPLY
 * @file: a handle
 * @arg: its structure
 *
 * Context: Process context, may sleep.
 * Return: 0 or a negative errno as struct mailbox_reply lists them.
 */
long mbx_answer_reply(struct file *file, struct mailbox_reply __user *arg)
{
	return reply_user(file, arg, false);
}

/**
 * mbx_answer_reply_receive() - MAILBOX_IOC_REPLY_RECEIVE
 * @file: a handle
 * @arg: its structure
 *
 * Context: Process context, sleeps.
 * Return: 0 or a negative errno as struct mailbox_reply lists them.
 */
long mbx_answer_reply_receive(struct file *file, struct mailbox_reply __user *arg)
{
	return reply_user(file, arg, true);
}
