// SPDX-License-Identifier: GPL-2.0
/*
 * Direct communication across pid namespaces, and numbers of processes that are used again.
 */
#include "common_direct.h"
#include "world.h"

#include <sys/epoll.h>

FIXTURE(direct_pidns)
{
	int device;
	struct mailbox_info before;
};

FIXTURE_SETUP(direct_pidns)
{
	if (!is_root())
		SKIP(return, "needs pid namespaces");
	self->device = device_open();
	self->before = settled_info(self->device);
}

FIXTURE_TEARDOWN(direct_pidns)
{
	wait_quota(self->device, &self->before);
	close(self->device);
}

/* The first process of a pid namespace runs this; the parent awaits it. */
#define INSIDE(...) \
	do { \
		pid_t child_ = child_fork(); \
\
		if (!child_) { \
			pid_t init_; \
\
			ASSERT_EQ(0, unshare(CLONE_NEWPID)); \
			init_ = fork(); \
			ASSERT_LE(0, init_); \
			if (!init_) { \
				__VA_ARGS__; \
				_exit(KSFT_PASS); \
			} \
			child_done(init_); \
			_exit(KSFT_PASS); \
		} \
		child_done(child_); \
	} while (0)

TEST_F(direct_pidns, a_reused_pid_gets_nothing_of_the_old_one)
{
	INSIDE({
		struct mailbox_direct args = { .size = sizeof(args), .flags = MAILBOX_IDENTIFY };
		struct mailbox_send send = send_args("old", 3);
		unsigned int *flag = flag_new();
		char text[64];
		int round;
		pid_t pid;

		for (round = 0; round < 20; round++) {
			pid = fork_as(77);
			if (!pid) {
				ASSERT_EQ(0, direct_send(self->device, 1, "from old"));
				for (;;)
					pause();
			}
			ASSERT_EQ(0, direct_send(self->device, pid, "to old"));
			args.pid = pid;
			args.flags = MAILBOX_IDENTIFY;
			args.process = 0;
			ASSERT_EQ(0, call(self->device, MAILBOX_IOC_SEND_TO, &args));
			ASSERT_EQ(8,
				  direct_receive(self->device, pid, 0, text, sizeof(text), NULL));
			child_kill(pid);

			pid = fork_as(77);
			if (!pid) {
				EXPECT_EQ(-EAGAIN, direct_nothing(self->device, 0));
				EXPECT_EQ(0, direct_count(self->device, getpid(), NULL));
				flag_raise(flag);
				pause();
			}
			flag_await(flag, round + 1);
			/* The number says so, too. */
			args.flags = 0;
			args.message = user_pointer(&send);
			EXPECT_EQ(-ESRCH, call(self->device, MAILBOX_IOC_SEND_TO, &args));
			EXPECT_EQ(0, direct_count(self->device, pid, NULL));
			child_kill(pid);
		}
	});
}

/* Mail of an old process is not taken for that of the new one with its number. */
TEST_F(direct_pidns, mail_of_the_old_one_is_not_of_the_new)
{
	INSIDE({
		pid_t pid = fork_as(88);

		if (!pid)
			_exit(direct_send(self->device, 1, "old"));
		child_done(pid);
		pid = fork_as(88);
		if (!pid)
			for (;;)
				pause();
		EXPECT_EQ(-EAGAIN, direct_nothing(self->device, pid));
		EXPECT_DIRECT(self->device, 0, "old");
		child_kill(pid);
	});
}

TEST_F(direct_pidns, pids_are_as_the_caller_sees_them)
{
	unsigned int *flag = flag_new();
	pid_t child = child_fork(), sender, inside;
	struct mailbox_link link;
	char text[64];

	if (!child) {
		ASSERT_EQ(0, unshare(CLONE_NEWPID));
		inside = fork();
		if (!inside) {
			/* Who is outside cannot be named, and is no number here. */
			EXPECT_EQ(-ESRCH, direct_send(self->device, getppid() ?: 4711, "x"));
			flag_raise(flag);
			ASSERT_EQ(4,
				  direct_receive(self->device, 0, 0, text, sizeof(text), &sender));
			EXPECT_EQ(0, sender);
			/* The link is listed once the send has returned. */
			flag_await(flag, 2);
			EXPECT_EQ(1, direct_count(self->device, getpid(), &link));
			EXPECT_EQ(1, link.pid);
			EXPECT_EQ(0, link.peer);
			_exit(KSFT_PASS);
		}
		ASSERT_EQ(0, direct_send(self->device, getppid(),
					 (snprintf(text, sizeof(text), "%d", inside), text)));
		child_done(inside);
		_exit(KSFT_PASS);
	}
	ASSERT_LT(0, direct_receive(self->device, child, 0, text, sizeof(text), NULL));
	inside = atoi(text);
	flag_await(flag, 1);
	EXPECT_EQ(0, direct_send(self->device, inside, "into"));
	flag_raise(flag);
	child_done(child);
}

/* The first process of each namespace has the number 1, and mail of its own. */
TEST_F(direct_pidns, the_same_number_in_two_namespaces)
{
	INSIDE({
		unsigned int *flag = flag_new();
		pid_t inner;

		ASSERT_EQ(0, unshare(CLONE_NEWPID));
		inner = fork();
		ASSERT_LE(0, inner);
		if (!inner) {
			flag_await(flag, 1);
			EXPECT_DIRECT(self->device, 0, "inside");
			_exit(KSFT_PASS);
		}
		ASSERT_EQ(0, direct_send(self->device, inner, "inside"));
		EXPECT_EQ(-EAGAIN, direct_nothing(self->device, 0));
		flag_raise(flag);
		child_done(inner);
	});
}

