// SPDX-License-Identifier: GPL-2.0
/*
 * Calls that are not answered: every way in which one ends is told apart.
 */
#include "common_call.h"
#include "common_grant.h"
#include "common_notify.h"

FIXTURE(call_end)
{
	int device;
	int fd;
	__u64 id;
	struct caller *caller;
};

FIXTURE_SETUP(call_end)
{
	self->device = device_open();
	self->fd = box_new(self->device);
	self->id = box_stat(self->fd).id;
	self->caller = caller_new();
}

FIXTURE_TEARDOWN(call_end)
{
	close(self->fd);
	close(self->device);
}

TEST_F(call_end, received_by_one_that_does_not_answer)
{
	pid_t child = caller_start(self->caller, self->fd, "a");
	char text[8];

	wait_queued(self->fd, 1);
	ASSERT_EQ(1, box_receive_text(self->fd, text, sizeof(text)));
	caller_ends(self->caller, child, -ECANCELED);
	child = caller_queued(self->caller, self->fd, "a");
	EXPECT_EQ(1, read(self->fd, text, sizeof(text)));
	caller_ends(self->caller, child, -ECANCELED);
	EXPECT_EQ(2, box_stat(self->fd).received);
	EXPECT_EQ(0, self->caller->args.answer_length);
}

TEST_F(call_end, received_by_one_that_waits)
{
	pid_t server = child_fork(), child;

	if (!server) {
		char text[8];

		_exit(read(self->fd, text, sizeof(text)) == 1 ? KSFT_PASS : KSFT_FAIL);
	}
	wait_waiters(self->fd, 1, -1);
	child = caller_start(self->caller, self->fd, "a");
	caller_ends(self->caller, child, -ECANCELED);
	child_done(server);
}

TEST_F(call_end, acknowledged)
{
	pid_t child = caller_start(self->caller, self->fd, "a");
	__u64 token = box_serve(self->fd);

	EXPECT_EQ(0, box_ack(self->fd, token));
	EXPECT_EQ(-ESTALE, box_reply(self->fd, token, "late"));
	caller_ends(self->caller, child, -ECANCELED);
	EXPECT_EQ(1, box_stat(self->fd).received);
}

TEST_F(call_end, given_back_does_not_go_back)
{
	const __u64 delays[] = { 0, 3600 * SECOND };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(delays); i++) {
		pid_t child = caller_start(self->caller, self->fd, "a");
		__u64 token = box_serve(self->fd);

		EXPECT_EQ(0, box_nack(self->fd, token, delays[i]));
		EXPECT_EQ(-ESTALE, box_reply(self->fd, token, "late"));
		caller_ends(self->caller, child, -ECANCELED);
		EXPECT_EQ(0, box_stat(self->fd).messages);
		EXPECT_EQ(i + 1, box_stat(self->fd).dropped);
		EXPECT_EQ(0, box_stat(self->fd).redelivered);
	}
}

TEST_F(call_end, time_of_the_token_over)
{
	pid_t child = caller_start(self->caller, self->fd, "a");
	__u64 token = box_serve(self->fd);

	EXPECT_EQ(0, box_extend(self->fd, token, 1));
	caller_ends(self->caller, child, -ECANCELED);
	EXPECT_EQ(-ESTALE, box_reply(self->fd, token, "late"));
	EXPECT_EQ(1, box_stat(self->fd).dropped);
}

TEST_F(call_end, server_killed)
{
	unsigned int *flag = flag_new();
	pid_t server = child_fork(), child;

	if (!server) {
		box_serve(self->fd);
		flag_raise(flag);
		pause();
	}
	child = caller_start(self->caller, self->fd, "a");
	flag_await(flag, 1);
	wait_sleeping(child, child);
	/* Others have the handle, and could receive: it does not go back to them. */
	child_kill(server);
	caller_ends(self->caller, child, -ECANCELED);
	EXPECT_EQ(0, box_stat(self->fd).messages);
	EXPECT_EQ(1, box_stat(self->fd).dropped);
}

TEST_F(call_end, server_closes)
{
	int server = box_open(self->device, self->id, NULL, MAILBOX_RIGHT_RECEIVE);
	pid_t child = caller_start(self->caller, self->fd, "a");
	int twin = dup(server);

	box_serve(server);
	close(server);
	EXPECT_EQ(1, box_stat(self->fd).leased);
	close(twin);
	caller_ends(self->caller, child, -ECANCELED);
	EXPECT_EQ(1, box_stat(self->fd).dropped);
}

