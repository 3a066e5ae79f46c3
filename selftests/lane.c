// SPDX-License-Identifier: GPL-2.0
/*
 * Lanes: who makes them and who receives from them, what goes through, and how they end.
 */
#include "world.h"

#include "common_grant.h"
#include "common_lane.h"

FIXTURE(lane)
{
	int device;
	/* The receiver, and a sender. */
	int fd;
	int sender;
	__u64 id;
};

FIXTURE_SETUP(lane)
{
	self->device = device_open();
	self->fd = box_new(self->device);
	self->id = box_stat(self->fd).id;
	self->sender = box_open(self->device, self->id, NULL, SEND);
	ASSERT_LE(0, self->sender);
}

FIXTURE_TEARDOWN(lane)
{
	close(self->sender);
	close(self->fd);
	close(self->device);
}

static int handle_with(FIXTURE_DATA(lane) * self, __u32 rights)
{
	int fd = box_open(self->device, self->id, NULL, rights);

	ASSERT_LE(0, fd);
	return fd;
}

TEST_F(lane, what_is_committed_is_received_in_order)
{
	struct ring out = ring_new(self->sender, 4096);
	struct ring in = ring_next(self->fd, 0);
	char text[32];

	EXPECT_EQ(-EAGAIN, ring_get(&in, text, sizeof(text)));
	for (int i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "%*d", i % 20, i);
		ASSERT_EQ(0, ring_put(&out, text, strlen(text)));
		if (i % 3 == 0)
			continue;
		for (int j = i - (i % 3 == 1); j <= i; j++) {
			snprintf(text, sizeof(text), "%*d", j % 20, j);
			EXPECT_TEXT(text, &in);
		}
	}
	EXPECT_EQ(0, ring_put(&out, "", 0));
	EXPECT_TEXT(text, &in);
	EXPECT_EQ(0, ring_get(&in, text, sizeof(text)));
	EXPECT_EQ(-EAGAIN, ring_get(&in, text, sizeof(text)));
	ring_unmap(&in);
	ring_unmap(&out);
}

TEST_F(lane, a_full_one_takes_what_fits_and_no_more)
{
	struct ring out = ring_new(self->sender, 1), in;
	char text[4096] = "";

	ASSERT_EQ(page_size(), out.bytes);
	in = ring_next(self->fd, 0);
	EXPECT_EQ(-EAGAIN, ring_put(&out, text, out.bytes));
	EXPECT_EQ(0, ring_put(&out, text, out.bytes - 8));
	EXPECT_EQ(-EAGAIN, ring_put(&out, text, 0));
	EXPECT_EQ(-EAGAIN, lane_room(self->sender, 1));
	EXPECT_EQ(out.bytes - 8, ring_get(&in, text, sizeof(text)));
	EXPECT_EQ(0, lane_room(self->sender, out.bytes));
	ring_unmap(&in);
	ring_unmap(&out);
}

TEST_F(lane, its_size_is_rounded_up_to_a_power_of_two)
{
	static const struct {
		__u64 asked, got;
	} sizes[] = {
		{ 0, MAILBOX_LANE_BYTES_DEFAULT },
		{ 1, 4096 },
		{ 4096, 4096 },
		{ 4097, 8192 },
		{ 9000, 16384 },
		{ 65535, 65536 },
		{ MAILBOX_LANE_BYTES_MAX, MAILBOX_LANE_BYTES_MAX },
	};
	struct mailbox_lane_open lane;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		lane = lane_open(self->sender, sizes[i].asked);
		EXPECT_EQ(sizes[i].got, lane.bytes);
		EXPECT_EQ(i + 1, lane.lane);
		EXPECT_EQ(0, lane.place);
		ASSERT_EQ(0, lane_close(self->sender, 0, 0));
	}
	EXPECT_REFUSED(self->device, self->fd, EINVAL,
		       lane_open_try(self->sender, MAILBOX_LANE_BYTES_MAX + 1, &lane));
	EXPECT_REFUSED(self->device, self->fd, EINVAL,
		       lane_open_try(self->sender, UINT64_MAX, &lane));
}

TEST_F(lane, needs_the_right)
{
	int receiver = handle_with(self, RECEIVE),
	    manager = handle_with(self, MAILBOX_RIGHT_MANAGE);
	struct mailbox_lane_open lane;

	EXPECT_REFUSED(self->device, self->fd, EACCES, lane_open_try(receiver, 0, &lane));
	EXPECT_REFUSED(self->device, self->fd, EACCES, lane_open_try(manager, 0, &lane));
	EXPECT_REFUSED(self->device, self->fd, EACCES, lane_next_try(self->sender, 0, &lane));
	EXPECT_REFUSED(self->device, self->fd, EACCES, lane_next_try(manager, 0, &lane));
	EXPECT_EQ(0, lane_next(receiver, 0).lane);
	close(manager);
	close(receiver);
}

