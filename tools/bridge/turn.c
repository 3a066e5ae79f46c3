// SPDX-License-Identifier: GPL-2.0
/*
 * The turn to receive, of policy one.
 *
 * Whoever makes the key has the turn, until the server drops the key at the end of its time (that
 * of the bucket). It is renewed by an update that says which revision it replaces, three times in
 * that time. By our own clock it ends an eighth earlier, counted from before the renewal was sent,
 * so it ends here before it can begin elsewhere; clocks need not show the same, but must go at the
 * same speed to within that eighth.
 *
 * Given up it is by an update, too, to a key that says nothing: unlike a removal that cannot take
 * it from somebody else.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include <mailbox.h>

#include "log.h"
#include "server.h"
#include "turn.h"

/**
 * struct turn - the turn of a route; owner: its thread
 * @route: the route
 * @js: context
 * @bucket: or NULL; that of the connection @epoch
 * @epoch: see there
 * @ttl: of the bucket, nanoseconds
 * @revision: of the key, while it is ours
 * @until: ours, CLOCK_MONOTONIC; 0: not ours
 * @next: when to look again
 * @key: in the bucket
 * @value: "host boot lock pid", ours
 * @mine: how much of that is the same for each bridge of this host since it was booted
 */
struct turn {
	struct route *route;
	jsCtx *js;
	kvStore *bucket;
	uint64_t epoch;
	uint64_t ttl;
	uint64_t revision;
	uint64_t until;
	uint64_t next;
	char key[SERVER_NAME_SIZE];
	char value[256];
	size_t mine;
};

struct turn *turn_new(struct route *route, jsCtx *js, int lock)
{
	const struct bridge *bridge = route->bridge;
	struct turn *turn = calloc(1, sizeof(*turn));
	struct stat about = { 0 };

	if (!turn)
		return NULL;
	fstat(lock, &about);
	turn->route = route;
	turn->js = js;
	snprintf(turn->key, sizeof(turn->key), "%s", route->config->subject);
	server_without_dots(turn->key);
	turn->mine = (size_t)snprintf(turn->value, sizeof(turn->value), "%s %s %llu ",
				      bridge->config->host, bridge->boot,
				      (unsigned long long)about.st_ino);
	snprintf(turn->value + turn->mine, sizeof(turn->value) - turn->mine, "%d", (int)getpid());
	return turn;
}

void turn_free(struct turn *turn)
{
	uint64_t revision;

	if (!turn)
		return;
	if (turn->until > mailbox_now() && server_epoch(turn->route->bridge->server))
		kvStore_UpdateString(&revision, turn->bucket, turn->key, "", turn->revision);
	kvStore_Destroy(turn->bucket);
	free(turn);
}

uint64_t turn_until(const struct turn *turn)
{
	return turn->until;
}

static bool trouble(const struct turn *turn, const char *what, natsStatus status)
{
	route_trouble(turn->route, ROUTE_REFUSED,
		      "the turn, a key in bucket '%s-turns' (%s): %s; see that JetStream is on and "
		      "this user may use it",
		      turn->route->bridge->config->prefix, what, natsStatus_GetText(status));
	return false;
}

