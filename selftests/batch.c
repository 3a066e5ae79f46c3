// SPDX-License-Identifier: GPL-2.0
/*
 * Many messages in one call. Pointers that fault are in fault.c.
 */
#include "common.h"

#define NR 10

FIXTURE(batch)
{
	int device;
	int fd;
	char data[NR][16];
	struct mailbox_send sends[NR];
	struct mailbox_receive receives[NR];
	struct mailbox_batch args;
};

static void prepare(FIXTURE_DATA(batch) * self)
{
	unsigned int i;

	for (i = 0; i < NR; i++) {
		sprintf(self->data[i], "message %u", i);
		self->sends[i] = send_args(self->data[i], strlen(self->data[i]));
		self->sends[i].flags = 0;
		self->receives[i] = receive_args(self->data[i], sizeof(self->data[i]));
		self->receives[i].flags = 0;
	}
	self->args = (struct mailbox_batch){
		.size = sizeof(self->args),
		.flags = MAILBOX_NONBLOCK,
		.nr = NR,
		.done = POISON32,
		.error = (__s32)POISON32,
	};
}

FIXTURE_SETUP(batch)
{
	self->device = device_open();
	self->fd = box_new(self->device);
	prepare(self);
}

FIXTURE_TEARDOWN(batch)
{
	close(self->fd);
	close(self->device);
}

static int send_batch(FIXTURE_DATA(batch) * self, int fd)
{
	self->args.entries = user_pointer(self->sends);
	self->args.entry_size = sizeof(self->sends[0]);
	return call(fd, MAILBOX_IOC_SEND_BATCH, &self->args);
}

static int receive_batch(FIXTURE_DATA(batch) * self, int fd)
{
	self->args.entries = user_pointer(self->receives);
	self->args.entry_size = sizeof(self->receives[0]);
	return call(fd, MAILBOX_IOC_RECEIVE_BATCH, &self->args);
}

#define EXPECT_RESULT(self, done_, error_) \
	do { \
		EXPECT_EQ((done_), (self)->args.done); \
		EXPECT_EQ((error_), (self)->args.error); \
	} while (0)

TEST_F(batch, there_and_back)
{
	unsigned int i;

	ASSERT_EQ(0, send_batch(self, self->fd));
	EXPECT_RESULT(self, NR, 0);
	for (i = 0; i < NR; i++)
		EXPECT_EQ(i + 1, self->sends[i].sequence);
	EXPECT_EQ(NR, box_stat(self->fd).messages);
	memset(self->data, 0, sizeof(self->data));
	ASSERT_EQ(0, receive_batch(self, self->fd));
	EXPECT_RESULT(self, NR, 0);
	for (i = 0; i < NR; i++) {
		char text[32];

		sprintf(text, "message %u", i);
		EXPECT_STREQ(text, self->data[i]);
		EXPECT_EQ(i + 1, self->receives[i].sequence);
		EXPECT_EQ(strlen(text), self->receives[i].length);
		EXPECT_EQ(getpid(), self->receives[i].pid);
	}
	EXPECT_EQ(0, box_stat(self->fd).messages);
}

TEST_F(batch, fewer_messages_than_entries_is_eagain_in_error)
{
	struct mailbox_receive untouched = self->receives[3];

	self->args.nr = 3;
	ASSERT_EQ(0, send_batch(self, self->fd));
	prepare(self);
	ASSERT_EQ(0, receive_batch(self, self->fd));
	EXPECT_RESULT(self, 3, EAGAIN);
	EXPECT_EQ(0, memcmp(&untouched, &self->receives[3], sizeof(untouched)));
}

TEST_F(batch, having_something_does_not_wait_for_more)
{
	self->args.nr = 2;
	ASSERT_EQ(0, send_batch(self, self->fd));
	prepare(self);
	self->args.flags = 0;
	ASSERT_EQ(0, receive_batch(self, self->fd));
	EXPECT_RESULT(self, 2, EAGAIN);
}

TEST_F(batch, nothing_there_is_eagain)
{
	EXPECT_REFUSED(self->device, self->fd, EAGAIN, receive_batch(self, self->fd));
}

TEST_F(batch, a_mailbox_that_fills_up_stops_it)
{
	int fd = box_new_limited(self->device, MAILBOX_ON_FULL_WAIT, 4);
	struct mailbox_send untouched = self->sends[4];

	ASSERT_EQ(0, send_batch(self, fd));
	EXPECT_RESULT(self, 4, EAGAIN);
	EXPECT_EQ(4, box_stat(fd).messages);
	EXPECT_EQ(untouched.data, self->sends[4].data);
	EXPECT_EQ(POISON64, self->sends[5].sequence);
	prepare(self);
	EXPECT_REFUSED(self->device, fd, EAGAIN, send_batch(self, fd));
	close(fd);
}

