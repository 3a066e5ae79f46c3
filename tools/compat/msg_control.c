// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * SysV messages: msgctl(2).
 */
#include <errno.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/msg.h>

#include <unistd.h>

#include "clock.h"
#include "control.h"
#include "handles.h"
#include "keys.h"
#include "memory.h"
#include "msg.h"
#include "real.h"
#include "walk.h"

/* What the kernel says to IPC_INFO, which it has not used for long. */
#define MSG_POOL     (32000 * 16384 / 1024)
#define MSG_SEGMENT  16
#define MSG_SEGMENTS 0xffff

static void describe(const struct mailbox_stat *stat, struct msqid_ds *queue)
{
	*queue = (struct msqid_ds){
		.msg_stime = compat_wall_clock(stat->last_sent),
		.msg_rtime = compat_wall_clock(stat->last_received),
		.msg_ctime = compat_wall_clock(stat->changed),
		.__msg_cbytes = stat->bytes,
		.msg_qnum = stat->messages,
		.msg_qbytes = stat->max_bytes,
		.msg_lspid = stat->last_sender,
		.msg_lrpid = stat->last_receiver,
	};
	compat_key_perm(COMPAT_MSG, stat, &queue->msg_perm);
}

static int get(int id, struct msqid_ds *queue)
{
	struct mailbox_stat stat;

	if (!compat_all_writable(queue, sizeof(*queue)))
		return compat_fail(EFAULT);
	if (compat_control_stat(id, COMPAT_MSG, &stat))
		return -1;
	describe(&stat, queue);
	return 0;
}

static int get_by_index(int index, struct msqid_ds *queue, bool any)
{
	struct mailbox_stat stat;
	int id;

	if (!compat_all_writable(queue, sizeof(*queue)))
		return compat_fail(EFAULT);
	id = compat_control_index(index, COMPAT_MSG, any, &stat);
	if (id >= 0)
		describe(&stat, queue);
	return id;
}

static int get_limits(struct msginfo *info, bool used)
{
	const struct compat_msg_limits *limits = compat_msg_limits();
	struct compat_walk walk;

	if (!compat_all_writable(info, sizeof(*info)))
		return compat_fail(EFAULT);
	if (compat_walk(COMPAT_MSG, 0, NULL, &walk))
		return -1;
	*info = (struct msginfo){
		.msgpool = used ? walk.count : MSG_POOL,
		.msgmap = used ? (int)walk.messages : 16384,
		.msgmax = limits->max,
		.msgmnb = limits->mnb,
		.msgmni = limits->mni,
		.msgssz = MSG_SEGMENT,
		.msgtql = used ? (int)walk.bytes : 16384,
		.msgseg = MSG_SEGMENTS,
	};
	return walk.count ? walk.count - 1 : 0;
}

static bool has_resource_capability(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	return !syscall(SYS_capget, &header, data) && (data[0].effective & 1U << CAP_SYS_RESOURCE);
}

/* A queue that holds less than the longest message takes none that is longer than it. */
static int set_bytes(const struct mailbox_stat *stat, msglen_t bytes, struct mailbox_set *set)
{
	const struct compat_msg_limits *limits = compat_msg_limits();

	if (bytes == stat->max_bytes)
		return 0;
	if (!bytes)
		return compat_fail(EINVAL);
	if (bytes > (msglen_t)limits->mnb && !has_resource_capability())
		return compat_fail(EPERM);
	set->flags |= MAILBOX_SET_MAX_BYTES | MAILBOX_SET_MAX_MESSAGES | MAILBOX_SET_MESSAGE_SIZE;
	set->max_bytes = bytes;
	set->max_messages = bytes;
	set->message_size = bytes < (msglen_t)limits->max ? bytes : (msglen_t)limits->max;
	return 0;
}

static int set(int id, const struct msqid_ds *queue)
{
	struct mailbox_revoke revoke = { .size = sizeof(revoke), .flags = MAILBOX_REVOKE_ALL };
	struct mailbox_set set = { 0 };
	struct mailbox_stat stat;
	bool others;
	int fd, ret;

	if (!compat_all_readable(queue, sizeof(*queue)))
		return compat_fail(EFAULT);
	fd = compat_control_open(id, COMPAT_MSG, &stat);
	if (fd < 0)
		return -1;
	others = compat_control_owner(&stat, &queue->msg_perm, &set);
	ret = set_bytes(&stat, queue->msg_qbytes, &set);
	if (!ret) {
		ret = mailbox_set(fd, &set);
		ret = ret ? compat_fail(compat_control_error(-ret)) : 0;
	}
	/* Who has it open is asked again whether he may. */
	if (!ret && others)
		ioctl(fd, MAILBOX_IOC_REVOKE, &revoke);
	compat_close(fd);
	return ret;
}

static int remove_queue(int id)
{
	struct mailbox_stat stat;
	int fd = compat_control_open(id, COMPAT_MSG, &stat), ret;

	if (fd < 0)
		return -1;
	ret = mailbox_destroy(fd);
	compat_close(fd);
	compat_handle_forget(id);
	return ret ? compat_fail(EINVAL) : 0;
}

COMPAT_PUBLIC int msgctl(int id, int command, struct msqid_ds *queue)
{
	if (id < 0 || command < 0)
		return compat_fail(EINVAL);
	switch (command) {
	case IPC_STAT:
		return get(id, queue);
	case IPC_SET:
		return set(id, queue);
	case IPC_RMID:
		return remove_queue(id);
	case IPC_INFO:
	case MSG_INFO:
		return get_limits((struct msginfo *)queue, command == MSG_INFO);
	case MSG_STAT:
	case MSG_STAT_ANY:
		return get_by_index(id, queue, command == MSG_STAT_ANY);
	default:
		return compat_fail(EINVAL);
	}
}
