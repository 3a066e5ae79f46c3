// SPDX-License-Identifier: GPL-2.0
/*
 * The options that 'create' and 'set' have in common.
 */
#include "limits.h"

int limit_option(const struct command *command, int option, const char *argument,
		 struct mailbox_set *set)
{
	uint64_t value;

	switch (option) {
	case OPTION_MODE:
		if (!parse_mode(argument, &set->mode))
			return usage(command, "--mode takes an octal number from 0 to 777");
		set->flags |= MAILBOX_SET_MODE;
		return EXIT_OK;
	case OPTION_PERMANENT:
	case OPTION_TEMPORARY:
		if (set->flags & MAILBOX_SET_PERMANENT)
			return usage(command, "--permanent or --temporary, once");
		set->permanent = option == OPTION_PERMANENT;
		set->flags |= MAILBOX_SET_PERMANENT;
		return EXIT_OK;
	case OPTION_ON_FULL:
		if (!parse_word(argument, on_full_words, &set->on_full))
			return usage(command,
				     "--on-full takes wait, wait-each, refuse or overwrite");
		set->flags |= MAILBOX_SET_ON_FULL;
		return EXIT_OK;
	case OPTION_SHARE:
		if (!parse_number(argument, 100, &value) || !value)
			return usage(command, "--share takes a number from 1 to 100");
		set->share = value;
		set->flags |= MAILBOX_SET_SHARE;
		return EXIT_OK;
	case OPTION_MESSAGE_SIZE:
		if (!parse_size(argument, MAILBOX_MESSAGE_SIZE_MAX, &value) || !value)
			return usage(command, "--message-size takes bytes, from 1 to 16M");
		set->message_size = value;
		set->flags |= MAILBOX_SET_MESSAGE_SIZE;
		return EXIT_OK;
	case OPTION_MAX_MESSAGES:
		if (!parse_number(argument, UINT64_MAX, &value) || !value)
			return usage(command, "--max-messages takes a number from 1 on");
		set->max_messages = value;
		set->flags |= MAILBOX_SET_MAX_MESSAGES;
		return EXIT_OK;
	case OPTION_MAX_BYTES:
		if (!parse_size(argument, UINT64_MAX, &value) || !value)
			return usage(command, "--max-bytes takes bytes, such as 64K, from 1 on");
		set->max_bytes = value;
		set->flags |= MAILBOX_SET_MAX_BYTES;
		return EXIT_OK;
	case OPTION_REGION:
		if (!parse_size(argument, MAILBOX_REGION_SIZE_MAX, &value) || !value)
			return usage(command, "--region takes bytes, such as 64K, from 1 to 1024G");
		set->region_size = value;
		set->flags |= MAILBOX_SET_REGION_SIZE;
		return EXIT_OK;
	default:
		return help_or_usage(command, option);
	}
}
