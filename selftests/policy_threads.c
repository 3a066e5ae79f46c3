// SPDX-License-Identifier: GPL-2.0
/*
 * Threads share the right to receive that their process has, lose it together, and wait
 * for it together; and chance, with processes that yield, close and are killed.
 */
#include "puppet.h"
#include "races.h"

#include <pthread.h>
#include <sys/resource.h>

FIXTURE(threads)
{
	int device;
	int fd;
	__u64 id;
	struct puppet other;
};

FIXTURE_SETUP(threads)
{
	race_seed_choose();
	self->device = device_open();
	self->fd = box_new_policy(self->device, MAILBOX_POLICY_ONE);
	self->id = box_stat(self->fd).id;
	self->other = puppet_new(self->device);
}

FIXTURE_TEARDOWN(threads)
{
	puppets_end();
	close(self->fd);
	close(self->device);
}

struct thread {
	pthread_t thread;
	int fd;
	__u32 flags;
	int result;
	char text[16];
};

static void *receives(void *data)
{
	struct thread *thread = data;
	struct mailbox_receive args = receive_args(thread->text, sizeof(thread->text) - 1);

	args.flags = thread->flags;
	thread->result = box_receive(thread->fd, &args);
	return NULL;
}

static void start(struct thread *thread, int fd, __u32 flags)
{
	*thread = (struct thread){ .fd = fd, .flags = flags };
	ASSERT_EQ(0, pthread_create(&thread->thread, NULL, receives, thread));
}

static int join(struct thread *thread)
{
	ASSERT_EQ(0, pthread_join(thread->thread, NULL));
	return thread->result;
}

TEST_F(threads, share_it)
{
	struct thread thread;

	EXPECT_EQ(-EAGAIN, box_try(self->fd));
	start(&thread, self->fd, MAILBOX_NONBLOCK);
	EXPECT_EQ(-EAGAIN, join(&thread));
	start(&thread, self->fd, 0);
	wait_waiters(self->fd, 1, 0);
	EXPECT_EQ(0, puppet_sends(&self->other, self->fd, "x"));
	EXPECT_EQ(0, join(&thread));
	EXPECT_EQ(-EBUSY, puppet_receives(&self->other, self->fd, ""));
}

/* It came by a thread that has ended since. */
TEST_F(threads, outlive_the_one_that_got_it)
{
	struct thread thread;

	start(&thread, self->fd, MAILBOX_NONBLOCK);
	EXPECT_EQ(-EAGAIN, join(&thread));
	EXPECT_EQ(-EBUSY, puppet_receives(&self->other, self->fd, ""));
	EXPECT_EQ(0, box_yield(self->fd));
}

TEST_F(threads, wait_for_it_after_a_yield)
{
	static const __u32 flags[] = { 0, MAILBOX_PEEK, MAILBOX_LEASE };
	struct thread threads[ARRAY_SIZE(flags)];
	unsigned int i;

	EXPECT_EQ(-EAGAIN, box_try(self->fd));
	for (i = 0; i < ARRAY_SIZE(flags); i++)
		start(&threads[i], self->fd, flags[i]);
	wait_waiters(self->fd, 3, 0);
	puppet_tell(&self->other, &(struct order){ .what = RECEIVE, .fd = self->fd });
	wait_waiters(self->fd, 4, 0);
	EXPECT_EQ(0, box_yield(self->fd));
	wait_waiters(self->fd, 4, 0);
	EXPECT_EQ(0, box_send_text(self->fd, "theirs", 0, 0));
	EXPECT_EQ(0, puppet_answer(&self->other, "theirs"));
	EXPECT_EQ(-EBUSY, box_try(self->fd));
	EXPECT_EQ(0, box_send_text(self->fd, "theirs too", 0, 0));
	EXPECT_EQ(0, puppet_receives(&self->other, self->fd, "theirs too"));
	EXPECT_EQ(3, box_stat(self->fd).receivers);
	/* All of them come to it together. */
	EXPECT_EQ(0, puppet_does(&self->other, YIELD, self->fd));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, box_send_text(self->fd, "ours", 0, 0));
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		EXPECT_EQ(0, join(&threads[i]));
		EXPECT_STREQ("ours", threads[i].text);
	}
}

