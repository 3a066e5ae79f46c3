// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <mailbox.h>

#include "log.h"
#include "retire.h"
#include "route.h"
#include "server.h"

/* Longest secret that a file may hold. */
#define SECRET_SIZE 1024
/* Errors of the server that came by themselves and are remembered. */
#define ERRORS 16
/*
 * What libnats keeps while there is no connection, bytes: nothing. It would be written before what
 * the routes publish again, and calls would be made that nobody waits for any more. With 1 it keeps
 * one message. Its header says that 0 is 8 MB, but 3.4 takes it as it is.
 */
#define RECONNECT_BUFFER 0
/* Between two attempts, milliseconds, and by how much the bridges of several hosts differ. */
#define RETRY_WAIT   500
#define RETRY_JITTER 300
/* For the last callback, seconds. */
#define CLOSE_PATIENCE 5

/**
 * struct server - the connection
 * @bridge: whose routes are told; constant
 * @nats: the connection; constant
 * @options: of it; constant
 * @token: as the file has it; constant
 * @connected: atomic
 * @epoch: how many connections there were; atomic
 * @stopping: we end it, and nobody else; atomic
 * @told: when it was said last that there is none; owner: the thread of libnats that tries
 * @lock: guards the rest; innermost
 * @ended: @closed has become true
 * @closed: it has ended, and no callback comes any more
 * @errors: the last ones of this connection, oldest overwritten first
 * @next: that is written next
 */
struct server {
	struct bridge *bridge;
	natsConnection *nats;
	natsOptions *options;
	char *token;
	atomic_bool connected;
	atomic_uint_least64_t epoch;
	atomic_bool stopping;
	uint64_t told;
	pthread_mutex_t lock;
	pthread_cond_t ended;
	bool closed;
	char errors[ERRORS][256];
	unsigned int next;
};

const char *server_last_error(void)
{
	const char *text = nats_GetLastError(NULL);
	const char *behind;

	if (!text)
		return "";
	/* Begins with the place in the library: "(conn.c:12): ". */
	behind = *text == '(' ? strstr(text, "): ") : NULL;
	return behind ? behind + 3 : text;
}

static void wake_all(struct server *server)
{
	unsigned int i;

	for (i = 0; i < server->bridge->nr_routes; i++)
		route_wake(&server->bridge->routes[i]);
}

static void came(struct server *server, const char *word)
{
	char url[256] = "?";

	pthread_mutex_lock(&server->lock);
	memset(server->errors, 0, sizeof(server->errors));
	pthread_mutex_unlock(&server->lock);
	/* A route that sees the connection sees that it is another one. */
	atomic_fetch_add(&server->epoch, 1);
	atomic_store(&server->connected, true);
	if (server->nats)
		natsConnection_GetConnectedUrl(server->nats, url, sizeof(url));
	log_line(LOG_NOTICE, "%s to %s", word, url);
	wake_all(server);
}

static void on_connected(natsConnection *nats, void *context)
{
	struct server *server = context;

	(void)nats;
	came(server, "connected");
}

static void on_reconnected(natsConnection *nats, void *context)
{
	(void)nats;
	came(context, "connected again");
}

static void on_disconnected(natsConnection *nats, void *context)
{
	struct server *server = context;
	const char *error = NULL;

	natsConnection_GetLastError(nats, &error);
	if (!atomic_exchange(&server->connected, false) || atomic_load(&server->stopping))
		return;
	/* That was long before, and is no reason. */
	if (error && strstr(error, "Permissions Violation"))
		error = NULL;
	log_line(LOG_WARNING,
		 "the connection is lost%s%s; it is tried again for ever, and nothing is lost "
		 "meanwhile",
		 error && *error ? ": " : "", error && *error ? error : "");
	wake_all(server);
}

static void remember(struct server *server, const char *error)
{
	pthread_mutex_lock(&server->lock);
	snprintf(server->errors[server->next], sizeof(server->errors[0]), "%s", error);
	server->next = (server->next + 1) % ERRORS;
	pthread_mutex_unlock(&server->lock);
}

/*
 * Before each attempt, from the thread that makes them, which knows how the last one has failed.
 * Return: milliseconds to wait before it.
 */
static int64_t on_retry(natsConnection *nats, int attempt, void *context)
{
	struct server *server = context;
	const char *error = server_last_error();
	char before[256];
	bool known;

	(void)nats;
	if (attempt > 1 && *error) {
		known = server_error(server, NULL, before, sizeof(before)) &&
			!strncmp(before, error, sizeof(before) - 1);
		if (!known || mailbox_now() - server->told >= TELL_EVERY) {
			remember(server, error);
			server->told = mailbox_now();
			log_line(LOG_WARNING, "no connection to a server: %s; it is tried for ever",
				 error);
		}
	}
	return RETRY_WAIT + mailbox_now() / 1000 % RETRY_JITTER;
}

