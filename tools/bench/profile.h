/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The loop whose instructions profile.sh counts by function.
 */
#ifndef PROFILE_H
#define PROFILE_H

#include <stdbool.h>
#include <stddef.h>

/* Pairs of a send and a receive between the two marks. */
#define PROFILE_PAIRS 100

/*
 * Instructions without effect that nothing else contains; profile_plugin.c looks for
 * them in what the machine executes.
 */
#define PROFILE_BEGIN 0x0f, 0x1f, 0x84, 0x00, 0x6d, 0x62, 0x78, 0x01
#define PROFILE_END   0x0f, 0x1f, 0x84, 0x00, 0x6d, 0x62, 0x78, 0x02

bool profile_run(const char *name, size_t size);

#endif
