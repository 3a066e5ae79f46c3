// SPDX-License-Identifier: GPL-2.0
/*
 * Receipts as messages: one for each way in which a message ends, and no second one.
 */
#include "receipt.h"

FIXTURE(receipt)
{
	int device;
	int fd;
	int to;
};

FIXTURE_SETUP(receipt)
{
	self->device = device_open();
	self->fd = box_new(self->device);
	self->to = box_new(self->device);
}

FIXTURE_TEARDOWN(receipt)
{
	close(self->fd);
	close(self->to);
	close(self->device);
}

static void expect_promised(FIXTURE_DATA(receipt) * self, __u64 promised)
{
	struct mailbox_stat stat = box_stat(self->to);

	EXPECT_EQ(promised, stat.promised);
	EXPECT_EQ(promised, stat.messages);
	EXPECT_EQ(promised * sizeof(struct mailbox_receipt), stat.bytes);
}

static void expect_no_more(FIXTURE_DATA(receipt) * self)
{
	expect_promised(self, 0);
	expect_nothing(self->to);
}

TEST_F(receipt, received)
{
	struct mailbox_receipt receipt;
	__u64 before = now_ns();
	char text[8];

	ASSERT_EQ(0, box_send_answered(self->fd, self->to, "a"));
	expect_promised(self, 1);
	expect_nothing(self->to);
	ASSERT_EQ(1, box_receive_text(self->fd, text, sizeof(text)));
	EXPECT_STREQ("a", text);
	receipt = take_receipt(self->to);
	expect_taken(&receipt, self->fd, 1, MAILBOX_END_RECEIVED, getpid());
	EXPECT_LE(before, receipt.time);
	EXPECT_EQ(0, receipt.deliveries);
	expect_no_more(self);
}

TEST_F(receipt, the_message_itself_is_an_ordinary_one)
{
	char text[8];
	struct mailbox_receive args = receive_args(text, sizeof(text));

	ASSERT_EQ(0, box_send_answered(self->fd, self->to, "a"));
	args.flags |= MAILBOX_PEEK;
	ASSERT_EQ(0, box_receive(self->fd, &args));
	EXPECT_EQ(0, args.result);
	expect_nothing(self->to);
	args.flags &= ~MAILBOX_PEEK;
	ASSERT_EQ(0, box_receive(self->fd, &args));
	EXPECT_EQ(0, args.result);
	EXPECT_EQ(getpid(), args.pid);
	/* And so is the next, which may have its memory. */
	ASSERT_EQ(0, box_send_text(self->fd, "b", 0, 0));
	ASSERT_EQ(0, box_receive(self->fd, &args));
	EXPECT_EQ(0, args.result);
	take_receipt(self->to);
	expect_no_more(self);
	ASSERT_EQ(0, box_send_text(self->to, "c", 0, 0));
	ASSERT_EQ(0, box_receive(self->to, &args));
	EXPECT_EQ(0, args.result);
}

TEST_F(receipt, received_by_read)
{
	struct mailbox_receipt receipt;
	char text[8];

	ASSERT_EQ(0, box_send_answered(self->fd, self->to, "a"));
	ASSERT_EQ(1, read(self->fd, text, sizeof(text)));
	receipt = take_receipt(self->to);
	expect_taken(&receipt, self->fd, 1, MAILBOX_END_RECEIVED, getpid());
}

TEST_F(receipt, received_by_a_batch)
{
	char text[3][8];
	struct mailbox_receive entries[3];
	struct mailbox_receipt receipt;
	int i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, box_send_answered(self->fd, self->to, "a"));
		entries[i] = receive_args(text[i], sizeof(text[i]));
		entries[i].flags = 0;
	}
	ASSERT_EQ(3,
		  box_batch(self->fd, MAILBOX_IOC_RECEIVE_BATCH, entries, sizeof(entries[0]), 3));
	for (i = 0; i < 3; i++) {
		receipt = take_receipt(self->to);
		expect_taken(&receipt, self->fd, 1 + i, MAILBOX_END_RECEIVED, getpid());
	}
	expect_no_more(self);
}

TEST_F(receipt, received_by_who_waits)
{
	struct mailbox_receipt receipt;
	pid_t child = child_that_waits(self->fd);

	ASSERT_EQ(0, box_send_answered(self->fd, self->to, "a"));
	child_done(child);
	receipt = take_receipt(self->to);
	expect_taken(&receipt, self->fd, 1, MAILBOX_END_RECEIVED, child);
}

