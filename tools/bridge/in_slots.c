// SPDX-License-Identifier: GPL-2.0
/*
 * Slots of a route that receives: each message is on one list, and to be found by its number.
 */
#include <string.h>
#include <time.h>

#include "in.h"

uint64_t in_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * SECOND + now.tv_nsec;
}

static struct in_list empty(void)
{
	return (struct in_list){ .first = IN_NONE, .last = IN_NONE };
}

void in_list_add(struct in *in, struct in_list *list, uint32_t slot)
{
	in->messages[slot].next = IN_NONE;
	if (list->last == IN_NONE)
		list->first = slot;
	else
		in->messages[list->last].next = slot;
	list->last = slot;
	list->nr++;
}

void in_list_add_first(struct in *in, struct in_list *list, uint32_t slot)
{
	in->messages[slot].next = list->first;
	list->first = slot;
	if (list->last == IN_NONE)
		list->last = slot;
	list->nr++;
}

uint32_t in_list_take(struct in *in, struct in_list *list)
{
	uint32_t slot = list->first;

	if (slot == IN_NONE)
		return slot;
	list->first = in->messages[slot].next;
	if (list->first == IN_NONE)
		list->last = IN_NONE;
	list->nr--;
	return slot;
}

static uint32_t *chain(struct in *in, uint64_t stream_sequence)
{
	return &in->hash[stream_sequence % IN_HASH];
}

uint32_t in_slot_find(const struct in *in, uint64_t stream_sequence)
{
	uint32_t slot = in->hash[stream_sequence % IN_HASH];

	while (slot != IN_NONE && in->seen.slots[slot].stream_sequence != stream_sequence)
		slot = in->messages[slot].same;
	return slot;
}

struct in_band *in_slot_band(struct in *in, uint32_t slot)
{
	const unsigned int band = in->seen.slots[slot].band;

	/* It may be of a time with more bands. */
	return &in->bands[band < in->nr_bands ? band : in->nr_bands - 1];
}

static void enter(struct in *in, uint32_t slot)
{
	uint32_t *first = chain(in, in->seen.slots[slot].stream_sequence);

	in->messages[slot].same = *first;
	*first = slot;
	in_slot_band(in, slot)->used++;
	atomic_fetch_add(&in->route->in_flight, 1);
}

/* What a slot of an earlier bridge, or session, means now. */
static void place(struct in *in, uint32_t slot)
{
	const struct seen_slot *seen = &in->seen.slots[slot];
	struct in_message *message = &in->messages[slot];

	if (seen->flags & SEEN_ENDED) {
		message->place = IN_ENDED;
		in_list_add(in, &in->ended, slot);
	} else if (seen->flags & SEEN_DOOMED) {
		message->place = IN_DOOMED;
	} else if (seen_sent(seen) && (seen->flags & SEEN_WAITS)) {
		message->place = IN_SENT;
	} else if (seen_sent(seen)) {
		message->place = IN_DONE;
		in_list_add(in, &in_slot_band(in, slot)->done, slot);
	} else if (in->route->config->policy == ROUTE_BROADCAST) {
		message->place = IN_AWAITED;
		in->nr_awaited++;
	} else {
		/* Not sent, and its payload is gone: in_give_back() returns it. */
		message->place = IN_HELD;
		in_list_add(in, &in_slot_band(in, slot)->held, slot);
	}
}

/* Of policy one, and not sent: whoever has the turn gets it in order, see in_consumers_anew(). */
static bool is_to_come_anyway(const struct in *in, uint32_t slot)
{
	const struct seen_slot *seen = &in->seen.slots[slot];

	return in->route->config->policy == ROUTE_ONE && !seen_sent(seen) &&
	       !(seen->flags & (SEEN_ENDED | SEEN_DOOMED));
}

void in_slots_init(struct in *in)
{
	uint32_t i;

	memset(in->hash, 0xff, sizeof(in->hash));
	in->nr_awaited = 0;
	in->free = empty();
	in->ended = empty();
	for (i = 0; i < CONFIG_BANDS_MAX; i++) {
		struct in_band *band = &in->bands[i];

		*band = (struct in_band){ .in = in, .index = i };
		band->held = empty();
		band->done = empty();
		band->told = empty();
	}
	atomic_store(&in->route->in_flight, 0);
	for (i = 0; i < in->seen.nr; i++) {
		if (is_to_come_anyway(in, i))
			seen_free(&in->seen.slots[i]);
		natsMsg_Destroy(in->messages[i].msg);
		in->messages[i] = (struct in_message){ .next = IN_NONE, .same = IN_NONE };
		if (in->seen.slots[i].stream_sequence) {
			in->messages[i].arrived = in->seen.slots[i].time;
			enter(in, i);
			place(in, i);
		} else {
			in_list_add(in, &in->free, i);
		}
	}
}

uint32_t in_slot_take(struct in *in, unsigned int band, const struct seen_message *message,
		      const char *reply)
{
	uint32_t slot = in->free.first;
	const uint64_t now = in_now();

	if (slot == IN_NONE || seen_add(&in->seen.slots[slot], message, reply, now, band))
		return IN_NONE;
	in_list_take(in, &in->free);
	enter(in, slot);
	in->messages[slot].arrived = now;
	return slot;
}

void in_slot_done(struct in *in, uint32_t slot)
{
	in->messages[slot].place = IN_DONE;
	in_list_add(in, &in_slot_band(in, slot)->done, slot);
	seen_remember_id(&in->seen, &in->seen.slots[slot], in_now());
}

void in_slot_free(struct in *in, uint32_t slot, bool known)
{
	struct in_message *message = &in->messages[slot];
	const uint64_t stream_sequence = in->seen.slots[slot].stream_sequence;
	uint32_t *link = chain(in, stream_sequence);

	while (*link != slot)
		link = &in->messages[*link].same;
	*link = message->same;
	/* The server may have delivered it again before it knew: that copy is on its way. */
	if (known)
		seen_remember(&in->seen, &in->seen.slots[slot]);

	in_slot_band(in, slot)->used--;
	atomic_fetch_sub(&in->route->in_flight, 1);
	natsMsg_Destroy(message->msg);
	message->msg = NULL;
	message->place = IN_FREE;
	seen_free(&in->seen.slots[slot]);
	in_list_add(in, &in->free, slot);
}

/* FNV-1a, see http://www.isthe.com/chongo/tech/comp/fnv/ */
uint64_t in_hash_id(const char *id)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	if (!id)
		return 0;
	for (; *id; id++)
		hash = (hash ^ (unsigned char)*id) * UINT64_C(0x100000001b3);
	return hash ? hash : 1;
}

bool in_is_ours(const struct in *in, uint32_t slot)
{
	/* With room for a clock, and a network, that are slow. */
	return in_now() - in->seen.slots[slot].time < in->ack_wait / 4 * 3;
}
