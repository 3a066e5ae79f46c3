// SPDX-License-Identifier: GPL-2.0
/*
 * Loans by their system calls: what is sent and received is in the region, where out and in
 * of the channel point at what is lent now. Nothing is copied, so there is nothing to copy in
 * the one that measures either: as elsewhere nobody writes or reads what goes through.
 */
#include <linux/mailbox.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"

struct loans {
	struct channel channel;
	int fd;
	char *region;
	size_t bytes;
	struct mailbox_send send;
	struct mailbox_receive receive;
};

/* As the module rounds it. */
static size_t piece_of(size_t size)
{
	size_t unit = size < 4096 ? 64 : 4096;

	return (size + unit - 1) / unit * unit;
}

/* With one that is written, one that is read, and those that are on their way. */
static size_t region_of(size_t size, unsigned int depth)
{
	return piece_of(size) * (depth + 2);
}

static int lend(struct loans *loans, __u64 *loan, char **where)
{
	struct mailbox_loan lent = { .size = sizeof(lent), .length = loans->channel.size };

	if (ioctl(loans->fd, MAILBOX_IOC_LOAN, &lent))
		return -1;
	*loan = lent.loan;
	*where = loans->region + lent.offset;
	return 0;
}

static struct channel *loan_open(size_t size, unsigned int depth)
{
	struct loans *loans = calloc(1, sizeof(*loans));

	if (!loans)
		return NULL;
	loans->channel.size = size;
	loans->channel.depth = depth;
	loans->bytes = region_of(size, depth);
	loans->fd = mailbox_open_with(size, depth, loans->bytes);
	if (loans->fd < 0)
		goto err_free;
	loans->region = mmap(NULL, loans->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, loans->fd, 0);
	if (loans->region == MAP_FAILED)
		goto err_close;
	/* Touched now: no page fault is measured. */
	memset(loans->region, 0, loans->bytes);

	loans->send = (struct mailbox_send){
		.size = sizeof(loans->send),
		.flags = MAILBOX_LOAN,
		.length = size,
		.borrow = size,
	};
	loans->receive = (struct mailbox_receive){
		.size = sizeof(loans->receive),
		.flags = MAILBOX_LOAN,
	};
	/* The second stands for what the last receive gave. */
	if (!lend(loans, &loans->send.loan, &loans->channel.out) &&
	    !lend(loans, &loans->receive.loan, &loans->channel.in))
		return &loans->channel;

	munmap(loans->region, loans->bytes);
err_close:
	close(loans->fd);
err_free:
	free(loans);
	return NULL;
}

static void loan_close(struct channel *channel)
{
	struct loans *loans = (struct loans *)channel;

	munmap(loans->region, loans->bytes);
	close(loans->fd);
	free(loans);
}

/* Has the next piece from the same call, unless none was free at that moment. */
static void loan_send(struct channel *channel)
{
	struct loans *loans = (struct loans *)channel;

	if (!loans->send.loan && lend(loans, &loans->send.loan, &channel->out))
		fail("loan", "borrow");
	if (ioctl(loans->fd, MAILBOX_IOC_SEND, &loans->send))
		fail("loan", "send");
	channel->out = loans->region + loans->send.offset;
}

static void loan_receive(struct channel *channel)
{
	struct loans *loans = (struct loans *)channel;

	loans->receive.give_back = loans->receive.loan;
	if (ioctl(loans->fd, MAILBOX_IOC_RECEIVE, &loans->receive))
		fail("loan", "receive");
	channel->in = loans->region + loans->receive.offset;
}

const struct peer peer_loan = {
	.name = "mailbox loans",
	.flags = PEER_OURS,
	.open = loan_open,
	.close = loan_close,
	.send = loan_send,
	.receive = loan_receive,
};
