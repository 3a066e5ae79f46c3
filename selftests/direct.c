// SPDX-License-Identifier: GPL-2.0
/*
 * Direct communication: two processes that name each other, what a link is, and that there is
 * exactly one. Who may send, what ends a link, and that both sides may be first at once, is in
 * direct_allow.c, direct_end.c and direct_race.c.
 */
#include "common_direct.h"

FIXTURE(direct)
{
	int device;
	struct mailbox_info before;
};

FIXTURE_SETUP(direct)
{
	self->device = device_open();
	self->before = settled_info(self->device);
}

FIXTURE_TEARDOWN(direct)
{
	close(self->device);
}

/* A child that runs a function, which returns how it exits. */
static pid_t run(int device, int (*what)(int device, pid_t parent))
{
	pid_t parent = getpid(), pid = child_fork();

	if (!pid)
		_exit(what(device, parent));
	return pid;
}

static int say_hello(int device, pid_t parent)
{
	return direct_send(device, parent, "hello") ? KSFT_FAIL : KSFT_PASS;
}

static int answer(int device, pid_t parent)
{
	char text[64];
	pid_t sender;

	if (direct_receive(device, parent, 0, text, sizeof(text), &sender) != 4 ||
	    strcmp(text, "ping") || sender != parent)
		return KSFT_FAIL;
	return direct_send(device, parent, "pong") ? KSFT_FAIL : KSFT_PASS;
}

TEST_F(direct, both_sides_name_each_other)
{
	pid_t child = run(self->device, answer);
	char text[64];

	ASSERT_EQ(0, direct_send(self->device, child, "ping"));
	EXPECT_EQ(4, direct_receive(self->device, child, 0, text, sizeof(text), NULL));
	EXPECT_STREQ("pong", text);
	child_done(child);
}

TEST_F(direct, receive_from_anyone_says_who)
{
	pid_t child = run(self->device, say_hello), sender;
	char text[64];

	EXPECT_EQ(5, direct_receive(self->device, 0, 0, text, sizeof(text), &sender));
	EXPECT_EQ(child, sender);
	child_done(child);
}

TEST_F(direct, receive_from_one_leaves_others)
{
	pid_t one = run(self->device, say_hello), other;

	child_done(one);
	other = run(self->device, answer);
	EXPECT_EQ(-EAGAIN, direct_nothing(self->device, other));
	ASSERT_EQ(0, direct_send(self->device, other, "ping"));
	child_done(other);
	EXPECT_DIRECT(self->device, other, "pong");
	EXPECT_DIRECT(self->device, one, "hello");
	EXPECT_EQ(-EAGAIN, direct_nothing(self->device, 0));
}

TEST_F(direct, one_link_for_both_directions)
{
	pid_t child = run(self->device, answer);
	struct mailbox_link link;
	__u64 created = now_ns();

	EXPECT_EQ(0, direct_count(self->device, child, NULL));
	ASSERT_EQ(0, direct_send(self->device, child, "ping"));
	EXPECT_GE(1, direct_count(self->device, child, &link));
	child_done(child);
	EXPECT_DIRECT(self->device, child, "pong");

	child = sleeper_fork();
	ASSERT_EQ(0, direct_send(self->device, child, "one"));
	ASSERT_EQ(0, direct_send(self->device, child, "two"));
	ASSERT_EQ(1, direct_count(self->device, child, &link));
	EXPECT_EQ(getpid(), link.pid);
	EXPECT_EQ(geteuid(), link.uid);
	EXPECT_EQ(child, link.peer);
	EXPECT_EQ(geteuid(), link.peer_uid);
	EXPECT_EQ(2, link.sent);
	EXPECT_EQ(2, link.peer_unread);
	EXPECT_EQ(0, link.received);
	EXPECT_EQ(0, link.unread);
	EXPECT_EQ(0, link.flags);
	EXPECT_EQ(sizeof(link), link.size);
	EXPECT_LE(created, link.created);
	EXPECT_GE(now_ns(), link.created);
	child_kill(child);
}

