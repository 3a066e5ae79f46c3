// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Sending and receiving one message.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

/* Most messages are small; a larger one costs one more entry into the kernel, once. */
#define FIRST_ROOM 4096

int mbx_message_to_send(const struct mailbox_message *message, struct mailbox_send *send)
{
	/* The kernel's length has 32 bits: what is longer must not be cut on the way. */
	if (message->length > UINT32_MAX)
		return -EMSGSIZE;

	memset(send, 0, sizeof(*send));
	send->size = sizeof(*send);
	send->data = mbx_address(message->data);
	send->length = message->length;
	send->priority = message->priority;
	send->type = message->type;
	if (message->expiry) {
		send->flags = MAILBOX_EXPIRES;
		send->expiry = message->expiry;
	}
	return 0;
}

/* A message without any goes without the flag. */
void mbx_message_add_files(const struct mailbox_message *message, uint32_t flags,
			   struct mailbox_send *send)
{
	/* A program that does not know the flag has no such members. */
	if (!(flags & MAILBOX_FILES) || !message->nr_files)
		return;
	send->flags |= MAILBOX_FILES;
	send->files = mbx_address(message->files);
	send->nr_files = message->nr_files;
}

void mbx_message_to_receive(const struct mailbox_message *message,
			    const struct mailbox_selection *selection, uint32_t flags,
			    struct mailbox_receive *receive)
{
	memset(receive, 0, sizeof(*receive));
	receive->size = sizeof(*receive);
	receive->flags = flags;
	/* Without the flag it stays 0, so that a module without leases takes it too. */
	if (flags & MAILBOX_LEASE)
		receive->lease = message->lease_time;
	receive->data = mbx_address(message->data);
	receive->room = message->room < UINT32_MAX ? message->room : UINT32_MAX;
	if (flags & MAILBOX_FILES) {
		receive->files = mbx_address(message->files);
		receive->nr_files = message->max_files;
	}
	if (flags & MAILBOX_LOAN)
		receive->give_back = message->loan;
	if (selection) {
		receive->select = selection->select;
		receive->match = selection->match;
	}
}

void mbx_message_from_receive(struct mailbox_message *message,
			      const struct mailbox_receive *receive)
{
	message->length = receive->length;
	message->type = receive->type;
	message->priority = receive->priority;
	message->truncated = !!(receive->result & MAILBOX_TRUNCATED);
	message->expiry = receive->expiry;
	message->sequence = receive->sequence;
	message->time = receive->time;
	message->pid = receive->pid;
	message->tid = receive->tid;
	message->uid = receive->uid;
	message->gid = receive->gid;
	message->lease = receive->flags & (MAILBOX_LEASE | MAILBOX_ANSWER) ? receive->lease : 0;
	message->deliveries = receive->deliveries;
	/* The caller's 0 where the mailbox is no broadcast. */
	message->missed = receive->missed;
	message->is_receipt = !!(receive->result & MAILBOX_IS_RECEIPT);
	/* What follows ends up beyond what older programs have: none of their flags asks for it. */
	if (receive->flags & MAILBOX_ANSWER) {
		message->is_call = !!(receive->result & MAILBOX_IS_CALL);
		message->answer_room = receive->answer_room;
	}
	if (receive->flags & MAILBOX_FILES)
		message->nr_files = receive->nr_files;
	if (receive->flags & MAILBOX_LOAN) {
		message->loan = receive->loan;
		message->offset = receive->offset;
		message->is_loan = !!(receive->result & MAILBOX_IS_LOAN);
	}
}

/* The payload is in the region, and data, which may be for what is received, is not meant. */
static void add_loan(const struct mailbox_message *message, struct mailbox_send *send)
{
	send->data = 0;
	send->loan = message->loan;
	send->borrow = message->borrow;
}

int mbx_message_send(int handle, struct mailbox_message *message, struct mailbox_send *send,
		     uint32_t flags, uint64_t deadline)
{
	int ret;

	send->flags |= flags & ~MAILBOX_FILES;
	mbx_message_add_files(message, flags, send);
	if (flags & MAILBOX_LOAN)
		add_loan(message, send);
	send->deadline = deadline;
	ret = mbx_call(handle, MAILBOX_IOC_SEND, send);
	if (ret < 0)
		return ret;
	message->sequence = send->sequence;
	if (flags & MAILBOX_LOAN) {
		message->loan = send->loan;
		message->offset = send->offset;
	}
	return 0;
}

int mailbox_send_message(int handle, struct mailbox_message *message, uint32_t flags,
			 uint64_t deadline)
{
	struct mailbox_send send;
	int ret = mbx_message_to_send(message, &send);

	if (ret < 0)
		return ret;

	return mbx_message_send(handle, message, &send, flags, deadline);
}

int mailbox_send(int handle, const void *data, size_t length)
{
	struct mailbox_send send = {
		.size = sizeof(send),
		.data = mbx_address(data),
		.length = length,
	};
	int ret;

	if (length > UINT32_MAX)
		return -EMSGSIZE;

	ret = mbx_call(handle, MAILBOX_IOC_SEND, &send);
	return ret < 0 ? ret : 0;
}

int mailbox_receive_message(int handle, struct mailbox_message *message,
			    const struct mailbox_selection *selection, uint32_t flags,
			    uint64_t deadline)
{
	struct mailbox_receive receive;
	int ret;

	mbx_message_to_receive(message, selection, flags, &receive);
	receive.deadline = deadline;
	ret = mbx_call(handle, MAILBOX_IOC_RECEIVE, &receive);
	if (ret == -EMSGSIZE) {
		message->length = receive.length;
		if (flags & MAILBOX_FILES)
			message->nr_files = receive.nr_files;
	}
	if (ret < 0)
		return ret;

	mbx_message_from_receive(message, &receive);
	return 0;
}

ssize_t mailbox_receive(int handle, void *data, size_t room)
{
	struct mailbox_message message = { .data = data, .room = room };
	int ret = mailbox_receive_message(handle, &message, NULL, 0, 0);

	return ret < 0 ? ret : (ssize_t)message.length;
}

static int message_grow(struct mailbox_message *message, size_t room)
{
	void *data = realloc(message->data, room);

	if (!data)
		return -ENOMEM;

	message->data = data;
	message->room = room;
	return 0;
}

int mailbox_receive_alloc(int handle, struct mailbox_message *message,
			  const struct mailbox_selection *selection, uint32_t flags,
			  uint64_t deadline)
{
	int ret;

	if (!message->data || !message->room) {
		ret = message_grow(message, FIRST_ROOM);
		if (ret < 0)
			return ret;
	}

	/*
	 * Somebody else may take the message while the buffer grows, and the next one
	 * may be longer still. Room only ever grows, so this ends.
	 */
	for (;;) {
		ret = mailbox_receive_message(handle, message, selection, flags, deadline);
		if (ret != -EMSGSIZE || message->length <= message->room)
			return ret;

		ret = message_grow(message, message->length);
		if (ret < 0)
			return ret;
	}
}
