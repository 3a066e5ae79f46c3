// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite mailbox_domain. The domain is compiled in, and registers itself with the
 * network namespaces as the one of mailbox.ko does. The mailboxes are empty: of them it
 * needs a name, a reference and to be told that they end.
 */
#include <kunit/test.h>
#include <linux/slab.h>

#include "domain.c"

#define BOXES 40

struct world {
	struct mbx_domain *domain;
	bool registered;
	u32 nr;
	struct mbx_box *box[BOXES];
};

/* What became of the mailboxes since the case began. */
static u32 nr_closed, nr_gone, nr_closed_with_lock;

void mbx_box_close(struct mbx_box *box)
{
	nr_closed++;
	/* A mailbox takes long to end, and nobody else is here. */
	if (mutex_is_locked(&box->domain->lock))
		nr_closed_with_lock++;
}

void mbx_box_put(struct mbx_box *box)
{
	if (!refcount_dec_and_test(&box->refs))
		return;
	nr_gone++;
	if (box->domain)
		mbx_domain_put(box->domain);
	kfree(box->name);
	kfree(box);
}

/* Of direct communication nothing is here. */
void mbx_directory_init(struct mbx_directory *directory)
{
}

void mbx_directory_end(struct mbx_directory *directory)
{
}

static int world_init(struct kunit *test)
{
	struct world *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);
	int ret;

	if (!w)
		return -ENOMEM;
	ret = mbx_domain_init();
	if (ret)
		return ret;
	w->registered = true;
	w->domain = mbx_domain_of_current();
	nr_closed = 0;
	nr_gone = 0;
	nr_closed_with_lock = 0;
	test->priv = w;
	return 0;
}

/* What unregister_pernet_subsys() does when mailbox.ko goes. */
static void end_domain(struct world *w)
{
	if (w->registered)
		mbx_domain_fini();
	w->registered = false;
}

static void world_exit(struct kunit *test)
{
	struct world *w = test->priv;
	u32 i;

	if (!w)
		return;
	end_domain(w);
	for (i = 0; i < w->nr; i++)
		mbx_box_put(w->box[i]);
	KUNIT_EXPECT_EQ(test, nr_gone, w->nr);
	KUNIT_EXPECT_EQ(test, nr_closed_with_lock, 0u);
	KUNIT_EXPECT_EQ(test, refcount_read(&w->domain->refs), 1u);
	mbx_domain_put(w->domain);
}

/* One that the case may look at until its end. */
static struct mbx_box *box_new(struct kunit *test, const char *name)
{
	struct world *w = test->priv;
	struct mbx_box *box;

	KUNIT_ASSERT_LT(test, w->nr, (u32)BOXES);
	box = kzalloc(sizeof(*box), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, box);
	box->name = kstrdup(name, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, box->name);
	refcount_set(&box->refs, 1);
	w->box[w->nr++] = box;
	return box;
}

static struct mbx_box *reserve(struct kunit *test, const char *name)
{
	struct world *w = test->priv;
	struct mbx_box *box = box_new(test, name);

	KUNIT_ASSERT_EQ(test, mbx_domain_reserve(w->domain, box), 0);
	return box;
}

static void publish(struct kunit *test, struct mbx_box *box)
{
	struct world *w = test->priv;

	/* The domain's reference. */
	refcount_inc(&box->refs);
	KUNIT_ASSERT_EQ(test, mbx_domain_publish(w->domain, box), 0);
}

static struct mbx_box *add(struct kunit *test, const char *name)
{
	struct mbx_box *box = reserve(test, name);

	publish(test, box);
	return box;
}

/* As whoever destroys a mailbox does. */
static bool destroy(struct mbx_box *box)
{
	if (!mbx_domain_remove(box))
		return false;
	mbx_box_close(box);
	mbx_box_put(box);
	return true;
}

static struct mbx_box *find(struct kunit *test, u64 id, const char *name)
{
	struct world *w = test->priv;
	struct mbx_box *box;

	mutex_lock(&w->domain->lock);
	box = mbx_domain_find_locked(w->domain, id, name);
	mutex_unlock(&w->domain->lock);
	return box;
}

static void expect_found(struct kunit *test, struct mbx_box *box)
{
	KUNIT_EXPECT_PTR_EQ(test, find(test, box->id, ""), box);
	if (box->name[0])
		KUNIT_EXPECT_PTR_EQ(test, find(test, 0, box->name), box);
}

