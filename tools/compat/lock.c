// SPDX-License-Identifier: LGPL-2.1-or-later
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "lock.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
/* Of the thread that has the lock. */
static sigset_t before;
static pid_t owner;

void compat_lock(void)
{
	sigset_t all, old;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pthread_mutex_lock(&mutex);
	before = old;
}

void compat_unlock(void)
{
	sigset_t old = before;

	pthread_mutex_unlock(&mutex);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

bool compat_borrowed(void)
{
	return owner && getpid() != owner;
}

static void unlock_child(void)
{
	owner = getpid();
	compat_unlock();
}

static void __attribute__((constructor)) begin(void)
{
	owner = getpid();
	pthread_atfork(compat_lock, compat_unlock, unlock_child);
}
