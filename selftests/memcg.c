// SPDX-License-Identifier: GPL-2.0
/*
 * The memory of queued messages is charged to the cgroup of whoever sends them, so
 * that a container cannot hide memory in mailboxes.
 */
#include "world.h"

#include <sys/mman.h>
#include <sys/stat.h>

#define ROOT "/sys/fs/cgroup"
#define MIB  (1024 * 1024)

struct cgroup {
	int device;
	int box;
	bool made;
	char path[64];
};

FIXTURE(memcg)
{
	struct cgroup group;
};

static const char *file_of(struct cgroup *group, const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", group->path, name);
	return path;
}

FIXTURE_SETUP(memcg)
{
	struct cgroup *group = &self->group;
	struct mailbox_create args = create_args();

	/* It may be on already, or belong to somebody else: what counts comes next. */
	write_text(ROOT "/cgroup.subtree_control", "+memory");
	snprintf(group->path, sizeof(group->path), ROOT "/mailbox-test-%d", getpid());
	group->made = !mkdir(group->path, 0755);
	if (!group->made || access(file_of(group, "memory.current"), F_OK)) {
		if (group->made)
			rmdir(group->path);
		group->made = false;
		SKIP(return, "no cgroup with a memory controller can be made in " ROOT);
	}
	group->device = device_open();
	args.capacity = MAILBOX_CAPACITY_UNBOUNDED;
	group->box = box_create(group->device, &args);
	ASSERT_LE(0, group->box);
}

FIXTURE_TEARDOWN(memcg)
{
	struct cgroup *group = &self->group;

	if (!group->made)
		return;
	close(group->box);
	close(group->device);
	EXPECT_EQ(0, rmdir(group->path));
}

static uint64_t current(struct cgroup *group)
{
	return read_number(file_of(group, "memory.current"));
}

/* The mailbox and its other users are not in the cgroup: who sends pays. */
static void send_inside(struct cgroup *group, size_t length, uint64_t total)
{
	pid_t pid = child_fork();

	if (!pid) {
		char *data = calloc(1, length);

		ASSERT_EQ(0, write_text(file_of(group, "cgroup.procs"), "0"));
		for (uint64_t sent = 0; sent < total; sent += length)
			ASSERT_EQ(0, box_send_data(group->box, data, length));
		_exit(KSFT_PASS);
	}
	child_done(pid);
}

static void sender_is_charged(struct cgroup *group, size_t length, uint64_t total)
{
	uint64_t before = current(group), after;

	send_inside(group, length, total);
	EXPECT_EQ(total, box_stat(group->box).bytes);
	after = current(group);
	EXPECT_LE(before + total, after);
	EXPECT_LT(after, before + 8 * total);

	EXPECT_EQ(0, box_destroy(group->box, 0, NULL));
	after = current(group);
	/* A little stays with the processors, ready for the next charge. */
	EXPECT_LT(after, before + 4 * MIB);
}

TEST_F(memcg, short_messages_are_charged)
{
	sender_is_charged(&self->group, 64, 2 * MIB);
}

TEST_F(memcg, messages_up_to_a_page_are_charged)
{
	sender_is_charged(&self->group, 2048, 16 * MIB);
}

TEST_F(memcg, long_messages_are_charged)
{
	sender_is_charged(&self->group, 256 * 1024, 16 * MIB);
}

/* Whoever touches a page first, not who made the region. */
TEST_F(memcg, shared_pages_are_charged)
{
	const size_t size = 16 * MIB;
	struct cgroup *group = &self->group;
	struct mailbox_create args = create_args();
	uint64_t before = current(group), after;
	int fd;
	pid_t pid;

	args.region_size = size;
	fd = box_create(group->device, &args);
	ASSERT_LE(0, fd);
	pid = child_fork();
	if (!pid) {
		char *start = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

		ASSERT_TRUE(start != MAP_FAILED);
		ASSERT_EQ(0, write_text(file_of(group, "cgroup.procs"), "0"));
		memset(start, 1, size);
		_exit(KSFT_PASS);
	}
	child_done(pid);
	after = current(group);
	EXPECT_LE(before + size, after);
	EXPECT_LT(after, before + 2 * size);
	close(fd);
	EXPECT_LT(current(group), before + 4 * MIB);
}

