// SPDX-License-Identifier: GPL-2.0
/*
 * SET of a name: what is found by it from then on, what is not a name, and that nobody sees a
 * mailbox between two names. Other fields are in set.c.
 */
#include "common_region.h"

#include <pthread.h>

FIXTURE(set_name)
{
	int device;
	/* Has the name "first". */
	int fd;
	__u64 id;
	struct mailbox_set args;
};

static int named_new(int device, const char *name)
{
	struct mailbox_create create = create_args();
	int fd;

	strcpy(create.name, name);
	fd = box_create(device, &create);
	ASSERT_LE(0, fd);
	return fd;
}

FIXTURE_SETUP(set_name)
{
	self->device = device_open();
	self->fd = named_new(self->device, "first");
	self->id = box_stat(self->fd).id;
	self->args = (struct mailbox_set){ .size = sizeof(self->args), .flags = MAILBOX_SET_NAME };
}

FIXTURE_TEARDOWN(set_name)
{
	box_destroy(self->fd, 0, NULL);
	close(self->fd);
	close(self->device);
}

static int rename_to(int fd, const char *name)
{
	struct mailbox_set args = { .size = sizeof(args), .flags = MAILBOX_SET_NAME };

	strcpy(args.name, name);
	return call(fd, MAILBOX_IOC_SET, &args);
}

/* By its name, and by no other way. */
static __u64 id_of(int device, const char *name)
{
	int fd = box_open(device, 0, name, MAILBOX_RIGHT_MANAGE);
	__u64 id;

	if (fd < 0) {
		EXPECT_EQ(-ENOENT, fd);
		return 0;
	}
	id = box_stat(fd).id;
	close(fd);
	return id;
}

static void expect_name(int device, int fd, const char *name)
{
	const struct mailbox_stat stat = box_stat(fd);
	__u64 after = stat.id - 1;
	struct mailbox_stat entry;

	EXPECT_STREQ(name, stat.name);
	ASSERT_EQ(1, box_list(device, &entry, 1, &after));
	EXPECT_STREQ(name, entry.name);
	if (*name)
		EXPECT_EQ(stat.id, id_of(device, name));
}

TEST_F(set_name, another)
{
	ASSERT_EQ(0, rename_to(self->fd, "second"));
	expect_name(self->device, self->fd, "second");
	EXPECT_EQ(0, id_of(self->device, "first"));
}

TEST_F(set_name, longer_and_shorter_ones)
{
	char name[MAILBOX_NAME_SIZE] = { 0 };

	memset(name, 'n', sizeof(name) - 1);
	ASSERT_EQ(0, rename_to(self->fd, name));
	expect_name(self->device, self->fd, name);
	ASSERT_EQ(0, rename_to(self->fd, "n"));
	expect_name(self->device, self->fd, "n");
	EXPECT_EQ(0, id_of(self->device, name));
}

TEST_F(set_name, for_one_that_had_none)
{
	int fd = box_new(self->device);

	ASSERT_EQ(0, rename_to(fd, "second"));
	expect_name(self->device, fd, "second");
	expect_name(self->device, self->fd, "first");
	close(fd);
	EXPECT_EQ(0, id_of(self->device, "second"));
}

TEST_F(set_name, none)
{
	int fd;

	ASSERT_EQ(0, rename_to(self->fd, ""));
	expect_name(self->device, self->fd, "");
	EXPECT_EQ(0, id_of(self->device, "first"));
	fd = box_open(self->device, self->id, NULL, RIGHTS_ALL);
	EXPECT_LE(0, fd);
	close(fd);
}

TEST_F(set_name, of_one_without_a_name_cannot_be_taken_away)
{
	int fd = box_new(self->device);

	EXPECT_REFUSED(self->device, fd, ENOENT, rename_to(fd, ""));
	close(fd);
}

TEST_F(set_name, the_old_one_is_free_at_once)
{
	int fd;

	ASSERT_EQ(0, rename_to(self->fd, "second"));
	fd = named_new(self->device, "first");
	EXPECT_EQ(box_stat(fd).id, id_of(self->device, "first"));
	EXPECT_EQ(self->id, id_of(self->device, "second"));
	ASSERT_EQ(0, rename_to(self->fd, ""));
	EXPECT_EQ(0, rename_to(fd, "second"));
	EXPECT_EQ(box_stat(fd).id, id_of(self->device, "second"));
	close(fd);
}

TEST_F(set_name, the_same_one_succeeds)
{
	ASSERT_EQ(0, rename_to(self->fd, "first"));
	expect_name(self->device, self->fd, "first");
	/* It is there once: nothing is left of it afterwards. */
	ASSERT_EQ(0, rename_to(self->fd, ""));
	EXPECT_EQ(0, id_of(self->device, "first"));
}

