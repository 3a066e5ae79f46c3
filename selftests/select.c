// SPDX-License-Identifier: GPL-2.0
/*
 * Which message a receive is about: every selection, and all of them against a plain
 * array in random order.
 */
#include "common.h"

#include <pthread.h>

FIXTURE(select)
{
	int device;
	int fd;
	char text[32];
};

FIXTURE_SETUP(select)
{
	self->device = device_open();
	self->fd = box_new(self->device);
}

FIXTURE_TEARDOWN(select)
{
	close(self->fd);
	close(self->device);
}

/* Takes with this selection: 0 with the text, or a negative errno. */
static int take(FIXTURE_DATA(select) * self, __u32 select, __u64 match)
{
	struct mailbox_receive args = receive_args(self->text, sizeof(self->text) - 1);
	int ret;

	args.select = select;
	args.match = match;
	ret = box_receive(self->fd, &args);
	self->text[ret ? 0 : args.length] = '\0';
	return ret;
}

#define EXPECT_TAKES(self, text_, select, match) \
	do { \
		EXPECT_EQ(0, take((self), (select), (match))); \
		EXPECT_STREQ((text_), (self)->text); \
	} while (0)

TEST_F(select, first_goes_by_priority_then_arrival)
{
	ASSERT_EQ(0, box_send_text(self->fd, "a", 0, 1));
	ASSERT_EQ(0, box_send_text(self->fd, "b", 0, 5));
	ASSERT_EQ(0, box_send_text(self->fd, "c", 0, 1));
	ASSERT_EQ(0, box_send_text(self->fd, "d", 0, 5));
	ASSERT_EQ(0, box_send_text(self->fd, "e", 0, 3));
	EXPECT_TAKES(self, "b", MAILBOX_SELECT_FIRST, 0);
	EXPECT_TAKES(self, "d", MAILBOX_SELECT_FIRST, UINT64_MAX);
	EXPECT_TAKES(self, "e", MAILBOX_SELECT_FIRST, 0);
	EXPECT_TAKES(self, "a", MAILBOX_SELECT_FIRST, 0);
	EXPECT_TAKES(self, "c", MAILBOX_SELECT_FIRST, 0);
	EXPECT_EQ(-EAGAIN, take(self, MAILBOX_SELECT_FIRST, 0));
}

TEST_F(select, type_takes_the_first_of_that_type)
{
	ASSERT_EQ(0, box_send_text(self->fd, "a", 1, 0));
	ASSERT_EQ(0, box_send_text(self->fd, "b", 2, 9));
	ASSERT_EQ(0, box_send_text(self->fd, "c", 1, 4));
	ASSERT_EQ(0, box_send_text(self->fd, "d", 1, 4));
	EXPECT_TAKES(self, "c", MAILBOX_SELECT_TYPE, 1);
	EXPECT_TAKES(self, "d", MAILBOX_SELECT_TYPE, 1);
	EXPECT_TAKES(self, "a", MAILBOX_SELECT_TYPE, 1);
	EXPECT_EQ(-EAGAIN, take(self, MAILBOX_SELECT_TYPE, 1));
	EXPECT_EQ(-EAGAIN, take(self, MAILBOX_SELECT_TYPE, 0));
	EXPECT_EQ(-EAGAIN, take(self, MAILBOX_SELECT_TYPE, 2 | 1ULL << 32));
	EXPECT_TAKES(self, "b", MAILBOX_SELECT_TYPE, 2);
}

TEST_F(select, two_types_interleaved_keep_their_orders)
{
	char text[16];
	int i;

	for (i = 0; i < 100; i++) {
		sprintf(text, "%d", i);
		ASSERT_EQ(0, box_send_text(self->fd, text, i % 2, 0));
	}
	for (i = 0; i < 50; i++) {
		sprintf(text, "%d", 2 * i + 1);
		EXPECT_TAKES(self, text, MAILBOX_SELECT_TYPE, 1);
		sprintf(text, "%d", 2 * i);
		EXPECT_TAKES(self, text, MAILBOX_SELECT_TYPE, 0);
	}
}

