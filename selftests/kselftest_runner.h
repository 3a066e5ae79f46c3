/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The part of kselftest_harness.h that runs the tests; included by that file only.
 */
#ifndef SELFTESTS_KSELFTEST_RUNNER_H
#define SELFTESTS_KSELFTEST_RUNNER_H

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

/* Whether the setup came to its end, so that there is something to tear down. */
static inline bool th_try(struct th_test *test, void *self, const void *data)
{
	volatile bool ready = !test->fixture;

	th_escape_tid = getpid();
	if (!setjmp(th_escape)) {
		if (test->fixture) {
			test->fixture->setup(self, data);
			ready = true;
		}
		if (!__atomic_load_n(&th_report->skipped, __ATOMIC_ACQUIRE))
			test->run(self, data);
	}
	th_escape_tid = 0;
	return ready;
}

/* In the test's own process. */
static inline __attribute__((noreturn)) void th_child(struct th_test *test, const void *data)
{
	struct th_fixture *fixture = test->fixture;
	void *self = fixture ? calloc(1, fixture->size + 1) : NULL;

	setpgid(0, 0);
	if (th_try(test, self, data) && fixture)
		fixture->teardown(self, data);
	_exit(th_report->failures ? KSFT_FAIL : KSFT_PASS);
}

/* Children of this process, and what became children of it when their parent ended. */
static inline int th_kill_children(void)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	int killed = 0;

	while (dir && (entry = readdir(dir))) {
		char path[300], text[512];
		char *end;
		FILE *file;
		int parent;

		snprintf(path, sizeof(path), "/proc/%s/stat", entry->d_name);
		file = entry->d_name[0] >= '1' && entry->d_name[0] <= '9' ? fopen(path, "r") : NULL;
		if (!file)
			continue;
		/* The name may hold spaces and brackets: the last one counts. */
		end = fgets(text, sizeof(text), file) ? strrchr(text, ')') : NULL;
		if (end && sscanf(end + 1, " %*c %d", &parent) == 1 && parent == getpid()) {
			kill(atoi(entry->d_name), SIGKILL);
			killed++;
		}
		fclose(file);
	}
	if (dir)
		closedir(dir);
	return killed;
}

/* Returns what the test left behind, children that ended unreaped included. */
static inline int th_reap(pid_t group)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	int left = 0, rounds;

	kill(-group, SIGKILL);
	for (rounds = 0; rounds < 1000; rounds++) {
		pid_t pid = waitpid(-1, NULL, WNOHANG);

		if (pid < 0)
			return left;
		if (pid > 0) {
			left++;
			continue;
		}
		th_kill_children();
		nanosleep(&pause, NULL);
	}
	th_say("# a process cannot be killed");
	return left + 1;
}

static inline void th_judge(struct th_test *test, int status)
{
	if (test->signal && WIFSIGNALED(status) && WTERMSIG(status) == test->signal)
		return;
	if (WIFSIGNALED(status))
		th_say("# ended by signal %d", WTERMSIG(status));
	else if (test->signal)
		th_say("# did not end by signal %d", test->signal);
	else if (!WEXITSTATUS(status))
		return;
	else if (WEXITSTATUS(status) != KSFT_FAIL)
		th_say("# ended with status %d", WEXITSTATUS(status));
	th_count_failure();
}

/*
 * The time a test may take, stretched as a slow kernel needs it. Who breaks the module
 * on purpose waits less for tests that hang.
 */
static inline unsigned int th_timeout(const struct th_test *test)
{
	const char *slow = getenv("MAILBOX_SLOW"), *hurry = getenv("MAILBOX_TIMEOUT");
	int factor = slow ? atoi(slow) : 1, seconds = test->timeout;

	if (hurry && seconds == TH_TIMEOUT)
		seconds = atoi(hurry);
	return seconds * (factor > 1 ? factor : 1);
}

static inline void th_run(struct th_test *test, struct th_variant *variant)
{
	struct timespec now, end;
	sigset_t set, old;
	pid_t pid;
	int status;

	memset(th_report, 0, sizeof(*th_report));
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, &old);
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += th_timeout(test);

	pid = fork();
	if (!pid) {
		sigprocmask(SIG_SETMASK, &old, NULL);
		th_child(test, variant ? variant->data : NULL);
	}
	if (pid < 0) {
		th_say("# fork: %s", strerror(errno));
		th_count_failure();
		return;
	}
	setpgid(pid, pid);
	while (!waitpid(pid, &status, WNOHANG)) {
		struct timespec left = { .tv_nsec = 100000000 };

		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec >= end.tv_sec) {
			th_say("# not done after %u seconds", th_timeout(test));
			th_count_failure();
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			break;
		}
		/* Another child's signal may come in its place: hence the short time. */
		sigtimedwait(&set, NULL, &left);
	}
	th_judge(test, status);
	status = th_reap(pid);
	if (status) {
		th_say("# %d children left behind", status);
		th_count_failure();
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
}

static inline void th_name(char *buf, size_t size, struct th_test *test, struct th_variant *variant)
{
	snprintf(buf, size, "%s%s%s%s%s", test->fixture ? test->fixture->name : "",
		 test->fixture ? "." : "", variant ? variant->name : "", variant ? "." : "",
		 test->name);
}

static inline int th_main(int argc, char **argv)
{
	int total = 0, number = 0, failed = 0, skipped = 0;
	const char *only = NULL;
	struct th_variant *variant;
	struct th_test *test;
	bool list = false;
	char name[256];
	int option, pass;

	while ((option = getopt(argc, argv, "lt:")) != -1) {
		if (option == 'l')
			list = true;
		else if (option == 't')
			only = optarg;
		else
			return KSFT_FAIL;
	}
	th_report = mmap(NULL, sizeof(*th_report), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (th_report == MAP_FAILED || prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
		return KSFT_FAIL;
	/* The first pass counts, for the plan. */
	for (pass = 0; pass < 2; pass++) {
		if (pass && !list)
			th_say("TAP version 13\n1..%d", total);
		for (test = th_tests; test; test = test->next) {
			variant = test->fixture ? test->fixture->variants : NULL;
			do {
				th_name(name, sizeof(name), test, variant);
				if (only && strcmp(only, name))
					continue;
				total += !pass;
				if (pass && list)
					th_say("%s", name);
				if (!pass || list)
					continue;
				th_run(test, variant);
				number++;
				if (th_report->failures) {
					failed++;
					th_say("not ok %d %s", number, name);
				} else if (th_report->skipped) {
					skipped++;
					th_say("ok %d %s # SKIP %s", number, name,
					       th_report->reason);
				} else {
					th_say("ok %d %s", number, name);
				}
			} while (variant && (variant = variant->next));
		}
	}
	if (list)
		return KSFT_PASS;
	if (failed || !total)
		return KSFT_FAIL;
	return skipped == total ? KSFT_SKIP : KSFT_PASS;
}

#endif /* SELFTESTS_KSELFTEST_RUNNER_H */
