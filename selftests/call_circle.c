// SPDX-License-Identifier: GPL-2.0
/*
 * Servers that call before they answer, in a circle of mailboxes: calls come back to where
 * they began, and each waits for another. There is a deadline for some, others end by signals,
 * and anybody is killed at any moment. Every call ends, with its own answer or a reason, and
 * in the end nothing is left. MAILBOX_SEED repeats the choices of a run.
 */
#include "common_call.h"
#include "races.h"

#define BOXES 3
/* For each of them. */
#define SERVERS 2
#define CALLERS 4
#define ALL	(BOXES * SERVERS + CALLERS)

/* Of calls, each made by the server of the one before: that is once round and more. */
#define DEPTH 8

struct request {
	uint32_t number;
	uint32_t depth;
};

/* What a server says of the call that it made, or had not to make. */
struct outcome {
	uint32_t number;
	int32_t ret;
};

struct world {
	uint32_t done;
	uint32_t number;
	uint32_t answered;
	uint32_t nested;
	uint32_t canceled;
	uint32_t late;
	uint32_t interrupted;
};

FIXTURE(call_circle)
{
	int device;
	int boxes[BOXES];
	struct usage before;
	struct world *world;
	uint64_t random;
	pid_t pids[ALL];
	uint32_t lives;
};

static void on_signal(int number)
{
	(void)number;
}

/* Half of them start again what nobody has. */
static void take_signals(uint64_t *random)
{
	struct sigaction action = {
		.sa_handler = on_signal,
		.sa_flags = below(random, 2) ? SA_RESTART : 0,
	};

	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
}

