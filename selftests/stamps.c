// SPDX-License-Identifier: GPL-2.0
/*
 * What the kernel stamps on a message, and how it looks from other namespaces.
 */
#include "common.h"

#include <pthread.h>

FIXTURE(stamps)
{
	int device;
	int fd;
};

FIXTURE_SETUP(stamps)
{
	self->device = device_open();
	self->fd = box_new(self->device);
}

FIXTURE_TEARDOWN(stamps)
{
	close(self->fd);
	close(self->device);
}

static struct mailbox_receive take(int fd)
{
	static char data[64];
	struct mailbox_receive args = receive_args(data, sizeof(data));

	ASSERT_EQ(0, box_receive(fd, &args));
	return args;
}

TEST_F(stamps, time_lies_between_before_and_after)
{
	__u64 before = now_ns(), after;
	struct mailbox_receive args;

	ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	after = now_ns();
	args = take(self->fd);
	EXPECT_LE(before, args.time);
	EXPECT_GE(after, args.time);
}

TEST_F(stamps, times_are_in_the_order_of_the_sequence)
{
	__u64 last = 0;
	int i;

	for (i = 0; i < 100; i++)
		ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	for (i = 1; i <= 100; i++) {
		struct mailbox_receive args = take(self->fd);

		EXPECT_EQ(i, args.sequence);
		EXPECT_LE(last, args.time);
		last = args.time;
	}
}

struct thread {
	int fd;
	pid_t tid;
};

static void *send_in_thread(void *data)
{
	struct thread *thread = data;

	thread->tid = syscall(SYS_gettid);
	EXPECT_EQ(0, box_send_text(thread->fd, "x", 0, 0));
	return NULL;
}

TEST_F(stamps, a_thread_has_its_own_tid)
{
	struct thread thread = { .fd = self->fd };
	struct mailbox_receive args;
	pthread_t handle;

	ASSERT_EQ(0, pthread_create(&handle, NULL, send_in_thread, &thread));
	ASSERT_EQ(0, pthread_join(handle, NULL));
	args = take(self->fd);
	EXPECT_NE(getpid(), thread.tid);
	EXPECT_EQ(getpid(), args.pid);
	EXPECT_EQ(thread.tid, args.tid);
}

TEST_F(stamps, uid_and_gid_are_the_effective_ones_at_the_send)
{
	struct mailbox_receive args;
	pid_t pid;

	if (!is_root())
		SKIP(return, "needs root");
	pid = child_fork();
	if (!pid) {
		ASSERT_EQ(0, setresgid(1, 22, 3));
		ASSERT_EQ(0, setresuid(4, 55, 6));
		ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
		_exit(0);
	}
	child_done(pid);
	args = take(self->fd);
	EXPECT_EQ(55, args.uid);
	EXPECT_EQ(22, args.gid);
	EXPECT_EQ(pid, args.pid);
	EXPECT_EQ(pid, args.tid);
}

TEST_F(stamps, a_message_that_waited_has_the_stamp_of_its_sender)
{
	int fd = box_new_limited(self->device, MAILBOX_ON_FULL_WAIT, 1);
	struct mailbox_receive args;
	pid_t pid;

	ASSERT_EQ(0, box_send_text(fd, "fills", 0, 0));
	pid = child_fork();
	if (!pid) {
		EXPECT_EQ(1, write(fd, "x", 1));
		_exit(0);
	}
	wait_waiters(fd, 0, 1);
	EXPECT_EQ(getpid(), take(fd).pid);
	/* It entered by our receive, and is still the child's. */
	args = take(fd);
	EXPECT_EQ(pid, args.pid);
	EXPECT_EQ(2, args.sequence);
	child_done(pid);
	close(fd);
}

/* The returned child is the first process of its pid namespace. */
static pid_t fork_in_new_namespace(int flags)
{
	pid_t pid;

	ASSERT_EQ(0, unshare(flags));
	pid = fork();
	ASSERT_LE(0, pid);
	return pid;
}

TEST_F(stamps, pids_are_translated_into_the_receivers_namespace)
{
	pid_t middle, pid;

	if (!is_root())
		SKIP(return, "needs root");
	ASSERT_EQ(0, box_send_text(self->fd, "from outside", 0, 0));
	middle = child_fork();
	if (!middle) {
		pid = fork_in_new_namespace(CLONE_NEWPID);
		if (!pid) {
			struct mailbox_receive args = take(self->fd);

			EXPECT_EQ(1, getpid());
			/* The sender cannot be seen from in here. */
			EXPECT_EQ(0, args.pid);
			EXPECT_EQ(0, args.tid);
			EXPECT_EQ(0, box_stat(self->fd).last_sender);
			EXPECT_EQ(1, box_stat(self->fd).last_receiver);
			ASSERT_EQ(0, box_send_text(self->fd, "from inside", 0, 0));
			args = take(self->fd);
			EXPECT_EQ(1, args.pid);
			EXPECT_EQ(1, args.tid);
			ASSERT_EQ(0, box_send_text(self->fd, "from inside", 0, 0));
			_exit(0);
		}
		child_done(pid);
		/* Here it has a number. It is gone, but its message knows it. */
		EXPECT_EQ(pid, box_stat(self->fd).last_sender) TH_LOG("last sender");
		EXPECT_EQ(pid, take(self->fd).pid) TH_LOG("of a reaped sender");
		_exit(0);
	}
	child_done(middle);
}

static void write_map(pid_t pid, const char *name, const char *text)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	ASSERT_LE(0, fd) TH_LOG("%s: %s", path, strerror(errno));
	ASSERT_EQ(strlen(text), write(fd, text, strlen(text))) TH_LOG("%s", path);
	close(fd);
}

TEST_F(stamps, users_are_translated_into_the_receivers_namespace)
{
	unsigned int *inside = flag_new(), *mapped = flag_new();
	pid_t pid;

	if (!is_root())
		SKIP(return, "needs root");
	ASSERT_EQ(0, box_send_text(self->fd, "from root", 0, 0));
	pid = child_fork();
	if (!pid) {
		ASSERT_EQ(0, setresgid(2000, 2000, 2000));
		ASSERT_EQ(0, setresuid(1000, 1000, 1000));
		ASSERT_EQ(0, box_send_text(self->fd, "from 1000", 0, 0));
		_exit(0);
	}
	child_done(pid);
	pid = child_fork();
	if (!pid) {
		struct mailbox_receive args;

		ASSERT_EQ(0, unshare(CLONE_NEWUSER));
		flag_raise(inside);
		flag_await(mapped, 1);
		args = take(self->fd);
		/* The overflow numbers: root has none in here. */
		EXPECT_EQ(65534, args.uid);
		EXPECT_EQ(65534, args.gid);
		args = take(self->fd);
		EXPECT_EQ(7, args.uid);
		EXPECT_EQ(8, args.gid);
		_exit(0);
	}
	flag_await(inside, 1);
	write_map(pid, "uid_map", "7 1000 1");
	write_map(pid, "gid_map", "8 2000 1");
	flag_raise(mapped);
	child_done(pid);
}

TEST_HARNESS_MAIN
