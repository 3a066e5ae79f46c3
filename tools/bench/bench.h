/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is measured against what: a channel carries messages of one size in one
 * direction, a peer is a kind of IPC that can make channels.
 *
 * What is called in a measured loop allocates nothing and asks nothing first: each
 * peer prepares all it can when the channel is opened. A failure there ends the program.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Messages in one batch. */
#define BATCH 32

/* Highest priority that is used: what mailboxes and POSIX queues both have. */
#define PRIORITIES 32768

/**
 * enum choice - how a receiver picks a message out of a backlog
 * @BY_PRIORITY: the one of highest priority
 * @BY_TYPE: the one of a given type
 * @BY_LOWEST: the one of the lowest type
 */
enum choice {
	BY_PRIORITY,
	BY_TYPE,
	BY_LOWEST,
	NR_CHOICES,
};

/**
 * struct channel - one way from a sender to a receiver
 * @size: of each message
 * @depth: messages that it holds
 * @out: what is sent: a batch of messages where the channel holds so many, else one
 * @in: what was received, likewise
 */
struct channel {
	size_t size;
	unsigned int depth;
	char *out;
	char *in;
};

enum peer_flag {
	/* No competitor: it shows how low one could get. */
	PEER_FLOOR = 1 << 0,
	/* Several may send and several receive. */
	PEER_SHARED = 1 << 1,
	/* A stream of bytes: messages are kept apart by their common size only. */
	PEER_BYTES = 1 << 2,
	/* No competitor: ours. */
	PEER_OURS = 1 << 3,
};

/**
 * struct peer - a kind of IPC
 * @name: in all outputs
 * @flags: of enum peer_flag
 * @size_max: longest message, 0 if what open() takes decides
 * @choices: bits 1 << enum choice
 * @open: makes a channel; NULL when this peer, or this user, cannot
 * @close: ends it
 * @send: sends what is at out; waits for room
 * @receive: receives to in; waits for a message
 * @send_batch: sends a batch at once; NULL when there is no such call
 * @receive_batch: receives a batch that is there
 * @send_as: sends with a priority or a type
 * @receive_by: receives by a type; the value does not matter to other choices
 * @make: makes the object and ends it again
 * @call: sends what is at out, and has the answer to in, in one; NULL when there is no such
 *	call. Who has it takes part in round trips and nothing else, and sends and receives
 *	not at all.
 * @serve: answers so many calls, with what they say
 */
struct peer {
	const char *name;
	unsigned int flags;
	size_t size_max;
	unsigned int choices;
	struct channel *(*open)(size_t size, unsigned int depth);
	void (*close)(struct channel *channel);
	void (*send)(struct channel *channel);
	void (*receive)(struct channel *channel);
	void (*send_batch)(struct channel *channel);
	void (*receive_batch)(struct channel *channel);
	void (*send_as)(struct channel *channel, enum choice choice, unsigned int value);
	void (*receive_by)(struct channel *channel, enum choice choice, unsigned int value);
	void (*make)(void);
	void (*call)(struct channel *channel);
	void (*serve)(struct channel *channel, unsigned int times);
};

extern const struct peer peer_mailbox, peer_calls, peer_loan, peer_lane, peer_sysv, peer_mq,
	peer_pipe, peer_packet_pipe, peer_seqpacket, peer_dgram, peer_eventfd, peer_ring,
	peer_ioctls, peer_syscalls, peer_sysv_shim;

extern const struct peer *const peers[];
extern const size_t nr_peers;

/* --- channel.c */
bool channel_init(struct channel *channel, size_t size, unsigned int depth);
void channel_fini(struct channel *channel);
/* Does what was sent arrive? Ends the program if not. */
void channel_check(const struct peer *peer, struct channel *channel);
/* Memory that is there, and stays there. */
void *memory_get(size_t bytes);
void memory_put(void *memory, size_t bytes);

/* --- peers.c */
const struct peer *peer_find(const char *name);

/* --- peer_mailbox.c */
/* Bytes that this user is charged for. */
uint64_t mailbox_charged(void);
/* A handle of a new one; -1 when that fails. */
int mailbox_open_new(size_t size, unsigned int depth);
/* The same with a region of so many bytes. */
int mailbox_open_with(size_t size, unsigned int depth, size_t region);

/* --- main.c */
/* Ends the program. @what was attempted, errno says why it failed. */
void fail(const char *peer, const char *what) __attribute__((noreturn));

/* --- limits.c */
/* As far as this user may: what the kernel lets the peers hold. */
void limits_raise(void);

#endif
