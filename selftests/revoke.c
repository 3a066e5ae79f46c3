// SPDX-License-Identifier: GPL-2.0
/*
 * REVOKE: what it reaches, that every call then fails, and what goes back. Calls that wait
 * are in revoke_wait.c, policies in revoke_policy.c, and calls that stand still in
 * frozen_revoke.c.
 */
#include "common_grant.h"
#include "common_notify.h"

FIXTURE(revoke)
{
	int device;
	int fd;
	__u64 id;
	/* With all rights. */
	int derived;
	__u64 grant;
};

FIXTURE_SETUP(revoke)
{
	self->device = device_open();
	self->fd = box_new_limited(self->device, MAILBOX_ON_FULL_WAIT, 8);
	self->id = box_stat(self->fd).id;
	self->derived = box_restrict(self->fd, RIGHTS_ALL, &self->grant);
}

FIXTURE_TEARDOWN(revoke)
{
	close(self->derived);
	close(self->fd);
	close(self->device);
}

TEST_F(revoke, every_call_fails)
{
	struct mailbox_set set = { .size = sizeof(set) };
	struct mailbox_yield yield = { .size = sizeof(yield) };
	struct mailbox_send sends[2] = { send_args("x", 1), send_args("x", 1) };
	char text[8];
	struct mailbox_receive receive = receive_args(text, sizeof(text));
	struct mailbox_receive receives[2] = { receive, receive };
	int fd = self->derived, eventfd = eventfd_new();
	struct mailbox_stat stat, after;
	__u64 grant;

	ASSERT_EQ(0, box_send_text(self->fd, "stays", 0, 0));
	ASSERT_EQ(0, box_revoke(self->fd, self->grant));
	stat = box_stat(self->fd);

	EXPECT_EQ(-EACCES, box_send_text(fd, "x", 0, 0));
	EXPECT_EQ(-EACCES, box_receive_text(fd, text, sizeof(text)));
	receive.flags |= MAILBOX_PEEK;
	EXPECT_EQ(-EACCES, box_receive(fd, &receive));
	receive = leasing_args(text, sizeof(text));
	EXPECT_EQ(-EACCES, box_receive(fd, &receive));
	receive = receive_args(text, sizeof(text));
	receive.select = MAILBOX_SELECT_TYPE;
	EXPECT_EQ(-EACCES, box_receive(fd, &receive));
	sends[0].flags = 0;
	receives[0].flags = 0;
	EXPECT_EQ(-EACCES, box_batch(fd, MAILBOX_IOC_SEND_BATCH, sends, sizeof(sends[0]), 2));
	EXPECT_EQ(-EACCES,
		  box_batch(fd, MAILBOX_IOC_RECEIVE_BATCH, receives, sizeof(receives[0]), 2));
	EXPECT_EQ(-EACCES, box_ack(fd, 1));
	EXPECT_EQ(-EACCES, box_nack(fd, 1, 0));
	EXPECT_EQ(-EACCES, box_extend(fd, 1, 0));
	EXPECT_EQ(-EACCES, call(fd, MAILBOX_IOC_SET, &set));
	EXPECT_EQ(-EACCES, call(fd, MAILBOX_IOC_YIELD, &yield));
	EXPECT_EQ(-EACCES, box_notify_try(fd, EVENTS_ALL, eventfd));
	EXPECT_EQ(-EACCES, box_notify_try(fd, 0, -1));
	EXPECT_EQ(-EACCES, box_restrict_try(fd, MAILBOX_RIGHT_SEND, &grant));
	EXPECT_EQ(-EACCES, box_revoke(fd, self->grant));
	EXPECT_EQ(-EACCES, box_destroy(fd, 0, NULL));
	EXPECT_TRUE(is_revoked(fd));
	EXPECT_EQ(-1, read(fd, text, sizeof(text)));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(-1, write(fd, "x", 1));
	EXPECT_EQ(EACCES, errno);
	/* All the same where there is nothing else that is right. */
	sends[0].size = 4;
	EXPECT_EQ(-EINVAL, box_send(fd, &sends[0]));
	EXPECT_EQ(-EACCES, call(fd, MAILBOX_IOC_SET, NULL));
	EXPECT_EQ(-ENOTTY, call(fd, MAILBOX_IOC_OPEN, NULL));

	/* What is not about the mailbox goes on; and the mailbox is as it was. */
	EXPECT_LT(0, device_info(fd).max_mailboxes);
	after = box_stat(self->fd);
	EXPECT_EQ(0, memcmp(&stat, &after, sizeof(stat)));
	expect_delivered(self->fd, "stays", 0);
	close(eventfd);
}

