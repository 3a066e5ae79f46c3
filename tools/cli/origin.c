// SPDX-License-Identifier: GPL-2.0
/*
 * Messages of other hosts: what their bridge says of them, taken off the payload.
 */
#include <ctype.h>
#include <string.h>

#include <mailbox-origin.h>

#include "receive.h"

/* Whoever sent it wrote that; a terminal is not to take orders from there. */
static void show(char *text)
{
	for (; *text; text++)
		if (!isgraph((unsigned char)*text))
			*text = '?';
}

static json_t *json_from_origin(const struct mailbox_origin *origin)
{
	json_t *json = json_object();

	json_object_set_new(json, "host", json_string(origin->host));
	json_object_set_new(json, "pid", json_integer(origin->pid));
	json_object_set_new(json, "tid", json_integer(origin->tid));
	json_object_set_new(json, "uid", json_number(origin->uid));
	json_object_set_new(json, "gid", json_number(origin->gid));
	json_object_set_new(json, "time", json_number(origin->time));
	json_object_set_new(json, "deliveries", json_number(origin->deliveries));
	json_object_set_new(json, "id", json_string(origin->id));
	return json;
}

bool origin_take(struct mailbox_message *message, struct mailbox_origin *origin)
{
	size_t offset, there = message->truncated ? message->room : message->length;

	if (mailbox_origin_parse(message->data, there, origin, &offset))
		return false;
	show(origin->host);
	show(origin->id);
	message->data = (char *)message->data + offset;
	message->length -= offset;
	message->room -= message->room > offset ? offset : message->room;
	return true;
}

void origin_say(const struct mailbox_origin *origin)
{
	if (origin->host[0])
		complain("from process %d of user %u on host %s, as its bridge says",
			 (int)origin->pid, (unsigned int)origin->uid, origin->host);
	else
		complain("from another host; nobody says which");
}

json_t *origin_json(struct mailbox_message message)
{
	struct mailbox_origin origin;
	bool any = origin_take(&message, &origin);
	json_t *json = json_from_message(&message);

	json_object_set_new(json, "origin", any ? json_from_origin(&origin) : json_null());
	return json;
}
