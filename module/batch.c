// SPDX-License-Identifier: GPL-2.0-only
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/sched.h>
#include <linux/uaccess.h>

#include "batch.h"
#include "ioctl.h"
#include "receive.h"
#include "send.h"
#include "wait.h"

/* How many entries are done before others are asked whether they want the processor. */
#define RESCHED_STEP 8

static int check(const struct mbx_call *call, size_t least)
{
	const struct mailbox_batch *batch = &call->batch;

	if (batch->flags & ~(MAILBOX_NONBLOCK | MAILBOX_DEADLINE))
		return -EOPNOTSUPP;
	if (batch->nr < 1 || batch->nr > MAILBOX_BATCH_MAX)
		return -EINVAL;
	if (batch->entry_size < least || batch->entry_size > PAGE_SIZE)
		return -EINVAL;
	return 0;
}

static struct mbx_patience patience_of(const struct file *file, const struct mailbox_batch *batch)
{
	return (struct mbx_patience){
		.entry_size = batch->entry_size,
		.deadline = batch->flags & MAILBOX_DEADLINE ? batch->deadline : MBX_FOREVER,
		.nonblock = (batch->flags & MAILBOX_NONBLOCK) || (file->f_flags & O_NONBLOCK),
	};
}

/* Find out whether the answer can be written before anything is done. */
static int probe(struct mbx_call *call)
{
	call->batch.done = 0;
	call->batch.error = 0;
	return mbx_call_reply(call, sizeof(call->batch));
}

static int finish(struct mbx_call *call, u32 done, int error)
{
	if (!done)
		return error;
	/* A signal has ended the wait of an entry; the batch does not start again. */
	if (error == -ERESTARTSYS)
		error = -EINTR;
	call->batch.done = done;
	call->batch.error = -error;
	/* It could be written before, and what is done is done: the result is the same. */
	mbx_call_reply(call, sizeof(call->batch));
	return 0;
}

/**
 * mbx_send_batch() - MAILBOX_IOC_SEND_BATCH
 * @file: a handle
 * @call: the call
 * Return: 0, or with nothing sent the errno of the first entry.
 */
int mbx_send_batch(struct file *file, struct mbx_call *call)
{
	const struct mailbox_batch *batch = &call->batch;
	struct mbx_patience patience = patience_of(file, batch);
	void __user *entry = u64_to_user_ptr(batch->entries);
	u32 i;
	int ret;

	ret = check(call, offsetofend(struct mailbox_send, sequence)) ?: probe(call);
	if (ret)
		return ret;
	for (i = 0; i < batch->nr; i++, entry += batch->entry_size) {
		ret = mbx_send_entry(file, entry, &patience);
		if (unlikely(ret))
			break;
		if (i % RESCHED_STEP == 0)
			cond_resched();
	}
	return finish(call, i, ret);
}

/**
 * mbx_receive_batch() - MAILBOX_IOC_RECEIVE_BATCH
 * @file: a handle
 * @call: the call
 * Return: 0, or with nothing received the errno of the first entry.
 */
int mbx_receive_batch(struct file *file, struct mbx_call *call)
{
	const struct mailbox_batch *batch = &call->batch;
	struct mbx_patience patience = patience_of(file, batch);
	void __user *entry = u64_to_user_ptr(batch->entries);
	u32 i;
	int ret;

	ret = check(call, offsetofend(struct mailbox_receive, deliveries)) ?: probe(call);
	if (ret)
		return ret;
	for (i = 0; i < batch->nr; i++, entry += batch->entry_size) {
		ret = mbx_receive_entry(file, entry, &patience);
		if (unlikely(ret))
			break;
		/* Having something, the caller does not wait for more. */
		patience.nonblock = true;
		if (i % RESCHED_STEP == 0)
			cond_resched();
	}
	return finish(call, i, ret);
}
