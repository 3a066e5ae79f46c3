// SPDX-License-Identifier: GPL-2.0
/*
 * REVOKE ends the calls that wait through a handle, and those of others go on. The same
 * against chance is in races.c.
 */
#include "common_grant.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/select.h>

FIXTURE(revoke_wait)
{
	int device;
	int fd;
	__u64 id;
	/* With all rights. */
	int derived;
	__u64 grant;
};

FIXTURE_SETUP(revoke_wait)
{
	self->device = device_open();
	self->fd = box_new_limited(self->device, MAILBOX_ON_FULL_WAIT, 8);
	self->id = box_stat(self->fd).id;
	self->derived = box_restrict(self->fd, RIGHTS_ALL, &self->grant);
}

FIXTURE_TEARDOWN(revoke_wait)
{
	close(self->derived);
	close(self->fd);
	close(self->device);
}

struct wait {
	pthread_t thread;
	int fd;
	enum { RECEIVES, LEASES, PEEKS, BY_TYPE, SENDS, SENDS_SHORT, BATCHES, READS, WRITES } kind;
	int result;
};

static void *waits(void *argument)
{
	struct wait *wait = argument;
	char text[16];
	struct mailbox_receive receive = receive_args(text, sizeof(text));
	struct mailbox_send send = send_args("late", 4), sends[2] = { send, send };

	receive.flags = wait->kind == LEASES ? MAILBOX_LEASE :
			wait->kind == PEEKS  ? MAILBOX_PEEK :
					       0;
	receive.lease = 0;
	if (wait->kind == BY_TYPE) {
		receive.select = MAILBOX_SELECT_TYPE;
		receive.match = 77;
	}
	send.flags = 0;
	switch (wait->kind) {
	case SENDS_SHORT:
		send.length = 2;
		wait->result = box_send(wait->fd, &send);
		break;
	case SENDS:
		wait->result = box_send(wait->fd, &send);
		break;
	case BATCHES: {
		struct mailbox_batch batch = {
			.size = sizeof(batch),
			.entries = user_pointer(sends),
			.entry_size = sizeof(sends[0]),
			.nr = 2,
		};

		sends[0].flags = 0;
		sends[1].flags = 0;
		wait->result = call(wait->fd, MAILBOX_IOC_SEND_BATCH, &batch);
		break;
	}
	case READS:
		wait->result = read(wait->fd, text, sizeof(text)) < 0 ? -errno : 0;
		break;
	case WRITES:
		wait->result = write(wait->fd, "late", 4) < 0 ? -errno : 0;
		break;
	default:
		wait->result = box_receive(wait->fd, &receive);
	}
	return NULL;
}

static void wait_start(struct wait *wait, int fd, int kind)
{
	wait->fd = fd;
	wait->kind = kind;
	wait->result = 1;
	ASSERT_EQ(0, pthread_create(&wait->thread, NULL, waits, wait));
}

static int wait_end(struct wait *wait)
{
	ASSERT_EQ(0, pthread_join(wait->thread, NULL));
	return wait->result;
}

TEST_F(revoke_wait, ends_the_waits_of_receivers)
{
	static const int kinds[] = { RECEIVES, LEASES, PEEKS, BY_TYPE, READS };
	struct wait waits[ARRAY_SIZE(kinds)], other;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		wait_start(&waits[i], self->derived, kinds[i]);
	wait_start(&other, self->fd, RECEIVES);
	wait_waiters(self->fd, ARRAY_SIZE(kinds) + 1, 0);
	ASSERT_EQ(0, box_revoke(self->fd, self->grant));
	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		EXPECT_EQ(-EACCES, wait_end(&waits[i]));
	/* Those of others go on. */
	EXPECT_EQ(1, box_stat(self->fd).receivers);
	EXPECT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	EXPECT_EQ(0, wait_end(&other));
	EXPECT_EQ(1, box_stat(self->fd).received);
}

/* The lease ends as well, and its message is for others. */
TEST_F(revoke_wait, what_comes_back_is_not_for_those_who_wait_through_it)
{
	struct wait wait;

	ASSERT_EQ(0, box_send_text(self->fd, "leased", 0, 0));
	box_lease(self->derived);
	wait_start(&wait, self->derived, RECEIVES);
	wait_waiters(self->fd, 1, 0);
	ASSERT_EQ(0, box_revoke(self->fd, self->grant));
	EXPECT_EQ(-EACCES, wait_end(&wait));
	expect_delivered(self->fd, "leased", 1);
}

/* More than are ended in one go. */
TEST_F(revoke_wait, ends_many_waits)
{
	enum { MANY = 70 };
	static struct wait waits[MANY];
	int i;

	for (i = 0; i < MANY; i++)
		wait_start(&waits[i], self->derived, i % 2 ? RECEIVES : PEEKS);
	wait_waiters(self->fd, MANY, 0);
	ASSERT_EQ(0, box_revoke(self->fd, self->grant));
	EXPECT_EQ(0, box_stat(self->fd).receivers);
	for (i = 0; i < MANY; i++)
		EXPECT_EQ(-EACCES, wait_end(&waits[i]));
}

static void fill(int fd, int nr)
{
	while (nr--)
		ASSERT_EQ(0, box_send_text(fd, "full", 0, 0));
}

