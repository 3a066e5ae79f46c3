// SPDX-License-Identifier: GPL-2.0
/*
 * Leases, with each allocation and copy made to fail in turn: a message that could not
 * be delivered is not leased, and a lease that could not be ended goes on.
 */
#include "fail_nth.h"

#define NR 3

static char payload[LENGTH_PAGES], taken[LENGTH_PAGES];
static __u64 leases[NR];

static void prepare_messages(struct scene *scene)
{
	int i;

	memset(payload, 'p', sizeof(payload));
	poison(taken, sizeof(taken));
	scene->fd = box_new(scene->device);
	for (i = 0; i < NR; i++)
		ASSERT_EQ(0, box_send_data(scene->fd, payload, scene->length));
}

static int lease(struct scene *scene)
{
	scene->receive = leasing_args(taken, sizeof(taken));
	return call(scene->fd, MAILBOX_IOC_RECEIVE, &scene->receive);
}

static void complete_lease(struct scene *scene)
{
	EXPECT_EQ(1, scene->receive.sequence);
	EXPECT_EQ(0, scene->receive.deliveries);
	EXPECT_EQ(0, memcmp(payload, taken, scene->length));
	EXPECT_EQ(1, box_stat(scene->fd).leased);
	EXPECT_EQ(0, box_stat(scene->fd).redelivered);
	EXPECT_EQ(0, box_ack(scene->fd, scene->receive.lease));
}

TEST_SWEEP(lease_inline, .prepare = prepare_messages, .call = lease, .complete = complete_lease,
	   .length = LENGTH_INLINE)
TEST_SWEEP(lease_one_buffer, .prepare = prepare_messages, .call = lease, .complete = complete_lease,
	   .length = LENGTH_BUFFER, .least = 1)
TEST_SWEEP(lease_pages, .prepare = prepare_messages, .call = lease, .complete = complete_lease,
	   .length = LENGTH_PAGES, .least = 5)

static int lease_batch(struct scene *scene)
{
	static struct mailbox_receive entries[NR];
	int i;

	for (i = 0; i < NR; i++) {
		entries[i] = leasing_args(taken, sizeof(taken));
		entries[i].flags = MAILBOX_LEASE;
	}
	scene->batch = (struct mailbox_batch){
		.size = sizeof(scene->batch),
		.flags = MAILBOX_NONBLOCK,
		.entries = user_pointer(entries),
		.entry_size = sizeof(entries[0]),
		.nr = NR,
	};
	return call(scene->fd, MAILBOX_IOC_RECEIVE_BATCH, &scene->batch);
}

/* See complete_batch() in fail_nth_send.c. */
static void complete_lease_batch(struct scene *scene)
{
	__u32 done = scene->batch.done ? scene->batch.done : NR;

	EXPECT_EQ(done, box_stat(scene->fd).leased);
	EXPECT_EQ(done == NR ? 0 : EFAULT, scene->batch.error);
	EXPECT_EQ(0, box_stat(scene->fd).redelivered);
}

TEST_SWEEP(lease_batch, .prepare = prepare_messages, .call = lease_batch,
	   .complete = complete_lease_batch, .length = LENGTH_PAGES, .least = 2)

static void prepare_leases(struct scene *scene)
{
	int i;

	prepare_messages(scene);
	for (i = 0; i < NR; i++)
		leases[i] = box_lease(scene->fd);
}

static int end_with(struct scene *scene, unsigned long command, __u64 time)
{
	scene->lease = lease_args(leases, NR);
	scene->lease.time = time;
	return call(scene->fd, command, &scene->lease);
}

/* How many were done is told where it can be; all of them are. */
static void expect_done(const struct scene *scene)
{
	EXPECT_TRUE(scene->lease.done == NR || scene->lease.done == 0);
	EXPECT_EQ(0, scene->lease.error);
}

static int ack(struct scene *scene)
{
	return end_with(scene, MAILBOX_IOC_ACK, 0);
}

static void complete_ack(struct scene *scene)
{
	expect_done(scene);
	EXPECT_EQ(NR, box_stat(scene->fd).received);
	EXPECT_EQ(0, box_stat(scene->fd).messages);
}

