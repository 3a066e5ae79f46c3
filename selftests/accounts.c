// SPDX-License-Identifier: GPL-2.0
/*
 * Random senders and receivers at mailboxes of every make, with leases, expiries, kills at
 * random points and mailboxes that are destroyed and made anew: whatever happens, each
 * message that was sent ends in exactly one way. What the senders, the receivers and the
 * dead-letter mailbox have seen is held against the receipts, message by message, and the
 * receipts against the counters of the mailboxes. MAILBOX_SEED repeats the choices of a run.
 */
#include "accounts.h"

/* Leases that a process has at a time. */
#define HANDS 3
#define MS    1000000ULL

static void make_box(FIXTURE_DATA(accounts) * self, enum make make)
{
	struct mailbox_create args = create_args();

	args.max_messages = 64;
	switch (make) {
	case REFUSES:
		args.on_full = MAILBOX_ON_FULL_REFUSE;
		break;
	case OVERWRITES:
		args.on_full = MAILBOX_ON_FULL_OVERWRITE;
		args.max_messages = 4;
		break;
	case BURIES:
		args.max_deliveries = 2;
		args.dead_letter = self->grave_id;
		break;
	case DROPS:
		args.max_deliveries = 1;
		break;
	case MEETS:
		args.capacity = MAILBOX_CAPACITY_RENDEZVOUS;
		args.max_messages = 0;
		break;
	default:
		break;
	}
	self->boxes[make] = box_create(self->device, &args);
	ASSERT_LE(0, self->boxes[make]);
	__atomic_store_n(&self->world->ids[make], args.id, __ATOMIC_RELEASE);
}

