/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of the mailbox device share: calls on the raw interface, arguments
 * that are valid unless a test spoils them, and the comparison "nothing has changed".
 * The calls return a negative errno, so that a check shows which.
 */
#ifndef SELFTESTS_COMMON_H
#define SELFTESTS_COMMON_H

#include "kselftest_harness.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/mailbox.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>

#define DEVICE	      "/dev/mailbox"
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define RIGHTS_ALL    (MAILBOX_RIGHT_SEND | MAILBOX_RIGHT_RECEIVE | MAILBOX_RIGHT_MANAGE)
#define SECOND	      1000000000ULL

/* No call writes this by chance, and no valid descriptor, id or errno looks like it. */
#define POISON_BYTE 0xa5
#define POISON32    0xa5a5a5a5U
#define POISON64    0xa5a5a5a5a5a5a5a5ULL

static inline void poison(void *data, size_t size)
{
	memset(data, POISON_BYTE, size);
}

static inline bool is_poison(const void *data, size_t size)
{
	const unsigned char *bytes = data;
	size_t i;

	for (i = 0; i < size; i++)
		if (bytes[i] != POISON_BYTE)
			return false;
	return true;
}

static inline __u64 user_pointer(const void *pointer)
{
	return (uintptr_t)pointer;
}

static inline __u64 now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * SECOND + now.tv_nsec;
}

/* Until that is over, as the module sees it too. */
static inline void pass_time(__u64 time)
{
	while (now_ns() <= time)
		sched_yield();
}

/* Far enough for any machine; whoever waits so long has failed. */
static inline __u64 far_future(void)
{
	return now_ns() + 3600 * SECOND;
}

static inline int call(int fd, unsigned long command, void *argument)
{
	int ret = ioctl(fd, command, argument);

	return ret < 0 ? -errno : ret;
}

/*
 * So often, or MAILBOX_EFFORT percent of it: kernels that look for faults are slow, and
 * a long run does more. At least once.
 */
static inline __u64 effort(__u64 times)
{
	const char *percent = getenv("MAILBOX_EFFORT");
	__u64 some = percent && *percent ? times * strtoull(percent, NULL, 0) / 100 : times;

	return some ? some : 1;
}

/* On the device */

static inline int device_open(void)
{
	int fd = open(DEVICE, O_RDWR | O_CLOEXEC);

	ASSERT_LE(0, fd) TH_LOG("%s: %s", DEVICE, strerror(errno));
	return fd;
}

static inline struct mailbox_info device_info(int device)
{
	struct mailbox_info info;

	poison(&info, sizeof(info));
	info.size = sizeof(info);
	info.flags = 0;
	ASSERT_EQ(0, call(device, MAILBOX_IOC_INFO, &info));
	return info;
}

/* A temporary bounded mailbox of the owner that waits when full, with all rights. */
static inline struct mailbox_create create_args(void)
{
	return (struct mailbox_create){
		.size = sizeof(struct mailbox_create),
		.rights = RIGHTS_ALL,
		.mode = 0600,
		.fd = (__s32)POISON32,
		.id = POISON64,
	};
}

static inline int box_create(int device, struct mailbox_create *args)
{
	int ret = call(device, MAILBOX_IOC_CREATE, args);

	return ret < 0 ? ret : args->fd;
}

/* A handle of a new mailbox, or the end of the test. */
static inline int box_new(int device)
{
	struct mailbox_create args = create_args();
	int fd = box_create(device, &args);

	ASSERT_LE(0, fd);
	return fd;
}

static inline int box_new_limited(int device, __u32 on_full, __u64 messages)
{
	struct mailbox_create args = create_args();
	int fd;

	args.on_full = on_full;
	args.max_messages = messages;
	fd = box_create(device, &args);
	ASSERT_LE(0, fd);
	return fd;
}

static inline int box_new_capacity(int device, __u32 capacity)
{
	struct mailbox_create args = create_args();
	int fd;

	args.capacity = capacity;
	fd = box_create(device, &args);
	ASSERT_LE(0, fd);
	return fd;
}

static inline int box_new_policy(int device, __u32 policy)
{
	struct mailbox_create args = create_args();
	int fd;

	args.policy = policy;
	fd = box_create(device, &args);
	ASSERT_LE(0, fd);
	return fd;
}

static inline int box_open(int device, __u64 id, const char *name, __u32 rights)
{
	struct mailbox_open args = {
		.size = sizeof(args), .rights = rights, .fd = (__s32)POISON32, .id = id
	};
	int ret;

	if (name)
		snprintf(args.name, sizeof(args.name), "%s", name);
	ret = call(device, MAILBOX_IOC_OPEN, &args);
	return ret < 0 ? ret : args.fd;
}

