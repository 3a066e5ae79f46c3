// SPDX-License-Identifier: GPL-2.0
/*
 * Handles that read bytes: what one read gets, and what it leaves for whom. Where the stream
 * ends is in stream_end.c, and what becomes of what goes with a message in stream_message.c.
 */
#include "common_broadcast.h"
#include "common_grant.h"
#include "common_lease.h"
#include "common_stream.h"

#include <limits.h>

#define LENGTH_MAX (3 * 4096 + 100)

FIXTURE(stream)
{
	int device;
	/* Ordinary. */
	int fd;
	int reader;
	__u64 id;
	char data[LENGTH_MAX];
};

FIXTURE_SETUP(stream)
{
	unsigned int i;

	for (i = 0; i < sizeof(self->data); i++)
		self->data[i] = i * 7 + i / 256;
	self->device = device_open();
	self->fd = box_new_limited(self->device, MAILBOX_ON_FULL_WAIT, 4);
	self->id = box_stat(self->fd).id;
	self->reader = stream_reader(self->device, self->id);
}

FIXTURE_TEARDOWN(stream)
{
	close(self->reader);
	close(self->fd);
	close(self->device);
}

static void put(int fd, const char *text)
{
	ASSERT_EQ(0, box_send_text(fd, text, 0, 0));
}

TEST_F(stream, a_read_takes_what_it_asks_for_of_one_message)
{
	put(self->fd, "first");
	put(self->fd, "second");
	EXPECT_BYTES(self->reader, 2, "fi");
	EXPECT_BYTES(self->reader, 64, "rst");
	EXPECT_BYTES(self->reader, 6, "second");
	EXPECT_DRY(self->reader);
}

TEST_F(stream, other_handles_read_messages)
{
	char text[8];

	put(self->fd, "first");
	EXPECT_EQ(-1, read(self->fd, text, 2));
	EXPECT_EQ(EMSGSIZE, errno);
	EXPECT_BYTES(self->reader, 2, "fi");
	/* That of which they are is what is left. */
	EXPECT_EQ(-1, read(self->fd, text, 2));
	EXPECT_EQ(EMSGSIZE, errno);
	EXPECT_EQ(3, read(self->fd, text, 3));
	EXPECT_EQ(0, memcmp("rst", text, 3));
}

/* Each length of a read, by each way to store a payload. */
TEST_F(stream, every_byte_once_and_in_order)
{
	static const size_t lengths[] = { 1, 7, 64, 100, 200, 4095, 4096, 4097, LENGTH_MAX };
	static const size_t parts[] = { 1, 3, 64, 1000, 4096, 5000 };
	unsigned int l, p;

	for (l = 0; l < ARRAY_SIZE(lengths); l++) {
		for (p = 0; p < ARRAY_SIZE(parts); p++) {
			const size_t length = lengths[l], part = parts[p];
			char data[LENGTH_MAX + 1];
			size_t got = 0;

			if (length / part > 5000)
				continue;
			poison(data, sizeof(data));
			ASSERT_EQ(0, box_send_data(self->fd, self->data, length));
			while (got < length) {
				ssize_t ret = read(self->reader, data + got, part);
				const size_t left = length - got;

				ASSERT_EQ((ssize_t)(left < part ? left : part), ret);
				got += ret;
			}
			EXPECT_EQ(0, memcmp(self->data, data, length));
			EXPECT_TRUE(is_poison(data + length, 1));
		}
	}
	EXPECT_DRY(self->reader);
	EXPECT_EQ(0, box_stat(self->fd).bytes);
}

TEST_F(stream, what_is_left_counts_as_a_message_and_by_its_bytes)
{
	struct mailbox_info before = device_info(self->device), after;
	struct mailbox_stat stat;

	put(self->fd, "0123456789");
	before = device_info(self->device);
	EXPECT_BYTES(self->reader, 4, "0123");
	stat = box_stat(self->fd);
	EXPECT_EQ(1, stat.messages);
	EXPECT_EQ(6, stat.bytes);
	EXPECT_EQ(1, stat.sent);
	EXPECT_EQ(0, stat.received);
	EXPECT_EQ(getpid(), stat.last_receiver);
	EXPECT_NE(0, stat.last_received);
	/* Its sender pays for all of it. */
	after = device_info(self->device);
	EXPECT_EQ(before.messages, after.messages);
	EXPECT_EQ(before.bytes, after.bytes);
	EXPECT_BYTES(self->reader, 64, "456789");
	stat = box_stat(self->fd);
	EXPECT_EQ(0, stat.messages);
	EXPECT_EQ(0, stat.bytes);
	EXPECT_EQ(1, stat.received);
}