/* All of it, to who makes the lane. */
TEST_F(memcg, lanes_are_charged)
{
	struct cgroup *group = &self->group;
	uint64_t before = current(group), after;
	int fd = box_new(group->device);
	pid_t pid = child_fork();

	if (!pid) {
		struct mailbox_lane_open args = {
			.size = sizeof(args),
			.bytes = MAILBOX_LANE_BYTES_MAX,
		};

		ASSERT_EQ(0, write_text(file_of(group, "cgroup.procs"), "0"));
		ASSERT_EQ(0, call(fd, MAILBOX_IOC_LANE_OPEN, &args));
		_exit(KSFT_PASS);
	}
	child_done(pid);
	after = current(group);
	EXPECT_LE(before + MAILBOX_LANE_BYTES_MAX, after);
	EXPECT_LT(after, before + 2 * MAILBOX_LANE_BYTES_MAX);
	close(fd);
	EXPECT_LT(current(group), before + 4 * MIB);
}

TEST_F(memcg, mailboxes_are_charged)
{
	uint64_t before = current(&self->group), after;
	pid_t pid = child_fork();

	if (!pid) {
		struct mailbox_create args = create_args();

		args.flags = MAILBOX_PERMANENT;
		ASSERT_EQ(0, write_text(file_of(&self->group, "cgroup.procs"), "0"));
		for (int i = 0; i < 5000; i++) {
			int fd = box_create(self->group.device, &args);

			ASSERT_LE(0, fd);
			close(fd);
		}
		_exit(KSFT_PASS);
	}
	child_done(pid);
	after = current(&self->group);
	EXPECT_LT(before + 5000 * 512, after);
	for (;;) {
		struct mailbox_stat entry;
		__u64 last = box_stat(self->group.box).id;

		if (box_list(self->group.device, &entry, 1, &last) != 1)
			break;
		EXPECT_EQ(0, box_destroy(self->group.device, entry.id, NULL));
	}
	EXPECT_LT(current(&self->group), before + 4 * MIB);
}

/* Each names the one before, which then ends: what has ended keeps nothing. */
TEST_F(memcg, mailboxes_that_have_ended_take_no_memory)
{
	pid_t pid;

	ASSERT_EQ(0, write_text(file_of(&self->group, "memory.max"), "8388608"));
	pid = child_fork();
	if (!pid) {
		struct mailbox_create args = create_args();
		int before = box_create(self->group.device, &args), fd;

		ASSERT_EQ(0, mlockall(MCL_CURRENT));
		ASSERT_EQ(0, write_text(file_of(&self->group, "cgroup.procs"), "0"));
		args.max_deliveries = 1;
		for (int i = 0; i < 16000; i++) {
			args.dead_letter = args.id;
			fd = box_create(self->group.device, &args);
			ASSERT_LE(0, fd);
			close(before);
			before = fd;
		}
		_exit(KSFT_PASS);
	}
	child_done(pid);
}

/* Send until the memory of the cgroup ends; nothing is queued by the send that fails. */
static void hit_the_limit(struct cgroup *group, size_t length)
{
	pid_t pid;

	ASSERT_EQ(0, write_text(file_of(group, "memory.max"), "16777216"));
	write_text(file_of(group, "memory.swap.max"), "0");
	pid = child_fork();
	if (!pid) {
		char *data = calloc(1, length);
		uint64_t sent = 0;
		int ret;

		/*
		 * Copies all pages now that it shares with its parent. At the limit a
		 * first write to one of them would have it killed, and rightly so.
		 */
		ASSERT_EQ(0, mlockall(MCL_CURRENT));
		ASSERT_EQ(0, write_text(file_of(group, "cgroup.procs"), "0"));
		do {
			ret = box_send_data(group->box, data, length);
		} while (!ret && (sent += length) < 64 * MIB);
		EXPECT_EQ(-ENOMEM, ret);
		EXPECT_EQ(sent, box_stat(group->box).bytes);
		_exit(KSFT_PASS);
	}
	child_done(pid);

	/* The mailbox goes on for others, and the memory comes back. */
	EXPECT_EQ(0, box_send_data(group->box, "data", 4));
	EXPECT_EQ(0, box_destroy(group->box, 0, NULL));
	EXPECT_LT(current(group), 4 * MIB);
}

TEST_F(memcg, limit_stops_short_messages)
{
	hit_the_limit(&self->group, 64);
}

TEST_F(memcg, limit_stops_messages_up_to_a_page)
{
	hit_the_limit(&self->group, 2048);
}

TEST_F(memcg, limit_stops_long_messages)
{
	hit_the_limit(&self->group, 256 * 1024);
}

TEST_HARNESS_MAIN
