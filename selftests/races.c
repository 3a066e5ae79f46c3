// SPDX-License-Identifier: GPL-2.0
/*
 * Everything that can end a wait against every call that can wait. The event comes
 * before the wait, in it and after it, by chance, and often while a partner gives the
 * victim what it waits for. Whatever comes first, the outcome is one that the header
 * allows, no letter is lost or doubled, nobody is counted as waiting, and the quota is
 * what it was. Every second round waits until the victim does: then the outcome of a
 * round without a partner is exactly one.
 */
#include "common_grant.h"
#include "races_judge.h"

/* Rounds of one event against one call: about 2,000 in all. */
#define ROUNDS 20

/* A user that no other test has. */
#define USER 47110

struct partner {
	pthread_t thread;
	sem_t woken;
	sem_t done;
	struct stage *stage;
	struct round *round;
	int result;
	unsigned char letter[LETTER_MAX];
};

FIXTURE(races)
{
	int device;
	int bell;
	struct stage *stage;
	struct partner *partner;
};

FIXTURE_VARIANT(races)
{
	enum event event;
};

FIXTURE_VARIANT_ADD(races, destroy_on_the_handle)
{
	.event = DESTROY_HANDLE,
};

FIXTURE_VARIANT_ADD(races, destroy_on_the_device)
{
	.event = DESTROY_DEVICE,
};

FIXTURE_VARIANT_ADD(races, close_by_another_thread)
{
	.event = CLOSE,
};

FIXTURE_VARIANT_ADD(races, close_of_the_last_handle)
{
	.event = CLOSE_LAST,
};

FIXTURE_VARIANT_ADD(races, exec_by_another_thread)
{
	.event = EXEC,
};

FIXTURE_VARIANT_ADD(races, sigkill)
{
	.event = KILL,
};

FIXTURE_VARIANT_ADD(races, signal)
{
	.event = SIGNAL,
};

FIXTURE_VARIANT_ADD(races, signal_with_sa_restart)
{
	.event = SIGNAL_RESTART,
};

FIXTURE_VARIANT_ADD(races, deadline)
{
	.event = DEADLINE,
};

FIXTURE_VARIANT_ADD(races, revoke)
{
	.event = REVOKE,
};

static void *partner_lives(void *arg)
{
	struct partner *partner = arg;

	for (;;) {
		struct round *round;
		uint64_t random;

		stage_await_go(partner->stage, &partner->woken);
		round = partner->round;
		random = round->random ^ 3;
		race_delay(&random);
		flag_raise(&partner->stage->acting);
		partner->result = round->sends ? take_letter(round, partner->letter, STAYS) :
						 send_letter(round, OF_PARTNER, partner->letter);
		sem_post(&partner->done);
	}
	return NULL;
}

static struct mailbox_stat entry_of(const struct round *round)
{
	struct mailbox_stat entry = { .id = 0 };
	__u64 after = round->id - 1;

	if (box_list(round->device, &entry, 1, &after) != 1 || entry.id != round->id)
		entry = (struct mailbox_stat){ .id = 0 };
	return entry;
}

static bool is_waiting(const struct round *round, pid_t pid)
{
	struct mailbox_stat entry;

	if (polls(round))
		return thread_state(pid, round->stage->tid) == 'S';
	entry = entry_of(round);
	return entry.receivers + entry.senders;
}

static void await_waiting(const struct round *round, pid_t pid)
{
	__u64 end = race_hang();

	while (!is_waiting(round, pid)) {
		ASSERT_LT(now_ns(), end) describe(round);
		sched_yield();
	}
}

/* The part of the event that comes from outside the victim. */
static void fire(struct round *round, pid_t pid)
{
	static unsigned char letter[LETTER_MAX];
	uint64_t random = round->random ^ 4;
	int ret;

	if (!fires_within(round))
		stage_await_others(round, &random);
	switch (round->event) {
	case DESTROY_HANDLE:
		EXPECT_EQ(0, box_destroy(round->box, 0, NULL));
		break;
	case DESTROY_DEVICE:
		EXPECT_EQ(0, box_destroy(round->device, round->id, NULL));
		break;
	case REVOKE:
		ret = box_revoke(round->box, round->grant);
		/* The victim may have ended already, and its handle with it. */
		EXPECT_TRUE(!ret || (ret == -ENOENT && round->stage->returned)) TH_LOG("%d", ret);
		break;
	case KILL:
		EXPECT_EQ(0, kill(pid, SIGKILL));
		/* From here on it takes nothing, whether it has died already or not. */
		if (!round->sends && !polls(round))
			round->rescue_sent = !send_letter(round, OF_RESCUER, letter);
		break;
	case SIGNAL:
	case SIGNAL_RESTART:
		EXPECT_EQ(0, kill(pid, SIGUSR1));
		break;
	default:
		/* A thread of the victim sees to it, or its deadline. */
		break;
	}
}

