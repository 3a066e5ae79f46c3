// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * mq_getattr(3) and mq_setattr(3).
 */
#include <errno.h>
#include <fcntl.h>

#include "mq.h"
#include "real.h"

/* 0, or an errno. */
static int get(mqd_t fd, struct mq_attr *attr, int *flags)
{
	struct mailbox_stat stat;
	int error = mq_stat(fd, &stat);

	if (error)
		return error;
	*flags = fcntl(fd, F_GETFL);
	if (*flags < 0)
		return EBADF;
	*attr = (struct mq_attr){
		.mq_flags = *flags & O_NONBLOCK,
		.mq_maxmsg = stat.max_messages,
		.mq_msgsize = stat.message_size,
		.mq_curmsgs = stat.messages,
	};
	return 0;
}

COMPAT_PUBLIC int mq_getattr(mqd_t fd, struct mq_attr *attr)
{
	int flags;
	int error = get(fd, attr, &flags);

	return error ? compat_fail(error) : 0;
}

COMPAT_PUBLIC int mq_setattr(mqd_t fd, const struct mq_attr *__restrict new,
			     struct mq_attr *__restrict old)
{
	const bool sets = !mq_is_null(new);
	struct mq_attr before;
	int error, flags;

	if (sets && (new->mq_flags & ~(long)O_NONBLOCK))
		return compat_fail(EINVAL);
	error = get(fd, &before, &flags);
	if (error)
		return compat_fail(error);
	if (sets && fcntl(fd, F_SETFL, (flags & ~O_NONBLOCK) | new->mq_flags))
		return -1;
	if (old)
		*old = before;
	return 0;
}
