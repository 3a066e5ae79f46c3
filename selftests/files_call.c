// SPDX-License-Identifier: GPL-2.0
/*
 * Files in messages: what is refused, pointers that cannot be used, and descriptors that
 * there are not; and nothing is changed by that. Built for 32 bits too.
 */
#include "common_files.h"

#include <linux/io_uring.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#define MAX MAILBOX_FILES_MAX

FIXTURE(files_call)
{
	int device;
	int fd;
	struct witness witness;
	/* The writing end, as often as will go. */
	int many[MAX + 1];
	int got[MAX + 1];
	char text[64];
};

FIXTURE_SETUP(files_call)
{
	unsigned int i;

	self->device = device_open();
	self->fd = box_new(self->device);
	self->witness = witness_new();
	for (i = 0; i <= MAX; i++)
		self->many[i] = self->witness.writer;
	poison(self->got, sizeof(self->got));
}

FIXTURE_TEARDOWN(files_call)
{
	witness_end(&self->witness);
	close(self->fd);
	close(self->device);
}

static struct mailbox_receive args_of(FIXTURE_DATA(files_call) * self, __u32 room)
{
	return receive_files_args(self->text, sizeof(self->text), self->got, room);
}

TEST_F(files_call, of_an_unusual_number_are_refused)
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

TEST_F(files_call, and_structures_that_end_before_them)
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
static void expect_stays(FIXTURE_DATA(files_call) * self, int error, int file)
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

TEST_F(files_call, that_are_not_open_are_refused)
{
	int closed = fcntl(self->device, F_DUPFD, 100);

	close(closed);
	expect_stays(self, EBADF, closed);
	expect_stays(self, EBADF, -1);
	expect_stays(self, EBADF, INT32_MAX);
}

TEST_F(files_call, that_may_keep_others_are_refused)
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

TEST_F(files_call, of_io_uring_are_refused)
{
	struct io_uring_params params = { 0 };
	int ring = syscall(SYS_io_uring_setup, 1, &params);

	if (ring < 0)
		SKIP(return, "io_uring_setup: %s", strerror(errno));
	expect_stays(self, ELOOP, ring);
	close(ring);
}

TEST_F(files_call, named_at_no_address)
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

TEST_F(files_call, wanted_at_no_address)
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
TEST_F(files_call, told_at_no_address)
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

TEST_F(files_call, without_a_free_descriptor_stay)
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

TEST_HARNESS_MAIN
