// SPDX-License-Identifier: GPL-2.0
/*
 * SysV messages: making and finding a queue, and what is sent is received.
 */
#include "msg.h"

TEST(private_queues_are_new)
{
	int one = msgget(IPC_PRIVATE, 0600), two = msgget(IPC_PRIVATE, 0600);

	ASSERT_LE(0, one);
	ASSERT_LE(0, two);
	EXPECT_NE(one, two);
	queue_remove(one);
	queue_remove(two);
}

FIXTURE(queue)
{
	int id;
};

FIXTURE_SETUP(queue)
{
	self->id = queue_new();
}

FIXTURE_TEARDOWN(queue)
{
	queue_remove(self->id);
}

TEST_F(queue, comes_out_as_it_went_in)
{
	struct message message = { .type = 7, .text = "hello" };

	ASSERT_EQ(0, TRY(msgsnd(self->id, &message, 6, 0)));
	message = (struct message){ 0 };
	ASSERT_EQ(6, TRY(msgrcv(self->id, &message, sizeof(message.text), 0, 0)));
	EXPECT_EQ(7, message.type);
	EXPECT_STREQ("hello", message.text);
}

TEST_HARNESS_MAIN
