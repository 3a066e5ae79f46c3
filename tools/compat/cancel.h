/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Cancellation points: ioctl(2) is none, msgrcv(2) and mq_receive(3) are. Around the ioctl a thread
 * may be cancelled at any moment, as the C library has it around its own system calls.
 */
#ifndef COMPAT_CANCEL_H
#define COMPAT_CANCEL_H

#include <pthread.h>

/* A request that came before is acted upon now. */
static inline int cancel_begin(void)
{
	int type;

	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &type);
	return type;
}

/* Leaves errno alone. */
static inline void cancel_end(int type)
{
	pthread_setcanceltype(type, &type);
}

#endif /* COMPAT_CANCEL_H */
