// SPDX-License-Identifier: GPL-2.0
/*
 * Calls of which a copy stands still: the request on its way from the caller or to the
 * server, or the answer on its way to the caller. Until the server has its token the call is
 * nobody's: it goes to the next, or the caller takes it back. See frozen.h for how calls are
 * stopped there, and frozen_reply.c for the answer on its way from the server.
 */
#include "frozen.h"

#include "common_call.h"
#include "common_grant.h"
#include "world.h"

FIXTURE(frozen)
{
	int device;
	int fd;
	/* With the right to receive, alone. */
	int server;
	__u64 grant;
	struct usage usage;
	struct caller *caller;
};

FIXTURE_SETUP(frozen)
{
	self->device = device_open();
	self->usage = usage_of_caller(self->device);
	self->fd = box_new(self->device);
	self->server = box_restrict(self->fd, MAILBOX_RIGHT_RECEIVE, &self->grant);
	self->caller = caller_new();
}

FIXTURE_TEARDOWN(frozen)
{
	close(self->server);
	close(self->fd);
	EXPECT_USAGE(self->device, self->usage);
	close(self->device);
}

/* The request is on its way to a server, before its payload or before what is told of it. */
static struct actor *freeze_server(FIXTURE_DATA(frozen) * self, bool reports)
{
	struct actor *server = reports ? frozen_reporter_new(self->server, 0) :
					 frozen_receiver_new(self->server, 0);

	server->receive->flags |= MAILBOX_ANSWER;
	actor_start_frozen(server);
	return server;
}

static pid_t call_now(FIXTURE_DATA(frozen) * self)
{
	return caller_queued(self->caller, self->fd, "request");
}

/* Another server gets it, once. */
static void expect_served(FIXTURE_DATA(frozen) * self, pid_t child)
{
	EXPECT_EQ(0, self->caller->done);
	EXPECT_EQ(0, box_reply(self->fd, box_serve(self->fd), "answer"));
	caller_ends(self->caller, child, 0);
	EXPECT_STREQ("answer", self->caller->answer);
	EXPECT_EQ(0, box_stat(self->fd).messages);
	EXPECT_EQ(1, box_stat(self->fd).sent);
	EXPECT_EQ(1, box_stat(self->fd).received);
}

#define FOR_BOTH_PLACES(reports) for (int reports = 0; reports < 2; reports++)

TEST_F(frozen, request_arrives)
{
	pid_t child = call_now(self);
	struct actor *server = freeze_server(self, false);

	EXPECT_EQ(1, box_stat(self->fd).messages);
	EXPECT_EQ(0, box_stat(self->fd).leased);
	EXPECT_EQ(0, actor_thaw(server));
	EXPECT_EQ(1, box_stat(self->fd).leased);
	EXPECT_EQ(0, box_reply(self->server, server->receive->lease, "answer"));
	caller_ends(self->caller, child, 0);
	EXPECT_STREQ("answer", self->caller->answer);
}

TEST_F(frozen, caller_is_killed_while_it_is_received)
{
	FOR_BOTH_PLACES(reports)
	{
		pid_t child = call_now(self);
		struct actor *server = freeze_server(self, reports);

		child_kill(child);
		expect_call_taken_back(self->fd);
		EXPECT_EQ(-EAGAIN, actor_thaw(server));
		expect_call_taken_back(self->fd);
	}
	expect_served(self, call_now(self));
}

TEST_F(frozen, deadline_of_the_caller_while_it_is_received)
{
	FOR_BOTH_PLACES(reports)
	{
		struct actor *server;
		pid_t child;

		/* It waits until the server has come so far, and then not for ever. */
		server = reports ? frozen_reporter_new(self->server, 0) :
				   frozen_receiver_new(self->server, 0);
		server->receive->flags = MAILBOX_ANSWER;
		actor_start(server);
		wait_waiters(self->fd, 1, 0);
		self->caller->args = call_args("request", 7, self->caller->answer, 63);
		self->caller->args.flags = MAILBOX_DEADLINE;
		self->caller->args.deadline = now_ns() + SECOND / 2;
		child = caller_run(self->caller, self->fd);
		actor_await_frozen(server);
		caller_ends(self->caller, child, -ETIMEDOUT);
		expect_call_taken_back(self->fd);
		/* It goes on to the next. */
		actor_release(server);
		child = caller_start(self->caller, self->fd, "next");
		EXPECT_EQ(0, actor_result(server));
		EXPECT_RECEIVED("next", server);
		EXPECT_EQ(0, box_reply(self->server, server->receive->lease, "late"));
		caller_ends(self->caller, child, 0);
		EXPECT_STREQ("late", self->caller->answer);
		/* As expect_call_taken_back() wants it. */
		close(self->server);
		close(self->fd);
		self->fd = box_new(self->device);
		self->server = box_restrict(self->fd, MAILBOX_RIGHT_RECEIVE, &self->grant);
	}
}

static unsigned int *signals;

static void count_signal(int number)
{
	(void)number;
	flag_raise(signals);
}

