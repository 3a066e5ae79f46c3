// SPDX-License-Identifier: GPL-2.0
/*
 * mq_open(3): names, flags, attributes, modes.
 */
#include "mq.h"

TEST(what_is_not_there_is_enoent)
{
	EXPECT_EQ(-ENOENT, TRY(mq_open(queue_name(), O_RDWR)));
	EXPECT_EQ(-ENOENT, TRY(mq_open(queue_name(), O_RDWR | O_EXCL)));
}

/* The usual attributes, see mq_overview(7). */
TEST(without_attributes_there_are_defaults)
{
	mqd_t queue = mq_open(queue_name(), O_CREAT | O_RDWR, 0600, NULL);
	struct mq_attr attr;

	ASSERT_LE(0, queue);
	EXPECT_EQ(0, TRY(mq_getattr(queue, &attr)));
	EXPECT_EQ(10, attr.mq_maxmsg);
	EXPECT_EQ(8192, attr.mq_msgsize);
	EXPECT_EQ(0, attr.mq_curmsgs);
	EXPECT_EQ(0, attr.mq_flags);
	queue_end(queue);
}

TEST(attributes_are_limits)
{
	/* Messages that are there and flags are not looked at. */
	struct mq_attr attr = { .mq_maxmsg = 7, .mq_msgsize = 33, .mq_flags = -1, .mq_curmsgs = 5 };
	mqd_t queue = mq_open(queue_name(), O_CREAT | O_RDWR, 0600, &attr);

	ASSERT_LE(0, queue);
	EXPECT_EQ(0, TRY(mq_getattr(queue, &attr)));
	EXPECT_EQ(7, attr.mq_maxmsg);
	EXPECT_EQ(33, attr.mq_msgsize);
	EXPECT_EQ(0, attr.mq_curmsgs);
	EXPECT_EQ(0, attr.mq_flags);
	queue_end(queue);
}

TEST(attributes_out_of_range_are_einval)
{
	static const struct mq_attr bad[] = {
		{ .mq_maxmsg = 0, .mq_msgsize = 1 },	    { .mq_maxmsg = -1, .mq_msgsize = 1 },
		{ .mq_maxmsg = 1, .mq_msgsize = 0 },	    { .mq_maxmsg = 1, .mq_msgsize = -1 },
		{ .mq_maxmsg = 1, .mq_msgsize = 1L << 30 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(-EINVAL, TRY(mq_open(queue_name(), O_CREAT | O_RDWR, 0600, &bad[i])))
		TH_LOG("attributes %u", i);
		EXPECT_EQ(-ENOENT, TRY(mq_open(queue_name(), O_RDWR)));
	}
}

TEST(exclusively_is_eexist)
{
	const struct mq_attr bad = { .mq_maxmsg = -1 };
	mqd_t queue = queue_new(O_RDWR);

	EXPECT_EQ(-EEXIST, TRY(mq_open(queue_name(), O_CREAT | O_EXCL | O_RDWR, 0600, NULL)));
	EXPECT_EQ(-EEXIST, TRY(mq_open(queue_name(), O_CREAT | O_EXCL | O_RDWR, 0600, &bad)));
	queue_end(queue);
}

TEST(what_exists_is_opened_as_it_is)
{
	struct mq_attr attr = { .mq_maxmsg = 2, .mq_msgsize = 2 };
	mqd_t queue = queue_new(O_RDWR), second;

	ASSERT_EQ(0, send_text(queue, "before", 5));
	second = mq_open(queue_name(), O_CREAT | O_RDWR, 0, &attr);
	ASSERT_LE(0, second);
	EXPECT_EQ(0, TRY(mq_getattr(second, &attr)));
	EXPECT_EQ(MESSAGES, attr.mq_maxmsg);
	EXPECT_EQ(SIZE, attr.mq_msgsize);
	expect_message(second, "before", 5);
	attr.mq_maxmsg = -1;
	EXPECT_LE(0, TRY(mq_open(queue_name(), O_CREAT | O_RDWR, 0, &attr)));
	queue_end(queue);
}

TEST(names)
{
	static const struct {
		const char *name;
		int error;
	} names[] = {
		{ "", EINVAL },	      { "name", EINVAL },   { "na/me", EINVAL },
		{ "/", ENOENT },      { "/na/me", EACCES }, { "//name", EACCES },
		{ "/name/", EACCES }, { "/.", EACCES },	    { "/..", EACCES },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		const char *name = names[i].name;

		EXPECT_EQ(-names[i].error, TRY(mq_open(name, O_RDWR))) TH_LOG("'%s'", name);
		EXPECT_EQ(-names[i].error, TRY(mq_open(name, O_RDWR | O_CREAT, 0600, NULL)))
		TH_LOG("'%s'", name);
		EXPECT_EQ(-names[i].error, TRY(mq_unlink(name))) TH_LOG("'%s'", name);
	}
}

/* Over mailboxes three bytes less may be used than over the queues of the kernel. */
TEST(long_names)
{
	char name[300] = "/";
	mqd_t queue;

	memset(name + 1, 'n', 252);
	queue = mq_open(name, O_RDWR | O_CREAT, 0600, NULL);
	ASSERT_LE(0, queue);
	EXPECT_EQ(0, TRY(mq_unlink(name)));
	EXPECT_EQ(0, TRY(mq_close(queue)));

	memset(name + 1, 'n', 256);
	EXPECT_EQ(-ENAMETOOLONG, TRY(mq_open(name, O_RDWR)));
	EXPECT_EQ(-ENAMETOOLONG, TRY(mq_open(name, O_RDWR | O_CREAT, 0600, NULL)));
	EXPECT_EQ(-ENAMETOOLONG, TRY(mq_unlink(name)));
}

TEST(names_are_told_apart)
{
	mqd_t queue = queue_new(O_RDWR), other;
	char name[64];

	snprintf(name, sizeof(name), "%s ", queue_name());
	EXPECT_EQ(-ENOENT, TRY(mq_open(name, O_RDWR)));
	other = mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, NULL);
	ASSERT_LE(0, other);
	EXPECT_EQ(0, send_text(queue, "one", 0));
	EXPECT_EQ(0, queue_count(other));
	EXPECT_EQ(0, TRY(mq_unlink(name)));
	EXPECT_EQ(0, TRY(mq_close(other)));
	queue_end(queue);
}

