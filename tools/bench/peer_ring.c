// SPDX-License-Identifier: GPL-2.0
/*
 * A ring in shared memory for one sender and one receiver, who sleep on futexes. It
 * enters the kernel only to sleep and to wake: the floor for small messages.
 */
#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"

/* Each side writes its own line of the cache. */
struct side {
	_Atomic uint32_t position;
	_Atomic uint32_t sleeps;
} __attribute__((aligned(64)));

struct shared {
	struct side sender;
	struct side receiver;
	char slots[];
};

struct ring {
	struct channel channel;
	struct shared *shared;
};

static size_t bytes_of(size_t size, unsigned int depth)
{
	return sizeof(struct shared) + size * depth;
}

/* Sleeps until the position is no longer what it was. */
static void wait_while(struct side *other, uint32_t position)
{
	while (other->position == position) {
		other->sleeps = 1;
		/* The other side moves first and looks for sleepers then. */
		if (other->position == position)
			syscall(SYS_futex, &other->position, FUTEX_WAIT, position, NULL, NULL, 0);
	}
}

static void move_on(struct side *self, uint32_t position)
{
	self->position = position;
	if (self->sleeps) {
		self->sleeps = 0;
		syscall(SYS_futex, &self->position, FUTEX_WAKE, 1, NULL, NULL, 0);
	}
}

static struct channel *ring_open(size_t size, unsigned int depth)
{
	struct ring *ring = calloc(1, sizeof(*ring));

	/* Positions count on beyond their end, which must not be seen. */
	while (depth & (depth - 1))
		depth += depth & -depth;
	if (!ring || !channel_init(&ring->channel, size, depth))
		goto err_free;
	ring->shared = mmap(NULL, bytes_of(size, depth), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (ring->shared != MAP_FAILED)
		return &ring->channel;

	channel_fini(&ring->channel);
err_free:
	free(ring);
	return NULL;
}

static void ring_close(struct channel *channel)
{
	struct ring *ring = (struct ring *)channel;

	munmap(ring->shared, bytes_of(channel->size, channel->depth));
	channel_fini(channel);
	free(ring);
}

static char *slot(struct ring *ring, uint32_t position)
{
	return ring->shared->slots + (position & (ring->channel.depth - 1)) * ring->channel.size;
}

static void ring_send(struct channel *channel)
{
	struct ring *ring = (struct ring *)channel;
	struct side *self = &ring->shared->sender;
	struct side *other = &ring->shared->receiver;
	uint32_t position = atomic_load_explicit(&self->position, memory_order_relaxed);

	wait_while(other, position - channel->depth);
	memcpy(slot(ring, position), channel->out, channel->size);
	move_on(self, position + 1);
}

static void ring_receive(struct channel *channel)
{
	struct ring *ring = (struct ring *)channel;
	struct side *self = &ring->shared->receiver;
	struct side *other = &ring->shared->sender;
	uint32_t position = atomic_load_explicit(&self->position, memory_order_relaxed);

	wait_while(other, position);
	memcpy(channel->in, slot(ring, position), channel->size);
	move_on(self, position + 1);
}

const struct peer peer_ring = {
	.name = "futex ring",
	.flags = PEER_FLOOR,
	.open = ring_open,
	.close = ring_close,
	.send = ring_send,
	.receive = ring_receive,
};
