// SPDX-License-Identifier: GPL-2.0
/*
 * Shared pages from their beginning to their end: they grow, somebody pays for them, and
 * they are gone when nobody has them any more.
 */
#include "world.h"

#include "common_files.h"
#include "common_region.h"

#define ONE   1000
#define OTHER 1001
#define MIB   ((__u64)1 << 20)
#define LARGE (32 * MIB)

#define HUGE_SETTING "/sys/kernel/mm/transparent_hugepage/shmem_enabled"

FIXTURE(region_life)
{
	int device;
	size_t page;
	uint64_t max_bytes;
};

FIXTURE_SETUP(region_life)
{
	self->page = page_size();
	self->device = device_open();
	self->max_bytes = parameter_get("max_bytes_per_user");
}

FIXTURE_TEARDOWN(region_life)
{
	parameter_set("max_bytes_per_user", self->max_bytes);
	close(self->device);
}

/* Memory of all shared pages of the system, in bytes. */
static __u64 shared_memory(void)
{
	unsigned long long kilobytes = 0;
	FILE *file = fopen("/proc/meminfo", "r");
	char line[128];

	ASSERT_TRUE(file);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "Shmem: %llu", &kilobytes) == 1)
			break;
	fclose(file);
	return kilobytes * 1024;
}

#define EXPECT_SHARED(before, bytes) \
	do { \
		__u64 now_ = shared_memory(); \
\
		EXPECT_LE((before) + (bytes), now_ + 4 * MIB); \
		EXPECT_LE(now_, (before) + (bytes) + 4 * MIB); \
	} while (0)

TEST_F(region_life, pages_outlive_the_mailbox_while_they_are_mapped)
{
	__u64 before = shared_memory();
	int fd = region_new(self->device, LARGE);
	char *start = region_map(fd, 0, LARGE, READ_WRITE);
	char *part = region_map(fd, MIB, self->page, READ_ONLY);

	EXPECT_SHARED(before, 0);
	memset(start, 1, LARGE);
	EXPECT_SHARED(before, LARGE);
	ASSERT_EQ(0, box_destroy(fd, 0, NULL));
	EXPECT_TRUE(is_all(start, 1, LARGE));
	close(fd);
	EXPECT_TRUE(is_all(start, 1, LARGE));
	start[MIB] = 2;
	EXPECT_EQ(2, *part);
	munmap(start, LARGE);
	EXPECT_EQ(2, *part);
	EXPECT_SHARED(before, LARGE);
	munmap(part, self->page);
	EXPECT_SHARED(before, 0);
}

TEST_F(region_life, pages_outlive_the_last_handle_while_they_are_mapped)
{
	__u64 before = shared_memory();
	int fd = region_new(self->device, LARGE);
	char *start = region_map(fd, 0, LARGE, READ_WRITE);

	close(fd);
	memset(start, 1, LARGE);
	EXPECT_SHARED(before, LARGE);
	munmap(start, LARGE);
	EXPECT_SHARED(before, 0);
}

TEST_F(region_life, pages_stay_for_the_next_while_the_mailbox_does)
{
	__u64 before = shared_memory();
	int fd = region_new(self->device, LARGE);
	char *start = region_map(fd, 0, LARGE, READ_WRITE);

	memset(start, 1, LARGE);
	munmap(start, LARGE);
	EXPECT_SHARED(before, LARGE);
	start = region_map(fd, 0, LARGE, READ_ONLY);
	EXPECT_TRUE(is_all(start, 1, LARGE));
	munmap(start, LARGE);
	close(fd);
	EXPECT_SHARED(before, 0);
}

TEST_F(region_life, a_killed_process_leaves_none)
{
	__u64 before = shared_memory();
	unsigned int *flag = flag_new();
	pid_t pid = child_fork();

	if (!pid) {
		int fd = region_new(self->device, LARGE);

		memset(region_map(fd, 0, LARGE, READ_WRITE), 1, LARGE);
		flag_raise(flag);
		pause();
	}
	flag_await(flag, 1);
	EXPECT_SHARED(before, LARGE);
	child_kill(pid);
	EXPECT_SHARED(before, 0);
	munmap(flag, sizeof(*flag));
}