static pid_t call_with_handler(FIXTURE_DATA(frozen) * self, int flags)
{
	struct sigaction action = { .sa_handler = count_signal, .sa_flags = flags }, old;
	pid_t child;

	signals = flag_new();
	/* The child inherits it. */
	ASSERT_EQ(0, sigaction(SIGUSR1, &action, &old));
	child = call_now(self);
	ASSERT_EQ(0, sigaction(SIGUSR1, &old, NULL));
	return child;
}

TEST_F(frozen, caller_gets_a_signal_while_it_is_received)
{
	FOR_BOTH_PLACES(reports)
	{
		pid_t child = call_with_handler(self, 0);
		struct actor *server = freeze_server(self, reports);

		ASSERT_EQ(0, kill(child, SIGUSR1));
		caller_ends(self->caller, child, -EINTR);
		expect_call_taken_back(self->fd);
		EXPECT_EQ(-EAGAIN, actor_thaw(server));
	}
	expect_served(self, call_now(self));
}

/* Nobody had it: it starts again, as another message, which the server goes on to. */
TEST_F(frozen, caller_starts_again_while_it_is_received)
{
	pid_t child = call_with_handler(self, SA_RESTART);
	struct actor *server = freeze_server(self, false);

	ASSERT_EQ(0, kill(child, SIGUSR1));
	/* Its handler runs when the first is taken back. */
	flag_await(signals, 1);
	wait_queued(self->fd, 1);
	EXPECT_EQ(0, actor_thaw(server));
	EXPECT_RECEIVED("request", server);
	EXPECT_EQ(0, box_reply(self->server, server->receive->lease, "answer"));
	caller_ends(self->caller, child, 0);
	EXPECT_STREQ("answer", self->caller->answer);
	EXPECT_EQ(0, box_stat(self->fd).messages);
}

TEST_F(frozen, handle_of_the_caller_is_revoked_while_it_is_received)
{
	FOR_BOTH_PLACES(reports)
	{
		__u64 grant;
		int mine = box_restrict(self->fd, MAILBOX_RIGHT_SEND, &grant);
		pid_t child = caller_queued(self->caller, mine, "request");
		struct actor *server = freeze_server(self, reports);

		ASSERT_EQ(0, box_revoke(self->fd, grant));
		caller_ends(self->caller, child, -EACCES);
		expect_call_taken_back(self->fd);
		EXPECT_EQ(-EAGAIN, actor_thaw(server));
		close(mine);
	}
	expect_served(self, call_now(self));
}

TEST_F(frozen, server_is_killed_while_it_receives)
{
	pid_t child = call_now(self);

	FOR_BOTH_PLACES(reports)
	{
		struct actor *server = freeze_server(self, reports);

		actor_kill(server);
		EXPECT_EQ(1, box_stat(self->fd).messages);
		EXPECT_EQ(0, box_stat(self->fd).leased);
	}
	expect_served(self, child);
}

TEST_F(frozen, copy_to_the_server_fails)
{
	pid_t child = call_now(self);

	FOR_BOTH_PLACES(reports)
	{
		EXPECT_EQ(-EFAULT, actor_fail(freeze_server(self, reports)));
		EXPECT_EQ(0, box_stat(self->fd).leased);
	}
	expect_served(self, child);
}

TEST_F(frozen, mailbox_is_destroyed_while_it_is_received)
{
	pid_t child = call_now(self);
	struct actor *server = freeze_server(self, false);

	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	caller_ends(self->caller, child, -EIDRM);
	EXPECT_EQ(-EIDRM, actor_thaw(server));
}

/* It is received all the same, but its lease ends at once, and nobody answers. */
TEST_F(frozen, server_closes_while_it_receives)
{
	FOR_BOTH_PLACES(reports)
	{
		pid_t child = call_now(self);
		struct actor *server = freeze_server(self, reports);

		close(self->server);
		EXPECT_EQ(0, self->caller->done);
		EXPECT_EQ(0, actor_thaw(server));
		caller_ends(self->caller, child, -ECANCELED);
		EXPECT_EQ(0, box_stat(self->fd).messages);
		self->server = box_restrict(self->fd, MAILBOX_RIGHT_RECEIVE, &self->grant);
		EXPECT_EQ(-ESTALE, box_reply(self->server, server->receive->lease, "late"));
	}
}

TEST_F(frozen, server_is_revoked_while_it_receives)
{
	pid_t child = call_now(self);
	struct actor *server = freeze_server(self, false);

	ASSERT_EQ(0, box_revoke(self->fd, self->grant));
	EXPECT_EQ(-EACCES, actor_thaw(server));
	expect_served(self, child);
}

/* Nobody else can: the caller does not wait for that copy. */
TEST_F(frozen, last_that_can_receive_is_revoked_while_it_receives)
{
	int mine = box_open(self->device, box_stat(self->fd).id, NULL,
			    MAILBOX_RIGHT_SEND | MAILBOX_RIGHT_MANAGE);
	struct actor *server;
	pid_t child;

	ASSERT_LE(0, mine);
	close(self->fd);
	self->fd = mine;
	self->caller->without = self->server;
	child = call_now(self);
	server = freeze_server(self, false);
	ASSERT_EQ(0, box_revoke(self->fd, self->grant));
	caller_ends(self->caller, child, -EPIPE);
	EXPECT_EQ(-EACCES, actor_thaw(server));
	expect_call_taken_back(self->fd);
}

