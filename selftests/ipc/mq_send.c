// SPDX-License-Identifier: GPL-2.0
/*
 * mq_send(3) and mq_receive(3): order, sizes, and what is refused.
 */
#include "mq.h"

FIXTURE(send)
{
	mqd_t queue;
	mqd_t reader;
	mqd_t writer;
};

FIXTURE_SETUP(send)
{
	self->queue = queue_new(O_RDWR | O_NONBLOCK);
	self->reader = queue_open(O_RDONLY | O_NONBLOCK);
	self->writer = queue_open(O_WRONLY | O_NONBLOCK);
}

FIXTURE_TEARDOWN(send)
{
	mq_close(self->reader);
	mq_close(self->writer);
	queue_end(self->queue);
}

TEST_F(send, highest_priority_first_then_oldest)
{
	EXPECT_EQ(0, send_text(self->queue, "a", 1));
	EXPECT_EQ(0, send_text(self->queue, "b", 32767));
	EXPECT_EQ(0, send_text(self->queue, "c", 0));
	EXPECT_EQ(0, send_text(self->queue, "d", 1));
	expect_message(self->reader, "b", 32767);
	expect_message(self->reader, "a", 1);
	expect_message(self->reader, "d", 1);
	expect_message(self->reader, "c", 0);
}

TEST_F(send, priority_of_32768_is_einval)
{
	EXPECT_EQ(-EINVAL, send_text(self->writer, "text", 32768));
	EXPECT_EQ(-EINVAL, send_text(self->writer, "text", -1));
	/* Whatever else is wrong. */
	EXPECT_EQ(-EINVAL, send_text(-1, "text", 32768));
	EXPECT_EQ(0, queue_count(self->queue));
}

TEST_F(send, message_without_bytes)
{
	char data[SIZE] = "as it was";

	EXPECT_EQ(0, TRY(mq_send(self->writer, (char *)1, 0, 9)));
	EXPECT_EQ(0, TRY(mq_send(self->writer, "", 0, 9)));
	EXPECT_EQ(2, queue_count(self->queue));
	expect_message(self->reader, "", 9);
	EXPECT_EQ(0, TRY(mq_receive(self->reader, data, sizeof(data), NULL)));
	EXPECT_STREQ("as it was", data);
}

TEST_F(send, bytes_are_as_they_were)
{
	char sent[SIZE], got[SIZE + 1];
	int i;

	for (i = 0; i < SIZE; i++)
		sent[i] = i * 17;
	got[SIZE] = 'e';
	EXPECT_EQ(0, TRY(mq_send(self->writer, sent, SIZE, 0)));
	EXPECT_EQ(SIZE, TRY(mq_receive(self->reader, got, SIZE, NULL)));
	EXPECT_EQ(0, memcmp(sent, got, SIZE));
	EXPECT_EQ('e', got[SIZE]);
}

TEST_F(send, longer_than_the_limit_is_emsgsize)
{
	static char data[100000];

	EXPECT_EQ(0, TRY(mq_send(self->writer, data, SIZE, 0)));
	EXPECT_EQ(-EMSGSIZE, TRY(mq_send(self->writer, data, SIZE + 1, 0)));
	EXPECT_EQ(-EMSGSIZE, TRY(mq_send(self->writer, data, sizeof(data), 0)));
	EXPECT_EQ(-EMSGSIZE, TRY(mq_send(self->writer, data, (size_t)1 << 40, 0)));
	EXPECT_EQ(-EMSGSIZE, TRY(mq_send(self->writer, data, ((size_t)1 << 40) + 1, 0)));
	EXPECT_EQ(-EMSGSIZE, TRY(mq_send(self->writer, data, -1, 0)));
	EXPECT_EQ(1, queue_count(self->queue));
	drain(self->queue);
	/* Also where it is full. */
	fill(self->queue);
	EXPECT_EQ(-EMSGSIZE, TRY(mq_send(self->writer, data, SIZE + 1, 0)));
}

/* A buffer has to be long enough for any message, not for the one that is there. */
TEST_F(send, buffer_shorter_than_the_limit_is_emsgsize)
{
	char data[SIZE];

	EXPECT_EQ(-EMSGSIZE, TRY(mq_receive(self->reader, data, SIZE - 1, NULL)));
	EXPECT_EQ(0, send_text(self->writer, "a", 0));
	EXPECT_EQ(-EMSGSIZE, TRY(mq_receive(self->reader, data, SIZE - 1, NULL)));
	EXPECT_EQ(-EMSGSIZE, TRY(mq_receive(self->reader, data, 0, NULL)));
	EXPECT_EQ(1, queue_count(self->queue));
	expect_message(self->reader, "a", 0);
}

