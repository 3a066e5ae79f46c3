// SPDX-License-Identifier: GPL-2.0
/*
 * Mailboxes by their system calls, without the library: one structure for all sends
 * of a channel and one for all receives. And, as the floor, calls that do nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/mailbox.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"

struct box {
	struct channel channel;
	int fd;
	struct mailbox_send send;
	struct mailbox_receive receive;
	struct mailbox_batch send_batch;
	struct mailbox_batch receive_batch;
	struct mailbox_send sends[BATCH];
	struct mailbox_receive receives[BATCH];
};

static int device(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = open("/dev/mailbox", O_RDWR | O_CLOEXEC);
	return fd;
}

int mailbox_open_with(size_t size, unsigned int depth, size_t region)
{
	struct mailbox_create create = {
		.size = sizeof(create),
		.rights = MAILBOX_RIGHT_SEND | MAILBOX_RIGHT_RECEIVE,
		.mode = 0600,
		.message_size = size,
		.max_messages = depth,
		.max_bytes = (uint64_t)size * depth,
		.region_size = region,
	};

	return ioctl(device(), MAILBOX_IOC_CREATE, &create) ? -1 : create.fd;
}

int mailbox_open_new(size_t size, unsigned int depth)
{
	return mailbox_open_with(size, depth, 0);
}

uint64_t mailbox_charged(void)
{
	struct mailbox_info info = { .size = sizeof(info) };

	if (ioctl(device(), MAILBOX_IOC_INFO, &info))
		fail("mailbox", "say what is charged");
	return info.bytes;
}

static void prepare(struct box *box)
{
	struct channel *channel = &box->channel;
	unsigned int i;

	box->send = (struct mailbox_send){
		.size = sizeof(box->send),
		.data = (uintptr_t)channel->out,
		.length = channel->size,
	};
	box->receive = (struct mailbox_receive){
		.size = sizeof(box->receive),
		.data = (uintptr_t)channel->in,
		.room = channel->size,
	};
	for (i = 0; i < BATCH; i++) {
		box->sends[i] = box->send;
		box->sends[i].data += i * channel->size;
		box->receives[i] = box->receive;
		box->receives[i].data += i * channel->size;
	}
	box->send_batch = (struct mailbox_batch){
		.size = sizeof(box->send_batch),
		.entries = (uintptr_t)box->sends,
		.entry_size = sizeof(box->sends[0]),
		.nr = BATCH,
	};
	box->receive_batch = (struct mailbox_batch){
		.size = sizeof(box->receive_batch),
		.entries = (uintptr_t)box->receives,
		.entry_size = sizeof(box->receives[0]),
		.nr = BATCH,
	};
}

static struct channel *box_open(size_t size, unsigned int depth)
{
	struct box *box = calloc(1, sizeof(*box));

	if (!box || !channel_init(&box->channel, size, depth))
		goto err_free;
	box->fd = mailbox_open_new(size, depth);
	if (box->fd < 0)
		goto err_fini;
	prepare(box);
	return &box->channel;

err_fini:
	channel_fini(&box->channel);
err_free:
	free(box);
	return NULL;
}

static void box_close(struct channel *channel)
{
	struct box *box = (struct box *)channel;

	close(box->fd);
	channel_fini(channel);
	free(box);
}

static void box_send(struct channel *channel)
{
	struct box *box = (struct box *)channel;

	if (ioctl(box->fd, MAILBOX_IOC_SEND, &box->send))
		fail("mailbox", "send");
}

static void box_receive(struct channel *channel)
{
	struct box *box = (struct box *)channel;

	if (ioctl(box->fd, MAILBOX_IOC_RECEIVE, &box->receive))
		fail("mailbox", "receive");
}

static void box_send_batch(struct channel *channel)
{
	struct box *box = (struct box *)channel;

	if (ioctl(box->fd, MAILBOX_IOC_SEND_BATCH, &box->send_batch) ||
	    box->send_batch.done != BATCH)
		fail("mailbox", "send a batch");
}

static void box_receive_batch(struct channel *channel)
{
	struct box *box = (struct box *)channel;

	if (ioctl(box->fd, MAILBOX_IOC_RECEIVE_BATCH, &box->receive_batch) ||
	    box->receive_batch.done != BATCH)
		fail("mailbox", "receive a batch");
}

static void box_send_as(struct channel *channel, enum choice choice, unsigned int value)
{
	struct box *box = (struct box *)channel;

	if (choice == BY_PRIORITY)
		box->send.priority = value;
	else
		box->send.type = value;
	box_send(channel);
}

static void box_receive_by(struct channel *channel, enum choice choice, unsigned int value)
{
	static const uint32_t selects[NR_CHOICES] = {
		[BY_PRIORITY] = MAILBOX_SELECT_FIRST,
		[BY_TYPE] = MAILBOX_SELECT_TYPE,
		[BY_LOWEST] = MAILBOX_SELECT_TYPE_UP_TO,
	};
	struct box *box = (struct box *)channel;

	box->receive.select = selects[choice];
	box->receive.match = choice == BY_LOWEST ? UINT64_MAX : value;
	box_receive(channel);
}

static void box_make(void)
{
	int fd = mailbox_open_new(64, 64);

	if (fd < 0)
		fail("mailbox", "create");
	close(fd);
}

const struct peer peer_mailbox = {
	.name = "mailbox",
	.flags = PEER_SHARED | PEER_OURS,
	.choices = 1 << BY_PRIORITY | 1 << BY_TYPE | 1 << BY_LOWEST,
	.open = box_open,
	.close = box_close,
	.send = box_send,
	.receive = box_receive,
	.send_batch = box_send_batch,
	.receive_batch = box_receive_batch,
	.send_as = box_send_as,
	.receive_by = box_receive_by,
	.make = box_make,
};

/* A command that mailboxes do not know: all of an ioctl but what it is for. */
static void empty_ioctl(struct channel *channel)
{
	struct box *box = (struct box *)channel;

	if (!ioctl(box->fd, _IO(MAILBOX_IOC_MAGIC, 0xff), NULL) || errno != ENOTTY)
		fail("empty ioctl", "be refused");
}

const struct peer peer_ioctls = {
	.name = "empty ioctls",
	.flags = PEER_FLOOR,
	.size_max = 8,
	.open = box_open,
	.close = box_close,
	.send = empty_ioctl,
	.receive = empty_ioctl,
};

static struct channel *nothing_open(size_t size, unsigned int depth)
{
	struct channel *channel = malloc(sizeof(*channel));

	if (channel && channel_init(channel, size, depth))
		return channel;
	free(channel);
	return NULL;
}

static void nothing_close(struct channel *channel)
{
	channel_fini(channel);
	free(channel);
}

static void empty_syscall(struct channel *channel)
{
	(void)channel;
	syscall(SYS_getppid);
}

const struct peer peer_syscalls = {
	.name = "empty system calls",
	.flags = PEER_FLOOR,
	.size_max = 8,
	.open = nothing_open,
	.close = nothing_close,
	.send = empty_syscall,
	.receive = empty_syscall,
};
