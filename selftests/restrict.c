// SPDX-License-Identifier: GPL-2.0
/*
 * RESTRICT: which handles can be derived from which, and that they are handles like others.
 */
#include "common_grant.h"
#include "passing.h"
#include "world.h"

#include <sys/resource.h>

FIXTURE(restrict_call)
{
	int device;
	int fd;
	__u64 id;
};

FIXTURE_SETUP(restrict_call)
{
	self->device = device_open();
	self->fd = box_new(self->device);
	self->id = box_stat(self->fd).id;
}

FIXTURE_TEARDOWN(restrict_call)
{
	close(self->fd);
	close(self->device);
}

static void expect_rights(int fd, __u32 rights)
{
	char text[8];

	EXPECT_EQ(rights, box_stat(fd).rights);
	EXPECT_EQ(rights & MAILBOX_RIGHT_SEND ? 0 : -EACCES, box_send_text(fd, "x", 0, 0));
	EXPECT_EQ(!(rights & MAILBOX_RIGHT_RECEIVE) ? -EACCES :
		  rights & MAILBOX_RIGHT_SEND	    ? 1 :
						      -EAGAIN,
		  box_receive_text(fd, text, sizeof(text)));
	EXPECT_EQ(rights & MAILBOX_RIGHT_MANAGE ? -ENOENT : -EACCES, box_revoke(fd, 1000));
}

TEST_F(restrict_call, every_subset_of_every_rights)
{
	__u32 rights, wanted;

	for (rights = 1; rights <= RIGHTS_ALL; rights++) {
		int fd = box_open(self->device, self->id, NULL, rights);

		ASSERT_LE(0, fd);
		for (wanted = 1; wanted <= RIGHTS_ALL; wanted++) {
			char text[8];
			__u64 grant;
			int derived;

			if (wanted & ~rights) {
				EXPECT_REFUSED(self->device, fd, EACCES,
					       box_restrict_try(fd, wanted, &grant));
				continue;
			}
			derived = box_restrict(fd, wanted, &grant);
			expect_rights(derived, wanted);
			close(derived);
			while (box_receive_text(self->fd, text, sizeof(text)) > 0)
				;
		}
		close(fd);
	}
}

TEST_F(restrict_call, never_gets_more_back)
{
	__u64 grant;
	int fd = box_restrict(self->fd, MAILBOX_RIGHT_SEND, &grant);
	__u32 rights;

	for (rights = 2; rights <= RIGHTS_ALL; rights++)
		EXPECT_EQ(-EACCES, box_restrict_try(fd, rights, &grant));
	close(fd);
}

TEST_F(restrict_call, rights_that_do_not_exist)
{
	__u64 grant;
	int i;

	EXPECT_REFUSED(self->device, self->fd, EINVAL, box_restrict_try(self->fd, 0, &grant));
	for (i = 3; i < 32; i++) {
		__u32 rights = 1U << i;

		EXPECT_REFUSED(self->device, self->fd, EINVAL,
			       box_restrict_try(self->fd, rights, &grant));
		EXPECT_EQ(-EINVAL, box_restrict_try(self->fd, rights | RIGHTS_ALL, &grant));
	}
}

TEST_F(restrict_call, flags)
{
	struct mailbox_restrict args;
	char text[8];
	int i;

	for (i = 1; i < 32; i++) {
		args = restrict_args(RIGHTS_ALL);
		args.flags = 1U << i;
		if (args.flags == MAILBOX_STREAM)
			continue;
		EXPECT_REFUSED(self->device, self->fd, EOPNOTSUPP,
			       call(self->fd, MAILBOX_IOC_RESTRICT, &args));
		EXPECT_EQ(POISON64, args.grant);
	}
	args = restrict_args(RIGHTS_ALL);
	args.flags = MAILBOX_NONBLOCK;
	ASSERT_EQ(0, call(self->fd, MAILBOX_IOC_RESTRICT, &args));
	EXPECT_TRUE(fcntl(args.fd, F_GETFL) & O_NONBLOCK);
	EXPECT_EQ(-1, read(args.fd, text, sizeof(text)));
	EXPECT_EQ(EAGAIN, errno);
	close(args.fd);
	/* It is not handed on: a handle says for itself. */
	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, O_NONBLOCK));
	args = restrict_args(RIGHTS_ALL);
	ASSERT_EQ(0, call(self->fd, MAILBOX_IOC_RESTRICT, &args));
	EXPECT_FALSE(fcntl(args.fd, F_GETFL) & O_NONBLOCK);
	EXPECT_EQ(FD_CLOEXEC, fcntl(args.fd, F_GETFD));
	close(args.fd);
}

