// SPDX-License-Identifier: GPL-2.0
/*
 * A slow receiver of a broadcast: it misses messages and is told how many, or it is cut
 * off. It never holds up the sender or the others.
 */
#include "common_broadcast.h"

#define ROOM 8

FIXTURE(slow)
{
	int device;
	int fd;
	__u64 id;
};

FIXTURE_SETUP(slow)
{
	self->device = device_open();
	self->fd = broadcast_new(self->device, ROOM, &self->id);
}

FIXTURE_TEARDOWN(slow)
{
	close(self->fd);
	close(self->device);
}

TEST_F(slow, misses_the_oldest_and_is_told_how_many)
{
	int a = subscribe(self->device, self->id), b = subscribe(self->device, self->id);
	struct mailbox_stat stat;
	int i;

	EXPECT_EQ(0, broadcast_next(a, NULL) + EAGAIN);
	for (i = 1; i <= ROOM + 5; i++) {
		broadcast_send(self->fd, i, 1);
		EXPECT_NEXT(b, i, 0);
	}
	stat = box_stat(self->fd);
	EXPECT_EQ(5, stat.overwritten);
	EXPECT_EQ(ROOM, stat.messages);
	EXPECT_NEXT(a, 6, 5);
	EXPECT_NEXT(a, 7, 0);
	/* Now one more than what is free. */
	broadcast_send(self->fd, 14, 4);
	EXPECT_NEXT(a, 10, 2);
	EXPECT_NEXT(b, 14, 0);
	EXPECT_EQ(7, box_stat(self->fd).overwritten);
	EXPECT_EQ(3, box_stat(self->fd).received);
}

TEST_F(slow, what_all_have_makes_room_first)
{
	int a = subscribe(self->device, self->id);
	__u64 i;

	for (i = 1; i <= 4 * ROOM; i++) {
		broadcast_send(self->fd, i, 1);
		EXPECT_NEXT(a, i, 0);
	}
	EXPECT_EQ(0, box_stat(self->fd).overwritten);
	EXPECT_EQ(4 * ROOM, box_stat(self->fd).received);
}

TEST_F(slow, bytes_make_room_too)
{
	struct mailbox_create args = broadcast_args(0);
	char data[100] = "";
	int fd, a, i;

	args.max_bytes = 100;
	args.message_size = 100;
	fd = box_create(self->device, &args);
	ASSERT_LE(0, fd);
	a = subscribe(self->device, args.id);
	for (i = 0; i < 10; i++)
		ASSERT_EQ(0, box_send_data(fd, data, 10));
	ASSERT_EQ(0, box_send_data(fd, data, 75));
	EXPECT_EQ(8, box_stat(fd).overwritten);
	EXPECT_EQ(95, box_stat(fd).bytes);
	EXPECT_NEXT(a, 0, 8);
	ASSERT_EQ(0, box_send_data(fd, data, 100));
	EXPECT_NEXT(a, 0, 2);
	EXPECT_EQ(0, box_stat(fd).messages);
}

TEST_F(slow, read_keeps_the_count_for_the_next)
{
	int a = subscribe(self->device, self->id);
	char data[8];
	struct mailbox_receive args = receive_args(data, sizeof(data));

	broadcast_send(self->fd, 1, ROOM + 2);
	ASSERT_EQ(1, read(a, data, sizeof(data)));
	broadcast_send(self->fd, ROOM + 3, 2);
	/* An earlier version of the structure does not know it either. */
	args.size = offsetof(struct mailbox_receive, missed);
	ASSERT_EQ(0, box_receive(a, &args));
	EXPECT_EQ(5, args.type);
	EXPECT_EQ(POISON64, args.missed);
	/* Nor does a look take it away. */
	args.size = sizeof(args);
	args.flags |= MAILBOX_PEEK;
	ASSERT_EQ(0, box_receive(a, &args));
	EXPECT_EQ(3, args.missed);
	EXPECT_NEXT(a, 6, 3);
	EXPECT_NEXT(a, 7, 0);
}

TEST_F(slow, index_does_not_count_what_is_there)
{
	int a = subscribe(self->device, self->id);
	char data[8];
	struct mailbox_receive args = receive_args(data, sizeof(data));

	broadcast_send(self->fd, 1, ROOM + 2);
	args.flags |= MAILBOX_PEEK;
	args.select = MAILBOX_SELECT_INDEX;
	args.match = 3;
	ASSERT_EQ(0, box_receive(a, &args));
	EXPECT_EQ(6, args.type);
	EXPECT_EQ(2, args.missed);
}

