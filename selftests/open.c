// SPDX-License-Identifier: GPL-2.0
/*
 * What OPEN accepts, refuses and answers. Who may open is in rights.c.
 */
#include "world.h"

#include <sys/resource.h>

#define FILE_MAX "/proc/sys/fs/file-max"

FIXTURE(open)
{
	int device;
	int fd;
	__u64 id;
	struct mailbox_open args;
};

FIXTURE_SETUP(open)
{
	struct mailbox_create create = create_args();

	self->device = device_open();
	strcpy(create.name, "to be opened");
	self->fd = box_create(self->device, &create);
	ASSERT_LE(0, self->fd);
	self->id = create.id;
	self->args = (struct mailbox_open){ .size = sizeof(self->args),
					    .rights = RIGHTS_ALL,
					    .fd = (__s32)POISON32 };
}

FIXTURE_TEARDOWN(open)
{
	close(self->fd);
	close(self->device);
}

#define EXPECT_OPEN_REFUSED(self, error) \
	EXPECT_REFUSED((self)->device, (self)->fd, error, \
		       call((self)->device, MAILBOX_IOC_OPEN, &(self)->args))

TEST_F(open, by_id)
{
	self->args.id = self->id;
	ASSERT_EQ(0, call(self->device, MAILBOX_IOC_OPEN, &self->args));
	ASSERT_LE(0, self->args.fd);
	EXPECT_EQ(self->id, self->args.id);
	EXPECT_EQ(self->id, box_stat(self->args.fd).id);
	EXPECT_EQ(2, box_stat(self->fd).handles);
	close(self->args.fd);
	EXPECT_EQ(1, box_stat(self->fd).handles);
}

TEST_F(open, by_name_answers_the_id)
{
	strcpy(self->args.name, "to be opened");
	ASSERT_EQ(0, call(self->device, MAILBOX_IOC_OPEN, &self->args));
	EXPECT_EQ(self->id, self->args.id);
	EXPECT_EQ(self->id, box_stat(self->args.fd).id);
	close(self->args.fd);
}

TEST_F(open, the_wanted_rights_and_no_others)
{
	__u32 rights;

	for (rights = 1; rights <= RIGHTS_ALL; rights++) {
		int fd = box_open(self->device, self->id, NULL, rights);

		ASSERT_LE(0, fd);
		EXPECT_EQ(rights, box_stat(fd).rights);
		close(fd);
	}
}

TEST_F(open, neither_id_nor_name_is_einval)
{
	EXPECT_OPEN_REFUSED(self, EINVAL);
}

TEST_F(open, both_id_and_name_are_einval)
{
	self->args.id = self->id;
	strcpy(self->args.name, "to be opened");
	EXPECT_OPEN_REFUSED(self, EINVAL);
}

TEST_F(open, no_rights_or_unknown_ones_are_einval)
{
	static const __u32 rights[] = { 0, 8, RIGHTS_ALL | 8, 1U << 31 };
	unsigned int i;

	self->args.id = self->id;
	for (i = 0; i < ARRAY_SIZE(rights); i++) {
		self->args.rights = rights[i];
		EXPECT_OPEN_REFUSED(self, EINVAL);
	}
}

TEST_F(open, an_unknown_id_is_enoent)
{
	const __u64 ids[] = { self->id + 1, self->id | 1ULL << 32, UINT64_MAX };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		self->args.id = ids[i];
		EXPECT_OPEN_REFUSED(self, ENOENT);
	}
}

TEST_F(open, an_unknown_name_is_enoent)
{
	static const char *const names[] = { "to be", "to be opened ", "To be opened" };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		strcpy(self->args.name, names[i]);
		EXPECT_OPEN_REFUSED(self, ENOENT);
	}
}

TEST_F(open, a_name_that_cannot_be_is_einval)
{
	memset(self->args.name, 'n', sizeof(self->args.name));
	EXPECT_OPEN_REFUSED(self, EINVAL);
	strcpy(self->args.name, "a/b");
	EXPECT_OPEN_REFUSED(self, EINVAL);
}

TEST_F(open, handles_see_the_same_messages)
{
	int fd = box_open(self->device, self->id, NULL, MAILBOX_RIGHT_RECEIVE);
	char text[16];

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, box_send_text(self->fd, "shared", 0, 0));
	EXPECT_EQ(6, box_receive_text(fd, text, sizeof(text)));
	EXPECT_STREQ("shared", text);
	EXPECT_EQ(-EAGAIN, box_receive_text(self->fd, text, sizeof(text)));
	close(fd);
}

TEST_F(open, nonblock_belongs_to_one_handle)
{
	self->args.id = self->id;
	self->args.flags = MAILBOX_NONBLOCK;
	ASSERT_EQ(0, call(self->device, MAILBOX_IOC_OPEN, &self->args));
	EXPECT_EQ(-1, read(self->args.fd, &self->id, sizeof(self->id)));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(0, fcntl(self->fd, F_GETFL) & O_NONBLOCK);
	close(self->args.fd);
}

TEST_F(open, without_a_free_descriptor_is_emfile)
{
	struct state before = state_take(self->device, self->fd);
	struct rlimit limit, none;

	self->args.id = self->id;
	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &limit));
	none = limit;
	none.rlim_cur = self->fd + 1;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &none));
	EXPECT_EQ(-EMFILE, call(self->device, MAILBOX_IOC_OPEN, &self->args));
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	EXPECT_UNCHANGED(self->device, self->fd, before);
}

/* Root may go on; and whoever has become root again has to open files for the checks. */
static int call_without_files(int device, unsigned long command, void *args)
{
	uint64_t before = read_number(FILE_MAX);
	char text[32];
	int ret;

	snprintf(text, sizeof(text), "%llu", (unsigned long long)before);
	ASSERT_EQ(0, write_text(FILE_MAX, "0"));
	ret = seteuid(1000) ? -errno : call(device, command, args);
	EXPECT_EQ(0, seteuid(0));
	EXPECT_EQ(0, write_text(FILE_MAX, text));
	return ret;
}

TEST_F(open, without_free_files_is_enfile)
{
	static const __u32 rights[] = { MAILBOX_RIGHT_RECEIVE, MAILBOX_RIGHT_SEND };
	struct mailbox_set set = { .size = sizeof(set), .flags = MAILBOX_SET_MODE, .mode = 0666 };

	if (!is_root())
		SKIP(return, "needs root");
	ASSERT_EQ(0, call(self->fd, MAILBOX_IOC_SET, &set));
	for (size_t i = 0; i < ARRAY_SIZE(rights); i++) {
		struct mailbox_create create = create_args();

		self->args.id = self->id;
		self->args.rights = rights[i];
		EXPECT_REFUSED(self->device, self->fd, ENFILE,
			       call_without_files(self->device, MAILBOX_IOC_OPEN, &self->args));
		create.rights = rights[i];
		strcpy(create.name, "never made");
		EXPECT_REFUSED(self->device, self->fd, ENFILE,
			       call_without_files(self->device, MAILBOX_IOC_CREATE, &create));
		EXPECT_EQ(-ENOENT, box_open(self->device, 0, create.name, rights[i]));
	}
}

TEST_HARNESS_MAIN
