/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Keys of SysV IPC, which become names of mailboxes: what msgget(2) and shmget(2) share.
 */
#ifndef COMPAT_KEYS_H
#define COMPAT_KEYS_H

#include <sys/ipc.h>

#include "mailbox.h"

/*
 * Finds the mailbox of a key, or makes it as @create says, whose name, mode, rights and flags are
 * filled in here. @kind is what the name begins with, see handles.h; @flags are those of the call.
 * Of one that was there, and may be used so, *found says what it is; of a new one the id is 0
 * there. Returns the id, which is that of the mailbox; or -1 with errno ENOENT, EEXIST, EACCES,
 * ENOSPC when the quota of the caller has no room for another mailbox, ENOMEM, EINVAL or ENOSYS.
 */
int compat_key_get(const char *kind, key_t key, int flags, struct mailbox_create *create,
		   struct mailbox_stat *found);

/* The key in the name of a mailbox of that kind; IPC_PRIVATE when there is none. */
key_t compat_key_of(const char *kind, const char *name);

/* What the struct ipc_perm of a mailbox says. */
void compat_key_perm(const char *kind, const struct mailbox_stat *stat, struct ipc_perm *perm);

#endif /* COMPAT_KEYS_H */
