// SPDX-License-Identifier: GPL-2.0
/*
 * POSIX message queues. The name is taken away at once: nothing stays behind.
 */
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"

/* See peer_mq_shim.c. */
#ifndef MQ_NAME
#define MQ_NAME	 "POSIX mq"
#define MQ_FLAGS PEER_SHARED
#endif

struct mq {
	struct channel channel;
	mqd_t fd;
};

static mqd_t create(size_t size, unsigned int depth)
{
	struct mq_attr attr = { .mq_maxmsg = depth, .mq_msgsize = size };
	char name[32];
	mqd_t fd;

	snprintf(name, sizeof(name), "/mailbox-bench-%d", getpid());
	fd = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attr);
	if (fd >= 0)
		mq_unlink(name);
	return fd;
}

static struct channel *mq_channel_open(size_t size, unsigned int depth)
{
	struct mq *mq = calloc(1, sizeof(*mq));

	if (!mq || !channel_init(&mq->channel, size, depth))
		goto err_free;
	mq->fd = create(size, depth);
	if (mq->fd < 0)
		goto err_fini;
	return &mq->channel;

err_fini:
	channel_fini(&mq->channel);
err_free:
	free(mq);
	return NULL;
}

static void mq_channel_close(struct channel *channel)
{
	struct mq *mq = (struct mq *)channel;

	mq_close(mq->fd);
	channel_fini(channel);
	free(mq);
}

static void mq_channel_send(struct channel *channel)
{
	struct mq *mq = (struct mq *)channel;

	if (mq_send(mq->fd, channel->out, channel->size, 0))
		fail(MQ_NAME, "send");
}

static void mq_channel_receive(struct channel *channel)
{
	struct mq *mq = (struct mq *)channel;

	if (mq_receive(mq->fd, channel->in, channel->size, NULL) != (ssize_t)channel->size)
		fail(MQ_NAME, "receive");
}

static void mq_channel_send_as(struct channel *channel, enum choice choice, unsigned int value)
{
	struct mq *mq = (struct mq *)channel;

	(void)choice;
	if (mq_send(mq->fd, channel->out, channel->size, value))
		fail(MQ_NAME, "send");
}

static void mq_channel_receive_by(struct channel *channel, enum choice choice, unsigned int value)
{
	(void)choice;
	(void)value;
	mq_channel_receive(channel);
}

static void mq_make(void)
{
	mqd_t fd = create(64, 10);

	if (fd < 0)
		fail(MQ_NAME, "open");
	mq_close(fd);
}

const struct peer peer_mq = {
	.name = MQ_NAME,
	.flags = MQ_FLAGS,
	.choices = 1 << BY_PRIORITY,
	.open = mq_channel_open,
	.close = mq_channel_close,
	.send = mq_channel_send,
	.receive = mq_channel_receive,
	.send_as = mq_channel_send_as,
	.receive_by = mq_channel_receive_by,
	.make = mq_make,
};
