// SPDX-License-Identifier: GPL-2.0
/*
 * Processes take messages under leases, acknowledge some and give others back, and are
 * killed at random points while the others have descriptors of the same handles. Each
 * message that was sent is acknowledged once or left once, held by nobody but one at a
 * time, and its deliveries are counted without a gap. MAILBOX_SEED repeats the choices
 * of a run.
 */
#include "races.h"

#define SENDERS	 4
#define WORKERS	 16
#define HANDLES	 3
#define LIVES	 4096
#define MESSAGES 200000
/* Leases that a process has at a time. */
#define HANDS 4

/* What the processes know of a message; written by who holds it. */
struct message {
	uint32_t confirmed;
	/* The life that has it, and the one that said it was acknowledged. */
	uint32_t holder;
	uint32_t acking;
	uint32_t acked;
	uint32_t left;
	/* The least that the next delivery is told; what the last one was told. */
	uint32_t deliveries;
	uint32_t last;
};

struct world {
	uint32_t nr;
	uint32_t done;
	uint32_t killed[LIVES];
	struct message messages[MESSAGES];
};

struct hand {
	uint32_t message;
	__u64 lease;
};

FIXTURE(lease_kills)
{
	int device;
	int boxes[HANDLES];
	struct usage before;
	struct world *world;
	uint64_t random;
	uint32_t nr_lives;
	uint32_t messages;
	uint32_t kills;
	uint32_t nr_killed;
	pid_t senders[SENDERS];
	struct {
		pid_t pid;
		uint32_t life;
	} workers[WORKERS];
};

FIXTURE_VARIANT(lease_kills)
{
	__u32 capacity;
};

FIXTURE_VARIANT_ADD(lease_kills, at_a_bounded_mailbox)
{
	.capacity = MAILBOX_CAPACITY_BOUNDED,
};

FIXTURE_VARIANT_ADD(lease_kills, at_a_rendezvous)
{
	.capacity = MAILBOX_CAPACITY_RENDEZVOUS,
};

FIXTURE_SETUP(lease_kills)
{
	struct mailbox_create args = create_args();
	int i;

	race_seed_choose();
	th_say("# MAILBOX_SEED=%s", getenv("MAILBOX_SEED"));
	self->random = race_random(variant->capacity);
	self->messages = effort(3000);
	self->kills = effort(150);
	self->world = mmap(NULL, sizeof(*self->world), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ASSERT_TRUE(self->world != MAP_FAILED);
	self->device = device_open();
	self->before = usage_of_caller(self->device);
	args.capacity = variant->capacity;
	if (variant->capacity == MAILBOX_CAPACITY_BOUNDED)
		args.max_messages = WORKERS * HANDS / 2;
	self->boxes[0] = box_create(self->device, &args);
	ASSERT_LE(0, self->boxes[0]);
	for (i = 1; i < HANDLES; i++) {
		self->boxes[i] = box_open(self->device, args.id, NULL, RIGHTS_ALL);
		ASSERT_LE(0, self->boxes[i]);
	}
}

FIXTURE_TEARDOWN(lease_kills)
{
	close(self->device);
}

/* Senders are never killed: kills.c does that. They end when there is enough. */
static __attribute__((noreturn)) void keep_sending(FIXTURE_DATA(lease_kills) * self)
{
	struct world *world = self->world;

	while (!__atomic_load_n(&world->done, __ATOMIC_ACQUIRE)) {
		uint32_t number = __atomic_add_fetch(&world->nr, 1, __ATOMIC_RELAXED);
		struct mailbox_send args = send_args(&number, sizeof(number));

		ASSERT_LT(number, MESSAGES);
		args.flags = 0;
		args.priority = number % 3;
		args.type = number;
		ASSERT_EQ(0, box_send(self->boxes[0], &args));
		world->messages[number].confirmed = 1;
	}
	_exit(0);
}

static void take(struct world *world, int box, uint32_t life, struct hand *hand)
{
	uint32_t number = 0, holder;
	struct mailbox_receive args = leasing_args(&number, sizeof(number));
	struct message *message;

	args.flags = MAILBOX_LEASE;
	ASSERT_EQ(0, box_receive(box, &args));
	ASSERT_EQ(number, args.type);
	ASSERT_LT(0, number);
	message = &world->messages[number];
	/* Whoever had it has given it back or is being killed. */
	holder = __atomic_load_n(&message->holder, __ATOMIC_ACQUIRE);
	ASSERT_TRUE(!holder || world->killed[holder]) TH_LOG("message %u", number);
	__atomic_store_n(&message->holder, life, __ATOMIC_RELEASE);
	ASSERT_EQ(0, message->acked);
	/* Those that were killed before they could write theirs down count too. */
	ASSERT_LE(message->deliveries, args.deliveries);
	message->last = args.deliveries;
	message->deliveries = args.deliveries + 1;
	*hand = (struct hand){ number, args.lease };
}

static void give(struct world *world, int box, uint32_t life, const struct hand *hand,
		 uint64_t *random)
{
	struct message *message = &world->messages[hand->message];

	ASSERT_EQ(life, message->holder);
	switch (below(random, 4)) {
	case 0:
	case 1:
		__atomic_store_n(&message->acking, life, __ATOMIC_RELEASE);
		ASSERT_EQ(0, box_ack(box, hand->lease));
		__atomic_add_fetch(&message->acked, 1, __ATOMIC_RELEASE);
		return;
	case 2:
		__atomic_store_n(&message->holder, 0, __ATOMIC_RELEASE);
		ASSERT_EQ(0, box_nack(box, hand->lease, 0));
		return;
	default:
		__atomic_store_n(&message->holder, 0, __ATOMIC_RELEASE);
		ASSERT_EQ(0, box_nack(box, hand->lease, below(random, 1000000)));
	}
}

static __attribute__((noreturn)) void keep_leasing(FIXTURE_DATA(lease_kills) * self, uint32_t life,
						   int box)
{
	uint64_t random = self->random ^ life * 0x9e3779b97f4a7c15ULL;
	struct hand hands[HANDS];
	uint32_t nr = 0;

	for (;;) {
		while (nr < 1 + below(&random, HANDS))
			take(self->world, box, life, &hands[nr++]);
		while (nr && below(&random, 3)) {
			uint32_t which = below(&random, nr);

			give(self->world, box, life, &hands[which], &random);
			hands[which] = hands[--nr];
		}
	}
}

static void start(FIXTURE_DATA(lease_kills) * self, int worker)
{
	uint32_t life = ++self->nr_lives;
	int box = self->boxes[below(&self->random, HANDLES)];
	pid_t pid;

	ASSERT_LT(life, LIVES);
	pid = child_fork();
	if (!pid)
		keep_leasing(self, life, box);
	self->workers[worker].pid = pid;
	self->workers[worker].life = life;
}

static void end(FIXTURE_DATA(lease_kills) * self, int worker)
{
	__atomic_store_n(&self->world->killed[self->workers[worker].life], 1, __ATOMIC_RELEASE);
	child_kill(self->workers[worker].pid);
	self->nr_killed++;
}

/* The pauses are for chance, nothing relies on them. */
static void kill_at_random(FIXTURE_DATA(lease_kills) * self)
{
	const struct sched_param first = { .sched_priority = 1 };

	ASSERT_EQ(0, sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &first));
	while (__atomic_load_n(&self->world->nr, __ATOMIC_RELAXED) < self->messages ||
	       self->nr_killed < self->kills) {
		const struct timespec pause = { .tv_nsec = below(&self->random, 4000000) };
		int worker = below(&self->random, WORKERS);

		nanosleep(&pause, NULL);
		end(self, worker);
		start(self, worker);
	}
}

