// SPDX-License-Identifier: GPL-2.0
/*
 * Loans: LOAN, RETURN, and messages that have a piece of the region for their payload.
 */
#include "common_broadcast.h"
#include "common_files.h"
#include "common_loan.h"

#define PAGES 8

FIXTURE(loan)
{
	int device;
	int fd;
	/* That may only receive, and only send. */
	int reader;
	int writer;
	__u64 page;
	char *start;
};

FIXTURE_SETUP(loan)
{
	__u64 id;

	self->page = page_size();
	self->device = device_open();
	self->fd = region_new(self->device, PAGES * self->page);
	id = box_stat(self->fd).id;
	self->reader = box_open(self->device, id, NULL, MAILBOX_RIGHT_RECEIVE);
	self->writer = box_open(self->device, id, NULL, MAILBOX_RIGHT_SEND);
	ASSERT_LE(0, self->reader);
	ASSERT_LE(0, self->writer);
	self->start = region_map(self->fd, 0, PAGES * self->page, READ_WRITE);
}

FIXTURE_TEARDOWN(loan)
{
	munmap(self->start, PAGES * self->page);
	close(self->reader);
	close(self->writer);
	close(self->fd);
	close(self->device);
}

TEST_F(loan, pieces_lie_where_the_header_says)
{
	struct mailbox_loan page = box_loan(self->fd, self->page);
	struct mailbox_loan more = box_loan(self->fd, self->page + 1);
	struct mailbox_loan one = box_loan(self->fd, 1);
	struct mailbox_loan line = box_loan(self->fd, 65);

	EXPECT_EQ(0, page.offset % self->page);
	EXPECT_EQ(0, more.offset % self->page);
	EXPECT_EQ(0, one.offset % 64);
	EXPECT_EQ(0, line.offset % 64);
	EXPECT_EQ(1, page.loan);
	EXPECT_EQ(2, more.loan);
	EXPECT_EQ(3, one.loan);
	EXPECT_EQ(4, line.loan);
	EXPECT_LOANS(self->fd, 4, 3 * self->page + 3 * 64);
	EXPECT_TRUE(more.offset >= page.offset + self->page);
	EXPECT_TRUE(one.offset >= more.offset + 2 * self->page);
	EXPECT_TRUE(line.offset >= more.offset + 2 * self->page);
	EXPECT_TRUE(one.offset >= line.offset + 128 || line.offset >= one.offset + 64);
}

TEST_F(loan, what_is_lent_is_lent_once_until_it_is_returned)
{
	struct mailbox_loan all = box_loan(self->fd, PAGES * self->page);

	EXPECT_EQ(0, all.offset);
	EXPECT_EQ(-EAGAIN, box_loan_error(self->fd, 1));
	EXPECT_EQ(-EAGAIN, box_loan_error(self->writer, 1));
	EXPECT_EQ(0, box_return(self->fd, all.loan));
	EXPECT_EQ(-ESTALE, box_return(self->fd, all.loan));
	EXPECT_LOANS(self->fd, 0, 0);
	EXPECT_LT(all.loan, box_loan(self->fd, 1).loan);
}

TEST_F(loan, refused_by_their_arguments)
{
	struct mailbox_loan args = loan_args(1);
	struct mailbox_return back = { .size = sizeof(back), .flags = 1, .loan = 1 };
	int none = box_new(self->device);

	args.flags |= MAILBOX_PEEK;
	EXPECT_EQ(-EOPNOTSUPP, box_loan_try(self->fd, &args));
	EXPECT_EQ(-EINVAL, box_loan_error(self->fd, 0));
	EXPECT_EQ(-EINVAL, box_loan_error(self->fd, 1ULL << 32));
	EXPECT_EQ(-EMSGSIZE, box_loan_error(self->fd, (1ULL << 32) - 1));
	EXPECT_EQ(-EMSGSIZE, box_loan_error(self->fd, PAGES * self->page + 1));
	EXPECT_EQ(-EMSGSIZE, box_loan_error(none, 1));
	EXPECT_EQ(-EACCES, box_loan_error(self->reader, 1));
	args = loan_args(1);
	args.give_back = 1;
	EXPECT_EQ(-ESTALE, box_loan_try(self->fd, &args));
	EXPECT_EQ(-EOPNOTSUPP, call(self->fd, MAILBOX_IOC_RETURN, &back));
	EXPECT_EQ(-EINVAL, box_return(self->fd, 0));
	EXPECT_EQ(-ESTALE, box_return(self->fd, 1));
	EXPECT_LOANS(self->fd, 0, 0);
	close(none);
}

