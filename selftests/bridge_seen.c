// SPDX-License-Identifier: GPL-2.0
/*
 * The memory of a route of the bridge: what is in it when a bridge was killed, and which files it
 * refuses.
 */
#include <signal.h>
#include <sys/wait.h>

#include "common.h"

/* The very code of the bridge: it is in no library. */
#include "seen.c"

#define BOOT	   "0123456789abcdef0123456789abcdef"
#define OTHER_BOOT "fedcba9876543210fedcba9876543210"

FIXTURE(bridge_seen)
{
	char folder[64];
	char file[80];
	char text[512];
	struct seen seen;
};

static int add(struct seen_slot *slot, uint64_t sequence, const char *reply, uint64_t time)
{
	const struct seen_message message = { .sequence = sequence };

	return seen_add(slot, &message, reply, time, 1);
}

static int open_memory(FIXTURE_DATA(bridge_seen) * self, const char *boot, unsigned int nr,
		       struct seen *seen)
{
	return seen_open(seen, self->folder, "r", boot, nr, self->text, sizeof(self->text));
}

FIXTURE_SETUP(bridge_seen)
{
	/* Of the virtual machine all is in memory. */
	snprintf(self->folder, sizeof(self->folder), "%s/seen-%d",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm", getpid());
	snprintf(self->file, sizeof(self->file), "%s/r.seen", self->folder);
	ASSERT_EQ(0, open_memory(self, BOOT, 4, &self->seen)) TH_LOG("%s", self->text);
}

FIXTURE_TEARDOWN(bridge_seen)
{
	char path[80];

	seen_close(&self->seen);
	unlink(self->file);
	snprintf(path, sizeof(path), "%s/r.lock", self->folder);
	unlink(path);
	rmdir(self->folder);
}

TEST_F(bridge_seen, begins_with_nothing)
{
	unsigned int i;

	EXPECT_TRUE(self->seen.anew);
	ASSERT_EQ(4, self->seen.nr);
	for (i = 0; i < 4; i++)
		EXPECT_EQ(0, self->seen.slots[i].stream_sequence);
}

TEST_F(bridge_seen, second_bridge_is_refused)
{
	struct seen other;

	EXPECT_EQ(-EBUSY, open_memory(self, BOOT, 4, &other));
	EXPECT_TRUE(strstr(self->text, "another bridge has this route"));
}

TEST_F(bridge_seen, keeps_what_is_in_use)
{
	ASSERT_EQ(0, add(&self->seen.slots[2], 77, "reply.a", 5));
	self->seen.slots[2].send.sequence = 9;
	seen_close(&self->seen);

	ASSERT_EQ(0, open_memory(self, BOOT, 4, &self->seen));
	EXPECT_FALSE(self->seen.anew);
	EXPECT_EQ(77, self->seen.slots[2].stream_sequence);
	EXPECT_STREQ("reply.a", seen_reply(&self->seen.slots[2]));
	EXPECT_EQ(1, self->seen.slots[2].band);
	EXPECT_TRUE(seen_sent(&self->seen.slots[2]));
	EXPECT_EQ(0, self->seen.slots[1].stream_sequence);
}

TEST_F(bridge_seen, grows_and_shrinks_with_what_is_in_use)
{
	unsigned int i;

	for (i = 1; i < 4; i++)
		ASSERT_EQ(0, add(&self->seen.slots[i], 70 + i, "reply", 5));
	self->seen.head->last = 1234;
	seen_close(&self->seen);

	ASSERT_EQ(0, open_memory(self, BOOT, 1, &self->seen));
	ASSERT_EQ(3, self->seen.nr);
	for (i = 0; i < 3; i++)
		EXPECT_EQ(71 + i, self->seen.slots[i].stream_sequence);
	seen_close(&self->seen);

	ASSERT_EQ(0, open_memory(self, BOOT, 100, &self->seen));
	ASSERT_EQ(100, self->seen.nr);
	EXPECT_EQ(73, self->seen.slots[2].stream_sequence);
	EXPECT_EQ(0, self->seen.slots[3].stream_sequence);
	EXPECT_EQ(1234, self->seen.head->last);
}

TEST_F(bridge_seen, other_boot_begins_anew)
{
	ASSERT_EQ(0, add(&self->seen.slots[0], 77, "reply", 5));
	seen_close(&self->seen);
	ASSERT_EQ(0, open_memory(self, OTHER_BOOT, 4, &self->seen));
	EXPECT_TRUE(self->seen.anew);
	EXPECT_EQ(0, self->seen.slots[0].stream_sequence);
}

TEST_F(bridge_seen, other_stream_is_forgotten)
{
	EXPECT_TRUE(seen_stream(&self->seen, "mbx-jobs", 100));
	ASSERT_EQ(0, add(&self->seen.slots[0], 77, "reply", 5));
	self->seen.head->last = 77;
	EXPECT_TRUE(seen_stream(&self->seen, "mbx-jobs", 100));
	EXPECT_EQ(77, self->seen.slots[0].stream_sequence);
	/* The same name, made again. */
	EXPECT_FALSE(seen_stream(&self->seen, "mbx-jobs", 101));
	EXPECT_EQ(0, self->seen.slots[0].stream_sequence);
	EXPECT_EQ(0, self->seen.head->last);
}

/* A message that is done, with the first slot. */
static void do_one(FIXTURE_DATA(bridge_seen) * self, uint64_t sequence, uint64_t hash,
		   uint64_t time)
{
	const struct seen_message message = { sequence, 1000 + (int64_t)time, hash };
	struct seen_slot *slot = &self->seen.slots[0];

	seen_add(slot, &message, "reply", time, 0);
	seen_remember_id(&self->seen, slot, time);
	seen_remember(&self->seen, slot);
	seen_free(slot);
}

/* By number. */
static bool remembers(const FIXTURE_DATA(bridge_seen) * self, uint64_t sequence, uint64_t time)
{
	const struct seen_message message = { sequence, 1000 + (int64_t)time, 0 };

	return seen_remembers(&self->seen, &message);
}

TEST_F(bridge_seen, remembers_what_was_done)
{
	do_one(self, 77, 123456789, 500);
	do_one(self, 78, 0, 501);
	seen_close(&self->seen);
	ASSERT_EQ(0, open_memory(self, BOOT, 4, &self->seen));
	EXPECT_TRUE(remembers(self, 77, 500));
	EXPECT_TRUE(remembers(self, 78, 501));
	/* Another one under the same number, or of another number. */
	EXPECT_FALSE(remembers(self, 77, 501));
	EXPECT_FALSE(remembers(self, 77 + SEEN_RECENT, 500));
	EXPECT_FALSE(remembers(self, 79, 500));
	EXPECT_TRUE(seen_remembers_id(&self->seen, 123456789, 500));
	EXPECT_FALSE(seen_remembers_id(&self->seen, 123456789, 501));
	EXPECT_FALSE(seen_remembers_id(&self->seen, 123456788, 0));
	EXPECT_FALSE(seen_remembers_id(&self->seen, 0, 0));
	seen_close(&self->seen);

	/* With more slots. */
	ASSERT_EQ(0, open_memory(self, BOOT, 100, &self->seen));
	EXPECT_TRUE(remembers(self, 77, 500));
	EXPECT_TRUE(seen_remembers_id(&self->seen, 123456789, 500));
	seen_close(&self->seen);

	ASSERT_EQ(0, open_memory(self, OTHER_BOOT, 4, &self->seen));
	EXPECT_FALSE(remembers(self, 77, 500));
	EXPECT_FALSE(seen_remembers_id(&self->seen, 123456789, 0));
}

TEST_F(bridge_seen, other_stream_has_other_numbers_and_the_same_ids)
{
	EXPECT_TRUE(seen_stream(&self->seen, "mbx-jobs", 100));
	do_one(self, 77, 123456789, 500);
	EXPECT_TRUE(seen_stream(&self->seen, "mbx-jobs", 100));
	EXPECT_TRUE(remembers(self, 77, 500));
	EXPECT_FALSE(seen_stream(&self->seen, "mbx-jobs", 101));
	EXPECT_FALSE(remembers(self, 77, 500));
	EXPECT_TRUE(seen_remembers_id(&self->seen, 123456789, 500));
}

TEST_F(bridge_seen, last_ones_are_remembered)
{
	/* As good as FNV-1a: all bits of the number matter to all of the product. */
	const uint64_t mix = UINT64_C(0x9e3779b97f4a7c15);
	uint64_t number, ids = 0;

	for (number = 1; number <= 3 * SEEN_RECENT; number++)
		do_one(self, number, number * mix >> 7, number);
	/* Those of the block of the last one, which is not full, are not among the others. */
	for (number = 1; number <= 3 * SEEN_RECENT; number++)
		ASSERT_EQ(number >= 2 * SEEN_RECENT + SEEN_RECENT_BLOCK,
			  remembers(self, number, number));
	/* One that took long does not take the place of those. */
	do_one(self, SEEN_RECENT, 0, SEEN_RECENT);
	EXPECT_TRUE(remembers(self, 3 * SEEN_RECENT, 3 * SEEN_RECENT));
	/* The oldest of a set goes first. */
	for (number = 3 * SEEN_RECENT - 1023; number <= 3 * SEEN_RECENT; number++)
		EXPECT_TRUE(seen_remembers_id(&self->seen, number * mix >> 7, number));
	for (number = 1; number <= 3 * SEEN_RECENT; number++)
		ids += seen_remembers_id(&self->seen, number * mix >> 7, 0);
	EXPECT_EQ(SEEN_RECENT_IDS, ids);
}

TEST_F(bridge_seen, new_reply_replaces_the_old_one)
{
	struct seen_slot *slot = &self->seen.slots[0];
	char longer[SEEN_REPLY_SIZE + 1];

	memset(longer, 'x', SEEN_REPLY_SIZE);
	longer[SEEN_REPLY_SIZE] = 0;
	ASSERT_EQ(0, add(slot, 77, "first", 5));
	ASSERT_EQ(0, seen_renew(slot, "second", 6));
	EXPECT_STREQ("second", seen_reply(slot));
	ASSERT_EQ(0, seen_renew(slot, "third", 7));
	EXPECT_STREQ("third", seen_reply(slot));
	EXPECT_EQ(-ENAMETOOLONG, seen_renew(slot, longer, 8));
	EXPECT_STREQ("third", seen_reply(slot));
	EXPECT_EQ(7, slot->time);
	EXPECT_EQ(-ENAMETOOLONG, add(&self->seen.slots[1], 78, longer, 8));
	EXPECT_EQ(0, self->seen.slots[1].stream_sequence);
}

TEST_F(bridge_seen, file_of_another_kind_is_refused_and_kept)
{
	struct stat stat_then;

	self->seen.head->version++;
	seen_close(&self->seen);
	EXPECT_EQ(-EBADMSG, open_memory(self, BOOT, 4, &self->seen));
	EXPECT_TRUE(strstr(self->text, self->file));
	EXPECT_EQ(0, stat(self->file, &stat_then));

	/* Shorter than it says. */
	ASSERT_EQ(0, truncate(self->file, sizeof(struct seen_head)));
	EXPECT_EQ(-EBADMSG, open_memory(self, BOOT, 4, &self->seen));
	ASSERT_EQ(0, truncate(self->file, 3));
	EXPECT_EQ(-EBADMSG, open_memory(self, BOOT, 4, &self->seen));
	ASSERT_EQ(0, unlink(self->file));
	ASSERT_EQ(0, open_memory(self, BOOT, 4, &self->seen));
}

TEST_F(bridge_seen, file_that_was_not_finished_does_not_matter)
{
	char path[100];
	int fd;

	snprintf(path, sizeof(path), "%s.new", self->file);
	ASSERT_EQ(0, add(&self->seen.slots[0], 77, "reply", 5));
	seen_close(&self->seen);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	ASSERT_LE(0, fd);
	close(fd);
	ASSERT_EQ(0, open_memory(self, BOOT, 8, &self->seen));
	EXPECT_EQ(77, self->seen.slots[0].stream_sequence);
	EXPECT_EQ(-1, access(path, F_OK));
}

TEST_F(bridge_seen, folder_that_is_written_to_a_disk_is_refused)
{
	struct seen other;

	EXPECT_EQ(-EINVAL,
		  seen_open(&other, "/proc", "r", BOOT, 4, self->text, sizeof(self->text)));
	EXPECT_TRUE(strstr(self->text, "'state'"));
}

/* What a bridge does, until it is killed: the kernel writes the numbers. */
static void send_for_ever(FIXTURE_DATA(bridge_seen) * self, int box)
{
	struct seen_slot *slot;
	uint64_t number;

	for (number = 1;; number++) {
		slot = &self->seen.slots[number % self->seen.nr];
		seen_free(slot);
		add(slot, number, "reply", 5);
		slot->send.size = sizeof(slot->send);
		slot->send.flags = MAILBOX_NONBLOCK;
		slot->send.type = number;
		/* Full: that is enough. */
		if (ioctl(box, MAILBOX_IOC_SEND, &slot->send))
			pause();
	}
}

TEST_F(bridge_seen, killed_sender_has_the_number_of_what_it_sent)
{
	struct mailbox_stat stat;
	unsigned int round, i;
	uint64_t newest;
	int box, device, status;
	pid_t child;

	device = device_open();
	for (round = 0; round < 200; round++) {
		box = box_new(device);
		for (i = 0; i < self->seen.nr; i++)
			seen_free(&self->seen.slots[i]);
		child = fork();
		ASSERT_LE(0, child);
		if (!child)
			send_for_ever(self, box);
		while (!(stat = box_stat(box)).sent)
			sched_yield();
		for (i = 0; i < round * 7 % 100; i++)
			sched_yield();
		ASSERT_EQ(0, kill(child, SIGKILL));
		ASSERT_EQ(child, waitpid(child, &status, 0));

		/* The last number in the file is that of the mailbox: none was sent without. */
		newest = 0;
		for (i = 0; i < self->seen.nr; i++)
			if (self->seen.slots[i].send.sequence > newest)
				newest = self->seen.slots[i].send.sequence;
		stat = box_stat(box);
		EXPECT_EQ(stat.sent, newest);
		close(box);
	}
	close(device);
}

TEST_HARNESS_MAIN
