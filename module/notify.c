// SPDX-License-Identifier: GPL-2.0-only
#include <linux/bits.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "compat.h"
#include "handle.h"
#include "ioctl.h"
#include "mailbox.h"
#include "notify.h"

#define NOTIFY_FLAGS (MAILBOX_NOTIFY_ONCE | MAILBOX_NOTIFY_EXCLUSIVE)

/**
 * struct mbx_notify - an eventfd that is told what happens at a mailbox
 * @wait: its place among those who poll
 * @box: the mailbox; the handle has the reference
 * @eventfd: the eventfd, with a reference
 * @events: what it is told
 * @once: what it is told first is the last
 * @exclusive: of all that are, only one may stand among those who poll
 * @told: it was told, and was to be told @once
 *
 * @told and the place of @wait are guarded by the lock of those who poll, which is taken within
 * that of the mailbox, and also without it: see mbx_lane_wake_receiver_locked(). The rest is
 * constant.
 *
 * What was told once takes itself out, in the midst of a walk over all of them. It stays what
 * the handle has until that is closed, or told otherwise:
 *
 *	waker				handle
 *
 *	lock those who poll
 *	tell: signal, take it out
 *					lock the mailbox
 *	go on to the next
 *	unlock those who poll
 *					lock those who poll
 *					take it out (again)
 *					unlock, unlock
 *					free it
 *
 * The waker that looks at it has the lock of those who poll, and the handle gets that before it
 * frees: so there is nobody at it any more, nor can anybody come to it. To take out what is out
 * changes nothing, since it was left as a list of its own.
 */
struct mbx_notify {
	wait_queue_entry_t wait;
	struct mbx_box *box;
	struct eventfd_ctx *eventfd;
	__poll_t events;
	bool once;
	bool exclusive;
	bool told;
};

/* By bit of enum mailbox_event; 0 where it is none of a mailbox. */
static const __poll_t names[] = {
	EPOLLIN,
	EPOLLOUT,
	MBX_POLL_RECEIVER,
	MBX_POLL_SENDER,
	MBX_POLL_NO_RECEIVER,
	MBX_POLL_NO_SENDER,
	MBX_POLL_ABANDONED,
	0,
	MBX_POLL_FIRST,
};

static bool events_are_valid(u32 events)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i])
			events &= ~BIT(i);
	return !events;
}

/* Both also where it is out already; the lock of those who poll is held. */
static void take_out_locked(struct mbx_notify *notify)
{
	struct mbx_box *box = notify->box;

	lockdep_assert_held(&box->poll.lock);
	list_del_init(&notify->wait.entry);
	if (box->exclusive == notify)
		box->exclusive = NULL;
}

static void put_in_locked(struct mbx_notify *notify)
{
	struct mbx_box *box = notify->box;

	lockdep_assert_held(&box->poll.lock);
	__add_wait_queue(&box->poll, &notify->wait);
	if (notify->exclusive)
		box->exclusive = notify;
}

/* Each message that arrives comes under the name of the first: then the lock is held. */
static bool concerns(const struct mbx_notify *notify, __poll_t events)
{
	if ((events & MBX_POLL_FIRST) && notify->box->queue.nr != 1)
		events &= ~MBX_POLL_FIRST;
	return events & notify->events;
}

static int tell(wait_queue_entry_t *wait, unsigned int mode, int sync, void *key)
{
	struct mbx_notify *notify = container_of(wait, struct mbx_notify, wait);

	/* Without a key it is the end of the mailbox, or of a pair. */
	if (key && !concerns(notify, key_to_poll(key)))
		return 0;
	if (notify->once) {
		notify->told = true;
		take_out_locked(notify);
	}
	mbx_eventfd_signal(notify->eventfd);
	return 0;
}

static struct mbx_notify *begin(struct mbx_box *box, const struct mailbox_notify *args)
{
	struct mbx_notify *notify;
	int i;

	notify = kzalloc(sizeof(*notify), GFP_KERNEL_ACCOUNT);
	if (!notify)
		return ERR_PTR(-ENOMEM);
	notify->box = box;
	notify->once = args->flags & MAILBOX_NOTIFY_ONCE;
	notify->exclusive = args->flags & MAILBOX_NOTIFY_EXCLUSIVE;
	notify->eventfd = eventfd_ctx_fdget(args->eventfd);
	if (IS_ERR(notify->eventfd)) {
		kfree(notify);
		return ERR_PTR(-EINVAL);
	}
	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (args->events & BIT(i))
			notify->events |= names[i];
	init_waitqueue_func_entry(&notify->wait, tell);
	return notify;
}

