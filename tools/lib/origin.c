// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Origins of messages from other hosts.
 */
#include <errno.h>
#include <string.h>

#include "mailbox-origin.h"

_Static_assert(sizeof(struct mailbox_origin) == 304, "there are no holes");
_Static_assert(offsetof(struct mailbox_origin, id) == 112, "there are no holes");

int mailbox_origin_parse(const void *data, size_t length, struct mailbox_origin *origin,
			 size_t *payload_offset)
{
	struct mailbox_origin copy;

	if (length < offsetof(struct mailbox_origin, time))
		return -EBADMSG;
	memcpy(&copy, data, offsetof(struct mailbox_origin, time));
	if (copy.magic != MAILBOX_ORIGIN_MAGIC)
		return -EBADMSG;
	if (copy.version != MAILBOX_ORIGIN_VERSION)
		return -EOPNOTSUPP;
	if (copy.size != sizeof(copy) || length < sizeof(copy))
		return -EBADMSG;
	memcpy(&copy, data, sizeof(copy));
	/* Texts end, whoever wrote them. */
	if (!memchr(copy.host, 0, sizeof(copy.host)) || !memchr(copy.id, 0, sizeof(copy.id)))
		return -EBADMSG;
	if (origin)
		*origin = copy;
	if (payload_offset)
		*payload_offset = sizeof(copy);
	return 0;
}
