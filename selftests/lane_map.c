// SPDX-License-Identifier: GPL-2.0
/*
 * Lanes: who may map which of their pages, and how. Whatever else there is, is refused.
 */
#include "common_lane.h"

#define BYTES (4 * 4096)

FIXTURE(lane_map)
{
	int device;
	/* The receiver, and a sender. */
	int fd;
	int sender;
	__u64 id;
	size_t page;
	struct mailbox_lane_open out;
	struct mailbox_lane_open in;
};

FIXTURE_SETUP(lane_map)
{
	self->page = page_size();
	self->device = device_open();
	self->fd = box_new(self->device);
	self->id = box_stat(self->fd).id;
	self->sender = box_open(self->device, self->id, NULL, SEND);
	ASSERT_LE(0, self->sender);
	self->out = lane_open(self->sender, BYTES);
	self->in = lane_next(self->fd, 0);
}

FIXTURE_TEARDOWN(lane_map)
{
	close(self->sender);
	close(self->fd);
	close(self->device);
}

struct area {
	__u64 page;
	size_t bytes;
	bool sender_writes;
	bool receiver_writes;
};

static const struct area areas[] = {
	{ MAILBOX_LANE_STATE, 4096, false, false },   { MAILBOX_LANE_CONSUMER, 4096, false, true },
	{ MAILBOX_LANE_PRODUCER, 4096, true, false }, { MAILBOX_LANE_DATA, BYTES, true, false },
	{ MAILBOX_LANE_DATA + 1, 4096, true, false },
};

/* Not to be written, in whatever way. */
static void expect_read_only(int fd, __u64 offset, size_t bytes)
{
	char *start = lane_map(fd, offset, bytes, READ_ONLY);
	int memory = open("/proc/self/mem", O_RDWR | O_CLOEXEC);

	ASSERT_LE(0, memory);
	EXPECT_EQ(-EACCES, lane_map_error(fd, offset, bytes, READ_WRITE, MAP_SHARED));
	EXPECT_EQ(-EACCES, lane_map_error(fd, offset, bytes, PROT_WRITE, MAP_SHARED));
	EXPECT_EQ(-EACCES, lane_map_error(fd, offset, bytes, READ_WRITE, MAP_SHARED_VALIDATE));
	EXPECT_EQ(-1, mprotect(start, bytes, READ_WRITE));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(SIGSEGV, signal_of(start, true));
	EXPECT_EQ(0, signal_of(start, false));
	/* As a debugger writes. */
	EXPECT_EQ(-1, pwrite64(memory, "x", 1, (uintptr_t)start));
	ASSERT_EQ(0, mprotect(start, bytes, PROT_NONE));
	ASSERT_EQ(0, mprotect(start, bytes, READ_ONLY));
	EXPECT_EQ(-1, mprotect(start, bytes, READ_WRITE));
	close(memory);
	munmap(start, bytes);
}

static void expect_writable(int fd, __u64 offset, size_t bytes)
{
	char *start = lane_map(fd, offset, bytes, READ_WRITE);

	start[bytes - 1] = 1;
	EXPECT_EQ(1, start[bytes - 1]);
	start[bytes - 1] = 0;
	munmap(start, bytes);
	start = lane_map(fd, offset, bytes, READ_ONLY);
	EXPECT_EQ(0, mprotect(start, bytes, READ_WRITE));
	munmap(start, bytes);
}

TEST_F(lane_map, each_side_writes_what_is_its_own)
{
	for (size_t i = 0; i < ARRAY_SIZE(areas); i++) {
		const __u64 out = self->out.offset + areas[i].page * self->page;
		const __u64 in = self->in.offset + areas[i].page * self->page;

		if (areas[i].sender_writes)
			expect_writable(self->sender, out, areas[i].bytes);
		else
			expect_read_only(self->sender, out, areas[i].bytes);
		if (areas[i].receiver_writes)
			expect_writable(self->fd, in, areas[i].bytes);
		else
			expect_read_only(self->fd, in, areas[i].bytes);
	}
}

