// SPDX-License-Identifier: GPL-2.0
/*
 * libmailbox: the ring of a lane, without the kernel. A mutex and a condition stand for the
 * two calls that sleep and wake; what they do with the words of the state page is what the
 * module does. By hand, under a tool that finds data races::
 *
 *	gcc -fsanitize=thread -Wno-tsan -D_GNU_SOURCE -O2 -g -pthread -Iuapi -Itools/lib \
 *		selftests/library_ring.c -o ring && ./ring
 */
#include "common.h"

#include <pthread.h>
#include <sys/mman.h>

#if __has_include("ring.h")
#include "ring.h"

#define BYTES	 4096U
#define MESSAGES 30000U

struct pages {
	struct mailbox_lane_state state;
	uint64_t tail;
	uint64_t head;
};

FIXTURE(ring)
{
	struct pages pages;
	struct mbx_ring_out out;
	struct mbx_ring_in in;
	pthread_mutex_t lock;
	pthread_cond_t sender, receiver;
	unsigned int sender_slept, receiver_slept;
};

static char *map_twice(size_t bytes)
{
	int fd = memfd_create("ring", MFD_CLOEXEC);
	char *start = mmap(NULL, 2 * bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned int i;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(fd, bytes));
	ASSERT_TRUE(start != MAP_FAILED);
	for (i = 0; i < 2; i++)
		ASSERT_TRUE(mmap(start + i * bytes, bytes, PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_FIXED, fd, 0) != MAP_FAILED);
	close(fd);
	return start;
}

FIXTURE_SETUP(ring)
{
	struct mbx_ring ring = {
		.state = &self->pages.state,
		.head = &self->pages.head,
		.tail = &self->pages.tail,
		.data = map_twice(BYTES),
		.bytes = BYTES,
	};

	self->out.ring = ring;
	self->in.ring = ring;
	pthread_mutex_init(&self->lock, NULL);
	pthread_cond_init(&self->sender, NULL);
	pthread_cond_init(&self->receiver, NULL);
}

FIXTURE_TEARDOWN(ring)
{
	munmap(self->out.ring.data, 2 * BYTES);
}

/* So that the end of the ring is met at each place of a record: both ends there. */
static void move_to(FIXTURE_DATA(ring) * self, uint64_t position)
{
	self->pages.head = position;
	self->pages.tail = position;
	self->out.head = position;
	self->out.committed = position;
	self->out.tail = position;
	self->in.head = position;
	self->in.tail = position;
	self->in.released = position;
}

static bool add(FIXTURE_DATA(ring) * self, const char *text)
{
	uint32_t length = strlen(text);

	if (mbx_ring_has_room(&self->out, mbx_ring_needs(length)) != 1)
		return false;
	memcpy(mbx_ring_add(&self->out, length), text, length);
	return true;
}

/* What mbx_ring_next() says; the payload goes to text. */
static int next(FIXTURE_DATA(ring) * self, char *text, size_t size)
{
	const void *data;
	uint32_t length = POISON32;
	int ret = mbx_ring_next(&self->in, &data, &length);

	if (ret == 1) {
		ASSERT_LT(length, size);
		memcpy(text, data, length);
		text[length] = 0;
	}
	return ret;
}

TEST_F(ring, shows_what_was_committed_and_nothing_else)
{
	char text[16];

	EXPECT_EQ(0, next(self, text, sizeof(text)));
	EXPECT_TRUE(add(self, "one"));
	EXPECT_TRUE(add(self, ""));
	EXPECT_EQ(0, next(self, text, sizeof(text)));
	EXPECT_FALSE(mbx_ring_commit(&self->out));
	EXPECT_TRUE(add(self, "three"));
	EXPECT_EQ(1, next(self, text, sizeof(text)));
	EXPECT_STREQ("one", text);
	EXPECT_EQ(1, next(self, text, sizeof(text)));
	EXPECT_STREQ("", text);
	EXPECT_EQ(0, next(self, text, sizeof(text)));
}

TEST_F(ring, keeps_a_record_in_one_piece_at_its_end)
{
	char text[64];
	uint64_t position;

	for (position = BYTES - 64; position < BYTES + 64; position += 8) {
		move_to(self, position);
		ASSERT_TRUE(add(self, "some text that is longer than what is left"));
		mbx_ring_commit(&self->out);
		ASSERT_EQ(1, next(self, text, sizeof(text)));
		EXPECT_STREQ("some text that is longer than what is left", text);
	}
}

TEST_F(ring, goes_on_when_positions_wrap)
{
	char text[16];
	unsigned int i;

	move_to(self, -32ULL);
	for (i = 0; i < 8; i++) {
		ASSERT_TRUE(add(self, "text"));
		mbx_ring_commit(&self->out);
		ASSERT_EQ(1, next(self, text, sizeof(text)));
		EXPECT_STREQ("text", text);
		mbx_ring_release(&self->in);
	}
	EXPECT_EQ(96, self->pages.tail);
}

