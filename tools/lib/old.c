// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * For programs that were linked with version 0, whose struct mailbox_create and struct
 * mailbox_stat end before what came with leases, and with version 1 or 0, whose struct
 * mailbox_message ends before what came with calls: nothing beyond that may be touched. Only
 * in the shared library; whoever links the static one has its header.
 */
#include <stddef.h>
#include <string.h>

#include "internal.h"

#define OLD_CREATE  offsetof(struct mailbox_create, max_deliveries)
#define OLD_STAT    offsetof(struct mailbox_stat, leased)
#define OLD_MESSAGE offsetof(struct mailbox_message, is_call)

/* Messages of a batch that are made longer at once. */
#define PIECE 16

#define OLD(name) __asm__(".symver old_" #name ", mailbox_" #name "@LIBMAILBOX_0")

OLD(create_init);
OLD(create);
OLD(open_or_create);
OLD(stat);
OLD(list);
OLD(list_each);
OLD(receive_message);
OLD(receive_alloc);
OLD(receive_batch);
OLD(send_batch);

int old_create_init(void *create, const char *name)
{
	struct mailbox_create whole;
	int ret = mailbox_create_init(&whole, name);

	memcpy(create, &whole, OLD_CREATE);
	return ret;
}

static int make(int device, void *create,
		int (*function)(int device, struct mailbox_create *create))
{
	struct mailbox_create whole = { 0 };
	int ret;

	memcpy(&whole, create, OLD_CREATE);
	ret = function(device, &whole);
	memcpy(create, &whole, OLD_CREATE);
	return ret;
}

int old_create(int device, void *create)
{
	return make(device, create, mailbox_create);
}

int old_open_or_create(int device, void *create)
{
	return make(device, create, mailbox_open_or_create);
}

int old_stat(int handle, void *stat)
{
	struct mailbox_stat whole;
	int ret = mailbox_stat(handle, &whole);

	memcpy(stat, &whole, OLD_STAT);
	return ret;
}

int old_list(int device, uint64_t *after, void *entries, unsigned int nr)
{
	struct mailbox_list list = {
		.size = sizeof(list),
		.entries = mbx_address(entries),
		.entry_size = OLD_STAT,
		.nr = nr,
		.after = *after,
	};
	int ret = mbx_call(device, MAILBOX_IOC_LIST, &list);

	if (ret < 0)
		return ret;

	*after = list.after;
	return list.nr;
}

/* The callback gets a longer structure than it knows, and looks at what it knows. */
int old_list_each(int device, int (*each)(const struct mailbox_stat *stat, void *context),
		  void *context)
{
	return mailbox_list_each(device, each, context);
}

int old_receive_message(int handle, void *message, const struct mailbox_selection *selection,
			uint32_t flags, uint64_t deadline)
{
	struct mailbox_message whole = { 0 };
	int ret;

	memcpy(&whole, message, OLD_MESSAGE);
	ret = mailbox_receive_message(handle, &whole, selection, flags, deadline);
	memcpy(message, &whole, OLD_MESSAGE);
	return ret;
}

int old_receive_alloc(int handle, void *message, const struct mailbox_selection *selection,
		      uint32_t flags, uint64_t deadline)
{
	struct mailbox_message whole = { 0 };
	int ret;

	memcpy(&whole, message, OLD_MESSAGE);
	ret = mailbox_receive_alloc(handle, &whole, selection, flags, deadline);
	memcpy(message, &whole, OLD_MESSAGE);
	return ret;
}

/* What a batch says of the others. */
struct batch {
	int handle;
	const struct mailbox_selection *selection;
	uint32_t flags;
	uint64_t deadline;
};

static int send_piece(struct batch *batch, struct mailbox_message *messages, unsigned int nr,
		      int *reason)
{
	return mailbox_send_batch(batch->handle, messages, nr, batch->flags, batch->deadline,
				  reason);
}

static int receive_piece(struct batch *batch, struct mailbox_message *messages, unsigned int nr,
			 int *reason)
{
	int ret = mailbox_receive_batch(batch->handle, messages, nr, batch->selection, batch->flags,
					batch->deadline, reason);

	/* Only the first message is worth waiting for. */
	batch->flags = (batch->flags & ~MAILBOX_DEADLINE) | MAILBOX_NONBLOCK;
	return ret;
}

static int in_pieces(struct batch *batch, char *messages, unsigned int nr, int *error,
		     int (*function)(struct batch *batch, struct mailbox_message *messages,
				     unsigned int nr, int *reason))
{
	unsigned int done = 0, piece, i;
	int reason = 0, ret;

	while (done < nr && !reason) {
		struct mailbox_message whole[PIECE] = { { 0 } };

		piece = nr - done < PIECE ? nr - done : PIECE;
		for (i = 0; i < piece; i++)
			memcpy(&whole[i], messages + (done + i) * OLD_MESSAGE, OLD_MESSAGE);
		ret = function(batch, whole, piece, &reason);
		for (i = 0; i < piece; i++)
			memcpy(messages + (done + i) * OLD_MESSAGE, &whole[i], OLD_MESSAGE);
		if (ret > 0)
			done += ret;
	}
	return mbx_batch_result(done, reason, error);
}

int old_send_batch(int handle, void *messages, unsigned int nr, uint32_t flags, uint64_t deadline,
		   int *error)
{
	struct batch batch = { .handle = handle, .flags = flags, .deadline = deadline };

	return in_pieces(&batch, messages, nr, error, send_piece);
}

int old_receive_batch(int handle, void *messages, unsigned int nr,
		      const struct mailbox_selection *selection, uint32_t flags, uint64_t deadline,
		      int *error)
{
	struct batch batch = { handle, selection, flags, deadline };

	return in_pieces(&batch, messages, nr, error, receive_piece);
}
