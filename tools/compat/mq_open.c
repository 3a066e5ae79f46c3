// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * mq_open(3), mq_close(3) and mq_unlink(3).
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "device.h"
#include "mq.h"
#include "real.h"

/* Of a queue that is made without attributes, see mq_overview(7). */
#define DEFAULT_MESSAGES 10
#define DEFAULT_SIZE	 8192

/* Not by umask(2), which would take it away from the other threads for a moment. */
static mode_t current_umask(void)
{
	unsigned int found = 0;
	char line[256];
	FILE *status;
	mode_t mask;
	int state;

	/* This call is no cancellation point. */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	status = fopen("/proc/self/status", "re");
	if (status) {
		while (!found && fgets(line, sizeof(line), status))
			found = sscanf(line, "Umask: %o", &mask) == 1;
		fclose(status);
	}
	if (!found) {
		mask = umask(077);
		umask(mask);
	}
	pthread_setcancelstate(state, &state);
	return mask;
}

static int open_box(int device, const char *box, __u32 rights, __u32 flags)
{
	struct mailbox_open args = { .size = sizeof(args), .flags = flags, .rights = rights };

	strcpy(args.name, box);
	return ioctl(device, MAILBOX_IOC_OPEN, &args) ? -1 : args.fd;
}

/* Fills in how much it holds: 0, or an errno. */
static int set_limits(struct mailbox_create *args, const struct mq_attr *attr)
{
	const struct mq_attr usual = { .mq_maxmsg = DEFAULT_MESSAGES, .mq_msgsize = DEFAULT_SIZE };

	if (!attr)
		attr = &usual;
	if (attr->mq_maxmsg <= 0 || attr->mq_msgsize <= 0 ||
	    attr->mq_msgsize > MAILBOX_MESSAGE_SIZE_MAX)
		return EINVAL;
	args->max_messages = attr->mq_maxmsg;
	args->message_size = attr->mq_msgsize;
	if (__builtin_mul_overflow(args->max_messages, args->message_size, &args->max_bytes))
		return EOVERFLOW;
	return 0;
}

static int create_box(int device, const char *box, __u32 rights, __u32 flags, mode_t mode,
		      const struct mq_attr *attr)
{
	struct mailbox_create args = {
		.size = sizeof(args),
		.flags = MAILBOX_PERMANENT | flags,
		.rights = rights,
		.mode = mode,
		.on_full = MAILBOX_ON_FULL_WAIT_EACH,
		.share = 100,
	};
	int error = set_limits(&args, attr);

	if (error)
		return compat_fail(error);
	strcpy(args.name, box);
	if (ioctl(device, MAILBOX_IOC_CREATE, &args))
		return -1;
	mq_remember(args.fd, args.message_size);
	mq_file_begins(args.fd);
	return args.fd;
}

/* Of a queue that exists this is told before what is wrong with the attributes of another. */
static bool exists(int device, const char *box)
{
	int fd = open_box(device, box, MAILBOX_RIGHT_RECEIVE, 0);

	if (fd >= 0)
		compat_close(fd);
	return fd >= 0 || errno != ENOENT;
}

/* What is known of it, so that nobody has to ask later. */
static void remember(mqd_t fd)
{
	struct mailbox_stat stat;

	mq_stat(fd, &stat);
	mq_file_begins(fd);
}

static mqd_t open_or_create(int device, const char *box, int oflag, __u32 rights, mode_t mode,
			    const struct mq_attr *attr)
{
	const __u32 flags = oflag & O_NONBLOCK ? MAILBOX_NONBLOCK : 0;
	mqd_t fd;

	for (;;) {
		if (!(oflag & O_CREAT) || !(oflag & O_EXCL)) {
			fd = open_box(device, box, rights, flags);
			if (fd >= 0)
				remember(fd);
			if (fd >= 0 || errno != ENOENT || !(oflag & O_CREAT))
				return fd;
		}
		fd = create_box(device, box, rights, flags, mode, attr);
		if (fd >= 0)
			return fd;
		if (oflag & O_EXCL)
			return errno == EINVAL && exists(device, box) ? compat_fail(EEXIST) : -1;
		if (errno != EEXIST)
			return -1;
		/* Somebody is just making it. */
		sched_yield();
	}
}

COMPAT_PUBLIC mqd_t mq_open(const char *name, int oflag, ...)
{
	static const __u32 rights[] = {
		[O_RDONLY] = MAILBOX_RIGHT_RECEIVE,
		[O_WRONLY] = MAILBOX_RIGHT_SEND,
		[O_RDWR] = MAILBOX_RIGHT_RECEIVE | MAILBOX_RIGHT_SEND,
		[O_ACCMODE] = 0,
	};
	const __u32 right = rights[oflag & O_ACCMODE];
	const struct mq_attr *attr = NULL;
	char box[MAILBOX_NAME_SIZE];
	mode_t mode = 0;
	va_list args;
	int device, error;

	if (oflag & O_CREAT) {
		va_start(args, oflag);
		mode = va_arg(args, mode_t);
		attr = va_arg(args, const struct mq_attr *);
		va_end(args);
		/* Who may execute a queue: nobody. Here it would be who may manage it. */
		mode &= 0666 & ~current_umask();
	}
	error = mq_box_name(name, box);
	if (!error && !right)
		error = EINVAL;
	if (error)
		return compat_fail(error);
	device = compat_device();
	return device < 0 ? -1 : open_or_create(device, box, oflag, right, mode, attr);
}

mqd_t __mq_open_2(const char *name, int oflag);

/* What a program that was compiled with _FORTIFY_SOURCE calls when it gives no mode. */
COMPAT_PUBLIC mqd_t __mq_open_2(const char *name, int oflag)
{
	static const char what[] = "*** invalid mq_open call: O_CREAT without mode and attr "
				   "***: terminated\n";

	if (oflag & O_CREAT) {
		if (write(STDERR_FILENO, what, sizeof(what) - 1) < 0)
			abort();
		abort();
	}
	return mq_open(name, oflag);
}

COMPAT_PUBLIC int mq_close(mqd_t fd)
{
	return close(fd);
}

COMPAT_PUBLIC int mq_unlink(const char *name)
{
	struct mailbox_set args = {
		.size = sizeof(args),
		/* It has no name at once, and ends with its last handle. */
		.flags = MAILBOX_SET_PERMANENT | MAILBOX_SET_NAME,
	};
	char box[MAILBOX_NAME_SIZE];
	int device, fd, ret;
	int error = mq_box_name(name, box);

	if (error)
		return compat_fail(error);
	device = compat_device();
	if (device < 0)
		return -1;
	fd = open_box(device, box, MAILBOX_RIGHT_MANAGE, 0);
	if (fd < 0)
		return -1;
	ret = ioctl(fd, MAILBOX_IOC_SET, &args);
	error = errno;
	compat_close(fd);
	if (!ret)
		return 0;
	/* Somebody else took the name away, or destroyed it, a moment before. */
	return compat_fail(error == EIDRM ? ENOENT : error);
}
