// SPDX-License-Identifier: GPL-2.0
/*
 * libmailbox: lanes. The ring alone is in library_ring.c, senders that lie in library_lane_lies.c.
 */
#include <errno.h>

#include "common_region.h"

#if __has_include("mailbox.h")
#include <mailbox.h>

#define RING 4096

FIXTURE(library_lane)
{
	int device;
	int box;
	int sender;
	struct mailbox_lane *lane;
	struct mailbox_lanes *lanes;
};

FIXTURE_SETUP(library_lane)
{
	struct mailbox_create create;

	self->device = mailbox_device_open();
	ASSERT_LE(0, self->device);
	ASSERT_EQ(0, mailbox_create_init(&create, "lanes"));
	self->box = mailbox_create(self->device, &create);
	ASSERT_LE(0, self->box);
	self->sender = mailbox_open(self->device, "lanes", MAILBOX_RIGHT_SEND, 0);
	ASSERT_LE(0, self->sender);
	ASSERT_EQ(0, mailbox_lane_open(self->sender, RING, &self->lane));
	ASSERT_EQ(0, mailbox_lanes_open(self->box, &self->lanes));
}

FIXTURE_TEARDOWN(library_lane)
{
	if (self->lane)
		mailbox_lane_close(self->lane);
	if (self->lanes)
		mailbox_lanes_close(self->lanes);
	close(self->sender);
	close(self->box);
	close(self->device);
}

static __u32 nr_lanes(FIXTURE_DATA(library_lane) * self)
{
	struct mailbox_stat stat;

	ASSERT_EQ(0, mailbox_stat(self->box, &stat));
	return stat.lanes;
}

/* The next message that is there, in place; or the error. */
static int next_text(FIXTURE_DATA(library_lane) * self, struct mailbox_lane_message *message,
		     const char *text)
{
	int ret = mailbox_lanes_next(self->lanes, message, MAILBOX_NONBLOCK, 0);

	if (!ret) {
		EXPECT_EQ(strlen(text), message->length);
		EXPECT_EQ(0, memcmp(text, message->data, message->length));
	}
	return ret;
}

static int send_text(struct mailbox_lane *lane, const char *text)
{
	return mailbox_lane_send(lane, text, strlen(text));
}

TEST_F(library_lane, sends_and_receives_as_a_mailbox_does)
{
	char text[16] = "";

	EXPECT_EQ(1, nr_lanes(self));
	ASSERT_EQ(0, mailbox_lane_send(self->lane, "one", 4));
	ASSERT_EQ(0, mailbox_lane_send(self->lane, NULL, 0));
	ASSERT_EQ(0, mailbox_lane_send(self->lane, "three", 6));
	ASSERT_EQ(4, mailbox_lanes_receive(self->lanes, text, sizeof(text)));
	EXPECT_STREQ("one", text);
	EXPECT_EQ(0, mailbox_lanes_receive(self->lanes, text, sizeof(text)));
	/* One that does not fit stays. */
	EXPECT_EQ(-EMSGSIZE, mailbox_lanes_receive(self->lanes, text, 5));
	EXPECT_EQ(6, mailbox_lanes_receive(self->lanes, text, 6));
	EXPECT_STREQ("three", text);
	EXPECT_EQ(-EMSGSIZE, mailbox_lane_send(self->lane, text, RING - 7));
	EXPECT_EQ(-EMSGSIZE, mailbox_lane_send(self->lane, text, UINT32_MAX));
	EXPECT_EQ(-EMSGSIZE, mailbox_lane_send(self->lane, text, SIZE_MAX));
}

TEST_F(library_lane, shows_a_batch_when_it_is_committed)
{
	struct mailbox_lane_message message;
	void *to;
	int i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, mailbox_lane_reserve(self->lane, 1, 0, 0, &to));
		EXPECT_EQ(0, (uintptr_t)to % 8);
		*(char *)to = 'a' + i;
		EXPECT_EQ(-EAGAIN, next_text(self, &message, ""));
	}
	mailbox_lane_commit(self->lane);
	EXPECT_EQ(0, next_text(self, &message, "a"));
	EXPECT_EQ(mailbox_lane_number(self->lane), message.lane);
	EXPECT_EQ(0, (uintptr_t)message.data % 8);
	EXPECT_EQ(0, next_text(self, &message, "b"));
	EXPECT_EQ(0, next_text(self, &message, "c"));
	/* It does not wait for another while these are held. */
	EXPECT_EQ(-EAGAIN, mailbox_lanes_next(self->lanes, &message, 0, 0));
	mailbox_lanes_release(self->lanes);
}

