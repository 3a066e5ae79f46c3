// SPDX-License-Identifier: GPL-2.0
/*
 * Who may open a mailbox for what, and what a handle may be used for.
 */
#include "common.h"

#include <sys/socket.h>

#define OWNER 1000
#define GROUP 2000
#define OTHER 3000

FIXTURE(rights)
{
	int device;
	/* Kept by root, so that the mailbox stays; the children try. */
	int fd;
	__u64 id;
};

FIXTURE_SETUP(rights)
{
	struct mailbox_create create = create_args();

	if (!is_root())
		SKIP(return, "needs root");
	self->device = device_open();
	strcpy(create.name, "guarded");
	self->fd = box_create(self->device, &create);
	ASSERT_LE(0, self->fd);
	self->id = create.id;
}

FIXTURE_TEARDOWN(rights)
{
	close(self->fd);
	close(self->device);
}

static void set_owner(int fd, __u32 mode)
{
	struct mailbox_set set = {
		.size = sizeof(set),
		.flags = MAILBOX_SET_MODE | MAILBOX_SET_UID | MAILBOX_SET_GID,
		.mode = mode,
		.uid = OWNER,
		.gid = GROUP,
	};

	ASSERT_EQ(0, call(fd, MAILBOX_IOC_SET, &set));
}

static void try_open(FIXTURE_DATA(rights) * self, __u32 granted)
{
	__u32 rights;

	for (rights = 1; rights <= RIGHTS_ALL; rights++) {
		int fd = box_open(self->device, self->id, NULL, rights);

		if (rights & ~granted) {
			EXPECT_EQ(-EACCES, fd) TH_LOG("wanted %u of %u", rights, granted);
		} else {
			EXPECT_LE(0, fd) TH_LOG("wanted %u of %u", rights, granted);
			EXPECT_EQ(rights, box_stat(fd).rights);
		}
		close(fd);
		/* By name it is the same. */
		fd = box_open(self->device, 0, "guarded", rights);
		EXPECT_EQ(!(rights & ~granted), fd >= 0);
		close(fd);
	}
}

static __u32 from_mode(__u32 bits)
{
	return (bits & 4 ? MAILBOX_RIGHT_RECEIVE : 0) | (bits & 2 ? MAILBOX_RIGHT_SEND : 0) |
	       (bits & 1 ? MAILBOX_RIGHT_MANAGE : 0);
}

/* The rights that this user has with each mode in turn. */
static void expect_rights(FIXTURE_DATA(rights) * self, uid_t uid, gid_t gid, gid_t more,
			  unsigned int shift, __u32 always)
{
	__u32 bits;

	for (bits = 0; bits < 8; bits++) {
		/* The other digits say the opposite. */
		__u32 mode = (0777 & ~(7 << shift) & ~((bits << 6) | (bits << 3) | bits)) |
			     bits << shift;
		pid_t pid;

		set_owner(self->fd, mode);
		pid = child_fork();
		if (!pid) {
			ASSERT_EQ(0, setgroups(1, &more));
			ASSERT_EQ(0, setresgid(gid, gid, gid));
			ASSERT_EQ(0, setresuid(uid, uid, uid));
			try_open(self, from_mode(bits) | always);
			_exit(0);
		}
		child_done(pid);
	}
}

TEST_F(rights, of_the_owner)
{
	/* Being in the group too does not matter: the owner's digit is the first. */
	expect_rights(self, OWNER, GROUP, GROUP, 6, MAILBOX_RIGHT_MANAGE);
}

TEST_F(rights, of_the_group)
{
	expect_rights(self, OTHER, GROUP, OTHER, 3, 0);
}

TEST_F(rights, of_a_supplementary_group)
{
	expect_rights(self, OTHER, OTHER, GROUP, 3, 0);
}

TEST_F(rights, of_others)
{
	expect_rights(self, OTHER, OTHER, OTHER, 0, 0);
}