TEST_F(receipt, received_at_a_rendezvous_and_from_the_line)
{
	const int boxes[] = {
		box_new_capacity(self->device, MAILBOX_CAPACITY_RENDEZVOUS),
		box_new_limited(self->device, MAILBOX_ON_FULL_WAIT, 1),
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(boxes); i++) {
		char text[8];
		struct mailbox_receive args = receive_args(text, sizeof(text));
		struct mailbox_receipt receipt;
		pid_t child;

		if (i)
			ASSERT_EQ(0, box_send_text(boxes[i], "x", 1, 0));
		child = child_fork();
		if (!child) {
			struct mailbox_send send = answered_args(self->to, "a");

			send.flags = MAILBOX_RECEIPT;
			_exit(box_send(boxes[i], &send) ? KSFT_FAIL : KSFT_PASS);
		}
		wait_waiters(boxes[i], 0, 1);
		expect_promised(self, 1);
		args.select = MAILBOX_SELECT_TYPE;
		ASSERT_EQ(0, box_receive(boxes[i], &args));
		child_done(child);
		receipt = take_receipt(self->to);
		expect_taken(&receipt, boxes[i], args.sequence, MAILBOX_END_RECEIVED, getpid());
		expect_no_more(self);
	}
}

TEST_F(receipt, who_gives_up_waiting_gets_none)
{
	const int boxes[] = {
		box_new_capacity(self->device, MAILBOX_CAPACITY_RENDEZVOUS),
		box_new_limited(self->device, MAILBOX_ON_FULL_WAIT, 1),
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(boxes); i++) {
		struct mailbox_send send = answered_args(self->to, "a");
		pid_t child;

		if (i)
			ASSERT_EQ(0, box_send_text(boxes[i], "x", 0, 0));
		EXPECT_REFUSED(self->device, self->to, EAGAIN, box_send(boxes[i], &send));
		send.flags = MAILBOX_RECEIPT | MAILBOX_DEADLINE;
		send.deadline = now_ns() + SECOND / 100;
		EXPECT_REFUSED(self->device, self->to, ETIMEDOUT, box_send(boxes[i], &send));
		send.flags = MAILBOX_RECEIPT | MAILBOX_EXPIRES;
		send.expiry = now_ns() + SECOND / 100;
		EXPECT_REFUSED(self->device, self->to, ETIMEDOUT, box_send(boxes[i], &send));
		child = child_fork();
		if (!child) {
			send.flags = MAILBOX_RECEIPT;
			box_send(boxes[i], &send);
			_exit(KSFT_FAIL);
		}
		wait_waiters(boxes[i], 0, 1);
		expect_promised(self, 1);
		child_kill(child);
		expect_no_more(self);
	}
}

TEST_F(receipt, acknowledged)
{
	struct mailbox_receipt receipt;
	__u64 lease;

	ASSERT_EQ(0, box_send_answered(self->fd, self->to, "a"));
	lease = box_lease(self->fd);
	expect_nothing(self->to);
	ASSERT_EQ(0, box_nack(self->fd, lease, 0));
	expect_nothing(self->to);
	expect_promised(self, 1);
	lease = box_lease(self->fd);
	ASSERT_EQ(0, box_ack(self->fd, lease));
	receipt = take_receipt(self->to);
	expect_taken(&receipt, self->fd, 1, MAILBOX_END_ACKNOWLEDGED, getpid());
	EXPECT_EQ(1, receipt.deliveries);
	EXPECT_EQ(-ESTALE, box_ack(self->fd, lease));
	expect_no_more(self);
}

TEST_F(receipt, expired_in_the_queue)
{
	struct mailbox_send send = answered_args(self->to, "a");
	struct mailbox_receipt receipt;

	ASSERT_EQ(0, box_send_soon_expired(self->fd, &send));
	/* Nobody calls: the timer. */
	ASSERT_EQ(1, poll(&(struct pollfd){ .fd = self->to, .events = POLLIN }, 1, 30000));
	receipt = take_receipt(self->to);
	expect_untaken(&receipt, self->fd, 1, MAILBOX_END_EXPIRED);
	EXPECT_LE(send.expiry, receipt.time);
	EXPECT_EQ(1, box_stat(self->fd).expired);
	expect_no_more(self);
}

