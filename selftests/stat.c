// SPDX-License-Identifier: GPL-2.0
/*
 * Every counter of STAT. box_stat() checks each time that the sums agree.
 */
#include "common.h"

FIXTURE(stat)
{
	int device;
	int fd;
};

FIXTURE_SETUP(stat)
{
	self->device = device_open();
	self->fd = box_new(self->device);
}

FIXTURE_TEARDOWN(stat)
{
	close(self->fd);
	close(self->device);
}

TEST_F(stat, of_a_new_mailbox)
{
	__u64 before = now_ns();
	int fd = box_new(self->device);
	struct mailbox_stat stat = box_stat(fd);

	EXPECT_EQ(sizeof(stat), stat.size);
	EXPECT_EQ(0, stat.flags);
	EXPECT_EQ(geteuid(), stat.uid);
	EXPECT_EQ(getegid(), stat.gid);
	EXPECT_EQ(1, stat.handles);
	EXPECT_EQ(0, stat.messages);
	EXPECT_EQ(0, stat.bytes);
	EXPECT_EQ(0, stat.receivers);
	EXPECT_EQ(0, stat.senders);
	EXPECT_EQ(0, stat.sent);
	EXPECT_EQ(0, stat.received);
	EXPECT_EQ(0, stat.expired);
	EXPECT_EQ(0, stat.overwritten);
	EXPECT_LE(before, stat.created);
	EXPECT_GE(now_ns(), stat.created);
	EXPECT_EQ(0, stat.last_sent);
	EXPECT_EQ(0, stat.last_received);
	EXPECT_EQ(0, stat.last_sender);
	EXPECT_EQ(0, stat.last_receiver);
	EXPECT_EQ(0, stat.leased);
	EXPECT_EQ(0, stat.redelivered);
	EXPECT_EQ(0, stat.dead);
	EXPECT_EQ(0, stat.dropped);
	EXPECT_EQ(0, stat.dead_letter);
	EXPECT_EQ(0, stat.max_deliveries);
	close(fd);
}

TEST_F(stat, counts_messages_and_bytes)
{
	char text[32];
	int i;

	for (i = 1; i <= 10; i++) {
		ASSERT_EQ(0, box_send_text(self->fd, "four", 0, 0));
		EXPECT_EQ(i, box_stat(self->fd).messages);
		EXPECT_EQ(4 * i, box_stat(self->fd).bytes);
		EXPECT_EQ(i, box_stat(self->fd).sent);
	}
	for (i = 1; i <= 10; i++) {
		ASSERT_EQ(4, box_receive_text(self->fd, text, sizeof(text)));
		EXPECT_EQ(10 - i, box_stat(self->fd).messages);
		EXPECT_EQ(40 - 4 * i, box_stat(self->fd).bytes);
		EXPECT_EQ(i, box_stat(self->fd).received);
	}
	EXPECT_EQ(10, box_stat(self->fd).sent);
}

TEST_F(stat, a_truncated_message_counts_as_a_whole)
{
	struct mailbox_receive args = receive_args(NULL, 0);

	ASSERT_EQ(0, box_send_text(self->fd, "four", 0, 0));
	args.flags |= MAILBOX_TRUNCATE;
	ASSERT_EQ(0, box_receive(self->fd, &args));
	EXPECT_EQ(0, box_stat(self->fd).bytes);
	EXPECT_EQ(1, box_stat(self->fd).received);
}

TEST_F(stat, counts_handles)
{
	__u64 id = box_stat(self->fd).id;
	int fds[5], i;

	for (i = 0; i < 5; i++) {
		fds[i] = box_open(self->device, id, NULL, 1 + i);
		ASSERT_LE(0, fds[i]);
		EXPECT_EQ(2 + i, box_stat(fds[0]).handles);
	}
	for (i = 0; i < 5; i++) {
		close(fds[i]);
		EXPECT_EQ(5 - i, box_stat(self->fd).handles);
	}
}

TEST_F(stat, a_copied_descriptor_is_not_another_handle)
{
	int copy = dup(self->fd);
	pid_t pid = child_fork();

	if (!pid) {
		EXPECT_EQ(1, box_stat(self->fd).handles);
		_exit(0);
	}
	child_done(pid);
	EXPECT_EQ(1, box_stat(copy).handles);
	close(copy);
	EXPECT_EQ(1, box_stat(self->fd).handles);
}

TEST_F(stat, says_when_it_was_changed)
{
	struct mailbox_set set = { .size = sizeof(set), .flags = MAILBOX_SET_SHARE, .share = 10 };
	struct mailbox_stat stat = box_stat(self->fd);
	__u64 before = now_ns();

	EXPECT_EQ(stat.created, stat.changed);
	EXPECT_EQ(0, call(self->fd, MAILBOX_IOC_SET, &set));
	stat = box_stat(self->fd);
	EXPECT_LE(before, stat.changed);
	EXPECT_GE(now_ns(), stat.changed);
	EXPECT_GE(before, stat.created);

	/* Neither does a message change it, nor a SET that fails. */
	EXPECT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	set.share = 101;
	EXPECT_EQ(-EINVAL, call(self->fd, MAILBOX_IOC_SET, &set));
	EXPECT_EQ(stat.changed, box_stat(self->fd).changed);
}

