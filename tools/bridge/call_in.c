// SPDX-License-Identifier: GPL-2.0
/*
 * Calls whose servers are on this host. The bridge takes requests as long as somebody here may
 * receive from the local mailbox. Each runs in a thread, which makes the call there: a CALL
 * waits, and ends with its server.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mailbox.h>

#include "call.h"
#include "envelope.h"
#include "log.h"
#include "server.h"

/* How often a thread is told that its caller has gone, until it has heard. */
#define TELL_AGAIN (20 * MILLISECOND)
#define STACK_SIZE (256 << 10)

enum work_state {
	WORK_NONE, /* no thread */
	WORK_IDLE,
	WORK_GIVEN, /* and not begun */
	WORK_CALLING,
};

struct servers;

struct work {
	struct servers *servers;
	unsigned int number;
	pthread_t thread;
	pthread_cond_t given;
	enum work_state state;
	bool cancelled;
	uint64_t generation;
	uint64_t heard; /* of the bridge of the caller */
	uint64_t silence; /* of that, nanoseconds after it was heard */
	natsMsg *request;
};

/**
 * struct servers - a route of calls that come in
 * @route: the route; constant
 * @inbox: beats and cancels come to below this; constant
 * @sending: held by one that sends a long answer: its announcement goes right before it
 * @lock: guards the rest; inside of @sending
 * @handle: on the local mailbox, to call, or -1
 * @works: a thread each, started when there is need
 * @generation: of the last request that was taken
 * @echo: when the last one was said that has come back
 * @stopping: the threads should end
 */
struct servers {
	struct route *route;
	natsInbox *inbox;
	pthread_mutex_t sending;
	pthread_mutex_t lock;
	int handle;
	struct work *works;
	uint64_t generation;
	uint64_t echo;
	bool stopping;
};

/* To all bridges whose calls are here, before so many bytes, or 0. */
static void beat_locked(struct servers *servers, size_t bytes)
{
	unsigned int i;

	for (i = 0; i < servers->route->config->window; i++) {
		natsMsg *request = servers->works[i].request;

		if (request && call_is_bridge(request))
			call_beat(servers->route, natsMsg_GetReply(request), bytes);
	}
}

static void serve(struct servers *servers, int handle, natsMsg *request, const char *control)
{
	struct mailbox_message answer = { 0 };
	int ret = call_make(servers->route, handle, request, control, &answer);

	if (!ret && answer.length >= CALL_LONG) {
		pthread_mutex_lock(&servers->sending);
		pthread_mutex_lock(&servers->lock);
		beat_locked(servers, answer.length);
		pthread_mutex_unlock(&servers->lock);
		call_tell(servers->route, request, ret, &answer);
		pthread_mutex_unlock(&servers->sending);
	} else {
		call_tell(servers->route, request, ret, &answer);
	}
	free(answer.data);
}

static void *work_thread(void *context)
{
	struct work *work = context;
	struct servers *servers = work->servers;
	char control[SERVER_NAME_SIZE];
	int handle;

	call_signal(SIG_BLOCK);
	pthread_mutex_lock(&servers->lock);
	for (;;) {
		while (work->state == WORK_IDLE && !servers->stopping)
			pthread_cond_wait(&work->given, &servers->lock);
		if (work->state == WORK_IDLE)
			break;
		work->state = WORK_CALLING;
		handle = servers->handle >= 0 ? dup(servers->handle) : -1;
		server_name(control, sizeof(control), "%s.%u-%" PRIu64, servers->inbox,
			    work->number, work->generation);
		if (handle >= 0 && !work->cancelled) {
			pthread_mutex_unlock(&servers->lock);
			serve(servers, handle, work->request, control);
			pthread_mutex_lock(&servers->lock);
		} else {
			/* Who has cancelled it does not listen; who has not offers it again. */
			call_say(servers->route, natsMsg_GetReply(work->request), NULL, CALL_BUSY,
				 NULL, NULL);
		}
		if (handle >= 0)
			close(handle);
		natsMsg_Destroy(work->request);
		work->request = NULL;
		work->state = WORK_IDLE;
		atomic_fetch_sub(&servers->route->in_flight, 1);
	}
	pthread_mutex_unlock(&servers->lock);
	return NULL;
}

static bool start_locked(struct servers *servers, struct work *work)
{
	pthread_attr_t attributes;
	int ret;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	work->state = WORK_IDLE;
	ret = pthread_create(&work->thread, &attributes, work_thread, work);
	pthread_attr_destroy(&attributes);
	if (ret)
		work->state = WORK_NONE;
	(void)servers;
	return !ret;
}

/* One that is idle, or a new one: those that are idle come first. */
static struct work *find_locked(struct servers *servers)
{
	struct work *none = NULL;
	unsigned int i;

