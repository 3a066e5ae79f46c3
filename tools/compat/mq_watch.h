/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who waits to be told of a message, for mq_notify(3).
 *
 * A *watch* is one registration of this process. It has a handle of its own, derived from the
 * descriptor: one that was inherited is shared with the parent, and the module knows one eventfd
 * for each handle. The module sees to it that there is one watch for a queue, in all processes, and
 * that it is told once. A thread waits for the eventfds of all watches and passes the news on; so
 * does who has just sent a message, so that it has the signal before mq_send() returns.
 */
#ifndef COMPAT_MQ_WATCH_H
#define COMPAT_MQ_WATCH_H

#include <linux/mailbox.h>
#include <signal.h>

#include "mq_tell.h"

/**
 * struct mq_watch - a registration of this process
 * @next: of the list
 * @box: id of the mailbox
 * @handle: where it is registered
 * @eventfd: what is signalled
 * @news: what is to be done then
 */
struct mq_watch {
	struct mq_watch *next;
	__u64 box;
	int handle;
	int eventfd;
	struct mq_news news;
};

/* Begins a watch on the queue of a descriptor, as mq_stat() has found it: 0, or an errno. */
int mq_watch_begin(int fd, const struct mailbox_stat *stat, const struct sigevent *event);

/* Ends that of this process on a mailbox, if there is one. */
void mq_watch_end(__u64 box);

/* A descriptor is about to be closed, which ends the watch on its queue. */
void mq_watch_closed(int fd);

extern unsigned int mq_watches;
void mq_watch_look_now(void);

/* Pass on what there is to tell. */
static inline void mq_watch_look(void)
{
	if (__builtin_expect(__atomic_load_n(&mq_watches, __ATOMIC_RELAXED), 0))
		mq_watch_look_now();
}

#endif /* COMPAT_MQ_WATCH_H */
