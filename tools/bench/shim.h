/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The calls that libmailbox-compat.so puts before those of the C library, by other names, so
 * that both can be measured in one program. See the Makefile.
 */
#ifndef BENCH_SHIM_H
#define BENCH_SHIM_H

#include <stddef.h>
#include <sys/ipc.h>
#include <sys/types.h>

struct msqid_ds;

int shim_msgget(key_t key, int flags);
int shim_msgsnd(int id, const void *message, size_t length, int flags);
ssize_t shim_msgrcv(int id, void *message, size_t room, long type, int flags);
int shim_msgctl(int id, int command, struct msqid_ds *queue);

#endif
