// SPDX-License-Identifier: GPL-2.0
/*
 * Messages that were delivered too often: they go to the dead-letter mailbox, or are
 * dropped, and each of them is counted.
 */
#include "world.h"

#define SOMEBODY 1000

FIXTURE(lease_dead)
{
	int device;
	int dead;
	/* Two deliveries, and then to the other one. */
	int fd;
};

static int box_new_mortal(int device, __u32 deliveries, int dead)
{
	struct mailbox_create args = create_args();
	int fd;

	args.max_deliveries = deliveries;
	args.dead_letter = dead < 0 ? 0 : box_stat(dead).id;
	args.mode = 0666;
	fd = box_create(device, &args);
	ASSERT_LE(0, fd);
	return fd;
}

FIXTURE_SETUP(lease_dead)
{
	self->device = device_open();
	self->dead = box_new(self->device);
	self->fd = box_new_mortal(self->device, 2, self->dead);
}

FIXTURE_TEARDOWN(lease_dead)
{
	close(self->fd);
	close(self->dead);
	close(self->device);
}

static void deliver(int fd, unsigned int times)
{
	while (times--)
		ASSERT_EQ(0, box_nack(fd, box_lease(fd), 0));
}

/* How the messages of a mailbox ended. */
static void expect_ends(int fd, __u64 dead, __u64 dropped)
{
	struct mailbox_stat stat = box_stat(fd);

	EXPECT_EQ(dead, stat.dead);
	EXPECT_EQ(dropped, stat.dropped);
	EXPECT_EQ(0, stat.messages);
	EXPECT_EQ(0, stat.leased);
	EXPECT_EQ(0, stat.bytes);
	EXPECT_EQ(0, stat.received);
	expect_nothing(fd);
}

TEST_F(lease_dead, stat_tells_what_was_asked_for)
{
	struct mailbox_stat stat = box_stat(self->fd);

	EXPECT_EQ(2, stat.max_deliveries);
	EXPECT_EQ(box_stat(self->dead).id, stat.dead_letter);
	stat = box_stat(self->dead);
	EXPECT_EQ(0, stat.max_deliveries);
	EXPECT_EQ(0, stat.dead_letter);
	EXPECT_EQ(1, stat.handles);
}

TEST_F(lease_dead, comes_after_so_many_deliveries)
{
	static const __u32 deliveries[] = { 1, 2, 3, 100 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(deliveries); i++) {
		int fd = box_new_mortal(self->device, deliveries[i], self->dead);

		ASSERT_EQ(0, box_send_text(fd, "x", 0, 0));
		deliver(fd, deliveries[i] - 1);
		EXPECT_EQ(1, box_stat(fd).messages);
		EXPECT_EQ(i, box_stat(self->dead).messages);
		deliver(fd, 1);
		expect_ends(fd, 1, 0);
		EXPECT_EQ(i + 1, box_stat(self->dead).messages);
		close(fd);
	}
}

TEST_F_TIMEOUT(lease_dead, the_largest_number_of_deliveries, 60)
{
	int fd = box_new_mortal(self->device, MAILBOX_DELIVERIES_MAX, self->dead);

	ASSERT_EQ(0, box_send_text(fd, "x", 0, 0));
	deliver(fd, MAILBOX_DELIVERIES_MAX - 1);
	EXPECT_EQ(1, box_stat(fd).messages);
	deliver(fd, 1);
	expect_ends(fd, 1, 0);
	close(fd);
}