TEST_F(stream, what_is_left_keeps_its_place_and_its_words)
{
	struct mailbox_send send = send_args("middle", 6);
	char text[16];
	struct mailbox_receive args = receive_args(text, sizeof(text));

	send.type = 7;
	send.priority = 3;
	put(self->fd, "last");
	ASSERT_EQ(0, box_send(self->fd, &send));
	EXPECT_BYTES(self->reader, 3, "mid");
	/* What is more urgent comes between. */
	ASSERT_EQ(0, box_send_text(self->fd, "urgent", 0, 9));
	EXPECT_BYTES(self->reader, 64, "urgent");
	ASSERT_EQ(0, box_receive(self->fd, &args));
	EXPECT_EQ(7, args.type);
	EXPECT_EQ(3, args.priority);
	EXPECT_EQ(send.sequence, args.sequence);
	EXPECT_EQ(3, args.length);
	EXPECT_EQ(0, args.result);
	EXPECT_EQ(0, memcmp("dle", text, 3));
	EXPECT_BYTES(self->reader, 64, "last");
}

TEST_F(stream, a_peek_sees_what_is_left)
{
	char text[16];
	struct mailbox_receive args = receive_args(text, sizeof(text));

	put(self->fd, "0123456789");
	EXPECT_BYTES(self->reader, 4, "0123");
	args.flags |= MAILBOX_PEEK;
	ASSERT_EQ(0, box_receive(self->fd, &args));
	EXPECT_EQ(6, args.length);
	EXPECT_EQ(0, memcmp("456789", text, 6));
	args = receive_args(text, 2);
	args.flags |= MAILBOX_TRUNCATE;
	ASSERT_EQ(0, box_receive(self->fd, &args));
	EXPECT_EQ(6, args.length);
	EXPECT_EQ(MAILBOX_TRUNCATED, args.result);
	EXPECT_EQ(0, memcmp("45", text, 2));
}

TEST_F(stream, what_is_left_can_be_leased_and_come_back)
{
	struct mailbox_stat stat;
	__u64 lease;

	put(self->fd, "0123456789");
	EXPECT_BYTES(self->reader, 4, "0123");
	lease = box_lease(self->fd);
	EXPECT_DRY(self->reader);
	stat = box_stat(self->fd);
	EXPECT_EQ(1, stat.leased);
	EXPECT_EQ(6, stat.bytes);
	ASSERT_EQ(0, box_nack(self->fd, lease, 0));
	EXPECT_BYTES(self->reader, 2, "45");
	lease = box_lease(self->fd);
	ASSERT_EQ(0, box_ack(self->fd, lease));
	EXPECT_EQ(0, box_stat(self->fd).bytes);
	EXPECT_EQ(1, box_stat(self->fd).received);
}

TEST_F(stream, a_message_that_is_used_again_is_whole)
{
	const ssize_t length = 200;
	char data[300];
	int i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, box_send_data(self->fd, self->data, length));
		EXPECT_EQ(100, read(self->reader, data, 100));
		EXPECT_EQ(length - 100, read(self->reader, data + 100, 200));
		EXPECT_EQ(0, memcmp(self->data, data, length));
		ASSERT_EQ(0, box_send_data(self->fd, self->data, length));
		EXPECT_EQ(length, read(self->fd, data, sizeof(data)));
		EXPECT_EQ(0, memcmp(self->data, data, length));
	}
}

TEST_F(stream, messages_without_bytes_are_passed_over)
{
	char byte;

	put(self->fd, "");
	put(self->fd, "");
	put(self->fd, "x");
	put(self->fd, "");
	EXPECT_BYTES(self->reader, 64, "x");
	EXPECT_EQ(-EAGAIN, result_of(read(self->reader, &byte, 1)));
	EXPECT_EQ(4, box_stat(self->fd).received);
}

TEST_F(stream, to_read_nothing_does_nothing)
{
	struct state before;

	put(self->fd, "x");
	before = state_take(self->device, self->fd);
	EXPECT_EQ(0, read(self->reader, NULL, 0));
	EXPECT_UNCHANGED(self->device, self->fd, before);
}

