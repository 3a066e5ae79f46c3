// SPDX-License-Identifier: GPL-2.0-only
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "answer.h"
#include "broadcast.h"
#include "domain.h"
#include "grant.h"
#include "handle.h"
#include "ioctl.h"
#include "lane.h"
#include "lease.h"
#include "line.h"
#include "loan.h"
#include "mailbox.h"
#include "notify.h"
#include "policy.h"
#include "wait.h"

/* How many waits are ended before the lock is given up for a moment. */
#define REVOKE_STEP 32

#define grant_of(node) rb_entry((node), struct mbx_grant, by_number)

static struct mbx_handle *handle_of(struct mbx_grant *grant)
{
	return container_of(grant, struct mbx_handle, grant);
}

static bool node_before(struct rb_node *a, const struct rb_node *b)
{
	return grant_of(a)->number < grant_of(b)->number;
}

static struct mbx_grant *find_locked(const struct mbx_box *box, u64 number)
{
	struct rb_node *node = box->grants.rb_node;

	while (node && grant_of(node)->number != number)
		node = number < grant_of(node)->number ? node->rb_left : node->rb_right;
	return node ? grant_of(node) : NULL;
}

/**
 * mbx_grant_init() - the grant of a handle that nobody has derived
 * @grant: part of a new handle, with the reference of its file
 */
void mbx_grant_init(struct mbx_grant *grant)
{
	INIT_LIST_HEAD(&grant->siblings);
	INIT_LIST_HEAD(&grant->children);
	grant->refs = 1;
}

/**
 * mbx_grant_put_locked() - give a reference back
 * @box: the mailbox, its lock held
 * @grant: part of a handle, which is freed with its last reference; so may be those
 *	that it was derived from
 */
void mbx_grant_put_locked(struct mbx_box *box, struct mbx_grant *grant)
{
	lockdep_assert_held(&box->lock);
	while (grant && !--grant->refs) {
		struct mbx_grant *parent = grant->parent;

		if (grant->number)
			rb_erase(&grant->by_number, &box->grants);
		list_del(&grant->siblings);
		kfree(handle_of(grant));
		grant = parent;
	}
}

/* The list in which it has its place. */
static struct list_head *siblings_locked(struct mbx_box *box, const struct mbx_grant *grant)
{
	return grant->parent ? &grant->parent->children : &box->tops;
}

/* From now on it is revoked whenever that which it comes from is. */
static int derive(struct mbx_handle *from, struct mbx_handle *handle)
{
	struct mbx_grant *grant = &handle->grant;
	struct mbx_box *box = from->box;
	int ret = 0;

	spin_lock(&box->lock);
	if (from->revoked) {
		ret = -EACCES;
	} else {
		grant->number = ++box->last_grant;
		grant->depth = from->grant.depth + 1;
		if (from->grant.number) {
			grant->parent = &from->grant;
			grant->parent->refs++;
		}
		list_add_tail(&grant->siblings, siblings_locked(box, grant));
		rb_add(&grant->by_number, &box->grants, node_before);
	}
	spin_unlock(&box->lock);
	return ret;
}

/* As OPEN does. */
static int count(struct mbx_box *box)
{
	int ret = 0;

	mutex_lock(&box->domain->lock);
	if (box->published) {
		refcount_inc(&box->refs);
		box->handles++;
	} else {
		ret = -EIDRM;
	}
	mutex_unlock(&box->domain->lock);
	return ret;
}

static struct file *open_derived(struct mbx_handle *from, u32 rights, u32 flags)
{
	struct mbx_box *box = from->box;
	struct file *file;
	int ret;

	ret = count(box);
	if (ret)
		return ERR_PTR(ret);
	ret = mbx_policy_open(box, NULL);
	if (ret)
		goto err_forget;
	if (from->subscriber.cut_off && (rights & MAILBOX_RIGHT_RECEIVE))
		flags |= MAILBOX_CUT_OFF;
	file = mbx_handle_open(box, rights, flags);
	if (IS_ERR(file)) {
		ret = PTR_ERR(file);
		goto err_forget;
	}
	ret = derive(from, file->private_data);
	if (!ret)
		return file;
	fput(file);
	return ERR_PTR(ret);

err_forget:
	mbx_handle_forget(box);
	return ERR_PTR(ret);
}

/**
 * mbx_grant_restrict() - MAILBOX_IOC_RESTRICT
 * @file: a handle
 * @call: the call
 * Return: 0 or a negative errno as struct mailbox_restrict lists them.
 */
int mbx_grant_restrict(struct file *file, struct mbx_call *call)
{
	struct mbx_handle *handle = file->private_data, *new;
	struct mailbox_restrict *req = &call->derive;
	struct file *derived;
	int fd;

	if (req->flags & ~(MAILBOX_NONBLOCK | MAILBOX_STREAM))
		return -EOPNOTSUPP;
	if (!mbx_rights_are_valid(req->rights))
		return -EINVAL;
	if (req->rights & ~handle->rights)
		return -EACCES;
	if ((req->flags & MAILBOX_STREAM) && handle->box->policy == MAILBOX_POLICY_BROADCAST)
		return -EINVAL;
	if (handle->grant.depth >= MAILBOX_DERIVE_MAX)
		return -EMLINK;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	derived = open_derived(handle, req->rights, req->flags);
	if (IS_ERR(derived)) {
		put_unused_fd(fd);
		return PTR_ERR(derived);
	}
	new = derived->private_data;
	req->fd = fd;
	req->grant = new->grant.number;
	return mbx_handle_give(derived, fd, call, sizeof(*req));
}

