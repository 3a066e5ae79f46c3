// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Time, and the words for errors.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "internal.h"

#define NSEC_PER_SEC  1000000000ULL
#define NSEC_PER_MSEC 1000000ULL

static const struct {
	int error;
	const char *text;
} texts[] = {
	{ ENOTTY, "this descriptor does not know the call" },
	{ E2BIG, "the module is older than the program and does not know what it asks for" },
	{ EOPNOTSUPP, "a flag that the module does not know, or that does not belong here" },
	{ EINVAL, "a value is out of its range, or two exclude each other" },
	{ EFAULT, "a pointer to memory that cannot be read or written" },
	{ ENOENT, "there is no such mailbox" },
	{ EEXIST, "a mailbox of that name exists" },
	{ EACCES, "the handle lacks the right or was revoked, or the mode bits do not grant it" },
	{ EPERM, "only the owner may do that, or whom the policy of the mailbox lets" },
	{ EAGAIN, "nothing can be done without waiting" },
	{ ETIMEDOUT, "the time is over" },
	{ EINTR, "a signal came first" },
	{ EMSGSIZE, "the message is too long, or not of the one size the mailbox takes" },
	{ EBADMSG, "the other side of the lane has broken it" },
	{ EBADF, "a descriptor that is not open" },
	{ EDQUOT, "the quota of the user is used up" },
	{ ENOMEM, "there is not enough memory" },
	{ EMFILE, "the process has no free descriptor" },
	{ ENFILE, "the system has no free file" },
	{ EIDRM, "the mailbox was destroyed" },
	{ ESRCH, "there is no such process (any more), and no message of it" },
	{ ESTALE, "the lease or the call has ended, or is somebody else's" },
	{ EBUSY, "the mailbox has no room for another process" },
	{ EPIPE, "the other process of the pair has left, or nobody is left who could receive" },
	{ ENOBUFS, "cut off from the broadcast: this receiver was too slow" },
	{ EMLINK, "too many handles are derived one from another" },
	{ ECANCELED, "who had the request did not answer it" },
	{ ELOOP, "this descriptor may not travel in a message" },
};

const char *mailbox_strerror(int error)
{
	const char *text;
	size_t i;

	error = error < 0 ? -error : error;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (texts[i].error == error)
			return texts[i].text;
	}
	text = strerrordesc_np(error);
	return text ? text : "unknown error";
}

char *mailbox_error_text(int error, const char *what, char *text, size_t size)
{
	snprintf(text, size, "%s%s%s", what ? what : "", what ? ": " : "", mailbox_strerror(error));
	return text;
}

uint64_t mailbox_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

uint64_t mailbox_deadline_in(uint64_t nanoseconds)
{
	uint64_t now = mailbox_now();

	return nanoseconds > UINT64_MAX - now ? UINT64_MAX : now + nanoseconds;
}

uint64_t mailbox_deadline_in_ms(uint64_t milliseconds)
{
	if (milliseconds > UINT64_MAX / NSEC_PER_MSEC)
		return UINT64_MAX;
	return mailbox_deadline_in(milliseconds * NSEC_PER_MSEC);
}
