/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mailbox-bridge: what all of it shares. One process for each host; a thread for each route.
 *
 * Functions that can fail return 0 or a negative errno, unless they say otherwise.
 */
#ifndef BRIDGE_BRIDGE_H
#define BRIDGE_BRIDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"

/* Times are nanoseconds, where nothing else is said. */
#define MILLISECOND UINT64_C(1000000)
#define SECOND	    UINT64_C(1000000000)

struct server;
struct route;

/**
 * struct bridge - one bridge
 * @config: what it was told; constant
 * @device: /dev/mailbox; constant
 * @boot: of this machine, 32 hexadecimal digits; constant
 * @server: the connection; constant, and has its own locks
 * @routes: all of them; constant
 * @nr_routes: how many; constant
 */
struct bridge {
	const struct config *config;
	int device;
	char boot[33];
	struct server *server;
	struct route *routes;
	unsigned int nr_routes;
};

#endif /* BRIDGE_BRIDGE_H */
