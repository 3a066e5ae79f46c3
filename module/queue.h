/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MBX_QUEUE_H
#define MBX_QUEUE_H

#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/types.h>

/**
 * DOC: queue
 *
 * A queue keeps entries in order: by priority, largest first, then by sequence
 * number. It finds one by any of enum mbx_select_kind in O(log n). It knows
 * nothing of messages, limits, waiting or locks: it belongs to a mailbox, whose
 * lock its callers hold.
 *
 * Entries that arrived one right after the other with the same priority, type and
 * sender form a *run* of at most MBX_RUN_MAX: a plain list behind its first entry,
 * the leader. Since nothing arrived between them, nothing can stand between them
 * in any of the orders below, so the search trees hold leaders only, and a queue
 * of one run does without trees. A steady stream costs a list insertion and a
 * list removal for each message.
 *
 * An entry that is taken out may come back to its old place (mbx_queue_return()).
 * That is why a run ends (mbx_queue_seal()) when a message passes the queue by: it
 * could come back, and its place must not be inside a run.
 */

/* Bounds the walk along a run when an entry is looked up by its index, to half of it. */
#define MBX_RUN_MAX 256

/**
 * struct mbx_lease - who has an entry that was taken out and may come back, see lease.h
 * @handle: the handle it was taken through; NULL while nobody has it
 * @holder: the table of descriptors of the process that has it; compared, never followed
 * @number: of the lease
 * @expiry: when the entry expires, or 0; the @expiry of the entry itself says when the
 *	lease ends
 */
struct mbx_lease {
	struct mbx_handle *handle;
	const void *holder;
	u64 number;
	u64 expiry;
};

/**
 * struct mbx_entry - what a queue knows of one message
 * @sequence: number of the message, unique in its queue
 * @type: what the sender called it
 * @sender: who sent it; compared, never followed
 * @expiry: when it expires, or 0
 * @priority: larger is earlier
 * @run_length: entries of the run if this is its leader, else 0
 * @run: circular list of the entries of a run, in order; where there are two or more
 * @order: place of a leader among all, by priority and sequence
 * @by_type: place of a leader by type, then priority and sequence
 * @by_sender: place of a leader by sender, then priority and sequence
 * @lease: of an entry that is not in the queue; its place among the leases is @order
 * @by_expiry: place of an entry that expires, by time
 * @sum: of the leaders in the subtree of @order
 * @sum.oldest: least sequence
 * @sum.nr: entries
 * @first: the first in order in the subtree of @by_type
 *
 * @sequence to @priority are constant while the entry is in a queue, the rest is
 * guarded by the lock of the queue's owner.
 */
struct mbx_entry {
	u64 sequence;
	u64 type;
	unsigned long sender;
	u64 expiry;
	u32 priority;
	u32 run_length;
	struct list_head run;
	struct rb_node order;
	union {
		struct {
			struct rb_node by_type;
			struct rb_node by_sender;
		};
		struct mbx_lease lease;
	};
	struct rb_node by_expiry;
	struct mbx_entry_sum {
		u64 oldest;
		u64 nr;
	} sum;
	struct mbx_entry *first;
};

/**
 * struct mbx_queue - the entries of one mailbox in order
 * @nr: entries
 * @sole: leader of the only run; NULL when there is none, or when there are more and
 *	their leaders are in the trees
 * @open: leader of the run that the entry pushed last is in, or NULL
 * @order: leaders by priority and sequence
 * @by_type: leaders by type
 * @by_sender: leaders by sender
 * @by_expiry: entries that expire, by time; also those with a lease that ends
 *
 * All guarded by the owner's lock.
 */
struct mbx_queue {
	u64 nr;
	struct mbx_entry *sole;
	struct mbx_entry *open;
	struct rb_root_cached order;
	struct rb_root by_type;
	struct rb_root by_sender;
	struct rb_root_cached by_expiry;
};

