// SPDX-License-Identifier: GPL-2.0
/*
 * Direct communication across user namespaces. Who may send is who may send a signal: the same
 * user by the kernel's own ids, or CAP_KILL in the namespace of the receiver, which root has
 * there, and above, and whoever made it, from outside. The kernel is asked as well, by kill(2).
 */
#include "common_direct.h"
#include "world.h"

#include <linux/capability.h>

#define OVERFLOW_ID 65534

/* Inside, 0 and the following are these outside. */
#define BASE	   110000
#define BASE_OTHER 120000
#define NR_IDS	   10

/* Makes the namespaces. */
#define OWNER	 2111
#define STRANGER 2112

FIXTURE(direct_userns)
{
	int device;
	unsigned int *flag;
	/* User 3 of a namespace. */
	pid_t target;
};

/* Waits to be sent something, as a user of a namespace of its own. */
static pid_t target_new(unsigned int *flag, unsigned int base, uid_t id)
{
	pid_t pid;

	*flag = 0;
	pid = child_fork();
	if (!pid) {
		become(OWNER, OWNER);
		ASSERT_EQ(0, unshare(CLONE_NEWUSER));
		flag_raise(flag);
		flag_await(flag, 2);
		ASSERT_EQ(0, setresgid(id, id, id));
		ASSERT_EQ(0, setresuid(id, id, id));
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		flag_raise(flag);
		for (;;)
			pause();
	}
	flag_await(flag, 1);
	map_ids(pid, 0, base, NR_IDS);
	flag_raise(flag);
	flag_await(flag, 3);
	return pid;
}

FIXTURE_SETUP(direct_userns)
{
	if (!is_root())
		SKIP(return, "needs user namespaces");
	if (access("/proc/self/ns/user", F_OK))
		SKIP(return, "this kernel has no user namespaces");
	self->device = device_open();
	self->flag = flag_new();
	self->target = target_new(self->flag, BASE, 3);
}

FIXTURE_TEARDOWN(direct_userns)
{
	if (self->target)
		child_kill(self->target);
	close(self->device);
}

/* Into the namespace of a process, or nowhere, as one of its users, with what that one may. */
static void enter(pid_t process, uid_t id)
{
	char path[64];
	int fd;

	if (process) {
		snprintf(path, sizeof(path), "/proc/%d/ns/user", process);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, setgroups(0, NULL));
		ASSERT_EQ(0, setns(fd, CLONE_NEWUSER));
		/* Only who stops being root loses what root may. */
		ASSERT_EQ(0, setresgid(0, 0, 0));
		ASSERT_EQ(0, setresuid(0, 0, 0));
	}
	if (id) {
		ASSERT_EQ(0, setresgid(id, id, id));
		ASSERT_EQ(0, setresuid(id, id, id));
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
}

/* In a process that ends with it. Return: 0 or a negative errno, as kill(2) has it, too. */
static int send_here(int device, pid_t to)
{
	const int may = kill(to, 0) ? -errno : 0;
	const int ret = direct_send(device, to, "x");

	EXPECT_EQ(may, ret);
	return ret;
}

