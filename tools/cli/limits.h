/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The options that 'create' and 'set' have in common.
 */
#ifndef CLI_LIMITS_H
#define CLI_LIMITS_H

#include "cli.h"

enum {
	OPTION_MODE = 0x100,
	OPTION_PERMANENT,
	OPTION_TEMPORARY,
	OPTION_ON_FULL,
	OPTION_SHARE,
	OPTION_MESSAGE_SIZE,
	OPTION_MAX_MESSAGES,
	OPTION_MAX_BYTES,
	OPTION_REGION,
	OPTION_OWN, /* each command's own from here on */
};

/* clang-format off */
#define LIMIT_OPTIONS \
	{ "mode", required_argument, NULL, OPTION_MODE }, \
	{ "permanent", no_argument, NULL, OPTION_PERMANENT }, \
	{ "temporary", no_argument, NULL, OPTION_TEMPORARY }, \
	{ "on-full", required_argument, NULL, OPTION_ON_FULL }, \
	{ "share", required_argument, NULL, OPTION_SHARE }, \
	{ "message-size", required_argument, NULL, OPTION_MESSAGE_SIZE }, \
	{ "max-messages", required_argument, NULL, OPTION_MAX_MESSAGES }, \
	{ "max-bytes", required_argument, NULL, OPTION_MAX_BYTES }, \
	{ "region", required_argument, NULL, OPTION_REGION }, \
	{ "help", no_argument, NULL, 'h' }

#define LIMIT_HELP \
	"      --mode=OCTAL      who may: r receive, w send, x manage; for the owner, the\n" \
	"                        group and others, as with files\n" \
	"      --on-full=WHAT    a send to a full mailbox: wait, wait-each (whoever fits goes\n" \
	"                        in at once), refuse, or overwrite (drops the oldest messages)\n" \
	"      --share=PERCENT   most of the room that the messages of one user may take up\n" \
	"      --message-size=SIZE  longest message\n" \
	"      --max-messages=N  messages that it holds\n" \
	"      --max-bytes=SIZE  bytes of payload that it holds\n" \
	"      --region=SIZE     shared memory that processes which have it open can map; it\n" \
	"                        can be made larger later, not smaller\n"
/* clang-format on */

/* Takes one of the options above; the flags of set say which have been given. */
int limit_option(const struct command *command, int option, const char *argument,
		 struct mailbox_set *set);

#endif /* CLI_LIMITS_H */