/* libnats has forgotten why it was refused: asks again. */
static void why_refused(struct server *server, char *text, size_t size)
{
	natsOptions *options = server->options;
	natsConnection *nats = NULL;
	natsStatus status;

	natsOptions_SetRetryOnFailedConnect(options, false, NULL, NULL);
	natsOptions_SetReconnectedCB(options, NULL, NULL);
	natsOptions_SetDisconnectedCB(options, NULL, NULL);
	natsOptions_SetClosedCB(options, NULL, NULL);
	natsOptions_SetErrorHandler(options, NULL, NULL);
	status = natsConnection_Connect(&nats, options);
	snprintf(text, size, "%s", status ? server_last_error() : "it would now");
	natsConnection_Destroy(nats);
}

/*
 * The end of the connection. libnats gives up where a server refuses the bridge; the bridge does
 * not: main begins anew.
 */
static void on_closed(natsConnection *nats, void *context)
{
	struct server *server = context;
	char error[256];

	(void)nats;
	if (!atomic_load(&server->stopping)) {
		why_refused(server, error, sizeof(error));
		remember(server, error);
		log_line(LOG_ERR,
			 "the connection is refused: %s; look at 'server:' in the "
			 "configuration, and at the users of the server; it is tried again",
			 error);
		kill(getpid(), SERVER_SIGNAL);
	}
	pthread_mutex_lock(&server->lock);
	server->closed = true;
	pthread_cond_signal(&server->ended);
	pthread_mutex_unlock(&server->lock);
}

/* Refused permissions come so, after the call that they are about. */
static void on_error(natsConnection *nats, natsSubscription *subscription, natsStatus status,
		     void *context)
{
	struct server *server = context;
	const char *error = NULL;

	(void)subscription;
	natsConnection_GetLastError(nats, &error);
	if (!error || !*error)
		error = natsStatus_GetText(status);
	remember(server, error);
	wake_all(server);
}

bool server_error(struct server *server, const char *subject, char *text, size_t size)
{
	unsigned int i;
	bool found = false;

	pthread_mutex_lock(&server->lock);
	for (i = 0; i < ERRORS && !found; i++) {
		const char *error = server->errors[(server->next + ERRORS - 1 - i) % ERRORS];

		if (*error && (!subject || strstr(error, subject))) {
			snprintf(text, size, "%s", error);
			found = true;
		}
	}
	pthread_mutex_unlock(&server->lock);
	return found;
}

/* The first line of a file, or NULL; free(3) it. */
static char *secret(const char *path, const char *key)
{
	char text[SECRET_SIZE];
	FILE *file = fopen(path, "r");
	char *line = NULL;

	if (file) {
		line = fgets(text, sizeof(text), file);
		fclose(file);
	}
	if (!line) {
		log_line(LOG_ERR, "cannot read %s, which '%s' names: %s", path, key,
			 file ? "it is empty" : strerror(errno));
		return NULL;
	}
	text[strcspn(text, "\r\n")] = '\0';
	return strdup(text);
}

/* libnats would read it at each connection, and say less. */
static bool readable(const char *path, const char *key)
{
	if (!path || !access(path, R_OK))
		return true;
	log_line(LOG_ERR, "cannot read %s, which '%s' names: %s", path, key, strerror(errno));
	return false;
}

static natsStatus credentials(struct server *server, const struct config_server *config)
{
	natsStatus status = NATS_OK;
	char *password;

	if (!readable(config->credentials, "credentials") ||
	    !readable(config->nkey_seed, "nkey_seed"))
		return NATS_INVALID_ARG;
	if (config->user) {
		password = secret(config->password_file, "password_file");
		if (!password)
			return NATS_INVALID_ARG;
		status = natsOptions_SetUserInfo(server->options, config->user, password);
		memset(password, 0, strlen(password));
		free(password);
	} else if (config->token_file) {
		server->token = secret(config->token_file, "token_file");
		if (!server->token)
			return NATS_INVALID_ARG;
		status = natsOptions_SetToken(server->options, server->token);
	} else if (config->credentials) {
		status = natsOptions_SetUserCredentialsFromFiles(server->options,
								 config->credentials, NULL);
	} else if (config->nkey) {
		status = natsOptions_SetNKeyFromSeed(server->options, config->nkey,
						     config->nkey_seed);
	}
	if (status)
		log_line(LOG_ERR, "the credentials under 'server:' are of no use: %s",
			 server_last_error());
	return status;
}

