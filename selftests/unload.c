// SPDX-License-Identifier: GPL-2.0
/*
 * The module can be unloaded when nothing of it is open, and only then. MAILBOX_KO
 * is the file that it is loaded from again.
 */
#include "unload.h"

#include "common_lane.h"

#include <sys/mman.h>

FIXTURE(unload)
{
	const char *file;
};

FIXTURE_SETUP(unload)
{
	self->file = module_file();
}

FIXTURE_TEARDOWN(unload)
{
	if (self->file && !is_loaded())
		EXPECT_EQ(0, try_load(self->file));
}

TEST_F(unload, is_refused_while_the_device_is_open)
{
	int device = device_open();
	int fd;

	expect_refused();
	fd = box_new(device);
	EXPECT_EQ(0, box_send_data(fd, "x", 1));
	close(fd);
	expect_refused();
	close(device);
	EXPECT_EQ(0, try_unload());
	EXPECT_FALSE(is_loaded());
}

TEST_F(unload, is_refused_while_a_handle_is_open)
{
	int device = device_open();
	int fd = box_new(device), copy;
	char text[4];

	close(device);
	expect_refused();
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	close(fd);
	expect_refused();
	EXPECT_EQ(0, box_send_data(copy, "x", 1));
	EXPECT_EQ(1, box_receive_text(copy, text, sizeof(text)));
	close(copy);
	EXPECT_EQ(0, try_unload());
}

TEST_F(unload, is_refused_while_a_destroyed_mailbox_is_open)
{
	int device = device_open();
	int fd = box_new(device);

	EXPECT_EQ(0, box_destroy(fd, 0, NULL));
	close(device);
	expect_refused();
	EXPECT_EQ(-EIDRM, box_send_data(fd, "x", 1));
	close(fd);
	EXPECT_EQ(0, try_unload());
}

/* A mapping keeps nothing but the module, whose part it is to count it. */
TEST_F(unload, is_refused_while_shared_pages_are_mapped)
{
	struct mailbox_create args = create_args();
	int device = device_open(), fd;
	const size_t size = 1 << 20;
	char *start;
	pid_t pid;

	args.region_size = size;
	fd = box_create(device, &args);
	ASSERT_LE(0, fd);
	start = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_TRUE(start != MAP_FAILED);
	strcpy(start, "text");
	close(device);
	close(fd);
	expect_refused();
	EXPECT_STREQ("text", start);
	strcpy(start + size / 2, "more");
	EXPECT_STREQ("more", start + size / 2);
	/* Nor while a part of it is, nor while only a child has that. */
	munmap(start, size / 2);
	expect_refused();
	pid = child_fork();
	if (!pid) {
		pause();
		_exit(KSFT_PASS);
	}
	munmap(start + size / 2, size / 2);
	expect_refused();
	child_kill(pid);
	EXPECT_EQ(0, try_unload());
}

TEST_F(unload, is_refused_while_a_lane_is_mapped)
{
	int device = device_open(), fd = box_new(device);
	struct ring out = ring_new(fd, 4096), in = ring_next(fd, 0);
	pid_t pid;

	close(fd);
	close(device);
	expect_refused();
	EXPECT_EQ(0, ring_write(&out, "text", 4));
	__atomic_store_n(&out.producer->head, out.own, __ATOMIC_RELEASE);
	EXPECT_TEXT("text", &in);
	ring_unmap(&out);
	expect_refused();
	/* Nor while only a child has it. */
	pid = child_fork();
	if (!pid) {
		pause();
		_exit(KSFT_PASS);
	}
	ring_unmap(&in);
	expect_refused();
	child_kill(pid);
	EXPECT_EQ(0, try_unload());
}

/* Each side is a file of its own kind. */
TEST_F(unload, is_refused_while_either_side_of_a_lane_is_mapped)
{
	int side;

	for (side = 0; side < 2; side++) {
		int device = device_open(), fd = box_new(device);
		struct ring rings[] = { ring_new(fd, 4096), ring_next(fd, 0) };

		close(fd);
		close(device);
		ring_unmap(&rings[!side]);
		expect_refused();
		ring_unmap(&rings[side]);
		EXPECT_EQ(0, try_unload());
		ASSERT_EQ(0, try_load(self->file));
	}
}

TEST_F(unload, is_refused_while_a_call_waits)
{
	int device = device_open();
	int fd = box_new(device);
	pid_t pid = child_fork();

	if (!pid) {
		char data[8];
		struct mailbox_receive args = receive_args(data, sizeof(data));

		args.flags = 0;
		EXPECT_EQ(0, box_receive(fd, &args));
		EXPECT_EQ(4, args.length);
		_exit(KSFT_PASS);
	}
	wait_waiters(fd, 1, 0);
	close(device);
	expect_refused();
	EXPECT_EQ(0, box_send_data(fd, "data", 4));
	child_done(pid);
	close(fd);
	EXPECT_EQ(0, try_unload());
}

