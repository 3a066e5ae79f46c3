// SPDX-License-Identifier: GPL-2.0
/*
 * count_client MAILBOX FILE...: lines, words and bytes of files, counted by a server.
 */
#include <stdio.h>
#include <string.h>

#include <mailbox-rpc.h>
#include "count.h"

int main(int argc, char *argv[])
{
	/* With another transport: clnt_create(host, COUNT_PROGRAM, COUNT_VERSION, "tcp"). */
	CLIENT *clnt =
		clnt_mailbox_create(argc > 1 ? argv[1] : "", COUNT_PROGRAM, COUNT_VERSION, 0, 0);
	int i, failed = 0;

	if (!clnt) {
		clnt_pcreateerror(argv[0]);
		return 1;
	}
	for (i = 2; i < argc; i++) {
		count_result *result = count_file_1(&argv[i], clnt);

		if (!result)
			clnt_perror(clnt, argv[i]);
		else if (result->error)
			fprintf(stderr, "%s: %s\n", argv[i], strerror(result->error));
		else
			printf("%lu %lu %lu %s\n", result->count_result_u.counts.lines,
			       result->count_result_u.counts.words,
			       result->count_result_u.counts.bytes, argv[i]);
		failed |= !result || result->error;
	}
	clnt_destroy(clnt);
	return failed;
}