static natsStatus encryption(struct server *server, const struct config_tls *tls)
{
	natsStatus status;

	if (!tls)
		return NATS_OK;
	if (!readable(tls->ca, "ca") || !readable(tls->certificate, "certificate") ||
	    !readable(tls->key, "key"))
		return NATS_INVALID_ARG;
	status = natsOptions_SetSecure(server->options, true);
	if (!status && tls->ca)
		status = natsOptions_LoadCATrustedCertificates(server->options, tls->ca);
	if (!status && tls->certificate)
		status = natsOptions_LoadCertificatesChain(server->options, tls->certificate,
							   tls->key);
	if (!status && tls->hostname)
		status = natsOptions_SetExpectedHostname(server->options, tls->hostname);
	if (status)
		log_line(LOG_ERR, "the files under 'tls:' are of no use: %s", server_last_error());
	return status;
}

static natsStatus options(struct server *server, const struct config *config)
{
	natsOptions *options = NULL;
	char name[SERVER_NAME_SIZE];
	natsStatus status;

	status = natsOptions_Create(&options);
	if (status)
		return status;
	server->options = options;
	server_name(name, sizeof(name), "mailbox-bridge %s", config->host);
	status = natsOptions_SetServers(options, (const char **)config->server.urls,
					config->server.nr_urls);
	if (status)
		log_line(LOG_ERR, "'urls' has what is no address of a server, such as "
				  "nats://10.0.0.1:4222");
	status = status ?: natsOptions_SetName(options, name);
	status = status ?: natsOptions_SetReconnectBufSize(options, RECONNECT_BUFFER);
	status = status ?: natsOptions_SetMaxReconnect(options, -1);
	status = status ?: natsOptions_SetCustomReconnectDelay(options, on_retry, server);
	status = status ?: natsOptions_SetTimeout(options, 5000);
	/* A peer that is cut off says nothing: known within six seconds. */
	status = status ?: natsOptions_SetPingInterval(options, 2000);
	status = status ?: natsOptions_SetMaxPingsOut(options, 2);
	status = status ?: natsOptions_SetWriteDeadline(options, 5000);
	status = status ?: natsOptions_SetFailRequestsOnDisconnect(options, true);
	status = status ?: natsOptions_SetRetryOnFailedConnect(options, true, on_connected, server);
	status = status ?: natsOptions_SetReconnectedCB(options, on_reconnected, server);
	status = status ?: natsOptions_SetDisconnectedCB(options, on_disconnected, server);
	status = status ?: natsOptions_SetClosedCB(options, on_closed, server);
	status = status ?: natsOptions_SetErrorHandler(options, on_error, server);
	status = status ?: credentials(server, &config->server);
	return status ?: encryption(server, config->server.tls);
}

bool server_new(struct bridge *bridge, struct server **result)
{
	struct server *server = calloc(1, sizeof(*server));
	natsStatus status;

	if (!server)
		return false;
	server->bridge = bridge;
	pthread_mutex_init(&server->lock, NULL);
	pthread_cond_init(&server->ended, NULL);
	status = options(server, bridge->config);
	if (!status) {
		status = natsConnection_Connect(&server->nats, server->options);
		if (!status)
			came(server, "connected");
		else if (status == NATS_NOT_YET_CONNECTED)
			log_line(LOG_WARNING, "not connected to %s%s yet; it is tried for ever",
				 bridge->config->server.urls[0],
				 bridge->config->server.nr_urls > 1 ? " or the others" : "");
		else
			log_line(LOG_ERR, "cannot connect: %s", natsStatus_GetText(status));
	}
	if (status && status != NATS_NOT_YET_CONNECTED) {
		server_free(server);
		return false;
	}
	*result = server;
	return true;
}

/* Callbacks may be under way until the last one has come. Return: whether it has. */
static bool close_connection(struct server *server)
{
	struct timespec until;
	bool closed;

	atomic_store(&server->stopping, true);
	natsConnection_Close(server->nats);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += CLOSE_PATIENCE;
	pthread_mutex_lock(&server->lock);
	while (!server->closed && !pthread_cond_timedwait(&server->ended, &server->lock, &until))
		;
	closed = server->closed;
	pthread_mutex_unlock(&server->lock);
	return closed;
}

void server_free(struct server *server)
{
	/* Better kept than used by a callback when it is gone. */
	if (!server || (server->nats && !close_connection(server)))
		return;
	retire_all();
	natsConnection_Destroy(server->nats);
	natsOptions_Destroy(server->options);
	free(server->token);
	pthread_cond_destroy(&server->ended);
	pthread_mutex_destroy(&server->lock);
	free(server);
}

natsConnection *server_nats(struct server *server)
{
	return server->nats;
}

uint64_t server_epoch(struct server *server)
{
	/* In this order: a connection that came in between has the next number. */
	bool connected = atomic_load(&server->connected);
	uint64_t epoch = atomic_load(&server->epoch);

	return connected ? epoch : 0;
}

uint64_t server_max_payload(struct server *server)
{
	int64_t most;

	if (!server_epoch(server))
		return 0;
	most = natsConnection_GetMaxPayload(server->nats);
	return most > 0 ? most : 0;
}
