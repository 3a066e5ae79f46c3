// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite mailbox_piece: the pieces of a region, beside a map of its bytes.
 */
#include <kunit/test.h>
#include <linux/bitmap.h>
#include <linux/prandom.h>
#include <linux/slab.h>

#include "piece.c"

#define SMALL MBX_PIECE_ALIGN

static void lies_at(struct kunit *test, const struct mbx_piece *piece, u64 start, u64 length)
{
	KUNIT_EXPECT_EQ(test, piece->start, start);
	KUNIT_EXPECT_EQ(test, piece->end, start + length);
}

static void long_ones_lie_in_front_and_short_ones_behind(struct kunit *test)
{
	struct mbx_pieces pieces;
	struct mbx_piece a, b, c, d;

	mbx_pieces_init(&pieces, 8 * PAGE_SIZE);
	KUNIT_ASSERT_TRUE(test, mbx_pieces_take(&pieces, &a, PAGE_SIZE + 1));
	lies_at(test, &a, 0, 2 * PAGE_SIZE);
	KUNIT_ASSERT_TRUE(test, mbx_pieces_take(&pieces, &b, 1));
	lies_at(test, &b, 8 * PAGE_SIZE - SMALL, SMALL);
	KUNIT_ASSERT_TRUE(test, mbx_pieces_take(&pieces, &c, PAGE_SIZE));
	lies_at(test, &c, 2 * PAGE_SIZE, PAGE_SIZE);
	KUNIT_ASSERT_TRUE(test, mbx_pieces_take(&pieces, &d, SMALL + 1));
	lies_at(test, &d, 8 * PAGE_SIZE - 3 * SMALL, 2 * SMALL);
	KUNIT_EXPECT_EQ(test, pieces.nr, 4u);
	KUNIT_EXPECT_EQ(test, pieces.bytes, (u64)3 * PAGE_SIZE + 3 * SMALL);
}

static void as_long_as_the_region_fits_once(struct kunit *test)
{
	struct mbx_pieces pieces;
	struct mbx_piece a, b;

	mbx_pieces_init(&pieces, 4 * PAGE_SIZE);
	KUNIT_EXPECT_FALSE(test, mbx_pieces_take(&pieces, &a, 4 * PAGE_SIZE + 1));
	KUNIT_EXPECT_FALSE(test, mbx_pieces_take(&pieces, &a, U64_MAX));
	KUNIT_ASSERT_TRUE(test, mbx_pieces_take(&pieces, &a, 4 * PAGE_SIZE));
	KUNIT_EXPECT_FALSE(test, mbx_pieces_take(&pieces, &b, 1));
	KUNIT_EXPECT_FALSE(test, mbx_pieces_take(&pieces, &b, PAGE_SIZE));
	mbx_pieces_give(&pieces, &a);
	KUNIT_EXPECT_EQ(test, pieces.nr, 0u);
	KUNIT_EXPECT_TRUE(test, mbx_pieces_take(&pieces, &b, 4 * PAGE_SIZE));
}

static void no_region_has_no_pieces(struct kunit *test)
{
	struct mbx_pieces pieces;
	struct mbx_piece a;

	mbx_pieces_init(&pieces, 0);
	KUNIT_EXPECT_FALSE(test, mbx_pieces_take(&pieces, &a, 1));
	mbx_pieces_grow(&pieces, PAGE_SIZE);
	KUNIT_ASSERT_TRUE(test, mbx_pieces_take(&pieces, &a, PAGE_SIZE));
	lies_at(test, &a, 0, PAGE_SIZE);
}

static void gaps_that_meet_are_one(struct kunit *test)
{
	struct mbx_pieces pieces;
	struct mbx_piece piece[4], whole;
	/* Which goes first, in between and last. */
	static const u8 orders[][4] = { { 0, 1, 2, 3 }, { 3, 2, 1, 0 }, { 1, 3, 0, 2 } };
	u32 i, k;

	for (i = 0; i < ARRAY_SIZE(orders); i++) {
		mbx_pieces_init(&pieces, 4 * PAGE_SIZE);
		for (k = 0; k < 4; k++)
			KUNIT_ASSERT_TRUE(test, mbx_pieces_take(&pieces, &piece[k], PAGE_SIZE));
		for (k = 0; k < 4; k++) {
			KUNIT_EXPECT_FALSE(test, mbx_pieces_take(&pieces, &whole, 4 * PAGE_SIZE));
			mbx_pieces_give(&pieces, &piece[orders[i][k]]);
		}
		KUNIT_EXPECT_TRUE(test, mbx_pieces_take(&pieces, &whole, 4 * PAGE_SIZE));
	}
}

