// SPDX-License-Identifier: GPL-2.0-only
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "handle.h"
#include "ioctl.h"
#include "lane.h"
#include "mailbox.h"

/**
 * mbx_lanes_of() - the lanes of a mailbox
 * @box: the mailbox
 * Return: the lanes, or NULL where nobody has asked for any.
 */
struct mbx_lanes *mbx_lanes_of(const struct mbx_box *box)
{
	/* Pairs with the cmpxchg() of whoever has made them. */
	return smp_load_acquire(&box->lanes);
}

/* Those of the mailbox, or new ones. */
static struct mbx_lanes *lanes_get(struct mbx_box *box)
{
	struct mbx_lanes *lanes = mbx_lanes_of(box), *other;

	if (lanes)
		return lanes;
	lanes = kzalloc(sizeof(*lanes), GFP_KERNEL_ACCOUNT);
	if (!lanes)
		return ERR_PTR(-ENOMEM);
	spin_lock_init(&lanes->lock);
	init_waitqueue_head(&lanes->sleepers);
	other = cmpxchg(&box->lanes, NULL, lanes);
	if (!other)
		return lanes;
	kfree(lanes);
	return other;
}

static void lane_free(struct mbx_lane *lane)
{
	unsigned int i;

	for (i = 0; i < lane->nr_pages && lane->pages[i]; i++)
		put_page(lane->pages[i]);
	kvfree(lane->pages);
	mbx_charge_drop(&lane->charge);
	kfree(lane);
}

/**
 * mbx_lane_put() - give a reference back
 * @lane: the lane, or NULL
 *
 * Context: Process context, no lock held.
 */
void mbx_lane_put(struct mbx_lane *lane)
{
	if (lane && refcount_dec_and_test(&lane->refs))
		lane_free(lane);
}

/* A lane of the current user with so many bytes, and with one reference. */
static struct mbx_lane *lane_new(u64 bytes)
{
	const unsigned int nr_pages = MAILBOX_LANE_DATA + (bytes >> PAGE_SHIFT);
	struct mbx_lane *lane;
	unsigned int i;
	int ret;

	lane = kzalloc(sizeof(*lane), GFP_KERNEL_ACCOUNT);
	if (!lane)
		return ERR_PTR(-ENOMEM);
	ret = mbx_charge_take_own(&lane->charge,
				  nr_pages * (PAGE_SIZE + sizeof(*lane->pages)) + sizeof(*lane));
	if (ret)
		goto err_free;
	ret = -ENOMEM;
	lane->pages = kvcalloc(nr_pages, sizeof(*lane->pages), GFP_KERNEL_ACCOUNT);
	if (!lane->pages)
		goto err_free;
	/* Zeroed: what was there before is nobody's business. */
	for (i = 0; i < nr_pages; i++, lane->nr_pages++) {
		lane->pages[i] = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
		if (!lane->pages[i])
			goto err_free;
	}

	refcount_set(&lane->refs, 1);
	lane->bytes = bytes;
	lane->state = page_address(lane->pages[MAILBOX_LANE_STATE]);
	lane->consumer = page_address(lane->pages[MAILBOX_LANE_CONSUMER]);
	lane->producer = page_address(lane->pages[MAILBOX_LANE_PRODUCER]);
	init_waitqueue_head(&lane->sleepers);
	/* Who polls may have looked before there was a lane: the first message tells it. */
	lane->state->receiver_sleeps = 1;
	return lane;

err_free:
	lane_free(lane);
	return ERR_PTR(ret);
}

/**
 * mbx_lane_find_locked() - a lane that the receiver knows
 * @lanes: the lanes, locked
 * @number: of the lane
 * Return: the lane, or NULL.
 */
struct mbx_lane *mbx_lane_find_locked(struct mbx_lanes *lanes, u64 number)
{
	struct mbx_lane *lane;
	int i;

	lockdep_assert_held(&lanes->lock);
	for (i = 0; i < MAILBOX_LANES_MAX; i++) {
		lane = lanes->places[i];
		if (lane && lane->told && lane->number == number)
			return lane;
	}
	return NULL;
}