	for (i = 0; i < servers->route->config->window; i++) {
		struct work *work = &servers->works[i];

		if (work->state == WORK_IDLE)
			return work;
		if (work->state == WORK_NONE && !none)
			none = work;
	}
	return none && start_locked(servers, none) ? none : NULL;
}

static bool take_locked(struct servers *servers, natsMsg *msg)
{
	struct work *work = servers->handle >= 0 ? find_locked(servers) : NULL;

	if (!work)
		return false;
	work->generation = ++servers->generation;
	work->heard = mailbox_now();
	work->silence = call_silence_of(servers->route, msg);
	work->cancelled = false;
	work->request = msg;
	work->state = WORK_GIVEN;
	atomic_fetch_add(&servers->route->in_flight, 1);
	pthread_cond_signal(&work->given);
	return true;
}

/* What was sent there and is no call: sent on, and nobody is told. */
static void pass_on(struct servers *servers, natsMsg *msg)
{
	struct mailbox_message message = { 0 };
	struct envelope envelope;

	envelope_open(&envelope, msg);
	message.data = (void *)natsMsg_GetData(msg);
	message.length = natsMsg_GetDataLength(msg);
	message.type = envelope.type;
	message.priority = envelope.priority;
	pthread_mutex_lock(&servers->lock);
	if (servers->handle >= 0 &&
	    !mailbox_send_message(servers->handle, &message, MAILBOX_NONBLOCK, 0))
		atomic_fetch_add(&servers->route->moved, 1);
	pthread_mutex_unlock(&servers->lock);
}

/* In a thread of libnats: requests and probes. */
static void on_request(natsConnection *nats, natsSubscription *subscription, natsMsg *msg,
		       void *context)
{
	struct servers *servers = context;
	const char *word = call_word(msg), *reply = natsMsg_GetReply(msg);
	bool taken = false;

	(void)nats;
	(void)subscription;
	if (!reply) {
		pass_on(servers, msg);
	} else if (!call_inbox(reply)) {
		route_trouble(servers->route, ROUTE_RUNNING,
			      "a request was dropped that wants its answer elsewhere than below "
			      "_INBOX: look who may publish calls");
	} else if (!strcmp(word, CALL_PROBE)) {
		call_say(servers->route, reply, NULL, CALL_HERE, NULL, NULL);
	} else {
		/* Another client of NATS that only asks is welcome, too. */
		pthread_mutex_lock(&servers->lock);
		taken = take_locked(servers, msg);
		pthread_mutex_unlock(&servers->lock);
		if (!taken)
			call_say(servers->route, reply, NULL, CALL_BUSY, NULL, NULL);
	}
	if (!taken)
		natsMsg_Destroy(msg);
}

/* In another: beats and cancels. */
static void on_control(natsConnection *nats, natsSubscription *subscription, natsMsg *msg,
		       void *context)
{
	struct servers *servers = context;
	const unsigned int window = servers->route->config->window;
	const char *word = call_word(msg);
	unsigned int number;
	uint64_t generation;

	(void)nats;
	(void)subscription;
	pthread_mutex_lock(&servers->lock);
	if (!call_slot(natsMsg_GetSubject(msg), window + 1, &number, &generation)) {
		/* Nothing of ours. */
	} else if (number == window) {
		if (generation <= mailbox_now())
			servers->echo = generation;
	} else if (servers->works[number].request &&
		   servers->works[number].generation == generation) {
		struct work *work = &servers->works[number];

		work->heard = mailbox_now();
		work->silence = call_silence_of(servers->route, msg);
		if (!strcmp(word, CALL_CANCEL)) {
			work->cancelled = true;
			route_wake(servers->route);
		}
	}
	pthread_mutex_unlock(&servers->lock);
	natsMsg_Destroy(msg);
}

/* Return: whether somebody has to be told again soon. */
static bool look_locked(struct servers *servers, bool beat)
{
	const uint64_t until = call_heard_until(servers->route, servers->echo);
	bool again = false, any = false;
	unsigned int i;

	for (i = 0; i < servers->route->config->window; i++) {
		struct work *work = &servers->works[i];

		if (!work->request)
			continue;
		any = true;
		/* One that sends no beats, since it is no bridge, has to wait for its answer. */
		if (until > work->heard + work->silence && call_is_bridge(work->request))
			work->cancelled = true;
		if (work->cancelled && work->state == WORK_CALLING) {
			/* It may come before the CALL has begun, and so is sent until that ends. */
			pthread_kill(work->thread, CALL_SIGNAL);
			again = true;
		}
	}
	if (beat && any) {
		beat_locked(servers, 0);
		call_echo(servers->route, servers->inbox);
	}
	return again;
}

static void close_locked(struct servers *servers)
{
	if (servers->handle >= 0)
		close(servers->handle);
	servers->handle = -1;
}

