/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Part of common.h: what "unchanged" means, and memory that faults.
 */
#ifndef SELFTESTS_COMMON_STATE_H
#define SELFTESTS_COMMON_STATE_H

/* What a failed call must not have touched. */
struct state {
	struct mailbox_stat stat;
	__u64 mailboxes;
	unsigned int descriptors;
	int free_descriptor;
	unsigned int listed;
	struct mailbox_stat list[16];
};

static inline unsigned int count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int nr = 0;

	ASSERT_TRUE(dir);
	while (readdir(dir))
		nr++;
	closedir(dir);
	return nr;
}

/* One that was reserved and forgotten shows only as a number that is not given out. */
static inline int next_descriptor(int fd)
{
	int next = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	ASSERT_LE(0, next);
	close(next);
	return next;
}

/* fd is a handle, or -1 when there is no mailbox yet. */
static inline struct state state_take(int device, int fd)
{
	struct state state;
	__u64 after = 0;
	int nr;

	memset(&state, 0, sizeof(state));
	if (fd >= 0)
		state.stat = box_stat(fd);
	state.mailboxes = device_info(device).mailboxes;
	state.descriptors = count_descriptors();
	state.free_descriptor = next_descriptor(device);
	nr = box_list(device, state.list, ARRAY_SIZE(state.list), &after);
	ASSERT_LE(0, nr);
	state.listed = nr;
	return state;
}

static inline bool state_same(const struct state *a, const struct state *b)
{
	if (!memcmp(a, b, sizeof(*a)))
		return true;
	th_say("# messages %llu -> %llu, bytes %llu -> %llu, sent %llu -> %llu", a->stat.messages,
	       b->stat.messages, a->stat.bytes, b->stat.bytes, a->stat.sent, b->stat.sent);
	th_say("# received %llu -> %llu, waiting %u+%u -> %u+%u, handles %u -> %u",
	       a->stat.received, b->stat.received, a->stat.receivers, a->stat.senders,
	       b->stat.receivers, b->stat.senders, a->stat.handles, b->stat.handles);
	th_say("# mailboxes %llu -> %llu, listed %u -> %u, descriptors %u, %d -> %u, %d",
	       a->mailboxes, b->mailboxes, a->listed, b->listed, a->descriptors, a->free_descriptor,
	       b->descriptors, b->free_descriptor);
	return false;
}

#define EXPECT_UNCHANGED(device, fd, before) \
	do { \
		struct state after_ = state_take((device), (fd)); \
\
		EXPECT_TRUE(state_same(&(before), &after_)); \
	} while (0)

/* The call must fail with that errno and change nothing. */
#define EXPECT_REFUSED(device, fd, error, call) \
	do { \
		struct state before_ = state_take((device), (fd)); \
\
		th_check_op(false, TH_EQ, -(error), call, "-" #error, #call); \
		EXPECT_UNCHANGED((device), (fd), before_); \
	} while (0)

static inline size_t page_round(size_t size)
{
	size_t page = sysconf(_SC_PAGESIZE);

	return (size + page - 1) / page * page;
}

/* Memory of that size that ends where a page without access begins. */
static inline void *edge_new(size_t size)
{
	size_t page = sysconf(_SC_PAGESIZE), whole = page_round(size ? size : 1);
	char *start = mmap(NULL, whole + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			   -1, 0);

	ASSERT_TRUE(start != MAP_FAILED);
	ASSERT_EQ(0, mprotect(start + whole, page, PROT_NONE));
	return start + whole - size;
}

/* A copy of that data that can only be read. */
static inline void *readonly_new(const void *data, size_t size)
{
	size_t whole = page_round(size ? size : 1);
	char *start = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_TRUE(start != MAP_FAILED);
	if (data)
		memcpy(start, data, size);
	ASSERT_EQ(0, mprotect(start, whole, PROT_READ));
	return start;
}

/*
 * An address where nothing is mapped. It lies below all that a static program has, where
 * no later mmap() comes by itself.
 */
static inline void *hole_new(size_t size)
{
	void *start = (void *)(uintptr_t)0x20000;

	ASSERT_EQ(-1, msync(start, page_round(size ? size : 1), MS_ASYNC));
	ASSERT_EQ(ENOMEM, errno);
	return start;
}

/* An address of the kernel's half. */
static inline void *kernel_address(void)
{
	return (void *)(uintptr_t)(sizeof(void *) == 8 ? 0xffff888000000000ULL : 0xfffff000ULL);
}

#endif /* SELFTESTS_COMMON_STATE_H */
