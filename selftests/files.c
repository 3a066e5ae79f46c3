// SPDX-License-Identifier: GPL-2.0
/*
 * Files in messages: how they arrive, who gets them, and how many may be in flight. Built for
 * 32 bits too. What is refused is in files_call.c, how they end in files_end.c.
 */
#include "common_files.h"
#include "world.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define MAX MAILBOX_FILES_MAX

FIXTURE(files)
{
	int device;
	int fd;
	struct witness witness;
	/* The writing end, as often as will go. */
	int many[MAX + 1];
	int got[MAX + 1];
	char text[64];
};

FIXTURE_SETUP(files)
{
	unsigned int i;

	self->device = device_open();
	self->fd = box_new(self->device);
	self->witness = witness_new();
	for (i = 0; i <= MAX; i++)
		self->many[i] = self->witness.writer;
	poison(self->got, sizeof(self->got));
}

FIXTURE_TEARDOWN(files)
{
	witness_end(&self->witness);
	close(self->fd);
	close(self->device);
}

static struct mailbox_receive args_of(FIXTURE_DATA(files) * self, __u32 room)
{
	return receive_files_args(self->text, sizeof(self->text), self->got, room);
}

TEST_F(files, arrive)
{
	struct mailbox_receive args = args_of(self, 1);

	box_send_witness(self->fd, &self->witness);
	EXPECT_EQ(0, box_receive(self->fd, &args));
	EXPECT_EQ(7, args.length);
	EXPECT_EQ(1, args.nr_files);
	EXPECT_EQ(MAILBOX_HAS_FILES, args.result);
	EXPECT_TRUE(is_poison(&self->got[1], sizeof(self->got[1])));
	expect_writer(&self->witness, self->got[0]);
	close(self->got[0]);
	witness_await_end(&self->witness);
}

TEST_F(files, up_to_the_limit_arrive_in_order)
{
	int sent[MAX], i;

	for (i = 0; i < MAX; i++) {
		sent[i] = eventfd(i, EFD_NONBLOCK);
		ASSERT_LE(0, sent[i]);
	}
	ASSERT_EQ(0, box_send_files(self->fd, "", sent, MAX));
	close_all(sent, MAX);
	ASSERT_EQ(MAX, box_receive_files(self->fd, self->got, MAX));
	for (i = 0; i < MAX; i++) {
		eventfd_t value = 0;

		EXPECT_EQ(i ? 0 : -1, eventfd_read(self->got[i], &value));
		EXPECT_EQ(i, value);
	}
	close_all(self->got, MAX);
}

TEST_F(files, that_keep_nothing_travel)
{
	const int files[] = {
		epoll_create1(0),
		eventfd(0, 0),
		syscall(SYS_memfd_create, "[io_uring]", 0),
		syscall(SYS_pidfd_open, getpid(), 0),
		socket(AF_NETLINK, SOCK_RAW, 0),
		open("/", O_RDONLY | O_DIRECTORY),
		open("/proc/self/exe", O_PATH),
		open("/dev/null", O_RDWR),
		dup(self->witness.reader),
	};
	const unsigned int nr = ARRAY_SIZE(files);
	struct epoll_event event = { .events = EPOLLIN };
	unsigned int i;

	/* It watches the mailbox, and does not keep it. */
	ASSERT_EQ(0, epoll_ctl(files[0], EPOLL_CTL_ADD, self->fd, &event));
	ASSERT_EQ(0, box_send_files(self->fd, "x", files, nr));
	ASSERT_EQ(nr, box_receive_files(self->fd, self->got, MAX));
	for (i = 0; i < nr; i++) {
		struct stat a, b;

		ASSERT_EQ(0, fstat(files[i], &a));
		ASSERT_EQ(0, fstat(self->got[i], &b));
		EXPECT_EQ(a.st_ino, b.st_ino);
		EXPECT_EQ(a.st_dev, b.st_dev);
	}
	/* Nobody has it: only a mailbox that nothing keeps goes with its last handle. */
	EXPECT_EQ(1, box_stat(self->fd).handles);
	close_all(self->got, nr);
	close_all(files, nr);
}

