// SPDX-License-Identifier: GPL-2.0
/*
 * SysV shared memory: making and finding a segment, what it says of itself, and who may do what.
 * From shmget(2), shmctl(2) and sysvipc(7).
 */
#include "shm.h"

#define SIZE 10000

TEST(private_segments_are_new)
{
	int one = segment_new(SIZE), two = segment_new(SIZE);

	EXPECT_NE(one, two);
	segment_remove(one);
	segment_remove(two);
	expect_gone(one);
}

TEST(a_key_is_found_again)
{
	int id = shmget(some_key(0), SIZE, IPC_CREAT | 0600);

	ASSERT_LE(0, id);
	EXPECT_EQ(id, TRY(shmget(some_key(0), 0, 0)));
	EXPECT_EQ(id, TRY(shmget(some_key(0), SIZE, 0600)));
	EXPECT_EQ(id, TRY(shmget(some_key(0), SIZE - 1, IPC_CREAT | 0600)));
	EXPECT_EQ(some_key(0), segment_stat(id).shm_perm.__key);
	EXPECT_EQ(-EEXIST, TRY(shmget(some_key(0), SIZE, IPC_CREAT | IPC_EXCL | 0600)));
	/* EXCL alone does nothing. */
	EXPECT_EQ(id, TRY(shmget(some_key(0), SIZE, IPC_EXCL | 0600)));
	EXPECT_EQ(-EINVAL, TRY(shmget(some_key(0), SIZE + 1, 0600)));
	segment_remove(id);
	EXPECT_EQ(-ENOENT, TRY(shmget(some_key(0), SIZE, 0600)));
}

TEST(a_key_that_is_free_again_is_another_segment)
{
	int first = shmget(some_key(0), SIZE, IPC_CREAT | 0600), second;
	char *start;

	ASSERT_LE(0, first);
	start = attach(first, NULL, 0);
	strcpy(start, "first");
	segment_remove(first);
	/* The key is free at once, though the segment is still there. */
	second = shmget(some_key(0), SIZE, IPC_CREAT | IPC_EXCL | 0600);
	ASSERT_LE(0, second);
	EXPECT_NE(first, second);
	EXPECT_STREQ("first", start);
	EXPECT_EQ(0, TRY(shmdt(start)));
	start = attach(second, NULL, 0);
	EXPECT_STREQ("", start);
	EXPECT_EQ(0, TRY(shmdt(start)));
	segment_remove(second);
}

TEST(sizes_that_cannot_be)
{
	EXPECT_EQ(-EINVAL, TRY(shmget(IPC_PRIVATE, 0, 0600)));
	EXPECT_EQ(-EINVAL, TRY(shmget(IPC_PRIVATE, SIZE_MAX, 0600)));
	EXPECT_EQ(-EINVAL, TRY(shmget(some_key(0), 0, IPC_CREAT | 0600)));
	EXPECT_EQ(-ENOENT, TRY(shmget(some_key(0), 0, 0600)));
}

TEST(says_what_it_is)
{
	time_t before = time(NULL);
	int id = shmget(some_key(0), SIZE, IPC_CREAT | 0640);
	struct shmid_ds segment;

	ASSERT_LE(0, id);
	segment = segment_stat(id);
	EXPECT_EQ(some_key(0), segment.shm_perm.__key);
	EXPECT_EQ(geteuid(), segment.shm_perm.uid);
	EXPECT_EQ(getegid(), segment.shm_perm.gid);
	EXPECT_EQ(geteuid(), segment.shm_perm.cuid);
	EXPECT_EQ(getegid(), segment.shm_perm.cgid);
	EXPECT_EQ(0640, segment.shm_perm.mode);
	/* Exact, though memory comes by the page. */
	EXPECT_EQ(SIZE, segment.shm_segsz);
	EXPECT_EQ(0, segment.shm_atime);
	EXPECT_EQ(0, segment.shm_dtime);
	EXPECT_LE(before - 1, segment.shm_ctime);
	EXPECT_LE(segment.shm_ctime, time(NULL) + 1);
	EXPECT_EQ(getpid(), segment.shm_cpid);
	EXPECT_EQ(0, segment.shm_lpid);
	EXPECT_EQ(0, segment.shm_nattch);
	segment_remove(id);
}

