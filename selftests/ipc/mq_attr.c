// SPDX-License-Identifier: GPL-2.0
/*
 * mq_getattr(3) and mq_setattr(3).
 */
#include "mq.h"

FIXTURE(attr)
{
	mqd_t queue;
};

FIXTURE_SETUP(attr)
{
	self->queue = queue_new(O_RDWR);
}

FIXTURE_TEARDOWN(attr)
{
	queue_end(self->queue);
}

TEST_F(attr, counts_messages)
{
	EXPECT_EQ(0, queue_count(self->queue));
	EXPECT_EQ(0, send_text(self->queue, "one", 0));
	EXPECT_EQ(0, send_text(self->queue, "two", 1));
	EXPECT_EQ(2, queue_count(self->queue));
	expect_message(self->queue, "two", 1);
	EXPECT_EQ(1, queue_count(self->queue));
	expect_message(self->queue, "one", 0);
	EXPECT_EQ(0, queue_count(self->queue));
}

TEST_F(attr, any_access_mode_will_do)
{
	mqd_t reader = queue_open(O_RDONLY), writer = queue_open(O_WRONLY);
	struct mq_attr attr = { .mq_flags = O_NONBLOCK }, old;

	EXPECT_EQ(0, TRY(mq_getattr(reader, &old)));
	EXPECT_EQ(SIZE, old.mq_msgsize);
	EXPECT_EQ(0, TRY(mq_getattr(writer, &old)));
	EXPECT_EQ(MESSAGES, old.mq_maxmsg);
	EXPECT_EQ(0, TRY(mq_setattr(reader, &attr, NULL)));
	EXPECT_EQ(0, TRY(mq_setattr(writer, &attr, NULL)));
}

TEST_F(attr, only_nonblock_is_set)
{
	struct mq_attr attr = {
		.mq_flags = O_NONBLOCK, .mq_maxmsg = 99, .mq_msgsize = 99, .mq_curmsgs = 99
	};
	struct mq_attr old;
	char data[SIZE];

	memset(&old, 0xa5, sizeof(old));
	EXPECT_EQ(0, TRY(mq_setattr(self->queue, &attr, &old)));
	EXPECT_EQ(0, old.mq_flags);
	EXPECT_EQ(MESSAGES, old.mq_maxmsg);
	EXPECT_EQ(SIZE, old.mq_msgsize);
	EXPECT_EQ(0, old.mq_curmsgs);

	EXPECT_EQ(0, TRY(mq_getattr(self->queue, &attr)));
	EXPECT_EQ(O_NONBLOCK, attr.mq_flags);
	EXPECT_EQ(MESSAGES, attr.mq_maxmsg);
	EXPECT_EQ(SIZE, attr.mq_msgsize);
	EXPECT_EQ(0, attr.mq_curmsgs);
	EXPECT_EQ(-EAGAIN, TRY(mq_receive(self->queue, data, sizeof(data), NULL)));
	fill(self->queue);
	EXPECT_EQ(-EAGAIN, send_text(self->queue, "more", 0));

	attr.mq_flags = 0;
	EXPECT_EQ(0, TRY(mq_setattr(self->queue, &attr, &old)));
	EXPECT_EQ(O_NONBLOCK, old.mq_flags);
	EXPECT_EQ(MESSAGES, old.mq_curmsgs);
	EXPECT_EQ(0, TRY(mq_getattr(self->queue, &attr)));
	EXPECT_EQ(0, attr.mq_flags);
}

TEST_F(attr, other_flags_are_einval)
{
	const long flags[] = { O_RDWR, O_CREAT, O_NONBLOCK | O_APPEND, -1, O_CLOEXEC };
	struct mq_attr attr;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		attr.mq_flags = flags[i];
		EXPECT_EQ(-EINVAL, TRY(mq_setattr(self->queue, &attr, NULL)));
	}
	EXPECT_EQ(0, TRY(mq_getattr(self->queue, &attr)));
	EXPECT_EQ(0, attr.mq_flags);
}

TEST_F(attr, flag_is_of_the_open_description)
{
	mqd_t other = queue_open(O_RDWR), same = dup(self->queue);
	struct mq_attr attr = { .mq_flags = O_NONBLOCK };

	EXPECT_EQ(0, TRY(mq_setattr(self->queue, &attr, NULL)));
	EXPECT_EQ(0, TRY(mq_getattr(other, &attr)));
	EXPECT_EQ(0, attr.mq_flags);
	EXPECT_EQ(0, TRY(mq_getattr(same, &attr)));
	EXPECT_EQ(O_NONBLOCK, attr.mq_flags);
}

TEST_F(attr, fcntl_and_setattr_agree)
{
	struct mq_attr attr;
	int flags = fcntl(self->queue, F_GETFL);

	EXPECT_EQ(0, fcntl(self->queue, F_SETFL, flags | O_NONBLOCK));
	EXPECT_EQ(0, TRY(mq_getattr(self->queue, &attr)));
	EXPECT_EQ(O_NONBLOCK, attr.mq_flags);
	attr.mq_flags = 0;
	EXPECT_EQ(0, TRY(mq_setattr(self->queue, &attr, NULL)));
	EXPECT_EQ(0, fcntl(self->queue, F_GETFL) & O_NONBLOCK);
	EXPECT_EQ(flags & O_ACCMODE, fcntl(self->queue, F_GETFL) & O_ACCMODE);
}

TEST_F(attr, no_queue_is_ebadf)
{
	struct mq_attr attr = { .mq_flags = 0 };
	int pipes[2];

	ASSERT_EQ(0, pipe(pipes));
	EXPECT_EQ(-EBADF, TRY(mq_getattr(-1, &attr)));
	EXPECT_EQ(-EBADF, TRY(mq_getattr(1000, &attr)));
	EXPECT_EQ(-EBADF, TRY(mq_getattr(pipes[0], &attr)));
	EXPECT_EQ(-EBADF, TRY(mq_setattr(pipes[1], &attr, NULL)));
	EXPECT_EQ(-EBADF, TRY(mq_setattr(-1, &attr, NULL)));
	/* What is asked for is looked at first. */
	attr.mq_flags = O_RDWR;
	EXPECT_EQ(-EINVAL, TRY(mq_setattr(-1, &attr, NULL)));
}

TEST_HARNESS_MAIN
