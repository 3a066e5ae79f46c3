// SPDX-License-Identifier: GPL-2.0
/*
 * The memory of queued messages is charged to the cgroup of whoever sends them, so
 * that a container cannot hide memory in mailboxes.
 */
#include "world.h"

#include <sys/stat.h>

#define ROOT "/sys/fs/cgroup"
#define MIB  (1024 * 1024)

FIXTURE(memcg)
{
	int device;
	int box;
	bool made;
	char path[64];
};

static const char *file_of(FIXTURE_DATA(memcg) * self, const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", self->path, name);
	return path;
}

FIXTURE_SETUP(memcg)
{
	struct mailbox_create args = create_args();

	/* It may be on already, or belong to somebody else: what counts comes next. */
	write_text(ROOT "/cgroup.subtree_control", "+memory");
	snprintf(self->path, sizeof(self->path), ROOT "/mailbox-test-%d", getpid());
	self->made = !mkdir(self->path, 0755);
	if (!self->made || access(file_of(self, "memory.current"), F_OK)) {
		if (self->made)
			rmdir(self->path);
		self->made = false;
		SKIP(return, "no cgroup with a memory controller can be made in " ROOT);
	}
	self->device = device_open();
	args.capacity = MAILBOX_CAPACITY_UNBOUNDED;
	self->box = box_create(self->device, &args);
	ASSERT_LE(0, self->box);
}

FIXTURE_TEARDOWN(memcg)
{
	if (!self->made)
		return;
	close(self->box);
	close(self->device);
	EXPECT_EQ(0, rmdir(self->path));
}

static uint64_t current(FIXTURE_DATA(memcg) * self)
{
	return read_number(file_of(self, "memory.current"));
}

/* The mailbox and its other users are not in the cgroup: who sends pays. */
static void send_inside(FIXTURE_DATA(memcg) * self, size_t length, uint64_t total)
{
	pid_t pid = child_fork();

	if (!pid) {
		char *data = calloc(1, length);

		ASSERT_EQ(0, write_text(file_of(self, "cgroup.procs"), "0"));
		for (uint64_t sent = 0; sent < total; sent += length)
			ASSERT_EQ(0, box_send_data(self->box, data, length));
		_exit(KSFT_PASS);
	}
	child_done(pid);
}

static void sender_is_charged(FIXTURE_DATA(memcg) * self, size_t length)
{
	const uint64_t total = 16 * MIB;
	uint64_t before = current(self), after;

	send_inside(self, length, total);
	EXPECT_EQ(total, box_stat(self->box).bytes);
	after = current(self);
	EXPECT_LE(before + total, after);
	EXPECT_LT(after, before + 8 * total);

	EXPECT_EQ(0, box_destroy(self->box, 0, NULL));
	after = current(self);
	/* A little stays with the processors, ready for the next charge. */
	EXPECT_LT(after, before + 4 * MIB);
}

TEST_F(memcg, short_messages_are_charged)
{
	sender_is_charged(self, 64);
}

TEST_F(memcg, messages_up_to_a_page_are_charged)
{
	sender_is_charged(self, 2048);
}

TEST_F(memcg, long_messages_are_charged)
{
	sender_is_charged(self, 256 * 1024);
}

TEST_F(memcg, mailboxes_are_charged)
{
	uint64_t before = current(self), after;
	pid_t pid = child_fork();

	if (!pid) {
		struct mailbox_create args = create_args();

		args.flags = MAILBOX_PERMANENT;
		ASSERT_EQ(0, write_text(file_of(self, "cgroup.procs"), "0"));
		for (int i = 0; i < 5000; i++) {
			int fd = box_create(self->device, &args);

			ASSERT_LE(0, fd);
			close(fd);
		}
		_exit(KSFT_PASS);
	}
	child_done(pid);
	after = current(self);
	EXPECT_LT(before + 5000 * 512, after);
	for (;;) {
		struct mailbox_stat entry;
		__u64 last = box_stat(self->box).id;

		if (box_list(self->device, &entry, 1, &last) != 1)
			break;
		EXPECT_EQ(0, box_destroy(self->device, entry.id, NULL));
	}
	EXPECT_LT(current(self), before + 4 * MIB);
}

/* Send until the memory of the cgroup ends; nothing is queued by the send that fails. */
static void hit_the_limit(FIXTURE_DATA(memcg) * self, size_t length)
{
	pid_t pid;

	ASSERT_EQ(0, write_text(file_of(self, "memory.max"), "16777216"));
	write_text(file_of(self, "memory.swap.max"), "0");
	pid = child_fork();
	if (!pid) {
		char *data = calloc(1, length);
		uint64_t sent = 0;
		int ret;

		ASSERT_EQ(0, write_text(file_of(self, "cgroup.procs"), "0"));
		do {
			ret = box_send_data(self->box, data, length);
		} while (!ret && (sent += length) < 64 * MIB);
		EXPECT_EQ(-ENOMEM, ret);
		EXPECT_EQ(sent, box_stat(self->box).bytes);
		_exit(KSFT_PASS);
	}
	child_done(pid);

	/* The mailbox goes on for others, and the memory comes back. */
	EXPECT_EQ(0, box_send_data(self->box, "data", 4));
	EXPECT_EQ(0, box_destroy(self->box, 0, NULL));
	EXPECT_LT(current(self), 4 * MIB);
}

TEST_F(memcg, limit_stops_short_messages)
{
	hit_the_limit(self, 64);
}

TEST_F(memcg, limit_stops_messages_up_to_a_page)
{
	hit_the_limit(self, 2048);
}

TEST_F(memcg, limit_stops_long_messages)
{
	hit_the_limit(self, 256 * 1024);
}

TEST_HARNESS_MAIN