TEST(every_size_is_exact)
{
	const size_t sizes[] = { 1, 4095, 4096, 4097, 1 << 20, (1 << 20) + 1 };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		int id = segment_new(sizes[i]);
		char *start = attach(id, NULL, 0);

		EXPECT_EQ(sizes[i], segment_stat(id).shm_segsz);
		start[sizes[i] - 1] = 1;
		EXPECT_EQ(0, TRY(shmdt(start)));
		segment_remove(id);
	}
}

TEST(who_made_it_is_not_who_asks)
{
	unsigned int *flag = flag_new();
	pid_t pid = child_fork();
	struct shmid_ds segment;

	if (!pid) {
		int id = segment_new(SIZE);

		EXPECT_EQ(0, TRY(shmdt(attach(id, NULL, 0))));
		*(int *)(flag + 1) = id;
		flag_raise(flag);
		flag_await(flag, 2);
		_exit(KSFT_PASS);
	}
	flag_await(flag, 1);
	segment = segment_stat(*(int *)(flag + 1));
	EXPECT_EQ(pid, segment.shm_cpid);
	EXPECT_EQ(pid, segment.shm_lpid);
	segment_remove(*(int *)(flag + 1));
	flag_raise(flag);
	child_done(pid);
	munmap(flag, 4096);
}

TEST(what_is_no_segment)
{
	struct shmid_ds segment;
	int id = segment_new(SIZE);

	EXPECT_EQ(-EINVAL, TRY(shmctl(-1, IPC_STAT, &segment)));
	EXPECT_EQ(-EINVAL, TRY(shmctl(0x7ffffff0, IPC_STAT, &segment)));
	EXPECT_EQ(-EINVAL, attach_error(-1, NULL, 0));
	EXPECT_EQ(-EINVAL, attach_error(0x7ffffff0, NULL, 0));
	EXPECT_EQ(-EINVAL, TRY(shmctl(id, 12345, &segment)));
	EXPECT_EQ(-EINVAL, TRY(shmctl(id, -1, &segment)));
	segment_remove(id);
	EXPECT_EQ(-EINVAL, TRY(shmctl(id, IPC_STAT, &segment)));
	EXPECT_EQ(-EINVAL, TRY(shmctl(id, IPC_RMID, NULL)));
	EXPECT_EQ(-EINVAL, TRY(shmctl(id, IPC_SET, &segment)));
	EXPECT_EQ(-EINVAL, attach_error(id, NULL, 0));
}

TEST(memory_that_is_not_there)
{
	int id = segment_new(SIZE);

	EXPECT_EQ(-EFAULT, TRY(shmctl(id, IPC_STAT, (void *)8)));
	EXPECT_EQ(-EFAULT, TRY(shmctl(id, IPC_SET, (void *)8)));
	EXPECT_EQ(-EFAULT, TRY(shmctl(0, SHM_INFO, (void *)8)));
	segment_remove(id);
}

TEST(set_changes_the_mode)
{
	int id = segment_new(SIZE);
	struct shmid_ds segment = segment_stat(id), after;

	segment.shm_perm.mode = 0444;
	segment.shm_segsz = 1;
	ASSERT_EQ(0, TRY(shmctl(id, IPC_SET, &segment)));
	after = segment_stat(id);
	EXPECT_EQ(0444, after.shm_perm.mode);
	EXPECT_EQ(SIZE, after.shm_segsz);
	EXPECT_LE(segment.shm_ctime, after.shm_ctime);
	segment_remove(id);
}

/* What others may do with a segment of that mode that is root's; -1 for a call that is not made. */
static void expect_of_others(int mode, int find, int stat, int read, int write)
{
	int id = shmget(some_key(0), SIZE, IPC_CREAT | IPC_EXCL | mode);
	const key_t key = some_key(0);
	struct shmid_ds segment;
	pid_t pid;

	ASSERT_LE(0, id);
	segment = segment_stat(id);
	pid = child_fork();
	if (!pid) {
		become(USER);
		EXPECT_EQ(find ? find : id, TRY(shmget(key, 0, 0600)));
		EXPECT_EQ(stat, TRY(shmctl(id, IPC_STAT, &segment)));
		EXPECT_EQ(read, attach_error(id, NULL, SHM_RDONLY));
		EXPECT_EQ(write, attach_error(id, NULL, 0));
		EXPECT_EQ(-EPERM, TRY(shmctl(id, IPC_SET, &segment)));
		EXPECT_EQ(-EPERM, TRY(shmctl(id, IPC_RMID, NULL)));
		_exit(KSFT_PASS);
	}
	child_done(pid);
	segment_remove(id);
}

