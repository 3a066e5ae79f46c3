// SPDX-License-Identifier: GPL-2.0-only
#include <linux/bits.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/hrtimer.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "handle.h"
#include "ioctl.h"
#include "lane.h"
#include "mailbox.h"
#include "wait.h"

/*
 * Sleep and wake-up, here for the receiver; the sender sleeps likewise, for room, with tail in
 * place of head:
 *
 *	receiver (in the kernel)	sender (in its program)
 *
 *	join the wait queue
 *	receiver_sleeps = 1
 *	full barrier
 *	look at head, and at tail
 *					head += length
 *					full barrier
 *					look at receiver_sleeps
 *	schedule()			LANE_WAKE: receiver_sleeps = 0
 *					wake up the wait queue
 *
 * Of two that each store first and then load, with a full barrier in between, one sees what the
 * other has stored, at least: the receiver does not go to sleep, or the sender wakes it. Without
 * the barriers each load could come before its own store.
 *
 * Several threads may sleep, or poll, for one side, and LANE_WAKE is for all of them: who has
 * been woken says again that it sleeps, before it looks. It clears the words before it wakes, so
 * whose word it has cleared is in the wait queue, and is woken. Nobody else clears them: the one
 * who ends a wait does not know of the others.
 */

static bool is_ready(const struct mbx_lane *lane)
{
	return (lane->ended & MAILBOX_LANE_SENDER_GONE) || !mbx_lane_is_empty(lane);
}

/* All lanes, or only one. */
static void say_receiver_sleeps_locked(struct mbx_lanes *lanes, u64 number)
{
	struct mbx_lane *lane;
	int i;

	lockdep_assert_held(&lanes->lock);
	for (i = 0; i < MAILBOX_LANES_MAX; i++) {
		lane = lanes->places[i];
		if (lane && (!number || lane->number == number))
			WRITE_ONCE(lane->state->receiver_sleeps, 1);
	}
	/* Pairs with that of a sender between head and receiver_sleeps, see above. */
	smp_mb();
}

static int look_receiver_locked(const struct mbx_handle *handle, struct mbx_lanes *lanes,
				struct mailbox_lane_wait *req, u64 known, bool sleeps)
{
	struct mbx_lane *lane;
	int i;

	lockdep_assert_held(&lanes->lock);
	if (lanes->receiver != handle)
		return mbx_lane_missing(handle);
	if (req->lane && !mbx_lane_find_locked(lanes, req->lane))
		return -ENOENT;
	if (sleeps)
		say_receiver_sleeps_locked(lanes, req->lane);
	req->ready = 0;
	for (i = 0; i < MAILBOX_LANES_MAX; i++) {
		lane = lanes->places[i];
		if (lane && lane->told && (!req->lane || lane->number == req->lane) &&
		    is_ready(lane))
			req->ready |= BIT_ULL(i);
	}
	req->opened = lanes->opened;
	return req->ready || req->opened != known ? 0 : -EAGAIN;
}

static int look_sender_locked(const struct mbx_handle *handle, struct mbx_lanes *lanes,
			      struct mailbox_lane_wait *req, bool sleeps)
{
	struct mbx_lane *lane = mbx_lane_own_locked(handle, lanes, req->lane);
	u64 used;

	lockdep_assert_held(&lanes->lock);
	if (IS_ERR(lane))
		return PTR_ERR(lane);
	if (req->room > lane->bytes)
		return -EINVAL;
	if (lane->ended)
		return -EPIPE;
	if (sleeps) {
		WRITE_ONCE(lane->state->sender_sleeps, 1);
		/* Pairs with that of the receiver between tail and sender_sleeps, see above. */
		smp_mb();
	}
	req->ready = BIT_ULL(lane->place);
	used = READ_ONCE(lane->producer->head) - READ_ONCE(lane->consumer->tail);
	/* Who waits at a lane that is broken waits no more, and sees for itself. */
	return used > lane->bytes || req->room <= lane->bytes - used ? 0 : -EAGAIN;
}

