// SPDX-License-Identifier: GPL-2.0
/*
 * Descriptors of queues in many processes: inherited, duplicated, passed on, left behind.
 */
#include "mq.h"

#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define CHILDREN 24
#define EACH	 40

FIXTURE(fork)
{
	mqd_t queue;
	unsigned int *flag;
};

FIXTURE_SETUP(fork)
{
	self->queue = queue_new(O_RDWR);
	self->flag = flag_new();
}

FIXTURE_TEARDOWN(fork)
{
	queue_end(self->queue);
}

TEST_F(fork, descriptor_is_inherited)
{
	pid_t child = child_fork();

	if (!child) {
		expect_message(self->queue, "down", 1);
		EXPECT_EQ(0, send_text(self->queue, "up", 2));
		EXPECT_EQ(0, mq_close(self->queue));
		EXPECT_EQ(-EBADF, send_text(self->queue, "text", 0));
		_exit(0);
	}
	EXPECT_EQ(0, send_text(self->queue, "down", 1));
	child_done(child);
	expect_message(self->queue, "up", 2);
}

/* The queue lives as long as anybody has it. */
TEST_F(fork, child_keeps_the_queue)
{
	pid_t child;
	mqd_t second;

	EXPECT_EQ(0, send_text(self->queue, "text", 0));
	child = child_fork();
	if (!child) {
		flag_await(self->flag, 1);
		expect_message(self->queue, "text", 0);
		_exit(0);
	}
	EXPECT_EQ(0, TRY(mq_unlink(queue_name())));
	EXPECT_EQ(0, mq_close(self->queue));
	second = queue_new(O_RDWR);
	flag_raise(self->flag);
	child_done(child);
	/* For the one that ends the test. */
	if (second != self->queue) {
		ASSERT_EQ(self->queue, dup2(second, self->queue));
		close(second);
	}
}

/* All children send at once, and open the queue themselves or do not. */
TEST_F(fork, many_send_one_receives)
{
	unsigned int next[CHILDREN] = { 0 }, priority;
	pid_t children[CHILDREN];
	int from[SIZE / sizeof(int)];
	int i, j;

	for (i = 0; i < CHILDREN; i++) {
		children[i] = child_fork();
		if (children[i])
			continue;
		for (j = 0; j < EACH; j++) {
			mqd_t queue = i & 1 ? self->queue : queue_open(O_WRONLY);

			from[0] = i;
			from[1] = j;
			EXPECT_EQ(0, TRY(mq_send(queue, (char *)from, 8, i % 3)));
			if (queue != self->queue)
				mq_close(queue);
		}
		_exit(0);
	}
	for (i = 0; i < CHILDREN * EACH; i++) {
		ASSERT_EQ(8, TRY(mq_receive(self->queue, (char *)from, SIZE, &priority)));
		ASSERT_EQ(next[from[0]], from[1]);
		next[from[0]]++;
		EXPECT_EQ(from[0] % 3, priority);
	}
	for (i = 0; i < CHILDREN; i++)
		child_done(children[i]);
	EXPECT_EQ(0, queue_count(self->queue));
}

TEST_F(fork, one_sends_many_receive)
{
	pid_t children[CHILDREN];
	char data[SIZE] = "";
	int i, j;

	for (i = 0; i < CHILDREN; i++) {
		children[i] = child_fork();
		if (children[i])
			continue;
		for (j = 0; j < EACH; j++) {
			ASSERT_EQ(4, TRY(mq_receive(self->queue, data, SIZE, NULL)));
			flag_raise(self->flag);
		}
		_exit(0);
	}
	for (i = 0; i < CHILDREN * EACH; i++)
		ASSERT_EQ(0, TRY(mq_send(self->queue, data, 4, 0)));
	for (i = 0; i < CHILDREN; i++)
		child_done(children[i]);
	EXPECT_EQ(CHILDREN * EACH, *self->flag);
	EXPECT_EQ(0, queue_count(self->queue));
}

/* Queues come and go while others want them, too: each has one maker. */
TEST_F(fork, many_open_and_unlink)
{
	const char *name = "/test-many-open";
	pid_t children[8];
	int i, j;

	for (i = 0; i < 8; i++) {
		children[i] = child_fork();
		if (children[i])
			continue;
		for (j = 0; j < 50; j++) {
			mqd_t queue = mq_open(name, O_CREAT | O_RDWR, 0600, NULL);
			char data[8192];

			ASSERT_LE(0, queue) TH_LOG("%s", strerror(errno));
			EXPECT_EQ(0, send_text(queue, "text", 0));
			EXPECT_EQ(4, TRY(mq_receive(queue, data, sizeof(data), NULL)));
			if (mq_unlink(name))
				EXPECT_EQ(ENOENT, errno);
			EXPECT_EQ(0, TRY(mq_close(queue)));
		}
		_exit(0);
	}
	for (i = 0; i < 8; i++)
		child_done(children[i]);
	EXPECT_EQ(-ENOENT, TRY(mq_open(name, O_RDWR)));
}

static void pass(int socket, int fd)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .header.cmsg_level = SOL_SOCKET,
		      .header.cmsg_type = SCM_RIGHTS,
		      .header.cmsg_len = CMSG_LEN(sizeof(int)) };
	struct iovec data = { .iov_base = "", .iov_len = 1 };
	struct msghdr message = { .msg_iov = &data,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };

	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	ASSERT_EQ(1, sendmsg(socket, &message, 0));
}

static int take(int socket)
{
	char control[CMSG_SPACE(sizeof(int))];
	char byte;
	struct iovec data = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = { .msg_iov = &data,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };
	int fd = -1;

	ASSERT_EQ(1, recvmsg(socket, &message, 0));
	ASSERT_TRUE(CMSG_FIRSTHDR(&message) != NULL);
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	return fd;
}

TEST_F(fork, descriptor_is_passed_on)
{
	char data[SIZE];
	int sockets[2];
	pid_t child;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	child = child_fork();
	if (!child) {
		mqd_t queue;

		mq_close(self->queue);
		queue = take(sockets[1]);
		EXPECT_EQ(-EMSGSIZE, TRY(mq_receive(queue, data, SIZE - 1, NULL)));
		expect_message(queue, "text", 3);
		EXPECT_EQ(-EBADF, send_text(queue, "text", 0));
		_exit(0);
	}
	EXPECT_EQ(0, send_text(self->queue, "text", 3));
	pass(sockets[0], queue_open(O_RDONLY));
	child_done(child);
}

/* A new program has the descriptor only where it is not close-on-exec. */
TEST_F(fork, descriptor_is_closed_on_exec)
{
	char kept[16], closed[16];
	char *arguments[] = { "sh", "-c",   "[ ! -e /proc/self/fd/$1 ] && [ -e /proc/self/fd/$2 ]",
			      "sh", closed, kept,
			      NULL };
	int copy = dup(self->queue), status = -1;
	pid_t child;

	snprintf(closed, sizeof(closed), "%d", self->queue);
	snprintf(kept, sizeof(kept), "%d", copy);
	ASSERT_EQ(0, posix_spawnp(&child, "sh", NULL, NULL, arguments, environ));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
}

TEST_HARNESS_MAIN
