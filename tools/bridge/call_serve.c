// SPDX-License-Identifier: GPL-2.0
/*
 * One call that has come in: what the thread does that has it.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mailbox.h>

#include "call.h"
#include "envelope.h"
#include "server.h"

/* Headers of an answer. */
#define HEADERS_SIZE 1024

static const char *header(natsMsg *msg, const char *key)
{
	const char *value = envelope_header(msg, key);

	return value ? value : "";
}

bool call_is_bridge(natsMsg *request)
{
	return !strcmp(header(request, HEADER_CALL), CALL_REQUEST);
}

/* Room for the answer: what the caller has, and the server of NATS takes. */
static size_t room_of(struct route *route, natsMsg *request)
{
	uint64_t most = server_max_payload(route->bridge->server);
	const char *room = header(request, HEADER_ROOM);
	uint64_t wanted = *room ? strtoull(room, NULL, 10) : UINT64_MAX;

	most = most > HEADERS_SIZE ? most - HEADERS_SIZE : 0;
	return wanted < most ? wanted : most;
}

static void publish_answer(struct route *route, natsMsg *request,
			   const struct mailbox_message *answer)
{
	const struct bridge *bridge = route->bridge;
	struct envelope envelope = {
		.type = answer->type,
		.time = envelope_wall(mailbox_now()),
	};
	natsMsg *msg = NULL;

	envelope_stamp(&envelope, bridge->config->host, answer);
	if (envelope_seal(&envelope, natsMsg_GetReply(request), answer->data, answer->length,
			  &msg)) {
		/* Else its caller would wait until the silence is too long. */
		call_say(route, natsMsg_GetReply(request), NULL, CALL_FAILED, HEADER_ERROR,
			 "ENOMEM");
		return;
	}
	if (natsMsgHeader_Set(msg, HEADER_CALL, CALL_ANSWER) == NATS_OK &&
	    natsConnection_PublishMsg(server_nats(bridge->server), msg) == NATS_OK)
		atomic_fetch_add(&route->moved, 1);
	natsMsg_Destroy(msg);
}

void call_signal(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, CALL_SIGNAL);
	pthread_sigmask(how, &set, NULL);
}

static int call(struct route *route, int handle, natsMsg *request, struct mailbox_message *answer)
{
	struct mailbox_message message = { 0 };
	struct envelope envelope;
	int ret;

	envelope_open(&envelope, request);
	message.data = (void *)natsMsg_GetData(request);
	message.length = natsMsg_GetDataLength(request);
	message.type = envelope.type;
	message.priority = envelope.priority;
	answer->room = room_of(route, request);
	/* One byte at least: NULL would be an answer that nobody wants. */
	answer->data = malloc(answer->room + 1);
	if (!answer->data)
		return -ENOMEM;
	/* The signal is for the call alone: it would break what libnats is writing. */
	call_signal(SIG_UNBLOCK);
	ret = mailbox_call(handle, &message, answer, 0, 0);
	call_signal(SIG_BLOCK);
	return ret;
}

/* Nobody has had the request: there was no room, or nobody who could receive. */
static bool is_not_begun(int error)
{
	return error == -EAGAIN || error == -EPIPE || error == -EDQUOT || error == -ENOMEM;
}

int call_make(struct route *route, int handle, natsMsg *request, const char *control,
	      struct mailbox_message *answer)
{
	if (call_is_bridge(request))
		call_say(route, natsMsg_GetReply(request), NULL, CALL_TAKEN, HEADER_CONTROL,
			 control);
	return call(route, handle, request, answer);
}

void call_tell(struct route *route, natsMsg *request, int error,
	       const struct mailbox_message *answer)
{
	const char *name;

	if (!error) {
		publish_answer(route, request, answer);
	} else if (is_not_begun(error)) {
		call_say(route, natsMsg_GetReply(request), NULL, CALL_BUSY, NULL, NULL);
	} else {
		name = strerrorname_np(-error);
		call_say(route, natsMsg_GetReply(request), NULL, CALL_FAILED, HEADER_ERROR,
			 name ? name : "EIO");
	}
}
