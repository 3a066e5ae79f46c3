/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the process that gives out the calls (the dispatcher) and the workers share.
 * All of them use one table of descriptors, as threads do, so a slot is the same file
 * for each: one can close what another sleeps in.
 */
#ifndef FUZZ_SHARED_H
#define FUZZ_SHARED_H

#include <stdbool.h>
#include <sys/types.h>

#include "cover.h"
#include "input.h"

/* Descriptors below this are ours and stay; all others go after each input. */
#define FIRST_FD   64
#define FD_DEVICE  10 /* one for each worker */
#define FD_COVER   20
#define FD_STAT	   30
#define FD_FAIL	   40
#define FD_NULL	   50
#define FD_KMSG	   51
#define FD_SOCKETS 52 /* two */
#define FD_LIMITS  54 /* LIMITS */
#define LIMITS	   4
#define FD_EVENT   58 /* for all */
/* Few, so that they run out. */
#define FDS_OF_WORKERS (FIRST_FD + 40)

#define SINK_SIZE    (64 * 1024)
#define CHILDREN_MAX 4
#define LEASES	     8

enum file_kind { FILE_NONE, FILE_DEVICE, FILE_HANDLE, FILE_OTHER };

struct slot {
	int fd;
	enum file_kind kind;
	__u64 id;
};

struct worker {
	pid_t pid;
	__u32 stage; /* of its start, see dispatch.c */
	__u32 order; /* futex: counts up with each order */
	__u32 done; /* order that was carried out last */
	unsigned int first, end; /* calls of the order */
	unsigned int now; /* call that it is at */
	bool failing; /* something is to fail in that call */
	__u32 inboxes; /* calls that may have left it one, which ends with the process */
	struct cover cover;
};

struct shared {
	struct program program;
	struct worker workers[WORKERS];
	struct slot slots[SLOTS];
	__u64 last_id;
	__u64 last_grant; /* of whichever mailbox */
	__u64 last_process; /* as IDENTIFY has said */
	/* Numbers of the leases taken last, tokens too, the next one to be replaced. */
	__u64 leases[LEASES];
	__u32 nr_leases;
	pid_t children[CHILDREN_MAX];
	pid_t last_child; /* also when it is no more */
	pid_t last_reaped; /* worker or child of this input, 0 if there is none */
	bool failed;
	char failure[240];
	struct features features;
};

extern struct shared *shared;

/* The input has shown a defect; the first word counts. */
void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Something is wrong with the fuzzer or its surroundings. */
void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
