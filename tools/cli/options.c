// SPDX-License-Identifier: GPL-2.0
/*
 * Options that several commands have: the text of each is in optarg.
 */
#include "cli.h"

int option_type(const struct command *command, uint64_t *type)
{
	if (!parse_number(optarg, UINT64_MAX, type))
		return usage(command, "--type takes a number");
	return EXIT_OK;
}

int option_priority(const struct command *command, uint32_t *priority)
{
	uint64_t number;

	if (!parse_number(optarg, MAILBOX_PRIORITY_MAX, &number))
		return usage(command, "--priority takes a number from 0 to %d",
			     MAILBOX_PRIORITY_MAX);
	*priority = number;
	return EXIT_OK;
}

int option_timeout(const struct command *command, uint64_t *nanoseconds)
{
	if (!parse_duration(optarg, nanoseconds))
		return usage(command, "--timeout takes a time such as 500ms, 2s or 1m");
	return EXIT_OK;
}

int option_color(const struct command *command, bool *color)
{
	static const char *const whens[] = { "auto", "always", "never", NULL };
	const char *when = optarg ? optarg : "always";
	uint32_t index;

	if (!parse_word(when, whens, &index))
		return usage(command, "--color takes auto, always or never");
	*color = color_wanted(when);
	return EXIT_OK;
}
