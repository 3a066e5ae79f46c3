// SPDX-License-Identifier: GPL-2.0
/*
 * supervise SECONDS PROGRAM: runs a test in a session of its own and prints what it
 * prints, indented as nested TAP wants it. Ends when the test ends, with its exit
 * status; 124 when it had to be killed, 125 when it left processes behind.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* How long children of a test may take to die after it, in milliseconds. */
#define GRACE 3000

static long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void copy_indented(const char *text, ssize_t length)
{
	static bool inside;
	ssize_t i;

	for (i = 0; i < length; i++) {
		if (!inside)
			fputs("    ", stdout);
		inside = text[i] != '\n';
		putchar(text[i]);
	}
	fflush(stdout);
}

/* Returns false at the end of the output, or when none came before @until. */
static bool copy_until(int output, long until)
{
	struct pollfd poll_output = { .fd = output, .events = POLLIN };
	long left = until - now();
	char text[4096];
	ssize_t length;

	if (poll(&poll_output, 1, left > 0 ? left : 0) <= 0)
		return false;
	length = read(output, text, sizeof(text));
	if (length <= 0)
		return false;
	copy_indented(text, length);
	return true;
}

/*
 * All that the test started and left ends up as a child of this process. Prints the
 * names of those that live, and kills them if asked to; returns how many.
 */
static int survivors(bool tell, bool end)
{
	char path[64], name[64] = "";
	FILE *children, *comm;
	int count = 0, pid;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	children = fopen(path, "r");
	while (children && fscanf(children, "%d", &pid) == 1) {
		count++;
		snprintf(path, sizeof(path), "/proc/%d/comm", pid);
		comm = fopen(path, "r");
		if (comm && fscanf(comm, "%63[^\n]", name) == 1 && tell)
			printf("    # left behind: process %d, %s\n", pid, name);
		if (comm)
			fclose(comm);
		if (end)
			kill(pid, SIGKILL);
	}
	if (children)
		fclose(children);
	return count;
}

/* Killing one may bring its children here, so again until none is left. */
static void kill_all(void)
{
	while (survivors(false, true))
		while (waitpid(-1, NULL, 0) > 0)
			survivors(false, true);
}

static pid_t start(char **argv, int output)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	setsid();
	dup2(output, STDOUT_FILENO);
	dup2(output, STDERR_FILENO);
	execv(argv[0], argv);
	fprintf(stderr, "cannot run %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

/* True when the test has ended; others that died with it are buried on the way. */
static bool ended(pid_t test, int *status)
{
	int code;
	pid_t pid;

	while ((pid = waitpid(-1, &code, WNOHANG)) > 0) {
		if (pid != test)
			continue;
		*status = code;
		return true;
	}
	return false;
}

int main(int argc, char **argv)
{
	int output[2], status = 0;
	bool end = false;
	long deadline;
	pid_t test;

	if (argc != 3 || pipe2(output, O_CLOEXEC) || prctl(PR_SET_CHILD_SUBREAPER, 1)) {
		fprintf(stderr, "usage: supervise SECONDS PROGRAM\n");
		return 2;
	}
	deadline = now() + 1000 * atol(argv[1]);
	test = start(argv + 2, output[1]);
	close(output[1]);

	/* The test may have closed its output or passed it on: ask both. */
	while (!end && now() < deadline) {
		if (!copy_until(output[0], now() + 20))
			usleep(5000);
		end = ended(test, &status);
	}
	while (copy_until(output[0], now()))
		;
	if (!end) {
		printf("    # killed after %s s\n", argv[1]);
		survivors(true, false);
		kill_all();
		return 124;
	}

	deadline = now() + GRACE;
	while (survivors(false, false) && now() < deadline) {
		usleep(10000);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
	if (survivors(true, false)) {
		kill_all();
		return 125;
	}
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
