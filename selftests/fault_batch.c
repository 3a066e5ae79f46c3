// SPDX-License-Identifier: GPL-2.0
/*
 * Arrays of entries in memory that cannot be used: of a batch, what came before is done,
 * the rest is untouched. The structure of the call itself is in fault.c.
 */
#include "common.h"

#include <stddef.h>

#define NR 6

FIXTURE(fault_batch)
{
	int device;
	int fd;
	char data[NR][16];
	struct mailbox_send *sends;
	struct mailbox_receive *receives;
};

/* The arrays end where a page without access begins. */
FIXTURE_SETUP(fault_batch)
{
	unsigned int i;

	self->device = device_open();
	self->fd = box_new(self->device);
	self->sends = edge_new(NR * sizeof(*self->sends));
	self->receives = edge_new(NR * sizeof(*self->receives));
	for (i = 0; i < NR; i++) {
		sprintf(self->data[i], "%u", i);
		self->sends[i] = send_args(self->data[i], 1);
		self->sends[i].flags = 0;
		self->receives[i] = receive_args(self->data[i], sizeof(self->data[i]));
		self->receives[i].flags = 0;
	}
}

FIXTURE_TEARDOWN(fault_batch)
{
	close(self->fd);
	close(self->device);
}

static int run(FIXTURE_DATA(fault_batch) * self, unsigned long command, const void *entries,
	       __u32 nr, __u32 *done, __s32 *error)
{
	bool send = command == MAILBOX_IOC_SEND_BATCH;
	struct mailbox_batch args = {
		.size = sizeof(args),
		.flags = MAILBOX_NONBLOCK,
		.nr = nr,
		.entries = user_pointer(entries),
		.entry_size = send ? sizeof(*self->sends) : sizeof(*self->receives),
		.done = POISON32,
		.error = (__s32)POISON32,
	};
	int ret = call(self->fd, command, &args);

	*done = args.done;
	*error = args.error;
	return ret;
}

static void fill(FIXTURE_DATA(fault_batch) * self)
{
	char text[2] = "a";

	for (; text[0] < 'a' + NR; text[0]++)
		ASSERT_EQ(0, box_send_text(self->fd, text, 0, 0));
}

static void expect_rest(FIXTURE_DATA(fault_batch) * self, char first)
{
	char text[8];

	for (; first < 'a' + NR; first++) {
		EXPECT_EQ(1, box_receive_text(self->fd, text, sizeof(text)));
		EXPECT_EQ(first, text[0]);
	}
	EXPECT_EQ(-EAGAIN, box_receive_text(self->fd, text, sizeof(text)));
}

TEST_F(fault_batch, entries_in_no_memory)
{
	void *const places[] = {
		NULL, hole_new(4096), kernel_address(), edge_new(0), edge_new(4), edge_new(40),
	};
	__u32 done;
	__s32 error;
	unsigned int i;

	fill(self);
	for (i = 0; i < ARRAY_SIZE(places); i++) {
		/* Of the last ones a valid beginning can be read. */
		if (i >= 4)
			memcpy(places[i], self->sends, i == 4 ? 4 : 40);
		EXPECT_REFUSED(self->device, self->fd, EFAULT,
			       run(self, MAILBOX_IOC_SEND_BATCH, places[i], NR, &done, &error));
		if (i >= 4)
			memcpy(places[i], self->receives, i == 4 ? 4 : 40);
		EXPECT_REFUSED(self->device, self->fd, EFAULT,
			       run(self, MAILBOX_IOC_RECEIVE_BATCH, places[i], NR, &done, &error));
	}
	expect_rest(self, 'a');
}

TEST_F(fault_batch, entries_that_can_only_be_read)
{
	void *sends = readonly_new(self->sends, NR * sizeof(*self->sends));
	void *receives = readonly_new(self->receives, NR * sizeof(*self->receives));
	__u32 done;
	__s32 error;

	fill(self);
	EXPECT_REFUSED(self->device, self->fd, EFAULT,
		       run(self, MAILBOX_IOC_SEND_BATCH, sends, NR, &done, &error));
	EXPECT_REFUSED(self->device, self->fd, EFAULT,
		       run(self, MAILBOX_IOC_RECEIVE_BATCH, receives, NR, &done, &error));
	expect_rest(self, 'a');
}

TEST_F(fault_batch, all_entries_up_to_a_page_edge)
{
	__u32 done;
	__s32 error;

	EXPECT_EQ(0, run(self, MAILBOX_IOC_SEND_BATCH, self->sends, NR, &done, &error));
	EXPECT_EQ(NR, done);
	EXPECT_EQ(0, error);
	EXPECT_EQ(0, run(self, MAILBOX_IOC_RECEIVE_BATCH, self->receives, NR, &done, &error));
	EXPECT_EQ(NR, done);
	EXPECT_EQ(0, error);
}