TEST_F(receipt, expired_under_a_lease)
{
	struct mailbox_send send = answered_args(self->to, "a");
	struct mailbox_receipt receipt;

	send.flags |= MAILBOX_EXPIRES;
	send.expiry = now_ns() + SECOND / 2;
	ASSERT_EQ(0, box_send(self->fd, &send));
	box_lease(self->fd);
	ASSERT_EQ(1, poll(&(struct pollfd){ .fd = self->to, .events = POLLIN }, 1, 30000));
	receipt = take_receipt(self->to);
	expect_untaken(&receipt, self->fd, 1, MAILBOX_END_EXPIRED);
	expect_no_more(self);
}

TEST_F(receipt, overwritten)
{
	int fd = box_new_limited(self->device, MAILBOX_ON_FULL_OVERWRITE, 1);
	struct mailbox_receipt receipt;

	ASSERT_EQ(0, box_send_answered(fd, self->to, "a"));
	ASSERT_EQ(0, box_send_answered(fd, self->to, "b"));
	receipt = take_receipt(self->to);
	expect_untaken(&receipt, fd, 1, MAILBOX_END_OVERWRITTEN);
	expect_promised(self, 1);
	close(fd);
	receipt = take_receipt(self->to);
	expect_untaken(&receipt, -1, 2, MAILBOX_END_DESTROYED);
	expect_no_more(self);
}

TEST_F(receipt, moved_to_the_dead_letters)
{
	int dead = box_new(self->device);
	int fd = box_new_mortal(self->device, 2, box_stat(dead).id);
	struct mailbox_receipt receipt;
	char text[8];

	ASSERT_EQ(0, box_send_answered(fd, self->to, "a"));
	ASSERT_EQ(0, box_nack(fd, box_lease(fd), 0));
	expect_nothing(self->to);
	ASSERT_EQ(0, box_nack(fd, box_lease(fd), 0));
	receipt = take_receipt(self->to);
	expect_untaken(&receipt, fd, 1, MAILBOX_END_DEAD);
	EXPECT_EQ(2, receipt.deliveries);
	/* What becomes of it there is nothing to its sender. */
	ASSERT_EQ(1, box_receive_text(dead, text, sizeof(text)));
	expect_no_more(self);
}

TEST_F(receipt, dropped)
{
	int dead = box_new_limited(self->device, MAILBOX_ON_FULL_WAIT, 1);
	const int boxes[] = {
		box_new_mortal(self->device, 1, 0),
		box_new_mortal(self->device, 1, box_stat(dead).id),
	};
	struct mailbox_receipt receipt;
	unsigned int i;

	ASSERT_EQ(0, box_send_text(dead, "full", 0, 0));
	for (i = 0; i < ARRAY_SIZE(boxes); i++) {
		ASSERT_EQ(0, box_send_answered(boxes[i], self->to, "a"));
		ASSERT_EQ(0, box_nack(boxes[i], box_lease(boxes[i]), 0));
		receipt = take_receipt(self->to);
		expect_untaken(&receipt, boxes[i], 1, MAILBOX_END_DROPPED);
		EXPECT_EQ(1, box_stat(boxes[i]).dropped);
		expect_no_more(self);
	}
}

TEST_F(receipt, destroyed_queued_and_leased)
{
	struct mailbox_receipt receipt;
	__u64 sum = 0;
	int i;

	for (i = 0; i < 200; i++)
		ASSERT_EQ(0, box_send_answered(self->fd, self->to, "a"));
	for (i = 0; i < 100; i++)
		box_lease(self->fd);
	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	for (i = 0; i < 200; i++) {
		receipt = take_receipt(self->to);
		expect_untaken(&receipt, -1, receipt.sequence, MAILBOX_END_DESTROYED);
		sum += receipt.sequence;
	}
	EXPECT_EQ(200 * 201 / 2, sum);
	expect_no_more(self);
}

TEST_F(receipt, to_the_mailbox_itself)
{
	struct mailbox_receipt receipt;
	char text[8];

	ASSERT_EQ(0, box_send_answered(self->fd, self->fd, "a"));
	EXPECT_EQ(2, box_stat(self->fd).messages);
	EXPECT_EQ(1, box_stat(self->fd).promised);
	ASSERT_EQ(1, box_receive_text(self->fd, text, sizeof(text)));
	receipt = take_receipt(self->fd);
	expect_taken(&receipt, self->fd, 1, MAILBOX_END_RECEIVED, getpid());
	EXPECT_EQ(2, box_stat(self->fd).received);
	/* One that expires, and ends the mailbox in its own timer, as it were. */
	ASSERT_EQ(0, box_send_answered(self->fd, self->fd, "a"));
	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
}

