/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MBX_LINK_H
#define MBX_LINK_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/rhashtable-types.h>
#include <linux/types.h>

#include "quota.h"

struct mbx_directory;
struct mbx_domain;
struct mbx_inbox;
struct mbx_share;
struct pid;

/**
 * DOC: link
 *
 * The direct connection of exactly two processes in one domain, for both directions. The
 * first message makes it, and it ends with the first of the two that ends; what was sent
 * by then is in the inbox of the other.
 *
 * There is one for each pair: both sides find it by the same key, and it is made under the
 * directory lock. A link is *established* when it has carried a message. Before that it is
 * there only for the sends that are under way, nobody sees it, and it goes with the last of
 * them that fails.
 */

/**
 * struct mbx_link_key - what a link is found by
 * @directory: where it is
 * @processes: the two, the one with the lower address first
 */
struct mbx_link_key {
	const struct mbx_directory *directory;
	const struct pid *processes[2];
};

/**
 * struct mbx_link_side - one of the two processes
 * @link: back
 * @inbox: of this process, with a reference; constant
 * @others: place among the links of the inbox (guarded by the directory lock)
 * @share: what the user that was first to send from this side takes up in the inbox of the
 *	other, pinned; NULL before (written once under the directory lock, read without it)
 * @sent: messages that this side has sent, or is sending; atomic
 */
struct mbx_link_side {
	struct mbx_link *link;
	struct mbx_inbox *inbox;
	struct list_head others;
	struct mbx_share *share;
	atomic64_t sent;
};

/**
 * struct mbx_link - two processes that speak to each other
 * @node: place in the table of all links
 * @key: constant
 * @refs: the table, and calls
 * @rcu: readers of the table may look at it for a while
 * @sides: of @key.processes
 * @charge: of who made it; constant
 * @number: counts up in the domain; constant once @established
 * @created: when it was established, CLOCK_MONOTONIC ns; constant then
 * @by_number: place among those of the directory, once @established
 * @sends: how many are under way that may establish it
 * @established: written once, read without the lock
 * @gone: it can be found no more
 *
 * @by_number to @gone are guarded by the directory lock.
 */
struct mbx_link {
	struct rhash_head node;
	struct mbx_link_key key;
	refcount_t refs;
	struct rcu_head rcu;
	struct mbx_link_side sides[2];
	struct mbx_charge charge;
	u64 number;
	u64 created;
	struct rb_node by_number;
	u32 sends;
	bool established;
	bool gone;
};

/**
 * mbx_link_other() - the other side
 * @side: of a link
 * Return: the other side.
 */
static inline struct mbx_link_side *mbx_link_other(const struct mbx_link_side *side)
{
	struct mbx_link *link = side->link;

	return &link->sides[side == &link->sides[0]];
}

int mbx_link_may_signal(struct pid *process);
struct mbx_link_side *mbx_link_begin(struct mbx_domain *domain, struct pid *process, bool *first);
void mbx_link_end(struct mbx_link_side *side, bool first, bool sent);
struct mbx_link *mbx_link_next_locked(struct mbx_directory *directory, u64 after);
void mbx_link_remove_locked(struct mbx_link *link, struct list_head *idle);
void mbx_link_put(struct mbx_link *link);

int mbx_links_init(void);
void mbx_links_fini(void);

#endif /* MBX_LINK_H */
