// SPDX-License-Identifier: GPL-2.0
/*
 * Who is a process: a link belongs to one, whatever it shares with others. Not to its table of
 * descriptors, which CLONE_FILES and vfork(2) let another process have, nor to its memory, nor
 * to the thread that made it, nor to the first thread.
 */
#include "common_direct.h"

#define AFTER_EXEC "DIRECT_PROCESS_AFTER_EXEC"

FIXTURE(direct_process)
{
	int device;
	struct mailbox_info before;
	/* Somebody to send to. */
	pid_t peer;
};

FIXTURE_SETUP(direct_process)
{
	self->device = device_open();
	self->before = settled_info(self->device);
	self->peer = sleeper_fork();
}

FIXTURE_TEARDOWN(direct_process)
{
	child_kill(self->peer);
	wait_quota(self->device, &self->before);
	close(self->device);
}

/* A process that shares our table of descriptors. */
static pid_t sharer_fork(void)
{
	pid_t parent = getpid();
	pid_t pid = syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, NULL);

	ASSERT_LE(0, pid);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		if (getppid() != parent)
			_exit(KSFT_FAIL);
	}
	return pid;
}

/* We have a link, and a message that another process has sent us. */
static pid_t prepare(FIXTURE_DATA(direct_process) * self)
{
	pid_t sender = child_fork();

	if (!sender)
		_exit(direct_send(self->device, getppid(), "for the parent") ? KSFT_FAIL :
									       KSFT_PASS);
	child_done(sender);
	ASSERT_EQ(0, direct_send(self->device, self->peer, "x"));
	ASSERT_EQ(1, direct_count(self->device, getpid(), NULL));
	return sender;
}

/* Where all is as it was before a child began and ended. */
static void expect_kept(FIXTURE_DATA(direct_process) * self, pid_t sender, pid_t child)
{
	struct mailbox_link link;

	EXPECT_EQ(0, direct_count(self->device, child, NULL));
	EXPECT_EQ(1, direct_count(self->device, getpid(), &link));
	EXPECT_EQ(1, link.sent);
	EXPECT_DIRECT(self->device, sender, "for the parent");
	EXPECT_EQ(-EAGAIN, direct_nothing(self->device, 0));
	EXPECT_EQ(0, direct_send(self->device, self->peer, "y"));
}

/* In the child: nothing of its parent is its own, and what it begins is. */
static void be_another_process(int device, pid_t peer)
{
	struct mailbox_link link;

	EXPECT_EQ(-EAGAIN, direct_nothing(device, 0));
	EXPECT_EQ(0, poll_now(device, POLLIN));
	EXPECT_EQ(0, direct_count(device, getpid(), NULL));
	EXPECT_EQ(0, direct_send(device, peer, "from the child"));
	EXPECT_EQ(1, direct_count(device, getpid(), &link));
	EXPECT_EQ(peer, link.peer);
	EXPECT_EQ(1, link.sent);
	EXPECT_EQ(2, direct_count(device, peer, NULL));
}

TEST_F(direct_process, one_that_shares_the_descriptors_is_another)
{
	pid_t sender = prepare(self), child = sharer_fork();

	if (!child) {
		be_another_process(self->device, self->peer);
		_exit(KSFT_PASS);
	}
	child_done(child);
	expect_kept(self, sender, child);
}

/* Mail of one does not make the device readable for the other. */
TEST_F(direct_process, one_that_shares_the_descriptors_gets_its_own_mail)
{
	unsigned int *flag = flag_new();
	pid_t child = sharer_fork();

	if (!child) {
		flag_await(flag, 1);
		EXPECT_EQ(POLLIN, poll_now(self->device, POLLIN));
		EXPECT_DIRECT(self->device, getppid(), "for the child");
		EXPECT_EQ(0, direct_send(self->device, getppid(), "for the parent"));
		_exit(KSFT_PASS);
	}
	ASSERT_EQ(0, direct_send(self->device, child, "for the child"));
	EXPECT_EQ(0, poll_now(self->device, POLLIN));
	EXPECT_EQ(-EAGAIN, direct_nothing(self->device, 0));
	flag_raise(flag);
	child_done(child);
	EXPECT_EQ(POLLIN, poll_now(self->device, POLLIN));
	EXPECT_DIRECT(self->device, child, "for the parent");
	/* The watch of this device goes with it. */
	close(self->device);
	self->device = device_open();
}

