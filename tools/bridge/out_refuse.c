// SPDX-License-Identifier: GPL-2.0
/*
 * What it means that the server does not take a message, and what to do about it.
 */
#include <string.h>

#include "out.h"

/* The store says by its words alone which limit of the stream it was. */
static void store_failed(struct route *route, const char *stream, const char *text)
{
	if (strstr(text, "maximum"))
		route_trouble(
			route, ROUTE_REFUSED,
			"stream %s is full (%s): it goes on when messages are received from it; "
			"or raise its limits",
			stream, text);
	else
		route_trouble(
			route, ROUTE_REFUSED,
			"the server cannot store in stream %s (%s): make room where it keeps its "
			"files",
			stream, text);
}

static void refused_by_stream(struct route *route, const struct refusal *refusal)
{
	char stream[SERVER_NAME_SIZE];

	server_stream_name(route, stream);
	switch (refusal->code) {
	case JSStreamStoreFailedErr:
		store_failed(route, stream, refusal->text);
		break;
	case JSInsufficientResourcesErr:
	case JSStorageResourcesExceededErr:
	case JSMemoryResourcesExceededErr:
	case JSAccountResourcesExceededErr:
	case JSNoLimitsErr:
		route_trouble(
			route, ROUTE_REFUSED,
			"the server has no more room for stream %s (%s): raise max_file_store or "
			"max_mem of JetStream, or the limits of the account",
			stream, refusal->text);
		break;
	case JSClusterNotAvailErr:
	case JSClusterNotLeaderErr:
	case JSClusterNoPeersErr:
	case JSStreamOfflineErr:
		route_trouble(
			route, ROUTE_REFUSED,
			"stream %s has no leader (%s): it goes on when enough of its servers run",
			stream, refusal->text);
		break;
	case JSStreamSealedErr:
		route_trouble(route, ROUTE_REFUSED,
			      "stream %s is sealed: remove it, and it is made again", stream);
		break;
	default:
		route_trouble(
			route, ROUTE_REFUSED,
			"stream %s does not take a message (%s, error %d): look at the log of "
			"the server",
			stream, refusal->text, refusal->code);
	}
}

void out_refused(struct out *out, const struct refusal *refusal)
{
	struct route *route = out->route;

	switch (refusal->status) {
	case NATS_NO_RESPONDERS:
		/* Perhaps it was removed: then it is made again. */
		out->stream_known = false;
		route_trouble(
			route, ROUTE_REFUSED,
			"nobody at the server takes %s: it needs JetStream, and a stream of that "
			"subject",
			out->subjects[0]);
		break;
	case NATS_NO_SERVER_SUPPORT:
		route_trouble(route, ROUTE_REFUSED,
			      "the server knows no headers: it has to be of version 2.2 or later");
		break;
	case NATS_NO_MEMORY:
		route_trouble(route, ROUTE_REFUSED, "there is no memory to publish messages");
		break;
	case NATS_ERR:
		refused_by_stream(route, refusal);
		break;
	default:
		route_trouble(route, ROUTE_REFUSED, "cannot publish under %s: %s", out->subjects[0],
			      refusal->text);
	}
}
