// SPDX-License-Identifier: GPL-2.0
/*
 * Several servers, calls within calls, and calls at mailboxes of every make.
 */
#include "common_call.h"
#include "world.h"

#define ONE 1000

FIXTURE(call_boxes)
{
	int device;
	int fd;
	struct caller *caller;
};

FIXTURE_SETUP(call_boxes)
{
	self->device = device_open();
	self->fd = box_new(self->device);
	self->caller = caller_new();
}

FIXTURE_TEARDOWN(call_boxes)
{
	struct mailbox_stat stat = box_stat(self->fd);

	EXPECT_EQ(0, stat.messages);
	EXPECT_EQ(0, stat.bytes);
	EXPECT_EQ(0, stat.leased);
	close(self->fd);
	close(self->device);
}

TEST_F(call_boxes, several_servers_share)
{
	enum { SERVERS = 3, CALLS = 30 };
	pid_t servers[SERVERS];
	int i, served[SERVERS] = { 0 };

	for (i = 0; i < SERVERS; i++) {
		servers[i] = child_fork();
		if (servers[i])
			continue;
		for (;;)
			box_reply(self->fd, box_serve(self->fd), "done");
	}
	for (i = 0; i < CALLS; i++) {
		int j;

		wait_waiters(self->fd, SERVERS, -1);
		caller_ends(self->caller, caller_start(self->caller, self->fd, "work"), 0);
		for (j = 0; j < SERVERS; j++)
			served[j] += self->caller->args.pid == servers[j];
	}
	/* Who has waited longest is next. */
	for (i = 0; i < SERVERS; i++) {
		EXPECT_EQ(CALLS / SERVERS, served[i]);
		child_kill(servers[i]);
	}
}

TEST_F(call_boxes, nested)
{
	int inner = box_new(self->device);
	pid_t servers[2];
	pid_t child;

	servers[0] = child_fork();
	if (!servers[0]) {
		struct caller mine;
		__u64 token = box_serve(self->fd);

		mine.args = call_args("inner", 5, mine.answer, sizeof(mine.answer));
		EXPECT_EQ(0, box_call(inner, &mine.args));
		EXPECT_EQ(0, box_reply_data(self->fd, token, mine.answer, mine.args.answer_length));
		_exit(KSFT_PASS);
	}
	servers[1] = child_fork();
	if (!servers[1]) {
		EXPECT_EQ(0, box_reply(inner, box_serve(inner), "from far"));
		_exit(KSFT_PASS);
	}
	child = caller_start(self->caller, self->fd, "outer");
	caller_ends(self->caller, child, 0);
	expect_answer(self->caller, "from far", 0, servers[0]);
	child_done(servers[0]);
	child_done(servers[1]);
	close(inner);
}

/* Each waits for the other's answer; nothing but time ends that. */
TEST_F(call_boxes, cycle_ends_by_the_deadline)
{
	struct mailbox_call args = call_args("again", 5, NULL, 0);
	pid_t child = caller_queued(self->caller, self->fd, "a");
	__u64 token = box_serve(self->fd);

	/* To itself: it has a request to answer, and calls the mailbox that it serves. */
	args.flags = MAILBOX_DEADLINE;
	args.deadline = now_ns() + SECOND / 50;
	EXPECT_EQ(-ETIMEDOUT, box_call(self->fd, &args));
	EXPECT_EQ(1, box_stat(self->fd).messages);
	EXPECT_EQ(0, box_reply(self->fd, token, ""));
	caller_ends(self->caller, child, 0);
}

TEST_F(call_boxes, at_a_rendezvous)
{
	int fd = box_new_capacity(self->device, MAILBOX_CAPACITY_RENDEZVOUS);
	struct mailbox_call args = call_args("a", 1, NULL, 0);
	pid_t child, server;
	__u64 token;

	args.flags = MAILBOX_NONBLOCK;
	EXPECT_EQ(-EAGAIN, box_call(fd, &args));
	child = caller_start(self->caller, fd, "a");
	wait_waiters(fd, -1, 1);
	token = box_serve(fd);
	EXPECT_EQ(1, box_stat(fd).leased);
	EXPECT_EQ(0, box_reply(fd, token, "met"));
	caller_ends(self->caller, child, 0);
	expect_answer(self->caller, "met", 0, getpid());

	server = child_fork();
	if (!server) {
		EXPECT_EQ(0, box_reply(fd, box_serve(fd), ""));
		_exit(KSFT_PASS);
	}
	wait_waiters(fd, 1, -1);
	EXPECT_EQ(0, box_call(fd, &args));
	child_done(server);
	EXPECT_EQ(0, box_stat(fd).messages);
	EXPECT_EQ(2, box_stat(fd).received);
	close(fd);
}

