// SPDX-License-Identifier: GPL-2.0
/*
 * The limits that would keep peers from holding what others can. Root raises them;
 * for other users what they cannot do is missing in the tables.
 */
#include <stdio.h>
#include <sys/resource.h>

#include "bench.h"

static const struct {
	const char *file;
	const char *value;
} limits[] = {
	{ "/proc/sys/kernel/msgmax", "16777216" },
	{ "/proc/sys/kernel/msgmnb", "1073741824" },
	{ "/proc/sys/kernel/msgmni", "32000" },
	{ "/proc/sys/fs/mqueue/msg_max", "65536" },
	{ "/proc/sys/fs/mqueue/msgsize_max", "16777216" },
	{ "/proc/sys/fs/mqueue/queues_max", "20000" },
	{ "/proc/sys/fs/pipe-max-size", "1073741824" },
	{ "/proc/sys/fs/pipe-user-pages-soft", "0" },
	{ "/proc/sys/net/unix/max_dgram_qlen", "65536" },
	{ "/sys/module/mailbox/parameters/max_message_size", "16777216" },
	{ "/sys/module/mailbox/parameters/max_bytes_per_user", "1073741824" },
};

static void raise_resource(int resource)
{
	struct rlimit limit = { .rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY };

	if (resource == RLIMIT_NOFILE)
		limit.rlim_cur = 262144;
	limit.rlim_max = 262144;
	if (!setrlimit(resource, &limit) || getrlimit(resource, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(resource, &limit);
}

void limits_raise(void)
{
	FILE *file;
	size_t i;

	/* Refused, or there is no such limit: its user will notice. */
	for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		file = fopen(limits[i].file, "we");
		if (!file)
			continue;
		fputs(limits[i].value, file);
		fclose(file);
	}
	raise_resource(RLIMIT_NOFILE);
	raise_resource(RLIMIT_MSGQUEUE);
}
