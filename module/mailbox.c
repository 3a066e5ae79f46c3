// SPDX-License-Identifier: GPL-2.0-only
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/pid.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/user_namespace.h>

#include "answer.h"
#include "domain.h"
#include "expire.h"
#include "lane.h"
#include "lease.h"
#include "loan.h"
#include "mailbox.h"
#include "policy.h"
#include "receipt.h"
#include "region.h"
#include "share.h"
#include "wait.h"

#define DEFAULT_MAX_MESSAGES 1024
#define DEFAULT_MAX_BYTES    (8 * 1024 * 1024)

/* How much is done in one go with a lock held that a message may have to wait for. */
#define CLOSE_STEP 64

/**
 * mbx_box_check_limits() - may these values stand together?
 * @message_size: see struct mailbox_create
 * @max_bytes: see struct mailbox_create
 * @on_full: see struct mailbox_create
 * @share: see struct mailbox_create
 * @capacity: see struct mailbox_create
 * @new_size: message_size is asked for, and must be within the caller's limit
 * Return: 0 or -EINVAL.
 */
int mbx_box_check_limits(u32 message_size, u64 max_bytes, u32 on_full, u32 share, u32 capacity,
			 bool new_size)
{
	struct mbx_limits max;

	mbx_limits_read(&max);
	if (on_full > MAILBOX_ON_FULL_WAIT_EACH || share < 1 || share > 100)
		return -EINVAL;
	if (share != 100 &&
	    (on_full == MAILBOX_ON_FULL_OVERWRITE || capacity != MAILBOX_CAPACITY_BOUNDED))
		return -EINVAL;
	if (on_full == MAILBOX_ON_FULL_OVERWRITE && capacity != MAILBOX_CAPACITY_BOUNDED)
		return -EINVAL;
	if (capacity == MAILBOX_CAPACITY_BOUNDED && message_size > max_bytes)
		return -EINVAL;
	if (message_size < 1 || message_size > MAILBOX_MESSAGE_SIZE_MAX)
		return -EINVAL;
	if (new_size && message_size > max.message_size && !capable(CAP_SYS_RESOURCE))
		return -EINVAL;
	return 0;
}

static int set_limits(struct mbx_box *box, const struct mailbox_create *req)
{
	struct mbx_limits max;

	if (req->policy > MAILBOX_POLICY_BROADCAST || req->capacity > MAILBOX_CAPACITY_UNBOUNDED)
		return -EINVAL;
	if (req->capacity != MAILBOX_CAPACITY_BOUNDED && (req->max_messages || req->max_bytes))
		return -EINVAL;

	if (req->max_deliveries > MAILBOX_DELIVERIES_MAX || req->reserved)
		return -EINVAL;
	if (req->policy == MAILBOX_POLICY_BROADCAST &&
	    (req->on_full != MAILBOX_ON_FULL_OVERWRITE || req->max_deliveries))
		return -EINVAL;

	mbx_limits_read(&max);
	box->policy = req->policy;
	box->max_deliveries = req->max_deliveries;
	box->capacity = req->capacity;
	box->on_full = req->on_full;
	box->fixed_size = req->flags & MAILBOX_FIXED_SIZE;
	box->message_size = req->message_size ?: max.message_size;
	box->share = req->share ?: 100;
	if (box->capacity == MAILBOX_CAPACITY_BOUNDED) {
		box->max_messages = req->max_messages ?: DEFAULT_MAX_MESSAGES;
		box->max_bytes = req->max_bytes ?: DEFAULT_MAX_BYTES;
		if (!req->message_size)
			box->message_size = min_t(u64, box->message_size, box->max_bytes);
		/* Where others may send too, nobody fills the mailbox alone. */
		if (!req->share && (req->mode & 0022) && box->on_full != MAILBOX_ON_FULL_OVERWRITE)
			box->share = 50;
	}
	return mbx_box_check_limits(box->message_size, box->max_bytes, box->on_full, box->share,
				    box->capacity, true);
}

/**
 * mbx_box_set_room_locked() - say how much fits, after the limits have changed
 * @box: the mailbox, its lock held, or not yet published
 */
