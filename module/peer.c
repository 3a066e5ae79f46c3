// SPDX-License-Identifier: GPL-2.0-only
#include <linux/err.h>
#include <linux/limits.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "mailbox.h"
#include "peer.h"

/* How many senders are looked at before the lock is given up for a moment. */
#define SENDERS_STEP 64

/**
 * mbx_peer_has_ended() - has a process ended?
 * @peer: the process
 *
 * A process has ended when it was reaped, and when its last thread has exited: the
 * rule of a pidfd, whose wait queue tells when that happens.
 *
 * Return: true if so, or if it never was a process.
 */
bool mbx_peer_has_ended(struct pid *peer)
{
	struct task_struct *task;
	bool ended;

	rcu_read_lock();
	task = pid_task(peer, PIDTYPE_TGID);
	/* Written by the exiting task without a lock we could take. */
	ended = !task || (READ_ONCE(task->exit_state) && thread_group_empty(task));
	rcu_read_unlock();
	return ended;
}

/*
 * A process that was reaped has no number any more, but its messages know the one it
 * had. Looks at each sender in the queue once, in steps.
 */
static struct pid *find_reaped_sender(struct mbx_box *box, pid_t nr)
{
	struct pid *found = NULL;
	unsigned long after = 0;
	struct mbx_message *msg;
	int steps = 0;

	spin_lock(&box->lock);
	while (!found) {
		msg = mbx_message_of(mbx_queue_next_sender(&box->queue, after));
		if (!msg)
			break;
		after = msg->entry.sender;
		if (pid_vnr(msg->process) == nr)
			found = get_pid(msg->process);
		if (++steps % SENDERS_STEP == 0) {
			spin_unlock(&box->lock);
			cond_resched();
			spin_lock(&box->lock);
		}
	}
	spin_unlock(&box->lock);
	return found;
}

/**
 * mbx_peer_find() - the process that a receiver means by a number
 * @box: the mailbox that may have messages from it
 * @nr: as the current process sees it
 *
 * Context: Process context, may sleep.
 * Return: the process, with a reference; or ERR_PTR: -EINVAL, -ESRCH, -EIDRM.
 */
struct pid *mbx_peer_find(struct mbx_box *box, u64 nr)
{
	struct pid *peer;

	if (!nr || nr > INT_MAX)
		return ERR_PTR(-EINVAL);
	peer = find_get_pid(nr);
	if (peer && !pid_has_task(peer, PIDTYPE_TGID)) {
		put_pid(peer);
		peer = NULL;
	}
	if (!peer)
		peer = find_reaped_sender(box, nr);
	if (!peer)
		return ERR_PTR(READ_ONCE(box->closed) ? -EIDRM : -ESRCH);
	return peer;
}
