// SPDX-License-Identifier: GPL-2.0
/*
 * mailbox send: messages from arguments, files or standard input.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

enum {
	OPTION_EXPIRE = 0x100,
	OPTION_TIMEOUT,
	OPTION_LINES,
	OPTION_RECEIPT,
	OPTION_FD,
	OPTION_JSON,
};

static const struct option options[] = {
	{ "file", required_argument, NULL, 'f' },
	{ "lines", no_argument, NULL, OPTION_LINES },
	{ "null", no_argument, NULL, '0' },
	{ "type", required_argument, NULL, 't' },
	{ "priority", required_argument, NULL, 'p' },
	{ "expire", required_argument, NULL, OPTION_EXPIRE },
	{ "timeout", required_argument, NULL, OPTION_TIMEOUT },
	{ "nonblock", no_argument, NULL, 'n' },
	{ "receipt", no_argument, NULL, OPTION_RECEIPT },
	{ "fd", required_argument, NULL, OPTION_FD },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

static const char help[] =
	"Usage: mailbox send [OPTIONS] MAILBOX [MESSAGE...]\n"
	"Sends each MESSAGE, then each file of --file; without any of these, standard input.\n"
	"Waits while the mailbox is full, if it was created to wait. A MESSAGE that begins\n"
	"with - goes behind --.\n"
	"\n"
	"  -f, --file=PATH       the content of PATH; - is standard input; may be repeated\n"
	"      --lines           of files and standard input: each line is a message, without\n"
	"                        its newline\n"
	"  -0, --null            likewise, for texts that end with a NUL byte\n"
	"  -t, --type=N          type of the messages (default 0)\n"
	"  -p, --priority=N      0 to 32767; larger ones are received first (default 0)\n"
	"      --expire=TIME     dropped when not received so long after being sent\n"
	"      --timeout=TIME    wait for room, or for receipts, so long at most, in all\n"
	"  -n, --nonblock        do not wait for room\n"
	"      --fd=N            descriptor N travels with each message, for 'mailbox work' to hand\n"
	"                        over; up to 16 times\n"
	"      --receipt         wait until each message was taken, and print by whom: a\n"
	"                        sentence, or in a pipe: END PID UID NUMBER\n"
	"      --json            print the sequence number of each message, or its receipt\n";

struct request {
	struct target target;
	int handle;
	struct mailbox_message message;
	uint32_t flags;
	uint64_t deadline;
	uint64_t timeout;
	uint64_t expire;
	bool expires;
	bool receipt;
	bool json;
	int separator; /* -1: a file is one message */
	char **files;
	int nr_files;
	int travelling[MAILBOX_FILES_MAX];
	uint64_t sent;
};

/* What becomes of a message, and of this command. */
static const struct {
	const char *sentence;
	int ret;
} ends[] = {
	[MAILBOX_END_RECEIVED] = { "was received", EXIT_OK },
	[MAILBOX_END_ACKNOWLEDGED] = { "was acknowledged", EXIT_OK },
	[MAILBOX_END_EXPIRED] = { "expired before it was taken", EXIT_NOT_TAKEN },
	[MAILBOX_END_OVERWRITTEN] = { "was overwritten by later ones", EXIT_NOT_TAKEN },
	[MAILBOX_END_DEAD] = { "was delivered too often: it is a dead letter now", EXIT_NOT_TAKEN },
	[MAILBOX_END_DROPPED] = { "was delivered too often, and dropped", EXIT_NOT_TAKEN },
	[MAILBOX_END_DESTROYED] = { "went with its mailbox, which was destroyed", EXIT_DESTROYED },
	[MAILBOX_END_PENDING] = { "is still being worked on", EXIT_TIMED_OUT },
};

