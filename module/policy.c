// SPDX-License-Identifier: GPL-2.0-only
#include <linux/fs.h>
#include <linux/poll.h>
#include <linux/sched.h>

#include "handle.h"
#include "ioctl.h"
#include "line.h"
#include "mailbox.h"
#include "policy.h"
#include "wait.h"

/* Where @holder stands, or may stand, or NULL. */
static const void **place_locked(struct mbx_box *box, const void *holder)
{
	const int nr = box->policy == MAILBOX_POLICY_PAIR ? 2 : 1;
	int i;

	for (i = 0; i < nr; i++)
		if (box->holders[i] == holder)
			return &box->holders[i];
	return NULL;
}

/**
 * mbx_policy_member_locked() - may a process receive?
 * @box: a mailbox that is not for any, its lock held
 * @holder: the process
 * Return: true if it may, or might if it tried now.
 */
bool mbx_policy_member_locked(const struct mbx_box *box, const void *holder)
{
	struct mbx_box *any = (struct mbx_box *)box;

	return place_locked(any, holder) || place_locked(any, NULL);
}

static bool join_locked(struct mbx_box *box, const void *holder)
{
	const void **place = place_locked(box, holder) ?: place_locked(box, NULL);

	if (!place)
		return false;
	if (*place == holder)
		return true;
	*place = holder;
	if (box->policy == MAILBOX_POLICY_PAIR && box->holders[0] && box->holders[1]) {
		box->was_pair = true;
		mbx_box_set_room_locked(box);
		mbx_box_wake_pollers_locked(box, EPOLLOUT | EPOLLWRNORM);
	}
	return true;
}

/* Those who wait for a message look at the mailbox again. */
static void stir_receivers_locked(struct list_head *waiters)
{
	struct mbx_waiter *waiter, *next;

	list_for_each_entry_safe(waiter, next, waiters, link)
		mbx_waiter_finish_locked(waiter, 1);
}

static void leave_locked(struct mbx_box *box, const void *holder)
{
	const void **place = place_locked(box, holder);
	struct mbx_waiter *next;

	if (!place)
		return;
	*place = NULL;
	stir_receivers_locked(&box->receivers);
	stir_receivers_locked(&box->peekers);
	if (box->policy == MAILBOX_POLICY_PAIR) {
		mbx_box_set_room_locked(box);
		mbx_look_again_locked(box);
		/* All of them: also those who are to be woken one at a time for a message. */
		wake_up_interruptible_all(&box->poll);
		return;
	}
	next = list_first_entry_or_null(&box->claimants, struct mbx_waiter, link);
	if (next) {
		*place = next->holder;
		mbx_waiter_finish_locked(next, 0);
	}
	mbx_box_wake_pollers_locked(box, EPOLLIN | EPOLLRDNORM);
}

/**
 * mbx_policy_leave() - a descriptor was taken out of a table
 * @box: what it was for
 * @holder: the table
 *
 * Context: Process context, may sleep.
 */
void mbx_policy_leave(struct mbx_box *box, void *holder)
{
	if (box->policy == MAILBOX_POLICY_ANY || mbx_handle_held(holder, box))
		return;
	spin_lock(&box->lock);
	leave_locked(box, holder);
	spin_unlock(&box->lock);
}

/**
 * mbx_policy_open() - may the current process open a mailbox?
 * @box: the mailbox
 * Return: 0 or -EBUSY. If the handle does not come to be, mbx_policy_leave() undoes it.
 */
int mbx_policy_open(struct mbx_box *box)
{
	bool joined;

	if (box->policy != MAILBOX_POLICY_PAIR)
		return 0;
	spin_lock(&box->lock);
	joined = join_locked(box, current->files);
	spin_unlock(&box->lock);
	return joined ? 0 : -EBUSY;
}

/*
 * Another thread may have closed the descriptor since the call began; then nobody would
 * tell us that this process leaves.
 */
static int check_held(struct mbx_box *box)
{
	if (mbx_handle_held(current->files, box))
		return 0;
	mbx_policy_leave(box, current->files);
	return -EPERM;
}

/* As one of a pair, which a process may become by trying. */
static int use_pair(struct mbx_box *box)
{
	bool was, is;

	spin_lock(&box->lock);
	was = place_locked(box, current->files);
	is = was || join_locked(box, current->files);
	spin_unlock(&box->lock);
	if (!is)
		return -EPERM;
	return was ? 0 : check_held(box);
}

/**
 * mbx_policy_send() - may the current process send?
 * @handle: through this
 * Return: 0 or -EPERM.
 */
int mbx_policy_send(struct mbx_handle *handle)
{
	return handle->box->policy == MAILBOX_POLICY_PAIR ? use_pair(handle->box) : 0;
}

/* Get the right to receive, or wait for it. */
static int claim(struct mbx_box *box, u64 deadline, bool nonblock)
{
	struct mbx_waiter waiter;
	int ret = 0;

	spin_lock(&box->lock);
	if (box->closed) {
		ret = -EIDRM;
	} else if (box->holders[0] == current->files) {
		spin_unlock(&box->lock);
		return 0;
	} else if (!join_locked(box, current->files)) {
		if (nonblock) {
			ret = -EBUSY;
		} else {
			mbx_waiter_init_locked(&waiter, &box->claimants, &box->nr_receivers);
			waiter.holder = current->files;
			ret = mbx_waiter_sleep(&waiter, &box->lock, deadline);
		}
	}
	spin_unlock(&box->lock);
	return ret ?: check_held(box);
}

/**
 * mbx_policy_receive() - may the current process receive?
 * @handle: through this
 * @deadline: how long to wait for the right, CLOCK_MONOTONIC ns, or MBX_FOREVER
 * @nonblock: do not wait
 *
 * Context: Process context, may sleep.
 * Return: 0; -EPERM; -EBUSY; -EIDRM; -ETIMEDOUT; -ERESTARTSYS.
 */
int mbx_policy_receive(struct mbx_handle *handle, u64 deadline, bool nonblock)
{
	switch (handle->box->policy) {
	case MAILBOX_POLICY_PAIR:
		return use_pair(handle->box);
	case MAILBOX_POLICY_ONE:
		return claim(handle->box, deadline, nonblock);
	default:
		return 0;
	}
}

/**
 * mbx_policy_yield() - MAILBOX_IOC_YIELD
 * @file: a handle
 * @call: the call
 * Return: 0; -EOPNOTSUPP; -EACCES; -EINVAL; -EPERM; -EIDRM.
 */
int mbx_policy_yield(struct file *file, struct mbx_call *call)
{
	struct mbx_handle *handle = file->private_data;
	struct mbx_box *box = handle->box;
	int ret = 0;

	if (call->yield.flags)
		return -EOPNOTSUPP;
	if (!(handle->rights & MAILBOX_RIGHT_RECEIVE))
		return -EACCES;
	if (box->policy != MAILBOX_POLICY_ONE)
		return -EINVAL;
	spin_lock(&box->lock);
	if (box->closed)
		ret = -EIDRM;
	else if (box->holders[0] != current->files)
		ret = -EPERM;
	else
		leave_locked(box, current->files);
	spin_unlock(&box->lock);
	return ret;
}
