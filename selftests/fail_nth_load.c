// SPDX-License-Identifier: GPL-2.0
/*
 * Loading the module, and making a network namespace, with each allocation made to fail
 * in turn. MAILBOX_KO is the file that the module is loaded from.
 */
#include "fail_nth.h"

#define MODULE "/sys/module/mailbox"

static int netns = -1;

static void prepare_netns(struct scene *scene __attribute__((unused)))
{
	if (netns < 0)
		netns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, netns);
}

static int unshare_net(struct scene *scene __attribute__((unused)))
{
	return unshare(CLONE_NEWNET) ? -errno : 0;
}

/* A namespace that could be made has a domain of its own, and it works. */
static void complete_netns(struct scene *scene)
{
	struct mailbox_create args = create_args();
	int device = device_open(), fd;
	struct mailbox_stat stat;
	__u64 after = 0;

	EXPECT_EQ(0, box_list(device, &stat, 1, &after));
	fd = box_create(device, &args);
	ASSERT_LE(0, fd);
	EXPECT_EQ(1, args.id);
	EXPECT_EQ(0, box_send_text(fd, "fits", 0, 0));
	EXPECT_EQ(0, box_list(scene->device, &stat, 1, &after));
	close(fd);
	close(device);
	ASSERT_EQ(0, setns(netns, CLONE_NEWNET));
}

TEST_SWEEP(network_namespace, .prepare = prepare_netns, .call = unshare_net,
	   .complete = complete_netns, .foreign = true, .rounds = 1, .least = 10)

static bool is_loaded(void)
{
	return !access(MODULE, F_OK);
}

static int try_unload(void)
{
	return syscall(SYS_delete_module, "mailbox", O_NONBLOCK) ? -errno : 0;
}

static int try_load(int file, const char *parameters)
{
	return syscall(SYS_finit_module, file, parameters, 0) ? -errno : 0;
}

static bool has_slab_cache(void)
{
	FILE *file = fopen("/proc/slabinfo", "r");
	char line[512];
	bool found = false;

	ASSERT_TRUE(file);
	while (fgets(line, sizeof(line), file))
		found |= !strncmp(line, "mailbox", 7);
	fclose(file);
	return found;
}

static void expect_nothing_loaded(void)
{
	EXPECT_FALSE(is_loaded());
	EXPECT_EQ(-1, access(DEVICE, F_OK));
	EXPECT_FALSE(has_slab_cache());
}

static void expect_works(void)
{
	int device = device_open();
	int fd = box_new(device);
	char text[8];

	EXPECT_EQ(0, box_send_text(fd, "fits", 0, 0));
	EXPECT_EQ(4, box_receive_text(fd, text, sizeof(text)));
	close(fd);
	close(device);
}

/*
 * What the kernel does before it has read the parameters is its own, and it complains
 * aloud when memory for the text of a module is missing. How often it could fail until
 * then is seen when a parameter is wrong.
 */
static unsigned int faults_before_parameters(int file)
{
	const unsigned int many = 1000000;

	fail_nth_arm(many);
	EXPECT_EQ(-EINVAL, try_load(file, "max_message_size=none"));
	return many - fail_nth_disarm();
}

TEST_F_TIMEOUT(sweep, load, 240)
{
	/* Loading takes its time in a slow kernel: there one of seven. */
	const unsigned int step = effort(100) < 100 ? 7 : 1;
	const char *path = getenv("MAILBOX_KO");
	unsigned int first, nth, failed = 0;
	bool injected;
	int file;

	if (!path || !*path)
		SKIP(return, "MAILBOX_KO does not say where the module is");
	file = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, file) TH_LOG("%s: %s", path, strerror(errno));
	close(self->device);
	self->device = -1;
	ASSERT_EQ(0, try_unload());

	fail_pages(false);
	first = faults_before_parameters(file) + 1;
	nth = first;
	do {
		int ret;

		ASSERT_GT(SWEEP_MOST, nth);
		fail_nth_arm(nth);
		ret = try_load(file, "");
		injected = !fail_nth_disarm();
		if (ret) {
			failed++;
			EXPECT_EQ(-ENOMEM, ret);
			EXPECT_TRUE(injected);
			expect_nothing_loaded();
			EXPECT_EQ(0, try_load(file, ""));
		}
		expect_works();
		EXPECT_EQ(0, try_unload());
		expect_nothing_loaded();
		ASSERT_EQ(0, th_report->failures) TH_LOG("fault %u", nth);
		nth += step;
	} while (injected);
	th_say("# load: %u faults from the %uth on, %u of them failed it", (nth - first) / step - 1,
	       first, failed);
	EXPECT_LE(step > 1 ? 5 : 10, failed);
	EXPECT_EQ(0, try_load(file, ""));
	close(file);
}

TEST_HARNESS_MAIN