TEST_F(files, the_same_one_may_come_more_than_once)
{
	ASSERT_EQ(0, box_send_files(self->fd, "x", self->many, MAX));
	ASSERT_EQ(MAX, box_receive_files(self->fd, self->got, MAX));
	expect_writer(&self->witness, self->got[0]);
	expect_writer(&self->witness, self->got[MAX - 1]);
	close_all(self->got, MAX);
}

TEST_F(files, too_many_for_the_room_stay)
{
	struct mailbox_receive args = args_of(self, 2);

	ASSERT_EQ(0, box_send_files(self->fd, "three", self->many, 3));
	EXPECT_REFUSED(self->device, self->fd, EMSGSIZE, box_receive(self->fd, &args));
	EXPECT_EQ(3, args.nr_files);
	EXPECT_EQ(5, args.length);
	EXPECT_TRUE(is_poison(self->got, sizeof(self->got)));
	args.nr_files = 0;
	EXPECT_REFUSED(self->device, self->fd, EMSGSIZE, box_receive(self->fd, &args));
	EXPECT_EQ(3, args.nr_files);
	EXPECT_EQ(0, box_receive(self->fd, &args));
	EXPECT_EQ(MAILBOX_HAS_FILES, args.result);
	close_all(self->got, 3);
}

TEST_F(files, are_told_with_a_payload_that_is_too_long)
{
	struct mailbox_receive args = args_of(self, MAX);

	args.room = 4;
	ASSERT_EQ(0, box_send_files(self->fd, "three", self->many, 3));
	EXPECT_REFUSED(self->device, self->fd, EMSGSIZE, box_receive(self->fd, &args));
	EXPECT_EQ(3, args.nr_files);
	EXPECT_EQ(5, args.length);
}

TEST_F(files, that_do_not_fit_are_cut_off_on_request)
{
	struct mailbox_receive args = args_of(self, 2);

	args.flags |= MAILBOX_TRUNCATE;
	ASSERT_EQ(0, box_send_files(self->fd, "x", self->many, 3));
	EXPECT_EQ(0, box_receive(self->fd, &args));
	EXPECT_EQ(MAILBOX_HAS_FILES | MAILBOX_TRUNCATED, args.result);
	EXPECT_EQ(3, args.nr_files);
	EXPECT_TRUE(is_poison(&self->got[2], sizeof(self->got[2])));
	close_all(self->got, 2);
	close(self->witness.writer);
	self->witness.writer = -1;
	witness_await_end(&self->witness);
}

TEST_F(files, that_nobody_asks_for_are_not_installed)
{
	struct mailbox_receive args = receive_args(self->text, sizeof(self->text));
	unsigned int before;

	box_send_witness(self->fd, &self->witness);
	before = count_descriptors();
	EXPECT_EQ(0, box_receive(self->fd, &args));
	EXPECT_EQ(MAILBOX_HAS_FILES, args.result);
	EXPECT_EQ(7, args.length);
	EXPECT_TRUE(is_poison(&args.nr_files, sizeof(args.nr_files)));
	EXPECT_EQ(before, count_descriptors());
	witness_await_end(&self->witness);
}

TEST_F(files, of_none_are_none)
{
	struct mailbox_receive args = args_of(self, MAX);

	ASSERT_EQ(0, box_send_text(self->fd, "none", 0, 0));
	EXPECT_EQ(0, box_receive(self->fd, &args));
	EXPECT_EQ(0, args.result);
	EXPECT_EQ(0, args.nr_files);
	EXPECT_TRUE(is_poison(self->got, sizeof(self->got)));
	/* Nor does the address matter where there is nothing to write. */
	ASSERT_EQ(0, box_send_text(self->fd, "none", 0, 0));
	EXPECT_EQ(0, box_receive_files(self->fd, hole_new(1), MAX));
}

