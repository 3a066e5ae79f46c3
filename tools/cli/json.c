// SPDX-License-Identifier: GPL-2.0
/*
 * JSON for other programs. The names are those of the kernel's structures.
 */
#include <arpa/nameser.h>
#include <errno.h>
#include <resolv.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

static json_t *json_base64(const void *data, size_t length)
{
	size_t room = (length + 2) / 3 * 4 + 1;
	char *text = malloc(room);
	json_t *json = NULL;

	if (text && b64_ntop(data, length, text, room) >= 0)
		json = json_string(text);
	free(text);
	return json;
}

/* JSON has text only: other bytes go as base64, and a member beside it says which it is. */
static void json_set_bytes(json_t *object, const char *key, const void *data, size_t length)
{
	json_t *text = json_stringn(length ? data : "", length);
	char which[32];

	snprintf(which, sizeof(which), "%s_encoding", key);
	json_object_set_new(object, which, json_string(text ? "utf-8" : "base64"));
	json_object_set_new(object, key, text ? text : json_base64(data, length));
}

/* The library's integers have a sign; what does not fit goes as a string of digits. */
json_t *json_number(uint64_t value)
{
	char text[24];

	if (value <= INT64_MAX)
		return json_integer(value);

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	return json_string(text);
}

static json_t *json_word(const char *const *words, uint32_t index)
{
	const char *word = word_of(words, index);

	return word ? json_string(word) : json_integer(index);
}

static json_t *json_rights(uint32_t rights)
{
	json_t *array = json_array();

	if (rights & MAILBOX_RIGHT_SEND)
		json_array_append_new(array, json_string("send"));
	if (rights & MAILBOX_RIGHT_RECEIVE)
		json_array_append_new(array, json_string("receive"));
	if (rights & MAILBOX_RIGHT_MANAGE)
		json_array_append_new(array, json_string("manage"));
	return array;
}

json_t *json_from_answer(const struct mailbox_message *answer, uint64_t sequence)
{
	json_t *object = json_pack("{s:o, s:o, s:I, s:i, s:i, s:I, s:I}", "sequence",
				   json_number(sequence), "type", json_number(answer->type),
				   "length", (json_int_t)answer->length, "pid", answer->pid, "tid",
				   answer->tid, "uid", (json_int_t)answer->uid, "gid",
				   (json_int_t)answer->gid);

	if (object)
		json_set_bytes(object, "payload", answer->data, answer->length);
	return object;
}

json_t *json_from_message(const struct mailbox_message *message)
{
	json_t *json = json_object();
	size_t there = message->truncated ? message->room : message->length;

	json_object_set_new(json, "sequence", json_number(message->sequence));
	json_object_set_new(json, "type", json_number(message->type));
	json_object_set_new(json, "priority", json_number(message->priority));
	json_object_set_new(json, "length", json_number(message->length));
	json_object_set_new(json, "time", json_number(message->time));
	json_object_set_new(json, "expiry", json_number(message->expiry));
	json_object_set_new(json, "pid", json_integer(message->pid));
	json_object_set_new(json, "tid", json_integer(message->tid));
	json_object_set_new(json, "uid", json_number(message->uid));
	json_object_set_new(json, "gid", json_number(message->gid));
	json_object_set_new(json, "deliveries", json_number(message->deliveries));
	json_object_set_new(json, "missed", json_number(message->missed));
	json_object_set_new(json, "truncated", json_boolean(message->truncated));
	json_set_bytes(json, "payload", message->data, there);
	if (message->is_receipt && there == sizeof(struct mailbox_receipt))
		json_object_set_new(json, "receipt", json_from_receipt(message->data));
	return json;
}

json_t *json_from_receipt(const void *data)
{
	struct mailbox_receipt receipt;
	json_t *json = json_object();

	memcpy(&receipt, data, sizeof(receipt));
	json_object_set_new(json, "end", json_word(end_words, receipt.end));
	json_object_set_new(json, "mailbox", json_number(receipt.mailbox));
	json_object_set_new(json, "sequence", json_number(receipt.sequence));
	json_object_set_new(json, "cookie", json_number(receipt.cookie));
	json_object_set_new(json, "time", json_number(receipt.time));
	json_object_set_new(json, "pid", json_integer(receipt.pid));
	json_object_set_new(json, "tid", json_integer(receipt.tid));
	json_object_set_new(json, "uid", json_number(receipt.uid));
	json_object_set_new(json, "gid", json_number(receipt.gid));
	json_object_set_new(json, "deliveries", json_number(receipt.deliveries));
	json_object_set_new(json, "copies", json_number(receipt.copies));
	return json;
}

