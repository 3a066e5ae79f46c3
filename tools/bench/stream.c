// SPDX-License-Identifier: GPL-2.0
/*
 * Streams: as much as goes through, from one to one, from four to one, and from one to
 * four who share the work.
 */
#include <stdlib.h>

#include "crew.h"
#include "measure.h"

/*
 * Messages that go through in one round, for each place that the channel has. Many: the
 * scheduler needs some ticks until it has found its rhythm.
 */
#define FILLS 16

enum shape {
	ONE_TO_ONE,
	FOUR_TO_ONE,
	ONE_TO_FOUR,
};

struct stream {
	const struct peer *peer;
	struct channel *channel;
	enum shape shape;
	unsigned int messages;
	struct crew crew;
};

static void send_quarter(void *arg)
{
	const struct stream *stream = arg;
	unsigned int i;

	for (i = 0; i < stream->messages / CREW_MAX; i++)
		stream->peer->send(stream->channel);
}

static void receive_all(void *arg)
{
	const struct stream *stream = arg;
	unsigned int i;

	for (i = 0; i < stream->messages; i++)
		stream->peer->receive(stream->channel);
}

/* Nobody knows how much of it a receiver will get: a mark is for one to stop. */
static void receive_until_mark(void *arg)
{
	const struct stream *stream = arg;

	do
		stream->peer->receive(stream->channel);
	while (!stream->channel->in[0]);
}

static void send_with_marks(const struct stream *stream)
{
	unsigned int i;

	for (i = 0; i < stream->messages; i++)
		stream->peer->send(stream->channel);
	stream->channel->out[0] = 1;
	for (i = 0; i < CREW_MAX; i++)
		stream->peer->send(stream->channel);
	stream->channel->out[0] = 0;
}

static void send_all(const struct stream *stream)
{
	unsigned int i;

	for (i = 0; i < stream->messages; i++)
		stream->peer->send(stream->channel);
}

static void *stream_new(const struct peer *peer, size_t size, enum shape shape)
{
	struct stream *stream;

	/* An eventfd would add up what is sent. */
	if (peer->flags & PEER_FLOOR && peer != &peer_ring)
		return NULL;
	if (peer->size_max && size > peer->size_max)
		return NULL;
	if (shape != ONE_TO_ONE && !(peer->flags & PEER_SHARED))
		return NULL;
	stream = calloc(1, sizeof(*stream));
	if (!stream)
		return NULL;
	stream->peer = peer;
	stream->shape = shape;
	stream->messages = depth_of(size) * FILLS;
	stream->channel = peer->open(size, depth_of(size));
	if (!stream->channel) {
		free(stream);
		return NULL;
	}
	channel_check(peer, stream->channel);
	if (shape == ONE_TO_ONE)
		crew_start(&stream->crew, 1, receive_all, stream);
	else if (shape == FOUR_TO_ONE)
		crew_start(&stream->crew, CREW_MAX, send_quarter, stream);
	else
		crew_start(&stream->crew, CREW_MAX, receive_until_mark, stream);
	return stream;
}

static double stream_round(void *state)
{
	struct stream *stream = state;
	uint64_t start = now(), end;

	crew_send_to_work(&stream->crew);
	switch (stream->shape) {
	case ONE_TO_ONE:
		send_all(stream);
		break;
	case FOUR_TO_ONE:
		receive_all(stream);
		break;
	case ONE_TO_FOUR:
		send_with_marks(stream);
		break;
	}
	end = now();
	if (stream->shape == FOUR_TO_ONE)
		crew_wait(&stream->crew);
	else
		end = crew_wait(&stream->crew);
	return (double)(end - start) / stream->messages;
}

static void stream_teardown(void *state)
{
	struct stream *stream = state;

	crew_end(&stream->crew);
	stream->peer->close(stream->channel);
	free(stream);
}

static void *one_to_one_setup(const struct peer *peer, unsigned long size)
{
	return stream_new(peer, size, ONE_TO_ONE);
}

const struct measure measure_stream = {
	.name = "stream",
	.title = "(d) stream from one process to another",
	.flags = MEASURE_LONG,
	SIZES,
	.setup = one_to_one_setup,
	.round = stream_round,
	.teardown = stream_teardown,
};

static void *four_to_one_setup(const struct peer *peer, unsigned long size)
{
	return stream_new(peer, size, FOUR_TO_ONE);
}

const struct measure measure_four_to_one = {
	.name = "four-to-one",
	.title = "(e) four processes to one",
	.flags = MEASURE_LONG,
	SIZES,
	.setup = four_to_one_setup,
	.round = stream_round,
	.teardown = stream_teardown,
};

static void *one_to_four_setup(const struct peer *peer, unsigned long size)
{
	/* What one of several reads from a stream of bytes may be a part of two messages. */
	if (peer->flags & PEER_BYTES && size > 4096)
		return NULL;
	return stream_new(peer, size, ONE_TO_FOUR);
}

const struct measure measure_one_to_four = {
	.name = "one-to-four",
	.title = "(e) one process to four that share the work",
	.flags = MEASURE_LONG,
	SIZES,
	.setup = one_to_four_setup,
	.round = stream_round,
	.teardown = stream_teardown,
};