static int look(const struct mbx_handle *handle, struct mbx_lanes *lanes,
		struct mailbox_lane_wait *req, u64 known, bool sleeps)
{
	int ret;

	spin_lock(&lanes->lock);
	if (req->flags & MAILBOX_LANE_RECEIVE)
		ret = look_receiver_locked(handle, lanes, req, known, sleeps);
	else
		ret = look_sender_locked(handle, lanes, req, sleeps);
	spin_unlock(&lanes->lock);
	return ret;
}

static int sleep(const struct mbx_handle *handle, struct mbx_lanes *lanes,
		 struct wait_queue_head *sleepers, struct mailbox_lane_wait *req, u64 known)
{
	const u64 deadline = req->flags & MAILBOX_DEADLINE ? req->deadline : MBX_FOREVER;
	ktime_t until = min_t(u64, deadline, KTIME_MAX);
	bool late = false;
	DEFINE_WAIT(wait);
	int ret;

	for (;;) {
		/* Before the look, so that what happens after it wakes us. */
		prepare_to_wait(sleepers, &wait, TASK_INTERRUPTIBLE);
		/* Who has been woken for something does not say that it sleeps again. */
		ret = look(handle, lanes, req, known, false);
		if (ret == -EAGAIN)
			ret = look(handle, lanes, req, known, true);
		if (ret != -EAGAIN)
			break;
		ret = -ERESTARTSYS;
		if (signal_pending(current))
			break;
		ret = -ETIMEDOUT;
		if (late)
			break;
		late = !schedule_hrtimeout_range(deadline == MBX_FOREVER ? NULL : &until,
						 current->timer_slack_ns, HRTIMER_MODE_ABS);
	}
	finish_wait(sleepers, &wait);
	return ret;
}

/* The lane of the handle, with a reference, for the time that its sender sleeps there. */
static struct mbx_lane *own_get(const struct mbx_handle *handle, struct mbx_lanes *lanes,
				u64 number)
{
	struct mbx_lane *lane;

	spin_lock(&lanes->lock);
	lane = mbx_lane_own_locked(handle, lanes, number);
	if (!IS_ERR(lane))
		refcount_inc(&lane->refs);
	spin_unlock(&lanes->lock);
	return lane;
}

static int wait(const struct mbx_handle *handle, struct mbx_lanes *lanes,
		struct mailbox_lane_wait *req, bool nonblock)
{
	const u64 known = req->opened;
	struct mbx_lane *lane;
	int ret;

	ret = look(handle, lanes, req, known, false);
	if (ret != -EAGAIN || nonblock)
		return ret;
	if (req->flags & MAILBOX_LANE_RECEIVE)
		return sleep(handle, lanes, &lanes->sleepers, req, known);

	lane = own_get(handle, lanes, req->lane);
	if (IS_ERR(lane))
		return PTR_ERR(lane);
	/* This one, should another thread close it and make another meanwhile. */
	req->lane = lane->number;
	ret = sleep(handle, lanes, &lane->sleepers, req, known);
	mbx_lane_put(lane);
	return ret;
}

/**
 * mbx_lane_wait() - MAILBOX_IOC_LANE_WAIT
 * @file: a handle
 * @call: the call
 * Return: 0 or a negative errno as struct mailbox_lane_wait lists them; -ERESTARTSYS on a signal.
 */
int mbx_lane_wait(struct file *file, struct mbx_call *call)
{
	const u32 known = MAILBOX_LANE_RECEIVE | MBX_WAIT_FLAGS;
	struct mailbox_lane_wait *req = &call->lane_wait;
	struct mbx_handle *handle = file->private_data;
	struct mbx_lanes *lanes = mbx_lanes_of(handle->box);
	const u64 lane = req->lane;
	bool nonblock;
	int ret;

	if (req->flags & ~known)
		return -EOPNOTSUPP;
	if (req->flags & MAILBOX_LANE_RECEIVE ? req->room : req->opened)
		return -EINVAL;
	if (!lanes)
		return mbx_lane_missing(handle);
	nonblock = (req->flags & MAILBOX_NONBLOCK) || (file->f_flags & O_NONBLOCK);
	ret = wait(handle, lanes, req, nonblock);
	req->lane = lane;
	return ret ?: mbx_call_reply(call, sizeof(*req));
}

