// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * mq_receive(3) and mq_timedreceive(3).
 */
#include <errno.h>
#include <stdint.h>
#include <sys/ioctl.h>

#include "cancel.h"
#include "clock.h"
#include "mq.h"
#include "real.h"

/* What is after it does not concern us, and need not be filled in. */
#define RECEIVE_SIZE offsetof(struct mailbox_receive, lease)

static ssize_t receive_refused(mqd_t fd, int error)
{
	return compat_fail(mq_reason(fd, MAILBOX_RIGHT_RECEIVE, error));
}

/* The room is less than that of the longest message that is remembered, or none is: 0, or errno. */
static int ask_for_size(mqd_t fd, size_t room)
{
	struct mailbox_stat stat;
	int error = mq_stat(fd, &stat);

	if (error)
		return error;
	if (!(stat.rights & MAILBOX_RIGHT_RECEIVE))
		return EBADF;
	return room < stat.message_size ? EMSGSIZE : 0;
}

static inline ssize_t receive_one(mqd_t fd, char *data, size_t room, unsigned int *priority,
				  __u32 flags, __u64 deadline)
{
	struct mailbox_receive args;
	int type, ret;

	if (!mq_known_to_fit(fd, room)) {
		ret = ask_for_size(fd, room);
		if (ret)
			return compat_fail(ret);
	}
	args.size = RECEIVE_SIZE;
	args.flags = flags;
	args.data = (uintptr_t)data;
	args.room = room < UINT32_MAX ? room : UINT32_MAX;
	args.select = MAILBOX_SELECT_FIRST;
	args.match = 0;
	args.deadline = deadline;

	type = cancel_begin();
	ret = ioctl(fd, MAILBOX_IOC_RECEIVE, &args);
	cancel_end(type);
	if (ret)
		return receive_refused(fd, errno);
	if (priority)
		*priority = args.priority;
	return args.length;
}

static ssize_t receive_until(mqd_t fd, char *data, size_t room, unsigned int *priority,
			     __s64 seconds, __s64 nanoseconds)
{
	/* As for a send. */
	if (!compat_deadline_valid(seconds, nanoseconds))
		return compat_fail(EINVAL);
	return receive_one(fd, data, room, priority, MAILBOX_DEADLINE,
			   compat_deadline(seconds, nanoseconds));
}

COMPAT_PUBLIC ssize_t mq_receive(mqd_t fd, char *data, size_t room, unsigned int *priority)
{
	return receive_one(fd, data, room, priority, 0, 0);
}

COMPAT_PUBLIC ssize_t mq_timedreceive(mqd_t fd, char *__restrict data, size_t room,
				      unsigned int *__restrict priority,
				      const struct timespec *__restrict until)
{
	if (mq_is_null(until))
		return receive_one(fd, data, room, priority, 0, 0);
	return receive_until(fd, data, room, priority, until->tv_sec, until->tv_nsec);
}

#if __TIMESIZE == 32
ssize_t __mq_timedreceive_time64(mqd_t fd, char *data, size_t room, unsigned int *priority,
				 const struct timespec64 *until);

COMPAT_PUBLIC ssize_t __mq_timedreceive_time64(mqd_t fd, char *data, size_t room,
					       unsigned int *priority,
					       const struct timespec64 *until)
{
	if (mq_is_null(until))
		return receive_one(fd, data, room, priority, 0, 0);
	return receive_until(fd, data, room, priority, until->seconds, until->nanoseconds);
}
#endif
