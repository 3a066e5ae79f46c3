// SPDX-License-Identifier: GPL-2.0
/*
 * What ends a link, and what does not: exit, a signal, exec, descriptors. Whoever waits for
 * the other learns of its end; what was sent before is received; nothing is left.
 */
#include "common_direct.h"

#include <sys/epoll.h>

#define FILLED 1024

FIXTURE(direct_end)
{
	int device;
	struct mailbox_info before;
};

FIXTURE_SETUP(direct_end)
{
	self->device = device_open();
	self->before = settled_info(self->device);
}

FIXTURE_TEARDOWN(direct_end)
{
	wait_quota(self->device, &self->before);
	close(self->device);
}

TEST_F(direct_end, what_was_sent_before_is_received_then_esrch)
{
	pid_t child = child_fork();

	if (!child) {
		ASSERT_EQ(0, direct_send(self->device, getppid(), "one"));
		ASSERT_EQ(0, direct_send(self->device, getppid(), "two"));
		_exit(KSFT_PASS);
	}
	child_done(child);
	EXPECT_DIRECT(self->device, child, "one");
	EXPECT_EQ(-ESRCH, direct_send(self->device, child, "x"));
	EXPECT_DIRECT(self->device, child, "two");
	EXPECT_EQ(-ESRCH, direct_nothing(self->device, child));
	EXPECT_EQ(-EAGAIN, direct_nothing(self->device, 0));
}

/* It has ended when it has exited, not only when somebody has waited for it. */
TEST_F(direct_end, a_zombie_has_ended)
{
	pid_t child = sleeper_fork();

	ASSERT_EQ(0, direct_send(self->device, child, "x"));
	kill_unreaped(child);
	EXPECT_EQ(-ESRCH, direct_send(self->device, child, "x"));
	EXPECT_EQ(-ESRCH, direct_nothing(self->device, child));
	wait_quota(self->device, &self->before);
	EXPECT_EQ(0, direct_count(self->device, child, NULL));
	ASSERT_EQ(child, waitpid(child, NULL, 0));
	EXPECT_EQ(-ESRCH, direct_send(self->device, child, "x"));
}

/* Never spoken to: no link is begun with what has ended. */
TEST_F(direct_end, a_zombie_gets_no_first_message)
{
	pid_t child = sleeper_fork();

	kill_unreaped(child);
	EXPECT_EQ(-ESRCH, direct_send(self->device, child, "x"));
	EXPECT_EQ(self->before.mailboxes, device_info(self->device).mailboxes);
	ASSERT_EQ(child, waitpid(child, NULL, 0));
}

TEST_F(direct_end, a_receiver_that_waits_is_told)
{
	pid_t peer = sleeper_fork(), child = child_fork();
	char text[64];

	if (!child) {
		EXPECT_EQ(-ESRCH, direct_receive(self->device, peer, 0, text, sizeof(text), NULL));
		_exit(KSFT_PASS);
	}
	wait_sleeping(child, child);
	child_kill(peer);
	child_done(child);
}

static void fill(int device, pid_t to)
{
	int ret, nr = 0;

	while (!(ret = direct_send(device, to, "x")))
		nr++;
	ASSERT_EQ(-EAGAIN, ret);
	/* One user has half of it. */
	ASSERT_EQ(FILLED / 2, nr);
}

TEST_F(direct_end, a_sender_that_waits_for_room_is_told)
{
	pid_t peer = sleeper_fork(), child = child_fork();

	if (!child) {
		fill(self->device, peer);
		EXPECT_EQ(-ESRCH, direct_send_wait(self->device, peer, "x"));
		_exit(KSFT_PASS);
	}
	wait_sleeping(child, child);
	child_kill(peer);
	child_done(child);
}

TEST_F(direct_end, a_sender_that_waits_gets_in)
{
	pid_t parent = getpid(), child = child_fork();
	int i;

	if (!child) {
		fill(self->device, parent);
		EXPECT_EQ(0, direct_send_wait(self->device, parent, "last"));
		_exit(KSFT_PASS);
	}
	wait_sleeping(child, child);
	for (i = 0; i < FILLED / 2; i++)
		EXPECT_DIRECT(self->device, child, "x");
	child_done(child);
	EXPECT_DIRECT(self->device, 0, "last");
}

