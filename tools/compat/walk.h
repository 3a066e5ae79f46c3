/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All mailboxes of a kind, as ipcs(1) walks over what SysV has.
 */
#ifndef COMPAT_WALK_H
#define COMPAT_WALK_H

#include "mailbox.h"

struct compat_walk {
	/* How many there are that the caller may see. */
	int count;
	/* In all of them. */
	uint64_t messages;
	uint64_t bytes;
	uint64_t region_bytes;
};

/*
 * Counts, and describes the one that has @index others before it, unless it is NULL. Returns 0;
 * 1 when there is none of that index; or -1 with errno.
 */
int compat_walk(const char *kind, int index, struct mailbox_stat *found, struct compat_walk *walk);

#endif /* COMPAT_WALK_H */
