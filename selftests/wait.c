// SPDX-License-Identifier: GPL-2.0
/*
 * Waiting: deadlines, destruction, the order of those who wait, and hand-over.
 * What signals do to it is in signals.c.
 */
#include "common.h"

#include <pthread.h>

FIXTURE(wait)
{
	int device;
	/* Holds one message. */
	int fd;
};

FIXTURE_SETUP(wait)
{
	self->device = device_open();
	self->fd = box_new_limited(self->device, MAILBOX_ON_FULL_WAIT, 1);
}

FIXTURE_TEARDOWN(wait)
{
	close(self->fd);
	close(self->device);
}

static struct mailbox_receive wait_args(void *data, size_t room)
{
	struct mailbox_receive args = receive_args(data, room);

	args.flags = 0;
	return args;
}

/* A child that receives once and must see this result and text. */
static pid_t receiver(int fd, __u32 select, __u64 match, int expected, const char *text)
{
	pid_t pid = child_fork();

	if (!pid) {
		char data[32] = { 0 };
		struct mailbox_receive args = wait_args(data, sizeof(data) - 1);

		args.select = select;
		args.match = match;
		EXPECT_EQ(expected, box_receive(fd, &args));
		EXPECT_STREQ(text, data);
		_exit(0);
	}
	return pid;
}

/* A child that sends once, waiting for room. */
static pid_t sender(int fd, const char *text, int expected)
{
	pid_t pid = child_fork();

	if (!pid) {
		struct mailbox_send args = send_args(text, strlen(text));

		args.flags = 0;
		EXPECT_EQ(expected, box_send(fd, &args));
		_exit(0);
	}
	return pid;
}

static void expect_next(int fd, const char *expected)
{
	char text[32];

	EXPECT_EQ(strlen(expected), box_receive_text(fd, text, sizeof(text)));
	EXPECT_STREQ(expected, text);
}

TEST_F(wait, a_receive_with_a_past_deadline_is_etimedout)
{
	static const __u64 deadlines[] = { 0, 1 };
	char data[8];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(deadlines); i++) {
		struct mailbox_receive args = wait_args(data, sizeof(data));

		args.flags = MAILBOX_DEADLINE;
		args.deadline = deadlines[i];
		EXPECT_REFUSED(self->device, self->fd, ETIMEDOUT, box_receive(self->fd, &args));
		args.flags |= MAILBOX_PEEK;
		EXPECT_REFUSED(self->device, self->fd, ETIMEDOUT, box_receive(self->fd, &args));
	}
}

TEST_F(wait, a_send_with_a_past_deadline_is_etimedout)
{
	struct mailbox_send args = send_args("x", 1);

	ASSERT_EQ(0, box_send(self->fd, &args));
	args.flags = MAILBOX_DEADLINE;
	args.deadline = 0;
	EXPECT_REFUSED(self->device, self->fd, ETIMEDOUT, box_send(self->fd, &args));
}

TEST_F(wait, a_past_deadline_does_not_matter_when_nothing_is_waited_for)
{
	struct mailbox_send send = send_args("x", 1);
	char data[8];
	struct mailbox_receive receive = wait_args(data, sizeof(data));

	send.flags = MAILBOX_DEADLINE;
	send.deadline = 1;
	receive.flags = MAILBOX_DEADLINE;
	receive.deadline = 1;
	EXPECT_EQ(0, box_send(self->fd, &send));
	EXPECT_EQ(0, box_receive(self->fd, &receive));
}

TEST_F(wait, a_deadline_is_not_early)
{
	char data[8];
	struct mailbox_receive receive = wait_args(data, sizeof(data));
	struct mailbox_send send = send_args("x", 1);

	receive.flags = MAILBOX_DEADLINE;
	receive.deadline = now_ns() + SECOND / 20;
	EXPECT_REFUSED(self->device, self->fd, ETIMEDOUT, box_receive(self->fd, &receive));
	EXPECT_LE(receive.deadline, now_ns());

	ASSERT_EQ(0, box_send(self->fd, &send));
	send.flags = MAILBOX_DEADLINE;
	send.deadline = now_ns() + SECOND / 20;
	EXPECT_REFUSED(self->device, self->fd, ETIMEDOUT, box_send(self->fd, &send));
	EXPECT_LE(send.deadline, now_ns());
}

