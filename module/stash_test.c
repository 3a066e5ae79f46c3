// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite mailbox_stash: what a mailbox keeps for reuse, how much, and for whom. Quotas
 * are those of the test module.
 */
#include <kunit/test.h>
#include <linux/kthread.h>
#include <linux/sched.h>

#include "stash.c"

#define LONG_ROOM 4096
#define NR_LONG	  (MBX_KEEP_BYTES / (LONG_ROOM + MBX_MESSAGE_OBJECT))

struct world {
	struct mbx_user *user, *other;
	struct mbx_stash stash;
	struct mbx_message *spent;
	struct mbx_message *message[2 * MBX_KEEP_NR];
};

/* Messages without a payload, which the stash does not look at. */
static struct mbx_message *message_of(struct kunit *test, struct mbx_user *user, u32 room)
{
	struct mbx_message *msg = kunit_kzalloc(test, MBX_MESSAGE_OBJECT, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, msg);
	msg->room = room;
	msg->charge.user = user;
	msg->charge.bytes = MBX_MESSAGE_OBJECT + (room > MBX_INLINE ? room : 0);
	return msg;
}

static int world_init(struct kunit *test)
{
	struct world *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);
	u32 i;

	if (!w)
		return -ENOMEM;
	w->user = mbx_user_get(KUIDT_INIT(1001));
	w->other = mbx_user_get(KUIDT_INIT(1002));
	if (IS_ERR(w->user) || IS_ERR(w->other))
		return -ENOMEM;
	for (i = 0; i < ARRAY_SIZE(w->message); i++)
		w->message[i] = message_of(test, w->user, MBX_INLINE);
	test->priv = w;
	return 0;
}

static void world_exit(struct kunit *test)
{
	struct world *w = test->priv;

	mbx_stash_empty(&w->stash);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&w->user->keeping), 0l);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&w->other->keeping), 0l);
	KUNIT_EXPECT_EQ(test, refcount_read(&w->user->refs), 1u);
	mbx_user_put(w->user);
	mbx_user_put(w->other);
}

static bool put(struct world *w, struct mbx_message *msg)
{
	return mbx_stash_put(&w->stash, msg, &w->spent);
}

static u32 count(const struct mbx_message *msg)
{
	u32 nr = 0;

	for (; msg; msg = msg->next)
		nr++;
	return nr;
}

static void fill(struct kunit *test, u32 nr)
{
	struct world *w = test->priv;
	u32 i;

	for (i = 0; i < nr; i++)
		KUNIT_EXPECT_TRUE(test, put(w, w->message[i]));
}

static void the_first_is_the_spare(struct kunit *test)
{
	struct world *w = test->priv;

	KUNIT_EXPECT_NULL(test, mbx_stash_take(&w->stash));
	fill(test, 2);
	KUNIT_EXPECT_EQ(test, w->stash.nr, 1u);
	KUNIT_EXPECT_PTR_EQ(test, mbx_stash_take(&w->stash), w->message[0]);
	KUNIT_EXPECT_NULL(test, mbx_stash_take(&w->stash));
	mbx_stash_refill(&w->stash);
	KUNIT_EXPECT_PTR_EQ(test, mbx_stash_take(&w->stash), w->message[1]);
	mbx_stash_refill(&w->stash);
	KUNIT_EXPECT_NULL(test, mbx_stash_take(&w->stash));
}

/* A few need nobody's leave; for more, the user's quota is asked once. */
static void asks_before_it_keeps_many(struct kunit *test)
{
	struct world *w = test->priv;

	fill(test, 1 + FEW_NR);
	KUNIT_EXPECT_NULL(test, w->stash.keeper);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&w->user->keeping), 0l);
	KUNIT_EXPECT_TRUE(test, put(w, w->message[1 + FEW_NR]));
	KUNIT_EXPECT_PTR_EQ(test, w->stash.keeper, w->user);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&w->user->keeping), 1l);
	KUNIT_EXPECT_NULL(test, w->spent);
}

