/* SPDX-License-Identifier: GPL-2.0 */
/*
 * policy one: the turn to receive, which one host has at a time: a key with an end in a bucket of
 * JetStream, taken and renewed by compare-and-set.
 */
#ifndef BRIDGE_TURN_H
#define BRIDGE_TURN_H

#include <nats/nats.h>

#include "route.h"

struct turn;

/**
 * turn_new() - begin to look after the turn of a route
 * @route: the route
 * @js: context of its thread
 * @lock: descriptor of a file that is locked as long as this bridge lives: a key that names it
 *	is of a bridge that has ended, and is taken over at once
 *
 * Return: the turn, or NULL without memory.
 */
struct turn *turn_new(struct route *route, jsCtx *js, int lock);
/* Gives it up, if it is ours. */
void turn_free(struct turn *turn);

/**
 * turn_take() - take the turn, or renew it when it is due
 * @turn: the turn
 *
 * Return: whether it is ours, by the clock of this host, until turn_until().
 */
bool turn_take(struct turn *turn);

/* When it ends unless it is renewed, CLOCK_MONOTONIC nanoseconds: earlier than at the server. */
uint64_t turn_until(const struct turn *turn);

#endif /* BRIDGE_TURN_H */
