// SPDX-License-Identifier: GPL-2.0
/*
 * Pull requests of a band: how many messages the server was asked for that have not come yet.
 *
 * A request stays open until its messages have come or its time has passed, and then the server
 * says how many it has not sent. So what may still come is known at each moment, and the next
 * request goes out before the last one is done. The fetch of libnats returns with the first
 * message and leaves its request open, which nobody counts then.
 *
 * While a request waits the server gives signs of life, so one that has got lost, such as with the
 * leader of a cluster, is missed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "envelope.h"
#include "in.h"
#include "retire.h"
#include "server.h"

/* How long a request waits, how often the server says that it does, and when that is missed. */
#define PULL_TIME    (20 * SECOND)
#define PULL_BEAT    (4 * SECOND)
#define PULL_SILENCE (11 * SECOND)
/* A turn that ends sooner is not worth a request. */
#define PULL_LEAST (10 * MILLISECOND)
/*
 * Milliseconds: a look at the clock, how long the next of a row of messages may take, and the round
 * trip after which nothing more can come.
 */
#define PULL_LOOK 1000
#define PULL_MORE 2
#define PULL_LAST 2000

#define STATUS_BEAT    100
#define STATUS_NONE    404
#define STATUS_EXPIRED 408

/**
 * in_pull_start() - be ready for messages
 * @band: of a new session, and its consumer is there
 *
 * Return: whether it is; where not, in_pull_stop() is due all the same.
 */
bool in_pull_start(struct in_band *band)
{
	struct in *in = band->in;
	struct in_pull *pull = &band->pull;
	char stream[SERVER_NAME_SIZE], consumer[SERVER_NAME_SIZE];

	server_stream_name(in->route, stream);
	server_consumer_name(in->route, band->index, consumer);
	snprintf(pull->ask, sizeof(pull->ask), "$JS.API.CONSUMER.MSG.NEXT.%s.%s", stream, consumer);
	if (natsInbox_Create(&pull->inbox) == NATS_OK &&
	    natsConnection_SubscribeSync(&pull->subscription, in->nats, pull->inbox) == NATS_OK)
		return true;
	in_break(in, "cannot subscribe to what is fetched: %s; tried again", server_last_error());
	return false;
}

/* How long a request may wait, nanoseconds. */
static uint64_t time_of_request(const struct in *in)
{
	const uint64_t now = mailbox_now(), until = in->turn_until;

	if (until <= now)
		return 0;
	return until - now < PULL_TIME ? until - now : PULL_TIME;
}

/**
 * in_pull_forget() - so many have come, or will not
 * @band: of these; the lock of the route is held
 * @nr: how many
 */
void in_pull_forget(struct in_band *band, uint64_t nr)
{
	band->pull.open -= nr < band->pull.open ? nr : band->pull.open;
}

static void forget(struct in_band *band, uint64_t nr)
{
	pthread_mutex_lock(&band->in->lock);
	in_pull_forget(band, nr);
	pthread_mutex_unlock(&band->in->lock);
}

/**
 * in_pull_ask() - ask for messages
 * @band: its pull.open has them already
 * @nr: how many, not 0
 *
 * Return: whether the session goes on. Where the turn ends nothing is asked for.
 */
bool in_pull_ask(struct in_band *band, unsigned int nr)
{
	struct in *in = band->in;
	const uint64_t time = time_of_request(in);
	char text[128], beat[48] = "";
	natsStatus status;

	band->pull.heard = mailbox_now();
	if (time < PULL_LEAST) {
		forget(band, nr);
		return true;
	}
	/* The server refuses a beat that is longer than half of the time. */
	if (time > 2 * PULL_BEAT)
		snprintf(beat, sizeof(beat), ",\"idle_heartbeat\":%llu",
			 (unsigned long long)PULL_BEAT);
	snprintf(text, sizeof(text), "{\"batch\":%u,\"expires\":%llu%s}", nr,
		 (unsigned long long)time, beat);
	status = natsConnection_PublishRequestString(in->nats, band->pull.ask, band->pull.inbox,
						     text);
	if (status == NATS_OK)
		return true;
	in_break(in, "asking the server for messages: %s; tried again", natsStatus_GetText(status));
	return false;
}