static void keeps_a_few_without_leave(struct kunit *test)
{
	struct world *w = test->priv;
	struct mbx_limits max;

	mbx_limits_read(&max);
	atomic_long_set(&w->user->keeping, max.bytes);
	fill(test, 1 + FEW_NR);
	KUNIT_EXPECT_FALSE(test, put(w, w->message[1 + FEW_NR]));
	KUNIT_EXPECT_FALSE(test, put(w, message_of(test, w->user, LONG_ROOM)));
	KUNIT_EXPECT_NULL(test, w->stash.keeper);
	KUNIT_EXPECT_NULL(test, w->spent);
	atomic_long_set(&w->user->keeping, 0);
}

static void keeps_so_many(struct kunit *test)
{
	struct world *w = test->priv;

	fill(test, 1 + MBX_KEEP_NR);
	KUNIT_EXPECT_NULL(test, w->spent);
	/* The newest stays, another makes way. */
	KUNIT_EXPECT_TRUE(test, put(w, w->message[1 + MBX_KEEP_NR]));
	KUNIT_EXPECT_EQ(test, count(w->spent), 1u);
	KUNIT_EXPECT_EQ(test, w->stash.nr, (u32)MBX_KEEP_NR);
	KUNIT_EXPECT_PTR_EQ(test, mbx_stash_pop(&w->stash), w->message[1 + MBX_KEEP_NR]);
}

/* All that one user's quota gives leave for is an eighth of it. */
static void keeps_an_eighth_of_the_quota(struct kunit *test)
{
	struct world *w = test->priv;
	struct mbx_limits max;
	unsigned long nr = 0;

	mbx_limits_read(&max);
	while (mbx_keep_begin(w->user))
		nr++;
	KUNIT_EXPECT_GT(test, nr, 0ul);
	KUNIT_EXPECT_LE(test, nr * 2 * MBX_KEEP_BYTES, max.bytes / 8);
	KUNIT_EXPECT_GT(test, (nr + 1) * 2 * MBX_KEEP_BYTES, max.bytes / 8);
	while (nr--)
		mbx_keep_end(w->user);
}

/* Long ones that pass now drive out short ones of earlier; both are bounded by bytes. */
static void keeps_what_passes_now(struct kunit *test)
{
	struct world *w = test->priv;
	u32 i;

	fill(test, 1 + MBX_KEEP_NR);
	for (i = 0; i < NR_LONG + 3; i++)
		KUNIT_EXPECT_TRUE(test, put(w, message_of(test, w->user, LONG_ROOM)));
	KUNIT_EXPECT_LE(test, w->stash.bytes, (u32)MBX_KEEP_BYTES);
	KUNIT_EXPECT_NOT_NULL(test, mbx_stash_find(&w->stash, w->user, LONG_ROOM));
	KUNIT_EXPECT_FALSE(test, put(w, message_of(test, w->user, MBX_KEEP_BYTES)));
}

/* Who has more than its lowered limit allows is not to send all of it again. */
static void keeps_few_beyond_the_limit(struct kunit *test)
{
	struct world *w = test->priv;

	fill(test, 1 + FEW_NR);
	atomic_long_set(&w->user->messages, LONG_MAX);
	KUNIT_EXPECT_FALSE(test, put(w, w->message[1 + FEW_NR]));
	atomic_long_set(&w->user->messages, 0);
	KUNIT_EXPECT_TRUE(test, put(w, w->message[1 + FEW_NR]));
}

static void finds_the_same_room(struct kunit *test)
{
	struct world *w = test->priv;
	struct mbx_message *longer = message_of(test, w->user, LONG_ROOM);

	KUNIT_EXPECT_TRUE(test, put(w, longer));
	KUNIT_EXPECT_TRUE(test, put(w, message_of(test, w->user, LONG_ROOM)));
	KUNIT_EXPECT_NULL(test, mbx_stash_find(&w->stash, w->user, MBX_INLINE));
	KUNIT_EXPECT_NULL(test, mbx_stash_find(&w->stash, w->user, 2 * LONG_ROOM));
	KUNIT_EXPECT_NOT_NULL(test, mbx_stash_find(&w->stash, w->user, LONG_ROOM));
	KUNIT_EXPECT_EQ(test, w->stash.nr, 0u);
	KUNIT_EXPECT_EQ(test, w->stash.bytes, 0u);
}

