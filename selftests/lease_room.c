// SPDX-License-Identifier: GPL-2.0
/*
 * What is leased takes up room and quota until it is acknowledged, and what that means
 * for those who wait; batches of leases; and mailboxes that are destroyed meanwhile.
 */
#include "world.h"

#define SOMEBODY 1000

FIXTURE(lease_room)
{
	int device;
	/* Holds two messages. */
	int fd;
};

FIXTURE_SETUP(lease_room)
{
	self->device = device_open();
	self->fd = box_new_limited(self->device, MAILBOX_ON_FULL_WAIT, 2);
}

FIXTURE_TEARDOWN(lease_room)
{
	close(self->fd);
	close(self->device);
}

/* A child that sends once, waiting for room. */
static pid_t sender(int fd, const char *text, __u64 type, int expected)
{
	pid_t pid = child_fork();

	if (!pid) {
		struct mailbox_send args = send_args(text, strlen(text));

		args.flags = 0;
		args.type = type;
		EXPECT_EQ(expected, box_send(fd, &args));
		_exit(0);
	}
	return pid;
}

/* A child that takes one of a type and must get this one, or fail like this. */
static pid_t receiver(int fd, __u32 flags, __u64 type, int expected, const char *text)
{
	pid_t pid = child_fork();

	if (!pid) {
		char data[32] = { 0 };
		struct mailbox_receive args = leasing_args(data, sizeof(data) - 1);

		args.flags = flags;
		args.select = MAILBOX_SELECT_TYPE;
		args.match = type;
		EXPECT_EQ(expected, box_receive(fd, &args));
		EXPECT_STREQ(text, data);
		_exit(0);
	}
	return pid;
}

TEST_F(lease_room, leased_messages_fill_it)
{
	__u64 lease;

	ASSERT_EQ(0, box_send_text(self->fd, "a", 0, 0));
	ASSERT_EQ(0, box_send_text(self->fd, "b", 0, 0));
	lease = box_lease(self->fd);
	box_lease(self->fd);
	EXPECT_REFUSED(self->device, self->fd, EAGAIN, box_send_text(self->fd, "c", 0, 9));
	EXPECT_EQ(0, poll_now(self->fd, POLLIN | POLLOUT));
	ASSERT_EQ(0, box_ack(self->fd, lease));
	EXPECT_EQ(POLLOUT, poll_now(self->fd, POLLIN | POLLOUT));
	EXPECT_EQ(0, box_send_text(self->fd, "c", 0, 0));
	EXPECT_EQ(-EAGAIN, box_send_text(self->fd, "d", 0, 0));
}

TEST_F(lease_room, leased_bytes_fill_it)
{
	struct mailbox_create args = create_args();
	char data[100] = { 0 };
	__u64 lease;
	int fd;

	args.max_bytes = 100;
	fd = box_create(self->device, &args);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, box_send_data(fd, data, 60));
	lease = box_lease(fd);
	EXPECT_EQ(-EAGAIN, box_send_data(fd, data, 41));
	EXPECT_EQ(0, box_send_data(fd, data, 40));
	ASSERT_EQ(0, box_ack(fd, lease));
	EXPECT_EQ(40, box_stat(fd).bytes);
	EXPECT_EQ(0, box_send_data(fd, data, 60));
	close(fd);
}

TEST_F(lease_room, ack_lets_a_sender_in_and_nack_does_not)
{
	__u64 lease;
	pid_t pid;

	ASSERT_EQ(0, box_send_text(self->fd, "a", 0, 0));
	ASSERT_EQ(0, box_send_text(self->fd, "b", 0, 0));
	pid = sender(self->fd, "c", 0, 0);
	wait_waiters(self->fd, 0, 1);
	lease = box_lease(self->fd);
	EXPECT_EQ(1, box_stat(self->fd).senders);
	ASSERT_EQ(0, box_nack(self->fd, lease, 0));
	EXPECT_EQ(1, box_stat(self->fd).senders);
	lease = box_lease(self->fd);
	EXPECT_EQ(1, box_stat(self->fd).senders);
	EXPECT_EQ(2, box_stat(self->fd).sent);
	ASSERT_EQ(0, box_ack(self->fd, lease));
	child_done(pid);
	expect_delivered(self->fd, "b", 0);
	expect_delivered(self->fd, "c", 0);
}

