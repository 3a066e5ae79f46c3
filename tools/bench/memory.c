// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of the kernel that an empty mailbox and a queued message take, by what all
 * slabs hold before and after there are many of them, and by the pages that are free.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "measure.h"

#define SIZE	 64
#define OBJECTS	 2048
#define MESSAGES 8192

struct memory {
	const struct peer *peer;
	unsigned long nr;
	struct channel *channels[OBJECTS];
};

/* 0 for those who may not look. */
static unsigned long slab_bytes(void)
{
	FILE *file = fopen("/proc/slabinfo", "re");
	unsigned long sum = 0, objects, size;
	char line[512];

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%*s %lu %*u %lu", &objects, &size) == 2)
			sum += objects * size;
	}
	fclose(file);
	return sum;
}

/* Those free for all and those that processors keep for themselves. 0 as above. */
static unsigned long free_bytes(void)
{
	FILE *file = fopen("/proc/zoneinfo", "re");
	unsigned long sum = 0, pages;
	char line[512];

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, " nr_free_pages %lu", &pages) == 1 ||
		    sscanf(line, " count: %lu", &pages) == 1)
			sum += pages;
	}
	fclose(file);
	return sum * 4096;
}

/* What others have freed goes back later: until it has, nothing can be weighed. */
static void settle(void)
{
	const struct timespec pause = { .tv_sec = 1 };
	unsigned long before = slab_bytes(), after;
	unsigned int tries;

	for (tries = 0; tries < 10; tries++) {
		nanosleep(&pause, NULL);
		after = slab_bytes();
		if (labs((long)(after - before)) < 16384)
			break;
		before = after;
	}
}

static struct memory *memory_new(const struct peer *peer)
{
	struct memory *memory;

	if (peer->flags & PEER_FLOOR && peer != &peer_eventfd)
		return NULL;
	/* What they take is the region, and the ring: as much as was asked for, always. */
	if (peer == &peer_loan || peer == &peer_lane)
		return NULL;
	if (!slab_bytes())
		return NULL;
	memory = calloc(1, sizeof(*memory));
	if (memory)
		memory->peer = peer;
	return memory;
}

static void memory_teardown(void *state)
{
	struct memory *memory = state;

	while (memory->nr)
		memory->peer->close(memory->channels[--memory->nr]);
	free(memory);
}

static bool memory_open(struct memory *memory, size_t size, unsigned int depth)
{
	struct channel *channel = memory->peer->open(size, depth);

	if (channel)
		memory->channels[memory->nr++] = channel;
	return channel;
}

static void *empty_setup(const struct peer *peer, unsigned long x)
{
	struct memory *memory = memory_new(peer);

	(void)x;
	/* The first one may need what all others share. */
	if (memory && !memory_open(memory, 8, 1)) {
		memory_teardown(memory);
		return NULL;
	}
	return memory;
}

static double empty_round(void *state)
{
	struct memory *memory = state;
	unsigned long before;

	settle();
	before = slab_bytes();
	while (memory->nr < OBJECTS) {
		if (!memory_open(memory, 8, 1))
			fail(memory->peer->name, "be opened so often");
	}
	return (double)(slab_bytes() - before) / (OBJECTS - 1);
}

const struct measure measure_empty = {
	.name = "empty",
	.title = "(i) slab bytes of an empty one",
	.axis = "of many",
	.flags = MEASURE_BYTES,
	.nr_xs = 1,
	.xs = { OBJECTS },
	.setup = empty_setup,
	.round = empty_round,
	.teardown = memory_teardown,
};

static void *filled_setup(const struct peer *peer, unsigned long x)
{
	struct memory *memory = peer->flags & PEER_FLOOR ? NULL : memory_new(peer);

	(void)x;
	if (memory && !memory_open(memory, SIZE, MESSAGES)) {
		memory_teardown(memory);
		return NULL;
	}
	return memory;
}

static void fill(const struct memory *memory)
{
	unsigned int i;

	for (i = 0; i < MESSAGES; i++)
		memory->peer->send(memory->channels[0]);
}

static void *queued_setup(const struct peer *peer, unsigned long x)
{
	/* Their payload is in pages of its own. */
	if (peer == &peer_pipe || peer == &peer_packet_pipe)
		return NULL;
	return filled_setup(peer, x);
}

static double queued_round(void *state)
{
	const struct memory *memory = state;
	unsigned long before;

	settle();
	before = slab_bytes();
	fill(memory);
	return (double)(slab_bytes() - before) / MESSAGES;
}

const struct measure measure_queued = {
	.name = "queued",
	.title = "(i) slab bytes of a queued message of 64 bytes",
	.axis = "of many",
	.flags = MEASURE_BYTES,
	.nr_xs = 1,
	.xs = { MESSAGES },
	.setup = queued_setup,
	.round = queued_round,
	.teardown = memory_teardown,
};

static double paged_round(void *state)
{
	const struct memory *memory = state;
	unsigned long before;

	settle();
	before = free_bytes();
	fill(memory);
	return (double)(before - free_bytes()) / MESSAGES;
}

const struct measure measure_paged = {
	.name = "paged",
	.title = "(i) bytes of all memory for a queued message of 64 bytes",
	.axis = "of many",
	.flags = MEASURE_BYTES,
	.nr_xs = 1,
	.xs = { MESSAGES },
	.setup = filled_setup,
	.round = paged_round,
	.teardown = memory_teardown,
};

static void *charged_setup(const struct peer *peer, unsigned long x)
{
	return peer == &peer_mailbox ? filled_setup(peer, x) : NULL;
}

static double charged_round(void *state)
{
	const struct memory *memory = state;
	uint64_t before = mailbox_charged();

	fill(memory);
	return (double)(mailbox_charged() - before) / MESSAGES;
}

const struct measure measure_charged = {
	.name = "charged",
	.title = "(i) bytes that a queued message of 64 bytes is charged with",
	.axis = "of many",
	.flags = MEASURE_BYTES,
	.nr_xs = 1,
	.xs = { MESSAGES },
	.setup = charged_setup,
	.round = charged_round,
	.teardown = memory_teardown,
};
