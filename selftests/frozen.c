// SPDX-License-Identifier: GPL-2.0
/*
 * A receiver that stands still while it copies the message of a sender that waits, for
 * room or at a rendezvous: until the message has been copied it is the sender's own.
 * See frozen.h for how. Several senders in line are in frozen_line.c, messages in the
 * queue in frozen_first.c and frozen_queue.c, and senders that stand still in
 * frozen_send.c.
 */
#include "frozen.h"
#include "world.h"

/* The type that the sender sends and the receiver wants; the one that fills has another. */
enum { FILLS = 1, WANTED };

FIXTURE(meeting)
{
	int device;
	int fd;
	struct usage usage;
	/* Before they met. */
	struct mailbox_stat before;
	struct actor *sender;
	struct actor *receiver;
};

FIXTURE_VARIANT(meeting)
{
	__u32 capacity;
	/* If its message is taken back the receiver waits for another. */
	bool waits;
	/* It has waited before the sender came. */
	bool first;
};

FIXTURE_VARIANT_ADD(meeting, line)
{ .capacity = MAILBOX_CAPACITY_BOUNDED };
FIXTURE_VARIANT_ADD(meeting, line_waiting)
{ .capacity = MAILBOX_CAPACITY_BOUNDED, .waits = true };
FIXTURE_VARIANT_ADD(meeting, rendezvous)
{ .capacity = MAILBOX_CAPACITY_RENDEZVOUS };
FIXTURE_VARIANT_ADD(meeting, rendezvous_waiting)
{
	.capacity = MAILBOX_CAPACITY_RENDEZVOUS,
	.waits = true,
};

FIXTURE_VARIANT_ADD(meeting, handed_over)
{
	.capacity = MAILBOX_CAPACITY_RENDEZVOUS,
	.waits = true,
	.first = true,
};

FIXTURE_SETUP(meeting)
{
	struct mailbox_create args = create_args();

	self->device = device_open();
	self->usage = usage_of_caller(self->device);
	args.capacity = variant->capacity;
	if (args.capacity == MAILBOX_CAPACITY_BOUNDED)
		args.max_messages = 1;
	self->fd = box_create(self->device, &args);
	ASSERT_LE(0, self->fd);
	if (args.capacity == MAILBOX_CAPACITY_BOUNDED)
		ASSERT_EQ(0, box_send_text(self->fd, "fills", FILLS, 0));
	self->before = box_stat(self->fd);
}

FIXTURE_TEARDOWN(meeting)
{
	close(self->fd);
	EXPECT_USAGE(self->device, self->usage);
	close(self->device);
}

static void cast(FIXTURE_DATA(meeting) * self, const FIXTURE_VARIANT(meeting) * variant)
{
	self->sender = sender_new(self->fd, "wanted", WANTED);
	self->receiver = frozen_receiver_new(self->fd, WANTED);
	if (variant->waits)
		self->receiver->receive->flags = 0;
}

/* False when the sender did not wait long enough for the receiver to be frozen. */
static bool try_to_meet(FIXTURE_DATA(meeting) * self, const FIXTURE_VARIANT(meeting) * variant)
{
	if (variant->first) {
		actor_start(self->receiver);
		wait_waiters(self->fd, 1, 0);
		actor_start(self->sender);
	} else {
		actor_start(self->sender);
		while (!actor_is_done(self->sender) && box_stat(self->fd).senders != 1)
			sched_yield();
		actor_start(self->receiver);
	}
	return actor_freezes(self->receiver, self->sender);
}

/* So many more have been sent and received, and this many senders wait. */
static void expect_books(FIXTURE_DATA(meeting) * self, int sent, int received, int senders)
{
	struct mailbox_stat now = box_stat(self->fd);

	EXPECT_EQ(self->before.sent + sent, now.sent);
	EXPECT_EQ(self->before.received + received, now.received);
	EXPECT_EQ(self->before.messages + sent - received, now.messages);
	EXPECT_EQ(senders, now.senders);
	EXPECT_EQ(0, now.receivers);
	EXPECT_EQ(0, now.expired + now.overwritten);
}

/* The receiver has the message of the sender, and has not copied it. */
static void meet(FIXTURE_DATA(meeting) * self, const FIXTURE_VARIANT(meeting) * variant)
{
	cast(self, variant);
	ASSERT_TRUE(try_to_meet(self, variant));
	expect_books(self, 0, 0, 1);
}

/* What the receiver has copied never was: it looks for another message. */
static void expect_goes_on(FIXTURE_DATA(meeting) * self, const FIXTURE_VARIANT(meeting) * variant)
{
	actor_release(self->receiver);
	if (!variant->waits) {
		EXPECT_EQ(-EAGAIN, actor_result(self->receiver));
		expect_books(self, 0, 0, 0);
		return;
	}
	wait_waiters(self->fd, 1, 0);
	ASSERT_EQ(0, box_send_text(self->fd, "another", WANTED, 0));
	EXPECT_EQ(0, actor_result(self->receiver));
	EXPECT_RECEIVED("another", self->receiver);
	expect_books(self, 1, 1, 0);
}