TEST_SWEEP(ack, .prepare = prepare_leases, .call = ack, .complete = complete_ack,
	   .length = LENGTH_PAGES, .least = 2)

static int nack(struct scene *scene)
{
	return end_with(scene, MAILBOX_IOC_NACK, 0);
}

static void complete_nack(struct scene *scene)
{
	expect_done(scene);
	EXPECT_EQ(NR, box_stat(scene->fd).redelivered);
	EXPECT_EQ(0, box_stat(scene->fd).leased);
	EXPECT_EQ(NR, box_stat(scene->fd).messages);
}

TEST_SWEEP(nack, .prepare = prepare_leases, .call = nack, .complete = complete_nack,
	   .length = LENGTH_BUFFER, .least = 2)

static int nack_delayed(struct scene *scene)
{
	return end_with(scene, MAILBOX_IOC_NACK, 3600 * SECOND);
}

static void complete_delayed(struct scene *scene)
{
	expect_done(scene);
	EXPECT_EQ(NR, box_stat(scene->fd).leased);
	EXPECT_EQ(-ESTALE, box_ack(scene->fd, leases[0]));
}

TEST_SWEEP(nack_with_a_delay, .prepare = prepare_leases, .call = nack_delayed,
	   .complete = complete_delayed, .length = LENGTH_INLINE, .least = 2)

static int extend(struct scene *scene)
{
	return end_with(scene, MAILBOX_IOC_EXTEND, 3600 * SECOND);
}

static void complete_extend(struct scene *scene)
{
	expect_done(scene);
	EXPECT_EQ(NR, box_stat(scene->fd).leased);
	EXPECT_EQ(0, box_ack(scene->fd, leases[0]));
}

TEST_SWEEP(extend, .prepare = prepare_leases, .call = extend, .complete = complete_extend,
	   .length = LENGTH_INLINE, .least = 2)

/* Each is moved, or dropped for want of memory. */
static void prepare_dying(struct scene *scene)
{
	struct mailbox_create args = create_args();
	int i;

	memset(payload, 'p', sizeof(payload));
	scene->other = box_new(scene->device);
	args.max_deliveries = 1;
	args.dead_letter = box_stat(scene->other).id;
	scene->fd = box_create(scene->device, &args);
	ASSERT_LE(0, scene->fd);
	for (i = 0; i < NR; i++) {
		ASSERT_EQ(0, box_send_data(scene->fd, payload, scene->length));
		leases[i] = box_lease(scene->fd);
	}
}

static void complete_dying(struct scene *scene)
{
	struct mailbox_stat stat = box_stat(scene->fd);

	expect_done(scene);
	EXPECT_EQ(NR, stat.dead + stat.dropped);
	EXPECT_EQ(0, stat.messages);
	EXPECT_EQ(stat.dead, box_stat(scene->other).messages);
}

TEST_SWEEP(nack_of_dead_letters, .prepare = prepare_dying, .call = nack, .complete = complete_dying,
	   .length = LENGTH_PAGES, .least = 2)

/* Whatever fails, they come back. */
static void prepare_handle(struct scene *scene)
{
	prepare_messages(scene);
	scene->other = box_open(scene->device, box_stat(scene->fd).id, NULL, MAILBOX_RIGHT_RECEIVE);
	ASSERT_LE(0, scene->other);
	for (int i = 0; i < NR; i++)
		box_lease(scene->other);
}

static int close_handle(struct scene *scene)
{
	int ret = close(scene->other) ? -errno : 0;

	scene->other = -1;
	return ret;
}

static void complete_handle(struct scene *scene)
{
	EXPECT_EQ(0, box_stat(scene->fd).leased);
	EXPECT_EQ(NR, box_stat(scene->fd).redelivered);
	EXPECT_EQ(NR, box_stat(scene->fd).messages);
}

TEST_SWEEP(close_the_holder, .prepare = prepare_handle, .call = close_handle,
	   .complete = complete_handle, .length = LENGTH_BUFFER)

TEST_HARNESS_MAIN
