// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite mailbox_queue: rule by rule. The queue is compiled in; it needs nothing
 * else of the module.
 */
#include <kunit/test.h>
#include <linux/module.h>

#include "queue.c"
#include "queue_rank.c"

#define ENTRIES (2 * MBX_RUN_MAX + 8)

struct world {
	struct mbx_queue queue;
	u64 sequence;
	u32 used;
	struct mbx_entry entry[ENTRIES];
};

static int world_init(struct kunit *test)
{
	struct world *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);

	if (!w)
		return -ENOMEM;
	mbx_queue_init(&w->queue);
	test->priv = w;
	return 0;
}

static struct mbx_entry *entry_new(struct kunit *test, u32 priority, u64 type, unsigned long sender)
{
	struct world *w = test->priv;
	struct mbx_entry *e = &w->entry[w->used];

	KUNIT_ASSERT_LT(test, w->used, (u32)ENTRIES);
	w->used++;
	/* Poison: the queue must not read what it did not write. */
	memset(e, 0x5a, sizeof(*e));
	e->sequence = ++w->sequence;
	e->priority = priority;
	e->type = type;
	e->sender = sender;
	e->expiry = 0;
	return e;
}

static struct mbx_entry *push(struct kunit *test, u32 priority, u64 type, unsigned long sender)
{
	struct world *w = test->priv;
	struct mbx_entry *e = entry_new(test, priority, type, sender);

	mbx_queue_push(&w->queue, e);
	return e;
}

static struct mbx_entry *find(struct kunit *test, u32 kind, u64 match)
{
	struct world *w = test->priv;
	struct mbx_select select = { .kind = kind, .match = match };

	return mbx_queue_find(&w->queue, &select);
}

#define EXPECT_FOUND(kind, match, e) KUNIT_EXPECT_PTR_EQ(test, find(test, kind, match), e)
#define EXPECT_NOTHING(kind, match)  EXPECT_FOUND(kind, match, (struct mbx_entry *)NULL)

static void take_first(struct kunit *test, struct mbx_entry *expected)
{
	struct world *w = test->priv;
	struct mbx_entry *e = find(test, MBX_SELECT_FIRST, 0);

	KUNIT_ASSERT_PTR_EQ(test, e, expected);
	mbx_queue_remove(&w->queue, e);
}

static void empty_queue_finds_nothing(struct kunit *test)
{
	struct world *w = test->priv;
	u32 kind;

	for (kind = 0; kind < MBX_SELECT_NR; kind++)
		EXPECT_NOTHING(kind, 0);
	KUNIT_EXPECT_NULL(test, mbx_queue_oldest(&w->queue));
	KUNIT_EXPECT_NULL(test, mbx_queue_next_sender(&w->queue, 0));
	KUNIT_EXPECT_NULL(test, mbx_queue_next_expiry(&w->queue));
}

static void first_is_highest_priority_then_oldest(struct kunit *test)
{
	struct mbx_entry *c = push(test, 1, 0, 1), *a = push(test, 5, 0, 1);
	struct mbx_entry *d = push(test, 1, 0, 1), *b = push(test, 5, 0, 1);

	take_first(test, a);
	take_first(test, b);
	take_first(test, c);
	take_first(test, d);
	EXPECT_NOTHING(MBX_SELECT_FIRST, 0);
}

static void type_finds_first_of_it(struct kunit *test)
{
	struct mbx_entry *a = push(test, 0, 7, 1), *b;

	EXPECT_FOUND(MBX_SELECT_TYPE, 7, a);
	EXPECT_NOTHING(MBX_SELECT_TYPE, 6);
	push(test, 0, 3, 1);
	EXPECT_FOUND(MBX_SELECT_TYPE, 7, a);
	b = push(test, 9, 7, 1);
	EXPECT_FOUND(MBX_SELECT_TYPE, 7, b);
	EXPECT_NOTHING(MBX_SELECT_TYPE, 6);
	EXPECT_NOTHING(MBX_SELECT_TYPE, U64_MAX);
}

