// SPDX-License-Identifier: GPL-2.0
/*
 * Many who read bytes of one mailbox, beside others who receive and look at messages, and handles
 * that come and go: each byte is got once, and each reader comes to the end.
 */
#include "common_stream.h"

#include <pthread.h>

#define WRITERS 3
#define READERS 3
#define LONGEST 700

struct race {
	int device;
	__u64 id;
	__u64 messages;
	/* How often each byte was sent and got; of all threads. */
	__u64 sent[256];
	__u64 got[256];
	unsigned int left;
};

static void count(__u64 *counts, const unsigned char *data, size_t length)
{
	while (length--)
		__atomic_add_fetch(&counts[*data++], 1, __ATOMIC_RELAXED);
}

static unsigned int seed_new(void)
{
	static unsigned int last;

	return __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
}

static void *write_bytes(void *argument)
{
	struct race *race = argument;
	int fd = stream_open(race->device, race->id, MAILBOX_RIGHT_SEND, 0);
	unsigned int seed = seed_new();
	unsigned char data[LONGEST];
	__u64 i;

	for (i = 0; i < race->messages; i++) {
		size_t length = rand_r(&seed) % LONGEST + 1;

		memset(data, rand_r(&seed), length);
		count(race->sent, data, length);
		ASSERT_EQ((ssize_t)length, write(fd, data, length));
	}
	close(fd);
	__atomic_sub_fetch(&race->left, 1, __ATOMIC_RELEASE);
	return NULL;
}

static void *read_bytes(void *argument)
{
	struct race *race = argument;
	int fd = stream_open(race->device, race->id, MAILBOX_RIGHT_RECEIVE, 0);
	unsigned int seed = seed_new();
	void *hole = hole_new(LONGEST);
	unsigned char data[LONGEST];
	ssize_t ret;

	for (;;) {
		/* And now and then one that fails, in the middle. */
		if (!(rand_r(&seed) % 16)) {
			ret = read(fd, hole, 100);
			ASSERT_TRUE(!ret || (ret < 0 && errno == EFAULT));
		} else {
			ret = read(fd, data, rand_r(&seed) % LONGEST + 1);
			ASSERT_LE(0, ret);
			count(race->got, data, ret);
		}
		if (!ret)
			break;
	}
	close(fd);
	return NULL;
}

/* As long as there are writers: it would wait for ever after that. */
static void *take_messages(void *argument)
{
	struct race *race = argument;
	int fd = box_open(race->device, race->id, NULL, MAILBOX_RIGHT_RECEIVE);
	unsigned char data[LONGEST];
	unsigned int seed = seed_new();

	while (__atomic_load_n(&race->left, __ATOMIC_ACQUIRE)) {
		struct mailbox_receive args = receive_args(data, sizeof(data));
		int ret;

		if (rand_r(&seed) % 4)
			args.flags |= MAILBOX_PEEK;
		ret = box_receive(fd, &args);
		ASSERT_TRUE(!ret || ret == -EAGAIN);
		if (!ret) {
			__u32 i;

			for (i = 1; i < args.length; i++)
				ASSERT_EQ(data[0], data[i]);
			if (!(args.flags & MAILBOX_PEEK))
				count(race->got, data, args.length);
		}
		sched_yield();
	}
	close(fd);
	return NULL;
}

static void run(__u32 capacity, __u64 max_messages, __u64 messages)
{
	struct race race = { .device = device_open(), .messages = messages, .left = WRITERS };
	struct mailbox_create create = create_args();
	pthread_t threads[WRITERS + READERS + 1];
	struct mailbox_stat stat;
	int fd, sender, i, nr = 0;

	create.capacity = capacity;
	create.max_messages = max_messages;
	create.message_size = LONGEST;
	fd = box_new_manage(race.device, &create);
	race.id = create.id;
	/* Or the first writer might have gone before the last has come. */
	sender = stream_writer(race.device, race.id);
	for (i = 0; i < READERS; i++)
		ASSERT_EQ(0, pthread_create(&threads[nr++], NULL, read_bytes, &race));
	ASSERT_EQ(0, pthread_create(&threads[nr++], NULL, take_messages, &race));
	for (i = 0; i < WRITERS; i++)
		ASSERT_EQ(0, pthread_create(&threads[nr++], NULL, write_bytes, &race));
	for (i = 0; i < WRITERS; i++)
		pthread_join(threads[--nr], NULL);
	close(sender);
	while (nr)
		pthread_join(threads[--nr], NULL);
	EXPECT_EQ(0, memcmp(race.sent, race.got, sizeof(race.sent)));
	stat = box_stat(fd);
	EXPECT_EQ(messages * WRITERS, stat.sent);
	EXPECT_EQ(messages * WRITERS, stat.received);
	EXPECT_EQ(0, stat.messages);
	EXPECT_EQ(0, stat.bytes);
	EXPECT_EQ(0, stat.receivers);
	close(fd);
	close(race.device);
}

TEST_TIMEOUT(each_byte_once_where_senders_wait_for_room, 240)
{
	run(MAILBOX_CAPACITY_BOUNDED, 3, effort(1000));
}

TEST_TIMEOUT(each_byte_once_where_there_is_room, 240)
{
	run(MAILBOX_CAPACITY_UNBOUNDED, 0, effort(1000));
}

TEST_TIMEOUT(each_byte_once_at_a_rendezvous, 240)
{
	run(MAILBOX_CAPACITY_RENDEZVOUS, 0, effort(500));
}

TEST_HARNESS_MAIN
