// SPDX-License-Identifier: GPL-2.0
/*
 * mailbox-bridge: mailboxes on several hosts, over NATS JetStream. One process for each host.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include <mailbox.h>

#include "log.h"
#include "route.h"
#include "server.h"
#include "status.h"

#define CONFIG "/etc/mailbox-bridge.yaml"

/* As in mailbox-bridge(8). */
enum {
	EXIT_OK,
	EXIT_OTHER,
	EXIT_USAGE,
	EXIT_CONFIG,
	/* As of 'mailbox'. */
	EXIT_NO_DEVICE = 11,
};

static void help(FILE *to)
{
	fprintf(to,
		"Usage: mailbox-bridge [FILE]\n"
		"       mailbox-bridge --check [FILE...]\n"
		"\n"
		"Joins mailboxes of this host with those of others, through NATS JetStream.\n"
		"FILE is the configuration, " CONFIG " unless it is said.\n"
		"\n"
		"  -c, --check    look at configurations only\n"
		"  -h, --help     this text\n"
		"  -V, --version  the version\n"
		"\n"
		"'mailbox bridge status' shows what a bridge does; mailbox-bridge(8) tells more.\n");
}

static void *(*run_of(const struct config_route *config))(void *)
{
	if (config->policy == ROUTE_CALL)
		return config->direction == ROUTE_OUT ? route_call_out : route_call_in;
	return config->direction == ROUTE_OUT ? route_out : route_in;
}

static bool read_boot(char *boot)
{
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "r");
	unsigned int length = 0;
	int byte;

	if (!file) {
		log_line(LOG_ERR, "cannot read which boot this is: %s; is /proc mounted?",
			 strerror(errno));
		return false;
	}
	while (length < 32 && (byte = fgetc(file)) != EOF) {
		if (byte != '-' && byte != '\n')
			boot[length++] = byte;
	}
	fclose(file);
	return length == 32;
}

/* Nobody can be waiting for the routes yet. */
static bool prepare(struct bridge *bridge)
{
	const struct config *config = bridge->config;
	unsigned int i;

	if (mkdir(config->state, 0700) && errno != EEXIST) {
		log_line(LOG_ERR, "cannot make the folder %s, which 'state:' names: %s",
			 config->state, strerror(errno));
		return false;
	}
	bridge->routes = calloc(config->nr_routes, sizeof(*bridge->routes));
	if (!bridge->routes)
		return false;
	for (i = 0; i < config->nr_routes; i++) {
		if (!route_init(&bridge->routes[i], bridge, &config->routes[i])) {
			log_line(LOG_ERR,
				 "cannot have %u routes: %s; raise LimitNOFILE of the service, or "
				 "'ulimit -n'",
				 config->nr_routes, strerror(errno));
			return false;
		}
		bridge->nr_routes++;
	}
	return true;
}

static void finish(struct bridge *bridge)
{
	unsigned int i;

	for (i = 0; i < bridge->nr_routes; i++)
		route_fini(&bridge->routes[i]);
	free(bridge->routes);
	if (bridge->device >= 0)
		close(bridge->device);
}

/* What has to be begun anew: no exit code. */
#define AGAIN (-1)
/* How long what was refused is not tried again, seconds. */
#define AGAIN_AFTER 5

/* Waits for a signal; all threads have them blocked. */
static int wait_for_end(const sigset_t *signals)
{
	const struct timespec wait = { .tv_sec = AGAIN_AFTER };
	int signal = 0;

	sigwait(signals, &signal);
	if (signal != SERVER_SIGNAL)
		return EXIT_OK;
	/* Meanwhile the bridge tells its state. */
	signal = sigtimedwait(signals, NULL, &wait);
	return signal > 0 && signal != SERVER_SIGNAL ? EXIT_OK : AGAIN;
}

static int run(struct bridge *bridge, const sigset_t *signals)
{
	struct status *status = NULL;
	unsigned int i, started = 0;
	int ret = EXIT_OK;

	if (!server_new(bridge, &bridge->server))
		return EXIT_CONFIG;
	if (!status_new(bridge, &status))
		ret = EXIT_OTHER;
	for (i = 0; i < bridge->nr_routes && !ret; i++) {
		struct route *route = &bridge->routes[i];

		atomic_store(&route->stopping, false);
		atomic_store(&route->state, ROUTE_STARTING);
		if (pthread_create(&route->thread, NULL, run_of(route->config), route))
			ret = EXIT_OTHER;
		else
			started++;
	}
	if (!ret)
		ret = wait_for_end(signals);
	else
		log_line(LOG_ERR, "there is not enough memory, or too many threads");

	for (i = 0; i < started; i++) {
		atomic_store(&bridge->routes[i].stopping, true);
		route_wake(&bridge->routes[i]);
	}
	for (i = 0; i < started; i++)
		pthread_join(bridge->routes[i].thread, NULL);
	status_free(status);
	server_free(bridge->server);
	if (ret != AGAIN)
		log_line(LOG_NOTICE, "stopped");
	return ret;
}

static int start(const struct config *config)
{
	struct bridge bridge = { .config = config, .device = -1 };
	sigset_t signals;
	int ret;

	/* Before there are threads, which inherit it. */
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SERVER_SIGNAL);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);

	bridge.device = mailbox_device_open();
	if (bridge.device < 0) {
		log_line(LOG_ERR,
			 "cannot open /dev/mailbox: %s; 'modprobe mailbox' loads the module",
			 strerror(-bridge.device));
		return EXIT_NO_DEVICE;
	}
	ret = read_boot(bridge.boot) && prepare(&bridge) ? AGAIN : EXIT_OTHER;
	while (ret == AGAIN)
		ret = run(&bridge, &signals);
	finish(&bridge);
	return ret;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "check", no_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	struct config *config;
	const char *path;
	bool check = false;
	int option, ret = EXIT_OK;

	while ((option = getopt_long(argc, argv, "chV", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			check = true;
			break;
		case 'h':
			help(stdout);
			return EXIT_OK;
		case 'V':
			puts("mailbox-bridge " MAILBOX_VERSION);
			return EXIT_OK;
		default:
			help(stderr);
			return EXIT_USAGE;
		}
	}
	if (argc - optind > 1 && !check) {
		help(stderr);
		return EXIT_USAGE;
	}
	do {
		path = optind < argc ? argv[optind] : CONFIG;
		if (!config_load(path, &config)) {
			ret = EXIT_CONFIG;
			continue;
		}
		if (check)
			printf("%s is good: %u route%s\n", path, config->nr_routes,
			       config->nr_routes == 1 ? "" : "s");
		else
			ret = start(config);
		config_free(config);
	} while (++optind < argc);
	return ret;
}
