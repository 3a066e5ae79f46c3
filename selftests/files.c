// SPDX-License-Identifier: GPL-2.0
/*
 * Files in messages: which may travel, how they arrive, and that what fails leaves them
 * where they are. Built for 32 bits too. How they end is in files_end.c.
 */
#include "common_files.h"
#include "world.h"

#include <linux/io_uring.h>
#include <stddef.h>
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

static void close_all(const int *files, unsigned int nr)
{
	while (nr--)
		EXPECT_EQ(0, close(files[nr]));
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

TEST_F(files, of_an_unusual_number_are_refused)
{
	const int *many = self->many;
	struct mailbox_send args = send_files_args("x", many, 1);

	EXPECT_REFUSED(self->device, self->fd, EINVAL, box_send_files(self->fd, "x", many, 0));
	EXPECT_REFUSED(self->device, self->fd, EINVAL,
		       box_send_files(self->fd, "x", many, MAX + 1));
	EXPECT_REFUSED(self->device, self->fd, EINVAL,
		       box_send_files(self->fd, "x", many, UINT32_MAX));
	args.reserved_files = 1;
	EXPECT_REFUSED(self->device, self->fd, EINVAL, box_send(self->fd, &args));
}

TEST_F(files, and_structures_that_end_before_them)
{
	struct mailbox_send send = send_files_args("x", self->many, 1);
	struct mailbox_receive receive = args_of(self, 1);

	send.size = offsetof(struct mailbox_send, reserved_files);
	EXPECT_REFUSED(self->device, self->fd, EINVAL, box_send(self->fd, &send));
	send.flags &= ~MAILBOX_FILES;
	EXPECT_EQ(0, box_send(self->fd, &send));
	receive.size = offsetof(struct mailbox_receive, files);
	EXPECT_REFUSED(self->device, self->fd, EINVAL, box_receive(self->fd, &receive));
	receive.flags &= ~MAILBOX_FILES;
	EXPECT_EQ(0, box_receive(self->fd, &receive));
	EXPECT_EQ(1, receive.nr_files);
	EXPECT_EQ(0, receive.result);
}

/* Wherever it stands among others. */
static void expect_stays(FIXTURE_DATA(files) * self, int error, int file)
{
	unsigned int i;

	for (i = 0; i < MAX; i++) {
		struct state before = state_take(self->device, self->fd);

		self->many[i] = file;
		EXPECT_EQ(-error, box_send_files(self->fd, "x", self->many, MAX));
		EXPECT_EQ(-error, box_send_files(self->fd, "x", self->many, i + 1));
		self->many[i] = self->witness.writer;
		EXPECT_UNCHANGED(self->device, self->fd, before);
	}
}

TEST_F(files, that_are_not_open_are_refused)
{
	int closed = fcntl(self->device, F_DUPFD, 100);

	close(closed);
	expect_stays(self, EBADF, closed);
	expect_stays(self, EBADF, -1);
	expect_stays(self, EBADF, INT32_MAX);
}

TEST_F(files, that_may_keep_others_are_refused)
{
	int other = box_new(self->device), pair[2];
	__u64 grant;
	struct mailbox_restrict derive = { .size = sizeof(derive), .rights = MAILBOX_RIGHT_SEND };

	expect_stays(self, ELOOP, self->fd);
	expect_stays(self, ELOOP, other);
	close(other);
	ASSERT_EQ(0, call(self->fd, MAILBOX_IOC_RESTRICT, &derive));
	grant = derive.grant;
	EXPECT_LT(0, grant);
	expect_stays(self, ELOOP, derive.fd);
	close(derive.fd);
	expect_stays(self, ELOOP, self->device);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
	expect_stays(self, ELOOP, pair[0]);
	close_all(pair, 2);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	expect_stays(self, ELOOP, pair[1]);
	close_all(pair, 2);
}

TEST_F(files, of_io_uring_are_refused)
{
	struct io_uring_params params = { 0 };
	int ring = syscall(SYS_io_uring_setup, 1, &params);

	if (ring < 0)
		SKIP(return, "io_uring_setup: %s", strerror(errno));
	expect_stays(self, ELOOP, ring);
	close(ring);
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

TEST_F(files, named_at_no_address)
{
	void *const places[] = { NULL, hole_new(4), kernel_address(), (void *)-(uintptr_t)4 };
	int *edge = edge_new(2 * sizeof(int));
	unsigned int i;

	edge[0] = self->witness.writer;
	edge[1] = self->witness.writer;
	for (i = 0; i < ARRAY_SIZE(places); i++)
		EXPECT_REFUSED(self->device, self->fd, EFAULT,
			       box_send_files(self->fd, "x", places[i], 2));
	EXPECT_REFUSED(self->device, self->fd, EFAULT, box_send_files(self->fd, "x", edge, 3));
	EXPECT_EQ(0, box_send_files(self->fd, "x", edge, 2));
}

TEST_F(files, wanted_at_no_address)
{
	int *const places[] = {
		NULL, hole_new(4), kernel_address(), readonly_new(NULL, 64), edge_new(2 * 4),
	};
	struct mailbox_receive args;
	unsigned int i;

	ASSERT_EQ(0, box_send_files(self->fd, "x", self->many, 3));
	for (i = 0; i < ARRAY_SIZE(places); i++) {
		args = receive_files_args(self->text, sizeof(self->text), places[i], MAX);
		EXPECT_REFUSED(self->device, self->fd, EFAULT, box_receive(self->fd, &args));
		EXPECT_EQ(MAX, args.nr_files);
	}
	/* All but the files fails. */
	args = receive_files_args(hole_new(1), 64, self->got, MAX);
	EXPECT_REFUSED(self->device, self->fd, EFAULT, box_receive(self->fd, &args));
	EXPECT_EQ(MAX, args.nr_files);
	ASSERT_EQ(3, box_receive_files(self->fd, edge_new(3 * 4), 3));
}

/* Of what is told, one member after the other. */
TEST_F(files, told_at_no_address)
{
	const size_t page = sysconf(_SC_PAGESIZE);
	const size_t members[] = { offsetof(struct mailbox_receive, lease),
				   offsetof(struct mailbox_receive, nr_files) };
	struct mailbox_receive args = args_of(self, MAX);
	unsigned int i;

	args.flags |= MAILBOX_LEASE;
	args.lease = 0;
	ASSERT_EQ(0, box_send_files(self->fd, "x", self->many, 3));
	for (i = 0; i < ARRAY_SIZE(members); i++) {
		char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		char *start = pages + page - members[i];

		ASSERT_TRUE(pages != MAP_FAILED);
		memcpy(start, &args, sizeof(args));
		ASSERT_EQ(0, mprotect(pages + page, page, PROT_READ));
		EXPECT_REFUSED(self->device, self->fd, EFAULT,
			       call(self->fd, MAILBOX_IOC_RECEIVE, start));
	}
	/* As is how many there are too many. */
	args = args_of(self, 2);
	EXPECT_REFUSED(self->device, self->fd, EFAULT,
		       box_receive(self->fd, readonly_new(&args, sizeof(args))));
	ASSERT_EQ(3, box_receive_files(self->fd, self->got, MAX));
	close_all(self->got, 3);
}

TEST_F(files, without_a_free_descriptor_stay)
{
	struct mailbox_receive args = args_of(self, MAX);
	const int next = next_descriptor(self->device);
	struct rlimit old, few;

	ASSERT_EQ(0, box_send_files(self->fd, "x", self->many, 3));
	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &old));
	few = (struct rlimit){ next + 2, old.rlim_max };
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &few));
	EXPECT_REFUSED(self->device, self->fd, EMFILE, box_receive(self->fd, &args));
	EXPECT_EQ(MAX, args.nr_files);
	/* What fits is another matter. */
	args.flags |= MAILBOX_TRUNCATE;
	args.nr_files = 2;
	EXPECT_EQ(0, box_receive(self->fd, &args));
	EXPECT_EQ(MAILBOX_HAS_FILES | MAILBOX_TRUNCATED, args.result);
	close_all(self->got, 2);
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &old));
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
