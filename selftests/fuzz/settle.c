// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <linux/mailbox.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "settle.h"
#include "values.h"
#include "worker.h"

/* What a process or a namespace has that has ended goes in the background, and has this long. */
#define GRACE_NS (20 * 1000000000ULL)

static const char *const parameters[LIMITS] = {
	"max_mailboxes_per_user",
	"max_messages_per_user",
	"max_bytes_per_user",
	"max_message_size",
};

static char limits[LIMITS][32];
static bool limits_changed;

/* The users that the workers are. */
static const uid_t users[] = { 0, UID_PLAIN, UID_NAMESPACE };

#define USERS (sizeof(users) / sizeof(users[0]))

/* What has leaked in earlier inputs is not this one's fault. */
static struct mailbox_info leaked[USERS];

void settle_init(void)
{
	char path[96];
	ssize_t length;
	int fd, i;

	for (i = 0; i < LIMITS; i++) {
		snprintf(path, sizeof(path), "/sys/module/mailbox/parameters/%s", parameters[i]);
		fd = open(path, O_RDWR | O_CLOEXEC);
		length = fd < 0 ? -1 : read(fd, limits[i], sizeof(limits[i]) - 1);
		if (length <= 0 || dup3(fd, FD_LIMITS + i, O_CLOEXEC) < 0)
			die("%s: %s", path, strerror(errno));
		close(fd);
	}
}

static void set_limit(unsigned int which, const char *text)
{
	if (pwrite(FD_LIMITS + which, text, strlen(text), 0) < 0 && errno != EINVAL &&
	    errno != ERANGE)
		die("%s: %s", parameters[which], strerror(errno));
}

void settle_limit(unsigned int which, __u64 value)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu", value);
	set_limit(which, text);
	limits_changed = true;
}

/* Mailboxes that are permanent are still there. */
static void destroy_all(int device)
{
	struct mailbox_stat entries[16];
	struct mailbox_list list = {
		.size = sizeof(list),
		.entries = (__u64)entries,
		.entry_size = sizeof(entries[0]),
	};
	struct mailbox_destroy destroy = { .size = sizeof(destroy) };
	unsigned int i;

	do {
		list.nr = 16;
		list.after = 0;
		if (ioctl(device, MAILBOX_IOC_LIST, &list)) {
			fail("LIST at the end: %s", strerror(errno));
			return;
		}
		for (i = 0; i < list.nr; i++) {
			destroy.id = entries[i].id;
			if (!(entries[i].flags & MAILBOX_PERMANENT))
				fail("a temporary mailbox is there without handles");
			if (ioctl(device, MAILBOX_IOC_DESTROY, &destroy))
				fail("DESTROY at the end: %s", strerror(errno));
		}
	} while (list.nr && !shared->failed);
}

/* Plain system calls: only this task changes, and soon changes back. */
static bool is_charged(unsigned int user, struct mailbox_info *info)
{
	int ret;

	*info = (struct mailbox_info){ .size = sizeof(*info) };
	syscall(SYS_setresuid, -1, users[user], -1);
	ret = ioctl(FD_DEVICE, MAILBOX_IOC_INFO, info);
	syscall(SYS_setresuid, -1, 0, -1);
	if (ret)
		fail("INFO at the end: %s", strerror(errno));
	return info->mailboxes != leaked[user].mailboxes ||
	       info->messages != leaked[user].messages || info->bytes != leaked[user].bytes;
}

static void check_quota(unsigned int user)
{
	const struct timespec millisecond = { .tv_nsec = 1000000 };
	__u64 begun = now_ns();
	struct mailbox_info info;
	unsigned int tries = 0;

	while (is_charged(user, &info)) {
		if (now_ns() > begun + GRACE_NS) {
			fail("user %d is charged for %llu mailboxes, %llu messages, %llu bytes",
			     users[user], info.mailboxes, info.messages, info.bytes);
			leaked[user] = info;
			return;
		}
		/* Mostly it is done as soon as somebody else may run. */
		if (++tries < 64)
			sched_yield();
		else
			nanosleep(&millisecond, NULL);
	}
}

void settle_all(void)
{
	unsigned int i;

	passed_drain();
	close_range(FIRST_FD, ~0U, 0);
	for (i = 0; limits_changed && i < LIMITS; i++)
		set_limit(i, limits[i]);
	limits_changed = false;
	destroy_all(FD_DEVICE);
	destroy_all(FD_DEVICE + WORKER_NAMESPACE);
	for (i = 0; i < USERS; i++)
		check_quota(i);
}
