// SPDX-License-Identifier: GPL-2.0
/*
 * Calls whose callers are on this host. The bridge is the server of the local mailbox as long as
 * another host has one, so that otherwise callers hear at once that nobody is there (EPIPE), as
 * they would of a local server that has gone. A call that the other side has taken ends with its
 * answer, or with ECANCELED, as if a local server had it; one that nobody has taken is
 * offered again.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <mailbox.h>

#include "call.h"
#include "envelope.h"
#include "server.h"

#define MILLISECOND 1000000ULL
/* After a "busy". */
#define AGAIN (20 * MILLISECOND)

enum slot_state {
	SLOT_FREE,
	SLOT_OFFERED, /* published: who gets it says so */
	SLOT_REFUSED, /* by one that is busy; offered again at @at */
	SLOT_TAKEN,
};

struct slot {
	enum slot_state state;
	uint64_t generation;
	uint64_t token;
	uint64_t at; /* offered, taken: when the other side was heard last */
	uint64_t silence; /* of that, nanoseconds after it was heard */
	natsMsg *request;
	char control[SERVER_NAME_SIZE];
};

/**
 * struct caller - a route of calls that go out
 * @route: the route; constant
 * @inbox: replies come to below this; constant
 * @abandoned: eventfd, readable when a caller may have given up; constant
 * @lock: guards the rest
 * @handle: on the local mailbox, or -1
 * @heard: when a server was heard to be there, 0 for not
 * @silence: for how long it may be silent since then
 * @slots: calls under way
 * @nr: of them that are not free
 * @taking: there are servers, and a slot is free; only of the thread of the route
 * @generation: of the last one that was taken
 * @echo: when the last one was said that has come back
 */
struct caller {
	struct route *route;
	natsInbox *inbox;
	int abandoned;
	pthread_mutex_t lock;
	int handle;
	uint64_t heard, silence;
	struct slot *slots;
	unsigned int nr;
	bool taking;
	uint64_t generation;
	uint64_t echo;
};

static void free_locked(struct caller *caller, struct slot *slot)
{
	natsMsg_Destroy(slot->request);
	slot->request = NULL;
	slot->state = SLOT_FREE;
	caller->nr--;
	atomic_store(&caller->route->in_flight, caller->nr);
}

/* The caller gets ECANCELED, unless it has given up itself. */
static void cancel_locked(struct caller *caller, struct slot *slot)
{
	mailbox_nack(caller->handle, slot->token, 0);
	free_locked(caller, slot);
}

/* To all bridges that have calls of ours, before so many bytes, or 0. */
static void beat_locked(struct caller *caller, size_t bytes)
{
	unsigned int i;

	for (i = 0; i < caller->route->config->window; i++) {
		if (caller->slots[i].state == SLOT_TAKEN)
			call_beat(caller->route, caller->slots[i].control, bytes);
	}
}

static void offer_locked(struct caller *caller, struct slot *slot)
{
	size_t length = natsMsg_GetDataLength(slot->request);

	if (length >= CALL_LONG)
		beat_locked(caller, length);
	slot->at = mailbox_now();
	/* Over two lines, until somebody says that he has it. */
	slot->silence = call_silence(caller->route, 2 * length);
	slot->state = SLOT_OFFERED;
	if (natsConnection_PublishMsg(server_nats(caller->route->bridge->server), slot->request))
		cancel_locked(caller, slot);
}

static void answer_locked(struct caller *caller, struct slot *slot, natsMsg *msg)
{
	struct route *route = caller->route;
	struct mailbox_message answer = { 0 };
	struct envelope envelope;
	int ret;

	envelope_open(&envelope, msg);
	answer.data = (void *)natsMsg_GetData(msg);
	answer.length = natsMsg_GetDataLength(msg);
	answer.type = envelope.type;
	ret = mailbox_reply(caller->handle, slot->token, &answer);
	if (!ret)
		atomic_fetch_add(&route->moved, 1);
	else if (ret != -ESTALE)
		route_trouble(route, ROUTE_RUNNING,
			      "an answer of %zu bytes does not reach its caller: %s", answer.length,
			      mailbox_strerror(ret));
	if (ret && ret != -ESTALE)
		cancel_locked(caller, slot);
	else
		free_locked(caller, slot);
}