TEST_F(lease_dead, is_the_same_message_of_the_same_sender)
{
	struct mailbox_send send = send_args("payload", 7);
	char data[16] = { 0 };
	struct mailbox_receive args = receive_args(data, sizeof(data));
	struct mailbox_stat stat;
	__u64 before;
	pid_t pid;

	if (!is_root())
		SKIP(return, "needs root");
	/* Numbers of its own there. */
	ASSERT_EQ(0, box_send_text(self->fd, "other", 0, 0));
	ASSERT_EQ(0, box_ack(self->fd, box_lease(self->fd)));
	send.type = 11;
	send.priority = 22;
	send.flags |= MAILBOX_EXPIRES;
	send.expiry = far_future();
	pid = child_fork();
	if (!pid) {
		become(SOMEBODY, SOMEBODY + 1);
		EXPECT_EQ(0, box_send(self->fd, &send));
		_exit(0);
	}
	child_done(pid);
	deliver(self->fd, 1);
	before = now_ns();
	deliver(self->fd, 1);
	stat = box_stat(self->dead);
	EXPECT_EQ(1, stat.sent);
	EXPECT_EQ(1, stat.messages);
	EXPECT_EQ(7, stat.bytes);
	EXPECT_LE(before, stat.last_sent);
	ASSERT_EQ(0, box_receive(self->dead, &args));
	EXPECT_STREQ("payload", data);
	EXPECT_EQ(7, args.length);
	EXPECT_EQ(22, args.priority);
	EXPECT_EQ(11, args.type);
	EXPECT_EQ(send.expiry, args.expiry);
	EXPECT_EQ(1, args.sequence);
	EXPECT_EQ(pid, args.pid);
	EXPECT_EQ(pid, args.tid);
	EXPECT_EQ(SOMEBODY, args.uid);
	EXPECT_EQ(SOMEBODY + 1, args.gid);
	EXPECT_EQ(0, args.deliveries);
	/* It was accepted there just now. */
	EXPECT_LE(before, args.time);
	EXPECT_GE(now_ns(), args.time);
	/* Nobody takes it for one that was sent there. */
	EXPECT_EQ(MAILBOX_IS_DEAD_LETTER, args.result);
	ASSERT_EQ(0, box_send_text(self->dead, "sent", 0, 0));
	args = receive_args(data, sizeof(data));
	ASSERT_EQ(0, box_receive(self->dead, &args));
	EXPECT_EQ(0, args.result);
}

TEST_F(lease_dead, of_any_length)
{
	static const size_t lengths[] = { 0, 1, 100, 4096, 20000, 300000 };
	char *data = malloc(300000), *seen = malloc(300000);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		struct mailbox_receive args = receive_args(seen, lengths[i]);

		memset(data, 'a' + i, lengths[i]);
		ASSERT_EQ(0, box_send_data(self->fd, data, lengths[i]));
		deliver(self->fd, 2);
		ASSERT_EQ(0, box_receive(self->dead, &args));
		EXPECT_EQ(lengths[i], args.length);
		EXPECT_EQ(0, memcmp(data, seen, lengths[i]));
	}
	free(data);
	free(seen);
}

TEST_F(lease_dead, by_every_end_of_a_lease)
{
	int other = box_open(self->device, box_stat(self->fd).id, NULL, MAILBOX_RIGHT_RECEIVE);
	pid_t pid;

	ASSERT_LE(0, other);
	/* Its time is over. */
	ASSERT_EQ(0, box_send_text(self->fd, "time", 0, 0));
	deliver(self->fd, 1);
	box_lease_timed(self->fd, 1);
	wait_leased(self->fd, 0);
	expect_delivered(self->dead, "time", 0);
	/* Its holder closes the handle. */
	ASSERT_EQ(0, box_send_text(self->fd, "close", 0, 0));
	deliver(self->fd, 1);
	box_lease(other);
	close(other);
	expect_delivered(self->dead, "close", 0);
	/* Its holder ends. */
	ASSERT_EQ(0, box_send_text(self->fd, "end", 0, 0));
	pid = child_fork();
	if (!pid) {
		deliver(self->fd, 1);
		box_lease(self->fd);
		_exit(0);
	}
	child_done(pid);
	expect_delivered(self->dead, "end", 0);
	/* It was given back with a delay, which is not for the dead or soon over. */
	ASSERT_EQ(0, box_send_text(self->fd, "delay", 0, 0));
	deliver(self->fd, 1);
	ASSERT_EQ(0, box_nack(self->fd, box_lease(self->fd), 1000));
	wait_leased(self->fd, 0);
	expect_delivered(self->dead, "delay", 0);
	expect_ends(self->fd, 4, 0);
}

TEST_F(lease_dead, wakes_who_waits_there)
{
	pid_t pid = child_fork();

	if (!pid) {
		char data[8] = { 0 };
		struct mailbox_receive args = receive_args(data, sizeof(data) - 1);

		args.flags = 0;
		EXPECT_EQ(0, box_receive(self->dead, &args));
		EXPECT_STREQ("x", data);
		_exit(0);
	}
	wait_waiters(self->dead, 1, 0);
	ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	deliver(self->fd, 2);
	child_done(pid);
	EXPECT_EQ(1, box_stat(self->dead).received);
}

