// SPDX-License-Identifier: GPL-2.0
/*
 * mailbox links: the links between processes that the user may see.
 */
#include <unistd.h>

#include "cli.h"

enum {
	OPTION_JSON = 0x100,
};

static const struct option options[] = {
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

static const char help[] =
	"Usage: mailbox links [OPTIONS]\n"
	"Lists the links between processes, at least one of which you may send a signal: how many\n"
	"messages went from PID to PEER (SENT) and back (RECEIVED), and how many of each wait\n"
	"(PEER-UNREAD, UNREAD). A PEER of 0 is not visible here.\n"
	"\n"
	"      --json            an array of objects\n";

static json_t *json_from_link(const struct mailbox_link *link)
{
	json_t *object = json_object();

	json_object_set_new(object, "number", json_number(link->number));
	json_object_set_new(object, "pid", json_integer(link->pid));
	json_object_set_new(object, "uid", json_integer(link->uid));
	json_object_set_new(object, "peer", json_integer(link->peer));
	json_object_set_new(object, "peer_uid", json_integer(link->peer_uid));
	json_object_set_new(object, "sent", json_number(link->sent));
	json_object_set_new(object, "received", json_number(link->received));
	json_object_set_new(object, "unread", json_number(link->unread));
	json_object_set_new(object, "peer_unread", json_number(link->peer_unread));
	json_object_set_new(object, "created", json_number(link->created));
	return object;
}

static void print_link(const struct mailbox_link *link)
{
	printf("%8llu %8d %8u %8d %8u %10llu %10llu %10llu %11llu\n",
	       (unsigned long long)link->number, link->pid, link->uid, link->peer, link->peer_uid,
	       (unsigned long long)link->sent, (unsigned long long)link->received,
	       (unsigned long long)link->unread, (unsigned long long)link->peer_unread);
}

static int list(int device, json_t *json)
{
	struct mailbox_link entries[16];
	uint64_t after = 0;
	int nr, i;

	if (!json)
		printf("%8s %8s %8s %8s %8s %10s %10s %10s %11s\n", "NUMBER", "PID", "USER", "PEER",
		       "USER", "SENT", "RECEIVED", "UNREAD", "PEER-UNREAD");
	while ((nr = mailbox_links(device, &after, entries, 16)) > 0)
		for (i = 0; i < nr; i++) {
			if (json)
				json_array_append_new(json, json_from_link(&entries[i]));
			else
				print_link(&entries[i]);
		}
	return nr;
}

static int run(int argc, char **argv)
{
	json_t *json = NULL;
	int option, device, ret, error;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (option != OPTION_JSON) {
			json_decref(json);
			return help_or_usage(&command_links, option);
		}
		if (!json)
			json = json_array();
	}
	if (optind < argc) {
		json_decref(json);
		return usage(&command_links, "there are no arguments");
	}
	ret = device_open(&device);
	if (ret) {
		json_decref(json);
		return ret;
	}
	error = list(device, json);
	close(device);
	if (error < 0) {
		json_decref(json);
		complain("cannot list links: %s", mailbox_strerror(error));
		return EXIT_OTHER;
	}
	if (json && json_output(json))
		return EXIT_OK;
	return output_flush();
}

const struct command command_links = {
	.name = "links",
	.summary = "list the links between processes",
	.help = help,
	.run = run,
};
