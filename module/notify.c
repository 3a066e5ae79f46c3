// SPDX-License-Identifier: GPL-2.0-only
#include <linux/bits.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/wait.h>

#include "compat.h"
#include "handle.h"
#include "ioctl.h"
#include "mailbox.h"
#include "notify.h"

/**
 * struct mbx_notify - an eventfd that is told what happens at a mailbox
 * @wait: its place among those who poll
 * @box: the mailbox; the handle has the reference
 * @eventfd: the eventfd, with a reference
 * @events: what it is told
 */
struct mbx_notify {
	wait_queue_entry_t wait;
	struct mbx_box *box;
	struct eventfd_ctx *eventfd;
	__poll_t events;
};

/* By bit of enum mailbox_event. */
static const __poll_t names[] = {
	EPOLLIN,
	EPOLLOUT,
	MBX_POLL_RECEIVER,
	MBX_POLL_SENDER,
	MBX_POLL_NO_RECEIVER,
	MBX_POLL_NO_SENDER,
	MBX_POLL_ABANDONED,
};

static int tell(wait_queue_entry_t *wait, unsigned int mode, int sync, void *key)
{
	struct mbx_notify *notify = container_of(wait, struct mbx_notify, wait);

	/* Without a key it is the end of the mailbox, or of a pair. */
	if (!key || key_to_poll(key) & notify->events)
		mbx_eventfd_signal(notify->eventfd);
	return 0;
}

static struct mbx_notify *begin(struct mbx_box *box, u32 events, int fd)
{
	struct mbx_notify *notify;
	int i;

	notify = kzalloc(sizeof(*notify), GFP_KERNEL_ACCOUNT);
	if (!notify)
		return ERR_PTR(-ENOMEM);
	notify->box = box;
	notify->eventfd = eventfd_ctx_fdget(fd);
	if (IS_ERR(notify->eventfd)) {
		kfree(notify);
		return ERR_PTR(-EINVAL);
	}
	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (events & BIT(i))
			notify->events |= names[i];
	init_waitqueue_func_entry(&notify->wait, tell);
	return notify;
}

/* Of begin(). */
static void undo(struct mbx_notify *notify)
{
	eventfd_ctx_put(notify->eventfd);
	kfree(notify);
}

/**
 * mbx_notify_end() - tell an eventfd nothing more
 * @notify: what mbx_notify_set() began; or NULL
 *
 * Context: Process context, may sleep.
 */
void mbx_notify_end(struct mbx_notify *notify)
{
	if (!notify)
		return;
	remove_wait_queue(&notify->box->poll, &notify->wait);
	undo(notify);
}

/**
 * mbx_notify_take_locked() - take what a handle has to tell an eventfd with
 * @handle: the handle, its mailbox's lock held; from now on it has none
 * Return: what it had, for mbx_notify_end(); or NULL.
 */
struct mbx_notify *mbx_notify_take_locked(struct mbx_handle *handle)
{
	struct mbx_notify *notify = handle->notify;

	lockdep_assert_held(&handle->box->lock);
	handle->notify = NULL;
	return notify;
}

/**
 * mbx_notify_hang_up() - tell an eventfd for the last time
 * @notify: what mbx_notify_set() began; or NULL
 *
 * Context: Process context, may sleep.
 */
void mbx_notify_hang_up(struct mbx_notify *notify)
{
	if (!notify)
		return;
	mbx_eventfd_signal(notify->eventfd);
	mbx_notify_end(notify);
}

/**
 * mbx_notify_set() - MAILBOX_IOC_NOTIFY
 * @file: a handle
 * @call: the call
 * Return: 0; -EOPNOTSUPP; -EINVAL; -EACCES; -ENOMEM; -EIDRM.
 */
int mbx_notify_set(struct file *file, struct mbx_call *call)
{
	const struct mailbox_notify *args = &call->notify;
	struct mbx_handle *handle = file->private_data;
	struct mbx_notify *new = NULL, *old = NULL;
	struct mbx_box *box = handle->box;
	int ret;

	if (args->flags)
		return -EOPNOTSUPP;
	if (args->events >= BIT(ARRAY_SIZE(names)))
		return -EINVAL;
	if (args->events) {
		new = begin(box, args->events, args->eventfd);
		if (IS_ERR(new))
			return PTR_ERR(new);
	}

	spin_lock(&box->lock);
	/* Nobody would end what begins after that. */
	ret = mbx_handle_refused_locked(handle);
	if (!ret) {
		old = mbx_notify_take_locked(handle);
		handle->notify = new;
		/* Who changes the mailbox after us sees it: mbx_box_wake_pollers_locked(). */
		if (new)
			add_wait_queue(&box->poll, &new->wait);
	}
	spin_unlock(&box->lock);

	if (ret && new)
		undo(new);
	mbx_notify_end(old);
	return ret;
}
