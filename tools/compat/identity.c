// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Rights come from who the caller is, and are asked for when a mailbox is opened. SysV asks again
 * in each call: so who becomes somebody else opens again what it uses.
 */
#include <grp.h>
#include <sched.h>
#include <sys/fsuid.h>
#include <sys/types.h>
#include <unistd.h>

#include "device.h"
#include "handles.h"
#include "real.h"

/* A call that was made; what it returned is passed on. */
static int somebody_else(int ret)
{
	compat_handles_forget();
	return ret;
}

COMPAT_PUBLIC int setuid(uid_t uid)
{
	return somebody_else(REAL(setuid)(uid));
}

COMPAT_PUBLIC int seteuid(uid_t uid)
{
	return somebody_else(REAL(seteuid)(uid));
}

COMPAT_PUBLIC int setreuid(uid_t real, uid_t effective)
{
	return somebody_else(REAL(setreuid)(real, effective));
}

COMPAT_PUBLIC int setresuid(uid_t real, uid_t effective, uid_t saved)
{
	return somebody_else(REAL(setresuid)(real, effective, saved));
}

COMPAT_PUBLIC int setgid(gid_t gid)
{
	return somebody_else(REAL(setgid)(gid));
}

COMPAT_PUBLIC int setegid(gid_t gid)
{
	return somebody_else(REAL(setegid)(gid));
}

COMPAT_PUBLIC int setregid(gid_t real, gid_t effective)
{
	return somebody_else(REAL(setregid)(real, effective));
}

COMPAT_PUBLIC int setresgid(gid_t real, gid_t effective, gid_t saved)
{
	return somebody_else(REAL(setresgid)(real, effective, saved));
}

COMPAT_PUBLIC int setgroups(size_t count, const gid_t *groups)
{
	return somebody_else(REAL(setgroups)(count, groups));
}

COMPAT_PUBLIC int initgroups(const char *user, gid_t group)
{
	return somebody_else(REAL(initgroups)(user, group));
}

COMPAT_PUBLIC int setfsuid(uid_t uid)
{
	return somebody_else(REAL(setfsuid)(uid));
}

COMPAT_PUBLIC int setfsgid(gid_t gid)
{
	return somebody_else(REAL(setfsgid)(gid));
}

COMPAT_PUBLIC int unshare(int flags)
{
	int ret = REAL(unshare)(flags);

	if (!ret && (flags & CLONE_NEWNET))
		compat_device_forget();
	return somebody_else(ret);
}

COMPAT_PUBLIC int setns(int fd, int type)
{
	int ret = REAL(setns)(fd, type);

	/* What kind of namespace it was is not told where type is 0. */
	if (!ret)
		compat_device_forget();
	return somebody_else(ret);
}