/* With nobody else there it comes back to them. */
TEST_F(threads, get_it_again_where_nobody_wants_it)
{
	struct thread thread;

	EXPECT_EQ(-EAGAIN, box_try(self->fd));
	start(&thread, self->fd, 0);
	wait_waiters(self->fd, 1, 0);
	EXPECT_EQ(0, box_yield(self->fd));
	wait_waiters(self->fd, 1, 0);
	EXPECT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	EXPECT_EQ(0, join(&thread));
	EXPECT_EQ(-EBUSY, puppet_receives(&self->other, self->fd, ""));
}

/* The one that comes first is not the only one of its process that waits. */
TEST_F(threads, get_it_together)
{
	struct thread threads[3];
	int i;

	EXPECT_EQ(-EAGAIN, puppet_receives(&self->other, self->fd, ""));
	for (i = 0; i < 3; i++) {
		start(&threads[i], self->fd, 0);
		wait_waiters(self->fd, i + 1, 0);
	}
	EXPECT_EQ(0, puppet_does(&self->other, YIELD, self->fd));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, join(&threads[i]));
}

TEST_F(threads, of_who_has_closed_are_eperm)
{
	pid_t pid = child_fork();

	if (!pid) {
		struct thread thread;
		int fd = box_open(self->device, self->id, NULL, RIGHTS_ALL), i;

		ASSERT_LE(0, fd);
		/* While it has the right, and while it waits for it. */
		for (i = 0; i < 2; i++) {
			start(&thread, fd, 0);
			wait_waiters(fd, 1, 0);
			if (!i)
				close(self->fd);
			close(fd);
			EXPECT_EQ(-EPERM, join(&thread));
			/* Now somebody else gets it first. */
			if (!i)
				EXPECT_EQ(-EAGAIN, puppet_receives(&self->other, self->fd, ""));
			fd = box_open(self->device, self->id, NULL, RIGHTS_ALL);
			ASSERT_LE(0, fd);
		}
		EXPECT_EQ(-EBUSY, box_try(fd));
		_exit(0);
	}
	child_done(pid);
	EXPECT_EQ(0, box_stat(self->fd).receivers);
}

/*
 * A thread that has got the right looks for its descriptor before it takes the lock of the
 * mailbox. Where that is the last of very many, another thread can yield meanwhile.
 */
TEST_F(threads, lose_it_before_they_use_it)
{
	enum { FAR = 400000, ROUNDS = 5 };
	const struct rlimit limit = { .rlim_cur = FAR + 1, .rlim_max = FAR + 1 };
	struct puppet third = puppet_new(self->device);
	int its = self->fd, i;

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	ASSERT_EQ(FAR, dup2(self->fd, FAR));
	close(self->fd);
	self->fd = FAR;
	for (i = 0; i < ROUNDS; i++) {
		struct thread thread;

		ASSERT_EQ(-EAGAIN, puppet_receives(&self->other, its, ""));
		start(&thread, self->fd, 0);
		wait_waiters(self->fd, 1, 0);
		puppet_tell(&third, &(struct order){ .what = RECEIVE, .fd = its });
		wait_waiters(self->fd, 2, 0);
		ASSERT_EQ(0, puppet_does(&self->other, YIELD, its));
		ASSERT_EQ(0, box_yield(self->fd));
		wait_waiters(self->fd, 2, 0);
		ASSERT_EQ(0, box_send_text(self->fd, "first", 0, 0));
		ASSERT_EQ(0, box_send_text(self->fd, "second", 0, 0));
		ASSERT_EQ(0, puppet_answer(&third, "first"));
		ASSERT_EQ(0, puppet_receives(&third, its, "second"));
		ASSERT_EQ(0, puppet_does(&third, YIELD, its));
		ASSERT_EQ(0, box_send_text(self->fd, "third", 0, 0));
		ASSERT_EQ(0, join(&thread));
		ASSERT_STREQ("third", thread.text);
		ASSERT_EQ(0, box_yield(self->fd));
	}
}

