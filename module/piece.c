// SPDX-License-Identifier: GPL-2.0-only
#include <linux/align.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/rbtree_augmented.h>

#include "piece.h"

#define piece_of(at) rb_entry_safe(at, struct mbx_piece, node)

/* Of the gap before a piece. */
static struct mbx_piece_gaps gap_of(const struct mbx_piece *piece)
{
	const u64 first = DIV_ROUND_UP_ULL(piece->gap, PAGE_SIZE);
	const u64 last = piece->start >> PAGE_SHIFT;

	return (struct mbx_piece_gaps){
		.bytes = piece->start - piece->gap,
		.pages = last > first ? last - first : 0,
	};
}

static struct mbx_piece_gaps longest_in(struct rb_node *node)
{
	const struct mbx_piece *piece = piece_of(node);

	return piece ? piece->longest : (struct mbx_piece_gaps){ 0 };
}

static bool compute_longest(struct mbx_piece *piece, bool stop_if_same)
{
	const struct mbx_piece_gaps left = longest_in(piece->node.rb_left);
	const struct mbx_piece_gaps right = longest_in(piece->node.rb_right);
	struct mbx_piece_gaps longest = gap_of(piece);

	longest.bytes = max3(longest.bytes, left.bytes, right.bytes);
	longest.pages = max3(longest.pages, left.pages, right.pages);
	if (stop_if_same && longest.bytes == piece->longest.bytes &&
	    longest.pages == piece->longest.pages)
		return true;
	piece->longest = longest;
	return false;
}

RB_DECLARE_CALLBACKS(static, gaps, struct mbx_piece, node, longest, compute_longest)

/* What the piece says of its gap has changed. */
static void changed(struct mbx_piece *piece)
{
	gaps.propagate(&piece->node, NULL);
}

/**
 * mbx_pieces_init() - a region of which nothing is in use
 * @pieces: filled in
 * @size: bytes that it has, whole pages
 */
void mbx_pieces_init(struct mbx_pieces *pieces, u64 size)
{
	*pieces = (struct mbx_pieces){ .end = { .start = size, .end = size } };
	rb_link_node(&pieces->end.node, NULL, &pieces->root.rb_node);
	rb_insert_augmented(&pieces->end.node, &pieces->root, &gaps);
	compute_longest(&pieces->end, false);
}

/**
 * mbx_pieces_grow() - the region has become larger
 * @pieces: of the region
 * @size: bytes that it has now
 */
void mbx_pieces_grow(struct mbx_pieces *pieces, u64 size)
{
	pieces->end.start = size;
	pieces->end.end = size;
	changed(&pieces->end);
}

/* The first gap that has so many pages: the piece behind it. */
static struct mbx_piece *first_with_pages(const struct mbx_pieces *pieces, u64 pages)
{
	struct rb_node *node = pieces->root.rb_node;

	if (longest_in(node).pages < pages)
		return NULL;
	for (;;) {
		if (longest_in(node->rb_left).pages >= pages) {
			node = node->rb_left;
			continue;
		}
		if (gap_of(piece_of(node)).pages >= pages)
			return piece_of(node);
		node = node->rb_right;
	}
}

/* The last gap that has so many bytes: the piece behind it. */
static struct mbx_piece *last_with_bytes(const struct mbx_pieces *pieces, u64 bytes)
{
	struct rb_node *node = pieces->root.rb_node;

	if (longest_in(node).bytes < bytes)
		return NULL;
	for (;;) {
		if (longest_in(node->rb_right).bytes >= bytes) {
			node = node->rb_right;
			continue;
		}
		if (gap_of(piece_of(node)).bytes >= bytes)
			return piece_of(node);
		node = node->rb_left;
	}
}

/* Put a piece, its start and end set, into the gap before another. */
static void insert_before(struct mbx_pieces *pieces, struct mbx_piece *piece,
			  struct mbx_piece *next)
{
	struct rb_node **link = &next->node.rb_left, *parent = &next->node;

	piece->gap = next->gap;
	next->gap = piece->end;
	while (*link) {
		parent = *link;
		link = &parent->rb_right;
	}
	rb_link_node(&piece->node, parent, link);
	/* Nothing is below it. */
	piece->longest = gap_of(piece);
	/* Upwards, each from those below it: first as far as @next, which may stop early there. */
	if (parent != &next->node)
		changed(piece_of(parent));
	changed(next);
	rb_insert_augmented(&piece->node, &pieces->root, &gaps);
	pieces->bytes += piece->end - piece->start;
	pieces->nr++;
}

/**
 * mbx_pieces_take() - take a piece of a region
 * @pieces: of the region
 * @piece: filled in
 * @length: bytes that it has at least, not 0
 * Return: false, and nothing has changed, when there is no gap that long.
 */
bool mbx_pieces_take(struct mbx_pieces *pieces, struct mbx_piece *piece, u64 length)
{
	struct mbx_piece *next;

	if (length > pieces->end.end)
		return false;
	if (length >= PAGE_SIZE) {
		length = PAGE_ALIGN(length);
		next = first_with_pages(pieces, length >> PAGE_SHIFT);
		if (!next)
			return false;
		piece->start = PAGE_ALIGN(next->gap);
		piece->end = piece->start + length;
	} else {
		length = ALIGN(length, MBX_PIECE_ALIGN);
		next = last_with_bytes(pieces, length);
		if (!next)
			return false;
		piece->end = next->start;
		piece->start = piece->end - length;
	}
	insert_before(pieces, piece, next);
	return true;
}

/**
 * mbx_pieces_give() - give a piece back
 * @pieces: of the region
 * @piece: in use, and no more
 */
void mbx_pieces_give(struct mbx_pieces *pieces, struct mbx_piece *piece)
{
	/* There is always one: the end. */
	struct mbx_piece *next = piece_of(rb_next(&piece->node));
	/* Then all from it upwards are computed anew as it is, when the piece goes. */
	const bool next_is_parent = !piece->node.rb_right && rb_parent(&piece->node) == &next->node;

	if (next_is_parent)
		next->gap = piece->gap;
	rb_erase_augmented(&piece->node, &pieces->root, &gaps);
	if (!next_is_parent) {
		next->gap = piece->gap;
		changed(next);
	}
	pieces->bytes -= piece->end - piece->start;
	pieces->nr--;
}

/**
 * mbx_pieces_swap() - give a piece back and take another, which may be the same bytes
 * @pieces: of the region
 * @piece: filled in
 * @length: bytes that it has at least, not 0
 * @old: the piece that is given back
 * Return: false, and nothing has changed, when there is no gap that long even so.
 */
bool mbx_pieces_swap(struct mbx_pieces *pieces, struct mbx_piece *piece, u64 length,
		     struct mbx_piece *old)
{
	struct mbx_piece *next = piece_of(rb_next(&old->node));

	mbx_pieces_give(pieces, old);
	if (mbx_pieces_take(pieces, piece, length))
		return true;
	insert_before(pieces, old, next);
	return false;
}