/* Does the victim rightly wait on after the event, or may it? */
static bool may_be_rescued(const struct round *round)
{
	const struct stage *stage = round->stage;

	switch (round->event) {
	case CLOSE:
	case CLOSE_LAST:
		return __atomic_load_n(&stage->closed, __ATOMIC_ACQUIRE);
	case SIGNAL:
		return !round->surely;
	case SIGNAL_RESTART:
		return !round->surely || __atomic_load_n(&stage->handled, __ATOMIC_ACQUIRE);
	default:
		return false;
	}
}

/* Give it what it waits for; where nobody can, a signal, until one finds it waiting. */
static void rescue(struct round *round, pid_t pid)
{
	static unsigned char letter[LETTER_MAX];
	const struct timespec pause = { .tv_nsec = 200000 };
	int ret = 0;

	if (round->event == CLOSE_LAST) {
		syscall(SYS_tgkill, pid, round->stage->tid, SIGUSR1);
	} else if (round->sends) {
		ret = take_letter(round, letter, 0);
		if (!ret)
			enter_taken(round, letter);
	} else if (!round->rescue_sent) {
		ret = send_letter(round, OF_RESCUER, letter);
		round->rescue_sent = !ret;
	}
	EXPECT_TRUE(!ret || ret == -EAGAIN || ret == -ETIMEDOUT) TH_LOG("rescue: %d", ret);
	round->rescued = true;
	/* A closed descriptor is in no epoll any more, and its mailbox wakes nobody. */
	if (polls(round) && round->event == CLOSE)
		EXPECT_EQ(0, eventfd_write(round->bell, 1));
	nanosleep(&pause, NULL);
}

static int await_end(struct round *round, pid_t pid)
{
	__u64 end = race_hang();
	int status = -1;
	pid_t ret;

	while (!(ret = waitpid(pid, &status, WNOHANG))) {
		ASSERT_LT(now_ns(), end)
		{
			struct mailbox_stat entry = entry_of(round);

			describe(round);
			th_say("# the victim is in state %c; %u receivers and %u senders wait",
			       thread_state(pid, round->stage->tid), entry.receivers,
			       entry.senders);
		}
		if (may_be_rescued(round))
			rescue(round, pid);
		else
			sched_yield();
	}
	ASSERT_EQ(pid, ret);
	return status;
}

static void choose(struct round *round, enum event event, enum kind kind, uint32_t number)
{
	static const uint32_t lengths[] = { sizeof(struct letter), 64, 6000, LETTER_MAX };
	uint64_t *random = &round->random;

	round->event = event;
	round->kind = kind;
	round->number = number;
	round->salt = below(random, 1U << 30);
	round->length = lengths[below(random, ARRAY_SIZE(lengths))];
	round->sends = polls(round) ? below(random, 2) : kind >= SEND;
	/* A deadline comes from the beginning on, whoever waits. */
	round->surely = number % 2 == 0 && event != DEADLINE;
	/* The first round has none and the next one has, for what is expected of each. */
	round->has_partner = number < 2 ? number : below(random, 2);
	if (event == CLOSE_LAST)
		round->has_partner = false;
	round->follows_call = below(random, 2);
	round->follows_partner = round->has_partner && below(random, 2);
	round->main_thread_fires = below(random, 2);
	round->patience = below(random, STAYS);
	if (kind == RENDEZVOUS)
		round->capacity = MAILBOX_CAPACITY_RENDEZVOUS;
	else if (!round->sends && !polls(round))
		round->capacity = below(random, MAILBOX_CAPACITY_UNBOUNDED + 1);
}