TEST_F(select, type_up_to_takes_the_lowest_type)
{
	ASSERT_EQ(0, box_send_text(self->fd, "a", 7, 0));
	ASSERT_EQ(0, box_send_text(self->fd, "b", 3, 0));
	ASSERT_EQ(0, box_send_text(self->fd, "c", 5, 30000));
	ASSERT_EQ(0, box_send_text(self->fd, "d", 3, 1));
	EXPECT_EQ(-EAGAIN, take(self, MAILBOX_SELECT_TYPE_UP_TO, 2));
	EXPECT_TAKES(self, "d", MAILBOX_SELECT_TYPE_UP_TO, 6);
	EXPECT_TAKES(self, "b", MAILBOX_SELECT_TYPE_UP_TO, 3);
	EXPECT_TAKES(self, "c", MAILBOX_SELECT_TYPE_UP_TO, UINT64_MAX);
	EXPECT_EQ(-EAGAIN, take(self, MAILBOX_SELECT_TYPE_UP_TO, 6));
	EXPECT_TAKES(self, "a", MAILBOX_SELECT_TYPE_UP_TO, 7);
}

TEST_F(select, type_not_passes_over_one_type)
{
	ASSERT_EQ(0, box_send_text(self->fd, "a", 4, 9));
	ASSERT_EQ(0, box_send_text(self->fd, "b", 6, 1));
	ASSERT_EQ(0, box_send_text(self->fd, "c", 2, 3));
	ASSERT_EQ(0, box_send_text(self->fd, "d", 4, 9));
	EXPECT_TAKES(self, "c", MAILBOX_SELECT_TYPE_NOT, 4);
	EXPECT_TAKES(self, "a", MAILBOX_SELECT_TYPE_NOT, 5);
	EXPECT_TAKES(self, "b", MAILBOX_SELECT_TYPE_NOT, 4);
	EXPECT_EQ(-EAGAIN, take(self, MAILBOX_SELECT_TYPE_NOT, 4));
	EXPECT_TAKES(self, "d", MAILBOX_SELECT_TYPE_NOT, 6);
}

TEST_F(select, priority_takes_the_first_if_it_is_high_enough)
{
	ASSERT_EQ(0, box_send_text(self->fd, "a", 0, 10));
	ASSERT_EQ(0, box_send_text(self->fd, "b", 0, 20));
	ASSERT_EQ(0, box_send_text(self->fd, "c", 0, 20));
	EXPECT_EQ(-EAGAIN, take(self, MAILBOX_SELECT_PRIORITY, 21));
	EXPECT_EQ(-EAGAIN, take(self, MAILBOX_SELECT_PRIORITY, UINT64_MAX));
	EXPECT_EQ(-EAGAIN, take(self, MAILBOX_SELECT_PRIORITY, 1ULL << 32));
	EXPECT_TAKES(self, "b", MAILBOX_SELECT_PRIORITY, 20);
	EXPECT_TAKES(self, "c", MAILBOX_SELECT_PRIORITY, 0);
	EXPECT_EQ(-EAGAIN, take(self, MAILBOX_SELECT_PRIORITY, 11));
	EXPECT_TAKES(self, "a", MAILBOX_SELECT_PRIORITY, 10);
}

TEST_F(select, index_peeks_in_the_order_of_receiving)
{
	static const char *const order[] = { "b", "d", "c", "a" };
	struct mailbox_receive args;
	unsigned int i;

	ASSERT_EQ(0, box_send_text(self->fd, "a", 0, 0));
	ASSERT_EQ(0, box_send_text(self->fd, "b", 0, 2));
	ASSERT_EQ(0, box_send_text(self->fd, "c", 0, 1));
	ASSERT_EQ(0, box_send_text(self->fd, "d", 0, 2));
	for (i = 0; i < 6; i++) {
		char byte[2] = { 0 };

		args = receive_args(byte, 1);
		args.flags |= MAILBOX_PEEK;
		args.select = MAILBOX_SELECT_INDEX;
		args.match = i;
		EXPECT_EQ(i < 4 ? 0 : -EAGAIN, box_receive(self->fd, &args));
		if (i < 4)
			EXPECT_STREQ(order[i], byte);
	}
	args.match = UINT64_MAX;
	EXPECT_EQ(-EAGAIN, box_receive(self->fd, &args));
	EXPECT_EQ(4, box_stat(self->fd).messages);
}

