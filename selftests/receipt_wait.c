// SPDX-License-Identifier: GPL-2.0
/*
 * Receipts by waiting: the call returns when the message has ended, or takes it back.
 */
#include "receipt.h"

FIXTURE(receipt_wait)
{
	int device;
	int fd;
	unsigned int *flag;
	/* What a child's call returned. */
	struct mailbox_receipt *receipt;
};

FIXTURE_SETUP(receipt_wait)
{
	self->device = device_open();
	self->fd = box_new(self->device);
	self->flag = flag_new();
	self->receipt = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_TRUE(self->receipt != MAP_FAILED);
}

FIXTURE_TEARDOWN(receipt_wait)
{
	close(self->fd);
	close(self->device);
}

/* A child sends, with these flags more, and must get that result. */
static pid_t send_waiting(FIXTURE_DATA(receipt_wait) * self, int fd, __u32 flags, __u64 time,
			  int result)
{
	pid_t child = child_fork();

	if (!child) {
		struct mailbox_send args = waiting_args(self->receipt, "a");

		args.flags |= flags;
		args.deadline = time;
		args.expiry = time;
		EXPECT_EQ(result, box_send(fd, &args));
		if (!result)
			EXPECT_EQ(self->receipt->sequence, args.sequence);
		EXPECT_EQ(sizeof(*self->receipt), self->receipt->size);
		_exit(KSFT_PASS);
	}
	return child;
}

static void take(int fd)
{
	char text[8];

	ASSERT_EQ(1, box_receive_text(fd, text, sizeof(text)));
	EXPECT_STREQ("a", text);
}

TEST_F(receipt_wait, received)
{
	pid_t child = send_waiting(self, self->fd, 0, 0, 0);

	wait_messages(self->fd, 1);
	wait_sleeping(child, child);
	EXPECT_EQ(0, box_stat(self->fd).senders);
	take(self->fd);
	child_done(child);
	expect_taken(self->receipt, self->fd, 1, MAILBOX_END_RECEIVED, getpid());
}

TEST_F(receipt_wait, received_by_who_waits_already)
{
	pid_t child = child_that_waits(self->fd);
	struct mailbox_receipt receipt;
	struct mailbox_send send = waiting_args(&receipt, "a");

	ASSERT_EQ(0, box_send(self->fd, &send));
	child_done(child);
	EXPECT_EQ(1, send.sequence);
	expect_taken(&receipt, self->fd, 1, MAILBOX_END_RECEIVED, child);
}

TEST_F(receipt_wait, received_after_waiting_for_room)
{
	int fd = box_new_limited(self->device, MAILBOX_ON_FULL_WAIT, 1);
	char text[8];
	pid_t child;

	ASSERT_EQ(0, box_send_text(fd, "x", 0, 0));
	child = send_waiting(self, fd, 0, 0, 0);
	wait_waiters(fd, 0, 1);
	ASSERT_EQ(1, box_receive_text(fd, text, sizeof(text)));
	EXPECT_STREQ("x", text);
	wait_messages(fd, 1);
	take(fd);
	child_done(child);
	expect_taken(self->receipt, fd, 2, MAILBOX_END_RECEIVED, getpid());
}

TEST_F(receipt_wait, at_a_rendezvous)
{
	int fd = box_new_capacity(self->device, MAILBOX_CAPACITY_RENDEZVOUS);
	pid_t child = send_waiting(self, fd, 0, 0, 0);
	__u64 lease;

	wait_waiters(fd, 0, 1);
	take(fd);
	child_done(child);
	expect_taken(self->receipt, fd, 1, MAILBOX_END_RECEIVED, getpid());

	/* Under a lease it goes on waiting. */
	child = send_waiting(self, fd, 0, 0, 0);
	wait_waiters(fd, 0, 1);
	lease = box_lease(fd);
	wait_waiters(fd, 0, 0);
	wait_sleeping(child, child);
	ASSERT_EQ(0, box_ack(fd, lease));
	child_done(child);
	expect_taken(self->receipt, fd, 2, MAILBOX_END_ACKNOWLEDGED, getpid());
}

TEST_F(receipt_wait, acknowledged)
{
	pid_t child = send_waiting(self, self->fd, 0, 0, 0);
	__u64 lease;

	wait_messages(self->fd, 1);
	ASSERT_EQ(0, box_nack(self->fd, box_lease(self->fd), 0));
	lease = box_lease(self->fd);
	wait_sleeping(child, child);
	ASSERT_EQ(0, box_ack(self->fd, lease));
	child_done(child);
	expect_taken(self->receipt, self->fd, 1, MAILBOX_END_ACKNOWLEDGED, getpid());
	EXPECT_EQ(1, self->receipt->deliveries);
}