/**
 * mbx_lane_missing() - why a handle has not the lane that it wants
 * @handle: the handle, with its lanes locked if there are any
 *
 * A handle that is revoked, and those of a mailbox that ends, lose their lanes, under the same
 * lock, after it was said that they are.
 *
 * Return: -EACCES; -EIDRM; -ENOENT.
 */
int mbx_lane_missing(const struct mbx_handle *handle)
{
	if (READ_ONCE(handle->revoked))
		return -EACCES;
	return READ_ONCE(handle->box->closed) ? -EIDRM : -ENOENT;
}

/**
 * mbx_lane_own_locked() - the lane that a handle sends through
 * @handle: the handle
 * @lanes: the lanes, locked
 * @number: of the lane, or 0
 * Return: the lane, also where it has ended; ERR_PTR: -EACCES; -EIDRM; -ENOENT.
 */
struct mbx_lane *mbx_lane_own_locked(const struct mbx_handle *handle, const struct mbx_lanes *lanes,
				     u64 number)
{
	struct mbx_lane *lane = handle->lane;

	lockdep_assert_held(&lanes->lock);
	if (!lane || (number && number != lane->number) || READ_ONCE(handle->box->closed))
		return ERR_PTR(mbx_lane_missing(handle));
	return lane;
}

/* Its place is free; the reference of the table goes to who has the list. */
static void remove_locked(struct mbx_lanes *lanes, struct mbx_lane *lane, struct list_head *dead)
{
	lockdep_assert_held(&lanes->lock);
	lanes->places[lane->place] = NULL;
	WRITE_ONCE(lanes->nr, lanes->nr - 1);
	list_add(&lane->dead, dead);
}

static void end_locked(struct mbx_lane *lane, u32 why)
{
	lane->ended |= why;
	/* Users read it at any time: whoever does reads what was committed before, then. */
	smp_store_release(&lane->state->ended, lane->ended);
}

static void put_all(struct list_head *dead)
{
	struct mbx_lane *lane, *next;

	list_for_each_entry_safe(lane, next, dead, dead)
		mbx_lane_put(lane);
}

/* All that the receiver knows, or all that there are. */
static void end_all_locked(struct mbx_lanes *lanes, u32 why, bool told, struct list_head *dead)
{
	struct mbx_lane *lane;
	int i;

	lockdep_assert_held(&lanes->lock);
	for (i = 0; i < MAILBOX_LANES_MAX; i++) {
		lane = lanes->places[i];
		if (!lane || (told && !lane->told))
			continue;
		end_locked(lane, why);
		mbx_lane_wake_sender_locked(lane);
		remove_locked(lanes, lane, dead);
	}
	lanes->receiver = NULL;
	wake_up_all(&lanes->sleepers);
}

/* What was committed is still to be read, unless nobody will ask for it. */
static void leave_sender_locked(struct mbx_handle *handle, struct mbx_lanes *lanes,
				struct list_head *dead)
{
	struct mbx_lane *lane = handle->lane;

	lockdep_assert_held(&lanes->lock);
	handle->lane = NULL;
	end_locked(lane, MAILBOX_LANE_SENDER_GONE);
	mbx_lane_wake_sender_locked(lane);
	if (lanes->places[lane->place] != lane)
		return;
	if (!lane->told && mbx_lane_is_empty(lane))
		remove_locked(lanes, lane, dead);
	else
		mbx_lane_wake_receiver_locked(handle->box, lanes);
}

/**
 * mbx_lane_leave() - end what a handle has to do with lanes
 * @handle: revoked, or being released
 *
 * Context: Process context, no lock held.
 */
void mbx_lane_leave(struct mbx_handle *handle)
{
	struct mbx_lanes *lanes = mbx_lanes_of(handle->box);
	struct mbx_lane *lane;
	LIST_HEAD(dead);

	if (!lanes)
		return;
	spin_lock(&lanes->lock);
	lane = handle->lane;
	if (lane)
		leave_sender_locked(handle, lanes, &dead);
	if (lanes->receiver == handle)
		end_all_locked(lanes, MAILBOX_LANE_RECEIVER_GONE, true, &dead);
	spin_unlock(&lanes->lock);
	mbx_lane_put(lane);
	put_all(&dead);
}

