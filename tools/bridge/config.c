// SPDX-License-Identifier: GPL-2.0
/*
 * What the values of a configuration become, and whether they go together. config_file.c reads
 * them.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mailbox.h>

#include "bridge.h"
#include "config_file.h"
#include "envelope.h"

#define WINDOW_MAX 4096

/* All names together fit into SERVER_NAME_SIZE with much to spare. */
#define HOST_MAX    40
#define PREFIX_MAX  20
#define SUBJECT_MAX 100
/* Part of the names of files, of mailboxes and of consumers. */
#define ROUTE_MAX 60
#define STATE_MAX 200

static bool wrong(const struct config *config, const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "mailbox-bridge: %s: ", config->path);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	return false;
}

static bool same(const char *one, const char *other)
{
	return one && other && !strcmp(one, other);
}

/* One part of a subject, or more with dots between. */
static bool is_name(const char *text, size_t most, bool dots)
{
	return strlen(text) <= most && (dots || !strchr(text, '.')) &&
	       envelope_is_name(text, strlen(text));
}

static bool is_mailbox_name(const char *text)
{
	return *text && strlen(text) < MAILBOX_NAME_SIZE && !strchr(text, '/');
}

static bool check_server(const struct config *config)
{
	const struct config_server *server = &config->server;
	const struct config_tls *tls = server->tls;
	int ways = !!server->credentials + !!server->user + !!server->token_file + !!server->nkey;

	if (ways > 1)
		return wrong(config,
			     "server: there is more than one of credentials, user, token_file and "
			     "nkey; leave one");
	if (!server->user != !server->password_file)
		return wrong(config, "server: user and password_file go together");
	if (!server->nkey != !server->nkey_seed)
		return wrong(config, "server: nkey and nkey_seed go together");
	if (tls && !tls->certificate != !tls->key)
		return wrong(config, "server: tls: certificate and key go together");
	return true;
}

static bool check_in(const struct config *config, const struct config_route *route)
{
	if (route->receipts)
		return wrong(config,
			     "route '%s': receipts are for what goes out; an in route gives them "
			     "by itself",
			     route->name);
	if (route->policy == ROUTE_BROADCAST && route->confirm == CONFIRM_ACKNOWLEDGED)
		return wrong(config,
			     "route '%s': a broadcast is confirmed when it is stored; leave "
			     "'confirm: acknowledged' out",
			     route->name);
	if (route->dead_letter)
		return wrong(config,
			     "route '%s': dead_letter is for what goes out; the dead letters of an "
			     "in route go to a stream of the server",
			     route->name);
	if (route->hold >= route->ack_wait)
		return wrong(
			config,
			"route '%s': hold is shorter than ack_wait: after that the server gives "
			"the message to another",
			route->name);
	if (route->ack_wait < SECOND)
		return wrong(config, "route '%s': ack_wait is 1s at least", route->name);
	if (route->max_deliveries > 65535)
		return wrong(config, "route '%s': max_deliveries is 65535 at most", route->name);
	if (route->turn < SECOND)
		return wrong(config, "route '%s': turn is 1s at least", route->name);
	return true;
}

static bool check_out(const struct config *config, const struct config_route *route)
{
	if (route->confirm == CONFIRM_ACKNOWLEDGED || route->origin || route->max_deliveries)
		return wrong(
			config,
			"route '%s': confirm, origin and max_deliveries are for the hosts where "
			"messages come in: say them there",
			route->name);
	if (same(route->receipts, route->mailbox) || same(route->dead_letter, route->mailbox))
		return wrong(
			config,
			"route '%s': receipts and dead letters would go out again; use another "
			"mailbox for them",
			route->name);
	return true;
}

/* What streams of the bridge's own have, whose names begin so, too. */
static bool is_taken(const char *subject)
{
	return !strcmp(subject, "receipts") ||
	       (!strncmp(subject, "dead", 4) && (subject[4] == '.' || subject[4] == '-'));
}

static bool check_bands(const struct config *config, const struct config_route *route)
{
	uint32_t i;

	for (i = 0; i < route->nr_bands; i++) {
		if (route->bands[i] < 1 || route->bands[i] > MAILBOX_PRIORITY_MAX ||
		    (i && route->bands[i] <= route->bands[i - 1]))
			return wrong(config,
				     "route '%s': bands are priorities from 1 to %d, each larger "
				     "than the one before",
				     route->name, MAILBOX_PRIORITY_MAX);
	}
	return true;
}

