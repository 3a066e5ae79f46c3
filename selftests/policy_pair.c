// SPDX-License-Identifier: GPL-2.0
/*
 * A mailbox for two processes: who is one of them, and how one leaves. What the other
 * sees then is in policy_alone.c.
 */
#include "puppet.h"

#include <pthread.h>
#include <sys/resource.h>

FIXTURE(pair)
{
	int device;
	/* Neither has inherited what comes next. */
	struct puppet second;
	struct puppet third;
	int fd;
	__u64 id;
};

FIXTURE_SETUP(pair)
{
	self->device = device_open();
	self->second = puppet_new(self->device);
	self->third = puppet_new(self->device);
	self->fd = box_new_policy(self->device, MAILBOX_POLICY_PAIR);
	self->id = box_stat(self->fd).id;
}

FIXTURE_TEARDOWN(pair)
{
	puppets_end();
	close(self->fd);
	close(self->device);
}

static void expect_room(FIXTURE_DATA(pair) * self)
{
	int fd = puppet_open(&self->third, self->id, MAILBOX_RIGHT_SEND);

	ASSERT_LE(0, fd);
	EXPECT_EQ(0, puppet_does(&self->third, CLOSE, fd));
}

static void expect_no_room(FIXTURE_DATA(pair) * self)
{
	struct mailbox_stat before = box_stat(self->fd);
	__u32 rights;

	for (rights = 1; rights <= RIGHTS_ALL; rights++)
		EXPECT_EQ(-EBUSY, puppet_open(&self->third, self->id, rights));
	EXPECT_EQ(before.handles, box_stat(self->fd).handles);
	EXPECT_EQ(0, poll_now(self->fd, POLLHUP));
}

static int second_opens(FIXTURE_DATA(pair) * self)
{
	int fd = puppet_open(&self->second, self->id, RIGHTS_ALL);

	ASSERT_LE(0, fd);
	return fd;
}

TEST_F(pair, has_room_for_two)
{
	int fd;

	EXPECT_EQ(MAILBOX_POLICY_PAIR, box_stat(self->fd).policy);
	fd = second_opens(self);
	expect_no_room(self);
	EXPECT_EQ(0, puppet_sends(&self->second, fd, "x"));
	expect_delivered(self->fd, "x", 0);
	EXPECT_EQ(0, box_send_text(self->fd, "y", 0, 0));
	EXPECT_EQ(0, puppet_receives(&self->second, fd, "y"));
}

TEST_F(pair, third_is_told_what_else_is_wrong_first)
{
	second_opens(self);
	EXPECT_EQ(-EINVAL, puppet_open(&self->third, self->id, 0));
	EXPECT_EQ(-ENOENT, puppet_open(&self->third, self->id + 100, RIGHTS_ALL));
}

TEST_F(pair, counts_processes)
{
	int handles[3], fd, i;

	/* We are one, however many descriptors we have. */
	for (i = 0; i < 3; i++) {
		handles[i] = box_open(self->device, self->id, NULL, RIGHTS_ALL);
		ASSERT_LE(0, handles[i]);
		ASSERT_LE(0, dup(handles[i]));
	}
	expect_room(self);
	second_opens(self);
	fd = second_opens(self);
	EXPECT_LE(0, puppet_does(&self->second, DUP, fd));
	EXPECT_EQ(0, puppet_sends(&self->second, fd, "x"));
	for (i = 0; i < 3; i++)
		expect_no_room(self);
	handles[0] = box_open(self->device, self->id, NULL, RIGHTS_ALL);
	EXPECT_LE(0, handles[0]);
}

struct thread_of {
	int device;
	int fd;
	__u64 id;
	bool unshares;
	int opened;
	int sent;
};

static void *opens_and_sends(void *data)
{
	struct thread_of *of = data;

	if (of->unshares)
		EXPECT_EQ(0, unshare(CLONE_FILES));
	of->opened = box_open(of->device, of->id, NULL, RIGHTS_ALL);
	of->sent = box_send_text(of->fd, "x", 0, 0);
	return NULL;
}

static void in_thread(struct thread_of *of)
{
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, opens_and_sends, of));
	ASSERT_EQ(0, pthread_join(thread, NULL));
}