static void type_up_to_finds_lowest(struct kunit *test)
{
	struct mbx_entry *a = push(test, 9, 7, 1), *b;

	EXPECT_FOUND(MBX_SELECT_TYPE_UP_TO, 7, a);
	EXPECT_NOTHING(MBX_SELECT_TYPE_UP_TO, 6);
	b = push(test, 0, 3, 1);
	push(test, 0, 4, 1);
	push(test, 0, 3, 1);
	EXPECT_FOUND(MBX_SELECT_TYPE_UP_TO, 7, b);
	EXPECT_FOUND(MBX_SELECT_TYPE_UP_TO, 3, b);
	EXPECT_NOTHING(MBX_SELECT_TYPE_UP_TO, 2);
}

static void type_not_finds_first_of_any_other(struct kunit *test)
{
	struct mbx_entry *low = push(test, 1, 3, 1), *high, *middle;

	EXPECT_NOTHING(MBX_SELECT_TYPE_NOT, 3);
	EXPECT_FOUND(MBX_SELECT_TYPE_NOT, 4, low);
	middle = push(test, 9, 5, 1);
	high = push(test, 2, 8, 1);
	push(test, 0, 1, 1);
	EXPECT_FOUND(MBX_SELECT_TYPE_NOT, 3, middle);
	EXPECT_FOUND(MBX_SELECT_TYPE_NOT, 5, high);
	EXPECT_FOUND(MBX_SELECT_TYPE_NOT, 0, middle);
}

static void sender_finds_first_of_it(struct kunit *test)
{
	struct mbx_entry *a = push(test, 0, 0, 20), *b;

	EXPECT_FOUND(MBX_SELECT_SENDER, 20, a);
	EXPECT_NOTHING(MBX_SELECT_SENDER, 10);
	push(test, 9, 0, 30);
	b = push(test, 4, 0, 20);
	EXPECT_FOUND(MBX_SELECT_SENDER, 20, b);
	EXPECT_NOTHING(MBX_SELECT_SENDER, 10);
	EXPECT_NOTHING(MBX_SELECT_SENDER, 25);
	EXPECT_NOTHING(MBX_SELECT_SENDER, 40);
}

static void priority_finds_first_if_high_enough(struct kunit *test)
{
	struct mbx_entry *a = push(test, 4, 0, 1), *b;

	EXPECT_FOUND(MBX_SELECT_PRIORITY, 4, a);
	EXPECT_NOTHING(MBX_SELECT_PRIORITY, 5);
	b = push(test, 6, 0, 1);
	EXPECT_FOUND(MBX_SELECT_PRIORITY, 5, b);
	EXPECT_FOUND(MBX_SELECT_PRIORITY, 0, b);
	EXPECT_NOTHING(MBX_SELECT_PRIORITY, 7);
}

static u64 nr_runs(const struct mbx_queue *q)
{
	struct rb_node *node;
	u64 nr = q->sole ? 1 : 0;

	for (node = rb_first_cached(&q->order); node; node = rb_next(node))
		nr++;
	return nr;
}

static void index_counts_over_runs(struct kunit *test)
{
	struct mbx_entry *expected[12];
	u32 i;

	for (i = 0; i < 3; i++)
		expected[i] = push(test, 5, 0, 1);
	EXPECT_FOUND(MBX_SELECT_INDEX, 2, expected[2]);
	EXPECT_NOTHING(MBX_SELECT_INDEX, 3);
	for (i = 3; i < 12; i++)
		expected[i] = push(test, 5, i / 3, 1);
	for (i = 0; i < 12; i++)
		EXPECT_FOUND(MBX_SELECT_INDEX, i, expected[i]);
	EXPECT_NOTHING(MBX_SELECT_INDEX, 12);
	EXPECT_NOTHING(MBX_SELECT_INDEX, U64_MAX);
}

static void unknown_kind_finds_nothing(struct kunit *test)
{
	push(test, 0, 0, 1);
	EXPECT_NOTHING(MBX_SELECT_NR, 0);
	push(test, 1, 0, 1);
	EXPECT_NOTHING(MBX_SELECT_NR, 0);
}