/* Return: whether it was about a call that is still under way. */
static bool reply_locked(struct caller *caller, const char *word, natsMsg *msg)
{
	const unsigned int window = caller->route->config->window;
	unsigned int number;
	uint64_t generation;
	struct slot *slot;
	const char *control = NULL;

	if (!call_slot(natsMsg_GetSubject(msg), window + 1, &number, &generation))
		return true;
	if (number == window) {
		if (generation <= mailbox_now())
			caller->echo = generation;
		return true;
	}
	slot = &caller->slots[number];
	if (slot->state == SLOT_FREE || slot->generation != generation)
		return false;

	slot->at = mailbox_now();
	slot->silence = call_silence_of(caller->route, msg);
	if (caller->heard && strcmp(word, "none")) {
		caller->heard = slot->at;
		caller->silence = slot->silence;
	}
	if (!strcmp(word, CALL_TAKEN)) {
		/* Without a way to speak of it only the patience of the other side ends it. */
		if (natsMsgHeader_Get(msg, HEADER_CONTROL, &control) != NATS_OK || !control ||
		    !call_inbox(control))
			control = "";
		server_name(slot->control, sizeof(slot->control), "%s", control);
		slot->state = SLOT_TAKEN;
	} else if (!strcmp(word, CALL_BUSY) && slot->state != SLOT_REFUSED) {
		slot->state = SLOT_REFUSED;
		slot->at += AGAIN;
		route_wake(caller->route);
	} else if (!strcmp(word, CALL_ANSWER)) {
		answer_locked(caller, slot, msg);
		route_wake(caller->route);
	} else if (!strcmp(word, CALL_FAILED) || !strcmp(word, "none")) {
		cancel_locked(caller, slot);
		route_wake(caller->route);
	}
	return true;
}

/* In a thread of libnats: all replies, one after the other. */
static void on_reply(natsConnection *nats, natsSubscription *subscription, natsMsg *msg,
		     void *context)
{
	struct caller *caller = context;
	const char *word = call_word(msg), *control = NULL;
	const char *subject = natsMsg_GetSubject(msg);
	bool probe = !strcmp(strrchr(subject, '.'), ".probe");

	(void)nats;
	(void)subscription;
	pthread_mutex_lock(&caller->lock);
	if (probe) {
		uint64_t before = caller->heard;

		caller->heard = strcmp(word, CALL_HERE) ? 0 : mailbox_now();
		caller->silence = 0;
		if (!before != !caller->heard)
			route_wake(caller->route);
	} else if (!reply_locked(caller, word, msg) && !strcmp(word, CALL_TAKEN)) {
		/* Its caller has given up meanwhile. */
		natsMsgHeader_Get(msg, HEADER_CONTROL, &control);
	}
	pthread_mutex_unlock(&caller->lock);
	if (control && call_inbox(control))
		call_say(caller->route, control, NULL, CALL_CANCEL, NULL, NULL);
	natsMsg_Destroy(msg);
}

static struct slot *free_slot_locked(struct caller *caller, unsigned int *number)
{
	unsigned int i;

	for (i = 0; i < caller->route->config->window; i++) {
		if (caller->slots[i].state == SLOT_FREE) {
			*number = i;
			return &caller->slots[i];
		}
	}
	return NULL;
}

static void begin_locked(struct caller *caller, struct slot *slot, unsigned int number,
			 const struct mailbox_message *message)
{
	struct route *route = caller->route;
	char reply[SERVER_NAME_SIZE];
	uint64_t most;
	int ret;

	slot->generation = ++caller->generation;
	slot->token = message->lease;
	server_name(reply, sizeof(reply), "%s.%u-%" PRIu64, caller->inbox, number,
		    slot->generation);
	ret = call_seal(route, message, message->lease ? reply : NULL, &slot->request);
	if (!message->lease) {
		/* No call: nobody waits, and nobody is told. */
		if (!ret && natsConnection_PublishMsg(server_nats(route->bridge->server),
						      slot->request) != NATS_OK)
			ret = -EMSGSIZE;
		if (ret)
			route_trouble(route, ROUTE_RUNNING,
				      "a message of %zu bytes, which is no call, was dropped: the "
				      "server does not take it",
				      message->length);
		natsMsg_Destroy(slot->request);
		slot->request = NULL;
		return;
	}
	/* 0 while there is no connection, which is seen when it is offered. */
	most = server_max_payload(route->bridge->server);
	if (!ret && most && message->length + 1024 > most)
		ret = -EMSGSIZE;
	caller->nr++;
	atomic_store(&route->in_flight, caller->nr);
	if (ret) {
		route_trouble(
			route, ROUTE_RUNNING,
			"a request of %zu bytes cannot go: %s; max_payload of the server says "
			"how long they may be",
			message->length, mailbox_strerror(ret));
		cancel_locked(caller, slot);
		return;
	}
	offer_locked(caller, slot);
}

