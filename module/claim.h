/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MBX_CLAIM_H
#define MBX_CLAIM_H

#include <linux/pid.h>
#include <linux/sched.h>

#include "mailbox.h"
#include "message.h"

struct mbx_lessee;

/**
 * DOC: claim
 *
 * A message that a receiver copies is claimed: it is in nobody's reach, and in no queue.
 * The claim ends when the message is received, or put under a lease, or returned, all of it or
 * what a reader of bytes has left.
 */

void mbx_claim_commit_locked(struct mbx_box *box, struct mbx_message *msg,
			     struct mbx_message **spent);
void mbx_claim_part_locked(struct mbx_box *box, struct mbx_message *msg, u32 part,
			   struct mbx_message **spent);
int mbx_claim_lease_locked(struct mbx_box *box, struct mbx_message *msg,
			   const struct mbx_lessee *lessee, struct mbx_message **spent);
void mbx_claim_undo_locked(struct mbx_box *box, struct mbx_message *msg,
			   struct mbx_message **spent);

/**
 * mbx_claim_taken_back() - does a message that somebody has claimed not exist any more?
 * @msg: the message
 *
 * At a rendezvous, has the sender given up, or was it sent away? Then the message
 * stands in no book, and its sender has dropped it or is about to.
 *
 * Return: true if so.
 */
static __always_inline bool mbx_claim_taken_back(const struct mbx_message *msg)
{
	return !msg->sender && !(msg->state & MBX_COUNTED);
}

/**
 * mbx_note_receiver_locked() - current is the last receiver
 * @box: the mailbox, its lock held
 * @msg: the message that it got
 */
static __always_inline void mbx_note_receiver_locked(struct mbx_box *box,
						     const struct mbx_message *msg)
{
	struct pid *self = task_tgid(current);

	mbx_box_received_now_locked(box, msg);
	if (unlikely(box->last_receiver != self)) {
		put_pid(box->last_receiver);
		box->last_receiver = get_pid(self);
	}
}

#endif /* MBX_CLAIM_H */
