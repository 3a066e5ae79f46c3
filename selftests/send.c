// SPDX-License-Identifier: GPL-2.0
/*
 * What SEND accepts, refuses and answers. Full mailboxes are in full.c, sizes in
 * size.c, expiry in expiry.c, waiting in wait.c.
 */
#include "common.h"

FIXTURE(send)
{
	int device;
	int fd;
};

FIXTURE_SETUP(send)
{
	self->device = device_open();
	self->fd = box_new(self->device);
}

FIXTURE_TEARDOWN(send)
{
	close(self->fd);
	close(self->device);
}

TEST_F(send, sequence_counts_from_one)
{
	__u64 i;

	for (i = 1; i <= 10; i++) {
		struct mailbox_send args = send_args("x", 1);

		ASSERT_EQ(0, box_send(self->fd, &args));
		EXPECT_EQ(i, args.sequence);
	}
}

TEST_F(send, only_the_sequence_is_written)
{
	struct mailbox_send args = send_args("x", 1), copy;

	args.type = 5;
	args.priority = 6;
	args.deadline = 7;
	args.expiry = 8;
	copy = args;
	ASSERT_EQ(0, box_send(self->fd, &args));
	copy.sequence = 1;
	EXPECT_EQ(0, memcmp(&copy, &args, sizeof(args)));
}

TEST_F(send, a_failed_send_uses_no_sequence_number)
{
	struct mailbox_send args = send_args("x", 1);

	args.priority = MAILBOX_PRIORITY_MAX + 1;
	EXPECT_EQ(-EINVAL, box_send(self->fd, &args));
	args = send_args(hole_new(1), 1);
	EXPECT_EQ(-EFAULT, box_send(self->fd, &args));
	args = send_args("x", 1);
	ASSERT_EQ(0, box_send(self->fd, &args));
	EXPECT_EQ(1, args.sequence);
}

TEST_F(send, the_payload_is_taken_at_once)
{
	char data[8] = "before", text[8];

	ASSERT_EQ(0, box_send_data(self->fd, data, 6));
	memcpy(data, "after!", 6);
	ASSERT_EQ(6, box_receive_text(self->fd, text, sizeof(text)));
	EXPECT_STREQ("before", text);
}

TEST_F(send, any_bytes)
{
	unsigned char data[256], seen[256];
	struct mailbox_receive args = receive_args(seen, sizeof(seen));
	unsigned int i;

	for (i = 0; i < sizeof(data); i++)
		data[i] = i;
	ASSERT_EQ(0, box_send_data(self->fd, data, sizeof(data)));
	ASSERT_EQ(0, box_receive(self->fd, &args));
	EXPECT_EQ(sizeof(data), args.length);
	EXPECT_EQ(0, memcmp(data, seen, sizeof(data)));
}

TEST_F(send, any_type)
{
	static const __u64 types[] = { 0, 1, 1ULL << 32, 1ULL << 63, UINT64_MAX };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		struct mailbox_receive args = receive_args(NULL, 0);

		ASSERT_EQ(0, box_send_text(self->fd, "", types[i], 0));
		ASSERT_EQ(0, box_receive(self->fd, &args));
		EXPECT_EQ(types[i], args.type);
	}
}

TEST_F(send, priorities_from_lowest_to_highest)
{
	static const __u32 priorities[] = { 0, 1, 255, 256, MAILBOX_PRIORITY_MAX };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(priorities); i++)
		ASSERT_EQ(0, box_send_text(self->fd, "", 0, priorities[i]));
	while (i--) {
		struct mailbox_receive args = receive_args(NULL, 0);

		ASSERT_EQ(0, box_receive(self->fd, &args));
		EXPECT_EQ(priorities[i], args.priority);
	}
}

TEST_F(send, a_priority_above_the_highest_is_einval)
{
	static const __u32 priorities[] = { MAILBOX_PRIORITY_MAX + 1, 65536, UINT32_MAX };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(priorities); i++)
		EXPECT_REFUSED(self->device, self->fd, EINVAL,
			       box_send_text(self->fd, "x", 0, priorities[i]));
}

TEST_F(send, deadline_and_expiry_are_ignored_without_their_flags)
{
	struct mailbox_send args = send_args("x", 1);
	struct mailbox_receive receive;
	char data[8];

	/* Both would be long past. */
	args.deadline = 1;
	args.expiry = 1;
	EXPECT_EQ(0, box_send(self->fd, &args));
	receive = receive_args(data, sizeof(data));
	EXPECT_EQ(0, box_receive(self->fd, &receive));
	EXPECT_EQ(0, receive.expiry);
}

TEST_F(send, the_address_of_nothing_is_not_looked_at)
{
	struct mailbox_send args = send_args(kernel_address(), 0);

	EXPECT_EQ(0, box_send(self->fd, &args));
	EXPECT_EQ(1, box_stat(self->fd).messages);
	EXPECT_EQ(0, box_stat(self->fd).bytes);
}

TEST_F(send, order_of_one_sender_and_priority)
{
	char text[16], expected[16];
	int i;

	for (i = 0; i < 200; i++) {
		sprintf(text, "%d", i);
		ASSERT_EQ(0, box_send_text(self->fd, text, i * 7 % 5, i % 2));
	}
	for (i = 1; i < 400; i += 2) {
		ASSERT_LT(0, box_receive_text(self->fd, text, sizeof(text)));
		sprintf(expected, "%d", i < 200 ? i : i - 201);
		EXPECT_STREQ(expected, text);
	}
}

TEST_HARNESS_MAIN
