// SPDX-License-Identifier: GPL-2.0
/*
 * A descriptor of a queue is that of a file of one line, mq_overview(7): who reads it takes no
 * message.
 */
#include "mq.h"

FIXTURE(file)
{
	mqd_t fd;
};

FIXTURE_SETUP(file)
{
	self->fd = queue_new_sized(O_RDWR | O_NONBLOCK, MESSAGES, SIZE);
	ASSERT_EQ(0, mq_send(self->fd, "four", 4, 0));
	ASSERT_EQ(0, mq_send(self->fd, "five!", 5, 0));
}

FIXTURE_TEARDOWN(file)
{
	mq_close(self->fd);
	mq_unlink(queue_name());
}

static long messages(mqd_t fd)
{
	struct mq_attr attr;

	ASSERT_EQ(0, mq_getattr(fd, &attr));
	return attr.mq_curmsgs;
}

TEST_F(file, reading_shows_the_bytes_in_it)
{
	char line[128] = "";

	EXPECT_LT(0, read(self->fd, line, sizeof(line) - 1));
	EXPECT_EQ(0, strncmp("QSIZE:9  ", line, 9));
	EXPECT_TRUE(strstr(line, " NOTIFY:0 ") && strstr(line, " SIGNO:0 ") &&
		    strstr(line, " NOTIFY_PID:0 "));
	EXPECT_EQ('\n', line[strlen(line) - 1]);
	EXPECT_EQ(2, messages(self->fd));
}

TEST_F(file, reading_goes_on_to_the_end)
{
	char whole[128], part[128];
	ssize_t length = read(self->fd, whole, sizeof(whole)), done = 0, got;

	ASSERT_LT(0, length);
	EXPECT_EQ(0, read(self->fd, part, sizeof(part)));
	EXPECT_EQ(0, lseek(self->fd, 0, SEEK_SET));
	while ((got = read(self->fd, part + done, 7)) > 0)
		done += got;
	EXPECT_EQ(0, got);
	EXPECT_EQ(length, done);
	EXPECT_EQ(0, memcmp(whole, part, length));
}

TEST_F(file, seeking_says_where_it_is)
{
	char text[4];

	EXPECT_EQ(3, lseek(self->fd, 3, SEEK_SET));
	EXPECT_EQ(1, read(self->fd, text, 1));
	EXPECT_EQ('Z', text[0]);
	EXPECT_EQ(4, lseek(self->fd, 0, SEEK_CUR));
	EXPECT_EQ(-EINVAL, TRY(lseek(self->fd, -1, SEEK_SET)));
	EXPECT_EQ(4, lseek(self->fd, 0, SEEK_CUR));
}

TEST_F(file, writing_is_refused)
{
	EXPECT_EQ(-EINVAL, TRY(write(self->fd, "text", 4)));
	EXPECT_EQ(2, messages(self->fd));
}

TEST_F(file, reading_wants_the_right_to_receive)
{
	mqd_t writer = mq_open(queue_name(), O_WRONLY);
	char line[128];

	ASSERT_LE(0, writer);
	EXPECT_EQ(-EBADF, TRY(read(writer, line, sizeof(line))));
	mq_close(writer);
}

TEST_F(file, other_descriptors_are_what_they_were)
{
	int ends[2];
	char text[8];

	mq_close(self->fd);
	ASSERT_EQ(0, pipe(ends));
	EXPECT_EQ(4, write(ends[1], "text", 4));
	EXPECT_EQ(4, read(ends[0], text, sizeof(text)));
	close(ends[0]);
	close(ends[1]);
	self->fd = mq_open(queue_name(), O_RDWR);
	EXPECT_EQ(2, messages(self->fd));
}

TEST_HARNESS_MAIN