TEST_F(revoke_wait, ends_the_waits_of_senders_in_line)
{
	static const int kinds[] = { SENDS, BATCHES, WRITES };
	struct wait waits[ARRAY_SIZE(kinds)], behind;
	unsigned int i;

	fill(self->fd, 8);
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		wait_start(&waits[i], self->derived, kinds[i]);
		wait_waiters(self->fd, 0, i + 1);
	}
	wait_start(&behind, self->fd, SENDS);
	wait_waiters(self->fd, 0, i + 1);
	ASSERT_EQ(0, box_revoke(self->fd, self->grant));
	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		EXPECT_EQ(-EACCES, wait_end(&waits[i]));
	EXPECT_EQ(8, box_stat(self->fd).sent);
	expect_delivered(self->fd, "full", 0);
	EXPECT_EQ(0, wait_end(&behind));
	EXPECT_EQ(9, box_stat(self->fd).sent);
	EXPECT_EQ(8, box_stat(self->fd).messages);
}

/* There was room for a short one, but a long one stood before it. */
TEST_F(revoke_wait, lets_those_in_who_waited_behind)
{
	struct mailbox_create args = create_args();
	struct wait ahead, behind;
	__u64 grant;
	int fd, derived;

	args.max_messages = 16;
	args.max_bytes = 10;
	args.message_size = 10;
	fd = box_create(self->device, &args);
	ASSERT_LE(0, fd);
	derived = box_restrict(fd, RIGHTS_ALL, &grant);
	fill(fd, 2);
	wait_start(&ahead, derived, SENDS);
	wait_waiters(fd, 0, 1);
	wait_start(&behind, fd, SENDS_SHORT);
	wait_waiters(fd, 0, 2);
	EXPECT_EQ(0, box_revoke(fd, grant));
	EXPECT_EQ(-EACCES, wait_end(&ahead));
	EXPECT_EQ(0, wait_end(&behind));
	EXPECT_EQ(3, box_stat(fd).messages);
	close(derived);
	close(fd);
}

TEST_F(revoke_wait, ends_the_wait_at_a_rendezvous)
{
	int fd = box_new_capacity(self->device, MAILBOX_CAPACITY_RENDEZVOUS), derived;
	struct wait wait, other;
	__u64 grant;

	derived = box_restrict(fd, RIGHTS_ALL, &grant);
	wait_start(&wait, derived, SENDS);
	wait_waiters(fd, 0, 1);
	wait_start(&other, fd, WRITES);
	wait_waiters(fd, 0, 2);
	ASSERT_EQ(0, box_revoke(fd, grant));
	EXPECT_EQ(-EACCES, wait_end(&wait));
	EXPECT_EQ(0, box_stat(fd).sent);
	EXPECT_EQ(1, box_stat(fd).senders);
	/* That of the other one, and nothing else, can be received. */
	expect_delivered(fd, "late", 0);
	EXPECT_EQ(0, wait_end(&other));
	EXPECT_EQ(1, box_stat(fd).sent);
	expect_nothing(fd);
	close(derived);
	close(fd);
}

static void *polls(void *argument)
{
	struct wait *wait = argument;
	struct pollfd entry = { .fd = wait->fd, .events = POLLIN };

	EXPECT_EQ(1, poll(&entry, 1, -1));
	wait->result = entry.revents;
	return NULL;
}

static void *selects(void *argument)
{
	struct wait *wait = argument;
	fd_set out;

	FD_ZERO(&out);
	FD_SET(wait->fd, &out);
	wait->result = select(wait->fd + 1, NULL, &out, NULL, NULL);
	return NULL;
}

/* Until so many threads of ours besides this one sleep. */
static void wait_threads_sleeping(int nr)
{
	__u64 end = now_ns() + PATIENCE;
	struct dirent *entry;
	int sleeping;
	DIR *dir;

	do {
		ASSERT_LT(now_ns(), end);
		sched_yield();
		sleeping = 0;
		dir = opendir("/proc/self/task");
		ASSERT_TRUE(dir);
		while ((entry = readdir(dir)))
			sleeping += atoi(entry->d_name) > 0 &&
				    thread_state(getpid(), atoi(entry->d_name)) == 'S';
		closedir(dir);
	} while (sleeping != nr);
}

TEST_F(revoke_wait, wakes_who_polls)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLEXCLUSIVE };
	struct wait polling = { .fd = self->derived };
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, self->derived, &event));
	ASSERT_EQ(0, pthread_create(&polling.thread, NULL, polls, &polling));
	wait_threads_sleeping(1);
	EXPECT_EQ(0, epoll_wait(epoll, &event, 1, 0));
	ASSERT_EQ(0, box_revoke(self->fd, self->grant));
	EXPECT_EQ(POLLHUP | POLLERR, wait_end(&polling));
	EXPECT_EQ(1, epoll_wait(epoll, &event, 1, 0));
	EXPECT_EQ(EPOLLHUP | EPOLLERR, event.events);
	close(epoll);
}

TEST_F(revoke_wait, ends_a_select_for_writing)
{
	struct wait selecting = { .fd = self->derived };

	fill(self->fd, 8);
	ASSERT_EQ(0, pthread_create(&selecting.thread, NULL, selects, &selecting));
	wait_threads_sleeping(1);
	ASSERT_EQ(0, box_revoke(self->fd, self->grant));
	EXPECT_EQ(1, wait_end(&selecting));
}

TEST_F(revoke_wait, gives_a_lease_to_who_waits_for_it)
{
	struct wait wait;

	ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	box_lease(self->derived);
	wait_start(&wait, self->fd, RECEIVES);
	wait_waiters(self->fd, 1, 0);
	ASSERT_EQ(0, box_revoke(self->fd, self->grant));
	EXPECT_EQ(0, wait_end(&wait));
	EXPECT_EQ(0, box_stat(self->fd).messages);
}

TEST_HARNESS_MAIN