TEST_F(batch, a_bad_entry_stops_it_there)
{
	self->sends[6].priority = MAILBOX_PRIORITY_MAX + 1;
	ASSERT_EQ(0, send_batch(self, self->fd));
	EXPECT_RESULT(self, 6, EINVAL);
	EXPECT_EQ(6, box_stat(self->fd).messages);
	EXPECT_EQ(POISON64, self->sends[7].sequence);
}

TEST_F(batch, a_bad_first_entry_fails_the_call)
{
	self->sends[0].priority = MAILBOX_PRIORITY_MAX + 1;
	EXPECT_REFUSED(self->device, self->fd, EINVAL, send_batch(self, self->fd));
}

TEST_F(batch, a_message_that_does_not_fit_stops_it_and_tells_the_length)
{
	struct state before;

	ASSERT_EQ(0, send_batch(self, self->fd));
	prepare(self);
	self->receives[2].room = 3;
	ASSERT_EQ(0, receive_batch(self, self->fd));
	EXPECT_RESULT(self, 2, EMSGSIZE);
	EXPECT_EQ(9, self->receives[2].length);
	EXPECT_EQ(NR - 2, box_stat(self->fd).messages);

	prepare(self);
	self->receives[0].room = 3;
	before = state_take(self->device, self->fd);
	EXPECT_EQ(-EMSGSIZE, receive_batch(self, self->fd));
	EXPECT_EQ(9, self->receives[0].length);
	EXPECT_UNCHANGED(self->device, self->fd, before);
}

TEST_F(batch, entries_may_select_and_truncate)
{
	unsigned int i;

	for (i = 0; i < NR; i++)
		self->sends[i].type = i % 2;
	ASSERT_EQ(0, send_batch(self, self->fd));
	prepare(self);
	self->receives[0].select = MAILBOX_SELECT_TYPE;
	self->receives[0].match = 1;
	self->receives[1].flags = MAILBOX_TRUNCATE;
	self->receives[1].room = 2;
	self->args.nr = 2;
	ASSERT_EQ(0, receive_batch(self, self->fd));
	EXPECT_RESULT(self, 2, 0);
	EXPECT_EQ(2, self->receives[0].sequence);
	EXPECT_EQ(1, self->receives[1].sequence);
	EXPECT_EQ(MAILBOX_TRUNCATED, self->receives[1].result);
}

TEST_F(batch, entries_may_expire)
{
	self->sends[0].flags = MAILBOX_EXPIRES;
	self->sends[0].expiry = far_future();
	self->sends[1].flags = MAILBOX_EXPIRES;
	self->sends[1].expiry = 1;
	ASSERT_EQ(0, send_batch(self, self->fd));
	EXPECT_RESULT(self, 1, ETIMEDOUT);
}

TEST_F(batch, flags_of_entries_that_do_not_belong_are_eopnotsupp)
{
	static const __u32 of_sends[] = { MAILBOX_NONBLOCK, MAILBOX_DEADLINE, MAILBOX_NO_RESTART,
					  MAILBOX_PEEK, 1U << 31 };
	static const __u32 of_receives[] = { MAILBOX_NONBLOCK, MAILBOX_DEADLINE, MAILBOX_NO_RESTART,
					     MAILBOX_PEEK,     MAILBOX_EXPIRES,	 1U << 31 };
	unsigned int i;

	ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	for (i = 0; i < ARRAY_SIZE(of_sends); i++) {
		self->sends[0].flags = of_sends[i];
		EXPECT_REFUSED(self->device, self->fd, EOPNOTSUPP, send_batch(self, self->fd));
	}
	for (i = 0; i < ARRAY_SIZE(of_receives); i++) {
		self->receives[0].flags = of_receives[i];
		EXPECT_REFUSED(self->device, self->fd, EOPNOTSUPP, receive_batch(self, self->fd));
	}
}

TEST_F(batch, numbers_out_of_range_are_einval)
{
	static const __u32 numbers[] = { 0, MAILBOX_BATCH_MAX + 1, UINT32_MAX };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		self->args.nr = numbers[i];
		EXPECT_REFUSED(self->device, self->fd, EINVAL, send_batch(self, self->fd));
		EXPECT_REFUSED(self->device, self->fd, EINVAL, receive_batch(self, self->fd));
	}
}

