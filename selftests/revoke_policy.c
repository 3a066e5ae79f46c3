// SPDX-License-Identifier: GPL-2.0
/*
 * RESTRICT and REVOKE where a mailbox has a policy: whose place a derived handle takes, and
 * when it is free again.
 */
#include "puppet.h"

#include <pthread.h>

FIXTURE(revoke_policy)
{
	int device;
	/* They have inherited nothing but the device. */
	struct puppet second;
	struct puppet third;
	int fd;
	int derived;
	__u64 id;
	__u64 grant;
};

FIXTURE_VARIANT(revoke_policy)
{
	__u32 policy;
};

FIXTURE_VARIANT_ADD(revoke_policy, pair)
{
	.policy = MAILBOX_POLICY_PAIR,
};

FIXTURE_VARIANT_ADD(revoke_policy, one)
{
	.policy = MAILBOX_POLICY_ONE,
};

FIXTURE_SETUP(revoke_policy)
{
	self->device = device_open();
	self->second = puppet_new(self->device);
	self->third = puppet_new(self->device);
	self->fd = box_new_policy(self->device, variant->policy);
	self->id = box_stat(self->fd).id;
	self->derived = box_restrict(self->fd, RIGHTS_ALL, &self->grant);
}

FIXTURE_TEARDOWN(revoke_policy)
{
	puppets_end();
	close(self->derived);
	close(self->fd);
	close(self->device);
}

/* The second process has a place, by what it was passed: its descriptor. */
static int second_joins(FIXTURE_DATA(revoke_policy) * self)
{
	int fd = puppet_is_passed(&self->second, self->derived);

	ASSERT_LE(0, fd);
	EXPECT_EQ(-EAGAIN, puppet_receives(&self->second, fd, ""));
	return fd;
}

/* As the third process sees it, which gives it back. */
static bool is_free(FIXTURE_DATA(revoke_policy) * self,
		    const FIXTURE_VARIANT(revoke_policy) * variant)
{
	int fd = puppet_is_passed(&self->third, self->fd), ret;

	ASSERT_LE(0, fd);
	ret = puppet_receives(&self->third, fd, "");
	EXPECT_TRUE(ret == -EAGAIN ||
		    ret == (variant->policy == MAILBOX_POLICY_PAIR ? -EPERM : -EBUSY))
	TH_LOG("%d", ret);
	EXPECT_EQ(0, puppet_does(&self->third, CLOSE, fd));
	return ret == -EAGAIN;
}

TEST_F(revoke_policy, frees_the_place)
{
	bool pair = variant->policy == MAILBOX_POLICY_PAIR;
	int fd = second_joins(self);

	EXPECT_FALSE(is_free(self, variant));
	ASSERT_EQ(0, box_revoke(self->fd, self->grant));
	if (pair) {
		EXPECT_EQ(POLLHUP, poll_now(self->fd, POLLHUP));
		EXPECT_EQ(-EPIPE, box_send_text(self->fd, "x", 0, 0));
	}
	EXPECT_TRUE(is_free(self, variant));
	/* Trying again does not get it back. */
	EXPECT_EQ(-EACCES, puppet_receives(&self->second, fd, ""));
	EXPECT_EQ(-EACCES, puppet_sends(&self->second, fd, "x"));
	EXPECT_TRUE(is_free(self, variant));
	EXPECT_EQ(0, puppet_does(&self->second, CLOSE, fd));
	EXPECT_TRUE(is_free(self, variant));
}

TEST_F(revoke_policy, keeps_the_place_of_who_has_another)
{
	int fd = second_joins(self);
	int other = puppet_is_passed(&self->second, self->fd);

	ASSERT_LE(0, other);
	/* It has never used that one. */
	ASSERT_EQ(0, box_revoke(self->fd, self->grant));
	EXPECT_FALSE(is_free(self, variant));
	EXPECT_EQ(-EACCES, puppet_receives(&self->second, fd, ""));
	EXPECT_EQ(-EAGAIN, puppet_receives(&self->second, other, ""));
	/* What was revoked does not keep it, once the other is closed. */
	EXPECT_EQ(0, puppet_does(&self->second, CLOSE, other));
	EXPECT_TRUE(is_free(self, variant));
	EXPECT_EQ(0, puppet_does(&self->second, CLOSE, fd));
}

TEST_F(revoke_policy, is_the_same_process_to_whoever_derives)
{
	__u64 grant;
	int fd = second_joins(self);
	int more = puppet_restricts(&self->second, fd, MAILBOX_RIGHT_RECEIVE, &grant);

	ASSERT_LE(0, more);
	EXPECT_FALSE(is_free(self, variant));
	EXPECT_EQ(-EAGAIN, puppet_receives(&self->second, more, ""));
	EXPECT_EQ(0, puppet_does(&self->second, CLOSE, fd));
	EXPECT_FALSE(is_free(self, variant));
	ASSERT_EQ(0, box_revoke(self->fd, self->grant));
	EXPECT_TRUE(is_free(self, variant));
}

TEST_F(revoke_policy, of_a_process_that_was_killed)
{
	second_joins(self);
	puppet_kill(&self->second);
	EXPECT_TRUE(is_free(self, variant));
	ASSERT_EQ(0, box_revoke(self->fd, self->grant));
	EXPECT_TRUE(is_free(self, variant));
}