TEST_F(fault_batch, one_entry_over_a_page_edge)
{
	__u32 done;
	__s32 error;

	EXPECT_EQ(0, run(self, MAILBOX_IOC_SEND_BATCH, self->sends + 2, NR, &done, &error));
	EXPECT_EQ(NR - 2, done);
	EXPECT_EQ(EFAULT, error);
	EXPECT_EQ(NR - 2, box_stat(self->fd).messages);

	while (box_receive_text(self->fd, self->data[0], 8) >= 0)
		;
	fill(self);
	EXPECT_EQ(0, run(self, MAILBOX_IOC_RECEIVE_BATCH, self->receives + 4, NR, &done, &error));
	EXPECT_EQ(2, done);
	EXPECT_EQ(EFAULT, error);
	expect_rest(self, 'c');
}

TEST_F(fault_batch, an_entry_half_over_a_page_edge)
{
	size_t size = sizeof(*self->sends);
	/* Half of what was there in the first version, which is read whatever is asked for. */
	size_t part = 2 * size + offsetof(struct mailbox_send, receipt) / 2;
	char *edge = edge_new(part);
	__u32 done;
	__s32 error;

	memcpy(edge, self->sends, part);
	EXPECT_EQ(0, run(self, MAILBOX_IOC_SEND_BATCH, edge, NR, &done, &error));
	EXPECT_EQ(2, done);
	EXPECT_EQ(EFAULT, error);
	EXPECT_EQ(2, box_stat(self->fd).messages);
}

TEST_F(fault_batch, a_payload_that_cannot_be_read)
{
	__u32 done;
	__s32 error;

	self->sends[3].data = user_pointer(hole_new(1));
	EXPECT_EQ(0, run(self, MAILBOX_IOC_SEND_BATCH, self->sends, NR, &done, &error));
	EXPECT_EQ(3, done);
	EXPECT_EQ(EFAULT, error);
	EXPECT_EQ(3, box_stat(self->fd).messages);
	EXPECT_EQ(POISON64, self->sends[4].sequence);
}

TEST_F(fault_batch, a_place_that_cannot_be_written)
{
	struct mailbox_receive untouched = self->receives[4];
	__u32 done;
	__s32 error;

	fill(self);
	self->receives[3].data = user_pointer(readonly_new(NULL, 16));
	EXPECT_EQ(0, run(self, MAILBOX_IOC_RECEIVE_BATCH, self->receives, NR, &done, &error));
	EXPECT_EQ(3, done);
	EXPECT_EQ(EFAULT, error);
	EXPECT_EQ(0, memcmp(&untouched, &self->receives[4], sizeof(untouched)));
	expect_rest(self, 'd');
}

TEST_F(fault_batch, a_first_payload_fails_the_call)
{
	__u32 done;
	__s32 error;

	fill(self);
	self->sends[0].data = user_pointer(hole_new(1));
	self->receives[0].data = user_pointer(hole_new(16));
	EXPECT_REFUSED(self->device, self->fd, EFAULT,
		       run(self, MAILBOX_IOC_SEND_BATCH, self->sends, NR, &done, &error));
	EXPECT_REFUSED(self->device, self->fd, EFAULT,
		       run(self, MAILBOX_IOC_RECEIVE_BATCH, self->receives, NR, &done, &error));
	expect_rest(self, 'a');
}

TEST_F(fault_batch, of_a_receiver_that_was_handed_its_first_message)
{
	pid_t pid = child_fork();
	char text[8];

	if (!pid) {
		struct mailbox_batch args = {
			.size = sizeof(args),
			.nr = NR,
			.entries = user_pointer(self->receives),
			.entry_size = sizeof(*self->receives),
		};

		self->receives[0].data = user_pointer(hole_new(16));
		EXPECT_EQ(-EFAULT, call(self->fd, MAILBOX_IOC_RECEIVE_BATCH, &args));
		_exit(0);
	}
	wait_waiters(self->fd, 1, 0);
	ASSERT_EQ(0, box_send_text(self->fd, "handed", 0, 0));
	child_done(pid);
	EXPECT_EQ(0, box_stat(self->fd).received);
	EXPECT_EQ(6, box_receive_text(self->fd, text, sizeof(text)));
}

TEST_F(fault_batch, entries_of_a_list)
{
	struct mailbox_stat one;
	void *places[] = {
		NULL,
		hole_new(4096),
		kernel_address(),
		readonly_new(NULL, 4096),
		edge_new(sizeof(one) - 1),
		edge_new(0),
	};
	__u64 after = 0;
	unsigned int i;
	int second;

	for (i = 0; i < ARRAY_SIZE(places); i++)
		EXPECT_REFUSED(self->device, self->fd, EFAULT,
			       box_list(self->device, places[i], 1, &after));
	/* One fits; that a second one does not matters when there is a second one. */
	EXPECT_EQ(1, box_list(self->device, edge_new(sizeof(one)), 2, &after));
	second = box_new(self->device);
	after = 0;
	EXPECT_EQ(-EFAULT, box_list(self->device, edge_new(sizeof(one)), 2, &after));
	EXPECT_EQ(2, box_list(self->device, edge_new(2 * sizeof(one)), 2, &after));
	close(second);
}

TEST_HARNESS_MAIN
