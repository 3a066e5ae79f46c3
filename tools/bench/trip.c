// SPDX-License-Identifier: GPL-2.0
/*
 * The round trip of two processes: each sleeps until the other has sent.
 */
#include <stdlib.h>

#include "crew.h"
#include "measure.h"

struct trip {
	const struct peer *peer;
	struct channel *there;
	struct channel *back;
	unsigned int repeats;
	struct crew crew;
};

static void answer(void *arg)
{
	const struct trip *trip = arg;
	unsigned int i;

	if (trip->peer->serve) {
		trip->peer->serve(trip->there, trip->repeats);
		return;
	}
	for (i = 0; i < trip->repeats; i++) {
		trip->peer->receive(trip->there);
		trip->peer->send(trip->back);
	}
}

static void *trip_setup(const struct peer *peer, unsigned long size)
{
	struct trip *trip;

	/* Where nobody waits for anybody there is no trip. */
	if (peer == &peer_ioctls || peer == &peer_syscalls)
		return NULL;
	if (peer->size_max && size > peer->size_max)
		return NULL;
	trip = calloc(1, sizeof(*trip));
	if (!trip)
		return NULL;
	trip->peer = peer;
	trip->repeats = repeats_of(size);
	trip->there = peer->open(size, 1);
	trip->back = trip->there ? peer->open(size, 1) : NULL;
	if (!trip->back) {
		if (trip->there)
			peer->close(trip->there);
		free(trip);
		return NULL;
	}
	crew_start(&trip->crew, 1, answer, trip);
	return trip;
}

static double trip_round(void *state)
{
	struct trip *trip = state;
	const struct peer *peer = trip->peer;
	uint64_t start, end;
	unsigned int i;

	crew_send_to_work(&trip->crew);
	start = now();
	for (i = 0; i < trip->repeats; i++) {
		if (peer->call) {
			peer->call(trip->there);
			continue;
		}
		peer->send(trip->there);
		peer->receive(trip->back);
	}
	end = now();
	crew_wait(&trip->crew);
	return (double)(end - start) / trip->repeats;
}

static void trip_teardown(void *state)
{
	struct trip *trip = state;

	crew_end(&trip->crew);
	trip->peer->close(trip->there);
	trip->peer->close(trip->back);
	free(trip);
}

const struct measure measure_trip = {
	.name = "round-trip",
	.title = "(c) round trip of two processes on one CPU",
	.flags = MEASURE_QUICK,
	SIZES,
	.setup = trip_setup,
	.round = trip_round,
	.teardown = trip_teardown,
};