TEST_F(set_name, that_another_has_is_eexist_and_nothing_happens)
{
	int fd = named_new(self->device, "second");

	self->args.flags |= MAILBOX_SET_MODE | MAILBOX_SET_PERMANENT;
	self->args.mode = 0777;
	self->args.permanent = 1;
	strcpy(self->args.name, "second");
	EXPECT_REFUSED(self->device, self->fd, EEXIST,
		       call(self->fd, MAILBOX_IOC_SET, &self->args));
	expect_name(self->device, self->fd, "first");
	expect_name(self->device, fd, "second");
	close(fd);
	EXPECT_EQ(0, rename_to(self->fd, "second"));
}

TEST_F(set_name, that_another_has_costs_nothing)
{
	__u64 bytes = device_info(self->device).bytes;
	int fd = named_new(self->device, "second");

	self->args.flags |= MAILBOX_SET_REGION_SIZE;
	self->args.region_size = 1 << 20;
	strcpy(self->args.name, "second");
	EXPECT_EQ(-EEXIST, call(self->fd, MAILBOX_IOC_SET, &self->args));
	EXPECT_EQ(bytes, device_info(self->device).bytes);
	close(fd);
	EXPECT_EQ(0, call(self->fd, MAILBOX_IOC_SET, &self->args));
	expect_name(self->device, self->fd, "second");
	EXPECT_EQ(1 << 20, box_stat(self->fd).region_size);
	EXPECT_EQ(bytes + (1 << 20), device_info(self->device).bytes);
}

TEST_F(set_name, stays_when_another_field_is_wrong)
{
	strcpy(self->args.name, "second");
	self->args.flags |= MAILBOX_SET_SHARE;
	self->args.share = 101;
	EXPECT_REFUSED(self->device, self->fd, EINVAL,
		       call(self->fd, MAILBOX_IOC_SET, &self->args));
	self->args.share = 10;
	self->args.flags |= MAILBOX_SET_REGION_SIZE;
	self->args.region_size = 0;
	EXPECT_REFUSED(self->device, self->fd, EINVAL,
		       call(self->fd, MAILBOX_IOC_SET, &self->args));
	expect_name(self->device, self->fd, "first");
}

TEST_F(set_name, names_that_create_refuses_are_einval)
{
	static const char *const names[] = { "a/b", "/", "a\nb", "\x1f", "a\x7f" };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		EXPECT_REFUSED(self->device, self->fd, EINVAL, rename_to(self->fd, names[i]));
	memset(self->args.name, 'n', sizeof(self->args.name));
	EXPECT_REFUSED(self->device, self->fd, EINVAL,
		       call(self->fd, MAILBOX_IOC_SET, &self->args));
	expect_name(self->device, self->fd, "first");
}

TEST_F(set_name, needs_the_right_to_manage_and_no_more)
{
	int fd = box_open(self->device, self->id, NULL, MAILBOX_RIGHT_SEND | MAILBOX_RIGHT_RECEIVE);
	pid_t pid;

	ASSERT_LE(0, fd);
	EXPECT_REFUSED(self->device, self->fd, EACCES, rename_to(fd, "second"));
	close(fd);
	if (!is_root())
		SKIP(return, "needs root");
	pid = child_fork();
	if (!pid) {
		become(1001, 2001);
		EXPECT_EQ(0, rename_to(self->fd, "second"));
		_exit(0);
	}
	child_done(pid);
	expect_name(self->device, self->fd, "second");
}

TEST_F(set_name, of_a_destroyed_mailbox_is_eidrm)
{
	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	EXPECT_EQ(-EIDRM, rename_to(self->fd, "second"));
	EXPECT_EQ(0, id_of(self->device, "second"));
}

/* As mq_unlink(3) does: the name goes at once, the mailbox with its last handle. */
TEST_F(set_name, and_lifetime_taken_away_end_it_with_its_last_handle)
{
	int other = box_open(self->device, self->id, NULL, RIGHTS_ALL);
	char text[8];

	self->args.flags = MAILBOX_SET_PERMANENT;
	self->args.permanent = 1;
	ASSERT_EQ(0, call(self->fd, MAILBOX_IOC_SET, &self->args));
	close(self->fd);
	ASSERT_EQ(0, box_send_text(other, "stays", 0, 0));

	self->fd = box_open(self->device, self->id, NULL, MAILBOX_RIGHT_MANAGE);
	self->args.flags |= MAILBOX_SET_NAME;
	self->args.permanent = 0;
	ASSERT_EQ(0, call(self->fd, MAILBOX_IOC_SET, &self->args));
	close(self->fd);
	EXPECT_EQ(0, id_of(self->device, "first"));
	self->fd = named_new(self->device, "first");

	EXPECT_EQ(5, box_receive_text(other, text, sizeof(text)));
	close(other);
	EXPECT_EQ(-ENOENT, box_open(self->device, self->id, NULL, RIGHTS_ALL));
	expect_name(self->device, self->fd, "first");
}

