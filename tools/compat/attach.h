/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What this process has attached, and where. While it has a segment attached it has a hidden handle
 * of it, so that a segment that was removed ends with the last process that has it, however that
 * ends. A child has both, as it has the memory; a program that is begun has neither.
 *
 * The lock is held in all of these.
 */
#ifndef COMPAT_ATTACH_H
#define COMPAT_ATTACH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Gets the memory that the next attach may need, or returns false with errno ENOMEM. */
bool compat_attach_prepare_locked(void);

/*
 * Notes what was mapped, and what was replaced by it; takes the handle. Returns false with errno
 * ENOMEM when there is no descriptor to be had; then it is mapped no more.
 */
bool compat_attach_locked(int id, int handle, void *start, size_t length);

/* Unmaps what was attached at that address. Returns false when nothing was. */
bool compat_detach_locked(uintptr_t address);

#endif /* COMPAT_ATTACH_H */
