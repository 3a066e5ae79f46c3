// SPDX-License-Identifier: GPL-2.0-only
#include <linux/minmax.h>
#include <linux/rbtree_augmented.h>

#include "queue.h"

#define order_entry(node)  rb_entry_safe(node, struct mbx_entry, order)
#define type_entry(node)   rb_entry_safe(node, struct mbx_entry, by_type)
#define sender_entry(node) rb_entry_safe(node, struct mbx_entry, by_sender)

static bool before(const struct mbx_entry *a, const struct mbx_entry *b)
{
	if (a->priority != b->priority)
		return a->priority > b->priority;
	return a->sequence < b->sequence;
}

static bool same_class(const struct mbx_entry *a, const struct mbx_entry *b)
{
	return a->priority == b->priority && a->type == b->type && a->sender == b->sender;
}

/* The tree of all leaders in order sums up how many entries it has and the oldest. */
static bool order_compute(struct mbx_entry *e, bool stop_if_same)
{
	const struct mbx_entry *left = order_entry(e->order.rb_left);
	const struct mbx_entry *right = order_entry(e->order.rb_right);
	struct mbx_entry_sum sum = { .oldest = e->sequence, .nr = e->run_length };

	if (left) {
		sum.oldest = min(sum.oldest, left->sum.oldest);
		sum.nr += left->sum.nr;
	}
	if (right) {
		sum.oldest = min(sum.oldest, right->sum.oldest);
		sum.nr += right->sum.nr;
	}
	if (stop_if_same && sum.oldest == e->sum.oldest && sum.nr == e->sum.nr)
		return true;
	e->sum = sum;
	return false;
}

RB_DECLARE_CALLBACKS(static, order_sums, struct mbx_entry, order, sum, order_compute)

/* The tree by type knows the first in order of every subtree. */
static bool type_compute(struct mbx_entry *e, bool stop_if_same)
{
	struct mbx_entry *left = type_entry(e->by_type.rb_left);
	struct mbx_entry *right = type_entry(e->by_type.rb_right);
	struct mbx_entry *first = e;

	if (left && before(left->first, first))
		first = left->first;
	if (right && before(right->first, first))
		first = right->first;
	if (stop_if_same && first == e->first)
		return true;
	e->first = first;
	return false;
}

RB_DECLARE_CALLBACKS(static, type_firsts, struct mbx_entry, by_type, first, type_compute)

static bool less_by_type(const struct mbx_entry *a, const struct mbx_entry *b)
{
	return a->type != b->type ? a->type < b->type : before(a, b);
}

static bool less_by_sender(const struct mbx_entry *a, const struct mbx_entry *b)
{
	return a->sender != b->sender ? a->sender < b->sender : before(a, b);
}

static void order_insert(struct mbx_queue *q, struct mbx_entry *e)
{
	struct rb_node **link = &q->order.rb_root.rb_node, *parent = NULL;
	bool leftmost = true;

	while (*link) {
		parent = *link;
		if (before(e, order_entry(parent))) {
			link = &parent->rb_left;
		} else {
			link = &parent->rb_right;
			leftmost = false;
		}
	}
	rb_link_node(&e->order, parent, link);
	order_compute(e, false);
	order_sums.propagate(parent, NULL);
	rb_insert_augmented_cached(&e->order, &q->order, leftmost, &order_sums);
}

static void type_insert(struct mbx_queue *q, struct mbx_entry *e)
{
	struct rb_node **link = &q->by_type.rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = less_by_type(e, type_entry(parent)) ? &parent->rb_left : &parent->rb_right;
	}
	e->first = e;
	rb_link_node(&e->by_type, parent, link);
	type_firsts.propagate(parent, NULL);
	rb_insert_augmented(&e->by_type, &q->by_type, &type_firsts);
}