/**
 * mbx_notify_end() - forget an eventfd that is told nothing any more
 * @notify: what mbx_notify_take_locked() gave; or NULL
 *
 * Context: Process context, may sleep.
 */
void mbx_notify_end(struct mbx_notify *notify)
{
	if (!notify)
		return;
	eventfd_ctx_put(notify->eventfd);
	kfree(notify);
}

/**
 * mbx_notify_take_locked() - take what a handle has to tell an eventfd with
 * @handle: the handle, its mailbox's lock held; from now on it has none, and tells nothing
 * Return: what it had, for mbx_notify_end(); or NULL.
 */
struct mbx_notify *mbx_notify_take_locked(struct mbx_handle *handle)
{
	struct mbx_notify *notify = handle->notify;
	struct mbx_box *box = handle->box;

	lockdep_assert_held(&box->lock);
	if (!notify)
		return NULL;
	spin_lock_irq(&box->poll.lock);
	take_out_locked(notify);
	spin_unlock_irq(&box->poll.lock);
	handle->notify = NULL;
	return notify;
}

/**
 * mbx_notify_hang_up() - tell an eventfd for the last time, then forget it
 * @notify: what mbx_notify_take_locked() gave; or NULL
 *
 * Context: Process context, may sleep.
 */
void mbx_notify_hang_up(struct mbx_notify *notify)
{
	if (!notify)
		return;
	/* Nobody tells it any more, so nobody writes that. */
	if (!notify->told)
		mbx_eventfd_signal(notify->eventfd);
	mbx_notify_end(notify);
}

static bool is_exclusive(const struct mbx_notify *notify)
{
	return notify && notify->exclusive;
}

/* Return: 0, with what it had; or -EBUSY, and it has that still. */
static int replace_locked(struct mbx_handle *handle, struct mbx_notify *new,
			  struct mbx_notify **old)
{
	struct mbx_box *box = handle->box;
	struct mbx_notify *exclusive;

	lockdep_assert_held(&box->lock);
	spin_lock_irq(&box->poll.lock);
	exclusive = box->exclusive;
	if (is_exclusive(new) && exclusive && exclusive != handle->notify) {
		spin_unlock_irq(&box->poll.lock);
		return -EBUSY;
	}
	*old = handle->notify;
	if (*old)
		take_out_locked(*old);
	/* Who changes the mailbox after us sees it: mbx_box_wake_pollers_locked(). */
	if (new)
		put_in_locked(new);
	handle->notify = new;
	spin_unlock_irq(&box->poll.lock);
	return 0;
}

/**
 * mbx_notify_set() - MAILBOX_IOC_NOTIFY
 * @file: a handle
 * @call: the call
 * Return: 0; -EOPNOTSUPP; -EINVAL; -EACCES; -EBUSY; -ENOMEM; -EIDRM.
 */
int mbx_notify_set(struct file *file, struct mbx_call *call)
{
	const struct mailbox_notify *args = &call->notify;
	struct mbx_handle *handle = file->private_data;
	struct mbx_notify *new = NULL, *old = NULL;
	struct mbx_box *box = handle->box;
	int ret;

	if (args->flags & ~NOTIFY_FLAGS)
		return -EOPNOTSUPP;
	if (!events_are_valid(args->events))
		return -EINVAL;
	/* There is no such moment: each subscriber has messages of its own. */
	if ((args->events & MAILBOX_EVENT_FIRST) && box->policy == MAILBOX_POLICY_BROADCAST)
		return -EINVAL;
	if (args->events) {
		new = begin(box, args);
		if (IS_ERR(new))
			return PTR_ERR(new);
	}

	spin_lock(&box->lock);
	/* Nobody would end what begins after that. */
	ret = mbx_handle_refused_locked(handle) ?: replace_locked(handle, new, &old);
	spin_unlock(&box->lock);

	mbx_notify_end(ret ? new : old);
	return ret;
}