/* On a handle with id 0 and no name, else on the device. */
static inline int box_destroy(int fd, __u64 id, const char *name)
{
	struct mailbox_destroy args = { .size = sizeof(args), .id = id };

	if (name)
		snprintf(args.name, sizeof(args.name), "%s", name);
	return call(fd, MAILBOX_IOC_DESTROY, &args);
}

/* One step of a walk: the number of entries, or a negative errno. */
static inline int box_list(int device, struct mailbox_stat *entries, __u32 nr, __u64 *after)
{
	struct mailbox_list args = {
		.size = sizeof(args),
		.entries = user_pointer(entries),
		.entry_size = sizeof(*entries),
		.nr = nr,
		.after = *after,
	};
	int ret = call(device, MAILBOX_IOC_LIST, &args);

	if (ret < 0)
		return ret;
	*after = args.after;
	return args.nr;
}

/* On a handle */

static inline int box_stat_try(int fd, struct mailbox_stat *stat)
{
	poison(stat, sizeof(*stat));
	stat->size = sizeof(*stat);
	stat->flags = 0;
	return call(fd, MAILBOX_IOC_STAT, stat);
}

static inline struct mailbox_stat box_stat(int fd)
{
	struct mailbox_stat stat;

	ASSERT_EQ(0, box_stat_try(fd, &stat));
	EXPECT_EQ(stat.sent, stat.received + stat.expired + stat.overwritten + stat.dead +
				     stat.dropped + stat.messages);
	EXPECT_LE(stat.leased + stat.promised, stat.messages);
	EXPECT_LE(stat.subscribers, stat.handles);
	return stat;
}

/* A nonblocking send of type 0 and priority 0; sequence is poisoned. */
static inline struct mailbox_send send_args(const void *data, size_t length)
{
	return (struct mailbox_send){
		.size = sizeof(struct mailbox_send),
		.flags = MAILBOX_NONBLOCK,
		.data = user_pointer(data),
		.length = length,
		.sequence = POISON64,
	};
}

static inline int box_send(int fd, struct mailbox_send *args)
{
	return call(fd, MAILBOX_IOC_SEND, args);
}

/* Sends what expires soon; a machine too slow for that tries again, with more time. */
static inline int box_send_soon_expired(int fd, struct mailbox_send *args)
{
	__u64 delay;
	int ret;

	args->flags |= MAILBOX_EXPIRES;
	for (delay = SECOND / 50;; delay *= 2) {
		args->expiry = now_ns() + delay;
		ret = box_send(fd, args);
		if (ret != -ETIMEDOUT || delay > 60 * SECOND)
			return ret;
	}
}

static inline int box_send_data(int fd, const void *data, size_t length)
{
	struct mailbox_send args = send_args(data, length);

	return box_send(fd, &args);
}

static inline int box_send_text(int fd, const char *text, __u64 type, __u32 priority)
{
	struct mailbox_send args = send_args(text, strlen(text));

	args.type = type;
	args.priority = priority;
	return box_send(fd, &args);
}

/* A nonblocking receive of the first message; what it returns is poisoned. */
static inline struct mailbox_receive receive_args(void *data, size_t room)
{
	struct mailbox_receive args;

	poison(&args, sizeof(args));
	args.size = sizeof(args);
	args.flags = MAILBOX_NONBLOCK;
	args.data = user_pointer(data);
	args.room = room;
	args.select = MAILBOX_SELECT_FIRST;
	args.match = 0;
	args.deadline = 0;
	return args;
}

static inline int box_receive(int fd, struct mailbox_receive *args)
{
	return call(fd, MAILBOX_IOC_RECEIVE, args);
}

/* The first message, with a NUL behind it: its length, or a negative errno. */
static inline int box_receive_text(int fd, char *text, size_t size)
{
	struct mailbox_receive args = receive_args(text, size - 1);
	int ret = box_receive(fd, &args);

	text[ret < 0 ? 0 : args.length] = '\0';
	return ret < 0 ? ret : (int)args.length;
}

/* As many as are there without waiting: how many, or a negative errno. */
static inline int box_batch(int fd, unsigned long command, void *entries, size_t entry_size,
			    __u32 nr)
{
	struct mailbox_batch args = {
		.size = sizeof(args),
		.flags = MAILBOX_NONBLOCK,
		.entries = user_pointer(entries),
		.entry_size = entry_size,
		.nr = nr,
		.done = POISON32,
		.error = (__s32)POISON32,
	};
	int ret = call(fd, command, &args);

	return ret < 0 ? ret : (int)args.done;
}

static inline short poll_now(int fd, short events)
{
	struct pollfd entry = { .fd = fd, .events = events };

	ASSERT_LE(0, poll(&entry, 1, 0));
	return entry.revents;
}

#include "common_lease.h"
#include "common_process.h"
#include "common_state.h"

#endif /* SELFTESTS_COMMON_H */