TEST_F(lane_map, both_sides_see_the_same_pages)
{
	for (size_t i = 0; i < ARRAY_SIZE(areas); i++) {
		const __u64 out = self->out.offset + areas[i].page * self->page;
		const __u64 in = self->in.offset + areas[i].page * self->page;
		char *writer = NULL, *reader = NULL;

		if (areas[i].sender_writes) {
			writer = lane_map(self->sender, out, areas[i].bytes, READ_WRITE);
			reader = lane_map(self->fd, in, areas[i].bytes, READ_ONLY);
		} else if (areas[i].receiver_writes) {
			writer = lane_map(self->fd, in, areas[i].bytes, READ_WRITE);
			reader = lane_map(self->sender, out, areas[i].bytes, READ_ONLY);
		} else {
			continue;
		}
		EXPECT_TRUE(is_all(reader, 0, areas[i].bytes));
		memset(writer, 'a' + i, areas[i].bytes);
		EXPECT_TRUE(is_all(reader, 'a' + i, areas[i].bytes));
		memset(writer, 0, areas[i].bytes);
		munmap(writer, areas[i].bytes);
		munmap(reader, areas[i].bytes);
	}
}

TEST_F(lane_map, nothing_stale_is_in_a_new_one)
{
	for (int i = 0; i < 16; i++) {
		char *start = lane_map(self->sender, self->out.offset + 3 * self->page, BYTES,
				       READ_WRITE);

		EXPECT_TRUE(is_all(start, 0, BYTES));
		memset(start, 0x5a, BYTES);
		munmap(start, BYTES);
		ASSERT_EQ(0, lane_close(self->sender, 0, 0));
		ASSERT_EQ(0, lane_close(self->fd, MAILBOX_LANE_RECEIVE, self->out.lane));
		self->out = lane_open(self->sender, BYTES);
		self->in = lane_next(self->fd, 0);
	}
}

TEST_F(lane_map, is_shared_and_nothing_is_executed)
{
	for (size_t i = 0; i < ARRAY_SIZE(areas); i++) {
		const __u64 out = self->out.offset + areas[i].page * self->page;
		const __u64 in = self->in.offset + areas[i].page * self->page;
		char *start;

		EXPECT_EQ(-EINVAL, lane_map_error(self->sender, out, areas[i].bytes, READ_ONLY,
						  MAP_PRIVATE));
		EXPECT_EQ(-EINVAL,
			  lane_map_error(self->fd, in, areas[i].bytes, READ_WRITE, MAP_PRIVATE));
		EXPECT_EQ(-EACCES, lane_map_error(self->sender, out, areas[i].bytes,
						  PROT_READ | PROT_EXEC, MAP_SHARED));
		EXPECT_EQ(-EACCES, lane_map_error(self->fd, in, areas[i].bytes,
						  PROT_READ | PROT_EXEC, MAP_SHARED));
		start = lane_map(self->sender, out, areas[i].bytes, READ_ONLY);
		EXPECT_EQ(-1, mprotect(start, areas[i].bytes, PROT_READ | PROT_EXEC));
		EXPECT_EQ(EACCES, errno);
		munmap(start, areas[i].bytes);
	}
}

TEST_F(lane_map, lies_within_one_area)
{
	const __u64 page = self->page, all = 3 * page + BYTES;

	for (int side = 0; side < 2; side++) {
		const int fd = side ? self->fd : self->sender;
		const __u64 offset = side ? self->in.offset : self->out.offset;

		EXPECT_EQ(-EINVAL, lane_map_error(fd, offset, 2 * page, READ_ONLY, MAP_SHARED));
		EXPECT_EQ(-EINVAL, lane_map_error(fd, offset, all, READ_ONLY, MAP_SHARED));
		EXPECT_EQ(-EINVAL,
			  lane_map_error(fd, offset + page, 2 * page, READ_ONLY, MAP_SHARED));
		EXPECT_EQ(-EINVAL,
			  lane_map_error(fd, offset + 2 * page, 2 * page, READ_ONLY, MAP_SHARED));
		EXPECT_EQ(-EINVAL, lane_map_error(fd, offset + 3 * page, BYTES + page, READ_ONLY,
						  MAP_SHARED));
		EXPECT_EQ(-EINVAL,
			  lane_map_error(fd, offset + all - page, 2 * page, READ_ONLY, MAP_SHARED));
		EXPECT_EQ(-EINVAL, lane_map_error(fd, offset + all, page, READ_ONLY, MAP_SHARED));
	}
}

