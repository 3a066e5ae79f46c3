// SPDX-License-Identifier: GPL-2.0
/*
 * libmailbox: loans. What a loan is the kernel's own tests say; this is about what the library
 * passes on.
 */
#include <errno.h>

#include "common_region.h"

#if __has_include("mailbox.h")
#include <mailbox.h>

#define PAGES 4

FIXTURE(library_loan)
{
	int device;
	int box;
	char *start;
	size_t length;
};

FIXTURE_SETUP(library_loan)
{
	struct mailbox_create create;
	void *start;

	self->device = mailbox_device_open();
	ASSERT_LE(0, self->device);
	ASSERT_EQ(0, mailbox_create_init(&create, "loans"));
	create.region_size = PAGES * page_size();
	self->box = mailbox_create(self->device, &create);
	ASSERT_LE(0, self->box);
	ASSERT_EQ(0, mailbox_map(self->box, &start, &self->length));
	self->start = start;
}

FIXTURE_TEARDOWN(library_loan)
{
	munmap(self->start, self->length);
	close(self->box);
	close(self->device);
}

static struct mailbox_stat stat_of(FIXTURE_DATA(library_loan) * self)
{
	struct mailbox_stat stat;

	ASSERT_EQ(0, mailbox_stat(self->box, &stat));
	return stat;
}

TEST_F(library_loan, goes_through_in_place_and_comes_back)
{
	struct mailbox_message out = { .length = page_size(), .type = 7, .priority = 3 };
	struct mailbox_message in = { .offset = POISON64, .is_loan = 7 };
	__u64 sent;

	ASSERT_EQ(0, mailbox_loan(self->box, &out, 0, 0));
	ASSERT_NE(0, out.loan);
	ASSERT_LE(out.offset + out.length, self->length);
	EXPECT_EQ(1, stat_of(self).loans);
	EXPECT_EQ(page_size(), stat_of(self).loaned);
	strcpy(self->start + out.offset, "in place");
	sent = out.offset;
	out.length = 9;
	/* For what is received, and not looked at. */
	out.data = self;
	ASSERT_EQ(0, mailbox_send_message(self->box, &out, MAILBOX_LOAN, 0));
	EXPECT_EQ(0, out.loan);
	EXPECT_EQ(0, out.offset);
	EXPECT_EQ(1, out.sequence);

	ASSERT_EQ(0, mailbox_receive_message(self->box, &in, NULL, MAILBOX_LOAN, 0));
	EXPECT_NE(0, in.loan);
	EXPECT_EQ(sent, in.offset);
	EXPECT_EQ(1, in.is_loan);
	EXPECT_EQ(9, in.length);
	EXPECT_EQ(7, in.type);
	EXPECT_EQ(3, in.priority);
	EXPECT_STREQ("in place", self->start + in.offset);
	EXPECT_EQ(1, stat_of(self).loans);
	EXPECT_EQ(0, mailbox_return(self->box, in.loan));
	EXPECT_EQ(-ESTALE, mailbox_return(self->box, in.loan));
	EXPECT_EQ(0, stat_of(self).loans);
	EXPECT_EQ(0, stat_of(self).loaned);
}

TEST_F(library_loan, two_entries_a_message_are_enough)
{
	struct mailbox_message out = { .length = page_size(), .borrow = page_size() };
	struct mailbox_message in = { 0 };
	int i;

	ASSERT_EQ(0, mailbox_loan(self->box, &out, 0, 0));
	for (i = 0; i < 10; i++) {
		self->start[out.offset] = i;
		ASSERT_EQ(0, mailbox_send_message(self->box, &out, MAILBOX_LOAN, 0));
		ASSERT_NE(0, out.loan);
		ASSERT_EQ(0, mailbox_receive_message(self->box, &in, NULL, MAILBOX_LOAN, 0));
		EXPECT_EQ(i, self->start[in.offset]);
		EXPECT_EQ(2, stat_of(self).loans);
	}
	EXPECT_EQ(0, mailbox_return(self->box, in.loan));
	EXPECT_EQ(0, mailbox_return(self->box, out.loan));
}

