// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Lanes: the end of the receiver, who has all of them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lane.h"

/* Messages taken from one lane before the next has its turn. */
#define BURST 32

/* Sets of lanes are bits, by the place that the kernel gives each. */
struct mailbox_lanes {
	int handle;
	unsigned int spins;
	unsigned int turn; /* the lane that is read */
	unsigned int burst; /* what it may still give in this turn; 0 when it is over */
	uint64_t open; /* those that there are */
	uint64_t over; /* of these: to be closed, once none of their messages is held */
	uint64_t held; /* of these: with messages that were given and not released */
	uint64_t told; /* the last one that LANE_OPEN has told about */
	uint64_t newest; /* when LANE_WAIT told last */
	uint32_t opened; /* the same by the state pages, when looked at last */
	struct {
		uint64_t number;
		struct mbx_ring_in in;
	} lanes[MAILBOX_LANES_MAX];
};

/* Takes in the lanes that are new. */
static int adopt(struct mailbox_lanes *lanes)
{
	for (;;) {
		struct mailbox_lane_open open = {
			.size = sizeof(open),
			.flags = MAILBOX_LANE_RECEIVE,
			.lane = lanes->told,
		};
		struct mbx_ring_in in = { 0 };
		int ret;

		ret = mbx_call(lanes->handle, MAILBOX_IOC_LANE_OPEN, &open);
		if (ret || !open.lane)
			return ret;
		ret = mbx_lane_map(lanes->handle, &open, &in.ring);
		if (ret)
			return ret;
		lanes->lanes[open.place].number = open.lane;
		lanes->lanes[open.place].in = in;
		lanes->open |= 1ULL << open.place;
		lanes->told = open.lane;
	}
}

int mailbox_lanes_open(int handle, struct mailbox_lanes **lanes)
{
	struct mailbox_lanes *new = calloc(1, sizeof(*new));
	int ret;

	if (!new)
		return -ENOMEM;

	new->handle = handle;
	new->spins = mbx_lane_spins();
	ret = adopt(new);
	if (ret) {
		mailbox_lanes_close(new);
		return ret;
	}
	*lanes = new;
	return 0;
}

void mailbox_lanes_close(struct mailbox_lanes *lanes)
{
	uint64_t left;

	mbx_lane_end(lanes->handle, 0, MAILBOX_LANE_RECEIVE);
	for (left = lanes->open; left; left &= left - 1)
		mbx_lane_unmap(&lanes->lanes[__builtin_ctzll(left)].in.ring);
	free(lanes);
}

/* Only of those that are over and not held. The place is free for another lane from then on. */
static void reap(struct mailbox_lanes *lanes)
{
	uint64_t left = lanes->over & ~lanes->held;
	unsigned int i;

	lanes->open &= ~left;
	lanes->over &= ~left;
	for (; left; left &= left - 1) {
		i = __builtin_ctzll(left);
		mbx_lane_end(lanes->handle, lanes->lanes[i].number, MAILBOX_LANE_RECEIVE);
		mbx_lane_unmap(&lanes->lanes[i].in.ring);
	}
}

void mailbox_lanes_release(struct mailbox_lanes *lanes)
{
	unsigned int i;

	for (; lanes->held; lanes->held &= lanes->held - 1) {
		i = __builtin_ctzll(lanes->held);
		if (mbx_ring_release(&lanes->lanes[i].in))
			mbx_lane_wake(lanes->handle, lanes->lanes[i].number, MAILBOX_LANE_RECEIVE);
	}
	if (lanes->over)
		reap(lanes);
}

/* -EAGAIN when that lane is empty, and then it may be over. */
static int take_from(struct mailbox_lanes *lanes, unsigned int i,
		     struct mailbox_lane_message *message)
{
	struct mbx_ring_in *in = &lanes->lanes[i].in;
	uint32_t length;
	int ret;

	ret = mbx_ring_next(in, &message->data, &length);
	if (!ret) {
		if (!mbx_ring_ended(&in->ring))
			return -EAGAIN;
		/* What was committed before the end is seen now, if not before. */
		ret = mbx_ring_next(in, &message->data, &length);
	}
	if (ret <= 0) {
		lanes->over |= 1ULL << i;
		/* No more turns for it. */
		lanes->burst = 0;
		message->lane = lanes->lanes[i].number;
		return ret ? -EBADMSG : -EAGAIN;
	}
	lanes->held |= 1ULL << i;
	message->lane = lanes->lanes[i].number;
	message->length = length;
	return 0;
}

/* Whether there are lanes that are not known costs a look at a page while any is known. */
static int look_for_lanes(struct mailbox_lanes *lanes)
{
	const struct mailbox_lane_state *state;
	uint32_t opened = 0;
	int ret;

	if (lanes->open) {
		state = lanes->lanes[__builtin_ctzll(lanes->open)].in.ring.state;
		opened = __atomic_load_n(&state->opened, __ATOMIC_ACQUIRE);
		if (opened == lanes->opened)
			return 0;
	}
	ret = adopt(lanes);
	if (!ret)
		lanes->opened = opened;
	return ret;
}

