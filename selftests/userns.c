// SPDX-License-Identifier: GPL-2.0
/*
 * Who somebody is depends on who asks: users, groups and processes are told in the
 * namespaces of the caller, and mode bits compare the kernel's own ids.
 */
#include "world.h"

#define OVERFLOW_ID 65534

/* Inside, 0 and the following are these outside. */
#define BASE   100000
#define NR_IDS 10

FIXTURE(userns)
{
	int device;
	unsigned int *flag;
};

FIXTURE_SETUP(userns)
{
	self->device = device_open();
	self->flag = flag_new();
}

FIXTURE_TEARDOWN(userns)
{
	close(self->device);
}

/* Start @run in a user namespace of its own as its @id; the parent awaits it. */
#define INSIDE(flag, id, ...) \
	do { \
		pid_t child_; \
\
		*(flag) = 0; \
		child_ = child_fork(); \
		if (!child_) { \
			flag_await(flag, 1); \
			ASSERT_EQ(0, unshare(CLONE_NEWUSER)); \
			flag_raise(flag); \
			flag_await(flag, 3); \
			ASSERT_EQ(0, setresgid(id, id, id)); \
			ASSERT_EQ(0, setresuid(id, id, id)); \
			prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); \
			__VA_ARGS__; \
			_exit(KSFT_PASS); \
		} \
		flag_raise(flag); \
		flag_await(flag, 2); \
		map_ids(child_, 0, BASE, NR_IDS); \
		flag_raise(flag); \
		child_done(child_); \
	} while (0)

static int box_with_mode(int device, __u32 mode)
{
	struct mailbox_create args = create_args();
	int fd;

	args.mode = mode;
	fd = box_create(device, &args);
	ASSERT_LE(0, fd);
	return fd;
}

static struct mailbox_receive receive_one(int fd)
{
	static char data[64];
	struct mailbox_receive args = receive_args(data, sizeof(data));

	EXPECT_EQ(0, box_receive(fd, &args));
	return args;
}

TEST_F(userns, sender_inside_is_seen_outside_with_the_mapped_id)
{
	int fd = box_with_mode(self->device, 0666);
	struct mailbox_receive message;

	INSIDE(self->flag, 3, {
		EXPECT_EQ(3, getuid());
		EXPECT_EQ(0, box_send_data(fd, "x", 1));
	});
	message = receive_one(fd);
	EXPECT_EQ(BASE + 3, message.uid);
	EXPECT_EQ(BASE + 3, message.gid);
	close(fd);
}

TEST_F(userns, sender_outside_is_seen_inside_as_nobody)
{
	int fd = box_with_mode(self->device, 0666);

	EXPECT_EQ(0, box_send_data(fd, "x", 1));
	INSIDE(self->flag, 3, {
		struct mailbox_receive message = receive_one(fd);

		EXPECT_EQ(OVERFLOW_ID, message.uid);
		EXPECT_EQ(OVERFLOW_ID, message.gid);
	});
	close(fd);
}

TEST_F(userns, sender_outside_with_a_mapped_id_is_seen_inside)
{
	int fd = box_with_mode(self->device, 0666);

	AS_USER(BASE + 7, EXPECT_EQ(0, box_send_data(fd, "x", 1)));
	INSIDE(self->flag, 3, {
		struct mailbox_receive message = receive_one(fd);

		EXPECT_EQ(7, message.uid);
		EXPECT_EQ(7, message.gid);
	});
	close(fd);
}

TEST_F(userns, stat_tells_owner_and_group_as_the_caller_sees_them)
{
	int fd = box_with_mode(self->device, 0666);

	EXPECT_EQ(0, box_stat(fd).uid);
	INSIDE(self->flag, 3, {
		int mine = box_with_mode(self->device, 0600);

		EXPECT_EQ(OVERFLOW_ID, box_stat(fd).uid);
		EXPECT_EQ(OVERFLOW_ID, box_stat(fd).gid);
		EXPECT_EQ(3, box_stat(mine).uid);
		EXPECT_EQ(3, box_stat(mine).gid);
	});
	close(fd);
}