/* One that another has paid for would let a user exceed its quota. */
static void gives_to_who_paid(struct kunit *test)
{
	struct world *w = test->priv;

	w->message[1]->charge.user = w->other;
	fill(test, 3);
	KUNIT_EXPECT_PTR_EQ(test, mbx_stash_find(&w->stash, w->other, MBX_INLINE), w->message[1]);
	KUNIT_EXPECT_NULL(test, mbx_stash_find(&w->stash, w->other, MBX_INLINE));
	KUNIT_EXPECT_EQ(test, w->stash.nr, 1u);
}

/* Who has no leave does not use that of another, nor drives its messages out. */
static void keeps_few_of_another(struct kunit *test)
{
	struct world *w = test->priv;

	fill(test, 1 + MBX_KEEP_NR);
	KUNIT_EXPECT_FALSE(test, put(w, message_of(test, w->other, MBX_INLINE)));
	KUNIT_EXPECT_FALSE(test, put(w, message_of(test, w->other, LONG_ROOM)));
	KUNIT_EXPECT_NULL(test, w->spent);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&w->other->keeping), 0l);
}

static void gives_all_back(struct kunit *test)
{
	struct world *w = test->priv;

	fill(test, 1 + MBX_KEEP_NR);
	KUNIT_EXPECT_EQ(test, count(mbx_stash_empty(&w->stash)), 1u + MBX_KEEP_NR);
	KUNIT_EXPECT_EQ(test, w->stash.nr, 0u);
	KUNIT_EXPECT_EQ(test, w->stash.bytes, 0u);
	KUNIT_EXPECT_NULL(test, w->stash.keeper);
	KUNIT_EXPECT_NULL(test, mbx_stash_empty(&w->stash));
}

#define TURNS 100000

struct contest {
	struct mbx_stash *stash;
	spinlock_t lock;
	atomic_t held;
	atomic_t doubled;
};

/* Takes the only message there is, and puts it back. */
static void take_turn(struct contest *contest)
{
	struct mbx_message *msg = mbx_stash_take(contest->stash);

	if (!msg)
		return;
	if (atomic_xchg(&contest->held, 1))
		atomic_inc(&contest->doubled);
	cpu_relax();
	atomic_set(&contest->held, 0);
	spin_lock(&contest->lock);
	mbx_stash_put_spare(contest->stash, msg);
	spin_unlock(&contest->lock);
}

static int take_turns(void *data)
{
	while (!kthread_should_stop()) {
		take_turn(data);
		cond_resched();
	}
	return 0;
}

/* Without a lock, and yet to no two at once; where there are two processors. */
static void gives_the_spare_to_one(struct kunit *test)
{
	struct world *w = test->priv;
	struct contest contest = { .stash = &w->stash };
	struct task_struct *rival;
	int turn;

	spin_lock_init(&contest.lock);
	mbx_stash_put_spare(&w->stash, w->message[0]);
	rival = kthread_run(take_turns, &contest, "mailbox-rival");
	KUNIT_ASSERT_FALSE(test, IS_ERR(rival));
	for (turn = 0; turn < TURNS; turn++) {
		take_turn(&contest);
		cond_resched();
	}
	kthread_stop(rival);
	KUNIT_EXPECT_EQ(test, atomic_read(&contest.doubled), 0);
	KUNIT_EXPECT_PTR_EQ(test, mbx_stash_take(&w->stash), w->message[0]);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(the_first_is_the_spare),
	KUNIT_CASE(asks_before_it_keeps_many),
	KUNIT_CASE(keeps_a_few_without_leave),
	KUNIT_CASE(keeps_so_many),
	KUNIT_CASE(keeps_an_eighth_of_the_quota),
	KUNIT_CASE(keeps_what_passes_now),
	KUNIT_CASE(keeps_few_beyond_the_limit),
	KUNIT_CASE(finds_the_same_room),
	KUNIT_CASE(gives_to_who_paid),
	KUNIT_CASE(keeps_few_of_another),
	KUNIT_CASE(gives_all_back),
	KUNIT_CASE(gives_the_spare_to_one),
	{},
};

static struct kunit_suite suite = {
	.name = "mailbox_stash",
	.init = world_init,
	.exit = world_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
