// SPDX-License-Identifier: GPL-2.0
/*
 * Files in messages are closed with the end of the message, whichever it is, and are no
 * longer in flight then; not earlier.
 */
#include "common_files.h"
#include "common_grant.h"
#include "receipt.h"
#include "world.h"

FIXTURE(files_end)
{
	int device;
	int fd;
	struct witness witness;
};

FIXTURE_SETUP(files_end)
{
	self->device = device_open();
	self->fd = box_new(self->device);
	self->witness = witness_new();
}

FIXTURE_TEARDOWN(files_end)
{
	witness_end(&self->witness);
	close(self->fd);
	close(self->device);
}

/* Of the one message that has it: this child, which waits with it, is all that keeps it. */
static pid_t wait_to_send(FIXTURE_DATA(files_end) * self, struct mailbox_send *args, int result)
{
	pid_t pid;

	args->flags = MAILBOX_FILES | (args->flags & ~MAILBOX_NONBLOCK);
	args->files = user_pointer(&self->witness.writer);
	args->nr_files = 1;
	pid = child_fork();
	if (!pid) {
		EXPECT_EQ(result, box_send(self->fd, args));
		close(self->witness.writer);
		witness_await_end(&self->witness);
		_exit(KSFT_PASS);
	}
	close(self->witness.writer);
	self->witness.writer = -1;
	return pid;
}

/* A mailbox with one place, which is taken. */
static void fill(FIXTURE_DATA(files_end) * self)
{
	close(self->fd);
	self->fd = box_new_limited(self->device, MAILBOX_ON_FULL_WAIT, 1);
	ASSERT_EQ(0, box_send_text(self->fd, "full", 0, 0));
}

static __u64 lease_witness(FIXTURE_DATA(files_end) * self)
{
	__u64 lease;

	box_send_witness(self->fd, &self->witness);
	lease = box_lease(self->fd);
	EXPECT_TRUE(witness_is_open(&self->witness));
	return lease;
}

TEST_F(files_end, read)
{
	char text[16];

	box_send_witness(self->fd, &self->witness);
	EXPECT_EQ(7, read(self->fd, text, sizeof(text)));
	witness_await_end(&self->witness);
}

TEST_F(files_end, acknowledged)
{
	ASSERT_EQ(0, box_ack(self->fd, lease_witness(self)));
	witness_await_end(&self->witness);
}

TEST_F(files_end, expired)
{
	struct mailbox_send args = send_files_args("x", &self->witness.writer, 1);

	ASSERT_EQ(0, box_send_soon_expired(self->fd, &args));
	close(self->witness.writer);
	self->witness.writer = -1;
	witness_await_end(&self->witness);
	EXPECT_EQ(1, box_stat(self->fd).expired);
}

TEST_F(files_end, expired_under_a_lease)
{
	struct mailbox_send args = send_files_args("x", &self->witness.writer, 1);
	struct mailbox_receive lease = leasing_args(NULL, 0);

	ASSERT_EQ(0, box_send_soon_expired(self->fd, &args));
	close(self->witness.writer);
	self->witness.writer = -1;
	lease.flags |= MAILBOX_TRUNCATE;
	/* A slow machine is too late. */
	if (!box_receive(self->fd, &lease))
		EXPECT_EQ(MAILBOX_HAS_FILES | MAILBOX_TRUNCATED, lease.result);
	witness_await_end(&self->witness);
	EXPECT_EQ(1, box_stat(self->fd).expired);
}

TEST_F(files_end, overwritten)
{
	int fd = box_new_limited(self->device, MAILBOX_ON_FULL_OVERWRITE, 1);

	box_send_witness(fd, &self->witness);
	ASSERT_EQ(0, box_send_text(fd, "over", 0, 0));
	witness_await_end(&self->witness);
	close(fd);
}

TEST_F(files_end, destroyed)
{
	box_send_witness(self->fd, &self->witness);
	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	witness_await_end(&self->witness);
}

TEST_F(files_end, destroyed_under_a_lease)
{
	lease_witness(self);
	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	witness_await_end(&self->witness);
}

TEST_F(files_end, with_the_last_handle)
{
	box_send_witness(self->fd, &self->witness);
	ASSERT_EQ(0, close(self->fd));
	self->fd = -1;
	witness_await_end(&self->witness);
}

TEST_F(files_end, with_the_process_that_has_the_last_handle)
{
	pid_t pid = child_fork();

	if (!pid) {
		int fd = box_new(self->device);

		box_send_witness(fd, &self->witness);
		raise(SIGKILL);
	}
	close(self->witness.writer);
	self->witness.writer = -1;
	waitpid(pid, NULL, 0);
	witness_await_end(&self->witness);
}

