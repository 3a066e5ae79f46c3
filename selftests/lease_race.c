// SPDX-License-Identifier: GPL-2.0
/*
 * Leases that begin while their holder is going: a descriptor that is closed while a
 * receive through it is at work. However it comes, no message stays with a process that
 * cannot end its lease. The handle is kept by a copy that is under way in a socket, so
 * that it does not end itself.
 */
#include "passing.h"
#include "races.h"

#include <pthread.h>

#define ROUNDS 500

FIXTURE(lease_race)
{
	int device;
	int fd;
	__u64 id;
	int sockets[2];
};

FIXTURE_SETUP(lease_race)
{
	self->device = device_open();
	self->fd = box_new(self->device);
	self->id = box_stat(self->fd).id;
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, self->sockets));
}

FIXTURE_TEARDOWN(lease_race)
{
	close(self->sockets[0]);
	close(self->sockets[1]);
	close(self->fd);
	close(self->device);
}

struct lessee {
	int fd;
	__u32 flags;
	pid_t tid;
	int result;
	uint64_t random;
	unsigned int *ready;
	unsigned int *go;
	struct mailbox_receive args;
	char data[8];
};

static void *lessee_runs(void *data)
{
	struct lessee *lessee = data;

	lessee->args = leasing_args(lessee->data, sizeof(lessee->data));
	lessee->args.flags = lessee->flags;
	lessee->tid = syscall(SYS_gettid);
	flag_raise(lessee->ready);
	race_await(lessee->go, 1);
	race_delay(&lessee->random);
	lessee->result = box_receive(lessee->fd, &lessee->args);
	return NULL;
}

/* A handle that stays, with one descriptor of it in our table. */
static int open_kept(FIXTURE_DATA(lease_race) * self)
{
	int fd = box_open(self->device, self->id, NULL, MAILBOX_RIGHT_RECEIVE);

	ASSERT_LE(0, fd);
	pass_descriptor(self->sockets[0], fd);
	return fd;
}

TEST_F(lease_race, closed_while_it_waits)
{
	struct lessee lessee = {
		.fd = open_kept(self),
		.flags = MAILBOX_LEASE,
		.ready = flag_new(),
		.go = flag_new(),
	};
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, lessee_runs, &lessee));
	flag_await(lessee.ready, 1);
	flag_raise(lessee.go);
	wait_waiters(self->fd, 1, 0);
	wait_sleeping(getpid(), lessee.tid);
	close(lessee.fd);
	ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	/* The call goes on, and ends with a lease that has ended. */
	EXPECT_EQ(0, lessee.result);
	EXPECT_EQ(0, box_stat(self->fd).leased);
	expect_delivered(self->fd, "x", 1);
	EXPECT_EQ(2, box_stat(self->fd).handles);
}

/* As before, but the process is gone before anybody looks. */
TEST_F(lease_race, closed_while_it_waits_by_a_process_that_ends)
{
	unsigned int *closed = flag_new();
	pid_t pid = child_fork();

	if (!pid) {
		struct lessee lessee = {
			.fd = open_kept(self),
			.flags = MAILBOX_LEASE,
			.ready = flag_new(),
			.go = flag_new(),
		};
		pthread_t thread;

		ASSERT_EQ(0, pthread_create(&thread, NULL, lessee_runs, &lessee));
		flag_raise(lessee.go);
		wait_waiters(self->fd, 1, 0);
		wait_sleeping(getpid(), lessee.tid);
		close(lessee.fd);
		flag_raise(closed);
		ASSERT_EQ(0, pthread_join(thread, NULL));
		for (;;)
			pause();
	}
	flag_await(closed, 1);
	ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	child_kill(pid);
	EXPECT_EQ(0, box_stat(self->fd).leased);
	EXPECT_EQ(1, box_stat(self->fd).messages);
}

/* The last descriptor is closed at any moment of the call, or before it. */
TEST_F_TIMEOUT(lease_race, closed_at_any_moment, 120)
{
	unsigned int got = 0, round;
	uint64_t random;

	race_seed_choose();
	th_say("# MAILBOX_SEED=%s", getenv("MAILBOX_SEED"));
	random = race_random(1);
	ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	for (round = 0; round < race_rounds(ROUNDS); round++) {
		static unsigned int ready, go;
		struct lessee lessee = {
			.fd = open_kept(self),
			.flags = MAILBOX_LEASE | MAILBOX_NONBLOCK,
			.random = random ^ 1,
			.ready = &ready,
			.go = &go,
		};
		struct mailbox_stat stat;
		pthread_t thread;

		ready = 0;
		go = 0;
		ASSERT_EQ(0, pthread_create(&thread, NULL, lessee_runs, &lessee));
		race_await(&ready, 1);
		flag_raise(&go);
		race_delay(&random);
		close(lessee.fd);
		ASSERT_EQ(0, pthread_join(thread, NULL));
		if (lessee.result)
			ASSERT_EQ(-EBADF, lessee.result);
		else
			got++;
		stat = box_stat(self->fd);
		ASSERT_EQ(0, stat.leased) TH_LOG("round %u, result %d", round, lessee.result);
		ASSERT_EQ(got, stat.redelivered);
		close(take_descriptor(self->sockets[1]));
		ASSERT_EQ(got, box_stat(self->fd).redelivered);
	}
	th_say("# %u of %u had a lease", got, round);
}

/* Whoever ends it: the holder, its close, and time. It ends once. */
TEST_F_TIMEOUT(lease_race, ended_by_two_at_once, 120)
{
	unsigned int round, acked = 0;
	uint64_t random;

	race_seed_choose();
	th_say("# MAILBOX_SEED=%s", getenv("MAILBOX_SEED"));
	random = race_random(2);
	for (round = 0; round < race_rounds(ROUNDS); round++) {
		int fd = open_kept(self), ret;
		struct mailbox_stat stat;
		__u64 lease;

		ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
		lease = box_lease_timed(fd, 1 + below(&random, 200000));
		race_delay(&random);
		ret = below(&random, 2) ? box_ack(fd, lease) : -ENOENT;
		close(fd);
		stat = box_stat(self->fd);
		ASSERT_EQ(0, stat.leased);
		ASSERT_EQ(ret ? 1 : 0, stat.messages);
		acked += !ret;
		if (ret)
			expect_delivered(self->fd, "x", 1);
		ASSERT_EQ(round + 1, box_stat(self->fd).received);
		close(take_descriptor(self->sockets[1]));
	}
	th_say("# %u of %u were acknowledged", acked, round);
}

TEST_HARNESS_MAIN
