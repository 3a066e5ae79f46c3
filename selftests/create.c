// SPDX-License-Identifier: GPL-2.0
/*
 * What CREATE accepts, refuses and answers.
 */
#include "common.h"

#include <stddef.h>
#include <sys/resource.h>

FIXTURE(create)
{
	int device;
	struct mailbox_create args;
};

FIXTURE_SETUP(create)
{
	self->device = device_open();
	self->args = create_args();
}

FIXTURE_TEARDOWN(create)
{
	close(self->device);
}

/* The created mailbox is described, and is gone after that. */
static struct mailbox_stat create_and_look(FIXTURE_DATA(create) * self)
{
	struct mailbox_stat stat;
	int fd = box_create(self->device, &self->args);

	ASSERT_LE(0, fd);
	stat = box_stat(fd);
	close(fd);
	return stat;
}

#define EXPECT_CREATE_REFUSED(self, error) \
	EXPECT_REFUSED((self)->device, -1, error, box_create((self)->device, &(self)->args))

TEST_F(create, answers_handle_and_id)
{
	struct mailbox_stat stat;
	int fd = box_create(self->device, &self->args);

	ASSERT_LE(0, fd);
	EXPECT_NE(POISON64, self->args.id);
	EXPECT_NE(0, self->args.id);
	stat = box_stat(fd);
	EXPECT_EQ(self->args.id, stat.id);
	EXPECT_EQ(RIGHTS_ALL, stat.rights);
	EXPECT_EQ(1, stat.handles);
	close(fd);
}

TEST_F(create, defaults)
{
	struct mailbox_info info = device_info(self->device);
	struct mailbox_stat stat = create_and_look(self);

	EXPECT_EQ(0, stat.flags);
	EXPECT_EQ(0600, stat.mode);
	EXPECT_EQ(MAILBOX_POLICY_ANY, stat.policy);
	EXPECT_EQ(MAILBOX_CAPACITY_BOUNDED, stat.capacity);
	EXPECT_EQ(MAILBOX_ON_FULL_WAIT, stat.on_full);
	EXPECT_EQ(1024, stat.max_messages);
	EXPECT_EQ(8 << 20, stat.max_bytes);
	EXPECT_EQ(info.max_message_size, stat.message_size);
	EXPECT_STREQ("", stat.name);
	EXPECT_EQ(0, stat.max_deliveries);
	EXPECT_EQ(0, stat.dead_letter);
}

TEST_F(create, policy_is_shown_by_stat_and_list)
{
	__u32 policy;

	for (policy = MAILBOX_POLICY_ANY; policy <= MAILBOX_POLICY_BROADCAST; policy++) {
		struct mailbox_stat entry;
		__u64 after;
		int fd;

		self->args = create_args();
		self->args.policy = policy;
		if (policy == MAILBOX_POLICY_BROADCAST)
			self->args.on_full = MAILBOX_ON_FULL_OVERWRITE;
		fd = box_create(self->device, &self->args);
		ASSERT_LE(0, fd);
		EXPECT_EQ(policy, box_stat(fd).policy);
		after = self->args.id - 1;
		ASSERT_EQ(1, box_list(self->device, &entry, 1, &after));
		EXPECT_EQ(self->args.id, entry.id);
		EXPECT_EQ(policy, entry.policy);
		close(fd);
	}
}

TEST_F(create, message_size_defaults_to_max_bytes_if_that_is_less)
{
	self->args.max_bytes = 100;
	EXPECT_EQ(100, create_and_look(self).message_size);
}

