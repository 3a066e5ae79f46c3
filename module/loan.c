// SPDX-License-Identifier: GPL-2.0-only
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/lockdep.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "handle.h"
#include "loan.h"
#include "mailbox.h"

/* How many loans are ended before the lock is given up for a moment. */
#define LOAN_STEP 32

/* Records that a mailbox keeps for reuse. */
#define KEEP_NR 8

#define loan_of(at) rb_entry_safe(at, struct mbx_loan, node)

static bool before(const struct mbx_loan *a, const struct mbx_loan *b)
{
	return a->handle != b->handle ? a->handle < b->handle : a->number < b->number;
}

static bool node_before(struct rb_node *a, const struct rb_node *b)
{
	return before(loan_of(a), loan_of(b));
}

static int key_cmp(const void *key, const struct rb_node *at)
{
	const struct mbx_loan *loan = loan_of(at);

	return before(key, loan) ? -1 : before(loan, key);
}

static int handle_cmp(const void *handle, const struct rb_node *at)
{
	const struct mbx_handle *of = loan_of(at)->handle;

	return handle == of ? 0 : (handle < (void *)of ? -1 : 1);
}

/**
 * mbx_loans_init() - nothing is lent of a region
 * @loans: filled in
 * @size: bytes of the region
 */
void mbx_loans_init(struct mbx_loans *loans, u64 size)
{
	mbx_pieces_init(&loans->pieces, size);
	loans->held = RB_ROOT;
	INIT_LIST_HEAD(&loans->waiters);
}

/**
 * mbx_loan_find_locked() - a loan that a handle has
 * @handle: the handle, its mailbox's lock held
 * @number: of the loan
 * Return: the loan; or NULL when there is none, or it is another's.
 */
struct mbx_loan *mbx_loan_find_locked(struct mbx_handle *handle, u64 number)
{
	const struct mbx_loan key = { .handle = handle, .number = number };

	lockdep_assert_held(&handle->box->lock);
	return loan_of(rb_find(&key, &handle->box->loans.held, key_cmp));
}

/**
 * mbx_loan_hold_locked() - a handle has a loan from now on
 * @handle: the handle, not revoked; its mailbox's lock held, not closed
 * @loan: one that no handle has
 * @number: of the loan
 */
void mbx_loan_hold_locked(struct mbx_handle *handle, struct mbx_loan *loan, u64 number)
{
	loan->handle = handle;
	loan->number = number;
	rb_add(&loan->node, &handle->box->loans.held, node_before);
}

/**
 * mbx_loan_let_go_locked() - no handle has a loan any more
 * @box: the mailbox, its lock held
 * @loan: one that a handle has; it goes on
 */
void mbx_loan_let_go_locked(struct mbx_box *box, struct mbx_loan *loan)
{
	lockdep_assert_held(&box->lock);
	rb_erase(&loan->node, &box->loans.held);
}

/**
 * mbx_lent_new() - a record for a piece that is to be lent to the caller
 * @box: the mailbox
 * @length: bytes that the piece is to have
 *
 * Context: Process context, may sleep.
 * Return: the record; or ERR_PTR: -EMSGSIZE when the region is not that long, -EDQUOT, -ENOMEM.
 */
struct mbx_lent *mbx_lent_new(struct mbx_box *box, u32 length)
{
	struct mbx_loans *loans = &box->loans;
	struct mbx_lent *lent;
	int ret;

	spin_lock(&box->lock);
	if (!box->closed && length > loans->pieces.end.end) {
		spin_unlock(&box->lock);
		return ERR_PTR(-EMSGSIZE);
	}
	lent = loans->kept;
	if (lent && uid_eq(lent->charge.user->uid, current_euid())) {
		loans->kept = lent->next;
		loans->nr_kept--;
	} else {
		lent = NULL;
	}
	spin_unlock(&box->lock);
	if (lent)
		return lent;

	lent = kzalloc(sizeof(*lent), GFP_KERNEL_ACCOUNT);
	if (!lent)
		return ERR_PTR(-ENOMEM);
	ret = mbx_charge_take_own(&lent->charge, sizeof(*lent));
	if (!ret)
		return lent;
	kfree(lent);
	return ERR_PTR(ret);
}

static void lent_free(struct mbx_lent *lent)
{
	if (!lent)
		return;
	mbx_charge_drop(&lent->charge);
	kfree(lent);
}

static void keep_locked(struct mbx_box *box, struct mbx_lent *lent)
{
	struct mbx_loans *loans = &box->loans;
	struct mbx_lent *old = NULL;

	lockdep_assert_held(&box->lock);
	if (box->closed) {
		lent_free(lent);
		return;
	}
	/* Those who borrow now are more likely to borrow next. */
	if (loans->nr_kept == KEEP_NR) {
		old = loans->kept;
		loans->kept = old->next;
		loans->nr_kept--;
	}
	lent->next = loans->kept;
	loans->kept = lent;
	loans->nr_kept++;
	lent_free(old);
}

/**
 * mbx_lent_put() - undo mbx_lent_new()
 * @box: the mailbox
 * @lent: a record of which nothing was lent, or NULL
 */
