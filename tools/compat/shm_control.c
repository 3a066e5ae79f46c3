// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * SysV shared memory: shmctl(2).
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/shm.h>

#include "clock.h"
#include "control.h"
#include "device.h"
#include "handles.h"
#include "keys.h"
#include "limits.h"
#include "lock.h"
#include "memory.h"
#include "real.h"
#include "shm.h"
#include "walk.h"

static void describe(const struct mailbox_stat *stat, struct shmid_ds *segment)
{
	*segment = (struct shmid_ds){
		.shm_segsz = compat_shm_size(stat),
		.shm_atime = compat_wall_clock(stat->last_mapped),
		.shm_dtime = compat_wall_clock(stat->last_unmapped),
		.shm_ctime = compat_wall_clock(stat->changed),
		.shm_cpid = stat->last_sender,
		.shm_lpid = stat->last_mapper,
		.shm_nattch = stat->maps,
	};
	compat_key_perm(COMPAT_SHM, stat, &segment->shm_perm);
	if (compat_shm_removed(stat))
		segment->shm_perm.mode |= SHM_DEST;
}

static int get_locked(int id, struct shmid_ds *segment)
{
	struct mailbox_stat stat;

	if (!compat_all_writable(segment, sizeof(*segment)))
		return compat_fail(EFAULT);
	if (compat_control_stat(id, COMPAT_SHM, &stat))
		return -1;
	describe(&stat, segment);
	return 0;
}

static int get_by_index(int index, struct shmid_ds *segment, bool any)
{
	struct mailbox_stat stat;
	int id;

	if (!compat_all_writable(segment, sizeof(*segment)))
		return compat_fail(EFAULT);
	id = compat_control_index(index, COMPAT_SHM, any, &stat);
	if (id >= 0)
		describe(&stat, segment);
	return id;
}

static int last_index(struct compat_walk *walk)
{
	if (compat_walk(COMPAT_SHM, 0, NULL, walk))
		return -1;
	return walk->count ? walk->count - 1 : 0;
}

static int get_limits(struct shminfo *info)
{
	struct compat_walk walk;
	int last;

	if (!compat_all_writable(info, sizeof(*info)))
		return compat_fail(EFAULT);
	last = last_index(&walk);
	if (last < 0)
		return -1;
	*info = (struct shminfo){
		.shmmax = compat_shm_max(),
		.shmmin = 1,
		.shmmni = compat_limit("/proc/sys/kernel/shmmni", 4096),
		.shmseg = compat_limit("/proc/sys/kernel/shmmni", 4096),
		.shmall = compat_limit("/proc/sys/kernel/shmall", LONG_MAX),
	};
	return last;
}

/* What of it is in memory only the kernel knows. */
static int get_use(struct shm_info *info)
{
	struct compat_walk walk;
	int last;

	if (!compat_all_writable(info, sizeof(*info)))
		return compat_fail(EFAULT);
	last = last_index(&walk);
	if (last < 0)
		return -1;
	*info = (struct shm_info){
		.used_ids = walk.count,
		.shm_tot = walk.region_bytes / SHMLBA,
	};
	return last;
}

/* Who has it attached keeps it so; who attaches it later is asked then. */
static int set_locked(int id, const struct shmid_ds *segment)
{
	struct mailbox_set set = { 0 };
	struct mailbox_stat stat;
	int fd, ret;

	if (!compat_all_readable(segment, sizeof(*segment)))
		return compat_fail(EFAULT);
	fd = compat_control_open(id, COMPAT_SHM, &stat);
	if (fd < 0)
		return -1;
	compat_control_owner(&stat, &segment->shm_perm, &set);
	ret = mailbox_set(fd, &set);
	compat_close(fd);
	return ret ? compat_fail(compat_control_error(-ret)) : 0;
}

/*
 * It stays for those who have it attached, who have a handle: it ends with the last of these, which
 * may be ours.
 */
static int remove_locked(int id)
{
	struct mailbox_set set = { .flags = MAILBOX_SET_NAME | MAILBOX_SET_PERMANENT };
	struct mailbox_stat stat;
	int fd = compat_control_open(id, COMPAT_SHM, &stat), ret = 0, more;

	if (fd < 0)
		return -1;
	/* Should somebody have taken the first name, another will do. */
	for (more = 0; !compat_shm_removed(&stat); more++) {
		snprintf(set.name, sizeof(set.name), more ? "%s%d.%d" : "%s%d", COMPAT_SHM_REMOVED,
			 id, more);
		ret = mailbox_set(fd, &set);
		if (ret != -EEXIST || more == INT_MAX)
			break;
	}
	compat_close(fd);
	return ret ? compat_fail(compat_control_error(-ret)) : 0;
}

/* Nothing but swapping is prevented by it, and nothing but the kernel's own can do that. */
static int lock_locked(int id, bool lock)
{
	struct mailbox_stat stat;
	int fd = compat_control_open(id, COMPAT_SHM, &stat);

	if (fd < 0)
		return -1;
	compat_close(fd);
	return lock ? compat_fail(ENOSYS) : 0;
}

static int control_locked(int id, int command, struct shmid_ds *segment)
{
	switch (command) {
	case IPC_STAT:
		return get_locked(id, segment);
	case IPC_SET:
		return set_locked(id, segment);
	case IPC_RMID:
		return remove_locked(id);
	default:
		return lock_locked(id, command == SHM_LOCK);
	}
}

COMPAT_PUBLIC int shmctl(int id, int command, struct shmid_ds *segment)
{
	int ret;

	if (id < 0 || command < 0)
		return compat_fail(EINVAL);
	switch (command) {
	case IPC_INFO:
		return get_limits((struct shminfo *)segment);
	case SHM_INFO:
		return get_use((struct shm_info *)segment);
	case SHM_STAT:
	case SHM_STAT_ANY:
		return get_by_index(id, segment, command == SHM_STAT_ANY);
	case IPC_STAT:
	case IPC_SET:
	case IPC_RMID:
	case SHM_LOCK:
	case SHM_UNLOCK:
		/* Opened before the lock is taken. */
		if (compat_device() < 0)
			return -1;
		/* See shm.c: why under the lock. */
		compat_lock();
		ret = control_locked(id, command, segment);
		compat_unlock();
		return ret;
	default:
		return compat_fail(EINVAL);
	}
}
