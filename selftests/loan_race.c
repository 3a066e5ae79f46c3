// SPDX-License-Identifier: GPL-2.0
/*
 * Loans between processes that go at any moment: the pieces of whoever is gone are free again,
 * and no piece is ever with two.
 */
#include "common_grant.h"
#include "common_loan.h"
#include "races.h"

#include <pthread.h>

#define PAGES	16
#define ROUNDS	200
#define WORKERS 4

FIXTURE(loan_race)
{
	int device;
	int fd;
	__u64 id;
	__u64 page;
	__u64 *words;
};

FIXTURE_SETUP(loan_race)
{
	self->page = page_size();
	self->device = device_open();
	self->fd = region_new(self->device, PAGES * self->page);
	self->id = box_stat(self->fd).id;
	self->words = (__u64 *)region_map(self->fd, 0, PAGES * self->page, READ_WRITE);
}

FIXTURE_TEARDOWN(loan_race)
{
	munmap(self->words, PAGES * self->page);
	close(self->fd);
	close(self->device);
}

/* Write to a piece that is ours alone, and see that it is. */
static bool is_ours(__u64 *words, __u64 offset, __u64 mark)
{
	__u64 *word = words + offset / sizeof(*words);

	__atomic_store_n(word, mark, __ATOMIC_RELAXED);
	sched_yield();
	return __atomic_load_n(word, __ATOMIC_RELAXED) == mark;
}

/* Borrows, sends and receives for ever; what is received says what its sender has written. */
static void worker_runs(int device, __u64 id, __u64 *words, __u64 page)
{
	int fd = box_open(device, id, NULL, MAILBOX_RIGHT_SEND | MAILBOX_RIGHT_RECEIVE);
	__u64 mark = (__u64)getpid() << 32, held = 0;

	for (;; mark++) {
		struct mailbox_loan loan = loan_args(mark % 3 ? 64 : 3 * page);
		struct mailbox_receive taken = taking_args();
		struct mailbox_send args;

		if (!box_loan_try(fd, &loan)) {
			EXPECT_TRUE(is_ours(words, loan.offset, mark));
			args = lending_args(loan.loan, 8);
			args.type = mark;
			args.borrow = mark % 5 ? 0 : 64;
			if (box_send(fd, &args))
				EXPECT_EQ(0, box_return(fd, loan.loan));
			else if (args.loan)
				EXPECT_EQ(0, box_return(fd, args.loan));
		}
		taken.give_back = held;
		if (box_receive(fd, &taken))
			continue;
		held = taken.loan;
		EXPECT_EQ(taken.type, words[taken.offset / sizeof(*words)]);
		EXPECT_TRUE(is_ours(words, taken.offset, mark));
	}
}

/* Nothing is lent but what is in messages, when all others have gone. */
static void settle(FIXTURE_DATA(loan_race) * self)
{
	struct mailbox_receive args = taking_args();
	__u64 end = now_ns() + PATIENCE;

	while (box_stat(self->fd).handles != 1)
		ASSERT_LT(now_ns(), end);
	EXPECT_EQ(box_stat(self->fd).messages, box_stat(self->fd).loans);
	while (!box_receive(self->fd, &args)) {
		EXPECT_EQ(0, box_return(self->fd, args.loan));
		args = taking_args();
	}
	EXPECT_LOANS(self->fd, 0, 0);
	box_loan(self->fd, PAGES * self->page);
}

TEST_F_TIMEOUT(loan_race, workers_that_are_killed, 120)
{
	__u64 rounds = effort(ROUNDS), round;
	pid_t child[WORKERS];
	uint64_t random = 1;
	int i;

	for (i = 0; i < WORKERS; i++)
		child[i] = 0;
	for (round = 0; round < rounds; round++) {
		i = round % WORKERS;
		if (child[i])
			child_kill(child[i]);
		child[i] = child_fork();
		if (!child[i])
			worker_runs(self->device, self->id, self->words, self->page);
		race_delay(&random);
		sched_yield();
	}
	for (i = 0; i < WORKERS; i++)
		if (child[i])
			child_kill(child[i]);
	settle(self);
}

struct racer {
	int fd;
	unsigned int *go;
	int (*run)(int fd, __u64 loan);
	__u64 loan;
	uint64_t random;
	int result;
};

static void *racer_runs(void *data)
{
	struct racer *racer = data;

	race_await(racer->go, 1);
	race_delay(&racer->random);
	racer->result = racer->run(racer->fd, racer->loan);
	return NULL;
}

static int run_return(int fd, __u64 loan)
{
	return box_return(fd, loan);
}

static int run_send(int fd, __u64 loan)
{
	return box_lend(fd, loan, 1);
}

static int run_swap(int fd, __u64 loan)
{
	struct mailbox_loan args = loan_args(64);

	args.give_back = loan;
	return box_loan_try(fd, &args);
}

