// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * mq_notify(3).
 */
#include <errno.h>
#include <stdbool.h>

#include "mq.h"
#include "mq_watch.h"
#include "real.h"

static bool valid(const struct sigevent *event)
{
	switch (event->sigev_notify) {
	case SIGEV_SIGNAL:
		return event->sigev_signo >= 0 && event->sigev_signo < _NSIG;
	case SIGEV_NONE:
	case SIGEV_THREAD:
		return true;
	}
	return false;
}

COMPAT_PUBLIC int mq_notify(mqd_t fd, const struct sigevent *event)
{
	struct mailbox_stat stat;
	int error;

	if (event && !valid(event))
		return compat_fail(EINVAL);
	error = mq_stat(fd, &stat);
	if (!error && event)
		error = mq_watch_begin(fd, &stat, event);
	else if (!error)
		mq_watch_end(stat.id);
	return error ? compat_fail(error) : 0;
}
