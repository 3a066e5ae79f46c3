// SPDX-License-Identifier: GPL-2.0
/*
 * Senders that wait for room while a receiver stands still with the message of one of
 * them: what becomes of the others, of the order of the line, and of room that is freed
 * meanwhile. See frozen.c for one sender alone.
 */
#include "frozen.h"
#include "world.h"

/* The types of the message that fills the mailbox, and of those of the senders. */
enum { FILLS = 1, OF_FIRST, OF_SECOND, OF_THIRD };

FIXTURE(line)
{
	int device;
	/* Holds one message, and has it. */
	int fd;
	struct usage usage;
};

FIXTURE_SETUP(line)
{
	self->device = device_open();
	self->usage = usage_of_caller(self->device);
	self->fd = box_new_limited(self->device, MAILBOX_ON_FULL_WAIT, 1);
	ASSERT_EQ(0, box_send_text(self->fd, "fills", FILLS, 0));
}

FIXTURE_TEARDOWN(line)
{
	close(self->fd);
	EXPECT_USAGE(self->device, self->usage);
	close(self->device);
}

/* Messages in the mailbox, senders in line. */
static void expect_stat(int fd, unsigned int messages, unsigned int senders)
{
	struct mailbox_stat stat = box_stat(fd);

	EXPECT_EQ(messages, stat.messages);
	EXPECT_EQ(senders, stat.senders);
}

/* The next one in line. */
static struct actor *line_up(int fd, const char *text, __u64 type)
{
	struct actor *sender = sender_new(fd, text, type);
	unsigned int before = box_stat(fd).senders;

	actor_start(sender);
	wait_waiters(fd, -1, before + 1);
	return sender;
}

/* What is in the mailbox is taken, and this sender is let in for it. */
static void expect_lets_in(int fd, __u64 type, const char *text, struct actor *sender)
{
	EXPECT_LT(0, take(fd, type, text));
	EXPECT_EQ(0, actor_result(sender));
}

TEST_F(line, a_sender_comes_in_at_once_if_room_was_freed_and_the_copy_fails)
{
	struct actor *sender = line_up(self->fd, "first", OF_FIRST);
	struct actor *receiver = freeze_receiver(self->fd, OF_FIRST);

	EXPECT_LT(0, take(self->fd, FILLS, "fills"));
	expect_stat(self->fd, 0, 1);
	EXPECT_FALSE(actor_is_done(sender));
	EXPECT_EQ(-EFAULT, actor_fail(receiver));
	EXPECT_EQ(0, actor_result(sender));
	expect_stat(self->fd, 1, 0);
	EXPECT_EQ(2, box_stat(self->fd).sent);
	EXPECT_EQ(POLLIN, poll_now(self->fd, POLLIN | POLLOUT));
	EXPECT_EQ(sender->send->sequence, take(self->fd, OF_FIRST, "first"));
}

TEST_F(line, a_sender_comes_in_at_once_if_there_may_be_more_and_the_copy_fails)
{
	struct actor *sender = line_up(self->fd, "first", OF_FIRST);
	struct actor *receiver = freeze_receiver(self->fd, OF_FIRST);

	ASSERT_EQ(0, box_set(self->fd, MAILBOX_SET_MAX_MESSAGES, 2));
	expect_stat(self->fd, 1, 1);
	EXPECT_EQ(-EFAULT, actor_fail(receiver));
	EXPECT_EQ(0, actor_result(sender));
	expect_stat(self->fd, 2, 0);
	EXPECT_LT(0, take(self->fd, FILLS, "fills"));
	EXPECT_EQ(sender->send->sequence, take(self->fd, OF_FIRST, "first"));
}

TEST_F(line, a_sender_overwrites_if_it_now_may_and_the_copy_fails)
{
	struct actor *sender = line_up(self->fd, "first", OF_FIRST);
	struct actor *receiver = freeze_receiver(self->fd, OF_FIRST);

	ASSERT_EQ(0, box_set(self->fd, MAILBOX_SET_ON_FULL, MAILBOX_ON_FULL_OVERWRITE));
	expect_stat(self->fd, 1, 1);
	EXPECT_EQ(-EFAULT, actor_fail(receiver));
	EXPECT_EQ(0, actor_result(sender));
	expect_stat(self->fd, 1, 0);
	EXPECT_EQ(1, box_stat(self->fd).overwritten);
	EXPECT_EQ(sender->send->sequence, take(self->fd, OF_FIRST, "first"));
}

