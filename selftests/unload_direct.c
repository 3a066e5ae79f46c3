// SPDX-License-Identifier: GPL-2.0
/*
 * Inboxes and links do not keep the module: it can be unloaded when no device is open, however
 * many there are and whoever lives, and then nothing is left of them. MAILBOX_KO is the file
 * that the module is loaded from again.
 */
#include "common_direct.h"
#include "races.h"
#include "unload.h"

#define CROWD  8
#define ROUNDS 30

FIXTURE(unload_direct)
{
	const char *file;
	uint64_t random;
	/* In shared memory, as are the flags. */
	pid_t *pids;
	unsigned int *ready;
	unsigned int *go;
};

FIXTURE_SETUP(unload_direct)
{
	self->file = module_file();
	self->random = race_random(1);
	self->pids = mmap(NULL, CROWD * sizeof(pid_t), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_TRUE(self->pids != MAP_FAILED);
	self->ready = flag_new();
	self->go = flag_new();
}

FIXTURE_TEARDOWN(unload_direct)
{
	if (self->file && !is_loaded())
		EXPECT_EQ(0, try_load(self->file));
}

/* As if it had never been there. */
static void load_and_expect_nothing(const char *file)
{
	struct mailbox_info info;
	struct mailbox_link link;
	__u64 after = 0;
	int device;

	ASSERT_EQ(0, try_load(file));
	device = device_open();
	info = device_info(device);
	EXPECT_EQ(0, info.mailboxes);
	EXPECT_EQ(0, info.messages);
	EXPECT_EQ(0, info.bytes);
	EXPECT_EQ(0, direct_links(device, &link, 1, &after));
	EXPECT_EQ(-EAGAIN, direct_nothing(device, 0));
	close(device);
}

TEST_F(unload_direct, is_refused_while_the_device_is_open_somewhere)
{
	int device = device_open();
	pid_t child = child_fork();

	if (!child) {
		ASSERT_EQ(0, direct_send(device, getppid(), "x"));
		flag_raise(self->ready);
		flag_await(self->go, 1);
		close(device);
		flag_raise(self->ready);
		pause();
	}
	flag_await(self->ready, 1);
	ASSERT_EQ(0, direct_send(device, child, "y"));
	expect_refused();
	close(device);
	expect_refused();
	flag_raise(self->go);
	flag_await(self->ready, 2);
	/* Both processes live, have each an inbox with a message, and a link. */
	EXPECT_EQ(0, try_unload());
	EXPECT_FALSE(is_loaded());
	EXPECT_NE(0, access(DEVICE, F_OK));
	load_and_expect_nothing(self->file);
	child_kill(child);
}

TEST_F(unload_direct, is_refused_while_a_process_waits_for_another)
{
	int device = device_open();
	pid_t child = child_fork();

	if (!child) {
		char text[8];

		EXPECT_EQ(1, direct_receive(device, getppid(), 0, text, sizeof(text), NULL));
		_exit(KSFT_PASS);
	}
	wait_sleeping(child, child);
	expect_refused();
	EXPECT_EQ(0, direct_send(device, child, "x"));
	child_done(child);
	close(device);
	EXPECT_EQ(0, try_unload());
	load_and_expect_nothing(self->file);
}

static void *receive_for_ever(void *arg)
{
	char text[8];

	direct_receive(*(int *)arg, 0, 0, text, sizeof(text), NULL);
	return NULL;
}

/* The call holds the device: no descriptor does any more. */
TEST_F(unload_direct, is_refused_while_a_call_waits_whose_descriptor_was_closed)
{
	pid_t child = child_fork();

	if (!child) {
		int device = device_open();
		pthread_t thread;
		pid_t tid;

		ASSERT_EQ(0, pthread_create(&thread, NULL, receive_for_ever, &device));
		/* There are two: the other one. */
		for (tid = getpid() + 1; !thread_state(getpid(), tid); tid++)
			;
		wait_sleeping(getpid(), tid);
		close(device);
		flag_raise(self->ready);
		pause();
	}
	flag_await(self->ready, 1);
	expect_refused();
	child_kill(child);
	EXPECT_EQ(0, try_unload());
	load_and_expect_nothing(self->file);
}

/* What keeps an inbox without a link: what its process has said, and that it has polled. */
TEST_F(unload_direct, takes_inboxes_along_that_are_kept)
{
	int device = device_open(), other = device_open();

	ASSERT_EQ(0, direct_allow(device, MAILBOX_ALLOW_ANYBODY));
	EXPECT_EQ(0, poll_now(device, POLLIN));
	EXPECT_EQ(0, poll_now(other, POLLIN));
	EXPECT_EQ(1, device_info(device).mailboxes);
	close(device);
	expect_refused();
	close(other);
	EXPECT_EQ(0, try_unload());
	load_and_expect_nothing(self->file);
}

/* One of a crowd: it has sent to all, has no device open any more, and lives on. */
static __attribute__((noreturn)) void send_to_all(FIXTURE_DATA(unload_direct) * self, int number)
{
	int device, i;

	/* All are known then. */
	flag_await(self->go, 1);
	device = device_open();
	for (i = 0; i < CROWD; i++)
		if (i != number)
			ASSERT_EQ(0, direct_send(device, self->pids[i], "kept"));
	close(device);
	flag_raise(self->ready);
	for (;;)
		pause();
}

static void crowd_start(FIXTURE_DATA(unload_direct) * self)
{
	int i;

	*self->ready = 0;
	*self->go = 0;
	for (i = 0; i < CROWD; i++) {
		const pid_t pid = child_fork();

		if (!pid)
			send_to_all(self, i);
		self->pids[i] = pid;
	}
	flag_raise(self->go);
	flag_await(self->ready, CROWD);
}

/*
 * The processes end before the module is unloaded, just then, or after it: the module knows
 * of that by an entry in a queue of theirs, which must not outlive it.
 */
TEST_F_TIMEOUT(unload_direct, while_processes_end, 240)
{
	const uint32_t rounds = race_rounds(ROUNDS);
	uint32_t round;

	th_say("# MAILBOX_SEED=%s", getenv("MAILBOX_SEED"));
	for (round = 0; round < rounds; round++) {
		pid_t unloader;
		int i;

		crowd_start(self);
		unloader = child_fork();
		if (!unloader) {
			flag_raise(self->go);
			ASSERT_EQ(0, try_unload());
			_exit(KSFT_PASS);
		}
		if (round)
			race_await(self->go, 2);
		else
			child_done(unloader);
		for (i = 0; i < CROWD; i++) {
			if (round > 1)
				race_delay(&self->random);
			ASSERT_EQ(0, kill(self->pids[i], SIGKILL));
		}
		if (round)
			child_done(unloader);
		for (i = 0; i < CROWD; i++)
			ASSERT_EQ(self->pids[i], waitpid(self->pids[i], NULL, 0));
		EXPECT_FALSE(is_loaded());
		load_and_expect_nothing(self->file);
	}
}

/* Whoever was killed with the device open has closed it, and what waited for it is gone. */
TEST_F(unload_direct, follows_killed_processes_at_once)
{
	int round, i;

	for (round = 0; round < 5; round++) {
		pid_t peer = sleeper_fork(), child[4];

		*self->ready = 0;
		for (i = 0; i < 4; i++) {
			child[i] = child_fork();
			if (!child[i]) {
				int device = device_open();

				EXPECT_EQ(0, poll_now(device, POLLIN));
				while (!direct_send(device, peer, "x"))
					;
				flag_raise(self->ready);
				pause();
			}
		}
		flag_await(self->ready, 4);
		expect_refused();
		for (i = 0; i < 4; i++)
			child_kill(child[i]);
		EXPECT_EQ(0, try_unload());
		load_and_expect_nothing(self->file);
		child_kill(peer);
	}
}

int main(int argc, char **argv)
{
	race_seed_choose();
	return th_main(argc, argv);
}
