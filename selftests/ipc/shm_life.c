// SPDX-License-Identifier: GPL-2.0
/*
 * SysV shared memory: who has a segment attached, and when it is gone: across fork, exec, exit and
 * SIGKILL, before and after IPC_RMID. From shmop(2) and shmctl(2).
 */
#include "shm.h"

#define SIZE 10000

FIXTURE(life)
{
	int id;
	char *start;
	unsigned int *flag;
};

FIXTURE_SETUP(life)
{
	self->id = segment_new(SIZE);
	self->start = attach(self->id, NULL, 0);
	self->flag = flag_new();
}

FIXTURE_TEARDOWN(life)
{
	munmap(self->flag, 4096);
}

/* It was not removed yet, and this process still has it. */
static void finish(FIXTURE_DATA(life) * self)
{
	await_attaches(self->id, 1);
	EXPECT_EQ(0, TRY(shmdt(self->start)));
	segment_remove(self->id);
	expect_gone(self->id);
}

TEST_F(life, stays_until_it_is_removed)
{
	EXPECT_EQ(0, TRY(shmdt(self->start)));
	EXPECT_EQ(0, attaches(self->id));
	segment_remove(self->id);
	expect_gone(self->id);
}

TEST_F(life, removed_it_stays_for_who_has_it)
{
	struct shmid_ds segment = segment_stat(self->id);
	char *again;

	EXPECT_EQ(0, segment.shm_perm.mode & SHM_DEST);
	segment_remove(self->id);
	segment = segment_stat(self->id);
	EXPECT_EQ(SHM_DEST, segment.shm_perm.mode & SHM_DEST);
	EXPECT_EQ(0600, segment.shm_perm.mode & 0777);
	EXPECT_EQ(IPC_PRIVATE, segment.shm_perm.__key);
	EXPECT_EQ(SIZE, segment.shm_segsz);
	EXPECT_EQ(getpid(), segment.shm_cpid);
	EXPECT_EQ(1, segment.shm_nattch);
	strcpy(self->start, "text");
	/* Linux lets others come yet. */
	again = attach(self->id, NULL, SHM_RDONLY);
	EXPECT_STREQ("text", again);
	EXPECT_EQ(0, TRY(shmdt(self->start)));
	EXPECT_EQ(1, attaches(self->id));
	/* To remove it twice is no mistake. */
	segment_remove(self->id);
	EXPECT_STREQ("text", again);
	EXPECT_EQ(0, TRY(shmdt(again)));
	expect_gone(self->id);
	EXPECT_EQ(-EINVAL, attach_error(self->id, NULL, 0));
}

TEST_F(life, a_child_has_it_attached)
{
	pid_t pid = child_fork();

	if (!pid) {
		EXPECT_EQ(2, attaches(self->id));
		strcpy(self->start, "child");
		EXPECT_EQ(0, TRY(shmdt(self->start)));
		EXPECT_EQ(-EINVAL, TRY(shmdt(self->start)));
		EXPECT_EQ(1, attaches(self->id));
		EXPECT_EQ(getpid(), segment_stat(self->id).shm_lpid);
		_exit(KSFT_PASS);
	}
	child_done(pid);
	EXPECT_STREQ("child", self->start);
	finish(self);
}

TEST_F(life, a_child_that_exits_has_it_no_more)
{
	pid_t pid = child_fork();

	if (!pid) {
		flag_await(self->flag, 1);
		_exit(KSFT_PASS);
	}
	EXPECT_EQ(2, attaches(self->id));
	flag_raise(self->flag);
	child_done(pid);
	EXPECT_EQ(pid, segment_stat(self->id).shm_lpid);
	finish(self);
}

TEST_F(life, a_child_that_is_killed_has_it_no_more)
{
	pid_t pid = child_fork();

	if (!pid) {
		(void)attach(self->id, NULL, 0);
		(void)attach(self->id, NULL, SHM_RDONLY);
		flag_raise(self->flag);
		pause();
	}
	flag_await(self->flag, 1);
	EXPECT_EQ(4, attaches(self->id));
	child_kill(pid);
	finish(self);
}