TEST_F(pair, counts_no_threads)
{
	struct thread_of of = { .device = self->device, .fd = self->fd, .id = self->id };

	in_thread(&of);
	EXPECT_LE(0, of.opened);
	EXPECT_EQ(0, of.sent);
	expect_room(self);
	second_opens(self);
	in_thread(&of);
	EXPECT_LE(0, of.opened);
	EXPECT_EQ(0, of.sent);
	/* With a table of its own it is another process. */
	of.unshares = true;
	in_thread(&of);
	EXPECT_EQ(-EBUSY, of.opened);
	EXPECT_EQ(-EPERM, of.sent);
}

/* With what it has inherited or was passed: all that such a process is refused. */
static void expect_stranger(const struct puppet *puppet, int fd)
{
	EXPECT_EQ(-EPERM, puppet_sends(puppet, fd, "x"));
	EXPECT_EQ(-EPERM, puppet_receives(puppet, fd, ""));
	EXPECT_EQ(-EPERM, puppet_ask(puppet, &(struct order){ .what = RECEIVE, .fd = fd }));
	EXPECT_EQ(-EPERM, puppet_ask(puppet, &(struct order){ .what = SEND, .fd = fd }));
	EXPECT_EQ(-EPERM,
		  puppet_ask(puppet,
			     &(struct order){ .what = RECEIVE, .fd = fd, .flags = MAILBOX_PEEK }));
	EXPECT_EQ(0, puppet_polls(puppet, fd, POLLIN));
}

TEST_F(pair, child_that_only_holds_a_handle_does_not_count)
{
	struct puppet child = puppet_new(self->device);

	EXPECT_EQ(POLLOUT, puppet_polls(&child, self->fd, POLLIN | POLLOUT));
	EXPECT_EQ(0, puppet_does(&child, CLOSE, self->fd));
	EXPECT_EQ(0, poll_now(self->fd, POLLHUP));
	expect_room(self);
	puppet_kill(&child);
}

TEST_F(pair, child_joins_by_sending)
{
	struct puppet child = puppet_new(self->device);

	EXPECT_EQ(0, puppet_sends(&child, self->fd, "x"));
	expect_no_room(self);
	puppet_kill(&child);
	EXPECT_EQ(POLLHUP, poll_now(self->fd, POLLHUP));
	expect_delivered(self->fd, "x", 0);
}

/* Also where nothing comes of it. */
TEST_F(pair, child_joins_by_trying_to_receive)
{
	struct puppet child = puppet_new(self->device);

	EXPECT_EQ(-EAGAIN, puppet_receives(&child, self->fd, ""));
	expect_no_room(self);
	EXPECT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	EXPECT_EQ(POLLIN, puppet_polls(&child, self->fd, POLLIN));
	EXPECT_EQ(0, puppet_receives(&child, self->fd, "x"));
	puppet_kill(&child);
}

TEST_F(pair, child_is_refused_where_there_are_two)
{
	struct puppet child = puppet_new(self->device);
	int fd = second_opens(self);
	struct mailbox_stat before;

	ASSERT_EQ(0, box_send_text(self->fd, "for the second", 0, 0));
	before = box_stat(self->fd);
	expect_stranger(&child, self->fd);
	EXPECT_EQ(-EBUSY, puppet_open(&child, self->id, RIGHTS_ALL));
	EXPECT_EQ(before.sent, box_stat(self->fd).sent);
	EXPECT_EQ(before.received, box_stat(self->fd).received);
	/* Its end is none of theirs. */
	puppet_kill(&child);
	EXPECT_EQ(0, poll_now(self->fd, POLLHUP));
	EXPECT_EQ(0, puppet_receives(&self->second, fd, "for the second"));
}

TEST_F(pair, child_takes_a_place_that_was_left)
{
	struct puppet child = puppet_new(self->device);

	second_opens(self);
	expect_stranger(&child, self->fd);
	puppet_kill(&self->second);
	EXPECT_EQ(POLLHUP, poll_now(self->fd, POLLHUP));
	EXPECT_EQ(0, puppet_sends(&child, self->fd, "x"));
	expect_no_room(self);
	expect_delivered(self->fd, "x", 0);
	puppet_kill(&child);
}

