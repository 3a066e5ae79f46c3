// SPDX-License-Identifier: GPL-2.0-only
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uidgid.h>
#include <linux/user_namespace.h>

#include "domain.h"
#include "handle.h"
#include "ioctl.h"
#include "line.h"
#include "mailbox.h"
#include "region.h"
#include "set.h"

#define OWNER_FIELDS (MAILBOX_SET_MODE | MAILBOX_SET_UID | MAILBOX_SET_GID)
#define ALL_FIELDS   (MAILBOX_SET_NAME * 2 - 1)

/* A member whose bit is not set must be 0. */
static bool unasked_is_zero(const struct mailbox_set *set)
{
	const struct {
		u32 bit;
		u64 value;
	} fields[] = {
		{ MAILBOX_SET_MODE, set->mode },
		{ MAILBOX_SET_UID, set->uid },
		{ MAILBOX_SET_GID, set->gid },
		{ MAILBOX_SET_PERMANENT, set->permanent },
		{ MAILBOX_SET_ON_FULL, set->on_full },
		{ MAILBOX_SET_SHARE, set->share },
		{ MAILBOX_SET_MESSAGE_SIZE, set->message_size },
		{ MAILBOX_SET_MAX_MESSAGES, set->max_messages },
		{ MAILBOX_SET_MAX_BYTES, set->max_bytes },
		{ MAILBOX_SET_REGION_SIZE, set->region_size },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(fields); i++)
		if (fields[i].value && !(set->flags & fields[i].bit))
			return false;
	if (!(set->flags & MAILBOX_SET_NAME) && memchr_inv(set->name, 0, sizeof(set->name)))
		return false;
	return !set->reserved;
}

/* Fill in what is not asked for from the mailbox, so that the whole can be checked. */
static int fill_in(const struct mbx_box *box, struct mailbox_set *set)
{
	const u32 bounds = MAILBOX_SET_MAX_MESSAGES | MAILBOX_SET_MAX_BYTES;

	if ((set->flags & bounds) && box->capacity != MAILBOX_CAPACITY_BOUNDED)
		return -EINVAL;
	if ((set->flags & MAILBOX_SET_MESSAGE_SIZE) && box->fixed_size)
		return -EINVAL;

	if (!(set->flags & MAILBOX_SET_MODE))
		set->mode = box->mode;
	if (!(set->flags & MAILBOX_SET_PERMANENT))
		set->permanent = box->permanent;
	if (!(set->flags & MAILBOX_SET_ON_FULL))
		set->on_full = box->on_full;
	if (!(set->flags & MAILBOX_SET_SHARE))
		set->share = box->share;
	if (!(set->flags & MAILBOX_SET_MESSAGE_SIZE))
		set->message_size = box->message_size;
	if (!(set->flags & MAILBOX_SET_MAX_MESSAGES))
		set->max_messages = box->max_messages;
	if (!(set->flags & MAILBOX_SET_MAX_BYTES))
		set->max_bytes = box->max_bytes;
	return 0;
}

static int check(const struct mbx_box *box, const struct mailbox_set *set)
{
	const u32 limits = MAILBOX_SET_ON_FULL | MAILBOX_SET_SHARE | MAILBOX_SET_MESSAGE_SIZE |
			   MAILBOX_SET_MAX_BYTES;

	if (set->mode & ~0777 || set->permanent > 1)
		return -EINVAL;
	if ((set->flags & MAILBOX_SET_MAX_MESSAGES) && !set->max_messages)
		return -EINVAL;
	if (box->policy == MAILBOX_POLICY_BROADCAST && set->on_full != MAILBOX_ON_FULL_OVERWRITE)
		return -EINVAL;
	/* What was granted at creation is not asked for again. */
	if (!(set->flags & limits))
		return 0;
	return mbx_box_check_limits(set->message_size, set->max_bytes, set->on_full, set->share,
				    box->capacity, set->flags & MAILBOX_SET_MESSAGE_SIZE);
}

