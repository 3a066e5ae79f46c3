/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MBX_LINE_H
#define MBX_LINE_H

#include <linux/types.h>

#include "queue.h"

struct mbx_box;
struct mbx_message;
struct mbx_share;
struct mbx_waiter;

/**
 * DOC: line
 *
 * Senders whose messages have no room stand in line, on their own stacks. Whoever frees
 * room publishes the messages for them, in the order the senders came.
 *
 * No message in the line is one that a waiting receiver wants: a sender looks at the
 * receivers before it gets in line, and a receiver looks at the line before it waits.
 * What it finds there it takes as at a rendezvous: the message stays the sender's own,
 * and uncounted, until it has been received; then the sender is done. If the receive
 * fails, the sender is back in its old place.
 */

/* A result of mbx_line_wait() that is no errno. */
#define MBX_LOOK_AGAIN 1

int mbx_line_wait(struct mbx_box *box, struct mbx_message *msg, struct mbx_share *share,
		  u64 deadline, u64 *sequence);
struct mbx_waiter *mbx_line_find_locked(struct mbx_box *box, const struct mbx_select *select);
void mbx_line_take_locked(struct mbx_box *box, struct mbx_waiter *sender);
void mbx_line_return_locked(struct mbx_box *box, struct mbx_message *msg);
bool mbx_may_enter_locked(const struct mbx_box *box, const struct mbx_share *share, u32 length);
void mbx_look_again_locked(struct mbx_box *box);
void mbx_room_freed_locked(struct mbx_box *box);

#endif /* MBX_LINE_H */
