// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "limits.h"
#include "real.h"

long compat_limit(const char *path, long otherwise)
{
	int error = errno, fd = open(path, O_RDONLY | O_CLOEXEC);
	char text[32];
	ssize_t length = -1;

	if (fd >= 0) {
		length = read(fd, text, sizeof(text) - 1);
		compat_close(fd);
	}
	errno = error;
	if (length <= 0)
		return otherwise;
	text[length] = '\0';
	return strtol(text, NULL, 10);
}
