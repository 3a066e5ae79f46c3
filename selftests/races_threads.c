// SPDX-License-Identifier: GPL-2.0
/*
 * Many threads on one descriptor: they send, receive, look, count, change limits, and
 * close the handle under the others to put another one in its place, while signals
 * come and memory turns unwritable. Each letter that a send has confirmed is taken
 * exactly once, and no other; those that were overwritten are as many as STAT says.
 */
#include "races_crowd.h"

/* What each sender sends. */
#define LETTERS 2500

/* A user that no other test has. */
#define USER 47111

FIXTURE(threads)
{
	int device;
	struct crowd *crowd;
};

FIXTURE_VARIANT(threads)
{
	__u32 capacity;
	__u32 on_full;
};

FIXTURE_VARIANT_ADD(threads, bounded)
{
	.capacity = MAILBOX_CAPACITY_BOUNDED,
};

FIXTURE_VARIANT_ADD(threads, rendezvous)
{
	.capacity = MAILBOX_CAPACITY_RENDEZVOUS,
};

FIXTURE_VARIANT_ADD(threads, unbounded)
{
	.capacity = MAILBOX_CAPACITY_UNBOUNDED,
};

FIXTURE_VARIANT_ADD(threads, overwriting)
{
	.on_full = MAILBOX_ON_FULL_OVERWRITE,
};

static bool stopped(const struct crowd *crowd)
{
	return __atomic_load_n(&crowd->stop, __ATOMIC_ACQUIRE);
}

static void *work(void *arg)
{
	struct worker *worker = arg;
	struct crowd *crowd = worker->crowd;
	enum task task = worker - crowd->workers;

	worker->tid = syscall(SYS_gettid);
	while (task < NR_SENDERS ? worker->done < crowd->letters : !stopped(crowd)) {
		int ret = do_once(worker, task);

		if (ret > 0) {
			worker->done += ret;
			continue;
		}
		ASSERT_TRUE(is_allowed(task, ret))
		TH_LOG("'%s': %d", task_names[task], ret);
		worker->failed++;
		sched_yield();
	}
	__atomic_store_n(&worker->ended, true, __ATOMIC_RELEASE);
	return NULL;
}

static void handler(int signal)
{
	(void)signal;
}

/*
 * Signals for all, until these have ended. The pauses are for chance, nothing relies
 * on them.
 */
static void poke_until_ended(struct crowd *crowd, uint64_t *random, enum task first, enum task last)
{
	__u64 end = race_hang() + 60 * SECOND;
	enum task task = first;

	while (task <= last) {
		const struct timespec pause = { .tv_nsec = below(random, 400000) };
		struct worker *poked = &crowd->workers[below(random, NR_TASKS)];

		if (__atomic_load_n(&crowd->workers[task].ended, __ATOMIC_ACQUIRE)) {
			task++;
			continue;
		}
		ASSERT_LT(now_ns(), end)
		TH_LOG("hangs in '%s', state %c; MAILBOX_SEED=%s", task_names[task],
		       thread_state(getpid(), crowd->workers[task].tid), getenv("MAILBOX_SEED"));
		if (poked->tid && !__atomic_load_n(&poked->ended, __ATOMIC_ACQUIRE))
			syscall(SYS_tgkill, getpid(), poked->tid, SIGUSR1);
		nanosleep(&pause, NULL);
	}
}

/* Those that receive take what is left. */
static void await_empty(int box)
{
	__u64 end = race_hang();

	while (box_stat(box).messages) {
		ASSERT_LT(now_ns(), end);
		sched_yield();
	}
}