TEST_F(library_lane, has_room_again_when_messages_are_released)
{
	struct mailbox_lane_message message;
	static char data[RING - 8];
	void *to;

	ASSERT_EQ(0, mailbox_lane_send(self->lane, data, sizeof(data)));
	EXPECT_EQ(-EAGAIN, mailbox_lane_reserve(self->lane, 0, MAILBOX_NONBLOCK, 0, &to));
	EXPECT_EQ(-ETIMEDOUT, mailbox_lane_reserve(self->lane, 0, MAILBOX_DEADLINE,
						   mailbox_deadline_in(1), &to));
	EXPECT_EQ(0, mailbox_lanes_next(self->lanes, &message, 0, 0));
	EXPECT_EQ(sizeof(data), message.length);
	EXPECT_EQ(-EAGAIN, mailbox_lane_reserve(self->lane, 0, MAILBOX_NONBLOCK, 0, &to));
	mailbox_lanes_release(self->lanes);
	EXPECT_EQ(0, mailbox_lane_reserve(self->lane, 0, MAILBOX_NONBLOCK, 0, &to));
}

/* Without that the receiver could not make room, and both would wait. */
TEST_F(library_lane, commits_what_is_reserved_when_it_has_to_wait)
{
	struct mailbox_lane_message message;
	void *to;

	ASSERT_EQ(0, mailbox_lane_reserve(self->lane, RING / 2, 0, 0, &to));
	EXPECT_EQ(-EAGAIN, mailbox_lane_reserve(self->lane, RING / 2, MAILBOX_NONBLOCK, 0, &to));
	EXPECT_EQ(0, mailbox_lanes_next(self->lanes, &message, MAILBOX_NONBLOCK, 0));
	EXPECT_EQ(RING / 2, message.length);
}

