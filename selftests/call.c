// SPDX-License-Identifier: GPL-2.0
/*
 * CALL, REPLY and REPLY_RECEIVE: calls that are answered.
 */
#include "common_call.h"

#include <stddef.h>
#include <sys/ptrace.h>

FIXTURE(call)
{
	int device;
	int fd;
	struct caller *caller;
};

FIXTURE_SETUP(call)
{
	self->device = device_open();
	self->fd = box_new(self->device);
	self->caller = caller_new();
}

FIXTURE_TEARDOWN(call)
{
	struct mailbox_stat stat = box_stat(self->fd);

	EXPECT_EQ(0, stat.messages);
	EXPECT_EQ(0, stat.bytes);
	EXPECT_EQ(0, stat.leased);
	close(self->fd);
	close(self->device);
}

TEST_F(call, answered)
{
	char data[16] = { 0 };
	struct mailbox_receive args = serve_args(data, sizeof(data) - 1);
	struct mailbox_reply reply;
	pid_t child;

	self->caller->args = call_args("question", 8, self->caller->answer, 63);
	self->caller->args.type = 7;
	self->caller->args.priority = 3;
	child = caller_run(self->caller, self->fd);
	ASSERT_EQ(0, box_receive(self->fd, &args));
	EXPECT_STREQ("question", data);
	EXPECT_EQ(MAILBOX_IS_CALL, args.result);
	EXPECT_NE(0, args.lease);
	EXPECT_EQ(63, args.answer_room);
	EXPECT_EQ(7, args.type);
	EXPECT_EQ(3, args.priority);
	EXPECT_EQ(1, args.sequence);
	EXPECT_EQ(child, args.pid);
	EXPECT_EQ(0, args.expiry);
	EXPECT_EQ(0, args.deliveries);
	wait_sleeping(child, child);
	EXPECT_EQ(0, self->caller->done);

	reply = reply_args(args.lease, "answer", 6);
	reply.type = 99;
	EXPECT_EQ(0, call(self->fd, MAILBOX_IOC_REPLY, &reply));
	EXPECT_EQ(0, reply.error);
	caller_ends(self->caller, child, 0);
	expect_answer(self->caller, "answer", 99, getpid());
	EXPECT_EQ(1, self->caller->args.sequence);
	EXPECT_EQ(1, box_stat(self->fd).sent);
	EXPECT_EQ(1, box_stat(self->fd).received);
	EXPECT_EQ(0, box_stat(self->fd).dropped);
}

TEST_F(call, is_queued_until_a_server_comes)
{
	pid_t child = caller_queued(self->caller, self->fd, "a");
	struct mailbox_stat stat = box_stat(self->fd);
	__u64 token;

	EXPECT_EQ(1, stat.messages);
	EXPECT_EQ(0, stat.leased);
	/* It waits for an answer, not for room. */
	EXPECT_EQ(0, stat.senders);
	token = box_serve(self->fd);
	stat = box_stat(self->fd);
	EXPECT_EQ(1, stat.leased);
	EXPECT_EQ(1, stat.messages);
	EXPECT_EQ(0, box_reply(self->fd, token, ""));
	caller_ends(self->caller, child, 0);
	expect_answer(self->caller, "", 0, getpid());
}

TEST_F(call, wakes_a_server_that_waits)
{
	pid_t server = child_fork(), child;

	if (!server) {
		EXPECT_EQ(0, box_reply(self->fd, box_serve(self->fd), "served"));
		_exit(KSFT_PASS);
	}
	wait_waiters(self->fd, 1, -1);
	child = caller_start(self->caller, self->fd, "a");
	caller_ends(self->caller, child, 0);
	child_done(server);
	expect_answer(self->caller, "served", 0, server);
}

TEST_F(call, token_works_once)
{
	pid_t child = caller_start(self->caller, self->fd, "a");
	__u64 token = box_serve(self->fd);

	EXPECT_EQ(0, box_reply(self->fd, token, "one"));
	EXPECT_EQ(-ESTALE, box_reply(self->fd, token, "two"));
	EXPECT_EQ(-ESTALE, box_extend(self->fd, token, 0));
	caller_ends(self->caller, child, 0);
	expect_answer(self->caller, "one", 0, getpid());
}

