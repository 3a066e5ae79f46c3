// SPDX-License-Identifier: GPL-2.0
/*
 * How a receipt is asked for: structures of each size, what is refused, memory that
 * faults, batches, quotas; and who sees whom.
 */
#include "receipt.h"
#include "world.h"

#define SOMEBODY 1000
#define OLD_SIZE 56
#define BASE	 100000

FIXTURE(receipt_call)
{
	int device;
	int fd;
	int to;
	struct mailbox_receipt receipt;
	struct mailbox_send send;
	struct mailbox_send wait;
};

FIXTURE_SETUP(receipt_call)
{
	self->device = device_open();
	self->fd = box_new(self->device);
	self->to = box_new(self->device);
	self->send = answered_args(self->to, "a");
	self->wait = waiting_args(&self->receipt, "a");
	self->wait.flags |= MAILBOX_DEADLINE;
	self->wait.deadline = 1;
}

FIXTURE_TEARDOWN(receipt_call)
{
	close(self->fd);
	close(self->to);
	close(self->device);
}

#define REFUSED(error, args) \
	do { \
		EXPECT_REFUSED(self->device, self->to, error, box_send(self->fd, args)); \
		EXPECT_REFUSED(self->device, self->fd, error, box_send(self->fd, args)); \
	} while (0)

TEST_F(receipt_call, one_or_the_other)
{
	self->send.flags = MAILBOX_RECEIPT | MAILBOX_RECEIPT_WAIT;
	self->send.receipt_data = self->wait.receipt_data;
	REFUSED(EINVAL, &self->send);
}

TEST_F(receipt_call, reserved_is_zero_where_a_receipt_is_asked_for)
{
	self->send.reserved = 1;
	REFUSED(EINVAL, &self->send);
	self->wait.reserved = 1;
	REFUSED(EINVAL, &self->wait);
	self->send.flags &= ~MAILBOX_RECEIPT;
	self->send.receipt = 12345;
	EXPECT_EQ(0, box_send(self->fd, &self->send));
}

TEST_F(receipt_call, old_structures_send_without)
{
	struct mailbox_send *old = edge_new(OLD_SIZE);
	char text[8];

	memcpy(old, &self->send, OLD_SIZE);
	old->size = OLD_SIZE;
	REFUSED(EINVAL, old);
	old->flags = MAILBOX_RECEIPT_WAIT;
	REFUSED(EINVAL, old);
	old->flags = MAILBOX_NONBLOCK;
	EXPECT_EQ(0, box_send(self->fd, old));
	EXPECT_EQ(1, old->sequence);
	EXPECT_EQ(1, box_receive_text(self->fd, text, sizeof(text)));
	old->size = OLD_SIZE - 8;
	REFUSED(EINVAL, old);
	/* Between the two versions. */
	self->send.size = OLD_SIZE + 8;
	REFUSED(EINVAL, &self->send);
}

TEST_F(receipt_call, longer_structures)
{
	struct {
		struct mailbox_send send;
		__u64 more;
	} longer = { self->send, 0 };

	longer.send.size = sizeof(longer);
	EXPECT_EQ(0, box_send(self->fd, &longer.send));
	longer.more = 1;
	REFUSED(E2BIG, &longer.send);
}

TEST_F(receipt_call, receipts_of_each_size)
{
	struct {
		struct mailbox_receipt receipt;
		__u64 more;
	} longer = { { .size = sizeof(longer) }, 0 };

	self->receipt.size = sizeof(self->receipt) - 8;
	REFUSED(EINVAL, &self->wait);
	self->receipt.size = 8192;
	REFUSED(E2BIG, &self->wait);
	self->wait.receipt_data = user_pointer(&longer);
	longer.more = 1;
	REFUSED(E2BIG, &self->wait);
	longer.more = 0;
	self->wait.flags = MAILBOX_RECEIPT_WAIT;
	EXPECT_EQ(0, box_send_soon_expired(self->fd, &self->wait));
	EXPECT_EQ(sizeof(longer), longer.receipt.size);
	EXPECT_EQ(MAILBOX_END_EXPIRED, longer.receipt.end);
}

TEST_F(receipt_call, a_receipt_that_cannot_be_written)
{
	size_t size;

	for (size = 0; size < sizeof(self->receipt); size += 4) {
		self->receipt.size = sizeof(self->receipt);
		self->wait.receipt_data =
			user_pointer(memcpy(edge_new(size), &self->receipt, size));
		REFUSED(EFAULT, &self->wait);
	}
	self->wait.receipt_data = user_pointer(readonly_new(&self->receipt, sizeof(self->receipt)));
	REFUSED(EFAULT, &self->wait);
	self->wait.receipt_data = user_pointer(kernel_address());
	REFUSED(EFAULT, &self->wait);
	self->wait.receipt_data = 0;
	REFUSED(EFAULT, &self->wait);
}

TEST_F(receipt_call, payloads_that_fault_promise_nothing)
{
	self->send.data = user_pointer(hole_new(1));
	REFUSED(EFAULT, &self->send);
	self->send.length = 0;
	EXPECT_EQ(0, box_send(self->fd, &self->send));
}