TEST_F(slow, other_policies_do_not_write_the_count)
{
	int fd = box_new(self->device);
	__u64 missed;

	broadcast_send(fd, 1, 1);
	EXPECT_EQ(1, broadcast_next(fd, &missed));
	EXPECT_EQ(POISON64, missed);
}

TEST_F(slow, cut_off_when_it_misses_one)
{
	int a = subscribe_with(self->device, self->id, MAILBOX_CUT_OFF);
	int b = subscribe(self->device, self->id);
	struct mailbox_stat stat;
	char data[8];
	struct mailbox_receive args = receive_args(data, sizeof(data));
	__u64 i;

	ASSERT_LE(0, a);
	broadcast_send(self->fd, 1, ROOM);
	EXPECT_NEXT(a, 1, 0);
	for (i = 1; i <= ROOM; i++)
		EXPECT_NEXT(b, i, 0);
	/* The first goes that all have. */
	broadcast_send(self->fd, ROOM + 1, 1);
	EXPECT_NEXT(b, ROOM + 1, 0);
	EXPECT_EQ(POLLIN, poll_now(a, POLLIN));
	EXPECT_EQ(2, box_stat(self->fd).subscribers);
	broadcast_send(self->fd, ROOM + 2, 1);
	EXPECT_EQ(POLLHUP | POLLERR, poll_now(a, POLLIN | POLLOUT));
	EXPECT_EQ(-ENOBUFS, broadcast_next(a, NULL));
	EXPECT_EQ(-1, read(a, data, sizeof(data)));
	EXPECT_EQ(ENOBUFS, errno);
	args.flags |= MAILBOX_PEEK;
	EXPECT_EQ(-ENOBUFS, box_receive(a, &args));
	/* One was overwritten; what only it needed is gone. */
	stat = box_stat(self->fd);
	EXPECT_EQ(1, stat.subscribers);
	EXPECT_EQ(1, stat.overwritten);
	EXPECT_EQ(1, stat.messages);
	EXPECT_EQ(ROOM, stat.received);
	EXPECT_NEXT(b, ROOM + 2, 0);
	EXPECT_EQ(-ENOBUFS, broadcast_next(a, NULL));
	close(a);
	EXPECT_EQ(1, box_stat(self->fd).subscribers);
}

TEST_F(slow, who_has_what_is_overwritten_is_not_cut_off)
{
	int a = subscribe_with(self->device, self->id, MAILBOX_CUT_OFF);
	int b = subscribe(self->device, self->id);

	ASSERT_LE(0, a);
	broadcast_send(self->fd, 1, ROOM);
	EXPECT_NEXT(a, 1, 0);
	broadcast_send(self->fd, ROOM + 1, 1);
	EXPECT_EQ(1, box_stat(self->fd).overwritten);
	EXPECT_NEXT(a, 2, 0);
	EXPECT_NEXT(b, 2, 1);
}

TEST_F(slow, many_are_cut_off_at_once)
{
	/* More than in one step. */
	int strict[70], i, lenient = subscribe(self->device, self->id);
	struct mailbox_stat stat;

	for (i = 0; i < 70; i++) {
		strict[i] = subscribe_with(self->device, self->id, MAILBOX_CUT_OFF);
		ASSERT_LE(0, strict[i]);
	}
	broadcast_send(self->fd, 1, ROOM + 1);
	stat = box_stat(self->fd);
	EXPECT_EQ(1, stat.subscribers);
	EXPECT_EQ(1, stat.overwritten);
	EXPECT_EQ(ROOM, stat.messages);
	for (i = 0; i < 70; i++) {
		EXPECT_EQ(-ENOBUFS, broadcast_next(strict[i], NULL));
		close(strict[i]);
	}
	EXPECT_NEXT(lenient, 2, 1);
}

TEST_F(slow, the_last_cut_off_leaves_nothing)
{
	int a = subscribe_with(self->device, self->id, MAILBOX_CUT_OFF);
	struct mailbox_stat stat;

	ASSERT_LE(0, a);
	broadcast_send(self->fd, 1, ROOM + 1);
	stat = box_stat(self->fd);
	EXPECT_EQ(0, stat.subscribers);
	EXPECT_EQ(1, stat.overwritten);
	EXPECT_EQ(ROOM, stat.dropped);
	EXPECT_EQ(0, stat.messages);
	EXPECT_EQ(-ENOBUFS, broadcast_next(a, NULL));
}

