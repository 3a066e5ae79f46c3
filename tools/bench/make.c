// SPDX-License-Identifier: GPL-2.0
/*
 * What it costs to make a mailbox and to end it.
 */
#include <stdlib.h>

#include "measure.h"

/* So many that what is freed later is freed within the round. */
#define REPEATS 1024

struct maker {
	const struct peer *peer;
};

static void *make_setup(const struct peer *peer, unsigned long x)
{
	struct channel *channel;
	struct maker *maker;

	(void)x;
	if (!peer->make)
		return NULL;
	/* Those that cannot are found out here. */
	channel = peer->open(8, 1);
	if (!channel)
		return NULL;
	peer->close(channel);
	maker = malloc(sizeof(*maker));
	if (maker)
		maker->peer = peer;
	return maker;
}

static double make_round(void *state)
{
	const struct maker *maker = state;
	unsigned int i;
	uint64_t start;

	start = now();
	for (i = 0; i < REPEATS; i++)
		maker->peer->make();
	return (double)(now() - start) / REPEATS;
}

const struct measure measure_make = {
	.name = "make",
	.title = "(h) make one and end it",
	.axis = "at a time",
	.nr_xs = 1,
	.xs = { 1 },
	.setup = make_setup,
	.round = make_round,
	.teardown = free,
};