TEST_F(lease_dead, lets_a_sender_in)
{
	struct mailbox_create args = create_args();
	pid_t pid;
	int fd;

	args.max_deliveries = 1;
	args.max_messages = 1;
	fd = box_create(self->device, &args);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, box_send_text(fd, "x", 0, 0));
	pid = child_fork();
	if (!pid) {
		EXPECT_EQ(1, write(fd, "y", 1));
		_exit(0);
	}
	wait_waiters(fd, 0, 1);
	deliver(fd, 1);
	child_done(pid);
	expect_delivered(fd, "y", 0);
	close(fd);
}

TEST_F(lease_dead, without_a_mailbox_for_them_are_dropped)
{
	int fd = box_new_mortal(self->device, 1, -1);

	ASSERT_EQ(0, box_send_text(fd, "x", 0, 0));
	deliver(fd, 1);
	expect_ends(fd, 0, 1);
	close(fd);
}

TEST_F(lease_dead, whose_mailbox_is_gone_are_dropped)
{
	struct mailbox_create args = create_args();
	int fd;

	/* It does not stay for being one's dead-letter mailbox. */
	args.max_deliveries = 1;
	args.dead_letter = box_stat(self->dead).id;
	fd = box_create(self->device, &args);
	ASSERT_LE(0, fd);
	close(self->dead);
	EXPECT_EQ(-ENOENT, box_open(self->device, args.dead_letter, NULL, RIGHTS_ALL));
	ASSERT_EQ(0, box_send_text(fd, "x", 0, 0));
	deliver(fd, 1);
	expect_ends(fd, 0, 1);
	close(fd);
	/* One that was destroyed. */
	self->dead = box_new(self->device);
	fd = box_new_mortal(self->device, 1, self->dead);
	ASSERT_EQ(0, box_destroy(self->dead, 0, NULL));
	ASSERT_EQ(0, box_send_text(fd, "x", 0, 0));
	deliver(fd, 1);
	expect_ends(fd, 0, 1);
	close(fd);
}

TEST_F(lease_dead, whose_mailbox_is_full_are_dropped)
{
	static const __u32 on_full[] = { MAILBOX_ON_FULL_WAIT, MAILBOX_ON_FULL_REFUSE };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(on_full); i++) {
		int dead = box_new_limited(self->device, on_full[i], 1);
		int fd = box_new_mortal(self->device, 1, dead);
		struct mailbox_stat stat;

		ASSERT_EQ(0, box_send_text(fd, "fits", 0, 0));
		deliver(fd, 1);
		ASSERT_EQ(0, box_send_text(fd, "does not", 0, 9));
		deliver(fd, 1);
		expect_ends(fd, 1, 1);
		stat = box_stat(dead);
		EXPECT_EQ(1, stat.messages);
		EXPECT_EQ(1, stat.sent);
		EXPECT_EQ(0, stat.senders);
		/* A place that is leased is taken too. */
		box_lease(dead);
		ASSERT_EQ(0, box_send_text(fd, "nor does this", 0, 0));
		deliver(fd, 1);
		expect_ends(fd, 1, 2);
		close(fd);
		close(dead);
	}
}

TEST_F(lease_dead, too_long_for_their_mailbox_are_dropped)
{
	struct mailbox_create args = create_args();
	int dead, fd;

	args.message_size = 3;
	dead = box_create(self->device, &args);
	ASSERT_LE(0, dead);
	fd = box_new_mortal(self->device, 1, dead);
	ASSERT_EQ(0, box_send_text(fd, "four", 0, 0));
	deliver(fd, 1);
	expect_ends(fd, 0, 1);
	ASSERT_EQ(0, box_send_text(fd, "six", 0, 0));
	deliver(fd, 1);
	expect_ends(fd, 1, 1);
	expect_delivered(dead, "six", 0);
	close(fd);
	close(dead);
}

TEST_F(lease_dead, can_die_again)
{
	int last = box_new(self->device), fd, i;
	int chain[5];

	chain[4] = last;
	for (i = 3; i >= 0; i--)
		chain[i] = box_new_mortal(self->device, i + 1, chain[i + 1]);
	fd = chain[0];
	ASSERT_EQ(0, box_send_text(fd, "x", 0, 0));
	for (i = 0; i < 4; i++) {
		deliver(chain[i], i + 1);
		expect_ends(chain[i], 1, 0);
		EXPECT_EQ(1, box_stat(chain[i + 1]).messages);
	}
	expect_delivered(last, "x", 0);
	for (i = 0; i < 5; i++)
		close(chain[i]);
}

