// SPDX-License-Identifier: GPL-2.0
/*
 * Who may send directly to whom: the rule for signals, what the receiver allows, and that
 * who was spoken to may answer. Who pays for inboxes, links and messages.
 */
#include "common_direct.h"
#include "world.h"

#define ONE	2101
#define ANOTHER 2102

FIXTURE(direct_allow)
{
	int device;
	unsigned int *flag;
};

FIXTURE_SETUP(direct_allow)
{
	if (!is_root())
		SKIP(return, "needs other users");
	self->device = device_open();
	self->flag = flag_new();
}

FIXTURE_TEARDOWN(direct_allow)
{
	close(self->device);
}

/* A process of this user that says whom it allows, and then sleeps. */
static pid_t process_of(FIXTURE_DATA(direct_allow) * self, uid_t uid, __u32 who)
{
	const unsigned int turn = *self->flag + 1;
	pid_t pid = child_fork();

	if (!pid) {
		become(uid, uid);
		if (who)
			ASSERT_EQ(0, direct_allow(self->device, who));
		flag_raise(self->flag);
		for (;;)
			pause();
	}
	flag_await(self->flag, turn);
	return pid;
}

/* What a process of a user gets for sending to another. */
static int send_as(FIXTURE_DATA(direct_allow) * self, uid_t real, uid_t effective, pid_t to)
{
	pid_t pid = child_fork();
	int status;

	if (!pid) {
		ASSERT_EQ(0, setgroups(0, NULL));
		ASSERT_EQ(0, setresuid(real, effective, effective));
		_exit(-direct_send(self->device, to, "x"));
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFEXITED(status));
	return -WEXITSTATUS(status);
}

TEST_F(direct_allow, the_rule_for_signals)
{
	pid_t target = process_of(self, ONE, MAILBOX_ALLOW_SIGNAL);

	EXPECT_EQ(0, send_as(self, ONE, ONE, target));
	EXPECT_EQ(-EPERM, send_as(self, ANOTHER, ANOTHER, target));
	/* Real or effective user of the sender. */
	EXPECT_EQ(0, send_as(self, ONE, ANOTHER, target));
	EXPECT_EQ(0, send_as(self, ANOTHER, ONE, target));
	/* CAP_KILL. */
	EXPECT_EQ(0, direct_send(self->device, target, "root"));
	child_kill(target);
	target = sleeper_fork();
	EXPECT_EQ(-EPERM, send_as(self, ONE, ONE, target));
	child_kill(target);
}

TEST_F(direct_allow, a_refused_send_leaves_nothing)
{
	pid_t target = process_of(self, ONE, MAILBOX_ALLOW_SIGNAL), pid = child_fork();

	if (!pid) {
		struct usage before;

		become(ANOTHER, ANOTHER);
		before = usage_of_caller(self->device);
		EXPECT_EQ(-EPERM, direct_send(self->device, target, "x"));
		EXPECT_USAGE(self->device, before);
		_exit(KSFT_PASS);
	}
	child_done(pid);
	EXPECT_EQ(0, direct_count(self->device, target, NULL));
	child_kill(target);
}

TEST_F(direct_allow, anybody)
{
	pid_t target = process_of(self, ONE, MAILBOX_ALLOW_ANYBODY);

	EXPECT_EQ(0, send_as(self, ANOTHER, ANOTHER, target));
	child_kill(target);
}

TEST_F(direct_allow, nobody_not_even_root)
{
	pid_t target = process_of(self, ONE, MAILBOX_ALLOW_NOBODY);

	EXPECT_EQ(-EPERM, send_as(self, ONE, ONE, target));
	EXPECT_EQ(-EPERM, direct_send(self->device, target, "x"));
	child_kill(target);
}

/* It is asked for each message, not once. */
TEST_F(direct_allow, a_link_that_exists_is_asked_again)
{
	unsigned int *go = flag_new(), *done = flag_new();
	pid_t target = child_fork();

	if (!target) {
		flag_await(go, 1);
		ASSERT_EQ(0, direct_allow(self->device, MAILBOX_ALLOW_NOBODY));
		flag_raise(done);
		flag_await(go, 2);
		ASSERT_EQ(0, direct_send(self->device, getppid(), "speak"));
		flag_raise(done);
		pause();
	}
	EXPECT_EQ(0, direct_send(self->device, target, "x"));
	EXPECT_EQ(0, direct_send(self->device, target, "x"));
	flag_raise(go);
	flag_await(done, 1);
	EXPECT_EQ(-EPERM, direct_send(self->device, target, "x"));
	flag_raise(go);
	flag_await(done, 2);
	EXPECT_EQ(0, direct_send(self->device, target, "x"));
	child_kill(target);
	EXPECT_DIRECT(self->device, 0, "speak");
}

