// SPDX-License-Identifier: GPL-2.0
/*
 * How loans end: whoever has one goes, or the message that has it ends without being received.
 */
#include "world.h"

#include "common_broadcast.h"
#include "common_grant.h"
#include "common_loan.h"

#define PAGES 8

FIXTURE(loan_life)
{
	int device;
	int fd;
	__u64 id;
	__u64 page;
};

FIXTURE_SETUP(loan_life)
{
	self->page = page_size();
	self->device = device_open();
	self->fd = region_new(self->device, PAGES * self->page);
	self->id = box_stat(self->fd).id;
}

FIXTURE_TEARDOWN(loan_life)
{
	close(self->fd);
	close(self->device);
}

static int open_again(FIXTURE_DATA(loan_life) * self)
{
	int fd = box_open(self->device, self->id, NULL, RIGHTS_ALL);

	ASSERT_LE(0, fd);
	return fd;
}

/* More than are ended in one go. */
TEST_F(loan_life, end_with_the_last_descriptor_of_the_handle)
{
	int fd = open_again(self), copy = fcntl(fd, F_DUPFD_CLOEXEC, 0), i;
	struct mailbox_loan other = box_loan(self->fd, 1);

	for (i = 0; i < 100; i++)
		box_loan(fd, 1);
	close(fd);
	EXPECT_LOANS(self->fd, 101, 101 * 64);
	close(copy);
	EXPECT_LOANS(self->fd, 1, 64);
	EXPECT_EQ(0, box_return(self->fd, other.loan));
	box_loan(self->fd, PAGES * self->page);
}

TEST_F(loan_life, end_with_a_process_that_is_killed)
{
	unsigned int *begun = flag_new();
	pid_t child;

	box_send_loan(self->fd, self->page);
	box_send_loan(self->fd, self->page);
	child = child_fork();
	if (!child) {
		int fd = open_again(self);

		box_take(fd);
		box_loan(fd, self->page);
		flag_raise(begun);
		pause();
	}
	flag_await(begun, 1);
	EXPECT_LOANS(self->fd, 3, 3 * self->page);
	child_kill(child);
	/* What nobody has received is still there. */
	EXPECT_LOANS(self->fd, 1, self->page);
	EXPECT_EQ(self->page, box_take(self->fd).length);
}

TEST_F(loan_life, a_child_that_inherits_the_handle_shares_them)
{
	struct mailbox_loan loan = box_loan(self->fd, 1);
	pid_t child = child_fork();

	if (!child) {
		EXPECT_EQ(0, box_return(self->fd, loan.loan));
		box_loan(self->fd, self->page);
		_exit(KSFT_PASS);
	}
	child_done(child);
	EXPECT_EQ(-ESTALE, box_return(self->fd, loan.loan));
	/* The handle is open. */
	EXPECT_LOANS(self->fd, 1, self->page);
	EXPECT_EQ(0, box_return(self->fd, loan.loan + 1));
}

TEST_F(loan_life, all_end_with_the_mailbox)
{
	struct usage before = usage_of_caller(self->device), after;
	int fd = region_new(self->device, PAGES * self->page), i;
	struct mailbox_receive leased = taking_args();
	struct mailbox_loan loan;

	for (i = 0; i < 100; i++)
		box_loan(fd, 1);
	loan = box_loan(fd, 1);
	box_send_loan(fd, 1);
	box_send_loan(fd, 1);
	leased.flags |= MAILBOX_LEASE;
	leased.lease = 0;
	ASSERT_EQ(0, box_receive(fd, &leased));
	ASSERT_EQ(0, box_destroy(fd, 0, NULL));
	EXPECT_EQ(-EIDRM, box_return(fd, loan.loan));
	EXPECT_EQ(-EIDRM, box_loan_error(fd, 1));
	EXPECT_EQ(-EIDRM, box_lend(fd, loan.loan, 1));
	/* Also the records, though the handle is open. */
	after = usage_of_caller(self->device);
	EXPECT_EQ(before.bytes, after.bytes);
	close(fd);
}

TEST_F(loan_life, end_when_the_handle_is_revoked)
{
	__u64 grant;
	int fd = box_restrict(self->fd, RIGHTS_ALL, &grant);
	struct mailbox_loan loan = box_loan(fd, self->page);

	box_loan(self->fd, 64);
	ASSERT_EQ(0, box_revoke(self->fd, grant));
	EXPECT_LOANS(self->fd, 1, 64);
	EXPECT_EQ(-EACCES, box_return(fd, loan.loan));
	EXPECT_EQ(-EACCES, box_loan_error(fd, 1));
	EXPECT_EQ(-EACCES, box_lend(fd, loan.loan, 1));
	close(fd);
}

