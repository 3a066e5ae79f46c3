// SPDX-License-Identifier: GPL-2.0
/*
 * Broadcasts, with each allocation and copy made to fail in turn: who could not open has
 * not subscribed, and what could not be copied is still to be received.
 */
#include "fail_nth.h"

#include "common_broadcast.h"

static char payload[LENGTH_PAGES], taken[LENGTH_PAGES];

static void prepare_box(struct scene *scene)
{
	__u64 id;

	scene->fd = broadcast_new(scene->device, 4, &id);
	scene->open = (struct mailbox_open){
		.size = sizeof(scene->open),
		.flags = MAILBOX_CUT_OFF,
		.rights = MAILBOX_RIGHT_RECEIVE,
		.id = id,
	};
}

static int open_(struct scene *scene)
{
	return call(scene->device, MAILBOX_IOC_OPEN, &scene->open);
}

static void complete_open(struct scene *scene)
{
	EXPECT_EQ(1, box_stat(scene->fd).subscribers);
	broadcast_send(scene->fd, 1, 1);
	EXPECT_NEXT(scene->open.fd, 1, 0);
	close(scene->open.fd);
}

TEST_SWEEP(subscribe, .prepare = prepare_box, .call = open_, .complete = complete_open,
	   .allocates = true, .least = 2)

/* Of the two that were sent the first is to be received, or with room for one, is gone. */
static void prepare_messages(struct scene *scene)
{
	int i;

	prepare_box(scene);
	memset(payload, 'p', sizeof(payload));
	poison(taken, sizeof(taken));
	scene->other = subscribe(scene->device, scene->open.id);
	for (i = 0; i < 5; i++)
		ASSERT_EQ(0, box_send_data(scene->fd, payload, scene->length));
}

static int receive(struct scene *scene)
{
	scene->receive = receive_args(taken, sizeof(taken));
	return box_receive(scene->other, &scene->receive);
}

static void complete_receive(struct scene *scene)
{
	EXPECT_EQ(2, scene->receive.sequence);
	EXPECT_EQ(1, scene->receive.missed);
	EXPECT_EQ(0, memcmp(payload, taken, scene->length));
	EXPECT_EQ(1, box_stat(scene->fd).received);
	EXPECT_EQ(3, box_stat(scene->fd).messages);
}

TEST_SWEEP(receive_inline, .prepare = prepare_messages, .call = receive,
	   .complete = complete_receive, .length = LENGTH_INLINE)
TEST_SWEEP(receive_pages, .prepare = prepare_messages, .call = receive,
	   .complete = complete_receive, .length = LENGTH_PAGES, .least = 5)

static int send_one(struct scene *scene)
{
	scene->send = send_args(payload, scene->length);
	return box_send(scene->fd, &scene->send);
}

static void complete_send(struct scene *scene)
{
	EXPECT_EQ(6, scene->send.sequence);
	EXPECT_EQ(2, box_stat(scene->fd).overwritten);
	EXPECT_EQ(4, box_stat(scene->fd).messages);
}

TEST_SWEEP(send_pages, .prepare = prepare_messages, .call = send_one, .complete = complete_send,
	   .length = LENGTH_PAGES, .allocates = true, .keeps = 1, .least = 5)

TEST_HARNESS_MAIN
