// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mailbox.h>

#include "call.h"
#include "envelope.h"
#include "retire.h"
#include "server.h"

#define MILLISECOND UINT64_C(1000000)
/*
 * What a line carries at least, bytes a millisecond: one of 2 Mbit/s. On a slower one a message of
 * the usual max_payload would take so long that libnats holds the connection to be dead.
 */
#define LINE_SPEED 256
/* Nobody is waited for longer than that, milliseconds: a day. */
#define SILENCE_MAX 86400000

void call_subject(const struct route *route, char *subject)
{
	server_name(subject, SERVER_NAME_SIZE, "%s.call.%s", route->bridge->config->prefix,
		    route->config->subject);
}

const char *call_word(natsMsg *msg)
{
	const char *word = NULL;

	if (natsMsg_IsNoResponders(msg))
		return "none";
	if (natsMsgHeader_Get(msg, HEADER_CALL, &word) != NATS_OK || !word)
		return "";
	return word;
}

bool call_inbox(const char *subject)
{
	const char *at;

	if (strncmp(subject, "_INBOX.", strlen("_INBOX.")) || strlen(subject) >= SERVER_NAME_SIZE)
		return false;
	for (at = subject; *at; at++) {
		if (*at <= ' ' || *at == '*' || *at == '>' || *at == 0x7f)
			return false;
	}
	return true;
}

uint64_t call_silence(const struct route *route, size_t bytes)
{
	return CALL_BEATS * route->config->heartbeat + bytes / LINE_SPEED * MILLISECOND;
}

natsStatus call_set_silence(natsMsg *msg, const struct route *route, size_t bytes)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, call_silence(route, bytes) / MILLISECOND);
	return natsMsgHeader_Set(msg, HEADER_SILENCE, text);
}

uint64_t call_silence_of(const struct route *route, natsMsg *msg)
{
	uint64_t silence = envelope_number(msg, HEADER_SILENCE, SILENCE_MAX);

	return silence ? silence * MILLISECOND : call_silence(route, 0);
}

int call_seal(struct route *route, const struct mailbox_message *message, const char *reply,
	      natsMsg **msg)
{
	char subject[SERVER_NAME_SIZE], room[24];
	struct envelope envelope = {
		.type = message->type,
		.priority = message->priority,
		.time = envelope_wall(message->time),
	};
	int ret;

	envelope_stamp(&envelope, route->bridge->config->host, message);
	call_subject(route, subject);
	ret = envelope_request(&envelope, subject, reply, message->data, message->length, msg);
	if (ret)
		return ret;
	snprintf(room, sizeof(room), "%u", message->answer_room);
	if (natsMsgHeader_Set(*msg, HEADER_CALL, CALL_REQUEST) != NATS_OK ||
	    natsMsgHeader_Set(*msg, HEADER_ROOM, room) != NATS_OK ||
	    call_set_silence(*msg, route, 0) != NATS_OK) {
		natsMsg_Destroy(*msg);
		*msg = NULL;
		return -ENOMEM;
	}
	return 0;
}

static void say(struct route *route, natsMsg *msg, const char *word, size_t bytes)
{
	if (natsMsgHeader_Set(msg, HEADER_CALL, word) == NATS_OK &&
	    call_set_silence(msg, route, bytes) == NATS_OK)
		natsConnection_PublishMsg(server_nats(route->bridge->server), msg);
}

void call_say(struct route *route, const char *subject, const char *reply, const char *word,
	      const char *key, const char *value)
{
	natsMsg *msg = NULL;

	if (natsMsg_Create(&msg, subject, reply, NULL, 0) != NATS_OK)
		return;
	if (!key || natsMsgHeader_Set(msg, key, value) == NATS_OK)
		say(route, msg, word, 0);
	natsMsg_Destroy(msg);
}

void call_beat(struct route *route, const char *subject, size_t bytes)
{
	natsMsg *msg = NULL;

	if (natsMsg_Create(&msg, subject, NULL, NULL, 0) != NATS_OK)
		return;
	say(route, msg, CALL_BEAT, bytes);
	natsMsg_Destroy(msg);
}

void call_echo(struct route *route, const char *inbox)
{
	char subject[SERVER_NAME_SIZE];

	server_name(subject, sizeof(subject), "%s.%u-%" PRIu64, inbox, route->config->window,
		    mailbox_now());
	natsConnection_PublishString(server_nats(route->bridge->server), subject, "");
}

uint64_t call_heard_until(const struct route *route, uint64_t echo)
{
	return server_epoch(route->bridge->server) ? echo : mailbox_now();
}

static void on_complete(void *context)
{
	sem_post(context);
}

natsStatus call_listen(struct route *route, struct call_listener *listener, const char *subject,
		       const char *group, natsMsgHandler callback, void *context)
{
	natsConnection *nats = server_nats(route->bridge->server);
	natsSubscription *subscription = NULL;
	natsStatus status;

	if (group)
		status = natsConnection_QueueSubscribe(&subscription, nats, subject, group,
						       callback, context);
	else
		status = natsConnection_Subscribe(&subscription, nats, subject, callback, context);
	if (status)
		return status;
	sem_init(&listener->ended, 0, 0);
	status = natsSubscription_SetOnCompleteCB(subscription, on_complete, &listener->ended);
	if (status) {
		/* The connection has ended meanwhile, and no message has come. */
		sem_destroy(&listener->ended);
		retire(nats, subscription);
		return status;
	}
	listener->subscription = subscription;
	return NATS_OK;
}

void call_unlisten(struct route *route, struct call_listener *listener)
{
	if (!listener->subscription)
		return;
	/* It fails where the connection has ended for good, which ends the callback, too. */
	natsSubscription_Unsubscribe(listener->subscription);
	while (sem_wait(&listener->ended))
		continue;
	sem_destroy(&listener->ended);
	retire(server_nats(route->bridge->server), listener->subscription);
	listener->subscription = NULL;
}

bool call_slot(const char *subject, unsigned int slots, unsigned int *slot, uint64_t *generation)
{
	const char *text = strrchr(subject, '.');
	unsigned long number;
	char *end;

	if (!text || text[1] < '0' || text[1] > '9')
		return false;
	number = strtoul(text + 1, &end, 10);
	if (*end != '-' || number >= slots || end[1] < '0' || end[1] > '9')
		return false;
	*slot = number;
	*generation = strtoull(end + 1, &end, 10);
	return !*end;
}
