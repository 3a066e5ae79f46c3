// SPDX-License-Identifier: GPL-2.0
/*
 * The mailbox that gets receipts: their room is promised, by the rules for ordinary
 * messages, or nothing is sent; and it may be gone when they come.
 */
#include "receipt.h"
#include "world.h"

#define SOMEBODY 1000

FIXTURE(receipt_room)
{
	int device;
	int fd;
	int to;
};

FIXTURE_SETUP(receipt_room)
{
	self->device = device_open();
	self->fd = box_new(self->device);
	self->to = box_new_limited(self->device, MAILBOX_ON_FULL_WAIT, 2);
}

FIXTURE_TEARDOWN(receipt_room)
{
	close(self->fd);
	close(self->to);
	close(self->device);
}

static void take(int fd)
{
	char text[8];

	ASSERT_LE(0, box_receive_text(fd, text, sizeof(text)));
}

TEST_F(receipt_room, none_left_is_eagain)
{
	struct mailbox_send send = answered_args(self->to, "a");

	ASSERT_EQ(0, box_send_text(self->to, "x", 0, 0));
	ASSERT_EQ(0, box_send(self->fd, &send));
	/* At once, whatever waits for room here. */
	send.flags = MAILBOX_RECEIPT;
	EXPECT_REFUSED(self->device, self->fd, EAGAIN, box_send(self->fd, &send));
	EXPECT_REFUSED(self->device, self->to, EAGAIN, box_send(self->fd, &send));
	EXPECT_EQ(-EAGAIN, box_send_text(self->to, "y", 0, 0));
	EXPECT_EQ(0, poll_now(self->to, POLLOUT));
	take(self->to);
	EXPECT_EQ(POLLOUT, poll_now(self->to, POLLOUT));
	ASSERT_EQ(0, box_send(self->fd, &send));
	EXPECT_EQ(2, box_stat(self->to).promised);
}

TEST_F(receipt_room, a_full_mailbox_keeps_no_receiver_waiting)
{
	int i;

	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, box_send_answered(self->fd, self->to, "a"));
	for (i = 0; i < 2; i++)
		take(self->fd);
	EXPECT_EQ(0, box_stat(self->to).promised);
	EXPECT_EQ(2, box_stat(self->to).messages);
	EXPECT_EQ(-EAGAIN, box_send_answered(self->fd, self->to, "a"));
	take_receipt(self->to);
	take_receipt(self->to);
	EXPECT_EQ(2, box_stat(self->to).received);
}

TEST_F(receipt_room, lower_limits_break_no_promise)
{
	struct mailbox_set set = {
		.size = sizeof(set),
		.flags = MAILBOX_SET_MAX_MESSAGES | MAILBOX_SET_MESSAGE_SIZE |
			 MAILBOX_SET_MAX_BYTES,
		.max_messages = 1,
		.message_size = 1,
		.max_bytes = 1,
	};
	int i;

	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, box_send_answered(self->fd, self->to, "a"));
	ASSERT_EQ(0, call(self->to, MAILBOX_IOC_SET, &set));
	for (i = 0; i < 2; i++)
		take(self->fd);
	take_receipt(self->to);
	take_receipt(self->to);
	EXPECT_REFUSED(self->device, self->fd, EMSGSIZE,
		       box_send_answered(self->fd, self->to, "a"));
}

TEST_F(receipt_room, promises_are_not_overwritten)
{
	struct mailbox_set set = { .size = sizeof(set),
				   .flags = MAILBOX_SET_ON_FULL,
				   .on_full = MAILBOX_ON_FULL_OVERWRITE };
	int i;

	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, box_send_answered(self->fd, self->to, "a"));
	ASSERT_EQ(0, call(self->to, MAILBOX_IOC_SET, &set));
	EXPECT_REFUSED(self->device, self->to, EAGAIN, box_send_text(self->to, "x", 0, 0));
	EXPECT_EQ(0, poll_now(self->to, POLLOUT));
	take(self->fd);
	ASSERT_EQ(0, box_send_text(self->to, "x", 0, 0));
	EXPECT_EQ(1, box_stat(self->to).overwritten);
	EXPECT_EQ(2, box_stat(self->to).messages);
}