/* The same number for queues with other limits, in every way that there is to get it. */
TEST_F(send, buffer_is_compared_with_the_queue_of_now)
{
	char data[4 * SIZE];
	struct mq_attr attr = { .mq_maxmsg = 2, .mq_msgsize = 4 * SIZE };
	char name[64];
	mqd_t large;
	int copy;

	snprintf(name, sizeof(name), "%s-large", queue_name());
	large = mq_open(name, O_CREAT | O_EXCL | O_RDWR | O_NONBLOCK, 0600, &attr);
	ASSERT_LE(0, large);
	ASSERT_EQ(0, send_text(self->writer, "small", 0));
	ASSERT_EQ(0, send_text(large, "large", 0));

	copy = dup(self->reader);
	EXPECT_EQ(5, TRY(mq_receive(copy, data, SIZE, NULL)));
	ASSERT_EQ(copy, dup2(large, copy));
	EXPECT_EQ(-EMSGSIZE, TRY(mq_receive(copy, data, SIZE, NULL)));
	ASSERT_EQ(copy, dup3(self->reader, copy, 0));
	EXPECT_EQ(-EAGAIN, TRY(mq_receive(copy, data, SIZE, NULL)));
	ASSERT_EQ(0, close(copy));
	ASSERT_EQ(copy, dup(large));
	EXPECT_EQ(-EMSGSIZE, TRY(mq_receive(copy, data, SIZE, NULL)));
	ASSERT_EQ(0, close(copy));
	ASSERT_EQ(copy, fcntl(self->reader, F_DUPFD, copy));
	EXPECT_EQ(-EAGAIN, TRY(mq_receive(copy, data, SIZE, NULL)));
	ASSERT_EQ(0, close_range(copy, copy, 0));
	ASSERT_EQ(copy, dup(large));
	EXPECT_EQ(-EMSGSIZE, TRY(mq_receive(copy, data, SIZE, NULL)));
	/* Behind the back of the C library. */
	ASSERT_EQ(0, syscall(SYS_close, copy));
	ASSERT_EQ(copy, dup(self->reader));
	EXPECT_EQ(-EAGAIN, TRY(mq_receive(copy, data, SIZE, NULL)));
	EXPECT_EQ(5, TRY(mq_receive(large, data, sizeof(data), NULL)));

	EXPECT_EQ(0, TRY(mq_unlink(name)));
	EXPECT_EQ(0, TRY(mq_close(large)));
}

TEST_F(send, full_and_empty_are_eagain)
{
	char data[SIZE];

	EXPECT_EQ(-EAGAIN, TRY(mq_receive(self->reader, data, sizeof(data), NULL)));
	fill(self->writer);
	EXPECT_EQ(-EAGAIN, send_text(self->writer, "more", 0));
	EXPECT_EQ(-EAGAIN, send_text(self->writer, "more", 9));
	EXPECT_EQ(-EAGAIN, send_text(self->writer, "", 0));
	EXPECT_EQ(MESSAGES, queue_count(self->queue));
	expect_message(self->reader, "fill", 0);
	EXPECT_EQ(0, send_text(self->writer, "more", 9));
	EXPECT_EQ(-EAGAIN, send_text(self->writer, "more", 9));
	expect_message(self->reader, "more", 9);
}

TEST_F(send, wrong_access_mode_is_ebadf)
{
	char data[SIZE];

	EXPECT_EQ(-EBADF, send_text(self->reader, "text", 0));
	EXPECT_EQ(-EBADF, TRY(mq_receive(self->writer, data, sizeof(data), NULL)));
	/* Whatever else is wrong. */
	EXPECT_EQ(-EBADF, TRY(mq_send(self->reader, data, SIZE + 1, 0)));
	EXPECT_EQ(-EBADF, TRY(mq_send(self->reader, (char *)1, 1, 0)));
	EXPECT_EQ(-EBADF, TRY(mq_receive(self->writer, data, 1, NULL)));
	EXPECT_EQ(-EBADF, TRY(mq_receive(self->writer, (char *)1, SIZE, NULL)));
	fill(self->queue);
	EXPECT_EQ(-EBADF, send_text(self->reader, "text", 0));
}

TEST_F(send, no_queue_is_ebadf)
{
	char data[SIZE];
	int other[2];
	int i;

	ASSERT_EQ(0, pipe(other));
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(-EBADF, send_text(other[i], "text", 0));
		EXPECT_EQ(-EBADF, TRY(mq_receive(other[i], data, sizeof(data), NULL)));
		EXPECT_EQ(-EBADF, TRY(mq_receive(other[i], data, 0, NULL)));
	}
	EXPECT_EQ(-EBADF, send_text(-1, "text", 0));
	EXPECT_EQ(-EBADF, send_text(4000, "text", 0));
	EXPECT_EQ(-EBADF, TRY(mq_receive(-1, data, sizeof(data), NULL)));
	EXPECT_EQ(-EBADF, TRY(mq_receive(4000, data, sizeof(data), NULL)));
	ASSERT_EQ(0, mq_close(self->reader));
	EXPECT_EQ(-EBADF, TRY(mq_receive(self->reader, data, sizeof(data), NULL)));
	EXPECT_EQ(-EBADF, TRY(mq_close(self->reader)));
}

TEST_F(send, bad_pointer_is_efault)
{
	EXPECT_EQ(-EFAULT, TRY(mq_send(self->writer, (char *)1, 4, 0)));
	EXPECT_EQ(0, queue_count(self->queue));
	/* Its length comes first. */
	EXPECT_EQ(-EMSGSIZE, TRY(mq_send(self->writer, (char *)1, SIZE + 1, 0)));
	EXPECT_EQ(0, send_text(self->writer, "text", 0));
	EXPECT_EQ(-EFAULT, TRY(mq_receive(self->reader, (char *)1, SIZE, NULL)));
}

TEST_HARNESS_MAIN
