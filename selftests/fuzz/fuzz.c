// SPDX-License-Identifier: GPL-2.0
/*
 * fuzz run SECONDS CORPUS	looks for inputs that reach more, and for defects
 * fuzz minimize CORPUS		names those files that reach as much as all
 * fuzz replay CORPUS		runs each file once, and prints TAP
 * fuzz show FILE		says what calls it stands for; runs anywhere
 *
 * Runs as root with the module loaded otherwise. See Documentation/fuzzing.rst. MAILBOX_SEED
 * repeats the choices of "run".
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "corpus.h"
#include "describe.h"
#include "dispatch.h"
#include "kernel.h"
#include "mutate.h"
#include "show.h"
#include "values.h"

/* How often an input that is new is run to see what it reaches every time. */
#define TRIES 3
/* As many seconds may be spent on making one shorter. */
#define SHORTEN 60
/* A status line comes after so many seconds. */
#define STATUS 5

struct shared *shared;

static struct corpus corpus;
static __u8 reached[FEATURES];
static unsigned int nr_reached;
static unsigned long executions;
static const struct input *current;
/* Say each input before it runs: it may be the machine's last. */
static bool announce;

void fail(const char *format, ...)
{
	va_list list;

	if (__atomic_exchange_n(&shared->failed, true, __ATOMIC_RELAXED))
		return;
	va_start(list, format);
	vsnprintf(shared->failure, sizeof(shared->failure), format, list);
	va_end(list);
}

void die(const char *format, ...)
{
	va_list list;

	if (current)
		say_input("crash", current);
	printf("why ");
	va_start(list, format);
	vprintf(format, list);
	va_end(list);
	printf("\n");
	fflush(stdout);
	_exit(2);
}

static bool execute(const struct input *input)
{
	current = input;
	executions++;
	if (announce)
		say_input("last", input);
	dispatch_run(input);
	kernel_check();
	current = NULL;
	return !shared->failed;
}

/* Counts them as reached. Returns how many had not been. */
static unsigned int reach_all(void)
{
	const struct features *features = &shared->features;
	unsigned int fresh = 0, i;

	for (i = 0; i < features->nr; i++) {
		fresh += !reached[features->list[i]];
		reached[features->list[i]] = 1;
	}
	nr_reached += fresh;
	return fresh;
}

/* What an input has reached before all others. */
struct fresh {
	unsigned int nr;
	__u16 list[FEATURES];
};

static void find_fresh(struct fresh *fresh)
{
	const struct features *features = &shared->features;
	unsigned int i;

	fresh->nr = 0;
	for (i = 0; i < features->nr; i++)
		if (!reached[features->list[i]])
			fresh->list[fresh->nr++] = features->list[i];
}

/* Only what is reached again is worth keeping the input. */
static void keep_common(struct fresh *fresh)
{
	unsigned int i, nr = 0;

	for (i = 0; i < fresh->nr; i++)
		if (shared->features.seen[fresh->list[i]])
			fresh->list[nr++] = fresh->list[i];
	fresh->nr = nr;
}

static bool has_all(const struct fresh *fresh)
{
	unsigned int i;

	for (i = 0; i < fresh->nr; i++)
		if (!shared->features.seen[fresh->list[i]])
			return false;
	return true;
}

static void report_failure(const struct input *input) __attribute__((noreturn));

/* What must stay when an input is made shorter: a failure, or what it reached. */
static bool still_there(const struct input *input, const struct fresh *fresh)
{
	bool fails = !execute(input);

	if (!fresh)
		return fails;
	if (fails)
		report_failure(input);
	return has_all(fresh);
}

static void shorten(struct input *input, const struct fresh *fresh)
{
	__u64 end = now_ns() + SHORTEN * 1000000000ULL;
	struct program program;
	struct input less;
	unsigned int i, j;

	input_decode(input, &program);
	for (i = program.nr; i-- > 0 && now_ns() < end;) {
		less = *input;
		input_remove(&less, &program, i);
		if (program.nr > 1 && still_there(&less, fresh)) {
			*input = less;
			input_decode(input, &program);
			continue;
		}
		for (j = program.calls[i].nr_changes; j-- > 0;) {
			less = *input;
			input_remove_change(&less, &program, i, j);
			if (less.length < input->length && still_there(&less, fresh)) {
				*input = less;
				input_decode(input, &program);
			}
		}
	}
}

/* The end: after a failure nothing of the machine can be trusted. */
static void report_failure(const struct input *input)
{
	struct input shorter = *input;

	say_input("crash", input);
	printf("why %s\n", shared->failure);
	shorten(&shorter, NULL);
	say_input("crash", &shorter);
	exit(1);
}

static void consider(struct input *input)
{
	static struct fresh fresh;
	int i;

	find_fresh(&fresh);
	if (!fresh.nr)
		return;
	reach_all();
	for (i = 0; i < TRIES && fresh.nr; i++) {
		if (!execute(input))
			report_failure(input);
		keep_common(&fresh);
		reach_all();
	}
	if (!fresh.nr)
		return;
	shorten(input, &fresh);
	input_settle_ops(input);
	corpus_add(&corpus, input);
	say_input("new", input);
}