TEST_F(receipt_room, an_undone_promise_lets_the_next_one_in)
{
	int full = box_new_limited(self->device, MAILBOX_ON_FULL_WAIT, 1);
	struct mailbox_send send = answered_args(self->to, "a");
	pid_t holder, child;

	ASSERT_EQ(0, box_send_text(full, "x", 0, 0));
	ASSERT_EQ(0, box_send_text(self->to, "x", 0, 0));
	holder = child_fork();
	if (!holder) {
		send.flags = MAILBOX_RECEIPT;
		box_send(full, &send);
		_exit(KSFT_FAIL);
	}
	wait_waiters(full, 0, 1);
	child = child_fork();
	if (!child) {
		struct mailbox_send args = send_args("b", 1);

		args.flags = 0;
		_exit(box_send(self->to, &args) ? KSFT_FAIL : KSFT_PASS);
	}
	wait_waiters(self->to, 0, 1);
	child_kill(holder);
	child_done(child);
	EXPECT_EQ(0, box_stat(self->to).promised);
	EXPECT_EQ(2, box_stat(self->to).messages);
}

TEST_F(receipt_room, which_mailboxes_take_receipts)
{
	struct mailbox_create args;
	struct mailbox_receipt receipt;
	unsigned int policy;
	int to;

	to = box_new_capacity(self->device, MAILBOX_CAPACITY_RENDEZVOUS);
	EXPECT_REFUSED(self->device, self->fd, EINVAL, box_send_answered(self->fd, to, "a"));
	to = box_new_limited(self->device, MAILBOX_ON_FULL_OVERWRITE, 2);
	EXPECT_REFUSED(self->device, self->fd, EINVAL, box_send_answered(self->fd, to, "a"));
	args = create_args();
	args.message_size = sizeof(receipt) - 1;
	to = box_create(self->device, &args);
	EXPECT_REFUSED(self->device, self->fd, EMSGSIZE, box_send_answered(self->fd, to, "a"));
	args = create_args();
	args.flags = MAILBOX_FIXED_SIZE;
	args.message_size = sizeof(receipt) + 1;
	to = box_create(self->device, &args);
	EXPECT_REFUSED(self->device, self->fd, EMSGSIZE, box_send_answered(self->fd, to, "a"));
	to = box_open(self->device, box_stat(self->to).id, NULL, MAILBOX_RIGHT_RECEIVE);
	ASSERT_LE(0, to);
	EXPECT_REFUSED(self->device, self->fd, EACCES, box_send_answered(self->fd, to, "a"));
	to = box_new(self->device);
	ASSERT_EQ(0, box_destroy(to, 0, NULL));
	EXPECT_REFUSED(self->device, self->fd, EIDRM, box_send_answered(self->fd, to, "a"));
	EXPECT_REFUSED(self->device, self->fd, EINVAL,
		       box_send_answered(self->fd, self->device, "a"));
	EXPECT_REFUSED(self->device, self->fd, EINVAL, box_send_answered(self->fd, -1, "a"));
	EXPECT_REFUSED(self->device, self->fd, EINVAL, box_send_answered(self->fd, 1000, "a"));

	args = create_args();
	args.flags = MAILBOX_FIXED_SIZE;
	args.message_size = sizeof(receipt);
	args.on_full = MAILBOX_ON_FULL_REFUSE;
	to = box_create(self->device, &args);
	ASSERT_EQ(0, box_send_answered(self->fd, to, "a"));
	take(self->fd);
	take_receipt(to);
	to = box_new_capacity(self->device, MAILBOX_CAPACITY_UNBOUNDED);
	ASSERT_EQ(0, box_send_answered(self->fd, to, "a"));
	take(self->fd);
	take_receipt(to);
	for (policy = MAILBOX_POLICY_ANY; policy <= MAILBOX_POLICY_ONE; policy++) {
		to = box_new_policy(self->device, policy);
		ASSERT_EQ(0, box_send_answered(self->fd, to, "a"));
		take(self->fd);
		take_receipt(to);
	}
}

