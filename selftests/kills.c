// SPDX-License-Identifier: GPL-2.0
/*
 * Processes send and receive through one small mailbox and are killed at random
 * points. Whatever a send has confirmed is received exactly once, unless a receiver
 * died with it in its hands: such a message is still in that receiver's buffer, which
 * is shared memory and so outlives it. MAILBOX_SEED repeats the choices of a run.
 */
#include "world.h"

#define WORKERS 64
#define LIVES	4096
#define LOG_MAX (1024 * 1024)
#define BUFFER	8192

/* What is in every message; the rest of it is a pattern made from these. */
struct letter {
	uint32_t life;
	uint32_t counter;
	uint64_t sum;
};

/* One process, from its start to its end; number 0 is nobody. */
struct life {
	uint32_t confirmed;
	bool receives;
	bool killed;
	union {
		struct letter letter;
		unsigned char bytes[BUFFER];
	} buffer;
};

struct line {
	uint32_t receiver;
	uint32_t sender;
	uint32_t counter;
	uint32_t place;
	uint32_t written;
};

struct world {
	uint64_t sent;
	uint32_t log_nr;
	struct line log[LOG_MAX];
	struct life lives[LIVES];
};

/* Who is killed, and how much happens meanwhile. */
struct plan {
	uint32_t messages;
	uint32_t kills;
	bool senders;
	bool receivers;
	__u32 capacity;
};

struct battle {
	struct plan plan;
	int device;
	int box;
	struct usage before;
	struct world *world;
	uint64_t random;
	uint32_t nr_lives;
	uint32_t killed_senders;
	uint32_t killed_receivers;
	uint32_t nr_dying;
	pid_t dying[LIVES];
	struct {
		pid_t pid;
		uint32_t life;
	} workers[WORKERS];
};

FIXTURE(kills)
{
	struct battle battle;
};

FIXTURE_VARIANT(kills)
{
	struct plan plan;
};

FIXTURE_VARIANT_ADD(kills, of_senders)
{
	.plan = {
		.messages = 10000,
		.kills = 300,
		.senders = true,
	},
};

FIXTURE_VARIANT_ADD(kills, of_receivers)
{
	.plan = {
		.messages = 10000,
		.kills = 300,
		.receivers = true,
	},
};

FIXTURE_VARIANT_ADD(kills, of_both)
{
	.plan = {
		.messages = 20000,
		.kills = 600,
		.senders = true,
		.receivers = true,
	},
};

FIXTURE_VARIANT_ADD(kills, at_a_rendezvous)
{
	.plan = {
		.messages = 5000,
		.kills = 300,
		.senders = true,
		.receivers = true,
		.capacity = MAILBOX_CAPACITY_RENDEZVOUS,
	},
};

static uint32_t below(uint64_t *random, uint32_t limit)
{
	*random = *random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (*random >> 33) % limit;
}

/* Mostly short; some longer than a page, which take a while to copy. */
static uint32_t length_of(uint32_t life, uint32_t counter)
{
	uint32_t mixed = (life * 2654435761U) ^ (counter * 40503U);

	return mixed % 16 ? sizeof(struct letter) + mixed % 48 : BUFFER - mixed % 2048;
}

static uint64_t sum_of(const unsigned char *bytes, uint32_t length)
{
	uint64_t sum = length;

	for (uint32_t i = sizeof(struct letter); i < length; i++)
		sum = sum * 31 + bytes[i];
	return sum;
}

static uint32_t compose(unsigned char *bytes, uint32_t life, uint32_t counter)
{
	struct letter letter = { .life = life, .counter = counter };
	uint32_t length = length_of(life, counter);

	memset(bytes + sizeof(letter), life + counter, length - sizeof(letter));
	letter.sum = sum_of(bytes, length);
	memcpy(bytes, &letter, sizeof(letter));
	return length;
}

static __attribute__((noreturn)) void keep_sending(struct world *world, int box, uint32_t number)
{
	struct life *life = &world->lives[number];

	for (;;) {
		uint32_t length = compose(life->buffer.bytes, number, life->confirmed);
		struct mailbox_send args = send_args(life->buffer.bytes, length);

		args.flags = 0;
		ASSERT_EQ(0, box_send(box, &args));
		life->confirmed++;
		__atomic_add_fetch(&world->sent, 1, __ATOMIC_RELAXED);
	}
}