TEST_F(line, the_next_sender_has_the_room_that_was_freed)
{
	struct actor *first = line_up(self->fd, "first", OF_FIRST);
	struct actor *second = line_up(self->fd, "second", OF_SECOND);
	struct actor *receiver = freeze_receiver(self->fd, OF_FIRST);

	expect_lets_in(self->fd, FILLS, "fills", second);
	expect_stat(self->fd, 1, 1);
	EXPECT_EQ(-EFAULT, actor_fail(receiver));
	expect_stat(self->fd, 1, 1);
	EXPECT_FALSE(actor_is_done(first));
	expect_lets_in(self->fd, OF_SECOND, "second", first);
	/* In the order in which they were accepted. */
	EXPECT_LT(second->send->sequence, first->send->sequence);
	EXPECT_EQ(first->send->sequence, take(self->fd, OF_FIRST, "first"));
}

TEST_F(line, what_is_copied_leaves_the_room_to_the_others)
{
	struct actor *first = line_up(self->fd, "first", OF_FIRST);
	struct actor *second = line_up(self->fd, "second", OF_SECOND);
	struct actor *third = line_up(self->fd, "third", OF_THIRD);
	struct actor *receiver = freeze_receiver(self->fd, OF_FIRST);

	expect_lets_in(self->fd, FILLS, "fills", second);
	EXPECT_EQ(0, actor_thaw(receiver));
	EXPECT_EQ(0, actor_result(first));
	EXPECT_RECEIVED("first", receiver);
	expect_stat(self->fd, 1, 1);
	expect_lets_in(self->fd, OF_SECOND, "second", third);
	EXPECT_LT(0, take(self->fd, OF_THIRD, "third"));
	EXPECT_EQ(4, box_stat(self->fd).received);
}

/* The message of each of three is tried in vain; then they come in as they came. */
static void expect_order_kept(int fd, __u64 tried)
{
	struct actor *first = line_up(fd, "first", OF_FIRST);
	struct actor *second = line_up(fd, "second", OF_SECOND);
	struct actor *third = line_up(fd, "third", OF_THIRD);
	struct actor *receiver = freeze_receiver(fd, tried);

	expect_stat(fd, 1, 3);
	EXPECT_EQ(-EFAULT, actor_fail(receiver));
	expect_stat(fd, 1, 3);
	expect_lets_in(fd, FILLS, "fills", first);
	expect_stat(fd, 1, 2);
	expect_lets_in(fd, OF_FIRST, "first", second);
	expect_lets_in(fd, OF_SECOND, "second", third);
	EXPECT_LT(0, take(fd, OF_THIRD, "third"));
	expect_stat(fd, 0, 0);
}

TEST_F(line, keeps_its_order_when_the_copy_of_the_first_fails)
{
	expect_order_kept(self->fd, OF_FIRST);
}

TEST_F(line, keeps_its_order_when_the_copy_of_the_second_fails)
{
	expect_order_kept(self->fd, OF_SECOND);
}

TEST_F(line, keeps_its_order_when_the_copy_of_the_last_fails)
{
	expect_order_kept(self->fd, OF_THIRD);
}

TEST_F(line, keeps_its_order_when_several_are_copied_at_once)
{
	struct actor *first = line_up(self->fd, "first", OF_FIRST);
	struct actor *second = line_up(self->fd, "second", OF_SECOND);
	struct actor *third = line_up(self->fd, "third", OF_THIRD);
	struct actor *of_third = freeze_receiver(self->fd, OF_THIRD);
	struct actor *of_first = freeze_receiver(self->fd, OF_FIRST);
	struct actor *of_second = freeze_receiver(self->fd, OF_SECOND);

	expect_stat(self->fd, 1, 3);
	EXPECT_EQ(-EFAULT, actor_fail(of_second));
	EXPECT_EQ(-EFAULT, actor_fail(of_third));
	actor_kill(of_first);
	expect_stat(self->fd, 1, 3);
	expect_lets_in(self->fd, FILLS, "fills", first);
	expect_lets_in(self->fd, OF_FIRST, "first", second);
	expect_lets_in(self->fd, OF_SECOND, "second", third);
}

/* It is not there for a second receiver, whatever that does with the others. */
TEST_F(line, a_message_that_is_copied_is_nobody_elses)
{
	struct actor *first = line_up(self->fd, "first", OF_FIRST);
	struct actor *second = line_up(self->fd, "second", OF_FIRST);
	struct actor *receiver = freeze_receiver(self->fd, OF_FIRST);

	EXPECT_LT(0, take(self->fd, OF_FIRST, "second"));
	EXPECT_EQ(0, actor_result(second));
	EXPECT_EQ(-EAGAIN, take(self->fd, OF_FIRST, ""));
	EXPECT_FALSE(actor_is_done(first));
	EXPECT_EQ(0, actor_thaw(receiver));
	EXPECT_EQ(0, actor_result(first));
	EXPECT_RECEIVED("first", receiver);
	expect_stat(self->fd, 1, 0);
}