TEST_F(call_boxes, waits_for_room)
{
	int fd = box_new_limited(self->device, MAILBOX_ON_FULL_WAIT, 1);
	struct mailbox_call args = call_args("a", 1, NULL, 0);
	struct mailbox_receive receive = serve_args(NULL, 0);
	pid_t child;
	char text[8];

	ASSERT_EQ(0, box_send_text(fd, "message", 0, 0));
	args.flags = MAILBOX_NONBLOCK;
	EXPECT_EQ(-EAGAIN, box_call(fd, &args));
	self->caller->args = call_args("b", 1, NULL, 0);
	self->caller->args.type = 5;
	child = caller_run(self->caller, fd);
	wait_waiters(fd, -1, 1);
	/* What is under a token takes up room: nobody has it before there is some. */
	receive.flags |= MAILBOX_NONBLOCK | MAILBOX_TRUNCATE;
	receive.select = MAILBOX_SELECT_TYPE_NOT;
	receive.match = 0;
	EXPECT_EQ(-EAGAIN, box_receive(fd, &receive));
	ASSERT_EQ(7, box_receive_text(fd, text, sizeof(text)));
	EXPECT_EQ(0, box_reply(fd, box_serve(fd), ""));
	caller_ends(self->caller, child, 0);
	close(fd);
}

TEST_F(call_boxes, policies_pair_and_one)
{
	const __u32 policies[] = { MAILBOX_POLICY_PAIR, MAILBOX_POLICY_ONE };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(policies); i++) {
		int fd = box_new_policy(self->device, policies[i]);
		pid_t child = caller_start(self->caller, fd, "a");

		EXPECT_EQ(0, box_reply(fd, box_serve(fd), "b"));
		caller_ends(self->caller, child, 0);
		expect_answer(self->caller, "b", 0, getpid());
		close(fd);
	}
}

TEST_F(call_boxes, not_of_a_broadcast)
{
	struct mailbox_create create = create_args();
	struct mailbox_call args = call_args("a", 1, NULL, 0);
	struct mailbox_receive receive = serve_args(NULL, 0);
	int fd;

	create.policy = MAILBOX_POLICY_BROADCAST;
	create.on_full = MAILBOX_ON_FULL_OVERWRITE;
	fd = box_create(self->device, &create);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EINVAL, box_call(fd, &args));
	receive.flags |= MAILBOX_NONBLOCK;
	EXPECT_EQ(-EINVAL, box_receive(fd, &receive));
	close(fd);
}

/* Who may exceed its own quota does not exceed that of others, who would keep the memory. */
TEST_F(call_boxes, answer_is_within_the_quota_of_who_called)
{
	const size_t length = 1 << 20;
	char *answer = calloc(1, length);
	uint64_t old;
	__u64 token;
	pid_t child;

	if (!is_root())
		SKIP(return, "only root can become somebody else");
	child = child_fork();
	if (!child) {
		become(ONE, ONE);
		self->caller->args = call_args("x", 1, answer, length);
		EXPECT_EQ(0, box_call(self->fd, &self->caller->args));
		EXPECT_EQ(length, self->caller->args.answer_length);
		_exit(KSFT_PASS);
	}
	token = box_serve(self->fd);
	old = parameter_set("max_bytes_per_user", 64 * 1024);
	EXPECT_EQ(-EDQUOT, box_reply_data(self->fd, token, answer, length));
	parameter_set("max_bytes_per_user", old);
	EXPECT_EQ(0, box_reply_data(self->fd, token, answer, length));
	child_done(child);
	free(answer);
}

TEST_HARNESS_MAIN
