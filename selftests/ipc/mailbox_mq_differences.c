// SPDX-License-Identifier: GPL-2.0
/*
 * POSIX queues over mailboxes: what is otherwise than over those of the kernel, as
 * Documentation/compat.rst has it.
 */
#include "mq.h"

/* Not ten, but what the quota of the user pays for. */
static void many_messages(void)
{
	struct mq_attr attr = { .mq_maxmsg = 1000, .mq_msgsize = SIZE };
	mqd_t queue = mq_open(queue_name(), O_CREAT | O_EXCL | O_RDWR, 0600, &attr);
	int i;

	ASSERT_LE(0, queue);
	for (i = 0; i < 1000; i++)
		ASSERT_EQ(0, send_text(queue, "text", i));
	EXPECT_EQ(1000, queue_count(queue));
	expect_message(queue, "text", 999);
	queue_end(queue);
}

TEST(more_messages_than_ten_without_privileges)
{
	pid_t child;

	if (!is_root())
		SKIP(return, "needs root");
	child = child_fork();
	if (!child) {
		become(OTHER);
		many_messages();
		_exit(0);
	}
	child_done(child);
}

TEST(access_mode_that_is_none_is_einval)
{
	EXPECT_EQ(-EINVAL, TRY(mq_open(queue_name(), O_CREAT | O_RDWR | O_WRONLY, 0600, NULL)));
	EXPECT_EQ(-ENOENT, TRY(mq_open(queue_name(), O_RDWR)));
}

TEST(names_are_three_bytes_shorter)
{
	char name[300] = "/";

	memset(name + 1, 'n', 253);
	EXPECT_EQ(-ENAMETOOLONG, TRY(mq_open(name, O_RDWR | O_CREAT, 0600, NULL)));
	EXPECT_EQ(-ENAMETOOLONG, TRY(mq_unlink(name)));
}

TEST(names_with_control_characters_are_einval)
{
	EXPECT_EQ(-EINVAL, TRY(mq_open("/na\nme", O_RDWR | O_CREAT, 0600, NULL)));
	EXPECT_EQ(-EINVAL, TRY(mq_unlink("/na\nme")));
}

/* The kernel's queues lose it. */
TEST(receive_that_faults_loses_nothing)
{
	mqd_t queue = queue_new(O_RDWR);

	EXPECT_EQ(0, send_text(queue, "text", 5));
	EXPECT_EQ(-EFAULT, TRY(mq_receive(queue, (char *)1, SIZE, NULL)));
	expect_message(queue, "text", 5);
	queue_end(queue);
}

TEST(polled_for_what_may_be_done)
{
	mqd_t queue = queue_new(O_RDWR), reader = queue_open(O_RDONLY),
	      writer = queue_open(O_WRONLY);
	struct pollfd pollers[] = {
		{ .fd = reader, .events = POLLIN | POLLOUT },
		{ .fd = writer, .events = POLLIN | POLLOUT },
	};

	EXPECT_EQ(0, send_text(queue, "text", 0));
	EXPECT_EQ(2, poll(pollers, 2, 0));
	EXPECT_EQ(POLLIN, pollers[0].revents);
	EXPECT_EQ(POLLOUT, pollers[1].revents);
	queue_end(queue);
}

/* For the handle that may take its name away. */
TEST(unlink_needs_a_descriptor)
{
	mqd_t queue = queue_new(O_RDWR);
	struct rlimit limit, before;

	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &before));
	limit = before;
	limit.rlim_cur = queue + 1;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	EXPECT_EQ(-EMFILE, TRY(mq_unlink(queue_name())));
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &before));
	queue_end(queue);
}

/* Nobody can do that to a queue of the kernel. */
TEST(destroyed_is_eidrm)
{
	mqd_t queue = queue_new(O_RDWR);
	char command[64], data[SIZE];
	struct mq_attr attr;

	snprintf(command, sizeof(command), "mailbox rm mq.%s", queue_name() + 1);
	if (system(command))
		SKIP(queue_end(queue); return, "needs the command 'mailbox'");
	EXPECT_EQ(-EIDRM, send_text(queue, "text", 0));
	EXPECT_EQ(-EIDRM, TRY(mq_receive(queue, data, SIZE, NULL)));
	EXPECT_EQ(-EIDRM, TRY(mq_getattr(queue, &attr)));
	EXPECT_EQ(-ENOENT, TRY(mq_unlink(queue_name())));
	EXPECT_EQ(0, TRY(mq_close(queue)));
}

TEST_HARNESS_MAIN