static void expect_not_found(struct kunit *test, struct mbx_box *box)
{
	KUNIT_EXPECT_NULL(test, find(test, box->id, ""));
	KUNIT_EXPECT_NULL(test, find(test, 0, box->name));
}

static void ids_count_up_from_one(struct kunit *test)
{
	u64 id;

	for (id = 1; id <= BOXES; id++)
		KUNIT_EXPECT_EQ(test, add(test, "")->id, id);
}

/* However the mailbox that had it went. */
static void ids_are_never_used_twice(struct kunit *test)
{
	struct world *w = test->priv;
	struct mbx_box *box;

	box = reserve(test, "box");
	KUNIT_EXPECT_EQ(test, box->id, 1ull);
	mbx_domain_unreserve(w->domain, box);

	box = add(test, "box");
	KUNIT_EXPECT_EQ(test, box->id, 2ull);
	KUNIT_EXPECT_TRUE(test, destroy(box));

	KUNIT_EXPECT_EQ(test, add(test, "box")->id, 3ull);
	KUNIT_EXPECT_NULL(test, find(test, 1, ""));
	KUNIT_EXPECT_NULL(test, find(test, 2, ""));
}

static void reserve_takes_a_reference_on_its_domain(struct kunit *test)
{
	struct world *w = test->priv;
	unsigned int refs = refcount_read(&w->domain->refs);
	struct mbx_box *box = reserve(test, "box");

	KUNIT_EXPECT_PTR_EQ(test, box->domain, w->domain);
	KUNIT_EXPECT_EQ(test, refcount_read(&w->domain->refs), refs + 1);
	publish(test, box);
	KUNIT_EXPECT_TRUE(test, destroy(box));
	KUNIT_EXPECT_EQ(test, refcount_read(&w->domain->refs), refs + 1);
}

static void reserved_is_not_found(struct kunit *test)
{
	struct mbx_box *box = reserve(test, "box");

	expect_not_found(test, box);
	publish(test, box);
	expect_found(test, box);
}

static void taken_name_is_refused_and_nothing_changes(struct kunit *test)
{
	struct world *w = test->priv;
	struct mbx_box *box = reserve(test, "box"), *second = box_new(test, "box");
	unsigned int refs = refcount_read(&w->domain->refs);

	KUNIT_EXPECT_EQ(test, mbx_domain_reserve(w->domain, second), -EEXIST);
	expect_not_found(test, box);
	publish(test, box);
	KUNIT_EXPECT_EQ(test, mbx_domain_reserve(w->domain, second), -EEXIST);
	expect_found(test, box);

	KUNIT_EXPECT_EQ(test, second->id, 0ull);
	KUNIT_EXPECT_NULL(test, second->domain);
	KUNIT_EXPECT_EQ(test, refcount_read(&w->domain->refs), refs);
	KUNIT_EXPECT_EQ(test, add(test, "other")->id, 2ull);
}

static void unreserve_frees_the_name_and_not_the_id(struct kunit *test)
{
	struct world *w = test->priv;
	struct mbx_box *other = add(test, "other"), *box = reserve(test, "box");

	mbx_domain_unreserve(w->domain, box);
	expect_not_found(test, box);
	KUNIT_EXPECT_FALSE(test, mbx_domain_remove(box));
	box = add(test, "box");
	KUNIT_EXPECT_EQ(test, box->id, 3ull);
	expect_found(test, box);
	expect_found(test, other);
}

static void unreserve_leaves_nothing(struct kunit *test)
{
	struct world *w = test->priv;

	mbx_domain_unreserve(w->domain, reserve(test, "box"));
	mbx_domain_unreserve(w->domain, reserve(test, ""));
	KUNIT_EXPECT_TRUE(test, xa_empty(&w->domain->boxes));
	KUNIT_EXPECT_TRUE(test, RB_EMPTY_ROOT(&w->domain->names));
}

static void nameless_ones_are_found_by_id_only(struct kunit *test)
{
	struct mbx_box *a = add(test, ""), *b = add(test, "");

	expect_found(test, a);
	expect_found(test, b);
	KUNIT_EXPECT_NULL(test, find(test, 0, ""));
	KUNIT_EXPECT_TRUE(test, destroy(a));
	expect_found(test, b);
}

static void id_goes_before_name(struct kunit *test)
{
	struct mbx_box *a = add(test, "a"), *b = add(test, "b");

	KUNIT_EXPECT_PTR_EQ(test, find(test, b->id, "a"), b);
	KUNIT_EXPECT_NULL(test, find(test, b->id + 1, "a"));
	KUNIT_EXPECT_PTR_EQ(test, find(test, 0, "a"), a);
}

