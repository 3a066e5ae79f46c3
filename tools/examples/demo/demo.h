/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What producer, hash and collector of the demonstration agree on.
 *
 * A job is the path of a file, a NUL byte and the content. A result is one line,
 * "LENGTH HASH  PATH", and its type is the number of the worker, with REDONE added when
 * the job had been delivered before.
 */
#ifndef DEMO_H
#define DEMO_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <mailbox.h>

/* Workers are counted from 1. */
#define MAX_WORKERS 16
#define REDONE	    100

static inline int check(const char *program, const char *what, int ret)
{
	char text[160];

	if (ret < 0) {
		fprintf(stderr, "%s: %s\n", program,
			mailbox_error_text(ret, what, text, sizeof(text)));
		exit(1);
	}
	return ret;
}

static inline int open_box(const char *program, const char *name, unsigned int rights)
{
	int device = check(program, "open /dev/mailbox", mailbox_device_open());
	int box = check(program, name, mailbox_open(device, name, rights, 0));

	close(device);
	return box;
}

#endif /* DEMO_H */
