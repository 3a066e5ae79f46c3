// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Hidden descriptors, and the calls by which a program could close them without meaning to:
 * daemons close whatever number they can think of.
 */
#include <fcntl.h>
#include <limits.h>
#include <sys/resource.h>
#include <unistd.h>

#include "descriptor.h"
#include "lock.h"
#include "mq.h"
#include "real.h"

/* None is hidden at a higher number. */
#define HIGHEST 65536
/* How many there may be; more than one process has of them, see handles.c. */
#define MOST 1024
/* So far below the limit of a process they begin. */
#define BELOW 128

#define WORD_BITS (8 * sizeof(unsigned long))

/* One bit for each number: close(2) asks without the lock. */
static _Atomic unsigned long numbers[HIGHEST / WORD_BITS];
/* Who wants to know where they are; under the lock. */
static int *places[MOST];

static void mark(int fd, bool hidden)
{
	_Atomic unsigned long *word = &numbers[fd / WORD_BITS];
	unsigned long bit = 1UL << (fd % WORD_BITS);

	if (hidden)
		atomic_fetch_or(word, bit);
	else
		atomic_fetch_and(word, ~bit);
}

bool compat_hidden(int fd)
{
	if (fd < 0 || fd >= HIGHEST)
		return false;
	return atomic_load_explicit(&numbers[fd / WORD_BITS], memory_order_relaxed) >>
		       (fd % WORD_BITS) &
	       1;
}

/* Where the first hidden descriptor goes. */
static int base(void)
{
	struct rlimit limit;
	int most = HIGHEST;

	if (!getrlimit(RLIMIT_NOFILE, &limit) && limit.rlim_cur < HIGHEST)
		most = limit.rlim_cur;
	return most / 4 * 3 > most - BELOW ? most / 4 * 3 : most - BELOW;
}

/* A copy at a high number, or where there is room. */
static int copy(int fd)
{
	int number = fcntl(fd, F_DUPFD_CLOEXEC, base());

	if (number < 0)
		number = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (number >= HIGHEST) {
		compat_close(number);
		number = compat_fail(EMFILE);
	}
	return number;
}

static int **place_of(int *where)
{
	int i;

	for (i = 0; i < MOST; i++)
		if (places[i] == where)
			return &places[i];
	return NULL;
}

int compat_hide_locked(int fd, int *where)
{
	int **place = place_of(NULL);
	int number = place ? copy(fd) : -1;

	compat_close(fd);
	__atomic_store_n(where, number, __ATOMIC_RELEASE);
	if (number < 0)
		return compat_fail(EMFILE);
	*place = where;
	mark(number, true);
	return number;
}

void compat_reveal_locked(int *where)
{
	int fd = *where;

	if (fd < 0)
		return;
	*place_of(where) = NULL;
	__atomic_store_n(where, -1, __ATOMIC_RELEASE);
	mark(fd, false);
	compat_close(fd);
}

int compat_hide(int fd, int *where)
{
	int number;

	compat_lock();
	number = compat_hide_locked(fd, where);
	compat_unlock();
	return number;
}

void compat_reveal(int *where)
{
	compat_lock();
	compat_reveal_locked(where);
	compat_unlock();
}

/* The program wants the number for itself. Returns false where there is no other. */
static bool make_way(int fd)
{
	bool moved = true;
	int i, number;

	compat_lock();
	for (i = 0; i < MOST; i++) {
		if (!places[i] || *places[i] != fd)
			continue;
		number = copy(fd);
		moved = number >= 0;
		if (!moved)
			break;
		mark(number, true);
		__atomic_store_n(places[i], number, __ATOMIC_RELEASE);
		/* Who has read the old number meanwhile finds the program's file: see handles.c. */
		mark(fd, false);
	}
	compat_unlock();
	return moved;
}

COMPAT_PUBLIC int close(int fd)
{
	if (compat_hidden(fd))
		return compat_fail(EBADF);
	mq_closed(fd, fd);
	return REAL(close)(fd);
}

COMPAT_PUBLIC int dup2(int from, int to)
{
	if (compat_hidden(from))
		return compat_fail(EBADF);
	if (compat_hidden(to) && !compat_borrowed() && !make_way(to))
		return compat_fail(EMFILE);
	mq_replaced(from, to);
	return REAL(dup2)(from, to);
}

COMPAT_PUBLIC int dup3(int from, int to, int flags)
{
	if (compat_hidden(from))
		return compat_fail(EBADF);
	if (compat_hidden(to) && from != to && !compat_borrowed() && !make_way(to))
		return compat_fail(EMFILE);
	mq_replaced(from, to);
	return REAL(dup3)(from, to, flags);
}

/* The next hidden number from @fd on, or HIGHEST. */
static unsigned int next_hidden(unsigned int fd)
{
	while (fd < HIGHEST && !compat_hidden(fd))
		fd++;
	return fd;
}

COMPAT_PUBLIC int close_range(unsigned int first, unsigned int last, int flags)
{
	unsigned int hidden;

	/* Ours are closed on exec anyway; and mistakes are for the kernel to find. */
	if ((flags & CLOSE_RANGE_CLOEXEC) || first > last)
		return REAL(close_range)(first, last, flags);

	mq_closed(first, last);
	for (; (hidden = next_hidden(first)) < HIGHEST && hidden <= last; first = hidden + 1) {
		if (first < hidden && REAL(close_range)(first, hidden - 1, flags))
			return -1;
		if (hidden == last)
			return 0;
	}
	return REAL(close_range)(first, last, flags);
}

COMPAT_PUBLIC void closefrom(int first)
{
	close_range(first < 0 ? 0 : first, UINT_MAX, 0);
}
