/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What messages between two hosts cost: those of mailboxes, which bridges carry, beside those that
 * a client of NATS publishes and another fetches. Host means network namespace here.
 */
#ifndef BRIDGE_MEASURE_H
#define BRIDGE_MEASURE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../bridge.h"

/* What begins each payload, so that the other end knows how long it took. */
struct stamp {
	uint64_t sent; /* CLOCK_MONOTONIC, which all namespaces of a machine share */
};

#define WATCHED_MAX 8

/**
 * struct job - one measurement
 * @by: "bridge", "client", or "client without ids", which the server cannot know again
 * @url: of the server
 * @from: a process on the host that sends
 * @to: a process on the host that receives
 * @messages: how many
 * @size: of each, bytes
 * @window: as many may be without an answer of the server, and are fetched at once
 * @interval: nanoseconds from one to the next; 0: as fast as may be
 * @routes: mailboxes r1 to rN take turns
 * @names: of processes whose processor time and memory are of interest
 * @pids: of these
 * @nr_watched: how many
 */
struct job {
	const char *by;
	const char *url;
	pid_t from, to;
	uint64_t messages;
	uint32_t size;
	uint32_t window;
	uint64_t interval;
	unsigned int routes;
	const char *names[WATCHED_MAX];
	pid_t pids[WATCHED_MAX];
	unsigned int nr_watched;
};

/**
 * struct outcome - shared by the two ends
 * @ready: how many threads that receive are
 * @first: when the first message was sent
 * @last: when the last one was received
 * @received: messages
 * @took: of each message that was received, nanoseconds
 */
struct outcome {
	uint32_t ready;
	uint64_t first, last;
	uint64_t received;
	uint64_t took[];
};

/* --- main.c ---------------------------------------------------------------- */

/* An error that ends the measurement. */
void fail(const char *what, const char *why) __attribute__((noreturn));
/* Wait until message number nr is due, and stamp it. */
void stamp(const struct job *job, struct outcome *outcome, uint64_t nr, void *payload);
/* A message has come. Return: whether there are more to come. */
bool arrived(const struct job *job, struct outcome *outcome, const void *payload);
/* A thread that receives is ready, as all are before anything is sent. */
void ready(struct outcome *outcome);
void await_ready(const struct outcome *outcome, uint32_t nr);

/* --- boxes.c --------------------------------------------------------------- */

void boxes_send(const struct job *job, struct outcome *outcome);
void boxes_receive(const struct job *job, struct outcome *outcome);

/* --- client.c -------------------------------------------------------------- */

void client_send(const struct job *job, struct outcome *outcome);
void client_receive(const struct job *job, struct outcome *outcome);

/* --- report.c -------------------------------------------------------------- */

/* Tables, in reStructuredText, of the results in a file. Return: exit status. */
int report_tables(const char *path);
/* Data for gnuplot in a folder. Return: exit status. */
int report_plots(const char *path, const char *folder);

#endif /* BRIDGE_MEASURE_H */