TEST(wrong_access_mode_is_einval)
{
	mqd_t queue = queue_new(O_RDWR);

	EXPECT_EQ(-EINVAL, TRY(mq_open(queue_name(), O_RDWR | O_WRONLY)));
	queue_end(queue);
}

TEST(is_close_on_exec)
{
	mqd_t queue = queue_new(O_RDWR), second = queue_open(O_RDONLY);

	EXPECT_EQ(FD_CLOEXEC, fcntl(queue, F_GETFD));
	EXPECT_EQ(FD_CLOEXEC, fcntl(second, F_GETFD));
	queue_end(queue);
}

TEST(nonblock_is_of_the_open_description)
{
	mqd_t queue = queue_new(O_RDWR), second = queue_open(O_RDWR | O_NONBLOCK);
	char data[SIZE];

	EXPECT_EQ(0, fcntl(queue, F_GETFL) & O_NONBLOCK);
	EXPECT_EQ(O_NONBLOCK, fcntl(second, F_GETFL) & O_NONBLOCK);
	EXPECT_EQ(-EAGAIN, TRY(mq_receive(second, data, sizeof(data), NULL)));
	queue_end(queue);
}

TEST(no_descriptor_is_emfile)
{
	mqd_t queue = queue_new(O_RDWR);
	struct rlimit limit, before;

	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &before));
	limit = before;
	limit.rlim_cur = queue + 1;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	EXPECT_EQ(-EMFILE, TRY(mq_open(queue_name(), O_RDWR)));
	/* Over mailboxes mq_unlink() needs one, too. */
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &before));
	queue_end(queue);
}

/* Its creator may do with it what it asked for, others what the mode says, and umask(2) leaves. */
static void expect_rights(int reads, int writes, int both)
{
	const int wanted[] = { O_RDONLY, O_WRONLY, O_RDWR };
	const int errors[] = { reads, writes, both };
	int i;

	for (i = 0; i < 3; i++) {
		mqd_t queue = mq_open(queue_name(), wanted[i]);

		if (errors[i])
			EXPECT_EQ(-errors[i], TRY(queue)) TH_LOG("mode %d", i);
		else
			EXPECT_LE(0, TRY(queue)) TH_LOG("mode %d", i);
		if (queue >= 0)
			mq_close(queue);
	}
}

static void expect_rights_of_others(int reads, int writes, int both)
{
	pid_t child = child_fork();

	if (!child) {
		become(OTHER);
		expect_rights(reads, writes, both);
		_exit(0);
	}
	child_done(child);
}

static void with_mode(mode_t mode, mode_t mask, int reads, int writes, int both)
{
	mqd_t queue;

	umask(mask);
	queue = mq_open(queue_name(), O_CREAT | O_EXCL | O_RDWR, mode, NULL);
	ASSERT_LE(0, queue);
	expect_rights_of_others(reads, writes, both);
	expect_rights(0, 0, 0);
	queue_end(queue);
}

TEST(mode_and_umask_say_who_may)
{
	if (!is_root())
		SKIP(return, "needs root");
	with_mode(0600, 0, EACCES, EACCES, EACCES);
	with_mode(0604, 0, 0, EACCES, EACCES);
	with_mode(0602, 0, EACCES, 0, EACCES);
	with_mode(0606, 0, 0, 0, 0);
	with_mode(0777, 0, 0, 0, 0);
	with_mode(0666, 022, 0, EACCES, EACCES);
	with_mode(0666, 077, EACCES, EACCES, EACCES);
	with_mode(0666, 004, EACCES, 0, EACCES);
}

TEST(mode_does_not_bind_who_creates)
{
	pid_t child;

	if (!is_root())
		SKIP(return, "needs root");
	child = child_fork();
	if (!child) {
		mqd_t queue;

		become(OTHER);
		queue = mq_open(queue_name(), O_CREAT | O_EXCL | O_RDWR, 0000, NULL);
		ASSERT_LE(0, queue);
		EXPECT_EQ(0, send_text(queue, "text", 0));
		expect_rights(EACCES, EACCES, EACCES);
		queue_end(queue);
		_exit(0);
	}
	child_done(child);
}

/* What mq_open() is where a program was compiled with _FORTIFY_SOURCE. */
mqd_t __mq_open_2(const char *name, int oflag);

TEST(fortified)
{
	mqd_t queue = queue_new(O_RDWR), second = __mq_open_2(queue_name(), O_RDONLY);

	EXPECT_LE(0, second);
	queue_end(queue);
	EXPECT_EQ(-ENOENT, TRY(__mq_open_2(queue_name(), O_RDONLY)));
}

TEST_SIGNAL(fortified_does_not_create, SIGABRT)
{
	__mq_open_2(queue_name(), O_CREAT | O_RDONLY);
}

TEST_HARNESS_MAIN
