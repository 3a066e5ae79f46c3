/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For tests of handles that read bytes.
 */
#ifndef SELFTESTS_COMMON_STREAM_H
#define SELFTESTS_COMMON_STREAM_H

#include "common.h"

static inline int stream_try(int device, __u64 id, __u32 rights, __u32 flags)
{
	struct mailbox_open args = { .size = sizeof(args),
				     .flags = MAILBOX_STREAM | flags,
				     .rights = rights,
				     .fd = -1,
				     .id = id };
	int ret = call(device, MAILBOX_IOC_OPEN, &args);

	return ret < 0 ? ret : args.fd;
}

static inline int stream_open(int device, __u64 id, __u32 rights, __u32 flags)
{
	int fd = stream_try(device, id, rights, flags);

	ASSERT_LE(0, fd);
	return fd;
}

static inline int stream_reader(int device, __u64 id)
{
	return stream_open(device, id, MAILBOX_RIGHT_RECEIVE, MAILBOX_NONBLOCK);
}

static inline int stream_writer(int device, __u64 id)
{
	return stream_open(device, id, MAILBOX_RIGHT_SEND, MAILBOX_NONBLOCK);
}

/* One that neither sends nor receives, to look at the mailbox with; and the mailbox. */
static inline int box_new_manage(int device, struct mailbox_create *args)
{
	int fd;

	args->rights = MAILBOX_RIGHT_MANAGE;
	fd = box_create(device, args);
	ASSERT_LE(0, fd);
	return fd;
}

static inline ssize_t result_of(ssize_t ret)
{
	return ret < 0 ? -errno : ret;
}

/* What a read of so many bytes gets: this, and no byte behind it is touched. */
#define EXPECT_BYTES(fd, room, text) \
	do { \
		char data_[64]; \
\
		poison(data_, sizeof(data_)); \
		EXPECT_EQ((ssize_t)strlen(text), result_of(read((fd), data_, (room)))); \
		EXPECT_EQ(0, memcmp((text), data_, strlen(text))); \
		EXPECT_TRUE(is_poison(data_ + strlen(text), sizeof(data_) - strlen(text))); \
	} while (0)

/* There is nothing, but there may be. */
#define EXPECT_DRY(fd) \
	do { \
		char byte_; \
\
		EXPECT_EQ(-EAGAIN, result_of(read((fd), &byte_, 1))); \
		EXPECT_EQ(0, poll_now((fd), POLLIN)); \
	} while (0)

#define EXPECT_END(fd) \
	do { \
		char byte_; \
\
		EXPECT_EQ(POLLIN | POLLHUP, poll_now((fd), POLLIN)); \
		EXPECT_EQ(0, result_of(read((fd), &byte_, 1))); \
		EXPECT_EQ(0, result_of(read((fd), &byte_, 1))); \
	} while (0)

#endif /* SELFTESTS_COMMON_STREAM_H */
