// SPDX-License-Identifier: GPL-2.0
/*
 * What the library has for direct communication; that a pidfd never stands for another process.
 */
#include "common_direct.h"

#if __has_include("mailbox.h")
#include <mailbox.h>
#include <sys/mount.h>

FIXTURE(library_direct)
{
	int device;
	struct mailbox_message message;
	char text[64];
};

FIXTURE_SETUP(library_direct)
{
	self->device = mailbox_device_open();
	ASSERT_LE(0, self->device);
	self->message.data = self->text;
	self->message.room = sizeof(self->text);
}

FIXTURE_TEARDOWN(library_direct)
{
	close(self->device);
}

static int send_text(FIXTURE_DATA(library_direct) * self, pid_t pid, int pidfd, const char *text)
{
	struct mailbox_message message = { .data = (void *)text, .length = strlen(text) };

	return pidfd < 0 ?
		       mailbox_send_to(self->device, pid, &message, MAILBOX_NONBLOCK, 0) :
		       mailbox_send_to_pidfd(self->device, pidfd, &message, MAILBOX_NONBLOCK, 0);
}

static int pidfd_of(pid_t pid)
{
	int pidfd = syscall(SYS_pidfd_open, pid, 0);

	ASSERT_LE(0, pidfd);
	return pidfd;
}

TEST_F(library_direct, send_and_receive)
{
	pid_t child = child_fork();

	if (!child) {
		ASSERT_EQ(0, mailbox_receive_from(self->device, getppid(), &self->message, 0, 0));
		EXPECT_EQ(4, self->message.length);
		EXPECT_EQ(getppid(), self->message.pid);
		ASSERT_EQ(0, send_text(self, getppid(), -1, "pong"));
		_exit(KSFT_PASS);
	}
	ASSERT_EQ(0, send_text(self, child, -1, "ping"));
	self->message.room = 2;
	EXPECT_EQ(-EMSGSIZE, mailbox_receive_from(self->device, 0, &self->message, 0, 0));
	EXPECT_EQ(4, self->message.length);
	self->message.room = sizeof(self->text);
	EXPECT_EQ(0, mailbox_receive_from(self->device, 0, &self->message, 0, 0));
	EXPECT_EQ(child, self->message.pid);
	child_done(child);
	EXPECT_EQ(-ESRCH,
		  mailbox_receive_from(self->device, child, &self->message, MAILBOX_NONBLOCK, 0));
	EXPECT_EQ(-ETIMEDOUT,
		  mailbox_receive_from(self->device, 0, &self->message, MAILBOX_DEADLINE, 1));
}

TEST_F(library_direct, links_and_allow)
{
	pid_t child = sleeper_fork();
	struct mailbox_link link;
	uint64_t after = 0;

	EXPECT_EQ(-EINVAL, mailbox_allow(self->device, 17));
	EXPECT_EQ(0, mailbox_allow(self->device, MAILBOX_ALLOW_ANYBODY));
	ASSERT_EQ(0, send_text(self, child, -1, "x"));
	ASSERT_EQ(1, mailbox_links(self->device, &after, &link, 1));
	EXPECT_EQ(getpid(), link.pid);
	EXPECT_EQ(child, link.peer);
	EXPECT_EQ(0, mailbox_links(self->device, &after, &link, 1));
	child_kill(child);
}

TEST_F(library_direct, by_pidfd)
{
	pid_t child = child_fork();
	int pidfd;

	if (!child) {
		ASSERT_EQ(0, mailbox_receive_from(self->device, 0, &self->message, 0, 0));
		pidfd = pidfd_of(getppid());
		_exit(send_text(self, 0, pidfd, "back") ? KSFT_FAIL : KSFT_PASS);
	}
	pidfd = pidfd_of(child);
	ASSERT_EQ(0, send_text(self, 0, pidfd, "x"));
	ASSERT_EQ(0, mailbox_receive_from_pidfd(self->device, pidfd, &self->message, 0, 0));
	EXPECT_EQ(child, self->message.pid);
	EXPECT_EQ(4, self->message.length);
	child_done(child);
	EXPECT_EQ(-ESRCH, send_text(self, 0, pidfd, "x"));
	EXPECT_EQ(-ESRCH, mailbox_receive_from_pidfd(self->device, pidfd, &self->message, 0, 0));
	close(pidfd);
	EXPECT_EQ(-EBADF, send_text(self, 0, pidfd, "x"));
	EXPECT_EQ(-EBADF, send_text(self, 0, self->device, "x"));
}

/* The pidfd is of a process that had the same number as one that is there now. */
TEST_F(library_direct, a_pidfd_is_not_the_next_of_that_number)
{
	pid_t child, init, pid;
	int pidfd;

	if (!is_root())
		SKIP(return, "needs a pid namespace");
	child = child_fork();
	if (!child) {
		ASSERT_EQ(0, unshare(CLONE_NEWPID | CLONE_NEWNS));
		init = fork();
		if (!init) {
			pid = fork_as(55);
			if (!pid)
				for (;;)
					pause();
			pidfd = pidfd_of(pid);
			/* /proc shows other numbers than those used here. */
			EXPECT_EQ(-ESRCH, send_text(self, 0, pidfd, "x"));
			ASSERT_EQ(0, mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
			ASSERT_EQ(0, mount("proc", "/proc", "proc", 0, NULL));
			ASSERT_EQ(0, send_text(self, 0, pidfd, "x"));
			child_kill(pid);
			pid = fork_as(55);
			if (!pid)
				for (;;)
					pause();
			EXPECT_EQ(-ESRCH, send_text(self, 0, pidfd, "x"));
			EXPECT_EQ(0, direct_count(self->device, pid, NULL));
			close(pidfd);
			pidfd = pidfd_of(pid);
			EXPECT_EQ(0, send_text(self, 0, pidfd, "x"));
			EXPECT_EQ(1, direct_count(self->device, pid, NULL));
			_exit(KSFT_PASS);
		}
		child_done(init);
		_exit(KSFT_PASS);
	}
	child_done(child);
}

#else
TEST(library_direct)
{
	SKIP(return, "built without libmailbox");
}
#endif

TEST_HARNESS_MAIN
