// SPDX-License-Identifier: GPL-2.0
/*
 * What pipe(2), fork(2) and execve(2) do, over a mailbox: sort(1) reads bytes, and knows of no
 * mailbox. Documentation/pipes.rst says what is the same and what is not.
 *
 *	cc stream.c -o stream $(pkg-config --cflags --libs libmailbox)
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <mailbox.h>

static int check(const char *what, int ret)
{
	char text[128];

	if (ret < 0) {
		fprintf(stderr, "%s\n", mailbox_error_text(ret, what, text, sizeof(text)));
		exit(1);
	}
	return ret;
}

/* As pipe(2): ends[0] reads, ends[1] writes. */
static void stream(int ends[2])
{
	struct mailbox_create create;
	int device = check("open", mailbox_device_open()), all;

	mailbox_create_init(&create, NULL);
	create.rights = MAILBOX_RIGHT_SEND | MAILBOX_RIGHT_RECEIVE;
	create.max_bytes = 65536;
	all = check("create", mailbox_create(device, &create));
	ends[0] = check("reading end",
			mailbox_restrict(all, MAILBOX_RIGHT_RECEIVE, MAILBOX_STREAM, NULL));
	ends[1] = check("writing end",
			mailbox_restrict(all, MAILBOX_RIGHT_SEND, MAILBOX_STREAM, NULL));
	close(all);
	close(device);
}

int main(void)
{
	int ends[2], status;
	FILE *to;

	stream(ends);
	if (!fork()) {
		dup2(ends[0], STDIN_FILENO);
		/* Or it would wait for itself to write. */
		close(ends[1]);
		execlp("sort", "sort", NULL);
		_exit(127);
	}
	close(ends[0]);
	to = fdopen(ends[1], "w");
	if (!to)
		return 1;
	fputs("pear\napple\nplum\n", to);
	/* The last that writes: sort(1) comes to the end. */
	fclose(to);
	wait(&status);
	return !WIFEXITED(status) || WEXITSTATUS(status);
}
