// SPDX-License-Identifier: GPL-2.0
/*
 * What happens while a receiver copies its message. The place that it copies to has no
 * memory yet, and userfaultfd tells us when it gets there and holds it until we let it go
 * on: so each of these comes in the middle of copying, and not by chance.
 */
#include "world.h"

#include <linux/userfaultfd.h>

#define PAGE	   4096
#define LENGTH_MAX 20000

struct stage {
	unsigned int ready;
	/* The descriptor of userfaultfd, as the receiver knows it. */
	int faults;
	char *place;
	int result;
	bool right;
};

struct receiver {
	pid_t pid;
	int faults;
	struct stage *stage;
};

FIXTURE(copying)
{
	int device;
	int fd;
	struct usage before;
};

FIXTURE_VARIANT(copying)
{
	size_t length;
};

FIXTURE_VARIANT_ADD(copying, word_by_word)
{
	.length = 24,
};

FIXTURE_VARIANT_ADD(copying, one_buffer)
{
	.length = 3000,
};

FIXTURE_VARIANT_ADD(copying, pages)
{
	.length = LENGTH_MAX,
};

static char payload[LENGTH_MAX];

FIXTURE_SETUP(copying)
{
	int faults = syscall(SYS_userfaultfd, O_CLOEXEC);
	size_t i;

	if (faults < 0)
		SKIP(return, "userfaultfd: %s", strerror(errno));
	close(faults);
	for (i = 0; i < sizeof(payload); i++)
		payload[i] = i * 7 + i / 256;
	self->device = device_open();
	self->before = usage_of_caller(self->device);
	self->fd = -1;
}

FIXTURE_TEARDOWN(copying)
{
	if (self->device <= 0)
		return;
	if (self->fd >= 0)
		close(self->fd);
	EXPECT_USAGE(self->device, self->before);
	close(self->device);
}

static int send_first(int fd, size_t length)
{
	struct mailbox_send args = send_args(payload, length);

	args.flags = 0;
	return box_send(fd, &args);
}

/* A child that sends and waits until its message is received, or whatever ends that. */
static pid_t sender_start(int fd, size_t length, int expected)
{
	pid_t pid = child_fork();

	if (!pid) {
		EXPECT_EQ(expected, send_first(fd, length));
		_exit(KSFT_PASS);
	}
	wait_waiters(fd, -1, 1);
	return pid;
}

static void register_place(struct stage *stage)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register area = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	stage->place = mmap(NULL, page_round(LENGTH_MAX), PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_TRUE(stage->place != MAP_FAILED);
	stage->faults = syscall(SYS_userfaultfd, O_CLOEXEC);
	ASSERT_LE(0, stage->faults);
	ASSERT_EQ(0, ioctl(stage->faults, UFFDIO_API, &api));
	/* The first page alone, for one stop. */
	area.range.start = user_pointer(stage->place);
	area.range.len = PAGE;
	ASSERT_EQ(0, ioctl(stage->faults, UFFDIO_REGISTER, &area));
}

/* Returns when it is in the middle of copying. */
static struct receiver receiver_start(int fd, size_t length, __u32 flags)
{
	struct receiver receiver;
	struct pollfd poll_args = { .events = POLLIN };
	struct stage *stage;
	struct uffd_msg event;
	int pidfd;

