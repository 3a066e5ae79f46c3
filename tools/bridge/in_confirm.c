// SPDX-License-Identifier: GPL-2.0
/*
 * How messages end that a route has sent to its mailbox: receipts of the kernel come to a mailbox
 * of the bridge, are noted in the slots, and only then acknowledged there, so that a bridge that
 * is killed gets them again.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "in.h"
#include "log.h"

#define TAKE 64
/* Twice what a route can have in flight, so that it is never full. */
#define CONFIRM_MESSAGES 16384

/* Return: a handle, or a negative errno. @made: it was not there. */
static int open_mailbox(struct in *in, bool *made)
{
	struct mailbox_create create;
	char name[MAILBOX_NAME_SIZE];
	int ret;

	snprintf(name, sizeof(name), "bridge.confirm.%s", in->route->config->name);
	*made = false;
	ret = mailbox_open(in->route->bridge->device, name,
			   MAILBOX_RIGHT_SEND | MAILBOX_RIGHT_RECEIVE, MAILBOX_NONBLOCK);
	if (ret != -ENOENT)
		return ret;
	ret = mailbox_create_init(&create, name);
	if (ret)
		return ret;
	create.flags = MAILBOX_NONBLOCK | MAILBOX_PERMANENT;
	create.rights = MAILBOX_RIGHT_SEND | MAILBOX_RIGHT_RECEIVE;
	create.share = 100;
	create.message_size = sizeof(struct mailbox_receipt);
	create.max_messages = CONFIRM_MESSAGES;
	create.max_bytes = CONFIRM_MESSAGES * sizeof(struct mailbox_receipt);
	*made = true;
	return mailbox_create(in->route->bridge->device, &create);
}

/* Nobody will ever say how these have ended. The server may ask another host. */
static void forget_unknown(struct in *in)
{
	uint32_t slot;

	pthread_mutex_lock(&in->lock);
	for (slot = 0; slot < in->seen.nr; slot++) {
		struct seen_slot *seen = &in->seen.slots[slot];
		struct in_message *message = &in->messages[slot];

		if (message->place != IN_SENT)
			continue;
		if (seen->flags & SEEN_CONFIRM) {
			seen->end = MAILBOX_END_DESTROYED;
			seen->flags |= SEEN_ENDED;
			message->place = IN_ENDED;
			in_list_add(in, &in->ended, slot);
		} else {
			in_slot_done(in, slot);
		}
	}
	pthread_mutex_unlock(&in->lock);
}

int in_confirm_open(struct in *in)
{
	struct epoll_event event = { .events = EPOLLIN };
	bool made;
	int ret;

	if (in->confirm >= 0)
		return 0;
	ret = open_mailbox(in, &made);
	if (ret < 0) {
		route_trouble(in->route, ROUTE_NO_MAILBOX,
			      "cannot have mailbox 'bridge.confirm.%s' for receipts: %s",
			      in->route->config->name, mailbox_strerror(ret));
		return -EAGAIN;
	}
	in->confirm = ret;
	event.data.fd = ret;
	epoll_ctl(in->poll, EPOLL_CTL_ADD, ret, &event);
	if (made)
		forget_unknown(in);
	return 0;
}

void in_confirm_recover(struct in *in)
{
	uint32_t slot;

	for (slot = 0; slot < in->seen.nr; slot++)
		if (in->messages[slot].place == IN_SENT) {
			in_confirm_open(in);
			break;
		}
}

static void note_locked(struct in *in, const struct mailbox_receipt *receipt)
{
	const uint32_t slot = in_slot_find(in, receipt->cookie);
	struct seen_slot *seen = &in->seen.slots[slot == IN_NONE ? 0 : slot];

	/* Numbers of another stream may be the same. */
	if (slot == IN_NONE || in->messages[slot].place != IN_SENT ||
	    seen->mailbox != receipt->mailbox || seen->send.sequence != receipt->sequence)
		return;
	seen->end = receipt->end;
	seen->pid = receipt->pid;
	seen->uid = receipt->uid;
	seen->end_time = receipt->time;
	/* All that it says is there before it says so. */
	atomic_signal_fence(memory_order_seq_cst);
	seen->flags |= SEEN_ENDED;
	in->messages[slot].place = IN_ENDED;
	in_list_add(in, &in->ended, slot);
}

