/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The end of subscriptions. libnats before 3.6 lets its thread that reads from the socket look up a
 * subscription, and use it without holding a reference: one that is destroyed just then, with
 * messages still coming for it, is used when it is gone (nats.c issue 637). So each is
 * destroyed only when that thread has certainly left it.
 */
#ifndef BRIDGE_RETIRE_H
#define BRIDGE_RETIRE_H

#include <nats/nats.h>

/**
 * retire() - unsubscribe, and destroy when that is safe
 * @nats: the connection
 * @subscription: of it, or NULL; whose callback does not run any more, if it has one
 *
 * Takes a round trip to the server. Without a connection it is put aside, for the next call that
 * has one, or for retire_all().
 */
void retire(natsConnection *nats, natsSubscription *subscription);

/* Of what was put aside, once the connection is closed. */
void retire_all(void);

#endif /* BRIDGE_RETIRE_H */
