// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite mailbox_quota, of quota.c and share.c. Both are compiled in: the users
 * and the parameters are those of the test module, not of mailbox.ko.
 */
#include <kunit/test.h>
#include <linux/cred.h>
#include <linux/moduleparam.h>

#include "quota.c"
#include "share.c"

#define MAILBOXES 3
#define MESSAGES  5
#define BYTES	  1000

/* A case runs with few privileges only while it charges: see charge(). */
struct world {
	struct cred *few;
	struct mbx_user *user;
	ulong mailboxes, messages, bytes;
	uint message_size;
};

static int world_init(struct kunit *test)
{
	struct world *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);

	if (!w)
		return -ENOMEM;
	w->few = prepare_creds();
	if (!w->few)
		return -ENOMEM;
	cap_lower(w->few->cap_effective, CAP_SYS_RESOURCE);
	w->user = mbx_user_get(KUIDT_INIT(1000));
	if (IS_ERR(w->user)) {
		put_cred(w->few);
		return -ENOMEM;
	}
	w->mailboxes = max_mailboxes_per_user;
	w->messages = max_messages_per_user;
	w->bytes = max_bytes_per_user;
	w->message_size = max_message_size;
	max_mailboxes_per_user = MAILBOXES;
	max_messages_per_user = MESSAGES;
	max_bytes_per_user = BYTES;
	test->priv = w;
	return 0;
}

static void world_exit(struct kunit *test)
{
	struct world *w = test->priv;

	if (!w)
		return;
	max_mailboxes_per_user = w->mailboxes;
	max_messages_per_user = w->messages;
	max_bytes_per_user = w->bytes;
	max_message_size = w->message_size;
	mbx_user_put(w->user);
	put_cred(w->few);
	KUNIT_EXPECT_TRUE_MSG(test, RB_EMPTY_ROOT(&users), "a user is left");
}

static int charge(struct kunit *test, struct mbx_charge *charge, u16 mailboxes, u16 messages,
		  u32 bytes)
{
	struct world *w = test->priv;
	const struct cred *old = override_creds(w->few);
	int ret = mbx_charge_take(charge, w->user, mailboxes, messages, bytes);

	revert_creds(old);
	return ret;
}

static void expect_charged(struct kunit *test, long mailboxes, long messages, long bytes,
			   unsigned int refs)
{
	struct world *w = test->priv;

	KUNIT_EXPECT_EQ(test, atomic_long_read(&w->user->mailboxes), mailboxes);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&w->user->messages), messages);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&w->user->bytes), bytes);
	KUNIT_EXPECT_EQ(test, refcount_read(&w->user->refs), refs);
}

static void charge_is_counted_and_undone(struct kunit *test)
{
	struct mbx_charge a, b;

	KUNIT_ASSERT_EQ(test, charge(test, &a, 1, 2, 300), 0);
	expect_charged(test, 1, 2, 300, 2);
	KUNIT_ASSERT_EQ(test, charge(test, &b, 0, 3, 50), 0);
	expect_charged(test, 1, 5, 350, 3);
	mbx_charge_drop(&a);
	expect_charged(test, 0, 3, 50, 2);
	/* Twice is once. */
	mbx_charge_drop(&a);
	expect_charged(test, 0, 3, 50, 2);
	mbx_charge_drop(&b);
	expect_charged(test, 0, 0, 0, 1);
}

static void charge_up_to_the_limits_fits(struct kunit *test)
{
	struct mbx_charge a;

	KUNIT_ASSERT_EQ(test, charge(test, &a, MAILBOXES, MESSAGES, BYTES), 0);
	expect_charged(test, MAILBOXES, MESSAGES, BYTES, 2);
	mbx_charge_drop(&a);
}

/* All or nothing, whichever of the three is over. */
static void charge_over_a_limit_takes_nothing(struct kunit *test)
{
	struct mbx_charge a, b, before;

	KUNIT_ASSERT_EQ(test, charge(test, &a, 1, 1, 1), 0);
	memset(&b, 0xa5, sizeof(b));
	before = b;
	KUNIT_EXPECT_EQ(test, charge(test, &b, MAILBOXES, 1, 1), -EDQUOT);
	expect_charged(test, 1, 1, 1, 2);
	KUNIT_EXPECT_EQ(test, charge(test, &b, 1, MESSAGES, 1), -EDQUOT);
	expect_charged(test, 1, 1, 1, 2);
	KUNIT_EXPECT_EQ(test, charge(test, &b, 1, 1, BYTES), -EDQUOT);
	expect_charged(test, 1, 1, 1, 2);
	KUNIT_EXPECT_EQ(test, memcmp(&b, &before, sizeof(b)), 0);
	mbx_charge_drop(&a);
}