/* What is left when nobody takes any more. */
static void drain(FIXTURE_DATA(lease_kills) * self)
{
	for (;;) {
		uint32_t number = 0;
		struct mailbox_receive args = receive_args(&number, sizeof(number));
		struct message *message;
		int ret = box_receive(self->boxes[0], &args);

		if (ret) {
			ASSERT_EQ(-EAGAIN, ret);
			return;
		}
		message = &self->world->messages[number];
		message->left++;
		EXPECT_LE(message->deliveries, args.deliveries);
		message->last = args.deliveries;
	}
}

static void judge(FIXTURE_DATA(lease_kills) * self, const struct mailbox_stat *stat)
{
	uint64_t acked = 0, left = 0, died = 0, deliveries = 0;

	for (uint32_t i = 1; i <= self->world->nr; i++) {
		const struct message *message = &self->world->messages[i];
		bool died_acking = message->acking && !message->acked && !message->left;

		acked += message->acked;
		left += message->left;
		died += died_acking;
		deliveries += message->last;
		EXPECT_EQ(1, message->confirmed);
		EXPECT_EQ(1, message->acked + message->left + died_acking)
		TH_LOG("message %u: acknowledged %u times, left %u times", i, message->acked,
		       message->left);
		if (died_acking)
			EXPECT_TRUE(self->world->killed[message->acking]);
	}
	EXPECT_EQ(self->world->nr, stat->sent);
	EXPECT_EQ(acked + left + died, stat->received);
	EXPECT_EQ(deliveries, stat->redelivered);
	EXPECT_EQ(0, stat->messages);
	EXPECT_EQ(0, stat->bytes);
	th_say("# %u sent, %llu acknowledged, %llu left, %llu died with it, %llu redelivered",
	       self->world->nr, (unsigned long long)acked, (unsigned long long)left,
	       (unsigned long long)died, stat->redelivered);
}

/* Those that send wait for room, or for who comes to meet them. */
static void end_senders(FIXTURE_DATA(lease_kills) * self)
{
	int i;

	__atomic_store_n(&self->world->done, 1, __ATOMIC_RELEASE);
	for (i = 0; i < SENDERS; i++)
		child_done(self->senders[i]);
}

TEST_F_TIMEOUT(lease_kills, lose_and_double_nothing, 200)
{
	struct mailbox_stat stat;
	int i;

	for (i = 0; i < SENDERS; i++) {
		self->senders[i] = child_fork();
		if (!self->senders[i])
			keep_sending(self);
	}
	for (i = 0; i < WORKERS; i++)
		start(self, i);
	kill_at_random(self);
	end_senders(self);
	for (i = 0; i < WORKERS; i++)
		end(self, i);

	/* Nobody lives that has a lease: what is hidden was given back with a delay. */
	stat = wait_leased(self->boxes[0], 0);
	EXPECT_EQ(0, stat.receivers);
	EXPECT_EQ(0, stat.senders);
	drain(self);
	stat = box_stat(self->boxes[0]);
	judge(self, &stat);
	for (i = 0; i < HANDLES; i++)
		close(self->boxes[i]);
	EXPECT_USAGE(self->device, self->before);
}

TEST_HARNESS_MAIN
