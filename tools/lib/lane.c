// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Lanes: the end of a sender. What both ends share is here, too.
 */
#define _FILE_OFFSET_BITS 64 /* the pages of a lane lie far out */

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lane.h"

struct mailbox_lane {
	struct mbx_ring_out out;
	int handle;
	uint64_t number;
	unsigned int spins;
};

static void *map_page(int handle, uint64_t offset, int protection)
{
	void *page = mmap(NULL, sysconf(_SC_PAGESIZE), protection, MAP_SHARED, handle, offset);

	return page == MAP_FAILED ? NULL : page;
}

/* The second one directly behind the first, see ring.h. */
static char *map_data(int handle, uint64_t offset, size_t bytes, int protection)
{
	char *data = mmap(NULL, 2 * bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int i, error;

	if (data == MAP_FAILED)
		return NULL;
	for (i = 0; i < 2; i++) {
		if (mmap(data + i * bytes, bytes, protection, MAP_SHARED | MAP_FIXED, handle,
			 offset) == MAP_FAILED) {
			error = errno;
			munmap(data, 2 * bytes);
			errno = error;
			return NULL;
		}
	}
	return data;
}

int mbx_lane_map(int handle, const struct mailbox_lane_open *lane, struct mbx_ring *ring)
{
	bool receiver = lane->flags & MAILBOX_LANE_RECEIVE;
	int mine = PROT_READ | PROT_WRITE, theirs = PROT_READ;
	size_t page = sysconf(_SC_PAGESIZE);
	uint64_t offset = lane->offset;
	int error;

	*ring = (struct mbx_ring){ .bytes = lane->bytes };
	ring->state = map_page(handle, offset + MAILBOX_LANE_STATE * page, theirs);
	if (ring->state)
		ring->tail = map_page(handle, offset + MAILBOX_LANE_CONSUMER * page,
				      receiver ? mine : theirs);
	if (ring->tail)
		ring->head = map_page(handle, offset + MAILBOX_LANE_PRODUCER * page,
				      receiver ? theirs : mine);
	if (ring->head)
		ring->data = map_data(handle, offset + MAILBOX_LANE_DATA * page, ring->bytes,
				      receiver ? theirs : mine);
	if (ring->data)
		return 0;

	error = errno;
	mbx_lane_unmap(ring);
	return -error;
}

void mbx_lane_unmap(const struct mbx_ring *ring)
{
	size_t page = sysconf(_SC_PAGESIZE);

	if (ring->data)
		munmap(ring->data, 2 * ring->bytes);
	if (ring->head)
		munmap(ring->head, page);
	if (ring->tail)
		munmap(ring->tail, page);
	if (ring->state)
		munmap((void *)ring->state, page);
}

void mbx_lane_wake(int handle, uint64_t number, uint32_t flags)
{
	struct mailbox_lane_wake wake = {
		.size = sizeof(wake),
		.flags = flags,
		.lane = number,
	};

	mbx_call(handle, MAILBOX_IOC_LANE_WAKE, &wake);
}

void mbx_lane_end(int handle, uint64_t number, uint32_t flags)
{
	struct mailbox_lane_close end = { .size = sizeof(end), .flags = flags, .lane = number };

	mbx_call(handle, MAILBOX_IOC_LANE_CLOSE, &end);
}

/* The other side can only move on while this one looks where there is another processor. */
unsigned int mbx_lane_spins(void)
{
	cpu_set_t set;

	return !sched_getaffinity(0, sizeof(set), &set) && CPU_COUNT(&set) == 1 ? 0 : 100;
}

uint64_t mailbox_lane_number(const struct mailbox_lane *lane)
{
	return lane->number;
}

int mailbox_lane_open(int handle, size_t bytes, struct mailbox_lane **lane)
{
	struct mailbox_lane_open open = { .size = sizeof(open), .bytes = bytes };
	struct mailbox_lane *new = calloc(1, sizeof(*new));
	int ret;

	if (!new)
		return -ENOMEM;

	ret = mbx_call(handle, MAILBOX_IOC_LANE_OPEN, &open);
	if (ret)
		goto err_free;

	ret = mbx_lane_map(handle, &open, &new->out.ring);
	if (ret)
		goto err_end;

	new->handle = handle;
	new->number = open.lane;
	new->spins = mbx_lane_spins();
	*lane = new;
	return 0;

err_end:
	mbx_lane_end(handle, open.lane, 0);
err_free:
	free(new);
	return ret;
}

void mailbox_lane_close(struct mailbox_lane *lane)
{
	mbx_lane_end(lane->handle, lane->number, 0);
	mbx_lane_unmap(&lane->out.ring);
	free(lane);
}

void mailbox_lane_commit(struct mailbox_lane *lane)
{
	if (mbx_ring_commit(&lane->out))
		mbx_lane_wake(lane->handle, lane->number, 0);
}

static int lane_ended(const struct mailbox_lane *lane)
{
	uint32_t ended = mbx_ring_ended(&lane->out.ring);

	if (!ended)
		return 0;
	if (ended & MAILBOX_LANE_DESTROYED)
		return -EIDRM;
	return ended & MAILBOX_LANE_SENDER_GONE ? -EACCES : -EPIPE;
}

/* 0 when there is room, which the receiver may make while this looks. */
static int look_for_room(struct mailbox_lane *lane, uint64_t needs)
{
	unsigned int spins = lane->spins;
	int ret;

	do {
		ret = lane_ended(lane);
		if (ret)
			return ret;
		ret = mbx_ring_has_room(&lane->out, needs);
		if (ret)
			return ret < 0 ? -EBADMSG : 0;
		mbx_lane_relax();
	} while (spins--);
	return -EAGAIN;
}

static int wait_for_room(struct mailbox_lane *lane, uint64_t needs, uint32_t flags,
			 uint64_t deadline)
{
	struct mailbox_lane_wait wait = {
		.size = sizeof(wait),
		.flags = flags,
		.deadline = deadline,
		.room = needs,
	};
	int ret;

	/* The receiver cannot make room of what it has not seen. */
	mailbox_lane_commit(lane);
	if (flags & MAILBOX_NONBLOCK)
		return -EAGAIN;
	for (;;) {
		ret = look_for_room(lane, needs);
		if (ret != -EAGAIN)
			return ret;
		ret = mbx_call(lane->handle, MAILBOX_IOC_LANE_WAIT, &wait);
		if (ret)
			return ret;
		/* A receiver that moves its position to and fro must not hold us up for ever. */
		if (flags & MAILBOX_DEADLINE && mailbox_now() >= deadline)
			return look_for_room(lane, needs) ? -ETIMEDOUT : 0;
	}
}

/* Where there is no room, or nobody who reads, or a length that does not fit. */
static int __attribute__((noinline))
get_room(struct mailbox_lane *lane, size_t length, uint32_t flags, uint64_t deadline)
{
	const uint64_t bytes = lane->out.ring.bytes;
	uint64_t needs;
	int ret;

	if (length > bytes)
		return -EMSGSIZE;
	needs = mbx_ring_needs(length);
	if (needs > bytes)
		return -EMSGSIZE;

	ret = lane_ended(lane);
	if (ret)
		return ret;
	ret = mbx_ring_has_room(&lane->out, needs);
	if (ret <= 0)
		return ret ? -EBADMSG : wait_for_room(lane, needs, flags, deadline);
	return 0;
}

/* What every message goes through: the usual case is here, in one piece. */
static inline int reserve(struct mailbox_lane *lane, size_t length, uint32_t flags,
			  uint64_t deadline, void **data)
{
	int ret;

	if (!mbx_ring_has_room_now(&lane->out, length) || mbx_ring_ended(&lane->out.ring)) {
		ret = get_room(lane, length, flags, deadline);
		if (ret)
			return ret;
	}
	*data = mbx_ring_add(&lane->out, length);
	return 0;
}

int mailbox_lane_reserve(struct mailbox_lane *lane, size_t length, uint32_t flags,
			 uint64_t deadline, void **data)
{
	if (flags & ~(MAILBOX_NONBLOCK | MAILBOX_DEADLINE))
		return -EOPNOTSUPP;
	return reserve(lane, length, flags, deadline, data);
}

int mailbox_lane_send(struct mailbox_lane *lane, const void *data, size_t length)
{
	void *to;
	int ret;

	ret = reserve(lane, length, 0, 0, &to);
	if (ret)
		return ret;
	memcpy(to, data, length);
	if (mbx_ring_show_head(&lane->out))
		mbx_lane_wake(lane->handle, lane->number, 0);
	return 0;
}
