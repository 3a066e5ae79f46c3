// SPDX-License-Identifier: GPL-2.0-only
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>

#include "expire.h"
#include "handle.h"
#include "ioctl.h"
#include "loan.h"
#include "mailbox.h"
#include "wait.h"

/* How many that wait are served by one that gives back. */
#define SERVE_STEP 32

/**
 * struct borrower - a LOAN on its way
 * @waiter: stands in line
 * @lent: the record of the piece
 * @length: bytes wanted
 * @give_back: number of the loan that ends then, or 0
 * @loan: number of the loan, once it has begun; from then on @lent may be anybody's
 * @offset: where its piece begins, likewise
 */
struct borrower {
	struct mbx_waiter waiter;
	struct mbx_lent *lent;
	u32 length;
	u64 give_back;
	u64 loan;
	u64 offset;
};

/* Return: 0; -EAGAIN when no piece is free; or what else the call fails with. */
static int borrow_locked(struct mbx_handle *handle, struct borrower *borrower, bool first)
{
	struct mbx_loan *give_back = NULL;
	int ret;

	ret = mbx_handle_refused_locked(handle);
	if (ret)
		return ret;
	if (borrower->give_back) {
		give_back = mbx_loan_find_locked(handle, borrower->give_back);
		if (!give_back)
			return -ESTALE;
	}
	/* Who gives back as much as it gets takes nothing from those who wait. */
	if (!first && !(give_back && give_back->lent->loans == 1 &&
			borrower->length <= give_back->lent->length))
		return -EAGAIN;
	if (!mbx_lent_begin_locked(handle, borrower->lent, borrower->length, give_back))
		return -EAGAIN;
	borrower->loan = borrower->lent->first.number;
	borrower->offset = borrower->lent->piece.start;
	return 0;
}

/**
 * mbx_loans_serve_locked() - lend what is free to those who wait
 * @box: the mailbox, its lock held
 *
 * In the order they came. The first for whom there is no piece holds up all others, so that a
 * long one is not starved by short ones.
 */
void mbx_loans_serve_locked(struct mbx_box *box)
{
	struct mbx_waiter *waiter;
	int nr, ret;

	lockdep_assert_held(&box->lock);
	/* What is left those go on with who were served: see wait_for_piece(). */
	for (nr = 0; nr < SERVE_STEP; nr++) {
		waiter = list_first_entry_or_null(&box->loans.waiters, struct mbx_waiter, link);
		if (likely(!waiter))
			return;
		ret = borrow_locked(waiter->handle, container_of(waiter, struct borrower, waiter),
				    true);
		if (ret == -EAGAIN)
			return;
		mbx_waiter_finish_locked(waiter, ret);
	}
}

static int wait_for_piece(struct mbx_handle *handle, struct borrower *borrower, u64 deadline)
	__must_hold(&handle->box->lock)
{
	struct mbx_box *box = handle->box;
	int ret;

	mbx_waiter_init_locked(&borrower->waiter, &box->loans.waiters, &box->loans.nr_waiters,
			       handle);
	ret = mbx_waiter_sleep(&borrower->waiter, &box->lock, deadline);
	/* Whoever was behind us may be the first now, and there may be more than we took. */
	mbx_loans_serve_locked(box);
	return ret;
}

static int borrow(struct mbx_handle *handle, struct borrower *borrower, u64 deadline, bool nonblock)
{
	struct mbx_box *box = handle->box;
	int ret;

	/* Expired messages give their pieces back first. */
	mbx_box_lock_fresh(box);
	ret = borrow_locked(handle, borrower, list_empty(&box->loans.waiters));
	if (!ret)
		mbx_loans_serve_locked(box);
	else if (ret == -EAGAIN && !nonblock)
		ret = wait_for_piece(handle, borrower, deadline);
	spin_unlock(&box->lock);
	return ret;
}

/**
 * mbx_loan_forget() - end a loan that nobody was told of
 * @handle: that has it
 * @number: of the loan; another thread may have guessed it, and returned it
 */
void mbx_loan_forget(struct mbx_handle *handle, u64 number)
{
	struct mbx_box *box = handle->box;
	struct mbx_loan *loan;

	spin_lock(&box->lock);
	loan = mbx_loan_find_locked(handle, number);
	if (loan) {
		mbx_loan_end_locked(box, loan);
		mbx_loans_serve_locked(box);
	}
	spin_unlock(&box->lock);
}

/**
 * mbx_loan_lend() - MAILBOX_IOC_LOAN
 * @file: a handle
 * @call: the call
 * Return: 0 or a negative errno as struct mailbox_loan lists them; -ERESTARTSYS for a signal.
 */
int mbx_loan_lend(struct file *file, struct mbx_call *call)
{
	struct mbx_handle *handle = file->private_data;
	struct mailbox_loan *args = &call->borrow;
	struct borrower borrower = { .length = args->length, .give_back = args->give_back };
	int ret;

	if (args->flags & ~MBX_WAIT_FLAGS)
		return -EOPNOTSUPP;
	if (args->length < 1 || args->length > U32_MAX)
		return -EINVAL;
	if (!(handle->rights & MAILBOX_RIGHT_SEND))
		return -EACCES;
	args->loan = 0;
	args->offset = 0;
	/* Find out now whether the answer can be written: later a loan has been given back. */
	ret = mbx_call_reply(call, sizeof(*args));
	if (ret)
		return ret;
	borrower.lent = mbx_lent_new(handle->box, args->length);
	if (IS_ERR(borrower.lent))
		return PTR_ERR(borrower.lent);
	ret = borrow(handle, &borrower,
		     args->flags & MAILBOX_DEADLINE ? args->deadline : MBX_FOREVER,
		     (args->flags & MAILBOX_NONBLOCK) || (file->f_flags & O_NONBLOCK));
	if (ret) {
		mbx_lent_put(handle->box, borrower.lent);
		return ret;
	}
	args->loan = borrower.loan;
	args->offset = borrower.offset;
	ret = mbx_call_reply(call, sizeof(*args));
	/* What a dying process borrows nobody would know of, if others have the handle. */
	if (!ret && fatal_signal_pending(current))
		ret = -EINTR;
	if (ret)
		mbx_loan_forget(handle, borrower.loan);
	/* What was given back is gone: that has succeeded. */
	return args->give_back ? 0 : ret;
}

/**
 * mbx_loan_return() - MAILBOX_IOC_RETURN
 * @file: a handle
 * @call: the call
 * Return: 0; -EOPNOTSUPP; -EINVAL; -EACCES; -ESTALE; -EIDRM.
 */
int mbx_loan_return(struct file *file, struct mbx_call *call)
{
	struct mbx_handle *handle = file->private_data;
	struct mbx_box *box = handle->box;
	struct mbx_loan *loan;
	int ret;

	if (call->give_back.flags)
		return -EOPNOTSUPP;
	if (!call->give_back.loan)
		return -EINVAL;
	if (!(handle->rights & (MAILBOX_RIGHT_SEND | MAILBOX_RIGHT_RECEIVE)))
		return -EACCES;
	spin_lock(&box->lock);
	loan = mbx_loan_find_locked(handle, call->give_back.loan);
	ret = mbx_handle_refused_locked(handle) ?: (loan ? 0 : -ESTALE);
	if (!ret) {
		mbx_loan_end_locked(box, loan);
		mbx_loans_serve_locked(box);
	}
	spin_unlock(&box->lock);
	return ret;
}