TEST_F(lane, arguments_that_do_not_belong_are_refused)
{
	struct mailbox_lane_open lane = lane_open_args(MAILBOX_NONBLOCK);
	struct mailbox_lane_wait wait = lane_wait_args(MAILBOX_PEEK, 0);

	lane_open(self->sender, 0);
	lane_next(self->fd, 0);
	EXPECT_REFUSED(self->device, self->fd, EOPNOTSUPP,
		       call(self->fd, MAILBOX_IOC_LANE_OPEN, &lane));
	lane = lane_open_args(0);
	lane.lane = 1;
	EXPECT_REFUSED(self->device, self->fd, EINVAL,
		       call(self->fd, MAILBOX_IOC_LANE_OPEN, &lane));
	lane = lane_open_args(0);
	lane.reserved = 1;
	EXPECT_REFUSED(self->device, self->fd, EINVAL,
		       call(self->fd, MAILBOX_IOC_LANE_OPEN, &lane));
	lane.flags = MAILBOX_LANE_RECEIVE;
	EXPECT_REFUSED(self->device, self->fd, EINVAL,
		       call(self->fd, MAILBOX_IOC_LANE_OPEN, &lane));
	EXPECT_EQ(-EOPNOTSUPP, lane_wait(self->fd, &wait));
	wait = lane_wait_args(MAILBOX_NONBLOCK, 0);
	wait.room = 1;
	EXPECT_EQ(-EINVAL, lane_wait(self->fd, &wait));
	wait = lane_room_args(MAILBOX_NONBLOCK, 0);
	wait.opened = 1;
	EXPECT_EQ(-EINVAL, lane_wait(self->sender, &wait));
	wait = lane_room_args(MAILBOX_NONBLOCK, MAILBOX_LANE_BYTES_DEFAULT + 1);
	EXPECT_EQ(-EINVAL, lane_wait(self->sender, &wait));
	EXPECT_EQ(-EOPNOTSUPP, lane_wake(self->sender, MAILBOX_NONBLOCK, 0));
	EXPECT_EQ(-EOPNOTSUPP, lane_close(self->sender, MAILBOX_NONBLOCK, 0));
}

TEST_F(lane, is_only_for_mailboxes_of_the_policy_any)
{
	for (__u32 policy = MAILBOX_POLICY_PAIR; policy <= MAILBOX_POLICY_ONE; policy++) {
		int fd = box_new_policy(self->device, policy);
		struct mailbox_lane_open lane;

		EXPECT_REFUSED(self->device, fd, EOPNOTSUPP, lane_open_try(fd, 0, &lane));
		EXPECT_REFUSED(self->device, fd, EOPNOTSUPP, lane_next_try(fd, 0, &lane));
		close(fd);
	}
}

TEST_F(lane, a_handle_has_one)
{
	struct mailbox_lane_open lane = lane_open(self->sender, 4096);

	EXPECT_REFUSED(self->device, self->fd, EBUSY, lane_open_try(self->sender, 4096, &lane));
	/* Also when it has ended. */
	lane_next(self->fd, 0);
	ASSERT_EQ(0, lane_close(self->fd, MAILBOX_LANE_RECEIVE, 1));
	EXPECT_REFUSED(self->device, self->fd, EBUSY, lane_open_try(self->sender, 4096, &lane));
	ASSERT_EQ(0, lane_close(self->sender, 0, 1));
	EXPECT_EQ(2, lane_open(self->sender, 4096).lane);
}

TEST_F(lane, there_are_so_many_in_a_mailbox)
{
	struct mailbox_lane_open lane;
	int fds[MAILBOX_LANES_MAX];
	__u64 places = 0;

	for (int i = 0; i < MAILBOX_LANES_MAX; i++) {
		fds[i] = handle_with(self, SEND);
		lane = lane_open(fds[i], 4096);
		EXPECT_EQ(i + 1, lane.lane);
		EXPECT_EQ(i + 1, box_stat(self->fd).lanes);
		places |= 1ULL << lane.place;
	}
	EXPECT_EQ(UINT64_MAX, places);
	EXPECT_REFUSED(self->device, self->fd, EBUSY, lane_open_try(self->sender, 4096, &lane));
	EXPECT_EQ(0, lane_close(fds[20], 0, 0));
	EXPECT_EQ(MAILBOX_LANES_MAX - 1, box_stat(self->fd).lanes);
	lane = lane_open(self->sender, 4096);
	EXPECT_EQ(20, lane.place);
	EXPECT_EQ(MAILBOX_LANES_MAX + 1, lane.lane);
	for (int i = 0; i < MAILBOX_LANES_MAX; i++)
		close(fds[i]);
	EXPECT_EQ(1, box_stat(self->fd).lanes);
}