TEST_F(create, takes_every_value_over)
{
	int dead = box_new(self->device);
	struct mailbox_stat stat;

	self->args.flags = MAILBOX_PERMANENT | MAILBOX_FIXED_SIZE;
	self->args.mode = 0751;
	self->args.on_full = MAILBOX_ON_FULL_REFUSE;
	self->args.share = 33;
	self->args.message_size = 77;
	self->args.max_messages = 5;
	self->args.max_bytes = 1000;
	self->args.max_deliveries = 9;
	self->args.dead_letter = box_stat(dead).id;
	strcpy(self->args.name, "takes every value");
	stat = create_and_look(self);
	EXPECT_EQ(0, box_destroy(self->device, stat.id, NULL));
	EXPECT_EQ(MAILBOX_PERMANENT | MAILBOX_FIXED_SIZE, stat.flags);
	EXPECT_EQ(0751, stat.mode);
	EXPECT_EQ(MAILBOX_ON_FULL_REFUSE, stat.on_full);
	EXPECT_EQ(33, stat.share);
	EXPECT_EQ(77, stat.message_size);
	EXPECT_EQ(5, stat.max_messages);
	EXPECT_EQ(1000, stat.max_bytes);
	EXPECT_EQ(9, stat.max_deliveries);
	EXPECT_EQ(box_stat(dead).id, stat.dead_letter);
	EXPECT_STREQ("takes every value", stat.name);
	close(dead);
}

TEST_F(create, limits_are_only_for_bounded_mailboxes)
{
	const __u32 capacities[] = { MAILBOX_CAPACITY_RENDEZVOUS, MAILBOX_CAPACITY_UNBOUNDED };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(capacities); i++) {
		struct mailbox_stat stat;

		self->args = create_args();
		self->args.capacity = capacities[i];
		stat = create_and_look(self);
		EXPECT_EQ(capacities[i], stat.capacity);
		EXPECT_EQ(0, stat.max_messages);
		EXPECT_EQ(0, stat.max_bytes);
	}
}

