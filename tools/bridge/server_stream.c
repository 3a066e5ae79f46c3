// SPDX-License-Identifier: GPL-2.0
/*
 * Streams: made by whoever needs one first, and looked at by all others.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "route.h"
#include "server.h"

char *server_name(char *text, size_t size, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, size, format, arguments);
	va_end(arguments);
	return text;
}

void server_without_dots(char *name)
{
	for (; *name; name++) {
		if (*name == '.')
			*name = '-';
	}
}

void server_subject(const struct route *route, unsigned int band, char *subject)
{
	server_name(subject, SERVER_NAME_SIZE, "%s.q.%s.p%u", route->bridge->config->prefix,
		    route->config->subject, band);
}

void server_stream_name(const struct route *route, char *name)
{
	server_name(name, SERVER_NAME_SIZE, "%s-%s", route->bridge->config->prefix,
		    route->config->subject);
	server_without_dots(name);
}

void server_consumer_name(const struct route *route, unsigned int band, char *name)
{
	if (route->config->policy == ROUTE_BROADCAST)
		server_name(name, SERVER_NAME_SIZE, "host-%s", route->bridge->config->host);
	else
		server_name(name, SERVER_NAME_SIZE, "%s-p%u",
			    route->config->policy == ROUTE_ONE ? "one" : "any", band);
}

void server_dead_subject(const struct route *route, char *subject)
{
	server_name(subject, SERVER_NAME_SIZE, "%s.dead.%s", route->bridge->config->prefix,
		    route->config->subject);
}

/* What the server says to a request about a stream, as a sentence. */
static int explain(struct route *route, const char *name, natsStatus status, jsErrCode code)
{
	const char *text = server_last_error();
	char refused[256];

	/* Known here before the server knows it: that is told by a thread of libnats. */
	if (!server_epoch(route->bridge->server) || status == NATS_CONNECTION_DISCONNECTED ||
	    status == NATS_CONNECTION_CLOSED) {
		route_trouble(route, ROUTE_AWAY, "there is no connection to a server");
		return -EAGAIN;
	}
	if (status == NATS_NO_RESPONDERS || code == JSNotEnabledErr)
		route_trouble(route, ROUTE_REFUSED,
			      "the server has no JetStream: start it with --jetstream");
	else if (code == JSNotEnabledForAccountErr)
		route_trouble(route, ROUTE_REFUSED,
			      "the account of the bridge has no JetStream: enable it for that "
			      "account at the server");
	else if (code == JSStorageResourcesExceededErr || code == JSMemoryResourcesExceededErr ||
		 code == JSInsufficientResourcesErr)
		route_trouble(route, ROUTE_REFUSED,
			      "the server has no room for stream '%s': give it more, or the stream "
			      "less by max_bytes",
			      name);
	else if (code == JSStreamReplicasNotSupportedErr || code == JSClusterNoPeersErr)
		route_trouble(
			route, ROUTE_REFUSED,
			"stream '%s' is to have %u replicas, and there are not as many servers "
			"in a cluster: say fewer under 'stream:', or add servers",
			name, route->config->stream.replicas);
	else if (code == JSMaximumStreamsLimitErr)
		route_trouble(
			route, ROUTE_REFUSED,
			"the account of the bridge has no room for stream '%s': allow it more "
			"streams at the server",
			name);
	else if (code == JSStreamMaxBytesRequiredErr)
		route_trouble(route, ROUTE_REFUSED,
			      "the server wants a limit for stream '%s': say max_bytes under "
			      "'stream:'",
			      name);
	else if (code == JSStreamSubjectOverlapErr)
		route_trouble(route, ROUTE_REFUSED,
			      "another stream than '%s' has these subjects already: remove them "
			      "there, or say another 'prefix:' on all hosts",
			      name);
	else if (server_error(route->bridge->server, "_INBOX", refused, sizeof(refused)))
		route_trouble(route, ROUTE_REFUSED,
			      "the server does not permit the bridge to get answers (%s): its user "
			      "needs _INBOX.>",
			      refused);
	else if (server_error(route->bridge->server, "$JS.API", refused, sizeof(refused)))
		route_trouble(
			route, ROUTE_REFUSED,
			"the server does not permit the bridge to use JetStream (%s): its user "
			"needs $JS.API.> and %s.>",
			refused, route->bridge->config->prefix);
	else
		route_trouble(route, ROUTE_REFUSED, "stream '%s': %s", name,
			      *text ? text : natsStatus_GetText(status));
	return -EAGAIN;
}

static const char *retention_word(jsRetentionPolicy retention)
{
	static const char *const words[] = { "limits", "interest", "workqueue" };

	return (unsigned int)retention < 3 ? words[retention] : "?";
}