TEST_F(receipt_call, batches)
{
	struct mailbox_send entries[3];
	char text[8];
	int i;

	for (i = 0; i < 3; i++) {
		entries[i] = self->send;
		entries[i].flags = MAILBOX_RECEIPT;
		entries[i].cookie = COOKIE + i;
	}
	ASSERT_EQ(3, box_batch(self->fd, MAILBOX_IOC_SEND_BATCH, entries, sizeof(entries[0]), 3));
	for (i = 0; i < 3; i++)
		ASSERT_EQ(1, box_receive_text(self->fd, text, sizeof(text)));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(COOKIE + i, take_receipt(self->to).cookie);
	entries[0].flags = MAILBOX_RECEIPT_WAIT;
	EXPECT_REFUSED(self->device, self->fd, EOPNOTSUPP,
		       box_batch(self->fd, MAILBOX_IOC_SEND_BATCH, entries, sizeof(entries[0]), 1));
}

TEST_F(receipt_call, the_sender_pays)
{
	uint64_t old = parameter_get("max_messages_per_user");
	struct usage before;
	pid_t child = child_fork();

	if (!child) {
		become(SOMEBODY, SOMEBODY);
		before = usage_of_caller(self->device);
		ASSERT_EQ(0, box_send(self->fd, &self->send));
		EXPECT_EQ(before.messages + 2, usage_of_caller(self->device).messages);
		_exit(KSFT_PASS);
	}
	child_done(child);
	parameter_set("max_messages_per_user", 3);
	child = child_fork();
	if (!child) {
		become(SOMEBODY, SOMEBODY);
		/* One is left, for the message. */
		REFUSED(EDQUOT, &self->send);
		self->send.flags = MAILBOX_NONBLOCK;
		EXPECT_EQ(0, box_send(self->fd, &self->send));
		_exit(KSFT_PASS);
	}
	child_done(child);
	parameter_set("max_messages_per_user", old);
}

/* The sender's names for who took it, whoever that was. */
TEST_F(receipt_call, as_the_user_namespace_of_the_sender_sees_it)
{
	unsigned int *flag = flag_new();
	char text[8];
	pid_t child = child_fork(), other;

	if (!child) {
		flag_await(flag, 1);
		ASSERT_EQ(0, unshare(CLONE_NEWUSER));
		flag_raise(flag);
		flag_await(flag, 3);
		ASSERT_EQ(0, setresgid(0, 0, 0));
		ASSERT_EQ(0, setresuid(0, 0, 0));
		ASSERT_EQ(0, box_send(self->fd, &self->send));
		ASSERT_EQ(0, box_send(self->fd, &self->send));
		_exit(KSFT_PASS);
	}
	flag_raise(flag);
	flag_await(flag, 2);
	map_ids(child, 0, BASE, 10);
	flag_raise(flag);
	child_done(child);

	ASSERT_EQ(1, box_receive_text(self->fd, text, sizeof(text)));
	self->receipt = take_receipt(self->to);
	EXPECT_EQ(getpid(), self->receipt.pid);
	EXPECT_EQ(65534, self->receipt.uid);
	EXPECT_EQ(65534, self->receipt.gid);
	other = child_fork();
	if (!other) {
		become(BASE + 4, BASE + 5);
		ASSERT_EQ(1, box_receive_text(self->fd, text, sizeof(text)));
		_exit(KSFT_PASS);
	}
	child_done(other);
	self->receipt = take_receipt(self->to);
	EXPECT_EQ(other, self->receipt.pid);
	EXPECT_EQ(4, self->receipt.uid);
	EXPECT_EQ(5, self->receipt.gid);
}

TEST_F(receipt_call, as_the_pid_namespace_of_the_sender_sees_it)
{
	unsigned int *flag = flag_new();
	char text[8];
	pid_t outer = child_fork();

	if (!outer) {
		pid_t inner;

		ASSERT_EQ(0, unshare(CLONE_NEWPID));
		/* child_fork() looks for the parent, which is not to be seen from in there. */
		inner = fork();
		if (!inner) {
			pid_t taker;

			ASSERT_EQ(1, getpid());
			ASSERT_EQ(0, box_send(self->fd, &self->send));
			flag_raise(flag);
			flag_await(flag, 2);
			ASSERT_EQ(0, box_send(self->fd, &self->send));
			taker = fork();
			if (!taker) {
				ASSERT_EQ(1, box_receive_text(self->fd, text, sizeof(text)));
				_exit(KSFT_PASS);
			}
			child_done(taker);
			self->receipt = take_receipt(self->to);
			EXPECT_EQ(taker, self->receipt.pid);
			EXPECT_EQ(taker, self->receipt.tid);
			_exit(KSFT_PASS);
		}
		child_done(inner);
		_exit(KSFT_PASS);
	}
	flag_await(flag, 1);
	ASSERT_EQ(1, box_receive_text(self->fd, text, sizeof(text)));
	self->receipt = take_receipt(self->to);
	/* From in there we cannot be seen. */
	EXPECT_EQ(MAILBOX_END_RECEIVED, self->receipt.end);
	EXPECT_EQ(0, self->receipt.pid);
	EXPECT_EQ(0, self->receipt.tid);
	EXPECT_EQ(0, self->receipt.uid);
	flag_raise(flag);
	child_done(outer);
}

TEST_HARNESS_MAIN
