// SPDX-License-Identifier: GPL-2.0
/*
 * Every network namespace is a domain of its own: nothing of one can be named in
 * another, and all of it goes when the namespace goes. The quota is not part of it.
 */
#include "world.h"
#include "common_notify.h"

#include <sys/socket.h>

#define ONE  1000
#define NAME "netns-test"

FIXTURE(netns)
{
	int device;
};

FIXTURE_SETUP(netns)
{
	self->device = device_open();
	/* What the namespaces of the test before this one held goes some time later. */
	await_usage(self->device, (struct usage){ 0 });
}

FIXTURE_TEARDOWN(netns)
{
	close(self->device);
}

static int named_box(int device, const char *name, __u32 flags, __u64 *id)
{
	struct mailbox_create args = create_args();
	int fd;

	args.flags = flags;
	args.mode = 0666;
	snprintf(args.name, sizeof(args.name), "%s", name);
	fd = box_create(device, &args);
	if (id)
		*id = args.id;
	return fd;
}

/* A device of a network namespace that nobody else is in. */
static int enter_new_netns(void)
{
	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	return device_open();
}

static unsigned int count_listed(int device)
{
	struct mailbox_stat entries[8];
	unsigned int total = 0;
	__u64 after = 0;
	int nr;

	while ((nr = box_list(device, entries, ARRAY_SIZE(entries), &after)) > 0)
		total += nr;
	EXPECT_EQ(0, nr);
	return total;
}

/* In a process of its own, so that the namespace ends with it. */
#define IN_CHILD(...) \
	do { \
		pid_t child_ = child_fork(); \
\
		if (!child_) { \
			__VA_ARGS__; \
			_exit(KSFT_PASS); \
		} \
		child_done(child_); \
	} while (0)

TEST_F(netns, names_of_another_are_not_found)
{
	int fd = named_box(self->device, NAME, 0, NULL);

	ASSERT_LE(0, fd);
	IN_CHILD({
		int device = enter_new_netns();

		EXPECT_EQ(-ENOENT, box_open(device, 0, NAME, MAILBOX_RIGHT_SEND));
		EXPECT_EQ(-ENOENT, box_destroy(device, 0, NAME));
	});
	EXPECT_EQ(0, box_send_data(fd, "x", 1));
	close(fd);
}

TEST_F(netns, ids_of_another_are_not_found)
{
	__u64 id;
	int fd;

	/* An id that the new domain cannot have given out yet. */
	for (int i = 0; i < 10; i++)
		close(named_box(self->device, "", 0, &id));
	fd = named_box(self->device, "", 0, &id);
	ASSERT_LE(0, fd);
	IN_CHILD({
		int device = enter_new_netns();

		EXPECT_EQ(-ENOENT, box_open(device, id, NULL, MAILBOX_RIGHT_SEND));
		EXPECT_EQ(-ENOENT, box_destroy(device, id, NULL));
	});
	EXPECT_EQ(0, box_send_data(fd, "x", 1));
	close(fd);
}

TEST_F(netns, list_shows_only_its_own)
{
	unsigned int before = count_listed(self->device);
	int fd = named_box(self->device, NAME, 0, NULL);

	ASSERT_LE(0, fd);
	IN_CHILD({
		int device = enter_new_netns();

		EXPECT_EQ(0, count_listed(device));
		EXPECT_LE(0, named_box(device, "a", 0, NULL));
		EXPECT_LE(0, named_box(device, "b", 0, NULL));
		EXPECT_EQ(2, count_listed(device));
		EXPECT_EQ(before + 1, count_listed(self->device));
	});
	EXPECT_EQ(before + 1, count_listed(self->device));
	close(fd);
}

TEST_F(netns, same_name_in_two_is_two_mailboxes)
{
	int fd = named_box(self->device, NAME, 0, NULL);

	ASSERT_LE(0, fd);
	IN_CHILD({
		int device = enter_new_netns();
		int mine = named_box(device, NAME, 0, NULL);
		char text[8];

		ASSERT_LE(0, mine);
		EXPECT_EQ(0, box_send_text(mine, "inside", 0, 0));
		EXPECT_EQ(0, box_stat(fd).messages);
		EXPECT_EQ(0, box_send_text(fd, "outside", 0, 0));
		EXPECT_EQ(6, box_receive_text(mine, text, sizeof(text)));
		EXPECT_STREQ("inside", text);
		/* By name too: each device leads to its own. */
		EXPECT_EQ(0, box_destroy(device, 0, NAME));
		EXPECT_EQ(-EIDRM, box_send_data(mine, "x", 1));
	});
	EXPECT_EQ(1, box_stat(fd).messages);
	close(fd);
}

