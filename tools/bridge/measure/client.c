// SPDX-License-Identifier: GPL-2.0
/*
 * Without mailboxes: a client publishes as bridges do, and another fetches and acknowledges.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nats/nats.h>

#include "measure.h"

#define STREAM	 "measure"
#define SUBJECT	 "measure.p0"
#define PATIENCE 60000 /* milliseconds */

static void check(natsStatus status, const char *what)
{
	if (status != NATS_OK)
		fail(what, nats_GetLastError(NULL) ? nats_GetLastError(NULL) :
						     natsStatus_GetText(status));
}

static natsConnection *connect_to(const struct job *job, jsCtx **js)
{
	natsConnection *nats;
	jsOptions options;

	jsOptions_Init(&options);
	options.PublishAsync.MaxPending = job->window;
	options.PublishAsync.StallWait = PATIENCE;
	check(natsConnection_ConnectTo(&nats, job->url), "connect");
	check(natsConnection_JetStream(js, nats, &options), "JetStream");
	return nats;
}

/**
 * client_send() - publish all messages, and wait until the server has them
 * @job: what to do
 * @outcome: when it began goes there
 */
void client_send(const struct job *job, struct outcome *outcome)
{
	const bool ids = !strcmp(job->by, "client");
	char *payload = calloc(1, job->size), id[64];
	natsConnection *nats;
	uint64_t nr;
	jsCtx *js;

	nats = connect_to(job, &js);
	await_ready(outcome, 1);
	for (nr = 0; nr < job->messages; nr++) {
		natsMsg *msg;

		stamp(job, outcome, nr, payload);
		check(natsMsg_Create(&msg, SUBJECT, NULL, payload, job->size), "message");
		if (ids) {
			/* As long as those of a bridge, and never the same. */
			snprintf(id, sizeof(id), "a-%032llx-1-%llu",
				 (unsigned long long)outcome->first, (unsigned long long)nr);
			check(natsMsgHeader_Set(msg, "Nats-Msg-Id", id), "header");
		}
		check(js_PublishMsgAsync(js, &msg, NULL), "publish");
	}
	check(js_PublishAsyncComplete(js, NULL), "publish");
	jsCtx_Destroy(js);
	natsConnection_Destroy(nats);
	free(payload);
}

/* The stream is made as bridges make theirs. */
static void make_stream(jsCtx *js)
{
	const char *subjects[] = { "measure.*" };
	jsStreamConfig config;

	js_DeleteStream(js, STREAM, NULL, NULL);
	jsStreamConfig_Init(&config);
	config.Name = STREAM;
	config.Subjects = subjects;
	config.SubjectsLen = 1;
	config.Retention = js_WorkQueuePolicy;
	config.Discard = js_DiscardNew;
	config.Duplicates = 120 * SECOND;
	check(js_AddStream(NULL, js, &config, NULL, NULL), "stream");
}

/**
 * client_receive() - fetch and acknowledge all messages
 * @job: what to do
 * @outcome: when each came goes there
 */
void client_receive(const struct job *job, struct outcome *outcome)
{
	natsSubscription *subscription;
	jsSubOptions options;
	natsConnection *nats;
	bool more = true;
	jsCtx *js;
	int i;

	nats = connect_to(job, &js);
	make_stream(js);
	jsSubOptions_Init(&options);
	options.Stream = STREAM;
	options.Config.AckPolicy = js_AckExplicit;
	options.Config.MaxAckPending = 65536;
	check(js_PullSubscribe(&subscription, js, SUBJECT, "measure", NULL, &options, NULL),
	      "subscribe");
	ready(outcome);
	while (more) {
		natsMsgList list = { 0 };

		check(natsSubscription_Fetch(&list, subscription, job->window, PATIENCE, NULL),
		      "fetch");
		for (i = 0; i < list.Count; i++) {
			more = arrived(job, outcome, natsMsg_GetData(list.Msgs[i]));
			check(natsMsg_Ack(list.Msgs[i], NULL), "acknowledge");
		}
		natsMsgList_Destroy(&list);
	}
	check(natsConnection_Flush(nats), "acknowledge");
	natsSubscription_Destroy(subscription);
	js_DeleteStream(js, STREAM, NULL, NULL);
	jsCtx_Destroy(js);
	natsConnection_Destroy(nats);
}
