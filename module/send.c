// SPDX-License-Identifier: GPL-2.0-only
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/uaccess.h>

#include "deliver.h"
#include "enter.h"
#include "expire.h"
#include "files.h"
#include "handle.h"
#include "ioctl.h"
#include "loan.h"
#include "mailbox.h"
#include "policy.h"
#include "receipt.h"
#include "send.h"
#include "share.h"
#include "stream.h"
#include "wait.h"

#define RECEIPT_FLAGS	 (MAILBOX_RECEIPT | MAILBOX_RECEIPT_WAIT)
#define EXTRA_FLAGS	 (MAILBOX_FILES | MAILBOX_LOAN | RECEIPT_FLAGS)
#define SEND_FLAGS	 (MBX_WAIT_FLAGS | MAILBOX_NO_RESTART | MAILBOX_EXPIRES | EXTRA_FLAGS)
#define SEND_BATCH_FLAGS (MAILBOX_EXPIRES | MAILBOX_FILES | MAILBOX_RECEIPT)

/* What few sends have, and each of them perhaps not. */
struct extras {
	struct mbx_receipt *receipt;
	struct mbx_files *files;
	struct mbx_lending *lending;
};

/* As long as it was before there were receipts. */
#define SEND_LEAST offsetofend(struct mailbox_send, sequence)

/**
 * mbx_send_find() - a message to be filled, from the stash of a mailbox or a new one
 * @box: the mailbox
 * @user: who pays
 * @length: bytes of payload it must have room for
 * @spare: what was there and does not fit, or NULL
 *
 * Context: Process context, may sleep.
 * Return: the message; or ERR_PTR: -EIDRM, -EDQUOT, -ENOMEM, or -EINTR when killed.
 */
noinline struct mbx_message *mbx_send_find(struct mbx_box *box, struct mbx_user *user, u32 length,
					   struct mbx_message *spare)
{
	struct mbx_message *msg, *spent = NULL;

	/* A hint: do not begin what comes to nothing. */
	if (READ_ONCE(box->closed)) {
		mbx_message_free(spare);
		return ERR_PTR(-EIDRM);
	}
	spin_lock(&box->lock);
	msg = mbx_stash_find(&box->stash, user, mbx_message_room(length));
	if (spare)
		mbx_box_drop_locked(box, spare, &spent);
	spin_unlock(&box->lock);
	mbx_message_free_all(spent);
	if (msg)
		return msg;

	msg = mbx_message_new(user, length);
	if (msg != ERR_PTR(-EDQUOT))
		return msg;

	/* What this mailbox keeps for reuse must not be what is missing. */
	spin_lock(&box->lock);
	spent = mbx_stash_empty(&box->stash);
	spin_unlock(&box->lock);
	mbx_message_free_all(spent);
	return spent ? mbx_message_new(user, length) : msg;
}

static __always_inline int check(const struct mbx_handle *handle, const struct mbx_send_args args)
{
	const struct mbx_box *box = handle->box;
	/* A hint: it may change at any time, and is looked at again under the lock. */
	u32 size = READ_ONCE(box->message_size);
	int ret = 0;

	if (unlikely(args.priority > MAILBOX_PRIORITY_MAX))
		return -EINVAL;
	if (unlikely(args.length > size || (box->fixed_size && args.length != size)))
		ret = -EMSGSIZE;
	else if (unlikely(args.expiry) && args.expiry <= ktime_get_ns())
		ret = -ETIMEDOUT;
	/* A hint, too, to say that rather. */
	return unlikely(ret) && READ_ONCE(box->closed) ? -EIDRM : ret;
}

static __always_inline void describe(struct mbx_message *msg, const struct mbx_send_args args)
{
	msg->entry.priority = args.priority;
	msg->entry.type = args.type;
	msg->entry.expiry = args.expiry;
	msg->deliveries = 0;
}

static noinline int attach(struct extras *extras, struct mbx_box *box, struct mbx_message *msg,
			   struct mbx_user *user)
{
	int ret;

	if (extras->files) {
		ret = mbx_files_enter(extras->files, box);
		if (ret)
			return ret;
		mbx_files_attach(msg, &extras->files);
	}
	if (extras->lending) {
		ret = mbx_lending_attach(extras->lending, msg);
		if (ret)
			return ret;
	}
	return extras->receipt ? mbx_receipt_attach(extras->receipt, box, msg, user) : 0;
}

