// SPDX-License-Identifier: GPL-2.0
/*
 * Bytes that are read of messages with which something else goes, or whose sender waits for
 * something.
 */
#include "common_call.h"
#include "common_files.h"
#include "common_lease.h"
#include "common_loan.h"
#include "common_stream.h"
#include "receipt.h"

FIXTURE(stream_message)
{
	int device;
	/* Ordinary. */
	int fd;
	int reader;
};

FIXTURE_SETUP(stream_message)
{
	self->device = device_open();
	self->fd = box_new_limited(self->device, MAILBOX_ON_FULL_WAIT, 4);
	self->reader = stream_reader(self->device, box_stat(self->fd).id);
}

FIXTURE_TEARDOWN(stream_message)
{
	close(self->reader);
	close(self->fd);
	close(self->device);
}

static void put(int fd, const char *text)
{
	ASSERT_EQ(0, box_send_text(fd, text, 0, 0));
}

TEST_F(stream_message, at_a_rendezvous_the_sender_waits_for_the_first_byte)
{
	int fd = box_new_capacity(self->device, MAILBOX_CAPACITY_RENDEZVOUS);
	int reader = stream_reader(self->device, box_stat(fd).id);
	pid_t pid = child_fork();

	if (!pid) {
		EXPECT_EQ(5, write(fd, "first", 5));
		_exit(0);
	}
	wait_waiters(fd, -1, 1);
	EXPECT_BYTES(reader, 2, "fi");
	child_done(pid);
	EXPECT_EQ(1, box_stat(fd).messages);
	EXPECT_EQ(3, box_stat(fd).bytes);
	EXPECT_BYTES(reader, 64, "rst");
	EXPECT_EQ(0, box_stat(fd).messages);
	EXPECT_EQ(1, box_stat(fd).sent);
	EXPECT_EQ(1, box_stat(fd).received);
	close(reader);
	close(fd);
}

/* One that waits for room while all of it is leased is as one at a rendezvous. */
TEST_F(stream_message, of_a_sender_in_line)
{
	int fd = box_new_limited(self->device, MAILBOX_ON_FULL_WAIT, 1);
	int reader = stream_reader(self->device, box_stat(fd).id);
	__u64 lease;
	pid_t pid;

	put(fd, "leased");
	lease = box_lease(fd);
	pid = child_fork();
	if (!pid) {
		EXPECT_EQ(5, write(fd, "first", 5));
		_exit(0);
	}
	wait_waiters(fd, -1, 1);
	EXPECT_BYTES(reader, 2, "fi");
	child_done(pid);
	EXPECT_EQ(-EAGAIN, box_send_text(fd, "x", 0, 0));
	EXPECT_BYTES(reader, 64, "rst");
	ASSERT_EQ(0, box_nack(fd, lease, 0));
	EXPECT_BYTES(reader, 64, "leased");
	close(reader);
	close(fd);
}

TEST_F(stream_message, what_is_left_expires)
{
	struct mailbox_send args = send_args("0123456789", 10);

	ASSERT_EQ(0, box_send_soon_expired(self->fd, &args));
	args = send_args("0123456789", 10);
	args.flags |= MAILBOX_EXPIRES;
	args.expiry = now_ns() + SECOND / 5;
	ASSERT_EQ(0, box_send(self->fd, &args));
	EXPECT_BYTES(self->reader, 2, "01");
	while (box_stat(self->fd).messages)
		ASSERT_GT(args.expiry + PATIENCE, now_ns());
	EXPECT_EQ(2, box_stat(self->fd).expired);
	EXPECT_EQ(0, box_stat(self->fd).bytes);
}

TEST_F(stream_message, what_is_left_is_overwritten)
{
	int fd = box_new_limited(self->device, MAILBOX_ON_FULL_OVERWRITE, 1);
	int reader = stream_reader(self->device, box_stat(fd).id);

	put(fd, "first");
	EXPECT_BYTES(reader, 2, "fi");
	put(fd, "second");
	EXPECT_EQ(1, box_stat(fd).overwritten);
	EXPECT_EQ(6, box_stat(fd).bytes);
	EXPECT_BYTES(reader, 64, "second");
	close(reader);
	close(fd);
}

TEST_F(stream_message, a_loan_is_refused_and_stays)
{
	int fd = region_new(self->device, 4096);
	int reader = stream_reader(self->device, box_stat(fd).id);
	char byte;

	ASSERT_EQ(0, box_send_loan(fd, 4096));
	EXPECT_REFUSED(self->device, fd, EOPNOTSUPP, result_of(read(reader, &byte, 1)));
	close(reader);
	close(fd);
}

TEST_F(stream_message, files_are_there_until_the_last_byte)
{
	char text[8];
	struct mailbox_receive args = receive_args(text, sizeof(text));
	struct witness witness = witness_new();

	ASSERT_EQ(0, box_send_files(self->fd, "first", &witness.writer, 1));
	close(witness.writer);
	EXPECT_BYTES(self->reader, 4, "firs");
	EXPECT_TRUE(witness_is_open(&witness));
	args.flags |= MAILBOX_PEEK;
	ASSERT_EQ(0, box_receive(self->fd, &args));
	EXPECT_EQ(MAILBOX_HAS_FILES, args.result);
	EXPECT_BYTES(self->reader, 4, "t");
	witness_await_end(&witness);
	close(witness.reader);
}

TEST_F(stream_message, who_waits_to_be_told_is_told_at_the_last_byte)
{
	struct mailbox_receipt receipt;
	unsigned int *told = flag_new();
	pid_t pid = child_fork();

	if (!pid) {
		struct mailbox_send args = waiting_args(&receipt, "first");

		EXPECT_EQ(0, box_send(self->fd, &args));
		EXPECT_EQ(MAILBOX_END_RECEIVED, receipt.end);
		EXPECT_EQ(getppid(), receipt.pid);
		flag_raise(told);
		_exit(0);
	}
	while (!box_stat(self->fd).messages)
		sched_yield();
	wait_sleeping(pid, pid);
	EXPECT_BYTES(self->reader, 4, "firs");
	wait_sleeping(pid, pid);
	EXPECT_EQ(0, __atomic_load_n(told, __ATOMIC_ACQUIRE));
	EXPECT_BYTES(self->reader, 4, "t");
	child_done(pid);
}

/* Who reads bytes does not answer; but until the last of them is read, another may. */
TEST_F(stream_message, a_call_is_not_answered_by_reading_it)
{
	char answer[8];
	pid_t pid = child_fork();

	if (!pid) {
		struct mailbox_call args = call_args("first", 5, answer, sizeof(answer));

		EXPECT_EQ(-ECANCELED, box_call(self->fd, &args));
		_exit(0);
	}
	while (!box_stat(self->fd).messages)
		sched_yield();
	EXPECT_BYTES(self->reader, 4, "firs");
	wait_sleeping(pid, pid);
	EXPECT_BYTES(self->reader, 4, "t");
	child_done(pid);
}

TEST_HARNESS_MAIN
