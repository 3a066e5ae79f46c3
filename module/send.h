/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MBX_SEND_H
#define MBX_SEND_H

#include <linux/types.h>

struct mbx_box;
struct mbx_handle;
struct mbx_message;
struct mbx_share;
struct mbx_waiter;

/**
 * DOC: send
 *
 * A send builds its message first, without a lock, and then enters the mailbox: it
 * is handed to the receiver that has waited longest for such a message, or it is
 * queued, or it waits for room. The sender of a message that waits sleeps; whoever
 * frees room publishes the message for it, in the order the senders came.
 *
 * No message in that line is one that a waiting receiver wants: a sender looks at the
 * receivers before it gets in line, and a receiver looks at the line before it waits.
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
bool mbx_may_enter_locked(const struct mbx_box *box, const struct mbx_share *share, u32 length);
void mbx_deliver_locked(struct mbx_box *box, struct mbx_message *msg, bool returned);
void mbx_enter_claimed_locked(struct mbx_box *box, struct mbx_waiter *waiter);
bool mbx_may_be_received(const struct mbx_message *msg);
void mbx_look_again_locked(struct mbx_box *box);
void mbx_room_freed_locked(struct mbx_box *box);
void mbx_count_sent_locked(struct mbx_box *box, struct mbx_message *msg);

#endif /* MBX_SEND_H */
