// SPDX-License-Identifier: GPL-2.0-only
#include <linux/minmax.h>

#include "claim.h"
#include "deliver.h"
#include "handle.h"
#include "lease.h"
#include "line.h"
#include "mailbox.h"
#include "receipt.h"
#include "wait.h"

/* The sender of a message that was its own until now. */
static void release_sender_locked(struct mbx_box *box, struct mbx_message *msg)
{
	mbx_count_sent_locked(box, msg);
	/* It was stamped before others that were sent since. */
	box->last_sent = max(box->last_sent, msg->time);
	msg->sender->sequence = msg->entry.sequence;
	mbx_waiter_finish_locked(msg->sender, 0);
	msg->sender = NULL;
}

/**
 * mbx_claim_commit_locked() - a message has been received
 * @box: the mailbox, its lock held
 * @msg: the message, claimed, not taken back
 * @spent: list to which it is added when it is for the caller to free
 */
void mbx_claim_commit_locked(struct mbx_box *box, struct mbx_message *msg,
			     struct mbx_message **spent)
{
	msg->claimed = false;
	box->received++;
	mbx_note_receiver_locked(box, msg);
	if (msg->sender)
		release_sender_locked(box, msg);
	else
		mbx_box_uncount_locked(box, msg);
	/* Those in line have moved up, even where there was no room to free. */
	if (box->capacity != MAILBOX_CAPACITY_RENDEZVOUS)
		mbx_room_freed_locked(box);
	mbx_receipt_end_locked(box, msg, MAILBOX_END_RECEIVED, spent);
	mbx_box_drop_locked(box, msg, spent);
}

static void return_locked(struct mbx_box *box, struct mbx_message *msg)
{
	if (!msg->sender) {
		mbx_deliver_locked(box, msg, true);
	} else if (box->capacity == MAILBOX_CAPACITY_RENDEZVOUS) {
		mbx_deliver_locked(box, msg, true);
		/* While we had it, others were told of changes. */
		mbx_look_again_locked(box);
	} else {
		mbx_line_return_locked(box, msg);
	}
}

/**
 * mbx_claim_undo_locked() - a message has not been received after all
 * @box: the mailbox, its lock held
 * @msg: the message, claimed
 * @spent: list to which it is added when it is for the caller to free
 *
 * It goes to its old place, or to the next who waits for such a message.
 */
void mbx_claim_undo_locked(struct mbx_box *box, struct mbx_message *msg, struct mbx_message **spent)
{
	msg->claimed = false;
	if (msg->dropped) {
		mbx_box_drop_locked(box, msg, spent);
	} else if (mbx_claim_taken_back(msg)) {
		/* Its sender was woken, but has not run yet: the sender frees it. */
	} else if (!box->closed) {
		return_locked(box, msg);
	} else if (msg->sender) {
		mbx_waiter_finish_locked(msg->sender, -EIDRM);
		msg->sender = NULL;
	} else {
		mbx_receipt_end_locked(box, msg, MAILBOX_END_DESTROYED, spent);
		mbx_box_uncount_locked(box, msg);
		mbx_box_drop_locked(box, msg, spent);
	}
}

/**
 * mbx_claim_part_locked() - the first bytes of a message have been received
 * @box: the mailbox, its lock held
 * @msg: the message, claimed, not taken back
 * @part: how many bytes; it has more
 * @spent: list to which it is added when it is for the caller to free
 *
 * A sender that waits until it is received has waited enough, or it could take back what is
 * read already. Then what is left is counted, though there may be no room, as what is leased.
 */
void mbx_claim_part_locked(struct mbx_box *box, struct mbx_message *msg, u32 part,
			   struct mbx_message **spent)
{
	mbx_note_receiver_locked(box, msg);
	if (msg->sender) {
		mbx_box_count_locked(box, msg, msg->sender->share);
		release_sender_locked(box, msg);
	}
	mbx_box_shorten_locked(box, msg, part);
	mbx_claim_undo_locked(box, msg, spent);
	if (box->capacity != MAILBOX_CAPACITY_RENDEZVOUS)
		mbx_room_freed_locked(box);
}

/**
 * mbx_claim_lease_locked() - a message has been received under a lease
 * @box: the mailbox, its lock held
 * @msg: the message, claimed, not taken back; it stays, counted, among the leases
 * @lessee: who has it
 * @spent: list to which it is added when it is for the caller to free
 * Return: 0; -EACCES; -EIDRM.
 */
int mbx_claim_lease_locked(struct mbx_box *box, struct mbx_message *msg,
			   const struct mbx_lessee *lessee, struct mbx_message **spent)
{
	/* What a revoked handle had leased has gone back already, or is about to. */
	if (box->closed || lessee->handle->revoked) {
		mbx_claim_undo_locked(box, msg, spent);
		return lessee->handle->revoked ? -EACCES : -EIDRM;
	}
	mbx_note_receiver_locked(box, msg);
	mbx_receipt_taken_locked(msg);
	if (msg->sender) {
		mbx_box_count_locked(box, msg, msg->sender->share);
		release_sender_locked(box, msg);
	}
	mbx_lease_begin_locked(box, msg, lessee);
	return 0;
}
