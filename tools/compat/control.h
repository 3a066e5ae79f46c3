/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What msgctl(2) and shmctl(2) do alike.
 */
#ifndef COMPAT_CONTROL_H
#define COMPAT_CONTROL_H

#include <stdbool.h>
#include <sys/ipc.h>

#include "mailbox.h"

/* IPC_STAT: what the mailbox of that id is. Returns 0, or -1 with errno as compat_open(). */
int compat_control_stat(int id, const char *kind, struct mailbox_stat *stat);

/*
 * By index, as if all of a kind were in an array without gaps; @any: also what the caller may not
 * read. Returns the id, or -1 with errno EINVAL, EACCES or as compat_walk().
 */
int compat_control_index(int index, const char *kind, bool any, struct mailbox_stat *stat);

/* For what only the owner may do: as compat_open(), but EPERM instead of EACCES. */
int compat_control_open(int id, const char *kind, struct mailbox_stat *stat);

/* IPC_SET of owner and mode, as far as they change; true when any does. */
bool compat_control_owner(const struct mailbox_stat *stat, const struct ipc_perm *perm,
			  struct mailbox_set *set);

/* The errno of IPC_SET and IPC_RMID for that of the module. */
int compat_control_error(int error);

#endif /* COMPAT_CONTROL_H */
