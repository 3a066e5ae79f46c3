// SPDX-License-Identifier: LGPL-2.1-or-later
#include <limits.h>
#include <string.h>

#include "device.h"
#include "real.h"
#include "walk.h"

struct progress {
	const char *kind;
	int index;
	struct mailbox_stat *found;
	struct compat_walk *walk;
	int ret;
};

static int look(const struct mailbox_stat *stat, void *context)
{
	struct progress *progress = context;
	struct compat_walk *walk = progress->walk;

	if (strncmp(stat->name, progress->kind, strlen(progress->kind)) || stat->id > INT_MAX)
		return 0;
	if (progress->found && walk->count == progress->index) {
		*progress->found = *stat;
		progress->ret = 0;
	}
	walk->count++;
	walk->messages += stat->messages;
	walk->bytes += stat->bytes;
	walk->region_bytes += stat->region_size;
	return 0;
}

int compat_walk(const char *kind, int index, struct mailbox_stat *found, struct compat_walk *walk)
{
	struct progress progress = {
		.kind = kind,
		.index = index,
		.found = found,
		.walk = walk,
		.ret = found ? 1 : 0,
	};
	int device = compat_device();

	*walk = (struct compat_walk){ 0 };
	if (device < 0)
		return -1;
	if (mailbox_list_each(device, look, &progress))
		return compat_fail(ENOMEM);
	return progress.ret;
}