TEST_F(loan, belongs_to_its_handle)
{
	struct mailbox_loan loan = box_loan(self->fd, 1);
	struct mailbox_receive taken = taking_args();
	int copy = fcntl(self->fd, F_DUPFD_CLOEXEC, 0);

	EXPECT_EQ(-ESTALE, box_return(self->writer, loan.loan));
	EXPECT_EQ(-ESTALE, box_return(self->reader, loan.loan));
	EXPECT_EQ(-ESTALE, box_lend(self->writer, loan.loan, 1));
	ASSERT_EQ(0, box_send_text(self->fd, "", 0, 0));
	taken.give_back = loan.loan;
	EXPECT_EQ(-ESTALE, box_receive(self->reader, &taken));
	EXPECT_LOANS(self->fd, 1, 64);
	EXPECT_EQ(1, box_stat(self->fd).messages);
	EXPECT_EQ(0, box_return(copy, loan.loan));
	close(copy);
}

TEST_F(loan, give_back_may_be_the_piece_that_is_lent)
{
	struct mailbox_loan all = box_loan(self->fd, PAGES * self->page);
	struct mailbox_loan args = loan_args(PAGES * self->page);

	args.give_back = all.loan;
	EXPECT_EQ(0, box_loan_try(self->fd, &args));
	EXPECT_EQ(0, args.offset);
	EXPECT_LT(all.loan, args.loan);
	EXPECT_EQ(-ESTALE, box_return(self->fd, all.loan));
	EXPECT_LOANS(self->fd, 1, PAGES * self->page);
}

TEST_F(loan, give_back_stays_where_nothing_is_lent)
{
	struct mailbox_loan half = box_loan(self->fd, PAGES / 2 * self->page);
	struct mailbox_loan rest = box_loan(self->fd, PAGES / 2 * self->page);
	struct mailbox_loan args = loan_args((PAGES / 2 + 1) * self->page);

	args.give_back = half.loan;
	EXPECT_EQ(-EAGAIN, box_loan_try(self->fd, &args));
	EXPECT_LOANS(self->fd, 2, PAGES * self->page);
	EXPECT_EQ(0, box_return(self->fd, half.loan));
	EXPECT_EQ(0, box_return(self->fd, rest.loan));
}

TEST_F(loan, a_message_takes_it_along)
{
	struct mailbox_loan loan = box_loan(self->writer, 2 * self->page);
	struct mailbox_send args = lending_args(loan.loan, self->page + 5);
	struct mailbox_receive taken;
	struct mailbox_stat stat;

	memset(self->start + loan.offset, 7, 2 * self->page);
	args.type = 3;
	ASSERT_EQ(0, box_send(self->writer, &args));
	EXPECT_EQ(1, args.sequence);
	EXPECT_EQ(0, args.loan);
	EXPECT_EQ(0, args.offset);
	EXPECT_EQ(-ESTALE, box_return(self->writer, loan.loan));
	stat = box_stat(self->fd);
	EXPECT_EQ(1, stat.messages);
	EXPECT_EQ(0, stat.bytes);
	EXPECT_EQ(2 * self->page, stat.loaned);

	taken = box_take(self->reader);
	EXPECT_EQ(MAILBOX_IS_LOAN, taken.result);
	EXPECT_EQ(self->page + 5, taken.length);
	EXPECT_EQ(loan.offset, taken.offset);
	EXPECT_EQ(3, taken.type);
	EXPECT_TRUE(is_all(self->start + taken.offset, 7, taken.length));
	EXPECT_EQ(0, box_stat(self->fd).messages);
	EXPECT_LOANS(self->fd, 1, 2 * self->page);
	EXPECT_EQ(-ESTALE, box_return(self->writer, taken.loan));
	EXPECT_EQ(0, box_return(self->reader, taken.loan));
	EXPECT_LOANS(self->fd, 0, 0);
}