/**
 * mbx_lanes_close() - end all lanes of a mailbox
 * @box: the mailbox, closed, so that there will be no others
 *
 * Context: Process context, no lock held.
 */
void mbx_lanes_close(struct mbx_box *box)
{
	struct mbx_lanes *lanes = mbx_lanes_of(box);
	LIST_HEAD(dead);

	if (!lanes)
		return;
	spin_lock(&lanes->lock);
	end_all_locked(lanes, MAILBOX_LANE_DESTROYED, false, &dead);
	spin_unlock(&lanes->lock);
	put_all(&dead);
}

static void describe(const struct mbx_lane *lane, struct mailbox_lane_open *req, u64 side)
{
	req->bytes = lane->bytes;
	req->lane = lane->number;
	req->place = lane->place;
	req->offset = MBX_LANE_OFFSET + lane->place * MBX_LANE_STRIDE + side;
}

static int place_locked(struct mbx_handle *handle, struct mbx_lanes *lanes, struct mbx_lane *lane)
{
	struct mbx_lane *other;
	int i;

	lockdep_assert_held(&lanes->lock);
	if (handle->lane || lanes->nr == MAILBOX_LANES_MAX)
		return -EBUSY;
	for (i = 0; lanes->places[i]; i++)
		;
	lane->place = i;
	lane->number = ++lanes->opened;
	lanes->places[i] = lane;
	WRITE_ONCE(lanes->nr, lanes->nr + 1);
	handle->lane = lane;
	refcount_inc(&lane->refs);
	/* A receiver that is awake looks there; one that waits is woken. */
	for (i = 0; i < MAILBOX_LANES_MAX; i++) {
		other = lanes->places[i];
		if (other)
			WRITE_ONCE(other->state->opened, (u32)lanes->opened);
	}
	wake_up_all(&lanes->sleepers);
	return 0;
}

/* The one with the smallest number after another, or NULL. */
static struct mbx_lane *next_locked(const struct mbx_lanes *lanes, u64 after)
{
	struct mbx_lane *lane, *next = NULL;
	int i;

	lockdep_assert_held(&lanes->lock);
	for (i = 0; i < MAILBOX_LANES_MAX; i++) {
		lane = lanes->places[i];
		if (lane && lane->number > after && (!next || lane->number < next->number))
			next = lane;
	}
	return next;
}

static int tell_locked(struct mbx_handle *handle, struct mbx_lanes *lanes,
		       struct mailbox_lane_open *req)
{
	const u64 after = req->lane;
	struct mbx_lane *lane;

	lockdep_assert_held(&lanes->lock);
	if (lanes->receiver && lanes->receiver != handle)
		return -EBUSY;
	if (!lanes->receiver) {
		lanes->receiver = handle;
		/* Who polls it has looked when it was not: it looks again. */
		mbx_lane_wake_receiver_locked(handle->box, lanes);
	}
	req->bytes = 0;
	req->lane = 0;
	lane = next_locked(lanes, after);
	if (lane) {
		lane->told = true;
		describe(lane, req, MBX_LANE_RECEIVER);
	}
	return 0;
}

/* A lane is to get a place, or the receiver to be told of one: @lane is NULL. */
static int open_lane(struct mbx_handle *handle, struct mbx_lanes *lanes, struct mbx_lane *lane,
		     struct mailbox_lane_open *req)
{
	struct mbx_box *box = handle->box;
	int ret;

	/*
	 * Who revokes the handle, or closes the mailbox, says so under the first lock, and then
	 * looks for lanes under the second.
	 */
	spin_lock(&box->lock);
	ret = mbx_handle_refused_locked(handle);
	if (!ret) {
		spin_lock(&lanes->lock);
		if (lane) {
			ret = place_locked(handle, lanes, lane);
			if (!ret)
				describe(lane, req, 0);
		} else {
			ret = tell_locked(handle, lanes, req);
		}
		spin_unlock(&lanes->lock);
	}
	spin_unlock(&box->lock);
	return ret;
}

