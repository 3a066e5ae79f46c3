// SPDX-License-Identifier: GPL-2.0-only
#include <linux/fdtable.h>
#include <linux/fs.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/sched.h>

#include "answer.h"
#include "handle.h"
#include "ioctl.h"
#include "line.h"
#include "mailbox.h"
#include "policy.h"
#include "wait.h"

/* How often a process that seems to leave is looked at. */
#define LEAVE_TRIES 8

/* Whether processes have places at it that others then have not. */
static bool has_places(const struct mbx_box *box)
{
	return box->policy == MAILBOX_POLICY_PAIR || box->policy == MAILBOX_POLICY_ONE;
}

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
 * @box: a mailbox that has places, its lock held
 * @holder: the process
 * Return: true if it may, or might if it tried now.
 */
bool mbx_policy_member_locked(const struct mbx_box *box, const void *holder)
{
	struct mbx_box *any = (struct mbx_box *)box;

	return place_locked(any, holder) || place_locked(any, NULL);
}

/**
 * mbx_policy_holds_locked() - does the current process have its place, or the right?
 * @box: a mailbox, its lock held
 *
 * Between mbx_policy_receive() and the mailbox lock another thread may have given it up.
 *
 * Return: true if so, and where any process may receive.
 */
bool mbx_policy_holds_locked(struct mbx_box *box)
{
	lockdep_assert_held(&box->lock);
	return !has_places(box) || place_locked(box, current->files);
}

/**
 * mbx_policy_sends_locked() - may the current process still send?
 * @box: a mailbox, its lock held
 *
 * While its message was copied, after mbx_policy_send(), another thread may have given its
 * place up, and another process may have it.
 *
 * Return: true if so; also where the mailbox is closed, which says more.
 */