static void judge(struct crowd *crowd, const struct mailbox_stat *stat)
{
	uint64_t taken = 0;

	for (int sender = 0; sender < NR_SENDERS; sender++)
		for (uint32_t i = 0; i < crowd->letters; i++) {
			taken += crowd->taken[sender][i];
			if (!stat->overwritten)
				EXPECT_EQ(1, crowd->taken[sender][i])
			TH_LOG("letter %u of '%s'", i, task_names[sender]);
			if (th_report->failures > 10)
				th_abort();
		}
	EXPECT_EQ(NR_SENDERS * crowd->letters, stat->sent);
	EXPECT_EQ(taken, stat->received);
	EXPECT_EQ(stat->sent - taken, stat->overwritten);
	if (crowd->on_full != MAILBOX_ON_FULL_OVERWRITE)
		EXPECT_EQ(0, stat->overwritten);
	EXPECT_EQ(0, stat->messages);
	EXPECT_EQ(0, stat->bytes);
	EXPECT_EQ(0, stat->receivers);
	EXPECT_EQ(0, stat->senders);
	EXPECT_EQ(1, stat->handles);
}

FIXTURE_SETUP(threads)
{
	struct sigaction action = { .sa_handler = handler };
	struct crowd *crowd;

	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
	self->device = device_open();
	become(USER, USER);
	crowd = calloc(1, sizeof(*crowd));
	ASSERT_TRUE(crowd);
	self->crowd = crowd;
	crowd->device = self->device;
	crowd->capacity = variant->capacity;
	crowd->on_full = variant->on_full;
	crowd->letters = race_rounds(LETTERS);
	for (int i = 0; i < NR_SENDERS; i++) {
		crowd->taken[i] = calloc(crowd->letters, 1);
		ASSERT_TRUE(crowd->taken[i]);
	}
	crowd->moved = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_TRUE(crowd->moved != MAP_FAILED);
}

FIXTURE_TEARDOWN(threads)
{
	close(self->device);
}

TEST_F_TIMEOUT(threads, take_each_letter_once, 120)
{
	const bool thorough = effort(100) >= 100 && sysconf(_SC_NPROCESSORS_ONLN) > 1;
	struct crowd *crowd = self->crowd;
	struct usage before = usage_of_caller(self->device);
	struct mailbox_create args = create_args();
	uint64_t random = race_random(variant->capacity + 4 * variant->on_full);
	struct mailbox_stat stat;
	int i;

	th_say("# MAILBOX_SEED=%s", getenv("MAILBOX_SEED"));
	args.capacity = crowd->capacity;
	args.message_size = LETTER_MAX;
	args.on_full = crowd->on_full;
	crowd->keeper = box_create(self->device, &args);
	ASSERT_LE(0, crowd->keeper);
	crowd->id = args.id;
	crowd->fd = box_open(self->device, args.id, NULL, RIGHTS_ALL);
	ASSERT_LE(0, crowd->fd);
	for (i = 0; i < NR_TASKS; i++) {
		struct worker *worker = &crowd->workers[i];

		worker->crowd = crowd;
		worker->random = race_random(100 + i);
		ASSERT_EQ(0, pthread_create(&worker->thread, NULL, work, worker));
	}
	poke_until_ended(crowd, &random, 0, NR_SENDERS - 1);
	await_empty(crowd->keeper);
	__atomic_store_n(&crowd->stop, true, __ATOMIC_RELEASE);
	poke_until_ended(crowd, &random, NR_SENDERS, NR_TASKS - 1);
	for (i = 0; i < NR_TASKS; i++)
		ASSERT_EQ(0, pthread_join(crowd->workers[i].thread, NULL));

	close(crowd->fd);
	stat = box_stat(crowd->keeper);
	judge(crowd, &stat);
	close(crowd->keeper);
	EXPECT_USAGE(self->device, before);
	for (i = 0; i < NR_TASKS; i++) {
		th_say("# %s: %u, in vain %u", task_names[i], crowd->workers[i].done,
		       crowd->workers[i].failed);
		/* With few rounds, or one processor, some never have their turn. */
		EXPECT_TRUE(crowd->workers[i].done || !thorough)
		TH_LOG("'%s' never succeeded", task_names[i]);
	}
}

int main(int argc, char **argv)
{
	race_seed_choose();
	return th_main(argc, argv);
}
