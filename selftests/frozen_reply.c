// SPDX-License-Identifier: GPL-2.0
/*
 * A server stands still in the middle of its REPLY, when its answer is being copied in. The
 * caller waits for none of that: whatever ends the call meanwhile ends it at once, and the
 * answer goes nowhere. See frozen.h for how calls are stopped there.
 */
#include "frozen.h"

#include "common_call.h"
#include "common_grant.h"
#include "common_notify.h"
#include "world.h"

#define ANSWER "answer"
#define ONE    2131

FIXTURE(frozen)
{
	int device;
	int fd;
	/* With the right to receive, alone. */
	int server;
	__u64 grant;
	int eventfd;
	struct usage usage;
	struct caller *caller;
	char *answer;
};

FIXTURE_VARIANT(frozen)
{
	unsigned long command;
	size_t length;
};

FIXTURE_VARIANT_ADD(frozen, short_answer)
{
	.command = MAILBOX_IOC_REPLY,
	.length = sizeof(ANSWER),
};

/* Is copied to memory of its own, for which the caller pays. */
FIXTURE_VARIANT_ADD(frozen, long_answer)
{
	.command = MAILBOX_IOC_REPLY,
	.length = 3000,
};

FIXTURE_VARIANT_ADD(frozen, answer_and_receive)
{
	.command = MAILBOX_IOC_REPLY_RECEIVE,
	.length = sizeof(ANSWER),
};

FIXTURE_SETUP(frozen)
{
	self->device = device_open();
	self->usage = usage_of_caller(self->device);
	self->fd = box_new(self->device);
	self->server = box_restrict(self->fd, MAILBOX_RIGHT_RECEIVE, &self->grant);
	self->eventfd = eventfd_new();
	box_notify(self->server, MAILBOX_EVENT_ABANDONED, self->eventfd);
	self->caller = caller_new();
	self->answer = shared_new(page_size(), -1);
}

FIXTURE_TEARDOWN(frozen)
{
	close(self->server);
	close(self->fd);
	close(self->eventfd);
	EXPECT_USAGE(self->device, self->usage);
	close(self->device);
}

static void prepare_call(FIXTURE_DATA(frozen) * self)
{
	memset(self->answer, 0, page_size());
	self->caller->args = call_args("request", 7, self->answer, page_size());
}

static pid_t call_now(FIXTURE_DATA(frozen) * self)
{
	prepare_call(self);
	return caller_run(self->caller, self->fd);
}

static struct actor *replier_new(FIXTURE_DATA(frozen) * self,
				 const FIXTURE_VARIANT(frozen) * variant, __u64 token)
{
	struct actor *actor = actor_new(self->server, variant->command);
	struct mailbox_reply *args = (void *)(actor->trap - page_size());
	struct mailbox_receive *receive = (void *)(args + 1);

	*args = reply_args(token, actor->trap, variant->length);
	if (variant->command == MAILBOX_IOC_REPLY_RECEIVE) {
		*receive = receive_args(actor_text(actor), ROOM);
		args->receive = user_pointer(receive);
	}
	actor->args = args;
	actor->trapped = true;
	return actor;
}

/* The call of a child has been taken, and its answer is on its way. */
static struct actor *freeze_replier(FIXTURE_DATA(frozen) * self,
				    const FIXTURE_VARIANT(frozen) * variant)
{
	struct actor *replier = replier_new(self, variant, box_serve(self->server));

	actor_start_frozen(replier);
	return replier;
}

/* The caller did not get it, and nothing is left of the call. */
static void expect_too_late(FIXTURE_DATA(frozen) * self, struct actor *replier, int ret)
{
	actor_release_with(replier, ANSWER);
	EXPECT_EQ(ret, actor_result(replier));
	EXPECT_STREQ("", self->answer);
	EXPECT_EQ(0, self->caller->args.answer_length);
}

/* The mailbox works, and so does the server. */
static void expect_usable(FIXTURE_DATA(frozen) * self)
{
	pid_t child = call_now(self);

	EXPECT_EQ(0, box_reply(self->server, box_serve(self->server), "next"));
	caller_ends(self->caller, child, 0);
	EXPECT_STREQ("next", self->answer);
	EXPECT_EQ(0, box_stat(self->fd).messages);
}

