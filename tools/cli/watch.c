// SPDX-License-Identifier: GPL-2.0
/*
 * mailbox watch: shows messages as they arrive and leaves them to their receivers.
 *
 * A receiver may be faster than anybody who only looks. The counter of messages sent
 * tells how many there have been, so those that were gone already are at least counted.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "cli.h"

/* What is handed straight to a waiting receiver wakes nobody else; it is counted then. */
#define LOOK_EVERY_MS 250
/* Messages that push in while we look may hide another; look again, but not for ever. */
#define PASSES 8

enum {
	OPTION_BACKLOG = 0x100,
	OPTION_COUNT,
	OPTION_TIMEOUT,
	OPTION_TRUNCATE,
	OPTION_JSON,
};

static const struct option options[] = {
	{ "backlog", no_argument, NULL, OPTION_BACKLOG },
	{ "count", required_argument, NULL, OPTION_COUNT },
	{ "timeout", required_argument, NULL, OPTION_TIMEOUT },
	{ "truncate", required_argument, NULL, OPTION_TRUNCATE },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

static const char help[] =
	"Usage: mailbox watch [OPTIONS] MAILBOX\n"
	"Shows messages as they arrive, until stopped, and takes none. Says how many were\n"
	"taken by receivers before they could be seen. Keeps a temporary mailbox alive.\n"
	"\n"
	"      --backlog         begin with what is in the mailbox already\n"
	"      --count=N         end after N messages, seen or not\n"
	"      --timeout=TIME    end after so long\n"
	"      --truncate=N      show so many bytes of each message (default 64)\n"
	"      --json            one object a line, as 'peek' prints them; {\"taken\":N} for\n"
	"                        those that were taken before\n";

struct watch {
	struct target target;
	int handle;
	uint64_t seen; /* sequence up to which all has been shown or counted */
	uint64_t count;
	uint64_t arrived;
	uint64_t timeout;
	uint64_t deadline;
	size_t room;
	bool backlog;
	bool counts;
	bool timed;
	bool json;
	struct mailbox_message *found;
	size_t nr_found;
};

/*
 * One pass over the mailbox, from the end, where new messages usually are. Messages that
 * are taken meanwhile make us see others twice; those that push in make us miss others.
 */
static int look_once(struct watch *watch, const struct mailbox_stat *stat, bool *whole)
{
	struct mailbox_selection selection = { .select = MAILBOX_SELECT_INDEX };
	uint64_t index, wanted = stat->sent - watch->seen;
	int error;

	for (index = stat->messages; index > 0 && wanted > 0; index--) {
		struct mailbox_message message = { .room = watch->room };
		struct mailbox_message *larger;

		message.data = malloc(watch->room + 1);
		selection.match = index - 1;
		error = mailbox_receive_message(watch->handle, &message, &selection,
						MAILBOX_PEEK | MAILBOX_TRUNCATE | MAILBOX_NONBLOCK,
						0);
		if (error || message.sequence <= watch->seen || message.sequence > stat->sent) {
			free(message.data);
			if (error && error != -EAGAIN)
				return error;
			continue;
		}
		larger = reallocarray(watch->found, watch->nr_found + 1, sizeof(*larger));
		if (!larger || !message.data) {
			free(message.data);
			return -ENOMEM;
		}
		watch->found = larger;
		watch->found[watch->nr_found++] = message;
		wanted--;
	}
	*whole = index == 0;
	return 0;
}

static int by_sequence(const void *left, const void *right)
{
	const struct mailbox_message *a = left, *b = right;

	return a->sequence < b->sequence ? -1 : a->sequence > b->sequence;
}

static void sort_found(struct watch *watch)
{
	size_t i, nr = 0;

	qsort(watch->found, watch->nr_found, sizeof(*watch->found), by_sequence);
	for (i = 0; i < watch->nr_found; i++) {
		if (nr && watch->found[nr - 1].sequence == watch->found[i].sequence)
			free(watch->found[i].data);
		else
			watch->found[nr++] = watch->found[i];
	}
	watch->nr_found = nr;
}

static int show(const struct watch *watch, const struct mailbox_message *message)
{
	size_t there = message->truncated ? message->room : message->length;
	char time[32], *text;

	if (watch->json)
		return json_output(json_from_message(message)) ? EXIT_OK : output_flush();

	text = printable(message->data, there, 0);
	printf("%s  %8llu  %7d  %5u  %6llu  %5u  %8zu  %s%s\n",
	       wall_clock(message->time, time, sizeof(time)), (unsigned long long)message->sequence,
	       message->pid, message->uid, (unsigned long long)message->type, message->priority,
	       message->length, text, message->truncated ? "..." : "");
	free(text);
	return output_flush();
}

static int show_taken(const struct watch *watch, uint64_t taken)
{
	if (watch->json)
		return json_output(json_pack("{s:o}", "taken", json_number(taken))) ?
			       EXIT_OK :
			       output_flush();

	printf("(%llu %s taken before %s could be seen)\n", (unsigned long long)taken,
	       taken == 1 ? "message was" : "messages were", taken == 1 ? "it" : "they");
	return output_flush();
}

/* Finds what has arrived since the last time. */
static int find(struct watch *watch, struct mailbox_stat *stat)
{
	struct mailbox_stat after;
	bool whole = false;
	int error, pass;

	watch->nr_found = 0;
	error = mailbox_stat(watch->handle, stat);
	for (pass = 0; !error && pass < PASSES; pass++) {
		if (watch->nr_found == stat->sent - watch->seen)
			break;

		error = look_once(watch, stat, &whole);
		sort_found(watch);
		if (error)
			break;

		/* Nothing pushed in: what was not found is not there any more. */
		error = mailbox_stat(watch->handle, &after);
		if (after.sent == stat->sent && whole)
			break;
		stat->messages = after.messages;
	}
	return error;
}

static int look(struct watch *watch)
{
	struct mailbox_stat stat;
	int error = find(watch, &stat), ret = EXIT_OK;
	uint64_t arrived;
	size_t i;

	for (i = 0; i < watch->nr_found; i++) {
		if (!ret)
			ret = show(watch, &watch->found[i]);
		free(watch->found[i].data);
	}
	if (error)
		return report(DOING_PEEK, &watch->target, error);

	/* Of what came before we began to watch nobody wants to know what is gone. */
	arrived = watch->backlog ? watch->nr_found : stat.sent - watch->seen;
	watch->backlog = false;
	if (!ret && watch->nr_found < arrived)
		ret = show_taken(watch, arrived - watch->nr_found);
	watch->seen = stat.sent;
	watch->arrived += arrived;
	return ret;
}

static int wait_for_arrival(struct watch *watch, int epoll)
{
	int timeout = LOOK_EVERY_MS;
	struct epoll_event event;
	uint64_t now;

	if (watch->timed) {
		now = mailbox_now();
		if (now >= watch->deadline)
			return EXIT_TIMED_OUT;
		if ((watch->deadline - now) / 1000000 < LOOK_EVERY_MS)
			timeout = (watch->deadline - now) / 1000000 + 1;
	}
	epoll_wait(epoll, &event, 1, timeout);
	return EXIT_OK;
}

static int follow(struct watch *watch)
{
	/* Edge-triggered: messages that stay in the mailbox must not wake us for ever. */
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	struct mailbox_stat stat;
	int epoll, error, ret = EXIT_OK;

	error = mailbox_stat(watch->handle, &stat);
	if (error)
		return report(DOING_PEEK, &watch->target, error);
	watch->seen = watch->backlog ? 0 : stat.sent;

	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, watch->handle, &event)) {
		complain("cannot wait for messages: %s", strerror(errno));
		return EXIT_OTHER;
	}
	if (!watch->json)
		printf("%-19s  %8s  %7s  %5s  %6s  %5s  %8s  %s\n", "TIME", "NUMBER", "PID", "UID",
		       "TYPE", "PRIO", "LENGTH", "PAYLOAD");
	ret = output_flush();

	while (!ret && output_has_reader()) {
		ret = look(watch);
		if (ret || (watch->counts && watch->arrived >= watch->count))
			break;
		ret = wait_for_arrival(watch, epoll);
	}
	close(epoll);
	return ret;
}

