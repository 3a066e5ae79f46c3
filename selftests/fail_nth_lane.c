// SPDX-License-Identifier: GPL-2.0
/*
 * Lanes, with each allocation and copy made to fail in turn: one that could not be made takes no
 * place and no quota, one that could not be told of is told of the next time, and a mapping is
 * there or is not.
 */
#include "fail_nth.h"

#include "common_lane.h"

#define BYTES (4 * 4096)

static struct mailbox_lane_open out, in;

static void prepare_box(struct scene *scene)
{
	scene->fd = box_new(scene->device);
	out = lane_open_args(0);
	out.bytes = BYTES;
	in = lane_open_args(MAILBOX_LANE_RECEIVE);
}

static int open_sender(struct scene *scene)
{
	out.lane = 0;
	return call(scene->fd, MAILBOX_IOC_LANE_OPEN, &out);
}

static void complete_open(struct scene *scene)
{
	struct ring ring, other;

	/* The answer that could be written before may be lost: the lane is there all the same. */
	out.lane = 1;
	out.bytes = BYTES;
	out.offset = 1ULL << 40;
	EXPECT_EQ(1, box_stat(scene->fd).lanes);
	in = lane_next(scene->fd, 0);
	EXPECT_EQ(1, in.lane);
	EXPECT_EQ(BYTES, in.bytes);
	ring = ring_map(scene->fd, &out, true);
	other = ring_map(scene->fd, &in, false);
	EXPECT_EQ(0, ring_put(&ring, "text", 4));
	EXPECT_TEXT("text", &other);
	ring_unmap(&other);
	ring_unmap(&ring);
}

TEST_SWEEP(lane_open, .prepare = prepare_box, .call = open_sender, .complete = complete_open,
	   .allocates = true, .least = 6)

static void prepare_lane(struct scene *scene)
{
	prepare_box(scene);
	ASSERT_EQ(0, open_sender(scene));
}

static int open_receiver(struct scene *scene)
{
	in.lane = 0;
	return call(scene->fd, MAILBOX_IOC_LANE_OPEN, &in);
}

TEST_SWEEP(lane_told, .prepare = prepare_lane, .call = open_receiver, .complete = complete_open,
	   .least = 2)

static void prepare_both(struct scene *scene)
{
	prepare_lane(scene);
	ASSERT_EQ(0, open_receiver(scene));
}

static char *mapped;

static int map(struct scene *scene)
{
	return lane_map_try(scene->fd, out.offset + 3 * 4096, BYTES, READ_WRITE, &mapped);
}

static void complete_map(struct scene *scene)
{
	strcpy(mapped, "text");
	munmap(mapped, BYTES);
	EXPECT_EQ(0, lane_close(scene->fd, 0, 0));
}

TEST_SWEEP(map, .prepare = prepare_both, .call = map, .complete = complete_map, .allocates = true,
	   .least = 2)

static struct mailbox_lane_wait wait_args;

static int wait_receiver(struct scene *scene)
{
	wait_args = lane_wait_args(MAILBOX_NONBLOCK, 0);
	return call(scene->fd, MAILBOX_IOC_LANE_WAIT, &wait_args);
}

static void complete_wait(struct scene *scene)
{
	EXPECT_EQ(0, wait_args.ready);
	EXPECT_EQ(1, wait_args.opened);
	EXPECT_EQ(1, box_stat(scene->fd).lanes);
}

TEST_SWEEP(wait, .prepare = prepare_both, .call = wait_receiver, .complete = complete_wait,
	   .least = 2)

static struct mailbox_lane_close close_args;

static int close_receiver(struct scene *scene)
{
	close_args = (struct mailbox_lane_close){
		.size = sizeof(close_args),
		.flags = MAILBOX_LANE_RECEIVE,
		.lane = 1,
	};
	return call(scene->fd, MAILBOX_IOC_LANE_CLOSE, &close_args);
}

static void complete_close(struct scene *scene)
{
	EXPECT_EQ(0, box_stat(scene->fd).lanes);
	EXPECT_EQ(-EPIPE, lane_room(scene->fd, 8));
}

TEST_SWEEP(close, .prepare = prepare_both, .call = close_receiver, .complete = complete_close,
	   .least = 1)

TEST_HARNESS_MAIN
