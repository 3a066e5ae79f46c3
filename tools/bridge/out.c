// SPDX-License-Identifier: GPL-2.0
/*
 * A route from a local mailbox to the server: the thread.
 *
 * A message is taken under a lease, published, and acknowledged once the server has said that it
 * has it. What the server has not said that of, when a connection has ended or an answer does not
 * come, is published again under its id, in order, and before anything that is new. Nothing else
 * is kept here: while the server takes nothing, the mailbox gets full.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <syslog.h>
#include <unistd.h>

#include "log.h"
#include "out.h"

/* How long an answer may take: usually, and where the server has complained of something. */
#define PATIENCE	  (10 * SECOND)
#define PATIENCE_ON_ERROR (2 * SECOND)
#define PATIENCE_MAX	  8

/* How often it is looked at what is missing, and at the stat of the mailbox. */
#define LOOK (250 * MILLISECOND)
/* How long what flies may take to land when the route stops. */
#define LANDING (5 * SECOND)

/* Letters that fly while there is little to do. */
#define OUT_FEW 16

/* No header of a message, with all the others, is longer than that: not worth to be counted. */
#define HEADERS_SURELY 1024

struct connection out_connection(struct out *out)
{
	struct server *server = out->route->bridge->server;
	natsConnection *nats = server_nats(server);
	struct connection connection = { 0 };

	connection.epoch = server_epoch(server);
	if (!connection.epoch || natsConnection_Status(nats) != NATS_CONN_STATUS_CONNECTED)
		return (struct connection){ 0 };
	/* libnats knows of a new connection a moment before it tells anybody. */
	natsConnection_GetStats(nats, out->statistics);
	natsStatistics_GetCounts(out->statistics, NULL, NULL, NULL, NULL, &connection.reconnects);
	return connection;
}

bool out_connected(struct out *out)
{
	struct connection connection = out_connection(out);

	return connection.epoch && connection.epoch == out->connection.epoch &&
	       connection.reconnects == out->connection.reconnects;
}

/* Whether the server is there, and the stream. Else this has waited a while. */
static bool reach_server(struct out *out)
{
	struct route *route = out->route;

	if (!out_connected(out)) {
		flight_recall(&out->flight);
		out->refused = false;
		out->stream_known = false;
		out->connection = out_connection(out);
	}
	if (!out->connection.epoch) {
		route_trouble(route, ROUTE_AWAY,
			      "there is no connection to a server: messages stay in mailbox '%s'",
			      route->config->mailbox);
		route_wait(route, -1, 0, 5 * SECOND);
		return false;
	}
	if (!out->stream_known && server_stream(route, out->flight.js)) {
		backoff(route, &out->backoff);
		return false;
	}
	out->stream_known = true;
	return true;
}

/* The mailbox is no good any more. What is under way goes back to it, if there is one. */
static void close_mailbox(struct out *out, int error)
{
	struct flight *flight = &out->flight;
	struct letter *letter;

	if (out->handle < 0)
		return;
	if (error)
		log_line(LOG_WARNING, "route '%s': mailbox '%s' (%u messages under way): %s",
			 out->route->config->name, out->route->config->mailbox, flight->nr,
			 mailbox_strerror(error));
	flight_recall(flight);
	while ((letter = TAILQ_FIRST(&flight->under_way)))
		flight_remove(flight, letter);
	out->refused = false;
	out_close_files(out);
	if (out->region)
		munmap(out->region, out->region_size);
	out->region = NULL;
	close(out->handle);
	out->handle = -1;
}

/* Whether the mailbox is open. Else this has waited a while. */
static bool reach_mailbox(struct out *out)
{
	struct route *route = out->route;
	struct mailbox_stat stat;
	int ret;

	if (out->handle >= 0)
		return true;
	ret = route_mailbox(route, route->config->mailbox, MAILBOX_RIGHT_RECEIVE, &out->handle);
	if (ret) {
		out->handle = -1;
		backoff(route, &out->backoff);
		return false;
	}
	ret = mailbox_stat(out->handle, &stat);
	out->broadcast = !ret && stat.policy == MAILBOX_POLICY_BROADCAST;
	/* Peeked messages stay readable for poll(2): be told of new ones instead. */
	if (!ret && out->broadcast)
		ret = mailbox_notify(out->handle, MAILBOX_EVENT_MESSAGE, route->wake);
	if (ret) {
		close_mailbox(out, ret);
		backoff(route, &out->backoff);
		return false;
	}

	/*
	 * Ids of mailboxes begin with 1 in each network namespace, and again when the module was
	 * loaded again: without the time a new mailbox could be taken for an old one.
	 */
	snprintf(out->id, sizeof(out->id), "%s-%s-%" PRIu64 ".%" PRIx64,
		 route->bridge->config->host, route->bridge->boot, (uint64_t)stat.id,
		 (uint64_t)stat.created);
	out->sequence = 0;
	backoff_done(&out->backoff);
	return true;
}