TEST_F(lane, there_is_one_receiver_at_a_time)
{
	int other = handle_with(self, RECEIVE);
	struct mailbox_lane_open lane;

	EXPECT_EQ(0, lane_next(self->fd, 0).lane);
	EXPECT_REFUSED(self->device, self->fd, EBUSY, lane_next_try(other, 0, &lane));
	EXPECT_EQ(-ENOENT, lane_ready(other, 0));
	EXPECT_EQ(-ENOENT, lane_close(other, MAILBOX_LANE_RECEIVE, 0));
	EXPECT_EQ(-ENOENT, lane_wake(other, MAILBOX_LANE_RECEIVE, 1));
	ASSERT_EQ(0, lane_close(self->fd, MAILBOX_LANE_RECEIVE, 0));
	EXPECT_EQ(-ENOENT, lane_ready(self->fd, 0));
	EXPECT_EQ(0, lane_next(other, 0).lane);
	EXPECT_EQ(-EBUSY, lane_next_try(self->fd, 0, &lane));
	close(other);
	EXPECT_EQ(0, lane_next(self->fd, 0).lane);
}

TEST_F(lane, the_receiver_is_told_of_one_after_the_other)
{
	int second = handle_with(self, SEND), third = handle_with(self, SEND);
	struct mailbox_lane_open lane;

	lane_open(self->sender, 4096);
	lane_open(second, 8192);
	lane = lane_next(self->fd, 0);
	EXPECT_EQ(1, lane.lane);
	EXPECT_EQ(4096, lane.bytes);
	EXPECT_EQ(0, lane.place);
	lane = lane_next(self->fd, 1);
	EXPECT_EQ(2, lane.lane);
	EXPECT_EQ(8192, lane.bytes);
	EXPECT_EQ(1, lane.place);
	lane = lane_next(self->fd, 2);
	EXPECT_EQ(0, lane.lane);
	EXPECT_EQ(0, lane.bytes);
	EXPECT_EQ(0, lane.offset);
	EXPECT_EQ(0, lane.place);
	/* By number, not by place; and again, if it asks again. */
	ASSERT_EQ(0, lane_close(self->fd, MAILBOX_LANE_RECEIVE, 1));
	EXPECT_EQ(0, lane_open(third, 4096).place);
	EXPECT_EQ(2, lane_next(self->fd, 0).lane);
	EXPECT_EQ(3, lane_next(self->fd, 2).lane);
	EXPECT_EQ(3, lane_next(self->fd, 2).lane);
	EXPECT_EQ(0, lane_next(self->fd, 3).lane);
	close(third);
	close(second);
}

TEST_F(lane, a_receiver_that_is_awake_sees_that_there_is_another)
{
	struct ring out = ring_new(self->sender, 4096);
	struct ring in = ring_next(self->fd, 0);
	int second = handle_with(self, SEND);

	EXPECT_EQ(1, in.state->opened);
	lane_open(second, 4096);
	EXPECT_EQ(2, *(volatile __u32 *)&in.state->opened);
	close(second);
	EXPECT_EQ(2, *(volatile __u32 *)&in.state->opened);
	ring_unmap(&in);
	ring_unmap(&out);
}

TEST_F(lane, what_a_sender_leaves_is_received)
{
	struct ring out = ring_new(self->sender, 4096), in;
	char text[8];

	EXPECT_EQ(0, ring_put(&out, "first", 5));
	EXPECT_EQ(0, ring_put(&out, "second", 6));
	/* Written and not committed. */
	EXPECT_EQ(0, ring_write(&out, "third", 5));
	close(self->sender);
	ring_unmap(&out);
	EXPECT_EQ(1, box_stat(self->fd).lanes);
	in = ring_next(self->fd, 0);
	EXPECT_EQ(MAILBOX_LANE_SENDER_GONE, ring_ended(&in));
	EXPECT_TEXT("first", &in);
	EXPECT_TEXT("second", &in);
	EXPECT_EQ(-EAGAIN, ring_get(&in, text, sizeof(text)));
	EXPECT_EQ(1 << in.place, lane_ready(self->fd, 1));
	EXPECT_EQ(0, lane_close(self->fd, MAILBOX_LANE_RECEIVE, in.number));
	EXPECT_EQ(0, box_stat(self->fd).lanes);
	EXPECT_EQ(-EAGAIN, lane_ready(self->fd, 1));
	ring_unmap(&in);
	self->sender = handle_with(self, SEND);
}