static bool have_bucket(struct turn *turn)
{
	const uint64_t epoch = server_epoch(turn->route->bridge->server);
	const struct config_route *config = turn->route->config;
	char name[SERVER_NAME_SIZE];
	kvStatus *about = NULL;
	natsStatus status;
	kvConfig wanted;

	if (turn->bucket && turn->epoch == epoch)
		return true;
	kvStore_Destroy(turn->bucket);
	turn->bucket = NULL;
	server_name(name, sizeof(name), "%s-turns", turn->route->bridge->config->prefix);
	status = js_KeyValue(&turn->bucket, turn->js, name);
	if (status == NATS_NOT_FOUND) {
		kvConfig_Init(&wanted);
		wanted.Bucket = name;
		wanted.Description = "which host receives";
		wanted.History = 1;
		wanted.TTL = (int64_t)config->turn;
		wanted.Replicas = (int)config->stream.replicas;
		status = js_CreateKeyValue(&turn->bucket, turn->js, &wanted);
	}
	if (status == NATS_OK)
		status = kvStore_Status(&about, turn->bucket);
	if (status != NATS_OK) {
		kvStore_Destroy(turn->bucket);
		turn->bucket = NULL;
		return trouble(turn, "have the bucket", status);
	}
	/* The first route has made the bucket, and its time is that of all. */
	turn->ttl = (uint64_t)kvStatus_TTL(about);
	kvStatus_Destroy(about);
	turn->epoch = epoch;
	if (turn->ttl)
		return true;
	route_trouble(turn->route, ROUTE_BLOCKED,
		      "bucket '%s' keeps its keys for ever, so a turn would never end: remove the "
		      "bucket, and it is made again",
		      name);
	return false;
}

static void take_over(struct turn *turn, uint64_t begin, uint64_t revision)
{
	if (!turn->until)
		log_line(LOG_NOTICE, "route '%s': has the turn", turn->route->config->name);
	turn->revision = revision;
	turn->until = begin + turn->ttl / 8 * 7;
	turn->next = begin + turn->ttl / 3;
}

/* Whether nobody has it: given up, or of a bridge of this host that the lock says is gone. */
static bool is_free(const struct turn *turn, const char *value)
{
	return !value || !*value || !strncmp(value, turn->value, turn->mine);
}

/* Return: whether it is ours now. */
static bool try_to_take(struct turn *turn, uint64_t begin)
{
	kvEntry *entry = NULL;
	uint64_t revision = 0;
	natsStatus status;

	status = kvStore_Get(&entry, turn->bucket, turn->key);
	if (status == NATS_NOT_FOUND) {
		status = kvStore_CreateString(&revision, turn->bucket, turn->key, turn->value);
	} else if (status == NATS_OK) {
		const char *value = kvEntry_ValueString(entry);

		if (!is_free(turn, value)) {
			route_trouble(turn->route, ROUTE_WAITING_TURN,
				      "host %.*s receives; this one does when that has ended",
				      (int)strcspn(value, " "), value);
			kvEntry_Destroy(entry);
			turn->until = 0;
			return false;
		}
		status = kvStore_UpdateString(&revision, turn->bucket, turn->key, turn->value,
					      kvEntry_Revision(entry));
	}
	kvEntry_Destroy(entry);
	if (status == NATS_OK) {
		take_over(turn, begin, revision);
		return true;
	}
	/* Refused as another was quicker, too; then the next look says who. */
	route_trouble(turn->route, ROUTE_WAITING_TURN, "no turn yet: %s",
		      natsStatus_GetText(status));
	return false;
}

static bool renew(struct turn *turn, uint64_t begin)
{
	uint64_t revision = 0;
	natsStatus status;

	status = kvStore_UpdateString(&revision, turn->bucket, turn->key, turn->value,
				      turn->revision);
	if (status == NATS_OK) {
		take_over(turn, begin, revision);
		return true;
	}
	/* Until its end it is still ours, if only the answer was lost: then the key says so. */
	turn->next = begin + turn->ttl / 16;
	if (try_to_take(turn, begin))
		return true;
	return turn->until > mailbox_now();
}

bool turn_take(struct turn *turn)
{
	const uint64_t now = mailbox_now();

	if (turn->until && turn->until <= now) {
		log_line(LOG_WARNING, "route '%s': has lost the turn", turn->route->config->name);
		turn->until = 0;
	}
	if (now < turn->next)
		return turn->until;
	turn->next = now + (turn->ttl ? turn->ttl / 8 : SECOND);
	if (!server_epoch(turn->route->bridge->server) || !have_bucket(turn))
		return turn->until > now;
	return turn->until ? renew(turn, now) : try_to_take(turn, now);
}