/**
 * enum mbx_select_kind - how a receiver chooses
 * @MBX_SELECT_FIRST: the first in order
 * @MBX_SELECT_TYPE: the first of a type
 * @MBX_SELECT_TYPE_UP_TO: the first of the lowest type, if that is low enough
 * @MBX_SELECT_TYPE_NOT: the first of any other type
 * @MBX_SELECT_SENDER: the first of a sender
 * @MBX_SELECT_PRIORITY: the first, if its priority is high enough
 * @MBX_SELECT_INDEX: the one with so many before it
 * @MBX_SELECT_NR: how many kinds there are
 *
 * The values are those of enum mailbox_select in the uapi header.
 */
enum mbx_select_kind {
	MBX_SELECT_FIRST,
	MBX_SELECT_TYPE,
	MBX_SELECT_TYPE_UP_TO,
	MBX_SELECT_TYPE_NOT,
	MBX_SELECT_SENDER,
	MBX_SELECT_PRIORITY,
	MBX_SELECT_INDEX,
	MBX_SELECT_NR,
};

/**
 * struct mbx_select - a choice
 * @kind: one of enum mbx_select_kind
 * @match: the type, sender, priority or index
 */
struct mbx_select {
	u32 kind;
	u64 match;
};

struct mbx_handle;

void mbx_queue_init(struct mbx_queue *q);
void mbx_queue_watch(struct mbx_queue *q, struct mbx_entry *e);
void mbx_queue_append(struct mbx_queue *q, struct mbx_entry *e);
void mbx_queue_return(struct mbx_queue *q, struct mbx_entry *e);
void mbx_queue_extract(struct mbx_queue *q, struct mbx_entry *e);
struct mbx_entry *mbx_queue_find(const struct mbx_queue *q, const struct mbx_select *select);
struct mbx_entry *mbx_queue_oldest(const struct mbx_queue *q);
struct mbx_entry *mbx_queue_next_sender(const struct mbx_queue *q, unsigned long after);
u64 mbx_queue_count_sender(const struct mbx_queue *q, unsigned long sender);
u64 mbx_queue_rank(const struct mbx_queue *q, u64 sequence);
bool mbx_select_matches(const struct mbx_select *select, const struct mbx_entry *e);

/**
 * mbx_queue_push() - add an entry that has just arrived
 * @q: the queue
 * @e: the entry; its sequence is larger than any that the queue has seen
 */
static inline void mbx_queue_push(struct mbx_queue *q, struct mbx_entry *e)
{
	/* In line, and short: the only one, where receivers keep up. */
	if (likely(!q->nr && !e->expiry)) {
		e->run_length = 1;
		q->nr = 1;
		q->sole = e;
		q->open = e;
		return;
	}
	mbx_queue_append(q, e);
}

/**
 * mbx_queue_remove() - take an entry out, wherever it is
 * @q: the queue
 * @e: an entry of it
 */
static inline void mbx_queue_remove(struct mbx_queue *q, struct mbx_entry *e)
{
	if (likely(q->nr == 1 && !e->expiry)) {
		q->nr = 0;
		q->sole = NULL;
		q->open = NULL;
		return;
	}
	mbx_queue_extract(q, e);
}

/**
 * mbx_queue_first() - the first entry in order
 * @q: the queue
 * Return: the entry, or NULL when the queue is empty.
 */
static inline struct mbx_entry *mbx_queue_first(const struct mbx_queue *q)
{
	if (likely(q->sole))
		return q->sole;
	return rb_entry_safe(rb_first_cached(&q->order), struct mbx_entry, order);
}

/**
 * mbx_queue_seal() - let no later entry join the run of the entry pushed last
 * @q: the queue
 */
static inline void mbx_queue_seal(struct mbx_queue *q)
{
	q->open = NULL;
}

/**
 * mbx_queue_unwatch() - undo mbx_queue_watch()
 * @q: the queue
 * @e: the entry
 */
static inline void mbx_queue_unwatch(struct mbx_queue *q, struct mbx_entry *e)
{
	if (unlikely(e->expiry))
		rb_erase_cached(&e->by_expiry, &q->by_expiry);
}

/**
 * mbx_queue_next_expiry() - the entry that expires first
 * @q: the queue
 * Return: the entry, or NULL when none expires.
 */
static inline struct mbx_entry *mbx_queue_next_expiry(const struct mbx_queue *q)
{
	return rb_entry_safe(rb_first_cached(&q->by_expiry), struct mbx_entry, by_expiry);
}

#endif /* MBX_QUEUE_H */