TEST_F(call, token_is_nobody_elses)
{
	int other = box_open(self->device, box_stat(self->fd).id, NULL, RIGHTS_ALL);
	int another_box = box_new(self->device);
	pid_t child = caller_start(self->caller, self->fd, "a"), thief;
	__u64 token = box_serve(self->fd);

	ASSERT_LE(0, other);
	EXPECT_EQ(-ESTALE, box_reply(self->fd, token + 1, "no"));
	EXPECT_EQ(-ESTALE, box_reply(self->fd, token - 1, "no"));
	EXPECT_EQ(-ESTALE, box_reply(self->fd, 0, "no"));
	EXPECT_EQ(-ESTALE, box_reply(self->fd, (__u64)-1, "no"));
	EXPECT_EQ(-ESTALE, box_reply(other, token, "no"));
	EXPECT_EQ(-ESTALE, box_reply(another_box, token, "no"));
	thief = child_fork();
	if (!thief) {
		EXPECT_EQ(-ESTALE, box_reply(self->fd, token, "no"));
		_exit(KSFT_PASS);
	}
	child_done(thief);
	EXPECT_EQ(0, self->caller->done);
	EXPECT_EQ(0, box_reply(self->fd, token, "yes"));
	caller_ends(self->caller, child, 0);
	expect_answer(self->caller, "yes", 0, getpid());
	close(other);
	close(another_box);
}

TEST_F(call, lease_of_what_is_no_call_is_no_token)
{
	__u64 lease;

	ASSERT_EQ(0, box_send_text(self->fd, "message", 0, 0));
	lease = box_lease(self->fd);
	EXPECT_EQ(-ESTALE, box_reply(self->fd, lease, "no"));
	EXPECT_EQ(0, box_ack(self->fd, lease));
}

TEST_F(call, other_messages_are_received_as_ever)
{
	char data[16] = { 0 };
	struct mailbox_receive args = serve_args(data, sizeof(data) - 1);

	ASSERT_EQ(0, box_send_text(self->fd, "message", 0, 0));
	ASSERT_EQ(0, box_receive(self->fd, &args));
	EXPECT_STREQ("message", data);
	EXPECT_EQ(0, args.result);
	EXPECT_EQ(0, args.lease);
	EXPECT_EQ(0, args.answer_room);
	EXPECT_EQ(0, box_stat(self->fd).leased);
	EXPECT_EQ(1, box_stat(self->fd).received);
	args.flags |= MAILBOX_NONBLOCK;
	EXPECT_EQ(-EAGAIN, box_receive(self->fd, &args));
}

TEST_F(call, seen_with_a_peek)
{
	pid_t child = caller_queued(self->caller, self->fd, "a");
	char data[16];
	struct mailbox_receive args = receive_args(data, sizeof(data));

	args.flags |= MAILBOX_PEEK;
	ASSERT_EQ(0, box_receive(self->fd, &args));
	EXPECT_EQ(MAILBOX_IS_CALL, args.result);
	EXPECT_TRUE(is_poison(&args.lease, sizeof(args.lease)));
	EXPECT_TRUE(is_poison(&args.answer_room, sizeof(args.answer_room)));
	EXPECT_EQ(0, box_reply(self->fd, box_serve(self->fd), ""));
	caller_ends(self->caller, child, 0);
}

