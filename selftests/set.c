// SPDX-License-Identifier: GPL-2.0
/*
 * SET: every field, all of them or none, who may, and what new limits do.
 */
#include "common.h"

#include <stddef.h>

FIXTURE(set)
{
	int device;
	int fd;
	__u64 id;
	struct mailbox_set args;
};

FIXTURE_SETUP(set)
{
	self->device = device_open();
	self->fd = box_new_limited(self->device, MAILBOX_ON_FULL_WAIT, 4);
	self->id = box_stat(self->fd).id;
	self->args.size = sizeof(self->args);
}

FIXTURE_TEARDOWN(set)
{
	box_destroy(self->fd, 0, NULL);
	close(self->fd);
	close(self->device);
}

static int set(FIXTURE_DATA(set) * self)
{
	return call(self->fd, MAILBOX_IOC_SET, &self->args);
}

#define EXPECT_SET_REFUSED(self, error) EXPECT_REFUSED((self)->device, (self)->fd, error, set(self))

TEST_F(set, nothing_at_all)
{
	struct state before = state_take(self->device, self->fd), after;

	/* The clock of some kernels knows no less than a tick. */
	pass_time(before.stat.changed);
	EXPECT_EQ(0, set(self));
	after = state_take(self->device, self->fd);
	/* It is a SET that has succeeded all the same. */
	EXPECT_LT(before.stat.changed, after.stat.changed);
	after.stat.changed = before.stat.changed;
	after.list[0].changed = before.list[0].changed;
	EXPECT_TRUE(state_same(&before, &after));
}

