// SPDX-License-Identifier: GPL-2.0
/*
 * Rules that hold for every call, and what the device itself promises.
 */
#include "commands.h"

#include <sys/stat.h>

FIXTURE(device)
{
	int device;
	int fd;
	struct payload payload;
	/* The structure of the call, and what may be behind it. */
	char *argument;
	size_t room;
};

FIXTURE_SETUP(device)
{
	self->device = device_open();
	settled_info(self->device);
	self->fd = box_new_policy(self->device, MAILBOX_POLICY_ONE);
	ASSERT_EQ(0, box_send_text(self->fd, "first", 0, 0));
	self->room = 4 * sysconf(_SC_PAGESIZE);
	self->argument = calloc(1, self->room);
	ASSERT_TRUE(self->argument);
}

FIXTURE_TEARDOWN(device)
{
	free(self->argument);
	close(self->fd);
	close(self->device);
}

/* Each call on each kind of descriptor that has it; body sees command and target. */
#define for_each_command(self, i, command, on_device, target) \
	for (unsigned int i = 0; i < 2 * ARRAY_SIZE(commands); i++) \
		for (const struct command *command = &commands[i / 2]; command; command = NULL) \
			for (bool once_ = true, on_device = i % 2; \
			     once_ && (on_device ? command->device : command->handle); \
			     once_ = false) \
				for (int target = on_device ? (self)->device : (self)->fd, \
					 *end_ = &target; \
				     end_; end_ = NULL)

static void prepare(FIXTURE_DATA(device) * self, const struct command *command, bool on_device)
{
	memset(self->argument, 0, self->room);
	command_prepare(command, self->fd, on_device, self->argument, &self->payload);
}

static void set_size(FIXTURE_DATA(device) * self, __u32 size)
{
	memcpy(self->argument, &size, sizeof(size));
}

static void add_flag(FIXTURE_DATA(device) * self, __u32 flag)
{
	__u32 flags;

	memcpy(&flags, self->argument + 4, sizeof(flags));
	flags |= flag;
	memcpy(self->argument + 4, &flags, sizeof(flags));
}

/* What a successful call has made is closed, and the mailbox made anew. */
static void undo(FIXTURE_DATA(device) * self, const struct command *command)
{
	if (command->number == MAILBOX_IOC_CREATE)
		close(((struct mailbox_create *)self->argument)->fd);
	if (command->number == MAILBOX_IOC_OPEN)
		close(((struct mailbox_open *)self->argument)->fd);
	close(self->fd);
	self->fd = box_new_policy(self->device, MAILBOX_POLICY_ONE);
	ASSERT_EQ(0, box_send_text(self->fd, "first", 0, 0));
}

TEST(node_is_for_everybody)
{
	struct stat stat_buf;

	ASSERT_EQ(0, stat(DEVICE, &stat_buf));
	EXPECT_TRUE(S_ISCHR(stat_buf.st_mode));
	EXPECT_EQ(0666, stat_buf.st_mode & 07777);
}

TEST(read_write_and_poll_are_not_for_the_device)
{
	int device = device_open();
	char byte = 0;

	EXPECT_EQ(-1, read(device, &byte, 1));
	EXPECT_EQ(-1, write(device, &byte, 1));
	close(device);
}

TEST_F(device, info_tells_the_limits)
{
	struct mailbox_info info = device_info(self->device);

	EXPECT_EQ(sizeof(info), info.size);
	EXPECT_EQ(MAILBOX_INTERFACE_VERSION, info.version);
	EXPECT_EQ(0, info.features);
	EXPECT_LT(0, info.max_message_size);
	EXPECT_GE(MAILBOX_MESSAGE_SIZE_MAX, info.max_message_size);
	EXPECT_LT(0, info.max_mailboxes);
	EXPECT_LT(0, info.max_messages);
	EXPECT_LT(0, info.max_bytes);
}

