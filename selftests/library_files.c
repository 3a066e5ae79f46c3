// SPDX-License-Identifier: GPL-2.0
/*
 * libmailbox: files in messages, and pidfds of senders.
 */
#include <errno.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>

#include "common_files.h"

#if __has_include("mailbox.h")
#include <mailbox.h>

FIXTURE(files)
{
	int device;
	int box;
	struct mailbox_create create;
	struct witness witness;
	int got[MAILBOX_FILES_MAX];
	char text[16];
	struct mailbox_message message;
};

FIXTURE_SETUP(files)
{
	self->device = mailbox_device_open();
	ASSERT_LE(0, self->device);
	ASSERT_EQ(0, mailbox_create_init(&self->create, NULL));
	self->box = mailbox_create(self->device, &self->create);
	ASSERT_LE(0, self->box);
	self->witness = witness_new();
	self->message = (struct mailbox_message){
		.data = self->text,
		.room = sizeof(self->text),
		.files = self->got,
		.max_files = MAILBOX_FILES_MAX,
		.nr_files = POISON32,
	};
}

FIXTURE_TEARDOWN(files)
{
	witness_end(&self->witness);
	close(self->box);
	close(self->device);
}

static int send_text(FIXTURE_DATA(files) * self, const char *text, uint32_t nr, uint32_t flags)
{
	int files[] = { self->witness.writer, self->witness.writer };
	struct mailbox_message message = {
		.data = (char *)text,
		.length = strlen(text),
		.files = files,
		.nr_files = nr,
	};

	return mailbox_send_message(self->box, &message, flags, 0);
}

static int receive(FIXTURE_DATA(files) * self, uint32_t flags)
{
	return mailbox_receive_message(self->box, &self->message, NULL, flags, 0);
}

TEST_F(files, travel)
{
	ASSERT_EQ(0, send_text(self, "two", 2, MAILBOX_FILES));
	ASSERT_EQ(0, receive(self, MAILBOX_FILES));
	ASSERT_EQ(2, self->message.nr_files);
	EXPECT_EQ(3, self->message.length);
	expect_writer(&self->witness, self->got[0]);
	close(self->got[0]);
	close(self->got[1]);
	/* None of them, without the flag. */
	ASSERT_EQ(0, send_text(self, "none", 2, 0));
	ASSERT_EQ(0, receive(self, MAILBOX_FILES));
	EXPECT_EQ(0, self->message.nr_files);
	/* None are none. */
	ASSERT_EQ(0, send_text(self, "none", 0, MAILBOX_FILES));
	self->message.nr_files = POISON32;
	ASSERT_EQ(0, receive(self, MAILBOX_FILES));
	EXPECT_EQ(0, self->message.nr_files);
}

TEST_F(files, are_not_asked_for_without_the_flag)
{
	unsigned int before;

	ASSERT_EQ(0, send_text(self, "one", 1, MAILBOX_FILES));
	before = count_descriptors();
	ASSERT_EQ(0, receive(self, 0));
	EXPECT_EQ(POISON32, self->message.nr_files);
	EXPECT_EQ(before, count_descriptors());
}

TEST_F(files, that_do_not_fit_say_how_many_they_are)
{
	self->message.max_files = 1;
	ASSERT_EQ(0, send_text(self, "two", 2, MAILBOX_FILES));
	EXPECT_EQ(-EMSGSIZE, receive(self, MAILBOX_FILES));
	EXPECT_EQ(2, self->message.nr_files);
	/* That is not for a larger buffer to cure. */
	self->message.data = NULL;
	self->message.room = 0;
	EXPECT_EQ(-EMSGSIZE,
		  mailbox_receive_alloc(self->box, &self->message, NULL, MAILBOX_FILES, 0));
	EXPECT_EQ(0, receive(self, MAILBOX_FILES | MAILBOX_TRUNCATE));
	EXPECT_EQ(1, self->message.truncated);
	close(self->got[0]);
	free(self->message.data);
}

TEST_F(files, in_batches)
{
	int files[] = { self->witness.writer };
	struct mailbox_message sent[2] = {
		{ .data = "a", .length = 1 },
		{ .data = "b", .length = 1, .files = files, .nr_files = 1 },
	};
	struct mailbox_message got[2] = { self->message, self->message };
	int error = 1;

	EXPECT_EQ(2, mailbox_send_batch(self->box, sent, 2, MAILBOX_FILES, 0, &error));
	EXPECT_EQ(0, error);
	EXPECT_EQ(2, mailbox_receive_batch(self->box, got, 2, NULL, MAILBOX_FILES, 0, &error));
	EXPECT_EQ(0, got[0].nr_files);
	EXPECT_EQ(1, got[1].nr_files);
	expect_writer(&self->witness, self->got[0]);
	close(self->got[0]);
	EXPECT_EQ(1, mailbox_send_batch(self->box, sent + 1, 1, MAILBOX_FILES, 0, NULL));
	got[0].max_files = 0;
	EXPECT_EQ(-EMSGSIZE,
		  mailbox_receive_batch(self->box, got, 1, NULL, MAILBOX_FILES, 0, NULL));
	EXPECT_EQ(1, got[0].nr_files);
}