/* A child that sends one message and stays until it is told to end. */
static pid_t sender(FIXTURE_DATA(select) * self, const char *text, unsigned int *sent)
{
	pid_t pid = child_fork();

	if (!pid) {
		ASSERT_EQ(0, box_send_text(self->fd, text, 0, 0));
		flag_raise(sent);
		for (;;)
			pause();
	}
	flag_await(sent, 1);
	return pid;
}

TEST_F(select, sender_takes_from_that_process)
{
	unsigned int *sent[3];
	pid_t pids[3];
	int i;

	for (i = 0; i < 3; i++) {
		char text[2] = { 'a' + i };

		sent[i] = flag_new();
		pids[i] = sender(self, text, sent[i]);
	}
	ASSERT_EQ(0, box_send_text(self->fd, "mine", 0, 0));
	EXPECT_TAKES(self, "c", MAILBOX_SELECT_SENDER, pids[2]);
	EXPECT_TAKES(self, "mine", MAILBOX_SELECT_SENDER, getpid());
	EXPECT_EQ(-EAGAIN, take(self, MAILBOX_SELECT_SENDER, pids[2]));
	EXPECT_TAKES(self, "a", MAILBOX_SELECT_SENDER, pids[0]);
	EXPECT_TAKES(self, "b", MAILBOX_SELECT_SENDER, pids[1]);
	for (i = 0; i < 3; i++)
		child_kill(pids[i]);
}

TEST_F(select, messages_of_a_sender_outlive_it)
{
	unsigned int *sent = flag_new();
	pid_t pid = sender(self, "last words", sent);

	child_kill(pid);
	EXPECT_TAKES(self, "last words", MAILBOX_SELECT_SENDER, pid);
	EXPECT_EQ(-ESRCH, take(self, MAILBOX_SELECT_SENDER, pid));
}

TEST_F(select, a_sender_that_never_was_is_esrch)
{
	pid_t pid = child_fork();

	if (!pid)
		_exit(0);
	child_done(pid);
	ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	EXPECT_REFUSED(self->device, self->fd, ESRCH, take(self, MAILBOX_SELECT_SENDER, pid));
}

static void *send_from_a_thread(void *fd)
{
	EXPECT_EQ(0, box_send_text(*(int *)fd, "thread", 0, 0));
	return NULL;
}

TEST_F(select, messages_of_all_threads_are_of_the_process)
{
	pthread_t thread;

	ASSERT_EQ(0, box_send_text(self->fd, "process", 0, 0));
	ASSERT_EQ(0, pthread_create(&thread, NULL, send_from_a_thread, &self->fd));
	pthread_join(thread, NULL);
	EXPECT_TAKES(self, "process", MAILBOX_SELECT_SENDER, getpid());
	EXPECT_TAKES(self, "thread", MAILBOX_SELECT_SENDER, getpid());
}

#define ENDED 150

TEST_F(select, each_of_many_senders_that_have_ended)
{
	pid_t pids[ENDED];

	for (int i = 0; i < ENDED; i++) {
		pids[i] = child_fork();
		if (!pids[i])
			_exit(box_send_data(self->fd, &i, sizeof(i)) ? KSFT_FAIL : KSFT_PASS);
		child_done(pids[i]);
	}
	for (int i = ENDED - 1; i >= 0; i--) {
		EXPECT_EQ(0, take(self, MAILBOX_SELECT_SENDER, pids[i]));
		EXPECT_EQ(0, memcmp(self->text, &i, sizeof(i)));
		EXPECT_EQ(-ESRCH, take(self, MAILBOX_SELECT_SENDER, pids[i]));
	}
}

