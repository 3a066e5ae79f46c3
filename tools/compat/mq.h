/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * POSIX message queues.
 *
 * The queue /NAME is the mailbox mq.NAME: permanent, bounded, and a sender that waits is let in as
 * soon as there is room for it. A descriptor (mqd_t) is a handle, and nothing but that: it may be
 * inherited, passed on, duplicated and polled, and nobody has to be told. So there is no table of
 * open queues. Why a call is refused is found out when the module has refused it, at leisure.
 *
 * Only one thing has to be known before: the longest message of a queue, since a buffer that is
 * shorter is refused whatever message is there. It is remembered by descriptor, and forgotten when
 * the program closes that. A program that closes it behind our back, and gets another queue under
 * the same number otherwise than by mq_open(), may receive a message into a buffer that is long
 * enough for this one, but not for every one of that queue. A refusal is never from memory.
 */
#ifndef COMPAT_MQ_H
#define COMPAT_MQ_H

#include <linux/mailbox.h>
#include <mqueue.h>
#include <stdbool.h>
#include <stddef.h>

/* The name of the mailbox for that of a queue: 0, or the errno of mq_open(3) and mq_unlink(3). */
int mq_box_name(const char *name, char box[MAILBOX_NAME_SIZE]);

/* STAT of a descriptor, the longest message remembered: 0, or an errno. EBADF: not a queue. */
int mq_stat(mqd_t fd, struct mailbox_stat *stat);

/*
 * What errno says when a send or receive through @fd, for which one needs @right, was refused with
 * @error: who may not do it at all is told that first.
 */
int mq_reason(mqd_t fd, __u32 right, int error);

/* Descriptors from @first to @last are closed, or are about to be: see descriptor.c. */
void mq_closed(unsigned int first, unsigned int last);

/* The same of @to by dup2(2), if there is a descriptor @from. */
void mq_replaced(int from, int to);

/* Longest message by descriptor, 0: unknown. Those of larger numbers are asked for each time. */
#define MQ_SIZES 65536
extern __u32 mq_sizes[MQ_SIZES];

void mq_remember(mqd_t fd, __u32 size);

/* What read(2) of a new descriptor shows begins at its beginning. */
void mq_file_begins(int fd);

/* Is so much room known to be enough for every message. */
static inline bool mq_known_to_fit(mqd_t fd, size_t room)
{
	__u32 size;

	if ((unsigned int)fd >= MQ_SIZES)
		return false;
	size = __atomic_load_n(&mq_sizes[fd], __ATOMIC_RELAXED);
	return size && room >= size;
}

/*
 * Linux knows calls without a deadline, or without attributes, of which the header says that they
 * are always there: the compiler believes it.
 */
static inline bool mq_is_null(const void *pointer)
{
	__asm__("" : "+r"(pointer));
	return !pointer;
}

#endif /* COMPAT_MQ_H */
