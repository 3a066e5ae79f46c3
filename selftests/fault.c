// SPDX-License-Identifier: GPL-2.0
/*
 * Every user pointer of every call leading to memory that cannot be used, and right up
 * to the end of memory that can. A call that fails with EFAULT has changed nothing. Where
 * others wait meanwhile, see fault_wait.c.
 */
#include "commands.h"

#include <stddef.h>

FIXTURE(fault)
{
	int device;
	int fd;
	struct payload payload;
	char argument[1024];
};

FIXTURE_SETUP(fault)
{
	self->device = device_open();
	settled_info(self->device);
	self->fd = box_new_policy(self->device, MAILBOX_POLICY_ONE);
	ASSERT_EQ(0, box_send_text(self->fd, "first", 0, 0));
	ASSERT_EQ(0, box_send_text(self->fd, "second", 0, 0));
}

FIXTURE_TEARDOWN(fault)
{
	close(self->fd);
	close(self->device);
}

static void expect_next(int fd, const char *expected, __u64 sequence)
{
	char text[32] = { 0 };
	struct mailbox_receive args = receive_args(text, sizeof(text) - 1);

	EXPECT_EQ(0, box_receive(fd, &args));
	EXPECT_STREQ(expected, text);
	EXPECT_EQ(sequence, args.sequence);
}

/* The structure of each call at this address must be EFAULT, on each descriptor. */
static void expect_fault(FIXTURE_DATA(fault) * self, const struct command *command,
			 const char *what, void *address)
{
	struct state before = state_take(self->device, self->fd);

	if (command->device)
		EXPECT_EQ(-EFAULT, call(self->device, command->number, address))
	TH_LOG("%s on the device, %s", command->name, what);
	if (command->handle)
		EXPECT_EQ(-EFAULT, call(self->fd, command->number, address))
	TH_LOG("%s on a handle, %s", command->name, what);
	EXPECT_UNCHANGED(self->device, self->fd, before);
}

static void prepare(FIXTURE_DATA(fault) * self, const struct command *command)
{
	command_prepare(command, self->fd, command->device, self->argument, &self->payload);
}

TEST_F(fault, structures_in_no_memory)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		expect_fault(self, &commands[i], "null", NULL);
		expect_fault(self, &commands[i], "hole", hole_new(1024));
		expect_fault(self, &commands[i], "kernel", kernel_address());
		expect_fault(self, &commands[i], "end", (void *)-(uintptr_t)16);
	}
	expect_next(self->fd, "first", 1);
}

TEST_F(fault, structures_that_reach_over_a_page_edge)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		const struct command *command = &commands[i];
		/* Nobody looks at members that no lease or receipt is asked for with. */
		const bool whole = command->number != MAILBOX_IOC_RECEIVE &&
				   command->number != MAILBOX_IOC_SEND;
		const __u32 size = whole ? command->size : command->least;
		__u32 there;

		prepare(self, command);
		for (there = 1; there < size; there++) {
			char *edge = edge_new(there);

			memcpy(edge, self->argument, there);
			expect_fault(self, command, "over the edge", edge);
			munmap((void *)((uintptr_t)edge & -4096UL), 8192);
		}
	}
	expect_next(self->fd, "first", 1);
}

TEST_F(fault, structures_that_end_at_a_page_edge_are_fine)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		const struct command *command = &commands[i];
		char *edge = edge_new(command->size);

		prepare(self, command);
		memcpy(edge, self->argument, command->size);
		EXPECT_EQ(0, call(command->device ? self->device : self->fd, command->number, edge))
		TH_LOG("%s", command->name);
		close(self->fd);
		self->fd = box_new_policy(self->device, MAILBOX_POLICY_ONE);
		ASSERT_EQ(0, box_send_text(self->fd, "first", 0, 0));
	}
}

TEST_F(fault, a_tail_that_reaches_over_a_page_edge)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		const struct command *command = &commands[i];
		__u32 size = command->size + 8;
		char *edge = edge_new(command->size);

		prepare(self, command);
		memcpy(edge, self->argument, command->size);
		memcpy(edge, &size, sizeof(size));
		expect_fault(self, command, "tail over the edge", edge);
	}
}

