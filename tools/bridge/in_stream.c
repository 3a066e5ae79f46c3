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

/* Of a broadcast, the first message that is not in the mailbox yet. */
static uint64_t first_awaited(const struct in *in)
{
	uint64_t first = in->seen.head->last + 1;
	uint32_t slot;

	for (slot = 0; slot < in->seen.nr; slot++)
		if (in->messages[slot].place == IN_AWAITED &&
		    in->seen.slots[slot].stream_sequence < first)
			first = in->seen.slots[slot].stream_sequence;
	return first;
}

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
	wanted.DeliverPolicy = js_DeliverAll;
	if (config->policy == ROUTE_BROADCAST) {
		wanted.DeliverPolicy = js_DeliverByStartSequence;
		wanted.OptStartSeq = first_awaited(in);
	}
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

/*
 * Whether a consumer whose messages come to one host only goes on where we are. If not, what is on
 * its way to nobody would come late, behind newer messages; from a new one all comes in order.
 */
static bool goes_on(const struct in *in, const jsConsumerInfo *info)
{
	if (info->NumAckPending)
		return false;
	return in->route->config->policy != ROUTE_BROADCAST ||
	       info->Delivered.Stream < first_awaited(in);
}

/* Where a broadcast began for this host, when the memory knows nothing, as after a boot. */
static void remember_last(struct in *in, const jsConsumerInfo *info, uint64_t stream_last)
{
	struct seen_head *head = in->seen.head;
	uint64_t last = stream_last;

	if (in->route->config->policy != ROUTE_BROADCAST || head->last)
		return;
	if (info && !info->NumAckPending)
		last = info->Delivered.Stream;
	else if (info && info->Config->OptStartSeq > info->AckFloor.Stream)
		last = info->Config->OptStartSeq - 1;
	else if (info)
		last = info->AckFloor.Stream;
	head->last = last;
}

static int check_consumer(struct in *in, const jsConsumerInfo *info, const char *name,
			  const char *subject)
{
	if (info->Config->FilterSubject && strcmp(info->Config->FilterSubject, subject)) {
		route_trouble(in->route, ROUTE_REFUSED,
			      "consumer %s is for %s and not %s: remove it, or choose another "
			      "'subject'",
			      name, info->Config->FilterSubject, subject);
		return -EAGAIN;
	}
	if (info->Config->AckPolicy != js_AckExplicit) {
		route_trouble(in->route, ROUTE_REFUSED,
			      "consumer %s does not want each message acknowledged: remove it",
			      name);
		return -EAGAIN;
	}
	return 0;
}

/*
 * @anew: make it so where it does not go on.
 * @stream_last: of a broadcast: the number after which this host is there
 */
static int have_consumer(struct in *in, unsigned int band, bool anew, uint64_t stream_last)
{
	char stream[SERVER_NAME_SIZE], name[SERVER_NAME_SIZE], subject[SERVER_NAME_SIZE];
	jsConsumerInfo *info = NULL;
	natsStatus status;
	jsErrCode code = 0;
	int ret = 0;

	server_stream_name(in->route, stream);
	server_consumer_name(in->route, band, name);
	server_subject(in->route, band, subject);
	status = js_GetConsumerInfo(&info, in->js, stream, name, NULL, &code);
	if (status == NATS_OK)
		ret = check_consumer(in, info, name, subject);
	if (status == NATS_OK || status == NATS_NOT_FOUND)
		remember_last(in, info, stream_last);
	if (status == NATS_OK && !ret && anew && !goes_on(in, info)) {
		jsConsumerInfo_Destroy(info);
		info = NULL;
		status = js_DeleteConsumer(in->js, stream, name, NULL, &code);
		if (status == NATS_OK)
			status = NATS_NOT_FOUND;
	}
	if (status == NATS_NOT_FOUND)
		status = make_consumer(in, stream, name, subject, &info, &code);
	if (status != NATS_OK)
		return trouble(in, name, status, code);

	/* It may have been made by another host, or by hand: what it says counts. */
	if (info->Config->AckWait > 0)
		in->ack_wait = (uint64_t)info->Config->AckWait;
	in->bands[band].lag = info->NumPending;
	jsConsumerInfo_Destroy(info);
	return ret;
}

