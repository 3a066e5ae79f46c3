/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MBX_IOCTL_H
#define MBX_IOCTL_H

#include <linux/types.h>
#include <uapi/linux/mailbox.h>

struct file;
struct mbx_handle;
struct mbx_patience;

/**
 * DOC: ioctl
 *
 * Two tables, one for the device and one for handles: a command is one line and one
 * handler. The dispatcher checks the size and copies the structure in. A handler
 * checks what it means and writes its answer with mbx_call_reply() before it does
 * anything that can be seen.
 *
 * SEND and RECEIVE, CALL and its like are dispatched ahead of the table and read their
 * arguments member by member: copying the structure as a whole costs 300 instructions more.
 */

/**
 * struct mbx_call - one ioctl on its way
 * @arg: the structure in user memory
 * @size: its size as the caller knows it
 * @any: the bytes of whichever structure it is; as long as the longest that is read whole
 * @info: the structure of MAILBOX_IOC_INFO
 * @create: the structure of MAILBOX_IOC_CREATE
 * @open: the structure of MAILBOX_IOC_OPEN
 * @destroy: the structure of MAILBOX_IOC_DESTROY
 * @list: the structure of MAILBOX_IOC_LIST
 * @stat: what is read of the structure of MAILBOX_IOC_STAT
 * @set: the structure of MAILBOX_IOC_SET
 * @lease: the structure of MAILBOX_IOC_ACK, MAILBOX_IOC_NACK and MAILBOX_IOC_EXTEND
 * @notify: the structure of MAILBOX_IOC_NOTIFY
 * @yield: the structure of MAILBOX_IOC_YIELD
 * @derive: the structure of MAILBOX_IOC_RESTRICT
 * @revoke: the structure of MAILBOX_IOC_REVOKE
 * @sender: the structure of MAILBOX_IOC_SENDER
 * @lane_open: the structure of MAILBOX_IOC_LANE_OPEN
 * @lane_wait: the structure of MAILBOX_IOC_LANE_WAIT
 * @lane_wake: the structure of MAILBOX_IOC_LANE_WAKE
 * @lane_close: the structure of MAILBOX_IOC_LANE_CLOSE
 * @borrow: the structure of MAILBOX_IOC_LOAN
 * @give_back: the structure of MAILBOX_IOC_RETURN
 * @direct: the structure of MAILBOX_IOC_SEND_TO and MAILBOX_IOC_RECEIVE_FROM
 * @links: the structure of MAILBOX_IOC_LINKS
 * @allow: the structure of MAILBOX_IOC_ALLOW
 * @batch: the structure of MAILBOX_IOC_SEND_BATCH and MAILBOX_IOC_RECEIVE_BATCH
 */
struct mbx_call {
	void __user *arg;
	u32 size;
	union {
		u8 any[sizeof(struct mailbox_create)];
		struct mailbox_info info;
		struct mailbox_create create;
		struct mailbox_open open;
		struct mailbox_destroy destroy;
		struct mailbox_list list;
		struct {
			u32 size;
			u32 flags;
		} stat;
		struct mailbox_set set;
		struct mailbox_batch batch;
		struct mailbox_lease lease;
		struct mailbox_yield yield;
		struct mailbox_restrict derive;
		struct mailbox_revoke revoke;
		struct mailbox_sender sender;
		struct mailbox_loan borrow;
		struct mailbox_return give_back;
		struct mailbox_notify notify;
		struct mailbox_lane_open lane_open;
		struct mailbox_lane_wait lane_wait;
		struct mailbox_lane_wake lane_wake;
		struct mailbox_lane_close lane_close;
		struct mailbox_direct direct;
		struct mailbox_links links;
		struct mailbox_allow allow;
	};
};

/**
 * struct mbx_progress - what a call that does many things tells of how far it came
 * @known: size of its structure as the module knows it
 * @done: member of the structure: how many were done
 * @error: member of the structure: what stopped it, or 0
 */
struct mbx_progress {
	size_t known;
	u32 *done;
	s32 *error;
};

int mbx_call_reply(const struct mbx_call *call, size_t known);
int mbx_call_begin(const struct mbx_call *call, const struct mbx_progress *progress);
int mbx_call_end(const struct mbx_call *call, const struct mbx_progress *progress, u32 done,
		 int error);
int mbx_call_check_size(const void __user *arg, u32 size, size_t least, size_t known,
			const struct mbx_patience *batch);
long mbx_device_ioctl(struct file *file, unsigned int cmd, unsigned long arg);
long mbx_handle_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

#endif /* MBX_IOCTL_H */
