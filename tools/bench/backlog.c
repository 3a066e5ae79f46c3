// SPDX-License-Identifier: GPL-2.0
/*
 * What it costs to receive one message and to send one, while others wait: does the
 * cost of a choice grow with what there is to choose from?
 */
#include <stdlib.h>

#include "measure.h"

#define SIZE	64
#define REPEATS 64

struct backlog {
	const struct peer *peer;
	struct channel *channel;
	enum choice choice;
	unsigned int length;
};

/* All types are there, in no order, and each of them once. */
static bool fill_with_types(const struct backlog *backlog)
{
	unsigned int *types = calloc(backlog->length, sizeof(*types));
	unsigned int i, other;

	if (!types)
		return false;
	for (i = 0; i < backlog->length; i++) {
		other = random_below(i + 1);
		types[i] = types[other];
		types[other] = i + 1;
	}
	for (i = 0; i < backlog->length; i++)
		backlog->peer->send_as(backlog->channel, backlog->choice, types[i]);
	free(types);
	return true;
}

static bool fill(const struct backlog *backlog)
{
	unsigned int i;

	if (backlog->choice != BY_PRIORITY)
		return fill_with_types(backlog);
	for (i = 0; i < backlog->length; i++)
		backlog->peer->send_as(backlog->channel, BY_PRIORITY, random_below(PRIORITIES));
	return true;
}

static void *backlog_new(const struct peer *peer, unsigned int length, enum choice choice)
{
	struct backlog *backlog;

	if (!(peer->choices & 1 << choice))
		return NULL;
	backlog = calloc(1, sizeof(*backlog));
	if (!backlog)
		return NULL;
	backlog->peer = peer;
	backlog->choice = choice;
	backlog->length = length;
	backlog->channel = peer->open(SIZE, length);
	if (!backlog->channel) {
		free(backlog);
		return NULL;
	}
	if (!fill(backlog))
		fail(peer->name, "fill a backlog");
	return backlog;
}

static double backlog_round(void *state)
{
	const struct backlog *backlog = state;
	const struct peer *peer = backlog->peer;
	unsigned int values[REPEATS], i;
	uint64_t start;

	for (i = 0; i < REPEATS; i++)
		values[i] = backlog->choice == BY_PRIORITY ? random_below(PRIORITIES) :
							     random_below(backlog->length) + 1;
	start = now();
	for (i = 0; i < REPEATS; i++) {
		peer->receive_by(backlog->channel, backlog->choice, values[i]);
		peer->send_as(backlog->channel, backlog->choice, values[i]);
	}
	return (double)(now() - start) / REPEATS;
}

static void backlog_teardown(void *state)
{
	struct backlog *backlog = state;

	backlog->peer->close(backlog->channel);
	free(backlog);
}

static void *priority_setup(const struct peer *peer, unsigned long length)
{
	return backlog_new(peer, length, BY_PRIORITY);
}

static void *type_setup(const struct peer *peer, unsigned long length)
{
	return backlog_new(peer, length, BY_TYPE);
}

static void *lowest_setup(const struct peer *peer, unsigned long length)
{
	return backlog_new(peer, length, BY_LOWEST);
}

#define BACKLOGS .axis = "messages there", .nr_xs = 5, .xs = { 1, 16, 256, 4096, 65536 }

const struct measure measure_priority = {
	.name = "priority",
	.title = "(f) receive and send, random priorities",
	BACKLOGS,
	.setup = priority_setup,
	.round = backlog_round,
	.teardown = backlog_teardown,
};

const struct measure measure_type = {
	.name = "type",
	.title = "(f) receive and send, by exact type",
	BACKLOGS,
	.setup = type_setup,
	.round = backlog_round,
	.teardown = backlog_teardown,
};

const struct measure measure_lowest = {
	.name = "lowest-type",
	.title = "(f) receive and send, by lowest type",
	BACKLOGS,
	.setup = lowest_setup,
	.round = backlog_round,
	.teardown = backlog_teardown,
};
