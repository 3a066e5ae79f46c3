// SPDX-License-Identifier: GPL-2.0
/*
 * What one of a pair sees once the other has left, until somebody takes the place.
 */
#include "puppet.h"

#include <pthread.h>

FIXTURE(alone)
{
	int device;
	struct puppet other;
	struct mailbox_create create;
	int fd;
	/* Of the other, in its own table. */
	int its;
};

FIXTURE_VARIANT(alone)
{
	__u32 capacity;
	__u32 on_full;
};

FIXTURE_VARIANT_ADD(alone, bounded)
{
	.capacity = MAILBOX_CAPACITY_BOUNDED,
};

FIXTURE_VARIANT_ADD(alone, refusing)
{
	.on_full = MAILBOX_ON_FULL_REFUSE,
};

FIXTURE_VARIANT_ADD(alone, overwriting)
{
	.on_full = MAILBOX_ON_FULL_OVERWRITE,
};

FIXTURE_VARIANT_ADD(alone, unbounded)
{
	.capacity = MAILBOX_CAPACITY_UNBOUNDED,
};

FIXTURE_VARIANT_ADD(alone, rendezvous)
{
	.capacity = MAILBOX_CAPACITY_RENDEZVOUS,
};

static void other_opens(FIXTURE_DATA(alone) * self)
{
	self->its = puppet_open(&self->other, self->create.id, RIGHTS_ALL);
	ASSERT_LE(0, self->its);
}

FIXTURE_SETUP(alone)
{
	self->device = device_open();
	self->other = puppet_new(self->device);
	self->create = create_args();
	self->create.policy = MAILBOX_POLICY_PAIR;
	self->create.capacity = variant->capacity;
	self->create.on_full = variant->on_full;
	if (variant->capacity == MAILBOX_CAPACITY_BOUNDED)
		self->create.max_messages = 2;
	self->fd = box_create(self->device, &self->create);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(alone)
{
	puppets_end();
	close(self->fd);
	close(self->device);
}

static int receive_with(int fd, __u32 flags)
{
	char data[16];
	struct mailbox_receive args = receive_args(data, sizeof(data));

	args.flags = flags;
	return box_receive(fd, &args);
}

static int send_with(int fd, __u32 flags)
{
	struct mailbox_send args = send_args("x", 1);

	args.flags = flags;
	return box_send(fd, &args);
}

/* With nothing in it. */
static void expect_alone(FIXTURE_DATA(alone) * self)
{
	static const __u32 flags[] = { 0, MAILBOX_NONBLOCK, MAILBOX_DEADLINE };
	struct mailbox_receive entry = receive_args(NULL, 0);
	struct mailbox_send send = send_args("x", 1);
	unsigned int i;
	char byte;

	EXPECT_EQ(POLLHUP, poll_now(self->fd, POLLIN | POLLOUT));
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		EXPECT_REFUSED(self->device, self->fd, EPIPE, send_with(self->fd, flags[i]));
		EXPECT_REFUSED(self->device, self->fd, EPIPE, receive_with(self->fd, flags[i]));
		EXPECT_REFUSED(self->device, self->fd, EPIPE,
			       receive_with(self->fd, flags[i] | MAILBOX_PEEK));
		EXPECT_REFUSED(self->device, self->fd, EPIPE,
			       receive_with(self->fd, flags[i] | MAILBOX_LEASE));
	}
	entry.flags = 0;
	send.flags = 0;
	EXPECT_EQ(-EPIPE, box_batch(self->fd, MAILBOX_IOC_RECEIVE_BATCH, &entry, sizeof(entry), 1));
	EXPECT_EQ(-EPIPE, box_batch(self->fd, MAILBOX_IOC_SEND_BATCH, &send, sizeof(send), 1));
	EXPECT_EQ(-1, read(self->fd, &byte, 1));
	EXPECT_EQ(EPIPE, errno);
	EXPECT_EQ(-1, write(self->fd, "x", 1));
	EXPECT_EQ(EPIPE, errno);
}