TEST_F(files, that_may_not_travel_have_their_words)
{
	struct mailbox_message message = { .files = &self->box, .nr_files = 1 };

	EXPECT_EQ(-ELOOP, mailbox_send_message(self->box, &message, MAILBOX_FILES, 0));
	EXPECT_STREQ("this descriptor may not travel in a message", mailbox_strerror(-ELOOP));
	EXPECT_STREQ("a descriptor that is not open", mailbox_strerror(-EBADF));
}

/* A child that sends, and waits to be killed. */
static pid_t start_sender(FIXTURE_DATA(files) * self)
{
	pid_t pid = child_fork();

	if (!pid) {
		ASSERT_EQ(0, mailbox_send(self->box, "child", 5));
		for (;;)
			pause();
	}
	return pid;
}

TEST_F(files, pidfd_is_the_senders)
{
	pid_t pid = start_sender(self);
	struct pollfd entry = { .events = POLLIN };
	struct mailbox_stat stat;
	int pidfd = -1;

	self->message.lease_time = 77;
	ASSERT_EQ(0, mailbox_receive_pidfd(self->box, &self->message, 0, 0, &pidfd));
	ASSERT_LE(0, pidfd);
	EXPECT_EQ(pid, self->message.pid);
	EXPECT_EQ(77, self->message.lease_time);
	EXPECT_EQ(0, self->message.lease);
	EXPECT_EQ(FD_CLOEXEC, fcntl(pidfd, F_GETFD));
	ASSERT_EQ(0, mailbox_stat(self->box, &stat));
	EXPECT_EQ(1, stat.received);
	EXPECT_EQ(0, stat.leased);
	/* Not before it has ended. */
	entry.fd = pidfd;
	EXPECT_EQ(0, poll(&entry, 1, 0));
	EXPECT_EQ(0, syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0));
	EXPECT_EQ(1, poll(&entry, 1, 30000));
	waitpid(pid, NULL, 0);
	close(pidfd);
}

TEST_F(files, pidfd_of_one_that_has_ended)
{
	pid_t pid = start_sender(self);
	int pidfd = 1;

	/* Its message is there. */
	ASSERT_EQ(0, receive(self, MAILBOX_PEEK));
	child_kill(pid);
	ASSERT_EQ(0, mailbox_receive_pidfd(self->box, &self->message, MAILBOX_NONBLOCK, 0, &pidfd));
	EXPECT_EQ(-ESRCH, pidfd);
	EXPECT_EQ(5, self->message.length);
	EXPECT_EQ(-EAGAIN,
		  mailbox_receive_pidfd(self->box, &self->message, MAILBOX_NONBLOCK, 0, &pidfd));
}

/* Its number is another's by now. */
TEST_F(files, pidfd_is_not_that_of_who_has_the_number_now)
{
	pid_t pid = start_sender(self), stranger;
	int pidfd = 1;

	ASSERT_EQ(0, receive(self, MAILBOX_PEEK));
	child_kill(pid);
	stranger = child_fork_as(pid);
	if (stranger < 0)
		SKIP(return, "clone3: %s", strerror(-stranger));
	ASSERT_EQ(pid, stranger);
	ASSERT_EQ(0, mailbox_receive_pidfd(self->box, &self->message, MAILBOX_NONBLOCK, 0, &pidfd));
	EXPECT_EQ(pid, self->message.pid);
	EXPECT_EQ(-ESRCH, pidfd);
	child_kill(stranger);
}

TEST_F(files, pidfd_and_files_together)
{
	int pidfd = -1;

	ASSERT_EQ(0, send_text(self, "one", 1, MAILBOX_FILES));
	ASSERT_EQ(0, mailbox_receive_pidfd(self->box, &self->message, MAILBOX_FILES, 0, &pidfd));
	ASSERT_LE(0, pidfd);
	ASSERT_EQ(1, self->message.nr_files);
	expect_writer(&self->witness, self->got[0]);
	close(self->got[0]);
	close(pidfd);
}

TEST_F(files, pidfd_of_a_peek_is_not_to_be_had)
{
	int pidfd = 4711;

	EXPECT_EQ(-EINVAL,
		  mailbox_receive_pidfd(self->box, &self->message, MAILBOX_PEEK, 0, &pidfd));
	EXPECT_EQ(-EINVAL,
		  mailbox_receive_pidfd(self->box, &self->message, MAILBOX_LEASE, 0, &pidfd));
	EXPECT_EQ(4711, pidfd);
}

#else

TEST(files)
{
	SKIP(return, "built without libmailbox");
}

#endif

TEST_HARNESS_MAIN
