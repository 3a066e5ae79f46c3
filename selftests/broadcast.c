// SPDX-License-Identifier: GPL-2.0
/*
 * Broadcast: each handle that may receive gets its own copy, in one order.
 */
#include "common_broadcast.h"

FIXTURE(broadcast)
{
	int device;
	int fd;
	__u64 id;
};

FIXTURE_SETUP(broadcast)
{
	self->device = device_open();
	self->fd = broadcast_new(self->device, 0, &self->id);
}

FIXTURE_TEARDOWN(broadcast)
{
	close(self->fd);
	close(self->device);
}

TEST_F(broadcast, each_handle_gets_a_copy)
{
	int a = subscribe(self->device, self->id), b = subscribe(self->device, self->id);

	broadcast_send(self->fd, 1, 3);
	EXPECT_NEXT(a, 1, 0);
	EXPECT_NEXT(b, 1, 0);
	EXPECT_NEXT(b, 2, 0);
	EXPECT_NEXT(b, 3, 0);
	EXPECT_NOTHING(b);
	EXPECT_NEXT(a, 2, 0);
	EXPECT_NEXT(a, 3, 0);
	EXPECT_NOTHING(a);
}

TEST_F(broadcast, received_when_all_have_it)
{
	int a = subscribe(self->device, self->id), b = subscribe(self->device, self->id);

	broadcast_send(self->fd, 1, 2);
	EXPECT_NEXT(a, 1, 0);
	EXPECT_NEXT(a, 2, 0);
	EXPECT_EQ(2, box_stat(self->fd).messages);
	EXPECT_EQ(0, box_stat(self->fd).received);
	EXPECT_NEXT(b, 1, 0);
	EXPECT_EQ(1, box_stat(self->fd).messages);
	EXPECT_EQ(1, box_stat(self->fd).received);
	EXPECT_NEXT(b, 2, 0);
	EXPECT_EQ(0, box_stat(self->fd).messages);
	EXPECT_EQ(0, box_stat(self->fd).bytes);
	EXPECT_EQ(2, box_stat(self->fd).received);
	EXPECT_EQ(getpid(), box_stat(self->fd).last_receiver);
}

TEST_F(broadcast, what_was_sent_before_is_not_received)
{
	int a = subscribe(self->device, self->id), b;

	broadcast_send(self->fd, 1, 1);
	b = subscribe(self->device, self->id);
	broadcast_send(self->fd, 2, 1);
	EXPECT_NEXT(b, 2, 0);
	EXPECT_NOTHING(b);
	EXPECT_NEXT(a, 1, 0);
	EXPECT_NEXT(a, 2, 0);
}

TEST_F(broadcast, without_anybody_it_is_dropped)
{
	struct mailbox_stat stat;
	int a;

	broadcast_send(self->fd, 1, 3);
	stat = box_stat(self->fd);
	EXPECT_EQ(3, stat.sent);
	EXPECT_EQ(3, stat.dropped);
	EXPECT_EQ(0, stat.messages);
	a = subscribe(self->device, self->id);
	EXPECT_NOTHING(a);
	broadcast_send(self->fd, 4, 1);
	EXPECT_NEXT(a, 4, 0);
}

TEST_F(broadcast, closing_lets_go)
{
	int a = subscribe(self->device, self->id), b = subscribe(self->device, self->id);
	struct mailbox_stat stat;

	/* More than are let go in one step. */
	broadcast_send(self->fd, 1, 200);
	EXPECT_NEXT(a, 1, 0);
	close(b);
	stat = box_stat(self->fd);
	EXPECT_EQ(1, stat.received);
	EXPECT_EQ(199, stat.messages);
	EXPECT_NEXT(a, 2, 0);
	/* Those that nobody has got are not received. */
	close(a);
	stat = box_stat(self->fd);
	EXPECT_EQ(2, stat.received);
	EXPECT_EQ(198, stat.dropped);
	EXPECT_EQ(0, stat.messages);
}

