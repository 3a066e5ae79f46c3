// SPDX-License-Identifier: GPL-2.0
/*
 * Messages that are dropped when their time has passed.
 */
#include "common.h"

FIXTURE(expiry)
{
	int device;
	int fd;
};

FIXTURE_SETUP(expiry)
{
	self->device = device_open();
	self->fd = box_new(self->device);
}

FIXTURE_TEARDOWN(expiry)
{
	close(self->fd);
	close(self->device);
}

static int send_until(int fd, const char *text, __u64 expiry, __u32 priority)
{
	struct mailbox_send args = send_args(text, strlen(text));

	args.flags |= MAILBOX_EXPIRES;
	args.expiry = expiry;
	args.priority = priority;
	return box_send(fd, &args);
}

static __u64 send_soon(int fd, const char *text)
{
	struct mailbox_send args = send_args(text, strlen(text));

	ASSERT_EQ(0, box_send_soon_expired(fd, &args));
	return args.expiry;
}

TEST_F(expiry, is_told_to_the_receiver)
{
	struct mailbox_receive args;
	__u64 expiry = far_future();
	char data[8];

	ASSERT_EQ(0, send_until(self->fd, "x", expiry, 0));
	args = receive_args(data, sizeof(data));
	ASSERT_EQ(0, box_receive(self->fd, &args));
	EXPECT_EQ(expiry, args.expiry);
}

TEST_F(expiry, in_the_past_is_etimedout)
{
	EXPECT_REFUSED(self->device, self->fd, ETIMEDOUT, send_until(self->fd, "x", 0, 0));
	EXPECT_REFUSED(self->device, self->fd, ETIMEDOUT, send_until(self->fd, "x", now_ns(), 0));
}

TEST_F(expiry, never_comes_if_it_is_far_off)
{
	char text[8];

	ASSERT_EQ(0, send_until(self->fd, "x", UINT64_MAX, 0));
	ASSERT_EQ(0, send_until(self->fd, "y", (UINT64_MAX >> 1) + 1, 0));
	EXPECT_EQ(2, box_stat(self->fd).messages);
	EXPECT_EQ(1, box_receive_text(self->fd, text, sizeof(text)));
	EXPECT_EQ(1, box_receive_text(self->fd, text, sizeof(text)));
}

TEST_F(expiry, an_expired_message_cannot_be_received)
{
	char text[8];

	pass_time(send_soon(self->fd, "x"));
	EXPECT_EQ(-EAGAIN, box_receive_text(self->fd, text, sizeof(text)));
}

TEST_F(expiry, an_expired_message_cannot_be_peeked_at)
{
	struct mailbox_receive args = receive_args(NULL, 0);

	pass_time(send_soon(self->fd, "x"));
	args.flags |= MAILBOX_PEEK | MAILBOX_TRUNCATE;
	EXPECT_EQ(-EAGAIN, box_receive(self->fd, &args));
}

TEST_F(expiry, an_expired_message_is_counted)
{
	struct mailbox_stat stat;

	pass_time(send_soon(self->fd, "x"));
	stat = box_stat(self->fd);
	EXPECT_EQ(1, stat.sent);
	EXPECT_EQ(1, stat.expired);
	EXPECT_EQ(0, stat.messages);
	EXPECT_EQ(0, stat.bytes);
}

TEST_F(expiry, an_expired_message_is_not_readable)
{
	pass_time(send_soon(self->fd, "x"));
	EXPECT_EQ(0, poll_now(self->fd, POLLIN));
}

TEST_F(expiry, an_expired_message_makes_room)
{
	int fd = box_new_limited(self->device, MAILBOX_ON_FULL_WAIT, 1);

	pass_time(send_soon(fd, "x"));
	EXPECT_EQ(POLLOUT, poll_now(fd, POLLOUT));
	EXPECT_EQ(0, box_send_text(fd, "y", 0, 0));
	close(fd);
}