TEST_F(lease_room, ack_wakes_who_polls_for_room)
{
	unsigned int *started = flag_new();
	__u64 lease;
	pid_t pid;

	ASSERT_EQ(0, box_send_text(self->fd, "a", 0, 0));
	ASSERT_EQ(0, box_send_text(self->fd, "b", 0, 0));
	lease = box_lease(self->fd);
	pid = child_fork();
	if (!pid) {
		struct pollfd entry = { .fd = self->fd, .events = POLLOUT };

		flag_raise(started);
		EXPECT_EQ(1, poll(&entry, 1, PATIENCE / 1000000));
		EXPECT_EQ(POLLOUT, entry.revents);
		_exit(0);
	}
	flag_await(started, 1);
	wait_sleeping(pid, pid);
	ASSERT_EQ(0, box_ack(self->fd, lease));
	child_done(pid);
}

/* A receive without a lease would have it from the line: see wait.c. */
TEST_F(lease_room, a_lease_takes_nothing_from_senders_in_line)
{
	char data[8];
	struct mailbox_receive args = leasing_args(data, sizeof(data));
	pid_t pid;

	ASSERT_EQ(0, box_send_text(self->fd, "a", 1, 0));
	ASSERT_EQ(0, box_send_text(self->fd, "b", 1, 0));
	pid = sender(self->fd, "c", 2, 0);
	wait_waiters(self->fd, 0, 1);
	args.select = MAILBOX_SELECT_TYPE;
	args.match = 2;
	EXPECT_REFUSED(self->device, self->fd, EAGAIN, box_receive(self->fd, &args));
	args.flags = MAILBOX_LEASE | MAILBOX_DEADLINE;
	args.deadline = now_ns() + SECOND / 50;
	EXPECT_REFUSED(self->device, self->fd, ETIMEDOUT, box_receive(self->fd, &args));
	EXPECT_EQ(1, box_stat(self->fd).senders);
	args = receive_args(data, sizeof(data));
	args.select = MAILBOX_SELECT_TYPE;
	args.match = 2;
	EXPECT_EQ(0, box_receive(self->fd, &args));
	child_done(pid);
}

/* It waits for what stands in line, and gets it when that has come in. */
TEST_F(lease_room, a_waiting_lease_gets_what_ack_lets_in)
{
	pid_t taker, pid;
	__u64 lease;

	ASSERT_EQ(0, box_send_text(self->fd, "a", 1, 0));
	ASSERT_EQ(0, box_send_text(self->fd, "b", 1, 0));
	lease = box_lease(self->fd);
	pid = sender(self->fd, "c", 2, 0);
	wait_waiters(self->fd, 0, 1);
	taker = receiver(self->fd, MAILBOX_LEASE, 2, 0, "c");
	wait_waiters(self->fd, 1, 1);
	EXPECT_EQ(2, box_stat(self->fd).sent);
	ASSERT_EQ(0, box_ack(self->fd, lease));
	child_done(taker);
	child_done(pid);
	/* It ended without a word. */
	expect_delivered(self->fd, "b", 0);
	expect_delivered(self->fd, "c", 1);
}

/* With less than a sixteenth free, those in line wait until somebody wants more. */
TEST_F(lease_room, a_lease_gets_what_there_is_just_room_for)
{
	int fd = box_new_limited(self->device, MAILBOX_ON_FULL_WAIT, 32), i;
	char data[8];
	struct mailbox_receive args = leasing_args(data, sizeof(data));
	pid_t pid;

	for (i = 0; i < 32; i++)
		ASSERT_EQ(0, box_send_text(fd, "a", 1, 0));
	pid = sender(fd, "c", 2, 0);
	wait_waiters(fd, 0, 1);
	ASSERT_EQ(0, box_ack(fd, box_lease(fd)));
	EXPECT_EQ(1, box_stat(fd).senders);
	args.select = MAILBOX_SELECT_TYPE;
	args.match = 2;
	EXPECT_EQ(0, box_receive(fd, &args));
	child_done(pid);
	close(fd);
}

