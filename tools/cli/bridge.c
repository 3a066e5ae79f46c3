// SPDX-License-Identifier: GPL-2.0
/*
 * mailbox bridge: asks the bridge of this host what it does. The answer comes as JSON; all texts
 * in it are from another process.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"

/* No bridge needs longer. */
#define PATIENCE    (10 * 1000000000ULL)
#define ANSWER_SIZE (4 * 1024 * 1024)

enum {
	OPTION_NAME = 0x100,
	OPTION_JSON,
	OPTION_WATCH,
	OPTION_COLOR,
};

static const struct option options[] = {
	{ "name", required_argument, NULL, OPTION_NAME },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "watch", no_argument, NULL, OPTION_WATCH },
	{ "color", optional_argument, NULL, OPTION_COLOR },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

/* clang-format off */
static const char help[] =
	"Usage: mailbox bridge status [OPTIONS]\n"
	"Shows what the bridge to other hosts does, see mailbox-bridge(8): whether it is\n"
	"connected, and for each route its state, how many messages wait (LAG), are on the way\n"
	"(FLIGHT) and have arrived (MOVED), and where there are any, were repeated (AGAIN),\n"
	"perhaps twice (LATE), are dead letters (DEAD), have expired, or were missed by this host;\n"
	"then what is wrong, if anything is. Programs want --json, which has all of it.\n"
	"\n"
	"      --name=MAILBOX    the mailbox of the bridge, if that is not 'bridge'\n"
	"      --watch           again each second, until the bridge ends\n"
	"      --color[=WHEN]    auto (the default: on a terminal), always or never\n"
	"      --json            as JSON\n";
/* clang-format on */

enum {
	ROUTE,
	MAILBOX,
	WAY,
	SUBJECT,
	POLICY,
	STATE,
	LAG,
	FLIGHT,
	MOVED,
	AGAIN,
	LATE,
	DEAD,
	EXPIRED,
	MISSED,
	NR_COLUMNS,
};

/* Names in the JSON and above the columns. */
static const struct {
	const char *key, *title;
} columns[] = {
	[ROUTE] = { "name", "ROUTE" },
	[MAILBOX] = { "mailbox", "MAILBOX" },
	[WAY] = { "direction", "  " },
	[SUBJECT] = { "subject", "SUBJECT" },
	[POLICY] = { "policy", "POLICY" },
	[STATE] = { "state", "STATE" },
	[LAG] = { "lag", "LAG" },
	[FLIGHT] = { "in_flight", "FLIGHT" },
	[MOVED] = { "moved", "MOVED" },
	[AGAIN] = { "repeated", "AGAIN" },
	[LATE] = { "late", "LATE" },
	[DEAD] = { "dead", "DEAD" },
	[EXPIRED] = { "expired", "EXPIRED" },
	[MISSED] = { "missed", "MISSED" },
};

struct row {
	char *cells[NR_COLUMNS];
};

struct request {
	struct target target;
	bool json, watch, color;
};

/* --- the answer as text ----------------------------------------------------- */

/* Safe for a terminal, "" for what is not there; free(3) it. */
static char *text_of(json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return printable(text ? text : "", text ? strlen(text) : 0, 0);
}

static char *cell(json_t *route, size_t column)
{
	json_t *value = json_object_get(route, columns[column].key);
	const char *text = json_string_value(value);
	char *number;

	if (column == WAY)
		return strdup(text && !strcmp(text, "in") ? "<-" : "->");
	if (column < LAG)
		return text_of(route, columns[column].key);
	if (asprintf(&number, "%lld", (long long)json_integer_value(value)) < 0)
		return NULL;
	return number;
}

static const char *state_color(const char *state)
{
	if (!strcmp(state, "running"))
		return "\033[32m";
	if (!strcmp(state, "starting") || !strcmp(state, "waiting") || !strcmp(state, "full"))
		return "\033[33m";
	return "\033[31m";
}

static const char *color_of(size_t column, const char *text)
{
	switch (column) {
	case ROUTE:
		return "\033[1;36m";
	case STATE:
		return state_color(text);
	case LATE:
	case DEAD:
	case EXPIRED:
	case MISSED:
		return strcmp(text, "0") ? "\033[31m" : NULL;
	default:
		return NULL;
	}
}

