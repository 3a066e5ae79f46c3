/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A message under a lease, and the command that works on it.
 */
#ifndef CLI_JOB_H
#define CLI_JOB_H

#include <signal.h>

#include "cli.h"

struct job {
	uint64_t sequence;
	uint64_t lease;
	uint64_t extend_at; /* UINT64_MAX: the lease has no limit, or is lost */
	pid_t pid; /* of the command, which leads a process group of its own */
	int pidfd; /* readable when it has ended */
	int answer; /* a file in memory that is the command's standard output; or -1 */
};

/*
 * Starts a command with the payload as its standard input, the files of the message as
 * descriptors 3 and on, and the rest of it in its environment; where answers is true, with its
 * standard output to a file in memory. The files are closed here. EXIT_OK, or an exit code and
 * no command runs.
 */
int job_start(struct job *job, const struct mailbox_message *message, char **command,
	      const sigset_t *mask, bool answers);

/* What it has printed, and free(3) it; NULL when there is not enough memory for that. */
char *job_answer(const struct job *job, size_t *length);

/* Reaps a command that has ended; says so, and what follows, when it was not with success. */
bool job_succeeded(struct job *job, const struct target *target, char **command);

#endif /* CLI_JOB_H */
