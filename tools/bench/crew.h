/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Processes that work with the one that measures. They wait between the rounds, and
 * end with it.
 */
#ifndef CREW_H
#define CREW_H

#include <stdint.h>
#include <sys/types.h>

#define CREW_MAX 4

/**
 * struct crew - the other processes
 * @nr: how many
 * @pids: of them
 * @starts: a byte in here sends one to work
 * @done: each writes the time at which it was done
 */
struct crew {
	unsigned int nr;
	pid_t pids[CREW_MAX];
	int starts[CREW_MAX];
	int done[2];
};

void crew_start(struct crew *crew, unsigned int nr, void (*work)(void *), void *arg);
void crew_send_to_work(struct crew *crew);
/* Waits for all of them. Return: the time when the last one was done. */
uint64_t crew_wait(struct crew *crew);
void crew_end(struct crew *crew);

#endif