TEST_F(device, info_counts_the_mailboxes_of_the_user)
{
	struct mailbox_info before = device_info(self->device);
	int fd = box_new(self->device);

	EXPECT_EQ(before.mailboxes + 1, device_info(self->device).mailboxes);
	close(fd);
	EXPECT_EQ(before.mailboxes, device_info(self->device).mailboxes);
}

TEST_F(device, info_counts_the_messages_of_the_user)
{
	struct mailbox_info before = device_info(self->device), after;
	int fd = box_new(self->device);

	ASSERT_EQ(0, box_send_data(fd, commands, 100));
	after = device_info(self->device);
	EXPECT_LE(before.messages + 1, after.messages);
	EXPECT_LE(before.bytes + 100, after.bytes);
	close(fd);
	after = device_info(self->device);
	EXPECT_EQ(before.messages, after.messages);
	EXPECT_EQ(before.bytes, after.bytes);
}

TEST_F(device, info_is_the_same_on_a_handle)
{
	struct mailbox_info first = device_info(self->device), second = device_info(self->fd);

	EXPECT_EQ(0, memcmp(&first, &second, sizeof(first)));
}

TEST_F(device, prepared_calls_succeed)
{
	/* Else the refusals below would prove nothing. */
	for_each_command(self, i, command, on_device, target) {
		prepare(self, command, on_device);
		EXPECT_EQ(0, call(target, command->number, self->argument))
		TH_LOG("%s", command->name);
		undo(self, command);
	}
}

TEST_F(device, a_command_of_the_other_descriptor_is_enotty)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		const struct command *command = &commands[i];

		prepare(self, command, command->device);
		if (!command->device)
			EXPECT_REFUSED(self->device, self->fd, ENOTTY,
				       call(self->device, command->number, self->argument));
		if (!command->handle)
			EXPECT_REFUSED(self->device, self->fd, ENOTTY,
				       call(self->fd, command->number, self->argument));
	}
}

static bool is_among(const struct command *list, size_t nr, unsigned long number)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (list[i].number == number)
			return true;
	return false;
}

TEST_F(device, an_unknown_command_is_enotty)
{
	struct state before = state_take(self->device, self->fd);
	unsigned int number;
	unsigned long command;

	for (number = 0; number < 256; number++) {
		command = _IO(MAILBOX_IOC_MAGIC, number);
		if (is_among(commands, ARRAY_SIZE(commands), command) ||
		    is_among(lane_commands, ARRAY_SIZE(lane_commands), command))
			continue;
		EXPECT_EQ(-ENOTTY, call(self->device, command, self->argument));
		EXPECT_EQ(-ENOTTY, call(self->fd, command, self->argument));
	}
	EXPECT_UNCHANGED(self->device, self->fd, before);
}

TEST_F(device, a_command_of_another_magic_or_size_is_enotty)
{
	for_each_command(self, i, command, on_device, target) {
		unsigned int number = _IOC_NR(command->number);

		prepare(self, command, on_device);
		EXPECT_REFUSED(self->device, self->fd, ENOTTY,
			       call(target, _IO(0xbb, number), self->argument));
		EXPECT_REFUSED(self->device, self->fd, ENOTTY,
			       call(target, _IOWR(MAILBOX_IOC_MAGIC, number, __u32),
				    self->argument));
	}
}

TEST_F(device, a_structure_that_is_too_small_is_einval)
{
	for_each_command(self, i, command, on_device, target) {
		const __u32 least = command->least ? command->least : command->size;
		const __u32 sizes[] = { 0, 1, 4, least / 2, least - 1 };
		unsigned int j;

		for (j = 0; j < ARRAY_SIZE(sizes); j++) {
			prepare(self, command, on_device);
			set_size(self, sizes[j]);
			EXPECT_REFUSED(self->device, self->fd, EINVAL,
				       call(target, command->number, self->argument));
		}
	}
}

