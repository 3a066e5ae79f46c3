// SPDX-License-Identifier: GPL-2.0
/*
 * mailbox info: the module, its limits, and what the user has used up of them.
 */
#include <unistd.h>

#include "cli.h"

static const struct option options[] = {
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

static const char help[] =
	"Usage: mailbox info [OPTIONS]\n"
	"Shows the limits of the module, and what of them your mailboxes and messages use.\n"
	"\n"
	"      --json            as JSON\n";

static int print_json(const struct mailbox_info *info)
{
	json_t *json = json_object();

	json_object_set_new(json, "tool", json_string(MAILBOX_VERSION));
	json_object_set_new(json, "version", json_number(info->version));
	json_object_set_new(json, "features", json_number(info->features));
	json_object_set_new(json, "max_message_size", json_number(info->max_message_size));
	json_object_set_new(json, "max_mailboxes", json_number(info->max_mailboxes));
	json_object_set_new(json, "max_messages", json_number(info->max_messages));
	json_object_set_new(json, "max_bytes", json_number(info->max_bytes));
	json_object_set_new(json, "mailboxes", json_number(info->mailboxes));
	json_object_set_new(json, "messages", json_number(info->messages));
	json_object_set_new(json, "bytes", json_number(info->bytes));
	return json_output(json) ? EXIT_OK : output_flush();
}

static void print_use(const char *what, uint64_t used, uint64_t most)
{
	printf("%-28s %llu of %llu\n", what, (unsigned long long)used, (unsigned long long)most);
}

static int run(int argc, char **argv)
{
	struct mailbox_info info;
	bool json = false;
	int option, device, ret;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (option != 'j')
			return help_or_usage(&command_info, option);
		json = true;
	}
	if (optind != argc)
		return usage(&command_info, "no arguments");

	ret = device_open(&device);
	if (ret)
		return ret;

	ret = mailbox_info(device, &info);
	close(device);
	if (ret < 0) {
		complain("cannot ask the module for its limits: %s", mailbox_strerror(ret));
		return EXIT_OTHER;
	}
	if (json)
		return print_json(&info);

	printf("%-28s %s\n", "this command", MAILBOX_VERSION);
	printf("%-28s %u\n", "interface of the module", info.version);
	printf("%-28s %u bytes\n", "longest message", info.max_message_size);
	print_use("your mailboxes", info.mailboxes, info.max_mailboxes);
	print_use("your messages", info.messages, info.max_messages);
	print_use("kernel memory of them, bytes", info.bytes, info.max_bytes);
	return output_flush();
}

const struct command command_info = {
	.name = "info",
	.summary = "the module, its limits and your use of them",
	.help = help,
	.run = run,
};