TEST_F(direct, types_and_priorities)
{
	struct mailbox_receive args;
	struct mailbox_send send;
	pid_t child = child_fork();
	char text[8];

	if (!child) {
		send = send_args("low", 3);
		send.type = 7;
		ASSERT_EQ(0, direct_call(self->device, MAILBOX_IOC_SEND_TO, getppid(), &send));
		EXPECT_EQ(1, send.sequence);
		send = send_args("high", 4);
		send.priority = 5;
		ASSERT_EQ(0, direct_call(self->device, MAILBOX_IOC_SEND_TO, getppid(), &send));
		EXPECT_EQ(2, send.sequence);
		_exit(KSFT_PASS);
	}
	child_done(child);
	args = receive_args(text, sizeof(text));
	args.flags |= MAILBOX_PEEK;
	ASSERT_EQ(0, direct_call(self->device, MAILBOX_IOC_RECEIVE_FROM, 0, &args));
	EXPECT_EQ(5, args.priority);
	EXPECT_EQ(child, args.pid);
	args = receive_args(text, sizeof(text));
	args.select = MAILBOX_SELECT_TYPE;
	args.match = 7;
	ASSERT_EQ(0, direct_call(self->device, MAILBOX_IOC_RECEIVE_FROM, 0, &args));
	EXPECT_EQ(3, args.length);
	EXPECT_EQ(7, args.type);
	EXPECT_DIRECT(self->device, child, "high");
}

TEST_F(direct, refused_arguments)
{
	struct mailbox_direct args = { .size = sizeof(args), .pid = getppid() };
	struct mailbox_receive receive = receive_args(NULL, 0);
	struct mailbox_send send = send_args(NULL, 0);
	char text[8];

	args.message = user_pointer(&send);
	args.flags = 1;
	EXPECT_EQ(-EOPNOTSUPP, call(self->device, MAILBOX_IOC_SEND_TO, &args));
	args.flags = 0;
	args.reserved = 1;
	EXPECT_EQ(-EINVAL, call(self->device, MAILBOX_IOC_SEND_TO, &args));
	args.message = user_pointer(&receive);
	EXPECT_EQ(-EINVAL, call(self->device, MAILBOX_IOC_RECEIVE_FROM, &args));
	args.reserved = 0;
	args.flags = MAILBOX_IDENTIFY;
	EXPECT_EQ(-EOPNOTSUPP, call(self->device, MAILBOX_IOC_RECEIVE_FROM, &args));

	/* Nobody, oneself, a thread and one that never was. */
	EXPECT_EQ(-EINVAL, direct_send(self->device, 0, "x"));
	EXPECT_EQ(-EINVAL, direct_send(self->device, -1, "x"));
	EXPECT_EQ(-EINVAL, direct_send(self->device, getpid(), "x"));
	EXPECT_EQ(-EINVAL, direct_nothing(self->device, -1));
	EXPECT_EQ(-EINVAL, direct_nothing(self->device, getpid()));
	EXPECT_EQ(-ESRCH, direct_send(self->device, INT32_MAX, "x"));
	EXPECT_EQ(-ESRCH, direct_nothing(self->device, INT32_MAX));

	/* What is for mailboxes only. */
	send.flags = MAILBOX_RECEIPT;
	EXPECT_EQ(-EOPNOTSUPP, direct_call(self->device, MAILBOX_IOC_SEND_TO, getppid(), &send));
	send.flags = MAILBOX_RECEIPT_WAIT;
	EXPECT_EQ(-EOPNOTSUPP, direct_call(self->device, MAILBOX_IOC_SEND_TO, getppid(), &send));
	receive = receive_args(text, sizeof(text));
	receive.flags |= MAILBOX_LEASE;
	EXPECT_EQ(-EOPNOTSUPP, direct_call(self->device, MAILBOX_IOC_RECEIVE_FROM, 0, &receive));
	receive = receive_args(text, sizeof(text));
	receive.select = MAILBOX_SELECT_TYPE;
	EXPECT_EQ(-EINVAL,
		  direct_call(self->device, MAILBOX_IOC_RECEIVE_FROM, getppid(), &receive));
	send = send_args("x", 1);
	send.priority = MAILBOX_PRIORITY_MAX + 1;
	EXPECT_EQ(-EINVAL, direct_call(self->device, MAILBOX_IOC_SEND_TO, getppid(), &send));
	wait_quota(self->device, &self->before);
}

