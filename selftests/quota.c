// SPDX-License-Identifier: GPL-2.0
/*
 * What one user may have of everything, seen by two users: whoever has used up the
 * quota gets EDQUOT and nothing else, and nobody else notices.
 */
#include "world.h"

#define ONE   1000
#define OTHER 1001

static const char *const parameters[] = {
	"max_mailboxes_per_user",
	"max_messages_per_user",
	"max_bytes_per_user",
	"max_message_size",
};

/* A mailbox of root without limits of its own, to which all may send. */
static int open_box(int device)
{
	struct mailbox_create args = create_args();
	int fd;

	args.mode = 0666;
	args.capacity = MAILBOX_CAPACITY_UNBOUNDED;
	fd = box_create(device, &args);
	ASSERT_LE(0, fd);
	return fd;
}

FIXTURE(quota)
{
	int device;
	int box;
	uint64_t saved[ARRAY_SIZE(parameters)];
};

FIXTURE_SETUP(quota)
{
	for (size_t i = 0; i < ARRAY_SIZE(parameters); i++)
		self->saved[i] = parameter_get(parameters[i]);
	self->device = device_open();
	self->box = open_box(self->device);
}

FIXTURE_TEARDOWN(quota)
{
	for (size_t i = 0; i < ARRAY_SIZE(parameters); i++)
		parameter_set(parameters[i], self->saved[i]);
	close(self->box);
	close(self->device);
}

/* Send until something is wrong; how many were sent. */
static uint64_t send_until(int error, int fd, const void *data, size_t length)
{
	uint64_t nr = 0;
	int ret;

	do {
		ret = box_send_data(fd, data, length);
	} while (!ret && ++nr < 100000);
	EXPECT_EQ(-error, ret);
	return nr;
}

TEST_F(quota, info_tells_the_limits)
{
	struct mailbox_info info;

	parameter_set("max_mailboxes_per_user", 11);
	parameter_set("max_messages_per_user", 22);
	parameter_set("max_bytes_per_user", 33333);
	parameter_set("max_message_size", 4444);
	info = device_info(self->device);
	EXPECT_EQ(11, info.max_mailboxes);
	EXPECT_EQ(22, info.max_messages);
	EXPECT_EQ(33333, info.max_bytes);
	EXPECT_EQ(4444, info.max_message_size);
}

static void create_up_to(int device, int nr)
{
	struct usage before = usage_of_caller(device);
	struct mailbox_create args = create_args();
	int fds[16], i;

	for (i = 0; i < nr; i++)
		fds[i] = box_new(device);
	EXPECT_EQ(before.mailboxes + nr, usage_of_caller(device).mailboxes);
	EXPECT_REFUSED(device, fds[0], EDQUOT, box_create(device, &args));
	EXPECT_EQ(POISON64, args.id);

	/* Both ways for a mailbox to end give its place back. */
	close(fds[0]);
	fds[0] = box_new(device);
	EXPECT_EQ(0, box_destroy(fds[0], 0, NULL));
	close(fds[0]);
	fds[0] = box_new(device);
	EXPECT_REFUSED(device, fds[0], EDQUOT, box_create(device, &args));
	for (i = 0; i < nr; i++)
		close(fds[i]);
	EXPECT_USAGE(device, before);
}

TEST_F(quota, mailboxes_end_at_the_limit)
{
	parameter_set("max_mailboxes_per_user", 7);
	AS_USER(ONE, create_up_to(self->device, 7));
	AS_USER(OTHER, create_up_to(self->device, 7));
}

static void hold_mailboxes(int device, int nr, unsigned int *flag)
{
	for (int i = 0; i < nr; i++)
		box_new(device);
	flag_raise(flag);
	pause();
}

