// SPDX-License-Identifier: GPL-2.0
/*
 * The calls that have no structure of the interface.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/mailbox.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "describe.h"
#include "frame.h"
#include "memory.h"
#include "values.h"
#include "worker.h"

static struct slot slot_of(const struct call *call)
{
	return shared->slots[call->slot];
}

static size_t length_of(const struct call *call, unsigned int nr, size_t otherwise)
{
	return nr < call->nr_changes ? number_of(&call->changes[nr]) : otherwise;
}

/* These have no list of their own. */
static int listed(const char *what, ssize_t ret)
{
	if (ret >= 0)
		return ret;
	if (!is_listed_error(errno))
		fail("%s failed with %s", what, strerrorname_np(errno) ?: "an unknown number");
	return -errno;
}

static int call_ioctl(const struct call *call)
{
	__u32 cmd = _IO(MAILBOX_IOC_MAGIC, call_argument(call, 0, 0));

	if (call->nr_changes && call->changes[0].value == VALUE_RAW)
		cmd = call->changes[0].raw;
	/* Others know commands of their own. */
	if (slot_of(call).kind == FILE_OTHER)
		return 0;
	memset(memory.args, POISON, ARGS_SIZE);
	return listed("an unknown command", ioctl(slot_of(call).fd, cmd, memory.args));
}

static bool is_mailbox(const struct call *call)
{
	return slot_of(call).kind == FILE_HANDLE || slot_of(call).kind == FILE_DEVICE;
}

static int call_read(const struct call *call)
{
	size_t room = length_of(call, 0, 64);
	__u8 *data = (__u8 *)memory_address(memory.sink, memory.sink_end, call_argument(call, 1, 0),
					    room);
	ssize_t ret;

	memset(memory.sink, POISON, SINK_LOOK);
	ret = read(slot_of(call).fd, data, room);
	if (ret > 0 && memory_within(data, ret, memory.sink, memory.sink_end) &&
	    !frame_is_payload(data, ret))
		fail("read %zd bytes, and not those that were sent", ret);
	return listed("read", ret);
}

static int call_write(const struct call *call)
{
	size_t length = length_of(call, 0, 8);
	__u64 data =
		memory_address(memory.source, memory.source_end, call_argument(call, 1, 0), length);

	return listed("write", write(slot_of(call).fd, (void *)data, length));
}

static int call_vector(const struct call *call)
{
	bool reads = call->op == OP_READV;
	__u8 *area = reads ? memory.sink : memory.source;
	__u8 *end = reads ? memory.sink_end : memory.source_end;
	struct iovec parts[2] = {
		{ area, length_of(call, 0, 8) },
		{ (void *)memory_address(area, end, call_argument(call, 1, 0), 8),
		  length_of(call, 2, 8) },
	};

	if (reads)
		return listed("readv", readv(slot_of(call).fd, parts, 2));
	return listed("writev", writev(slot_of(call).fd, parts, 2));
}

/* A device, or an epoll that may have one, keeps an inbox for who polls it. */
static void note_polled(const struct call *call, struct slot slot)
{
	if (slot.kind == FILE_DEVICE || slot.kind == FILE_OTHER)
		__atomic_fetch_add(&shared->workers[call->worker].inboxes, 1, __ATOMIC_RELAXED);
}

static int call_poll(const struct call *call)
{
	struct pollfd files[2] = {
		{ .fd = slot_of(call).fd, .events = call_argument(call, 1, POLLIN | POLLOUT) },
		{ .fd = shared->slots[call->other].fd, .events = POLLIN },
	};

	note_polled(call, slot_of(call));
	note_polled(call, shared->slots[call->other]);
	return poll(files, 2, call_argument(call, 0, 0) & 1 ? -1 : 0) < 0 ? -errno : 0;
}

static int call_epoll_new(const struct call *call)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT };
	__u64 how = call_argument(call, 0, 0);
	int fd = epoll_create1(EPOLL_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (how & 1)
		event.events |= EPOLLET;
	if (how & 2)
		event.events |= EPOLLEXCLUSIVE;
	else if (how & 4)
		event.events |= EPOLLONESHOT;
	note_polled(call, slot_of(call));
	slot_set(call->other, fd, FILE_OTHER, 0);
	return epoll_ctl(fd, EPOLL_CTL_ADD, slot_of(call).fd, &event) ? -errno : 0;
}

static int call_epoll_wait(const struct call *call)
{
	struct epoll_event events[4];
	int wait = call_argument(call, 0, 0) & 1 ? -1 : 0;

	note_polled(call, slot_of(call));
	return epoll_wait(slot_of(call).fd, events, 4, wait) < 0 ? -errno : 0;
}

/* The first one to come closes it: the number may be in use again. */
static int call_close(const struct call *call)
{
	struct slot *slot = &shared->slots[call->slot];
	int fd = __atomic_exchange_n(&slot->fd, -1, __ATOMIC_RELAXED);

	slot->kind = FILE_NONE;
	return fd >= FIRST_FD && close(fd) ? -errno : 0;
}

