// SPDX-License-Identifier: GPL-2.0
/*
 * Many senders and receivers of a broadcast at once: what each handle gets, and what it is
 * told that it has missed, is all that was sent while it was open, in one order.
 */
#include "common_broadcast.h"

#include <pthread.h>

#define SENDERS	  3
#define RECEIVERS 5

/* In shared memory: sender and number of each message, by its sequence. */
struct record {
	unsigned int stop;
	unsigned int seen[100000];
};

FIXTURE(crowd)
{
	int device;
	int fd;
	__u64 id;
	struct record *record;
	unsigned int messages;
};

static void *shared_new(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ASSERT_TRUE(memory != MAP_FAILED);
	return memory;
}

FIXTURE_SETUP(crowd)
{
	self->device = device_open();
	self->messages = effort(2000);
	self->record = shared_new(sizeof(*self->record));
	self->fd = broadcast_new(self->device, 16, &self->id);
}

FIXTURE_TEARDOWN(crowd)
{
	close(self->fd);
	close(self->device);
}

static __attribute__((noreturn)) void send_all(FIXTURE_DATA(crowd) * self, unsigned int who)
{
	unsigned int i;

	for (i = 1; i <= self->messages; i++) {
		unsigned int word = who << 24 | i;
		struct mailbox_send args = send_args(&word, sizeof(word));

		args.flags = 0;
		ASSERT_EQ(0, box_send(self->fd, &args));
		if (i % 32 == who)
			sched_yield();
	}
	_exit(0);
}

