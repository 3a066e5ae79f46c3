// SPDX-License-Identifier: GPL-2.0
/*
 * Waiting in mq_send(3), mq_receive(3), and those with a deadline: who is woken, when, by what.
 */
#include "mq.h"

#include <limits.h>

FIXTURE(wait)
{
	mqd_t queue;
	mqd_t nonblock;
	unsigned int *flag;
};

FIXTURE_SETUP(wait)
{
	self->queue = queue_new(O_RDWR);
	self->nonblock = queue_open(O_RDWR | O_NONBLOCK);
	self->flag = flag_new();
}

FIXTURE_TEARDOWN(wait)
{
	mq_close(self->nonblock);
	queue_end(self->queue);
}

TEST_F(wait, receiver_gets_what_comes)
{
	pid_t child = asleep(child_fork(), self->flag);

	if (!child) {
		expect_message(self->queue, "text", 7);
		_exit(0);
	}
	EXPECT_EQ(0, send_text(self->nonblock, "text", 7));
	child_done(child);
	EXPECT_EQ(0, queue_count(self->queue));
}

TEST_F(wait, sender_goes_on_when_there_is_room)
{
	pid_t child;

	fill(self->queue);
	child = asleep(child_fork(), self->flag);
	if (!child) {
		EXPECT_EQ(0, send_text(self->queue, "late", 9));
		_exit(0);
	}
	EXPECT_EQ(MESSAGES, queue_count(self->queue));
	expect_message(self->nonblock, "fill", 0);
	child_done(child);
	EXPECT_EQ(MESSAGES, queue_count(self->queue));
	expect_message(self->nonblock, "late", 9);
}

/* One place, one sender: whatever part of the queue is free then. */
TEST_F(wait, each_place_is_for_one_sender)
{
	pid_t children[3];
	int i;

	fill(self->queue);
	for (i = 0; i < 3; i++) {
		children[i] = child_fork();
		if (!children[i]) {
			flag_raise(self->flag);
			EXPECT_EQ(0, send_text(self->queue, "late", 1));
			_exit(0);
		}
		flag_await(self->flag, i + 1);
		wait_sleeping(children[i], children[i]);
	}
	for (i = 0; i < 3; i++) {
		expect_message(self->nonblock, i ? "late" : "fill", i ? 1 : 0);
		child_done(children[i]);
		EXPECT_EQ(MESSAGES, queue_count(self->queue));
	}
}

/* However many there are. */
TEST_F(wait, one_place_of_many_is_enough)
{
	struct mq_attr attr = { .mq_maxmsg = 64, .mq_msgsize = SIZE };
	mqd_t large;
	pid_t child;
	int i;

	large = mq_open("/test-large", O_CREAT | O_EXCL | O_RDWR, 0600, &attr);
	if (large < 0 && errno == EINVAL)
		SKIP(return, "needs CAP_SYS_RESOURCE");
	ASSERT_LE(0, large);
	EXPECT_EQ(0, TRY(mq_unlink("/test-large")));
	for (i = 0; i < 64; i++)
		ASSERT_EQ(0, send_text(large, "fill", 0));
	child = asleep(child_fork(), self->flag);
	if (!child) {
		EXPECT_EQ(0, send_text(large, "late", 9));
		_exit(0);
	}
	expect_message(large, "fill", 0);
	child_done(child);
	EXPECT_EQ(64, queue_count(large));
	EXPECT_EQ(0, mq_close(large));
}

static void expect_timeouts(mqd_t queue, bool sends, const struct timespec *until)
{
	char data[SIZE];

	if (sends)
		EXPECT_EQ(-ETIMEDOUT, TRY(mq_timedsend(queue, "a", 1, 0, until)));
	else
		EXPECT_EQ(-ETIMEDOUT, TRY(mq_timedreceive(queue, data, SIZE, NULL, until)));
}

TEST_F(wait, deadline_in_the_past)
{
	const struct timespec first = { .tv_sec = 0 }, past = in_ms(-1500);

	expect_timeouts(self->queue, false, &past);
	expect_timeouts(self->queue, false, &first);
	fill(self->queue);
	expect_timeouts(self->queue, true, &past);
	expect_timeouts(self->queue, true, &first);
	EXPECT_EQ(MESSAGES, queue_count(self->queue));
}

TEST_F(wait, deadline_is_kept)
{
	const long ms = 60;
	struct timespec until = in_ms(ms);
	uint64_t begin = now_ns();

	expect_timeouts(self->queue, false, &until);
	EXPECT_LE((ms - 2) * 1000000, now_ns() - begin);
	fill(self->queue);
	begin = now_ns();
	until = in_ms(ms);
	expect_timeouts(self->queue, true, &until);
	EXPECT_LE((ms - 2) * 1000000, now_ns() - begin);
}

TEST_F(wait, deadline_does_not_matter_without_a_wait)
{
	const struct timespec past = { .tv_sec = 1 };
	char data[SIZE];

	EXPECT_EQ(0, TRY(mq_timedsend(self->queue, "a", 1, 3, &past)));
	EXPECT_EQ(1, TRY(mq_timedreceive(self->queue, data, SIZE, NULL, &past)));
}