static int check_open(const struct mbx_handle *handle, const struct mailbox_lane_open *req)
{
	const bool receiver = req->flags & MAILBOX_LANE_RECEIVE;

	if ((req->flags & ~MAILBOX_LANE_RECEIVE) || handle->box->policy != MAILBOX_POLICY_ANY)
		return -EOPNOTSUPP;
	if (!(handle->rights & (receiver ? MAILBOX_RIGHT_RECEIVE : MAILBOX_RIGHT_SEND)))
		return -EACCES;
	if (req->reserved)
		return -EINVAL;
	return !receiver && (req->lane || req->bytes > MAILBOX_LANE_BYTES_MAX) ? -EINVAL : 0;
}

/**
 * mbx_lane_open() - MAILBOX_IOC_LANE_OPEN
 * @file: a handle
 * @call: the call
 * Return: 0 or a negative errno as struct mailbox_lane_open lists them.
 */
int mbx_lane_open(struct file *file, struct mbx_call *call)
{
	struct mailbox_lane_open *req = &call->lane_open;
	struct mbx_handle *handle = file->private_data;
	struct mbx_lane *lane = NULL;
	struct mbx_lanes *lanes;
	u64 bytes;
	int ret;

	ret = check_open(handle, req);
	if (ret)
		return ret;
	req->offset = 0;
	req->place = 0;
	/* It can be written, then: what happens after that has happened. */
	ret = mbx_call_reply(call, sizeof(*req));
	if (ret)
		return ret;
	lanes = lanes_get(handle->box);
	if (IS_ERR(lanes))
		return PTR_ERR(lanes);
	if (!(req->flags & MAILBOX_LANE_RECEIVE)) {
		bytes = max_t(u64, req->bytes ?: MAILBOX_LANE_BYTES_DEFAULT, PAGE_SIZE);
		lane = lane_new(roundup_pow_of_two(bytes));
		if (IS_ERR(lane))
			return PTR_ERR(lane);
	}
	ret = open_lane(handle, lanes, lane, req);
	if (ret) {
		mbx_lane_put(lane);
		return ret;
	}
	mbx_call_reply(call, sizeof(*req));
	return 0;
}

/* Or all of them, and be the receiver no more. */
static int close_told_locked(const struct mbx_handle *handle, struct mbx_lanes *lanes, u64 number,
			     struct list_head *dead)
{
	struct mbx_lane *lane;

	lockdep_assert_held(&lanes->lock);
	if (lanes->receiver != handle)
		return mbx_lane_missing(handle);
	if (!number) {
		end_all_locked(lanes, MAILBOX_LANE_RECEIVER_GONE, true, dead);
		return 0;
	}
	lane = mbx_lane_find_locked(lanes, number);
	if (!lane)
		return -ENOENT;
	end_locked(lane, MAILBOX_LANE_RECEIVER_GONE);
	mbx_lane_wake_sender_locked(lane);
	remove_locked(lanes, lane, dead);
	/* Another thread may wait for this lane alone. */
	wake_up_all(&lanes->sleepers);
	return 0;
}

/**
 * mbx_lane_close() - MAILBOX_IOC_LANE_CLOSE
 * @file: a handle
 * @call: the call
 * Return: 0; -EOPNOTSUPP; -EACCES; -ENOENT; -EIDRM.
 */
int mbx_lane_close(struct file *file, struct mbx_call *call)
{
	const struct mailbox_lane_close *req = &call->lane_close;
	struct mbx_handle *handle = file->private_data;
	struct mbx_lanes *lanes = mbx_lanes_of(handle->box);
	struct mbx_lane *lane = NULL;
	LIST_HEAD(dead);
	int ret = 0;

	if (req->flags & ~MAILBOX_LANE_RECEIVE)
		return -EOPNOTSUPP;
	if (!lanes)
		return mbx_lane_missing(handle);
	spin_lock(&lanes->lock);
	if (req->flags & MAILBOX_LANE_RECEIVE) {
		ret = close_told_locked(handle, lanes, req->lane, &dead);
	} else {
		lane = mbx_lane_own_locked(handle, lanes, req->lane);
		if (IS_ERR(lane)) {
			ret = PTR_ERR(lane);
			lane = NULL;
		} else {
			leave_sender_locked(handle, lanes, &dead);
		}
	}
	spin_unlock(&lanes->lock);
	mbx_lane_put(lane);
	put_all(&dead);
	return ret;
}
