/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Files in messages, and how to tell whether they are open.
 */
#ifndef SELFTESTS_COMMON_FILES_H
#define SELFTESTS_COMMON_FILES_H

#include "common.h"

/*
 * A pipe whose writing end goes into messages: while anybody has it, also a message, the
 * reading end sees no hang-up.
 */
struct witness {
	int reader;
	int writer;
};

static inline struct witness witness_new(void)
{
	int ends[2];

	ASSERT_EQ(0, pipe2(ends, O_CLOEXEC));
	return (struct witness){ ends[0], ends[1] };
}

static inline void witness_end(struct witness *witness)
{
	close(witness->reader);
	close(witness->writer);
}

static inline bool witness_is_open(const struct witness *witness)
{
	return !(poll_now(witness->reader, POLLIN) & POLLHUP);
}

/* The kernel closes files a moment after they were let go, and some in a thread of its own. */
static inline void witness_await_end(const struct witness *witness)
{
	struct pollfd entry = { .fd = witness->reader };

	EXPECT_EQ(1, poll(&entry, 1, PATIENCE / 1000000));
	EXPECT_EQ(POLLHUP, entry.revents & POLLHUP);
}

/* What arrived in the message is the writing end of this very pipe. */
static inline void expect_writer(const struct witness *witness, int fd)
{
	char byte = 0;

	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	EXPECT_EQ(1, write(fd, "w", 1));
	EXPECT_EQ(1, read(witness->reader, &byte, 1));
	EXPECT_EQ('w', byte);
}

static inline struct mailbox_send send_files_args(const char *text, const int *files, __u32 nr)
{
	struct mailbox_send args = send_args(text, strlen(text));

	args.flags |= MAILBOX_FILES;
	args.files = user_pointer(files);
	args.nr_files = nr;
	return args;
}

static inline int box_send_files(int fd, const char *text, const int *files, __u32 nr)
{
	struct mailbox_send args = send_files_args(text, files, nr);

	return box_send(fd, &args);
}

/* A message that has the writing end alone, from now on. */
static inline void box_send_witness(int fd, struct witness *witness)
{
	ASSERT_EQ(0, box_send_files(fd, "witness", &witness->writer, 1));
	close(witness->writer);
	witness->writer = -1;
	EXPECT_TRUE(witness_is_open(witness));
}

static inline struct mailbox_receive receive_files_args(void *data, size_t room, int *files,
							__u32 nr)
{
	struct mailbox_receive args = receive_args(data, room);

	args.flags |= MAILBOX_FILES;
	args.files = user_pointer(files);
	args.nr_files = nr;
	return args;
}

/* How many files the first message has, or a negative errno. */
static inline int box_receive_files(int fd, int *files, __u32 nr)
{
	char text[64];
	struct mailbox_receive args = receive_files_args(text, sizeof(text), files, nr);
	int ret = box_receive(fd, &args);

	return ret < 0 ? ret : (int)args.nr_files;
}

static inline void close_all(const int *files, unsigned int nr)
{
	while (nr--)
		EXPECT_EQ(0, close(files[nr]));
}

#endif /* SELFTESTS_COMMON_FILES_H */
