// SPDX-License-Identifier: GPL-2.0
/*
 * What /proc/PID/fdinfo says of a handle.
 */
#include "common_grant.h"

FIXTURE(fdinfo)
{
	int device;
	int fd;
	__u64 id;
	char value[512];
};

FIXTURE_SETUP(fdinfo)
{
	struct mailbox_create create = create_args();

	self->device = device_open();
	strcpy(create.name, "looked at");
	self->fd = box_create(self->device, &create);
	ASSERT_LE(0, self->fd);
	self->id = create.id;
}

FIXTURE_TEARDOWN(fdinfo)
{
	close(self->fd);
	close(self->device);
}

/* The value of the line with this key, without white space around it. */
static const char *line(FIXTURE_DATA(fdinfo) * self, int fd, const char *key)
{
	char path[64], text[600];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "r");
	ASSERT_TRUE(file);
	strcpy(self->value, "no such line");
	while (fgets(text, sizeof(text), file)) {
		size_t length = strlen(key);

		if (strncmp(text, key, length) || text[length] != ':')
			continue;
		text[strcspn(text, "\n")] = '\0';
		length++;
		snprintf(self->value, sizeof(self->value), "%.500s",
			 text + length + strspn(text + length, " \t"));
	}
	fclose(file);
	return self->value;
}

TEST_F(fdinfo, id_and_name)
{
	struct mailbox_set set = { .size = sizeof(set) };
	char id[32];

	sprintf(id, "%llu", self->id);
	EXPECT_STREQ(id, line(self, self->fd, "mailbox-id"));
	EXPECT_STREQ("looked at", line(self, self->fd, "mailbox-name"));
	set.flags = MAILBOX_SET_NAME;
	strcpy(set.name, "another");
	ASSERT_EQ(0, call(self->fd, MAILBOX_IOC_SET, &set));
	EXPECT_STREQ("another", line(self, self->fd, "mailbox-name"));
}

TEST_F(fdinfo, rights)
{
	static const struct {
		__u32 rights;
		const char *text;
	} cases[] = {
		{ MAILBOX_RIGHT_SEND, "-w-" },
		{ MAILBOX_RIGHT_RECEIVE, "r--" },
		{ MAILBOX_RIGHT_MANAGE, "--x" },
		{ RIGHTS_ALL, "rwx" },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		int fd = box_open(self->device, self->id, NULL, cases[i].rights);

		ASSERT_LE(0, fd);
		EXPECT_STREQ(cases[i].text, line(self, fd, "mailbox-rights"));
		close(fd);
	}
}

TEST_F(fdinfo, messages_and_bytes)
{
	EXPECT_STREQ("0", line(self, self->fd, "mailbox-messages"));
	ASSERT_EQ(0, box_send_text(self->fd, "four", 0, 0));
	ASSERT_EQ(0, box_send_text(self->fd, "five!", 0, 0));
	EXPECT_STREQ("2", line(self, self->fd, "mailbox-messages"));
	EXPECT_STREQ("9", line(self, self->fd, "mailbox-bytes"));
}

TEST_F(fdinfo, state)
{
	EXPECT_STREQ("open", line(self, self->fd, "mailbox-state"));
	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	EXPECT_STREQ("destroyed", line(self, self->fd, "mailbox-state"));
	EXPECT_STREQ("0", line(self, self->fd, "mailbox-messages"));
}

TEST_F(fdinfo, grant)
{
	char text[32];
	__u64 grant;
	int fd = box_restrict(self->fd, MAILBOX_RIGHT_SEND, &grant);

	EXPECT_STREQ("0", line(self, self->fd, "mailbox-grant"));
	sprintf(text, "%llu", grant);
	EXPECT_STREQ(text, line(self, fd, "mailbox-grant"));
	EXPECT_STREQ("-w-", line(self, fd, "mailbox-rights"));
	EXPECT_STREQ("open", line(self, fd, "mailbox-state"));
	close(fd);
}

/* What the mailbox holds is told no more, also when it is destroyed. */
TEST_F(fdinfo, revoked)
{
	__u64 grant;
	int fd = box_restrict(self->fd, RIGHTS_ALL, &grant);

	EXPECT_STREQ("0", line(self, fd, "mailbox-messages"));
	ASSERT_EQ(0, box_revoke(self->fd, grant));
	EXPECT_STREQ("revoked", line(self, fd, "mailbox-state"));
	EXPECT_STREQ("no such line", line(self, fd, "mailbox-messages"));
	EXPECT_STREQ("no such line", line(self, fd, "mailbox-bytes"));
	EXPECT_STREQ("open", line(self, self->fd, "mailbox-state"));
	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	EXPECT_STREQ("revoked", line(self, fd, "mailbox-state"));
	close(fd);
}

TEST_F(fdinfo, the_descriptor_has_a_name)
{
	char path[64], target[64];
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->fd);
	length = readlink(path, target, sizeof(target) - 1);
	ASSERT_LT(0, length);
	target[length] = '\0';
	EXPECT_STREQ("anon_inode:[mailbox]", target);
}

TEST_HARNESS_MAIN
