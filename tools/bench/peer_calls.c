// SPDX-License-Identifier: GPL-2.0
/*
 * Calls of a mailbox: the caller waits for the answer where it sends, and the server for the
 * next request where it answers.
 */
#include <linux/mailbox.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bench.h"

struct calls {
	struct channel channel;
	int fd;
	struct mailbox_call call;
	struct mailbox_reply reply;
	struct mailbox_receive receive;
};

static struct channel *calls_open(size_t size, unsigned int depth)
{
	struct calls *calls = calloc(1, sizeof(*calls));

	if (!calls || !channel_init(&calls->channel, size, depth))
		goto err_free;
	calls->fd = mailbox_open_new(size, depth);
	if (calls->fd < 0)
		goto err_fini;
	calls->call = (struct mailbox_call){
		.size = sizeof(calls->call),
		.data = (uintptr_t)calls->channel.out,
		.length = size,
		.answer = (uintptr_t)calls->channel.in,
		.room = size,
	};
	calls->receive = (struct mailbox_receive){
		.size = sizeof(calls->receive),
		.flags = MAILBOX_ANSWER,
		.data = (uintptr_t)calls->channel.in,
		.room = size,
	};
	calls->reply = (struct mailbox_reply){
		.size = sizeof(calls->reply),
		.data = (uintptr_t)calls->channel.in,
		.length = size,
		.receive = (uintptr_t)&calls->receive,
	};
	return &calls->channel;

err_fini:
	channel_fini(&calls->channel);
err_free:
	free(calls);
	return NULL;
}

static void calls_close(struct channel *channel)
{
	struct calls *calls = (struct calls *)channel;

	close(calls->fd);
	channel_fini(channel);
	free(calls);
}

static void calls_call(struct channel *channel)
{
	struct calls *calls = (struct calls *)channel;

	if (ioctl(calls->fd, MAILBOX_IOC_CALL, &calls->call))
		fail("calls", "call");
}

static void calls_serve(struct channel *channel, unsigned int times)
{
	struct calls *calls = (struct calls *)channel;
	struct mailbox_reply *reply = &calls->reply, last;
	unsigned int i;

	reply->token = 0;
	for (i = 0; i < times; i++) {
		if (ioctl(calls->fd, MAILBOX_IOC_REPLY_RECEIVE, reply) || reply->error)
			fail("calls", "serve");
		reply->token = calls->receive.lease;
	}
	last = *reply;
	last.receive = 0;
	if (ioctl(calls->fd, MAILBOX_IOC_REPLY, &last))
		fail("calls", "answer");
}

const struct peer peer_calls = {
	.name = "mailbox calls",
	.flags = PEER_OURS,
	.open = calls_open,
	.close = calls_close,
	.call = calls_call,
	.serve = calls_serve,
};
