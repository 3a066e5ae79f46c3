// SPDX-License-Identifier: GPL-2.0
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "retire.h"
#include "server.h"

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

void call_say(struct route *route, const char *subject, const char *reply, const char *word,
	      const char *key, const char *value)
{
	natsMsg *msg = NULL;

	if (natsMsg_Create(&msg, subject, reply, NULL, 0) != NATS_OK)
		return;
	if (natsMsgHeader_Set(msg, HEADER_CALL, word) == NATS_OK &&
	    (!key || natsMsgHeader_Set(msg, key, value) == NATS_OK))
		natsConnection_PublishMsg(server_nats(route->bridge->server), msg);
	natsMsg_Destroy(msg);
}

static void on_complete(void *context)
{
	sem_post(context);
}

void call_unsubscribe(struct route *route, natsSubscription *subscription)
{
	sem_t done;

	if (!subscription)
		return;
	sem_init(&done, 0, 0);
	if (natsSubscription_SetOnCompleteCB(subscription, on_complete, &done) == NATS_OK &&
	    natsSubscription_Unsubscribe(subscription) == NATS_OK) {
		while (sem_wait(&done))
			continue;
	}
	sem_destroy(&done);
	retire(server_nats(route->bridge->server), subscription);
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
