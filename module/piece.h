/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MBX_PIECE_H
#define MBX_PIECE_H

#include <linux/rbtree.h>
#include <linux/types.h>

/**
 * DOC: piece
 *
 * Which bytes of a region are free: an allocator that never looks at the memory that it gives
 * out. The pieces that are in use stand in a tree in the order in which they lie, and each knows
 * where the gap before it begins; the gap behind the last belongs to one more that has no bytes,
 * the *end*. So gaps need no memory of their own, two that meet are one, and a piece can be
 * given back without any that could fail.
 *
 * Each subtree knows its longest gap: in bytes, and in whole pages. A piece of a page or more
 * begins at a page, takes whole pages, and is put into the first gap that has as many; a shorter
 * one begins at a multiple of MBX_PIECE_ALIGN and is put at the end of the last gap that is long
 * enough. So the short ones gather at the end of the region and do not cut up the pages that the
 * long ones need. Whatever there is, it takes logarithmic time.
 */

#define MBX_PIECE_ALIGN 64

/**
 * struct mbx_piece - bytes of a region that are in use
 * @node: place among the pieces, by @start
 * @gap: where the gap before it begins: the end of the piece before it, or 0
 * @start: its first byte
 * @end: the first byte behind it
 * @longest: of the gaps of the subtree of @node
 * @longest.bytes: most bytes of one
 * @longest.pages: most whole pages of one
 *
 * All guarded by the owner's lock.
 */
struct mbx_piece {
	struct rb_node node;
	u64 gap;
	u64 start;
	u64 end;
	struct mbx_piece_gaps {
		u64 bytes;
		u64 pages;
	} longest;
};

/**
 * struct mbx_pieces - the pieces of a region
 * @root: all that are in use, and @end
 * @end: stands for the end of the region: @start and @end of it are its size
 * @bytes: of all that are in use
 * @nr: how many these are
 *
 * All guarded by the owner's lock.
 */
struct mbx_pieces {
	struct rb_root root;
	struct mbx_piece end;
	u64 bytes;
	u32 nr;
};

void mbx_pieces_init(struct mbx_pieces *pieces, u64 size);
void mbx_pieces_grow(struct mbx_pieces *pieces, u64 size);
bool mbx_pieces_take(struct mbx_pieces *pieces, struct mbx_piece *piece, u64 length);
void mbx_pieces_give(struct mbx_pieces *pieces, struct mbx_piece *piece);
bool mbx_pieces_swap(struct mbx_pieces *pieces, struct mbx_piece *piece, u64 length,
		     struct mbx_piece *old);

#endif /* MBX_PIECE_H */
