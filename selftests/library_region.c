// SPDX-License-Identifier: GPL-2.0
/*
 * libmailbox: shared pages.
 */
#include <errno.h>

#include "common_region.h"

#if __has_include("mailbox.h")
#include <mailbox.h>

FIXTURE(library_region)
{
	int device;
	int box;
	struct mailbox_create create;
};

FIXTURE_SETUP(library_region)
{
	self->device = mailbox_device_open();
	ASSERT_LE(0, self->device);
	ASSERT_EQ(0, mailbox_create_init(&self->create, "region"));
	self->create.region_size = 3 * page_size();
	self->box = mailbox_create(self->device, &self->create);
	ASSERT_LE(0, self->box);
}

FIXTURE_TEARDOWN(library_region)
{
	close(self->box);
	close(self->device);
}

TEST_F(library_region, maps_all_of_it_as_the_handle_may)
{
	int sender = mailbox_open(self->device, "region", MAILBOX_RIGHT_SEND, 0);
	int receiver = mailbox_open(self->device, "region", MAILBOX_RIGHT_RECEIVE, 0);
	void *written, *read;
	size_t length = 0, again = 0;

	ASSERT_LE(0, sender);
	ASSERT_LE(0, receiver);
	ASSERT_EQ(0, mailbox_map(sender, &written, &length));
	EXPECT_EQ(3 * page_size(), length);
	ASSERT_EQ(0, mailbox_map(receiver, &read, &again));
	EXPECT_EQ(length, again);
	strcpy((char *)written + length - 8, "text");
	EXPECT_STREQ("text", (char *)read + length - 8);
	EXPECT_EQ(-1, mprotect(read, length, PROT_READ | PROT_WRITE));
	munmap(written, length);
	munmap(read, length);
	close(sender);
	close(receiver);
}

TEST_F(library_region, maps_it_as_large_as_it_is_now)
{
	struct mailbox_set set = {
		.flags = MAILBOX_SET_REGION_SIZE,
		.region_size = 5 * page_size(),
	};
	size_t length;
	void *start;

	ASSERT_EQ(0, mailbox_set(self->box, &set));
	ASSERT_EQ(0, mailbox_map(self->box, &start, &length));
	EXPECT_EQ(5 * page_size(), length);
	munmap(start, length);
}

TEST_F(library_region, that_cannot_be_mapped_leaves_all_as_it_was)
{
	int manager = mailbox_open(self->device, "region", MAILBOX_RIGHT_MANAGE, 0);
	int without = box_new(self->device);
	void *start = self;
	size_t length = 77;

	EXPECT_EQ(-EACCES, mailbox_map(manager, &start, &length));
	EXPECT_EQ(-EINVAL, mailbox_map(without, &start, &length));
	ASSERT_EQ(0, mailbox_destroy(self->box));
	EXPECT_EQ(-EIDRM, mailbox_map(self->box, &start, &length));
	EXPECT_TRUE(start == self);
	EXPECT_EQ(77, length);
	close(manager);
	close(without);
}

#else

TEST(library_region)
{
	SKIP(return, "the library is not there");
}

#endif

TEST_HARNESS_MAIN