FIXTURE_SETUP(accounts)
{
	struct mailbox_create args = create_args();
	int make;

	race_seed_choose();
	th_say("# MAILBOX_SEED=%s", getenv("MAILBOX_SEED"));
	self->random = race_random(1);
	self->world = mmap(NULL, sizeof(*self->world), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ASSERT_TRUE(self->world != MAP_FAILED);
	self->device = device_open();
	self->before = usage_of_caller(self->device);
	self->receipts = box_new_capacity(self->device, MAILBOX_CAPACITY_UNBOUNDED);
	args.capacity = MAILBOX_CAPACITY_UNBOUNDED;
	self->grave = box_create(self->device, &args);
	ASSERT_LE(0, self->grave);
	self->grave_id = args.id;
	for (make = 0; make < MAKES; make++)
		make_box(self, make);
}

FIXTURE_TEARDOWN(accounts)
{
	close(self->device);
}

/* A process's handles of mailboxes, which others replace. */
struct view {
	uint64_t id;
	int fd;
};

static int look_up(FIXTURE_DATA(accounts) * self, struct view *views, enum make make)
{
	uint64_t id = __atomic_load_n(&self->world->ids[make], __ATOMIC_ACQUIRE);
	struct view *view = &views[make];

	if (view->id == id)
		return view->fd;
	if (view->id)
		close(view->fd);
	view->id = 0;
	view->fd = box_open(self->device, id, NULL, RIGHTS_ALL);
	if (view->fd < 0)
		ASSERT_EQ(-ENOENT, view->fd);
	else
		view->id = id;
	return view->fd;
}

static void send_one(FIXTURE_DATA(accounts) * self, struct view *views, uint64_t *random)
{
	enum make make = below(random, MAKES);
	struct world *world = self->world;
	int box = look_up(self, views, make), ret;
	struct mailbox_send args;
	struct record *record;
	uint32_t number;

	if (box < 0)
		return;
	number = __atomic_add_fetch(&world->nr, 1, __ATOMIC_RELAXED);
	ASSERT_LT(number, RECORDS);
	record = &world->records[number];
	args = send_args(&number, sizeof(number));
	args.flags = MAILBOX_RECEIPT | MAILBOX_DEADLINE;
	args.deadline = now_ns() + below(random, 4) * MS;
	args.type = number % 7;
	args.priority = below(random, 3);
	args.receipt = self->receipts;
	args.cookie = number;
	/* A dead letter that expires where it is buried would be counted there. */
	if (make != BURIES && !below(random, 4)) {
		args.flags |= MAILBOX_EXPIRES;
		args.expiry = now_ns() + (1 + below(random, 8)) * MS;
	}
	record->box = views[make].id;
	__atomic_store_n(&record->tried, 1, __ATOMIC_RELEASE);
	ret = box_send(box, &args);
	if (!ret) {
		__atomic_store_n(&record->sent, 1, __ATOMIC_RELEASE);
		__atomic_add_fetch(&world->nr_sent, 1, __ATOMIC_RELAXED);
		return;
	}
	ASSERT_TRUE(ret == -EAGAIN || ret == -ETIMEDOUT || ret == -EIDRM || ret == -EDQUOT)
	TH_LOG("%d", ret);
	__atomic_store_n(&record->failed, 1, __ATOMIC_RELEASE);
	sched_yield();
}

static __attribute__((noreturn)) void keep_sending(FIXTURE_DATA(accounts) * self, uint32_t life)
{
	uint64_t random = self->random ^ life * 0x9e3779b97f4a7c15ULL;
	struct view views[MAKES] = { 0 };

	while (!__atomic_load_n(&self->world->stop, __ATOMIC_ACQUIRE))
		send_one(self, views, &random);
	_exit(0);
}

struct hand {
	int box;
	uint32_t number;
	__u64 lease;
};

/* Return: true with a message under a lease. */
static bool take(FIXTURE_DATA(accounts) * self, struct view *views, uint64_t *random,
		 struct hand *hand)
{
	int box = look_up(self, views, below(random, MAKES)), ret;
	bool lease = below(random, 2);
	uint32_t number = 0;
	struct mailbox_receive args = receive_args(&number, sizeof(number));
	struct record *record;

	if (box < 0)
		return false;
	args.flags = MAILBOX_DEADLINE;
	args.deadline = now_ns() + below(random, 3) * MS;
	if (!below(random, 3)) {
		args.select = MAILBOX_SELECT_TYPE;
		args.match = below(random, 7);
	}
	if (lease) {
		args.flags |= MAILBOX_LEASE;
		args.lease = below(random, 3) * MS;
	}
	ret = box_receive(box, &args);
	if (ret) {
		ASSERT_TRUE(ret == -ETIMEDOUT || ret == -EIDRM) TH_LOG("%d", ret);
		return false;
	}
	ASSERT_LT(0, number);
	record = &self->world->records[number];
	ASSERT_EQ(number % 7, args.type);
	ASSERT_EQ(0, args.result);
	if (lease) {
		*hand = (struct hand){ box, number, args.lease };
		return true;
	}
	record->taker = getpid();
	__atomic_add_fetch(&record->got, 1, __ATOMIC_RELEASE);
	return false;
}

/* Its time may be over, its mailbox gone, and the descriptor be for another one by now. */
static void give(FIXTURE_DATA(accounts) * self, const struct hand *hand, uint64_t *random)
{
	struct record *record = &self->world->records[hand->number];
	int ret;

	switch (below(random, 5)) {
	case 0:
	case 1:
		ret = box_ack(hand->box, hand->lease);
		if (!ret) {
			record->taker = getpid();
			__atomic_add_fetch(&record->acked, 1, __ATOMIC_RELEASE);
		}
		break;
	case 2:
		ret = box_nack(hand->box, hand->lease, 0);
		break;
	case 3:
		ret = box_nack(hand->box, hand->lease, below(random, MS));
		break;
	default:
		ret = box_extend(hand->box, hand->lease, MS);
	}
	ASSERT_TRUE(!ret || ret == -ESTALE || ret == -EIDRM) TH_LOG("%d", ret);
}

static __attribute__((noreturn)) void keep_receiving(FIXTURE_DATA(accounts) * self, uint32_t life)
{
	uint64_t random = self->random ^ life * 0x9e3779b97f4a7c15ULL;
	struct view views[MAKES] = { 0 };
	struct hand hands[HANDS];
	uint32_t nr = 0;

	while (__atomic_load_n(&self->world->stop, __ATOMIC_ACQUIRE) < 2) {
		nr += take(self, views, &random, &hands[nr]);
		while (nr == HANDS || (nr && !below(&random, 3))) {
			uint32_t which = below(&random, nr);

			give(self, &hands[which], &random);
			hands[which] = hands[--nr];
		}
	}
	_exit(0);
}

static void start(FIXTURE_DATA(accounts) * self, int child)
{
	uint32_t life = ++self->nr_lives;
	pid_t pid = child_fork();

	if (!pid) {
		if (child < SENDERS)
			keep_sending(self, life);
		keep_receiving(self, life);
	}
	self->children[child] = pid;
}

static void collect(FIXTURE_DATA(accounts) * self)
{
	struct mailbox_receipt receipt;
	struct record *record;

	for (;;) {
		struct mailbox_receive args = receive_args(&receipt, sizeof(receipt));
		int ret = box_receive(self->receipts, &args);

		if (ret) {
			ASSERT_EQ(-EAGAIN, ret);
			return;
		}
		ASSERT_EQ(sizeof(receipt), args.length);
		ASSERT_EQ(MAILBOX_IS_RECEIPT, args.result);
		ASSERT_EQ(receipt.cookie, args.type);
		ASSERT_LT(receipt.cookie, RECORDS);
		record = &self->world->records[receipt.cookie];
		EXPECT_EQ(record->box, receipt.mailbox);
		record->receipts++;
		record->end = receipt.end;
		if (receipt.end != MAILBOX_END_RECEIVED &&
		    receipt.end != MAILBOX_END_ACKNOWLEDGED) {
			EXPECT_EQ(0, receipt.pid);
			continue;
		}
		EXPECT_EQ(geteuid(), receipt.uid);
		record->told = receipt.pid;
	}
}

/* A new one of the same make in its place. */
static void replace(FIXTURE_DATA(accounts) * self, enum make make)
{
	ASSERT_EQ(0, box_destroy(self->boxes[make], 0, NULL));
	close(self->boxes[make]);
	make_box(self, make);
	self->nr_destroyed++;
}

static void end(FIXTURE_DATA(accounts) * self, int child)
{
	pid_t pid = self->children[child];

	self->world->killed[pid] = 1;
	child_kill(pid);
	self->nr_killed++;
}

/* The pauses are for chance, nothing relies on them. */
static void stir(FIXTURE_DATA(accounts) * self, uint32_t messages)
{
	const struct sched_param first = { .sched_priority = 1 };

	ASSERT_EQ(0, sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &first));
	while (__atomic_load_n(&self->world->nr_sent, __ATOMIC_RELAXED) < messages) {
		const struct timespec pause = { .tv_nsec = below(&self->random, 4000000) };
		int child = below(&self->random, CHILDREN);

		nanosleep(&pause, NULL);
		collect(self);
		if (!below(&self->random, 4)) {
			end(self, child);
			start(self, child);
		}
		if (!below(&self->random, 32))
			replace(self, below(&self->random, MAKES));
	}
}