/* The first call has its answer, whatever becomes of the second. */
TEST_F(frozen, answered_and_the_next_is_received)
{
	struct caller *second = caller_new();
	pid_t child = call_now(self), next;
	__u64 token = box_serve(self->server);
	struct actor *server = frozen_receiver_new(self->server, 0);
	struct mailbox_reply *reply = (void *)(server->receive + 1);

	next = caller_queued(second, self->fd, "second");
	server->receive->flags |= MAILBOX_ANSWER;
	*reply = reply_args(token, "answer", 6);
	reply->receive = user_pointer(server->receive);
	server->command = MAILBOX_IOC_REPLY_RECEIVE;
	server->args = reply;
	actor_start_frozen(server);
	caller_ends(self->caller, child, 0);
	EXPECT_STREQ("answer", self->caller->answer);
	child_kill(next);
	EXPECT_EQ(0, actor_thaw(server));
	EXPECT_EQ(EAGAIN, reply->error);
	EXPECT_EQ(0, box_stat(self->fd).messages);
}

/* Callers that stand still themselves. */

static struct actor *frozen_caller_new(int fd, size_t length, size_t room)
{
	struct actor *actor = actor_new(fd, MAILBOX_IOC_CALL);
	struct mailbox_call *args = (void *)(actor->trap - page_size());

	*args = call_args(length ? actor->trap : actor_text(actor), length,
			  room ? actor->trap : actor_text(actor), room);
	actor->args = args;
	actor->trapped = true;
	return actor;
}

TEST_F(frozen, request_has_not_yet_been_sent)
{
	struct actor *one = frozen_caller_new(self->fd, 7, 0), *other;

	actor_start_frozen(one);
	EXPECT_EQ(0, box_stat(self->fd).messages);
	actor_kill(one);
	one = frozen_caller_new(self->fd, 7, 0);
	actor_start_frozen(one);
	EXPECT_EQ(-EFAULT, actor_fail(one));
	expect_call_taken_back(self->fd);

	one = frozen_caller_new(self->fd, 7, 0);
	other = frozen_caller_new(self->fd, 7, 0);
	actor_start_frozen(one);
	actor_start_frozen(other);
	actor_release_with(one, "request");
	EXPECT_EQ(0, box_reply(self->server, box_serve(self->server), ""));
	EXPECT_EQ(0, actor_result(one));
	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	actor_release_with(other, "request");
	EXPECT_EQ(-EIDRM, actor_result(other));
}

TEST_F(frozen, nobody_can_receive_what_is_then_sent)
{
	struct actor *actor = frozen_caller_new(self->fd, 7, 0);
	int mine = box_open(self->device, box_stat(self->fd).id, NULL,
			    MAILBOX_RIGHT_SEND | MAILBOX_RIGHT_MANAGE);

	ASSERT_LE(0, mine);
	actor->fd = mine;
	actor_start_frozen(actor);
	close(self->server);
	close(self->fd);
	self->fd = mine;
	self->server = -1;
	actor_release_with(actor, "request");
	EXPECT_EQ(-EPIPE, actor_result(actor));
	expect_call_taken_back(self->fd);
}

/* The server has done its work, and is not held up. */
static struct actor *freeze_answered(FIXTURE_DATA(frozen) * self, size_t length)
{
	struct actor *actor = frozen_caller_new(self->fd, 0, page_size());
	char text[3000] = "answer";

	actor_start(actor);
	EXPECT_EQ(0, box_reply_data(self->server, box_serve(self->server), text, length));
	actor_await_frozen(actor);
	EXPECT_EQ(0, box_stat(self->fd).messages);
	return actor;
}

TEST_F(frozen, answer_on_its_way_to_the_caller)
{
	static const size_t lengths[] = { 7, 3000 };
	struct mailbox_call *args;
	struct actor *actor;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		actor_kill(freeze_answered(self, lengths[i]));
		EXPECT_EQ(-EFAULT, actor_fail(freeze_answered(self, lengths[i])));
		actor = freeze_answered(self, lengths[i]);
		EXPECT_EQ(0, actor_thaw(actor));
		args = actor->args;
		EXPECT_STREQ("answer", actor->trap);
		EXPECT_EQ(lengths[i], args->answer_length);
	}
	EXPECT_EQ(6, box_stat(self->fd).received);
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		actor = freeze_answered(self, lengths[i]);
		ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
		EXPECT_EQ(0, actor_thaw(actor));
		EXPECT_STREQ("answer", actor->trap);
		close(self->server);
		close(self->fd);
		self->fd = box_new(self->device);
		self->server = box_restrict(self->fd, MAILBOX_RIGHT_RECEIVE, &self->grant);
	}
}

FROZEN_MAIN
