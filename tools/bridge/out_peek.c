// SPDX-License-Identifier: GPL-2.0
/*
 * Messages of a broadcast. It knows no leases, so they are looked at where they are, by their place
 * in the line, and received once the server has those at its beginning.
 *
 * The line may lose its beginning at any time, since a broadcast overwrites. A place says little
 * then; what counts are the numbers of the messages, which rise without gaps, but for those that
 * were lost to us.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "out.h"

/* Letters whose messages are in the line still, if it has not lost any meanwhile. */
static unsigned int in_line(const struct out *out)
{
	const struct letter *letter;
	unsigned int nr = 0;

	TAILQ_FOREACH(letter, &out->flight.under_way, entry)
	nr += !letter->received;
	return nr;
}

static int peek_at(struct out *out, uint64_t place)
{
	struct mailbox_selection selection = { .select = MAILBOX_SELECT_INDEX, .match = place };
	int ret;

	ret = out_receive_big(out, &selection,
			      MAILBOX_PEEK | MAILBOX_NONBLOCK | MAILBOX_FILES | MAILBOX_LOAN);
	/* A peek tells of files, and installs none. */
	out->nr_files = 0;
	return ret;
}

/* Whether what is at a place is one that we have. -EAGAIN: there is nothing. */
static int is_old(struct out *out, uint64_t place)
{
	struct mailbox_selection selection = { .select = MAILBOX_SELECT_INDEX, .match = place };
	struct mailbox_message message = { .room = 0 };
	int ret;

	ret = mailbox_receive_message(
		out->handle, &message, &selection,
		MAILBOX_PEEK | MAILBOX_NONBLOCK | MAILBOX_TRUNCATE | MAILBOX_LOAN, 0);
	return ret ? ret : message.sequence <= out->sequence;
}

/*
 * Look at the first message that we do not have. That is at a place or before it: as messages
 * leave the line at its beginning alone, what is at a place can only be later than what was there.
 * So if one is new, and then the one before it is old, none was between them.
 */
static int peek_next(struct out *out, uint64_t *place)
{
	int ret, old;

	for (;; --*place) {
		ret = peek_at(out, *place);
		if (!*place)
			return ret;
		if (!ret && out->big.sequence == out->sequence + 1)
			return 0;
		if (ret && ret != -EAGAIN)
			return ret;
		old = is_old(out, *place - 1);
		if (old > 0)
			return ret;
		if (old < 0 && old != -EAGAIN)
			return old;
	}
}

/* What was lost between what we have and what we got now. */
static void count_missed(struct out *out, const struct mailbox_message *message)
{
	if (!out->sequence)
		out->route->missed += message->missed;
	else if (message->sequence > out->sequence + 1)
		out->route->missed += message->sequence - out->sequence - 1;
	out->sequence = message->sequence;
}

/* A letter of what is in out->big. Without memory it is to be seen again, if it is in line. */
static int accept_big(struct out *out, bool received)
{
	struct letter *letter = out_accept(out, &out->big);

	if (!letter)
		return -ENOMEM;
	count_missed(out, &out->big);
	letter->received = received;
	return 0;
}

/* What is marked as received is what was before a message that was received. */
static void mark_received(struct out *out, uint64_t sequence)
{
	struct letter *letter;

	TAILQ_FOREACH(letter, &out->flight.under_way, entry)
	{
		if (letter->sequence > sequence)
			break;
		letter->received = true;
	}
}

/*
 * The first in the line, for good. It should be one that we have; when the line has moved on it is
 * one that we do not have, and then it is a letter from now on.
 */
static int receive_first(struct out *out)
{
	uint64_t loan;
	int ret;

	ret = out_receive_big(out, NULL, MAILBOX_NONBLOCK | MAILBOX_FILES | MAILBOX_LOAN);
	if (ret)
		return ret;
	loan = out->big.loan;
	out->nr_files = out->big.nr_files;
	if (out->big.sequence <= out->sequence) {
		mark_received(out, out->big.sequence);
		out_close_files(out);
	} else {
		mark_received(out, UINT64_MAX);
		ret = accept_big(out, true);
		if (ret) {
			out->route->missed++;
			out->sequence = out->big.sequence;
			out_close_files(out);
		} else if (out->nr_files) {
			TAILQ_LAST(&out->flight.under_way, letters)->misfit = LETTER_FILES;
		}
	}
	if (loan)
		mailbox_return(out->handle, loan);
	return ret;
}

int out_peek(struct out *out)
{
	unsigned int nr = flight_room(&out->flight), taken;
	uint64_t place = in_line(out);
	int ret;

	if (nr > OUT_BATCH)
		nr = OUT_BATCH;
	for (taken = 0; taken < nr; taken++, place++) {
		ret = peek_next(out, &place);
		if (ret)
			return ret;
		/* These have to be received to be had: their turn is when all before is done. */
		if (out->big.is_loan || out->big.nr_files) {
			if (out->flight.nr)
				return -EAGAIN;
			return receive_first(out);
		}
		ret = accept_big(out, false);
		if (ret)
			return ret;
	}
	return 0;
}

/* The first letter, if it has landed. */
static struct letter *first_landed(struct out *out)
{
	struct flight *flight = &out->flight;
	struct letter *letter;

	pthread_mutex_lock(&flight->lock);
	letter = TAILQ_FIRST(&flight->under_way);
	if (letter && letter->state != LETTER_LANDED)
		letter = NULL;
	pthread_mutex_unlock(&flight->lock);
	return letter;
}

int out_settle_peeked(struct out *out)
{
	struct letter *letter;
	int ret;

	while ((letter = first_landed(out))) {
		if (!letter->received) {
			ret = receive_first(out);
			/* Nothing is there: it has been overwritten, and all before it. */
			if (ret == -EAGAIN || ret == -EPIPE)
				mark_received(out, UINT64_MAX);
			else if (ret)
				return ret;
			continue;
		}
		out_done(out, letter);
	}
	return 0;
}
