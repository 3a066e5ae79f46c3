// SPDX-License-Identifier: GPL-2.0
/*
 * SysV identifiers are no descriptors: what a program does with its own does not matter to them.
 */
#include "msg_queue.h"

#include <spawn.h>

static void expect_works(int id)
{
	EXPECT_EQ(0, queue_send(id, 9, "works", IPC_NOWAIT));
	EXPECT_TAKEN(id, 0, 0, 9, "works");
}

static int most(void)
{
	struct rlimit limit;

	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &limit));
	return limit.rlim_cur < 100000 ? limit.rlim_cur : 100000;
}

TEST_F(queue, daemon_closes_all_there_is)
{
	int fd, limit = most(), open = 0;

	for (fd = 3; fd < limit; fd++)
		close(fd);
	expect_works(self->id);
	for (fd = 3; fd < limit; fd++)
		open += !close(fd);
	EXPECT_EQ(0, open);
	expect_works(self->id);
}

TEST_F(queue, close_range)
{
	int first = open("/dev/null", O_RDONLY), last;

	ASSERT_LE(0, first);
	expect_works(self->id);
	last = fcntl(first, F_DUPFD, most() - 1);
	ASSERT_EQ(most() - 1, last);
	ASSERT_EQ(0, TRY(close_range(first, ~0U, 0)));
	EXPECT_EQ(-EBADF, TRY(fcntl(first, F_GETFD)));
	EXPECT_EQ(-EBADF, TRY(fcntl(last, F_GETFD)));
	expect_works(self->id);
}

TEST_F(queue, closefrom)
{
	int fd = open("/dev/null", O_RDONLY);

	ASSERT_LE(0, fd);
	expect_works(self->id);
	closefrom(fd);
	EXPECT_EQ(-EBADF, TRY(fcntl(fd, F_GETFD)));
	expect_works(self->id);
}

/* Any number is the program's, if it wants it. */
TEST_F(queue, dup2_and_dup3_to_any_number)
{
	int fd = open("/dev/null", O_RDONLY), to, limit = most();

	ASSERT_LE(0, fd);
	expect_works(self->id);
	for (to = limit - 140; to < limit; to++)
		ASSERT_EQ(to, to % 2 ? dup2(fd, to) : dup3(fd, to, O_CLOEXEC));
	for (to = limit - 140; to < limit; to++)
		ASSERT_EQ(0, close(to));
	expect_works(self->id);
}

TEST_F(queue, descriptors_begin_low)
{
	int before = open("/dev/null", O_RDONLY), after;

	close(before);
	expect_works(self->id);
	after = open("/dev/null", O_RDONLY);
	EXPECT_EQ(before, after);
}

/* A program has hardly any left. */
TEST_F(queue, few_descriptors)
{
	struct rlimit limit = { .rlim_cur = 32, .rlim_max = 32 };

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	expect_works(self->id);
}

/* The next program begins with nothing, and finds the queue by its id. */
TEST_F(queue, exec)
{
	char id[16];
	char *const arguments[] = { "/proc/self/exe", "-t", "queue.works_by_id", NULL };
	pid_t pid;

	snprintf(id, sizeof(id), "%d", self->id);
	setenv("QUEUE", id, 1);
	ASSERT_EQ(0, queue_send(self->id, 3, "for the next", 0));
	pid = child_fork();
	if (!pid) {
		close(STDOUT_FILENO);
		open("/dev/null", O_WRONLY);
		execv(arguments[0], arguments);
		_exit(1);
	}
	child_done(pid);
	EXPECT_TAKEN(self->id, 0, 0, 4, "from the next");
}

/* What the other is about. */
TEST_F(queue, works_by_id)
{
	const char *id = getenv("QUEUE");

	if (!id)
		return;
	EXPECT_TAKEN(atoi(id), 0, 0, 3, "for the next");
	EXPECT_EQ(0, queue_send(atoi(id), 4, "from the next", 0));
}

TEST_F(queue, spawned_program)
{
	char *const arguments[] = { "/proc/self/exe", "-l", NULL };
	posix_spawn_file_actions_t actions;
	pid_t pid;

	expect_works(self->id);
	ASSERT_EQ(0, posix_spawn_file_actions_init(&actions));
	ASSERT_EQ(0, posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0));
	ASSERT_EQ(0, posix_spawn(&pid, arguments[0], &actions, NULL, arguments, environ));
	child_done(pid);
	expect_works(self->id);
}

TEST_HARNESS_MAIN