/* What the server says of a request, rather than a message. */
static void note_status(struct in_band *band, natsMsg *msg)
{
	const char *pending = envelope_header(msg, "Nats-Pending-Messages");
	const char *about = envelope_header(msg, "Description");
	const unsigned int status = (unsigned int)envelope_number(msg, "Status", 999);

	switch (status) {
	case STATUS_BEAT:
		break;
	case STATUS_NONE:
	case STATUS_EXPIRED:
		/* Servers before 2.9 do not say how many: then as if it were all. */
		forget(band, pending ? strtoull(pending, NULL, 10) : UINT64_MAX);
		break;
	default:
		if (band->in->quit)
			break;
		in_break(band->in, "the server does not give messages (%u %s); tried again", status,
			 about ? about : "");
	}
	natsMsg_Destroy(msg);
}

/* Return: the next message, or NULL: none came in @milliseconds. */
static natsMsg *next(struct in_band *band, int64_t milliseconds)
{
	natsMsg *msg = NULL;

	while (natsSubscription_NextMsg(&msg, band->pull.subscription, milliseconds) == NATS_OK) {
		band->pull.heard = mailbox_now();
		/* A message has the subject that it was published by. */
		if (strcmp(natsMsg_GetSubject(msg), band->pull.inbox))
			return msg;
		note_status(band, msg);
		milliseconds = 0;
	}
	return NULL;
}

/* Whether the server has more that it was asked for: as the end of the reply of the last one says. */
static bool more_comes(const struct in_band *band, natsMsg *last, unsigned int nr)
{
	const char *reply = natsMsg_GetReply(last);
	const char *pending = reply ? strrchr(reply, '.') : NULL;

	return pending && strtoull(pending + 1, NULL, 10) && band->pull.open > nr;
}

/**
 * in_pull_take() - take what has come, and wait for something
 * @band: which has asked
 * @msgs: room for IN_PULL_BATCH
 *
 * Return: how many there are, for in_pull_forget(); 0 after a while without any, and when the
 * session ends.
 */
unsigned int in_pull_take(struct in_band *band, natsMsg **msgs)
{
	struct in *in = band->in;
	unsigned int nr = 0;

	msgs[0] = next(band, PULL_LOOK);
	/* Many at once cost less. */
	while (msgs[nr] && ++nr < IN_PULL_BATCH)
		msgs[nr] = next(band, more_comes(band, msgs[nr - 1], nr) ? PULL_MORE : 0);
	if (!nr && !in->quit && mailbox_now() - band->pull.heard > PULL_SILENCE)
		in_break(in, "the server has lost what was asked for; asked again");
	return nr;
}

/**
 * in_pull_end() - ask for no more, and wake who waits for some
 * @band: whose session ends
 *
 * The server drops what is open. What it has sent before can still be taken.
 */
void in_pull_end(struct in_band *band)
{
	if (!band->pull.subscription)
		return;
	if (!in_connected(band->in) ||
	    natsSubscription_DrainTimeout(band->pull.subscription, PULL_LAST) != NATS_OK)
		natsSubscription_Unsubscribe(band->pull.subscription);
}

/**
 * in_pull_stop() - give back what nobody has taken
 * @band: after in_pull_end(), and nobody takes messages
 */
void in_pull_stop(struct in_band *band)
{
	natsMsg *msg;

	if (band->pull.subscription) {
		while ((msg = next(band, PULL_LAST))) {
			in_nak(band->in, natsMsg_GetReply(msg), 0);
			natsMsg_Destroy(msg);
		}
		natsSubscription_WaitForDrainCompletion(band->pull.subscription, PULL_LAST);
		retire(band->in->nats, band->pull.subscription);
	}
	natsInbox_Destroy(band->pull.inbox);
	memset(&band->pull, 0, sizeof(band->pull));
}