/* A program that was made before the structure grew: its end is what it always was. */
TEST_F(device, a_structure_of_an_earlier_version_is_accepted)
{
	for_each_command(self, i, command, on_device, target) {
		__u32 size;

		for (size = command->least; size && size < command->size; size += 4) {
			prepare(self, command, on_device);
			set_size(self, size);
			poison(self->argument + size, self->room - size);
			EXPECT_EQ(0, call(target, command->number, self->argument))
			TH_LOG("%s of %u bytes", command->name, size);
			EXPECT_TRUE(is_poison(self->argument + size, self->room - size));
			undo(self, command);
		}
	}
}

TEST_F(device, a_longer_structure_with_a_zero_tail_is_accepted)
{
	for_each_command(self, i, command, on_device, target) {
		const __u32 sizes[] = { command->size + 1, command->size + 8, 4096 };
		unsigned int j;

		for (j = 0; j < ARRAY_SIZE(sizes); j++) {
			prepare(self, command, on_device);
			set_size(self, sizes[j]);
			/* Not zero, but not part of it either. */
			self->argument[sizes[j]] = 1;
			EXPECT_EQ(0, call(target, command->number, self->argument))
			TH_LOG("%s of %u bytes", command->name, sizes[j]);
			undo(self, command);
		}
	}
}

TEST_F(device, a_longer_structure_with_something_in_its_tail_is_e2big)
{
	for_each_command(self, i, command, on_device, target) {
		const __u32 sizes[] = { command->size + 1, command->size + 8, 4096 };
		unsigned int j;

		for (j = 0; j < ARRAY_SIZE(sizes); j++) {
			prepare(self, command, on_device);
			set_size(self, sizes[j]);
			self->argument[sizes[j] - 1] = 1;
			EXPECT_REFUSED(self->device, self->fd, E2BIG,
				       call(target, command->number, self->argument));
			self->argument[sizes[j] - 1] = 0;
			self->argument[command->size] = 1;
			EXPECT_REFUSED(self->device, self->fd, E2BIG,
				       call(target, command->number, self->argument));
		}
	}
}

TEST_F(device, a_structure_of_many_pages_is_e2big)
{
	for_each_command(self, i, command, on_device, target) {
		prepare(self, command, on_device);
		set_size(self, self->room);
		self->argument[self->room - 1] = 1;
		EXPECT_REFUSED(self->device, self->fd, E2BIG,
			       call(target, command->number, self->argument));
		set_size(self, UINT32_MAX);
		EXPECT_REFUSED(self->device, self->fd, E2BIG,
			       call(target, command->number, self->argument));
	}
}

/* The same rules for calls of lanes, on a handle that has one. */
TEST_F(device, a_call_of_lanes_with_a_wrong_size_tail_or_flag_is_refused)
{
	struct mailbox_lane_open lane = { .size = sizeof(lane) };
	int fd = box_new(self->device);
	unsigned int i, bit;

	ASSERT_EQ(0, call(fd, MAILBOX_IOC_LANE_OPEN, &lane));
	for (i = 0; i < ARRAY_SIZE(lane_commands); i++) {
		const struct command *command = &lane_commands[i];

		memset(self->argument, 0, self->room);
		EXPECT_REFUSED(self->device, fd, ENOTTY,
			       call(self->device, command->number, self->argument));
		EXPECT_REFUSED(self->device, fd, EINVAL, call(fd, command->number, self->argument));
		set_size(self, command->size - 1);
		EXPECT_REFUSED(self->device, fd, EINVAL, call(fd, command->number, self->argument));
		set_size(self, command->size + 8);
		self->argument[command->size + 7] = 1;
		EXPECT_REFUSED(self->device, fd, E2BIG, call(fd, command->number, self->argument));
		self->argument[command->size + 7] = 0;
		set_size(self, self->room);
		EXPECT_REFUSED(self->device, fd, E2BIG, call(fd, command->number, self->argument));
		set_size(self, command->size);
		for (bit = 0; bit < 32; bit++) {
			if (command->flags & 1U << bit)
				continue;
			memset(self->argument + 4, 0, 4);
			add_flag(self, 1U << bit);
			EXPECT_REFUSED(self->device, fd, EOPNOTSUPP,
				       call(fd, command->number, self->argument));
		}
	}
	EXPECT_EQ(1, box_stat(fd).lanes);
	/* A longer structure does what one of today does: of the calls, this closes the lane. */
	memset(self->argument, 0, self->room);
	set_size(self, 4096);
	EXPECT_EQ(0, call(fd, MAILBOX_IOC_LANE_CLOSE, self->argument));
	EXPECT_EQ(0, box_stat(fd).lanes);
	close(fd);
}