TEST_F(ring, is_full_to_the_last_byte_and_has_room_when_released)
{
	char text[BYTES];
	uint32_t length = BYTES - sizeof(struct mailbox_lane_record);

	EXPECT_EQ(1, mbx_ring_has_room(&self->out, BYTES));
	EXPECT_EQ(0, mbx_ring_has_room(&self->out, BYTES + 8));
	memset(mbx_ring_add(&self->out, length), 'x', length);
	EXPECT_EQ(0, mbx_ring_has_room(&self->out, mbx_ring_needs(0)));
	mbx_ring_commit(&self->out);
	ASSERT_EQ(1, next(self, text, sizeof(text)));
	EXPECT_EQ(length, strlen(text));
	EXPECT_EQ(0, mbx_ring_has_room(&self->out, mbx_ring_needs(0)));
	mbx_ring_release(&self->in);
	EXPECT_EQ(1, mbx_ring_has_room(&self->out, BYTES));
}

/* Also behind a tail that no honest receiver has. */
TEST_F(ring, has_room_at_once_for_what_fits_and_no_more)
{
	uint64_t used;
	size_t length;

	move_to(self, 3 * BYTES);
	for (used = 0; used <= BYTES; used += used % 64 ? 1 : 29) {
		self->out.tail = self->out.head - used;
		for (length = 0; length <= BYTES + 16; length++)
			ASSERT_EQ(length <= BYTES && mbx_ring_needs(length) <= BYTES - used,
				  mbx_ring_has_room_now(&self->out, length));
		for (length = (1ULL << 32) - 16; length <= (1ULL << 32) + 16; length++)
			ASSERT_FALSE(mbx_ring_has_room_now(&self->out, length));
		ASSERT_FALSE(mbx_ring_has_room_now(&self->out, SIZE_MAX));
	}
}

TEST_F(ring, gives_again_what_was_undone)
{
	const void *data;
	uint32_t length;
	char text[16];

	ASSERT_TRUE(add(self, "one"));
	ASSERT_TRUE(add(self, "two"));
	mbx_ring_commit(&self->out);
	ASSERT_EQ(1, next(self, text, sizeof(text)));
	ASSERT_EQ(1, mbx_ring_next(&self->in, &data, &length));
	mbx_ring_undo(&self->in, length);
	mbx_ring_release(&self->in);
	EXPECT_EQ(mbx_ring_needs(3), self->pages.tail);
	ASSERT_EQ(1, next(self, text, sizeof(text)));
	EXPECT_STREQ("two", text);
}

TEST_F(ring, wakes_only_who_sleeps)
{
	char text[16];

	self->pages.state.receiver_sleeps = 1;
	EXPECT_FALSE(mbx_ring_commit(&self->out));
	ASSERT_TRUE(add(self, "one"));
	EXPECT_TRUE(mbx_ring_commit(&self->out));
	self->pages.state.receiver_sleeps = 0;
	self->pages.state.sender_sleeps = 1;
	EXPECT_FALSE(mbx_ring_release(&self->in));
	ASSERT_EQ(1, next(self, text, sizeof(text)));
	EXPECT_TRUE(mbx_ring_release(&self->in));
}

TEST_F(ring, refuses_a_head_that_makes_no_sense)
{
	static const uint64_t heads[] = { 4, 1, BYTES + 8, -8ULL, 1ULL << 63, UINT64_MAX };
	char text[16];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(heads); i++) {
		self->pages.head = heads[i];
		EXPECT_EQ(-1, next(self, text, sizeof(text)));
		EXPECT_EQ(0, self->in.tail);
	}
}

TEST_F(ring, refuses_a_length_beyond_what_was_committed)
{
	static const uint32_t lengths[] = { 9,	       16,	  BYTES - 8,
					    BYTES,     INT32_MAX, UINT32_MAX - 7,
					    UINT32_MAX };
	struct mailbox_lane_record *record = (void *)self->in.ring.data;
	char text[16];
	unsigned int i;

	self->pages.head = 16;
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		record->length = lengths[i];
		EXPECT_EQ(-1, next(self, text, sizeof(text)));
		EXPECT_EQ(0, self->in.tail);
	}
	record->length = 8;
	EXPECT_EQ(1, next(self, text, sizeof(text)));
}

