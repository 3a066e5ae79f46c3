// SPDX-License-Identifier: GPL-2.0
/*
 * Lanes, by the library: nobody would write the ring anew. Both ends are of one handle; of two
 * processes each uses one of them only, and has the other from before the fork.
 *
 * A ring is a power of two and at least a page, so it holds more than the others: up to twice
 * as many messages.
 */
#include <errno.h>
#include <linux/mailbox.h>
#include <mailbox.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

struct lane {
	struct channel channel;
	int fd;
	struct mailbox_lane *sender;
	struct mailbox_lanes *receiver;
};

static struct channel *lane_open(size_t size, unsigned int depth)
{
	size_t record = (sizeof(struct mailbox_lane_record) + size + 7) & ~(size_t)7;
	struct lane *lane = calloc(1, sizeof(*lane));

	if (!lane || !channel_init(&lane->channel, size, depth))
		goto err_free;
	lane->fd = mailbox_open_with(size, depth, 0);
	if (lane->fd < 0)
		goto err_fini;
	if (mailbox_lane_open(lane->fd, record * depth, &lane->sender))
		goto err_close;
	if (!mailbox_lanes_open(lane->fd, &lane->receiver))
		return &lane->channel;

	mailbox_lane_close(lane->sender);
err_close:
	close(lane->fd);
err_fini:
	channel_fini(&lane->channel);
err_free:
	free(lane);
	return NULL;
}

static void lane_close(struct channel *channel)
{
	struct lane *lane = (struct lane *)channel;

	mailbox_lane_close(lane->sender);
	mailbox_lanes_close(lane->receiver);
	close(lane->fd);
	channel_fini(channel);
	free(lane);
}

static void check(int ret, const char *what)
{
	if (ret >= 0)
		return;
	errno = -ret;
	fail("lane", what);
}

static void lane_send(struct channel *channel)
{
	struct lane *lane = (struct lane *)channel;

	check(mailbox_lane_send(lane->sender, channel->out, channel->size), "send");
}

static void lane_receive(struct channel *channel)
{
	struct lane *lane = (struct lane *)channel;

	check(mailbox_lanes_receive(lane->receiver, channel->in, channel->size), "receive");
}

static void lane_send_batch(struct channel *channel)
{
	struct lane *lane = (struct lane *)channel;
	const char *out = channel->out;
	void *room;
	int i;

	for (i = 0; i < BATCH; i++, out += channel->size) {
		check(mailbox_lane_reserve(lane->sender, channel->size, 0, 0, &room),
		      "send a batch");
		memcpy(room, out, channel->size);
	}
	mailbox_lane_commit(lane->sender);
}

static void lane_receive_batch(struct channel *channel)
{
	struct lane *lane = (struct lane *)channel;
	struct mailbox_lane_message message;
	char *in = channel->in;
	int i;

	for (i = 0; i < BATCH; i++, in += channel->size) {
		check(mailbox_lanes_next(lane->receiver, &message, 0, 0), "receive a batch");
		memcpy(in, message.data, channel->size);
	}
	mailbox_lanes_release(lane->receiver);
}

const struct peer peer_lane = {
	.name = "mailbox lanes",
	.flags = PEER_OURS,
	.open = lane_open,
	.close = lane_close,
	.send = lane_send,
	.receive = lane_receive,
	.send_batch = lane_send_batch,
	.receive_batch = lane_receive_batch,
};
