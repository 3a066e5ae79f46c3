// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kernel.h"
#include "shared.h"

#define COMPLAINTS_MAX 64

static regex_t complaints[COMPLAINTS_MAX];
static unsigned int nr_complaints;
static bool listening;

void kernel_listen(const char *path)
{
	FILE *file = fopen(path, "r");
	char line[256];
	int fd;

	if (!file)
		die("%s: %s", path, strerror(errno));
	while (nr_complaints < COMPLAINTS_MAX && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = 0;
		if (regcomp(&complaints[nr_complaints++], line, REG_EXTENDED | REG_NOSUB))
			die("%s: %s", path, line);
	}
	fclose(file);
	fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || dup3(fd, FD_KMSG, O_CLOEXEC) < 0)
		die("/dev/kmsg: %s", strerror(errno));
	close(fd);
	lseek(FD_KMSG, 0, SEEK_END);
	listening = true;
}

void kernel_check(void)
{
	char line[4096], *text;
	unsigned int i;
	ssize_t length;

	/* EPIPE: some were overwritten before they were read. */
	while (listening && ((length = read(FD_KMSG, line, sizeof(line) - 1)) > 0 ||
			     (length < 0 && errno == EPIPE))) {
		if (length < 0)
			continue;
		line[length] = 0;
		text = strchr(line, ';');
		text = text ? text + 1 : line;
		text[strcspn(text, "\n")] = 0;
		for (i = 0; i < nr_complaints; i++)
			if (!regexec(&complaints[i], text, 0, NULL, 0))
				fail("the kernel says: %.180s", text);
	}
}
