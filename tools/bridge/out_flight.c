// SPDX-License-Identifier: GPL-2.0
/*
 * Messages under way.
 *
 * The thread of the route publishes, and libnats calls answered() from a thread of its own, once
 * for each message that was published, unless it is recalled. Whose a message is, is told by the
 * state of its letter: libnats has those that fly. An answer finds its letter by the address of
 * the message, which is nobody else's while libnats has it. So an answer to what was recalled,
 * should one come, finds nothing.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "out.h"

/* Wake the thread of the route when so many letters have landed: an eventfd for each is dear. */
static unsigned int enough(const struct flight *flight)
{
	unsigned int quarter = (flight->route->config->window + 3) / 4;

	return quarter < OUT_BATCH ? quarter : OUT_BATCH;
}

/* Answers come in the order of the messages, but for a few: look where the last one was. */
static struct letter *find(struct flight *flight, const natsMsg *msg)
{
	struct letter *letter = flight->expected;
	unsigned int left;

	for (left = flight->nr; left; left--) {
		if (!letter)
			letter = TAILQ_FIRST(&flight->under_way);
		if (letter->state == LETTER_FLYING && letter->msg == msg) {
			flight->expected = TAILQ_NEXT(letter, entry);
			return letter;
		}
		letter = TAILQ_NEXT(letter, entry);
	}
	return NULL;
}

static void note_refusal(struct flight *flight, struct letter *letter, const jsPubAckErr *error)
{
	struct refusal *refusal = &flight->first_refusal;

	if (error->ErrCode == JSStreamMessageExceedsMaximumErr)
		letter->misfit = LETTER_LONG_FOR_STREAM;
	if (refusal->status != NATS_OK)
		return;
	refusal->status = error->Err;
	refusal->code = error->ErrCode;
	snprintf(refusal->text, sizeof(refusal->text), "%s", error->ErrText ? error->ErrText : "");
}

/* In a thread of libnats, which holds none of its locks. The message is ours from here on. */
static void answered(jsCtx *js, natsMsg *msg, jsPubAck *ack, jsPubAckErr *error, void *closure)
{
	struct flight *flight = closure;
	struct letter *letter;

	(void)js;
	pthread_mutex_lock(&flight->lock);
	letter = find(flight, msg);
	if (letter && ack) {
		letter->state = LETTER_LANDED;
		letter->msg = NULL;
		letter->moved = true;
		flight->nr_landed++;
		if (ack->Duplicate)
			flight->route->known++;
	} else if (letter) {
		letter->state = LETTER_HELD;
		msg = NULL;
		/* It may be before others that are held: go through all of them again. */
		flight->next = TAILQ_FIRST(&flight->under_way);
		note_refusal(flight, letter, error);
	}
	if (letter) {
		flight->flying--;
		if (!flight->flying || flight->nr_landed == enough(flight) || !ack)
			route_wake(flight->route);
		pthread_cond_signal(&flight->landed);
	}
	/* With the last one the thread of the route may end the flight: not a step after this. */
	pthread_mutex_unlock(&flight->lock);
	natsMsg_Destroy(msg);
}

bool flight_init(struct flight *flight, struct route *route)
{
	unsigned int window = route->config->window, nr = window + OUT_BATCH, i;
	jsOptions options;

	memset(flight, 0, sizeof(*flight));
	flight->route = route;
	flight->limit = window;
	TAILQ_INIT(&flight->under_way);
	TAILQ_INIT(&flight->free);
	flight->all = calloc(nr, sizeof(*flight->all));
	if (!flight->all)
		return false;
	for (i = 0; i < nr; i++)
		TAILQ_INSERT_TAIL(&flight->free, &flight->all[i], entry);

	jsOptions_Init(&options);
	options.PublishAsync.AckHandler = answered;
	options.PublishAsync.AckHandlerClosure = flight;
	if (natsConnection_JetStream(&flight->js, server_nats(route->bridge->server), &options) !=
	    NATS_OK) {
		free(flight->all);
		return false;
	}
	pthread_mutex_init(&flight->lock, NULL);
	pthread_cond_init(&flight->landed, NULL);
	return true;
}

void flight_fini(struct flight *flight)
{
	struct letter *letter;

	flight_recall(flight);
	while ((letter = TAILQ_FIRST(&flight->under_way)))
		flight_remove(flight, letter);
	jsCtx_Destroy(flight->js);
	pthread_cond_destroy(&flight->landed);
	pthread_mutex_destroy(&flight->lock);
	free(flight->all);
}

unsigned int flight_room(const struct flight *flight)
{
	unsigned int window = flight->route->config->window;

	if (flight->nr >= window || flight->bytes >= OUT_BYTES)
		return 0;
	return window - flight->nr;
}

struct letter *flight_add(struct flight *flight)
{
	struct letter *letter = TAILQ_FIRST(&flight->free);

	TAILQ_REMOVE(&flight->free, letter, entry);
	memset(letter, 0, sizeof(*letter));
	pthread_mutex_lock(&flight->lock);
	TAILQ_INSERT_TAIL(&flight->under_way, letter, entry);
	flight->nr++;
	if (!flight->next)
		flight->next = letter;
	pthread_mutex_unlock(&flight->lock);
	return letter;
}

