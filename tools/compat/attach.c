// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * As the kernel goes by where a mapping would have begun, whatever is left of it, each piece that
 * SHM_REMAP has left of an attach knows that address, and which attach it was.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "attach.h"
#include "descriptor.h"
#include "real.h"

struct segment {
	struct segment *next;
	int id;
	/* Hidden, see descriptor.h. */
	int handle;
	/* Pieces that are mapped. */
	size_t pieces;
};

struct piece {
	/* What shmat() returned, and which call it was. */
	uintptr_t address;
	uint64_t attach;
	/* What is left of it, or a part of what is left. */
	uintptr_t start;
	uintptr_t end;
	struct segment *segment;
};

/* So many an attach makes at most: its own, and the second half of one that it cuts in two. */
#define MORE_PIECES 2

static struct segment *segments;
static struct piece *pieces;
static size_t nr_pieces, room;
static uint64_t last_attach;
/* For the next segment. */
static struct segment *spare;

bool compat_attach_prepare_locked(void)
{
	struct piece *more;
	size_t new_room;

	if (!spare)
		spare = malloc(sizeof(*spare));
	if (spare && nr_pieces + MORE_PIECES > room) {
		new_room = 2 * room + MORE_PIECES;
		more = realloc(pieces, new_room * sizeof(*pieces));
		if (more) {
			pieces = more;
			room = new_room;
		}
	}
	if (spare && nr_pieces + MORE_PIECES <= room)
		return true;
	errno = ENOMEM;
	return false;
}

static void add_piece(const struct piece *piece)
{
	pieces[nr_pieces++] = *piece;
	piece->segment->pieces++;
}

static void drop_piece(size_t index)
{
	pieces[index].segment->pieces--;
	pieces[index] = pieces[--nr_pieces];
}

/* Lets go of segments that are attached no more. */
static void drop_segments(void)
{
	struct segment **link = &segments, *segment;

	while ((segment = *link)) {
		if (segment->pieces) {
			link = &segment->next;
			continue;
		}
		*link = segment->next;
		compat_reveal_locked(&segment->handle);
		free(segment);
	}
}

/* What lies there is not what it was. */
static void cut_out(uintptr_t start, uintptr_t end)
{
	size_t i = 0;

	while (i < nr_pieces) {
		struct piece rest = pieces[i];

		if (rest.start >= end || rest.end <= start) {
			i++;
			continue;
		}
		if (rest.start >= start && rest.end <= end) {
			drop_piece(i);
			continue;
		}
		if (rest.start < start) {
			pieces[i].end = start;
			rest.start = end;
			if (rest.end > end)
				add_piece(&rest);
		} else {
			pieces[i].start = end;
		}
		i++;
	}
}

static struct segment *find(int id)
{
	struct segment *segment = segments;

	while (segment && segment->id != id)
		segment = segment->next;
	return segment;
}

static struct segment *add_segment(int id, int handle)
{
	struct segment *segment = spare;

	*segment = (struct segment){ .next = segments, .id = id, .handle = -1 };
	if (compat_hide_locked(handle, &segment->handle) < 0) {
		errno = ENOMEM;
		return NULL;
	}
	spare = NULL;
	segments = segment;
	return segment;
}

bool compat_attach_locked(int id, int handle, void *start, size_t length)
{
	struct piece piece = {
		.address = (uintptr_t)start,
		.attach = ++last_attach,
		.start = (uintptr_t)start,
		.end = (uintptr_t)start + length,
		.segment = find(id),
	};
	bool hidden = true;

	cut_out(piece.start, piece.end);
	if (piece.segment) {
		/* One is enough. */
		compat_close(handle);
	} else {
		piece.segment = add_segment(id, handle);
		hidden = piece.segment;
	}
	if (hidden) {
		add_piece(&piece);
	} else {
		munmap(start, length);
		errno = ENOMEM;
	}
	drop_segments();
	return hidden;
}

/* What /proc/PID/maps says of a mapping. */
struct mapping {
	uintptr_t start;
	uintptr_t end;
	uintptr_t offset;
};

/* Reads on to the next one of a region; @line is kept for the next call. */
static bool next_of_region(FILE *maps, char **line, size_t *size, struct mapping *mapping)
{
	static const char region[] = " /mailbox (deleted)\n";
	size_t length = sizeof(region) - 1;
	ssize_t ret;

	while ((ret = getline(line, size, maps)) > 0) {
		if ((size_t)ret < length || strcmp(*line + ret - length, region))
			continue;
		if (sscanf(*line, "%" SCNxPTR "-%" SCNxPTR " %*s %" SCNxPTR, &mapping->start,
			   &mapping->end, &mapping->offset) == 3)
			return true;
	}
	return false;
}

/*
 * The program may have unmapped a piece by itself, and something else may lie there by now: only
 * what would have begun where the attach did is it. Without /proc it is believed to be there.
 * Returns whether there was anything.
 */
static bool unmap(const struct piece *piece)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	struct mapping mapping;
	char *line = NULL;
	size_t size = 0;
	bool any = false;

	if (!maps)
		return !munmap((void *)piece->start, piece->end - piece->start);
	while (next_of_region(maps, &line, &size, &mapping)) {
		if (mapping.start < piece->start || mapping.end > piece->end ||
		    mapping.start - mapping.offset != piece->address)
			continue;
		munmap((void *)mapping.start, mapping.end - mapping.start);
		any = true;
	}
	free(line);
	fclose(maps);
	return any;
}

/* The piece that begins first of those of that address; nr_pieces when there is none. */
static size_t first_of(uintptr_t address)
{
	size_t first = nr_pieces, i;

	for (i = 0; i < nr_pieces; i++)
		if (pieces[i].address == address &&
		    (first == nr_pieces || pieces[i].start < pieces[first].start))
			first = i;
	return first;
}

bool compat_detach_locked(uintptr_t address)
{
	size_t i = first_of(address);
	bool any = false;
	uint64_t attach;

	if (i == nr_pieces)
		return false;
	attach = pieces[i].attach;
	i = 0;
	while (i < nr_pieces) {
		if (pieces[i].attach != attach) {
			i++;
			continue;
		}
		any |= unmap(&pieces[i]);
		drop_piece(i);
	}
	drop_segments();
	return any;
}
