// SPDX-License-Identifier: GPL-2.0
/*
 * The options that choose messages.
 */
#include "selection.h"

static int take(const struct command *command, struct selection *selection,
		enum mailbox_select select, const char *option, const char *argument, uint64_t max)
{
	if (selection->selects)
		return usage(command, "one way to choose a message, not two");
	if (!parse_number(argument, max, &selection->selection.match))
		return usage(command, "--%s takes a number%s", option,
			     max < UINT64_MAX ? ", and not so large a one" : "");

	selection->selects = true;
	selection->selection.select = select;
	return EXIT_OK;
}

int selection_option(const struct command *command, int option, const char *argument,
		     struct selection *selection)
{
	switch (option) {
	case 't':
		return take(command, selection, MAILBOX_SELECT_TYPE, "type", argument, UINT64_MAX);
	case OPTION_TYPE_UP_TO:
		return take(command, selection, MAILBOX_SELECT_TYPE_UP_TO, "type-up-to", argument,
			    UINT64_MAX);
	case OPTION_TYPE_NOT:
		return take(command, selection, MAILBOX_SELECT_TYPE_NOT, "type-not", argument,
			    UINT64_MAX);
	case OPTION_FROM:
		return take(command, selection, MAILBOX_SELECT_SENDER, "from", argument, INT32_MAX);
	case OPTION_MIN_PRIORITY:
		return take(command, selection, MAILBOX_SELECT_PRIORITY, "min-priority", argument,
			    MAILBOX_PRIORITY_MAX);
	case OPTION_INDEX:
		return take(command, selection, MAILBOX_SELECT_INDEX, "index", argument,
			    UINT64_MAX);
	default:
		return help_or_usage(command, option);
	}
}