/* Nothing of it is stored, and no limit of what is stored is one for it. */
TEST_F(loan, limits_are_for_what_is_stored)
{
	struct mailbox_create args = create_args();
	struct mailbox_receive taken;
	int fd;

	args.message_size = 10;
	args.max_bytes = 10;
	fd = region_create(self->device, &args, PAGES * self->page);
	ASSERT_LE(0, fd);
	box_send_loan(fd, self->page);
	ASSERT_EQ(0, box_send_text(fd, "0123456789", 0, 0));
	box_send_loan(fd, 3 * self->page);
	taken = box_take(fd);
	EXPECT_EQ(self->page, taken.length);
	close(fd);
}

TEST_F(loan, fixed_size_is_its_length)
{
	struct mailbox_create args = create_args();
	struct mailbox_loan loan;
	int fd;

	args.flags |= MAILBOX_FIXED_SIZE;
	args.message_size = 100;
	fd = region_create(self->device, &args, self->page);
	ASSERT_LE(0, fd);
	loan = box_loan(fd, 128);
	EXPECT_EQ(-EMSGSIZE, box_lend(fd, loan.loan, 99));
	EXPECT_EQ(-EMSGSIZE, box_lend(fd, loan.loan, 0));
	EXPECT_EQ(-EMSGSIZE, box_lend(fd, loan.loan, 128));
	EXPECT_EQ(0, box_lend(fd, loan.loan, 100));
	EXPECT_EQ(100, box_take(fd).length);
	close(fd);
}

TEST_F(loan, sends_that_fail_leave_it)
{
	struct mailbox_loan loan = box_loan(self->fd, 100);
	struct mailbox_send args = lending_args(loan.loan, 101);
	struct state before = state_take(self->device, self->fd);
	char byte;

	EXPECT_EQ(-EMSGSIZE, box_send(self->fd, &args));
	args = lending_args(loan.loan, 100);
	args.data = user_pointer(&byte);
	EXPECT_EQ(-EINVAL, box_send(self->fd, &args));
	args = lending_args(0, 100);
	EXPECT_EQ(-EINVAL, box_send(self->fd, &args));
	args = lending_args(loan.loan + 1, 100);
	EXPECT_EQ(-ESTALE, box_send(self->fd, &args));
	args = lending_args(loan.loan, 100);
	args.size = offsetof(struct mailbox_send, borrow);
	EXPECT_EQ(-EINVAL, box_send(self->fd, &args));
	args = lending_args(loan.loan, 100);
	args.borrow = 1ULL << 32;
	EXPECT_EQ(-EINVAL, box_send(self->fd, &args));
	args.borrow = PAGES * self->page + 1;
	EXPECT_EQ(-EMSGSIZE, box_send(self->fd, &args));
	args = lending_args(loan.loan, 100);
	args.priority = MAILBOX_PRIORITY_MAX + 1;
	EXPECT_EQ(-EINVAL, box_send(self->fd, &args));
	EXPECT_EQ(loan.loan, args.loan);
	args = lending_args(loan.loan, 100);
	args.flags |= MAILBOX_EXPIRES;
	args.expiry = 1;
	EXPECT_EQ(-ETIMEDOUT, box_send(self->fd, &args));
	args = lending_args(loan.loan, 100);
	args.flags |= MAILBOX_RECEIPT;
	args.receipt = self->device;
	args.reserved = 0;
	EXPECT_EQ(-EINVAL, box_send(self->fd, &args));
	EXPECT_EQ(loan.loan, args.loan);
	EXPECT_UNCHANGED(self->device, self->fd, before);
	EXPECT_EQ(0, box_lend(self->fd, loan.loan, 100));
}