TEST_F(revoke, needs_the_right_to_manage)
{
	__u64 grant, none;
	int fd = box_restrict(self->derived, MAILBOX_RIGHT_SEND | MAILBOX_RIGHT_RECEIVE, &grant);

	EXPECT_EQ(-EACCES, box_revoke(fd, grant));
	EXPECT_EQ(-EACCES, box_revoke(fd, self->grant));
	EXPECT_EQ(-EACCES, box_revoke(fd, POISON64));
	EXPECT_FALSE(is_revoked(fd));
	EXPECT_FALSE(is_revoked(self->derived));
	/* It may derive what it may not revoke; who may manage does. */
	close(box_restrict(fd, MAILBOX_RIGHT_SEND, &none));
	EXPECT_EQ(0, box_revoke(self->fd, grant));
	EXPECT_TRUE(is_revoked(fd));
	EXPECT_FALSE(is_revoked(self->derived));
	close(fd);
}

TEST_F(revoke, flags_and_numbers_that_do_not_exist)
{
	struct mailbox_revoke args = { .size = sizeof(args), .grant = self->grant };
	int i;

	for (i = 0; i < 32; i++) {
		args.flags = 1U << i;
		/* See revoke_all.c. */
		if (args.flags == MAILBOX_REVOKE_ALL)
			continue;
		EXPECT_EQ(-EOPNOTSUPP, call(self->fd, MAILBOX_IOC_REVOKE, &args));
	}
	EXPECT_EQ(-ENOENT, box_revoke(self->fd, 0));
	EXPECT_EQ(-ENOENT, box_revoke(self->fd, self->grant + 1));
	EXPECT_EQ(-ENOENT, box_revoke(self->fd, UINT64_MAX));
	EXPECT_FALSE(is_revoked(self->derived));
	EXPECT_FALSE(is_revoked(self->fd));
}

TEST_F(revoke, a_second_time_and_after_the_close)
{
	EXPECT_EQ(0, box_revoke(self->fd, self->grant));
	EXPECT_EQ(0, box_revoke(self->fd, self->grant));
	EXPECT_TRUE(is_revoked(self->derived));
	/* It is a handle until it is closed. */
	EXPECT_EQ(2, box_stat(self->fd).handles);
	close(self->derived);
	EXPECT_EQ(-ENOENT, box_revoke(self->fd, self->grant));
	EXPECT_EQ(1, box_stat(self->fd).handles);
	self->derived = dup(self->device);
}

TEST_F(revoke, oneself)
{
	__u64 grant;
	int fd = box_restrict(self->derived, MAILBOX_RIGHT_MANAGE, &grant);

	/* From what it was derived from itself. */
	EXPECT_EQ(0, box_revoke(fd, self->grant));
	EXPECT_TRUE(is_revoked(fd));
	EXPECT_TRUE(is_revoked(self->derived));
	EXPECT_EQ(-EACCES, box_revoke(fd, self->grant));
	EXPECT_FALSE(is_revoked(self->fd));
	close(fd);
}

TEST_F(revoke, keeps_a_temporary_mailbox)
{
	int fd = box_open(self->device, self->id, NULL, MAILBOX_RIGHT_SEND);

	close(self->fd);
	ASSERT_EQ(0, box_revoke(self->derived, self->grant));
	close(fd);
	fd = box_open(self->device, self->id, NULL, RIGHTS_ALL);
	EXPECT_LE(0, fd);
	close(fd);
	close(self->derived);
	EXPECT_EQ(-ENOENT, box_open(self->device, self->id, NULL, RIGHTS_ALL));
	self->fd = dup(self->device);
	self->derived = dup(self->device);
}