TEST_F(expiry, an_expired_message_lets_a_waiting_sender_in)
{
	struct mailbox_send args = send_args("second", 6);
	int fd = box_new_limited(self->device, MAILBOX_ON_FULL_WAIT, 1);

	send_soon(fd, "first");
	args.flags = 0;
	EXPECT_EQ(0, box_send(fd, &args));
	EXPECT_EQ(1, box_stat(fd).expired);
	EXPECT_EQ(1, box_stat(fd).messages);
	close(fd);
}

/* Nobody but those who wait touches the mailbox: only a timer can let them in. */
TEST_F(expiry, each_one_lets_a_waiting_sender_in)
{
	int fd = box_new_limited(self->device, MAILBOX_ON_FULL_WAIT, 2);
	struct mailbox_send args = send_args("late", 4);
	__u64 now = now_ns();
	pid_t pids[2];

	ASSERT_EQ(0, send_until(fd, "first", now + SECOND / 2, 0));
	ASSERT_EQ(0, send_until(fd, "second", now + SECOND, 0));
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
		pids[i] = child_fork();
		if (!pids[i]) {
			args.flags = MAILBOX_DEADLINE;
			args.deadline = now + PATIENCE;
			_exit(box_send(fd, &args) ? KSFT_FAIL : KSFT_PASS);
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++)
		child_done(pids[i]);
	EXPECT_EQ(2, box_stat(fd).expired);
	close(fd);
}

TEST_F(expiry, takes_out_the_one_that_expired_and_no_other)
{
	char text[8];
	__u64 expiry;

	ASSERT_EQ(0, send_until(self->fd, "a", far_future(), 5));
	ASSERT_EQ(0, box_send_text(self->fd, "b", 0, 5));
	expiry = send_soon(self->fd, "c");
	ASSERT_EQ(0, send_until(self->fd, "d", far_future() + SECOND, 0));
	pass_time(expiry);
	EXPECT_EQ(3, box_stat(self->fd).messages);
	EXPECT_EQ(1, box_receive_text(self->fd, text, sizeof(text)));
	EXPECT_STREQ("a", text);
	EXPECT_EQ(1, box_receive_text(self->fd, text, sizeof(text)));
	EXPECT_STREQ("b", text);
	EXPECT_EQ(1, box_receive_text(self->fd, text, sizeof(text)));
	EXPECT_STREQ("d", text);
}

/* Five runs of messages that arrived one after the other, and in each one in the middle. */
TEST_F(expiry, takes_out_the_middle_of_each_run)
{
	__u64 expiry = now_ns() + SECOND / 2;
	char text[8];
	__u32 priority;
	int sent = 0;

	for (priority = 5; priority > 0; priority--) {
		ASSERT_EQ(0, box_send_text(self->fd, "a", 0, priority));
		sent += send_until(self->fd, "x", expiry, priority) == 0;
		ASSERT_EQ(0, box_send_text(self->fd, "b", 0, priority));
	}
	ASSERT_LT(0, sent);
	pass_time(expiry);
	EXPECT_EQ(sent, box_stat(self->fd).expired);
	for (int i = 0; i < 10; i++) {
		EXPECT_EQ(1, box_receive_text(self->fd, text, sizeof(text)));
		EXPECT_STREQ(i % 2 ? "b" : "a", text);
	}
	EXPECT_EQ(-EAGAIN, box_receive_text(self->fd, text, sizeof(text)));
}

TEST_F(expiry, hundreds_at_once)
{
	struct mailbox_stat stat;
	__u64 expiry;
	int i, sent = 0;

	expiry = now_ns() + SECOND / 2;
	for (i = 0; i < 500; i++)
		sent += send_until(self->fd, "x", expiry, i % 7) == 0;
	ASSERT_LT(0, sent);
	pass_time(expiry);
	stat = box_stat(self->fd);
	EXPECT_EQ(sent, stat.expired);
	EXPECT_EQ(0, stat.messages);
}

