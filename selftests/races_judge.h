/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SELFTESTS_RACES_JUDGE_H
#define SELFTESTS_RACES_JUDGE_H

#include "races_victim.h"

/*
 * Part of races.c: which outcomes of a round are right.
 */

/* How long others than the victim stay at a rendezvous, in ns: it may never come. */
#define STAYS 2000000

static const char *const kind_names[] = {
	[RECEIVE] = "receive",
	[RECEIVE_BATCH] = "receive a batch",
	[RECEIVE_SENDER] = "receive from a sender",
	[RECEIVE_LEASE] = "receive with a lease",
	[PEEK] = "peek",
	[READ] = "read",
	[SEND] = "send to a full mailbox",
	[SEND_BATCH] = "send a batch to a full mailbox",
	[RENDEZVOUS] = "send at a rendezvous",
	[WRITE] = "write to a full mailbox",
	[POLL] = "poll",
	[EPOLL] = "epoll_wait",
};

/* Whatever it gets is in the mailbox when it is no more. */
static inline bool keeps_nothing(const struct round *round)
{
	return round->kind == PEEK || round->kind == RECEIVE_LEASE;
}

static inline void describe(const struct round *round)
{
	const struct stage *stage = round->stage;

	th_say("# round %u of '%s', MAILBOX_SEED=%s: %s, %s, capacity %u, %u bytes, %s, %s",
	       round->number, kind_names[round->kind], getenv("MAILBOX_SEED"),
	       round->surely ? "surely waits" : "by chance",
	       round->has_partner ? "partner" : "no partner", round->capacity, round->length,
	       round->rescued ? "rescued" : "not rescued",
	       round->main_thread_fires ? "main thread fires" : "main thread waits");
	th_say("# returned %u, result %d, done %u, error %d", stage->returned, stage->result,
	       stage->done, stage->error);
}

static inline int send_letter(struct round *round, uint32_t number, void *buffer)
{
	struct mailbox_send args = send_args(buffer, round->length);

	letter_write(buffer, round->salt, number, round->length);
	args.flags = MAILBOX_DEADLINE;
	args.deadline = now_ns() + STAYS;
	return box_send(round->box, &args);
}

static inline int take_letter(struct round *round, void *buffer, __u64 patience)
{
	struct mailbox_receive args = receive_args(buffer, LETTER_MAX);

	args.flags = patience ? MAILBOX_DEADLINE : MAILBOX_NONBLOCK;
	args.deadline = now_ns() + patience;
	return box_receive(round->box, &args);
}

static inline void enter_taken(struct round *round, const void *buffer)
{
	int number = letter_read(buffer, round->salt, round->length);

	ASSERT_LE(0, number) describe(round);
	ASSERT_LT(number, ARRAY_SIZE(round->book.taken));
	round->book.taken[number]++;
}

static inline bool is_allowed(const struct round *round, int result)
{
	bool lonely = round->surely && !round->has_partner;

	if (!result)
		return round->event != CLOSE_LAST && (round->has_partner || round->rescued) &&
		       !(lonely && polls(round));
	switch (round->event) {
	case DESTROY_HANDLE:
	case DESTROY_DEVICE:
		return result == -EIDRM;
	case CLOSE:
		if (result == -ECANCELED)
			return round->kind == EPOLL;
		return result == -EBADF && (!round->surely || polls(round));
	case CLOSE_LAST:
		if (result == -EBADF)
			return !round->surely || polls(round);
		return result == -EINTR;
	case SIGNAL:
		return result == -EINTR;
	case SIGNAL_RESTART:
		/* These two never start again by themselves. */
		return result == -EINTR && polls(round);
	case DEADLINE:
		return result == -ETIMEDOUT;
	case REVOKE:
		/* Pollers see a hang-up, as when it is destroyed. */
		return result == (polls(round) ? -EIDRM : -EACCES);
	default:
		return false;
	}
}

/* What stopped a batch after its first entry; there is no starting again then. */
static inline bool is_allowed_in_batch(const struct round *round, int error)
{
	if (round->kind == RECEIVE_BATCH)
		return error == EAGAIN || (error == EIDRM && is_allowed(round, -EIDRM)) ||
		       (error == EACCES && is_allowed(round, -EACCES));
	return is_allowed(round, -error) || (round->event == SIGNAL_RESTART && error == EINTR);
}

