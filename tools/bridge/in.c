// SPDX-License-Identifier: GPL-2.0
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "in.h"
#include "log.h"
#include "server.h"

/* What is left to be acknowledged when a session ends may take so long. */
#define LAST_WORDS (2 * SECOND)
#define FLUSH	   1000 /* milliseconds */

/* libnats knows of a new connection before it tells anybody. */
static uint64_t count_reconnects(const struct in *in)
{
	natsStatistics *statistics = NULL;
	uint64_t reconnects = 0;

	if (natsStatistics_Create(&statistics) != NATS_OK)
		return UINT64_MAX;
	natsConnection_GetStats(in->nats, statistics);
	natsStatistics_GetCounts(statistics, NULL, NULL, NULL, NULL, &reconnects);
	natsStatistics_Destroy(statistics);
	return reconnects;
}

bool in_connected(const struct in *in)
{
	return in->epoch && server_epoch(in->route->bridge->server) == in->epoch &&
	       count_reconnects(in) == in->reconnects;
}

static void set_full(struct in *in, bool full)
{
	pthread_mutex_lock(&in->lock);
	in->full = full;
	if (!full)
		pthread_cond_broadcast(&in->free_changed);
	pthread_mutex_unlock(&in->lock);
}

/* The mailbox is full. Short of that for long it is no trouble. */
static void note_full(struct in *in)
{
	struct in_fullness *fullness = &in->fullness;
	const uint64_t now = in_now(), hold = in->route->config->hold;

	if (!fullness->noted) {
		if (now - fullness->last > hold)
			fullness->since = now;
		/* It has room for something, but not for this. */
		if (fullness->nr_sent != in->nr_sent || now - fullness->last > SECOND)
			fullness->wait = 0;
		else if (fullness->wait < 100 * MILLISECOND)
			fullness->wait = 2 * fullness->wait + MILLISECOND;
		fullness->nr_sent = in->nr_sent;
		fullness->noted = true;
	}
	fullness->last = now;
	if (now - fullness->since > hold)
		route_trouble(in->route, ROUTE_FULL,
			      "mailbox '%s' is full: messages wait at the server until somebody "
			      "receives here, or its limits are raised",
			      in->route->config->mailbox);
}

/* Whether the mailbox is one no longer. */
static void look_at_mailbox(struct in *in)
{
	struct pollfd fd = { .fd = in->mailbox, .events = POLLOUT };
	struct mailbox_stat stat;

	if (poll(&fd, 1, 0) <= 0)
		return;
	if ((fd.revents & (POLLERR | POLLHUP)) && mailbox_stat(in->mailbox, &stat))
		in->gone = true;
	if (in->full && (fd.revents & POLLOUT)) {
		in->fullness.noted = false;
		set_full(in, false);
	}
}

static void listen_for(struct in *in, uint32_t events)
{
	struct epoll_event event = { .events = events | EPOLLET, .data.fd = in->mailbox };

	epoll_ctl(in->poll, EPOLL_CTL_MOD, in->mailbox, &event);
}

static void wait_for_room(struct in *in, uint64_t time)
{
	if (in->fullness.wait) {
		route_wait(in->route, in->confirm, POLLIN, in->fullness.wait);
		look_at_mailbox(in);
		return;
	}
	listen_for(in, EPOLLOUT);
	if (route_wait(in->route, in->poll, POLLIN, time)) {
		look_at_mailbox(in);
		/* Something else, such as a pair whose other end is not there. */
		if (in->full && !in->gone)
			route_wait(in->route, in->confirm, POLLIN, 10 * MILLISECOND);
	}
	listen_for(in, 0);
}

/* Whether there is more to be done before it waits. */
static bool has_work(struct in *in)
{
	unsigned int band;
	bool work = false, sends = !in->full && in_now() >= in->pause;

	pthread_mutex_lock(&in->lock);
	for (band = 0; band < in->nr_bands; band++)
		work |= in->bands[band].done.nr || (sends && in->bands[band].held.nr);
	pthread_mutex_unlock(&in->lock);
	return work;
}

