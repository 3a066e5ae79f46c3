// SPDX-License-Identifier: GPL-2.0
/*
 * The command line of mailbox work.
 */
#include <string.h>

#include "work.h"

#define MAX_JOBS 1024

enum {
	OPTION_LEASE = OPTION_OWN,
	OPTION_DELAY,
	OPTION_COUNT,
	OPTION_ALL,
	OPTION_IDLE,
};

static const struct option options[] = {
	SELECTION_OPTIONS,
	{ "jobs", required_argument, NULL, 'j' },
	{ "lease", required_argument, NULL, OPTION_LEASE },
	{ "delay", required_argument, NULL, OPTION_DELAY },
	{ "count", required_argument, NULL, OPTION_COUNT },
	{ "all", no_argument, NULL, OPTION_ALL },
	{ "idle", required_argument, NULL, OPTION_IDLE },
	{ 0 },
};

/* clang-format off */
static const char help[] =
	"Usage: mailbox work [OPTIONS] MAILBOX -- COMMAND [ARGUMENTS]\n"
	"Takes message after message, and runs COMMAND for each, with the payload as its\n"
	"standard input. A message is gone when COMMAND has ended with 0; when it ends in\n"
	"another way, or this worker ends, the message goes back to the mailbox.\n"
	"\n"
	"COMMAND finds in its environment MAILBOX_SEQUENCE, MAILBOX_TYPE, MAILBOX_PRIORITY,\n"
	"MAILBOX_DELIVERIES (how often the message was delivered before), and MAILBOX_PID and\n"
	"MAILBOX_UID of who sent it.\n"
	"\n"
	"SIGTERM or Ctrl-C: no more messages are taken, and the worker ends after the commands\n"
	"that run. A second one ends all at once.\n"
	"\n"
	"  -j, --jobs=N          N commands at once (default 1)\n"
	"      --delay=TIME      what goes back stays hidden so long\n"
	"      --lease=TIME      a message goes back, too, when this worker does not get to say\n"
	"                        in so long that it is still at work, as when it was stopped\n"
	"      --count=N         end after N messages\n"
	"      --all             end when there is none\n"
	"      --idle=TIME       end when there has been none for so long\n"
	SELECTION_HELP;
/* clang-format on */

static const struct option serve_options[] = {
	SELECTION_OPTIONS,
	{ "jobs", required_argument, NULL, 'j' },
	{ "count", required_argument, NULL, OPTION_COUNT },
	{ "all", no_argument, NULL, OPTION_ALL },
	{ "idle", required_argument, NULL, OPTION_IDLE },
	{ 0 },
};

/* clang-format off */
static const char serve_help[] =
	"Usage: mailbox serve [OPTIONS] MAILBOX -- COMMAND [ARGUMENTS]\n"
	"Answers 'mailbox call', and whatever else calls: takes request after request, and runs\n"
	"COMMAND for each, with the request as its standard input. What it prints is the answer,\n"
	"once it has ended with 0; when it ends in another way the caller is told that there is\n"
	"none. Messages that are no calls are given to COMMAND too; nobody gets what it prints.\n"
	"\n"
	"COMMAND finds the environment of 'mailbox work', and signals do what they do there.\n"
	"\n"
	"  -j, --jobs=N          N commands at once (default 1)\n"
	"      --count=N         end after N messages\n"
	"      --all             end when there is none\n"
	"      --idle=TIME       end when there has been none for so long\n"
	SELECTION_HELP;
/* clang-format on */

static int take_option(const struct command *command, struct work_request *request, int option)
{
	uint64_t number;

	switch (option) {
	case 'j':
		if (!parse_number(optarg, MAX_JOBS, &number) || !number)
			return usage(command, "--jobs takes a number from 1 to %d", MAX_JOBS);
		request->jobs = number;
		return EXIT_OK;
	case OPTION_LEASE:
		if (!parse_duration(optarg, &request->lease) || !request->lease)
			return usage(command, "--lease takes a time such as 30s or 5m, not 0; "
					      "without --lease there is no limit");
		return EXIT_OK;
	case OPTION_DELAY:
		if (!parse_duration(optarg, &request->delay))
			return usage(command, "--delay takes a time such as 500ms, 2s or 1m");
		return EXIT_OK;
	case OPTION_COUNT:
		if (!parse_number(optarg, UINT64_MAX, &request->count) || !request->count)
			return usage(command, "--count takes a number from 1 on");
		request->counts = true;
		return EXIT_OK;
	case OPTION_ALL:
		request->all = true;
		return EXIT_OK;
	case OPTION_IDLE:
		if (!parse_duration(optarg, &request->idle))
			return usage(command, "--idle takes a time such as 500ms, 2s or 1m");
		request->idles = true;
		return EXIT_OK;
	default:
		return selection_option(command, option, optarg, &request->choice);
	}
}

static int run_as(const struct command *command, const struct option *known, int argc, char **argv)
{
	struct work_request request = { .jobs = 1, .serve = command == &command_serve };
	int option, ret, i;

	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--")) {
			request.command = argv[i + 1] ? &argv[i + 1] : NULL;
			argc = i;
		}
	}

	while ((option = getopt_long(argc, argv, "j:t:h", known, NULL)) != -1) {
		ret = take_option(command, &request, option);
		if (ret || option == 'h')
			return ret;
	}
	if (request.all && request.idles)
		return usage(command, "--all or --idle, not both: --all does not wait");
	if (argc - optind != 1)
		return usage(command, "one MAILBOX; the COMMAND stands behind --");
	if (!request.command)
		return usage(command, "give the COMMAND behind --");

	ret = target_parse(command, argv[optind], &request.target);
	if (!ret)
		ret = work_run(&request);
	target_fini(&request.target);
	return ret;
}

static int run(int argc, char **argv)
{
	return run_as(&command_work, options, argc, argv);
}

static int run_serve(int argc, char **argv)
{
	return run_as(&command_serve, serve_options, argc, argv);
}

const struct command command_work = {
	.name = "work",
	.summary = "run a command for each message, and lose none",
	.help = help,
	.run = run,
};

const struct command command_serve = {
	.name = "serve",
	.summary = "run a command for each request: what it prints is the answer",
	.help = serve_help,
	.run = run_serve,
};
