// SPDX-License-Identifier: GPL-2.0
/*
 * Receiving, with each allocation and copy made to fail in turn: the message stays in
 * its place. A short message is copied by what cannot be made to fail.
 */
#include "fail_nth.h"

static char payload[LENGTH_PAGES], taken[LENGTH_PAGES];

static void fill_payload(void)
{
	size_t i;

	poison(taken, sizeof(taken));
	for (i = 0; i < sizeof(payload); i++)
		payload[i] = i * 7 + i / 256;
}

static void send_payload(int fd, size_t length, __u64 type)
{
	struct mailbox_send args = send_args(payload, length);

	args.flags = 0;
	args.type = type;
	EXPECT_EQ(0, box_send(fd, &args));
}

/* The payload is the first of two messages. */
static void prepare_message(struct scene *scene)
{
	fill_payload();
	scene->fd = box_new(scene->device);
	send_payload(scene->fd, scene->length, 5);
	ASSERT_EQ(0, box_send_text(scene->fd, "second", 0, 0));
}

static int receive_with(struct scene *scene, size_t room, __u32 flags, __u32 select, __u64 match)
{
	scene->receive = receive_args(taken, room);
	scene->receive.flags = flags;
	scene->receive.select = select;
	scene->receive.match = match;
	return call(scene->fd, MAILBOX_IOC_RECEIVE, &scene->receive);
}

static void expect_taken(const struct scene *scene)
{
	EXPECT_EQ(1, scene->receive.sequence);
	EXPECT_EQ(scene->length, scene->receive.length);
	EXPECT_EQ(getpid(), scene->receive.pid);
	EXPECT_EQ(0, memcmp(payload, taken, scene->length));
}

static void expect_second(int fd)
{
	char text[8];

	EXPECT_EQ(6, box_receive_text(fd, text, sizeof(text)));
	EXPECT_STREQ("second", text);
}

static int receive(struct scene *scene)
{
	return receive_with(scene, sizeof(taken), MAILBOX_NONBLOCK, MAILBOX_SELECT_FIRST, 0);
}

static void complete_receive(struct scene *scene)
{
	expect_taken(scene);
	EXPECT_EQ(1, box_stat(scene->fd).received);
	expect_second(scene->fd);
}

TEST_SWEEP(receive_inline, .prepare = prepare_message, .call = receive,
	   .complete = complete_receive, .length = LENGTH_INLINE)
TEST_SWEEP(receive_one_buffer, .prepare = prepare_message, .call = receive,
	   .complete = complete_receive, .length = LENGTH_BUFFER, .least = 1)
TEST_SWEEP(receive_pages, .prepare = prepare_message, .call = receive, .complete = complete_receive,
	   .length = LENGTH_PAGES, .least = 5)

static int receive_of_sender(struct scene *scene)
{
	return receive_with(scene, sizeof(taken), MAILBOX_NONBLOCK, MAILBOX_SELECT_SENDER,
			    getpid());
}

TEST_SWEEP(receive_by_sender, .prepare = prepare_message, .call = receive_of_sender,
	   .complete = complete_receive, .length = LENGTH_PAGES, .least = 5)

static int read_(struct scene *scene)
{
	ssize_t ret = read(scene->fd, taken, sizeof(taken));

	return ret < 0 ? -errno : ret;
}

static void complete_read(struct scene *scene)
{
	EXPECT_EQ(0, memcmp(payload, taken, scene->length));
	expect_second(scene->fd);
}

TEST_SWEEP(read, .prepare = prepare_message, .call = read_, .complete = complete_read,
	   .length = LENGTH_PAGES, .success = LENGTH_PAGES, .least = 5)

/* The same message, of which bytes are read. */
static void prepare_bytes(struct scene *scene)
{
	struct mailbox_create create = create_args();

	fill_payload();
	create.flags = MAILBOX_STREAM;
	scene->fd = box_create(scene->device, &create);
	ASSERT_LE(0, scene->fd);
	send_payload(scene->fd, scene->length, 5);
	ASSERT_EQ(0, box_send_text(scene->fd, "second", 0, 0));
	ASSERT_EQ(100, read(scene->fd, taken, 100));
}

static int read_bytes(struct scene *scene)
{
	ssize_t ret = read(scene->fd, taken + 100, LENGTH_BUFFER);

	return ret < 0 ? -errno : ret;
}