/**
 * mbx_lane_wake_receiver_locked() - have the receiver look at its lanes
 * @box: the mailbox
 * @lanes: its lanes, locked
 */
void mbx_lane_wake_receiver_locked(struct mbx_box *box, struct mbx_lanes *lanes)
{
	struct mbx_lane *lane;
	int i;

	lockdep_assert_held(&lanes->lock);
	/* Of all lanes, or each of the other senders would wake it once more. */
	for (i = 0; i < MAILBOX_LANES_MAX; i++) {
		lane = lanes->places[i];
		if (lane)
			WRITE_ONCE(lane->state->receiver_sleeps, 0);
	}
	wake_up_all(&lanes->sleepers);
	/* All who poll: which of them polls the one handle that is the receiver cannot be told. */
	if (wq_has_sleeper(&box->poll))
		__wake_up(&box->poll, TASK_INTERRUPTIBLE, 0, poll_to_key(EPOLLIN | EPOLLRDNORM));
}

/**
 * mbx_lane_wake_sender_locked() - have the sender of a lane look at it
 * @lane: the lane; the lanes are locked
 */
void mbx_lane_wake_sender_locked(struct mbx_lane *lane)
{
	WRITE_ONCE(lane->state->sender_sleeps, 0);
	wake_up_all(&lane->sleepers);
}

/**
 * mbx_lane_wake() - MAILBOX_IOC_LANE_WAKE
 * @file: a handle
 * @call: the call
 * Return: 0; -EOPNOTSUPP; -EACCES; -ENOENT; -EIDRM.
 */
int mbx_lane_wake(struct file *file, struct mbx_call *call)
{
	const struct mailbox_lane_wake *req = &call->lane_wake;
	struct mbx_handle *handle = file->private_data;
	struct mbx_lanes *lanes = mbx_lanes_of(handle->box);
	struct mbx_lane *lane;
	int ret = 0;

	if (req->flags & ~MAILBOX_LANE_RECEIVE)
		return -EOPNOTSUPP;
	if (!lanes)
		return mbx_lane_missing(handle);
	spin_lock(&lanes->lock);
	if (!(req->flags & MAILBOX_LANE_RECEIVE)) {
		lane = mbx_lane_own_locked(handle, lanes, req->lane);
		if (IS_ERR(lane))
			ret = PTR_ERR(lane);
		else
			mbx_lane_wake_receiver_locked(handle->box, lanes);
	} else if (lanes->receiver != handle) {
		ret = mbx_lane_missing(handle);
	} else {
		lane = mbx_lane_find_locked(lanes, req->lane);
		if (lane)
			mbx_lane_wake_sender_locked(lane);
		else
			ret = -ENOENT;
	}
	spin_unlock(&lanes->lock);
	return ret;
}

/**
 * mbx_lane_poll() - what poll(2) has to say of lanes
 * @handle: the handle; who polls is in the wait queue of its mailbox
 * Return: EPOLLIN and its like, or 0.
 */
__poll_t mbx_lane_poll(const struct mbx_handle *handle)
{
	struct mbx_lanes *lanes = mbx_lanes_of(handle->box);
	bool ready = false;
	int i;

	if (!lanes)
		return 0;
	spin_lock(&lanes->lock);
	if (lanes->receiver == handle) {
		/* Ready or not: an epoll set may be told of what changes, and of nothing else. */
		say_receiver_sleeps_locked(lanes, 0);
		for (i = 0; i < MAILBOX_LANES_MAX && !ready; i++)
			ready = lanes->places[i] && is_ready(lanes->places[i]);
	}
	spin_unlock(&lanes->lock);
	return ready ? EPOLLIN | EPOLLRDNORM : 0;
}
