// SPDX-License-Identifier: GPL-2.0
/*
 * Handles that are derived, used, closed and revoked by several at the same time.
 */
#include "common_grant.h"
#include "common_notify.h"
#include "races.h"

#include <pthread.h>

#define PLACES	8
#define THREADS 4

struct garden {
	int device;
	int fd;
	/* Descriptors that any thread may close, derive from, and use; -1: none. */
	int places[PLACES];
	__u64 last;
	uint64_t random;
	__u64 times;
	bool stop;
};

FIXTURE(grant_race)
{
	int device;
	int fd;
	struct usage usage;
};

FIXTURE_VARIANT(grant_race)
{
	__u32 policy;
	__u32 capacity;
};

FIXTURE_VARIANT_ADD(grant_race, any)
{
	.policy = MAILBOX_POLICY_ANY,
};

FIXTURE_VARIANT_ADD(grant_race, pair)
{
	.policy = MAILBOX_POLICY_PAIR,
};

FIXTURE_VARIANT_ADD(grant_race, one)
{
	.policy = MAILBOX_POLICY_ONE,
};

FIXTURE_VARIANT_ADD(grant_race, rendezvous)
{
	.policy = MAILBOX_POLICY_ANY,
	.capacity = MAILBOX_CAPACITY_RENDEZVOUS,
};

FIXTURE_SETUP(grant_race)
{
	struct mailbox_create args = create_args();

	race_seed_choose();
	self->device = device_open();
	self->usage = usage_of_caller(self->device);
	args.policy = variant->policy;
	args.capacity = variant->capacity;
	if (variant->capacity == MAILBOX_CAPACITY_BOUNDED)
		args.max_messages = 4;
	self->fd = box_create(self->device, &args);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(grant_race)
{
	close(self->fd);
	close(self->device);
}

static int swap(struct garden *garden, uint32_t place, int fd)
{
	return __atomic_exchange_n(&garden->places[place], fd, __ATOMIC_ACQ_REL);
}

/* Whatever becomes of it; not longer than a moment. */
static void use(int fd, uint64_t *random, int eventfd)
{
	char text[8];
	struct mailbox_receive receive = receive_args(text, sizeof(text));
	struct mailbox_send send = send_args("x", 1);

	receive.flags = MAILBOX_DEADLINE;
	receive.deadline = now_ns() + below(random, 200000);
	send.flags = MAILBOX_DEADLINE;
	send.deadline = receive.deadline;
	switch (below(random, 6)) {
	case 0:
		receive.flags |= MAILBOX_LEASE;
		receive.lease = 0;
		box_receive(fd, &receive);
		break;
	case 1:
		receive.flags |= MAILBOX_PEEK;
		box_receive(fd, &receive);
		break;
	case 2:
		box_receive(fd, &receive);
		break;
	case 3:
		box_notify_try(fd, EVENTS_ALL, eventfd);
		break;
	default:
		box_send(fd, &send);
	}
}

static void *grows(void *argument)
{
	struct garden *garden = argument;
	uint64_t random = __atomic_add_fetch(&garden->random, 1, __ATOMIC_RELAXED);
	int eventfd = eventfd_new();
	__u64 times = garden->times;

	while (times--) {
		uint32_t place = below(&random, PLACES), to = below(&random, PLACES);
		int fd = __atomic_load_n(&garden->places[place], __ATOMIC_ACQUIRE);
		__u64 grant;

		switch (below(&random, 8)) {
		case 0:
		case 1:
			fd = box_restrict_try(fd < 0 || below(&random, 4) == 0 ? garden->fd : fd,
					      RIGHTS_ALL, &grant);
			if (fd < 0)
				break;
			__atomic_store_n(&garden->last, grant, __ATOMIC_RELAXED);
			fd = swap(garden, to, fd);
			if (fd >= 0)
				close(fd);
			break;
		case 2:
			fd = swap(garden, place, -1);
			if (fd >= 0)
				close(fd);
			break;
		case 3:
		case 4:
			/* Of what there may be. */
			grant = __atomic_load_n(&garden->last, __ATOMIC_RELAXED);
			box_revoke(fd < 0 || below(&random, 2) ? garden->fd : fd,
				   grant - below(&random, 2 * PLACES));
			break;
		default:
			if (fd >= 0)
				use(fd, &random, eventfd);
		}
	}
	close(eventfd);
	return NULL;
}

static void grow(FIXTURE_DATA(grant_race) * self, __u64 times, uint64_t random)
{
	struct garden garden = { .fd = self->fd, .times = times, .random = random };
	pthread_t threads[THREADS];
	int i;

	for (i = 0; i < PLACES; i++)
		garden.places[i] = -1;
	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, grows, &garden));
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (i = 0; i < PLACES; i++)
		if (garden.places[i] >= 0)
			close(garden.places[i]);
}