static void expect_together(FIXTURE_DATA(alone) * self)
{
	EXPECT_EQ(0, poll_now(self->fd, POLLHUP));
	puppet_tell(&self->other, &(struct order){ .what = RECEIVE, .fd = self->its });
	wait_waiters(self->fd, 1, 0);
	EXPECT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	EXPECT_EQ(0, puppet_answer(&self->other, "x"));
}

TEST_F(alone, nobody_is_before_a_second_has_been_there)
{
	bool meets = variant->capacity == MAILBOX_CAPACITY_RENDEZVOUS;

	EXPECT_EQ(meets ? 0 : POLLOUT, poll_now(self->fd, POLLIN | POLLOUT));
	EXPECT_EQ(-EAGAIN, receive_with(self->fd, MAILBOX_NONBLOCK));
	EXPECT_EQ(-ETIMEDOUT, receive_with(self->fd, MAILBOX_DEADLINE));
	EXPECT_EQ(meets ? -EAGAIN : 0, send_with(self->fd, MAILBOX_NONBLOCK));
	if (!meets)
		EXPECT_EQ(0, receive_with(self->fd, 0));
	other_opens(self);
	expect_together(self);
}

TEST_F(alone, when_the_other_leaves_until_it_comes_back)
{
	unsigned int i;

	for (i = 0; i < 3; i++) {
		other_opens(self);
		expect_together(self);
		EXPECT_EQ(0, puppet_does(&self->other, CLOSE, self->its));
		expect_alone(self);
	}
}

TEST_F(alone, when_the_other_is_killed)
{
	other_opens(self);
	puppet_kill(&self->other);
	expect_alone(self);
	self->other = puppet_new(self->device);
	EXPECT_EQ(0, puppet_does(&self->other, CLOSE, self->fd));
	other_opens(self);
	expect_together(self);
	puppet_kill(&self->other);
}

/* The one that did not make it. */
TEST_F(alone, when_the_creator_leaves)
{
	other_opens(self);
	close(self->fd);
	EXPECT_EQ(-EPIPE, puppet_sends(&self->other, self->its, "x"));
	EXPECT_EQ(-EPIPE, puppet_receives(&self->other, self->its, ""));
	EXPECT_EQ(POLLHUP, puppet_polls(&self->other, self->its, POLLIN | POLLOUT));
	self->fd = box_open(self->device, self->create.id, NULL, RIGHTS_ALL);
	ASSERT_LE(0, self->fd);
	expect_together(self);
}

TEST_F(alone, nobody_is_when_both_have_left)
{
	close(self->fd);
	self->create.flags = MAILBOX_PERMANENT;
	self->fd = box_create(self->device, &self->create);
	ASSERT_LE(0, self->fd);
	other_opens(self);
	close(self->fd);
	EXPECT_EQ(0, puppet_does(&self->other, CLOSE, self->its));
	self->fd = box_open(self->device, self->create.id, NULL, RIGHTS_ALL);
	ASSERT_LE(0, self->fd);
	EXPECT_EQ(0, poll_now(self->fd, POLLHUP));
	EXPECT_EQ(-EAGAIN, receive_with(self->fd, MAILBOX_NONBLOCK));
	other_opens(self);
	expect_together(self);
	EXPECT_EQ(0, box_destroy(self->fd, 0, NULL));
}

TEST_F(alone, what_was_sent_before_is_received)
{
	if (variant->capacity == MAILBOX_CAPACITY_RENDEZVOUS)
		return;
	other_opens(self);
	EXPECT_EQ(0, puppet_sends(&self->other, self->its, "one"));
	EXPECT_EQ(0, puppet_sends(&self->other, self->its, "two"));
	puppet_kill(&self->other);
	EXPECT_EQ(POLLIN | POLLHUP, poll_now(self->fd, POLLIN | POLLOUT));
	EXPECT_REFUSED(self->device, self->fd, EPIPE, send_with(self->fd, 0));
	EXPECT_EQ(0, receive_with(self->fd, MAILBOX_PEEK));
	expect_delivered(self->fd, "one", 0);
	/* Also by the next who comes. */
	self->other = puppet_new(self->device);
	EXPECT_EQ(0, puppet_receives(&self->other, self->fd, "two"));
	puppet_kill(&self->other);
	expect_alone(self);
}