/* Root speaks to a user, who could not have begun, and answers; as often as it likes. */
TEST_F(direct_allow, who_was_spoken_to_may_answer)
{
	pid_t parent = getpid(), child = child_fork();
	char text[64];

	if (!child) {
		become(ONE, ONE);
		EXPECT_EQ(-EPERM, direct_send(self->device, parent, "x"));
		flag_raise(self->flag);
		ASSERT_EQ(5, direct_receive(self->device, parent, 0, text, sizeof(text), NULL));
		EXPECT_EQ(0, direct_send(self->device, parent, "one"));
		EXPECT_EQ(0, direct_send(self->device, parent, "two"));
		_exit(KSFT_PASS);
	}
	flag_await(self->flag, 1);
	ASSERT_EQ(0, direct_send(self->device, child, "speak"));
	child_done(child);
	EXPECT_DIRECT(self->device, child, "one");
	EXPECT_DIRECT(self->device, child, "two");
}

/* Who tried to speak, and failed, has not spoken. */
TEST_F(direct_allow, who_was_not_spoken_to_may_not_answer)
{
	struct mailbox_send nowhere = send_args(NULL, 16);
	pid_t parent = getpid(), child;
	unsigned int *go = flag_new();

	ASSERT_EQ(0, direct_allow(self->device, MAILBOX_ALLOW_ANYBODY));
	child = child_fork();
	if (!child) {
		become(ONE, ONE);
		ASSERT_EQ(0, direct_send(self->device, parent, "first"));
		flag_raise(self->flag);
		flag_await(go, 1);
		EXPECT_EQ(-EPERM, direct_send(self->device, parent, "x"));
		flag_raise(self->flag);
		flag_await(go, 2);
		EXPECT_EQ(0, direct_send(self->device, parent, "answer"));
		_exit(KSFT_PASS);
	}
	flag_await(self->flag, 1);
	EXPECT_DIRECT(self->device, child, "first");
	ASSERT_EQ(0, direct_allow(self->device, MAILBOX_ALLOW_SIGNAL));
	EXPECT_EQ(-EFAULT, direct_call(self->device, MAILBOX_IOC_SEND_TO, child, &nowhere));
	flag_raise(go);
	flag_await(self->flag, 2);
	ASSERT_EQ(0, direct_send(self->device, child, "speak"));
	flag_raise(go);
	child_done(child);
	EXPECT_DIRECT(self->device, child, "answer");
}

TEST_F(direct_allow, arguments)
{
	struct mailbox_allow args = { .size = sizeof(args), .who = 3 };
	struct usage before = usage_of_caller(self->device);

	EXPECT_EQ(-EINVAL, call(self->device, MAILBOX_IOC_ALLOW, &args));
	args.who = 1;
	args.reserved = 1;
	EXPECT_EQ(-EINVAL, call(self->device, MAILBOX_IOC_ALLOW, &args));
	EXPECT_EQ(0, direct_allow(self->device, MAILBOX_ALLOW_SIGNAL));
	EXPECT_USAGE(self->device, before);
	EXPECT_EQ(0, direct_allow(self->device, MAILBOX_ALLOW_NOBODY));
	EXPECT_EQ(0, direct_allow(self->device, MAILBOX_ALLOW_ANYBODY));
	EXPECT_EQ(before.mailboxes + 1, usage_of_caller(self->device).mailboxes);
	EXPECT_EQ(0, direct_allow(self->device, MAILBOX_ALLOW_SIGNAL));
	EXPECT_USAGE(self->device, before);
}

/* Others see what is between processes that they could send a signal. */
TEST_F(direct_allow, links_are_listed_for_who_may_see_them)
{
	pid_t target = process_of(self, ONE, MAILBOX_ALLOW_SIGNAL), pid;
	struct mailbox_link link;

	ASSERT_EQ(0, direct_send(self->device, target, "x"));
	pid = child_fork();
	if (!pid) {
		become(ANOTHER, ANOTHER);
		_exit(direct_count(self->device, target, NULL));
	}
	child_done(pid);
	pid = child_fork();
	if (!pid) {
		become(ONE, ONE);
		EXPECT_EQ(1, direct_count(self->device, target, &link));
		EXPECT_EQ(target, link.pid);
		EXPECT_EQ(ONE, link.uid);
		EXPECT_EQ(getppid(), link.peer);
		EXPECT_EQ(0, link.peer_uid);
		EXPECT_EQ(0, link.sent);
		EXPECT_EQ(1, link.received);
		EXPECT_EQ(1, link.unread);
		EXPECT_EQ(0, link.peer_unread);
		_exit(KSFT_PASS);
	}
	child_done(pid);
	child_kill(target);
}