void mbx_box_set_room_locked(struct mbx_box *box)
{
	box->room_messages = 0;
	box->room_bytes = 0;
	if (box->closed || box->capacity == MAILBOX_CAPACITY_RENDEZVOUS ||
	    box->policy == MAILBOX_POLICY_BROADCAST || mbx_policy_alone_locked(box))
		return;
	if (box->capacity == MAILBOX_CAPACITY_UNBOUNDED) {
		box->room_messages = U64_MAX;
		box->room_bytes = U64_MAX;
	} else {
		box->room_messages = box->max_messages;
		box->room_bytes = box->max_bytes;
	}
}

/**
 * mbx_box_new() - a mailbox that is in no domain yet
 * @req: what it is to be; flags, rights, mode and name are checked already
 *
 * Context: Process context, may sleep.
 * Return: the mailbox with one reference, or ERR_PTR: -EINVAL, -EDQUOT, -ENOMEM,
 * -ENFILE.
 */
struct mbx_box *mbx_box_new(const struct mailbox_create *req)
{
	struct mbx_user *user;
	struct mbx_box *box;
	int ret;

	box = kzalloc(sizeof(*box), GFP_KERNEL_ACCOUNT);
	if (!box)
		return ERR_PTR(-ENOMEM);
	ret = set_limits(box, req);
	if (ret)
		goto err_free;

	box->name = kstrdup(req->name, GFP_KERNEL_ACCOUNT);
	if (!box->name) {
		ret = -ENOMEM;
		goto err_free;
	}
	current_euid_egid(&box->uid, &box->gid);
	box->creator_uid = box->uid;
	box->creator_gid = box->gid;
	user = mbx_user_get(box->uid);
	if (IS_ERR(user)) {
		ret = PTR_ERR(user);
		goto err_free;
	}
	ret = mbx_charge_take(&box->charge, user, 1, 0, 0);
	mbx_user_put(user);
	if (ret)
		goto err_free;
	ret = mbx_region_init(&box->region, req->region_size);
	if (ret)
		goto err_charge;

	refcount_set(&box->refs, 1);
	mbx_box_set_room_locked(box);
	box->mode = req->mode;
	box->permanent = req->flags & MAILBOX_PERMANENT;
	box->user_ns = get_user_ns(current_user_ns());
	box->created = ktime_get_ns();
	box->changed = box->created;
	mbx_loans_init(&box->loans, box->region.size);
	mutex_init(&box->leaving);
	spin_lock_init(&box->lock);
	mbx_queue_init(&box->queue);
	box->shares = RB_ROOT;
	box->leases = RB_ROOT;
	box->grants = RB_ROOT;
	box->lenient = RB_ROOT_CACHED;
	box->strict = RB_ROOT_CACHED;
	INIT_LIST_HEAD(&box->tops);
	INIT_LIST_HEAD(&box->receivers);
	INIT_LIST_HEAD(&box->peekers);
	INIT_LIST_HEAD(&box->claimants);
	INIT_LIST_HEAD(&box->senders);
	INIT_LIST_HEAD(&box->meetings);
	INIT_LIST_HEAD(&box->answered);
	init_waitqueue_head(&box->poll);
	INIT_DELAYED_WORK(&box->expire_work, mbx_expire_work);
	return box;

err_charge:
	mbx_charge_drop(&box->charge);
err_free:
	kfree(box->name);
	kfree(box);
	return ERR_PTR(ret);
}

/**
 * mbx_box_put() - give a reference back
 * @box: the mailbox; closed before its last reference goes, or never published
 *
 * Context: Process context, may sleep.
 */
void mbx_box_put(struct mbx_box *box)
{
	if (!box || !refcount_dec_and_test(&box->refs))
		return;
	put_pid(box->last_sender);
	put_pid(box->last_receiver);
	mbx_region_end(box);
	kfree(box->lanes);
	mbx_charge_drop(&box->charge);
	put_user_ns(box->user_ns);
	if (box->domain)
		mbx_domain_put(box->domain);
	/* Only one that was never published has it still; no chain hangs on that. */
	mbx_box_put(box->dead_letter);
	kfree(box->name);
	kfree(box);
}