TEST_F(expiry, ends_the_wait_of_its_sender)
{
	struct mailbox_send args = send_args("x", 1);
	int fd = box_new_limited(self->device, MAILBOX_ON_FULL_WAIT, 1);

	ASSERT_EQ(0, box_send_text(fd, "fills", 0, 0));
	args.flags = MAILBOX_EXPIRES;
	args.expiry = now_ns() + SECOND / 10;
	EXPECT_REFUSED(self->device, fd, ETIMEDOUT, box_send(fd, &args));
	EXPECT_LE(args.expiry, now_ns());
	close(fd);
}

TEST_F(expiry, ends_the_wait_of_a_rendezvous)
{
	struct mailbox_send args = send_args("x", 1);
	int fd = box_new_capacity(self->device, MAILBOX_CAPACITY_RENDEZVOUS);

	args.flags = MAILBOX_EXPIRES;
	args.expiry = now_ns() + SECOND / 10;
	EXPECT_REFUSED(self->device, fd, ETIMEDOUT, box_send(fd, &args));
	close(fd);
}

/* The time is over, but the sender has no processor to find out: it must not be met. */
TEST_F(expiry, an_expired_message_at_a_rendezvous_cannot_be_received)
{
	int fd = box_new_capacity(self->device, MAILBOX_CAPACITY_RENDEZVOUS);
	const struct sched_param first = { .sched_priority = 1 }, last = { 0 };
	struct mailbox_stat stat = { 0 };
	cpu_set_t one, all;
	__u64 delay, expiry;
	char text[8];
	pid_t pid;

	if (!is_root())
		SKIP(return, "needs root");
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	ASSERT_EQ(0, sched_getaffinity(0, sizeof(all), &all));
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(one), &one));
	/* A machine too slow for that tries again, with more time. */
	for (delay = SECOND / 20;; delay *= 2) {
		expiry = now_ns() + delay;
		pid = child_fork();
		if (!pid) {
			struct mailbox_send args = send_args("x", 1);

			args.flags = MAILBOX_EXPIRES;
			args.expiry = expiry;
			EXPECT_EQ(-ETIMEDOUT, box_send(fd, &args));
			_exit(KSFT_PASS);
		}
		while (!stat.senders && now_ns() < expiry) {
			sched_yield();
			stat = box_stat(fd);
		}
		ASSERT_EQ(0, sched_setscheduler(0, SCHED_FIFO, &first));
		if (stat.senders && now_ns() < expiry)
			break;
		ASSERT_EQ(0, sched_setscheduler(0, SCHED_OTHER, &last));
		stat.senders = 0;
		child_done(pid);
	}
	pass_time(expiry);
	EXPECT_EQ(-EAGAIN, box_receive_text(fd, text, sizeof(text)));
	stat = box_stat(fd);
	EXPECT_EQ(0, stat.senders);
	EXPECT_EQ(0, stat.sent);
	EXPECT_EQ(0, stat.expired);
	ASSERT_EQ(0, sched_setscheduler(0, SCHED_OTHER, &last));
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(all), &all));
	child_done(pid);
	close(fd);
}

TEST_F(expiry, pays_the_quota_back)
{
	struct mailbox_info before = device_info(self->device), after;
	char *data = calloc(1, 50000);
	struct mailbox_send args = send_args(data, 50000);
	int fd = box_new(self->device), i, sent = 0;
	__u64 end;

	args.flags |= MAILBOX_EXPIRES;
	args.expiry = now_ns() + SECOND / 2;
	for (i = 0; i < 50; i++)
		sent += box_send(fd, &args) == 0;
	pass_time(args.expiry);
	EXPECT_EQ(sent, box_stat(fd).expired);
	/* A few buffers are kept; the timer, which counts them first, may still free the rest. */
	end = now_ns() + PATIENCE;
	do
		after = device_info(self->device);
	while (before.bytes + 20 * 50000 <= after.bytes && now_ns() < end);
	EXPECT_GT(before.bytes + 20 * 50000, after.bytes);
	close(fd);
	EXPECT_EQ(before.bytes, device_info(self->device).bytes);
	free(data);
}

TEST_HARNESS_MAIN