/* Time is over for all of them, in a mailbox where nobody looks. */
TEST_F(lease_dead, many_at_once)
{
	enum { NR = 300 };
	int fd = box_new_mortal(self->device, 1, self->dead), i;
	__u64 end = now_ns() + PATIENCE;

	for (i = 0; i < NR; i++)
		ASSERT_EQ(0, box_send_text(fd, "x", i, 0));
	for (i = 0; i < NR; i++)
		box_lease_timed(fd, SECOND / 10);
	while (box_stat(self->dead).messages < NR) {
		ASSERT_LT(now_ns(), end);
		sched_yield();
	}
	expect_ends(fd, NR, 0);
	close(fd);
}

TEST_F(lease_dead, stay_on_the_quota_of_their_sender)
{
	struct usage before, there;

	if (!is_root())
		SKIP(return, "needs root");
	AS_USER(SOMEBODY, {
		int dead = box_new(self->device);
		int fd = box_new_mortal(self->device, 1, dead);

		before = usage_of_caller(self->device);
		ASSERT_EQ(0, box_send_text(fd, "x", 0, 0));
		there = usage_of_caller(self->device);
		EXPECT_LT(before.messages, there.messages);
		deliver(fd, 1);
		EXPECT_LE(there.messages, usage_of_caller(self->device).messages);
		close(fd);
		EXPECT_EQ(before.messages + 1, usage_of_caller(self->device).messages);
		close(dead);
		there = usage_of_caller(self->device);
		EXPECT_EQ(0, there.mailboxes);
		EXPECT_EQ(0, there.messages);
		EXPECT_EQ(0, there.bytes);
	});
}

TEST_F(lease_dead, create_refuses)
{
	const __u64 dead = box_stat(self->dead).id;
	const struct {
		__u32 deliveries, reserved;
		__u64 dead_letter;
		int error;
	} cases[] = {
		{ 0, 0, dead, EINVAL },	      { MAILBOX_DELIVERIES_MAX + 1, 0, 0, EINVAL },
		{ UINT32_MAX, 0, 0, EINVAL }, { UINT32_MAX, 0, dead, EINVAL },
		{ 1, 1, dead, EINVAL },	      { 0, 1, 0, EINVAL },
		{ 0, 1U << 31, 0, EINVAL },   { 1, 0, dead + 1000000, ENOENT },
		{ 1, 0, UINT64_MAX, ENOENT },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct mailbox_create args = create_args();
		struct state before = state_take(self->device, self->dead);

		args.max_deliveries = cases[i].deliveries;
		args.reserved = cases[i].reserved;
		args.dead_letter = cases[i].dead_letter;
		strcpy(args.name, "refused");
		EXPECT_EQ(-cases[i].error, box_create(self->device, &args)) TH_LOG("case %u", i);
		EXPECT_EQ(POISON64, args.id);
		EXPECT_UNCHANGED(self->device, self->dead, before);
		EXPECT_EQ(-ENOENT, box_open(self->device, 0, "refused", RIGHTS_ALL));
	}
}

TEST_F(lease_dead, create_refuses_what_is_gone)
{
	struct mailbox_create args = create_args();

	args.max_deliveries = 1;
	args.dead_letter = box_stat(self->dead).id;
	ASSERT_EQ(0, box_destroy(self->dead, 0, NULL));
	EXPECT_REFUSED(self->device, self->fd, ENOENT, box_create(self->device, &args));
}

TEST_F(lease_dead, create_needs_the_right_to_send_there)
{
	static const struct {
		__u32 mode;
		int result;
	} cases[] = { { 0600, -EACCES }, { 0644, -EACCES }, { 0755, -EACCES }, { 0602, 0 } };
	unsigned int i;

	if (!is_root())
		SKIP(return, "needs root");
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct mailbox_create args = create_args();
		int dead;

		args.mode = cases[i].mode;
		dead = box_create(self->device, &args);
		ASSERT_LE(0, dead);
		AS_USER(SOMEBODY, {
			struct mailbox_create mine = create_args();
			int fd;

			mine.max_deliveries = 1;
			mine.dead_letter = args.id;
			fd = box_create(self->device, &mine);
			if (fd < 0) {
				EXPECT_EQ(cases[i].result, fd);
			} else {
				EXPECT_EQ(cases[i].result, 0);
				ASSERT_EQ(0, box_send_text(fd, "x", 0, 0));
				deliver(fd, 1);
				expect_ends(fd, 1, 0);
			}
		});
		EXPECT_EQ(!cases[i].result, box_stat(dead).messages);
		close(dead);
	}
}

TEST_HARNESS_MAIN
