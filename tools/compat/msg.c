// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * SysV messages: msgget(2), msgsnd(2) and msgrcv(2). An identifier is the id of a mailbox.
 *
 * A call is made at first so that it does not wait. Most then are done; and a queue that is found
 * to be gone was gone before the call (EINVAL), while one that goes during the wait is EIDRM.
 */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/msg.h>
#include <sys/single_threaded.h>

#include "device.h"
#include "handles.h"
#include "keys.h"
#include "limits.h"
#include "memory.h"
#include "msg.h"
#include "real.h"

/* As the first programs knew them: what comes after is of no use here, and costs time. */
#define SEND_SIZE    offsetof(struct mailbox_send, receipt)
#define RECEIVE_SIZE offsetof(struct mailbox_receive, lease)
/* So often a handle may be revoked, by IPC_SET elsewhere, while the call is under way. */
#define TRIES 100

/* ioctl(2), which waits here, so that a thread can be cancelled in it. */
extern int waiting_ioctl(int fd, unsigned long command, ...) __asm__("ioctl");

/* The module may allow less. */
static long longest(void)
{
	long limit = compat_limit("/proc/sys/kernel/msgmax", 8192);
	int error = errno, device = compat_device();
	struct mailbox_info info;

	if (device >= 0 && !mailbox_info(device, &info) && limit > (int64_t)info.max_message_size)
		limit = info.max_message_size;
	errno = error;
	return limit;
}

const struct compat_msg_limits *compat_msg_limits(void)
{
	static struct compat_msg_limits limits;

	/* Whoever else does this meanwhile stores the same; the first member comes last. */
	if (!__atomic_load_n(&limits.max, __ATOMIC_ACQUIRE)) {
		limits.mnb = compat_limit("/proc/sys/kernel/msgmnb", 16384);
		limits.mni = compat_limit("/proc/sys/kernel/msgmni", 32000);
		__atomic_store_n(&limits.max, longest(), __ATOMIC_RELEASE);
	}
	return &limits;
}

COMPAT_PUBLIC int msgget(key_t key, int flags)
{
	const struct compat_msg_limits *limits = compat_msg_limits();
	struct mailbox_create create = {
		.size = sizeof(create),
		.on_full = MAILBOX_ON_FULL_WAIT_EACH,
		.share = 100,
		.message_size = limits->max < limits->mnb ? limits->max : limits->mnb,
		.max_messages = limits->mnb,
		.max_bytes = limits->mnb,
	};
	struct mailbox_stat found;

	return compat_key_get(COMPAT_MSG, key, flags, &create, &found);
}

/* One call, of a thread that does not hold what other threads of the process need. */
struct msg_call {
	int id;
	enum compat_use use;
	unsigned long command;
	/* The structure of the call, and where its flags are. */
	void *argument;
	uint32_t *flags;
	/* What it has of the mailbox while it is in the kernel. */
	struct compat_handle *handle;
};

static void put(void *handle)
{
	compat_handle_put(handle);
}

/* Returns 0 or the errno. */
static __attribute__((noinline)) int call_and_wait(const struct msg_call *call)
{
	int fd = compat_handle_fd(call->handle, call->use), error = 0, type;

	*call->flags &= ~MAILBOX_NONBLOCK;
	if (__libc_single_threaded) {
		error = ioctl(fd, call->command, call->argument) ? errno : 0;
	} else {
		pthread_cleanup_push(put, call->handle);
		pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &type);
		error = waiting_ioctl(fd, call->command, call->argument) ? errno : 0;
		pthread_setcanceltype(type, NULL);
		pthread_cleanup_pop(0);
	}
	*call->flags |= MAILBOX_NONBLOCK;
	return error;
}

/* Returns 0 or the errno, that of the module for what it alone can know. */
static inline int call_once(struct msg_call *call, bool wait)
{
	int error;

	call->handle = compat_handle_find(call->id, COMPAT_MSG, call->use);
	if (!call->handle)
		return errno;
	error = 0;
	if (ioctl(compat_handle_fd(call->handle, call->use), call->command, call->argument)) {
		error = errno;
		if (error == EIDRM)
			error = EINVAL;
		else if (error == EAGAIN && wait)
			error = call_and_wait(call);
	}
	compat_handle_put(call->handle);
	return error;
}

