// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What can be done with an open mailbox besides sending and receiving.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "internal.h"

int mailbox_destroy(int handle)
{
	struct mailbox_destroy destroy = { .size = sizeof(destroy) };

	return mbx_call(handle, MAILBOX_IOC_DESTROY, &destroy);
}

int mailbox_yield(int handle)
{
	struct mailbox_yield yield = { .size = sizeof(yield) };

	return mbx_call(handle, MAILBOX_IOC_YIELD, &yield);
}

int mailbox_restrict(int handle, uint32_t rights, uint32_t flags, uint64_t *grant)
{
	struct mailbox_restrict restricted = {
		.size = sizeof(restricted),
		.flags = flags,
		.rights = rights,
	};
	int ret;

	ret = mbx_call(handle, MAILBOX_IOC_RESTRICT, &restricted);
	if (ret)
		return ret;
	if (grant)
		*grant = restricted.grant;
	return restricted.fd;
}

int mailbox_revoke(int handle, uint64_t grant)
{
	struct mailbox_revoke revoke = { .size = sizeof(revoke), .grant = grant };

	return mbx_call(handle, MAILBOX_IOC_REVOKE, &revoke);
}

int mailbox_revoke_all(int handle)
{
	struct mailbox_revoke revoke = { .size = sizeof(revoke), .flags = MAILBOX_REVOKE_ALL };

	return mbx_call(handle, MAILBOX_IOC_REVOKE, &revoke);
}

int mailbox_stat(int handle, struct mailbox_stat *stat)
{
	memset(stat, 0, sizeof(*stat));
	stat->size = sizeof(*stat);
	return mbx_call(handle, MAILBOX_IOC_STAT, stat);
}

int mailbox_set(int handle, const struct mailbox_set *set)
{
	struct mailbox_set copy = *set;

	copy.size = sizeof(copy);
	return mbx_call(handle, MAILBOX_IOC_SET, &copy);
}

int mailbox_map(int handle, void **start, size_t *length)
{
	struct mailbox_stat stat;
	int protection = PROT_READ;
	void *mapped;
	int ret;

	ret = mailbox_stat(handle, &stat);
	if (ret)
		return ret;
	/* More than a program of 32 bits can name. */
	if (stat.region_size > SIZE_MAX)
		return -ENOMEM;
	if (stat.rights & MAILBOX_RIGHT_SEND)
		protection |= PROT_WRITE;
	mapped = mmap(NULL, stat.region_size, protection, MAP_SHARED, handle, 0);
	if (mapped == MAP_FAILED)
		return -errno;
	*start = mapped;
	*length = stat.region_size;
	return 0;
}

int mailbox_notify(int handle, uint32_t events, int eventfd)
{
	struct mailbox_notify notify = {
		.size = sizeof(notify),
		.events = events,
		.eventfd = eventfd,
	};

	return mbx_call(handle, MAILBOX_IOC_NOTIFY, &notify);
}
