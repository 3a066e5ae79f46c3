// SPDX-License-Identifier: GPL-2.0
/*
 * mailbox-bench: mailboxes beside the other kinds of IPC. Measures, or shows what was
 * measured before.
 */
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "measure.h"
#include "profile.h"
#include "table.h"

static const char help[] =
	"Usage: mailbox-bench [OPTIONS]           measures, as root to reach all sizes\n"
	"       mailbox-bench [OPTIONS] FILE...   shows what --json has saved\n"
	"       mailbox-bench --compare OLD NEW   names what got worse by more than 1 %\n"
	"\n"
	"  -q, --quick           8, 64 and 4096 only; of all, one thread and the round trip\n"
	"  -o, --only=NAME       one measurement, for example 'pair'\n"
	"  -r, --rounds=N        that count (9)\n"
	"      --unit=WORD       of the times (nanoseconds)\n"
	"      --name=TEXT       says in the report how this run was made\n"
	"      --noisy           only ratios of this run are worth showing\n"
	"  -j, --json=FILE       saves the report; of several files, as one\n"
	"  -g, --goals           the goals, and whether they are met, instead of the tables\n"
	"      --rst             the tables for Documentation/\n"
	"      --plot=FOLDER     writes there what plot.sh draws\n"
	"  -c, --compare         exit status 1 when something got worse\n"
	"      --profile=PEER    only the round that profile.sh looks at: --only, --size\n"
	"      --size=BYTES      of its messages (64)\n"
	"  -h, --help            this text\n";

enum {
	OPTION_UNIT = 256,
	OPTION_NAME,
	OPTION_NOISY,
	OPTION_RST,
	OPTION_PLOT,
	OPTION_PROFILE,
	OPTION_SIZE,
};

static const struct option long_options[] = {
	{ "quick", no_argument, NULL, 'q' },
	{ "only", required_argument, NULL, 'o' },
	{ "rounds", required_argument, NULL, 'r' },
	{ "unit", required_argument, NULL, OPTION_UNIT },
	{ "name", required_argument, NULL, OPTION_NAME },
	{ "noisy", no_argument, NULL, OPTION_NOISY },
	{ "json", required_argument, NULL, 'j' },
	{ "goals", no_argument, NULL, 'g' },
	{ "rst", no_argument, NULL, OPTION_RST },
	{ "plot", required_argument, NULL, OPTION_PLOT },
	{ "compare", no_argument, NULL, 'c' },
	{ "profile", required_argument, NULL, OPTION_PROFILE },
	{ "size", required_argument, NULL, OPTION_SIZE },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

static pid_t measuring;

void fail(const char *peer, const char *what)
{
	fprintf(stderr, "\nmailbox-bench: %s cannot %s: %s\n", peer, what, strerror(errno));
	/* Those who wait for this process would wait for ever. */
	if (measuring && measuring != getpid())
		kill(measuring, SIGTERM);
	_exit(1);
}

static int usage(const char *text)
{
	fprintf(stderr, "mailbox-bench: %s\nTry 'mailbox-bench --help'.\n", text);
	return 2;
}

/* A number of 1 to @max, or 0. */
static unsigned long number(const char *text, unsigned long max)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	return errno || *end || end == text || value > max ? 0 : value;
}

/* All on one processor: what crosses to another is not repeatable, emulated or not. */
static void stay_here(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(sched_getcpu(), &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		fail("bench", "stay on one processor");
	measuring = getpid();
	limits_raise();
}

static void measure(const struct plan *plan, struct report *report)
{
	struct utsname system;

	uname(&system);
	snprintf(report->kernel, sizeof(report->kernel), "%s", system.release);
	stay_here();
	if (access("/dev/mailbox", R_OK | W_OK))
		fprintf(stderr, "mailbox-bench: no /dev/mailbox, so the others only\n");
	measure_all(plan, &report->runs[0]);
	report->nr = 1;
}

int main(int argc, char **argv)
{
	static struct report report, newer;
	struct plan plan = { .rounds = 9 };
	struct run *run = &report.runs[0];
	enum table_style style = isatty(STDOUT_FILENO) ? TABLE_COLOUR : TABLE_PLAIN;
	const char *json = NULL, *plot = NULL, *profile = NULL;
	bool goals = false, compare = false;
	unsigned long size = 64;
	int option;

	snprintf(run->unit, sizeof(run->unit), "nanoseconds");
	while ((option = getopt_long(argc, argv, "qo:r:j:gch", long_options, NULL)) >= 0) {
		switch (option) {
		case 'q':
			plan.quick = true;
			break;
		case 'o':
			plan.only = optarg;
			if (!measure_find(optarg))
				return usage("no such measurement");
			break;
		case 'r':
			plan.rounds = number(optarg, ROUNDS_MAX);
			if (!plan.rounds)
				return usage("rounds are 1 to 64");
			break;
		case OPTION_UNIT:
			snprintf(run->unit, sizeof(run->unit), "%s", optarg);
			break;
		case OPTION_NAME:
			snprintf(run->name, sizeof(run->name), "%s", optarg);
			break;
		case OPTION_NOISY:
			run->noisy = true;
			break;
		case 'j':
			json = optarg;
			break;
		case 'g':
			goals = true;
			break;
		case OPTION_RST:
			style = TABLE_RST;
			break;
		case OPTION_PLOT:
			plot = optarg;
			break;
		case 'c':
			compare = true;
			break;
		case OPTION_PROFILE:
			profile = optarg;
			break;
		case OPTION_SIZE:
			size = number(optarg, 1 << 20);
			if (!size)
				return usage("sizes are 1 to 1048576");
			break;
		case 'h':
			fputs(help, stdout);
			return 0;
		default:
			return usage("wrong options");
		}
	}
	argv += optind;
	argc -= optind;

	if (compare) {
		if (argc != 2)
			return usage("--compare takes two files");
		if (!report_load(&report, argv[0]) || !report_load(&newer, argv[1]))
			return 2;
		return compare_print(&report, &newer) ? 0 : 1;
	}
	if (profile) {
		stay_here();
		return profile_run(profile, plan.only ? plan.only : "pair", size) ?
			       0 :
			       usage("no such peer, or not for this measurement");
	}
	if (!argc)
		measure(&plan, &report);
	for (; argc; argc--, argv++) {
		if (!report_load(&report, *argv))
			return 1;
	}
	if (json && !report_save(&report, json))
		return 1;
	if (plot)
		return plot_data(&report, plot) ? 0 : 1;
	if (goals)
		return goals_print(&report, style) ? 0 : 1;
	table_print(&report, style);
	return 0;
}
