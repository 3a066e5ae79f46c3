/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How a process is told of a message: by a signal, or by a thread that is begun.
 */
#ifndef COMPAT_MQ_TELL_H
#define COMPAT_MQ_TELL_H

#include <pthread.h>
#include <signal.h>

/**
 * struct mq_news - what sigevent(7) asks for
 * @event: as it was given; the attributes of a thread are in @attributes
 * @attributes: of SIGEV_THREAD
 */
struct mq_news {
	struct sigevent event;
	pthread_attr_t attributes;
};

/* 0, or an errno. */
int mq_news_init(struct mq_news *news, const struct sigevent *event);
void mq_news_fini(struct mq_news *news);

/* Tells it of what is in the mailbox of a handle. */
void mq_tell(const struct mq_news *news, int handle);

#endif /* COMPAT_MQ_TELL_H */