static void swap_may_take_the_same_bytes(struct kunit *test)
{
	struct mbx_pieces pieces;
	struct mbx_piece a, b, c;

	mbx_pieces_init(&pieces, 2 * PAGE_SIZE);
	KUNIT_ASSERT_TRUE(test, mbx_pieces_take(&pieces, &a, PAGE_SIZE));
	KUNIT_ASSERT_TRUE(test, mbx_pieces_take(&pieces, &b, PAGE_SIZE));
	KUNIT_EXPECT_FALSE(test, mbx_pieces_swap(&pieces, &c, PAGE_SIZE + 1, &a));
	lies_at(test, &a, 0, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, pieces.nr, 2u);
	KUNIT_EXPECT_FALSE(test, mbx_pieces_take(&pieces, &c, 1));
	KUNIT_ASSERT_TRUE(test, mbx_pieces_swap(&pieces, &c, PAGE_SIZE, &a));
	lies_at(test, &c, 0, PAGE_SIZE);
	mbx_pieces_give(&pieces, &b);
	KUNIT_ASSERT_TRUE(test, mbx_pieces_swap(&pieces, &a, 2 * PAGE_SIZE, &c));
	lies_at(test, &a, 0, 2 * PAGE_SIZE);
}

/* All that a subtree says is so. Return: false after the first that is not. */
static bool check_tree(struct kunit *test, const struct mbx_pieces *pieces)
{
	struct rb_node *node;
	u64 at = 0;

	for (node = rb_first(&pieces->root); node; node = rb_next(node)) {
		const struct mbx_piece *piece = piece_of(node);
		struct mbx_piece copy = *piece;

		if (piece->gap != at || piece->start < at || piece->end < piece->start)
			break;
		compute_longest(&copy, false);
		if (copy.longest.bytes != piece->longest.bytes ||
		    copy.longest.pages != piece->longest.pages)
			break;
		at = piece->end;
	}
	KUNIT_EXPECT_NULL(test, node);
	return !node && at == pieces->end.end;
}

#define MANY	   200
#define TEST_PAGES 64

static void random_pieces_never_overlap(struct kunit *test)
{
	const u32 units = TEST_PAGES * (PAGE_SIZE / SMALL);
	unsigned long *map = bitmap_zalloc(units, GFP_KERNEL);
	struct mbx_piece *piece = kcalloc(MANY, sizeof(*piece), GFP_KERNEL);
	struct rnd_state random;
	struct mbx_pieces pieces;
	u32 round, i;

	prandom_seed_state(&random, 7);
	mbx_pieces_init(&pieces, (u64)TEST_PAGES * PAGE_SIZE);
	for (round = 0; map && piece && round < 20000; round++) {
		struct mbx_piece *p;
		u64 length;
		u32 start, nr;

		i = prandom_u32_state(&random) % MANY;
		p = &piece[i];
		if (p->end) {
			bitmap_clear(map, p->start / SMALL, (p->end - p->start) / SMALL);
			mbx_pieces_give(&pieces, p);
			p->end = 0;
		} else {
			length = 1 + prandom_u32_state(&random) %
					     (round & 1 ? PAGE_SIZE : 5 * PAGE_SIZE);
			nr = DIV_ROUND_UP(length, SMALL);
			if (!mbx_pieces_take(&pieces, p, length)) {
				/* Nor is there anything that it could have been put into. */
				u32 align = length < PAGE_SIZE ? 0 : PAGE_SIZE / SMALL - 1;

				nr = length < PAGE_SIZE ? nr : PAGE_ALIGN(length) / SMALL;
				start = bitmap_find_next_zero_area(map, units, 0, nr, align);
				KUNIT_EXPECT_GE(test, start, units);
				continue;
			}
			KUNIT_EXPECT_GE(test, p->end - p->start, length);
			start = p->start / SMALL;
			nr = (p->end - p->start) / SMALL;
			if (p->start % (length < PAGE_SIZE ? SMALL : PAGE_SIZE) ||
			    find_next_bit(map, start + nr, start) < start + nr) {
				KUNIT_FAIL(test, "round %u: %llu to %llu", round, p->start, p->end);
				break;
			}
			bitmap_set(map, start, nr);
		}
		KUNIT_EXPECT_EQ(test, pieces.bytes, (u64)bitmap_weight(map, units) * SMALL);
		if (!check_tree(test, &pieces))
			break;
	}
	KUNIT_EXPECT_EQ(test, round, 20000u);
	kfree(piece);
	bitmap_free(map);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(long_ones_lie_in_front_and_short_ones_behind),
	KUNIT_CASE(as_long_as_the_region_fits_once),
	KUNIT_CASE(no_region_has_no_pieces),
	KUNIT_CASE(gaps_that_meet_are_one),
	KUNIT_CASE(swap_may_take_the_same_bytes),
	KUNIT_CASE(random_pieces_never_overlap),
	{},
};

static struct kunit_suite suite = {
	.name = "mailbox_piece",
	.test_cases = cases,
};

kunit_test_suite(suite);
