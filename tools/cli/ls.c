// SPDX-License-Identifier: GPL-2.0
/*
 * mailbox ls: the mailboxes that the user may see.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

enum {
	OPTION_JSON = 0x100,
	OPTION_NAMES,
	OPTION_COLOR,
	OPTION_NO_HEADER,
};

static const struct option options[] = {
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "names", no_argument, NULL, OPTION_NAMES },
	{ "color", optional_argument, NULL, OPTION_COLOR },
	{ "no-header", no_argument, NULL, OPTION_NO_HEADER },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

static const char help[] =
	"Usage: mailbox ls [OPTIONS]\n"
	"Lists the mailboxes that you could open, in the order of their ids. WAIT is how many\n"
	"receivers (r) and senders (s) wait, SUBS how many handles may receive; a name with - has\n"
	"no name; kind t is temporary.\n"
	"\n"
	"      --names           only the names, one a line\n"
	"      --json            an array of objects\n"
	"      --no-header       without the first line\n"
	"      --color[=WHEN]    auto (the default: on a terminal), always or never\n";

enum column {
	ID,
	OWNER,
	MODE,
	KIND,
	POLICY,
	CAPACITY,
	HANDLES,
	SUBSCRIBERS,
	WAIT,
	SENT,
	MESSAGES,
	BYTES,
	NAME
};

#define NR_COLUMNS (NAME + 1)

static const char *const titles[NR_COLUMNS] = {
	"ID",	"OWNER", "MODE", "KIND",     "POLICY", "CAPACITY", "HANDLES",
	"SUBS", "WAIT",	 "SENT", "MESSAGES", "BYTES",  "NAME",
};

struct table {
	char *(*rows)[NR_COLUMNS];
	size_t nr;
	size_t room;
	size_t width[NR_COLUMNS];
	json_t *json;
	bool names;
};

static char *cell(const char *format, ...) __attribute__((format(printf, 1, 2)));
static char *cell(const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		abort();
	va_end(arguments);
	return text;
}

static char *capacity_cell(const struct mailbox_stat *stat)
{
	if (stat->capacity == MAILBOX_CAPACITY_BOUNDED)
		return cell("%llu", (unsigned long long)stat->max_messages);
	return cell("%s", word_of(capacity_words, stat->capacity) ?: "?");
}

static int add_row(struct table *table, const struct mailbox_stat *stat)
{
	size_t length = strnlen(stat->name, sizeof(stat->name));
	char **row;
	int i;

	if (table->nr == table->room) {
		size_t room = table->room ? table->room * 2 : 64;
		void *rows = reallocarray(table->rows, room, sizeof(*table->rows));

		if (!rows) {
			complain("not enough memory for the list");
			return EXIT_OTHER;
		}
		table->rows = rows;
		table->room = room;
	}

	row = table->rows[table->nr++];
	row[ID] = cell("%llu", (unsigned long long)stat->id);
	row[OWNER] = cell("%u", stat->uid);
	row[MODE] = cell("%04o", stat->mode);
	row[KIND] = cell("%s%s", stat->flags & MAILBOX_PERMANENT ? "p" : "t",
			 stat->flags & MAILBOX_FIXED_SIZE ? "f" : "");
	row[POLICY] = cell("%s", word_of(policy_words, stat->policy) ?: "?");
	row[CAPACITY] = capacity_cell(stat);
	row[HANDLES] = cell("%u", stat->handles);
	row[SUBSCRIBERS] = cell("%u", stat->subscribers);
	row[WAIT] = stat->receivers ? cell("%ur", stat->receivers) :
		    stat->senders   ? cell("%us", stat->senders) :
				      cell("-");
	row[SENT] = cell("%llu", (unsigned long long)stat->sent);
	row[MESSAGES] = cell("%llu", (unsigned long long)stat->messages);
	row[BYTES] = cell("%llu", (unsigned long long)stat->bytes);
	row[NAME] = length ? printable(stat->name, length, 0) : cell("-");

	for (i = 0; i < NR_COLUMNS; i++) {
		size_t width = printable_width(row[i]);

		if (width > table->width[i])
			table->width[i] = width;
	}
	return 0;
}

static int add(const struct mailbox_stat *stat, void *context)
{
	struct table *table = context;
	char *name;

	if (table->json) {
		json_array_append_new(table->json, json_from_stat(stat));
		return 0;
	}
	if (table->names) {
		if (!stat->name[0])
			return 0;
		name = printable(stat->name, strnlen(stat->name, sizeof(stat->name)), 0);
		puts(name);
		free(name);
		return 0;
	}
	return add_row(table, stat);
}

static const char *color_of(char *const *row, int column)
{
	switch (column) {
	case NAME:
		return "\033[1;36m";
	case MESSAGES:
		return strcmp(row[MESSAGES], "0") ? "\033[32m" : NULL;
	case WAIT:
		return strchr(row[WAIT], 's') ? "\033[33m" : NULL;
	default:
		return NULL;
	}
}

static void print_row(const struct table *table, char *const *row, bool header, bool color)
{
	int i;

	for (i = 0; i < NR_COLUMNS; i++) {
		const char *on = !color ? NULL : header ? "\033[1m" : color_of(row, i);
		int pad = table->width[i] - printable_width(row[i]);

		/* Numbers end in one column; names begin in one, and nothing is behind them. */
		if (i != NAME)
			printf("%*s", pad, "");
		printf("%s%s%s%s", on ? on : "", row[i], on ? "\033[0m" : "",
		       i == NAME ? "\n" : "  ");
	}
}

static void print_table(struct table *table, bool header, bool color)
{
	size_t i, column;

	for (column = 0; header && column < NR_COLUMNS; column++) {
		if (strlen(titles[column]) > table->width[column])
			table->width[column] = strlen(titles[column]);
	}
	if (header)
		print_row(table, (char *const *)titles, true, color);

	for (i = 0; i < table->nr; i++) {
		print_row(table, table->rows[i], false, color);
		for (column = 0; column < NR_COLUMNS; column++)
			free(table->rows[i][column]);
	}
	free(table->rows);
}

static int list(struct table *table, bool header, bool color)
{
	int device, ret;

	ret = device_open(&device);
	if (ret)
		return ret;

	ret = mailbox_list_each(device, add, table);
	close(device);
	if (ret < 0) {
		complain("cannot list the mailboxes: %s", mailbox_strerror(ret));
		return EXIT_OTHER;
	}
	if (ret)
		return ret;

	if (table->json)
		return json_output(json_incref(table->json)) ? EXIT_OK : output_flush();
	if (!table->names)
		print_table(table, header, color);
	return output_flush();
}

static int run(int argc, char **argv)
{
	bool header = true, json = false, color = color_wanted("auto");
	struct table table = { 0 };
	int option, ret;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case OPTION_JSON:
			json = true;
			break;
		case OPTION_NAMES:
			table.names = true;
			break;
		case OPTION_NO_HEADER:
			header = false;
			break;
		case OPTION_COLOR:
			ret = option_color(&command_ls, &color);
			if (ret)
				return ret;
			break;
		default:
			return help_or_usage(&command_ls, option);
		}
	}
	if (optind != argc)
		return usage(&command_ls, "no arguments; 'mailbox stat MAILBOX' shows one");

	table.json = json ? json_array() : NULL;
	ret = list(&table, header, color);
	json_decref(table.json);
	return ret;
}

const struct command command_ls = {
	.name = "ls",
	.summary = "list mailboxes",
	.help = help,
	.run = run,
};
