// SPDX-License-Identifier: GPL-2.0
/*
 * The file as libcyaml reads it, and the defaults. Durations and sizes are texts there.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cyaml/cyaml.h>

#include "../cli/cli.h"
#include "bridge.h"
#include "config_file.h"

#define MINUTE (60 * SECOND)

struct file_stream {
	uint32_t replicas;
	char *storage, *max_messages, *max_bytes, *max_age, *duplicates;
};

struct file_route {
	char *name, *mailbox, *subject, *dead_letter, *receipts;
	enum route_direction direction;
	enum route_policy policy;
	enum route_confirm confirm;
	bool *create, *origin;
	uint32_t *window, *max_deliveries;
	uint32_t *bands;
	uint32_t nr_bands;
	char *message_size, *ack_wait, *hold, *turn, *heartbeat;
	struct file_stream *stream;
};

struct file {
	char *host, *prefix, *name, *state;
	struct config_server server;
	struct file_route *routes;
	uint32_t nr_routes;
};

/* What is read, and what is made of it: one owns the texts of the other. */
struct loaded {
	struct config config;
	struct file *file;
	char host[256];
};

#define TEXT(type, member) \
	CYAML_FIELD_STRING_PTR(#member, CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER, type, member, 1, \
			       CYAML_UNLIMITED)

static const cyaml_schema_value_t text_entry = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, CYAML_UNLIMITED),
};

static const cyaml_schema_value_t number_entry = {
	CYAML_VALUE_UINT(CYAML_FLAG_DEFAULT, uint32_t),
};

static const cyaml_schema_field_t tls_fields[] = {
	TEXT(struct config_tls, ca),
	TEXT(struct config_tls, certificate),
	TEXT(struct config_tls, key),
	TEXT(struct config_tls, hostname),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t server_fields[] = {
	CYAML_FIELD_SEQUENCE_COUNT("urls", CYAML_FLAG_POINTER, struct config_server, urls, nr_urls,
				   &text_entry, 1, 64),
	TEXT(struct config_server, credentials),
	TEXT(struct config_server, user),
	TEXT(struct config_server, password_file),
	TEXT(struct config_server, token_file),
	TEXT(struct config_server, nkey),
	TEXT(struct config_server, nkey_seed),
	CYAML_FIELD_MAPPING_PTR("tls", CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER,
				struct config_server, tls, tls_fields),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t stream_fields[] = {
	CYAML_FIELD_UINT("replicas", CYAML_FLAG_OPTIONAL, struct file_stream, replicas),
	TEXT(struct file_stream, storage),
	TEXT(struct file_stream, max_messages),
	TEXT(struct file_stream, max_bytes),
	TEXT(struct file_stream, max_age),
	TEXT(struct file_stream, duplicates),
	CYAML_FIELD_END,
};

static const cyaml_strval_t directions[] = { { "out", ROUTE_OUT }, { "in", ROUTE_IN } };
static const cyaml_strval_t policies[] = { { "any", ROUTE_ANY },
					   { "one", ROUTE_ONE },
					   { "broadcast", ROUTE_BROADCAST },
					   { "call", ROUTE_CALL } };
static const cyaml_strval_t confirms[] = { { "stored", CONFIRM_STORED },
					   { "acknowledged", CONFIRM_ACKNOWLEDGED } };

static const cyaml_schema_field_t route_fields[] = {
	TEXT(struct file_route, name),
	CYAML_FIELD_STRING_PTR("mailbox", CYAML_FLAG_POINTER, struct file_route, mailbox, 1,
			       CYAML_UNLIMITED),
	TEXT(struct file_route, subject),
	CYAML_FIELD_ENUM("direction", CYAML_FLAG_STRICT, struct file_route, direction, directions,
			 CYAML_ARRAY_LEN(directions)),
	CYAML_FIELD_ENUM("policy", CYAML_FLAG_STRICT | CYAML_FLAG_OPTIONAL, struct file_route,
			 policy, policies, CYAML_ARRAY_LEN(policies)),
	CYAML_FIELD_ENUM("confirm", CYAML_FLAG_STRICT | CYAML_FLAG_OPTIONAL, struct file_route,
			 confirm, confirms, CYAML_ARRAY_LEN(confirms)),
	CYAML_FIELD_BOOL_PTR("create", CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER, struct file_route,
			     create),
	CYAML_FIELD_BOOL_PTR("origin", CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER, struct file_route,
			     origin),
	CYAML_FIELD_UINT_PTR("window", CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER, struct file_route,
			     window),
	CYAML_FIELD_UINT_PTR("max_deliveries", CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER,
			     struct file_route, max_deliveries),
	CYAML_FIELD_SEQUENCE_COUNT("bands", CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER,
				   struct file_route, bands, nr_bands, &number_entry, 0,
				   CONFIG_BANDS_MAX - 1),
	TEXT(struct file_route, message_size),
	TEXT(struct file_route, dead_letter),
	TEXT(struct file_route, receipts),
	TEXT(struct file_route, ack_wait),
	TEXT(struct file_route, hold),
	TEXT(struct file_route, turn),
	TEXT(struct file_route, heartbeat),
	CYAML_FIELD_MAPPING_PTR("stream", CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER,
				struct file_route, stream, stream_fields),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t route_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct file_route, route_fields),
};

static const cyaml_schema_field_t file_fields[] = {
	TEXT(struct file, host),
	TEXT(struct file, prefix),
	TEXT(struct file, name),
	TEXT(struct file, state),
	CYAML_FIELD_MAPPING("server", CYAML_FLAG_DEFAULT, struct file, server, server_fields),
	CYAML_FIELD_SEQUENCE_COUNT("routes", CYAML_FLAG_POINTER, struct file, routes, nr_routes,
				   &route_entry, 1, 1000),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t file_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct file, file_fields),
};

