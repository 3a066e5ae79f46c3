// SPDX-License-Identifier: GPL-2.0
/*
 * Lengths of messages: from none to the largest, fixed, and too long.
 */
#include "common.h"

FIXTURE(size)
{
	int device;
	struct mailbox_create args;
};

FIXTURE_SETUP(size)
{
	self->device = device_open();
	self->args = create_args();
}

FIXTURE_TEARDOWN(size)
{
	close(self->device);
}

static int create(FIXTURE_DATA(size) * self)
{
	int fd = box_create(self->device, &self->args);

	ASSERT_LE(0, fd);
	return fd;
}

/* Different at every place, also across pages. */
static void fill(unsigned char *data, size_t length)
{
	size_t i;

	for (i = 0; i < length; i++)
		data[i] = i * 31 + (i >> 8) * 17 + (i >> 16);
}

static void round_trip(int fd, size_t length)
{
	unsigned char *data = malloc(length + 1), *seen = malloc(length + 1);
	struct mailbox_receive args = receive_args(seen, length);

	fill(data, length);
	poison(seen, length + 1);
	ASSERT_EQ(0, box_send_data(fd, data, length)) TH_LOG("length %zu", length);
	EXPECT_EQ(length, box_stat(fd).bytes);
	ASSERT_EQ(0, box_receive(fd, &args));
	EXPECT_EQ(length, args.length);
	EXPECT_EQ(0, memcmp(data, seen, length)) TH_LOG("length %zu", length);
	EXPECT_TRUE(is_poison(seen + length, 1));
	free(data);
	free(seen);
}

TEST_F(size, every_small_length)
{
	int fd = create(self);
	size_t length;

	for (length = 0; length <= 600; length++)
		round_trip(fd, length);
	close(fd);
}

TEST_F(size, around_powers_of_two_and_pages)
{
	__u32 limit = device_info(self->device).max_message_size;
	int fd = create(self);
	size_t power;

	for (power = 1024; power <= limit; power *= 2) {
		round_trip(fd, power - 1);
		round_trip(fd, power);
		if (power < limit)
			round_trip(fd, power + 1);
	}
	for (power = 4096; power <= 10 * 4096; power += 4096) {
		round_trip(fd, power - 64);
		round_trip(fd, power + 64);
	}
	close(fd);
}

TEST_F(size, descending_and_ascending)
{
	/* Memory kept from a longer message must not show in a shorter one. */
	static const size_t lengths[] = { 100000, 10, 5000, 0, 4096, 300000, 1, 4097, 8, 64 };
	int fd = create(self), i;

	for (i = 0; i < 100; i++)
		round_trip(fd, lengths[i % ARRAY_SIZE(lengths)]);
	close(fd);
}

TEST_F(size, nothing_is_a_message_too)
{
	struct mailbox_receive args = receive_args(NULL, 0);
	int fd = create(self);

	ASSERT_EQ(0, box_send_text(fd, "", 3, 4));
	EXPECT_EQ(1, box_stat(fd).messages);
	EXPECT_EQ(0, box_stat(fd).bytes);
	ASSERT_EQ(0, box_receive(fd, &args));
	EXPECT_EQ(0, args.length);
	EXPECT_EQ(3, args.type);
	EXPECT_EQ(0, args.result);
	EXPECT_EQ(-EAGAIN, box_receive(fd, &args));
	close(fd);
}

TEST_F(size, the_message_size_is_the_longest)
{
	char data[128] = { 0 };
	int fd;

	self->args.message_size = 100;
	fd = create(self);
	round_trip(fd, 100);
	EXPECT_REFUSED(self->device, fd, EMSGSIZE, box_send_data(fd, data, 101));
	EXPECT_REFUSED(self->device, fd, EMSGSIZE, box_send_data(fd, data, UINT32_MAX));
	round_trip(fd, 0);
	close(fd);
}

