/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A route: one local mailbox and one subject, in one direction. What all kinds have.
 */
#ifndef BRIDGE_ROUTE_H
#define BRIDGE_ROUTE_H

#include <pthread.h>
#include <stdatomic.h>

#include "bridge.h"

enum route_state {
	ROUTE_STARTING,
	ROUTE_RUNNING,
	ROUTE_AWAY, /* there is no server */
	ROUTE_REFUSED, /* the server refuses: it is full, or does not permit it */
	ROUTE_FULL, /* in: the local mailbox is full */
	ROUTE_NO_MAILBOX,
	ROUTE_WAITING_TURN, /* policy one: another host receives */
	ROUTE_BLOCKED, /* a message that can never go; somebody has to decide */
	ROUTE_STOPPED,
};

/**
 * struct route - one route
 * @bridge: whose it is; constant
 * @config: of the route; constant
 * @thread: that runs it; owner: main
 * @wake: eventfd, readable when the thread should look around: a stop, what was acknowledged, a
 *	connection that came or went; constant
 * @stopping: set once, by main; atomic
 * @state: one of enum route_state; atomic
 * @moved: messages that are where they should be, and the other side knows; atomic
 * @repeated: messages that were published or delivered again; atomic
 * @known: of those, the ones that the server, or the memory of in, knew already; atomic
 * @late: published again after the duplicate window, so perhaps twice; atomic
 * @dead: dead letters; atomic
 * @expired: dropped at their expiry; atomic
 * @missed: of a broadcast, that the stream dropped before they came here; atomic
 * @in_flight: messages or calls under way now; atomic
 * @lag: what is still to be moved, as far as is known; atomic
 * @lock: guards the rest; innermost
 * @error: last trouble, a sentence; "" for none
 * @error_time: of it, unix nanoseconds
 * @error_count: how often
 * @told: when the log had it last, CLOCK_MONOTONIC nanoseconds; 0 for never since all was well
 */
struct route {
	struct bridge *bridge;
	const struct config_route *config;
	pthread_t thread;
	int wake;
	atomic_bool stopping;
	atomic_int state;
	atomic_uint_least64_t moved, repeated, known, late, dead, expired, missed, in_flight, lag;
	pthread_mutex_t lock;
	char error[256];
	uint64_t error_time;
	uint64_t error_count;
	uint64_t told;
};

/* False without a descriptor. */
bool route_init(struct route *route, struct bridge *bridge, const struct config_route *config);
void route_fini(struct route *route);

/* What a thread runs, until @stopping. They return nothing of use. */
void *route_out(void *route); /* out.c; also broadcasts */
void *route_in(void *route); /* in.c; also the receipts that come back */
void *route_call_out(void *route); /* callers are here */
void *route_call_in(void *route); /* servers are here */

/**
 * route_trouble() - note and log what keeps a route from going on
 * @route: the route
 * @state: that it is in now
 * @format: a sentence that says what to do, as of printf(3)
 *
 * The same sentence again counts, and is logged at most once a minute.
 */
void route_trouble(struct route *route, enum route_state state, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * route_well() - it goes on, after trouble or at the start
 * @route: the route
 *
 * Cheap when it was well before.
 */
void route_well(struct route *route);

/**
 * route_wait() - wait for the eventfd of the route, a descriptor and a time
 * @route: the route
 * @fd: another descriptor, such as a handle, or -1
 * @events: of poll(2), for @fd
 * @timeout: nanoseconds, UINT64_MAX for no limit
 *
 * Takes what the eventfd says. Return: whether @fd has something.
 */
bool route_wait(struct route *route, int fd, short events, uint64_t timeout);

/**
 * route_wake() - have the thread of a route look around
 * @route: the route; from any thread
 */
void route_wake(struct route *route);

/**
 * struct backoff - waits that grow, 100 ms to 5 s
 * @wait: the next one, nanoseconds; 0 at first
 */
struct backoff {
	uint64_t wait;
};

/* Waits, unless the route stops; backoff_done() begins anew. */
void backoff(struct route *route, struct backoff *backoff);
void backoff_done(struct backoff *backoff);

/**
 * route_mailbox() - open the local mailbox of a route, or make it
 * @route: the route
 * @name: of the mailbox: that of the route, or of its receipts or dead letters
 * @rights: wanted
 * @handle: set on success, non-blocking
 *
 * Return: 0; or a negative errno, and route_trouble() was told.
 */
int route_mailbox(struct route *route, const char *name, uint32_t rights, int *handle);

#endif /* BRIDGE_ROUTE_H */
