/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A route from a local mailbox to the server. Its parts, in the order of a message's path:
 *
 *	out.c		the thread: what it does when, and waits for
 *	out_take.c	takes messages from the mailbox, under leases
 *	out_peek.c	the same of a broadcast, which has no leases
 *	out_flight.c	messages under way: published, answered, published again
 *	out_refuse.c	what it means that the server does not take one
 *	out_dead.c	messages that can never go
 *	out_receipts.c	receipts that come back from other hosts, in a thread of their own
 */
#ifndef BRIDGE_OUT_H
#define BRIDGE_OUT_H

#include <pthread.h>
#include <sys/queue.h>

#include <nats/nats.h>

#include <mailbox.h>

#include "envelope.h"
#include "route.h"
#include "server.h"

/* Most messages that are taken in one entry into the kernel, and what each may have for that. */
#define OUT_BATCH 64
#define OUT_ROOM  4096
/* Bytes under way after which no more messages are taken. */
#define OUT_BYTES (16 * 1024 * 1024)

enum letter_state {
	LETTER_HELD, /* to be published, or to be published again */
	LETTER_FLYING, /* published, and libnats has its message */
	LETTER_LANDED, /* the server has it, or it has ended otherwise: the mailbox may forget it */
};

/* Why a letter cannot go. */
enum letter_misfit {
	LETTER_FITS,
	LETTER_LONG, /* for the server */
	LETTER_LONG_FOR_STREAM,
	LETTER_FILES, /* it has some */
};

/**
 * struct letter - a message of the mailbox on its way
 * @entry: in the letters under way, or those that are free
 * @state: one of enum letter_state (guarded by the lock of the flight, and so is @msg)
 * @msg: sealed; while it flies libnats owns it
 * @misfit: why it cannot go; written with the lock, or while it is held
 * @lease: in the mailbox; 0 of a broadcast; owner: the thread of the route, as of all that follow
 * @sequence: in the mailbox
 * @expiry: CLOCK_MONOTONIC, or 0
 * @length: of the payload, bytes
 * @first: when it was first published, CLOCK_MONOTONIC; 0: not yet
 * @last: when it was last published
 * @unknown: it was published, and nobody has told what has become of that
 * @moved: it counts as one that is where it should be
 * @received: of a broadcast: it is gone from the mailbox
 */
struct letter {
	TAILQ_ENTRY(letter) entry;
	enum letter_state state;
	natsMsg *msg;
	enum letter_misfit misfit;
	uint64_t lease;
	uint64_t sequence;
	uint64_t expiry;
	uint64_t length;
	uint64_t first;
	uint64_t last;
	bool unknown;
	bool moved;
	bool received;
};

TAILQ_HEAD(letters, letter);

/**
 * struct refusal - what the server had against a message
 * @status: of libnats; NATS_OK for nothing
 * @code: of JetStream, or 0
 * @text: in its words
 */
struct refusal {
	natsStatus status;
	int code;
	char text[128];
};

/**
 * struct flight - messages on their way
 * @route: whose they are; constant
 * @js: to publish with; constant
 * @all: room for all letters; constant
 * @lock: guards what follows. The threads of libnats take it in answered(), where they hold no
 *	lock of theirs; no function of libnats is called under it.
 * @landed: the last letter that flew is down
 * @under_way: letters in the order in which they go; only the thread of the route changes it
 * @next: no letter before this one is held; NULL: none is
 * @expected: where the next answer is looked for first, or NULL
 * @flying: letters in that state
 * @nr_landed: letters in that state
 * @first_refusal: since it was last asked for
 * @free: letters that are; owner: the thread of the route, as of all that follow
 * @nr: letters under way
 * @bytes: that these have
 * @published: how many were, so far
 * @limit: letters that may fly at once; it is one after a refusal and grows from there
 */
struct flight {
	struct route *route;
	jsCtx *js;
	struct letter *all;
	pthread_mutex_t lock;
	pthread_cond_t landed;
	struct letters under_way;
	struct letter *next, *expected;
	unsigned int flying, nr_landed;
	struct refusal first_refusal;
	struct letters free;
	unsigned int nr;
	uint64_t bytes;
	uint64_t published;
	unsigned int limit;
};

/* Which connection it is; all 0 for none. */
struct connection {
	uint64_t epoch, reconnects;
};

/**
 * struct out - a route out; all of it is of its thread, but for the flight
 * @route: which
 * @flight: what is under way
 * @connection: that everything which flies was published on
 * @statistics: room for those of libnats
 * @stream_known: it is there, as far as we know
 * @handle: the mailbox, or -1
 * @broadcast: it is one
 * @id: what all ids of its messages begin with
 * @sequence: of a broadcast, the number of the newest message that we have
 * @files: of the letter that has some; there is one at most
 * @nr_files: how many
 * @dead: handle of the mailbox of dead letters, or -1
 * @region: pages of the mailbox, mapped; or NULL
 * @region_size: of these
 * @messages: room for a batch
 * @data: payloads of that
 * @big: room for a message that is longer; mailbox_receive_alloc() has made it
 * @subjects: one for each band
 * @receipt: what HEADER_RECEIPT is to say; or ""
 * @refused: letters are refused, and the answers to the others that fly are waited for
 * @refusal: why, the first time
 * @trouble: something is wrong, and no letter has landed since
 * @backoff: while that is so
 * @patience: how often as long as usual an answer may take
 * @looked: when we looked last whether answers are missing, and how much there is
 * @sent_now: how many were published when what was buffered was last written
 */
