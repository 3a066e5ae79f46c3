// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "dispatch.h"
#include "settle.h"
#include "start.h"
#include "values.h"
#include "worker.h"

/* A call that goes on for so long after a signal cannot be interrupted. */
#define HANG_NS (10 * 1000000000ULL)
/* How long a worker may sleep when its call asked for patience. */
#define PATIENCE_NS (3 * 1000000ULL)
/* Naps are what takes longest. */
#define NAPS_MAX 3

static unsigned int naps;
static bool patient[WORKERS];

static bool is_busy(struct worker *worker)
{
	return __atomic_load_n(&worker->done, __ATOMIC_ACQUIRE) != worker->order;
}

/* What the kernel says of a task: R, S, D, Z ... */
static char state_of(unsigned int nr)
{
	char text[256], *at;
	ssize_t length = pread(FD_STAT + nr, text, sizeof(text) - 1, 0);

	if (length <= 0)
		return 'Z';
	text[length] = 0;
	at = strrchr(text, ')');
	return at && at[1] ? at[2] : '?';
}

static void replace_worker(unsigned int nr)
{
	struct worker *worker = &shared->workers[nr];

	waitpid(worker->pid, NULL, 0);
	shared->last_reaped = worker->pid;
	cover_end_call(&worker->cover);
	worker->done = worker->order;
	worker->failing = false;
	patient[nr] = false;
	worker->inboxes = 0;
	start_worker(nr);
}

/* What is to fail may be the frame of a signal: that ends the process. */
static void bury(unsigned int nr)
{
	const struct worker *worker = &shared->workers[nr];

	if (!worker->failing)
		die("worker %u died in call %u", nr, worker->now);
	replace_worker(nr);
}

/* Until its calls have ended, or it sleeps in one. */
static void wait_until_quiet(unsigned int nr)
{
	struct worker *worker = &shared->workers[nr];
	unsigned int yields = 0;
	char state;

	while (is_busy(worker)) {
		sched_yield();
		if (++yields % 8 || !is_busy(worker))
			continue;
		state = state_of(nr);
		if (state == 'S')
			return;
		if (state == 'Z')
			bury(nr);
	}
}

static void nap(void)
{
	const struct timespec millisecond = { .tv_nsec = 1000000 };

	nanosleep(&millisecond, NULL);
}

/* Until its calls have ended; those that sleep are interrupted. */
static void wait_until_free(unsigned int nr)
{
	struct worker *worker = &shared->workers[nr];
	__u64 begun = now_ns();

	wait_until_quiet(nr);
	while (patient[nr] && is_busy(worker) && now_ns() < begun + PATIENCE_NS)
		nap();
	patient[nr] = false;
	while (is_busy(worker)) {
		kill(worker->pid, SIGALRM);
		wait_until_quiet(nr);
		if (now_ns() > begun + HANG_NS)
			die("worker %u hangs in call %u of the input", nr, worker->now);
	}
}

static void order(unsigned int nr, unsigned int first, unsigned int end)
{
	struct worker *worker = &shared->workers[nr];

	worker->first = first;
	worker->end = end;
	worker->now = first;
	__atomic_store_n(&worker->order, worker->order + 1, __ATOMIC_RELEASE);
	futex_wake(&worker->order);
}

static void kill_worker(unsigned int nr)
{
	kill(shared->workers[nr].pid, SIGKILL);
	replace_worker(nr);
}

static void kill_child(unsigned int nr)
{
	pid_t pid = shared->children[nr];

	if (!pid)
		return;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	shared->last_reaped = pid;
	shared->children[nr] = 0;
}

static void call_of_ours(const struct call *call)
{
	unsigned int nr = call->other % WORKERS;

	switch (call->op) {
	case OP_SIGNAL:
		kill(shared->workers[nr].pid, call_argument(call, 0, 0) & 1 ? SIGUSR1 : SIGALRM);
		break;
	case OP_KILL:
		kill_worker(nr);
		break;
	case OP_KILL_CHILD:
		kill_child(nr);
		break;
	case OP_NAP:
		if (naps++ < NAPS_MAX)
			nap();
		break;
	case OP_LIMIT:
		settle_limit(call->slot % LIMITS,
			     call->nr_changes ? number_of(&call->changes[0]) : 1);
		break;
	}
}

static bool is_patient(const struct call *call)
{
	return call->mode == MODE_PATIENT || call->mode == MODE_AT_ONCE_PATIENT;
}

/* Calls from @first on that the same worker can do without anybody else in between. */
static unsigned int run_of(unsigned int first)
{
	const struct program *program = &shared->program;
	const struct call *call = &program->calls[first];
	unsigned int end = first + 1;

	/* Interrupted, it would go on with the next call instead of being free. */
	while (end < program->nr && program->calls[end].worker == call->worker &&
	       program->calls[end].op < OP_SPAWN && program->calls[end - 1].mode == MODE_WAIT &&
	       program->calls[end - 1].op < OP_SPAWN)
		end++;
	return end;
}

static void run_program(void)
{
	const struct program *program = &shared->program;
	const struct call *last;
	unsigned int i = 0, end;

	while (i < program->nr) {
		if (program->calls[i].op >= OP_BY_WORKER) {
			call_of_ours(&program->calls[i++]);
			continue;
		}
		wait_until_free(program->calls[i].worker);
		end = run_of(i);
		last = &program->calls[end - 1];
		order(last->worker, i, end);
		patient[last->worker] = is_patient(last);
		if (last->mode == MODE_WAIT || last->mode == MODE_PATIENT || last->op == OP_SPAWN)
			wait_until_quiet(last->worker);
		/* The one after a spawn is the child's. */
		i = end + (last->op == OP_SPAWN);
	}
}

bool dispatch_run(const struct input *input)
{
	unsigned int i;

	input_decode(input, &shared->program);
	features_clear();
	shared->failed = false;
	shared->last_reaped = 0;
	shared->last_grant = 0;
	shared->last_process = 0;
	memset(shared->leases, 0, sizeof(shared->leases));
	shared->nr_leases = 0;
	naps = 0;
	for (i = 0; i < SLOTS; i++)
		slot_set(i, -1, FILE_NONE, 0);
	/* Those of the first network namespace and of the other one. */
	slot_set(0, FD_DEVICE, FILE_DEVICE, 0);
	slot_set(1, FD_DEVICE + WORKER_NAMESPACE, FILE_DEVICE, 0);

	run_program();
	for (i = 0; i < WORKERS; i++)
		wait_until_free(i);
	for (i = 0; i < CHILDREN_MAX; i++)
		kill_child(i);
	for (i = 0; i < WORKERS; i++)
		if (shared->workers[i].inboxes)
			kill_worker(i);
	settle_all();
	return !shared->failed;
}

void dispatch_init(void)
{
	start_all();
}

bool dispatch_has_cover(void)
{
	return shared->workers[0].cover.pcs;
}
