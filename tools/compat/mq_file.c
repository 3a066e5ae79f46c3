// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * POSIX message queues as files. What Linux has behind a descriptor of a queue is a file of one
 * line, see mq_overview(7), and a mailbox has messages there: who reads it is not to take one.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

#include "mq.h"
#include "real.h"

/* Longest line, which is padded, so that it is always so long but for the bytes. */
#define LINE 80

/* Where in the line a descriptor is. */
static unsigned char positions[MQ_SIZES];

ssize_t __read_chk(int fd, void *buffer, size_t size, size_t room);

static bool is_queue(int fd)
{
	return (unsigned int)fd < MQ_SIZES && __atomic_load_n(&mq_sizes[fd], __ATOMIC_RELAXED);
}

/* Who is to be notified only the module knows, and it tells nobody. */
static ssize_t read_line(int fd, void *buffer, size_t size)
{
	unsigned char *position = &positions[fd];
	struct mailbox_stat stat;
	int length, error = mq_stat(fd, &stat);
	char line[LINE];

	if (error)
		return compat_fail(error);
	if (!(stat.rights & MAILBOX_RIGHT_RECEIVE))
		return compat_fail(EBADF);
	length = snprintf(line, sizeof(line),
			  "QSIZE:%-10llu NOTIFY:%-5d SIGNO:%-5d NOTIFY_PID:%-6d\n",
			  (unsigned long long)stat.bytes, 0, 0, 0);
	if (*position >= length)
		return 0;
	if (size > (size_t)length - *position)
		size = length - *position;
	memcpy(buffer, line + *position, size);
	*position += size;
	return size;
}

void mq_file_begins(int fd)
{
	if ((unsigned int)fd < MQ_SIZES)
		positions[fd] = 0;
}

COMPAT_PUBLIC ssize_t read(int fd, void *buffer, size_t size)
{
	return is_queue(fd) ? read_line(fd, buffer, size) : REAL(read)(fd, buffer, size);
}

/* Programs that are built to look out for overruns call it by this name. */
COMPAT_PUBLIC ssize_t __read_chk(int fd, void *buffer, size_t size, size_t room)
{
	if (!is_queue(fd) || size > room)
		return REAL(__read_chk)(fd, buffer, size, room);
	return read_line(fd, buffer, size);
}

COMPAT_PUBLIC ssize_t write(int fd, const void *buffer, size_t size)
{
	return is_queue(fd) ? compat_fail(EINVAL) : REAL(write)(fd, buffer, size);
}

static off_t seek(int fd, off_t offset, int whence)
{
	struct mailbox_stat stat;
	int error = mq_stat(fd, &stat);

	if (error)
		return compat_fail(error);
	if (whence == SEEK_CUR)
		offset += positions[fd];
	else if (whence != SEEK_SET)
		return compat_fail(EINVAL);
	if (offset < 0)
		return compat_fail(EINVAL);
	positions[fd] = offset < LINE ? offset : LINE;
	return offset;
}

COMPAT_PUBLIC off_t lseek(int fd, off_t offset, int whence)
{
	return is_queue(fd) ? seek(fd, offset, whence) : REAL(lseek)(fd, offset, whence);
}

#if __SIZEOF_LONG__ == 8
/* The same by another name. */
COMPAT_PUBLIC off64_t lseek64(int fd, off64_t offset, int whence)
{
	return lseek(fd, offset, whence);
}
#endif