TEST_F(loan, full_mailboxes_leave_it)
{
	struct mailbox_create create = create_args();
	struct mailbox_loan loan;
	struct mailbox_send args;
	int fd;

	create.max_messages = 1;
	fd = region_create(self->device, &create, self->page);
	ASSERT_LE(0, fd);
	loan = box_loan(fd, 1);
	ASSERT_EQ(0, box_send_text(fd, "", 0, 0));
	args = lending_args(loan.loan, 1);
	args.borrow = 1;
	EXPECT_EQ(-EAGAIN, box_send(fd, &args));
	EXPECT_EQ(loan.loan, args.loan);
	args.flags = MAILBOX_LOAN | MAILBOX_DEADLINE;
	args.deadline = now_ns() + SECOND / 100;
	EXPECT_EQ(-ETIMEDOUT, box_send(fd, &args));
	EXPECT_EQ(loan.loan, args.loan);
	EXPECT_EQ(0, box_return(fd, loan.loan));
	close(fd);
}

TEST_F(loan, not_for_batches_calls_and_receipts_that_are_waited_for)
{
	struct mailbox_loan loan = box_loan(self->fd, 1);
	struct mailbox_send args = lending_args(loan.loan, 1);
	struct mailbox_receipt receipt = { .size = sizeof(receipt) };
	struct mailbox_call asks = { .size = sizeof(asks), .flags = MAILBOX_LOAN };
	struct mailbox_direct direct = { .size = sizeof(direct), .pid = getppid() };
	struct mailbox_receive taken = taking_args();

	args.flags = MAILBOX_LOAN;
	EXPECT_EQ(-EOPNOTSUPP, box_batch(self->fd, MAILBOX_IOC_SEND_BATCH, &args, sizeof(args), 1));
	args.flags = MAILBOX_LOAN | MAILBOX_RECEIPT_WAIT;
	args.reserved = 0;
	args.receipt_data = user_pointer(&receipt);
	EXPECT_EQ(-EOPNOTSUPP, box_send(self->fd, &args));
	EXPECT_EQ(-EOPNOTSUPP, call(self->fd, MAILBOX_IOC_CALL, &asks));
	args = lending_args(loan.loan, 1);
	direct.message = user_pointer(&args);
	EXPECT_EQ(-EOPNOTSUPP, call(self->device, MAILBOX_IOC_SEND_TO, &direct));
	direct.message = user_pointer(&taken);
	direct.pid = 0;
	EXPECT_EQ(-EOPNOTSUPP, call(self->device, MAILBOX_IOC_RECEIVE_FROM, &direct));
	taken.flags = MAILBOX_LOAN;
	EXPECT_EQ(-EOPNOTSUPP,
		  box_batch(self->fd, MAILBOX_IOC_RECEIVE_BATCH, &taken, sizeof(taken), 1));
	EXPECT_EQ(0, box_return(self->fd, loan.loan));
}

