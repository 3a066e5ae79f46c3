// SPDX-License-Identifier: GPL-2.0
/*
 * A mailbox for any process is fair: equal workers get about as many messages.
 */
#include "common.h"

#define WORKERS 4

FIXTURE(any)
{
	int device;
	int fd;
	unsigned int *taken[WORKERS];
	pid_t workers[WORKERS];
};

FIXTURE_VARIANT(any)
{
	__u32 capacity;
	__u64 max_messages;
};

FIXTURE_VARIANT_ADD(any, with_much_room)
{
	.max_messages = 1024,
};

FIXTURE_VARIANT_ADD(any, with_little_room)
{
	.max_messages = WORKERS,
};

FIXTURE_VARIANT_ADD(any, at_a_rendezvous)
{
	.capacity = MAILBOX_CAPACITY_RENDEZVOUS,
};

FIXTURE_SETUP(any)
{
	struct mailbox_create args = create_args();
	int i;

	args.capacity = variant->capacity;
	args.max_messages = variant->max_messages;
	self->device = device_open();
	self->fd = box_create(self->device, &args);
	ASSERT_LE(0, self->fd);
	for (i = 0; i < WORKERS; i++)
		self->taken[i] = flag_new();
}

FIXTURE_TEARDOWN(any)
{
	close(self->fd);
	close(self->device);
}

static __attribute__((noreturn)) void work(FIXTURE_DATA(any) * self, int worker)
{
	for (;;) {
		char data[8];
		struct mailbox_receive args = receive_args(data, sizeof(data));
		int ret;

		args.flags = 0;
		ret = box_receive(self->fd, &args);
		if (ret == -EIDRM)
			_exit(0);
		ASSERT_EQ(0, ret);
		flag_raise(self->taken[worker]);
	}
}

/*
 * All wait before each few messages, never more than there are workers: who gets a backlog is
 * for the scheduler to say, and nothing about the mailbox. The order in which those that were
 * served come to wait again is any, and whatever it is leaves each between 15 and 35 percent.
 */
TEST_F_TIMEOUT(any, gives_equal_workers_equal_shares, 120)
{
	const unsigned int usual = effort(5000), messages = usual > 1000 ? usual : 1000;
	unsigned int before[WORKERS] = {}, i, few, all = 0, sum = 0;

	for (i = 0; i < WORKERS; i++) {
		self->workers[i] = child_fork();
		if (!self->workers[i])
			work(self, i);
	}
	wait_waiters(self->fd, WORKERS, 0);
	for (few = 1; all < messages; few = few % WORKERS + 1) {
		for (i = 0; i < few; i++) {
			struct mailbox_send args = send_args("x", 1);

			args.flags = 0;
			ASSERT_EQ(0, box_send(self->fd, &args));
		}
		all += few;
		wait_waiters(self->fd, WORKERS, 0);
		for (i = 0; i < WORKERS; i++) {
			unsigned int taken = *self->taken[i];

			/* Whoever waits already comes before whoever comes back. */
			EXPECT_GE(1, taken - before[i]);
			before[i] = taken;
		}
	}
	for (i = 0; i < WORKERS; i++) {
		unsigned int percent = 100 * before[i] / all;

		EXPECT_LE(15, percent);
		EXPECT_GE(35, percent);
		th_say("# worker %u: %u messages", i, before[i]);
		sum += before[i];
	}
	EXPECT_EQ(all, sum);
	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	for (i = 0; i < WORKERS; i++)
		child_done(self->workers[i]);
}

TEST_HARNESS_MAIN
