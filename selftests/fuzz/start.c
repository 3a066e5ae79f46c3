// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "memory.h"
#include "settle.h"
#include "start.h"
#include "worker.h"

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, text, strlen(text)) < 0)
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
	close(fd);
}

/* Makes descriptor @as of a file of a process; without such a file it is closed. */
static void open_proc(pid_t pid, const char *name, int how, int as)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, how | O_CLOEXEC);
	if (fd < 0)
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (dup3(fd, as, O_CLOEXEC) < 0)
		die("%s: %s", path, strerror(errno));
	close(fd);
}

static void map_ids(pid_t pid)
{
	char path[64], text[32];

	snprintf(text, sizeof(text), "0 %d 1\n", UID_NAMESPACE);
	snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
	write_text(path, text);
	snprintf(path, sizeof(path), "/proc/%d/gid_map", pid);
	write_text(path, text);
}

void start_worker(unsigned int nr)
{
	struct worker *worker = &shared->workers[nr];
	unsigned long flags = CLONE_FILES | SIGCHLD;
	pid_t pid;

	worker->stage = STAGE_NEW;
	if (nr == WORKER_NAMESPACE)
		flags |= CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
	pid = syscall(SYS_clone, flags, NULL, NULL, NULL, 0);
	if (!pid)
		worker_main(nr);
	if (pid < 0)
		die("worker %u: %s", nr, strerror(errno));
	worker->pid = pid;
	if (nr == WORKER_NAMESPACE) {
		map_ids(pid);
		__atomic_store_n(&worker->stage, STAGE_MAPPED, __ATOMIC_RELEASE);
	}
	open_proc(pid, "stat", O_RDONLY, FD_STAT + nr);
	open_proc(pid, "fail-nth", O_RDWR, FD_FAIL + nr);
	while (__atomic_load_n(&worker->stage, __ATOMIC_ACQUIRE) != STAGE_READY) {
		if (waitpid(pid, NULL, WNOHANG) == pid)
			die("worker %u did not start", nr);
		sched_yield();
	}
}

/* What a call is told to fail in: any allocation, and nothing said of it. */
static void set_up_faults(void)
{
	static const char *const kinds[] = { "failslab", "fail_page_alloc", "fail_usercopy" };
	static const char *const settings[][2] = {
		{ "verbose", "0" },
		{ "ignore-gfp-wait", "N" },
		{ "min-order", "0" },
	};
	char path[96];
	size_t i, j;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		for (j = 0; j < sizeof(settings) / sizeof(settings[0]); j++) {
			snprintf(path, sizeof(path), "/sys/kernel/debug/%s/%s", kinds[i],
				 settings[j][0]);
			write_text(path, settings[j][1]);
		}
	}
}

/* The namespace ends with its only process, in the background. */
static void stop_all(void)
{
	int nr;

	for (nr = 0; nr < WORKERS; nr++) {
		kill(shared->workers[nr].pid, SIGKILL);
		waitpid(shared->workers[nr].pid, NULL, 0);
	}
}

void start_all(void)
{
	struct rlimit many = { 1024, 1024 };
	int sockets[2], fd, nr;

	setrlimit(RLIMIT_NOFILE, &many);
	/* Our places are taken, so whatever is opened later comes after them. */
	fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (nr = fd + 1; nr < FIRST_FD; nr++)
		if (fcntl(nr, F_GETFD) < 0)
			dup3(fd, nr, O_CLOEXEC);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets))
		die("sockets: %s", strerror(errno));
	for (nr = 0; nr < 2; nr++) {
		dup3(sockets[nr], FD_SOCKETS + nr, O_CLOEXEC);
		close(sockets[nr]);
	}
	/* Told and never asked: it fills up, and nobody waits for it. */
	fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd < 0 || dup3(fd, FD_EVENT, O_CLOEXEC) < 0)
		die("eventfd: %s", strerror(errno));
	close(fd);
	set_up_faults();
	memory_init();
	for (nr = 0; nr < WORKERS; nr++)
		cover_open(&shared->workers[nr].cover, FD_COVER + nr);
	for (nr = 0; nr < WORKERS; nr++)
		start_worker(nr);
	atexit(stop_all);
	settle_init();
}
