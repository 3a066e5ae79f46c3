// SPDX-License-Identifier: GPL-2.0
/*
 * One round through the whole interface. It is built for 64 and for 32 bits: a 32-bit
 * program on a 64-bit kernel must see no difference.
 */
#include "common_call.h"
#include "common_direct.h"
#include "common_grant.h"
#include "common_notify.h"

FIXTURE(compat)
{
	int device;
	int fd;
	__u64 id;
};

FIXTURE_SETUP(compat)
{
	struct mailbox_create create = create_args();

	self->device = device_open();
	strcpy(create.name, "from any program");
	create.max_messages = 8;
	self->fd = box_create(self->device, &create);
	ASSERT_LE(0, self->fd);
	self->id = create.id;
}

FIXTURE_TEARDOWN(compat)
{
	close(self->fd);
	close(self->device);
}

TEST_F(compat, info)
{
	struct mailbox_info info = device_info(self->device);

	EXPECT_EQ(MAILBOX_INTERFACE_VERSION, info.version);
	EXPECT_LE(1, info.mailboxes);
	EXPECT_LT(0, info.max_bytes);
}

TEST_F(compat, send_and_receive)
{
	struct mailbox_send send = send_args("payload", 7);
	char data[16];
	struct mailbox_receive receive = receive_args(data, sizeof(data));

	send.type = 0x123456789abcdef0ULL;
	send.priority = MAILBOX_PRIORITY_MAX;
	send.flags |= MAILBOX_EXPIRES;
	send.expiry = UINT64_MAX - 1;
	ASSERT_EQ(0, box_send(self->fd, &send));
	EXPECT_EQ(1, send.sequence);
	ASSERT_EQ(0, box_receive(self->fd, &receive));
	EXPECT_EQ(0, memcmp("payload", data, 7));
	EXPECT_EQ(7, receive.length);
	EXPECT_EQ(0x123456789abcdef0ULL, receive.type);
	EXPECT_EQ(MAILBOX_PRIORITY_MAX, receive.priority);
	EXPECT_EQ(UINT64_MAX - 1, receive.expiry);
	EXPECT_EQ(getpid(), receive.pid);
	EXPECT_EQ(geteuid(), receive.uid);
}

TEST_F(compat, read_and_write)
{
	char data[16];

	EXPECT_EQ(5, write(self->fd, "hello", 5));
	EXPECT_EQ(5, read(self->fd, data, sizeof(data)));
	EXPECT_EQ(0, memcmp("hello", data, 5));
	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(-1, read(self->fd, data, sizeof(data)));
	EXPECT_EQ(EAGAIN, errno);
}

TEST_F(compat, batches)
{
	struct mailbox_receive receives[4];
	struct mailbox_send sends[4];
	char data[4][8];
	int i;

	for (i = 0; i < 4; i++) {
		sends[i] = send_args(&"abcd"[i], 1);
		sends[i].flags = 0;
		receives[i] = receive_args(data[i], sizeof(data[i]));
		receives[i].flags = 0;
	}
	EXPECT_EQ(4, box_batch(self->fd, MAILBOX_IOC_SEND_BATCH, sends, sizeof(sends[0]), 4));
	EXPECT_EQ(4,
		  box_batch(self->fd, MAILBOX_IOC_RECEIVE_BATCH, receives, sizeof(receives[0]), 4));
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(i + 1, receives[i].sequence);
		EXPECT_EQ('a' + i, data[i][0]);
	}
}

TEST_F(compat, leases)
{
	char data[16];
	struct mailbox_receive args = leasing_args(data, sizeof(data));

	ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	args.lease = 3600 * SECOND;
	ASSERT_EQ(0, box_receive(self->fd, &args));
	EXPECT_EQ(0, args.deliveries);
	EXPECT_EQ(1, box_stat(self->fd).leased);
	EXPECT_EQ(0, box_extend(self->fd, args.lease, UINT64_MAX));
	EXPECT_EQ(0, box_nack(self->fd, args.lease, 0));
	EXPECT_EQ(-ESTALE, box_ack(self->fd, args.lease));
	EXPECT_EQ(1, box_stat(self->fd).redelivered);
	args = box_lease_select(self->fd, MAILBOX_SELECT_FIRST, 0, 0);
	EXPECT_EQ(1, args.deliveries);
	EXPECT_EQ(0, box_ack(self->fd, args.lease));
	EXPECT_EQ(0, box_stat(self->fd).messages);
}

TEST_F(compat, notify)
{
	int eventfd = eventfd_new();

	box_notify(self->fd, MAILBOX_EVENT_MESSAGE, eventfd);
	ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	EXPECT_EQ(1, told(eventfd));
	EXPECT_EQ(-EINVAL, box_notify_try(self->fd, EVENTS_ALL, -1));
	close(eventfd);
}

TEST_F(compat, restrict_and_revoke)
{
	__u64 grant;
	int fd = box_restrict(self->fd, MAILBOX_RIGHT_SEND, &grant);

	EXPECT_EQ(1, grant);
	EXPECT_EQ(MAILBOX_RIGHT_SEND, box_stat(fd).rights);
	EXPECT_EQ(-ENOENT, box_revoke(self->fd, grant | 1ULL << 32));
	EXPECT_EQ(0, box_revoke(self->fd, grant));
	EXPECT_TRUE(is_revoked(fd));
	close(fd);
}