/* Return: true when there may be more. */
static bool end_some_locked(struct mbx_box *box, struct list_head *waiters)
{
	struct mbx_waiter *waiter, *next;
	int nr = 0;

	list_for_each_entry_safe(waiter, next, waiters, link) {
		if (!waiter->handle->revoked)
			continue;
		if (nr++ == REVOKE_STEP)
			return true;
		mbx_line_dismiss_locked(box, waiter, -EACCES);
	}
	return false;
}

/*
 * Of all handles that are revoked by now. None begins any more: who wants to wait looks at
 * @revoked under the same lock.
 */
static void end_waits(struct mbx_box *box)
{
	bool more;

	do {
		spin_lock(&box->lock);
		more = end_some_locked(box, &box->receivers);
		more |= end_some_locked(box, &box->peekers);
		more |= end_some_locked(box, &box->claimants);
		more |= end_some_locked(box, &box->senders);
		more |= end_some_locked(box, &box->meetings);
		more |= end_some_locked(box, &box->answered);
		more |= end_some_locked(box, &box->loans.waiters);
		spin_unlock(&box->lock);
		cond_resched();
	} while (more);
}

/* Nothing begins through it any more, and nothing is derived from it. */
static void refuse(struct mbx_handle *handle)
{
	struct mbx_box *box = handle->box;

	spin_lock(&box->lock);
	/* Without the lock it is read by each call that begins: see is_refused() in ioctl.c. */
	WRITE_ONCE(handle->revoked, true);
	/* And this by send_said() and receive_first(), so that they go the long way. */
	WRITE_ONCE(handle->usual, 0);
	spin_unlock(&box->lock);
	cond_resched();
}

/*
 * Ends what has begun through a handle that is refused. It may have been closed already, or be
 * closed just now: then this does nothing. The mailbox is there as long as the handle of the
 * caller is.
 */
static void revoke(struct mbx_handle *handle)
{
	struct mbx_box *box = handle->box;
	struct mbx_notify *notify;

	spin_lock(&box->lock);
	mbx_handle_discount_locked(handle);
	notify = mbx_notify_take_locked(handle);
	spin_unlock(&box->lock);

	if (box->policy == MAILBOX_POLICY_BROADCAST)
		mbx_broadcast_tidy(box);
	mbx_notify_hang_up(notify);
	/* Before its leases end: what comes back is not for those who wait through it. */
	end_waits(box);
	mbx_lease_leave(handle, NULL);
	mbx_lane_leave(handle);
	mbx_loans_leave(handle);
	if (handle->rights & MAILBOX_RIGHT_RECEIVE)
		mbx_answer_end_unheard(box);
}

/*
 * The next of @top and what comes from it, or of all where that is NULL: whatever was derived
 * from others, after these.
 */
static struct mbx_grant *next_locked(struct mbx_box *box, const struct mbx_grant *top,
				     struct mbx_grant *grant)
{
	if (!list_empty(&grant->children))
		return list_first_entry(&grant->children, struct mbx_grant, siblings);
	while (grant != top) {
		if (!list_is_last(&grant->siblings, siblings_locked(box, grant)))
			return list_next_entry(grant, siblings);
		grant = grant->parent;
	}
	return NULL;
}

/*
 * One after the other, with the lock dropped in between. The one we are at stays in its
 * place; nothing is derived any more from those behind us, and what is derived from one
 * ahead of us we come to. But of those that come from handles that were opened, to none after
 * @last: who makes them as fast as they are revoked would keep us for ever.
 */
static void walk(struct mbx_box *box, const struct mbx_grant *top, struct mbx_grant *grant,
		 u64 last, void (*step)(struct mbx_handle *handle))
{
	struct mbx_grant *next;

	while (grant) {
		step(handle_of(grant));
		spin_lock(&box->lock);
		next = next_locked(box, top, grant);
		if (next && !next->parent && next->number > last)
			next = NULL;
		if (next)
			next->refs++;
		mbx_grant_put_locked(box, grant);
		spin_unlock(&box->lock);
		grant = next;
	}
}

/**
 * mbx_grant_revoke() - MAILBOX_IOC_REVOKE
 * @file: a handle
 * @call: the call
 * Return: 0; -EOPNOTSUPP; -EINVAL; -EACCES; -ENOENT; -EIDRM.
 */
int mbx_grant_revoke(struct file *file, struct mbx_call *call)
{
	struct mbx_handle *handle = file->private_data;
	struct mbx_box *box = handle->box;
	const bool all = call->revoke.flags & MAILBOX_REVOKE_ALL;
	struct mbx_grant *first = NULL;
	u64 last;
	int ret;

	if (call->revoke.flags & ~MAILBOX_REVOKE_ALL)
		return -EOPNOTSUPP;
	if (all && call->revoke.grant)
		return -EINVAL;
	if (!(handle->rights & MAILBOX_RIGHT_MANAGE))
		return -EACCES;

	spin_lock(&box->lock);
	/* Of two that revoke each other, one is the first. */
	ret = mbx_handle_refused_locked(handle);
	if (!ret) {
		first = all ? list_first_entry_or_null(&box->tops, struct mbx_grant, siblings) :
			      find_locked(box, call->revoke.grant);
		/* One reference for each walk. */
		if (first)
			first->refs += 2;
		else if (!all)
			ret = -ENOENT;
	}
	last = box->last_grant;
	spin_unlock(&box->lock);
	if (ret)
		return ret;

	/* All of them first: what goes back from one is not for those who wait through another. */
	walk(box, all ? NULL : first, first, last, refuse);
	walk(box, all ? NULL : first, first, last, revoke);
	mbx_policy_revoked(box);
	spin_lock(&box->lock);
	/* Those who poll others, and their eventfds, are not told: nothing happened there. */
	mbx_box_wake_all_pollers_locked(box, EPOLLHUP | EPOLLERR);
	spin_unlock(&box->lock);
	return 0;
}
