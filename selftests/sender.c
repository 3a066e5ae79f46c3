// SPDX-License-Identifier: GPL-2.0
/*
 * SENDER: whether the process that sent a message lives, and has its number to itself.
 */
#include "common.h"

#include <pthread.h>
#include <sys/syscall.h>

FIXTURE(sender)
{
	int device;
	int fd;
	/* Has sent the message, and ends when its pipe does. */
	pid_t pid;
	int keep;
};

FIXTURE_SETUP(sender)
{
	unsigned int *sent = flag_new();
	int ends[2];

	self->device = device_open();
	self->fd = box_new(self->device);
	ASSERT_EQ(0, pipe2(ends, O_CLOEXEC));
	self->keep = ends[1];
	self->pid = child_fork();
	if (!self->pid) {
		char byte;

		close(ends[1]);
		ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
		flag_raise(sent);
		_exit(read(ends[0], &byte, 1) ? KSFT_FAIL : KSFT_PASS);
	}
	close(ends[0]);
	flag_await(sent, 1);
}

FIXTURE_TEARDOWN(sender)
{
	if (self->keep >= 0) {
		close(self->keep);
		child_done(self->pid);
	}
	close(self->fd);
	close(self->device);
}

static void end_sender(FIXTURE_DATA(sender) * self)
{
	close(self->keep);
	self->keep = -1;
	child_done(self->pid);
}

/* The pid, or a negative errno. */
static int box_sender(int fd, __u64 lease)
{
	struct mailbox_sender args = { .size = sizeof(args), .lease = lease, .pid = POISON32 };
	int ret = call(fd, MAILBOX_IOC_SENDER, &args);

	if (ret)
		EXPECT_EQ((__s32)POISON32, args.pid);
	return ret ? ret : args.pid;
}

TEST_F(sender, lives)
{
	__u64 lease = box_lease(self->fd);

	EXPECT_EQ(self->pid, box_sender(self->fd, lease));
	/* As often as one likes. */
	EXPECT_EQ(self->pid, box_sender(self->fd, lease));
	EXPECT_EQ(0, box_ack(self->fd, lease));
}

TEST_F(sender, has_ended)
{
	__u64 lease = box_lease(self->fd);

	end_sender(self);
	EXPECT_REFUSED(self->device, self->fd, ESRCH, box_sender(self->fd, lease));
	EXPECT_EQ(0, box_ack(self->fd, lease));
}

TEST_F(sender, has_ended_and_is_not_waited_for)
{
	__u64 lease = box_lease(self->fd);
	siginfo_t info;

	close(self->keep);
	ASSERT_EQ(0, waitid(P_PID, self->pid, &info, WEXITED | WNOWAIT));
	EXPECT_EQ(-ESRCH, box_sender(self->fd, lease));
	self->keep = -1;
	child_done(self->pid);
}

TEST_F(sender, of_no_lease)
{
	__u64 lease;

	EXPECT_REFUSED(self->device, self->fd, ESTALE, box_sender(self->fd, 0));
	EXPECT_REFUSED(self->device, self->fd, ESTALE, box_sender(self->fd, 1));
	lease = box_lease(self->fd);
	EXPECT_REFUSED(self->device, self->fd, ESTALE, box_sender(self->fd, lease + 1));
	EXPECT_EQ(0, box_nack(self->fd, lease, 0));
	EXPECT_REFUSED(self->device, self->fd, ESTALE, box_sender(self->fd, lease));
}

TEST_F(sender, of_the_lease_of_another)
{
	int other = box_open(self->device, box_stat(self->fd).id, NULL, RIGHTS_ALL);
	__u64 lease = box_lease(self->fd);
	pid_t pid;

	EXPECT_REFUSED(self->device, other, ESTALE, box_sender(other, lease));
	pid = child_fork();
	if (!pid) {
		EXPECT_EQ(-ESTALE, box_sender(self->fd, lease));
		_exit(KSFT_PASS);
	}
	child_done(pid);
	close(other);
}

TEST_F(sender, is_not_for_everybody)
{
	int other = box_open(self->device, box_stat(self->fd).id, NULL,
			     MAILBOX_RIGHT_SEND | MAILBOX_RIGHT_MANAGE);
	__u64 lease = box_lease(self->fd);
	struct mailbox_sender args = { .size = sizeof(args), .lease = lease };

	EXPECT_REFUSED(self->device, other, EACCES, box_sender(other, lease));
	args.reserved = 1;
	EXPECT_REFUSED(self->device, self->fd, EINVAL, call(self->fd, MAILBOX_IOC_SENDER, &args));
	close(other);
	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	EXPECT_EQ(-EIDRM, box_sender(self->fd, lease));
}

/* A pidfd of that number would be a stranger's; which is what it is for. */
TEST_F(sender, has_ended_and_another_has_its_number)
{
	__u64 lease = box_lease(self->fd);
	pid_t stranger;

	end_sender(self);
	stranger = child_fork_as(self->pid);
	if (stranger < 0)
		SKIP(return, "clone3: %s", strerror(-stranger));
	ASSERT_EQ(self->pid, stranger);
	EXPECT_REFUSED(self->device, self->fd, ESRCH, box_sender(self->fd, lease));
	child_kill(stranger);
}

/* A thread is not a process: its end is not that of the sender. */
static void *send_from_thread(void *fd)
{
	EXPECT_EQ(0, box_send_text(*(int *)fd, "thread", 7, 0));
	return NULL;
}

TEST_F(sender, was_a_thread_that_has_ended)
{
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, send_from_thread, &self->fd));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(getpid(), box_sender(self->fd, box_lease_type(self->fd, 7)));
}

/* In a pid namespace of its own it does not see us. */
TEST_F(sender, is_not_visible)
{
	unsigned int *done = flag_new();
	pid_t pid;

	if (unshare(CLONE_NEWPID))
		SKIP(return, "unshare: %s", strerror(errno));
	pid = fork();
	if (!pid) {
		EXPECT_EQ(0, box_sender(self->fd, box_lease(self->fd)));
		flag_raise(done);
		_exit(KSFT_PASS);
	}
	child_done(pid);
	flag_await(done, 1);
	/* And what a process in there sends has another number here. */
	close(self->fd);
	self->fd = box_new(self->device);
	end_sender(self);
}

TEST_HARNESS_MAIN