TEST_F(device, an_unknown_flag_is_eopnotsupp)
{
	for_each_command(self, i, command, on_device, target) {
		unsigned int bit;

		for (bit = 0; bit < 32; bit++) {
			if (command->flags & 1U << bit)
				continue;
			prepare(self, command, on_device);
			add_flag(self, 1U << bit);
			EXPECT_REFUSED(self->device, self->fd, EOPNOTSUPP,
				       call(target, command->number, self->argument));
		}
	}
}

TEST_F(device, an_answer_does_not_go_beyond_the_known_structure)
{
	for_each_command(self, i, command, on_device, target) {
		unsigned int j;

		prepare(self, command, on_device);
		poison(self->argument + command->size, 64);
		EXPECT_EQ(0, call(target, command->number, self->argument));
		EXPECT_TRUE(is_poison(self->argument + command->size, 64));
		undo(self, command);

		prepare(self, command, on_device);
		set_size(self, command->size + 64);
		EXPECT_EQ(0, call(target, command->number, self->argument));
		for (j = 0; j < 64; j++)
			EXPECT_EQ(0, self->argument[command->size + j]);
		undo(self, command);
	}
}

TEST_F(device, a_reserved_member_must_be_zero)
{
	struct mailbox_set args = { .size = sizeof(args) };

	EXPECT_EQ(0, call(self->fd, MAILBOX_IOC_SET, &args));
	args.reserved = 1;
	EXPECT_REFUSED(self->device, self->fd, EINVAL, call(self->fd, MAILBOX_IOC_SET, &args));
	for_each_command(self, i, command, on_device, target) {
		if (!is_about_leases(command))
			continue;
		prepare(self, command, on_device);
		((struct mailbox_lease *)self->argument)->reserved = 1;
		EXPECT_REFUSED(self->device, self->fd, EINVAL,
			       call(target, command->number, self->argument));
	}
}

TEST_F(device, handles_are_close_on_exec)
{
	int fd = box_open(self->device, box_stat(self->fd).id, NULL, MAILBOX_RIGHT_SEND);

	ASSERT_LE(0, fd);
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	EXPECT_EQ(FD_CLOEXEC, fcntl(self->fd, F_GETFD));
	close(fd);
}

TEST_F(device, nonblock_flag_becomes_the_descriptors)
{
	struct mailbox_create create = create_args();
	struct mailbox_open args = { .size = sizeof(args),
				     .rights = RIGHTS_ALL,
				     .id = box_stat(self->fd).id };
	int fd;

	EXPECT_EQ(0, fcntl(self->fd, F_GETFL) & O_NONBLOCK);
	create.flags = MAILBOX_NONBLOCK;
	fd = box_create(self->device, &create);
	ASSERT_LE(0, fd);
	EXPECT_NE(0, fcntl(fd, F_GETFL) & O_NONBLOCK);
	close(fd);

	args.flags = MAILBOX_NONBLOCK;
	ASSERT_EQ(0, call(self->device, MAILBOX_IOC_OPEN, &args));
	EXPECT_NE(0, fcntl(args.fd, F_GETFL) & O_NONBLOCK);
	close(args.fd);
}

TEST_HARNESS_MAIN