FIXTURE_SETUP(call_circle)
{
	struct mailbox_create args = create_args();
	int i;

	race_seed_choose();
	self->random = race_random(1);
	/* For children that have not come so far. */
	take_signals(&self->random);
	self->world = mmap(NULL, sizeof(*self->world), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_TRUE(self->world != MAP_FAILED);
	self->device = device_open();
	self->before = usage_of_caller(self->device);
	/* One is a rendezvous, and one is soon full. */
	for (i = 0; i < BOXES; i++) {
		args.capacity = i == 1 ? MAILBOX_CAPACITY_RENDEZVOUS : MAILBOX_CAPACITY_BOUNDED;
		args.max_messages = i == 2 ? 2 : 0;
		self->boxes[i] = box_create(self->device, &args);
		ASSERT_LE(0, self->boxes[i]);
	}
}

FIXTURE_TEARDOWN(call_circle)
{
	struct mailbox_stat stat;
	__u64 end = race_hang();
	int i;

	/* What a caller left that was killed while a server had it is gone too. */
	for (i = 0; i < BOXES; i++) {
		do {
			ASSERT_LT(now_ns(), end);
			stat = box_stat(self->boxes[i]);
		} while (stat.messages);
		EXPECT_EQ(0, stat.bytes);
		EXPECT_EQ(0, stat.senders);
		EXPECT_EQ(0, stat.receivers);
		EXPECT_EQ(0, stat.leased);
		close(self->boxes[i]);
	}
	EXPECT_USAGE(self->device, self->before);
	close(self->device);
}

static void count(uint32_t *counter)
{
	__atomic_add_fetch(counter, 1, __ATOMIC_RELAXED);
}

/* One call, to be answered by its number: what it ended with. */
static int call_once(FIXTURE_DATA(call_circle) * self, int box, uint32_t depth, uint64_t *random)
{
	struct world *world = self->world;
	struct request request = { __atomic_add_fetch(&world->number, 1, __ATOMIC_RELAXED), depth };
	struct outcome outcome = { 0, 0 };
	struct mailbox_call args = call_args(&request, sizeof(request), &outcome, sizeof(outcome));
	int ret;

	if (below(random, 2)) {
		args.flags |= MAILBOX_DEADLINE;
		args.deadline = now_ns() + below(random, SECOND / 100);
	}
	ret = box_call(self->boxes[box % BOXES], &args);
	switch (ret) {
	case 0:
		ASSERT_EQ(sizeof(outcome), args.answer_length);
		ASSERT_EQ(request.number, outcome.number);
		count(&world->answered);
		break;
	case -ECANCELED:
		count(&world->canceled);
		break;
	case -ETIMEDOUT:
		ASSERT_TRUE(args.flags & MAILBOX_DEADLINE);
		count(&world->late);
		break;
	default:
		ASSERT_EQ(-EINTR, ret);
		count(&world->interrupted);
		break;
	}
	return ret;
}

static __attribute__((noreturn)) void keep_calling(FIXTURE_DATA(call_circle) * self,
						   uint64_t random)
{
	while (!__atomic_load_n(&self->world->done, __ATOMIC_ACQUIRE))
		call_once(self, below(&random, BOXES), below(&random, DEPTH), &random);
	_exit(KSFT_PASS);
}

/* It calls the next mailbox before it answers, and each answer and the next request are one. */
static __attribute__((noreturn)) void keep_serving(FIXTURE_DATA(call_circle) * self, int box,
						   uint64_t random)
{
	struct outcome outcome = { 0, 0 };
	__u64 token = 0;

	for (;;) {
		struct request request = { 0, 0 };
		struct mailbox_receive receive = serve_args(&request, sizeof(request));
		struct mailbox_reply reply = reply_args(token, &outcome, sizeof(outcome));
		int ret;

		reply.receive = user_pointer(&receive);
		ret = call(self->boxes[box], MAILBOX_IOC_REPLY_RECEIVE, &reply);
		if (!ret && token)
			ret = -reply.error;
		token = 0;
		/* Who called has given up, or a signal came first. */
		ASSERT_TRUE(!ret || ret == -ESTALE || ret == -EINTR) TH_LOG("%d", ret);
		if (ret)
			continue;
		ASSERT_EQ(MAILBOX_IS_CALL, receive.result);
		token = receive.lease;
		outcome = (struct outcome){ request.number, 0 };
		if (!request.depth)
			continue;
		outcome.ret = call_once(self, box + 1, request.depth - 1, &random);
		if (!outcome.ret)
			count(&self->world->nested);
	}
}

static void start(FIXTURE_DATA(call_circle) * self, int number)
{
	uint64_t random = race_random(1000 + self->lives++);

	self->pids[number] = child_fork();
	if (self->pids[number])
		return;
	take_signals(&random);
	if (number < CALLERS)
		keep_calling(self, random);
	keep_serving(self, number % BOXES, random);
}

/* Without a deadline a circle ends by a signal only: they go on until the callers are done. */
static void end_callers(FIXTURE_DATA(call_circle) * self)
{
	const __u64 end = race_hang();
	int left = CALLERS, status, i;

	__atomic_store_n(&self->world->done, 1, __ATOMIC_RELEASE);
	while (left) {
		ASSERT_LT(now_ns(), end);
		for (i = 0; i < ALL; i++) {
			if (!self->pids[i])
				continue;
			ASSERT_EQ(0, kill(self->pids[i], SIGUSR1));
			if (i >= CALLERS || !waitpid(self->pids[i], &status, WNOHANG))
				continue;
			EXPECT_EQ(0, status);
			self->pids[i] = 0;
			left--;
		}
		sched_yield();
	}
}

TEST_F_TIMEOUT(call_circle, every_call_ends, 240)
{
	const uint32_t rounds = race_rounds(600);
	struct world *world = self->world;
	uint32_t round;
	int i;

	th_say("# MAILBOX_SEED=%s", getenv("MAILBOX_SEED"));
	for (i = 0; i < ALL; i++)
		start(self, i);
	for (round = 0; round < rounds; round++) {
		const uint32_t victim = below(&self->random, ALL);

		race_delay(&self->random);
		sched_yield();
		if (below(&self->random, 3)) {
			ASSERT_EQ(0, kill(self->pids[victim], SIGUSR1));
			continue;
		}
		child_kill(self->pids[victim]);
		start(self, victim);
	}
	end_callers(self);
	for (i = CALLERS; i < ALL; i++)
		child_kill(self->pids[i]);
	th_say("# %u answered, %u of them nested, %u canceled, %u late, %u interrupted",
	       world->answered, world->nested, world->canceled, world->late, world->interrupted);
	EXPECT_LT(0, world->answered);
}

/* Two servers that call each other before they answer, and one who calls the first of them. */
struct circle {
	pid_t pids[3];
	/* What their calls ended with, in shared memory. */
	int *rets;
};

/* The call of the second server comes back to the first, which is busy. Nobody has a deadline. */
static struct circle circle_new(FIXTURE_DATA(call_circle) * self)
{
	const int serves[] = { -1, self->boxes[0], self->boxes[2] };
	const int calls[] = { self->boxes[0], self->boxes[2], self->boxes[0] };
	struct circle circle;
	int i;

	circle.rets = mmap(NULL, 3 * sizeof(int), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_TRUE(circle.rets != MAP_FAILED);
	for (i = 0; i < 3; i++) {
		struct sigaction action = { .sa_handler = on_signal };
		struct mailbox_call args = call_args("x", 1, NULL, 0);
		__u64 token = 0;
		int ret;

		circle.pids[i] = child_fork();
		if (circle.pids[i])
			continue;
		ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
		if (i)
			token = box_serve(serves[i]);
		circle.rets[i] = box_call(calls[i], &args);
		if (i) {
			ret = box_reply(serves[i], token, "");
			EXPECT_TRUE(!ret || ret == -ESTALE) TH_LOG("%d", ret);
		}
		_exit(KSFT_PASS);
	}
	wait_queued(self->boxes[0], 2);
	wait_queued(self->boxes[2], 1);
	EXPECT_EQ(1, box_stat(self->boxes[0]).leased);
	EXPECT_EQ(1, box_stat(self->boxes[2]).leased);
	for (i = 0; i < 3; i++)
		wait_sleeping(circle.pids[i], circle.pids[i]);
	return circle;
}

static void expect_ended(const struct circle *circle, int who, int ret)
{
	child_done(circle->pids[who]);
	EXPECT_EQ(ret, circle->rets[who]);
}

/* Whoever gets it: the others have what follows from that. */
TEST_F(call_circle, ends_by_a_signal)
{
	struct circle circle = circle_new(self);

	ASSERT_EQ(0, kill(circle.pids[2], SIGUSR1));
	expect_ended(&circle, 2, -EINTR);
	expect_ended(&circle, 1, 0);
	expect_ended(&circle, 0, 0);

	circle = circle_new(self);
	ASSERT_EQ(0, kill(circle.pids[1], SIGUSR1));
	expect_ended(&circle, 1, -EINTR);
	expect_ended(&circle, 0, 0);
	/* That one waits for another server now. */
	ASSERT_EQ(0, kill(circle.pids[2], SIGUSR1));
	expect_ended(&circle, 2, -EINTR);

	circle = circle_new(self);
	ASSERT_EQ(0, kill(circle.pids[0], SIGUSR1));
	expect_ended(&circle, 0, -EINTR);
	/* The circle of the others is as it was. */
	ASSERT_EQ(0, kill(circle.pids[2], SIGUSR1));
	expect_ended(&circle, 2, -EINTR);
	expect_ended(&circle, 1, 0);
}

TEST_F(call_circle, ends_when_one_is_killed)
{
	struct circle circle = circle_new(self);

	child_kill(circle.pids[2]);
	expect_ended(&circle, 1, -ECANCELED);
	expect_ended(&circle, 0, 0);

	circle = circle_new(self);
	child_kill(circle.pids[1]);
	expect_ended(&circle, 0, -ECANCELED);
	child_kill(circle.pids[2]);
}

TEST_HARNESS_MAIN
