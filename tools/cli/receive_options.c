// SPDX-License-Identifier: GPL-2.0
/*
 * The command lines of mailbox receive, mailbox subscribe and mailbox peek.
 */
#include "receive.h"

enum {
	OPTION_COUNT = OPTION_OWN,
	OPTION_ALL,
	OPTION_FOLLOW,
	OPTION_TRUNCATE,
	OPTION_TIMEOUT,
	OPTION_WAIT,
	OPTION_LINES,
	OPTION_JSON,
	OPTION_ORIGIN,
	OPTION_CUT_OFF,
};

/* clang-format off */
#define COMMON_OPTIONS \
	{ "count", required_argument, NULL, OPTION_COUNT }, \
	{ "all", no_argument, NULL, OPTION_ALL }, \
	SELECTION_OPTIONS, \
	{ "truncate", required_argument, NULL, OPTION_TRUNCATE }, \
	{ "timeout", required_argument, NULL, OPTION_TIMEOUT }, \
	{ "nonblock", no_argument, NULL, 'n' }, \
	{ "lines", no_argument, NULL, OPTION_LINES }, \
	{ "null", no_argument, NULL, '0' }, \
	{ "json", no_argument, NULL, OPTION_JSON }, \
	{ "origin", no_argument, NULL, OPTION_ORIGIN }, \
	{ 0 }

#define COMMON_HELP \
	"      --truncate=N      of longer messages only the first N bytes\n" \
	"      --lines           a newline after each message\n" \
	"  -0, --null            a NUL byte after each message\n" \
	"      --json            each message with all that is known about it, one object a\n" \
	"                        line; payload is text, or base64 if payload_encoding says so\n" \
	"      --origin          say which host it is from, if the bridge has 'origin: true'\n" \
	SELECTION_HELP
/* clang-format on */

static const struct option receive_options[] = {
	{ "follow", no_argument, NULL, OPTION_FOLLOW },
	COMMON_OPTIONS,
};

static const struct option subscribe_options[] = {
	{ "cut-off", no_argument, NULL, OPTION_CUT_OFF },
	{ "count", required_argument, NULL, OPTION_COUNT },
	{ "truncate", required_argument, NULL, OPTION_TRUNCATE },
	{ "timeout", required_argument, NULL, OPTION_TIMEOUT },
	{ "lines", no_argument, NULL, OPTION_LINES },
	{ "null", no_argument, NULL, '0' },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "origin", no_argument, NULL, OPTION_ORIGIN },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

static const struct option peek_options[] = {
	{ "index", required_argument, NULL, OPTION_INDEX },
	{ "wait", no_argument, NULL, OPTION_WAIT },
	COMMON_OPTIONS,
};

/* clang-format off */
static const char receive_help[] =
	"Usage: mailbox receive [OPTIONS] MAILBOX\n"
	"Takes a message and writes its bytes, and nothing else, to standard output (a\n"
	"newline follows on a terminal). Waits until there is one.\n"
	"\n"
	"      --count=N         N messages\n"
	"      --all             all that are there, without waiting\n"
	"      --follow          message after message, until stopped\n"
	"      --timeout=TIME    wait so long at most, in all\n"
	"  -n, --nonblock        do not wait\n"
	COMMON_HELP;

static const char subscribe_help[] =
	"Usage: mailbox subscribe [OPTIONS] MAILBOX\n"
	"Writes what is sent to a broadcast mailbox from now on to standard output, message\n"
	"after message, until stopped. Says 'mailbox: subscribed to ...' on standard error once\n"
	"it is ready, and there how many messages it has missed when it was too slow.\n"
	"\n"
	"      --count=N         only N messages\n"
	"      --cut-off         rather end than miss messages\n"
	"      --timeout=TIME    wait so long at most, in all\n"
	"      --truncate=N      of longer messages only the first N bytes\n"
	"      --lines           a newline after each message\n"
	"  -0, --null            a NUL byte after each message\n"
	"      --json            each message with all that is known about it, one object a\n"
	"                        line; how many were missed before it is in missed\n"
	"      --origin          say which host it is from, see 'mailbox receive --help'\n";

static const char peek_help[] =
	"Usage: mailbox peek [OPTIONS] MAILBOX\n"
	"Writes a message to standard output and leaves it in the mailbox. Does not wait,\n"
	"unless told to.\n"
	"\n"
	"      --index=N         the one with N others before it (default 0)\n"
	"      --count=N         N messages from there on; others may come and go meanwhile\n"
	"      --all             all messages from there on\n"
	"      --wait            wait until there is such a message\n"
	"      --timeout=TIME    likewise, so long at most\n"
	"  -n, --nonblock        do not wait (the default)\n"
	COMMON_HELP;