TEST_F(library_lane, a_receive_waits_until_its_deadline)
{
	struct mailbox_lane_message message;

	EXPECT_EQ(-ETIMEDOUT, mailbox_lanes_next(self->lanes, &message, MAILBOX_DEADLINE,
						 mailbox_deadline_in_ms(10)));
	EXPECT_EQ(-EOPNOTSUPP, mailbox_lanes_next(self->lanes, &message, MAILBOX_PEEK, 0));
	ASSERT_EQ(0, fcntl(self->box, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(-EAGAIN, mailbox_lanes_next(self->lanes, &message, 0, 0));
}

TEST_F(library_lane, lanes_have_their_turn)
{
	struct mailbox_lane *other;
	unsigned int first = 0, i;
	int handle = mailbox_open(self->device, "lanes", MAILBOX_RIGHT_SEND, 0);
	struct mailbox_lane_message message;

	for (i = 0; i < 100; i++)
		ASSERT_EQ(0, send_text(self->lane, "first"));
	ASSERT_EQ(0, next_text(self, &message, "first"));
	/* It is new to the receiver, who has no cause to wait and be told. */
	ASSERT_EQ(0, mailbox_lane_open(handle, RING, &other));
	ASSERT_EQ(0, send_text(other, "second"));
	do {
		first++;
		ASSERT_EQ(0, mailbox_lanes_next(self->lanes, &message, 0, 0));
	} while (message.length == 5);
	EXPECT_EQ(mailbox_lane_number(other), message.lane);
	EXPECT_LT(first, 50);
	mailbox_lane_close(other);
	close(handle);
}

TEST_F(library_lane, what_was_committed_outlives_its_sender)
{
	struct mailbox_lane_message message;
	void *to;

	ASSERT_EQ(0, send_text(self->lane, "one"));
	ASSERT_EQ(0, send_text(self->lane, "two"));
	ASSERT_EQ(0, mailbox_lane_reserve(self->lane, 5, 0, 0, &to));
	mailbox_lane_close(self->lane);
	close(self->sender);
	self->lane = NULL;
	ASSERT_EQ(0, next_text(self, &message, "one"));
	/* Its memory stays while it is held, though the lane is at its end. */
	ASSERT_EQ(0, next_text(self, &message, "two"));
	EXPECT_EQ(-EAGAIN, next_text(self, &message, ""));
	EXPECT_EQ(0, memcmp(message.data, "two", 3));
	mailbox_lanes_release(self->lanes);
	EXPECT_EQ(-EAGAIN, next_text(self, &message, ""));
	EXPECT_EQ(0, nr_lanes(self));
	self->sender = -1;
}

TEST_F(library_lane, a_sender_learns_that_the_receiver_has_gone)
{
	ASSERT_EQ(0, send_text(self->lane, "one"));
	mailbox_lanes_close(self->lanes);
	self->lanes = NULL;
	EXPECT_EQ(-EPIPE, send_text(self->lane, "two"));
	/* And can begin anew. */
	mailbox_lane_close(self->lane);
	ASSERT_EQ(0, mailbox_lane_open(self->sender, RING, &self->lane));
	EXPECT_EQ(0, send_text(self->lane, "three"));
}

TEST_F(library_lane, what_was_committed_comes_before_the_end_of_the_mailbox)
{
	struct mailbox_lane_message message;

	ASSERT_EQ(0, send_text(self->lane, "one"));
	ASSERT_EQ(0, mailbox_destroy(self->box));
	EXPECT_EQ(-EIDRM, send_text(self->lane, "two"));
	EXPECT_EQ(0, next_text(self, &message, "one"));
	mailbox_lanes_release(self->lanes);
	EXPECT_EQ(-EIDRM, mailbox_lanes_next(self->lanes, &message, 0, 0));
	EXPECT_EQ(-EIDRM, mailbox_lanes_next(self->lanes, &message, MAILBOX_NONBLOCK, 0));
}

/* Both sides of the rules that are shared: who may open, and how often. */
TEST_F(library_lane, that_cannot_be_opened_leaves_all_as_it_was)
{
	struct mailbox_lane *lane = (void *)self;
	struct mailbox_lanes *lanes = (void *)self;
	int receiver = mailbox_open(self->device, "lanes", MAILBOX_RIGHT_RECEIVE, 0);
	char text[8];

	EXPECT_EQ(-EBUSY, mailbox_lane_open(self->sender, RING, &lane));
	EXPECT_EQ(-EBUSY, mailbox_lanes_open(receiver, &lanes));
	EXPECT_EQ(-EACCES, mailbox_lane_open(receiver, RING, &lane));
	EXPECT_EQ(-EACCES, mailbox_lanes_open(self->sender, &lanes));
	EXPECT_EQ(-EINVAL, mailbox_lane_open(self->box, MAILBOX_LANE_BYTES_MAX + 1, &lane));
	EXPECT_TRUE(lane == (void *)self);
	EXPECT_TRUE(lanes == (void *)self);
	/* What there is works on. */
	ASSERT_EQ(0, send_text(self->lane, "one"));
	EXPECT_EQ(3, mailbox_lanes_receive(self->lanes, text, sizeof(text)));
	close(receiver);
}

/* --- processes -------------------------------------------------------- */

#define MESSAGES 3000U
#define SENDERS	 3

static unsigned int length_of(unsigned int number)
{
	return number * 2654435761U >> 23;
}

static void send_many(FIXTURE_DATA(library_lane) * self, unsigned int who)
{
	int handle = mailbox_open(self->device, "lanes", MAILBOX_RIGHT_SEND, 0);
	struct mailbox_lane *lane;
	unsigned int number, length;
	char *to;

	ASSERT_LE(0, handle);
	ASSERT_EQ(0, mailbox_lane_open(handle, RING, &lane));
	for (number = 0; number < MESSAGES; number++) {
		length = 8 + length_of(number);
		ASSERT_EQ(0, mailbox_lane_reserve(lane, length, 0, 0, (void **)&to));
		memset(to, who + number, length);
		memcpy(to, &who, 4);
		memcpy(to + 4, &number, 4);
		if (number % 7 < 3)
			mailbox_lane_commit(lane);
	}
	mailbox_lane_commit(lane);
}

static void is_right(const struct mailbox_lane_message *message, unsigned int *next)
{
	const char *data = message->data;
	unsigned int who, number;

	ASSERT_LE(8, message->length);
	memcpy(&who, data, 4);
	memcpy(&number, data + 4, 4);
	ASSERT_LT(who, SENDERS);
	ASSERT_EQ(next[who], number);
	ASSERT_EQ(8 + length_of(number), message->length);
	ASSERT_TRUE(is_all(data + 8, who + number, message->length - 8));
	next[who]++;
}

/* They end with what they have sent still in their lanes, and sleep on the way, both sides. */
TEST_F(library_lane, several_processes_lose_nothing_and_end)
{
	unsigned int next[SENDERS] = { 0 }, who;
	struct mailbox_lane_message message;
	pid_t pids[SENDERS];
	unsigned int i;

	for (who = 0; who < SENDERS; who++) {
		pids[who] = child_fork();
		if (!pids[who]) {
			send_many(self, who);
			_exit(KSFT_PASS);
		}
	}
	for (i = 0; i < SENDERS * MESSAGES; i++) {
		ASSERT_EQ(0, mailbox_lanes_next(self->lanes, &message, 0, 0));
		is_right(&message, next);
		mailbox_lanes_release(self->lanes);
	}
	for (who = 0; who < SENDERS; who++) {
		child_done(pids[who]);
		EXPECT_EQ(MESSAGES, next[who]);
	}
	EXPECT_EQ(-EAGAIN, next_text(self, &message, ""));
	/* Of those that have ended nothing is left. */
	EXPECT_EQ(1, nr_lanes(self));
}

TEST_F(library_lane, who_waits_is_woken)
{
	pid_t pid = child_fork();
	char text[8];

	if (!pid) {
		mailbox_lane_close(self->lane);
		_exit(KSFT_PASS);
	}
	child_done(pid);
	/* The child has closed the lane of the handle, which is this one's too. */
	EXPECT_EQ(-EACCES, send_text(self->lane, "one"));
	mailbox_lane_close(self->lane);
	ASSERT_EQ(0, mailbox_lane_open(self->sender, RING, &self->lane));

	pid = child_fork();
	if (!pid) {
		wait_sleeping(getppid(), getppid());
		_exit(send_text(self->lane, "one") ? KSFT_FAIL : KSFT_PASS);
	}
	EXPECT_EQ(3, mailbox_lanes_receive(self->lanes, text, sizeof(text)));
	child_done(pid);
}

#else

TEST(library_lane)
{
	SKIP(return, "the library is not there");
}

#endif

TEST_HARNESS_MAIN