/* A first message that never was: its sender was killed while it waited. */
TEST_F(direct_end, killed_in_a_first_send_that_waits)
{
	pid_t peer = sleeper_fork(), filler = child_fork(), child;

	if (!filler) {
		fill(self->device, peer);
		pause();
	}
	wait_sleeping(filler, filler);
	child = child_fork();
	if (!child)
		_exit(direct_send_wait(self->device, peer, "y"));
	wait_sleeping(child, child);
	EXPECT_EQ(0, direct_count(self->device, child, NULL));
	EXPECT_EQ(1, direct_count(self->device, peer, NULL));
	child_kill(child);
	EXPECT_EQ(0, direct_count(self->device, child, NULL));
	EXPECT_EQ(1, direct_count(self->device, peer, NULL));
	child_kill(filler);
	child_kill(peer);
}

TEST_F(direct_end, killed_while_it_receives)
{
	pid_t child = child_fork();
	char text[64];

	if (!child)
		_exit(direct_receive(self->device, 0, 0, text, sizeof(text), NULL));
	wait_sleeping(child, child);
	EXPECT_LT(self->before.mailboxes, device_info(self->device).mailboxes);
	child_kill(child);
}

static int own_exe(char *path, size_t size)
{
	ssize_t length = readlink("/proc/self/exe", path, size - 1);

	if (length < 0)
		return -errno;
	path[length] = '\0';
	return 0;
}

/* The program again, which finds what was sent to the process before. */
TEST_F(direct_end, exec_keeps_links_and_inbox)
{
	pid_t child = child_fork();
	char path[256];

	if (!child) {
		ASSERT_EQ(0, own_exe(path, sizeof(path)));
		ASSERT_EQ(0, direct_send(self->device, getppid(), "before"));
		setenv("DIRECT_AFTER_EXEC", "yes", 1);
		wait_sleeping(getppid(), getppid());
		execl(path, path, NULL);
		_exit(KSFT_FAIL);
	}
	ASSERT_EQ(0, direct_send(self->device, child, "waiting"));
	child_done(child);
	EXPECT_DIRECT(self->device, child, "before");
	EXPECT_DIRECT(self->device, child, "after");
}

static void *exec_from_thread(void *path)
{
	execl(path, (char *)path, NULL);
	return NULL;
}

/* The thread takes the place of the first one, and is the same process. */
TEST_F(direct_end, exec_by_another_thread_keeps_them)
{
	pid_t child = child_fork();
	pthread_t thread;
	char path[256];

	if (!child) {
		ASSERT_EQ(0, own_exe(path, sizeof(path)));
		ASSERT_EQ(0, direct_send(self->device, getppid(), "before"));
		setenv("DIRECT_AFTER_EXEC", "yes", 1);
		wait_sleeping(getppid(), getppid());
		ASSERT_EQ(0, pthread_create(&thread, NULL, exec_from_thread, path));
		for (;;)
			pause();
	}
	ASSERT_EQ(0, direct_send(self->device, child, "waiting"));
	child_done(child);
	EXPECT_DIRECT(self->device, child, "before");
	EXPECT_DIRECT(self->device, child, "after");
}

static __attribute__((constructor)) void after_exec(void)
{
	struct mailbox_link link;
	char text[64];
	int device;

	if (!getenv("DIRECT_AFTER_EXEC"))
		return;
	device = open(DEVICE, O_RDWR);
	_exit(direct_receive(device, getppid(), 0, text, sizeof(text), NULL) != 7 ||
	      strcmp(text, "waiting") || direct_count(device, getpid(), &link) != 1 ||
	      link.sent != 1 || link.received != 1 || direct_send(device, getppid(), "after"));
}

static void *outlive(void *device)
{
	while (thread_state(getpid(), getpid()) != 'Z')
		sched_yield();
	_exit(direct_send((intptr_t)device, getppid(), "alive") ? KSFT_FAIL : KSFT_PASS);
}

TEST_F(direct_end, a_process_lives_as_long_as_any_thread)
{
	pid_t child = child_fork();
	pthread_t thread;

	if (!child) {
		ASSERT_EQ(0, direct_send(self->device, getppid(), "first"));
		ASSERT_EQ(0,
			  pthread_create(&thread, NULL, outlive, (void *)(intptr_t)self->device));
		syscall(SYS_exit, 0);
	}
	child_done(child);
	EXPECT_DIRECT(self->device, child, "first");
	EXPECT_DIRECT(self->device, child, "alive");
}

TEST_F(direct_end, descriptors_do_not_matter)
{
	pid_t child = sleeper_fork();
	int other = device_open();

	ASSERT_EQ(0, direct_send(other, child, "x"));
	close(other);
	EXPECT_EQ(1, direct_count(self->device, child, NULL));
	EXPECT_EQ(0, direct_send(self->device, child, "y"));
	EXPECT_EQ(1, direct_count(self->device, child, NULL));
	child_kill(child);
}

