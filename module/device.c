// SPDX-License-Identifier: GPL-2.0-only
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "device.h"
#include "domain.h"
#include "handle.h"
#include "ioctl.h"
#include "list.h"
#include "mailbox.h"
#include "policy.h"
#include "quota.h"
#include "watch.h"

#define OPEN_FLAGS   (MAILBOX_NONBLOCK | MAILBOX_CUT_OFF | MAILBOX_STREAM)
#define CREATE_FLAGS (OPEN_FLAGS | MAILBOX_PERMANENT | MAILBOX_FIXED_SIZE)

/* How many mailboxes that the caller may not see are passed over in one go. */
#define LIST_STEP 256

static int device_open(struct inode *inode, struct file *file)
{
	struct mbx_device *dev = kzalloc(sizeof(*dev), GFP_KERNEL_ACCOUNT);

	if (!dev)
		return -ENOMEM;
	dev->domain = mbx_domain_of_current();
	init_waitqueue_head(&dev->poll);
	spin_lock_init(&dev->lock);
	dev->watches = RB_ROOT;
	file->private_data = dev;
	return 0;
}

static int device_release(struct inode *inode, struct file *file)
{
	struct mbx_device *dev = file->private_data;

	mbx_watch_leave(dev);
	mbx_domain_put(dev->domain);
	kfree(dev);
	return 0;
}

/**
 * mbx_device_domain() - the domain of an open device
 * @file: the device
 * Return: the domain.
 */
struct mbx_domain *mbx_device_domain(const struct file *file)
{
	const struct mbx_device *dev = file->private_data;

	return dev->domain;
}

/**
 * mbx_info() - MAILBOX_IOC_INFO
 * @file: the device or a handle
 * @call: the call
 * Return: 0; -EOPNOTSUPP; -ENOMEM; -EFAULT.
 */
int mbx_info(struct file *file, struct mbx_call *call)
{
	struct mbx_limits max;
	struct mbx_user *user;

	if (call->info.flags)
		return -EOPNOTSUPP;
	user = mbx_user_get(current_euid());
	if (IS_ERR(user))
		return PTR_ERR(user);
	mbx_limits_read(&max);
	call->info = (struct mailbox_info){
		.size = call->size,
		.version = MAILBOX_INTERFACE_VERSION,
		.max_message_size = max.message_size,
		.max_mailboxes = max.mailboxes,
		.max_messages = max.messages,
		.max_bytes = max.bytes,
		.mailboxes = atomic_long_read(&user->mailboxes),
		.messages = atomic_long_read(&user->messages),
		.bytes = atomic_long_read(&user->bytes),
	};
	mbx_user_put(user);
	return mbx_call_reply(call, sizeof(call->info));
}

/* Exactly one of id and name says which mailbox is meant. */
static bool names_one(u64 id, const char *name)
{
	return mbx_name_is_valid(name) && !id != !name[0];
}

/* Only who receives a broadcast can be cut off from it, and nobody reads bytes of it. */
static bool flags_fit(u32 flags, u32 policy, u32 rights)
{
	if ((flags & MAILBOX_STREAM) && policy == MAILBOX_POLICY_BROADCAST)
		return false;
	return !(flags & MAILBOX_CUT_OFF) ||
	       (policy == MAILBOX_POLICY_BROADCAST && (rights & MAILBOX_RIGHT_RECEIVE));
}

/* Where dead letters go: the caller must be allowed to send there. */
static int find_dead_letter(struct mbx_domain *domain, const struct mailbox_create *req,
			    struct mbx_box *box)
{
	struct mbx_box *to;
	int ret = 0;

	if (!req->dead_letter)
		return 0;
	if (!req->max_deliveries)
		return -EINVAL;
	mutex_lock(&domain->lock);
	to = mbx_domain_find_locked(domain, req->dead_letter, NULL);
	if (domain->ended) {
		ret = -EIDRM;
	} else if (!to) {
		ret = -ENOENT;
	} else if (!(mbx_box_rights_locked(to) & MAILBOX_RIGHT_SEND)) {
		ret = -EACCES;
	} else if (to->policy == MAILBOX_POLICY_BROADCAST) {
		ret = -EINVAL;
	} else {
		refcount_inc(&to->refs);
		box->dead_letter = to;
	}
	mutex_unlock(&domain->lock);
	return ret;
}

