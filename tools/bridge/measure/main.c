// SPDX-License-Identifier: GPL-2.0
/*
 * bridge-measure: see usage().
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "measure.h"

#define SIZE_MAX_ (1024 * 1024)

static const char usage[] =
	"bridge-measure --by=bridge|client|'client without ids' --from=PID --to=PID [OPTION...]\n"
	"bridge-measure --tables FILE\n"
	"bridge-measure --plots FILE FOLDER\n"
	"\n"
	"Sends messages from the host (network namespace) of one process to that of another, and\n"
	"prints what that took, as a line of JSON. FILE has such lines.\n"
	"\n"
	"  --server=URL      of NATS, for a client (nats://10.77.0.1:4222)\n"
	"  --messages=N      how many (1000)\n"
	"  --size=BYTES      of each (64)\n"
	"  --window=N        of a client: messages without an answer, and fetched at once (256)\n"
	"  --interval=US     microseconds from one to the next (0: as fast as may be)\n"
	"  --routes=N        mailboxes r1 to rN take turns (1)\n"
	"  --watch=NAME=PID  a process whose time and memory are told, too\n";

void fail(const char *what, const char *why)
{
	fprintf(stderr, "bridge-measure: %s: %s\n", what, why);
	exit(1);
}

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * SECOND + time.tv_nsec;
}

void stamp(const struct job *job, struct outcome *outcome, uint64_t nr, void *payload)
{
	struct stamp stamp;

	if (nr && job->interval) {
		const uint64_t due = outcome->first + nr * job->interval;
		struct timespec time = { .tv_sec = due / SECOND, .tv_nsec = due % SECOND };

		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
	}
	stamp.sent = now();
	if (!nr)
		outcome->first = stamp.sent;
	memcpy(payload, &stamp, sizeof(stamp));
}

bool arrived(const struct job *job, struct outcome *outcome, const void *payload)
{
	const uint64_t time = now();
	struct stamp stamp;
	uint64_t nr;

	memcpy(&stamp, payload, sizeof(stamp));
	nr = __atomic_fetch_add(&outcome->received, 1, __ATOMIC_ACQ_REL);
	if (nr < job->messages)
		outcome->took[nr] = time - stamp.sent;
	if (nr + 1 >= job->messages)
		outcome->last = time;
	return nr + 1 < job->messages;
}

void ready(struct outcome *outcome)
{
	__atomic_fetch_add(&outcome->ready, 1, __ATOMIC_RELEASE);
}

void await_ready(const struct outcome *outcome, uint32_t nr)
{
	while (__atomic_load_n(&outcome->ready, __ATOMIC_ACQUIRE) < nr)
		usleep(1000);
}

static void enter(pid_t pid)
{
	char path[64];
	int host;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	host = open(path, O_RDONLY | O_CLOEXEC);
	if (host < 0 || setns(host, CLONE_NEWNET))
		fail(path, strerror(errno));
	close(host);
}

/* On a host; the process ends with it. */
static pid_t start(const struct job *job, struct outcome *outcome, bool sends)
{
	const bool client = strcmp(job->by, "bridge");
	pid_t pid = fork();

	if (pid)
		return pid;
	enter(sends ? job->from : job->to);
	if (sends)
		(client ? client_send : boxes_send)(job, outcome);
	else
		(client ? client_receive : boxes_receive)(job, outcome);
	_exit(0);
}

/* Processor time that a process has had, microseconds. */
static uint64_t used(pid_t pid)
{
	unsigned long user = 0, system = 0;
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (fscanf(file, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
		   &system) != 2)
		user = 0;
	fclose(file);
	return (user + system) * (1000000 / sysconf(_SC_CLK_TCK));
}

/* Memory that a process has now, KiB. */
static uint64_t resident(pid_t pid)
{
	unsigned long size = 0;
	char path[64], line[128];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file) && sscanf(line, "VmRSS: %lu", &size) != 1)
		;
	fclose(file);
	return size;
}

static int by_size(const void *a, const void *b)
{
	const uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;

	return one < other ? -1 : one > other;
}

