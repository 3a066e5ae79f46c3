// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The cache of handles. It holds what the process has used lately: a mailbox that is not in it is
 * opened again, which is slower and nothing else, as SysV mailboxes are permanent.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "descriptor.h"
#include "device.h"
#include "handles.h"
#include "lock.h"
#include "real.h"

#define NOTHING \
	{ \
		.fds = { -1, -1 } \
	}

struct compat_handle compat_handles[COMPAT_SETS][COMPAT_WAYS] = {
	[0 ... COMPAT_SETS - 1] = { [0 ... COMPAT_WAYS - 1] = NOTHING },
};

static const uint32_t right_for[] = { MAILBOX_RIGHT_SEND, MAILBOX_RIGHT_RECEIVE };

/* Whatever the module says, in the words of the SysV calls. */
static int open_error(int error)
{
	switch (error) {
	case EACCES:
		return EACCES;
	case ENOENT:
	case EIDRM:
		return EINVAL;
	default:
		return ENOMEM;
	}
}

int compat_open(int id, const char *kind, uint32_t rights, struct mailbox_stat *stat)
{
	int device = compat_device(), fd, ret;

	if (device < 0)
		return -1;
	if (id <= 0)
		return compat_fail(EINVAL);
	fd = mailbox_open_id(device, id, rights, 0);
	if (fd < 0)
		return compat_fail(open_error(-fd));

	ret = mailbox_stat(fd, stat);
	if (!ret && !strncmp(stat->name, kind, strlen(kind)))
		return fd;
	compat_close(fd);
	return compat_fail(ret ? open_error(-ret) : EINVAL);
}

/*
 * The same with a grant, so that IPC_SET can take it back from all who have one.
 * Returns a descriptor or -1.
 */
static int open_granted(int id, const char *kind, uint32_t rights)
{
	struct mailbox_stat stat;
	int fd = compat_open(id, kind, rights, &stat), granted;

	if (fd < 0)
		return -1;
	granted = mailbox_restrict(fd, rights, 0, NULL);
	compat_close(fd);
	return granted < 0 ? compat_fail(open_error(-granted)) : granted;
}

static void close_locked(struct compat_handle *handle)
{
	handle->at[COMPAT_SEND] = NULL;
	handle->at[COMPAT_RECEIVE] = NULL;
	compat_reveal_locked(&handle->fds[0]);
	compat_reveal_locked(&handle->fds[1]);
}

static void forget_locked(struct compat_handle *handle)
{
	atomic_store(&handle->id, 0);
	if (!atomic_load(&handle->users))
		close_locked(handle);
}

static bool in_table(const struct compat_handle *handle)
{
	const struct compat_handle *first = &compat_handles[0][0];

	return handle >= first && handle < first + COMPAT_SETS * COMPAT_WAYS;
}

void compat_handle_reap(struct compat_handle *handle)
{
	int error = errno;

	compat_lock();
	if (!atomic_load(&handle->id) && !atomic_load(&handle->users))
		close_locked(handle);
	compat_unlock();
	if (!in_table(handle))
		free(handle);
	errno = error;
}

/* With both rights if they are to be had: most programs want the other one soon. */
static bool open_into_locked(struct compat_handle *handle, int id, const char *kind,
			     enum compat_use use)
{
	int fd = open_granted(id, kind, MAILBOX_RIGHT_SEND | MAILBOX_RIGHT_RECEIVE);
	bool both = fd >= 0;

	if (!both && errno == EACCES)
		fd = open_granted(id, kind, right_for[use]);
	if (fd < 0)
		return false;
	if (compat_hide_locked(fd, &handle->fds[use]) < 0) {
		errno = ENOMEM;
		return false;
	}
	__atomic_store_n(&handle->at[use], &handle->fds[use], __ATOMIC_RELEASE);
	if (both && !handle->at[!use])
		__atomic_store_n(&handle->at[!use], &handle->fds[use], __ATOMIC_RELEASE);
	return true;
}

/* A place for that id: what it has already, what is free, or what can be given up. */
static struct compat_handle *place_locked(int id)
{
	struct compat_handle *set = compat_handles[(unsigned int)id % COMPAT_SETS];
	static unsigned int turn;
	int way;

	for (way = 0; way < COMPAT_WAYS; way++)
		if (atomic_load(&set[way].id) == id)
			return &set[way];
	for (way = 0; way < COMPAT_WAYS; way++)
		if (!atomic_load(&set[way].id) && set[way].fds[0] < 0 && set[way].fds[1] < 0)
			return &set[way];
	for (way = 0; way < COMPAT_WAYS; way++) {
		struct compat_handle *handle = &set[turn++ % COMPAT_WAYS];

		if (!atomic_load(&handle->users))
			forget_locked(handle);
		if (handle->fds[0] < 0 && handle->fds[1] < 0)
			return handle;
	}
	return NULL;
}

/* For one call: all places are taken by threads that are waiting. */
static struct compat_handle *passing_handle(void)
{
	static const struct compat_handle nothing = NOTHING;
	struct compat_handle *handle = malloc(sizeof(*handle));

	if (handle)
		memcpy(handle, &nothing, sizeof(nothing));
	return handle;
}

static struct compat_handle *find_locked(int id, const char *kind, enum compat_use use)
{
	struct compat_handle *handle = place_locked(id), *passing = NULL;

	if (!handle) {
		passing = passing_handle();
		handle = passing;
	}
	if (!handle)
		return NULL;
	if (compat_handle_fd(handle, use) < 0 && !open_into_locked(handle, id, kind, use)) {
		if (passing)
			free(passing);
		return NULL;
	}
	atomic_fetch_add(&handle->users, 1);
	if (!passing)
		atomic_store(&handle->id, id);
	return handle;
}

/* Of all that nobody is using, or also of what somebody is: that goes after its use. */
static void give_up_locked(bool used)
{
	struct compat_handle *handle = &compat_handles[0][0];
	int i;

	for (i = 0; i < COMPAT_SETS * COMPAT_WAYS; i++, handle++)
		if (atomic_load(&handle->id) && (used || !atomic_load(&handle->users)))
			forget_locked(handle);
}

struct compat_handle *compat_handle_find(int id, const char *kind, enum compat_use use)
{
	struct compat_handle *handle = id > 0 ? compat_handle_get(id) : NULL;

	if (handle) {
		if (compat_handle_fd(handle, use) >= 0)
			return handle;
		compat_handle_put(handle);
	}
	/* Asked for before the lock is taken. */
	if (compat_device() < 0)
		return NULL;

	compat_lock();
	handle = find_locked(id, kind, use);
	if (!handle && errno == ENOMEM) {
		give_up_locked(false);
		handle = find_locked(id, kind, use);
	}
	compat_unlock();
	return handle;
}

void compat_handle_forget(int id)
{
	struct compat_handle *handle = compat_handles[(unsigned int)id % COMPAT_SETS];
	int error = errno, way;

	compat_lock();
	for (way = 0; way < COMPAT_WAYS; way++)
		if (atomic_load(&handle[way].id) == id)
			forget_locked(&handle[way]);
	compat_unlock();
	errno = error;
}

void compat_handles_forget(void)
{
	int error = errno;

	if (compat_borrowed())
		return;
	compat_lock();
	give_up_locked(true);
	compat_unlock();
	errno = error;
}