TEST_F(frozen, goes_on)
{
	pid_t child = call_now(self);
	struct actor *replier = freeze_replier(self, variant);
	__u64 error = variant->command == MAILBOX_IOC_REPLY_RECEIVE ? EAGAIN : 0;

	wait_sleeping(child, child);
	EXPECT_EQ(0, self->caller->done);
	EXPECT_EQ(1, box_stat(self->fd).leased);
	actor_release_with(replier, ANSWER);
	EXPECT_EQ(0, actor_result(replier));
	EXPECT_EQ(error, ((struct mailbox_reply *)replier->args)->error);
	caller_ends(self->caller, child, 0);
	EXPECT_STREQ(ANSWER, self->answer);
	EXPECT_EQ(variant->length, self->caller->args.answer_length);
	EXPECT_EQ(0, told(self->eventfd));
}

TEST_F(frozen, caller_is_killed)
{
	pid_t child = call_now(self);
	struct actor *replier = freeze_replier(self, variant);

	child_kill(child);
	EXPECT_EQ(1, told(self->eventfd));
	expect_call_taken_back(self->fd);
	expect_too_late(self, replier, -ESTALE);
	expect_usable(self);
}

TEST_F(frozen, caller_gets_a_signal)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART }, old;
	struct actor *replier;
	pid_t child;

	/* The child inherits it. */
	ASSERT_EQ(0, sigaction(SIGUSR1, &action, &old));
	child = call_now(self);
	ASSERT_EQ(0, sigaction(SIGUSR1, &old, NULL));
	replier = freeze_replier(self, variant);
	ASSERT_EQ(0, kill(child, SIGUSR1));
	caller_ends(self->caller, child, -EINTR);
	EXPECT_EQ(1, told(self->eventfd));
	expect_call_taken_back(self->fd);
	expect_too_late(self, replier, -ESTALE);
	expect_usable(self);
}

/* A machine too slow for that deadline tries again, with more time. */
TEST_F(frozen, deadline_of_the_caller)
{
	struct actor *replier;
	pid_t child;
	__u64 delay;

	for (delay = SECOND / 4;; delay *= 2) {
		char data[16];
		struct mailbox_receive args = serve_args(data, sizeof(data));

		prepare_call(self);
		args.flags |= MAILBOX_DEADLINE;
		args.deadline = now_ns() + delay;
		self->caller->args.flags = MAILBOX_DEADLINE;
		self->caller->args.deadline = args.deadline;
		child = caller_run(self->caller, self->fd);
		if (!box_receive(self->server, &args)) {
			replier = replier_new(self, variant, args.lease);
			actor_start(replier);
			if (actor_freezes(replier, replier))
				break;
			EXPECT_EQ(-ESTALE, actor_result(replier));
			told(self->eventfd);
		}
		caller_ends(self->caller, child, -ETIMEDOUT);
		ASSERT_LT(delay, 30 * SECOND);
	}
	caller_ends(self->caller, child, -ETIMEDOUT);
	EXPECT_EQ(1, told(self->eventfd));
	expect_call_taken_back(self->fd);
	expect_too_late(self, replier, -ESTALE);
	expect_usable(self);
}

/* Who pays for the copy of a long answer: it may have gone by then. */
TEST_F(frozen, caller_of_another_user_is_killed)
{
	struct actor *replier;
	pid_t child;

	if (!is_root())
		SKIP(return, "needs another user");
	prepare_call(self);
	child = child_fork();
	if (!child) {
		become(ONE, ONE);
		_exit(-box_call(self->fd, &self->caller->args));
	}
	replier = freeze_replier(self, variant);
	child_kill(child);
	expect_too_late(self, replier, -ESTALE);
	expect_usable(self);
	/* The mailbox may keep what it was copied to. */
	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	AS_USER(ONE, {
		EXPECT_EQ(0, usage_of_caller(self->device).messages);
		EXPECT_EQ(0, usage_of_caller(self->device).bytes);
	});
}

TEST_F(frozen, handle_of_the_caller_is_revoked)
{
	__u64 grant;
	int mine = box_restrict(self->fd, MAILBOX_RIGHT_SEND, &grant);
	struct actor *replier;
	pid_t child;

	prepare_call(self);
	child = caller_run(self->caller, mine);
	replier = freeze_replier(self, variant);
	ASSERT_EQ(0, box_revoke(self->fd, grant));
	caller_ends(self->caller, child, -EACCES);
	expect_too_late(self, replier, -ESTALE);
	close(mine);
	expect_usable(self);
}

static void serve_first(struct actor *actor)
{
	((struct mailbox_reply *)actor->args)->token = box_serve(actor->fd);
}

TEST_F(frozen, server_is_killed)
{
	pid_t child = call_now(self);
	struct actor *replier = replier_new(self, variant, 0);

	/* A process of its own, whose call it is. */
	replier->own_table = true;
	replier->first = serve_first;
	actor_start_frozen(replier);
	EXPECT_EQ(1, box_stat(self->fd).leased);
	actor_kill(replier);
	caller_ends(self->caller, child, -ECANCELED);
	EXPECT_EQ(1, box_stat(self->fd).dropped);
	EXPECT_EQ(0, box_stat(self->fd).leased);
	expect_usable(self);
}