/* clang-format on */

static int take_number(struct receive_request *request, int option)
{
	uint64_t number;

	switch (option) {
	case OPTION_COUNT:
		if (!parse_number(optarg, UINT64_MAX, &request->count))
			return usage(request->command, "--count takes a number");
		request->counts = true;
		return EXIT_OK;
	case OPTION_TRUNCATE:
		if (!parse_size(optarg, MAILBOX_MESSAGE_SIZE_MAX, &number))
			return usage(request->command, "--truncate takes bytes, up to 16M");
		request->message.room = number;
		request->truncate = true;
		return EXIT_OK;
	default:
		request->flags |= MAILBOX_DEADLINE;
		return option_timeout(request->command, &request->timeout);
	}
}

static int take_option(struct receive_request *request, int option)
{
	switch (option) {
	case OPTION_COUNT:
	case OPTION_TRUNCATE:
	case OPTION_TIMEOUT:
		return take_number(request, option);
	case OPTION_ALL:
		request->all = true;
		return EXIT_OK;
	case OPTION_FOLLOW:
		request->follow = true;
		return EXIT_OK;
	case OPTION_CUT_OFF:
		request->open_flags |= MAILBOX_CUT_OFF;
		return EXIT_OK;
	case OPTION_WAIT:
		request->wait = true;
		return EXIT_OK;
	case 'n':
		request->flags |= MAILBOX_NONBLOCK;
		return EXIT_OK;
	case OPTION_LINES:
		request->separator = '\n';
		return EXIT_OK;
	case '0':
		request->separator = 0;
		return EXIT_OK;
	case OPTION_JSON:
		request->json = true;
		return EXIT_OK;
	case OPTION_ORIGIN:
		request->origin = true;
		return EXIT_OK;
	default:
		return selection_option(request->command, option, optarg, &request->choice);
	}
}

static int check(struct receive_request *request)
{
	const struct command *command = request->command;
	bool several = request->counts || request->all;

	request->follow |= request->subscribe && !request->counts;

	if (request->counts + request->all + request->follow > 1)
		return usage(command, "one of --count, --all and --follow at most");
	if (request->flags & MAILBOX_NONBLOCK && (request->follow || request->wait))
		return usage(command, "--nonblock does not go with waiting");

	if (request->all)
		request->flags |= MAILBOX_NONBLOCK;
	if (!request->peek)
		return EXIT_OK;

	if (several && request->choice.selects &&
	    request->choice.selection.select != MAILBOX_SELECT_INDEX)
		return usage(command, "several messages can be chosen by --index only");
	/* By position, so that the next one can be asked for. */
	if (!request->choice.selects)
		request->choice.selection.select = MAILBOX_SELECT_INDEX;
	if (!request->wait && !(request->flags & MAILBOX_DEADLINE))
		request->flags |= MAILBOX_NONBLOCK;
	return EXIT_OK;
}

static int run(struct receive_request *request, const struct option *options, int argc, char **argv)
{
	int option, ret;

	while ((option = getopt_long(argc, argv, "t:n0h", options, NULL)) != -1) {
		ret = take_option(request, option);
		if (ret || option == 'h')
			return ret;
	}
	ret = check(request);
	if (ret)
		return ret;
	if (argc - optind != 1)
		return usage(request->command, "one MAILBOX");

	ret = target_parse(request->command, argv[optind], &request->target);
	if (!ret)
		ret = receive_run(request);
	target_fini(&request->target);
	return ret;
}

static int run_receive(int argc, char **argv)
{
	struct receive_request request = {
		.command = &command_receive,
		.count = 1,
		.separator = -1,
	};

	return run(&request, receive_options, argc, argv);
}

static int run_subscribe(int argc, char **argv)
{
	struct receive_request request = {
		.command = &command_subscribe,
		.subscribe = true,
		.separator = -1,
	};

	return run(&request, subscribe_options, argc, argv);
}

static int run_peek(int argc, char **argv)
{
	struct receive_request request = {
		.command = &command_peek,
		.peek = true,
		.count = 1,
		.separator = -1,
	};

	return run(&request, peek_options, argc, argv);
}

const struct command command_receive = {
	.name = "receive",
	.summary = "take messages",
	.help = receive_help,
	.run = run_receive,
};

const struct command command_subscribe = {
	.name = "subscribe",
	.summary = "receive what is broadcast from now on",
	.help = subscribe_help,
	.run = run_subscribe,
};

const struct command command_peek = {
	.name = "peek",
	.summary = "look at messages without taking them",
	.help = peek_help,
	.run = run_peek,
};