/* What was not sent, and its lock. Files go with it, a loan goes back. */
static noinline void give_up(struct mbx_box *box, struct mbx_message *msg,
			     const struct extras *extras) __releases(&box->lock)
{
	const bool answered = mbx_receipt_detach(msg);
	struct mbx_message *spent = NULL;

	mbx_lending_undo_locked(box, msg);
	mbx_box_drop_locked(box, msg, &spent);
	spin_unlock(&box->lock);
	mbx_message_free_all(spent);
	if (answered)
		mbx_receipt_undo(extras->receipt);
}

/*
 * Where a policy has been asked, @usual is false. Without a file @args says it all.
 * Return: the number of the message, or a negative errno; numbers that count up by one
 * cannot reach those.
 */
static __always_inline s64 send_for(struct mbx_share *share, struct mbx_handle *handle,
				    const struct file *file, const struct mbx_send_args args,
				    struct extras *extras, bool usual)
{
	struct mbx_box *box = handle->box;
	struct mbx_message *msg;
	s64 ret;

	msg = mbx_stash_take(&box->stash);
	if (unlikely(!msg || msg->charge.user != share->user ||
		     msg->room != mbx_message_room(args.length))) {
		msg = mbx_send_find(box, share->user, args.length, msg);
		if (IS_ERR(msg))
			return PTR_ERR(msg);
	}

	ret = mbx_message_copy_in(msg, args.data, args.length);
	if (unlikely(ret))
		goto err;
	mbx_message_stamp(msg);
	if (unlikely(extras)) {
		describe(msg, args);
		ret = attach(extras, box, msg, share->user);
		if (ret)
			goto err;
	}

	mbx_box_lock_fresh(box);
	/* The same as in mbx_enter_locked(), in line: there is room, and nobody waits. */
	if (!usual && unlikely(!mbx_policy_sends_locked(box))) {
		ret = handle->revoked ? -EACCES : -EPERM;
	} else if (likely(args.length <= box->message_size && !box->nr_waiting &&
			  mbx_box_has_room_locked(box, share, args.length))) {
		mbx_number_locked(box, msg);
		describe(msg, args);
		ret = msg->entry.sequence;
		mbx_accept_locked(box, msg, share);
		mbx_enqueue_locked(box, msg, false);
	} else {
		describe(msg, args);
		ret = mbx_enter_locked(box, msg, share, handle, args.deadline,
				       args.nonblock || (file && file->f_flags & O_NONBLOCK));
	}
	if (unlikely(ret < 0)) {
		give_up(box, msg, extras);
		return ret;
	}
	mbx_stash_refill(&box->stash);
	spin_unlock(&box->lock);
	return ret;
err:
	spin_lock(&box->lock);
	give_up(box, msg, NULL);
	return ret;
}

/* Another user than the opener of the handle pays and shares. */
static noinline s64 send_for_another(struct mbx_handle *handle, const struct file *file,
				     const struct mbx_send_args args, struct extras *extras)
{
	struct mbx_share *share;
	struct mbx_user *user;
	s64 ret;

	user = mbx_user_get(current_euid());
	if (IS_ERR(user))
		return PTR_ERR(user);
	share = mbx_box_share_get(handle->box, user);
	mbx_user_put(user);
	if (IS_ERR(share))
		return PTR_ERR(share);
	ret = send_for(share, handle, file, args, extras, READ_ONCE(handle->usual));
	mbx_box_share_put(handle->box, share);
	return ret;
}

/* Nothing of a loan is stored; but where there is one size, that is its length. */
static int check_extras(const struct mbx_handle *handle, struct mbx_send_args args,
			const struct extras *extras)
{
	if (extras && extras->lending && handle->box->fixed_size)
		args.length = extras->lending->length;
	return check(handle, args);
}

/* Of one that does not simply have the right to send, and nothing else to be asked. */
static noinline int check_unusual(const struct mbx_handle *handle)
{
	/* Written by REVOKE, which has returned before a call that must see it. */
	if (!(handle->rights & MAILBOX_RIGHT_SEND) || READ_ONCE(handle->revoked))
		return -EACCES;
	/* A hint; looked at again before it waits: see mbx_enter_locked(). */
	return mbx_stream_is_unheard_locked(handle) ? -EPIPE : 0;
}

/* Return: as send_for(). */
static noinline s64 send_any(struct file *file, const struct mbx_send_args args,
			     struct extras *extras)
{
	struct mbx_handle *handle = file->private_data;
	/* As in send_said(). */
	const bool usual = data_race(handle->usual) & MAILBOX_RIGHT_SEND;
	int ret;

