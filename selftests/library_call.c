// SPDX-License-Identifier: GPL-2.0
/*
 * libmailbox: calls. What a call is the kernel's own tests say; this is about what the
 * library passes on.
 */
#include <errno.h>

#include "common.h"

#if __has_include("mailbox.h")
#include <mailbox.h>

FIXTURE(calls)
{
	int device;
	int box;
};

FIXTURE_SETUP(calls)
{
	struct mailbox_create create;

	self->device = mailbox_device_open();
	ASSERT_LE(0, self->device);
	ASSERT_EQ(0, mailbox_create_init(&create, "calls"));
	self->box = mailbox_create(self->device, &create);
	ASSERT_LE(0, self->box);
}

FIXTURE_TEARDOWN(calls)
{
	close(self->box);
	close(self->device);
}

/* A server that answers so many calls with what it was asked, until one says "end". */
static pid_t serve(int box)
{
	pid_t child = child_fork();

	if (!child) {
		char text[64];
		struct mailbox_message request = { .data = text, .room = sizeof(text) };
		struct mailbox_message answer = { .data = text };
		uint64_t token = 0;
		int ret;

		do {
			ret = mailbox_reply_receive(box, token, &answer, &request, 0, 0);
			EXPECT_EQ(0, ret);
			EXPECT_EQ(1, request.is_call);
			token = request.lease;
			answer.length = request.length;
			answer.type = request.type + 1;
		} while (strncmp(text, "end", 3));
		EXPECT_EQ(0, mailbox_reply(box, token, NULL));
		_exit(KSFT_PASS);
	}
	return child;
}

TEST_F(calls, go_there_and_back)
{
	pid_t server = serve(self->box);
	char text[64];
	int i;

	for (i = 0; i < 3; i++) {
		struct mailbox_message request = { .data = "what", .length = 4, .type = i };
		struct mailbox_message answer = {
			.data = text,
			.room = sizeof(text),
			.lease = 4711,
		};

		ASSERT_EQ(0, mailbox_call(self->box, &request, &answer, 0, 0));
		EXPECT_EQ(i + 1, request.sequence);
		EXPECT_EQ(4, answer.length);
		EXPECT_EQ(0, memcmp("what", text, 4));
		EXPECT_EQ(i + 1, answer.type);
		EXPECT_EQ(server, answer.pid);
		EXPECT_EQ(server, answer.tid);
		EXPECT_EQ(geteuid(), answer.uid);
		EXPECT_EQ(getegid(), answer.gid);
		EXPECT_EQ(0, answer.truncated);
		EXPECT_EQ(0, answer.lease);
		EXPECT_EQ(sizeof(text), answer.room);
	}
	ASSERT_EQ(0,
		  mailbox_call(self->box, &(struct mailbox_message){ .data = "end", .length = 3 },
			       NULL, 0, 0));
	child_done(server);
}

TEST_F(calls, answer_is_cut_where_that_is_wanted)
{
	pid_t server = serve(self->box);
	struct mailbox_message request = { .data = "end of it", .length = 9 };
	struct mailbox_message answer = { 0 };

	EXPECT_EQ(0, mailbox_call(self->box, &request, &answer, MAILBOX_TRUNCATE, 0));
	EXPECT_EQ(0, answer.length);
	EXPECT_EQ(0, answer.truncated);
	child_done(server);
	server = serve(self->box);
	request = (struct mailbox_message){ .data = "what", .length = 4 };
	EXPECT_EQ(0, mailbox_call(self->box, &request, &answer, MAILBOX_TRUNCATE, 0));
	EXPECT_EQ(4, answer.length);
	EXPECT_EQ(1, answer.truncated);
	child_kill(server);
}

