/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One call again and again, each time with another of its allocations or copies made
 * to fail, until there is none left to fail: the kernel's fault injection, which counts
 * down /proc/thread-self/fail-nth in this thread alone.
 *
 * unsafe_get_user() and its like are never made to fail: fault.c has bad pointers.
 */
#ifndef SELFTESTS_FAIL_NTH_H
#define SELFTESTS_FAIL_NTH_H

#include "world.h"

#define DEBUGFS "/sys/kernel/debug/"

/* No call of ours has so many places that can fail. */
#define SWEEP_MOST 5000

/* What one run of the call is about. */
struct scene {
	int device;
	/* A handle of the mailbox, or -1. Closed at the end, as is what else is opened. */
	int fd;
	int other;
	/* A process that waits for the call to do something, or 0. */
	pid_t helper;
	size_t length;
	union {
		struct mailbox_info info;
		struct mailbox_create create;
		struct mailbox_open open;
		struct mailbox_destroy destroy;
		struct mailbox_list list;
		struct mailbox_stat stat;
		struct mailbox_set set;
		struct mailbox_notify notify;
		struct mailbox_restrict derive;
		struct mailbox_revoke revoke;
		struct mailbox_send send;
		struct mailbox_receive receive;
		struct mailbox_batch batch;
		struct mailbox_lease lease;
		struct mailbox_loan borrow;
	};
};

/* What must be the same before and after a call that failed. */
struct snapshot {
	struct state state;
	struct usage usage;
	/* A number given away that no descriptor has would not show as a descriptor. */
	int lowest_free;
};

struct sweep {
	const char *name;
	size_t length;
	/* Makes all anew for each run, for no run to profit from the one before. */
	void (*prepare)(struct scene *scene);
	/* One system call and nothing else that enters the kernel. */
	int (*call)(struct scene *scene);
	/* What the call returns when nothing fails; it may be an error. */
	int success;
	/* That the success is whole, and back to what was before prepare(). */
	void (*complete)(struct scene *scene);
	/* When a failure shows; NULL: the snapshot is the same. */
	void (*failed)(struct scene *scene, const struct snapshot *before);
	/* The header lets the call fail with ENOMEM. */
	bool allocates;
	/* The call is the kernel's, and so are its errors. */
	bool foreign;
	/* Buffers that a failed call may leave to the mailbox for reuse. */
	unsigned int keeps;
	/* At so many places at least a fault makes the call fail, pages left out. */
	unsigned int least;
	/* With pages. */
	unsigned int least_pages;
	/* How often it is swept through; 0 means ROUNDS. */
	unsigned int rounds;
};

/*
 * Each allocation has one more of a sanitizer behind it, and each slab that runs out
 * fetches pages, which does not happen at the same places in the next run: a place
 * may be hopped over.
 */
#define ROUNDS 3

static int fail_nth_fd = -1;

static inline void fail_nth_arm(unsigned int nth)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%u", nth);

	ASSERT_EQ(length, pwrite(fail_nth_fd, text, length, 0));
}

/* How much of the count is left; 0 when a fault was injected. */
static inline unsigned int fail_nth_disarm(void)
{
	unsigned int left = 1;
	char text[16] = "";

	/* These two copy as well and count. A fault in one of them came after the call. */
	if (pread(fail_nth_fd, text, sizeof(text) - 1, 0) > 0)
		left = strtoul(text, NULL, 10);
	if (pwrite(fail_nth_fd, "0", 1, 0) != 1)
		ASSERT_EQ(EFAULT, errno);
	return left;
}

/* Why there can be no faults, or NULL when all is set up for them. */
static inline const char *fail_nth_setup(void)
{
	static const char *const settings[][2] = {
		/* Also what may sleep, which is almost all; no word about each fault. */
		{ DEBUGFS "failslab/ignore-gfp-wait", "N" },
		{ DEBUGFS "failslab/verbose", "0" },
		{ DEBUGFS "fail_page_alloc/ignore-gfp-wait", "N" },
		{ DEBUGFS "fail_page_alloc/verbose", "0" },
		{ DEBUGFS "fail_usercopy/verbose", "0" },
	};
	unsigned int i;

	if (!is_root())
		return "only root can have allocations fail";
	fail_nth_fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (fail_nth_fd < 0)
		return "the kernel has no /proc/self/fail-nth";
	for (i = 0; i < ARRAY_SIZE(settings); i++) {
		if (write_text(settings[i][0], settings[i][1]))
			return "the kernel lacks failslab, fail_page_alloc or fail_usercopy";
	}
	/* What a page fault of our own allocates is of no interest. */
	ASSERT_EQ(0, mlockall(MCL_CURRENT | MCL_FUTURE));
	return NULL;
}

/* Whether pages fail too. Without them faults are at the same places in each run. */
static inline void fail_pages(bool fail)
{
	ASSERT_EQ(0, write_text(DEBUGFS "fail_page_alloc/min-order", fail ? "0" : "64"));
}

