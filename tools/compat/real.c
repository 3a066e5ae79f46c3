// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Finding the functions of the C library that this library stands before.
 */
#include <dlfcn.h>
#include <stdlib.h>

#include "real.h"

void *compat_real(const char *name)
{
	void *found = dlsym(RTLD_NEXT, name);

	/* The C library has it, or the program would not have been linked. */
	if (!found)
		abort();
	return found;
}
