// SPDX-License-Identifier: GPL-2.0
/*
 * Shared pages: who may map them and how, and what mappings of them do.
 */
#include "common_grant.h"
#include "common_region.h"

#include <stddef.h>
#include <sys/syscall.h>

#define PAGES 8

FIXTURE(region)
{
	int device;
	int fd;
	__u64 id;
	size_t page;
	size_t size;
};

FIXTURE_SETUP(region)
{
	self->page = page_size();
	self->size = PAGES * self->page;
	self->device = device_open();
	self->fd = region_new(self->device, self->size);
	self->id = box_stat(self->fd).id;
}

FIXTURE_TEARDOWN(region)
{
	close(self->fd);
	close(self->device);
}

static int handle_with(FIXTURE_DATA(region) * self, __u32 rights)
{
	int fd = box_open(self->device, self->id, NULL, rights);

	ASSERT_LE(0, fd);
	return fd;
}

TEST_F(region, stat_and_list_tell_its_size)
{
	struct mailbox_stat entry;
	__u64 after = self->id - 1;
	int fd = box_new(self->device);

	EXPECT_EQ(self->size, box_stat(self->fd).region_size);
	ASSERT_EQ(1, box_list(self->device, &entry, 1, &after));
	EXPECT_EQ(self->size, entry.region_size);
	EXPECT_EQ(0, entry.loaned);
	EXPECT_EQ(0, entry.loans);
	EXPECT_EQ(0, entry.lanes);
	EXPECT_EQ(0, box_stat(fd).region_size);
	close(fd);
}

TEST_F(region, is_whole_pages)
{
	int fd = region_new(self->device, 1);

	EXPECT_EQ(self->page, box_stat(fd).region_size);
	close(fd);
	fd = region_new(self->device, self->page + 1);
	EXPECT_EQ(2 * self->page, box_stat(fd).region_size);
	close(fd);
}

TEST_F(region, two_processes_see_what_each_other_writes)
{
	unsigned int *flag = flag_new();
	char *start = region_map(self->fd, 0, self->size, READ_WRITE);
	pid_t pid = child_fork();

	if (!pid) {
		int device = device_open();
		int fd = box_open(device, self->id, NULL, MAILBOX_RIGHT_SEND);
		char *own = region_map(fd, 0, self->size, READ_WRITE);

		flag_await(flag, 1);
		EXPECT_STREQ("from the parent", own);
		strcpy(own + self->size - 100, "from the child");
		flag_raise(flag);
		_exit(KSFT_PASS);
	}
	strcpy(start, "from the parent");
	flag_raise(flag);
	flag_await(flag, 2);
	EXPECT_STREQ("from the child", start + self->size - 100);
	child_done(pid);
	munmap(start, self->size);
	munmap(flag, sizeof(*flag));
}

TEST_F(region, is_zeroed_and_nothing_stale_is_in_a_new_one)
{
	const size_t size = 1 << 20;

	for (int i = 0; i < 16; i++) {
		int fd = region_new(self->device, size);
		char *start = region_map(fd, 0, size, READ_WRITE);

		ASSERT_TRUE(is_all(start, 0, size));
		memset(start, 0x5a, size);
		close(fd);
		munmap(start, size);
	}
}

TEST_F(region, who_may_only_receive_cannot_write)
{
	int fd = handle_with(self, MAILBOX_RIGHT_RECEIVE | MAILBOX_RIGHT_MANAGE);
	char *writer = region_map(self->fd, 0, self->size, READ_WRITE), *reader;
	int memory = open("/proc/self/mem", O_RDWR | O_CLOEXEC);

	ASSERT_LE(0, memory);
	strcpy(writer, "original");
	EXPECT_EQ(-EACCES, region_error(fd, 0, self->size, READ_WRITE, MAP_SHARED));
	EXPECT_EQ(-EACCES, region_error(fd, 0, self->size, PROT_WRITE, MAP_SHARED));
	EXPECT_EQ(-EACCES, region_error(fd, 0, self->size, READ_WRITE, MAP_SHARED_VALIDATE));
	reader = region_map(fd, 0, self->size, READ_ONLY);
	EXPECT_STREQ("original", reader);
	EXPECT_EQ(-1, mprotect(reader, self->size, READ_WRITE));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(-1, mprotect(reader + self->page, self->page, PROT_WRITE));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(SIGSEGV, signal_of(reader, true));
	EXPECT_EQ(0, signal_of(reader, false));
	/* As a debugger writes. */
	EXPECT_EQ(-1, pwrite64(memory, "x", 1, (uintptr_t)reader));
	EXPECT_EQ(1, pwrite64(memory, "o", 1, (uintptr_t)writer));
	/* Nor by punching a hole, nor in a mapping that is made of this one. */
	EXPECT_EQ(-1, madvise(reader, self->page, MADV_REMOVE));
	EXPECT_EQ(EACCES, errno);
	if (!syscall(SYS_remap_file_pages, reader, self->size, 0, 0, 0))
		EXPECT_STREQ("original", reader);
	EXPECT_EQ(-1, mprotect(reader, self->size, READ_WRITE));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(-1, pwrite64(memory, "x", 1, (uintptr_t)reader));
	/* Nor where it has been moved, or taken to none and back. */
	ASSERT_EQ(0, mprotect(reader, self->size, PROT_NONE));
	ASSERT_EQ(0, mprotect(reader, self->size, READ_ONLY));
	reader = mremap(reader, self->size, self->size * 2, MREMAP_MAYMOVE);
	ASSERT_TRUE(reader != MAP_FAILED);
	EXPECT_EQ(-1, mprotect(reader, self->size, READ_WRITE));
	EXPECT_EQ(EACCES, errno);
	EXPECT_STREQ("original", writer);
	munmap(reader, self->size * 2);
	munmap(writer, self->size);
	close(memory);
	close(fd);
}

