/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Memory of the program that may not be there. A system call says EFAULT of it, and a library that
 * touches it itself would crash: so the kernel is asked before. What was there once is believed to
 * be there still, by pages, so that the path of a message asks no more.
 */
#ifndef COMPAT_MEMORY_H
#define COMPAT_MEMORY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COMPAT_PAGE_SHIFT 12
#define COMPAT_PAGES	  16

/* By the lower bits of their number, the page seen last. */
extern _Atomic uintptr_t compat_pages_read[COMPAT_PAGES];
extern _Atomic uintptr_t compat_pages_written[COMPAT_PAGES];

/* Asks the kernel, and remembers what may be touched. */
bool compat_ask_readable(const void *start);
bool compat_ask_writable(void *start);

static inline bool compat_page_known(_Atomic uintptr_t *pages, const void *start)
{
	uintptr_t page = (uintptr_t)start >> COMPAT_PAGE_SHIFT;

	return atomic_load_explicit(&pages[page % COMPAT_PAGES], memory_order_relaxed) == page;
}

/* Whether a number at the beginning of a structure can be read, or written. */
static inline bool compat_readable(const void *start)
{
	return compat_page_known(compat_pages_read, start) || compat_ask_readable(start);
}

static inline bool compat_writable(void *start)
{
	return compat_page_known(compat_pages_written, start) || compat_ask_writable(start);
}

/* The same of a whole structure that is no longer than a page. */
bool compat_all_readable(const void *start, size_t length);
bool compat_all_writable(void *start, size_t length);

#endif /* COMPAT_MEMORY_H */
