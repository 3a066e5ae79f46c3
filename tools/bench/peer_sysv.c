// SPDX-License-Identifier: GPL-2.0
/*
 * Message queues of System V. The kernel wants the type in front of the text.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>

#include "bench.h"

/* See peer_sysv_shim.c. */
#ifndef SYSV_NAME
#define SYSV_NAME  "SysV"
#define SYSV_FLAGS PEER_SHARED
#endif

struct text {
	long type;
	char text[];
};

struct queue {
	struct channel channel;
	int id;
	struct text *out;
	struct text *in;
};

static size_t bytes_of(size_t size)
{
	return sizeof(struct text) + size;
}

static struct channel *queue_open(size_t size, unsigned int depth)
{
	struct queue *queue = calloc(1, sizeof(*queue));
	struct msqid_ds limits;

	if (!queue)
		return NULL;
	queue->out = memory_get(bytes_of(size));
	queue->in = memory_get(bytes_of(size));
	queue->id = msgget(IPC_PRIVATE, 0600);
	if (!queue->out || !queue->in || queue->id < 0)
		goto err;
	if (msgctl(queue->id, IPC_STAT, &limits))
		goto err;
	limits.msg_qbytes = size * depth;
	if (msgctl(queue->id, IPC_SET, &limits))
		goto err;
	queue->out->type = 1;
	queue->channel.size = size;
	queue->channel.depth = depth;
	queue->channel.out = queue->out->text;
	queue->channel.in = queue->in->text;
	/* Sizes that this user may not send are found out here. */
	if (msgsnd(queue->id, queue->out, size, IPC_NOWAIT) ||
	    msgrcv(queue->id, queue->in, size, 0, IPC_NOWAIT) < 0)
		goto err;
	return &queue->channel;

err:
	if (queue->id >= 0)
		msgctl(queue->id, IPC_RMID, NULL);
	memory_put(queue->out, bytes_of(size));
	memory_put(queue->in, bytes_of(size));
	free(queue);
	return NULL;
}

static void queue_close(struct channel *channel)
{
	struct queue *queue = (struct queue *)channel;

	msgctl(queue->id, IPC_RMID, NULL);
	memory_put(queue->out, bytes_of(channel->size));
	memory_put(queue->in, bytes_of(channel->size));
	free(queue);
}

static void queue_send(struct channel *channel)
{
	struct queue *queue = (struct queue *)channel;

	if (msgsnd(queue->id, queue->out, channel->size, 0))
		fail(SYSV_NAME, "send");
}

static void take(struct queue *queue, long type)
{
	if (msgrcv(queue->id, queue->in, queue->channel.size, type, 0) !=
	    (ssize_t)queue->channel.size)
		fail(SYSV_NAME, "receive");
}

static void queue_receive(struct channel *channel)
{
	take((struct queue *)channel, 0);
}

/* Types are all it has to choose by, so they serve as priorities: the lowest first. */
static void queue_send_as(struct channel *channel, enum choice choice, unsigned int value)
{
	struct queue *queue = (struct queue *)channel;

	queue->out->type = choice == BY_PRIORITY ? PRIORITIES - value : value;
	queue_send(channel);
}

static void queue_receive_by(struct channel *channel, enum choice choice, unsigned int value)
{
	take((struct queue *)channel, choice == BY_TYPE ? (long)value : -LONG_MAX);
}

static void queue_make(void)
{
	int id = msgget(IPC_PRIVATE, 0600);

	if (id < 0 || msgctl(id, IPC_RMID, NULL))
		fail(SYSV_NAME, "create and remove");
}

const struct peer peer_sysv = {
	.name = SYSV_NAME,
	.flags = SYSV_FLAGS,
	.choices = 1 << BY_PRIORITY | 1 << BY_TYPE | 1 << BY_LOWEST,
	.open = queue_open,
	.close = queue_close,
	.send = queue_send,
	.receive = queue_receive,
	.send_as = queue_send_as,
	.receive_by = queue_receive_by,
	.make = queue_make,
};