/*
 *	1 -- 2 -- 4 -- 7
 *	|    `--- 5
 *	`--- 3 -- 6
 *	8 -- 9
 */
#define TREE 9
static const int parents[TREE + 1] = { -1, 0, 1, 1, 2, 2, 3, 4, 0, 8 };

struct tree {
	int fd[TREE + 1];
	__u64 grant[TREE + 1];
	bool revoked[TREE + 1];
};

static void tree_grow(struct tree *tree, int fd)
{
	int i;

	memset(tree, 0, sizeof(*tree));
	tree->fd[0] = fd;
	for (i = 1; i <= TREE; i++)
		tree->fd[i] = box_restrict(tree->fd[parents[i]], RIGHTS_ALL, &tree->grant[i]);
}

static bool descends(int from, int node)
{
	while (node > 0 && node != from)
		node = parents[node];
	return node == from;
}

static void tree_revoke(struct tree *tree, int node)
{
	int i, open = 0;

	for (i = 1; i <= TREE; i++)
		if (descends(node, i)) {
			tree->revoked[i] = true;
			open += tree->fd[i] >= 0;
		}
	EXPECT_EQ(open ? 0 : -ENOENT, box_revoke(tree->fd[0], tree->grant[node]));
	for (i = 0; i <= TREE; i++)
		if (tree->fd[i] >= 0)
			EXPECT_EQ(tree->revoked[i], is_revoked(tree->fd[i]))
	TH_LOG("%d after %d", i, node);
}

static void tree_close(struct tree *tree, int node)
{
	if (tree->fd[node] >= 0)
		close(tree->fd[node]);
	tree->fd[node] = -1;
}

static void tree_fell(struct tree *tree)
{
	int i;

	for (i = 1; i <= TREE; i++)
		tree_close(tree, i);
	for (i = 1; i <= TREE; i++)
		EXPECT_EQ(-ENOENT, box_revoke(tree->fd[0], tree->grant[i]));
}

TEST_F(revoke, reaches_what_was_derived_and_nothing_else)
{
	struct tree tree;
	int i;

	for (i = 1; i <= TREE; i++) {
		tree_grow(&tree, self->fd);
		tree_revoke(&tree, i);
		tree_fell(&tree);
	}
	EXPECT_FALSE(is_revoked(self->derived));
}

/* Each may be closed before; the others are found all the same. */
TEST_F(revoke, chains_with_closed_middles)
{
	struct tree tree;
	int closed, i, j;

	for (closed = 0; closed < 1 << TREE; closed += 1 + (effort(100) < 100) * 12) {
		i = 1 + closed % TREE;
		tree_grow(&tree, self->fd);
		for (j = 1; j <= TREE; j++)
			if (closed & 1 << (j - 1))
				tree_close(&tree, j);
		tree_revoke(&tree, i);
		tree_revoke(&tree, 1 + closed / TREE % TREE);
		tree_fell(&tree);
	}
	EXPECT_EQ(2, box_stat(self->fd).handles);
}

TEST_F(revoke, many)
{
	enum { MANY = 500 };
	int fds[MANY], i;
	__u64 grants[MANY], top;
	int fd = box_restrict(self->derived, RIGHTS_ALL, &top);

	for (i = 0; i < MANY; i++)
		fds[i] = box_restrict(i % 3 || i < 10 ? fd : fds[i - 10], RIGHTS_ALL, &grants[i]);
	EXPECT_EQ(0, box_revoke(self->fd, grants[MANY - 1]));
	EXPECT_TRUE(is_revoked(fds[MANY - 1]));
	EXPECT_FALSE(is_revoked(fds[0]));
	EXPECT_EQ(0, box_revoke(self->fd, top));
	for (i = 0; i < MANY; i++)
		EXPECT_TRUE(is_revoked(fds[i]));
	EXPECT_FALSE(is_revoked(self->derived));
	for (i = 0; i < MANY; i++)
		close(fds[i]);
	close(fd);
	EXPECT_EQ(2, box_stat(self->fd).handles);
}

