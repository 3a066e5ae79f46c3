// SPDX-License-Identifier: GPL-2.0
/*
 * Receives with pointers to memory that cannot be used, where others wait: to send at a
 * rendezvous, or to receive.
 */
#include "common.h"

#include <pthread.h>

FIXTURE(fault_wait)
{
	int device;
};

FIXTURE_SETUP(fault_wait)
{
	self->device = device_open();
}

FIXTURE_TEARDOWN(fault_wait)
{
	close(self->device);
}

static void expect_next(int fd, const char *expected)
{
	char text[16];

	EXPECT_LE(0, box_receive_text(fd, text, sizeof(text)));
	EXPECT_STREQ(expected, text);
}

/* A child that waits for a message and has no place for it, or for the answer. */
static pid_t faulty_receiver(int fd, bool answer)
{
	pid_t pid = child_fork();

	if (!pid) {
		char data[16];
		struct mailbox_receive args = receive_args(answer ? data : hole_new(16), 16);
		void *where = &args;

		args.flags = 0;
		if (answer)
			where = readonly_new(&args, sizeof(args));
		EXPECT_EQ(-EFAULT, call(fd, MAILBOX_IOC_RECEIVE, where));
		_exit(0);
	}
	return pid;
}

TEST_F(fault_wait, of_a_receiver_that_was_handed_the_message)
{
	int answer;

	for (answer = 0; answer < 2; answer++) {
		int fd = box_new(self->device);
		pid_t pid = faulty_receiver(fd, answer);

		wait_waiters(fd, 1, 0);
		ASSERT_EQ(0, box_send_text(fd, "handed", 0, 0));
		ASSERT_EQ(0, box_send_text(fd, "behind", 0, 0));
		child_done(pid);
		EXPECT_EQ(0, box_stat(fd).received);
		EXPECT_EQ(2, box_stat(fd).messages);
		expect_next(fd, "handed");
		expect_next(fd, "behind");
		close(fd);
	}
}

TEST_F(fault_wait, hands_the_message_to_the_next_in_line)
{
	int fd = box_new(self->device);
	pid_t faulty = faulty_receiver(fd, false), good;

	wait_waiters(fd, 1, 0);
	good = child_fork();
	if (!good) {
		char text[16];

		EXPECT_EQ(6, read(fd, text, sizeof(text)));
		EXPECT_EQ(0, memcmp("handed", text, 6));
		_exit(0);
	}
	wait_waiters(fd, 2, 0);
	ASSERT_EQ(0, box_send_text(fd, "handed", 0, 0));
	child_done(faulty);
	child_done(good);
	EXPECT_EQ(0, box_stat(fd).messages);
	close(fd);
}

TEST_F(fault_wait, of_a_receiver_keeps_the_sender_of_a_rendezvous_waiting)
{
	int fd = box_new_capacity(self->device, MAILBOX_CAPACITY_RENDEZVOUS);
	struct mailbox_receive args = receive_args(hole_new(8), 8);
	struct state before;
	pid_t pid = child_fork();

	if (!pid) {
		EXPECT_EQ(3, write(fd, "met", 3));
		_exit(0);
	}
	wait_waiters(fd, 0, 1);
	before = state_take(self->device, fd);
	EXPECT_EQ(-EFAULT, box_receive(fd, &args));
	EXPECT_UNCHANGED(self->device, fd, before);
	expect_next(fd, "met");
	child_done(pid);
	close(fd);
}

struct meeting {
	int fd;
	const char *text;
};

static void *attend(void *arg)
{
	const struct meeting *meeting = arg;

	EXPECT_EQ(3, write(meeting->fd, meeting->text, 3));
	return NULL;
}

/* Of one sender: those of several would not stand behind each other in the queue. */
TEST_F(fault_wait, of_a_receiver_keeps_the_order_of_a_rendezvous)
{
	int fd = box_new_capacity(self->device, MAILBOX_CAPACITY_RENDEZVOUS), i;
	struct mailbox_receive args = receive_args(hole_new(8), 8);
	struct meeting meetings[] = { { fd, "1st" }, { fd, "2nd" } };
	pthread_t threads[2];

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, attend, &meetings[i]));
		wait_waiters(fd, 0, i + 1);
	}
	EXPECT_EQ(-EFAULT, box_receive(fd, &args));
	for (i = 0; i < 2; i++) {
		expect_next(fd, meetings[i].text);
		ASSERT_EQ(0, pthread_join(threads[i], NULL));
	}
	close(fd);
}

TEST_HARNESS_MAIN
