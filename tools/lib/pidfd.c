// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A pidfd of the sender of a message.
 */
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "internal.h"

/*
 * The number is the sender's at least until SENDER says so: a process that has not ended has
 * its number to itself, so what pidfd_open() has found by it before was that process.
 */
static int open_sender(int handle, const struct mailbox_message *message)
{
	struct mailbox_sender sender = { .size = sizeof(sender), .lease = message->lease };
	int pidfd, ret;

	if (message->pid <= 0)
		return -ESRCH;
	pidfd = syscall(SYS_pidfd_open, message->pid, 0);
	if (pidfd < 0)
		/* EINVAL: the number is that of a thread by now. */
		return errno == EINVAL ? -ESRCH : -errno;
	ret = mbx_call(handle, MAILBOX_IOC_SENDER, &sender);
	/* Threads that share descriptors may be in different pid namespaces. */
	if (ret >= 0 && sender.pid == message->pid)
		return pidfd;
	close(pidfd);
	return ret < 0 ? ret : -ESRCH;
}

static void close_files(const struct mailbox_message *message, uint32_t flags)
{
	uint32_t i;

	if (!(flags & MAILBOX_FILES))
		return;
	for (i = 0; i < message->nr_files && i < message->max_files; i++)
		close(message->files[i]);
}

int mailbox_receive_pidfd(int handle, struct mailbox_message *message, uint32_t flags,
			  uint64_t deadline, int *pidfd)
{
	const uint64_t lease_time = message->lease_time;
	int ret, fd;

	if (flags & (MAILBOX_PEEK | MAILBOX_LEASE))
		return -EINVAL;
	do {
		message->lease_time = 0;
		ret = mailbox_receive_message(handle, message, NULL, flags | MAILBOX_LEASE,
					      deadline);
		message->lease_time = lease_time;
		if (ret < 0)
			return ret;
		fd = open_sender(handle, message);
		ret = mailbox_ack(handle, message->lease);
		message->lease = 0;
		if (ret >= 0) {
			*pidfd = fd;
			return 0;
		}
		if (fd >= 0)
			close(fd);
		close_files(message, flags);
		/* Its expiry has ended the lease: as if that had been before we came. */
	} while (ret == -ESTALE);
	return ret;
}