TEST_F(line, a_sender_that_gives_up_leaves_the_others_in_order)
{
	struct actor *first = line_up(self->fd, "first", OF_FIRST);
	struct actor *second = line_up(self->fd, "second", OF_SECOND);
	struct actor *third = line_up(self->fd, "third", OF_THIRD);
	struct actor *receiver = freeze_receiver(self->fd, OF_SECOND);

	actor_kill(second);
	expect_stat(self->fd, 1, 2);
	EXPECT_EQ(-EAGAIN, actor_thaw(receiver));
	expect_lets_in(self->fd, FILLS, "fills", first);
	expect_lets_in(self->fd, OF_FIRST, "first", third);
}

/* The last message is not of the time at which the sender got in line, but of the last. */
TEST_F(line, what_was_sent_meanwhile_stays_the_last)
{
	struct actor *sender = line_up(self->fd, "first", OF_FIRST);
	struct actor *receiver = freeze_receiver(self->fd, OF_FIRST);
	struct mailbox_stat before, after;

	EXPECT_LT(0, take(self->fd, FILLS, "fills"));
	ASSERT_EQ(0, box_send_text(self->fd, "later", OF_THIRD, 0));
	before = box_stat(self->fd);
	EXPECT_EQ(0, actor_thaw(receiver));
	EXPECT_EQ(0, actor_result(sender));
	after = box_stat(self->fd);
	EXPECT_EQ(before.last_sent, after.last_sent);
	EXPECT_EQ(before.sent + 1, after.sent);
	EXPECT_LT(sender->send->sequence, take(self->fd, OF_THIRD, "later"));
}

FIXTURE(long_line)
{
	int device;
	/* Has room for ten more bytes. */
	int fd;
	struct usage usage;
	/* Waits for more than ten bytes, and holds up all others. */
	struct actor *sender;
};

FIXTURE_SETUP(long_line)
{
	struct mailbox_create args = create_args();

	self->device = device_open();
	self->usage = usage_of_caller(self->device);
	args.max_bytes = 15;
	self->fd = box_create(self->device, &args);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, box_send_text(self->fd, "fills", FILLS, 0));
	self->sender = line_up(self->fd, "long message", OF_FIRST);
}

FIXTURE_TEARDOWN(long_line)
{
	close(self->fd);
	EXPECT_USAGE(self->device, self->usage);
	close(self->device);
}

TEST_F(long_line, a_short_one_comes_in_when_the_long_one_is_copied)
{
	struct actor *behind = line_up(self->fd, "short", OF_SECOND);
	struct actor *receiver = freeze_receiver(self->fd, OF_FIRST);

	expect_stat(self->fd, 1, 2);
	EXPECT_EQ(0, actor_thaw(receiver));
	EXPECT_EQ(0, actor_result(self->sender));
	EXPECT_EQ(0, actor_result(behind));
	expect_stat(self->fd, 2, 0);
}

TEST_F(long_line, a_short_one_comes_in_when_the_long_one_is_taken_back)
{
	struct actor *behind = line_up(self->fd, "short", OF_SECOND);
	struct actor *receiver = freeze_receiver(self->fd, OF_FIRST);

	actor_kill(self->sender);
	EXPECT_EQ(0, actor_result(behind));
	expect_stat(self->fd, 2, 0);
	EXPECT_EQ(-EAGAIN, actor_thaw(receiver));
	expect_stat(self->fd, 2, 0);
}

TEST_F(long_line, a_short_one_waits_on_when_the_copy_of_the_long_one_fails)
{
	struct actor *behind = line_up(self->fd, "short", OF_SECOND);
	struct actor *receiver = freeze_receiver(self->fd, OF_FIRST);

	EXPECT_EQ(-EFAULT, actor_fail(receiver));
	expect_stat(self->fd, 1, 2);
	EXPECT_EQ(-EAGAIN, box_send_text(self->fd, "x", OF_THIRD, 0));
	EXPECT_LT(0, take(self->fd, FILLS, "fills"));
	EXPECT_EQ(0, actor_result(self->sender));
	expect_stat(self->fd, 1, 1);
	expect_lets_in(self->fd, OF_FIRST, "long message", behind);
}

TEST_F(long_line, a_poller_is_told_when_the_long_one_is_copied)
{
	struct actor *receiver;
	pid_t poller;

	EXPECT_EQ(0, poll_now(self->fd, POLLOUT));
	poller = child_fork();
	if (!poller) {
		struct pollfd entry = { .fd = self->fd, .events = POLLOUT };

		EXPECT_EQ(1, poll(&entry, 1, -1));
		EXPECT_EQ(POLLOUT, entry.revents);
		_exit(0);
	}
	wait_sleeping(poller, poller);
	receiver = freeze_receiver(self->fd, OF_FIRST);
	EXPECT_EQ(0, actor_thaw(receiver));
	EXPECT_EQ(0, actor_result(self->sender));
	child_done(poller);
}

FROZEN_MAIN