TEST_F(call_end, server_revoked)
{
	__u64 grant;
	int server = box_restrict(self->fd, MAILBOX_RIGHT_RECEIVE, &grant);
	pid_t child = caller_start(self->caller, self->fd, "a");
	__u64 token = box_serve(server);

	ASSERT_EQ(0, box_revoke(self->fd, grant));
	EXPECT_EQ(-EACCES, box_reply(server, token, "late"));
	EXPECT_EQ(-EACCES, box_reply(server, token + 1, "never"));
	caller_ends(self->caller, child, -ECANCELED);
	close(server);
}

/* All who can receive are gone, one by being revoked: the same for whom he had. */
TEST_F(call_end, last_server_revoked)
{
	int owner =
		box_open(self->device, self->id, NULL, MAILBOX_RIGHT_MANAGE | MAILBOX_RIGHT_SEND);
	struct caller *other = caller_new();
	pid_t child, queued;
	__u64 grant;
	int server = box_restrict(self->fd, MAILBOX_RIGHT_RECEIVE, &grant);

	close(self->fd);
	child = caller_start(self->caller, owner, "a");
	box_serve(server);
	wait_sleeping(child, child);
	queued = caller_queued(other, owner, "b");
	ASSERT_EQ(0, box_revoke(owner, grant));
	caller_ends(self->caller, child, -ECANCELED);
	caller_ends(other, queued, -EPIPE);
	EXPECT_EQ(0, box_stat(owner).messages);
	close(server);
	self->fd = owner;
}

TEST_F(call_end, destroyed)
{
	struct caller *other = caller_new();
	pid_t child = caller_start(self->caller, self->fd, "a"), queued;
	__u64 token = box_serve(self->fd);

	wait_sleeping(child, child);
	queued = caller_queued(other, self->fd, "b");
	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	caller_ends(self->caller, child, -EIDRM);
	caller_ends(other, queued, -EIDRM);
	EXPECT_EQ(-EIDRM, box_reply(self->fd, token, "late"));
	EXPECT_EQ(-EIDRM, box_call(self->fd, &self->caller->args));
}

TEST_F(call_end, overwritten)
{
	int fd = box_new_limited(self->device, MAILBOX_ON_FULL_OVERWRITE, 1);
	pid_t child = caller_queued(self->caller, fd, "a");

	ASSERT_EQ(0, box_send_text(fd, "message", 0, 0));
	caller_ends(self->caller, child, -ECANCELED);
	EXPECT_EQ(1, box_stat(fd).overwritten);
	close(fd);
}

TEST_F(call_end, leased_goes_back_and_is_answered)
{
	pid_t child = caller_queued(self->caller, self->fd, "a"), server = child_fork();
	struct mailbox_receive args;
	char text[8];

	if (!server) {
		box_lease(self->fd);
		_exit(KSFT_PASS);
	}
	child_done(server);
	EXPECT_EQ(0, self->caller->done);
	args = leasing_args(text, sizeof(text));
	ASSERT_EQ(0, box_receive(self->fd, &args));
	EXPECT_EQ(MAILBOX_IS_CALL, args.result);
	EXPECT_EQ(1, args.deliveries);
	EXPECT_EQ(0, box_nack(self->fd, args.lease, 0));
	args = serve_args(text, sizeof(text));
	ASSERT_EQ(0, box_receive(self->fd, &args));
	EXPECT_EQ(2, args.deliveries);
	EXPECT_EQ(0, box_reply(self->fd, args.lease, "at last"));
	caller_ends(self->caller, child, 0);
	EXPECT_STREQ("at last", self->caller->answer);
	EXPECT_EQ(2, box_stat(self->fd).redelivered);
	EXPECT_EQ(0, box_stat(self->fd).messages);
}

TEST_F(call_end, lease_is_a_token)
{
	pid_t child = caller_queued(self->caller, self->fd, "a");
	__u64 lease = box_lease(self->fd);

	EXPECT_EQ(0, box_reply(self->fd, lease, "b"));
	EXPECT_EQ(-ESTALE, box_ack(self->fd, lease));
	caller_ends(self->caller, child, 0);
	child = caller_queued(self->caller, self->fd, "a");
	EXPECT_EQ(0, box_ack(self->fd, box_lease(self->fd)));
	caller_ends(self->caller, child, -ECANCELED);
}

TEST_F(call_end, dead_letter_is_no_call)
{
	int dead = box_new(self->device), i, fds[2];

	for (i = 0; i < 2; i++) {
		struct mailbox_create create = create_args();
		pid_t child;

		create.max_deliveries = 1;
		create.dead_letter = i ? 0 : box_stat(dead).id;
		fds[i] = box_create(self->device, &create);
		ASSERT_LE(0, fds[i]);
		child = caller_queued(self->caller, fds[i], "a");
		EXPECT_EQ(0, box_nack(fds[i], box_lease(fds[i]), 0));
		caller_ends(self->caller, child, -ECANCELED);
		close(fds[i]);
	}
	expect_delivered(dead, "a", 0);
	close(dead);
}

