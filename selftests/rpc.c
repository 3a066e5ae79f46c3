// SPDX-License-Identifier: GPL-2.0
/*
 * libmailbox-rpc: procedure calls over a mailbox, their errors, and who made them. The server
 * here is written by hand, so that it can do what no skeleton of rpcgen does; rpc_stubs.sh has
 * those.
 */
#include <errno.h>

#include "common.h"

#if __has_include("mailbox-rpc.h")
#include <mailbox-rpc.h>

#include "common_rpc.h"

FIXTURE(rpc)
{
	int device;
	int box;
	unsigned int *flag;
	CLIENT *clnt;
};

FIXTURE_SETUP(rpc)
{
	struct mailbox_create create;

	self->device = mailbox_device_open();
	ASSERT_LE(0, self->device);
	ASSERT_EQ(0, mailbox_create_init(&create, "rpc"));
	create.message_size = 128 * 1024;
	self->box = mailbox_create(self->device, &create);
	ASSERT_LE(0, self->box);
	self->flag = flag_new();
	self->clnt = clnt_mailbox_fd_create(self->box, PROGRAM, VERSION, 0, 0);
	ASSERT_TRUE(self->clnt);
}

FIXTURE_TEARDOWN(rpc)
{
	clnt_destroy(self->clnt);
	close(self->box);
	close(self->device);
}

TEST_F(rpc, results_come_back)
{
	pid_t server = serve(self->box, self->flag, 0, 0);
	int i;

	EXPECT_EQ(RPC_SUCCESS, call_void(self->clnt, NULLPROC));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(RPC_SUCCESS, call_echo(self->clnt, i * 5));
	child_kill(server);
}

TEST_F(rpc, large_arguments_and_results)
{
	pid_t server = serve(self->box, self->flag, 0, 0);

	EXPECT_EQ(RPC_SUCCESS, call_echo(self->clnt, 64 * 1024));
	EXPECT_EQ(RPC_SUCCESS, call_echo(self->clnt, 64 * 1024 - 1));
	child_kill(server);
}

TEST_F(rpc, names_of_mailboxes_do)
{
	pid_t server = child_fork();
	CLIENT *clnt;

	if (!server) {
		SVCXPRT *xprt = svc_mailbox_create("rpc too", 0, 0);

		ASSERT_TRUE(xprt);
		ASSERT_TRUE(svc_register(xprt, PROGRAM, VERSION, dispatch, 0));
		flag_raise(self->flag);
		svc_run();
		_exit(KSFT_FAIL);
	}
	flag_await(self->flag, 1);
	clnt = clnt_mailbox_create("rpc too", PROGRAM, VERSION, 0, 0);
	ASSERT_TRUE(clnt);
	EXPECT_EQ(RPC_SUCCESS, call_echo(clnt, 10));
	clnt_destroy(clnt);
	child_kill(server);
	EXPECT_FALSE(clnt_mailbox_create("rpc too", PROGRAM, VERSION, 0, 0));
	EXPECT_EQ(ENOENT, errno);
	EXPECT_EQ(RPC_SYSTEMERROR, rpc_createerr.cf_stat);
	EXPECT_EQ(ENOENT, rpc_createerr.cf_error.re_errno);
}

TEST_F(rpc, what_is_not_served_is_refused)
{
	pid_t server = serve(self->box, self->flag, 0, 0);
	u_int32_t number = VERSION + 1;
	struct rpc_err error;

	EXPECT_TRUE(clnt_control(self->clnt, CLSET_VERS, &number));
	EXPECT_EQ(RPC_PROGVERSMISMATCH, call_void(self->clnt, NULLPROC));
	clnt_geterr(self->clnt, &error);
	EXPECT_EQ(RPC_PROGVERSMISMATCH, error.re_status);
	EXPECT_EQ(VERSION, error.re_vers.low);
	EXPECT_EQ(VERSION, error.re_vers.high);
	number = VERSION;
	EXPECT_TRUE(clnt_control(self->clnt, CLSET_VERS, &number));

	number = PROGRAM + 1;
	EXPECT_TRUE(clnt_control(self->clnt, CLSET_PROG, &number));
	EXPECT_EQ(RPC_PROGUNAVAIL, call_void(self->clnt, NULLPROC));
	number = PROGRAM;
	EXPECT_TRUE(clnt_control(self->clnt, CLSET_PROG, &number));

	EXPECT_EQ(RPC_PROCUNAVAIL, call_void(self->clnt, 4711));
	EXPECT_EQ(RPC_SUCCESS, call_void(self->clnt, NULLPROC));
	child_kill(server);
}

