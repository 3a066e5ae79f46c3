// SPDX-License-Identifier: GPL-2.0-only
#include <linux/anon_inodes.h>
#include <linux/err.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "answer.h"
#include "broadcast.h"
#include "compat.h"
#include "domain.h"
#include "expire.h"
#include "grant.h"
#include "handle.h"
#include "ioctl.h"
#include "lane.h"
#include "lease.h"
#include "loan.h"
#include "mailbox.h"
#include "notify.h"
#include "policy.h"
#include "receive.h"
#include "region.h"
#include "send.h"
#include "share.h"
#include "stream.h"
#include "wait.h"

#define ALL_RIGHTS (MAILBOX_RIGHT_SEND | MAILBOX_RIGHT_RECEIVE | MAILBOX_RIGHT_MANAGE)

/**
 * mbx_handle_forget() - undo the counting of a handle
 * @box: its mailbox, whose reference for the handle goes too
 *
 * The last handle of a temporary mailbox ends it.
 *
 * Context: Process context, may sleep.
 */
void mbx_handle_forget(struct mbx_box *box)
{
	bool ends;

	mutex_lock(&box->domain->lock);
	box->handles--;
	ends = !box->handles && !box->permanent && mbx_domain_remove_locked(box);
	mutex_unlock(&box->domain->lock);

	if (ends) {
		mbx_box_close(box);
		mbx_box_put(box);
	}
	mbx_box_put(box);
}

static int handle_flush(struct file *file, fl_owner_t table)
{
	struct mbx_handle *handle = file->private_data;

	if (!table)
		return 0;
	mbx_lease_flush(handle, table);
	mbx_policy_leave(handle->box, table);
	return 0;
}

/**
 * mbx_handle_announce() - count who may receive and send
 * @file: an open handle that the caller will get for certain
 *
 * Not earlier: an open that fails later must not look like the last handle's end, nor may
 * it be sent what nobody will receive. One that is revoked already does not count.
 */
void mbx_handle_announce(struct file *file)
{
	struct mbx_handle *handle = file->private_data;
	struct mbx_box *box = handle->box;

	spin_lock(&box->lock);
	handle->announced = !handle->revoked;
	if (handle->announced) {
		/* Read without the lock at the start of a call, as a hint. */
		if (handle->rights & MAILBOX_RIGHT_RECEIVE)
			WRITE_ONCE(box->may_receive, box->may_receive + 1);
		box->may_send += !!(handle->rights & MAILBOX_RIGHT_SEND);
		mbx_stream_announce_locked(handle);
		if (box->policy == MAILBOX_POLICY_BROADCAST &&
		    (handle->rights & MAILBOX_RIGHT_RECEIVE))
			mbx_broadcast_join_locked(box, &handle->subscriber);
	}
	spin_unlock(&box->lock);
}

/**
 * mbx_handle_discount_locked() - undo mbx_handle_announce(), if it was done
 * @handle: the handle, its mailbox's lock held; mbx_broadcast_tidy() is due without it
 */
void mbx_handle_discount_locked(struct mbx_handle *handle)
{
	struct mbx_box *box = handle->box;

	lockdep_assert_held(&box->lock);
	if (!handle->announced)
		return;
	handle->announced = false;
	if (handle->rights & MAILBOX_RIGHT_RECEIVE) {
		WRITE_ONCE(box->may_receive, box->may_receive - 1);
		if (!box->may_receive) {
			mbx_box_wake_all_pollers_locked(box, MBX_POLL_NO_RECEIVER | EPOLLRDHUP);
			/* For who sends bytes; no eventfd has this name. */
			mbx_box_wake_all_pollers_locked(box, EPOLLERR);
		}
	}
	if ((handle->rights & MAILBOX_RIGHT_SEND) && !--box->may_send) {
		mbx_box_wake_all_pollers_locked(box, MBX_POLL_NO_SENDER | EPOLLRDHUP);
		mbx_stream_tell_end_locked(box);
	}
	mbx_broadcast_leave_locked(box, &handle->subscriber);
}

static int handle_release(struct inode *inode, struct file *file)
{
	struct mbx_handle *handle = file->private_data;
	struct mbx_box *box = handle->box;
	struct mbx_notify *notify;
	bool receives;

	mbx_lease_leave(handle, NULL);
	mbx_lane_leave(handle);
	mbx_loans_leave(handle);
	/* It may just be being revoked. */
	spin_lock(&box->lock);
	notify = mbx_notify_take_locked(handle);
	spin_unlock(&box->lock);
	mbx_notify_end(notify);
	if (handle->share)
		mbx_box_share_put(box, handle->share);
	spin_lock(&box->lock);
	mbx_handle_discount_locked(handle);
	receives = handle->rights & MAILBOX_RIGHT_RECEIVE;
	mbx_grant_put_locked(box, &handle->grant);
	spin_unlock(&box->lock);
	if (box->policy == MAILBOX_POLICY_BROADCAST)
		mbx_broadcast_tidy(box);
	if (receives)
		mbx_answer_end_unheard(box);
	mbx_handle_forget(box);
	return 0;
}

