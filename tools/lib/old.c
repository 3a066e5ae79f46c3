// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * For programs that were linked with version 0, whose struct mailbox_create and struct
 * mailbox_stat end before what came with leases, and struct mailbox_message before what came
 * with files, and struct mailbox_set before what came with shared pages: nothing beyond that may
 * be touched. Only in the shared library; whoever links the static one has its header.
 */
#include <stddef.h>
#include <string.h>

#include "internal.h"

#define OLD_CREATE offsetof(struct mailbox_create, max_deliveries)
#define OLD_STAT   offsetof(struct mailbox_stat, leased)
#define OLD_SET	   offsetof(struct mailbox_set, region_size)
/* What comes after that, no flag of theirs asks for. */
#define OLD_MESSAGE (offsetof(struct mailbox_message, missed) + sizeof(uint64_t))

#define OLD(name) __asm__(".symver old_" #name ", mailbox_" #name "@LIBMAILBOX_0")

OLD(create_init);
OLD(create);
OLD(open_or_create);
OLD(set);
OLD(stat);
OLD(list);
OLD(list_each);
OLD(send_batch);
OLD(receive_batch);

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

int old_set(int handle, const void *set)
{
	struct mailbox_set whole = { 0 };

	memcpy(&whole, set, OLD_SET);
	return mailbox_set(handle, &whole);
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

int old_send_batch(int handle, void *messages, unsigned int nr, uint32_t flags, uint64_t deadline,
		   int *error)
{
	return mbx_send_batch(handle, messages, OLD_MESSAGE, nr, flags, deadline, error);
}

int old_receive_batch(int handle, void *messages, unsigned int nr,
		      const struct mailbox_selection *selection, uint32_t flags, uint64_t deadline,
		      int *error)
{
	return mbx_receive_batch(handle, messages, OLD_MESSAGE, nr, selection, flags, deadline,
				 error);
}