TEST_F(create, share_defaults_by_who_may_send)
{
	static const struct {
		__u32 mode, share;
	} cases[] = {
		{ 0600, 100 }, { 0200, 100 }, { 0755, 100 }, { 0644, 100 },
		{ 0620, 50 },  { 0602, 50 },  { 0666, 50 },  { 0022, 50 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		self->args = create_args();
		self->args.mode = cases[i].mode;
		EXPECT_EQ(cases[i].share, create_and_look(self).share)
		TH_LOG("mode %o", cases[i].mode);
	}
	self->args = create_args();
	self->args.mode = 0666;
	self->args.share = 100;
	EXPECT_EQ(100, create_and_look(self).share);
}

TEST_F(create, belongs_to_the_effective_user_and_group)
{
	struct mailbox_stat stat;

	if (!is_root())
		SKIP(return, "needs root");
	ASSERT_EQ(0, setegid(1234));
	ASSERT_EQ(0, seteuid(1233));
	stat = create_and_look(self);
	EXPECT_EQ(1233, stat.uid);
	EXPECT_EQ(1234, stat.gid);
}

TEST_F(create, time_of_creation_is_now)
{
	__u64 before = now_ns(), created = create_and_look(self).created;

	EXPECT_LE(before, created);
	EXPECT_GE(now_ns(), created);
}

TEST_F(create, ids_count_up_and_are_never_used_again)
{
	__u64 last = 0;
	int i;

	for (i = 0; i < 100; i++) {
		__u64 id = create_and_look(self).id;

		EXPECT_LT(last, id);
		EXPECT_EQ(-ENOENT, box_open(self->device, id, NULL, RIGHTS_ALL));
		last = id;
		self->args = create_args();
	}
}

TEST_F(create, a_temporary_mailbox_ends_with_its_last_handle)
{
	int fd = box_create(self->device, &self->args), copy, second;

	ASSERT_LE(0, fd);
	copy = dup(fd);
	second = box_open(self->device, self->args.id, NULL, MAILBOX_RIGHT_SEND);
	ASSERT_LE(0, second);
	EXPECT_EQ(2, box_stat(fd).handles);
	close(fd);
	EXPECT_EQ(2, box_stat(copy).handles);
	close(copy);
	EXPECT_EQ(1, box_stat(second).handles);
	close(second);
	EXPECT_EQ(-ENOENT, box_open(self->device, self->args.id, NULL, MAILBOX_RIGHT_SEND));
}

TEST_F(create, a_temporary_mailbox_ends_with_its_process)
{
	__u64 *id =
		mmap(NULL, sizeof(*id), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned int *made = flag_new();
	pid_t pid = child_fork();

	if (!pid) {
		strcpy(self->args.name, "ends with its process");
		ASSERT_LE(0, box_create(self->device, &self->args));
		*id = self->args.id;
		flag_raise(made);
		for (;;)
			pause();
	}
	flag_await(made, 1);
	child_kill(pid);
	EXPECT_EQ(-ENOENT, box_open(self->device, *id, NULL, RIGHTS_ALL));
	EXPECT_EQ(-ENOENT, box_open(self->device, 0, "ends with its process", RIGHTS_ALL));
}

TEST_F(create, a_permanent_mailbox_stays_with_its_messages)
{
	char text[16];
	int fd;

	self->args.flags = MAILBOX_PERMANENT;
	fd = box_create(self->device, &self->args);
	ASSERT_LE(0, fd);
	EXPECT_EQ(MAILBOX_PERMANENT, box_stat(fd).flags);
	ASSERT_EQ(0, box_send_text(fd, "still here", 0, 0));
	close(fd);

	fd = box_open(self->device, self->args.id, NULL, RIGHTS_ALL);
	ASSERT_LE(0, fd);
	EXPECT_EQ(1, box_stat(fd).handles);
	EXPECT_EQ(10, box_receive_text(fd, text, sizeof(text)));
	EXPECT_STREQ("still here", text);
	EXPECT_EQ(0, box_destroy(fd, 0, NULL));
	close(fd);
}

TEST_F(create, names_that_are_accepted)
{
	static const char *const names[] = {
		"a", "with space", "größe", "...", "\xff\x80", "-rf", "*", "\\",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		self->args = create_args();
		strcpy(self->args.name, names[i]);
		EXPECT_STREQ(names[i], create_and_look(self).name);
	}
}

TEST_F(create, the_longest_name_has_255_bytes)
{
	struct mailbox_stat stat;

	memset(self->args.name, 'n', 255);
	stat = create_and_look(self);
	EXPECT_EQ(255, strlen(stat.name));
	self->args.name[255] = 'n';
	EXPECT_CREATE_REFUSED(self, EINVAL);
}

TEST_F(create, what_follows_the_end_of_a_name_does_not_count)
{
	struct mailbox_stat stat;
	unsigned int i;

	memset(self->args.name, 'x', sizeof(self->args.name));
	strcpy(self->args.name, "short");
	stat = create_and_look(self);
	for (i = 5; i < sizeof(stat.name); i++)
		EXPECT_EQ(0, stat.name[i]);
}

TEST_F(create, names_with_slash_or_control_characters_are_einval)
{
	int c;

	for (c = 1; c < 256; c++) {
		if (c >= ' ' && c != '/' && c != 0x7f)
			continue;
		sprintf(self->args.name, "a%cb", c);
		EXPECT_CREATE_REFUSED(self, EINVAL);
		sprintf(self->args.name, "%c", c);
		EXPECT_CREATE_REFUSED(self, EINVAL);
	}
}

TEST_F(create, a_name_can_exist_once)
{
	struct mailbox_create second = create_args();
	int fd;

	strcpy(self->args.name, "only once");
	strcpy(second.name, "only once");
	fd = box_create(self->device, &self->args);
	ASSERT_LE(0, fd);
	EXPECT_REFUSED(self->device, fd, EEXIST, box_create(self->device, &second));
	close(fd);
	fd = box_create(self->device, &second);
	EXPECT_LE(0, fd);
	EXPECT_LT(self->args.id, second.id);
	close(fd);
}

TEST_F(create, many_can_be_without_a_name)
{
	int first = box_new(self->device), second = box_new(self->device);

	EXPECT_NE(box_stat(first).id, box_stat(second).id);
	close(first);
	close(second);
}

TEST_F(create, values_out_of_range_are_einval)
{
	static const struct {
		const char *what;
		size_t offset;
		__u32 value;
	} cases[] = {
#define CASE(member, value) { #member " " #value, offsetof(struct mailbox_create, member), value }
		CASE(rights, 0),
		CASE(rights, 8),
		CASE(rights, RIGHTS_ALL | 8),
		CASE(rights, 1U << 31),
		CASE(mode, 01000),
		CASE(mode, 04600),
		CASE(policy, 3),
		CASE(capacity, 3),
		CASE(on_full, 4),
		CASE(share, 101),
		CASE(share, UINT32_MAX),
		CASE(message_size, MAILBOX_MESSAGE_SIZE_MAX + 1),
		CASE(message_size, UINT32_MAX),
	};
	struct state before;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		self->args = create_args();
		memcpy((char *)&self->args + cases[i].offset, &cases[i].value, sizeof(__u32));
		/* Room for any size, so that only the one thing is wrong. */
		self->args.max_bytes = UINT64_MAX;
		before = state_take(self->device, -1);
		EXPECT_EQ(-EINVAL, box_create(self->device, &self->args))
		TH_LOG("%s", cases[i].what);
		EXPECT_UNCHANGED(self->device, -1, before);
	}
}

TEST_F(create, overwriting_is_only_for_bounded_mailboxes)
{
	self->args.on_full = MAILBOX_ON_FULL_OVERWRITE;
	EXPECT_EQ(MAILBOX_ON_FULL_OVERWRITE, create_and_look(self).on_full);
	self->args.capacity = MAILBOX_CAPACITY_RENDEZVOUS;
	EXPECT_CREATE_REFUSED(self, EINVAL);
	self->args.capacity = MAILBOX_CAPACITY_UNBOUNDED;
	EXPECT_CREATE_REFUSED(self, EINVAL);
}

TEST_F(create, a_large_message_size_needs_a_capability)
{
	__u32 limit = device_info(self->device).max_message_size;

	if (!is_root())
		SKIP(return, "needs root");
	if (limit >= MAILBOX_MESSAGE_SIZE_MAX)
		SKIP(return, "the limit of this machine is the largest there is");
	self->args.max_bytes = 2 * MAILBOX_MESSAGE_SIZE_MAX;
	self->args.message_size = MAILBOX_MESSAGE_SIZE_MAX;
	EXPECT_EQ(MAILBOX_MESSAGE_SIZE_MAX, create_and_look(self).message_size);
	become(1000, 1000);
	EXPECT_CREATE_REFUSED(self, EINVAL);
	self->args.message_size = limit + 1;
	EXPECT_CREATE_REFUSED(self, EINVAL);
	self->args.message_size = limit;
	EXPECT_EQ(limit, create_and_look(self).message_size);
}

/* Returns how many there could be. */
static unsigned int limit_descriptors(unsigned int nr)
{
	struct rlimit limit;
	unsigned int old;

	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &limit));
	old = limit.rlim_cur;
	limit.rlim_cur = nr;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	return old;
}