TEST_F(userns, list_tells_owners_as_the_caller_sees_them)
{
	INSIDE(self->flag, 3, {
		int mine = box_with_mode(self->device, 0600);
		__u64 after = box_stat(mine).id - 1;
		struct mailbox_stat entry;

		EXPECT_EQ(1, box_list(self->device, &entry, 1, &after));
		EXPECT_EQ(3, entry.uid);
		EXPECT_EQ(3, entry.gid);
		EXPECT_EQ(box_stat(mine).id, entry.id);
	});
}

TEST_F(userns, owner_bits_go_by_the_kernels_id)
{
	unsigned int *ready = flag_new();
	__u64 *id =
		mmap(NULL, sizeof(*id), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t owner;

	ASSERT_TRUE(id != MAP_FAILED);
	owner = child_fork();
	if (!owner) {
		become(BASE + 3, BASE + 3);
		*id = box_stat(box_with_mode(self->device, 0400)).id;
		flag_raise(ready);
		pause();
	}
	flag_await(ready, 1);
	INSIDE(self->flag, 3, {
		EXPECT_LE(0, box_open(self->device, *id, NULL, MAILBOX_RIGHT_RECEIVE));
		EXPECT_LE(0, box_open(self->device, *id, NULL, MAILBOX_RIGHT_MANAGE));
		EXPECT_EQ(-EACCES, box_open(self->device, *id, NULL, MAILBOX_RIGHT_SEND));
	});
	INSIDE(self->flag, 4,
	       EXPECT_EQ(-EACCES, box_open(self->device, *id, NULL, MAILBOX_RIGHT_RECEIVE)));
	child_kill(owner);
}

TEST_F(userns, same_number_inside_is_not_the_owner)
{
	unsigned int *ready = flag_new();
	__u64 *id =
		mmap(NULL, sizeof(*id), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t owner;

	ASSERT_TRUE(id != MAP_FAILED);
	owner = child_fork();
	if (!owner) {
		become(5, 5);
		*id = box_stat(box_with_mode(self->device, 0660)).id;
		flag_raise(ready);
		pause();
	}
	flag_await(ready, 1);
	INSIDE(self->flag, 5, {
		EXPECT_EQ(5, getuid());
		EXPECT_EQ(-EACCES, box_open(self->device, *id, NULL, MAILBOX_RIGHT_RECEIVE));
		EXPECT_EQ(-EACCES, box_open(self->device, *id, NULL, MAILBOX_RIGHT_SEND));
	});
	child_kill(owner);
}

TEST_F(userns, group_bits_go_by_the_kernels_id)
{
	struct mailbox_set args = { .size = sizeof(args),
				    .flags = MAILBOX_SET_GID,
				    .gid = BASE + 3 };
	int fd = box_with_mode(self->device, 0640);
	__u64 id = box_stat(fd).id;

	EXPECT_EQ(0, call(fd, MAILBOX_IOC_SET, &args));
	INSIDE(self->flag, 3, {
		EXPECT_EQ(3, box_stat(fd).gid);
		/* That of who made it has no meaning here. */
		EXPECT_EQ(OVERFLOW_ID, box_stat(fd).creator_gid);
		EXPECT_EQ(OVERFLOW_ID, box_stat(fd).creator_uid);
		EXPECT_LE(0, box_open(self->device, id, NULL, MAILBOX_RIGHT_RECEIVE));
		EXPECT_EQ(-EACCES, box_open(self->device, id, NULL, MAILBOX_RIGHT_SEND));
	});
	close(fd);
}

TEST_F(userns, root_inside_has_no_power_over_mailboxes_outside)
{
	struct mailbox_set args = { .size = sizeof(args), .flags = MAILBOX_SET_MODE, .mode = 0777 };
	int fd = box_with_mode(self->device, 0600);
	__u64 id = box_stat(fd).id;

	INSIDE(self->flag, 0, {
		__u64 after = id - 1;
		struct mailbox_stat entry;

		EXPECT_EQ(0, geteuid());
		EXPECT_EQ(-EACCES, box_open(self->device, id, NULL, MAILBOX_RIGHT_SEND));
		EXPECT_EQ(-EACCES, box_destroy(self->device, id, NULL));
		EXPECT_EQ(0, box_list(self->device, &entry, 1, &after));
		/* The inherited handle manages, but only the owner changes the mode. */
		EXPECT_REFUSED(self->device, fd, EPERM, call(fd, MAILBOX_IOC_SET, &args));
	});
	EXPECT_EQ(0600, box_stat(fd).mode);
	close(fd);
}

TEST_F(userns, root_inside_has_power_over_mailboxes_made_inside)
{
	INSIDE(self->flag, 0, {
		struct mailbox_set args = { .size = sizeof(args),
					    .flags = MAILBOX_SET_UID,
					    .uid = 8 };
		int fd = box_with_mode(self->device, 0);
		__u64 id = box_stat(fd).id;

		EXPECT_EQ(0, call(fd, MAILBOX_IOC_SET, &args));
		EXPECT_EQ(8, box_stat(fd).uid);
		EXPECT_LE(0, box_open(self->device, id, NULL, RIGHTS_ALL));
		/* An id that has no meaning here cannot be given. */
		args.uid = NR_IDS;
		EXPECT_REFUSED(self->device, fd, EINVAL, call(fd, MAILBOX_IOC_SET, &args));
	});
}

/* The first process of a pid namespace; nothing of common_process.h knows its parent. */
static pid_t fork_into_new_pidns(void)
{
	pid_t pid;

	ASSERT_EQ(0, unshare(CLONE_NEWPID));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		th_escape_tid = 0;
	}
	return pid;
}

TEST_F(userns, pids_are_those_of_the_receivers_namespace)
{
	int fd = box_with_mode(self->device, 0666);
	struct mailbox_receive message;
	pid_t child;

	EXPECT_EQ(0, box_send_data(fd, "outside", 7));
	child = fork_into_new_pidns();
	if (!child) {
		EXPECT_EQ(1, getpid());
		/* The sender outside is not visible in here. */
		message = receive_one(fd);
		EXPECT_EQ(7, message.length);
		EXPECT_EQ(0, message.pid);
		EXPECT_EQ(0, message.tid);
		EXPECT_EQ(0, box_stat(fd).last_sender);
		EXPECT_EQ(1, box_stat(fd).last_receiver);

		EXPECT_EQ(0, box_send_data(fd, "inside", 6));
		message = receive_one(fd);
		EXPECT_EQ(1, message.pid);
		EXPECT_EQ(1, message.tid);
		EXPECT_EQ(0, box_send_data(fd, "for outside", 11));
		_exit(KSFT_PASS);
	}
	child_done(child);
	message = receive_one(fd);
	EXPECT_EQ(11, message.length);
	EXPECT_EQ(child, message.pid);
	EXPECT_EQ(child, message.tid);
	EXPECT_EQ(child, box_stat(fd).last_sender);
	close(fd);
}

TEST_F(userns, selection_by_sender_goes_by_the_callers_pids)
{
	int fd = box_with_mode(self->device, 0666);
	struct mailbox_receive args;
	pid_t child, outside = getpid();
	char data[16];

	EXPECT_EQ(0, box_send_data(fd, "outside", 7));
	child = fork_into_new_pidns();
	if (!child) {
		EXPECT_EQ(0, box_send_data(fd, "inside", 6));
		args = receive_args(data, sizeof(data));
		args.select = MAILBOX_SELECT_SENDER;
		args.match = 1;
		EXPECT_EQ(0, box_receive(fd, &args));
		EXPECT_EQ(6, args.length);
		/* By its pid outside nobody in here knows that sender. */
		args = receive_args(data, sizeof(data));
		args.select = MAILBOX_SELECT_SENDER;
		args.match = outside;
		EXPECT_EQ(-ESRCH, box_receive(fd, &args));
		EXPECT_EQ(0, box_send_data(fd, "for outside", 11));
		_exit(KSFT_PASS);
	}
	child_done(child);
	args = receive_args(data, sizeof(data));
	args.select = MAILBOX_SELECT_SENDER;
	args.match = child;
	EXPECT_EQ(0, box_receive(fd, &args));
	EXPECT_EQ(11, args.length);
	close(fd);
}

TEST_HARNESS_MAIN
