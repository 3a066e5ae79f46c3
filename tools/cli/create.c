// SPDX-License-Identifier: GPL-2.0
/*
 * mailbox create: makes a mailbox, or holds one open while a command runs.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "limits.h"

enum {
	OPTION_CAPACITY = OPTION_OWN,
	OPTION_POLICY,
	OPTION_FIXED_SIZE,
	OPTION_EXIST_OK,
	OPTION_FD,
	OPTION_RIGHTS,
	OPTION_NONBLOCK,
	OPTION_MAX_DELIVERIES,
	OPTION_DEAD_LETTER,
	OPTION_JSON,
};

static const struct option options[] = {
	LIMIT_OPTIONS,
	{ "capacity", required_argument, NULL, OPTION_CAPACITY },
	{ "policy", required_argument, NULL, OPTION_POLICY },
	{ "fixed-size", no_argument, NULL, OPTION_FIXED_SIZE },
	{ "exist-ok", no_argument, NULL, OPTION_EXIST_OK },
	{ "fd", required_argument, NULL, OPTION_FD },
	{ "rights", required_argument, NULL, OPTION_RIGHTS },
	{ "nonblock", no_argument, NULL, OPTION_NONBLOCK },
	{ "max-deliveries", required_argument, NULL, OPTION_MAX_DELIVERIES },
	{ "dead-letter", required_argument, NULL, OPTION_DEAD_LETTER },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ 0 },
};

/* clang-format off */
static const char help[] =
	"Usage: mailbox create [OPTIONS] [NAME]\n"
	"       mailbox create --temporary [OPTIONS] [NAME] -- COMMAND [ARGUMENTS]\n"
	"Makes a mailbox and prints its id. The mailbox is permanent: it stays until\n"
	"'mailbox rm' or the unloading of the module.\n"
	"\n"
	"A temporary mailbox ends with the last process that holds it open. The second form\n"
	"holds one open while COMMAND runs, with the id in the environment as MAILBOX_ID, and\n"
	"ends as COMMAND ends.\n"
	"\n"
	"  --permanent, --temporary  see above\n"
	"      --capacity=WHAT   bounded (the default), rendezvous (holds nothing: a sender\n"
	"                        waits for its receiver) or unbounded (within your quota)\n"
	LIMIT_HELP
	"      --fixed-size      every message has exactly the bytes of --message-size\n"
	"      --policy=WHAT     who gets a message: any (whoever has waited longest),\n"
	"                        pair (there are two processes: the other one), one (the\n"
	"                        process that has the right to receive, until it gives it up)\n"
	"                        or broadcast (each that has it open then: see 'mailbox\n"
	"                        subscribe'; goes with --on-full=overwrite, the default then)\n"
	"      --max-deliveries=N  a message that was taken under a lease so often, and came\n"
	"                        back each time, is a dead letter and is dropped\n"
	"      --dead-letter=MAILBOX  dead letters go there instead\n"
	"      --exist-ok        no error when there is a mailbox of that name already\n"
	"      --fd=N            COMMAND has the mailbox open as descriptor N, 3 or more\n"
	"      --rights=LETTERS  of that descriptor: s send, r receive, m manage (srm)\n"
	"      --nonblock        that descriptor does not wait\n"
	"      --json            print the id and the name as JSON\n";
/* clang-format on */

struct request {
	struct mailbox_create create;
	struct mailbox_set limits;
	struct target target;
	struct target dead_letter;
	char **command;
	bool exist_ok;
	bool json;
	bool has_rights;
	int fd;
};

static int parse_rights(const char *text, uint32_t *rights)
{
	static const char letters[] = "srm";
	const char *letter;

	*rights = 0;
	for (; *text; text++) {
		letter = strchr(letters, *text);
		if (!letter)
			return -EINVAL;
		*rights |= 1U << (letter - letters);
	}
	return *rights ? 0 : -EINVAL;
}

