// SPDX-License-Identifier: GPL-2.0
/*
 * mailbox set: changes a mailbox.
 */
#include <unistd.h>

#include "limits.h"

enum {
	OPTION_OWNER = OPTION_OWN,
	OPTION_GROUP,
};

static const struct option options[] = {
	LIMIT_OPTIONS,
	{ "owner", required_argument, NULL, OPTION_OWNER },
	{ "group", required_argument, NULL, OPTION_GROUP },
	{ 0 },
};

/* clang-format off */
static const char help[] =
	"Usage: mailbox set [OPTIONS] MAILBOX\n"
	"Changes a mailbox: all that is asked for, or nothing. Messages that are in it stay,\n"
	"and processes that have it open keep their rights.\n"
	"\n"
	"      --permanent       it stays when the last process closes it\n"
	"      --temporary       it goes when the last process closes it; at once when\n"
	"                        no other process has it open\n"
	"      --owner=UID       the new owner, a number ('id -u NAME' tells it)\n"
	"      --group=GID       the new group, a number\n"
	LIMIT_HELP;
/* clang-format on */

static int take_option(int option, struct mailbox_set *set)
{
	uint64_t number;

	switch (option) {
	case OPTION_OWNER:
		if (!parse_number(optarg, UINT32_MAX - 1, &number))
			return usage(&command_set, "--owner takes the number of a user");
		set->uid = number;
		set->flags |= MAILBOX_SET_UID;
		return EXIT_OK;
	case OPTION_GROUP:
		if (!parse_number(optarg, UINT32_MAX - 1, &number))
			return usage(&command_set, "--group takes the number of a group");
		set->gid = number;
		set->flags |= MAILBOX_SET_GID;
		return EXIT_OK;
	default:
		return limit_option(&command_set, option, optarg, set);
	}
}

static int run(int argc, char **argv)
{
	struct mailbox_set set = { 0 };
	struct target target;
	int option, device, handle, ret;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		ret = take_option(option, &set);
		if (ret || option == 'h')
			return ret;
	}
	if (argc - optind != 1)
		return usage(&command_set, "one MAILBOX");
	if (!set.flags)
		return usage(&command_set, "nothing to change was named");

	ret = target_parse(&command_set, argv[optind], &target);
	if (ret)
		return ret;

	ret = device_open(&device);
	if (!ret) {
		ret = target_open(device, &target, MAILBOX_RIGHT_MANAGE, &handle);
		close(device);
	}
	if (!ret) {
		int error = mailbox_set(handle, &set);

		if (error < 0)
			ret = report(DOING_SET, &target, error);
		close(handle);
	}
	target_fini(&target);
	return ret;
}

const struct command command_set = {
	.name = "set",
	.summary = "change limits, mode or owner of a mailbox",
	.help = help,
	.run = run,
};