void flight_remove(struct flight *flight, struct letter *letter)
{
	struct letter *next;

	pthread_mutex_lock(&flight->lock);
	next = TAILQ_NEXT(letter, entry);
	if (flight->next == letter)
		flight->next = next;
	if (flight->expected == letter)
		flight->expected = next;
	if (letter->state == LETTER_LANDED)
		flight->nr_landed--;
	TAILQ_REMOVE(&flight->under_way, letter, entry);
	flight->nr--;
	pthread_mutex_unlock(&flight->lock);
	flight->bytes -= letter->length;
	natsMsg_Destroy(letter->msg);
	letter->msg = NULL;
	TAILQ_INSERT_HEAD(&flight->free, letter, entry);
}

void flight_land(struct flight *flight, struct letter *letter)
{
	natsMsg *msg;

	pthread_mutex_lock(&flight->lock);
	msg = letter->msg;
	letter->msg = NULL;
	letter->state = LETTER_LANDED;
	flight->nr_landed++;
	pthread_mutex_unlock(&flight->lock);
	natsMsg_Destroy(msg);
}

struct letter *flight_next(struct flight *flight)
{
	struct letter *letter;

	pthread_mutex_lock(&flight->lock);
	for (letter = flight->next; letter; letter = TAILQ_NEXT(letter, entry))
		if (letter->state == LETTER_HELD)
			break;
	flight->next = letter;
	if (flight->first_refusal.status != NATS_OK)
		letter = NULL;
	pthread_mutex_unlock(&flight->lock);
	return letter;
}

natsStatus flight_publish(struct flight *flight, struct letter *letter)
{
	natsStatus status;
	natsMsg *msg;

	letter->last = mailbox_now();
	if (!letter->first)
		letter->first = letter->last;

	/* The answer may be here before the call returns. */
	pthread_mutex_lock(&flight->lock);
	letter->state = LETTER_FLYING;
	letter->unknown = false;
	msg = letter->msg;
	flight->flying++;
	pthread_mutex_unlock(&flight->lock);

	status = js_PublishMsgAsync(flight->js, &msg, NULL);
	if (status == NATS_OK) {
		flight->published++;
		return NATS_OK;
	}

	/* It is ours again, and nobody will answer. */
	pthread_mutex_lock(&flight->lock);
	letter->state = LETTER_HELD;
	letter->unknown = true;
	flight->flying--;
	pthread_mutex_unlock(&flight->lock);
	return status;
}

/*
 * libnats gives back what has no answer. What has one that is being delivered it does not give
 * back; that lands at once. When as many fly as it has given back, they are the same.
 */
void flight_recall(struct flight *flight)
{
	natsMsgList list = { 0 };
	struct letter *letter;

	/* libnats does not like to be asked before anything was published. */
	if (!flight_flying(flight))
		return;
	while (js_PublishAsyncGetPendingList(&list, flight->js) == NATS_NO_MEMORY)
		nats_Sleep(100);

	pthread_mutex_lock(&flight->lock);
	while (flight->flying > (unsigned int)list.Count)
		pthread_cond_wait(&flight->landed, &flight->lock);
	TAILQ_FOREACH(letter, &flight->under_way, entry)
	{
		if (letter->state == LETTER_FLYING) {
			letter->state = LETTER_HELD;
			letter->unknown = true;
		}
	}
	flight->flying = 0;
	flight->next = TAILQ_FIRST(&flight->under_way);
	pthread_mutex_unlock(&flight->lock);

	/* The messages are those of the letters: only the list goes. */
	if (list.Msgs)
		memset(list.Msgs, 0, list.Count * sizeof(*list.Msgs));
	natsMsgList_Destroy(&list);
}

void flight_wait(struct flight *flight, uint64_t deadline)
{
	struct timespec end = { .tv_sec = deadline / SECOND, .tv_nsec = deadline % SECOND };

	pthread_mutex_lock(&flight->lock);
	while (flight->flying &&
	       !pthread_cond_clockwait(&flight->landed, &flight->lock, CLOCK_MONOTONIC, &end))
		;
	pthread_mutex_unlock(&flight->lock);
}

bool flight_refused(struct flight *flight, struct refusal *refusal)
{
	pthread_mutex_lock(&flight->lock);
	*refusal = flight->first_refusal;
	flight->first_refusal.status = NATS_OK;
	pthread_mutex_unlock(&flight->lock);
	return refusal->status != NATS_OK;
}

unsigned int flight_flying(struct flight *flight)
{
	unsigned int flying;

	pthread_mutex_lock(&flight->lock);
	flying = flight->flying;
	pthread_mutex_unlock(&flight->lock);
	return flying;
}

uint64_t flight_oldest(struct flight *flight)
{
	struct letter *letter;
	uint64_t oldest = 0;

	pthread_mutex_lock(&flight->lock);
	TAILQ_FOREACH(letter, &flight->under_way, entry)
	{
		if (letter->state == LETTER_FLYING) {
			oldest = letter->last;
			break;
		}
	}
	pthread_mutex_unlock(&flight->lock);
	return oldest;
}
