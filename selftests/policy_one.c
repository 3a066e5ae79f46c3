// SPDX-License-Identifier: GPL-2.0
/*
 * A mailbox that one process at a time receives from: how it gets the right, how others
 * wait for that, and how it goes on to them.
 */
#include "puppet.h"

#include <pthread.h>
#include <sys/epoll.h>

#define PUPPETS 3

FIXTURE(one)
{
	int device;
	int fd;
	__u64 id;
	/* They have inherited the handle. */
	struct puppet puppets[PUPPETS];
};

FIXTURE_SETUP(one)
{
	int i;

	self->device = device_open();
	self->fd = box_new_policy(self->device, MAILBOX_POLICY_ONE);
	self->id = box_stat(self->fd).id;
	for (i = 0; i < PUPPETS; i++)
		self->puppets[i] = puppet_new(self->device);
}

FIXTURE_TEARDOWN(one)
{
	puppets_end();
	close(self->fd);
	close(self->device);
}

static int holds(FIXTURE_DATA(one) * self, int puppet)
{
	return puppet_receives(&self->puppets[puppet], self->fd, "") == -EAGAIN;
}

/* Puppet 0 has the right, and there is nothing to be received. */
static void first_holds(FIXTURE_DATA(one) * self)
{
	ASSERT_TRUE(holds(self, 0));
}

static void waits(FIXTURE_DATA(one) * self, int puppet, int waiters)
{
	puppet_waits(&self->puppets[puppet], RECEIVE, self->fd, self->fd, waiters);
}

static int does(FIXTURE_DATA(one) * self, int puppet, enum what what)
{
	return puppet_does(&self->puppets[puppet], what, self->fd);
}

static void sends(FIXTURE_DATA(one) * self, const char *text)
{
	ASSERT_EQ(0, box_send_text(self->fd, text, 0, 0));
}

TEST_F(one, first_that_receives_has_it)
{
	EXPECT_EQ(MAILBOX_POLICY_ONE, box_stat(self->fd).policy);
	sends(self, "a");
	sends(self, "b");
	EXPECT_EQ(0, puppet_receives(&self->puppets[1], self->fd, "a"));
	EXPECT_EQ(-EBUSY, puppet_receives(&self->puppets[0], self->fd, ""));
	EXPECT_REFUSED(self->device, self->fd, EBUSY, box_try(self->fd));
	EXPECT_EQ(0, puppet_receives(&self->puppets[1], self->fd, "b"));
	EXPECT_TRUE(holds(self, 1));
}

/* Nobody gets it by making, opening or looking at the mailbox, nor by sending. */
TEST_F(one, opening_does_not_give_it)
{
	int fd = puppet_open(&self->puppets[0], self->id, RIGHTS_ALL);

	EXPECT_LE(0, fd);
	EXPECT_EQ(0, puppet_sends(&self->puppets[0], fd, "x"));
	EXPECT_EQ(POLLIN, puppet_polls(&self->puppets[0], fd, POLLIN));
	EXPECT_EQ(-EPERM, puppet_does(&self->puppets[0], YIELD, fd));
	EXPECT_EQ(0, puppet_receives(&self->puppets[2], self->fd, "x"));
	EXPECT_EQ(-EBUSY, puppet_receives(&self->puppets[0], fd, ""));
}

TEST_F(one, everybody_may_send)
{
	int i;

	first_holds(self);
	for (i = 0; i < PUPPETS; i++)
		EXPECT_EQ(0, puppet_sends(&self->puppets[i], self->fd, "x"));
	EXPECT_EQ(3, box_stat(self->fd).sent);
}

TEST_F(one, all_that_receives_needs_it)
{
	static const __u32 flags[] = { 0, MAILBOX_PEEK, MAILBOX_LEASE };
	struct mailbox_receive entry;
	unsigned int i;
	char byte;

	first_holds(self);
	sends(self, "x");
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		entry = receive_args(NULL, 0);
		entry.flags |= MAILBOX_TRUNCATE | flags[i];
		EXPECT_REFUSED(self->device, self->fd, EBUSY, box_receive(self->fd, &entry));
	}
	entry = receive_args(NULL, 0);
	entry.flags = MAILBOX_TRUNCATE;
	EXPECT_EQ(-EBUSY, box_batch(self->fd, MAILBOX_IOC_RECEIVE_BATCH, &entry, sizeof(entry), 1));
	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(-1, read(self->fd, &byte, 1));
	EXPECT_EQ(EBUSY, errno);
	/* It is as it was. */
	EXPECT_EQ(0, puppet_receives(&self->puppets[0], self->fd, "x"));
}