/* The first message, in turn: from the lane that has it, then from those after it. */
static int take(struct mailbox_lanes *lanes, struct mailbox_lane_message *message)
{
	uint64_t left, after;
	int ret, problem;

	if (lanes->burst) {
		lanes->burst--;
		ret = take_from(lanes, lanes->turn, message);
		if (ret != -EAGAIN)
			return ret;
	}

	if (lanes->over)
		reap(lanes);
	problem = look_for_lanes(lanes);
	left = lanes->open & ~lanes->over;
	while (left) {
		after = left & ~((2ULL << lanes->turn) - 1);
		lanes->turn = __builtin_ctzll(after ? after : left);
		lanes->burst = BURST - 1;
		left &= ~(1ULL << lanes->turn);
		ret = take_from(lanes, lanes->turn, message);
		if (ret != -EAGAIN)
			return ret;
	}
	/* Or the kernel goes on to say that they want to be closed. */
	if (lanes->over)
		reap(lanes);
	return problem ? problem : -EAGAIN;
}

static int wait_for_message(struct mailbox_lanes *lanes, uint32_t flags, uint64_t deadline)
{
	struct mailbox_lane_wait wait = {
		.size = sizeof(wait),
		.flags = flags | MAILBOX_LANE_RECEIVE,
		.deadline = deadline,
		.opened = lanes->newest,
	};
	int ret;

	ret = mbx_call(lanes->handle, MAILBOX_IOC_LANE_WAIT, &wait);
	if (ret || wait.opened == lanes->newest)
		return ret;
	ret = adopt(lanes);
	if (!ret)
		lanes->newest = wait.opened;
	return ret;
}

static int take_patiently(struct mailbox_lanes *lanes, struct mailbox_lane_message *message,
			  uint32_t flags, uint64_t deadline)
{
	unsigned int i;
	int ret, waited;

	for (;;) {
		/* Without a lane there is nothing to look at but the kernel. */
		for (i = lanes->open ? lanes->spins : 0; i; i--) {
			mbx_lane_relax();
			ret = take(lanes, message);
			if (ret != -EAGAIN)
				return ret;
		}
		waited = wait_for_message(lanes, flags, deadline);
		/* Whatever ended the wait, be it the mailbox: what was committed comes first. */
		ret = take(lanes, message);
		if (ret != -EAGAIN)
			return ret;
		if (waited)
			return waited;
		/* A sender that moves its position to and fro must not hold us up for ever. */
		if (flags & MAILBOX_DEADLINE && mailbox_now() >= deadline)
			return -ETIMEDOUT;
	}
}

/* Where the lane whose turn it is has nothing, or no more turn. */
static int __attribute__((noinline))
next_of_any(struct mailbox_lanes *lanes, struct mailbox_lane_message *message, uint32_t flags,
	    uint64_t deadline)
{
	int ret = take(lanes, message);

	if (ret != -EAGAIN || lanes->held || flags & MAILBOX_NONBLOCK)
		return ret;
	return take_patiently(lanes, message, flags, deadline);
}

int mailbox_lanes_next(struct mailbox_lanes *lanes, struct mailbox_lane_message *message,
		       uint32_t flags, uint64_t deadline)
{
	unsigned int i = lanes->turn;
	uint32_t length;

	if (flags & ~(MAILBOX_NONBLOCK | MAILBOX_DEADLINE))
		return -EOPNOTSUPP;

	/* The usual case, in one piece. */
	if (!lanes->burst || mbx_ring_next(&lanes->lanes[i].in, &message->data, &length) <= 0)
		return next_of_any(lanes, message, flags, deadline);
	lanes->burst--;
	lanes->held |= 1ULL << i;
	message->lane = lanes->lanes[i].number;
	message->length = length;
	return 0;
}

/* Where nothing is there, or something is held, or another lane has its turn. */
static ssize_t __attribute__((noinline))
receive_any(struct mailbox_lanes *lanes, void *data, size_t room)
{
	struct mailbox_lane_message message;
	int ret;

	if (lanes->held)
		mailbox_lanes_release(lanes);
	ret = mailbox_lanes_next(lanes, &message, 0, 0);
	if (ret)
		return ret;
	if (message.length > room) {
		mbx_ring_undo(&lanes->lanes[lanes->turn].in, message.length);
		ret = -EMSGSIZE;
	} else {
		memcpy(data, message.data, message.length);
	}
	mailbox_lanes_release(lanes);
	return ret ? ret : (ssize_t)message.length;
}

ssize_t mailbox_lanes_receive(struct mailbox_lanes *lanes, void *data, size_t room)
{
	struct mbx_ring_in *in = &lanes->lanes[lanes->turn].in;
	const void *from;
	uint32_t length;

	/* The usual case, in one piece: the lane whose turn it is has one more. */
	if (lanes->held || !lanes->burst || mbx_ring_next(in, &from, &length) <= 0)
		return receive_any(lanes, data, room);
	if (length > room) {
		mbx_ring_undo(in, length);
		return -EMSGSIZE;
	}
	lanes->burst--;
	memcpy(data, from, length);
	if (mbx_ring_show_tail(in))
		mbx_lane_wake(lanes->handle, lanes->lanes[lanes->turn].number,
			      MAILBOX_LANE_RECEIVE);
	return length;
}