TEST_F(quota, full_for_one_is_not_full_for_another)
{
	unsigned int *flag = flag_new();
	pid_t pid;

	parameter_set("max_mailboxes_per_user", 3);
	pid = child_fork();
	if (!pid) {
		become(ONE, ONE);
		hold_mailboxes(self->device, 3, flag);
	}
	flag_await(flag, 1);
	AS_USER(ONE, {
		struct mailbox_create args = create_args();

		EXPECT_EQ(3, usage_of_caller(self->device).mailboxes);
		EXPECT_EQ(-EDQUOT, box_create(self->device, &args));
	});
	AS_USER(OTHER, EXPECT_LE(0, box_new(self->device)));
	child_kill(pid);
	AS_USER(ONE, {
		EXPECT_EQ(0, usage_of_caller(self->device).mailboxes);
		EXPECT_LE(0, box_new(self->device));
	});
}

TEST_F(quota, messages_end_at_the_limit)
{
	struct mailbox_stat stat;
	char text[8];

	parameter_set("max_messages_per_user", 100);
	AS_USER(ONE, {
		EXPECT_EQ(100, send_until(EDQUOT, self->box, "one", 3));
		EXPECT_EQ(100, usage_of_caller(self->device).messages);
		EXPECT_REFUSED(self->device, self->box, EDQUOT, box_send_data(self->box, "one", 3));
	});
	AS_USER(OTHER, EXPECT_EQ(100, send_until(EDQUOT, self->box, "other", 5)));
	stat = box_stat(self->box);
	EXPECT_EQ(200, stat.messages);
	EXPECT_EQ(200, stat.sent);

	/* A message that was taken makes room for one. */
	EXPECT_EQ(3, box_receive_text(self->box, text, sizeof(text)));
	AS_USER(ONE, EXPECT_EQ(1, send_until(EDQUOT, self->box, "one", 3)));
}

/* The mailbox was opened by root. */
TEST_F(quota, who_sends_pays_however_it_is_done)
{
	AS_USER(ONE, {
		struct mailbox_send args = send_args("one", 3);

		EXPECT_EQ(3, write(self->box, "one", 3));
		EXPECT_EQ(1, usage_of_caller(self->device).messages);
		args.flags |= MAILBOX_EXPIRES;
		args.expiry = far_future();
		EXPECT_EQ(0, box_send(self->box, &args));
		EXPECT_EQ(2, usage_of_caller(self->device).messages);
		args.flags = 0;
		EXPECT_EQ(1, box_batch(self->box, MAILBOX_IOC_SEND_BATCH, &args, sizeof(args), 1));
		EXPECT_EQ(3, usage_of_caller(self->device).messages);
	});
}

TEST_F(quota, what_the_mailbox_keeps_for_one_another_does_not_use)
{
	char text[8];

	AS_USER(ONE, EXPECT_EQ(0, box_send_data(self->box, "one", 3)));
	EXPECT_EQ(3, box_receive_text(self->box, text, sizeof(text)));
	AS_USER(OTHER, {
		EXPECT_EQ(0, box_send_data(self->box, "other", 5));
		EXPECT_EQ(1, usage_of_caller(self->device).messages);
	});
}

TEST_F(quota, what_the_mailbox_keeps_for_reuse_does_not_use_it_up)
{
	parameter_set("max_messages_per_user", 4);
	AS_USER(ONE, {
		static const char data[1000];
		char text[8];

		EXPECT_EQ(4, send_until(EDQUOT, self->box, "one", 3));
		for (int i = 0; i < 4; i++)
			EXPECT_EQ(3, box_receive_text(self->box, text, sizeof(text)));
		/* No short message's buffer has room for this. */
		EXPECT_EQ(4, send_until(EDQUOT, self->box, data, sizeof(data)));
	});
}

TEST_F(quota, a_full_quota_does_not_wait)
{
	parameter_set("max_messages_per_user", 1);
	AS_USER(ONE, {
		struct mailbox_send args = send_args("two", 3);

		EXPECT_EQ(0, box_send_data(self->box, "one", 3));
		args.flags = 0;
		EXPECT_EQ(-EDQUOT, box_send(self->box, &args));
	});
}