TEST_F(receipt_wait, expired)
{
	struct mailbox_receipt receipt;
	struct mailbox_send send = waiting_args(&receipt, "a");

	ASSERT_EQ(0, box_send_soon_expired(self->fd, &send));
	expect_untaken(&receipt, self->fd, 1, MAILBOX_END_EXPIRED);
	EXPECT_LE(send.expiry, receipt.time);
}

TEST_F(receipt_wait, overwritten)
{
	int fd = box_new_limited(self->device, MAILBOX_ON_FULL_OVERWRITE, 1);
	pid_t child = send_waiting(self, fd, 0, 0, 0);

	wait_messages(fd, 1);
	wait_sleeping(child, child);
	ASSERT_EQ(0, box_send_text(fd, "b", 0, 0));
	child_done(child);
	expect_untaken(self->receipt, fd, 1, MAILBOX_END_OVERWRITTEN);
}

TEST_F(receipt_wait, dead_and_dropped)
{
	int dead = box_new(self->device);
	const int boxes[] = {
		box_new_mortal(self->device, 1, box_stat(dead).id),
		box_new_mortal(self->device, 1, 0),
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(boxes); i++) {
		pid_t child = send_waiting(self, boxes[i], 0, 0, 0);

		wait_messages(boxes[i], 1);
		ASSERT_EQ(0, box_nack(boxes[i], box_lease(boxes[i]), 0));
		child_done(child);
		expect_untaken(self->receipt, boxes[i], 1,
			       i ? MAILBOX_END_DROPPED : MAILBOX_END_DEAD);
		EXPECT_EQ(1, self->receipt->deliveries);
	}
}

TEST_F(receipt_wait, destroyed)
{
	int leased;

	for (leased = 0; leased < 2; leased++) {
		int fd = box_new(self->device);
		pid_t child = send_waiting(self, fd, 0, 0, 0);

		wait_messages(fd, 1);
		if (leased)
			box_lease(fd);
		wait_sleeping(child, child);
		ASSERT_EQ(0, box_destroy(fd, 0, NULL));
		child_done(child);
		expect_untaken(self->receipt, -1, 1, MAILBOX_END_DESTROYED);
		close(fd);
	}
}

/* All as it was, but for what a number that was used leaves behind. */
static void expect_taken_back(int fd, __u64 sent)
{
	struct mailbox_stat stat = box_stat(fd);

	EXPECT_EQ(sent, stat.sent);
	EXPECT_EQ(0, stat.messages);
	EXPECT_EQ(0, stat.bytes);
	EXPECT_EQ(0, stat.received);
	expect_nothing(fd);
}

TEST_F(receipt_wait, taken_back_at_the_deadline)
{
	struct mailbox_receipt receipt;
	struct mailbox_send send = waiting_args(&receipt, "a");

	send.flags |= MAILBOX_DEADLINE;
	send.deadline = now_ns() + SECOND / 100;
	EXPECT_EQ(-ETIMEDOUT, box_send(self->fd, &send));
	EXPECT_LE(send.deadline, now_ns());
	expect_taken_back(self->fd, 0);
	/* Also from among others, and where it was leased before. */
	ASSERT_EQ(0, box_send_text(self->fd, "x", 1, 0));
	EXPECT_EQ(-ETIMEDOUT, box_send(self->fd, &send));
	ASSERT_EQ(0, box_send_text(self->fd, "y", 1, 0));
	EXPECT_EQ(2, box_stat(self->fd).sent);
	expect_delivered(self->fd, "x", 0);
	expect_delivered(self->fd, "y", 0);
	expect_nothing(self->fd);
}

TEST_F(receipt_wait, what_is_taken_back_makes_room)
{
	int fd = box_new_limited(self->device, MAILBOX_ON_FULL_WAIT, 1);
	pid_t waiting = send_waiting(self, fd, MAILBOX_DEADLINE, now_ns() + 2 * SECOND, -ETIMEDOUT);
	pid_t child;

	wait_messages(fd, 1);
	child = child_fork();
	if (!child) {
		struct mailbox_send args = send_args("b", 1);

		args.flags = 0;
		_exit(box_send(fd, &args) ? KSFT_FAIL : KSFT_PASS);
	}
	child_done(child);
	child_done(waiting);
	expect_delivered(fd, "b", 0);
	EXPECT_EQ(1, box_stat(fd).sent);
}

TEST_F(receipt_wait, taken_back_when_killed)
{
	pid_t child = send_waiting(self, self->fd, 0, 0, 0);

	wait_messages(self->fd, 1);
	wait_sleeping(child, child);
	child_kill(child);
	expect_taken_back(self->fd, 0);
}

static void interrupt(int signal __attribute__((unused)))
{
}