TEST_F(calls, end_without_an_answer)
{
	struct mailbox_message request = { .data = "a", .length = 1 };

	EXPECT_EQ(-ETIMEDOUT, mailbox_call(self->box, &request, NULL, MAILBOX_DEADLINE, 1));
	request.expiry = 1;
	EXPECT_EQ(-EINVAL, mailbox_call(self->box, &request, NULL, 0, 0));
	request.expiry = 0;
	request.length = (size_t)UINT32_MAX + 1;
	if (request.length)
		EXPECT_EQ(-EMSGSIZE, mailbox_call(self->box, &request, NULL, 0, 0));
	EXPECT_EQ(-ESTALE, mailbox_reply(self->box, 1, NULL));
	if (request.length)
		EXPECT_EQ(-EMSGSIZE, mailbox_reply(self->box, 1, &request));
}

TEST_F(calls, token_zero_only_receives)
{
	char text[8];
	struct mailbox_message request = { .data = text, .room = 2 };

	EXPECT_EQ(-EAGAIN,
		  mailbox_reply_receive(self->box, 0, NULL, &request, MAILBOX_NONBLOCK, 0));
	EXPECT_EQ(-ETIMEDOUT,
		  mailbox_reply_receive(self->box, 0, NULL, &request, MAILBOX_DEADLINE, 1));
	ASSERT_EQ(0, mailbox_send(self->box, "text", 4));
	EXPECT_EQ(-EMSGSIZE, mailbox_reply_receive(self->box, 0, NULL, &request, 0, 0));
	EXPECT_EQ(4, request.length);
	request.room = sizeof(text);
	EXPECT_EQ(0, mailbox_reply_receive(self->box, 0, NULL, &request, 0, 0));
	EXPECT_EQ(4, request.length);
	EXPECT_EQ(0, request.lease);
	EXPECT_EQ(0, request.is_call);
	EXPECT_EQ(0, request.answer_room);
}

TEST_F(calls, answer_goes_and_nothing_comes)
{
	char text[8];
	struct mailbox_message request = { .data = text, .room = sizeof(text) };
	pid_t child = child_fork();

	if (!child) {
		request.length = 1;
		_exit(mailbox_call(self->box, &request, NULL, 0, 0) ? KSFT_FAIL : KSFT_PASS);
	}
	ASSERT_EQ(0, mailbox_receive_message(self->box, &request, NULL, MAILBOX_ANSWER, 0));
	EXPECT_EQ(1, request.is_call);
	EXPECT_EQ(0, request.answer_room);
	EXPECT_NE(0, request.lease);
	ASSERT_EQ(0, mailbox_send(self->box, "long text", 9));
	EXPECT_EQ(1, mailbox_reply_receive(self->box, request.lease, NULL, &request, 0, 0));
	EXPECT_EQ(9, request.length);
	child_done(child);
	/* And now about the token, nothing is received. */
	request.room = 0;
	request.length = 0;
	EXPECT_EQ(-ESTALE, mailbox_reply_receive(self->box, 1, NULL, &request, 0, 0));
	EXPECT_EQ(0, request.length);
	ASSERT_EQ(0, mailbox_receive_alloc(self->box, &(struct mailbox_message){ 0 }, NULL,
					   MAILBOX_PEEK, 0));
}

TEST_F(calls, batch_takes_them)
{
	struct mailbox_message got[3] = { { 0 } };
	pid_t children[2];
	int i, error;

	for (i = 0; i < 2; i++) {
		children[i] = child_fork();
		if (!children[i]) {
			struct mailbox_message request = { 0 };

			_exit(mailbox_call(self->box, &request, NULL, 0, 0) ? KSFT_FAIL :
									      KSFT_PASS);
		}
		wait_sleeping(children[i], children[i]);
	}
	ASSERT_EQ(0, mailbox_send(self->box, NULL, 0));
	ASSERT_EQ(3, mailbox_receive_batch(self->box, got, 3, NULL, MAILBOX_ANSWER, 0, &error));
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(1, got[i].is_call);
		EXPECT_EQ(0, mailbox_reply(self->box, got[i].lease, NULL));
		child_done(children[i]);
	}
	EXPECT_EQ(0, got[2].is_call);
	EXPECT_EQ(0, got[2].lease);
}

#else

TEST(calls)
{
	SKIP(return, "built without libmailbox");
}

#endif

TEST_HARNESS_MAIN