TEST_F(set, each_field_alone)
{
	struct mailbox_stat expected = box_stat(self->fd), seen;

#define CHANGE(flag, member, value) \
	do { \
		self->args = (struct mailbox_set){ .size = sizeof(self->args), \
						   .flags = (flag), \
						   .member = (value) }; \
		expected.member = (value); \
		pass_time(expected.changed); \
		EXPECT_EQ(0, set(self)); \
		seen = box_stat(self->fd); \
		EXPECT_LT(expected.changed, seen.changed); \
		expected.changed = seen.changed; \
		EXPECT_EQ(0, memcmp(&expected, &seen, sizeof(seen))) \
		TH_LOG("%s", #member); \
	} while (0)
	CHANGE(MAILBOX_SET_MODE, mode, 0751);
	CHANGE(MAILBOX_SET_MODE, mode, 0);
	CHANGE(MAILBOX_SET_ON_FULL, on_full, MAILBOX_ON_FULL_REFUSE);
	CHANGE(MAILBOX_SET_ON_FULL, on_full, MAILBOX_ON_FULL_WAIT_EACH);
	CHANGE(MAILBOX_SET_ON_FULL, on_full, MAILBOX_ON_FULL_WAIT);
	CHANGE(MAILBOX_SET_SHARE, share, 1);
	CHANGE(MAILBOX_SET_SHARE, share, 100);
	CHANGE(MAILBOX_SET_ON_FULL, on_full, MAILBOX_ON_FULL_OVERWRITE);
	CHANGE(MAILBOX_SET_MESSAGE_SIZE, message_size, 1);
	CHANGE(MAILBOX_SET_MESSAGE_SIZE, message_size, 1000);
	CHANGE(MAILBOX_SET_MAX_MESSAGES, max_messages, 1);
	CHANGE(MAILBOX_SET_MAX_MESSAGES, max_messages, UINT64_MAX);
	CHANGE(MAILBOX_SET_MAX_BYTES, max_bytes, 1000);
	CHANGE(MAILBOX_SET_MAX_BYTES, max_bytes, UINT64_MAX);
	CHANGE(MAILBOX_SET_REGION_SIZE, region_size, 65536);
	if (is_root()) {
		CHANGE(MAILBOX_SET_UID, uid, 1234);
		CHANGE(MAILBOX_SET_GID, gid, 5678);
	}
}

TEST_F(set, all_fields_at_once)
{
	struct mailbox_stat stat;

	self->args.flags = MAILBOX_SET_MODE | MAILBOX_SET_PERMANENT | MAILBOX_SET_ON_FULL |
			   MAILBOX_SET_SHARE | MAILBOX_SET_MESSAGE_SIZE | MAILBOX_SET_MAX_MESSAGES |
			   MAILBOX_SET_MAX_BYTES;
	self->args.mode = 0640;
	self->args.permanent = 1;
	self->args.on_full = MAILBOX_ON_FULL_REFUSE;
	self->args.share = 10;
	self->args.message_size = 20;
	self->args.max_messages = 30;
	self->args.max_bytes = 40;
	ASSERT_EQ(0, set(self));
	stat = box_stat(self->fd);
	EXPECT_EQ(0640, stat.mode);
	EXPECT_EQ(MAILBOX_PERMANENT, stat.flags);
	EXPECT_EQ(MAILBOX_ON_FULL_REFUSE, stat.on_full);
	EXPECT_EQ(10, stat.share);
	EXPECT_EQ(20, stat.message_size);
	EXPECT_EQ(30, stat.max_messages);
	EXPECT_EQ(40, stat.max_bytes);
}

TEST_F(set, values_out_of_range_are_einval)
{
	static const struct {
		__u32 flag;
		size_t offset;
		__u32 value;
	} cases[] = {
#define CASE(flag, member, value) { flag, offsetof(struct mailbox_set, member), value }
		CASE(MAILBOX_SET_MODE, mode, 01000),
		CASE(MAILBOX_SET_PERMANENT, permanent, 2),
		CASE(MAILBOX_SET_ON_FULL, on_full, 4),
		CASE(MAILBOX_SET_SHARE, share, 0),
		CASE(MAILBOX_SET_SHARE, share, 101),
		CASE(MAILBOX_SET_MESSAGE_SIZE, message_size, 0),
		CASE(MAILBOX_SET_MESSAGE_SIZE, message_size, MAILBOX_MESSAGE_SIZE_MAX + 1),
		CASE(MAILBOX_SET_MAX_MESSAGES, max_messages, 0),
		CASE(MAILBOX_SET_MAX_BYTES, max_bytes, 0),
		CASE(MAILBOX_SET_REGION_SIZE, region_size, 0),
	};
	unsigned int i;

	/* Room for any size, so that only the one thing is wrong. */
	self->args.flags = MAILBOX_SET_MAX_BYTES;
	self->args.max_bytes = UINT64_MAX;
	ASSERT_EQ(0, set(self));
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		self->args =
			(struct mailbox_set){ .size = sizeof(self->args), .flags = cases[i].flag };
		memcpy((char *)&self->args + cases[i].offset, &cases[i].value, sizeof(__u32));
		EXPECT_SET_REFUSED(self, EINVAL);
	}
}

TEST_F(set, a_value_without_its_flag_is_einval)
{
	size_t offset;

	for (offset = offsetof(struct mailbox_set, mode); offset < sizeof(self->args);
	     offset += offset < offsetof(struct mailbox_set, name) ? 4 : 17) {
		self->args = (struct mailbox_set){ .size = sizeof(self->args) };
		((char *)&self->args)[offset] = 1;
		EXPECT_SET_REFUSED(self, EINVAL);
	}
}

TEST_F(set, one_bad_field_stops_them_all)
{
	self->args.flags = MAILBOX_SET_MODE | MAILBOX_SET_MAX_MESSAGES | MAILBOX_SET_SHARE;
	self->args.mode = 0777;
	self->args.max_messages = 99;
	self->args.share = 101;
	EXPECT_SET_REFUSED(self, EINVAL);
}

TEST_F(set, permanent_keeps_the_mailbox_and_temporary_ends_it)
{
	self->args.flags = MAILBOX_SET_PERMANENT;
	self->args.permanent = 1;
	ASSERT_EQ(0, set(self));
	close(self->fd);
	self->fd = box_open(self->device, self->id, NULL, RIGHTS_ALL);
	ASSERT_LE(0, self->fd);

	self->args.permanent = 0;
	ASSERT_EQ(0, set(self));
	close(self->fd);
	self->fd = box_open(self->device, self->id, NULL, RIGHTS_ALL);
	EXPECT_EQ(-ENOENT, self->fd);
}