static inline void judge_victim(struct round *round, int status)
{
	struct stage *stage = round->stage;
	bool batch = round->kind == SEND_BATCH || round->kind == RECEIVE_BATCH;
	uint32_t i;

	if (round->event == KILL)
		EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	else
		EXPECT_EQ(0, status);
	if (stage->returned)
		EXPECT_TRUE(is_allowed(round, stage->result));
	else
		EXPECT_TRUE(round->event == KILL || round->event == EXEC);
	if (stage->returned && !stage->result && batch) {
		EXPECT_LE(1, stage->done);
		EXPECT_EQ(stage->done < BATCH, stage->error != 0);
		if (stage->error)
			EXPECT_TRUE(is_allowed_in_batch(round, stage->error));
	}
	if (stage->returned && !stage->result && keeps_nothing(round))
		EXPECT_LE(0, letter_read(stage->letters[0], round->salt, round->length));

	if (round->sends && !polls(round))
		for (i = 0; i < (batch ? BATCH : 1); i++)
			round->book.fate[OF_VICTIM + i] = !stage->returned ? PERHAPS_SENT :
							  i < stage->done  ? SENT :
									     UNSENT;
	if (!round->sends && stage->returned)
		for (i = 0; i < stage->done; i++)
			enter_taken(round, stage->letters[i]);
}

static inline void judge_partner(struct round *round, int ret, const void *letter)
{
	if (ret == -EIDRM)
		EXPECT_TRUE(round->event == DESTROY_HANDLE || round->event == DESTROY_DEVICE);
	else if (ret)
		EXPECT_EQ(-ETIMEDOUT, ret);
	else if (round->sends)
		enter_taken(round, letter);
	else
		round->book.fate[OF_PARTNER] = SENT;
}

/* A receiver that was killed with letters in its hands: its buffers are still here. */
static inline void judge_dead_hands(struct round *round, uint64_t taken)
{
	struct stage *stage = round->stage;
	uint64_t known = 0;

	for (size_t i = 0; i < ARRAY_SIZE(round->book.taken); i++)
		known += round->book.taken[i];
	if (stage->returned || round->sends || polls(round) || keeps_nothing(round)) {
		EXPECT_EQ(known, taken);
		return;
	}
	ASSERT_LE(known, taken);
	ASSERT_LE(taken, known + BATCH);
	for (size_t i = 0; i < taken - known; i++)
		enter_taken(round, stage->letters[i]);
	/* That one was sent after the kill. */
	EXPECT_EQ(0, round->book.taken[OF_RESCUER]);
}

/* What is left in the mailbox, if it is there, makes the sum right. */
static inline void judge_mailbox(struct round *round)
{
	static unsigned char letter[LETTER_MAX];
	struct mailbox_stat stat;
	uint64_t taken, left = 0;
	int ret;

	if (round->event == CLOSE_LAST) {
		EXPECT_EQ(-ENOENT, box_open(round->device, round->id, NULL, RIGHTS_ALL));
		EXPECT_TRUE(book_is_right(&round->book, true, &taken));
		return;
	}
	if (round->event == DESTROY_HANDLE || round->event == DESTROY_DEVICE) {
		EXPECT_EQ(-EIDRM, box_stat_try(round->box, &stat));
		EXPECT_TRUE(book_is_right(&round->book, true, &taken));
		return;
	}
	stat = box_stat(round->box);
	EXPECT_EQ(0, stat.receivers);
	EXPECT_EQ(0, stat.senders);
	EXPECT_EQ(0, stat.leased);
	EXPECT_EQ(1, stat.handles);
	EXPECT_EQ(stat.messages * round->length, stat.bytes);
	judge_dead_hands(round, stat.received);
	while (!(ret = take_letter(round, letter, 0))) {
		enter_taken(round, letter);
		left++;
	}
	EXPECT_EQ(-EAGAIN, ret);
	EXPECT_EQ(stat.messages, left);
	EXPECT_TRUE(book_is_right(&round->book, false, &taken));
	EXPECT_EQ(stat.sent, taken);
}

#endif /* SELFTESTS_RACES_JUDGE_H */