TEST_F(call, reply_and_receive_in_one)
{
	struct caller *second = caller_new();
	pid_t child = caller_queued(self->caller, self->fd, "one"), next;
	char data[16] = { 0 };
	struct mailbox_receive args = serve_args(data, sizeof(data) - 1);
	struct mailbox_reply reply = reply_args(0, NULL, 0);

	/* The first round answers nobody. */
	reply.receive = user_pointer(&args);
	ASSERT_EQ(0, call(self->fd, MAILBOX_IOC_REPLY_RECEIVE, &reply));
	EXPECT_STREQ("one", data);
	EXPECT_EQ(0, reply.error);
	next = caller_queued(second, self->fd, "two");

	reply = reply_args(args.lease, "1", 1);
	args = serve_args(data, sizeof(data) - 1);
	reply.receive = user_pointer(&args);
	ASSERT_EQ(0, call(self->fd, MAILBOX_IOC_REPLY_RECEIVE, &reply));
	EXPECT_EQ(0, reply.error);
	EXPECT_STREQ("two", data);
	caller_ends(self->caller, child, 0);
	expect_answer(self->caller, "1", 0, getpid());

	/* There is no third, but the answer goes. */
	reply = reply_args(args.lease, "2", 1);
	args = serve_args(data, sizeof(data));
	args.flags |= MAILBOX_NONBLOCK;
	reply.receive = user_pointer(&args);
	EXPECT_EQ(0, call(self->fd, MAILBOX_IOC_REPLY_RECEIVE, &reply));
	EXPECT_EQ(EAGAIN, reply.error);
	caller_ends(second, next, 0);
	expect_answer(second, "2", 0, getpid());
}

TEST_F(call, reply_that_fails_receives_nothing)
{
	char data[16];
	struct mailbox_receive args = serve_args(data, sizeof(data));
	struct mailbox_reply reply = reply_args(77, "", 0);

	ASSERT_EQ(0, box_send_text(self->fd, "message", 0, 0));
	reply.receive = user_pointer(&args);
	EXPECT_EQ(-ESTALE, call(self->fd, MAILBOX_IOC_REPLY_RECEIVE, &reply));
	EXPECT_EQ(0, reply.error);
	EXPECT_TRUE(is_poison(&args.length, sizeof(args.length)));
	/* With nobody to answer, the error is that of the receive. */
	reply.token = 0;
	args.room = 1;
	EXPECT_EQ(-EMSGSIZE, call(self->fd, MAILBOX_IOC_REPLY_RECEIVE, &reply));
	EXPECT_EQ(7, args.length);
	args.flags |= MAILBOX_LEASE;
	EXPECT_EQ(-EINVAL, call(self->fd, MAILBOX_IOC_REPLY_RECEIVE, &reply));
	reply.receive = 0;
	EXPECT_EQ(-EFAULT, call(self->fd, MAILBOX_IOC_REPLY_RECEIVE, &reply));
	expect_delivered(self->fd, "message", 0);
}

TEST_F(call, answer_too_long)
{
	pid_t child;
	__u64 token;
	char *big = calloc(1, 2 << 20);

	self->caller->args = call_args("q", 1, self->caller->answer, 3);
	child = caller_run(self->caller, self->fd);
	token = box_serve(self->fd);
	EXPECT_EQ(-EMSGSIZE, box_reply(self->fd, token, "1234"));
	EXPECT_EQ(-EMSGSIZE, box_reply_data(self->fd, token, big, 2 << 20));
	EXPECT_EQ(-EMSGSIZE, box_reply_data(self->fd, token, NULL, (__u32)-1));
	EXPECT_EQ(1, box_stat(self->fd).leased);
	EXPECT_EQ(0, box_reply(self->fd, token, "123"));
	caller_ends(self->caller, child, 0);
	expect_answer(self->caller, "123", 0, getpid());
	free(big);
}

TEST_F(call, answer_cut)
{
	char data[16], *big = calloc(1, 100000);
	struct mailbox_receive args = serve_args(data, sizeof(data));
	size_t lengths[] = { 4, 300, 5000, 100000 }, i;

	memset(big, 'x', 100000);
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		pid_t child;

		memset(self->caller->answer, 0, sizeof(self->caller->answer));
		self->caller->args = call_args("q", 1, self->caller->answer, 3);
		self->caller->args.flags |= MAILBOX_TRUNCATE;
		child = caller_run(self->caller, self->fd);
		ASSERT_EQ(0, box_receive(self->fd, &args));
		EXPECT_EQ((__u32)-1, args.answer_room);
		EXPECT_EQ(0, box_reply_data(self->fd, args.lease, big, lengths[i]));
		caller_ends(self->caller, child, 0);
		EXPECT_STREQ("xxx", self->caller->answer);
		EXPECT_EQ(lengths[i], self->caller->args.answer_length);
		EXPECT_EQ(MAILBOX_TRUNCATED, self->caller->args.result);
	}
	free(big);
}

