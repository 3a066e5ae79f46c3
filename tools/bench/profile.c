// SPDX-License-Identifier: GPL-2.0
/*
 * One thread sends and receives, with marks around that show where it begins and ends.
 */
#include "bench.h"
#include "profile.h"

#define TEXT(...)   #__VA_ARGS__
#define MARK(bytes) __asm__ volatile(".byte " TEXT(bytes) : : : "memory")

bool profile_run(const char *name, size_t size)
{
	const struct peer *peer = peer_find(name);
	struct channel *channel;
	unsigned int i;

	if (!peer)
		return false;
	channel = peer->open(size, 1);
	if (!channel)
		fail(name, "be opened");
	for (i = 0; i < PROFILE_PAIRS; i++) {
		peer->send(channel);
		peer->receive(channel);
	}
	MARK(PROFILE_BEGIN);
	for (i = 0; i < PROFILE_PAIRS; i++) {
		peer->send(channel);
		peer->receive(channel);
	}
	MARK(PROFILE_END);
	peer->close(channel);
	return true;
}
