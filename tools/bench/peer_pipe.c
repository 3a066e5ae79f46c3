// SPDX-License-Identifier: GPL-2.0
/*
 * Pipes: one that carries bytes, and one that carries packets of a page at most. And
 * an eventfd, which carries a number: the floor for a round trip.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "bench.h"

struct ends {
	struct channel channel;
	int fd[2];
};

/*
 * No more than the others have either, or in a stream a pipe would never be full. But a
 * pipe of one page is full as soon as anything is in it, and then each read looks for
 * writers to wake.
 */
static bool pipe_make_room(int fd, size_t bytes)
{
	if (bytes < 4 * PIPE_BUF)
		bytes = 4 * PIPE_BUF;
	return bytes <= INT_MAX && (fcntl(fd, F_SETPIPE_SZ, (int)bytes) >= (ssize_t)bytes ||
				    fcntl(fd, F_GETPIPE_SZ) >= (ssize_t)bytes);
}

static struct channel *ends_open(size_t size, unsigned int depth, int flags, size_t room)
{
	struct ends *ends = calloc(1, sizeof(*ends));

	if (!ends || !channel_init(&ends->channel, size, depth))
		goto err_free;
	if (pipe2(ends->fd, flags))
		goto err_fini;
	if (pipe_make_room(ends->fd[0], room))
		return &ends->channel;

	close(ends->fd[0]);
	close(ends->fd[1]);
err_fini:
	channel_fini(&ends->channel);
err_free:
	free(ends);
	return NULL;
}

static struct channel *pipe_open(size_t size, unsigned int depth)
{
	return ends_open(size, depth, 0, size * depth);
}

/* Each packet takes a page, however short it is. */
static struct channel *packet_pipe_open(size_t size, unsigned int depth)
{
	return ends_open(size, depth, O_DIRECT, (size_t)depth * PIPE_BUF);
}

static struct channel *eventfd_open(size_t size, unsigned int depth)
{
	struct ends *ends = calloc(1, sizeof(*ends));

	if (!ends || !channel_init(&ends->channel, size, depth)) {
		free(ends);
		return NULL;
	}
	ends->channel.out[0] = 1;
	ends->fd[0] = eventfd(0, 0);
	ends->fd[1] = dup(ends->fd[0]);
	if (ends->fd[1] < 0)
		fail("eventfd", "open");
	return &ends->channel;
}

static void ends_close(struct channel *channel)
{
	struct ends *ends = (struct ends *)channel;

	close(ends->fd[0]);
	close(ends->fd[1]);
	channel_fini(channel);
	free(ends);
}

static void ends_write(struct ends *ends, size_t size)
{
	if (write(ends->fd[1], ends->channel.out, size) != (ssize_t)size)
		fail("pipe", "write");
}

/* A long message may come in pieces while its writer waits for room. */
static void ends_read(struct ends *ends, size_t size)
{
	size_t done = 0;
	ssize_t ret;

	do {
		ret = read(ends->fd[0], ends->channel.in + done, size - done);
		if (ret <= 0)
			fail("pipe", "read");
		done += ret;
	} while (done < size);
}

static void ends_send(struct channel *channel)
{
	ends_write((struct ends *)channel, channel->size);
}

static void ends_receive(struct channel *channel)
{
	ends_read((struct ends *)channel, channel->size);
}

static void pipe_send_batch(struct channel *channel)
{
	ends_write((struct ends *)channel, channel->size * BATCH);
}

static void pipe_receive_batch(struct channel *channel)
{
	ends_read((struct ends *)channel, channel->size * BATCH);
}

static void make(int flags)
{
	int fd[2];

	if (pipe2(fd, flags))
		fail("pipe", "open");
	close(fd[0]);
	close(fd[1]);
}

static void pipe_make(void)
{
	make(0);
}

static void eventfd_make(void)
{
	int fd = eventfd(0, 0);

	if (fd < 0)
		fail("eventfd", "open");
	close(fd);
}

const struct peer peer_pipe = {
	.name = "pipe",
	.flags = PEER_SHARED | PEER_BYTES,
	.open = pipe_open,
	.close = ends_close,
	.send = ends_send,
	.receive = ends_receive,
	.send_batch = pipe_send_batch,
	.receive_batch = pipe_receive_batch,
	.make = pipe_make,
};

const struct peer peer_packet_pipe = {
	.name = "packet pipe",
	.flags = PEER_SHARED,
	.size_max = PIPE_BUF,
	.open = packet_pipe_open,
	.close = ends_close,
	.send = ends_send,
	.receive = ends_receive,
};

const struct peer peer_eventfd = {
	.name = "eventfd",
	.flags = PEER_FLOOR,
	.size_max = sizeof(uint64_t),
	.open = eventfd_open,
	.close = ends_close,
	.send = ends_send,
	.receive = ends_receive,
	.make = eventfd_make,
};