/* Neither rising nor falling, and some the beginning of others. */
static void each_is_found_by_its_own_name(struct kunit *test)
{
	static const char *const names[] = { "m", "mm", "c", "x", "xy", "a", "mmm", "\xff", "b" };
	struct mbx_box *box[ARRAY_SIZE(names)];
	u32 i, gone;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		box[i] = add(test, names[i]);
	KUNIT_EXPECT_NULL(test, find(test, 0, "mmmm"));
	KUNIT_EXPECT_NULL(test, find(test, 0, "M"));

	for (gone = 0; gone < ARRAY_SIZE(names); gone++) {
		for (i = gone; i < ARRAY_SIZE(names); i++)
			expect_found(test, box[i]);
		KUNIT_EXPECT_TRUE(test, destroy(box[gone]));
		expect_not_found(test, box[gone]);
	}
}

/* As SET does. Return: what it returns. */
static int rename_to(struct kunit *test, struct mbx_box *box, const char *name)
{
	struct world *w = test->priv;
	char *copy = kstrdup(name, GFP_KERNEL);
	int ret;

	KUNIT_ASSERT_NOT_NULL(test, copy);
	mutex_lock(&w->domain->lock);
	ret = mbx_domain_may_rename_locked(box, copy);
	if (!ret)
		mbx_domain_rename_locked(box, &copy);
	mutex_unlock(&w->domain->lock);
	kfree(copy);
	return ret;
}

static void renamed_is_found_by_the_new_name_only(struct kunit *test)
{
	struct mbx_box *box = add(test, "box"), *other = add(test, "other");

	KUNIT_EXPECT_EQ(test, rename_to(test, box, "renamed"), 0);
	KUNIT_EXPECT_STREQ(test, box->name, "renamed");
	expect_found(test, box);
	expect_found(test, other);
	KUNIT_EXPECT_NULL(test, find(test, 0, "box"));
	KUNIT_EXPECT_EQ(test, rename_to(test, other, "box"), 0);
	expect_found(test, other);
	KUNIT_EXPECT_EQ(test, rename_to(test, box, ""), 0);
	expect_found(test, box);
	KUNIT_EXPECT_NULL(test, find(test, 0, "renamed"));
	KUNIT_EXPECT_EQ(test, rename_to(test, box, ""), -ENOENT);
	KUNIT_EXPECT_EQ(test, rename_to(test, box, "box2"), 0);
	expect_found(test, box);
}

/* Also by one that nobody finds yet. */
static void name_of_another_is_not_given(struct kunit *test)
{
	struct mbx_box *box = add(test, "box"), *other = reserve(test, "other");

	KUNIT_EXPECT_EQ(test, rename_to(test, box, "other"), -EEXIST);
	publish(test, other);
	KUNIT_EXPECT_EQ(test, rename_to(test, box, "other"), -EEXIST);
	KUNIT_EXPECT_EQ(test, rename_to(test, box, "box"), 0);
	expect_found(test, box);
	expect_found(test, other);
	KUNIT_EXPECT_TRUE(test, destroy(other));
	KUNIT_EXPECT_EQ(test, rename_to(test, box, "other"), 0);
	expect_found(test, box);
}

static void removed_once_only(struct kunit *test)
{
	struct mbx_box *box = reserve(test, "box"), *second;

	KUNIT_EXPECT_FALSE(test, mbx_domain_remove(box));
	publish(test, box);
	KUNIT_EXPECT_TRUE(test, destroy(box));
	KUNIT_EXPECT_FALSE(test, destroy(box));
	expect_not_found(test, box);

	/* Not another that has the name by now. */
	second = add(test, "box");
	KUNIT_EXPECT_FALSE(test, destroy(box));
	expect_found(test, second);
	KUNIT_EXPECT_EQ(test, nr_closed, 1u);
}

static void end_destroys_all(struct kunit *test)
{
	struct world *w = test->priv;
	u32 i;

	for (i = 0; i < BOXES; i++)
		add(test, "");
	/* Those that went before are not ended again. */
	KUNIT_EXPECT_TRUE(test, destroy(w->box[0]));
	KUNIT_EXPECT_TRUE(test, destroy(w->box[BOXES / 2]));
	end_domain(w);
	KUNIT_EXPECT_EQ(test, nr_closed, (u32)BOXES);
	for (i = 0; i < BOXES; i++) {
		KUNIT_EXPECT_EQ(test, refcount_read(&w->box[i]->refs), 1u);
		KUNIT_EXPECT_FALSE(test, destroy(w->box[i]));
	}
	KUNIT_EXPECT_TRUE(test, xa_empty(&w->domain->boxes));
}

