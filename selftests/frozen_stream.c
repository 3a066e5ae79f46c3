// SPDX-License-Identifier: GPL-2.0
/*
 * Readers of bytes that stand still while they copy a part of a message, and what others do to
 * the mailbox meanwhile. See frozen.h for how.
 */
#include "common_grant.h"
#include "common_stream.h"
#include "frozen.h"
#include "world.h"

#define LENGTH_MAX 6000

FIXTURE(frozen_stream)
{
	int device;
	/* Ordinary, with the right to manage. */
	int fd;
	__u64 id;
	int reader;
	int writer;
	struct usage usage;
	char data[LENGTH_MAX];
};

FIXTURE_VARIANT(frozen_stream)
{
	size_t length;
};

/* One for each way to store a payload. */
FIXTURE_VARIANT_ADD(frozen_stream, word_by_word)
{ .length = 60 };
FIXTURE_VARIANT_ADD(frozen_stream, one_buffer)
{ .length = 3000 };
FIXTURE_VARIANT_ADD(frozen_stream, pages)
{ .length = LENGTH_MAX };

FIXTURE_SETUP(frozen_stream)
{
	struct mailbox_create args = create_args();
	unsigned int i;

	for (i = 0; i < sizeof(self->data); i++)
		self->data[i] = i * 7 + i / 256;
	self->device = device_open();
	self->usage = usage_of_caller(self->device);
	args.max_messages = 2;
	self->fd = box_new_manage(self->device, &args);
	self->id = args.id;
	self->reader = stream_reader(self->device, self->id);
	self->writer = stream_writer(self->device, self->id);
	ASSERT_EQ(0, box_send_data(self->writer, self->data, variant->length));
}

FIXTURE_TEARDOWN(frozen_stream)
{
	if (self->writer >= 0)
		close(self->writer);
	close(self->reader);
	if (self->fd >= 0)
		close(self->fd);
	EXPECT_USAGE(self->device, self->usage);
	close(self->device);
}

/* Of the message, half is asked for. */
static struct actor *freeze_reader(int fd, size_t length)
{
	struct actor *reader = frozen_reader_new(fd, length / 2);

	actor_start_frozen(reader);
	return reader;
}

static void expect_read(FIXTURE_DATA(frozen_stream) * self, struct actor *reader, size_t length)
{
	const char *got = (void *)(uintptr_t)reader->receive->data;

	EXPECT_EQ((int)length / 2, actor_thaw(reader));
	EXPECT_EQ(0, memcmp(self->data, got, length / 2));
}

/* What is left from there on. */
static void expect_rest(FIXTURE_DATA(frozen_stream) * self, size_t from, size_t length)
{
	char data[LENGTH_MAX];

	EXPECT_EQ((ssize_t)(length - from), result_of(read(self->reader, data, sizeof(data))));
	EXPECT_EQ(0, memcmp(self->data + from, data, length - from));
}

TEST_F(frozen_stream, half_is_there_when_half_was_read)
{
	struct actor *reader = freeze_reader(self->reader, variant->length);

	EXPECT_EQ(1, box_stat(self->fd).messages);
	EXPECT_EQ(variant->length, box_stat(self->fd).bytes);
	EXPECT_DRY(self->reader);
	expect_read(self, reader, variant->length);
	EXPECT_EQ(1, box_stat(self->fd).messages);
	EXPECT_EQ(variant->length / 2, box_stat(self->fd).bytes);
	expect_rest(self, variant->length / 2, variant->length);
}

TEST_F(frozen_stream, all_is_there_when_the_copy_fails)
{
	EXPECT_EQ(-EFAULT, actor_fail(freeze_reader(self->reader, variant->length)));
	EXPECT_EQ(variant->length, box_stat(self->fd).bytes);
	expect_rest(self, 0, variant->length);
}

TEST_F(frozen_stream, all_is_there_when_the_reader_is_killed)
{
	actor_kill(freeze_reader(self->reader, variant->length));
	EXPECT_EQ(variant->length, box_stat(self->fd).bytes);
	expect_rest(self, 0, variant->length);
}

TEST_F(frozen_stream, what_was_read_before_stays_read)
{
	const size_t before = variant->length / 3;
	char data[LENGTH_MAX];

	ASSERT_EQ((ssize_t)before, read(self->reader, data, before));
	actor_kill(freeze_reader(self->reader, variant->length));
	EXPECT_EQ(variant->length - before, box_stat(self->fd).bytes);
	expect_rest(self, before, variant->length);
}

/* Another reads the next message, and what is left comes before what follows. */
TEST_F(frozen_stream, others_read_on)
{
	struct actor *reader = freeze_reader(self->reader, variant->length);

	put(self->writer, "second", 0);
	EXPECT_BYTES(self->reader, 3, "sec");
	expect_read(self, reader, variant->length);
	expect_rest(self, variant->length / 2, variant->length);
	EXPECT_BYTES(self->reader, 64, "ond");
}

