// SPDX-License-Identifier: GPL-2.0-only
#include <linux/build_bug.h>
#include <linux/fs.h>
#include <linux/minmax.h>
#include <linux/nospec.h>
#include <linux/uaccess.h>

#include "answer_user.h"
#include "batch.h"
#include "device.h"
#include "direct.h"
#include "grant.h"
#include "handle.h"
#include "ioctl.h"
#include "lane.h"
#include "lease.h"
#include "loan.h"
#include "notify.h"
#include "policy.h"
#include "receive.h"
#include "send.h"
#include "sender.h"
#include "set.h"
#include "wait.h"
#include "watch.h"

/* The layout is the contract: the same is asserted in selftests/abi.c. */
static_assert(sizeof(struct mailbox_info) == 72);
static_assert(offsetof(struct mailbox_info, bytes) == 64);
static_assert(sizeof(struct mailbox_create) == 344);
static_assert(offsetof(struct mailbox_create, region_size) == 336);
static_assert(sizeof(struct mailbox_open) == 280);
static_assert(offsetof(struct mailbox_open, name) == 24);
static_assert(sizeof(struct mailbox_destroy) == 272);
static_assert(offsetof(struct mailbox_destroy, name) == 16);
static_assert(sizeof(struct mailbox_stat) == 536);
static_assert(offsetof(struct mailbox_stat, last_mapper) == 532);
static_assert(sizeof(struct mailbox_list) == 32);
static_assert(offsetof(struct mailbox_list, after) == 24);
static_assert(sizeof(struct mailbox_set) == 320);
static_assert(offsetof(struct mailbox_set, name) == 64);
static_assert(sizeof(struct mailbox_send) == 120);
static_assert(offsetof(struct mailbox_send, borrow) == 112);
static_assert(sizeof(struct mailbox_receipt) == 64);
static_assert(offsetof(struct mailbox_receipt, copies) == 60);
static_assert(sizeof(struct mailbox_receive) == 160);
static_assert(offsetof(struct mailbox_receive, offset) == 152);
static_assert(sizeof(struct mailbox_call) == 96);
static_assert(offsetof(struct mailbox_call, reserved) == 92);
static_assert(sizeof(struct mailbox_reply) == 48);
static_assert(offsetof(struct mailbox_reply, receive) == 40);
static_assert(sizeof(struct mailbox_batch) == 40);
static_assert(offsetof(struct mailbox_batch, deadline) == 32);
static_assert(sizeof(struct mailbox_sender) == 24);
static_assert(offsetof(struct mailbox_sender, reserved) == 20);
static_assert(sizeof(struct mailbox_yield) == 8);
static_assert(sizeof(struct mailbox_notify) == 16);
static_assert(sizeof(struct mailbox_restrict) == 24);
static_assert(offsetof(struct mailbox_restrict, grant) == 16);
static_assert(sizeof(struct mailbox_revoke) == 16);
static_assert(offsetof(struct mailbox_revoke, grant) == 8);
static_assert(sizeof(struct mailbox_lease) == 40);
static_assert(offsetof(struct mailbox_lease, time) == 32);
static_assert(sizeof(struct mailbox_loan) == 48);
static_assert(offsetof(struct mailbox_loan, offset) == 40);
static_assert(sizeof(struct mailbox_return) == 16);
static_assert(offsetof(struct mailbox_return, loan) == 8);
static_assert(sizeof(struct mailbox_direct) == 32);
static_assert(offsetof(struct mailbox_direct, process) == 24);
static_assert(sizeof(struct mailbox_link) == 72);
static_assert(offsetof(struct mailbox_link, created) == 64);
static_assert(sizeof(struct mailbox_links) == 32);
static_assert(offsetof(struct mailbox_links, after) == 24);
static_assert(sizeof(struct mailbox_allow) == 16);
static_assert(offsetof(struct mailbox_allow, who) == 8);
static_assert(sizeof(struct mailbox_lane_state) == 16);
static_assert(offsetof(struct mailbox_lane_state, opened) == 12);
static_assert(sizeof(struct mailbox_lane_consumer) == 8);
static_assert(sizeof(struct mailbox_lane_producer) == 8);
static_assert(sizeof(struct mailbox_lane_record) == 8);
static_assert(sizeof(struct mailbox_lane_open) == 40);
static_assert(offsetof(struct mailbox_lane_open, reserved) == 36);
static_assert(sizeof(struct mailbox_lane_wait) == 48);
static_assert(offsetof(struct mailbox_lane_wait, ready) == 40);
static_assert(sizeof(struct mailbox_lane_wake) == 16);
static_assert(offsetof(struct mailbox_lane_wake, lane) == 8);
static_assert(sizeof(struct mailbox_lane_close) == 16);
static_assert(offsetof(struct mailbox_lane_close, lane) == 8);
static_assert(sizeof(((struct mbx_call *)0)->any) >= sizeof(struct mailbox_create));