/* Also those that a word of 32 bits would not hold. */
static void bytes_of_a_region_are_counted_and_undone(struct kunit *test)
{
	struct world *w = test->priv;
	const struct cred *old = override_creds(w->few);

	KUNIT_EXPECT_EQ(test, mbx_bytes_take(w->user, BYTES + 1), -EDQUOT);
	KUNIT_EXPECT_EQ(test, mbx_bytes_take(w->user, 1ULL << 32), -EDQUOT);
	KUNIT_EXPECT_EQ(test, mbx_bytes_take(w->user, U64_MAX), -EDQUOT);
	KUNIT_EXPECT_EQ(test, mbx_bytes_take(w->user, BYTES), 0);
	expect_charged(test, 0, 0, BYTES, 1);
	KUNIT_EXPECT_EQ(test, mbx_bytes_take(w->user, 1), -EDQUOT);
	mbx_bytes_drop(w->user, BYTES);
	expect_charged(test, 0, 0, 0, 1);
	revert_creds(old);
}

static void lowered_limit_stops_only_what_it_limits(struct kunit *test)
{
	struct mbx_charge a, b;

	KUNIT_ASSERT_EQ(test, charge(test, &a, 0, MESSAGES, 0), 0);
	max_messages_per_user = 1;
	KUNIT_EXPECT_EQ(test, charge(test, &b, 0, 1, 0), -EDQUOT);
	KUNIT_ASSERT_EQ(test, charge(test, &b, 1, 0, BYTES), 0);
	mbx_charge_drop(&b);
	mbx_charge_drop(&a);
}

static void privilege_exceeds_limits_and_counts(struct kunit *test)
{
	struct world *w = test->priv;
	struct cred *own = prepare_creds();
	const struct cred *old;
	struct mbx_charge a;
	int ret, others;

	KUNIT_ASSERT_NOT_NULL(test, own);
	others = mbx_charge_take(&a, w->user, MAILBOXES + 1, MESSAGES + 1, BYTES + 1);
	own->euid = w->user->uid;
	old = override_creds(own);
	ret = mbx_charge_take(&a, w->user, MAILBOXES + 1, MESSAGES + 1, BYTES + 1);
	revert_creds(old);
	put_cred(own);

	KUNIT_EXPECT_EQ(test, others, -EDQUOT);
	KUNIT_ASSERT_EQ(test, ret, 0);
	expect_charged(test, MAILBOXES + 1, MESSAGES + 1, BYTES + 1, 2);
	mbx_charge_drop(&a);
	expect_charged(test, 0, 0, 0, 1);
}

static void limits_have_limits(struct kunit *test)
{
	struct mbx_limits limits;

	mbx_limits_read(&limits);
	KUNIT_EXPECT_EQ(test, limits.mailboxes, (ulong)MAILBOXES);
	KUNIT_EXPECT_EQ(test, limits.messages, (ulong)MESSAGES);
	KUNIT_EXPECT_EQ(test, limits.bytes, (ulong)BYTES);
	max_message_size = UINT_MAX;
	max_mailboxes_per_user = ULONG_MAX;
	max_messages_per_user = ULONG_MAX;
	max_bytes_per_user = ULONG_MAX;
	mbx_limits_read(&limits);
	KUNIT_EXPECT_EQ(test, limits.message_size, (u32)MAILBOX_MESSAGE_SIZE_MAX);
	KUNIT_EXPECT_EQ(test, limits.mailboxes, (ulong)LONG_MAX);
	KUNIT_EXPECT_EQ(test, limits.messages, (ulong)LONG_MAX);
	KUNIT_EXPECT_EQ(test, limits.bytes, (ulong)LONG_MAX);
}

static void user_is_shared_by_uid(struct kunit *test)
{
	struct world *w = test->priv;
	struct mbx_user *user[16], *again;
	u32 i;

	again = mbx_user_get(KUIDT_INIT(1000));
	KUNIT_EXPECT_PTR_EQ(test, again, w->user);
	KUNIT_EXPECT_EQ(test, refcount_read(&w->user->refs), 2u);
	mbx_user_put(again);
	KUNIT_EXPECT_EQ(test, refcount_read(&w->user->refs), 1u);

	/* Neither rising nor falling. */
	for (i = 0; i < 16; i++)
		user[i] = mbx_user_get(KUIDT_INIT(i * 7 % 16));
	for (i = 0; i < 16; i++) {
		KUNIT_EXPECT_EQ(test, __kuid_val(user[i]->uid), i * 7 % 16);
		again = mbx_user_get(KUIDT_INIT(i * 7 % 16));
		KUNIT_EXPECT_PTR_EQ(test, again, user[i]);
		mbx_user_put(again);
	}
	for (i = 0; i < 16; i++)
		mbx_user_put(user[i]);
}