/* Nobody has any of it now: take what is left. */
static void drain(FIXTURE_DATA(accounts) * self, int box)
{
	for (;;) {
		uint32_t number = 0;
		struct mailbox_receive args = receive_args(&number, sizeof(number));
		struct record *record;
		int ret = box_receive(box, &args);

		if (ret) {
			ASSERT_EQ(-EAGAIN, ret);
			return;
		}
		record = &self->world->records[number];
		if (box == self->grave) {
			record->buried++;
			continue;
		}
		record->taker = getpid();
		record->got++;
	}
}

TEST_F_TIMEOUT(accounts, of_every_message_are_closed_once, 500)
{
	uint32_t i;

	for (i = 0; i < CHILDREN; i++)
		start(self, i);
	stir(self, effort(100000));
	__atomic_store_n(&self->world->stop, 1, __ATOMIC_RELEASE);
	for (i = 0; i < SENDERS; i++)
		child_done(self->children[i]);
	__atomic_store_n(&self->world->stop, 2, __ATOMIC_RELEASE);
	for (; i < CHILDREN; i++)
		child_done(self->children[i]);

	for (i = 0; i < MAKES; i++) {
		wait_leased(self->boxes[i], 0);
		drain(self, self->boxes[i]);
	}
	drain(self, self->grave);
	collect(self);
	for (i = 1; i <= self->world->nr; i++)
		judge(self, i);
	for (i = 0; i < MAKES; i++)
		judge_box(self, i);
	say(self);

	EXPECT_EQ(0, box_stat(self->receipts).messages);
	for (i = 0; i < MAKES; i++)
		close(self->boxes[i]);
	close(self->grave);
	close(self->receipts);
	EXPECT_USAGE(self->device, self->before);
}

TEST_HARNESS_MAIN
