// SPDX-License-Identifier: GPL-2.0
/*
 * Files of a message that stands still in the middle of a send or a receive: descriptors
 * that are told but not yet there, and who has the files when it does not go on.
 */
#include "common_files.h"
#include "common_grant.h"
#include "frozen.h"

FIXTURE(files)
{
	int device;
	int fd;
	struct witness witness;
	int next;
};

FIXTURE_SETUP(files)
{
	self->device = device_open();
	self->fd = box_new(self->device);
	self->witness = witness_new();
}

FIXTURE_TEARDOWN(files)
{
	witness_end(&self->witness);
	close(self->fd);
	close(self->device);
}

/* Where an actor wants its files. */
static int *files_of(const struct actor *actor)
{
	return (int *)(actor_text(actor) + ROOM);
}

/* Stands still with descriptors reserved, which are ours too, and told. */
static struct actor *freeze_taker(FIXTURE_DATA(files) * self, int fd, __u32 flags)
{
	struct actor *actor = frozen_receiver_new(fd, 0);

	actor->receive->flags |= MAILBOX_FILES | flags;
	actor->receive->files = user_pointer(files_of(actor));
	actor->receive->nr_files = 4;
	actor->receive->lease = 0;
	actor_start_frozen(actor);
	self->next = files_of(actor)[0];
	EXPECT_LT(0, self->next);
	EXPECT_EQ(-1, fcntl(self->next, F_GETFD));
	EXPECT_EQ(EBADF, errno);
	return actor;
}

/* It has failed: the number is free again, and what was to be told is not. */
static void expect_unreserved(FIXTURE_DATA(files) * self, struct actor *actor)
{
	EXPECT_EQ(self->next, fcntl(self->device, F_DUPFD_CLOEXEC, self->next));
	EXPECT_EQ(0, close(self->next));
	EXPECT_EQ(4, actor->receive->nr_files);
}

static void expect_taken(FIXTURE_DATA(files) * self, int fd)
{
	int got = -1;

	EXPECT_TRUE(witness_is_open(&self->witness));
	ASSERT_EQ(1, box_receive_files(fd, &got, 1));
	expect_writer(&self->witness, got);
	close(got);
	witness_await_end(&self->witness);
}

TEST_F(files, are_not_there_before_the_receive_has_succeeded)
{
	struct actor *taker;

	box_send_witness(self->fd, &self->witness);
	taker = freeze_taker(self, self->fd, 0);
	/* Nobody else can get at the number either. */
	EXPECT_EQ(-1, close(self->next));
	EXPECT_EQ(-1, dup2(self->device, self->next));
	EXPECT_EQ(EBUSY, errno);
	EXPECT_EQ(0, actor_thaw(taker));
	EXPECT_EQ(1, taker->receive->nr_files);
	expect_writer(&self->witness, self->next);
	close(self->next);
	witness_await_end(&self->witness);
}

TEST_F(files, stay_when_the_copy_fails)
{
	struct actor *taker;

	box_send_witness(self->fd, &self->witness);
	taker = freeze_taker(self, self->fd, 0);
	EXPECT_EQ(-EFAULT, actor_fail(taker));
	expect_unreserved(self, taker);
	expect_taken(self, self->fd);
}

/* The table of descriptors outlives who has reserved one. */
TEST_F(files, stay_when_the_receiver_is_killed)
{
	struct actor *taker;

	box_send_witness(self->fd, &self->witness);
	taker = freeze_taker(self, self->fd, 0);
	actor_kill(taker);
	EXPECT_EQ(self->next, fcntl(self->device, F_DUPFD_CLOEXEC, self->next));
	EXPECT_EQ(0, close(self->next));
	expect_taken(self, self->fd);
}

TEST_F(files, arrive_from_a_mailbox_that_is_destroyed_meanwhile)
{
	struct actor *taker;

	box_send_witness(self->fd, &self->witness);
	taker = freeze_taker(self, self->fd, 0);
	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	EXPECT_TRUE(witness_is_open(&self->witness));
	EXPECT_EQ(0, actor_thaw(taker));
	expect_writer(&self->witness, self->next);
	close(self->next);
	witness_await_end(&self->witness);
}

TEST_F(files, of_a_lease_that_does_not_begin)
{
	struct actor *taker;

	box_send_witness(self->fd, &self->witness);
	taker = freeze_taker(self, self->fd, MAILBOX_LEASE);
	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	EXPECT_EQ(-EIDRM, actor_thaw(taker));
	expect_unreserved(self, taker);
	witness_await_end(&self->witness);
}

