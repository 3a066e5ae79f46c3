// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * SysV shared memory: shmget(2), shmat(2) and shmdt(2). An identifier is the id of a mailbox.
 *
 * All is done under the lock. No handle is then copied by a fork(2) without being known to the
 * child, where it would keep a segment that was removed.
 */
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>

#include "attach.h"
#include "device.h"
#include "handles.h"
#include "keys.h"
#include "limits.h"
#include "lock.h"
#include "real.h"
#include "shm.h"

size_t compat_shm_max(void)
{
	const uint64_t most = SIZE_MAX < MAILBOX_REGION_SIZE_MAX ? SIZE_MAX :
								   MAILBOX_REGION_SIZE_MAX;
	/* More than a long can hold is what the kernel has unless it is told otherwise. */
	static _Atomic int64_t max;

	/* Asked once, as those of queues are; who asks at the same time hears the same. */
	if (!max)
		max = compat_limit("/proc/sys/kernel/shmmax", LONG_MAX);

	return max < 0 || (uint64_t)max > most ? most : (uint64_t)max;
}

bool compat_shm_removed(const struct mailbox_stat *stat)
{
	return !strncmp(stat->name, COMPAT_SHM_REMOVED, strlen(COMPAT_SHM_REMOVED));
}

/* None can be made so: there may be one. Returns the error for when there is none. */
static int cannot_be_made(size_t size, int flags)
{
	if (size < 1 || size > compat_shm_max())
		return EINVAL;
	/* As a kernel says that has none. */
	return flags & SHM_HUGETLB ? ENOSYS : 0;
}

COMPAT_PUBLIC int shmget(key_t key, size_t size, int flags)
{
	struct mailbox_create create = {
		.size = sizeof(create),
		.on_full = MAILBOX_ON_FULL_REFUSE,
		.share = 100,
		.message_size = 1,
		.max_messages = 1,
		.max_bytes = size,
		.region_size = size,
	};
	const bool may_create = key == IPC_PRIVATE || (flags & IPC_CREAT);
	const int error = may_create ? cannot_be_made(size, flags) : 0;
	struct mailbox_stat found;
	int id;

	if (error && key == IPC_PRIVATE)
		return compat_fail(error);
	/* Opened before the lock is taken. */
	if (compat_device() < 0)
		return -1;
	compat_lock();
	id = compat_key_get(COMPAT_SHM, key, error ? flags & ~IPC_CREAT : flags, &create, &found);
	compat_unlock();
	if (id < 0)
		return error && errno == ENOENT ? compat_fail(error) : -1;
	if (error && (flags & IPC_EXCL))
		return compat_fail(EEXIST);
	if (found.id && size > compat_shm_size(&found))
		return compat_fail(EINVAL);
	return id;
}

/* Where it goes: rounds the address as asked for. Returns the flags of mmap(2), or -1. */
static int place(uintptr_t *address, int flags)
{
	if (*address & (SHMLBA - 1)) {
		if (!(flags & SHM_RND))
			return -1;
		*address &= ~(uintptr_t)(SHMLBA - 1);
		if (!*address && (flags & SHM_REMAP))
			return -1;
	} else if (!*address) {
		return flags & SHM_REMAP ? -1 : MAP_SHARED;
	}
	/* At 0 there is nothing that could be in the way. */
	if ((flags & SHM_REMAP) || !*address)
		return MAP_SHARED | MAP_FIXED;
	return MAP_SHARED | MAP_FIXED_NOREPLACE;
}

static void *map(int handle, uintptr_t address, size_t length, int flags, int mmap_flags)
{
	const int protection = flags & SHM_RDONLY ? PROT_READ : PROT_READ | PROT_WRITE;
	void *start;

	if (address + length < address && !(flags & SHM_REMAP)) {
		errno = EINVAL;
		return MAP_FAILED;
	}
	start = mmap((void *)address, length, protection, mmap_flags, handle, 0);
	if (start == MAP_FAILED && errno == EEXIST)
		errno = EINVAL;
	else if (start == MAP_FAILED && errno == ENFILE)
		errno = ENOMEM;
	return start;
}

static void *attach_locked(int id, uintptr_t address, int flags, int mmap_flags)
{
	const uint32_t rights = flags & SHM_RDONLY ? MAILBOX_RIGHT_RECEIVE :
						     MAILBOX_RIGHT_RECEIVE | MAILBOX_RIGHT_SEND;
	struct mailbox_stat stat;
	int handle = compat_open(id, COMPAT_SHM, rights, &stat);
	void *start = MAP_FAILED;
	size_t length;

	if (handle < 0)
		return MAP_FAILED;
	if (flags & SHM_EXEC) {
		/* No region is ever executed. */
		errno = EACCES;
	} else if (compat_attach_prepare_locked()) {
		length = (compat_shm_size(&stat) + SHMLBA - 1) & ~(size_t)(SHMLBA - 1);
		start = map(handle, address, length, flags, mmap_flags);
		if (start != MAP_FAILED)
			return compat_attach_locked(id, handle, start, length) ? start : MAP_FAILED;
	}
	compat_close(handle);
	return start;
}

COMPAT_PUBLIC void *shmat(int id, const void *address, int flags)
{
	uintptr_t where = (uintptr_t)address;
	int mmap_flags = place(&where, flags);
	void *start;

	if (mmap_flags < 0 || id < 0) {
		errno = EINVAL;
		return MAP_FAILED;
	}
	/* Opened before the lock is taken. */
	if (compat_device() < 0)
		return MAP_FAILED;
	compat_lock();
	start = attach_locked(id, where, flags, mmap_flags);
	compat_unlock();
	return start;
}

COMPAT_PUBLIC int shmdt(const void *address)
{
	bool found;

	if ((uintptr_t)address & (SHMLBA - 1))
		return compat_fail(EINVAL);
	compat_lock();
	found = compat_detach_locked((uintptr_t)address);
	compat_unlock();
	return found ? 0 : compat_fail(EINVAL);
}
