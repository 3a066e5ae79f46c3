/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Starts the workers, and again those that were killed.
 */
#ifndef FUZZ_START_H
#define FUZZ_START_H

void start_all(void);
void start_worker(unsigned int nr);

#endif
