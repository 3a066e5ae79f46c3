/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The connection to the NATS servers: made once, and again for ever; streams and consumers.
 */
#ifndef BRIDGE_SERVER_H
#define BRIDGE_SERVER_H

#include <nats/nats.h>

#include "bridge.h"

/* Comes to the process where the connection has ended for good, and another has to be made. */
#define SERVER_SIGNAL SIGUSR1

/**
 * server_new() - a connection, which need not be there yet
 * @bridge: its config counts
 * @server: set on success
 *
 * Tries for ever, in the background. What can never work (a file of keys that cannot be read)
 * fails here, with a line on standard error.
 *
 * Return: whether there is one.
 */
bool server_new(struct bridge *bridge, struct server **server);

/**
 * server_free() - end the connection
 * @server: that, or NULL; no thread uses it any more
 */
void server_free(struct server *server);

/**
 * server_nats() - the connection itself
 * @server: the server
 *
 * Return: the connection; owned by @server, the same as long as that lives.
 */
natsConnection *server_nats(struct server *server);

/**
 * server_epoch() - which connection it is
 * @server: the server
 *
 * Return: 0 while there is none; else a number that is another after each reconnection. What was
 * published under an earlier one, and is not acknowledged, has to be published again.
 */
uint64_t server_epoch(struct server *server);

/**
 * server_max_payload() - longest message that it takes
 * @server: the server
 *
 * Return: bytes, headers included; 0 while it is not known.
 */
uint64_t server_max_payload(struct server *server);

/**
 * server_error() - why the server does not do what a route wants
 * @server: the server
 * @subject: that begins with this; NULL for any
 * @text: where a sentence goes, such as a refused permission that came asynchronously
 * @size: bytes at @text
 *
 * Return: whether there is one since the last connection.
 */
bool server_error(struct server *server, const char *subject, char *text, size_t size);

/**
 * server_last_error() - what libnats says about the last call of this thread that has failed
 *
 * Return: its words; "" for none.
 */
const char *server_last_error(void);

/**
 * server_stream() - have the stream of a route, and look whether it is as it should be
 * @route: the route, out or in, not of calls; the error goes to its state
 * @js: a context of the caller
 *
 * Return: 0; -EAGAIN when it should be tried again later, and route_trouble() was told.
 */
int server_stream(struct route *route, jsCtx *js);

/**
 * server_dead_stream() - likewise, the stream of dead letters
 * @route: the route
 * @js: a context of the caller
 *
 * Return: as server_stream().
 */
int server_dead_stream(struct route *route, jsCtx *js);

/**
 * server_receipt_stream() - likewise, the stream of receipts of all hosts
 * @route: that wants or gives receipts
 * @js: a context of the caller
 *
 * Return: as server_stream().
 */
int server_receipt_stream(struct route *route, jsCtx *js);

/**
 * server_name() - a name on the server, such as "mbx.q.jobs.p0"
 * @text: where it goes
 * @size: bytes at @text
 * @format: as of printf(3)
 *
 * Return: @text. The config was checked: it fits.
 */
char *server_name(char *text, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Makes the dots of a name "-": streams, consumers and keys have none. */
void server_without_dots(char *name);

/* Room for any name on the server. */
#define SERVER_NAME_SIZE 256

/* Names of one route, of SERVER_NAME_SIZE bytes each. */
void server_subject(const struct route *route, unsigned int band, char *subject);
void server_stream_name(const struct route *route, char *name);
void server_consumer_name(const struct route *route, unsigned int band, char *name);
void server_dead_subject(const struct route *route, char *subject);

#endif /* BRIDGE_SERVER_H */