json_t *json_from_stat(const struct mailbox_stat *stat)
{
	json_t *json = json_object();
	char mode[16];

	snprintf(mode, sizeof(mode), "%04o", stat->mode);

	json_object_set_new(json, "id", json_number(stat->id));
	json_set_bytes(json, "name", stat->name, strnlen(stat->name, sizeof(stat->name)));
	json_object_set_new(json, "uid", json_number(stat->uid));
	json_object_set_new(json, "gid", json_number(stat->gid));
	json_object_set_new(json, "creator_uid", json_number(stat->creator_uid));
	json_object_set_new(json, "creator_gid", json_number(stat->creator_gid));
	json_object_set_new(json, "mode", json_string(mode));
	json_object_set_new(json, "rights", json_rights(stat->rights));
	json_object_set_new(json, "permanent", json_boolean(stat->flags & MAILBOX_PERMANENT));
	json_object_set_new(json, "fixed_size", json_boolean(stat->flags & MAILBOX_FIXED_SIZE));
	json_object_set_new(json, "policy", json_word(policy_words, stat->policy));
	json_object_set_new(json, "capacity", json_word(capacity_words, stat->capacity));
	json_object_set_new(json, "on_full", json_word(on_full_words, stat->on_full));
	json_object_set_new(json, "share", json_number(stat->share));
	json_object_set_new(json, "message_size", json_number(stat->message_size));
	json_object_set_new(json, "max_messages", json_number(stat->max_messages));
	json_object_set_new(json, "max_bytes", json_number(stat->max_bytes));
	json_object_set_new(json, "messages", json_number(stat->messages));
	json_object_set_new(json, "bytes", json_number(stat->bytes));
	json_object_set_new(json, "handles", json_number(stat->handles));
	json_object_set_new(json, "subscribers", json_number(stat->subscribers));
	json_object_set_new(json, "receivers", json_number(stat->receivers));
	json_object_set_new(json, "senders", json_number(stat->senders));
	json_object_set_new(json, "sent", json_number(stat->sent));
	json_object_set_new(json, "received", json_number(stat->received));
	json_object_set_new(json, "expired", json_number(stat->expired));
	json_object_set_new(json, "overwritten", json_number(stat->overwritten));
	json_object_set_new(json, "leased", json_number(stat->leased));
	json_object_set_new(json, "promised", json_number(stat->promised));
	json_object_set_new(json, "redelivered", json_number(stat->redelivered));
	json_object_set_new(json, "dead", json_number(stat->dead));
	json_object_set_new(json, "dropped", json_number(stat->dropped));
	json_object_set_new(json, "max_deliveries", json_number(stat->max_deliveries));
	json_object_set_new(json, "dead_letter", json_number(stat->dead_letter));
	json_object_set_new(json, "region_size", json_number(stat->region_size));
	json_object_set_new(json, "maps", json_number(stat->maps));
	json_object_set_new(json, "loaned", json_number(stat->loaned));
	json_object_set_new(json, "loans", json_number(stat->loans));
	json_object_set_new(json, "lanes", json_number(stat->lanes));
	json_object_set_new(json, "created", json_number(stat->created));
	json_object_set_new(json, "changed", json_number(stat->changed));
	json_object_set_new(json, "last_sent", json_number(stat->last_sent));
	json_object_set_new(json, "last_received", json_number(stat->last_received));
	json_object_set_new(json, "last_sender", json_integer(stat->last_sender));
	json_object_set_new(json, "last_receiver", json_integer(stat->last_receiver));
	json_object_set_new(json, "last_mapped", json_number(stat->last_mapped));
	json_object_set_new(json, "last_unmapped", json_number(stat->last_unmapped));
	json_object_set_new(json, "last_mapper", json_integer(stat->last_mapper));
	return json;
}

bool json_output(json_t *json)
{
	/* What a sender wrote must not drive the terminal of who looks at it. */
	size_t flags = isatty(STDOUT_FILENO) ? JSON_ENSURE_ASCII : 0;
	int ret;

	if (!json) {
		errno = ENOMEM;
		return false;
	}
	ret = json_dumpf(json, stdout, JSON_COMPACT | flags);
	json_decref(json);
	putchar('\n');
	return !ret && !fflush(stdout) && !ferror(stdout);
}