/* Of what has failed nothing is left: no link, no inbox, no charge. */
TEST_F(direct, failed_calls_leave_nothing)
{
	pid_t child = sleeper_fork();
	struct mailbox_send send;
	char text[8];

	EXPECT_EQ(-EAGAIN, direct_nothing(self->device, 0));
	EXPECT_EQ(-EAGAIN, direct_nothing(self->device, child));
	send = send_args(NULL, 16);
	EXPECT_EQ(-EFAULT, direct_call(self->device, MAILBOX_IOC_SEND_TO, child, &send));
	send = send_args(text, 1 << 30);
	EXPECT_EQ(-EMSGSIZE, direct_call(self->device, MAILBOX_IOC_SEND_TO, child, &send));
	send = send_args(text, 1);
	send.flags |= MAILBOX_EXPIRES;
	send.expiry = 1;
	EXPECT_EQ(-ETIMEDOUT, direct_call(self->device, MAILBOX_IOC_SEND_TO, child, &send));
	EXPECT_EQ(-EFAULT, direct_call(self->device, MAILBOX_IOC_SEND_TO, child, (void *)8));
	EXPECT_EQ(-EFAULT, direct_call(self->device, MAILBOX_IOC_RECEIVE_FROM, 0, (void *)8));
	EXPECT_EQ(0, direct_count(self->device, child, NULL));
	EXPECT_EQ(self->before.mailboxes, device_info(self->device).mailboxes);
	EXPECT_EQ(self->before.messages, device_info(self->device).messages);
	EXPECT_EQ(self->before.bytes, device_info(self->device).bytes);
	child_kill(child);
}

TEST_F(direct, bad_pointers_change_nothing)
{
	pid_t child = run(self->device, say_hello), peer = sleeper_fork();
	struct mailbox_send *send;
	struct mailbox_receive receive;
	struct mailbox_link link;
	struct mailbox_links links = {
		.size = sizeof(links),
		.entries = 8,
		.entry_size = sizeof(link),
		.nr = 1,
	};

	child_done(child);
	ASSERT_EQ(0, direct_send(self->device, peer, "x"));
	send = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_TRUE(send != MAP_FAILED);
	*send = send_args("y", 1);
	/* Where the number of the message could not be written. */
	ASSERT_EQ(0, mprotect(send, 4096, PROT_READ));
	EXPECT_EQ(-EFAULT, direct_call(self->device, MAILBOX_IOC_SEND_TO, peer, send));
	ASSERT_EQ(1, direct_count(self->device, peer, &link));
	EXPECT_EQ(1, link.sent);
	EXPECT_EQ(1, link.peer_unread);
	/* Or the message itself. */
	receive = receive_args((void *)8, 64);
	EXPECT_EQ(-EFAULT, direct_call(self->device, MAILBOX_IOC_RECEIVE_FROM, 0, &receive));
	EXPECT_EQ(-EFAULT, call(self->device, MAILBOX_IOC_LINKS, &links));
	EXPECT_EQ(-EFAULT, call(self->device, MAILBOX_IOC_LINKS, (void *)8));
	EXPECT_EQ(-EFAULT, call(self->device, MAILBOX_IOC_ALLOW, (void *)8));
	links.entry_size = sizeof(link) - 1;
	EXPECT_EQ(-EINVAL, call(self->device, MAILBOX_IOC_LINKS, &links));
	links.entry_size = 4097;
	EXPECT_EQ(-EINVAL, call(self->device, MAILBOX_IOC_LINKS, &links));
	munmap(send, 4096);
	EXPECT_DIRECT(self->device, child, "hello");
	child_kill(peer);
}

static void *send_from_thread(void *device)
{
	return (void *)(intptr_t)direct_send((intptr_t)device, getppid(), "thread");
}

TEST_F(direct, threads_are_one_process)
{
	pid_t child = child_fork(), sender;
	pthread_t thread;
	char text[64];
	void *ret;

	if (!child) {
		ASSERT_EQ(0, pthread_create(&thread, NULL, send_from_thread,
					    (void *)(intptr_t)self->device));
		ASSERT_EQ(0, pthread_join(thread, &ret));
		EXPECT_TRUE(!ret);
		EXPECT_EQ(0, direct_send(self->device, getppid(), "main"));
		_exit(KSFT_PASS);
	}
	child_done(child);
	EXPECT_EQ(6, direct_receive(self->device, child, 0, text, sizeof(text), &sender));
	EXPECT_EQ(child, sender);
	EXPECT_DIRECT(self->device, child, "main");
}

