// SPDX-License-Identifier: GPL-2.0
/*
 * NOTIFY that is told once, and of which there is one: what mq_notify(3) is made of. And the
 * event that goes with it, the first message.
 */
#include "common_broadcast.h"
#include "common_grant.h"
#include "common_lease.h"
#include "common_notify.h"

#include <pthread.h>

#define MESSAGE	  MAILBOX_EVENT_MESSAGE
#define FIRST	  MAILBOX_EVENT_FIRST
#define ONCE	  MAILBOX_NOTIFY_ONCE
#define EXCLUSIVE MAILBOX_NOTIFY_EXCLUSIVE

FIXTURE(notify_once)
{
	int device;
	int fd;
	int other;
	int eventfd;
	int second;
	__u64 id;
};

FIXTURE_SETUP(notify_once)
{
	self->device = device_open();
	self->fd = box_new(self->device);
	self->id = box_stat(self->fd).id;
	self->other = box_open(self->device, self->id, NULL, RIGHTS_ALL);
	ASSERT_LE(0, self->other);
	self->eventfd = eventfd_new();
	self->second = eventfd_new();
}

FIXTURE_TEARDOWN(notify_once)
{
	close(self->second);
	close(self->eventfd);
	close(self->other);
	close(self->fd);
	close(self->device);
}

static void put(int fd)
{
	ASSERT_EQ(0, box_send_text(fd, "x", 0, 0));
}

static void take(int fd)
{
	char text[64];

	ASSERT_LE(0, box_receive_text(fd, text, sizeof(text)));
}

TEST_F(notify_once, is_told_once)
{
	ASSERT_EQ(0, box_notify_so(self->fd, ONCE, MESSAGE, self->eventfd));
	put(self->fd);
	EXPECT_EQ(1, told(self->eventfd));
	put(self->fd);
	EXPECT_EQ(0, told(self->eventfd));
	/* Again, for who asks again. */
	ASSERT_EQ(0, box_notify_so(self->fd, ONCE, MESSAGE, self->eventfd));
	EXPECT_EQ(0, told(self->eventfd));
	put(self->fd);
	put(self->fd);
	EXPECT_EQ(1, told(self->eventfd));
	/* To end what has ended is nothing. */
	box_notify(self->fd, 0, -1);
	put(self->fd);
	EXPECT_EQ(0, told(self->eventfd));
}

TEST_F(notify_once, waits_for_what_it_asked_for)
{
	ASSERT_EQ(0, box_notify_so(self->fd, ONCE, MAILBOX_EVENT_ROOM, self->eventfd));
	put(self->fd);
	put(self->fd);
	EXPECT_EQ(0, told(self->eventfd));
	take(self->fd);
	take(self->fd);
	EXPECT_EQ(1, told(self->eventfd));
}

TEST_F(notify_once, of_several_events_the_first_is_the_last)
{
	ASSERT_EQ(0, box_notify_so(self->fd, ONCE, EVENTS_ALL | FIRST, self->eventfd));
	put(self->fd);
	take(self->fd);
	EXPECT_EQ(1, told(self->eventfd));
	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	EXPECT_EQ(0, told(self->eventfd));
}

TEST_F(notify_once, hears_of_the_end_if_that_comes_first)
{
	ASSERT_EQ(0, box_notify_so(self->fd, ONCE, MESSAGE, self->eventfd));
	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	EXPECT_EQ(1, told(self->eventfd));
}

TEST_F(notify_once, a_revoked_handle_is_told_of_it_unless_it_was_told)
{
	__u64 grants[2];
	int fds[2] = { box_restrict(self->fd, RIGHTS_ALL, &grants[0]),
		       box_restrict(self->fd, RIGHTS_ALL, &grants[1]) };

	ASSERT_EQ(0, box_notify_so(fds[0], ONCE, MESSAGE, self->eventfd));
	put(self->fd);
	ASSERT_EQ(0, box_notify_so(fds[1], ONCE, MESSAGE, self->second));
	EXPECT_EQ(1, told(self->eventfd));
	ASSERT_EQ(0, box_revoke(self->fd, grants[0]));
	ASSERT_EQ(0, box_revoke(self->fd, grants[1]));
	EXPECT_EQ(0, told(self->eventfd));
	EXPECT_EQ(1, told(self->second));
	close(fds[0]);
	close(fds[1]);
}