/* A deadline that was taken for a duration would last as long as the machine is up. */
TEST_F(wait, a_deadline_is_a_point_in_time)
{
	char data[8];
	struct mailbox_receive args = wait_args(data, sizeof(data));
	__u64 now = now_ns();

	args.flags = MAILBOX_DEADLINE;
	args.deadline = now + SECOND / 20;
	EXPECT_EQ(-ETIMEDOUT, box_receive(self->fd, &args));
	EXPECT_GT(2 * now, now_ns());
}

TEST_F(wait, the_last_deadline_there_is_does_not_pass)
{
	pid_t pid = child_fork();

	if (!pid) {
		char data[8];
		struct mailbox_receive args = wait_args(data, sizeof(data));

		args.flags = MAILBOX_DEADLINE;
		args.deadline = UINT64_MAX;
		EXPECT_EQ(0, box_receive(self->fd, &args));
		_exit(0);
	}
	wait_waiters(self->fd, 1, 0);
	wait_sleeping(pid, pid);
	ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	child_done(pid);
}

TEST_F(wait, nonblock_comes_before_a_deadline)
{
	char data[8];
	struct mailbox_receive args = receive_args(data, sizeof(data));

	args.flags |= MAILBOX_DEADLINE;
	args.deadline = far_future();
	EXPECT_REFUSED(self->device, self->fd, EAGAIN, box_receive(self->fd, &args));
}

TEST_F(wait, stat_counts_who_waits)
{
	pid_t first = receiver(self->fd, MAILBOX_SELECT_TYPE, 5, 0, "x"), second;

	wait_waiters(self->fd, 1, 0);
	second = receiver(self->fd, MAILBOX_SELECT_TYPE, 6, -EIDRM, "");
	wait_waiters(self->fd, 2, 0);
	ASSERT_EQ(0, box_send_text(self->fd, "x", 5, 0));
	child_done(first);
	EXPECT_EQ(1, box_stat(self->fd).receivers);
	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	child_done(second);
}

TEST_F(wait, destruction_wakes_receivers_peekers_and_senders)
{
	int other = box_new_capacity(self->device, MAILBOX_CAPACITY_RENDEZVOUS);
	pid_t pids[5];
	int i;

	ASSERT_EQ(0, box_send_text(self->fd, "fills", 1, 0));
	pids[0] = sender(self->fd, "x", -EIDRM);
	pids[1] = receiver(self->fd, MAILBOX_SELECT_TYPE, 2, -EIDRM, "");
	pids[2] = sender(other, "x", -EIDRM);
	pids[3] = receiver(other, MAILBOX_SELECT_TYPE, 9, -EIDRM, "");
	pids[4] = child_fork();
	if (!pids[4]) {
		char data[8];
		struct mailbox_receive args = wait_args(data, sizeof(data));

		args.flags = MAILBOX_PEEK;
		args.select = MAILBOX_SELECT_TYPE;
		args.match = 2;
		EXPECT_EQ(-EIDRM, box_receive(self->fd, &args));
		_exit(0);
	}
	wait_waiters(self->fd, 2, 1);
	wait_waiters(other, 1, 1);
	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	ASSERT_EQ(0, box_destroy(other, 0, NULL));
	for (i = 0; i < 5; i++)
		child_done(pids[i]);
	close(other);
}

TEST_F(wait, receivers_are_served_in_the_order_they_came)
{
	static const char *const texts[] = { "a", "b", "c", "d" };
	int fd = box_new(self->device), i;
	pid_t pids[4];

	for (i = 0; i < 4; i++) {
		pids[i] = receiver(fd, MAILBOX_SELECT_FIRST, 0, 0, texts[i]);
		wait_waiters(fd, i + 1, 0);
	}
	for (i = 0; i < 4; i++)
		ASSERT_EQ(0, box_send_text(fd, texts[i], 0, i));
	for (i = 0; i < 4; i++)
		child_done(pids[i]);
	close(fd);
}