/* A server keeps nothing of clients that have ended. */
TEST_F(direct_end, short_lived_clients_leave_nothing)
{
	struct mailbox_info before;
	pid_t child;
	int i;

	/* The inbox of this process, once. */
	ASSERT_EQ(0, direct_allow(self->device, MAILBOX_ALLOW_ANYBODY));
	child = child_fork();
	if (!child)
		_exit(direct_send(self->device, getppid(), "x"));
	child_done(child);
	EXPECT_DIRECT(self->device, child, "x");
	wait_mailboxes(self->device, 1 + self->before.mailboxes);
	before = device_info(self->device);
	for (i = 0; i < 50; i++) {
		child = child_fork();
		if (!child)
			_exit(direct_send(self->device, getppid(), "x"));
		child_done(child);
		EXPECT_DIRECT(self->device, 0, "x");
		EXPECT_EQ(0, direct_count(self->device, child, NULL));
	}
	wait_quota(self->device, &before);
	ASSERT_EQ(0, direct_allow(self->device, MAILBOX_ALLOW_SIGNAL));
}

/* Nor does a sender pay for the inbox of another any longer than there is something in it. */
TEST_F(direct_end, an_inbox_whose_messages_have_expired_goes)
{
	pid_t target = sleeper_fork(), child = child_fork();
	int i;

	if (!child) {
		for (i = 0; i < 3; i++) {
			struct mailbox_send args = send_args("x", 1);
			__u64 time = SECOND / 10 * (i + 1);
			int ret;

			args.flags |= MAILBOX_EXPIRES;
			/* On a busy machine that may be over before it is sent. */
			do {
				args.expiry = now_ns() + time;
				time *= 2;
				ret = direct_call(self->device, MAILBOX_IOC_SEND_TO, target, &args);
			} while (ret == -ETIMEDOUT);
			EXPECT_EQ(0, ret);
		}
		_exit(KSFT_PASS);
	}
	child_done(child);
	/* The target still lives, and never looks. */
	wait_quota(self->device, &self->before);
	child_kill(target);
}

/* More than the module ends in one go. */
TEST_F(direct_end, however_many_links_end)
{
	pid_t child = sleeper_fork(), peers[70];
	unsigned int *sent = flag_new();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(peers); i++) {
		peers[i] = child_fork();
		if (!peers[i]) {
			ASSERT_EQ(0, direct_send(self->device, child, "x"));
			flag_raise(sent);
			for (;;)
				pause();
		}
		flag_await(sent, i + 1);
	}
	EXPECT_EQ(ARRAY_SIZE(peers), direct_count(self->device, child, NULL));
	child_kill(child);
	wait_quota(self->device, &self->before);
	for (i = 0; i < ARRAY_SIZE(peers); i++)
		child_kill(peers[i]);
}

/* Each process that polls an inherited device is told of its own messages. */
TEST_F(direct_end, processes_share_an_open_device)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC), i;
	struct epoll_event event = { .events = EPOLLIN };
	pid_t child;

	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, self->device, &event));
	for (i = 0; i < 20; i++) {
		child = child_fork();
		if (!child) {
			struct pollfd entry = { .fd = self->device, .events = POLLIN };

			_exit(poll(&entry, 1, -1) != 1 || direct_nothing(self->device, 0) != 4 ||
			      direct_send(self->device, getppid(), "done"));
		}
		ASSERT_EQ(0, direct_send(self->device, child, "work"));
		ASSERT_EQ(1, epoll_wait(epoll, &event, 1, PATIENCE / 1000000));
		EXPECT_DIRECT(self->device, child, "done");
		EXPECT_EQ(0, epoll_wait(epoll, &event, 1, 0));
		child_done(child);
	}
	/* The device is what this process polled: its inbox goes with it. */
	close(self->device);
	close(epoll);
	self->device = device_open();
}

/* Also where each asks to be woken alone: another one waits for other messages. */
TEST_F(direct_end, an_exclusive_poll_holds_up_no_other)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLEXCLUSIVE };
	pid_t children[2];
	int epoll, i;

	for (i = 0; i < 2; i++) {
		children[i] = child_fork();
		if (!children[i]) {
			epoll = epoll_create1(EPOLL_CLOEXEC);
			ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, self->device, &event));
			ASSERT_EQ(1, epoll_wait(epoll, &event, 1, PATIENCE / 1000000));
			_exit(direct_nothing(self->device, 0) != 4);
		}
		wait_sleeping(children[i], children[i]);
	}
	/* The one that came last is not told in place of the first. */
	for (i = 1; i >= 0; i--) {
		ASSERT_EQ(0, direct_send(self->device, children[i], "work"));
		child_done(children[i]);
	}
}

TEST_HARNESS_MAIN