TEST_F(notify_once, takes_the_place_of_one_that_is_told_always_and_the_reverse)
{
	box_notify(self->fd, MESSAGE, self->eventfd);
	ASSERT_EQ(0, box_notify_so(self->fd, ONCE, MESSAGE, self->second));
	put(self->fd);
	put(self->fd);
	EXPECT_EQ(0, told(self->eventfd));
	EXPECT_EQ(1, told(self->second));
	box_notify(self->fd, MESSAGE, self->eventfd);
	put(self->fd);
	put(self->fd);
	EXPECT_EQ(2, told(self->eventfd));
	EXPECT_EQ(0, told(self->second));
}

TEST_F(notify_once, others_are_told_still)
{
	ASSERT_EQ(0, box_notify_so(self->fd, ONCE, MESSAGE, self->eventfd));
	box_notify(self->other, MESSAGE, self->second);
	put(self->fd);
	put(self->fd);
	EXPECT_EQ(1, told(self->eventfd));
	EXPECT_EQ(2, told(self->second));
}

TEST_F(notify_once, one_is_exclusive)
{
	ASSERT_EQ(0, box_notify_so(self->fd, EXCLUSIVE, MESSAGE, self->eventfd));
	EXPECT_REFUSED(self->device, self->fd, EBUSY,
		       box_notify_so(self->other, EXCLUSIVE, MESSAGE, self->second));
	/* It is no matter of processes, nor of events. */
	EXPECT_EQ(-EBUSY, box_notify_so(self->other, EXCLUSIVE | ONCE, FIRST, self->second));
	put(self->fd);
	EXPECT_EQ(1, told(self->eventfd));
	EXPECT_EQ(0, told(self->second));
	/* Of those who ask for it only. */
	box_notify(self->other, MESSAGE, self->second);
	put(self->fd);
	EXPECT_EQ(1, told(self->eventfd));
	EXPECT_EQ(1, told(self->second));
}

TEST_F(notify_once, a_refused_one_changes_nothing_of_what_the_handle_had)
{
	ASSERT_EQ(0, box_notify_so(self->fd, EXCLUSIVE, MESSAGE, self->eventfd));
	box_notify(self->other, MESSAGE, self->second);
	EXPECT_EQ(-EBUSY, box_notify_so(self->other, EXCLUSIVE, FIRST, self->eventfd));
	put(self->fd);
	EXPECT_EQ(1, told(self->eventfd));
	EXPECT_EQ(1, told(self->second));
}

TEST_F(notify_once, the_exclusive_one_may_change_its_mind)
{
	ASSERT_EQ(0, box_notify_so(self->fd, EXCLUSIVE, MESSAGE, self->eventfd));
	ASSERT_EQ(0, box_notify_so(self->fd, EXCLUSIVE, MESSAGE, self->second));
	put(self->fd);
	EXPECT_EQ(0, told(self->eventfd));
	EXPECT_EQ(1, told(self->second));
	EXPECT_EQ(-EBUSY, box_notify_so(self->other, EXCLUSIVE, MESSAGE, self->eventfd));
}

/* Each way to let go of it: the other gets it after that, and not before. */
static void expect_freed(FIXTURE_DATA(notify_once) * self)
{
	EXPECT_EQ(0, box_notify_so(self->other, EXCLUSIVE, MESSAGE, self->second));
	box_notify(self->other, 0, -1);
}

