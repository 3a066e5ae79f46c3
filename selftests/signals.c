// SPDX-License-Identifier: GPL-2.0
/*
 * Signals, and SIGKILL above all, while a call waits.
 */
#include "common_call.h"

FIXTURE(signals)
{
	int device;
	/* Holds one message. */
	int fd;
};

FIXTURE_SETUP(signals)
{
	self->device = device_open();
	self->fd = box_new_limited(self->device, MAILBOX_ON_FULL_WAIT, 1);
}

FIXTURE_TEARDOWN(signals)
{
	close(self->fd);
	close(self->device);
}

static unsigned int *handled;

static void handler(int signal)
{
	(void)signal;
	flag_raise(handled);
}

static void install(int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };

	handled = handled ?: flag_new();
	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
}

/* A child that waits in one call. */
static pid_t waiting(int fd, unsigned long command, __u32 flags, __u64 deadline, int expected)
{
	pid_t pid = child_fork();
	char data[8];

	if (pid) {
		if (command == MAILBOX_IOC_SEND || command == MAILBOX_IOC_SEND_BATCH)
			wait_waiters(fd, -1, 1);
		else
			wait_waiters(fd, 1, -1);
		wait_sleeping(pid, pid);
		return pid;
	}
	if (command == MAILBOX_IOC_SEND) {
		struct mailbox_send args = send_args("sent", 4);

		args.flags = flags;
		args.deadline = deadline;
		EXPECT_EQ(expected, box_send(fd, &args));
	} else if (command == MAILBOX_IOC_RECEIVE) {
		struct mailbox_receive args = receive_args(data, sizeof(data));

		args.flags = flags;
		args.deadline = deadline;
		EXPECT_EQ(expected, box_receive(fd, &args));
	} else {
		struct mailbox_send send = send_args("sent", 4);
		struct mailbox_receive receive = receive_args(data, sizeof(data));
		bool sends = command == MAILBOX_IOC_SEND_BATCH;
		struct mailbox_batch args = {
			.size = sizeof(args),
			.flags = flags,
			.deadline = deadline,
			.nr = 1,
			.entries = sends ? user_pointer(&send) : user_pointer(&receive),
			.entry_size = sends ? sizeof(send) : sizeof(receive),
		};

		send.flags = 0;
		receive.flags = 0;
		EXPECT_EQ(expected, call(fd, command, &args));
	}
	_exit(0);
}

static const unsigned long receives[] = { MAILBOX_IOC_RECEIVE, MAILBOX_IOC_RECEIVE_BATCH };
static const unsigned long sends[] = { MAILBOX_IOC_SEND, MAILBOX_IOC_SEND_BATCH };

TEST_F(signals, end_a_wait_with_eintr)
{
	struct state before;
	unsigned int i;
	pid_t pid;

	install(0);
	for (i = 0; i < ARRAY_SIZE(receives); i++) {
		before = state_take(self->device, self->fd);
		pid = waiting(self->fd, receives[i], 0, 0, -EINTR);
		ASSERT_EQ(0, kill(pid, SIGUSR1));
		child_done(pid);
		EXPECT_UNCHANGED(self->device, self->fd, before);
	}
	ASSERT_EQ(0, box_send_text(self->fd, "fills", 0, 0));
	for (i = 0; i < ARRAY_SIZE(sends); i++) {
		before = state_take(self->device, self->fd);
		pid = waiting(self->fd, sends[i], 0, 0, -EINTR);
		ASSERT_EQ(0, kill(pid, SIGUSR1));
		child_done(pid);
		EXPECT_UNCHANGED(self->device, self->fd, before);
	}
}

TEST_F(signals, start_a_wait_again_with_sa_restart)
{
	char text[8];
	unsigned int i;
	pid_t pid;

	install(SA_RESTART);
	for (i = 0; i < ARRAY_SIZE(receives); i++) {
		pid = waiting(self->fd, receives[i], 0, 0, 0);
		ASSERT_EQ(0, kill(pid, SIGUSR1));
		flag_await(handled, 2 * i + 1);
		wait_waiters(self->fd, 1, 0);
		ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
		child_done(pid);

		ASSERT_EQ(0, box_send_text(self->fd, "fills", 0, 0));
		pid = waiting(self->fd, sends[i], 0, 0, 0);
		ASSERT_EQ(0, kill(pid, SIGUSR1));
		flag_await(handled, 2 * i + 2);
		wait_waiters(self->fd, 0, 1);
		EXPECT_EQ(5, box_receive_text(self->fd, text, sizeof(text)));
		child_done(pid);
		EXPECT_EQ(4, box_receive_text(self->fd, text, sizeof(text)));
	}
}

