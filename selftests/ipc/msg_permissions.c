// SPDX-License-Identifier: GPL-2.0
/*
 * SysV messages: who may do what, and who says so. Needs root, to become others.
 */
#include "msg.h"

#define KEY 0x6d626f7a

/* What another user gets from a call: 0, or the errno as a negative number. */
#define AS(uid, call) \
	({ \
		int status_ = -1; \
		pid_t pid_ = child_fork(); \
\
		if (!pid_) { \
			become(uid); \
			_exit((call) < 0 ? errno : 0); \
		} \
		ASSERT_EQ(pid_, waitpid(pid_, &status_, 0)); \
		-WEXITSTATUS(status_); \
	})

static struct message message = { .type = 1 };

/* Of USER, found by KEY. */
FIXTURE(box)
{
	int id;
};

FIXTURE_SETUP(box)
{
	if (geteuid())
		SKIP(return, "needs root");
	ASSERT_EQ(0, AS(USER, msgget(KEY, IPC_CREAT | IPC_EXCL | 0600)));
	self->id = msgget(KEY, 0);
	ASSERT_LE(0, self->id);
}

FIXTURE_TEARDOWN(box)
{
	msgctl(self->id, IPC_RMID, NULL);
}

static void set_mode(int id, int mode)
{
	struct msqid_ds queue = queue_stat(id);

	queue.msg_perm.mode = mode;
	ASSERT_EQ(0, TRY(msgctl(id, IPC_SET, &queue)));
}

static int send_one(int id)
{
	return msgsnd(id, &message, 1, IPC_NOWAIT);
}

static int receive_one(int id)
{
	return msgrcv(id, &message, 1, 0, IPC_NOWAIT);
}

static int status_of(int id)
{
	struct msqid_ds queue;

	return msgctl(id, IPC_STAT, &queue);
}

/* Owner and group stay: only the owner gets so far. */
static int set_same(int id, uid_t uid)
{
	struct msqid_ds queue = { .msg_perm = { .uid = uid, .gid = uid, .mode = 0600 },
				  .msg_qbytes = 16384 };

	return msgctl(id, IPC_SET, &queue);
}

TEST_F(box, owner_may_all)
{
	EXPECT_EQ(0, AS(USER, send_one(self->id)));
	EXPECT_EQ(0, AS(USER, receive_one(self->id)));
	EXPECT_EQ(0, AS(USER, status_of(self->id)));
	EXPECT_EQ(0, AS(USER, set_same(self->id, USER)));
	EXPECT_EQ(0, AS(USER, msgctl(self->id, IPC_RMID, NULL)));
	EXPECT_EQ(-EINVAL, TRY(status_of(self->id)));
}

TEST_F(box, others_may_nothing)
{
	EXPECT_EQ(-EACCES, AS(OTHER, msgget(KEY, 0400)));
	EXPECT_EQ(-EACCES, AS(OTHER, msgget(KEY, IPC_CREAT | 0666)));
	EXPECT_EQ(-EACCES, AS(OTHER, send_one(self->id)));
	EXPECT_EQ(-EACCES, AS(OTHER, receive_one(self->id)));
	EXPECT_EQ(-EACCES, AS(OTHER, status_of(self->id)));
	EXPECT_EQ(-EPERM, AS(OTHER, set_same(self->id, OTHER)));
	EXPECT_EQ(-EPERM, AS(OTHER, msgctl(self->id, IPC_RMID, NULL)));
	EXPECT_EQ(-EEXIST, AS(OTHER, msgget(KEY, IPC_CREAT | IPC_EXCL | 0600)));
}

TEST_F(box, root_may_all)
{
	EXPECT_EQ(0, TRY(send_one(self->id)));
	EXPECT_EQ(1, TRY(receive_one(self->id)));
	set_mode(self->id, 0);
	EXPECT_EQ(0, TRY(send_one(self->id)));
	EXPECT_EQ(1, TRY(receive_one(self->id)));
}

TEST_F(box, readers_may_receive_only)
{
	set_mode(self->id, 0604);
	ASSERT_EQ(0, TRY(send_one(self->id)));
	EXPECT_EQ(-EACCES, AS(OTHER, send_one(self->id)));
	EXPECT_EQ(0, AS(OTHER, receive_one(self->id)));
	EXPECT_EQ(0, AS(OTHER, status_of(self->id)));
	EXPECT_EQ(0, AS(OTHER, msgget(KEY, 0444)));
	EXPECT_EQ(-EACCES, AS(OTHER, msgget(KEY, 0666)));
	EXPECT_EQ(-EPERM, AS(OTHER, msgctl(self->id, IPC_RMID, NULL)));
}

TEST_F(box, writers_may_send_only)
{
	set_mode(self->id, 0602);
	EXPECT_EQ(0, AS(OTHER, send_one(self->id)));
	EXPECT_EQ(-EACCES, AS(OTHER, receive_one(self->id)));
	EXPECT_EQ(-EACCES, AS(OTHER, status_of(self->id)));
	EXPECT_EQ(0, AS(OTHER, msgget(KEY, 0222)));
	EXPECT_EQ(-EACCES, AS(OTHER, msgget(KEY, 0444)));
}