TEST_F(one, peek_gets_it)
{
	sends(self, "x");
	EXPECT_EQ(0, puppet_ask(&self->puppets[0],
				&(struct order){ .what = RECEIVE,
						 .fd = self->fd,
						 .flags = MAILBOX_PEEK | MAILBOX_NONBLOCK }));
	EXPECT_EQ(-EBUSY, puppet_receives(&self->puppets[1], self->fd, ""));
	EXPECT_EQ(0, puppet_receives(&self->puppets[0], self->fd, "x"));
}

TEST_F(one, poll_says_readable_to_the_holder)
{
	int i;

	/* To all while nobody has it: any of them could receive. */
	sends(self, "x");
	for (i = 0; i < PUPPETS; i++)
		EXPECT_EQ(POLLIN, puppet_polls(&self->puppets[i], self->fd, POLLIN));
	EXPECT_EQ(0, puppet_receives(&self->puppets[0], self->fd, "x"));
	sends(self, "y");
	EXPECT_EQ(POLLIN | POLLOUT, puppet_polls(&self->puppets[0], self->fd, POLLIN | POLLOUT));
	EXPECT_EQ(POLLOUT, puppet_polls(&self->puppets[1], self->fd, POLLIN | POLLOUT));
	EXPECT_EQ(0, does(self, 0, YIELD));
	EXPECT_EQ(POLLIN, puppet_polls(&self->puppets[1], self->fd, POLLIN));
}

/* A poll that waits is told when the right is free, and when its process gets it. */
TEST_F(one, poll_wakes_when_it_is_free)
{
	pid_t pid;

	first_holds(self);
	sends(self, "x");
	pid = child_fork();
	if (!pid) {
		struct pollfd entry = { .fd = self->fd, .events = POLLIN };

		EXPECT_EQ(1, poll(&entry, 1, -1));
		EXPECT_EQ(POLLIN, entry.revents);
		_exit(0);
	}
	wait_sleeping(pid, pid);
	EXPECT_EQ(0, does(self, 0, YIELD));
	child_done(pid);
}

/* The one that EPOLLEXCLUSIVE would wake first may be of a process that must not receive. */
TEST_F(one, poll_of_the_holder_wakes_whoever_else_polls)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLEXCLUSIVE };
	unsigned int *ready = flag_new();
	pid_t pids[2];
	int i;

	for (i = 0; i < 2; i++) {
		pids[i] = child_fork();
		if (!pids[i]) {
			int set = epoll_create1(EPOLL_CLOEXEC);

			/* The last has it. */
			if (i)
				EXPECT_EQ(-EAGAIN, box_try(self->fd));
			ASSERT_EQ(0, epoll_ctl(set, EPOLL_CTL_ADD, self->fd, &event));
			flag_raise(ready);
			EXPECT_EQ(1, epoll_wait(set, &event, 1, -1));
			EXPECT_EQ(1, i);
			/* When it ends, the other may receive. */
			EXPECT_EQ(1, box_try(self->fd));
			_exit(0);
		}
		flag_await(ready, i + 1);
		wait_sleeping(pids[i], pids[i]);
	}
	sends(self, "x");
	child_done(pids[1]);
	child_kill(pids[0]);
}

TEST_F(one, others_wait_in_order)
{
	first_holds(self);
	waits(self, 2, 1);
	waits(self, 1, 2);
	sends(self, "a");
	sends(self, "b");
	/* Not for them. */
	EXPECT_EQ(2, box_stat(self->fd).messages);
	EXPECT_EQ(0, puppet_receives(&self->puppets[0], self->fd, "a"));
	EXPECT_EQ(0, does(self, 0, YIELD));
	EXPECT_EQ(0, puppet_answer(&self->puppets[2], "b"));
	EXPECT_EQ(-EBUSY, puppet_receives(&self->puppets[0], self->fd, ""));
	sends(self, "c");
	EXPECT_EQ(1, box_stat(self->fd).receivers);
	EXPECT_EQ(0, does(self, 2, YIELD));
	EXPECT_EQ(0, puppet_answer(&self->puppets[1], "c"));
	EXPECT_TRUE(holds(self, 1));
}

