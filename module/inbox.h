/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MBX_INBOX_H
#define MBX_INBOX_H

#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/rhashtable-types.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "handle.h"

struct mbx_box;
struct mbx_directory;
struct mbx_domain;
struct pid;

/**
 * DOC: inbox
 *
 * Where a process receives what others send to it directly, in one domain: a mailbox without
 * name and id, which nobody can open. It is found by the struct pid of the process, so that
 * a number that is used again never stands for another process.
 *
 * It is made when it is needed, and paid for by who needs it: by a sender, or by the process
 * itself that receives or polls. It goes when the process ends, and before that when nobody
 * uses it any more. Then its mailbox closes: whoever still holds the inbox sees EIDRM, and
 * looks again.
 */

/**
 * struct mbx_inbox_key - what an inbox is found by
 * @directory: where it is
 * @process: whose it is
 */
struct mbx_inbox_key {
	const struct mbx_directory *directory;
	const struct pid *process;
};

/**
 * struct mbx_inbox - what is sent to one process directly
 * @node: place in the table of all inboxes
 * @key: constant
 * @domain: the mailbox has the reference
 * @process: with a reference; constant
 * @refs: the directory, links, watches, calls, and @work while it is queued
 * @rcu: readers of the table may look at it for a while
 * @box: the mailbox, with a reference; constant
 * @handle: through which it is sent to and received from; no descriptor has it
 * @others: place among the inboxes of the directory, or among those to be buried
 * @links: those of the process, also those to be (struct mbx_link_side)
 * @watches: by devices that are polled
 * @users: links, watches, and a word of the process on who may send to it
 * @ended: how many processes have ended that this one had a link with (guarded by the lock of
 *	the mailbox, and so is @ended_seen)
 * @ended_seen: of these, how many had ended when it listed its links
 * @who: enum mailbox_allow_who (written under the directory lock, read without it)
 * @gone: it can be found no more
 * @on_exit: in the queue that a pidfd of the process polls
 * @work: looks whether the process has ended, or nobody uses the inbox any more
 *
 * @others to @users and @gone are guarded by the directory lock; @users is read without it as
 * a hint.
 */
struct mbx_inbox {
	struct rhash_head node;
	struct mbx_inbox_key key;
	struct mbx_domain *domain;
	struct pid *process;
	refcount_t refs;
	struct rcu_head rcu;
	struct mbx_box *box;
	struct mbx_handle handle;
	struct list_head others;
	struct list_head links;
	struct list_head watches;
	u32 users;
	u32 ended;
	u32 ended_seen;
	u32 who;
	bool gone;
	wait_queue_entry_t on_exit;
	struct delayed_work work;
};

struct mbx_inbox *mbx_inbox_find(struct mbx_domain *domain, const struct pid *process);
struct mbx_inbox *mbx_inbox_get_locked(struct mbx_domain *domain, struct pid *process);
struct mbx_inbox *mbx_inbox_own(struct mbx_domain *domain);
void mbx_inbox_remove_locked(struct mbx_inbox *inbox, struct list_head *idle);
void mbx_inbox_tidy_locked(struct mbx_inbox *inbox, struct list_head *idle);
void mbx_inbox_tidy(struct mbx_inbox *inbox);
void mbx_inbox_bury(struct list_head *idle);
void mbx_inbox_put(struct mbx_inbox *inbox);

int mbx_inboxes_init(void);
void mbx_inboxes_fini(void);

#endif /* MBX_INBOX_H */
