// SPDX-License-Identifier: GPL-2.0
/*
 * Callers that give up: at a deadline, by a signal, killed, revoked.
 */
#include "common_call.h"
#include "common_grant.h"
#include "common_notify.h"

FIXTURE(call_given_up)
{
	int device;
	int fd;
	__u64 id;
	struct caller *caller;
};

FIXTURE_SETUP(call_given_up)
{
	self->device = device_open();
	self->fd = box_new(self->device);
	self->id = box_stat(self->fd).id;
	self->caller = caller_new();
}

FIXTURE_TEARDOWN(call_given_up)
{
	close(self->fd);
	close(self->device);
}

TEST_F(call_given_up, deadline_in_the_queue)
{
	struct mailbox_call args = call_args("a", 1, NULL, 0);

	args.flags = MAILBOX_DEADLINE;
	args.deadline = 1;
	EXPECT_EQ(-ETIMEDOUT, box_call(self->fd, &args));
	args.deadline = now_ns() + SECOND / 50;
	EXPECT_EQ(-ETIMEDOUT, box_call(self->fd, &args));
	EXPECT_LE(args.deadline, now_ns());
	expect_call_taken_back(self->fd);
	expect_nothing(self->fd);
	EXPECT_EQ(0, args.answer_length);
}

TEST_F(call_given_up, deadline_with_the_server)
{
	int eventfd = eventfd_new();
	pid_t child;
	__u64 token;

	box_notify(self->fd, MAILBOX_EVENT_ABANDONED, eventfd);
	self->caller->args = call_args("a", 1, NULL, 0);
	self->caller->args.flags = MAILBOX_DEADLINE;
	self->caller->args.deadline = far_future();
	child = caller_run(self->caller, self->fd);
	token = box_serve(self->fd);
	EXPECT_EQ(0, box_reply(self->fd, token, ""));
	caller_ends(self->caller, child, 0);
	EXPECT_EQ(0, told(eventfd));

	self->caller->args.deadline = now_ns() + SECOND / 2;
	child = caller_run(self->caller, self->fd);
	token = box_serve(self->fd);
	caller_ends(self->caller, child, -ETIMEDOUT);
	EXPECT_EQ(1, told(eventfd));
	EXPECT_EQ(-ESTALE, box_reply(self->fd, token, "late"));
	EXPECT_EQ(-ESTALE, box_extend(self->fd, token, 0));
	EXPECT_EQ(1, box_stat(self->fd).sent);
	EXPECT_EQ(0, box_stat(self->fd).messages);
	close(eventfd);
}

TEST_F(call_given_up, caller_killed)
{
	int eventfd = eventfd_new();
	pid_t child = caller_queued(self->caller, self->fd, "a");
	__u64 token;

	box_notify(self->fd, MAILBOX_EVENT_ABANDONED, eventfd);
	child_kill(child);
	expect_call_taken_back(self->fd);
	/* Nobody had it. */
	EXPECT_EQ(0, told(eventfd));
	child = caller_start(self->caller, self->fd, "a");
	token = box_serve(self->fd);
	child_kill(child);
	EXPECT_EQ(1, told(eventfd));
	EXPECT_EQ(-ESTALE, box_reply(self->fd, token, "late"));
	expect_call_taken_back(self->fd);
	close(eventfd);
}

static unsigned int *signals;

static void count_signal(int number)
{
	(void)number;
	flag_raise(signals);
}

static pid_t caller_with_handler(struct caller *caller, int fd, int flags)
{
	pid_t child;

	caller->done = 0;
	caller->signals = 0;
	memset(caller->answer, 0, sizeof(caller->answer));
	caller->args = call_args("a", 1, caller->answer, sizeof(caller->answer) - 1);
	child = child_fork();
	if (!child) {
		struct sigaction action = { .sa_handler = count_signal, .sa_flags = flags };

		signals = &caller->signals;
		sigaction(SIGUSR1, &action, NULL);
		caller->ret = box_call(fd, &caller->args);
		flag_raise(&caller->done);
		_exit(KSFT_PASS);
	}
	return child;
}

TEST_F(call_given_up, signal_restarts_what_nobody_has)
{
	pid_t child = caller_with_handler(self->caller, self->fd, SA_RESTART);

	wait_queued(self->fd, 1);
	wait_sleeping(child, child);
	ASSERT_EQ(0, kill(child, SIGUSR1));
	flag_await(&self->caller->signals, 1);
	wait_queued(self->fd, 1);
	EXPECT_EQ(0, box_reply(self->fd, box_serve(self->fd), "b"));
	caller_ends(self->caller, child, 0);
	EXPECT_STREQ("b", self->caller->answer);
	EXPECT_EQ(2, self->caller->args.sequence);
	EXPECT_EQ(1, box_stat(self->fd).sent);

	child = caller_with_handler(self->caller, self->fd, 0);
	wait_queued(self->fd, 1);
	wait_sleeping(child, child);
	ASSERT_EQ(0, kill(child, SIGUSR1));
	caller_ends(self->caller, child, -EINTR);
	EXPECT_EQ(1, box_stat(self->fd).sent);
}

TEST_F(call_given_up, signal_ends_what_a_server_has)
{
	int eventfd = eventfd_new(), i;

	box_notify(self->fd, MAILBOX_EVENT_ABANDONED, eventfd);
	for (i = 0; i < 2; i++) {
		pid_t child = caller_with_handler(self->caller, self->fd, SA_RESTART);
		__u64 token;

		if (i) {
			wait_queued(self->fd, 1);
			token = box_lease(self->fd);
		} else {
			token = box_serve(self->fd);
		}
		wait_sleeping(child, child);
		ASSERT_EQ(0, kill(child, SIGUSR1));
		caller_ends(self->caller, child, -EINTR);
		EXPECT_EQ(1, self->caller->signals);
		EXPECT_EQ(1, told(eventfd));
		EXPECT_EQ(-ESTALE, box_reply(self->fd, token, "late"));
		EXPECT_EQ(-ESTALE, box_nack(self->fd, token, 0));
		expect_call_taken_back(self->fd);
	}
	close(eventfd);
}

TEST_F(call_given_up, caller_revoked)
{
	int eventfd = eventfd_new(), i;

	box_notify(self->fd, MAILBOX_EVENT_ABANDONED, eventfd);
	for (i = 0; i < 2; i++) {
		__u64 grant, token = 0;
		int mine = box_restrict(self->fd, MAILBOX_RIGHT_SEND, &grant);
		pid_t child = caller_queued(self->caller, mine, "a");

		if (i)
			token = box_serve(self->fd);
		ASSERT_EQ(0, box_revoke(self->fd, grant));
		caller_ends(self->caller, child, -EACCES);
		EXPECT_EQ(i, told(eventfd));
		EXPECT_EQ(-ESTALE, box_reply(self->fd, token, "late"));
		EXPECT_EQ(-EACCES, box_call(mine, &self->caller->args));
		expect_call_taken_back(self->fd);
		close(mine);
	}
	close(eventfd);
}

TEST_HARNESS_MAIN
