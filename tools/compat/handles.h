/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SysV identifiers are numbers that any process may use without opening anything: they are ids of
 * mailboxes, and this is where the handles are that a process needs for those that it uses.
 *
 * A handle is looked up without a lock, and used between compat_handle_get() and
 * compat_handle_put(): until then its number is not closed, nor used for something else, whatever
 * other threads do.
 */
#ifndef COMPAT_HANDLES_H
#define COMPAT_HANDLES_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "mailbox.h"

enum compat_use {
	COMPAT_SEND,
	COMPAT_RECEIVE,
};

/* What one process has of one mailbox. */
struct compat_handle {
	/* Of the mailbox, or 0: what is here is not to be used any more. */
	_Atomic int id;
	/* Threads that are using it. */
	_Atomic unsigned int users;
	/* In the order of enum compat_use: where the descriptor for it is, or NULL. */
	int *at[2];
	/* Hidden descriptors, or -1. One will do for both where the mailbox allows both. */
	int fds[2];
};

#define COMPAT_WAYS 4
#define COMPAT_SETS 64

extern struct compat_handle compat_handles[COMPAT_SETS][COMPAT_WAYS];

/* The slow half of compat_handle_put(): nobody uses it any more, and nobody will. */
void compat_handle_reap(struct compat_handle *handle);

/* What there is for that id, or NULL. */
static inline struct compat_handle *compat_handle_get(int id)
{
	struct compat_handle *handle = compat_handles[(unsigned int)id % COMPAT_SETS];
	int way;

	for (way = 0; way < COMPAT_WAYS; way++, handle++) {
		if (atomic_load_explicit(&handle->id, memory_order_relaxed) != id)
			continue;
		/* Either this is seen by who forgets it, or the id is seen to have gone. */
		atomic_fetch_add(&handle->users, 1);
		if (atomic_load(&handle->id) == id)
			return handle;
		if (atomic_fetch_sub(&handle->users, 1) == 1)
			compat_handle_reap(handle);
	}
	return NULL;
}

/* The descriptor for that, as it is now; -1 where there is none. */
static inline int compat_handle_fd(struct compat_handle *handle, enum compat_use use)
{
	int *at = __atomic_load_n(&handle->at[use], __ATOMIC_ACQUIRE);

	return at ? __atomic_load_n(at, __ATOMIC_RELAXED) : -1;
}

static inline void compat_handle_put(struct compat_handle *handle)
{
	if (atomic_fetch_sub(&handle->users, 1) == 1 && !atomic_load(&handle->id))
		compat_handle_reap(handle);
}

/* Those that this library has to do with; the names of their mailboxes begin with the text. */
#define COMPAT_MSG "sysv.msg."
#define COMPAT_SHM "sysv.shm."

/*
 * Opens a mailbox by its id, close-on-exec and not hidden, and says what it is. Returns the
 * descriptor; -1 with errno EINVAL when there is none of that id, or it is another kind of mailbox;
 * EACCES; ENOMEM, also for want of descriptors; ENOSYS.
 */
int compat_open(int id, const char *kind, uint32_t rights, struct mailbox_stat *stat);

/*
 * The handle of that id for one of the two, opened if need be, as if by compat_handle_get().
 * Returns NULL with errno as compat_open() has it.
 */
struct compat_handle *compat_handle_find(int id, const char *kind, enum compat_use use);

/* The mailbox is gone, or its handle was revoked: the next one to use it opens it again. */
void compat_handle_forget(int id);

/* All that there is, since the caller is somebody else now. */
void compat_handles_forget(void);

#endif /* COMPAT_HANDLES_H */