static bool finish_some_locked(struct list_head *waiters)
{
	struct mbx_waiter *waiter, *next;
	int nr = 0;

	list_for_each_entry_safe(waiter, next, waiters, link) {
		if (nr++ == CLOSE_STEP)
			return true;
		if (waiter->message)
			waiter->message->sender = NULL;
		mbx_waiter_finish_locked(waiter, -EIDRM);
	}
	return false;
}

static bool empty_some_locked(struct mbx_box *box, struct mbx_message **spent)
{
	struct mbx_message *msg;
	int nr;

	*spent = mbx_stash_empty(&box->stash);
	for (nr = 0; nr < CLOSE_STEP; nr++) {
		msg = mbx_message_of(mbx_queue_oldest(&box->queue));
		if (!msg)
			break;
		mbx_queue_remove(&box->queue, &msg->entry);
		if (msg->sender) {
			/* It is the sender's own, and the sender frees it. */
			mbx_waiter_finish_locked(msg->sender, -EIDRM);
			msg->sender = NULL;
			continue;
		}
		mbx_receipt_end_locked(box, msg, MAILBOX_END_DESTROYED, spent);
		mbx_box_uncount_locked(box, msg);
		mbx_box_drop_locked(box, msg, spent);
	}
	for (; nr < CLOSE_STEP; nr++) {
		msg = mbx_lease_any_locked(box);
		if (!msg)
			break;
		mbx_lease_end_locked(box, msg);
		mbx_receipt_end_locked(box, msg, MAILBOX_END_DESTROYED, spent);
		mbx_box_uncount_locked(box, msg);
		mbx_box_drop_locked(box, msg, spent);
	}
	return nr == CLOSE_STEP;
}

/**
 * mbx_box_close() - end a mailbox
 * @box: a mailbox that was removed from its domain by the caller
 *
 * Once @closed is set nobody joins a list or the queue, so all can be emptied in
 * steps, however much there is. Messages that are being copied out or looked at
 * are freed by those who do.
 *
 * Context: Process context, may sleep.
 */
void mbx_box_close(struct mbx_box *box)
{
	struct mbx_message *spent;
	struct mbx_box *dead_letter;
	bool more;

	spin_lock(&box->lock);
	/* Or each of many that have ended, while a handle is open, would keep one more. */
	dead_letter = box->dead_letter;
	box->dead_letter = NULL;
	/* Read without the lock at the start of a send, as a hint. */
	WRITE_ONCE(box->closed, true);
	mbx_box_set_room_locked(box);
	/* All of them: also those who are to be woken one at a time for a message. */
	wake_up_interruptible_all(&box->poll);
	do {
		more = finish_some_locked(&box->receivers);
		more |= finish_some_locked(&box->peekers);
		more |= finish_some_locked(&box->claimants);
		more |= finish_some_locked(&box->senders);
		more |= finish_some_locked(&box->loans.waiters);
		more |= empty_some_locked(box, &spent);
		more |= mbx_loans_end_some_locked(box);
		/* The queue is empty: those left are with a receiver that is copying. */
		if (!more)
			more = finish_some_locked(&box->meetings);
		spin_unlock(&box->lock);

		mbx_spent_free(spent);
		cond_resched();
		spin_lock(&box->lock);
	} while (more);
	spin_unlock(&box->lock);
	/* Nor does a caller wait for a receiver that is still copying. */
	mbx_answer_end_unheard(box);
	/*
	 * It is not set again. Not when the last reference goes: that may be one that the
	 * timer itself gives back, with a receipt.
	 */
	cancel_delayed_work_sync(&box->expire_work);
	/* What others keep of it, a handle or its name as that of dead letters, is theirs. */
	mbx_region_end(box);
	mbx_lanes_close(box);
	mbx_charge_drop(&box->charge);
	mbx_box_put(dead_letter);
}

/**
 * mbx_box_owned_locked() - may the caller do what only the owner may?
 * @box: the mailbox
 *
 * Context: The domain lock is held.
 * Return: true if so.
 */