/**
 * struct mbx_op - one command
 * @cmd: its number
 * @handler: what carries it out
 * @known: size of its structure as the module knows it
 * @least: size of the first version of the structure
 */
struct mbx_op {
	unsigned int cmd;
	int (*handler)(struct file *file, struct mbx_call *call);
	size_t known;
	size_t least;
};

/* @last is the last member of the first version of the structure. */
#define MBX_OP(command, function, type, last) \
	[_IOC_NR(command)] = { \
		.cmd = (command), \
		.handler = (function), \
		.known = sizeof(type), \
		.least = offsetofend(type, last), \
	}

static const struct mbx_op device_ops[] = {
	MBX_OP(MAILBOX_IOC_INFO, mbx_info, struct mailbox_info, bytes),
	MBX_OP(MAILBOX_IOC_CREATE, mbx_device_create, struct mailbox_create, name),
	MBX_OP(MAILBOX_IOC_OPEN, mbx_device_open, struct mailbox_open, name),
	MBX_OP(MAILBOX_IOC_DESTROY, mbx_device_destroy, struct mailbox_destroy, name),
	MBX_OP(MAILBOX_IOC_LIST, mbx_device_list, struct mailbox_list, after),
	MBX_OP(MAILBOX_IOC_SEND_TO, mbx_direct_send, struct mailbox_direct, process),
	MBX_OP(MAILBOX_IOC_RECEIVE_FROM, mbx_direct_receive, struct mailbox_direct, process),
	MBX_OP(MAILBOX_IOC_LINKS, mbx_direct_links, struct mailbox_links, after),
	MBX_OP(MAILBOX_IOC_ALLOW, mbx_direct_allow, struct mailbox_allow, reserved),
	MBX_OP(MAILBOX_IOC_NOTIFY, mbx_watch_notify, struct mailbox_notify, eventfd),
};

static const struct mbx_op handle_ops[] = {
	MBX_OP(MAILBOX_IOC_INFO, mbx_info, struct mailbox_info, bytes),
	MBX_OP(MAILBOX_IOC_DESTROY, mbx_handle_destroy, struct mailbox_destroy, name),
	MBX_OP(MAILBOX_IOC_STAT, mbx_handle_stat, struct mailbox_stat, name),
	MBX_OP(MAILBOX_IOC_SET, mbx_handle_set, struct mailbox_set, max_bytes),
	MBX_OP(MAILBOX_IOC_SEND_BATCH, mbx_send_batch, struct mailbox_batch, deadline),
	MBX_OP(MAILBOX_IOC_RECEIVE_BATCH, mbx_receive_batch, struct mailbox_batch, deadline),
	MBX_OP(MAILBOX_IOC_ACK, mbx_lease_ack, struct mailbox_lease, time),
	MBX_OP(MAILBOX_IOC_NACK, mbx_lease_nack, struct mailbox_lease, time),
	MBX_OP(MAILBOX_IOC_EXTEND, mbx_lease_extend, struct mailbox_lease, time),
	MBX_OP(MAILBOX_IOC_NOTIFY, mbx_notify_set, struct mailbox_notify, eventfd),
	MBX_OP(MAILBOX_IOC_YIELD, mbx_policy_yield, struct mailbox_yield, flags),
	MBX_OP(MAILBOX_IOC_RESTRICT, mbx_grant_restrict, struct mailbox_restrict, grant),
	MBX_OP(MAILBOX_IOC_REVOKE, mbx_grant_revoke, struct mailbox_revoke, grant),
	MBX_OP(MAILBOX_IOC_SENDER, mbx_sender, struct mailbox_sender, reserved),
	MBX_OP(MAILBOX_IOC_LANE_OPEN, mbx_lane_open, struct mailbox_lane_open, reserved),
	MBX_OP(MAILBOX_IOC_LANE_WAIT, mbx_lane_wait, struct mailbox_lane_wait, ready),
	MBX_OP(MAILBOX_IOC_LANE_WAKE, mbx_lane_wake, struct mailbox_lane_wake, lane),
	MBX_OP(MAILBOX_IOC_LANE_CLOSE, mbx_lane_close, struct mailbox_lane_close, lane),
	MBX_OP(MAILBOX_IOC_LOAN, mbx_loan_lend, struct mailbox_loan, offset),
	MBX_OP(MAILBOX_IOC_RETURN, mbx_loan_return, struct mailbox_return, loan),
};

/**
 * mbx_call_reply() - write the structure back
 * @call: the call; no more than @size bytes are written
 * @known: size of the structure as the module knows it
 * Return: 0 or -EFAULT.
 */
