// SPDX-License-Identifier: GPL-2.0
/*
 * What reaches a terminal.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"

/* Characters that move the cursor, turn the direction round or do not show at all. */
static bool is_harmful(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0xad ||
	       (code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
	       (code >= 0x2060 && code <= 0x206f) || code == 0xfeff ||
	       (code >= 0xfff9 && code <= 0xfffb) || code >= 0xe0000;
}

/* Bytes of the UTF-8 character at data, or 0 when there is no harmless one. */
static size_t character_length(const unsigned char *data, size_t length)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t code = data[0];
	size_t nr, i;

	if (code < 0x80)
		nr = 1;
	else if (code >= 0xc2 && code < 0xe0)
		nr = 2;
	else if (code >= 0xe0 && code < 0xf0)
		nr = 3;
	else if (code >= 0xf0 && code < 0xf5)
		nr = 4;
	else
		return 0;

	if (nr > length)
		return 0;

	if (nr > 1)
		code &= 0x7f >> nr;
	for (i = 1; i < nr; i++) {
		if ((data[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (data[i] & 0x3f);
	}
	/* Overlong forms and halves of surrogates are not characters. */
	if (code < least[nr] || (code >= 0xd800 && code < 0xe000) || is_harmful(code))
		return 0;
	return nr;
}

char *printable(const void *data, size_t length, size_t columns)
{
	const unsigned char *from = data;
	size_t i = 0, column = 0, wide, nr;
	char *text, *to;

	/* A byte becomes at most the four characters of \x1b; "..." follows. */
	text = malloc((columns && columns < length ? columns : length) * 4 + 8);
	if (!text) {
		complain("out of memory");
		exit(EXIT_OTHER);
	}

	for (to = text; i < length; i += nr, column += wide) {
		nr = character_length(from + i, length - i);
		wide = !nr ? 4 : from[i] == '\\' ? 2 : 1;
		if (columns && column + wide > columns) {
			to = stpcpy(to, "...");
			break;
		}
		if (!nr) {
			to += sprintf(to, "\\x%02x", from[i]);
			nr = 1;
		} else if (from[i] == '\\') {
			to = stpcpy(to, "\\\\");
		} else {
			to = mempcpy(to, from + i, nr);
		}
	}
	*to = 0;
	return text;
}

size_t printable_width(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += (*text & 0xc0) != 0x80;
	return width;
}

const char *wall_clock(uint64_t time, char *text, size_t size)
{
	struct timespec now;
	struct tm parts;
	int64_t wall;
	time_t seconds;

	if (!time) {
		snprintf(text, size, "-");
		return text;
	}

	/* The kernel stamps by the clock that nobody sets. */
	clock_gettime(CLOCK_REALTIME, &now);
	wall = now.tv_sec * 1000000000LL + now.tv_nsec - (int64_t)(mailbox_now() - time);
	seconds = wall / 1000000000;
	localtime_r(&seconds, &parts);
	if (!strftime(text, size, "%Y-%m-%d %H:%M:%S", &parts))
		*text = 0;
	return text;
}

int output_flush(void)
{
	if (fflush(stdout) || ferror(stdout)) {
		complain("cannot write the output: %s", strerror(errno));
		return EXIT_OTHER;
	}
	return EXIT_OK;
}

bool output_has_reader(void)
{
	struct pollfd out = { .fd = STDOUT_FILENO };

	/* A pipe or socket that nobody reads says so; files and terminals do not. */
	return poll(&out, 1, 0) <= 0 || !(out.revents & (POLLERR | POLLNVAL));
}

bool color_wanted(const char *when)
{
	const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");

	if (strcmp(when, "auto"))
		return !strcmp(when, "always");
	return isatty(STDOUT_FILENO) && !(no_color && *no_color) && term && strcmp(term, "dumb");
}