/* The other way around: the sender comes when the receiver waits already. */
TEST_F(lease_room, a_sender_to_a_full_mailbox_gives_nothing_to_a_waiting_lease)
{
	struct mailbox_send send = send_args("c", 1);
	pid_t taker, plain, pid;

	ASSERT_EQ(0, box_send_text(self->fd, "a", 1, 0));
	ASSERT_EQ(0, box_send_text(self->fd, "b", 1, 0));
	taker = receiver(self->fd, MAILBOX_LEASE, 2, -EIDRM, "");
	wait_waiters(self->fd, 1, 0);
	send.type = 2;
	EXPECT_REFUSED(self->device, self->fd, EAGAIN, box_send(self->fd, &send));
	pid = sender(self->fd, "c", 2, 0);
	wait_waiters(self->fd, 1, 1);
	/* One that came later takes it: it does not keep it. */
	plain = receiver(self->fd, 0, 2, 0, "c");
	child_done(plain);
	child_done(pid);
	EXPECT_EQ(1, box_stat(self->fd).receivers);
	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	child_done(taker);
}

TEST_F(lease_room, at_a_rendezvous_the_message_stays_when_the_sender_is_done)
{
	int fd = box_new_capacity(self->device, MAILBOX_CAPACITY_RENDEZVOUS);
	pid_t pid = sender(fd, "met", 0, 0);
	struct mailbox_receive args;
	struct mailbox_stat stat;

	wait_waiters(fd, 0, 1);
	args = box_lease_select(fd, MAILBOX_SELECT_FIRST, 0, 0);
	EXPECT_EQ(pid, args.pid);
	child_done(pid);
	stat = box_stat(fd);
	EXPECT_EQ(1, stat.sent);
	EXPECT_EQ(1, stat.messages);
	EXPECT_EQ(1, stat.leased);
	EXPECT_EQ(3, stat.bytes);
	EXPECT_EQ(0, stat.senders);
	EXPECT_EQ(-EAGAIN, box_send_text(fd, "nobody waits", 0, 0));
	ASSERT_EQ(0, box_nack(fd, args.lease, 0));
	args = box_lease_select(fd, MAILBOX_SELECT_FIRST, 0, 0);
	EXPECT_EQ(1, args.deliveries);
	ASSERT_EQ(0, box_ack(fd, args.lease));
	stat = box_stat(fd);
	EXPECT_EQ(0, stat.messages);
	EXPECT_EQ(0, stat.bytes);
	EXPECT_EQ(1, stat.received);
	close(fd);
}

TEST_F(lease_room, at_a_rendezvous_a_waiting_lease_is_met)
{
	int fd = box_new_capacity(self->device, MAILBOX_CAPACITY_RENDEZVOUS);
	pid_t pid = receiver(fd, MAILBOX_LEASE, 5, 0, "met");

	wait_waiters(fd, 1, 0);
	EXPECT_EQ(POLLOUT, poll_now(fd, POLLOUT));
	EXPECT_EQ(0, box_send_text(fd, "met", 5, 0));
	child_done(pid);
	/* It ended without a word, and what it had stays for the next. */
	EXPECT_EQ(0, box_stat(fd).leased);
	expect_delivered(fd, "met", 1);
	close(fd);
}

/* One that was given back comes before those whose senders still wait. */
TEST_F(lease_room, at_a_rendezvous_the_old_place_is_kept)
{
	int fd = box_new_capacity(self->device, MAILBOX_CAPACITY_RENDEZVOUS);
	pid_t first = sender(fd, "first", 0, 0), second;
	__u64 lease;

	wait_waiters(fd, 0, 1);
	second = sender(fd, "second", 0, 0);
	wait_waiters(fd, 0, 2);
	lease = box_lease(fd);
	child_done(first);
	EXPECT_EQ(1, box_stat(fd).senders);
	ASSERT_EQ(0, box_nack(fd, lease, 0));
	expect_delivered(fd, "first", 1);
	EXPECT_EQ(1, box_stat(fd).senders);
	expect_delivered(fd, "second", 0);
	child_done(second);
	close(fd);
}

