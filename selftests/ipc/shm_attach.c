// SPDX-License-Identifier: GPL-2.0
/*
 * SysV shared memory: where a segment is attached, and how. From shmop(2).
 */
#include "shm.h"

#define PAGE 4096
/* Three pages, the last of which is not used up. */
#define SIZE  10000
#define PAGES (3 * PAGE)

FIXTURE(shm)
{
	int id;
};

FIXTURE_SETUP(shm)
{
	self->id = segment_new(SIZE);
}

FIXTURE_TEARDOWN(shm)
{
	segment_remove(self->id);
	expect_gone(self->id);
}

/* The signal that a child dies of which writes there, or 0. */
static int signal_of_write(volatile char *byte)
{
	int status = -1;
	pid_t pid = child_fork();

	if (!pid) {
		signal(SIGSEGV, SIG_DFL);
		*byte = 1;
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

TEST_F(shm, two_attaches_are_one_memory)
{
	char *one = attach(self->id, NULL, 0), *two = attach(self->id, NULL, 0);

	EXPECT_NE(one, two);
	EXPECT_EQ(0, one[SIZE - 1]);
	strcpy(one + PAGE, "text");
	EXPECT_STREQ("text", two + PAGE);
	EXPECT_EQ(2, attaches(self->id));
	EXPECT_EQ(0, TRY(shmdt(one)));
	EXPECT_STREQ("text", two + PAGE);
	EXPECT_EQ(1, attaches(self->id));
	EXPECT_EQ(0, TRY(shmdt(two)));
	EXPECT_EQ(0, attaches(self->id));
}

TEST_F(shm, what_is_written_stays_while_nobody_has_it)
{
	char *start = attach(self->id, NULL, 0);

	strcpy(start, "text");
	EXPECT_EQ(0, TRY(shmdt(start)));
	start = attach(self->id, NULL, SHM_RDONLY);
	EXPECT_STREQ("text", start);
	EXPECT_EQ(0, TRY(shmdt(start)));
}

TEST_F(shm, says_when_and_who)
{
	time_t before = time(NULL);
	char *start = attach(self->id, NULL, 0);
	struct shmid_ds segment = segment_stat(self->id);

	EXPECT_LE(before - 1, segment.shm_atime);
	EXPECT_LE(segment.shm_atime, time(NULL) + 1);
	EXPECT_EQ(0, segment.shm_dtime);
	EXPECT_EQ(getpid(), segment.shm_lpid);
	EXPECT_EQ(0, TRY(shmdt(start)));
	segment = segment_stat(self->id);
	EXPECT_LE(before - 1, segment.shm_dtime);
	EXPECT_LE(segment.shm_dtime, time(NULL) + 1);
	EXPECT_EQ(getpid(), segment.shm_lpid);
}

TEST_F(shm, read_only_cannot_be_written)
{
	char *start = attach(self->id, NULL, SHM_RDONLY);

	EXPECT_EQ(0, start[0]);
	EXPECT_EQ(SIGSEGV, signal_of_write(start));
	EXPECT_EQ(-1, mprotect(start, PAGE, PROT_READ | PROT_WRITE));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(0, TRY(shmdt(start)));
}

TEST_F(shm, at_an_address)
{
	char *place = some_place(PAGES);

	EXPECT_EQ(place, attach(self->id, place, 0));
	/* Something is there. */
	EXPECT_EQ(-EINVAL, attach_error(self->id, place, 0));
	EXPECT_EQ(-EINVAL, attach_error(self->id, place + 2 * PAGE, 0));
	EXPECT_EQ(1, attaches(self->id));
	EXPECT_EQ(0, TRY(shmdt(place)));
	EXPECT_EQ(-EINVAL, TRY(shmdt(place)));
	EXPECT_EQ(place, attach(self->id, place, SHM_RDONLY));
	EXPECT_EQ(0, TRY(shmdt(place)));
}

TEST_F(shm, an_address_must_be_that_of_a_page)
{
	char *place = some_place(2 * PAGES);

	EXPECT_EQ(-EINVAL, attach_error(self->id, place + 1, 0));
	EXPECT_EQ(-EINVAL, attach_error(self->id, place + PAGE - 1, SHM_REMAP));
	EXPECT_EQ(place, attach(self->id, place + 1, SHM_RND));
	EXPECT_EQ(-EINVAL, TRY(shmdt(place + 1)));
	EXPECT_EQ(0, TRY(shmdt(place)));
	EXPECT_EQ(place + PAGE, attach(self->id, place + 2 * PAGE - 1, SHM_RND));
	EXPECT_EQ(0, TRY(shmdt(place + PAGE)));
	EXPECT_EQ(place, attach(self->id, place, SHM_RND));
	EXPECT_EQ(0, TRY(shmdt(place)));
}

TEST_F(shm, addresses_that_cannot_be)
{
	EXPECT_EQ(-EINVAL, attach_error(self->id, (void *)-(2UL * PAGE), 0));
	EXPECT_EQ(-EINVAL, attach_error(self->id, NULL, SHM_REMAP));
	EXPECT_EQ(-EINVAL, attach_error(self->id, (void *)1, SHM_REMAP | SHM_RND));
	EXPECT_EQ(0, attaches(self->id));
}

TEST_F(shm, remap_replaces_what_is_there)
{
	char *place = mmap(NULL, PAGES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_TRUE(place != MAP_FAILED);
	strcpy(place, "before");
	EXPECT_EQ(-EINVAL, attach_error(self->id, place, 0));
	EXPECT_EQ(place, attach(self->id, place, SHM_REMAP));
	EXPECT_STREQ("", place);
	EXPECT_EQ(0, TRY(shmdt(place)));
}

TEST_F(shm, remap_replaces_another_segment)
{
	int other = segment_new(SIZE);
	char *place = attach(other, NULL, 0);

	strcpy(place, "other");
	EXPECT_EQ(place, attach(self->id, place, SHM_REMAP));
	EXPECT_STREQ("", place);
	EXPECT_EQ(0, attaches(other));
	EXPECT_EQ(1, attaches(self->id));
	segment_remove(other);
	expect_gone(other);
	EXPECT_EQ(0, TRY(shmdt(place)));
	EXPECT_EQ(-EINVAL, TRY(shmdt(place)));
}

/* What is left of the other is still the same attach, which began where it began. */
TEST_F(shm, remap_replaces_the_middle_of_another)
{
	int other = segment_new(7 * PAGE);
	char *place = attach(other, NULL, 0);

	strcpy(place, "head");
	strcpy(place + 6 * PAGE, "tail");
	EXPECT_EQ(place + 2 * PAGE, attach(self->id, place + 2 * PAGE, SHM_REMAP));
	EXPECT_EQ(2, attaches(other));
	EXPECT_STREQ("head", place);
	EXPECT_STREQ("tail", place + 6 * PAGE);
	EXPECT_EQ(0, TRY(shmdt(place + 2 * PAGE)));
	EXPECT_EQ(-EINVAL, TRY(shmdt(place + 5 * PAGE)));
	EXPECT_EQ(2, attaches(other));
	EXPECT_EQ(0, TRY(shmdt(place)));
	EXPECT_EQ(0, attaches(other));
	segment_remove(other);
}

TEST_F(shm, remap_at_the_beginning_of_a_longer_one)
{
	int other = segment_new(5 * PAGE);
	char *place = attach(other, NULL, 0);

	strcpy(place + 4 * PAGE, "tail");
	EXPECT_EQ(place, attach(self->id, place, SHM_REMAP));
	EXPECT_EQ(1, attaches(other));
	/* The first is the one that lies there, the second what is left behind it. */
	EXPECT_EQ(0, TRY(shmdt(place)));
	EXPECT_EQ(0, attaches(self->id));
	EXPECT_EQ(1, attaches(other));
	EXPECT_STREQ("tail", place + 4 * PAGE);
	EXPECT_EQ(0, TRY(shmdt(place)));
	EXPECT_EQ(0, attaches(other));
	EXPECT_EQ(-EINVAL, TRY(shmdt(place)));
	segment_remove(other);
}

TEST_F(shm, detach_is_by_the_address_of_the_attach)
{
	char *start = attach(self->id, NULL, 0), *other;

	EXPECT_EQ(-EINVAL, TRY(shmdt(NULL)));
	EXPECT_EQ(-EINVAL, TRY(shmdt(start + 1)));
	EXPECT_EQ(-EINVAL, TRY(shmdt(start + PAGE)));
	EXPECT_EQ(-EINVAL, TRY(shmdt((void *)-1)));
	other = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	EXPECT_EQ(-EINVAL, TRY(shmdt(other)));
	munmap(other, PAGE);
	EXPECT_EQ(1, attaches(self->id));
	EXPECT_EQ(0, TRY(shmdt(start)));
	EXPECT_EQ(0, attaches(self->id));
}

TEST_F(shm, parts_count_each)
{
	char *start = attach(self->id, NULL, 0);

	ASSERT_EQ(0, mprotect(start + PAGE, PAGE, PROT_READ));
	EXPECT_EQ(3, attaches(self->id));
	EXPECT_EQ(0, TRY(shmdt(start)));
	EXPECT_EQ(0, attaches(self->id));
}

/* What lies there by then is not touched. */
TEST_F(shm, unmapped_by_hand_is_detached)
{
	char *start = attach(self->id, NULL, 0);

	ASSERT_EQ(0, munmap(start, PAGES));
	EXPECT_EQ(0, attaches(self->id));
	ASSERT_TRUE(mmap(start, PAGES, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == start);
	strcpy(start, "mine");
	EXPECT_EQ(-EINVAL, TRY(shmdt(start)));
	EXPECT_STREQ("mine", start);
	munmap(start, PAGES);
}

TEST_F(shm, a_part_unmapped_by_hand_leaves_the_rest)
{
	char *start = attach(self->id, NULL, 0);

	strcpy(start + 2 * PAGE, "tail");
	ASSERT_EQ(0, munmap(start, PAGE));
	ASSERT_TRUE(mmap(start, PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == start);
	strcpy(start, "mine");
	EXPECT_EQ(1, attaches(self->id));
	EXPECT_STREQ("tail", start + 2 * PAGE);
	EXPECT_EQ(0, TRY(shmdt(start)));
	EXPECT_EQ(0, attaches(self->id));
	EXPECT_STREQ("mine", start);
	munmap(start, PAGE);
}

TEST_F(shm, no_room_is_enomem)
{
	struct rlimit limit, small = { .rlim_cur = 0 };
	int ret;

	ASSERT_EQ(0, getrlimit(RLIMIT_AS, &limit));
	small.rlim_max = limit.rlim_max;
	ASSERT_EQ(0, setrlimit(RLIMIT_AS, &small));
	ret = attach_error(self->id, NULL, 0);
	ASSERT_EQ(0, setrlimit(RLIMIT_AS, &limit));
	EXPECT_EQ(-ENOMEM, ret);
	EXPECT_EQ(0, attaches(self->id));
}

TEST_F(shm, a_hundred_of_them)
{
	char *starts[100];

	for (size_t i = 0; i < ARRAY_SIZE(starts); i++)
		starts[i] = attach(self->id, NULL, i % 2 ? SHM_RDONLY : 0);
	EXPECT_EQ(100, attaches(self->id));
	strcpy(starts[0], "text");
	for (size_t i = 0; i < ARRAY_SIZE(starts); i += 2)
		EXPECT_EQ(0, TRY(shmdt(starts[i])));
	EXPECT_EQ(50, attaches(self->id));
	for (size_t i = 1; i < ARRAY_SIZE(starts); i += 2) {
		EXPECT_STREQ("text", starts[i]);
		EXPECT_EQ(0, TRY(shmdt(starts[i])));
	}
	EXPECT_EQ(0, attaches(self->id));
}

TEST_HARNESS_MAIN
