// SPDX-License-Identifier: GPL-2.0
/*
 * Acknowledgements of a route that receives. They go out in batches, without waiting; the last of a
 * batch asks for an answer. The server handles those of one consumer and one connection in order,
 * so that the answer is true of all before it. Until it comes the slots stay.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "in.h"
#include "log.h"
#include "retire.h"

#define ANSWER_WAIT 3000000000ULL

/* "INBOX.BAND.BATCH" */
static void answer(natsConnection *nats, natsSubscription *subscription, natsMsg *msg, void *data)
{
	const char *rest = natsMsg_GetSubject(msg) + strlen((char *)((struct in *)data)->inbox);
	struct in *in = data;
	unsigned long long batch;
	unsigned int band;

	(void)nats;
	(void)subscription;
	/* What went out before this connection, or was lost with the last, it says nothing of. */
	if (!in_connected(in)) {
		route_wake(in->route);
	} else if (natsMsg_IsNoResponders(msg)) {
		in_break(in, "the server has no such consumer any more; it is made again");
	} else if (sscanf(rest, ".%u.%llu", &band, &batch) == 2 && band < in->nr_bands) {
		pthread_mutex_lock(&in->lock);
		if (in->bands[band].confirmed < batch)
			in->bands[band].confirmed = batch;
		pthread_mutex_unlock(&in->lock);
		route_wake(in->route);
	}
	natsMsg_Destroy(msg);
}

static void ended(void *data)
{
	struct in *in = data;

	pthread_mutex_lock(&in->lock);
	in->answers_ended = true;
	pthread_cond_broadcast(&in->free_changed);
	pthread_mutex_unlock(&in->lock);
}

bool in_answers_start(struct in *in)
{
	char subject[256];

	in->answers_ended = false;
	if (natsInbox_Create(&in->inbox) != NATS_OK)
		return false;
	snprintf(subject, sizeof(subject), "%s.>", (char *)in->inbox);
	if (natsConnection_Subscribe(&in->answers, in->nats, subject, answer, in) != NATS_OK)
		return false;
	if (natsSubscription_SetOnCompleteCB(in->answers, ended, in) == NATS_OK)
		return true;
	in->answers_ended = true;
	return false;
}

/* Waits for a callback that runs: it uses what is freed next. */
void in_answers_stop(struct in *in)
{
	if (in->answers) {
		natsSubscription_Unsubscribe(in->answers);
		pthread_mutex_lock(&in->lock);
		while (!in->answers_ended)
			pthread_cond_wait(&in->free_changed, &in->lock);
		pthread_mutex_unlock(&in->lock);
		retire(in->nats, in->answers);
	}
	in->answers = NULL;
	natsInbox_Destroy(in->inbox);
	in->inbox = NULL;
}

/* Not so dead letters, and those that have expired. */
static bool has_moved(const struct seen_slot *slot)
{
	return seen_sent(slot) && !(slot->flags & SEEN_DOOMED) &&
	       (!(slot->flags & SEEN_ENDED) || slot->end == MAILBOX_END_RECEIVED ||
		slot->end == MAILBOX_END_ACKNOWLEDGED);
}

/* The server knows all batches up to band->confirmed. */
static void free_confirmed_locked(struct in *in, struct in_band *band)
{
	bool any = false;
	uint32_t slot;

	while (band->told.first != IN_NONE &&
	       in->messages[band->told.first].batch <= band->confirmed) {
		slot = in_list_take(in, &band->told);
		if (has_moved(&in->seen.slots[slot]))
			atomic_fetch_add(&in->route->moved, 1);
		in_slot_free(in, slot, true);
		any = true;
	}
	if (any)
		pthread_cond_broadcast(&in->free_changed);
}

static void ack_again_locked(struct in *in, struct in_band *band)
{
	uint32_t slot;

	while ((slot = in_list_take(in, &band->told)) != IN_NONE) {
		in->messages[slot].place = IN_DONE;
		in_list_add(in, &band->done, slot);
	}
}

static void ack_band_locked(struct in *in, struct in_band *band, uint64_t now)
{
	char to[256];
	uint32_t slot;

	free_confirmed_locked(in, band);
	/* It has been lost, or the server is slow: again is no harm. */
	if (band->told.nr && now - band->told_time > ANSWER_WAIT)
		ack_again_locked(in, band);
	if (!band->done.nr)
		return;

	band->batch++;
	band->told_time = now;
	while ((slot = in_list_take(in, &band->done)) != IN_NONE) {
		const char *reply = seen_reply(&in->seen.slots[slot]);

		in->messages[slot].place = IN_TOLD;
		in->messages[slot].batch = band->batch;
		in_list_add(in, &band->told, slot);
		if (band->done.nr) {
			natsConnection_PublishString(in->nats, reply, "+ACK");
			continue;
		}
		snprintf(to, sizeof(to), "%s.%u.%llu", (char *)in->inbox, band->index,
			 (unsigned long long)band->batch);
		natsConnection_PublishRequestString(in->nats, reply, to, "+ACK");
	}
}

/**
 * in_ack() - tell the server what is done, and forget what it knows
 * @in: the route
 *
 * A publication that fails has the same end as one that is lost: no answer comes, and it is told
 * again. Under another connection the session has ended before.
 */
void in_ack(struct in *in)
{
	const uint64_t now = in_now();
	unsigned int i;

	pthread_mutex_lock(&in->lock);
	for (i = 0; i < in->nr_bands; i++)
		ack_band_locked(in, &in->bands[i], now);
	pthread_mutex_unlock(&in->lock);
}

/**
 * in_progress() - tell the server that we still have what waits for a receiver, or in order for room
 * @in: the route
 *
 * Three times in the time after which it would deliver it again.
 */
void in_progress(struct in *in)
{
	const uint64_t now = in_now();
	uint32_t slot;

	if (now < in->next_progress)
		return;
	in->next_progress = now + in->ack_wait / 3;
	pthread_mutex_lock(&in->lock);
	for (slot = 0; slot < in->seen.nr; slot++) {
		const enum in_place place = in->messages[slot].place;

		if (place != IN_SENT && place != IN_ENDED &&
		    !(in->keeps_order && place == IN_HELD && in->messages[slot].msg))
			continue;
		natsConnection_PublishString(in->nats, seen_reply(&in->seen.slots[slot]), "+WPI");
		in->seen.slots[slot].time = now;
	}
	pthread_mutex_unlock(&in->lock);
}
