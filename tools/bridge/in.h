/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A route that receives: JetStream -> local mailbox. Who does what:
 *
 *	fetchers	one thread for each band: ask the server for messages, no more than there
 *			are slots and room, and put them in the queue of their band
 *	the route	sends them to the mailbox, highest band first, tells the server, and does
 *			all else
 *	libnats		says that the server has got our acknowledgements
 *
 * A session lasts as long as one connection and one mailbox.
 */
#ifndef BRIDGE_IN_H
#define BRIDGE_IN_H

#include <nats/nats.h>

#include <mailbox.h>

#include "receipt.h"
#include "route.h"
#include "seen.h"
#include "server.h"
#include "turn.h"

#define IN_NONE	      UINT32_MAX
#define IN_HASH	      8192
#define IN_BATCH      256
#define IN_PULL_BATCH 256
#define IN_API_WAIT   2000 /* milliseconds, of each request to the server */
#define IN_PATIENCE   (2 * MILLISECOND) /* of a fetcher that could fetch only a few */
#define IN_NAK_DELAY  SECOND
#define IN_BYTES      (32 << 20) /* that are held, about */
/* After a dead letter or a receipt that could not be published. */
#define IN_PAUSE (500 * MILLISECOND)

/* Where a message is. What is in brackets is on a list of that name. */
enum in_place {
	IN_FREE, /* [free] */
	IN_HELD, /* [held, of its band] to be sent */
	IN_SENDING, /* the route has it in hand */
	IN_SENT, /* in the mailbox; its receipt is to come */
	IN_ENDED, /* [ended] its receipt has come, and is to be passed on */
	IN_DONE, /* [done, of its band] the server is to be told */
	IN_TOLD, /* [told, of its band] it was, but has not said that it knows */
	IN_AWAITED, /* of a broadcast, before this session: to be sent when it comes again */
	IN_DOOMED, /* given back; to be a dead letter when it comes again */
};

/**
 * struct in_message - what is known of the message of a slot, besides what the file has
 * @msg: as it came; NULL once it was sent
 * @arrived: CLOCK_BOOTTIME nanoseconds, of the first delivery that we hold
 * @batch: of acknowledgements, where it is told
 * @deliveries: how often the server has delivered it
 * @place: where it is
 * @next: on its list
 * @same: the next of the same hash
 */
struct in_message {
	natsMsg *msg;
	uint64_t arrived;
	uint64_t batch;
	uint64_t deliveries;
	enum in_place place;
	uint32_t next;
	uint32_t same;
};

struct in_list {
	uint32_t first, last, nr;
};

/**
 * struct in_pull - what a band has asked the server for; of its fetcher, but for @open
 * @subscription: to @inbox
 * @inbox: where messages come, and what the server says of requests
 * @ask: subject of requests
 * @open: messages that may still come (guarded by in->lock)
 * @heard: when the server was last heard of, or asked; CLOCK_MONOTONIC nanoseconds
 */
struct in_pull {
	natsSubscription *subscription;
	natsInbox *inbox;
	char ask[2 * SERVER_NAME_SIZE + 32];
	uint64_t open;
	uint64_t heard;
};

/**
 * struct in_band - one band of a session
 * @in: whose
 * @index: which
 * @thread: fetcher
 * @has_thread: whether it is to be joined
 * @pull: of the fetcher
 * @held: to be sent (guarded by in->lock, as all below)
 * @done: to be acknowledged
 * @told: acknowledged, oldest first
 * @used: slots in use
 * @confirmed: batches up to this are known to the server
 * @batch: last one
 * @told_time: when that was
 * @lag: messages at the server
 * @average: length of messages
 */
struct in_band {
	struct in *in;
	unsigned int index;
	pthread_t thread;
	bool has_thread;
	struct in_pull pull;
	struct in_list held, done, told;
	unsigned int used;
	uint64_t confirmed;
	uint64_t batch;
	uint64_t told_time;
	uint64_t lag;
	uint64_t average;
};

/**
 * struct in_fullness - how long a mailbox has been full, with what room came in between
 * @since: CLOCK_BOOTTIME nanoseconds
 * @last: when it was last so
 * @nr_sent: at the last time
 * @wait: nanoseconds to wait without asking for room: it said there is some, and had none
 * @noted: it is so now, and the above is up to date
 */
struct in_fullness {
	uint64_t since, last, nr_sent, wait;
	bool noted;
};