static void sender_insert(struct mbx_queue *q, struct mbx_entry *e)
{
	struct rb_node **link = &q->by_sender.rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = less_by_sender(e, sender_entry(parent)) ? &parent->rb_left :
								 &parent->rb_right;
	}
	rb_link_node(&e->by_sender, parent, link);
	rb_insert_color(&e->by_sender, &q->by_sender);
}

static void index_insert(struct mbx_queue *q, struct mbx_entry *leader)
{
	order_insert(q, leader);
	type_insert(q, leader);
	sender_insert(q, leader);
}

static void index_erase(struct mbx_queue *q, struct mbx_entry *leader)
{
	rb_erase_augmented_cached(&leader->order, &q->order, &order_sums);
	rb_erase_augmented(&leader->by_type, &q->by_type, &type_firsts);
	rb_erase(&leader->by_sender, &q->by_sender);
}

/* The next of a run takes the place of its leader in the trees: no search. */
static void index_replace(struct mbx_queue *q, struct mbx_entry *old, struct mbx_entry *new)
{
	rb_replace_node_cached(&old->order, &new->order, &q->order);
	rb_replace_node(&old->by_type, &new->by_type, &q->by_type);
	rb_replace_node(&old->by_sender, &new->by_sender, &q->by_sender);
	new->sum = old->sum;
	new->first = old->first;
	order_sums.propagate(&new->order, NULL);
	type_firsts.propagate(&new->by_type, NULL);
}

static void run_link(struct mbx_queue *q, struct mbx_entry *leader)
{
	leader->run_length = 1;
	if (!q->nr) {
		q->sole = leader;
		return;
	}
	if (q->sole) {
		index_insert(q, q->sole);
		q->sole = NULL;
	}
	index_insert(q, leader);
}

static void run_unlink(struct mbx_queue *q, struct mbx_entry *leader)
{
	const struct rb_node *root;

	if (q->open == leader)
		q->open = NULL;
	if (q->sole) {
		q->sole = NULL;
		return;
	}
	index_erase(q, leader);
	root = q->order.rb_root.rb_node;
	if (!root->rb_left && !root->rb_right) {
		q->sole = order_entry(rb_first_cached(&q->order));
		index_erase(q, q->sole);
	}
}

static void run_resize(struct mbx_queue *q, struct mbx_entry *leader, u32 length)
{
	leader->run_length = length;
	if (!q->sole)
		order_sums.propagate(&leader->order, NULL);
}

/*
 * The leader of an entry that follows in a run: the last leader that is not behind
 * it, because runs do not overlap in order.
 */
static struct mbx_entry *leader_of(const struct mbx_queue *q, const struct mbx_entry *e)
{
	struct mbx_entry *at = order_entry(q->order.rb_root.rb_node), *leader = q->sole;

	while (at) {
		if (before(e, at)) {
			at = order_entry(at->order.rb_left);
		} else {
			leader = at;
			at = order_entry(at->order.rb_right);
		}
	}
	return leader;
}

static bool less_by_expiry(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct mbx_entry, by_expiry)->expiry <
	       rb_entry(b, struct mbx_entry, by_expiry)->expiry;
}

/**
 * mbx_queue_init() - make a queue empty
 * @q: the queue
 */
void mbx_queue_init(struct mbx_queue *q)
{
	*q = (struct mbx_queue){
		.order = RB_ROOT_CACHED,
		.by_type = RB_ROOT,
		.by_sender = RB_ROOT,
		.by_expiry = RB_ROOT_CACHED,
	};
}

/**
 * mbx_queue_watch() - have mbx_queue_next_expiry() tell of an entry that expires
 * @q: the queue
 * @e: an entry of it, or one that was taken out
 */
void mbx_queue_watch(struct mbx_queue *q, struct mbx_entry *e)
{
	if (unlikely(e->expiry))
		rb_add_cached(&e->by_expiry, &q->by_expiry, less_by_expiry);
}

/**
 * mbx_queue_append() - mbx_queue_push() where there are others
 * @q: the queue
 * @e: the entry
 */