TEST_F(files_end, not_with_the_sender)
{
	pid_t pid = child_fork();
	int got = -1;

	if (!pid) {
		box_send_witness(self->fd, &self->witness);
		_exit(KSFT_PASS);
	}
	close(self->witness.writer);
	self->witness.writer = -1;
	child_done(pid);
	EXPECT_TRUE(witness_is_open(&self->witness));
	ASSERT_EQ(1, box_receive_files(self->fd, &got, 1));
	expect_writer(&self->witness, got);
	close(got);
	witness_await_end(&self->witness);
}

TEST_F(files_end, not_with_the_holder_of_a_lease)
{
	pid_t pid = child_fork();
	int got = -1;

	if (!pid) {
		lease_witness(self);
		raise(SIGKILL);
	}
	close(self->witness.writer);
	self->witness.writer = -1;
	waitpid(pid, NULL, 0);
	EXPECT_TRUE(witness_is_open(&self->witness));
	EXPECT_EQ(1, box_stat(self->fd).redelivered);
	ASSERT_EQ(1, box_receive_files(self->fd, &got, 1));
	expect_writer(&self->witness, got);
	close(got);
}

TEST_F(files_end, dead_without_a_mailbox_for_it)
{
	struct mailbox_create create = create_args();
	int fd;

	create.max_deliveries = 1;
	fd = box_create(self->device, &create);
	ASSERT_LE(0, fd);
	box_send_witness(fd, &self->witness);
	ASSERT_EQ(0, box_nack(fd, box_lease(fd), 0));
	EXPECT_EQ(1, box_stat(fd).dropped);
	witness_await_end(&self->witness);
	close(fd);
}

TEST_F(files_end, not_with_the_move_to_the_dead_letters)
{
	struct mailbox_create create = create_args();
	char text[16];
	int fd, got = -1;
	struct mailbox_receive args = receive_files_args(text, sizeof(text), &got, 1);

	create.max_deliveries = 1;
	create.dead_letter = box_stat(self->fd).id;
	fd = box_create(self->device, &create);
	ASSERT_LE(0, fd);
	box_send_witness(fd, &self->witness);
	ASSERT_EQ(0, box_nack(fd, box_lease(fd), 0));
	EXPECT_EQ(1, box_stat(fd).dead);
	close(fd);
	EXPECT_TRUE(witness_is_open(&self->witness));
	ASSERT_EQ(0, box_receive(self->fd, &args));
	EXPECT_EQ(MAILBOX_IS_DEAD_LETTER | MAILBOX_HAS_FILES, args.result);
	EXPECT_EQ(1, args.nr_files);
	expect_writer(&self->witness, got);
	close(got);
	witness_await_end(&self->witness);
}

TEST_F(files_end, refused_by_a_full_mailbox)
{
	close(self->fd);
	self->fd = box_new_limited(self->device, MAILBOX_ON_FULL_REFUSE, 1);
	ASSERT_EQ(0, box_send_text(self->fd, "full", 0, 0));
	EXPECT_REFUSED(self->device, self->fd, EAGAIN,
		       box_send_files(self->fd, "x", &self->witness.writer, 1));
	close(self->witness.writer);
	self->witness.writer = -1;
	witness_await_end(&self->witness);
}

TEST_F(files_end, sender_gives_up_in_line)
{
	struct mailbox_send args = send_args("x", 1);
	pid_t pid;

	fill(self);
	args.flags |= MAILBOX_DEADLINE;
	args.deadline = now_ns() + SECOND / 20;
	pid = wait_to_send(self, &args, -ETIMEDOUT);
	child_done(pid);
	witness_await_end(&self->witness);
}

TEST_F(files_end, sender_is_killed_in_line)
{
	struct mailbox_send args = send_args("x", 1);
	pid_t pid;

	fill(self);
	pid = wait_to_send(self, &args, 0);
	wait_waiters(self->fd, 0, 1);
	EXPECT_TRUE(witness_is_open(&self->witness));
	child_kill(pid);
	witness_await_end(&self->witness);
}

TEST_F(files_end, sender_in_line_has_its_mailbox_destroyed)
{
	struct mailbox_send args = send_args("x", 1);
	pid_t pid;

	fill(self);
	pid = wait_to_send(self, &args, -EIDRM);
	wait_waiters(self->fd, 0, 1);
	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	child_done(pid);
	witness_await_end(&self->witness);
}

TEST_F(files_end, sender_in_line_is_received_from)
{
	struct mailbox_send args = send_args("x", 1);
	char text[8];
	int got = -1;
	struct mailbox_receive wanted = receive_files_args(text, sizeof(text), &got, 0);
	pid_t pid;

	fill(self);
	args.type = 5;
	pid = wait_to_send(self, &args, 0);
	wait_waiters(self->fd, 0, 1);
	wanted.select = MAILBOX_SELECT_TYPE;
	wanted.match = 5;
	EXPECT_REFUSED(self->device, self->fd, EMSGSIZE, box_receive(self->fd, &wanted));
	EXPECT_EQ(1, wanted.nr_files);
	ASSERT_EQ(0, box_receive(self->fd, &wanted));
	expect_writer(&self->witness, got);
	close(got);
	child_done(pid);
	witness_await_end(&self->witness);
}

