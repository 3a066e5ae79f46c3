// SPDX-License-Identifier: GPL-2.0
/*
 * LIST: paging, order, entries of another size, and what a user may see.
 */
#include "common.h"

#define BOXES 20

FIXTURE(list)
{
	int device;
	int fds[BOXES];
	__u64 ids[BOXES];
};

FIXTURE_SETUP(list)
{
	unsigned int i;

	self->device = device_open();
	for (i = 0; i < BOXES; i++) {
		struct mailbox_create create = create_args();

		sprintf(create.name, "listed %u", i);
		self->fds[i] = box_create(self->device, &create);
		ASSERT_LE(0, self->fds[i]);
		self->ids[i] = create.id;
	}
}

FIXTURE_TEARDOWN(list)
{
	unsigned int i;

	for (i = 0; i < BOXES; i++)
		close(self->fds[i]);
	close(self->device);
}

/* Where the walk meets this test's mailboxes; others may exist. */
static int place_of(FIXTURE_DATA(list) * self, __u64 id)
{
	int i;

	for (i = 0; i < BOXES; i++)
		if (self->ids[i] == id)
			return i;
	return -1;
}

static void expect_walk(FIXTURE_DATA(list) * self, __u32 step)
{
	struct mailbox_stat entries[64];
	__u64 after = 0, last = 0;
	int nr, i, seen = 0;

	ASSERT_GE(ARRAY_SIZE(entries), step);
	do {
		nr = box_list(self->device, entries, step, &after);
		ASSERT_LE(0, nr);
		ASSERT_GE(step, nr);
		for (i = 0; i < nr; i++) {
			EXPECT_LT(last, entries[i].id);
			last = entries[i].id;
			if (place_of(self, last) >= 0)
				EXPECT_EQ(seen++, place_of(self, last));
		}
	} while (nr);
	EXPECT_EQ(BOXES, seen);
}

TEST_F(list, one_by_one)
{
	expect_walk(self, 1);
}

TEST_F(list, in_steps)
{
	expect_walk(self, 7);
}

TEST_F(list, all_at_once)
{
	expect_walk(self, 64);
}

TEST_F(list, an_entry_is_what_stat_says)
{
	struct mailbox_stat stat, entry;
	__u64 after = self->ids[4];

	ASSERT_EQ(0, box_send_text(self->fds[5], "something", 0, 0));
	stat = box_stat(self->fds[5]);
	poison(&entry, sizeof(entry));
	ASSERT_EQ(1, box_list(self->device, &entry, 1, &after));
	EXPECT_EQ(self->ids[5], after);
	EXPECT_EQ(0, memcmp(&stat, &entry, sizeof(stat)));
}

TEST_F(list, goes_on_after_an_id_that_is_gone)
{
	struct mailbox_stat entry;
	__u64 after = self->ids[9];

	ASSERT_EQ(0, box_destroy(self->fds[9], 0, NULL));
	ASSERT_EQ(0, box_destroy(self->fds[10], 0, NULL));
	ASSERT_EQ(1, box_list(self->device, &entry, 1, &after));
	EXPECT_EQ(self->ids[11], entry.id);
}

TEST_F(list, what_stays_is_seen_once_while_others_come_and_go)
{
	unsigned int seen[BOXES] = { 0 }, i;
	struct mailbox_stat entry;
	__u64 after = 0, last = 0;
	int churn[2] = { -1, -1 }, nr;

	for (i = 0; i < 1000; i++) {
		close(churn[i % 2]);
		churn[i % 2] = box_new(self->device);
		nr = box_list(self->device, &entry, 1, &after);
		ASSERT_LE(0, nr);
		if (!nr || entry.id > self->ids[BOXES - 1])
			break;
		EXPECT_LT(last, entry.id);
		last = entry.id;
		if (place_of(self, entry.id) >= 0)
			seen[place_of(self, entry.id)]++;
	}
	for (i = 0; i < BOXES; i++)
		EXPECT_EQ(1, seen[i]);
	close(churn[0]);
	close(churn[1]);
}

TEST_F(list, the_end_is_no_entries)
{
	struct mailbox_stat entry;
	__u64 after = UINT64_MAX;

	EXPECT_EQ(0, box_list(self->device, &entry, 1, &after));
	EXPECT_EQ(UINT64_MAX, after);
	after = self->ids[BOXES - 1];
	EXPECT_EQ(0, box_list(self->device, &entry, 1, &after));
}

TEST_F(list, no_more_entries_than_asked_for_are_written)
{
	struct mailbox_stat entries[3];
	__u64 after = 0;

	poison(entries, sizeof(entries));
	ASSERT_EQ(2, box_list(self->device, entries, 2, &after));
	EXPECT_TRUE(is_poison(&entries[2], sizeof(entries[2])));
	EXPECT_EQ(entries[1].id, after);
}

TEST_F(list, longer_entries_are_filled_with_zeros)
{
	struct {
		struct mailbox_stat stat;
		char more[100];
	} entries[3];
	struct mailbox_list args = {
		.size = sizeof(args),
		.entries = user_pointer(entries),
		.entry_size = sizeof(entries[0]),
		.nr = 2,
	};
	unsigned int i, j;

	poison(entries, sizeof(entries));
	ASSERT_EQ(0, call(self->device, MAILBOX_IOC_LIST, &args));
	ASSERT_EQ(2, args.nr);
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(sizeof(entries[0]), entries[i].stat.size);
		for (j = 0; j < sizeof(entries[0].more); j++)
			EXPECT_EQ(0, entries[i].more[j]);
	}
	EXPECT_EQ(self->ids[1], entries[1].stat.id);
	EXPECT_TRUE(is_poison(&entries[2], sizeof(entries[2])));
}

