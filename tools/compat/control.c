// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>

#include "control.h"
#include "handles.h"
#include "real.h"
#include "walk.h"

/* Bits of the mode that the mailbox has. */
#define MODE_BITS 0666

int compat_control_stat(int id, const char *kind, struct mailbox_stat *stat)
{
	int fd = compat_open(id, kind, MAILBOX_RIGHT_RECEIVE, stat);

	if (fd < 0)
		return -1;
	compat_close(fd);
	return 0;
}

int compat_control_index(int index, const char *kind, bool any, struct mailbox_stat *stat)
{
	struct compat_walk walk;
	int ret = compat_walk(kind, index, stat, &walk);

	if (ret)
		return ret < 0 ? -1 : compat_fail(EINVAL);
	if (!any && !(stat->rights & MAILBOX_RIGHT_RECEIVE))
		return compat_fail(EACCES);
	return stat->id;
}

int compat_control_open(int id, const char *kind, struct mailbox_stat *stat)
{
	int fd = compat_open(id, kind, MAILBOX_RIGHT_MANAGE, stat);

	return fd < 0 && errno == EACCES ? compat_fail(EPERM) : fd;
}

bool compat_control_owner(const struct mailbox_stat *stat, const struct ipc_perm *perm,
			  struct mailbox_set *set)
{
	set->flags |= MAILBOX_SET_MODE;
	set->mode = perm->mode & MODE_BITS;
	if (perm->uid != stat->uid) {
		set->flags |= MAILBOX_SET_UID;
		set->uid = perm->uid;
	}
	if (perm->gid != stat->gid) {
		set->flags |= MAILBOX_SET_GID;
		set->gid = perm->gid;
	}
	return set->mode != stat->mode || (set->flags & (MAILBOX_SET_UID | MAILBOX_SET_GID));
}

int compat_control_error(int error)
{
	switch (error) {
	case EACCES:
	case EPERM:
		return EPERM;
	case ENOMEM:
		return ENOMEM;
	default:
		return EINVAL;
	}
}
