// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that runs out in the middle of a call and stays out: where the kernel asks a
 * second time, as its xarray does, one allocation that fails changes nothing.
 */
#include "fail_nth.h"

#define FAILSLAB DEBUGFS "failslab/"

/* Bytes that the calls in here allocate at most. */
#define BYTES_MOST 65536

/* Turns the failures of this process on and off. */
static int make_it_fail = -1;

/* For this process alone, and only while it says so. */
static void prepare(void)
{
	static const char *const settings[][2] = {
		{ FAILSLAB "task-filter", "Y" },
		{ FAILSLAB "interval", "1" },
		{ FAILSLAB "times", "-1" },
		{ FAILSLAB "probability", "100" },
	};

	make_it_fail = open("/proc/self/make-it-fail", O_WRONLY | O_CLOEXEC);
	ASSERT_LE(0, make_it_fail);
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		ASSERT_EQ(0, write_text(settings[i][0], settings[i][1]));
}

static void restore(void)
{
	EXPECT_EQ(0, write_text(FAILSLAB "probability", "0"));
	EXPECT_EQ(0, write_text(FAILSLAB "space", "0"));
	EXPECT_EQ(0, write_text(FAILSLAB "task-filter", "N"));
	close(make_it_fail);
}

/* A little more memory each time, until it is enough. How often it was not. */
static unsigned int sweep_space(int device, int fd, unsigned long command, void *args, size_t size)
{
	struct usage usage = usage_of_caller(device);
	struct state before = state_take(device, fd);
	unsigned int space, failed = 0;
	char text[16], copy[512];
	int ret;

	for (space = 1; space < BYTES_MOST; space += 32) {
		snprintf(text, sizeof(text), "%u", space);
		ASSERT_EQ(0, write_text(FAILSLAB "space", text));
		memcpy(copy, args, size);
		ASSERT_EQ(1, pwrite(make_it_fail, "1", 1, 0));
		ret = call(device, command, copy);
		ASSERT_EQ(1, pwrite(make_it_fail, "0", 1, 0));
		if (!ret)
			break;
		failed++;
		EXPECT_EQ(-ENOMEM, ret);
		EXPECT_UNCHANGED(device, fd, before);
		EXPECT_USAGE(device, usage);
		ASSERT_EQ(0, th_report->failures) TH_LOG("after %u bytes", space);
	}
	memcpy(args, copy, size);
	ASSERT_EQ(0, ret);
	return failed;
}

TEST_F(sweep, create_where_memory_has_run_out)
{
	static const char *const names[] = { "", "swept" };

	prepare();
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct mailbox_create args = create_args();

		strcpy(args.name, names[i]);
		EXPECT_LT(10,
			  sweep_space(self->device, -1, MAILBOX_IOC_CREATE, &args, sizeof(args)));
		EXPECT_EQ(0, box_send_text(args.fd, "fits", 0, 0));
		close(args.fd);
	}
	restore();
}

TEST_F(sweep, open_where_memory_has_run_out)
{
	struct mailbox_open args = { .size = sizeof(args), .rights = RIGHTS_ALL };
	int fd = box_new(self->device);

	prepare();
	args.id = box_stat(fd).id;
	EXPECT_LT(5, sweep_space(self->device, fd, MAILBOX_IOC_OPEN, &args, sizeof(args)));
	EXPECT_EQ(0, box_send_text(args.fd, "fits", 0, 0));
	close(args.fd);
	restore();
	close(fd);
}

TEST_HARNESS_MAIN
