/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MBX_DOMAIN_H
#define MBX_DOMAIN_H

#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/refcount.h>
#include <linux/xarray.h>

#include "directory.h"

struct mbx_box;
struct net;

/**
 * DOC: domain
 *
 * The mailboxes that a process can name: one domain for each network namespace. A
 * domain gives out ids, keeps names apart, and counts handles, so that a temporary
 * mailbox ends with its last one. It is on no message's path.
 *
 * It does not keep its namespace alive. When the namespace goes, the domain ends:
 * all its mailboxes are destroyed, permanent or not, and no new one can be made,
 * though descriptors that are still open elsewhere keep the memory.
 */

/**
 * struct mbx_domain - the mailboxes of one network namespace
 * @refs: the namespace, devices and mailboxes
 * @lock: guards everything below, and what struct mbx_box says; outermost lock
 * @boxes: mailboxes by id; a reserved id is there and empty
 * @names: mailboxes that have a name, reserved ones too
 * @last_id: the last id given out
 * @ended: the namespace is gone
 * @stays: it is that of the first namespace, which never goes; constant
 * @directory: direct communication; it has its own lock
 */
struct mbx_domain {
	refcount_t refs;
	struct mutex lock;
	struct xarray boxes;
	struct rb_root names;
	u64 last_id;
	bool ended;
	bool stays;
	struct mbx_directory directory;
};

struct mbx_domain *mbx_domain_of_current(void);
struct mbx_domain *mbx_domain_get(struct mbx_domain *domain);
void mbx_domain_put(struct mbx_domain *domain);

bool mbx_name_is_valid(const char *name);
int mbx_domain_reserve(struct mbx_domain *domain, struct mbx_box *box);
void mbx_domain_unreserve(struct mbx_domain *domain, struct mbx_box *box);
int mbx_domain_publish(struct mbx_domain *domain, struct mbx_box *box);
bool mbx_domain_remove(struct mbx_box *box);
int mbx_domain_may_rename_locked(const struct mbx_box *box, const char *name);
void mbx_domain_rename_locked(struct mbx_box *box, char **name);
bool mbx_domain_remove_locked(struct mbx_box *box);
struct mbx_box *mbx_domain_find_locked(struct mbx_domain *domain, u64 id, const char *name);

int mbx_domain_init(void);
void mbx_domain_fini(void);

#endif /* MBX_DOMAIN_H */
