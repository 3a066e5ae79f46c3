// SPDX-License-Identifier: GPL-2.0
/*
 * What RECEIVE accepts, refuses and answers, and what a peek leaves. Which message
 * it takes is in select.c, who stamped it in stamps.c.
 */
#include "common.h"

#include <stddef.h>

FIXTURE(receive)
{
	int device;
	int fd;
	char data[64];
	struct mailbox_receive args;
};

FIXTURE_SETUP(receive)
{
	self->device = device_open();
	self->fd = box_new(self->device);
	ASSERT_EQ(0, box_send_text(self->fd, "first", 11, 22));
	ASSERT_EQ(0, box_send_text(self->fd, "second", 33, 1));
	poison(self->data, sizeof(self->data));
	self->args = receive_args(self->data, sizeof(self->data));
}

FIXTURE_TEARDOWN(receive)
{
	close(self->fd);
	close(self->device);
}

static void expect_first(const struct mailbox_receive *args)
{
	EXPECT_EQ(5, args->length);
	EXPECT_EQ(22, args->priority);
	EXPECT_EQ(11, args->type);
	EXPECT_EQ(1, args->sequence);
	EXPECT_EQ(0, args->expiry);
	EXPECT_EQ(getpid(), args->pid);
	EXPECT_EQ(syscall(SYS_gettid), args->tid);
	EXPECT_EQ(geteuid(), args->uid);
	EXPECT_EQ(getegid(), args->gid);
	EXPECT_EQ(0, args->deliveries);
	/* Without a lease this is nobody's answer. */
	EXPECT_EQ(POISON64, args->lease);
}

TEST_F(receive, answers_every_member)
{
	ASSERT_EQ(0, box_receive(self->fd, &self->args));
	expect_first(&self->args);
	EXPECT_EQ(0, self->args.result);
	EXPECT_GE(now_ns(), self->args.time);
	EXPECT_EQ(0, memcmp("first", self->data, 5));
}

TEST_F(receive, what_was_asked_is_left_as_it_was)
{
	struct mailbox_receive copy;

	self->args.match = 44;
	self->args.deadline = 55;
	copy = self->args;
	ASSERT_EQ(0, box_receive(self->fd, &self->args));
	EXPECT_EQ(0, memcmp(&copy, &self->args, offsetof(struct mailbox_receive, length)));
}

TEST_F(receive, no_more_than_the_message_is_written)
{
	struct mailbox_receive peek = self->args, chosen = self->args;

	peek.flags |= MAILBOX_PEEK;
	ASSERT_EQ(0, box_receive(self->fd, &peek));
	EXPECT_TRUE(is_poison(self->data + 5, sizeof(self->data) - 5));
	chosen.select = MAILBOX_SELECT_TYPE;
	chosen.match = 11;
	ASSERT_EQ(0, box_receive(self->fd, &chosen));
	EXPECT_TRUE(is_poison(self->data + 5, sizeof(self->data) - 5));
	ASSERT_EQ(0, box_receive(self->fd, &self->args));
	EXPECT_TRUE(is_poison(self->data + 6, sizeof(self->data) - 6));
}

TEST_F(receive, takes_the_message)
{
	struct mailbox_stat stat;

	ASSERT_EQ(0, box_receive(self->fd, &self->args));
	stat = box_stat(self->fd);
	EXPECT_EQ(1, stat.messages);
	EXPECT_EQ(6, stat.bytes);
	EXPECT_EQ(1, stat.received);
	self->args = receive_args(self->data, sizeof(self->data));
	ASSERT_EQ(0, box_receive(self->fd, &self->args));
	EXPECT_EQ(2, self->args.sequence);
}

TEST_F(receive, from_an_empty_mailbox_is_eagain)
{
	int fd = box_new(self->device);

	EXPECT_REFUSED(self->device, fd, EAGAIN, box_receive(fd, &self->args));
	close(fd);
}

TEST_F(receive, an_unknown_selection_is_einval)
{
	static const __u32 selections[] = { MAILBOX_SELECT_INDEX + 1, 255, UINT32_MAX };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(selections); i++) {
		self->args.select = selections[i];
		EXPECT_REFUSED(self->device, self->fd, EINVAL, box_receive(self->fd, &self->args));
		self->args.flags |= MAILBOX_PEEK;
		EXPECT_REFUSED(self->device, self->fd, EINVAL, box_receive(self->fd, &self->args));
	}
}

TEST_F(receive, by_index_without_a_peek_is_einval)
{
	self->args.select = MAILBOX_SELECT_INDEX;
	EXPECT_REFUSED(self->device, self->fd, EINVAL, box_receive(self->fd, &self->args));
}

