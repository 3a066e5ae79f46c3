// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite mailbox_queue_random: random operations on a queue and on a slow, obviously
 * right reference, compared after each. The queue itself is in queue_test.o.
 */
#include <kunit/test.h>
#include <linux/minmax.h>
#include <linux/moduleparam.h>
#include <linux/prandom.h>
#include <linux/random.h>

#include "queue.h"

static unsigned long long seed;
module_param(seed, ullong, 0444);
MODULE_PARM_DESC(seed, "Of the random operations, to repeat a run (0: a new one)");

#define ENTRIES 300

enum where { FREE, QUEUED, CLAIMED };

/* @in_order is the reference: an array that is kept sorted. @last is what arrived last. */
struct world {
	struct mbx_queue queue;
	struct rnd_state random;
	u64 sequence;
	u32 nr;
	u32 longest;
	struct mbx_entry last;
	enum where where[ENTRIES];
	struct mbx_entry entry[ENTRIES];
	struct mbx_entry *in_order[ENTRIES];
};

static int world_init(struct kunit *test)
{
	struct world *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);

	if (!w)
		return -ENOMEM;
	mbx_queue_init(&w->queue);
	w->last.sender = 1;
	test->priv = w;
	return 0;
}

static struct mbx_entry *find(struct world *w, u32 kind, u64 match)
{
	struct mbx_select select = { .kind = kind, .match = match };

	return mbx_queue_find(&w->queue, &select);
}

static u32 random_below(struct world *w, u32 bound)
{
	return prandom_u32_state(&w->random) % bound;
}

static void reference_add(struct world *w, struct mbx_entry *e)
{
	u32 at = w->nr++;

	for (; at; at--) {
		struct mbx_entry *other = w->in_order[at - 1];

		if (other->priority > e->priority ||
		    (other->priority == e->priority && other->sequence < e->sequence))
			break;
		w->in_order[at] = other;
	}
	w->in_order[at] = e;
	w->where[e - w->entry] = QUEUED;
}

static void reference_remove(struct world *w, struct mbx_entry *e, enum where to)
{
	u32 at = 0;

	while (w->in_order[at] != e)
		at++;
	for (w->nr--; at < w->nr; at++)
		w->in_order[at] = w->in_order[at + 1];
	w->where[e - w->entry] = to;
}

static struct mbx_entry *reference_find(struct world *w, u32 kind, u64 match)
{
	u64 lowest = U64_MAX;
	u32 i;

	for (i = 0; i < w->nr; i++)
		lowest = min(lowest, w->in_order[i]->type);
	for (i = 0; i < w->nr; i++) {
		struct mbx_entry *e = w->in_order[i];

		if (kind == MBX_SELECT_FIRST || (kind == MBX_SELECT_TYPE && e->type == match) ||
		    (kind == MBX_SELECT_TYPE_UP_TO && e->type == lowest && lowest <= match) ||
		    (kind == MBX_SELECT_TYPE_NOT && e->type != match) ||
		    (kind == MBX_SELECT_SENDER && e->sender == match) ||
		    (kind == MBX_SELECT_PRIORITY && e->priority >= match) ||
		    (kind == MBX_SELECT_INDEX && i == match))
			return e;
	}
	return NULL;
}

static void compare(struct kunit *test)
{
	struct world *w = test->priv;
	struct mbx_entry *oldest = NULL, *expiring = NULL, *e;
	unsigned long after = 0, next;
	u32 i, kind;

	KUNIT_ASSERT_EQ(test, w->queue.nr, (u64)w->nr);
	for (i = 0; i < w->nr; i++) {
		e = w->in_order[i];
		if (!oldest || e->sequence < oldest->sequence)
			oldest = e;
		if (e->expiry && (!expiring || e->expiry < expiring->expiry))
			expiring = e;
		w->longest = max(w->longest, e->run_length);
	}
	KUNIT_ASSERT_PTR_EQ(test, mbx_queue_oldest(&w->queue), oldest);
	e = mbx_queue_next_expiry(&w->queue);
	KUNIT_ASSERT_EQ(test, e ? e->expiry : 0, expiring ? expiring->expiry : 0);

	for (kind = 0; kind < MBX_SELECT_NR; kind++) {
		u64 match = random_below(w, kind == MBX_SELECT_INDEX ? w->nr + 2 : 6);

		KUNIT_ASSERT_PTR_EQ_MSG(test, find(w, kind, match), reference_find(w, kind, match),
					"selection %u of %llu", kind, match);
	}
	do {
		next = ULONG_MAX;
		for (i = 0; i < w->nr; i++)
			if (w->in_order[i]->sender > after)
				next = min(next, w->in_order[i]->sender);
		e = mbx_queue_next_sender(&w->queue, after);
		KUNIT_ASSERT_EQ(test, e ? e->sender : ULONG_MAX, next);
		after = next;
	} while (e);
}