TEST_F(signals, end_a_wait_that_is_not_to_start_again)
{
	struct state before;
	unsigned int i;
	pid_t pid;

	install(SA_RESTART);
	for (i = 0; i < ARRAY_SIZE(receives); i++) {
		before = state_take(self->device, self->fd);
		pid = waiting(self->fd, receives[i], MAILBOX_NO_RESTART, 0, -EINTR);
		ASSERT_EQ(0, kill(pid, SIGUSR1));
		child_done(pid);
		EXPECT_UNCHANGED(self->device, self->fd, before);
	}
	/* Also where it has a deadline, which goes another way. */
	pid = waiting(self->fd, MAILBOX_IOC_RECEIVE, MAILBOX_NO_RESTART | MAILBOX_DEADLINE,
		      far_future(), -EINTR);
	ASSERT_EQ(0, kill(pid, SIGUSR1));
	child_done(pid);

	ASSERT_EQ(0, box_send_text(self->fd, "fills", 0, 0));
	for (i = 0; i < ARRAY_SIZE(sends); i++) {
		before = state_take(self->device, self->fd);
		pid = waiting(self->fd, sends[i], MAILBOX_NO_RESTART, 0, -EINTR);
		ASSERT_EQ(0, kill(pid, SIGUSR1));
		child_done(pid);
		EXPECT_UNCHANGED(self->device, self->fd, before);
	}
	pid = waiting(self->fd, MAILBOX_IOC_SEND, MAILBOX_NO_RESTART | MAILBOX_DEADLINE,
		      far_future(), -EINTR);
	ASSERT_EQ(0, kill(pid, SIGUSR1));
	child_done(pid);
}

/* A stop is no handler: as with msgrcv(2) the call goes on. */
TEST_F(signals, that_only_stop_end_no_wait)
{
	unsigned int i;
	char text[8];
	pid_t pid;

	for (i = 0; i < ARRAY_SIZE(receives); i++) {
		pid = waiting(self->fd, receives[i], MAILBOX_NO_RESTART, 0, 0);
		ASSERT_EQ(0, kill(pid, SIGSTOP));
		ASSERT_EQ(pid, waitpid(pid, NULL, WUNTRACED));
		ASSERT_EQ(0, kill(pid, SIGCONT));
		wait_sleeping(pid, pid);
		wait_waiters(self->fd, 1, 0);
		ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
		child_done(pid);

		ASSERT_EQ(0, box_send_text(self->fd, "fills", 0, 0));
		pid = waiting(self->fd, sends[i], MAILBOX_NO_RESTART, 0, 0);
		ASSERT_EQ(0, kill(pid, SIGSTOP));
		ASSERT_EQ(pid, waitpid(pid, NULL, WUNTRACED));
		ASSERT_EQ(0, kill(pid, SIGCONT));
		wait_sleeping(pid, pid);
		wait_waiters(self->fd, 0, 1);
		EXPECT_EQ(5, box_receive_text(self->fd, text, sizeof(text)));
		child_done(pid);
		EXPECT_EQ(4, box_receive_text(self->fd, text, sizeof(text)));
	}
}

TEST_F(signals, end_the_wait_for_a_receipt)
{
	struct mailbox_receipt receipt = { .size = sizeof(receipt) };
	struct mailbox_send args = send_args("x", 1);
	pid_t pid;

	install(SA_RESTART);
	args.flags = MAILBOX_RECEIPT_WAIT | MAILBOX_NO_RESTART;
	args.receipt_data = user_pointer(&receipt);
	pid = child_fork();
	if (!pid) {
		EXPECT_EQ(-EINTR, box_send(self->fd, &args));
		_exit(0);
	}
	wait_queued(self->fd, 1);
	wait_sleeping(pid, pid);
	ASSERT_EQ(0, kill(pid, SIGUSR1));
	child_done(pid);
	EXPECT_EQ(0, box_stat(self->fd).messages);
}

/* The answer has gone: that the wait for the next message has ended is told in the answer. */
TEST_F(signals, after_a_reply_are_told_as_eintr)
{
	char data[8];
	struct mailbox_receive next = receive_args(data, sizeof(data));
	struct caller *caller = caller_new();
	pid_t server, client;

	install(SA_RESTART);
	next.flags = MAILBOX_NO_RESTART;
	server = child_fork();
	if (!server) {
		struct mailbox_reply reply = reply_args(box_serve(self->fd), "y", 1);

		reply.receive = user_pointer(&next);
		EXPECT_EQ(0, call(self->fd, MAILBOX_IOC_REPLY_RECEIVE, &reply));
		EXPECT_EQ(EINTR, reply.error);
		/* Without an answer it is as a RECEIVE. */
		reply.token = 0;
		EXPECT_EQ(-EINTR, call(self->fd, MAILBOX_IOC_REPLY_RECEIVE, &reply));
		_exit(0);
	}
	client = caller_start(caller, self->fd, "x");
	caller_ends(caller, client, 0);
	wait_waiters(self->fd, 1, -1);
	wait_sleeping(server, server);
	ASSERT_EQ(0, kill(server, SIGUSR1));
	flag_await(handled, 1);
	wait_waiters(self->fd, 1, -1);
	wait_sleeping(server, server);
	ASSERT_EQ(0, kill(server, SIGUSR1));
	child_done(server);
}

