// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite mailbox_message: what stands alone in message.c, which is the sizes and
 * their charge. Charges go to the quota of the test module.
 */
#include <kunit/test.h>

#include "message.c"

/* No message has any here. */
void mbx_files_free(struct mbx_files *files)
{
}

static void room_fits_and_is_classed(struct kunit *test)
{
	u32 length;

	for (length = 0; length < 4 * PAGE_SIZE; length += 1 + length / 64) {
		u32 room = mbx_message_room(length);

		KUNIT_ASSERT_GE(test, room, length);
		KUNIT_ASSERT_EQ(test, room <= MBX_INLINE, length <= MBX_INLINE);
		KUNIT_ASSERT_EQ(test, room <= PAGE_SIZE, length <= PAGE_SIZE);
		KUNIT_ASSERT_GE(test, footprint(room),
				MBX_MESSAGE_OBJECT + length - min_t(u32, length, MBX_INLINE));
	}
	KUNIT_EXPECT_EQ(test, mbx_message_room(PAGE_SIZE), (u32)PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, mbx_message_room(PAGE_SIZE + 1), (u32)(2 * PAGE_SIZE));
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
				(long)footprint(mbx_message_room(lengths[i])));
		mbx_message_free(msg);
		KUNIT_EXPECT_EQ(test, atomic_long_read(&user->messages), 0l);
		KUNIT_EXPECT_EQ(test, atomic_long_read(&user->bytes), 0l);
	}
	kmem_cache_destroy(message_cache);
	mbx_user_put(user);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(room_fits_and_is_classed),
	KUNIT_CASE(message_pays_for_its_memory),
	{},
};

static struct kunit_suite suite = {
	.name = "mailbox_message",
	.test_cases = cases,
};

kunit_test_suite(suite);