/**
 * mbx_device_create() - MAILBOX_IOC_CREATE
 * @file: the device
 * @call: the call
 * Return: 0 or a negative errno as struct mailbox_create lists them.
 */
int mbx_device_create(struct file *file, struct mbx_call *call)
{
	struct mbx_domain *domain = mbx_device_domain(file);
	struct mailbox_create *req = &call->create;
	struct file *handle;
	struct mbx_box *box;
	int ret;

	if (req->flags & ~CREATE_FLAGS)
		return -EOPNOTSUPP;
	if (!mbx_rights_are_valid(req->rights) || req->mode & ~0777 ||
	    !mbx_name_is_valid(req->name))
		return -EINVAL;
	if (!flags_fit(req->flags, req->policy, req->rights))
		return -EINVAL;

	box = mbx_box_new(req);
	if (IS_ERR(box))
		return PTR_ERR(box);
	ret = find_dead_letter(domain, req, box) ?: mbx_domain_reserve(domain, box);
	if (ret)
		goto err_box;
	ret = get_unused_fd_flags(O_CLOEXEC);
	if (ret < 0)
		goto err_unreserve;
	req->fd = ret;
	req->id = box->id;

	/* The handle is counted before anybody can find the mailbox. */
	refcount_inc(&box->refs);
	box->handles = 1;
	handle = mbx_handle_open(box, req->rights, req->flags);
	if (IS_ERR(handle)) {
		mbx_box_put(box);
		ret = PTR_ERR(handle);
		goto err_fd;
	}

	/* Tell the caller, then publish: only the last is visible. */
	ret = mbx_call_reply(call, sizeof(*req));
	if (ret)
		goto err_handle;
	mbx_policy_open(box, handle->private_data); /* nobody was faster */
	/* Before anybody can wait for the end of it. */
	mbx_handle_announce(handle);
	ret = mbx_domain_publish(domain, box);
	if (ret)
		goto err_handle;
	refcount_inc(&box->refs);
	fd_install(req->fd, handle);
	mbx_policy_opened(box);
	mbx_box_put(box);
	return 0;

err_handle:
	fput(handle);
err_fd:
	put_unused_fd(req->fd);
err_unreserve:
	mbx_domain_unreserve(domain, box);
err_box:
	mbx_box_put(box);
	return ret;
}

static struct mbx_box *find_and_count(struct mbx_domain *domain, const struct mailbox_open *req)
{
	struct mbx_box *box;

	mutex_lock(&domain->lock);
	if (domain->ended) {
		box = ERR_PTR(-EIDRM);
		goto out;
	}
	box = mbx_domain_find_locked(domain, req->id, req->name);
	if (!box) {
		box = ERR_PTR(-ENOENT);
	} else if (req->rights & ~mbx_box_rights_locked(box)) {
		box = ERR_PTR(-EACCES);
	} else {
		refcount_inc(&box->refs);
		box->handles++;
	}
out:
	mutex_unlock(&domain->lock);
	return box;
}

/**
 * mbx_device_open() - MAILBOX_IOC_OPEN
 * @file: the device
 * @call: the call
 * Return: 0 or a negative errno as struct mailbox_open lists them.
 */
int mbx_device_open(struct file *file, struct mbx_call *call)
{
	struct mailbox_open *req = &call->open;
	struct file *handle;
	struct mbx_box *box;
	int ret;

	if (req->flags & ~OPEN_FLAGS)
		return -EOPNOTSUPP;
	if (!mbx_rights_are_valid(req->rights) || !names_one(req->id, req->name))
		return -EINVAL;

	ret = get_unused_fd_flags(O_CLOEXEC);
	if (ret < 0)
		return ret;
	req->fd = ret;
	box = find_and_count(mbx_device_domain(file), req);
	if (IS_ERR(box)) {
		ret = PTR_ERR(box);
		goto err_fd;
	}
	req->id = box->id;
	ret = flags_fit(req->flags, box->policy, req->rights) ? mbx_policy_open(box, NULL) :
								-EINVAL;
	if (ret)
		goto err_forget;
	handle = mbx_handle_open(box, req->rights, req->flags);
	if (IS_ERR(handle)) {
		ret = PTR_ERR(handle);
		goto err_forget;
	}
	return mbx_handle_give(handle, req->fd, call, sizeof(*req));

err_forget:
	mbx_handle_forget(box);
err_fd:
	put_unused_fd(req->fd);
	return ret;
}