/* The next message of a handle, which must be the one that others saw there too. */
static int take(FIXTURE_DATA(crowd) * self, int fd, bool wait, __u64 *sequence, __u64 *missed)
{
	unsigned int word = 0, before = 0;
	struct mailbox_receive args = receive_args(&word, sizeof(word));
	int ret;

	args.flags = wait ? 0 : MAILBOX_NONBLOCK;
	ret = box_receive(fd, &args);
	if (ret)
		return ret;
	ASSERT_LT(args.sequence, ARRAY_SIZE(self->record->seen));
	if (!__atomic_compare_exchange_n(&self->record->seen[args.sequence], &before, word, false,
					 __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		EXPECT_EQ(before, word);
	*sequence = args.sequence;
	*missed = args.missed;
	return 0;
}

/* All from where it was opened to the end, each received or missed. */
static __attribute__((noreturn)) void receive_all(FIXTURE_DATA(crowd) * self, int fd, __u64 first,
						  bool slow)
{
	__u64 last = (__u64)SENDERS * self->messages, next = first, got = 0, lost = 0;
	unsigned int in_order[SENDERS] = { 0 };
	__u64 sequence, missed;

	while (next <= last) {
		unsigned int word, who;

		ASSERT_EQ(0, take(self, fd, true, &sequence, &missed));
		ASSERT_EQ(next + missed, sequence);
		next = sequence + 1;
		got++;
		lost += missed;
		word = self->record->seen[sequence];
		who = word >> 24;
		ASSERT_LT(who, (unsigned int)SENDERS);
		EXPECT_LT(in_order[who], word & 0xffffff);
		in_order[who] = word & 0xffffff;
		if (slow && got % 7 == 0)
			sched_yield();
	}
	EXPECT_EQ(last + 1 - first, got + lost);
	EXPECT_EQ(-EAGAIN, take(self, fd, false, &sequence, &missed));
	_exit(0);
}

static void start_senders(FIXTURE_DATA(crowd) * self, pid_t *senders)
{
	unsigned int i;

	for (i = 0; i < SENDERS; i++) {
		senders[i] = child_fork();
		if (!senders[i])
			send_all(self, i);
	}
}

TEST_F_TIMEOUT(crowd, all_see_one_order, 120)
{
	pid_t senders[SENDERS], receivers[RECEIVERS];
	int i;

	for (i = 0; i < RECEIVERS; i++) {
		int fd = subscribe(self->device, self->id);

		receivers[i] = child_fork();
		if (!receivers[i])
			receive_all(self, fd, 1, i % 2);
		close(fd);
	}
	start_senders(self, senders);
	for (i = 0; i < SENDERS; i++)
		child_done(senders[i]);
	for (i = 0; i < RECEIVERS; i++)
		child_done(receivers[i]);
	EXPECT_EQ((__u64)SENDERS * self->messages, box_stat(self->fd).sent);
	EXPECT_EQ(0, box_stat(self->fd).messages);
}

/* Open, take some, close: each gets exactly what was sent meanwhile, or is told. */
static __attribute__((noreturn)) void come_and_go(FIXTURE_DATA(crowd) * self, unsigned int seed)
{
	while (!__atomic_load_n(&self->record->stop, __ATOMIC_ACQUIRE)) {
		__u64 before, after, sequence, missed, next = 0;
		unsigned int some;
		int fd;

		before = box_stat(self->fd).sent;
		fd = subscribe_with(self->device, self->id,
				    rand_r(&seed) % 3 ? 0 : MAILBOX_CUT_OFF);
		ASSERT_LE(0, fd);
		after = box_stat(self->fd).sent;
		for (some = rand_r(&seed) % 30; some; some--) {
			int ret = take(self, fd, false, &sequence, &missed);

			if (ret == -ENOBUFS)
				break;
			if (ret) {
				ASSERT_EQ(-EAGAIN, ret);
				sched_yield();
				continue;
			}
			if (next) {
				ASSERT_EQ(next + missed, sequence);
			} else {
				/* The first after it was opened. */
				ASSERT_LT(before, sequence - missed);
				ASSERT_GE(after + 1, sequence - missed);
			}
			next = sequence + 1;
		}
		close(fd);
	}
	_exit(0);
}

TEST_F_TIMEOUT(crowd, handles_come_and_go, 120)
{
	pid_t senders[SENDERS], guests[RECEIVERS], steady;
	int fd = subscribe(self->device, self->id), i;
	struct mailbox_stat stat;

	steady = child_fork();
	if (!steady)
		receive_all(self, fd, 1, false);
	close(fd);
	for (i = 0; i < RECEIVERS; i++) {
		guests[i] = child_fork();
		if (!guests[i])
			come_and_go(self, i + 1);
	}
	start_senders(self, senders);
	for (i = 0; i < SENDERS; i++)
		child_done(senders[i]);
	child_done(steady);
	flag_raise(&self->record->stop);
	for (i = 0; i < RECEIVERS; i++)
		child_done(guests[i]);
	stat = box_stat(self->fd);
	EXPECT_EQ(0, stat.subscribers);
	EXPECT_EQ(0, stat.messages);
	EXPECT_EQ(stat.sent, stat.received + stat.overwritten + stat.dropped);
}

TEST_F_TIMEOUT(crowd, receivers_are_killed_at_any_moment, 120)
{
	unsigned int i, rounds = effort(60), seed = 1;
	pid_t senders[SENDERS];

	start_senders(self, senders);
	for (i = 0; i < rounds; i++) {
		unsigned int yields = rand_r(&seed) % 20;
		pid_t child = child_fork();

		if (!child) {
			int fd =
				subscribe_with(self->device, self->id, i % 2 ? MAILBOX_CUT_OFF : 0);
			__u64 sequence, missed;

			for (;;)
				take(self, fd, i % 3, &sequence, &missed);
		}
		while (yields--)
			sched_yield();
		child_kill(child);
	}
	for (i = 0; i < SENDERS; i++)
		child_done(senders[i]);
	EXPECT_EQ(0, box_stat(self->fd).subscribers);
	EXPECT_EQ(0, box_stat(self->fd).messages);
}

struct thread {
	FIXTURE_DATA(crowd) * self;
	pthread_t id;
	int fd;
	__u64 got;
	__u64 missed;
};

static void *take_some(void *data)
{
	struct thread *thread = data;
	__u64 sequence, missed, last = 0;

	for (;;) {
		int ret = take(thread->self, thread->fd, true, &sequence, &missed);

		if (ret == -EIDRM)
			return NULL;
		ASSERT_EQ(0, ret);
		EXPECT_LT(last, sequence);
		last = sequence;
		thread->got++;
		thread->missed += missed;
	}
}

TEST_F_TIMEOUT(crowd, threads_of_one_handle_share_what_it_gets, 120)
{
	struct thread threads[3];
	pid_t senders[SENDERS];
	__u64 got = 0, missed = 0;
	int fd = subscribe(self->device, self->id), i;

	for (i = 0; i < 3; i++) {
		threads[i] = (struct thread){ .self = self, .fd = fd };
		ASSERT_EQ(0, pthread_create(&threads[i].id, NULL, take_some, &threads[i]));
	}
	start_senders(self, senders);
	for (i = 0; i < SENDERS; i++)
		child_done(senders[i]);
	wait_waiters(self->fd, 3, 0);
	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, pthread_join(threads[i].id, NULL));
		got += threads[i].got;
		missed += threads[i].missed;
	}
	EXPECT_EQ((__u64)SENDERS * self->messages, got + missed);
	close(fd);
}

TEST_F_TIMEOUT(crowd, destroyed_at_any_moment, 120)
{
	unsigned int i, rounds = effort(40), seed = 2;

	for (i = 0; i < rounds; i++) {
		pid_t children[4];
		__u64 id;
		int fd = broadcast_new(self->device, 4, &id), k;
		unsigned int yields = rand_r(&seed) % 20;

		for (k = 0; k < 4; k++) {
			children[k] = child_fork();
			if (!children[k]) {
				int in = subscribe_with(self->device, id,
							k % 2 ? MAILBOX_CUT_OFF : 0);
				int ret = in < 0 ? in : 0;

				while (!ret || ret == -EAGAIN || ret == -ENOBUFS) {
					ret = box_send_text(fd, "x", 0, 0);
					if (!ret)
						ret = broadcast_next(in, NULL);
				}
				_exit(ret == -EIDRM || ret == -ENOENT ? 0 : 1);
			}
		}
		while (yields--)
			sched_yield();
		ASSERT_EQ(0, box_destroy(fd, 0, NULL));
		for (k = 0; k < 4; k++)
			child_done(children[k]);
		close(fd);
	}
}

TEST_HARNESS_MAIN