TEST_F(lane_map, others_have_nothing_there)
{
	int other = box_open(self->device, self->id, NULL, RIGHTS_ALL);
	int second = box_open(self->device, self->id, NULL, SEND);
	const __u64 stride = 1ULL << 32;

	ASSERT_LE(0, other);
	ASSERT_LE(0, second);
	EXPECT_EQ(-EINVAL, lane_map_error(other, self->out.offset, 4096, READ_ONLY, MAP_SHARED));
	EXPECT_EQ(-EINVAL, lane_map_error(other, self->in.offset, 4096, READ_ONLY, MAP_SHARED));
	/* Nor has each side at the offset of the other one. */
	EXPECT_EQ(-EINVAL, lane_map_error(self->fd, self->out.offset, 4096, READ_ONLY, MAP_SHARED));
	EXPECT_EQ(-EINVAL,
		  lane_map_error(self->sender, self->in.offset, 4096, READ_ONLY, MAP_SHARED));
	for (__u64 place = 1; place < 70; place++) {
		EXPECT_EQ(-EINVAL, lane_map_error(self->fd, self->in.offset + place * stride, 4096,
						  READ_ONLY, MAP_SHARED));
		EXPECT_EQ(-EINVAL, lane_map_error(self->sender, self->out.offset + place * stride,
						  4096, READ_ONLY, MAP_SHARED));
	}
	EXPECT_EQ(-EINVAL,
		  lane_map_error(self->sender, (1ULL << 43) - 4096, 4096, READ_ONLY, MAP_SHARED));
	/* One that the receiver was not told of. */
	EXPECT_EQ(1, lane_open(second, BYTES).place);
	EXPECT_EQ(-EINVAL,
		  lane_map_error(self->fd, self->in.offset + stride, 4096, READ_ONLY, MAP_SHARED));
	EXPECT_EQ(2, lane_next(self->fd, 1).lane);
	EXPECT_EQ(0,
		  lane_map_error(self->fd, self->in.offset + stride, 4096, READ_ONLY, MAP_SHARED));
	close(second);
	close(other);
}

TEST_F(lane_map, nothing_can_be_mapped_of_one_that_was_closed)
{
	EXPECT_EQ(0, lane_close(self->fd, MAILBOX_LANE_RECEIVE, self->in.lane));
	EXPECT_EQ(-EINVAL, lane_map_error(self->fd, self->in.offset, 4096, READ_ONLY, MAP_SHARED));
	EXPECT_EQ(0, lane_map_error(self->sender, self->out.offset, 4096, READ_ONLY, MAP_SHARED));
	EXPECT_EQ(0, lane_close(self->sender, 0, 0));
	EXPECT_EQ(-EINVAL,
		  lane_map_error(self->sender, self->out.offset, 4096, READ_ONLY, MAP_SHARED));
	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	EXPECT_EQ(-EIDRM, lane_map_error(self->fd, self->in.offset, 4096, READ_ONLY, MAP_SHARED));
}

TEST_F(lane_map, does_not_grow)
{
	/* It would grow from its own index into the other's, with the right to write. */
	char *start = lane_map(self->fd, self->in.offset + self->page, self->page, READ_WRITE);
	char *moved;

	EXPECT_EQ(MAP_FAILED, mremap(start, self->page, 2 * self->page, MREMAP_MAYMOVE));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(MAP_FAILED, mremap(start, 0, 2 * self->page, MREMAP_MAYMOVE));
	EXPECT_EQ(EFAULT, errno);
	/* It may move. */
	moved = mremap(start, self->page, self->page, MREMAP_MAYMOVE);
	ASSERT_EQ(start, moved);
	*moved = 1;
	munmap(moved, self->page);
}

