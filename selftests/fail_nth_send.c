// SPDX-License-Identifier: GPL-2.0
/*
 * Sending, with each allocation and copy made to fail in turn: of each size, to each
 * kind of mailbox, at once and after waiting, alone and in a batch.
 */
#include "fail_nth.h"

#define OTHER_USER 4242

static char payload[LENGTH_PAGES], taken[LENGTH_PAGES];

static void fill_payload(void)
{
	size_t i;

	for (i = 0; i < sizeof(payload); i++)
		payload[i] = i * 7 + i / 256;
}

static void prepare_box(struct scene *scene)
{
	fill_payload();
	scene->fd = box_new(scene->device);
}

/* The first message is the payload, whole. */
static void expect_payload(int fd, size_t length)
{
	struct mailbox_receive args = receive_args(taken, sizeof(taken));

	memset(taken, 0, sizeof(taken));
	ASSERT_EQ(0, box_receive(fd, &args));
	EXPECT_EQ(length, args.length);
	EXPECT_EQ(0, memcmp(payload, taken, length));
}

static int send_(struct scene *scene)
{
	scene->send = send_args(payload, scene->length);
	return call(scene->fd, MAILBOX_IOC_SEND, &scene->send);
}

static void complete_send(struct scene *scene)
{
	EXPECT_EQ(1, scene->send.sequence);
	EXPECT_EQ(1, box_stat(scene->fd).messages);
	expect_payload(scene->fd, scene->length);
}

/* A short payload is copied by what cannot be made to fail. */
TEST_SWEEP(send_inline, .prepare = prepare_box, .call = send_, .complete = complete_send,
	   .length = LENGTH_INLINE, .allocates = true, .keeps = 1, .least = 1)
TEST_SWEEP(send_one_buffer, .prepare = prepare_box, .call = send_, .complete = complete_send,
	   .length = LENGTH_BUFFER, .allocates = true, .keeps = 1, .least = 3)
TEST_SWEEP(send_pages, .prepare = prepare_box, .call = send_, .complete = complete_send,
	   .length = LENGTH_PAGES, .allocates = true, .keeps = 1, .least = 7, .least_pages = 9)

static int send_expiring(struct scene *scene)
{
	scene->send = send_args(payload, scene->length);
	scene->send.flags |= MAILBOX_EXPIRES;
	scene->send.expiry = far_future();
	return call(scene->fd, MAILBOX_IOC_SEND, &scene->send);
}

TEST_SWEEP(send_that_expires, .prepare = prepare_box, .call = send_expiring,
	   .complete = complete_send, .length = LENGTH_BUFFER, .allocates = true, .keeps = 1,
	   .least = 3)

static int write_(struct scene *scene)
{
	ssize_t ret = write(scene->fd, payload, scene->length);

	return ret < 0 ? -errno : ret;
}

static void complete_write(struct scene *scene)
{
	EXPECT_EQ(1, box_stat(scene->fd).sent);
	expect_payload(scene->fd, scene->length);
}

TEST_SWEEP(write, .prepare = prepare_box, .call = write_, .complete = complete_write,
	   .length = LENGTH_PAGES, .success = LENGTH_PAGES, .allocates = true, .keeps = 1,
	   .least = 7, .least_pages = 9)

