/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The round of a measurement whose instructions profile.sh counts by function.
 */
#ifndef PROFILE_H
#define PROFILE_H

#include <stdbool.h>

/*
 * Instructions without effect that nothing else contains; profile_plugin.c looks for
 * them in what the machine executes.
 */
#define PROFILE_BEGIN 0x0f, 0x1f, 0x84, 0x00, 0x6d, 0x62, 0x78, 0x01
#define PROFILE_END   0x0f, 0x1f, 0x84, 0x00, 0x6d, 0x62, 0x78, 0x02

/**
 * profile_run() - run one round between the marks, and print what one message cost
 * @name: of the peer
 * @what: of the measurement
 * @x: size, backlog or number of mailboxes
 * Return: false when there is no such peer or measurement, or they do not fit.
 */
bool profile_run(const char *name, const char *what, unsigned long x);

#endif
