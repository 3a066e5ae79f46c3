// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <syslog.h>
#include <unistd.h>

#include <mailbox.h>

#include "log.h"
#include "route.h"
#include "server.h"
#include "status.h"

/* Of a question, which nobody reads. */
#define QUESTION_SIZE 64
/* How old a lag may be, nanoseconds. */
#define LAG_AGE 1000000000ULL
/* How long the server is asked for it: who wants the state does not want to wait for it. */
#define LAG_TIME 1000000000ULL
/* When the mailbox is made again, milliseconds. */
#define MAKE_EVERY 1000

/**
 * struct status - who answers
 * @bridge: whose state it is; constant
 * @thread: that answers; constant
 * @stop: eventfd, readable at the end; constant
 * @handle: the mailbox, or -1; owner: the thread, as of all that follow
 * @told: that there is no mailbox
 * @js: to ask the server with, or NULL
 * @looked: when the lags were found out last
 */
struct status {
	struct bridge *bridge;
	pthread_t thread;
	int stop;
	int handle;
	bool told;
	jsCtx *js;
	uint64_t looked;
};

static const char *const directions[] = { "out", "in" };
static const char *const policies[] = { "any", "one", "broadcast", "call" };
static const char *const states[] = { "starting",   "running", "away",	  "refused", "full",
				      "no-mailbox", "waiting", "blocked", "stopped" };

/*
 * JSON is UTF-8, and what a server says may be cut within a letter, or be none: bytes that are no
 * ASCII become "?" then.
 */
static json_t *text_of(char *text)
{
	json_t *json = json_string(text);
	char *at;

	for (at = text; !json && *at; at++) {
		if (*at & 0x80)
			*at = '?';
	}
	return json ? json : json_string(text);
}

static json_t *error_of(struct route *route)
{
	char text[sizeof(route->error)];
	json_t *error = NULL;

	pthread_mutex_lock(&route->lock);
	memcpy(text, route->error, sizeof(text));
	if (route->error_count)
		error = json_pack("{sosIsI}", "text", text_of(text), "time",
				  (json_int_t)route->error_time, "count",
				  (json_int_t)route->error_count);
	pthread_mutex_unlock(&route->lock);
	return error ? error : json_null();
}

static json_t *of_route(struct route *route)
{
	const struct config_route *config = route->config;

	return json_pack("{sssssssssssssIsIsIsIsIsIsIsIsIso}", "name", config->name, "mailbox",
			 config->mailbox, "subject", config->subject, "direction",
			 directions[config->direction], "policy", policies[config->policy], "state",
			 states[atomic_load(&route->state)], "moved",
			 (json_int_t)atomic_load(&route->moved), "lag",
			 (json_int_t)atomic_load(&route->lag), "in_flight",
			 (json_int_t)atomic_load(&route->in_flight), "repeated",
			 (json_int_t)atomic_load(&route->repeated), "known",
			 (json_int_t)atomic_load(&route->known), "late",
			 (json_int_t)atomic_load(&route->late), "dead",
			 (json_int_t)atomic_load(&route->dead), "expired",
			 (json_int_t)atomic_load(&route->expired), "missed",
			 (json_int_t)atomic_load(&route->missed), "error", error_of(route));
}

/* From the list: an open handle would be one of two in a pair, and keep a mailbox alive. */
static int look_at_mailbox(const struct mailbox_stat *stat, void *context)
{
	struct bridge *bridge = context;
	unsigned int i;

	for (i = 0; i < bridge->nr_routes; i++) {
		struct route *route = &bridge->routes[i];

		if ((route->config->direction == ROUTE_OUT ||
		     route->config->policy == ROUTE_CALL) &&
		    !strncmp(stat->name, route->config->mailbox, sizeof(stat->name)))
			atomic_store(&route->lag, stat->messages);
	}
	return 0;
}

/* What the server still has for the consumers of a route. */
static void look_at_consumers(struct status *status, struct route *route, uint64_t deadline)
{
	char stream[SERVER_NAME_SIZE], consumer[SERVER_NAME_SIZE];
	jsOptions options;
	uint64_t lag = 0;
	unsigned int i;

	jsOptions_Init(&options);
	server_stream_name(route, stream);
	for (i = 0; i < config_bands(route->config); i++) {
		uint64_t now = mailbox_now();
		jsConsumerInfo *info = NULL;

		if (now >= deadline)
			return;
		options.Wait = (deadline - now) / 1000000 + 1;
		server_consumer_name(route, i, consumer);
		if (js_GetConsumerInfo(&info, status->js, stream, consumer, &options, NULL))
			return;
		lag += info->NumPending + info->NumAckPending;
		jsConsumerInfo_Destroy(info);
	}
	atomic_store(&route->lag, lag);
}