TEST_F(files, are_seen_by_a_peek)
{
	struct mailbox_receive args = args_of(self, 1);

	ASSERT_EQ(0, box_send_files(self->fd, "x", self->many, 3));
	args.flags |= MAILBOX_PEEK;
	EXPECT_EQ(0, box_receive(self->fd, &args));
	EXPECT_EQ(3, args.nr_files);
	EXPECT_EQ(MAILBOX_HAS_FILES, args.result);
	EXPECT_TRUE(is_poison(self->got, sizeof(self->got)));
	args.flags &= ~MAILBOX_FILES;
	args.nr_files = POISON32;
	EXPECT_EQ(0, box_receive(self->fd, &args));
	EXPECT_EQ(MAILBOX_HAS_FILES, args.result);
	EXPECT_EQ(POISON32, args.nr_files);
	ASSERT_EQ(3, box_receive_files(self->fd, self->got, MAX));
	close_all(self->got, 3);
}

TEST_F(files, arrive_at_another_process_that_waits)
{
	unsigned int *done = flag_new();
	pid_t pid = child_fork();

	if (!pid) {
		struct mailbox_receive args = args_of(self, MAX);

		close(self->witness.writer);
		args.flags &= ~MAILBOX_NONBLOCK;
		EXPECT_EQ(0, box_receive(self->fd, &args));
		ASSERT_EQ(1, args.nr_files);
		expect_writer(&self->witness, self->got[0]);
		flag_await(done, 1);
		_exit(KSFT_PASS);
	}
	wait_waiters(self->fd, 1, 0);
	ASSERT_EQ(0, box_send_files(self->fd, "x", self->many, 1));
	close(self->witness.writer);
	self->witness.writer = -1;
	EXPECT_TRUE(witness_is_open(&self->witness));
	flag_raise(done);
	child_done(pid);
	witness_await_end(&self->witness);
}

TEST_F(files, are_those_of_the_time_of_sending)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	ASSERT_EQ(0, box_send_files(self->fd, "x", self->many, 1));
	ASSERT_EQ(self->witness.writer, dup3(null, self->witness.writer, O_CLOEXEC));
	ASSERT_EQ(1, box_receive_files(self->fd, self->got, MAX));
	expect_writer(&self->witness, self->got[0]);
	close(self->got[0]);
	close(null);
}

TEST_F(files, of_a_lease_come_with_each_delivery)
{
	struct mailbox_receive args;
	int round;

	box_send_witness(self->fd, &self->witness);
	for (round = 0; round < 3; round++) {
		args = args_of(self, 1);
		args.flags |= MAILBOX_LEASE;
		args.lease = 0;
		ASSERT_EQ(0, box_receive(self->fd, &args));
		EXPECT_EQ(round, args.deliveries);
		EXPECT_EQ(1, args.nr_files);
		expect_writer(&self->witness, self->got[0]);
		close(self->got[0]);
		EXPECT_TRUE(witness_is_open(&self->witness));
		if (round < 2)
			ASSERT_EQ(0, box_nack(self->fd, args.lease, 0));
	}
	ASSERT_EQ(0, box_ack(self->fd, args.lease));
	witness_await_end(&self->witness);
}

TEST_F(files, in_batches)
{
	struct mailbox_send send[3] = {
		send_files_args("one", self->many, 1),
		send_args("none", 4),
		send_files_args("two", self->many, 2),
	};
	struct mailbox_receive receive[4];
	unsigned int i;

	for (i = 0; i < 3; i++)
		send[i].flags &= ~MAILBOX_NONBLOCK;
	for (i = 0; i < 4; i++) {
		receive[i] = receive_files_args(NULL, 0, self->got + 4 * i, 4);
		receive[i].flags &= ~MAILBOX_NONBLOCK;
		receive[i].flags |= MAILBOX_TRUNCATE;
	}
	EXPECT_EQ(3, box_batch(self->fd, MAILBOX_IOC_SEND_BATCH, send, sizeof(send[0]), 3));
	EXPECT_EQ(3,
		  box_batch(self->fd, MAILBOX_IOC_RECEIVE_BATCH, receive, sizeof(receive[0]), 4));
	EXPECT_EQ(1, receive[0].nr_files);
	EXPECT_EQ(0, receive[1].nr_files);
	EXPECT_EQ(2, receive[2].nr_files);
	EXPECT_EQ(4, receive[3].nr_files);
	close_all(self->got, 1);
	close_all(self->got + 8, 2);
	/* The second one fails: the first has been sent. */
	send[1] = send_files_args("bad", self->many, MAX + 1);
	send[1].flags &= ~MAILBOX_NONBLOCK;
	EXPECT_EQ(1, box_batch(self->fd, MAILBOX_IOC_SEND_BATCH, send, sizeof(send[0]), 3));
	EXPECT_EQ(1, box_receive_files(self->fd, self->got, MAX));
	close_all(self->got, 1);
}

