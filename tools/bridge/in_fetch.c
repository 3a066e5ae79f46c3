// SPDX-License-Identifier: GPL-2.0
/*
 * Fetching for a route that receives: consumers, and a thread for each band.
 *
 * Each band has its share of the slots, so that none has to wait for another: a flood of low
 * priority, in jobs that take long, leaves the slots of the high ones free.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "in.h"
#include "log.h"
#include "retire.h"
#include "server.h"

#define MAX_ACK_PENDING 65536

void in_break(struct in *in, const char *format, ...)
{
	va_list arguments;

	pthread_mutex_lock(&in->lock);
	if (!in->broken) {
		va_start(arguments, format);
		vsnprintf(in->why, sizeof(in->why), format, arguments);
		va_end(arguments);
	}
	in->broken = true;
	pthread_cond_broadcast(&in->free_changed);
	pthread_mutex_unlock(&in->lock);
	route_wake(in->route);
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
static void count_missed(struct in *in, uint64_t stream_sequence)
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

/* Length of messages lately, of the band where they are longest. */
static uint64_t average(const struct in *in)
{
	uint64_t most = 0;
	unsigned int i;

	for (i = 0; i < in->nr_bands; i++)
		most = most > in->bands[i].average ? most : in->bands[i].average;
	return most;
}

/* Messages that the mailbox has room for, or a negative errno. */
static int64_t room(const struct in *in)
{
	struct mailbox_stat stat;
	uint64_t messages, bytes;
	int ret = mailbox_stat(in->mailbox, &stat);

	if (ret)
		return ret;
	if (stat.capacity != MAILBOX_CAPACITY_BOUNDED || stat.on_full == MAILBOX_ON_FULL_OVERWRITE)
		return INT32_MAX;
	messages = stat.max_messages > stat.messages ? stat.max_messages - stat.messages : 0;
	bytes = stat.max_bytes > stat.bytes ? stat.max_bytes - stat.bytes : 0;
	if (!messages || !bytes)
		return 0;
	/* How long they will be nobody knows: as those before, or as long as can be. */
	bytes /= (in->has_average ? average(in) : stat.message_size) + 1ULL;
	bytes = bytes ? bytes : 1;
	messages = messages < bytes ? messages : bytes;
	return messages < INT32_MAX ? (int64_t)messages : INT32_MAX;
}

static int64_t count_held(const struct in *in)
{
	unsigned int band;
	int64_t held = 0;

	for (band = 0; band < in->nr_bands; band++)
		held += in->bands[band].held.nr;
	return held;
}

/* How many messages more may be held, by slots, and by memory as long as they were lately. */
static unsigned int slots_for(const struct in_band *band)
{
	const struct in *in = band->in;
	const uint64_t most = IN_BYTES / in->nr_bands / (band->average + 1) + 1;
	unsigned int nr = band->used < in->share ? in->share - band->used : 0;

	nr = nr < in->free.nr ? nr : in->free.nr;
	if (band->held.nr >= most)
		return 0;
	return nr < most - band->held.nr ? nr : (unsigned int)(most - band->held.nr);
}

/* As many as the mailbox has room for. Return: 0 where it is full, or is not there any more. */
static unsigned int room_for(struct in *in, unsigned int nr)
{
	int64_t space = room(in);
	const int64_t held = count_held(in);

	in->gone |= space < 0;
	/* Then the route waits for room, and says so. */
	in->full |= !space;
	if (space <= held) {
		route_wake(in->route);
		return 0;
	}
	/* The other bands fetch, too. */
	space = (space - held + in->nr_bands - 1) / in->nr_bands;
	return nr < space ? nr : (unsigned int)space;
}

static void wait_locked(struct in *in, uint64_t time)
{
	const uint64_t end = mailbox_deadline_in(time);
	const struct timespec until = { .tv_sec = end / SECOND, .tv_nsec = end % SECOND };

	pthread_cond_timedwait(&in->free_changed, &in->lock, &until);
}

