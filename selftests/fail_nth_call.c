// SPDX-License-Identifier: GPL-2.0
/*
 * Calls, with each allocation and copy made to fail in turn: a request that could not be
 * sent was never there, one that could not be delivered is nobody's, and an answer that
 * could not be made leaves the token as it was.
 */
#include "common_call.h"
#include "fail_nth.h"

static char payload[LENGTH_PAGES], taken[LENGTH_PAGES];
static struct mailbox_call request;
static struct mailbox_reply reply;
static __u64 token;

static void prepare_server(struct scene *scene)
{
	memset(payload, 'p', sizeof(payload));
	scene->fd = box_new(scene->device);
	scene->helper = child_fork();
	if (!scene->helper) {
		EXPECT_EQ(0, box_reply(scene->fd, box_serve(scene->fd), "answer"));
		_exit(KSFT_PASS);
	}
	wait_waiters(scene->fd, 1, -1);
	request = call_args(payload, scene->length, taken, sizeof(taken));
}

static int call_server(struct scene *scene)
{
	return call(scene->fd, MAILBOX_IOC_CALL, &request);
}

static void complete_call(struct scene *scene)
{
	EXPECT_EQ(6, request.answer_length);
	EXPECT_EQ(0, memcmp("answer", taken, 6));
	EXPECT_EQ(1, box_stat(scene->fd).received);
	EXPECT_EQ(0, box_stat(scene->fd).messages);
}

TEST_SWEEP(call_inline, .prepare = prepare_server, .call = call_server, .complete = complete_call,
	   .length = LENGTH_INLINE, .allocates = true, .keeps = 1, .least = 1)
TEST_SWEEP(call_pages, .prepare = prepare_server, .call = call_server, .complete = complete_call,
	   .length = LENGTH_PAGES, .allocates = true, .keeps = 1, .least = 3)

/* A child calls, and gets what the call that is swept sends. */
static void prepare_caller(struct scene *scene)
{
	memset(payload, 'p', sizeof(payload));
	poison(taken, sizeof(taken));
	scene->fd = box_new(scene->device);
	scene->helper = child_fork();
	if (!scene->helper) {
		struct mailbox_call args = call_args(payload, scene->length, taken, sizeof(taken));

		EXPECT_EQ(0, box_call(scene->fd, &args));
		EXPECT_EQ(scene->length, args.answer_length);
		EXPECT_EQ(0, memcmp(payload, taken, scene->length));
		_exit(KSFT_PASS);
	}
	wait_queued(scene->fd, 1);
	wait_sleeping(scene->helper, scene->helper);
}

static void prepare_token(struct scene *scene)
{
	prepare_caller(scene);
	token = box_serve(scene->fd);
	reply = reply_args(token, payload, scene->length);
}

static int send_reply(struct scene *scene)
{
	return call(scene->fd, MAILBOX_IOC_REPLY, &reply);
}

static void complete_reply(struct scene *scene)
{
	EXPECT_EQ(0, box_stat(scene->fd).messages);
	EXPECT_EQ(1, box_stat(scene->fd).received);
	EXPECT_EQ(-ESTALE, box_reply(scene->fd, token, ""));
}

TEST_SWEEP(reply_one_buffer, .prepare = prepare_token, .call = send_reply,
	   .complete = complete_reply, .length = LENGTH_BUFFER, .allocates = true, .keeps = 1,
	   .least = 2)
TEST_SWEEP(reply_pages, .prepare = prepare_token, .call = send_reply, .complete = complete_reply,
	   .length = LENGTH_PAGES, .allocates = true, .keeps = 1, .least = 3)

/* Which ends only after what the sweep looks at. */
static pid_t asker;

static void prepare_asker(struct scene *scene)
{
	prepare_caller(scene);
	asker = scene->helper;
	scene->helper = 0;
}

static int serve(struct scene *scene)
{
	scene->receive = serve_args(taken, sizeof(taken));
	return call(scene->fd, MAILBOX_IOC_RECEIVE, &scene->receive);
}

static void complete_serve(struct scene *scene)
{
	EXPECT_EQ(0, memcmp(payload, taken, scene->length));
	EXPECT_EQ(1, box_stat(scene->fd).leased);
	EXPECT_EQ(0, box_reply_data(scene->fd, scene->receive.lease, payload, scene->length));
	child_done(asker);
}

TEST_SWEEP(receive_to_answer, .prepare = prepare_asker, .call = serve, .complete = complete_serve,
	   .length = LENGTH_PAGES, .least = 3)

TEST_HARNESS_MAIN
