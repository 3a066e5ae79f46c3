/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MBX_LOAN_H
#define MBX_LOAN_H

#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/types.h>

#include "message.h"
#include "piece.h"
#include "quota.h"

struct file;
struct mailbox_receive;
struct mailbox_send;
struct mbx_box;
struct mbx_call;
struct mbx_handle;

/**
 * DOC: loan
 *
 * Who holds which piece of a region. A piece that is lent has a record, and one loan for each
 * that holds it: a handle, or a message on its way. That is one, which goes from hand to hand;
 * only of a broadcast each receiver has one of its own. With the last of them the piece is free.
 * All of it is memory of the kernel; the region is neither read nor written.
 *
 * A message has a loan from when its sender has filled it until it is dropped, which gives the
 * piece back under the lock, or received, which makes it the loan of the receiver's handle. Who
 * copies a message has been told of the loan, but does not have it yet: the number is chosen
 * before, and taken when the message is.
 *
 * Those who wait for a piece stand in line. Whoever gives one back takes another for the first
 * of them, and hands it over, see DOC: wait; one that is longer than what is free holds up all
 * behind it. Nobody is served by more than a few at a time: each goes on with the next.
 *
 * A mailbox keeps a few records of pieces that are free again, with their charge, so that a
 * message touches no counter that another mailbox touches.
 */

/**
 * struct mbx_loan - what somebody holds of a piece
 * @node: place among the loans of the mailbox, by @handle and @number, while a handle holds it
 * @handle: that holds it; of a message on its way in, through which it is sent; else of no
 *	meaning
 * @number: never used twice in a mailbox
 * @lent: the piece
 * @length: of a message: bytes of payload
 *
 * All guarded by the mailbox lock.
 */
struct mbx_loan {
	struct rb_node node;
	struct mbx_handle *handle;
	u64 number;
	struct mbx_lent *lent;
	u32 length;
};

/**
 * struct mbx_lent - a piece that is lent
 * @piece: the piece, while there are @loans
 * @first: the loan that was made with it
 * @charge: who borrowed it pays for this record; owner only
 * @next: in the list of those that are kept
 * @length: bytes that were asked for; 0 before anything was lent
 * @loans: how many hold it
 *
 * All but @charge guarded by the mailbox lock.
 */
struct mbx_lent {
	struct mbx_piece piece;
	struct mbx_loan first;
	struct mbx_charge charge;
	struct mbx_lent *next;
	u32 length;
	u32 loans;
};

/**
 * struct mbx_copy - one more loan of a piece, of a receiver of a broadcast
 * @loan: the loan
 * @charge: the receiver pays
 */
struct mbx_copy {
	struct mbx_loan loan;
	struct mbx_charge charge;
};

/**
 * struct mbx_loans - what is lent of the region of a mailbox
 * @pieces: which bytes
 * @held: loans that handles have
 * @waiters: who waits for a piece, oldest first
 * @nr_waiters: how many
 * @last: number of the last loan
 * @kept: records kept for reuse
 * @nr_kept: how many
 *
 * All guarded by the mailbox lock.
 */
struct mbx_loans {
	struct mbx_pieces pieces;
	struct rb_root held;
	struct list_head waiters;
	u32 nr_waiters;
	u32 nr_kept;
	u64 last;
	struct mbx_lent *kept;
};

/**
 * struct mbx_lending - a send with a loan, while the call lasts
 * @arg: where it is told of the new loan
 * @handle: through which it sends
 * @number: of the loan
 * @length: bytes of payload
 * @borrow: bytes to borrow then, or 0
 * @next: the record for that, or NULL
 */
struct mbx_lending {
	struct mailbox_send __user *arg;
	struct mbx_handle *handle;
	u64 number;
	u32 length;
	u32 borrow;
	struct mbx_lent *next;
};

/**
 * struct mbx_taking - a receive that takes loans, while the call lasts
 * @arg: where it is told of the loan
 * @handle: through which it receives
 * @give_back: number of a loan that ends then, or 0
 * @ends: that loan, while the lock is held under which it was found
 * @copy: of a broadcast, the record for it, or NULL
 * @number: of the loan that the message is to be; 0 for none
 * @offset: of its piece
 * @length: bytes of payload
 *
 * What the message decides is written anew for each that is tried.
 */
struct mbx_taking {
	struct mailbox_receive __user *arg;
	struct mbx_handle *handle;
	u64 give_back;
	struct mbx_loan *ends;
	struct mbx_copy *copy;
	u64 number;
	u64 offset;
	u32 length;
};

void mbx_loans_init(struct mbx_loans *loans, u64 size);
bool mbx_loans_end_some_locked(struct mbx_box *box);
void mbx_loans_grow(struct mbx_box *box, u64 size);
void mbx_loans_leave(struct mbx_handle *handle);
void mbx_loans_serve_locked(struct mbx_box *box);

struct mbx_lent *mbx_lent_new(struct mbx_box *box, u32 length);
void mbx_lent_put(struct mbx_box *box, struct mbx_lent *lent);
bool mbx_lent_begin_locked(struct mbx_handle *handle, struct mbx_lent *lent, u32 length,
			   struct mbx_loan *give_back);

struct mbx_loan *mbx_loan_find_locked(struct mbx_handle *handle, u64 number);
void mbx_loan_hold_locked(struct mbx_handle *handle, struct mbx_loan *loan, u64 number);
void mbx_loan_let_go_locked(struct mbx_box *box, struct mbx_loan *loan);
void mbx_loan_end_locked(struct mbx_box *box, struct mbx_loan *loan);
void mbx_loan_drop_locked(struct mbx_box *box, struct mbx_message *msg);

int mbx_loan_lend(struct file *file, struct mbx_call *call);
int mbx_loan_return(struct file *file, struct mbx_call *call);
void mbx_loan_forget(struct mbx_handle *handle, u64 number);

int mbx_lending_begin(struct mbx_lending *lending, struct mbx_handle *handle,
		      struct mailbox_send __user *arg, u32 size, u32 length);
int mbx_lending_attach(struct mbx_lending *lending, struct mbx_message *msg);
void mbx_lending_undo_locked(struct mbx_box *box, struct mbx_message *msg);
void mbx_lending_end(struct mbx_lending *lending, bool sent);

int mbx_taking_begin(struct mbx_taking *taking, struct mbx_handle *handle,
		     struct mailbox_receive __user *arg, u32 size, bool peek);
void mbx_taking_look_locked(struct mbx_taking *taking, const struct mbx_message *msg, bool peek,
			    bool leased);
int mbx_taking_tell(const struct mbx_taking *taking);
int mbx_taking_check_locked(struct mbx_taking *taking);
void mbx_taking_commit_locked(struct mbx_taking *taking, struct mbx_message *msg);
void mbx_taking_end(struct mbx_taking *taking);

/**
 * mbx_loan_payload_locked() - how long is a message, wherever its payload is?
 * @msg: a message, the lock of its mailbox held
 * Return: bytes.
 */
static inline u32 mbx_loan_payload_locked(const struct mbx_message *msg)
{
	return unlikely(msg->state & MBX_HAS_LOAN) ? msg->loan->length : msg->length;
}

#endif /* MBX_LOAN_H */
