// SPDX-License-Identifier: GPL-2.0
/*
 * Messages of the mailbox, under leases: taken in batches, and acknowledged in batches.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "out.h"

/* Longer than any server takes: not worth to be copied. */
#define LENGTH_MAX (64 * 1024 * 1024)
/* A buffer for one long message is kept up to this. */
#define BIG_KEPT (1024 * 1024)

static void fill_in(struct out *out, const struct mailbox_message *message,
		    struct envelope *envelope)
{
	memset(envelope, 0, sizeof(*envelope));
	snprintf(envelope->id, sizeof(envelope->id), "%s-%" PRIu64, out->id, message->sequence);
	envelope_stamp(envelope, out->route->bridge->config->host, message);
	strcpy(envelope->receipt, out->receipt);
	envelope->type = message->type;
	envelope->priority = message->priority;
	envelope->expiry = message->expiry;
	envelope->time = envelope_wall(message->time);
	envelope->deliveries = message->deliveries;
}

/* Where the payload of a loan is; NULL when the pages cannot be mapped. */
static const void *loan_data(struct out *out, const struct mailbox_message *message)
{
	if (out->region && message->offset + message->length > out->region_size) {
		munmap(out->region, out->region_size);
		out->region = NULL;
	}
	if (!out->region && mailbox_map(out->handle, &out->region, &out->region_size)) {
		out->region = NULL;
		return NULL;
	}
	return (const char *)out->region + message->offset;
}

struct letter *out_accept(struct out *out, const struct mailbox_message *message)
{
	const struct config_route *config = out->route->config;
	unsigned int band = config_band(config, message->priority);
	const void *data = message->data;
	struct envelope envelope;
	struct letter *letter;
	natsMsg *msg = NULL;

	if (band >= config_bands(config))
		band = config_bands(config) - 1;
	if (message->length <= LENGTH_MAX) {
		if (message->is_loan)
			data = loan_data(out, message);
		if (!data && message->length)
			return NULL;
		fill_in(out, message, &envelope);
		if (envelope_seal(&envelope, out->subjects[band], data, message->length, &msg))
			return NULL;
	}
	letter = flight_add(&out->flight);
	letter->msg = msg;
	letter->lease = message->lease;
	letter->sequence = message->sequence;
	letter->expiry = message->expiry;
	letter->length = message->length;
	out->flight.bytes += message->length;
	return letter;
}

int out_receive_big(struct out *out, const struct mailbox_selection *selection, uint32_t flags)
{
	struct mailbox_message *big = &out->big;

	if (big->room > BIG_KEPT) {
		free(big->data);
		big->data = NULL;
		big->room = 0;
	}
	big->lease_time = 0;
	big->loan = 0;
	big->is_loan = 0;
	big->nr_files = 0;
	big->files = out->files;
	big->max_files = MAILBOX_FILES_MAX;
	return mailbox_receive_alloc(out->handle, big, selection, flags, 0);
}

/* One that is too long for the batch, has files, or is a loan. */
static int take_big(struct out *out)
{
	struct letter *letter;
	int ret;

	ret = out_receive_big(out, NULL,
			      MAILBOX_LEASE | MAILBOX_NONBLOCK | MAILBOX_FILES | MAILBOX_LOAN);
	if (ret)
		return ret;
	out->nr_files = out->big.nr_files;
	letter = out_accept(out, &out->big);
	if (!letter) {
		out_close_files(out);
		mailbox_nack(out->handle, out->big.lease, 0);
		return -ENOMEM;
	}
	if (out->nr_files)
		letter->misfit = LETTER_FILES;
	return 0;
}

static void give_back(struct out *out, unsigned int from, unsigned int to)
{
	for (; from < to; from++)
		mailbox_nack(out->handle, out->messages[from].lease, 0);
}

int out_take(struct out *out)
{
	unsigned int nr = flight_room(&out->flight), i;
	int taken, error = 0;

	if (nr > OUT_BATCH)
		nr = OUT_BATCH;
	memset(out->messages, 0, nr * sizeof(out->messages[0]));
	for (i = 0; i < nr; i++) {
		out->messages[i].data = out->data + i * OUT_ROOM;
		out->messages[i].room = OUT_ROOM;
	}
	/* Without room for files those that have some stay, and are seen by that. */
	taken = mailbox_receive_batch(out->handle, out->messages, nr, NULL,
				      MAILBOX_LEASE | MAILBOX_NONBLOCK | MAILBOX_FILES, 0, &error);
	if (taken < 0)
		error = taken;
	for (i = 0; (int)i < taken; i++) {
		if (!out_accept(out, &out->messages[i])) {
			give_back(out, i, taken);
			return -ENOMEM;
		}
	}
	/* It is the turn of that one next, if nothing is sent that goes before it. */
	if ((error == -EMSGSIZE || error == -EOPNOTSUPP) && (int)nr > taken)
		error = take_big(out);
	if (error == -EPIPE)
		error = -EAGAIN;
	return error;
}

void out_done(struct out *out, struct letter *letter)
{
	if (letter->moved)
		out->route->moved++;
	if (letter->misfit == LETTER_FILES)
		out_close_files(out);
	flight_remove(&out->flight, letter);
}

/* The leases of letters that have landed, and these letters. */
static unsigned int landed(struct out *out, struct letter **letters, uint64_t *leases,
			   unsigned int nr)
{
	struct flight *flight = &out->flight;
	struct letter *letter;
	unsigned int found = 0;

	pthread_mutex_lock(&flight->lock);
	if (nr > flight->nr_landed)
		nr = flight->nr_landed;
	for (letter = TAILQ_FIRST(&flight->under_way); letter && found < nr;
	     letter = TAILQ_NEXT(letter, entry)) {
		if (letter->state != LETTER_LANDED)
			continue;
		letters[found] = letter;
		leases[found++] = letter->lease;
	}
	pthread_mutex_unlock(&flight->lock);
	return found;
}

/*
 * A lease that has ended (ESTALE) did so because the message has expired here while it was on its
 * way: the server has it, with its expiry, and that is that.
 */
int out_settle(struct out *out)
{
	uint64_t leases[4 * OUT_BATCH];
	struct letter *letters[4 * OUT_BATCH];
	unsigned int nr, done, i;
	int ret;

	for (;;) {
		nr = landed(out, letters, leases, 4 * OUT_BATCH);
		if (!nr)
			return 0;
		for (done = 0; done < nr;) {
			ret = mailbox_ack_batch(out->handle, leases + done, nr - done, NULL);
			if (ret < 0 && ret != -ESTALE)
				return ret;
			done += ret > 0 ? ret : 1;
		}
		for (i = 0; i < nr; i++)
			out_done(out, letters[i]);
	}
}