TEST_F(netns, open_device_keeps_its_domain)
{
	IN_CHILD({
		int inside = enter_new_netns();
		__u64 id;
		int fd;

		/* Opened before the process changed its namespace. */
		fd = named_box(self->device, NAME, 0, &id);
		ASSERT_LE(0, fd);
		EXPECT_EQ(-ENOENT, box_open(inside, 0, NAME, RIGHTS_ALL));
		EXPECT_LE(0, box_open(self->device, 0, NAME, RIGHTS_ALL));
		EXPECT_LE(0, box_open(self->device, id, NULL, RIGHTS_ALL));
	});
	EXPECT_EQ(-ENOENT, box_open(self->device, 0, NAME, RIGHTS_ALL));
}

static void send_descriptor(int socket, int fd)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec part = { .iov_base = "d", .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	ASSERT_EQ(1, sendmsg(socket, &message, 0));
}

static int receive_descriptor(int socket)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	char byte;
	struct iovec part = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf),
	};
	int fd;

	ASSERT_EQ(1, recvmsg(socket, &message, 0));
	ASSERT_TRUE(CMSG_FIRSTHDR(&message));
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	return fd;
}

static void wait_hangup(int fd)
{
	struct pollfd entry = { .fd = fd };

	ASSERT_EQ(1, poll(&entry, 1, PATIENCE / 1000000));
	EXPECT_EQ(POLLHUP, entry.revents & POLLHUP);
}

/* A process in a namespace of its own hands out a handle and ends when told to. */
static pid_t serve_handle(int sockets[2], __u32 flags, unsigned int *flag)
{
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets));
	pid = child_fork();
	if (!pid) {
		int device, fd;

		close(sockets[0]);
		device = enter_new_netns();
		fd = named_box(device, NAME, flags, NULL);
		ASSERT_LE(0, fd);
		for (int i = 0; i < 100; i++)
			EXPECT_EQ(0, box_send_data(fd, "left behind", 11));
		send_descriptor(sockets[1], fd);
		close(sockets[1]);
		flag_await(flag, 1);
		_exit(KSFT_PASS);
	}
	close(sockets[1]);
	return pid;
}

TEST_F(netns, passed_handle_works_across)
{
	unsigned int *flag = flag_new();
	int sockets[2], fd;
	char text[16];
	pid_t pid;

	pid = serve_handle(sockets, 0, flag);
	fd = receive_descriptor(sockets[0]);
	EXPECT_EQ(11, box_receive_text(fd, text, sizeof(text)));
	EXPECT_STREQ("left behind", text);
	EXPECT_EQ(0, box_send_data(fd, "x", 1));
	flag_raise(flag);
	child_done(pid);
	wait_hangup(fd);
	close(fd);
	close(sockets[0]);
}

TEST_F(netns, mailboxes_go_with_the_last_process)
{
	struct usage before = usage_of_caller(self->device);
	unsigned int *flag = flag_new();
	struct mailbox_stat stat;
	int sockets[2], fd;
	pid_t pid;

	pid = serve_handle(sockets, MAILBOX_PERMANENT, flag);
	fd = receive_descriptor(sockets[0]);
	flag_raise(flag);
	child_done(pid);

	wait_hangup(fd);
	EXPECT_EQ(-EIDRM, box_send_data(fd, "x", 1));
	EXPECT_EQ(-EIDRM, box_receive_text(fd, stat.name, sizeof(stat.name)));
	EXPECT_EQ(-EIDRM, box_stat_try(fd, &stat));
	EXPECT_EQ(-EIDRM, box_destroy(fd, 0, NULL));
	close(fd);
	close(sockets[0]);
	await_usage(self->device, before);
}

TEST_F(netns, waiting_receiver_elsewhere_is_woken)
{
	unsigned int *flag = flag_new();
	int sockets[2], fd;
	char text[16];
	pid_t pid, receiver;

	pid = serve_handle(sockets, MAILBOX_PERMANENT, flag);
	fd = receive_descriptor(sockets[0]);
	for (int i = 0; i < 100; i++)
		EXPECT_EQ(11, box_receive_text(fd, text, sizeof(text)));
	receiver = child_fork();
	if (!receiver) {
		struct mailbox_receive args = receive_args(text, sizeof(text));

		args.flags = 0;
		EXPECT_EQ(-EIDRM, box_receive(fd, &args));
		_exit(KSFT_PASS);
	}
	wait_waiters(fd, 1, 0);
	flag_raise(flag);
	child_done(pid);
	child_done(receiver);
	close(fd);
	close(sockets[0]);
}

TEST_F(netns, permanent_mailboxes_go_when_nobody_has_them_open)
{
	struct usage before = usage_of_caller(self->device);

	IN_CHILD({
		int device = enter_new_netns();

		for (int i = 0; i < 50; i++) {
			int fd = named_box(device, "", MAILBOX_PERMANENT, NULL);

			ASSERT_LE(0, fd);
			EXPECT_EQ(0, box_send_data(fd, "left behind", 11));
			close(fd);
		}
		EXPECT_EQ(before.mailboxes + 50, usage_of_caller(device).mailboxes);
	});
	await_usage(self->device, before);
}

