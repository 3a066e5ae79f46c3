/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Between what reads a configuration and what checks it.
 */
#ifndef BRIDGE_CONFIG_FILE_H
#define BRIDGE_CONFIG_FILE_H

#include "config.h"

/* Whether it can work; says what cannot. */
bool config_check(const struct config *config);

#endif /* BRIDGE_CONFIG_FILE_H */
