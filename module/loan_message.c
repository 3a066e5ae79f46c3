// SPDX-License-Identifier: GPL-2.0-only
#include <linux/err.h>
#include <linux/list.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/uaccess.h>
#include <uapi/linux/mailbox.h>

#include "handle.h"
#include "loan.h"
#include "mailbox.h"

static int read_lending(struct mbx_lending *lending, u32 size)
{
	struct mailbox_send __user *arg = lending->arg;
	u64 data, borrow;

	if (size < offsetofend(struct mailbox_send, borrow))
		return -EINVAL;
	if (!user_access_begin(arg, offsetofend(struct mailbox_send, borrow)))
		return -EFAULT;
	unsafe_get_user(data, &arg->data, fault);
	unsafe_get_user(lending->number, &arg->loan, fault);
	unsafe_get_user(borrow, &arg->borrow, fault);
	/* Find out now whether the answer can be written: later the message is sent. */
	unsafe_put_user(lending->number, &arg->loan, fault);
	unsafe_put_user(0, &arg->offset, fault);
	user_access_end();
	if (data || !lending->number || borrow > U32_MAX)
		return -EINVAL;
	lending->borrow = borrow;
	return 0;
fault:
	user_access_end();
	return -EFAULT;
}

/**
 * mbx_lending_begin() - read what a send with a loan says
 * @lending: filled in
 * @handle: through which it sends
 * @arg: the send, with MAILBOX_LOAN among its flags
 * @size: bytes there
 * @length: bytes of payload
 *
 * Context: Process context, may sleep.
 * Return: 0, and then mbx_lending_end() is due; -EINVAL; -EFAULT; -EACCES; -EMSGSIZE; -EDQUOT;
 * -ENOMEM.
 */
int mbx_lending_begin(struct mbx_lending *lending, struct mbx_handle *handle,
		      struct mailbox_send __user *arg, u32 size, u32 length)
{
	int ret;

	*lending = (struct mbx_lending){ .arg = arg, .handle = handle, .length = length };
	ret = read_lending(lending, size);
	if (ret || !lending->borrow)
		return ret;
	if (!(handle->rights & MAILBOX_RIGHT_SEND) || READ_ONCE(handle->revoked))
		return -EACCES;
	lending->next = mbx_lent_new(handle->box, lending->borrow);
	return PTR_ERR_OR_ZERO(lending->next);
}

/**
 * mbx_lending_attach() - let a loan travel with a message
 * @lending: of the send
 * @msg: a message not yet published, whose payload would be behind it
 * Return: 0, and from now on the message has the loan; -EACCES; -EIDRM; -ESTALE; -EMSGSIZE.
 */
int mbx_lending_attach(struct mbx_lending *lending, struct mbx_message *msg)
{
	struct mbx_handle *handle = lending->handle;
	struct mbx_box *box = handle->box;
	struct mbx_loan *loan;
	int ret;

	spin_lock(&box->lock);
	loan = mbx_loan_find_locked(handle, lending->number);
	ret = mbx_handle_refused_locked(handle) ?: (loan ? 0 : -ESTALE);
	if (!ret && lending->length > loan->lent->length)
		ret = -EMSGSIZE;
	if (!ret) {
		mbx_loan_let_go_locked(box, loan);
		loan->length = lending->length;
		msg->loan = loan;
		msg->state |= MBX_HAS_LOAN;
	}
	spin_unlock(&box->lock);
	return ret;
}

/**
 * mbx_lending_undo_locked() - a message was not sent, and its loan is the sender's again
 * @box: the mailbox, its lock held
 * @msg: the message, with a loan or without
 *
 * A receiver may be copying it: that one has been told of the loan, but does not get it.
 */
void mbx_lending_undo_locked(struct mbx_box *box, struct mbx_message *msg)
{
	struct mbx_loan *loan = msg->loan;
	struct mbx_handle *handle;

	if (!(msg->state & MBX_HAS_LOAN))
		return;
	handle = loan->handle;
	/* It has no loans any more. */
	if (mbx_handle_refused_locked(handle)) {
		mbx_loan_drop_locked(box, msg);
	} else {
		mbx_loan_hold_locked(handle, loan, loan->number);
		msg->loan = NULL;
	}
	msg->state &= ~MBX_HAS_LOAN;
}

/* If there is none, nothing changes. */
static void borrow_next(struct mbx_lending *lending, u64 *number, u64 *offset)
{
	struct mbx_handle *handle = lending->handle;
	struct mbx_lent *next = lending->next;
	struct mbx_box *box = handle->box;
	bool done;

	spin_lock(&box->lock);
	done = !mbx_handle_refused_locked(handle) && list_empty(&box->loans.waiters) &&
	       mbx_lent_begin_locked(handle, next, lending->borrow, NULL);
	if (done) {
		*number = next->first.number;
		*offset = next->piece.start;
	}
	spin_unlock(&box->lock);
	if (done)
		lending->next = NULL;
}

