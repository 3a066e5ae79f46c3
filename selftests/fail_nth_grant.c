// SPDX-License-Identifier: GPL-2.0
/*
 * RESTRICT and REVOKE, with each allocation and copy made to fail in turn: a handle that
 * could not be derived is nowhere, and what is revoked is revoked wholly.
 */
#include "fail_nth.h"

#include "common_grant.h"

#define OTHER_USER 47112

static void prepare_box(struct scene *scene)
{
	scene->fd = box_new(scene->device);
	ASSERT_EQ(0, box_send_text(scene->fd, "there", 0, 0));
}

/* Nobody else has sent, so the share is one more allocation. */
static void prepare_other_user(struct scene *scene)
{
	prepare_box(scene);
	ASSERT_EQ(0, seteuid(OTHER_USER));
	/* Or /proc/self would belong to root. */
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static int derive(struct scene *scene)
{
	int ret;

	scene->derive = restrict_args(RIGHTS_ALL);
	ret = call(scene->fd, MAILBOX_IOC_RESTRICT, &scene->derive);
	if (!ret)
		scene->other = scene->derive.fd;
	return ret;
}

static void complete_derive(struct scene *scene)
{
	__u64 grant;
	char text[8];

	ASSERT_EQ(0, seteuid(0));
	EXPECT_EQ(2, box_stat(scene->fd).handles);
	EXPECT_EQ(5, box_receive_text(scene->other, text, sizeof(text)));
	EXPECT_EQ(0, box_send_text(scene->other, "fits", 0, 0));
	/* Those before that failed are nobody's. */
	for (grant = 1; grant < scene->derive.grant; grant++)
		EXPECT_EQ(-ENOENT, box_revoke(scene->fd, grant));
	EXPECT_EQ(0, box_revoke(scene->fd, scene->derive.grant));
	EXPECT_TRUE(is_revoked(scene->other));
}

TEST_SWEEP(derive, .prepare = prepare_box, .call = derive, .complete = complete_derive,
	   .allocates = true, .least = 5)
TEST_SWEEP(derive_as_another_user, .prepare = prepare_other_user, .call = derive,
	   .complete = complete_derive, .allocates = true, .least = 6)

/* With a lease that goes back. */
static void prepare_derived(struct scene *scene)
{
	__u64 grant;

	prepare_box(scene);
	scene->other = box_restrict(scene->fd, RIGHTS_ALL, &grant);
	box_lease(scene->other);
	scene->length = grant;
}

static int take_back(struct scene *scene)
{
	scene->revoke = (struct mailbox_revoke){
		.size = sizeof(scene->revoke),
		.grant = scene->length,
	};
	return call(scene->fd, MAILBOX_IOC_REVOKE, &scene->revoke);
}

static void complete_revoke(struct scene *scene)
{
	EXPECT_TRUE(is_revoked(scene->other));
	EXPECT_EQ(0, box_stat(scene->fd).leased);
	EXPECT_EQ(1, box_stat(scene->fd).redelivered);
}

TEST_SWEEP(take_back, .prepare = prepare_derived, .call = take_back, .complete = complete_revoke,
	   .least = 1)

TEST_HARNESS_MAIN