TEST_F(compat, calls)
{
	struct caller *caller = caller_new();
	char data[16] = { 0 };
	struct mailbox_receive args = serve_args(data, sizeof(data) - 1);
	struct mailbox_sender sender = { .size = sizeof(sender) };
	struct mailbox_reply reply;
	pid_t child;

	caller->args = call_args("question", 8, caller->answer, 63);
	caller->args.type = 0x123456789abcdef0ULL;
	child = caller_run(caller, self->fd);
	reply = reply_args(0, NULL, 0);
	reply.receive = user_pointer(&args);
	ASSERT_EQ(0, call(self->fd, MAILBOX_IOC_REPLY_RECEIVE, &reply));
	EXPECT_STREQ("question", data);
	EXPECT_EQ(0x123456789abcdef0ULL, args.type);
	EXPECT_EQ(63, args.answer_room);
	sender.lease = args.lease;
	ASSERT_EQ(0, call(self->fd, MAILBOX_IOC_SENDER, &sender));
	EXPECT_EQ(child, sender.pid);
	reply = reply_args(args.lease, "answer", 6);
	reply.type = UINT64_MAX - 1;
	ASSERT_EQ(0, call(self->fd, MAILBOX_IOC_REPLY, &reply));
	caller_ends(caller, child, 0);
	expect_answer(caller, "answer", UINT64_MAX - 1, getpid());
	EXPECT_EQ(1, caller->args.sequence);
}

TEST_F(compat, direct)
{
	struct mailbox_direct args = { .size = sizeof(args), .flags = MAILBOX_IDENTIFY };
	struct mailbox_send send = send_args("direct", 6);
	pid_t child = sleeper_fork(), sender;
	struct mailbox_link link;

	args.pid = child;
	ASSERT_EQ(0, call(self->device, MAILBOX_IOC_SEND_TO, &args));
	args.flags = 0;
	args.message = user_pointer(&send);
	EXPECT_EQ(0, call(self->device, MAILBOX_IOC_SEND_TO, &args));
	EXPECT_EQ(1, send.sequence);
	args.process++;
	EXPECT_EQ(-ESRCH, call(self->device, MAILBOX_IOC_SEND_TO, &args));
	EXPECT_EQ(1, direct_count(self->device, child, &link));
	EXPECT_EQ(1, link.sent);
	EXPECT_LT(0, link.created);
	child_kill(child);

	sender = child_fork();
	if (!sender)
		_exit(direct_send(self->device, getppid(), "text") ? KSFT_FAIL : KSFT_PASS);
	child_done(sender);
	EXPECT_EQ(POLLIN, poll_now(self->device, POLLIN));
	EXPECT_DIRECT(self->device, sender, "text");
	EXPECT_EQ(0, direct_allow(self->device, MAILBOX_ALLOW_NOBODY));
	EXPECT_EQ(-EINVAL, direct_allow(self->device, MAILBOX_ALLOW_NOBODY + 1));
	EXPECT_EQ(0, direct_allow(self->device, MAILBOX_ALLOW_SIGNAL));
}

TEST_F(compat, open_list_stat_set)
{
	int fd = box_open(self->device, 0, "from any program", MAILBOX_RIGHT_SEND);
	struct mailbox_set set = {
		.size = sizeof(set),
		.flags = MAILBOX_SET_MAX_BYTES,
		.max_bytes = 0x100000001ULL,
	};
	struct mailbox_stat entry, stat;
	__u64 after = self->id - 1;

	ASSERT_LE(0, fd);
	EXPECT_EQ(0, call(self->fd, MAILBOX_IOC_SET, &set));
	stat = box_stat(self->fd);
	EXPECT_EQ(self->id, stat.id);
	EXPECT_EQ(2, stat.handles);
	EXPECT_EQ(8, stat.max_messages);
	EXPECT_EQ(0x100000001ULL, stat.max_bytes);
	EXPECT_STREQ("from any program", stat.name);
	ASSERT_EQ(1, box_list(self->device, &entry, 1, &after));
	EXPECT_EQ(self->id, after);
	EXPECT_EQ(0, memcmp(&stat, &entry, sizeof(stat)));
	close(fd);
}

TEST_F(compat, poll_wait_and_destroy)
{
	char data[8];
	struct mailbox_receive args = receive_args(data, sizeof(data));

	EXPECT_EQ(POLLOUT, poll_now(self->fd, POLLIN | POLLOUT));
	args.flags = MAILBOX_DEADLINE;
	args.deadline = now_ns() + SECOND / 50;
	EXPECT_EQ(-ETIMEDOUT, box_receive(self->fd, &args));
	EXPECT_LE(args.deadline, now_ns());
	EXPECT_EQ(0, box_destroy(self->device, self->id, NULL));
	EXPECT_EQ(POLLHUP | POLLERR, poll_now(self->fd, POLLIN | POLLOUT));
}

TEST_F(compat, a_fault_leaves_the_message)
{
	struct mailbox_receive args = receive_args(hole_new(8), 8);
	char text[8];

	EXPECT_EQ(-EFAULT, box_send_data(self->fd, hole_new(8), 8));
	ASSERT_EQ(0, box_send_text(self->fd, "kept", 0, 0));
	EXPECT_EQ(-EFAULT, box_receive(self->fd, &args));
	EXPECT_EQ(4, box_receive_text(self->fd, text, sizeof(text)));
}

TEST_HARNESS_MAIN