TEST_F(slow, one_that_may_send_goes_on_sending)
{
	struct mailbox_create args = broadcast_args(ROOM);
	int fd;

	args.flags = MAILBOX_CUT_OFF;
	args.rights = RIGHTS_ALL;
	fd = box_create(self->device, &args);
	ASSERT_LE(0, fd);
	EXPECT_EQ(POLLOUT, poll_now(fd, POLLIN | POLLOUT));
	broadcast_send(fd, 1, ROOM + 1);
	EXPECT_EQ(-ENOBUFS, broadcast_next(fd, NULL));
	broadcast_send(fd, ROOM + 2, 1);
	EXPECT_EQ(ROOM + 1, box_stat(fd).dropped);
}

TEST_F(slow, cut_off_wakes_who_waits)
{
	int a = subscribe_with(self->device, self->id, MAILBOX_CUT_OFF), i;
	pid_t children[2];

	ASSERT_LE(0, a);
	for (i = 0; i < 2; i++) {
		children[i] = child_fork();
		if (!children[i]) {
			struct pollfd entry = { .fd = a };
			char data[8];
			struct mailbox_receive args = receive_args(data, sizeof(data));

			if (i) {
				/* For nothing but a hang-up. */
				ASSERT_EQ(1, poll(&entry, 1, -1));
				EXPECT_EQ(POLLHUP | POLLERR, entry.revents);
			} else {
				args.flags = MAILBOX_PEEK;
				args.select = MAILBOX_SELECT_INDEX;
				args.match = ROOM + 1;
				EXPECT_EQ(-ENOBUFS, box_receive(a, &args));
			}
			_exit(0);
		}
		wait_sleeping(children[i], children[i]);
	}
	broadcast_send(self->fd, 1, ROOM + 1);
	for (i = 0; i < 2; i++)
		child_done(children[i]);
}

TEST_F(slow, cut_off_is_for_who_receives_a_broadcast)
{
	struct mailbox_open open = {
		.size = sizeof(open),
		.flags = MAILBOX_CUT_OFF,
		.rights = MAILBOX_RIGHT_SEND,
		.id = self->id,
	};
	struct mailbox_create create = broadcast_args(0);
	__u64 other;

	EXPECT_REFUSED(self->device, self->fd, EINVAL, call(self->device, MAILBOX_IOC_OPEN, &open));
	create.flags = MAILBOX_CUT_OFF;
	EXPECT_REFUSED(self->device, self->fd, EINVAL, box_create(self->device, &create));
	create = create_args();
	create.flags = MAILBOX_CUT_OFF;
	EXPECT_REFUSED(self->device, self->fd, EINVAL, box_create(self->device, &create));
	create.flags = 0;
	ASSERT_LE(0, box_create(self->device, &create));
	other = create.id;
	EXPECT_REFUSED(self->device, self->fd, EINVAL,
		       subscribe_with(self->device, other, MAILBOX_CUT_OFF));
}

TEST_F(slow, a_lowered_limit_overwrites_at_the_next_send)
{
	int a = subscribe(self->device, self->id);
	struct mailbox_set set = { .size = sizeof(set),
				   .flags = MAILBOX_SET_MAX_MESSAGES,
				   .max_messages = 2 };

	broadcast_send(self->fd, 1, ROOM);
	ASSERT_EQ(0, call(self->fd, MAILBOX_IOC_SET, &set));
	EXPECT_EQ(ROOM, box_stat(self->fd).messages);
	broadcast_send(self->fd, ROOM + 1, 1);
	EXPECT_EQ(2, box_stat(self->fd).messages);
	EXPECT_NEXT(a, ROOM, ROOM - 1);
}

TEST_F(slow, more_than_one_step_is_overwritten)
{
	struct mailbox_create args = broadcast_args(0);
	static char data[5000];
	int fd, a, i;

	args.max_bytes = 5000;
	args.message_size = 5000;
	fd = box_create(self->device, &args);
	ASSERT_LE(0, fd);
	a = subscribe(self->device, args.id);
	for (i = 0; i < 500; i++)
		ASSERT_EQ(0, box_send_data(fd, data, 10));
	ASSERT_EQ(0, box_send_data(fd, data, 5000));
	EXPECT_EQ(500, box_stat(fd).overwritten);
	EXPECT_EQ(1, box_stat(fd).messages);
	EXPECT_EQ(POLLIN, poll_now(a, POLLIN));
}

TEST_HARNESS_MAIN