TEST_F(broadcast, a_copy_of_the_descriptor_is_the_same_handle)
{
	int a = subscribe(self->device, self->id), b = dup(a);

	EXPECT_EQ(1, box_stat(self->fd).subscribers);
	broadcast_send(self->fd, 1, 2);
	EXPECT_NEXT(a, 1, 0);
	EXPECT_NEXT(b, 2, 0);
	EXPECT_NOTHING(a);
	close(a);
	broadcast_send(self->fd, 3, 1);
	EXPECT_NEXT(b, 3, 0);
}

TEST_F(broadcast, subscribers_are_counted)
{
	struct mailbox_stat entry;
	__u64 after = self->id - 1;
	int a, b;

	EXPECT_EQ(0, box_stat(self->fd).subscribers);
	a = subscribe(self->device, self->id);
	b = subscribe(self->device, self->id);
	EXPECT_EQ(2, box_stat(self->fd).subscribers);
	ASSERT_EQ(1, box_list(self->device, &entry, 1, &after));
	EXPECT_EQ(2, entry.subscribers);
	close(b);
	EXPECT_EQ(1, box_stat(self->fd).subscribers);
	close(a);
	EXPECT_EQ(0, box_stat(self->fd).subscribers);
	/* Of other mailboxes too. */
	EXPECT_EQ(1, box_stat(box_new(self->device)).subscribers);
}

TEST_F(broadcast, a_failed_open_subscribes_nobody)
{
	struct mailbox_open args = { .size = sizeof(args),
				     .rights = MAILBOX_RIGHT_RECEIVE,
				     .id = self->id };
	struct mailbox_open *readonly = readonly_new(&args, sizeof(args));

	EXPECT_REFUSED(self->device, self->fd, EFAULT,
		       call(self->device, MAILBOX_IOC_OPEN, readonly));
	broadcast_send(self->fd, 1, 1);
	EXPECT_EQ(1, box_stat(self->fd).dropped);
}

TEST_F(broadcast, the_creator_subscribes_if_it_may_receive)
{
	struct mailbox_create args = broadcast_args(0);
	int fd;

	args.rights = RIGHTS_ALL;
	fd = box_create(self->device, &args);
	ASSERT_LE(0, fd);
	broadcast_send(fd, 1, 1);
	EXPECT_NEXT(fd, 1, 0);
}

TEST_F(broadcast, payload_is_stored_once)
{
	static char data[100000];
	int readers[16], i;
	__u64 one, many;

	readers[0] = subscribe(self->device, self->id);
	one = device_info(self->device).bytes;
	ASSERT_EQ(0, box_send_data(self->fd, data, sizeof(data)));
	one = device_info(self->device).bytes - one;
	EXPECT_LE(sizeof(data), one);
	for (i = 1; i < 16; i++)
		readers[i] = subscribe(self->device, self->id);
	many = device_info(self->device).bytes;
	ASSERT_EQ(0, box_send_data(self->fd, data, sizeof(data)));
	many = device_info(self->device).bytes - many;
	EXPECT_EQ(one, many);
	EXPECT_EQ(2 * sizeof(data), box_stat(self->fd).bytes);
	EXPECT_EQ(2, box_stat(self->fd).messages);
	for (i = 0; i < 16; i++)
		close(readers[i]);
	EXPECT_EQ(0, box_stat(self->fd).bytes);
}

TEST_F(broadcast, peek_leaves_it_for_this_handle)
{
	int a = subscribe(self->device, self->id);
	char data[8];
	struct mailbox_receive args = receive_args(data, sizeof(data));

	broadcast_send(self->fd, 1, 1);
	args.flags |= MAILBOX_PEEK;
	ASSERT_EQ(0, box_receive(a, &args));
	EXPECT_EQ(1, args.type);
	EXPECT_EQ(0, args.missed);
	EXPECT_EQ(0, box_stat(self->fd).received);
	EXPECT_NEXT(a, 1, 0);
	EXPECT_EQ(-EAGAIN, box_receive(a, &args));
}