TEST_F(region_life, grows)
{
	const size_t page = self->page;
	int fd = region_new(self->device, 2 * page);
	char *start = region_map(fd, 0, 2 * page, READ_WRITE), *again;

	strcpy(start + page, "stays");
	start = mremap(start, 2 * page, 4 * page, MREMAP_MAYMOVE);
	ASSERT_TRUE(start != MAP_FAILED);
	EXPECT_STREQ("stays", start + page);
	EXPECT_EQ(SIGBUS, signal_of(start + 2 * page, false));
	EXPECT_EQ(SIGBUS, signal_of(start + 2 * page, true));
	EXPECT_EQ(-EINVAL, region_error(fd, 0, 3 * page, READ_ONLY, MAP_SHARED));

	ASSERT_EQ(0, region_set(fd, 2 * page + 1));
	EXPECT_EQ(3 * page, box_stat(fd).region_size);
	EXPECT_TRUE(is_all(start + 2 * page, 0, page));
	EXPECT_EQ(SIGBUS, signal_of(start + 3 * page, false));
	strcpy(start + 2 * page, "new");
	again = region_map(fd, 0, 3 * page, READ_ONLY);
	EXPECT_STREQ("stays", again + page);
	EXPECT_STREQ("new", again + 2 * page);
	EXPECT_EQ(-EINVAL, region_error(fd, 0, 4 * page, READ_ONLY, MAP_SHARED));
	munmap(start, 4 * page);
	munmap(again, 3 * page);
	close(fd);
}

TEST_F(region_life, begins_with_set)
{
	int fd = box_new(self->device);
	char *start;

	ASSERT_EQ(0, region_set(fd, 5));
	EXPECT_EQ(self->page, box_stat(fd).region_size);
	start = region_map(fd, 0, self->page, READ_WRITE);
	EXPECT_TRUE(is_all(start, 0, self->page));
	munmap(start, self->page);
	close(fd);
}

TEST_F(region_life, does_not_shrink)
{
	int fd = region_new(self->device, 4 * self->page);
	int without = box_new(self->device);

	EXPECT_REFUSED(self->device, fd, EINVAL, region_set(fd, 3 * self->page));
	EXPECT_REFUSED(self->device, fd, EINVAL, region_set(fd, 0));
	EXPECT_REFUSED(self->device, without, EINVAL, region_set(without, 0));
	/* As large as it is, which is no change. */
	EXPECT_EQ(0, region_set(fd, 4 * self->page));
	EXPECT_EQ(0, region_set(fd, 4 * self->page - 1));
	EXPECT_EQ(4 * self->page, box_stat(fd).region_size);
	close(fd);
	close(without);
}

/* All or nothing, and paid for only if it happens. */
TEST_F(region_life, does_not_grow_with_what_is_refused)
{
	int fd = region_new(self->device, self->page);
	struct usage before = usage_of_caller(self->device);
	struct mailbox_set args = {
		.size = sizeof(args),
		.flags = MAILBOX_SET_REGION_SIZE | MAILBOX_SET_SHARE,
		.share = 101,
		.region_size = 3 * self->page,
	};
	char *start = region_map(fd, 0, self->page, READ_WRITE);

	EXPECT_REFUSED(self->device, fd, EINVAL, call(fd, MAILBOX_IOC_SET, &args));
	EXPECT_USAGE(self->device, before);
	start = mremap(start, self->page, 2 * self->page, MREMAP_MAYMOVE);
	ASSERT_TRUE(start != MAP_FAILED);
	EXPECT_EQ(SIGBUS, signal_of(start + self->page, false));
	munmap(start, 2 * self->page);
	close(fd);
}

/* The last that SET can be refused for, when all of it is paid for. */
static void refused_at_last(void)
{
	struct witness witness = witness_new();
	struct mailbox_set args = {
		.size = sizeof(args),
		.flags = MAILBOX_SET_REGION_SIZE | MAILBOX_SET_PERMANENT,
		.permanent = 1,
		.region_size = MIB,
	};
	struct usage before;
	int device, fd;

	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	device = device_open();
	fd = box_new(device);
	ASSERT_EQ(0, box_send_files(fd, "text", &witness.writer, 1));
	before = usage_of_caller(device);
	EXPECT_REFUSED(device, fd, EINVAL, call(fd, MAILBOX_IOC_SET, &args));
	EXPECT_USAGE(device, before);
	args.flags = MAILBOX_SET_REGION_SIZE;
	args.permanent = 0;
	EXPECT_EQ(0, call(fd, MAILBOX_IOC_SET, &args));
	EXPECT_EQ(MIB, box_stat(fd).region_size);
	close(fd);
	close(device);
}

