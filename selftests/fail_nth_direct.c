// SPDX-License-Identifier: GPL-2.0
/*
 * Direct communication with each allocation and copy made to fail in turn: of a first message
 * that could not be sent neither link nor inbox is left.
 */
#include "fail_nth.h"

#include "common_direct.h"

/* The process at the other end. */
#define PEER(scene) ((pid_t)(scene)->length)

static void prepare_peer(struct scene *scene)
{
	scene->length = sleeper_fork();
}

static int send_to(struct scene *scene)
{
	return direct_send(scene->device, PEER(scene), "text");
}

static void complete_send(struct scene *scene)
{
	struct mailbox_link link;

	EXPECT_EQ(1, direct_count(scene->device, PEER(scene), &link));
	EXPECT_EQ(link.peer_unread, link.sent);
	child_kill(PEER(scene));
	settled_info(scene->device);
}

static void refused_send(struct scene *scene, const struct snapshot *before)
{
	const struct usage start = before->usage;

	EXPECT_EQ(0, direct_count(scene->device, PEER(scene), NULL));
	EXPECT_USAGE(scene->device, start);
}

TEST_SWEEP(first_message, .prepare = prepare_peer, .call = send_to, .complete = complete_send,
	   .failed = refused_send, .allocates = true, .least = 8)

static void prepare_link(struct scene *scene)
{
	prepare_peer(scene);
	ASSERT_EQ(0, send_to(scene));
}

static void refused_again(struct scene *scene, const struct snapshot *before)
{
	struct mailbox_link link;

	(void)before;
	EXPECT_EQ(1, direct_count(scene->device, PEER(scene), &link));
	EXPECT_EQ(1, link.sent);
	EXPECT_EQ(1, link.peer_unread);
}

TEST_SWEEP(second_message, .prepare = prepare_link, .call = send_to, .complete = complete_send,
	   .failed = refused_again, .allocates = true, .least = 2)

static int allow(struct scene *scene)
{
	return direct_allow(scene->device, MAILBOX_ALLOW_ANYBODY);
}

static void complete_allow(struct scene *scene)
{
	ASSERT_EQ(0, direct_allow(scene->device, MAILBOX_ALLOW_SIGNAL));
}

TEST_SWEEP(allow, .call = allow, .complete = complete_allow, .allocates = true, .least = 3)

static void prepare_message(struct scene *scene)
{
	const __u64 before = device_info(scene->device).mailboxes, end = now_ns() + PATIENCE;
	pid_t pid = child_fork();

	if (!pid)
		_exit(direct_send(scene->device, getppid(), "text") ? KSFT_FAIL : KSFT_PASS);
	child_done(pid);
	/* Our inbox is there. That of the sender goes a moment after it, and after their link. */
	while (device_info(scene->device).mailboxes != before + 1) {
		ASSERT_LT(now_ns(), end);
		sched_yield();
	}
}

static int receive_from(struct scene *scene)
{
	static char text[16];

	scene->receive = receive_args(text, sizeof(text));
	return direct_call(scene->device, MAILBOX_IOC_RECEIVE_FROM, 0, &scene->receive);
}

/* The message, and what it lies in, is still there. */
static void refused_receive(struct scene *scene, const struct snapshot *before)
{
	const struct usage start = before->usage;

	EXPECT_USAGE(scene->device, start);
}

static void complete_receive(struct scene *scene)
{
	EXPECT_EQ(4, scene->receive.length);
	EXPECT_EQ(-EAGAIN, direct_nothing(scene->device, 0));
}

TEST_SWEEP(receive_from, .prepare = prepare_message, .call = receive_from,
	   .complete = complete_receive, .failed = refused_receive, .least = 3)

/* Another device, since what polls goes on until it is closed. */
static void prepare_poll(struct scene *scene)
{
	scene->other = device_open();
}

/* That of the kernel says EFAULT or ENOMEM itself. */
static int poll_device(struct scene *scene)
{
	struct pollfd entry = { .fd = scene->other, .events = POLLIN };

	if (poll(&entry, 1, 0) < 0)
		return -errno;
	return entry.revents & POLLERR ? -ENOMEM : 0;
}

static void complete_poll(struct scene *scene)
{
	close(scene->other);
	scene->other = -1;
	settled_info(scene->device);
}

/* Neither the watch nor an inbox is left. */
TEST_SWEEP(poll, .prepare = prepare_poll, .call = poll_device, .complete = complete_poll,
	   .allocates = true, .least = 3)

/* The inbox is there, and only the watch is to be had. */
static void prepare_poll_again(struct scene *scene)
{
	ASSERT_EQ(0, allow(scene));
	prepare_poll(scene);
}

static void complete_poll_again(struct scene *scene)
{
	complete_allow(scene);
	complete_poll(scene);
}

TEST_SWEEP(poll_of_another_device, .prepare = prepare_poll_again, .call = poll_device,
	   .complete = complete_poll_again, .allocates = true, .least = 1)

TEST_HARNESS_MAIN
