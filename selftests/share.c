// SPDX-License-Identifier: GPL-2.0
/*
 * A share keeps one sending user from filling a mailbox that others send to as well.
 */
#include "world.h"

#define ONE   1000
#define OTHER 1001

FIXTURE(share)
{
	int device;
	int box;
};

static const char data[1000];

/* Of root, open to all who send, for 10 messages and 1000 bytes. */
static int shared_box(int device, __u32 share, __u32 mode, __u32 on_full)
{
	struct mailbox_create args = create_args();

	args.mode = mode;
	args.share = share;
	args.on_full = on_full;
	args.max_messages = 10;
	args.max_bytes = 1000;
	return box_create(device, &args);
}

FIXTURE_SETUP(share)
{
	self->device = device_open();
	self->box = shared_box(self->device, 50, 0666, MAILBOX_ON_FULL_WAIT);
	ASSERT_LE(0, self->box);
}

FIXTURE_TEARDOWN(share)
{
	close(self->box);
	close(self->device);
}

static void send_many(int fd, int nr, size_t length)
{
	for (int i = 0; i < nr; i++)
		EXPECT_EQ(0, box_send_data(fd, data, length));
}

TEST_F(share, one_user_cannot_fill_more_than_its_share)
{
	AS_USER(ONE, {
		send_many(self->box, 5, 1);
		EXPECT_REFUSED(self->device, self->box, EAGAIN, box_send_data(self->box, "x", 1));
	});
	AS_USER(OTHER, {
		send_many(self->box, 5, 1);
		EXPECT_REFUSED(self->device, self->box, EAGAIN, box_send_data(self->box, "x", 1));
	});
	EXPECT_EQ(10, box_stat(self->box).messages);
}

TEST_F(share, counts_bytes_too)
{
	AS_USER(ONE, {
		send_many(self->box, 1, 400);
		EXPECT_REFUSED(self->device, self->box, EAGAIN,
			       box_send_data(self->box, data, 101));
		send_many(self->box, 1, 100);
		EXPECT_REFUSED(self->device, self->box, EAGAIN, box_send_data(self->box, "x", 1));
		/* No bytes are within any share of bytes. */
		send_many(self->box, 1, 0);
	});
	AS_USER(OTHER, {
		EXPECT_EQ(-EAGAIN, box_send_data(self->box, data, 501));
		send_many(self->box, 1, 500);
	});
	EXPECT_EQ(1000, box_stat(self->box).bytes);
}

TEST_F(share, is_of_the_user_not_of_the_process)
{
	AS_USER(ONE, send_many(self->box, 3, 1));
	AS_USER(ONE, {
		send_many(self->box, 2, 1);
		EXPECT_REFUSED(self->device, self->box, EAGAIN, box_send_data(self->box, "x", 1));
	});
}

TEST_F(share, root_has_no_more_than_another)
{
	send_many(self->box, 5, 1);
	EXPECT_REFUSED(self->device, self->box, EAGAIN, box_send_data(self->box, "x", 1));
}

TEST_F(share, a_received_message_makes_room_for_its_sender)
{
	char text[4];

	AS_USER(ONE, send_many(self->box, 5, 1));
	AS_USER(OTHER, send_many(self->box, 5, 1));
	EXPECT_EQ(1, box_receive_text(self->box, text, sizeof(text)));
	AS_USER(OTHER,
		EXPECT_REFUSED(self->device, self->box, EAGAIN, box_send_data(self->box, "x", 1)));
	AS_USER(ONE, send_many(self->box, 1, 1));
}

static pid_t waiting_sender(int box, uid_t id)
{
	pid_t pid = child_fork();

	if (!pid) {
		struct mailbox_send args = send_args("w", 1);

		args.flags = 0;
		become(id, id);
		EXPECT_EQ(0, box_send(box, &args));
		_exit(KSFT_PASS);
	}
	return pid;
}

TEST_F(share, who_waits_for_its_share_holds_up_nobody_else)
{
	struct mailbox_receive args;
	char text[4];
	pid_t pid;

	AS_USER(ONE, send_many(self->box, 5, 1));
	pid = waiting_sender(self->box, ONE);
	wait_waiters(self->box, 0, 1);

	AS_USER(OTHER, send_many(self->box, 3, 1));
	EXPECT_EQ(1, box_stat(self->box).senders);

	/* Its own first message, which comes first, goes: now there is room. */
	args = receive_args(text, sizeof(text));
	EXPECT_EQ(0, box_receive(self->box, &args));
	EXPECT_EQ(ONE, args.uid);
	child_done(pid);
	EXPECT_EQ(8, box_stat(self->box).messages);
}

TEST_F(share, waiting_senders_of_two_users_each_get_their_own_room)
{
	struct mailbox_receive args;
	char text[4];
	pid_t one, other;

	AS_USER(ONE, send_many(self->box, 5, 1));
	AS_USER(OTHER, send_many(self->box, 5, 1));
	one = waiting_sender(self->box, ONE);
	wait_waiters(self->box, 0, 1);
	other = waiting_sender(self->box, OTHER);
	wait_waiters(self->box, 0, 2);

	/* The fifth from the end is the first of the other user. */
	args = receive_args(text, sizeof(text));
	for (int i = 0; i < 5; i++)
		EXPECT_EQ(0, box_receive(self->box, &args));
	child_done(one);
	EXPECT_EQ(1, box_stat(self->box).senders);
	args = receive_args(text, sizeof(text));
	EXPECT_EQ(0, box_receive(self->box, &args));
	EXPECT_EQ(OTHER, args.uid);
	child_done(other);
	EXPECT_EQ(0, box_stat(self->box).senders);
	EXPECT_EQ(6, box_stat(self->box).messages);
}

