// SPDX-License-Identifier: GPL-2.0
/*
 * Callers and servers are killed at random points. Every call ends, with the answer to its
 * own request or an error that says why there is none, and in the end nothing is left.
 * MAILBOX_SEED repeats the choices of a run.
 */
#include "common_call.h"
#include "races.h"

#define CALLERS 6
#define SERVERS 4

struct world {
	uint32_t done;
	uint32_t answered;
	uint32_t canceled;
	uint32_t late;
	uint32_t number;
};

FIXTURE(call_kills)
{
	int device;
	int fd;
	struct usage before;
	struct world *world;
	uint64_t random;
	pid_t callers[CALLERS];
	pid_t servers[SERVERS];
	uint32_t lives;
};

FIXTURE_VARIANT(call_kills)
{
	__u32 capacity;
	__u64 messages;
};

FIXTURE_VARIANT_ADD(call_kills, with_room)
{
	.capacity = MAILBOX_CAPACITY_BOUNDED,
	.messages = 1024,
};

FIXTURE_VARIANT_ADD(call_kills, with_little_room)
{
	.capacity = MAILBOX_CAPACITY_BOUNDED,
	.messages = 2,
};

FIXTURE_VARIANT_ADD(call_kills, at_a_rendezvous)
{
	.capacity = MAILBOX_CAPACITY_RENDEZVOUS,
};

FIXTURE_SETUP(call_kills)
{
	struct mailbox_create args = create_args();

	race_seed_choose();
	th_say("# MAILBOX_SEED=%s", getenv("MAILBOX_SEED"));
	self->random = race_random(variant->messages);
	self->world = mmap(NULL, sizeof(*self->world), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_TRUE(self->world != MAP_FAILED);
	self->device = device_open();
	self->before = usage_of_caller(self->device);
	args.capacity = variant->capacity;
	args.max_messages = variant->messages;
	self->fd = box_create(self->device, &args);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(call_kills)
{
	close(self->device);
}

static void count(uint32_t *counter)
{
	__atomic_add_fetch(counter, 1, __ATOMIC_RELAXED);
}

/* One call; short and long answers come back as the number of the request. */
static void call_once(FIXTURE_DATA(call_kills) * self, uint64_t *random)
{
	uint32_t number = __atomic_add_fetch(&self->world->number, 1, __ATOMIC_RELAXED);
	uint32_t answer[1024] = { 0 };
	struct mailbox_call args = call_args(&number, sizeof(number), answer, sizeof(answer));
	int ret;

	args.type = number;
	if (!below(random, 4)) {
		args.flags |= MAILBOX_DEADLINE;
		args.deadline = now_ns() + below(random, SECOND / 1000);
	}
	ret = box_call(self->fd, &args);
	ASSERT_TRUE(!ret || ret == -ECANCELED || (ret == -ETIMEDOUT && args.flags))
	TH_LOG("%d", ret);
	if (ret) {
		count(ret == -ECANCELED ? &self->world->canceled : &self->world->late);
		return;
	}
	count(&self->world->answered);
	ASSERT_EQ(number, args.answer_type);
	ASSERT_EQ(0, args.answer_length % sizeof(number));
	ASSERT_EQ(number, answer[0]);
	ASSERT_EQ(number, answer[args.answer_length / sizeof(number) - 1]);
}

static __attribute__((noreturn)) void keep_calling(FIXTURE_DATA(call_kills) * self, uint64_t random)
{
	while (!__atomic_load_n(&self->world->done, __ATOMIC_ACQUIRE))
		call_once(self, &random);
	_exit(0);
}

/* Mostly it answers. */
static void end_call(int fd, uint64_t *random, const struct mailbox_receive *request,
		     uint32_t number)
{
	uint32_t answer[1024], i, words = below(random, 2) ? 1 : 1 + below(random, 1024);
	struct mailbox_reply reply = reply_args(request->lease, answer, words * sizeof(number));
	int ret;

	for (i = 0; i < words; i++)
		answer[i] = number;
	reply.type = number;
	race_delay(random);
	switch (below(random, 16)) {
	case 0:
		ret = box_ack(fd, request->lease);
		break;
	case 1:
		ret = box_nack(fd, request->lease, 0);
		break;
	default:
		ret = call(fd, MAILBOX_IOC_REPLY, &reply);
		break;
	}
	/* The caller may have been killed, or be late. */
	ASSERT_TRUE(!ret || ret == -ESTALE) TH_LOG("%d", ret);
}

static __attribute__((noreturn)) void keep_serving(FIXTURE_DATA(call_kills) * self, uint64_t random)
{
	for (;;) {
		uint32_t number = 0;
		struct mailbox_receive args = serve_args(&number, sizeof(number));

		if (!below(&random, 16))
			args.flags = 0;
		if (!below(&random, 8)) {
			args.flags = MAILBOX_LEASE;
			args.lease = 0;
		}
		ASSERT_EQ(0, box_receive(self->fd, &args));
		ASSERT_EQ(number, args.type);
		if (args.flags)
			end_call(self->fd, &random, &args, number);
	}
}

static pid_t start(FIXTURE_DATA(call_kills) * self, bool calls)
{
	uint64_t random = race_random(1000 + self->lives++);
	pid_t pid = child_fork();

	if (!pid) {
		if (calls)
			keep_calling(self, random);
		keep_serving(self, random);
	}
	return pid;
}

TEST_F_TIMEOUT(call_kills, every_call_ends, 240)
{
	uint32_t kills = effort(200), i;
	struct mailbox_stat stat;
	__u64 end;

	for (i = 0; i < CALLERS; i++)
		self->callers[i] = start(self, true);
	for (i = 0; i < SERVERS; i++)
		self->servers[i] = start(self, false);
	for (i = 0; i < kills; i++) {
		const uint32_t victim = below(&self->random, CALLERS + SERVERS);
		const bool calls = victim < CALLERS;
		pid_t *pid = calls ? &self->callers[victim] : &self->servers[victim - CALLERS];

		race_delay(&self->random);
		sched_yield();
		child_kill(*pid);
		*pid = start(self, calls);
	}
	__atomic_store_n(&self->world->done, 1, __ATOMIC_RELEASE);
	for (i = 0; i < CALLERS; i++)
		child_done(self->callers[i]);
	for (i = 0; i < SERVERS; i++)
		child_kill(self->servers[i]);
	th_say("# %u answered, %u canceled, %u late", self->world->answered, self->world->canceled,
	       self->world->late);
	EXPECT_LT(0, self->world->answered);

	/* What a caller left that was killed while a server had it is gone too. */
	end = race_hang();
	do {
		ASSERT_LT(now_ns(), end);
		stat = box_stat(self->fd);
	} while (stat.messages);
	EXPECT_EQ(0, stat.bytes);
	EXPECT_EQ(0, stat.senders);
	EXPECT_EQ(0, stat.receivers);
	close(self->fd);
	EXPECT_USAGE(self->device, self->before);
}

TEST_HARNESS_MAIN