TEST_F(broadcast, index_counts_from_the_place_of_the_handle)
{
	int a = subscribe(self->device, self->id), b = subscribe(self->device, self->id);
	char data[8];
	struct mailbox_receive args = receive_args(data, sizeof(data));
	__u64 i;

	broadcast_send(self->fd, 1, 10);
	for (i = 1; i < 5; i++)
		EXPECT_NEXT(b, i, 0);
	args.flags |= MAILBOX_PEEK;
	args.select = MAILBOX_SELECT_INDEX;
	for (i = 0; i < 6; i++) {
		args.match = i;
		ASSERT_EQ(0, box_receive(b, &args));
		EXPECT_EQ(5 + i, args.type);
		EXPECT_EQ(0, args.missed);
		ASSERT_EQ(0, box_receive(a, &args));
		EXPECT_EQ(1 + i, args.type);
	}
	args.match = 6;
	EXPECT_EQ(-EAGAIN, box_receive(b, &args));
	args.match = ~0ULL;
	EXPECT_EQ(-EAGAIN, box_receive(b, &args));
}

TEST_F(broadcast, refuses_what_does_not_fit)
{
	struct mailbox_create bad[6];
	int a = subscribe(self->device, self->id), i;
	char data[8];
	struct mailbox_receive args = receive_args(data, sizeof(data));
	struct mailbox_yield yield = { .size = sizeof(yield) };
	struct mailbox_set set = { .size = sizeof(set), .flags = MAILBOX_SET_ON_FULL };

	for (i = 0; i < 6; i++)
		bad[i] = broadcast_args(0);
	bad[0].capacity = MAILBOX_CAPACITY_RENDEZVOUS;
	bad[1].capacity = MAILBOX_CAPACITY_UNBOUNDED;
	bad[2].on_full = MAILBOX_ON_FULL_WAIT;
	bad[3].on_full = MAILBOX_ON_FULL_REFUSE;
	bad[4].max_deliveries = 1;
	bad[5].policy++;
	for (i = 0; i < 6; i++)
		EXPECT_REFUSED(self->device, self->fd, EINVAL, box_create(self->device, &bad[i]));
	bad[0] = create_args();
	bad[0].max_deliveries = 1;
	bad[0].dead_letter = self->id;
	EXPECT_REFUSED(self->device, self->fd, EINVAL, box_create(self->device, &bad[0]));

	EXPECT_REFUSED(self->device, self->fd, EINVAL, box_send_text(self->fd, "x", 0, 1));
	broadcast_send(self->fd, 1, 1);
	for (i = MAILBOX_SELECT_TYPE; i <= MAILBOX_SELECT_INDEX + 1; i++) {
		args.select = i;
		EXPECT_REFUSED(self->device, self->fd, EINVAL, box_receive(a, &args));
		if (i == MAILBOX_SELECT_INDEX)
			continue;
		args.flags |= MAILBOX_PEEK;
		EXPECT_REFUSED(self->device, self->fd, EINVAL, box_receive(a, &args));
		args.flags &= ~MAILBOX_PEEK;
	}
	args.select = MAILBOX_SELECT_FIRST;
	args.flags |= MAILBOX_LEASE;
	args.lease = 0;
	EXPECT_REFUSED(self->device, self->fd, EINVAL, box_receive(a, &args));
	EXPECT_REFUSED(self->device, self->fd, EINVAL, call(a, MAILBOX_IOC_YIELD, &yield));
	for (i = MAILBOX_ON_FULL_WAIT; i <= MAILBOX_ON_FULL_REFUSE; i++) {
		set.on_full = i;
		EXPECT_REFUSED(self->device, self->fd, EINVAL,
			       call(self->fd, MAILBOX_IOC_SET, &set));
	}
	set.on_full = MAILBOX_ON_FULL_OVERWRITE;
	EXPECT_EQ(0, call(self->fd, MAILBOX_IOC_SET, &set));
	EXPECT_EQ(-EACCES, broadcast_next(self->fd, NULL));
	EXPECT_EQ(-EACCES, box_send_text(a, "x", 0, 0));
	EXPECT_NEXT(a, 1, 0);
}