/* In line: two of the user whose share is full, and behind them one of the other. */
TEST_F(share, who_waits_for_its_share_holds_up_all_of_its_own)
{
	pid_t pids[3];
	char text[4];

	AS_USER(OTHER, send_many(self->box, 5, 1));
	AS_USER(ONE, send_many(self->box, 5, 1));
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
		pids[i] = waiting_sender(self->box, i < 2 ? ONE : OTHER);
		wait_waiters(self->box, 0, i + 1);
	}
	/* The first is of the other user, and so is the room. */
	EXPECT_EQ(1, box_receive_text(self->box, text, sizeof(text)));
	child_done(pids[2]);
	EXPECT_EQ(2, box_stat(self->box).senders);
	EXPECT_EQ(10, box_stat(self->box).messages);
	/* Four more of the other user, then those for whose user they waited. */
	for (int i = 0; i < 6; i++)
		EXPECT_EQ(1, box_receive_text(self->box, text, sizeof(text)));
	child_done(pids[0]);
	child_done(pids[1]);
	EXPECT_EQ(6, box_stat(self->box).messages);
}

TEST_F(share, poll_tells_of_the_share_of_the_user)
{
	__u64 id = box_stat(self->box).id;

	AS_USER(ONE, {
		int fd = box_open(self->device, id, NULL, MAILBOX_RIGHT_SEND);

		EXPECT_EQ(POLLOUT, poll_now(fd, POLLOUT));
		send_many(fd, 5, 1);
		EXPECT_EQ(0, poll_now(fd, POLLOUT));
	});
	AS_USER(OTHER, {
		int fd = box_open(self->device, id, NULL, MAILBOX_RIGHT_SEND);

		EXPECT_EQ(POLLOUT, poll_now(fd, POLLOUT));
	});
}

TEST_F(share, full_share_refuses_where_full_refuses)
{
	struct mailbox_send args = send_args("x", 1);
	int box = shared_box(self->device, 20, 0666, MAILBOX_ON_FULL_REFUSE);

	ASSERT_LE(0, box);
	args.flags = 0;
	AS_USER(ONE, {
		send_many(box, 2, 1);
		EXPECT_REFUSED(self->device, box, EAGAIN, box_send(box, &args));
	});
	AS_USER(OTHER, send_many(box, 2, 1));
	close(box);
}

TEST_F(share, of_all_lets_one_user_fill_the_mailbox)
{
	int box = shared_box(self->device, 100, 0666, MAILBOX_ON_FULL_WAIT);

	ASSERT_LE(0, box);
	AS_USER(ONE, send_many(box, 10, 1));
	AS_USER(OTHER, EXPECT_REFUSED(self->device, box, EAGAIN, box_send_data(box, "x", 1)));
	close(box);
}

TEST_F(share, default_depends_on_who_may_send)
{
	static const struct {
		__u32 mode;
		__u32 share;
	} cases[] = {
		{ 0600, 100 }, { 0200, 100 }, { 0644, 100 }, { 0755, 100 },
		{ 0620, 50 },  { 0602, 50 },  { 0666, 50 },  { 0022, 50 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int box = shared_box(self->device, 0, cases[i].mode, MAILBOX_ON_FULL_WAIT);

		ASSERT_LE(0, box);
		EXPECT_EQ(cases[i].share, box_stat(box).share) TH_LOG("mode %o", cases[i].mode);
		close(box);
	}
}

TEST_F(share, is_at_most_all)
{
	EXPECT_EQ(-EINVAL, shared_box(self->device, 101, 0666, MAILBOX_ON_FULL_WAIT));
}

TEST_F(share, larger_share_lets_waiting_senders_in)
{
	struct mailbox_set args = { .size = sizeof(args), .flags = MAILBOX_SET_SHARE, .share = 60 };
	pid_t pid;

	AS_USER(ONE, send_many(self->box, 5, 1));
	pid = waiting_sender(self->box, ONE);
	wait_waiters(self->box, 0, 1);
	EXPECT_EQ(0, call(self->box, MAILBOX_IOC_SET, &args));
	child_done(pid);
	EXPECT_EQ(6, box_stat(self->box).messages);
	AS_USER(ONE, EXPECT_EQ(-EAGAIN, box_send_data(self->box, "x", 1)));
}

TEST_F(share, a_message_longer_than_the_share_can_be_sent_alone)
{
	AS_USER(ONE, {
		EXPECT_EQ(0, box_send_data(self->box, data, 700));
		EXPECT_REFUSED(self->device, self->box, EAGAIN, box_send_data(self->box, "x", 1));
	});
	AS_USER(OTHER, send_many(self->box, 1, 300));
}

TEST_HARNESS_MAIN