void mbx_queue_append(struct mbx_queue *q, struct mbx_entry *e)
{
	struct mbx_entry *open = q->open;

	if (!open || open->run_length == MBX_RUN_MAX || !same_class(open, e)) {
		mbx_queue_return(q, e);
		q->open = e;
		return;
	}
	if (open->run_length == 1)
		INIT_LIST_HEAD(&open->run);
	e->run_length = 0;
	list_add_tail(&e->run, &open->run);
	run_resize(q, open, open->run_length + 1);
	mbx_queue_watch(q, e);
	q->nr++;
}

/**
 * mbx_queue_return() - put an entry where its priority and sequence say
 * @q: the queue
 * @e: the entry, which was in the queue before or passed it by
 */
void mbx_queue_return(struct mbx_queue *q, struct mbx_entry *e)
{
	run_link(q, e);
	mbx_queue_watch(q, e);
	q->nr++;
}

/**
 * mbx_queue_extract() - mbx_queue_remove() where there are others
 * @q: the queue
 * @e: an entry of it
 */
void mbx_queue_extract(struct mbx_queue *q, struct mbx_entry *e)
{
	q->nr--;
	mbx_queue_unwatch(q, e);

	if (e->run_length == 1) {
		run_unlink(q, e);
	} else if (e->run_length) {
		struct mbx_entry *next = list_next_entry(e, run);

		list_del(&e->run);
		next->run_length = e->run_length - 1;
		if (q->open == e)
			q->open = next;
		if (q->sole)
			q->sole = next;
		else
			index_replace(q, e, next);
	} else {
		struct mbx_entry *leader = leader_of(q, e);

		list_del(&e->run);
		run_resize(q, leader, leader->run_length - 1);
	}
}

/**
 * mbx_select_matches() - would a receiver with this choice take this entry?
 * @select: the choice
 * @e: the entry, taken to be alone
 * Return: true if so.
 */
bool mbx_select_matches(const struct mbx_select *select, const struct mbx_entry *e)
{
	switch (select->kind) {
	case MBX_SELECT_FIRST:
		return true;
	case MBX_SELECT_TYPE:
		return e->type == select->match;
	case MBX_SELECT_TYPE_UP_TO:
		return e->type <= select->match;
	case MBX_SELECT_TYPE_NOT:
		return e->type != select->match;
	case MBX_SELECT_SENDER:
		return e->sender == select->match;
	case MBX_SELECT_PRIORITY:
		return e->priority >= select->match;
	case MBX_SELECT_INDEX:
		/* An arrival changes what stands at an index: look again. */
		return true;
	default:
		return false;
	}
}

static struct mbx_entry *find_type(const struct mbx_queue *q, u64 type)
{
	struct mbx_entry *at = type_entry(q->by_type.rb_node), *found = NULL;

	while (at) {
		if (at->type < type) {
			at = type_entry(at->by_type.rb_right);
		} else {
			if (at->type == type)
				found = at;
			at = type_entry(at->by_type.rb_left);
		}
	}
	return found;
}

static struct mbx_entry *earlier(struct mbx_entry *a, struct mbx_entry *b)
{
	if (!a || !b)
		return a ?: b;
	return before(b, a) ? b : a;
}

/* The first of all types below @type and above it, from the firsts of whole subtrees. */
static struct mbx_entry *find_type_not(const struct mbx_queue *q, u64 type)
{
	struct mbx_entry *at, *side, *found = NULL;

	for (at = type_entry(q->by_type.rb_node); at;) {
		if (at->type >= type) {
			at = type_entry(at->by_type.rb_left);
			continue;
		}
		side = type_entry(at->by_type.rb_left);
		found = earlier(found, earlier(at, side ? side->first : NULL));
		at = type_entry(at->by_type.rb_right);
	}
	for (at = type_entry(q->by_type.rb_node); at;) {
		if (at->type <= type) {
			at = type_entry(at->by_type.rb_right);
			continue;
		}
		side = type_entry(at->by_type.rb_right);
		found = earlier(found, earlier(at, side ? side->first : NULL));
		at = type_entry(at->by_type.rb_left);
	}
	return found;
}

