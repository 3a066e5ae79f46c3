/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Receipts that go to the host where a message came from, by JetStream.
 */
#ifndef BRIDGE_RECEIPT_H
#define BRIDGE_RECEIPT_H

#include <nats/nats.h>

#include "route.h"
#include "seen.h"

struct receipts;

/* NULL without memory. */
struct receipts *receipts_new(struct route *route);
void receipts_free(struct receipts *receipts);

/**
 * receipts_publish() - begin to publish the receipt of a message
 * @receipts: of the route
 * @slot: end and those after it are set, id and receipt too
 *
 * Return: 0 or a negative errno, and the route was told.
 */
int receipts_publish(struct receipts *receipts, const struct seen_slot *slot);

/**
 * receipts_flush() - wait until the server has all of them
 * @receipts: of the route
 *
 * Return: 0; or a negative errno, the route was told, and each may be published again: the
 * server drops those that it has.
 */
int receipts_flush(struct receipts *receipts);

#endif /* BRIDGE_RECEIPT_H */