TEST_F(wait, a_message_goes_to_the_oldest_receiver_that_wants_it)
{
	int fd = box_new(self->device);
	pid_t pids[4];

	pids[0] = receiver(fd, MAILBOX_SELECT_TYPE, 1, 0, "one");
	wait_waiters(fd, 1, 0);
	pids[1] = receiver(fd, MAILBOX_SELECT_TYPE_NOT, 1, 0, "two");
	wait_waiters(fd, 2, 0);
	pids[2] = receiver(fd, MAILBOX_SELECT_PRIORITY, 5, 0, "five");
	wait_waiters(fd, 3, 0);
	pids[3] = receiver(fd, MAILBOX_SELECT_FIRST, 0, 0, "any");
	wait_waiters(fd, 4, 0);
	ASSERT_EQ(0, box_send_text(fd, "two", 2, 9));
	wait_waiters(fd, 3, 0);
	ASSERT_EQ(0, box_send_text(fd, "any", 2, 4));
	wait_waiters(fd, 2, 0);
	ASSERT_EQ(0, box_send_text(fd, "five", 2, 5));
	wait_waiters(fd, 1, 0);
	ASSERT_EQ(0, box_send_text(fd, "one", 1, 0));
	child_done(pids[0]);
	child_done(pids[1]);
	child_done(pids[2]);
	child_done(pids[3]);
	EXPECT_EQ(0, box_stat(fd).messages);
	close(fd);
}

static long switches(pid_t pid)
{
	char path[64], line[256];
	long nr = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "r");
	ASSERT_TRUE(file);
	while (fgets(line, sizeof(line), file))
		sscanf(line, "voluntary_ctxt_switches: %ld", &nr);
	fclose(file);
	ASSERT_LE(0, nr);
	return nr;
}

TEST_F(wait, one_wake_up_for_one_message)
{
	enum { NR = 8 };
	int fd = box_new(self->device), i;
	long before[NR], woken = 0;
	pid_t pids[NR];

	for (i = 0; i < NR; i++) {
		pids[i] = receiver(fd, MAILBOX_SELECT_FIRST, 0, i ? -EIDRM : 0, i ? "" : "x");
		wait_waiters(fd, i + 1, 0);
		wait_sleeping(pids[i], pids[i]);
	}
	for (i = 1; i < NR; i++)
		before[i] = switches(pids[i]);
	ASSERT_EQ(0, box_send_text(fd, "x", 0, 0));
	child_done(pids[0]);
	for (i = 1; i < NR; i++)
		woken += switches(pids[i]) - before[i];
	EXPECT_EQ(0, woken);
	EXPECT_EQ(NR - 1, box_stat(fd).receivers);
	ASSERT_EQ(0, box_destroy(fd, 0, NULL));
	for (i = 1; i < NR; i++)
		child_done(pids[i]);
	close(fd);
}

TEST_F(wait, senders_enter_in_the_order_they_came)
{
	static const char *const texts[] = { "a", "b", "c", "d" };
	pid_t pids[4];
	int i;

	ASSERT_EQ(0, box_send_text(self->fd, "fills", 0, 0));
	for (i = 0; i < 4; i++) {
		pids[i] = sender(self->fd, texts[i], 0);
		wait_waiters(self->fd, 0, i + 1);
	}
	expect_next(self->fd, "fills");
	for (i = 0; i < 4; i++) {
		wait_waiters(self->fd, 0, 3 - i);
		/* Nobody gets in past those who wait. */
		if (i < 3)
			EXPECT_EQ(-EAGAIN, box_send_text(self->fd, "pushes in", 0, 9));
		expect_next(self->fd, texts[i]);
	}
	for (i = 0; i < 4; i++)
		child_done(pids[i]);
}

/* One that chooses goes another way in the module than one that takes the first. */
TEST_F(wait, a_sender_enters_when_a_chosen_message_is_taken)
{
	struct mailbox_receive args = receive_args(NULL, 0);
	pid_t pid;

	ASSERT_EQ(0, box_send_text(self->fd, "fills", 1, 0));
	pid = sender(self->fd, "enters", 0);
	wait_waiters(self->fd, 0, 1);
	args.flags |= MAILBOX_TRUNCATE;
	args.select = MAILBOX_SELECT_TYPE;
	args.match = 1;
	EXPECT_EQ(0, box_receive(self->fd, &args));
	wait_waiters(self->fd, 0, 0);
	child_done(pid);
	expect_next(self->fd, "enters");
}

