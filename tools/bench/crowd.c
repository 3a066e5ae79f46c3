// SPDX-License-Identifier: GPL-2.0
/*
 * One mailbox that is busy beside others that are idle.
 */
#include <stdlib.h>

#include "measure.h"

#define SIZE 64

struct crowd {
	const struct peer *peer;
	struct channel *busy;
	unsigned long nr;
	struct channel **idle;
};

static void crowd_teardown(void *state)
{
	struct crowd *crowd = state;
	unsigned long i;

	for (i = 0; i < crowd->nr; i++)
		crowd->peer->close(crowd->idle[i]);
	if (crowd->busy)
		crowd->peer->close(crowd->busy);
	free(crowd->idle);
	free(crowd);
}

static bool crowd_fill(struct crowd *crowd, unsigned long nr)
{
	crowd->idle = calloc(nr + 1, sizeof(*crowd->idle));
	if (!crowd->idle)
		return false;
	while (crowd->nr < nr) {
		crowd->idle[crowd->nr] = crowd->peer->open(SIZE, 1);
		if (!crowd->idle[crowd->nr])
			return false;
		crowd->nr++;
	}
	return true;
}

static void *crowd_setup(const struct peer *peer, unsigned long nr)
{
	struct crowd *crowd;

	/* Pipes and sockets have no table that they share. */
	if (peer != &peer_mailbox && peer != &peer_sysv && peer != &peer_mq)
		return NULL;
	crowd = calloc(1, sizeof(*crowd));
	if (!crowd)
		return NULL;
	crowd->peer = peer;
	crowd->busy = peer->open(SIZE, 1);
	if (crowd->busy && crowd_fill(crowd, nr))
		return crowd;
	crowd_teardown(crowd);
	return NULL;
}

static double crowd_round(void *state)
{
	const struct crowd *crowd = state;
	const struct peer *peer = crowd->peer;
	unsigned int repeats = repeats_of(SIZE), i;
	uint64_t start;

	start = now();
	for (i = 0; i < repeats; i++) {
		peer->send(crowd->busy);
		peer->receive(crowd->busy);
	}
	return (double)(now() - start) / repeats;
}

const struct measure measure_idle = {
	.name = "idle",
	.title = "(g) 64 bytes, send then receive, beside idle ones",
	.axis = "idle ones",
	.nr_xs = 5,
	.xs = { 0, 10, 100, 1000, 10000 },
	.setup = crowd_setup,
	.round = crowd_round,
	.teardown = crowd_teardown,
};
