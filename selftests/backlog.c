// SPDX-License-Identifier: GPL-2.0
/*
 * A hundred thousand messages of mixed types and priorities in one mailbox, taken out
 * again by every kind of choice and compared with a sorted list of what is left.
 */
#include "world.h"

#define ONE	   1000
#define TYPES	   1000
#define PRIORITIES 100

struct item {
	uint64_t sequence;
	uint32_t type;
	uint32_t priority;
	pid_t sender;
	bool gone;
};

/* Filled by two processes. */
static struct item *items;
static uint32_t backlog;

static uint32_t below(uint64_t *random, uint32_t limit)
{
	*random = *random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (*random >> 33) % limit;
}

static void send_some(int box, uint64_t seed, uint32_t from, uint32_t to)
{
	uint64_t random = seed;

	for (uint32_t i = from; i < to; i++) {
		struct item item = {
			.type = below(&random, TYPES),
			.priority = below(&random, PRIORITIES),
			.sender = getpid(),
		};
		struct mailbox_send args = send_args(&item, sizeof(item.sequence) + i % 17);

		args.type = item.type;
		args.priority = item.priority;
		ASSERT_EQ(0, box_send(box, &args));
		item.sequence = args.sequence;
		ASSERT_LE(1, item.sequence);
		ASSERT_LE(item.sequence, backlog);
		items[item.sequence - 1] = item;
	}
}

/* A third comes from another process, in one piece in the middle. */
static pid_t fill(int box)
{
	pid_t pid;

	backlog = effort(100000);
	items = mmap(NULL, backlog * sizeof(*items), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_TRUE(items != MAP_FAILED);
	send_some(box, 1, 0, backlog / 3);
	pid = child_fork();
	if (!pid) {
		send_some(box, 2, backlog / 3, backlog / 3 * 2);
		_exit(KSFT_PASS);
	}
	child_done(pid);
	send_some(box, 3, backlog / 3 * 2, backlog);
	EXPECT_EQ(backlog, box_stat(box).messages);
	return pid;
}

static int by_order(const void *a, const void *b)
{
	const struct item *x = *(struct item *const *)a, *y = *(struct item *const *)b;

	if (x->priority != y->priority)
		return x->priority > y->priority ? -1 : 1;
	return x->sequence < y->sequence ? -1 : 1;
}

static int by_type(const void *a, const void *b)
{
	const struct item *x = *(struct item *const *)a, *y = *(struct item *const *)b;

	if (x->type != y->type)
		return x->type < y->type ? -1 : 1;
	return by_order(a, b);
}

/* What is left, sorted; how many there are. */
static uint32_t left(struct item **sorted, int (*compare)(const void *, const void *))
{
	uint32_t nr = 0;

	for (uint32_t i = 0; i < backlog; i++)
		if (!items[i].gone)
			sorted[nr++] = &items[i];
	qsort(sorted, nr, sizeof(*sorted), compare);
	return nr;
}

static void same(const struct item *item, const struct mailbox_receive *args)
{
	ASSERT_EQ(item->sequence, args->sequence);
	ASSERT_EQ(item->type, args->type);
	ASSERT_EQ(item->priority, args->priority);
	ASSERT_EQ(item->sender, args->pid);
}

static int choose(int box, __u32 flags, __u32 select, __u64 match, struct mailbox_receive *args)
{
	static char data[64];

	*args = receive_args(data, sizeof(data));
	args->flags |= flags;
	args->select = select;
	args->match = match;
	return box_receive(box, args);
}

static void take(int box, __u32 select, __u64 match, struct item *expected)
{
	struct mailbox_receive args;

	ASSERT_EQ(0, choose(box, 0, select, match, &args));
	same(expected, &args);
	expected->gone = true;
}

static bool is_wanted(const struct item *item, __u32 select, uint64_t match)
{
	switch (select) {
	case MAILBOX_SELECT_TYPE:
		return item->type == match;
	case MAILBOX_SELECT_TYPE_UP_TO:
		return item->type <= match;
	case MAILBOX_SELECT_TYPE_NOT:
		return item->type != match;
	case MAILBOX_SELECT_SENDER:
		return (uint64_t)item->sender == match;
	case MAILBOX_SELECT_PRIORITY:
		return item->priority >= match;
	default:
		return true;
	}
}

/* Take up to @max of what the choice means; all of it, if there is no more. */
static void take_in_order(int box, struct item **sorted, __u32 select, uint64_t match, uint32_t max)
{
	uint32_t nr = left(sorted, select == MAILBOX_SELECT_TYPE_UP_TO ? by_type : by_order);
	struct mailbox_receive args;
	uint32_t taken = 0;

	for (uint32_t i = 0; i < nr && taken < max; i++) {
		if (!is_wanted(sorted[i], select, match))
			continue;
		take(box, select, match, sorted[i]);
		taken++;
	}
	EXPECT_LT(0, taken);
	if (taken < max)
		EXPECT_EQ(select == MAILBOX_SELECT_SENDER ? -ESRCH : -EAGAIN,
			  choose(box, 0, select, match, &args));
}

/* Looks anywhere, takes nothing. */
static void look_by_index(int box, struct item **sorted)
{
	uint32_t nr = left(sorted, by_order);
	struct mailbox_receive args;
	uint64_t random = 4;

	for (int i = 0; i < 5000; i++) {
		uint32_t index = below(&random, nr);

		ASSERT_EQ(0, choose(box, MAILBOX_PEEK, MAILBOX_SELECT_INDEX, index, &args));
		same(sorted[index], &args);
	}
	EXPECT_EQ(-EAGAIN, choose(box, MAILBOX_PEEK, MAILBOX_SELECT_INDEX, nr, &args));
	EXPECT_EQ(nr, box_stat(box).messages);
}

static void take_the_rest(int box, struct item **sorted)
{
	static struct mailbox_receive entries[500];
	static char data[ARRAY_SIZE(entries)][64];
	uint32_t nr = left(sorted, by_order), at = 0;
	int done;

	do {
		for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
			entries[i] = receive_args(data[i], sizeof(data[i]));
			entries[i].flags = 0;
		}
		done = box_batch(box, MAILBOX_IOC_RECEIVE_BATCH, entries, sizeof(entries[0]),
				 ARRAY_SIZE(entries));
		for (int i = 0; i < done; i++, at++) {
			ASSERT_LT(at, nr);
			same(sorted[at], &entries[i]);
		}
	} while (done > 0);
	EXPECT_EQ(-EAGAIN, done);
	EXPECT_EQ(nr, at);
}