TEST_F(broadcast, poll_is_of_the_handle)
{
	int a = subscribe(self->device, self->id), b = subscribe(self->device, self->id);

	EXPECT_EQ(POLLOUT, poll_now(self->fd, POLLIN | POLLOUT));
	EXPECT_EQ(0, poll_now(a, POLLIN | POLLOUT));
	broadcast_send(self->fd, 1, 1);
	EXPECT_EQ(POLLIN, poll_now(a, POLLIN | POLLOUT));
	EXPECT_NEXT(a, 1, 0);
	EXPECT_EQ(0, poll_now(a, POLLIN | POLLOUT));
	EXPECT_EQ(POLLIN, poll_now(b, POLLIN | POLLOUT));
	EXPECT_EQ(POLLOUT, poll_now(self->fd, POLLIN | POLLOUT));
}

TEST_F(broadcast, wakes_all_who_wait)
{
	unsigned int *got = flag_new();
	pid_t children[6];
	unsigned int i;

	for (i = 0; i < 6; i++) {
		int fd = subscribe(self->device, self->id);

		children[i] = child_fork();
		if (!children[i]) {
			struct pollfd entry = { .fd = fd, .events = POLLIN };
			char data[8];
			struct mailbox_receive args = receive_args(data, sizeof(data));

			args.flags = i % 3 == 1 ? MAILBOX_PEEK : 0;
			if (i % 3 == 2)
				ASSERT_EQ(1, poll(&entry, 1, -1));
			ASSERT_EQ(0, box_receive(fd, &args));
			EXPECT_EQ(7, args.type);
			flag_raise(got);
			_exit(0);
		}
		close(fd);
		wait_sleeping(children[i], children[i]);
	}
	EXPECT_EQ(4, box_stat(self->fd).receivers);
	broadcast_send(self->fd, 7, 1);
	for (i = 0; i < 6; i++)
		child_done(children[i]);
	EXPECT_EQ(6, *got);
	EXPECT_EQ(0, box_stat(self->fd).receivers);
}

TEST_F(broadcast, destruction_ends_waits_and_all_else)
{
	int a = subscribe(self->device, self->id), b = subscribe(self->device, self->id);
	pid_t child = child_fork();

	if (!child) {
		char data[8];
		struct mailbox_receive args = receive_args(data, sizeof(data));

		args.flags = 0;
		EXPECT_EQ(-EIDRM, box_receive(a, &args));
		_exit(0);
	}
	wait_waiters(self->fd, 1, 0);
	EXPECT_EQ(0, box_destroy(self->fd, 0, NULL));
	child_done(child);
	EXPECT_EQ(-EIDRM, broadcast_next(b, NULL));
	EXPECT_EQ(-EIDRM, box_send_text(self->fd, "x", 0, 0));
	EXPECT_EQ(POLLHUP | POLLERR, poll_now(b, POLLIN));
	close(a);
	close(b);
}

TEST_F(broadcast, destruction_with_messages_gives_the_quota_back)
{
	int a = subscribe(self->device, self->id);
	struct mailbox_info before = device_info(self->device);

	broadcast_send(self->fd, 1, 500);
	EXPECT_EQ(0, box_destroy(self->fd, 0, NULL));
	close(a);
	EXPECT_GE(before.messages, device_info(self->device).messages);
	EXPECT_GE(before.bytes, device_info(self->device).bytes);
}

