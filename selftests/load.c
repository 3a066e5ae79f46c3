// SPDX-License-Identifier: GPL-2.0
/*
 * Mailboxes come and go while many threads are in every call that can wait. All of
 * them come back, and with nothing but success or the errors that say so.
 */
#include "world.h"

#include <pthread.h>

#define SLOTS  4
#define ROUNDS 4000
#define EACH   3
#define CROWD  150

enum kind {
	SEND,
	SEND_DEADLINE,
	RECEIVE,
	RECEIVE_TYPE,
	RECEIVE_SENDER,
	PEEK,
	SEND_BATCH,
	RECEIVE_BATCH,
	READ,
	WRITE,
	POLL,
	NR_KINDS,
};

static const char *const kind_names[] = {
	"send", "send with deadline", "receive",	 "receive a type", "receive from a sender",
	"peek", "send a batch",	      "receive a batch", "read",	   "write",
	"poll",
};

struct load {
	int device;
	int slots[SLOTS];
	bool stop;
	unsigned int destroyed[NR_KINDS];
	unsigned int done[NR_KINDS];
};

struct worker {
	struct load *load;
	pthread_t thread;
	enum kind kind;
	uint64_t random;
	pid_t tid;
	bool ended;
};

static uint32_t below(uint64_t *random, uint32_t limit)
{
	*random = *random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (*random >> 33) % limit;
}

static int wait_in_receive(int fd, __u32 flags, __u32 select, __u64 match)
{
	char data[64];
	struct mailbox_receive args = receive_args(data, sizeof(data));

	args.flags = flags;
	args.select = select;
	args.match = match;
	return box_receive(fd, &args);
}

static int wait_in_batch(int fd, unsigned long command)
{
	char data[3][64];
	union {
		struct mailbox_send send[3];
		struct mailbox_receive receive[3];
	} entries;
	struct mailbox_batch args = {
		.size = sizeof(args),
		.entries = user_pointer(&entries),
		.nr = 3,
	};

	for (int i = 0; i < 3; i++) {
		if (command == MAILBOX_IOC_SEND_BATCH) {
			entries.send[i] = send_args("batch", 5);
			entries.send[i].flags = 0;
			args.entry_size = sizeof(entries.send[i]);
		} else {
			entries.receive[i] = receive_args(data[i], sizeof(data[i]));
			entries.receive[i].flags = 0;
			args.entry_size = sizeof(entries.receive[i]);
		}
	}
	return call(fd, command, &args);
}

static int wait_in_call(enum kind kind, int fd)
{
	struct mailbox_send send = send_args("message", 7);
	struct pollfd entry = { .fd = fd };
	char data[64];
	ssize_t length;

	switch (kind) {
	case SEND_DEADLINE:
		send.flags = MAILBOX_DEADLINE;
		send.deadline = far_future();
		return box_send(fd, &send);
	case RECEIVE:
		return wait_in_receive(fd, 0, MAILBOX_SELECT_FIRST, 0);
	case RECEIVE_TYPE:
		return wait_in_receive(fd, 0, MAILBOX_SELECT_TYPE, 1000);
	case RECEIVE_SENDER:
		return wait_in_receive(fd, 0, MAILBOX_SELECT_SENDER, getppid());
	case PEEK:
		return wait_in_receive(fd, MAILBOX_PEEK, MAILBOX_SELECT_PRIORITY, 1000);
	case SEND_BATCH:
		return wait_in_batch(fd, MAILBOX_IOC_SEND_BATCH);
	case RECEIVE_BATCH:
		return wait_in_batch(fd, MAILBOX_IOC_RECEIVE_BATCH);
	case READ:
		length = read(fd, data, sizeof(data));
		return length < 0 ? -errno : 0;
	case WRITE:
		length = write(fd, "written", 7);
		return length < 0 ? -errno : 0;
	case POLL:
		/*
		 * Not for ever: woken, it looks the number of the descriptor up again,
		 * and may then be looking at another mailbox that wakes it no more.
		 */
		if (poll(&entry, 1, 1000) < 0)
			return -errno;
		return entry.revents & POLLHUP ? -EIDRM : 0;
	default:
		send.flags = 0;
		return box_send(fd, &send);
	}
}

