/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What 'mailbox work' was asked to do: work_options.c fills it in, work.c does it.
 */
#ifndef CLI_WORK_H
#define CLI_WORK_H

#include "selection.h"

struct work_request {
	struct target target;
	struct selection choice;
	char **command;
	unsigned int jobs; /* at once */
	uint64_t lease;
	uint64_t delay;
	uint64_t count;
	uint64_t idle;
	bool counts;
	bool idles;
	bool all;
	bool serve; /* 'mailbox serve': what the command prints is the answer */
};

/* The command line of 'mailbox work', and of 'mailbox serve', from the command on. */
int work_run(struct work_request *request);

#endif /* CLI_WORK_H */
