// SPDX-License-Identifier: GPL-2.0
/*
 * Numbers, sizes, durations and words on the command line.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

const char *const policy_words[] = { "any", "pair", "one", "broadcast", NULL };
const char *const capacity_words[] = { "bounded", "rendezvous", "unbounded", NULL };
const char *const on_full_words[] = { "wait", "refuse", "overwrite", "wait-each", NULL };
/* By enum mailbox_end, which begins with 1. */
const char *const end_words[] = { "unknown", "received", "acknowledged", "expired", "overwritten",
				  "dead",    "dropped",	 "destroyed",	 "pending", NULL };

/* strtoull(3) takes signs and leading blanks, and wraps round; none of that is meant. */
static bool parse_digits(const char *text, int base, uint64_t *value, const char **end)
{
	char *stop;

	if (*text < '0' || *text > '9')
		return false;

	errno = 0;
	*value = strtoull(text, &stop, base);
	*end = stop;
	return errno == 0;
}

bool parse_number(const char *text, uint64_t max, uint64_t *value)
{
	int base = text[0] == '0' && (text[1] == 'x' || text[1] == 'X') ? 16 : 10;
	const char *end;

	return parse_digits(text, base, value, &end) && !*end && *value <= max;
}

bool parse_size(const char *text, uint64_t max, uint64_t *bytes)
{
	static const char units[] = "KMG";
	unsigned int shift = 0;
	const char *end, *unit;

	if (!parse_digits(text, 10, bytes, &end))
		return false;

	if (*end) {
		unit = strchr(units, *end & ~0x20);
		if (!unit || end[1])
			return false;
		shift = 10 * (unit - units + 1);
	}
	if (*bytes > max >> shift)
		return false;

	*bytes <<= shift;
	return true;
}

bool parse_duration(const char *text, uint64_t *nanoseconds)
{
	static const struct {
		const char *unit;
		uint64_t nanoseconds;
	} units[] = {
		{ "ns", 1 },
		{ "us", 1000 },
		{ "ms", 1000000 },
		{ "s", 1000000000 },
		{ "", 1000000000 },
		{ "m", 60000000000 },
		{ "h", 3600000000000 },
	};
	uint64_t whole, part = 0, scale = 1, most;
	const char *end;
	size_t i;

	if (!parse_digits(text, 10, &whole, &end))
		return false;

	if (*end == '.') {
		for (end++; *end >= '0' && *end <= '9'; end++) {
			if (scale >= 1000000)
				return false;
			part = part * 10 + (*end - '0');
			scale *= 10;
		}
		if (scale == 1)
			return false;
	}

	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(end, units[i].unit))
			continue;

		/* A hundred years are for ever, and no sum with them wraps round. */
		most = 100ULL * 365 * 24 * 3600 * 1000000000;
		if (whole >= most / units[i].nanoseconds)
			return false;
		*nanoseconds = whole * units[i].nanoseconds + part * units[i].nanoseconds / scale;
		return true;
	}
	return false;
}

bool parse_mode(const char *text, uint32_t *mode)
{
	const char *end;
	uint64_t value;

	if (!parse_digits(text, 8, &value, &end) || *end || value > 0777)
		return false;

	*mode = value;
	return true;
}

const char *word_of(const char *const *words, uint32_t index)
{
	uint32_t i;

	for (i = 0; words[i]; i++)
		if (i == index)
			return words[i];
	return NULL;
}

bool parse_word(const char *text, const char *const *words, uint32_t *index)
{
	uint32_t i;

	for (i = 0; words[i]; i++) {
		if (!strcmp(text, words[i])) {
			*index = i;
			return true;
		}
	}
	return false;
}