static int take_option(struct request *request, int option)
{
	const struct command *command = &command_create;
	uint64_t number;

	switch (option) {
	case OPTION_CAPACITY:
		if (!parse_word(optarg, capacity_words, &request->create.capacity))
			return usage(command, "--capacity takes bounded, rendezvous or unbounded");
		return EXIT_OK;
	case OPTION_POLICY:
		if (!parse_word(optarg, policy_words, &request->create.policy))
			return usage(command, "--policy takes any, pair, one or broadcast");
		return EXIT_OK;
	case OPTION_FIXED_SIZE:
		request->create.flags |= MAILBOX_FIXED_SIZE;
		return EXIT_OK;
	case OPTION_NONBLOCK:
		request->create.flags |= MAILBOX_NONBLOCK;
		return EXIT_OK;
	case OPTION_EXIST_OK:
		request->exist_ok = true;
		return EXIT_OK;
	case OPTION_JSON:
		request->json = true;
		return EXIT_OK;
	case OPTION_FD:
		if (!parse_number(optarg, 1023, &number) || number < 3)
			return usage(command, "--fd takes a number from 3 to 1023");
		request->fd = number;
		return EXIT_OK;
	case OPTION_MAX_DELIVERIES:
		if (!parse_number(optarg, MAILBOX_DELIVERIES_MAX, &number) || !number)
			return usage(command, "--max-deliveries takes a number from 1 to %d",
				     MAILBOX_DELIVERIES_MAX);
		request->create.max_deliveries = number;
		return EXIT_OK;
	case OPTION_DEAD_LETTER:
		target_fini(&request->dead_letter);
		return target_parse(command, optarg, &request->dead_letter);
	case OPTION_RIGHTS:
		if (parse_rights(optarg, &request->create.rights))
			return usage(command, "--rights takes some of the letters s, r and m");
		request->has_rights = true;
		return EXIT_OK;
	default:
		return limit_option(command, option, optarg, &request->limits);
	}
}

static int check(struct request *request, int argc, char **argv)
{
	const struct command *command = &command_create;
	const struct mailbox_set *limits = &request->limits;
	struct mailbox_create *create = &request->create;
	bool temporary = limits->flags & MAILBOX_SET_PERMANENT && !limits->permanent;
	int ret;

	if (argc > 1)
		return usage(command, "one NAME at most; a COMMAND stands behind --");
	if (temporary && !request->command)
		return usage(command, "a temporary mailbox would be gone at once: give the "
				      "command that needs it behind --");
	if (!temporary && request->command)
		return usage(command, "a COMMAND goes with --temporary only");
	if (request->fd < 0 && (create->flags & MAILBOX_NONBLOCK || request->has_rights))
		return usage(command, "--rights and --nonblock go with --fd only");
	if (request->fd >= 0 && !request->command)
		return usage(command, "--fd goes with --temporary and a COMMAND only");
	if (request->dead_letter.shown && !create->max_deliveries)
		return usage(command, "--dead-letter goes with --max-deliveries only: say after "
				      "how many deliveries a message goes there");
	if (temporary && request->exist_ok)
		return usage(command, "--exist-ok does not go with --temporary");

	if (argc) {
		/* 'create 7' makes one named 7: what is to be made has no id yet. */
		char *named = NULL;

		if (strncmp(argv[0], "name:", 5) && asprintf(&named, "name:%s", argv[0]) < 0)
			return EXIT_OTHER;
		ret = target_parse(command, named ? named : argv[0], &request->target);
		if (!ret)
			strcpy(create->name, request->target.name);
		request->target.name = create->name;
		free(named);
		if (ret)
			return ret;
	} else {
		request->target.shown = strdup("a mailbox without a name");
	}

	create->flags |= temporary ? 0 : MAILBOX_PERMANENT;
	if (limits->flags & MAILBOX_SET_MODE)
		create->mode = limits->mode;
	create->on_full = limits->on_full;
	/* A broadcast does nothing else. */
	if (create->policy == MAILBOX_POLICY_BROADCAST && !(limits->flags & MAILBOX_SET_ON_FULL))
		create->on_full = MAILBOX_ON_FULL_OVERWRITE;
	create->share = limits->share;
	create->message_size = limits->message_size;
	create->max_messages = limits->max_messages;
	create->max_bytes = limits->max_bytes;
	create->region_size = limits->region_size;
	return EXIT_OK;
}

