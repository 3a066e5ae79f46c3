/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MBX_DIRECTORY_H
#define MBX_DIRECTORY_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/types.h>

struct delayed_work;
struct work_struct;

/**
 * DOC: directory
 *
 * What a domain knows of direct communication: the inboxes of its processes and the links
 * between them, see inbox.h and link.h. Its lock is held to make and to end these, and to
 * list them; a message over a link that exists takes none of it.
 */

/**
 * struct mbx_directory - inboxes and links of one domain
 * @lock: guards all below, and what inbox.h and link.h say; outside mailbox locks, and
 *	never together with the domain lock
 * @inboxes: those that can be found
 * @links: those that have carried a message, by number
 * @last_number: of the last link
 * @ended: the domain has ended
 */
struct mbx_directory {
	struct mutex lock;
	struct list_head inboxes;
	struct rb_root links;
	u64 last_number;
	bool ended;
};

void mbx_directory_init(struct mbx_directory *directory);
void mbx_directory_end(struct mbx_directory *directory);
void mbx_directory_work(struct work_struct *work);
bool mbx_directory_queue(struct delayed_work *work);
bool mbx_directory_queue_later(struct delayed_work *work, u64 time);

int mbx_directories_init(void);
void mbx_directories_fini(void);

#endif /* MBX_DIRECTORY_H */
