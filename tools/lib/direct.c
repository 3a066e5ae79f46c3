// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Direct communication: messages to and from processes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

static int send_direct(int device, struct mailbox_direct *direct, struct mailbox_message *message,
		       uint32_t flags, uint64_t deadline)
{
	struct mailbox_send send;
	int ret = mbx_message_to_send(message, &send);

	if (ret < 0)
		return ret;
	send.flags |= flags;
	send.deadline = deadline;
	direct->message = mbx_address(&send);
	ret = mbx_call(device, MAILBOX_IOC_SEND_TO, direct);
	if (ret < 0)
		return ret;
	message->sequence = send.sequence;
	return 0;
}

static int receive_direct(int device, struct mailbox_direct *direct,
			  struct mailbox_message *message, uint32_t flags, uint64_t deadline)
{
	struct mailbox_receive receive;
	int ret;

	mbx_message_to_receive(message, NULL, flags, &receive);
	receive.deadline = deadline;
	direct->message = mbx_address(&receive);
	ret = mbx_call(device, MAILBOX_IOC_RECEIVE_FROM, direct);
	if (ret == -EMSGSIZE)
		message->length = receive.length;
	if (ret < 0)
		return ret;
	mbx_message_from_receive(message, &receive);
	return 0;
}

int mailbox_send_to(int device, pid_t pid, struct mailbox_message *message, uint32_t flags,
		    uint64_t deadline)
{
	struct mailbox_direct direct = { .size = sizeof(direct), .pid = pid };

	return send_direct(device, &direct, message, flags, deadline);
}

int mailbox_receive_from(int device, pid_t pid, struct mailbox_message *message, uint32_t flags,
			 uint64_t deadline)
{
	struct mailbox_direct direct = { .size = sizeof(direct), .pid = pid };

	return receive_direct(device, &direct, message, flags, deadline);
}

/*
 * What /proc shows are the pids that this process uses only where it was mounted for its pid
 * namespace; from one further out it lists a number for each namespace in between.
 */
static int check_proc(void)
{
	int here = 0, inner, nr = 0;
	char line[256];
	FILE *file;

	file = fopen("/proc/self/status", "re");
	if (!file)
		return errno == ENOENT ? -ESRCH : -errno;
	while (nr < 1 && fgets(line, sizeof(line), file))
		nr = sscanf(line, "NSpid: %d %d", &here, &inner);
	fclose(file);
	return nr == 1 && here == getpid() ? 0 : -ESRCH;
}

/* The pid, -ESRCH once the process was waited for or where it is not visible. */
static int pid_of(int pidfd)
{
	int pid = -EBADF;
	char line[128];
	FILE *file;

	snprintf(line, sizeof(line), "/proc/self/fdinfo/%d", pidfd);
	file = fopen(line, "re");
	if (!file)
		return errno == ENOENT ? -EBADF : -errno;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "Pid: %d", &pid) == 1)
			break;
	fclose(file);
	return pid == -EBADF || pid > 0 ? pid : -ESRCH;
}

/*
 * Ask the module for the number of the process that has the pid, and look again: a pid that
 * still is the one of the pidfd was that when we asked, since a process has its pid until it
 * was waited for. From then on the number stands for this process and for no other.
 */
static int identify(int device, int pidfd, struct mailbox_direct *direct)
{
	int ret = check_proc(), pid;

	if (ret < 0)
		return ret;
	pid = pid_of(pidfd);
	if (pid < 0)
		return pid;
	*direct = (struct mailbox_direct){
		.size = sizeof(*direct),
		.flags = MAILBOX_IDENTIFY,
		.pid = pid,
	};
	ret = mbx_call(device, MAILBOX_IOC_SEND_TO, direct);
	if (ret < 0)
		return ret;
	direct->flags = 0;
	pid = pid_of(pidfd);
	if (pid < 0)
		return pid;
	return pid == direct->pid ? 0 : -ESRCH;
}

int mailbox_send_to_pidfd(int device, int pidfd, struct mailbox_message *message, uint32_t flags,
			  uint64_t deadline)
{
	struct mailbox_direct direct;
	int ret = identify(device, pidfd, &direct);

	return ret < 0 ? ret : send_direct(device, &direct, message, flags, deadline);
}

int mailbox_receive_from_pidfd(int device, int pidfd, struct mailbox_message *message,
			       uint32_t flags, uint64_t deadline)
{
	struct mailbox_direct direct;
	int ret = identify(device, pidfd, &direct);

	return ret < 0 ? ret : receive_direct(device, &direct, message, flags, deadline);
}

int mailbox_links(int device, uint64_t *after, struct mailbox_link *entries, unsigned int nr)
{
	struct mailbox_links links = {
		.size = sizeof(links),
		.entries = mbx_address(entries),
		.entry_size = sizeof(*entries),
		.nr = nr,
		.after = *after,
	};
	int ret = mbx_call(device, MAILBOX_IOC_LINKS, &links);

	if (ret < 0)
		return ret;
	*after = links.after;
	return links.nr;
}

int mailbox_allow(int device, uint32_t who)
{
	struct mailbox_allow allow = { .size = sizeof(allow), .who = who };

	return mbx_call(device, MAILBOX_IOC_ALLOW, &allow);
}
