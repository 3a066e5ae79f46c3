/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every call of the interface, for tests of rules that hold for all of them.
 */
#ifndef SELFTESTS_COMMANDS_H
#define SELFTESTS_COMMANDS_H

#include "common.h"

struct command {
	const char *name;
	unsigned long number;
	__u32 size;
	/* Flags that the call takes. */
	__u32 flags;
	bool device;
	bool handle;
};

#define SET_FIELDS \
	(MAILBOX_SET_MODE | MAILBOX_SET_UID | MAILBOX_SET_GID | MAILBOX_SET_PERMANENT | \
	 MAILBOX_SET_ON_FULL | MAILBOX_SET_SHARE | MAILBOX_SET_MESSAGE_SIZE | \
	 MAILBOX_SET_MAX_MESSAGES | MAILBOX_SET_MAX_BYTES)

static const struct command commands[] = {
	{ "INFO", MAILBOX_IOC_INFO, sizeof(struct mailbox_info), 0, true, true },
	{ "CREATE", MAILBOX_IOC_CREATE, sizeof(struct mailbox_create),
	  MAILBOX_NONBLOCK | MAILBOX_PERMANENT | MAILBOX_FIXED_SIZE, true, false },
	{ "OPEN", MAILBOX_IOC_OPEN, sizeof(struct mailbox_open), MAILBOX_NONBLOCK, true, false },
	{ "DESTROY", MAILBOX_IOC_DESTROY, sizeof(struct mailbox_destroy), 0, true, true },
	{ "LIST", MAILBOX_IOC_LIST, sizeof(struct mailbox_list), 0, true, false },
	{ "STAT", MAILBOX_IOC_STAT, sizeof(struct mailbox_stat), 0, false, true },
	{ "SET", MAILBOX_IOC_SET, sizeof(struct mailbox_set), SET_FIELDS, false, true },
	{ "SEND", MAILBOX_IOC_SEND, sizeof(struct mailbox_send),
	  MAILBOX_NONBLOCK | MAILBOX_DEADLINE | MAILBOX_EXPIRES, false, true },
	{ "RECEIVE", MAILBOX_IOC_RECEIVE, sizeof(struct mailbox_receive),
	  MAILBOX_NONBLOCK | MAILBOX_DEADLINE | MAILBOX_PEEK | MAILBOX_TRUNCATE, false, true },
	{ "SEND_BATCH", MAILBOX_IOC_SEND_BATCH, sizeof(struct mailbox_batch),
	  MAILBOX_NONBLOCK | MAILBOX_DEADLINE, false, true },
	{ "RECEIVE_BATCH", MAILBOX_IOC_RECEIVE_BATCH, sizeof(struct mailbox_batch),
	  MAILBOX_NONBLOCK | MAILBOX_DEADLINE, false, true },
};

/* What the pointers of the prepared calls lead to. */
struct payload {
	char data[16];
	struct mailbox_stat stat;
	struct mailbox_send send;
	struct mailbox_receive receive;
};

/*
 * A call that succeeds on a mailbox that holds a message and has room; what is behind
 * the structure is left alone.
 */
static inline void command_prepare(const struct command *command, int fd, bool device,
				   void *argument, struct payload *payload)
{
	struct mailbox_stat stat = box_stat(fd);

	memset(argument, 0, command->size);
	memcpy(argument, &command->size, sizeof(command->size));
	payload->send = send_args(payload->data, sizeof(payload->data));
	payload->send.flags = 0;
	payload->receive = receive_args(payload->data, sizeof(payload->data));
	payload->receive.flags = 0;

	switch (command->number) {
	case MAILBOX_IOC_CREATE:
		*(struct mailbox_create *)argument = create_args();
		break;
	case MAILBOX_IOC_OPEN: {
		struct mailbox_open *args = argument;

		args->id = stat.id;
		args->rights = RIGHTS_ALL;
		break;
	}
	case MAILBOX_IOC_DESTROY:
		if (device)
			((struct mailbox_destroy *)argument)->id = stat.id;
		break;
	case MAILBOX_IOC_LIST: {
		struct mailbox_list *args = argument;

		args->entries = user_pointer(&payload->stat);
		args->entry_size = sizeof(payload->stat);
		args->nr = 1;
		break;
	}
	case MAILBOX_IOC_SEND:
		*(struct mailbox_send *)argument = send_args(payload->data, sizeof(payload->data));
		break;
	case MAILBOX_IOC_RECEIVE:
		*(struct mailbox_receive *)argument =
			receive_args(payload->data, sizeof(payload->data));
		break;
	case MAILBOX_IOC_SEND_BATCH:
	case MAILBOX_IOC_RECEIVE_BATCH: {
		struct mailbox_batch *args = argument;
		bool send = command->number == MAILBOX_IOC_SEND_BATCH;

		args->flags = MAILBOX_NONBLOCK;
		args->entries = send ? user_pointer(&payload->send) :
				       user_pointer(&payload->receive);
		args->entry_size = send ? sizeof(payload->send) : sizeof(payload->receive);
		args->nr = 1;
		break;
	}
	}
}

#endif /* SELFTESTS_COMMANDS_H */