/* Two do each its own with one loan: one of them gets it. */
TEST_F_TIMEOUT(loan_race, one_of_two_has_it, 120)
{
	int (*const runs[])(int fd, __u64 loan) = { run_return, run_send, run_swap };
	__u64 rounds = effort(ROUNDS), round;
	uint64_t random = 7;

	for (round = 0; round < rounds; round++) {
		int fd = box_open(self->device, self->id, NULL, MAILBOX_RIGHT_SEND);
		unsigned int *go = flag_new();
		struct racer racer[2];
		pthread_t thread[2];
		__u64 loan;
		int i;

		ASSERT_LE(0, fd);
		loan = box_loan(fd, 64).loan;
		for (i = 0; i < 2; i++) {
			racer[i] = (struct racer){
				.fd = fd,
				.go = go,
				.run = runs[(round / (i ? 3 : 1)) % 3],
				.loan = loan,
				.random = random += round + i,
			};
			ASSERT_EQ(0, pthread_create(&thread[i], NULL, racer_runs, &racer[i]));
		}
		flag_raise(go);
		for (i = 0; i < 2; i++)
			ASSERT_EQ(0, pthread_join(thread[i], NULL));
		EXPECT_TRUE((racer[0].result == 0) != (racer[1].result == 0))
		TH_LOG("%d, %d", racer[0].result, racer[1].result);
		EXPECT_EQ(-ESTALE, racer[0].result ? racer[0].result : racer[1].result);
		close(fd);
		munmap(go, sizeof(*go));
	}
	settle(self);
}

static int run_loan(int fd, __u64 loan __attribute__((unused)))
{
	struct mailbox_loan args = loan_args(64);

	args.flags = 0;
	return box_loan_try(fd, &args);
}

static int run_lend(int fd, __u64 loan)
{
	struct mailbox_send args = lending_args(loan, 1);

	args.flags = MAILBOX_LOAN;
	args.borrow = 64;
	return box_send(fd, &args);
}

static int run_take(int fd, __u64 loan)
{
	struct mailbox_receive args = taking_args();

	args.flags = MAILBOX_LOAN;
	args.give_back = loan;
	return box_receive(fd, &args);
}

/* What is revoked at any moment has nothing then. */
TEST_F_TIMEOUT(loan_race, revoked_meanwhile, 120)
{
	int (*const runs[])(int fd, __u64 loan) = { run_loan, run_lend, run_take };
	__u64 rounds = effort(ROUNDS), round;
	uint64_t random = 9;

	for (round = 0; round < rounds; round++) {
		__u64 grant;
		int fd = box_restrict(self->fd, RIGHTS_ALL, &grant);
		struct racer racer = {
			.fd = fd,
			.go = flag_new(),
			.run = runs[round % 3],
			.loan = box_loan(fd, 64).loan,
			.random = random + round,
		};
		struct mailbox_stat stat;
		pthread_t thread;

		/* One that it takes, or does not. */
		box_send_loan(self->fd, 64);
		ASSERT_EQ(0, pthread_create(&thread, NULL, racer_runs, &racer));
		flag_raise(racer.go);
		race_delay(&random);
		ASSERT_EQ(0, box_revoke(self->fd, grant));
		ASSERT_EQ(0, pthread_join(thread, NULL));
		EXPECT_TRUE(!racer.result || racer.result == -EACCES)
		TH_LOG("%d", racer.result);
		stat = box_stat(self->fd);
		EXPECT_EQ(stat.messages, stat.loans);
		while (stat.messages--)
			EXPECT_EQ(0, box_return(self->fd, box_take(self->fd).loan));
		close(fd);
		munmap(racer.go, sizeof(*racer.go));
	}
	settle(self);
}

/* Whatever is at work when it is destroyed. */
TEST_F_TIMEOUT(loan_race, destroyed_meanwhile, 120)
{
	int (*const runs[])(int fd, __u64 loan) = { run_loan, run_lend, run_take };
	__u64 rounds = effort(ROUNDS), round;
	uint64_t random = 11;

	for (round = 0; round < rounds; round++) {
		int fd = region_new(self->device, self->page);
		struct racer racer = {
			.fd = fd,
			.go = flag_new(),
			.run = runs[round % 3],
			.loan = box_loan(fd, 64).loan,
			.random = random + round,
		};
		pthread_t thread;

		box_send_loan(fd, 64);
		ASSERT_EQ(0, pthread_create(&thread, NULL, racer_runs, &racer));
		flag_raise(racer.go);
		race_delay(&random);
		ASSERT_EQ(0, box_destroy(fd, 0, NULL));
		ASSERT_EQ(0, pthread_join(thread, NULL));
		EXPECT_TRUE(!racer.result || racer.result == -EIDRM)
		TH_LOG("%d", racer.result);
		EXPECT_EQ(-EIDRM, box_return(fd, racer.loan));
		close(fd);
		munmap(racer.go, sizeof(*racer.go));
	}
}

TEST_HARNESS_MAIN