/* Having got it, a receive goes on to wait for a message. */
TEST_F(one, wait_goes_on_for_a_message)
{
	first_holds(self);
	waits(self, 1, 1);
	EXPECT_EQ(0, does(self, 0, YIELD));
	wait_waiters(self->fd, 1, 0);
	EXPECT_EQ(-EBUSY, puppet_receives(&self->puppets[0], self->fd, ""));
	sends(self, "x");
	EXPECT_EQ(0, puppet_answer(&self->puppets[1], "x"));
}

TEST_F(one, wait_has_a_deadline)
{
	struct order order = { .what = RECEIVE, .fd = self->fd, .flags = MAILBOX_DEADLINE };

	first_holds(self);
	sends(self, "x");
	EXPECT_EQ(-ETIMEDOUT, puppet_ask(&self->puppets[1], &order));
	order.deadline = now_ns() + SECOND / 20;
	EXPECT_EQ(-ETIMEDOUT, puppet_ask(&self->puppets[1], &order));
	EXPECT_LE(order.deadline, now_ns());
	EXPECT_EQ(0, box_stat(self->fd).receivers);
	/* The same one for both. */
	order.deadline = now_ns() + SECOND / 20;
	puppet_tell(&self->puppets[1], &order);
	wait_waiters(self->fd, 1, 0);
	EXPECT_EQ(0, puppet_receives(&self->puppets[0], self->fd, "x"));
	does(self, 0, YIELD);
	EXPECT_EQ(-ETIMEDOUT, puppet_answer(&self->puppets[1], ""));
	EXPECT_LE(order.deadline, now_ns());
}

static void nothing(int number)
{
	(void)number;
}

TEST_F(one, wait_ends_with_a_signal)
{
	pid_t pid;

	first_holds(self);
	pid = child_fork();
	if (!pid) {
		struct sigaction action = { .sa_handler = nothing };
		struct mailbox_receive args = receive_args(NULL, 0);

		ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
		args.flags = 0;
		EXPECT_EQ(-EINTR, box_receive(self->fd, &args));
		_exit(0);
	}
	wait_waiters(self->fd, 1, 0);
	wait_sleeping(pid, pid);
	ASSERT_EQ(0, kill(pid, SIGUSR1));
	child_done(pid);
	EXPECT_EQ(0, box_stat(self->fd).receivers);
	EXPECT_TRUE(holds(self, 0));
}

TEST_F(one, wait_ends_with_the_mailbox)
{
	first_holds(self);
	waits(self, 1, 1);
	waits(self, 2, 2);
	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	EXPECT_EQ(-EIDRM, puppet_answer(&self->puppets[1], ""));
	EXPECT_EQ(-EIDRM, puppet_answer(&self->puppets[2], ""));
	EXPECT_EQ(-EIDRM, puppet_receives(&self->puppets[1], self->fd, ""));
	EXPECT_EQ(-EIDRM, puppet_receives(&self->puppets[0], self->fd, ""));
	EXPECT_EQ(-EIDRM, does(self, 0, YIELD));
}

TEST_F(one, yield_is_for_the_holder)
{
	first_holds(self);
	EXPECT_REFUSED(self->device, self->fd, EPERM, box_yield(self->fd));
	EXPECT_EQ(-EPERM, does(self, 1, YIELD));
	EXPECT_TRUE(holds(self, 0));
	EXPECT_EQ(0, does(self, 0, YIELD));
	EXPECT_EQ(-EPERM, does(self, 0, YIELD));
	/* And it may take it again. */
	EXPECT_TRUE(holds(self, 0));
}

TEST_F(one, yield_is_for_this_policy)
{
	static const __u32 others[] = { MAILBOX_POLICY_ANY, MAILBOX_POLICY_PAIR };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(others); i++) {
		int fd = box_new_policy(self->device, others[i]);

		EXPECT_REFUSED(self->device, fd, EINVAL, box_yield(fd));
		close(fd);
	}
}