/* It stays for one that does. */
TEST_F(loan, who_does_not_ask_for_loans_gets_none)
{
	char data[8192];
	struct mailbox_receive args = receive_args(data, sizeof(data));
	struct state before;

	box_send_loan(self->fd, 100);
	before = state_take(self->device, self->fd);
	EXPECT_EQ(-EOPNOTSUPP, box_receive(self->reader, &args));
	args = receive_args(data, sizeof(data));
	args.flags |= MAILBOX_TRUNCATE;
	EXPECT_EQ(-EOPNOTSUPP, box_receive(self->reader, &args));
	args = leasing_args(data, sizeof(data));
	EXPECT_EQ(-EOPNOTSUPP, box_receive(self->reader, &args));
	EXPECT_EQ(-1, read(self->reader, data, sizeof(data)));
	EXPECT_EQ(EOPNOTSUPP, errno);
	args = receive_args(data, sizeof(data));
	args.flags = 0;
	EXPECT_EQ(-EOPNOTSUPP,
		  box_batch(self->reader, MAILBOX_IOC_RECEIVE_BATCH, &args, sizeof(args), 1));
	args = taking_args();
	args.size = offsetof(struct mailbox_receive, offset);
	EXPECT_EQ(-EINVAL, box_receive(self->reader, &args));
	EXPECT_UNCHANGED(self->device, self->fd, before);
	EXPECT_EQ(100, box_take(self->reader).length);
}

TEST_F(loan, who_asks_for_loans_gets_other_messages_too)
{
	char text[8] = { 0 };
	struct mailbox_receive args = taking_args();

	ASSERT_EQ(0, box_send_text(self->fd, "text", 0, 0));
	args.data = user_pointer(text);
	args.room = sizeof(text);
	EXPECT_EQ(0, box_receive(self->reader, &args));
	EXPECT_STREQ("text", text);
	EXPECT_EQ(4, args.length);
	EXPECT_EQ(0, args.result);
	EXPECT_EQ(0, args.loan);
	EXPECT_EQ(0, args.offset);
	args = taking_args();
	EXPECT_EQ(-EAGAIN, box_receive(self->reader, &args));
}

TEST_F(loan, a_peek_shows_its_length)
{
	char byte;
	struct mailbox_receive args = receive_args(&byte, 1);

	box_send_loan(self->fd, 100);
	args.flags |= MAILBOX_PEEK;
	EXPECT_EQ(0, box_receive(self->reader, &args));
	EXPECT_EQ(MAILBOX_IS_LOAN, args.result);
	EXPECT_EQ(100, args.length);
	EXPECT_EQ(POISON64, args.loan);
	args = taking_args();
	args.flags |= MAILBOX_PEEK;
	EXPECT_EQ(0, box_receive(self->reader, &args));
	EXPECT_EQ(MAILBOX_IS_LOAN, args.result);
	EXPECT_EQ(100, args.length);
	EXPECT_EQ(0, args.loan);
	EXPECT_EQ(0, args.offset);
	EXPECT_EQ(1, box_stat(self->fd).messages);
}

TEST_F(loan, a_receive_gives_back_what_was_before)
{
	__u64 first = box_send_loan(self->fd, self->page);
	__u64 second = box_send_loan(self->fd, self->page);
	struct mailbox_receive args = box_take(self->reader);

	EXPECT_EQ(first, args.offset);
	args = (struct mailbox_receive){
		.size = sizeof(args),
		.flags = MAILBOX_NONBLOCK | MAILBOX_LOAN,
		.give_back = args.loan,
	};
	ASSERT_EQ(0, box_receive(self->reader, &args));
	EXPECT_EQ(second, args.offset);
	EXPECT_LOANS(self->fd, 1, self->page);
	EXPECT_EQ(-ESTALE, box_return(self->reader, args.give_back));
	/* One that fails leaves it. */
	args.give_back = args.loan;
	EXPECT_EQ(-EAGAIN, box_receive(self->reader, &args));
	EXPECT_LOANS(self->fd, 1, self->page);
	/* And whatever is received will do, also what is only looked at. */
	ASSERT_EQ(0, box_send_text(self->fd, "", 0, 0));
	args.flags |= MAILBOX_PEEK;
	EXPECT_EQ(0, box_receive(self->reader, &args));
	EXPECT_LOANS(self->fd, 0, 0);
	args.flags &= ~MAILBOX_PEEK;
	EXPECT_EQ(-ESTALE, box_receive(self->reader, &args));
	args.give_back = 0;
	EXPECT_EQ(0, box_receive(self->reader, &args));
}