static void complete_bytes(struct scene *scene)
{
	const size_t got = 100 + LENGTH_BUFFER, left = scene->length - got;

	EXPECT_EQ(0, memcmp(payload, taken, got));
	EXPECT_EQ((ssize_t)left, read(scene->fd, taken, sizeof(taken)));
	EXPECT_EQ(0, memcmp(payload + got, taken, left));
	expect_second(scene->fd);
}

TEST_SWEEP(read_bytes, .prepare = prepare_bytes, .call = read_bytes, .complete = complete_bytes,
	   .length = LENGTH_PAGES, .success = LENGTH_BUFFER, .least = 1)

static int peek(struct scene *scene)
{
	return receive_with(scene, sizeof(taken), MAILBOX_NONBLOCK | MAILBOX_PEEK,
			    MAILBOX_SELECT_INDEX, 0);
}

static void complete_peek(struct scene *scene)
{
	expect_taken(scene);
	EXPECT_EQ(2, box_stat(scene->fd).messages);
	EXPECT_EQ(0, receive(scene));
	complete_receive(scene);
}

TEST_SWEEP(peek, .prepare = prepare_message, .call = peek, .complete = complete_peek,
	   .length = LENGTH_PAGES, .least = 5)

static int truncate_(struct scene *scene)
{
	return receive_with(scene, LENGTH_BUFFER, MAILBOX_NONBLOCK | MAILBOX_TRUNCATE,
			    MAILBOX_SELECT_FIRST, 0);
}

static void complete_truncate(struct scene *scene)
{
	EXPECT_EQ(MAILBOX_TRUNCATED, scene->receive.result);
	EXPECT_EQ(scene->length, scene->receive.length);
	EXPECT_EQ(0, memcmp(payload, taken, LENGTH_BUFFER));
	expect_second(scene->fd);
}

TEST_SWEEP(receive_truncating, .prepare = prepare_message, .call = truncate_,
	   .complete = complete_truncate, .length = LENGTH_PAGES, .least = 1)

static int receive_little(struct scene *scene)
{
	return receive_with(scene, 10, MAILBOX_NONBLOCK, MAILBOX_SELECT_FIRST, 0);
}

static void complete_too_long(struct scene *scene)
{
	EXPECT_EQ(scene->length, scene->receive.length);
	EXPECT_EQ(0, box_stat(scene->fd).received);
	EXPECT_EQ(0, receive(scene));
	complete_receive(scene);
}

TEST_SWEEP(receive_what_is_too_long, .prepare = prepare_message, .call = receive_little,
	   .success = -EMSGSIZE, .complete = complete_too_long, .length = LENGTH_PAGES)

/* A child that sends once we wait. Handed over or not, we have it once. */
static void prepare_sender(struct scene *scene)
{
	fill_payload();
	scene->fd = box_new(scene->device);
	scene->helper = child_fork();
	if (!scene->helper) {
		wait_waiters(scene->fd, 1, 0);
		send_payload(scene->fd, scene->length, 5);
		_exit(KSFT_PASS);
	}
}

static int receive_waiting(struct scene *scene)
{
	scene->receive = receive_args(taken, sizeof(taken));
	scene->receive.flags = MAILBOX_DEADLINE;
	scene->receive.deadline = far_future();
	return call(scene->fd, MAILBOX_IOC_RECEIVE, &scene->receive);
}

/* The message that was handed to us is in the mailbox again, and nothing else changed. */
static void handed_back(struct scene *scene, const struct snapshot *before)
{
	struct mailbox_stat stat = box_stat(scene->fd);

	EXPECT_EQ(1, stat.sent);
	EXPECT_EQ(1, stat.messages);
	EXPECT_EQ(scene->length, stat.bytes);
	EXPECT_EQ(0, stat.received);
	EXPECT_EQ(0, stat.receivers);
	EXPECT_EQ(before->state.descriptors, count_descriptors());
}

static void complete_handed(struct scene *scene)
{
	EXPECT_EQ(1, scene->receive.sequence);
	EXPECT_EQ(0, memcmp(payload, taken, scene->length));
	EXPECT_EQ(1, box_stat(scene->fd).received);
	EXPECT_EQ(0, box_stat(scene->fd).messages);
}

TEST_SWEEP(receive_that_waits, .prepare = prepare_sender, .call = receive_waiting,
	   .failed = handed_back, .complete = complete_handed, .length = LENGTH_PAGES, .least = 5)