static void run_ends_at_its_maximum(struct kunit *test)
{
	struct world *w = test->priv;
	u32 i, nr = 2 * MBX_RUN_MAX + 1;

	for (i = 0; i < nr; i++) {
		push(test, 0, 0, 1);
		KUNIT_EXPECT_EQ(test, nr_runs(&w->queue), (u64)i / MBX_RUN_MAX + 1);
	}
	KUNIT_EXPECT_EQ(test, w->entry[0].run_length, (u32)MBX_RUN_MAX);
	KUNIT_EXPECT_EQ(test, w->entry[2 * MBX_RUN_MAX].run_length, 1u);
	for (i = 0; i < nr; i++)
		EXPECT_FOUND(MBX_SELECT_INDEX, i, &w->entry[i]);
	for (i = 0; i < nr; i++)
		take_first(test, &w->entry[i]);
	KUNIT_EXPECT_EQ(test, w->queue.nr, 0ull);
	KUNIT_EXPECT_EQ(test, nr_runs(&w->queue), 0ull);
}

static void run_is_of_one_class(struct kunit *test)
{
	struct world *w = test->priv;

	push(test, 0, 0, 1);
	push(test, 0, 0, 1);
	KUNIT_EXPECT_EQ(test, nr_runs(&w->queue), 1ull);
	push(test, 1, 0, 1);
	KUNIT_EXPECT_EQ(test, nr_runs(&w->queue), 2ull);
	push(test, 1, 1, 1);
	KUNIT_EXPECT_EQ(test, nr_runs(&w->queue), 3ull);
	push(test, 1, 1, 2);
	KUNIT_EXPECT_EQ(test, nr_runs(&w->queue), 4ull);
}

static void returned_message_has_its_old_place(struct kunit *test)
{
	struct world *w = test->priv;
	struct mbx_entry *a = push(test, 0, 0, 1), *passed, *c, *d;

	mbx_queue_seal(&w->queue);
	passed = entry_new(test, 0, 0, 1);
	c = push(test, 0, 0, 1);
	KUNIT_EXPECT_EQ(test, nr_runs(&w->queue), 2ull);
	d = push(test, 0, 0, 1);
	mbx_queue_return(&w->queue, passed);
	EXPECT_FOUND(MBX_SELECT_INDEX, 1, passed);

	mbx_queue_remove(&w->queue, a);
	mbx_queue_return(&w->queue, a);
	take_first(test, a);
	take_first(test, passed);
	take_first(test, c);
	take_first(test, d);
}

static void run_goes_on_without_its_leader(struct kunit *test)
{
	struct world *w = test->priv;
	struct mbx_entry *a = push(test, 0, 0, 1), *b = push(test, 0, 0, 1), *c;

	take_first(test, a);
	c = push(test, 0, 0, 1);
	KUNIT_EXPECT_EQ(test, nr_runs(&w->queue), 1ull);
	take_first(test, b);
	take_first(test, c);

	/* What comes next must not join a run that is no more. */
	a = push(test, 0, 0, 1);
	KUNIT_EXPECT_EQ(test, nr_runs(&w->queue), 1ull);
	take_first(test, a);
}

/* A run that is alone has no trees; one among others is found by them. */
static void expired_leaves_middle_of_run(struct kunit *test)
{
	struct world *w = test->priv;
	struct mbx_entry *e[8];
	u32 i, others;

	for (others = 0; others < 2; others++) {
		struct mbx_entry *other = others ? push(test, 0, 9, 1) : NULL;

		for (i = 0; i < 8; i++) {
			e[i] = entry_new(test, 1, 0, 1);
			e[i]->expiry = i == 4 ? 100 : i == 2 ? 200 : i == 7 ? 300 : 0;
			mbx_queue_push(&w->queue, e[i]);
		}
		KUNIT_EXPECT_PTR_EQ(test, mbx_queue_next_expiry(&w->queue), e[4]);
		mbx_queue_remove(&w->queue, e[4]);
		KUNIT_EXPECT_PTR_EQ(test, mbx_queue_next_expiry(&w->queue), e[2]);
		mbx_queue_remove(&w->queue, e[2]);
		KUNIT_EXPECT_EQ(test, e[0]->run_length, 6u);
		KUNIT_EXPECT_EQ(test, w->queue.nr, 6ull + others);
		KUNIT_EXPECT_PTR_EQ(test, mbx_queue_next_expiry(&w->queue), e[7]);
		EXPECT_FOUND(MBX_SELECT_INDEX, 2, e[3]);
		EXPECT_FOUND(MBX_SELECT_INDEX, 3, e[5]);
		for (i = 0; i < 8; i++)
			if (i != 2 && i != 4)
				take_first(test, e[i]);
		KUNIT_EXPECT_NULL(test, mbx_queue_next_expiry(&w->queue));
		if (other)
			take_first(test, other);
	}
}