bool mbx_box_owned_locked(const struct mbx_box *box)
{
	lockdep_assert_held(&box->domain->lock);
	return uid_eq(current_euid(), box->uid) || ns_capable(box->user_ns, CAP_DAC_OVERRIDE);
}

/**
 * mbx_box_rights_locked() - what the caller may open a mailbox for
 * @box: the mailbox
 *
 * Context: The domain lock is held.
 * Return: bits of enum mailbox_right.
 */
u32 mbx_box_rights_locked(const struct mbx_box *box)
{
	const u32 all = MAILBOX_RIGHT_SEND | MAILBOX_RIGHT_RECEIVE | MAILBOX_RIGHT_MANAGE;
	u32 mode = box->mode, rights = 0;

	lockdep_assert_held(&box->domain->lock);
	if (uid_eq(current_euid(), box->uid)) {
		mode >>= 6;
		rights = MAILBOX_RIGHT_MANAGE;
	} else if (in_egroup_p(box->gid)) {
		mode >>= 3;
	}
	if (mode & 4)
		rights |= MAILBOX_RIGHT_RECEIVE;
	if (mode & 2)
		rights |= MAILBOX_RIGHT_SEND;
	if (mode & 1)
		rights |= MAILBOX_RIGHT_MANAGE;
	if (rights != all && ns_capable_noaudit(box->user_ns, CAP_DAC_OVERRIDE))
		rights = all;
	return rights;
}

/**
 * mbx_box_share_get() - what a user takes up in a mailbox
 * @box: the mailbox
 * @user: the user
 *
 * Context: Process context, may sleep.
 * Return: the share, pinned, or ERR_PTR(-ENOMEM).
 */
struct mbx_share *mbx_box_share_get(struct mbx_box *box, struct mbx_user *user)
{
	struct mbx_share *share, *new;

	spin_lock(&box->lock);
	share = mbx_share_find(&box->shares, user);
	if (share)
		share->pins++;
	spin_unlock(&box->lock);
	if (share)
		return share;

	new = mbx_share_new(user);
	if (!new)
		return ERR_PTR(-ENOMEM);
	spin_lock(&box->lock);
	share = mbx_share_add(&box->shares, new);
	if (share != new)
		share->pins++;
	spin_unlock(&box->lock);
	if (share != new)
		mbx_share_free(new);
	return share;
}

/**
 * mbx_box_share_end_locked() - a share is not used any more
 * @box: the mailbox, its lock held
 * @share: the share
 */
void mbx_box_share_end_locked(struct mbx_box *box, struct mbx_share *share)
{
	rb_erase(&share->node, &box->shares);
	mbx_share_free(share);
}

/**
 * mbx_box_share_put() - undo mbx_box_share_get()
 * @box: the mailbox
 * @share: the share
 */
void mbx_box_share_put(struct mbx_box *box, struct mbx_share *share)
{
	spin_lock(&box->lock);
	share->pins--;
	if (mbx_share_unused(share))
		mbx_box_share_end_locked(box, share);
	spin_unlock(&box->lock);
}

/**
 * mbx_box_share_full_locked() - has a user used its share of the room up?
 * @box: the mailbox
 * @share: the user's share
 * @length: bytes of payload it wants to add
 *
 * One message always fits, or a message longer than the share could never be sent.
 *
 * Return: true if so.
 */
bool mbx_box_share_full_locked(const struct mbx_box *box, const struct mbx_share *share, u32 length)
{
	if (box->share == 100 || !share->messages)
		return false;
	return share->messages >= mbx_share_of(box->share, box->max_messages) ||
	       share->bytes + length > mbx_share_of(box->share, box->max_bytes);
}

/**
 * mbx_box_drop_more_locked() - mbx_box_drop_locked() of a message with files or a loan
 * @box: the mailbox, its lock held
 * @msg: the message
 * @state: what it was
 * Return: true if it may be kept for reuse. Files are closed, which is nothing to do under a lock.
 */
bool mbx_box_drop_more_locked(struct mbx_box *box, struct mbx_message *msg, u16 state)
{
	if (state & MBX_HAS_LOAN)
		mbx_loan_drop_locked(box, msg);
	return !(state & MBX_HAS_FILES);
}