/* Out: what the local mailbox has. In: what the server has. What cannot be known stays. */
static void look(struct status *status)
{
	struct bridge *bridge = status->bridge;
	uint64_t deadline = mailbox_now() + LAG_TIME;
	unsigned int i;

	mailbox_list_each(bridge->device, look_at_mailbox, bridge);
	if (!server_epoch(bridge->server) ||
	    (!status->js &&
	     natsConnection_JetStream(&status->js, server_nats(bridge->server), NULL)))
		return;
	for (i = 0; i < bridge->nr_routes; i++) {
		const struct config_route *config = bridge->routes[i].config;

		if (config->direction == ROUTE_IN && config->policy != ROUTE_CALL)
			look_at_consumers(status, &bridge->routes[i], deadline);
	}
}

static json_t *of_server(struct bridge *bridge)
{
	char url[256] = "", error[256] = "";

	if (server_epoch(bridge->server))
		natsConnection_GetConnectedUrl(server_nats(bridge->server), url, sizeof(url));
	server_error(bridge->server, NULL, error, sizeof(error));
	return json_pack("{sosbsIso}", "url", text_of(url), "connected",
			 server_epoch(bridge->server) != 0, "epoch",
			 (json_int_t)server_epoch(bridge->server), "error", text_of(error));
}

static char *answer_of(struct status *status)
{
	struct bridge *bridge = status->bridge;
	json_t *routes = json_array(), *answer;
	unsigned int i;
	char *text;

	if (mailbox_now() - status->looked >= LAG_AGE || !status->looked) {
		look(status);
		status->looked = mailbox_now();
	}
	for (i = 0; i < bridge->nr_routes; i++)
		json_array_append_new(routes, of_route(&bridge->routes[i]));
	answer = json_pack("{sssssisoso}", "host", bridge->config->host, "version", MAILBOX_VERSION,
			   "pid", (int)getpid(), "server", of_server(bridge), "routes", routes);
	text = json_dumps(answer, JSON_COMPACT);
	json_decref(answer);
	return text;
}

static void answer(struct status *status)
{
	char question[QUESTION_SIZE];
	struct mailbox_message message = { .data = question, .room = sizeof(question) };
	struct mailbox_message reply = { 0 };
	char *text;
	int ret;

	ret = mailbox_receive_message(status->handle, &message, NULL,
				      MAILBOX_ANSWER | MAILBOX_NONBLOCK | MAILBOX_TRUNCATE, 0);
	if (ret || !message.is_call)
		return;
	text = answer_of(status);
	reply.data = text;
	reply.length = text ? strlen(text) : 0;
	if (!text || mailbox_reply(status->handle, message.lease, &reply))
		mailbox_nack(status->handle, message.lease, 0);
	free(text);
}

/* Somebody may have it open still, from when the bridge before this one had it. */
static void make(struct status *status)
{
	const char *name = status->bridge->config->name;
	struct mailbox_create create;
	int ret;

	mailbox_create_init(&create, name);
	create.flags = MAILBOX_NONBLOCK;
	ret = mailbox_create(status->bridge->device, &create);
	status->handle = ret < 0 ? -1 : ret;
	if (ret < 0 && !status->told)
		log_line(
			LOG_WARNING,
			"cannot make mailbox '%s', which 'mailbox bridge status' asks: %s; is there "
			"another bridge? Then give this one another 'name:'",
			name, mailbox_strerror(ret));
	status->told = ret < 0;
}

static void *serve(void *context)
{
	struct status *status = context;
	struct pollfd polls[] = { { .fd = status->stop, .events = POLLIN }, { .events = POLLIN } };

	do {
		if (status->handle < 0)
			make(status);
		polls[1].fd = status->handle;
		polls[0].revents = 0;
		polls[1].revents = 0;
		if (poll(polls, 2, status->handle < 0 ? MAKE_EVERY : -1) < 0 && errno != EINTR)
			break;
		if (polls[1].revents & (POLLHUP | POLLERR | POLLNVAL)) {
			/* It was removed. */
			close(status->handle);
			status->handle = -1;
		} else if (polls[1].revents) {
			answer(status);
		}
	} while (!polls[0].revents);
	return NULL;
}

bool status_new(struct bridge *bridge, struct status **result)
{
	struct status *status = calloc(1, sizeof(*status));

	if (!status)
		return false;
	status->bridge = bridge;
	status->handle = -1;
	status->stop = eventfd(0, EFD_CLOEXEC);
	if (status->stop < 0 || pthread_create(&status->thread, NULL, serve, status)) {
		if (status->stop >= 0)
			close(status->stop);
		free(status);
		return false;
	}
	*result = status;
	return true;
}

void status_free(struct status *status)
{
	uint64_t one = 1;

	if (!status)
		return;
	(void)!write(status->stop, &one, sizeof(one));
	pthread_join(status->thread, NULL);
	jsCtx_Destroy(status->js);
	close(status->stop);
	if (status->handle >= 0)
		close(status->handle);
	free(status);
}