static void oldest_has_any_priority(struct kunit *test)
{
	struct world *w = test->priv;
	struct mbx_entry *a = push(test, 1, 0, 1), *b;

	KUNIT_EXPECT_PTR_EQ(test, mbx_queue_oldest(&w->queue), a);
	b = push(test, 0, 0, 1);
	push(test, 3, 0, 1);
	push(test, 2, 0, 1);
	KUNIT_EXPECT_PTR_EQ(test, mbx_queue_oldest(&w->queue), a);
	mbx_queue_remove(&w->queue, a);
	KUNIT_EXPECT_PTR_EQ(test, mbx_queue_oldest(&w->queue), b);
}

static void senders_are_walked_in_order(struct kunit *test)
{
	struct world *w = test->priv;
	struct mbx_entry *b = push(test, 0, 0, 20), *a, *c;

	KUNIT_EXPECT_PTR_EQ(test, mbx_queue_next_sender(&w->queue, 0), b);
	KUNIT_EXPECT_NULL(test, mbx_queue_next_sender(&w->queue, 20));
	c = push(test, 5, 0, 30);
	a = push(test, 0, 0, 10);
	push(test, 0, 1, 20);
	KUNIT_EXPECT_PTR_EQ(test, mbx_queue_next_sender(&w->queue, 0), a);
	KUNIT_EXPECT_PTR_EQ(test, mbx_queue_next_sender(&w->queue, 10), b);
	KUNIT_EXPECT_PTR_EQ(test, mbx_queue_next_sender(&w->queue, 20), c);
	KUNIT_EXPECT_NULL(test, mbx_queue_next_sender(&w->queue, 30));
}

/* One run, and some of it away; then many runs, and runs of one. */
static void rank_counts_what_is_before(struct kunit *test)
{
	struct world *w = test->priv;
	u64 before, sequence;
	u32 i, runs;

	KUNIT_EXPECT_EQ(test, mbx_queue_rank(&w->queue, 0), 0ull);
	KUNIT_EXPECT_EQ(test, mbx_queue_rank(&w->queue, 5), 0ull);
	for (runs = 0; runs < 2; runs++) {
		for (i = 0; i < MBX_RUN_MAX; i++)
			push(test, 0, runs && i % 16 < 4 ? i : 0, 1);
		for (i = 0; i < w->used; i++)
			if (w->entry[i].type != U64_MAX && (i % 7 == 3 || i % 50 < 5 || i == 255)) {
				mbx_queue_remove(&w->queue, &w->entry[i]);
				w->entry[i].type = U64_MAX;
			}
		for (sequence = 0, before = 0; sequence < w->sequence + 3; sequence++) {
			KUNIT_ASSERT_EQ(test, mbx_queue_rank(&w->queue, sequence), before);
			if (sequence >= 1 && sequence <= w->used &&
			    w->entry[sequence - 1].type != U64_MAX)
				before++;
		}
		KUNIT_EXPECT_EQ(test, before, w->queue.nr);
	}
}

static struct kunit_case cases[] = {
	KUNIT_CASE(empty_queue_finds_nothing),
	KUNIT_CASE(first_is_highest_priority_then_oldest),
	KUNIT_CASE(type_finds_first_of_it),
	KUNIT_CASE(type_up_to_finds_lowest),
	KUNIT_CASE(type_not_finds_first_of_any_other),
	KUNIT_CASE(sender_finds_first_of_it),
	KUNIT_CASE(priority_finds_first_if_high_enough),
	KUNIT_CASE(index_counts_over_runs),
	KUNIT_CASE(unknown_kind_finds_nothing),
	KUNIT_CASE(run_ends_at_its_maximum),
	KUNIT_CASE(run_is_of_one_class),
	KUNIT_CASE(returned_message_has_its_old_place),
	KUNIT_CASE(run_goes_on_without_its_leader),
	KUNIT_CASE(expired_leaves_middle_of_run),
	KUNIT_CASE(oldest_has_any_priority),
	KUNIT_CASE(senders_are_walked_in_order),
	KUNIT_CASE(rank_counts_what_is_before),
	{},
};

static struct kunit_suite suite = {
	.name = "mailbox_queue",
	.init = world_init,
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Unit tests of mailbox");