int mbx_call_reply(const struct mbx_call *call, size_t known)
{
	return copy_to_user(call->arg, call->any, min_t(size_t, call->size, known)) ? -EFAULT : 0;
}

/**
 * mbx_call_begin() - find out whether the answer can be written, before anything is done
 * @call: the call
 * @progress: where the answer is
 * Return: 0 or -EFAULT.
 */
int mbx_call_begin(const struct mbx_call *call, const struct mbx_progress *progress)
{
	*progress->done = 0;
	*progress->error = 0;
	return mbx_call_reply(call, progress->known);
}

/**
 * mbx_call_end() - say how far a call came
 * @call: the call
 * @progress: where the answer is
 * @done: how many were done
 * @error: what stopped it, or 0
 * Return: 0, or @error if nothing was done.
 */
int mbx_call_end(const struct mbx_call *call, const struct mbx_progress *progress, u32 done,
		 int error)
{
	if (!done)
		return error;
	/* A signal has ended the wait for one of them; the call does not start again. */
	*progress->done = done;
	*progress->error = -mbx_wait_said(error);
	/* It could be written before, and what is done is done: the result is the same. */
	mbx_call_reply(call, progress->known);
	return 0;
}

/**
 * mbx_call_check_size() - may a structure have this size, which is not the usual one?
 * @arg: the structure in user memory
 * @size: its size as the caller knows it
 * @least: size of the first version of the structure
 * @known: as the module knows it
 * @batch: of which it is an entry, or NULL
 * Return: 0; -EINVAL; -E2BIG; -EFAULT.
 */
int mbx_call_check_size(const void __user *arg, u32 size, size_t least, size_t known,
			const struct mbx_patience *batch)
{
	int ret;

	if (size < least || (batch && size > batch->entry_size))
		return -EINVAL;
	if (size <= known)
		return 0;
	if (size > PAGE_SIZE)
		return -E2BIG;
	/* What the module does not know of it must be zero. */
	ret = check_zeroed_user(arg + known, size - known);
	if (ret < 0)
		return ret;
	return ret ? 0 : -E2BIG;
}

/* Of a revoked handle nothing goes any more but INFO, which tells nothing of the mailbox. */
static bool is_refused(const struct mbx_op *ops, const struct file *file, unsigned int cmd)
{
	const struct mbx_handle *handle = file->private_data;

	/* Written by REVOKE, which has returned before a call that must see it. */
	return ops == handle_ops && READ_ONCE(handle->revoked) && cmd != MAILBOX_IOC_INFO;
}

static noinline long dispatch(const struct mbx_op *ops, size_t nr_ops, struct file *file,
			      unsigned int cmd, void __user *arg)
{
	struct mbx_call call = { .arg = arg };
	const struct mbx_op *op;
	int ret;

	if (_IOC_NR(cmd) >= nr_ops)
		return -ENOTTY;
	op = &ops[array_index_nospec(_IOC_NR(cmd), nr_ops)];
	if (!op->handler || op->cmd != cmd)
		return -ENOTTY;
	if (is_refused(ops, file, cmd))
		return -EACCES;

	if (get_user(call.size, (u32 __user *)arg))
		return -EFAULT;
	ret = mbx_call_check_size(arg, call.size, op->least, op->known, NULL);
	if (ret)
		return ret;
	/* What is longer, that of STAT, only the answer fills. */
	if (copy_from_user(call.any, arg, min3((size_t)call.size, op->known, sizeof(call.any))))
		return -EFAULT;
	return op->handler(file, &call);
}

/**
 * mbx_device_ioctl() - a call on the device
 * @file: the device
 * @cmd: the command
 * @arg: address of its structure
 * Return: 0 or a negative errno.
 */
long mbx_device_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return dispatch(device_ops, ARRAY_SIZE(device_ops), file, cmd, (void __user *)arg);
}

/**
 * mbx_handle_ioctl() - a call on a handle
 * @file: the handle
 * @cmd: the command
 * @arg: address of its structure
 * Return: 0 or a negative errno.
 */
long mbx_handle_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	/* The hot path: see the DOC comment in ioctl.h. */
	if (likely(cmd == MAILBOX_IOC_SEND))
		return mbx_send_user(file, (void __user *)arg);
	if (likely(cmd == MAILBOX_IOC_RECEIVE))
		return mbx_receive_user(file, (void __user *)arg);
	switch (cmd) {
	case MAILBOX_IOC_CALL:
		return mbx_answer_call(file, (void __user *)arg);
	case MAILBOX_IOC_REPLY:
		return mbx_answer_reply(file, (void __user *)arg);
	case MAILBOX_IOC_REPLY_RECEIVE:
		return mbx_answer_reply_receive(file, (void __user *)arg);
	}
	return dispatch(handle_ops, ARRAY_SIZE(handle_ops), file, cmd, (void __user *)arg);
}