TEST_F(direct_process, one_that_shares_the_descriptors_closes_them)
{
	pid_t sender = prepare(self), child = sharer_fork();
	struct mailbox_info info;

	if (!child) {
		EXPECT_EQ(0, direct_send(self->device, self->peer, "x"));
		close(self->device);
		_exit(KSFT_PASS);
	}
	child_done(child);
	EXPECT_EQ(-EBADF, call(self->device, MAILBOX_IOC_INFO, &info));
	self->device = device_open();
	expect_kept(self, sender, child);
}

/* In the child, which becomes the program again; its parent does not get its table back. */
static void exec_again(int device, pid_t parent)
{
	char path[256] = { 0 };

	EXPECT_EQ(0, direct_send(device, parent, "before"));
	EXPECT_LT(0, readlink("/proc/self/exe", path, sizeof(path) - 1));
	setenv(AFTER_EXEC, "yes", 1);
	execl(path, path, NULL);
	_exit(KSFT_FAIL);
}

static __attribute__((constructor)) void after_exec(void)
{
	struct mailbox_link link;
	int device;

	if (!getenv(AFTER_EXEC))
		return;
	device = open(DEVICE, O_RDWR);
	_exit(direct_count(device, getpid(), &link) != 1 || link.sent != 1 ||
	      link.peer != getppid() || direct_send(device, getppid(), "after") ||
	      direct_nothing(device, 0) != -EAGAIN);
}

static void expect_before_and_after(FIXTURE_DATA(direct_process) * self, pid_t child)
{
	child_done(child);
	EXPECT_DIRECT(self->device, child, "before");
	EXPECT_DIRECT(self->device, child, "after");
	EXPECT_EQ(-ESRCH, direct_nothing(self->device, child));
}

TEST_F(direct_process, one_that_shares_the_descriptors_execs)
{
	pid_t sender = prepare(self), child = sharer_fork();

	if (!child)
		exec_again(self->device, getppid());
	expect_before_and_after(self, child);
	expect_kept(self, sender, child);
}

TEST_F(direct_process, a_child_of_vfork_is_another)
{
	pid_t sender = prepare(self), child = vfork();

	if (!child) {
		be_another_process(self->device, self->peer);
		_exit(KSFT_PASS);
	}
	child_done(child);
	expect_kept(self, sender, child);
}

TEST_F(direct_process, a_child_of_vfork_execs)
{
	pid_t sender = prepare(self), child = vfork();

	if (!child)
		exec_again(self->device, getppid());
	unsetenv(AFTER_EXEC);
	expect_before_and_after(self, child);
	expect_kept(self, sender, child);
}

struct thread {
	int device;
	pid_t peer;
	/* It may end. */
	unsigned int *flag;
};

static void *send_one(void *arg)
{
	const struct thread *thread = arg;

	return (void *)(intptr_t)direct_send(thread->device, thread->peer, "from a thread");
}

/* Its place among the links stays the same: it is the same one. */
TEST_F(direct_process, a_thread_that_ends_takes_nothing_along)
{
	struct thread thread = { .device = self->device, .peer = self->peer };
	struct mailbox_link link;
	__u64 number = 0;
	int i;

	for (i = 0; i < 20; i++) {
		pthread_t id;
		void *ret;

		ASSERT_EQ(0, pthread_create(&id, NULL, send_one, &thread));
		ASSERT_EQ(0, pthread_join(id, &ret));
		EXPECT_TRUE(!ret);
		ASSERT_EQ(1, direct_count(self->device, getpid(), &link));
		EXPECT_EQ(i + 1, link.sent);
		EXPECT_EQ(i + 1, link.peer_unread);
		number = number ?: link.number;
		EXPECT_EQ(number, link.number);
	}
}