/* Leases */

TEST_F(revoke, gives_leases_back)
{
	char text[8];
	__u64 mine, delayed;
	int i;

	/* More than go back in one go, and in their old order. */
	close(self->derived);
	close(self->fd);
	self->fd = box_new(self->device);
	self->derived = box_restrict(self->fd, RIGHTS_ALL, &self->grant);
	for (i = 0; i < 70; i++) {
		snprintf(text, sizeof(text), "%d", i);
		ASSERT_EQ(0, box_send_text(self->fd, text, 0, 0));
	}
	mine = box_lease(self->fd);
	for (i = 0; i < 68; i++)
		box_lease(self->derived);
	delayed = box_lease(self->derived);
	ASSERT_EQ(0, box_nack(self->derived, delayed, 3600 * SECOND));
	ASSERT_EQ(70, box_stat(self->fd).leased);
	ASSERT_EQ(0, box_revoke(self->fd, self->grant));
	/* At once; but for what is nobody's, and what is another's. */
	EXPECT_EQ(2, box_stat(self->fd).leased);
	EXPECT_EQ(69, box_stat(self->fd).redelivered);
	for (i = 1; i < 69; i++) {
		snprintf(text, sizeof(text), "%d", i);
		expect_delivered(self->fd, text, 1);
	}
	EXPECT_EQ(0, box_ack(self->fd, mine));
}

/* Events */

TEST_F(revoke, its_eventfd_is_told_for_the_last_time)
{
	int mine = eventfd_new(), others = eventfd_new();
	int fd = box_open(self->device, self->id, NULL, MAILBOX_RIGHT_MANAGE);

	box_notify(self->derived, MAILBOX_EVENT_MESSAGE, mine);
	box_notify(fd, EVENTS_ALL, others);
	ASSERT_EQ(0, box_revoke(self->fd, self->grant));
	EXPECT_EQ(1, told(mine));
	/* Nothing has happened to these. */
	EXPECT_EQ(0, told(others));
	EXPECT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	EXPECT_EQ(0, told(mine));
	EXPECT_EQ(1, told(others));
	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	EXPECT_EQ(0, told(mine));
	close(fd);
	close(mine);
	close(others);
}

TEST_F(revoke, does_not_count_as_receiver_or_sender)
{
	int fd = box_open(self->device, self->id, NULL, MAILBOX_RIGHT_MANAGE);
	int eventfd = eventfd_new();
	__u64 grants[2];
	int sender = box_restrict(self->derived, MAILBOX_RIGHT_SEND, &grants[0]);
	int receiver = box_restrict(self->derived, MAILBOX_RIGHT_RECEIVE, &grants[1]);

	close(self->fd);
	self->fd = fd;
	ASSERT_EQ(0, box_revoke(self->fd, grants[0]));
	ASSERT_EQ(0, box_revoke(self->fd, grants[1]));
	box_notify(fd, MAILBOX_EVENT_NO_SENDER | MAILBOX_EVENT_NO_RECEIVER, eventfd);
	/* Closing what does not count is no event. */
	close(sender);
	close(receiver);
	EXPECT_EQ(0, told(eventfd));
	ASSERT_EQ(0, box_revoke(self->fd, self->grant));
	EXPECT_EQ(2, told(eventfd));
	ASSERT_EQ(0, box_revoke(self->fd, self->grant));
	EXPECT_EQ(0, told(eventfd));
	close(self->derived);
	EXPECT_EQ(0, told(eventfd));
	/* The next one counts from nothing. */
	self->derived = box_open(self->device, self->id, NULL, RIGHTS_ALL);
	EXPECT_EQ(0, told(eventfd));
	close(self->derived);
	EXPECT_EQ(2, told(eventfd));
	self->derived = dup(self->device);
	close(eventfd);
}

TEST_HARNESS_MAIN