TEST_F(pair, child_takes_the_place_of_its_parent)
{
	struct puppet child = puppet_new(self->device);
	int fd = second_opens(self);

	EXPECT_EQ(0, puppet_sends(&self->second, fd, "x"));
	expect_stranger(&child, self->fd);
	close(self->fd);
	EXPECT_EQ(POLLHUP, puppet_polls(&self->second, fd, POLLHUP));
	EXPECT_EQ(0, puppet_receives(&child, self->fd, "x"));
	EXPECT_EQ(0, puppet_polls(&self->second, fd, POLLHUP));
	puppet_kill(&child);
}

TEST_F(pair, third_with_a_passed_handle_is_refused)
{
	int fd;

	second_opens(self);
	fd = puppet_is_passed(&self->third, self->fd);
	ASSERT_LE(0, fd);
	expect_stranger(&self->third, fd);
	EXPECT_EQ(0, puppet_does(&self->third, CLOSE, fd));
	expect_no_room(self);
}

TEST_F(pair, second_may_have_been_passed_its_handle)
{
	int fd = puppet_is_passed(&self->second, self->fd);

	expect_room(self);
	EXPECT_EQ(-EAGAIN, puppet_receives(&self->second, fd, ""));
	expect_no_room(self);
}

/* Every way to leave; each time the place is free for the next, who leaves too. */
TEST_F(pair, second_leaves_and_another_comes)
{
	static const enum what ways[] = { CLOSE, EXIT, EXEC, YIELD };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		struct puppet puppet = puppet_new(self->device);
		int fd;

		/* With nothing but what it opens. */
		EXPECT_EQ(0, puppet_does(&puppet, CLOSE, self->fd));
		fd = puppet_open(&puppet, self->id, MAILBOX_RIGHT_SEND);
		ASSERT_LE(0, fd);
		expect_no_room(self);
		if (ways[i] == CLOSE)
			EXPECT_EQ(0, puppet_does(&puppet, CLOSE, fd));
		else if (ways[i] == EXEC)
			puppet_exec(&puppet);
		else if (ways[i] == EXIT)
			puppet_exit(&puppet);
		else
			puppet_kill(&puppet);
		EXPECT_EQ(POLLHUP, poll_now(self->fd, POLLHUP)) TH_LOG("way %u", i);
		expect_room(self);
		if (ways[i] == CLOSE || ways[i] == EXEC)
			puppet_kill(&puppet);
	}
	EXPECT_EQ(1, box_stat(self->fd).handles);
}

TEST_F(pair, second_stays_with_its_last_descriptor)
{
	int fd = second_opens(self), copy, other;

	copy = puppet_does(&self->second, DUP, fd);
	other = second_opens(self);
	EXPECT_EQ(0, puppet_does(&self->second, CLOSE, fd));
	expect_no_room(self);
	EXPECT_EQ(0, puppet_does(&self->second, CLOSE, other));
	expect_no_room(self);
	EXPECT_EQ(0, puppet_sends(&self->second, copy, "x"));
	EXPECT_EQ(0, puppet_does(&self->second, CLOSE, copy));
	EXPECT_EQ(POLLHUP, poll_now(self->fd, POLLHUP));
	expect_room(self);
	/* It may come back. */
	fd = second_opens(self);
	EXPECT_EQ(0, puppet_receives(&self->second, fd, "x"));
	expect_no_room(self);
}

/* Under way in a socket a descriptor is nobody's. */
TEST_F(pair, second_leaves_with_its_descriptor_under_way)
{
	int sockets[2], other = box_new(self->device);

	second_opens(self);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets));
	pass_descriptor(sockets[0], self->fd);
	ASSERT_EQ(self->fd, dup2(other, self->fd));
	close(other);
	expect_room(self);
	other = take_descriptor(sockets[1]);
	EXPECT_EQ(-EAGAIN, box_try(other));
	EXPECT_EQ(-EBUSY, puppet_open(&self->third, self->id, RIGHTS_ALL));
	close(other);
	close(sockets[0]);
	close(sockets[1]);
}