/* The sender waits at a rendezvous, and goes on waiting when we fail. */
static void prepare_meeting(struct scene *scene)
{
	fill_payload();
	scene->fd = box_new_capacity(scene->device, MAILBOX_CAPACITY_RENDEZVOUS);
	scene->helper = child_fork();
	if (!scene->helper) {
		send_payload(scene->fd, scene->length, 5);
		_exit(KSFT_PASS);
	}
	wait_waiters(scene->fd, 0, 1);
}

TEST_SWEEP(receive_at_a_rendezvous, .prepare = prepare_meeting, .call = receive,
	   .complete = complete_handed, .length = LENGTH_PAGES, .least = 5)

/* The sender waits for room, which we don't need: its message is received from the line. */
static void prepare_line(struct scene *scene)
{
	fill_payload();
	scene->fd = box_new_limited(scene->device, MAILBOX_ON_FULL_WAIT, 1);
	ASSERT_EQ(0, box_send_text(scene->fd, "second", 0, 0));
	scene->helper = child_fork();
	if (!scene->helper) {
		send_payload(scene->fd, scene->length, 5);
		_exit(KSFT_PASS);
	}
	wait_waiters(scene->fd, 0, 1);
}

static int receive_of_type(struct scene *scene)
{
	return receive_with(scene, sizeof(taken), MAILBOX_NONBLOCK, MAILBOX_SELECT_TYPE, 5);
}

static void complete_line(struct scene *scene)
{
	/* What failed has used up a number. */
	EXPECT_TRUE(scene->receive.sequence == 2 || scene->receive.sequence == 3);
	EXPECT_EQ(0, memcmp(payload, taken, scene->length));
	EXPECT_EQ(2, box_stat(scene->fd).sent);
	EXPECT_EQ(1, box_stat(scene->fd).received);
	EXPECT_EQ(0, box_stat(scene->fd).senders);
	expect_second(scene->fd);
}

TEST_SWEEP(receive_what_waits_for_room, .prepare = prepare_line, .call = receive_of_type,
	   .complete = complete_line, .length = LENGTH_PAGES, .least = 5)

#define NR 4
static const __u32 lengths[NR] = { LENGTH_INLINE, LENGTH_BUFFER, LENGTH_PAGES, LENGTH_BUFFER };
static struct mailbox_receive receives[NR];
static char places[NR][LENGTH_PAGES];

static void prepare_batch(struct scene *scene)
{
	__u32 i;

	fill_payload();
	poison(places, sizeof(places));
	scene->fd = box_new(scene->device);
	for (i = scene->length; i < NR; i++)
		send_payload(scene->fd, lengths[i], 0);
}

static int receive_rest(struct scene *scene, __u32 first)
{
	__u32 i;

	for (i = first; i < NR; i++) {
		receives[i] = receive_args(places[i], sizeof(places[i]));
		receives[i].flags = 0;
	}
	scene->batch = (struct mailbox_batch){
		.size = sizeof(scene->batch),
		.flags = MAILBOX_NONBLOCK,
		.entries = user_pointer(receives + first),
		.entry_size = sizeof(receives[0]),
		.nr = NR - first,
	};
	return call(scene->fd, MAILBOX_IOC_RECEIVE_BATCH, &scene->batch);
}

static int receive_batch(struct scene *scene)
{
	return receive_rest(scene, scene->length);
}

/* See complete_batch() in fail_nth_send.c. */
static void complete_batch(struct scene *scene)
{
	__u32 first = scene->length, i;
	__u32 done = scene->batch.done ? scene->batch.done : NR - first;

	EXPECT_EQ(done, box_stat(scene->fd).received);
	EXPECT_EQ(NR - first - done, box_stat(scene->fd).messages);
	if (first + done == NR) {
		EXPECT_EQ(0, scene->batch.error);
	} else {
		EXPECT_EQ(EFAULT, scene->batch.error);
		EXPECT_EQ(0, receive_rest(scene, first + done));
		EXPECT_EQ(NR - first - done, scene->batch.done);
	}
	for (i = first; i < NR; i++) {
		EXPECT_EQ(i - first + 1, receives[i].sequence);
		EXPECT_EQ(lengths[i], receives[i].length);
		EXPECT_EQ(0, memcmp(payload, places[i], lengths[i]));
	}
}

TEST_SWEEP(receive_batch, .prepare = prepare_batch, .call = receive_batch,
	   .complete = complete_batch, .least = 2)
/* The first one is long: a fault in it fails the call. */
TEST_SWEEP(receive_batch_of_long_ones, .prepare = prepare_batch, .call = receive_batch,
	   .complete = complete_batch, .length = 2, .least = 7)

TEST_HARNESS_MAIN
