// SPDX-License-Identifier: GPL-2.0
/*
 * Sending for a route that receives: what is held goes to the mailbox, highest band first.
 */
#include <errno.h>
#include <mailbox-origin.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "envelope.h"
#include "in.h"

_Static_assert(sizeof(((struct envelope *)0)->id) == SEEN_ID_SIZE, "copied as a whole");
_Static_assert(sizeof(((struct envelope *)0)->receipt) == SEEN_RECEIPT_SIZE, "likewise");

/* In hand: nobody else takes it, or frees its slot. */
static uint32_t take_held(struct in *in)
{
	uint32_t slot = IN_NONE;
	unsigned int band;

	pthread_mutex_lock(&in->lock);
	for (band = in->nr_bands; band-- && slot == IN_NONE;)
		slot = in_list_take(in, &in->bands[band].held);
	if (slot != IN_NONE)
		in->messages[slot].place = IN_SENDING;
	pthread_mutex_unlock(&in->lock);
	return slot;
}

static void put_back(struct in *in, uint32_t slot)
{
	pthread_mutex_lock(&in->lock);
	in->messages[slot].place = IN_HELD;
	in_list_add_first(in, &in_slot_band(in, slot)->held, slot);
	pthread_mutex_unlock(&in->lock);
}

static void done(struct in *in, uint32_t slot, enum in_place place)
{
	struct in_message *message = &in->messages[slot];

	pthread_mutex_lock(&in->lock);
	natsMsg_Destroy(message->msg);
	message->msg = NULL;
	if (place == IN_DONE)
		in_slot_done(in, slot);
	else
		message->place = place;
	pthread_mutex_unlock(&in->lock);
}

/**
 * in_nak() - give a message back to the server
 * @in: the route
 * @reply: where the server wants to be told
 * @delay: nanoseconds until it is delivered again
 */
void in_nak(struct in *in, const char *reply, uint64_t delay)
{
	char text[64] = "-NAK";

	if (delay)
		snprintf(text, sizeof(text), "-NAK {\"delay\": %llu}", (unsigned long long)delay);
	natsConnection_PublishString(in->nats, reply, text);
}

/* The slot goes first: whoever gives back twice has it delivered twice. */
static void give_back_locked(struct in *in, uint32_t slot, uint64_t delay)
{
	char reply[SEEN_REPLY_SIZE];
	const bool ours = in_is_ours(in, slot);

	memcpy(reply, seen_reply(&in->seen.slots[slot]), sizeof(reply));
	in_slot_free(in, slot, false);
	/* Otherwise the server has given it to another already, or is about to. */
	if (ours)
		in_nak(in, reply, delay);
}

/* How long one may be held: not so long that another may have it. */
static uint64_t hold(const struct in *in)
{
	const uint64_t hold = in->route->config->hold;

	return hold < in->ack_wait / 2 ? hold : in->ack_wait / 2;
}

void in_give_back(struct in *in, bool all)
{
	const uint64_t now = in_now();
	/* Otherwise what is held is about to be sent, however long this process had to wait. */
	const bool waits = in->full || now < in->pause;
	unsigned int band;
	bool any = false;
	uint32_t slot;

	/* To nobody: what a broadcast has for this host comes to it again, in order. */
	if (in->route->config->policy == ROUTE_BROADCAST)
		return;
	pthread_mutex_lock(&in->lock);
	for (band = 0; band < in->nr_bands; band++) {
		struct in_list *held = &in->bands[band].held;

		/* In order of arrival, but for those that were put back in front. */
		while (held->first != IN_NONE) {
			const struct in_message *message = &in->messages[held->first];

			if (!all && message->msg &&
			    (in->keeps_order || !waits || now - message->arrived < hold(in)))
				break;
			slot = in_list_take(in, held);
			give_back_locked(in, slot, all || !message->msg ? 0 : IN_NAK_DELAY);
			any = true;
		}
	}
	if (any)
		pthread_cond_broadcast(&in->free_changed);
	pthread_mutex_unlock(&in->lock);
}

/* Return: at least @size bytes, or NULL. */
static void *have_room(struct in *in, size_t size)
{
	if (size > in->room_size) {
		free(in->room);
		in->room_size = 0;
		in->room = malloc(size);
		if (in->room)
			in->room_size = size;
	}
	return in->room;
}

static int with_origin(struct in *in, const struct envelope *envelope, uint64_t deliveries,
		       const natsMsg *msg, struct mailbox_send *send)
{
	const size_t length = (size_t)natsMsg_GetDataLength(msg);
	struct mailbox_origin *origin = have_room(in, sizeof(*origin) + length);
	const uint64_t before = envelope->deliveries + deliveries - 1;

	if (!origin)
		return -ENOMEM;
	memset(origin, 0, sizeof(*origin));
	origin->magic = MAILBOX_ORIGIN_MAGIC;
	origin->version = MAILBOX_ORIGIN_VERSION;
	origin->size = sizeof(*origin);
	origin->deliveries = before < UINT32_MAX ? (uint32_t)before : UINT32_MAX;
	origin->uid = UINT32_MAX;
	origin->gid = UINT32_MAX;
	if (envelope->host[0]) {
		origin->time = envelope->time;
		origin->pid = envelope->pid;
		origin->tid = envelope->tid;
		origin->uid = envelope->uid;
		origin->gid = envelope->gid;
	}
	memcpy(origin->host, envelope->host, sizeof(origin->host) - 1);
	memcpy(origin->id, envelope->id, sizeof(origin->id) - 1);
	memcpy(origin + 1, natsMsg_GetData(msg), length);
	send->data = (uintptr_t)origin;
	send->length = sizeof(*origin) + length;
	return 0;
}

