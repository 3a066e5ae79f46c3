// SPDX-License-Identifier: GPL-2.0
/*
 * One thread sends and receives: nobody waits, nobody is woken. That is what the calls
 * themselves cost.
 */
#include <stdlib.h>

#include "measure.h"

struct pair {
	const struct peer *peer;
	struct channel *channel;
	unsigned int repeats;
};

static struct pair *pair_new(const struct peer *peer, size_t size, unsigned int depth)
{
	struct pair *pair;

	if (peer->size_max && size > peer->size_max)
		return NULL;
	pair = calloc(1, sizeof(*pair));
	if (!pair)
		return NULL;
	pair->peer = peer;
	pair->repeats = repeats_of(size);
	pair->channel = peer->open(size, depth);
	if (!pair->channel) {
		free(pair);
		return NULL;
	}
	channel_check(peer, pair->channel);
	return pair;
}

static void pair_teardown(void *state)
{
	struct pair *pair = state;

	pair->peer->close(pair->channel);
	free(pair);
}

static void *pair_setup(const struct peer *peer, unsigned long size)
{
	return pair_new(peer, size, 1);
}

static double pair_round(void *state)
{
	const struct pair *pair = state;
	const struct peer *peer = pair->peer;
	struct channel *channel = pair->channel;
	unsigned int i;
	uint64_t start;

	start = now();
	for (i = 0; i < pair->repeats; i++) {
		peer->send(channel);
		peer->receive(channel);
	}
	return (double)(now() - start) / pair->repeats;
}

const struct measure measure_pair = {
	.name = "pair",
	.title = "(a) one thread, send then receive",
	.flags = MEASURE_QUICK,
	SIZES,
	.setup = pair_setup,
	.round = pair_round,
	.teardown = pair_teardown,
};

static unsigned int bursts_of(unsigned int repeats)
{
	return repeats < BATCH ? 1 : repeats / BATCH;
}

static void *burst_setup(const struct peer *peer, unsigned long size)
{
	/* Floors have nothing to do with a queue; the ring has one. */
	if (peer->flags & PEER_FLOOR && peer != &peer_ring)
		return NULL;
	return pair_new(peer, size, BATCH);
}

static double burst_round(void *state)
{
	const struct pair *pair = state;
	const struct peer *peer = pair->peer;
	struct channel *channel = pair->channel;
	unsigned int bursts = bursts_of(pair->repeats), i, j;
	uint64_t start;

	start = now();
	for (i = 0; i < bursts; i++) {
		for (j = 0; j < BATCH; j++)
			peer->send(channel);
		for (j = 0; j < BATCH; j++)
			peer->receive(channel);
	}
	return (double)(now() - start) / (bursts * BATCH);
}

const struct measure measure_burst = {
	.name = "burst",
	.title = "(b) 32 sent, then 32 received, each",
	SIZES,
	.setup = burst_setup,
	.round = burst_round,
	.teardown = pair_teardown,
};

static void *batch_setup(const struct peer *peer, unsigned long size)
{
	return peer->send_batch ? pair_new(peer, size, BATCH) : NULL;
}

static double batch_round(void *state)
{
	const struct pair *pair = state;
	unsigned int bursts = bursts_of(pair->repeats), i;
	uint64_t start;

	start = now();
	for (i = 0; i < bursts; i++) {
		pair->peer->send_batch(pair->channel);
		pair->peer->receive_batch(pair->channel);
	}
	return (double)(now() - start) / (bursts * BATCH);
}

const struct measure measure_batch = {
	.name = "batch",
	.title = "(b) 32 sent, then 32 received, in batches, each",
	SIZES,
	.setup = batch_setup,
	.round = batch_round,
	.teardown = pair_teardown,
};