/* What libcyaml says about one file: what is wrong, and then where, from the inside out. */
struct said {
	char what[200], where[200];
};

static void hear(cyaml_log_t level, void *context, const char *format, va_list arguments)
{
	struct said *said = context;
	char text[sizeof(said->what)];

	(void)level;
	vsnprintf(text, sizeof(text), format, arguments);
	text[strcspn(text, "\n")] = '\0';
	if (!*said->what)
		strcpy(said->what, text);
	else if (!*said->where && strstr(text, "(line: "))
		strcpy(said->where, text);
}

static cyaml_config_t reader(struct said *said)
{
	return (cyaml_config_t){
		.log_fn = hear,
		.log_ctx = said,
		.log_level = CYAML_LOG_ERROR,
		.mem_fn = cyaml_mem,
		.flags = CYAML_CFG_DEFAULT,
	};
}

/* In a sentence of ours what libcyaml has found. */
static void explain(const char *what)
{
	static const struct {
		const char *theirs, *ours;
	} sentences[] = {
		{ "Unexpected key: ", "there is no '%s' here" },
		{ "Missing required mapping field: ", "'%s' is missing here" },
		{ "Invalid ENUM value: ", "'%s' is no word that goes here" },
		{ "Invalid uint64_t value: ", "%s is no number that goes here" },
		{ "Invalid BOOL value: ", "%s is neither true nor false" },
		{ "Invalid UINT value: ", "%s is too large" },
		{ "Mapping field already seen: ", "'%s' is said twice" },
		{ "STRING length < 1", "it is empty%.0s" },
		{ "Expecting MAPPING, ", "there should be keys with values%.0s" },
		{ "Insufficient entries ", "the list needs at least one entry%.0s" },
		{ "Excessive entries ", "the list has more entries than it may %s" },
	};
	size_t i;

	if (!strncmp(what, "Load: ", 6))
		what += 6;
	for (i = 0; i < CYAML_ARRAY_LEN(sentences); i++) {
		size_t length = strlen(sentences[i].theirs);

		if (!strncmp(what, sentences[i].theirs, length)) {
			fprintf(stderr, sentences[i].ours, what + length);
			return;
		}
	}
	fputs(what, stderr);
}

/* One line for all of it. */
static void tell(const char *path, const struct said *said, const char *error)
{
	const char *key = strstr(said->where, "mapping field '");
	const char *line = strstr(said->where, "(line: ");

	fprintf(stderr, "mailbox-bridge: %s: ", path);
	if (line)
		fprintf(stderr, "line %d: ", atoi(line + 7));
	if (key && !strstr(said->what, "Missing"))
		fprintf(stderr, "%.*s: ", (int)strcspn(key + 15, "'"), key + 15);
	explain(*said->what ? said->what : error);
	fputs("; mailbox-bridge(8) lists what there is\n", stderr);
}

static bool wrong(const struct config *config, const char *route, const char *key, const char *text,
		  const char *wanted)
{
	fprintf(stderr, "mailbox-bridge: %s: route '%s': %s is '%s', and should be %s\n",
		config->path, route, key, text, wanted);
	return false;
}

static bool duration(const struct config *config, const char *route, const char *key,
		     const char *text, uint64_t otherwise, uint64_t *value)
{
	*value = otherwise;
	return !text || parse_duration(text, value) ||
	       wrong(config, route, key, text, "a time such as 500ms, 30s or 2m");
}

static bool size(const struct config *config, const char *route, const char *key, const char *text,
		 uint64_t otherwise, uint64_t *value)
{
	*value = otherwise;
	/* JetStream has signed numbers. */
	return !text || parse_size(text, INT64_MAX, value) ||
	       wrong(config, route, key, text, "a number such as 4096, 64K, 10M or 1G");
}