TEST_F(set, limits_are_only_for_bounded_mailboxes)
{
	static const __u32 capacities[] = { MAILBOX_CAPACITY_RENDEZVOUS,
					    MAILBOX_CAPACITY_UNBOUNDED };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(capacities); i++) {
		close(self->fd);
		self->fd = box_new_capacity(self->device, capacities[i]);
		self->args = (struct mailbox_set){ .size = sizeof(self->args),
						   .flags = MAILBOX_SET_MAX_MESSAGES,
						   .max_messages = 5 };
		EXPECT_SET_REFUSED(self, EINVAL);
		self->args = (struct mailbox_set){ .size = sizeof(self->args),
						   .flags = MAILBOX_SET_MAX_BYTES,
						   .max_bytes = 5000000 };
		EXPECT_SET_REFUSED(self, EINVAL);
		self->args = (struct mailbox_set){ .size = sizeof(self->args),
						   .flags = MAILBOX_SET_ON_FULL,
						   .on_full = MAILBOX_ON_FULL_OVERWRITE };
		EXPECT_SET_REFUSED(self, EINVAL);
	}
}

TEST_F(set, a_fixed_size_stays)
{
	struct mailbox_create create = create_args();

	close(self->fd);
	create.flags = MAILBOX_FIXED_SIZE;
	create.message_size = 8;
	self->fd = box_create(self->device, &create);
	ASSERT_LE(0, self->fd);
	self->args.flags = MAILBOX_SET_MESSAGE_SIZE;
	self->args.message_size = 9;
	EXPECT_SET_REFUSED(self, EINVAL);
}

TEST_F(set, a_lower_limit_drops_nothing)
{
	char text[8];
	int i;

	for (i = 0; i < 4; i++)
		ASSERT_EQ(0, box_send_text(self->fd, "four", 0, 0));
	self->args.flags = MAILBOX_SET_MAX_MESSAGES;
	self->args.max_messages = 2;
	ASSERT_EQ(0, set(self));
	EXPECT_EQ(4, box_stat(self->fd).messages);
	/* It holds from now on. */
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(-EAGAIN, box_send_text(self->fd, "x", 0, 0));
		EXPECT_EQ(0, poll_now(self->fd, POLLOUT));
		EXPECT_EQ(4, box_receive_text(self->fd, text, sizeof(text)));
	}
	EXPECT_EQ(POLLOUT, poll_now(self->fd, POLLOUT));
	EXPECT_EQ(0, box_send_text(self->fd, "x", 0, 0));
}

TEST_F(set, a_smaller_message_size_keeps_what_is_queued)
{
	char text[16];

	ASSERT_EQ(0, box_send_text(self->fd, "longer", 0, 0));
	self->args.flags = MAILBOX_SET_MESSAGE_SIZE;
	self->args.message_size = 3;
	ASSERT_EQ(0, set(self));
	EXPECT_EQ(-EMSGSIZE, box_send_text(self->fd, "longer", 0, 0));
	EXPECT_EQ(0, box_send_text(self->fd, "sho", 0, 0));
	EXPECT_EQ(6, box_receive_text(self->fd, text, sizeof(text)));
}

TEST_F(set, a_higher_limit_lets_waiting_senders_in)
{
	pid_t pids[2];
	int i;

	for (i = 0; i < 4; i++)
		ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	for (i = 0; i < 2; i++) {
		pids[i] = child_fork();
		if (!pids[i]) {
			EXPECT_EQ(1, write(self->fd, "y", 1));
			_exit(0);
		}
		wait_waiters(self->fd, 0, i + 1);
	}
	self->args.flags = MAILBOX_SET_MAX_MESSAGES;
	self->args.max_messages = 5;
	ASSERT_EQ(0, set(self));
	child_done(pids[0]);
	wait_waiters(self->fd, 0, 1);
	EXPECT_EQ(5, box_stat(self->fd).messages);
	self->args.max_messages = 6;
	ASSERT_EQ(0, set(self));
	child_done(pids[1]);
	EXPECT_EQ(6, box_stat(self->fd).messages);
}