static void *outlive_the_first(void *arg)
{
	const struct thread *thread = arg;
	char text[64];

	EXPECT_EQ(2, direct_receive(thread->device, thread->peer, 0, text, sizeof(text), NULL));
	EXPECT_STREQ("to", text);
	EXPECT_EQ(0, direct_send(thread->device, thread->peer, "fro"));
	flag_await(thread->flag, 1);
	/* This thread alone, which is the last one. */
	syscall(SYS_exit, KSFT_PASS);
	return NULL;
}

TEST_F(direct_process, the_first_thread_ends_and_others_go_on)
{
	unsigned int *flag = flag_new();
	pid_t child = child_fork();
	struct mailbox_link link;
	char text[64];

	if (!child) {
		struct thread thread = { self->device, getppid(), flag };
		pthread_t id;

		EXPECT_EQ(0, direct_send(self->device, getppid(), "first"));
		ASSERT_EQ(0, pthread_create(&id, NULL, outlive_the_first, &thread));
		syscall(SYS_exit, KSFT_PASS);
	}
	EXPECT_EQ(5, direct_receive(self->device, child, 0, text, sizeof(text), NULL));
	while (thread_state(child, child) != 'Z')
		sched_yield();
	/* As it looks from here, it goes on. */
	EXPECT_EQ(-EAGAIN, direct_nothing(self->device, child));
	/* The link is listed once the send has returned. */
	while (direct_count(self->device, child, &link) != 1)
		sched_yield();
	EXPECT_EQ(1, link.received);
	EXPECT_EQ(0, direct_send(self->device, child, "to"));
	EXPECT_EQ(3, direct_receive(self->device, child, 0, text, sizeof(text), NULL));
	EXPECT_EQ(1, direct_count(self->device, child, NULL));
	EXPECT_EQ(-EAGAIN, direct_nothing(self->device, child));
	flag_raise(flag);
	/* And ends with the last one. */
	EXPECT_EQ(-ESRCH, direct_receive(self->device, child, 0, text, sizeof(text), NULL));
	EXPECT_EQ(-ESRCH, direct_send(self->device, child, "late"));
	EXPECT_EQ(0, direct_count(self->device, child, NULL));
	child_done(child);
}

#define THREADS	 4
#define MESSAGES 400

struct crowd {
	int device;
	unsigned int taken[MESSAGES];
};

static void *take_some(void *arg)
{
	struct crowd *crowd = arg;
	char text[64];

	for (;;) {
		unsigned long number;

		ASSERT_LT(0, direct_receive(crowd->device, 0, 0, text, sizeof(text), NULL));
		number = strtoul(text, NULL, 10);
		if (number == MESSAGES)
			return NULL;
		__atomic_add_fetch(&crowd->taken[number], 1, __ATOMIC_RELAXED);
	}
}

/* Whatever a process is sent is for one of its threads. */
TEST_F(direct_process, threads_share_what_arrives)
{
	struct crowd crowd = { .device = self->device };
	pthread_t threads[THREADS];
	pid_t child;
	int i;

	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, take_some, &crowd));
	child = child_fork();
	if (!child) {
		char text[16];

		for (i = 0; i < MESSAGES + THREADS; i++) {
			snprintf(text, sizeof(text), "%d", i < MESSAGES ? i : MESSAGES);
			ASSERT_EQ(0, direct_send_wait(self->device, getppid(), text));
		}
		_exit(KSFT_PASS);
	}
	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_join(threads[i], NULL));
	child_done(child);
	for (i = 0; i < MESSAGES; i++)
		EXPECT_EQ(1, crowd.taken[i]);
	EXPECT_EQ(-EAGAIN, direct_nothing(self->device, 0));
}

TEST_HARNESS_MAIN
