/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SELFTESTS_WORLD_H
#define SELFTESTS_WORLD_H

#include "common.h"

/*
 * What tests with several users, namespaces and limits share. The quota of a user is
 * one for the whole machine, so these tests use ids that nobody else has.
 */

#define PARAMETERS "/sys/module/mailbox/parameters/"

static inline int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

static inline uint64_t read_number(const char *path)
{
	unsigned long long value = 0;
	FILE *file = fopen(path, "r");

	ASSERT_TRUE(file) TH_LOG("%s: %s", path, strerror(errno));
	ASSERT_EQ(1, fscanf(file, "%llu", &value));
	fclose(file);
	return value;
}

static inline uint64_t parameter_get(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), PARAMETERS "%s", name);
	return read_number(path);
}

/* Returns what the parameter was. */
static inline uint64_t parameter_set(const char *name, uint64_t value)
{
	uint64_t old = parameter_get(name);
	char path[128], text[32];

	snprintf(path, sizeof(path), PARAMETERS "%s", name);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	ASSERT_EQ(0, write_text(path, text));
	return old;
}

/* Map @nr ids from @outside on to @inside and on, in a user namespace of one process. */
static inline void map_ids(pid_t pid, unsigned int inside, unsigned int outside, unsigned int nr)
{
	char path[64], text[64];

	snprintf(text, sizeof(text), "%u %u %u", inside, outside, nr);
	snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
	ASSERT_EQ(0, write_text(path, text));
	snprintf(path, sizeof(path), "/proc/%d/gid_map", pid);
	ASSERT_EQ(0, write_text(path, text));
}

/* The quota that the caller uses now. */
struct usage {
	uint64_t mailboxes;
	uint64_t messages;
	uint64_t bytes;
};

static inline struct usage usage_of_caller(int device)
{
	struct mailbox_info info = device_info(device);

	return (struct usage){ info.mailboxes, info.messages, info.bytes };
}

#define EXPECT_USAGE(device, before) \
	do { \
		struct usage after_ = usage_of_caller(device); \
\
		EXPECT_EQ((before).mailboxes, after_.mailboxes); \
		EXPECT_EQ((before).messages, after_.messages); \
		EXPECT_EQ((before).bytes, after_.bytes); \
	} while (0)

/* For what the kernel gives back some time later, such as what a namespace held. */
static inline void await_usage(int device, struct usage before)
{
	__u64 end = now_ns() + PATIENCE;

	for (;;) {
		struct usage now = usage_of_caller(device);

		if (now.mailboxes == before.mailboxes && now.messages == before.messages &&
		    now.bytes == before.bytes)
			return;
		ASSERT_LT(now_ns(), end)
		TH_LOG("%llu mailboxes, %llu messages, %llu bytes; were %llu, %llu, %llu",
		       (unsigned long long)now.mailboxes, (unsigned long long)now.messages,
		       (unsigned long long)now.bytes, (unsigned long long)before.mailboxes,
		       (unsigned long long)before.messages, (unsigned long long)before.bytes);
		sched_yield();
	}
}

/* Run a part of a test in a process of its own as a user without capabilities. */
#define AS_USER(id, ...) \
	do { \
		pid_t child_ = child_fork(); \
\
		if (!child_) { \
			become(id, id); \
			/* Or /proc/self would belong to root. */ \
			prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); \
			__VA_ARGS__; \
			_exit(KSFT_PASS); \
		} \
		child_done(child_); \
	} while (0)

#endif /* SELFTESTS_WORLD_H */