TEST_F(pair, failed_open_takes_no_place)
{
	struct mailbox_open args = { .size = sizeof(args), .rights = RIGHTS_ALL, .id = self->id };
	pid_t pid = child_fork();

	if (!pid) {
		struct rlimit none = { 0, 0 };

		close(self->fd);
		EXPECT_EQ(-EFAULT,
			  call(self->device, MAILBOX_IOC_OPEN, readonly_new(&args, sizeof(args))));
		ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &none));
		EXPECT_EQ(-EMFILE, box_open(self->device, self->id, NULL, RIGHTS_ALL));
		_exit(0);
	}
	child_done(pid);
	/* Nobody was there who could have left. */
	EXPECT_EQ(POLLOUT, poll_now(self->fd, POLLIN | POLLOUT));
	EXPECT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	second_opens(self);
	expect_no_room(self);
}

/* Of a crowd that comes at once one gets in, and when it leaves the next. */
TEST_F(pair, crowd_gets_in_one_by_one)
{
	enum { NR = 6 };
	uint32_t rounds = effort(200) / NR + 1, i;
	unsigned int *inside = flag_new(), *go = flag_new(), *entered = flag_new();
	pid_t pids[NR];

	for (i = 0; i < NR; i++) {
		pids[i] = child_fork();
		if (!pids[i]) {
			uint32_t times = 0;

			close(self->fd);
			flag_await(go, 1);
			while (times < rounds) {
				int fd = box_open(self->device, self->id, NULL, RIGHTS_ALL);

				if (fd == -EBUSY) {
					sched_yield();
					continue;
				}
				ASSERT_LE(0, fd);
				ASSERT_EQ(1, __atomic_add_fetch(inside, 1, __ATOMIC_SEQ_CST));
				ASSERT_EQ(0, box_send_text(fd, "x", 0, 0));
				__atomic_sub_fetch(inside, 1, __ATOMIC_SEQ_CST);
				if (++times < rounds)
					close(fd);
				flag_raise(entered);
			}
			_exit(0);
		}
	}
	flag_raise(go);
	for (i = 0; i < NR; i++)
		child_done(pids[i]);
	EXPECT_EQ(NR * rounds, *entered);
	EXPECT_EQ(NR * rounds, box_stat(self->fd).sent);
	EXPECT_EQ(1, box_stat(self->fd).handles);
	expect_room(self);
}

/* One thread opens while another closes: in the end the process has its place, or has none. */
static void *opens(void *data)
{
	struct thread_of *of = data;

	of->opened = box_open(of->device, of->id, NULL, RIGHTS_ALL);
	return NULL;
}

TEST_F(pair, open_against_close)
{
	uint32_t rounds = effort(1000), i;
	pid_t pid = child_fork();

	if (!pid) {
		struct thread_of of = { .device = self->device, .id = self->id };
		int fd;

		close(self->fd);
		fd = box_open(self->device, self->id, NULL, RIGHTS_ALL);
		for (i = 0; i < rounds; i++) {
			pthread_t thread;

			ASSERT_LE(0, fd);
			ASSERT_EQ(0, pthread_create(&thread, NULL, opens, &of));
			if (i % 2)
				sched_yield();
			close(fd);
			ASSERT_EQ(0, pthread_join(thread, NULL));
			fd = of.opened;
			/* Without a call that would take the place if it had not. */
			ASSERT_EQ(0, poll_now(fd, POLLHUP));
		}
		_exit(0);
	}
	child_done(pid);
	EXPECT_EQ(POLLHUP, poll_now(self->fd, POLLHUP));
	expect_room(self);
}

TEST_F(pair, destroyed_is_eidrm_for_strangers_too)
{
	struct puppet child = puppet_new(self->device);

	second_opens(self);
	EXPECT_EQ(-EPERM, puppet_sends(&child, self->fd, "x"));
	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	EXPECT_EQ(-EIDRM, puppet_sends(&child, self->fd, "x"));
	EXPECT_EQ(-EIDRM, puppet_receives(&child, self->fd, ""));
	EXPECT_EQ(-EIDRM, box_send_text(self->fd, "x", 0, 0));
	puppet_kill(&child);
}

TEST_HARNESS_MAIN
