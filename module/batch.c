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

	if (batch->flags & ~(MBX_WAIT_FLAGS | MAILBOX_NO_RESTART))
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

static struct mbx_progress progress_of(struct mailbox_batch *batch)
{
	return (struct mbx_progress){
		.known = sizeof(*batch),
		.done = &batch->done,
		.error = &batch->error,
	};
}

/**
 * mbx_send_batch() - MAILBOX_IOC_SEND_BATCH
 * @file: a handle
 * @call: the call
 * Return: 0, or with nothing sent the errno of the first entry.
 */
int mbx_send_batch(struct file *file, struct mbx_call *call)
{
	struct mailbox_batch *batch = &call->batch;
	struct mbx_patience patience = patience_of(file, batch);
	const struct mbx_progress progress = progress_of(batch);
	void __user *entry = u64_to_user_ptr(batch->entries);
	u32 i;
	int ret;

	ret = check(call, offsetofend(struct mailbox_send, sequence)) ?:
		      mbx_call_begin(call, &progress);
	if (ret)
		return ret;
	for (i = 0; i < batch->nr; i++, entry += batch->entry_size) {
		ret = mbx_send_entry(file, entry, &patience);
		if (unlikely(ret))
			break;
		if (i % RESCHED_STEP == 0)
			cond_resched();
	}
	return mbx_call_end(call, &progress, i,
			    mbx_wait_answer(ret, batch->flags & MAILBOX_NO_RESTART));
}

/**
 * mbx_receive_batch() - MAILBOX_IOC_RECEIVE_BATCH
 * @file: a handle
 * @call: the call
 * Return: 0, or with nothing received the errno of the first entry.
 */
int mbx_receive_batch(struct file *file, struct mbx_call *call)
{
	struct mailbox_batch *batch = &call->batch;
	struct mbx_patience patience = patience_of(file, batch);
	const struct mbx_progress progress = progress_of(batch);
	void __user *entry = u64_to_user_ptr(batch->entries);
	u32 i;
	int ret;

	ret = check(call, offsetofend(struct mailbox_receive, deliveries)) ?:
		      mbx_call_begin(call, &progress);
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
	return mbx_call_end(call, &progress, i,
			    mbx_wait_answer(ret, batch->flags & MAILBOX_NO_RESTART));
}
