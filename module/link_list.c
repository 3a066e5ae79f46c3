// SPDX-License-Identifier: GPL-2.0-only
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/user_namespace.h>

#include "device.h"
#include "direct.h"
#include "directory.h"
#include "domain.h"
#include "expire.h"
#include "inbox.h"
#include "ioctl.h"
#include "link.h"
#include "list.h"
#include "mailbox.h"
#include "peer.h"
#include "queue.h"

/* How many links that the caller may not see are passed over in one go. */
#define LIST_STEP 256

/* The overflow user where it is not mapped, and none once it was reaped. */
static u32 uid_of(struct pid *process)
{
	struct task_struct *task;
	u32 uid = (u32)-1;

	rcu_read_lock();
	task = pid_task(process, PIDTYPE_TGID);
	if (task)
		uid = from_kuid_munged(current_user_ns(), __task_cred(task)->euid);
	rcu_read_unlock();
	return uid;
}

/* May it be listed for the sake of this process? */
static bool shows(const struct mbx_link_side *side)
{
	struct pid *process = side->inbox->process;

	return process == task_tgid(current) || (pid_vnr(process) && !mbx_link_may_signal(process));
}

/* Return: the side that comes first in the list, or NULL. */
static const struct mbx_link_side *shown_side(struct mbx_link *link)
{
	int i = link->sides[1].inbox->process == task_tgid(current);

	/* Also where the inbox has not yet been told. */
	if (mbx_peer_has_ended(link->sides[0].inbox->process) ||
	    mbx_peer_has_ended(link->sides[1].inbox->process))
		return NULL;
	if (shows(&link->sides[i]))
		return &link->sides[i];
	return shows(&link->sides[!i]) ? &link->sides[!i] : NULL;
}

/* How many messages of one side wait at the other: no more than an inbox holds. */
static u64 count_unread(const struct mbx_link_side *from)
{
	struct mbx_box *box = mbx_link_other(from)->inbox->box;
	u64 nr;

	mbx_box_lock_fresh(box);
	nr = mbx_queue_count_sender(&box->queue, (unsigned long)from->inbox->process);
	spin_unlock(&box->lock);
	return nr;
}

static void describe(const struct mbx_link_side *side, struct mailbox_link *entry)
{
	const struct mbx_link_side *other = mbx_link_other(side);

	*entry = (struct mailbox_link){
		.pid = pid_vnr(side->inbox->process),
		.uid = uid_of(side->inbox->process),
		.peer = pid_vnr(other->inbox->process),
		.peer_uid = uid_of(other->inbox->process),
		.number = side->link->number,
		.sent = atomic64_read(&side->sent),
		.received = atomic64_read(&other->sent),
		.unread = count_unread(other),
		.peer_unread = count_unread(side),
		.created = side->link->created,
	};
}

/* See struct mbx_list. */
static int list_next(void *of, u64 *after, void *entry)
{
	struct mbx_directory *directory = of;
	const struct mbx_link_side *side = NULL;
	struct mbx_link *link;
	int ret = -EAGAIN, steps;

	mutex_lock(&directory->lock);
	if (directory->ended)
		ret = -EIDRM;
	for (steps = 0; ret == -EAGAIN && !side && steps < LIST_STEP; steps++) {
		link = mbx_link_next_locked(directory, *after);
		if (!link) {
			ret = 0;
			break;
		}
		*after = link->number;
		side = shown_side(link);
	}
	if (side) {
		describe(side, entry);
		ret = 1;
	}
	mutex_unlock(&directory->lock);
	return ret;
}

static u32 count_ended(struct mbx_inbox *own)
{
	u32 ended;

	spin_lock(&own->box->lock);
	ended = own->ended;
	spin_unlock(&own->box->lock);
	return ended;
}

/* A list that begins now would not have these any more. */
static void see_ended(struct mbx_inbox *own, u32 ended)
{
	spin_lock(&own->box->lock);
	own->ended_seen = ended;
	spin_unlock(&own->box->lock);
}

/**
 * mbx_direct_links() - MAILBOX_IOC_LINKS
 * @file: the device
 * @call: the call
 * Return: 0 or a negative errno as struct mailbox_links lists them.
 */
int mbx_direct_links(struct file *file, struct mbx_call *call)
{
	struct mbx_domain *domain = mbx_device_domain(file);
	struct mailbox_links *req = &call->links;
	struct mailbox_link entry;
	struct mbx_list list = {
		.next = list_next,
		.of = &domain->directory,
		.entry = &entry,
		.known = sizeof(entry),
		.entries = req->entries,
		.entry_size = req->entry_size,
		.nr = req->nr,
		.after = req->after,
	};
	struct mbx_inbox *own;
	u32 ended;
	int ret;

	if (req->flags)
		return -EOPNOTSUPP;
	if (req->entry_size < sizeof(struct mailbox_link) || req->entry_size > PAGE_SIZE)
		return -EINVAL;

	own = req->after ? NULL : mbx_inbox_find(domain, task_tgid(current));
	ended = own ? count_ended(own) : 0;
	ret = mbx_list_fill(&list);
	if (!ret) {
		req->nr = list.nr;
		req->after = list.after;
		ret = mbx_call_reply(call, sizeof(*req));
	}
	if (own) {
		if (!ret)
			see_ended(own, ended);
		mbx_inbox_put(own);
	}
	return ret;
}
