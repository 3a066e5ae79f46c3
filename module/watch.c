// SPDX-License-Identifier: GPL-2.0-only
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "compat.h"
#include "directory.h"
#include "domain.h"
#include "expire.h"
#include "inbox.h"
#include "ioctl.h"
#include "mailbox.h"
#include "notify.h"
#include "quota.h"
#include "watch.h"

/**
 * struct mbx_watch - one inbox at one open device
 * @wait: its place among those who poll the mailbox of the inbox
 * @node: place among the watches of the device (guarded by the device lock)
 * @others: place among the watches of the inbox (guarded by the directory lock)
 * @inbox: the inbox, with a reference; constant
 * @device: the device, which ends it before it goes; constant
 * @charge: of who polled; constant
 * @eventfd: what NOTIFY has given, with a reference, or NULL (guarded by the lock of the queue
 *	that @wait is in, and so is @events)
 * @events: what it is told
 */
struct mbx_watch {
	wait_queue_entry_t wait;
	struct rb_node node;
	struct list_head others;
	struct mbx_inbox *inbox;
	struct mbx_device *device;
	struct mbx_charge charge;
	struct eventfd_ctx *eventfd;
	__poll_t events;
};

static int tell_pollers(wait_queue_entry_t *wait, unsigned int mode, int sync, void *key)
{
	struct mbx_watch *watch = container_of(wait, struct mbx_watch, wait);

	if (watch->eventfd && (!key || key_to_poll(key) & watch->events))
		mbx_eventfd_signal(watch->eventfd);
	/* All of them: another process at this device looks at another inbox. */
	__wake_up(&watch->device->poll, TASK_INTERRUPTIBLE, 0, key);
	return 0;
}

static int watch_cmp(const void *key, const struct rb_node *node)
{
	const struct mbx_inbox *inbox = key, *other = rb_entry(node, struct mbx_watch, node)->inbox;

	return inbox < other ? -1 : inbox > other;
}

static int watch_cmp_nodes(struct rb_node *new, const struct rb_node *node)
{
	return watch_cmp(rb_entry(new, struct mbx_watch, node)->inbox, node);
}

static struct mbx_watch *watch_new(struct mbx_device *device, struct mbx_inbox *inbox)
{
	struct mbx_watch *watch = kzalloc(sizeof(*watch), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!watch)
		return ERR_PTR(-ENOMEM);
	ret = mbx_charge_take_own(&watch->charge, sizeof(*watch));
	if (ret) {
		kfree(watch);
		return ERR_PTR(ret);
	}
	watch->device = device;
	watch->inbox = inbox;
	init_waitqueue_func_entry(&watch->wait, tell_pollers);
	return watch;
}

static void end_locked(struct mbx_watch *watch)
{
	struct mbx_inbox *inbox = watch->inbox;

	lockdep_assert_held(&inbox->domain->directory.lock);
	remove_wait_queue(&inbox->box->poll, &watch->wait);
	spin_lock(&watch->device->lock);
	rb_erase(&watch->node, &watch->device->watches);
	spin_unlock(&watch->device->lock);
	list_del(&watch->others);
	WRITE_ONCE(inbox->users, inbox->users - 1);
	if (watch->eventfd)
		eventfd_ctx_put(watch->eventfd);
	mbx_charge_drop(&watch->charge);
	kfree(watch);
}

/**
 * mbx_watch_end_any_locked() - end one of the watches of an inbox
 * @inbox: the inbox, the directory lock held; the caller has another reference
 *
 * Its process has ended; or the domain has, and then those who poll are told: nothing else
 * will wake them.
 *
 * Context: Process context, may sleep.
 * Return: false when there are none.
 */
bool mbx_watch_end_any_locked(struct mbx_inbox *inbox)
{
	struct mbx_watch *watch =
		list_first_entry_or_null(&inbox->watches, struct mbx_watch, others);

	if (!watch)
		return false;
	if (inbox->domain->directory.ended)
		tell_pollers(&watch->wait, TASK_INTERRUPTIBLE, 0, NULL);
	end_locked(watch);
	mbx_inbox_put(inbox);
	return true;
}

/**
 * mbx_watch_leave() - an open device is closed
 * @device: the device
 *
 * Context: Process context, may sleep.
 */
void mbx_watch_leave(struct mbx_device *device)
{
	struct mbx_directory *directory = &device->domain->directory;
	struct mbx_watch *watch;

	do {
		LIST_HEAD(idle);

		mutex_lock(&directory->lock);
		watch = rb_entry_safe(rb_first(&device->watches), struct mbx_watch, node);
		if (watch) {
			struct mbx_inbox *inbox = watch->inbox;

			end_locked(watch);
			mbx_inbox_tidy_locked(inbox, &idle);
			mbx_inbox_put(inbox);
		}
		mutex_unlock(&directory->lock);
		mbx_inbox_bury(&idle);
		cond_resched();
	} while (watch);
}

/* It stays while the directory lock is held. */
static struct mbx_watch *watch_find(struct mbx_device *device, struct mbx_inbox *inbox)
{
	struct rb_node *found;

	spin_lock(&device->lock);
	found = rb_find(inbox, &device->watches, watch_cmp);
	spin_unlock(&device->lock);
	return rb_entry_safe(found, struct mbx_watch, node);
}

