/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MBX_RECEIPT_H
#define MBX_RECEIPT_H

#include <linux/types.h>
#include <uapi/linux/mailbox.h>

#include "mailbox.h"
#include "message.h"
#include "spent.h"
#include "wait.h"

struct file;
struct mbx_answer;
struct mbx_handle;

/**
 * DOC: receipt
 *
 * A receipt is a message that tells a sender how another message ended. It is made, and
 * paid for, before that one is sent, and hangs on it until then: so an end allocates
 * nothing and cannot fail. Where it goes to a mailbox, its room there is *promised*: it is
 * counted as if it were there, and whoever ends the message never waits for room.
 *
 * Who ends a message holds the lock of its mailbox. There the receipt is filled in and
 * joins the messages that are to be freed when the lock has been dropped. To free such a
 * one is to deliver it (mbx_spent_free()): no two mailbox locks are ever held at once, and
 * as the delivery of a receipt ends no other message, it goes no deeper. A sender that
 * waits is told under the lock instead, as all waiters are.
 */

/**
 * struct mbx_receipt - the receipt that a send asks for, while the call lasts
 * @file: handle on the mailbox that gets it, with a reference; NULL when the sender waits
 * @data: where the sender that waits wants it, in user memory
 * @size: bytes there
 * @cookie: see struct mailbox_send
 * @message: the receipt; it belongs to the call as long as the message is not sent, and
 *	again when the sender that waits has been told
 * @waiter: of the sender that waits; its message is the one sent, or NULL while that is
 *	on its way to the dead letters
 * @waiting: 1 until it has been told
 * @caller: where it is a call: what it belongs to, which is told instead, see answer.h. Then
 *	only this, @waiter and @waiting count; else NULL
 */
struct mbx_receipt {
	struct file *file;
	struct mailbox_receipt __user *data;
	u32 size;
	u64 cookie;
	struct mbx_message *message;
	struct mbx_waiter waiter;
	u32 waiting;
	struct mbx_answer *caller;
};

int mbx_receipt_ask(struct mbx_receipt *receipt, const struct mailbox_send __user *arg, u32 flags);
void mbx_receipt_put(struct mbx_receipt *receipt);
int mbx_receipt_attach(struct mbx_receipt *receipt, struct mbx_box *box, struct mbx_message *msg,
		       struct mbx_user *user);
void mbx_receipt_undo(struct mbx_receipt *receipt);
int mbx_receipt_wait(struct mbx_receipt *receipt, struct mbx_handle *handle, u64 deadline);

void mbx_receipt_fill_locked(const struct mbx_box *box, struct mbx_message *msg, u32 end,
			     struct mbx_message **spent);
void mbx_receipt_taken_locked(const struct mbx_message *msg);
void mbx_receipt_set_apart_locked(const struct mbx_box *box, struct mbx_message *msg);
void mbx_receipt_tell_locked(struct mbx_message *receipt, u32 end, struct mbx_message **spent);
void mbx_receipt_free(struct mbx_message *receipt);

/**
 * mbx_receipt_fulfil_locked() - a receipt arrives, or will not
 * @to: the mailbox where its room is promised, the lock held
 * @receipt: the receipt
 */
static inline void mbx_receipt_fulfil_locked(struct mbx_box *to, const struct mbx_message *receipt)
{
	lockdep_assert_held(&to->lock);
	to->promised--;
	to->promised_bytes -= receipt->length;
}

/**
 * mbx_receipt_detach() - take the receipt off a message
 * @msg: the message; the lock of its mailbox is held, or it is nobody else's
 * Return: the receipt, or NULL.
 */
static inline struct mbx_message *mbx_receipt_detach(struct mbx_message *msg)
{
	struct mbx_message *receipt;

	if (!(msg->state & MBX_ANSWERED))
		return NULL;
	receipt = msg->receipt;
	msg->receipt = NULL;
	msg->state &= ~(MBX_ANSWERED | MBX_IS_CALL);
	return receipt;
}

/**
 * mbx_receipt_end_locked() - a message ends
 * @box: its mailbox, the lock held
 * @msg: the message
 * @end: one of enum mailbox_end; where somebody took it, current did
 * @spent: list to which its receipt is added, for mbx_spent_free()
 */
static inline void mbx_receipt_end_locked(const struct mbx_box *box, struct mbx_message *msg,
					  u32 end, struct mbx_message **spent)
{
	lockdep_assert_held(&box->lock);
	if (unlikely(msg->state & MBX_ANSWERED))
		mbx_receipt_fill_locked(box, msg, end, spent);
}

#endif /* MBX_RECEIPT_H */