/* A yield that comes between the look at the right and the wait for a message. */
TEST_F(threads, race_with_yield)
{
	uint64_t random = race_random(1);
	uint32_t rounds = race_rounds(1000), i;

	for (i = 0; i < rounds; i++) {
		struct thread thread;

		ASSERT_EQ(-EAGAIN, box_try(self->fd));
		puppet_tell(&self->other, &(struct order){ .what = RECEIVE, .fd = self->fd });
		wait_waiters(self->fd, 1, 0);
		start(&thread, self->fd, 0);
		race_delay(&random);
		ASSERT_EQ(0, box_yield(self->fd));
		/* From here on what is sent is the other's. */
		ASSERT_EQ(0, box_send_text(self->fd, "first", 0, 0));
		ASSERT_EQ(0, puppet_answer(&self->other, "first"));
		ASSERT_EQ(0, puppet_does(&self->other, YIELD, self->fd));
		ASSERT_EQ(0, box_send_text(self->fd, "second", 0, 0));
		ASSERT_EQ(0, join(&thread));
		ASSERT_STREQ("second", thread.text);
		ASSERT_EQ(0, box_yield(self->fd));
	}
}

#define WORKERS	 6
#define MESSAGES 60000

struct ledger {
	uint32_t taken[MESSAGES];
};

/* Receives some, then yields, or closes and opens again. */
static __attribute__((noreturn)) void work(FIXTURE_DATA(threads) * self, struct ledger *ledger,
					   uint64_t random)
{
	int fd = self->fd;

	for (;;) {
		uint32_t some = below(&random, 4);

		while (some--) {
			uint32_t number = 0;
			struct mailbox_receive args = receive_args(&number, sizeof(number));

			args.flags = 0;
			ASSERT_EQ(0, box_receive(fd, &args));
			ASSERT_LT(number, MESSAGES);
			__atomic_add_fetch(&ledger->taken[number], 1, __ATOMIC_RELAXED);
		}
		if (below(&random, 2)) {
			int ret = box_yield(fd);

			ASSERT_TRUE(ret == 0 || ret == -EPERM);
		} else {
			close(fd);
			fd = box_open(self->device, self->id, NULL, RIGHTS_ALL);
			ASSERT_LE(0, fd);
		}
	}
}

TEST_F_TIMEOUT(threads, and_processes_by_chance_lose_nothing, 200)
{
	struct ledger *ledger = mmap(NULL, sizeof(*ledger), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint32_t messages = effort(8000), sent = 0, kills = 0, missing = 0, i;
	uint64_t random = race_random(2);
	pid_t pids[WORKERS] = { 0 };

	ASSERT_TRUE(ledger != MAP_FAILED);
	ASSERT_LT(messages, MESSAGES);
	puppet_kill(&self->other);
	while (sent < messages) {
		uint32_t some = below(&random, 20), who = below(&random, WORKERS);

		while (some-- && sent < messages) {
			struct mailbox_send args = send_args(&sent, sizeof(sent));

			args.flags = 0;
			ASSERT_EQ(0, box_send(self->fd, &args));
			sent++;
		}
		race_delay(&random);
		if (pids[who] && below(&random, 4))
			continue;
		if (pids[who]) {
			child_kill(pids[who]);
			kills++;
		}
		pids[who] = child_fork();
		if (!pids[who])
			work(self, ledger, race_random(100 + kills));
	}
	/* Whoever has the right takes what is left, so that all is received. */
	while (box_stat(self->fd).messages)
		sched_yield();
	for (i = 0; i < WORKERS; i++)
		if (pids[i])
			child_kill(pids[i]);
	for (i = 0; i < messages; i++) {
		ASSERT_LE(ledger->taken[i], 1);
		missing += !ledger->taken[i];
	}
	EXPECT_EQ(messages, box_stat(self->fd).received);
	/* A process that is killed takes what it has in its hands with it. */
	EXPECT_LE(missing, kills + WORKERS);
	EXPECT_EQ(0, box_stat(self->fd).receivers);
	EXPECT_EQ(-EAGAIN, box_try(self->fd));
	th_say("# %u sent, %u processes killed, %u died with one", sent, kills, missing);
}

TEST_HARNESS_MAIN
