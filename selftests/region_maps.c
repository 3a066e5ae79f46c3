// SPDX-License-Identifier: GPL-2.0
/*
 * What STAT tells of the mappings of shared pages: how many there are, when the last began and
 * ended, and who it was.
 */
#include "world.h"

#include "common_region.h"
#include "common_sleep.h"

#include <linux/userfaultfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#define PAGES 8

FIXTURE(region_maps)
{
	int device;
	int fd;
	size_t page;
	size_t size;
};

FIXTURE_SETUP(region_maps)
{
	self->page = page_size();
	self->size = PAGES * self->page;
	self->device = device_open();
	self->fd = region_new(self->device, self->size);
}

FIXTURE_TEARDOWN(region_maps)
{
	close(self->fd);
	close(self->device);
}

static unsigned int maps_of(int fd)
{
	return box_stat(fd).maps;
}

static char *map_whole(FIXTURE_DATA(region_maps) * self)
{
	return region_map(self->fd, 0, self->size, READ_WRITE);
}

TEST_F(region_maps, none_at_first)
{
	struct mailbox_stat stat = box_stat(self->fd);
	int without = box_new(self->device);

	EXPECT_EQ(0, stat.maps);
	EXPECT_EQ(0, stat.last_mapped);
	EXPECT_EQ(0, stat.last_unmapped);
	EXPECT_EQ(0, stat.last_mapper);
	stat = box_stat(without);
	EXPECT_EQ(0, stat.maps);
	EXPECT_EQ(0, stat.last_mapped);
	EXPECT_EQ(0, stat.last_unmapped);
	EXPECT_EQ(0, stat.last_mapper);
	close(without);
}

TEST_F(region_maps, counts_each_and_tells_when_and_who)
{
	__u64 before = now_ns();
	char *first = map_whole(self), *second;
	struct mailbox_stat stat = box_stat(self->fd), later, entry;
	__u64 after = stat.id - 1;

	EXPECT_EQ(1, stat.maps);
	EXPECT_LE(before, stat.last_mapped);
	EXPECT_LE(stat.last_mapped, now_ns());
	EXPECT_EQ(0, stat.last_unmapped);
	EXPECT_EQ(getpid(), stat.last_mapper);
	ASSERT_EQ(1, box_list(self->device, &entry, 1, &after));
	EXPECT_EQ(1, entry.maps);
	EXPECT_EQ(stat.last_mapped, entry.last_mapped);
	EXPECT_EQ(getpid(), entry.last_mapper);

	/* The clock of some kernels knows no less than a tick. */
	pass_time(stat.last_mapped);
	second = map_whole(self);
	later = box_stat(self->fd);
	EXPECT_EQ(2, later.maps);
	EXPECT_LT(stat.last_mapped, later.last_mapped);
	EXPECT_EQ(0, later.last_unmapped);

	before = now_ns();
	munmap(first, self->size);
	stat = box_stat(self->fd);
	EXPECT_EQ(1, stat.maps);
	EXPECT_EQ(later.last_mapped, stat.last_mapped);
	EXPECT_LE(before, stat.last_unmapped);
	EXPECT_LE(stat.last_unmapped, now_ns());
	munmap(second, self->size);
	EXPECT_EQ(0, maps_of(self->fd));
}

TEST_F(region_maps, private_ones_and_readers_count_too)
{
	int reader = box_open(self->device, box_stat(self->fd).id, NULL, MAILBOX_RIGHT_RECEIVE);
	char *read = region_map(reader, 0, self->size, READ_ONLY), *copy;

	EXPECT_EQ(1, maps_of(self->fd));
	ASSERT_EQ(0, region_try(self->fd, 0, self->size, READ_WRITE, MAP_PRIVATE, &copy));
	EXPECT_EQ(2, maps_of(self->fd));
	*copy = 1;
	munmap(copy, self->size);
	EXPECT_EQ(1, maps_of(self->fd));
	munmap(read, self->size);
	EXPECT_EQ(0, maps_of(self->fd));
	close(reader);
}

