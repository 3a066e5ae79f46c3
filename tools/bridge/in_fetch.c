// SPDX-License-Identifier: GPL-2.0
/*
 * Fetching for a route that receives: a thread for each band.
 *
 * Each band has its share of the slots, so that none has to wait for another: a flood of low
 * priority, in jobs that take long, leaves the slots of the high ones free.
 */
#include <stdarg.h>
#include <stdio.h>

#include "envelope.h"
#include "in.h"

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

static uint64_t count_open(const struct in *in)
{
	unsigned int band;
	uint64_t open = 0;

	for (band = 0; band < in->nr_bands; band++)
		open += in->bands[band].pull.open;
	return open;
}

static uint64_t less(uint64_t nr, uint64_t taken)
{
	return nr > taken ? nr - taken : 0;
}

/* How many messages more may be asked for, by slots, and by memory as long as they were lately. */
static uint64_t slots_for(const struct in_band *band)
{
	const struct in *in = band->in;
	const uint64_t most = IN_BYTES / in->nr_bands / (band->average + 1) + 1;
	/* What is awaited has its slots already, and comes first. */
	uint64_t nr = less(in->share + in->nr_awaited, band->used + band->pull.open);
	const uint64_t free = less(in->free.nr + in->nr_awaited, count_open(in));
	const uint64_t memory = less(most, band->held.nr + band->pull.open);

	nr = nr < free ? nr : free;
	return nr < memory ? nr : memory;
}

/*
 * As many as the mailbox has room for, less what is on its way. One in any case, for a band that has
 * asked for none: others may wait long for what they have asked for.
 * Return: 0 where it is full, or is not there any more.
 */
static uint64_t room_for(struct in_band *band, uint64_t nr)
{
	struct in *in = band->in;
	const int64_t space = room(in), held = count_held(in);
	uint64_t least = !band->pull.open, free;

	in->gone |= space < 0;
	/* Then the route waits for room, and says so. */
	in->full |= !space;
	if (space <= held) {
		route_wake(in->route);
		return 0;
	}
	free = less((uint64_t)(space - held), count_open(in));
	/* The other bands fetch, too. */
	free = (free + in->nr_bands - 1) / in->nr_bands;
	free = free > least ? free : least;
	return nr < free ? nr : free;
}

static void wait_locked(struct in *in, uint64_t time)
{
	const uint64_t end = mailbox_deadline_in(time);
	const struct timespec until = { .tv_sec = end / SECOND, .tv_nsec = end % SECOND };

	pthread_cond_timedwait(&in->free_changed, &in->lock, &until);
}

static bool is_over(const struct in *in)
{
	return in->quit || in->gone || in->broken;
}

/* Messages that are worth a request: with many at once each costs less. */
static unsigned int worth_asking(const struct in *in)
{
	return in->share / 4 ? in->share / 4 : 1;
}

/* How many may be asked for. */
static uint64_t credit_locked(struct in_band *band)
{
	struct in *in = band->in;
	uint64_t credit = 0;

	if (in->turn_until > mailbox_now() && !in->full)
		credit = slots_for(band);
	/* While some are to come anyway the mailbox is not looked at for a few. */
	if (credit < worth_asking(in) && band->pull.open)
		return 0;
	return credit ? room_for(band, credit) : 0;
}