static int call_dup(const struct call *call)
{
	struct slot from = slot_of(call);
	int fd = fcntl(from.fd, F_DUPFD_CLOEXEC, FIRST_FD);

	if (fd < 0)
		return -errno;
	slot_set(call->other, fd, from.kind, from.id);
	return 0;
}

static int call_device(const struct call *call)
{
	int fd = open("/dev/mailbox", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	slot_set(call->other, fd, FILE_DEVICE, 0);
	return 0;
}

static int call_nonblock(const struct call *call)
{
	return fcntl(slot_of(call).fd, F_SETFL, call_argument(call, 0, 1) & 1 ? O_NONBLOCK : 0) ?
		       -errno :
		       0;
}

static int call_fdinfo(const struct call *call)
{
	char path[64], text[1024];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", slot_of(call).fd);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (read(fd, text, sizeof(text)) < 0)
		text[0] = 0;
	close(fd);
	return 0;
}

/* A page of the region, or of one of the first lanes, for either side; or nothing. */
static int call_mmap(const struct call *call)
{
	const __u64 what = call_argument(call, 0, 0);
	const bool lane = what & 1;
	const __u64 offset = lane ? (1ULL << 40) + ((what >> 1 & 1) << 31) +
					     ((what >> 2 & 3) << 32) + (what >> 4 & 7) * PAGE :
				    (what >> 1 & 7) * PAGE;
	int protection = PROT_READ | PROT_WRITE;
	volatile __u64 *at;

	at = mmap64(NULL, PAGE, protection, MAP_SHARED, slot_of(call).fd, offset);
	if (at == MAP_FAILED && errno == EACCES) {
		protection = PROT_READ;
		at = mmap64(NULL, PAGE, protection, MAP_SHARED, slot_of(call).fd, offset);
	}
	if (at == MAP_FAILED)
		return -errno;
	/* What the module believes nobody. */
	if (lane && (protection & PROT_WRITE))
		at[0] = call_argument(call, 1, 8);
	munmap((void *)at, PAGE);
	return 0;
}

union rights {
	struct cmsghdr header;
	char space[CMSG_SPACE(sizeof(int))];
};

/* Only what cannot lead back to the socket. */
static int call_pass(const struct call *call)
{
	union rights rights = { .header = { CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
	struct iovec byte = { "", 1 };
	struct msghdr message = { .msg_iov = &byte,
				  .msg_iovlen = 1,
				  .msg_control = &rights,
				  .msg_controllen = sizeof(rights) };
	int fd = slot_of(call).fd;

	if (!is_mailbox(call))
		return 0;
	memcpy(CMSG_DATA(&rights.header), &fd, sizeof(fd));
	return sendmsg(FD_SOCKETS, &message, MSG_DONTWAIT) < 0 ? -errno : 0;
}

static int accept_one(void)
{
	union rights rights;
	char text;
	struct iovec byte = { &text, 1 };
	struct msghdr message = { .msg_iov = &byte,
				  .msg_iovlen = 1,
				  .msg_control = &rights,
				  .msg_controllen = sizeof(rights) };
	int fd;

	if (recvmsg(FD_SOCKETS + 1, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) < 0)
		return -errno;
	if (!message.msg_controllen)
		return -EMFILE;
	memcpy(&fd, CMSG_DATA(&rights.header), sizeof(fd));
	return fd;
}

static int call_accept(const struct call *call)
{
	int fd = accept_one();

	if (fd < 0)
		return fd;
	slot_set(call->other, fd, FILE_HANDLE, shared->last_id);
	return 0;
}

void passed_drain(void)
{
	while (accept_one() != -EAGAIN)
		;
}

int call_plain(const struct call *call, unsigned int index)
{
	if (call->op == OP_SPAWN)
		return worker_spawn(call, index);
	switch (call->op) {
	case OP_IOCTL:
		return call_ioctl(call);
	case OP_READ:
		return is_mailbox(call) ? call_read(call) : 0;
	case OP_WRITE:
		return is_mailbox(call) ? call_write(call) : 0;
	case OP_READV:
	case OP_WRITEV:
		return is_mailbox(call) ? call_vector(call) : 0;
	case OP_POLL:
		return call_poll(call);
	case OP_EPOLL_NEW:
		return call_epoll_new(call);
	case OP_EPOLL_WAIT:
		return call_epoll_wait(call);
	case OP_CLOSE:
		return call_close(call);
	case OP_DUP:
		return call_dup(call);
	case OP_DEVICE:
		return call_device(call);
	case OP_NONBLOCK:
		return call_nonblock(call);
	case OP_FDINFO:
		return call_fdinfo(call);
	case OP_MMAP:
		return call_mmap(call);
	case OP_PASS:
		return call_pass(call);
	case OP_ACCEPT:
		return call_accept(call);
	default:
		return 0;
	}
}
