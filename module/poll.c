// SPDX-License-Identifier: GPL-2.0-only
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <uapi/linux/mailbox.h>

#include "broadcast.h"
#include "expire.h"
#include "handle.h"
#include "lane.h"
#include "line.h"
#include "mailbox.h"
#include "policy.h"
#include "stream.h"

static __poll_t poll_broadcast_locked(const struct mbx_handle *handle)
{
	const struct mbx_select first = { .kind = MBX_SELECT_FIRST };
	__poll_t events = 0;

	if (handle->rights & MAILBOX_RIGHT_RECEIVE) {
		if (!handle->subscriber.joined)
			return EPOLLHUP | EPOLLERR;
		if (mbx_broadcast_find_locked(handle->box, &handle->subscriber, &first))
			events |= EPOLLIN | EPOLLRDNORM;
	}
	if (handle->rights & MAILBOX_RIGHT_SEND)
		events |= EPOLLOUT | EPOLLWRNORM;
	return events;
}

/* Whoever has both rights counts too. */
static bool deserted_locked(const struct mbx_handle *handle)
{
	const struct mbx_box *box = handle->box;

	return ((handle->rights & MAILBOX_RIGHT_RECEIVE) && !box->may_send) ||
	       ((handle->rights & MAILBOX_RIGHT_SEND) && !box->may_receive);
}

static bool writable_locked(const struct mbx_box *box, const struct mbx_share *share)
{
	u32 length;

	if (box->capacity == MAILBOX_CAPACITY_RENDEZVOUS)
		return !list_empty(&box->receivers);
	length = box->fixed_size ? box->message_size : 1;
	if (box->on_full == MAILBOX_ON_FULL_OVERWRITE)
		return mbx_box_would_have_room_locked(box, length);
	return mbx_may_enter_locked(box, share, length);
}

/**
 * mbx_handle_poll() - poll(2) on a handle
 * @file: the handle
 * @table: where the poller waits
 *
 * Context: Process context, may sleep.
 * Return: the events that are so.
 */
__poll_t mbx_handle_poll(struct file *file, struct poll_table_struct *table)
{
	struct mbx_handle *handle = file->private_data;
	struct mbx_box *box = handle->box;
	__poll_t events = 0;

	poll_wait(file, &box->poll, table);
	mbx_box_lock_fresh(box);
	if (box->closed || handle->revoked) {
		/* EPOLLERR ends a select() for writing. */
		events = EPOLLHUP | EPOLLERR;
	} else if (box->policy == MAILBOX_POLICY_BROADCAST) {
		events = poll_broadcast_locked(handle);
	} else {
		const bool member = handle->usual || mbx_policy_member_locked(box, current->files);

		if ((handle->rights & MAILBOX_RIGHT_RECEIVE) && box->queue.nr && member)
			events |= EPOLLIN | EPOLLRDNORM;
		/* One of the two, and not both. */
		if (mbx_policy_alone_locked(box))
			events |= EPOLLHUP;
		else if ((handle->rights & MAILBOX_RIGHT_SEND) &&
			 writable_locked(box, handle->share))
			events |= EPOLLOUT | EPOLLWRNORM;
		events |= mbx_stream_poll_locked(handle);
	}
	if (deserted_locked(handle))
		events |= EPOLLRDHUP;
	spin_unlock(&box->lock);
	if (poll_requested_events(table) & (EPOLLIN | EPOLLRDNORM))
		events |= mbx_lane_poll(handle);
	return events;
}
