// SPDX-License-Identifier: GPL-2.0
/*
 * The end of who holds a lease: a process that ends, in any way, or has no descriptor of
 * the handle any more. What others have of it does not matter.
 */
#include "passing.h"

#include <pthread.h>

FIXTURE(lease_holder)
{
	int device;
	int fd;
	__u64 id;
};

FIXTURE_SETUP(lease_holder)
{
	self->device = device_open();
	self->fd = box_new(self->device);
	self->id = box_stat(self->fd).id;
	ASSERT_EQ(0, box_send_text(self->fd, "first", 0, 0));
	ASSERT_EQ(0, box_send_text(self->fd, "second", 0, 0));
}

FIXTURE_TEARDOWN(lease_holder)
{
	close(self->fd);
	close(self->device);
}

static int open_receiving(FIXTURE_DATA(lease_holder) * self)
{
	int fd = box_open(self->device, self->id, NULL, MAILBOX_RIGHT_RECEIVE);

	ASSERT_LE(0, fd);
	return fd;
}

/* All is there again, at once: the first one with a delivery more. */
static void expect_back(FIXTURE_DATA(lease_holder) * self, __u32 deliveries)
{
	EXPECT_EQ(0, box_stat(self->fd).leased);
	EXPECT_EQ(2, box_stat(self->fd).messages);
	EXPECT_EQ(POLLIN, poll_now(self->fd, POLLIN));
	expect_delivered(self->fd, "first", deliveries);
	expect_delivered(self->fd, "second", 0);
}

static void expect_still_leased(FIXTURE_DATA(lease_holder) * self)
{
	EXPECT_EQ(1, box_stat(self->fd).leased);
	EXPECT_EQ(0, box_stat(self->fd).redelivered);
}

/* A child with a lease that waits to be killed. */
static pid_t holder(int fd)
{
	unsigned int *has = flag_new();
	pid_t pid = child_fork();

	if (!pid) {
		box_lease(fd);
		flag_raise(has);
		for (;;)
			pause();
	}
	flag_await(has, 1);
	return pid;
}

TEST_F(lease_holder, is_killed)
{
	unsigned int i;

	/* All the while we have the same handle. */
	for (i = 1; i <= 5; i++) {
		pid_t pid = holder(self->fd);

		EXPECT_EQ(1, box_stat(self->fd).leased);
		child_kill(pid);
		EXPECT_EQ(0, box_stat(self->fd).leased);
		EXPECT_EQ(i, box_stat(self->fd).redelivered);
	}
	expect_back(self, 5);
}

TEST_F(lease_holder, exits)
{
	pid_t pid = child_fork();

	if (!pid) {
		box_lease(self->fd);
		_exit(0);
	}
	child_done(pid);
	expect_back(self, 1);
}

TEST_F(lease_holder, closes_its_only_descriptor)
{
	int fd = open_receiving(self);
	__u64 lease = box_lease(fd);

	expect_still_leased(self);
	close(fd);
	EXPECT_EQ(-ESTALE, box_ack(self->fd, lease));
	expect_back(self, 1);
}

TEST_F(lease_holder, closes_while_another_process_has_the_handle)
{
	unsigned int *closed = flag_new();
	pid_t pid = child_fork();

	if (!pid) {
		box_lease(self->fd);
		close(self->fd);
		flag_raise(closed);
		for (;;)
			pause();
	}
	flag_await(closed, 1);
	expect_back(self, 1);
	child_kill(pid);
	EXPECT_EQ(1, box_stat(self->fd).redelivered);
}

TEST_F(lease_holder, has_another_descriptor_of_the_handle)
{
	int fd = open_receiving(self), copies[3], i;
	__u64 lease = box_lease(fd);

	copies[0] = dup(fd);
	copies[1] = fcntl(fd, F_DUPFD_CLOEXEC, 100);
	copies[2] = dup(copies[1]);
	close(fd);
	expect_still_leased(self);
	close(copies[1]);
	expect_still_leased(self);
	/* Over another descriptor, and with it. */
	ASSERT_EQ(copies[0], dup2(copies[2], copies[0]));
	expect_still_leased(self);
	ASSERT_EQ(0, box_extend(copies[0], lease, 0));
	close(copies[0]);
	expect_still_leased(self);
	i = open("/dev/null", O_RDWR | O_CLOEXEC);
	ASSERT_EQ(copies[2], dup2(i, copies[2]));
	close(i);
	expect_back(self, 1);
	close(copies[2]);
}