TEST_F(rights, of_a_capable_user)
{
	set_owner(self->fd, 0);
	try_open(self, RIGHTS_ALL);
}

TEST_F(rights, go_by_the_effective_user)
{
	pid_t pid;

	set_owner(self->fd, 0400);
	pid = child_fork();
	if (!pid) {
		ASSERT_EQ(0, setgroups(0, NULL));
		ASSERT_EQ(0, setresgid(OTHER, OTHER, OTHER));
		ASSERT_EQ(0, setresuid(OTHER, OWNER, 0));
		try_open(self, MAILBOX_RIGHT_RECEIVE | MAILBOX_RIGHT_MANAGE);
		_exit(0);
	}
	child_done(pid);
}

TEST_F(rights, destroy_on_the_device_goes_by_the_mode)
{
	struct state before;
	pid_t pid;

	set_owner(self->fd, 0660);
	before = state_take(self->device, self->fd);
	pid = child_fork();
	if (!pid) {
		become(OTHER, GROUP);
		EXPECT_EQ(-EACCES, box_destroy(self->device, self->id, NULL));
		EXPECT_EQ(-EACCES, box_destroy(self->device, 0, "guarded"));
		_exit(0);
	}
	child_done(pid);
	EXPECT_UNCHANGED(self->device, self->fd, before);

	set_owner(self->fd, 0010);
	pid = child_fork();
	if (!pid) {
		become(OTHER, GROUP);
		EXPECT_EQ(0, box_destroy(self->device, self->id, NULL));
		_exit(0);
	}
	child_done(pid);
}

TEST_F(rights, the_owner_may_destroy_whatever_the_mode)
{
	pid_t pid;

	set_owner(self->fd, 0);
	pid = child_fork();
	if (!pid) {
		become(OWNER, OTHER);
		EXPECT_EQ(0, box_destroy(self->device, self->id, NULL));
		_exit(0);
	}
	child_done(pid);
}

/* Each call on a handle with every set of rights. */
TEST_F(rights, a_handle_does_what_it_was_opened_for)
{
	struct mailbox_set set = { .size = sizeof(set) };
	struct mailbox_destroy destroy = { .size = sizeof(destroy) };
	struct mailbox_send send;
	struct mailbox_receive receive;
	struct mailbox_stat stat;
	char data[16];
	__u32 rights;

	for (rights = 1; rights <= RIGHTS_ALL; rights++) {
		bool sends = rights & MAILBOX_RIGHT_SEND;
		bool receives = rights & MAILBOX_RIGHT_RECEIVE;
		bool manages = rights & MAILBOX_RIGHT_MANAGE;
		int fd = box_open(self->device, self->id, NULL, rights);

		ASSERT_LE(0, fd);
		ASSERT_EQ(0, box_send_text(self->fd, "one", 0, 0));
		ASSERT_EQ(0, box_send_text(self->fd, "two", 0, 0));
		ASSERT_EQ(0, box_send_text(self->fd, "three", 0, 0));

		EXPECT_EQ(0, box_stat_try(fd, &stat));
		send = send_args("x", 1);
		EXPECT_EQ(sends ? 0 : -EACCES, box_send(fd, &send));
		send = send_args("x", 1);
		send.flags = 0;
		EXPECT_EQ(sends ? 1 : -EACCES,
			  box_batch(fd, MAILBOX_IOC_SEND_BATCH, &send, sizeof(send), 1));
		errno = 0;
		EXPECT_EQ(sends ? 1 : -1, write(fd, "x", 1));
		EXPECT_EQ(sends ? 0 : EACCES, errno);

		receive = receive_args(data, sizeof(data));
		receive.flags |= MAILBOX_PEEK;
		EXPECT_EQ(receives ? 0 : -EACCES, box_receive(fd, &receive));
		receive = receive_args(data, sizeof(data));
		EXPECT_EQ(receives ? 0 : -EACCES, box_receive(fd, &receive));
		receive = receive_args(data, sizeof(data));
		receive.flags = 0;
		EXPECT_EQ(receives ? 1 : -EACCES,
			  box_batch(fd, MAILBOX_IOC_RECEIVE_BATCH, &receive, sizeof(receive), 1));
		errno = 0;
		EXPECT_EQ(receives ? 5 : -1, read(fd, data, sizeof(data)));
		EXPECT_EQ(receives ? 0 : EACCES, errno);

		EXPECT_EQ(manages ? 0 : -EACCES, call(fd, MAILBOX_IOC_SET, &set));
		if (!manages)
			EXPECT_EQ(-EACCES, call(fd, MAILBOX_IOC_DESTROY, &destroy));
		EXPECT_EQ((sends ? 3 : 0) + (receives ? 0 : 3), box_stat(self->fd).messages);
		close(fd);
		while (box_receive_text(self->fd, data, sizeof(data)) >= 0)
			;
	}
}

