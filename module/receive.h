/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MBX_RECEIVE_H
#define MBX_RECEIVE_H

#include <linux/types.h>

#include "queue.h"
#include "wait.h"

struct file;
struct mailbox_receive;
struct mbx_delivery;
struct mbx_handle;
struct mbx_message;
struct mbx_patience;
struct mbx_taking;
struct pid;

/**
 * DOC: receive
 *
 * A receive claims a message under the lock, copies it out without, and commits
 * under the lock again: only then is it gone. A claimed message is in nobody's way
 * and in nobody's reach. If the copy fails, or the receiver is being killed, the
 * message goes back to its old place in the order, or to the next one who waits.
 * With a lease the message is not gone after that but among the leases, see lease.h.
 * A peek copies without claiming; a message that is meanwhile taken stays in memory
 * until the last peeker is done. A broadcast is copied like that too, see broadcast.h.
 */

/**
 * struct mbx_receive_extras - what few receives want, and each of it perhaps not
 * @delivery: where files go, or NULL
 * @taking: what becomes of loans, or NULL
 */
struct mbx_receive_extras {
	struct mbx_delivery *delivery;
	struct mbx_taking *taking;
};

/**
 * struct mbx_receive_args - a receive, its values not yet checked
 * @data: where the payload goes in user memory
 * @report: where everything else goes in user memory, or NULL
 * @select: which message; senders by their pid
 * @peer: the sender, where it is known by more than its pid; else NULL
 * @deadline: CLOCK_MONOTONIC ns, or MBX_FOREVER
 * @room: bytes at @data
 * @peek: leave the message
 * @truncate: cut it if it is too long
 * @nonblock: do not wait
 * @lease: what to take under a lease
 * @ask_missed: of a broadcast, say in @report how many were missed
 * @lease_time: nanoseconds, 0 for no limit
 * @extras: what else is wanted, or NULL
 */
struct mbx_receive_args {
	void __user *data;
	struct mailbox_receive __user *report;
	struct mbx_select select;
	struct pid *peer;
	u64 deadline;
	u32 room;
	bool peek;
	bool truncate;
	bool nonblock;
	bool ask_missed;
	enum mbx_leasing lease;
	u64 lease_time;
	struct mbx_receive_extras *extras;
};

long mbx_receive_user(struct file *file, struct mailbox_receive __user *arg);
long mbx_receive_entry(struct file *file, struct mailbox_receive __user *arg,
		       const struct mbx_patience *patience);
int mbx_receive_copy(const struct mbx_message *msg, struct mailbox_receive __user *report,
		     u8 __user *data, u32 offset, u32 copied, u32 result);
int mbx_receive(struct mbx_handle *handle, const struct mbx_receive_args *args, u32 *copied);

#endif /* MBX_RECEIVE_H */
