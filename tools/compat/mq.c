// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "mq.h"
#include "mq_watch.h"
#include "real.h"

__u32 mq_sizes[MQ_SIZES];
/* None is known of a larger descriptor. */
static unsigned int highest;

void mq_remember(mqd_t fd, __u32 size)
{
	unsigned int most = __atomic_load_n(&highest, __ATOMIC_RELAXED);

	if ((unsigned int)fd >= MQ_SIZES)
		return;
	__atomic_store_n(&mq_sizes[fd], size, __ATOMIC_RELAXED);
	if (!size)
		mq_file_begins(fd);
	while (size && (unsigned int)fd > most &&
	       !__atomic_compare_exchange_n(&highest, &most, fd, false, __ATOMIC_RELAXED,
					    __ATOMIC_RELAXED))
		;
}

int mq_box_name(const char *name, char box[MAILBOX_NAME_SIZE])
{
	static const char prefix[] = "mq.";
	size_t length;

	if (*name != '/')
		return EINVAL;
	length = strlen(++name);
	if (!length)
		return ENOENT;
	if (length >= PATH_MAX)
		return ENAMETOOLONG;
	if (strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, ".."))
		return EACCES;
	/* What stands before it takes three bytes of the 255 that the kernel's own have. */
	if (length + sizeof(prefix) > MAILBOX_NAME_SIZE)
		return ENAMETOOLONG;
	memcpy(box, prefix, sizeof(prefix) - 1);
	memcpy(box + sizeof(prefix) - 1, name, length + 1);
	return 0;
}

int mq_stat(mqd_t fd, struct mailbox_stat *stat)
{
	memset(stat, 0, sizeof(*stat));
	stat->size = sizeof(*stat);
	if (ioctl(fd, MAILBOX_IOC_STAT, stat)) {
		mq_remember(fd, 0);
		return errno == EIDRM || errno == ENOMEM ? errno : EBADF;
	}
	mq_remember(fd, stat->message_size);
	return 0;
}

int mq_reason(mqd_t fd, __u32 right, int error)
{
	struct mailbox_stat stat;
	int unknown;

	switch (error) {
	case EAGAIN:
	case EINTR:
	case ETIMEDOUT:
	case EIDRM:
		return error;
	}
	unknown = mq_stat(fd, &stat);
	if (unknown)
		return unknown == EBADF ? EBADF : error;
	return stat.rights & right ? error : EBADF;
}

static bool known(unsigned int fd)
{
	return fd < MQ_SIZES && __atomic_load_n(&mq_sizes[fd], __ATOMIC_RELAXED);
}

void mq_closed(unsigned int first, unsigned int last)
{
	unsigned int fd = first, most = __atomic_load_n(&highest, __ATOMIC_RELAXED);

	for (; fd <= most && fd <= last; fd++) {
		if (!known(fd))
			continue;
		mq_watch_closed(fd);
		mq_remember(fd, 0);
	}
}

void mq_replaced(int from, int to)
{
	/* Nothing is closed where there is nothing that would take its place. */
	if (from != to && to >= 0 && known(to) && fcntl(from, F_GETFD) >= 0)
		mq_closed(to, to);
}