/* Takes over the reference on the inbox where it succeeds. */
static int begin_locked(struct mbx_device *device, struct mbx_inbox *inbox)
{
	struct mbx_watch *watch = watch_new(device, inbox);
	struct mbx_box *box = inbox->box;

	if (IS_ERR(watch))
		return PTR_ERR(watch);
	spin_lock(&device->lock);
	rb_find_add(&watch->node, &device->watches, watch_cmp_nodes);
	spin_unlock(&device->lock);
	list_add_tail(&watch->others, &inbox->watches);
	WRITE_ONCE(inbox->users, inbox->users + 1);
	spin_lock(&box->lock);
	/* Who changes the mailbox after us sees it: mbx_box_wake_pollers_locked(). */
	add_wait_queue(&box->poll, &watch->wait);
	spin_unlock(&box->lock);
	return 0;
}

/* Return: the inbox of the current process, with a reference and watched; or ERR_PTR. */
static struct mbx_inbox *begin(struct mbx_device *device)
{
	struct mbx_directory *directory = &device->domain->directory;
	struct mbx_inbox *inbox;
	LIST_HEAD(idle);
	int ret = 0;

	/*
	 * Who was told of the end asks again (epoll_wait(2)), maybe before the inbox has gone,
	 * and is not told again.
	 */
	if (READ_ONCE(directory->ended))
		return ERR_PTR(-EIDRM);
	inbox = mbx_inbox_find(device->domain, task_tgid(current));
	if (inbox && watch_find(device, inbox))
		return inbox;
	if (inbox)
		mbx_inbox_put(inbox);

	mutex_lock(&directory->lock);
	inbox = mbx_inbox_get_locked(device->domain, task_tgid(current));
	if (!IS_ERR(inbox) && !watch_find(device, inbox)) {
		ret = begin_locked(device, inbox);
		if (!ret)
			refcount_inc(&inbox->refs);
		else
			mbx_inbox_tidy_locked(inbox, &idle);
	}
	mutex_unlock(&directory->lock);
	mbx_inbox_bury(&idle);
	if (!ret)
		return inbox;
	mbx_inbox_put(inbox);
	return ERR_PTR(ret);
}

/* Return: what the watch of the current process told before, if there is one. */
static struct eventfd_ctx *exchange(struct mbx_device *device, struct mbx_inbox *inbox,
				    struct eventfd_ctx *eventfd, __poll_t events)
{
	struct mbx_directory *directory = &device->domain->directory;
	struct wait_queue_head *queue = &inbox->box->poll;
	struct mbx_watch *watch;

	mutex_lock(&directory->lock);
	watch = watch_find(device, inbox);
	if (watch) {
		spin_lock_irq(&queue->lock);
		swap(watch->eventfd, eventfd);
		watch->events = events;
		spin_unlock_irq(&queue->lock);
	}
	mutex_unlock(&directory->lock);
	return eventfd;
}

static __poll_t events_of(u32 events)
{
	return (events & MAILBOX_EVENT_MESSAGE ? EPOLLIN : 0) |
	       (events & MAILBOX_EVENT_ENDED ? MBX_POLL_ENDED : 0);
}

/**
 * mbx_watch_notify() - MAILBOX_IOC_NOTIFY on the device
 * @file: the device
 * @call: the call
 * Return: 0; -EOPNOTSUPP; -EINVAL; -EDQUOT; -ENOMEM; -EIDRM.
 */
int mbx_watch_notify(struct file *file, struct mbx_call *call)
{
	const struct mailbox_notify *args = &call->notify;
	struct mbx_device *device = file->private_data;
	struct eventfd_ctx *eventfd = NULL;
	struct mbx_inbox *inbox;

	if (args->flags)
		return -EOPNOTSUPP;
	if (args->events & ~(MAILBOX_EVENT_MESSAGE | MAILBOX_EVENT_ENDED))
		return -EINVAL;
	if (args->events) {
		eventfd = eventfd_ctx_fdget(args->eventfd);
		if (IS_ERR(eventfd))
			return -EINVAL;
		inbox = begin(device);
	} else {
		inbox = mbx_inbox_find(device->domain, task_tgid(current));
	}
	/* A process that ends meanwhile takes its watch away, and has nothing to be told. */
	if (!IS_ERR_OR_NULL(inbox)) {
		eventfd = exchange(device, inbox, eventfd, events_of(args->events));
		mbx_inbox_put(inbox);
	}
	if (eventfd)
		eventfd_ctx_put(eventfd);
	return PTR_ERR_OR_ZERO(inbox);
}

/**
 * mbx_watch_poll() - poll(2) on the device
 * @file: the device
 * @table: where the poller waits
 *
 * Context: Process context, may sleep.
 * Return: EPOLLIN while a message waits for the current process, EPOLLRDHUP when another one
 * has ended.
 */
__poll_t mbx_watch_poll(struct file *file, struct poll_table_struct *table)
{
	struct mbx_device *device = file->private_data;
	struct mbx_inbox *inbox;
	__poll_t events = 0;

	poll_wait(file, &device->poll, table);
	/*
	 * io_submit(2) has the kernel ask again in a thread of its own, for whom it does not
	 * say: there may be something. The process itself finds out.
	 */
	if (current->flags & PF_KTHREAD)
		return EPOLLIN | EPOLLRDNORM;
	inbox = begin(device);
	if (inbox == ERR_PTR(-EIDRM))
		return EPOLLHUP | EPOLLERR;
	if (IS_ERR(inbox))
		return EPOLLERR;
	mbx_box_lock_fresh(inbox->box);
	if (inbox->box->closed)
		events = EPOLLHUP | EPOLLERR;
	else if (inbox->box->queue.nr)
		events = EPOLLIN | EPOLLRDNORM;
	if (inbox->ended != inbox->ended_seen)
		events |= EPOLLRDHUP;
	spin_unlock(&inbox->box->lock);
	mbx_inbox_put(inbox);
	return events;
}
