/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MBX_BROADCAST_H
#define MBX_BROADCAST_H

#include <linux/rbtree.h>
#include <linux/types.h>

struct mbx_box;
struct mbx_message;
struct mbx_select;
struct mbx_share;

/**
 * DOC: broadcast
 *
 * A message of a broadcast mailbox is in the queue once. Each handle that may receive is a
 * *subscriber* with a *cursor*, the number of the message that it is to get next. All
 * numbers of the mailbox are used, and all messages have the same priority, so that one
 * tells of any message who has got it, and what a subscriber has missed is a difference.
 *
 * Nobody needs a message once all cursors are past it. The subscribers stand in order of
 * their cursors, so the least is at hand, and what is before it goes (mbx_broadcast_tidy()).
 * Those that are to be cut off stand apart: a sender that overwrites a message finds them
 * without passing over the others, which it need not touch.
 *
 * A receive copies a message that stays where it is, as a peek does, and then moves the
 * cursor on: see mbx_broadcast_got_locked().
 */

/**
 * struct mbx_subscriber - what a handle has got of a broadcast
 * @node: place among the subscribers of the mailbox, while @joined
 * @cursor: number of the message that it is to get next
 * @missed: how many it has missed before that and was not told of yet
 * @cut_off: it is cut off when it is too slow; constant once joined
 * @joined: it is to get messages: neither closed nor cut off
 *
 * All but @cut_off guarded by the mailbox lock.
 */
struct mbx_subscriber {
	struct rb_node node;
	u64 cursor;
	u64 missed;
	bool cut_off;
	bool joined;
};

void mbx_broadcast_join_locked(struct mbx_box *box, struct mbx_subscriber *subscriber);
void mbx_broadcast_leave_locked(struct mbx_box *box, struct mbx_subscriber *subscriber);
void mbx_broadcast_tidy(struct mbx_box *box);
s64 mbx_broadcast_send(struct mbx_box *box, struct mbx_message *msg, struct mbx_share *share);
struct mbx_message *mbx_broadcast_find_locked(const struct mbx_box *box,
					      const struct mbx_subscriber *subscriber,
					      const struct mbx_select *select);
u64 mbx_broadcast_missed_locked(const struct mbx_box *box, const struct mbx_subscriber *subscriber,
				const struct mbx_message *msg, u64 index);
int mbx_broadcast_got_locked(struct mbx_box *box, struct mbx_subscriber *subscriber,
			     struct mbx_message *msg, u64 cursor, bool told,
			     struct mbx_message **spent);

#endif /* MBX_BROADCAST_H */