/* These answer nothing. */
static bool only_reads(const struct command *command)
{
	return command->number == MAILBOX_IOC_DESTROY || command->number == MAILBOX_IOC_SET ||
	       command->number == MAILBOX_IOC_YIELD || command->number == MAILBOX_IOC_NOTIFY ||
	       command->number == MAILBOX_IOC_REVOKE || command->number == MAILBOX_IOC_ALLOW ||
	       command->number == MAILBOX_IOC_RECEIVE_FROM || command->number == MAILBOX_IOC_RETURN;
}

TEST_F(fault, structures_that_can_only_be_read)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		const struct command *command = &commands[i];

		if (only_reads(command))
			continue;
		prepare(self, command);
		expect_fault(self, command, "read-only",
			     readonly_new(self->argument, command->size));
	}
	expect_next(self->fd, "first", 1);
	expect_next(self->fd, "second", 2);
}

TEST_F(fault, structures_whose_second_half_can_only_be_read)
{
	size_t page = sysconf(_SC_PAGESIZE);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		const struct command *command = &commands[i];
		char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		/* The last member is an answer or lies behind one, but for these. */
		char *start = pages + page - command->size + 8;

		if (only_reads(command) || command->number == MAILBOX_IOC_REPLY ||
		    command->number == MAILBOX_IOC_REPLY_RECEIVE ||
		    command->number == MAILBOX_IOC_CREATE || command->number == MAILBOX_IOC_OPEN ||
		    command->number == MAILBOX_IOC_SEND_BATCH ||
		    command->number == MAILBOX_IOC_RECEIVE_BATCH || is_about_leases(command))
			continue;
		/* What only a lease, a receipt or a broadcast needs is nobody's answer else. */
		if (command->number == MAILBOX_IOC_RECEIVE || command->number == MAILBOX_IOC_SEND)
			start += command->size - command->least;
		prepare(self, command);
		memcpy(start, self->argument, command->size);
		ASSERT_EQ(0, mprotect(pages + page, page, PROT_READ));
		expect_fault(self, command, "half read-only", start);
	}
	expect_next(self->fd, "first", 1);
}

/* How long a message is that is too long for the room is an answer too. */
TEST_F(fault, a_length_that_cannot_be_told)
{
	struct mailbox_receive args = receive_args(NULL, 0);

	EXPECT_REFUSED(self->device, self->fd, EFAULT,
		       box_receive(self->fd, readonly_new(&args, sizeof(args))));
}

TEST_F(fault, calls_that_answer_nothing_need_only_read)
{
	struct mailbox_set set = { .size = sizeof(set) };
	struct mailbox_destroy destroy = { .size = sizeof(destroy) };
	struct mailbox_revoke revoke = { .size = sizeof(revoke), .flags = MAILBOX_REVOKE_ALL };
	struct mailbox_notify notify = { .size = sizeof(notify) };

	EXPECT_EQ(0, call(self->fd, MAILBOX_IOC_SET, readonly_new(&set, sizeof(set))));
	EXPECT_EQ(0, call(self->fd, MAILBOX_IOC_NOTIFY, readonly_new(&notify, sizeof(notify))));
	EXPECT_EQ(0, call(self->fd, MAILBOX_IOC_REVOKE, readonly_new(&revoke, sizeof(revoke))));
	EXPECT_EQ(0, call(self->fd, MAILBOX_IOC_DESTROY, readonly_new(&destroy, sizeof(destroy))));
}