/* Messages that go through mailboxes of each policy, with receipts. */
TEST_F(receipt_room, messages_of_each_policy)
{
	struct mailbox_receipt receipt;
	unsigned int policy;

	for (policy = MAILBOX_POLICY_ANY; policy <= MAILBOX_POLICY_ONE; policy++) {
		int fd = box_new_policy(self->device, policy);

		ASSERT_EQ(0, box_send_answered(fd, self->to, "a"));
		take(fd);
		receipt = take_receipt(self->to);
		expect_taken(&receipt, fd, 1, MAILBOX_END_RECEIVED, getpid());
		ASSERT_EQ(0, box_send_answered(fd, self->to, "a"));
		ASSERT_EQ(0, box_ack(fd, box_lease(fd)));
		receipt = take_receipt(self->to);
		expect_taken(&receipt, fd, 2, MAILBOX_END_ACKNOWLEDGED, getpid());
		close(fd);
	}
}

TEST_F(receipt_room, destroyed_while_promised)
{
	int i;

	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, box_send_answered(self->fd, self->to, "a"));
	ASSERT_EQ(0, box_destroy(self->to, 0, NULL));
	take(self->fd);
	EXPECT_EQ(1, box_stat(self->fd).received);
	close(self->to);
	/* Now the other receipt is all that keeps it in memory. */
	take(self->fd);
	EXPECT_EQ(2, box_stat(self->fd).received);
	self->to = box_new(self->device);
}

TEST_F(receipt_room, closed_by_the_last_handle_while_promised)
{
	struct mailbox_send send = answered_args(self->to, "a");

	ASSERT_EQ(0, box_send(self->fd, &send));
	close(self->to);
	take(self->fd);
	EXPECT_EQ(1, box_stat(self->fd).received);
	/* Both go at once: each by a timer, with a receipt to the other. */
	self->to = box_new(self->device);
	send.receipt = self->to;
	send.flags |= MAILBOX_EXPIRES;
	send.expiry = now_ns() + SECOND / 2;
	ASSERT_EQ(0, box_send(self->fd, &send));
	send.receipt = self->fd;
	ASSERT_EQ(0, box_send(self->to, &send));
	close(self->fd);
	close(self->to);
	self->fd = box_new(self->device);
	self->to = box_new(self->device);
}

TEST_F(receipt_room, of_a_permanent_mailbox_outlives_the_sender)
{
	struct mailbox_create args = create_args();
	struct mailbox_receipt receipt;
	__u64 id;
	int fd;
	pid_t child = child_fork();

	if (!child)
		_exit(box_send_answered(self->fd, self->to, "a") ? KSFT_FAIL : KSFT_PASS);
	child_done(child);
	take(self->fd);
	receipt = take_receipt(self->to);
	/* The ids are told as the one who is gone would see them. */
	expect_taken(&receipt, self->fd, 1, MAILBOX_END_RECEIVED, getpid());

	args.flags = MAILBOX_PERMANENT;
	fd = box_create(self->device, &args);
	id = args.id;
	ASSERT_EQ(0, box_send_answered(fd, self->to, "a"));
	close(fd);
	ASSERT_EQ(0, box_destroy(self->device, id, NULL));
	receipt = take_receipt(self->to);
	expect_untaken(&receipt, -1, 1, MAILBOX_END_DESTROYED);
}

TEST_F(receipt_room, the_share_of_the_sender_counts)
{
	struct mailbox_create args = create_args();
	pid_t child;

	args.mode = 0666;
	args.max_messages = 4;
	args.share = 50;
	close(self->to);
	self->to = box_create(self->device, &args);
	ASSERT_LE(0, self->to);
	child = child_fork();
	if (!child) {
		become(SOMEBODY, SOMEBODY);
		ASSERT_EQ(0, box_send_answered(self->fd, self->to, "a"));
		ASSERT_EQ(0, box_send_answered(self->fd, self->to, "a"));
		EXPECT_EQ(-EAGAIN, box_send_answered(self->fd, self->to, "a"));
		_exit(KSFT_PASS);
	}
	child_done(child);
	ASSERT_EQ(0, box_send_answered(self->fd, self->to, "a"));
	EXPECT_EQ(3, box_stat(self->to).promised);
}

TEST_HARNESS_MAIN
