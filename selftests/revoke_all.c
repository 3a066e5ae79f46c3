// SPDX-License-Identifier: GPL-2.0
/*
 * REVOKE of all derived handles of a mailbox. What revocation does to one is in revoke.c and
 * the programs that it names.
 */
#include "common_grant.h"
#include "common_notify.h"

#include <pthread.h>

FIXTURE(revoke_all)
{
	int device;
	int fd;
};

FIXTURE_SETUP(revoke_all)
{
	self->device = device_open();
	self->fd = box_new(self->device);
}

FIXTURE_TEARDOWN(revoke_all)
{
	close(self->fd);
	close(self->device);
}

TEST_F(revoke_all, succeeds_where_there_is_none)
{
	int fd = box_open(self->device, box_stat(self->fd).id, NULL, RIGHTS_ALL);
	struct state before = state_take(self->device, self->fd);

	EXPECT_EQ(0, box_revoke_all(self->fd));
	EXPECT_UNCHANGED(self->device, self->fd, before);
	EXPECT_FALSE(is_revoked(self->fd));
	EXPECT_FALSE(is_revoked(fd));
	close(fd);
}

TEST_F(revoke_all, with_a_grant_is_einval)
{
	struct mailbox_revoke args = { .size = sizeof(args), .flags = MAILBOX_REVOKE_ALL };
	__u64 grant;
	int fd = box_restrict(self->fd, RIGHTS_ALL, &grant);

	args.grant = grant;
	EXPECT_REFUSED(self->device, self->fd, EINVAL, call(self->fd, MAILBOX_IOC_REVOKE, &args));
	args.grant = POISON64;
	EXPECT_REFUSED(self->device, self->fd, EINVAL, call(self->fd, MAILBOX_IOC_REVOKE, &args));
	args.grant = 0;
	args.flags |= 1;
	EXPECT_REFUSED(self->device, self->fd, EOPNOTSUPP,
		       call(self->fd, MAILBOX_IOC_REVOKE, &args));
	EXPECT_FALSE(is_revoked(fd));
	close(fd);
}

TEST_F(revoke_all, needs_the_right_to_manage)
{
	__u64 grant;
	int fd = box_restrict(self->fd, MAILBOX_RIGHT_SEND | MAILBOX_RIGHT_RECEIVE, &grant);

	EXPECT_REFUSED(self->device, self->fd, EACCES, box_revoke_all(fd));
	EXPECT_FALSE(is_revoked(fd));
	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	EXPECT_EQ(-EIDRM, box_revoke_all(self->fd));
	close(fd);
}

/*
 *	0 -- 1 -- 2 -- 3	0, 4 and 8 come from an opened handle
 *	4 -- 5
 *	|`-- 6
 *	`--- 7
 *	8
 */
#define FOREST 9
static const int parents[FOREST] = { -1, 0, 1, 2, -1, 4, 4, 4, -1 };

TEST_F(revoke_all, reaches_each_whoever_else_is_closed)
{
	unsigned int closed, step = effort(100) < 100 ? 13 : 1;
	int fds[FOREST], i;
	__u64 grant;

	for (closed = 0; closed < 1 << FOREST; closed += step) {
		for (i = 0; i < FOREST; i++)
			fds[i] = box_restrict(parents[i] < 0 ? self->fd : fds[parents[i]],
					      RIGHTS_ALL, &grant);
		for (i = 0; i < FOREST; i++)
			if (closed & 1U << i)
				close(fds[i]);
		EXPECT_EQ(0, box_revoke_all(self->fd));
		for (i = 0; i < FOREST; i++) {
			if (closed & 1U << i)
				continue;
			EXPECT_TRUE(is_revoked(fds[i])) TH_LOG("%d of %x", i, closed);
			close(fds[i]);
		}
	}
	EXPECT_FALSE(is_revoked(self->fd));
	EXPECT_EQ(1, box_stat(self->fd).handles);
}

TEST_F(revoke_all, once_more_and_of_others)
{
	int another = box_new(self->device), fds[2], spared;
	__u64 grant;

	spared = box_restrict(another, RIGHTS_ALL, &grant);
	fds[0] = box_restrict(self->fd, RIGHTS_ALL, &grant);
	EXPECT_EQ(0, box_revoke_all(self->fd));
	/* Those that come later are as if nothing had been. */
	fds[1] = box_restrict(self->fd, RIGHTS_ALL, &grant);
	EXPECT_TRUE(is_revoked(fds[0]));
	EXPECT_FALSE(is_revoked(fds[1]));
	EXPECT_EQ(0, box_send_text(fds[1], "x", 0, 0));
	EXPECT_EQ(0, box_revoke_all(self->fd));
	EXPECT_TRUE(is_revoked(fds[1]));
	/* Of another mailbox. */
	EXPECT_FALSE(is_revoked(spared));
	close(fds[0]);
	close(fds[1]);
	close(spared);
	close(another);
}

