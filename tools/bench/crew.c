// SPDX-License-Identifier: GPL-2.0
/*
 * Processes that work with the one that measures.
 */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crew.h"
#include "measure.h"

static void worker(int start, int done, void (*work)(void *), void *arg)
{
	uint64_t end;
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (read(start, &byte, 1) == 1) {
		work(arg);
		end = now();
		if (write(done, &end, sizeof(end)) != sizeof(end))
			break;
	}
	_exit(1);
}

void crew_start(struct crew *crew, unsigned int nr, void (*work)(void *), void *arg)
{
	int start[2];
	unsigned int i;

	crew->nr = nr;
	if (pipe(crew->done))
		fail("crew", "make a pipe");
	for (i = 0; i < nr; i++) {
		if (pipe(start))
			fail("crew", "make a pipe");
		crew->pids[i] = fork();
		if (crew->pids[i] < 0)
			fail("crew", "fork");
		if (!crew->pids[i])
			worker(start[0], crew->done[1], work, arg);
		close(start[0]);
		crew->starts[i] = start[1];
	}
}

void crew_send_to_work(struct crew *crew)
{
	unsigned int i;

	for (i = 0; i < crew->nr; i++) {
		if (write(crew->starts[i], "", 1) != 1)
			fail("crew", "start");
	}
}

uint64_t crew_wait(struct crew *crew)
{
	uint64_t end, last = 0;
	unsigned int i;

	for (i = 0; i < crew->nr; i++) {
		if (read(crew->done[0], &end, sizeof(end)) != sizeof(end))
			fail("crew", "wait");
		if (end > last)
			last = end;
	}
	return last;
}

void crew_end(struct crew *crew)
{
	unsigned int i;

	for (i = 0; i < crew->nr; i++) {
		kill(crew->pids[i], SIGKILL);
		waitpid(crew->pids[i], NULL, 0);
		close(crew->starts[i]);
	}
	close(crew->done[0]);
	close(crew->done[1]);
}