/* Return: how many may be fetched; 0 at the end of the session. */
static unsigned int wait_for_credit(struct in_band *band)
{
	struct in *in = band->in;
	unsigned int credit = 0;
	bool patient = false;

	pthread_mutex_lock(&in->lock);
	while (!in->quit && !in->gone && !in->broken) {
		if (in->turn_until > mailbox_now() && !in->full)
			credit = slots_for(band);
		if (credit)
			credit = room_for(in, credit);
		/* Many at once cost less; more slots are soon free, unless receivers are slow. */
		if (credit && (patient || credit >= in->share / 4))
			break;
		patient = credit;
		wait_locked(in, credit ? IN_PATIENCE : SECOND);
		credit = 0;
	}
	pthread_mutex_unlock(&in->lock);
	return credit;
}

static void ack_known(struct in *in, const char *reply)
{
	natsConnection_PublishString(in->nats, reply, "+ACK");
	atomic_fetch_add(&in->route->known, 1);
}

/* Delivered again. Return: whether the message is wanted all the same. */
static bool arrive_again(struct in *in, uint32_t slot, const char *reply)
{
	struct in_message *message = &in->messages[slot];

	if (seen_renew(&in->seen.slots[slot], reply, in_now()))
		return false;
	switch (message->place) {
	case IN_DOOMED:
		return true;
	case IN_HELD:
		/* Without a payload it is of an earlier bridge, or session. */
		return !message->msg;
	case IN_TOLD:
		/* The one that was lost, or is late; this one is as good. */
		ack_known(in, reply);
		return false;
	default:
		atomic_fetch_add(&in->route->known, 1);
		return false;
	}
}

/* Return: whether the message was taken over. */
static bool enqueue_locked(struct in_band *band, natsMsg *msg, uint64_t stream_sequence,
			   uint64_t deliveries)
{
	struct in *in = band->in;
	const char *reply = natsMsg_GetReply(msg);
	uint32_t slot = in_slot_find(in, stream_sequence);

	if (slot != IN_NONE) {
		const bool listed = in->messages[slot].place == IN_HELD;

		if (!arrive_again(in, slot, reply))
			return false;
		in->messages[slot].msg = msg;
		in->messages[slot].deliveries = deliveries;
		if (!listed)
			in_list_add(in, &band->held, slot);
		in->messages[slot].place = IN_HELD;
		in->messages[slot].arrived = in_now();
		return true;
	}
	if (deliveries > 1 && in_is_recent(in, stream_sequence)) {
		ack_known(in, reply);
		return false;
	}
	slot = in_slot_take(in, band->index, stream_sequence, reply);
	if (slot == IN_NONE) {
		/* More than was asked for, such as late ones of an earlier fetch. */
		in_nak(in, reply, IN_NAK_DELAY);
		return false;
	}
	in->messages[slot].msg = msg;
	in->messages[slot].deliveries = deliveries;
	in->messages[slot].place = IN_HELD;
	in_list_add(in, &band->held, slot);
	count_missed(in, stream_sequence);
	return true;
}

/* Return: as enqueue_locked(). */
static bool arrive_locked(struct in_band *band, natsMsg *msg)
{
	struct in *in = band->in;
	jsMsgMetaData *meta = NULL;
	bool taken;

	if (natsMsg_GetMetaData(&meta, msg) != NATS_OK)
		return false;
	if (meta->NumDelivered > 1)
		atomic_fetch_add(&in->route->repeated, 1);
	band->lag = meta->NumPending;
	/* Of the last sixteen or so. */
	in->has_average = true;
	if (!band->average)
		band->average = (uint64_t)natsMsg_GetDataLength(msg);
	band->average = (15 * band->average + (uint64_t)natsMsg_GetDataLength(msg) + 15) / 16;
	taken = enqueue_locked(band, msg, meta->Sequence.Stream, meta->NumDelivered);
	jsMsgMetaData_Destroy(meta);
	return taken;
}