static bool check_route(const struct config *config, const struct config_route *route)
{
	if (!is_name(route->name, ROUTE_MAX, false))
		return wrong(config,
			     "route '%s': its name has 1 to %d letters, digits, '-' and '_'; say "
			     "'name:' where that of the mailbox is another",
			     route->name, ROUTE_MAX);
	if (!is_mailbox_name(route->mailbox))
		return wrong(config, "route '%s': '%s' is no name of a mailbox", route->name,
			     route->mailbox);
	if (!is_name(route->subject, SUBJECT_MAX, true))
		return wrong(config,
			     "route '%s': its subject has 1 to %d letters, digits, '-' and '_', "
			     "with single dots in between",
			     route->name, SUBJECT_MAX);
	if (is_taken(route->subject))
		return wrong(config,
			     "route '%s': the bridge itself uses the subjects 'receipts' and those "
			     "that begin with 'dead.' or 'dead-'; say another 'subject:'",
			     route->name);
	if ((route->receipts && !is_mailbox_name(route->receipts)) ||
	    (route->dead_letter && !is_mailbox_name(route->dead_letter)))
		return wrong(config, "route '%s': receipts and dead_letter are names of mailboxes",
			     route->name);
	if (route->window < 1 || route->window > WINDOW_MAX)
		return wrong(config, "route '%s': window is 1 to %d messages", route->name,
			     WINDOW_MAX);
	if (route->message_size < 1 || route->message_size > MAILBOX_MESSAGE_SIZE_MAX)
		return wrong(config, "route '%s': message_size is 1 to %d bytes", route->name,
			     MAILBOX_MESSAGE_SIZE_MAX);
	if (route->stream.replicas < 1 || route->stream.replicas > 5)
		return wrong(config, "route '%s': stream: replicas is 1 to 5", route->name);
	if (route->stream.duplicates < SECOND / 10)
		return wrong(config, "route '%s': stream: duplicates is 100ms at least",
			     route->name);
	if (route->policy == ROUTE_CALL && (route->receipts || route->origin || route->dead_letter))
		return wrong(config,
			     "route '%s': calls have an answer, and no receipts, origin or dead "
			     "letters",
			     route->name);
	if (route->heartbeat < SECOND / 100)
		return wrong(config, "route '%s': heartbeat is 10ms at least", route->name);
	return check_bands(config, route) &&
	       (route->direction == ROUTE_OUT ? check_out(config, route) : check_in(config, route));
}

static bool check_pair(const struct config *config, const struct config_route *one,
		       const struct config_route *other)
{
	if (same(one->name, other->name))
		return wrong(config, "there are two routes '%s': say 'name:' for one of them",
			     one->name);
	if (same(one->subject, other->subject) && one->direction == other->direction &&
	    (one->policy == ROUTE_BROADCAST || one->policy != other->policy))
		return wrong(config,
			     "routes '%s' and '%s' have the same subject '%s': broadcasts and "
			     "different policies want subjects of their own",
			     one->name, other->name, one->subject);
	if (same(one->mailbox, other->mailbox) && one->direction != other->direction)
		return wrong(config,
			     "routes '%s' and '%s': what comes into mailbox '%s' would go out "
			     "again; use two mailboxes",
			     one->name, other->name, one->mailbox);
	if (same(one->receipts, other->mailbox) || same(one->dead_letter, other->mailbox) ||
	    same(other->receipts, one->mailbox) || same(other->dead_letter, one->mailbox))
		return wrong(config,
			     "routes '%s' and '%s': receipts and dead letters want mailboxes of "
			     "their own",
			     one->name, other->name);
	return true;
}

bool config_check(const struct config *config)
{
	uint32_t i, j;

	if (!is_name(config->host, HOST_MAX, false))
		return wrong(config,
			     "host '%s': it has 1 to %d letters, digits, '-' and '_', and no other "
			     "bridge has the same",
			     config->host, HOST_MAX);
	if (!is_name(config->prefix, PREFIX_MAX, false))
		return wrong(config, "prefix '%s': it has 1 to %d letters, digits, '-' and '_'",
			     config->prefix, PREFIX_MAX);
	if (!is_mailbox_name(config->name))
		return wrong(config, "name '%s': it is no name of a mailbox", config->name);
	if (config->state[0] != '/' || strlen(config->state) > STATE_MAX)
		return wrong(
			config,
			"state '%s': it is the name of a folder, from / on, of %d bytes at most",
			config->state, STATE_MAX);
	if (!check_server(config))
		return false;
	for (i = 0; i < config->nr_routes; i++) {
		if (!check_route(config, &config->routes[i]))
			return false;
		if (same(config->routes[i].mailbox, config->name))
			return wrong(config,
				     "route '%s': mailbox '%s' is that of the bridge itself; say "
				     "another 'name:'",
				     config->routes[i].name, config->name);
		for (j = 0; j < i; j++) {
			if (!check_pair(config, &config->routes[j], &config->routes[i]))
				return false;
		}
	}
	return true;
}

unsigned int config_bands(const struct config_route *route)
{
	return route->policy == ROUTE_BROADCAST ? 1 : route->nr_bands + 1;
}

unsigned int config_band(const struct config_route *route, uint32_t priority)
{
	unsigned int band = 0;

	if (route->policy == ROUTE_BROADCAST)
		return 0;
	while (band < route->nr_bands && priority >= route->bands[band])
		band++;
	return band;
}
