/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One line for each event, on standard error: "mailbox-bridge: route 'jobs': ...". Under systemd
 * with the priority that journald knows. The same line again is told five times a minute at most.
 */
#ifndef BRIDGE_LOG_H
#define BRIDGE_LOG_H

#include "bridge.h"

/* How often one and the same trouble is told, where somebody remembers that. */
#define TELL_EVERY (60 * SECOND)

/* Levels of syslog(3): LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO. From any thread. */
void log_line(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif /* BRIDGE_LOG_H */
