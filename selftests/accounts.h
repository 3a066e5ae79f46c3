/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SELFTESTS_ACCOUNTS_H
#define SELFTESTS_ACCOUNTS_H

#include "races.h"

/*
 * What accounts.c writes down of each message, and what must be true of that in the end.
 */

#define SENDERS	  5
#define RECEIVERS 7
#define CHILDREN  (SENDERS + RECEIVERS)
#define RECORDS	  1000000

/* What is known of a message. Each number is for one try to send. */
struct record {
	/* By the sender. */
	uint64_t box;
	uint32_t tried;
	uint32_t sent;
	uint32_t failed;
	/* By receivers; @taker is a pid. */
	uint32_t got;
	uint32_t acked;
	uint32_t taker;
	/* By the collector; @told is the pid of who took it. */
	uint32_t receipts;
	uint32_t told;
	uint32_t end;
	uint32_t buried;
};

enum make {
	WAITS,
	REFUSES,
	OVERWRITES,
	BURIES,
	DROPS,
	MEETS,
	MAKES,
};

struct world {
	uint64_t ids[MAKES];
	uint32_t nr;
	uint32_t nr_sent;
	uint32_t stop;
	uint8_t killed[1 << 22];
	struct record records[RECORDS];
};

FIXTURE(accounts)
{
	int device;
	int receipts;
	int grave;
	uint64_t grave_id;
	int boxes[MAKES];
	struct usage before;
	struct world *world;
	uint64_t random;
	uint32_t nr_lives;
	uint32_t nr_killed;
	uint32_t nr_destroyed;
	pid_t children[CHILDREN];
};

struct tally {
	uint64_t sent;
	uint64_t by_end[MAILBOX_END_DESTROYED + 1];
};

/* One message: what the receipt says is what all others say. */
static void judge(FIXTURE_DATA(accounts) * self, uint32_t number)
{
	const struct record *record = &self->world->records[number];
	/* Killed before it could write down that it had the message. */
	const bool died = self->world->killed[record->told];
	const uint32_t taken = record->got + record->acked;

	EXPECT_LE(record->receipts, 1);
	if (record->failed)
		EXPECT_EQ(0, record->receipts);
	if (record->sent)
		EXPECT_EQ(1, record->receipts);
	EXPECT_EQ(record->end == MAILBOX_END_DEAD, record->buried);
	switch (record->end) {
	case MAILBOX_END_RECEIVED:
		EXPECT_EQ(0, record->acked);
		EXPECT_TRUE(record->got == 1 || (died && !record->got));
		break;
	case MAILBOX_END_ACKNOWLEDGED:
		EXPECT_EQ(0, record->got);
		EXPECT_TRUE(record->acked == 1 || (died && !record->acked));
		break;
	default:
		EXPECT_EQ(0, taken);
	}
	if (taken && record->receipts)
		EXPECT_EQ(record->told, record->taker);
}

static void judge_box(FIXTURE_DATA(accounts) * self, enum make make)
{
	struct mailbox_stat stat = box_stat(self->boxes[make]);
	struct tally tally = { 0 };
	uint32_t i;

	for (i = 1; i <= self->world->nr; i++) {
		const struct record *record = &self->world->records[i];

		if (record->box != stat.id || !record->receipts)
			continue;
		tally.sent++;
		ASSERT_LE(record->end, MAILBOX_END_DESTROYED);
		tally.by_end[record->end]++;
	}
	EXPECT_EQ(0, stat.messages);
	EXPECT_EQ(0, stat.bytes);
	EXPECT_EQ(tally.sent, stat.sent);
	EXPECT_EQ(tally.by_end[MAILBOX_END_RECEIVED] + tally.by_end[MAILBOX_END_ACKNOWLEDGED],
		  stat.received);
	EXPECT_EQ(tally.by_end[MAILBOX_END_EXPIRED], stat.expired);
	EXPECT_EQ(tally.by_end[MAILBOX_END_OVERWRITTEN], stat.overwritten);
	EXPECT_EQ(tally.by_end[MAILBOX_END_DEAD], stat.dead);
	EXPECT_EQ(tally.by_end[MAILBOX_END_DROPPED], stat.dropped);
	EXPECT_EQ(0, tally.by_end[MAILBOX_END_DESTROYED]);
}

static void say(FIXTURE_DATA(accounts) * self)
{
	static const char *const ends[] = { "",	       "received",    "acknowledged",
					    "expired", "overwritten", "dead",
					    "dropped", "destroyed" };
	struct tally tally = { 0 };
	uint32_t i;

	for (i = 1; i <= self->world->nr; i++)
		if (self->world->records[i].receipts)
			tally.by_end[self->world->records[i].end]++;
	th_say("# %u tried, %u sent, %u killed, %u mailboxes destroyed", self->world->nr,
	       self->world->nr_sent, self->nr_killed, self->nr_destroyed);
	for (i = MAILBOX_END_RECEIVED; i <= MAILBOX_END_DESTROYED; i++) {
		th_say("# %s: %llu", ends[i], (unsigned long long)tally.by_end[i]);
		/* With fewer messages one may be missing by chance. */
		if (effort(100) >= 100)
			EXPECT_LT(0, tally.by_end[i]);
	}
}

#endif /* SELFTESTS_ACCOUNTS_H */