TEST_F(broadcast, read_and_write_and_batches)
{
	int a = subscribe(self->device, self->id), b = subscribe(self->device, self->id);
	struct mailbox_receive receives[4];
	struct mailbox_send sends[3];
	char data[8];
	int i;

	ASSERT_EQ(2, write(self->fd, "hi", 2));
	for (i = 0; i < 3; i++) {
		sends[i] = send_args("x", 1);
		sends[i].flags = 0;
		sends[i].type = i;
	}
	ASSERT_EQ(3, box_batch(self->fd, MAILBOX_IOC_SEND_BATCH, sends, sizeof(sends[0]), 3));
	EXPECT_EQ(4, sends[2].sequence);
	ASSERT_EQ(2, read(a, data, sizeof(data)));
	EXPECT_EQ(0, memcmp(data, "hi", 2));
	for (i = 0; i < 4; i++) {
		receives[i] = receive_args(data, sizeof(data));
		receives[i].flags = 0;
	}
	ASSERT_EQ(3, box_batch(a, MAILBOX_IOC_RECEIVE_BATCH, receives, sizeof(receives[0]), 4));
	EXPECT_EQ(2, receives[2].type);
	EXPECT_EQ(0, receives[2].missed);
	ASSERT_EQ(4, box_batch(b, MAILBOX_IOC_RECEIVE_BATCH, receives, sizeof(receives[0]), 4));
	EXPECT_EQ(0, box_stat(self->fd).messages);
}

TEST_F(broadcast, too_long_is_refused_and_stays)
{
	int a = subscribe(self->device, self->id);
	char data[4];
	struct mailbox_receive args = receive_args(data, sizeof(data));

	ASSERT_EQ(0, box_send_text(self->fd, "longer", 0, 0));
	EXPECT_REFUSED(self->device, self->fd, EMSGSIZE, box_receive(a, &args));
	EXPECT_EQ(6, args.length);
	args.flags |= MAILBOX_TRUNCATE;
	ASSERT_EQ(0, box_receive(a, &args));
	EXPECT_EQ(MAILBOX_TRUNCATED, args.result);
	EXPECT_EQ(0, memcmp("long", data, 4));
}

TEST_F(broadcast, a_failed_receive_changes_nothing)
{
	int a = subscribe(self->device, self->id);
	char *text = edge_new(2);
	struct mailbox_receive args = receive_args(text, 6), *short_, *readonly;

	ASSERT_EQ(0, box_send_text(self->fd, "sixsix", 1, 0));
	EXPECT_REFUSED(self->device, self->fd, EFAULT, box_receive(a, &args));
	args.data = user_pointer(edge_new(6));
	readonly = readonly_new(&args, sizeof(args));
	EXPECT_REFUSED(self->device, self->fd, EFAULT, box_receive(a, readonly));
	/* All but the count of those missed can be written. */
	short_ = edge_new(offsetof(struct mailbox_receive, missed));
	memcpy(short_, &args, offsetof(struct mailbox_receive, missed));
	EXPECT_REFUSED(self->device, self->fd, EFAULT, box_receive(a, short_));
	EXPECT_EQ(POLLIN, poll_now(a, POLLIN));
	EXPECT_NEXT(a, 1, 0);
}

TEST_F(broadcast, expired_messages_are_nobodys)
{
	int a = subscribe(self->device, self->id), b = subscribe(self->device, self->id);
	struct mailbox_send args = send_args("x", 1);
	struct mailbox_stat stat;

	broadcast_send(self->fd, 1, 1);
	args.flags |= MAILBOX_EXPIRES;
	args.expiry = now_ns() + SECOND / 5;
	ASSERT_EQ(0, box_send(self->fd, &args));
	broadcast_send(self->fd, 3, 1);
	EXPECT_NEXT(a, 1, 0);
	pass_time(args.expiry);
	EXPECT_NEXT(a, 3, 1);
	stat = box_stat(self->fd);
	EXPECT_EQ(1, stat.expired);
	EXPECT_EQ(0, stat.received);
	EXPECT_EQ(2, stat.messages);
	EXPECT_NEXT(b, 1, 0);
	EXPECT_NEXT(b, 3, 1);
	EXPECT_EQ(2, box_stat(self->fd).received);
}

TEST_HARNESS_MAIN