TEST(others_may_what_the_mode_says)
{
	if (geteuid())
		SKIP(return, "only root can be somebody else");
	expect_of_others(0600, -EACCES, -EACCES, -EACCES, -EACCES);
	expect_of_others(0604, -EACCES, 0, 0, -EACCES);
	expect_of_others(0602, -EACCES, -EACCES, -EACCES, -EACCES);
	expect_of_others(0606, 0, 0, 0, 0);
}

TEST(set_holds_for_the_next_attach)
{
	int id = shmget(IPC_PRIVATE, SIZE, 0666);
	unsigned int *flag = flag_new();
	struct shmid_ds segment;
	pid_t pid;

	ASSERT_LE(0, id);
	if (geteuid())
		SKIP(goto out, "only root can be somebody else");
	segment = segment_stat(id);
	pid = child_fork();
	if (!pid) {
		char *start;

		become(USER);
		start = attach(id, NULL, 0);
		flag_raise(flag);
		flag_await(flag, 2);
		/* What is attached stays so. */
		strcpy(start, "text");
		EXPECT_EQ(-EACCES, attach_error(id, NULL, 0));
		EXPECT_EQ(-EACCES, TRY(shmctl(id, IPC_STAT, &segment)));
		_exit(KSFT_PASS);
	}
	flag_await(flag, 1);
	segment.shm_perm.mode = 0600;
	ASSERT_EQ(0, TRY(shmctl(id, IPC_SET, &segment)));
	flag_raise(flag);
	child_done(pid);
out:
	segment_remove(id);
	munmap(flag, 4096);
}

TEST(root_gives_a_segment_away)
{
	int id = segment_new(SIZE);
	struct shmid_ds segment = segment_stat(id);
	pid_t pid;

	if (geteuid())
		SKIP(goto out, "only root can be somebody else");
	segment.shm_perm.uid = USER;
	segment.shm_perm.gid = USER;
	ASSERT_EQ(0, TRY(shmctl(id, IPC_SET, &segment)));
	segment = segment_stat(id);
	EXPECT_EQ(USER, segment.shm_perm.uid);
	EXPECT_EQ(USER, segment.shm_perm.gid);
	EXPECT_EQ(0, segment.shm_perm.cuid);
	pid = child_fork();
	if (!pid) {
		become(USER);
		EXPECT_EQ(0, attach_error(id, NULL, 0));
		segment.shm_perm.mode = 0400;
		EXPECT_EQ(0, TRY(shmctl(id, IPC_SET, &segment)));
		EXPECT_EQ(-EACCES, attach_error(id, NULL, 0));
		EXPECT_EQ(0, attach_error(id, NULL, SHM_RDONLY));
		_exit(KSFT_PASS);
	}
	child_done(pid);
out:
	segment_remove(id);
}

TEST(a_walk_finds_it)
{
	int id = segment_new(SIZE), last, found = 0, any = 0;
	struct shmid_ds segment;
	struct shm_info info;

	last = shmctl(0, SHM_INFO, (struct shmid_ds *)&info);
	ASSERT_LE(0, last);
	EXPECT_LE(1, info.used_ids);
	EXPECT_LE(3, info.shm_tot);
	for (int i = 0; i <= last; i++) {
		if (shmctl(i, SHM_STAT, &segment) == id) {
			EXPECT_EQ(SIZE, segment.shm_segsz);
			found++;
		}
		any += shmctl(i, SHM_STAT_ANY, &segment) == id;
	}
	EXPECT_EQ(1, found);
	EXPECT_EQ(1, any);
	EXPECT_EQ(-EINVAL, TRY(shmctl(last + 1, SHM_STAT, &segment)));
	segment_remove(id);
}

TEST(tells_its_limits)
{
	struct shminfo info;

	ASSERT_LE(0, shmctl(0, IPC_INFO, (struct shmid_ds *)&info));
	EXPECT_EQ(1, info.shmmin);
	EXPECT_LE(1 << 20, info.shmmax);
	EXPECT_LE(1, info.shmmni);
	EXPECT_EQ(info.shmmni, info.shmseg);
	EXPECT_LE(1, info.shmall);
}

TEST_HARNESS_MAIN
