/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MBX_WATCH_H
#define MBX_WATCH_H

#include <linux/poll.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>

struct file;
struct mbx_call;
struct mbx_domain;
struct mbx_inbox;

/**
 * DOC: watch
 *
 * Whoever polls an open device waits for messages to its own inbox. Several processes may
 * have the same open device, and what polls may outlive an inbox (an epoll that nobody
 * removed the device from). So they wait at the device, and a *watch* for each process that
 * has polled passes on what happens at its inbox. An eventfd that NOTIFY gave to the device is
 * told by the watch, too. It goes with the inbox or with the device, whichever goes first, and
 * is charged to the process.
 */

/**
 * struct mbx_device - an open device
 * @domain: the domain, with a reference; constant
 * @poll: who polls
 * @lock: guards @watches; inside the directory lock
 * @watches: by inbox
 */
struct mbx_device {
	struct mbx_domain *domain;
	wait_queue_head_t poll;
	spinlock_t lock;
	struct rb_root watches;
};

int mbx_watch_notify(struct file *file, struct mbx_call *call);
__poll_t mbx_watch_poll(struct file *file, struct poll_table_struct *table);
bool mbx_watch_end_any_locked(struct mbx_inbox *inbox);
void mbx_watch_leave(struct mbx_device *device);

#endif /* MBX_WATCH_H */