TEST_F(one, yield_takes_no_flags_and_needs_the_right_to_receive)
{
	struct mailbox_yield args = { .size = sizeof(args) };
	__u32 bit, rights;

	EXPECT_EQ(-EAGAIN, box_try(self->fd));
	for (bit = 0; bit < 32; bit++) {
		args.flags = 1U << bit;
		EXPECT_REFUSED(self->device, self->fd, EOPNOTSUPP,
			       call(self->fd, MAILBOX_IOC_YIELD, &args));
	}
	for (rights = 1; rights <= RIGHTS_ALL; rights++) {
		int fd = box_open(self->device, self->id, NULL, rights);

		ASSERT_LE(0, fd);
		if (rights & MAILBOX_RIGHT_RECEIVE) {
			EXPECT_EQ(0, box_yield(fd));
			EXPECT_EQ(-EAGAIN, box_try(fd));
		} else {
			EXPECT_REFUSED(self->device, self->fd, EACCES, box_yield(fd));
		}
		close(fd);
	}
	EXPECT_EQ(-ENOTTY, box_yield(self->device));
}

/* Each way in which a holder goes. */
TEST_F(one, passes_on_when_the_holder_leaves)
{
	static const enum what ways[] = { CLOSE, EXEC, EXIT, POLL };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		struct puppet holder = puppet_new(self->device);

		sends(self, "a");
		sends(self, "b");
		EXPECT_EQ(0, puppet_receives(&holder, self->fd, "a"));
		waits(self, 1, 1);
		if (ways[i] == CLOSE)
			EXPECT_EQ(0, puppet_does(&holder, CLOSE, self->fd));
		else if (ways[i] == EXEC)
			puppet_exec(&holder);
		else if (ways[i] == EXIT)
			puppet_exit(&holder);
		else
			puppet_kill(&holder);
		EXPECT_EQ(0, puppet_answer(&self->puppets[1], "b"));
		EXPECT_TRUE(holds(self, 1));
		EXPECT_EQ(0, does(self, 1, YIELD));
		if (ways[i] == CLOSE || ways[i] == EXEC)
			puppet_kill(&holder);
	}
}

/* Also where the descriptor that is left is of no use for it. */
TEST_F(one, stays_with_the_last_descriptor)
{
	int sender, copy;

	first_holds(self);
	copy = does(self, 0, DUP);
	EXPECT_EQ(0, does(self, 0, CLOSE));
	EXPECT_EQ(-EBUSY, puppet_receives(&self->puppets[1], self->fd, ""));
	EXPECT_EQ(-EAGAIN, puppet_receives(&self->puppets[0], copy, ""));
	sender = puppet_open(&self->puppets[0], self->id, MAILBOX_RIGHT_SEND);
	EXPECT_EQ(0, puppet_does(&self->puppets[0], CLOSE, copy));
	EXPECT_EQ(-EBUSY, puppet_receives(&self->puppets[1], self->fd, ""));
	EXPECT_EQ(0, puppet_does(&self->puppets[0], CLOSE, sender));
	EXPECT_TRUE(holds(self, 1));
}

TEST_F(one, killed_while_waiting_for_it_does_not_keep_it)
{
	first_holds(self);
	waits(self, 1, 1);
	waits(self, 2, 2);
	puppet_kill(&self->puppets[1]);
	EXPECT_EQ(1, box_stat(self->fd).receivers);
	EXPECT_EQ(0, does(self, 0, YIELD));
	sends(self, "x");
	EXPECT_EQ(0, puppet_answer(&self->puppets[2], "x"));
}

TEST_F(one, leases_go_on)
{
	struct mailbox_receive args;

	sends(self, "a");
	sends(self, "b");
	args = box_lease_select(self->fd, MAILBOX_SELECT_FIRST, 0, 0);
	EXPECT_EQ(0, box_yield(self->fd));
	EXPECT_EQ(1, box_stat(self->fd).leased);
	EXPECT_EQ(0, puppet_receives(&self->puppets[0], self->fd, "b"));
	/* Neither the right nor the lease follows the other. */
	EXPECT_EQ(0, box_extend(self->fd, args.lease, 0));
	EXPECT_EQ(0, box_nack(self->fd, args.lease, 0));
	EXPECT_EQ(0, puppet_receives(&self->puppets[0], self->fd, "a"));
	EXPECT_EQ(0, box_stat(self->fd).leased);
}

TEST_HARNESS_MAIN