/* Which loan the sender has now, 0 for none. Return: 0 or -EFAULT. */
static int tell_of_next(struct mailbox_send __user *arg, u64 number, u64 offset)
{
	if (!user_write_access_begin(arg, offsetofend(struct mailbox_send, borrow)))
		return -EFAULT;
	unsafe_put_user(offset, &arg->offset, fault);
	unsafe_put_user(number, &arg->loan, fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

/**
 * mbx_lending_end() - borrow the next piece
 * @lending: of the send
 * @sent: the message was sent
 *
 * Context: Process context, may sleep.
 */
void mbx_lending_end(struct mbx_lending *lending, bool sent)
{
	u64 number = 0, offset = 0;
	int untold;

	if (sent) {
		if (lending->next)
			borrow_next(lending, &number, &offset);
		/* It could be written before, and the message is sent. */
		untold = tell_of_next(lending->arg, number, offset);
		/* Nor does anybody know of what a dying process has borrowed. */
		if (number && (untold || fatal_signal_pending(current)))
			mbx_loan_forget(lending->handle, number);
	}
	mbx_lent_put(lending->handle->box, lending->next);
}

static struct mbx_copy *copy_new(void)
{
	struct mbx_copy *copy = kzalloc(sizeof(*copy), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!copy)
		return ERR_PTR(-ENOMEM);
	ret = mbx_charge_take_own(&copy->charge, sizeof(*copy));
	if (!ret)
		return copy;
	kfree(copy);
	return ERR_PTR(ret);
}

/**
 * mbx_taking_begin() - read what a receive that takes loans says
 * @taking: filled in
 * @handle: through which it receives
 * @arg: the receive, with MAILBOX_LOAN among its flags
 * @size: bytes there
 * @peek: it takes nothing
 *
 * Context: Process context, may sleep.
 * Return: 0, and then mbx_taking_end() is due; -EINVAL; -EFAULT; -ESTALE; -EDQUOT; -ENOMEM.
 */
int mbx_taking_begin(struct mbx_taking *taking, struct mbx_handle *handle,
		     struct mailbox_receive __user *arg, u32 size, bool peek)
{
	struct mbx_box *box = handle->box;
	int ret = 0;

	*taking = (struct mbx_taking){ .arg = arg, .handle = handle };
	if (size < offsetofend(struct mailbox_receive, offset))
		return -EINVAL;
	if (get_user(taking->give_back, &arg->give_back))
		return -EFAULT;
	if (!(handle->rights & MAILBOX_RIGHT_RECEIVE))
		return -EACCES;
	/* It is looked at again when it ends; but nobody shall wait for nothing. */
	spin_lock(&box->lock);
	ret = mbx_taking_check_locked(taking);
	spin_unlock(&box->lock);
	if (ret || peek || box->policy != MAILBOX_POLICY_BROADCAST)
		return ret;
	taking->copy = copy_new();
	return PTR_ERR_OR_ZERO(taking->copy);
}

/**
 * mbx_taking_look_locked() - before a message is copied
 * @taking: of the receive
 * @msg: the message; the lock of its mailbox is held
 * @peek: it is only looked at
 * @leased: it keeps its loan, if it has one
 */
void mbx_taking_look_locked(struct mbx_taking *taking, const struct mbx_message *msg, bool peek,
			    bool leased)
{
	const bool has_loan = msg->state & MBX_HAS_LOAN;

	taking->length = mbx_loan_payload_locked(msg);
	taking->offset = has_loan && !peek ? msg->loan->lent->piece.start : 0;
	taking->number = has_loan && !peek && !leased ? ++taking->handle->box->loans.last : 0;
}

/**
 * mbx_taking_tell() - tell the receiver of the loan
 * @taking: of the receive, which has written all else
 * Return: 0 or -EFAULT.
 */
int mbx_taking_tell(const struct mbx_taking *taking)
{
	struct mailbox_receive __user *arg = taking->arg;

	if (!user_access_begin(arg, offsetofend(struct mailbox_receive, offset)))
		return -EFAULT;
	unsafe_put_user(taking->length, &arg->length, fault);
	unsafe_put_user(taking->number, &arg->loan, fault);
	unsafe_put_user(taking->offset, &arg->offset, fault);
	user_access_end();
	return 0;
fault:
	user_access_end();
	return -EFAULT;
}

/**
 * mbx_taking_check_locked() - may the receive take effect?
 * @taking: of the receive, the lock of its mailbox held
 * Return: 0; -EACCES; -EIDRM; -ESTALE.
 */
int mbx_taking_check_locked(struct mbx_taking *taking)
{
	struct mbx_handle *handle = taking->handle;
	int ret = mbx_handle_refused_locked(handle);

	if (ret || !taking->give_back)
		return ret;
	taking->ends = mbx_loan_find_locked(handle, taking->give_back);
	return taking->ends ? 0 : -ESTALE;
}

/**
 * mbx_taking_commit_locked() - the message is received
 * @taking: of the receive, checked, and the lock of its mailbox held since
 * @msg: the message
 */
void mbx_taking_commit_locked(struct mbx_taking *taking, struct mbx_message *msg)
{
	struct mbx_handle *handle = taking->handle;
	struct mbx_box *box = handle->box;

	if (taking->number) {
		struct mbx_loan *loan = msg->loan;

		if (taking->copy) {
			taking->copy->loan.lent = loan->lent;
			taking->copy->loan.length = loan->length;
			loan->lent->loans++;
			loan = &taking->copy->loan;
			taking->copy = NULL;
		} else {
			msg->loan = NULL;
			msg->state &= ~MBX_HAS_LOAN;
		}
		mbx_loan_hold_locked(handle, loan, taking->number);
	}
	if (taking->give_back) {
		mbx_loan_end_locked(box, taking->ends);
		mbx_loans_serve_locked(box);
	}
}

/**
 * mbx_taking_end() - undo mbx_taking_begin()
 * @taking: of the receive
 */
void mbx_taking_end(struct mbx_taking *taking)
{
	if (!taking->copy)
		return;
	mbx_charge_drop(&taking->copy->charge);
	kfree(taking->copy);
}