TEST_F(revoke_all, oneself)
{
	__u64 grant;
	int fd = box_restrict(self->fd, RIGHTS_ALL, &grant);

	EXPECT_EQ(0, box_revoke_all(fd));
	EXPECT_TRUE(is_revoked(fd));
	EXPECT_EQ(-EACCES, box_revoke_all(fd));
	EXPECT_FALSE(is_revoked(self->fd));
	close(fd);
}

static pid_t waiting(int fd, int ret)
{
	pid_t pid = child_fork();
	char data[8];

	if (!pid) {
		struct mailbox_receive args = receive_args(data, sizeof(data));

		args.flags = 0;
		EXPECT_EQ(ret, box_receive(fd, &args));
		_exit(0);
	}
	return pid;
}

TEST_F(revoke_all, ends_waits_and_leases_and_tells)
{
	int fds[3], eventfds[3], i;
	pid_t pids[3], spared;
	__u64 grant;

	for (i = 0; i < 3; i++) {
		fds[i] = box_restrict(i == 1 ? fds[0] : self->fd, RIGHTS_ALL, &grant);
		ASSERT_EQ(0, box_send_text(self->fd, "leased", 0, 0));
		box_lease(fds[i]);
		eventfds[i] = eventfd_new();
		/* Of what does not happen here: room there may be before it is this one's turn. */
		box_notify(fds[i], MAILBOX_EVENT_ABANDONED, eventfds[i]);
	}
	for (i = 0; i < 3; i++) {
		pids[i] = waiting(fds[i], -EACCES);
		wait_waiters(self->fd, i + 1, -1);
	}
	/* Through a handle that is not derived: it gets what goes back. */
	spared = waiting(self->fd, 0);
	wait_waiters(self->fd, 4, -1);
	EXPECT_EQ(0, box_revoke_all(self->fd));
	for (i = 0; i < 3; i++) {
		child_done(pids[i]);
		EXPECT_EQ(1, told(eventfds[i]));
		close(eventfds[i]);
		close(fds[i]);
	}
	child_done(spared);
	EXPECT_EQ(0, box_stat(self->fd).leased);
	EXPECT_EQ(2, box_stat(self->fd).messages);
	EXPECT_EQ(3, box_stat(self->fd).redelivered);
}

/* What somebody makes meanwhile, of a handle that is to be revoked, and of one that is not. */
struct maker {
	int from;
	unsigned int ready;
	unsigned int stop;
	unsigned int nr;
	int last;
	int fds[64];
};

static void *derives(void *arg)
{
	struct maker *maker = arg;
	__u64 grant;

	flag_raise(&maker->ready);
	while (!__atomic_load_n(&maker->stop, __ATOMIC_ACQUIRE)) {
		maker->last = box_restrict_try(maker->from, RIGHTS_ALL, &grant);
		if (maker->last < 0)
			break;
		/* Half of those there is room for stay. */
		if (maker->nr < ARRAY_SIZE(maker->fds) && grant % 2)
			maker->fds[maker->nr++] = maker->last;
		else
			close(maker->last);
	}
	return NULL;
}

TEST_F(revoke_all, reaches_what_is_derived_meanwhile)
{
	__u64 i, rounds = effort(50);
	unsigned int j;

	for (i = 0; i < rounds; i++) {
		struct maker maker = { 0 };
		pthread_t thread;
		__u64 grant;

		maker.from = box_restrict(self->fd, RIGHTS_ALL, &grant);
		ASSERT_EQ(0, pthread_create(&thread, NULL, derives, &maker));
		flag_await(&maker.ready, 1);
		EXPECT_EQ(0, box_revoke_all(self->fd));
		pthread_join(thread, NULL);
		EXPECT_EQ(-EACCES, maker.last);
		for (j = 0; j < maker.nr; j++) {
			EXPECT_TRUE(is_revoked(maker.fds[j]));
			close(maker.fds[j]);
		}
		close(maker.from);
	}
	EXPECT_EQ(1, box_stat(self->fd).handles);
}

/* Or it would never end. */
TEST_F(revoke_all, does_not_wait_for_who_derives_from_an_opened_handle)
{
	__u64 i, rounds = effort(50);
	struct maker maker = { .from = self->fd };
	pthread_t thread;

	maker.nr = ARRAY_SIZE(maker.fds);
	ASSERT_EQ(0, pthread_create(&thread, NULL, derives, &maker));
	flag_await(&maker.ready, 1);
	for (i = 0; i < rounds; i++)
		EXPECT_EQ(0, box_revoke_all(self->fd));
	flag_raise(&maker.stop);
	pthread_join(thread, NULL);
	EXPECT_FALSE(is_revoked(self->fd));
	EXPECT_EQ(1, box_stat(self->fd).handles);
}

TEST_HARNESS_MAIN