TEST_F(receipt, of_receipts_there_is_none)
{
	struct mailbox_receipt receipt;

	/* One that is leased, and becomes a dead letter, is a receipt still. */
	int dead = box_new(self->device);
	int to = box_new_mortal(self->device, 1, box_stat(dead).id);
	char text[8];

	ASSERT_EQ(0, box_send_answered(self->fd, to, "a"));
	ASSERT_EQ(1, box_receive_text(self->fd, text, sizeof(text)));
	ASSERT_EQ(0, box_nack(to, box_lease(to), 0));
	receipt = take_receipt(dead);
	expect_taken(&receipt, self->fd, 1, MAILBOX_END_RECEIVED, getpid());
}

TEST_F(receipt, cannot_be_forged)
{
	struct mailbox_receipt receipt = { 0 }, copy;
	struct mailbox_receive args;
	char text[8];

	ASSERT_EQ(0, box_send_answered(self->fd, self->to, "a"));
	ASSERT_EQ(1, box_receive_text(self->fd, text, sizeof(text)));
	receipt = take_receipt(self->to);
	ASSERT_EQ(0, box_send_data(self->to, &receipt, sizeof(receipt)));
	args = receive_args(&copy, sizeof(copy));
	args.flags |= MAILBOX_PEEK;
	ASSERT_EQ(0, box_receive(self->to, &args));
	EXPECT_EQ(0, args.result);
	args.flags &= ~MAILBOX_PEEK;
	ASSERT_EQ(0, box_receive(self->to, &args));
	EXPECT_EQ(0, args.result);
	EXPECT_EQ(0, memcmp(&receipt, &copy, sizeof(copy)));
}

TEST_F(receipt, says_so_to_each_way_of_receiving)
{
	struct mailbox_receipt receipt;
	struct mailbox_receive args = receive_args(&receipt, 8);
	char text[8];

	ASSERT_EQ(0, box_send_answered(self->fd, self->to, "a"));
	ASSERT_EQ(1, box_receive_text(self->fd, text, sizeof(text)));
	args.flags |= MAILBOX_PEEK | MAILBOX_TRUNCATE;
	ASSERT_EQ(0, box_receive(self->to, &args));
	EXPECT_EQ(MAILBOX_IS_RECEIPT | MAILBOX_TRUNCATED, args.result);
	args = leasing_args(&receipt, sizeof(receipt));
	ASSERT_EQ(0, box_receive(self->to, &args));
	EXPECT_EQ(MAILBOX_IS_RECEIPT, args.result);
	ASSERT_EQ(0, box_nack(self->to, args.lease, 0));
	args = receive_args(&receipt, sizeof(receipt));
	args.flags = 0;
	ASSERT_EQ(1, box_batch(self->to, MAILBOX_IOC_RECEIVE_BATCH, &args, sizeof(args), 1));
	EXPECT_EQ(MAILBOX_IS_RECEIPT, args.result);
	EXPECT_EQ(getpid(), args.pid);
	EXPECT_EQ(1, args.sequence);
}

TEST_F(receipt, comes_with_the_cookie_and_the_priority)
{
	struct mailbox_send send = answered_args(self->to, "a");
	struct mailbox_receipt receipt;
	struct mailbox_receive args = receive_args(&receipt, sizeof(receipt));
	char text[8];

	send.priority = 5;
	send.cookie = ~0ULL;
	ASSERT_EQ(0, box_send(self->fd, &send));
	ASSERT_EQ(1, box_receive_text(self->fd, text, sizeof(text)));
	ASSERT_EQ(0, box_receive(self->to, &args));
	EXPECT_EQ(5, args.priority);
	EXPECT_EQ(~0ULL, args.type);
	EXPECT_EQ(~0ULL, receipt.cookie);
	EXPECT_EQ(0, args.expiry);
}

TEST_F(receipt, wakes_who_waits_for_it)
{
	pid_t child = child_fork();
	char text[8];

	if (!child) {
		struct mailbox_receipt receipt;
		struct mailbox_receive args = receive_args(&receipt, sizeof(receipt));

		args.flags = 0;
		ASSERT_EQ(0, box_receive(self->to, &args));
		EXPECT_EQ(MAILBOX_IS_RECEIPT, args.result);
		expect_taken(&receipt, self->fd, 1, MAILBOX_END_RECEIVED, getppid());
		_exit(KSFT_PASS);
	}
	wait_waiters(self->to, 1, 0);
	ASSERT_EQ(0, box_send_answered(self->fd, self->to, "a"));
	ASSERT_EQ(1, box_receive_text(self->fd, text, sizeof(text)));
	child_done(child);
	expect_no_more(self);
}

TEST_HARNESS_MAIN