TEST_F(signals, do_not_stretch_a_deadline)
{
	__u64 deadline = now_ns() + SECOND;
	unsigned int i;
	pid_t pid;

	install(SA_RESTART);
	pid = waiting(self->fd, MAILBOX_IOC_RECEIVE, MAILBOX_DEADLINE, deadline, -ETIMEDOUT);
	for (i = 0; i < 5; i++)
		kill(pid, SIGUSR1);
	child_done(pid);
	EXPECT_LE(deadline, now_ns());
}

TEST_F(signals, that_are_ignored_change_nothing)
{
	pid_t pid;

	signal(SIGUSR1, SIG_IGN);
	pid = waiting(self->fd, MAILBOX_IOC_RECEIVE, 0, 0, 0);
	ASSERT_EQ(0, kill(pid, SIGUSR1));
	ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	child_done(pid);
}

TEST_F(signals, that_wait_already_do_not_stop_what_needs_no_waiting)
{
	char text[8];
	sigset_t set;

	install(0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGUSR1);
	ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	EXPECT_EQ(1, box_receive_text(self->fd, text, sizeof(text)));
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	EXPECT_EQ(1, *handled);
}

TEST_F(signals, of_a_batch_keep_what_was_done)
{
	struct mailbox_send entries[3];
	struct mailbox_batch args = {
		.size = sizeof(args),
		.entries = user_pointer(entries),
		.entry_size = sizeof(entries[0]),
		.nr = 3,
	};
	unsigned int i;
	pid_t pid;

	install(SA_RESTART);
	for (i = 0; i < 3; i++) {
		entries[i] = send_args("x", 1);
		entries[i].flags = 0;
	}
	pid = child_fork();
	if (!pid) {
		/* Doing it all again would send the first one twice. */
		EXPECT_EQ(0, call(self->fd, MAILBOX_IOC_SEND_BATCH, &args));
		EXPECT_EQ(1, args.done);
		EXPECT_EQ(EINTR, args.error);
		_exit(0);
	}
	wait_waiters(self->fd, 0, 1);
	wait_sleeping(pid, pid);
	ASSERT_EQ(0, kill(pid, SIGUSR1));
	child_done(pid);
	EXPECT_EQ(1, box_stat(self->fd).sent);
}

TEST_F(signals, sigkill_of_a_waiting_receiver_leaves_no_trace)
{
	struct state before = state_take(self->device, self->fd);
	unsigned int i;
	char text[8];

	for (i = 0; i < ARRAY_SIZE(receives); i++) {
		child_kill(waiting(self->fd, receives[i], 0, 0, 0));
		EXPECT_UNCHANGED(self->device, self->fd, before);
	}
	ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	EXPECT_EQ(1, box_receive_text(self->fd, text, sizeof(text)));
}

TEST_F(signals, sigkill_of_a_waiting_sender_leaves_no_trace)
{
	struct state before;
	unsigned int i;
	char text[8];

	ASSERT_EQ(0, box_send_text(self->fd, "fills", 0, 0));
	before = state_take(self->device, self->fd);
	for (i = 0; i < ARRAY_SIZE(sends); i++) {
		child_kill(waiting(self->fd, sends[i], 0, 0, 0));
		EXPECT_UNCHANGED(self->device, self->fd, before);
	}
	EXPECT_EQ(5, box_receive_text(self->fd, text, sizeof(text)));
	EXPECT_EQ(-EAGAIN, box_receive_text(self->fd, text, sizeof(text)));
}

TEST_F(signals, sigkill_of_a_rendezvous_sender_takes_its_message_back)
{
	int fd = box_new_capacity(self->device, MAILBOX_CAPACITY_RENDEZVOUS);
	struct state before = state_take(self->device, fd);
	char text[8];

	child_kill(waiting(fd, MAILBOX_IOC_SEND, 0, 0, 0));
	EXPECT_UNCHANGED(self->device, fd, before);
	EXPECT_EQ(0, poll_now(fd, POLLIN));
	EXPECT_EQ(-EAGAIN, box_receive_text(fd, text, sizeof(text)));
	close(fd);
}

TEST_F(signals, sigkill_of_a_sender_in_line_lets_the_next_one_in)
{
	struct mailbox_create create = create_args();
	char data[100] = { 0 };
	pid_t first, second;
	int fd;

	create.max_bytes = 100;
	fd = box_create(self->device, &create);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, box_send_data(fd, data, 50));
	first = child_fork();
	if (!first) {
		struct mailbox_send args = send_args(data, 80);

		args.flags = 0;
		box_send(fd, &args);
		_exit(1);
	}
	wait_waiters(fd, 0, 1);
	second = child_fork();
	if (!second) {
		struct mailbox_send args = send_args(data, 40);

		args.flags = 0;
		EXPECT_EQ(0, box_send(fd, &args));
		_exit(0);
	}
	wait_waiters(fd, 0, 2);
	/* There is room for the second, but the first is before it. */
	child_kill(first);
	child_done(second);
	EXPECT_EQ(90, box_stat(fd).bytes);
	close(fd);
}

TEST_HARNESS_MAIN