/* The sender pays for all, and what it cannot pay for does not begin. */
TEST_F(direct_allow, the_sender_pays)
{
	pid_t target = process_of(self, ONE, MAILBOX_ALLOW_ANYBODY), silent, pid;
	uint64_t old;

	silent = process_of(self, ANOTHER, MAILBOX_ALLOW_SIGNAL);
	pid = child_fork();
	if (!pid) {
		struct usage before;

		become(ANOTHER, ANOTHER);
		before = usage_of_caller(self->device);
		/* Its own inbox; the other is there and paid for. */
		ASSERT_EQ(0, direct_send(self->device, target, "x"));
		EXPECT_EQ(before.mailboxes + 1, usage_of_caller(self->device).mailboxes);
		EXPECT_LT(before.bytes + 384, usage_of_caller(self->device).bytes);
		/* And this one is not. */
		ASSERT_EQ(0, direct_send(self->device, silent, "x"));
		EXPECT_EQ(before.mailboxes + 2, usage_of_caller(self->device).mailboxes);
		_exit(KSFT_PASS);
	}
	child_done(pid);
	child_kill(silent);

	silent = process_of(self, ANOTHER, MAILBOX_ALLOW_SIGNAL);
	old = parameter_set("max_mailboxes_per_user", 1);
	pid = child_fork();
	if (!pid) {
		struct usage before;

		become(ANOTHER, ANOTHER);
		before = usage_of_caller(self->device);
		EXPECT_EQ(-EDQUOT, direct_send(self->device, silent, "x"));
		EXPECT_USAGE(self->device, before);
		/* Nor for anybody else. */
		ASSERT_EQ(0, direct_allow(self->device, MAILBOX_ALLOW_ANYBODY));
		EXPECT_EQ(-EDQUOT, direct_send(self->device, silent, "x"));
		EXPECT_EQ(0, direct_send(self->device, target, "x"));
		_exit(KSFT_PASS);
	}
	child_done(pid);
	parameter_set("max_mailboxes_per_user", 0);
	pid = child_fork();
	if (!pid) {
		become(ANOTHER, ANOTHER);
		EXPECT_EQ(POLLERR, poll_now(self->device, POLLIN));
		EXPECT_EQ(-EDQUOT, direct_nothing(self->device, 0));
		_exit(KSFT_PASS);
	}
	child_done(pid);
	parameter_set("max_mailboxes_per_user", old);
	child_kill(silent);
	child_kill(target);
}

/* A device that is polled keeps something in the kernel, which is paid for like all else. */
TEST_F(direct_allow, a_poll_is_paid_for)
{
	pid_t pid = child_fork();

	if (!pid) {
		struct usage before;
		__u64 old;

		ASSERT_EQ(0, seteuid(ANOTHER));
		/* Its inbox is there, whatever else may be. */
		ASSERT_EQ(0, direct_allow(self->device, MAILBOX_ALLOW_ANYBODY));
		before = usage_of_caller(self->device);
		ASSERT_EQ(0, seteuid(0));
		old = parameter_set("max_bytes_per_user", 0);
		ASSERT_EQ(0, seteuid(ANOTHER));
		EXPECT_EQ(POLLERR, poll_now(self->device, POLLIN));
		EXPECT_USAGE(self->device, before);
		ASSERT_EQ(0, seteuid(0));
		parameter_set("max_bytes_per_user", old);
		ASSERT_EQ(0, seteuid(ANOTHER));
		EXPECT_EQ(0, poll_now(self->device, POLLIN));
		EXPECT_LT(before.bytes, usage_of_caller(self->device).bytes);
		_exit(KSFT_PASS);
	}
	child_done(pid);
}

/* One user cannot fill the inbox of another. */
TEST_F(direct_allow, a_user_has_half_of_an_inbox)
{
	pid_t target = process_of(self, ONE, MAILBOX_ALLOW_ANYBODY), pid = child_fork();
	int nr = 0;

	if (!pid) {
		become(ANOTHER, ANOTHER);
		while (!direct_send(self->device, target, "x"))
			nr++;
		EXPECT_EQ(512, nr);
		_exit(KSFT_PASS);
	}
	child_done(pid);
	/* The messages of the process that has ended are still there. */
	EXPECT_EQ(-EAGAIN, send_as(self, ANOTHER, ANOTHER, target));
	EXPECT_EQ(0, send_as(self, ONE, ONE, target));
	child_kill(target);
}

TEST_HARNESS_MAIN
