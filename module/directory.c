// SPDX-License-Identifier: GPL-2.0-only
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/sched.h>
#include <linux/workqueue.h>

#include "directory.h"
#include "domain.h"
#include "inbox.h"
#include "link.h"
#include "peer.h"
#include "watch.h"

/* How many links are ended in one go with the lock held. */
#define END_STEP 64

static struct workqueue_struct *enders;

/* Return: true when there is more. */
static bool end_some_locked(struct mbx_inbox *inbox, struct list_head *idle)
{
	struct mbx_link_side *side;
	int nr;

	for (nr = 0; nr < END_STEP; nr++) {
		side = list_first_entry_or_null(&inbox->links, struct mbx_link_side, others);
		if (side)
			mbx_link_remove_locked(side->link, idle);
		else if (!mbx_watch_end_any_locked(inbox))
			return false;
	}
	return true;
}

/* Of a process, or of a domain, that has ended: nobody comes to use it any more. */
static void end_inbox(struct mbx_inbox *inbox)
{
	struct mbx_directory *directory = &inbox->domain->directory;
	bool more;

	do {
		LIST_HEAD(idle);

		mutex_lock(&directory->lock);
		more = end_some_locked(inbox, &idle);
		if (!more && !inbox->gone)
			mbx_inbox_remove_locked(inbox, &idle);
		mutex_unlock(&directory->lock);
		mbx_inbox_bury(&idle);
		cond_resched();
	} while (more);
}

/**
 * mbx_directory_work() - a thread of a process, perhaps the last one, has exited; or messages
 * have expired in an inbox that nobody uses
 * @work: of the inbox, with a reference
 */
void mbx_directory_work(struct work_struct *work)
{
	struct mbx_inbox *inbox = container_of(to_delayed_work(work), struct mbx_inbox, work);

	if (mbx_peer_has_ended(inbox->process))
		end_inbox(inbox);
	else
		mbx_inbox_tidy(inbox);
	mbx_inbox_put(inbox);
}

/**
 * mbx_directory_queue() - have the work of an inbox done
 * @work: of an inbox, with a reference for it
 *
 * Context: Any.
 * Return: false if it is to be done already, and needs no further reference.
 */
bool mbx_directory_queue(struct delayed_work *work)
{
	return !mod_delayed_work(enders, work, 0);
}

/**
 * mbx_directory_queue_later() - have it done some time
 * @work: of an inbox, with a reference for it
 * @time: CLOCK_MONOTONIC ns
 *
 * Context: Any.
 * Return: as mbx_directory_queue().
 */
bool mbx_directory_queue_later(struct delayed_work *work, u64 time)
{
	const u64 now = ktime_get_ns();

	/* One jiffy more, so that it is over by then. */
	return queue_delayed_work(enders, work, time > now ? nsecs_to_jiffies(time - now) + 1 : 0);
}

/**
 * mbx_directory_init() - before the first inbox of a domain
 * @directory: the directory
 */
void mbx_directory_init(struct mbx_directory *directory)
{
	mutex_init(&directory->lock);
	INIT_LIST_HEAD(&directory->inboxes);
	directory->links = RB_ROOT;
}

/**
 * mbx_directory_end() - end all inboxes and links of a domain; no new ones are made
 * @directory: the directory
 *
 * Context: Process context, may sleep.
 */
void mbx_directory_end(struct mbx_directory *directory)
{
	struct mbx_inbox *inbox;

	for (;;) {
		mutex_lock(&directory->lock);
		/* Read without the lock by who looks whether to begin again. */
		WRITE_ONCE(directory->ended, true);
		inbox = list_first_entry_or_null(&directory->inboxes, struct mbx_inbox, others);
		if (inbox)
			refcount_inc(&inbox->refs);
		mutex_unlock(&directory->lock);
		if (!inbox)
			break;
		end_inbox(inbox);
		mbx_inbox_put(inbox);
	}
}

/**
 * mbx_directories_init() - before the first domain
 * Return: 0 or a negative errno.
 */
int mbx_directories_init(void)
{
	int ret;

	enders = alloc_workqueue("mailbox", WQ_UNBOUND, 0);
	if (!enders)
		return -ENOMEM;
	ret = mbx_inboxes_init();
	if (ret)
		goto err_enders;
	ret = mbx_links_init();
	if (ret)
		goto err_inboxes;
	return 0;

err_inboxes:
	mbx_inboxes_fini();
err_enders:
	destroy_workqueue(enders);
	return ret;
}

/**
 * mbx_directories_fini() - after the last domain
 */
void mbx_directories_fini(void)
{
	/* What they have references on goes with the last of them. */
	destroy_workqueue(enders);
	mbx_links_fini();
	mbx_inboxes_fini();
}
