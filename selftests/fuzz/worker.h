/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A worker carries out calls, each of them in one process of its own kind: two of
 * root, one of a user without privileges, one in namespaces of its own.
 */
#ifndef FUZZ_WORKER_H
#define FUZZ_WORKER_H

#include "shared.h"

/* User ids outside of any namespace. */
#define UID_PLAIN     1000
#define UID_NAMESPACE 2000

/* The worker that lives in namespaces, and the one without privileges. */
#define WORKER_PLAIN	 2
#define WORKER_NAMESPACE 3

enum stage { STAGE_NEW, STAGE_MAPPED, STAGE_READY };

/* Never returns: waits for orders. */
void worker_main(unsigned int nr) __attribute__((noreturn));
/* The call after this one is for a child of the worker. */
int worker_spawn(const struct call *call, unsigned int index);
/* A call without a structure. Returns a negative errno, or 0 or more. */
int call_plain(const struct call *call, unsigned int index);
void slot_set(unsigned int slot, int fd, enum file_kind kind, __u64 id);
/* Take whatever descriptors are on their way between the sockets. */
void passed_drain(void);
void futex_wait(__u32 *word, __u32 value);
void futex_wake(__u32 *word);

#endif