TEST_F(ring, refuses_a_tail_that_makes_no_sense)
{
	static const uint64_t tails[] = { 24, BYTES, -8ULL, 1ULL << 63 };
	unsigned int i;

	ASSERT_TRUE(add(self, "text"));
	mbx_ring_commit(&self->out);
	/* Not committed, so not to be read yet: 16 is the most that tail can be. */
	ASSERT_TRUE(add(self, "more"));
	for (i = 0; i < ARRAY_SIZE(tails); i++) {
		self->pages.tail = tails[i];
		EXPECT_EQ(-1, mbx_ring_has_room(&self->out, BYTES));
	}
	self->pages.tail = 16;
	EXPECT_EQ(0, mbx_ring_has_room(&self->out, BYTES));
	EXPECT_EQ(16, self->out.tail);
	/* Nor does it go back. */
	self->pages.tail = 8;
	EXPECT_EQ(-1, mbx_ring_has_room(&self->out, BYTES));
}

/* --- two threads ------------------------------------------------------ */

/* As the module: say that one sleeps, full barrier, look, sleep. */
static void sleep_until_room(FIXTURE_DATA(ring) * self, uint64_t needs)
{
	pthread_mutex_lock(&self->lock);
	__atomic_store_n(&self->pages.state.sender_sleeps, 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	while (self->pages.state.sender_sleeps &&
	       BYTES - (self->out.committed -
			__atomic_load_n(&self->pages.tail, __ATOMIC_ACQUIRE)) <
		       needs) {
		self->sender_slept++;
		pthread_cond_wait(&self->sender, &self->lock);
	}
	pthread_mutex_unlock(&self->lock);
}

static void sleep_until_message(FIXTURE_DATA(ring) * self)
{
	pthread_mutex_lock(&self->lock);
	__atomic_store_n(&self->pages.state.receiver_sleeps, 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	while (self->pages.state.receiver_sleeps &&
	       __atomic_load_n(&self->pages.head, __ATOMIC_ACQUIRE) == self->in.released) {
		self->receiver_slept++;
		pthread_cond_wait(&self->receiver, &self->lock);
	}
	pthread_mutex_unlock(&self->lock);
}

static void wake(FIXTURE_DATA(ring) * self, __u32 *sleeps, pthread_cond_t *who)
{
	pthread_mutex_lock(&self->lock);
	__atomic_store_n(sleeps, 0, __ATOMIC_RELAXED);
	pthread_cond_signal(who);
	pthread_mutex_unlock(&self->lock);
}

static void commit(FIXTURE_DATA(ring) * self)
{
	if (mbx_ring_commit(&self->out))
		wake(self, &self->pages.state.receiver_sleeps, &self->receiver);
}

static void release(FIXTURE_DATA(ring) * self)
{
	if (mbx_ring_release(&self->in))
		wake(self, &self->pages.state.sender_sleeps, &self->sender);
}

/* Lengths of all kinds, and payloads that tell which they are, byte for byte. */
static uint32_t length_of(uint32_t number)
{
	return number * 2654435761U >> 23;
}

static unsigned char byte_of(uint32_t number, uint32_t at)
{
	return number * 31 + at;
}

static void send_all(FIXTURE_DATA(ring) * self)
{
	uint32_t number, length, i;
	unsigned char *to;
	int ret;

	for (number = 0; number < MESSAGES; number++) {
		length = length_of(number);
		while (!(ret = mbx_ring_has_room(&self->out, mbx_ring_needs(length)))) {
			commit(self);
			sleep_until_room(self, mbx_ring_needs(length));
		}
		if (ret < 0)
			break;
		to = mbx_ring_add(&self->out, length);
		for (i = 0; i < length; i++)
			to[i] = byte_of(number, i);
		/* Batches of one, and of more. */
		if (number % 7 < 3)
			commit(self);
	}
	commit(self);
}

static void *sender_thread(void *self)
{
	send_all(self);
	return NULL;
}

static bool is_right(uint32_t number, const unsigned char *data, uint32_t length)
{
	uint32_t i;

	if (length != length_of(number))
		return false;
	for (i = 0; i < length; i++)
		if (data[i] != byte_of(number, i))
			return false;
	return true;
}

TEST_F(ring, loses_nothing_between_two_threads)
{
	uint32_t number = 0, length = 0;
	const void *data = NULL;
	pthread_t sender;
	int ret;

	ASSERT_EQ(0, pthread_create(&sender, NULL, sender_thread, self));
	while (number < MESSAGES) {
		ret = mbx_ring_next(&self->in, &data, &length);
		ASSERT_LE(0, ret);
		if (!ret) {
			release(self);
			sleep_until_message(self);
			continue;
		}
		ASSERT_TRUE(is_right(number, data, length));
		if (++number % 5)
			release(self);
	}
	release(self);
	ASSERT_EQ(0, pthread_join(sender, NULL));
	EXPECT_EQ(self->pages.head, self->pages.tail);
	/* Else it has not shown that they wake each other. */
	EXPECT_NE(0, self->sender_slept + self->receiver_slept);
}

#else

TEST(ring)
{
	SKIP(return, "the library is not there");
}

#endif

TEST_HARNESS_MAIN
