// SPDX-License-Identifier: GPL-2.0
/*
 * NOTIFY while others send, receive and close: no event is lost between registering and
 * looking, and no eventfd is told that is gone.
 */
#include "common_notify.h"

#include <pthread.h>

FIXTURE(notify_race)
{
	int device;
	int fd;
	__u64 id;
};

FIXTURE_SETUP(notify_race)
{
	self->device = device_open();
	self->fd = box_new_limited(self->device, MAILBOX_ON_FULL_WAIT, 1);
	self->id = box_stat(self->fd).id;
}

FIXTURE_TEARDOWN(notify_race)
{
	close(self->fd);
	close(self->device);
}

/* Another moment each time. */
static void dawdle(unsigned int *seed)
{
	unsigned int turns = rand_r(seed) % 64;

	while (turns--)
		__asm__ volatile("");
	if (rand_r(seed) & 1)
		sched_yield();
}

/* Register, look, and wait when there is nothing: for a message, or for room. */
static void waiter(int fd, bool send, __u64 times)
{
	const __u32 events = send ? MAILBOX_EVENT_ROOM : MAILBOX_EVENT_MESSAGE;
	int eventfd = eventfd_new();
	unsigned int seed = 1 + send;
	char text[8];

	while (times) {
		int ret;

		/* Or keeps what was there before, and forgets what it has heard so far. */
		if (rand_r(&seed) & 1)
			box_notify(fd, 0, -1);
		told(eventfd);
		dawdle(&seed);
		box_notify(fd, events, eventfd);
		ret = send ? box_send_text(fd, "x", 0, 0) :
			     box_receive_text(fd, text, sizeof(text));
		if (ret == -EAGAIN) {
			wait_told(eventfd);
			continue;
		}
		ASSERT_LE(0, ret);
		times--;
	}
	close(eventfd);
}

TEST_F_TIMEOUT(notify_race, nothing_is_lost_between_registering_and_looking, 240)
{
	const __u64 times = effort(5000);
	int fd = box_open(self->device, self->id, NULL, MAILBOX_RIGHT_SEND);
	pid_t pid;

	ASSERT_LE(0, fd);
	pid = child_fork();
	if (!pid) {
		waiter(fd, true, times);
		_exit(0);
	}
	waiter(self->fd, false, times);
	child_done(pid);
	EXPECT_EQ(times, box_stat(self->fd).received);
	close(fd);
}

struct traffic {
	int fd;
	bool stop;
};

/* Every event but the end of the mailbox, without end. */
static void *make_traffic(void *argument)
{
	struct traffic *traffic = argument;
	char text[8];

	while (!__atomic_load_n(&traffic->stop, __ATOMIC_RELAXED)) {
		struct mailbox_receive args = receive_args(text, sizeof(text));

		box_send_text(traffic->fd, "x", 0, 0);
		box_receive_text(traffic->fd, text, sizeof(text));
		args.flags = MAILBOX_DEADLINE;
		args.deadline = 1;
		box_receive(traffic->fd, &args);
		sched_yield();
	}
	return NULL;
}

#define PLACES 8

/* Handles and eventfds that come, go and are told to each other in no order. */
static void shuffle(FIXTURE_DATA(notify_race) * self, unsigned int seed, __u64 times)
{
	int handles[PLACES], eventfds[PLACES], i;
	__u64 id = self->id;

	for (i = 0; i < PLACES; i++) {
		handles[i] = box_open(self->device, id, NULL, RIGHTS_ALL);
		eventfds[i] = eventfd_new();
	}
	while (times--) {
		int *handle = &handles[rand_r(&seed) % PLACES];
		int *eventfd = &eventfds[rand_r(&seed) % PLACES];

		switch (rand_r(&seed) % 4) {
		case 0:
			close(*handle);
			*handle = box_open(self->device, id, NULL,
					   rand_r(&seed) & 1 ? RIGHTS_ALL : MAILBOX_RIGHT_MANAGE);
			ASSERT_LE(0, *handle);
			break;
		case 1:
			close(*eventfd);
			*eventfd = eventfd_new();
			break;
		default:
			box_notify(*handle, rand_r(&seed) & EVENTS_ALL, *eventfd);
		}
	}
	for (i = 0; i < PLACES; i++) {
		close(handles[i]);
		close(eventfds[i]);
	}
}

TEST_F_TIMEOUT(notify_race, handles_and_eventfds_close_while_others_send, 240)
{
	struct traffic traffic = { .fd = self->fd };
	pthread_t thread;
	pid_t pid;

	ASSERT_EQ(0, pthread_create(&thread, NULL, make_traffic, &traffic));
	pid = child_fork();
	if (!pid) {
		shuffle(self, 1, effort(5000));
		_exit(0);
	}
	shuffle(self, 2, effort(5000));
	child_done(pid);
	__atomic_store_n(&traffic.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
}

struct contest {
	int fd;
	int eventfd;
	unsigned int seed;
	__u64 times;
};

static void *contend(void *argument)
{
	struct contest *contest = argument;

	while (contest->times--)
		box_notify(contest->fd, rand_r(&contest->seed) & EVENTS_ALL, contest->eventfd);
	return NULL;
}

TEST_F_TIMEOUT(notify_race, threads_that_replace_each_other, 240)
{
	struct traffic traffic = { .fd = self->fd };
	struct contest contests[2];
	pthread_t threads[3];
	int i;

	ASSERT_EQ(0, pthread_create(&threads[2], NULL, make_traffic, &traffic));
	for (i = 0; i < 2; i++) {
		contests[i] = (struct contest){ self->fd, eventfd_new(), i, effort(5000) };
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, contend, &contests[i]));
	}
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	__atomic_store_n(&traffic.stop, true, __ATOMIC_RELAXED);
	pthread_join(threads[2], NULL);
	/* One of them is left. */
	told(contests[0].eventfd);
	told(contests[1].eventfd);
	box_notify(self->fd, MAILBOX_EVENT_MESSAGE, contests[0].eventfd);
	ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	EXPECT_EQ(1, told(contests[0].eventfd));
	EXPECT_EQ(0, told(contests[1].eventfd));
	for (i = 0; i < 2; i++)
		close(contests[i].eventfd);
}

/* Destruction, too, is told to whoever registers in time, and refuses whoever does not. */
TEST_F_TIMEOUT(notify_race, destruction_is_told_or_refuses, 240)
{
	__u64 times = effort(300);
	unsigned int seed = 1;

	while (times--) {
		int fd = box_new(self->device), eventfd = eventfd_new(), ret;
		unsigned int *go = flag_new();
		pid_t pid = child_fork();

		if (!pid) {
			flag_await(go, 1);
			_exit(box_destroy(fd, 0, NULL));
		}
		flag_raise(go);
		dawdle(&seed);
		ret = box_notify_try(fd, MAILBOX_EVENT_ROOM, eventfd);
		if (!ret)
			wait_told(eventfd);
		else
			EXPECT_EQ(-EIDRM, ret);
		child_done(pid);
		munmap(go, sizeof(*go));
		close(eventfd);
		close(fd);
	}
}

TEST_HARNESS_MAIN