	if (unlikely(!usual)) {
		ret = check_unusual(handle);
		if (ret)
			return ret;
	}
	ret = check_extras(handle, args, extras);
	if (unlikely(!ret && !usual))
		ret = mbx_policy_send(handle);
	if (ret)
		return ret;
	if (!uid_eq(handle->share->user->uid, current_euid()))
		return send_for_another(handle, file, args, extras);
	return send_for(handle->share, handle, file, args, extras, usual);
}

/**
 * mbx_send() - send one message
 * @file: a handle
 * @args: what and how
 *
 * Context: Process context, may sleep.
 * Return: 0 or, with nothing sent, a negative errno as struct mailbox_send lists
 * them; -ERESTARTSYS for a signal.
 */
int mbx_send(struct file *file, const struct mbx_send_args *args)
{
	return min_t(s64, send_any(file, *args, NULL), 0);
}

/**
 * mbx_send_call() - send a message whose sender waits for the answer
 * @file: a handle
 * @args: what and how
 * @receipt: of the call
 *
 * Context: Process context, may sleep.
 * Return: the number of the message, and then mbx_answer_wait() is due; or as mbx_send().
 */
s64 mbx_send_call(struct file *file, const struct mbx_send_args *args, struct mbx_receipt *receipt)
{
	struct extras extras = { .receipt = receipt };

	return send_any(file, *args, &extras);
}

/**
 * mbx_send_direct() - send one message through a handle that is no file
 * @handle: the handle
 * @share: of the user that is most likely to send in the mailbox, or NULL
 * @args: what and how
 *
 * Context: Process context, may sleep.
 * Return: the number of the message; or, with nothing sent, a negative errno as mbx_send().
 */
s64 mbx_send_direct(struct mbx_handle *handle, struct mbx_share *share,
		    const struct mbx_send_args *args)
{
	int ret = check(handle, *args);

	if (ret)
		return ret;
	if (!share || !uid_eq(share->user->uid, current_euid()))
		return send_for_another(handle, NULL, *args, NULL);
	return send_for(share, handle, NULL, *args, NULL, true);
}

/* Return: as send_for(). */
static noinline s64 send_with_receipt(struct file *file, struct mailbox_send __user *arg, u32 size,
				      u32 flags, const struct mbx_send_args args,
				      struct extras *extras)
{
	struct mbx_handle *handle = file->private_data;
	struct mbx_receipt receipt;
	s64 ret;

	if (size < offsetofend(struct mailbox_send, receipt_data))
		return -EINVAL;
	/* To wait is what it asks for. */
	if ((flags & MAILBOX_RECEIPT_WAIT) && (args.nonblock || file->f_flags & O_NONBLOCK))
		return -EINVAL;
	ret = mbx_receipt_ask(&receipt, arg, flags);
	if (ret)
		return ret;
	extras->receipt = &receipt;
	ret = send_any(file, args, extras);
	if (ret > 0 && (flags & MAILBOX_RECEIPT_WAIT))
		ret = mbx_receipt_wait(&receipt, handle, args.deadline) ?: ret;
	mbx_receipt_put(&receipt);
	return ret;
}

/* Return: as send_for(). */
static noinline s64 send_with_loan(struct file *file, struct mailbox_send __user *arg, u32 size,
				   u32 flags, struct mbx_send_args args, struct extras *extras)
{
	struct mbx_lending lending;
	s64 ret;

	/* What is taken back after it was sent has ended. */
	if (flags & MAILBOX_RECEIPT_WAIT)
		return -EOPNOTSUPP;
	ret = mbx_lending_begin(&lending, file->private_data, arg, size, args.length);
	if (ret)
		return ret;
	extras->lending = &lending;
	args.length = 0;
	if (flags & MAILBOX_RECEIPT)
		ret = send_with_receipt(file, arg, size, flags, args, extras);
	else
		ret = send_any(file, args, extras);
	mbx_lending_end(&lending, ret > 0);
	return ret;
}

/* Return: as send_for(). */
static noinline s64 send_with_extras(struct file *file, struct mailbox_send __user *arg, u32 size,
				     u32 flags, const struct mbx_send_args args)
{
	struct extras extras = {};
	s64 ret;

	if (flags & MAILBOX_FILES) {
		extras.files = mbx_files_of_user(arg, size);
		if (IS_ERR(extras.files))
			return PTR_ERR(extras.files);
	}
	if (flags & MAILBOX_LOAN)
		ret = send_with_loan(file, arg, size, flags, args, &extras);
	else if (flags & RECEIPT_FLAGS)
		ret = send_with_receipt(file, arg, size, flags, args, &extras);
	else
		ret = send_any(file, args, &extras);
	/* None, if a message has taken them. */
	mbx_files_free(extras.files);
	return ret;
}

