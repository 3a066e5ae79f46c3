// SPDX-License-Identifier: GPL-2.0
/*
 * read and write: one message each, so that cat and every language can do it.
 */
#include "common.h"

FIXTURE(readwrite)
{
	int device;
	int fd;
	char data[64];
};

FIXTURE_SETUP(readwrite)
{
	struct mailbox_create create = create_args();

	self->device = device_open();
	create.flags = MAILBOX_NONBLOCK;
	create.message_size = 32;
	create.max_messages = 2;
	self->fd = box_create(self->device, &create);
	ASSERT_LE(0, self->fd);
	poison(self->data, sizeof(self->data));
}

FIXTURE_TEARDOWN(readwrite)
{
	close(self->fd);
	close(self->device);
}

#define EXPECT_FAILS(self, error, call) \
	do { \
		struct state before_ = state_take((self)->device, (self)->fd); \
\
		errno = 0; \
		EXPECT_EQ(-1, (call)); \
		EXPECT_EQ((error), errno); \
		EXPECT_UNCHANGED((self)->device, (self)->fd, before_); \
	} while (0)

TEST_F(readwrite, one_message_each)
{
	EXPECT_EQ(5, write(self->fd, "first", 5));
	EXPECT_EQ(6, write(self->fd, "second", 6));
	EXPECT_EQ(5, read(self->fd, self->data, sizeof(self->data)));
	EXPECT_EQ(0, memcmp("first", self->data, 5));
	EXPECT_TRUE(is_poison(self->data + 5, sizeof(self->data) - 5));
	EXPECT_EQ(6, read(self->fd, self->data, sizeof(self->data)));
	EXPECT_EQ(0, memcmp("second", self->data, 6));
}

TEST_F(readwrite, a_written_message_has_type_and_priority_0)
{
	struct mailbox_receive args = receive_args(self->data, sizeof(self->data));

	ASSERT_EQ(1, write(self->fd, "x", 1));
	ASSERT_EQ(0, box_receive(self->fd, &args));
	EXPECT_EQ(0, args.type);
	EXPECT_EQ(0, args.priority);
	EXPECT_EQ(0, args.expiry);
	EXPECT_EQ(getpid(), args.pid);
}

TEST_F(readwrite, read_takes_the_first_by_priority)
{
	ASSERT_EQ(0, box_send_text(self->fd, "low", 0, 1));
	ASSERT_EQ(0, box_send_text(self->fd, "high!", 0, 2));
	EXPECT_EQ(5, read(self->fd, self->data, sizeof(self->data)));
}

TEST_F(readwrite, an_empty_message_reads_as_0)
{
	ASSERT_EQ(0, box_send_text(self->fd, "", 0, 0));
	EXPECT_EQ(0, read(self->fd, self->data, sizeof(self->data)));
	EXPECT_EQ(0, box_stat(self->fd).messages);
}

TEST_F(readwrite, read_of_a_message_that_does_not_fit_is_emsgsize)
{
	ASSERT_EQ(5, write(self->fd, "first", 5));
	EXPECT_FAILS(self, EMSGSIZE, read(self->fd, self->data, 4));
	EXPECT_TRUE(is_poison(self->data, sizeof(self->data)));
	EXPECT_EQ(5, read(self->fd, self->data, 5));
}

TEST_F(readwrite, write_of_too_much_is_emsgsize)
{
	EXPECT_FAILS(self, EMSGSIZE, write(self->fd, self->data, 33));
	EXPECT_EQ(32, write(self->fd, self->data, 32));
}

TEST_F(readwrite, an_empty_mailbox_is_eagain)
{
	EXPECT_FAILS(self, EAGAIN, read(self->fd, self->data, sizeof(self->data)));
}

TEST_F(readwrite, a_full_mailbox_is_eagain)
{
	ASSERT_EQ(1, write(self->fd, "x", 1));
	ASSERT_EQ(1, write(self->fd, "x", 1));
	EXPECT_FAILS(self, EAGAIN, write(self->fd, "x", 1));
}

TEST_F(readwrite, bad_addresses_are_efault)
{
	char *hole = hole_new(64), *fixed = readonly_new(NULL, 64);

	ASSERT_EQ(5, write(self->fd, "first", 5));
	EXPECT_FAILS(self, EFAULT, write(self->fd, hole, 5));
	EXPECT_FAILS(self, EFAULT, write(self->fd, kernel_address(), 5));
	EXPECT_FAILS(self, EFAULT, read(self->fd, hole, 64));
	EXPECT_FAILS(self, EFAULT, read(self->fd, kernel_address(), 64));
	EXPECT_FAILS(self, EFAULT, read(self->fd, fixed, 64));
	EXPECT_EQ(5, read(self->fd, self->data, sizeof(self->data)));
}

TEST_F(readwrite, up_to_the_edge_of_a_page)
{
	char *edge = edge_new(5);

	memcpy(edge, "first", 5);
	EXPECT_EQ(5, write(self->fd, edge, 5));
	EXPECT_FAILS(self, EFAULT, write(self->fd, edge, 6));
	memset(edge, 0, 5);
	EXPECT_EQ(5, read(self->fd, edge, 64));
	EXPECT_EQ(0, memcmp("first", edge, 5));
}

TEST_F(readwrite, waits_without_o_nonblock)
{
	pid_t pid;

	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, 0));
	pid = child_fork();
	if (!pid) {
		EXPECT_EQ(3, read(self->fd, self->data, sizeof(self->data)));
		_exit(0);
	}
	wait_waiters(self->fd, 1, 0);
	EXPECT_EQ(3, write(self->fd, "now", 3));
	child_done(pid);
}

TEST_F(readwrite, a_seek_is_not_possible)
{
	EXPECT_EQ(-1, pread(self->fd, self->data, 1, 5));
	EXPECT_EQ(-1, lseek(self->fd, 0, SEEK_SET));
}

TEST_HARNESS_MAIN
