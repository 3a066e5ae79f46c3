/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Calls between hosts: what the bridge of the callers and that of the servers say to each other.
 * All of it is core NATS, without storage: a call that nobody waits for any more is worth nothing.
 *
 * The callers' bridge publishes a request to the subject of the route, where one of the servers'
 * bridges gets it. That one answers to the reply subject: first that it has taken the call, and
 * where to speak of it; then a beat now and then; at the end the answer, or that there is
 * none. The callers' bridge sends beats, too, and a cancel when its caller gives up.
 *
 * Each side beats as its own configuration says, and tells with each word for how long it may be
 * silent after that: three heartbeats, and longer before it sends what takes long. Who hears
 * nothing for that time holds the other side to be dead, and ends the call. The time is
 * counted by echoes, words to itself: what came before an echo has been heard, so a line of its own
 * that is slow is not taken for the silence of another.
 */
#ifndef BRIDGE_CALL_H
#define BRIDGE_CALL_H

#include <semaphore.h>

#include <nats/nats.h>

#include "route.h"

/* What a message is, one of the words below. */
#define HEADER_CALL "Mailbox-Call"
/* With "taken": the subject for beats and a cancel. */
#define HEADER_CONTROL "Mailbox-Control"
/* With a request: bytes that the answer may have. */
#define HEADER_ROOM "Mailbox-Room"
/* With all: milliseconds for which the one that says it may be silent from then on. */
#define HEADER_SILENCE "Mailbox-Silence"
/* With "failed": the name of the error, such as "EIDRM". */
#define HEADER_ERROR "Mailbox-Error"

/* To the subject of the route. */
#define CALL_PROBE   "probe" /* is there a server */
#define CALL_REQUEST "request"
/* From the servers' bridge. */
#define CALL_HERE   "here"
#define CALL_BUSY   "busy" /* never begun, be it taken or not: another may do it */
#define CALL_TAKEN  "taken"
#define CALL_ANSWER "answer"
#define CALL_FAILED "failed" /* perhaps half done */
/* Both ways. */
#define CALL_BEAT "beat"
/* From the callers' bridge. */
#define CALL_CANCEL "cancel"

/* Beats that may be missing. */
#define CALL_BEATS 3
/* What is as long as that is announced, bytes. */
#define CALL_LONG  (64 << 10)
#define CALL_GROUP "mbx"

/* "PREFIX.call.SUBJECT", of SERVER_NAME_SIZE bytes. */
void call_subject(const struct route *route, char *subject);

/* The word of HEADER_CALL, "none" for a status of the server that nobody is there, or "". */
const char *call_word(natsMsg *msg);

/*
 * Whether a subject that the other side has named is an inbox: else it could have this bridge
 * publish where only the bridge may, such as to the interface of JetStream.
 */
bool call_inbox(const char *subject);

/**
 * call_say() - publish a word
 * @route: whose connection
 * @subject: where
 * @reply: for answers, or NULL
 * @word: of HEADER_CALL
 * @key: another header, or NULL
 * @value: of that
 *
 * Whether it arrives is for the beats to tell.
 */
void call_say(struct route *route, const char *subject, const char *reply, const char *word,
	      const char *key, const char *value);

/* A beat, before so many bytes are sent, or 0: the next one may be late by the time of these. */
void call_beat(struct route *route, const char *subject, size_t bytes);

/* For how long this side may be silent, with so many bytes on the way; nanoseconds. */
uint64_t call_silence(const struct route *route, size_t bytes);

/* Puts that in the header of a message. */
natsStatus call_set_silence(natsMsg *msg, const struct route *route, size_t bytes);

/* A request of the local mailbox, or without @reply a message: as envelope_request(). */
int call_seal(struct route *route, const struct mailbox_message *message, const char *reply,
	      natsMsg **msg);

/* What another side says in a message; one that says nothing is as this one. */
uint64_t call_silence_of(const struct route *route, natsMsg *msg);

/* Says an echo: a word that comes back below the inbox, as slot number @window. */
void call_echo(struct route *route, const char *inbox);

/*
 * The time up to which everything is heard that was said to this side: that of the last echo which
 * has come back; or now, while there is no connection.
 */
uint64_t call_heard_until(const struct route *route, uint64_t echo);

/**
 * struct call_listener - a subscription with a callback
 * @subscription: NULL for none
 * @ended: posted when the callback does not run any more, however that came
 */
struct call_listener {
	natsSubscription *subscription;
	sem_t ended;
};

/**
 * call_listen() - subscribe
 * @route: whose connection
 * @listener: without a subscription; stays where it is until call_unlisten()
 * @subject: to listen to
 * @group: of which only one gets a message, or NULL
 * @callback: runs in a thread of libnats
 * @context: for @callback
 *
 * Return: NATS_OK, or the error of libnats.
 */
natsStatus call_listen(struct route *route, struct call_listener *listener, const char *subject,
		       const char *group, natsMsgHandler callback, void *context);

/* Ends that, if there is one: the callback does not run any more when this returns. */
void call_unlisten(struct route *route, struct call_listener *listener);

/*
 * The slot that stands behind the last dot of a subject, as "SLOT-GENERATION" in decimal: false
 * for anything else. A generation tells a late message of an earlier call apart.
 */
bool call_slot(const char *subject, unsigned int slots, unsigned int *slot, uint64_t *generation);

/*
 * Ends a CALL with EINTR: its handler does nothing, and nothing starts again. Not the signal of
 * server.h: a thread in a CALL, which does not block this one, would take it from main.
 */
#define CALL_SIGNAL SIGUSR2

/* CALL_SIGNAL, of the calling thread, by SIG_BLOCK or SIG_UNBLOCK. */
void call_signal(int how);

/* Another client of NATS, that only asks, hears the answer and nothing else. */
bool call_is_bridge(natsMsg *request);

/**
 * call_make() - make a call here, for a caller on another host
 * @route: of calls that come in
 * @handle: with the right to send, on the local mailbox
 * @request: of the other bridge
 * @control: subject where that may speak of it
 * @answer: filled in; free(3) its data
 *
 * Waits for the answer, in a thread that has CALL_SIGNAL blocked; that signal ends it.
 *
 * Return: 0, or how the call has ended: for call_tell().
 */
int call_make(struct route *route, int handle, natsMsg *request, const char *control,
	      struct mailbox_message *answer);

/* Tells the other side how it has ended. */
void call_tell(struct route *route, natsMsg *request, int error,
	       const struct mailbox_message *answer);

#endif /* BRIDGE_CALL_H */