/* Most bridges have nothing to tell in these. */
static bool is_shown(const struct row *rows, size_t nr, size_t column)
{
	size_t i;

	for (i = 0; i < nr; i++) {
		char *const *cells = rows[i].cells;

		if (column >= AGAIN   ? strcmp(cells[column], "0") != 0 :
		    column == MAILBOX ? strcmp(cells[MAILBOX], cells[ROUTE]) != 0 :
					true)
			return true;
	}
	return !nr;
}

static size_t width_of(const struct row *rows, size_t nr, size_t column)
{
	size_t width = strlen(columns[column].title), i;

	for (i = 0; i < nr; i++) {
		if (printable_width(rows[i].cells[column]) > width)
			width = printable_width(rows[i].cells[column]);
	}
	return width;
}

static void print_cell(const char *text, size_t column, size_t width, const char *color)
{
	const int pad = width - printable_width(text);

	/* Numbers end in one column, and texts begin in one. */
	if (column >= LAG)
		printf("%*s", pad, "");
	printf("%s%s%s", color ? color : "", text, color ? "\033[0m" : "");
	if (column < LAG)
		printf("%*s", pad, "");
}

/* Without a row: the titles. */
static void print_row(const struct row *row, const size_t *widths, bool color)
{
	size_t column;

	for (column = 0; column < NR_COLUMNS; column++) {
		const char *text = row ? row->cells[column] : columns[column].title;

		if (!widths[column])
			continue;
		if (column)
			fputs("  ", stdout);
		print_cell(text, column, widths[column],
			   !color ? NULL :
			   row	  ? color_of(column, text) :
				    "\033[1m");
	}
	putchar('\n');
}

static void print_routes(json_t *routes, bool color)
{
	size_t nr = json_array_size(routes), widths[NR_COLUMNS], i, column;
	struct row *rows = calloc(nr + 1, sizeof(*rows));

	if (!rows)
		return;
	for (i = 0; i < nr; i++) {
		for (column = 0; column < NR_COLUMNS; column++) {
			rows[i].cells[column] = cell(json_array_get(routes, i), column);
			if (!rows[i].cells[column])
				abort();
		}
	}
	for (column = 0; column < NR_COLUMNS; column++)
		widths[column] = is_shown(rows, nr, column) ? width_of(rows, nr, column) : 0;

	print_row(NULL, widths, color);
	for (i = 0; i < nr; i++) {
		print_row(&rows[i], widths, color);
		for (column = 0; column < NR_COLUMNS; column++)
			free(rows[i].cells[column]);
	}
	free(rows);
}

/* What is wrong now. What was is in the JSON. */
static void print_trouble(json_t *route, bool color)
{
	json_t *error = json_object_get(route, "error");
	char *name, *text, *state = text_of(route, "state");
	time_t seconds = json_integer_value(json_object_get(error, "time")) / 1000000000;
	long long count = json_integer_value(json_object_get(error, "count"));
	struct tm parts;
	char when[32];

	if (json_is_object(error) && strcmp(state, "running")) {
		name = text_of(route, "name");
		text = text_of(error, "text");
		localtime_r(&seconds, &parts);
		if (!strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &parts))
			*when = '\0';
		printf("%s%s%s: %s (%s, %lld time%s)\n", color ? state_color(state) : "", name,
		       color ? "\033[0m" : "", text, when, count, count == 1 ? "" : "s");
		free(name);
		free(text);
	}
	free(state);
}

static void print_server(json_t *status, int pid, bool color)
{
	json_t *server = json_object_get(status, "server");
	bool connected = json_is_true(json_object_get(server, "connected"));
	char *host = text_of(status, "host"), *url = text_of(server, "url");
	char *error = text_of(server, "error");

	printf("host %s, process %d, %s", host, pid,
	       !color	 ? "" :
	       connected ? "\033[32m" :
			   "\033[31m");
	if (connected)
		printf("connected%s to %s (connection %lld)\n", color ? "\033[0m" : "", url,
		       (long long)json_integer_value(json_object_get(server, "epoch")));
	else
		printf("not connected%s: no server answers, and it is tried for ever\n",
		       color ? "\033[0m" : "");
	if (*error)
		printf("the server says: %s\n", error);
	free(host);
	free(url);
	free(error);
}