TEST_F(meeting, copied_is_received_and_both_know_it)
{
	struct mailbox_stat after;

	meet(self, variant);
	EXPECT_EQ(0, actor_thaw(self->receiver));
	EXPECT_EQ(0, actor_result(self->sender));
	EXPECT_RECEIVED("wanted", self->receiver);
	EXPECT_LT(self->before.sent, self->sender->send->sequence);
	EXPECT_EQ(self->receiver->receive->sequence, self->sender->send->sequence);
	EXPECT_EQ(self->sender->pid, self->receiver->receive->pid);
	expect_books(self, 1, 1, 0);
	after = box_stat(self->fd);
	EXPECT_EQ(self->sender->pid, after.last_sender);
	EXPECT_EQ(self->receiver->pid, after.last_receiver);
	EXPECT_EQ(self->receiver->receive->time, after.last_sent);
	/* To a tick: at once may be the same time. */
	EXPECT_LE(after.last_sent, after.last_received);
}

TEST_F(meeting, a_signal_takes_the_message_back)
{
	meet(self, variant);
	ASSERT_EQ(0, kill(self->sender->pid, SIGUSR1));
	EXPECT_EQ(-EINTR, actor_result(self->sender));
	expect_books(self, 0, 0, 0);
	expect_goes_on(self, variant);
}

TEST_F(meeting, the_deadline_takes_the_message_back)
{
	__u64 patience = SECOND / 4, deadline;

	for (;; patience *= 2) {
		cast(self, variant);
		deadline = now_ns() + patience;
		self->sender->send->flags = MAILBOX_DEADLINE;
		self->sender->send->deadline = deadline;
		if (try_to_meet(self, variant) && now_ns() < deadline)
			break;
		/* The machine was too slow: again, with more patience. */
		ASSERT_LT(patience, PATIENCE);
		kill(self->sender->pid, SIGKILL);
		kill(self->receiver->pid, SIGKILL);
		ASSERT_EQ(self->sender->pid, waitpid(self->sender->pid, NULL, 0));
		ASSERT_EQ(self->receiver->pid, waitpid(self->receiver->pid, NULL, 0));
		actor_forget(self->sender);
		actor_forget(self->receiver);
	}
	EXPECT_EQ(-ETIMEDOUT, actor_result(self->sender));
	EXPECT_LE(deadline, now_ns());
	expect_books(self, 0, 0, 0);
	expect_goes_on(self, variant);
}

TEST_F(meeting, sigkill_of_the_sender_takes_the_message_back)
{
	meet(self, variant);
	actor_kill(self->sender);
	expect_books(self, 0, 0, 0);
	expect_goes_on(self, variant);
}

/* One length for each way to store a payload. */
TEST_F(meeting, of_any_length_it_can_be_taken_back)
{
	static const size_t lengths[] = { 30, 3000, 6000 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		self->before = box_stat(self->fd);
		cast(self, variant);
		actor_straddle(self->sender, lengths[i]);
		actor_straddle(self->receiver, lengths[i]);
		ASSERT_TRUE(try_to_meet(self, variant));
		expect_books(self, 0, 0, 1);
		actor_kill(self->sender);
		expect_books(self, 0, 0, 0);
		expect_goes_on(self, variant);
	}
}

TEST_F(meeting, taken_back_it_does_not_come_back_when_the_copy_fails)
{
	meet(self, variant);
	actor_kill(self->sender);
	EXPECT_EQ(-EFAULT, actor_fail(self->receiver));
	expect_books(self, 0, 0, 0);
	EXPECT_EQ(-EAGAIN, take(self->fd, WANTED, ""));
	EXPECT_EQ(0, poll_now(self->fd, POLLOUT));
}

TEST_F(meeting, destruction_is_eidrm_for_both)
{
	meet(self, variant);
	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	EXPECT_EQ(-EIDRM, actor_result(self->sender));
	EXPECT_EQ(-EIDRM, actor_thaw(self->receiver));
}

TEST_F(meeting, destruction_and_then_the_copy_fails)
{
	meet(self, variant);
	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	EXPECT_EQ(-EIDRM, actor_result(self->sender));
	EXPECT_EQ(-EFAULT, actor_fail(self->receiver));
}

static void share_processor(pid_t pid, int policy)
{
	const struct sched_param param = { .sched_priority = policy == SCHED_FIFO };
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	ASSERT_EQ(0, sched_setaffinity(pid, sizeof(one), &one));
	ASSERT_EQ(0, sched_setscheduler(pid, policy, &param));
}

/* The sender is woken, but has no turn until we and the receiver wait or end. */
static void destroy_unnoticed(FIXTURE_DATA(meeting) * self)
{
	wait_sleeping(self->sender->pid, self->sender->pid);
	share_processor(self->sender->pid, SCHED_IDLE);
	share_processor(self->receiver->pid, SCHED_FIFO);
	share_processor(0, SCHED_FIFO);
	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
}

TEST_F(meeting, destruction_and_it_is_copied_before_the_sender_knows)
{
	meet(self, variant);
	destroy_unnoticed(self);
	EXPECT_EQ(-EIDRM, actor_thaw(self->receiver));
	EXPECT_EQ(-EIDRM, actor_result(self->sender));
}