/* Of each kind of memory that a message may be in, and on both sides of the limits. */
TEST_F(call, long_requests_and_answers)
{
	const size_t lengths[] = { 0,	1,    7,    8,	  100,	 183,	184,   185,    256,
				   257, 4095, 4096, 4097, 12288, 12289, 65536, 1000000 };
	const size_t most = 1 << 20;
	char *question = malloc(most), *answer;
	size_t i, j;

	answer = mmap(NULL, most, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_TRUE(answer != MAP_FAILED);
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		struct mailbox_receive args = serve_args(question, most);
		char *text = malloc(most), *reply = malloc(most);
		pid_t child;

		for (j = 0; j < most; j++) {
			text[j] = j * 7 + i;
			reply[j] = j * 11 + i;
		}
		memset(answer, 1, most);
		self->caller->args = call_args(text, lengths[i], answer, lengths[i]);
		child = caller_run(self->caller, self->fd);
		ASSERT_EQ(0, box_receive(self->fd, &args));
		EXPECT_EQ(lengths[i], args.length);
		EXPECT_EQ(lengths[i], args.answer_room);
		EXPECT_EQ(0, memcmp(question, text, lengths[i]));
		ASSERT_EQ(0, box_reply_data(self->fd, args.lease, reply, lengths[i]));
		caller_ends(self->caller, child, 0);
		EXPECT_EQ(lengths[i], self->caller->args.answer_length);
		EXPECT_EQ(0, memcmp(answer, reply, lengths[i]));
		EXPECT_EQ(1, answer[lengths[i]]);
		free(text);
		free(reply);
	}
	free(question);
	munmap(answer, most);
}

/* How many system calls two children make until they end, those of their end left out. */
static void count_syscalls(const pid_t children[2], int syscalls[2])
{
	int stops[2] = { 0, 0 }, left = 2, status, i;

	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, ptrace(PTRACE_SYSCALL, children[i], NULL, NULL));
	while (left) {
		pid_t child = waitpid(-1, &status, 0);

		i = child == children[1];
		ASSERT_EQ(children[i], child);
		if (!WIFSTOPPED(status)) {
			EXPECT_EQ(0, status);
			left--;
			continue;
		}
		stops[i] += WSTOPSIG(status) == (SIGTRAP | 0x80);
		ASSERT_EQ(0, ptrace(PTRACE_SYSCALL, child, NULL, NULL));
	}
	/* In and out. */
	for (i = 0; i < 2; i++)
		syscalls[i] = stops[i] / 2;
}

static pid_t traced(void)
{
	pid_t child = child_fork();
	int status;

	if (!child) {
		raise(SIGSTOP);
		return 0;
	}
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, child, NULL, PTRACE_O_TRACESYSGOOD));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	ASSERT_EQ(0, kill(child, SIGCONT));
	return child;
}

static void serve(int fd, int trips)
{
	struct mailbox_reply reply = reply_args(0, "b", 1);
	struct mailbox_receive receive;

	while (trips--) {
		receive = serve_args(NULL, 0);
		receive.flags |= MAILBOX_TRUNCATE;
		reply.receive = user_pointer(&receive);
		EXPECT_EQ(0, call(fd, MAILBOX_IOC_REPLY_RECEIVE, &reply));
		reply.token = receive.lease;
	}
	EXPECT_EQ(0, box_reply(fd, reply.token, "b"));
}