/**
 * mbx_device_destroy() - MAILBOX_IOC_DESTROY on the device
 * @file: the device
 * @call: the call
 * Return: 0 or a negative errno as struct mailbox_destroy lists them.
 */
int mbx_device_destroy(struct file *file, struct mbx_call *call)
{
	struct mbx_domain *domain = mbx_device_domain(file);
	struct mailbox_destroy *req = &call->destroy;
	struct mbx_box *box;
	int ret = 0;

	if (req->flags)
		return -EOPNOTSUPP;
	if (!names_one(req->id, req->name))
		return -EINVAL;

	mutex_lock(&domain->lock);
	box = mbx_domain_find_locked(domain, req->id, req->name);
	if (domain->ended)
		ret = -EIDRM;
	else if (!box)
		ret = -ENOENT;
	else if (!(mbx_box_rights_locked(box) & MAILBOX_RIGHT_MANAGE))
		ret = -EACCES;
	else
		mbx_domain_remove_locked(box);
	mutex_unlock(&domain->lock);
	if (ret)
		return ret;
	mbx_box_close(box);
	mbx_box_put(box);
	return 0;
}

/* See struct mbx_list. */
static int list_next(void *of, u64 *after, void *entry)
{
	struct mbx_domain *domain = of;
	struct mailbox_stat *stat = entry;
	unsigned long at = *after;
	struct mbx_box *box;
	int ret = 0, steps;
	u32 rights;

	mutex_lock(&domain->lock);
	for (steps = 0; steps < LIST_STEP; steps++) {
		box = at == ULONG_MAX ? NULL :
					xa_find_after(&domain->boxes, &at, ULONG_MAX, XA_PRESENT);
		ret = domain->ended ? -EIDRM : 0;
		if (ret || !box)
			goto out;
		rights = mbx_box_rights_locked(box);
		if (!rights)
			continue;
		/* Messages that have just expired may still be counted: their timer runs. */
		spin_lock(&box->lock);
		mbx_box_stat_locked(box, stat);
		spin_unlock(&box->lock);
		stat->rights = rights;
		ret = 1;
		goto out;
	}
	ret = -EAGAIN;
out:
	mutex_unlock(&domain->lock);
	*after = at;
	return ret;
}

/**
 * mbx_device_list() - MAILBOX_IOC_LIST
 * @file: the device
 * @call: the call
 * Return: 0 or a negative errno as struct mailbox_list lists them.
 */
int mbx_device_list(struct file *file, struct mbx_call *call)
{
	struct mailbox_list *req = &call->list;
	struct mbx_list list = {
		.next = list_next,
		.of = mbx_device_domain(file),
		.known = sizeof(struct mailbox_stat),
		.entries = req->entries,
		.entry_size = req->entry_size,
		.nr = req->nr,
		.after = req->after,
	};
	int ret;

	if (req->flags)
		return -EOPNOTSUPP;
	if (req->entry_size < offsetofend(struct mailbox_stat, name) || req->entry_size > PAGE_SIZE)
		return -EINVAL;

	/* It would take a large part of the stack. */
	list.entry = kmalloc(list.known, GFP_KERNEL);
	if (!list.entry)
		return -ENOMEM;
	ret = mbx_list_fill(&list);
	kfree(list.entry);
	if (ret)
		return ret;
	req->nr = list.nr;
	req->after = list.after;
	return mbx_call_reply(call, sizeof(*req));
}

static const struct file_operations device_fops = {
	.owner = THIS_MODULE,
	.open = device_open,
	.release = device_release,
	.poll = mbx_watch_poll,
	.unlocked_ioctl = mbx_device_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "mailbox",
	.fops = &device_fops,
	/* Anybody may use mailboxes: what a user may do is up to quota and mode bits. */
	.mode = 0666,
};

/**
 * mbx_device_init() - make /dev/mailbox
 * Return: 0 or a negative errno.
 */
int mbx_device_init(void)
{
	return misc_register(&device);
}

/**
 * mbx_device_fini() - remove /dev/mailbox
 */
void mbx_device_fini(void)
{
	misc_deregister(&device);
}
