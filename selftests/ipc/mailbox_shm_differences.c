// SPDX-License-Identifier: GPL-2.0
/*
 * SysV shared memory, what is different over mailboxes, see Documentation/compat.rst.
 */
#include "shm.h"

#include <sys/msg.h>

#define SIZE 10000

FIXTURE(differences)
{
	int id;
};

FIXTURE_SETUP(differences)
{
	self->id = segment_new(SIZE);
}

FIXTURE_TEARDOWN(differences)
{
	segment_remove(self->id);
	expect_gone(self->id);
}

TEST_F(differences, nobody_executes_it)
{
	EXPECT_EQ(-EACCES, attach_error(self->id, NULL, SHM_EXEC));
	EXPECT_EQ(-EACCES, attach_error(self->id, NULL, SHM_EXEC | SHM_RDONLY));
	EXPECT_EQ(0, attaches(self->id));
}

TEST_F(differences, is_not_locked)
{
	EXPECT_EQ(-ENOSYS, TRY(shmctl(self->id, SHM_LOCK, NULL)));
	EXPECT_EQ(0, TRY(shmctl(self->id, SHM_UNLOCK, NULL)));
}

TEST_F(differences, has_no_huge_pages_of_its_own)
{
	EXPECT_EQ(-ENOSYS, TRY(shmget(IPC_PRIVATE, SIZE, SHM_HUGETLB | 0600)));
	EXPECT_EQ(-ENOSYS, TRY(shmget(some_key(0), SIZE, IPC_CREAT | SHM_HUGETLB | 0600)));
	EXPECT_EQ(-ENOENT, TRY(shmget(some_key(0), SIZE, 0600)));
}

/* Each kind of the kernel's has numbers of its own. */
TEST_F(differences, an_identifier_is_of_one_kind_only)
{
	int queue = msgget(IPC_PRIVATE, 0600);
	struct shmid_ds segment;
	struct msqid_ds other;

	ASSERT_LE(0, queue);
	EXPECT_NE(queue, self->id);
	EXPECT_EQ(-EINVAL, TRY(shmctl(queue, IPC_STAT, &segment)));
	EXPECT_EQ(-EINVAL, TRY(shmctl(queue, IPC_RMID, NULL)));
	EXPECT_EQ(-EINVAL, attach_error(queue, NULL, 0));
	EXPECT_EQ(-EINVAL, TRY(msgctl(self->id, IPC_STAT, &other)));
	EXPECT_EQ(-EINVAL, TRY(msgctl(self->id, IPC_RMID, NULL)));
	EXPECT_EQ(0, TRY(msgctl(queue, IPC_RMID, NULL)));
}

TEST_F(differences, bits_to_execute_are_not_kept)
{
	int id = shmget(IPC_PRIVATE, SIZE, 0777);

	ASSERT_LE(0, id);
	EXPECT_EQ(0666, segment_stat(id).shm_perm.mode);
	segment_remove(id);
}

/* The handle of what a program unmaps by itself stays until it ends, or asks for it. */
TEST_F(differences, unmapping_by_hand_does_not_end_it)
{
	int id = segment_new(SIZE);
	char *start = attach(id, NULL, 0);
	pid_t pid;

	segment_remove(id);
	pid = child_fork();
	if (!pid) {
		ASSERT_EQ(0, munmap(start, 3 * 4096));
		EXPECT_EQ(1, attaches(id));
		_exit(KSFT_PASS);
	}
	child_done(pid);
	ASSERT_EQ(0, munmap(start, 3 * 4096));
	EXPECT_EQ(0, attaches(id));
	EXPECT_EQ(-EINVAL, TRY(shmdt(start)));
	expect_gone(id);
}

TEST_HARNESS_MAIN