TEST_F(region_maps, what_is_refused_is_not_counted)
{
	struct rlimit limit, small = { .rlim_cur = 0 };
	char *start;

	EXPECT_EQ(-EINVAL, region_error(self->fd, 0, 2 * self->size, READ_ONLY, MAP_SHARED));
	EXPECT_EQ(-EACCES,
		  region_error(self->fd, 0, self->size, PROT_READ | PROT_EXEC, MAP_SHARED));
	/* There is no room for it in the process. */
	ASSERT_EQ(0, getrlimit(RLIMIT_AS, &limit));
	small.rlim_max = limit.rlim_max;
	ASSERT_EQ(0, setrlimit(RLIMIT_AS, &small));
	EXPECT_EQ(-ENOMEM, region_try(self->fd, 0, self->size, READ_WRITE, MAP_SHARED, &start));
	ASSERT_EQ(0, setrlimit(RLIMIT_AS, &limit));
	EXPECT_EQ(0, maps_of(self->fd));
	EXPECT_EQ(0, box_stat(self->fd).last_mapped);
	EXPECT_EQ(0, box_stat(self->fd).last_mapper);
}

TEST_F(region_maps, neighbours_are_two)
{
	char *start = map_whole(self);
	const size_t half = self->size / 2;

	/* The second is where the first ends, and goes on where that does. */
	for (size_t offset = 0; offset < self->size; offset += half)
		ASSERT_TRUE(mmap(start + offset, half, READ_WRITE, MAP_SHARED | MAP_FIXED, self->fd,
				 offset) != MAP_FAILED);
	EXPECT_EQ(2, maps_of(self->fd));
	munmap(start, self->size);
	EXPECT_EQ(0, maps_of(self->fd));
}

/* As shmctl(2) counts attaches. */
TEST_F(region_maps, parts_count_each)
{
	char *start = map_whole(self);

	munmap(start + 2 * self->page, self->page);
	EXPECT_EQ(2, maps_of(self->fd));
	ASSERT_EQ(0, mprotect(start + 4 * self->page, self->page, READ_ONLY));
	EXPECT_EQ(4, maps_of(self->fd));
	munmap(start + 5 * self->page, self->size - 5 * self->page);
	EXPECT_EQ(3, maps_of(self->fd));
	munmap(start, self->size);
	EXPECT_EQ(0, maps_of(self->fd));
}