/* A thread is no process: it cannot be named. */
static void *tell_tid(void *tid)
{
	__atomic_store_n((pid_t *)tid, syscall(SYS_gettid), __ATOMIC_RELEASE);
	for (;;)
		pause();
	return NULL;
}

TEST_F(direct, a_thread_cannot_be_named)
{
	pthread_t thread;
	pid_t tid = 0;

	ASSERT_EQ(0, pthread_create(&thread, NULL, tell_tid, &tid));
	while (!__atomic_load_n(&tid, __ATOMIC_ACQUIRE))
		sched_yield();
	EXPECT_EQ(-ESRCH, direct_send(self->device, tid, "x"));
	EXPECT_EQ(-ESRCH, direct_nothing(self->device, tid));
	pthread_cancel(thread);
	pthread_join(thread, NULL);
}

TEST_F(direct, a_forked_child_starts_with_none)
{
	pid_t peer = sleeper_fork(), child;

	ASSERT_EQ(0, direct_send(self->device, peer, "x"));
	child = run(self->device, say_hello);
	child_done(child);
	child = child_fork();
	if (!child) {
		/* What waits for the parent is not for the child. */
		EXPECT_EQ(-EAGAIN, direct_nothing(self->device, 0));
		EXPECT_EQ(0, direct_count(self->device, getpid(), NULL));
		_exit(KSFT_PASS);
	}
	child_done(child);
	EXPECT_EQ(5, direct_nothing(self->device, 0));
	child_kill(peer);
}

TEST_F(direct, many_links_are_listed_in_steps)
{
	struct mailbox_link entries[3];
	__u64 after = 0, last = 0;
	int nr, i, found = 0;
	pid_t children[10];

	for (i = 0; i < 10; i++) {
		children[i] = sleeper_fork();
		ASSERT_EQ(0, direct_send(self->device, children[i], "x"));
	}
	while ((nr = direct_links(self->device, entries, ARRAY_SIZE(entries), &after)) > 0)
		for (i = 0; i < nr; i++) {
			EXPECT_LT(last, entries[i].number);
			last = entries[i].number;
			found += entries[i].pid == getpid();
		}
	EXPECT_EQ(0, nr);
	EXPECT_EQ(10, found);
	for (i = 0; i < 10; i++)
		child_kill(children[i]);
}

TEST_F(direct, poll_says_when_something_waits)
{
	pid_t child;

	EXPECT_EQ(0, poll_now(self->device, POLLIN));
	child = run(self->device, say_hello);
	child_done(child);
	EXPECT_EQ(POLLIN, poll_now(self->device, POLLIN | POLLERR | POLLHUP));
	EXPECT_DIRECT(self->device, child, "hello");
	EXPECT_EQ(0, poll_now(self->device, POLLIN));
}

TEST_F(direct, poll_wakes)
{
	struct pollfd entry = { .fd = self->device, .events = POLLIN };
	pid_t child = child_fork();

	if (!child) {
		wait_sleeping(getppid(), getppid());
		ASSERT_EQ(0, direct_send(self->device, getppid(), "wake"));
		_exit(KSFT_PASS);
	}
	EXPECT_EQ(1, poll(&entry, 1, PATIENCE / 1000000));
	EXPECT_EQ(POLLIN, entry.revents);
	child_done(child);
	EXPECT_DIRECT(self->device, 0, "wake");
}

TEST_F(direct, identify_pins_a_process)
{
	struct mailbox_direct args = { .size = sizeof(args), .flags = MAILBOX_IDENTIFY };
	struct mailbox_send send = send_args("x", 1);
	pid_t child = sleeper_fork();
	__u64 number;

	args.pid = child;
	ASSERT_EQ(0, call(self->device, MAILBOX_IOC_SEND_TO, &args));
	number = args.process;
	EXPECT_NE(0, number);
	args = (struct mailbox_direct){ .size = sizeof(args), .pid = child };
	args.message = user_pointer(&send);
	args.process = number + 1;
	EXPECT_EQ(-ESRCH, call(self->device, MAILBOX_IOC_SEND_TO, &args));
	EXPECT_EQ(0, direct_count(self->device, child, NULL));
	args.process = number;
	EXPECT_EQ(0, call(self->device, MAILBOX_IOC_SEND_TO, &args));
	EXPECT_EQ(1, direct_count(self->device, child, NULL));
	child_kill(child);
}

TEST_HARNESS_MAIN