TEST_F(restrict_call, sizes)
{
	struct {
		struct mailbox_restrict args;
		__u32 tail[3];
	} longer = { .args = restrict_args(RIGHTS_ALL) };
	struct mailbox_revoke revoke = { 0 };
	__u32 size;

	for (size = 0; size < sizeof(longer.args); size++) {
		longer.args.size = size;
		EXPECT_REFUSED(self->device, self->fd, EINVAL,
			       call(self->fd, MAILBOX_IOC_RESTRICT, &longer));
	}
	longer.args.size = sizeof(longer);
	longer.tail[2] = 1;
	EXPECT_REFUSED(self->device, self->fd, E2BIG,
		       call(self->fd, MAILBOX_IOC_RESTRICT, &longer));
	longer.tail[2] = 0;
	ASSERT_EQ(0, call(self->fd, MAILBOX_IOC_RESTRICT, &longer));
	close(longer.args.fd);
	for (size = 0; size < sizeof(revoke); size++) {
		revoke.size = size;
		EXPECT_EQ(-EINVAL, call(self->fd, MAILBOX_IOC_REVOKE, &revoke));
	}
}

TEST_F(restrict_call, the_device_has_none)
{
	__u64 grant;

	EXPECT_EQ(-ENOTTY, box_restrict_try(self->device, RIGHTS_ALL, &grant));
	EXPECT_EQ(-ENOTTY, box_revoke(self->device, 1));
}

/* Nothing is done before the caller can be told. */
TEST_F(restrict_call, an_answer_that_cannot_be_written)
{
	struct mailbox_restrict args = restrict_args(RIGHTS_ALL);
	struct mailbox_restrict *readonly = readonly_new(&args, sizeof(args));
	struct mailbox_restrict *edge = edge_new(sizeof(args) - 4);
	__u64 first, second;

	close(box_restrict(self->fd, RIGHTS_ALL, &first));
	EXPECT_REFUSED(self->device, self->fd, EFAULT,
		       call(self->fd, MAILBOX_IOC_RESTRICT, readonly));
	memcpy(edge, &args, sizeof(args) - 4);
	EXPECT_REFUSED(self->device, self->fd, EFAULT, call(self->fd, MAILBOX_IOC_RESTRICT, edge));
	/* The number is left out, and nobody has it. */
	close(box_restrict(self->fd, RIGHTS_ALL, &second));
	for (; first <= second; first++)
		EXPECT_EQ(-ENOENT, box_revoke(self->fd, first));
}

TEST_F(restrict_call, numbers_count_up_in_each_mailbox)
{
	int other = box_new(self->device), fds[3], i;
	__u64 grant, last = 0;

	for (i = 0; i < 3; i++) {
		fds[i] = box_restrict(self->fd, RIGHTS_ALL, &grant);
		EXPECT_LT(last, grant);
		last = grant;
	}
	/* That of a handle that is closed is not used again. */
	close(fds[2]);
	fds[2] = box_restrict(self->fd, RIGHTS_ALL, &grant);
	EXPECT_EQ(last + 1, grant);
	close(box_restrict(other, RIGHTS_ALL, &grant));
	EXPECT_EQ(1, grant);
	/* It says nothing at another mailbox. */
	close(box_restrict(other, RIGHTS_ALL, &grant));
	EXPECT_EQ(-ENOENT, box_revoke(other, grant));
	EXPECT_FALSE(is_revoked(fds[1]));
	for (i = 0; i < 3; i++)
		close(fds[i]);
	close(other);
}

TEST_F(restrict_call, counts_as_a_handle_and_keeps_the_mailbox)
{
	__u64 grant;
	int fd = box_restrict(self->fd, MAILBOX_RIGHT_RECEIVE | MAILBOX_RIGHT_SEND, &grant);

	EXPECT_EQ(2, box_stat(fd).handles);
	close(self->fd);
	EXPECT_EQ(1, box_stat(fd).handles);
	EXPECT_EQ(0, box_send_text(fd, "x", 0, 0));
	close(fd);
	EXPECT_EQ(-ENOENT, box_open(self->device, self->id, NULL, RIGHTS_ALL));
	self->fd = dup(self->device);
}