static int exit_status(pid_t pid)
{
	int status;

	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* What a user of the namespace of a process, or of ours for 0, gets for sending to @to. */
static int send_as(int device, pid_t process, uid_t id, pid_t to)
{
	pid_t pid = child_fork();

	if (!pid) {
		enter(process, id);
		_exit(-send_here(device, to));
	}
	return -exit_status(pid);
}

static void drop_cap_kill(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	ASSERT_EQ(0, syscall(SYS_capget, &header, data));
	data[0].effective &= ~(1U << CAP_KILL);
	ASSERT_EQ(0, syscall(SYS_capset, &header, data));
}

TEST_F(direct_userns, from_outside_to_one_inside)
{
	pid_t pid;

	EXPECT_EQ(0, send_as(self->device, 0, 0, self->target));
	EXPECT_EQ(-EPERM, send_as(self->device, 0, STRANGER, self->target));
	/* Not the same user as 3 outside. */
	EXPECT_EQ(-EPERM, send_as(self->device, 0, 3, self->target));
	EXPECT_EQ(0, send_as(self->device, 0, BASE + 3, self->target));
	/* That user is root inside, but nobody here. */
	EXPECT_EQ(-EPERM, send_as(self->device, 0, BASE, self->target));
	/* Who made the namespace has it all, from outside. */
	EXPECT_EQ(0, send_as(self->device, 0, OWNER, self->target));

	pid = child_fork();
	if (!pid) {
		drop_cap_kill();
		_exit(-send_here(self->device, self->target));
	}
	EXPECT_EQ(EPERM, exit_status(pid));
}

TEST_F(direct_userns, inside_one)
{
	EXPECT_EQ(0, send_as(self->device, self->target, 0, self->target));
	EXPECT_EQ(0, send_as(self->device, self->target, 3, self->target));
	EXPECT_EQ(-EPERM, send_as(self->device, self->target, 4, self->target));
}

TEST_F(direct_userns, root_inside_loses_it_with_the_capability)
{
	pid_t pid = child_fork();

	if (!pid) {
		enter(self->target, 0);
		drop_cap_kill();
		_exit(-send_here(self->device, self->target));
	}
	EXPECT_EQ(EPERM, exit_status(pid));
}

TEST_F(direct_userns, from_inside_to_one_outside)
{
	const uid_t ids[] = { 0, STRANGER, BASE + 3, BASE };
	/* From 0, 3 and 4. */
	const int expected[][3] = {
		{ -EPERM, -EPERM, -EPERM },
		{ -EPERM, -EPERM, -EPERM },
		{ -EPERM, 0, -EPERM },
		{ 0, -EPERM, -EPERM },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		unsigned int *flag = flag_new();
		pid_t pid = child_fork();

		if (!pid) {
			if (ids[i])
				become(ids[i], ids[i]);
			flag_raise(flag);
			for (;;)
				pause();
		}
		flag_await(flag, 1);
		EXPECT_EQ(expected[i][0], send_as(self->device, self->target, 0, pid));
		EXPECT_EQ(expected[i][1], send_as(self->device, self->target, 3, pid));
		EXPECT_EQ(expected[i][2], send_as(self->device, self->target, 4, pid));
		child_kill(pid);
	}
}

/* The same numbers inside, and others for the kernel. */
TEST_F(direct_userns, from_one_beside_it)
{
	pid_t beside = target_new(self->flag, BASE_OTHER, 3);

	EXPECT_EQ(-EPERM, send_as(self->device, beside, 0, self->target));
	EXPECT_EQ(-EPERM, send_as(self->device, beside, 3, self->target));
	EXPECT_EQ(-EPERM, send_as(self->device, self->target, 0, beside));
	EXPECT_EQ(-EPERM, send_as(self->device, self->target, 3, beside));
	child_kill(beside);
	/* The same users, but what root of one may is nothing in the other. */
	beside = target_new(self->flag, BASE, 4);
	EXPECT_EQ(-EPERM, send_as(self->device, self->target, 0, beside));
	EXPECT_EQ(0, send_as(self->device, self->target, 4, beside));
	EXPECT_EQ(-EPERM, send_as(self->device, beside, 0, self->target));
	EXPECT_EQ(0, send_as(self->device, beside, 3, self->target));
	child_kill(beside);
}

/* A namespace in the one of the target, made by a user of that one, who is its 0. */
static pid_t nested_new(FIXTURE_DATA(direct_userns) * self, uid_t id)
{
	char map[32];
	pid_t pid;

	*self->flag = 0;
	pid = child_fork();
	if (!pid) {
		enter(self->target, id);
		ASSERT_EQ(0, unshare(CLONE_NEWUSER));
		prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
		snprintf(map, sizeof(map), "0 %u 1", id);
		ASSERT_EQ(0, write_text("/proc/self/uid_map", map));
		ASSERT_EQ(0, write_text("/proc/self/setgroups", "deny"));
		ASSERT_EQ(0, write_text("/proc/self/gid_map", map));
		flag_raise(self->flag);
		for (;;)
			pause();
	}
	flag_await(self->flag, 1);
	return pid;
}

TEST_F(direct_userns, root_above_may_and_root_below_may_not)
{
	pid_t nested = nested_new(self, 5);

	EXPECT_EQ(0, send_as(self->device, self->target, 0, nested));
	EXPECT_EQ(0, send_as(self->device, 0, 0, nested));
	/* Who made the one above, and who made it. */
	EXPECT_EQ(0, send_as(self->device, 0, OWNER, nested));
	EXPECT_EQ(0, send_as(self->device, self->target, 5, nested));
	EXPECT_EQ(-EPERM, send_as(self->device, self->target, 3, nested));
	EXPECT_EQ(-EPERM, send_as(self->device, nested, 0, self->target));
	child_kill(nested);
}

/* In the namespaces of those who are told. */
TEST_F(direct_userns, who_is_told_in_which_numbers)
{
	unsigned int *spoken = flag_new();
	pid_t parent = getpid(), child = child_fork();
	struct mailbox_receive args;
	struct mailbox_link link;
	char text[8];

	if (!child) {
		enter(self->target, 3);
		/* Root outside can be answered, and not be spoken to. */
		EXPECT_EQ(-EPERM, direct_send(self->device, parent, "x"));
		flag_raise(spoken);
		args = receive_args(text, sizeof(text));
		args.flags = 0;
		EXPECT_EQ(0, direct_call(self->device, MAILBOX_IOC_RECEIVE_FROM, parent, &args));
		EXPECT_EQ(OVERFLOW_ID, args.uid);
		EXPECT_EQ(OVERFLOW_ID, args.gid);
		EXPECT_EQ(0, direct_send(self->device, parent, "answer"));
		EXPECT_EQ(1, direct_count(self->device, parent, &link));
		EXPECT_EQ(getpid(), link.pid);
		EXPECT_EQ(3, link.uid);
		EXPECT_EQ(parent, link.peer);
		EXPECT_EQ(OVERFLOW_ID, link.peer_uid);
		flag_raise(spoken);
		pause();
	}
	flag_await(spoken, 1);
	ASSERT_EQ(0, direct_send(self->device, child, "speak"));
	flag_await(spoken, 2);
	args = receive_args(text, sizeof(text));
	EXPECT_EQ(0, direct_call(self->device, MAILBOX_IOC_RECEIVE_FROM, child, &args));
	EXPECT_EQ(BASE + 3, args.uid);
	EXPECT_EQ(BASE + 3, args.gid);
	EXPECT_EQ(1, direct_count(self->device, child, &link));
	EXPECT_EQ(BASE + 3, link.peer_uid);
	child_kill(child);
}

/* As who may send: one side of it at least. */
static int links_seen_by(int device, pid_t process, uid_t id, pid_t of)
{
	pid_t pid = child_fork();

	if (!pid) {
		enter(process, id);
		_exit(direct_count(device, of, NULL));
	}
	return exit_status(pid);
}

TEST_F(direct_userns, links_are_listed_for_who_may_see_them)
{
	ASSERT_EQ(0, direct_send(self->device, self->target, "x"));
	EXPECT_EQ(1, links_seen_by(self->device, self->target, 0, self->target));
	EXPECT_EQ(1, links_seen_by(self->device, self->target, 3, self->target));
	EXPECT_EQ(0, links_seen_by(self->device, self->target, 4, self->target));
	EXPECT_EQ(1, links_seen_by(self->device, 0, OWNER, self->target));
	EXPECT_EQ(0, links_seen_by(self->device, 0, STRANGER, self->target));
	EXPECT_EQ(0, links_seen_by(self->device, 0, BASE, self->target));
}

TEST_HARNESS_MAIN
