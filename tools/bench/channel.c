// SPDX-License-Identifier: GPL-2.0
/*
 * What all channels have: memory for what is sent and received.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "bench.h"

/* Touched now, so that no page fault is measured, and shared with no other process. */
void *memory_get(size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

void memory_put(void *memory, size_t bytes)
{
	if (memory)
		munmap(memory, bytes);
}

static size_t bytes_of(const struct channel *channel)
{
	return channel->size * (channel->depth < BATCH ? 1 : BATCH);
}

bool channel_init(struct channel *channel, size_t size, unsigned int depth)
{
	channel->size = size;
	channel->depth = depth;
	channel->out = memory_get(bytes_of(channel));
	channel->in = memory_get(bytes_of(channel));
	if (channel->out && channel->in)
		return true;
	channel_fini(channel);
	return false;
}

void channel_fini(struct channel *channel)
{
	memory_put(channel->out, bytes_of(channel));
	memory_put(channel->in, bytes_of(channel));
}

static char pattern(size_t i)
{
	return i * 7 + 1;
}

void channel_check(const struct peer *peer, struct channel *channel)
{
	size_t i;

	if (peer->flags & PEER_FLOOR)
		return;
	for (i = 0; i < channel->size; i++)
		channel->out[i] = pattern(i);
	memset(channel->in, 0, channel->size);
	peer->send(channel);
	peer->receive(channel);
	/* Not with what is at out, which may be another place by now. */
	for (i = 0; i < channel->size; i++) {
		if (channel->in[i] == pattern(i))
			continue;
		errno = EBADMSG;
		fail(peer->name, "compare what was received");
	}
	memset(channel->out, 0, channel->size);
}