static int print(const struct request *request)
{
	json_t *json;

	if (request->json) {
		json = json_pack("{s:o, s:s}", "id", json_number(request->create.id), "name",
				 request->create.name);
		/* A name that is no text cannot be JSON; the id says it all. */
		if (!json)
			json = json_pack("{s:o}", "id", json_number(request->create.id));
		return json_output(json) ? EXIT_OK : output_flush();
	}
	printf("%llu\n", (unsigned long long)request->create.id);
	return output_flush();
}

static int run_command(const struct request *request)
{
	char id[24];
	int status;
	pid_t pid;

	snprintf(id, sizeof(id), "%llu", (unsigned long long)request->create.id);
	pid = fork();
	if (pid < 0) {
		complain("cannot start '%s': %s", request->command[0], strerror(errno));
		return EXIT_OTHER;
	}
	if (!pid) {
		signal(SIGPIPE, SIG_DFL);
		setenv("MAILBOX_ID", id, 1);
		/* dup2(2) leaves close-on-exec set when both are the same. */
		if (request->fd == request->create.fd)
			fcntl(request->fd, F_SETFD, 0);
		else if (request->fd >= 0 && dup2(request->create.fd, request->fd) < 0)
			_exit(127);
		execvp(request->command[0], request->command);
		complain("cannot run '%s': %s", request->command[0], strerror(errno));
		_exit(errno == ENOENT ? 127 : 126);
	}

	/* A key such as Ctrl-C is for the command; this process ends with it. */
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return EXIT_OTHER;
	}
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* The kernel knows the mailbox for dead letters by its id. */
static int find_dead_letter(struct request *request, int device)
{
	struct mailbox_stat stat;
	int ret;

	if (!request->dead_letter.shown)
		return EXIT_OK;

	ret = target_stat(device, &request->dead_letter, &stat);
	request->create.dead_letter = stat.id;
	return ret;
}

static int make(struct request *request, int device)
{
	int ret = mailbox_create(device, &request->create);

	if (ret == -EEXIST && request->exist_ok) {
		struct mailbox_stat stat;

		ret = target_stat(device, &request->target, &stat);
		request->create.id = stat.id;
		return ret;
	}
	/* What is made can be neither missing nor forbidden: that is about the other one. */
	if (request->dead_letter.shown && (ret == -ENOENT || ret == -EACCES))
		return report(DOING_SEND, &request->dead_letter, ret);
	return ret < 0 ? report(DOING_CREATE, &request->target, ret) : EXIT_OK;
}

static int create(struct request *request)
{
	int device, ret;

	ret = device_open(&device);
	if (ret)
		return ret;

	ret = find_dead_letter(request, device);
	if (!ret)
		ret = make(request, device);
	close(device);
	if (ret)
		return ret;
	return request->command ? run_command(request) : print(request);
}

static int run(int argc, char **argv)
{
	struct request request = { .fd = -1 };
	int option, ret, i;

	mailbox_create_init(&request.create, NULL);
	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--")) {
			request.command = argv[i + 1] ? &argv[i + 1] : NULL;
			argc = i;
		}
	}

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		ret = take_option(&request, option);
		if (ret || option == 'h')
			return ret;
	}
	ret = check(&request, argc - optind, argv + optind);
	if (!ret)
		ret = create(&request);
	target_fini(&request.target);
	target_fini(&request.dead_letter);
	return ret;
}

const struct command command_create = {
	.name = "create",
	.summary = "make a mailbox",
	.help = help,
	.run = run,
};