TEST_F(region_life, does_not_grow_with_what_is_refused_at_last)
{
	pid_t pid;

	if (!is_root())
		SKIP(return, "only root can make a network namespace");
	pid = child_fork();
	if (!pid) {
		refused_at_last();
		_exit(KSFT_PASS);
	}
	child_done(pid);
}

TEST_F(region_life, only_who_may_manage_lets_it_grow)
{
	int fd = region_new(self->device, self->page);
	int other = box_open(self->device, box_stat(fd).id, NULL,
			     MAILBOX_RIGHT_SEND | MAILBOX_RIGHT_RECEIVE);

	ASSERT_LE(0, other);
	EXPECT_REFUSED(self->device, fd, EACCES, region_set(other, 2 * self->page));
	close(other);
	close(fd);
}

TEST_F(region_life, is_paid_for_until_the_mailbox_ends)
{
	struct usage before = usage_of_caller(self->device);
	int fd = region_new(self->device, MIB);
	char *start = region_map(fd, 0, MIB, READ_ONLY);

	EXPECT_EQ(before.bytes + MIB, usage_of_caller(self->device).bytes);
	ASSERT_EQ(0, region_set(fd, 3 * MIB));
	EXPECT_EQ(before.bytes + 3 * MIB, usage_of_caller(self->device).bytes);
	/* A mapping does not keep the mailbox; a handle keeps nothing of one that has ended. */
	ASSERT_EQ(0, box_destroy(fd, 0, NULL));
	EXPECT_USAGE(self->device, before);
	munmap(start, MIB);
	close(fd);

	fd = region_new(self->device, MIB);
	start = region_map(fd, 0, MIB, READ_ONLY);
	close(fd);
	EXPECT_USAGE(self->device, before);
	munmap(start, MIB);
}

static void use_up_quota(int device)
{
	struct mailbox_create args = create_args();
	int fd, more;

	EXPECT_REFUSED(device, -1, EDQUOT, region_create(device, &args, MIB + 1));
	fd = region_new(device, MIB - page_size());
	EXPECT_REFUSED(device, fd, EDQUOT, region_create(device, &args, 2 * page_size()));
	EXPECT_REFUSED(device, fd, EDQUOT, region_set(fd, MIB + 1));
	EXPECT_EQ(0, region_set(fd, MIB));
	EXPECT_REFUSED(device, fd, EDQUOT, region_create(device, &args, 1));
	EXPECT_REFUSED(device, fd, EDQUOT, region_create(device, &args, MAILBOX_REGION_SIZE_MAX));
	close(fd);
	more = region_new(device, MIB);
	close(more);
}

TEST_F(region_life, more_than_the_quota_is_edquot)
{
	parameter_set("max_bytes_per_user", MIB);
	AS_USER(ONE, use_up_quota(self->device));
}

/* What is no user's to have exceeds no quota but the address space of the file. */
TEST_F(region_life, root_exceeds_the_quota)
{
	int fd = region_new(self->device, MAILBOX_REGION_SIZE_MAX);
	char *start = mmap64(NULL, self->page, READ_WRITE, MAP_SHARED, fd,
			     MAILBOX_REGION_SIZE_MAX - self->page);

	ASSERT_TRUE(start != MAP_FAILED);
	strcpy(start, "last");
	EXPECT_STREQ("last", start);
	munmap(start, self->page);
	close(fd);
}

static __u64 bytes_of(int device, uid_t user)
{
	__u64 bytes;

	ASSERT_EQ(0, seteuid(user));
	bytes = device_info(device).bytes;
	ASSERT_EQ(0, seteuid(0));
	return bytes;
}

