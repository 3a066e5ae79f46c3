// SPDX-License-Identifier: GPL-2.0
/*
 * libmailbox: leases. What a lease is the kernel's own tests say; this is about what the
 * library passes on.
 */
#include <errno.h>

#include "common.h"

#if __has_include("mailbox.h")
#include <mailbox.h>

FIXTURE(leases)
{
	int device;
	int box;
	struct mailbox_create create;
};

FIXTURE_SETUP(leases)
{
	self->device = mailbox_device_open();
	ASSERT_LE(0, self->device);
	ASSERT_EQ(0, mailbox_create_init(&self->create, "leases"));
	self->box = mailbox_create(self->device, &self->create);
	ASSERT_LE(0, self->box);
}

FIXTURE_TEARDOWN(leases)
{
	close(self->box);
	close(self->device);
}

TEST_F(leases, reach_the_kernel_and_end)
{
	char text[8];
	struct mailbox_message got = { .data = text, .room = sizeof(text), .lease = 4711 };
	struct mailbox_message again = { 0 };
	struct mailbox_stat stat;

	ASSERT_EQ(0, mailbox_send(self->box, "job", 3));
	ASSERT_EQ(0, mailbox_receive_message(self->box, &got, NULL, MAILBOX_PEEK, 0));
	EXPECT_EQ(0, got.lease);
	ASSERT_EQ(0, mailbox_receive_message(self->box, &got, NULL, MAILBOX_LEASE, 0));
	EXPECT_NE(0, got.lease);
	EXPECT_EQ(0, got.deliveries);
	EXPECT_EQ(0, got.lease_time);
	ASSERT_EQ(0, mailbox_stat(self->box, &stat));
	EXPECT_EQ(1, stat.leased);
	EXPECT_EQ(-EAGAIN, mailbox_receive_message(self->box, &got, NULL, MAILBOX_NONBLOCK, 0));

	EXPECT_EQ(0, mailbox_nack(self->box, got.lease, 0));
	EXPECT_EQ(-ESTALE, mailbox_nack(self->box, got.lease, 0));
	EXPECT_EQ(-ESTALE, mailbox_ack(self->box, got.lease));
	EXPECT_EQ(-ESTALE, mailbox_extend(self->box, got.lease, 0));
	ASSERT_EQ(0, mailbox_receive_alloc(self->box, &again, NULL, MAILBOX_LEASE, 0));
	EXPECT_EQ(1, again.deliveries);
	EXPECT_NE(got.lease, again.lease);
	free(again.data);
	EXPECT_EQ(0, mailbox_ack(self->box, again.lease));
	ASSERT_EQ(0, mailbox_stat(self->box, &stat));
	EXPECT_EQ(0, stat.messages);
	EXPECT_EQ(1, stat.received);
	EXPECT_EQ(1, stat.redelivered);
}

TEST_F(leases, time_and_delay_are_nanoseconds_from_now)
{
	struct mailbox_message got = { .lease_time = 1 };

	ASSERT_EQ(0, mailbox_send(self->box, "", 0));
	ASSERT_EQ(0, mailbox_receive_message(self->box, &got, NULL, MAILBOX_LEASE, 0));
	EXPECT_EQ(1, got.lease_time);
	/* It is over at once: the next one waits for nothing else. */
	got.lease_time = 3600000000000;
	ASSERT_EQ(0, mailbox_receive_message(self->box, &got, NULL, MAILBOX_LEASE, 0));
	EXPECT_EQ(1, got.deliveries);
	EXPECT_EQ(0, mailbox_extend(self->box, got.lease, 1));
	got.lease_time = 0;
	ASSERT_EQ(0, mailbox_receive_message(self->box, &got, NULL, MAILBOX_LEASE, 0));
	EXPECT_EQ(2, got.deliveries);
	EXPECT_EQ(0, mailbox_nack(self->box, got.lease, 3600000000000));
	EXPECT_EQ(-EAGAIN, mailbox_receive_message(self->box, &got, NULL, MAILBOX_NONBLOCK, 0));
}

TEST_F(leases, any_number_ends_together)
{
	struct mailbox_message messages[1500] = { 0 };
	struct mailbox_set set = { .flags = MAILBOX_SET_MAX_MESSAGES, .max_messages = 1500 };
	uint64_t leases[1500];
	struct mailbox_stat stat;
	unsigned int i;
	int error = 1;

	ASSERT_EQ(0, mailbox_set(self->box, &set));
	ASSERT_EQ(1500, mailbox_send_batch(self->box, messages, 1500, 0, 0, NULL));
	ASSERT_EQ(1500,
		  mailbox_receive_batch(self->box, messages, 1500, NULL, MAILBOX_LEASE, 0, NULL));
	for (i = 0; i < 1500; i++)
		leases[i] = messages[i].lease;
	EXPECT_EQ(0, mailbox_ack_batch(self->box, leases, 0, &error));
	EXPECT_EQ(0, error);
	EXPECT_EQ(1500, mailbox_extend_batch(self->box, leases, 1500, 3600000000000, &error));
	EXPECT_EQ(0, error);

	/* One that has ended stops the batch, wherever it stands. */
	ASSERT_EQ(0, mailbox_ack(self->box, leases[1400]));
	EXPECT_EQ(1400, mailbox_ack_batch(self->box, leases, 1500, &error));
	EXPECT_EQ(-ESTALE, error);
	EXPECT_EQ(-ESTALE, mailbox_ack_batch(self->box, leases + 1400, 100, &error));
	EXPECT_EQ(-ESTALE, error);
	EXPECT_EQ(99, mailbox_nack_batch(self->box, leases + 1401, 99, 0, NULL));
	ASSERT_EQ(0, mailbox_stat(self->box, &stat));
	EXPECT_EQ(0, stat.leased);
	EXPECT_EQ(99, stat.messages);
	EXPECT_EQ(1401, stat.received);
	EXPECT_EQ(99, stat.redelivered);
}

TEST_F(leases, dead_letters_go_where_create_said)
{
	struct mailbox_create create;
	struct mailbox_message got = { 0 };
	struct mailbox_stat stat;
	int jobs;

	ASSERT_EQ(0, mailbox_create_init(&create, "jobs"));
	create.max_deliveries = 1;
	create.dead_letter = self->create.id;
	jobs = mailbox_create(self->device, &create);
	ASSERT_LE(0, jobs);
	ASSERT_EQ(0, mailbox_send(jobs, "", 0));
	ASSERT_EQ(0, mailbox_receive_message(jobs, &got, NULL, MAILBOX_LEASE, 0));
	EXPECT_EQ(0, mailbox_nack(jobs, got.lease, 0));
	ASSERT_EQ(0, mailbox_stat(jobs, &stat));
	EXPECT_EQ(1, stat.dead);
	EXPECT_EQ(self->create.id, stat.dead_letter);
	EXPECT_EQ(1, stat.max_deliveries);
	EXPECT_EQ(0, mailbox_receive(self->box, NULL, 0));
	close(jobs);
}

#else

TEST(leases)
{
	SKIP(return, "built without libmailbox");
}

#endif

TEST_HARNESS_MAIN