static int watch_run(struct watch *watch)
{
	int device, ret;

	ret = device_open(&device);
	if (ret)
		return ret;
	ret = target_open(device, &watch->target, MAILBOX_RIGHT_RECEIVE, &watch->handle);
	close(device);
	if (ret)
		return ret;

	if (watch->timed)
		watch->deadline = mailbox_deadline_in(watch->timeout);
	ret = follow(watch);
	free(watch->found);
	close(watch->handle);
	return ret;
}

static int take_option(struct watch *watch, int option)
{
	uint64_t number;

	switch (option) {
	case OPTION_BACKLOG:
		watch->backlog = true;
		return EXIT_OK;
	case OPTION_COUNT:
		if (!parse_number(optarg, UINT64_MAX, &watch->count) || !watch->count)
			return usage(&command_watch, "--count takes a number from 1 on");
		watch->counts = true;
		return EXIT_OK;
	case OPTION_TIMEOUT:
		watch->timed = true;
		return option_timeout(&command_watch, &watch->timeout);
	case OPTION_TRUNCATE:
		if (!parse_size(optarg, 65536, &number))
			return usage(&command_watch, "--truncate takes bytes, up to 64K");
		watch->room = number;
		return EXIT_OK;
	case OPTION_JSON:
		watch->json = true;
		return EXIT_OK;
	default:
		return help_or_usage(&command_watch, option);
	}
}

static int run(int argc, char **argv)
{
	struct watch watch = { .room = 64 };
	int option, ret;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		ret = take_option(&watch, option);
		if (ret || option == 'h')
			return ret;
	}
	if (argc - optind != 1)
		return usage(&command_watch, "one MAILBOX");

	ret = target_parse(&command_watch, argv[optind], &watch.target);
	if (!ret)
		ret = watch_run(&watch);
	target_fini(&watch.target);
	return ret;
}

const struct command command_watch = {
	.name = "watch",
	.summary = "show messages as they arrive",
	.help = help,
	.run = run,
};