TEST_F(lease_holder, closes_a_range)
{
	int first = open_receiving(self), fd = fcntl(first, F_DUPFD_CLOEXEC, 200);

	close(first);
	box_lease(fd);
	expect_still_leased(self);
	ASSERT_EQ(0, syscall(SYS_close_range, 200, ~0U, 0));
	expect_back(self, 1);
}

TEST_F(lease_holder, has_another_handle_too)
{
	int first = open_receiving(self), second = open_receiving(self);
	__u64 lease = box_lease(first);

	close(second);
	expect_still_leased(self);
	EXPECT_EQ(-ESTALE, box_ack(self->fd, lease));
	second = open_receiving(self);
	box_lease(second);
	close(first);
	EXPECT_EQ(1, box_stat(self->fd).leased);
	expect_delivered(self->fd, "first", 1);
	close(second);
	expect_delivered(self->fd, "second", 1);
}

TEST_F(lease_holder, has_children_that_close_and_end)
{
	__u64 lease = box_lease(self->fd);
	pid_t pid = child_fork();

	if (!pid) {
		close(self->fd);
		_exit(0);
	}
	child_done(pid);
	expect_still_leased(self);
	pid = child_fork();
	if (!pid)
		_exit(0);
	child_done(pid);
	expect_still_leased(self);
	/* One with a lease of its own. */
	child_kill(holder(self->fd));
	EXPECT_EQ(1, box_stat(self->fd).leased);
	EXPECT_EQ(0, box_ack(self->fd, lease));
	expect_delivered(self->fd, "second", 1);
}

TEST_F(lease_holder, leaves_the_leases_of_its_child)
{
	int fd = open_receiving(self);
	pid_t pid = holder(fd);

	close(fd);
	expect_still_leased(self);
	child_kill(pid);
	expect_back(self, 1);
}

/* exec: what is closed by it goes back, what is not is held on. */
TEST_F(lease_holder, execs)
{
	char fd[16], lease[24];
	pid_t pid = child_fork();

	if (!pid) {
		snprintf(lease, sizeof(lease), "%llu", box_lease(self->fd));
		snprintf(fd, sizeof(fd), "%d", self->fd);
		ASSERT_EQ(0, fcntl(self->fd, F_SETFD, 0));
		execl("/proc/self/exe", "lease_holder", "after-exec", fd, lease, NULL);
		_exit(1);
	}
	child_done(pid);
	EXPECT_EQ(1, box_stat(self->fd).received);
	EXPECT_EQ(0, box_stat(self->fd).redelivered);
	expect_delivered(self->fd, "second", 0);
}

/* It holds on until it is killed. */
TEST_F(lease_holder, execs_and_closes)
{
	int ends[2];
	char byte;
	pid_t pid;

	ASSERT_EQ(0, pipe2(ends, O_CLOEXEC));
	pid = child_fork();
	if (!pid) {
		box_lease(self->fd);
		ASSERT_EQ(1, dup2(ends[1], 1));
		execl("/proc/self/exe", "lease_holder", "after-exec", NULL);
		_exit(1);
	}
	close(ends[1]);
	ASSERT_EQ(1, read(ends[0], &byte, 1));
	expect_back(self, 1);
	child_kill(pid);
	close(ends[0]);
}

static int after_exec(int argc, char **argv)
{
	int fd;

	if (argc == 4) {
		fd = atoi(argv[2]);
		return box_ack(fd, strtoull(argv[3], NULL, 0)) ? KSFT_FAIL : KSFT_PASS;
	}
	if (write(1, "x", 1) != 1)
		return KSFT_FAIL;
	for (;;)
		pause();
}

TEST_F(lease_holder, passes_the_descriptor_on)
{
	int sockets[2], fd = open_receiving(self);
	__u64 lease = box_lease(fd);
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets));
	pass_descriptor(sockets[0], fd);
	pid = child_fork();
	if (!pid) {
		int copy = take_descriptor(sockets[1]);

		EXPECT_EQ(-ESTALE, box_ack(copy, lease));
		close(copy);
		_exit(0);
	}
	child_done(pid);
	expect_still_leased(self);
	/* One that is under way is nobody's. */
	pass_descriptor(sockets[0], fd);
	close(fd);
	EXPECT_EQ(0, box_stat(self->fd).leased);
	fd = take_descriptor(sockets[1]);
	EXPECT_EQ(-ESTALE, box_ack(fd, lease));
	close(fd);
	close(sockets[0]);
	close(sockets[1]);
	expect_back(self, 1);
}

struct thread_of {
	int fd;
	__u64 lease;
	int result;
	bool unshares;
};

static void *leasing_thread(void *data)
{
	struct thread_of *of = data;

	of->lease = box_lease(of->fd);
	return NULL;
}