TEST_F(lease_room, what_is_leased_is_not_overwritten)
{
	int fd = box_new_limited(self->device, MAILBOX_ON_FULL_OVERWRITE, 3);
	__u64 lease;

	ASSERT_EQ(0, box_send_text(fd, "a", 0, 0));
	ASSERT_EQ(0, box_send_text(fd, "b", 0, 0));
	ASSERT_EQ(0, box_send_text(fd, "c", 0, 0));
	lease = box_lease(fd);
	EXPECT_EQ(0, box_send_text(fd, "d", 0, 0));
	EXPECT_EQ(1, box_stat(fd).overwritten);
	EXPECT_EQ(0, box_send_text(fd, "e", 0, 0));
	EXPECT_EQ(2, box_stat(fd).overwritten);
	EXPECT_EQ(1, box_stat(fd).leased);
	/* It arrived first, but takes its place again. */
	ASSERT_EQ(0, box_nack(fd, lease, 0));
	EXPECT_EQ(3, box_stat(fd).messages);
	expect_delivered(fd, "a", 1);
	expect_delivered(fd, "d", 0);
	expect_delivered(fd, "e", 0);
	close(fd);
}

TEST_F(lease_room, where_all_is_leased_nothing_is_overwritten)
{
	int fd = box_new_limited(self->device, MAILBOX_ON_FULL_OVERWRITE, 2);
	struct mailbox_create create = create_args();
	char data[100] = { 0 };

	ASSERT_EQ(0, box_send_text(fd, "a", 0, 0));
	ASSERT_EQ(0, box_send_text(fd, "b", 0, 0));
	box_lease(fd);
	box_lease(fd);
	EXPECT_REFUSED(self->device, fd, EAGAIN, box_send_text(fd, "c", 0, 0));
	close(fd);

	/* What would still not fit without those that are there leaves them. */
	create.on_full = MAILBOX_ON_FULL_OVERWRITE;
	create.max_bytes = 100;
	fd = box_create(self->device, &create);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, box_send_data(fd, data, 60));
	box_lease(fd);
	ASSERT_EQ(0, box_send_data(fd, data, 30));
	EXPECT_REFUSED(self->device, fd, EAGAIN, box_send_data(fd, data, 50));
	EXPECT_EQ(0, box_send_data(fd, data, 40));
	EXPECT_EQ(1, box_stat(fd).overwritten);
	close(fd);
}

/* An overwritten place that is given back and sent to again: oldest first, as before. */
TEST_F(lease_room, what_came_back_is_the_oldest_again)
{
	int fd = box_new_limited(self->device, MAILBOX_ON_FULL_OVERWRITE, 2);

	ASSERT_EQ(0, box_send_text(fd, "a", 0, 0));
	ASSERT_EQ(0, box_send_text(fd, "b", 0, 9));
	ASSERT_EQ(0, box_nack(fd, box_lease_type(fd, 0), 0));
	ASSERT_EQ(0, box_nack(fd, box_lease(fd), 0));
	ASSERT_EQ(0, box_send_text(fd, "c", 0, 0));
	expect_delivered(fd, "b", 2);
	expect_delivered(fd, "c", 0);
	close(fd);
}

TEST_F(lease_room, a_batch_of_leases_and_one_ack)
{
	enum { NR = 10 };
	struct mailbox_receive entries[NR];
	__u64 leases[NR];
	struct mailbox_lease args = lease_args(leases, NR);
	char data[NR][8];
	int fd = box_new(self->device), i, j;

	for (i = 0; i < NR; i++) {
		sprintf(data[i], "%d", i);
		ASSERT_EQ(0, box_send_text(fd, data[i], 0, 0));
	}
	poison(data, sizeof(data));
	for (i = 0; i < NR; i++) {
		entries[i] = leasing_args(data[i], sizeof(data[i]));
		/* Every third one is taken for good. */
		entries[i].flags = i % 3 ? MAILBOX_LEASE : 0;
	}
	ASSERT_EQ(NR, box_batch(fd, MAILBOX_IOC_RECEIVE_BATCH, entries, sizeof(entries[0]), NR));
	EXPECT_EQ(6, box_stat(fd).leased);
	EXPECT_EQ(4, box_stat(fd).received);
	for (i = 0, j = 0; i < NR; i++) {
		EXPECT_EQ('0' + i, data[i][0]);
		EXPECT_EQ(0, entries[i].deliveries);
		if (i % 3)
			leases[j++] = entries[i].lease;
		else
			EXPECT_EQ(0, entries[i].lease);
	}
	args.nr = j;
	ASSERT_EQ(0, call(fd, MAILBOX_IOC_ACK, &args));
	EXPECT_EQ(6, args.done);
	EXPECT_EQ(NR, box_stat(fd).received);
	EXPECT_EQ(0, box_stat(fd).messages);
	close(fd);
}