TEST_F(life, ends_with_a_child_that_exits)
{
	pid_t pid = child_fork();

	if (!pid) {
		flag_await(self->flag, 1);
		EXPECT_EQ(1, attaches(self->id));
		strcpy(self->start, "still there");
		_exit(KSFT_PASS);
	}
	segment_remove(self->id);
	EXPECT_EQ(0, TRY(shmdt(self->start)));
	flag_raise(self->flag);
	child_done(pid);
	expect_gone(self->id);
}

TEST_F(life, ends_with_a_child_that_is_killed)
{
	pid_t pid = child_fork();

	if (!pid)
		pause();
	segment_remove(self->id);
	EXPECT_EQ(0, TRY(shmdt(self->start)));
	EXPECT_EQ(1, attaches(self->id));
	child_kill(pid);
	expect_gone(self->id);
}

/* A program that waits to be killed; what comes over the pipe says that it has begun. */
static pid_t begin_program(FIXTURE_DATA(life) * self)
{
	int pipes[2];
	char byte;
	pid_t pid;

	ASSERT_EQ(0, pipe2(pipes, O_CLOEXEC));
	pid = child_fork();
	if (!pid) {
		EXPECT_EQ(2, attaches(self->id));
		execlp("sleep", "sleep", "1000", NULL);
		_exit(KSFT_FAIL);
	}
	close(pipes[1]);
	EXPECT_EQ(0, read(pipes[0], &byte, 1));
	close(pipes[0]);
	return pid;
}

TEST_F(life, a_program_that_is_begun_has_it_not)
{
	pid_t pid = begin_program(self);

	await_attaches(self->id, 1);
	segment_remove(self->id);
	EXPECT_EQ(0, TRY(shmdt(self->start)));
	/* Its descriptors are closed one by one. */
	await_gone(self->id);
	child_kill(pid);
}

TEST_F(life, is_removed_by_who_does_not_have_it)
{
	pid_t pid = child_fork();

	if (!pid) {
		EXPECT_EQ(0, TRY(shmdt(self->start)));
		segment_remove(self->id);
		EXPECT_EQ(1, attaches(self->id));
		_exit(KSFT_PASS);
	}
	child_done(pid);
	EXPECT_EQ(SHM_DEST, segment_stat(self->id).shm_perm.mode & SHM_DEST);
	EXPECT_EQ(0, TRY(shmdt(self->start)));
	expect_gone(self->id);
}

/* Daemons close whatever they can think of. */
TEST_F(life, who_closes_all_descriptors_keeps_it)
{
	pid_t pid = child_fork();

	if (!pid) {
		EXPECT_EQ(0, close_range(3, ~0U, 0));
		for (int fd = 3; fd < 4096; fd++)
			close(fd);
		EXPECT_EQ(0, TRY(shmctl(self->id, IPC_RMID, NULL)));
		flag_raise(self->flag);
		flag_await(self->flag, 2);
		EXPECT_EQ(1, attaches(self->id));
		EXPECT_EQ(0, TRY(shmdt(self->start)));
		expect_gone(self->id);
		_exit(KSFT_PASS);
	}
	flag_await(self->flag, 1);
	EXPECT_EQ(0, TRY(shmdt(self->start)));
	flag_raise(self->flag);
	child_done(pid);
	expect_gone(self->id);
}

TEST_F(life, a_child_that_shall_have_none_has_none)
{
	pid_t pid;

	ASSERT_EQ(0, madvise(self->start, SIZE, MADV_DONTFORK));
	pid = child_fork();
	if (!pid) {
		EXPECT_EQ(1, attaches(self->id));
		_exit(KSFT_PASS);
	}
	child_done(pid);
	finish(self);
}

TEST_HARNESS_MAIN