/* It has the call, and another thread has the answer. */
TEST_F(frozen, thread_of_the_server_is_killed)
{
	pid_t child = call_now(self);
	__u64 token = box_serve(self->server);
	struct actor *replier = replier_new(self, variant, token);

	actor_start_frozen(replier);
	actor_kill(replier);
	EXPECT_EQ(0, self->caller->done);
	EXPECT_EQ(0, box_reply(self->server, token, "other"));
	caller_ends(self->caller, child, 0);
	EXPECT_STREQ("other", self->answer);
}

TEST_F(frozen, mailbox_is_destroyed)
{
	pid_t child = call_now(self);
	struct actor *replier = freeze_replier(self, variant);

	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	caller_ends(self->caller, child, -EIDRM);
	expect_too_late(self, replier, -EIDRM);
}

TEST_F(frozen, handle_is_closed)
{
	pid_t child = call_now(self);
	struct actor *replier = freeze_replier(self, variant);

	close(self->server);
	caller_ends(self->caller, child, -ECANCELED);
	EXPECT_EQ(1, box_stat(self->fd).dropped);
	expect_too_late(self, replier, -ESTALE);
	self->server = box_open(self->device, box_stat(self->fd).id, NULL, RIGHTS_ALL);
	ASSERT_LE(0, self->server);
	expect_usable(self);
}

/* Only the REPLY itself keeps the mailbox then. */
TEST_F(frozen, all_handles_are_closed)
{
	pid_t child = call_now(self);
	struct actor *replier = freeze_replier(self, variant);
	const __u64 id = box_stat(self->fd).id;

	close(self->fd);
	close(self->server);
	caller_ends(self->caller, child, -ECANCELED);
	expect_too_late(self, replier, -ESTALE);
	EXPECT_EQ(-ENOENT, box_open(self->device, id, NULL, MAILBOX_RIGHT_SEND));
	self->fd = -1;
	self->server = -1;
}

TEST_F(frozen, handle_is_revoked)
{
	pid_t child = call_now(self);
	struct actor *replier = freeze_replier(self, variant);

	ASSERT_EQ(0, box_revoke(self->fd, self->grant));
	caller_ends(self->caller, child, -ECANCELED);
	expect_too_late(self, replier, -EACCES);
	EXPECT_EQ(0, box_stat(self->fd).messages);
}

TEST_F(frozen, another_thread_answers)
{
	pid_t child = call_now(self);
	__u64 token = box_serve(self->server);
	struct actor *replier = replier_new(self, variant, token);

	actor_start_frozen(replier);
	EXPECT_EQ(0, box_reply(self->server, token, "other"));
	caller_ends(self->caller, child, 0);
	actor_release_with(replier, ANSWER);
	EXPECT_EQ(-ESTALE, actor_result(replier));
	EXPECT_STREQ("other", self->answer);
	expect_usable(self);
}

/* Drops the token, in each way. */
TEST_F(frozen, another_thread_ends_the_lease)
{
	int way;

	for (way = 0; way < 3; way++) {
		pid_t child = call_now(self);
		__u64 token = box_serve(self->server);
		struct actor *replier = replier_new(self, variant, token);

		actor_start_frozen(replier);
		if (way == 0)
			EXPECT_EQ(0, box_ack(self->server, token));
		else if (way == 1)
			EXPECT_EQ(0, box_nack(self->server, token, 0));
		else
			EXPECT_EQ(0, box_extend(self->server, token, 1));
		caller_ends(self->caller, child, -ECANCELED);
		expect_too_late(self, replier, -ESTALE);
	}
	expect_usable(self);
}

/* Nothing was done: the call is still there to be answered. */
TEST_F(frozen, copy_fails)
{
	pid_t child = call_now(self);
	__u64 token = box_serve(self->server);
	struct actor *replier = replier_new(self, variant, token);

	actor_start_frozen(replier);
	EXPECT_EQ(-EFAULT, actor_fail(replier));
	EXPECT_EQ(0, self->caller->done);
	EXPECT_EQ(1, box_stat(self->fd).leased);
	EXPECT_EQ(0, box_reply(self->server, token, "again"));
	caller_ends(self->caller, child, 0);
	EXPECT_STREQ("again", self->answer);
	EXPECT_EQ(0, told(self->eventfd));
}

FROZEN_MAIN