TEST_F(files_end, at_a_rendezvous)
{
	struct mailbox_send args = send_args("x", 1);
	int got = -1;
	pid_t pid;

	close(self->fd);
	self->fd = box_new_capacity(self->device, MAILBOX_CAPACITY_RENDEZVOUS);
	pid = wait_to_send(self, &args, 0);
	wait_waiters(self->fd, 0, 1);
	EXPECT_EQ(-EMSGSIZE, box_receive_files(self->fd, &got, 0));
	ASSERT_EQ(1, box_receive_files(self->fd, &got, 1));
	expect_writer(&self->witness, got);
	close(got);
	child_done(pid);
	witness_await_end(&self->witness);
}

TEST_F(files_end, at_a_rendezvous_that_comes_to_nothing)
{
	struct mailbox_send args = send_args("x", 1);
	pid_t pid;

	close(self->fd);
	self->fd = box_new_capacity(self->device, MAILBOX_CAPACITY_RENDEZVOUS);
	pid = wait_to_send(self, &args, 0);
	wait_waiters(self->fd, 0, 1);
	EXPECT_TRUE(witness_is_open(&self->witness));
	child_kill(pid);
	witness_await_end(&self->witness);
}

TEST_F(files_end, taken_back_for_want_of_a_receipt)
{
	struct mailbox_receipt receipt;
	struct mailbox_send args = waiting_args(&receipt, "x");
	pid_t pid;

	args.flags |= MAILBOX_DEADLINE;
	args.deadline = now_ns() + SECOND / 20;
	pid = wait_to_send(self, &args, -ETIMEDOUT);
	child_done(pid);
	witness_await_end(&self->witness);
	EXPECT_EQ(0, box_stat(self->fd).messages);
}

TEST_F(files_end, with_a_receipt)
{
	struct mailbox_send args = answered_args(self->fd, "x");
	int to = box_new(self->device), got = -1;

	args.flags |= MAILBOX_FILES;
	args.files = user_pointer(&self->witness.writer);
	args.nr_files = 1;
	args.receipt = to;
	ASSERT_EQ(0, box_send(self->fd, &args));
	ASSERT_EQ(1, box_receive_files(self->fd, &got, 1));
	EXPECT_EQ(MAILBOX_END_RECEIVED, take_receipt(to).end);
	close(got);
	/* No room for the receipt: nothing is sent. */
	close(to);
	to = box_new_limited(self->device, MAILBOX_ON_FULL_WAIT, 1);
	ASSERT_EQ(0, box_send_text(to, "full", 0, 0));
	args.receipt = to;
	EXPECT_REFUSED(self->device, self->fd, EAGAIN, box_send(self->fd, &args));
	close(to);
	close(self->witness.writer);
	self->witness.writer = -1;
	witness_await_end(&self->witness);
}

TEST_F(files_end, broadcast_to_nobody)
{
	struct mailbox_create create = create_args();
	int fd;

	create.policy = MAILBOX_POLICY_BROADCAST;
	create.on_full = MAILBOX_ON_FULL_OVERWRITE;
	create.rights = MAILBOX_RIGHT_SEND;
	fd = box_create(self->device, &create);
	ASSERT_LE(0, fd);
	box_send_files(fd, "x", &self->witness.writer, 1);
	EXPECT_EQ(1, box_stat(fd).dropped);
	close(self->witness.writer);
	self->witness.writer = -1;
	witness_await_end(&self->witness);
	close(fd);
}

TEST_F(files_end, broadcast_that_is_overwritten)
{
	struct mailbox_create create = create_args();
	int fd;

	create.policy = MAILBOX_POLICY_BROADCAST;
	create.on_full = MAILBOX_ON_FULL_OVERWRITE;
	create.max_messages = 1;
	fd = box_create(self->device, &create);
	ASSERT_LE(0, fd);
	box_send_witness(fd, &self->witness);
	ASSERT_EQ(0, box_send_text(fd, "over", 0, 0));
	witness_await_end(&self->witness);
	close(fd);
}

TEST_F(files_end, what_has_ended_is_charged_no_more)
{
	struct usage before = usage_of_caller(self->device);
	int fd = box_new(self->device);

	box_send_witness(fd, &self->witness);
	EXPECT_LT(before.bytes + 384, usage_of_caller(self->device).bytes);
	close(fd);
	EXPECT_USAGE(self->device, before);
}

TEST_HARNESS_MAIN