void mbx_lent_put(struct mbx_box *box, struct mbx_lent *lent)
{
	if (!lent)
		return;
	/* One that was not kept before is not now: a call that fails leaves no charge. */
	if (!lent->length) {
		lent_free(lent);
		return;
	}
	spin_lock(&box->lock);
	keep_locked(box, lent);
	spin_unlock(&box->lock);
}

/* One less holds the piece. Return: its record. */
static struct mbx_lent *leave_piece_locked(struct mbx_loan *loan)
{
	struct mbx_lent *lent = loan->lent;

	lent->loans--;
	if (loan != &lent->first) {
		struct mbx_copy *copy = container_of(loan, struct mbx_copy, loan);

		mbx_charge_drop(&copy->charge);
		kfree(copy);
	}
	return lent;
}

/* A loan that no handle has. */
static void end_locked(struct mbx_box *box, struct mbx_loan *loan)
{
	struct mbx_lent *lent = leave_piece_locked(loan);

	lockdep_assert_held(&box->lock);
	if (lent->loans)
		return;
	mbx_pieces_give(&box->loans.pieces, &lent->piece);
	keep_locked(box, lent);
}

/**
 * mbx_loan_end_locked() - a handle gives a loan back
 * @box: the mailbox, its lock held; mbx_loans_serve_locked() is due
 * @loan: one that a handle has
 */
void mbx_loan_end_locked(struct mbx_box *box, struct mbx_loan *loan)
{
	mbx_loan_let_go_locked(box, loan);
	end_locked(box, loan);
}

/**
 * mbx_loan_drop_locked() - a message with a loan is no more
 * @box: the mailbox, its lock held
 * @msg: the message
 */
void mbx_loan_drop_locked(struct mbx_box *box, struct mbx_message *msg)
{
	end_locked(box, msg->loan);
	msg->loan = NULL;
	mbx_loans_serve_locked(box);
}

/**
 * mbx_lent_begin_locked() - lend a piece to a handle
 * @handle: the handle, not revoked; its mailbox's lock held, not closed
 * @lent: a record
 * @length: bytes, not 0
 * @give_back: a loan of the handle that ends if another begins, and then
 *	mbx_loans_serve_locked() is due; or NULL
 * Return: false, and nothing has changed, when there is none that long.
 */
bool mbx_lent_begin_locked(struct mbx_handle *handle, struct mbx_lent *lent, u32 length,
			   struct mbx_loan *give_back)
{
	struct mbx_box *box = handle->box;
	struct mbx_pieces *pieces = &box->loans.pieces;

	lockdep_assert_held(&box->lock);
	if (give_back && give_back->lent->loans == 1) {
		if (!mbx_pieces_swap(pieces, &lent->piece, length, &give_back->lent->piece))
			return false;
		mbx_loan_let_go_locked(box, give_back);
		keep_locked(box, leave_piece_locked(give_back));
	} else {
		if (!mbx_pieces_take(pieces, &lent->piece, length))
			return false;
		if (give_back)
			mbx_loan_end_locked(box, give_back);
	}
	lent->length = length;
	lent->loans = 1;
	lent->first.lent = lent;
	mbx_loan_hold_locked(handle, &lent->first, ++box->loans.last);
	return true;
}

/* Any loan of a handle, or NULL. */
static struct mbx_loan *find_any_locked(struct mbx_handle *handle)
{
	lockdep_assert_held(&handle->box->lock);
	return loan_of(rb_find(handle, &handle->box->loans.held, handle_cmp));
}

/**
 * mbx_loans_leave() - end all loans of a handle
 * @handle: the handle, closed or revoked
 *
 * Context: Process context, may sleep.
 */
void mbx_loans_leave(struct mbx_handle *handle)
{
	struct mbx_box *box = handle->box;
	struct mbx_loan *loan;
	int nr;

	do {
		spin_lock(&box->lock);
		for (nr = 0; nr < LOAN_STEP; nr++) {
			loan = find_any_locked(handle);
			if (!loan)
				break;
			mbx_loan_end_locked(box, loan);
		}
		mbx_loans_serve_locked(box);
		spin_unlock(&box->lock);
		cond_resched();
	} while (nr == LOAN_STEP);
}

/**
 * mbx_loans_end_some_locked() - end loans of a mailbox that has ended
 * @box: the mailbox, its lock held, closed
 * Return: true when there are more.
 */
bool mbx_loans_end_some_locked(struct mbx_box *box)
{
	struct mbx_loans *loans = &box->loans;
	int nr;

	while (loans->kept) {
		struct mbx_lent *lent = loans->kept;

		loans->kept = lent->next;
		lent_free(lent);
	}
	loans->nr_kept = 0;
	for (nr = 0; nr < LOAN_STEP && loans->held.rb_node; nr++)
		mbx_loan_end_locked(box, loan_of(loans->held.rb_node));
	return loans->held.rb_node;
}

/**
 * mbx_loans_grow() - a region has become larger, and its file is as long
 * @box: the mailbox
 * @size: bytes that it has now
 */
void mbx_loans_grow(struct mbx_box *box, u64 size)
{
	spin_lock(&box->lock);
	mbx_pieces_grow(&box->loans.pieces, size);
	mbx_loans_serve_locked(box);
	spin_unlock(&box->lock);
}
