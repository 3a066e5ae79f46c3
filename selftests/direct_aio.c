// SPDX-License-Identifier: GPL-2.0
/*
 * io_submit(2) of IOCB_CMD_POLL on a device. Where the kernel cannot end it at once, it asks the
 * device again from a thread of its own, which has no messages and is to have no inbox.
 */
#include "common_direct.h"

#include <linux/aio_abi.h>

enum {
	OURS = 1,
	NOISE,
};

FIXTURE(direct_aio)
{
	int device;
	struct mailbox_info before;
	aio_context_t context;
	int pipe[2];
	unsigned int seen;
	unsigned int stop;
};

FIXTURE_SETUP(direct_aio)
{
	self->device = device_open();
	self->before = settled_info(self->device);
	ASSERT_EQ(0, pipe2(self->pipe, O_CLOEXEC));
	if (syscall(SYS_io_setup, 64, &self->context))
		SKIP(return, "io_setup: %s", strerror(errno));
}

FIXTURE_TEARDOWN(direct_aio)
{
	if (self->context)
		EXPECT_EQ(0, syscall(SYS_io_destroy, self->context));
	close(self->pipe[0]);
	close(self->pipe[1]);
	close(self->device);
}

static long submit_poll(aio_context_t context, int fd, __u64 data)
{
	struct iocb iocb = {
		.aio_data = data,
		.aio_lio_opcode = IOCB_CMD_POLL,
		.aio_fildes = fd,
		.aio_buf = data == OURS ? POLLIN : POLLOUT,
	};
	struct iocb *list[] = { &iocb };

	return syscall(SYS_io_submit, context, 1, list);
}

/* The lock of the context is busy now and then, so that the kernel cannot end polls at once. */
static void make_noise(FIXTURE_DATA(direct_aio) * self)
{
	struct timespec at_once = { 0 };
	struct io_event events[8];
	long nr, i;

	while (!__atomic_load_n(&self->stop, __ATOMIC_ACQUIRE)) {
		submit_poll(self->context, self->pipe[1], NOISE);
		nr = syscall(SYS_io_getevents, self->context, 0, ARRAY_SIZE(events), events,
			     &at_once);
		for (i = 0; i < nr; i++)
			if (events[i].data == OURS)
				flag_raise(&self->seen);
	}
}

static void *noise_maker(void *self)
{
	make_noise(self);
	return NULL;
}

TEST_F(direct_aio, a_poll_is_told_whatever_else_goes_on)
{
	const unsigned int rounds = effort(1000);
	unsigned int *go = flag_new(), round;
	pid_t parent = getpid(), child;
	pthread_t noise;
	__u64 end;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "the lock is never busy on one processor");
	child = child_fork();
	if (!child) {
		for (round = 1; round <= rounds; round++) {
			flag_await(go, round);
			ASSERT_EQ(0, direct_send(self->device, parent, "x"));
		}
		_exit(KSFT_PASS);
	}
	ASSERT_EQ(0, pthread_create(&noise, NULL, noise_maker, self));
	for (round = 1; round <= rounds; round++) {
		ASSERT_EQ(1, submit_poll(self->context, self->device, OURS));
		flag_raise(go);
		flag_await(&self->seen, round);
		EXPECT_EQ(1, poll_now(self->device, POLLIN));
		EXPECT_DIRECT(self->device, child, "x");
	}
	__atomic_store_n(&self->stop, 1, __ATOMIC_RELEASE);
	ASSERT_EQ(0, pthread_join(noise, NULL));
	child_done(child);
	/* There is the inbox of this process, which it polls, and soon no other. */
	end = now_ns() + PATIENCE;
	while (device_info(self->device).mailboxes != self->before.mailboxes + 1) {
		ASSERT_LT(now_ns(), end);
		sched_yield();
	}
}

TEST_HARNESS_MAIN
