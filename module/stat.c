// SPDX-License-Identifier: GPL-2.0-only
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/mutex.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/user_namespace.h>

#include "domain.h"
#include "expire.h"
#include "handle.h"
#include "ioctl.h"
#include "lane.h"
#include "mailbox.h"
#include "region_map.h"

/* Answers the same from now on, until another message is received. */
static u64 last_received_locked(struct mbx_box *box)
{
	u64 ago, now;

	if (box->received_tick) {
		/* When the tick was, but not before the message was sent. */
		now = ktime_get_coarse_ns();
		ago = time_after(jiffies, box->received_tick) ?
			      jiffies_to_nsecs(jiffies - box->received_tick) :
			      0;
		box->last_received = max(box->last_received, now - min(now, ago));
		box->received_tick = 0;
	}
	return box->last_received;
}

/**
 * mbx_box_stat_locked() - describe a mailbox
 * @box: the mailbox
 * @stat: filled in but for @size and @rights
 *
 * Context: The domain lock and the mailbox lock are held.
 */
void mbx_box_stat_locked(struct mbx_box *box, struct mailbox_stat *stat)
{
	const struct mbx_lanes *lanes = mbx_lanes_of(box);

	lockdep_assert_held(&box->domain->lock);
	lockdep_assert_held(&box->lock);
	*stat = (struct mailbox_stat){
		.flags = (box->permanent ? MAILBOX_PERMANENT : 0) |
			 (box->fixed_size ? MAILBOX_FIXED_SIZE : 0),
		.id = box->id,
		.uid = from_kuid_munged(current_user_ns(), box->uid),
		.gid = from_kgid_munged(current_user_ns(), box->gid),
		.mode = box->mode,
		.policy = box->policy,
		.capacity = box->capacity,
		.on_full = box->on_full,
		.share = box->share,
		.message_size = box->message_size,
		.handles = box->handles,
		.max_messages = box->max_messages,
		.max_bytes = box->max_bytes,
		.messages = box->messages,
		.bytes = box->bytes,
		.receivers = box->nr_receivers,
		.senders = box->nr_senders,
		.sent = box->sent,
		.received = box->received,
		.expired = box->expired,
		.overwritten = box->overwritten,
		.created = box->created,
		.changed = box->changed,
		.creator_uid = from_kuid_munged(current_user_ns(), box->creator_uid),
		.creator_gid = from_kgid_munged(current_user_ns(), box->creator_gid),
		.last_sent = box->last_sent,
		.last_received = last_received_locked(box),
		.leased = box->leased,
		.promised = box->promised,
		.region_size = box->region.size,
		.lanes = lanes ? READ_ONCE(lanes->nr) : 0,
		.loaned = box->loans.pieces.bytes,
		.loans = box->loans.pieces.nr,
		.redelivered = box->redelivered,
		.dead = box->dead,
		.dropped = box->dropped,
		.dead_letter = box->dead_letter ? box->dead_letter->id : 0,
		.max_deliveries = box->max_deliveries,
		.subscribers = box->policy == MAILBOX_POLICY_BROADCAST ? box->subscribers :
									 box->may_receive,
		.last_sender = pid_vnr(box->last_sender),
		.last_receiver = pid_vnr(box->last_receiver),
	};
	mbx_maps_stat(box->region.maps, stat);
	strscpy(stat->name, box->name, sizeof(stat->name));
}

/**
 * mbx_handle_stat() - MAILBOX_IOC_STAT
 * @file: a handle
 * @call: the call
 * Return: 0; -EOPNOTSUPP; -EIDRM; -EFAULT; -ENOMEM.
 */
int mbx_handle_stat(struct file *file, struct mbx_call *call)
{
	struct mbx_handle *handle = file->private_data;
	struct mbx_box *box = handle->box;
	struct mailbox_stat *stat;
	int ret = 0;

	if (call->stat.flags)
		return -EOPNOTSUPP;
	/* It would take a large part of the stack. */
	stat = kmalloc(sizeof(*stat), GFP_KERNEL);
	if (!stat)
		return -ENOMEM;

	/* Expired messages go first: freeing them may take long. */
	mbx_box_lock_fresh(box);
	spin_unlock(&box->lock);
	mutex_lock(&box->domain->lock);
	spin_lock(&box->lock);
	if (box->closed)
		ret = -EIDRM;
	else
		mbx_box_stat_locked(box, stat);
	spin_unlock(&box->lock);
	mutex_unlock(&box->domain->lock);
	if (!ret) {
		stat->size = call->size;
		stat->rights = handle->rights;
		if (copy_to_user(call->arg, stat, min_t(size_t, call->size, sizeof(*stat))))
			ret = -EFAULT;
	}
	kfree(stat);
	return ret;
}