TEST_F(netns, device_of_an_ended_namespace_fails)
{
	int sockets[2], device;
	__u64 end = now_ns() + PATIENCE, after = 0;
	struct mailbox_create args = create_args();
	unsigned int *flag = flag_new();
	int eventfd = eventfd_new(), fd;
	struct mailbox_stat entry;
	pid_t pid, poller;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets));
	pid = child_fork();
	if (!pid) {
		close(sockets[0]);
		send_descriptor(sockets[1], enter_new_netns());
		flag_await(flag, 1);
		_exit(KSFT_PASS);
	}
	close(sockets[1]);
	device = receive_descriptor(sockets[0]);
	box_notify(device, MAILBOX_EVENT_MESSAGE, eventfd);
	poller = child_fork();
	if (!poller) {
		struct pollfd poll_entry = { .fd = device, .events = POLLIN };

		ASSERT_EQ(1, poll(&poll_entry, 1, PATIENCE / 1000000));
		EXPECT_EQ(POLLHUP | POLLERR, poll_entry.revents);
		_exit(KSFT_PASS);
	}
	wait_sleeping(poller, poller);
	EXPECT_EQ(0, told(eventfd));
	flag_raise(flag);
	child_done(pid);
	child_done(poller);
	EXPECT_LT(0, told(eventfd));
	close(eventfd);

	/* The kernel ends a namespace some time after its last process. */
	while ((fd = box_create(device, &args)) >= 0) {
		close(fd);
		ASSERT_LT(now_ns(), end);
		sched_yield();
	}
	EXPECT_EQ(-EIDRM, fd);
	EXPECT_EQ(-EIDRM, box_list(device, &entry, 1, &after));
	EXPECT_GT(0, box_open(device, 1, NULL, MAILBOX_RIGHT_SEND));
	close(device);
	close(sockets[0]);
}

/* An ordinary user, root in namespaces of its own, with @run at work there. */
static void as_root_of_own_namespace(unsigned int *flag, void (*run)(int device))
{
	pid_t pid = child_fork();

	if (!pid) {
		become(ONE, ONE);
		/* Or its maps would belong to root. */
		prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
		ASSERT_EQ(0, unshare(CLONE_NEWUSER));
		flag_raise(flag);
		flag_await(flag, 2);
		ASSERT_EQ(0, setresgid(0, 0, 0));
		ASSERT_EQ(0, setresuid(0, 0, 0));
		run(enter_new_netns());
		_exit(KSFT_PASS);
	}
	flag_await(flag, 1);
	map_ids(pid, 0, ONE, 1);
	flag_raise(flag);
	child_done(pid);
}

static void hit_the_limits(int device)
{
	struct mailbox_create args = create_args();
	struct mailbox_info info = device_info(device);
	int fds[4], netns;

	EXPECT_EQ(4, info.max_mailboxes);
	EXPECT_EQ(0, info.mailboxes);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = box_new(device);
	EXPECT_EQ(-EDQUOT, box_create(device, &args));
	for (int i = 0; i < 20; i++)
		EXPECT_EQ(0, box_send_data(fds[i % ARRAY_SIZE(fds)], "x", 1));
	EXPECT_EQ(-EDQUOT, box_send_data(fds[0], "x", 1));

	/* Neither does another namespace help. This one would end, and its messages with it. */
	netns = open("/proc/self/ns/net", O_RDONLY);
	ASSERT_LE(0, netns);
	device = enter_new_netns();
	EXPECT_EQ(4, device_info(device).mailboxes);
	EXPECT_EQ(20, device_info(device).messages);
	EXPECT_EQ(-EDQUOT, box_create(device, &args));
	close(fds[3]);
	fds[3] = box_new(device);
	EXPECT_EQ(-EDQUOT, box_create(device, &args));
	close(netns);
}

TEST_F(netns, root_of_a_user_namespace_cannot_exceed_the_quota)
{
	uint64_t mailboxes = parameter_set("max_mailboxes_per_user", 4);
	uint64_t messages = parameter_set("max_messages_per_user", 20);

	as_root_of_own_namespace(flag_new(), hit_the_limits);
	parameter_set("max_mailboxes_per_user", mailboxes);
	parameter_set("max_messages_per_user", messages);
	AS_USER(ONE, await_usage(self->device, ((struct usage){ 0, 0, 0 })));
}

static void exceed_message_size(int device)
{
	struct mailbox_create args = create_args();

	args.capacity = MAILBOX_CAPACITY_UNBOUNDED;
	args.message_size = device_info(device).max_message_size + 1;
	EXPECT_EQ(-EINVAL, box_create(device, &args));
	args.message_size--;
	EXPECT_LE(0, box_create(device, &args));
}

TEST_F(netns, root_of_a_user_namespace_cannot_exceed_the_message_size)
{
	as_root_of_own_namespace(flag_new(), exceed_message_size);
}

TEST_HARNESS_MAIN