/* Those that were to come again never will. */
static void miss_awaited(struct in *in, uint64_t before)
{
	uint32_t slot;

	for (slot = 0; slot < in->seen.nr && in->nr_awaited; slot++) {
		if (in->messages[slot].place != IN_AWAITED ||
		    in->seen.slots[slot].stream_sequence >= before)
			continue;
		in->nr_awaited--;
		in_slot_free(in, slot, false);
		atomic_fetch_add(&in->route->missed, 1);
	}
}

void in_count_missed(struct in *in, uint64_t stream_sequence)
{
	struct seen_head *head = in->seen.head;

	if (in->route->config->policy != ROUTE_BROADCAST || stream_sequence <= head->last)
		return;
	miss_awaited(in, stream_sequence);
	if (head->last)
		atomic_fetch_add(&in->route->missed, stream_sequence - head->last - 1);
	head->last = stream_sequence;
}

/* What the stream has dropped while there was no session. */
static void count_missed_before(struct in *in, uint64_t first)
{
	struct seen_head *head = in->seen.head;

	if (in->route->config->policy != ROUTE_BROADCAST || !head->last)
		return;
	pthread_mutex_lock(&in->lock);
	miss_awaited(in, first);
	if (first > head->last + 1) {
		atomic_fetch_add(&in->route->missed, first - head->last - 1);
		head->last = first - 1;
	}
	pthread_mutex_unlock(&in->lock);
}

/* @last: number of the message after which this host is there */
static int check_stream(struct in *in, uint64_t *last)
{
	char stream[SERVER_NAME_SIZE];
	jsStreamInfo *info = NULL;
	natsStatus status;
	jsErrCode code = 0;

	server_stream_name(in->route, stream);
	status = js_GetStreamInfo(&info, in->js, stream, NULL, &code);
	if (status != NATS_OK)
		return trouble(in, stream, status, code);
	*last = info->State.LastSeq;
	if (!seen_stream(&in->seen, stream, info->Created)) {
		log_line(LOG_WARNING,
			 "route '%s': stream %s was made anew; its old messages are forgotten",
			 in->route->config->name, stream);
		*last = 0;
	}
	in->duplicates = info->Config->Duplicates > 0 ? (uint64_t)info->Config->Duplicates : 0;
	if (in->route->config->policy == ROUTE_BROADCAST &&
	    in->seen.head->last > info->State.LastSeq) {
		log_line(LOG_WARNING,
			 "route '%s': stream %s has lost its last messages; their numbers are "
			 "given again",
			 in->route->config->name, stream);
		in->seen.head->last = info->State.LastSeq;
	}
	pthread_mutex_lock(&in->lock);
	in_slots_init(in);
	pthread_mutex_unlock(&in->lock);
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
	const bool anew = in->route->config->policy == ROUTE_BROADCAST;
	uint64_t last = 0;
	unsigned int band;
	int ret = server_stream(in->route, in->js);

	if (!ret)
		ret = check_stream(in, &last);
	for (band = 0; !ret && band < in->nr_bands; band++)
		ret = have_consumer(in, band, anew, last);
	return ret;
}

/**
 * in_consumers_anew() - the turn has begun: what another host had and did not finish comes first
 * @in: a route of policy one, which asks for nothing yet
 *
 * Return: as in_consumers().
 */
int in_consumers_anew(struct in *in)
{
	unsigned int band;
	int ret = 0;

	for (band = 0; !ret && band < in->nr_bands; band++)
		ret = have_consumer(in, band, true, 0);
	return ret;
}
