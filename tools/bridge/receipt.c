// SPDX-License-Identifier: GPL-2.0
/*
 * Receipts that go to the host where a message came from: {"sequence": 7, "end": "acknowledged", ...}
 * with the id of the message, and "-r".
 */
#include <errno.h>
#include <jansson.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "envelope.h"
#include "receipt.h"
#include "server.h"

#define WAIT 3000 /* milliseconds */

/**
 * struct receipts - those of one route
 * @route: the route
 * @js: context of its own, so that it can be waited for
 * @failed: since the last flush; atomic, as libnats counts in a thread of its own
 * @any: was published since
 * @has_stream: it was looked for, in this connection
 * @epoch: that connection
 */
struct receipts {
	struct route *route;
	jsCtx *js;
	_Atomic unsigned int failed;
	bool any;
	bool has_stream;
	uint64_t epoch;
};

static void on_error(jsCtx *js, jsPubAckErr *error, void *data)
{
	struct receipts *receipts = data;

	(void)js;
	(void)error;
	atomic_fetch_add(&receipts->failed, 1);
}

struct receipts *receipts_new(struct route *route)
{
	struct receipts *receipts = calloc(1, sizeof(*receipts));
	jsOptions options;

	if (!receipts)
		return NULL;
	receipts->route = route;
	jsOptions_Init(&options);
	options.Wait = WAIT;
	options.PublishAsync.ErrHandler = on_error;
	options.PublishAsync.ErrHandlerClosure = receipts;
	if (natsConnection_JetStream(&receipts->js, server_nats(route->bridge->server), &options) !=
	    NATS_OK) {
		free(receipts);
		return NULL;
	}
	return receipts;
}

void receipts_free(struct receipts *receipts)
{
	if (!receipts)
		return;
	jsCtx_Destroy(receipts->js);
	free(receipts);
}

static bool is_token(const char *text, size_t length)
{
	return length && length < ENVELOPE_HOST_SIZE &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") >=
		       length;
}

/* Letters and the like; a route may have dots, which then are not at its ends, nor double. */
bool receipts_valid(const char *receipt)
{
	const char *slash = strchr(receipt, '/'), *token, *dot;

	if (!slash || !is_token(receipt, (size_t)(slash - receipt)))
		return false;
	for (token = slash + 1; (dot = strchr(token, '.')); token = dot + 1)
		if (!is_token(token, (size_t)(dot - token)))
			return false;
	return is_token(token, strlen(token));
}

static const char *end_name(uint32_t end)
{
	static const char *const names[] = {
		[MAILBOX_END_RECEIVED] = "received",   [MAILBOX_END_ACKNOWLEDGED] = "acknowledged",
		[MAILBOX_END_EXPIRED] = "expired",     [MAILBOX_END_OVERWRITTEN] = "overwritten",
		[MAILBOX_END_DEAD] = "dead",	       [MAILBOX_END_DROPPED] = "dropped",
		[MAILBOX_END_DESTROYED] = "destroyed",
	};

	return end < sizeof(names) / sizeof(names[0]) && names[end] ? names[end] : "unknown";
}

/* The last part of an id of ours. */
static uint64_t sequence_of(const char *id)
{
	const char *dash = strrchr(id, '-');

	return dash ? strtoull(dash + 1, NULL, 10) : 0;
}

static char *text_of(const struct receipts *receipts, const struct seen_slot *slot)
{
	/* Whoever has published it made the id, perhaps of what JSON cannot have. */
	json_t *id = json_string(slot->id) ?: json_string("");
	json_t *json = json_pack("{s:I, s:s, s:s, s:i, s:I, s:I, s:o}", "sequence",
				 (json_int_t)sequence_of(slot->id), "end", end_name(slot->end),
				 "host", receipts->route->bridge->config->host, "pid",
				 (int)slot->pid, "uid", (json_int_t)slot->uid, "time",
				 (json_int_t)envelope_wall(slot->end_time), "id", id);
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

	json_decref(json);
	return text;
}

/* Return: 0 or -ENOMEM. */
static int make(const struct receipts *receipts, const struct seen_slot *slot, natsMsg **msg)
{
	char subject[SERVER_NAME_SIZE], receipt[sizeof(slot->receipt)];
	struct envelope envelope = { 0 };
	char *text;
	int ret;

	memcpy(receipt, slot->receipt, sizeof(receipt));
	*strchr(receipt, '/') = '.';
	server_name(subject, sizeof(subject), "%s.receipt.%s",
		    receipts->route->bridge->config->prefix, receipt);
	envelope.type = sequence_of(slot->id);
	/* An id that leaves no room is none of a bridge, and nobody waits for it. */
	if (slot->id[0] && strlen(slot->id) + sizeof("-r") <= sizeof(envelope.id)) {
		strcpy(envelope.id, slot->id);
		strcat(envelope.id, "-r");
	}
	text = text_of(receipts, slot);
	if (!text)
		return -ENOMEM;
	ret = envelope_seal(&envelope, subject, text, strlen(text), msg);
	free(text);
	return ret;
}

int receipts_publish(struct receipts *receipts, const struct seen_slot *slot)
{
	const uint64_t epoch = server_epoch(receipts->route->bridge->server);
	natsMsg *msg = NULL;
	int ret;

	if (!receipts_valid(slot->receipt))
		return 0;
	if (!epoch)
		return -EAGAIN;
	if (!receipts->has_stream || receipts->epoch != epoch) {
		ret = server_receipt_stream(receipts->route, receipts->js);
		if (ret)
			return ret;
		receipts->has_stream = true;
		receipts->epoch = epoch;
	}
	ret = make(receipts, slot, &msg);
	if (ret)
		return ret;
	receipts->any = true;
	if (js_PublishMsgAsync(receipts->js, &msg, NULL) == NATS_OK)
		return 0;
	natsMsg_Destroy(msg);
	return -EAGAIN;
}

int receipts_flush(struct receipts *receipts)
{
	jsPubOptions options;
	natsStatus status;
	unsigned int failed;

	if (!receipts->any)
		return 0;
	jsPubOptions_Init(&options);
	options.MaxWait = WAIT;
	status = js_PublishAsyncComplete(receipts->js, &options);
	failed = atomic_exchange(&receipts->failed, 0);
	if (status == NATS_OK && !failed) {
		receipts->any = false;
		return 0;
	}
	receipts->has_stream = false;
	route_trouble(
		receipts->route, ROUTE_REFUSED,
		"receipts cannot be published (%s, %u refused): look at the stream '%s-receipts'; "
		"tried again",
		natsStatus_GetText(status), failed, receipts->route->bridge->config->prefix);
	return -EAGAIN;
}