static void print_status(json_t *status, int pid, bool color)
{
	json_t *routes = json_object_get(status, "routes"), *route;
	size_t i;

	print_server(status, pid, color);
	putchar('\n');
	print_routes(routes, color);
	json_array_foreach(routes, i, route) print_trouble(route, color);
}

/* --- the question ------------------------------------------------------------ */

static int no_bridge(const struct request *request)
{
	complain("no bridge has %s: 'mailbox-bridge' or 'systemctl start mailbox-bridge' starts "
		 "one; --name says where its mailbox has another name",
		 request->target.shown);
	return EXIT_NO_MAILBOX;
}

static int print_answer(const struct request *request, const struct mailbox_message *answer)
{
	json_t *status = json_loadb(answer->data, answer->length, 0, NULL);
	bool again = false;

	if (!json_is_array(json_object_get(status, "routes"))) {
		json_decref(status);
		complain("%s gives an answer that no bridge gives: --name says which is the "
			 "mailbox of the bridge",
			 request->target.shown);
		return EXIT_OTHER;
	}
	if (request->json) {
		json_output(status);
		return output_flush();
	}
	/* On a terminal in place of the one before. */
	again = request->watch && isatty(STDOUT_FILENO);
	if (again)
		fputs("\033[H\033[J", stdout);
	print_status(status, answer->pid, request->color);
	if (request->watch && !again)
		putchar('\n');
	json_decref(status);
	return output_flush();
}

static int ask(struct request *request, int device, void *room)
{
	struct mailbox_message question = { 0 };
	struct mailbox_message answer = { .data = room, .room = ANSWER_SIZE };
	int handle, error;

	if (request->target.name)
		handle = mailbox_open(device, request->target.name, MAILBOX_RIGHT_SEND, 0);
	else
		handle = mailbox_open_id(device, request->target.id, MAILBOX_RIGHT_SEND, 0);
	if (handle < 0)
		return handle == -ENOENT ? no_bridge(request) :
					   report(DOING_OPEN, &request->target, handle);

	error = mailbox_call(handle, &question, &answer, MAILBOX_DEADLINE,
			     mailbox_deadline_in(PATIENCE));
	close(handle);
	/* It was ended just now, or this is a mailbox that somebody has left behind. */
	if (error == -EPIPE || error == -EIDRM)
		return no_bridge(request);
	return error ? report(DOING_CALL, &request->target, error) : print_answer(request, &answer);
}

static int status(struct request *request)
{
	const struct timespec second = { .tv_sec = 1 };
	void *room = malloc(ANSWER_SIZE);
	int device, ret;

	if (!room) {
		complain("not enough memory for the answer");
		return EXIT_OTHER;
	}
	ret = device_open(&device);
	if (!ret) {
		do {
			ret = ask(request, device, room);
		} while (!ret && request->watch && output_has_reader() &&
			 !nanosleep(&second, NULL));
		close(device);
	}
	free(room);
	return ret;
}

static int run(int argc, char **argv)
{
	struct request request = { .color = color_wanted("auto") };
	const char *name = "bridge";
	int option, ret;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case OPTION_NAME:
			name = optarg;
			break;
		case OPTION_JSON:
			request.json = true;
			break;
		case OPTION_WATCH:
			request.watch = true;
			break;
		case OPTION_COLOR:
			ret = option_color(&command_bridge, &request.color);
			if (ret)
				return ret;
			break;
		default:
			return help_or_usage(&command_bridge, option);
		}
	}
	if (argc - optind != 1 || strcmp(argv[optind], "status"))
		return usage(&command_bridge, "'status' is what a bridge can be asked");
	ret = target_parse(&command_bridge, name, &request.target);
	if (!ret)
		ret = status(&request);
	target_fini(&request.target);
	return ret;
}

const struct command command_bridge = {
	.name = "bridge",
	.summary = "what the bridge to other hosts does",
	.help = help,
	.run = run,
};