/* What the shortcut below leaves. Return: as send_for(). */
static noinline s64 send_unusual(struct file *file, struct mailbox_send __user *arg, u32 size,
				 u32 flags, struct mbx_send_args args, bool batch)
{
	const u32 known = batch ? SEND_BATCH_FLAGS : SEND_FLAGS;

	if (flags & ~known)
		return -EOPNOTSUPP;
	if ((flags & MAILBOX_DEADLINE) && get_user(args.deadline, &arg->deadline))
		return -EFAULT;
	if (flags & MAILBOX_EXPIRES) {
		if (get_user(args.expiry, &arg->expiry))
			return -EFAULT;
		/* 0 is "never" from here on; at 0 and at 1 it expired long ago. */
		args.expiry = args.expiry ?: 1;
	}
	if (flags & EXTRA_FLAGS)
		return send_with_extras(file, arg, size, flags, args);
	return send_any(file, args, NULL);
}

static __always_inline s64 send_said(struct file *file, struct mailbox_send __user *arg, u32 size,
				     u32 flags, const struct mbx_send_args args, bool batch)
{
	const u32 usual = batch ? 0 : MAILBOX_NONBLOCK | MAILBOX_NO_RESTART;
	struct mbx_handle *handle = file->private_data;
	int ret;

	/* data_race(): see struct mbx_handle. READ_ONCE() takes an instruction more. */
	if (unlikely((flags & ~usual) || !(data_race(handle->usual) & MAILBOX_RIGHT_SEND)))
		return send_unusual(file, arg, size, flags, args, batch);
	/* The same as in send_any(), in line. */
	ret = check(handle, args);
	if (unlikely(ret))
		return ret;
	if (unlikely(!uid_eq(handle->share->user->uid, current_euid())))
		return send_for_another(handle, file, args, NULL);
	return send_for(handle->share, handle, file, args, NULL, true);
}

static __always_inline long send_user(struct file *file, struct mailbox_send __user *arg,
				      const struct mbx_patience *batch)
{
	u32 size, flags, length, priority;
	u64 data, type;
	s64 ret;

	if (!user_access_begin(arg, SEND_LEAST))
		return -EFAULT;
	unsafe_get_user(size, &arg->size, fault);
	if (unlikely(size != sizeof(*arg))) {
		user_access_end();
		ret = mbx_call_check_size(arg, size, SEND_LEAST, sizeof(*arg), batch);
		if (ret)
			return ret;
		if (!user_access_begin(arg, SEND_LEAST))
			return -EFAULT;
	}
	unsafe_get_user(flags, &arg->flags, fault);
	unsafe_get_user(data, &arg->data, fault);
	unsafe_get_user(length, &arg->length, fault);
	unsafe_get_user(priority, &arg->priority, fault);
	unsafe_get_user(type, &arg->type, fault);
	/* Find out now whether the answer can be written: later the message is sent. */
	unsafe_put_user(0, &arg->sequence, fault);
	user_access_end();

	ret = send_said(file, arg, size, flags,
			(struct mbx_send_args){
				.data = u64_to_user_ptr(data),
				.type = type,
				.deadline = batch ? batch->deadline : MBX_FOREVER,
				.length = length,
				.priority = priority,
				.nonblock = batch ? batch->nonblock : flags & MAILBOX_NONBLOCK,
			},
			batch);
	if (unlikely(ret < 0))
		return ret == -ERESTARTSYS && !batch ? mbx_wait_answer_send(&arg->sequence) : ret;
	/*
	 * It could be written above, and it is sent. If another thread has taken the
	 * memory away since, that program misses the number; the send has succeeded.
	 */
	__put_user(ret, &arg->sequence);
	return 0;
fault:
	user_access_end();
	return -EFAULT;
}

/**
 * mbx_send_user() - send what a struct mailbox_send in user memory says
 * @file: a handle
 * @arg: the structure
 * Return: 0 or a negative errno, see mbx_send().
 */
long mbx_send_user(struct file *file, struct mailbox_send __user *arg)
{
	return send_user(file, arg, NULL);
}

/**
 * mbx_send_entry() - mbx_send_user() for an entry of a batch
 * @file: a handle
 * @arg: the structure
 * @patience: how long to wait
 * Return: as mbx_send_user().
 */
long mbx_send_entry(struct file *file, struct mailbox_send __user *arg,
		    const struct mbx_patience *patience)
{
	return send_user(file, arg, patience);
}
