// SPDX-License-Identifier: GPL-2.0
/*
 * Messages end in all ways at random, while those who take them are killed and mailboxes
 * are destroyed: each message that was sent gets one receipt, and no other does.
 * MAILBOX_SEED repeats the choices of a run.
 */
#include "races.h"
#include "receipt.h"

#define MESSAGES 20000
#define WORKERS	 4

FIXTURE(receipt_model)
{
	int device;
	int dead;
	int to;
	uint64_t random;
	/* Of each cookie: whether it was sent, and its receipts so far. */
	bool sent[MESSAGES];
	unsigned int receipts[MESSAGES];
	__u64 ends[MAILBOX_END_PENDING + 1];
	pid_t workers[WORKERS];
};

FIXTURE_SETUP(receipt_model)
{
	struct mailbox_create args = create_args();

	self->device = device_open();
	args.max_messages = 8;
	self->dead = box_create(self->device, &args);
	ASSERT_LE(0, self->dead);
	args = create_args();
	args.max_messages = MESSAGES;
	self->to = box_create(self->device, &args);
	ASSERT_LE(0, self->to);
	self->random = race_random(0);
}

FIXTURE_TEARDOWN(receipt_model)
{
	close(self->dead);
	close(self->to);
	close(self->device);
}

/* Takes messages in all ways until it is killed. */
static void work(int fd, uint64_t random)
{
	char text[8];

	for (;;) {
		struct mailbox_receive args = leasing_args(text, sizeof(text));

		args.flags = below(&random, 2) ? MAILBOX_LEASE : 0;
		args.lease = below(&random, 2) ? SECOND / 1000 : 0;
		if (below(&random, 8) == 0)
			args.flags = MAILBOX_PEEK;
		if (box_receive(fd, &args))
			_exit(KSFT_PASS);
		if (!(args.flags & MAILBOX_LEASE))
			continue;
		switch (below(&random, 3)) {
		case 0:
			call(fd, MAILBOX_IOC_ACK,
			     &(struct mailbox_lease){ .size = sizeof(struct mailbox_lease),
						      .leases = user_pointer(&args.lease),
						      .nr = 1 });
			break;
		case 1:
			call(fd, MAILBOX_IOC_NACK,
			     &(struct mailbox_lease){ .size = sizeof(struct mailbox_lease),
						      .leases = user_pointer(&args.lease),
						      .nr = 1,
						      .time = below(&random, 2) });
			break;
		default:
			sched_yield();
		}
	}
}

static void start(FIXTURE_DATA(receipt_model) * self, int fd, int i)
{
	uint64_t seed = self->random ^ (i + 1);

	below(&self->random, 2);
	self->workers[i] = child_fork();
	if (!self->workers[i])
		work(fd, seed);
}

static void stop(FIXTURE_DATA(receipt_model) * self, int i)
{
	kill(self->workers[i], SIGKILL);
	ASSERT_EQ(self->workers[i], waitpid(self->workers[i], NULL, 0));
}

static void collect(FIXTURE_DATA(receipt_model) * self)
{
	struct mailbox_receipt receipt;
	struct mailbox_receive args = receive_args(&receipt, sizeof(receipt));
	bool taken;

	while (!box_receive(self->to, &args)) {
		ASSERT_EQ(MAILBOX_IS_RECEIPT, args.result);
		ASSERT_GT(MESSAGES, receipt.cookie);
		taken = receipt.end == MAILBOX_END_RECEIVED ||
			receipt.end == MAILBOX_END_ACKNOWLEDGED;
		ASSERT_TRUE(receipt.end >= MAILBOX_END_RECEIVED &&
			    receipt.end < MAILBOX_END_PENDING);
		EXPECT_EQ(taken, receipt.pid != 0);
		EXPECT_EQ(taken, receipt.copies);
		self->receipts[receipt.cookie]++;
		self->ends[receipt.end]++;
	}
}

/* What the mailbox counted when all receipts of what had ended were there, if it is quiet. */
static struct mailbox_stat settle(FIXTURE_DATA(receipt_model) * self, int fd, bool quiet)
{
	__u64 end = now_ns() + PATIENCE, promised;
	struct mailbox_stat stat, again;

	do {
		ASSERT_LT(now_ns(), end);
		stat = box_stat(fd);
		promised = box_stat(self->to).promised;
		collect(self);
		again = box_stat(fd);
	} while (quiet && (promised != stat.messages || again.messages != stat.messages));
	return stat;
}

