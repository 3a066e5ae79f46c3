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

struct status {
	struct bridge *bridge;
	pthread_t thread;
	int handle, stop;
	jsCtx *js;
	uint64_t looked;
};

static const char *const directions[] = { "out", "in" };
static const char *const policies[] = { "any", "one", "broadcast", "call" };
static const char *const states[] = { "starting",   "running", "away",	  "refused", "full",
				      "no-mailbox", "waiting", "blocked", "stopped" };

static json_t *error_of(struct route *route)
{
	json_t *error = NULL;

	pthread_mutex_lock(&route->lock);
	if (route->error_count)
		error = json_pack("{sssIsI}", "text", route->error, "time",
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

/* Out: what the local mailbox has. In: what the server has for this consumer. */
static void look(struct status *status, struct route *route)
{
	char stream[SERVER_NAME_SIZE], consumer[SERVER_NAME_SIZE];
	const struct config_route *config = route->config;
	jsOptions options;
	uint64_t lag = 0;
	unsigned int i;

	if (config->policy == ROUTE_CALL || config->direction == ROUTE_OUT) {
		struct mailbox_stat stat;
		int handle = mailbox_open(status->bridge->device, config->mailbox,
					  MAILBOX_RIGHT_SEND, MAILBOX_NONBLOCK);

		if (handle < 0)
			return;
		if (!mailbox_stat(handle, &stat))
			atomic_store(&route->lag, stat.messages);
		close(handle);
		return;
	}
	if (!server_epoch(status->bridge->server) ||
	    (!status->js &&
	     natsConnection_JetStream(&status->js, server_nats(status->bridge->server), NULL)))
		return;
	jsOptions_Init(&options);
	/* Who asks for the state does not want to wait for it. */
	options.Wait = 1000;
	server_stream_name(route, stream);
	for (i = 0; i < config_bands(config); i++) {
		jsConsumerInfo *info = NULL;

		server_consumer_name(route, i, consumer);
		if (js_GetConsumerInfo(&info, status->js, stream, consumer, &options, NULL))
			return;
		lag += info->NumPending + info->NumAckPending;
		jsConsumerInfo_Destroy(info);
	}
	atomic_store(&route->lag, lag);
}

static json_t *of_server(struct bridge *bridge)
{
	char url[256] = "", error[256] = "";

	if (server_epoch(bridge->server))
		natsConnection_GetConnectedUrl(server_nats(bridge->server), url, sizeof(url));
	server_error(bridge->server, NULL, error, sizeof(error));
	return json_pack("{sssbsIss}", "url", url, "connected", server_epoch(bridge->server) != 0,
			 "epoch", (json_int_t)server_epoch(bridge->server), "error", error);
}

static char *answer_of(struct status *status)
{
	struct bridge *bridge = status->bridge;
	json_t *routes = json_array(), *answer;
	unsigned int i;
	char *text;

	if (mailbox_now() - status->looked >= LAG_AGE || !status->looked) {
		for (i = 0; i < bridge->nr_routes; i++)
			look(status, &bridge->routes[i]);
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

static void *serve(void *context)
{
	struct status *status = context;
	struct pollfd polls[] = { { .fd = status->stop, .events = POLLIN },
				  { .fd = status->handle, .events = POLLIN } };

	while (poll(polls, 2, -1) >= 0 && !polls[0].revents) {
		if (polls[1].revents & (POLLHUP | POLLERR)) {
			log_line(LOG_WARNING,
				 "mailbox '%s' was removed: 'mailbox bridge status' shows "
				 "nothing any more until the bridge is started again",
				 status->bridge->config->name);
			polls[1].fd = -1;
		} else if (polls[1].revents) {
			answer(status);
		}
	}
	return NULL;
}

bool status_new(struct bridge *bridge, struct status **result)
{
	struct status *status = calloc(1, sizeof(*status));
	struct mailbox_create create;
	int ret;

	if (!status)
		return false;
	status->bridge = bridge;
	status->stop = eventfd(0, EFD_CLOEXEC);
	mailbox_create_init(&create, bridge->config->name);
	create.flags = MAILBOX_NONBLOCK;
	ret = mailbox_create(bridge->device, &create);
	status->handle = ret;
	if (ret < 0)
		log_line(
			LOG_WARNING,
			"cannot make mailbox '%s', which 'mailbox bridge status' asks: %s; is there "
			"another bridge? Then give this one another 'name:'",
			bridge->config->name, mailbox_strerror(ret));
	if (status->stop < 0 || pthread_create(&status->thread, NULL, serve, status)) {
		if (status->stop >= 0)
			close(status->stop);
		if (status->handle >= 0)
			close(status->handle);
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