/* The mailbox does not do what it should. It is opened again, unless that would help nothing. */
static void give_up(struct out *out, int error)
{
	struct route *route = out->route;

	switch (error) {
	case -EBUSY:
		route_trouble(route, ROUTE_WAITING_TURN,
			      "another process has the right to receive from mailbox '%s': it goes "
			      "on when that ends",
			      route->config->mailbox);
		break;
	case -ENOMEM:
		route_trouble(route, ROUTE_REFUSED, "there is no memory for more messages");
		break;
	default:
		close_mailbox(out, error);
	}
	backoff(route, &out->backoff);
}

/* The server takes nothing for now: try again later, with one letter. */
static void step_back(struct out *out)
{
	out->trouble = true;
	out->flight.limit = 1;
	backoff(out->route, &out->backoff);
}

/* Forget what has landed. */
static int settle(struct out *out)
{
	struct flight *flight = &out->flight;
	uint64_t moved = out->route->moved;
	int ret;

	ret = out->broadcast ? out_settle_peeked(out) : out_settle(out);
	if (out->route->moved == moved || out->refused)
		return ret;

	out->trouble = false;
	out->patience = 1;
	backoff_done(&out->backoff);
	flight->limit *= 2;
	if (flight->limit > out->route->config->window)
		flight->limit = out->route->config->window;
	return ret;
}

/* Whether it has to be waited before anything is published. */
static bool hold_back(struct out *out)
{
	unsigned int flying = flight_flying(&out->flight);
	struct refusal refusal;

	if (flight_refused(&out->flight, &refusal) && !out->refused) {
		out->refused = true;
		out->refusal = refusal;
	}
	if (!out->refused)
		return false;
	/* Those that fly are refused, too, or not; in order comes what is published after that. */
	if (flying)
		return true;

	out->refused = false;
	if (out->refusal.code != JSStreamMessageExceedsMaximumErr) {
		out_refused(out, &out->refusal);
		step_back(out);
	}
	return false;
}

/* Whether answers that are missing have been missing for too long. */
static void look_for_answers(struct out *out)
{
	struct route *route = out->route;
	uint64_t oldest, now = mailbox_now(), patience = PATIENCE;
	char subject[SERVER_NAME_SIZE], text[192];
	struct mailbox_stat stat;
	bool error;

	if (now - out->looked < LOOK)
		return;
	out->looked = now;
	if (out->broadcast)
		route->lag = out->flight.nr;
	else if (!mailbox_stat(out->handle, &stat))
		route->lag = stat.messages;

	oldest = flight_oldest(&out->flight);
	if (!oldest)
		return;
	/* The bands differ in what is behind the last dot: all with the same before it. */
	strcpy(subject, out->subjects[0]);
	strrchr(subject, '.')[1] = '\0';
	error = server_error(route->bridge->server, subject, text, sizeof(text));
	if (error)
		patience = PATIENCE_ON_ERROR;
	if (now - oldest < patience * out->patience)
		return;

	/* A server that is just slow gets more time, or its answers would always come too late. */
	if (out->patience < PATIENCE_MAX)
		out->patience *= 2;
	flight_recall(&out->flight);
	out->refused = false;
	out->stream_known = false;
	if (error)
		route_trouble(route, ROUTE_REFUSED, "%s", text);
	else
		route_trouble(
			route, ROUTE_REFUSED,
			"the server does not answer to what is published under %s: look at its "
			"log",
			out->subjects[0]);
	step_back(out);
}

static bool too_long(struct out *out, const struct letter *letter)
{
	uint64_t max = server_max_payload(out->route->bridge->server);
	struct envelope envelope;

	if (!letter->msg)
		return true;
	if (!max || letter->length + HEADERS_SURELY <= max)
		return false;
	envelope_open(&envelope, letter->msg);
	return letter->length + envelope_length(&envelope) > max;
}

/* Whether it is out of the way without being published. */
static bool is_over(struct out *out, struct letter *letter)
{
	if (!letter->expiry || letter->unknown || mailbox_now() < letter->expiry)
		return false;
	out->route->expired++;
	flight_land(&out->flight, letter);
	return true;
}

/* Publish what is held, in order. Returns whether some have ended otherwise. */
static bool publish(struct out *out)
{
	struct flight *flight = &out->flight;
	struct route *route = out->route;
	struct letter *letter;
	natsStatus status;
	bool ended = false;

	while (flight_flying(flight) < flight->limit && (letter = flight_next(flight))) {
		if (is_over(out, letter)) {
			ended = true;
			continue;
		}
		/* What was too long for one server is not for another. */
		if (letter->misfit == LETTER_LONG)
			letter->misfit = LETTER_FITS;
		if (letter->misfit == LETTER_FITS && too_long(out, letter))
			letter->misfit = LETTER_LONG;
		if (letter->misfit != LETTER_FITS) {
			if (out_bury(out, letter)) {
				ended = true;
				continue;
			}
			step_back(out);
			break;
		}
		if (!out_connected(out))
			break;
		if (letter->unknown) {
			route->repeated++;
			if (mailbox_now() - letter->first > route->config->stream.duplicates)
				route->late++;
		}
		status = flight_publish(flight, letter);
		if (status != NATS_OK && out_connected(out)) {
			struct refusal refusal = { .status = status };

			snprintf(refusal.text, sizeof(refusal.text), "%s",
				 natsStatus_GetText(status));
			out_refused(out, &refusal);
			step_back(out);
			break;
		}
	}
	return ended;
}

