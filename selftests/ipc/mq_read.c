// SPDX-License-Identifier: GPL-2.0
/*
 * read(2) of a queue that was opened again, and of what has the number of a queue that was closed;
 * mq_file.c has the rest.
 */
#include "mq.h"

FIXTURE(read)
{
	mqd_t queue;
};

FIXTURE_SETUP(read)
{
	self->queue = queue_new(O_RDWR);
}

FIXTURE_TEARDOWN(read)
{
	queue_end(self->queue);
}

static void expect_line(mqd_t queue, const char *line)
{
	char data[100] = "";

	ASSERT_LT(0, TRY(read(queue, data, sizeof(data) - 1)));
	data[strcspn(data, "\n")] = '\0';
	EXPECT_STREQ(line, data);
}

TEST_F(read, line_of_each_that_has_it_open)
{
	mqd_t second = queue_open(O_RDONLY);
	char data[100];

	expect_line(self->queue, "QSIZE:0          NOTIFY:0     SIGNO:0     NOTIFY_PID:0     ");
	EXPECT_EQ(0, TRY(read(self->queue, data, sizeof(data))));
	EXPECT_EQ(0, send_text(self->queue, "text", 0));
	expect_line(second, "QSIZE:4          NOTIFY:0     SIGNO:0     NOTIFY_PID:0     ");
	/* Nothing was taken. */
	expect_message(self->queue, "text", 0);
}

/* The number of a queue that was closed behind the back of the C library. */
TEST_F(read, what_has_the_number_now)
{
	mqd_t second = queue_open(O_RDONLY);
	int pipes[2];
	char data[SIZE];

	expect_line(second, "QSIZE:0          NOTIFY:0     SIGNO:0     NOTIFY_PID:0     ");
	ASSERT_EQ(0, pipe(pipes));
	ASSERT_EQ(0, syscall(SYS_close, second));
	ASSERT_EQ(second, TRY(fcntl(pipes[0], F_DUPFD, second)));
	EXPECT_EQ(4, TRY(write(pipes[1], "pipe", 4)));
	EXPECT_EQ(4, TRY(read(second, data, SIZE)));
	EXPECT_EQ(0, memcmp("pipe", data, 4));
	EXPECT_EQ(-ESPIPE, TRY(lseek(second, 0, SEEK_SET)));
}

TEST_HARNESS_MAIN