TEST_F(batch, the_largest)
{
	struct mailbox_send *sends = calloc(MAILBOX_BATCH_MAX, sizeof(*sends));
	struct mailbox_receive *receives = calloc(MAILBOX_BATCH_MAX, sizeof(*receives));
	int i;

	for (i = 0; i < MAILBOX_BATCH_MAX; i++) {
		sends[i] = send_args("x", 1);
		sends[i].flags = 0;
		receives[i] = receive_args(NULL, 0);
		receives[i].flags = MAILBOX_TRUNCATE;
	}
	EXPECT_EQ(MAILBOX_BATCH_MAX, box_batch(self->fd, MAILBOX_IOC_SEND_BATCH, sends,
					       sizeof(*sends), MAILBOX_BATCH_MAX));
	EXPECT_EQ(MAILBOX_BATCH_MAX, box_batch(self->fd, MAILBOX_IOC_RECEIVE_BATCH, receives,
					       sizeof(*receives), MAILBOX_BATCH_MAX));
	EXPECT_EQ(MAILBOX_BATCH_MAX, receives[MAILBOX_BATCH_MAX - 1].sequence);
	free(sends);
	free(receives);
}

TEST_F(batch, entries_that_are_too_small_are_einval)
{
	self->args.entries = user_pointer(self->sends);
	self->args.entry_size = 56 - 8; /* of their first version */
	EXPECT_REFUSED(self->device, self->fd, EINVAL,
		       call(self->fd, MAILBOX_IOC_SEND_BATCH, &self->args));
	self->args.entry_size = 0;
	EXPECT_REFUSED(self->device, self->fd, EINVAL,
		       call(self->fd, MAILBOX_IOC_SEND_BATCH, &self->args));
	self->args.entry_size = 104 - 8;
	EXPECT_REFUSED(self->device, self->fd, EINVAL,
		       call(self->fd, MAILBOX_IOC_RECEIVE_BATCH, &self->args));
}

TEST_F(batch, an_entry_longer_than_the_step_is_einval)
{
	self->sends[0].size = sizeof(self->sends[0]) + 8;
	EXPECT_REFUSED(self->device, self->fd, EINVAL, send_batch(self, self->fd));
	ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	self->receives[0].size = sizeof(self->receives[0]) + 8;
	EXPECT_REFUSED(self->device, self->fd, EINVAL, receive_batch(self, self->fd));
}

TEST_F(batch, entries_may_be_further_apart)
{
	struct {
		struct mailbox_send send;
		char more[48];
	} entries[3];
	unsigned int i;

	poison(entries, sizeof(entries));
	for (i = 0; i < 3; i++) {
		entries[i].send = send_args("x", 1);
		entries[i].send.flags = 0;
	}
	EXPECT_EQ(3, box_batch(self->fd, MAILBOX_IOC_SEND_BATCH, entries, sizeof(entries[0]), 3));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(i + 1, entries[i].send.sequence);
		EXPECT_TRUE(is_poison(entries[i].more, sizeof(entries[i].more)));
	}
}

TEST_F(batch, waits_for_room_for_each_message)
{
	int fd = box_new_limited(self->device, MAILBOX_ON_FULL_WAIT, 1);
	pid_t pid = child_fork();
	char text[32];
	int i;

	if (!pid) {
		self->args.flags = 0;
		EXPECT_EQ(0, send_batch(self, fd));
		EXPECT_RESULT(self, NR, 0);
		_exit(0);
	}
	for (i = 0; i < NR; i++) {
		EXPECT_EQ(9, read(fd, text, sizeof(text)));
		EXPECT_EQ('0' + i, text[8]);
	}
	child_done(pid);
	close(fd);
}

TEST_F(batch, a_deadline_stops_it_with_what_was_done)
{
	int fd = box_new_limited(self->device, MAILBOX_ON_FULL_WAIT, 2);

	self->args.flags = MAILBOX_DEADLINE;
	self->args.deadline = now_ns() + SECOND / 20;
	ASSERT_EQ(0, send_batch(self, fd));
	EXPECT_RESULT(self, 2, ETIMEDOUT);
	EXPECT_REFUSED(self->device, fd, ETIMEDOUT, send_batch(self, fd));
	close(fd);
}

TEST_F(batch, waits_for_the_first_message)
{
	pid_t pid = child_fork();

	if (!pid) {
		self->args.flags = 0;
		EXPECT_EQ(0, receive_batch(self, self->fd));
		EXPECT_RESULT(self, 1, EAGAIN);
		_exit(0);
	}
	wait_waiters(self->fd, 1, 0);
	ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	child_done(pid);
}

TEST_HARNESS_MAIN