TEST_F(files, of_a_lease_through_a_handle_that_is_revoked)
{
	struct actor *taker;
	__u64 grant;
	int derived = box_restrict(self->fd, MAILBOX_RIGHT_RECEIVE, &grant);

	box_send_witness(self->fd, &self->witness);
	taker = freeze_taker(self, derived, MAILBOX_LEASE);
	ASSERT_EQ(0, box_revoke(self->fd, grant));
	EXPECT_EQ(-EACCES, actor_thaw(taker));
	expect_unreserved(self, taker);
	expect_taken(self, self->fd);
	close(derived);
}

/* The sender takes back what is just being copied: that receive goes on to the next. */
TEST_F(files, that_are_taken_back)
{
	struct actor *sender, *taker;

	close(self->fd);
	self->fd = box_new_capacity(self->device, MAILBOX_CAPACITY_RENDEZVOUS);
	sender = sender_new(self->fd, "x", 0);
	sender->send->flags = MAILBOX_FILES;
	sender->send->files = user_pointer(files_of(sender));
	sender->send->nr_files = 1;
	*files_of(sender) = self->witness.writer;
	actor_start(sender);
	wait_waiters(self->fd, 0, 1);
	close(self->witness.writer);
	self->witness.writer = -1;
	taker = freeze_taker(self, self->fd, 0);
	actor_kill(sender);
	EXPECT_TRUE(witness_is_open(&self->witness));
	EXPECT_EQ(-EAGAIN, actor_thaw(taker));
	expect_unreserved(self, taker);
	witness_await_end(&self->witness);
}

TEST_F(files, of_a_message_that_somebody_looks_at_are_closed_after_that)
{
	struct actor *peeker;

	box_send_witness(self->fd, &self->witness);
	peeker = freeze_peeker(self->fd, 0);
	ASSERT_EQ(0, box_ack(self->fd, box_lease(self->fd)));
	EXPECT_TRUE(witness_is_open(&self->witness));
	EXPECT_EQ(0, actor_thaw(peeker));
	EXPECT_EQ(MAILBOX_HAS_FILES, peeker->receive->result);
	witness_await_end(&self->witness);
}

/* From then on they are in flight, whoever closes what. */
TEST_F(files, are_taken_when_the_send_begins)
{
	struct actor *sender = frozen_sender_new(self->fd, 4, 0);

	sender->send->flags = MAILBOX_FILES;
	sender->send->files = user_pointer(files_of(sender));
	sender->send->nr_files = 1;
	*files_of(sender) = self->witness.writer;
	actor_start_frozen(sender);
	close(self->witness.writer);
	self->witness.writer = -1;
	EXPECT_TRUE(witness_is_open(&self->witness));
	actor_release_with(sender, "text");
	EXPECT_EQ(0, actor_result(sender));
	expect_taken(self, self->fd);
}

TEST_F(files, are_closed_when_the_sender_is_killed)
{
	struct actor *sender = frozen_sender_new(self->fd, 4, 0);

	sender->send->flags = MAILBOX_FILES;
	sender->send->files = user_pointer(files_of(sender));
	sender->send->nr_files = 1;
	*files_of(sender) = self->witness.writer;
	actor_start_frozen(sender);
	close(self->witness.writer);
	self->witness.writer = -1;
	actor_kill(sender);
	witness_await_end(&self->witness);
}

/* A broadcast is copied without being claimed: it may be overwritten meanwhile. */
TEST_F(files, of_a_broadcast_that_is_overwritten_meanwhile)
{
	struct mailbox_create create = create_args();
	struct actor *taker;
	int fd;

	create.policy = MAILBOX_POLICY_BROADCAST;
	create.on_full = MAILBOX_ON_FULL_OVERWRITE;
	create.max_messages = 1;
	fd = box_create(self->device, &create);
	ASSERT_LE(0, fd);
	box_send_witness(fd, &self->witness);
	taker = frozen_receiver_new(fd, 0);
	taker->receive->select = MAILBOX_SELECT_FIRST;
	taker->receive->flags |= MAILBOX_FILES;
	taker->receive->files = user_pointer(files_of(taker));
	taker->receive->nr_files = 1;
	actor_start_frozen(taker);
	ASSERT_EQ(0, box_send_text(fd, "over", 0, 0));
	EXPECT_TRUE(witness_is_open(&self->witness));
	EXPECT_EQ(0, actor_thaw(taker));
	expect_writer(&self->witness, files_of(taker)[0]);
	close(files_of(taker)[0]);
	witness_await_end(&self->witness);
	close(fd);
}

FROZEN_MAIN