bool mbx_policy_sends_locked(struct mbx_box *box)
{
	return box->policy != MAILBOX_POLICY_PAIR || box->closed || mbx_policy_holds_locked(box);
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

/* Those of a process that wait for the right: it has it, or has left. */
static void release_claimants_locked(struct mbx_box *box, const void *holder)
{
	struct mbx_waiter *waiter, *next;

	list_for_each_entry_safe(waiter, next, &box->claimants, link)
		if (waiter->holder == holder)
			mbx_waiter_finish_locked(waiter, 0);
}

/* To the process that has waited longest, and so to all of its threads that wait. */
static void pass_on_locked(struct mbx_box *box, const void **place)
{
	struct mbx_waiter *first =
		list_first_entry_or_null(&box->claimants, struct mbx_waiter, link);

	if (!first)
		return;
	*place = first->holder;
	release_claimants_locked(box, *place);
}

static void leave_locked(struct mbx_box *box, const void *holder)
{
	const void **place = place_locked(box, holder);

	if (!place) {
		release_claimants_locked(box, holder);
		return;
	}
	*place = NULL;
	mbx_waiters_stir_locked(&box->receivers);
	mbx_waiters_stir_locked(&box->peekers);
	if (box->policy == MAILBOX_POLICY_PAIR) {
		/* The next two are a new pair. */
		if (!box->holders[0] && !box->holders[1])
			box->was_pair = false;
		mbx_box_set_room_locked(box);
		mbx_look_again_locked(box);
		/* All of them: also those who are to be woken one at a time for a message. */
		wake_up_interruptible_all(&box->poll);
		return;
	}
	pass_on_locked(box, place);
	mbx_box_wake_pollers_locked(box, EPOLLIN | EPOLLRDNORM);
}

static void leave_unless_held(struct mbx_box *box, struct files_struct *holder)
{
	int tries;
	bool left;
	u64 opens;

	lockdep_assert_held(&box->leaving);
	/*
	 * Another thread may open the mailbox while we look: then once more. Should it do so
	 * all the time, the process joins again when it sends or receives.
	 */
	for (tries = 1, left = false; !left; tries++) {
		spin_lock(&box->lock);
		opens = box->opens;
		spin_unlock(&box->lock);
		if (mbx_handle_held(holder, box, NULL))
			return;
		spin_lock(&box->lock);
		left = box->opens == opens || tries == LEAVE_TRIES;
		if (left)
			leave_locked(box, holder);
		spin_unlock(&box->lock);
	}
	mbx_answer_end_unheard(box);
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
	if (!has_places(box))
		return;
	mutex_lock(&box->leaving);
	leave_unless_held(box, holder);
	mutex_unlock(&box->leaving);
}

/**
 * mbx_policy_revoked() - handles were revoked: who has no others leaves
 * @box: the mailbox
 *
 * The tables of others are there to be looked at. A process with a place has a descriptor,
 * or is in a call that looks for one at its end; so before its table goes the kernel tells us
 * that a descriptor does, or that call finds none, and both wait in mbx_policy_leave() until
 * we are done.
 *
 * A process that has no descriptor at all is in the middle of an OPEN, and stays.
 *
 * Context: Process context, may sleep.
 */
void mbx_policy_revoked(struct mbx_box *box)
{
	struct files_struct *holder;
	int i;

	if (!has_places(box))
		return;
	mutex_lock(&box->leaving);
	for (i = 0; i < ARRAY_SIZE(box->holders); i++) {
		spin_lock(&box->lock);
		holder = (struct files_struct *)box->holders[i];
		spin_unlock(&box->lock);
		if (holder && mbx_handle_has_revoked(holder, box))
			leave_unless_held(box, holder);
	}
	mutex_unlock(&box->leaving);
}

/**
 * mbx_policy_open() - the current process opens a mailbox
 * @box: the mailbox
 * @handle: what it gets, for certain: join, since others see that at once. NULL: only look
 *	whether there is room
 * Return: 0 or -EBUSY.
 */
int mbx_policy_open(struct mbx_box *box, const struct mbx_handle *handle)
{
	const void *self = current->files;
	bool may;

	if (box->policy != MAILBOX_POLICY_PAIR)
		return 0;
	spin_lock(&box->lock);
	/* Derived and revoked already, it is no reason to join any more. */
	may = handle && !handle->revoked ? join_locked(box, self) :
					   mbx_policy_member_locked(box, self);
	spin_unlock(&box->lock);
	return may ? 0 : -EBUSY;
}

/* Why a process that has no handle may not: through what it had. */
static int reason(const struct mbx_handle *handle)
{
	return handle && READ_ONCE(handle->revoked) ? -EACCES : -EPERM;
}

/*
 * Another thread may have closed the descriptor since the call began; then nobody would
 * tell us that this process leaves.
 */
static int check_held(struct mbx_box *box, const struct mbx_handle *handle)
{
	if (mbx_handle_held(current->files, box, NULL))
		return 0;
	mbx_policy_leave(box, current->files);
	return reason(handle);
}

/*
 * Return: 0 for a process that has joined; 1 for one that may try to; -EACCES; -EIDRM; -EPERM
 * for one that has left: it shall not join for a moment, which others would see.
 */
static int look(struct mbx_box *box, const struct mbx_handle *handle)
{
	bool closed, joined, revoked;

	spin_lock(&box->lock);
	revoked = handle && handle->revoked;
	closed = box->closed;
	joined = place_locked(box, current->files);
	spin_unlock(&box->lock);
	if (revoked)
		return -EACCES;
	if (closed)
		return -EIDRM;
	if (joined)
		return 0;
	return mbx_handle_held(current->files, box, NULL) ? 1 : reason(handle);
}

/* As one of a pair, which a process may become by trying. */
static int use_pair(struct mbx_box *box, const struct mbx_handle *handle)
{
	int ret = look(box, handle);

	if (ret <= 0)
		return ret;
	spin_lock(&box->lock);
	/* Who revokes it looks after that for those who have joined. */
	if (handle && handle->revoked)
		ret = -EACCES;
	else
		ret = join_locked(box, current->files) ? 0 : -EPERM;
	spin_unlock(&box->lock);
	return ret ?: check_held(box, handle);
}

/**
 * mbx_policy_opened() - a handle has got its descriptor
 * @box: the mailbox, with a reference
 *
 * Another thread may have closed what was the last descriptor until then, and so have
 * made this process leave. And what it has got may be revoked already.
 */
void mbx_policy_opened(struct mbx_box *box)
{
	if (!has_places(box))
		return;
	spin_lock(&box->lock);
	box->opens++;
	spin_unlock(&box->lock);
	if (box->policy == MAILBOX_POLICY_PAIR && !use_pair(box, NULL))
		check_held(box, NULL);
}

/**
 * mbx_policy_send() - may the current process send?
 * @handle: through this
 * Return: 0; -EACCES; -EPERM; -EIDRM.
 */
int mbx_policy_send(struct mbx_handle *handle)
{
	return handle->box->policy == MAILBOX_POLICY_PAIR ? use_pair(handle->box, handle) : 0;
}

/* Get the right to receive, or wait for it. */
static int claim(struct mbx_handle *handle, u64 deadline, bool nonblock)
{
	struct mbx_box *box = handle->box;
	int ret = look(box, handle);
	struct mbx_waiter waiter;

	if (ret <= 0)
		return ret;
	spin_lock(&box->lock);
	ret = mbx_handle_refused_locked(handle);
	if (!ret && !join_locked(box, current->files)) {
		if (nonblock) {
			ret = -EBUSY;
		} else {
			mbx_waiter_init_locked(&waiter, &box->claimants, &box->nr_receivers,
					       handle);
			waiter.holder = current->files;
			ret = mbx_waiter_sleep(&waiter, &box->lock, deadline);
		}
	}
	spin_unlock(&box->lock);
	return ret ?: check_held(box, handle);
}

/**
 * mbx_policy_receive() - may the current process receive?
 * @handle: through this
 * @deadline: how long to wait for the right, CLOCK_MONOTONIC ns, or MBX_FOREVER
 * @nonblock: do not wait
 *
 * Context: Process context, may sleep.
 * Return: 0; -EACCES; -EPERM; -EBUSY; -EIDRM; -ETIMEDOUT; -ERESTARTSYS.
 */
int mbx_policy_receive(struct mbx_handle *handle, u64 deadline, bool nonblock)
{
	switch (handle->box->policy) {
	case MAILBOX_POLICY_PAIR:
		return use_pair(handle->box, handle);
	case MAILBOX_POLICY_ONE:
		return claim(handle, deadline, nonblock);
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
