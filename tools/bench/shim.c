// SPDX-License-Identifier: GPL-2.0
/*
 * What libmailbox-compat.so asks the loader for, which this program, being static, has not.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../compat/real.h"

void *compat_real(const char *name)
{
	static const struct {
		const char *name;
		void *function;
	} functions[] = {
		{ "close", close }, { "read", read }, { "write", write },
		{ "lseek", lseek }, { "dup2", dup2 },
	};
	size_t i;

	for (i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
		if (!strcmp(functions[i].name, name))
			return functions[i].function;
	abort();
}