TEST_F(region_maps, one_that_moves_stays_one)
{
	char *start = map_whole(self), *place;

	place = mmap(NULL, self->size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_TRUE(place != MAP_FAILED);
	start = mremap(start, self->size, self->size, MREMAP_MAYMOVE | MREMAP_FIXED, place);
	ASSERT_TRUE(start == place);
	EXPECT_EQ(1, maps_of(self->fd));
	start = mremap(start, self->size, 2 * self->size, MREMAP_MAYMOVE);
	ASSERT_TRUE(start != MAP_FAILED);
	EXPECT_EQ(1, maps_of(self->fd));
	start = mremap(start, 2 * self->size, self->page, 0);
	ASSERT_TRUE(start != MAP_FAILED);
	EXPECT_EQ(1, maps_of(self->fd));
	/* A part goes elsewhere, the rest stays. */
	munmap(start, self->page);
	start = map_whole(self);
	place = mremap(start + self->page, self->page, 2 * self->page, MREMAP_MAYMOVE);
	ASSERT_TRUE(place != MAP_FAILED);
	EXPECT_EQ(3, maps_of(self->fd));
	munmap(place, 2 * self->page);
	munmap(start, self->size);
	EXPECT_EQ(0, maps_of(self->fd));
}

TEST_F(region_maps, one_that_is_made_anew_is_not_forgotten)
{
	char *start = map_whole(self);

	strcpy(start + self->page, "text");
	if (!syscall(SYS_remap_file_pages, start + self->page, self->page, 0, 1, 0))
		EXPECT_STREQ("text", start + self->page);
	EXPECT_LE(1, maps_of(self->fd));
	if (!syscall(SYS_remap_file_pages, start, self->page, 0, 1, 0))
		EXPECT_STREQ("text", start);
	EXPECT_EQ(-1, mprotect(start, self->page, PROT_READ | PROT_EXEC));
	EXPECT_EQ(EACCES, errno);
	EXPECT_LE(1, maps_of(self->fd));
	munmap(start, self->size);
	EXPECT_EQ(0, maps_of(self->fd));
}

TEST_F(region_maps, a_child_has_its_own_until_it_ends)
{
	unsigned int *flag = flag_new();
	char *start = map_whole(self);
	struct mailbox_stat stat;
	pid_t pid = child_fork();

	if (!pid) {
		flag_await(flag, 1);
		munmap(start, self->size);
		flag_raise(flag);
		flag_await(flag, 3);
		(void)map_whole(self);
		flag_raise(flag);
		flag_await(flag, 5);
		_exit(KSFT_PASS);
	}
	stat = box_stat(self->fd);
	EXPECT_EQ(2, stat.maps);
	EXPECT_EQ(getpid(), stat.last_mapper);
	pass_time(stat.last_mapped);
	flag_raise(flag);
	flag_await(flag, 2);
	stat = box_stat(self->fd);
	EXPECT_EQ(1, stat.maps);
	EXPECT_EQ(pid, stat.last_mapper);
	EXPECT_LT(stat.last_mapped, stat.last_unmapped);
	pass_time(stat.last_unmapped);
	flag_raise(flag);
	flag_await(flag, 4);
	stat = box_stat(self->fd);
	EXPECT_EQ(2, stat.maps);
	EXPECT_LT(stat.last_unmapped, stat.last_mapped);
	pass_time(stat.last_mapped);
	munmap(start, self->size);
	EXPECT_EQ(1, maps_of(self->fd));
	EXPECT_EQ(getpid(), box_stat(self->fd).last_mapper);
	flag_raise(flag);
	child_done(pid);
	stat = box_stat(self->fd);
	EXPECT_EQ(0, stat.maps);
	EXPECT_LT(stat.last_mapped, stat.last_unmapped);
	munmap(flag, sizeof(*flag));
}

TEST_F(region_maps, a_child_that_shall_have_none_has_none)
{
	unsigned int *flag = flag_new();
	char *start = map_whole(self);
	pid_t pid;

	ASSERT_EQ(0, madvise(start, self->size, MADV_DONTFORK));
	pid = child_fork();
	if (!pid) {
		flag_await(flag, 1);
		_exit(KSFT_PASS);
	}
	EXPECT_EQ(1, maps_of(self->fd));
	flag_raise(flag);
	child_done(pid);
	EXPECT_EQ(1, maps_of(self->fd));
	munmap(start, self->size);
	munmap(flag, sizeof(*flag));
}

TEST_F(region_maps, a_killed_process_has_none)
{
	unsigned int *flag = flag_new();
	pid_t pid = child_fork();

	if (!pid) {
		for (int i = 0; i < 10; i++)
			(void)map_whole(self);
		flag_raise(flag);
		pause();
	}
	flag_await(flag, 1);
	EXPECT_EQ(10, maps_of(self->fd));
	child_kill(pid);
	EXPECT_EQ(0, maps_of(self->fd));
	munmap(flag, sizeof(*flag));
}

TEST_F(region_maps, a_program_that_is_begun_has_none)
{
	int pipes[2];
	char byte;
	pid_t pid;

	if (access("/proc/self/exe", X_OK))
		SKIP(return, "there is no program to begin");
	ASSERT_EQ(0, pipe2(pipes, O_CLOEXEC));
	pid = child_fork();
	if (!pid) {
		char *const args[] = { "region_maps", "-l", NULL };

		(void)map_whole(self);
		dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO);
		dup2(STDOUT_FILENO, STDERR_FILENO);
		execv("/proc/self/exe", args);
		_exit(KSFT_FAIL);
	}
	close(pipes[1]);
	/* Its descriptors are closed after its memory is gone, unless somebody looks at that. */
	EXPECT_EQ(0, read(pipes[0], &byte, 1));
	ASSERT_SOON(!maps_of(self->fd));
	close(pipes[0]);
	waitpid(pid, NULL, 0);
}

TEST_F(region_maps, growth_forgets_none)
{
	int fd = box_new(self->device);
	char *start, *more;

	EXPECT_EQ(0, maps_of(fd));
	ASSERT_EQ(0, region_set(fd, self->page));
	start = region_map(fd, 0, self->page, READ_WRITE);
	EXPECT_EQ(1, maps_of(fd));
	ASSERT_EQ(0, region_set(fd, 4 * self->page));
	EXPECT_EQ(1, maps_of(fd));
	more = region_map(fd, 0, 4 * self->page, READ_WRITE);
	EXPECT_EQ(2, maps_of(fd));
	munmap(start, self->page);
	munmap(more, 4 * self->page);
	EXPECT_EQ(0, maps_of(fd));
	close(fd);
}