TEST_F(region, who_may_only_receive_cannot_write_after_fork)
{
	int fd = handle_with(self, MAILBOX_RIGHT_RECEIVE);
	char *reader = region_map(fd, 0, self->size, READ_ONLY);
	pid_t pid = child_fork();

	if (!pid) {
		EXPECT_EQ(-1, mprotect(reader, self->size, READ_WRITE));
		EXPECT_EQ(EACCES, errno);
		_exit(KSFT_PASS);
	}
	child_done(pid);
	munmap(reader, self->size);
	close(fd);
}

TEST_F(region, who_may_only_send_reads_and_writes)
{
	int fd = handle_with(self, MAILBOX_RIGHT_SEND);
	char *start = region_map(fd, 0, self->size, READ_WRITE);
	char *whole = region_map(self->fd, 0, self->size, READ_WRITE);

	strcpy(start, "text");
	EXPECT_STREQ("text", whole);
	ASSERT_EQ(0, mprotect(start, self->size, PROT_READ));
	EXPECT_EQ(SIGSEGV, signal_of(start, true));
	ASSERT_EQ(0, mprotect(start, self->size, READ_WRITE));
	EXPECT_EQ(0, signal_of(start, true));
	munmap(start, self->size);
	munmap(whole, self->size);
	close(fd);
}

TEST_F(region, who_may_only_manage_maps_nothing)
{
	int fd = handle_with(self, MAILBOX_RIGHT_MANAGE);

	EXPECT_EQ(-EACCES, region_error(fd, 0, self->size, READ_ONLY, MAP_SHARED));
	EXPECT_EQ(-EACCES, region_error(fd, 0, self->size, READ_ONLY, MAP_PRIVATE));
	EXPECT_EQ(-EACCES, region_error(fd, 0, self->size, PROT_NONE, MAP_SHARED));
	close(fd);
}

TEST_F(region, nobody_executes_it)
{
	char *start = region_map(self->fd, 0, self->size, READ_WRITE);

	EXPECT_EQ(-EACCES,
		  region_error(self->fd, 0, self->size, PROT_READ | PROT_EXEC, MAP_SHARED));
	EXPECT_EQ(-EACCES,
		  region_error(self->fd, 0, self->size, PROT_READ | PROT_EXEC, MAP_PRIVATE));
	EXPECT_EQ(-1, mprotect(start, self->size, PROT_READ | PROT_EXEC));
	EXPECT_EQ(EACCES, errno);
	munmap(start, self->size);
}

/* Copies of its own, also through a debugger. */
TEST_F(region, what_a_private_mapping_writes_nobody_sees)
{
	int fd = handle_with(self, MAILBOX_RIGHT_RECEIVE);
	char *shared = region_map(self->fd, 0, self->size, READ_WRITE), *start;
	int memory = open("/proc/self/mem", O_RDWR | O_CLOEXEC);

	ASSERT_LE(0, memory);
	strcpy(shared, "original");
	ASSERT_EQ(0, region_try(fd, 0, self->size, READ_WRITE, MAP_PRIVATE, &start));
	EXPECT_STREQ("original", start);
	start[0] = 'O';
	EXPECT_EQ(1, pwrite64(memory, "x", 1, (uintptr_t)start + self->page));
	EXPECT_STREQ("Original", start);
	EXPECT_STREQ("original", shared);
	EXPECT_EQ(0, shared[self->page]);
	munmap(start, self->size);
	munmap(shared, self->size);
	close(memory);
	close(fd);
}

