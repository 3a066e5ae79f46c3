// SPDX-License-Identifier: GPL-2.0-only
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/uaccess.h>

#include "exchange.h"
#include "ioctl.h"
#include "receive.h"
#include "send.h"
#include "wait.h"

#define WAIT_FLAGS	    (MAILBOX_NONBLOCK | MAILBOX_DEADLINE)
#define SEND_FLAGS	    (WAIT_FLAGS | MAILBOX_EXPIRES)
#define RECEIVE_FLAGS	    (WAIT_FLAGS | MAILBOX_PEEK | MAILBOX_TRUNCATE)
#define RECEIVE_BATCH_FLAGS MAILBOX_TRUNCATE

static int read_patience(const struct file *file, u32 flags, const u64 __user *deadline,
			 struct mbx_patience *patience)
{
	patience->nonblock = (file->f_flags & O_NONBLOCK) || (flags & MAILBOX_NONBLOCK);
	patience->deadline = MBX_FOREVER;
	if (unlikely(flags & MAILBOX_DEADLINE) && get_user(patience->deadline, deadline))
		return -EFAULT;
	return 0;
}

/**
 * mbx_exchange_send() - send what a struct mailbox_send in user memory says
 * @file: a handle
 * @arg: the structure
 * @batch: when it is an entry of a batch: how long to wait; else NULL
 * Return: 0 or a negative errno, see mbx_send().
 */
int mbx_exchange_send(struct file *file, struct mailbox_send __user *arg,
		      const struct mbx_patience *batch)
{
	const u32 known = batch ? SEND_FLAGS & ~WAIT_FLAGS : SEND_FLAGS;
	struct mbx_patience patience;
	struct mbx_send_args args;
	u64 data, sequence;
	u32 size, flags;
	int ret;

	if (!user_access_begin(arg, sizeof(*arg)))
		return -EFAULT;
	unsafe_get_user(size, &arg->size, fault);
	if (unlikely(size < sizeof(*arg))) {
		user_access_end();
		return -EINVAL;
	}
	unsafe_get_user(flags, &arg->flags, fault);
	unsafe_get_user(data, &arg->data, fault);
	unsafe_get_user(args.length, &arg->length, fault);
	unsafe_get_user(args.priority, &arg->priority, fault);
	unsafe_get_user(args.type, &arg->type, fault);
	/* Find out now whether the answer can be written: later the message is sent. */
	unsafe_put_user(0, &arg->sequence, fault);
	user_access_end();

	if (unlikely(size > sizeof(*arg))) {
		ret = mbx_call_check_tail(arg, size, sizeof(*arg));
		if (ret)
			return ret;
	}
	if (unlikely(flags & ~known))
		return -EOPNOTSUPP;
	ret = read_patience(file, flags, &arg->deadline, &patience);
	if (ret)
		return ret;
	if (batch)
		patience = *batch;
	args.expires = flags & MAILBOX_EXPIRES;
	if (unlikely(args.expires) && get_user(args.expiry, &arg->expiry))
		return -EFAULT;
	args.data = u64_to_user_ptr(data);
	args.deadline = patience.deadline;
	args.nonblock = patience.nonblock;

	ret = mbx_send(file->private_data, &args, &sequence);
	if (unlikely(ret))
		return ret;
	/*
	 * It could be written above, and it is sent. If another thread has taken the
	 * memory away since, that program misses the number; the send has succeeded.
	 */
	put_user(sequence, &arg->sequence);
	return 0;
fault:
	user_access_end();
	return -EFAULT;
}

/**
 * mbx_exchange_receive() - receive as a struct mailbox_receive in user memory says
 * @file: a handle
 * @arg: the structure
 * @batch: when it is an entry of a batch: how long to wait; else NULL
 * Return: 0 or a negative errno, see mbx_receive().
 */
int mbx_exchange_receive(struct file *file, struct mailbox_receive __user *arg,
			 const struct mbx_patience *batch)
{
	const u32 known = batch ? RECEIVE_BATCH_FLAGS : RECEIVE_FLAGS;
	struct mbx_receive_args args = { .report = arg };
	struct mbx_patience patience;
	u32 size, flags, copied;
	u64 data;
	int ret;

	if (!user_access_begin(arg, sizeof(*arg)))
		return -EFAULT;
	unsafe_get_user(size, &arg->size, fault);
	unsafe_get_user(flags, &arg->flags, fault);
	unsafe_get_user(data, &arg->data, fault);
	unsafe_get_user(args.room, &arg->room, fault);
	unsafe_get_user(args.select.kind, &arg->select, fault);
	unsafe_get_user(args.select.match, &arg->match, fault);
	user_access_end();

	if (unlikely(size != sizeof(*arg))) {
		ret = mbx_call_check_tail(arg, size, sizeof(*arg));
		if (ret)
			return ret;
	}
	if (unlikely(flags & ~known))
		return -EOPNOTSUPP;
	ret = read_patience(file, flags, &arg->deadline, &patience);
	if (ret)
		return ret;
	if (batch)
		patience = *batch;
	args.data = u64_to_user_ptr(data);
	args.deadline = patience.deadline;
	args.nonblock = patience.nonblock;
	args.peek = flags & MAILBOX_PEEK;
	args.truncate = flags & MAILBOX_TRUNCATE;
	return mbx_receive(file->private_data, &args, &copied);
fault:
	user_access_end();
	return -EFAULT;
}