TEST_F(receipt_wait, taken_back_on_a_signal_or_sent_again)
{
	int restart;

	for (restart = 0; restart < 2; restart++) {
		int fd = box_new(self->device);
		pid_t child = child_fork();

		if (!child) {
			struct sigaction action = { .sa_handler = interrupt,
						    .sa_flags = restart ? SA_RESTART : 0 };
			struct mailbox_send args = waiting_args(self->receipt, "a");

			ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
			EXPECT_EQ(restart ? 0 : -EINTR, box_send(fd, &args));
			_exit(KSFT_PASS);
		}
		wait_messages(fd, 1);
		wait_sleeping(child, child);
		ASSERT_EQ(0, kill(child, SIGUSR1));
		if (restart) {
			char text[8];
			struct mailbox_receive args = receive_args(text, sizeof(text));
			__u64 end = now_ns() + PATIENCE;

			/* The second one has the next number. */
			do {
				ASSERT_LT(now_ns(), end);
				args.flags = MAILBOX_NONBLOCK | MAILBOX_PEEK;
			} while (box_receive(fd, &args) || args.sequence != 2);
			take(fd);
			child_done(child);
			expect_taken(self->receipt, fd, 2, MAILBOX_END_RECEIVED, getpid());
			EXPECT_EQ(1, box_stat(fd).sent);
		} else {
			child_done(child);
			expect_taken_back(fd, 0);
		}
		close(fd);
	}
}

TEST_F(receipt_wait, pending_while_leased)
{
	__u64 deadline = now_ns() + 2 * SECOND, lease;
	pid_t child = send_waiting(self, self->fd, MAILBOX_DEADLINE, deadline, 0);

	wait_messages(self->fd, 1);
	lease = box_lease(self->fd);
	child_done(child);
	EXPECT_LE(deadline, now_ns());
	expect_taken(self->receipt, self->fd, 1, MAILBOX_END_PENDING, getpid());
	/* It goes its way. */
	ASSERT_EQ(0, box_nack(self->fd, lease, 0));
	expect_delivered(self->fd, "a", 1);
	EXPECT_EQ(1, box_stat(self->fd).sent);
}

TEST_F(receipt_wait, pending_while_given_back_with_a_delay)
{
	pid_t child = send_waiting(self, self->fd, MAILBOX_DEADLINE, now_ns() + 2 * SECOND, 0);

	wait_messages(self->fd, 1);
	ASSERT_EQ(0, box_nack(self->fd, box_lease(self->fd), 3600 * SECOND));
	child_done(child);
	expect_untaken(self->receipt, self->fd, 1, MAILBOX_END_PENDING);
	EXPECT_EQ(1, self->receipt->deliveries);
	EXPECT_EQ(1, box_stat(self->fd).messages);
}

TEST_F(receipt_wait, a_killed_sender_leaves_what_is_leased)
{
	pid_t child = send_waiting(self, self->fd, 0, 0, 0);
	__u64 lease;

	wait_messages(self->fd, 1);
	lease = box_lease(self->fd);
	wait_sleeping(child, child);
	child_kill(child);
	ASSERT_EQ(0, box_nack(self->fd, lease, 0));
	expect_delivered(self->fd, "a", 1);
	EXPECT_EQ(1, box_stat(self->fd).received);
}

TEST_F(receipt_wait, not_where_nobody_may_wait)
{
	struct mailbox_receipt receipt;
	struct mailbox_send send = waiting_args(&receipt, "a");

	send.flags |= MAILBOX_NONBLOCK;
	EXPECT_REFUSED(self->device, self->fd, EINVAL, box_send(self->fd, &send));
	send.flags &= ~MAILBOX_NONBLOCK;
	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, O_NONBLOCK));
	EXPECT_REFUSED(self->device, self->fd, EINVAL, box_send(self->fd, &send));
}

TEST_F(receipt_wait, two_wait_and_each_gets_its_own)
{
	struct mailbox_receipt *receipts = self->receipt;
	pid_t children[8];
	char text[8];
	int i;

	for (i = 0; i < 8; i++) {
		children[i] = child_fork();
		if (!children[i]) {
			struct mailbox_send args = waiting_args(&receipts[i], "a");

			args.cookie = i;
			args.type = i;
			EXPECT_EQ(0, box_send(self->fd, &args));
			EXPECT_EQ(args.sequence, receipts[i].sequence);
			EXPECT_EQ(i, receipts[i].cookie);
			_exit(KSFT_PASS);
		}
	}
	wait_messages(self->fd, 8);
	for (i = 7; i >= 0; i--) {
		struct mailbox_receive args = receive_args(text, sizeof(text));

		args.select = MAILBOX_SELECT_TYPE;
		args.match = i;
		ASSERT_EQ(0, box_receive(self->fd, &args));
		child_done(children[i]);
		EXPECT_EQ(args.sequence, receipts[i].sequence);
	}
}

TEST_HARNESS_MAIN
