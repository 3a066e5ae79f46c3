// SPDX-License-Identifier: GPL-2.0
/*
 * count_server MAILBOX [WORKERS]: counts what is in files, for who may read them.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mailbox-rpc.h>
#include "count.h"

/* rpcgen has made this one, and declares it nowhere. */
void count_program_1(struct svc_req *request, SVCXPRT *transport);

/* The kernel says who asks: what that one may not read is not counted. */
static int may_read(FILE *file, SVCXPRT *transport)
{
	struct mailbox_caller caller;
	struct stat stat;

	return !svc_mailbox_caller(transport, &caller) && !fstat(fileno(file), &stat) &&
	       (stat.st_mode & 0004 || caller.uid == stat.st_uid || caller.uid == 0);
}

count_result *count_file_1_svc(char **name, struct svc_req *request)
{
	static count_result result;
	file_counts *counts = &result.count_result_u.counts;
	FILE *file = fopen(*name, "r");
	int c, last = ' ';

	*counts = (file_counts){ 0 };
	result.error = !file ? errno : may_read(file, request->rq_xprt) ? 0 : EACCES;
	for (; !result.error && (c = getc(file)) != EOF; last = c) {
		counts->bytes++;
		counts->lines += c == '\n';
		counts->words += isspace(last) && !isspace(c);
	}
	if (file)
		fclose(file);
	return &result;
}

int main(int argc, char *argv[])
{
	/* With another transport: svctcp_create(RPC_ANYSOCK, 0, 0). */
	SVCXPRT *transport = svc_mailbox_create(argc > 1 ? argv[1] : "", 0, 0);
	int workers = argc > 2 ? atoi(argv[2]) : 1;

	if (!transport ||
	    !svc_reg(transport, COUNT_PROGRAM, COUNT_VERSION, count_program_1, NULL)) {
		perror(argv[0]);
		return 1;
	}
	while (--workers > 0 && fork() > 0)
		;
	svc_run();
	return 0;
}