TEST_F(library_loan, says_when_none_was_free_and_gives_back_for_another)
{
	struct mailbox_message whole = { .length = PAGES * page_size(), .borrow = 1 };
	struct mailbox_message other = { .length = 1 };
	struct mailbox_message in = { 0 };
	__u64 first;

	ASSERT_EQ(0, mailbox_loan(self->box, &whole, 0, 0));
	first = whole.loan;
	EXPECT_EQ(-EAGAIN, mailbox_loan(self->box, &other, MAILBOX_NONBLOCK, 0));
	EXPECT_EQ(-ETIMEDOUT,
		  mailbox_loan(self->box, &other, MAILBOX_DEADLINE, mailbox_deadline_in(1)));
	EXPECT_EQ(0, other.loan);
	/* The same piece, since the loan that is given back is free for it. */
	ASSERT_EQ(0, mailbox_loan(self->box, &whole, MAILBOX_NONBLOCK, 0));
	EXPECT_NE(first, whole.loan);
	EXPECT_EQ(-ESTALE, mailbox_return(self->box, first));

	ASSERT_EQ(0, mailbox_send_message(self->box, &whole, MAILBOX_LOAN, 0));
	EXPECT_EQ(0, whole.loan);
	ASSERT_EQ(0, mailbox_receive_message(self->box, &in, NULL, MAILBOX_LOAN, 0));
	EXPECT_EQ(PAGES * page_size(), in.length);
}

TEST_F(library_loan, that_fails_leaves_the_message_as_it_was)
{
	struct mailbox_message out = { .length = PAGES * page_size() + 1, .loan = 0 };
	struct mailbox_message in = { .loan = 4711, .offset = 11 };

	EXPECT_EQ(-EMSGSIZE, mailbox_loan(self->box, &out, 0, 0));
	EXPECT_EQ(0, out.loan);
	out.length = 64;
	out.loan = 4711;
	out.offset = 11;
	EXPECT_EQ(-ESTALE, mailbox_loan(self->box, &out, 0, 0));
	EXPECT_EQ(-ESTALE, mailbox_send_message(self->box, &out, MAILBOX_LOAN, 0));
	EXPECT_EQ(4711, out.loan);
	EXPECT_EQ(11, out.offset);
	ASSERT_EQ(0, mailbox_send(self->box, "", 0));
	EXPECT_EQ(-ESTALE, mailbox_receive_message(self->box, &in, NULL, MAILBOX_LOAN, 0));
	EXPECT_EQ(4711, in.loan);
	EXPECT_EQ(11, in.offset);
	EXPECT_EQ(1, stat_of(self).messages);
	EXPECT_EQ(0, stat_of(self).loans);
}

TEST_F(library_loan, is_received_by_those_only_who_ask_for_it)
{
	struct mailbox_message out = { .length = 8 }, in = { 0 }, batch[2] = { 0 };
	char text[16];

	ASSERT_EQ(0, mailbox_loan(self->box, &out, 0, 0));
	ASSERT_EQ(0, mailbox_send_message(self->box, &out, MAILBOX_LOAN, 0));
	EXPECT_EQ(-EOPNOTSUPP, mailbox_receive(self->box, text, sizeof(text)));
	EXPECT_EQ(-EOPNOTSUPP, mailbox_receive_message(self->box, &in, NULL, 0, 0));
	EXPECT_EQ(-EOPNOTSUPP, mailbox_receive_batch(self->box, batch, 2, NULL, 0, 0, NULL));
	EXPECT_EQ(-EOPNOTSUPP,
		  mailbox_receive_batch(self->box, batch, 2, NULL, MAILBOX_LOAN, 0, NULL));
	EXPECT_EQ(1, stat_of(self).messages);
	ASSERT_EQ(0, mailbox_receive_alloc(self->box, &in, NULL, MAILBOX_LOAN, 0));
	EXPECT_EQ(1, in.is_loan);
	/* An ordinary one comes to the buffer, and the loan goes back. */
	ASSERT_EQ(0, mailbox_send(self->box, "text", 5));
	ASSERT_EQ(0, mailbox_receive_alloc(self->box, &in, NULL, MAILBOX_LOAN, 0));
	EXPECT_STREQ("text", in.data);
	EXPECT_EQ(0, in.is_loan);
	EXPECT_EQ(0, in.loan);
	EXPECT_EQ(0, in.offset);
	EXPECT_EQ(0, stat_of(self).loans);
	free(in.data);
}

TEST_F(library_loan, stays_with_a_message_under_a_lease)
{
	struct mailbox_message out = { .length = 8 }, in = { 0 };
	__u64 sent;

	ASSERT_EQ(0, mailbox_loan(self->box, &out, 0, 0));
	sent = out.offset;
	ASSERT_EQ(0, mailbox_send_message(self->box, &out, MAILBOX_LOAN, 0));
	ASSERT_EQ(0,
		  mailbox_receive_message(self->box, &in, NULL, MAILBOX_LOAN | MAILBOX_LEASE, 0));
	EXPECT_EQ(0, in.loan);
	EXPECT_EQ(1, in.is_loan);
	EXPECT_EQ(sent, in.offset);
	EXPECT_EQ(1, stat_of(self).loans);
	EXPECT_EQ(0, mailbox_ack(self->box, in.lease));
	EXPECT_EQ(0, stat_of(self).loans);
}

#else

TEST(library_loan)
{
	SKIP(return, "the library is not there");
}

#endif

TEST_HARNESS_MAIN