static __attribute__((noreturn)) void keep_receiving(struct world *world, int box, uint32_t number)
{
	struct life *life = &world->lives[number];
	struct letter *letter = &life->buffer.letter;

	for (;;) {
		struct mailbox_receive args = receive_args(life->buffer.bytes, BUFFER);
		struct line *line;
		uint32_t place;

		letter->life = 0;
		args.flags = 0;
		ASSERT_EQ(0, box_receive(box, &args));
		ASSERT_EQ(length_of(letter->life, letter->counter), args.length)
		TH_LOG("message %u of sender %u, sequence %llu", letter->counter, letter->life,
		       args.sequence);
		ASSERT_EQ(letter->sum, sum_of(life->buffer.bytes, args.length));
		place = __atomic_fetch_add(&world->log_nr, 1, __ATOMIC_RELAXED);
		ASSERT_LT(place, LOG_MAX);
		line = &world->log[place];
		line->receiver = number;
		line->sender = letter->life;
		line->counter = letter->counter;
		__atomic_store_n(&line->written, 1, __ATOMIC_RELEASE);
	}
}

static void start(struct battle *battle, int worker)
{
	uint32_t number = ++battle->nr_lives;
	pid_t pid;

	ASSERT_LT(number, LIVES);
	battle->world->lives[number].receives = worker % 2;
	pid = child_fork();
	if (!pid)
		(worker % 2 ? keep_receiving : keep_sending)(battle->world, battle->box, number);
	battle->workers[worker].pid = pid;
	battle->workers[worker].life = number;
}

/* It is reaped when all are: it may take a while until it has its turn to die. */
static void end(struct battle *battle, int worker)
{
	battle->dying[battle->nr_dying++] = battle->workers[worker].pid;
	ASSERT_EQ(0, kill(battle->workers[worker].pid, SIGKILL));
	battle->world->lives[battle->workers[worker].life].killed = true;
	if (worker % 2)
		battle->killed_receivers++;
	else
		battle->killed_senders++;
}

static void reap(struct battle *battle)
{
	while (battle->nr_dying) {
		pid_t pid = battle->dying[--battle->nr_dying];
		int status;

		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	}
}

FIXTURE_SETUP(kills)
{
	struct battle *battle = &self->battle;
	struct mailbox_create args = create_args();
	const char *seed = getenv("MAILBOX_SEED");

	battle->plan = variant->plan;
	battle->plan.messages = effort(battle->plan.messages);
	battle->plan.kills = effort(battle->plan.kills);
	battle->random = seed && *seed ? strtoull(seed, NULL, 0) : now_ns();
	TH_LOG("MAILBOX_SEED=%llu", (unsigned long long)battle->random);
	battle->world = mmap(NULL, sizeof(*battle->world), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ASSERT_TRUE(battle->world != MAP_FAILED);
	battle->device = device_open();
	battle->before = usage_of_caller(battle->device);
	args.capacity = battle->plan.capacity;
	if (battle->plan.capacity == MAILBOX_CAPACITY_BOUNDED)
		args.max_messages = 12;
	battle->box = box_create(battle->device, &args);
	ASSERT_LE(0, battle->box);
}

FIXTURE_TEARDOWN(kills)
{
	close(self->battle.device);
}

/*
 * Kill one after the other until enough messages and enough processes are gone. The
 * pauses are for chance, nothing relies on them.
 */
static void kill_at_random(struct battle *battle)
{
	const struct sched_param first = { .sched_priority = 1 };

	/* Or it would hardly have a turn among so many. Not for its children. */
	ASSERT_EQ(0, sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &first));
	while (__atomic_load_n(&battle->world->sent, __ATOMIC_RELAXED) < battle->plan.messages ||
	       battle->nr_lives < WORKERS + battle->plan.kills) {
		const struct timespec pause = { .tv_nsec = below(&battle->random, 4000000) };
		int worker = below(&battle->random, WORKERS);

		nanosleep(&pause, NULL);
		if (worker % 2 ? !battle->plan.receivers : !battle->plan.senders)
			worker ^= 1;
		end(battle, worker);
		start(battle, worker);
	}
}

/* Those that receive take what is left; once all wait, all is written down. */
static struct mailbox_stat wait_until_drained(int box)
{
	__u64 end = now_ns() + PATIENCE;
	struct mailbox_stat stat;

	do {
		ASSERT_LT(now_ns(), end);
		sched_yield();
		stat = box_stat(box);
	} while (stat.messages || stat.senders || stat.receivers != WORKERS / 2);
	return stat;
}

static int by_receiver(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	if (x->receiver != y->receiver)
		return x->receiver < y->receiver ? -1 : 1;
	if (x->sender != y->sender)
		return x->sender < y->sender ? -1 : 1;
	return x->place < y->place ? -1 : 1;
}

static int by_message(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	if (x->sender != y->sender)
		return x->sender < y->sender ? -1 : 1;
	return x->counter < y->counter ? -1 : x->counter > y->counter;
}

