// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <mailbox.h>

#include "log.h"
#include "route.h"

#define BACKOFF_LEAST (100 * MILLISECOND)
#define BACKOFF_MOST  (5 * SECOND)
/* What a mailbox holds where nothing is said. */
#define USUAL_BYTES (8 * 1024 * 1024)

static uint64_t unix_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * SECOND + now.tv_nsec;
}

bool route_init(struct route *route, struct bridge *bridge, const struct config_route *config)
{
	memset(route, 0, sizeof(*route));
	route->bridge = bridge;
	route->config = config;
	route->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&route->lock, NULL);
	return route->wake >= 0;
}

void route_fini(struct route *route)
{
	close(route->wake);
	pthread_mutex_destroy(&route->lock);
}

void route_trouble(struct route *route, enum route_state state, const char *format, ...)
{
	char text[sizeof(route->error)];
	va_list arguments;
	bool tell;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);

	atomic_store(&route->state, state);
	pthread_mutex_lock(&route->lock);
	tell = strcmp(text, route->error) || !route->told ||
	       mailbox_now() - route->told >= TELL_EVERY;
	if (tell)
		route->told = mailbox_now();
	memcpy(route->error, text, sizeof(text));
	route->error_time = unix_now();
	route->error_count++;
	pthread_mutex_unlock(&route->lock);
	if (tell)
		log_line(LOG_WARNING, "route '%s': %s", route->config->name, text);
}

void route_well(struct route *route)
{
	int before = atomic_load_explicit(&route->state, memory_order_relaxed);
	bool told;

	if (before == ROUTE_RUNNING)
		return;

	atomic_store(&route->state, ROUTE_RUNNING);
	pthread_mutex_lock(&route->lock);
	told = route->told;
	/* The same trouble later is news. */
	route->told = 0;
	pthread_mutex_unlock(&route->lock);
	if (before == ROUTE_STARTING || told)
		log_line(LOG_NOTICE, "route '%s': %s", route->config->name,
			 before == ROUTE_STARTING ? "runs" : "goes on");
}

void route_wake(struct route *route)
{
	uint64_t one = 1;

	/* Can fail only where the counter is full, and then it is readable, too. */
	(void)!write(route->wake, &one, sizeof(one));
}

bool route_wait(struct route *route, int fd, short events, uint64_t timeout)
{
	struct pollfd polls[] = { { .fd = route->wake, .events = POLLIN },
				  { .fd = fd, .events = events } };
	struct timespec time = { .tv_sec = timeout / SECOND, .tv_nsec = timeout % SECOND };
	uint64_t count;

	if (ppoll(polls, 2, timeout == UINT64_MAX ? NULL : &time, NULL) <= 0)
		return false;
	/* Before the caller looks: what comes after that wakes it again. */
	if (polls[0].revents)
		(void)!read(route->wake, &count, sizeof(count));
	return polls[1].revents;
}

void backoff(struct route *route, struct backoff *backoff)
{
	const uint64_t begin = mailbox_now();
	uint64_t passed = 0;

	backoff->wait = backoff->wait ? 2 * backoff->wait : BACKOFF_LEAST;
	if (backoff->wait > BACKOFF_MOST)
		backoff->wait = BACKOFF_MOST;
	/* Others than a stop wake it, too. */
	while (passed < backoff->wait && !atomic_load(&route->stopping)) {
		route_wait(route, -1, 0, backoff->wait - passed);
		passed = mailbox_now() - begin;
	}
}

void backoff_done(struct backoff *backoff)
{
	backoff->wait = 0;
}

/* Room for what is in flight, and as much again that has not been looked at. */
static int make(struct route *route, const char *name, uint32_t rights, int *handle)
{
	const struct config_route *config = route->config;
	struct mailbox_create create;
	int ret;

	ret = mailbox_create_init(&create, name);
	if (ret)
		return ret;
	create.flags = MAILBOX_NONBLOCK | MAILBOX_PERMANENT;
	create.rights = rights;
	/* Inward the bridge is all the senders there are. */
	create.share = 100;
	create.message_size = config->message_size;
	create.max_messages = 2 * config->window > 1024 ? 2 * config->window : 1024;
	/* Two of the longest, and no less than is usual. */
	create.max_bytes = 2 * config->message_size > USUAL_BYTES ? 2 * config->message_size :
								    USUAL_BYTES;
	if (config->policy == ROUTE_BROADCAST && config->direction == ROUTE_OUT &&
	    !strcmp(name, config->mailbox)) {
		create.policy = MAILBOX_POLICY_BROADCAST;
		create.on_full = MAILBOX_ON_FULL_OVERWRITE;
	}
	ret = mailbox_create(route->bridge->device, &create);
	if (ret < 0)
		return ret;
	log_line(LOG_INFO, "route '%s': made mailbox '%s'", config->name, name);
	*handle = ret;
	return 0;
}

int route_mailbox(struct route *route, const char *name, uint32_t rights, int *handle)
{
	int ret = mailbox_open(route->bridge->device, name, rights, MAILBOX_NONBLOCK);

	if (ret >= 0) {
		*handle = ret;
		return 0;
	}
	if (ret == -ENOENT && route->config->create) {
		ret = make(route, name, rights, handle);
		if (!ret)
			return 0;
		/* Somebody was quicker: his will do, the next time. */
	}

	if (ret == -ENOENT)
		route_trouble(route, ROUTE_NO_MAILBOX,
			      "there is no mailbox '%s': 'mailbox create %s' makes it, and so does "
			      "'create: true' here",
			      name, name);
	else if (ret == -EACCES)
		route_trouble(route, ROUTE_NO_MAILBOX,
			      "may not open mailbox '%s': its owner or mode has to let the bridge",
			      name);
	else
		route_trouble(route, ROUTE_NO_MAILBOX, "cannot open mailbox '%s': %s", name,
			      mailbox_strerror(ret));
	return ret;
}