static int show_receipt(const struct request *request, const struct mailbox_receipt *receipt)
{
	const bool known = receipt->end < sizeof(ends) / sizeof(ends[0]) &&
			   ends[receipt->end].sentence;
	char time[32];
	int ret;

	if (request->json) {
		if (!json_output(json_from_receipt(receipt)))
			return output_flush();
	} else if (!isatty(STDOUT_FILENO)) {
		printf("%s %d %lld %llu\n", word_of(end_words, receipt->end) ?: "unknown",
		       receipt->pid, receipt->uid == (uint32_t)-1 ? -1LL : (long long)receipt->uid,
		       (unsigned long long)receipt->sequence);
	} else {
		printf("message %llu %s", (unsigned long long)receipt->sequence,
		       known ? ends[receipt->end].sentence : "has ended");
		if (receipt->uid != (uint32_t)-1)
			printf(" by process %d of user %u", receipt->pid, receipt->uid);
		printf(", %s\n", wall_clock(receipt->time, time, sizeof(time)));
	}
	ret = output_flush();
	return ret ? ret : known ? ends[receipt->end].ret : EXIT_OTHER;
}

static int send_message(struct request *request, struct mailbox_receipt *receipt)
{
	struct mailbox_message *message = &request->message;

	if (request->receipt)
		return mailbox_send_wait(request->handle, message, request->flags,
					 request->deadline, receipt);
	return mailbox_send_message(request->handle, message, request->flags, request->deadline);
}

static int send_failed(const struct request *request, int error)
{
	const bool late = request->expires && request->message.expiry <= mailbox_deadline_in(0);
	int ret = EXIT_TIMED_OUT;

	if (error == -ETIMEDOUT && late)
		complain("the message for %s expired before it could be sent; a longer --expire "
			 "gives it more time",
			 request->target.shown);
	else if (error == -ETIMEDOUT && request->receipt)
		complain("the time for %s is over and nobody has the message: it was taken back",
			 request->target.shown);
	else
		ret = report(DOING_SEND, &request->target, error);
	if (request->sent)
		complain("messages sent before that: %llu", (unsigned long long)request->sent);
	return ret;
}

static int send_one(struct request *request, const void *data, size_t length)
{
	struct mailbox_message *message = &request->message;
	struct mailbox_receipt receipt;
	int error;

	message->data = (void *)data;
	message->length = length;
	if (request->expires)
		message->expiry = mailbox_deadline_in(request->expire);

	error = send_message(request, &receipt);
	if (error < 0)
		return send_failed(request, error);
	request->sent++;
	if (request->receipt)
		return show_receipt(request, &receipt);
	if (request->json &&
	    !json_output(json_pack("{s:o}", "sequence", json_number(message->sequence))))
		return output_flush();
	return EXIT_OK;
}

static int read_failed(const char *path)
{
	complain("cannot read '%s': %s", path, strerror(errno));
	return EXIT_OTHER;
}

static int send_parts(struct request *request, FILE *file, const char *path)
{
	char *part = NULL;
	size_t room = 0;
	ssize_t length;
	int ret = EXIT_OK;

	while (!ret && (length = getdelim(&part, &room, request->separator, file)) > 0) {
		if (part[length - 1] == (char)request->separator)
			length--;
		ret = send_one(request, part, length);
	}
	if (!ret && ferror(file))
		ret = read_failed(path);
	free(part);
	return ret;
}

static int send_whole(struct request *request, FILE *file, const char *path)
{
	size_t room = 65536, length = 0;
	char *data = malloc(room), *larger;
	int ret;

	/* One byte beyond what any mailbox takes is enough to know that it is too long. */
	while (data && length <= MAILBOX_MESSAGE_SIZE_MAX) {
		length += fread(data + length, 1, room - length, file);
		if (length < room)
			break;
		larger = realloc(data, room * 2);
		if (!larger)
			break;
		data = larger;
		room *= 2;
	}
	if (ferror(file)) {
		ret = read_failed(path);
	} else if (!data || (length == room && length <= MAILBOX_MESSAGE_SIZE_MAX)) {
		complain("not enough memory for '%s'", path);
		ret = EXIT_OTHER;
	} else if (length > MAILBOX_MESSAGE_SIZE_MAX) {
		complain("'%s' is longer than 16 MiB, which no mailbox takes; split it, or send "
			 "it by --lines",
			 path);
		ret = EXIT_TOO_LONG;
	} else {
		ret = send_one(request, data, length);
	}
	free(data);
	return ret;
}

