/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SELFTESTS_RACES_H
#define SELFTESTS_RACES_H

#include "world.h"

/*
 * What the tests of races share: chance that can be repeated, how many rounds, and
 * letters that are counted one by one. In the environment MAILBOX_SEED repeats the
 * choices of a run, though not what the scheduler makes of them; MAILBOX_EFFORT=1000
 * makes ten times as many rounds.
 */

static inline uint64_t race_number(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text && *text ? strtoull(text, NULL, 0) : otherwise;
}

/* Called once, before any test: all of them say the same seed. */
static inline void race_seed_choose(void)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)now_ns());
	if (!race_number("MAILBOX_SEED", 0))
		setenv("MAILBOX_SEED", text, 1);
}

/* A stream of numbers of its own for each test. */
static inline uint64_t race_random(uint32_t stream)
{
	return race_number("MAILBOX_SEED", 1) + stream * 0x9e3779b97f4a7c15ULL;
}

/* At least three: two whose outcome is certain, and one by chance. */
static inline uint32_t race_rounds(uint32_t usual)
{
	uint32_t rounds = effort(usual);

	/* Where nothing happens at the same time there is less to be found. */
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		rounds /= 4;
	return rounds > 3 ? rounds : 3;
}

/* A process that has not come to its end by then hangs. */
static inline __u64 race_hang(void)
{
	return now_ns() + 20 * SECOND * (race_number("MAILBOX_SLOW", 1) ?: 1);
}

static inline uint32_t below(uint64_t *random, uint32_t limit)
{
	*random = *random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (*random >> 33) % limit;
}

/* As often nothing at all as so long that whatever it races with is long over. */
static inline void race_delay(uint64_t *random)
{
	bool yields = below(random, 2);
	uint32_t turns = below(random, 1U << below(random, yields ? 6 : 16));

	while (turns--) {
		if (yields)
			sched_yield();
		else
			__asm__ volatile("" ::: "memory");
	}
}

/* For a moment without giving up the processor: what comes next is to be quick. */
static inline void race_await(unsigned int *flag, unsigned int value)
{
	for (int i = 0; i < 10000; i++)
		if (__atomic_load_n(flag, __ATOMIC_ACQUIRE) >= value)
			return;
	flag_await(flag, value);
}

/* What a message holds; the rest of it is a pattern made from these. */
struct letter {
	uint32_t salt;
	uint32_t number;
	uint32_t length;
};

static inline unsigned char letter_byte(const struct letter *letter)
{
	return letter->salt + 7 * letter->number + letter->length;
}

static inline void letter_write(void *to, uint32_t salt, uint32_t number, uint32_t length)
{
	struct letter letter = { .salt = salt, .number = number, .length = length };

	memset(to, letter_byte(&letter), length);
	memcpy(to, &letter, sizeof(letter));
}

/* Its number, or -1 when it is not a whole letter of this round. */
static inline int letter_read(const void *from, uint32_t salt, uint32_t length)
{
	const unsigned char *bytes = from;
	struct letter letter;

	memcpy(&letter, from, sizeof(letter));
	if (letter.salt != salt || letter.length != length)
		return -1;
	for (uint32_t i = sizeof(letter); i < length; i++)
		if (bytes[i] != letter_byte(&letter))
			return -1;
	return letter.number;
}

/* What became of a letter, as far as its sender knows. */
enum fate { UNSENT, PERHAPS_SENT, SENT };

/* Every letter of a round: what was said of it, and how often it was taken. */
struct book {
	enum fate fate[8];
	unsigned int taken[8];
};

/* Every letter that was sent was taken once, or lost where that may be. */
static inline bool book_is_right(const struct book *book, bool may_be_lost, uint64_t *nr_taken)
{
	bool right = true;

	*nr_taken = 0;
	for (size_t i = 0; i < ARRAY_SIZE(book->fate); i++) {
		unsigned int least = book->fate[i] == SENT && !may_be_lost;
		unsigned int most = book->fate[i] != UNSENT;

		*nr_taken += book->taken[i];
		if (book->taken[i] >= least && book->taken[i] <= most)
			continue;
		right = false;
		th_say("# letter %zu was %s and taken %u times", i,
		       book->fate[i] == SENT   ? "sent" :
		       book->fate[i] == UNSENT ? "not sent" :
						 "perhaps sent",
		       book->taken[i]);
	}
	return right;
}

#endif /* SELFTESTS_RACES_H */
