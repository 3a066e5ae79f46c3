/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MBX_WAIT_H
#define MBX_WAIT_H

#include <linux/errno.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <uapi/linux/mailbox.h>

#include "queue.h"

struct mbx_handle;
struct mbx_message;
struct mbx_share;
struct pid;
struct task_struct;

/**
 * DOC: wait
 *
 * A waiter is one sleeping call, on its own stack. It stands in a list of a mailbox
 * in order of arrival. Whoever has something for it takes it off the list, says so
 * in the waiter and wakes it, all under the mailbox lock:
 *
 *	sleeper				waker
 *
 *	lock
 *	nothing there: add waiter
 *	set TASK_INTERRUPTIBLE
 *	unlock
 *					lock
 *					done = true
 *	schedule()			wake_up_process()
 *					unlock
 *	lock
 *	done: take it
 *
 * The state is set before the lock is dropped. A waker that comes between that and
 * schedule() makes the sleeper runnable again, and schedule() returns at once.
 * The sleeper looks, and leaves, only under the lock, so its stack and its task are
 * there for as long as the waker holds the lock.
 */

/* A deadline that never comes. */
#define MBX_FOREVER U64_MAX

#define MBX_WAIT_FLAGS (MAILBOX_NONBLOCK | MAILBOX_DEADLINE)

/**
 * mbx_wait_answer() - what a call with MAILBOX_NO_RESTART returns
 * @ret: what the wait has ended with
 * @no_restart: it has that flag
 *
 * As msgrcv(2) does: when a handler has run, EINTR, however it was installed; where none
 * has, since the signal only stopped the process and let it go on, the call starts again.
 *
 * Return: @ret, or -ERESTARTNOHAND.
 */
static inline s64 mbx_wait_answer(s64 ret, bool no_restart)
{
	return ret == -ERESTARTSYS && no_restart ? -ERESTARTNOHAND : ret;
}

/**
 * mbx_wait_said() - the error of a wait as a program is told it
 * @error: what the wait has ended with
 *
 * Where it is written down: the call itself does not start again.
 *
 * Return: a negative errno of the interface, or 0.
 */
static inline int mbx_wait_said(int error)
{
	return error == -ERESTARTSYS || error == -ERESTARTNOHAND ? -EINTR : error;
}

/**
 * struct mbx_patience - what a batch says of its entries
 * @deadline: how long to wait: CLOCK_MONOTONIC ns, or MBX_FOREVER
 * @entry_size: bytes of each; none may reach into the next one
 * @nonblock: do not wait
 */
struct mbx_patience {
	u64 deadline;
	u32 entry_size;
	bool nonblock;
};

/**
 * enum mbx_leasing - what a receiver takes under a lease
 * @MBX_LEASE_NONE: nothing
 * @MBX_LEASE_ANY: whatever it gets
 * @MBX_LEASE_CALLS: calls, to answer them
 */
enum mbx_leasing {
	MBX_LEASE_NONE,
	MBX_LEASE_ANY,
	MBX_LEASE_CALLS,
};

/**
 * struct mbx_waiter - one sleeping call
 * @link: place in a list of the mailbox; empty once it was taken off
 * @handle: through which it waits; NULL while nobody shall end the wait for that
 * @task: who sleeps; constant
 * @select: receivers: what it waits for; constant
 * @message: receivers: the message handed over; senders: the one to be let in
 * @share: senders: of the user that sends it; constant
 * @holder: claimants: the process that gets the right to receive; constant
 * @stream: receivers: a reader of bytes; constant
 * @lease: receivers: what it takes under a lease; constant
 * @peer: receivers: the process whose end ends the wait, or NULL; constant
 * @waiting: how many wait as this one does, itself included until it is finished
 * @turn: senders in line: which came first; constant
 * @sequence: senders: number of the message once it is in, or received
 * @result: what the call returns
 * @done: @result is valid
 *
 * All guarded by the mailbox lock.
 */
struct mbx_waiter {
	struct list_head link;
	struct mbx_handle *handle;
	struct task_struct *task;
	struct mbx_select select;
	struct mbx_message *message;
	struct mbx_share *share;
	const void *holder;
	struct pid *peer;
	u32 *waiting;
	u64 turn;
	u64 sequence;
	int result;
	enum mbx_leasing lease : 8;
	bool done;
	bool stream;
};

void mbx_waiter_init_locked(struct mbx_waiter *waiter, struct list_head *line, u32 *waiting,
			    struct mbx_handle *handle);
void mbx_waiter_init_alone(struct mbx_waiter *waiter, u32 *waiting);
void mbx_waiter_finish_locked(struct mbx_waiter *waiter, int result);
void mbx_waiter_finish_sync_locked(struct mbx_waiter *waiter, int result);
void mbx_waiters_stir_locked(struct list_head *waiters);
int mbx_waiter_sleep(struct mbx_waiter *waiter, spinlock_t *lock, u64 deadline);
int mbx_wait_answer_send(const u64 __user *sequence);

#endif /* MBX_WAIT_H */