static int box_random(FIXTURE_DATA(receipt_model) * self)
{
	static const __u32 on_full[] = { MAILBOX_ON_FULL_WAIT, MAILBOX_ON_FULL_REFUSE,
					 MAILBOX_ON_FULL_OVERWRITE };
	struct mailbox_create args = create_args();
	int fd;

	args.max_messages = 1 + below(&self->random, 16);
	args.on_full = on_full[below(&self->random, 3)];
	args.max_deliveries = below(&self->random, 3);
	if (args.max_deliveries && below(&self->random, 2))
		args.dead_letter = box_stat(self->dead).id;
	if (below(&self->random, 4) == 0) {
		args.capacity = MAILBOX_CAPACITY_RENDEZVOUS;
		args.on_full = MAILBOX_ON_FULL_WAIT;
		args.max_messages = 0;
	}
	fd = box_create(self->device, &args);
	ASSERT_LE(0, fd);
	return fd;
}

/* How often each end was seen, and that the mailbox counted the same. */
static void expect_counted(FIXTURE_DATA(receipt_model) * self, const struct mailbox_stat *stat,
			   const __u64 *before)
{
	EXPECT_EQ(stat->expired, self->ends[MAILBOX_END_EXPIRED] - before[MAILBOX_END_EXPIRED]);
	EXPECT_EQ(stat->overwritten,
		  self->ends[MAILBOX_END_OVERWRITTEN] - before[MAILBOX_END_OVERWRITTEN]);
	EXPECT_EQ(stat->dead, self->ends[MAILBOX_END_DEAD] - before[MAILBOX_END_DEAD]);
	EXPECT_EQ(stat->dropped, self->ends[MAILBOX_END_DROPPED] - before[MAILBOX_END_DROPPED]);
	EXPECT_EQ(stat->received,
		  self->ends[MAILBOX_END_RECEIVED] + self->ends[MAILBOX_END_ACKNOWLEDGED] -
			  before[MAILBOX_END_RECEIVED] - before[MAILBOX_END_ACKNOWLEDGED]);
}

TEST_F(receipt_model, each_message_has_one)
{
	__u64 nr = 0, last = effort(MESSAGES), before[MAILBOX_END_PENDING + 1];
	char text[16];
	int i;

	while (nr < last) {
		int fd = box_random(self);
		__u64 end = nr + 100 + below(&self->random, 200);
		struct mailbox_stat stat;
		bool quiet;

		memcpy(before, self->ends, sizeof(before));
		for (i = 0; i < WORKERS; i++)
			start(self, fd, i);
		for (; nr < end && nr < last; nr++) {
			struct mailbox_send send = answered_args(self->to, "message");

			send.cookie = nr;
			send.priority = below(&self->random, 3);
			send.flags = MAILBOX_RECEIPT | MAILBOX_DEADLINE;
			send.deadline = now_ns() + SECOND / 100;
			if (below(&self->random, 4) == 0) {
				send.flags |= MAILBOX_EXPIRES;
				send.expiry = now_ns() + below(&self->random, SECOND / 500);
			}
			self->sent[nr] = !box_send(fd, &send);
			if (below(&self->random, 32) == 0) {
				i = below(&self->random, WORKERS);
				stop(self, i);
				start(self, fd, i);
			}
			if (below(&self->random, 16) == 0)
				collect(self);
			if (below(&self->random, 8) == 0)
				box_receive_text(self->dead, text, sizeof(text));
		}
		quiet = below(&self->random, 2);
		for (i = 0; quiet && i < WORKERS; i++)
			stop(self, i);
		stat = settle(self, fd, quiet);
		if (quiet)
			expect_counted(self, &stat, before);
		if (below(&self->random, 2))
			ASSERT_EQ(0, box_destroy(fd, 0, NULL));
		for (i = 0; !quiet && i < WORKERS; i++)
			stop(self, i);
		close(fd);
		/* With that all of them have ended. */
		EXPECT_EQ(0, box_stat(self->to).promised);
		collect(self);
	}
	for (nr = 0; nr < last; nr++)
		ASSERT_EQ(self->sent[nr], self->receipts[nr]) TH_LOG("message %llu", nr);
	for (i = MAILBOX_END_RECEIVED; i < MAILBOX_END_PENDING; i++)
		th_say("# end %d: %llu", i, self->ends[i]);
}

TEST_HARNESS_MAIN
