/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MBX_SEND_H
#define MBX_SEND_H

#include <linux/types.h>

struct mbx_handle;

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
 * @deadline: CLOCK_MONOTONIC ns, or MBX_FOREVER
 * @expiry: CLOCK_MONOTONIC ns; meant only when @expires
 * @length: bytes at @data
 * @priority: see struct mailbox_send
 * @expires: the message has an expiry
 * @nonblock: do not wait
 */
struct mbx_send_args {
	const void __user *data;
	u64 type;
	u64 deadline;
	u64 expiry;
	u32 length;
	u32 priority;
	bool expires;
	bool nonblock;
};

int mbx_send(struct mbx_handle *handle, const struct mbx_send_args *args, u64 *sequence);

#endif /* MBX_SEND_H */
