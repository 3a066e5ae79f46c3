// SPDX-License-Identifier: GPL-2.0
/*
 * Dead letters of a route that receives: to the stream for them, before the server is told
 * that the message is done with.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>

#include "envelope.h"
#include "in.h"
#include "log.h"
#include "server.h"

static natsStatus copy_headers(natsMsg *from, natsMsg *to)
{
	const char **keys = NULL, **values;
	natsStatus status;
	int i, j, nr = 0, nr_values;

	status = natsMsgHeader_Keys(from, &keys, &nr);
	if (status == NATS_NOT_FOUND)
		return NATS_OK;
	for (i = 0; status == NATS_OK && i < nr; i++) {
		values = NULL;
		nr_values = 0;
		status = natsMsgHeader_Values(from, keys[i], &values, &nr_values);
		for (j = 0; status == NATS_OK && j < nr_values; j++)
			status = natsMsgHeader_Add(to, keys[i], values[j]);
		free(values);
	}
	free(keys);
	return status;
}

static natsStatus make(struct in *in, uint32_t slot, const char *reason, natsMsg **letter)
{
	const struct in_message *message = &in->messages[slot];
	char subject[SERVER_NAME_SIZE], number[160];
	const char *id = NULL;
	natsStatus status;

	server_dead_subject(in->route, subject);
	status = natsMsg_Create(letter, subject, NULL, natsMsg_GetData(message->msg),
				natsMsg_GetDataLength(message->msg));
	if (status != NATS_OK)
		return status;
	status = copy_headers(message->msg, *letter);
	if (status == NATS_OK)
		status = natsMsgHeader_Set(*letter, HEADER_REASON, reason);
	snprintf(number, sizeof(number), "%llu", (unsigned long long)message->deliveries);
	if (status == NATS_OK)
		status = natsMsgHeader_Set(*letter, HEADER_DELIVERIES, number);
	/* Of other clients, which give none: so that it is there once all the same. */
	if (status == NATS_OK && natsMsgHeader_Get(message->msg, HEADER_ID, &id) != NATS_OK) {
		snprintf(number, sizeof(number), "%lld-%llu", (long long)in->seen.head->created,
			 (unsigned long long)in->seen.slots[slot].stream_sequence);
		status = natsMsgHeader_Set(*letter, HEADER_ID, number);
	}
	if (status != NATS_OK)
		natsMsg_Destroy(*letter);
	return status;
}

int in_dead_letter(struct in *in, uint32_t slot, const char *reason)
{
	natsMsg *letter = NULL;
	jsPubAck *ack = NULL;
	jsErrCode code = 0;
	natsStatus status;

	if (server_dead_stream(in->route, in->js))
		return -EAGAIN;
	status = make(in, slot, reason, &letter);
	if (status == NATS_OK) {
		status = js_PublishMsg(&ack, in->js, letter, NULL, &code);
		natsMsg_Destroy(letter);
	}
	jsPubAck_Destroy(ack);
	if (status != NATS_OK) {
		route_trouble(
			in->route, ROUTE_REFUSED,
			"a dead letter cannot be published: %s (error %d of JetStream); tried "
			"again",
			natsStatus_GetText(status), (int)code);
		return -EAGAIN;
	}
	log_line(LOG_NOTICE, "route '%s': message %llu of the stream is a dead letter: %s",
		 in->route->config->name, (unsigned long long)in->seen.slots[slot].stream_sequence,
		 reason);
	return 0;
}