TEST_F(stream, a_read_that_faults_changes_nothing)
{
	static const size_t lengths[] = { 60, 3000, LENGTH_MAX };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		const size_t length = lengths[i];
		char data[LENGTH_MAX];

		ASSERT_EQ(0, box_send_data(self->fd, self->data, length));
		EXPECT_REFUSED(self->device, self->fd, EFAULT,
			       result_of(read(self->reader, hole_new(length), length)));
		EXPECT_EQ(10, read(self->reader, data, 10));
		/* Of what is left, some has been copied; it is there still. */
		EXPECT_REFUSED(self->device, self->fd, EFAULT,
			       result_of(read(self->reader, edge_new(length / 2), length)));
		EXPECT_EQ((ssize_t)length - 10, read(self->reader, data + 10, length - 10));
		EXPECT_EQ(0, memcmp(self->data, data, length));
	}
}

TEST_F(stream, bytes_that_are_read_make_room)
{
	struct mailbox_create args = create_args();
	int fd, reader;

	args.max_bytes = 16;
	args.message_size = 16;
	fd = box_create(self->device, &args);
	ASSERT_LE(0, fd);
	reader = stream_reader(self->device, args.id);
	put(fd, "0123456789abcdef");
	EXPECT_EQ(-EAGAIN, box_send_text(fd, "x", 0, 0));
	EXPECT_EQ(0, poll_now(fd, POLLOUT));
	EXPECT_BYTES(reader, 2, "01");
	EXPECT_EQ(POLLOUT, poll_now(fd, POLLOUT));
	EXPECT_EQ(-EAGAIN, box_send_text(fd, "xyz", 0, 0));
	put(fd, "xy");
	EXPECT_BYTES(reader, 64, "23456789abcdef");
	EXPECT_BYTES(reader, 64, "xy");
	close(reader);
	close(fd);
}

TEST_F(stream, bytes_that_are_read_make_room_in_the_share)
{
	struct mailbox_create args = create_args();
	int fd, reader;

	args.max_bytes = 16;
	args.message_size = 16;
	args.share = 50;
	fd = box_create(self->device, &args);
	ASSERT_LE(0, fd);
	reader = stream_reader(self->device, args.id);
	put(fd, "01234567");
	EXPECT_EQ(-EAGAIN, box_send_text(fd, "xy", 0, 0));
	EXPECT_BYTES(reader, 2, "01");
	put(fd, "xy");
	EXPECT_EQ(-EAGAIN, box_send_text(fd, "z", 0, 0));
	close(reader);
	close(fd);
}

TEST_F(stream, a_sender_that_waits_gets_the_room)
{
	struct mailbox_create args = create_args();
	int fd, reader;
	pid_t pid;

	args.max_bytes = 16;
	args.message_size = 16;
	fd = box_create(self->device, &args);
	ASSERT_LE(0, fd);
	reader = stream_reader(self->device, args.id);
	put(fd, "0123456789abcdef");
	pid = child_fork();
	if (!pid) {
		EXPECT_EQ(4, write(fd, "more", 4));
		_exit(0);
	}
	wait_waiters(fd, -1, 1);
	EXPECT_BYTES(reader, 3, "012");
	wait_waiters(fd, -1, 1);
	EXPECT_BYTES(reader, 1, "3");
	child_done(pid);
	EXPECT_BYTES(reader, 64, "456789abcdef");
	EXPECT_BYTES(reader, 64, "more");
	close(reader);
	close(fd);
}

TEST_F(stream, a_reader_waits_for_bytes)
{
	pid_t pid = child_fork();
	char text[8];

	if (!pid) {
		int fd = stream_open(self->device, self->id, MAILBOX_RIGHT_RECEIVE, 0);

		EXPECT_EQ(2, read(fd, text, 2));
		EXPECT_EQ(0, memcmp("he", text, 2));
		_exit(0);
	}
	wait_waiters(self->fd, 1, -1);
	/* What has no bytes is nothing to it. */
	put(self->fd, "");
	wait_waiters(self->fd, 1, -1);
	put(self->fd, "hello");
	child_done(pid);
	EXPECT_BYTES(self->reader, 64, "llo");
}