TEST_F(rights, of_an_open_handle_stay_when_the_mode_changes)
{
	int fd = box_open(self->device, self->id, NULL, RIGHTS_ALL);
	pid_t pid;

	ASSERT_LE(0, fd);
	set_owner(self->fd, 0);
	pid = child_fork();
	if (!pid) {
		char text[8];

		become(OTHER, OTHER);
		EXPECT_EQ(-EACCES, box_open(self->device, self->id, NULL, MAILBOX_RIGHT_SEND));
		EXPECT_EQ(0, box_send_text(fd, "stays", 0, 0));
		EXPECT_EQ(5, box_receive_text(fd, text, sizeof(text)));
		EXPECT_EQ(RIGHTS_ALL, box_stat(fd).rights);
		_exit(0);
	}
	child_done(pid);
	close(fd);
}

static void pass_descriptor(int socket, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 }, byte = 0;
	struct iovec part = { &byte, 1 };
	struct msghdr header = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&header);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	ASSERT_EQ(1, sendmsg(socket, &header, 0));
}

static int take_descriptor(int socket)
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec part = { &byte, 1 };
	struct msghdr header = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	int fd;

	ASSERT_EQ(1, recvmsg(socket, &header, 0));
	ASSERT_TRUE(CMSG_FIRSTHDR(&header));
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&header)), sizeof(fd));
	return fd;
}

TEST_F(rights, travel_with_a_passed_handle)
{
	int sockets[2];
	pid_t pid;
	int fd;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	pid = child_fork();
	if (!pid) {
		char text[16];

		close(self->fd);
		become(OTHER, OTHER);
		fd = take_descriptor(sockets[1]);
		EXPECT_EQ(MAILBOX_RIGHT_SEND, box_stat(fd).rights);
		EXPECT_EQ(0, box_send_text(fd, "passed", 0, 0));
		EXPECT_EQ(-EACCES, box_receive_text(fd, text, sizeof(text)));
		_exit(0);
	}
	fd = box_open(self->device, self->id, NULL, MAILBOX_RIGHT_SEND);
	ASSERT_LE(0, fd);
	pass_descriptor(sockets[0], fd);
	close(fd);
	child_done(pid);
	EXPECT_EQ(1, box_stat(self->fd).messages);
	EXPECT_EQ(1, box_stat(self->fd).handles);
	close(sockets[0]);
	close(sockets[1]);
}

TEST_F(rights, a_handle_on_its_way_keeps_the_mailbox)
{
	int sockets[2], fd;
	char text[16];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	ASSERT_EQ(0, box_send_text(self->fd, "kept", 0, 0));
	pass_descriptor(sockets[0], self->fd);
	close(self->fd);
	self->fd = -1;
	fd = take_descriptor(sockets[1]);
	EXPECT_EQ(4, box_receive_text(fd, text, sizeof(text)));
	EXPECT_STREQ("kept", text);
	close(fd);
	close(sockets[0]);
	close(sockets[1]);
}

TEST_HARNESS_MAIN
