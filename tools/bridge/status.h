/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What 'mailbox bridge status' asks: a mailbox whose calls are answered in JSON.
 */
#ifndef BRIDGE_STATUS_H
#define BRIDGE_STATUS_H

#include "bridge.h"

struct status;

/* Starts a thread that answers; without the mailbox it says so, and waits. False: no memory. */
bool status_new(struct bridge *bridge, struct status **status);
void status_free(struct status *status);

#endif /* BRIDGE_STATUS_H */
