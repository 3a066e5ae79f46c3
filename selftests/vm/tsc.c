// SPDX-License-Identifier: GPL-2.0
/*
 * tsc: prints how fast the processor counts, in kHz. An emulator hands that count on, and a kernel
 * that knows no other clock measures it while it boots: badly, or not at all, where others want
 * the processor, too.
 */
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#ifdef __x86_64__
#include <x86intrin.h>

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ULL + time.tv_nsec;
}

/* Not from a moment at which another process had the processor between the two clocks. */
static uint64_t both(uint64_t *count)
{
	uint64_t before, after;

	do {
		before = now();
		*count = __rdtsc();
		after = now();
	} while (after - before > 10000);
	return after;
}

int main(void)
{
	const struct timespec while_we_wait = { .tv_nsec = 100 * 1000 * 1000 };
	uint64_t first, last, began, ended;

	began = both(&first);
	nanosleep(&while_we_wait, NULL);
	ended = both(&last);
	printf("%.0f\n", (last - first) * 1e6 / (ended - began));
	return 0;
}
#else
/* The emulator makes one up. */
int main(void)
{
	return 1;
}
#endif