/* The revoking process has a place itself, and loses nothing. */
TEST_F(revoke_policy, ones_own)
{
	EXPECT_EQ(-EAGAIN, box_try(self->derived));
	if (variant->policy == MAILBOX_POLICY_PAIR)
		second_joins(self);
	ASSERT_EQ(0, box_revoke(self->fd, self->grant));
	EXPECT_EQ(-EACCES, box_try(self->derived));
	EXPECT_EQ(variant->policy == MAILBOX_POLICY_PAIR ? -EPIPE : -EAGAIN, box_try(self->fd));
}

TEST_F(revoke_policy, ends_a_wait_for_a_message)
{
	int fd = second_joins(self);

	puppet_waits(&self->second, RECEIVE, fd, self->fd, 1);
	ASSERT_EQ(0, box_revoke(self->fd, self->grant));
	EXPECT_EQ(-EACCES, puppet_answer(&self->second, ""));
	EXPECT_TRUE(is_free(self, variant));
}

TEST_F(revoke_policy, no_room_for_who_derives)
{
	__u64 grant;
	int fd;

	if (variant->policy != MAILBOX_POLICY_PAIR)
		return;
	second_joins(self);
	fd = puppet_is_passed(&self->third, self->fd);
	EXPECT_EQ(-EBUSY, puppet_restricts(&self->third, fd, RIGHTS_ALL, &grant));
	EXPECT_EQ(2, box_stat(self->fd).handles);
	ASSERT_EQ(0, box_revoke(self->fd, self->grant));
	EXPECT_LE(0, puppet_restricts(&self->third, fd, RIGHTS_ALL, &grant));
	EXPECT_EQ(3, box_stat(self->fd).handles);
	EXPECT_EQ(0, box_send_text(self->fd, "x", 0, 0));
}

/* The right to receive goes to the one that has waited longest, but for what is revoked. */
TEST_F(revoke_policy, passes_the_right_on)
{
	int holds, waits, fd;
	__u64 grant;

	if (variant->policy != MAILBOX_POLICY_ONE)
		return;
	holds = second_joins(self);
	fd = box_restrict(self->derived, RIGHTS_ALL, &grant);
	waits = puppet_is_passed(&self->third, fd);
	puppet_waits(&self->third, RECEIVE, waits, self->fd, 1);
	ASSERT_EQ(0, box_revoke(self->fd, grant));
	EXPECT_EQ(-EACCES, puppet_answer(&self->third, ""));
	EXPECT_EQ(0, box_stat(self->fd).receivers);
	EXPECT_EQ(-EAGAIN, puppet_receives(&self->second, holds, ""));
	/* Now through one that stays. */
	EXPECT_EQ(0, puppet_does(&self->third, CLOSE, waits));
	waits = puppet_is_passed(&self->third, self->fd);
	puppet_waits(&self->third, RECEIVE, waits, self->fd, 1);
	ASSERT_EQ(0, box_revoke(self->fd, self->grant));
	EXPECT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	EXPECT_EQ(0, puppet_answer(&self->third, "x"));
	EXPECT_EQ(-EBUSY, box_try(self->fd));
	close(fd);
}

struct churn {
	int device;
	__u64 id;
	bool stop;
};

/* A handle that comes and goes in a process that has another all the time. */
static void *reopens(void *argument)
{
	struct churn *churn = argument;

	while (!__atomic_load_n(&churn->stop, __ATOMIC_RELAXED)) {
		int fd = box_open(churn->device, churn->id, NULL, MAILBOX_RIGHT_RECEIVE);

		ASSERT_LE(0, fd);
		close(fd);
	}
	return NULL;
}

/* Each of them has a place, or has lost it, and is never left with half of one. */
TEST_F_TIMEOUT(revoke_policy, while_processes_come_and_go, 240)
{
	struct churn churn = { .device = self->device, .id = self->id };
	__u64 times = effort(100);
	pthread_t thread;

	EXPECT_EQ(-EAGAIN, box_try(self->fd));
	ASSERT_EQ(0, pthread_create(&thread, NULL, reopens, &churn));
	while (times--) {
		__u64 grant;
		int fd = box_restrict(self->fd, RIGHTS_ALL, &grant);
		pid_t pid = child_fork();

		if (!pid) {
			int ret;

			close(self->fd);
			close(self->derived);
			do {
				ret = box_try(fd);
			} while (ret == -EAGAIN || ret == -EBUSY);
			EXPECT_EQ(-EACCES, ret);
			_exit(0);
		}
		if (times % 3)
			sched_yield();
		ASSERT_EQ(0, box_revoke(self->fd, grant));
		/* The place of this process was never in doubt. */
		if (variant->policy == MAILBOX_POLICY_ONE)
			EXPECT_EQ(-EAGAIN, box_try(self->fd));
		EXPECT_EQ(-EACCES, box_try(fd));
		close(fd);
		child_done(pid);
	}
	__atomic_store_n(&churn.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	EXPECT_TRUE(variant->policy == MAILBOX_POLICY_ONE || is_free(self, variant));
}

TEST_HARNESS_MAIN
