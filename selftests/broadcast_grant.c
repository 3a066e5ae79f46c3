// SPDX-License-Identifier: GPL-2.0
/*
 * Handles derived from one of a broadcast: what they get, and what becomes of what they have
 * not got when they are revoked.
 */
#include "common_broadcast.h"
#include "common_grant.h"

FIXTURE(broadcast_grant)
{
	int device;
	int sender;
	__u64 id;
};

FIXTURE_SETUP(broadcast_grant)
{
	self->device = device_open();
	self->sender = broadcast_new(self->device, 2, &self->id);
}

FIXTURE_TEARDOWN(broadcast_grant)
{
	close(self->sender);
	close(self->device);
}

TEST_F(broadcast_grant, gets_what_is_sent_from_then_on)
{
	int first = subscribe(self->device, self->id), derived;
	__u64 grant;

	broadcast_send(self->sender, 1, 1);
	derived = box_restrict(first, MAILBOX_RIGHT_RECEIVE, &grant);
	broadcast_send(self->sender, 2, 1);
	EXPECT_NEXT(derived, 2, 0);
	EXPECT_NEXT(first, 1, 0);
	EXPECT_NEXT(first, 2, 0);
	EXPECT_EQ(2, box_stat(self->sender).subscribers);
	close(first);
	close(derived);
}

TEST_F(broadcast_grant, has_the_overflow_rule_of_where_it_comes_from)
{
	int strict = subscribe_with(self->device, self->id, MAILBOX_CUT_OFF), derived, lenient;
	int from = subscribe(self->device, self->id);
	__u64 grant;

	ASSERT_LE(0, strict);
	derived = box_restrict(strict, MAILBOX_RIGHT_RECEIVE, &grant);
	lenient = box_restrict(from, MAILBOX_RIGHT_RECEIVE, &grant);
	broadcast_send(self->sender, 1, 3);
	EXPECT_EQ(-ENOBUFS, broadcast_next(derived, NULL));
	EXPECT_NEXT(lenient, 2, 1);
	close(strict);
	close(derived);
	close(from);
	close(lenient);
}

/* Nobody else needs it: it is gone with the one that did. */
TEST_F(broadcast_grant, revoked_holds_nothing)
{
	int manager = box_open(self->device, self->id, NULL, RIGHTS_ALL), derived;
	struct mailbox_stat stat;
	__u64 grant;

	ASSERT_LE(0, manager);
	derived = box_restrict(manager, MAILBOX_RIGHT_RECEIVE, &grant);
	broadcast_send(self->sender, 1, 1);
	EXPECT_NEXT(manager, 1, 0);
	EXPECT_EQ(1, box_stat(manager).messages);
	ASSERT_EQ(0, box_revoke(manager, grant));
	stat = box_stat(manager);
	EXPECT_EQ(0, stat.messages);
	EXPECT_EQ(1, stat.received);
	EXPECT_EQ(1, stat.subscribers);
	EXPECT_EQ(-EACCES, broadcast_next(derived, NULL));
	close(derived);
	close(manager);
}

TEST_HARNESS_MAIN
