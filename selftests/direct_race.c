// SPDX-License-Identifier: GPL-2.0
/*
 * Links by chance: both sides are the first at once, again and again, and there is exactly
 * one; and one of the two is killed at any moment, from before the first message on, and what
 * it has sent by then arrives. MAILBOX_SEED repeats the choices of a run.
 */
#include "common_direct.h"
#include "races.h"

/* Each meets each once, so a crowd makes 276 links. */
#define CROWD  24
#define PAIRS  (CROWD * (CROWD - 1) / 2)
#define CROWDS 8

#define KILLS 300

/* Shared by all processes. */
struct scene {
	/* How many have come to a meeting, and found when they had sent that both had. */
	unsigned int met;
	unsigned int seen;
	pid_t pids[CROWD];
	/* What each of two has sent for certain. */
	unsigned int sent[2];
};

FIXTURE(direct_race)
{
	int device;
	struct mailbox_info before;
	struct scene *scene;
	uint64_t random;
	/* To each of a crowd: whom it meets; and from all: that they have. */
	int orders[CROWD][2];
	int reports[2];
	/* To two that speak. */
	int starts[2];
};

FIXTURE_SETUP(direct_race)
{
	race_seed_choose();
	th_say("# MAILBOX_SEED=%s", getenv("MAILBOX_SEED"));
	self->random = race_random(1);
	self->device = device_open();
	self->before = settled_info(self->device);
	self->scene = mmap(NULL, sizeof(*self->scene), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_TRUE(self->scene != MAP_FAILED);
}

FIXTURE_TEARDOWN(direct_race)
{
	wait_quota(self->device, &self->before);
	close(self->device);
}

struct order {
	int whom;
	/* How many will have met then. */
	unsigned int met;
};

/* Both go on at about the same moment, or one a little later. Neither waits for long. */
static void meet(struct scene *scene, unsigned int met, uint64_t *random)
{
	uint32_t turns = below(random, 2) ? below(random, 1000) : 0, spins = 3000;

	flag_raise(&scene->met);
	while (spins-- && __atomic_load_n(&scene->met, __ATOMIC_ACQUIRE) < met)
		;
	while (turns--)
		__asm__ volatile("" ::: "memory");
}

static __attribute__((noreturn)) void meet_each(FIXTURE_DATA(direct_race) * self, int number)
{
	uint64_t random = race_random(100 + number);
	struct order order;
	char text[64];

	for (;;) {
		pid_t peer, sender;

		ASSERT_EQ(sizeof(order), read(self->orders[number][0], &order, sizeof(order)));
		peer = self->scene->pids[order.whom];
		meet(self->scene, order.met, &random);
		ASSERT_EQ(0, direct_send(self->device, peer, "first"));
		if (__atomic_load_n(&self->scene->met, __ATOMIC_ACQUIRE) >= order.met)
			flag_raise(&self->scene->seen);
		ASSERT_EQ(5, direct_receive(self->device, peer, 0, text, sizeof(text), &sender));
		ASSERT_STREQ("first", text);
		ASSERT_EQ(peer, sender);
		ASSERT_EQ(1, write(self->reports[1], "", 1));
	}
}

/* Those two meet, and nobody else runs. */
static void have_met(FIXTURE_DATA(direct_race) * self, int one, int other, unsigned int met)
{
	struct order to_one = { other, met }, to_other = { one, met };
	char done[2];
	int i;

	ASSERT_EQ(sizeof(to_one), write(self->orders[one][1], &to_one, sizeof(to_one)));
	ASSERT_EQ(sizeof(to_other), write(self->orders[other][1], &to_other, sizeof(to_other)));
	for (i = 0; i < 2; i++)
		ASSERT_EQ(1, read(self->reports[0], &done[i], 1));
}

/* Every link that there is has carried one message each way, and there are so many. */
static void expect_links(int device, int expected)
{
	struct mailbox_link entries[64];
	int nr, i, found = 0;
	__u64 after = 0;

	while ((nr = direct_links(device, entries, ARRAY_SIZE(entries), &after)) > 0)
		for (i = 0; i < nr; i++) {
			ASSERT_EQ(1, entries[i].sent);
			ASSERT_EQ(1, entries[i].received);
			ASSERT_EQ(0, entries[i].unread);
			ASSERT_EQ(0, entries[i].peer_unread);
			found++;
		}
	ASSERT_EQ(0, nr);
	ASSERT_EQ(expected, found);
}

TEST_F_TIMEOUT(direct_race, both_are_first_and_there_is_one_link, 240)
{
	const uint32_t crowds = race_rounds(CROWDS);
	unsigned int met = 0;
	uint32_t crowd;
	int i, j;

	ASSERT_EQ(0, pipe2(self->reports, O_CLOEXEC));
	for (i = 0; i < CROWD; i++)
		ASSERT_EQ(0, pipe2(self->orders[i], O_CLOEXEC));
	for (crowd = 0; crowd < crowds; crowd++) {
		for (i = 0; i < CROWD; i++) {
			const pid_t pid = child_fork();

			if (!pid)
				meet_each(self, i);
			self->scene->pids[i] = pid;
		}
		for (i = 0; i < CROWD; i++)
			for (j = i + 1; j < CROWD; j++)
				have_met(self, i, j, met += 2);
		expect_links(self->device, PAIRS);
		for (i = 0; i < CROWD; i++)
			child_kill(self->scene->pids[i]);
		expect_links(self->device, 0);
		wait_quota(self->device, &self->before);
	}
	/* Whoever sends last sees it. */
	th_say("# %u meetings, %u of them at once", met / 2, self->scene->seen - met / 2);
}

/*
 * They send each other numbers, in turn, until the other has ended. Then what it has sent is
 * here: no less than it has counted, and one more if it was killed before it could.
 */
static __attribute__((noreturn)) void speak(FIXTURE_DATA(direct_race) * self, int side)
{
	struct scene *scene = self->scene;
	unsigned int got = 0, sent = 0;
	char text[64];
	pid_t peer;
	int ret;

	/* Both are known then. */
	ASSERT_EQ(1, read(self->starts[0], text, 1));
	peer = scene->pids[!side];
	for (;;) {
		snprintf(text, sizeof(text), "%u", sent + 1);
		ret = direct_send(self->device, peer, text);
		ASSERT_TRUE(!ret || ret == -ESRCH) TH_LOG("send: %d", ret);
		if (!ret)
			__atomic_store_n(&scene->sent[side], ++sent, __ATOMIC_RELEASE);
		ret = direct_receive(self->device, peer, 0, text, sizeof(text), NULL);
		if (ret == -ESRCH)
			break;
		ASSERT_LT(0, ret);
		ASSERT_EQ(++got, strtoul(text, NULL, 10));
	}
	sent = __atomic_load_n(&scene->sent[!side], __ATOMIC_ACQUIRE);
	ASSERT_TRUE(got == sent || got == sent + 1) TH_LOG("%u of %u", got, sent);
	ASSERT_EQ(-ESRCH, direct_send(self->device, peer, "late"));
	ASSERT_EQ(-EAGAIN, direct_nothing(self->device, 0));
	ASSERT_EQ(0, direct_count(self->device, getpid(), NULL));
	_exit(KSFT_PASS);
}

TEST_F_TIMEOUT(direct_race, either_is_killed_at_any_moment, 240)
{
	const uint32_t rounds = race_rounds(KILLS);
	unsigned int before_the_first = 0, sent = 0;
	struct scene *scene = self->scene;
	uint32_t round;

	for (round = 0; round < rounds; round++) {
		const int victim = below(&self->random, 2);
		int side;

		/* One that is killed at once leaves something in it. */
		ASSERT_EQ(0, pipe2(self->starts, O_CLOEXEC));
		scene->sent[0] = 0;
		scene->sent[1] = 0;
		for (side = 0; side < 2; side++) {
			const pid_t pid = child_fork();

			if (!pid)
				speak(self, side);
			scene->pids[side] = pid;
		}
		ASSERT_EQ(2, write(self->starts[1], "ab", 2));
		race_delay(&self->random);
		if (below(&self->random, 2))
			kill_unreaped(scene->pids[victim]);
		else
			child_kill(scene->pids[victim]);
		child_done(scene->pids[!victim]);
		waitpid(scene->pids[victim], NULL, 0);
		close(self->starts[0]);
		close(self->starts[1]);
		before_the_first += !scene->sent[victim];
		sent += scene->sent[victim];
	}
	th_say("# %u killed, %u of them before their first message, %u messages", rounds,
	       before_the_first, sent);
}

TEST_HARNESS_MAIN