/* No number is left that means anything. */
static void expect_no_grants(int fd)
{
	__u64 grant, last;

	close(box_restrict(fd, MAILBOX_RIGHT_SEND, &last));
	for (grant = 0; grant <= last; grant++)
		EXPECT_EQ(-ENOENT, box_revoke(fd, grant));
}

TEST_F_TIMEOUT(grant_race, all_at_once, 240)
{
	char text[8];

	grow(self, effort(3000), race_random(1));
	EXPECT_EQ(1, box_stat(self->fd).handles);
	EXPECT_EQ(0, box_stat(self->fd).leased);
	EXPECT_EQ(0, box_stat(self->fd).receivers);
	EXPECT_EQ(0, box_stat(self->fd).senders);
	while (box_receive_text(self->fd, text, sizeof(text)) > 0)
		;
	EXPECT_EQ(0, box_stat(self->fd).messages);
	expect_no_grants(self->fd);
	close(self->fd);
	EXPECT_USAGE(self->device, self->usage);
	self->fd = dup(self->device);
}

TEST_F_TIMEOUT(grant_race, of_two_processes, 240)
{
	pid_t pid = child_fork();

	if (!pid) {
		grow(self, effort(1500), race_random(2));
		_exit(0);
	}
	grow(self, effort(1500), race_random(3));
	child_done(pid);
	EXPECT_EQ(1, box_stat(self->fd).handles);
	EXPECT_EQ(0, box_stat(self->fd).leased);
	expect_no_grants(self->fd);
}

/* Whoever is killed, what it had is away. */
TEST_F_TIMEOUT(grant_race, of_a_process_that_is_killed, 240)
{
	uint64_t random = race_random(4);
	__u64 times = effort(40);

	while (times--) {
		pid_t pid = child_fork();

		if (!pid) {
			grow(self, UINT64_MAX, random);
			_exit(0);
		}
		usleep(below(&random, 20000));
		child_kill(pid);
		EXPECT_EQ(1, box_stat(self->fd).handles);
		EXPECT_EQ(0, box_stat(self->fd).leased);
		EXPECT_EQ(0, box_stat(self->fd).receivers + box_stat(self->fd).senders);
	}
}

struct duel {
	int fd;
	__u64 grant;
	unsigned int *go;
	int result;
};

static void *duels(void *argument)
{
	struct duel *duel = argument;

	race_await(duel->go, 1);
	duel->result = box_revoke(duel->fd, duel->grant);
	return NULL;
}

/* Two that revoke each other: one of them does. */
TEST_F_TIMEOUT(grant_race, two_managers, 240)
{
	uint64_t times = race_rounds(1000);
	unsigned int go;

	while (times--) {
		struct duel duels_[2];
		pthread_t threads[2];
		int i;

		go = 0;
		for (i = 0; i < 2; i++) {
			duels_[i].go = &go;
			duels_[i].fd =
				box_restrict(self->fd, MAILBOX_RIGHT_MANAGE, &duels_[!i].grant);
		}
		for (i = 0; i < 2; i++)
			ASSERT_EQ(0, pthread_create(&threads[i], NULL, duels, &duels_[i]));
		flag_raise(&go);
		for (i = 0; i < 2; i++)
			pthread_join(threads[i], NULL);
		for (i = 0; i < 2; i++) {
			EXPECT_EQ(!duels_[i].result, is_revoked(duels_[!i].fd));
			if (duels_[i].result)
				EXPECT_EQ(-EACCES, duels_[i].result);
		}
		for (i = 0; i < 2; i++)
			close(duels_[i].fd);
		EXPECT_TRUE(!duels_[0].result || !duels_[1].result);
	}
}

TEST_HARNESS_MAIN