TEST_F(rpc, garbage_is_refused)
{
	pid_t server = serve(self->box, self->flag, 0, 0);
	struct mailbox_message request = { .data = "garbage", .length = 7 };
	u_int32_t length = 4711;

	/* So many bytes, says the argument, and there are none. */
	EXPECT_EQ(RPC_CANTDECODEARGS, clnt_call(self->clnt, ECHO, (xdrproc_t)xdr_u_int32_t, &length,
						(xdrproc_t)xdr_void, NULL, forever));
	/* Not even a request. */
	EXPECT_EQ(-ECANCELED, mailbox_call(self->box, &request, NULL, 0, 0));
	EXPECT_EQ(0, mailbox_send(self->box, "garbage", 7));
	EXPECT_EQ(0, mailbox_send(self->box, NULL, 0));
	EXPECT_EQ(RPC_SUCCESS, call_echo(self->clnt, 10));
	child_kill(server);
}

TEST_F(rpc, answer_that_is_none_is_no_result)
{
	/* The last is an answer, to another request. */
	static const char *const answers[] = { "", "garbage", "\0\0\0\7\0\0\0\1" };
	char text[256];
	struct mailbox_message request = { .data = text, .room = sizeof(text) };
	struct mailbox_message answer = { .data = text };
	pid_t child = child_fork();
	unsigned int i;

	if (!child) {
		for (i = 0; i < ARRAY_SIZE(answers); i++)
			EXPECT_EQ(RPC_CANTDECODERES, call_void(self->clnt, NULLPROC));
		_exit(KSFT_PASS);
	}
	for (i = 0; i < ARRAY_SIZE(answers); i++) {
		ASSERT_EQ(0, mailbox_receive_message(self->box, &request, NULL, MAILBOX_ANSWER, 0));
		memset(text, 0, sizeof(text));
		answer.length = i == 2 ? 24 : strlen(answers[i]);
		memcpy(text, answers[i], i == 2 ? 8 : answer.length);
		ASSERT_EQ(0, mailbox_reply(self->box, request.lease, &answer));
	}
	child_done(child);
}

TEST_F(rpc, sizes_are_kept)
{
	pid_t server = serve(self->box, self->flag, 1000, 2000);
	struct rpc_err error;
	CLIENT *clnt;

	/* Too long for the server to take, to answer, for the mailbox, to send, to be answered. */
	EXPECT_EQ(RPC_CANTDECODEARGS, call_echo(self->clnt, 3000));
	EXPECT_EQ(RPC_SYSTEMERROR, call_echo(self->clnt, 1500));
	EXPECT_EQ(RPC_SUCCESS, call_echo(self->clnt, 900));
	clnt = clnt_mailbox_fd_create(self->box, PROGRAM, VERSION, 200 * 1024, 0);
	EXPECT_EQ(RPC_CANTSEND, call_echo(clnt, 150 * 1024));
	clnt_geterr(clnt, &error);
	EXPECT_EQ(EMSGSIZE, error.re_errno);
	clnt_destroy(clnt);
	clnt = clnt_mailbox_fd_create(self->box, PROGRAM, VERSION, 500, 0);
	EXPECT_EQ(RPC_CANTENCODEARGS, call_echo(clnt, 500));
	EXPECT_EQ(RPC_SUCCESS, call_echo(clnt, 400));
	clnt_destroy(clnt);
	clnt = clnt_mailbox_fd_create(self->box, PROGRAM, VERSION, 0, 500);
	EXPECT_EQ(RPC_SYSTEMERROR, call_echo(clnt, 500));
	EXPECT_EQ(RPC_SUCCESS, call_echo(clnt, 400));
	clnt_destroy(clnt);
	child_kill(server);
}

/* With a deadline that is an hour away: a call that hangs fails the test. */
TEST_F(rpc, call_ends_when_its_server_does)
{
	pid_t server = serve(self->box, self->flag, 0, 0);
	struct rpc_err error;
	int status;

	EXPECT_EQ(RPC_CANTRECV, call_void(self->clnt, DIE));
	clnt_geterr(self->clnt, &error);
	EXPECT_EQ(ECANCELED, error.re_errno);
	ASSERT_EQ(server, waitpid(server, &status, 0));
}

TEST_F(rpc, call_ends_when_nobody_answers)
{
	pid_t server = serve(self->box, self->flag, 0, 0);
	struct rpc_err error;

	EXPECT_EQ(RPC_CANTRECV, call_void(self->clnt, SAY_NOTHING));
	clnt_geterr(self->clnt, &error);
	EXPECT_EQ(ECANCELED, error.re_errno);
	EXPECT_EQ(RPC_SUCCESS, call_void(self->clnt, NULLPROC));
	child_kill(server);
}