TEST_F(notify_once, the_place_is_free_once_it_ends)
{
	const __u32 flags = EXCLUSIVE;
	__u64 grant;
	int fd;

	/* By words; also those that have flags, which say nothing then. */
	ASSERT_EQ(0, box_notify_so(self->fd, flags, MESSAGE, self->eventfd));
	box_notify(self->fd, 0, -1);
	expect_freed(self);
	ASSERT_EQ(0, box_notify_so(self->fd, flags, MESSAGE, self->eventfd));
	ASSERT_EQ(0, box_notify_so(self->fd, flags | ONCE, 0, -1));
	expect_freed(self);
	/* By what is not. */
	ASSERT_EQ(0, box_notify_so(self->fd, flags, MESSAGE, self->eventfd));
	box_notify(self->fd, MESSAGE, self->eventfd);
	expect_freed(self);
	/* When it was told for the last time. */
	ASSERT_EQ(0, box_notify_so(self->fd, flags | ONCE, MESSAGE, self->eventfd));
	EXPECT_EQ(-EBUSY, box_notify_so(self->other, flags, MESSAGE, self->second));
	put(self->fd);
	expect_freed(self);
	/* When the handle is closed, or revoked. */
	fd = box_open(self->device, self->id, NULL, RIGHTS_ALL);
	ASSERT_EQ(0, box_notify_so(fd, flags, MESSAGE, self->eventfd));
	close(fd);
	expect_freed(self);
	fd = box_restrict(self->fd, RIGHTS_ALL, &grant);
	ASSERT_EQ(0, box_notify_so(fd, flags, MESSAGE, self->eventfd));
	ASSERT_EQ(0, box_revoke(self->fd, grant));
	expect_freed(self);
	close(fd);
}

/* What has ended has no place that it could give up, when its handle goes. */
TEST_F(notify_once, what_was_told_leaves_the_place_of_another_alone)
{
	int fd = box_open(self->device, self->id, NULL, RIGHTS_ALL);

	ASSERT_EQ(0, box_notify_so(fd, EXCLUSIVE | ONCE, MESSAGE, self->eventfd));
	put(self->fd);
	ASSERT_EQ(0, box_notify_so(self->fd, EXCLUSIVE, MESSAGE, self->eventfd));
	EXPECT_EQ(-EBUSY, box_notify_so(fd, EXCLUSIVE, MESSAGE, self->second));
	box_notify(fd, MESSAGE, self->second);
	EXPECT_EQ(-EBUSY, box_notify_so(self->other, EXCLUSIVE, MESSAGE, self->second));
	close(fd);
	EXPECT_EQ(-EBUSY, box_notify_so(self->other, EXCLUSIVE, MESSAGE, self->second));
}

TEST_F(notify_once, a_killed_process_frees_the_place)
{
	unsigned int *there = flag_new();
	pid_t pid = child_fork();

	if (!pid) {
		int fd = box_open(self->device, self->id, NULL, RIGHTS_ALL);

		EXPECT_EQ(0, box_notify_so(fd, EXCLUSIVE, MESSAGE, self->eventfd));
		flag_raise(there);
		pause();
	}
	flag_await(there, 1);
	EXPECT_EQ(-EBUSY, box_notify_so(self->other, EXCLUSIVE, MESSAGE, self->second));
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	expect_freed(self);
}

TEST_F(notify_once, first_is_what_arrives_where_there_was_none)
{
	box_notify(self->other, FIRST, self->eventfd);
	put(self->fd);
	EXPECT_EQ(1, told(self->eventfd));
	put(self->fd);
	EXPECT_EQ(0, told(self->eventfd));
	take(self->fd);
	put(self->fd);
	EXPECT_EQ(0, told(self->eventfd));
	take(self->fd);
	take(self->fd);
	EXPECT_EQ(0, told(self->eventfd));
	put(self->fd);
	EXPECT_EQ(1, told(self->eventfd));
}