static ssize_t handle_read(struct file *file, char __user *data, size_t room, loff_t *pos)
{
	struct mbx_receive_args args = {
		.data = data,
		.room = min_t(size_t, room, U32_MAX),
		.select.kind = MBX_SELECT_FIRST,
		.deadline = MBX_FOREVER,
		.nonblock = file->f_flags & O_NONBLOCK,
	};
	struct mbx_handle *handle = file->private_data;
	u32 copied;
	int ret;

	if (handle->stream)
		return mbx_stream_read(file, data, room);
	ret = mbx_receive(handle, &args, &copied);
	return ret ? ret : (ssize_t)copied;
}

static ssize_t handle_write(struct file *file, const char __user *data, size_t length, loff_t *pos)
{
	struct mbx_send_args args = {
		.data = data,
		.length = min_t(size_t, length, U32_MAX),
		.deadline = MBX_FOREVER,
	};
	int ret;

	if (mbx_stream_cuts(file->private_data, &args.length))
		return 0;
	ret = mbx_send(file, &args);
	return ret ? ret : (ssize_t)args.length;
}

#ifdef CONFIG_PROC_FS
static void handle_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct mbx_handle *handle = file->private_data;
	struct mbx_box *box = handle->box;
	u64 messages, bytes;
	bool closed, revoked;

	mbx_box_lock_fresh(box);
	messages = box->messages;
	bytes = box->bytes;
	closed = box->closed;
	revoked = handle->revoked;
	spin_unlock(&box->lock);

	seq_printf(m, "mailbox-id:\t%llu\n", box->id);
	/* A SET may give it another. */
	mutex_lock(&box->domain->lock);
	seq_printf(m, "mailbox-name:\t%s\n", box->name);
	mutex_unlock(&box->domain->lock);
	seq_printf(m, "mailbox-rights:\t%s%s%s\n",
		   handle->rights & MAILBOX_RIGHT_RECEIVE ? "r" : "-",
		   handle->rights & MAILBOX_RIGHT_SEND ? "w" : "-",
		   handle->rights & MAILBOX_RIGHT_MANAGE ? "x" : "-");
	seq_printf(m, "mailbox-grant:\t%llu\n", handle->grant.number);
	seq_printf(m, "mailbox-state:\t%s\n", revoked ? "revoked" : closed ? "destroyed" : "open");
	/* What STAT does not tell any more. */
	if (revoked)
		return;
	seq_printf(m, "mailbox-messages:\t%llu\n", messages);
	seq_printf(m, "mailbox-bytes:\t%llu\n", bytes);
}
#endif

static int handle_mmap(struct file *file, struct vm_area_struct *vma)
{
	return mbx_lane_maps(vma->vm_pgoff) ? mbx_lane_mmap(file, vma) : mbx_region_mmap(file, vma);
}

static unsigned long handle_area(struct file *file, unsigned long addr, unsigned long length,
				 unsigned long pgoff, unsigned long flags)
{
	/* Of a lane, wherever anything else would be. */
	if (mbx_lane_maps(pgoff))
		return mbx_mm_area(file, addr, length, pgoff, flags);
	return mbx_region_area(file, addr, length, pgoff, flags);
}

static const struct file_operations handle_fops = {
	.owner = THIS_MODULE,
	.flush = handle_flush,
	.release = handle_release,
	.read = handle_read,
	.write = handle_write,
	.poll = mbx_handle_poll,
	.unlocked_ioctl = mbx_handle_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = handle_mmap,
	.get_unmapped_area = handle_area,
#ifdef CONFIG_PROC_FS
	.show_fdinfo = handle_show_fdinfo,
#endif
};

/**
 * mbx_handle_of() - the handle that a file is
 * @file: any file
 * Return: the handle, or NULL when it is something else.
 */
struct mbx_handle *mbx_handle_of(struct file *file)
{
	return file->f_op == &handle_fops ? file->private_data : NULL;
}

/* Any handle of the mailbox, where it is NULL. */
struct wanted {
	const struct mbx_box *box;
	const struct mbx_handle *handle;
	bool revoked;
};

static int is_wanted(const void *data, struct file *file, unsigned int fd)
{
	const struct mbx_handle *handle = file->private_data;
	const struct wanted *wanted = data;

	/* Who revokes it looks after that at who has it: mbx_policy_revoked(). */
	return file->f_op == &handle_fops && handle->box == wanted->box &&
	       READ_ONCE(handle->revoked) == wanted->revoked &&
	       (!wanted->handle || handle == wanted->handle);
}

/**
 * mbx_handle_held() - does a process have a handle of a mailbox that is not revoked?
 * @holder: the descriptors of the process
 * @box: the mailbox
 * @handle: the handle, or NULL for any
 * Return: true if so.
 */
bool mbx_handle_held(struct files_struct *holder, const struct mbx_box *box,
		     const struct mbx_handle *handle)
{
	const struct wanted wanted = { .box = box, .handle = handle };

	/* A table that nobody refers to is being closed: its process has ended, or left it. */
	return atomic_read(&holder->count) && iterate_fd(holder, 0, is_wanted, &wanted);
}

