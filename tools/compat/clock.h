/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Times: the module has nanoseconds of CLOCK_MONOTONIC, and SysV seconds of the wall clock.
 */
#ifndef COMPAT_CLOCK_H
#define COMPAT_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Seconds since 1970 of that moment, by the clock as it is set now; 0 of 0. */
time_t compat_wall_clock(uint64_t moment);

#endif /* COMPAT_CLOCK_H */