TEST_F(stream, what_is_left_goes_to_who_waits)
{
	pid_t pids[2];
	char text[8];
	int i;

	for (i = 0; i < 2; i++) {
		pids[i] = child_fork();
		if (!pids[i]) {
			int fd = stream_open(self->device, self->id, MAILBOX_RIGHT_RECEIVE, 0);

			_exit(read(fd, text, 3) == 3 ? 0 : KSFT_FAIL);
		}
		wait_waiters(self->fd, i + 1, -1);
	}
	put(self->fd, "abcdef");
	child_done(pids[0]);
	child_done(pids[1]);
	EXPECT_EQ(1, box_stat(self->fd).received);
}

TEST_F(stream, needs_the_right_to_receive)
{
	int fd = stream_writer(self->device, self->id);

	put(self->fd, "x");
	EXPECT_REFUSED(self->device, self->fd, EACCES, result_of(read(fd, self->data, 1)));
	EXPECT_REFUSED(self->device, self->fd, EACCES, result_of(write(self->reader, "x", 1)));
	EXPECT_REFUSED(self->device, self->fd, EACCES, result_of(write(self->reader, "x", 0)));
	close(fd);
}

TEST_F(stream, a_destroyed_mailbox)
{
	put(self->fd, "first");
	EXPECT_BYTES(self->reader, 2, "fi");
	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	EXPECT_EQ(-EIDRM, result_of(read(self->reader, self->data, 1)));
}

TEST_F(stream, a_revoked_handle)
{
	struct mailbox_restrict args = restrict_args(MAILBOX_RIGHT_RECEIVE);

	args.flags = MAILBOX_STREAM | MAILBOX_NONBLOCK;
	put(self->fd, "first");
	ASSERT_EQ(0, call(self->fd, MAILBOX_IOC_RESTRICT, &args));
	EXPECT_BYTES(args.fd, 2, "fi");
	ASSERT_EQ(0, box_revoke(self->fd, args.grant));
	EXPECT_EQ(-EACCES, result_of(read(args.fd, self->data, 1)));
	EXPECT_EQ(-EACCES, result_of(read(args.fd, self->data, 0)));
	EXPECT_BYTES(self->reader, 64, "rst");
	close(args.fd);
}

TEST_F(stream, a_handle_reads_bytes_from_the_first_on)
{
	struct mailbox_create args = create_args();
	int fd;

	args.flags = MAILBOX_STREAM | MAILBOX_NONBLOCK;
	fd = box_create(self->device, &args);
	ASSERT_LE(0, fd);
	put(fd, "first");
	EXPECT_BYTES(fd, 2, "fi");
	EXPECT_BYTES(fd, 64, "rst");
	close(fd);
}

TEST_F(stream, not_of_a_broadcast)
{
	struct mailbox_create args = broadcast_args(4);
	struct mailbox_restrict derive = restrict_args(MAILBOX_RIGHT_SEND);
	__u64 id;
	int fd = broadcast_new(self->device, 4, &id);

	args.flags |= MAILBOX_STREAM;
	EXPECT_REFUSED(self->device, fd, EINVAL, box_create(self->device, &args));
	EXPECT_REFUSED(self->device, fd, EINVAL,
		       stream_try(self->device, id, MAILBOX_RIGHT_RECEIVE, 0));
	derive.flags = MAILBOX_STREAM;
	EXPECT_REFUSED(self->device, fd, EINVAL, call(fd, MAILBOX_IOC_RESTRICT, &derive));
	close(fd);
}

TEST_F(stream, a_write_is_as_long_as_a_message_may_be)
{
	struct mailbox_create args = create_args();
	int fd;

	args.flags = MAILBOX_STREAM | MAILBOX_NONBLOCK;
	args.message_size = 5;
	fd = box_create(self->device, &args);
	ASSERT_LE(0, fd);
	EXPECT_EQ(5, write(fd, "0123456789", 10));
	EXPECT_EQ(5, box_stat(fd).bytes);
	EXPECT_EQ(0, write(fd, "", 0));
	EXPECT_EQ(1, box_stat(fd).messages);
	/* What is no write(2) is refused, as ever. */
	EXPECT_EQ(-EMSGSIZE, box_send_text(fd, "0123456789", 0, 0));
	EXPECT_BYTES(fd, 64, "01234");
	close(fd);
}

TEST_HARNESS_MAIN