TEST_F(lease_room, a_batch_with_an_entry_too_short_for_a_lease)
{
	struct mailbox_receive entries[2];
	char data[2][8];
	int i;

	ASSERT_EQ(0, box_send_text(self->fd, "a", 0, 0));
	ASSERT_EQ(0, box_send_text(self->fd, "b", 0, 0));
	for (i = 0; i < 2; i++) {
		entries[i] = leasing_args(data[i], sizeof(data[i]));
		entries[i].flags = MAILBOX_LEASE;
		entries[i].size = 104;
	}
	EXPECT_REFUSED(self->device, self->fd, EINVAL,
		       box_batch(self->fd, MAILBOX_IOC_RECEIVE_BATCH, entries, sizeof(entries[0]),
				 2));
	entries[0].size = sizeof(entries[0]);
	EXPECT_EQ(1,
		  box_batch(self->fd, MAILBOX_IOC_RECEIVE_BATCH, entries, sizeof(entries[0]), 2));
	EXPECT_EQ(1, box_stat(self->fd).leased);
	expect_delivered(self->fd, "b", 0);
	EXPECT_EQ(0, box_ack(self->fd, entries[0].lease));
}

TEST_F(lease_room, destruction_drops_what_is_leased)
{
	struct usage before = usage_of_caller(self->device);
	int fd = box_new(self->device), other, i;
	char data[5000] = { 0 };
	__u64 leases[4];

	other = box_open(self->device, box_stat(fd).id, NULL, MAILBOX_RIGHT_RECEIVE);
	ASSERT_LE(0, other);
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, box_send_data(fd, data, sizeof(data)));
		leases[i] = box_lease(i % 2 ? fd : other);
	}
	ASSERT_EQ(0, box_nack(fd, leases[1], 3600 * SECOND));
	ASSERT_EQ(0, box_destroy(fd, 0, NULL));
	EXPECT_EQ(before.messages, usage_of_caller(self->device).messages);
	EXPECT_EQ(before.bytes, usage_of_caller(self->device).bytes);
	EXPECT_EQ(-EIDRM, box_ack(other, leases[0]));
	EXPECT_EQ(-EIDRM, box_ack(fd, leases[3]));
	close(other);
	EXPECT_EQ(-EIDRM, box_nack(fd, leases[3], 0));
	close(fd);
	EXPECT_USAGE(self->device, before);
}

TEST_F(lease_room, the_last_handle_takes_what_is_leased_along)
{
	struct usage before = usage_of_caller(self->device);
	int fd = box_new(self->device), i;

	for (i = 0; i < 100; i++)
		ASSERT_EQ(0, box_send_text(fd, "x", 0, 0));
	for (i = 0; i < 50; i++)
		box_lease_timed(fd, i % 2 ? 0 : SECOND);
	close(fd);
	EXPECT_USAGE(self->device, before);
}

/* Whoever sent it pays until it is gone. */
TEST_F(lease_room, quota_is_used_until_ack)
{
	uint64_t saved;

	if (!is_root())
		SKIP(return, "needs root");
	saved = parameter_set("max_messages_per_user", 20);
	AS_USER(SOMEBODY, {
		int fd = box_new_capacity(self->device, MAILBOX_CAPACITY_UNBOUNDED), nr = 0, i;
		__u64 leases[20];

		while (nr < 20 && !box_send_text(fd, "x", 0, 0))
			nr++;
		EXPECT_EQ(20, nr);
		for (i = 0; i < nr; i++)
			leases[i] = box_lease(fd);
		EXPECT_REFUSED(self->device, fd, EDQUOT, box_send_text(fd, "x", 0, 0));
		EXPECT_EQ(0, box_nack(fd, leases[0], 3600 * SECOND));
		EXPECT_REFUSED(self->device, fd, EDQUOT, box_send_text(fd, "x", 0, 0));
		for (i = 1; i < nr; i++)
			EXPECT_EQ(0, box_ack(fd, leases[i]));
		for (i = 1; i < nr; i++)
			EXPECT_EQ(0, box_send_text(fd, "x", 0, 0));
		EXPECT_EQ(-EDQUOT, box_send_text(fd, "x", 0, 0));
	});
	parameter_set("max_messages_per_user", saved);
}

TEST_HARNESS_MAIN
