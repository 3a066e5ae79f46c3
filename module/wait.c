// SPDX-License-Identifier: GPL-2.0-only
#include <linux/hrtimer.h>
#include <linux/minmax.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/stddef.h>
#include <linux/uaccess.h>
#include <linux/wait.h>
#include <uapi/linux/mailbox.h>

#include "peer.h"
#include "wait.h"

/**
 * mbx_waiter_init_locked() - make a waiter for the current task and put it in line
 * @waiter: the waiter
 * @line: where it stands
 * @waiting: counts those who wait
 * @handle: through which it waits
 *
 * Context: The mailbox lock is held.
 */
void mbx_waiter_init_locked(struct mbx_waiter *waiter, struct list_head *line, u32 *waiting,
			    struct mbx_handle *handle)
{
	/* What else there is, is set by those who wait as it says: struct mbx_waiter. */
	waiter->handle = handle;
	waiter->task = current;
	waiter->message = NULL;
	waiter->peer = NULL;
	waiter->waiting = waiting;
	waiter->lease = MBX_LEASE_NONE;
	waiter->done = false;
	waiter->stream = false;
	list_add_tail(&waiter->link, line);
	++*waiting;
}

/**
 * mbx_waiter_init_alone() - make a waiter for the current task that stands nowhere yet
 * @waiter: the waiter, which only those can finish to whom it is shown
 * @waiting: counts those who wait
 */
void mbx_waiter_init_alone(struct mbx_waiter *waiter, u32 *waiting)
{
	*waiter = (struct mbx_waiter){ .task = current, .waiting = waiting };
	INIT_LIST_HEAD(&waiter->link);
	++*waiting;
}

static __always_inline void finish_locked(struct mbx_waiter *waiter, int result)
{
	list_del_init(&waiter->link);
	--*waiter->waiting;
	waiter->result = result;
	waiter->done = true;
}

/**
 * mbx_waiter_finish_locked() - end a wait
 * @waiter: one that sleeps, or is about to
 * @result: what it has waited for: 0 or a negative errno
 *
 * Context: The mailbox lock is held. Does not sleep.
 */
void mbx_waiter_finish_locked(struct mbx_waiter *waiter, int result)
{
	finish_locked(waiter, result);
	wake_up_process(waiter->task);
}

/**
 * mbx_waiter_finish_sync_locked() - end a wait where current is about to wait itself
 * @waiter: one that sleeps, or is about to
 * @result: what it has waited for: 0 or a negative errno
 *
 * The scheduler is told, so that it need not look for another processor. Only wait queues
 * know how to say that: so there is one for as long as it takes, with one in it.
 *
 * One that runs, or is about to, looks at the waiter under the lock before it sleeps again:
 * see DOC: wait.
 *
 * Context: The mailbox lock is held. Does not sleep.
 */
void mbx_waiter_finish_sync_locked(struct mbx_waiter *waiter, int result)
{
	DECLARE_WAITQUEUE(sleeper, waiter->task);
	DECLARE_WAIT_QUEUE_HEAD_ONSTACK(queue);

	finish_locked(waiter, result);
	if (task_is_running(waiter->task))
		return;
	__add_wait_queue(&queue, &sleeper);
	__wake_up_sync_key(&queue, TASK_NORMAL, NULL);
}

/**
 * mbx_waiters_stir_locked() - have those who wait for a message look again
 * @waiters: receivers, or peekers, of a mailbox
 *
 * Context: The mailbox lock is held. Does not sleep.
 */
void mbx_waiters_stir_locked(struct list_head *waiters)
{
	struct mbx_waiter *waiter, *next;

	list_for_each_entry_safe(waiter, next, waiters, link)
		mbx_waiter_finish_locked(waiter, 1);
}

static int sleep_locked(struct mbx_waiter *waiter, spinlock_t *lock, u64 deadline) __must_hold(lock)
{
	ktime_t until = min_t(u64, deadline, KTIME_MAX);
	bool late = false;

	for (;;) {
		/* Before the looks below, so that what happens after them wakes us. */
		set_current_state(TASK_INTERRUPTIBLE);
		if (waiter->done)
			return waiter->result;
		if (waiter->peer && mbx_peer_has_ended(waiter->peer))
			return -ESRCH;
		if (signal_pending(current))
			return -ERESTARTSYS;
		if (late)
			return -ETIMEDOUT;
		spin_unlock(lock);
		late = !schedule_hrtimeout_range(deadline == MBX_FOREVER ? NULL : &until,
						 current->timer_slack_ns, HRTIMER_MODE_ABS);
		spin_lock(lock);
	}
}

/**
 * mbx_waiter_sleep() - sleep until somebody finishes the waiter
 * @waiter: in a list of the mailbox
 * @lock: the mailbox lock, held; dropped while sleeping
 * @deadline: when to give up, CLOCK_MONOTONIC ns; MBX_FOREVER: never
 *
 * On return the waiter is in no list.
 *
 * Context: Process context, sleeps.
 * Return: the result that the waker gave; -ERESTARTSYS on a signal; -ETIMEDOUT;
 * -ESRCH when the peer has ended.
 */
int mbx_waiter_sleep(struct mbx_waiter *waiter, spinlock_t *lock, u64 deadline) __must_hold(lock)
{
	DECLARE_WAITQUEUE(on_exit, current);
	int ret;

	lockdep_assert_held(lock);
	if (waiter->peer)
		add_wait_queue(&waiter->peer->wait_pidfd, &on_exit);
	ret = sleep_locked(waiter, lock, deadline);
	__set_current_state(TASK_RUNNING);
	if (waiter->peer)
		remove_wait_queue(&waiter->peer->wait_pidfd, &on_exit);
	if (!waiter->done) {
		list_del_init(&waiter->link);
		--*waiter->waiting;
	}
	return ret;
}

/**
 * mbx_wait_answer_send() - what a send returns whose wait a signal has ended
 * @sequence: where its number would have gone, in its struct mailbox_send
 *
 * Its flags are asked for once more, and where they are is found from where the answer goes: so a
 * send that succeeds has to remember neither.
 *
 * Context: Process context, may sleep.
 * Return: see mbx_wait_answer().
 */
int mbx_wait_answer_send(const u64 __user *sequence)
{
	const struct mailbox_send __user *arg =
		(const void __user *)sequence - offsetof(struct mailbox_send, sequence);
	u32 flags;

	return mbx_wait_answer(-ERESTARTSYS,
			       get_user(flags, &arg->flags) || flags & MAILBOX_NO_RESTART);
}
