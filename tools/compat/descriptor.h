/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Descriptors that a program did not open, and does not expect: SysV identifiers are none, so
 * this library keeps the handles behind them where they are in nobody's way.
 */
#ifndef COMPAT_DESCRIPTOR_H
#define COMPAT_DESCRIPTOR_H

#include <stdbool.h>

/*
 * Moves a descriptor to a high number, close-on-exec, and protects it from close(2) and its like.
 * The number is stored in *where, also when it has to change later since the program wants it
 * itself: so *where stays where it is until compat_reveal(). Returns the number, or -1 with
 * errno EMFILE; then *where is -1 and the descriptor is closed. Lock held.
 */
int compat_hide_locked(int fd, int *where);

/* Closes what *where says, which becomes -1; nothing when it is that already. Lock held. */
void compat_reveal_locked(int *where);

/* The same two for those who do not hold the lock. */
int compat_hide(int fd, int *where);
void compat_reveal(int *where);

bool compat_hidden(int fd);

#endif /* COMPAT_DESCRIPTOR_H */