/* The mailbox is full of what nobody wants, and what is wanted stands in line. */
TEST_F(wait, a_receiver_takes_what_only_a_waiting_sender_has)
{
	char text[8];
	struct mailbox_receive args = receive_args(text, sizeof(text));
	pid_t pid;

	ASSERT_EQ(0, box_send_text(self->fd, "other", 1, 0));
	pid = child_fork();
	if (!pid) {
		struct mailbox_send send = send_args("mine", 4);

		send.flags = 0;
		send.type = 2;
		EXPECT_EQ(0, box_send(self->fd, &send));
		EXPECT_EQ(2, send.sequence);
		_exit(0);
	}
	wait_waiters(self->fd, 0, 1);
	args.select = MAILBOX_SELECT_TYPE;
	args.match = 2;
	EXPECT_EQ(0, box_receive(self->fd, &args));
	EXPECT_EQ(4, args.length);
	EXPECT_EQ(2, args.sequence);
	EXPECT_EQ(pid, args.pid);
	child_done(pid);
	EXPECT_EQ(1, box_stat(self->fd).messages);
}

TEST_F(wait, a_long_message_is_not_passed_by_short_ones)
{
	struct mailbox_create create = create_args();
	char data[100] = { 0 };
	pid_t pid;
	int fd;

	create.max_bytes = 100;
	fd = box_create(self->device, &create);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, box_send_data(fd, data, 50));
	pid = child_fork();
	if (!pid) {
		struct mailbox_send args = send_args(data, 80);

		args.flags = 0;
		EXPECT_EQ(0, box_send(fd, &args));
		EXPECT_EQ(2, args.sequence);
		_exit(0);
	}
	wait_waiters(fd, 0, 1);
	EXPECT_EQ(-EAGAIN, box_send_data(fd, data, 10));
	EXPECT_EQ(50, box_receive_text(fd, data, sizeof(data)));
	child_done(pid);
	EXPECT_EQ(80, box_stat(fd).bytes);
	close(fd);
}

struct sleeper {
	int fd;
	int result;
	pid_t tid;
	unsigned int *started;
};

static void *receive_in_thread(void *data)
{
	struct sleeper *sleeper = data;
	char text[8];
	struct mailbox_receive args = wait_args(text, sizeof(text));

	sleeper->tid = syscall(SYS_gettid);
	flag_raise(sleeper->started);
	sleeper->result = box_receive(sleeper->fd, &args);
	return NULL;
}

TEST_F(wait, closing_the_descriptor_meanwhile_does_no_harm)
{
	__u64 id = box_stat(self->fd).id;
	struct sleeper sleeper = { .started = flag_new() };
	pthread_t thread;
	int other;

	other = box_open(self->device, id, NULL, RIGHTS_ALL);
	ASSERT_LE(0, other);
	sleeper.fd = box_open(self->device, id, NULL, MAILBOX_RIGHT_RECEIVE);
	ASSERT_LE(0, sleeper.fd);
	ASSERT_EQ(0, pthread_create(&thread, NULL, receive_in_thread, &sleeper));
	flag_await(sleeper.started, 1);
	wait_waiters(other, 1, 0);
	close(sleeper.fd);
	/* The call goes on with the handle that it began with. */
	EXPECT_EQ(1, box_stat(other).receivers);
	ASSERT_EQ(0, box_send_text(other, "x", 0, 0));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(0, sleeper.result);
	EXPECT_EQ(2, box_stat(other).handles);
	close(other);
}

TEST_F(wait, a_waiting_peek_leaves_the_message)
{
	pid_t pid = child_fork();

	if (!pid) {
		char data[8];
		struct mailbox_receive args = wait_args(data, sizeof(data));

		args.flags = MAILBOX_PEEK;
		EXPECT_EQ(0, box_receive(self->fd, &args));
		EXPECT_EQ(1, args.sequence);
		_exit(0);
	}
	wait_waiters(self->fd, 1, 0);
	ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	child_done(pid);
	EXPECT_EQ(1, box_stat(self->fd).messages);
	EXPECT_EQ(0, box_stat(self->fd).receivers);
	expect_next(self->fd, "x");
}

TEST_F(wait, for_a_sender_that_ends_is_esrch)
{
	pid_t peer = child_fork(), pid;

	if (!peer)
		for (;;)
			pause();
	pid = receiver(self->fd, MAILBOX_SELECT_SENDER, peer, -ESRCH, "");
	wait_waiters(self->fd, 1, 0);
	/* Another's message is not what it waits for. */
	ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	EXPECT_EQ(1, box_stat(self->fd).receivers);
	child_kill(peer);
	child_done(pid);
}

TEST_HARNESS_MAIN