TEST_F(stat, says_who_made_it)
{
	struct mailbox_set set = {
		.size = sizeof(set),
		.flags = MAILBOX_SET_UID | MAILBOX_SET_GID,
		.uid = 3000,
		.gid = 4000,
	};
	int fd;

	if (!is_root())
		SKIP(return, "needs root");
	ASSERT_EQ(0, setegid(2000));
	ASSERT_EQ(0, seteuid(1000));
	fd = box_new(self->device);
	ASSERT_EQ(0, seteuid(0));
	ASSERT_EQ(0, setegid(0));
	EXPECT_EQ(1000, box_stat(fd).creator_uid);
	EXPECT_EQ(2000, box_stat(fd).creator_gid);
	ASSERT_EQ(0, call(fd, MAILBOX_IOC_SET, &set));
	EXPECT_EQ(3000, box_stat(fd).uid);
	EXPECT_EQ(1000, box_stat(fd).creator_uid);
	EXPECT_EQ(2000, box_stat(fd).creator_gid);
	close(fd);
}

/* Nanoseconds that a tick of a kernel may have. */
#define TICK 10000000

TEST_F(stat, says_when_and_who_sent_and_received_last)
{
	__u64 before = now_ns(), between;
	struct mailbox_stat stat;
	char text[8];
	pid_t pid = child_fork();

	if (!pid) {
		ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
		_exit(0);
	}
	child_done(pid);
	between = now_ns();
	stat = box_stat(self->fd);
	EXPECT_LE(before, stat.last_sent);
	EXPECT_GE(between, stat.last_sent);
	EXPECT_EQ(pid, stat.last_sender);
	EXPECT_EQ(0, stat.last_received);
	EXPECT_EQ(0, stat.last_receiver);

	ASSERT_EQ(1, box_receive_text(self->fd, text, sizeof(text)));
	stat = box_stat(self->fd);
	/* To a tick of the kernel's clock, but not before it was sent. */
	EXPECT_LE(between, stat.last_received + TICK);
	EXPECT_LE(stat.last_sent, stat.last_received);
	EXPECT_GE(now_ns(), stat.last_received);
	EXPECT_EQ(getpid(), stat.last_receiver);
	EXPECT_EQ(pid, stat.last_sender);
}

/* Most of them right after it was sent, and no tick in between. */
TEST_F(stat, nothing_is_received_before_it_is_sent)
{
	char text[8];
	int i;

	for (i = 0; i < 100; i++) {
		struct mailbox_stat stat;

		ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
		ASSERT_EQ(1, box_receive_text(self->fd, text, sizeof(text)));
		stat = box_stat(self->fd);
		ASSERT_LE(stat.last_sent, stat.last_received);
		ASSERT_GE(now_ns(), stat.last_received);
	}
}

TEST_F(stat, a_peek_is_not_a_receive)
{
	struct mailbox_receive args = receive_args(NULL, 0);
	struct mailbox_stat stat;

	ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	args.flags |= MAILBOX_PEEK | MAILBOX_TRUNCATE;
	ASSERT_EQ(0, box_receive(self->fd, &args));
	stat = box_stat(self->fd);
	EXPECT_EQ(0, stat.received);
	EXPECT_EQ(0, stat.last_received);
	EXPECT_EQ(0, stat.last_receiver);
	EXPECT_EQ(1, stat.messages);
}

TEST_F(stat, counts_who_waits)
{
	int fd = box_new_limited(self->device, MAILBOX_ON_FULL_WAIT, 1), i;
	pid_t pids[6];

	ASSERT_EQ(0, box_send_text(fd, "fills", 0, 0));
	for (i = 0; i < 6; i++) {
		pids[i] = child_fork();
		if (!pids[i]) {
			char data[8];
			struct mailbox_receive args = receive_args(data, sizeof(data));

			args.flags = 0;
			args.select = MAILBOX_SELECT_TYPE;
			args.match = 1;
			if (i % 2)
				EXPECT_EQ(-EIDRM, box_receive(fd, &args));
			else
				EXPECT_EQ(-1, write(fd, "x", 1));
			_exit(0);
		}
	}
	wait_waiters(fd, 3, 3);
	/* Those who wait have sent nothing yet. */
	EXPECT_EQ(1, box_stat(fd).sent);
	EXPECT_EQ(1, box_stat(fd).messages);
	ASSERT_EQ(0, box_destroy(fd, 0, NULL));
	for (i = 0; i < 6; i++)
		child_done(pids[i]);
	close(fd);
}

