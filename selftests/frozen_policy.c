// SPDX-License-Identifier: GPL-2.0
/*
 * Processes that leave, or are left, in the middle of a copy: one of a pair, or the one
 * that has the right to receive. See frozen.h for how they are stopped there.
 */
#define FROZEN_OWN_TABLES
#include "frozen.h"
#include "puppet.h"

#include <pthread.h>

FIXTURE(frozen)
{
	int device;
	int fd;
};

FIXTURE_SETUP(frozen)
{
	if (frozen_missing())
		SKIP(return, "%s", frozen_missing());
	self->device = device_open();
	self->fd = box_new_policy(self->device, MAILBOX_POLICY_PAIR);
}

FIXTURE_TEARDOWN(frozen)
{
	puppets_end();
}

TEST_F(frozen, receiver_has_what_was_sent_before_the_other_left)
{
	struct actor *receiver;

	put(self->fd, "x", 0);
	receiver = freeze_receiver(self->fd, 0);
	close(self->fd);
	EXPECT_EQ(0, actor_thaw(receiver));
	EXPECT_RECEIVED("x", receiver);
}

TEST_F(frozen, receiver_that_is_killed_leaves_the_message_and_the_pair)
{
	put(self->fd, "x", 0);
	actor_kill(freeze_receiver(self->fd, 0));
	EXPECT_EQ(POLLIN | POLLHUP, poll_now(self->fd, POLLIN | POLLOUT));
	expect_next(self->fd, "x");
	EXPECT_EQ(-EPIPE, box_send_text(self->fd, "y", 0, 0));
}

/* Copying in, it has not sent yet. */
TEST_F(frozen, sender_is_epipe_when_the_other_has_left)
{
	struct actor *sender = freeze_sender(self->fd, "x", 0);

	EXPECT_EQ(0, poll_now(self->fd, POLLHUP));
	close(self->fd);
	EXPECT_EQ(-EPIPE, actor_thaw(sender));
}

TEST_F(frozen, sender_that_is_killed_has_left)
{
	struct actor *sender = freeze_sender(self->fd, "x", 0);

	EXPECT_EQ(0, poll_now(self->fd, POLLHUP));
	actor_kill(sender);
	EXPECT_EQ(POLLHUP, poll_now(self->fd, POLLIN | POLLOUT));
	EXPECT_EQ(0, box_stat(self->fd).sent);
}

struct meeting {
	int fd;
	int result;
};

static void *meets(void *data)
{
	struct meeting *meeting = data;
	struct mailbox_send args = send_args("x", 1);

	args.flags = 0;
	meeting->result = box_send(meeting->fd, &args);
	return NULL;
}

/* Its process leaves while its message is copied: received or not, as the receiver says. */
static void meet_and_leave(FIXTURE_DATA(frozen) * self, bool received)
{
	struct mailbox_create create = create_args();
	struct meeting meeting;
	struct actor *receiver;
	pthread_t thread;

	close(self->fd);
	create.policy = MAILBOX_POLICY_PAIR;
	create.capacity = MAILBOX_CAPACITY_RENDEZVOUS;
	meeting.fd = box_create(self->device, &create);
	ASSERT_LE(0, meeting.fd);
	ASSERT_EQ(0, pthread_create(&thread, NULL, meets, &meeting));
	wait_waiters(meeting.fd, 0, 1);
	receiver = freeze_receiver(meeting.fd, 0);
	close(meeting.fd);
	EXPECT_EQ(received ? 0 : -EFAULT, received ? actor_thaw(receiver) : actor_fail(receiver));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(received ? 0 : -EPIPE, meeting.result);
}

TEST_F(frozen, sender_at_a_rendezvous_leaves_and_is_received)
{
	meet_and_leave(self, true);
}

TEST_F(frozen, sender_at_a_rendezvous_leaves_and_is_not_received)
{
	meet_and_leave(self, false);
}

/* The message and the right go to the next. */
TEST_F(frozen, holder_that_is_killed_leaves_both)
{
	struct actor *holder;
	struct puppet next;
	int fd;

	close(self->fd);
	fd = box_new_policy(self->device, MAILBOX_POLICY_ONE);
	next = puppet_new(self->device);
	put(fd, "x", 0);
	holder = freeze_receiver(fd, 0);
	puppet_waits(&next, RECEIVE, fd, fd, 1);
	actor_kill(holder);
	EXPECT_EQ(0, puppet_answer(&next, "x"));
}

TEST_HARNESS_MAIN
