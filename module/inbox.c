// SPDX-License-Identifier: GPL-2.0-only
#include <linux/err.h>
#include <linux/pid.h>
#include <linux/poll.h>
#include <linux/rhashtable.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "directory.h"
#include "domain.h"
#include "expire.h"
#include "inbox.h"
#include "mailbox.h"
#include "peer.h"
#include "wait.h"

static struct rhashtable inboxes;

static const struct rhashtable_params table_params = {
	.head_offset = offsetof(struct mbx_inbox, node),
	.key_offset = offsetof(struct mbx_inbox, key),
	.key_len = sizeof(struct mbx_inbox_key),
	.automatic_shrinking = true,
};

/* Others send to it, so none of their users fills it alone. */
static const struct mailbox_create inbox_limits = {
	.policy = MAILBOX_POLICY_ANY,
	.capacity = MAILBOX_CAPACITY_BOUNDED,
	.on_full = MAILBOX_ON_FULL_WAIT,
	.share = 50,
};

/* Under the lock of the queue: the last thread of the process has exited, or one has. */
static int tell_exit(wait_queue_entry_t *entry, unsigned int mode, int sync, void *key)
{
	struct mbx_inbox *inbox = container_of(entry, struct mbx_inbox, on_exit);

	/* While it stands in the queue, the directory has a reference. */
	refcount_inc(&inbox->refs);
	if (!mbx_directory_queue(&inbox->work))
		refcount_dec(&inbox->refs);
	return 0;
}

static struct mbx_inbox *lookup(struct mbx_domain *domain, const struct pid *process)
{
	const struct mbx_inbox_key key = { &domain->directory, process };

	return rhashtable_lookup(&inboxes, &key, table_params);
}

/**
 * mbx_inbox_find() - the inbox of a process
 * @domain: where
 * @process: the process
 * Return: the inbox, with a reference, or NULL when there is none.
 */
struct mbx_inbox *mbx_inbox_find(struct mbx_domain *domain, const struct pid *process)
{
	struct mbx_inbox *inbox;

	rcu_read_lock();
	inbox = lookup(domain, process);
	/* Its memory is there for as long as we read, its references may be gone. */
	if (inbox && !refcount_inc_not_zero(&inbox->refs))
		inbox = NULL;
	rcu_read_unlock();
	return inbox;
}

static struct mbx_inbox *inbox_new(struct mbx_domain *domain, struct pid *process)
{
	struct mbx_inbox *inbox;
	struct mbx_box *box;

	inbox = kzalloc(sizeof(*inbox), GFP_KERNEL_ACCOUNT);
	if (!inbox)
		return ERR_PTR(-ENOMEM);
	box = mbx_box_new(&inbox_limits);
	if (IS_ERR(box)) {
		kfree(inbox);
		return ERR_CAST(box);
	}
	box->domain = mbx_domain_get(domain);
	inbox->key = (struct mbx_inbox_key){ &domain->directory, process };
	inbox->domain = domain;
	inbox->process = get_pid(process);
	inbox->box = box;
	inbox->handle = (struct mbx_handle){
		.box = box,
		.rights = MAILBOX_RIGHT_SEND | MAILBOX_RIGHT_RECEIVE,
		.usual = MAILBOX_RIGHT_SEND | MAILBOX_RIGHT_RECEIVE,
	};
	mbx_grant_init(&inbox->handle.grant);
	refcount_set(&inbox->refs, 1);
	INIT_LIST_HEAD(&inbox->links);
	INIT_LIST_HEAD(&inbox->watches);
	init_waitqueue_func_entry(&inbox->on_exit, tell_exit);
	INIT_DELAYED_WORK(&inbox->work, mbx_directory_work);
	return inbox;
}

/**
 * mbx_inbox_put() - give a reference back
 * @inbox: the inbox
 *
 * Context: Process context, may sleep.
 */
void mbx_inbox_put(struct mbx_inbox *inbox)
{
	if (!refcount_dec_and_test(&inbox->refs))
		return;
	put_pid(inbox->process);
	mbx_box_put(inbox->box);
	kfree_rcu(inbox, rcu);
}

/**
 * mbx_inbox_get_locked() - the inbox of a process, made if there is none
 * @domain: where, its directory lock held
 * @process: the process; the caller pays
 *
 * What is made goes again with mbx_inbox_tidy_locked() unless somebody comes to use it.
 *
 * Context: Process context, may sleep.
 * Return: the inbox, with a reference; or ERR_PTR: -EIDRM when the domain has ended; -ESRCH
 * when the process has; -EDQUOT; -ENOMEM.
 */
struct mbx_inbox *mbx_inbox_get_locked(struct mbx_domain *domain, struct pid *process)
{
	struct mbx_directory *directory = &domain->directory;
	struct mbx_inbox *inbox;
	LIST_HEAD(idle);

