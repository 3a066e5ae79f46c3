/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a route has taken from the server and not yet told it for good: a file that outlives a
 * bridge which is killed, and that the kernel itself writes to. seen.c says why that is exact.
 */
#ifndef BRIDGE_SEEN_H
#define BRIDGE_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/mailbox.h>

/* As in envelope.h; this one knows nothing of NATS, so that it can be tested alone. */
#define SEEN_ID_SIZE	  192
#define SEEN_RECEIPT_SIZE 128
#define SEEN_NAME_SIZE	  256
#define SEEN_REPLY_SIZE	  320
/*
 * Messages that are remembered after their slots are free: by number, in blocks of as many that
 * follow each other, and by id, in sets.
 */
#define SEEN_RECENT	  131072
#define SEEN_RECENT_BLOCK 64
#define SEEN_RECENT_IDS	  8192
#define SEEN_RECENT_SET	  8

/* What is known of a message besides the number that the kernel gave it. */
enum seen_flag {
	SEEN_WAITS = 1 << 0, /* its receipt of the kernel is to come before the server is told */
	SEEN_CONFIRM = 1 << 1, /* the server is told only of what was received */
	SEEN_ENDED = 1 << 2, /* that receipt has come: end and those after it are set */
	SEEN_DOOMED = 1 << 3, /* to be a dead letter when the server delivers it again */
	SEEN_TOLD = 1 << 4, /* who wanted a receipt has it */
};

/**
 * struct seen_slot - one message of the stream
 * @stream_sequence: of the message; 0 for a free slot. Written last, taken back first.
 * @stored: see struct seen_message
 * @hash: likewise
 * @time: of the last delivery, CLOCK_BOOTTIME nanoseconds
 * @mailbox: id of the one that it was sent to
 * @send: what the kernel is given, and writes the sequence to
 * @flags: of enum seen_flag
 * @band: that it came by
 * @which: of @reply is the one that counts
 * @end: one of enum mailbox_end
 * @pid: who received it, and so on
 * @uid: likewise
 * @end_time: when, CLOCK_MONOTONIC nanoseconds
 * @reply: where the server wants to be told. A new one is written beside the old one.
 * @id: of the message; for its receipt
 * @receipt: "host/route" that wants one, or ""
 */
struct seen_slot {
	uint64_t stream_sequence;
	int64_t stored;
	uint64_t hash;
	uint64_t time;
	uint64_t mailbox;
	struct mailbox_send send;
	uint32_t flags;
	uint32_t band;
	uint32_t which;
	uint32_t end;
	int32_t pid;
	uint32_t uid;
	uint64_t end_time;
	char reply[2][SEEN_REPLY_SIZE];
	char id[SEEN_ID_SIZE];
	char receipt[SEEN_RECEIPT_SIZE];
};

/**
 * struct seen_message - what tells a message from all others
 * @sequence: number in the stream
 * @stored: when the server has stored it, as it says. It may have lost its last messages, and given
 *	their numbers to others.
 * @hash: of its id; 0 without one. What is published again has it, too.
 */
struct seen_message {
	uint64_t sequence;
	int64_t stored;
	uint64_t hash;
};

/**
 * struct seen_recent - messages that the server knows to be done
 * @first: number of the first one of the block; written after all marks were taken back
 * @marks: of each: made of the time when it was stored, and 0 where it is not known to be done.
 *	Where a number was given again, one in 2^32 of the second ones has the mark of the first.
 */
struct seen_recent {
	uint64_t first;
	uint32_t marks[SEEN_RECENT_BLOCK];
};

/**
 * struct seen_recent_id - the id of a message that is done
 * @hash: of the id; 0 for none. Written last, taken back first.
 * @time: when it was done, CLOCK_BOOTTIME nanoseconds
 */
struct seen_recent_id {
	uint64_t hash;
	uint64_t time;
};

/**
 * struct seen_head - the beginning of the file
 * @magic: SEEN_MAGIC
 * @version: SEEN_VERSION
 * @slot_size: bytes of a struct seen_slot
 * @nr_slots: that follow
 * @reserved: 0
 * @created: of the stream, as the server says; with its name, what the numbers mean
 * @last: of a broadcast, the last number that came here; 0 before the first
 * @boot: of this machine; another one has none of the mailboxes
 * @stream: name
 */
struct seen_head {
	uint64_t magic;
	uint32_t version;
	uint32_t slot_size;
	uint32_t nr_slots;
	uint32_t reserved;
	int64_t created;
	uint64_t last;
	char boot[40];
	char stream[SEEN_NAME_SIZE];
};