/* Sends in a process of its own, which waits and must end with this error, or 0. */
static pid_t waiting_sender(FIXTURE_DATA(set) * self, const char *text, int error)
{
	pid_t pid = child_fork();

	if (!pid) {
		struct mailbox_send args = send_args(text, strlen(text));

		args.flags = 0;
		EXPECT_EQ(-error, box_send(self->fd, &args));
		_exit(KSFT_PASS);
	}
	return pid;
}

TEST_F(set, a_smaller_message_size_sends_waiting_senders_away)
{
	pid_t longer, fits;
	int i;

	for (i = 0; i < 4; i++)
		ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	longer = waiting_sender(self, "longer", EMSGSIZE);
	wait_waiters(self->fd, 0, 1);
	fits = waiting_sender(self, "fits", 0);
	wait_waiters(self->fd, 0, 2);
	self->args.flags = MAILBOX_SET_MESSAGE_SIZE;
	self->args.message_size = 4;
	ASSERT_EQ(0, set(self));
	child_done(longer);
	EXPECT_EQ(1, box_stat(self->fd).senders);
	EXPECT_EQ(4, box_stat(self->fd).messages);
	self->args = (struct mailbox_set){ .size = sizeof(self->args),
					   .flags = MAILBOX_SET_MAX_MESSAGES,
					   .max_messages = 5 };
	ASSERT_EQ(0, set(self));
	child_done(fits);
}

TEST_F(set, a_smaller_message_size_is_told_behind_others_too)
{
	pid_t fits, longer;
	int i;

	for (i = 0; i < 4; i++)
		ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	fits = waiting_sender(self, "fits", EIDRM);
	wait_waiters(self->fd, 0, 1);
	longer = waiting_sender(self, "longer", EMSGSIZE);
	wait_waiters(self->fd, 0, 2);
	self->args.flags = MAILBOX_SET_MESSAGE_SIZE;
	self->args.message_size = 4;
	ASSERT_EQ(0, set(self));
	wait_waiters(self->fd, 0, 1);
	child_done(longer);
	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	child_done(fits);
}

TEST_F(set, senders_at_a_rendezvous_do_as_if_they_came_after_the_change)
{
	pid_t longer, fits;
	char text[8];

	close(self->fd);
	self->fd = box_new_capacity(self->device, MAILBOX_CAPACITY_RENDEZVOUS);
	longer = waiting_sender(self, "longer", EMSGSIZE);
	wait_waiters(self->fd, 0, 1);
	fits = waiting_sender(self, "fits", EAGAIN);
	wait_waiters(self->fd, 0, 2);
	self->args.flags = MAILBOX_SET_MESSAGE_SIZE;
	self->args.message_size = 4;
	ASSERT_EQ(0, set(self));
	wait_waiters(self->fd, 0, 1);
	child_done(longer);
	self->args = (struct mailbox_set){ .size = sizeof(self->args),
					   .flags = MAILBOX_SET_ON_FULL,
					   .on_full = MAILBOX_ON_FULL_REFUSE };
	ASSERT_EQ(0, set(self));
	wait_waiters(self->fd, 0, 0);
	child_done(fits);
	EXPECT_EQ(-EAGAIN, box_receive_text(self->fd, text, sizeof(text)));
	EXPECT_EQ(0, box_stat(self->fd).sent);
}

TEST_F(set, waiting_senders_do_as_if_they_came_after_the_change)
{
	static const struct {
		__u32 on_full;
		int error;
		unsigned int overwritten;
	} cases[] = {
		{ MAILBOX_ON_FULL_REFUSE, EAGAIN, 0 },
		{ MAILBOX_ON_FULL_OVERWRITE, 0, 2 },
	};
	struct mailbox_stat stat;
	size_t c, i;

	for (i = 0; i < 4; i++)
		ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	for (c = 0; c < ARRAY_SIZE(cases); c++) {
		pid_t pids[2];

		self->args.flags = MAILBOX_SET_ON_FULL;
		self->args.on_full = MAILBOX_ON_FULL_WAIT;
		ASSERT_EQ(0, set(self));
		for (i = 0; i < ARRAY_SIZE(pids); i++) {
			pids[i] = waiting_sender(self, "y", cases[c].error);
			wait_waiters(self->fd, 0, i + 1);
		}
		self->args.on_full = cases[c].on_full;
		ASSERT_EQ(0, set(self));
		for (i = 0; i < ARRAY_SIZE(pids); i++)
			child_done(pids[i]);
		stat = box_stat(self->fd);
		EXPECT_EQ(0, stat.senders);
		EXPECT_EQ(4, stat.messages);
		EXPECT_EQ(cases[c].overwritten, stat.overwritten);
	}
}