TEST_F(wait, deadline_far_away)
{
	const struct timespec far = { .tv_sec = LONG_MAX, .tv_nsec = 999999999 };
	pid_t child = asleep(child_fork(), self->flag);
	char data[SIZE];

	if (!child) {
		EXPECT_EQ(4, TRY(mq_timedreceive(self->queue, data, SIZE, NULL, &far)));
		_exit(0);
	}
	EXPECT_EQ(0, send_text(self->nonblock, "text", 7));
	child_done(child);
}

TEST_F(wait, nonblock_with_a_deadline_is_eagain)
{
	const struct timespec later = in_ms(3600 * 1000);
	char data[SIZE];

	EXPECT_EQ(-EAGAIN, TRY(mq_timedreceive(self->nonblock, data, SIZE, NULL, &later)));
	fill(self->queue);
	EXPECT_EQ(-EAGAIN, TRY(mq_timedsend(self->nonblock, "a", 1, 0, &later)));
}

TEST_F(wait, no_deadline)
{
	/* The header has it that there is always one. */
	const struct timespec *volatile none = NULL;
	unsigned int priority;
	char data[SIZE];

	EXPECT_EQ(0, TRY(mq_timedsend(self->queue, "a", 1, 3, none)));
	EXPECT_EQ(1, TRY(mq_timedreceive(self->queue, data, SIZE, &priority, none)));
	EXPECT_EQ(3, priority);
	EXPECT_EQ(-EAGAIN, TRY(mq_timedreceive(self->nonblock, data, SIZE, &priority, none)));
}

TEST_F(wait, no_time_is_einval)
{
	static const struct timespec bad[] = {
		{ .tv_sec = 1, .tv_nsec = -1 },
		{ .tv_sec = 1, .tv_nsec = 1000000000 },
		{ .tv_sec = -1, .tv_nsec = 0 },
	};
	char data[SIZE];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		drain(self->queue);
		EXPECT_EQ(-EINVAL, TRY(mq_timedreceive(self->queue, data, SIZE, NULL, &bad[i])));
		fill(self->queue);
		EXPECT_EQ(-EINVAL, TRY(mq_timedsend(self->queue, "a", 1, 0, &bad[i])));
		EXPECT_EQ(MESSAGES, queue_count(self->queue));
	}
}

TEST_F(wait, deadline_does_not_hide_other_errors)
{
	const struct timespec later = in_ms(3600 * 1000);
	mqd_t reader = queue_open(O_RDONLY), writer = queue_open(O_WRONLY);
	char data[SIZE];

	EXPECT_EQ(-EBADF, TRY(mq_timedsend(reader, "a", 1, 0, &later)));
	EXPECT_EQ(-EBADF, TRY(mq_timedreceive(writer, data, SIZE, NULL, &later)));
	EXPECT_EQ(-EMSGSIZE, TRY(mq_timedreceive(reader, data, SIZE - 1, NULL, &later)));
	EXPECT_EQ(-EMSGSIZE, TRY(mq_timedsend(writer, data, SIZE + 1, 0, &later)));
	EXPECT_EQ(-EINVAL, TRY(mq_timedsend(writer, data, 1, 32768, &later)));
}

static void handler(int signal)
{
	(void)signal;
}

static void install(int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };

	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
}

/* All four calls, by number. */
static long wait_in(int which, mqd_t queue, const struct timespec *until)
{
	char data[SIZE];

	switch (which) {
	case 0:
		return TRY(mq_receive(queue, data, SIZE, NULL));
	case 1:
		return TRY(mq_timedreceive(queue, data, SIZE, NULL, until));
	case 2:
		return TRY(mq_send(queue, "late", 4, 0));
	default:
		return TRY(mq_timedsend(queue, "late", 4, 0, until));
	}
}

TEST_F(wait, signal_is_eintr)
{
	const struct timespec later = in_ms(3600 * 1000);
	pid_t child;
	int i;

	install(0);
	for (i = 0; i < 4; i++) {
		if (i == 2)
			fill(self->queue);
		*self->flag = 0;
		child = asleep(child_fork(), self->flag);
		if (!child) {
			EXPECT_EQ(-EINTR, wait_in(i, self->queue, &later)) TH_LOG("call %d", i);
			_exit(0);
		}
		kill(child, SIGUSR1);
		child_done(child);
	}
	EXPECT_EQ(MESSAGES, queue_count(self->queue));
}

TEST_F(wait, signal_with_restart_changes_nothing)
{
	const struct timespec later = in_ms(3600 * 1000);
	pid_t child;
	int i;

	install(SA_RESTART);
	for (i = 0; i < 4; i++) {
		if (i == 2)
			fill(self->queue);
		*self->flag = 0;
		child = asleep(child_fork(), self->flag);
		if (!child) {
			EXPECT_EQ(i < 2 ? 4 : 0, wait_in(i, self->queue, &later))
			TH_LOG("call %d", i);
			_exit(0);
		}
		kill(child, SIGUSR1);
		if (i < 2)
			EXPECT_EQ(0, send_text(self->queue, "text", 0));
		else
			expect_message(self->queue, "fill", 0);
		child_done(child);
	}
}

TEST_F(wait, signal_with_restart_does_not_move_the_deadline)
{
	const struct timespec until = in_ms(300);
	pid_t child;

	install(SA_RESTART);
	child = asleep(child_fork(), self->flag);
	if (!child) {
		expect_timeouts(self->queue, false, &until);
		_exit(0);
	}
	kill(child, SIGUSR1);
	child_done(child);
}

TEST_HARNESS_MAIN