static bool can_publish(struct out *out)
{
	return !out->refused && flight_next(&out->flight) &&
	       flight_flying(&out->flight) < out->flight.limit;
}

/* Whether few messages of all routes are on their way. */
static bool bridge_has_few(const struct bridge *bridge)
{
	unsigned int i;
	uint64_t nr = 0;

	for (i = 0; i < bridge->nr_routes && nr <= OUT_FEW; i++)
		if (bridge->routes[i].config->direction == ROUTE_OUT)
			nr += atomic_load(&bridge->routes[i].in_flight);
	return nr <= OUT_FEW;
}

/*
 * libnats waits a millisecond for more to write. Where there is no more that would be most of the
 * time that a message takes. It has no call that only writes: this one waits for the server, too,
 * but no longer than that millisecond.
 */
static void send_now(struct out *out)
{
	struct flight *flight = &out->flight;
	unsigned int flying = flight_flying(flight);

	if (flying && flying <= OUT_FEW && flight->published != out->sent_now &&
	    bridge_has_few(out->route->bridge))
		natsConnection_FlushTimeout(server_nats(out->route->bridge->server), 1);
	out->sent_now = flight->published;
}

/*
 * Wait for something to do. A handle can be readable without anything for us: others receive from
 * it, too, and the other of a pair may have left. Then look again only a little later.
 */
static void wait_for_more(struct out *out, int taken, bool *ready)
{
	bool in_vain = *ready && taken == -EAGAIN, more = taken == -EAGAIN && !out->broadcast;
	uint64_t timeout = 5 * SECOND;

	send_now(out);
	if (flight_flying(&out->flight))
		timeout = LOOK;
	if (in_vain && timeout > 10 * MILLISECOND)
		timeout = 10 * MILLISECOND;
	*ready = route_wait(out->route, more && !in_vain ? out->handle : -1, POLLIN, timeout);
}

/* One round. Returns when there is something else to do, or after a wait. */
static void go_on(struct out *out, bool *ready)
{
	struct route *route = out->route;
	int ret, taken = -ENOBUFS;
	bool ended = false;

	ret = settle(out);
	if (ret) {
		give_up(out, ret);
		return;
	}
	look_for_answers(out);
	if (!hold_back(out)) {
		/* Nothing new before all that is old. */
		if (!flight_next(&out->flight) && flight_room(&out->flight)) {
			taken = out->broadcast ? out_peek(out) : out_take(out);
			if (taken && taken != -EAGAIN) {
				give_up(out, taken);
				return;
			}
		}
		ended = publish(out);
	}
	route->in_flight = out->flight.nr;
	if (!out->flight.nr)
		out->trouble = false;
	if (!out->trouble && !out->refused)
		route_well(route);
	if (taken && !ended && !route->stopping && !can_publish(out))
		wait_for_more(out, taken, ready);
}

static void out_free(struct out *out)
{
	flight_fini(&out->flight);
	natsStatistics_Destroy(out->statistics);
	if (out->dead >= 0)
		close(out->dead);
	free(out->big.data);
	free(out->data);
	free(out);
}

static struct out *out_new(struct route *route)
{
	struct out *out = calloc(1, sizeof(*out));
	unsigned int i;

	if (!out)
		return NULL;
	out->route = route;
	out->handle = -1;
	out->dead = -1;
	out->patience = 1;
	out->data = malloc(OUT_BATCH * OUT_ROOM);
	if (!out->data || natsStatistics_Create(&out->statistics) != NATS_OK ||
	    !flight_init(&out->flight, route)) {
		natsStatistics_Destroy(out->statistics);
		free(out->data);
		free(out);
		return NULL;
	}
	for (i = 0; i < config_bands(route->config); i++)
		server_subject(route, i, out->subjects[i]);
	if (route->config->receipts)
		snprintf(out->receipt, sizeof(out->receipt), "%s/%s", route->bridge->config->host,
			 route->config->name);
	return out;
}

void *route_out(void *argument)
{
	struct receipts *receipts = NULL;
	struct route *route = argument;
	struct out *out = out_new(route);
	bool ready = false;

	if (!out) {
		route_trouble(route, ROUTE_BLOCKED, "there is no memory: start the bridge again");
		return NULL;
	}
	if (route->config->receipts)
		receipts = receipts_start(route);
	while (!route->stopping)
		if (reach_server(out) && reach_mailbox(out))
			go_on(out, &ready);

	/* What flies may land; what does not goes back to the mailbox as its handle is closed. */
	if (out->handle >= 0 && out_connected(out)) {
		flight_wait(&out->flight, mailbox_deadline_in(LANDING));
		settle(out);
	}
	close_mailbox(out, 0);
	out_free(out);
	receipts_stop(receipts);
	route->state = ROUTE_STOPPED;
	return NULL;
}
