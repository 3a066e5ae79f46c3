// SPDX-License-Identifier: GPL-2.0
/*
 * mailbox rm: removes mailboxes.
 */
#include <errno.h>
#include <unistd.h>

#include "cli.h"

static const struct option options[] = {
	{ "force", no_argument, NULL, 'f' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

static const char help[] =
	"Usage: mailbox rm [OPTIONS] MAILBOX...\n"
	"Removes mailboxes with the messages in them. Processes that wait are told so.\n"
	"\n"
	"  -f, --force           no error for a mailbox that does not exist\n";

static int remove_one(int device, const char *argument, bool force)
{
	struct target target;
	int ret, error;

	ret = target_parse(&command_rm, argument, &target);
	if (ret)
		return ret;

	error = target.name ? mailbox_destroy_name(device, target.name) :
			      mailbox_destroy_id(device, target.id);
	if (error < 0 && !(error == -ENOENT && force))
		ret = report(DOING_DESTROY, &target, error);
	target_fini(&target);
	return ret;
}

static int run(int argc, char **argv)
{
	bool force = false;
	int option, device, ret, one;

	while ((option = getopt_long(argc, argv, "fh", options, NULL)) != -1) {
		if (option != 'f')
			return help_or_usage(&command_rm, option);
		force = true;
	}
	if (optind == argc)
		return usage(&command_rm, "at least one MAILBOX");

	ret = device_open(&device);
	if (ret)
		return ret;

	/* One that cannot be removed does not save the others; the first failure counts. */
	for (; optind < argc; optind++) {
		one = remove_one(device, argv[optind], force);
		ret = ret ? ret : one;
	}
	close(device);
	return ret;
}

const struct command command_rm = {
	.name = "rm",
	.summary = "remove mailboxes",
	.help = help,
	.run = run,
};
