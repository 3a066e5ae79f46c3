/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The configuration: one file in YAML, read by libcyaml. mailbox-bridge.yaml is an example
 * with a comment for each value; mailbox-bridge(8) has the reference.
 */
#ifndef BRIDGE_CONFIG_H
#define BRIDGE_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#define CONFIG_BANDS_MAX 8

enum route_direction {
	ROUTE_OUT,
	ROUTE_IN,
};

enum route_policy {
	ROUTE_ANY,
	ROUTE_ONE,
	ROUTE_BROADCAST,
	ROUTE_CALL,
};

enum route_confirm {
	CONFIRM_STORED, /* the server is told once the local mailbox has the message */
	CONFIRM_ACKNOWLEDGED, /* once a local receiver has acknowledged it */
};

struct config_tls {
	char *ca; /* file; NULL: those of the system */
	char *certificate; /* file of ours, or NULL */
	char *key; /* file, with certificate */
	char *hostname; /* expected of the server; NULL: that of the URL */
};

struct config_server {
	char **urls;
	uint32_t nr_urls;
	char *credentials; /* file; each of these is NULL unless it is used */
	char *user;
	char *password_file;
	char *token_file;
	char *nkey;
	char *nkey_seed; /* file */
	struct config_tls *tls; /* NULL: none */
};

/* How the stream is made, where there is none yet. */
struct config_stream {
	uint32_t replicas;
	bool memory; /* else in files */
	uint64_t max_messages; /* 0: no limit */
	uint64_t max_bytes; /* likewise */
	uint64_t max_age; /* nanoseconds, likewise */
	uint64_t duplicates; /* nanoseconds of the duplicate window */
};

struct config_route {
	char *name; /* of the route, unique; the mailbox unless it is said */
	char *mailbox;
	char *subject; /* the mailbox unless it is said; both ends of a route say the same */
	enum route_direction direction;
	enum route_policy policy;
	bool create; /* make the mailbox, permanent, where there is none */
	uint32_t window; /* messages or calls in flight at most, 1 to 4096 */
	uint64_t message_size; /* of a mailbox that is made here, bytes */
	struct config_stream stream;
	uint32_t *bands; /* lower bounds, rising; NULL and 0: one band */
	uint32_t nr_bands;
	char *dead_letter; /* out: local mailbox for what the server can never take; or NULL */

	/* out */
	char *receipts; /* local mailbox for the receipts of other hosts, or NULL */

	/* in */
	enum route_confirm confirm;
	uint64_t ack_wait; /* nanoseconds until the server gives a message to another */
	uint64_t hold; /* nanoseconds that messages may wait here for room */
	uint32_t max_deliveries; /* 0: no limit */
	bool origin; /* struct mailbox_origin before the payload */
	uint64_t turn; /* policy one: nanoseconds of the lease in the bucket */

	/* calls */
	uint64_t heartbeat; /* nanoseconds */
};

struct config {
	const char *path; /* of the file */
	char *host;
	char *prefix;
	char *name; /* of the mailbox that tells the state */
	char *state; /* folder */
	struct config_server server;
	struct config_route *routes;
	uint32_t nr_routes;
};

/**
 * config_load() - read and check a file
 * @path: of the file
 * @config: set on success; end it with config_free()
 *
 * What is wrong is said on standard error, with the line and with what to do.
 *
 * Return: whether it is good.
 */
bool config_load(const char *path, struct config **config);

/**
 * config_free() - end what config_load() made
 * @config: that, or NULL
 */
void config_free(struct config *config);

/**
 * config_band() - the band of a priority
 * @route: whose bands
 * @priority: of the message
 *
 * Return: 0 for the lowest, up to config_bands() - 1.
 */
unsigned int config_band(const struct config_route *route, uint32_t priority);

/**
 * config_bands() - how many bands a route has
 * @route: the route; broadcasts have one, whatever they say
 *
 * Return: 1 to CONFIG_BANDS_MAX.
 */
unsigned int config_bands(const struct config_route *route);

#endif /* BRIDGE_CONFIG_H */