static void send_up_to_bytes(int device, int box, uint64_t limit, size_t length)
{
	static char data[100000];
	uint64_t sent = send_until(EDQUOT, box, data, length);
	struct usage usage = usage_of_caller(device);

	/* What is charged is memory, so it is a little more than the payload. */
	EXPECT_LE(sent * length, usage.bytes);
	EXPECT_LE(usage.bytes, limit);
	EXPECT_GT(usage.bytes + usage.bytes / sent, limit);
	EXPECT_REFUSED(device, box, EDQUOT, box_send_data(box, data, length));
}

TEST_F(quota, bytes_end_at_the_limit)
{
	const uint64_t limit = 1 << 20;
	static const size_t lengths[] = { 0, 64, 1000, 4096, 5000, 90000 };

	parameter_set("max_bytes_per_user", limit);
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		int box = open_box(self->device);

		AS_USER(ONE, send_up_to_bytes(self->device, box, limit, lengths[i]));
		AS_USER(OTHER, send_up_to_bytes(self->device, box, limit, lengths[i]));
		close(box);
		AS_USER(ONE, EXPECT_USAGE(self->device, ((struct usage){ 0, 0, 0 })));
	}
}

/* Fill up, and end it in one of several ways. */
static void fill_and(int device, void (*end)(int device, int box))
{
	static char data[3000];
	struct usage before = usage_of_caller(device);
	int box = open_box(device);

	EXPECT_EQ(50, send_until(EDQUOT, box, data, sizeof(data)));
	end(device, box);
	EXPECT_USAGE(device, before);
}

static void end_by_close(int device, int box)
{
	(void)device;
	close(box);
}

static void end_by_destroy_on_device(int device, int box)
{
	EXPECT_EQ(0, box_destroy(device, box_stat(box).id, NULL));
	close(box);
}

TEST_F(quota, everything_comes_back_at_the_end)
{
	parameter_set("max_messages_per_user", 50);
	AS_USER(ONE, fill_and(self->device, end_by_close));
	AS_USER(ONE, fill_and(self->device, end_by_destroy_on_device));
	/* Messages go at once, also where a handle is still open. */
	AS_USER(ONE, {
		int box = open_box(self->device);

		EXPECT_EQ(50, send_until(EDQUOT, box, "data", 4));
		EXPECT_EQ(0, box_destroy(box, 0, NULL));
		EXPECT_EQ(0, usage_of_caller(self->device).messages);
		EXPECT_EQ(0, usage_of_caller(self->device).bytes);
	});
}

TEST_F(quota, everything_comes_back_from_a_killed_process)
{
	unsigned int *flag = flag_new();
	struct usage usage;
	pid_t pid = child_fork();

	if (!pid) {
		int box;

		become(ONE, ONE);
		box = open_box(self->device);
		for (int i = 0; i < 1000; i++)
			ASSERT_EQ(0, box_send_data(box, "data", 4));
		flag_raise(flag);
		pause();
	}
	flag_await(flag, 1);
	child_kill(pid);
	AS_USER(ONE, {
		usage = usage_of_caller(self->device);
		EXPECT_EQ(0, usage.mailboxes);
		EXPECT_EQ(0, usage.messages);
		EXPECT_EQ(0, usage.bytes);
	});
}

TEST_F(quota, messages_of_a_dead_sender_stay_charged)
{
	AS_USER(ONE, EXPECT_EQ(0, box_send_data(self->box, "data", 4)));
	AS_USER(ONE, EXPECT_EQ(1, usage_of_caller(self->device).messages));
	EXPECT_EQ(0, box_destroy(self->box, 0, NULL));
	AS_USER(ONE, EXPECT_EQ(0, usage_of_caller(self->device).messages));
}

TEST_F(quota, sender_pays_not_opener_of_the_handle)
{
	struct usage before = usage_of_caller(self->device);

	AS_USER(ONE, {
		EXPECT_EQ(0, box_send_data(self->box, "data", 4));
		EXPECT_EQ(1, usage_of_caller(self->device).messages);
	});
	EXPECT_USAGE(self->device, before);
}