static int send_file(struct request *request, const char *path)
{
	bool input = !strcmp(path, "-");
	FILE *file = input ? stdin : fopen(path, "re");
	int ret;

	if (!file)
		return read_failed(path);

	ret = request->separator >= 0 ? send_parts(request, file, path) :
					send_whole(request, file, path);
	if (!input)
		fclose(file);
	return ret;
}

static int send_all(struct request *request, int nr, char **messages)
{
	int device, ret, i;

	ret = device_open(&device);
	if (ret)
		return ret;
	ret = target_open(device, &request->target, MAILBOX_RIGHT_SEND, &request->handle);
	close(device);
	if (ret)
		return ret;

	if (request->flags & MAILBOX_DEADLINE)
		request->deadline = mailbox_deadline_in(request->timeout);
	for (i = 0; i < nr && !ret; i++)
		ret = send_one(request, messages[i], strlen(messages[i]));
	for (i = 0; i < request->nr_files && !ret; i++)
		ret = send_file(request, request->files[i]);
	if (!nr && !request->nr_files)
		ret = send_file(request, "-");
	close(request->handle);
	return ret;
}

static int take_descriptor(struct request *request)
{
	struct mailbox_message *message = &request->message;
	uint64_t number;

	if (!parse_number(optarg, INT_MAX, &number))
		return usage(&command_send, "--fd takes the number of a descriptor");
	if (fcntl((int)number, F_GETFD) < 0)
		return usage(&command_send,
			     "descriptor %s is not open; a shell opens it with %s<FILE", optarg,
			     optarg);
	if (message->nr_files == MAILBOX_FILES_MAX)
		return usage(&command_send, "--fd goes %d times at most", MAILBOX_FILES_MAX);
	message->files = request->travelling;
	message->files[message->nr_files++] = number;
	request->flags |= MAILBOX_FILES;
	return EXIT_OK;
}

static int take_option(struct request *request, int option)
{
	const struct command *command = &command_send;

	switch (option) {
	case OPTION_FD:
		return take_descriptor(request);
	case 'f':
		request->files[request->nr_files++] = optarg;
		return EXIT_OK;
	case OPTION_LINES:
		request->separator = '\n';
		return EXIT_OK;
	case '0':
		request->separator = 0;
		return EXIT_OK;
	case 't':
		return option_type(command, &request->message.type);
	case 'p':
		return option_priority(command, &request->message.priority);
	case OPTION_EXPIRE:
		request->expires = true;
		if (!parse_duration(optarg, &request->expire))
			return usage(command, "--expire takes a time such as 500ms, 2s or 1m");
		return EXIT_OK;
	case OPTION_TIMEOUT:
		request->flags |= MAILBOX_DEADLINE;
		return option_timeout(command, &request->timeout);
	case 'n':
		request->flags |= MAILBOX_NONBLOCK;
		return EXIT_OK;
	case OPTION_RECEIPT:
		request->receipt = true;
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
	struct request request = { .separator = -1 };
	int option, ret = EXIT_OK;

	/* There cannot be more files than arguments. */
	request.files = calloc(argc, sizeof(*request.files));
	while (!ret && (option = getopt_long(argc, argv, "f:0t:p:nh", options, NULL)) != -1) {
		ret = take_option(&request, option);
		if (option == 'h')
			goto out;
	}
	if (ret)
		goto out;

	if (request.receipt && (request.flags & MAILBOX_NONBLOCK))
		ret = usage(&command_send, "--receipt waits, --nonblock does not");
	else if (optind == argc)
		ret = usage(&command_send, "which MAILBOX?");
	else
		ret = target_parse(&command_send, argv[optind], &request.target);
	if (!ret)
		ret = send_all(&request, argc - optind - 1, argv + optind + 1);
	target_fini(&request.target);
out:
	free(request.files);
	return ret;
}

const struct command command_send = {
	.name = "send",
	.summary = "send messages",
	.help = help,
	.run = run,
};
