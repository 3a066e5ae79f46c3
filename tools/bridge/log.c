// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "log.h"

void log_line(int level, const char *format, ...)
{
	/* Set by systemd where standard error goes to the journal: see sd-daemon(3). */
	const char *journal = getenv("JOURNAL_STREAM");
	char text[1024];
	va_list arguments;
	size_t length;
	int start;

	start = journal ? snprintf(text, sizeof(text), "<%d>", level) :
			  snprintf(text, sizeof(text), "mailbox-bridge: ");
	va_start(arguments, format);
	vsnprintf(text + start, sizeof(text) - start - 1, format, arguments);
	va_end(arguments);

	/* One write for each line: those of several threads do not mix. */
	length = strlen(text);
	text[length] = '\n';
	fwrite(text, 1, length + 1, stderr);
}
