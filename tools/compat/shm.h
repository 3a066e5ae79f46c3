/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of SysV shared memory share.
 *
 * A segment is a mailbox with a region. The region is whole pages, and a segment has the size that
 * was asked for: that is the max_bytes of the mailbox, in which there are no messages. The one that
 * its maker sent and took back says who that was.
 */
#ifndef COMPAT_SHM_H
#define COMPAT_SHM_H

#include <stdbool.h>
#include <stddef.h>

#include "mailbox.h"

/* Of a segment that is gone when nobody has it attached any more; its id follows. */
#define COMPAT_SHM_REMOVED "sysv.shm.removed."

/* The largest segment. */
size_t compat_shm_max(void);

/* Bytes of the segment, as asked for. */
static inline size_t compat_shm_size(const struct mailbox_stat *stat)
{
	return stat->max_bytes;
}

bool compat_shm_removed(const struct mailbox_stat *stat);

#endif /* COMPAT_SHM_H */