static inline struct snapshot snapshot_take(const struct scene *scene)
{
	struct snapshot now;

	memset(&now, 0, sizeof(now));
	now.state = state_take(scene->device, scene->fd);
	now.usage = usage_of_caller(scene->device);
	now.lowest_free = fcntl(scene->device, F_DUPFD_CLOEXEC, 0);
	ASSERT_LE(0, now.lowest_free);
	close(now.lowest_free);
	return now;
}

#define LENGTH_INLINE 64
#define LENGTH_BUFFER 3000
#define LENGTH_PAGES  20000

/* Kernel memory of a buffer for so many bytes, which a mailbox keeps. */
static inline uint64_t kept_bytes(__u32 length)
{
	const __u32 page = 4096;

	if (length <= LENGTH_INLINE)
		return 384;
	if (length <= page)
		return 384 + page;
	return 384 + (length + page - 1) / page * (page + sizeof(void *));
}

static inline void expect_kept(const struct sweep *sweep, const struct usage *before,
			       const struct usage *after)
{
	uint64_t messages = after->messages - before->messages;

	EXPECT_EQ(before->mailboxes, after->mailboxes);
	EXPECT_LE(messages, sweep->keeps);
	EXPECT_EQ(messages * kept_bytes(sweep->length), after->bytes - before->bytes);
}

static inline void expect_unchanged(const struct sweep *sweep, struct scene *scene,
				    const struct snapshot *before)
{
	struct snapshot after = snapshot_take(scene);

	EXPECT_TRUE(state_same(&before->state, &after.state));
	EXPECT_EQ(before->lowest_free, after.lowest_free);
	expect_kept(sweep, &before->usage, &after.usage);
}

/* The call has failed: for a reason, with an error that is listed, without a trace. */
static inline void expect_failure(const struct sweep *sweep, struct scene *scene, int ret,
				  bool injected, const struct snapshot *before)
{
	EXPECT_TRUE(injected);
	if (!sweep->foreign && (!sweep->allocates || ret != -ENOMEM))
		EXPECT_EQ(-EFAULT, ret);
	if (sweep->failed)
		sweep->failed(scene, before);
	else
		expect_unchanged(sweep, scene, before);
	EXPECT_EQ(sweep->success, sweep->call(scene));
}

/* Whether a fault was injected. */
static inline bool sweep_once(int device, const struct sweep *sweep, unsigned int nth,
			      unsigned int *failed)
{
	struct scene scene = {
		.device = device,
		.fd = -1,
		.other = -1,
		.length = sweep->length,
	};
	struct snapshot start;
	bool injected;
	int ret;

	if (sweep->prepare)
		sweep->prepare(&scene);
	start = snapshot_take(&scene);
	fail_nth_arm(nth);
	ret = sweep->call(&scene);
	injected = !fail_nth_disarm();
	if (ret != sweep->success) {
		expect_failure(sweep, &scene, ret, injected, &start);
		++*failed;
	}
	if (scene.helper)
		child_done(scene.helper);
	if (sweep->complete)
		sweep->complete(&scene);
	if (scene.other >= 0)
		close(scene.other);
	if (scene.fd >= 0)
		close(scene.fd);
	return injected;
}

/* The most faults that failed the call in one round. */
static inline unsigned int sweep_rounds(int device, const struct sweep *sweep, const char *what)
{
	struct usage before = usage_of_caller(device);
	unsigned int rounds = sweep->rounds ? sweep->rounds : ROUNDS;
	unsigned int most = 0, total = 0, nth, failed;
	bool injected;

	for (; rounds; rounds--) {
		nth = 0;
		failed = 0;
		do {
			ASSERT_GT(SWEEP_MOST, ++nth);
			injected = sweep_once(device, sweep, nth, &failed);
			EXPECT_USAGE(device, before);
			ASSERT_EQ(0, th_report->failures)
			TH_LOG("%s, fault %u of %s", sweep->name, nth, what);
		} while (injected);
		total += nth - 1;
		most = failed > most ? failed : most;
	}
	th_say("# %s: %u faults of %s, in one round %u failed the call", sweep->name, total, what,
	       most);
	return most;
}

static inline void sweep_run(int device, const struct sweep *sweep)
{
	/* Or this would pass where nothing is made to fail. */
	fail_pages(false);
	EXPECT_LE(sweep->least, sweep_rounds(device, sweep, "slabs and copies"));
	fail_pages(true);
	EXPECT_LE(sweep->least_pages, sweep_rounds(device, sweep, "pages too"));
}

FIXTURE(sweep)
{
	int device;
};

FIXTURE_SETUP(sweep)
{
	const char *reason = fail_nth_setup();

	if (reason)
		SKIP(return, "%s", reason);
	self->device = device_open();
}

FIXTURE_TEARDOWN(sweep)
{
	if (self->device > 0)
		close(self->device);
}

/* A test that is one sweep. */
#define TEST_SWEEP(test, ...) \
	TEST_F_TIMEOUT(sweep, test, 120) \
	{ \
		const struct sweep sweep_ = { .name = #test, __VA_ARGS__ }; \
\
		sweep_run(self->device, &sweep_); \
	}

/* One payload of each way to store it. */

#endif /* SELFTESTS_FAIL_NTH_H */