static void lease_and_give_back(int fd, int round)
{
	char data[8];
	struct mailbox_receive args = leasing_args(data, sizeof(data));

	if (box_receive(fd, &args))
		return;
	if (round % 2)
		EXPECT_EQ(0, box_nack(fd, args.lease, round % 4 == 1 ? 0 : 1));
	else
		EXPECT_EQ(0, box_ack(fd, args.lease));
}

/* Each way for a message to end, and the sum after each step by box_stat(). */
TEST_F(stat, counts_every_end_once)
{
	struct mailbox_create create = create_args();
	struct mailbox_send send = send_args("expires", 7);
	int dead = box_new_limited(self->device, MAILBOX_ON_FULL_REFUSE, 1), fd;
	__u64 end = now_ns() + PATIENCE;
	struct mailbox_stat stat;
	char text[16];

	create.on_full = MAILBOX_ON_FULL_OVERWRITE;
	create.max_messages = 2;
	create.max_deliveries = 1;
	create.dead_letter = box_stat(dead).id;
	fd = box_create(self->device, &create);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, box_send_text(fd, "overwritten", 0, 0));
	ASSERT_EQ(0, box_send_text(fd, "dies", 1, 0));
	ASSERT_EQ(0, box_send_text(fd, "dropped", 2, 0));
	EXPECT_EQ(1, box_stat(fd).overwritten);
	ASSERT_EQ(0, box_nack(fd, box_lease_type(fd, 1), 0));
	EXPECT_EQ(1, box_stat(fd).dead);
	ASSERT_EQ(0, box_nack(fd, box_lease_type(fd, 2), 0));
	EXPECT_EQ(1, box_stat(fd).dropped);
	ASSERT_EQ(0, box_send_text(fd, "received", 3, 0));
	EXPECT_EQ(8, box_receive_text(fd, text, sizeof(text)));
	EXPECT_EQ(1, box_stat(fd).received);
	ASSERT_EQ(0, box_send_text(fd, "acknowledged", 4, 0));
	ASSERT_EQ(0, box_ack(fd, box_lease(fd)));
	EXPECT_EQ(2, box_stat(fd).received);
	ASSERT_EQ(0, box_send_soon_expired(fd, &send));
	while (!box_stat(fd).expired)
		ASSERT_LT(now_ns(), end);
	stat = box_stat(fd);
	EXPECT_EQ(6, stat.sent);
	EXPECT_EQ(2, stat.received);
	EXPECT_EQ(1, stat.expired);
	EXPECT_EQ(1, stat.overwritten);
	EXPECT_EQ(1, stat.dead);
	EXPECT_EQ(1, stat.dropped);
	EXPECT_EQ(0, stat.messages);
	close(fd);
	close(dead);
}

TEST_F(stat, the_sums_agree_while_others_work)
{
	enum { WORKERS = 4, ROUNDS = 2000 };
	int fd = box_new_limited(self->device, MAILBOX_ON_FULL_OVERWRITE, 8), i, j;
	unsigned int *done = flag_new();
	pid_t pids[WORKERS];
	struct mailbox_stat stat;

	for (i = 0; i < WORKERS; i++) {
		pids[i] = child_fork();
		if (!pids[i]) {
			char text[16];

			for (j = 0; j < ROUNDS; j++)
				if (i % 2)
					box_send_text(fd, "x", 0, j % 3);
				else if (i)
					box_receive_text(fd, text, sizeof(text));
				else
					lease_and_give_back(fd, j);
			flag_raise(done);
			_exit(0);
		}
	}
	while (__atomic_load_n(done, __ATOMIC_ACQUIRE) < WORKERS) {
		stat = box_stat(fd);
		EXPECT_GE(stat.max_messages + WORKERS, stat.messages);
		EXPECT_EQ(stat.messages, stat.bytes);
	}
	for (i = 0; i < WORKERS; i++)
		child_done(pids[i]);
	EXPECT_EQ(WORKERS / 2 * ROUNDS, box_stat(fd).sent);
	close(fd);
}

TEST_F(stat, flags_must_be_zero_and_come_back_set)
{
	struct mailbox_create create = create_args();
	struct mailbox_stat stat;
	int fd;

	create.flags = MAILBOX_FIXED_SIZE;
	create.message_size = 8;
	fd = box_create(self->device, &create);
	ASSERT_LE(0, fd);
	stat = box_stat(fd);
	EXPECT_EQ(MAILBOX_FIXED_SIZE, stat.flags);
	/* So an answer cannot be used as the next question. */
	EXPECT_REFUSED(self->device, fd, EOPNOTSUPP, call(fd, MAILBOX_IOC_STAT, &stat));
	close(fd);
}

TEST_HARNESS_MAIN
