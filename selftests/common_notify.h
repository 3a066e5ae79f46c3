/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For tests of NOTIFY: eventfds that are told.
 */
#ifndef SELFTESTS_COMMON_NOTIFY_H
#define SELFTESTS_COMMON_NOTIFY_H

#include "common.h"

#include <sys/eventfd.h>

/* Those of a mailbox but FIRST; one more is for the device only. */
#define EVENTS	   7
#define EVENTS_ALL ((1 << EVENTS) - 1)

static inline int eventfd_new(void)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	ASSERT_LE(0, fd);
	return fd;
}

static inline int box_notify_so(int fd, __u32 flags, __u32 events, int eventfd)
{
	struct mailbox_notify args = {
		.size = sizeof(args), .flags = flags, .events = events, .eventfd = eventfd
	};

	return call(fd, MAILBOX_IOC_NOTIFY, &args);
}

static inline int box_notify_try(int fd, __u32 events, int eventfd)
{
	return box_notify_so(fd, 0, events, eventfd);
}

static inline void box_notify(int fd, __u32 events, int eventfd)
{
	ASSERT_EQ(0, box_notify_try(fd, events, eventfd));
}

/* How often it was told since it was last asked; several events may count once. */
static inline __u64 told(int eventfd)
{
	__u64 times = 0;

	if (read(eventfd, &times, sizeof(times)) < 0)
		ASSERT_EQ(EAGAIN, errno);
	return times;
}

static inline void wait_told(int eventfd)
{
	struct pollfd entry = { .fd = eventfd, .events = POLLIN };

	ASSERT_EQ(1, poll(&entry, 1, PATIENCE / 1000000));
	ASSERT_EQ(POLLIN, entry.revents);
}

/* One eventfd for each event, on handles that count as neither receiver nor sender. */
struct ears {
	int handle[EVENTS];
	int eventfd[EVENTS];
};

/* What is heard now; all of it is forgotten. */
static inline __u32 heard(const struct ears *ears)
{
	__u32 events = 0;
	int i;

	for (i = 0; i < EVENTS; i++)
		events |= told(ears->eventfd[i]) ? 1 << i : 0;
	return events;
}

static inline struct ears ears_open(int device, int fd)
{
	__u64 id = box_stat(fd).id;
	struct ears ears;
	int i;

	for (i = 0; i < EVENTS; i++) {
		ears.eventfd[i] = eventfd_new();
		ears.handle[i] = box_open(device, id, NULL, MAILBOX_RIGHT_MANAGE);
		ASSERT_LE(0, ears.handle[i]);
		box_notify(ears.handle[i], 1 << i, ears.eventfd[i]);
	}
	return ears;
}

static inline void ears_close(const struct ears *ears)
{
	int i;

	for (i = 0; i < EVENTS; i++) {
		close(ears->handle[i]);
		close(ears->eventfd[i]);
	}
}

#endif /* SELFTESTS_COMMON_NOTIFY_H */
