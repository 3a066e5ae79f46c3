// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "descriptor.h"
#include "lock.h"
#include "mq.h"
#include "mq_watch.h"
#include "real.h"

/* How many there are; read without the lock by those who only want to know if there are any. */
unsigned int mq_watches;

/* Guarded by the lock of the library. */
static struct mq_watch *first;
static bool thread_runs;
/* What the thread waits on; -1 while there is none. */
static int events = -1;
/* Whose all that is. */
static pid_t owner;

/* Takes a watch out that the module knows no more of. */
static void drop_locked(struct mq_watch **link)
{
	struct mq_watch *watch = *link;

	*link = watch->next;
	__atomic_store_n(&mq_watches, mq_watches - 1, __ATOMIC_RELAXED);
	compat_reveal_locked(&watch->handle);
	compat_reveal_locked(&watch->eventfd);
	mq_news_fini(&watch->news);
	free(watch);
}

/* A child that has not left our descriptors alone yet must not keep it up. */
static void end_locked(struct mq_watch **link)
{
	struct mailbox_notify end = { .size = sizeof(end) };
	struct mq_watch *watch = *link;

	ioctl(watch->handle, MAILBOX_IOC_NOTIFY, &end);
	epoll_ctl(events, EPOLL_CTL_DEL, watch->eventfd, NULL);
	drop_locked(link);
}

static struct mq_watch **find_locked(__u64 box)
{
	struct mq_watch **link;

	for (link = &first; *link; link = &(*link)->next)
		if ((*link)->box == box)
			return link;
	return NULL;
}

/*
 * What a child finds of its parent is none of its own. It goes on for the parent, so it is not
 * ended, but closed here.
 */
static void settle_locked(void)
{
	if (owner == getpid())
		return;
	owner = getpid();
	while (first)
		drop_locked(&first);
	compat_reveal_locked(&events);
	thread_runs = false;
}

static void look_locked(void)
{
	struct mq_watch **link = &first;
	uint64_t times;

	settle_locked();
	while (*link) {
		struct mq_watch *watch = *link;

		/* Not read(2), in which a thread may be cancelled. */
		if (syscall(SYS_read, watch->eventfd, &times, sizeof(times)) != sizeof(times)) {
			link = &watch->next;
			continue;
		}
		mq_tell(&watch->news, watch->handle);
		end_locked(link);
	}
}

/* A signal that was queued is handled when the lock is free: the handler may use queues. */
void mq_watch_look_now(void)
{
	int error = errno;

	if (compat_borrowed())
		return;
	compat_lock();
	look_locked();
	compat_unlock();
	errno = error;
}

static void *watch_all(void *unused)
{
	struct epoll_event event;

	/* All signals are blocked: it was begun with the lock held. */
	while (epoll_wait(__atomic_load_n(&events, __ATOMIC_RELAXED), &event, 1, -1) >= 0 ||
	       errno == EINTR)
		mq_watch_look_now();
	return unused;
}

static int begin_thread_locked(void)
{
	pthread_attr_t attributes;
	pthread_t thread;
	int error;

	if (events < 0) {
		int fd = epoll_create1(EPOLL_CLOEXEC);

		if (fd < 0 || compat_hide_locked(fd, &events) < 0)
			return ENOMEM;
	}
	if (thread_runs)
		return 0;
	error = pthread_attr_init(&attributes);
	if (error)
		return error;
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, 4 * PTHREAD_STACK_MIN);
	error = pthread_create(&thread, &attributes, watch_all, NULL);
	pthread_attr_destroy(&attributes);
	if (error)
		return ENOMEM;
	pthread_setname_np(thread, "mq_notify");
	thread_runs = true;
	return 0;
}

/* A handle with one of the rights of another: what it may do does not matter, but to look. */
static int derive_locked(int fd, __u32 rights, int *handle)
{
	struct mailbox_restrict args = {
		.size = sizeof(args),
		.rights = rights & MAILBOX_RIGHT_RECEIVE ? MAILBOX_RIGHT_RECEIVE : rights,
	};

	if (ioctl(fd, MAILBOX_IOC_RESTRICT, &args))
		return -1;
	return compat_hide_locked(args.fd, handle);
}

static int make_eventfd_locked(int *where)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	return fd < 0 ? -1 : compat_hide_locked(fd, where);
}

/* Those of the last step that can fail are what it is about; before it, memory was short. */
static int begin_locked(struct mq_watch *watch, int fd, const struct mailbox_stat *stat)
{
	struct epoll_event event = { .events = EPOLLIN };
	struct mailbox_notify args = {
		.size = sizeof(args),
		.flags = MAILBOX_NOTIFY_ONCE | MAILBOX_NOTIFY_EXCLUSIVE,
		.events = MAILBOX_EVENT_FIRST,
	};
	int error = begin_thread_locked();

	if (error)
		return error;
	if (derive_locked(fd, stat->rights, &watch->handle) < 0 ||
	    make_eventfd_locked(&watch->eventfd) < 0 ||
	    epoll_ctl(events, EPOLL_CTL_ADD, watch->eventfd, &event))
		return ENOMEM;
	args.eventfd = watch->eventfd;
	if (!ioctl(watch->handle, MAILBOX_IOC_NOTIFY, &args))
		return 0;
	error = errno;
	epoll_ctl(events, EPOLL_CTL_DEL, watch->eventfd, NULL);
	return error;
}

static void forget(void)
{
	compat_lock();
	settle_locked();
	compat_unlock();
}

/* After that of the lock, which is free again when ours is called. */
static void mind_forks(void)
{
	pthread_atfork(NULL, NULL, forget);
}

int mq_watch_begin(int fd, const struct mailbox_stat *stat, const struct sigevent *event)
{
	struct mq_watch *watch = malloc(sizeof(*watch));
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	int error;

	if (!watch)
		return ENOMEM;
	pthread_once(&once, mind_forks);
	watch->box = stat->id;
	watch->handle = -1;
	watch->eventfd = -1;
	error = mq_news_init(&watch->news, event);
	if (error) {
		free(watch);
		return error;
	}

	compat_lock();
	/* One that has ended is no hindrance. */
	look_locked();
	watch->next = first;
	first = watch;
	__atomic_store_n(&mq_watches, mq_watches + 1, __ATOMIC_RELAXED);
	error = begin_locked(watch, fd, stat);
	if (error)
		drop_locked(&first);
	compat_unlock();
	return error;
}

void mq_watch_end(__u64 box)
{
	struct mq_watch **link;

	compat_lock();
	look_locked();
	link = find_locked(box);
	if (link)
		end_locked(link);
	compat_unlock();
}

void mq_watch_closed(int fd)
{
	struct mailbox_stat stat;
	int error = errno;

	/* The child of a vfork() closes its own descriptors, and has nobody else's watches. */
	if (!__atomic_load_n(&mq_watches, __ATOMIC_RELAXED) || compat_borrowed())
		return;
	if (!mq_stat(fd, &stat))
		mq_watch_end(stat.id);
	errno = error;
}