/* Nobody can have another pay, nor have it for nothing. */
TEST_F(region_life, who_lets_it_grow_pays_for_all_of_it)
{
	struct mailbox_create args = create_args();
	int fd, other;

	if (!is_root())
		SKIP(return, "only root can be two users");
	ASSERT_EQ(0, seteuid(ONE));
	args.mode = 0777;
	fd = region_create(self->device, &args, MIB);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, seteuid(0));
	EXPECT_EQ(MIB, bytes_of(self->device, ONE));

	ASSERT_EQ(0, seteuid(OTHER));
	other = box_open(self->device, args.id, NULL, MAILBOX_RIGHT_MANAGE);
	ASSERT_LE(0, other);
	/* No larger: as it was. */
	EXPECT_EQ(0, region_set(other, MIB));
	ASSERT_EQ(0, seteuid(0));
	EXPECT_EQ(MIB, bytes_of(self->device, ONE));
	EXPECT_EQ(0, bytes_of(self->device, OTHER));

	parameter_set("max_bytes_per_user", 2 * MIB);
	ASSERT_EQ(0, seteuid(OTHER));
	EXPECT_EQ(-EDQUOT, region_set(other, 3 * MIB));
	EXPECT_EQ(0, region_set(other, 2 * MIB));
	ASSERT_EQ(0, seteuid(0));
	EXPECT_EQ(0, bytes_of(self->device, ONE));
	EXPECT_EQ(2 * MIB, bytes_of(self->device, OTHER));
	close(other);
	close(fd);
	EXPECT_EQ(0, bytes_of(self->device, OTHER));
}

/* Two mappings of one that is large enough lie where huge pages fit. */
TEST_F(region_life, lies_where_huge_pages_fit)
{
	char saved[128] = "", *word;
	FILE *file = fopen(HUGE_SETTING, "r");
	const size_t size = 4 * MIB;
	int fd;

	if (!file || !fgets(saved, sizeof(saved), file) || !strchr(saved, '['))
		SKIP(return, "the kernel has no huge pages for this");
	fclose(file);
	word = strtok(strchr(saved, '[') + 1, "]");
	ASSERT_EQ(0, write_text(HUGE_SETTING, "advise"));
	fd = region_new(self->device, size);
	for (int i = 0; i < 3; i++) {
		/* What comes next must not be aligned by chance. */
		char *odd = mmap(NULL, self->page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		char *start = region_map(fd, 0, size, READ_WRITE);

		ASSERT_TRUE(odd != MAP_FAILED);
		EXPECT_EQ(0, (uintptr_t)start % (2 * MIB));
	}
	ASSERT_EQ(0, write_text(HUGE_SETTING, word));
	close(fd);
}

struct sharer {
	int fd;
	unsigned int *stop;
};

/* Against SET, DESTROY and each other: whatever comes first, no mapping is in between. */
static void map_until_told(struct sharer *sharer)
{
	const size_t page = page_size();

	while (!__atomic_load_n(sharer->stop, __ATOMIC_ACQUIRE)) {
		__u64 size = (1 + rand() % 16) * page;
		char *start;
		int ret;

		ret = region_set(sharer->fd, size);
		EXPECT_TRUE(!ret || ret == -EINVAL || ret == -EIDRM) TH_LOG("SET: %d", ret);
		ret = region_try(sharer->fd, 0, size, READ_WRITE, MAP_SHARED, &start);
		EXPECT_TRUE(!ret || ret == -EINVAL || ret == -EIDRM) TH_LOG("mmap: %d", ret);
		if (!ret)
			munmap(start, size);
	}
	_exit(KSFT_PASS);
}

TEST_F(region_life, grows_while_it_is_mapped_and_destroyed)
{
	struct usage before = usage_of_caller(self->device);

	for (__u64 i = effort(50); i; i--) {
		struct sharer sharer = { .fd = box_new(self->device), .stop = flag_new() };
		pid_t pids[3];

		for (size_t j = 0; j < ARRAY_SIZE(pids); j++) {
			pids[j] = child_fork();
			if (!pids[j])
				map_until_told(&sharer);
		}
		while (box_stat(sharer.fd).region_size < 8 * self->page)
			sched_yield();
		ASSERT_EQ(0, box_destroy(sharer.fd, 0, NULL));
		flag_raise(sharer.stop);
		for (size_t j = 0; j < ARRAY_SIZE(pids); j++)
			child_done(pids[j]);
		close(sharer.fd);
		munmap(sharer.stop, sizeof(*sharer.stop));
		EXPECT_USAGE(self->device, before);
	}
}

TEST_HARNESS_MAIN
