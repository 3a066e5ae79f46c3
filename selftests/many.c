// SPDX-License-Identifier: GPL-2.0
/*
 * Ten thousand mailboxes of an ordinary user, within the limits as they are.
 */
#include "world.h"

#define ONE  1000
#define MANY 10000

static __u64 ids[MANY];
static int many;

/* Every second one has a name. */
static const char *name_of(int i)
{
	static char name[32];

	if (i % 2 == 0)
		return NULL;
	snprintf(name, sizeof(name), "many-%05d", i);
	return name;
}

/* Permanent, so that as many descriptors are not needed. */
static void make(int device, int i)
{
	struct mailbox_create args = create_args();
	int fd;

	args.flags = MAILBOX_PERMANENT;
	if (name_of(i))
		strcpy(args.name, name_of(i));
	fd = box_create(device, &args);
	ASSERT_LE(0, fd);
	ids[i] = args.id;
	close(fd);
}

static int reach(int device, int i, __u32 rights)
{
	return name_of(i) ? box_open(device, 0, name_of(i), rights) :
			    box_open(device, ids[i], NULL, rights);
}

static void destroy(int device, int i)
{
	if (name_of(i))
		EXPECT_EQ(0, box_destroy(device, 0, name_of(i)));
	else
		EXPECT_EQ(0, box_destroy(device, ids[i], NULL));
}

/* The walk meets each @every-th mailbox once, in order, with its own name. */
static void walk(int device, int nr, int every)
{
	static struct mailbox_stat entries[512];
	__u64 after = 0;
	int i = 0, got, j;

	while ((got = box_list(device, entries, nr, &after)) > 0) {
		ASSERT_GE(nr, got);
		for (j = 0; j < got; j++, i += every) {
			ASSERT_LT(i, many);
			ASSERT_EQ(ids[i], entries[j].id);
			ASSERT_STREQ(name_of(i) ? name_of(i) : "", entries[j].name);
		}
		ASSERT_EQ(entries[got - 1].id, after);
	}
	EXPECT_EQ(0, got);
	EXPECT_EQ(many, i);
}

static void use_a_sample(int device)
{
	for (int i = 0; i < many; i += 99) {
		int fd = reach(device, i, RIGHTS_ALL);
		char text[16];

		ASSERT_LE(0, fd);
		EXPECT_EQ(ids[i], box_stat(fd).id);
		snprintf(text, sizeof(text), "%d", i);
		EXPECT_EQ(0, box_send_text(fd, text, 0, 0));
		close(fd);
	}
	for (int i = 0; i < many; i += 99) {
		int fd = reach(device, i, RIGHTS_ALL);
		char text[16];

		ASSERT_LE(0, fd);
		EXPECT_LE(1, box_receive_text(fd, text, sizeof(text)));
		EXPECT_EQ(i, atoi(text));
		EXPECT_EQ(-EAGAIN, box_receive_text(fd, text, sizeof(text)));
		close(fd);
	}
}

static void live_with_many(int device)
{
	struct usage before = usage_of_caller(device);
	struct mailbox_create args = create_args();
	/* One that has a name. */
	const int taken = many / 2 + 1;
	int fd;

	ASSERT_LE(before.mailboxes + many, device_info(device).max_mailboxes);
	for (int i = 0; i < many; i++)
		make(device, i);
	EXPECT_EQ(before.mailboxes + many, usage_of_caller(device).mailboxes);
	for (int i = 1; i < many; i++)
		ASSERT_LT(ids[i - 1], ids[i]);

	walk(device, 512, 1);
	walk(device, 7, 1);
	use_a_sample(device);

	strcpy(args.name, name_of(taken));
	EXPECT_EQ(-EEXIST, box_create(device, &args));
	for (int i = 1; i < many; i += 2)
		destroy(device, i);
	EXPECT_EQ(-ENOENT, reach(device, taken, RIGHTS_ALL));
	walk(device, 100, 2);

	/* The name is free, the id is not used again. */
	fd = box_create(device, &args);
	ASSERT_LE(0, fd);
	EXPECT_LT(ids[many - 1], args.id);
	close(fd);
	for (int i = 0; i < many; i += 2)
		destroy(device, i);
	EXPECT_USAGE(device, before);
}

TEST_TIMEOUT(ten_thousand_mailboxes, 200)
{
	struct mailbox_stat entry;
	int device = device_open();
	__u64 after = 0;

	/* Kernels that look for faults take long for each of them. */
	many = effort(100) < 100 ? MANY / 10 : MANY;
	/* The walk sees what its caller could open: root would see all. */
	EXPECT_EQ(0, box_list(device, &entry, 1, &after));
	AS_USER(ONE, live_with_many(device));
	after = 0;
	EXPECT_EQ(0, box_list(device, &entry, 1, &after));
	close(device);
}

/* Half of them go, and as many come, while somebody walks. */
TEST_TIMEOUT(walk_while_others_come_and_go, 200)
{
	static bool seen[MANY];
	struct mailbox_stat entries[10];
	int device = device_open();
	int nr = MANY / 10, got, next = 1;
	__u64 after = 0, last = 0;

	for (int i = 0; i < nr; i++)
		make(device, i);
	while ((got = box_list(device, entries, ARRAY_SIZE(entries), &after)) > 0) {
		for (int j = 0; j < got; j++) {
			ASSERT_LT(last, entries[j].id);
			last = entries[j].id;
			for (int i = 0; i < nr; i++) {
				if (ids[i] != last)
					continue;
				EXPECT_FALSE(seen[i]);
				seen[i] = true;
			}
		}
		/* Every second of the old ones goes; those that come go to the end. */
		for (int i = 0; i < 5 && next < nr; i++, next += 2) {
			destroy(device, next);
			ids[next] = 0;
			close(box_new(device));
		}
	}
	EXPECT_EQ(0, got);
	for (int i = 0; i < nr; i += 2)
		EXPECT_TRUE(seen[i]);
	for (int i = 0; i < nr; i++)
		if (ids[i])
			destroy(device, i);
	close(device);
}

TEST_HARNESS_MAIN
