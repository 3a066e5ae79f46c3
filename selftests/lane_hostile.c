// SPDX-License-Identifier: GPL-2.0
/*
 * Lanes: who writes what it likes, as fast as it can, wherever it may, spoils its own messages
 * and nothing else.
 */
#include "world.h"

#include "common_lane.h"

FIXTURE(lane_hostile)
{
	int device;
	int fd;
	__u64 id;
	/* The hostile ones end when it is raised. */
	unsigned int *flag;
};

FIXTURE_SETUP(lane_hostile)
{
	self->device = device_open();
	self->fd = box_new(self->device);
	self->id = box_stat(self->fd).id;
	self->flag = flag_new();
}

FIXTURE_TEARDOWN(lane_hostile)
{
	close(self->fd);
	close(self->device);
}

static __u64 next_random(__u64 *random)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return *random;
}

/* Near to what is right, often: that is where checks are wrong. */
static __u64 some_index(__u64 *random, __u64 near, __u64 bytes)
{
	switch (next_random(random) % 6) {
	case 0:
		return next_random(random);
	case 1:
		return near + bytes + next_random(random) % 17 - 8;
	case 2:
		return near - next_random(random) % 64;
	case 3:
		return near + next_random(random) % bytes;
	case 4:
		return near + 8 * (next_random(random) % (bytes / 8));
	default:
		return near;
	}
}

/* Any call on any lane, with any number. */
static void some_call(int fd, __u64 *random, __u64 bytes)
{
	const __u32 flags = next_random(random) % 2 ? MAILBOX_LANE_RECEIVE : 0;
	struct mailbox_lane_wait args = {
		.size = sizeof(args),
		.flags = flags | (next_random(random) % 2 ? MAILBOX_NONBLOCK : MAILBOX_DEADLINE),
		.deadline = now_ns() + next_random(random) % 100000,
		.room = flags ? 0 : some_index(random, 0, bytes),
		.opened = flags ? next_random(random) % 4 : 0,
		.lane = next_random(random) % 4,
	};

	if (next_random(random) % 2)
		lane_wake(fd, flags, next_random(random) % 4);
	else
		lane_wait(fd, &args);
	poll_now(fd, POLLIN | POLLOUT);
}

static void scribble_sender(FIXTURE_DATA(lane_hostile) * self, __u64 random)
{
	int fd = box_open(self->device, self->id, NULL, SEND);
	struct ring out = ring_new(fd, 4096);

	flag_raise(self->flag);
	while (__atomic_load_n(self->flag, __ATOMIC_RELAXED) < 100) {
		const __u64 tail = __atomic_load_n(&out.consumer->tail, __ATOMIC_RELAXED);

		for (int i = 0; i < 64; i++) {
			__u64 *word = (__u64 *)out.data + next_random(&random) % 512;

			*(volatile __u64 *)word = some_index(&random, 0, 4096);
			__atomic_store_n(&out.producer->head, some_index(&random, tail, 4096),
					 __ATOMIC_RELAXED);
		}
		/* All of the page, not only its first word. */
		memset((char *)out.producer + 8, next_random(&random), page_size() - 8);
		if (next_random(&random) % 4 == 0)
			some_call(fd, &random, 4096);
	}
	_exit(KSFT_PASS);
}

static void honest_sender(FIXTURE_DATA(lane_hostile) * self, __u64 nr)
{
	int fd = box_open(self->device, self->id, NULL, SEND);
	struct ring out = ring_new(fd, 4096);

	flag_raise(self->flag);
	for (__u64 i = 0; i < nr; i++) {
		__u64 data[3] = { i, ~i, i * i };

		ASSERT_EQ(0, ring_send(&out, data, sizeof(data)));
	}
	_exit(KSFT_PASS);
}

/* Nothing to be believed, nor to be hurt by. */
static void look_at(struct ring *ring)
{
	char data[4096];
	int ret = ring_get(ring, data, sizeof(data));

	EXPECT_TRUE(ret >= 0 || ret == -EAGAIN || ret == -EBADMSG);
	/* As the library closes it; here it is to go on, from where the sender says it is. */
	if (ret == -EBADMSG) {
		ring->own = __atomic_load_n(&ring->producer->head, __ATOMIC_RELAXED) & ~7ULL;
		__atomic_store_n(&ring->consumer->tail, ring->own, __ATOMIC_RELEASE);
	}
}

TEST_F_TIMEOUT(lane_hostile, a_sender, 300)
{
	const __u64 nr = effort(10000);
	struct ring rings[2], *honest = NULL, *hostile = NULL;
	pid_t pids[2] = { child_fork() };
	__u64 got[3], next = 0;

	if (!pids[0])
		scribble_sender(self, 88172645463325252ULL);
	flag_await(self->flag, 1);
	pids[1] = child_fork();
	if (!pids[1])
		honest_sender(self, nr);
	flag_await(self->flag, 2);
	rings[0] = ring_next(self->fd, 0);
	rings[1] = ring_next(self->fd, rings[0].number);
	hostile = &rings[0];
	honest = &rings[1];
	while (next < nr) {
		struct mailbox_lane_wait args = lane_wait_args(0, 2);
		int ret;

		ASSERT_EQ(0, lane_wait(self->fd, &args));
		EXPECT_EQ(0, args.ready & ~3ULL);
		EXPECT_EQ(0, ring_ended(hostile));
		look_at(hostile);
		while ((ret = ring_get(honest, got, sizeof(got))) != -EAGAIN) {
			ASSERT_EQ(sizeof(got), ret);
			ASSERT_EQ(next, got[0]);
			ASSERT_EQ(~next, got[1]);
			ASSERT_EQ(next * next, got[2]);
			next++;
		}
	}
	child_done(pids[1]);
	__atomic_store_n(self->flag, 100, __ATOMIC_RELEASE);
	child_done(pids[0]);
	EXPECT_EQ(0, lane_close(self->fd, MAILBOX_LANE_RECEIVE, 0));
	EXPECT_EQ(0, box_stat(self->fd).lanes);
	ring_unmap(&rings[0]);
	ring_unmap(&rings[1]);
}

