// SPDX-License-Identifier: GPL-2.0
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include <mailbox.h>

#include "log.h"

/* Of one line so many in a minute; the others are counted. */
#define BURST	    5
#define MINUTE	    60000000000ULL
#define LINES	    16
#define LINE_LENGTH 1024

/* Lines of late, any of which is overwritten by another that has the same place. */
static struct line {
	char text[128];
	uint64_t since;
	unsigned int count;
} lines[LINES];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Whether a line is told; how many like it were not told before. */
static bool is_told(const char *text, unsigned int *untold)
{
	const uint64_t now = mailbox_now();
	struct line *line;
	unsigned int hash = 5381;
	const char *at;
	bool told;

	for (at = text; *at; at++)
		hash = hash * 33 + (unsigned char)*at;
	*untold = 0;
	pthread_mutex_lock(&lock);
	line = &lines[hash % LINES];
	if (strncmp(line->text, text, sizeof(line->text) - 1)) {
		snprintf(line->text, sizeof(line->text), "%.*s", (int)sizeof(line->text) - 1, text);
		line->count = 0;
		line->since = now;
	} else if (now - line->since >= MINUTE) {
		*untold = line->count > BURST ? line->count - BURST : 0;
		line->count = 0;
		line->since = now;
	}
	told = ++line->count <= BURST;
	pthread_mutex_unlock(&lock);
	return told;
}

void log_line(int level, const char *format, ...)
{
	/* Set by systemd where standard error goes to the journal: see sd-daemon(3). */
	const char *journal = getenv("JOURNAL_STREAM");
	char text[LINE_LENGTH], line[LINE_LENGTH + 64];
	unsigned int untold;
	va_list arguments;
	int length;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (!is_told(text, &untold))
		return;

	length = journal ? snprintf(line, sizeof(line), "<%d>%s", level, text) :
			   snprintf(line, sizeof(line), "mailbox-bridge: %s", text);
	if (untold)
		length += snprintf(line + length, sizeof(line) - length, " (and %u times more)",
				   untold);
	line[length++] = '\n';
	/* One write for each line: those of several threads do not mix. */
	fwrite(line, 1, length, stderr);
}