/**
 * struct in - a route that receives
 * @route: the route; constant, as all down to @bands
 * @nats: connection
 * @js: context of the thread of the route
 * @receipts: that go to other hosts
 * @seen: the memory; its slots are guarded by @lock, but for those in hand
 * @share: slots that a band can have
 * @keeps_order: no other host may have what this one was given: it is held until there is room
 * @nr_bands: bands
 * @bands: the bands
 * @messages: one for each slot (guarded by @lock)
 * @turn: of policy one, or NULL; owner: the route
 * @epoch: connection of the session; owner: the route, constant for others
 * @reconnects: likewise, as libnats counts
 * @mailbox: handle, or -1; likewise
 * @mailbox_id: of that
 * @nr_sent: messages that the mailbox has taken; owner: the route
 * @confirm: handle of the mailbox for receipts of the kernel, or -1; owner: the route
 * @poll: epoll of both; likewise
 * @inbox: where the server says that it has acknowledgements; constant in a session
 * @answers: subscription to that; likewise
 * @ack_wait: of the consumer, nanoseconds; likewise
 * @duplicates: window of the stream, nanoseconds; likewise
 * @next_progress: when the server is told again what we still have; owner: the route
 * @pause: nothing is sent until then, CLOCK_BOOTTIME; owner: the route
 * @has_average: averages of bands are of something (guarded by @lock)
 * @fullness: how long the mailbox has been full; owner: the route
 * @room: for what precedes or follows a payload; owner: the route
 * @room_size: bytes there
 * @lock: guards all below; inside it only that of the route
 * @free_changed: slots are free, the mailbox has room, the turn came, or the session ends
 * @quit: the session ends; set with the lock, as the next four; read without it as a hint
 * @full: the mailbox has refused one, or has no room
 * @gone: the mailbox is not there any more
 * @broken: the server, or a consumer, is not; why is in @why
 * @turn_until: fetch no later, CLOCK_MONOTONIC; UINT64_MAX without turns
 * @answers_ended: the last callback of @answers has returned
 * @free: slots
 * @ended: see enum in_place
 * @nr_awaited: slots that are IN_AWAITED
 * @hash: of slots by number in the stream
 * @why: a sentence
 */
struct in {
	struct route *route;
	natsConnection *nats;
	jsCtx *js;
	struct receipts *receipts;
	struct seen seen;
	unsigned int share;
	bool keeps_order;
	unsigned int nr_bands;
	struct in_band bands[CONFIG_BANDS_MAX];
	struct in_message *messages;
	struct turn *turn;
	uint64_t epoch;
	uint64_t reconnects;
	int mailbox;
	uint64_t mailbox_id;
	uint64_t nr_sent;
	int confirm;
	int poll;
	natsInbox *inbox;
	natsSubscription *answers;
	uint64_t ack_wait;
	uint64_t duplicates;
	uint64_t next_progress;
	uint64_t pause;
	bool has_average;
	struct in_fullness fullness;
	void *room;
	size_t room_size;
	pthread_mutex_t lock;
	pthread_cond_t free_changed;
	atomic_bool quit, full, gone, broken;
	atomic_uint_least64_t turn_until;
	bool answers_ended;
	struct in_list free, ended;
	unsigned int nr_awaited;
	uint32_t hash[IN_HASH];
	char why[256];
};

/* Whether it is still the connection of the session; from any thread. */
bool in_connected(const struct in *in);

/* CLOCK_BOOTTIME nanoseconds: the server goes on while this machine is suspended. */
uint64_t in_now(void);

/* in_slots.c: slots and lists; all with the lock held */
void in_slots_init(struct in *in);
void in_list_add(struct in *in, struct in_list *list, uint32_t slot);
void in_list_add_first(struct in *in, struct in_list *list, uint32_t slot);
uint32_t in_list_take(struct in *in, struct in_list *list);
uint32_t in_slot_find(const struct in *in, uint64_t stream_sequence);
/* Also the hash. Return: the slot, or IN_NONE. */
uint32_t in_slot_take(struct in *in, unsigned int band, const struct seen_message *message,
		      const char *reply);
/* Nothing is to be done but to tell the server; another with its id is known from now on. */
void in_slot_done(struct in *in, uint32_t slot);
/* @known: by the server, for good. */
void in_slot_free(struct in *in, uint32_t slot, bool known);
/* Hash of an id, never 0; 0 of NULL. */
uint64_t in_hash_id(const char *id);
struct in_band *in_slot_band(struct in *in, uint32_t slot);
/* Whether the server still counts on us: nobody else has got it. */
bool in_is_ours(const struct in *in, uint32_t slot);

/* in_stream.c */
int in_consumers(struct in *in);
int in_consumers_anew(struct in *in);
/* Of a broadcast: what is left out before a new message was dropped. With the lock held. */
void in_count_missed(struct in *in, uint64_t stream_sequence);

/* in_pull.c */
bool in_pull_start(struct in_band *band);
bool in_pull_ask(struct in_band *band, unsigned int nr);
void in_pull_forget(struct in_band *band, uint64_t nr);
unsigned int in_pull_take(struct in_band *band, natsMsg **msgs);
void in_pull_end(struct in_band *band);
void in_pull_stop(struct in_band *band);

/* in_fetch.c */
bool in_fetch_start(struct in *in);
void in_fetch_stop(struct in *in);
/* The session cannot go on; from any thread. */
void in_break(struct in *in, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* in_send.c: Return: whether the session goes on. */
bool in_send_some(struct in *in);
/* Give back what is held; all, or what is held for too long. */
void in_give_back(struct in *in, bool all);
void in_nak(struct in *in, const char *reply, uint64_t delay);

/* in_dead.c: Return: 0; or an error, and it can be tried again. */
int in_dead_letter(struct in *in, uint32_t slot, const char *reason);

/* in_ack.c */
bool in_answers_start(struct in *in);
void in_answers_stop(struct in *in);
void in_ack(struct in *in);
void in_progress(struct in *in);

/* in_confirm.c */
int in_confirm_open(struct in *in);
/* Once, at the start: what the slots say is looked for there. */
void in_confirm_recover(struct in *in);
void in_confirm_take(struct in *in);
/* An end that the bridge itself knows of; the message is in hand. */
void in_end(struct in *in, uint32_t slot, unsigned int end);
void in_pass_on(struct in *in);

#endif /* BRIDGE_IN_H */