TEST_F(rpc, call_ends_with_its_time)
{
	pid_t server = serve(self->box, self->flag, 0, 0);
	struct timeval time = { .tv_usec = 50000 };
	__u64 start = now_ns();

	EXPECT_EQ(RPC_TIMEDOUT, clnt_call(self->clnt, HANG, (xdrproc_t)xdr_void, NULL,
					  (xdrproc_t)xdr_void, NULL, time));
	EXPECT_LE(SECOND / 20, now_ns() - start);
	flag_await(self->flag, 2);
	/* Not taken by anybody, and it counts whatever the stub says. */
	EXPECT_TRUE(clnt_control(self->clnt, CLSET_TIMEOUT, &time));
	EXPECT_EQ(RPC_TIMEDOUT, call_void(self->clnt, NULLPROC));
	EXPECT_EQ(0, box_stat(self->box).messages);
	child_kill(server);
}

TEST_F(rpc, server_outlives_callers_that_gave_up)
{
	pid_t server = serve(self->box, self->flag, 0, 0), caller = child_fork();

	if (!caller) {
		call_void(self->clnt, WAIT);
		_exit(KSFT_FAIL);
	}
	flag_await(self->flag, 2);
	child_kill(caller);
	flag_raise(self->flag);
	EXPECT_EQ(RPC_SUCCESS, call_echo(self->clnt, 10));
	child_kill(server);
}

TEST_F(rpc, no_time_is_no_answer)
{
	pid_t server = serve(self->box, self->flag, 0, 0);
	struct timeval none = { 0 };

	EXPECT_EQ(RPC_SUCCESS,
		  clnt_call(self->clnt, RAISE, (xdrproc_t)xdr_void, NULL, NULL, NULL, none));
	flag_await(self->flag, 2);
	EXPECT_EQ(RPC_TIMEDOUT, clnt_call(self->clnt, RAISE, (xdrproc_t)xdr_void, NULL,
					  (xdrproc_t)xdr_void, NULL, none));
	flag_await(self->flag, 3);
	EXPECT_EQ(RPC_SUCCESS, call_echo(self->clnt, 10));
	child_kill(server);
}

TEST_F(rpc, end_of_the_mailbox_is_the_end_of_both)
{
	pid_t server = serve(self->box, self->flag, 0, 0), caller = child_fork();
	struct rpc_err error;

	if (!caller) {
		EXPECT_EQ(RPC_CANTRECV, call_void(self->clnt, WAIT));
		clnt_geterr(self->clnt, &error);
		EXPECT_EQ(EIDRM, error.re_errno);
		_exit(KSFT_PASS);
	}
	flag_await(self->flag, 2);
	ASSERT_EQ(0, mailbox_destroy(self->box));
	child_done(caller);
	flag_raise(self->flag);
	/* svc_run() has returned. */
	child_done(server);
}

TEST_F(rpc, server_ends_when_its_handle_is_revoked)
{
	pid_t server;
	int handle;
	uint64_t grant;

	handle = mailbox_restrict(self->box, MAILBOX_RIGHT_RECEIVE, 0, &grant);
	ASSERT_LE(0, handle);
	server = serve(handle, self->flag, 0, 0);
	EXPECT_EQ(RPC_SUCCESS, call_void(self->clnt, NULLPROC));
	ASSERT_EQ(0, mailbox_revoke(self->box, grant));
	child_done(server);
	close(handle);
}

TEST_F(rpc, nobody_there_is_told_at_once)
{
	int handle = mailbox_open(self->device, "rpc", MAILBOX_RIGHT_SEND, 0);
	struct rpc_err error;
	CLIENT *clnt;

	ASSERT_LE(0, handle);
	clnt = clnt_mailbox_fd_create(handle, PROGRAM, VERSION, 0, 0);
	ASSERT_TRUE(clnt);
	close(self->box);
	EXPECT_EQ(RPC_CANTSEND, call_void(clnt, NULLPROC));
	clnt_geterr(clnt, &error);
	EXPECT_EQ(EPIPE, error.re_errno);
	clnt_destroy(clnt);
	close(handle);
}

TEST_F(rpc, workers_share_a_mailbox)
{
	pid_t workers[3], clients[6];
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(workers); i++)
		workers[i] = serve(self->box, self->flag, 0, 0);
	for (i = 0; i < ARRAY_SIZE(clients); i++) {
		clients[i] = child_fork();
		if (!clients[i]) {
			for (j = 0; j < effort(60); j++)
				ASSERT_EQ(RPC_SUCCESS, call_echo(self->clnt, 100 * i + j));
			_exit(KSFT_PASS);
		}
	}
	for (i = 0; i < ARRAY_SIZE(clients); i++)
		child_done(clients[i]);
	EXPECT_EQ(ARRAY_SIZE(clients) * effort(60), box_stat(self->box).received);
	for (i = 0; i < ARRAY_SIZE(workers); i++)
		child_kill(workers[i]);
}

#endif

TEST_HARNESS_MAIN