static void print(const struct job *job, struct outcome *outcome, const uint64_t *before)
{
	json_t *result, *processes = json_object();
	unsigned int i;

	qsort(outcome->took, job->messages, sizeof(outcome->took[0]), by_size);
	for (i = 0; i < job->nr_watched; i++)
		json_object_set_new(
			processes, job->names[i],
			json_pack("{s:f, s:I}", "us",
				  (double)(used(job->pids[i]) - before[i]) / job->messages, "KiB",
				  (json_int_t)resident(job->pids[i])));
	result = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:f, s:o}", "by", job->by,
			   "messages", (json_int_t)job->messages, "size", (json_int_t)job->size,
			   "window", (json_int_t)job->window, "interval",
			   (json_int_t)job->interval / 1000, "routes", (json_int_t)job->routes,
			   "rate",
			   job->messages * (double)SECOND / (outcome->last - outcome->first),
			   "median", outcome->took[job->messages / 2] / 1e6, "p99",
			   outcome->took[job->messages * 99 / 100] / 1e6, "processes", processes);
	json_dumpf(result, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
	putchar('\n');
	json_decref(result);
}

static int measure(const struct job *job)
{
	size_t size = sizeof(struct outcome) + job->messages * sizeof(uint64_t);
	uint64_t before[WATCHED_MAX];
	struct outcome *outcome;
	int status, bad = 0;
	pid_t pids[2];
	unsigned int i;

	outcome = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (outcome == MAP_FAILED)
		fail("memory", strerror(errno));
	for (i = 0; i < job->nr_watched; i++)
		before[i] = used(job->pids[i]);
	pids[0] = start(job, outcome, false);
	pids[1] = start(job, outcome, true);
	if (pids[0] < 0 || pids[1] < 0)
		fail("fork", strerror(errno));
	/* Where one end has failed the other would wait for ever. */
	for (i = 0; i < 2; i++) {
		pid_t pid = wait(&status);

		if (status && !bad) {
			bad = 1;
			kill(pids[pid == pids[0]], SIGKILL);
		}
	}
	if (!bad)
		print(job, outcome, before);
	munmap(outcome, size);
	return bad;
}

static uint64_t number(const char *option, const char *text, uint64_t least, uint64_t most)
{
	char *end;
	uint64_t value = strtoull(text, &end, 10);

	if (*end || end == text || value < least || value > most)
		fail(option, "the number is not one of those that it may be");
	return value;
}

static void watch(struct job *job, char *text)
{
	char *pid = strchr(text, '=');

	if (!pid || job->nr_watched == WATCHED_MAX)
		fail("--watch", "give NAME=PID, eight times at most");
	*pid++ = '\0';
	job->names[job->nr_watched] = text;
	job->pids[job->nr_watched++] = number("--watch", pid, 1, INT32_MAX);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "by", required_argument, NULL, 'b' },
		{ "from", required_argument, NULL, 'f' },
		{ "to", required_argument, NULL, 't' },
		{ "server", required_argument, NULL, 's' },
		{ "messages", required_argument, NULL, 'n' },
		{ "size", required_argument, NULL, 'z' },
		{ "window", required_argument, NULL, 'w' },
		{ "interval", required_argument, NULL, 'i' },
		{ "routes", required_argument, NULL, 'r' },
		{ "watch", required_argument, NULL, 'p' },
		{ "tables", required_argument, NULL, 'T' },
		{ "plots", required_argument, NULL, 'P' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct job job = {
		.by = "bridge",
		.url = "nats://10.77.0.1:4222",
		.messages = 1000,
		.size = 64,
		.window = 256,
		.routes = 1,
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'b':
			job.by = optarg;
			break;
		case 'f':
			job.from = number("--from", optarg, 1, INT32_MAX);
			break;
		case 't':
			job.to = number("--to", optarg, 1, INT32_MAX);
			break;
		case 's':
			job.url = optarg;
			break;
		case 'n':
			job.messages = number("--messages", optarg, 1, 100000000);
			break;
		case 'z':
			job.size = number("--size", optarg, sizeof(struct stamp), SIZE_MAX_);
			break;
		case 'w':
			job.window = number("--window", optarg, 1, 4096);
			break;
		case 'i':
			job.interval = 1000 * number("--interval", optarg, 0, 1000000);
			break;
		case 'r':
			job.routes = number("--routes", optarg, 1, 1000);
			break;
		case 'p':
			watch(&job, optarg);
			break;
		case 'T':
			return report_tables(optarg);
		case 'P':
			if (optind < argc)
				return report_plots(optarg, argv[optind]);
			fputs(usage, stderr);
			return 2;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (!job.from || !job.to || optind < argc) {
		fputs(usage, stderr);
		return 2;
	}
	return measure(&job);
}