/* A handle whose opener was another user: the sender's share is made for the call. */
static void prepare_other_user(struct scene *scene)
{
	prepare_box(scene);
	ASSERT_EQ(0, seteuid(OTHER_USER));
	/* Or /proc/self would belong to root. */
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static void complete_other_user(struct scene *scene)
{
	ASSERT_EQ(0, seteuid(0));
	complete_send(scene);
}

TEST_SWEEP(send_as_another_user, .prepare = prepare_other_user, .call = send_,
	   .complete = complete_other_user, .length = LENGTH_BUFFER, .allocates = true, .keeps = 1,
	   .least = 5)

/* A child that does something once that many wait, as receivers or as senders. */
static bool is_helper(struct scene *scene, int receivers, int senders)
{
	scene->helper = child_fork();
	if (scene->helper)
		return false;
	wait_waiters(scene->fd, receivers, senders);
	return true;
}

static void prepare_full(struct scene *scene)
{
	fill_payload();
	scene->fd = box_new_limited(scene->device, MAILBOX_ON_FULL_WAIT, 1);
	ASSERT_EQ(0, box_send_text(scene->fd, "first", 0, 0));
	if (is_helper(scene, -1, 1)) {
		EXPECT_EQ(5, box_receive_text(scene->fd, taken, sizeof(taken)));
		_exit(KSFT_PASS);
	}
}

static int send_waiting(struct scene *scene)
{
	scene->send = send_args(payload, scene->length);
	scene->send.flags = MAILBOX_DEADLINE;
	scene->send.deadline = far_future();
	return call(scene->fd, MAILBOX_IOC_SEND, &scene->send);
}

static void complete_waiting(struct scene *scene)
{
	EXPECT_EQ(2, scene->send.sequence);
	EXPECT_EQ(1, box_stat(scene->fd).messages);
	expect_payload(scene->fd, scene->length);
}

TEST_SWEEP(send_that_waits, .prepare = prepare_full, .call = send_waiting,
	   .complete = complete_waiting, .length = LENGTH_BUFFER, .allocates = true, .keeps = 1,
	   .least = 3)

static void prepare_refusing(struct scene *scene)
{
	fill_payload();
	scene->fd = box_new_limited(scene->device, MAILBOX_ON_FULL_REFUSE, 1);
	ASSERT_EQ(0, box_send_text(scene->fd, "first", 0, 0));
}

static void complete_refused(struct scene *scene)
{
	EXPECT_EQ(1, box_stat(scene->fd).sent);
	EXPECT_EQ(5, box_receive_text(scene->fd, taken, sizeof(taken)));
}

TEST_SWEEP(send_that_is_refused, .prepare = prepare_refusing, .call = send_, .success = -EAGAIN,
	   .complete = complete_refused, .length = LENGTH_PAGES, .allocates = true, .keeps = 1,
	   .least = 7, .least_pages = 9)

static void prepare_overwriting(struct scene *scene)
{
	fill_payload();
	scene->fd = box_new_limited(scene->device, MAILBOX_ON_FULL_OVERWRITE, 2);
	ASSERT_EQ(0, box_send_text(scene->fd, "first", 0, 0));
	ASSERT_EQ(0, box_send_text(scene->fd, "second", 0, 0));
}

static void complete_overwriting(struct scene *scene)
{
	EXPECT_EQ(3, scene->send.sequence);
	EXPECT_EQ(1, box_stat(scene->fd).overwritten);
	EXPECT_EQ(6, box_receive_text(scene->fd, taken, sizeof(taken)));
	expect_payload(scene->fd, scene->length);
}

TEST_SWEEP(send_that_overwrites, .prepare = prepare_overwriting, .call = send_,
	   .complete = complete_overwriting, .length = LENGTH_PAGES, .allocates = true, .keeps = 1,
	   .least = 7, .least_pages = 9)

/* The sender comes first. */
static void prepare_rendezvous(struct scene *scene)
{
	fill_payload();
	scene->fd = box_new_capacity(scene->device, MAILBOX_CAPACITY_RENDEZVOUS);
	if (is_helper(scene, -1, 1)) {
		expect_payload(scene->fd, scene->length);
		_exit(KSFT_PASS);
	}
}

static void complete_met(struct scene *scene)
{
	struct mailbox_stat stat = box_stat(scene->fd);

	EXPECT_EQ(1, scene->send.sequence);
	EXPECT_EQ(1, stat.sent);
	EXPECT_EQ(1, stat.received);
}

TEST_SWEEP(send_to_a_rendezvous, .prepare = prepare_rendezvous, .call = send_waiting,
	   .complete = complete_met, .length = LENGTH_BUFFER, .allocates = true, .keeps = 1,
	   .least = 3)

/* The receiver comes first, and the payload goes straight to it. */
static void prepare_receiver(struct scene *scene, __u32 capacity)
{
	fill_payload();
	scene->fd = box_new_capacity(scene->device, capacity);
	scene->helper = child_fork();
	if (!scene->helper) {
		EXPECT_EQ(scene->length, read(scene->fd, taken, sizeof(taken)));
		EXPECT_EQ(0, memcmp(payload, taken, scene->length));
		_exit(KSFT_PASS);
	}
	wait_waiters(scene->fd, 1, 0);
}

static void prepare_meeting(struct scene *scene)
{
	prepare_receiver(scene, MAILBOX_CAPACITY_RENDEZVOUS);
}

static void prepare_waiting_receiver(struct scene *scene)
{
	prepare_receiver(scene, MAILBOX_CAPACITY_BOUNDED);
}

TEST_SWEEP(send_to_who_waits_at_a_rendezvous, .prepare = prepare_meeting, .call = send_,
	   .complete = complete_met, .length = LENGTH_BUFFER, .allocates = true, .keeps = 1,
	   .least = 3)
TEST_SWEEP(send_to_who_waits, .prepare = prepare_waiting_receiver, .call = send_,
	   .complete = complete_met, .length = LENGTH_PAGES, .allocates = true, .keeps = 1,
	   .least = 7, .least_pages = 9)

static const __u32 lengths[] = { LENGTH_INLINE, LENGTH_BUFFER, LENGTH_PAGES, LENGTH_INLINE };
#define NR ARRAY_SIZE(lengths)
static struct mailbox_send sends[NR];

static int send_rest(struct scene *scene, __u32 first)
{
	__u32 i;

	for (i = first; i < NR; i++) {
		sends[i] = send_args(payload, lengths[i]);
		sends[i].flags = 0;
	}
	scene->batch = (struct mailbox_batch){
		.size = sizeof(scene->batch),
		.flags = MAILBOX_NONBLOCK,
		.entries = user_pointer(sends + first),
		.entry_size = sizeof(sends[0]),
		.nr = NR - first,
	};
	return call(scene->fd, MAILBOX_IOC_SEND_BATCH, &scene->batch);
}

static int send_batch(struct scene *scene)
{
	return send_rest(scene, 0);
}

/*
 * A fault after the first message ends the batch there. One that hits the writing of
 * the answer, which could be written before, leaves the zeros of that time.
 */
static void complete_batch(struct scene *scene)
{
	__u32 done = scene->batch.done ? scene->batch.done : NR;
	__u32 i;

	EXPECT_EQ(done, box_stat(scene->fd).messages);
	if (done == NR) {
		EXPECT_EQ(0, scene->batch.error);
	} else {
		if (scene->batch.error != ENOMEM)
			EXPECT_EQ(EFAULT, scene->batch.error);
		EXPECT_EQ(0, send_rest(scene, done));
		EXPECT_EQ(NR - done, scene->batch.done);
	}
	for (i = 0; i < NR; i++) {
		EXPECT_EQ(i + 1, sends[i].sequence);
		expect_payload(scene->fd, lengths[i]);
	}
}

TEST_SWEEP(send_batch, .prepare = prepare_box, .call = send_batch, .complete = complete_batch,
	   .allocates = true, .keeps = 1, .least = 3)

TEST_HARNESS_MAIN
