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
	/* How long each message keeps a worker busy, ns. */
	long job;
};

/*
 * With jobs that take no time a backlog goes to whoever the kernel gives the processors to;
 * that says nothing of the mailbox.
 */
FIXTURE_VARIANT_ADD(any, with_much_room)
{
	.max_messages = 1024,
	.job = 20000,
};

FIXTURE_VARIANT_ADD(any, with_little_room)
{
	.max_messages = 8,
	.job = 20000,
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

static __attribute__((noreturn)) void work(FIXTURE_DATA(any) * self, long job, int worker)
{
	const struct timespec busy = { .tv_nsec = job };

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
		if (job)
			nanosleep(&busy, NULL);
	}
}

TEST_F_TIMEOUT(any, gives_equal_workers_equal_shares, 120)
{
	/* As many as it takes for chance to even out. */
	const unsigned int usual = effort(5000), messages = usual > 2000 ? usual : 2000;
	unsigned int i, all = 0;

	for (i = 0; i < WORKERS; i++) {
		self->workers[i] = child_fork();
		if (!self->workers[i])
			work(self, variant->job, i);
	}
	wait_waiters(self->fd, WORKERS, 0);
	for (i = 0; i < messages; i++) {
		struct mailbox_send args = send_args("x", 1);

		args.flags = 0;
		ASSERT_EQ(0, box_send(self->fd, &args));
	}
	wait_waiters(self->fd, WORKERS, 0);
	for (i = 0; i < WORKERS; i++) {
		unsigned int percent = 100 * *self->taken[i] / messages;

		all += *self->taken[i];
		EXPECT_LE(15, percent);
		EXPECT_GE(35, percent);
		th_say("# worker %u: %u messages", i, *self->taken[i]);
	}
	EXPECT_EQ(messages, all);
	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	for (i = 0; i < WORKERS; i++)
		child_done(self->workers[i]);
}

TEST_HARNESS_MAIN