static void arrive(struct in_band *band, natsMsgList *list)
{
	struct in *in = band->in;
	uint64_t lag = 0;
	unsigned int i;

	pthread_mutex_lock(&in->lock);
	for (i = 0; i < (unsigned int)list->Count; i++)
		if (arrive_locked(band, list->Msgs[i]))
			list->Msgs[i] = NULL;
	for (i = 0; i < in->nr_bands; i++)
		lag += in->bands[i].lag;
	atomic_store(&in->route->lag, lag);
	pthread_mutex_unlock(&in->lock);
	natsMsgList_Destroy(list);
	route_wake(in->route);
}

static void *fetch(void *data)
{
	struct in_band *band = data;
	struct in *in = band->in;
	unsigned int credit;
	natsMsgList list;
	natsStatus status;

	for (credit = wait_for_credit(band); credit; credit = wait_for_credit(band)) {
		status = natsSubscription_Fetch(&list, band->subscription, (int)credit, IN_FETCH,
						NULL);
		if (status == NATS_OK) {
			arrive(band, &list);
		} else if (status != NATS_TIMEOUT) {
			in_break(in, "fetching from the server: %s; tried again",
				 natsStatus_GetText(status));
			break;
		}
	}
	return NULL;
}

/**
 * in_fetch_start() - subscribe, and start the fetchers
 * @in: the route, with consumers
 *
 * Return: whether all run; where not, in_fetch_stop() is due all the same.
 */
bool in_fetch_start(struct in *in)
{
	char stream[SERVER_NAME_SIZE], name[SERVER_NAME_SIZE], subject[SERVER_NAME_SIZE];
	jsSubOptions options;
	natsStatus status;
	jsErrCode code = 0;
	unsigned int i;

	server_stream_name(in->route, stream);
	for (i = 0; i < in->nr_bands; i++) {
		struct in_band *band = &in->bands[i];

		server_consumer_name(in->route, i, name);
		server_subject(in->route, i, subject);
		jsSubOptions_Init(&options);
		options.Stream = stream;
		options.Consumer = name;
		status = js_PullSubscribe(&band->subscription, in->js, subject, name, NULL,
					  &options, &code);
		if (status != NATS_OK) {
			trouble(in, name, status, code);
			return false;
		}
		if (pthread_create(&band->thread, NULL, fetch, band)) {
			in_break(in, "there can be no thread more; raise TasksMax");
			return false;
		}
		band->has_thread = true;
	}
	return true;
}

/* What came for a fetch that had ended goes back, rather than wait for its time. */
static void give_back_late(struct in_band *band)
{
	uint64_t nr = 0;
	natsMsgList list;
	int i;

	if (natsSubscription_QueuedMsgs(band->subscription, &nr) != NATS_OK || !nr ||
	    natsSubscription_Fetch(&list, band->subscription, (int)nr, 1, NULL) != NATS_OK)
		return;
	for (i = 0; i < list.Count; i++)
		in_nak(band->in, natsMsg_GetReply(list.Msgs[i]), 0);
	natsMsgList_Destroy(&list);
}

/**
 * in_fetch_stop() - end the fetchers
 * @in: the route
 *
 * Takes as long as a fetch that finds nothing.
 */
void in_fetch_stop(struct in *in)
{
	unsigned int i;

	pthread_mutex_lock(&in->lock);
	in->quit = true;
	pthread_cond_broadcast(&in->free_changed);
	pthread_mutex_unlock(&in->lock);
	for (i = 0; i < in->nr_bands; i++) {
		struct in_band *band = &in->bands[i];

		if (band->has_thread)
			pthread_join(band->thread, NULL);
		band->has_thread = false;
		if (band->subscription) {
			give_back_late(band);
			retire(in->nats, band->subscription);
		}
		band->subscription = NULL;
	}
}