/* What the kernel is given. It lies in the slot, where the kernel writes the number, too. */
static int fill_in(struct in *in, uint32_t slot, const struct envelope *envelope)
{
	const struct in_message *message = &in->messages[slot];
	struct seen_slot *seen = &in->seen.slots[slot];
	struct mailbox_send *send = &seen->send;

	send->size = sizeof(*send);
	send->flags = MAILBOX_NONBLOCK;
	send->data = (uintptr_t)natsMsg_GetData(message->msg);
	send->length = (uint32_t)natsMsg_GetDataLength(message->msg);
	send->type = envelope->type;
	send->priority = envelope->priority;
	if (send->priority > MAILBOX_PRIORITY_MAX)
		send->priority = MAILBOX_PRIORITY_MAX;
	if (envelope->expiry) {
		send->flags |= MAILBOX_EXPIRES;
		send->expiry = envelope->expiry;
	}
	if (seen->flags & SEEN_WAITS) {
		send->flags |= MAILBOX_RECEIPT;
		send->receipt = in->confirm;
		send->cookie = seen->stream_sequence;
	}
	if (in->route->config->origin)
		return with_origin(in, envelope, message->deliveries, message->msg, send);
	return 0;
}

/* Before it is sent: what becomes of it then must not depend on this process. */
static int note(struct in *in, uint32_t slot, const struct envelope *envelope)
{
	struct seen_slot *seen = &in->seen.slots[slot];
	uint32_t flags = seen->flags;

	if (in->route->config->confirm == CONFIRM_ACKNOWLEDGED)
		flags |= SEEN_WAITS | SEEN_CONFIRM;
	if (envelope_is_receipt(envelope->receipt)) {
		memcpy(seen->receipt, envelope->receipt, sizeof(seen->receipt));
		memcpy(seen->id, envelope->id, sizeof(seen->id));
		flags |= SEEN_WAITS;
	}
	seen->mailbox = in->mailbox_id;
	seen->flags = flags;
	return flags & SEEN_WAITS ? in_confirm_open(in) : 0;
}

static int send_message(struct in *in, uint32_t slot, const struct envelope *envelope)
{
	int ret = note(in, slot, envelope);

	if (!ret)
		ret = fill_in(in, slot, envelope);
	if (!ret && ioctl(in->mailbox, MAILBOX_IOC_SEND, &in->seen.slots[slot].send))
		ret = -errno;
	return ret;
}

/* Return: whether to go on. */
static bool bury(struct in *in, uint32_t slot, const char *reason)
{
	if (in_dead_letter(in, slot, reason)) {
		put_back(in, slot);
		in->pause = in_now() + IN_PAUSE;
		return false;
	}
	atomic_fetch_add(&in->route->dead, 1);
	done(in, slot, IN_DONE);
	return true;
}

/* Not now. Return: false. */
static bool refuse(struct in *in, uint32_t slot, int error)
{
	put_back(in, slot);
	pthread_mutex_lock(&in->lock);
	if (error == -EIDRM || error == -ENOENT || error == -EBADF)
		in->gone = true;
	else
		in->full = true;
	pthread_mutex_unlock(&in->lock);
	if (error != -EAGAIN && error != -EIDRM && error != -ENOENT && error != -EBADF)
		route_trouble(in->route, ROUTE_FULL,
			      "mailbox '%s' refuses a message: %s; tried again",
			      in->route->config->mailbox, mailbox_strerror(error));
	return false;
}

/* Return: whether to go on with the next. */
static bool send_one(struct in *in, uint32_t slot)
{
	const struct config_route *config = in->route->config;
	struct in_message *message = &in->messages[slot];
	struct seen_slot *seen = &in->seen.slots[slot];
	struct envelope envelope;
	int ret;

	if (seen->flags & SEEN_DOOMED)
		return bury(in, slot, "dropped: it was delivered too often on the host");
	if (config->max_deliveries && message->deliveries > config->max_deliveries)
		return bury(in, slot, "delivered too often");

	envelope_open(&envelope, message->msg);
	ret = send_message(in, slot, &envelope);
	switch (ret) {
	case 0:
		in->nr_sent++;
		if (!(seen->flags & SEEN_WAITS))
			done(in, slot, IN_DONE);
		else
			done(in, slot, IN_SENT);
		return true;
	case -ETIMEDOUT:
		in_end(in, slot, MAILBOX_END_EXPIRED);
		return true;
	case -EMSGSIZE:
		return bury(in, slot, "does not fit the mailbox");
	default:
		return refuse(in, slot, ret);
	}
}

/* One of an earlier bridge, or one that another host may have by now. */
static bool is_lost(struct in *in, uint32_t slot)
{
	if (in->route->config->policy == ROUTE_BROADCAST)
		return false;
	if (!in->messages[slot].msg)
		return true;
	if (in->keeps_order)
		return !in_is_ours(in, slot);
	return in_now() - in->messages[slot].arrived >= in->ack_wait / 2;
}

bool in_send_some(struct in *in)
{
	unsigned int nr;
	uint32_t slot;

	if (in_now() < in->pause)
		return true;
	for (nr = 0; nr < IN_BATCH && !in->full; nr++) {
		if (in->turn && mailbox_now() >= in->turn_until)
			break;
		slot = take_held(in);
		if (slot == IN_NONE)
			break;
		if (is_lost(in, slot)) {
			pthread_mutex_lock(&in->lock);
			give_back_locked(in, slot, 0);
			pthread_mutex_unlock(&in->lock);
			continue;
		}
		if (!send_one(in, slot))
			break;
	}
	if (nr) {
		pthread_mutex_lock(&in->lock);
		pthread_cond_broadcast(&in->free_changed);
		pthread_mutex_unlock(&in->lock);
	}
	return !in->gone;
}