TEST_F(lane, an_empty_one_nobody_knows_goes_with_its_sender)
{
	lane_open(self->sender, 4096);
	EXPECT_EQ(1, box_stat(self->fd).lanes);
	ASSERT_EQ(0, lane_close(self->sender, 0, 0));
	EXPECT_EQ(0, box_stat(self->fd).lanes);
	/* One that the receiver was told of stays until it closes it: it may map it. */
	lane_open(self->sender, 4096);
	EXPECT_EQ(2, lane_next(self->fd, 0).lane);
	ASSERT_EQ(0, lane_close(self->sender, 0, 2));
	EXPECT_EQ(1, box_stat(self->fd).lanes);
	EXPECT_EQ(1, lane_ready(self->fd, 2));
	/* Nor is it the sender's any more. */
	EXPECT_EQ(-ENOENT, lane_wake(self->sender, 0, 0));
	EXPECT_EQ(-ENOENT, lane_close(self->sender, 0, 2));
	ASSERT_EQ(0, lane_close(self->fd, MAILBOX_LANE_RECEIVE, 2));
	EXPECT_EQ(0, box_stat(self->fd).lanes);
}

TEST_F(lane, one_that_the_receiver_closes_has_ended_for_its_sender)
{
	struct ring out = ring_new(self->sender, 4096);
	int second = handle_with(self, SEND);
	struct ring other = ring_new(second, 4096);
	struct mailbox_lane_open lane;

	/* Not one that it was not told of. */
	EXPECT_EQ(1, lane_next(self->fd, 0).lane);
	EXPECT_EQ(-ENOENT, lane_close(self->fd, MAILBOX_LANE_RECEIVE, 2));
	EXPECT_EQ(0, lane_close(self->fd, MAILBOX_LANE_RECEIVE, 1));
	EXPECT_EQ(-ENOENT, lane_close(self->fd, MAILBOX_LANE_RECEIVE, 1));
	EXPECT_EQ(MAILBOX_LANE_RECEIVER_GONE, ring_ended(&out));
	EXPECT_EQ(-EPIPE, lane_room(self->sender, 1));
	EXPECT_EQ(0, ring_ended(&other));
	EXPECT_EQ(0, lane_room(second, 1));
	EXPECT_EQ(1, box_stat(self->fd).lanes);
	/* Its place may be that of another by now; the sender's pages are its own. */
	lane = lane_open(self->fd, 4096);
	EXPECT_EQ(out.place, lane.place);
	strcpy(out.data, "mine");
	EXPECT_EQ(0, lane_close(self->sender, 0, out.number));
	EXPECT_EQ(2, box_stat(self->fd).lanes);
	EXPECT_STREQ("mine", out.data);
	ring_unmap(&other);
	ring_unmap(&out);
	close(second);
}

TEST_F(lane, all_end_with_the_receiver_that_was_told_of_them)
{
	int receiver = handle_with(self, RECEIVE), second = handle_with(self, SEND);
	struct ring out = ring_new(self->sender, 4096), other = ring_new(second, 4096), in;

	EXPECT_EQ(1, lane_next(receiver, 0).lane);
	EXPECT_EQ(0, ring_put(&other, "later", 5));
	close(receiver);
	EXPECT_EQ(MAILBOX_LANE_RECEIVER_GONE, ring_ended(&out));
	EXPECT_EQ(-EPIPE, lane_room(self->sender, 1));
	EXPECT_EQ(0, ring_ended(&other));
	EXPECT_EQ(1, box_stat(self->fd).lanes);
	in = ring_next(self->fd, 0);
	EXPECT_EQ(2, in.number);
	EXPECT_TEXT("later", &in);
	ring_unmap(&in);
	ring_unmap(&other);
	ring_unmap(&out);
	close(second);
}

TEST_F(lane, a_revoked_sender_has_left)
{
	__u64 grant = 0;
	int derived = box_restrict(self->fd, SEND, &grant);
	struct ring out = ring_new(derived, 4096), in;

	EXPECT_EQ(0, ring_put(&out, "before", 6));
	in = ring_next(self->fd, 0);
	ASSERT_EQ(0, box_revoke(self->fd, grant));
	EXPECT_EQ(MAILBOX_LANE_SENDER_GONE, ring_ended(&in));
	EXPECT_EQ(-EACCES, lane_room(derived, 1));
	EXPECT_EQ(-EACCES, lane_wake(derived, 0, 0));
	EXPECT_EQ(-EACCES, lane_close(derived, 0, 0));
	EXPECT_TEXT("before", &in);
	close(derived);
	EXPECT_EQ(1, box_stat(self->fd).lanes);
	ring_unmap(&in);
	ring_unmap(&out);
}

