/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The ring of a lane, as its two ends use it. Not installed.
 *
 * Nothing here enters the kernel, so it can be tested without one.
 *
 * What the other side can write is read once and bounded, and the copy is used. The sender
 * can be fooled by the position of the receiver alone, the receiver by that of the sender and
 * by the lengths of records; neither is led outside of the ring by them.
 *
 * The data is mapped twice, the second time behind the first: what goes beyond the end of
 * the ring comes out at its beginning, so a record is in one piece wherever it starts.
 *
 * No wake-up is lost, since each side writes its own word before it reads that of the other,
 * with a full barrier in between; here for a receiver that sleeps, and for a sender alike::
 *
 *	sender				receiver, in the kernel
 *	head = new			receiver_sleeps = 1
 *	full barrier			full barrier
 *	read receiver_sleeps		read head
 *	1: LANE_WAKE			new: do not sleep
 *
 * Without the barriers both reads may come before both writes: the sender sees nobody sleep,
 * and the receiver sees nothing new.
 */
#ifndef LIBMAILBOX_RING_H
#define LIBMAILBOX_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/mailbox.h>

/* The pages, each of which only one side writes. Positions count bytes and never wrap. */
struct mbx_ring {
	const struct mailbox_lane_state *state; /* the kernel's */
	uint64_t *head; /* the sender's: where it goes on to write */
	uint64_t *tail; /* the receiver's: where it goes on to read */
	char *data; /* the sender's, mapped twice */
	uint64_t bytes; /* of data, once: a power of two */
};

/* A sender: what is from committed to head is written, and not yet to be seen. */
struct mbx_ring_out {
	struct mbx_ring ring;
	uint64_t head;
	uint64_t committed;
	uint64_t tail; /* of the receiver, when last looked at */
};

/* A receiver: what is from released to tail is read, and not yet to be written over. */
struct mbx_ring_in {
	struct mbx_ring ring;
	uint64_t tail;
	uint64_t released;
	uint64_t head; /* of the sender, when last looked at */
};

/* Bytes that a record of so much payload takes. Lengths have 32 bits, so this does not wrap. */
static inline uint64_t mbx_ring_needs(uint32_t length)
{
	return (sizeof(struct mailbox_lane_record) + (uint64_t)length + 7) & ~7ULL;
}

static inline char *mbx_ring_at(const struct mbx_ring *ring, uint64_t position)
{
	return ring->data + (position & (ring->bytes - 1));
}

static inline uint32_t mbx_ring_ended(const struct mbx_ring *ring)
{
	return __atomic_load_n(&ring->state->ended, __ATOMIC_ACQUIRE);
}

/* Is there room for one more record, as far as is known without a look at the receiver? */
static inline bool mbx_ring_has_room_now(const struct mbx_ring_out *out, size_t length)
{
	const uint64_t room = out->ring.bytes - (out->head - out->tail);

	/* The first for lengths of more than 32 bits. */
	return length < room && mbx_ring_needs(length) <= room;
}

/* 1 when there is room for so many bytes, 0 when there is not, -1 when tail makes no sense. */
static inline int mbx_ring_has_room(struct mbx_ring_out *out, uint64_t needs)
{
	uint64_t tail;

	if (needs <= out->ring.bytes - (out->head - out->tail))
		return 1;

	/* Acquire: the receiver has read what was there, see mbx_ring_release(). */
	tail = __atomic_load_n(out->ring.tail, __ATOMIC_ACQUIRE);
	if (tail - out->tail > out->committed - out->tail)
		return -1;
	out->tail = tail;
	return needs <= out->ring.bytes - (out->head - tail);
}

/* Where the payload of one more record goes, for which there is room. */
static inline void *mbx_ring_add(struct mbx_ring_out *out, uint32_t length)
{
	struct mailbox_lane_record *record = (void *)mbx_ring_at(&out->ring, out->head);

	record->length = length;
	record->reserved = 0;
	out->head += mbx_ring_needs(length);
	return record + 1;
}

/* Shows the receiver what was added. True when it sleeps, and has to be woken. */
static inline bool mbx_ring_show_head(struct mbx_ring_out *out)
{
	/* Release: whoever reads this head reads what was written before it. */
	__atomic_store_n(out->ring.head, out->head, __ATOMIC_RELEASE);
	out->committed = out->head;
	/* Full: head before receiver_sleeps, see the top of this file. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return __atomic_load_n(&out->ring.state->receiver_sleeps, __ATOMIC_RELAXED);
}

/* The same, where there may be nothing to be shown. */
static inline bool mbx_ring_commit(struct mbx_ring_out *out)
{
	return out->head != out->committed && mbx_ring_show_head(out);
}

/*
 * 1 with the payload of the next record, which stays as it is until mbx_ring_release() (but
 * for a sender that breaks the rules), 0 when there is none, -1 when what is there makes no
 * sense, and will not be looked at.
 */
static inline int mbx_ring_next(struct mbx_ring_in *in, const void **data, uint32_t *length)
{
	const struct mailbox_lane_record *record;
	uint64_t head, used;
	uint32_t payload;

	if (in->tail == in->head) {
		/* Acquire: pairs with mbx_ring_commit(). */
		head = __atomic_load_n(in->ring.head, __ATOMIC_ACQUIRE);
		used = head - in->tail;
		if (!used)
			return 0;
		if (used > in->ring.bytes || used % 8)
			return -1;
		in->head = head;
	}

	record = (const void *)mbx_ring_at(&in->ring, in->tail);
	/* Once, whatever the compiler thinks of it: the sender may be changing it. */
	payload = __atomic_load_n(&record->length, __ATOMIC_RELAXED);
	if (mbx_ring_needs(payload) > in->head - in->tail)
		return -1;
	in->tail += mbx_ring_needs(payload);
	*data = record + 1;
	*length = payload;
	return 1;
}

/* Back to before the last record, which mbx_ring_next() gives again. */
static inline void mbx_ring_undo(struct mbx_ring_in *in, uint32_t length)
{
	in->tail -= mbx_ring_needs(length);
}

/* Lets the sender write over what was read. True when it sleeps, and has to be woken. */
static inline bool mbx_ring_show_tail(struct mbx_ring_in *in)
{
	/* Release: what was read is read before somebody writes over it. */
	__atomic_store_n(in->ring.tail, in->tail, __ATOMIC_RELEASE);
	in->released = in->tail;
	/* Full: tail before sender_sleeps, as above. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return __atomic_load_n(&in->ring.state->sender_sleeps, __ATOMIC_RELAXED);
}

/* The same, where there may be nothing that was read. */
static inline bool mbx_ring_release(struct mbx_ring_in *in)
{
	return in->tail != in->released && mbx_ring_show_tail(in);
}

#endif /* LIBMAILBOX_RING_H */