/* Whether anything is left of so many processes is seen by who looks for leaks. */
TEST_F(select, many_senders_that_have_nothing)
{
	for (int i = 0; i < ENDED; i++) {
		pid_t pid = child_fork();

		if (!pid)
			pause();
		EXPECT_EQ(-EAGAIN, take(self, MAILBOX_SELECT_SENDER, pid));
		child_kill(pid);
	}
}

static void *wait_for_the_end(void *stop)
{
	flag_await(stop, 1);
	return NULL;
}

/* A number that names a thread, but no process. */
TEST_F(select, a_thread_is_no_sender)
{
	unsigned int *stop = flag_new();
	pthread_t thread;
	DIR *threads;
	pid_t tid = 0;

	ASSERT_EQ(0, pthread_create(&thread, NULL, wait_for_the_end, stop));
	threads = opendir("/proc/self/task");
	ASSERT_TRUE(threads);
	for (struct dirent *entry; (entry = readdir(threads));)
		if (atoi(entry->d_name) && atoi(entry->d_name) != getpid())
			tid = atoi(entry->d_name);
	closedir(threads);
	ASSERT_NE(0, tid);
	ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	EXPECT_REFUSED(self->device, self->fd, ESRCH, take(self, MAILBOX_SELECT_SENDER, tid));
	flag_raise(stop);
	pthread_join(thread, NULL);
}

/* The model: an array in the order of arrival. */
struct item {
	__u64 type, sequence;
	__u32 priority;
	bool there;
};

#define ITEMS 400

static bool before(const struct item *a, const struct item *b)
{
	return !b || a->priority > b->priority ||
	       (a->priority == b->priority && a->sequence < b->sequence);
}

static struct item *model_find(struct item *items, int nr, __u32 select, __u64 match)
{
	struct item *found = NULL;
	__u64 lowest = UINT64_MAX;
	int i;

	for (i = 0; i < nr; i++)
		if (items[i].there && items[i].type < lowest)
			lowest = items[i].type;
	for (i = 0; i < nr; i++) {
		struct item *item = &items[i];
		bool fits = item->there &&
			    (select == MAILBOX_SELECT_FIRST ||
			     (select == MAILBOX_SELECT_TYPE && item->type == match) ||
			     (select == MAILBOX_SELECT_TYPE_UP_TO && item->type == lowest &&
			      lowest <= match) ||
			     (select == MAILBOX_SELECT_TYPE_NOT && item->type != match) ||
			     (select == MAILBOX_SELECT_PRIORITY && item->priority >= match));

		if (fits && before(item, found))
			found = item;
	}
	return found;
}

TEST_F(select, all_selections_against_an_array)
{
	struct item items[ITEMS] = { 0 };
	int nr = 0, step, there = 0;

	srand(1);
	for (step = 0; step < 4000; step++) {
		if (nr < ITEMS && (there < 20 || rand() % 3 == 0)) {
			struct item *item = &items[nr++];
			struct mailbox_send args = send_args(item, 8);

			*item = (struct item){ rand() % 6, nr, rand() % 4, true };
			args.type = item->type;
			args.priority = item->priority;
			ASSERT_EQ(0, box_send(self->fd, &args));
			EXPECT_EQ(item->sequence, args.sequence);
			there++;
		} else {
			__u32 select = rand() % MAILBOX_SELECT_SENDER;
			__u64 match = rand() % 7;
			char data[8];
			struct mailbox_receive args = receive_args(data, sizeof(data));
			struct item *item;

			if (rand() % 6 == 0)
				select = MAILBOX_SELECT_PRIORITY;
			item = model_find(items, nr, select, match);
			args.select = select;
			args.match = match;
			ASSERT_EQ(item ? 0 : -EAGAIN, box_receive(self->fd, &args))
			TH_LOG("step %d select %u match %llu", step, select, match);
			if (!item)
				continue;
			ASSERT_EQ(item->sequence, args.sequence)
			TH_LOG("step %d select %u match %llu", step, select, match);
			item->there = false;
			there--;
		}
		if (nr == ITEMS && !there)
			break;
	}
	EXPECT_EQ(there, box_stat(self->fd).messages);
}

TEST_HARNESS_MAIN