/* There is nobody to ask then; nothing must fall over. */
TEST_F(region_maps, last_longer_than_the_mailbox)
{
	unsigned int *flag = flag_new();
	int fd = region_new(self->device, self->size);
	char *start = region_map(fd, 0, self->size, READ_WRITE);
	pid_t pid;

	ASSERT_EQ(0, box_destroy(fd, 0, NULL));
	close(fd);
	strcpy(start, "text");
	pid = child_fork();
	if (!pid) {
		EXPECT_STREQ("text", start);
		munmap(start + self->page, self->page);
		flag_await(flag, 1);
		_exit(KSFT_PASS);
	}
	munmap(start, self->size);
	flag_raise(flag);
	child_done(pid);
	munmap(flag, sizeof(*flag));
}

TEST_F(region_maps, who_has_ended_is_told_too)
{
	pid_t pid = child_fork();

	if (!pid) {
		(void)map_whole(self);
		_exit(KSFT_PASS);
	}
	child_done(pid);
	EXPECT_EQ(pid, box_stat(self->fd).last_mapper);
	EXPECT_EQ(0, maps_of(self->fd));
}

static void look_from_elsewhere(FIXTURE_DATA(region_maps) * self)
{
	pid_t pid;

	ASSERT_EQ(0, unshare(CLONE_NEWPID));
	/* Whose parent is nobody that it can see. */
	pid = fork();
	if (!pid) {
		EXPECT_EQ(1, maps_of(self->fd));
		EXPECT_EQ(0, box_stat(self->fd).last_mapper);
		_exit(KSFT_PASS);
	}
	child_done(pid);
}

TEST_F(region_maps, whom_the_caller_cannot_see_is_0)
{
	char *start = map_whole(self);
	pid_t pid;

	if (!is_root())
		SKIP(goto out, "only root can make a pid namespace");
	/* Or a child would have mapped it last, for whoever forks. */
	ASSERT_EQ(0, madvise(start, self->size, MADV_DONTFORK));
	pid = child_fork();
	if (!pid) {
		look_from_elsewhere(self);
		_exit(KSFT_PASS);
	}
	child_done(pid);
out:
	munmap(start, self->size);
}

/* As for the segments of shmat(2). */
TEST_F(region_maps, faults_are_not_for_userfaultfd)
{
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
	struct uffdio_api api = { .api = UFFD_API };
	char *start = map_whole(self);
	struct uffdio_register range = {
		.range = { .start = (uintptr_t)start, .len = self->size },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	if (uffd < 0)
		SKIP(goto out, "the kernel has no userfaultfd");
	ASSERT_EQ(0, ioctl(uffd, UFFDIO_API, &api));
	EXPECT_EQ(-1, ioctl(uffd, UFFDIO_REGISTER, &range));
	EXPECT_EQ(EINVAL, errno);
	close(uffd);
out:
	munmap(start, self->size);
}

/* At every moment, whatever they do, and whoever is killed at it. */
TEST_F(region_maps, counts_hold_when_many_map_and_are_killed)
{
	ASSERT_EQ(0, prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
	for (__u64 i = effort(20); i; i--) {
		unsigned int *flag = flag_new();
		pid_t pids[3];

		for (size_t j = 0; j < ARRAY_SIZE(pids); j++) {
			pids[j] = child_fork();
			while (!pids[j]) {
				char *start = map_whole(self);
				pid_t child = fork();

				if (!child)
					_exit(KSFT_PASS);
				munmap(start + self->page, self->page);
				if (child > 0)
					waitpid(child, NULL, 0);
				munmap(start, self->size);
				flag_raise(flag);
			}
		}
		flag_await(flag, 4);
		for (size_t j = 0; j < ARRAY_SIZE(pids); j++)
			child_kill(pids[j]);
		/* Grandchildren are ours by now, and end by themselves. */
		while (wait(NULL) > 0)
			;
		EXPECT_EQ(0, maps_of(self->fd));
		munmap(flag, sizeof(*flag));
	}
}

TEST_HARNESS_MAIN