/* Bytes of an entry as the first programs know it. */
#define FIRST_SIZE 416

TEST_F(list, entries_of_an_earlier_version)
{
	char entries[3][FIRST_SIZE + 8];
	struct mailbox_list args = {
		.size = sizeof(args),
		.entries = user_pointer(entries),
		.nr = 2,
	};
	struct mailbox_stat whole[2];
	__u64 after = 0;
	__u32 i;

	ASSERT_EQ(2, box_list(self->device, whole, 2, &after));
	for (args.entry_size = FIRST_SIZE; args.entry_size <= FIRST_SIZE + 8;
	     args.entry_size += 8) {
		poison(entries, sizeof(entries));
		args.nr = 2;
		args.after = 0;
		EXPECT_EQ(0, call(self->device, MAILBOX_IOC_LIST, &args));
		EXPECT_EQ(2, args.nr);
		for (i = 0; i < 2; i++) {
			whole[i].size = args.entry_size;
			EXPECT_EQ(0, memcmp(&whole[i], entries[0] + i * args.entry_size,
					    args.entry_size));
		}
		EXPECT_TRUE(is_poison(entries[0] + 2 * args.entry_size, FIRST_SIZE));
	}
}

TEST_F(list, shorter_entries_are_einval)
{
	struct mailbox_stat entry;
	struct mailbox_list args = { .size = sizeof(args),
				     .entries = user_pointer(&entry),
				     .nr = 1 };
	const __u32 sizes[] = { 0, 1, 8, FIRST_SIZE - 8, FIRST_SIZE - 1 };
	unsigned int i;

	poison(&entry, sizeof(entry));
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		args.entry_size = sizes[i];
		EXPECT_EQ(-EINVAL, call(self->device, MAILBOX_IOC_LIST, &args));
	}
	EXPECT_TRUE(is_poison(&entry, sizeof(entry)));
}

TEST_F(list, an_entry_of_any_huge_size_does_not_overrun)
{
	struct mailbox_list args = { .size = sizeof(args), .entry_size = UINT32_MAX, .nr = 1 };

	args.entries = user_pointer(&args);
	EXPECT_GT(0, call(self->device, MAILBOX_IOC_LIST, &args));
}

TEST_F(list, shows_what_the_caller_could_open)
{
	static const struct {
		__u32 mode, others;
	} cases[] = {
		{ 0600, 0 },
		{ 0604, MAILBOX_RIGHT_RECEIVE },
		{ 0602, MAILBOX_RIGHT_SEND },
		{ 0601, MAILBOX_RIGHT_MANAGE },
		{ 0660, 0 },
		{ 0667, RIGHTS_ALL },
	};
	unsigned int i;

	if (!is_root())
		SKIP(return, "needs root");
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct mailbox_set set = { .size = sizeof(set),
					   .flags = MAILBOX_SET_MODE,
					   .mode = cases[i].mode };

		ASSERT_EQ(0, call(self->fds[i], MAILBOX_IOC_SET, &set));
	}
	become(1000, 1000);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct mailbox_stat entry;
		__u64 after = self->ids[i] - 1;
		int nr = box_list(self->device, &entry, 1, &after);

		ASSERT_LE(0, nr);
		EXPECT_EQ(!!cases[i].others, nr && entry.id == self->ids[i])
		TH_LOG("mode %o", cases[i].mode);
		if (nr && entry.id == self->ids[i])
			EXPECT_EQ(cases[i].others, entry.rights);
	}
}

TEST_F(list, the_owner_sees_its_own_whatever_the_mode)
{
	struct mailbox_create create = create_args();
	struct mailbox_stat entry;
	__u64 after;
	int fd;

	if (!is_root())
		SKIP(return, "needs root");
	become(1000, 1000);
	create.mode = 0;
	fd = box_create(self->device, &create);
	ASSERT_LE(0, fd);
	after = create.id - 1;
	ASSERT_EQ(1, box_list(self->device, &entry, 1, &after));
	EXPECT_EQ(create.id, entry.id);
	EXPECT_EQ(MAILBOX_RIGHT_MANAGE, entry.rights);
	close(fd);
}

TEST_F(list, passes_over_hundreds_that_the_caller_may_not_see)
{
	struct mailbox_create create;
	struct mailbox_stat entry;
	__u64 after = 0;
	int i;

	if (!is_root())
		SKIP(return, "needs root");
	for (i = 0; i < 600; i++)
		box_new(self->device);
	create = create_args();
	create.mode = 0604;
	ASSERT_LE(0, box_create(self->device, &create));
	become(1000, 1000);
	ASSERT_EQ(1, box_list(self->device, &entry, 1, &after));
	EXPECT_EQ(create.id, entry.id);
	EXPECT_EQ(create.id, after);
	EXPECT_EQ(0, box_list(self->device, &entry, 1, &after));
}

TEST_HARNESS_MAIN