TEST_F(loan_life, a_message_that_expires_frees_its_piece)
{
	struct mailbox_loan loan = box_loan(self->fd, PAGES * self->page);
	struct mailbox_send args = lending_args(loan.loan, 1);

	ASSERT_EQ(0, box_send_soon_expired(self->fd, &args));
	/* LOAN waits; the timer alone lets the message go. */
	loan = loan_args(PAGES * self->page);
	loan.flags = 0;
	EXPECT_EQ(0, box_loan_try(self->fd, &loan));
	EXPECT_EQ(1, box_stat(self->fd).expired);
}

/* Many times: sometimes the timer is quicker. */
TEST_F(loan_life, a_message_that_has_expired_has_no_piece_whether_the_timer_came_or_not)
{
	unsigned int i;

	for (i = 0; i < 20; i++) {
		struct mailbox_loan loan = box_loan(self->fd, PAGES * self->page);
		struct mailbox_send args = lending_args(loan.loan, 1);

		ASSERT_EQ(0, box_send_soon_expired(self->fd, &args));
		pass_time(args.expiry);
		loan = box_loan(self->fd, PAGES * self->page);
		ASSERT_EQ(0, box_return(self->fd, loan.loan));
	}
}

TEST_F(loan_life, a_message_that_is_overwritten_frees_its_piece)
{
	struct mailbox_create create = create_args();
	int fd;

	create.on_full = MAILBOX_ON_FULL_OVERWRITE;
	create.max_messages = 1;
	fd = region_create(self->device, &create, 2 * self->page);
	ASSERT_LE(0, fd);
	box_send_loan(fd, self->page);
	box_send_loan(fd, self->page);
	EXPECT_LOANS(fd, 1, self->page);
	ASSERT_EQ(0, box_send_text(fd, "", 0, 0));
	EXPECT_LOANS(fd, 0, 0);
	EXPECT_EQ(2, box_stat(fd).overwritten);
	close(fd);
}

static struct mailbox_receive lease_loan(int fd)
{
	struct mailbox_receive args = taking_args();

	args.flags |= MAILBOX_LEASE;
	args.lease = 0;
	ASSERT_EQ(0, box_receive(fd, &args));
	EXPECT_EQ(MAILBOX_IS_LOAN, args.result);
	EXPECT_EQ(0, args.loan);
	EXPECT_NE(0, args.lease);
	return args;
}

TEST_F(loan_life, under_a_lease_the_message_keeps_it)
{
	__u64 offset = box_send_loan(self->fd, self->page);
	struct mailbox_receive args = lease_loan(self->fd);
	int fd;

	EXPECT_EQ(offset, args.offset);
	EXPECT_EQ(self->page, args.length);
	EXPECT_EQ(-EINVAL, box_return(self->fd, args.loan));
	EXPECT_EQ(0, box_nack(self->fd, args.lease, 0));
	EXPECT_LOANS(self->fd, 1, self->page);
	/* The death of the holder is the same. */
	fd = open_again(self);
	args = lease_loan(fd);
	EXPECT_EQ(1, args.deliveries);
	close(fd);
	args = lease_loan(self->fd);
	EXPECT_EQ(2, args.deliveries);
	EXPECT_EQ(offset, args.offset);
	EXPECT_EQ(0, box_ack(self->fd, args.lease));
	EXPECT_LOANS(self->fd, 0, 0);
}

TEST_F(loan_life, a_dead_letter_that_has_one_is_dropped)
{
	struct mailbox_create create = create_args();
	struct mailbox_receive args;
	struct mailbox_stat stat;
	int fd;

	create.max_deliveries = 1;
	create.dead_letter = self->id;
	fd = region_create(self->device, &create, self->page);
	ASSERT_LE(0, fd);
	box_send_loan(fd, 1);
	args = lease_loan(fd);
	EXPECT_EQ(0, box_nack(fd, args.lease, 0));
	stat = box_stat(fd);
	EXPECT_EQ(1, stat.dropped);
	EXPECT_EQ(0, stat.dead);
	EXPECT_EQ(0, stat.loans);
	EXPECT_EQ(0, box_stat(self->fd).messages);
	close(fd);
}