TEST_F(alone, what_the_other_had_leased_is_received)
{
	struct order order = { .what = RECEIVE, .flags = MAILBOX_LEASE };

	if (variant->capacity == MAILBOX_CAPACITY_RENDEZVOUS)
		return;
	other_opens(self);
	EXPECT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	order.fd = self->its;
	EXPECT_EQ(0, puppet_ask(&self->other, &order));
	puppet_kill(&self->other);
	expect_delivered(self->fd, "x", 1);
	expect_alone(self);
}

/* The one that waits is the other, and we are the one to go. */
static void leave(FIXTURE_DATA(alone) * self)
{
	close(self->fd);
	self->fd = -1;
}

TEST_F(alone, ends_the_wait_for_a_message)
{
	static const __u32 flags[] = { 0, MAILBOX_PEEK, MAILBOX_LEASE, MAILBOX_DEADLINE };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		struct order order = { .what = RECEIVE, .flags = flags[i] };

		other_opens(self);
		order.fd = self->its;
		order.deadline = far_future();
		puppet_tell(&self->other, &order);
		wait_waiters(self->fd, 1, 0);
		wait_sleeping(self->other.pid, self->other.pid);
		leave(self);
		EXPECT_EQ(-EPIPE, puppet_answer(&self->other, ""));
		self->fd = box_open(self->device, self->create.id, NULL, RIGHTS_ALL);
		ASSERT_LE(0, self->fd);
		EXPECT_EQ(0, box_stat(self->fd).receivers);
		EXPECT_EQ(0, puppet_does(&self->other, CLOSE, self->its));
	}
}

/* In line where it is full, or at a rendezvous. */
TEST_F(alone, ends_the_wait_of_senders)
{
	bool meets = variant->capacity == MAILBOX_CAPACITY_RENDEZVOUS;

	if (variant->on_full != MAILBOX_ON_FULL_WAIT ||
	    variant->capacity == MAILBOX_CAPACITY_UNBOUNDED)
		return;
	other_opens(self);
	while (!meets && !send_with(self->fd, MAILBOX_NONBLOCK))
		;
	puppet_waits(&self->other, SEND, self->its, self->fd, 1);
	leave(self);
	EXPECT_EQ(-EPIPE, puppet_answer(&self->other, ""));
	/* It never was in the mailbox. */
	if (!meets) {
		EXPECT_EQ(0, puppet_receives(&self->other, self->its, "x"));
		EXPECT_EQ(0, puppet_receives(&self->other, self->its, "x"));
	}
	EXPECT_EQ(-EPIPE, puppet_receives(&self->other, self->its, ""));
	self->fd = box_open(self->device, self->create.id, NULL, RIGHTS_ALL);
	ASSERT_LE(0, self->fd);
	EXPECT_EQ(meets ? 0 : 2, box_stat(self->fd).sent);
	expect_together(self);
}

TEST_F(alone, is_told_by_a_poll_that_waits)
{
	other_opens(self);
	puppet_tell(&self->other, &(struct order){ .what = HANG_UP, .fd = self->its });
	wait_sleeping(self->other.pid, self->other.pid);
	leave(self);
	EXPECT_EQ(POLLHUP, puppet_answer(&self->other, ""));
}

TEST_F(alone, whatever_set_says)
{
	struct mailbox_set args = {
		.size = sizeof(args),
		.flags = MAILBOX_SET_MAX_MESSAGES,
		.max_messages = 3,
	};

	if (variant->capacity != MAILBOX_CAPACITY_BOUNDED)
		return;
	other_opens(self);
	EXPECT_EQ(0, puppet_does(&self->other, CLOSE, self->its));
	EXPECT_EQ(0, call(self->fd, MAILBOX_IOC_SET, &args));
	expect_alone(self);
	other_opens(self);
	EXPECT_EQ(0, send_with(self->fd, MAILBOX_NONBLOCK));
	EXPECT_EQ(0, send_with(self->fd, MAILBOX_NONBLOCK));
	EXPECT_EQ(0, send_with(self->fd, MAILBOX_NONBLOCK));
	EXPECT_EQ(variant->on_full == MAILBOX_ON_FULL_OVERWRITE ? 0 : -EAGAIN,
		  send_with(self->fd, MAILBOX_NONBLOCK));
	EXPECT_EQ(3, box_stat(self->fd).messages);
}