TEST_F(region, parts_and_several_mappings_are_the_same_pages)
{
	char *whole = region_map(self->fd, 0, self->size, READ_WRITE);
	char *part = region_map(self->fd, 3 * self->page, 2 * self->page, READ_WRITE);
	/* Less than a page is a page. */
	char *last = region_map(self->fd, self->size - self->page, 1, READ_WRITE);
	int other = handle_with(self, MAILBOX_RIGHT_RECEIVE);
	char *again = region_map(other, 2 * self->page, 6 * self->page, READ_ONLY);

	strcpy(part + self->page, "part");
	strcpy(last, "last");
	strcpy(whole + 3 * self->page, "whole");
	EXPECT_STREQ("part", whole + 4 * self->page);
	EXPECT_STREQ("whole", part);
	EXPECT_STREQ("last", whole + self->size - self->page);
	EXPECT_STREQ("whole", again + self->page);
	EXPECT_STREQ("part", again + 2 * self->page);
	EXPECT_STREQ("last", again + 5 * self->page);
	/* In no order. */
	munmap(part, 2 * self->page);
	EXPECT_STREQ("part", again + 2 * self->page);
	munmap(whole + 4 * self->page, self->page);
	EXPECT_FALSE(is_mapped(whole + 4 * self->page));
	EXPECT_STREQ("part", again + 2 * self->page);
	EXPECT_STREQ("whole", whole + 3 * self->page);
	munmap(whole, 4 * self->page);
	munmap(whole + 5 * self->page, 3 * self->page);
	EXPECT_STREQ("last", again + 5 * self->page);
	munmap(last, self->page);
	EXPECT_STREQ("last", again + 5 * self->page);
	munmap(again, 6 * self->page);
	close(other);
}

TEST_F(region, a_child_has_what_its_parent_has)
{
	char *start = region_map(self->fd, 0, self->size, READ_WRITE);
	pid_t pid = child_fork();

	if (!pid) {
		strcpy(start, "child");
		_exit(KSFT_PASS);
	}
	child_done(pid);
	EXPECT_STREQ("child", start);
	munmap(start, self->size);
}

TEST_F(region, a_child_does_not_get_what_is_not_to_be_forked)
{
	char *start = region_map(self->fd, 0, self->size, READ_WRITE);
	pid_t pid;

	ASSERT_EQ(0, madvise(start + self->page, self->page, MADV_DONTFORK));
	strcpy(start + 2 * self->page, "parent");
	pid = child_fork();
	if (!pid) {
		EXPECT_TRUE(is_mapped(start));
		EXPECT_FALSE(is_mapped(start + self->page));
		EXPECT_STREQ("parent", start + 2 * self->page);
		_exit(KSFT_PASS);
	}
	child_done(pid);
	ASSERT_EQ(0, madvise(start + self->page, self->page, MADV_DOFORK));
	EXPECT_EQ(0, signal_of(start + self->page, true));
	munmap(start, self->size);
}

