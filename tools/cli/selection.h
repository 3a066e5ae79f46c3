/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The options that choose messages, which all commands have that receive.
 */
#ifndef CLI_SELECTION_H
#define CLI_SELECTION_H

#include "cli.h"

enum {
	OPTION_TYPE_UP_TO = 0x100,
	OPTION_TYPE_NOT,
	OPTION_FROM,
	OPTION_MIN_PRIORITY,
	OPTION_INDEX, /* not in the table below */
	OPTION_OWN, /* each command's own from here on */
};

/* clang-format off */
#define SELECTION_OPTIONS \
	{ "type", required_argument, NULL, 't' }, \
	{ "type-up-to", required_argument, NULL, OPTION_TYPE_UP_TO }, \
	{ "type-not", required_argument, NULL, OPTION_TYPE_NOT }, \
	{ "from", required_argument, NULL, OPTION_FROM }, \
	{ "min-priority", required_argument, NULL, OPTION_MIN_PRIORITY }, \
	{ "help", no_argument, NULL, 'h' }

#define SELECTION_HELP \
	"Which message; without one of these, the first:\n" \
	"  -t, --type=N          the first of that type\n" \
	"      --type-up-to=N    the first of the lowest type, if that is at most N\n" \
	"      --type-not=N      the first of any other type\n" \
	"      --from=PID        the first from that process\n" \
	"      --min-priority=N  the first, if its priority is at least N\n"
/* clang-format on */

struct selection {
	struct mailbox_selection selection;
	bool selects;
};

/* Takes one of the options above, and says so when it is none. */
int selection_option(const struct command *command, int option, const char *argument,
		     struct selection *selection);

#endif /* CLI_SELECTION_H */
