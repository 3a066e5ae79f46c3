// SPDX-License-Identifier: GPL-2.0-only
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/minmax.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/uaccess.h>

#include "device.h"
#include "direct.h"
#include "directory.h"
#include "domain.h"
#include "inbox.h"
#include "ioctl.h"
#include "link.h"
#include "mailbox.h"
#include "receive.h"
#include "send.h"
#include "wait.h"

#define SEND_FLAGS    (MBX_WAIT_FLAGS | MAILBOX_EXPIRES)
#define RECEIVE_FLAGS (MBX_WAIT_FLAGS | MAILBOX_PEEK | MAILBOX_TRUNCATE)

/* What is used of the structures; no program made for direct communication has shorter ones. */
#define SEND_LEAST    offsetofend(struct mailbox_send, sequence)
#define RECEIVE_LEAST offsetofend(struct mailbox_receive, deliveries)

/* Differs between processes that have had the same pid: they began one after the other. */
static u64 number_of(struct pid *process)
{
	struct task_struct *task;
	u64 number = 0;

	rcu_read_lock();
	task = pid_task(process, PIDTYPE_TGID);
	if (task)
		number = task->start_boottime ?: 1;
	rcu_read_unlock();
	return number;
}

/* Return: the process that is named, with a reference; or ERR_PTR: -EINVAL, -ESRCH. */
static struct pid *find_process(const struct mailbox_direct *req)
{
	struct pid *process;
	int ret = -EINVAL;

	if (req->pid <= 0)
		return ERR_PTR(-EINVAL);
	process = find_get_pid(req->pid);
	if (!process)
		return ERR_PTR(-ESRCH);
	if (!pid_has_task(process, PIDTYPE_TGID) ||
	    (req->process && number_of(process) != req->process))
		ret = -ESRCH;
	else if (process != task_tgid(current) || (req->flags & MAILBOX_IDENTIFY))
		return process;
	put_pid(process);
	return ERR_PTR(ret);
}

/* Read a structure of a message, as the dispatcher does it. */
static int read_message(void *to, size_t known, size_t least, const void __user *from)
{
	u32 size;

	if (get_user(size, (const u32 __user *)from))
		return -EFAULT;
	if (size < least)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	return copy_struct_from_user(to, known, from, size);
}

static int identify(struct mbx_call *call)
{
	struct mailbox_direct *req = &call->direct;
	struct pid *process;

	if (req->process)
		return -EINVAL;
	process = find_process(req);
	if (IS_ERR(process))
		return PTR_ERR(process);
	req->process = number_of(process);
	put_pid(process);
	return req->process ? mbx_call_reply(call, sizeof(*req)) : -ESRCH;
}

/* Return: as mbx_send_direct(). */
static s64 send_once(struct mbx_domain *domain, struct pid *process,
		     const struct mbx_send_args *args)
{
	struct mbx_link_side *side;
	struct mbx_inbox *inbox;
	bool first;
	s64 ret;

	side = mbx_link_begin(domain, process, &first);
	if (IS_ERR(side))
		return PTR_ERR(side);
	inbox = mbx_link_other(side)->inbox;
	ret = mbx_send_direct(&inbox->handle, READ_ONCE(side->share), args);
	mbx_link_end(side, first, ret > 0);
	return ret;
}

/**
 * mbx_direct_send() - MAILBOX_IOC_SEND_TO
 * @file: the device
 * @call: the call
 * Return: 0 or a negative errno as struct mailbox_direct lists them.
 */
int mbx_direct_send(struct file *file, struct mbx_call *call)
{
	const struct mailbox_direct *req = &call->direct;
	struct mailbox_send __user *arg = u64_to_user_ptr(req->message);
	struct mbx_send_args args;
	struct mailbox_send said;
	struct pid *process;
	s64 ret;

	if (req->flags & ~MAILBOX_IDENTIFY)
		return -EOPNOTSUPP;
	if (req->reserved)
		return -EINVAL;
	if (req->flags)
		return identify(call);
	ret = read_message(&said, sizeof(said), SEND_LEAST, arg);
	if (ret)
		return ret;
	if (said.flags & ~SEND_FLAGS)
		return -EOPNOTSUPP;
	args = (struct mbx_send_args){
		.data = u64_to_user_ptr(said.data),
		.type = said.type,
		/* 0 is "never" from here on; at 0 and at 1 it expired long ago. */
		.expiry = said.flags & MAILBOX_EXPIRES ? said.expiry ?: 1 : 0,
		.deadline = said.flags & MAILBOX_DEADLINE ? said.deadline : MBX_FOREVER,
		.length = said.length,
		.priority = said.priority,
		.nonblock = (said.flags & MAILBOX_NONBLOCK) || (file->f_flags & O_NONBLOCK),
	};
	process = find_process(req);
	if (IS_ERR(process))
		return PTR_ERR(process);
	/* Find out now whether the answer can be written: later the message is sent. */
	if (put_user(0, &arg->sequence)) {
		put_pid(process);
		return -EFAULT;
	}
	do {
		ret = send_once(mbx_device_domain(file), process, &args);
	} while (ret == -EIDRM && !READ_ONCE(mbx_device_domain(file)->directory.ended));
	put_pid(process);
	if (ret < 0)
		return ret;
	/* As in mbx_send_user(): it could be written above, and the message is sent. */
	put_user(ret, &arg->sequence);
	return 0;
}