/* As many as there are slots for. */
static int take_locked(struct caller *caller, struct mailbox_message *message)
{
	struct slot *slot;
	unsigned int number;
	int ret;

	while ((slot = free_slot_locked(caller, &number))) {
		ret = mailbox_receive_alloc(caller->handle, message, NULL,
					    MAILBOX_ANSWER | MAILBOX_NONBLOCK, 0);
		if (ret)
			return ret;
		begin_locked(caller, slot, number, message);
	}
	return 0;
}

static void close_locked(struct caller *caller)
{
	unsigned int i;

	for (i = 0; i < caller->route->config->window; i++) {
		struct slot *slot = &caller->slots[i];

		if (slot->state == SLOT_TAKEN)
			call_say(caller->route, slot->control, NULL, CALL_CANCEL, NULL, NULL);
		if (slot->state != SLOT_FREE)
			free_locked(caller, slot);
	}
	if (caller->handle >= 0)
		close(caller->handle);
	caller->handle = -1;
}

/* Of all that are under way: whose caller has given up, and who has been silent for too long. */
static void look_locked(struct caller *caller, bool abandoned, bool beat)
{
	const uint64_t until = call_heard_until(caller->route, caller->echo);
	unsigned int i;

	for (i = 0; i < caller->route->config->window && caller->nr; i++) {
		struct slot *slot = &caller->slots[i];

		if (slot->state == SLOT_FREE)
			continue;
		if (abandoned && mailbox_extend(caller->handle, slot->token, 0) == -ESTALE) {
			if (slot->state == SLOT_TAKEN)
				call_say(caller->route, slot->control, NULL, CALL_CANCEL, NULL,
					 NULL);
			free_locked(caller, slot);
		} else if (slot->state == SLOT_REFUSED) {
			if (mailbox_now() >= slot->at)
				offer_locked(caller, slot);
		} else if (until > slot->at + slot->silence) {
			/* It may have been taken, and be half done: never offered again. */
			cancel_locked(caller, slot);
		}
	}
	if (beat)
		beat_locked(caller, 0);
}

static int open_locked(struct caller *caller)
{
	int ret = route_mailbox(caller->route, caller->route->config->mailbox,
				MAILBOX_RIGHT_RECEIVE, &caller->handle);

	if (ret)
		return ret;
	ret = mailbox_notify(caller->handle, MAILBOX_EVENT_ABANDONED, caller->abandoned);
	if (ret)
		close_locked(caller);
	return ret;
}

static void probe(struct caller *caller)
{
	char subject[SERVER_NAME_SIZE], reply[SERVER_NAME_SIZE];

	call_subject(caller->route, subject);
	server_name(reply, sizeof(reply), "%s.probe", caller->inbox);
	call_say(caller->route, subject, reply, CALL_PROBE, NULL, NULL);
}

/* Waits for what may have to be done: at most until the next beat. */
static bool pause_for(struct caller *caller, uint64_t nanoseconds)
{
	struct pollfd polls[] = {
		{ .fd = caller->route->wake, .events = POLLIN },
		{ .fd = caller->abandoned, .events = POLLIN },
		/* What cannot be taken now would make it readable for ever. */
		{ .fd = caller->taking ? caller->handle : -1, .events = POLLIN },
	};
	uint64_t count;

	poll(polls, 3, nanoseconds / MILLISECOND + 1);
	if (polls[0].revents)
		(void)!read(polls[0].fd, &count, sizeof(count));
	if (polls[1].revents)
		(void)!read(polls[1].fd, &count, sizeof(count));
	return polls[1].revents;
}

