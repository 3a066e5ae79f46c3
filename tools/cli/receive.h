/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a receive or a peek was asked to do: receive_options.c fills it in, receive.c
 * does it.
 */
#ifndef CLI_RECEIVE_H
#define CLI_RECEIVE_H

#include <mailbox-origin.h>

#include "selection.h"

struct receive_request {
	const struct command *command;
	struct target target;
	int handle;
	struct mailbox_message message;
	struct selection choice;
	bool peek;
	bool subscribe;
	uint32_t open_flags;
	uint32_t flags;
	uint64_t timeout;
	uint64_t deadline;
	uint64_t count;
	bool counts;
	bool all;
	bool follow;
	bool wait;
	bool truncate; /* message.room says to how much */
	bool json;
	bool origin;
	int separator; /* -1: none */
};

/* Takes what a bridge says of a message off its payload. False: it says nothing. */
bool origin_take(struct mailbox_message *message, struct mailbox_origin *origin);
void origin_say(const struct mailbox_origin *origin);
/* As json_from_message(), with a member for it. */
json_t *origin_json(struct mailbox_message message);

int receive_run(struct receive_request *request);

#endif /* CLI_RECEIVE_H */
