// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "memory.h"

/* Not even page 0 is known at first. */
_Atomic uintptr_t compat_pages_read[COMPAT_PAGES] = { UINTPTR_MAX };
_Atomic uintptr_t compat_pages_written[COMPAT_PAGES] = { UINTPTR_MAX };

static void remember(_Atomic uintptr_t *pages, const void *start)
{
	uintptr_t page = (uintptr_t)start >> COMPAT_PAGE_SHIFT;

	atomic_store_explicit(&pages[page % COMPAT_PAGES], page, memory_order_relaxed);
}

/*
 * The kernel reads a mask of signals, and then finds that what is to be done with it is nonsense:
 * EINVAL where it could be read, and nothing has changed. Where there is no mask it does not look.
 */
bool compat_ask_readable(const void *start)
{
	uintptr_t word = (uintptr_t)start & ~(uintptr_t)7;
	int error = errno;
	bool there = word && (!syscall(SYS_rt_sigprocmask, ~0, word, NULL, 8) || errno != EFAULT);

	errno = error;
	if (there)
		remember(compat_pages_read, start);
	return there;
}

/* The kernel adds 0 to what is there, in one, so nobody sees it, and wakes nobody. */
bool compat_ask_writable(void *start)
{
	static unsigned int nobody;
	uintptr_t word = (uintptr_t)start & ~(uintptr_t)3;
	int error = errno;
	bool there = syscall(SYS_futex, &nobody, FUTEX_WAKE_OP_PRIVATE, 0, 0, word,
			     FUTEX_OP(FUTEX_OP_ADD, 0, FUTEX_OP_CMP_EQ, 0)) >= 0 ||
		     errno != EFAULT;

	errno = error;
	if (there)
		remember(compat_pages_written, start);
	return there;
}

bool compat_all_readable(const void *start, size_t length)
{
	return compat_readable(start) && compat_readable((const char *)start + length - 1);
}

bool compat_all_writable(void *start, size_t length)
{
	return compat_writable(start) && compat_writable((char *)start + length - 1);
}
