/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For tests of lanes: the calls, and a ring as DOC: Lanes of the header wants it.
 */
#ifndef SELFTESTS_COMMON_LANE_H
#define SELFTESTS_COMMON_LANE_H

#include "common_region.h"

#define SEND	MAILBOX_RIGHT_SEND
#define RECEIVE MAILBOX_RIGHT_RECEIVE

/* The calls */

static inline struct mailbox_lane_open lane_open_args(__u32 flags)
{
	return (struct mailbox_lane_open){
		.size = sizeof(struct mailbox_lane_open),
		.flags = flags,
		.offset = POISON64,
		.place = POISON32,
	};
}

static inline int lane_open_try(int fd, __u64 bytes, struct mailbox_lane_open *args)
{
	*args = lane_open_args(0);
	args->bytes = bytes;
	return call(fd, MAILBOX_IOC_LANE_OPEN, args);
}

static inline int lane_next_try(int fd, __u64 after, struct mailbox_lane_open *args)
{
	*args = lane_open_args(MAILBOX_LANE_RECEIVE);
	args->lane = after;
	return call(fd, MAILBOX_IOC_LANE_OPEN, args);
}

static inline struct mailbox_lane_open lane_open(int fd, __u64 bytes)
{
	struct mailbox_lane_open args;

	ASSERT_EQ(0, lane_open_try(fd, bytes, &args));
	return args;
}

static inline struct mailbox_lane_open lane_next(int fd, __u64 after)
{
	struct mailbox_lane_open args;

	ASSERT_EQ(0, lane_next_try(fd, after, &args));
	return args;
}

static inline int lane_close(int fd, __u32 flags, __u64 lane)
{
	struct mailbox_lane_close args = { .size = sizeof(args), .flags = flags, .lane = lane };

	return call(fd, MAILBOX_IOC_LANE_CLOSE, &args);
}

static inline int lane_wake(int fd, __u32 flags, __u64 lane)
{
	struct mailbox_lane_wake args = { .size = sizeof(args), .flags = flags, .lane = lane };

	return call(fd, MAILBOX_IOC_LANE_WAKE, &args);
}

/* Of any lane, and of a newer one than that. */
static inline struct mailbox_lane_wait lane_wait_args(__u32 flags, __u64 opened)
{
	return (struct mailbox_lane_wait){
		.size = sizeof(struct mailbox_lane_wait),
		.flags = MAILBOX_LANE_RECEIVE | flags,
		.opened = opened,
		.ready = POISON64,
	};
}

static inline struct mailbox_lane_wait lane_room_args(__u32 flags, __u64 room)
{
	return (struct mailbox_lane_wait){
		.size = sizeof(struct mailbox_lane_wait),
		.flags = flags,
		.room = room,
		.ready = POISON64,
	};
}

static inline int lane_wait(int fd, struct mailbox_lane_wait *args)
{
	return call(fd, MAILBOX_IOC_LANE_WAIT, args);
}

/* Lanes that are ready, or a negative errno; does not wait. */
static inline long long lane_ready(int fd, __u64 opened)
{
	struct mailbox_lane_wait args = lane_wait_args(MAILBOX_NONBLOCK, opened);
	int ret = lane_wait(fd, &args);

	return ret ? ret : (long long)args.ready;
}

static inline int lane_room(int fd, __u64 room)
{
	struct mailbox_lane_wait args = lane_room_args(MAILBOX_NONBLOCK, room);

	return lane_wait(fd, &args);
}

/* The ring */

struct ring {
	int fd;
	__u32 place;
	__u64 number;
	__u64 bytes;
	__u64 offset;
	/* What this side has written, which it needs not believe the page. */
	__u64 own;
	struct mailbox_lane_state *state;
	struct mailbox_lane_consumer *consumer;
	struct mailbox_lane_producer *producer;
	/* Twice, one after the other, so that nothing wraps. */
	char *data;
};

static inline int lane_map_try(int fd, __u64 offset, size_t length, int protection, char **start)
{
	*start = mmap64(NULL, length, protection, MAP_SHARED, fd, offset);
	return *start == MAP_FAILED ? -errno : 0;
}

static inline int lane_map_error(int fd, __u64 offset, size_t length, int protection, int flags)
{
	char *start = mmap64(NULL, length, protection, flags, fd, offset);

	if (start == MAP_FAILED)
		return -errno;
	munmap(start, length);
	return 0;
}

static inline char *lane_map(int fd, __u64 offset, size_t length, int protection)
{
	char *start;

	ASSERT_EQ(0, lane_map_try(fd, offset, length, protection, &start));
	return start;
}