TEST_F(call_end, nobody_can_receive)
{
	int mine = box_open(self->device, self->id, NULL, MAILBOX_RIGHT_SEND);
	int server = box_open(self->device, self->id, NULL, MAILBOX_RIGHT_RECEIVE);
	struct mailbox_call args = call_args("a", 1, NULL, 0);
	pid_t child;

	close(self->fd);
	self->caller->without = server;
	child = caller_queued(self->caller, mine, "a");
	close(server);
	caller_ends(self->caller, child, -EPIPE);
	EXPECT_EQ(-EPIPE, box_call(mine, &args));
	expect_call_taken_back(mine);
	/* Others may come; a message without a caller waits for them. */
	ASSERT_EQ(0, box_send_text(mine, "message", 0, 0));
	self->fd = mine;
}

/* For room, and at a rendezvous: that is no answer either. */
TEST_F(call_end, nobody_can_receive_what_is_not_sent)
{
	int i;

	for (i = 0; i < 2; i++) {
		int fd = i ? box_new_capacity(self->device, MAILBOX_CAPACITY_RENDEZVOUS) :
			     box_new_limited(self->device, MAILBOX_ON_FULL_WAIT, 1);
		int mine = box_open(self->device, box_stat(fd).id, NULL, MAILBOX_RIGHT_SEND);
		pid_t child;

		if (!i)
			ASSERT_EQ(0, box_send_text(fd, "message", 0, 0));
		self->caller->without = fd;
		child = caller_start(self->caller, mine, "a");
		wait_waiters(fd, -1, 1);
		close(fd);
		caller_ends(self->caller, child, -EPIPE);
		EXPECT_EQ(0, box_stat(mine).senders);
		close(mine);
	}
}

TEST_F(call_end, many_that_nobody_can_receive)
{
	enum { CALLS = 100 };
	int mine = box_open(self->device, self->id, NULL, MAILBOX_RIGHT_SEND);
	pid_t children[CALLS];
	int i;

	for (i = 0; i < CALLS; i++) {
		children[i] = child_fork();
		if (!children[i]) {
			struct mailbox_call args = call_args("a", 1, NULL, 0);

			close(self->fd);
			_exit(box_call(mine, &args) == -EPIPE ? KSFT_PASS : KSFT_FAIL);
		}
	}
	wait_queued(mine, CALLS);
	close(self->fd);
	for (i = 0; i < CALLS; i++)
		child_done(children[i]);
	expect_call_taken_back(mine);
	self->fd = mine;
}

TEST_F(call_end, other_of_a_pair_leaves)
{
	int fd = box_new_policy(self->device, MAILBOX_POLICY_PAIR), i;
	__u64 id = box_stat(fd).id;

	for (i = 0; i < 2; i++) {
		unsigned int *flag = flag_new();
		pid_t other = child_fork();
		struct mailbox_call args = call_args("a", 1, NULL, 0);

		if (!other) {
			int mine;

			close(fd);
			mine = box_open(self->device, id, NULL, RIGHTS_ALL);
			flag_raise(flag);
			/* The second one ends with the request in its hands. */
			if (i)
				box_serve(mine);
			else
				wait_queued(mine, 1);
			_exit(KSFT_PASS);
		}
		flag_await(flag, 1);
		EXPECT_EQ(i ? -ECANCELED : -EPIPE, box_call(fd, &args));
		child_done(other);
		EXPECT_EQ(-EPIPE, box_call(fd, &args));
		EXPECT_EQ(0, box_stat(fd).messages);
	}
	close(fd);
}

/* From a receiver that is just copying it: the call is answered, or taken back wholly. */
TEST_F(call_end, answer_too_late_has_gone_nowhere)
{
	char data[64];
	int i;

	for (i = 0; i < (int)effort(200); i++) {
		struct mailbox_receive args = serve_args(data, sizeof(data));
		pid_t child = caller_start(self->caller, self->fd, "a");
		int ret;

		args.flags |= MAILBOX_DEADLINE;
		args.deadline = now_ns() + SECOND / 100;
		kill(child, SIGKILL);
		ret = box_receive(self->fd, &args);
		if (!ret)
			ret = box_reply(self->fd, args.lease, "b");
		EXPECT_TRUE(!ret || ret == -ESTALE || ret == -ETIMEDOUT) TH_LOG("%d", ret);
		ASSERT_EQ(child, waitpid(child, NULL, 0));
		EXPECT_EQ(0, box_stat(self->fd).messages);
	}
}

TEST_HARNESS_MAIN