/* The first leader whose sender is not less than @sender. */
static struct mbx_entry *find_sender_from(const struct mbx_queue *q, unsigned long sender)
{
	struct mbx_entry *at = sender_entry(q->by_sender.rb_node), *found = NULL;

	while (at) {
		if (at->sender < sender) {
			at = sender_entry(at->by_sender.rb_right);
		} else {
			found = at;
			at = sender_entry(at->by_sender.rb_left);
		}
	}
	return found;
}

static struct mbx_entry *find_index(const struct mbx_queue *q, u64 index)
{
	struct mbx_entry *at = q->sole;

	if (index >= q->nr)
		return NULL;
	if (!at)
		at = order_entry(q->order.rb_root.rb_node);
	while (!q->sole) {
		struct mbx_entry *left = order_entry(at->order.rb_left);
		u64 nr_left = left ? left->sum.nr : 0;

		if (index < nr_left) {
			at = left;
		} else if (index >= nr_left + at->run_length) {
			index -= nr_left + at->run_length;
			at = order_entry(at->order.rb_right);
		} else {
			index -= nr_left;
			break;
		}
	}
	if (index <= at->run_length / 2) {
		while (index--)
			at = list_next_entry(at, run);
	} else {
		/* The run is a circle, and its leader the first. */
		for (index = at->run_length - index; index; index--)
			at = list_prev_entry(at, run);
	}
	return at;
}

/**
 * mbx_queue_find() - the entry that a choice means
 * @q: the queue
 * @select: the choice
 * Return: the entry, or NULL when there is none.
 */
struct mbx_entry *mbx_queue_find(const struct mbx_queue *q, const struct mbx_select *select)
{
	struct mbx_entry *first = q->sole, *found;

	if (select->kind == MBX_SELECT_INDEX)
		return find_index(q, select->match);
	if (first)
		return mbx_select_matches(select, first) ? first : NULL;

	switch (select->kind) {
	case MBX_SELECT_FIRST:
	case MBX_SELECT_PRIORITY:
		found = mbx_queue_first(q);
		break;
	case MBX_SELECT_TYPE:
		return find_type(q, select->match);
	case MBX_SELECT_TYPE_UP_TO:
		found = type_entry(rb_first(&q->by_type));
		break;
	case MBX_SELECT_TYPE_NOT:
		return find_type_not(q, select->match);
	case MBX_SELECT_SENDER:
		found = find_sender_from(q, select->match);
		break;
	default:
		return NULL;
	}
	return found && mbx_select_matches(select, found) ? found : NULL;
}

/**
 * mbx_queue_oldest() - the entry that arrived first, whatever its priority
 * @q: the queue
 * Return: the entry, or NULL when the queue is empty.
 */
struct mbx_entry *mbx_queue_oldest(const struct mbx_queue *q)
{
	struct mbx_entry *at = order_entry(q->order.rb_root.rb_node), *side;

	if (q->sole)
		return q->sole;
	while (at && at->sequence != at->sum.oldest) {
		side = order_entry(at->order.rb_left);
		if (!side || side->sum.oldest != at->sum.oldest)
			side = order_entry(at->order.rb_right);
		at = side;
	}
	return at;
}

/**
 * mbx_queue_next_sender() - walk over the senders there are
 * @q: the queue
 * @after: the sender to go on after, 0 to begin
 * Return: an entry of the next sender, or NULL at the end.
 */
struct mbx_entry *mbx_queue_next_sender(const struct mbx_queue *q, unsigned long after)
{
	if (q->sole)
		return q->sole->sender > after ? q->sole : NULL;
	return find_sender_from(q, after + 1);
}