static void *work(void *arg)
{
	struct worker *worker = arg;
	struct load *load = worker->load;

	worker->tid = syscall(SYS_gettid);
	while (!__atomic_load_n(&load->stop, __ATOMIC_ACQUIRE)) {
		int fd = __atomic_load_n(&load->slots[below(&worker->random, SLOTS)],
					 __ATOMIC_ACQUIRE);
		int ret = wait_in_call(worker->kind, fd);

		if (ret == -EIDRM)
			__atomic_add_fetch(&load->destroyed[worker->kind], 1, __ATOMIC_RELAXED);
		else if (!ret)
			__atomic_add_fetch(&load->done[worker->kind], 1, __ATOMIC_RELAXED);
		else
			EXPECT_EQ(-EBADF, ret) TH_LOG("in %s", kind_names[worker->kind]);
	}
	__atomic_store_n(&worker->ended, true, __ATOMIC_RELEASE);
	return NULL;
}

static void await_end(struct worker *worker)
{
	__u64 end = now_ns() + PATIENCE;

	while (!__atomic_load_n(&worker->ended, __ATOMIC_ACQUIRE)) {
		ASSERT_LT(now_ns(), end)
		TH_LOG("still in %s, state %c", kind_names[worker->kind],
		       thread_state(getpid(), worker->tid));
		sched_yield();
	}
	ASSERT_EQ(0, pthread_join(worker->thread, NULL));
}

static int random_box(struct load *load, uint64_t *random, __u64 *id)
{
	struct mailbox_create args = create_args();
	int fd;

	args.capacity = below(random, MAILBOX_CAPACITY_UNBOUNDED + 1);
	if (args.capacity == MAILBOX_CAPACITY_BOUNDED)
		args.max_messages = 1 + below(random, 3);
	if (below(random, 4) == 0)
		args.flags |= MAILBOX_PERMANENT;
	fd = box_create(load->device, &args);
	ASSERT_LE(0, fd);
	*id = args.id;
	return fd;
}

/* One of the ways in which a mailbox ends under those who wait at it. */
static void end_somehow(struct load *load, uint64_t *random, int fd, __u64 id)
{
	int other;

	switch (below(random, 4)) {
	case 0:
		EXPECT_EQ(0, box_destroy(fd, 0, NULL));
		break;
	case 1:
		EXPECT_EQ(0, box_destroy(load->device, id, NULL));
		break;
	case 2:
		/* Through a handle that is open for this only. */
		other = box_open(load->device, id, NULL, RIGHTS_ALL);
		ASSERT_LE(0, other);
		EXPECT_EQ(0, box_destroy(other, 0, NULL));
		close(other);
		break;
	default:
		/* While its queue is still growing. */
		other = box_open(load->device, id, NULL, RIGHTS_ALL);
		ASSERT_LE(0, other);
		close(fd);
		for (int i = 0; i < 5; i++)
			box_send_data(other, "last words", 10);
		EXPECT_EQ(0, box_destroy(load->device, id, NULL));
		close(other);
		return;
	}
	close(fd);
}

TEST_TIMEOUT(destroy_wakes_everybody_at_any_time, 200)
{
	static struct worker workers[NR_KINDS * EACH];
	struct load load = { .device = device_open() };
	struct usage before = usage_of_caller(load.device);
	uint64_t random = now_ns();
	__u64 ids[SLOTS];

	TH_LOG("seed %llu", (unsigned long long)random);
	for (int i = 0; i < SLOTS; i++)
		load.slots[i] = random_box(&load, &random, &ids[i]);
	for (size_t i = 0; i < ARRAY_SIZE(workers); i++) {
		workers[i] = (struct worker){ .load = &load, .kind = i % NR_KINDS, .random = i };
		ASSERT_EQ(0, pthread_create(&workers[i].thread, NULL, work, &workers[i]));
	}
	for (__u64 round = effort(ROUNDS); round; round--) {
		int slot = below(&random, SLOTS), fd = load.slots[slot];
		__u64 id = ids[slot];

		__atomic_store_n(&load.slots[slot], random_box(&load, &random, &ids[slot]),
				 __ATOMIC_RELEASE);
		for (uint32_t i = below(&random, 8); i > 0; i--)
			sched_yield();
		end_somehow(&load, &random, fd, id);
	}
	__atomic_store_n(&load.stop, true, __ATOMIC_RELEASE);
	for (int i = 0; i < SLOTS; i++)
		EXPECT_EQ(0, box_destroy(load.slots[i], 0, NULL));
	for (size_t i = 0; i < ARRAY_SIZE(workers); i++)
		await_end(&workers[i]);
	for (int i = 0; i < SLOTS; i++)
		close(load.slots[i]);

	for (int i = 0; i < NR_KINDS; i++)
		EXPECT_LT(0, load.destroyed[i]) TH_LOG("nobody was woken in %s", kind_names[i]);
	EXPECT_LT(0, load.done[SEND]);
	EXPECT_LT(0, load.done[RECEIVE]);
	EXPECT_USAGE(load.device, before);
	close(load.device);
}

