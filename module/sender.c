// SPDX-License-Identifier: GPL-2.0-only
#include <linux/fs.h>
#include <linux/pid.h>

#include "expire.h"
#include "handle.h"
#include "ioctl.h"
#include "lease.h"
#include "mailbox.h"
#include "peer.h"
#include "sender.h"

/* Return: 0, and the sender with a reference; or a negative errno. */
static int find(struct mbx_handle *handle, u64 lease, struct pid **sender)
{
	struct mbx_box *box = handle->box;
	struct mbx_message *msg;
	int ret;

	mbx_box_lock_fresh(box);
	msg = mbx_lease_find_locked(handle, lease);
	ret = mbx_handle_refused_locked(handle) ?: (msg ? 0 : -ESTALE);
	if (!ret)
		*sender = get_pid(msg->process);
	spin_unlock(&box->lock);
	return ret;
}

/**
 * mbx_sender() - MAILBOX_IOC_SENDER
 * @file: a handle
 * @call: the call
 *
 * The process that has not ended is looked at after the caller has done whatever it did with
 * the number: see DOC: Who has sent it in the uapi header.
 *
 * Return: 0; -EOPNOTSUPP; -EINVAL; -EACCES; -ESTALE; -ESRCH; -EIDRM; -EFAULT.
 */
int mbx_sender(struct file *file, struct mbx_call *call)
{
	struct mbx_handle *handle = file->private_data;
	struct mailbox_sender *args = &call->sender;
	struct pid *sender;
	int ret;

	if (args->flags)
		return -EOPNOTSUPP;
	if (args->reserved)
		return -EINVAL;
	if (!(handle->rights & MAILBOX_RIGHT_RECEIVE))
		return -EACCES;
	ret = find(handle, args->lease, &sender);
	if (ret)
		return ret;
	args->pid = pid_vnr(sender);
	ret = mbx_peer_has_ended(sender) ? -ESRCH : 0;
	put_pid(sender);
	return ret ?: mbx_call_reply(call, sizeof(*args));
}
