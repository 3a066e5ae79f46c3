// SPDX-License-Identifier: GPL-2.0
/*
 * Receipts for messages that other hosts have got: from their stream to a local mailbox, in a
 * thread of its own.
 *
 * Each is acknowledged to the server when the mailbox has it, and is given back while that is
 * full, so none is lost. One comes twice when the bridge, or the connection, ends between the two.
 */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "out.h"
#include "retire.h"

#define FETCH 64
/* A bridge makes none that is longer, bytes: what is would only be in the way of the others. */
#define RECEIPT_MAX 4096

/**
 * struct receipts - the thread
 * @route: that wants them
 * @js: to fetch with
 * @fetched: where they come from; NULL: not now
 * @epoch: of the connection that this is of
 * @handle: of the mailbox, or -1
 * @full: the mailbox is, and that was said
 * @thread: itself
 * @lock: guards @stopping
 * @stop: when that is set
 * @stopping: it is to end
 */
struct receipts {
	struct route *route;
	jsCtx *js;
	natsSubscription *fetched;
	uint64_t epoch;
	int handle;
	bool full;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t stop;
	bool stopping;
};

/* Wait a second, or until the end. Returns whether it is that. */
static bool rest(struct receipts *receipts, uint64_t milliseconds)
{
	uint64_t deadline = mailbox_deadline_in_ms(milliseconds);
	struct timespec end = { .tv_sec = deadline / 1000000000ULL,
				.tv_nsec = deadline % 1000000000ULL };
	bool stopping;

	pthread_mutex_lock(&receipts->lock);
	while (!receipts->stopping &&
	       !pthread_cond_clockwait(&receipts->stop, &receipts->lock, CLOCK_MONOTONIC, &end))
		;
	stopping = receipts->stopping;
	pthread_mutex_unlock(&receipts->lock);
	return stopping;
}

/* Of names that the configuration was checked for: neither has a dot. */
static void consumer_name(const struct route *route, char *name)
{
	server_name(name, SERVER_NAME_SIZE, "%s-%s", route->bridge->config->host,
		    route->config->name);
}

static void unsubscribe(struct receipts *receipts)
{
	retire(server_nats(receipts->route->bridge->server), receipts->fetched);
	receipts->fetched = NULL;
}

static bool subscribe(struct receipts *receipts)
{
	char subject[SERVER_NAME_SIZE], stream[SERVER_NAME_SIZE], consumer[SERVER_NAME_SIZE];
	const struct config *config = receipts->route->bridge->config;
	struct server *server = receipts->route->bridge->server;
	struct route *route = receipts->route;
	uint64_t epoch = server_epoch(server);
	jsSubOptions options;
	jsErrCode code = 0;
	natsStatus status;

	if (receipts->fetched && epoch == receipts->epoch)
		return true;
	unsubscribe(receipts);
	receipts->epoch = epoch;
	if (!epoch || server_receipt_stream(route, receipts->js))
		return false;

	server_name(stream, sizeof(stream), "%s-receipts", config->prefix);
	server_name(subject, sizeof(subject), "%s.receipt.%s.%s", config->prefix, config->host,
		    route->config->name);
	consumer_name(route, consumer);
	jsSubOptions_Init(&options);
	options.Stream = stream;
	options.Config.AckPolicy = js_AckExplicit;
	status = js_PullSubscribe(&receipts->fetched, receipts->js, subject, consumer, NULL,
				  &options, &code);
	if (status == NATS_OK)
		return true;
	receipts->fetched = NULL;
	log_line(
		LOG_WARNING,
		"route '%s': no receipts, as consumer %s of stream %s cannot be had (%s, error %d)",
		route->config->name, consumer, stream, natsStatus_GetText(status), code);
	return false;
}

static bool have_mailbox(struct receipts *receipts)
{
	struct route *route = receipts->route;

	if (receipts->handle >= 0)
		return true;
	if (route_mailbox(route, route->config->receipts, MAILBOX_RIGHT_SEND, &receipts->handle))
		receipts->handle = -1;
	return receipts->handle >= 0;
}