TEST_F(fault, a_payload_that_cannot_be_read)
{
	const size_t page = sysconf(_SC_PAGESIZE);
	const struct {
		void *data;
		size_t length;
	} cases[] = {
		{ NULL, 1 },
		{ hole_new(1), 1 },
		{ hole_new(1), 100000 },
		{ kernel_address(), 8 },
		{ (void *)-(uintptr_t)4, 16 },
		{ edge_new(10), 11 },
		{ edge_new(0), 1 },
		{ edge_new(page), page + 1 },
		{ edge_new(3 * page), 4 * page },
		{ edge_new(30000), 30001 },
		{ edge_new(100), 500000 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		EXPECT_REFUSED(self->device, self->fd, EFAULT,
			       box_send_data(self->fd, cases[i].data, cases[i].length));
	/* None of them has used a number. */
	ASSERT_EQ(0, box_send_data(self->fd, readonly_new("third", 5), 5));
	expect_next(self->fd, "first", 1);
	expect_next(self->fd, "second", 2);
	expect_next(self->fd, "third", 3);
}

TEST_F(fault, an_address_beyond_the_pointers_of_the_program)
{
	static const __u64 addresses[] = { 1ULL << 32, 1ULL << 47, 1ULL << 63, UINT64_MAX };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(addresses); i++) {
		struct mailbox_send send = send_args(NULL, 8);
		struct mailbox_receive receive = receive_args(NULL, 8);

		send.data = addresses[i];
		receive.data = addresses[i];
		EXPECT_REFUSED(self->device, self->fd, EFAULT, box_send(self->fd, &send));
		EXPECT_REFUSED(self->device, self->fd, EFAULT, box_receive(self->fd, &receive));
	}
}

/* Each place for a payload that this message does not go to. */
static void expect_no_place(FIXTURE_DATA(fault) * self, int fd, size_t length)
{
	void *places[] = {
		NULL,
		hole_new(length),
		kernel_address(),
		(void *)-(uintptr_t)4,
		readonly_new(NULL, length),
		edge_new(length - 1),
		edge_new(0),
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(places); i++) {
		struct mailbox_receive args = receive_args(places[i], length);
		struct state before = state_take(self->device, fd);

		EXPECT_EQ(-EFAULT, box_receive(fd, &args)) TH_LOG("place %u", i);
		args.flags |= MAILBOX_PEEK;
		EXPECT_EQ(-EFAULT, box_receive(fd, &args)) TH_LOG("peek, place %u", i);
		args.flags |= MAILBOX_TRUNCATE;
		EXPECT_EQ(-EFAULT, box_receive(fd, &args)) TH_LOG("truncating, place %u", i);
		EXPECT_UNCHANGED(self->device, fd, before);
	}
}

TEST_F(fault, a_place_for_the_payload_that_cannot_be_written)
{
	expect_no_place(self, self->fd, 5);
	expect_next(self->fd, "first", 1);
	expect_next(self->fd, "second", 2);
}

TEST_F(fault, a_place_for_a_large_payload)
{
	static const size_t lengths[] = { 4096, 4097, 8192, 50000, 300000 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		char *data = malloc(lengths[i]), *edge = edge_new(lengths[i]);
		struct mailbox_receive args = receive_args(edge, 1 << 20);
		int fd = box_new(self->device);

		memset(data, 'a' + i, lengths[i]);
		ASSERT_EQ(0, box_send_data(fd, data, lengths[i]));
		expect_no_place(self, fd, lengths[i]);
		/* It fits to the last byte; the room that was promised is not touched. */
		EXPECT_EQ(0, box_receive(fd, &args));
		EXPECT_EQ(1, args.sequence);
		EXPECT_EQ(0, memcmp(data, edge, lengths[i]));
		free(data);
		close(fd);
	}
}

TEST_F(fault, a_failed_receive_keeps_the_order)
{
	char text[8];
	struct mailbox_receive args = receive_args(hole_new(8), 8);
	int fd = box_new(self->device), i;

	for (i = 0; i < 6; i++) {
		sprintf(text, "%d", i);
		ASSERT_EQ(0, box_send_text(fd, text, i % 3, i % 2));
	}
	for (i = 0; i < 3; i++) {
		args.select = MAILBOX_SELECT_TYPE;
		args.match = i;
		EXPECT_EQ(-EFAULT, box_receive(fd, &args));
		args.select = MAILBOX_SELECT_FIRST;
		EXPECT_EQ(-EFAULT, box_receive(fd, &args));
	}
	expect_next(fd, "1", 2);
	expect_next(fd, "3", 4);
	expect_next(fd, "5", 6);
	expect_next(fd, "0", 1);
	expect_next(fd, "2", 3);
	expect_next(fd, "4", 5);
	close(fd);
}

/* Wherever the memory ends; each member is looked at, since the flags ask for it. */
TEST_F(fault, structures_that_are_cut_off_anywhere)
{
	struct mailbox_receive receive = receive_args(NULL, 0);
	struct mailbox_send send = send_args(NULL, 0);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	size_t size;

	ASSERT_EQ(0, region_set(self->fd, 1));
	send.flags = MAILBOX_DEADLINE | MAILBOX_EXPIRES | MAILBOX_RECEIPT | MAILBOX_FILES |
		     MAILBOX_LOAN;
	send.loan = box_loan(self->fd, 1).loan;
	send.borrow = 1;
	send.receipt = self->fd;
	send.files = user_pointer(&null);
	send.nr_files = 1;
	send.deadline = far_future();
	send.expiry = send.deadline;
	for (size = 0; size < sizeof(send); size += 4)
		EXPECT_REFUSED(self->device, self->fd, EFAULT,
			       box_send(self->fd, memcpy(edge_new(size), &send, size)));
	receive.flags = MAILBOX_DEADLINE | MAILBOX_TRUNCATE | MAILBOX_LEASE | MAILBOX_FILES |
			MAILBOX_LOAN;
	receive.lease = 0;
	receive.give_back = send.loan;
	receive.deadline = far_future();
	/* One member is of broadcasts only: see broadcast.c. */
	for (size = 0; size < sizeof(receive); size += 4)
		EXPECT_REFUSED(self->device, self->fd, EFAULT,
			       box_receive(self->fd, memcpy(edge_new(size), &receive, size)));
	close(null);
	/* Not which one, or how long to wait; and nothing that would make the call fail later. */
	receive.flags = MAILBOX_DEADLINE;
	receive.select = MAILBOX_SELECT_TYPE;
	receive.match = 99;
	for (size = offsetof(struct mailbox_receive, match);
	     size <= offsetof(struct mailbox_receive, deadline); size += 4)
		EXPECT_REFUSED(self->device, self->fd, EFAULT,
			       box_receive(self->fd, memcpy(edge_new(size), &receive, size)));
}

TEST_F(fault, leaves_nothing_behind_however_often)
{
	struct mailbox_info before = device_info(self->device), after;
	struct mailbox_create create = create_args();
	struct mailbox_open args = { .size = sizeof(args), .rights = RIGHTS_ALL };
	unsigned int descriptors = count_descriptors();
	void *fixed_create, *fixed_open;
	int fd = box_new(self->device), i;

	ASSERT_EQ(0, box_send_text(fd, "stays", 0, 0));
	strcpy(create.name, "never made");
	args.id = box_stat(fd).id;
	fixed_create = readonly_new(&create, sizeof(create));
	fixed_open = readonly_new(&args, sizeof(args));
	for (i = 0; i < 500; i++) {
		struct mailbox_receive receive = receive_args(hole_new(8), 8);

		ASSERT_EQ(-EFAULT, box_send_data(fd, hole_new(1), 20000));
		ASSERT_EQ(-EFAULT, box_send_data(fd, hole_new(1), 20));
		ASSERT_EQ(-EFAULT, box_receive(fd, &receive));
		ASSERT_EQ(-EFAULT, call(self->device, MAILBOX_IOC_CREATE, fixed_create));
		ASSERT_EQ(-EFAULT, call(self->device, MAILBOX_IOC_OPEN, fixed_open));
	}
	EXPECT_EQ(1, box_stat(fd).handles);
	expect_next(fd, "stays", 1);
	close(fd);
	after = device_info(self->device);
	EXPECT_EQ(before.mailboxes, after.mailboxes);
	EXPECT_EQ(before.messages, after.messages);
	EXPECT_EQ(before.bytes, after.bytes);
	EXPECT_EQ(descriptors, count_descriptors());
	/* The name was given back each time. */
	fd = box_create(self->device, &create);
	EXPECT_LE(0, fd);
	close(fd);
}

TEST_HARNESS_MAIN