TEST_F(quota, batch_stops_where_the_quota_ends)
{
	struct mailbox_send entries[8];
	struct mailbox_batch args = {
		.size = sizeof(args),
		.flags = MAILBOX_NONBLOCK,
		.entries = user_pointer(entries),
		.entry_size = sizeof(entries[0]),
		.nr = ARRAY_SIZE(entries),
	};

	parameter_set("max_messages_per_user", 5);
	for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
		entries[i] = send_args("data", 4);
		entries[i].flags = 0;
	}
	AS_USER(ONE, {
		EXPECT_EQ(0, call(self->box, MAILBOX_IOC_SEND_BATCH, &args));
		EXPECT_EQ(5, args.done);
		EXPECT_EQ(EDQUOT, args.error);
		EXPECT_EQ(5, entries[4].sequence);
		EXPECT_EQ(POISON64, entries[6].sequence);
		EXPECT_REFUSED(self->device, self->box, EDQUOT,
			       call(self->box, MAILBOX_IOC_SEND_BATCH, &args));
	});
	EXPECT_EQ(5, box_stat(self->box).messages);
}

TEST_F(quota, lower_limit_takes_nothing_away)
{
	char text[8];

	AS_USER(ONE, {
		for (int i = 0; i < 20; i++)
			EXPECT_EQ(0, box_send_data(self->box, "data", 4));
	});
	parameter_set("max_messages_per_user", 10);
	AS_USER(ONE, EXPECT_REFUSED(self->device, self->box, EDQUOT,
				    box_send_data(self->box, "data", 4)));
	for (int i = 0; i < 20; i++)
		EXPECT_EQ(4, box_receive_text(self->box, text, sizeof(text)));
	AS_USER(ONE, EXPECT_EQ(10, send_until(EDQUOT, self->box, "data", 4)));
}

TEST_F(quota, root_may_exceed_it)
{
	uint64_t mailboxes = usage_of_caller(self->device).mailboxes;
	int fds[4];

	parameter_set("max_mailboxes_per_user", 1);
	parameter_set("max_messages_per_user", 1);
	parameter_set("max_bytes_per_user", 1);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = box_new(self->device);
		EXPECT_EQ(0, box_send_data(self->box, "data", 4));
	}
	EXPECT_EQ(mailboxes + ARRAY_SIZE(fds), usage_of_caller(self->device).mailboxes);
	EXPECT_LE(ARRAY_SIZE(fds), usage_of_caller(self->device).messages);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
}

TEST_F(quota, message_size_is_limited)
{
	struct mailbox_create args = create_args();
	static char data[2000];
	int fd;

	parameter_set("max_message_size", 1000);
	args.message_size = 1001;
	AS_USER(ONE, EXPECT_REFUSED(self->device, -1, EINVAL, box_create(self->device, &args)));
	AS_USER(ONE, {
		args.message_size = 0;
		fd = box_create(self->device, &args);
		ASSERT_LE(0, fd);
		EXPECT_EQ(1000, box_stat(fd).message_size);
		EXPECT_REFUSED(self->device, fd, EMSGSIZE, box_send_data(fd, data, 1001));
		EXPECT_EQ(0, box_send_data(fd, data, 1000));
	});
	/* Root may exceed it. */
	fd = box_create(self->device, &args);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, box_send_data(fd, data, 1001));
	close(fd);
}

TEST_F(quota, a_given_away_mailbox_stays_on_its_creators_quota)
{
	struct mailbox_set args = { .size = sizeof(args), .flags = MAILBOX_SET_UID, .uid = ONE };
	struct usage before = usage_of_caller(self->device);

	EXPECT_EQ(0, call(self->box, MAILBOX_IOC_SET, &args));
	EXPECT_USAGE(self->device, before);
	AS_USER(ONE, EXPECT_EQ(0, usage_of_caller(self->device).mailboxes));
}

TEST_F(quota, a_destroyed_mailbox_is_paid_back_though_handles_stay)
{
	const __u64 before = usage_of_caller(self->device).mailboxes;
	int fd = open_box(self->device);

	EXPECT_EQ(before + 1, usage_of_caller(self->device).mailboxes);
	EXPECT_EQ(0, box_destroy(fd, 0, NULL));
	EXPECT_EQ(before, usage_of_caller(self->device).mailboxes);
	close(fd);
}

TEST_HARNESS_MAIN
