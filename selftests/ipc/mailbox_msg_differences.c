// SPDX-License-Identifier: GPL-2.0
/*
 * SysV messages over mailboxes, where they are not as the kernel's own: each of these is said in
 * Documentation/compat.rst, and fails as it is said there.
 */
#include "msg.h"

#define KEY 0x6d626f7b

/* What a user gets from a call: 0, or the errno as a negative number. */
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

TEST(key_of_a_queue_that_one_may_not_use)
{
	int id = msgget(KEY, IPC_CREAT | IPC_EXCL | 0600);

	ASSERT_LE(0, id);
	EXPECT_EQ(-EACCES, AS(USER, msgget(KEY, 0)));
	queue_remove(id);
}

TEST(mode_has_no_bits_to_execute)
{
	int id = queue_new_mode(0777);

	EXPECT_EQ(0666, queue_stat(id).msg_perm.mode);
	queue_remove(id);
}

static int give_away(void)
{
	int id = queue_new_mode(0600), ret;
	struct msqid_ds queue = queue_stat(id);

	queue.msg_perm.uid = OTHER;
	ret = msgctl(id, IPC_SET, &queue);
	EXPECT_EQ(USER, queue_stat(id).msg_perm.uid);
	queue_remove(id);
	errno = EPERM;
	return ret;
}

TEST(owner_cannot_give_it_away)
{
	EXPECT_EQ(-EPERM, AS(USER, give_away()));
}

TEST(queue_for_nothing)
{
	int id = queue_new_mode(0600);
	struct msqid_ds queue = queue_stat(id);

	queue.msg_qbytes = 0;
	EXPECT_EQ(-EINVAL, TRY(msgctl(id, IPC_SET, &queue)));
	EXPECT_EQ(16384, queue_stat(id).msg_qbytes);
	queue_remove(id);
}

TEST(waiting_with_more_than_the_queue_holds)
{
	int id = queue_new_mode(0600);

	queue_set_bytes(id, 3);
	EXPECT_EQ(-EINVAL, queue_send(id, 1, "four", 0));
	queue_remove(id);
}

/* The kernel has lost it by then. */
TEST(message_that_could_not_be_written_is_still_there)
{
	char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int id = queue_new_mode(0600);

	ASSERT_EQ(0, queue_send(id, 1, "x", 0));
	EXPECT_EQ(-EFAULT, TRY(msgrcv(id, page, 10, 0, IPC_NOWAIT)));
	EXPECT_TAKEN(id, 0, 0, 1, "x");
	queue_remove(id);
}

TEST(identifiers_are_not_used_again)
{
	int old = queue_new_mode(0600), new;

	EXPECT_LT(0, old);
	queue_remove(old);
	new = queue_new_mode(0600);
	EXPECT_LT(old, new);
	queue_remove(new);
}

TEST(another_network_namespace_has_other_queues)
{
	int id = msgget(KEY, IPC_CREAT | IPC_EXCL | 0600);
	pid_t pid;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, queue_send(id, 1, "x", 0));
	pid = child_fork();
	if (!pid) {
		ASSERT_EQ(0, unshare(CLONE_NEWNET));
		EXPECT_EQ(-ENOENT, TRY(msgget(KEY, 0)));
		EXPECT_EQ(-EINVAL, queue_take(id, 0, IPC_NOWAIT).length);
		_exit(0);
	}
	child_done(pid);
	EXPECT_TAKEN(id, 0, 0, 1, "x");
	queue_remove(id);
}

TEST_HARNESS_MAIN