static void end_frees_those_that_nobody_holds(struct kunit *test)
{
	struct world *w = test->priv;

	add(test, "box");
	w->nr = 0;
	mbx_box_put(w->box[0]);
	KUNIT_EXPECT_EQ(test, nr_gone, 0u);
	end_domain(w);
	KUNIT_EXPECT_EQ(test, nr_gone, 1u);
	nr_gone = 0;
}

/* A CREATE that is at work while the namespace goes takes its own back. */
static void reserved_at_the_end_is_not_published(struct kunit *test)
{
	struct world *w = test->priv;
	struct mbx_box *box = reserve(test, "box"), *other = add(test, "other");

	end_domain(w);
	KUNIT_EXPECT_EQ(test, nr_closed, 1u);
	KUNIT_EXPECT_FALSE(test, destroy(other));
	KUNIT_EXPECT_EQ(test, mbx_domain_publish(w->domain, box), -EIDRM);
	KUNIT_EXPECT_FALSE(test, box->published);
	expect_not_found(test, box);
	KUNIT_EXPECT_EQ(test, refcount_read(&box->refs), 1u);
	mbx_domain_unreserve(w->domain, box);
	KUNIT_EXPECT_TRUE(test, RB_EMPTY_ROOT(&w->domain->names));
	KUNIT_EXPECT_EQ(test, nr_closed, 1u);
}

static void nothing_is_reserved_after_the_end(struct kunit *test)
{
	struct world *w = test->priv;
	struct mbx_box *box = box_new(test, "box");
	unsigned int refs;

	end_domain(w);
	refs = refcount_read(&w->domain->refs);
	KUNIT_EXPECT_EQ(test, mbx_domain_reserve(w->domain, box), -EIDRM);
	KUNIT_EXPECT_EQ(test, box->id, 0ull);
	KUNIT_EXPECT_NULL(test, box->domain);
	KUNIT_EXPECT_EQ(test, refcount_read(&w->domain->refs), refs);
	KUNIT_EXPECT_TRUE(test, RB_EMPTY_ROOT(&w->domain->names));
}

/* A namespace that gets a domain anew begins from nothing; what is held stays as it is. */
static void domains_have_nothing_in_common(struct kunit *test)
{
	struct world *w = test->priv;
	struct mbx_domain *old = w->domain;
	struct mbx_box *box = add(test, "box");

	end_domain(w);
	KUNIT_ASSERT_EQ(test, mbx_domain_init(), 0);
	w->registered = true;
	w->domain = mbx_domain_of_current();
	KUNIT_EXPECT_PTR_NE(test, w->domain, old);
	KUNIT_EXPECT_EQ(test, refcount_read(&w->domain->refs), 2u);
	expect_not_found(test, box);
	KUNIT_EXPECT_EQ(test, add(test, "box")->id, 1ull);
	KUNIT_EXPECT_PTR_EQ(test, box->domain, old);
	KUNIT_EXPECT_EQ(test, refcount_read(&old->refs), 2u);
	mbx_domain_put(old);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(ids_count_up_from_one),
	KUNIT_CASE(ids_are_never_used_twice),
	KUNIT_CASE(reserve_takes_a_reference_on_its_domain),
	KUNIT_CASE(reserved_is_not_found),
	KUNIT_CASE(taken_name_is_refused_and_nothing_changes),
	KUNIT_CASE(unreserve_frees_the_name_and_not_the_id),
	KUNIT_CASE(unreserve_leaves_nothing),
	KUNIT_CASE(nameless_ones_are_found_by_id_only),
	KUNIT_CASE(id_goes_before_name),
	KUNIT_CASE(each_is_found_by_its_own_name),
	KUNIT_CASE(renamed_is_found_by_the_new_name_only),
	KUNIT_CASE(name_of_another_is_not_given),
	KUNIT_CASE(removed_once_only),
	KUNIT_CASE(end_destroys_all),
	KUNIT_CASE(end_frees_those_that_nobody_holds),
	KUNIT_CASE(reserved_at_the_end_is_not_published),
	KUNIT_CASE(nothing_is_reserved_after_the_end),
	KUNIT_CASE(domains_have_nothing_in_common),
	{},
};

static struct kunit_suite suite = {
	.name = "mailbox_domain",
	.init = world_init,
	.exit = world_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