	lockdep_assert_held(&directory->lock);
	if (directory->ended)
		return ERR_PTR(-EIDRM);
	inbox = mbx_inbox_find(domain, process);
	if (inbox)
		return inbox;
	inbox = inbox_new(domain, process);
	if (IS_ERR(inbox))
		return inbox;
	if (rhashtable_insert_fast(&inboxes, &inbox->node, table_params)) {
		mbx_inbox_put(inbox);
		return ERR_PTR(-ENOMEM);
	}
	list_add_tail(&inbox->others, &directory->inboxes);
	refcount_inc(&inbox->refs);
	/* Who exits after we look finds us in the queue. */
	add_wait_queue(&process->wait_pidfd, &inbox->on_exit);
	if (!mbx_peer_has_ended(process))
		return inbox;
	mbx_inbox_remove_locked(inbox, &idle);
	mbx_inbox_bury(&idle);
	mbx_inbox_put(inbox);
	return ERR_PTR(-ESRCH);
}

/**
 * mbx_inbox_own() - the inbox of the current process, made if there is none
 * @domain: where
 *
 * Context: Process context, may sleep.
 * Return: as mbx_inbox_get_locked().
 */
struct mbx_inbox *mbx_inbox_own(struct mbx_domain *domain)
{
	struct mbx_inbox *inbox = mbx_inbox_find(domain, task_tgid(current));

	if (likely(inbox))
		return inbox;
	mutex_lock(&domain->directory.lock);
	inbox = mbx_inbox_get_locked(domain, task_tgid(current));
	mutex_unlock(&domain->directory.lock);
	return inbox;
}

/**
 * mbx_inbox_remove_locked() - let an inbox be found no more
 * @inbox: one without links and watches, the directory lock held
 * @idle: where it is put, for mbx_inbox_bury()
 */
void mbx_inbox_remove_locked(struct mbx_inbox *inbox, struct list_head *idle)
{
	lockdep_assert_held(&inbox->domain->directory.lock);
	inbox->gone = true;
	rhashtable_remove_fast(&inboxes, &inbox->node, table_params);
	remove_wait_queue(&inbox->process->wait_pidfd, &inbox->on_exit);
	/* Nobody queues it any more. */
	if (cancel_delayed_work(&inbox->work))
		refcount_dec(&inbox->refs);
	list_move_tail(&inbox->others, idle);
}

/* Then nothing is lost with it: nobody enters, or waits, once it is closed. */
static bool close_if_empty(struct mbx_box *box)
{
	bool empty;

	mbx_box_lock_fresh(box);
	empty = !box->messages && !box->nr_waiting;
	if (empty) {
		/* Read without the lock at the start of a send, as a hint. */
		WRITE_ONCE(box->closed, true);
		mbx_box_set_room_locked(box);
	}
	spin_unlock(&box->lock);
	return empty;
}

/* What expires leaves without anybody who would tidy after that. */
static void look_later_locked(struct mbx_inbox *inbox)
{
	struct mbx_box *box = inbox->box;
	struct mbx_entry *next;
	u64 expiry;

	spin_lock(&box->lock);
	next = mbx_queue_next_expiry(&box->queue);
	expiry = next ? next->expiry : 0;
	spin_unlock(&box->lock);
	if (!next)
		return;
	refcount_inc(&inbox->refs);
	if (!mbx_directory_queue_later(&inbox->work, expiry))
		refcount_dec(&inbox->refs);
}

/**
 * mbx_inbox_tidy_locked() - remove an inbox that nobody uses
 * @inbox: the inbox, the directory lock held
 * @idle: where it is put then, for mbx_inbox_bury()
 */
void mbx_inbox_tidy_locked(struct mbx_inbox *inbox, struct list_head *idle)
{
	lockdep_assert_held(&inbox->domain->directory.lock);
	if (inbox->users || inbox->gone)
		return;
	if (close_if_empty(inbox->box))
		mbx_inbox_remove_locked(inbox, idle);
	else
		look_later_locked(inbox);
}

/**
 * mbx_inbox_bury() - end what was removed
 * @idle: inboxes
 *
 * Context: Process context, may sleep.
 */
void mbx_inbox_bury(struct list_head *idle)
{
	struct mbx_inbox *inbox, *next;

	list_for_each_entry_safe(inbox, next, idle, others) {
		mbx_box_close(inbox->box);
		mbx_inbox_put(inbox);
	}
}

/**
 * mbx_inbox_tidy() - remove an inbox if nobody uses it
 * @inbox: the inbox, with a reference
 *
 * Context: Process context, may sleep.
 */
void mbx_inbox_tidy(struct mbx_inbox *inbox)
{
	struct mbx_directory *directory = &inbox->domain->directory;
	LIST_HEAD(idle);

	/* A hint: who takes the last use away tidies, too. */
	if (likely(READ_ONCE(inbox->users)))
		return;
	mutex_lock(&directory->lock);
	mbx_inbox_tidy_locked(inbox, &idle);
	mutex_unlock(&directory->lock);
	mbx_inbox_bury(&idle);
}

/**
 * mbx_inboxes_init() - before the first inbox
 * Return: 0 or a negative errno.
 */
int mbx_inboxes_init(void)
{
	return rhashtable_init(&inboxes, &table_params);
}

/**
 * mbx_inboxes_fini() - after the last inbox
 */
void mbx_inboxes_fini(void)
{
	rhashtable_destroy(&inboxes);
}