TEST_F(loan, a_send_borrows_the_next)
{
	struct mailbox_loan loan = box_loan(self->writer, self->page);
	struct mailbox_send args = lending_args(loan.loan, 1);

	args.borrow = self->page;
	ASSERT_EQ(0, box_send(self->writer, &args));
	EXPECT_EQ(loan.loan + 1, args.loan);
	EXPECT_EQ(0, args.offset % self->page);
	EXPECT_NE(loan.offset, args.offset);
	EXPECT_LOANS(self->fd, 2, 2 * self->page);
	/* What is not there is not borrowed; the message is sent all the same. */
	args.borrow = PAGES * self->page;
	ASSERT_EQ(0, box_send(self->writer, &args));
	EXPECT_EQ(0, args.loan);
	EXPECT_EQ(0, args.offset);
	EXPECT_EQ(2, box_stat(self->fd).messages);
}

TEST_F(loan, what_was_received_can_be_sent_on)
{
	struct mailbox_receive taken;
	__u64 offset = box_send_loan(self->fd, 100);

	taken = box_take(self->fd);
	EXPECT_EQ(-EMSGSIZE, box_lend(self->fd, taken.loan, 101));
	EXPECT_EQ(0, box_lend(self->fd, taken.loan, 50));
	taken = box_take(self->reader);
	EXPECT_EQ(50, taken.length);
	EXPECT_EQ(offset, taken.offset);
	/* Who may not send may not. */
	EXPECT_EQ(-EACCES, box_lend(self->reader, taken.loan, 1));
}

TEST_F(loan, files_and_receipts_go_with_it)
{
	struct witness witness = witness_new();
	struct mailbox_loan loan = box_loan(self->fd, 1);
	struct mailbox_send args = lending_args(loan.loan, 1);
	struct mailbox_receipt receipt;
	struct mailbox_receive taken = taking_args();
	int file = -1;

	args.flags |= MAILBOX_FILES | MAILBOX_RECEIPT;
	args.files = user_pointer(&witness.writer);
	args.nr_files = 1;
	args.receipt = self->fd;
	args.reserved = 0;
	ASSERT_EQ(0, box_send(self->fd, &args));
	/* No room for the file: it is said how long it is. */
	taken.flags |= MAILBOX_FILES;
	taken.nr_files = 0;
	EXPECT_EQ(-EMSGSIZE, box_receive(self->fd, &taken));
	EXPECT_EQ(1, taken.length);
	EXPECT_EQ(1, taken.nr_files);
	taken = taking_args();
	taken.flags |= MAILBOX_FILES;
	taken.files = user_pointer(&file);
	taken.nr_files = 1;
	ASSERT_EQ(0, box_receive(self->fd, &taken));
	EXPECT_EQ(MAILBOX_IS_LOAN | MAILBOX_HAS_FILES, taken.result);
	expect_writer(&witness, file);
	close(file);
	taken = receive_args(&receipt, sizeof(receipt));
	ASSERT_EQ(0, box_receive(self->fd, &taken));
	EXPECT_EQ(MAILBOX_IS_RECEIPT, taken.result);
	EXPECT_EQ(MAILBOX_END_RECEIVED, receipt.end);
	witness_end(&witness);
}

/* Its room is there again at once; what is in it stays as it was. */
TEST_F(loan, a_region_that_grows_has_more)
{
	struct mailbox_loan all = box_loan(self->fd, PAGES * self->page), more;

	memset(self->start, 9, PAGES * self->page);
	ASSERT_EQ(0, region_set(self->fd, (PAGES + 1) * self->page));
	more = box_loan(self->fd, self->page);
	EXPECT_EQ(PAGES * self->page, more.offset);
	EXPECT_EQ(-EMSGSIZE, box_loan_error(self->fd, (PAGES + 2) * self->page));
	EXPECT_EQ(0, box_return(self->fd, all.loan));
	EXPECT_TRUE(is_all(self->start, 9, PAGES * self->page));
}

TEST_HARNESS_MAIN
