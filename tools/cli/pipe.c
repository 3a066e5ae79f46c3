// SPDX-License-Identifier: GPL-2.0
/*
 * mailbox pipe: what mkfifo(1) and the shell's redirections are for pipes.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

/* As much as a pipe of Linux holds. */
#define PIPE_BYTES 65536
#define CHUNK	   65536

enum {
	OPTION_SIZE = 0x100,
	OPTION_MODE,
	OPTION_EXIST_OK,
};

static const struct option options[] = {
	{ "size", required_argument, NULL, OPTION_SIZE },
	{ "mode", required_argument, NULL, OPTION_MODE },
	{ "exist-ok", no_argument, NULL, OPTION_EXIST_OK },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

/* clang-format off */
static const char help[] =
	"Usage: mailbox pipe create [OPTIONS] NAME\n"
	"       mailbox pipe write MAILBOX\n"
	"       mailbox pipe read MAILBOX\n"
	"Bytes through a mailbox, as through a named pipe. 'write' sends what comes in on its\n"
	"standard input, 'read' writes what there is to its standard output, until the last\n"
	"that may send has closed the mailbox. Either may be started first.\n"
	"\n"
	"When the last that may receive has closed the mailbox, 'write' says so and ends by\n"
	"SIGPIPE, as who writes to a pipe that nobody reads.\n"
	"\n"
	"'create' makes a mailbox for that; it stays until 'mailbox rm'. Any other but a\n"
	"broadcast does as well.\n"
	"\n"
	"      --size=SIZE       bytes that it holds before a writer waits; 64K without it\n"
	"      --mode=OCTAL      who may: r read, w write, x manage; as with files\n"
	"      --exist-ok        no error when there is a mailbox of that name already\n";
/* clang-format on */

struct request {
	struct mailbox_create create;
	struct target target;
	bool exist_ok;
	bool has_options;
};

static char chunk[CHUNK];

/* Like one that does not ignore the signal, so that a shell sees why. */
static int end_by_sigpipe(void)
{
	fflush(stderr);
	signal(SIGPIPE, SIG_DFL);
	raise(SIGPIPE);
	return EXIT_OTHER;
}

static int write_all(const struct target *target, int handle, size_t length, uint64_t *total)
{
	size_t done = 0;

	while (done < length) {
		ssize_t ret = write(handle, chunk + done, length - done);

		if (ret >= 0) {
			done += ret;
			*total += ret;
			continue;
		}
		if (errno == EINTR)
			continue;
		if (errno != EPIPE)
			return report(DOING_SEND, target, -errno);
		complain("nobody reads %s any more; %llu bytes were written before, 'mailbox pipe "
			 "read' gets what of these is left",
			 target->shown, (unsigned long long)*total);
		return end_by_sigpipe();
	}
	return EXIT_OK;
}

static int copy_in(const struct target *target, int handle)
{
	uint64_t total = 0;
	int ret = EXIT_OK;

	while (!ret) {
		ssize_t length = read(STDIN_FILENO, chunk, sizeof(chunk));

		if (!length)
			break;
		if (length > 0) {
			ret = write_all(target, handle, length, &total);
		} else if (errno != EINTR) {
			complain("cannot read the input: %s", strerror(errno));
			ret = EXIT_OTHER;
		}
	}
	return ret;
}

static int copy_out(const struct target *target, int handle)
{
	for (;;) {
		ssize_t length;

		/* Rather leave bytes where they are than lose them. */
		if (!output_has_reader()) {
			complain("nobody reads the output any more; %s keeps what is left",
				 target->shown);
			return EXIT_OTHER;
		}
		length = read(handle, chunk, sizeof(chunk));
		if (!length)
			return EXIT_OK;
		if (length < 0) {
			if (errno == EINTR)
				continue;
			if (errno == EOPNOTSUPP) {
				complain("the next message of %s is in shared memory, which has "
					 "no bytes to be read; 'mailbox receive' takes it",
					 target->shown);
				return EXIT_OTHER;
			}
			return report(DOING_RECEIVE, target, -errno);
		}
		fwrite(chunk, 1, length, stdout);
		if (fflush(stdout) || ferror(stdout)) {
			complain("%zd bytes were taken from %s but could not be written (%s): "
				 "they are lost",
				 length, target->shown, strerror(errno));
			return EXIT_LOST;
		}
	}
}

static int copy(struct request *request, bool out)
{
	const uint32_t right = out ? MAILBOX_RIGHT_RECEIVE : MAILBOX_RIGHT_SEND;
	struct mailbox_stat stat;
	int device, handle, ret;

	ret = device_open(&device);
	if (ret)
		return ret;
	ret = target_stat(device, &request->target, &stat);
	if (!ret && stat.policy == MAILBOX_POLICY_BROADCAST) {
		complain("%s is a broadcast, of which no bytes can be read; 'mailbox subscribe' "
			 "receives its messages",
			 request->target.shown);
		ret = EXIT_OTHER;
	}
	if (!ret)
		ret = target_open_with(device, &request->target, right, MAILBOX_STREAM, &handle);
	close(device);
	if (ret)
		return ret;
	ret = out ? copy_out(&request->target, handle) : copy_in(&request->target, handle);
	close(handle);
	return ret;
}

static int create(struct request *request)
{
	struct mailbox_create *args = &request->create;
	int device, ret, handle;

	args->flags = MAILBOX_PERMANENT;
	args->rights = MAILBOX_RIGHT_MANAGE;
	args->max_bytes = args->max_bytes ? args->max_bytes : PIPE_BYTES;
	strcpy(args->name, request->target.name);

	ret = device_open(&device);
	if (ret)
		return ret;
	handle = mailbox_create(device, args);
	close(device);
	if (handle >= 0) {
		close(handle);
		return EXIT_OK;
	}
	if (handle == -EEXIST && request->exist_ok)
		return EXIT_OK;
	return report(DOING_CREATE, &request->target, handle);
}

static int take_option(struct request *request, int option)
{
	request->has_options = true;
	switch (option) {
	case OPTION_SIZE:
		if (!parse_size(optarg, UINT64_MAX, (uint64_t *)&request->create.max_bytes) ||
		    !request->create.max_bytes)
			return usage(&command_pipe, "--size takes bytes, such as 64K, from 1 on");
		return EXIT_OK;
	case OPTION_MODE:
		if (!parse_mode(optarg, &request->create.mode))
			return usage(&command_pipe, "--mode takes an octal number from 0 to 777");
		return EXIT_OK;
	case OPTION_EXIST_OK:
		request->exist_ok = true;
		return EXIT_OK;
	default:
		return help_or_usage(&command_pipe, option);
	}
}

static int pipe_new(struct request *request, const char *name)
{
	char *named = NULL;
	int ret;

	/* 'create 7' makes one named 7: what is to be made has no id yet. */
	if (strncmp(name, "name:", 5) && asprintf(&named, "name:%s", name) < 0)
		return EXIT_OTHER;
	ret = target_parse(&command_pipe, named ? named : name, &request->target);
	if (!ret)
		ret = create(request);
	free(named);
	return ret;
}

static int pipe_use(struct request *request, const char *verb, const char *mailbox)
{
	int ret;

	if (strcmp(verb, "read") && strcmp(verb, "write"))
		return usage(&command_pipe, "create, write or read, and which mailbox");
	if (request->has_options)
		return usage(&command_pipe, "options go with 'create' only");
	ret = target_parse(&command_pipe, mailbox, &request->target);
	return ret ? ret : copy(request, *verb == 'r');
}

static int run(int argc, char **argv)
{
	struct request request = { 0 };
	int option, ret;

	mailbox_create_init(&request.create, NULL);
	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		ret = take_option(&request, option);
		if (ret || option == 'h')
			return ret;
	}
	if (argc - optind != 2)
		return usage(&command_pipe, "create, write or read, and one mailbox");
	if (!strcmp(argv[optind], "create"))
		ret = pipe_new(&request, argv[optind + 1]);
	else
		ret = pipe_use(&request, argv[optind], argv[optind + 1]);
	target_fini(&request.target);
	return ret;
}

const struct command command_pipe = {
	.name = "pipe",
	.summary = "bytes through a mailbox, as through a named pipe",
	.help = help,
	.run = run,
};