/* Nor is there a link for who sees neither side of it. */
TEST_F(direct_pidns, links_of_others_are_not_listed)
{
	pid_t peer = sleeper_fork();

	ASSERT_EQ(0, direct_send(self->device, peer, "x"));
	INSIDE({
		struct mailbox_link link;
		__u64 after = 0;

		EXPECT_EQ(0, direct_links(self->device, &link, 1, &after));
	});
	child_kill(peer);
}

/* When the namespace ends, its processes end. */
TEST_F(direct_pidns, the_end_of_a_namespace)
{
	INSIDE({
		pid_t pid = fork_as(99);

		if (!pid)
			for (;;)
				pause();
		ASSERT_EQ(0, direct_send(self->device, pid, "x"));
	});
	EXPECT_EQ(-EAGAIN, direct_nothing(self->device, 0));
}

/* And that of a network namespace, of the domain: whoever waits is told. */
TEST_F(direct_pidns, the_end_of_a_domain)
{
	pid_t child = child_fork(), holder;
	char text[64];
	int other;

	if (!child) {
		ASSERT_EQ(0, unshare(CLONE_NEWNET));
		other = device_open();
		holder = child_fork();
		if (!holder) {
			struct mailbox_link link;
			__u64 after = 0;

			/* The descriptor does not keep the namespace. */
			ASSERT_EQ(0, direct_send(other, getppid(), "hold"));
			EXPECT_EQ(-EAGAIN, direct_nothing(self->device, 0));
			ASSERT_EQ(0, setns(open("/proc/1/ns/net", O_RDONLY), CLONE_NEWNET));
			EXPECT_EQ(-EIDRM, direct_receive(other, 0, 0, text, sizeof(text), NULL));
			EXPECT_EQ(-EIDRM, direct_nothing(other, 0));
			EXPECT_EQ(-EIDRM, direct_send(other, getppid(), "x"));
			EXPECT_EQ(-EIDRM, direct_allow(other, MAILBOX_ALLOW_ANYBODY));
			EXPECT_EQ(-EIDRM, direct_links(other, &link, 1, &after));
			EXPECT_EQ(POLLERR | POLLHUP, poll_now(other, POLLIN));
			_exit(KSFT_PASS);
		}
		EXPECT_EQ(4, direct_receive(other, holder, 0, text, sizeof(text), NULL));
		EXPECT_EQ(-EAGAIN, direct_nothing(self->device, holder));
		wait_sleeping(holder, holder);
		ASSERT_EQ(0, setns(open("/proc/1/ns/net", O_RDONLY), CLONE_NEWNET));
		child_done(holder);
		_exit(KSFT_PASS);
	}
	child_done(child);
}

static void *poll_epoll(void *epoll)
{
	struct pollfd fd = { .fd = *(int *)epoll, .events = POLLIN };

	EXPECT_EQ(1, poll(&fd, 1, PATIENCE / 1000000));
	return NULL;
}

/* One looks all the time, while many others have to be woken. */
static void poll_until_end(int device, pid_t parent)
{
	struct epoll_event event = { .events = EPOLLIN };
	int epoll = epoll_create1(EPOLL_CLOEXEC), nr;
	__u64 end = now_ns() + PATIENCE;
	pthread_t others[8];
	unsigned int i;

	ASSERT_EQ(0, setns(open("/proc/1/ns/net", O_RDONLY), CLONE_NEWNET));
	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, device, &event));
	for (i = 0; i < ARRAY_SIZE(others); i++)
		ASSERT_EQ(0, pthread_create(&others[i], NULL, poll_epoll, &epoll));
	ASSERT_EQ(0, direct_send(device, parent, "hold"));
	do {
		ASSERT_LT(now_ns(), end);
		nr = epoll_wait(epoll, &event, 1, 0);
	} while (!nr);
	EXPECT_EQ(1, nr);
	EXPECT_EQ(EPOLLERR | EPOLLHUP, event.events);
	for (i = 0; i < ARRAY_SIZE(others); i++)
		EXPECT_EQ(0, pthread_join(others[i], NULL));
}

/* Who polls while the domain ends looks again at any moment of that. */
static void end_polled_domain(void)
{
	pid_t child = child_fork(), holder;
	char text[64];
	int other;

	if (!child) {
		ASSERT_EQ(0, unshare(CLONE_NEWNET));
		other = device_open();
		holder = child_fork();
		if (!holder) {
			poll_until_end(other, getppid());
			_exit(KSFT_PASS);
		}
		EXPECT_EQ(4, direct_receive(other, holder, 0, text, sizeof(text), NULL));
		ASSERT_EQ(0, setns(open("/proc/1/ns/net", O_RDONLY), CLONE_NEWNET));
		child_done(holder);
		_exit(KSFT_PASS);
	}
	child_done(child);
}

/* Also who polls, and not only who polls later. */
TEST_F_TIMEOUT(direct_pidns, the_end_of_a_domain_that_somebody_polls, 120)
{
	const unsigned int rounds = effort(100);
	unsigned int round;

	for (round = 0; round < rounds; round++)
		end_polled_domain();
}

TEST_HARNESS_MAIN