TEST_F(unload, follows_a_killed_process_at_once)
{
	unsigned int *flag = flag_new();
	pid_t pid = child_fork();

	if (!pid) {
		int device = device_open();

		for (int i = 0; i < 20; i++)
			EXPECT_EQ(0, box_send_data(box_new(device), "data", 4));
		flag_raise(flag);
		pause();
	}
	flag_await(flag, 1);
	expect_refused();
	child_kill(pid);
	EXPECT_EQ(0, try_unload());
}

TEST_F(unload, takes_permanent_mailboxes_along)
{
	struct mailbox_create args = create_args();
	struct mailbox_stat entries[4];
	__u64 after = 0;
	int device = device_open();

	args.flags = MAILBOX_PERMANENT;
	args.capacity = MAILBOX_CAPACITY_UNBOUNDED;
	for (int i = 0; i < 50; i++) {
		int fd = box_create(device, &args);

		ASSERT_LE(0, fd);
		for (int j = 0; j < 50; j++)
			EXPECT_EQ(0, box_send_data(fd, entries, sizeof(entries)));
		close(fd);
	}
	close(device);
	EXPECT_EQ(0, try_unload());
	EXPECT_NE(0, access(DEVICE, F_OK));

	/* Nothing of it comes back. */
	EXPECT_EQ(0, try_load(self->file));
	device = device_open();
	EXPECT_EQ(0, box_list(device, entries, ARRAY_SIZE(entries), &after));
	EXPECT_EQ(0, device_info(device).mailboxes);
	EXPECT_EQ(0, device_info(device).messages);
	EXPECT_EQ(0, device_info(device).bytes);
	close(device);
}

TEST_F(unload, with_messages_that_will_expire)
{
	struct mailbox_create args = create_args();
	int device = device_open();
	int fd, ret;

	args.flags = MAILBOX_PERMANENT;
	for (int i = 0; i < 100; i++) {
		fd = box_create(device, &args);
		ASSERT_LE(0, fd);
		for (int j = 0; j < 5; j++) {
			struct mailbox_send send = send_args("data", 4);

			/* Some expire while the module goes. */
			send.flags |= MAILBOX_EXPIRES;
			send.expiry = now_ns() + SECOND / 100 * (i % 10 + 1);
			ret = box_send(fd, &send);
			/* A slow machine may come too late for the first ones. */
			EXPECT_TRUE(!ret || (ret == -ETIMEDOUT && now_ns() >= send.expiry))
			TH_LOG("send: %d", ret);
		}
		close(fd);
	}
	close(device);
	EXPECT_EQ(0, try_unload());
}

TEST_F(unload, and_load_twenty_times)
{
	for (int i = 0; i < 20; i++) {
		int device, fd;

		ASSERT_EQ(0, try_unload());
		ASSERT_EQ(0, try_load(self->file));
		EXPECT_EQ(-EEXIST, try_load(self->file));
		device = device_open();
		fd = box_new(device);
		EXPECT_EQ(0, box_send_data(fd, "x", 1));
		expect_refused();
		close(fd);
		close(device);
	}
}

/* Use the device whenever it is there. */
static __attribute__((noreturn)) void use_again_and_again(unsigned int *uses, unsigned int *stop)
{
	const struct timespec pause = { .tv_nsec = 100000 };
	unsigned int turn = getpid();

	while (!__atomic_load_n(stop, __ATOMIC_ACQUIRE)) {
		int device = open(DEVICE, O_RDWR | O_CLOEXEC), fd;
		char text[8];

		if (device < 0) {
			/* It goes away, is on its way, or is not yet open to all. */
			EXPECT_TRUE(errno == ENOENT || errno == ENXIO || errno == ENODEV)
			TH_LOG("open: %s", strerror(errno));
			sched_yield();
			continue;
		}
		fd = box_new(device);
		EXPECT_EQ(0, box_send_data(fd, "x", 1));
		close(device);
		/* The pauses are for chance: now it is in use when others look, now not. */
		if (turn++ % 8 == 0)
			nanosleep(&pause, NULL);
		EXPECT_EQ(1, box_receive_text(fd, text, sizeof(text)));
		close(fd);
		flag_raise(uses);
		nanosleep(&pause, NULL);
	}
	_exit(KSFT_PASS);
}

TEST_F_TIMEOUT(unload, under_load_succeeds_or_is_refused, 240)
{
	unsigned int *uses = flag_new(), *stop = flag_new();
	unsigned int unloaded = 0, refused = 0;
	pid_t pids[4];

	for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
		pids[i] = child_fork();
		if (!pids[i])
			use_again_and_again(uses, stop);
	}
	while (unloaded < 10 || refused < 10) {
		int ret = try_unload();

		if (ret) {
			EXPECT_EQ(-EWOULDBLOCK, ret);
			refused++;
		} else {
			unsigned int used = __atomic_load_n(uses, __ATOMIC_ACQUIRE);

			unloaded++;
			ASSERT_EQ(0, try_load(self->file));
			/* It works again, for all of them. */
			flag_await(uses, used + 10);
		}
		sched_yield();
	}
	flag_raise(stop);
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++)
		child_done(pids[i]);
	TH_LOG("unloaded %u times, refused %u times, used %u times", unloaded, refused, *uses);
}

TEST_HARNESS_MAIN