static void set_up(struct round *round)
{
	struct mailbox_create args = create_args();
	struct stage *stage = round->stage;

	args.capacity = round->capacity;
	if (round->capacity == MAILBOX_CAPACITY_BOUNDED)
		args.max_messages = round->sends ? 1 : 8;
	round->box = box_create(round->device, &args);
	ASSERT_LE(0, round->box);
	round->id = args.id;
	/* Not the same one: the victim's must be the only reference to its handle. */
	round->fd = round->event == REVOKE ? box_restrict(round->box, RIGHTS_ALL, &round->grant) :
					     box_open(round->device, round->id, NULL, RIGHTS_ALL);
	ASSERT_LE(0, round->fd);
	if (round->sends && round->capacity == MAILBOX_CAPACITY_BOUNDED) {
		ASSERT_EQ(0, send_letter(round, FILLS, stage->letters[0]));
		round->book.fate[FILLS] = SENT;
	}
	if (round->event == CLOSE_LAST) {
		close(round->box);
		round->box = -1;
	}
	memset(stage, 0, offsetof(struct stage, letters));
	ASSERT_EQ(0, sem_init(&stage->woken, 1, 0));
	for (int i = 0; i < BATCH; i++) {
		memset(stage->letters[i], 0, sizeof(struct letter));
		if (round->sends)
			letter_write(stage->letters[i], round->salt, OF_VICTIM + i, round->length);
	}
}

static void start_all(struct round *round, struct partner *partner)
{
	struct stage *stage = round->stage;

	if (round->has_partner) {
		partner->round = round;
		sem_post(&partner->woken);
	}
	if (fires_within(round))
		sem_post(&stage->woken);
	flag_await(&stage->ready, round->has_partner + fires_within(round));
	flag_raise(&stage->go);
}

static void run(struct round *round, struct partner *partner)
{
	struct usage before = usage_of_caller(round->device);
	int status;
	pid_t pid;

	set_up(round);
	pid = child_fork();
	if (!pid) {
		close(round->box);
		victim(round);
	}
	close(round->fd);
	flag_await(&round->stage->armed, 1);
	if (round->surely)
		await_waiting(round, pid);
	start_all(round, partner);
	fire(round, pid);
	status = await_end(round, pid);
	if (round->has_partner) {
		while (sem_wait(&partner->done))
			;
		judge_partner(round, partner->result, partner->letter);
	}
	if (round->rescue_sent)
		round->book.fate[OF_RESCUER] = SENT;
	judge_victim(round, status);
	judge_mailbox(round);
	close(round->box);
	EXPECT_USAGE(round->device, before);
	if (th_report->failures) {
		describe(round);
		th_abort();
	}
}

FIXTURE_SETUP(races)
{
	self->device = device_open();
	become(USER, USER);
	self->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ASSERT_LE(0, self->bell);
	self->stage = mmap(NULL, sizeof(*self->stage), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_TRUE(self->stage != MAP_FAILED);
	self->partner = calloc(1, sizeof(*self->partner));
	ASSERT_TRUE(self->partner);
	self->partner->stage = self->stage;
	ASSERT_EQ(0, sem_init(&self->partner->woken, 0, 0));
	ASSERT_EQ(0, sem_init(&self->partner->done, 0, 0));
	ASSERT_EQ(0, pthread_create(&self->partner->thread, NULL, partner_lives, self->partner));
}

/* The partner goes with the process. */
FIXTURE_TEARDOWN(races)
{
	close(self->device);
}

#define OUTCOMES 200

static void say_outcomes(enum kind kind, uint32_t rounds, const unsigned int *outcomes)
{
	char text[256] = "";
	size_t used = 0;

	for (int i = 0; i < OUTCOMES; i++)
		if (outcomes[i])
			used += snprintf(text + used, sizeof(text) - used, ", %u %s", outcomes[i],
					 i == OUTCOMES - 1 ? "died in it" :
					 i		   ? strerrorname_np(i) :
							     "succeeded");
	th_say("# %s: %u rounds%s", kind_names[kind], rounds, text);
}

TEST_F_TIMEOUT(races, against_every_wait, 120)
{
	uint64_t random = race_random(variant->event);
	uint32_t rounds = race_rounds(ROUNDS);

	th_say("# MAILBOX_SEED=%s", getenv("MAILBOX_SEED"));
	for (enum kind kind = 0; kind < NR_KINDS; kind++) {
		unsigned int outcomes[OUTCOMES] = { 0 };

		/* There is no way to give these one. */
		if (variant->event == DEADLINE && (kind == READ || kind == WRITE))
			continue;
		for (uint32_t i = 0; i < rounds; i++) {
			struct stage *stage = self->stage;
			struct round round = {
				.device = self->device,
				.bell = self->bell,
				.stage = stage,
				.random = random,
			};
			eventfd_t value;

			choose(&round, variant->event, kind, i);
			random = round.random;
			run(&round, self->partner);
			eventfd_read(self->bell, &value);
			outcomes[stage->returned ? -stage->result : OUTCOMES - 1]++;
		}
		say_outcomes(kind, rounds, outcomes);
	}
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "after-exec"))
		return after_exec(argv[2]);
	race_seed_choose();
	return th_main(argc, argv);
}