TEST_F(frozen_stream, a_peeker_sees_what_it_saw)
{
	struct actor *peeker = frozen_receiver_new(self->reader, 0);

	peeker->receive->select = MAILBOX_SELECT_FIRST;
	peeker->receive->flags |= MAILBOX_PEEK;
	actor_straddle(peeker, variant->length);
	actor_start_frozen(peeker);
	{
		char data[LENGTH_MAX];
		const size_t half = variant->length / 2;

		ASSERT_EQ((ssize_t)half, read(self->reader, data, half));
	}
	EXPECT_EQ(0, actor_thaw(peeker));
	EXPECT_EQ(variant->length, peeker->receive->length);
	EXPECT_EQ(0, memcmp(self->data, (void *)(uintptr_t)peeker->receive->data, variant->length));
	expect_rest(self, variant->length / 2, variant->length);
}

/* It is not the end while something may come back; but then somebody has to say so. */
TEST_F(frozen_stream, the_end_waits_for_those_who_read)
{
	struct actor *reader = freeze_reader(self->reader, variant->length);
	pid_t pid = child_fork();

	if (!pid) {
		int fd = stream_open(self->device, self->id, MAILBOX_RIGHT_RECEIVE, 0);
		char data[LENGTH_MAX];

		close(self->writer);
		EXPECT_EQ((ssize_t)variant->length / 2, read(fd, data, sizeof(data)));
		EXPECT_EQ(0, read(fd, data, sizeof(data)));
		_exit(0);
	}
	wait_waiters(self->fd, 1, -1);
	close(self->writer);
	self->writer = -1;
	EXPECT_DRY(self->reader);
	expect_read(self, reader, variant->length);
	child_done(pid);
	EXPECT_END(self->reader);
}

TEST_F(frozen_stream, the_end_comes_when_the_last_is_read)
{
	struct actor *reader = frozen_reader_new(self->reader, variant->length);
	struct pollfd entry = { .fd = self->reader, .events = POLLIN };
	pid_t pid;

	actor_start_frozen(reader);
	close(self->writer);
	self->writer = -1;
	EXPECT_DRY(self->reader);
	pid = child_fork();
	if (!pid) {
		int fd = stream_open(self->device, self->id, MAILBOX_RIGHT_RECEIVE, 0);

		EXPECT_EQ(1, poll(&entry, 1, -1));
		EXPECT_EQ(POLLIN | POLLHUP, entry.revents);
		close(fd);
		_exit(0);
	}
	wait_sleeping(pid, pid);
	EXPECT_EQ((int)variant->length, actor_thaw(reader));
	child_done(pid);
	EXPECT_END(self->reader);
}

TEST_F(frozen_stream, what_is_left_goes_with_the_mailbox)
{
	struct actor *reader = freeze_reader(self->reader, variant->length);

	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	expect_read(self, reader, variant->length);
	EXPECT_EQ(-EIDRM, result_of(read(self->reader, self->data, 1)));
}

TEST_F(frozen_stream, a_revoked_reader_gets_what_it_copies)
{
	struct mailbox_restrict args = restrict_args(MAILBOX_RIGHT_RECEIVE);
	int all = box_open(self->device, self->id, NULL, RIGHTS_ALL);
	struct actor *reader;

	ASSERT_LE(0, all);
	args.flags = MAILBOX_STREAM;
	ASSERT_EQ(0, call(all, MAILBOX_IOC_RESTRICT, &args));
	reader = freeze_reader(args.fd, variant->length);
	ASSERT_EQ(0, box_revoke(all, args.grant));
	expect_read(self, reader, variant->length);
	close(args.fd);
	close(all);
	expect_rest(self, variant->length / 2, variant->length);
}

/* Its sender takes it back while a reader copies: then it was never read. */
TEST_F(frozen_stream, what_is_taken_back_at_a_rendezvous_is_not_read)
{
	struct mailbox_create create = create_args();
	struct actor *reader, *sender;
	int fd;

	create.capacity = MAILBOX_CAPACITY_RENDEZVOUS;
	create.flags = MAILBOX_STREAM | MAILBOX_NONBLOCK;
	fd = box_create(self->device, &create);
	ASSERT_LE(0, fd);
	sender = sender_new(fd, "0123456789", 0);
	fcntl(fd, F_SETFL, 0);
	actor_start(sender);
	wait_waiters(fd, -1, 1);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	reader = freeze_reader(fd, 10);
	actor_kill(sender);
	EXPECT_EQ(-EAGAIN, actor_thaw(reader));
	EXPECT_EQ(0, box_stat(fd).sent);
	EXPECT_EQ(0, box_stat(fd).received);
	EXPECT_EQ(0, box_stat(fd).bytes);
	close(fd);
}

FROZEN_MAIN