static void charge_keeps_its_user(struct kunit *test)
{
	struct world *w = test->priv;
	struct mbx_charge a;

	KUNIT_ASSERT_EQ(test, charge(test, &a, 0, 1, 0), 0);
	mbx_user_put(w->user);
	w->user = NULL;
	KUNIT_EXPECT_FALSE(test, RB_EMPTY_ROOT(&users));
	mbx_charge_drop(&a);
	KUNIT_EXPECT_TRUE(test, RB_EMPTY_ROOT(&users));
}

static void share_of_rounds_up_and_fits(struct kunit *test)
{
	u64 limit;
	u32 percent;

	for (percent = 1; percent <= 100; percent++)
		for (limit = 0; limit < 250; limit++)
			KUNIT_ASSERT_EQ(test, mbx_share_of(percent, limit),
					DIV_ROUND_UP(limit * percent, 100));
	KUNIT_EXPECT_EQ(test, mbx_share_of(100, U64_MAX), U64_MAX);
	/* 2^64 - 1 is 15 more than a multiple of 100; half of it rounds up. */
	KUNIT_EXPECT_EQ(test, mbx_share_of(50, U64_MAX), 1ull << 63);
}

static void share_lives_while_used(struct kunit *test)
{
	struct world *w = test->priv;
	struct mbx_share *share = mbx_share_new(w->user);

	KUNIT_ASSERT_NOT_NULL(test, share);
	KUNIT_EXPECT_EQ(test, refcount_read(&w->user->refs), 2u);
	KUNIT_EXPECT_FALSE(test, mbx_share_unused(share));
	share->messages = 1;
	share->pins = 0;
	KUNIT_EXPECT_FALSE(test, mbx_share_unused(share));
	share->messages = 0;
	KUNIT_EXPECT_TRUE(test, mbx_share_unused(share));
	mbx_share_free(share);
	mbx_share_free(NULL);
	KUNIT_EXPECT_EQ(test, refcount_read(&w->user->refs), 1u);
}

static void users_have_one_share_each(struct kunit *test)
{
	struct world *w = test->priv;
	struct rb_root shares = RB_ROOT;
	struct mbx_user *other = mbx_user_get(KUIDT_INIT(2000));
	struct mbx_share *a = mbx_share_new(w->user), *b = mbx_share_new(w->user);
	struct mbx_share *c = mbx_share_new(other);

	KUNIT_EXPECT_NULL(test, mbx_share_find(&shares, w->user));
	KUNIT_EXPECT_PTR_EQ(test, mbx_share_add(&shares, a), a);
	KUNIT_EXPECT_NULL(test, mbx_share_find(&shares, other));
	KUNIT_EXPECT_PTR_EQ(test, mbx_share_add(&shares, b), a);
	KUNIT_EXPECT_PTR_EQ(test, mbx_share_add(&shares, c), c);
	KUNIT_EXPECT_PTR_EQ(test, mbx_share_find(&shares, w->user), a);
	KUNIT_EXPECT_PTR_EQ(test, mbx_share_find(&shares, other), c);
	mbx_share_free(a);
	mbx_share_free(b);
	mbx_share_free(c);
	mbx_user_put(other);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(charge_is_counted_and_undone),
	KUNIT_CASE(charge_up_to_the_limits_fits),
	KUNIT_CASE(charge_over_a_limit_takes_nothing),
	KUNIT_CASE(bytes_of_a_region_are_counted_and_undone),
	KUNIT_CASE(lowered_limit_stops_only_what_it_limits),
	KUNIT_CASE(privilege_exceeds_limits_and_counts),
	KUNIT_CASE(limits_have_limits),
	KUNIT_CASE(user_is_shared_by_uid),
	KUNIT_CASE(charge_keeps_its_user),
	KUNIT_CASE(share_of_rounds_up_and_fits),
	KUNIT_CASE(share_lives_while_used),
	KUNIT_CASE(users_have_one_share_each),
	{},
};

static struct kunit_suite suite = {
	.name = "mailbox_quota",
	.init = world_init,
	.exit = world_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