static void rest(struct in *in)
{
	const uint64_t hold = in->route->config->hold;
	/* Often enough for what is held, for acknowledgements without an answer, for the turn. */
	uint64_t time = hold < SECOND / 2 ? hold + MILLISECOND : SECOND / 2;

	if (in->full)
		wait_for_room(in, time);
	else if (!has_work(in) && route_wait(in->route, in->poll, POLLIN, time))
		look_at_mailbox(in);
}

/* Return: whether we may receive. */
static bool have_turn(struct in *in)
{
	uint64_t until = UINT64_MAX;

	if (in->turn)
		until = turn_take(in->turn) ? turn_until(in->turn) : 0;
	if (until == in->turn_until)
		return until;
	if (in->turn && until && !in->turn_until && in_consumers_anew(in)) {
		in->broken = true;
		return false;
	}
	pthread_mutex_lock(&in->lock);
	in->turn_until = until;
	pthread_cond_broadcast(&in->free_changed);
	pthread_mutex_unlock(&in->lock);
	return until;
}

static void run(struct in *in)
{
	struct route *route = in->route;

	while (!atomic_load(&route->stopping) && !in->gone && !in->broken && in_connected(in)) {
		const bool turn = have_turn(in);

		in_confirm_take(in);
		if (turn)
			in_send_some(in);
		in_pass_on(in);
		in_ack(in);
		in_progress(in);
		/* Without the turn what is held is for others. */
		in_give_back(in, !turn);
		if (in->full)
			note_full(in);
		else if (turn && in_now() >= in->pause &&
			 in_now() - in->fullness.last > route->config->hold)
			route_well(route);
		if (!in->gone)
			rest(in);
	}
}

/* Give back what was not sent, and see that the server knows what was. */
static void last_words(struct in *in)
{
	const uint64_t end = in_now() + LAST_WORDS;
	unsigned int band;
	bool left = true;

	in_give_back(in, true);
	if (in_connected(in)) {
		in_confirm_take(in);
		in_pass_on(in);
	}
	in_ack(in);
	while (left && !in->broken && in_now() < end && in_connected(in)) {
		left = false;
		pthread_mutex_lock(&in->lock);
		for (band = 0; band < in->nr_bands; band++)
			left |= in->bands[band].told.nr;
		pthread_mutex_unlock(&in->lock);
		if (left)
			route_wait(in->route, -1, 0, 50 * MILLISECOND);
		in_ack(in);
	}
	if (in_connected(in))
		natsConnection_FlushTimeout(in->nats, FLUSH);
}

static bool open_mailbox(struct in *in)
{
	struct epoll_event event = { .events = EPOLLET };
	struct mailbox_stat stat;

	if (route_mailbox(in->route, in->route->config->mailbox, MAILBOX_RIGHT_SEND, &in->mailbox))
		return false;
	event.data.fd = in->mailbox;
	if (mailbox_stat(in->mailbox, &stat) ||
	    epoll_ctl(in->poll, EPOLL_CTL_ADD, in->mailbox, &event)) {
		close(in->mailbox);
		return false;
	}
	in->mailbox_id = stat.id;
	return true;
}

static void begin(struct in *in)
{
	in->quit = false;
	in->full = false;
	in->gone = false;
	in->broken = false;
	in->why[0] = 0;
	in->turn_until = 0;
	in->next_progress = 0;
	in->pause = 0;
	in->has_average = false;
	in->fullness = (struct in_fullness){ 0 };
	in->ack_wait = in->route->config->ack_wait;
}

static void say_why(struct in *in)
{
	/* Without a reason it was told already. */
	if (in->broken && in->why[0])
		route_trouble(in->route, ROUTE_REFUSED, "%s", in->why);
	else if (in->gone)
		route_trouble(in->route, ROUTE_NO_MAILBOX,
			      "mailbox '%s' is gone; what was held went back to the server",
			      in->route->config->mailbox);
}