/* As far as it is known. What is silent since it sends what takes long is there. */
static bool is_served_locked(const struct caller *caller)
{
	uint64_t silence = call_silence(caller->route, 0);

	if (caller->silence > silence)
		silence = caller->silence;
	return caller->heard &&
	       call_heard_until(caller->route, caller->echo) <= caller->heard + silence;
}

/* Return: nanoseconds until the next turn. */
static uint64_t turn_locked(struct caller *caller, struct mailbox_message *message, bool abandoned,
			    bool beat)
{
	struct route *route = caller->route;
	const uint64_t heartbeat = route->config->heartbeat;
	bool here = server_epoch(route->bridge->server) && is_served_locked(caller);
	int ret = 0;

	caller->taking = false;
	if (caller->handle >= 0)
		look_locked(caller, abandoned, beat);
	if (here && caller->handle < 0)
		ret = open_locked(caller);
	else if (!here && caller->handle >= 0 && !caller->nr)
		close_locked(caller);
	if (ret)
		return heartbeat;
	if (!here) {
		route_trouble(route, ROUTE_AWAY,
			      "no host serves '%s' now, so callers here are told that nobody can "
			      "receive",
			      route->config->subject);
		return heartbeat;
	}
	route_well(route);
	ret = take_locked(caller, message);
	if (ret == -EIDRM) {
		close_locked(caller);
		route_trouble(route, ROUTE_NO_MAILBOX, "mailbox '%s' was destroyed",
			      route->config->mailbox);
	}
	caller->taking = ret == -EAGAIN;
	return caller->nr ? (heartbeat < AGAIN ? heartbeat : AGAIN) : heartbeat;
}

static void run(struct caller *caller)
{
	struct route *route = caller->route;
	struct mailbox_message message = { 0 };
	uint64_t next_beat = 0, wait;
	bool abandoned = false, beat;

	while (!atomic_load(&route->stopping)) {
		beat = mailbox_now() >= next_beat;
		if (beat) {
			next_beat = mailbox_now() + route->config->heartbeat;
			if (server_epoch(route->bridge->server)) {
				probe(caller);
				call_echo(route, caller->inbox);
			}
		}
		pthread_mutex_lock(&caller->lock);
		wait = turn_locked(caller, &message, abandoned, beat);
		pthread_mutex_unlock(&caller->lock);
		abandoned = pause_for(caller, wait);
	}
	free(message.data);
}

/* Nobody could open it if it were not there. */
static void make_mailbox(struct route *route)
{
	struct backoff wait = { 0 };
	int handle;

	while (!atomic_load(&route->stopping)) {
		if (!route_mailbox(route, route->config->mailbox, MAILBOX_RIGHT_SEND, &handle)) {
			close(handle);
			return;
		}
		backoff(route, &wait);
	}
}

void *route_call_out(void *context)
{
	struct caller caller = { .route = context, .handle = -1 };
	struct route *route = context;
	struct call_listener replies = { 0 };
	char subject[SERVER_NAME_SIZE];

	pthread_mutex_init(&caller.lock, NULL);
	caller.abandoned = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	caller.slots = calloc(route->config->window, sizeof(*caller.slots));
	if (caller.abandoned < 0 || !caller.slots || natsInbox_Create(&caller.inbox) != NATS_OK) {
		route_trouble(route, ROUTE_STOPPED, "there is not enough memory");
		goto out;
	}
	make_mailbox(route);
	server_name(subject, sizeof(subject), "%s.*", caller.inbox);
	if (call_listen(route, &replies, subject, NULL, on_reply, &caller) != NATS_OK) {
		route_trouble(route, ROUTE_STOPPED, "cannot subscribe: %s",
			      nats_GetLastError(NULL));
		goto out;
	}
	run(&caller);
	pthread_mutex_lock(&caller.lock);
	close_locked(&caller);
	pthread_mutex_unlock(&caller.lock);
	call_unlisten(route, &replies);
out:
	natsInbox_Destroy(caller.inbox);
	if (caller.abandoned >= 0)
		close(caller.abandoned);
	free(caller.slots);
	pthread_mutex_destroy(&caller.lock);
	return NULL;
}
