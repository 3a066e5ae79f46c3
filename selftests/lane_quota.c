// SPDX-License-Identifier: GPL-2.0
/*
 * Lanes: whose quota their memory counts against, and how long.
 */
#include "world.h"

#include "common_lane.h"

FIXTURE(lane_quota)
{
	int device;
	/* The receiver, and a sender. */
	int fd;
	int sender;
};

FIXTURE_SETUP(lane_quota)
{
	self->device = device_open();
	self->fd = box_new(self->device);
	self->sender = box_open(self->device, box_stat(self->fd).id, NULL, SEND);
	ASSERT_LE(0, self->sender);
}

FIXTURE_TEARDOWN(lane_quota)
{
	close(self->sender);
	close(self->fd);
	close(self->device);
}

TEST_F(lane_quota, memory_is_paid_for_until_the_last_mapping_is_gone)
{
	const struct usage before = usage_of_caller(self->device);
	struct ring out = ring_new(self->sender, 1 << 20), in = ring_next(self->fd, 0);
	const __u64 least = before.bytes + (1 << 20) + 3 * page_size();

	EXPECT_LE(least, usage_of_caller(self->device).bytes);
	ASSERT_EQ(0, lane_close(self->sender, 0, 0));
	ASSERT_EQ(0, lane_close(self->fd, MAILBOX_LANE_RECEIVE, 0));
	ring_unmap(&out);
	EXPECT_LE(least, usage_of_caller(self->device).bytes);
	ring_unmap(&in);
	EXPECT_USAGE(self->device, before);
	EXPECT_EQ(0, box_stat(self->fd).lanes);
}

TEST_F(lane_quota, beyond_the_quota_there_is_none)
{
	const uint64_t old = parameter_get("max_bytes_per_user");

	if (!is_root())
		SKIP(return, "only root sets limits");
	parameter_set("max_bytes_per_user", 100000);
	AS_USER(1000, {
		int device = device_open(), fd = box_new(device), other;
		struct mailbox_lane_open lane;

		EXPECT_REFUSED(device, fd, EDQUOT, lane_open_try(fd, 1 << 17, &lane));
		EXPECT_EQ(1, lane_open(fd, 1 << 16).lane);
		other = box_open(device, box_stat(fd).id, NULL, SEND);
		EXPECT_REFUSED(device, fd, EDQUOT, lane_open_try(other, 1 << 16, &lane));
		ASSERT_EQ(0, lane_close(fd, 0, 0));
		EXPECT_EQ(2, lane_open(other, 1 << 16).lane);
	});
	parameter_set("max_bytes_per_user", old);
}

TEST_HARNESS_MAIN
