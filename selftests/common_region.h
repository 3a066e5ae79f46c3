/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For tests of shared pages.
 */
#ifndef SELFTESTS_COMMON_REGION_H
#define SELFTESTS_COMMON_REGION_H

#include "common.h"

#include <sys/mman.h>

#define READ_ONLY  PROT_READ
#define READ_WRITE (PROT_READ | PROT_WRITE)

static inline size_t page_size(void)
{
	return sysconf(_SC_PAGESIZE);
}

static inline int region_create(int device, struct mailbox_create *args, __u64 size)
{
	args->region_size = size;
	return box_create(device, args);
}

/* A handle with all rights of a new mailbox that has so many shared bytes. */
static inline int region_new(int device, __u64 size)
{
	struct mailbox_create args = create_args();
	int fd = region_create(device, &args, size);

	ASSERT_LE(0, fd);
	return fd;
}

static inline int region_set(int fd, __u64 size)
{
	struct mailbox_set args = {
		.size = sizeof(args),
		.flags = MAILBOX_SET_REGION_SIZE,
		.region_size = size,
	};

	return call(fd, MAILBOX_IOC_SET, &args);
}

static inline int region_try(int fd, size_t offset, size_t length, int protection, int flags,
			     char **start)
{
	*start = mmap(NULL, length, protection, flags, fd, offset);
	return *start == MAP_FAILED ? -errno : 0;
}

/* What mmap says, and nothing stays mapped. */
static inline int region_error(int fd, size_t offset, size_t length, int protection, int flags)
{
	char *start;
	int ret = region_try(fd, offset, length, protection, flags, &start);

	if (!ret)
		munmap(start, length);
	return ret;
}

static inline char *region_map(int fd, size_t offset, size_t length, int protection)
{
	char *start;

	ASSERT_EQ(0, region_try(fd, offset, length, protection, MAP_SHARED, &start));
	return start;
}

static inline bool is_mapped(char *start)
{
	return !msync(start, page_size(), MS_ASYNC);
}

static inline bool is_all(const char *start, char value, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (start[i] != value)
			return false;
	return true;
}

/* The signal that a process dies of which touches the byte, or 0. */
static inline int signal_of(volatile char *byte, bool write)
{
	int status = -1;
	pid_t pid = child_fork();

	if (!pid) {
		/* No report: it is meant to happen. */
		signal(SIGBUS, SIG_DFL);
		signal(SIGSEGV, SIG_DFL);
		if (write)
			*byte = 1;
		else
			(void)*byte;
		_exit(KSFT_PASS);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

#endif /* SELFTESTS_COMMON_REGION_H */