TEST_F(meeting, destruction_and_the_copy_fails_before_the_sender_knows)
{
	meet(self, variant);
	destroy_unnoticed(self);
	EXPECT_EQ(-EFAULT, actor_fail(self->receiver));
	EXPECT_EQ(-EIDRM, actor_result(self->sender));
}

/* The message is there for others as if nobody had tried. */
static void expect_left(FIXTURE_DATA(meeting) * self)
{
	__s64 number;

	expect_books(self, 0, 0, 1);
	EXPECT_FALSE(actor_is_done(self->sender));
	number = take(self->fd, WANTED, "wanted");
	EXPECT_LT(0, number);
	EXPECT_EQ(0, actor_result(self->sender));
	EXPECT_EQ(number, self->sender->send->sequence);
	expect_books(self, 1, 1, 0);
}

TEST_F(meeting, a_copy_that_fails_leaves_it)
{
	meet(self, variant);
	EXPECT_EQ(-EFAULT, actor_fail(self->receiver));
	expect_left(self);
}

TEST_F(meeting, sigkill_of_the_receiver_leaves_it)
{
	meet(self, variant);
	actor_kill(self->receiver);
	expect_left(self);
}

TEST_F(meeting, one_that_began_to_wait_gets_it_when_the_copy_fails)
{
	struct actor *other;

	meet(self, variant);
	other = receiver_new(self->fd, WANTED);
	other->receive->flags = 0;
	actor_start(other);
	wait_waiters(self->fd, 1, 1);
	EXPECT_EQ(-EFAULT, actor_fail(self->receiver));
	EXPECT_EQ(0, actor_result(other));
	EXPECT_EQ(0, actor_result(self->sender));
	EXPECT_RECEIVED("wanted", other);
	EXPECT_EQ(other->receive->sequence, self->sender->send->sequence);
	expect_books(self, 1, 1, 0);
}

TEST_F(meeting, one_that_began_to_wait_waits_on_when_it_is_copied)
{
	struct actor *other;

	meet(self, variant);
	other = receiver_new(self->fd, WANTED);
	other->receive->flags = 0;
	actor_start(other);
	wait_waiters(self->fd, 1, 1);
	EXPECT_EQ(0, actor_thaw(self->receiver));
	EXPECT_EQ(0, actor_result(self->sender));
	EXPECT_EQ(1, box_stat(self->fd).receivers);
	actor_kill(other);
	expect_books(self, 1, 1, 0);
}

TEST_F(meeting, a_mailbox_set_to_refuse_does_so_when_the_copy_fails)
{
	meet(self, variant);
	ASSERT_EQ(0, box_set(self->fd, MAILBOX_SET_ON_FULL, MAILBOX_ON_FULL_REFUSE));
	expect_books(self, 0, 0, 1);
	EXPECT_FALSE(actor_is_done(self->sender));
	EXPECT_EQ(-EFAULT, actor_fail(self->receiver));
	EXPECT_EQ(-EAGAIN, actor_result(self->sender));
	expect_books(self, 0, 0, 0);
	EXPECT_EQ(-EAGAIN, take(self->fd, WANTED, ""));
}

TEST_F(meeting, a_smaller_message_size_counts_when_the_copy_fails)
{
	meet(self, variant);
	ASSERT_EQ(0, box_set(self->fd, MAILBOX_SET_MESSAGE_SIZE, strlen("wanted") - 1));
	expect_books(self, 0, 0, 1);
	EXPECT_FALSE(actor_is_done(self->sender));
	EXPECT_EQ(-EFAULT, actor_fail(self->receiver));
	EXPECT_EQ(-EMSGSIZE, actor_result(self->sender));
	expect_books(self, 0, 0, 0);
	EXPECT_EQ(-EAGAIN, take(self->fd, WANTED, ""));
}

TEST_F(meeting, what_is_set_does_not_matter_when_it_is_copied)
{
	meet(self, variant);
	ASSERT_EQ(0, box_set(self->fd, MAILBOX_SET_ON_FULL, MAILBOX_ON_FULL_REFUSE));
	ASSERT_EQ(0, box_set(self->fd, MAILBOX_SET_MESSAGE_SIZE, strlen("wanted") - 1));
	EXPECT_EQ(0, actor_thaw(self->receiver));
	EXPECT_EQ(0, actor_result(self->sender));
	EXPECT_RECEIVED("wanted", self->receiver);
	expect_books(self, 1, 1, 0);
}

/* Their descriptor is gone, the file is not before the calls have ended. */
TEST_F(meeting, the_descriptor_is_closed_meanwhile)
{
	int kept = fcntl(self->fd, F_DUPFD_CLOEXEC, 0);

	meet(self, variant);
	ASSERT_EQ(0, close(self->fd));
	self->fd = kept;
	expect_books(self, 0, 0, 1);
	EXPECT_EQ(0, actor_thaw(self->receiver));
	EXPECT_EQ(0, actor_result(self->sender));
	EXPECT_RECEIVED("wanted", self->receiver);
	expect_books(self, 1, 1, 0);
}

FROZEN_MAIN
