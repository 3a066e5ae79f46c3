/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The one lock of this library, for what is rare. The path of a message takes none.
 */
#ifndef COMPAT_LOCK_H
#define COMPAT_LOCK_H

#include <stdbool.h>

/*
 * Between the two no signal is handled: a handler that makes one of the replaced calls would
 * wait for itself. Nor is anything copied by a fork(2) half done.
 */
void compat_lock(void);
void compat_unlock(void);

/*
 * Whether this is the child of a vfork(2), that has a table of descriptors of its own, and the
 * memory of its parent. What is written down about descriptors is then not about its own.
 */
bool compat_borrowed(void);

#endif /* COMPAT_LOCK_H */
