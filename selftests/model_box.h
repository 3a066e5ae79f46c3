/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SELFTESTS_MODEL_BOX_H
#define SELFTESTS_MODEL_BOX_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <linux/mailbox.h>

/*
 * A mailbox as the contract describes it, in the plainest way: one array in order
 * of arrival and a search from end to end. What it answers is what the module has
 * to answer when nobody waits. Errors are negative errno numbers.
 */

#define MODEL_QUEUE_MAX 256

struct model_message {
	uint64_t sequence;
	uint64_t type;
	uint64_t expiry;
	uint32_t length;
	uint32_t priority;
	uint32_t seed;
	int pid;
};

struct model_box {
	uint32_t capacity;
	uint32_t on_full;
	uint32_t message_size;
	bool fixed_size;
	uint64_t max_messages;
	uint64_t max_bytes;

	struct model_message queue[MODEL_QUEUE_MAX];
	size_t nr;
	uint64_t bytes;
	uint64_t sent;
	uint64_t received;
	uint64_t expired;
	uint64_t overwritten;
};

static inline struct model_message model_remove(struct model_box *box, size_t at)
{
	struct model_message message = box->queue[at];

	memmove(&box->queue[at], &box->queue[at + 1], (box->nr - at - 1) * sizeof(box->queue[0]));
	box->nr--;
	box->bytes -= message.length;
	return message;
}

/* Drop what has expired at the time @now. */
static inline void model_expire(struct model_box *box, uint64_t now)
{
	for (size_t i = box->nr; i-- > 0;) {
		if (box->queue[i].expiry && box->queue[i].expiry <= now) {
			model_remove(box, i);
			box->expired++;
		}
	}
}

static inline bool model_has_room(const struct model_box *box, uint32_t length)
{
	switch (box->capacity) {
	case MAILBOX_CAPACITY_UNBOUNDED:
		return true;
	case MAILBOX_CAPACITY_BOUNDED:
		return box->nr < box->max_messages && box->bytes + length <= box->max_bytes;
	default:
		return false;
	}
}

/* What is wrong with a message, whatever the mailbox holds at the moment. */
static inline int model_check(const struct model_box *box, const struct model_message *message)
{
	if (message->length > box->message_size)
		return -EMSGSIZE;
	if (box->fixed_size && message->length != box->message_size)
		return -EMSGSIZE;
	return 0;
}

/* Send without waiting. Sets the sequence number of @message when it goes in. */
static inline int model_send(struct model_box *box, struct model_message *message)
{
	int ret = model_check(box, message);

	if (ret)
		return ret;
	if (!model_has_room(box, message->length)) {
		if (box->on_full != MAILBOX_ON_FULL_OVERWRITE)
			return -EAGAIN;
		while (!model_has_room(box, message->length)) {
			model_remove(box, 0);
			box->overwritten++;
		}
	}
	message->sequence = ++box->sent;
	box->queue[box->nr++] = *message;
	box->bytes += message->length;
	return 0;
}

/* Is @a received before @b, both of one mailbox? */
static inline bool model_before(const struct model_message *a, const struct model_message *b)
{
	if (a->priority != b->priority)
		return a->priority > b->priority;
	return a->sequence < b->sequence;
}

static inline size_t model_how_many_before(const struct model_box *box, size_t at)
{
	size_t nr = 0;

	for (size_t i = 0; i < box->nr; i++)
		nr += model_before(&box->queue[i], &box->queue[at]);
	return nr;
}

static inline bool model_could_match(const struct model_message *message, uint32_t select,
				     uint64_t match)
{
	switch (select) {
	case MAILBOX_SELECT_TYPE:
		return message->type == match;
	case MAILBOX_SELECT_TYPE_UP_TO:
		return message->type <= match;
	case MAILBOX_SELECT_TYPE_NOT:
		return message->type != match;
	case MAILBOX_SELECT_SENDER:
		return (uint64_t)message->pid == match;
	case MAILBOX_SELECT_PRIORITY:
		return message->priority >= match;
	default:
		return true;
	}
}

/* Where in the array the message is that a receive means, or -1. */
static inline int model_find(const struct model_box *box, uint32_t select, uint64_t match)
{
	int best = -1;

	for (size_t i = 0; i < box->nr; i++) {
		const struct model_message *message = &box->queue[i];

		if (!model_could_match(message, select, match))
			continue;
		if (select == MAILBOX_SELECT_INDEX) {
			if (model_how_many_before(box, i) == match)
				return i;
			continue;
		}
		if (best < 0) {
			best = i;
			continue;
		}
		if (select == MAILBOX_SELECT_TYPE_UP_TO && message->type != box->queue[best].type) {
			if (message->type < box->queue[best].type)
				best = i;
			continue;
		}
		if (model_before(message, &box->queue[best]))
			best = i;
	}
	return best;
}

/*
 * Receive without waiting. @message is what was found, also when it is too long
 * for @room. A sender that exists no more is the caller's business.
 */
static inline int model_receive(struct model_box *box, uint32_t flags, uint32_t room,
				uint32_t select, uint64_t match, struct model_message *message)
{
	int at;

	if (select == MAILBOX_SELECT_INDEX && !(flags & MAILBOX_PEEK))
		return -EINVAL;
	at = model_find(box, select, match);
	if (at < 0)
		return -EAGAIN;
	*message = box->queue[at];
	if (message->length > room && !(flags & MAILBOX_TRUNCATE))
		return -EMSGSIZE;
	if (!(flags & MAILBOX_PEEK)) {
		model_remove(box, at);
		box->received++;
	}
	return 0;
}

#endif /* SELFTESTS_MODEL_BOX_H */