static inline char *map_twice(int fd, __u64 offset, size_t length, int protection)
{
	char *start = mmap(NULL, 2 * length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_TRUE(start != MAP_FAILED);
	for (int i = 0; i < 2; i++)
		ASSERT_TRUE(mmap64(start + i * length, length, protection, MAP_SHARED | MAP_FIXED,
				   fd, offset) != MAP_FAILED);
	return start;
}

static inline struct ring ring_map(int fd, const struct mailbox_lane_open *lane, bool sender)
{
	const size_t page = page_size();
	struct ring ring = {
		.fd = fd,
		.place = lane->place,
		.number = lane->lane,
		.bytes = lane->bytes,
		.offset = lane->offset,
	};

	ring.state = (void *)lane_map(fd, lane->offset, page, READ_ONLY);
	ring.consumer = (void *)lane_map(fd, lane->offset + MAILBOX_LANE_CONSUMER * page, page,
					 sender ? READ_ONLY : READ_WRITE);
	ring.producer = (void *)lane_map(fd, lane->offset + MAILBOX_LANE_PRODUCER * page, page,
					 sender ? READ_WRITE : READ_ONLY);
	ring.data = map_twice(fd, lane->offset + MAILBOX_LANE_DATA * page, lane->bytes,
			      sender ? READ_WRITE : READ_ONLY);
	return ring;
}

static inline void ring_unmap(struct ring *ring)
{
	const size_t page = page_size();

	munmap(ring->state, page);
	munmap(ring->consumer, page);
	munmap(ring->producer, page);
	munmap(ring->data, 2 * ring->bytes);
}

/* The lane of a handle, from its beginning. */
static inline struct ring ring_new(int fd, __u64 bytes)
{
	struct mailbox_lane_open lane = lane_open(fd, bytes);

	return ring_map(fd, &lane, true);
}

/* The next lane of the receiver, from its beginning. */
static inline struct ring ring_next(int fd, __u64 after)
{
	struct mailbox_lane_open lane = lane_next(fd, after);

	ASSERT_LT(after, lane.lane);
	return ring_map(fd, &lane, false);
}

static inline __u32 sleeps(const __u32 *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static inline __u32 ring_ended(const struct ring *ring)
{
	return __atomic_load_n(&ring->state->ended, __ATOMIC_RELAXED);
}

static inline __u64 record_size(__u32 length)
{
	return sizeof(struct mailbox_lane_record) + (length + 7ULL) / 8 * 8;
}

/* Written, not committed; -EAGAIN where there is no room. */
static inline int ring_write(struct ring *ring, const void *data, __u32 length)
{
	const __u64 tail = __atomic_load_n(&ring->consumer->tail, __ATOMIC_ACQUIRE);
	char *at = ring->data + (ring->own & (ring->bytes - 1));

	if (ring->own - tail > ring->bytes)
		return -EBADMSG;
	if (ring->bytes - (ring->own - tail) < record_size(length))
		return -EAGAIN;
	*(struct mailbox_lane_record *)at = (struct mailbox_lane_record){ .length = length };
	memcpy(at + sizeof(struct mailbox_lane_record), data, length);
	ring->own += record_size(length);
	return 0;
}

static inline void ring_commit(struct ring *ring)
{
	__atomic_store_n(&ring->producer->head, ring->own, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (sleeps(&ring->state->receiver_sleeps))
		lane_wake(ring->fd, 0, ring->number);
}

/* 0 or -EAGAIN. */
static inline int ring_put(struct ring *ring, const void *data, __u32 length)
{
	int ret = ring_write(ring, data, length);

	if (!ret)
		ring_commit(ring);
	return ret;
}

/* Waits for room; what LANE_WAIT says if that fails. */
static inline int ring_send(struct ring *ring, const void *data, __u32 length)
{
	struct mailbox_lane_wait args;
	int ret;

	while ((ret = ring_put(ring, data, length)) == -EAGAIN) {
		args = lane_room_args(0, record_size(length));
		ret = lane_wait(ring->fd, &args);
		if (ret)
			return ret;
	}
	return ret;
}

/* The length; -EAGAIN when it is empty, -EBADMSG when it is broken. */
static inline int ring_get(struct ring *ring, void *data, size_t room)
{
	const __u64 used = __atomic_load_n(&ring->producer->head, __ATOMIC_ACQUIRE) - ring->own;
	const char *at = ring->data + (ring->own & (ring->bytes - 1));
	__u32 length;

	if (!used)
		return -EAGAIN;
	if (used > ring->bytes || used % 8)
		return -EBADMSG;
	length = __atomic_load_n(&((const struct mailbox_lane_record *)at)->length,
				 __ATOMIC_RELAXED);
	if (record_size(length) > used || length > room)
		return -EBADMSG;
	memcpy(data, at + sizeof(struct mailbox_lane_record), length);
	ring->own += record_size(length);
	__atomic_store_n(&ring->consumer->tail, ring->own, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (sleeps(&ring->state->sender_sleeps))
		lane_wake(ring->fd, MAILBOX_LANE_RECEIVE, ring->number);
	return length;
}

/* A text of the ring, with a NUL behind it. */
#define EXPECT_TEXT(text, ring) \
	do { \
		char text_[64] = ""; \
		int length_ = ring_get(ring, text_, sizeof(text_) - 1); \
\
		EXPECT_EQ(strlen(text), length_); \
		EXPECT_STREQ(text, text_); \
	} while (0)

#endif /* SELFTESTS_COMMON_LANE_H */