TEST_F(files, each_receiver_of_a_broadcast_gets_its_own)
{
	struct mailbox_create create = create_args();
	int first, second, other = -1;
	struct mailbox_receive args = args_of(self, 1);

	create.policy = MAILBOX_POLICY_BROADCAST;
	create.on_full = MAILBOX_ON_FULL_OVERWRITE;
	first = box_create(self->device, &create);
	ASSERT_LE(0, first);
	second = box_open(self->device, create.id, NULL, MAILBOX_RIGHT_RECEIVE);
	ASSERT_LE(0, second);
	box_send_witness(first, &self->witness);
	args.flags |= MAILBOX_PEEK;
	EXPECT_EQ(0, box_receive(first, &args));
	EXPECT_EQ(1, args.nr_files);
	EXPECT_EQ(1, box_receive_files(first, self->got, 1));
	EXPECT_TRUE(witness_is_open(&self->witness));
	EXPECT_REFUSED(self->device, second, EMSGSIZE, box_receive_files(second, &other, 0));
	EXPECT_REFUSED(self->device, second, EFAULT, box_receive_files(second, hole_new(4), 1));
	EXPECT_EQ(1, box_receive_files(second, &other, 1));
	EXPECT_NE(other, self->got[0]);
	expect_writer(&self->witness, other);
	expect_writer(&self->witness, self->got[0]);
	close(other);
	EXPECT_TRUE(witness_is_open(&self->witness));
	close(self->got[0]);
	witness_await_end(&self->witness);
	close(first);
	close(second);
}

/* Without CAP_SYS_RESOURCE, and over all mailboxes of the machine: nobody else has the id. */
static void fill_quota(FIXTURE_DATA(files) * self)
{
	const struct rlimit few = { 40, 40 };
	int other;

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &few));
	close(self->fd);
	close(self->device);
	self->device = device_open();
	self->fd = box_new(self->device);
	other = box_new(self->device);
	EXPECT_EQ(0, box_send_files(self->fd, "x", self->many, MAX));
	EXPECT_EQ(0, box_send_files(other, "x", self->many, MAX));
	EXPECT_REFUSED(self->device, self->fd, EDQUOT,
		       box_send_files(self->fd, "x", self->many, MAX));
	EXPECT_EQ(0, box_send_files(self->fd, "x", self->many, 8));
	EXPECT_REFUSED(self->device, other, EDQUOT, box_send_files(other, "x", self->many, 1));
	/* What is received is in flight no more, wanted or not. */
	EXPECT_EQ(1, box_receive_text(self->fd, self->text, sizeof(self->text)));
	EXPECT_EQ(0, box_send_files(other, "x", self->many, MAX));
	EXPECT_REFUSED(self->device, other, EDQUOT, box_send_files(other, "x", self->many, 1));
	/* Nor is what went with its mailbox, nor what was refused for something else. */
	close(other);
	EXPECT_REFUSED(self->device, self->fd, ELOOP, box_send_files(self->fd, "x", &self->fd, 1));
	EXPECT_EQ(0, box_send_files(self->fd, "x", self->many, MAX));
	EXPECT_EQ(0, box_send_files(self->fd, "x", self->many, MAX));
	EXPECT_EQ(-EDQUOT, box_send_files(self->fd, "x", self->many, 1));
}

TEST_F(files, in_flight_are_limited)
{
	if (!is_root())
		SKIP(return, "only root can become somebody else");
	AS_USER(70001, fill_quota(self));
}

TEST_HARNESS_MAIN
