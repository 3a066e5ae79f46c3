// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * mq_send(3) and mq_timedsend(3).
 */
#include <errno.h>
#include <stdint.h>
#include <sys/ioctl.h>

#include "cancel.h"
#include "clock.h"
#include "mq.h"
#include "mq_watch.h"
#include "real.h"

/* What is after it does not concern us, and need not be filled in. */
#define SEND_SIZE offsetof(struct mailbox_send, receipt)

static int send_refused(mqd_t fd, int error)
{
	return compat_fail(mq_reason(fd, MAILBOX_RIGHT_SEND, error));
}

static inline int send_one(mqd_t fd, const char *data, size_t length, unsigned int priority,
			   __u32 flags, __u64 deadline)
{
	struct mailbox_send args;
	int type, ret;

	if (priority > MAILBOX_PRIORITY_MAX)
		return compat_fail(EINVAL);
	if (length > UINT32_MAX)
		return send_refused(fd, EMSGSIZE);
	args.size = SEND_SIZE;
	args.flags = flags;
	args.data = (uintptr_t)data;
	args.length = length;
	args.priority = priority;
	args.type = 0;
	args.deadline = deadline;
	args.expiry = 0;

	type = cancel_begin();
	ret = ioctl(fd, MAILBOX_IOC_SEND, &args);
	cancel_end(type);
	if (ret)
		return send_refused(fd, errno);
	mq_watch_look();
	return 0;
}

static int send_until(mqd_t fd, const char *data, size_t length, unsigned int priority,
		      __s64 seconds, __s64 nanoseconds)
{
	/* The manual page would have it only where the call waits. Linux does not. */
	if (!compat_deadline_valid(seconds, nanoseconds))
		return compat_fail(EINVAL);
	return send_one(fd, data, length, priority, MAILBOX_DEADLINE,
			compat_deadline(seconds, nanoseconds));
}

COMPAT_PUBLIC int mq_send(mqd_t fd, const char *data, size_t length, unsigned int priority)
{
	return send_one(fd, data, length, priority, 0, 0);
}

COMPAT_PUBLIC int mq_timedsend(mqd_t fd, const char *data, size_t length, unsigned int priority,
			       const struct timespec *until)
{
	if (mq_is_null(until))
		return send_one(fd, data, length, priority, 0, 0);
	return send_until(fd, data, length, priority, until->tv_sec, until->tv_nsec);
}

#if __TIMESIZE == 32
int __mq_timedsend_time64(mqd_t fd, const char *data, size_t length, unsigned int priority,
			  const struct timespec64 *until);

/* Of a program of 32 bits that is ready for the year 2038. */
COMPAT_PUBLIC int __mq_timedsend_time64(mqd_t fd, const char *data, size_t length,
					unsigned int priority, const struct timespec64 *until)
{
	if (mq_is_null(until))
		return send_one(fd, data, length, priority, 0, 0);
	return send_until(fd, data, length, priority, until->seconds, until->nanoseconds);
}
#endif
