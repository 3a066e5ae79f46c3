/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The limits that programs know from the kernel's own IPC.
 */
#ifndef COMPAT_LIMITS_H
#define COMPAT_LIMITS_H

/* The number in a file such as /proc/sys/kernel/msgmax; where there is none, @otherwise. */
long compat_limit(const char *path, long otherwise);

#endif /* COMPAT_LIMITS_H */
