// SPDX-License-Identifier: GPL-2.0
/*
 * mailbox call: a request, and the answer to it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

enum {
	OPTION_TIMEOUT = 0x100,
	OPTION_JSON,
};

static const struct option options[] = {
	{ "type", required_argument, NULL, 't' },
	{ "priority", required_argument, NULL, 'p' },
	{ "timeout", required_argument, NULL, OPTION_TIMEOUT },
	{ "nonblock", no_argument, NULL, 'n' },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

static const char help[] =
	"Usage: mailbox call [OPTIONS] MAILBOX [REQUEST]\n"
	"Sends REQUEST, or what is on standard input, waits for the answer, and prints it.\n"
	"'mailbox serve' is one that answers.\n"
	"\n"
	"  -t, --type=N          type of the request (default 0)\n"
	"  -p, --priority=N      0 to 32767; larger ones are received first (default 0)\n"
	"      --timeout=TIME    wait so long at most, for room and for the answer together\n"
	"  -n, --nonblock        do not wait for room\n"
	"      --json            print the answer, and who gave it, as JSON\n";

struct call_request {
	struct target target;
	struct mailbox_message message;
	struct mailbox_message answer;
	uint32_t flags;
	uint64_t timeout;
	bool json;
};

static int output(const struct call_request *request)
{
	const struct mailbox_message *answer = &request->answer;
	const char *data = answer->data;

	if (request->json) {
		json_output(json_from_answer(answer, request->message.sequence));
		return output_flush();
	}
	if (answer->length)
		fwrite(data, 1, answer->length, stdout);
	/* Nobody wants the prompt behind the text; only a person looks at a terminal. */
	if (isatty(STDOUT_FILENO) && (!answer->length || data[answer->length - 1] != '\n'))
		putchar('\n');
	return output_flush();
}

static int call_open(struct call_request *request, int handle)
{
	struct mailbox_message *answer = &request->answer;
	uint64_t deadline = 0;
	int error;

	/* As long as any; what no answer fills is never there. */
	answer->room = MAILBOX_MESSAGE_SIZE_MAX;
	answer->data = malloc(answer->room);
	if (!answer->data) {
		complain("not enough memory for the answer");
		return EXIT_OTHER;
	}
	if (request->flags & MAILBOX_DEADLINE)
		deadline = mailbox_deadline_in(request->timeout);
	error = mailbox_call(handle, &request->message, answer, request->flags, deadline);
	return error ? report(DOING_CALL, &request->target, error) : output(request);
}

static int call_run(struct call_request *request)
{
	int device, handle, ret;

	ret = device_open(&device);
	if (ret)
		return ret;
	ret = target_open(device, &request->target, MAILBOX_RIGHT_SEND, &handle);
	close(device);
	if (ret)
		return ret;
	ret = call_open(request, handle);
	free(request->answer.data);
	close(handle);
	return ret;
}

static int read_request(struct mailbox_message *message)
{
	size_t room = MAILBOX_MESSAGE_SIZE_MAX + 1;

	message->data = malloc(room);
	if (!message->data) {
		complain("not enough memory for the request");
		return EXIT_OTHER;
	}
	message->length = fread(message->data, 1, room, stdin);
	if (ferror(stdin)) {
		complain("cannot read the request: %s", strerror(errno));
		return EXIT_OTHER;
	}
	if (message->length == room) {
		complain("the request is longer than 16 MiB, which no mailbox takes");
		return EXIT_TOO_LONG;
	}
	return EXIT_OK;
}

static int take_option(struct call_request *request, int option)
{
	const struct command *command = &command_call;

	switch (option) {
	case 't':
		return option_type(command, &request->message.type);
	case 'p':
		return option_priority(command, &request->message.priority);
	case OPTION_TIMEOUT:
		request->flags |= MAILBOX_DEADLINE;
		return option_timeout(command, &request->timeout);
	case 'n':
		request->flags |= MAILBOX_NONBLOCK;
		return EXIT_OK;
	case OPTION_JSON:
		request->json = true;
		return EXIT_OK;
	default:
		return help_or_usage(command, option);
	}
}

static int run(int argc, char **argv)
{
	struct call_request request = { 0 };
	bool from_input;
	int option, ret;

	while ((option = getopt_long(argc, argv, "t:p:nh", options, NULL)) != -1) {
		ret = take_option(&request, option);
		if (ret || option == 'h')
			return ret;
	}
	if (argc == optind || argc > optind + 2)
		return usage(&command_call, "one MAILBOX, and at most one REQUEST");
	ret = target_parse(&command_call, argv[optind], &request.target);
	if (ret)
		return ret;
	from_input = argc == optind + 1;
	if (from_input) {
		ret = read_request(&request.message);
	} else {
		request.message.data = argv[optind + 1];
		request.message.length = strlen(argv[optind + 1]);
	}
	if (!ret)
		ret = call_run(&request);
	if (from_input)
		free(request.message.data);
	target_fini(&request.target);
	return ret;
}

const struct command command_call = {
	.name = "call",
	.summary = "send a request and print the answer",
	.help = help,
	.run = run,
};
