// SPDX-License-Identifier: GPL-2.0
/*
 * SysV shared memory, by many at once: threads, forks, and processes that are killed at any moment.
 * Whatever happens, counts hold, and what is removed is gone with the last who has it.
 */
#include "shm.h"

#define SIZE	10000
#define THREADS 8
#define FORKS	6

struct crowd {
	int id;
	unsigned int rounds;
	unsigned int *flag;
};

static void *attach_and_detach(void *context)
{
	const struct crowd *crowd = context;

	for (unsigned int i = 0; i < crowd->rounds; i++) {
		char *start = attach(crowd->id, NULL, i % 3 ? 0 : SHM_RDONLY);

		EXPECT_LE(1, attaches(crowd->id));
		if (i % 3)
			__atomic_add_fetch((int *)start, 1, __ATOMIC_RELAXED);
		EXPECT_EQ(0, TRY(shmdt(start)));
	}
	return NULL;
}

/* How many of so many rounds write. */
static int writes(unsigned int rounds)
{
	return rounds - (rounds + 2) / 3;
}

TEST(threads_attach_at_once)
{
	struct crowd crowd = { .id = segment_new(SIZE), .rounds = effort(300) };
	pthread_t threads[THREADS];
	int *start;

	for (int i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, attach_and_detach, &crowd));
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(0, attaches(crowd.id));
	start = (int *)attach(crowd.id, NULL, SHM_RDONLY);
	EXPECT_EQ(THREADS * writes(crowd.rounds), *start);
	EXPECT_EQ(0, TRY(shmdt(start)));
	segment_remove(crowd.id);
	expect_gone(crowd.id);
}

static void *make_and_remove(void *context)
{
	const struct crowd *crowd = context;

	for (unsigned int i = 0; i < crowd->rounds; i++) {
		int id = segment_new(SIZE);
		char *start = attach(id, NULL, 0);

		segment_remove(id);
		start[SIZE - 1] = 1;
		EXPECT_EQ(1, attaches(id));
		EXPECT_EQ(0, TRY(shmdt(start)));
		expect_gone(id);
	}
	return NULL;
}

TEST(threads_make_and_remove_at_once)
{
	struct crowd crowd = { .rounds = effort(100) };
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, make_and_remove, &crowd));
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

/* A child of a process whose threads attach and detach has what they had at that moment. */
TEST(forks_among_threads)
{
	struct crowd crowd = { .id = segment_new(SIZE), .rounds = effort(300) };
	pthread_t threads[2];
	char *start = attach(crowd.id, NULL, 0);

	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, attach_and_detach, &crowd));
	for (unsigned int i = 0; i < effort(100); i++) {
		pid_t pid = child_fork();

		if (!pid) {
			EXPECT_LE(2, attaches(crowd.id));
			EXPECT_EQ(0, TRY(shmdt(start)));
			EXPECT_EQ(0, attach_error(crowd.id, NULL, 0));
			_exit(KSFT_PASS);
		}
		child_done(pid);
	}
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	await_attaches(crowd.id, 1);
	segment_remove(crowd.id);
	EXPECT_EQ(0, TRY(shmdt(start)));
	expect_gone(crowd.id);
}

/* Each attaches once more than its parent has, and forks, down to the last. */
static void generations(int id, int left)
{
	pid_t pid = 0;
	char *start;

	do {
		start = attach(id, NULL, 0);
		__atomic_add_fetch((int *)start, 1, __ATOMIC_RELAXED);
		if (left)
			pid = child_fork();
	} while (left-- && !pid);
	if (pid)
		child_done(pid);
	EXPECT_EQ(0, TRY(shmdt(start)));
	_exit(KSFT_PASS);
}

TEST(children_of_children)
{
	int id = segment_new(SIZE);
	int *start = (int *)attach(id, NULL, 0);
	pid_t pids[FORKS];

	segment_remove(id);
	for (int i = 0; i < FORKS; i++) {
		pids[i] = child_fork();
		if (!pids[i])
			generations(id, FORKS);
	}
	for (int i = 0; i < FORKS; i++)
		child_done(pids[i]);
	await_attaches(id, 1);
	EXPECT_EQ(FORKS * (FORKS + 1), *start);
	EXPECT_EQ(0, TRY(shmdt(start)));
	expect_gone(id);
}

/* Segments that only the killed process has attached, and has removed. */
static void work_until_killed(struct crowd *crowd)
{
	for (;;) {
		char *start = shmat(crowd->id, NULL, 0), *other;

		/* It was removed in a moment when nobody had it. */
		if (start == (void *)-1)
			pause();
		*start = 1;
		other = shmat(crowd->id, NULL, SHM_RDONLY);
		flag_raise(crowd->flag);
		shmdt(start);
		shmdt(other);
	}
}

TEST(killed_at_any_moment)
{
	for (unsigned int i = 0; i < effort(60); i++) {
		struct crowd crowd = { .id = segment_new(SIZE), .flag = flag_new() };
		pid_t pids[3];

		for (size_t j = 0; j < ARRAY_SIZE(pids); j++) {
			pids[j] = child_fork();
			if (!pids[j])
				work_until_killed(&crowd);
		}
		flag_await(crowd.flag, 1 + i % 7);
		child_kill(pids[0]);
		if (i % 2)
			segment_remove(crowd.id);
		child_kill(pids[1]);
		child_kill(pids[2]);
		if (i % 2 == 0) {
			await_attaches(crowd.id, 0);
			EXPECT_EQ(0, attach_error(crowd.id, NULL, 0));
			segment_remove(crowd.id);
		}
		expect_gone(crowd.id);
		munmap(crowd.flag, 4096);
	}
}

/* The same key, made and removed by all; nobody is told anything but these. */
static void fight_for_a_key(key_t key, unsigned int rounds)
{
	for (unsigned int i = 0; i < rounds; i++) {
		int id = shmget(key, SIZE, IPC_CREAT | 0600), ret;
		char *start;

		if (id < 0)
			continue;
		start = shmat(id, NULL, 0);
		EXPECT_TRUE(start != (void *)-1 || errno == EINVAL || errno == EIDRM)
		TH_LOG("shmat: %s", strerror(errno));
		ret = TRY(shmctl(id, IPC_RMID, NULL));
		EXPECT_TRUE(!ret || ret == -EINVAL || ret == -EIDRM) TH_LOG("shmctl: %d", ret);
		if (start != (void *)-1)
			EXPECT_EQ(0, TRY(shmdt(start)));
	}
}

TEST(many_make_and_remove_one_key)
{
	const key_t key = some_key(15);
	pid_t pids[4];

	for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
		pids[i] = child_fork();
		if (!pids[i]) {
			fight_for_a_key(key, effort(100));
			_exit(KSFT_PASS);
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++)
		child_done(pids[i]);
	EXPECT_EQ(-ENOENT, TRY(shmget(key, 0, 0)));
}

TEST_HARNESS_MAIN
