// SPDX-License-Identifier: GPL-2.0
/*
 * mailbox: the command. Finds the sub-command and hands over.
 */
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

static const struct command *const commands[] = {
	&command_create, &command_send,	      &command_receive,	  &command_work,
	&command_call,	 &command_serve,      &command_subscribe, &command_peek,
	&command_watch,	 &command_ls,	      &command_stat,	  &command_set,
	&command_rm,	 &command_info,	      &command_send_to,	  &command_receive_from,
	&command_links,	 &command_cat_region, &command_pipe,	  &command_run,
	&command_bridge,
};

#define NR_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const char overview_tail[] =
	"\n"
	"'mailbox help COMMAND' and 'mailbox COMMAND --help' tell more.\n"
	"\n"
	"MAILBOX is a name or an id (a number). id:7 is the id and name:7 the name,\n"
	"whatever they look like. Durations: 500ms, 2s, 1.5m, 1h; without a unit, seconds.\n"
	"Sizes: bytes, or 64K, 8M, 1G.\n"
	"\n"
	"Exit codes:\n"
	"   0  done\n"
	"   1  another error\n"
	"   2  wrong use of the command line\n"
	"   3  no such mailbox, or no such process\n"
	"   4  not permitted\n"
	"   5  would have to wait: nothing to receive, or no room\n"
	"   6  the time was over first\n"
	"   7  the mailbox was destroyed\n"
	"   8  a mailbox of that name exists\n"
	"   9  the message has a size that the mailbox does not take\n"
	"  10  the quota is used up\n"
	"  11  there is no /dev/mailbox\n"
	"  12  a message was received and could not be written: it is lost\n"
	"  13  cut off from a broadcast, having been too slow\n"
	"  14  the message was sent, and has ended without being taken\n"
	"  15  the call was not answered: nobody serves, or who did has failed\n";

static const struct command *command_find(const char *name)
{
	size_t i;

	for (i = 0; i < NR_COMMANDS; i++) {
		if (!strcmp(name, commands[i]->name))
			return commands[i];
	}
	return NULL;
}

static void overview_print(FILE *to)
{
	size_t i;

	fputs("Usage: mailbox COMMAND [OPTIONS] [ARGUMENTS]\n"
	      "Mailboxes of the kernel: messages between processes.\n\n",
	      to);
	for (i = 0; i < NR_COMMANDS; i++)
		fprintf(to, "  %-12s %s\n", commands[i]->name, commands[i]->summary);
	fputs(overview_tail, to);
}

void help_print(const struct command *command, FILE *to)
{
	fputs(command->help, to);
	fputs("  -h, --help            this text\n", to);
}

int help_or_usage(const struct command *command, int option)
{
	if (option == 'h') {
		help_print(command, stdout);
		return output_flush();
	}
	/* getopt_long(3) has said what is wrong. */
	fprintf(stderr, "Try 'mailbox %s --help'.\n", command->name);
	return EXIT_USAGE;
}

int usage(const struct command *command, const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "mailbox %s: ", command->name);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fprintf(stderr, "\nTry 'mailbox %s --help'.\n", command->name);
	return EXIT_USAGE;
}

static int help(int argc, char **argv)
{
	const struct command *command;

	if (argc < 2) {
		overview_print(stdout);
		return output_flush();
	}

	command = command_find(argv[1]);
	if (!command) {
		complain("no command '%s'; 'mailbox help' lists them", argv[1]);
		return EXIT_USAGE;
	}
	help_print(command, stdout);
	return output_flush();
}

int main(int argc, char **argv)
{
	const struct command *command;
	char *title;
	int ret;

	/* A write that fails is to be reported: what was received is lost with it. */
	signal(SIGPIPE, SIG_IGN);

	if (argc < 2) {
		overview_print(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "help") || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return help(argc - 1, argv + 1);
	if (!strcmp(argv[1], "--version")) {
		puts("mailbox " MAILBOX_VERSION);
		return output_flush();
	}

	command = command_find(argv[1]);
	if (!command) {
		complain("no command '%s'; 'mailbox help' lists them", argv[1]);
		return EXIT_USAGE;
	}

	/* getopt_long(3) begins its messages with this. */
	if (asprintf(&title, "mailbox %s", command->name) < 0)
		return EXIT_OTHER;
	argv[1] = title;
	ret = command->run(argc - 1, argv + 1);
	free(title);
	return ret;
}