/**
 * struct seen - an open memory
 * @head: in the file, as all that follows it
 * @slots: behind @head
 * @recent: blocks of SEEN_RECENT numbers, behind these: what the server knows for good. One that
 *	was killed has forgotten some of it, counts deliveries anew, and gives it again after ack_wait.
 * @recent_ids: SEEN_RECENT_IDS: what was done last, by hash of the id in one of SEEN_RECENT_SET
 *	places: a server that was restarted has forgotten ids, and may have stored a message again
 * @nr: slots
 * @size: bytes mapped
 * @lock: descriptor that has the flock
 * @anew: it began with nothing: the file was new, or meant nothing any more
 */
struct seen {
	struct seen_head *head;
	struct seen_slot *slots;
	struct seen_recent *recent;
	struct seen_recent_id *recent_ids;
	unsigned int nr;
	size_t size;
	int lock;
	bool anew;
};

/**
 * seen_open() - open the memory of a route, or begin one
 * @seen: filled in on success
 * @state: folder, made if it is missing
 * @route: name of the route
 * @boot: of this machine
 * @nr: slots that are wanted; there are more when the file has more in use
 * @text: where a sentence goes that says what is wrong and what to do
 * @size: bytes at @text
 *
 * Another boot: begun anew, since the mailboxes have gone with all that was in them, and what the
 * server was not told it delivers again. A file that is none of ours, or of another version: an
 * error, since what it knows would be lost.
 *
 * Return: 0 or a negative errno; -EBUSY when another bridge has it.
 */
int seen_open(struct seen *seen, const char *state, const char *route, const char *boot,
	      unsigned int nr, char *text, size_t size);

/**
 * seen_close() - close it; what it knows stays
 * @seen: open
 */
void seen_close(struct seen *seen);

/**
 * seen_stream() - say which stream the numbers are of
 * @seen: open
 * @stream: its name
 * @created: its time, as the server says
 *
 * Of another stream no number is kept: its messages are gone, and cannot be delivered again.
 *
 * Return: whether it is the same as before, or nothing was known.
 */
bool seen_stream(struct seen *seen, const char *stream, int64_t created);

/**
 * seen_add() - note a message that the server has delivered
 * @slot: free
 * @message: which
 * @reply: where the server wants to be told
 * @time: CLOCK_BOOTTIME nanoseconds
 * @band: that it came by
 *
 * Return: 0, or -ENAMETOOLONG.
 */
int seen_add(struct seen_slot *slot, const struct seen_message *message, const char *reply,
	     uint64_t time, unsigned int band);

/**
 * seen_renew() - it was delivered again
 * @slot: in use
 * @reply: where the server wants to be told now
 * @time: CLOCK_BOOTTIME nanoseconds
 *
 * Return: 0, or -ENAMETOOLONG and nothing is changed.
 */
int seen_renew(struct seen_slot *slot, const char *reply, uint64_t time);

/**
 * seen_free() - the server knows: forget it
 * @slot: in use
 */
void seen_free(struct seen_slot *slot);

/**
 * seen_remember() - the server knows of a message for good
 * @seen: open
 * @slot: of the message, not yet free
 */
void seen_remember(struct seen *seen, const struct seen_slot *slot);

/**
 * seen_remembers() - whether the server once knew of this message for good
 * @seen: open
 * @message: which
 */
bool seen_remembers(const struct seen *seen, const struct seen_message *message);

/**
 * seen_remember_id() - the message with this id is done; the oldest one of its set is forgotten
 * @seen: open
 * @slot: of the message
 * @time: CLOCK_BOOTTIME nanoseconds
 */
void seen_remember_id(struct seen *seen, const struct seen_slot *slot, uint64_t time);

/**
 * seen_remembers_id() - whether a message with this id was done
 * @seen: open
 * @hash: of the id
 * @since: not before that, CLOCK_BOOTTIME nanoseconds
 */
bool seen_remembers_id(const struct seen *seen, uint64_t hash, uint64_t since);

/* Where the server wants to be told. */
static inline const char *seen_reply(const struct seen_slot *slot)
{
	return slot->reply[slot->which & 1];
}

/* Whether the kernel has accepted it. */
static inline bool seen_sent(const struct seen_slot *slot)
{
	return slot->send.sequence;
}

#endif /* BRIDGE_SEEN_H */