static bool has_subject(const jsStreamConfig *config, const char *subject)
{
	int i;

	for (i = 0; i < config->SubjectsLen; i++) {
		if (!strcmp(config->Subjects[i], subject))
			return true;
	}
	return false;
}

/* One that is there: the bridge changes nothing of it. */
static int look(struct route *route, const jsStreamConfig *there, const jsStreamConfig *wanted)
{
	if (there->Retention != wanted->Retention) {
		route_trouble(
			route, ROUTE_REFUSED,
			"stream '%s' keeps messages by '%s', and this route wants '%s': its "
			"policy here is not that of the other hosts, or the stream is another's",
			wanted->Name, retention_word(there->Retention),
			retention_word(wanted->Retention));
		return -EAGAIN;
	}
	if (!has_subject(there, wanted->Subjects[0])) {
		route_trouble(route, ROUTE_REFUSED,
			      "stream '%s' does not have the subject '%s': add it there, or remove "
			      "the stream, and the bridge makes it",
			      wanted->Name, wanted->Subjects[0]);
		return -EAGAIN;
	}
	return 0;
}

static int have(struct route *route, jsCtx *js, jsStreamConfig *wanted)
{
	jsStreamInfo *info = NULL;
	jsErrCode code = 0;
	natsStatus status;
	int ret;

	status = js_GetStreamInfo(&info, js, wanted->Name, NULL, &code);
	if (status == NATS_NOT_FOUND || code == JSStreamNotFoundErr) {
		code = 0;
		status = js_AddStream(&info, js, wanted, NULL, &code);
		/* Another bridge was quicker, and wants something else. */
		if (code == JSStreamNameExistErr)
			status = js_GetStreamInfo(&info, js, wanted->Name, NULL, &code);
	}
	if (status)
		return explain(route, wanted->Name, status, code);
	ret = look(route, info->Config, wanted);
	jsStreamInfo_Destroy(info);
	return ret;
}

static void begin(jsStreamConfig *wanted, const struct route *route, const char *name,
		  const char **subjects)
{
	const struct config_stream *config = &route->config->stream;

	jsStreamConfig_Init(wanted);
	wanted->Name = name;
	wanted->Subjects = subjects;
	wanted->SubjectsLen = 1;
	wanted->Replicas = config->replicas;
	wanted->Storage = config->memory ? js_MemoryStorage : js_FileStorage;
	wanted->Duplicates = config->duplicates;
}

int server_stream(struct route *route, jsCtx *js)
{
	const struct config_stream *config = &route->config->stream;
	char name[SERVER_NAME_SIZE], subject[SERVER_NAME_SIZE];
	const char *subjects[] = { subject };
	jsStreamConfig wanted;

	server_stream_name(route, name);
	server_name(subject, sizeof(subject), "%s.q.%s.*", route->bridge->config->prefix,
		    route->config->subject);
	begin(&wanted, route, name, subjects);
	if (route->config->policy != ROUTE_BROADCAST) {
		wanted.Retention = js_WorkQueuePolicy;
		/* Full is refused, and the mailbox of the sender fills up. */
		wanted.Discard = js_DiscardNew;
	}
	if (config->max_messages)
		wanted.MaxMsgs = config->max_messages;
	if (config->max_bytes)
		wanted.MaxBytes = config->max_bytes;
	wanted.MaxAge = config->max_age;
	/* The window cannot be longer than messages live. */
	if (wanted.MaxAge && wanted.Duplicates > wanted.MaxAge)
		wanted.Duplicates = wanted.MaxAge;
	return have(route, js, &wanted);
}

int server_dead_stream(struct route *route, jsCtx *js)
{
	char name[SERVER_NAME_SIZE], subject[SERVER_NAME_SIZE];
	const char *subjects[] = { subject };
	jsStreamConfig wanted;

	server_dead_subject(route, subject);
	server_name(name, sizeof(name), "%s-dead-%s", route->bridge->config->prefix,
		    route->config->subject);
	server_without_dots(name);
	begin(&wanted, route, name, subjects);
	return have(route, js, &wanted);
}

int server_receipt_stream(struct route *route, jsCtx *js)
{
	char name[SERVER_NAME_SIZE], subject[SERVER_NAME_SIZE];
	const char *subjects[] = { subject };
	jsStreamConfig wanted;

	server_name(name, sizeof(name), "%s-receipts", route->bridge->config->prefix);
	server_name(subject, sizeof(subject), "%s.receipt.>", route->bridge->config->prefix);
	begin(&wanted, route, name, subjects);
	wanted.Retention = js_WorkQueuePolicy;
	wanted.Discard = js_DiscardNew;
	return have(route, js, &wanted);
}