/* Ask for what there is room for, or wait for room. Return: whether the session goes on. */
static bool keep_asking(struct in_band *band)
{
	struct in *in = band->in;
	uint64_t credit = 0;
	bool patient = false, over;

	pthread_mutex_lock(&in->lock);
	while (!(over = is_over(in))) {
		credit = credit_locked(band);
		/* More slots are about to be free, unless receivers are slow. */
		if (credit >= worth_asking(in) || (credit && patient) || band->pull.open)
			break;
		patient = credit;
		wait_locked(in, credit ? IN_PATIENCE : SECOND);
	}
	if (over || (band->pull.open && credit < worth_asking(in)))
		credit = 0;
	band->pull.open += credit;
	pthread_mutex_unlock(&in->lock);
	return credit ? in_pull_ask(band, (unsigned int)credit) : !over;
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
	case IN_AWAITED:
		in->nr_awaited--;
		return true;
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

/* Within the duplicate window. */
static bool is_known_id(const struct in *in, uint64_t hash)
{
	const uint64_t now = in_now();

	return seen_remembers_id(&in->seen, hash, now > in->duplicates ? now - in->duplicates : 0);
}

/* Of a message that has no slot. A broadcast forgets none before it was sent. */
static bool is_known(const struct in *in, const struct seen_message *message)
{
	const bool broadcast = in->route->config->policy == ROUTE_BROADCAST;

	return is_known_id(in, message->hash) ||
	       (broadcast ? message->sequence <= in->seen.head->last :
			    seen_remembers(&in->seen, message));
}

/* Return: whether the message was taken over. */
static bool enqueue_locked(struct in_band *band, natsMsg *msg, const jsMsgMetaData *meta)
{
	struct in *in = band->in;
	const char *reply = natsMsg_GetReply(msg);
	const struct seen_message message = {
		.sequence = meta->Sequence.Stream,
		.stored = meta->Timestamp,
		.hash = in_hash_id(envelope_header(msg, HEADER_ID)),
	};
	uint32_t slot = in_slot_find(in, message.sequence);

	if (slot != IN_NONE) {
		const bool listed = in->messages[slot].place == IN_HELD;

		if (!arrive_again(in, slot, reply))
			return false;
		in->messages[slot].msg = msg;
		in->messages[slot].deliveries = meta->NumDelivered;
		if (!listed)
			in_list_add(in, &band->held, slot);
		in->messages[slot].place = IN_HELD;
		in->messages[slot].arrived = in_now();
		return true;
	}
	if (is_known(in, &message)) {
		in_count_missed(in, message.sequence);
		ack_known(in, reply);
		return false;
	}
	slot = in_slot_take(in, band->index, &message, reply);
	if (slot == IN_NONE && in->route->config->policy == ROUTE_BROADCAST) {
		/* Nothing may be left out that comes later. */
		snprintf(in->why, sizeof(in->why), "more came than was asked for; asked again");
		in->broken = true;
		return false;
	}
	if (slot == IN_NONE) {
		/* More than was asked for, such as late ones of an earlier fetch. */
		in_nak(in, reply, IN_NAK_DELAY);
		return false;
	}
	in->messages[slot].msg = msg;
	in->messages[slot].deliveries = meta->NumDelivered;
	in->messages[slot].place = IN_HELD;
	in_list_add(in, &band->held, slot);
	in_count_missed(in, message.sequence);
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
	taken = enqueue_locked(band, msg, meta);
	jsMsgMetaData_Destroy(meta);
	return taken;
}

static void arrive(struct in_band *band, natsMsg **msgs, unsigned int nr)
{
	struct in *in = band->in;
	uint64_t lag = 0;
	unsigned int i;

	pthread_mutex_lock(&in->lock);
	in_pull_forget(band, nr);
	for (i = 0; i < nr; i++)
		if (arrive_locked(band, msgs[i]))
			msgs[i] = NULL;
	for (i = 0; i < in->nr_bands; i++)
		lag += in->bands[i].lag;
	atomic_store(&in->route->lag, lag);
	pthread_mutex_unlock(&in->lock);
	for (i = 0; i < nr; i++)
		natsMsg_Destroy(msgs[i]);
	route_wake(in->route);
}

static void *fetch(void *data)
{
	struct in_band *band = data;
	natsMsg *msgs[IN_PULL_BATCH];
	unsigned int nr;

	while (keep_asking(band)) {
		nr = in_pull_take(band, msgs);
		if (nr)
			arrive(band, msgs, nr);
	}
	return NULL;
}

/**
 * in_fetch_start() - start the fetchers
 * @in: the route, with consumers
 *
 * Return: whether all run; where not, in_fetch_stop() is due all the same.
 */
bool in_fetch_start(struct in *in)
{
	unsigned int i;

	for (i = 0; i < in->nr_bands; i++) {
		struct in_band *band = &in->bands[i];

		if (!in_pull_start(band))
			return false;
		if (pthread_create(&band->thread, NULL, fetch, band)) {
			in_break(in, "there can be no thread more; raise TasksMax");
			return false;
		}
		band->has_thread = true;
	}
	return true;
}

/**
 * in_fetch_stop() - end the fetchers
 * @in: the route
 */
void in_fetch_stop(struct in *in)
{
	unsigned int i;

	pthread_mutex_lock(&in->lock);
	in->quit = true;
	pthread_cond_broadcast(&in->free_changed);
	pthread_mutex_unlock(&in->lock);
	for (i = 0; i < in->nr_bands; i++)
		in_pull_end(&in->bands[i]);
	for (i = 0; i < in->nr_bands; i++) {
		struct in_band *band = &in->bands[i];

		if (band->has_thread)
			pthread_join(band->thread, NULL);
		band->has_thread = false;
		in_pull_stop(band);
	}
}