TEST_F(region, a_mapping_moves_and_shrinks)
{
	char *start = region_map(self->fd, 0, self->size, READ_WRITE);
	char *place = mmap(NULL, self->size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *other = region_map(self->fd, 0, self->size, READ_WRITE);

	ASSERT_TRUE(place != MAP_FAILED);
	strcpy(start + self->page, "text");
	ASSERT_TRUE(mremap(start, self->size, self->size, MREMAP_MAYMOVE | MREMAP_FIXED, place) ==
		    place);
	EXPECT_STREQ("text", place + self->page);
	strcpy(place, "moved");
	EXPECT_STREQ("moved", other);
	ASSERT_TRUE(mremap(place, self->size, 2 * self->page, 0) == place);
	EXPECT_STREQ("text", place + self->page);
	EXPECT_FALSE(is_mapped(place + 2 * self->page));
	munmap(place, 2 * self->page);
	munmap(other, self->size);
}

TEST_F(region, beyond_its_end_is_einval)
{
	const size_t size = self->size, page = self->page;

	EXPECT_EQ(-EINVAL, region_error(self->fd, 0, size + 1, READ_ONLY, MAP_SHARED));
	EXPECT_EQ(-EINVAL, region_error(self->fd, page, size, READ_ONLY, MAP_SHARED));
	EXPECT_EQ(-EINVAL, region_error(self->fd, size, page, READ_ONLY, MAP_SHARED));
	EXPECT_EQ(-EINVAL, region_error(self->fd, size - page, 2 * page, READ_ONLY, MAP_SHARED));
	EXPECT_EQ(-EINVAL, region_error(self->fd, 1, page, READ_ONLY, MAP_SHARED));
	EXPECT_EQ(-EINVAL, region_error(self->fd, 0, 0, READ_ONLY, MAP_SHARED));
	EXPECT_EQ(0, region_error(self->fd, size - page, page, READ_ONLY, MAP_SHARED));
	EXPECT_EQ(0, region_error(self->fd, 0, size, READ_ONLY, MAP_SHARED));
}

TEST_F(region, far_beyond_its_end_is_einval)
{
	long long offset;
	void *start;

	for (offset = 1LL << 32; offset > 0 && offset <= 1LL << 43; offset *= 2) {
		start = mmap64(NULL, self->page, READ_ONLY, MAP_SHARED, self->fd, offset);
		EXPECT_TRUE(start == MAP_FAILED);
		EXPECT_EQ(EINVAL, errno) TH_LOG("%llx", offset);
	}
}

TEST_F(region, where_there_is_none_is_einval)
{
	int fd = box_new(self->device);

	EXPECT_EQ(-EINVAL, region_error(fd, 0, self->page, READ_ONLY, MAP_SHARED));
	EXPECT_EQ(-EINVAL, region_error(fd, 0, self->page, READ_ONLY, MAP_PRIVATE));
	close(fd);
}

TEST_F(region, sizes_out_of_range_are_einval)
{
	static const __u64 sizes[] = {
		MAILBOX_REGION_SIZE_MAX + 1,
		1ULL << 63,
		UINT64_MAX - 4095,
		UINT64_MAX,
	};

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct mailbox_create args = create_args();

		EXPECT_REFUSED(self->device, -1, EINVAL,
			       region_create(self->device, &args, sizes[i]));
		EXPECT_REFUSED(self->device, self->fd, EINVAL, region_set(self->fd, sizes[i]));
	}
}

TEST_F(region, a_call_with_a_bad_pointer_makes_none)
{
	struct mailbox_create args = create_args();
	struct mailbox_info before = device_info(self->device), after;

	args.region_size = self->size;
	EXPECT_REFUSED(self->device, -1, EFAULT,
		       call(self->device, MAILBOX_IOC_CREATE, readonly_new(&args, sizeof(args))));
	after = device_info(self->device);
	EXPECT_EQ(before.bytes, after.bytes);
}

TEST_F(region, a_revoked_handle_maps_no_more)
{
	__u64 grant;
	int fd = box_restrict(self->fd, MAILBOX_RIGHT_SEND, &grant);
	char *start = region_map(fd, 0, self->size, READ_WRITE);

	ASSERT_EQ(0, box_revoke(self->fd, grant));
	EXPECT_EQ(-EACCES, region_error(fd, 0, self->size, READ_ONLY, MAP_SHARED));
	EXPECT_EQ(-EACCES, region_error(fd, self->size, 1, READ_ONLY, MAP_SHARED));
	/* What it has it keeps. */
	EXPECT_EQ(0, signal_of(start, true));
	munmap(start, self->size);
	close(fd);
}

TEST_F(region, a_destroyed_mailbox_is_mapped_no_more)
{
	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	EXPECT_EQ(-EIDRM, region_error(self->fd, 0, self->size, READ_ONLY, MAP_SHARED));
	EXPECT_EQ(-EIDRM, region_set(self->fd, 2 * self->size));
}

/* Programs that know shorter structures. */
TEST_F(region, older_structures_have_none)
{
	struct {
		struct mailbox_create args;
		char beyond[16];
	} create = { .args = create_args() };
	struct mailbox_stat stat;
	struct mailbox_set set = {
		.size = offsetof(struct mailbox_set, region_size),
		.flags = MAILBOX_SET_REGION_SIZE,
		.region_size = 2 * self->size,
	};
	int fd;

	create.args.size = offsetof(struct mailbox_create, region_size);
	create.args.region_size = self->size;
	fd = box_create(self->device, &create.args);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, box_stat(fd).region_size);
	EXPECT_EQ(self->size, create.args.region_size);
	close(fd);

	poison(&stat, sizeof(stat));
	stat.size = offsetof(struct mailbox_stat, region_size);
	stat.flags = 0;
	EXPECT_EQ(0, call(self->fd, MAILBOX_IOC_STAT, &stat));
	EXPECT_EQ(POISON64, stat.region_size);
	EXPECT_EQ(self->id, stat.id);

	EXPECT_REFUSED(self->device, self->fd, EINVAL, call(self->fd, MAILBOX_IOC_SET, &set));
	set.flags = 0;
	EXPECT_EQ(0, call(self->fd, MAILBOX_IOC_SET, &set));
	EXPECT_EQ(self->size, box_stat(self->fd).region_size);
}

TEST_HARNESS_MAIN