/* One of the caller and one of the server. */
TEST_F(call, round_trip_is_two_system_calls)
{
	enum { TRIPS = 20 };
	struct mailbox_call args = call_args("a", 1, self->caller->answer, 63);
	int syscalls[2][2], i, trips;
	pid_t children[2];

	/* By the difference: what begins and ends a child, or its work, does not count. */
	for (i = 0; i < 2; i++) {
		trips = (i + 1) * TRIPS;
		children[0] = traced();
		if (!children[0]) {
			while (trips--)
				EXPECT_EQ(0, box_call(self->fd, &args));
			_exit(KSFT_PASS);
		}
		children[1] = traced();
		if (!children[1]) {
			serve(self->fd, trips);
			_exit(KSFT_PASS);
		}
		count_syscalls(children, syscalls[i]);
	}
	EXPECT_EQ(TRIPS, syscalls[1][0] - syscalls[0][0]);
	EXPECT_EQ(TRIPS, syscalls[1][1] - syscalls[0][1]);
}

TEST_F(call, arguments)
{
	struct mailbox_call args = call_args("a", 1, NULL, 0);
	struct mailbox_receive receive = serve_args(NULL, 0);
	struct mailbox_reply reply = reply_args(1, NULL, 0);
	const __u64 id = box_stat(self->fd).id;
	int send = box_open(self->device, id, NULL, MAILBOX_RIGHT_SEND);
	int get = box_open(self->device, id, NULL, MAILBOX_RIGHT_RECEIVE);

	args.flags = MAILBOX_EXPIRES;
	EXPECT_EQ(-EOPNOTSUPP, box_call(self->fd, &args));
	args.flags = MAILBOX_RECEIPT_WAIT;
	EXPECT_EQ(-EOPNOTSUPP, box_call(self->fd, &args));
	args.flags = 0;
	args.priority = MAILBOX_PRIORITY_MAX + 1;
	EXPECT_EQ(-EINVAL, box_call(self->fd, &args));
	args.priority = 0;
	args.length = 64 << 20;
	EXPECT_EQ(-EMSGSIZE, box_call(self->fd, &args));
	args.length = 1;
	EXPECT_EQ(-EACCES, box_call(get, &args));

	receive.flags |= MAILBOX_NONBLOCK;
	receive.flags |= MAILBOX_PEEK;
	EXPECT_EQ(-EINVAL, box_receive(self->fd, &receive));
	receive.flags ^= MAILBOX_PEEK | MAILBOX_LEASE;
	EXPECT_EQ(-EINVAL, box_receive(self->fd, &receive));
	receive.flags ^= MAILBOX_LEASE;
	receive.size = offsetof(struct mailbox_receive, answer_room);
	EXPECT_EQ(-EINVAL, box_receive(self->fd, &receive));
	receive.size = sizeof(receive);
	EXPECT_EQ(-EAGAIN, box_receive(self->fd, &receive));

	reply.flags = MAILBOX_NONBLOCK;
	EXPECT_EQ(-EOPNOTSUPP, call(self->fd, MAILBOX_IOC_REPLY, &reply));
	EXPECT_EQ(-EOPNOTSUPP, call(self->fd, MAILBOX_IOC_REPLY_RECEIVE, &reply));
	reply.flags = 0;
	reply.receive = user_pointer(&receive);
	EXPECT_EQ(-EINVAL, call(self->fd, MAILBOX_IOC_REPLY, &reply));
	EXPECT_EQ(-EACCES, call(send, MAILBOX_IOC_REPLY_RECEIVE, &reply));
	reply.receive = 0;
	EXPECT_EQ(-EACCES, call(send, MAILBOX_IOC_REPLY, &reply));
	EXPECT_EQ(-ENOTTY, call(self->device, MAILBOX_IOC_CALL, &args));
	EXPECT_EQ(-ENOTTY, call(self->device, MAILBOX_IOC_REPLY, &reply));
	EXPECT_EQ(-ENOTTY, call(self->device, MAILBOX_IOC_REPLY_RECEIVE, &reply));
	EXPECT_EQ(0, box_stat(self->fd).sent);
	close(send);
	close(get);
}

TEST_HARNESS_MAIN
