/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MBX_REPORT_H
#define MBX_REPORT_H

#include <linux/cred.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/uaccess.h>
#include <linux/uidgid.h>
#include <linux/user_namespace.h>
#include <uapi/linux/mailbox.h>

#include "message.h"

/**
 * DOC: report
 *
 * What struct mailbox_receive tells a receiver of a message, as the receiver sees it.
 */

/* How the reader sees a user and a group; in the first namespace, nothing is translated. */
static __always_inline void mbx_report_ids(kuid_t kuid, kgid_t kgid, u32 *uid, u32 *gid)
{
	struct user_namespace *ns = current_user_ns();

	if (likely(ns == &init_user_ns)) {
		*uid = __kuid_val(kuid);
		*gid = __kgid_val(kgid);
	} else {
		*uid = from_kuid_munged(ns, kuid);
		*gid = from_kgid_munged(ns, kgid);
	}
}

/* How the reader sees the sender. */
static __always_inline void mbx_report_identify(const struct mbx_message *msg, u32 *uid, u32 *gid,
						s32 *pid, s32 *tid)
{
	mbx_report_ids(msg->uid, msg->gid, uid, gid);
	if (likely(!task_pid(current)->level)) {
		*pid = msg->process->numbers[0].nr;
		*tid = msg->thread->numbers[0].nr;
	} else {
		*pid = pid_vnr(msg->process);
		*tid = pid_vnr(msg->thread);
	}
}

/**
 * mbx_report_put() - write what a receiver is told
 * @msg: a message that nobody changes or frees meanwhile
 * @to: where, in user memory
 * @data: where the payload goes
 * @copied: bytes of payload to copy, where it is behind the message
 * @with_payload: copy it too; else it was copied already
 * @result: bits of enum mailbox_result
 *
 * All in one go: see "Speed" in Documentation/message-path.rst.
 *
 * Context: Process context, may sleep.
 * Return: 0 or -EFAULT.
 */
static __always_inline int mbx_report_put(const struct mbx_message *msg,
					  struct mailbox_receive __user *to, u8 __user *data,
					  u32 copied, bool with_payload, u32 result)
{
	u32 uid, gid;
	s32 pid, tid;

	mbx_report_identify(msg, &uid, &gid, &pid, &tid);
	/* Where there is nothing to copy, data may be anything. */
	if (with_payload && unlikely(!access_ok(data, copied) && copied))
		return -EFAULT;
	if (!user_access_begin(to, offsetofend(struct mailbox_receive, deliveries)))
		return -EFAULT;
	if (with_payload)
		mbx_unsafe_put_words(data, msg->inline_data, copied, fault);
	/* Who only looks sets it right: bytes may be read meanwhile. */
	unsafe_put_user(data_race(msg->length), &to->length, fault);
	unsafe_put_user(msg->entry.priority, &to->priority, fault);
	unsafe_put_user(msg->entry.type, &to->type, fault);
	unsafe_put_user(msg->entry.sequence, &to->sequence, fault);
	unsafe_put_user(msg->time, &to->time, fault);
	unsafe_put_user(msg->entry.expiry, &to->expiry, fault);
	unsafe_put_user(pid, &to->pid, fault);
	unsafe_put_user(tid, &to->tid, fault);
	unsafe_put_user(uid, &to->uid, fault);
	unsafe_put_user(gid, &to->gid, fault);
	unsafe_put_user(result, &to->result, fault);
	unsafe_put_user(msg->deliveries, &to->deliveries, fault);
	user_access_end();
	return 0;
fault:
	user_access_end();
	return -EFAULT;
}

#endif /* MBX_REPORT_H */