TEST_F(set_name, and_lifetime_taken_away_through_the_only_handle)
{
	__u32 mailboxes = device_info(self->device).mailboxes;

	self->args.flags = MAILBOX_SET_PERMANENT;
	self->args.permanent = 1;
	ASSERT_EQ(0, call(self->fd, MAILBOX_IOC_SET, &self->args));
	ASSERT_EQ(0, box_send_text(self->fd, "goes", 0, 0));
	close(self->fd);
	self->fd = box_open(self->device, 0, "first", MAILBOX_RIGHT_MANAGE);
	ASSERT_LE(0, self->fd);

	self->args.flags |= MAILBOX_SET_NAME;
	self->args.permanent = 0;
	ASSERT_EQ(0, call(self->fd, MAILBOX_IOC_SET, &self->args));
	close(self->fd);
	self->fd = box_open(self->device, self->id, NULL, RIGHTS_ALL);
	EXPECT_EQ(-ENOENT, self->fd);
	EXPECT_EQ(mailboxes - 1, device_info(self->device).mailboxes);
}

struct renamer {
	int fd;
	const char *names[2];
	unsigned int ready;
	unsigned int stop;
	__u64 done;
};

static void *renames(void *arg)
{
	struct renamer *renamer = arg;
	int ret;

	flag_raise(&renamer->ready);
	while (!__atomic_load_n(&renamer->stop, __ATOMIC_ACQUIRE)) {
		ret = rename_to(renamer->fd, renamer->names[(renamer->done + 1) % 2]);
		EXPECT_TRUE(!ret || ret == -EEXIST);
		renamer->done += !ret;
	}
	return NULL;
}

/* Of the two names one is there at any time, and a walk meets the mailbox once, with one. */
TEST_F(set_name, is_the_old_one_or_the_new)
{
	struct renamer renamer = { .fd = self->fd, .names = { "first", "second" } };
	__u64 i, rounds = effort(2000);
	struct mailbox_stat entries[2];
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, renames, &renamer));
	flag_await(&renamer.ready, 1);
	for (i = 0; i < rounds; i++) {
		struct mailbox_stat stat = box_stat(self->fd);
		__u64 after = self->id - 1;

		EXPECT_TRUE(!strcmp(stat.name, "first") || !strcmp(stat.name, "second"));
		ASSERT_EQ(1, box_list(self->device, entries, 2, &after));
		EXPECT_TRUE(!strcmp(entries[0].name, "first") ||
			    !strcmp(entries[0].name, "second"));
		/* A name that is taken while it is not in use comes back to its mailbox. */
		EXPECT_EQ(-EINVAL, rename_to(self->fd, "a/b"));
	}
	flag_raise(&renamer.stop);
	pthread_join(thread, NULL);
	EXPECT_LT(0, renamer.done);
	expect_name(self->device, self->fd, renamer.names[renamer.done % 2]);
	EXPECT_EQ(0, id_of(self->device, renamer.names[(renamer.done + 1) % 2]));
}

/* Two that want the same names: each name has one mailbox, or none, and none has both. */
TEST_F(set_name, is_of_one_mailbox_at_a_time)
{
	int other = named_new(self->device, "third");
	struct renamer renamers[2] = {
		{ .fd = self->fd, .names = { "first", "shared" } },
		{ .fd = other, .names = { "third", "shared" } },
	};
	__u64 i, rounds = effort(1000), ids[2] = { self->id, box_stat(other).id };
	struct mailbox_stat entries[2];
	pthread_t threads[2];

	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, renames, &renamers[i]));
	flag_await(&renamers[0].ready, 1);
	flag_await(&renamers[1].ready, 1);
	for (i = 0; i < rounds; i++) {
		__u64 id = id_of(self->device, "shared");

		EXPECT_TRUE(!id || id == ids[0] || id == ids[1]);
	}
	for (i = 0; i < 2; i++) {
		flag_raise(&renamers[i].stop);
		pthread_join(threads[i], NULL);
		EXPECT_LT(0, renamers[i].done);
	}
	entries[0] = box_stat(self->fd);
	entries[1] = box_stat(other);
	EXPECT_STRNE(entries[0].name, entries[1].name);
	for (i = 0; i < 2; i++)
		EXPECT_EQ(ids[i], id_of(self->device, entries[i].name));
	close(other);
}

TEST_HARNESS_MAIN