static bool make_stream(const struct config *config, const char *route,
			const struct file_stream *file, struct config_stream *stream)
{
	static const struct file_stream none;

	file = file ? file : &none;
	stream->replicas = file->replicas ? file->replicas : 1;
	stream->memory = file->storage && !strcmp(file->storage, "memory");
	if (file->storage && !stream->memory && strcmp(file->storage, "file"))
		return wrong(config, route, "storage", file->storage, "'file' or 'memory'");
	return size(config, route, "max_messages", file->max_messages, 0, &stream->max_messages) &&
	       size(config, route, "max_bytes", file->max_bytes, 0, &stream->max_bytes) &&
	       duration(config, route, "max_age", file->max_age, 0, &stream->max_age) &&
	       duration(config, route, "duplicates", file->duplicates, 2 * MINUTE,
			&stream->duplicates);
}

static uint64_t larger(uint64_t one, uint64_t other)
{
	return one > other ? one : other;
}

static bool make_route(const struct config *config, const struct file_route *file,
		       struct config_route *route)
{
	static uint32_t usual_bands[] = { 1 };

	route->mailbox = file->mailbox;
	route->name = file->name ? file->name : file->mailbox;
	route->subject = file->subject ? file->subject : file->mailbox;
	route->direction = file->direction;
	route->policy = file->policy;
	route->confirm = file->confirm;
	route->create = file->create ? *file->create : true;
	route->origin = file->origin && *file->origin;
	route->window = file->window ? *file->window : 256;
	route->max_deliveries = file->max_deliveries ? *file->max_deliveries : 0;
	route->bands = file->bands ? file->bands : usual_bands;
	route->nr_bands = file->bands ? file->nr_bands : 1;
	if (file->bands && file->policy == ROUTE_BROADCAST) {
		fprintf(stderr,
			"mailbox-bridge: %s: route '%s': a broadcast has no bands; leave "
			"'bands' out\n",
			config->path, route->name);
		return false;
	}
	route->dead_letter = file->dead_letter;
	route->receipts = file->receipts;
	return make_stream(config, route->name, file->stream, &route->stream) &&
	       size(config, route->name, "message_size", file->message_size, 65536,
		    &route->message_size) &&
	       duration(config, route->name, "ack_wait", file->ack_wait,
			larger(route->stream.duplicates, SECOND), &route->ack_wait) &&
	       duration(config, route->name, "hold", file->hold,
			route->ack_wait > 2 * SECOND ? SECOND : route->ack_wait / 2,
			&route->hold) &&
	       duration(config, route->name, "turn", file->turn, 10 * SECOND, &route->turn) &&
	       duration(config, route->name, "heartbeat", file->heartbeat, SECOND,
			&route->heartbeat);
}

/* That of the machine, as one part of a subject. */
static char *own_name(struct loaded *loaded)
{
	char *dot;

	if (gethostname(loaded->host, sizeof(loaded->host) - 1))
		return "localhost";
	while ((dot = strchr(loaded->host, '.')))
		*dot = '-';
	return loaded->host;
}

static bool make(struct loaded *loaded)
{
	struct config *config = &loaded->config;
	struct file *file = loaded->file;
	uint32_t i;

	config->host = file->host ? file->host : own_name(loaded);
	config->prefix = file->prefix ? file->prefix : "mbx";
	config->name = file->name ? file->name : "bridge";
	config->state = file->state ? file->state : "/run/mailbox-bridge";
	config->server = file->server;
	config->routes = calloc(file->nr_routes, sizeof(*config->routes));
	if (!config->routes)
		return false;
	config->nr_routes = file->nr_routes;
	for (i = 0; i < file->nr_routes; i++) {
		if (!make_route(config, &file->routes[i], &config->routes[i]))
			return false;
	}
	return true;
}

bool config_load(const char *path, struct config **config)
{
	struct loaded *loaded = calloc(1, sizeof(*loaded));
	struct said said = { 0 };
	cyaml_config_t how = reader(&said);
	cyaml_err_t error;

	if (!loaded)
		return false;
	loaded->config.path = path;
	errno = 0;
	error = cyaml_load_file(path, &how, &file_value, (cyaml_data_t **)&loaded->file, NULL);
	if (error == CYAML_ERR_FILE_OPEN) {
		fprintf(stderr,
			"mailbox-bridge: cannot open %s: %s; name another file, or copy the "
			"example of mailbox-bridge(8)\n",
			path, strerror(errno));
	} else if (error) {
		tell(path, &said, cyaml_strerror(error));
	} else if (!loaded->file) {
		tell(path, &said, "the file is empty");
	} else if (make(loaded) && config_check(&loaded->config)) {
		*config = &loaded->config;
		return true;
	}
	config_free(&loaded->config);
	return false;
}

void config_free(struct config *config)
{
	struct loaded *loaded = (struct loaded *)config;
	struct said said;
	const cyaml_config_t how = reader(&said);

	if (!config)
		return;
	if (loaded->file)
		cyaml_free(&how, &file_value, loaded->file, 0);
	free(config->routes);
	free(loaded);
}