TEST_F(lane, a_revoked_receiver_has_left)
{
	__u64 grant = 0;
	int derived = box_restrict(self->fd, RECEIVE, &grant);
	struct ring out = ring_new(self->sender, 4096);

	EXPECT_EQ(1, lane_next(derived, 0).lane);
	ASSERT_EQ(0, box_revoke(self->fd, grant));
	EXPECT_EQ(MAILBOX_LANE_RECEIVER_GONE, ring_ended(&out));
	EXPECT_EQ(-EACCES, lane_ready(derived, 0));
	EXPECT_EQ(0, lane_next(self->fd, 0).lane);
	close(derived);
	ring_unmap(&out);
}

TEST_F(lane, ends_with_its_mailbox)
{
	struct ring out = ring_new(self->sender, 4096);
	struct ring in = ring_next(self->fd, 0);
	struct mailbox_lane_open lane;

	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	EXPECT_EQ(MAILBOX_LANE_DESTROYED, ring_ended(&out));
	EXPECT_EQ(MAILBOX_LANE_DESTROYED, ring_ended(&in));
	EXPECT_EQ(-EIDRM, lane_room(self->sender, 1));
	EXPECT_EQ(-EIDRM, lane_wake(self->sender, 0, 0));
	EXPECT_EQ(-EIDRM, lane_close(self->sender, 0, 0));
	EXPECT_EQ(-EIDRM, lane_open_try(self->sender, 4096, &lane));
	EXPECT_EQ(-EIDRM, lane_next_try(self->fd, 0, &lane));
	EXPECT_EQ(-EIDRM, lane_ready(self->fd, 0));
	/* The pages are still there. */
	EXPECT_EQ(0, ring_put(&out, "text", 4));
	EXPECT_TEXT("text", &in);
	ring_unmap(&in);
	ring_unmap(&out);
}

TEST_F(lane, ordinary_messages_go_past_it)
{
	struct ring out = ring_new(self->sender, 4096);
	struct ring in = ring_next(self->fd, 0);
	char text[16];

	EXPECT_EQ(0, ring_put(&out, "lane", 4));
	EXPECT_EQ(0, box_send_text(self->sender, "queue", 0, 0));
	EXPECT_EQ(1, box_stat(self->fd).messages);
	EXPECT_EQ(5, box_receive_text(self->fd, text, sizeof(text)));
	EXPECT_EQ(-EAGAIN, box_receive_text(self->fd, text, sizeof(text)));
	EXPECT_TEXT("lane", &in);
	ring_unmap(&in);
	ring_unmap(&out);
}

TEST_F(lane, a_handle_may_be_both)
{
	struct ring out = ring_new(self->fd, 4096);
	struct ring in = ring_next(self->fd, 0);

	EXPECT_NE(out.offset, in.offset);
	EXPECT_EQ(0, ring_put(&out, "to myself", 9));
	EXPECT_TEXT("to myself", &in);
	ASSERT_EQ(0, lane_close(self->fd, MAILBOX_LANE_RECEIVE, 0));
	EXPECT_EQ(MAILBOX_LANE_RECEIVER_GONE, ring_ended(&out));
	ASSERT_EQ(0, lane_close(self->fd, 0, 0));
	EXPECT_EQ(MAILBOX_LANE_SENDER_GONE | MAILBOX_LANE_RECEIVER_GONE, ring_ended(&out));
	ring_unmap(&in);
	ring_unmap(&out);
}

TEST_F(lane, an_answer_that_cannot_be_written_makes_none)
{
	struct mailbox_lane_open args = lane_open_args(0), *bad = readonly_new(&args, sizeof(args));

	EXPECT_REFUSED(self->device, self->fd, EFAULT,
		       call(self->sender, MAILBOX_IOC_LANE_OPEN, bad));
	args.flags = MAILBOX_LANE_RECEIVE;
	bad = readonly_new(&args, sizeof(args));
	EXPECT_REFUSED(self->device, self->fd, EFAULT, call(self->fd, MAILBOX_IOC_LANE_OPEN, bad));
	/* So nobody is the receiver. */
	EXPECT_EQ(-ENOENT, lane_ready(self->fd, 0));
	EXPECT_EQ(1, lane_open(self->sender, 4096).lane);
}

TEST_HARNESS_MAIN
