// SPDX-License-Identifier: GPL-2.0
/*
 * Programs that close, or write over, every descriptor that they can think of: a daemon when it
 * begins, a shell when it redirects. Queues go on.
 */
#include "mq.h"

#define NUMBERS 1024

FIXTURE(descriptors)
{
	mqd_t queue;
};

FIXTURE_SETUP(descriptors)
{
	self->queue = queue_new(O_RDWR);
}

FIXTURE_TEARDOWN(descriptors)
{
	queue_end(self->queue);
}

static volatile sig_atomic_t value;

static void handler(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	value = info->si_value.sival_int;
}

static void notify(mqd_t queue, int with)
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL,
				  .sigev_signo = SIGUSR1,
				  .sigev_value.sival_int = with };

	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
	ASSERT_EQ(0, TRY(mq_notify(queue, &event)));
}

static void expect_all_works(mqd_t queue)
{
	mqd_t second = queue_open(O_RDWR);

	EXPECT_EQ(0, send_text(queue, "text", 1));
	expect_message(second, "text", 1);
	EXPECT_EQ(0, TRY(mq_close(second)));
}

TEST_F(descriptors, others_are_closed_one_by_one)
{
	int fd;

	notify(self->queue, 7);
	for (fd = STDERR_FILENO + 1; fd < NUMBERS; fd++)
		if (fd != self->queue)
			close(fd);
	EXPECT_EQ(0, send_text(self->queue, "text", 0));
	EXPECT_EQ(7, value);
	drain(self->queue);
	expect_all_works(self->queue);
}

TEST_F(descriptors, others_are_closed_as_a_range)
{
	notify(self->queue, 8);
	ASSERT_LT(STDERR_FILENO, self->queue);
	if (self->queue > STDERR_FILENO + 1)
		ASSERT_EQ(0, close_range(STDERR_FILENO + 1, self->queue - 1, 0));
	ASSERT_EQ(0, close_range(self->queue + 1, ~0U, 0));
	EXPECT_EQ(0, send_text(self->queue, "text", 0));
	EXPECT_EQ(8, value);
	drain(self->queue);
	expect_all_works(self->queue);
}

TEST_F(descriptors, all_numbers_are_taken)
{
	int fd;

	notify(self->queue, 9);
	/* Some room is left for those that the calls may need. */
	for (fd = NUMBERS - 200; fd < NUMBERS; fd++)
		ASSERT_EQ(fd, TRY(dup2(STDOUT_FILENO, fd)));
	EXPECT_EQ(0, send_text(self->queue, "text", 0));
	EXPECT_EQ(9, value);
	drain(self->queue);
	expect_all_works(self->queue);
	for (fd = NUMBERS - 200; fd < NUMBERS; fd++)
		EXPECT_EQ(0, TRY(close(fd)));
	expect_all_works(self->queue);
}

/* A range with the queue in it. */
TEST_F(descriptors, closed_in_a_range)
{
	mqd_t second = queue_open(O_RDWR), third = queue_open(O_RDWR);

	notify(second, 10);
	ASSERT_EQ(0, close_range(second, third, 0));
	EXPECT_EQ(-EBADF, send_text(second, "text", 0));
	EXPECT_EQ(-EBADF, TRY(mq_close(third)));
	/* So did the registration of this process. */
	EXPECT_EQ(0, send_text(self->queue, "text", 0));
	EXPECT_EQ(0, value);
}

/* Replaced by something else. */
TEST_F(descriptors, written_over)
{
	mqd_t second = queue_open(O_RDWR);
	char data[SIZE];

	EXPECT_EQ(0, send_text(second, "text", 0));
	EXPECT_EQ(4, TRY(mq_receive(second, data, SIZE, NULL)));
	notify(second, 11);
	/* Not by what is not there. */
	EXPECT_EQ(-EBADF, TRY(dup2(NUMBERS - 1, second)));
	EXPECT_EQ(0, send_text(self->queue, "text", 0));
	EXPECT_EQ(11, value);
	notify(second, 12);
	drain(self->queue);
	ASSERT_EQ(second, TRY(dup2(STDOUT_FILENO, second)));
	EXPECT_EQ(-EBADF, TRY(mq_receive(second, data, SIZE, NULL)));
	EXPECT_EQ(-EBADF, send_text(second, "text", 0));
	EXPECT_EQ(0, send_text(self->queue, "text", 0));
	EXPECT_EQ(11, value);
}

/* A program that has read its standard input to its end may get queue number 0. */
TEST_F(descriptors, number_zero)
{
	mqd_t zero;

	ASSERT_EQ(0, close(STDIN_FILENO));
	zero = queue_open(O_RDWR);
	EXPECT_EQ(0, zero);
	EXPECT_EQ(0, send_text(zero, "text", 1));
	expect_message(zero, "text", 1);
	EXPECT_EQ(0, TRY(mq_close(zero)));
}

TEST_HARNESS_MAIN
