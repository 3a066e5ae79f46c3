// SPDX-License-Identifier: GPL-2.0
/*
 * Files in messages, and the network namespace of the mailbox. A permanent mailbox ends with
 * that, so nothing in it may keep it: and what does is not only the file of the namespace, but
 * each of its sockets.
 */
#include "common_files.h"
#include "common_lease.h"
#include "world.h"

#include <sys/socket.h>

FIXTURE(files_netns)
{
	int device;
	struct usage before;
};

FIXTURE_SETUP(files_netns)
{
	if (!is_root())
		SKIP(return, "needs network namespaces");
	self->device = device_open();
	self->before = usage_of_caller(self->device);
}

FIXTURE_TEARDOWN(files_netns)
{
	/* All namespaces have ended, and so have all mailboxes in them. */
	await_usage(self->device, self->before);
	close(self->device);
}

/* In a process of its own, whose network namespace it is: @device is of that. */
#define IN_NEW_NETNS(...) \
	do { \
		pid_t child_ = child_fork(); \
\
		if (!child_) { \
			int device; \
\
			ASSERT_EQ(0, unshare(CLONE_NEWNET)); \
			device = device_open(); \
			__VA_ARGS__; \
			_exit(KSFT_PASS); \
		} \
		child_done(child_); \
	} while (0)

static int permanent_box(int device)
{
	struct mailbox_create args = create_args();
	int fd;

	args.flags |= MAILBOX_PERMANENT;
	fd = box_create(device, &args);
	ASSERT_LE(0, fd);
	return fd;
}

static int set_permanent(int fd, __u32 permanent)
{
	struct mailbox_set set = {
		.size = sizeof(set),
		.flags = MAILBOX_SET_PERMANENT,
		.permanent = permanent,
	};

	return call(fd, MAILBOX_IOC_SET, &set);
}

TEST_F(files_netns, in_permanent_mailboxes_would_keep_it)
{
	IN_NEW_NETNS({
		int fd = permanent_box(device);
		int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
		int sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);

		ASSERT_LE(0, own);
		ASSERT_LE(0, sock);
		EXPECT_REFUSED(device, fd, ELOOP, box_send_files(fd, "x", &own, 1));
		EXPECT_REFUSED(device, fd, ELOOP, box_send_files(fd, "x", &sock, 1));
	});
}

TEST_F(files_netns, in_temporary_ones_do_not)
{
	IN_NEW_NETNS({
		int fd = box_new(device);
		int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

		ASSERT_LE(0, own);
		EXPECT_EQ(0, box_send_files(fd, "x", &own, 1));
	});
}

/* Nor is one that has them made permanent. */
TEST_F(files_netns, do_not_let_a_mailbox_become_permanent)
{
	IN_NEW_NETNS({
		struct witness witness = witness_new();
		int fd = box_new(device);
		int got;

		EXPECT_EQ(0, box_send_files(fd, "x", &witness.writer, 1));
		EXPECT_EQ(-EINVAL, set_permanent(fd, 1));
		EXPECT_EQ(0, set_permanent(fd, 0));
		EXPECT_EQ(1, box_receive_files(fd, &got, 1));
		/* Nor are those of a message that is refused there any more. */
		EXPECT_EQ(-ELOOP, box_send_files(fd, "x", &fd, 1));
		EXPECT_EQ(0, set_permanent(fd, 1));
		EXPECT_EQ(-ELOOP, box_send_files(fd, "x", &witness.writer, 1));
		EXPECT_EQ(0, set_permanent(fd, 0));
		EXPECT_EQ(0, box_send_files(fd, "x", &witness.writer, 1));
	});
}

/* What is moved there with the dead letters neither. */
TEST_F(files_netns, of_dead_letters_do_not_enter_permanent_mailboxes)
{
	IN_NEW_NETNS({
		struct mailbox_create args = create_args();
		struct witness witness = witness_new();
		int grave = permanent_box(device);
		int fd;

		args.max_deliveries = 1;
		args.dead_letter = box_stat(grave).id;
		fd = box_create(device, &args);
		ASSERT_LE(0, fd);
		EXPECT_EQ(0, box_send_data(fd, "none", 4));
		box_send_witness(fd, &witness);
		for (int i = 0; i < 2; i++)
			EXPECT_EQ(0, box_nack(fd, box_lease(fd), 0));
		witness_await_end(&witness);
		EXPECT_EQ(1, box_stat(grave).messages);
		EXPECT_EQ(1, box_stat(fd).dead);
		EXPECT_EQ(1, box_stat(fd).dropped);
	});
}

/* The first one does not end. */
TEST_F(files_netns, of_the_first_namespace_may_be_in_permanent_mailboxes)
{
	struct witness witness = witness_new();
	int fd = permanent_box(self->device);
	int got;

	EXPECT_EQ(0, box_send_files(fd, "x", &witness.writer, 1));
	EXPECT_EQ(0, set_permanent(fd, 0));
	EXPECT_EQ(0, set_permanent(fd, 1));
	EXPECT_EQ(1, box_receive_files(fd, &got, 1));
	EXPECT_EQ(0, box_destroy(fd, 0, NULL));
	close(got);
	close(fd);
	witness_end(&witness);
}

TEST_HARNESS_MAIN