/**
 * mbx_handle_refused_locked() - may nothing begin any more through a handle?
 * @handle: the handle, its mailbox's lock held
 * Return: 0; -EACCES when it is revoked; -EIDRM when the mailbox is closed.
 */
int mbx_handle_refused_locked(const struct mbx_handle *handle)
{
	lockdep_assert_held(&handle->box->lock);
	if (handle->revoked)
		return -EACCES;
	return handle->box->closed ? -EIDRM : 0;
}

/**
 * mbx_handle_has_revoked() - does a process have a revoked handle of a mailbox?
 * @holder: the descriptors of the process
 * @box: the mailbox
 * Return: true if so, also where it has others.
 */
bool mbx_handle_has_revoked(struct files_struct *holder, const struct mbx_box *box)
{
	const struct wanted revoked = { .box = box, .revoked = true };

	return iterate_fd(holder, 0, is_wanted, &revoked);
}

/**
 * mbx_rights_are_valid() - may these be asked for?
 * @rights: bits of enum mailbox_right
 * Return: true if there is one, and none that is unknown.
 */
bool mbx_rights_are_valid(u32 rights)
{
	return rights && !(rights & ~ALL_RIGHTS);
}

/**
 * mbx_handle_open() - make a handle
 * @box: a mailbox on which the caller has counted the handle, with a reference
 * @rights: bits of enum mailbox_right
 * @flags: MAILBOX_NONBLOCK, MAILBOX_CUT_OFF, MAILBOX_STREAM; others are for the caller
 *
 * Context: Process context, may sleep.
 * Return: the open file, whose release undoes the counting; or ERR_PTR: -ENOMEM,
 * -ENFILE, and then the counting is for the caller to undo.
 */
struct file *mbx_handle_open(struct mbx_box *box, u32 rights, u32 flags)
{
	struct mbx_handle *handle;
	struct mbx_user *user;
	struct file *file;

	handle = kzalloc(sizeof(*handle), GFP_KERNEL_ACCOUNT);
	if (!handle)
		return ERR_PTR(-ENOMEM);
	handle->box = box;
	handle->rights = rights;
	handle->subscriber.cut_off = flags & MAILBOX_CUT_OFF;
	mbx_grant_init(&handle->grant);
	handle->stream = flags & MAILBOX_STREAM;
	handle->usual = box->policy == MAILBOX_POLICY_ANY ? rights : 0;
	if (handle->stream)
		handle->usual &= ~MAILBOX_RIGHT_SEND;

	if (rights & MAILBOX_RIGHT_SEND) {
		user = mbx_user_get(current_euid());
		if (IS_ERR(user)) {
			file = ERR_CAST(user);
			goto err_free;
		}
		handle->share = mbx_box_share_get(box, user);
		mbx_user_put(user);
		if (IS_ERR(handle->share)) {
			file = ERR_CAST(handle->share);
			goto err_free;
		}
	}

	file = anon_inode_getfile("[mailbox]", &handle_fops, handle,
				  O_RDWR | (flags & MAILBOX_NONBLOCK ? O_NONBLOCK : 0));
	if (!IS_ERR(file))
		return file;
	if (handle->share)
		mbx_box_share_put(box, handle->share);
err_free:
	kfree(handle);
	return file;
}

/**
 * mbx_handle_give() - tell the caller, then give it the descriptor of a handle
 * @file: a new handle, which is the caller's no more
 * @fd: a free descriptor, likewise
 * @call: the call, its answer ready
 * @known: size of the structure as the module knows it
 * Return: 0; -EBUSY; -EFAULT.
 */
int mbx_handle_give(struct file *file, int fd, const struct mbx_call *call, size_t known)
{
	struct mbx_handle *handle = file->private_data;
	struct mbx_box *box = handle->box;
	int ret;

	ret = mbx_call_reply(call, known) ?: mbx_policy_open(box, handle);
	if (ret) {
		fput(file);
		put_unused_fd(fd);
		return ret;
	}
	refcount_inc(&box->refs);
	mbx_handle_announce(file);
	fd_install(fd, file);
	/* Another thread may have closed it: the handle may be gone. */
	mbx_policy_opened(box);
	mbx_box_put(box);
	return 0;
}

/**
 * mbx_handle_destroy() - MAILBOX_IOC_DESTROY on a handle
 * @file: a handle
 * @call: the call
 * Return: 0; -EOPNOTSUPP; -EINVAL; -EACCES; -EIDRM.
 */
int mbx_handle_destroy(struct file *file, struct mbx_call *call)
{
	struct mbx_handle *handle = file->private_data;
	struct mbx_box *box = handle->box;

	if (call->destroy.flags)
		return -EOPNOTSUPP;
	if (call->destroy.id || call->destroy.name[0])
		return -EINVAL;
	if (!(handle->rights & MAILBOX_RIGHT_MANAGE))
		return -EACCES;
	if (!mbx_domain_remove(box))
		return -EIDRM;
	mbx_box_close(box);
	mbx_box_put(box);
	return 0;
}