TEST_F(box, owner_is_bound_by_the_mode)
{
	set_mode(self->id, 0400);
	EXPECT_EQ(-EACCES, AS(USER, send_one(self->id)));
	EXPECT_EQ(-ENOMSG, AS(USER, receive_one(self->id)));
	set_mode(self->id, 0066);
	EXPECT_EQ(-EACCES, AS(USER, send_one(self->id)));
	EXPECT_EQ(-EACCES, AS(USER, status_of(self->id)));
	EXPECT_EQ(0, AS(USER, set_same(self->id, USER)));
}

TEST_F(box, group_has_its_own_bits)
{
	struct msqid_ds queue = queue_stat(self->id);

	queue.msg_perm.gid = OTHER;
	queue.msg_perm.mode = 0620;
	ASSERT_EQ(0, TRY(msgctl(self->id, IPC_SET, &queue)));
	EXPECT_EQ(0, AS(OTHER, send_one(self->id)));
	EXPECT_EQ(-EACCES, AS(OTHER, receive_one(self->id)));
	EXPECT_EQ(-EACCES, AS(OTHER + 1, send_one(self->id)));
	queue = queue_stat(self->id);
	EXPECT_EQ(OTHER, queue.msg_perm.gid);
	EXPECT_EQ(USER, queue.msg_perm.cgid);
	EXPECT_EQ(0620, queue.msg_perm.mode);
}

TEST_F(box, root_gives_it_away)
{
	struct msqid_ds queue = queue_stat(self->id);

	queue.msg_perm.uid = OTHER;
	ASSERT_EQ(0, TRY(msgctl(self->id, IPC_SET, &queue)));
	EXPECT_EQ(0, AS(OTHER, send_one(self->id)));
	EXPECT_EQ(OTHER, queue_stat(self->id).msg_perm.uid);
	EXPECT_EQ(USER, queue_stat(self->id).msg_perm.cuid);
	EXPECT_EQ(0, AS(OTHER, msgctl(self->id, IPC_RMID, NULL)));
}

/* Rights are asked for in each call, not once for all. */
TEST_F(box, mode_counts_for_who_has_used_it)
{
	unsigned int *flag = flag_new();
	pid_t pid;

	set_mode(self->id, 0606);
	pid = child_fork();
	if (!pid) {
		become(OTHER);
		EXPECT_EQ(0, TRY(send_one(self->id)));
		flag_raise(flag);
		flag_await(flag, 2);
		EXPECT_EQ(-EACCES, TRY(send_one(self->id)));
		EXPECT_EQ(-EACCES, TRY(receive_one(self->id)));
		flag_raise(flag);
		flag_await(flag, 4);
		EXPECT_EQ(0, TRY(send_one(self->id)));
		_exit(0);
	}
	flag_await(flag, 1);
	set_mode(self->id, 0600);
	flag_raise(flag);
	flag_await(flag, 3);
	set_mode(self->id, 0606);
	flag_raise(flag);
	child_done(pid);
}

TEST_F(box, mode_ends_a_wait)
{
	pid_t pid;
	int status;

	set_mode(self->id, 0606);
	pid = child_fork();
	if (!pid) {
		become(OTHER);
		_exit(msgrcv(self->id, &message, 1, 0, 0) < 0 ? errno : 0);
	}
	wait_sleeping(pid, pid);
	set_mode(self->id, 0600);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(EACCES, WEXITSTATUS(status));
}

TEST_F(box, mode_does_not_end_the_wait_of_who_still_may)
{
	pid_t pid;
	int i;

	set_mode(self->id, 0606);
	pid = child_fork();
	if (!pid) {
		become(OTHER);
		_exit(msgrcv(self->id, &message, 1, 0, 0) < 0 ? errno : 0);
	}
	wait_sleeping(pid, pid);
	for (i = 0; i < 10; i++) {
		set_mode(self->id, i % 2 ? 0606 : 0646);
		wait_sleeping(pid, pid);
	}
	ASSERT_EQ(0, TRY(send_one(self->id)));
	child_done(pid);
}

TEST_F(box, who_becomes_another_is_asked_again)
{
	pid_t pid = child_fork();

	if (!pid) {
		EXPECT_EQ(0, TRY(send_one(self->id)));
		ASSERT_EQ(0, setgroups(0, NULL));
		ASSERT_EQ(0, setegid(OTHER));
		ASSERT_EQ(0, seteuid(OTHER));
		EXPECT_EQ(-EACCES, TRY(receive_one(self->id)));
		ASSERT_EQ(0, seteuid(0));
		EXPECT_EQ(1, TRY(receive_one(self->id)));
		_exit(0);
	}
	child_done(pid);
}

TEST_HARNESS_MAIN