/* A call that makes a mapping anew, of any part of the file, with the rights of the old one. */
TEST_F(lane_map, no_part_gives_rights_to_another)
{
	char *start = lane_map(self->fd, self->in.offset + self->page, self->page, READ_WRITE);
	static const int forbidden[] = { 0, 2, 3, 4, 100 };

	if (syscall(SYS_remap_file_pages, start, self->page, 0, 1, 0) && errno == ENOSYS)
		SKIP(return, "there is no remap_file_pages");
	for (size_t i = 0; i < ARRAY_SIZE(forbidden); i++) {
		EXPECT_EQ(-1, syscall(SYS_remap_file_pages, start, self->page, 0, forbidden[i], 0));
		EXPECT_EQ(forbidden[i] == 100 ? EINVAL : EACCES, errno);
		/* What was there is gone, perhaps. */
		munmap(start, self->page);
		start = lane_map(self->fd, self->in.offset + self->page, self->page, READ_WRITE);
	}
	munmap(start, self->page);
	start = lane_map(self->sender, self->out.offset + 2 * self->page, self->page, READ_WRITE);
	EXPECT_EQ(-1, syscall(SYS_remap_file_pages, start, self->page, 0, 1, 0));
	EXPECT_EQ(EACCES, errno);
	munmap(start, self->page);
	start = lane_map(self->sender, self->out.offset + 2 * self->page, self->page, READ_WRITE);
	EXPECT_EQ(0, syscall(SYS_remap_file_pages, start, self->page, 0, 3, 0));
	*start = 1;
	munmap(start, self->page);
}

TEST_F(lane_map, unmapping_and_dropping_what_is_mapped_loses_nothing)
{
	char *start = lane_map(self->sender, self->out.offset + 3 * self->page, BYTES, READ_WRITE);

	memset(start, 7, BYTES);
	EXPECT_EQ(0, madvise(start, BYTES, MADV_DONTNEED));
	EXPECT_TRUE(is_all(start, 7, BYTES));
	munmap(start + self->page, self->page);
	EXPECT_TRUE(is_all(start, 7, self->page));
	EXPECT_TRUE(is_all(start + 2 * self->page, 7, BYTES - 2 * self->page));
	munmap(start, BYTES);
	start = lane_map(self->fd, self->in.offset + 3 * self->page, BYTES, READ_ONLY);
	EXPECT_TRUE(is_all(start, 7, BYTES));
	munmap(start, BYTES);
}

TEST_F(lane_map, outlives_descriptors_lanes_and_mailbox_and_is_inherited)
{
	char *out = lane_map(self->sender, self->out.offset + 3 * self->page, BYTES, READ_WRITE);
	char *in = lane_map(self->fd, self->in.offset + 3 * self->page, BYTES, READ_ONLY);
	pid_t pid;

	close(self->sender);
	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	close(self->fd);
	pid = child_fork();
	if (!pid) {
		strcpy(out + self->page, "from the child");
		munmap(out, BYTES);
		EXPECT_STREQ("from the child", in + self->page);
		_exit(KSFT_PASS);
	}
	munmap(out, BYTES);
	child_done(pid);
	EXPECT_STREQ("from the child", in + self->page);
	munmap(in, BYTES);
	self->fd = box_new(self->device);
	self->sender = -1;
}

/* Or a handle that was closed would stay open: nobody would learn that the sender has left. */
TEST_F(lane_map, does_not_keep_the_handle)
{
	struct ring in = ring_map(self->fd, &self->in, false);
	struct ring out = ring_map(self->sender, &self->out, true);
	const __u32 handles = box_stat(self->fd).handles;

	close(self->sender);
	EXPECT_EQ(handles - 1, box_stat(self->fd).handles);
	EXPECT_EQ(MAILBOX_LANE_SENDER_GONE, ring_ended(&in));
	ring_unmap(&out);
	ring_unmap(&in);
	self->sender = -1;
}

TEST_F(lane_map, the_region_is_still_where_it_was)
{
	const __u64 lanes = 1ULL << 40;
	int fd = region_new(self->device, 2 * self->page);
	char *start = region_map(fd, 0, 2 * self->page, READ_WRITE);

	EXPECT_EQ(lanes, self->out.offset);
	EXPECT_EQ(-EINVAL,
		  lane_map_error(fd, lanes - self->page, self->page, READ_ONLY, MAP_SHARED));
	EXPECT_EQ(-EINVAL, lane_map_error(fd, lanes, self->page, READ_ONLY, MAP_SHARED));
	munmap(start, 2 * self->page);
	close(fd);
}

TEST_HARNESS_MAIN
