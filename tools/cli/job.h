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
};

/*
 * Starts a command with the payload as its standard input, the files of the message as
 * descriptors 3 and on, and the rest of it in its environment. The files are closed here.
 * EXIT_OK, or an exit code and no command runs.
 */
int job_start(struct job *job, const struct mailbox_message *message, char **command,
	      const sigset_t *mask);

/* Reaps a command that has ended; says so when it was not with success. */
bool job_succeeded(struct job *job, const struct target *target, char **command);

#endif /* CLI_JOB_H */
