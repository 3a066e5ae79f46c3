// SPDX-License-Identifier: GPL-2.0-only
#include <linux/list.h>
#include <linux/rbtree.h>

#include "queue.h"

#define order_entry(node)  rb_entry_safe(node, struct mbx_entry, order)
#define sender_entry(node) rb_entry_safe(node, struct mbx_entry, by_sender)

/* How many of a run have a lesser sequence number, looked for from the nearer end. */
static u32 rank_in_run(const struct mbx_entry *leader, u64 sequence)
{
	const struct mbx_entry *at;
	u32 nr;

	if (leader->sequence >= sequence)
		return 0;
	if (leader->run_length == 1)
		return 1;
	/* The run is a circle. */
	at = list_prev_entry(leader, run);
	if (at->sequence < sequence)
		return leader->run_length;
	if (sequence - leader->sequence < at->sequence - sequence) {
		at = leader;
		for (nr = 0; at->sequence < sequence; nr++)
			at = list_next_entry(at, run);
		return nr;
	}
	for (nr = leader->run_length; at->sequence >= sequence; nr--)
		at = list_prev_entry(at, run);
	return nr;
}

/**
 * mbx_queue_rank() - how many entries have a lesser sequence number
 * @q: a queue whose entries all have the same priority
 * @sequence: the number; an entry need not have it
 *
 * In O(log n), but for half a run as with an index.
 *
 * Return: how many; that is also the index of the first that has not.
 */
u64 mbx_queue_rank(const struct mbx_queue *q, u64 sequence)
{
	const struct mbx_entry *at = order_entry(q->order.rb_root.rb_node), *left;
	const struct mbx_entry *leader = q->sole;
	u64 before = 0, rank = 0;

	while (!q->sole && at) {
		if (sequence <= at->sequence) {
			at = order_entry(at->order.rb_left);
			continue;
		}
		left = order_entry(at->order.rb_left);
		rank += left ? left->sum.nr : 0;
		leader = at;
		before = rank;
		rank += at->run_length;
		at = order_entry(at->order.rb_right);
	}
	return leader ? before + rank_in_run(leader, sequence) : 0;
}

/**
 * mbx_queue_count_sender() - how many entries have a sender
 * @q: the queue
 * @sender: the sender
 *
 * In O(log n) and the number of runs of this sender.
 *
 * Return: how many.
 */
u64 mbx_queue_count_sender(const struct mbx_queue *q, unsigned long sender)
{
	const struct mbx_entry *at = sender_entry(q->by_sender.rb_node), *first = NULL;
	u64 nr = 0;

	if (q->sole)
		return q->sole->sender == sender ? q->nr : 0;
	while (at) {
		if (at->sender < sender) {
			at = sender_entry(at->by_sender.rb_right);
		} else {
			first = at;
			at = sender_entry(at->by_sender.rb_left);
		}
	}
	for (at = first; at && at->sender == sender; at = sender_entry(rb_next(&at->by_sender)))
		nr += at->run_length;
	return nr;
}