/* One piece, and a loan for each. */
TEST_F(loan_life, each_of_a_broadcast_has_its_own)
{
	struct mailbox_create create = broadcast_args(4);
	struct mailbox_receive a, b;
	int fd, one, other, slow;

	fd = region_create(self->device, &create, 2 * self->page);
	ASSERT_LE(0, fd);
	/* Nobody is there to get it. */
	box_send_loan(fd, self->page);
	EXPECT_LOANS(fd, 0, 0);
	one = subscribe(self->device, create.id);
	other = subscribe(self->device, create.id);
	slow = subscribe(self->device, create.id);
	box_send_loan(fd, self->page);
	a = box_take(one);
	b = box_take(other);
	EXPECT_EQ(a.offset, b.offset);
	EXPECT_NE(a.loan, b.loan);
	EXPECT_EQ(1, box_stat(fd).messages);
	EXPECT_LOANS(fd, 1, self->page);
	EXPECT_EQ(-ESTALE, box_return(other, a.loan));
	EXPECT_EQ(0, box_return(one, a.loan));
	EXPECT_EQ(-ESTALE, box_return(one, a.loan));
	EXPECT_LOANS(fd, 1, self->page);
	close(slow);
	EXPECT_EQ(0, box_stat(fd).messages);
	EXPECT_LOANS(fd, 1, self->page);
	close(other);
	EXPECT_LOANS(fd, 0, 0);
	close(one);
	close(fd);
}

TEST_F(loan_life, a_broadcast_that_is_overwritten_stays_with_who_has_it)
{
	struct mailbox_create create = broadcast_args(1);
	struct mailbox_receive args;
	char data[8];
	int fd, fast, slow;

	fd = region_create(self->device, &create, self->page);
	ASSERT_LE(0, fd);
	fast = subscribe(self->device, create.id);
	slow = subscribe(self->device, create.id);
	box_send_loan(fd, self->page);
	/* Who does not ask for loans gets none; it waits there. */
	args = receive_args(data, sizeof(data));
	EXPECT_EQ(-EOPNOTSUPP, box_receive(slow, &args));
	args = box_take(fast);
	ASSERT_EQ(0, box_send_text(fd, "next", 0, 0));
	EXPECT_LOANS(fd, 1, self->page);
	EXPECT_EQ(1, box_stat(fd).overwritten);
	EXPECT_NEXT(slow, 0, 1);
	args.flags = MAILBOX_NONBLOCK | MAILBOX_LOAN;
	args.data = user_pointer(data);
	args.room = sizeof(data);
	args.give_back = args.loan;
	EXPECT_EQ(0, box_receive(fast, &args));
	EXPECT_EQ(0, args.loan);
	EXPECT_LOANS(fd, 0, 0);
	close(fast);
	close(slow);
	close(fd);
}

/* A copy is sent on, and given back for another, as any. */
TEST_F(loan_life, a_copy_of_a_broadcast_is_a_loan_like_any)
{
	struct mailbox_create create = broadcast_args(4);
	struct mailbox_loan swap = loan_args(2 * page_size());
	struct mailbox_receive args;
	int fd, both;

	fd = region_create(self->device, &create, 2 * self->page);
	ASSERT_LE(0, fd);
	both = box_open(self->device, create.id, NULL, MAILBOX_RIGHT_SEND | MAILBOX_RIGHT_RECEIVE);
	ASSERT_LE(0, both);
	box_send_loan(fd, self->page);
	args = box_take(both);
	ASSERT_EQ(0, box_lend(both, args.loan, 7));
	args = box_take(both);
	EXPECT_EQ(7, args.length);
	EXPECT_LOANS(fd, 1, self->page);
	swap.give_back = args.loan;
	EXPECT_EQ(0, box_loan_try(both, &swap));
	EXPECT_LOANS(fd, 1, 2 * self->page);
	close(both);
	EXPECT_LOANS(fd, 0, 0);
	close(fd);
}

TEST_F(loan_life, quota_pays_for_records)
{
	const uint64_t records = 1000;
	struct mailbox_loan args;
	uint64_t max;
	pid_t child;

	if (!is_root())
		SKIP(return, "only root may change limits");
	max = parameter_set("max_bytes_per_user", 64 * self->page);
	child = child_fork();
	if (!child) {
		uint64_t nr = 0;
		struct mailbox_info info;
		int device, fd, ret;

		become(1000, 1000);
		device = device_open();
		fd = region_new(device, 32 * self->page);
		do {
			args = loan_args(1);
			ret = box_loan_try(fd, &args);
		} while (!ret && ++nr < 64 * records);
		EXPECT_EQ(-EDQUOT, ret);
		info = device_info(device);
		EXPECT_LE(info.bytes, 64 * self->page);
		EXPECT_LE(nr * 100, info.bytes - 32 * self->page);
		EXPECT_LOANS(fd, nr, nr * 64);
		_exit(KSFT_PASS);
	}
	child_done(child);
	parameter_set("max_bytes_per_user", max);
}

TEST_HARNESS_MAIN