TEST_F(size, a_fixed_size_is_the_only_one)
{
	static const __u32 lengths[] = { 0, 1, 63, 65, 128 };
	char data[128] = { 0 };
	unsigned int i;
	int fd;

	self->args.flags = MAILBOX_FIXED_SIZE;
	self->args.message_size = 64;
	fd = create(self);
	for (i = 0; i < ARRAY_SIZE(lengths); i++)
		EXPECT_REFUSED(self->device, fd, EMSGSIZE, box_send_data(fd, data, lengths[i]));
	round_trip(fd, 64);
	close(fd);
}

TEST_F(size, the_default_limit_holds)
{
	__u32 limit = device_info(self->device).max_message_size;
	char *data = calloc(1, limit + 1);
	int fd = create(self);

	round_trip(fd, limit);
	EXPECT_REFUSED(self->device, fd, EMSGSIZE, box_send_data(fd, data, limit + 1));
	close(fd);
	free(data);
}

TEST_F(size, sixteen_megabytes_for_root)
{
	int fd;

	if (!is_root())
		SKIP(return, "needs root");
	self->args.message_size = MAILBOX_MESSAGE_SIZE_MAX;
	self->args.max_bytes = MAILBOX_MESSAGE_SIZE_MAX;
	fd = create(self);
	round_trip(fd, MAILBOX_MESSAGE_SIZE_MAX);
	round_trip(fd, MAILBOX_MESSAGE_SIZE_MAX - 1);
	close(fd);
}

TEST_F(size, too_long_for_the_buffer_stays_first)
{
	char data[5000] = "long", small[16];
	struct mailbox_receive args = receive_args(small, sizeof(small));
	struct state before;
	int fd = create(self);

	ASSERT_EQ(0, box_send_data(fd, data, sizeof(data)));
	ASSERT_EQ(0, box_send_text(fd, "short", 0, 0));
	before = state_take(self->device, fd);
	EXPECT_EQ(-EMSGSIZE, box_receive(fd, &args));
	EXPECT_EQ(sizeof(data), args.length);
	EXPECT_UNCHANGED(self->device, fd, before);
	args = receive_args(data, args.length);
	EXPECT_EQ(0, box_receive(fd, &args));
	EXPECT_EQ(1, args.sequence);
	close(fd);
}

/* Handed to a receiver that waits, and back again. */
TEST_F(size, too_long_for_a_waiting_receiver_stays_first)
{
	char data[5000] = "long", small[16];
	struct mailbox_receive args = receive_args(data, sizeof(data));
	int fd = create(self);
	pid_t pid = child_fork();

	if (!pid) {
		struct mailbox_receive waiting = receive_args(small, sizeof(small));

		waiting.flags = 0;
		EXPECT_EQ(-EMSGSIZE, box_receive(fd, &waiting));
		EXPECT_EQ(sizeof(data), waiting.length);
		EXPECT_TRUE(is_poison(&waiting.sequence, sizeof(waiting.sequence)));
		_exit(KSFT_PASS);
	}
	wait_waiters(fd, 1, 0);
	ASSERT_EQ(0, box_send_data(fd, data, sizeof(data)));
	ASSERT_EQ(0, box_send_text(fd, "short", 0, 0));
	child_done(pid);
	EXPECT_EQ(2, box_stat(fd).messages);
	EXPECT_EQ(0, box_stat(fd).received);
	EXPECT_EQ(0, box_receive(fd, &args));
	EXPECT_EQ(1, args.sequence);
	EXPECT_EQ(sizeof(data), args.length);
	close(fd);
}

TEST_F(size, of_a_large_message_that_is_cut)
{
	unsigned char data[20000], seen[20000];
	struct mailbox_receive args = receive_args(seen, 9000);
	int fd = create(self);

	fill(data, sizeof(data));
	poison(seen, sizeof(seen));
	ASSERT_EQ(0, box_send_data(fd, data, sizeof(data)));
	args.flags |= MAILBOX_TRUNCATE;
	ASSERT_EQ(0, box_receive(fd, &args));
	EXPECT_EQ(20000, args.length);
	EXPECT_EQ(MAILBOX_TRUNCATED, args.result);
	EXPECT_EQ(0, memcmp(data, seen, 9000));
	EXPECT_TRUE(is_poison(seen + 9000, 11000));
	EXPECT_EQ(0, box_stat(fd).bytes);
	close(fd);
}

TEST_HARNESS_MAIN