static void status(__u64 begun)
{
	__u64 seconds = (now_ns() - begun) / 1000000000;

	printf("status %llu s, %lu inputs, %llu each second, corpus %u, edges %u, places %u\n",
	       seconds, executions, seconds ? executions / seconds : 0, corpus.nr, nr_reached,
	       cover_places());
	fflush(stdout);
}

static void run_corpus(void)
{
	unsigned int i;

	for (i = 0; i < corpus.nr; i++) {
		if (!execute(&corpus.kept[i].input))
			report_failure(&corpus.kept[i].input);
		reach_all();
	}
}

static const struct input *any_input(void)
{
	/* Often a new one: it has been tried least. */
	unsigned int newest = corpus.nr > 32 && !chance(3) ? 32 : corpus.nr;

	return &corpus.kept[corpus.nr - 1 - chance(newest)].input;
}

static void make_input(struct input *input)
{
	if (!corpus.nr || !chance(20)) {
		input_random(input);
		return;
	}
	*input = *any_input();
	input_mutate(input, any_input());
}

static int run(unsigned long seconds)
{
	const char *given = getenv("MAILBOX_SEED");
	__u64 seed = given && *given ? strtoull(given, NULL, 0) : now_ns();
	__u64 begun = now_ns(), told = begun;
	struct input input;

	printf("status seed %llu, %s\n", seed,
	       dispatch_has_cover() ? "guided by KCOV" : "no KCOV: guided by errors alone");
	chance_seed(seed);
	announce = true;
	run_corpus();
	status(begun);
	while (now_ns() < begun + seconds * 1000000000) {
		make_input(&input);
		if (!execute(&input))
			report_failure(&input);
		consider(&input);
		if (now_ns() > told + STATUS * 1000000000ULL) {
			told = now_ns();
			status(begun);
		}
	}
	status(begun);
	return 0;
}

/* The shortest first: a longer one stays only for what they do not reach. */
static int minimize(void)
{
	static struct fresh fresh;
	unsigned int i;
	int try;

	for (i = 0; i < corpus.nr; i++) {
		if (!execute(&corpus.kept[i].input))
			report_failure(&corpus.kept[i].input);
		find_fresh(&fresh);
		for (try = 0; try < TRIES && fresh.nr; try++) {
			execute(&corpus.kept[i].input);
			keep_common(&fresh);
		}
		if (!fresh.nr && strncmp(corpus.kept[i].name, "crash-", 6))
			continue;
		reach_all();
		printf("keep %s\n", corpus.kept[i].name);
	}
	printf("status edges %u, places %u\n", nr_reached, cover_places());
	return 0;
}

/* One case for each input that once found something, and one for all others. */
static int replay(void)
{
	unsigned int i, cases = 0, failed = 0, failed_of_others = 0;
	bool special, ok;

	printf("TAP version 13\n");
	for (i = 0; i < corpus.nr; i++) {
		special = !strncmp(corpus.kept[i].name, "crash-", 6);
		ok = execute(&corpus.kept[i].input);
		if (!ok)
			printf("# %s: %s\n", corpus.kept[i].name, shared->failure);
		if (special)
			printf("%s %u %s\n", ok ? "ok" : "not ok", ++cases, corpus.kept[i].name);
		else
			failed_of_others += !ok;
		failed += !ok;
		fflush(stdout);
	}
	printf("# %u inputs\n", corpus.nr);
	printf("%s %u corpus\n", failed_of_others ? "not ok" : "ok", ++cases);
	printf("1..%u\n", cases);
	return failed || !corpus.nr;
}

int main(int argc, char **argv)
{
	bool runs = argc == 4 && !strcmp(argv[1], "run");
	bool minimizes = argc == 3 && !strcmp(argv[1], "minimize");
	bool replays = argc == 3 && !strcmp(argv[1], "replay");

	if (argc == 3 && !strcmp(argv[1], "show")) {
		corpus_load_file(&corpus, argv[2], "");
		show_input(&corpus.kept[0].input);
		return 0;
	}
	if (!runs && !minimizes && !replays) {
		fprintf(stderr, "usage: fuzz run SECONDS CORPUS | minimize CORPUS | replay CORPUS |"
				" show FILE\n");
		return 2;
	}
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED)
		return 2;
	if (layouts_incomplete())
		die("describe.c does not describe all of %s", layouts_incomplete());
	corpus_load(&corpus, argv[argc - 1], minimizes);
	dispatch_init();
	/* In a test the machine itself looks at what the kernel says. */
	if (!replays)
		kernel_listen("/vm/splats");
	return runs ? run(strtoul(argv[2], NULL, 0)) : minimizes ? minimize() : replay();
}