static int check_owner(const struct mbx_box *box, const struct mailbox_set *set, kuid_t uid,
		       kgid_t gid)
{
	if (!(set->flags & OWNER_FIELDS))
		return 0;
	if (!mbx_box_owned_locked(box))
		return -EPERM;
	if (set->flags & MAILBOX_SET_UID) {
		if (!uid_valid(uid))
			return -EINVAL;
		if (!ns_capable(box->user_ns, CAP_DAC_OVERRIDE))
			return -EPERM;
	}
	if (set->flags & MAILBOX_SET_GID) {
		if (!gid_valid(gid))
			return -EINVAL;
		if (!in_egroup_p(gid) && !ns_capable(box->user_ns, CAP_DAC_OVERRIDE))
			return -EPERM;
	}
	return 0;
}

static void apply(struct mbx_box *box, const struct mailbox_set *set, kuid_t uid, kgid_t gid)
{
	box->mode = set->mode;
	box->permanent = set->permanent;
	if (set->flags & MAILBOX_SET_UID)
		box->uid = uid;
	if (set->flags & MAILBOX_SET_GID)
		box->gid = gid;
	box->on_full = set->on_full;
	box->share = set->share;
	/* A send reads it without the lock, see check() in send.c. */
	WRITE_ONCE(box->message_size, set->message_size);
	box->max_messages = set->max_messages;
	box->max_bytes = set->max_bytes;
	mbx_box_set_room_locked(box);
	box->changed = ktime_get_ns();
}

/* Its old name is in @name afterwards. */
static int set_locked(struct mbx_box *box, struct mailbox_set *set, struct mbx_growth *growth,
		      char **name)
{
	kuid_t uid = make_kuid(current_user_ns(), set->uid);
	kgid_t gid = make_kgid(current_user_ns(), set->gid);
	int ret;

	/* Limits change under the domain lock only: they stay as they are checked. */
	if (!box->published)
		return -EIDRM;
	ret = fill_in(box, set);
	if (ret)
		return ret;
	ret = check(box, set);
	if (ret)
		return ret;
	ret = check_owner(box, set, uid, gid);
	if (ret)
		return ret;
	if (*name) {
		ret = mbx_domain_may_rename_locked(box, *name);
		if (ret)
			return ret;
	}
	if (set->flags & MAILBOX_SET_REGION_SIZE) {
		ret = mbx_growth_charge_locked(growth, box);
		if (ret)
			return ret;
	}

	spin_lock(&box->lock);
	/* See mbx_files_enter(). */
	if (set->permanent && !box->permanent && box->with_files && !box->domain->stays) {
		spin_unlock(&box->lock);
		return -EINVAL;
	}
	apply(box, set, uid, gid);
	mbx_growth_apply_locked(growth, box);
	mbx_look_again_locked(box);
	mbx_room_freed_locked(box);
	spin_unlock(&box->lock);
	if (*name)
		mbx_domain_rename_locked(box, name);
	if (set->flags & MAILBOX_SET_REGION_SIZE) {
		mbx_growth_extend_locked(box);
		mbx_loans_grow(box, box->region.size);
	}
	return 0;
}

/**
 * mbx_handle_set() - MAILBOX_IOC_SET
 * @file: a handle
 * @call: the call
 * Return: 0; -EOPNOTSUPP; -EINVAL; -EACCES; -EPERM; -EDQUOT; -ENOMEM; -ENFILE; -EEXIST;
 * -ENOENT; -EIDRM.
 */
int mbx_handle_set(struct file *file, struct mbx_call *call)
{
	struct mbx_handle *handle = file->private_data;
	struct mailbox_set *set = &call->set;
	struct mbx_box *box = handle->box;
	struct mbx_growth growth = { 0 };
	char *name = NULL;
	int ret = 0;

	if (set->flags & ~ALL_FIELDS)
		return -EOPNOTSUPP;
	if (!unasked_is_zero(set))
		return -EINVAL;
	if (!(handle->rights & MAILBOX_RIGHT_MANAGE))
		return -EACCES;

	if (set->flags & MAILBOX_SET_NAME) {
		if (!mbx_name_is_valid(set->name))
			return -EINVAL;
		name = kstrdup(set->name, GFP_KERNEL_ACCOUNT);
		if (!name)
			return -ENOMEM;
	}
	if (set->flags & MAILBOX_SET_REGION_SIZE)
		ret = mbx_growth_prepare(&growth, box, set->region_size);
	if (!ret) {
		mutex_lock(&box->domain->lock);
		ret = set_locked(box, set, &growth, &name);
		mutex_unlock(&box->domain->lock);
	}
	mbx_growth_end(&growth);
	kfree(name);
	return ret;
}