/* Return: whether there may be more. */
static bool take_some(struct in *in)
{
	struct mailbox_message messages[TAKE] = { 0 };
	struct mailbox_receipt receipts[TAKE];
	uint64_t leases[TAKE];
	int i, nr;

	for (i = 0; i < TAKE; i++) {
		messages[i].data = &receipts[i];
		messages[i].room = sizeof(receipts[i]);
	}
	nr = mailbox_receive_batch(in->confirm, messages, TAKE, NULL,
				   MAILBOX_NONBLOCK | MAILBOX_TRUNCATE | MAILBOX_LEASE, 0, NULL);
	if (nr == -EIDRM) {
		close(in->confirm);
		in->confirm = -1;
		in_break(in, "mailbox 'bridge.confirm.%s' was destroyed; it is made again",
			 in->route->config->name);
	}
	if (nr <= 0)
		return false;
	pthread_mutex_lock(&in->lock);
	for (i = 0; i < nr; i++) {
		leases[i] = messages[i].lease;
		/* Others may send there, too. */
		if (messages[i].is_receipt && messages[i].length >= sizeof(receipts[i]))
			note_locked(in, &receipts[i]);
	}
	pthread_mutex_unlock(&in->lock);
	/* One that fails comes again, and is known then. */
	mailbox_ack_batch(in->confirm, leases, (unsigned int)nr, NULL);
	return nr == TAKE;
}

/**
 * in_confirm_take() - note the receipts of the kernel that have come
 * @in: the route
 */
void in_confirm_take(struct in *in)
{
	unsigned int nr = 0;

	while (in->confirm >= 0 && nr++ < IN_BATCH / TAKE && take_some(in))
		;
	if (nr > IN_BATCH / TAKE)
		route_wake(in->route);
}

void in_end(struct in *in, uint32_t slot, unsigned int end)
{
	struct seen_slot *seen = &in->seen.slots[slot];

	pthread_mutex_lock(&in->lock);
	natsMsg_Destroy(in->messages[slot].msg);
	in->messages[slot].msg = NULL;
	seen->end = end;
	seen->pid = 0;
	seen->uid = UINT32_MAX;
	seen->end_time = mailbox_now();
	atomic_signal_fence(memory_order_seq_cst);
	seen->flags |= SEEN_ENDED;
	in->messages[slot].place = IN_ENDED;
	in_list_add(in, &in->ended, slot);
	pthread_mutex_unlock(&in->lock);
}

/* It has ended so that another host, or a later time, should have it again. */
static bool comes_again(const struct seen_slot *seen)
{
	return (seen->flags & SEEN_CONFIRM) &&
	       (seen->end == MAILBOX_END_DROPPED || seen->end == MAILBOX_END_DESTROYED ||
		seen->end == MAILBOX_END_OVERWRITTEN);
}

static void count(struct in *in, const struct seen_slot *seen)
{
	if (seen->end == MAILBOX_END_EXPIRED)
		atomic_fetch_add(&in->route->expired, 1);
	/* Those are in the dead-letter mailbox of this host, and not in the stream for them. */
	if (seen->end == MAILBOX_END_DEAD || seen->end == MAILBOX_END_DROPPED)
		atomic_fetch_add(&in->route->dead, 1);
}

static void settle_locked(struct in *in, uint32_t slot)
{
	struct seen_slot *seen = &in->seen.slots[slot];
	char reply[SEEN_REPLY_SIZE];

	if (!comes_again(seen)) {
		count(in, seen);
		in_slot_done(in, slot);
		return;
	}
	memcpy(reply, seen_reply(seen), sizeof(reply));
	if (seen->end == MAILBOX_END_DROPPED) {
		/* Its payload is with the server only. */
		seen->flags = (seen->flags & ~SEEN_ENDED) | SEEN_DOOMED;
		in->messages[slot].place = IN_DOOMED;
	} else {
		in_slot_free(in, slot, false);
	}
	in_nak(in, reply, IN_NAK_DELAY);
}

static bool is_to_be_told(const struct seen_slot *seen)
{
	return seen->receipt[0] && !(seen->flags & SEEN_TOLD) && !comes_again(seen);
}

/**
 * in_pass_on() - tell other hosts how their messages have ended, and settle those
 * @in: the route
 *
 * The receipt is at the server before the message is acknowledged there, which would forget it.
 */
void in_pass_on(struct in *in)
{
	struct in_list list;
	uint32_t slot;
	int error = 0;

	pthread_mutex_lock(&in->lock);
	list = in->ended;
	pthread_mutex_unlock(&in->lock);
	if (!list.nr || in_now() < in->pause)
		return;

	/* Only this thread adds to the list, and takes from it. */
	for (slot = list.first; !error && slot != IN_NONE; slot = in->messages[slot].next)
		if (is_to_be_told(&in->seen.slots[slot]))
			error = receipts_publish(in->receipts, &in->seen.slots[slot]);
	if (!error)
		error = receipts_flush(in->receipts);
	if (error)
		in->pause = in_now() + IN_PAUSE;
	pthread_mutex_lock(&in->lock);
	while ((slot = in_list_take(in, &in->ended)) != IN_NONE) {
		if (error && is_to_be_told(&in->seen.slots[slot])) {
			/* That and what follows stays for the next time. */
			in_list_add_first(in, &in->ended, slot);
			break;
		}
		in->seen.slots[slot].flags |= SEEN_TOLD;
		settle_locked(in, slot);
	}
	pthread_cond_broadcast(&in->free_changed);
	pthread_mutex_unlock(&in->lock);
}