TEST_F(restrict_call, chains_end)
{
	int fds[MAILBOX_DERIVE_MAX], fd = self->fd, i;
	__u64 grant, first;

	for (i = 0; i < MAILBOX_DERIVE_MAX; i++) {
		fd = box_restrict(fd, RIGHTS_ALL, &grant);
		fds[i] = fd;
		if (!i)
			first = grant;
	}
	EXPECT_REFUSED(self->device, fd, EMLINK, box_restrict_try(fd, RIGHTS_ALL, &grant));
	/* Also when those in between are closed; one from a shorter chain is another thing. */
	for (i = 0; i < MAILBOX_DERIVE_MAX - 2; i++)
		close(fds[i]);
	EXPECT_EQ(-EMLINK, box_restrict_try(fd, RIGHTS_ALL, &grant));
	close(box_restrict(fds[MAILBOX_DERIVE_MAX - 2], RIGHTS_ALL, &grant));
	ASSERT_EQ(0, box_revoke(self->fd, first));
	EXPECT_TRUE(is_revoked(fd));
	close(fd);
	EXPECT_EQ(0, box_revoke(self->fd, first));
	close(fds[MAILBOX_DERIVE_MAX - 2]);
	EXPECT_EQ(-ENOENT, box_revoke(self->fd, first));
	EXPECT_EQ(1, box_stat(self->fd).handles);
}

TEST_F(restrict_call, no_descriptor_left)
{
	struct rlimit limit, none;
	__u64 grant;
	int ret;

	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &limit));
	none = limit;
	none.rlim_cur = next_descriptor(self->fd);
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &none));
	ret = box_restrict_try(self->fd, RIGHTS_ALL, &grant);
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	EXPECT_EQ(-EMFILE, ret);
	EXPECT_EQ(1, box_stat(self->fd).handles);
}

TEST_F(restrict_call, a_destroyed_mailbox)
{
	__u64 grant;
	int fd = box_restrict(self->fd, RIGHTS_ALL, &grant);

	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	EXPECT_EQ(-EIDRM, box_restrict_try(self->fd, RIGHTS_ALL, &grant));
	EXPECT_EQ(-EIDRM, box_revoke(self->fd, grant));
	close(fd);
}

/* Neither mode bits nor users matter to who has a descriptor. */
TEST_F(restrict_call, by_another_user)
{
	int sockets[2], fd;
	__u64 grant;
	pid_t pid;

	if (!is_root())
		SKIP(return, "only root can become another user");
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets));
	fd = box_restrict(self->fd, MAILBOX_RIGHT_SEND | MAILBOX_RIGHT_RECEIVE, &grant);
	pid = child_fork();
	if (!pid) {
		int derived;

		close(self->fd);
		close(fd);
		fd = take_descriptor(sockets[1]);
		become(4711, 4711);
		EXPECT_EQ(-EACCES, box_open(self->device, self->id, NULL, MAILBOX_RIGHT_SEND));
		derived = box_restrict(fd, MAILBOX_RIGHT_SEND, &grant);
		EXPECT_EQ(0, box_send_text(derived, "x", 0, 0));
		EXPECT_EQ(1, write(sockets[1], "x", 1));
		while (!is_revoked(derived))
			sched_yield();
		while (!is_revoked(fd))
			sched_yield();
		EXPECT_EQ(-EACCES, box_send_text(derived, "x", 0, 0));
		EXPECT_EQ(-EACCES, box_restrict_try(derived, MAILBOX_RIGHT_SEND, &grant));
		_exit(0);
	}
	pass_descriptor(sockets[0], fd);
	close(fd);
	ASSERT_EQ(1, read(sockets[0], &(char){ 0 }, 1));
	expect_delivered(self->fd, "x", 0);
	ASSERT_EQ(0, box_revoke(self->fd, grant));
	child_done(pid);
	EXPECT_EQ(1, box_stat(self->fd).handles);
	close(sockets[0]);
	close(sockets[1]);
}

/* What is derived and closed again leaves nothing behind. */
TEST_F(restrict_call, leaves_nothing_behind)
{
	struct usage before = usage_of_caller(self->device);
	struct state state = state_take(self->device, self->fd);
	__u64 grant;
	int i, j;

	for (i = 0; i < 100; i++) {
		int fd = self->fd, last = -1;

		for (j = 0; j < MAILBOX_DERIVE_MAX; j++) {
			fd = box_restrict(fd, RIGHTS_ALL, &grant);
			if (last >= 0)
				close(last);
			last = fd;
		}
		close(fd);
		EXPECT_EQ(-ENOENT, box_revoke(self->fd, grant));
	}
	EXPECT_UNCHANGED(self->device, self->fd, state);
	EXPECT_USAGE(self->device, before);
}

TEST_HARNESS_MAIN
