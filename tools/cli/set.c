// SPDX-License-Identifier: GPL-2.0
/*
 * mailbox set: changes a mailbox.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "limits.h"

enum {
	OPTION_OWNER = OPTION_OWN,
	OPTION_GROUP,
	OPTION_NAME,
	OPTION_NO_NAME,
};

static const struct option options[] = {
	LIMIT_OPTIONS,
	{ "owner", required_argument, NULL, OPTION_OWNER },
	{ "group", required_argument, NULL, OPTION_GROUP },
	{ "name", required_argument, NULL, OPTION_NAME },
	{ "no-name", no_argument, NULL, OPTION_NO_NAME },
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
	"      --name=NAME       the new name; the old one is free at once\n"
	"      --no-name         it has no name from now on, and is found by its id\n"
	LIMIT_HELP;
/* clang-format on */

static int take_name(const char *name, struct mailbox_set *set)
{
	if (set->flags & MAILBOX_SET_NAME)
		return usage(&command_set, "--name or --no-name, once");
	if (strlen(name) >= sizeof(set->name))
		return usage(&command_set, "--name takes at most 255 bytes");
	strcpy(set->name, name);
	set->flags |= MAILBOX_SET_NAME;
	return EXIT_OK;
}

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
	case OPTION_NAME:
		if (!*optarg)
			return usage(&command_set, "--name takes a name; --no-name takes it away");
		return take_name(optarg, set);
	case OPTION_NO_NAME:
		return take_name("", set);
	default:
		return limit_option(&command_set, option, optarg, set);
	}
}

/* What only a name can be the reason of is said of that. */
static int report_set(const struct mailbox_set *set, const struct target *target, int error)
{
	char *name;

	switch (error) {
	case -ENOENT:
		complain("%s has no name that could be taken away", target->shown);
		return EXIT_OTHER;
	case -EEXIST:
		name = printable(set->name, strlen(set->name), 0);
		complain("there is another mailbox '%s'; choose another name, or remove that one "
			 "with 'mailbox rm'",
			 name);
		free(name);
		return EXIT_EXISTS;
	default:
		return report(DOING_SET, target, error);
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
			ret = report_set(&set, &target, error);
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
