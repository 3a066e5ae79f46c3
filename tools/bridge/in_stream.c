// SPDX-License-Identifier: GPL-2.0
/*
 * The stream of a route that receives, and its consumers: made where they are missing, and looked
 * at. What a broadcast has lost is known here, too.
 */
#include <errno.h>
#include <string.h>
#include <syslog.h>

#include "in.h"
#include "log.h"
#include "server.h"

#define MAX_ACK_PENDING 65536
/* Requests that wait, of all hosts. One has about eight. */
#define MAX_WAITING 1024

static natsStatus make_consumer(struct in *in, const char *stream, const char *name,
				const char *subject, jsConsumerInfo **info, jsErrCode *code)
{
	const struct config_route *config = in->route->config;
	jsConsumerConfig wanted;

	jsConsumerConfig_Init(&wanted);
	wanted.Durable = name;
	wanted.FilterSubject = subject;
	wanted.AckPolicy = js_AckExplicit;
	wanted.AckWait = (int64_t)config->ack_wait;
	wanted.MaxDeliver = -1;
	wanted.MaxAckPending = MAX_ACK_PENDING;
	wanted.MaxWaiting = MAX_WAITING;
	/* Of a broadcast, what is published once this host is there. */
	wanted.DeliverPolicy = config->policy == ROUTE_BROADCAST ? js_DeliverNew : js_DeliverAll;
	return js_AddConsumer(info, in->js, stream, &wanted, NULL, code);
}

static int trouble(struct in *in, const char *name, natsStatus status, jsErrCode code)
{
	if (!in_connected(in))
		return -EAGAIN;
	route_trouble(in->route, ROUTE_REFUSED,
		      "consumer %s: %s (error %d of JetStream); see that JetStream is on and this "
		      "user may make and read consumers",
		      name, natsStatus_GetText(status), (int)code);
	return -EAGAIN;
}

static int have_consumer(struct in *in, unsigned int band, const char *stream)
{
	char name[SERVER_NAME_SIZE], subject[SERVER_NAME_SIZE];
	jsConsumerInfo *info = NULL;
	natsStatus status;
	jsErrCode code = 0;
	int ret = 0;

	server_consumer_name(in->route, band, name);
	server_subject(in->route, band, subject);
	status = js_GetConsumerInfo(&info, in->js, stream, name, NULL, &code);
	if (status == NATS_NOT_FOUND)
		status = make_consumer(in, stream, name, subject, &info, &code);
	if (status != NATS_OK)
		return trouble(in, name, status, code);

	if (info->Config->FilterSubject && strcmp(info->Config->FilterSubject, subject)) {
		route_trouble(in->route, ROUTE_REFUSED,
			      "consumer %s is for %s and not %s: remove it, or choose another "
			      "'subject'",
			      name, info->Config->FilterSubject, subject);
		ret = -EAGAIN;
	} else if (info->Config->AckPolicy != js_AckExplicit) {
		route_trouble(in->route, ROUTE_REFUSED,
			      "consumer %s does not want each message acknowledged: remove it",
			      name);
		ret = -EAGAIN;
	}
	/* It may have been made by another host, or by hand: what it says counts. */
	if (info->Config->AckWait > 0)
		in->ack_wait = (uint64_t)info->Config->AckWait;
	in->bands[band].lag = info->NumPending;
	jsConsumerInfo_Destroy(info);
	return ret;
}

/*
 * Of a broadcast, whose stream is all for us: what is left out was dropped. Not so before the first
 * message of a session: it may have come to a bridge that was killed, and come again.
 */
void in_count_missed(struct in *in, uint64_t stream_sequence)
{
	struct seen_head *head = in->seen.head;

	if (in->route->config->policy != ROUTE_BROADCAST || stream_sequence <= head->last)
		return;
	if (in->has_last)
		atomic_fetch_add(&in->route->missed, stream_sequence - head->last - 1);
	in->has_last = true;
	head->last = stream_sequence;
}

/* What the stream has dropped while there was no session. */
static void count_missed_before(struct in *in, uint64_t first)
{
	struct seen_head *head = in->seen.head;

	in->has_last = false;
	if (in->route->config->policy != ROUTE_BROADCAST || !head->last || first <= head->last + 1)
		return;
	atomic_fetch_add(&in->route->missed, first - head->last - 1);
	head->last = first - 1;
}

static int check_stream(struct in *in, const char *stream)
{
	jsStreamInfo *info = NULL;
	natsStatus status;
	jsErrCode code = 0;

	status = js_GetStreamInfo(&info, in->js, stream, NULL, &code);
	if (status != NATS_OK)
		return trouble(in, stream, status, code);
	if (!seen_stream(&in->seen, stream, info->Created))
		log_line(LOG_WARNING,
			 "route '%s': stream %s was made anew; its old messages are forgotten",
			 in->route->config->name, stream);
	count_missed_before(in, info->State.FirstSeq);
	jsStreamInfo_Destroy(info);
	return 0;
}

/**
 * in_consumers() - the stream and consumers of a new session, made where they are missing
 * @in: the route
 *
 * Return: 0; or -EAGAIN, and the route was told, unless the connection is lost.
 */
int in_consumers(struct in *in)
{
	char stream[SERVER_NAME_SIZE];
	unsigned int band;
	int ret = server_stream(in->route, in->js);

	if (ret)
		return ret;
	server_stream_name(in->route, stream);
	ret = check_stream(in, stream);
	pthread_mutex_lock(&in->lock);
	in_slots_init(in);
	pthread_mutex_unlock(&in->lock);
	for (band = 0; !ret && band < in->nr_bands; band++)
		ret = have_consumer(in, band, stream);
	return ret;
}
