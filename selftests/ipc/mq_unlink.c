// SPDX-License-Identifier: GPL-2.0
/*
 * mq_unlink(3) and mq_close(3): the name is gone at once, the queue with its last descriptor.
 */
#include "mq.h"

TEST(name_is_gone_at_once_queue_is_not)
{
	mqd_t queue = queue_new(O_RDWR), second = queue_open(O_RDWR);

	EXPECT_EQ(0, send_text(queue, "before", 0));
	EXPECT_EQ(0, TRY(mq_unlink(queue_name())));
	EXPECT_EQ(-ENOENT, TRY(mq_open(queue_name(), O_RDWR)));
	EXPECT_EQ(-ENOENT, TRY(mq_unlink(queue_name())));
	EXPECT_EQ(0, send_text(queue, "after", 0));
	EXPECT_EQ(0, mq_close(queue));
	expect_message(second, "before", 0);
	expect_message(second, "after", 0);
	EXPECT_EQ(0, mq_close(second));
}

TEST(name_is_free_for_another)
{
	mqd_t old = queue_new(O_RDWR), new;

	EXPECT_EQ(0, send_text(old, "old", 0));
	EXPECT_EQ(0, TRY(mq_unlink(queue_name())));
	new = queue_new(O_RDWR);
	EXPECT_EQ(0, queue_count(new));
	EXPECT_EQ(0, send_text(new, "new", 0));
	expect_message(old, "old", 0);
	expect_message(queue_open(O_RDONLY), "new", 0);
	queue_end(new);
	EXPECT_EQ(0, mq_close(old));
}

TEST(stays_without_descriptors)
{
	mqd_t queue = queue_new(O_RDWR);

	EXPECT_EQ(0, send_text(queue, "text", 4));
	EXPECT_EQ(0, mq_close(queue));
	queue = queue_open(O_RDWR);
	expect_message(queue, "text", 4);
	queue_end(queue);
}

TEST(stays_when_its_creator_has_ended)
{
	const char *name = queue_name();
	pid_t child = child_fork();

	if (!child) {
		EXPECT_EQ(0, send_text(queue_new(O_RDWR), "text", 4));
		_exit(0);
	}
	child_done(child);
	expect_message(queue_open(O_RDWR), "text", 4);
	EXPECT_EQ(0, TRY(mq_unlink(name)));
}

TEST(closed_is_ebadf)
{
	mqd_t queue = queue_new(O_RDWR);

	EXPECT_EQ(0, TRY(mq_unlink(queue_name())));
	EXPECT_EQ(0, TRY(mq_close(queue)));
	EXPECT_EQ(-EBADF, TRY(mq_close(queue)));
	EXPECT_EQ(-EBADF, send_text(queue, "text", 0));
	EXPECT_EQ(-EBADF, TRY(mq_close(-1)));
}

/* close(2) is the same. */
TEST(close_will_do)
{
	mqd_t queue = queue_new(O_RDWR);
	char data[SIZE];

	EXPECT_EQ(0, TRY(mq_unlink(queue_name())));
	EXPECT_EQ(0, close(queue));
	EXPECT_EQ(-EBADF, TRY(mq_receive(queue, data, SIZE, NULL)));
}

static void as_other(void (*function)(void))
{
	pid_t child = child_fork();

	if (!child) {
		become(OTHER);
		function();
		_exit(0);
	}
	child_done(child);
}

static void is_refused(void)
{
	EXPECT_EQ(-EACCES, TRY(mq_unlink(queue_name())));
}

static void is_done(void)
{
	mqd_t queue = queue_new(O_RDWR);

	EXPECT_EQ(0, TRY(mq_unlink(queue_name())));
	EXPECT_EQ(-ENOENT, TRY(mq_unlink(queue_name())));
	EXPECT_EQ(0, TRY(mq_close(queue)));
}

TEST(only_its_owner_unlinks_it)
{
	mqd_t queue;

	if (!is_root())
		SKIP(return, "needs root");
	umask(0);
	queue = mq_open(queue_name(), O_CREAT | O_EXCL | O_RDWR, 0777, NULL);
	ASSERT_LE(0, queue);
	as_other(is_refused);
	EXPECT_LE(0, TRY(mq_open(queue_name(), O_RDONLY)));
	queue_end(queue);
	as_other(is_done);
}

/* Whatever its mode is. */
static void unlink_own(void)
{
	mqd_t queue = mq_open(queue_name(), O_CREAT | O_EXCL | O_RDWR, 0, NULL);

	ASSERT_LE(0, queue);
	EXPECT_EQ(-EACCES, TRY(mq_open(queue_name(), O_RDONLY)));
	EXPECT_EQ(0, TRY(mq_unlink(queue_name())));
}

TEST(owner_needs_no_mode)
{
	if (!is_root())
		SKIP(return, "needs root");
	as_other(unlink_own);
}

TEST(wakes_nobody)
{
	mqd_t queue = queue_new(O_RDWR);
	unsigned int *flag = flag_new();
	pid_t child = asleep(child_fork(), flag);

	if (!child) {
		expect_message(queue, "text", 0);
		_exit(0);
	}
	EXPECT_EQ(0, TRY(mq_unlink(queue_name())));
	EXPECT_EQ(0, send_text(queue, "text", 0));
	child_done(child);
	EXPECT_EQ(0, TRY(mq_close(queue)));
}

TEST_HARNESS_MAIN
