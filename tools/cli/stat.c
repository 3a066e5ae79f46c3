// SPDX-License-Identifier: GPL-2.0
/*
 * mailbox stat: all that is known about a mailbox.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

static const struct option options[] = {
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

static const char help[] = "Usage: mailbox stat [OPTIONS] MAILBOX...\n"
			   "Shows owner, limits and counters of mailboxes.\n"
			   "\n"
			   "      --json            as JSON, one object a line\n";

static void print_word(const char *what, const char *const *words, uint32_t index)
{
	printf("%-16s %s\n", what, word_of(words, index) ?: "unknown");
}

static void print_number(const char *what, uint64_t number)
{
	printf("%-16s %llu\n", what, (unsigned long long)number);
}

static void print_event(const char *what, uint64_t time, int pid)
{
	char text[32];

	printf("%-16s %s", what, wall_clock(time, text, sizeof(text)));
	if (pid)
		printf(" by process %d", pid);
	putchar('\n');
}

/* By its name too, where there is one that the user may see. */
static void print_dead_letter(int device, uint64_t id)
{
	uint64_t after = id - 1;
	struct mailbox_stat stat;
	char *name;

	if (!id) {
		printf("%-16s %s\n", "dead letters to", "(none)");
		return;
	}
	printf("%-16s %llu", "dead letters to", (unsigned long long)id);
	if (mailbox_list(device, &after, &stat, 1) == 1 && stat.id == id && stat.name[0]) {
		name = printable(stat.name, strnlen(stat.name, sizeof(stat.name)), 0);
		printf(", %s", name);
		free(name);
	}
	putchar('\n');
}

static void print_stat(int device, const struct mailbox_stat *stat)
{
	size_t length = strnlen(stat->name, sizeof(stat->name));
	char *name = printable(stat->name, length, 0);
	bool mapped_last = stat->last_mapped > stat->last_unmapped;

	print_number("id", stat->id);
	printf("%-16s %s\n", "name", *name ? name : "(none)");
	free(name);
	printf("%-16s %u\n", "owner", stat->uid);
	printf("%-16s %u\n", "group", stat->gid);
	printf("%-16s user %u, group %u\n", "made by", stat->creator_uid, stat->creator_gid);
	printf("%-16s %04o\n", "mode", stat->mode);
	printf("%-16s%s%s%s\n", "you may", stat->rights & MAILBOX_RIGHT_SEND ? " send" : "",
	       stat->rights & MAILBOX_RIGHT_RECEIVE ? " receive" : "",
	       stat->rights & MAILBOX_RIGHT_MANAGE ? " manage" : "");
	printf("%-16s %s\n", "lifetime",
	       stat->flags & MAILBOX_PERMANENT ? "permanent" : "temporary");
	print_word("policy", policy_words, stat->policy);
	print_word("capacity", capacity_words, stat->capacity);
	if (stat->capacity == MAILBOX_CAPACITY_BOUNDED) {
		print_number("max messages", stat->max_messages);
		print_number("max bytes", stat->max_bytes);
	}
	print_word("on full", on_full_words, stat->on_full);
	printf("%-16s %u %%\n", "share", stat->share);
	printf("%-16s %u%s\n", "message size", stat->message_size,
	       stat->flags & MAILBOX_FIXED_SIZE ? ", no other" : " at most");
	if (stat->max_deliveries)
		print_number("max deliveries", stat->max_deliveries);
	else
		printf("%-16s %s\n", "max deliveries", "(no limit)");
	print_dead_letter(device, stat->dead_letter);
	print_number("region bytes", stat->region_size);
	print_number("mappings", stat->maps);
	print_number("loaned bytes", stat->loaned);
	print_number("loans", stat->loans);
	print_number("lanes", stat->lanes);
	print_number("handles", stat->handles);
	print_number("subscribers", stat->subscribers);
	print_number("messages", stat->messages);
	print_number("bytes", stat->bytes);
	print_number("leased", stat->leased);
	print_number("receivers wait", stat->receivers);
	print_number("senders wait", stat->senders);
	print_number("sent", stat->sent);
	print_number("received", stat->received);
	print_number("expired", stat->expired);
	print_number("overwritten", stat->overwritten);
	print_number("redelivered", stat->redelivered);
	print_number("dead", stat->dead);
	print_number("dropped", stat->dropped);
	print_event("created", stat->created, 0);
	print_event("changed", stat->changed, 0);
	print_event("last sent", stat->last_sent, stat->last_sender);
	print_event("last received", stat->last_received, stat->last_receiver);
	/* Of the two, whichever was later is what that process did. */
	print_event("last mapped", stat->last_mapped, mapped_last ? stat->last_mapper : 0);
	print_event("last unmapped", stat->last_unmapped, mapped_last ? 0 : stat->last_mapper);
}

static int stat_one(int device, const char *argument, bool json, bool more)
{
	struct mailbox_stat stat;
	struct target target;
	int ret;

	ret = target_parse(&command_stat, argument, &target);
	if (ret)
		return ret;

	ret = target_stat(device, &target, &stat);
	target_fini(&target);
	if (ret)
		return ret;

	if (json)
		return json_output(json_from_stat(&stat)) ? EXIT_OK : output_flush();
	print_stat(device, &stat);
	if (more)
		putchar('\n');
	return output_flush();
}

static int run(int argc, char **argv)
{
	bool json = false;
	int option, device, ret, one;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (option != 'j')
			return help_or_usage(&command_stat, option);
		json = true;
	}
	if (optind == argc)
		return usage(&command_stat, "at least one MAILBOX");

	ret = device_open(&device);
	if (ret)
		return ret;

	for (; optind < argc; optind++) {
		one = stat_one(device, argv[optind], json, optind + 1 < argc);
		ret = ret ? ret : one;
	}
	close(device);
	return ret;
}

const struct command command_stat = {
	.name = "stat",
	.summary = "everything about a mailbox",
	.help = help,
	.run = run,
};