	stage = mmap(NULL, sizeof(*stage), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	ASSERT_TRUE(stage != MAP_FAILED);
	receiver.stage = stage;
	receiver.pid = child_fork();
	if (!receiver.pid) {
		struct mailbox_receive args;

		register_place(stage);
		args = receive_args(stage->place, LENGTH_MAX);
		args.flags = MAILBOX_NONBLOCK | flags;
		if (flags & MAILBOX_PEEK)
			args.select = MAILBOX_SELECT_INDEX;
		flag_raise(&stage->ready);
		stage->result = box_receive(fd, &args);
		stage->right = !stage->result && args.length == length &&
			       !memcmp(payload, stage->place, length);
		_exit(KSFT_PASS);
	}
	flag_await(&stage->ready, 1);
	pidfd = syscall(SYS_pidfd_open, receiver.pid, 0);
	ASSERT_LE(0, pidfd);
	receiver.faults = syscall(SYS_pidfd_getfd, pidfd, stage->faults, 0);
	ASSERT_LE(0, receiver.faults);
	close(pidfd);
	poll_args.fd = receiver.faults;
	ASSERT_EQ(1, poll(&poll_args, 1, PATIENCE / 1000000));
	ASSERT_EQ(sizeof(event), read(receiver.faults, &event, sizeof(event)));
	ASSERT_EQ(UFFD_EVENT_PAGEFAULT, event.event);
	return receiver;
}

static void receiver_end(struct receiver *receiver)
{
	close(receiver->faults);
	munmap(receiver->stage, sizeof(*receiver->stage));
}

/* Lets it go on to its end. */
static void receiver_done(struct receiver *receiver, int expected)
{
	struct uffdio_zeropage zero = {
		.range = { .start = user_pointer(receiver->stage->place), .len = PAGE },
	};

	ASSERT_EQ(0, ioctl(receiver->faults, UFFDIO_ZEROPAGE, &zero));
	child_done(receiver->pid);
	EXPECT_EQ(expected, receiver->stage->result);
	EXPECT_EQ(!expected, receiver->stage->right);
	receiver_end(receiver);
}

static void expect_counts(int fd, __u64 sent, __u64 received, __u64 messages)
{
	struct mailbox_stat stat = box_stat(fd);

	EXPECT_EQ(sent, stat.sent);
	EXPECT_EQ(received, stat.received);
	EXPECT_EQ(messages, stat.messages);
}

static void expect_first(int fd, size_t length)
{
	static char taken[LENGTH_MAX];
	struct mailbox_receive args = receive_args(taken, sizeof(taken));

	poison(taken, sizeof(taken));
	EXPECT_EQ(0, box_receive(fd, &args));
	EXPECT_EQ(length, args.length);
	EXPECT_EQ(0, memcmp(payload, taken, length));
}

static void expect_second(int fd)
{
	char text[8];

	EXPECT_EQ(6, box_receive_text(fd, text, sizeof(text)));
	EXPECT_STREQ("second", text);
}

/* What its sender took back is not received. */
TEST_F(copying, when_the_sender_of_a_rendezvous_dies)
{
	struct receiver receiver;
	pid_t sender;

	self->fd = box_new_capacity(self->device, MAILBOX_CAPACITY_RENDEZVOUS);
	sender = sender_start(self->fd, variant->length, 0);
	receiver = receiver_start(self->fd, variant->length, 0);
	child_kill(sender);
	receiver_done(&receiver, -EAGAIN);
	expect_counts(self->fd, 0, 0, 0);
}

TEST_F(copying, when_the_rendezvous_is_destroyed)
{
	struct receiver receiver;
	pid_t sender;

	self->fd = box_new_capacity(self->device, MAILBOX_CAPACITY_RENDEZVOUS);
	sender = sender_start(self->fd, variant->length, -EIDRM);
	receiver = receiver_start(self->fd, variant->length, 0);
	EXPECT_EQ(0, box_destroy(self->fd, 0, NULL));
	child_done(sender);
	receiver_done(&receiver, -EIDRM);
}

/* As good as received: the sender is not sent away. */
TEST_F(copying, when_a_rendezvous_begins_to_refuse)
{
	struct mailbox_set set = {
		.size = sizeof(set),
		.flags = MAILBOX_SET_ON_FULL,
		.on_full = MAILBOX_ON_FULL_REFUSE,
	};
	struct receiver receiver;
	pid_t sender;

	self->fd = box_new_capacity(self->device, MAILBOX_CAPACITY_RENDEZVOUS);
	sender = sender_start(self->fd, variant->length, 0);
	receiver = receiver_start(self->fd, variant->length, 0);
	EXPECT_EQ(0, call(self->fd, MAILBOX_IOC_SET, &set));
	receiver_done(&receiver, 0);
	child_done(sender);
	expect_counts(self->fd, 1, 1, 0);
}

/* The message is the first one again. */
TEST_F(copying, when_the_receiver_is_killed)
{
	struct receiver receiver;

	self->fd = box_new(self->device);
	ASSERT_EQ(0, send_first(self->fd, variant->length));
	ASSERT_EQ(0, box_send_text(self->fd, "second", 0, 0));
	receiver = receiver_start(self->fd, variant->length, 0);
	child_kill(receiver.pid);
	receiver_end(&receiver);
	expect_counts(self->fd, 2, 0, 2);
	expect_first(self->fd, variant->length);
	expect_second(self->fd);
}

TEST_F(copying, when_another_receives)
{
	struct receiver receiver;
	char text[8];

	self->fd = box_new(self->device);
	ASSERT_EQ(0, send_first(self->fd, variant->length));
	ASSERT_EQ(0, box_send_text(self->fd, "second", 0, 0));
	receiver = receiver_start(self->fd, variant->length, 0);
	expect_second(self->fd);
	EXPECT_EQ(-EAGAIN, box_receive_text(self->fd, text, sizeof(text)));
	expect_counts(self->fd, 2, 1, 1);
	receiver_done(&receiver, 0);
	expect_counts(self->fd, 2, 2, 0);
}

/* It still takes up the room that it had, but is not there to be overwritten. */
TEST_F(copying, when_a_sender_overwrites)
{
	struct receiver receiver;

	self->fd = box_new_limited(self->device, MAILBOX_ON_FULL_OVERWRITE, 1);
	ASSERT_EQ(0, send_first(self->fd, variant->length));
	receiver = receiver_start(self->fd, variant->length, 0);
	EXPECT_EQ(0, box_send_text(self->fd, "second", 0, 0));
	receiver_done(&receiver, 0);
	expect_second(self->fd);
	EXPECT_EQ(0, box_stat(self->fd).overwritten);
}

/* Who only looks sees it to the end, though it has been received. */
TEST_F(copying, of_a_peek_when_another_receives)
{
	struct receiver receiver;

	self->fd = box_new(self->device);
	ASSERT_EQ(0, send_first(self->fd, variant->length));
	receiver = receiver_start(self->fd, variant->length, MAILBOX_PEEK);
	expect_first(self->fd, variant->length);
	expect_counts(self->fd, 1, 1, 0);
	receiver_done(&receiver, 0);
	expect_counts(self->fd, 1, 1, 0);
}

TEST_F(copying, of_a_peek_when_the_mailbox_is_destroyed)
{
	struct receiver receiver;

	self->fd = box_new(self->device);
	ASSERT_EQ(0, send_first(self->fd, variant->length));
	receiver = receiver_start(self->fd, variant->length, MAILBOX_PEEK);
	EXPECT_EQ(0, box_destroy(self->fd, 0, NULL));
	receiver_done(&receiver, 0);
}

TEST_HARNESS_MAIN