TEST_F(create, without_a_free_descriptor_is_emfile)
{
	struct state before = state_take(self->device, -1);
	unsigned int limit = limit_descriptors(self->device + 1);

	EXPECT_EQ(-EMFILE, box_create(self->device, &self->args));
	limit_descriptors(limit);
	EXPECT_UNCHANGED(self->device, -1, before);
}

static unsigned long objects_in_use(const char *cache)
{
	FILE *file = fopen("/proc/slabinfo", "r");
	unsigned long nr, in_use = 0;
	char line[512], name[64];

	ASSERT_TRUE(file);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "%63s %lu", name, &nr) == 2 && !strcmp(name, cache))
			in_use = nr;
	fclose(file);
	ASSERT_LT(0, in_use);
	return in_use;
}

/* Nobody would pay for it. */
TEST_F(create, that_fails_leaves_no_memory_for_its_id)
{
	const unsigned int nodes = 1000, ids_in_node = 64;
	unsigned long before = objects_in_use("radix_tree_node");
	unsigned int limit, i;
	__u64 end;

	if (!access("/sys/kernel/debug/kmemleak", F_OK) || effort(100) < 100)
		SKIP(return, "a sanitizer keeps what was freed for a while");
	limit = limit_descriptors(self->device + 1);
	for (i = 0; i < nodes * ids_in_node; i++)
		ASSERT_EQ(-EMFILE, box_create(self->device, &self->args));
	limit_descriptors(limit);
	/* What is freed goes after a grace period of RCU. */
	end = now_ns() + PATIENCE;
	while (objects_in_use("radix_tree_node") > before + nodes / 2)
		ASSERT_LT(now_ns(), end);
}

TEST_HARNESS_MAIN