TEST_F(alone, destruction_is_eidrm)
{
	other_opens(self);
	EXPECT_EQ(0, puppet_does(&self->other, CLOSE, self->its));
	EXPECT_EQ(0, box_destroy(self->fd, 0, NULL));
	EXPECT_EQ(-EIDRM, send_with(self->fd, 0));
	EXPECT_EQ(-EIDRM, receive_with(self->fd, 0));
	EXPECT_EQ(POLLHUP | POLLERR, poll_now(self->fd, POLLIN | POLLOUT));
}

/* Threads that wait while another closes the last descriptor of their process. */
struct waiting {
	int fd;
	bool sends;
	int result;
};

static void *waits(void *data)
{
	struct waiting *waiting = data;

	waiting->result = waiting->sends ? send_with(waiting->fd, 0) : receive_with(waiting->fd, 0);
	return NULL;
}

static void expect_let_go(FIXTURE_DATA(alone) * self, bool sends, int expected)
{
	unsigned int *closed = flag_new();
	pid_t pid = child_fork();

	if (!pid) {
		struct waiting waiting = { .sends = sends };
		pthread_t thread;
		int watch = self->fd;

		waiting.fd = box_open(self->device, self->create.id, NULL, RIGHTS_ALL);
		ASSERT_LE(0, waiting.fd);
		ASSERT_EQ(0, pthread_create(&thread, NULL, waits, &waiting));
		wait_waiters(watch, !sends, sends);
		close(watch);
		close(waiting.fd);
		ASSERT_EQ(0, pthread_join(thread, NULL));
		EXPECT_EQ(expected, waiting.result);
		flag_raise(closed);
		for (;;)
			pause();
	}
	flag_await(closed, 1);
	EXPECT_EQ(0, box_stat(self->fd).receivers);
	EXPECT_EQ(0, box_stat(self->fd).senders);
	EXPECT_EQ(POLLHUP, poll_now(self->fd, POLLHUP));
	child_kill(pid);
}

TEST_F(alone, receives_of_who_has_left_are_eperm)
{
	expect_let_go(self, false, -EPERM);
	other_opens(self);
	expect_together(self);
}

TEST_F(alone, sends_of_who_has_left_are_epipe)
{
	if (variant->capacity == MAILBOX_CAPACITY_RENDEZVOUS)
		expect_let_go(self, true, -EPIPE);
}

/*
 * A send that has begun to overwrite does not take more for it that the other leaves: so
 * much that this comes while the other is about to.
 */
TEST_F(alone, overwrites_no_more_than_it_must)
{
	enum { NR = 10000, KEPT = 100 };
	static char large[NR - KEPT];
	uint32_t rounds = effort(10), i, j;

	if (variant->on_full != MAILBOX_ON_FULL_OVERWRITE)
		return;
	close(self->fd);
	self->create.max_messages = NR;
	self->create.max_bytes = NR;
	self->create.message_size = NR;
	for (i = 0; i < rounds; i++) {
		struct mailbox_stat stat;
		int ret;

		self->fd = box_create(self->device, &self->create);
		ASSERT_LE(0, self->fd);
		other_opens(self);
		for (j = 0; j < NR; j++)
			ASSERT_EQ(0, send_with(self->fd, MAILBOX_NONBLOCK));
		puppet_tell(&self->other, &(struct order){ .what = CLOSE, .fd = self->its });
		ret = box_send_data(self->fd, large, sizeof(large));
		stat = box_stat(self->fd);
		EXPECT_TRUE(ret == 0 || ret == -EPIPE) TH_LOG("%d", ret);
		ASSERT_EQ(ret ? 0 : sizeof(large), stat.overwritten);
		ASSERT_EQ(NR, stat.bytes);
		ASSERT_EQ(0, puppet_answer(&self->other, ""));
		close(self->fd);
	}
	self->fd = -1;
}

TEST_HARNESS_MAIN