/**
 * mbx_direct_receive() - MAILBOX_IOC_RECEIVE_FROM
 * @file: the device
 * @call: the call
 * Return: 0 or a negative errno as struct mailbox_direct lists them.
 */
int mbx_direct_receive(struct file *file, struct mbx_call *call)
{
	const struct mailbox_direct *req = &call->direct;
	struct mailbox_receive __user *arg = u64_to_user_ptr(req->message);
	struct mbx_domain *domain = mbx_device_domain(file);
	struct mbx_receive_args args;
	struct mailbox_receive said;
	struct mbx_inbox *inbox;
	u32 copied;
	int ret;

	if (req->flags)
		return -EOPNOTSUPP;
	if (req->reserved || req->pid < 0 || (req->process && !req->pid))
		return -EINVAL;
	ret = read_message(&said, sizeof(said), RECEIVE_LEAST, arg);
	if (ret)
		return ret;
	if (said.flags & ~RECEIVE_FLAGS)
		return -EOPNOTSUPP;
	if (req->pid && (said.select != MBX_SELECT_FIRST || req->pid == task_tgid_vnr(current)))
		return -EINVAL;
	args = (struct mbx_receive_args){
		.data = u64_to_user_ptr(said.data),
		.report = arg,
		.select = { .kind = said.select, .match = said.match },
		.deadline = said.flags & MAILBOX_DEADLINE ? said.deadline : MBX_FOREVER,
		.room = said.room,
		.peek = said.flags & MAILBOX_PEEK,
		.truncate = said.flags & MAILBOX_TRUNCATE,
		.nonblock = (said.flags & MAILBOX_NONBLOCK) || (file->f_flags & O_NONBLOCK),
	};
	if (req->pid)
		args.select = (struct mbx_select){ MBX_SELECT_SENDER, req->pid };
	if (req->process) {
		args.peer = find_process(req);
		if (IS_ERR(args.peer))
			return PTR_ERR(args.peer);
	}
	do {
		inbox = mbx_inbox_own(domain);
		if (IS_ERR(inbox)) {
			ret = PTR_ERR(inbox);
			break;
		}
		ret = mbx_receive(&inbox->handle, &args, &copied);
		mbx_inbox_tidy(inbox);
		mbx_inbox_put(inbox);
	} while (ret == -EIDRM && !READ_ONCE(domain->directory.ended));
	put_pid(args.peer);
	return ret;
}

/**
 * mbx_direct_allow() - MAILBOX_IOC_ALLOW
 * @file: the device
 * @call: the call
 * Return: 0 or a negative errno as struct mailbox_allow lists them.
 */
int mbx_direct_allow(struct file *file, struct mbx_call *call)
{
	const struct mailbox_allow *req = &call->allow;
	struct mbx_domain *domain = mbx_device_domain(file);
	struct mbx_inbox *inbox;
	LIST_HEAD(idle);

	if (req->flags)
		return -EOPNOTSUPP;
	if (req->who > MAILBOX_ALLOW_NOBODY || req->reserved)
		return -EINVAL;
	mutex_lock(&domain->directory.lock);
	inbox = mbx_inbox_get_locked(domain, task_tgid(current));
	if (!IS_ERR(inbox)) {
		/* It stays for as long as it says something. */
		WRITE_ONCE(inbox->users, inbox->users + !!req->who - !!inbox->who);
		WRITE_ONCE(inbox->who, req->who);
		mbx_inbox_tidy_locked(inbox, &idle);
		mbx_inbox_put(inbox);
	}
	mutex_unlock(&domain->directory.lock);
	mbx_inbox_bury(&idle);
	return PTR_ERR_OR_ZERO(inbox);
}