TEST_F(receive, exactly_enough_room)
{
	self->args.room = 5;
	ASSERT_EQ(0, box_receive(self->fd, &self->args));
	EXPECT_EQ(0, self->args.result);
	EXPECT_EQ(0, memcmp("first", self->data, 5));
}

TEST_F(receive, too_little_room_is_emsgsize_and_tells_the_length)
{
	static const __u32 rooms[] = { 4, 1, 0 };
	struct state before = state_take(self->device, self->fd);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rooms); i++) {
		self->args = receive_args(self->data, rooms[i]);
		EXPECT_EQ(-EMSGSIZE, box_receive(self->fd, &self->args));
		EXPECT_EQ(5, self->args.length);
		EXPECT_TRUE(is_poison(self->data, sizeof(self->data)));
	}
	EXPECT_UNCHANGED(self->device, self->fd, before);
	self->args = receive_args(self->data, self->args.length);
	ASSERT_EQ(0, box_receive(self->fd, &self->args));
	expect_first(&self->args);
}

TEST_F(receive, truncates_on_request)
{
	self->args.flags |= MAILBOX_TRUNCATE;
	self->args.room = 3;
	ASSERT_EQ(0, box_receive(self->fd, &self->args));
	expect_first(&self->args);
	EXPECT_EQ(MAILBOX_TRUNCATED, self->args.result);
	EXPECT_EQ(0, memcmp("fir", self->data, 3));
	EXPECT_TRUE(is_poison(self->data + 3, sizeof(self->data) - 3));
	EXPECT_EQ(1, box_stat(self->fd).messages);
	EXPECT_EQ(6, box_stat(self->fd).bytes);
}

TEST_F(receive, truncates_to_nothing)
{
	self->args.flags |= MAILBOX_TRUNCATE;
	self->args.room = 0;
	self->args.data = user_pointer(kernel_address());
	ASSERT_EQ(0, box_receive(self->fd, &self->args));
	expect_first(&self->args);
	EXPECT_EQ(MAILBOX_TRUNCATED, self->args.result);
	EXPECT_EQ(1, box_stat(self->fd).messages);
}

TEST_F(receive, truncating_what_fits_cuts_nothing)
{
	self->args.flags |= MAILBOX_TRUNCATE;
	self->args.room = 5;
	ASSERT_EQ(0, box_receive(self->fd, &self->args));
	EXPECT_EQ(0, self->args.result);
}

TEST_F(receive, the_address_for_nothing_is_not_looked_at)
{
	int fd = box_new(self->device);

	ASSERT_EQ(0, box_send_text(fd, "", 0, 0));
	self->args = receive_args(kernel_address(), 100);
	EXPECT_EQ(0, box_receive(fd, &self->args));
	EXPECT_EQ(0, self->args.length);
	EXPECT_EQ(0, self->args.result);
	close(fd);
}

TEST_F(receive, a_peek_sees_all_and_takes_nothing)
{
	struct state before = state_take(self->device, self->fd);
	int i;

	for (i = 0; i < 3; i++) {
		poison(self->data, sizeof(self->data));
		self->args = receive_args(self->data, sizeof(self->data));
		self->args.flags |= MAILBOX_PEEK;
		ASSERT_EQ(0, box_receive(self->fd, &self->args));
		expect_first(&self->args);
		EXPECT_EQ(0, memcmp("first", self->data, 5));
	}
	EXPECT_UNCHANGED(self->device, self->fd, before);
}

TEST_F(receive, a_peek_can_truncate_or_fail)
{
	struct state before = state_take(self->device, self->fd);

	self->args.flags |= MAILBOX_PEEK;
	self->args.room = 2;
	EXPECT_EQ(-EMSGSIZE, box_receive(self->fd, &self->args));
	EXPECT_EQ(5, self->args.length);
	self->args.flags |= MAILBOX_TRUNCATE;
	ASSERT_EQ(0, box_receive(self->fd, &self->args));
	EXPECT_EQ(MAILBOX_TRUNCATED, self->args.result);
	EXPECT_EQ(0, memcmp("fi", self->data, 2));
	EXPECT_TRUE(is_poison(self->data + 2, sizeof(self->data) - 2));
	EXPECT_UNCHANGED(self->device, self->fd, before);
}

TEST_F(receive, a_peek_into_an_empty_mailbox_is_eagain)
{
	int fd = box_new(self->device);

	self->args.flags |= MAILBOX_PEEK;
	EXPECT_REFUSED(self->device, fd, EAGAIN, box_receive(fd, &self->args));
	close(fd);
}

TEST_HARNESS_MAIN