/* One connection, one mailbox. Return: whether it came to anything. */
static bool session(struct in *in)
{
	struct route *route = in->route;
	bool ran = false;

	in->epoch = server_epoch(route->bridge->server);
	in->reconnects = count_reconnects(in);
	if (!in->epoch) {
		route_trouble(route, ROUTE_AWAY,
			      "there is no connection to a server: what it has waits there");
		/* Who connects wakes it. */
		route_wait(route, -1, 0, 5 * SECOND);
		return true;
	}
	if (!open_mailbox(in))
		return false;
	begin(in);
	if (!in_consumers(in)) {
		in_confirm_recover(in);
		ran = in_answers_start(in) && in_fetch_start(in);
		if (ran)
			run(in);
		in_fetch_stop(in);
		last_words(in);
		in_answers_stop(in);
		if (!atomic_load(&route->stopping))
			say_why(in);
	}
	close(in->mailbox);
	/* What was broken, or is gone, may be so again at once. */
	return ran && !in->broken && !in->gone;
}

static bool open_memory(struct in *in)
{
	const struct route *route = in->route;
	const unsigned int window = route->config->window;
	char text[sizeof(route->error)];

	in->nr_bands = config_bands(route->config);
	in->keeps_order = route->config->policy != ROUTE_ANY;
	in->share = window / in->nr_bands ? window / in->nr_bands : 1;
	if (seen_open(&in->seen, route->bridge->config->state, route->config->name,
		      route->bridge->boot, in->share * in->nr_bands, text, sizeof(text))) {
		route_trouble(in->route, ROUTE_BLOCKED, "%s", text);
		return false;
	}
	in->messages = calloc(in->seen.nr, sizeof(*in->messages));
	if (in->messages)
		return true;
	seen_close(&in->seen);
	return false;
}

static bool open_server(struct in *in)
{
	struct route *route = in->route;
	jsOptions options;

	jsOptions_Init(&options);
	options.Wait = IN_API_WAIT;
	if (natsConnection_JetStream(&in->js, in->nats, &options) != NATS_OK)
		return false;
	in->receipts = receipts_new(route);
	if (route->config->policy == ROUTE_ONE)
		in->turn = turn_new(route, in->js, in->seen.lock);
	in->poll = epoll_create1(EPOLL_CLOEXEC);
	return in->receipts && in->poll >= 0 && (in->turn || route->config->policy != ROUTE_ONE);
}

static void end(struct in *in)
{
	uint32_t i;

	turn_free(in->turn);
	receipts_free(in->receipts);
	jsCtx_Destroy(in->js);
	if (in->confirm >= 0)
		close(in->confirm);
	if (in->poll >= 0)
		close(in->poll);
	for (i = 0; i < in->seen.nr; i++)
		natsMsg_Destroy(in->messages[i].msg);
	free(in->messages);
	seen_close(&in->seen);
	free(in->room);
}

static struct in *in_new(struct route *route)
{
	struct in *in = calloc(1, sizeof(*in));
	pthread_condattr_t attributes;

	if (!in)
		return NULL;
	in->route = route;
	in->nats = server_nats(route->bridge->server);
	in->mailbox = -1;
	in->confirm = -1;
	in->poll = -1;
	pthread_mutex_init(&in->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&in->free_changed, &attributes);
	return in;
}

static void receive(struct in *in)
{
	struct route *route = in->route;
	struct backoff wait = { 0 };

	if (!open_server(in))
		route_trouble(route, ROUTE_BLOCKED, "there is no memory: start the bridge again");
	else
		while (!atomic_load(&route->stopping)) {
			if (session(in))
				backoff_done(&wait);
			else
				backoff(route, &wait);
		}
	end(in);
}

/**
 * route_in() - a route from the server to a local mailbox
 * @route: the route
 *
 * Return: NULL, once it is to stop.
 */
void *route_in(void *route)
{
	struct in *in = in_new(route);
	struct backoff wait = { 0 };
	bool open = false;

	while (in && !atomic_load(&in->route->stopping) && !open) {
		open = open_memory(in);
		if (!open)
			backoff(route, &wait);
	}
	if (open)
		receive(in);
	free(in);
	atomic_store(&((struct route *)route)->state, ROUTE_STOPPED);
	return NULL;
}