TEST_F(set, needs_the_right_to_manage)
{
	int fd = box_open(self->device, self->id, NULL, MAILBOX_RIGHT_SEND | MAILBOX_RIGHT_RECEIVE);

	ASSERT_LE(0, fd);
	self->args.flags = MAILBOX_SET_MAX_MESSAGES;
	self->args.max_messages = 9;
	EXPECT_REFUSED(self->device, self->fd, EACCES, call(fd, MAILBOX_IOC_SET, &self->args));
	close(fd);
}

static void try_as(FIXTURE_DATA(set) * self, uid_t uid, gid_t gid, __u32 flag, __u32 value,
		   int expected)
{
	struct state before = state_take(self->device, self->fd);
	pid_t pid = child_fork();

	if (!pid) {
		self->args = (struct mailbox_set){ .size = sizeof(self->args), .flags = flag };
		if (flag == MAILBOX_SET_MODE)
			self->args.mode = value;
		if (flag == MAILBOX_SET_UID)
			self->args.uid = value;
		if (flag == MAILBOX_SET_GID)
			self->args.gid = value;
		if (flag == MAILBOX_SET_SHARE)
			self->args.share = value;
		become(uid, gid);
		EXPECT_EQ(expected, set(self)) TH_LOG("uid %u flag %u", uid, flag);
		_exit(0);
	}
	child_done(pid);
	if (expected)
		EXPECT_UNCHANGED(self->device, self->fd, before);
}

TEST_F(set, only_the_owner_changes_mode_and_owner)
{
	if (!is_root())
		SKIP(return, "needs root");
	self->args.flags = MAILBOX_SET_UID | MAILBOX_SET_GID | MAILBOX_SET_MODE;
	self->args.uid = 1000;
	self->args.gid = 2000;
	self->args.mode = 0700;
	ASSERT_EQ(0, set(self));

	/* The handle may manage, its user is another. */
	try_as(self, 1001, 2000, MAILBOX_SET_MODE, 0777, -EPERM);
	try_as(self, 1001, 2000, MAILBOX_SET_UID, 1001, -EPERM);
	try_as(self, 1001, 2000, MAILBOX_SET_GID, 2000, -EPERM);
	try_as(self, 1001, 2000, MAILBOX_SET_SHARE, 50, 0);
	/* The owner, who cannot give it away. */
	try_as(self, 1000, 2000, MAILBOX_SET_MODE, 0770, 0);
	try_as(self, 1000, 2000, MAILBOX_SET_UID, 1001, -EPERM);
	try_as(self, 1000, 2000, MAILBOX_SET_GID, 2001, -EPERM);
	try_as(self, 1000, 2001, MAILBOX_SET_GID, 2001, 0);
	EXPECT_EQ(0770, box_stat(self->fd).mode);
	EXPECT_EQ(1000, box_stat(self->fd).uid);
	EXPECT_EQ(2001, box_stat(self->fd).gid);
}

TEST_F(set, an_owner_that_cannot_be_is_einval)
{
	if (!is_root())
		SKIP(return, "needs root");
	self->args.flags = MAILBOX_SET_UID;
	self->args.uid = UINT32_MAX;
	EXPECT_SET_REFUSED(self, EINVAL);
	self->args.flags = MAILBOX_SET_GID;
	self->args.uid = 0;
	self->args.gid = UINT32_MAX;
	EXPECT_SET_REFUSED(self, EINVAL);
}

TEST_HARNESS_MAIN