/* What is not to be: the handle is one no more. Opened again, it may be one, or tell why not. */
static __attribute__((noinline)) int call_again(struct msg_call *call, int error, bool wait)
{
	int tries;

	for (tries = 0; tries < TRIES && (error == EACCES || error == EBADF || error == ENOTTY);
	     tries++) {
		compat_handle_forget(call->id);
		error = call_once(call, wait);
		if (!call->handle)
			return error;
	}
	if (error == EIDRM || error == EINVAL)
		compat_handle_forget(call->id);
	return error;
}

static inline int call(struct msg_call *call, bool wait)
{
	int error;

	if (!__libc_single_threaded)
		pthread_testcancel();
	error = call_once(call, wait);
	return error ? call_again(call, error, wait) : 0;
}

COMPAT_PUBLIC int msgsnd(int id, const void *message, size_t length, int flags)
{
	struct mailbox_send send = {
		.size = SEND_SIZE,
		.flags = MAILBOX_NO_RESTART | MAILBOX_NONBLOCK,
		.data = (uintptr_t)message + sizeof(long),
		.length = length,
	};
	struct msg_call this = {
		.id = id,
		.use = COMPAT_SEND,
		.command = MAILBOX_IOC_SEND,
		.argument = &send,
		.flags = &send.flags,
	};
	bool wait = !(flags & IPC_NOWAIT);
	long type;
	int error;

	if (!compat_readable(message))
		return compat_fail(EFAULT);
	type = *(const long *)message;
	if (id < 0 || length > (size_t)compat_msg_limits()->max || type < 1)
		return compat_fail(EINVAL);
	send.type = type;
	error = call(&this, wait);
	if (!error)
		return 0;
	/* More than the queue may hold since IPC_SET: there is never room. */
	if (error == EMSGSIZE)
		error = wait ? EINVAL : EAGAIN;
	return compat_fail(error);
}

static void select_type(struct mailbox_receive *receive, long type, int flags)
{
	if (flags & MSG_COPY) {
		receive->select = MAILBOX_SELECT_INDEX;
		receive->match = type;
		receive->flags |= MAILBOX_PEEK;
	} else if (type < 0) {
		receive->select = MAILBOX_SELECT_TYPE_UP_TO;
		receive->match = type == LONG_MIN ? LONG_MAX : -type;
	} else if (type > 0) {
		receive->select = flags & MSG_EXCEPT ? MAILBOX_SELECT_TYPE_NOT :
						       MAILBOX_SELECT_TYPE;
		receive->match = type;
	}
}

/* Too long: the kernel's own queues do not cut a copy. */
static int too_long(int flags)
{
	return (flags & (MSG_COPY | MSG_NOERROR)) == (MSG_COPY | MSG_NOERROR) ? EINVAL : E2BIG;
}

COMPAT_PUBLIC ssize_t msgrcv(int id, void *message, size_t room, long type, int flags)
{
	struct mailbox_receive receive = {
		.size = RECEIVE_SIZE,
		.flags = MAILBOX_NO_RESTART | MAILBOX_NONBLOCK,
		.data = (uintptr_t)message + sizeof(long),
		.room = room > UINT32_MAX ? UINT32_MAX : room,
	};
	struct msg_call this = {
		.id = id,
		.use = COMPAT_RECEIVE,
		.command = MAILBOX_IOC_RECEIVE,
		.argument = &receive,
		.flags = &receive.flags,
	};
	int error;

	if (id < 0 || room > LONG_MAX)
		return compat_fail(EINVAL);
	if ((flags & MSG_COPY) && ((flags & MSG_EXCEPT) || !(flags & IPC_NOWAIT)))
		return compat_fail(EINVAL);
	if (!compat_writable(message))
		return compat_fail(EFAULT);
	select_type(&receive, type, flags);
	if ((flags & MSG_NOERROR) && !(flags & MSG_COPY))
		receive.flags |= MAILBOX_TRUNCATE;

	error = call(&this, !(flags & IPC_NOWAIT));
	if (error == EAGAIN)
		error = ENOMSG;
	else if (error == EMSGSIZE)
		error = too_long(flags);
	if (error)
		return compat_fail(error);
	*(long *)message = receive.type;
	return receive.length < room ? receive.length : room;
}