TEST_F(notify_once, first_is_not_what_was_there_before)
{
	put(self->fd);
	ASSERT_EQ(0, box_notify_so(self->other, ONCE | EXCLUSIVE, FIRST, self->eventfd));
	put(self->fd);
	EXPECT_EQ(0, told(self->eventfd));
	take(self->fd);
	take(self->fd);
	put(self->fd);
	EXPECT_EQ(1, told(self->eventfd));
}

TEST_F(notify_once, first_is_not_for_what_a_receiver_waits_for)
{
	pid_t pid;

	ASSERT_EQ(0, box_notify_so(self->other, ONCE, FIRST, self->eventfd));
	pid = child_fork();
	if (!pid) {
		char byte;

		EXPECT_EQ(1, read(self->fd, &byte, 1));
		_exit(0);
	}
	wait_waiters(self->fd, 1, -1);
	put(self->fd);
	child_done(pid);
	EXPECT_EQ(0, told(self->eventfd));
	/* It is asked for still. */
	put(self->fd);
	EXPECT_EQ(1, told(self->eventfd));
}

TEST_F(notify_once, first_is_also_what_comes_back)
{
	__u64 lease;

	put(self->fd);
	lease = box_lease(self->fd);
	box_notify(self->other, FIRST, self->eventfd);
	ASSERT_EQ(0, box_nack(self->fd, lease, 0));
	EXPECT_EQ(1, told(self->eventfd));
	/* What is leased cannot be received: there is none. */
	box_lease(self->fd);
	put(self->fd);
	EXPECT_EQ(1, told(self->eventfd));
}

TEST_F(notify_once, first_is_not_of_a_broadcast)
{
	__u64 id;
	int fd = broadcast_new(self->device, 4, &id);

	EXPECT_REFUSED(self->device, fd, EINVAL, box_notify_try(fd, FIRST, self->eventfd));
	EXPECT_REFUSED(self->device, fd, EINVAL,
		       box_notify_try(fd, FIRST | MESSAGE, self->eventfd));
	close(fd);
}

TEST_F(notify_once, the_device_has_none_of_it)
{
	EXPECT_EQ(-EOPNOTSUPP, box_notify_so(self->device, ONCE, MESSAGE, self->eventfd));
	EXPECT_EQ(-EOPNOTSUPP, box_notify_so(self->device, EXCLUSIVE, MESSAGE, self->eventfd));
}

struct teller {
	int fd;
	unsigned int *go;
};

static void *tell(void *argument)
{
	struct teller *teller = argument;

	flag_await(teller->go, 1);
	put(teller->fd);
	return NULL;
}

/* Two events at once, and the handle goes at the same time, every other time. */
TEST_F_TIMEOUT(notify_once, of_two_at_once_one_is_told, 240)
{
	__u64 times = effort(500), i;

	for (i = 0; i < times; i++) {
		int fd = box_open(self->device, self->id, NULL, MAILBOX_RIGHT_MANAGE);
		struct teller tellers[2] = { { self->fd, flag_new() }, { self->other, NULL } };
		pthread_t threads[2];
		__u64 heard;
		int n;

		ASSERT_LE(0, fd);
		tellers[1].go = tellers[0].go;
		ASSERT_EQ(0, box_notify_so(fd, ONCE | EXCLUSIVE, MESSAGE, self->eventfd));
		for (n = 0; n < 2; n++)
			ASSERT_EQ(0, pthread_create(&threads[n], NULL, tell, &tellers[n]));
		flag_raise(tellers[0].go);
		if (i & 1)
			close(fd);
		for (n = 0; n < 2; n++)
			pthread_join(threads[n], NULL);
		heard = told(self->eventfd);
		if (i & 1)
			EXPECT_GE(1, heard);
		else
			EXPECT_EQ(1, heard);
		EXPECT_EQ(0, box_notify_so(self->fd, EXCLUSIVE, MESSAGE, self->second));
		box_notify(self->fd, 0, -1);
		take(self->fd);
		take(self->fd);
		if (!(i & 1))
			close(fd);
		munmap(tellers[0].go, sizeof(*tellers[0].go));
	}
}

TEST_HARNESS_MAIN