/* One that is @where, or NULL. */
static struct mbx_entry *pick(struct world *w, enum where where)
{
	u32 i, at = random_below(w, ENTRIES);

	for (i = 0; i < ENTRIES; i++, at++)
		if (w->where[at % ENTRIES] == where)
			return &w->entry[at % ENTRIES];
	return NULL;
}

static void arrive(struct world *w, struct mbx_entry *e, u32 classes)
{
	static const u32 same[] = { 1, 8, 100 };

	/* From every one of another class to runs of the full length. */
	if (!random_below(w, same[classes % 3])) {
		w->last.priority = random_below(w, 3);
		w->last.type = random_below(w, 1 + classes % 5);
		w->last.sender = 1 + random_below(w, 4);
	}
	/* Poison: the queue must not read what it did not write. */
	memset(e, 0x5a, sizeof(*e));
	e->sequence = ++w->sequence;
	e->priority = w->last.priority;
	e->type = w->last.type;
	e->sender = w->last.sender;
	e->expiry = random_below(w, 5) ? 0 : 1 + random_below(w, 1000);
	if (random_below(w, 40)) {
		mbx_queue_push(&w->queue, e);
		reference_add(w, e);
	} else {
		mbx_queue_seal(&w->queue);
		w->where[e - w->entry] = CLAIMED;
	}
}

static void leave(struct world *w)
{
	struct mbx_entry *e;
	enum where to = FREE;

	switch (random_below(w, 4)) {
	case 0:
		e = pick(w, QUEUED);
		break;
	case 1:
		e = mbx_queue_next_expiry(&w->queue);
		break;
	case 2:
		e = mbx_queue_oldest(&w->queue);
		break;
	default:
		/* A receiver, which may return it. */
		e = find(w, random_below(w, MBX_SELECT_INDEX), random_below(w, 4));
		to = random_below(w, 2) ? CLAIMED : FREE;
	}
	if (!e)
		return;
	mbx_queue_remove(&w->queue, e);
	reference_remove(w, e, to);
}

static void step(struct world *w, u32 round, bool fills)
{
	u32 what = random_below(w, 100);
	struct mbx_entry *e;

	if (what < (fills ? 70 : 20)) {
		e = pick(w, FREE);
		if (e)
			arrive(w, e, round);
	} else if (what < 90) {
		leave(w);
	} else {
		e = pick(w, CLAIMED);
		if (!e)
			return;
		w->where[e - w->entry] = FREE;
		if (random_below(w, 3)) {
			mbx_queue_return(&w->queue, e);
			reference_add(w, e);
		}
	}
}

static void operations_agree_with_array(struct kunit *test)
{
	struct world *w = test->priv;
	u32 round, i;
	u64 start = seed ?: get_random_u64();

	kunit_info(test, "seed=%llu\n", start);
	prandom_seed_state(&w->random, start);
	for (round = 0; round < 15; round++) {
		for (i = 0; i < 700; i++) {
			step(w, round, i < 400);
			compare(test);
		}
	}
	KUNIT_EXPECT_GT(test, w->longest, 8u);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(operations_agree_with_array),
	{},
};

static struct kunit_suite suite = {
	.name = "mailbox_queue_random",
	.init = world_init,
	.test_cases = cases,
};

kunit_test_suite(suite);