static int unbounded_box(int device)
{
	struct mailbox_create args = create_args();
	int fd;

	args.capacity = MAILBOX_CAPACITY_UNBOUNDED;
	fd = box_create(device, &args);
	ASSERT_LE(0, fd);
	return fd;
}

static void mix(int device)
{
	struct usage before = usage_of_caller(device);
	int box = unbounded_box(device);
	pid_t other = fill(box);
	struct item **sorted = calloc(backlog, sizeof(*sorted));

	ASSERT_TRUE(sorted);
	EXPECT_EQ(before.messages + backlog, usage_of_caller(device).messages);
	look_by_index(box, sorted);
	take_in_order(box, sorted, MAILBOX_SELECT_FIRST, 0, backlog / 7);
	for (uint64_t type = 0; type < 50; type++)
		take_in_order(box, sorted, MAILBOX_SELECT_TYPE, type * 20 + 7, backlog / 7);
	take_in_order(box, sorted, MAILBOX_SELECT_TYPE_UP_TO, 30, backlog / 7);
	take_in_order(box, sorted, MAILBOX_SELECT_TYPE_UP_TO, TYPES, backlog / 7);
	take_in_order(box, sorted, MAILBOX_SELECT_PRIORITY, PRIORITIES - 20, backlog / 7);
	take_in_order(box, sorted, MAILBOX_SELECT_TYPE_NOT, sorted[0]->type, backlog / 7);
	look_by_index(box, sorted);
	take_in_order(box, sorted, MAILBOX_SELECT_SENDER, getpid(), backlog / 50);
	take_in_order(box, sorted, MAILBOX_SELECT_SENDER, other, backlog);
	look_by_index(box, sorted);
	take_the_rest(box, sorted);

	EXPECT_EQ(0, box_stat(box).messages);
	EXPECT_EQ(0, box_stat(box).bytes);
	EXPECT_EQ(backlog, box_stat(box).received);
	close(box);
	EXPECT_USAGE(device, before);
	free(sorted);
}

TEST_TIMEOUT(mixed_choices_find_the_right_one, 280)
{
	int device = device_open();

	AS_USER(ONE, mix(device));
	close(device);
}

static void end_full(int device, bool destroy)
{
	struct usage before = usage_of_caller(device);
	int box = unbounded_box(device);

	fill(box);
	if (destroy) {
		struct usage usage;

		EXPECT_EQ(0, box_destroy(box, 0, NULL));
		usage = usage_of_caller(device);
		EXPECT_EQ(before.messages, usage.messages);
		EXPECT_EQ(before.bytes, usage.bytes);
	}
	close(box);
	EXPECT_USAGE(device, before);
}

TEST_TIMEOUT(destroy_with_a_backlog_returns_the_quota, 120)
{
	int device = device_open();

	AS_USER(ONE, end_full(device, true));
	close(device);
}

TEST_TIMEOUT(close_with_a_backlog_returns_the_quota, 120)
{
	int device = device_open();

	AS_USER(ONE, end_full(device, false));
	close(device);
}

TEST_HARNESS_MAIN