static void scribble_receiver(FIXTURE_DATA(lane_hostile) * self, __u64 random)
{
	int fd = box_open(self->device, self->id, NULL, RECEIVE);
	struct ring in = ring_next(fd, 0);

	flag_raise(self->flag);
	while (__atomic_load_n(self->flag, __ATOMIC_RELAXED) < 100) {
		const __u64 head = __atomic_load_n(&in.producer->head, __ATOMIC_RELAXED);

		for (int i = 0; i < 64; i++)
			__atomic_store_n(&in.consumer->tail, some_index(&random, head, 4096),
					 __ATOMIC_RELAXED);
		memset((char *)in.consumer + 8, next_random(&random), page_size() - 8);
		if (next_random(&random) % 4 == 0)
			some_call(fd, &random, 4096);
	}
	_exit(KSFT_PASS);
}

TEST_F_TIMEOUT(lane_hostile, a_receiver, 300)
{
	const __u64 nr = effort(10000);
	int fd = box_open(self->device, self->id, NULL, SEND), box = box_new(self->device);
	int other = box_open(self->device, box_stat(box).id, NULL, SEND);
	struct ring out = ring_new(fd, 4096), good = ring_new(other, 4096);
	struct ring in = ring_next(box, 0);
	pid_t pid = child_fork();
	__u64 got;

	if (!pid) {
		/* Or it would keep the lane of the parent. */
		close(fd);
		scribble_receiver(self, 88172645463325252ULL);
	}
	flag_await(self->flag, 1);
	for (__u64 i = 0; i < nr; i++) {
		struct mailbox_lane_wait args = lane_room_args(MAILBOX_DEADLINE, 64);
		int ret = ring_put(&out, &i, sizeof(i));

		EXPECT_TRUE(!ret || ret == -EAGAIN || ret == -EBADMSG);
		args.deadline = now_ns() + 100000;
		ret = lane_wait(fd, &args);
		EXPECT_TRUE(!ret || ret == -ETIMEDOUT);
		/* At another mailbox all is as ever. */
		ASSERT_EQ(0, ring_put(&good, &i, sizeof(i)));
		ASSERT_EQ(sizeof(got), ring_get(&in, &got, sizeof(got)));
		ASSERT_EQ(i, got);
	}
	EXPECT_EQ(0, ring_ended(&out));
	__atomic_store_n(self->flag, 100, __ATOMIC_RELEASE);
	child_done(pid);
	EXPECT_EQ(MAILBOX_LANE_RECEIVER_GONE, ring_ended(&out));
	ring_unmap(&out);
	ring_unmap(&good);
	ring_unmap(&in);
	close(other);
	close(box);
	close(fd);
}

/* A sender that lies about what it has written is a nuisance to the receiver, who closes it. */
TEST_F(lane_hostile, one_that_is_always_ready_is_closed)
{
	int fd = box_open(self->device, self->id, NULL, SEND);
	struct ring out = ring_new(fd, 4096), in = ring_next(self->fd, 0);
	static const __u64 heads[] = { 4097, 1, UINT64_MAX, UINT64_MAX - 7, 1ULL << 63, 8, 4096 };
	char data[4096];

	/* The last two say that there is a record, and it is longer than that. */
	((struct mailbox_lane_record *)out.data)->length = 4089;
	for (size_t i = 0; i < ARRAY_SIZE(heads); i++) {
		out.producer->head = heads[i];
		EXPECT_EQ(1, lane_ready(self->fd, 1));
		EXPECT_EQ(-EBADMSG, ring_get(&in, data, sizeof(data)));
		EXPECT_EQ(0, in.consumer->tail);
	}
	ASSERT_EQ(0, lane_close(self->fd, MAILBOX_LANE_RECEIVE, 1));
	EXPECT_EQ(-EAGAIN, lane_ready(self->fd, 1));
	/* And one whose receiver lies has room, as far as the kernel is asked. */
	ring_unmap(&in);
	ring_unmap(&out);
	ASSERT_EQ(0, lane_close(fd, 0, 0));
	out = ring_new(fd, 4096);
	in = ring_next(self->fd, 1);
	in.consumer->tail = 8;
	EXPECT_EQ(0, lane_room(fd, 4096));
	EXPECT_EQ(-EBADMSG, ring_put(&out, data, 8));
	in.consumer->tail = UINT64_MAX - 4095;
	EXPECT_EQ(-EAGAIN, lane_room(fd, 8));
	ring_unmap(&in);
	ring_unmap(&out);
	close(fd);
}

TEST_HARNESS_MAIN