/* The number of the message that it is about; 0: it is no receipt. */
static uint64_t sequence_of(natsMsg *msg)
{
	json_t *receipt;
	json_int_t sequence;

	if (natsMsg_GetDataLength(msg) > RECEIPT_MAX)
		return 0;
	receipt = json_loadb(natsMsg_GetData(msg), natsMsg_GetDataLength(msg), 0, NULL);
	sequence = json_integer_value(json_object_get(receipt, "sequence"));
	json_decref(receipt);
	return sequence > 0 ? sequence : 0;
}

/* Returns whether it makes sense to go on with the next. */
static bool bring(struct receipts *receipts, natsMsg *msg)
{
	const struct config_route *config = receipts->route->config;
	struct mailbox_message message = { .data = (void *)natsMsg_GetData(msg),
					   .length = natsMsg_GetDataLength(msg),
					   .type = sequence_of(msg) };
	int ret;

	if (!message.type) {
		log_line(LOG_WARNING, "route '%s': what came as a receipt is none: it is dropped",
			 config->name);
		natsMsg_Term(msg, NULL);
		return true;
	}
	ret = mailbox_send_message(receipts->handle, &message, MAILBOX_NONBLOCK, 0);
	if (!ret) {
		receipts->full = false;
		natsMsg_Ack(msg, NULL);
		return true;
	}
	if (!receipts->full)
		log_line(LOG_WARNING,
			 "route '%s': receipts wait, as mailbox '%s' does not take them: %s",
			 config->name, config->receipts, mailbox_strerror(ret));
	receipts->full = true;
	if (ret != -EAGAIN && ret != -EDQUOT && ret != -ENOMEM && ret != -EMSGSIZE) {
		close(receipts->handle);
		receipts->handle = -1;
	}
	natsMsg_NakWithDelay(msg, 1000, NULL);
	return false;
}

static void fetch(struct receipts *receipts)
{
	natsMsgList list = { 0 };
	jsErrCode code = 0;
	bool good = true;
	natsStatus status;
	int i;

	status = natsSubscription_Fetch(&list, receipts->fetched, FETCH, 1000, &code);
	if (status == NATS_TIMEOUT)
		return;
	if (status != NATS_OK) {
		/* The consumer may be gone, the connection, or the stream: begin anew. */
		unsubscribe(receipts);
		rest(receipts, 1000);
		return;
	}
	for (i = 0; i < list.Count; i++) {
		if (good)
			good = bring(receipts, list.Msgs[i]);
		else
			natsMsg_NakWithDelay(list.Msgs[i], 1000, NULL);
	}
	natsMsgList_Destroy(&list);
	if (!good)
		rest(receipts, 1000);
}

static void *run(void *argument)
{
	struct receipts *receipts = argument;

	while (!rest(receipts, 0)) {
		if (have_mailbox(receipts) && subscribe(receipts))
			fetch(receipts);
		else
			rest(receipts, 1000);
	}
	return NULL;
}

struct receipts *receipts_start(struct route *route)
{
	struct receipts *receipts = calloc(1, sizeof(*receipts));

	if (!receipts)
		goto err;
	receipts->route = route;
	receipts->handle = -1;
	pthread_mutex_init(&receipts->lock, NULL);
	pthread_cond_init(&receipts->stop, NULL);
	if (natsConnection_JetStream(&receipts->js, server_nats(route->bridge->server), NULL) !=
	    NATS_OK)
		goto err;
	if (pthread_create(&receipts->thread, NULL, run, receipts))
		goto err;
	return receipts;

err:
	if (receipts)
		jsCtx_Destroy(receipts->js);
	free(receipts);
	log_line(LOG_ERR, "route '%s': there is no memory for receipts: start the bridge again",
		 route->config->name);
	return NULL;
}

void receipts_stop(struct receipts *receipts)
{
	if (!receipts)
		return;
	pthread_mutex_lock(&receipts->lock);
	receipts->stopping = true;
	pthread_cond_signal(&receipts->stop);
	pthread_mutex_unlock(&receipts->lock);
	pthread_join(receipts->thread, NULL);

	unsubscribe(receipts);
	jsCtx_Destroy(receipts->js);
	if (receipts->handle >= 0)
		close(receipts->handle);
	pthread_cond_destroy(&receipts->stop);
	pthread_mutex_destroy(&receipts->lock);
	free(receipts);
}