/* How often a receiver got a message after a later one of the same sender. */
static uint32_t count_inversions(struct line *lines, uint32_t nr)
{
	uint32_t inversions = 0;

	qsort(lines, nr, sizeof(*lines), by_receiver);
	for (uint32_t i = 1; i < nr; i++)
		inversions += lines[i].receiver == lines[i - 1].receiver &&
			      lines[i].sender == lines[i - 1].sender &&
			      lines[i].counter < lines[i - 1].counter;
	return inversions;
}

/* Is it in the buffer of a receiver that died before it could write it down? */
static bool died_with_somebody(struct battle *battle, uint32_t sender, uint32_t counter)
{
	for (uint32_t i = 1; i <= battle->nr_lives; i++) {
		struct life *life = &battle->world->lives[i];

		if (life->receives && life->killed && life->buffer.letter.life == sender &&
		    life->buffer.letter.counter == counter)
			return true;
	}
	return false;
}

/* Every message of a sender: returns how many were lost with their receivers. */
static uint32_t judge_sender(struct battle *battle, uint32_t sender, struct line **at,
			     struct line *end)
{
	struct life *life = &battle->world->lives[sender];
	uint32_t gone = 0, counter;

	/* The one after those confirmed was being sent when it was killed. */
	for (counter = 0; counter <= life->confirmed; counter++) {
		uint32_t times = 0;

		for (; *at < end && (*at)->sender == sender && (*at)->counter == counter; (*at)++)
			times++;
		EXPECT_GE(1, times) TH_LOG("sender %u, message %u", sender, counter);
		if (times || counter == life->confirmed)
			continue;
		gone++;
		EXPECT_TRUE(died_with_somebody(battle, sender, counter))
		TH_LOG("sender %u, message %u of %u", sender, counter, life->confirmed);
	}
	return gone;
}

static void judge(struct battle *battle, struct mailbox_stat *stat)
{
	struct world *world = battle->world;
	struct line *end, *at = world->log;
	uint32_t nr = 0, gone = 0, inversions, confirmed = 0;

	for (uint32_t i = 0; i < world->log_nr; i++) {
		if (!world->log[i].written)
			continue;
		world->log[nr] = world->log[i];
		world->log[nr++].place = i;
	}
	inversions = count_inversions(world->log, nr);
	qsort(world->log, nr, sizeof(world->log[0]), by_message);
	end = world->log + nr;
	for (uint32_t i = 1; i <= battle->nr_lives; i++) {
		if (world->lives[i].receives)
			continue;
		gone += judge_sender(battle, i, &at, end);
		confirmed += world->lives[i].confirmed;
	}
	EXPECT_TRUE(at == end)
	TH_LOG("message %u of sender %u was never sent", at->counter, at->sender);

	/* A message that goes back to its place comes after some that were behind it. */
	EXPECT_LE(inversions, battle->killed_receivers);
	EXPECT_LE(confirmed, stat->sent);
	EXPECT_LE(stat->sent, confirmed + battle->killed_senders);
	EXPECT_EQ(stat->sent, stat->received);
	EXPECT_LE(nr + gone, stat->received);
	EXPECT_LE(stat->received, nr + battle->killed_receivers);
	TH_LOG("%u sent, %u written down, %u died with a receiver; killed %u senders, %u receivers",
	       confirmed, nr, gone, battle->killed_senders, battle->killed_receivers);
}

TEST_F_TIMEOUT(kills, lose_and_double_nothing, 200)
{
	struct battle *battle = &self->battle;
	struct mailbox_stat stat;
	char text[16];
	int i;

	for (i = 0; i < WORKERS; i++)
		start(battle, i);
	kill_at_random(battle);
	for (i = 0; i < WORKERS; i += 2)
		end(battle, i);
	reap(battle);

	stat = wait_until_drained(battle->box);
	EXPECT_EQ(0, stat.bytes);
	for (i = 1; i < WORKERS; i += 2) {
		child_kill(battle->workers[i].pid);
		ASSERT_EQ(WORKERS / 2 - (i + 1) / 2, box_stat(battle->box).receivers);
	}
	judge(battle, &stat);

	EXPECT_EQ(0, box_stat(battle->box).receivers);
	if (battle->plan.capacity == MAILBOX_CAPACITY_BOUNDED) {
		EXPECT_EQ(0, box_send_data(battle->box, "still alive", 11));
		EXPECT_EQ(11, box_receive_text(battle->box, text, sizeof(text)));
	}
	close(battle->box);
	EXPECT_USAGE(battle->device, battle->before);
}

TEST_HARNESS_MAIN
