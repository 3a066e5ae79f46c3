/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MBX_SEND_H
#define MBX_SEND_H

#include <linux/types.h>

#include "wait.h"

struct file;
struct mailbox_send;
struct mbx_box;
struct mbx_handle;
struct mbx_message;
struct mbx_receipt;
struct mbx_share;
struct mbx_user;

/**
 * DOC: send
 *
 * A send builds its message first, without a lock, and then enters the mailbox: the
 * message is delivered, or its sender stands in line for room, or waits at a
 * rendezvous for a receiver.
 */

/**
 * struct mbx_send_args - a send, its values not yet checked
 * @data: payload in user memory
 * @type: see struct mailbox_send
 * @expiry: CLOCK_MONOTONIC ns, or 0 when it does not expire
 * @deadline: CLOCK_MONOTONIC ns, or MBX_FOREVER
 * @length: bytes at @data
 * @priority: see struct mailbox_send
 * @nonblock: do not wait
 */
struct mbx_send_args {
	const void __user *data;
	u64 type;
	u64 expiry;
	u64 deadline;
	u32 length;
	u32 priority;
	bool nonblock;
};

long mbx_send_user(struct file *file, struct mailbox_send __user *arg);
long mbx_send_entry(struct file *file, struct mailbox_send __user *arg,
		    const struct mbx_patience *patience);
int mbx_send(struct file *file, const struct mbx_send_args *args);
s64 mbx_send_call(struct file *file, const struct mbx_send_args *args, struct mbx_receipt *receipt);
s64 mbx_send_direct(struct mbx_handle *handle, struct mbx_share *share,
		    const struct mbx_send_args *args);
struct mbx_message *mbx_send_find(struct mbx_box *box, struct mbx_user *user, u32 length,
				  struct mbx_message *spare);

#endif /* MBX_SEND_H */