struct out {
	struct route *route;
	struct flight flight;
	struct connection connection;
	natsStatistics *statistics;
	bool stream_known;
	int handle;
	bool broadcast;
	char id[ENVELOPE_ID_SIZE - 24];
	uint64_t sequence;
	int files[MAILBOX_FILES_MAX];
	unsigned int nr_files;
	int dead;
	void *region;
	size_t region_size;
	struct mailbox_message messages[OUT_BATCH];
	unsigned char *data;
	struct mailbox_message big;
	char subjects[CONFIG_BANDS_MAX][SERVER_NAME_SIZE];
	char receipt[2 * ENVELOPE_HOST_SIZE];
	bool refused;
	struct refusal refusal;
	bool trouble;
	struct backoff backoff;
	unsigned int patience;
	uint64_t looked;
	uint64_t sent_now;
};

/* --- out.c ---------------------------------------------------------------- */

/* Which connection there is now. */
struct connection out_connection(struct out *out);
/* Whether it is still the one that everything which flies was published on. */
bool out_connected(struct out *out);

/* --- out_take.c ------------------------------------------------------------ */

/**
 * out_take() - take messages, as many as there is room for
 * @out: the route
 *
 * Return: 0 when there may be more; -EAGAIN when there are none; -ENOMEM; or what is wrong with
 * the mailbox.
 */
int out_take(struct out *out);

/**
 * out_settle() - have the mailbox forget what has landed
 * @out: the route
 *
 * Return: 0, or what is wrong with the mailbox.
 */
int out_settle(struct out *out);

/**
 * out_accept() - make a letter of a message, the last one under way
 * @out: the route; a letter is free
 * @message: as it was received, or seen
 *
 * Return: the letter, or NULL without memory.
 */
struct letter *out_accept(struct out *out, const struct mailbox_message *message);

/* A message of whatever kind, with its files, to out->big; flags as for a receive. */
int out_receive_big(struct out *out, const struct mailbox_selection *selection, uint32_t flags);

/* What a letter was worth, and it is free. */
void out_done(struct out *out, struct letter *letter);

/* --- out_peek.c ------------------------------------------------------------ */

/* As out_take() and out_settle(), of a broadcast. */
int out_peek(struct out *out);
int out_settle_peeked(struct out *out);

/* --- out_flight.c ---------------------------------------------------------- */

/* Begin, and end; then nothing of libnats knows the flight any more. */
bool flight_init(struct flight *flight, struct route *route);
void flight_fini(struct flight *flight);

/* How many letters may be taken now. */
unsigned int flight_room(const struct flight *flight);
/* A free letter, held, at the end of those under way; there is one if there is room. */
struct letter *flight_add(struct flight *flight);
/* It is not under way any more, and has no message. */
void flight_remove(struct flight *flight, struct letter *letter);
/* It is where it should be, or has ended otherwise, and does not fly. */
void flight_land(struct flight *flight, struct letter *letter);
/* The first that is to be published; NULL: none is, or a refusal is to be looked at first. */
struct letter *flight_next(struct flight *flight);

/**
 * flight_publish() - publish a letter
 * @flight: it is the next of this
 * @letter: the letter
 *
 * Return: of libnats; when it is not NATS_OK the letter is held as before, but may have gone.
 */
natsStatus flight_publish(struct flight *flight, struct letter *letter);

/**
 * flight_recall() - nothing flies any more
 * @flight: what flew is held again; no answer that comes later counts
 */
void flight_recall(struct flight *flight);

/* Wait until nothing flies, or the deadline. */
void flight_wait(struct flight *flight, uint64_t deadline);
/* Whether a letter was refused since the last call, and why. */
bool flight_refused(struct flight *flight, struct refusal *refusal);
/* Letters that fly. */
unsigned int flight_flying(struct flight *flight);
/* Since when an answer is waited for, CLOCK_MONOTONIC; 0: for none. */
uint64_t flight_oldest(struct flight *flight);

/* --- out_refuse.c ---------------------------------------------------------- */

/**
 * out_refused() - the server does not take what it is given: say so
 * @out: the route
 * @refusal: what it had against it
 */
void out_refused(struct out *out, const struct refusal *refusal);

/* --- out_dead.c ------------------------------------------------------------ */

/**
 * out_bury() - have a letter that can never go out of the way
 * @out: the route
 * @letter: held
 *
 * Return: whether it is, and has landed. Else the route is blocked, and says so.
 */
bool out_bury(struct out *out, struct letter *letter);

/* Close the files of the letter that cannot go, if there are any. */
void out_close_files(struct out *out);

/* --- out_receipts.c -------------------------------------------------------- */

struct receipts;

/* A thread that brings receipts; NULL where it could not be started. */
struct receipts *receipts_start(struct route *route);
void receipts_stop(struct receipts *receipts);

#endif /* BRIDGE_OUT_H */
