// SPDX-License-Identifier: GPL-2.0
/*
 * Files in messages, with each allocation and copy made to fail in turn: what is not sent
 * is not in flight, and what is not received stays, with its files, and leaves no descriptor.
 */
#include "common_files.h"
#include "fail_nth.h"

#define MAX MAILBOX_FILES_MAX

static char payload[LENGTH_PAGES], taken[LENGTH_PAGES];
static int sent[MAX], got[MAX];

static void prepare_box(struct scene *scene)
{
	int i;

	scene->fd = box_new(scene->device);
	for (i = 0; i < MAX; i++)
		sent[i] = scene->other < 0 ?
				  scene->other = open("/dev/null", O_WRONLY | O_CLOEXEC) :
				  scene->other;
	ASSERT_LE(0, scene->other);
}

static struct mailbox_send send_of(const struct scene *scene)
{
	struct mailbox_send args = send_files_args("", sent, MAX);

	args.data = user_pointer(payload);
	args.length = scene->length;
	return args;
}

static void prepare_message(struct scene *scene)
{
	struct mailbox_send args;

	prepare_box(scene);
	args = send_of(scene);
	ASSERT_EQ(0, box_send(scene->fd, &args));
}

static void close_got(void)
{
	int i;

	for (i = 0; i < MAX; i++)
		EXPECT_EQ(0, close(got[i]));
}

static int send_(struct scene *scene)
{
	scene->send = send_of(scene);
	return call(scene->fd, MAILBOX_IOC_SEND, &scene->send);
}

static void complete_send(struct scene *scene)
{
	EXPECT_EQ(1, box_stat(scene->fd).messages);
	scene->receive = receive_files_args(taken, sizeof(taken), got, MAX);
	ASSERT_EQ(0, box_receive(scene->fd, &scene->receive));
	ASSERT_EQ(MAX, scene->receive.nr_files);
	close_got();
}

TEST_SWEEP(send_files, .prepare = prepare_box, .call = send_, .complete = complete_send,
	   .length = LENGTH_INLINE, .allocates = true, .keeps = 1, .least = 4)
TEST_SWEEP(send_files_with_pages, .prepare = prepare_box, .call = send_, .complete = complete_send,
	   .length = LENGTH_PAGES, .allocates = true, .keeps = 1, .least = 9)

static int send_answered(struct scene *scene)
{
	scene->send = send_of(scene);
	scene->send.flags |= MAILBOX_RECEIPT;
	scene->send.receipt = scene->fd;
	return call(scene->fd, MAILBOX_IOC_SEND, &scene->send);
}

static void complete_answered(struct scene *scene)
{
	scene->receive = receive_files_args(taken, sizeof(taken), got, MAX);
	ASSERT_EQ(0, box_receive(scene->fd, &scene->receive));
	ASSERT_EQ(MAX, scene->receive.nr_files);
	close_got();
	EXPECT_EQ(1, box_stat(scene->fd).messages);
}

TEST_SWEEP(send_files_with_a_receipt, .prepare = prepare_box, .call = send_answered,
	   .complete = complete_answered, .length = LENGTH_INLINE, .allocates = true, .keeps = 2,
	   .least = 5)

static int receive_with(struct scene *scene, __u32 flags)
{
	scene->receive = receive_files_args(taken, sizeof(taken), got, MAX);
	scene->receive.flags |= flags;
	scene->receive.lease = 0;
	return call(scene->fd, MAILBOX_IOC_RECEIVE, &scene->receive);
}

static int receive(struct scene *scene)
{
	return receive_with(scene, 0);
}

static void complete_receive(struct scene *scene)
{
	ASSERT_EQ(MAX, scene->receive.nr_files);
	close_got();
	EXPECT_EQ(1, box_stat(scene->fd).received);
}

TEST_SWEEP(receive_files, .prepare = prepare_message, .call = receive, .complete = complete_receive,
	   .length = LENGTH_PAGES, .allocates = true, .least = 5)

static int lease(struct scene *scene)
{
	return receive_with(scene, MAILBOX_LEASE);
}

static void complete_lease(struct scene *scene)
{
	ASSERT_EQ(MAX, scene->receive.nr_files);
	close_got();
	EXPECT_EQ(0, box_ack(scene->fd, scene->receive.lease));
}

TEST_SWEEP(lease_files, .prepare = prepare_message, .call = lease, .complete = complete_lease,
	   .length = LENGTH_PAGES, .allocates = true, .least = 5)

static int peek(struct scene *scene)
{
	return receive_with(scene, MAILBOX_PEEK);
}

static void complete_peek(struct scene *scene)
{
	EXPECT_EQ(MAX, scene->receive.nr_files);
	EXPECT_EQ(1, box_stat(scene->fd).messages);
}

TEST_SWEEP(peek_files, .prepare = prepare_message, .call = peek, .complete = complete_peek,
	   .length = LENGTH_PAGES, .least = 5)

TEST_HARNESS_MAIN
