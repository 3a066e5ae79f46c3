// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite mailbox_message: what stands alone in message.c, which is the sizes,
 * their charge, and the stash. Charges go to the quota of the test module.
 */
#include <kunit/test.h>

#include "message.c"

struct world {
	struct mbx_user *user, *other;
	struct mbx_stash stash;
	struct mbx_message *message[STASH_MAX_NR + 1];
};

static int world_init(struct kunit *test)
{
	struct world *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);
	u32 i;

	if (!w)
		return -ENOMEM;
	/* Stand-ins: the stash compares users, and follows none. */
	w->user = kunit_kzalloc(test, sizeof(*w->user), GFP_KERNEL);
	w->other = kunit_kzalloc(test, sizeof(*w->other), GFP_KERNEL);
	if (!w->user || !w->other)
		return -ENOMEM;
	for (i = 0; i < ARRAY_SIZE(w->message); i++) {
		w->message[i] = kunit_kzalloc(test, MBX_MESSAGE_OBJECT, GFP_KERNEL);
		if (!w->message[i])
			return -ENOMEM;
		w->message[i]->room = MBX_INLINE;
		w->message[i]->charge.user = w->user;
	}
	test->priv = w;
	return 0;
}

static void room_fits_and_is_classed(struct kunit *test)
{
	u32 length;

	for (length = 0; length < 4 * PAGE_SIZE; length += 1 + length / 64) {
		u32 room = room_for(length);

		KUNIT_ASSERT_GE(test, room, length);
		KUNIT_ASSERT_EQ(test, room <= MBX_INLINE, length <= MBX_INLINE);
		KUNIT_ASSERT_EQ(test, room <= PAGE_SIZE, length <= PAGE_SIZE);
		KUNIT_ASSERT_GE(test, footprint(room),
				MBX_MESSAGE_OBJECT + length - min_t(u32, length, MBX_INLINE));
	}
	KUNIT_EXPECT_EQ(test, room_for(PAGE_SIZE), (u32)PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, room_for(PAGE_SIZE + 1), (u32)(2 * PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, nr_pages(PAGE_SIZE + 1), 2u);
}

static void message_pays_for_its_memory(struct kunit *test)
{
	static const u32 lengths[] = { 0, 1000, PAGE_SIZE, 3 * PAGE_SIZE + 1 };
	struct mbx_user *user = mbx_user_get(KUIDT_INIT(1000));
	u32 i;

	KUNIT_ASSERT_FALSE(test, IS_ERR(user));
	/* Not the name of the real one, which may be there too. */
	message_cache = kmem_cache_create("mailbox_test", MBX_MESSAGE_OBJECT, 0, 0, NULL);
	if (!message_cache)
		mbx_user_put(user);
	KUNIT_ASSERT_NOT_NULL(test, message_cache);

	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		struct mbx_message *msg = mbx_message_new(user, lengths[i]);

		KUNIT_EXPECT_FALSE(test, IS_ERR(msg));
		if (IS_ERR(msg))
			break;
		KUNIT_EXPECT_EQ(test, atomic_long_read(&user->messages), 1l);
		KUNIT_EXPECT_EQ(test, atomic_long_read(&user->bytes),
				(long)footprint(room_for(lengths[i])));
		mbx_message_free(msg);
		KUNIT_EXPECT_EQ(test, atomic_long_read(&user->messages), 0l);
		KUNIT_EXPECT_EQ(test, atomic_long_read(&user->bytes), 0l);
	}
	kmem_cache_destroy(message_cache);
	mbx_user_put(user);
}

static void stash_keeps_so_many(struct kunit *test)
{
	struct world *w = test->priv;
	struct mbx_message *msg;
	u32 i;

	for (i = 0; i < STASH_MAX_NR; i++)
		KUNIT_EXPECT_TRUE(test, mbx_stash_put(&w->stash, w->message[i]));
	KUNIT_EXPECT_FALSE(test, mbx_stash_put(&w->stash, w->message[i]));

	msg = mbx_stash_take(&w->stash, w->user, 0);
	KUNIT_ASSERT_NOT_NULL(test, msg);
	KUNIT_EXPECT_EQ(test, w->stash.nr, STASH_MAX_NR - 1u);
	KUNIT_EXPECT_TRUE(test, mbx_stash_put(&w->stash, msg));
}

static void stash_keeps_short_ones(struct kunit *test)
{
	struct world *w = test->priv;

	w->message[0]->room = MBX_INLINE + 1;
	KUNIT_EXPECT_FALSE(test, mbx_stash_put(&w->stash, w->message[0]));
	KUNIT_EXPECT_TRUE(test, mbx_stash_put(&w->stash, w->message[1]));
	KUNIT_EXPECT_NULL(test, mbx_stash_take(&w->stash, w->user, MBX_INLINE + 1));
	KUNIT_EXPECT_PTR_EQ(test, mbx_stash_take(&w->stash, w->user, MBX_INLINE), w->message[1]);
	KUNIT_EXPECT_NULL(test, mbx_stash_take(&w->stash, w->user, 0));
}

/* One that another has paid for would let a user exceed its quota. */
static void stash_gives_to_who_paid(struct kunit *test)
{
	struct world *w = test->priv;

	w->message[1]->charge.user = w->other;
	mbx_stash_put(&w->stash, w->message[0]);
	mbx_stash_put(&w->stash, w->message[1]);
	mbx_stash_put(&w->stash, w->message[2]);
	KUNIT_EXPECT_PTR_EQ(test, mbx_stash_take(&w->stash, w->other, 0), w->message[1]);
	KUNIT_EXPECT_NULL(test, mbx_stash_take(&w->stash, w->other, 0));
	KUNIT_EXPECT_EQ(test, w->stash.nr, 2u);
}

static void stash_gives_all_back(struct kunit *test)
{
	struct world *w = test->priv;
	struct mbx_message *msg;
	u32 i, nr = 0;

	for (i = 0; i < 3; i++)
		mbx_stash_put(&w->stash, w->message[i]);
	for (msg = mbx_stash_empty(&w->stash); msg; msg = msg->next)
		nr++;
	KUNIT_EXPECT_EQ(test, nr, 3u);
	KUNIT_EXPECT_EQ(test, w->stash.nr, 0u);
	KUNIT_EXPECT_NULL(test, mbx_stash_empty(&w->stash));
}

static struct kunit_case cases[] = {
	KUNIT_CASE(room_fits_and_is_classed),
	KUNIT_CASE(message_pays_for_its_memory),
	KUNIT_CASE(stash_keeps_so_many),
	KUNIT_CASE(stash_keeps_short_ones),
	KUNIT_CASE(stash_gives_to_who_paid),
	KUNIT_CASE(stash_gives_all_back),
	{},
};

static struct kunit_suite suite = {
	.name = "mailbox_message",
	.init = world_init,
	.test_cases = cases,
};

kunit_test_suite(suite);
