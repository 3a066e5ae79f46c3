// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Sending and receiving many messages.
 *
 * A batch of any length goes to the kernel in pieces that fit the stack. A batch is
 * not atomic in the kernel either, so the pieces cannot be told from one.
 */
#include <errno.h>
#include <stddef.h>

#include "internal.h"

#define PIECE 64

/* Flags that each message of a batch has; the others are of the whole. */
#define OF_ENTRIES (MAILBOX_TRUNCATE | MAILBOX_LEASE | MAILBOX_ANSWER | MAILBOX_FILES)

static int batch_call(int handle, unsigned long command, struct mailbox_batch *batch, int *error)
{
	int ret = mbx_call(handle, command, batch);

	if (ret < 0) {
		*error = ret;
		return 0;
	}
	*error = -batch->error;
	return batch->done;
}

/* A batch that did nothing fails with the reason; one that did something keeps it aside. */
int mbx_batch_result(unsigned int done, int reason, int *error)
{
	if (error)
		*error = reason;
	return done || !reason ? (int)done : reason;
}

/* They are longer for some programs than for others: see old.c. */
static struct mailbox_message *message_at(void *messages, size_t size, unsigned int i)
{
	return (struct mailbox_message *)((char *)messages + i * size);
}

int mbx_send_batch(int handle, void *messages, size_t size, unsigned int nr, uint32_t flags,
		   uint64_t deadline, int *error)
{
	struct mailbox_send entries[PIECE];
	unsigned int done = 0, piece, sent, i;
	int reason = 0, bad = 0;

	while (done < nr && !reason) {
		struct mailbox_batch batch = {
			.size = sizeof(batch),
			.flags = flags & ~MAILBOX_FILES,
			.entries = mbx_address(entries),
			.entry_size = sizeof(entries[0]),
			.deadline = deadline,
		};

		for (piece = 0; piece < PIECE && done + piece < nr; piece++) {
			const struct mailbox_message *message =
				message_at(messages, size, done + piece);

			bad = mbx_message_to_send(message, &entries[piece]);
			if (bad)
				break;
			mbx_message_add_files(message, flags, &entries[piece]);
		}
		if (!piece) {
			reason = bad;
			break;
		}

		batch.nr = piece;
		sent = batch_call(handle, MAILBOX_IOC_SEND_BATCH, &batch, &reason);
		for (i = 0; i < sent; i++)
			message_at(messages, size, done + i)->sequence = entries[i].sequence;
		done += sent;
	}
	return mbx_batch_result(done, reason, error);
}

int mailbox_send_batch(int handle, struct mailbox_message *messages, unsigned int nr,
		       uint32_t flags, uint64_t deadline, int *error)
{
	return mbx_send_batch(handle, messages, sizeof(*messages), nr, flags, deadline, error);
}

int mbx_receive_batch(int handle, void *messages, size_t size, unsigned int nr,
		      const struct mailbox_selection *selection, uint32_t flags, uint64_t deadline,
		      int *error)
{
	struct mailbox_receive entries[PIECE];
	unsigned int done = 0, piece, taken, i;
	int reason = 0;

	while (done < nr && !reason) {
		struct mailbox_batch batch = {
			.size = sizeof(batch),
			.flags = flags & ~OF_ENTRIES,
			.entries = mbx_address(entries),
			.entry_size = sizeof(entries[0]),
			.deadline = deadline,
		};

		for (piece = 0; piece < PIECE && done + piece < nr; piece++) {
			mbx_message_to_receive(message_at(messages, size, done + piece), selection,
					       flags & OF_ENTRIES, &entries[piece]);
		}

		batch.nr = piece;
		taken = batch_call(handle, MAILBOX_IOC_RECEIVE_BATCH, &batch, &reason);
		/* The first message of the first piece that needs more room can say so. */
		if (!done && !taken && reason == -EMSGSIZE) {
			message_at(messages, size, 0)->length = entries[0].length;
			if (flags & MAILBOX_FILES)
				message_at(messages, size, 0)->nr_files = entries[0].nr_files;
		}
		for (i = 0; i < taken; i++)
			mbx_message_from_receive(message_at(messages, size, done + i), &entries[i]);
		done += taken;

		/* Only the first message is worth waiting for. */
		flags = (flags & ~MAILBOX_DEADLINE) | MAILBOX_NONBLOCK;
	}
	return mbx_batch_result(done, reason, error);
}

int mailbox_receive_batch(int handle, struct mailbox_message *messages, unsigned int nr,
			  const struct mailbox_selection *selection, uint32_t flags,
			  uint64_t deadline, int *error)
{
	return mbx_receive_batch(handle, messages, sizeof(*messages), nr, selection, flags,
				 deadline, error);
}