static void *acking_thread(void *data)
{
	struct thread_of *of = data;

	if (of->unshares)
		EXPECT_EQ(0, unshare(CLONE_FILES));
	of->result = box_ack(of->fd, of->lease);
	return NULL;
}

static void in_thread(void *(*function)(void *), struct thread_of *of)
{
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, function, of));
	ASSERT_EQ(0, pthread_join(thread, NULL));
}

TEST_F(lease_holder, has_threads)
{
	struct thread_of of = { .fd = self->fd };

	in_thread(leasing_thread, &of);
	/* It has ended, and its process has not. */
	expect_still_leased(self);
	ASSERT_EQ(0, box_extend(self->fd, of.lease, 0));
	in_thread(acking_thread, &of);
	EXPECT_EQ(0, of.result);
	expect_delivered(self->fd, "second", 0);
}

TEST_F(lease_holder, is_not_a_thread_with_a_table_of_its_own)
{
	struct thread_of of = { .fd = self->fd, .lease = box_lease(self->fd), .unshares = true };

	in_thread(acking_thread, &of);
	EXPECT_EQ(-ESTALE, of.result);
	expect_still_leased(self);
	EXPECT_EQ(0, box_ack(self->fd, of.lease));
}

static pid_t clone_with_files(void)
{
	return syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
}

TEST_F(lease_holder, is_who_shares_its_table)
{
	__u64 lease = box_lease(self->fd);
	pid_t pid = clone_with_files();

	ASSERT_LE(0, pid);
	if (!pid)
		_exit(0);
	child_done(pid);
	expect_still_leased(self);
	pid = clone_with_files();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(-box_ack(self->fd, lease));
	child_done(pid);
	EXPECT_EQ(1, box_stat(self->fd).received);
	/* What it takes is ours when it is gone. */
	pid = clone_with_files();
	ASSERT_LE(0, pid);
	if (!pid) {
		box_lease(self->fd);
		_exit(0);
	}
	child_done(pid);
	expect_still_leased(self);
}

TEST_F(lease_holder, of_many_leaves_them_in_order)
{
	enum { NR = 1000 };
	int fd = box_new_capacity(self->device, MAILBOX_CAPACITY_UNBOUNDED), i;
	pid_t pid;

	for (i = 0; i < NR; i++)
		ASSERT_EQ(0, box_send_text(fd, "x", 0, 0));
	pid = child_fork();
	if (!pid) {
		for (i = 0; i < NR; i++)
			box_lease_timed(fd, i % 3 ? 0 : 3600 * SECOND);
		_exit(0);
	}
	child_done(pid);
	EXPECT_EQ(0, box_stat(fd).leased);
	EXPECT_EQ(NR, box_stat(fd).redelivered);
	for (i = 0; i < NR; i++) {
		char data[8];
		struct mailbox_receive args = receive_args(data, sizeof(data));

		ASSERT_EQ(0, box_receive(fd, &args));
		ASSERT_EQ(i + 1, args.sequence);
		ASSERT_EQ(1, args.deliveries);
	}
	close(fd);
}

TEST_F(lease_holder, of_a_permanent_mailbox_was_its_last)
{
	struct mailbox_create args = create_args();
	int fd;

	args.flags = MAILBOX_PERMANENT;
	fd = box_create(self->device, &args);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, box_send_text(fd, "x", 0, 0));
	box_lease(fd);
	close(fd);
	fd = box_open(self->device, args.id, NULL, RIGHTS_ALL);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, box_stat(fd).leased);
	expect_delivered(fd, "x", 1);
	EXPECT_EQ(0, box_destroy(fd, 0, NULL));
	close(fd);
}

TEST_F(lease_holder, ends_and_the_next_in_line_gets_it)
{
	pid_t pid = holder(self->fd), next;

	expect_delivered(self->fd, "second", 0);
	next = child_fork();
	if (!next) {
		char data[8] = { 0 };
		struct mailbox_receive args = leasing_args(data, sizeof(data) - 1);

		args.flags = MAILBOX_LEASE;
		EXPECT_EQ(0, box_receive(self->fd, &args));
		EXPECT_STREQ("first", data);
		EXPECT_EQ(1, args.deliveries);
		EXPECT_EQ(0, box_ack(self->fd, args.lease));
		_exit(0);
	}
	wait_waiters(self->fd, 1, 0);
	child_kill(pid);
	child_done(next);
	EXPECT_EQ(2, box_stat(self->fd).received);
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "after-exec"))
		return after_exec(argc, argv);
	return th_main(argc, argv);
}
