// SPDX-License-Identifier: GPL-2.0
/*
 * Pairs of Unix sockets that keep messages apart: SEQPACKET and DGRAM.
 */
#include <limits.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "bench.h"

/* What the kernel counts besides the payload: the head, and the end of the data. */
#define HEAD	 256
#define DATA_END 320

struct pair {
	struct channel channel;
	int fd[2];
	struct mmsghdr sends[BATCH];
	struct mmsghdr receives[BATCH];
	struct iovec out[BATCH];
	struct iovec in[BATCH];
};

static void prepare(struct pair *pair)
{
	struct channel *channel = &pair->channel;
	unsigned int i;

	for (i = 0; i < BATCH; i++) {
		pair->out[i].iov_base = channel->out + i * channel->size;
		pair->in[i].iov_base = channel->in + i * channel->size;
		pair->out[i].iov_len = channel->size;
		pair->in[i].iov_len = channel->size;
		pair->sends[i].msg_hdr.msg_iov = &pair->out[i];
		pair->receives[i].msg_hdr.msg_iov = &pair->in[i];
		pair->sends[i].msg_hdr.msg_iovlen = 1;
		pair->receives[i].msg_hdr.msg_iovlen = 1;
	}
}

/* Kernel memory that a message takes: its data is rounded up to a power of two. */
static size_t true_size(size_t size)
{
	size_t data = 1;

	while (data < size + DATA_END)
		data *= 2;
	return HEAD + data;
}

/* Those who may force it are not bound by a limit. The kernel doubles what it is told. */
static bool make_room(int fd, size_t bytes)
{
	int room = bytes / 2, got;
	socklen_t length = sizeof(got);

	if (bytes > INT_MAX)
		return false;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)))
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	return !getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &got, &length) && (size_t)got >= bytes;
}

static struct channel *pair_open(int type, size_t size, unsigned int depth)
{
	struct pair *pair = calloc(1, sizeof(*pair));

	if (!pair || !channel_init(&pair->channel, size, depth))
		goto err_free;
	if (socketpair(AF_UNIX, type, 0, pair->fd))
		goto err_fini;
	if (make_room(pair->fd[1], true_size(size) * depth) &&
	    send(pair->fd[1], pair->channel.out, size, MSG_DONTWAIT) == (ssize_t)size &&
	    recv(pair->fd[0], pair->channel.in, size, MSG_DONTWAIT) == (ssize_t)size) {
		prepare(pair);
		return &pair->channel;
	}

	close(pair->fd[0]);
	close(pair->fd[1]);
err_fini:
	channel_fini(&pair->channel);
err_free:
	free(pair);
	return NULL;
}

static struct channel *seqpacket_open(size_t size, unsigned int depth)
{
	return pair_open(SOCK_SEQPACKET, size, depth);
}

static struct channel *dgram_open(size_t size, unsigned int depth)
{
	return pair_open(SOCK_DGRAM, size, depth);
}

static void pair_close(struct channel *channel)
{
	struct pair *pair = (struct pair *)channel;

	close(pair->fd[0]);
	close(pair->fd[1]);
	channel_fini(channel);
	free(pair);
}

static void pair_send(struct channel *channel)
{
	struct pair *pair = (struct pair *)channel;

	if (send(pair->fd[1], channel->out, channel->size, 0) != (ssize_t)channel->size)
		fail("socket", "send");
}

static void pair_receive(struct channel *channel)
{
	struct pair *pair = (struct pair *)channel;

	if (recv(pair->fd[0], channel->in, channel->size, 0) != (ssize_t)channel->size)
		fail("socket", "receive");
}

static void pair_send_batch(struct channel *channel)
{
	struct pair *pair = (struct pair *)channel;

	if (sendmmsg(pair->fd[1], pair->sends, BATCH, 0) != BATCH)
		fail("socket", "send a batch");
}

static void pair_receive_batch(struct channel *channel)
{
	struct pair *pair = (struct pair *)channel;

	if (recvmmsg(pair->fd[0], pair->receives, BATCH, 0, NULL) != BATCH)
		fail("socket", "receive a batch");
}

static void make(int type)
{
	int fd[2];

	if (socketpair(AF_UNIX, type, 0, fd))
		fail("socket", "open");
	close(fd[0]);
	close(fd[1]);
}

static void seqpacket_make(void)
{
	make(SOCK_SEQPACKET);
}

static void dgram_make(void)
{
	make(SOCK_DGRAM);
}

const struct peer peer_seqpacket = {
	.name = "SEQPACKET",
	.flags = PEER_SHARED,
	.open = seqpacket_open,
	.close = pair_close,
	.send = pair_send,
	.receive = pair_receive,
	.send_batch = pair_send_batch,
	.receive_batch = pair_receive_batch,
	.make = seqpacket_make,
};

const struct peer peer_dgram = {
	.name = "DGRAM",
	.flags = PEER_SHARED,
	.open = dgram_open,
	.close = pair_close,
	.send = pair_send,
	.receive = pair_receive,
	.send_batch = pair_send_batch,
	.receive_batch = pair_receive_batch,
	.make = dgram_make,
};
