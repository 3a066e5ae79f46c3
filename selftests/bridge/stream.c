// SPDX-License-Identifier: GPL-2.0
/*
 * A client of NATS that knows nothing of mailboxes: what it sees of a stream is what others see.
 *
 *	stream read STREAM SUBJECT NR	takes messages: one line each, with all of its headers
 *	stream take STREAM SUBJECT NR	takes messages, and says how many
 *	stream count STREAM		prints how many there are
 *	stream make STREAM SUBJECT MESSAGES SIZE	makes a work queue with limits; 0: none
 *	stream remove STREAM
 *	stream publish SUBJECT TEXT [ID RECEIPT]	and waits until the server has it
 *	stream wait			until there is a server with JetStream
 *
 * The server is that of NATS_URL, or nats://127.0.0.1:4222.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nats/nats.h>

/* What nobody waits for longer, milliseconds. */
#define PATIENCE 60000
#define FETCH	 64

static natsConnection *nats;
static jsCtx *js;

static void check(natsStatus status, jsErrCode code, const char *what)
{
	if (status == NATS_OK)
		return;
	fprintf(stderr, "stream: %s: %s, error %d\n", what, natsStatus_GetText(status), code);
	exit(1);
}

static void say(natsMsg *msg)
{
	const char **keys = NULL, *value;
	int nr = 0, i;

	printf("%s", natsMsg_GetSubject(msg));
	if (natsMsgHeader_Keys(msg, &keys, &nr) == NATS_OK) {
		for (i = 0; i < nr; i++) {
			if (natsMsgHeader_Get(msg, keys[i], &value) == NATS_OK)
				printf(" %s=%s;", keys[i], value);
		}
		free(keys);
	}
	printf(" [");
	fwrite(natsMsg_GetData(msg), 1, natsMsg_GetDataLength(msg), stdout);
	printf("]\n");
}

static int take(char **arguments, bool loud)
{
	long wanted = atol(arguments[2]), taken = 0;
	natsSubscription *subscription;
	jsSubOptions options;
	jsErrCode code = 0;
	natsStatus status;
	int tries = 0, i;

	jsSubOptions_Init(&options);
	options.Stream = arguments[0];
	options.Config.AckPolicy = js_AckExplicit;
	/* The stream may have to be made yet. */
	while ((status = js_PullSubscribe(&subscription, js, arguments[1], "selftest", NULL,
					  &options, &code)) &&
	       tries++ < PATIENCE / 100)
		nats_Sleep(100);
	check(status, code, "subscribe");
	while (taken < wanted) {
		natsMsgList list = { 0 };

		status = natsSubscription_Fetch(&list, subscription,
						wanted - taken < FETCH ? wanted - taken : FETCH,
						PATIENCE, &code);
		if (status) {
			fprintf(stderr, "stream: %ld of %ld messages came: %s\n", taken, wanted,
				natsStatus_GetText(status));
			return 1;
		}
		for (i = 0; i < list.Count; i++) {
			if (loud)
				say(list.Msgs[i]);
			/* The last one is answered when the server has dealt with all before it. */
			if (++taken < wanted)
				natsMsg_Ack(list.Msgs[i], NULL);
			else
				check(natsMsg_AckSync(list.Msgs[i], NULL, &code), code,
				      "acknowledge");
		}
		natsMsgList_Destroy(&list);
	}
	if (!loud)
		printf("%ld\n", taken);
	/* Another may want other subjects. */
	check(js_DeleteConsumer(js, arguments[0], "selftest", NULL, &code), code, "end");
	return 0;
}

static int count(char **arguments)
{
	jsStreamInfo *info;
	jsErrCode code = 0;

	check(js_GetStreamInfo(&info, js, arguments[0], NULL, &code), code, "count");
	printf("%llu\n", (unsigned long long)info->State.Msgs);
	jsStreamInfo_Destroy(info);
	return 0;
}

static int make(char **arguments)
{
	const char *subjects[] = { arguments[1] };
	jsStreamConfig config;
	jsErrCode code = 0;

	jsStreamConfig_Init(&config);
	config.Name = arguments[0];
	config.Subjects = subjects;
	config.SubjectsLen = 1;
	config.Retention = js_WorkQueuePolicy;
	config.Discard = js_DiscardNew;
	config.Duplicates = 120LL * 1000000000;
	if (atol(arguments[2]))
		config.MaxMsgs = atol(arguments[2]);
	if (atol(arguments[3]))
		config.MaxMsgSize = atol(arguments[3]);
	check(js_AddStream(NULL, js, &config, NULL, &code), code, "make");
	return 0;
}

static int publish(char **arguments, bool headers)
{
	natsMsg *msg = NULL;
	jsErrCode code = 0;

	check(natsMsg_Create(&msg, arguments[0], NULL, arguments[1], strlen(arguments[1])), 0,
	      "publish");
	if (headers) {
		check(natsMsgHeader_Set(msg, "Nats-Msg-Id", arguments[2]), 0, "publish");
		check(natsMsgHeader_Set(msg, "Mailbox-Receipt", arguments[3]), 0, "publish");
	}
	check(js_PublishMsg(NULL, js, msg, NULL, &code), code, "publish");
	natsMsg_Destroy(msg);
	return 0;
}

static int run(int nr, char **arguments)
{
	const char *command = nr ? arguments[0] : "";
	jsErrCode code = 0;

	if (!strcmp(command, "read") && nr == 4)
		return take(arguments + 1, true);
	if (!strcmp(command, "take") && nr == 4)
		return take(arguments + 1, false);
	if (!strcmp(command, "count") && nr == 2)
		return count(arguments + 1);
	if (!strcmp(command, "make") && nr == 5)
		return make(arguments + 1);
	if (!strcmp(command, "publish") && (nr == 3 || nr == 5))
		return publish(arguments + 1, nr == 5);
	if (!strcmp(command, "remove") && nr == 2) {
		check(js_DeleteStream(js, arguments[1], NULL, &code), code, "remove");
		return 0;
	}
	if (!strcmp(command, "wait") && nr == 1) {
		jsAccountInfo *info;
		natsStatus status;
		int tries = 0;

		while ((status = js_GetAccountInfo(&info, js, NULL, &code)) && tries++ < 600)
			nats_Sleep(100);
		check(status, code, "wait");
		jsAccountInfo_Destroy(info);
		return 0;
	}
	fprintf(stderr, "stream: what is to be done? See the source.\n");
	return 2;
}

int main(int argc, char **argv)
{
	const char *url = getenv("NATS_URL");
	natsStatus status;
	int ret, tries;

	if (!url)
		url = "nats://127.0.0.1:4222";
	for (tries = 0; tries < 600; tries++) {
		status = natsConnection_ConnectTo(&nats, url);
		if (status != NATS_NO_SERVER)
			break;
		nats_Sleep(100);
	}
	check(status, 0, "connect");
	check(natsConnection_JetStream(&js, nats, NULL), 0, "JetStream");
	ret = run(argc - 1, argv + 1);
	jsCtx_Destroy(js);
	natsConnection_Destroy(nats);
	return ret;
}