/* Whether somebody may receive from the local mailbox; opens it. */
static bool served_locked(struct servers *servers)
{
	struct route *route = servers->route;
	struct mailbox_stat stat;

	if (servers->handle < 0 &&
	    route_mailbox(route, route->config->mailbox, MAILBOX_RIGHT_SEND, &servers->handle))
		return false;
	/* First to be told of what comes, then what there is: else one that came in between is missed. */
	mailbox_notify(servers->handle, MAILBOX_EVENT_NO_RECEIVER | MAILBOX_EVENT_RECEIVER,
		       route->wake);
	if (mailbox_stat(servers->handle, &stat)) {
		close_locked(servers);
		return false;
	}
	if (!stat.subscribers)
		route_trouble(route, ROUTE_RUNNING,
			      "nobody receives from mailbox '%s' here, so this host takes no calls",
			      route->config->mailbox);
	else
		route_well(route);
	return stat.subscribers;
}

static void subscribe(struct servers *servers, struct call_listener *requests)
{
	struct route *route = servers->route;
	char subject[SERVER_NAME_SIZE];

	call_subject(route, subject);
	if (call_listen(route, requests, subject, CALL_GROUP, on_request, servers) == NATS_OK)
		natsSubscription_SetPendingLimits(requests->subscription, route->config->window,
						  64 << 20);
	else
		route_trouble(route, ROUTE_REFUSED, "cannot subscribe to '%s': %s", subject,
			      nats_GetLastError(NULL));
}

static void run(struct servers *servers)
{
	struct route *route = servers->route;
	const uint64_t heartbeat = route->config->heartbeat;
	struct call_listener requests = { 0 };
	uint64_t next_beat = 0;
	bool again, served, beat;

	while (!atomic_load(&route->stopping)) {
		beat = mailbox_now() >= next_beat;
		if (beat)
			next_beat = mailbox_now() + heartbeat;
		pthread_mutex_lock(&servers->lock);
		served = served_locked(servers);
		again = look_locked(servers, beat);
		pthread_mutex_unlock(&servers->lock);

		/* Without a server here the callers' bridges hear at once that there is none. */
		if (served && !requests.subscription)
			subscribe(servers, &requests);
		else if (!served)
			call_unlisten(route, &requests);
		route_wait(route, -1, 0, again ? TELL_AGAIN : heartbeat);
	}
	call_unlisten(route, &requests);
}

static void stop(struct servers *servers)
{
	unsigned int i;

	pthread_mutex_lock(&servers->lock);
	servers->stopping = true;
	for (i = 0; i < servers->route->config->window; i++) {
		struct work *work = &servers->works[i];

		work->cancelled = true;
		pthread_cond_signal(&work->given);
	}
	while (look_locked(servers, false)) {
		pthread_mutex_unlock(&servers->lock);
		usleep(TELL_AGAIN / 1000);
		pthread_mutex_lock(&servers->lock);
	}
	pthread_mutex_unlock(&servers->lock);
	for (i = 0; i < servers->route->config->window; i++) {
		if (servers->works[i].state != WORK_NONE)
			pthread_join(servers->works[i].thread, NULL);
	}
}

static void nothing(int signal)
{
	(void)signal;
}

void *route_call_in(void *context)
{
	struct servers servers = { .route = context, .handle = -1 };
	struct sigaction action = { .sa_handler = nothing };
	struct route *route = context;
	struct call_listener control = { 0 };
	char subject[SERVER_NAME_SIZE];
	unsigned int i;

	sigaction(CALL_SIGNAL, &action, NULL);
	pthread_mutex_init(&servers.sending, NULL);
	pthread_mutex_init(&servers.lock, NULL);
	servers.works = calloc(route->config->window, sizeof(*servers.works));
	if (!servers.works || natsInbox_Create(&servers.inbox) != NATS_OK) {
		route_trouble(route, ROUTE_STOPPED, "there is not enough memory");
		goto out;
	}
	for (i = 0; i < route->config->window; i++) {
		servers.works[i].servers = &servers;
		servers.works[i].number = i;
		pthread_cond_init(&servers.works[i].given, NULL);
	}
	server_name(subject, sizeof(subject), "%s.*", servers.inbox);
	if (call_listen(route, &control, subject, NULL, on_control, &servers) != NATS_OK) {
		route_trouble(route, ROUTE_STOPPED, "cannot subscribe: %s",
			      nats_GetLastError(NULL));
		goto out;
	}
	run(&servers);
	stop(&servers);
	call_unlisten(route, &control);
	close_locked(&servers);
out:
	natsInbox_Destroy(servers.inbox);
	free(servers.works);
	pthread_mutex_destroy(&servers.lock);
	pthread_mutex_destroy(&servers.sending);
	return NULL;
}
