// SPDX-License-Identifier: GPL-2.0
/*
 * mailbox send-to, receive-from: messages to and from processes, without a mailbox.
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

static const char help_send[] =
	"Usage: mailbox send-to [OPTIONS] PID MESSAGE...\n"
	"Sends each MESSAGE to the process PID, which receives it with 'mailbox receive-from', or\n"
	"as a program with RECEIVE_FROM. Waits while it has no room for more.\n"
	"\n"
	"  -t, --type=N          type of the messages (default 0)\n"
	"  -p, --priority=N      0 to 32767; larger ones are received first (default 0)\n"
	"      --timeout=TIME    wait so long at most, in all\n"
	"  -n, --nonblock        do not wait\n";

static const char help_receive[] =
	"Usage: mailbox receive-from [OPTIONS] [PID]\n"
	"Says on standard error what its own process id is, waits for a message that another\n"
	"process, or the process PID, sends there, and prints it.\n"
	"\n"
	"      --timeout=TIME    wait so long at most\n"
	"  -n, --nonblock        do not wait\n"
	"      --json            an object\n";

struct request {
	struct mailbox_message message;
	uint32_t flags;
	uint64_t deadline;
	uint64_t pid;
	bool json;
};

static int report_direct(const struct request *request, bool send, int error)
{
	const int pid = request->pid;

	switch (-error) {
	case ESRCH:
		complain("no process %d, or it has ended; 'ps' shows which there are", pid);
		return EXIT_NO_MAILBOX;
	case EPERM:
		complain("you may not send to process %d: it is another user's; it can allow it "
			 "with mailbox_allow(3)",
			 pid);
		return EXIT_NOT_PERMITTED;
	case EAGAIN:
		if (send)
			complain("process %d has no room for the message; send again later, or "
				 "without --nonblock",
				 pid);
		else
			complain("there is no such message now; without --nonblock this waits "
				 "for one");
		return EXIT_WOULD_WAIT;
	case ETIMEDOUT:
		complain("the time is over; a longer --timeout waits longer");
		return EXIT_TIMED_OUT;
	case EMSGSIZE:
		complain("the message is too long; 'mailbox info' shows how long one may be");
		return EXIT_TOO_LONG;
	case EDQUOT:
		complain("your quota is used up; 'mailbox info' shows it, receive messages or "
			 "remove mailboxes to get some back");
		return EXIT_QUOTA;
	case EIDRM:
		complain("the network namespace has ended, and with it all messages in it");
		return EXIT_DESTROYED;
	default:
		complain("cannot %s process %d: %s", send ? "send to" : "receive from", pid,
			 mailbox_strerror(error));
		return EXIT_OTHER;
	}
}

static int take_option(const struct command *command, struct request *request, int option)
{
	const bool send = command == &command_send_to;
	uint64_t number;
	int ret;

	switch (option) {
	case 't':
		if (!send || !parse_number(optarg, UINT64_MAX, &request->message.type))
			return usage(command, "--type, of send-to, takes a number");
		return EXIT_OK;
	case 'p':
		if (!send || !parse_number(optarg, MAILBOX_PRIORITY_MAX, &number))
			return usage(command, "--priority, of send-to, takes a number from 0 to %d",
				     MAILBOX_PRIORITY_MAX);
		request->message.priority = number;
		return EXIT_OK;
	case OPTION_TIMEOUT:
		request->flags |= MAILBOX_DEADLINE;
		ret = option_timeout(command, &number);
		if (!ret)
			request->deadline = mailbox_deadline_in(number);
		return ret;
	case 'n':
		request->flags |= MAILBOX_NONBLOCK;
		return EXIT_OK;
	case OPTION_JSON:
		if (send)
			return usage(command, "--json is for receive-from");
		request->json = true;
		return EXIT_OK;
	default:
		return help_or_usage(command, option);
	}
}

static int take_pid(const struct command *command, struct request *request, const char *text)
{
	if (!parse_number(text, INT32_MAX, &request->pid) || !request->pid)
		return usage(command, "PID is the number of a process");
	return EXIT_OK;
}

static int run_send(int argc, char **argv)
{
	struct request request = { 0 };
	int option, device, ret = EXIT_OK, error = 0;

	while (!ret && (option = getopt_long(argc, argv, "t:p:nh", options, NULL)) != -1) {
		ret = take_option(&command_send_to, &request, option);
		if (option == 'h')
			return ret;
	}
	if (!ret && argc - optind < 2)
		ret = usage(&command_send_to, "which PID, and what MESSAGE?");
	if (!ret)
		ret = take_pid(&command_send_to, &request, argv[optind]);
	if (!ret)
		ret = device_open(&device);
	if (ret)
		return ret;
	while (++optind < argc && !error) {
		request.message.data = argv[optind];
		request.message.length = strlen(argv[optind]);
		error = mailbox_send_to(device, request.pid, &request.message, request.flags,
					request.deadline);
	}
	close(device);
	return error < 0 ? report_direct(&request, true, error) : EXIT_OK;
}

static int receive(int device, struct request *request)
{
	struct mailbox_message *message = &request->message;
	void *data;
	int error;

	for (;;) {
		error = mailbox_receive_from(device, request->pid, message, request->flags,
					     request->deadline);
		if (error != -EMSGSIZE || message->length <= message->room)
			return error;
		data = realloc(message->data, message->length);
		if (!data)
			return -ENOMEM;
		message->data = data;
		message->room = message->length;
	}
}

static int run_receive(int argc, char **argv)
{
	struct request request = { 0 };
	int option, device, ret = EXIT_OK, error;

	while (!ret && (option = getopt_long(argc, argv, "t:p:nh", options, NULL)) != -1) {
		ret = take_option(&command_receive_from, &request, option);
		if (option == 'h')
			return ret;
	}
	if (!ret && argc - optind > 1)
		ret = usage(&command_receive_from, "one PID, or none");
	if (!ret && optind < argc)
		ret = take_pid(&command_receive_from, &request, argv[optind]);
	if (!ret)
		ret = device_open(&device);
	if (ret)
		return ret;
	if (!(request.flags & MAILBOX_NONBLOCK))
		complain("process %d waits", getpid());
	error = receive(device, &request);
	close(device);
	if (error < 0) {
		ret = report_direct(&request, false, error);
	} else if (request.json) {
		ret = json_output(json_from_message(&request.message)) ? EXIT_OK : output_flush();
	} else {
		fwrite(request.message.data, 1, request.message.length, stdout);
		putchar('\n');
		ret = output_flush();
	}
	free(request.message.data);
	return ret;
}

const struct command command_send_to = {
	.name = "send-to",
	.summary = "send messages to a process",
	.help = help_send,
	.run = run_send,
};

const struct command command_receive_from = {
	.name = "receive-from",
	.summary = "receive a message of a process",
	.help = help_receive,
	.run = run_receive,
};