struct member {
	pthread_t thread;
	enum kind kind;
	int fd;
	int ret;
};

static void *wait_once(void *arg)
{
	struct member *member = arg;

	member->ret = wait_in_call(member->kind, member->fd);
	return NULL;
}

/* More than are woken in one go while the mailbox is locked. */
static void crowd_is_woken(__u32 capacity, enum kind kind, bool fill)
{
	static struct member members[CROWD];
	int device = device_open();
	struct mailbox_create args = create_args();
	bool sends = kind == SEND;
	int fd;

	args.capacity = capacity;
	if (capacity == MAILBOX_CAPACITY_BOUNDED)
		args.max_messages = 1;
	fd = box_create(device, &args);
	ASSERT_LE(0, fd);
	if (fill)
		ASSERT_EQ(0, box_send_data(fd, "full", 4));
	for (int i = 0; i < CROWD; i++) {
		members[i] = (struct member){ .kind = kind, .fd = fd, .ret = 1 };
		ASSERT_EQ(0, pthread_create(&members[i].thread, NULL, wait_once, &members[i]));
	}
	wait_waiters(fd, sends ? 0 : CROWD, sends ? CROWD : 0);
	EXPECT_EQ(0, box_destroy(fd, 0, NULL));
	for (int i = 0; i < CROWD; i++) {
		ASSERT_EQ(0, pthread_join(members[i].thread, NULL));
		EXPECT_EQ(-EIDRM, members[i].ret);
	}
	close(fd);
	close(device);
}

TEST(crowd_of_receivers_is_woken)
{
	crowd_is_woken(MAILBOX_CAPACITY_BOUNDED, RECEIVE, false);
}

TEST(crowd_of_peekers_is_woken)
{
	crowd_is_woken(MAILBOX_CAPACITY_BOUNDED, PEEK, true);
}

TEST(crowd_of_senders_is_woken)
{
	crowd_is_woken(MAILBOX_CAPACITY_BOUNDED, SEND, true);
}

TEST(crowd_at_a_rendezvous_is_woken)
{
	crowd_is_woken(MAILBOX_CAPACITY_RENDEZVOUS, SEND, false);
}

/* Somebody opens by name what ends with its last handle at the same moment. */
static void *open_again(void *arg)
{
	struct load *load = arg;

	while (!__atomic_load_n(&load->stop, __ATOMIC_ACQUIRE)) {
		int fd = box_open(load->device, 0, "load-test", RIGHTS_ALL), ret;

		if (fd < 0) {
			EXPECT_EQ(-ENOENT, fd);
			continue;
		}
		/* Once open it works until somebody destroys it. */
		ret = box_send_data(fd, "x", 1);
		EXPECT_EQ(0, ret);
		load->done[SEND]++;
		close(fd);
	}
	return NULL;
}

TEST(opening_races_with_the_last_close)
{
	struct load load = { .device = device_open() };
	struct usage before = usage_of_caller(load.device);
	struct mailbox_create args = create_args();
	uint64_t made = 0, there = 0;
	pthread_t thread;

	args.capacity = MAILBOX_CAPACITY_UNBOUNDED;
	strcpy(args.name, "load-test");
	ASSERT_EQ(0, pthread_create(&thread, NULL, open_again, &load));
	while (made < effort(2000)) {
		int fd = box_create(load.device, &args);

		if (fd < 0) {
			EXPECT_EQ(-EEXIST, fd);
			there++;
			continue;
		}
		made++;
		close(fd);
	}
	__atomic_store_n(&load.stop, true, __ATOMIC_RELEASE);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	TH_LOG("%llu made, %llu were still there, %u opened", (unsigned long long)made,
	       (unsigned long long)there, load.done[SEND]);
	EXPECT_EQ(-ENOENT, box_open(load.device, 0, "load-test", RIGHTS_ALL));
	EXPECT_USAGE(load.device, before);
	close(load.device);
}

TEST_HARNESS_MAIN
